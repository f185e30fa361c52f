"""Lists, page after page to their end. A page that fails or is no page raises."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

from zvt_trading.adapters.ccxt.coinbase.answers import bad_response, rows_of
from zvt_trading.adapters.ccxt.dialect import Raw

Call = Callable[[dict[str, Raw]], Awaitable[Raw]]

PAGE: Final = 100
"""Rows of a page of orders and fills."""
ACCOUNTS_PAGE: Final = 250
TRANSACTIONS_PAGE: Final = 100


async def pages(call: Call, request: Mapping[str, Raw], name: str) -> AsyncIterator[list[Raw]]:
    """The pages of an Advanced Trade list: orders and accounts say `has_next`, fills only a cursor.

    A cursor that comes twice would go on for ever, and raises.
    """
    asked = dict(request)
    seen: list[str] = []
    while True:
        answer = await call(dict(asked))
        yield rows_of(answer, name)
        cursor = _next(answer)
        if not cursor:
            return
        if cursor in seen:
            raise bad_response(f"the cursor of {name} came twice")
        seen.append(cursor)
        asked["cursor"] = cursor


def _next(answer: Mapping[str, Raw]) -> str:
    """The cursor of the next page; "" when this is the last."""
    cursor = answer.get("cursor")
    if not isinstance(cursor, str):
        raise bad_response("a page without cursor")
    has_next = answer.get("has_next", bool(cursor))
    if not isinstance(has_next, bool) or (has_next and not cursor):
        raise bad_response(f"a page with has_next {has_next!r} and cursor {cursor!r}")
    return cursor if has_next else ""


async def all_rows(call: Call, request: Mapping[str, Raw], name: str) -> list[dict[str, Any]]:
    """All rows of all pages, as they come (newest first)."""
    return [row async for page in pages(call, request, name) for row in page]


async def old_rows(
    call: Call, request: Mapping[str, Raw], is_old: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """Rows of a v2 list, newest first, up to a page that ends with an old one."""
    asked = {**request, "limit": TRANSACTIONS_PAGE}
    rows: list[dict[str, Any]] = []
    while True:
        answer = await call(dict(asked))
        page = rows_of(answer, "data")
        rows += page
        pagination = answer.get("pagination")
        if not isinstance(pagination, dict):
            raise bad_response("a page without pagination")
        after = pagination.get("next_starting_after")
        is_sorted = pagination.get("order") == "desc"
        if not after or (is_sorted and page and is_old(page[-1])):
            return rows
        if after == asked.get("starting_after"):
            raise bad_response("the place in a list of transactions came twice")
        asked["starting_after"] = after
