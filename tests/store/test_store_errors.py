"""What goes wrong is one of our errors, says what to do about it, and never a password."""

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Final

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import make_url
from store_world import as_entries, cut_connections, entries_of, query, raw_store, said

from zvt_trading.adapters.store.opening import (
    ENVIRONMENT,
    default_url,
    open_store,
    parse_url,
    upgrade_store,
)
from zvt_trading.adapters.store.postgres_store import PostgresStore
from zvt_trading.adapters.store.sqlite_store import SqliteStore
from zvt_trading.errors import CallerError, ZvtTradingError
from zvt_trading.ports.store import (
    FencedError,
    Store,
    StoreError,
    StoreFailedError,
    StoreUnavailableError,
)

pytest_plugins = ("store_fixtures",)

SECRET: Final = "s3cr3t"  # noqa: S105 - what must not be seen

SQLITE_ERRORS: Final = (
    (sqlite3.SQLITE_FULL, StoreUnavailableError, "the disk is full: make room"),
    (sqlite3.SQLITE_BUSY, StoreUnavailableError, "another program is writing to the file: stop"),
    (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreUnavailableError, "another program is writing"),
    (sqlite3.SQLITE_LOCKED, StoreUnavailableError, "another program is writing to the file: stop"),
    (sqlite3.SQLITE_READONLY, StoreUnavailableError, "read-only: make it writable"),
    (sqlite3.SQLITE_READONLY_DBMOVED, StoreUnavailableError, "read-only: make it writable"),
    (sqlite3.SQLITE_CANTOPEN, StoreUnavailableError, "check the folder and its permissions"),
    (sqlite3.SQLITE_IOERR, StoreUnavailableError, "check the disk"),
    (sqlite3.SQLITE_IOERR_WRITE, StoreUnavailableError, "check the disk"),
    (sqlite3.SQLITE_IOERR_SHORT_READ, StoreUnavailableError, "check the disk"),
    (sqlite3.SQLITE_NOMEM, StoreUnavailableError, "there is no memory left"),
    (sqlite3.SQLITE_PERM, StoreUnavailableError, "check its permissions"),
    (sqlite3.SQLITE_IOERR_FSYNC, StoreFailedError, "did not flush, so what is on it is not known"),
    (sqlite3.SQLITE_IOERR_DIR_FSYNC, StoreFailedError, "did not flush"),
    (sqlite3.SQLITE_CORRUPT, StoreFailedError, "restore a backup"),
    (sqlite3.SQLITE_NOTADB, StoreError, "name a store"),
    (sqlite3.SQLITE_ERROR, StoreFailedError, "restore a backup"),
    (None, StoreFailedError, "the driver refused; a bug of ours"),
)

POSTGRES_ERRORS: Final = (
    (errors.ReadOnlySqlTransaction, StoreUnavailableError, "use the primary"),
    (errors.DiskFull, StoreUnavailableError, "make room"),
    (errors.QueryCanceled, StoreUnavailableError, "took too long"),
    (errors.LockNotAvailable, StoreUnavailableError, "another program locks the tables: stop it"),
    (errors.InsufficientPrivilege, StoreUnavailableError, "may not write there: grant it"),
    (errors.TooManyConnections, StoreUnavailableError, "raise max_connections"),
    (errors.AdminShutdown, StoreUnavailableError, "check that the server runs"),
    (errors.ConnectionFailure, StoreUnavailableError, "check that the server runs"),
    (psycopg.OperationalError, StoreUnavailableError, "check that the server runs"),
    (psycopg.InterfaceError, StoreUnavailableError, "check that the server runs"),
    (errors.UndefinedTable, StoreError, "make one with `zvt-trading db init`"),
    (errors.UndefinedColumn, StoreFailedError, "a bug of ours, or a damaged database"),
    (errors.DataCorrupted, StoreFailedError, "a bug of ours, or a damaged database"),
)


class TestTables:
    """Which error of a driver becomes which of ours."""

    @pytest.mark.parametrize(("code", "kind", "advice"), SQLITE_ERRORS)
    def test_of_sqlite(
        self, sqlite_url: str, code: int | None, kind: type[StoreError], advice: str
    ) -> None:
        store = raw_store(sqlite_url)
        assert isinstance(store, SqliteStore)
        error = sqlite3.OperationalError("what it said")
        if code is not None:
            error.sqlite_errorcode = code
        found = store._error(error)
        store.close()
        assert kind is type(found)
        assert f"{store.name}: what it said" in str(found)
        assert advice in str(found)

    def test_of_a_constraint_that_was_met(self, sqlite_url: str) -> None:
        store = raw_store(sqlite_url)
        assert isinstance(store, SqliteStore)
        found = store._error(sqlite3.IntegrityError("NOT NULL"))
        store.close()
        assert StoreFailedError is type(found)
        assert "the journal is as it was before" in str(found)

    @pytest.mark.parametrize(("error", "kind", "advice"), POSTGRES_ERRORS)
    def test_of_postgresql(
        self, pg_url: str, error: type[psycopg.Error], kind: type[StoreError], advice: str
    ) -> None:
        store = raw_store(pg_url)
        assert isinstance(store, PostgresStore)
        found = store._error(error("what it said"))
        store.close()
        assert kind is type(found)
        assert f"{store.name}: what it said" in str(found)
        assert advice in str(found)

    def test_the_errors_are_ours(self) -> None:
        """And those that are for good are told from those that pass."""
        assert issubclass(StoreError, ZvtTradingError)
        assert issubclass(FencedError, StoreFailedError)
        assert not issubclass(StoreUnavailableError, StoreFailedError)


class TestOutages:
    """Real ones: the store says so, keeps nothing of the group, and works again afterwards."""

    def test_a_full_disk(self, sqlite_url: str) -> None:
        store = opened_file(sqlite_url)
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreUnavailableError, match=r"is full.*: make room"):
            store.append(entries_of(said(600, text="x" * 100)), None)
        assert store.last() is None
        assert_works_again(store)

    def test_a_file_that_is_read_only(self, sqlite_url: str) -> None:
        store = opened_file(sqlite_url)
        store._connection.execute("PRAGMA query_only = ON")
        for count in (1, 600):
            with pytest.raises(StoreUnavailableError, match="make it writable"):
                store.append(entries_of(said(count)), None)
        assert_works_again(store)

    def test_another_program_that_writes(self, sqlite_url: str) -> None:
        store = opened_file(sqlite_url)
        store._connection.execute("PRAGMA busy_timeout = 0")
        other = opened_file(sqlite_url)
        with other.transaction(), pytest.raises(StoreUnavailableError, match="stop it"):
            store.append(entries_of(said(1)), None)
        other.close()
        assert_works_again(store)

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        path = tmp_path / "letter.db"
        path.write_text("Dear Sir or Madam, " * 100)
        with pytest.raises(StoreError, match="file is not a database: name a store"):
            open_store(f"sqlite:///{path}")
        with pytest.raises(StoreError, match="file is not a database: name a store"):
            SqliteStore(path)

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        url = f"sqlite:///{tmp_path}/file/below/store.db"
        with pytest.raises(StoreUnavailableError, match=r"below/store\.db: "):
            open_store(url)

    def test_a_path_that_is_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailableError, match="sqlite:///"):
            open_store(f"sqlite:///{tmp_path}")

    def test_a_file_without_a_store(self, tmp_path: Path) -> None:
        store = SqliteStore(tmp_path / "empty.db")
        with pytest.raises(StoreError, match="no such table"):
            store.info()
        store.close()

    def test_a_connection_that_is_gone(self, pg_url: str) -> None:
        store = open_store(pg_url)
        store.acquire("box:1")
        store.append(entries_of(said(2)), None)
        cut_connections(pg_url)
        with pytest.raises(StoreUnavailableError, match="the engine goes on by itself"):
            store.append(entries_of(said(1, first=3)), None)
        with pytest.raises(StoreUnavailableError, match="the engine goes on by itself"):
            store.renew()
        store.reopen()
        assert [1, 2] == [entry.seq for entry in store.entries(0)]
        store.renew()
        store.append(entries_of(said(1, first=3)), None)
        store.close()

    def test_a_server_that_only_reads(self, pg_url: str) -> None:
        store = open_store(pg_url)
        assert isinstance(store, PostgresStore)
        store._connection.execute("SET default_transaction_read_only = on")
        with pytest.raises(StoreUnavailableError, match="use the primary"):
            store.append(entries_of(said(1)), None)
        assert_works_again(store)

    def test_a_server_that_is_not_there(self) -> None:
        with pytest.raises(StoreUnavailableError, match=r"postgresql://box@127\.0\.0\.1:1/store"):
            open_store("postgresql://box@127.0.0.1:1/store")

    def test_a_database_without_a_store(self, bare_pg_url: str) -> None:
        store = raw_store(bare_pg_url)
        with pytest.raises(StoreError, match="`zvt-trading db init`"):
            store.info()
        store.close()

    def test_a_statement_that_does_not_end_can_be_interrupted(self, pg_url: str) -> None:
        """From another thread; whether it was kept is found out after `reopen`."""
        store = open_store(pg_url)
        caught: list[StoreError] = []

        def append() -> None:
            try:
                store.append(entries_of(said(1)), None)
            except StoreError as error:
                caught.append(error)

        with psycopg.connect(pg_url) as other:
            other.execute("LOCK TABLE event_journal IN ACCESS EXCLUSIVE MODE")
            thread = Thread(target=append)
            thread.start()
            wait_for_a_lock(pg_url)
            store.interrupt()
            thread.join()
        store.reopen()
        assert [StoreUnavailableError] == [type(error) for error in caught]
        assert [] == store.checksums(1, 1)
        assert_works_again(store)


class TestSecrets:
    """Passwords are for the server, not for messages."""

    URLS = (
        f"postgresql://bob:{SECRET}@127.0.0.1:1/store",
        f"postgresql+psycopg://bob:{SECRET}@127.0.0.1:1/store",
        f"postgresql://bob:pa%20ss%40{SECRET}@127.0.0.1:1/store",
        f"postgresql://127.0.0.1:1/store?user=bob&password={SECRET}",
        f"postgresql://bob@127.0.0.1:1/store?sslpassword={SECRET}",
    )
    OTHERS = (
        f"mysql://bob:{SECRET}@box/store",
        f"mysql://box/store?user=bob&password={SECRET}",
        f"bob:{SECRET}@box/store",
        f"postgresql:/bob:{SECRET}@box",
        f"oracle://bob:pa@ss{SECRET}@box/store",
        f"postgresql://bob:{SECRET}@box:port/store",
    )

    @pytest.mark.parametrize("url", URLS)
    @pytest.mark.parametrize("use", [open_store, upgrade_store])
    def test_of_a_server_that_cannot_be_reached(
        self, url: str, use: Callable[[str], object]
    ) -> None:
        with pytest.raises(StoreUnavailableError) as caught:
            use(url)
        assert SECRET not in str(caught.value)
        assert SECRET not in repr(caught.value)

    @pytest.mark.parametrize("url", OTHERS)
    def test_of_a_url_that_names_no_store(self, url: str) -> None:
        with pytest.raises(CallerError, match="a store is named by") as caught:
            parse_url(url)
        assert SECRET not in str(caught.value)

    @pytest.mark.parametrize("as_query", [False, True])
    def test_of_a_store_that_is_open(self, pg_url: str, as_query: bool) -> None:
        parsed = make_url(pg_url)
        if as_query:
            parsed = parsed.update_query_dict({"password": SECRET})
        else:
            parsed = parsed.set(password=SECRET)
        store = open_store(parsed.render_as_string(hide_password=False))
        store.acquire("box:1")
        texts = [store.name, str(store), repr(store)]
        for rows in ([], entries_of(said(1))):
            store.append(rows, None)
        with pytest.raises(FencedError) as fenced:
            store.append(entries_of(said(1)), None)
        texts.append(str(fenced.value))
        cut_connections(pg_url)
        with pytest.raises(StoreUnavailableError) as gone:
            store.info()
        texts.append(str(gone.value))
        store.close()
        assert [] == [text for text in texts if SECRET in text]


class TestUrls:
    """Which stores there are, and what is said of others."""

    @pytest.mark.parametrize(
        "url",
        ["sqlite:///a.db", "sqlite:////tmp/a.db", "postgresql://u@h/d", "postgresql+psycopg://h/d"],
    )
    def test_that_name_a_store(self, url: str) -> None:
        assert parse_url(url).get_backend_name() in url

    @pytest.mark.parametrize("url", ["", "store.db", "mysql://h/d", "http://h", "sqlite", "::"])
    def test_that_name_none(self, url: str) -> None:
        with pytest.raises(CallerError, match="sqlite:///PATH"):
            parse_url(url)

    def test_where_none_is_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The environment's, else a file of the user's."""
        monkeypatch.setenv(ENVIRONMENT, "sqlite:///here.db")
        assert "sqlite:///here.db" == default_url()
        monkeypatch.setenv(ENVIRONMENT, "")
        assert parse_url(default_url()).get_backend_name() == "sqlite"
        assert default_url().endswith("zvt-trading/zvt-trading.db")

    def test_of_a_server_without_a_driver(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An optional part of the installation; the message says how to get it."""
        monkeypatch.setitem(sys.modules, "psycopg", None)
        with pytest.raises(CallerError, match=r'pip install "zvt-trading\[postgres\]"'):
            open_store("postgresql://bob@127.0.0.1:1/store")

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///"])
    def test_without_a_path(self, url: str) -> None:
        with pytest.raises(CallerError, match="needs a path"):
            open_store(url)

    def test_of_a_store_that_would_not_last(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """There is none to make, to prove or to move; nor is a file of that name meant."""
        monkeypatch.chdir(tmp_path)
        with pytest.raises(CallerError, match="memory"):
            open_store("sqlite:///:memory:")
        assert [] == list(tmp_path.iterdir())


def opened_file(url: str) -> SqliteStore:
    """A store with its connection at hand."""
    store = open_store(url)
    assert isinstance(store, SqliteStore)
    return store


def assert_works_again(store: Store) -> None:
    """After `reopen` it takes what it refused, and is closed."""
    store.reopen()
    rows = entries_of(said(3, text="again"))
    store.append(rows, None)
    assert as_entries(rows) == list(store.entries(0))
    store.close()


def wait_for_a_lock(url: str) -> None:
    """Until somebody waits for one; the server is asked again and again."""
    waiting = "SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database "
    waiting += "WHERE NOT granted AND datname = current_database()"
    for _ in range(100_000):
        if query(url, waiting):
            return
    raise AssertionError("nobody waits for a lock")
