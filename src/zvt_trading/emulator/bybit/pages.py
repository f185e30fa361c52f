"""How Bybit pages its lists: newest first, with a cursor that stands behind the last row given."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import quote, unquote

from zvt_trading.emulator.bybit.errors import BybitError, bad_request
from zvt_trading.emulator.clock import NS_A_MS

DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS

Item = TypeVar("Item")


def int_of(query: Mapping[str, str], name: str, default: int) -> int:
    """A whole number of the query; BybitError when it is something else."""
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdecimal():
        raise bad_request(f"{name} {text[:40]!r} is no whole number")
    return int(text)


def span(query: Mapping[str, str], now_ms: int, default_ms: int, max_ms: int) -> tuple[int, int]:
    """The milliseconds asked for, both ends included.

    With one end only the other is `default_ms` away; more than `max_ms` is refused.
    """
    start = int_of(query, "startTime", -1)
    end = int_of(query, "endTime", -1)
    if start < 0 and end < 0:
        return now_ms - default_ms, now_ms
    if start < 0:
        return end - default_ms, end
    if end < 0:
        return start, start + default_ms
    if end < start or end - start > max_ms:
        raise BybitError(
            10001,
            f"the time range between startTime and endTime cannot exceed {max_ms // DAY_MS} days",
        )
    return start, end


def page(
    items: Sequence[tuple[int, int, Item]], query: Mapping[str, str], default: int, most: int
) -> tuple[list[Item], str]:
    """One page of (sequence, time in nanoseconds, item) and the cursor of the next; "" at the end.

    `items` are in the order of their sequence numbers, oldest first.
    """
    limit = int_of(query, "limit", default)
    if not 1 <= limit <= most:
        raise bad_request(f"limit {limit} is not within 1..{most}")
    before = _sequence(query.get("cursor", ""))
    wanted = [entry for entry in reversed(items) if before < 0 or entry[0] < before]
    shown = wanted[:limit]
    if len(wanted) <= limit:
        return [entry[2] for entry in shown], ""
    last = shown[-1]
    return [entry[2] for entry in shown], quote(f"{last[0]}:{last[1] // NS_A_MS}")


def _sequence(cursor: str) -> int:
    """Where the page begins; clients send the cursor as it is or encoded once more."""
    if not cursor:
        return -1
    text = unquote(unquote(cursor)).partition(":")[0]
    if not text.isdecimal():
        raise bad_request(f"cursor {cursor[:40]!r} was not given by this exchange")
    return int(text)
