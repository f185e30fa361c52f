"""The production store: PostgreSQL through psycopg, with synchronous_commit on.

A group of events without table changes is one COPY, which is its own transaction: two round trips.
An advisory lock tells a dead engine from a live one at once (the server frees it with the
connection); times of the lease are the server's.
"""

import os
import socket
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader
from sqlalchemy import URL

from zvt_trading.adapters.store.naming import conninfo_of, name_of
from zvt_trading.adapters.store.sql_store import Cursor, SqlStore, fenced
from zvt_trading.adapters.store.statements import JOURNAL, JOURNAL_COLUMNS
from zvt_trading.ports.store import (
    Changes,
    Entry,
    EntryRow,
    Lease,
    LeaseTakenError,
    StoreError,
    StoreFailedError,
    StoreUnavailableError,
)

LEASE_SECONDS: Final = 15
"""A lease that is not renewed for this long may be taken over, lock or no lock."""
LOCK_TRIES: Final = 20
"""How often the lock of an engine that has just died is asked for, a tenth of a second apart."""
END_TRIES: Final = 50
"""How often is looked whether an earlier connection is over, a fiftieth of a second apart."""
CONNECT_SECONDS: Final = 3
SILENCE_MS: Final = 10_000
"""A server that has not acknowledged a packet for this long is gone, or the network is."""
STATEMENT_SECONDS: Final = 10
"""After this the server gives a statement up; the driver's side is cut by `interrupt`."""

ENTRIES_AT_ONCE: Final = 2_000
"""Entries of the journal read by one statement."""

_COPY: Final = f"COPY {JOURNAL} ({', '.join(JOURNAL_COLUMNS)}) FROM STDIN"
_ENTRIES: Final = (
    f"SELECT {', '.join(JOURNAL_COLUMNS)} FROM {JOURNAL} WHERE seq > %s ORDER BY seq LIMIT %s"
)
_LOCK_SPACE: Final = (
    0x5A56  # "ZV": advisory locks are numbers that all programs of a database share
)
_WHO: Final = (
    "SELECT current_setting('fsync'), pid, backend_start FROM pg_stat_activity "
    "WHERE pid = pg_backend_pid()"
)
_END: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s"
)
_Session = tuple[int, datetime]
"""A connection as the server knows it: the id of its process, and since when."""
_LEASE: Final = "SELECT owner, renewed_at, expires_at, expires_at > now() FROM engine_lease"

_ADVICE: Final[tuple[tuple[type[psycopg.Error], str], ...]] = (
    (errors.ReadOnlySqlTransaction, "the database is read-only (a standby?): use the primary"),
    (errors.DiskFull, "the server's disk is full: make room, the engine goes on by itself"),
    (errors.QueryCanceled, "the server took too long: check its load and locks"),
    (errors.LockNotAvailable, "another program locks the tables: stop it"),
    (errors.InsufficientPrivilege, "this user may not write there: grant it"),
    (errors.TooManyConnections, "the server has no connection left: raise max_connections"),
)


class PostgresStore(SqlStore):
    """See ports/store.py."""

    dialect = "postgresql"

    def __init__(self, url: URL, *, lease_seconds: int = LEASE_SECONDS) -> None:
        super().__init__(name_of(url))
        self._conninfo = conninfo_of(url)
        self._lease_seconds = lease_seconds
        self._has_lock = False
        self._connection: psycopg.Connection[Any]
        self._session: _Session | None = None
        self._earlier: list[_Session] = []  # not known to be over
        self._open()

    # Driver.

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """BEGIN ... COMMIT."""
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                yield cursor
        except psycopg.Error as error:
            raise self._error(error) from error

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """One snapshot for all that is read."""
        with self.transaction() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield cursor

    def sql(self, statement: str) -> str:
        """Psycopg writes parameters as %s."""
        return statement.replace("?", "%s")

    def insert_entries(self, cursor: Cursor, entries: Sequence[EntryRow]) -> None:
        """By COPY."""
        try:
            with cursor.copy(_COPY) as copy:  # type: ignore[attr-defined]  # psycopg's cursors have it
                copy.write(_copied(entries))
        except errors.UniqueViolation as error:
            raise self._fenced() from error

    def entries(self, after: int, limit: int | None = None) -> Iterator[Entry]:
        """By pages, a statement each: nothing is open when the caller has one in hand.

        The server knows one transaction a connection, so whatever was written while a cursor is
        open would be durable only when its reader has come to an end.
        """
        while limit is None or limit > 0:
            size = ENTRIES_AT_ONCE if limit is None else min(limit, ENTRIES_AT_ONCE)
            rows = self._entries(after, size)
            for row in rows:
                yield Entry(*row)
            if len(rows) < size:
                return
            after = rows[-1][0]
            limit = None if limit is None else limit - size

    def append(self, entries: Sequence[EntryRow], changes: Changes | None) -> None:
        """Entries alone are one statement, hence one transaction.

        StoreError while somebody reads the tables: it would not be durable before he has finished.
        """
        if self._connection.info.transaction_status == TransactionStatus.INTRANS:
            raise StoreError(f"{self.name}: nothing is written while its tables are being read")
        if changes is not None:
            super().append(entries, changes)
        elif entries:
            try:
                with self._connection.cursor() as cursor:
                    self.insert_entries(cursor, entries)
            except psycopg.Error as error:
                raise self._error(error) from error

    def stream(self, statement: str, params: Sequence[Any]) -> Generator[Any]:
        """By a cursor on the server, in a transaction that lasts as long."""
        try:
            with (
                self._connection.transaction(),
                self._connection.cursor(name="rows") as cursor,
            ):
                cursor.itersize = 1_000
                cursor.execute(statement.encode(), params)
                yield from cursor
        except psycopg.Error as error:
            raise self._error(error) from error

    def is_refusal(self, error: Exception) -> bool:
        """A constraint, a value out of bounds, or one that the driver cannot take."""
        return isinstance(
            error, errors.IntegrityError | errors.DataError | psycopg.ProgrammingError
        )

    def raw(self, value: Any) -> Any:
        """Ids and times as text; numbers and JSON are text already (see `_open`)."""
        if isinstance(value, UUID):
            return value.hex
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        return value.isoformat() if isinstance(value, date) else value

    # Lease.

    def adopt(self, store_id: str, engine_tag: int, epoch: int) -> None:
        """The lock is on the tag, so it is another one from here on."""
        super().adopt(store_id, engine_tag, epoch)
        self._has_lock = self._lock(1)

    def acquire(self, owner: str) -> Lease:
        """At once when the engine before is dead; else when its lease has run out."""
        self._has_lock = self._lock(LOCK_TRIES)
        with self.transaction() as cursor:
            cursor.execute(f"{_LEASE} FOR UPDATE")
            other, renewed, expires, is_alive = cursor.fetchone()
            if not self._has_lock and is_alive:
                raise LeaseTakenError(
                    f"{self.name} is in use by {other} (last heard of at {renewed}; its lease runs "
                    f"out at {expires}): one engine a store. Stop it, or give this one a store of "
                    "its own"
                )
            cursor.execute(
                "SELECT now(), now() + make_interval(secs => %s)", (self._lease_seconds,)
            )
            now, until = cursor.fetchone()
            return self.take_lease(cursor, owner, now, until)

    def renew(self) -> None:
        """Say that this engine lives; after a new connection, lock again."""
        with self.transaction() as cursor:
            self._check_lease(cursor)
            cursor.execute(
                "UPDATE engine_lease SET renewed_at = now(), "
                "expires_at = now() + make_interval(secs => %s)",
                (self._lease_seconds,),
            )
        if not self._has_lock:
            self._has_lock = self._lock(1)

    def release(self) -> None:
        """The next engine need not wait."""
        with self.transaction() as cursor:
            self._check_lease(cursor)
            cursor.execute("UPDATE engine_lease SET owner = '', expires_at = NULL")
            cursor.execute("SELECT pg_advisory_unlock_all()")
        self._has_lock = False

    # Life.

    def rest(self) -> None:
        """The server tidies up by itself."""

    def interrupt(self) -> None:
        """From another thread: the connection is cut, so whoever waits for it gets an error."""
        with (
            suppress(OSError, psycopg.Error),
            socket.socket(fileno=os.dup(self._connection.fileno())) as wire,
        ):
            wire.shutdown(socket.SHUT_RDWR)

    def reopen(self) -> None:
        """A new connection, once what the old one was doing is over.

        A commit may still be under way there: it must not happen after one has looked whether it
        did.
        """
        self._connection.close()
        self._has_lock = False
        if self._session is not None:
            self._earlier.append(self._session)
            self._session = None
        self._open()
        self._end_earlier()
        if self.epoch:
            self.renew()

    def close(self) -> None:
        """Let go of the connection, and with it of the lock."""
        self._connection.close()

    # Inside.

    def _entries(self, after: int, limit: int) -> list[Any]:
        """The next ones, at most `limit`."""
        try:
            return self._connection.execute(_ENTRIES, (after, limit)).fetchall()
        except psycopg.Error as error:
            raise self._error(error) from error

    def _open(self) -> None:
        try:
            connection = self._connection = psycopg.connect(
                self._conninfo,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                keepalives=1,
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
                tcp_user_timeout=SILENCE_MS,
                application_name="zvt-trading",
                options=(
                    "-c synchronous_commit=on -c timezone=UTC "
                    f"-c statement_timeout={STATEMENT_SECONDS}s"
                ),
            )
            flushes, *session = connection.execute(_WHO).fetchone() or ("",)
        except psycopg.Error as error:
            raise self._error(error) from error
        if flushes != "on":
            connection.close()
            raise StoreError(
                f"{self.name} runs with fsync off: what it says it has kept is lost with the "
                "power. Set fsync = on"
            )
        for name in ("numeric", "json"):
            connection.adapters.register_loader(name, TextLoader)
        self._session = (session[0], session[1])

    def _end_earlier(self) -> None:
        """StoreUnavailableError while one of our connections before this one lives on."""
        try:
            for _ in range(END_TRIES):
                self._earlier = [one for one in self._earlier if self._is_there(one)]
                if not self._earlier:
                    return
                self._connection.execute("SELECT pg_sleep(0.02)")
        except psycopg.Error as error:
            raise self._error(error) from error
        raise StoreUnavailableError(
            f"{self.name}: the server still works for a connection that was lost (its process "
            f"{self._earlier[0][0]}), so what becomes of that is not known yet: check its load and "
            "locks; the engine goes on by itself"
        )

    def _is_there(self, session: _Session) -> bool:
        """Whether it was, and is being ended."""
        return self._connection.execute(_END, session).fetchone() is not None

    def _lock(self, tries: int) -> bool:
        """Whether the advisory lock of this database's store is ours now."""
        try:
            for _ in range(tries):
                row = self._connection.execute(
                    "SELECT pg_try_advisory_lock(%s, engine_tag) FROM engine_store", (_LOCK_SPACE,)
                ).fetchone()
                if row is not None and row[0]:
                    return True
                self._connection.execute("SELECT pg_sleep(0.1)")
        except psycopg.Error as error:
            raise self._error(error) from error
        return False

    def _fenced(self) -> StoreError:
        """A number was taken: by whom. The connection may be in a failed transaction."""
        with psycopg.connect(self._conninfo, connect_timeout=CONNECT_SECONDS) as other:
            row = other.execute("SELECT epoch, owner FROM engine_lease").fetchone()
        epoch, owner = row if row is not None else (0, "nobody")
        return fenced(self.name, self.epoch, epoch, owner)

    def _error(self, error: psycopg.Error) -> StoreError:
        """A driver's error as one of ours."""
        said = f"{self.name}: {str(error).strip()}"
        for kind, advice in _ADVICE:
            if isinstance(error, kind):
                return StoreUnavailableError(f"{said}: {advice}")
        if isinstance(error, errors.UndefinedTable):
            return StoreError(f"{said}: no store there yet; make one with `zvt-trading db init`")
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return StoreUnavailableError(
                f"{said}: check that the server runs and can be reached; the engine goes on by "
                "itself"
            )
        return StoreFailedError(f"{said}: a bug of ours, or a damaged database")


def _copied(entries: Sequence[EntryRow]) -> bytes:
    """Rows in COPY's text format; a body's backslashes are the only thing to escape in JSON."""
    return "".join(
        [
            f"{seq}\t{ts}\t{epoch}\t{kind}\t{version}\t"
            + body.replace("\\", "\\\\")
            + f"\t{checksum}\n"
            for seq, ts, epoch, kind, version, body, checksum in entries
        ]
    ).encode()
