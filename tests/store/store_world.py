"""What the tests of the store share: journals, tables in memory, ways behind a store's back."""

import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import make_url

from proof.stores import DISCONNECT
from simulation.crashes import Crashes
from simulation.harness import Run
from zvt_trading.adapters.store.postgres_store import PostgresStore
from zvt_trading.adapters.store.sqlite_store import SqliteStore
from zvt_trading.core.snapshot import digest
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.events import EngineResumed, Event
from zvt_trading.ports.store import FIRST_CHECKSUM, Changes, Entry, EntryRow, Row, Store
from zvt_trading.ports.tables import COLUMNS, KEYS
from zvt_trading.runtime.entries import Chain
from zvt_trading.runtime.projections import Projector

STEPS: Final = 200
TS: Final = 1_700_000_000_123_456_789


# Journals.


@cache
def simulated(seed: int, steps: int = STEPS) -> tuple[Event, ...]:
    """The durable events of a simulated engine that crashed now and then, a few hundred."""
    run = Run(seed, steps, None, None, Crashes(seed))
    run.go()
    assert run.result.problems == []
    return tuple(run.journal)


def said(count: int, first: int = 1, text: str = "") -> list[Event]:
    """Events that say something and change next to nothing, numbered from `first`."""
    return [EngineResumed(seq, TS + seq, text or f"n{seq}") for seq in range(first, first + count)]


def entries_of(
    events: Sequence[Event], epoch: int = 1, checksum: int = FIRST_CHECKSUM
) -> list[EntryRow]:
    """The entries of events, chained to the entry before them."""
    return Chain(epoch, events[0].seq - 1, checksum).entries(list(events))


def as_entries(rows: Iterable[EntryRow]) -> list[Entry]:
    """Rows with names, as a store gives them."""
    return [Entry._make(row) for row in rows]


def replayed(events: Iterable[Event], epoch: int = 0) -> TradingCore:
    """A core that knows the events; `epoch` is its own until one of them says another."""
    core = TradingCore(epoch=epoch)
    for event in events:
        core.replay(event)
    return core


def digest_of(core: TradingCore) -> str:
    """The digest of a core's state."""
    return digest(core.state, core.risk)


# Tables.


class Tables:
    """The tables in memory, by key: what any store should hold after the same changes."""

    def __init__(self) -> None:
        self.seq = 0
        self.rows: dict[str, dict[Row, Row]] = {table: {} for table in COLUMNS}

    def apply(self, changes: Changes) -> None:
        """Deletes, then upserts, as a store does."""
        for table, keys in changes.deletes.items():
            for key in keys:
                self.rows[table].pop(key, None)
        for table, rows in changes.upserts.items():
            for row in rows:
                self.rows[table][key_of(table, row)] = row
        self.seq = changes.seq

    def fields(self, table: str) -> list[dict[str, Any]]:
        """Rows with the names of their columns, in the order they came."""
        return [dict(zip(COLUMNS[table], row, strict=True)) for row in self.rows[table].values()]


def key_of(table: str, row: Row) -> Row:
    """The values of a row's key."""
    return tuple(row[COLUMNS[table].index(column)] for column in KEYS[table])


def projected(events: Iterable[Event]) -> Tables:
    """The tables after events, all at once."""
    projector = Projector(TradingCore())
    for event in events:
        projector.take(event)
    tables = Tables()
    tables.apply(projector.changes())
    return tables


def changes_of(events: Iterable[Event]) -> Changes:
    """What events did to empty tables."""
    projector = Projector(TradingCore())
    for event in events:
        projector.take(event)
    return projector.changes()


def read_all(store: Store) -> dict[str, dict[Row, Row]]:
    """All rows of a store, by table and key."""
    return {
        table: {key_of(table, row): row for row in store.read(table, columns, None)}
        for table, columns in COLUMNS.items()
    }


def fill(store: Store, events: Sequence[Event], epoch: int = 0) -> None:
    """Events and all they did to the tables, as an engine with the lease of `epoch`."""
    store.append(entries_of(events, epoch), changes_of(events))


# Stores.

Opened = Callable[[str], Store]
"""Opens the store of a URL; it is closed when the test is over."""


def raw_store(url: str) -> SqliteStore | PostgresStore:
    """A store as it is, without a look at its version."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteStore(path_of(url))
    return PostgresStore(parsed)


def path_of(url: str) -> Path:
    """The file of a SQLite URL."""
    return Path(url.removeprefix("sqlite:///"))


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Rows of a query, or [], behind the back of whoever uses the store; committed at once."""
    if url.startswith("sqlite"):
        lite = sqlite3.connect(path_of(url), isolation_level=None)
        try:
            return lite.execute(statement).fetchall()
        finally:
            lite.close()
    with psycopg.connect(url, autocommit=True) as full:
        cursor = full.execute(statement.encode())
        return cursor.fetchall() if cursor.description is not None else []


def cut_connections(url: str) -> None:
    """The server drops everybody else, and has done so when this returns."""
    query(url, DISCONNECT)


def expire_lease(url: str) -> None:
    """The engine that has the lease has not been heard of for long."""
    query(url, "UPDATE engine_lease SET expires_at = '2001-01-01T00:00:00+00:00'")


@contextmanager
def a_database(server: str) -> Iterator[str]:
    """A new database for a while."""
    name = f"zvt_test_{uuid.uuid4().hex}"
    query(server, f"CREATE DATABASE {name}")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        query(server, f"DROP DATABASE {name} WITH (FORCE)")
