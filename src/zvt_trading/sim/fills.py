"""How our orders fill: against a recording that does not know us, or in a market that does.

`RecordedMarket` replays what was displayed and traded; our orders do not change it. Rules:

- The best prices are the last quote's (it is newer than the book), or the book's without quotes.
- A taker walks the displayed depth: the best price, then the book behind it. What we took is not
  there for us again until that level changes. Market orders never rest.
- Resting orders queue as `sim.recorded_side` says. A trade through their price fills them up to the
  traded size, an opposite best price that reaches them up to the displayed size, both at their own
  price as makers.
- Orders of ours do not trade with each other.

`MatchedMarket` puts our orders into the matching engine of the generated market.

Both answer with the result codes of `sim.matcher`, and leave our executions in `fills` for the
caller to drain. Quantities must be > 0 and prices >= 0 (0: market): the venue has checked them.
"""

from typing import Final, final

from zvt_trading.core.order_book import APPLIED, GAP, OrderBook
from zvt_trading.messages.codes import BUY, FOK, GTC, SELL
from zvt_trading.messages.market import Bar, BookDelta, BookSnapshot, QuoteTick, TradeTick
from zvt_trading.sim.matcher import (
    CANCELLED,
    FILLED,
    REJECTED_DUPLICATE,
    REJECTED_FILL_OR_KILL,
    REJECTED_POST_ONLY,
    RESTED,
    UNKNOWN_ORDER,
    Matcher,
)
from zvt_trading.sim.recorded_side import Queued, RecordedSide, SimFill

__all__ = ["OUR_OWNER", "MatchedMarket", "RecordedMarket", "SimFill"]

OUR_OWNER: Final = 1_000_000
"""Owner number of our orders in a generated market; its own traders have smaller ones."""


@final
class RecordedMarket:
    """One instrument's recorded market; see the module's rules. `tick` is for its book."""

    def __init__(self, tick: int = 1) -> None:
        self.fills: list[SimFill] = []
        self.now = 0  # nanoseconds UTC: the last message's time, or later when the caller says so
        self._tick: Final = tick
        self._bids: Final = RecordedSide(BUY)
        self._asks: Final = RecordedSide(SELL)
        self._has_quotes = False
        self._book: OrderBook | None = None  # None: no depth to be trusted
        self._orders: dict[str, Queued] = {}

    def best_bid(self) -> int:
        """Best displayed bid, 0 when there is none."""
        return self._bids.best

    def best_ask(self) -> int:
        """Best displayed ask, 0 when there is none."""
        return self._asks.best

    def open_quantity(self, order_id: str) -> int:
        """What of an order rests."""
        order = self._orders.get(order_id)
        return order.quantity if order is not None else 0

    def ahead(self, order_id: str) -> int:
        """Quantity queued before a resting order; -1 when not known, or when it does not rest."""
        order = self._orders.get(order_id)
        return order.ahead if order is not None else -1

    def submit(
        self, order_id: str, side: int, price: int, quantity: int, tif: int, post_only: bool
    ) -> int:
        """A new order of ours; `price` 0 takes at any price and never rests. A result code."""
        if order_id in self._orders:
            return REJECTED_DUPLICATE
        other = self._asks if side == BUY else self._bids
        left = quantity
        if other.reaches(price):
            if post_only:
                return REJECTED_POST_ONLY
            left = self._take(other, order_id, price, quantity, tif == FOK)
            if left == 0:
                return FILLED
        elif post_only and price == 0:
            return REJECTED_POST_ONLY
        if tif == FOK:
            return REJECTED_FILL_OR_KILL
        if price == 0 or tif != GTC:
            return CANCELLED
        order = Queued(order_id, side, price, left, post_only)
        self._orders[order_id] = order
        own = self._bids if side == BUY else self._asks
        own.join(order, self._book, self.now)
        return RESTED

    def cancel(self, order_id: str) -> bool:
        """Take a resting order back; False when there is none."""
        order = self._orders.pop(order_id, None)
        if order is None:
            return False
        own = self._bids if order.side == BUY else self._asks
        own.leave(order)
        return True

    def amend(self, order_id: str, price: int, quantity: int) -> int:
        """New price and open quantity: a smaller quantity keeps its place, all else loses it.

        A post-only order that would cross stays as it was.
        """
        order = self._orders.get(order_id)
        if order is None:
            return UNKNOWN_ORDER
        if price == order.price and quantity <= order.quantity:
            order.quantity = quantity
            return RESTED
        other = self._asks if order.side == BUY else self._bids
        if order.post_only and other.reaches(price):
            return REJECTED_POST_ONLY
        self.cancel(order_id)
        return self.submit(order_id, order.side, price, quantity, GTC, order.post_only)

    def on_quote(self, message: QuoteTick) -> None:
        """A new best bid and ask."""
        self.now = message.ts
        self._has_quotes = True
        book = self._book
        bids_moved = self._bids.set_touch(message.bid, message.bid_size, book)
        asks_moved = self._asks.set_touch(message.ask, message.ask_size, book)
        if self._orders and (bids_moved or asks_moved):
            self._react()

    def on_trade(self, message: TradeTick) -> None:
        """A public trade reaches the queue it was made with (aggressor unknown: both)."""
        self.now = message.ts
        if not self._orders:
            return
        if message.aggressor != BUY:
            self._trade(self._bids, message.price, message.size)
        if message.aggressor != SELL:
            self._trade(self._asks, message.price, message.size)

    def on_bar(self, message: Bar) -> None:
        """A candle, where nothing finer comes: its range trades, then its close is the touch."""
        if self._has_quotes or self._book is not None:
            return
        self.now = message.ts
        if self._orders:
            self._trade(self._bids, message.low, message.volume)
            self._trade(self._asks, message.high, message.volume)
        bids_moved = self._bids.set_touch(message.close, message.volume, None)
        ask = message.close + self._tick
        asks_moved = self._asks.set_touch(ask, message.volume, None)
        if self._orders and (bids_moved or asks_moved):
            self._react()

    def on_book_snapshot(self, message: BookSnapshot) -> None:
        """A whole book. What we took stays taken where the size is what it was."""
        self.now = message.ts
        bids = self._bids.sizes_taken_of(self._book)
        asks = self._asks.sizes_taken_of(self._book)
        book = self._book
        if book is None:
            book = OrderBook(self._tick)
            self._book = book
        book.apply_snapshot(message.bids, message.asks, message.update_id)
        self._bids.keep_unchanged(bids, book, self._has_quotes)
        self._asks.keep_unchanged(asks, book, self._has_quotes)
        self._book_moved(book)

    def on_book_delta(self, message: BookDelta) -> None:
        """Changed levels; old ones are ignored, a gap hides the depth until a snapshot."""
        self.now = message.ts
        book = self._book
        if book is None:
            return
        result = book.apply_delta(
            message.bids, message.asks, message.first_id, message.last_id, message.previous_id
        )
        if result == GAP:
            self.on_book_invalid()
        elif result == APPLIED:
            self._levels_changed(self._bids, message.bids)
            self._levels_changed(self._asks, message.asks)
            self._book_moved(book)

    def on_book_invalid(self) -> None:
        """The depth is unknown until the next snapshot; without quotes so are the best prices."""
        self._book = None
        if self._has_quotes:
            self._bids.lose_depth()
            self._asks.lose_depth()
        else:
            self._bids.hide()
            self._asks.hide()

    def _levels_changed(self, side: RecordedSide, levels: tuple[tuple[int, int], ...]) -> None:
        """What we took of these levels is history, but for a touch that newer quotes own."""
        if not side.taken:
            return
        for price, _ in levels:
            if not self._has_quotes or price != side.best:
                side.level_changed(price)

    def _book_moved(self, book: OrderBook) -> None:
        """Without quotes the book's top is the best price."""
        if not self._has_quotes:
            self._bids.set_touch(book.best_bid(), book.best_bid_size(), book)
            self._asks.set_touch(book.best_ask(), book.best_ask_size(), book)
        if self._orders:
            self._react()

    def _react(self) -> None:
        """The display has changed: our queues, and whether the other side reached us."""
        self._bids.redisplay(self._book, self.now)
        self._asks.redisplay(self._book, self.now)
        self._cross(self._bids, self._asks)
        self._cross(self._asks, self._bids)

    def _take(
        self, other: RecordedSide, order_id: str, limit: int, quantity: int, whole: bool
    ) -> int:
        """Take what is displayed within the limit (`whole`: all or nothing); what is left."""
        best = other.best
        if quantity <= other.there(best, other.size):  # the most frequent case, without a list
            other.take(best, quantity)
            self.fills.append(SimFill(order_id, best, quantity, False, self.now))
            return 0
        left = quantity
        depth = other.depth(limit, quantity, self._book)
        for _, size in depth:
            left -= size
        if left and whole:
            return quantity
        for price, size in depth:
            other.take(price, size)
            self.fills.append(SimFill(order_id, price, size, False, self.now))
        return left

    def _trade(self, side: RecordedSide, price: int, size: int) -> None:
        """A trade of `size` against the resting `side` reaches our orders."""
        for order, quantity in side.trade(price, size, self.now):
            self._fill(side, order, quantity)

    def _cross(self, own: RecordedSide, other: RecordedSide) -> None:
        """Fill the resting orders whose price the opposite side displays or betters."""
        while own.orders and other.reaches(own.orders[0].price):
            order = own.orders[0]
            quantity = 0
            for price, size in other.depth(order.price, order.quantity, self._book):
                other.take(price, size)
                quantity += size
            if quantity == 0:
                return
            order.ahead = 0
            self._fill(own, order, quantity)

    def _fill(self, own: RecordedSide, order: Queued, quantity: int) -> None:
        """Fill a resting order at its price."""
        order.quantity -= quantity
        self.fills.append(SimFill(order.order_id, order.price, quantity, True, self.now))
        if order.quantity == 0:
            own.leave(order)
            del self._orders[order.order_id]


@final
class MatchedMarket:
    """Our orders in the matching engine of a generated market."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher: Final = matcher
        self.fills: list[SimFill] = []
        self.now = 0
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._post_only: dict[int, bool] = {}
        self._next = OUR_OWNER

    def best_bid(self) -> int:
        """Best bid, 0 when there is none."""
        return self.matcher.best_bid()

    def best_ask(self) -> int:
        """Best ask, 0 when there is none."""
        return self.matcher.best_ask()

    def open_quantity(self, order_id: str) -> int:
        """What of an order rests."""
        number = self._ids.get(order_id)
        return self.matcher.open_quantity(number) if number is not None else 0

    def submit(
        self, order_id: str, side: int, price: int, quantity: int, tif: int, post_only: bool
    ) -> int:
        """A new order of ours; `price` 0 takes at any price and never rests."""
        if order_id in self._ids:
            return REJECTED_DUPLICATE
        self._next += 1
        number = self._next
        self._ids[order_id] = number
        self._names[number] = order_id
        self._post_only[number] = post_only
        before = len(self.matcher.trades)
        code = self.matcher.submit(number, OUR_OWNER, side, price, quantity, tif, post_only)
        self._read(before)
        if code != RESTED:
            self._drop(order_id)
        return code

    def cancel(self, order_id: str) -> bool:
        """Take a resting order back; False when there is none."""
        number = self._ids.get(order_id)
        if number is None:
            return False
        self.matcher.cancel(number)
        self._drop(order_id)
        return True

    def amend(self, order_id: str, price: int, quantity: int) -> int:
        """New price and open quantity: a smaller quantity keeps its place, all else loses it."""
        number = self._ids.get(order_id)
        if number is None:
            return UNKNOWN_ORDER
        before = len(self.matcher.trades)
        code = self.matcher.amend(number, price, quantity, self._post_only[number])
        self._read(before)
        if code == FILLED:
            self._drop(order_id)
        return code

    def on_flow(self, now: int, before: int) -> None:
        """The market's own flow traded: `before` is how many trades there had been."""
        self.now = now
        self._read(before)

    def on_quote(self, message: QuoteTick) -> None:
        """The generated market's own message: the matcher knows it already."""
        self.now = message.ts

    def on_trade(self, message: TradeTick) -> None:
        """The generated market's own message: the matcher knows it already."""
        self.now = message.ts

    def on_bar(self, message: Bar) -> None:
        """The generated market's own message: the matcher knows it already."""
        self.now = message.ts

    def on_book_snapshot(self, message: BookSnapshot) -> None:
        """The generated market's own message: the matcher knows it already."""
        self.now = message.ts

    def on_book_delta(self, message: BookDelta) -> None:
        """The generated market's own message: the matcher knows it already."""
        self.now = message.ts

    def on_book_invalid(self) -> None:
        """A generated market has no gaps."""

    def _read(self, before: int) -> None:
        """Take our executions out of the matcher's trades from index `before` on."""
        trades = self.matcher.trades
        hit: list[str] = []
        for index in range(before, len(trades)):
            trade = trades[index]
            if trade.taker_id in self._names:
                self.fills.append(
                    SimFill(
                        self._names[trade.taker_id], trade.price, trade.quantity, False, self.now
                    )
                )
            if trade.maker_id in self._names:
                name = self._names[trade.maker_id]
                self.fills.append(SimFill(name, trade.price, trade.quantity, True, self.now))
                hit.append(name)
        for name in hit:
            if self.open_quantity(name) == 0:
                self._drop(name)

    def _drop(self, order_id: str) -> None:
        number = self._ids.pop(order_id, 0)
        self._names.pop(number, "")
        self._post_only.pop(number, False)
