"""What is measured of a stream: one row for each venue, symbol and channel."""

from typing import Final

from msgspec import Struct

from zvt_trading.core.units import SECOND
from zvt_trading.data.stream_messages import BOOK, MARKS, QUOTES, TRADES

STALE_AFTER_NS: Final = {
    QUOTES: 30 * SECOND,
    BOOK: 30 * SECOND,
    MARKS: 30 * SECOND,
    TRADES: 600 * SECOND,
}
"""How long a channel may be silent. Quiet symbols have minutes without a trade."""


class StreamMetrics(Struct, frozen=True, kw_only=True):
    """One channel of one symbol; times in ns.

    `age` is how long ago the last message came, since the service's start while there is none.
    `gaps`: of the book, how often it was invalid until a snapshot came; of the others, how often
    the connection was down, so that messages may be missing. `drops`: what handlers were too slow
    for, all of them together. `reconnects` and `clock_offset_ms` (the venue's clock minus ours) are
    the venue's, 0 where the service only observes.
    """

    venue: str
    symbol: str
    channel: str
    messages: int
    age: int
    gaps: int
    drops: int
    reconnects: int
    clock_offset_ms: int
    is_stale: bool


class StreamCounter:
    """What a row is made of."""

    def __init__(self, channel: str, now: int, limit: int) -> None:
        self.channel: Final = channel
        self.limit: Final = limit  # ns of silence; 0: any
        self.messages = 0
        self.gaps = 0
        self.drops = 0
        self.last = now
        self.is_stale = False

    def turns(self, now: int) -> bool:
        """Whether it became stale, or is no longer so, since the last look."""
        is_stale = 0 < self.limit < now - self.last
        if is_stale == self.is_stale:
            return False
        self.is_stale = is_stale
        return True
