"""Is the rebuilt book right? Its top is compared with every best bid/ask that was recorded.

A depth message covers a range of update ids and shows the book after the last of them, u. The newest
recorded quote with an id up to u must therefore be the book's top at u, price and size. Quotes that
were replaced again within the same range cannot be decided from the book: `undecidable`.
"""

from collections import deque

from zvt_trading.core.order_book import APPLIED, OrderBook
from zvt_trading.messages.market import BookDelta, BookInvalid, BookSnapshot, MarketData, QuoteTick

Top = tuple[int, int, int, int]


class _Instrument:
    """One instrument's book and what still waits for its counterpart."""

    def __init__(self) -> None:
        self.book = OrderBook(1)
        self.tops: deque[tuple[int, int, Top]] = deque()  # (first id, last id, top at the last)
        self.quotes: deque[tuple[int, Top]] = deque()


class BookChecker:
    """Observes market data; `matched` of `total` decidable quotes agreed with the book."""

    def __init__(self) -> None:
        self.matched = 0
        self.total = 0
        self.undecidable = 0
        self.mismatches: list[str] = []
        self._instruments: dict[str, _Instrument] = {}

    def observe(self, message: MarketData) -> None:
        """Take any market message."""
        if isinstance(message, QuoteTick):
            if message.update_id:
                self._quote(self._of(message.instrument), message)
        elif isinstance(message, BookDelta):
            self._delta(self._of(message.instrument), message)
        elif isinstance(message, BookSnapshot):
            self._of(message.instrument).book.apply_snapshot(
                message.bids, message.asks, message.update_id
            )
        elif isinstance(message, BookInvalid):
            self._of(message.instrument).book.invalidate()

    def _of(self, name: str) -> _Instrument:
        found = self._instruments.get(name)
        if found is None:
            found = _Instrument()
            self._instruments[name] = found
        return found

    def _delta(self, instrument: _Instrument, message: BookDelta) -> None:
        book = instrument.book
        before = book.update_id
        result = book.apply_delta(
            message.bids, message.asks, message.first_id, message.last_id, message.previous_id
        )
        if result == APPLIED and message.last_id:
            top = (book.best_bid(), book.best_bid_size(), book.best_ask(), book.best_ask_size())
            instrument.tops.append((before, message.last_id, top))
            self._decide(instrument)

    def _quote(self, instrument: _Instrument, quote: QuoteTick) -> None:
        top = (quote.bid, quote.bid_size, quote.ask, quote.ask_size)
        instrument.quotes.append((quote.update_id, top))
        self._decide(instrument)

    def _decide(self, instrument: _Instrument) -> None:
        """Decide every depth message that all quotes up to its last id are known for."""
        quotes = instrument.quotes
        tops = instrument.tops
        while tops and quotes and quotes[-1][0] > tops[0][1]:
            before, last, top = tops.popleft()
            newest: tuple[int, Top] | None = None
            while quotes[0][0] <= last:
                if newest is not None:
                    self.undecidable += 1
                newest = quotes.popleft()
            if newest is None:
                continue
            if newest[0] <= before:
                self.undecidable += 1  # from before the snapshot, or from a gap
                continue
            self.total += 1
            if newest[1] == top:
                self.matched += 1
            elif len(self.mismatches) < 10:
                self.mismatches.append(f"update {newest[0]}: recorded {newest[1]}, rebuilt {top}")
