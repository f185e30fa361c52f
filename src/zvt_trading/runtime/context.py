"""What a strategy may do and see."""

from decimal import Decimal

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.state import Order, Portfolio, State
from zvt_trading.errors import OrderNotFoundError
from zvt_trading.messages.commands import CancelAll, CancelOrder
from zvt_trading.runtime.numbers import to_decimal
from zvt_trading.runtime.requests import instrument_of, to_amend, to_command
from zvt_trading.runtime.views import order_info, portfolio_summary, position_info
from zvt_trading.sim.simulation import Simulation
from zvt_trading.types import (
    Number,
    OrderInfo,
    OrderRequest,
    OrderSide,
    OrderType,
    PortfolioSummary,
    PositionInfo,
    TimeInForce,
)


class StrategyContext:
    """Bound to one strategy name and one portfolio; everything it places carries both."""

    def __init__(self, simulation: Simulation, strategy_id: str, portfolio_id: str) -> None:
        self._simulation = simulation
        self._state: State = simulation.core.state
        self.strategy_id = strategy_id
        self.portfolio_id = portfolio_id

    @property
    def now(self) -> int:
        """The engine's time, int nanoseconds UTC."""
        return self._simulation.now

    @property
    def instruments(self) -> tuple[str, ...]:
        """Ids ("venue:SYMBOL") of everything tradable."""
        return tuple(self._state.markets)

    def place(
        self,
        symbol: str,
        side: OrderSide | str,
        quantity: Number,
        *,
        exchange: str | None = None,
        order_type: OrderType | str = OrderType.MARKET,
        price: Number | None = None,
        trigger_price: Number | None = None,
        trailing_offset: Number | None = None,
        trailing_offset_bps: int | None = None,
        time_in_force: TimeInForce | str = TimeInForce.GTC,
        post_only: bool = False,
        reduce_only: bool = False,
    ) -> str:
        """Place an order; returns its id at once (on_order tells what becomes of it).

        Raises CallerError when the request cannot be meant. When the risk gate refuses it, `knows`
        says so: there is no order of this id.
        """
        request = OrderRequest(
            symbol=symbol,
            side=side,
            quantity=quantity,
            order_type=order_type,
            price=price,
            trigger_price=trigger_price,
            trailing_offset=trailing_offset,
            trailing_offset_bps=trailing_offset_bps,
            exchange=exchange,
            portfolio_id=self.portfolio_id,
            strategy_id=self.strategy_id,
            time_in_force=time_in_force,
            post_only=post_only,
            reduce_only=reduce_only,
        )
        return self._simulation.submit(to_command(self._state, request))

    def buy(self, symbol: str, quantity: Number, *, exchange: str | None = None) -> str:
        """Buy at market."""
        return self.place(symbol, OrderSide.BUY, quantity, exchange=exchange)

    def sell(self, symbol: str, quantity: Number, *, exchange: str | None = None) -> str:
        """Sell at market."""
        return self.place(symbol, OrderSide.SELL, quantity, exchange=exchange)

    def cancel(self, order_id: str) -> None:
        """Ask for a cancel; safe to repeat."""
        self._simulation.command(CancelOrder(order_id))

    def cancel_all(self) -> None:
        """Cancel everything this strategy has working."""
        self._simulation.command(CancelAll(portfolio=self.portfolio_id, strategy=self.strategy_id))

    def amend(
        self, order_id: str, *, price: Number | None = None, quantity: Number | None = None
    ) -> None:
        """Ask for a new price or total quantity."""
        order = self._find(order_id)
        self._simulation.command(to_amend(order.instrument, order_id, price, quantity, None))

    def order(self, order_id: str) -> OrderInfo:
        """An order as it stands; OrderNotFoundError when it is not (or no longer) known."""
        return order_info(self._find(order_id))

    def knows(self, order_id: str) -> bool:
        """Whether an order was taken (a refused one is not) and is still known."""
        return order_id in self._state.orders

    def working_orders(self) -> list[OrderInfo]:
        """This strategy's orders that were sent and still work."""
        portfolio = self._state.portfolios[self.portfolio_id]
        return [
            order_info(order)
            for holding in portfolio.holdings.values()
            for order in holding.orders.values()
            if order.strategy.name == self.strategy_id
        ]

    def position(self, symbol: str, exchange: str) -> Decimal:
        """The portfolio's signed quantity of one instrument."""
        instrument = self.instrument(symbol, exchange)
        holding = self._portfolio().holdings.get(instrument.id)
        quantity = holding.position.quantity if holding is not None else 0
        return to_decimal(quantity, instrument.quantity_scale)

    def positions(self) -> list[PositionInfo]:
        """All open positions of the portfolio."""
        return [
            position_info(holding)
            for holding in self._portfolio().holdings.values()
            if holding.position.quantity
        ]

    def summary(self) -> PortfolioSummary:
        """The portfolio marked to market."""
        return portfolio_summary(self._state, self._portfolio())

    def available(self, exchange: str, asset: str) -> Decimal:
        """Cash that a new order may use."""
        balance = self._state.ledger.find(self.portfolio_id, exchange, asset)
        if balance is None:
            return Decimal(0)
        return to_decimal(balance.available(), self._state.asset_scales[asset])

    def instrument(self, symbol: str, exchange: str) -> Instrument:
        """The instrument with its filters and live prices (ints); SymbolNotFoundError otherwise."""
        return instrument_of(self._state, symbol, exchange)

    def price(self, symbol: str, exchange: str) -> tuple[Decimal, Decimal]:
        """(bid, ask) now; zero when there is none yet."""
        instrument = self.instrument(symbol, exchange)
        scale = instrument.price_scale
        return to_decimal(instrument.bid, scale), to_decimal(instrument.ask, scale)

    def _find(self, order_id: str) -> Order:
        order = self._state.orders.get(order_id)
        if order is None:
            raise OrderNotFoundError(f"no order {order_id!r}")
        return order

    def _portfolio(self) -> Portfolio:
        return self._state.portfolios[self.portfolio_id]
