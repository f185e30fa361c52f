"""Public market data of an emulated exchange: the book with its numbers, trades, the last prices.

A book update has ids as the exchanges give them: `first_id`..`last_id` follow one another without a
gap, and `previous_id` is the last id of the update before.
"""

from typing import Final, Protocol

from msgspec import Struct

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.order_book import OrderBook
from zvt_trading.core.units import MINUTE
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import (
    BookDelta,
    BookSnapshot,
    FundingRate,
    MarketData,
    MarkPrice,
    QuoteTick,
    TradeTick,
)

Levels = tuple[tuple[int, int], ...]
TRADES_KEPT: Final = 5_000
"""Of each symbol, at least; those of one minute stay or go together, or its candle would change."""


class BookUpdate(Struct, frozen=True):
    """Changed levels (size 0: gone); times in nanoseconds UTC."""

    symbol: str
    bids: Levels
    asks: Levels
    first_id: int
    last_id: int
    previous_id: int
    ts: int


class PublicListener(Protocol):
    """Hears the market; a wire protocol makes frames of it."""

    def book_changed(self, update: BookUpdate) -> None:
        """Levels changed."""

    def traded(self, symbol: str, trade: TradeTick) -> None:
        """A public trade."""

    def quoted(self, symbol: str, quote: QuoteTick) -> None:
        """The best prices changed."""

    def marked(self, symbol: str, mark: MarkPrice) -> None:
        """The mark price of a perpetual."""


class SymbolFeed:
    """One symbol: its book now, its latest trades."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument: Final = instrument
        self.book: Final = OrderBook(instrument.tick)
        self.last_id = 0
        self.trades: list[TradeTick] = []
        self.mark = 0
        self.index = 0
        self.funding_rate = 0

    def levels(self, side: int, count: int) -> list[tuple[int, int]]:
        """The best levels of a side, best first."""
        return self.book.levels(side, count)


class Feed:
    """All symbols of one exchange; of each at least `trades_kept` of the latest trades."""

    def __init__(self, trades_kept: int = TRADES_KEPT) -> None:
        self._trades_kept: Final = trades_kept
        self.symbols: dict[str, SymbolFeed] = {}
        self.listeners: list[PublicListener] = []

    def add(self, instrument: Instrument) -> None:
        """Carry a symbol."""
        self.symbols[instrument.symbol] = SymbolFeed(instrument)

    def on_market(self, symbol: str, message: MarketData) -> None:
        """The market of one of our symbols."""
        feed = self.symbols[symbol]
        if isinstance(message, BookDelta):
            self._update(feed, message.bids, message.asks, message.ts)
        elif isinstance(message, BookSnapshot):
            self._snapshot(feed, message)
        elif isinstance(message, TradeTick):
            feed.trades.append(message)
            if len(feed.trades) > 2 * self._trades_kept:
                _forget(feed.trades, self._trades_kept)
            for listener in self.listeners:
                listener.traded(symbol, message)
        elif isinstance(message, QuoteTick):
            for listener in self.listeners:
                listener.quoted(symbol, message)
        elif isinstance(message, MarkPrice):
            feed.mark, feed.index = message.price, message.index_price
            for listener in self.listeners:
                listener.marked(symbol, message)
        elif isinstance(message, FundingRate):
            feed.funding_rate = message.rate

    def _snapshot(self, feed: SymbolFeed, message: BookSnapshot) -> None:
        feed.last_id = max(feed.last_id, message.update_id, 1)
        feed.book.apply_snapshot(message.bids, message.asks, feed.last_id)

    def _update(self, feed: SymbolFeed, bids: Levels, asks: Levels, ts: int) -> None:
        for price, size in bids:
            feed.book.set_level(BUY, price, size)
        for price, size in asks:
            feed.book.set_level(SELL, price, size)
        previous = feed.last_id
        feed.last_id += 1
        symbol = feed.instrument.symbol
        update = BookUpdate(symbol, bids, asks, feed.last_id, feed.last_id, previous, ts)
        for listener in self.listeners:
            listener.book_changed(update)


def _forget(trades: list[TradeTick], kept: int) -> None:
    """Drop the oldest, whole minutes of them; at least `kept` stay."""
    at = len(trades) - kept
    minute = trades[at].ts // MINUTE
    while at > 0 and trades[at - 1].ts // MINUTE == minute:
        at -= 1
    del trades[:at]
