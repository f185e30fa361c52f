"""A price-time priority matching engine for one instrument, with every order known by its owner.

It makes the built-in generated market; what trades and which levels change is left in `trades` and
`changes` for whoever drives it (they are to be cleared by the caller). Prices and quantities are
ints on the symbol's scale.
"""

from bisect import bisect_left, insort
from typing import Final, final

from zvt_trading.messages.codes import BUY, FOK, GTC

RESTED: Final = 0
FILLED: Final = 1
CANCELLED: Final = 2  # what was not filled at once is gone (IOC, market)
REJECTED_POST_ONLY: Final = 3
REJECTED_FILL_OR_KILL: Final = 4
REJECTED_DUPLICATE: Final = 5
UNKNOWN_ORDER: Final = 6


@final
class Trade:
    """One execution at the maker's price; `aggressor` is the taker's side."""

    def __init__(
        self, price: int, quantity: int, taker_id: int, maker_id: int, aggressor: int
    ) -> None:
        self.price: Final = price
        self.quantity: Final = quantity
        self.taker_id: Final = taker_id
        self.maker_id: Final = maker_id
        self.aggressor: Final = aggressor


@final
class LevelChange:
    """A level has this total size now (0: it is gone)."""

    def __init__(self, side: int, price: int, size: int) -> None:
        self.side: Final = side
        self.price: Final = price
        self.size: Final = size


@final
class Resting:
    """An order in the book, linked to its neighbours in the queue of its level."""

    def __init__(self, order_id: int, owner: int, side: int, price: int, quantity: int) -> None:
        self.order_id: Final = order_id
        self.owner: Final = owner
        self.side: Final = side
        self.price: Final = price
        self.quantity = quantity
        self.before: Resting | None = None
        self.after: Resting | None = None


@final
class Level:
    """The queue at one price, oldest first."""

    def __init__(self, price: int) -> None:
        self.price: Final = price
        self.size = 0
        self.first: Resting | None = None
        self.last: Resting | None = None


@final
class Side:
    """One side of the book: levels by price, and their prices in order."""

    def __init__(self, sign: int) -> None:
        self.sign: Final = sign
        self.levels: dict[int, Level] = {}
        self.keys: list[int] = []  # -sign x price, ascending: the best first

    def best(self) -> int:
        """Best price, 0 when empty."""
        return -self.sign * self.keys[0] if self.keys else 0

    def level(self, price: int) -> Level:
        """The level at a price, made when there is none."""
        found = self.levels.get(price)
        if found is None:
            found = Level(price)
            self.levels[price] = found
            insort(self.keys, -self.sign * price)
        return found

    def drop(self, price: int) -> None:
        """Remove an empty level."""
        del self.levels[price]
        del self.keys[bisect_left(self.keys, -self.sign * price)]


@final
class Matcher:
    """The book of one instrument."""

    def __init__(self) -> None:
        self.trades: list[Trade] = []
        self.changes: list[LevelChange] = []
        self._bids: Final = Side(BUY)
        self._asks: Final = Side(-BUY)
        self._orders: dict[int, Resting] = {}

    def submit(
        self,
        order_id: int,
        owner: int,
        side: int,
        price: int,
        quantity: int,
        tif: int = GTC,
        post_only: bool = False,
    ) -> int:
        """A new order; `price` 0 takes at any price and never rests. Returns a result code."""
        if order_id in self._orders:
            return REJECTED_DUPLICATE
        opposite = self._side(-side)
        if post_only and _crosses(opposite, side, price):
            return REJECTED_POST_ONLY
        if tif == FOK and self._fillable(opposite, side, price, quantity) < quantity:
            return REJECTED_FILL_OR_KILL
        left = self._take(opposite, order_id, side, price, quantity)
        if left == 0:
            return FILLED
        if price == 0 or tif != GTC:
            return CANCELLED
        self._rest(Resting(order_id, owner, side, price, left))
        return RESTED

    def cancel(self, order_id: int) -> bool:
        """Take an order out; False when it is not in the book."""
        order = self._orders.get(order_id)
        if order is None:
            return False
        self._remove(order)
        return True

    def amend(self, order_id: int, price: int, quantity: int, post_only: bool = False) -> int:
        """New price and open quantity: a smaller quantity keeps its place, all else loses it.

        A post-only order that would cross stays as it was.
        """
        order = self._orders.get(order_id)
        if order is None:
            return UNKNOWN_ORDER
        if price == order.price and quantity <= order.quantity:
            level = self._side(order.side).levels[price]
            level.size -= order.quantity - quantity
            order.quantity = quantity
            self.changes.append(LevelChange(order.side, price, level.size))
            return RESTED
        if post_only and _crosses(self._side(-order.side), order.side, price):
            return REJECTED_POST_ONLY
        self._remove(order)
        return self.submit(order_id, order.owner, order.side, price, quantity)

    def best_bid(self) -> int:
        """Highest bid, 0 when there is none."""
        return self._bids.best()

    def best_ask(self) -> int:
        """Lowest ask, 0 when there is none."""
        return self._asks.best()

    def size_at(self, side: int, price: int) -> int:
        """Total size at a price."""
        level = self._side(side).levels.get(price)
        return level.size if level is not None else 0

    def levels(self, side: int, count: int) -> list[tuple[int, int]]:
        """Up to `count` (price, size), best first."""
        book = self._side(side)
        found: list[tuple[int, int]] = []
        for key in book.keys[:count]:
            price = -book.sign * key
            found.append((price, book.levels[price].size))
        return found

    def queue(self, side: int, price: int) -> list[int]:
        """Ids of the orders at a price, oldest first."""
        ids: list[int] = []
        level = self._side(side).levels.get(price)
        order = level.first if level is not None else None
        while order is not None:
            ids.append(order.order_id)
            order = order.after
        return ids

    def open_quantity(self, order_id: int) -> int:
        """What of an order is in the book."""
        order = self._orders.get(order_id)
        return order.quantity if order is not None else 0

    def owner_of(self, order_id: int) -> int:
        """Who owns an order in the book; -1 when it is not there."""
        order = self._orders.get(order_id)
        return order.owner if order is not None else -1

    def _side(self, side: int) -> Side:
        return self._bids if side == BUY else self._asks

    def _take(self, book: Side, taker_id: int, side: int, limit: int, quantity: int) -> int:
        """Trade against the other side; returns what is left."""
        while quantity and _crosses(book, side, limit):
            price = book.best()
            level = book.levels[price]
            while quantity and level.first is not None:
                maker = level.first
                traded = quantity if quantity < maker.quantity else maker.quantity
                quantity -= traded
                maker.quantity -= traded
                level.size -= traded
                self.trades.append(Trade(price, traded, taker_id, maker.order_id, side))
                if maker.quantity == 0:
                    self._unlink(level, maker)
            self.changes.append(LevelChange(book.sign, price, level.size))
            if level.first is None:
                book.drop(price)
        return quantity

    def _fillable(self, book: Side, side: int, limit: int, quantity: int) -> int:
        """How much could be taken within the limit (stops counting at `quantity`)."""
        found = 0
        for key in book.keys:
            price = -book.sign * key
            if found >= quantity or (limit and side * (price - limit) > 0):
                break
            found += book.levels[price].size
        return found

    def _rest(self, order: Resting) -> None:
        level = self._side(order.side).level(order.price)
        order.before = level.last
        if level.last is not None:
            level.last.after = order
        else:
            level.first = order
        level.last = order
        level.size += order.quantity
        self._orders[order.order_id] = order
        self.changes.append(LevelChange(order.side, order.price, level.size))

    def _remove(self, order: Resting) -> None:
        book = self._side(order.side)
        level = book.levels[order.price]
        level.size -= order.quantity
        self._unlink(level, order)
        self.changes.append(LevelChange(order.side, order.price, level.size))
        if level.first is None:
            book.drop(order.price)

    def _unlink(self, level: Level, order: Resting) -> None:
        if order.before is not None:
            order.before.after = order.after
        else:
            level.first = order.after
        if order.after is not None:
            order.after.before = order.before
        else:
            level.last = order.before
        del self._orders[order.order_id]


def _crosses(book: Side, side: int, limit: int) -> bool:
    """Whether an order of `side` with this limit (0: none) would trade with the best of `book`."""
    best = book.best()
    return best > 0 and (limit == 0 or side * (best - limit) <= 0)
