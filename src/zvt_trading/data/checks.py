"""What must be true of the rows of history; the same for a page that came and a file that lies."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from zvt_trading.data.series import CANDLES, Series, Span
from zvt_trading.data.times import stamp

Holes = Sequence[tuple[int, int]]

SHOWN_MAX = 3
"""Findings of one kind that are told in full; the rest is counted."""


def findings(
    series: Series,
    span: Span,
    times: Sequence[int],
    ids: Sequence[str],
    holes: Holes,
    *,
    consecutive_ids: bool,
) -> Iterator[str]:
    """Everything wrong with rows that say they are all of a span; `ids` are those of trades."""
    if any(not span.start <= time < span.end for time in times):
        yield f"rows outside {stamp(span.start)} to {stamp(span.end)}"
    if series.what == CANDLES:
        yield from _shortened(_grid(series.interval_ns, span, times, holes))
    else:
        if any(later < earlier for earlier, later in pairwise(times)):
            yield "trades are not in order of time"
        if len(set(ids)) != len(ids):
            yield f"{len(ids) - len(set(ids))} duplicate trades"
        if consecutive_ids:
            yield from _shortened(skipped_ids(ids, holes))


def skipped_ids(ids: Sequence[str], holes: Holes) -> Iterator[str]:
    """Ids that neither a trade nor a hole accounts for, between the first and the last one."""
    known = dict(holes)
    for earlier, later in pairwise(int(identifier) for identifier in ids):
        expected = earlier + 1
        expected = known.get(expected, expected - 1) + 1
        if later > expected:
            yield f"gap: trades {expected} to {later - 1} are missing"
        elif later <= earlier:
            yield f"trade {later} follows trade {earlier}"


def _grid(interval: int, span: Span, times: Sequence[int], holes: Holes) -> Iterator[str]:
    """Every interval has one candle, in order, or lies in a hole."""
    empty = {time for start, end in holes for time in range(start, end, interval)}
    expected = iter([t for t in range(span.start, span.end, interval) if t not in empty])
    due = next(expected, None)
    for time in times:
        gap = due
        while due is not None and due < time:
            due = next(expected, None)
        if gap is not None and gap < time:
            yield f"gap: candles from {stamp(gap)} to before {stamp(time)} are missing"
        if due == time:
            due = next(expected, None)
        else:
            yield f"the candle of {stamp(time)} is a duplicate, out of order or off the grid"
    if due is not None:
        yield f"gap: candles from {stamp(due)} on are missing"


def _shortened(found: Iterator[str]) -> Iterator[str]:
    """The first few, and how many more there are."""
    more = 0
    for number, text in enumerate(found):
        if number < SHOWN_MAX:
            yield text
        else:
            more += 1
    if more:
        yield f"and {more} more like this"
