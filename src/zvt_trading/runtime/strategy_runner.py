"""Runs strategies beside the engine: feeds them, isolates their errors."""

from collections import deque
from collections.abc import Callable
from typing import ParamSpec

import structlog

from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import HALTED, SCOPE_STRATEGY
from zvt_trading.messages.commands import CancelAll, SetTradingState
from zvt_trading.messages.events import (
    AmendRefused,
    AmendRejected,
    AmendRequested,
    CancelRejected,
    CancelRequested,
    Event,
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
)
from zvt_trading.messages.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    MarketData,
    QuoteTick,
    TradeTick,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.ports.strategy import StrategyPort
from zvt_trading.runtime.context import StrategyContext
from zvt_trading.runtime.tracebacks import stack_of
from zvt_trading.runtime.views import fill_info, order_info
from zvt_trading.sim.simulation import Simulation
from zvt_trading.types import FillInfo, OrderInfo

P = ParamSpec("P")
ARRIVALS_KEPT = 10_000
"""Orders whose price at the decision is remembered, for the slippage of their fills."""

_ORDER_EVENTS = (
    OrderPlaced | OrderReleased | OrderAccepted | OrderFilled | OrderCancelled | OrderRejected
    | OrderExpired | OrderUnknown | OrderTriggered | OrderResized | CancelRequested
    | CancelRejected | AmendRequested | AmendRejected | AmendRefused | OrderAmended
)  # fmt: skip

_log = structlog.get_logger("zvt_trading.strategy")


class StrategyRunner:
    """One strategy: alive until it raises or the run ends.

    Its callbacks never nest: what an order of its own causes at once reaches it when the callback
    that placed the order has returned, so `place` has told the id by then.
    """

    def __init__(
        self, simulation: Simulation, strategy: StrategyPort, strategy_id: str, portfolio_id: str
    ) -> None:
        self.strategy = strategy
        self.strategy_id = strategy_id
        self.running = False
        self.error = ""
        self._simulation = simulation
        self._state = simulation.core.state
        self._arrivals: dict[str, int] = {}
        self._waiting: deque[tuple[OrderInfo, FillInfo | None]] = deque()
        self._busy = False
        self._interval = strategy.timer_seconds * SECOND
        self._next_timer = 0
        strategy.bind(StrategyContext(simulation, strategy_id, portfolio_id))

    def start(self) -> None:
        """Begin trading."""
        self.running = True
        self._next_timer = self._simulation.now + self._interval
        self._call(self.strategy.on_start)

    def market(self, message: MarketData) -> None:
        """Pass a market message on."""
        if not self.running:
            return
        strategy = self.strategy
        if isinstance(message, QuoteTick):
            self._call(strategy.on_quote, message)
        elif isinstance(message, TradeTick):
            self._call(strategy.on_trade, message)
        elif isinstance(message, BookDelta | BookSnapshot):
            self._call(strategy.on_book, message)
        elif isinstance(message, Bar):
            self._call(strategy.on_bar, message)

    def clock(self) -> None:
        """Call the timer when it is due: on its schedule, once for what was missed."""
        now = self._simulation.now
        if self.running and self._interval and now >= self._next_timer:
            missed = (now - self._next_timer) // self._interval
            self._next_timer += (missed + 1) * self._interval
            self._call(self.strategy.on_timer, now)

    def event(self, event: Event) -> None:
        """Pass an event about one of its orders on (a refusal is what `place` returned)."""
        if not self.running or not isinstance(event, _ORDER_EVENTS):
            return
        order = self._state.orders.get(event.order_id)
        if order is None or order.strategy.name != self.strategy_id:
            return
        if isinstance(event, OrderPlaced | OrderReleased):
            self._arrivals[order.id] = event.bid + event.ask if event.bid and event.ask else 0
            if len(self._arrivals) > ARRIVALS_KEPT:
                del self._arrivals[next(iter(self._arrivals))]
        fill = None
        if isinstance(event, OrderFilled):
            arrival = self._arrivals.get(order.id, 0)
            fill = fill_info(self._state, event, arrival, self.strategy_id)
        self._waiting.append((order_info(order), fill))
        if not self._busy:
            self._deliver()

    def stop(self) -> None:
        """End trading: its working orders are cancelled unless it says otherwise, then on_stop.

        What it places in on_stop (to leave flat) works on; it is told of nothing any more.
        """
        if self.running:
            self.running = False
            self._cancel()
            self._call(self.strategy.on_stop)

    def _call(self, callback: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call the strategy, keep its errors here, then tell it what its orders did meanwhile."""
        self._busy = True
        try:
            callback(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must stay inside
            self._failed(error)
        finally:
            self._busy = False
        if self._waiting:
            self._deliver()

    def _deliver(self) -> None:
        while self._waiting:
            order, fill = self._waiting.popleft()
            if self.running:
                self._tell(order, fill)

    def _tell(self, order: OrderInfo, fill: FillInfo | None) -> None:
        self._busy = True
        try:
            self.strategy.on_order(order)
            if fill is not None:
                self.strategy.on_fill(fill)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must stay inside
            self._failed(error)
        finally:
            self._busy = False

    def _failed(self, error: Exception) -> None:
        """Stop this strategy alone: it may not trade again until a person re-arms it."""
        self.running = False
        self.error = f"{type(error).__name__}: {error}"
        self._waiting.clear()
        _log.error("strategy stopped by an error", strategy=self.strategy_id, stack=stack_of(error))
        self._cancel()
        self._simulation.command(
            SetTradingState(
                SCOPE_STRATEGY, self.strategy_id, HALTED, int(Reason.STRATEGY_STOPPED), self.error
            )
        )

    def _cancel(self) -> None:
        if self.strategy.cancel_on_stop:
            self._simulation.command(
                CancelAll(strategy=self.strategy_id, reason=int(Reason.STRATEGY_STOPPED))
            )
