"""From a URL to a store: which database, whether it is one of ours, and of which version."""

import os
import secrets
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from platformdirs import user_data_path
from sqlalchemy import (
    URL,
    Connection,
    NullPool,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError

from zvt_trading.adapters.store.naming import name_of, shown
from zvt_trading.adapters.store.schema import EngineLease, EngineStore
from zvt_trading.adapters.store.sqlite_store import Notice, SqliteStore, error_of
from zvt_trading.errors import CallerError
from zvt_trading.ports.store import Store, StoreError, StoreUnavailableError

ENVIRONMENT: Final = "ZVT_TRADING_DB_URL"
FILE_NAME: Final = "zvt-trading.db"
SCHEMA_VERSION: Final = "0002"
"""The newest migration: what this program reads and writes."""

_TAG_BITS: Final = 20
_IN_MEMORY: Final = ":memory:"


def default_url() -> str:
    """ZVT_TRADING_DB_URL, else a SQLite file in the user's data folder."""
    given = os.environ.get(ENVIRONMENT)
    if given:
        return given
    return f"sqlite:///{user_data_path('zvt-trading', appauthor=False) / FILE_NAME}"


def parse_url(url: str) -> URL:
    """CallerError says which URLs there are; the message has no password in it."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        parsed = None
    if parsed is not None and parsed.get_backend_name() in ("sqlite", "postgresql"):
        return parsed
    raise CallerError(
        f"a store is named by sqlite:///PATH or postgresql://USER@HOST/DATABASE, not {shown(url)!r}"
    )


def is_in_memory(url: str) -> bool:
    """Whether it names a database that ends with the process."""
    parsed = parse_url(url)
    return parsed.get_backend_name() == "sqlite" and parsed.database == _IN_MEMORY


def open_store(url: str, *, notice: Notice | None = None) -> Store:
    """The store of a URL, made at first need.

    Raises StoreError when it is of an older or newer version, or cannot be used.
    """
    parsed = parse_url(url)
    with _connected(parsed) as connection:
        version = schema_version(connection)
        if version is None:
            _upgrade(connection, SCHEMA_VERSION)
        elif version != SCHEMA_VERSION:
            raise _wrong_version(parsed, version)
    return _store(parsed, notice)


def open_existing(url: str, *, any_version: bool = False) -> Store:
    """The store of a URL, which must be there; CallerError when it is not.

    Of `any_version` what is not made from the journal may be used: journal, snapshots, lease.
    """
    parsed = parse_url(url)
    version = stored_version(url)
    if version is None:
        raise CallerError(f"no store at {name_of(parsed)}: make one with `zvt-trading db init`")
    if version != SCHEMA_VERSION and not any_version:
        raise _wrong_version(parsed, version)
    return _store(parsed, None)


def stored_version(url: str) -> str | None:
    """The version of the store of a URL; None when there is none, and none is made."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not _path(parsed).exists():
        return None
    with _connected(parsed) as connection:
        return schema_version(connection)


def shown_url(url: str) -> str:
    """A URL without its password."""
    return name_of(parse_url(url))


def upgrade_store(url: str, version: str = SCHEMA_VERSION) -> tuple[str | None, str]:
    """Make a store, or bring it to a version; (version before, version now). Forward only."""
    parsed = parse_url(url)
    with _connected(parsed) as connection:
        before = schema_version(connection)
        if before is not None and before > version:
            raise _wrong_version(parsed, before)
        if before != version:
            _upgrade(connection, version)
        return before, version


def schema_version(connection: Connection) -> str | None:
    """The last migration that was applied; None in an empty database.

    StoreError in a database that somebody else uses.
    """
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables and EngineStore.__tablename__ in tables:
        version: str = connection.execute(
            text("SELECT version_num FROM alembic_version")
        ).scalar_one()
        return version
    clashing = [name for name in tables if name.startswith(("crypto_", "engine_", "event_journal"))]
    if clashing or "alembic_version" in tables:
        theirs = ", ".join(tables[:5])
        raise StoreError(
            f"{name_of(connection.engine.url)} has tables that are not ours ({theirs}): give the "
            "engine a database of its own"
        )
    return None


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    """A connection in one transaction, for looking at the schema and changing it."""
    if url.get_backend_name() == "sqlite":
        path = _path(url)
        _make_file(url, path)
        engine = create_engine(url.set(drivername="sqlite"), poolclass=NullPool)
        event.listen(engine, "connect", _no_hidden_transactions)
        event.listen(engine, "begin", _begin)
    else:
        try:
            engine = create_engine(
                url.set(drivername="postgresql+psycopg"),
                poolclass=NullPool,
                connect_args={"connect_timeout": 3},
            )
        except ModuleNotFoundError as error:
            raise CallerError(
                'PostgreSQL needs a driver: pip install "zvt-trading[postgres]"'
            ) from error
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise _error_of(url, error) from error


def _error_of(url: URL, error: DBAPIError) -> StoreError:
    """A driver's error as one of ours, with what to do."""
    if isinstance(error.orig, sqlite3.Error):
        return error_of(name_of(url), error.orig)
    said = str(error.orig).strip()
    return StoreUnavailableError(
        f"{name_of(url)}: {said}: check that the server runs, that the database is there and that "
        "this user may use it"
    )


def _make_file(url: URL, path: Path) -> None:
    """At first need; others need not read our trades."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreUnavailableError(
            f"{name_of(url)}: {error.strerror}: check the path and its permissions"
        ) from error


def _no_hidden_transactions(connection: sqlite3.Connection, _record: object) -> None:
    """The driver would not begin one before a change of the schema."""
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    """A migration is applied as a whole, or not at all."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _upgrade(connection: Connection, version: str) -> None:
    """Apply what is missing, in the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "zvt_trading.adapters.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, version)
    if connection.execute(select(EngineStore.id)).first() is None:
        _first_rows(connection)


def _first_rows(connection: Connection) -> None:
    """A store is born: with an id, and a tag that tells its orders from those of others."""
    connection.execute(
        insert(EngineStore).values(
            id=1,
            store_id=uuid.uuid4(),
            engine_tag=1 + secrets.randbelow((1 << _TAG_BITS) - 1),
            projected_seq=0,
            created_at=datetime.now(UTC),
        )
    )
    connection.execute(insert(EngineLease).values(id=1, epoch=0, owner=""))


def _wrong_version(url: URL, version: str) -> StoreError:
    if version < SCHEMA_VERSION:
        return StoreError(
            f"{name_of(url)} is of version {version}, this program needs {SCHEMA_VERSION}: make a "
            "backup, then run `zvt-trading db upgrade`"
        )
    return StoreError(
        f"{name_of(url)} is of version {version}, newer than the {SCHEMA_VERSION} of this program: "
        "use the program that made it, or a newer one"
    )


def _store(url: URL, notice: Notice | None) -> Store:
    if url.get_backend_name() == "postgresql":
        from zvt_trading.adapters.store.postgres_store import PostgresStore

        return PostgresStore(url)
    return SqliteStore(_path(url), notice=notice)


def _path(url: URL) -> Path:
    """The file of a SQLite URL."""
    if not url.database:
        raise CallerError("sqlite:/// needs a path: sqlite:///relative.db, sqlite:////absolute.db")
    if url.database == _IN_MEMORY:
        raise CallerError(
            "sqlite:///:memory: is for an engine that keeps nothing: name a file or PostgreSQL"
        )
    return Path(url.database)
