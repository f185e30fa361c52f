"""Fresh stores for trials: copies of one that was made once, because making one takes longest."""

import os
import shutil
import uuid
from pathlib import Path
from typing import Any, Final, Self

import psycopg
from sqlalchemy import URL, make_url

from zvt_trading.adapters.store.naming import conninfo_of
from zvt_trading.adapters.store.opening import open_store
from zvt_trading.ports.tables import KEYS

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
ENVIRONMENT: Final = "ZVT_TRADING_TEST_PG_URL"
USUAL_URL: Final = "postgresql://postgres@127.0.0.1:5432/postgres"

_FILLED: Final = (*reversed(KEYS), "event_journal", "engine_snapshot")
DISCONNECT: Final = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
"""The server drops everybody else, and has done so when this returns."""
_NO_LEASE: Final = """
UPDATE engine_lease
SET epoch = 0, owner = '', acquired_at = NULL, renewed_at = NULL, expires_at = NULL
"""
_EMPTYING: Final = (
    DISCONNECT,
    *(f"DELETE FROM {table}" for table in _FILLED),
    "UPDATE engine_store SET projected_seq = 0",
    _NO_LEASE,
)


class Stores:
    """A context manager: leaving it drops the database it made."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds the template file."""
        self._folder = folder
        self._server = make_url(server_url())
        self._name = ""  # of the database

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._name:
            self._administer(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")

    def server_problem(self) -> str:
        """Why there is no PostgreSQL; "" when there is."""
        try:
            self._administer("SELECT 1")
        except psycopg.OperationalError as error:
            return f"no PostgreSQL ({ENVIRONMENT}): {str(error).strip()}"
        return ""

    def fresh(self, kind: str, folder: Path) -> str:
        """The URL of an empty store; `folder` is where a file may be."""
        folder.mkdir(parents=True, exist_ok=True)
        return self._fresh_file(folder) if kind == SQLITE else self._fresh_database()

    def _fresh_file(self, folder: Path) -> str:
        template = self._folder / "template.db"
        if not template.exists():
            open_store(f"sqlite:///{template}").close()
        shutil.copy(template, folder / "store.db")
        return f"sqlite:///{folder / 'store.db'}"

    def _fresh_database(self) -> str:
        """Always the same one: making one takes longer than a trial."""
        if not self._name:
            self._name = f"zvt_proof_{uuid.uuid4().hex[:12]}"
            self._administer(f"CREATE DATABASE {self._name}")
            open_store(self._url(self._name)).close()
        url = self._url(self._name)
        empty(url)
        return url

    def _url(self, name: str) -> str:
        url: URL = self._server.set(database=name)
        return url.render_as_string(hide_password=False)

    def _administer(self, statement: str) -> None:
        _execute(self._server, statement)


def server_url() -> str:
    """A PostgreSQL where databases may be made."""
    return os.environ.get(ENVIRONMENT, USUAL_URL)


def empty(url: str) -> None:
    """Make a PostgreSQL store as new; whoever was connected to it is no longer."""
    _execute(make_url(url), "; ".join(_EMPTYING))


def _execute(url: URL, statement: str) -> None:
    with psycopg.connect(conninfo_of(url), autocommit=True) as connection:
        command: Any = statement  # all names are our own
        connection.execute(command)
