"""From nothing, and from every older version, to the schema of today; or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from row_world import GOOD, row, some_id, upserts
from sqlalchemy import Connection, NullPool, create_engine, make_url, text
from store_world import (
    a_database,
    changes_of,
    digest_of,
    entries_of,
    path_of,
    projected,
    query,
    raw_store,
    read_all,
    replayed,
    simulated,
)

from zvt_trading.adapters.store.migrations import refill, timescale
from zvt_trading.adapters.store.opening import SCHEMA_VERSION, open_store, upgrade_store
from zvt_trading.adapters.store.schema import Base
from zvt_trading.messages.events import Event
from zvt_trading.ports.store import StoreError
from zvt_trading.ports.tables import COLUMNS, EQUITY, PORTFOLIO, REFUSAL, TRADE
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.recovery import recover

pytest_plugins = ("store_fixtures",)

VERSIONS: Final = ("0001", "0002")
CONSTRAINTS: Final = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace ORDER BY 1"
)
COLUMNS_THERE: Final = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default "
    "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
)
CATALOGUE: Final = (
    COLUMNS_THERE,
    CONSTRAINTS,
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """SQLAlchemy's connection to a database, in a transaction."""
    parsed = make_url(url)
    name = "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql+psycopg"
    engine = create_engine(parsed.set(drivername=name), poolclass=NullPool)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def dump(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """A database's whole schema, and the content of every table, as text."""
    if url.startswith("sqlite"):
        found = {"": query(url, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 2")}
        tables = query(url, "SELECT name FROM sqlite_master WHERE type = 'table'")
    else:
        found = {"": [row for statement in CATALOGUE for row in query(url, statement)]}
        tables = query(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for (table,) in sorted(tables):
        found[table] = sorted(query(url, f"SELECT * FROM {table}"), key=repr)  # noqa: S608 - its own names
    return found


class TestSchema:
    """What the migrations make is what the models say."""

    def test_from_nothing_to_today(self, bare_url: str) -> None:
        assert (None, SCHEMA_VERSION) == upgrade_store(bare_url)
        with connected(bare_url) as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert [] == compare_metadata(context, Base.metadata)
            assert SCHEMA_VERSION == context.get_current_revision()

    def test_one_by_one(self, bare_url: str) -> None:
        """The same schema as at once."""
        before = None
        for version in VERSIONS:
            assert (before, version) == upgrade_store(bare_url, version)
            before = version
        with connected(bare_url) as connection:
            context = MigrationContext.configure(connection)
            assert [] == compare_metadata(context, Base.metadata)

    def test_the_newest_is_what_the_program_needs(self, bare_url: str) -> None:
        assert VERSIONS[-1] == SCHEMA_VERSION
        upgrade_store(bare_url)
        assert [(SCHEMA_VERSION,)] == query(bare_url, "SELECT version_num FROM alembic_version")

    def test_on_sqlite_to_the_letter(self, sqlite_url: str, tmp_path: Path) -> None:
        """Every table and index has the very text that the models give it."""
        made = f"sqlite:///{tmp_path / 'made.db'}"
        with connected(made) as connection:
            Base.metadata.create_all(connection)
        statement = "SELECT name, sql FROM sqlite_master WHERE name <> 'alembic_version'"
        statement += " AND name NOT LIKE 'sqlite_autoindex_alembic%'"
        assert sorted(query(made, statement), key=repr) == sorted(
            query(sqlite_url, statement), key=repr
        )

    def test_checks_are_those_of_the_models(self, pg_server: str, bare_pg_url: str) -> None:
        """Alembic does not compare them: names and texts, on PostgreSQL."""
        upgrade_store(bare_pg_url)
        with a_database(pg_server) as made:
            with connected(made) as connection:
                Base.metadata.create_all(connection)
            wanted = query(made, CONSTRAINTS)
        found = query(bare_pg_url, CONSTRAINTS)
        assert wanted == [row for row in found if row[0] != "alembic_version_pkc"]

    def test_again_is_nothing(self, bare_url: str) -> None:
        upgrade_store(bare_url)
        before = dump(bare_url)
        assert (SCHEMA_VERSION, SCHEMA_VERSION) == upgrade_store(bare_url)
        open_store(bare_url).close()
        assert before == dump(bare_url)


class TestData:
    """A store of an older version keeps its journal and gets all its rows."""

    def old_store(self, url: str, events: tuple[Event, ...]) -> None:
        """A store of 0001: the journal, and rows in the tables there were."""
        upgrade_store(url, "0001")
        store = raw_store(url)
        changes = changes_of(events)
        for table in (EQUITY, REFUSAL):
            changes.upserts.pop(table, None)
        store.append(entries_of(events), changes)
        store.close()

    def test_all_rows_are_filled_from_the_journal(self, bare_url: str) -> None:
        events = simulated(5)
        self.old_store(bare_url, events)
        journal = query(bare_url, "SELECT * FROM event_journal ORDER BY seq")
        identity = query(bare_url, "SELECT store_id, engine_tag FROM engine_store")
        assert ("0001", SCHEMA_VERSION) == upgrade_store(bare_url)
        assert journal == query(bare_url, "SELECT * FROM event_journal ORDER BY seq")
        assert identity == query(bare_url, "SELECT store_id, engine_tag FROM engine_store")
        assert [(0,)] == query(bare_url, "SELECT projected_seq FROM engine_store")
        store = open_store(bare_url)
        recovered = recover(store, "box:1")
        assert digest_of(replayed(events)) == digest_of(recovered.core)
        keeper = Keeper(store, recovered, lambda: 0.0)
        keeper.start()
        keeper.close()
        store = open_store(bare_url)
        assert projected(events).rows == read_all(store)
        assert len(events) == store.info().projected_seq
        store.close()

    def test_the_old_rows_are_gone_until_then(self, bare_url: str) -> None:
        """Half of them would be worse than none."""
        self.old_store(bare_url, simulated(5))
        upgrade_store(bare_url)
        store = open_store(bare_url)
        assert {table: {} for table in COLUMNS} == read_all(store)
        store.close()


class TestRefused:
    """A database that this program must not touch stays as it is."""

    def test_an_older_version(self, bare_url: str) -> None:
        upgrade_store(bare_url, "0001")
        before = dump(bare_url)
        with pytest.raises(
            StoreError, match=r"is of version 0001, this program needs 0002: .*"
        ) as e:
            open_store(bare_url)
        assert "backup, then run `zvt-trading db upgrade`" in str(e.value)
        assert before == dump(bare_url)

    def test_a_newer_version(self, bare_url: str) -> None:
        upgrade_store(bare_url)
        query(bare_url, "UPDATE alembic_version SET version_num = '0999'")
        before = dump(bare_url)
        for use in (open_store, upgrade_store):
            with pytest.raises(StoreError, match="is of version 0999, newer than the 0002"):
                use(bare_url)
        assert before == dump(bare_url)

    def test_a_way_back(self, bare_url: str) -> None:
        """Forward only: yesterday's program is not fed by today's."""
        upgrade_store(bare_url)
        with pytest.raises(StoreError, match="is of version 0002"):
            upgrade_store(bare_url, "0001")

    @pytest.mark.parametrize(
        "statements",
        [
            ("CREATE TABLE crypto_order (id INTEGER PRIMARY KEY, note TEXT)",),
            ("CREATE TABLE engine_status (id INTEGER)",),
            (
                "CREATE TABLE alembic_version (version_num VARCHAR(32))",
                "INSERT INTO alembic_version VALUES ('8f3b2c')",
                "CREATE TABLE customers (id INTEGER)",
            ),
        ],
    )
    def test_somebody_elses(self, bare_url: str, statements: tuple[str, ...]) -> None:
        for statement in statements:
            query(bare_url, statement)
        before = dump(bare_url)
        for use in (open_store, upgrade_store):
            with pytest.raises(StoreError, match="tables that are not ours") as caught:
                use(bare_url)
            assert "give the engine a database of its own" in str(caught.value)
        assert before == dump(bare_url)

    def test_tables_that_are_in_nobodys_way_are_left_alone(self, bare_url: str) -> None:
        query(bare_url, "CREATE TABLE customers (id INTEGER)")
        query(bare_url, "INSERT INTO customers VALUES (7)")
        open_store(bare_url).close()
        assert [(7,)] == query(bare_url, "SELECT id FROM customers")


class TestFailing:
    """A migration is applied as a whole, or not at all."""

    def test_the_second_one(self, bare_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """It fails at its last step; the store of the version before is still one."""
        upgrade_store(bare_url, "0001")
        events = simulated(1)
        store = raw_store(bare_url)
        store.append(entries_of(events), upserts((PORTFOLIO, row(PORTFOLIO))))
        store.close()
        before = dump(bare_url)
        real = refill.refill_tables

        def failing(connection: Connection) -> None:
            real(connection)
            raise RuntimeError("the power went")

        monkeypatch.setattr(refill, "refill_tables", failing)
        with pytest.raises(RuntimeError, match="the power went"):
            upgrade_store(bare_url)
        assert before == dump(bare_url)
        monkeypatch.undo()
        assert ("0001", SCHEMA_VERSION) == upgrade_store(bare_url)

    def test_the_first_one(self, bare_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing was there, and nothing is."""

        def failing(_connection: Connection) -> None:
            raise RuntimeError("the power went")

        monkeypatch.setattr(timescale, "make_hypertables", failing)
        with pytest.raises(RuntimeError, match="the power went"):
            open_store(bare_url)
        assert {"": []} == dump(bare_url)
        monkeypatch.undo()
        open_store(bare_url).close()


class TestTimescale:
    """On a server with TimescaleDB the two tables that only grow are hypertables.

    The extension is not here: a function of its name and rules stands for it.
    """

    STUB = """
        CREATE FUNCTION create_hypertable(
            relation regclass, time_column name, chunk_time_interval bigint DEFAULT NULL
        ) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE
            bad text;
        BEGIN
            SELECT string_agg(i.indexrelid::regclass::text, ', ') INTO bad
            FROM pg_index i
            WHERE i.indrelid = relation AND i.indisunique AND NOT EXISTS (
                SELECT 1 FROM pg_attribute a
                WHERE a.attrelid = relation AND a.attname = time_column
                AND a.attnum = ANY (i.indkey)
            );
            IF bad IS NOT NULL THEN
                RAISE EXCEPTION 'cannot create a unique index without the column "%": %',
                    time_column, bad;
            END IF;
            IF NOT EXISTS (
                SELECT 1 FROM pg_attribute a
                WHERE a.attrelid = relation AND a.attname = time_column AND a.attnotnull
            ) THEN
                RAISE EXCEPTION 'column "%" may be null', time_column;
            END IF;
            CREATE TABLE IF NOT EXISTS made (relation text, time_column text, chunk bigint);
            INSERT INTO made VALUES (relation::text, time_column::text, chunk_time_interval);
            RETURN relation::text;
        END $$
    """

    def test_without_the_extension_nothing_is_asked(self, bare_pg_url: str) -> None:
        """A function of that name alone does not make it."""
        query(bare_pg_url, self.STUB)
        open_store(bare_pg_url).close()
        assert [(None,)] == query(bare_pg_url, "SELECT to_regclass('made')")

    def test_the_stub_refuses_what_the_extension_would(self, bare_pg_url: str) -> None:
        """Or the next test would show nothing."""
        upgrade_store(bare_pg_url)
        query(bare_pg_url, self.STUB)
        with pytest.raises(Exception, match="without the column"):
            query(bare_pg_url, "SELECT create_hypertable('crypto_trade', 'executed_at')")

    @pytest.mark.parametrize("version", VERSIONS)
    def test_the_statements_are_right(self, bare_pg_url: str, version: str) -> None:
        """Keys have the column they are cut by; a full store works on them as before."""
        upgrade_store(bare_pg_url, version)
        query(bare_pg_url, self.STUB)
        with connected(bare_pg_url) as connection:
            for statement in timescale._STATEMENTS:
                connection.execute(text(statement))
        assert [
            ("event_journal", "seq", timescale.ENTRIES_A_CHUNK),
            ("crypto_trade", "executed_at", None),
        ] == query(bare_pg_url, "SELECT * FROM made")
        upgrade_store(bare_pg_url)
        store = open_store(bare_pg_url)
        store.append(entries_of(simulated(5), epoch=0), changes_of(simulated(5)))
        assert projected(simulated(5)).rows == read_all(store)
        trade = store.read(TRADE, COLUMNS[TRADE], None)[0]
        with pytest.raises(StoreError, match="uq_crypto_trade"):
            store.append([], upserts((TRADE, (some_id(1), *trade[1:]))))
        store.close()

    def test_elsewhere_it_is_not_looked_for(self, sqlite_url: str) -> None:
        with connected(sqlite_url) as connection:
            timescale.make_hypertables(connection)
        assert path_of(sqlite_url).exists()


def test_an_emptied_table_is_one_of_the_first_version() -> None:
    """`refill_tables` is part of an old migration: later tables are not its business."""
    assert set(refill._TABLES) == set(GOOD) - {EQUITY, REFUSAL}
