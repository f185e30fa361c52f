"""From a URL to a store: which database, whether it is one of ours, and of which version."""

import os
import secrets
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from platformdirs import user_data_path
from sqlalchemy import URL, Connection, create_engine, insert, make_url
from sqlalchemy.exc import ArgumentError

from zvt_trading.adapters.store.schema import Base, EngineLease, EngineStore
from zvt_trading.adapters.store.sqlite_store import Notice, SqliteStore
from zvt_trading.errors import CallerError
from zvt_trading.ports.store import Store

ENVIRONMENT: Final = "ZVT_TRADING_DB_URL"
FILE_NAME: Final = "zvt-trading.db"
_TAG_BITS: Final = 20


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
    except ArgumentError:
        parsed = None
    if parsed is not None and parsed.get_backend_name() in ("sqlite", "postgresql"):
        return parsed
    raise CallerError(
        "a store is named by sqlite:///PATH, sqlite:///:memory: or "
        f"postgresql://USER@HOST/DATABASE, not {_shown(url)!r}"
    )


def open_store(url: str, *, notice: Notice | None = None) -> Store:
    """The store of a URL, made at first need."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        from zvt_trading.adapters.store.postgres_store import PostgresStore

        _install(parsed)
        return PostgresStore(parsed)
    path = Path(parsed.database or ":memory:")
    if str(path) != ":memory:":
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        _install(parsed)
    return SqliteStore(path, notice=notice)


def _install(url: URL) -> None:
    engine = create_engine(url.set(drivername=_driver(url)))
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        if connection.execute(EngineStore.__table__.select()).first() is None:
            _first_rows(connection)
    engine.dispose()


def _driver(url: URL) -> str:
    return "sqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"


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


def _shown(url: str) -> str:
    """What was given, without what may be a password."""
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://***@{tail}" if at else url
