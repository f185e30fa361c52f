"""What a store does, in SQL that both databases understand; the drivers' ways are in subclasses.

SQL is written with `?` for parameters. Every method is one transaction.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, Protocol

from zvt_trading.adapters.store.statements import (
    JOURNAL,
    JOURNAL_COLUMNS,
    SNAPSHOT,
    SNAPSHOT_COLUMNS,
    delete_sql,
    select_sql,
    upsert_sql,
)
from zvt_trading.ports.store import (
    IMPORTING,
    Changes,
    Entry,
    EntryRow,
    FencedError,
    Lease,
    LeaseState,
    Row,
    Snapshot,
    StoreInfo,
    Tables,
    TablesRefusedError,
)
from zvt_trading.ports.tables import COLUMNS, KEYS

_JOURNAL = ", ".join(JOURNAL_COLUMNS)
_SNAPSHOT = ", ".join(SNAPSHOT_COLUMNS)
_IDS_AT_ONCE = 500


class Cursor(Protocol):
    """What the two drivers' cursors have in common, as far as it is used."""

    @property
    def rowcount(self) -> int: ...

    def execute(self, query: Any, params: Any = ..., /) -> Any: ...

    def executemany(self, query: Any, params_seq: Any, /) -> Any: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> Any: ...


class SqlStore:
    """See ports/store.py for what each method promises."""

    dialect: str
    is_at_hand = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch = 0  # of the lease, once it is ours

    # For subclasses.

    def transaction(self) -> AbstractContextManager[Cursor]:
        """A cursor inside a transaction that is durable when the block ends, or undone."""
        raise NotImplementedError

    def reading(self) -> AbstractContextManager[Cursor]:
        """A cursor inside a transaction that only reads, and sees one moment."""
        raise NotImplementedError

    def sql(self, statement: str) -> str:
        """A statement in the driver's way of writing parameters."""
        return statement

    def insert_entries(self, cursor: Cursor, entries: Sequence[EntryRow]) -> None:
        """Append to the journal; FencedError when a number is taken."""
        raise NotImplementedError

    def stream(self, statement: str, params: Sequence[Any]) -> Generator[Any]:
        """Rows of a query without holding them all."""
        raise NotImplementedError

    def is_refusal(self, error: Exception) -> bool:
        """Whether a driver's error says that the tables do not take a value."""
        raise NotImplementedError

    def raw(self, value: Any) -> Any:
        """A value that was read, as a `Row` has it."""
        return value

    # Journal.

    def info(self) -> StoreInfo:
        """What this store is."""
        with self.reading() as cursor:
            cursor.execute("SELECT store_id, engine_tag, projected_seq FROM engine_store")
            row = cursor.fetchone()
        return StoreInfo(str(self.raw(row[0])), row[1], row[2])

    def last(self) -> Entry | None:
        """The newest entry."""
        statement = f"SELECT {_JOURNAL} FROM {JOURNAL} ORDER BY seq DESC LIMIT 1"
        with self.reading() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone()
        return Entry(*row) if row is not None else None

    def entries(self, after: int, limit: int | None = None) -> Iterator[Entry]:
        """The entries after `after`, at most `limit`."""
        statement = f"SELECT {_JOURNAL} FROM {JOURNAL} WHERE seq > ? ORDER BY seq"
        if limit is not None:
            statement += f" LIMIT {int(limit)}"
        for row in self.stream(self.sql(statement), (after,)):
            yield Entry(*row)

    def checksums(self, first: int, last: int) -> list[tuple[int, int, int]]:
        """(seq, epoch, checksum) of what is there."""
        statement = (
            f"SELECT seq, epoch, checksum FROM {JOURNAL} WHERE seq BETWEEN ? AND ? ORDER BY seq"
        )
        with self.reading() as cursor:
            cursor.execute(self.sql(statement), (first, last))
            return [tuple(row) for row in cursor.fetchall()]

    def append(self, entries: Sequence[EntryRow], changes: Changes | None) -> None:
        """One transaction of entries and what earlier ones did to the tables."""
        with self.transaction() as cursor:
            if entries:
                self.insert_entries(cursor, entries)
            if changes is not None:
                self._write(cursor, changes)

    # Tables.

    def read(self, table: str, columns: Sequence[str], ids: Sequence[str] | None) -> list[Row]:
        """Rows as they would be written."""
        statement = select_sql(table, tuple(columns), self.dialect)
        found: list[Row] = []
        with self.reading() as cursor:
            if ids is None:
                cursor.execute(statement)
                found.extend(self._raw_row(row) for row in cursor.fetchall())
            for at in range(0, len(ids or ()), _IDS_AT_ONCE):
                some = list(ids or ())[at : at + _IDS_AT_ONCE]
                marks = ", ".join("?" for _ in some)
                cursor.execute(self.sql(f"{statement} WHERE {table}.id IN ({marks})"), some)
                found.extend(self._raw_row(row) for row in cursor.fetchall())
        return found

    @contextmanager
    def tables(self) -> Iterator[Tables]:
        """As of one moment."""
        with self.reading() as cursor:
            cursor.execute("SELECT projected_seq FROM engine_store")
            with closing(self._all_rows()) as rows:
                yield Tables(cursor.fetchone()[0], rows)

    def reset_tables(self) -> None:
        """Empty all of them."""
        with self.transaction() as cursor:
            for table in reversed(KEYS):
                cursor.execute(f"DELETE FROM {table}")
            self._set_projected(cursor, 0)

    # Snapshots.

    def snapshots(self) -> list[int]:
        """Newest first."""
        with self.reading() as cursor:
            cursor.execute(f"SELECT seq FROM {SNAPSHOT} ORDER BY seq DESC")
            return [row[0] for row in cursor.fetchall()]

    def snapshot(self, seq: int) -> Snapshot | None:
        """As it is stored."""
        statement = f"SELECT {_SNAPSHOT} FROM {SNAPSHOT} WHERE seq = ?"
        with self.reading() as cursor:
            cursor.execute(self.sql(statement), (seq,))
            row = cursor.fetchone()
        if row is None:
            return None
        fields = dict(zip(SNAPSHOT_COLUMNS, row, strict=True))
        fields["body"] = bytes(fields["body"])
        return Snapshot(**fields)

    def save_snapshot(self, snapshot: Snapshot, keep: int) -> None:
        """And forget the oldest."""
        marks = ", ".join("?" for _ in SNAPSHOT_COLUMNS)
        values = tuple(getattr(snapshot, column) for column in SNAPSHOT_COLUMNS)
        with self.transaction() as cursor:
            self._check_lease(cursor)
            cursor.execute(self.sql(f"DELETE FROM {SNAPSHOT} WHERE seq = ?"), (snapshot.seq,))
            cursor.execute(
                self.sql(f"INSERT INTO {SNAPSHOT} ({_SNAPSHOT}) VALUES ({marks})"),
                values,
            )
            cursor.execute(f"SELECT seq FROM {SNAPSHOT} ORDER BY seq DESC")
            old = [row[0] for row in cursor.fetchall()][keep:]
            for seq in old:
                cursor.execute(self.sql(f"DELETE FROM {SNAPSHOT} WHERE seq = ?"), (seq,))

    # Lease.

    def adopt(self, store_id: str, engine_tag: int, epoch: int) -> None:
        """Another store's id and tag, and an epoch above its own."""
        above = max(self.epoch, epoch + 1)
        with self.transaction() as cursor:
            self._check_lease(cursor)
            cursor.execute(
                self.sql("UPDATE engine_store SET store_id = ?, engine_tag = ?"),
                (store_id, engine_tag),
            )
            self._set_projected(cursor, IMPORTING)
            cursor.execute(self.sql("UPDATE engine_lease SET epoch = ?"), (above,))
        self.epoch = above

    def lease(self) -> LeaseState:
        """Who has it."""
        with self.reading() as cursor:
            cursor.execute(
                "SELECT epoch, owner, acquired_at, renewed_at, expires_at FROM engine_lease"
            )
            return LeaseState(*self._raw_row(cursor.fetchone()))

    def take_lease(self, cursor: Cursor, owner: str, now: Any, expires: Any) -> Lease:
        """The next epoch is ours."""
        cursor.execute("SELECT epoch FROM engine_lease")
        epoch = cursor.fetchone()[0] + 1
        cursor.execute(
            self.sql(
                "UPDATE engine_lease SET epoch = ?, owner = ?, acquired_at = ?, renewed_at = ?, "
                "expires_at = ?"
            ),
            (epoch, owner, now, now, expires),
        )
        self.epoch = epoch
        return Lease(epoch, owner)

    def _check_lease(self, cursor: Cursor) -> None:
        """FencedError unless the lease is still ours."""
        cursor.execute("SELECT epoch, owner FROM engine_lease")
        epoch, owner = cursor.fetchone()
        if epoch != self.epoch:
            raise fenced(self.name, self.epoch, epoch, owner)

    # Inside.

    def _write(self, cursor: Cursor, changes: Changes) -> None:
        """Deletes, then upserts in the order that foreign keys allow."""
        try:
            for table, keys in changes.deletes.items():
                cursor.executemany(delete_sql(table, self.dialect), keys)
            for table in KEYS:
                rows = changes.upserts.get(table)
                if rows:
                    cursor.executemany(upsert_sql(table, self.dialect), rows)
        except Exception as error:
            if not self.is_refusal(error):
                raise
            message = f"the tables cannot be brought to event {changes.seq}: {error}"
            raise TablesRefusedError(message) from error
        self._check_lease(cursor)
        self._set_projected(cursor, changes.seq)

    def _set_projected(self, cursor: Cursor, seq: int) -> None:
        cursor.execute(self.sql("UPDATE engine_store SET projected_seq = ?"), (seq,))

    def _all_rows(self) -> Generator[tuple[str, Row]]:
        for table, columns in COLUMNS.items():
            with closing(self.stream(select_sql(table, columns, self.dialect), ())) as rows:
                for row in rows:
                    yield table, self._raw_row(row)

    def _raw_row(self, row: Sequence[Any]) -> Row:
        return tuple(self.raw(value) for value in row)


def fenced(name: str, ours: int, theirs: int, owner: str) -> FencedError:
    """Somebody else writes now."""
    return FencedError(
        f"{name} was taken over by {owner} (epoch {theirs}; ours was {ours}): this engine must stop"
    )
