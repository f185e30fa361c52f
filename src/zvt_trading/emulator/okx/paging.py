"""How OKX pages its lists: newest first, `after` an id for older ones, `before` it for newer."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from zvt_trading.emulator.okx import errors

Row = TypeVar("Row")


class Page:
    """What a request asks for: keys below `after` and above `before`; 0 is no bound."""

    def __init__(self, query: Mapping[str, str], limit: int, limit_max: int | None = None) -> None:
        self.after: Final = _number(query, "after")
        self.before: Final = _number(query, "before")
        asked = _number(query, "limit") or limit
        self.limit: Final = min(asked, limit_max or limit)

    def has(self, key: int) -> bool:
        """Whether a row of this key belongs to it."""
        return (not self.after or key < self.after) and key > self.before


def newest_first(keyed: Sequence[tuple[int, Row]], page: Page) -> list[Row]:
    """The page of rows that are given with their keys, oldest first.

    With `before` alone OKX still gives the newest: the ones next to it may be missing.
    """
    rows: list[Row] = []
    for key, row in reversed(keyed):
        if len(rows) == page.limit:
            break
        if page.has(key):
            rows.append(row)
    return rows


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    if not text:
        return 0
    if not text.isdecimal():
        raise errors.failure(errors.parameter(name), 400)
    return int(text)
