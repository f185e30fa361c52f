"""Price-time priority written from its definition: one list, sorted anew each time.

A second judge of `sim.matcher`, slow and obvious. An incoming order trades with the acceptable
orders of the other side, best price first, then the earliest arrival, each at the maker's price.
"""

from dataclasses import dataclass

from zvt_trading.messages.codes import BUY, FOK, GTC

Execution = tuple[int, int, int, int, int]  # price, quantity, taker id, maker id, aggressor side
Row = tuple[int, int, int]  # price, order id, open quantity


@dataclass
class Order:
    """An order in the book; `arrival` numbers the moments at which it joined its queue."""

    order_id: int
    owner: int
    side: int
    price: int
    quantity: int
    arrival: int


class NaiveMatcher:
    """Answers with words where the matcher answers with codes."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.trades: list[Execution] = []
        self.arrivals = 0

    def find(self, order_id: int) -> Order | None:
        """The order in the book, if it is there."""
        return next((order for order in self.orders if order.order_id == order_id), None)

    def ranked(self, side: int) -> list[Order]:
        """One side of the book in priority: highest bid or lowest ask first, then oldest."""
        mine = [order for order in self.orders if order.side == side]
        return sorted(mine, key=lambda order: (-side * order.price, order.arrival))

    def rows(self, side: int) -> list[Row]:
        """What can be seen of one side, in priority."""
        return [(order.price, order.order_id, order.quantity) for order in self.ranked(side)]

    def sizes(self) -> dict[tuple[int, int], int]:
        """Total size by (side, price)."""
        total: dict[tuple[int, int], int] = {}
        for order in self.orders:
            key = (order.side, order.price)
            total[key] = total.get(key, 0) + order.quantity
        return total

    def acceptable(self, side: int, limit: int) -> list[Order]:
        """Those an order of `side` may trade with, in priority; a limit of 0 accepts any price."""
        others = self.ranked(-side)
        if limit == 0:
            return others
        if side == BUY:
            return [order for order in others if order.price <= limit]
        return [order for order in others if order.price >= limit]

    def submit(
        self,
        order_id: int,
        owner: int,
        side: int,
        price: int,
        quantity: int,
        tif: int,
        post_only: bool,
    ) -> str:
        """A new order."""
        if self.find(order_id) is not None:
            return "duplicate"
        makers = self.acceptable(side, price)
        if post_only and makers:
            return "post only"
        if tif == FOK and sum(maker.quantity for maker in makers) < quantity:
            return "fill or kill"
        for maker in makers:
            traded = min(quantity, maker.quantity)
            if traded:
                self.trades.append((maker.price, traded, order_id, maker.order_id, side))
            quantity -= traded
            maker.quantity -= traded
        self.orders = [order for order in self.orders if order.quantity]
        if quantity == 0:
            return "filled"
        if price == 0 or tif != GTC:
            return "cancelled"
        self.arrivals += 1
        self.orders.append(Order(order_id, owner, side, price, quantity, self.arrivals))
        return "rested"

    def cancel(self, order_id: int) -> bool:
        """Take an order back."""
        known = self.find(order_id) is not None
        self.orders = [order for order in self.orders if order.order_id != order_id]
        return known

    def amend(self, order_id: int, price: int, quantity: int, post_only: bool) -> str:
        """Less at the same price keeps the place; anything else is a cancel and a new order."""
        order = self.find(order_id)
        if order is None:
            return "unknown"
        if order.price == price and quantity <= order.quantity:
            order.quantity = quantity
            return "rested"
        if post_only and self.acceptable(order.side, price):
            return "post only"
        self.cancel(order_id)
        return self.submit(order_id, order.owner, order.side, price, quantity, GTC, False)
