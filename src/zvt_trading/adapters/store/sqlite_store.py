"""The embedded store: one SQLite file, its write-ahead log, a lock and a high-water mark beside it.

WAL with synchronous=FULL: a commit has been flushed to the disk when it returns (with NORMAL the
last ones may be lost with the power; https://www.sqlite.org/pragma.html#pragma_synchronous).

The lock tells a dead engine from a live one at once: the system frees it with the process. The mark
is written after each commit, without a flush, so it is never ahead of what was durable. SQLite ends
its log silently at the first damaged frame; a journal that ends before the mark has lost entries
that were durable, and must not be traded on.
"""

import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from zvt_trading.adapters.store.mark import Mark
from zvt_trading.adapters.store.sql_store import Cursor, SqlStore, fenced
from zvt_trading.adapters.store.statements import JOURNAL, JOURNAL_COLUMNS
from zvt_trading.adapters.store.wal import torn_frames
from zvt_trading.ports.store import (
    FIRST_CHECKSUM,
    DamagedJournalError,
    Entry,
    EntryRow,
    Lease,
    LeaseTakenError,
    StoreError,
    StoreFailedError,
    StoreUnavailableError,
    follows,
)

LEASE_SECONDS: Final = 15
"""A lease that is not renewed for this long may be taken over, lock or no lock."""
BUSY_SECONDS: Final = 5.0
"""How long a commit waits for another program that writes to the file."""
CHECKPOINT_PAGES: Final = 500
"""Pages in the log (2 MB) at which a commit moves them itself, if no idle moment did.

A log that stays small is written over and over, and flushing it need not record that a file has
grown, which doubles the time of a commit. With half of SQLite's own number the commits that move
pages take half as long, and no fewer orders pass in all.
"""
REST_PAGES: Final = 250
"""Pages in the log from which an idle moment is used to move them."""

Connect = Callable[..., sqlite3.Connection]
Notice = Callable[[str], None]

_INSERT: Final = f"INSERT INTO {JOURNAL} ({', '.join(JOURNAL_COLUMNS)}) VALUES "
_ROW: Final = "(" + ", ".join("?" for _ in JOURNAL_COLUMNS) + ")"
ROWS_MAX: Final = 256
"""Rows of one statement; each number of rows is a statement of its own, prepared once."""

# What may pass by itself, with what a person can do about it.
_TRANSIENT: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: make room, the engine goes on by itself",
    sqlite3.SQLITE_BUSY: "another program is writing to the file: stop it",
    sqlite3.SQLITE_LOCKED: "another program is writing to the file: stop it",
    sqlite3.SQLITE_READONLY: "the file or its disk is read-only: make it writable",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: check the folder and its permissions",
    sqlite3.SQLITE_IOERR: "reading or writing failed: check the disk (read-only? over its quota?)",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
    sqlite3.SQLITE_PERM: "the file may not be written: check its permissions",
}
# After a failed flush nobody knows what is on the disk, and asking again may say "done" falsely.
_FLUSHES: Final = (
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
)


class SqliteStore(SqlStore):
    """A file (made if there is none, by the caller); see ports/store.py."""

    dialect = "sqlite"
    is_at_hand = True

    def __init__(
        self,
        path: Path,
        *,
        connect: Connect = sqlite3.connect,
        notice: Notice | None = None,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        """`notice` is told, in a sentence, of what was cut off a torn end."""
        super().__init__(f"sqlite:///{path}")
        self.path = path
        self._connect = connect
        self._notice = notice if notice is not None else _ignore
        self._lease_seconds = lease_seconds
        self._lock = FileLock(f"{path}.lock", timeout=0, thread_local=False)
        self._mark = Mark(Path(f"{path}.mark"))
        self._connection = self._open()
        self._tell_torn()

    # Driver.

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """BEGIN IMMEDIATE ... COMMIT."""
        connection = self._connection
        try:
            cursor = connection.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            yield cursor
            cursor.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            raise self._error(error) from error
        except BaseException:
            self._undo()
            raise

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """BEGIN ... ROLLBACK, which in a write-ahead log holds up no writer."""
        connection = self._connection
        try:
            cursor = connection.cursor()
            cursor.execute("BEGIN")
            yield cursor
        except sqlite3.Error as error:
            raise self._error(error) from error
        finally:
            self._undo()

    def insert_entries(self, cursor: Cursor, entries: Sequence[EntryRow]) -> None:
        """Many rows a statement: each one lets go of the interpreter's lock once."""
        try:
            for at in range(0, len(entries), ROWS_MAX):
                some = entries[at : at + ROWS_MAX]
                values = list(chain.from_iterable(some))
                cursor.execute(_insert_sql(len(some)), values)
        except sqlite3.IntegrityError as error:
            cursor.execute("SELECT epoch, owner FROM engine_lease")
            epoch, owner = cursor.fetchone()
            raise fenced(self.name, self.epoch, epoch, owner) from error

    def append(self, entries: Sequence[EntryRow], changes: Any) -> None:
        """And note how far it is durable. One statement needs no BEGIN and COMMIT around it."""
        if self._connection.in_transaction:
            raise StoreError(f"{self.name}: nothing is written while its tables are being read")
        if changes is None and 0 < len(entries) <= ROWS_MAX:
            try:
                self.insert_entries(self._connection.cursor(), entries)
            except sqlite3.Error as error:
                self._undo()
                raise self._error(error) from error
        else:
            super().append(entries, changes)
        if entries:
            self._mark.write(entries[-1][0], entries[-1][6])

    def stream(self, statement: str, params: Sequence[Any]) -> Generator[Any]:
        """A thousand rows at a time; text that is damaged is read as far as it can be."""
        done = 0
        try:
            try:
                for rows in self._batches(statement, params):
                    yield from rows
                    done += len(rows)
            except sqlite3.OperationalError as error:
                if getattr(error, "sqlite_errorcode", None) is not None:
                    raise
                # The driver's own error, of text that is no UTF-8: whoever reads must be able to
                # say which row it is.
                self._connection.text_factory = _readable
                for rows in self._batches(statement, params):
                    yield from rows[max(0, done) :]
                    done -= len(rows)
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _batches(self, statement: str, params: Sequence[Any]) -> Iterator[list[Any]]:
        cursor = self._connection.execute(statement, params)
        while rows := cursor.fetchmany(1_000):
            yield rows

    def is_refusal(self, error: Exception) -> bool:
        """A constraint, or a value that the driver cannot take."""
        return isinstance(
            error, sqlite3.IntegrityError | sqlite3.InterfaceError | sqlite3.ProgrammingError
        )

    # Journal.

    def last(self) -> Entry | None:
        """The newest entry; DamagedJournalError when the mark shows that newer ones are gone."""
        marked = self._mark.read()  # first: another process may be appending
        found = super().last()
        if marked is None:
            return found
        seq, checksum = marked
        last = found.seq if found is not None else 0
        known = self.checksums(seq, seq)
        if seq <= last and known and known[0][2] == checksum:
            return found
        wrong, what = self._damage(seq, checksum, last)
        raise DamagedJournalError(
            f"{self.name}: {what}: the file or its -wal was damaged, or replaced by an older copy "
            "or another engine's. Restore a backup that has it, or, knowing that orders may be "
            f"missing, delete {self._mark.path}",
            wrong,
        )

    # Lease.

    def acquire(self, owner: str) -> Lease:
        """At once when the engine before is dead; else when its lease has run out."""
        now = datetime.now(UTC)
        try:
            self._lock.acquire()
        except Timeout:
            self._check_expired(now)
        expires = now + timedelta(seconds=self._lease_seconds)
        with self.transaction() as cursor:
            return self.take_lease(cursor, owner, _text(now), _text(expires))

    def renew(self) -> None:
        """Say that this engine lives; after a takeover, lock once the engine before is gone."""
        now = datetime.now(UTC)
        expires = now + timedelta(seconds=self._lease_seconds)
        with self.transaction() as cursor:
            self._check_lease(cursor)
            cursor.execute(
                "UPDATE engine_lease SET renewed_at = ?, expires_at = ?",
                (_text(now), _text(expires)),
            )
        if not self._lock.is_locked:
            with suppress(Timeout):
                self._lock.acquire()

    def release(self) -> None:
        """The next engine need not wait."""
        with self.transaction() as cursor:
            self._check_lease(cursor)
            cursor.execute("UPDATE engine_lease SET owner = '', expires_at = NULL")
        self._lock.release()

    # Life.

    def rest(self) -> None:
        """Move the log into the file; never waits for readers."""
        try:
            pages = Path(f"{self.path}-wal").stat().st_size // 4096
            if pages >= REST_PAGES:
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except (OSError, sqlite3.Error):
            return  # nothing is lost: a commit will find the same error and tell it

    def interrupt(self) -> None:
        """A disk that does not answer cannot be interrupted; the caller goes on without it."""

    def reopen(self) -> None:
        """A new connection, on what is really in the files."""
        try:
            self._connection.close()
        except sqlite3.Error as error:
            raise self._error(error) from error
        self._connection = self._open()

    def close(self) -> None:
        """The log is moved into the file, and the lock is free."""
        self._connection.close()
        self._mark.close()
        self._lock.release(force=True)

    # Inside.

    def _open(self) -> sqlite3.Connection:
        try:
            connection = self._connect(
                self.path,
                isolation_level=None,
                check_same_thread=False,
                timeout=BUSY_SECONDS,
                cached_statements=2 * ROWS_MAX,
            )
        except sqlite3.Error as error:
            raise self._error(error) from error
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            for pragma in (
                "synchronous = FULL",
                "fullfsync = ON",
                "foreign_keys = ON",
                f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
            ):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            connection.close()
            raise self._error(error) from error
        if mode != "wal":
            connection.close()
            raise StoreError(
                f"{self.name}: no write-ahead log is possible there ({mode}); a network disk? Use "
                "a local one, or PostgreSQL"
            )
        return connection

    def _damage(self, seq: int, checksum: int, last: int) -> tuple[int, str]:
        """The first entry that is not as the mark says, and what is wrong with it."""
        wrong, found = self._first_wrong(seq)
        if wrong > seq and found == checksum:
            # Every entry is there: what leads to them is damaged, or what lies after them.
            return wrong, f"all up to entry {wrong - 1} can be read, but not found by its number"
        wrong = min(wrong, seq)  # a sound journal may be another engine's
        if wrong <= last:
            return wrong, f"entry {wrong} is not the one that was written"
        return wrong, f"entries {wrong} to {seq} were durable and are gone"

    def _first_wrong(self, seq: int) -> tuple[int, int]:
        """The first entry that is not as it was written, as far as one can read them in order.

        And the checksum that entry `seq` has; FIRST_CHECKSUM when it is not reached.
        """
        expected = 1
        checksum = found = FIRST_CHECKSUM
        with suppress(StoreError):
            for entry in self.entries(0):
                if entry.seq != expected or not follows(checksum, entry):
                    break
                checksum = entry.checksum
                if expected == seq:
                    found = checksum
                expected += 1
        return expected, found

    def _tell_torn(self) -> None:
        frames = torn_frames(self._connection, Path(f"{self.path}-wal"))
        if frames:
            self._notice(
                f"{self.name}: cut {frames} pages of a transaction that was not finished when the "
                "process or the power went; nothing of it was durable, and nothing of it was sent"
            )

    def _check_expired(self, now: datetime) -> None:
        """LeaseTakenError while the engine that holds the lock is alive."""
        statement = "SELECT owner, renewed_at, expires_at FROM engine_lease"
        owner, renewed, expires = self._connection.execute(statement).fetchone()
        if expires is None or datetime.fromisoformat(expires) > now:
            until = f"; its lease runs out at {expires}" if expires is not None else ""
            raise LeaseTakenError(
                f"{self.name} is in use by {owner or 'another program'} (last heard of at "
                f"{renewed}{until}): one engine a store. Stop it, or give this one a store of its "
                "own"
            )

    def _undo(self) -> None:
        """Roll back; an error of that says nothing new."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            return

    def _error(self, error: sqlite3.Error) -> StoreError:
        return error_of(self.name, error)


def error_of(name: str, error: sqlite3.Error) -> StoreError:
    """A driver's error as one of ours."""
    code = getattr(error, "sqlite_errorcode", None)
    said = f"{name}: {error}"
    if isinstance(error, sqlite3.IntegrityError):
        return StoreFailedError(f"{said}: a bug of ours; the journal is as it was before")
    if code is None:
        return StoreFailedError(f"{said}: the driver refused; a bug of ours")
    if code in _FLUSHES:
        return StoreFailedError(
            f"{said}: the disk did not flush, so what is on it is not known. Check the disk, "
            "then start the engine again: it finds out what was kept"
        )
    advice = _TRANSIENT.get(code & 0xFF)
    if advice is not None:
        return StoreUnavailableError(f"{said}: {advice}")
    if code == sqlite3.SQLITE_NOTADB:
        return StoreError(f"{said}: name a store, or restore a backup if it was one")
    return StoreFailedError(
        f"{said}: the file is damaged; see `zvt-trading db verify`, and restore a backup"
    )


@cache
def _insert_sql(rows: int) -> str:
    return _INSERT + ", ".join([_ROW] * rows)


def _readable(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def _ignore(_: str) -> None:
    """Nobody wants to know."""
