"""What the runtime needs of a source of market data."""

from collections.abc import Iterator
from typing import Protocol

from zvt_trading.messages.market import MarketData


class Feed(Protocol):
    """Market data in time order; iterated once."""

    def __iter__(self) -> Iterator[MarketData]:
        """The messages, `ts` never going back."""

    def progress(self) -> tuple[int, int]:
        """(done, total) in the feed's own unit; total 0 when it is not known."""
