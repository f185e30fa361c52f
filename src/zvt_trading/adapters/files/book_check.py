"""Judges a rebuilt order book by the venue's own best bid and ask.

A depth diff covers many update ids and shows the levels as they are at its last one. So of the best
bid/ask messages (tickers) between two diffs

- the newest one at the diff's last id must equal the rebuilt top, price and size: decided;
- one superseded before that is known only by halves. Levels that the diff does not name did not
  change, so the top at that moment was at least as good as the best unnamed level; if it was that
  level, its size was that level's; if it was better, its level must be one the diff names. A ticker
  that contradicts this is decided (wrong); otherwise it is undecidable.

That a newer ticker has come is the proof that none is missing, so decisions wait for it.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from zvt_trading.core.order_book import APPLIED, GAP, OrderBook
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import (
    BookDelta,
    BookInvalid,
    BookSnapshot,
    InstrumentSpec,
    MarketData,
    QuoteTick,
)

TICKERS_KEPT = 65_536
"""Tickers waiting for a diff to cover them: far more than any recording has between two."""
BOOKS_KEPT = 4_096
"""Book tops waiting for a ticker beyond them."""


class _Side(NamedTuple):
    """What is known of one side between two diffs."""

    floor: int  # best level that did not change in between; 0 when not known
    floor_size: int
    named: frozenset[int]  # prices that may have changed


class _Top(NamedTuple):
    """The rebuilt top at an update id; the sides are None when it is a snapshot's."""

    update_id: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    bids: _Side | None
    asks: _Side | None


class BookChecker:
    """Rebuilds every observed instrument's book and compares it with the recorded tickers.

    `specs` give the ticks of the books; without them books are right but need more memory. Tickers
    and deltas without update ids cannot be compared and are not counted.
    """

    def __init__(self, specs: Iterable[InstrumentSpec] = ()) -> None:
        self._ticks = {f"{spec.venue}:{spec.symbol}": spec.tick for spec in specs}
        self._checks: dict[str, InstrumentCheck] = {}

    def observe(self, message: MarketData) -> None:
        """Take the next message of the feed; other kinds are ignored."""
        if isinstance(message, QuoteTick):
            if message.update_id:
                self.of(message.instrument).take_ticker(message)
        elif isinstance(message, BookDelta):
            self.of(message.instrument).take_delta(message)
        elif isinstance(message, BookSnapshot):
            self.of(message.instrument).take_snapshot(message)
        elif isinstance(message, BookInvalid):
            self.of(message.instrument).book.invalidate()

    def of(self, instrument: str) -> "InstrumentCheck":
        """The check of one instrument."""
        found = self._checks.get(instrument)
        if found is None:
            found = InstrumentCheck(instrument, self._ticks.get(instrument, 1))
            self._checks[instrument] = found
        return found

    @property
    def matched(self) -> int:
        """Decided tickers that agreed with the rebuilt book, of all instruments."""
        return sum(check.matched for check in self._checks.values())

    @property
    def total(self) -> int:
        """Decided tickers."""
        return sum(check.total for check in self._checks.values())

    @property
    def undecidable(self) -> int:
        """Tickers that the recording does not decide, and those still waiting for a diff."""
        return sum(check.undecidable for check in self._checks.values())

    @property
    def half_checked(self) -> int:
        """Undecidable tickers of which the side that is known agreed."""
        return sum(check.half_checked for check in self._checks.values())

    @property
    def gaps(self) -> int:
        """How often a sequence broke; the book is then invalid until the next snapshot."""
        return sum(check.gaps for check in self._checks.values())

    @property
    def mismatches(self) -> list[str]:
        """The first contradictions of each instrument, as text."""
        return [text for check in self._checks.values() for text in check.mismatches]


class InstrumentCheck:
    """One instrument's book and counters; see BookChecker."""

    def __init__(self, instrument: str, tick: int) -> None:
        self.instrument = instrument
        self.book = OrderBook(tick)
        self.matched = 0
        self.total = 0
        self.half_checked = 0
        self.gaps = 0
        self.mismatches: list[str] = []
        self._settled = 0  # undecidable for good
        self._tickers: deque[QuoteTick] = deque()
        self._tops: deque[_Top] = deque()
        self._newest: QuoteTick | None = None  # newest ticker already covered by a book
        self._newest_agreed = True
        self._ticker_id = -1
        self._top_id = 0

    @property
    def undecidable(self) -> int:
        """Tickers that are not decided, or not yet."""
        return self._settled + len(self._tickers)

    def take_snapshot(self, snapshot: BookSnapshot) -> None:
        """Start the book anew."""
        self.book.apply_snapshot(snapshot.bids, snapshot.asks, snapshot.update_id)
        self._keep_top(snapshot.update_id, None, None)

    def take_ticker(self, ticker: QuoteTick) -> None:
        """Decide what waited for a newer ticker."""
        if ticker.update_id <= self._ticker_id:
            self._settled += 1  # out of order: its books are already judged
            return
        self._ticker_id = ticker.update_id
        while self._tops and self._tops[0].update_id < ticker.update_id:
            self._judge(self._tops.popleft())
        self._tickers.append(ticker)
        if len(self._tickers) > TICKERS_KEPT:
            self._tickers.popleft()
            self._settled += 1

    def take_delta(self, delta: BookDelta) -> None:
        """Move the book on."""
        was_valid = self.book.valid
        outcome = self.book.apply_delta(
            delta.bids, delta.asks, delta.first_id, delta.last_id, delta.previous_id
        )
        if outcome == APPLIED:
            self._keep_top(delta.last_id, self._side(BUY, delta.bids), self._side(SELL, delta.asks))
        elif outcome == GAP and was_valid:
            self.gaps += 1

    def _side(self, side: int, changed: tuple[tuple[int, int], ...]) -> _Side:
        named = frozenset([price for price, _ in changed])
        book = self.book
        best = book.best_bid() if side == BUY else book.best_ask()
        if best and best not in named:
            return _Side(best, book.size_at(side, best), named)
        for count in (8, len(named) + 1):  # mostly a few levels are enough
            for price, size in book.levels(side, count):
                if price not in named:
                    return _Side(price, size, named)
        return _Side(0, 0, named)

    def _keep_top(self, update_id: int, bids: _Side | None, asks: _Side | None) -> None:
        if update_id <= self._top_id:
            return  # no id, an older snapshot, or a diff repeated after one: judged before
        self._top_id = update_id
        book = self.book
        top = _Top(
            update_id,
            book.best_bid(),
            book.best_bid_size(),
            book.best_ask(),
            book.best_ask_size(),
            bids,
            asks,
        )
        if self._ticker_id > update_id:
            self._judge(top)
        else:
            self._tops.append(top)
            if len(self._tops) > BOOKS_KEPT:
                self._tops.popleft()

    def _judge(self, top: _Top) -> None:
        """Decide the tickers up to this top; all of them have arrived."""
        fresh = False
        while self._tickers and self._tickers[0].update_id <= top.update_id:
            if fresh and self._newest is not None:
                self._judge_superseded(self._newest, top)
            self._newest = self._tickers.popleft()
            fresh = True
        newest = self._newest
        if newest is None:
            return
        agrees = (newest.bid, newest.bid_size, newest.ask, newest.ask_size) == top[1:5]
        if fresh:
            self.total += 1
            self.matched += agrees
            self._newest_agreed = agrees
        elif self._newest_agreed and not agrees:
            # No newer ticker, so the top may not have changed since it agreed.
            self.matched -= 1
            self._newest_agreed = False
        if not agrees:
            self._note(newest, f"the book has {top[1:5]} at {top.update_id}")

    def _judge_superseded(self, ticker: QuoteTick, top: _Top) -> None:
        bid = _known(top.bids, ticker.bid, ticker.bid_size, BUY)
        ask = _known(top.asks, ticker.ask, ticker.ask_size, SELL)
        if bid < 0 or ask < 0:
            self.total += 1
            self._note(ticker, f"levels unchanged up to {top.update_id} contradict it")
            return
        self._settled += 1
        self.half_checked += bid + ask > 0

    def _note(self, ticker: QuoteTick, text: str) -> None:
        if len(self.mismatches) < 10:
            given = (ticker.bid, ticker.bid_size, ticker.ask, ticker.ask_size)
            self.mismatches.append(
                f"{self.instrument}: ticker {ticker.update_id} has {given}, but {text}"
            )


def _known(side: _Side | None, price: int, size: int, sign: int) -> int:
    """1 when an unchanged level proves it, -1 when one contradicts it, 0 when nothing is known."""
    if side is None:
        return 0
    if side.floor and price == side.floor:
        return 1 if size == side.floor_size else -1
    is_worse = side.floor != 0 and sign * (side.floor - price) > 0
    if is_worse or price not in side.named:
        return -1
    return 0
