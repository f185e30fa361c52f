"""The schema: what the ports name is what the databases have, and numbers are exact everywhere."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, Inexact, InvalidOperation, localcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_world import all_good, row, upserts
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    NullPool,
    Table,
    create_engine,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.types import TypeEngine
from store_world import fill, path_of, query, simulated

from zvt_trading.adapters.store.opening import open_store
from zvt_trading.adapters.store.schema import Base
from zvt_trading.adapters.store.statements import POSTGRES, SQLITE
from zvt_trading.adapters.store.types import ExactDecimal, UtcDateTime
from zvt_trading.ports.store import Row, Store
from zvt_trading.ports.tables import APPEND_ONLY, COLUMNS, EQUITY, KEYS, PORTFOLIO

pytest_plugins = ("store_fixtures",)

DIALECTS = {"sqlite": SQLITE, "postgresql": POSTGRES}
UNIT = Decimal(1).scaleb(-18)
ENGINE_TABLES = {"engine_store", "engine_lease", "event_journal", "engine_snapshot"}

numbers = st.integers(-(10**38) + 1, 10**38 - 1).map(lambda units: Decimal(units) * UNIT)
"""All that NUMERIC(38,18) holds: 20 digits before the point and 18 behind it."""


@pytest.fixture(autouse=True)
def enough_digits() -> Iterator[None]:
    """Decimals with all their digits in this module."""
    with localcontext(prec=60):
        yield


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """SQLAlchemy's way to an empty store."""
    name = "sqlite" if store_url.startswith("sqlite") else "postgresql+psycopg"
    made = create_engine(make_url(store_url).set(drivername=name), poolclass=NullPool)
    yield made
    made.dispose()


class TestNames:
    """ports/tables.py and the schema say the same, in the same order."""

    def test_of_the_tables(self) -> None:
        assert set(COLUMNS) | ENGINE_TABLES == set(Base.metadata.tables)
        assert list(COLUMNS) == list(KEYS)

    @pytest.mark.parametrize("table", COLUMNS)
    def test_of_the_columns_and_keys(self, table: str) -> None:
        known = Base.metadata.tables[table]
        assert COLUMNS[table] == tuple(column.name for column in known.columns)
        assert KEYS[table] == tuple(column.name for column in known.primary_key)

    def test_in_the_databases(self, engine: Engine) -> None:
        """As the migrations made them."""
        found = inspect(engine)
        for table, columns in COLUMNS.items():
            assert columns == tuple(column["name"] for column in found.get_columns(table))
            key = found.get_pk_constraint(table)["constrained_columns"]
            assert KEYS[table] == tuple(key), table

    def test_foreign_keys_allow_the_order_of_writing(self) -> None:
        """A table comes after those that its rows point to."""
        order = list(KEYS)
        for table in KEYS:
            for key in Base.metadata.tables[table].foreign_keys:
                target = key.column.table.name
                assert order.index(target) <= order.index(table), f"{table} -> {target}"

    def test_of_the_rows_that_never_change(self) -> None:
        assert set(APPEND_ONLY) < set(COLUMNS)


class TestNumbers:
    """Exact to the last digit, on both databases, whichever way they go."""

    def test_there_is_no_float_in_the_schema(self) -> None:
        for dialect, exact in zip(DIALECTS.values(), ("TEXT", "NUMERIC(38, 18)"), strict=True):
            for table in Base.metadata.tables.values():
                for column in table.columns:
                    name = column.type.compile(dialect)
                    assert not name.startswith(("REAL", "FLOAT", "DOUBLE")), column
                    if isinstance(column.type, ExactDecimal):
                        assert exact == name, column

    def test_sqlite_keeps_every_number_as_text(self, sqlite_url: str) -> None:
        """Not one cell of a filled store is a REAL, nor any number an INTEGER by accident."""
        store = open_store(sqlite_url)
        events = simulated(5)
        fill(store, events)
        store.close()
        for name in COLUMNS:
            for column in Base.metadata.tables[name].columns:
                found = query(sqlite_url, f"SELECT DISTINCT typeof({column.name}) FROM {name}")  # noqa: S608 - names of our own
                kinds = {row[0] for row in found} - {"null"}
                assert "real" not in kinds, column
                if isinstance(column.type, ExactDecimal):
                    assert kinds <= {"text"}, column

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(values=st.lists(numbers, min_size=1, max_size=40))
    def test_rows_keep_them(self, store: Store, values: list[Decimal]) -> None:
        """As the engine writes and reads them: text in, text out."""
        texts = [f"{value:.18f}" for value in values]
        store.reset_tables()
        changes = upserts((PORTFOLIO, row(PORTFOLIO)))
        for seq, text in enumerate(texts):
            changes.upsert(EQUITY, row(EQUITY, seq=seq, value=text))
        store.append([], changes)
        found = sorted(store.read(EQUITY, ("seq", "value"), None))
        assert list(enumerate(texts)) == found

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(values=st.lists(numbers, min_size=1, max_size=40))
    def test_queries_give_them(self, engine: Engine, values: list[Decimal]) -> None:
        """As reports read them: decimals, by SQLAlchemy."""
        found = round_trip(engine, ExactDecimal(), values)
        assert values == found
        assert {-18} == {value.as_tuple().exponent for value in found}

    @given(value=numbers)
    def test_text_on_sqlite_has_all_decimals(self, value: Decimal) -> None:
        text = ExactDecimal().process_bind_param(value, SQLITE)
        assert f"{value:.18f}" == text
        assert value == ExactDecimal().process_result_value(text, SQLITE)

    @given(values=st.lists(numbers.map(abs), min_size=2, max_size=2))
    def test_text_of_numbers_from_zero_up_sorts_as_they_do(self, values: list[Decimal]) -> None:
        """By length, then by digits: what the checks on SQLite rely on."""
        texts = [f"{value:.18f}" for value in values]
        assert (values[0] < values[1]) == ((len(texts[0]), texts[0]) < (len(texts[1]), texts[1]))

    @pytest.mark.parametrize("value", ["1E-19", "0.1234567890123456789", "NaN", "Infinity"])
    @pytest.mark.parametrize("dialect", DIALECTS, ids=str)
    def test_digits_are_never_dropped(self, value: str, dialect: str) -> None:
        with pytest.raises((Inexact, InvalidOperation)):
            ExactDecimal().process_bind_param(Decimal(value), DIALECTS[dialect])

    @pytest.mark.parametrize("value", ["1E+3", "-0", "0E-30", "5"])
    def test_any_way_to_write_a_number_is_taken(self, value: str) -> None:
        text = ExactDecimal().process_bind_param(Decimal(value), SQLITE)
        assert Decimal(value) == Decimal(text)
        assert len(text.partition(".")[2]) == 18

    def test_nothing_is_nothing(self) -> None:
        for dialect in DIALECTS.values():
            assert ExactDecimal().process_bind_param(None, dialect) is None
            assert ExactDecimal().process_result_value(None, dialect) is None
            assert UtcDateTime().process_bind_param(None, dialect) is None
            assert UtcDateTime().process_result_value(None, dialect) is None


class TestTimes:
    """Aware, in UTC, to the microsecond."""

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        moments=st.lists(
            st.datetimes(
                datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
                datetime(2262, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
                timezones=st.integers(-14, 14).map(lambda h: timezone(timedelta(hours=h))),
            ),
            min_size=1,
            max_size=20,
        )
    )
    def test_come_back_as_the_same_moment(self, engine: Engine, moments: list[datetime]) -> None:
        found = round_trip(engine, UtcDateTime(), moments)
        assert moments == found
        assert {timedelta(0)} == {at.utcoffset() for at in found}

    def test_without_a_zone_are_refused(self) -> None:
        with pytest.raises(ValueError, match="has no time zone; use an aware datetime"):
            UtcDateTime().process_bind_param(datetime(2024, 1, 1), SQLITE)  # noqa: DTZ001 - the point

    def test_text_on_sqlite_sorts_as_they_do(self) -> None:
        """All of one form, with microseconds even where there are none."""
        text = UtcDateTime().process_bind_param(datetime(2024, 1, 1, tzinfo=UTC), SQLITE)
        assert "2024-01-01T00:00:00.000000+00:00" == text


class TestDatabases:
    """What is the same on both, and what a person finds there."""

    def test_constraints_have_names(self, engine: Engine) -> None:
        """So that migrations and messages can speak of them."""
        found = inspect(engine)
        for table in COLUMNS:
            named = [one["name"] for one in found.get_check_constraints(table)]
            named += [one["name"] for one in found.get_unique_constraints(table)]
            named += [one["name"] for one in found.get_foreign_keys(table)]
            named += [one["name"] for one in found.get_indexes(table)]
            assert all(named), table

    def test_both_have_the_same_constraints(self, sqlite_url: str, pg_url: str) -> None:
        """Check by check and key by key, by name."""
        names: list[dict[str, list[str]]] = []
        for url in (f"sqlite:///{path_of(sqlite_url)}", pg_url.replace("://", "+psycopg://", 1)):
            made = create_engine(url, poolclass=NullPool)
            found = inspect(made)
            names.append(
                {
                    table: sorted(
                        str(one["name"])
                        for kind in (
                            found.get_check_constraints(table),
                            found.get_foreign_keys(table),
                            found.get_unique_constraints(table),
                        )
                        for one in kind
                    )
                    for table in COLUMNS
                }
            )
            made.dispose()
        assert names[0] == names[1]

    def test_a_good_row_of_each_table_is_taken(self, store: Store) -> None:
        """The base of test_store_checks.py."""
        store.append([], all_good())
        rows: list[Row] = [one for table in COLUMNS for one in store.read(table, KEYS[table], None)]
        assert len(COLUMNS) == len(rows)


def round_trip(engine: Engine, kind: TypeEngine[Any], values: Sequence[Any]) -> list[Any]:
    """Values in a column of a type of ours and back, in a table apart from the schema."""
    table = Table(
        "some_values", MetaData(), Column("id", Integer, primary_key=True), Column("value", kind)
    )
    rows = [{"id": number, "value": value} for number, value in enumerate(values)]
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(insert(table), rows)
        query_all = select(table.c.value).order_by(table.c.id)
        found: list[Any] = list(connection.execute(query_all).scalars())
        table.drop(connection)
    return found
