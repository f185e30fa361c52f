"""Whole lists from Bybit: every page, every window of time; what is no answer raises."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from zvt_trading.adapters.ccxt.bybit.rows import (
    LINEAR,
    SPOT,
)
from zvt_trading.adapters.ccxt.dialect import Caller
from zvt_trading.adapters.ccxt.fields import Row, UnreadableError
from zvt_trading.ports.venue import QueryFailedError

Ask = Callable[[Mapping[str, Any]], Awaitable[Any]]

DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
"""Lists of executions and orders reach over seven days at most."""
KEPT_MS: Final = 729 * DAY_MS
"""Bybit keeps them for two years."""
PAGES_MAX: Final = 10_000


def result_of(answer: object) -> Row:
    """The result of an envelope that says success; QueryFailedError for anything else.

    ccxt raises for other codes, but lets bodies through that are empty or no JSON object.
    """
    if not isinstance(answer, dict) or answer.get("retCode") != 0:
        raise QueryFailedError(
            f"bybit answered {str(answer)[:80]!r}, which says neither yes nor no"
        )
    result = answer.get("result")
    if not isinstance(result, dict):
        raise QueryFailedError("bybit answered without a result")
    return result


def rows_of(result: Row, name: str = "list") -> list[Row]:
    """A list of objects in a result."""
    rows = result.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise QueryFailedError(f"bybit answered without a {name!r} of objects")
    return rows


async def all_rows(ask: Ask, params: Mapping[str, Any]) -> list[Row]:
    """The rows of all pages."""
    rows: list[Row] = []
    cursor = ""
    for _ in range(PAGES_MAX):
        result = result_of(await ask({**params, "cursor": cursor} if cursor else params))
        page = rows_of(result)
        rows.extend(page)
        following = result.get("nextPageCursor", 0)
        if following is not None and not isinstance(following, str):
            raise QueryFailedError("bybit answered a page that does not say whether it is the last")
        if not following or not page:
            return rows
        if following == cursor:
            raise QueryFailedError(
                f"bybit gave the cursor {cursor[:60]!r} of a page for the next one"
            )
        cursor = following
    raise QueryFailedError(f"bybit's list has more than {PAGES_MAX} pages")


async def rows_since(
    caller: Caller, ask: Ask, params: Mapping[str, Any], since_ms: int
) -> list[Row]:
    """The rows of all pages of all weeks since then, up to now and a little beyond."""
    now = int(caller.nonce())
    start = max(since_ms, now - KEPT_MS)
    rows: list[Row] = []
    for begin in range(start, max(now, start) + 1, WEEK_MS + 1):
        window = {"startTime": begin, "endTime": begin + WEEK_MS}
        rows.extend(await all_rows(ask, {**params, **window}))
    return rows


def groups(caller: Caller, symbols: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What to ask for, once for each category: {category: parameters}.

    Spot has no filter (all its symbols are answered), derivatives have one coin of settlement.
    """
    found: dict[str, dict[str, Any]] = {}
    for symbol in symbols:
        market = caller.market(symbol)
        if market["spot"]:
            found.setdefault(SPOT, {"category": SPOT})
        elif market["linear"]:
            found.setdefault(
                f"{LINEAR} {market['settle']}", {"category": LINEAR, "settleCoin": market["settle"]}
            )
        else:
            raise UnreadableError(f"{symbol} is neither spot nor a linear perpetual")
    return found


def category_of(market: Mapping[str, Any]) -> str:
    """Bybit's category of a market."""
    return SPOT if market["spot"] else LINEAR


def same_order(rows: Sequence[Row], name: str, value: str) -> Row | None:
    """The one row that was asked for by an id; None for an empty list, else it must be that one."""
    if not rows:
        return None
    if len(rows) > 1 or rows[0].get(name) != value:
        raise QueryFailedError(
            f"bybit answered {len(rows)} orders, not the one with {name} {value!r}"
        )
    return rows[0]
