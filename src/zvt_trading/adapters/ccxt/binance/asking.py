"""Whole lists, page by page; a page that fails raises.

Trades are listed by their ids: the first ones since a time are looked for in windows as long as the
exchange allows, and from there on the ids lead, so that no two pages can miss one between them.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from zvt_trading.adapters.ccxt.binance.rows import (
    rows,
    whole,
)
from zvt_trading.adapters.ccxt.dialect import Raw
from zvt_trading.adapters.ccxt.fields import Row, UnreadableError

Ask = Callable[[dict[str, Raw]], Awaitable[Raw]]

PAGE: Final = 1_000
DAY_MS: Final = 86_400_000
OLDEST_MS: Final = 3 * 365 * DAY_MS
"""Money that moved before then is in the balances an engine began with."""
WINDOWS_MAX: Final = 30
"""Further back all trades are read, from the first one of the account on."""
PAGES_MAX: Final = 10_000
"""An exchange that goes on giving full pages for ever is not to be believed."""


async def trades_since(
    ask: Ask, symbol: str, since_ms: int, now_ms: int, window_ms: int
) -> list[Row]:
    """All own trades of a native symbol since then, oldest first."""
    if now_ms - since_ms > WINDOWS_MAX * window_ms:
        every = await _trades_after(ask, symbol, 0)
        return [row for row in every if whole(row, "time") >= since_ms]
    start = since_ms
    while True:
        end = start + window_ms
        first = await _page(ask, {"symbol": symbol, "startTime": start, "endTime": end})
        if first or end > now_ms:
            break
        start = end
    if not first:
        return []
    return [*first, *await _trades_after(ask, symbol, _last(first) + 1)]


async def trades_of(ask: Ask, symbol: str, order_id: str) -> list[Row]:
    """All trades of one order; the ids lead beyond the first page."""
    found = await _page(ask, {"symbol": symbol, "orderId": order_id})
    if len(found) < PAGE:
        return found
    more = await _trades_after(ask, symbol, _last(found) + 1)
    return [*found, *(row for row in more if str(whole(row, "orderId")) == order_id)]


async def by_offset(
    ask: Ask, since_ms: int, now_ms: int, window_ms: int, offset_name: str
) -> list[Row]:
    """Of lists that are read by time and offset (deposits) or page (income)."""
    found: list[Row] = []
    start = max(since_ms, now_ms - OLDEST_MS)
    while start <= now_ms:
        end = min(start + window_ms, now_ms + DAY_MS)
        found += await _window(ask, {"startTime": start, "endTime": end}, offset_name)
        start = end + 1
    return found


async def _window(ask: Ask, times: dict[str, Raw], offset_name: str) -> list[Row]:
    """All of one window."""
    found: list[Row] = []
    for at in range(PAGES_MAX):
        offset = at + 1 if offset_name == "page" else at * PAGE
        page = await _page(ask, {**times, offset_name: offset})
        found += page
        if len(page) < PAGE:
            return found
    raise UnreadableError(f"more than {PAGES_MAX} pages of {PAGE}")


async def _trades_after(ask: Ask, symbol: str, first_id: int) -> list[Row]:
    """All trades from this id on; a full page means that there may be more."""
    found: list[Row] = []
    for _ in range(PAGES_MAX):
        page = await _page(ask, {"symbol": symbol, "fromId": first_id})
        found += page
        if len(page) < PAGE:
            return found
        first_id = _last(page) + 1
    raise UnreadableError(f"more than {PAGES_MAX} pages of {PAGE}")


def _last(page: list[Row]) -> int:
    return max(whole(row, "id") for row in page)


async def _page(ask: Ask, params: dict[str, Raw]) -> list[Row]:
    return rows(await ask({**params, "limit": PAGE}))
