"""Writes what docs/data-model.md has of the schema; `--check` only compares.

The page is written by hand but for two things, which are made from adapters/store/schema.py: the
diagram between its two marks, and, under each heading that names a table, the columns with their
types. What a column means is kept from the page; a new column has an empty meaning, which `--check`
does not let pass.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Table, UniqueConstraint
from sqlalchemy.types import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    Integer,
    LargeBinary,
    String,
    Text,
    TypeEngine,
    Uuid,
)

from zvt_trading.adapters.store.schema import Base
from zvt_trading.adapters.store.types import ExactDecimal, UtcDateTime

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "data-model.md"
BEGIN = "<!-- made by tools/data_model.py -->"
END = "<!-- end of what is made -->"

HEADING = re.compile(r"^### `(\w+)`$")
ROW = re.compile(r"^\| `(\w+)` \|[^|]*\| ?(.*?) ?\|$")
HEAD = ["| column | type | meaning |", "|---|---|---|"]

# The first that fits: some of these types are kinds of others.
TYPES: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (ExactDecimal, "decimal"),
    (UtcDateTime, "time"),
    (Date, "date"),
    (Uuid, "uuid"),
    (JSON, "json"),
    (Boolean, "bool"),
    (BigInteger, "bigint"),
    (Integer, "int"),
    (LargeBinary, "bytes"),
    (Text, "text"),
    (String, "text"),
)


def page(text: str) -> str:
    """The page with everything in it that is made from the schema."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    lines = [*f"{before}{BEGIN}".split("\n"), *diagram(), *f"{END}{after}".split("\n")]
    return "\n".join(_with_columns(lines))


def problems(text: str) -> list[str]:
    """What the page lacks, in words."""
    named = {match[1] for line in text.split("\n") if (match := HEADING.match(line))}
    tables = {table.name for table in Base.metadata.tables.values()}
    found = [f"no heading ### `{name}`" for name in sorted(tables - named)]
    found += [f"there is no table {name}" for name in sorted(named - tables)]
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        found.append(f"the diagram's place is between {BEGIN} and {END}, once each")
    table = ""
    for line in text.split("\n"):
        heading = HEADING.match(line)
        table = heading[1] if heading else table
        row = ROW.match(line)
        if row and not row[2]:
            found.append(f"{table}.{row[1]} has no meaning")
    return found


def diagram() -> Iterator[str]:
    """A Mermaid picture: tables with their keys, and who points to whom."""
    yield "```mermaid"
    yield "erDiagram"
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            for key in column.foreign_keys:
                one = "|o" if column.nullable else "||"
                yield f"    {key.column.table.name} {one}--o{{ {table.name} : {column.name}"
    for table in Base.metadata.sorted_tables:
        yield f"    {table.name} {{"
        for column in table.columns:
            keys = _keys(table, column)
            if keys:
                yield f"        {_type(column)} {column.name} {', '.join(keys)}"
        yield "    }"
    yield "```"


def _with_columns(lines: list[str]) -> Iterator[str]:
    """The lines, with the table after each heading made anew, its meanings kept."""
    table: Table | None = None
    rest = iter(lines)
    for line in rest:
        heading = HEADING.match(line)
        if heading:
            table = Base.metadata.tables.get(heading[1])
        if table is None or line != HEAD[0]:
            yield line
            continue
        meanings: dict[str, str] = {}
        after = ""
        for row in rest:
            after = row
            if not row.startswith("|"):
                break
            found = ROW.match(row)
            if found:
                meanings[found[1]] = found[2]
        yield from HEAD
        for column in table.columns:
            optional = "?" if column.nullable else ""
            meaning = meanings.get(column.name, "")
            yield f"| `{column.name}` | {_type(column)}{optional} | {meaning} |"
        yield after
        table = None


def _type(column: Column[object]) -> str:
    return next(name for kind, name in TYPES if isinstance(column.type, kind))


def _keys(table: Table, column: Column[object]) -> list[str]:
    """PK, FK, UK: as Mermaid has them."""
    keys = ["PK"] if column.primary_key else []
    if column.foreign_keys:
        keys.append("FK")
    unique = [found for found in table.constraints if isinstance(found, UniqueConstraint)]
    if any(column.name in found.columns for found in unique):
        keys.append("UK")
    return keys


def main(arguments: list[str]) -> int:
    """Write or check the page."""
    text = PAGE.read_text(encoding="utf-8")
    made = page(text)
    found = problems(made)
    if "--check" in arguments:
        if made != text:
            found.append(f"not what the schema says; run python {Path(__file__).name}")
    else:
        PAGE.write_text(made, encoding="utf-8")
    for problem in found:
        print(f"{PAGE.name}: {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
