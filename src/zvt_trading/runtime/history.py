"""A subscriber that remembers orders and fills as the public sees them, within a bound."""

from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.state import State
from zvt_trading.messages.events import (
    Event,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderPlaced,
    OrderRefused,
    OrderRejected,
    OrderReleased,
)
from zvt_trading.runtime.codes import ORDER_TYPES, TIMES_IN_FORCE, reason_of, side_of
from zvt_trading.runtime.numbers import to_datetime, to_decimal
from zvt_trading.runtime.views import fill_info, order_info, price_or_none
from zvt_trading.types import CurvePoint, FillInfo, OrderInfo, OrderStatus, PricePoint

ORDERS_KEPT: Final = 200_000
"""Orders and fills kept for reports; a run that makes more reports on its latest ones."""
SAMPLES_KEPT: Final = 5_000
"""Samples of equity and prices kept: more than a chart has pixels; beyond, every other one goes."""


class _Sample:
    """Equity and prices at one moment."""

    def __init__(self, equity: list[CurvePoint], prices: list[PricePoint]) -> None:
        self.equity = equity
        self.prices = prices


class History:
    """Orders (as last seen), fills, refusals; everything a report shows."""

    def __init__(
        self, state: State, orders_kept: int = ORDERS_KEPT, samples_kept: int = SAMPLES_KEPT
    ) -> None:
        self._state = state
        self._orders_kept = orders_kept
        self._samples_kept = samples_kept
        self._orders: OrderedDict[str, OrderInfo | None] = OrderedDict()  # None: look in the state
        self._arrivals: dict[str, int] = {}
        self._samples: list[_Sample] = []
        self._skip = 0  # samples still to be left out before the next is kept
        self._every = 1
        self.fills: deque[FillInfo] = deque(maxlen=orders_kept)
        self.refusals: Counter[str] = Counter()

    @property
    def equity(self) -> list[CurvePoint]:
        """Equity and exposure of every portfolio over time."""
        return [point for sample in self._samples for point in sample.equity]

    @property
    def prices(self) -> list[PricePoint]:
        """Mid prices of every instrument over time."""
        return [point for sample in self._samples for point in sample.prices]

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, OrderPlaced | OrderReleased):
            self._arrivals[event.order_id] = event.bid + event.ask if event.bid and event.ask else 0
            self._orders[event.order_id] = None
        elif isinstance(event, OrderFilled):
            self._filled(event)
            self._freeze(event.order_id)
        elif isinstance(event, OrderCancelled | OrderRejected | OrderExpired):
            self._freeze(event.order_id)
        elif isinstance(event, OrderRefused):
            self._refused(event)
        if len(self._orders) > self._orders_kept:
            oldest, _ = self._orders.popitem(last=False)
            self._arrivals.pop(oldest, None)

    def orders(self) -> tuple[OrderInfo, ...]:
        """Every order as it stands now, oldest first."""
        shown: list[OrderInfo] = []
        for order_id, known in self._orders.items():
            order = self._state.orders.get(order_id)
            if order is not None:
                shown.append(order_info(order))
            elif known is not None:
                shown.append(known)
        return tuple(shown)

    def sample(self, ts: int, portfolios: Sequence[str], *, last: bool = False) -> None:
        """Note equity, exposure and prices for the charts; the `last` one is always kept."""
        if self._skip and not last:
            self._skip -= 1
            return
        self._samples.append(_Sample(self._curve(ts, portfolios), self._mids(ts)))
        if len(self._samples) > self._samples_kept:
            del self._samples[1::2]
            self._every *= 2
        self._skip = self._every - 1

    def _curve(self, ts: int, portfolios: Sequence[str]) -> list[CurvePoint]:
        points: list[CurvePoint] = []
        for name in portfolios:
            portfolio = self._state.portfolios[name]
            scale = portfolio.base_scale
            equity = to_decimal(portfolio.equity, scale)
            points.append(CurvePoint(ts, equity, to_decimal(portfolio.exposure, scale)))
        return points

    def _mids(self, ts: int) -> list[PricePoint]:
        points: list[PricePoint] = []
        for market in self._state.markets.values():
            instrument = market.instrument
            twice = instrument.mid_twice()
            if twice:
                mid = to_decimal(twice * 5, instrument.price_scale + 1)
                points.append(PricePoint(ts, instrument.id, mid))
        return points

    def _freeze(self, order_id: str) -> None:
        """Take a picture of an order that is over: the core forgets it some day."""
        order = self._state.orders.get(order_id)
        if order is not None and order_id in self._orders and is_closed(order.life):
            self._orders[order_id] = order_info(order)

    def _filled(self, event: OrderFilled) -> None:
        order = self._state.orders.get(event.order_id)
        strategy = order.request.strategy if order is not None else ""
        arrival = self._arrivals.get(event.order_id, 0)
        self.fills.append(fill_info(self._state, event, arrival, strategy))

    def _refused(self, event: OrderRefused) -> None:
        """A refused order is shown too: traders look for it in the blotter."""
        self.refusals[reason_of(event.reason)] += 1
        request = event.request
        exchange, _, name = request.instrument.partition(":")
        symbol = self._state.symbols.get(name)
        if symbol is None:
            return
        instrument = symbol.markets[0].instrument  # scales belong to the symbol
        self._orders[event.order_id] = OrderInfo(
            order_id=event.order_id,
            client_order_id=request.client_tag,
            venue_order_id="",
            portfolio_id=request.portfolio,
            strategy_id=request.strategy,
            exchange=exchange,
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
