"""The front door: `CryptoTradingEngine`.

    engine = CryptoTradingEngine()                    # four simulated exchanges, a funded portfolio
    result = engine.place_order(OrderRequest(symbol="BTC/USDT", side="buy", quantity="0.1"))
    engine.get_positions("default")

One lock makes it safe for many threads; inside there is a single writer. Under simulated time an
order takes the time its messages take: `place_order` lets the market go on until the venue answered.
"""

import asyncio
from collections.abc import Callable, Sequence
from threading import RLock
from types import TracebackType
from typing import Self

import structlog

from zvt_trading.bootstrap import default_world
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.snapshot import digest
from zvt_trading.core.state import Order, Portfolio, State
from zvt_trading.core.units import SECOND
from zvt_trading.errors import (
    CallerError,
    EngineError,
    OrderNotFoundError,
    PortfolioNotFoundError,
)
from zvt_trading.messages.codes import ACCEPTED, FOK, IOC, MARKET, PENDING, REJECTED
from zvt_trading.messages.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    Deposit,
    KillSwitch,
    LimitSet,
    OpenPortfolio,
    SetLeverage,
    SetLimits,
    SetTradingState,
    Transfer,
    Withdraw,
)
from zvt_trading.messages.events import AmendRefused, CommandRefused, Event, OrderRefused
from zvt_trading.ports.strategy import StrategyPort
from zvt_trading.runtime.codes import STATUSES, code_of, reason_of, status_of
from zvt_trading.runtime.numbers import to_decimal, to_scaled
from zvt_trading.runtime.refusals import describe_refusal, refusal_money_scale
from zvt_trading.runtime.requests import instrument_of, to_command
from zvt_trading.runtime.views import (
    average_price,
    ledger_rows,
    order_info,
    portfolio_summary,
    position_info,
)
from zvt_trading.runtime.world import World
from zvt_trading.types import (
    AccountingMethod,
    LedgerRow,
    MarginMode,
    Number,
    OrderInfo,
    OrderRequest,
    OrderResult,
    OrderSide,
    OrderStatus,
    PortfolioSummary,
    PositionInfo,
    Scope,
    TradingState,
)

ANSWER_WAIT = 30 * SECOND
"""Simulated time that place_order waits for the venue's answer before it returns UNKNOWN."""

Subscriber = Callable[[Event], object]

_log = structlog.get_logger("zvt_trading.engine")


class CryptoTradingEngine:
    """An engine over a world: simulated exchanges by default, see `bootstrap` for others."""

    def __init__(self, world: World | None = None) -> None:
        self._world = world if world is not None else default_world()
        self._simulation = self._world.simulation
        self._state: State = self._simulation.core.state
        self._lock = RLock()
        self._refusal: OrderRefused | AmendRefused | CommandRefused | None = None
        self._subscribers: list[Subscriber] = []
        self._simulation.subscribers.append(self._on_event)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the strategies, cancel their orders, let answers under way arrive. Repeatable."""
        with self._lock:
            self._world.stop()

    @property
    def world(self) -> World:
        """The world it drives: feed, venues, strategies, history."""
        return self._world

    # Orders.

    def place_order(self, request: OrderRequest) -> OrderResult:
        """Place an order and wait for what the venue makes of it at once.

        A market, IOC or FOK order is waited for to its end, others until they are accepted. A
        refusal or rejection is a result with `success=False`. Raises CallerError (SymbolNotFound,
        PortfolioNotFound) when the request cannot be meant at all; then nothing was placed.
        """
        with self._lock:
            command = to_command(self._state, request)
            self._refusal = None
            order_id = self._simulation.submit(command)
            order = self._state.orders.get(order_id)
            if order is None:
                return self._refused(order_id)
            if not _answered(order):
                self._wait(order)
            return self._result(order)

    def cancel_order(self, order_id: str) -> bool:
        """Cancel an order; True when it is (or was just now) taken back, False when it is over.

        Raises OrderNotFoundError for an id this engine never gave or no longer remembers.
        """
        with self._lock:
            order = self._order(order_id)
            if is_closed(order.life):
                return False
            self._simulation.command(CancelOrder(order_id))
            self._wait_until(lambda: is_closed(order.life) or not order.pending)
            return is_closed(order.life) and order.leaves() > 0

    def cancel_all(
        self,
        portfolio_id: str = "",
        *,
        strategy_id: str = "",
        exchange: str = "",
        symbol: str = "",
        side: OrderSide | str | None = None,
    ) -> int:
        """Cancel every live order that matches all the given fields; returns how many there were."""
        with self._lock:
            code = code_of("side", side) if side is not None else 0
            before = self._live()
            self._simulation.command(CancelAll(portfolio_id, strategy_id, exchange, symbol, code))
            self._wait_until(self._simulation.is_settled)
            return before - self._live()

    def amend_order(
        self,
        order_id: str,
        *,
        price: Number | None = None,
        quantity: Number | None = None,
        trigger_price: Number | None = None,
    ) -> OrderResult:
        """Change price, total quantity or trigger of a live order."""
        with self._lock:
            order = self._order(order_id)
            instrument = order.instrument
            scale = instrument.price_scale
            command = AmendOrder(
                order_id,
                _optional("price", price, scale),
                _optional("quantity", quantity, instrument.quantity_scale),
                _optional("trigger_price", trigger_price, scale),
            )
            self._refusal = None
            self._simulation.command(command)
            if self._was_refused():
                return self._refused(order_id)
            asked = (command.price or order.price, command.quantity or order.quantity)
            self._wait_until(lambda: not order.pending)
            result = self._result(order)
            if order.life != PENDING and (order.price, order.quantity) != asked:
                return _failed(result, "the venue did not amend the order", "venue_rejected")
            return result

    def get_order(self, order_id: str) -> OrderInfo:
        """An order as it stands; OrderNotFoundError when it is not known."""
        with self._lock:
            return order_info(self._order(order_id))

    def get_orders(
        self, portfolio_id: str | None = None, *, open_only: bool = False, symbol: str | None = None
    ) -> list[OrderInfo]:
        """Live and recently closed orders, oldest first."""
        with self._lock:
            return [
                order_info(order)
                for order in self._state.orders.values()
                if portfolio_id in (None, order.holding.portfolio.name)
                and symbol in (None, order.instrument.symbol)
                and not (open_only and is_closed(order.life))
            ]

    # Portfolios.

    def open_portfolio(
        self,
        portfolio_id: str,
        base_asset: str = "USDT",
        method: AccountingMethod | str = AccountingMethod.FIFO,
    ) -> None:
        """Open a portfolio valued in `base_asset`; `method` is how its lots are consumed."""
        with self._lock:
            scale = self._asset_scale(base_asset)
            code = code_of("accounting_method", method)
            self._command(OpenPortfolio(portfolio_id, base_asset, scale, code))

    def get_positions(self, portfolio_id: str = "default") -> list[PositionInfo]:
        """The portfolio's open positions with their lots, marked to market."""
        with self._lock:
            portfolio = self._portfolio(portfolio_id)
            return [
                position_info(self._state, holding)
                for holding in portfolio.holdings.values()
                if holding.position.quantity
            ]

    def get_portfolio_summary(self, portfolio_id: str = "default") -> PortfolioSummary:
        """The portfolio marked to market, in its base asset."""
        with self._lock:
            return portfolio_summary(self._state, self._portfolio(portfolio_id))

    def deposit(self, portfolio_id: str, exchange: str, asset: str, amount: Number) -> None:
        """Money arrives at an exchange."""
        with self._lock:
            scaled = to_scaled("amount", amount, self._asset_scale(asset))
            self._command(Deposit(portfolio_id, exchange, asset, scaled))

    def withdraw(self, portfolio_id: str, exchange: str, asset: str, amount: Number) -> None:
        """Money leaves an exchange; CallerError when it is not available."""
        with self._lock:
            scaled = to_scaled("amount", amount, self._asset_scale(asset))
            self._command(Withdraw(portfolio_id, exchange, asset, scaled))

    def transfer(
        self,
        asset: str,
        amount: Number,
        *,
        from_portfolio: str = "default",
        from_exchange: str,
        to_portfolio: str = "default",
        to_exchange: str,
    ) -> None:
        """Move money between exchanges or portfolios."""
        with self._lock:
            scaled = to_scaled("amount", amount, self._asset_scale(asset))
            self._command(
                Transfer(from_portfolio, from_exchange, to_portfolio, to_exchange, asset, scaled)
            )

    def ledger(self) -> tuple[LedgerRow, ...]:
        """The books' proof: one row a portfolio and asset; every difference is zero."""
        with self._lock:
            return ledger_rows(self._state)

    # Risk.

    def set_limits(self, limits: LimitSet) -> None:
        """Replace the limits of one scope; CallerError says why they are refused."""
        with self._lock:
            self._command(SetLimits(limits))

    def set_leverage(
        self,
        portfolio_id: str,
        symbol: str,
        exchange: str,
        leverage: int,
        margin_mode: MarginMode | str = MarginMode.CROSS,
    ) -> None:
        """Leverage and margin mode of a flat perpetual."""
        with self._lock:
            instrument = instrument_of(self._state, symbol, exchange)
            mode = code_of("margin_mode", margin_mode)
            self._command(SetLeverage(portfolio_id, instrument.id, leverage, mode))

    def set_trading_state(
        self, state: TradingState | str, scope: Scope | str = Scope.GLOBAL, key: str = ""
    ) -> None:
        """ACTIVE, REDUCING or HALTED for one scope; `key` names it."""
        with self._lock:
            code = code_of("state", state)
            self._command(SetTradingState(code_of("scope", scope), key, code))

    def kill_switch(self, *, flatten: bool = False, reason: str = "") -> None:
        """Cancel everything and halt; with `flatten` close every position at market. Repeatable."""
        with self._lock:
            self._command(KillSwitch(flatten, reason))
            self._wait_until(self._simulation.is_settled)

    # Time, strategies, events.

    def add_strategy(
        self, strategy: StrategyPort, strategy_id: str = "", portfolio_id: str = "default"
    ) -> None:
        """Start a strategy; it trades while time passes (`advance`, `run`)."""
        with self._lock:
            self._portfolio(portfolio_id)
            name = strategy_id or type(strategy).__name__.lower()
            self._world.add_strategy(strategy, name, portfolio_id)

    def advance(self, seconds: Number) -> bool:
        """Let the simulated time pass; False when the feed ended before."""
        with self._lock:
            return self._world.run_until(self._simulation.now + to_scaled("seconds", seconds, 9))

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with every event from now on; returns how to stop it.

        One that raises is dropped, and cannot delay or break an order beyond its own running time.
        """
        with self._lock:
            self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            with self._lock:
                if subscriber in self._subscribers:
                    self._subscribers.remove(subscriber)

        return unsubscribe

    def digest(self) -> str:
        """Digest of the whole state: equal digests, equal states."""
        with self._lock:
            return digest(self._state, self._simulation.core.risk)

    # Async twins.

    async def aplace_order(self, request: OrderRequest) -> OrderResult:
        """`place_order` without blocking the event loop."""
        return await asyncio.to_thread(self.place_order, request)

    async def acancel_order(self, order_id: str) -> bool:
        """`cancel_order` without blocking the event loop."""
        return await asyncio.to_thread(self.cancel_order, order_id)

    async def aamend_order(
        self,
        order_id: str,
        *,
        price: Number | None = None,
        quantity: Number | None = None,
        trigger_price: Number | None = None,
    ) -> OrderResult:
        """`amend_order` without blocking the event loop."""
        return await asyncio.to_thread(
            self.amend_order, order_id, price=price, quantity=quantity, trigger_price=trigger_price
        )

    async def aget_positions(self, portfolio_id: str = "default") -> list[PositionInfo]:
        """`get_positions` without blocking the event loop."""
        return await asyncio.to_thread(self.get_positions, portfolio_id)

    async def aget_portfolio_summary(self, portfolio_id: str = "default") -> PortfolioSummary:
        """`get_portfolio_summary` without blocking the event loop."""
        return await asyncio.to_thread(self.get_portfolio_summary, portfolio_id)

    # Inside.

    def _on_event(self, event: Event) -> None:
        if isinstance(event, OrderRefused | AmendRefused | CommandRefused):
            self._refusal = event
        for subscriber in list(self._subscribers):
            try:
                subscriber(event)
            except Exception:  # noqa: BLE001 - a subscriber's error must not reach an order
                self._subscribers.remove(subscriber)
                _log.exception("subscriber dropped after an error", subscriber=repr(subscriber))

    def _command(self, command: Command) -> None:
        """Run a command; a refusal becomes a CallerError."""
        self._refusal = None
        self._simulation.command(command)
        refusal = self._last_refusal()
        if isinstance(refusal, CommandRefused):
            raise CallerError(f"{refusal.command}: {reason_of(refusal.reason)}: {refusal.text}")

    def _last_refusal(self) -> OrderRefused | AmendRefused | CommandRefused | None:
        return self._refusal

    def _was_refused(self) -> bool:
        return self._refusal is not None

    def _wait(self, order: Order) -> None:
        self._wait_until(lambda: _answered(order))

    def _wait_until(self, done: Callable[[], bool]) -> None:
        """Let simulated time pass until `done`, at most ANSWER_WAIT."""
        end = self._simulation.now + ANSWER_WAIT
        while not done():
            due = self._simulation.next_due()
            if due < 0 or due > end:
                return
            self._world.run_until(due)

    def _refused(self, order_id: str) -> OrderResult:
        refusal = self._refusal
        if not isinstance(refusal, OrderRefused | AmendRefused):
            raise EngineError(f"order {order_id} was neither placed nor refused")
        scale = refusal_money_scale(self._state, refusal)
        return OrderResult(
            success=False,
            order_id=order_id,
            status=STATUSES[REJECTED],
            message=describe_refusal(self._state, refusal),
            reason=reason_of(refusal.reason),
            limit=to_decimal(refusal.limit, scale) if refusal.scope or refusal.limit else None,
            value=to_decimal(refusal.value, scale) if refusal.scope or refusal.limit else None,
            scope=_scope_text(refusal.scope, refusal.key),
        )

    def _result(self, order: Order) -> OrderResult:
        instrument = order.instrument
        rejected = order.life == REJECTED
        killed = is_closed(order.life) and order.filled == 0 and order.tif in (IOC, FOK)
        status = status_of(order)
        return OrderResult(
            success=not rejected and not killed and status is not OrderStatus.UNKNOWN,
            order_id=order.id,
            status=status,
            filled_quantity=to_decimal(order.filled, instrument.quantity_scale),
            avg_fill_price=average_price(order),
            message=f"{status.value} on {instrument.venue}",
            reason=reason_of(order.reason),
            exchange=instrument.venue,
        )

    def _order(self, order_id: str) -> Order:
        order = self._state.orders.get(order_id)
        if order is None:
            raise OrderNotFoundError(f"no order {order_id!r} (closed ones are kept for a while only)")
        return order

    def _portfolio(self, portfolio_id: str) -> Portfolio:
        portfolio = self._state.portfolios.get(portfolio_id)
        if portfolio is None:
            known = ", ".join(sorted(self._state.portfolios)) or "none"
            raise PortfolioNotFoundError(f"no portfolio {portfolio_id!r}; open: {known}")
        return portfolio

    def _asset_scale(self, asset: str) -> int:
        scale = self._state.asset_scales.get(asset)
        if scale is None:
            known = ", ".join(sorted(self._state.asset_scales)) or "none"
            raise CallerError(f"no asset {asset!r}; known: {known}")
        return scale

    def _live(self) -> int:
        return sum(1 for order in self._state.orders.values() if not is_closed(order.life))


def _answered(order: Order) -> bool:
    """Whether place_order need not wait any longer."""
    if is_closed(order.life) or order.life == PENDING:
        return True
    return order.life == ACCEPTED and not (
        order.is_market() or order.type == MARKET or order.tif in (IOC, FOK)
    )


def _optional(field: str, value: Number | None, scale: int) -> int:
    """An optional number that must be positive when given (0 means "leave" further in)."""
    if value is None:
        return 0
    scaled = to_scaled(field, value, scale)
    if scaled <= 0:
        raise CallerError(f"{field} must be > 0, not {value}")
    return scaled


def _failed(result: OrderResult, message: str, reason: str) -> OrderResult:
    return OrderResult(
        success=False,
        order_id=result.order_id,
        status=result.status,
        filled_quantity=result.filled_quantity,
        avg_fill_price=result.avg_fill_price,
        message=message,
        reason=reason,
        exchange=result.exchange,
    )


def _scope_text(scope: int, key: str) -> str:
    """"portfolio:main", "global", or "" when no limit was met."""
    names: Sequence[str] = [member.value for member in Scope]
    return f"{names[scope]}:{key}" if key else ""
