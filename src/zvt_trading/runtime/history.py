"""A subscriber that remembers orders and fills as the public sees them, within a bound."""

from collections import Counter, OrderedDict
from decimal import Decimal

from zvt_trading.core.state import State
from zvt_trading.messages.events import Event, OrderFilled, OrderPlaced, OrderRefused, OrderReleased
from zvt_trading.runtime.codes import ORDER_TYPES, TIMES_IN_FORCE, reason_of, side_of
from zvt_trading.runtime.numbers import to_datetime
from zvt_trading.runtime.views import fill_info, order_info, price_or_none
from zvt_trading.types import CurvePoint, FillInfo, OrderInfo, OrderStatus, PricePoint
from zvt_trading.runtime.numbers import to_decimal

ORDERS_KEPT = 200_000
"""Orders and fills kept for reports; a run that makes more reports on its latest ones."""


class History:
    """Orders (as last seen), fills, refusals; everything a report shows."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._orders: OrderedDict[str, OrderInfo | None] = OrderedDict()
        self._arrivals: dict[str, int] = {}
        self.fills: list[FillInfo] = []
        self.refusals: Counter[str] = Counter()
        self.equity: list[CurvePoint] = []
        self.prices: list[PricePoint] = []

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, OrderPlaced | OrderReleased):
            self._arrivals[event.order_id] = event.bid + event.ask if event.bid and event.ask else 0
            self._orders[event.order_id] = None
        elif isinstance(event, OrderFilled):
            self._filled(event)
        elif isinstance(event, OrderRefused):
            self._refused(event)
        if len(self._orders) > ORDERS_KEPT:
            oldest, _ = self._orders.popitem(last=False)
            self._arrivals.pop(oldest, None)

    def orders(self) -> tuple[OrderInfo, ...]:
        """Every order as it stands now, oldest first."""
        for order_id, known in self._orders.items():
            if known is None:
                order = self._state.orders.get(order_id)
                if order is not None:
                    self._orders[order_id] = order_info(order)
        return tuple(info for info in self._orders.values() if info is not None)

    def freeze_closed(self) -> None:
        """Take a final picture of closed orders before the core forgets them."""
        for order_id in self._state.closed:
            if self._orders.get(order_id, ...) is None:
                self._orders[order_id] = order_info(self._state.orders[order_id])

    def sample(self, ts: int, portfolios: tuple[str, ...]) -> None:
        """Note equity, exposure and prices for the charts."""
        for name in portfolios:
            portfolio = self._state.portfolios[name]
            scale = portfolio.base_scale
            self.equity.append(
                CurvePoint(
                    ts,
                    to_decimal(portfolio.equity, scale),
                    to_decimal(portfolio.exposure, scale),
                )
            )
        for market in self._state.markets.values():
            instrument = market.instrument
            twice = instrument.mid_twice()
            if twice:
                mid = to_decimal(twice * 5, instrument.price_scale + 1)
                self.prices.append(PricePoint(ts, instrument.id, mid))

    def _filled(self, event: OrderFilled) -> None:
        order = self._state.orders.get(event.order_id)
        strategy = order.request.strategy if order is not None else ""
        arrival = self._arrivals.get(event.order_id, 0)
        if len(self.fills) < ORDERS_KEPT:
            self.fills.append(fill_info(self._state, event, arrival, strategy))

    def _refused(self, event: OrderRefused) -> None:
        """A refused order is shown too: traders look for it in the blotter."""
        self.refusals[reason_of(event.reason)] += 1
        request = event.request
        market = self._state.markets.get(request.instrument)
        if market is None:
            return
        instrument = market.instrument
        self._orders[event.order_id] = OrderInfo(
            order_id=event.order_id,
            client_order_id=request.client_tag,
            venue_order_id="",
            portfolio_id=request.portfolio,
            strategy_id=request.strategy,
            exchange=instrument.venue,
            symbol=instrument.symbol,
            side=side_of(request.side),
            order_type=ORDER_TYPES[request.type],
            time_in_force=TIMES_IN_FORCE[request.tif],
            status=OrderStatus.REJECTED,
            quantity=to_decimal(request.quantity, instrument.quantity_scale),
            filled_quantity=Decimal(0),
            price=price_or_none(instrument, request.price),
            trigger_price=price_or_none(instrument, request.trigger_price),
            avg_fill_price=None,
            post_only=request.post_only,
            reduce_only=request.reduce_only,
            parent_order_id="",
            reason=reason_of(event.reason),
            created_at=to_datetime(event.ts),
        )
