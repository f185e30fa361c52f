"""The front door: `CryptoTradingEngine`.

    engine = CryptoTradingEngine()                    # four simulated exchanges, a funded portfolio
    result = engine.place_order(OrderRequest(symbol="BTC/USDT", side="buy", quantity="0.1"))
    engine.get_positions("default")

Any number of threads and tasks may call; inside there is a single writer. Under simulated time an
order takes the time its messages take: `place_order` lets the market go on until it is answered.

Errors: CallerError for what cannot be meant (nothing was done then); a business refusal of an order
is a result with `success=False`. EngineError is a bug of ours: the engine takes no more commands.
"""

from collections.abc import Callable
from decimal import Decimal
from types import TracebackType
from typing import Self

from zvt_trading.bootstrap import default_world, stored_memory
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.snapshot import digest
from zvt_trading.core.state import Order, State
from zvt_trading.errors import CallerError, OrderNotFoundError
from zvt_trading.messages.codes import CANCELLED
from zvt_trading.messages.commands import (
    CancelAll,
    CancelOrder,
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
from zvt_trading.ports.strategy import StrategyPort
from zvt_trading.runtime.async_twins import AsyncTwins
from zvt_trading.runtime.codes import code_of
from zvt_trading.runtime.desk import Desk
from zvt_trading.runtime.driver import Driver, Subscriber
from zvt_trading.runtime.numbers import to_decimal, to_scaled
from zvt_trading.runtime.order_lists import to_bracket, to_oco
from zvt_trading.runtime.placing import Placing
from zvt_trading.runtime.requests import (
    check_exchange,
    check_limits,
    check_name,
    check_portfolio,
    instrument_of,
)
from zvt_trading.runtime.results import is_answered
from zvt_trading.runtime.views import ledger_rows, order_info, portfolio_summary, position_info
from zvt_trading.runtime.world import World
from zvt_trading.types import (
    AccountingMethod,
    FillInfo,
    LedgerRow,
    MarginMode,
    Number,
    OrderInfo,
    OrderRequest,
    OrderResult,
    OrderSide,
    PortfolioSummary,
    PositionInfo,
    Scope,
    TradingState,
)


class CryptoTradingEngine(AsyncTwins):
    """An engine over a world: simulated exchanges by default, see `bootstrap` for others."""

    def __init__(self, world: World | None = None, *, db_url: str | None = None) -> None:
        """With `db_url` the default world is remembered there: it goes on where it stopped.

        `sqlite:///PATH` or `postgresql://USER@HOST/DATABASE`; `default_url()` of
        zvt_trading.bootstrap is the user's own file. Raises LeaseTakenError while another engine
        uses the store, DamagedJournalError when it is not what was written.
        """
        if world is not None and db_url is not None:
            raise CallerError("give a world or a db_url: a world has its own memory")
        self._world = world if world is not None else _usual_world(db_url)
        self._simulation = self._world.simulation
        self._state: State = self._simulation.core.state
        self._driver = Driver(self._world)
        self._desk = Desk(self._driver.pump)
        self._placing = Placing(self._driver, self._state)
        self._world.go(self._desk, self._driver.guarded)

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
        with self._desk.turn():
            self._driver.stop_strategies()
        self._world.wait(self._simulation.is_settled)
        self._world.disconnect()
        with self._desk.turn():
            self._driver.stop()
        self._desk.close()

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
        command = self._placing.read(request)
        result = self._desk.run(lambda: self._placing.begin(request, command))
        return self._answered((result,))[0]

    async def aplace_order(self, request: OrderRequest) -> OrderResult:
        """`place_order` without blocking the event loop; many at once are one group."""
        command = self._placing.read(request)
        result = await self._desk.call(lambda: self._placing.begin(request, command))
        if not self._world.is_live:
            return result
        waiting = self._placing.unanswered((result,))
        await self._world.await_(lambda: all(is_answered(order) for order in waiting))
        # Also when there was nothing to wait for: the answer may have come since the result.
        return await self._desk.call(lambda: lambda: self._placing.again((result,))[0])

    def place_oco(self, profit: OrderRequest, stop: OrderRequest) -> tuple[OrderResult, ...]:
        """Place two exits of one position, of which one ends the other; all or none.

        `profit` is a limit or take-profit order, `stop` a stop; same side, quantity and exchange.
        Returns a result each, in this order; when refused, both say why.
        """
        with self._desk.turn():
            results = self._placing.place_list(to_oco(self._state, profit, stop))
        return self._answered(results)

    def place_bracket(
        self,
        entry: OrderRequest,
        *,
        take_profit: Number,
        stop_loss: Number,
        stop_limit: Number | None = None,
    ) -> tuple[OrderResult, ...]:
        """Place a market or limit entry with both its exits; all or none.

        The exits cover what the entry has filled, and one ends the other: a limit order at
        `take_profit`, and from `stop_loss` on a market order (a limit order at `stop_limit`).
        Returns the results of entry, take-profit and stop-loss; when refused, all say why.
        """
        with self._desk.turn():
            results = self._placing.place_list(
                to_bracket(self._state, entry, take_profit, stop_loss, stop_limit)
            )
        return self._answered(results)

    def cancel_order(self, order_id: str) -> bool:
        """Cancel an order; True when it was taken back just now, False when it was over before.

        False also when the venue has not confirmed it within ANSWER_WAIT; it is asked again then.
        Raises OrderNotFoundError for an id this engine never gave or no longer remembers.
        """
        with self._desk.turn():
            order = self._order(order_id)
            if is_closed(order.life):
                return False
            self._driver.decide(CancelOrder(order_id))
            self._driver.wait_until(lambda: is_closed(order.life) or not order.pending)
        self._world.wait(lambda: is_closed(order.life) or not order.pending)
        return order.life == CANCELLED

    def cancel_all(
        self,
        portfolio_id: str = "",
        *,
        strategy_id: str = "",
        exchange: str = "",
        symbol: str = "",
        side: OrderSide | str | None = None,
    ) -> int:
        """Cancel every live order that matches all the given fields; returns how many are now.

        Raises CallerError for a name that does not exist: a typing error must not cancel nothing.
        """
        with self._desk.turn():
            code = code_of("side", side) if side is not None else 0
            if portfolio_id:
                check_portfolio(self._state, portfolio_id)
            if exchange:
                check_exchange(self._state, exchange)
            if symbol:
                instrument_of(self._state, symbol, exchange or None)
            check_name("strategy_id", strategy_id)
            live = [order for order in self._state.orders.values() if not is_closed(order.life)]
            self._driver.decide(CancelAll(portfolio_id, strategy_id, exchange, symbol, code))
            self._driver.wait_until(self._simulation.is_settled)
        self._world.wait(lambda: not any(order.pending for order in live))
        return sum(1 for order in live if order.life == CANCELLED)

    def amend_order(
        self,
        order_id: str,
        *,
        price: Number | None = None,
        quantity: Number | None = None,
        trigger_price: Number | None = None,
    ) -> OrderResult:
        """Change price, total quantity or trigger of a live order; None leaves one as it is.

        When that is refused the result says why, with the status of the order, which works on.
        """
        with self._desk.turn():
            order = self._order(order_id)
            terms = self._placing.terms(order, price, quantity, trigger_price)
            result = self._placing.amend(order, terms)
            is_under_way = self._world.is_live and bool(order.pending)
        if not is_under_way:
            return result
        self._world.wait(lambda: not order.pending)
        with self._desk.turn():
            return self._placing.amended(order, terms)

    def get_order(self, order_id: str) -> OrderInfo:
        """An order as it stands; OrderNotFoundError when it is not known."""
        with self._desk.turn():
            return order_info(self._order(order_id))

    def get_orders(
        self, portfolio_id: str | None = None, *, open_only: bool = False, symbol: str | None = None
    ) -> list[OrderInfo]:
        """Live and recently closed orders, oldest first."""
        with self._desk.turn():
            if portfolio_id is not None:
                check_portfolio(self._state, portfolio_id)
            return [
                order_info(order)
                for order in self._state.orders.values()
                if portfolio_id in (None, order.holding.portfolio.name)
                and symbol in (None, order.instrument.symbol)
                and not (open_only and is_closed(order.life))
            ]

    def get_fills(self, portfolio_id: str = "default") -> list[FillInfo]:
        """The portfolio's latest executions since this engine began, oldest first.

        Those of earlier ones are in the store's crypto_trade; a world may keep no history.
        """
        with self._desk.turn():
            check_portfolio(self._state, portfolio_id)
            fills = self._world.history.fills
            return [fill for fill in fills if fill.portfolio_id == portfolio_id]

    # Portfolios.

    def open_portfolio(
        self,
        portfolio_id: str,
        base_asset: str = "USDT",
        method: AccountingMethod | str = AccountingMethod.FIFO,
    ) -> None:
        """Open a portfolio valued in `base_asset`; `method` is how its lots are consumed."""
        with self._desk.turn():
            check_name("portfolio_id", portfolio_id)
            scale = self._asset_scale(base_asset)
            code = code_of("accounting_method", method)
            self._driver.control(OpenPortfolio(portfolio_id, base_asset, scale, code))

    def get_positions(self, portfolio_id: str = "default") -> list[PositionInfo]:
        """The portfolio's open positions with their lots, marked to market."""
        with self._desk.turn():
            check_portfolio(self._state, portfolio_id)
            return [
                position_info(holding)
                for holding in self._state.portfolios[portfolio_id].holdings.values()
                if holding.position.quantity
            ]

    def get_portfolio_summary(self, portfolio_id: str = "default") -> PortfolioSummary:
        """The portfolio marked to market, in its base asset."""
        with self._desk.turn():
            check_portfolio(self._state, portfolio_id)
            return portfolio_summary(self._state, self._state.portfolios[portfolio_id])

    def deposit(self, portfolio_id: str, exchange: str, asset: str, amount: Number) -> None:
        """Money arrives at an exchange."""
        with self._desk.turn():
            scaled = self._cash(portfolio_id, exchange, asset, amount)
            self._driver.control(Deposit(portfolio_id, exchange, asset, scaled))

    def withdraw(self, portfolio_id: str, exchange: str, asset: str, amount: Number) -> None:
        """Money leaves an exchange; CallerError when it is not available."""
        with self._desk.turn():
            scaled = self._cash(portfolio_id, exchange, asset, amount)
            self._driver.control(
                Withdraw(portfolio_id, exchange, asset, scaled),
                self._available(portfolio_id, exchange, asset),
            )

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
        """Move money between exchanges or portfolios; CallerError when it is not available."""
        with self._desk.turn():
            self._cash(to_portfolio, to_exchange, asset, amount)
            scaled = self._cash(from_portfolio, from_exchange, asset, amount)
            self._driver.control(
                Transfer(from_portfolio, from_exchange, to_portfolio, to_exchange, asset, scaled),
                self._available(from_portfolio, from_exchange, asset),
            )

    def ledger(self) -> tuple[LedgerRow, ...]:
        """The books' proof: one row a portfolio and asset; every difference is zero."""
        with self._desk.turn():
            return ledger_rows(self._state)

    # Risk.

    def set_limits(self, limits: LimitSet) -> None:
        """Replace the limits of one scope; CallerError says why they are refused."""
        with self._desk.turn():
            check_limits(limits)
            self._driver.control(SetLimits(limits))

    def set_leverage(
        self,
        portfolio_id: str,
        symbol: str,
        exchange: str,
        leverage: int,
        margin_mode: MarginMode | str = MarginMode.CROSS,
    ) -> None:
        """Leverage and margin mode of a flat perpetual."""
        with self._desk.turn():
            instrument = instrument_of(self._state, symbol, exchange)
            mode = code_of("margin_mode", margin_mode)
            times = to_scaled("leverage", leverage, 0)
            check_portfolio(self._state, portfolio_id)
            self._driver.control(SetLeverage(portfolio_id, instrument.id, times, mode))

    def set_trading_state(
        self, state: TradingState | str, scope: Scope | str = Scope.GLOBAL, key: str = ""
    ) -> None:
        """ACTIVE, REDUCING or HALTED for one scope; `key` names it."""
        with self._desk.turn():
            code = code_of("state", state)
            check_name("key", key)
            where = code_of("scope", scope)
            self._driver.control(SetTradingState(where, key, code), f"no scope {scope!s} {key!r}")

    def kill_switch(self, *, flatten: bool = False, reason: str = "") -> None:
        """Cancel everything and halt; with `flatten` close every position at market.

        What the market cannot take at once stays: `get_positions` shows it, pull again.
        """
        with self._desk.turn():
            check_name("reason", reason)
            self._driver.decide(KillSwitch(bool(flatten), reason))
            self._driver.wait_until(self._simulation.is_settled)
        self._world.wait(self._simulation.is_settled)

    # Time, strategies, events.

    def add_strategy(
        self, strategy: StrategyPort, strategy_id: str = "", portfolio_id: str = "default"
    ) -> None:
        """Start a strategy; it trades while time passes (`advance`).

        Raises CallerError when one of this name is running, or when it fails in `on_start`.
        """
        with self._desk.turn():
            check_portfolio(self._state, portfolio_id)
            name = strategy_id or type(strategy).__name__.lower()
            runner = self._world.add_strategy(strategy, name, portfolio_id)
            if runner.error:
                raise CallerError(f"strategy {name!r} could not start: {runner.error}")

    def advance(self, seconds: Number) -> bool:
        """Let simulated time pass; False when the feed ended before."""
        with self._desk.turn():
            duration = to_scaled("seconds", seconds, 9)
            if duration <= 0:
                raise CallerError(f"seconds must be > 0, not {seconds}")
            return self._driver.run_until(self._simulation.now + duration)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with every event from now on; returns how to stop it.

        It runs on the thread that caused the event, under the engine's lock. It may place orders;
        they are on their way when the call returns, and their outcome comes as events. One that
        raises is dropped, and can break no order.
        """
        with self._desk.turn():
            self._driver.subscribe(subscriber)

        def unsubscribe() -> None:
            with self._desk.turn():
                self._driver.unsubscribe(subscriber)

        return unsubscribe

    def digest(self) -> str:
        """Digest of the whole state: equal digests, equal states."""
        with self._desk.turn():
            return digest(self._state, self._simulation.core.risk)

    # Inside.

    def _answered(self, results: tuple[OrderResult, ...]) -> tuple[OrderResult, ...]:
        """Results when live venues have answered, or did not in time."""
        if not self._world.is_live:
            return results
        waiting = self._placing.unanswered(results)
        self._world.wait(lambda: all(is_answered(order) for order in waiting))
        # Also when there was nothing to wait for: the answer may have come since the results.
        with self._desk.turn():
            return self._placing.again(results)

    def _order(self, order_id: str) -> Order:
        check_name("order_id", order_id)
        order = self._state.orders.get(order_id)
        if order is None:
            raise OrderNotFoundError(f"no order {order_id!r} (closed ones are kept for a while)")
        return order

    def _asset_scale(self, asset: str) -> int:
        check_name("asset", asset)
        scale = self._state.asset_scales.get(asset)
        if scale is None:
            known = ", ".join(sorted(self._state.asset_scales)) or "none"
            raise CallerError(f"no asset {asset!r}; known: {known}")
        return scale

    def _cash(self, portfolio_id: str, exchange: str, asset: str, amount: Number) -> int:
        """An amount of money that names an account, on the asset's scale."""
        check_portfolio(self._state, portfolio_id)
        check_exchange(self._state, exchange)
        self._world.check_money(exchange)
        scaled = to_scaled("amount", amount, self._asset_scale(asset))
        if scaled <= 0:
            raise CallerError(f"amount must be > 0, not {amount}")
        return scaled

    def _available(self, portfolio_id: str, exchange: str, asset: str) -> str:
        """What an account has, for the message when it is not enough."""
        balance = self._state.ledger.find(portfolio_id, exchange, asset)
        scale = self._state.asset_scales[asset]
        amount = to_decimal(balance.available(), scale) if balance is not None else Decimal(0)
        return f"{portfolio_id!r} has {amount:f} {asset} available on {exchange}"


def _usual_world(db_url: str | None) -> World:
    """The default one, with what the store of a URL remembers."""
    if db_url is None:
        return default_world()
    memory = stored_memory(db_url)
    try:
        return default_world(memory=memory)
    except BaseException:
        memory.close()
        raise
