"""One displayed side of a recorded market, what we took of it, and our orders that queue in it.

Queue rules, all rounded against us:

- An order joins behind everything displayed at its price. Where nothing is displayed to us (deeper
  than the best price of a feed without depth) it waits until that price is shown, then joins.
- A trade at its price eats the queue ahead, and what is left of the trade fills the order.
- A displayed size that falls by more than trades explain means cancels, spread evenly over the
  queue: ahead falls by fallen x ahead / (displayed before), rounded down. Half of all recorded
  trades show as a smaller size BEFORE the trade itself arrives (median 1 ms earlier), so a fall
  waits at least EXPLAIN_NS for its trade; else the same trade would advance us twice.
- A displayed size that grows means newcomers, who stand behind us.
"""

from typing import Final, final

from zvt_trading.core.order_book import OrderBook

UNKNOWN: Final = -1
"""A displayed size, or a queue ahead, that the feed does not show."""

EXPLAIN_NS: Final = 50_000_000
"""A fall of the displayed size waits one to two of these for the trade that explains it: nine of
ten recorded spot trades arrive within 42 ms of the quote that shows them."""

_DEPTH_FIRST: Final = 16  # levels of the book looked at first; four times as many each time after


@final
class SimFill:
    """One execution of an order of ours; `ts` is the market's time (nanoseconds UTC)."""

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
        self, order_id: str, side: int, price: int, quantity: int, post_only: bool
    ) -> None:
        self.order_id: Final = order_id
        self.side: Final = side
        self.price: Final = price
        self.post_only: Final = post_only
        self.quantity = quantity  # open
        self.ahead = UNKNOWN  # quantity that comes before us, or UNKNOWN
        self.displayed = UNKNOWN  # size last shown at our price
        self.traded = 0  # at our price since then, not yet in the displayed size
        self.fallen_old = 0  # falls of the displayed size no trade has explained yet
        self.fallen_new = 0
        self.turned = 0  # when fallen_new was last moved into fallen_old


@final
class RecordedSide:
    """Bids (`side` BUY) or asks (SELL): the touch, and our orders, best first, then oldest."""

    def __init__(self, side: int) -> None:
        self.side: Final = side
        self.best = 0  # 0: none
        self.size = 0
        self.is_known = False  # something has been displayed
        self.taken: dict[int, int] = {}  # by price, what we took since the level last changed
        self.orders: list[Queued] = []

    def reaches(self, limit_price: int) -> bool:
        """Whether an order of the other side with this limit (0: none) meets the best price."""
        return self.best > 0 and (limit_price == 0 or self.side * (self.best - limit_price) >= 0)

    def set_touch(self, price: int, size: int, book: OrderBook | None) -> bool:
        """The best price and its size are now these; whether that is a change."""
        if price == self.best and size == self.size and self.is_known:
            return False
        if self.taken:
            self._forget(price, size, book)
        self.best = price
        self.size = size
        self.is_known = True
        return True

    def hide(self) -> None:
        """Nothing is displayed any more (a gap): what returns later is compared with nothing."""
        self.best = 0
        self.size = 0
        self.is_known = False
        self.taken.clear()
        self.lose_depth()

    def lose_depth(self) -> None:
        """The sizes at our prices are no longer known."""
        for order in self.orders:
            order.displayed = UNKNOWN

    def depth(
        self, limit_price: int, quantity: int, book: OrderBook | None
    ) -> list[tuple[int, int]]:
        """(price, size) that a taker of `quantity` would get now, best first, within the limit.

        The touch comes from the newest source; the book supplies what is behind it. Only for a
        limit that `reaches`.
        """
        found: list[tuple[int, int]] = []
        left = self._offer(found, self.best, self.size, quantity)
        if book is None:
            return found
        count = _DEPTH_FIRST
        levels = book.levels(self.side, count)
        at = 0
        while left:
            if at == len(levels):
                if at < count:
                    break
                count *= 4
                levels = book.levels(self.side, count)
                continue
            price, size = levels[at]
            at += 1
            if limit_price and self.side * (price - limit_price) < 0:
                break
            if self.side * (price - self.best) < 0:
                left = self._offer(found, price, size, left)
        return found

    def there(self, price: int, size: int) -> int:
        """What of a displayed size we have not taken before."""
        return size - self.taken.get(price, 0) if self.taken else size

    def take(self, price: int, quantity: int) -> None:
        """Remember that we took this much of a level."""
        self.taken[price] = self.taken.get(price, 0) + quantity

    def level_changed(self, price: int) -> None:
        """A level behind the touch has changed: all of it is there to be taken again."""
        self.taken.pop(price, 0)

    def sizes_taken_of(self, book: OrderBook | None) -> list[tuple[int, int]]:
        """(price, displayed size) of the levels we took something of."""
        return [(price, self._displayed(price, book)) for price in self.taken]

    def keep_unchanged(
        self, sizes: list[tuple[int, int]], book: OrderBook, has_quotes: bool
    ) -> None:
        """A new snapshot: levels that had these sizes and have others now can be taken again.

        The touch, when quotes own it, only changes with them.
        """
        for price, size in sizes:
            owned = has_quotes and price == self.best
            if not owned and book.size_at(self.side, price) != size:
                del self.taken[price]

    def join(self, order: Queued, book: OrderBook | None, now: int) -> None:
        """An order of ours goes to the end of the queue at its price."""
        order.displayed = self._displayed(order.price, book)
        order.ahead = order.displayed
        order.turned = now
        orders = self.orders
        at = len(orders)
        while at and self.side * (orders[at - 1].price - order.price) < 0:
            at -= 1
        orders.insert(at, order)

    def leave(self, order: Queued) -> None:
        """An order of ours is out of the queue."""
        self.orders.remove(order)

    def redisplay(self, book: OrderBook | None, now: int) -> None:
        """What is displayed has changed: compare it at the price of each of our orders."""
        for order in self.orders:
            self._age(order, now)
            shown = self._displayed(order.price, book)
            if shown not in (UNKNOWN, order.displayed):
                _resize(order, shown)

    def trade(self, price: int, size: int, now: int) -> list[tuple[Queued, int]]:
        """A public trade against this side: which of our orders it fills, and by how much."""
        filled: list[tuple[Queued, int]] = []
        ours = 0
        for order in self.orders:
            edge = self.side * (order.price - price)
            if edge < 0:
                break
            reach = size - ours
            if edge == 0:
                self._age(order, now)
                reach = _eat(order, size, reach)
            else:
                order.ahead = 0  # whoever was ahead has traded before the price went through
            if reach > 0:
                quantity = reach if reach < order.quantity else order.quantity
                ours += quantity
                filled.append((order, quantity))
        return filled

    def _displayed(self, price: int, book: OrderBook | None) -> int:
        """Size displayed at a price, or UNKNOWN."""
        if not self.is_known:
            return UNKNOWN
        if price == self.best:
            return self.size
        if self.best == 0 or self.side * (price - self.best) > 0:
            return 0
        return book.size_at(self.side, price) if book is not None else UNKNOWN

    def _offer(self, found: list[tuple[int, int]], price: int, size: int, left: int) -> int:
        """Add what of a level we have not taken before; returns what is still wanted."""
        there = self.there(price, size)
        if there <= 0:
            return left
        quantity = left if left < there else there
        found.append((price, quantity))
        return left - quantity

    def _forget(self, price: int, size: int, book: OrderBook | None) -> None:
        """Levels that the new touch shows to have changed can be taken again."""
        if book is None:  # nothing but the touch is displayed
            self.taken.clear()
            return
        if self._displayed(price, book) != size:
            self.taken.pop(price, 0)
        for taken in list(self.taken):
            if self.side * (taken - price) > 0:
                del self.taken[taken]

    def _age(self, order: Queued, now: int) -> None:
        """Falls of the displayed size that no trade has explained in time were cancels."""
        waited = now - order.turned
        if waited < EXPLAIN_NS:
            return
        order.turned = now
        fallen = order.fallen_old
        order.fallen_old = order.fallen_new
        order.fallen_new = 0
        if waited >= 2 * EXPLAIN_NS:
            fallen += order.fallen_old
            order.fallen_old = 0
        if fallen and order.ahead != UNKNOWN and order.displayed != UNKNOWN:
            # Nothing in `traded`: a trade explains falls first.
            most = order.displayed + order.fallen_old
            order.ahead -= fallen * order.ahead // (most + fallen)
            if order.ahead > most:
                order.ahead = most


def _resize(order: Queued, shown: int) -> None:
    """The displayed size at an order's price is now `shown`."""
    if order.displayed == UNKNOWN:
        if order.ahead == UNKNOWN or order.ahead > shown:
            order.ahead = shown
        order.fallen_old = 0
        order.fallen_new = 0
    else:
        fallen = order.displayed - order.traded - shown
        if fallen > 0:
            order.fallen_new += fallen
    order.displayed = shown
    order.traded = 0


def _eat(order: Queued, size: int, reach: int) -> int:
    """A trade of `size` at an order's price, `reach` of it not taken by our orders before.

    Returns what is left for the order after the queue ahead of it.
    """
    explained = size if size < order.fallen_old else order.fallen_old
    order.fallen_old -= explained
    rest = size - explained
    explained = rest if rest < order.fallen_new else order.fallen_new
    order.fallen_new -= explained
    order.traded += rest - explained
    if order.ahead == UNKNOWN:
        return 0
    left = reach - order.ahead
    order.ahead = -left if left < 0 else 0
    return left
