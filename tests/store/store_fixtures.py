"""Databases for tests: a module that says `pytest_plugins = ("store_fixtures",)` may use these.

PostgreSQL is the server of ZVT_TRADING_TEST_PG_URL, else the one on this machine; where there is
none its tests are skipped, on CI they fail. Every worker has a database of its own.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest
from store_world import Opened, a_database

from conftest import on_ci
from proof.stores import ENVIRONMENT, empty, server_url
from zvt_trading.adapters.store.opening import open_store
from zvt_trading.ports.store import Store

DATABASES: Final = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def pg_server() -> str:
    """The URL of a server where databases may be made."""
    url = server_url()
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.Error as error:
        problem = f"no PostgreSQL ({ENVIRONMENT}): {error}"
        if on_ci():
            pytest.fail(problem)
        pytest.skip(problem)
    return url


@pytest.fixture(scope="session")
def pg_database(pg_server: str) -> Iterator[str]:
    """A database with a store in it, for all tests of this process."""
    with a_database(pg_server) as url:
        open_store(url).close()
        yield url


@pytest.fixture
def pg_url(pg_database: str) -> str:
    """An empty store; whoever was connected to it is no longer."""
    empty(pg_database)
    return pg_database


@pytest.fixture
def bare_pg_url(pg_server: str) -> Iterator[str]:
    """A database without any table."""
    with a_database(pg_server) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with an empty store, to be copied."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """An empty store."""
    path = tmp_path / "store.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=DATABASES)
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store, on each database."""
    name = "sqlite_url" if request.param == "sqlite" else "pg_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture(params=DATABASES)
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'bare.db'}"
    url: str = request.getfixturevalue("bare_pg_url")
    return url


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens stores, and closes them in the end."""
    stores: list[Store] = []

    def open_one(url: str) -> Store:
        stores.append(open_store(url))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def store(store_url: str, opened: Opened) -> Store:
    """An open empty store, on each database."""
    return opened(store_url)
