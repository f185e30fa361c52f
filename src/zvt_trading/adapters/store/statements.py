"""SQL of the hot path, compiled once from the schema, for the drivers' own cursors.

Going through SQLAlchemy for every row costs four times what the driver does; the statements are
still made from the one schema, so they cannot differ from it.
"""

from functools import cache
from typing import Final

from sqlalchemy import Dialect, Table, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from zvt_trading.adapters.store.schema import Base
from zvt_trading.ports.tables import APPEND_ONLY, COLUMNS, KEYS

JOURNAL: Final = "event_journal"
JOURNAL_COLUMNS: Final = ("seq", "ts", "epoch", "kind", "version", "body", "checksum")
SNAPSHOT: Final = "engine_snapshot"
SNAPSHOT_COLUMNS: Final = (
    "seq", "ts", "epoch", "version", "digest", "chain", "body", "checksum",
)  # fmt: skip

SQLITE: Final[Dialect] = sqlite.dialect(paramstyle="qmark")
POSTGRES: Final[Dialect] = postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it without types


def table_of(name: str) -> Table:
    """A table of the schema."""
    return Base.metadata.tables[name]


@cache
def upsert_sql(table: str, dialect_name: str) -> str:
    """Insert a row; where rows change, replace all but the key of the one that is there."""
    target = table_of(table)
    columns = COLUMNS[table]
    key = KEYS[table]
    values: dict[str, object] = {column: bindparam(column) for column in columns}
    if table in APPEND_ONLY:
        return _compiled(insert(target).values(values), dialect_of(dialect_name))
    if dialect_name == "sqlite":
        lite = sqlite.insert(target).values(values)
        changed = {name: lite.excluded[name] for name in columns if name not in key}
        return _compiled(lite.on_conflict_do_update(index_elements=key, set_=changed), SQLITE)
    full = postgresql.insert(target).values(values)
    changed = {name: full.excluded[name] for name in columns if name not in key}
    return _compiled(full.on_conflict_do_update(index_elements=key, set_=changed), POSTGRES)


@cache
def delete_sql(table: str, dialect_name: str) -> str:
    """Delete the row with a key."""
    target = table_of(table)
    statement = delete(target)
    for column in KEYS[table]:
        statement = statement.where(target.c[column] == bindparam(column))
    return _compiled(statement, dialect_of(dialect_name))


@cache
def select_sql(table: str, columns: tuple[str, ...], dialect_name: str) -> str:
    """Columns of all rows."""
    target = table_of(table)
    return _compiled(select(*[target.c[name] for name in columns]), dialect_of(dialect_name))


def dialect_of(name: str) -> Dialect:
    """By SQLAlchemy's name for it."""
    return SQLITE if name == "sqlite" else POSTGRES


def _compiled(statement: object, dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect))  # type: ignore[attr-defined]  # any ClauseElement
