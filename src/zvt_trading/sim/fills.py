"""How our orders fill: against a recording that does not know us, or in a market that does.

`RecordedMarket` replays what was displayed and traded. Rules:
- A taker walks the displayed depth: the last quote's best price first (it is newer than the book),
  then the book behind it. What we took is not displayed to us again until that level changes.
- A resting order joins behind what is displayed at its price. Trades at its price eat the queue
  ahead of it, then it. When the displayed size falls by more than trades explain, the rest were
  cancels, spread evenly over the queue: the part ahead is ahead / displayed, rounded down (against
  us). A trade through its price fills it up to the traded size, and so does an opposite best price
  that reaches it, up to the displayed size.

`MatchedMarket` puts our orders into the matching engine of the generated market.
"""

from typing import Final, final

from zvt_trading.core.order_book import GAP, OrderBook
from zvt_trading.messages.codes import BUY, FOK, GTC, SELL
from zvt_trading.messages.market import BookDelta, BookSnapshot, QuoteTick, TradeTick
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

_DEPTH: Final = 200  # levels of the recorded book that a taker may walk

OUR_OWNER: Final = 1_000_000
"""Owner number of our orders in a generated market; its own traders have smaller ones."""


@final
class SimFill:
    """One execution of an order of ours."""

    def __init__(self, order_id: str, price: int, quantity: int, is_maker: bool, ts: int) -> None:
        self.order_id: Final = order_id
        self.price: Final = price
        self.quantity: Final = quantity
        self.is_maker: Final = is_maker
        self.ts: Final = ts


@final
class Queued:
    """A resting order of ours and what stands before it."""

    def __init__(
        self, order_id: str, side: int, price: int, quantity: int, displayed: int, post_only: bool
    ) -> None:
        self.order_id: Final = order_id
        self.side: Final = side
        self.post_only: Final = post_only
        self.price = price
        self.quantity = quantity
        self.ahead = displayed  # of the displayed size, what was there before us
        self.displayed = displayed  # last seen at our price
        self.traded = 0  # at our price since then


@final
class RecordedMarket:
    """One instrument's recorded market; see the module's rules."""

    def __init__(self, tick: int = 1) -> None:
        self.fills: list[SimFill] = []
        self.now = 0
        self._tick: Final = tick
        self._bid = 0
        self._bid_size = 0
        self._ask = 0
        self._ask_size = 0
        self._has_quotes = False
        self._book: OrderBook | None = None
        self._taken_bids: dict[int, int] = {}
        self._taken_asks: dict[int, int] = {}
        self._queued: dict[str, Queued] = {}

    def best_bid(self) -> int:
        """Best displayed bid, 0 when there is none."""
        return self._bid

    def best_ask(self) -> int:
        """Best displayed ask, 0 when there is none."""
        return self._ask

    def open_quantity(self, order_id: str) -> int:
        """What of an order rests."""
        queued = self._queued.get(order_id)
        return queued.quantity if queued is not None else 0

    def submit(
        self, order_id: str, side: int, price: int, quantity: int, tif: int, post_only: bool
    ) -> int:
        """A new order of ours; `price` 0 takes at any price and never rests."""
        if order_id in self._queued:
            return REJECTED_DUPLICATE
        best = self._ask if side == BUY else self._bid
        if best and (price == 0 or side * (best - price) <= 0):
            if post_only:
                return REJECTED_POST_ONLY
            if tif == FOK and self._walk(order_id, side, price, quantity, False) > 0:
                return REJECTED_FILL_OR_KILL
            left = self._walk(order_id, side, price, quantity, True)
            if left == 0:
                return FILLED
            quantity = left
        elif tif == FOK:
            return REJECTED_FILL_OR_KILL
        if price == 0 or tif != GTC:
            return CANCELLED
        self._queued[order_id] = Queued(
            order_id, side, price, quantity, self._displayed(side, price), post_only
        )
        return RESTED

    def cancel(self, order_id: str) -> bool:
        """Take a resting order back; False when there is none."""
        return self._queued.pop(order_id, None) is not None

    def amend(self, order_id: str, price: int, quantity: int) -> int:
        """New price and open quantity: a smaller quantity keeps its place, all else loses it."""
        queued = self._queued.get(order_id)
        if queued is None:
            return UNKNOWN_ORDER
        if price == queued.price and quantity <= queued.quantity:
            queued.quantity = quantity
            return RESTED
        best = self._ask if queued.side == BUY else self._bid
        if queued.post_only and best and queued.side * (best - price) <= 0:
            return REJECTED_POST_ONLY
        del self._queued[order_id]
        return self.submit(order_id, queued.side, price, quantity, GTC, queued.post_only)

    def on_quote(self, message: QuoteTick) -> None:
        """A new best bid and ask."""
        self.now = message.ts
        self._has_quotes = True
        if message.bid != self._bid or message.bid_size != self._bid_size:
            if self._taken_bids:
                self._forget(self._taken_bids, message.bid, BUY)
            self._bid = message.bid
            self._bid_size = message.bid_size
        if message.ask != self._ask or message.ask_size != self._ask_size:
            if self._taken_asks:
                self._forget(self._taken_asks, message.ask, SELL)
            self._ask = message.ask
            self._ask_size = message.ask_size
        if self._queued:
            self._resize_at(BUY, self._bid, self._bid_size)
            self._resize_at(SELL, self._ask, self._ask_size)
            self._cross()

    def on_trade(self, message: TradeTick) -> None:
        """A public trade reaches the queue."""
        self.now = message.ts
        if not self._queued:
            return
        if message.aggressor != BUY:
            self._trade(BUY, message.price, message.size)
        if message.aggressor != SELL:
            self._trade(SELL, message.price, message.size)

    def on_book_snapshot(self, message: BookSnapshot) -> None:
        """A whole book: everything displayed is new."""
        self.now = message.ts
        if self._book is None:
            self._book = OrderBook(self._tick)
        self._book.apply_snapshot(message.bids, message.asks, message.update_id)
        self._taken_bids = {}
        self._taken_asks = {}
        self._book_moved()
        for queued in list(self._queued.values()):
            self._resize(queued, self._displayed(queued.side, queued.price))
        self._cross()

    def on_book_delta(self, message: BookDelta) -> None:
        """Changed levels."""
        self.now = message.ts
        book = self._book
        if book is None:
            return
        result = book.apply_delta(
            message.bids, message.asks, message.first_id, message.last_id, message.previous_id
        )
        if result == GAP:
            self._book = None
            return
        if self._taken_bids:
            for price, _ in message.bids:
                self._taken_bids.pop(price, 0)
        if self._taken_asks:
            for price, _ in message.asks:
                self._taken_asks.pop(price, 0)
        self._book_moved()
        if self._queued:
            for price, size in message.bids:
                self._resize_at(BUY, price, size)
            for price, size in message.asks:
                self._resize_at(SELL, price, size)
            self._cross()

    def _book_moved(self) -> None:
        """Without quotes the book's top is the best price."""
        book = self._book
        if book is not None and not self._has_quotes:
            self._bid = book.best_bid()
            self._bid_size = book.best_bid_size()
            self._ask = book.best_ask()
            self._ask_size = book.best_ask_size()

    def _displayed(self, side: int, price: int) -> int:
        """Size displayed at a price."""
        if side == BUY and price == self._bid:
            return self._bid_size
        if side == SELL and price == self._ask:
            return self._ask_size
        book = self._book
        return book.size_at(side, price) if book is not None else 0

    def _forget(self, taken: dict[int, int], best: int, side: int) -> None:
        """The touch changed: what we took at it, and at prices now beyond it, is displayed anew."""
        for price in list(taken):
            if side * (price - best) >= 0:
                del taken[price]

    def _walk(self, order_id: str, side: int, limit: int, quantity: int, take: bool) -> int:
        """Walk the depth (taking it if `take`); returns what is left of `quantity`."""
        best = self._ask if side == BUY else self._bid
        size = self._ask_size if side == BUY else self._bid_size
        taken = self._taken_asks if side == BUY else self._taken_bids
        left = self._take(order_id, best, size, quantity, taken, take)
        book = self._book
        if left == 0 or book is None:
            return left
        for price, shown in book.levels(-side, _DEPTH):
            if left == 0 or (limit and side * (price - limit) > 0):
                break
            if side * (price - best) > 0:
                left = self._take(order_id, price, shown, left, taken, take)
        return left

    def _take(
        self, order_id: str, price: int, shown: int, left: int, taken: dict[int, int], take: bool
    ) -> int:
        """Take from one level what we have not taken before; returns what is left."""
        already = taken.get(price, 0) if taken else 0
        there = shown - already
        if there <= 0:
            return left
        traded = left if left < there else there
        if take:
            taken[price] = already + traded
            self.fills.append(SimFill(order_id, price, traded, False, self.now))
        return left - traded

    def _trade(self, side: int, price: int, size: int) -> None:
        """A trade of `size` against the resting `side` reaches our orders, best price first."""
        ours = 0
        for queued in _in_priority(self._queued, side):
            if side * (queued.price - price) < 0:
                continue
            if queued.price == price:
                reach = size - queued.ahead - ours
                queued.traded += size
                queued.ahead = queued.ahead - size if queued.ahead > size else 0
            else:
                reach = size - ours  # through our price: everyone at it would have been filled
            if reach > 0:
                ours += self._fill(queued, reach)

    def _resize_at(self, side: int, price: int, size: int) -> None:
        for queued in list(self._queued.values()):
            if queued.side == side and queued.price == price:
                self._resize(queued, size)

    def _resize(self, queued: Queued, size: int) -> None:
        """The displayed size at our price is now `size`: what trades do not explain was cancelled."""
        remained = queued.displayed - queued.traded
        cancelled = remained - size
        if cancelled > 0 and remained > 0:
            queued.ahead -= cancelled * queued.ahead // remained
        if queued.ahead > size:
            queued.ahead = size
        queued.displayed = size
        queued.traded = 0

    def _cross(self) -> None:
        """The opposite best price reached resting orders of ours."""
        for side in (BUY, SELL):
            best = self._ask if side == BUY else self._bid
            size = self._ask_size if side == BUY else self._bid_size
            taken = self._taken_asks if side == BUY else self._taken_bids
            for queued in _in_priority(self._queued, side):
                if best == 0 or side * (best - queued.price) > 0:
                    break
                there = size - taken.get(best, 0)
                if there > 0:
                    taken[best] = taken.get(best, 0) + self._fill(queued, there)

    def _fill(self, queued: Queued, reach: int) -> int:
        """Fill a resting order at its price; returns how much."""
        traded = reach if reach < queued.quantity else queued.quantity
        queued.quantity -= traded
        self.fills.append(SimFill(queued.order_id, queued.price, traded, True, self.now))
        if queued.quantity == 0:
            del self._queued[queued.order_id]
        return traded


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

    def on_book_snapshot(self, message: BookSnapshot) -> None:
        """The generated market's own message: the matcher knows it already."""
        self.now = message.ts

    def on_book_delta(self, message: BookDelta) -> None:
        """The generated market's own message: the matcher knows it already."""
        self.now = message.ts

    def _read(self, before: int) -> None:
        """Take our executions out of the matcher's trades from index `before` on."""
        trades = self.matcher.trades
        for index in range(before, len(trades)):
            trade = trades[index]
            if trade.taker_id in self._names:
                self.fills.append(
                    SimFill(self._names[trade.taker_id], trade.price, trade.quantity, False, self.now)
                )
            if trade.maker_id in self._names:
                name = self._names[trade.maker_id]
                self.fills.append(SimFill(name, trade.price, trade.quantity, True, self.now))
                if self.matcher.open_quantity(trade.maker_id) == 0:
                    self._drop(name)

    def _drop(self, order_id: str) -> None:
        number = self._ids.pop(order_id, 0)
        self._names.pop(number, "")
        self._post_only.pop(number, False)


def _in_priority(queued: dict[str, Queued], side: int) -> list[Queued]:
    """Our orders of a side, best price first, then oldest."""
    found = [order for order in queued.values() if order.side == side]
    if len(found) > 1:
        found.sort(key=_bid_key if side == BUY else _ask_key)
    return found


def _bid_key(order: Queued) -> int:
    return -order.price


def _ask_key(order: Queued) -> int:
    return order.price
