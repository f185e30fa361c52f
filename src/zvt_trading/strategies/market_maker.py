"""A small market maker: one bid and one ask at the touch, within a bounded inventory."""

from decimal import Decimal
from typing import ClassVar

from zvt_trading.core.units import SECOND
from zvt_trading.messages.market import QuoteTick
from zvt_trading.runtime.numbers import to_decimal, to_scaled
from zvt_trading.strategies.base import Strategy
from zvt_trading.types import Number, OrderInfo, OrderStatus, OrderType

_PAUSE = SECOND // 5
_DONE = (
    OrderStatus.FILLED,
    OrderStatus.CANCELLED,
    OrderStatus.REJECTED,
    OrderStatus.EXPIRED,
)


class _Side:
    """One of its two quotes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.order_id = ""
        self.price = 0
        self.cancelling = False


class MarketMaker(Strategy):
    """Joins the best bid and ask of one instrument with post-only orders.

    A quote is replaced when the touch has moved `requote_ticks` away from it. The side that would
    grow an inventory of `inventory_max` is not quoted. With no instrument given it takes the first.
    """

    parameters: ClassVar[dict[str, str]] = {
        "instrument": "venue:SYMBOL, the first one by default",
        "notional": "quote-asset value of each quote",
        "inventory_max": "in quotes' sizes",
        "requote_ticks": "how far the touch may move away",
    }

    def __init__(
        self,
        instrument: str = "",
        notional: Number = Decimal(600),
        inventory_max: int = 3,
        requote_ticks: int = 20,
    ) -> None:
        self._instrument = instrument
        self._notional = notional
        self._inventory_max = inventory_max
        self._requote_ticks = requote_ticks
        self._bid = _Side("buy")
        self._ask = _Side("sell")
        self._quantity = 0
        self._last_action = 0

    def on_start(self) -> None:
        """Choose the instrument."""
        if not self._instrument:
            self._instrument = self.context.instruments[0]
        if self._instrument not in self.context.instruments:
            known = ", ".join(self.context.instruments)
            raise ValueError(f"no market {self._instrument!r}; there are {known}")

    def on_quote(self, quote: QuoteTick) -> None:
        """Keep both quotes near the touch, acting at most every 200 ms."""
        if quote.instrument != self._instrument or not (quote.bid and quote.ask):
            return
        if quote.ts - self._last_action < _PAUSE:
            return
        venue, symbol = self._instrument.split(":", 1)
        instrument = self.context.instrument(symbol, venue)
        if not self._quantity:
            notional = to_scaled("notional", self._notional, instrument.settle_scale)
            lots = notional // max(1, instrument.value(quote.ask, instrument.lot))
            self._quantity = max(lots * instrument.lot, instrument.quantity_min)
        position = to_scaled(
            "position", self.context.position(symbol, venue), instrument.quantity_scale
        )
        room = self._inventory_max * self._quantity
        far = self._requote_ticks * instrument.tick
        self._work(self._bid, quote.bid, far, wanted=position < room, ts=quote.ts)
        can_sell = position > -room and (not instrument.is_spot or position >= self._quantity)
        self._work(self._ask, quote.ask, far, wanted=can_sell, ts=quote.ts)

    def on_order(self, order: OrderInfo) -> None:
        """Forget a quote that is done."""
        for side in (self._bid, self._ask):
            if order.order_id == side.order_id and order.status in _DONE:
                side.order_id = ""
                side.cancelling = False

    def _work(self, side: _Side, price: int, far: int, *, wanted: bool, ts: int) -> None:
        """Place, keep or take back one quote."""
        if side.order_id:
            if not side.cancelling and (not wanted or abs(price - side.price) > far):
                side.cancelling = True
                self._last_action = ts
                self.context.cancel(side.order_id)
            return
        if not wanted:
            return
        venue, symbol = self._instrument.split(":", 1)
        instrument = self.context.instrument(symbol, venue)
        self._last_action = ts
        side.price = price
        order_id = self.context.place(
            symbol,
            side.name,
            to_decimal(self._quantity, instrument.quantity_scale),
            exchange=venue,
            order_type=OrderType.LIMIT,
            price=to_decimal(price, instrument.price_scale),
            post_only=True,
        )
        side.order_id = order_id if self.context.knows(order_id) else ""
