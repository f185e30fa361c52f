"""Where history comes from: anything that gives proven pages in order of time."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol

from zvt_trading.data.rows import Row
from zvt_trading.data.series import Series


class Page(NamedTuple):
    """All rows of [start, end), ns UTC, in order; and what the venue was asked for but has not.

    `holes` of candles: (start, end) of intervals that the venue has no candle of. `holes` of
    trades with consecutive ids: (first, last) id that the venue does not give.
    """

    start: int
    end: int
    rows: Sequence[Row]
    holes: Sequence[tuple[int, int]] = ()


class HistorySource(Protocol):
    """A venue's history."""

    exchange: str

    def pages(self, series: Series, start: int, end: int) -> AsyncIterator[Page]:
        """Pages that follow one another without a break from `start` to `end` (ns UTC).

        Raises CallerError for what the venue does not offer, VenueError when it stays unusable.
        """
        ...

    def has_consecutive_ids(self, series: Series) -> bool:
        """Whether each trade's id is the last one's plus 1, so that a missing trade shows."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
