"""Runs strategies beside the engine: feeds them, isolates their errors."""

from collections.abc import Callable

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
    OrderRefused,
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
from zvt_trading.runtime.views import fill_info, order_info
from zvt_trading.sim.simulation import Simulation

_ORDER_EVENTS = (
    OrderPlaced | OrderReleased | OrderAccepted | OrderFilled | OrderCancelled | OrderRejected
    | OrderExpired | OrderUnknown | OrderTriggered | OrderResized | CancelRequested
    | CancelRejected | AmendRequested | AmendRejected | AmendRefused | OrderAmended
)  # fmt: skip

_log = structlog.get_logger("zvt_trading.strategy")


class StrategyRunner:
    """One strategy: alive until it raises or the run ends."""

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
        self._interval = strategy.timer_seconds * SECOND
        self._next_timer = 0
        strategy.bind(StrategyContext(simulation, strategy_id, portfolio_id))

    def start(self) -> None:
        """Begin trading."""
        self.running = True
        self._next_timer = self._simulation.now + self._interval
        self._guard(self.strategy.on_start)

    def market(self, message: MarketData) -> None:
        """Pass a market message on."""
        if not self.running:
            return
        strategy = self.strategy
        try:
            if isinstance(message, QuoteTick):
                strategy.on_quote(message)
            elif isinstance(message, TradeTick):
                strategy.on_trade(message)
            elif isinstance(message, BookDelta | BookSnapshot):
                strategy.on_book(message)
            elif isinstance(message, Bar):
                strategy.on_bar(message)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must stay inside
            self._failed(error)
        if self._interval and self._simulation.now >= self._next_timer:
            self._next_timer = self._simulation.now + self._interval
            self._timer()

    def event(self, event: Event) -> None:
        """Pass an event about one of its orders on."""
        if not self.running:
            return
        if isinstance(event, OrderRefused):
            return  # the caller of place() sees it in the returned order's status
        if not isinstance(event, _ORDER_EVENTS):
            return
        order = self._state.orders.get(event.order_id)
        if order is None or order.strategy.name != self.strategy_id:
            return
        if isinstance(event, OrderPlaced | OrderReleased):
            self._arrivals[order.id] = event.bid + event.ask if event.bid and event.ask else 0
        try:
            self.strategy.on_order(order_info(order))
            if isinstance(event, OrderFilled) and self.running:
                arrival = self._arrivals.get(order.id, 0)
                self.strategy.on_fill(fill_info(self._state, event, arrival, self.strategy_id))
        except Exception as error:  # noqa: BLE001 - whatever it is, it must stay inside
            self._failed(error)
        if not order.working:
            self._arrivals.pop(order.id, None)

    def stop(self) -> None:
        """End trading; its working orders are cancelled unless it says otherwise."""
        if self.running:
            self._guard(self.strategy.on_stop)
        if self.running:
            self.running = False
            self._cancel()

    def _timer(self) -> None:
        if self.running:
            now = self._simulation.now
            try:
                self.strategy.on_timer(now)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must stay inside
                self._failed(error)

    def _guard(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must stay inside
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        """Stop this strategy alone: it may not trade again until a person re-arms it."""
        self.running = False
        self.error = f"{type(error).__name__}: {error}"
        _log.error("strategy stopped by an error", strategy=self.strategy_id, exc_info=error)
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
