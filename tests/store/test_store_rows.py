"""What is written into a table comes back as it was, the same from both databases."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import JSON, Boolean, Date, Integer, Table, Uuid
from store_world import changes_of, fill, key_of, projected, query, read_all, simulated

from zvt_trading.adapters.store.opening import open_store
from zvt_trading.adapters.store.schema import Base
from zvt_trading.adapters.store.types import ExactDecimal, UtcDateTime
from zvt_trading.ports.store import Row, Store
from zvt_trading.ports.tables import COLUMNS, ORDER, PORTFOLIO, REFUSAL, RISK_LIMIT, TRADE

pytest_plugins = ("store_fixtures",)

SEEDS = (1, 5, 6)


def table_of(name: str) -> Table:
    """A table of the schema."""
    return Base.metadata.tables[name]


def values_of(rows: dict[str, dict[Row, Row]]) -> Iterator[tuple[str, str, object, object]]:
    """(table, column, its type in the schema, value) of all that is not None."""
    for table, found in rows.items():
        types = [column.type for column in table_of(table).columns]
        for row in found.values():
            for column, kind, value in zip(COLUMNS[table], types, row, strict=True):
                if value is not None:
                    yield table, column, kind, value


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_come_back_as_they_were_written(store: Store, seed: int) -> None:
    """All ten tables, every column, without any conversion."""
    fill(store, simulated(seed))
    assert projected(simulated(seed)).rows == read_all(store)


def test_the_journals_fill_every_table() -> None:
    """Or the test above would show little."""
    for seed in SEEDS:
        rows = projected(simulated(seed)).rows
        assert [] == [table for table in COLUMNS if not rows[table]]


def test_every_value_has_the_form_that_its_column_says(store: Store) -> None:
    """Exact decimals, ids, times and JSON as text, integers and booleans as they are."""
    fill(store, simulated(5))
    for table, column, kind, value in values_of(read_all(store)):
        where = f"{table}.{column}: {value!r}"
        if isinstance(kind, ExactDecimal):
            assert isinstance(value, str), where
            whole, point, decimals = value.lstrip("-").partition(".")
            assert (whole.isdecimal(), point, len(decimals)) == (True, ".", 18), where
        elif isinstance(kind, Uuid):
            assert UUID(value).hex == value, where  # type: ignore[arg-type]  # else it fails
        elif isinstance(kind, UtcDateTime):
            assert isinstance(value, str), where
            moment = datetime.fromisoformat(value)
            assert moment.astimezone(UTC).isoformat(timespec="microseconds") == value, where
        elif isinstance(kind, Date):
            assert date.fromisoformat(str(value)).isoformat() == value, where
        elif isinstance(kind, JSON):
            assert isinstance(value, str), where
            assert isinstance(msgspec.json.decode(value), dict | list), where
        elif isinstance(kind, Boolean):
            assert value in (0, 1), where
        elif isinstance(kind, Integer):
            assert type(value) is int, where
        else:
            assert isinstance(value, str), where


def test_booleans_are_what_the_database_has(store: Store) -> None:
    """0 and 1 where there is no boolean; equal either way."""
    fill(store, simulated(5))
    flags = {type(row[0]) for row in store.read(ORDER, ("reduce_only",), None)}
    assert {int if store.is_at_hand else bool} == flags


def test_the_two_databases_give_the_same(sqlite_url: str, pg_url: str) -> None:
    """Row for row and value for value."""
    found = []
    for url in (sqlite_url, pg_url):
        store = open_store(url)
        fill(store, simulated(6))
        found.append(read_all(store))
        store.close()
    assert found[0] == found[1]


def test_all_tables_can_be_read_as_of_one_moment(store: Store, store_url: str) -> None:
    """What is written meanwhile is neither seen nor held up."""
    events = simulated(5)
    half = len(events) // 2
    fill(store, events[:half])
    reader = open_store(store_url)
    with reader.tables() as tables:
        assert half == tables.projected_seq
        first = next(tables.rows)
        store.reset_tables()
        store.append([], changes_of(events))
        rows = [first, *tables.rows]
    found: dict[str, dict[Row, Row]] = {table: {} for table in COLUMNS}
    for table, row in rows:
        found[table][key_of(table, row)] = row
    assert projected(events[:half]).rows == found
    with reader.tables() as tables:
        assert len(events) == tables.projected_seq
    reader.close()


ODD_TEXTS = {
    "quotes": 'it\'s "so" `odd` \\ \\N',
    "controls": "tab\tline\nreturn\rbell\x07",
    "unicode": "grün 漢字 😀 \u2028",
    "percent": "%s %% %(name)s ? :x $1",
    "long": "x" * 10_000,
    "empty": "",
}


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_texts_of_callers_and_venues_come_back(store: Store, name: str) -> None:
    """A refusal keeps what was asked for, word by word."""
    text = ODD_TEXTS[name]
    changes = changes_of(simulated(5))
    columns = COLUMNS[REFUSAL]
    row = list(changes.upserts[REFUSAL][0])
    for column in ("portfolio", "strategy", "instrument", "scope_key", "text"):
        row[columns.index(column)] = text
    row[columns.index("request")] = msgspec.json.encode({"text": text}).decode()
    changes.upserts = {REFUSAL: [tuple(row)]}
    store.append([], changes)
    assert [tuple(row)] == store.read(REFUSAL, columns, None)


def test_sql_finds_the_rows_by_the_columns_own_types(store: Store, store_url: str) -> None:
    """A person with a database shell asks for numbers and times, not for text."""
    fill(store, simulated(5))
    largest = max(row[0] for row in store.read(TRADE, ("executed_at",), None))
    day = largest[:10]
    statement = f"SELECT count(*) FROM crypto_trade WHERE executed_at >= '{day}'"  # noqa: S608 - a date
    assert [(len(store.read(TRADE, ("id",), None)),)] == query(store_url, statement)
    names = {row[0] for row in store.read(RISK_LIMIT, ("name",), None)}
    assert names
    assert {"USDT"} == {row[0] for row in store.read(PORTFOLIO, ("base_currency",), None)}
