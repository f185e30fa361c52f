"""Best bid and ask out of the books of a connection.

Coinbase's `ticker` comes with trades only, so between two trades it tells old prices. The book
tells every change, and a heartbeat that follows without a gap proves that there was none since.
"""

from collections.abc import Collection
from typing import Final

from zvt_trading.adapters.ccxt.dialect import Caller
from zvt_trading.adapters.ccxt.views import BookView, QuoteView
from zvt_trading.core.order_book import OrderBook
from zvt_trading.core.units import MAX_SCALE, format_scaled, parse_scaled
from zvt_trading.messages.codes import BUY, SELL

Top = tuple[int, int, int, int]


class Quotes:
    """Of the books of these symbols, which come by the connection to `url`."""

    def __init__(self, url: str, symbols: Collection[str], *, has_books: bool) -> None:
        self.url: Final = url
        self.has_books: Final = has_books  # whether the books themselves are wanted too
        self._symbols: Final = frozenset(symbols)
        self._books: dict[str, OrderBook] = {}
        self._tops: dict[str, Top] = {}

    def take(self, caller: Caller, view: BookView) -> QuoteView | None:
        """A change of a book; the new quote when its best levels are others now."""
        if view.symbol not in self._symbols:
            return None
        if view.is_snapshot:
            tick = parse_scaled(str(caller.market(view.symbol)["precision"]["price"]), MAX_SCALE)
            self._books[view.symbol] = OrderBook(tick)
        book = self._books.get(view.symbol)
        if book is None:
            return None  # no snapshot yet
        for side, levels in ((BUY, view.bids), (SELL, view.asks)):
            for price, size in levels:
                book.set_level(side, parse_scaled(price, MAX_SCALE), parse_scaled(size, MAX_SCALE))
        top = (book.best_bid(), book.best_bid_size(), book.best_ask(), book.best_ask_size())
        if not top[0] or not top[2]:
            self._tops.pop(view.symbol, None)
            return None
        if self._tops.get(view.symbol) == top:
            return None
        self._tops[view.symbol] = top
        return _quote(view.symbol, top, view.ts)

    def still(self, ts: int) -> list[QuoteView]:
        """All quotes, which nothing has changed until `ts`."""
        return [_quote(symbol, top, ts) for symbol, top in self._tops.items()]

    def lose(self) -> None:
        """A frame was lost: nothing is known until the next snapshots."""
        self._books.clear()
        self._tops.clear()


def _quote(symbol: str, top: Top, ts: int) -> QuoteView:
    bid, bid_size, ask, ask_size = (_plain(format_scaled(value, MAX_SCALE)) for value in top)
    return QuoteView(symbol, bid, bid_size, ask, ask_size, ts)


def _plain(text: str) -> str:
    return text.rstrip("0").rstrip(".")
