"""What a stream service tells its handlers besides market data, and in which channels."""

from typing import Final

from msgspec import Struct

from zvt_trading.messages.market import (
    Bar,
    BookDelta,
    BookInvalid,
    BookSnapshot,
    FundingRate,
    MarketData,
    MarkPrice,
    QuoteTick,
    TradeTick,
    VenueStatus,
)


class Staleness(Struct, frozen=True):
    """A channel of an instrument has been silent for longer than its limit, or speaks again.

    `age` is how long (ns) nothing was heard of it.
    """

    instrument: str
    channel: str
    is_stale: bool
    age: int
    ts: int


StreamMessage = MarketData | Staleness

QUOTES: Final = "quotes"
TRADES: Final = "trades"
BOOK: Final = "book"
MARKS: Final = "marks"
CANDLES: Final = "candles"
STATUS: Final = "status"

VENUE_CHANNELS: Final = (QUOTES, TRADES, BOOK, MARKS)
"""What venues are asked for."""
CHANNELS: Final = (*VENUE_CHANNELS, CANDLES, STATUS)
"""What handlers may hear."""

CHANNEL_OF: Final[dict[type, str]] = {
    QuoteTick: QUOTES,
    TradeTick: TRADES,
    BookSnapshot: BOOK,
    BookDelta: BOOK,
    BookInvalid: BOOK,
    MarkPrice: MARKS,
    FundingRate: MARKS,
    Bar: CANDLES,
    VenueStatus: STATUS,
    Staleness: STATUS,
}
