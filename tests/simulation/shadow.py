"""A second, naive book-keeping of orders and exposure, made from the events alone.

It knows which step of an order's life may follow which, counts open quantities at worst case, and
checks every approval against the limits in force when it was given.
"""

from typing import Final

from zvt_trading.core.state import State
from zvt_trading.messages.codes import (
    ACCEPTED,
    ACTIVE,
    AMEND_REQUESTED,
    CANCEL_REQUESTED,
    CANCELLED,
    EXPIRED,
    FILLED,
    HALTED,
    MARKET,
    NO_REQUEST,
    PENDING,
    REJECTED,
    SCOPE_GLOBAL,
    SCOPE_SYMBOL,
    SPOT,
    SUBMITTED,
    UNKNOWN,
)
from zvt_trading.messages.events import (
    AmendRejected,
    AmendRequested,
    CancelRejected,
    CancelRequested,
    Event,
    InstrumentListed,
    KillSwitchPulled,
    LimitsSet,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderPlaced,
    OrderRejected,
    OrderReleased,
    OrderResized,
    OrderTriggered,
    OrderUnknown,
    PositionLiquidated,
    TradingStateChanged,
    TrailMoved,
)

SENT: Final = (SUBMITTED, UNKNOWN, ACCEPTED)
ANY_SENT: Final = (SUBMITTED, UNKNOWN, ACCEPTED, FILLED, CANCELLED, REJECTED, EXPIRED)
# From which lives an event may come (I9).
LEGAL: Final[dict[type, tuple[int, ...]]] = {
    OrderTriggered: (PENDING,),
    TrailMoved: (PENDING,),
    OrderResized: (PENDING,),
    OrderReleased: (PENDING,),
    OrderAccepted: (SUBMITTED, UNKNOWN, REJECTED),
    OrderRejected: (SUBMITTED, UNKNOWN),
    OrderUnknown: (SUBMITTED,),
    OrderFilled: ANY_SENT,
    OrderCancelled: (PENDING, *SENT),
    OrderExpired: (PENDING, *SENT),
    CancelRequested: SENT,
    CancelRejected: SENT,
    AmendRequested: (ACCEPTED,),
    OrderAmended: (ACCEPTED,),
    AmendRejected: (ACCEPTED,),
}


class Shade:
    """One order as the events tell it."""

    def __init__(self, event: OrderPlaced) -> None:
        self.id = event.order_id
        self.portfolio = event.request.portfolio
        self.instrument = event.instrument
        self.side = event.request.side
        self.closes = event.request.reduce_only and event.request.type == MARKET
        self.quantity = event.request.quantity
        self.life = PENDING if event.held else SUBMITTED
        self.request = NO_REQUEST
        self.amending = 0  # quantity an amend under way asks for
        self.filled = 0
        self.venue_filled = 0  # its end said so
        self.trades: list[str] = []

    def worst(self) -> int:
        """What may still execute, or has without our being told."""
        if self.life in SENT:
            return max(0, max(self.quantity, self.amending) - self.filled)
        if self.life in (CANCELLED, EXPIRED):
            return max(0, self.venue_filled - self.filled)
        return 0


class Shadow:
    """Subscribes to the events; `problems` collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.orders: dict[str, Shade] = {}
        self.positions: dict[tuple[str, str], int] = {}
        self.coins: dict[str, tuple[str, int]] = {}  # spot: what is traded, amount a quantity unit
        self.coin_fees: dict[tuple[str, str], int] = {}  # paid in coins, less than a unit
        self.sent: dict[str, int] = {}  # how often an order's intent was to be sent
        self.order_limits: dict[str, int] = {}
        self.position_limits: dict[str, int] = {}
        self.trading_state = ACTIVE
        self.flattening = False  # a kill switch that flattens was pulled, and nobody re-armed
        self.seq = 0
        self.ts = 0

    def event(self, event: Event) -> None:
        """Take the next event."""
        if event.seq != self.seq + 1 or event.ts < self.ts:
            self._problem(f"I13 event {event.seq} at {event.ts} after {self.seq} at {self.ts}")
        self.seq = event.seq
        self.ts = event.ts
        if isinstance(event, OrderPlaced):
            self._placed(event)
        elif type(event) in LEGAL:
            self._order_event(event)
        elif isinstance(event, PositionLiquidated):
            key = (event.portfolio, event.instrument)
            self.positions[key] = self.positions.get(key, 0) + event.side * event.quantity
        elif isinstance(event, InstrumentListed):
            spec = event.spec
            if spec.kind == SPOT:
                unit = 10 ** (spec.base_scale - spec.quantity_scale)
                self.coins[f"{spec.venue}:{spec.symbol}"] = (spec.base, unit)
        elif isinstance(event, LimitsSet):
            limits = event.limits
            if limits.scope == SCOPE_SYMBOL:
                self.order_limits[limits.key] = limits.order_quantity_max or 0
                self.position_limits[limits.key] = limits.position_quantity_max or 0
        elif isinstance(event, TradingStateChanged) and event.scope == SCOPE_GLOBAL:
            self.trading_state = event.state
            self.flattening = self.flattening and event.state == HALTED
        elif isinstance(event, KillSwitchPulled):
            self.flattening = self.flattening or event.request.flatten

    def open_quantity(self, portfolio: str, instrument: str, side: int) -> int:
        """Worst case of one side."""
        return sum(
            order.worst()
            for order in self.orders.values()
            if (order.portfolio, order.instrument, order.side) == (portfolio, instrument, side)
        )

    def compare(self, state: State) -> None:
        """The engine's own view must be the same."""
        opened: dict[tuple[str, str, int], int] = {}
        for shade in self.orders.values():
            key = (shade.portfolio, shade.instrument, shade.side)
            opened[key] = opened.get(key, 0) + shade.worst()
            order = state.orders.get(shade.id)
            if order is None or (order.life, order.filled) != (shade.life, shade.filled):
                self._problem(f"I9 order {shade.id}: {shade.life} {shade.filled} by its events")
            elif order.pending != shade.request:
                self._problem(f"I9 order {shade.id}: request {shade.request} by its events")
        for portfolio in state.portfolios.values():
            for instrument, holding in portfolio.holdings.items():
                both = tuple(opened.get((portfolio.name, instrument, side), 0) for side in (1, -1))
                if both != (holding.open_buy, holding.open_sell):
                    self._problem(
                        f"I8 {portfolio.name} {instrument}: {holding.open_buy} buying and "
                        f"{holding.open_sell} selling are counted, worst case is {both}"
                    )
                held = self.positions.get((portfolio.name, instrument), 0)
                position = holding.position.quantity
                if held != position:
                    self._problem(
                        f"I6 {portfolio.name} {instrument}: position {position}, fills and fees "
                        f"in coins make {held}"
                    )

    def _problem(self, text: str) -> None:
        self.problems.append(text)

    def _placed(self, event: OrderPlaced) -> None:
        if event.order_id in self.orders:
            self._problem(f"I2 order id {event.order_id} used twice")
        order = Shade(event)
        self.orders[order.id] = order
        if not event.held:
            self._approved(order, 0, first=True)

    def _approved(self, order: Shade, before: int, *, first: bool) -> None:
        """An order, or more of it, was let through: `before` is what it could do until now."""
        if first:
            self.sent[order.id] = self.sent.get(order.id, 0) + 1
        position = order.side * self.positions.get((order.portfolio, order.instrument), 0)
        if self.trading_state == HALTED:
            if not (self.flattening and order.closes and order.quantity <= -position):
                self._problem(f"I10 order {order.id} was approved while all is halted")
            return
        if order.worst() <= before:
            return
        symbol = order.instrument.partition(":")[2]
        limit = self.order_limits.get(symbol, 0)
        if limit and first and order.quantity > limit:
            self._problem(f"I8 order {order.id}: {order.quantity}, {limit} are allowed")
        limit = self.position_limits.get(symbol, 0)
        worst = position + self.open_quantity(order.portfolio, order.instrument, order.side)
        if limit and worst > limit:
            self._problem(f"I8 order {order.id}: position could be {worst}, {limit} are allowed")

    def _order_event(self, event: Event) -> None:
        """Any later event of an order."""
        order = self.orders.get(getattr(event, "order_id", ""))
        name = type(event).__name__
        if order is None:
            self._problem(f"I1 {name} for an order that was never placed")
            return
        if order.life not in LEGAL[type(event)]:
            self._problem(f"I9 {name} for order {order.id} in life {order.life}")
        if isinstance(event, OrderFilled):
            self._filled(order, event)
        elif isinstance(event, OrderReleased):
            order.life = SUBMITTED
            order.quantity = event.quantity
            self._approved(order, 0, first=True)
        elif isinstance(event, OrderResized):
            order.quantity = event.quantity
        elif isinstance(event, OrderAccepted):
            order.life = ACCEPTED
        elif isinstance(event, OrderUnknown):
            order.life = UNKNOWN
        elif isinstance(event, OrderRejected):
            self._end(order, REJECTED, 0)
        elif isinstance(event, OrderCancelled):
            self._end(order, CANCELLED, event.filled)
        elif isinstance(event, OrderExpired):
            self._end(order, EXPIRED, event.filled)
        else:
            self._request_event(order, event)

    def _request_event(self, order: Shade, event: Event) -> None:
        """Cancels and amends."""
        if isinstance(event, CancelRequested):
            order.request = CANCEL_REQUESTED
        elif isinstance(event, CancelRejected):
            order.request = AMEND_REQUESTED if order.amending else NO_REQUEST
        elif isinstance(event, AmendRequested):
            before = order.worst()
            order.request = AMEND_REQUESTED
            order.amending = event.quantity
            self._approved(order, before, first=False)
        elif isinstance(event, OrderAmended | AmendRejected):
            if order.request == AMEND_REQUESTED:
                order.request = NO_REQUEST
            order.amending = 0
            if isinstance(event, OrderAmended):
                order.quantity = event.quantity
            if order.filled >= order.quantity:
                self._end(order, FILLED, 0)

    def _filled(self, order: Shade, event: OrderFilled) -> None:
        if event.trade_id in order.trades:
            self._problem(f"I4 trade {event.trade_id} of {order.id} applied twice")
        order.trades.append(event.trade_id)
        order.filled += event.quantity
        key = (order.portfolio, order.instrument)
        self.positions[key] = self.positions.get(key, 0) + order.side * event.quantity
        self._pay_in_coins(key, event.fee_asset, event.fee)
        if order.filled >= max(order.quantity, order.amending):
            self._end(order, FILLED, 0)
        elif order.life in (SUBMITTED, UNKNOWN, REJECTED):
            order.life = ACCEPTED

    def _pay_in_coins(self, key: tuple[str, str], asset: str, fee: int) -> None:
        """A fee in the coins that are traded comes out of the position, by whole units."""
        coin, unit = self.coins.get(key[1], ("", 1))
        if asset != coin or not fee:
            return
        owed = self.coin_fees.get(key, 0) + fee
        paid = max(0, min(owed // unit, self.positions[key]))
        self.positions[key] -= paid
        self.coin_fees[key] = owed - paid * unit

    def _end(self, order: Shade, life: int, venue_filled: int) -> None:
        order.life = life
        order.request = NO_REQUEST
        order.amending = 0
        order.venue_filled = venue_filled
        if life == FILLED:
            order.venue_filled = order.filled
