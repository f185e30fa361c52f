"""A small world of real objects for the tests of the risk gate.

One venue "x" with BTC/USD (spot, tick 0.01, lot 0.001), BTC/USD:USD (linear) and BTC/USD:BTC
(inverse); a market of 99.99 / 100.01; one portfolio with 1,000,000 USD and 100 BTC.
"""

from typing import Any

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.risk_manager import RiskManager
from zvt_trading.core.state import Holding, Market, Order, Portfolio, State, Symbol, Venue
from zvt_trading.core.ticket import Ticket
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import (
    BUY,
    GTC,
    INVERSE,
    LIMIT,
    LINEAR,
    MARKET,
    OFFSET_PRICE,
    PENDING,
    SPOT,
    TRIGGER_QUOTE,
)
from zvt_trading.messages.commands import LimitSet, OpenPortfolio, SubmitOrder
from zvt_trading.messages.market import InstrumentSpec

NOW = 1_700_000_000 * SECOND
MS = 1_000_000
USD = 10**8  # one dollar
BTC = 10**8
ONE = 1_000  # one coin (or contract), as a quantity
CENT = 1  # one tick
SPOT_ID = "x:BTC/USD"
LINEAR_ID = "x:BTC/USD:USD"
INVERSE_ID = "x:BTC/USD:BTC"
MILLION = 1_000_000 * USD
DEPOSIT_BTC = 100 * BTC
LOOSE = LimitSet(
    scope=0,
    order_notional_max=10**20,
    open_orders_max=10**6,
    position_notional_max=10**20,
    exposure_max=10**20,
    allocation_bps_max=10_000_000,
    leverage_max=1_000,
    orders_per_second_max=10**6,
    orders_per_hour_max=10**6,
    orders_per_day_max=10**6,
    duplicate_window_ms=0,
    repeated_executions_max=10**6,
)
"""A global set under which no size or pace limit is ever met."""


def spec(
    symbol: str = "BTC/USD", kind: int = SPOT, venue: str = "x", **changes: Any
) -> InstrumentSpec:
    """An instrument of the world."""
    fields: dict[str, Any] = {
        "venue": venue,
        "symbol": symbol,
        "kind": kind,
        "base": "BTC",
        "quote": "USD",
        "settle": "BTC" if kind == INVERSE else "USD",
        "price_scale": 2,
        "quantity_scale": 3,
        "base_scale": 8,
        "quote_scale": 8,
        "tick": 1,
        "lot": 1,
        "quantity_min": 1,
        "maker_fee": 50_000,
        "taker_fee": 100_000,
        "leverage_max": 100,
    }
    if kind == INVERSE:
        fields["contract_size"] = 100
    fields.update(changes)
    return InstrumentSpec(**fields)


class World:
    """State, gate and short ways to fill them."""

    def __init__(self, *, loose: bool = False, **spot_changes: Any) -> None:
        self.state = State(1, 0)
        self.risk = RiskManager()
        self.now = NOW
        self.count = 0
        for one in (
            spec(**spot_changes),
            spec("BTC/USD:USD", LINEAR),
            spec("BTC/USD:BTC", INVERSE),
        ):
            self.list(one)
        self.portfolio = self.open("main")
        if loose:
            self.limit(LOOSE)

    def list(self, one: InstrumentSpec) -> Market:
        """List an instrument with a market of 99.99 / 100.01."""
        state = self.state
        venue = state.venues.setdefault(one.venue, Venue(one.venue))
        symbol = state.symbols.setdefault(one.symbol, Symbol(one.symbol))
        instrument = Instrument(one)
        market = Market(instrument, venue, symbol)
        symbol.markets.append(market)
        state.markets[instrument.id] = market
        self.quote(9_999, 10_001, instrument.id)
        return market

    def quote(self, bid: int, ask: int, instrument_id: str = SPOT_ID, age_ms: int = 0) -> None:
        """Set a market's top of book, mark and time."""
        instrument = self.state.markets[instrument_id].instrument
        instrument.bid = bid
        instrument.ask = ask
        instrument.bid_size = instrument.ask_size = 10 * ONE
        instrument.mark = (bid + ask) // 2 if bid and ask else 0
        instrument.quote_ts = self.now - age_ms * MS

    def open(self, name: str) -> Portfolio:
        """Open a portfolio in USD with a million of them, and 100 BTC worth 10,000."""
        portfolio = Portfolio(OpenPortfolio(name, "USD", 8))
        self.state.portfolios[name] = portfolio
        for asset, amount in (("USD", MILLION), ("BTC", DEPOSIT_BTC)):
            balance = self.state.ledger.balance(name, "x", asset)
            self.state.ledger.post(balance, 0, amount)
            balance.rate_num = 1 if asset == "USD" else 100
            balance.rate_den = 1
        portfolio.equity = MILLION
        portfolio.peak_equity = MILLION
        portfolio.day_start_equity = MILLION
        portfolio.day = 0
        return portfolio

    def holding(self, instrument_id: str = SPOT_ID, portfolio: str = "main") -> Holding:
        """A portfolio's holding."""
        return self.state.holding(
            self.state.portfolios[portfolio], self.state.markets[instrument_id]
        )

    def request(
        self,
        side: int = BUY,
        quantity: int = ONE,
        price: int = 0,
        kind: int | None = None,
        **changes: Any,
    ) -> SubmitOrder:
        """A request: a limit order with a price, a market order without."""
        kind = kind if kind is not None else (LIMIT if price else MARKET)
        fields: dict[str, Any] = {
            "portfolio": "main",
            "instrument": SPOT_ID,
            "side": side,
            "type": kind,
            "quantity": quantity,
            "price": price,
            "tif": GTC,
            "trigger_by": TRIGGER_QUOTE,
            "trailing_unit": OFFSET_PRICE,
        }
        fields.update(changes)
        return SubmitOrder(**fields)

    def ticket(self, *args: int, held: bool = False, **changes: Any) -> Ticket:
        """A ticket for a request."""
        request = self.request(*args, **changes)
        holding = self.holding(request.instrument, request.portfolio)
        strategy = self.state.strategy(request.strategy)
        ticket = Ticket(self.state.terms(request), holding.portfolio, holding, strategy)
        ticket.held = held
        return ticket

    def check(self, ticket: Ticket) -> int:
        """Ask the gate."""
        return self.risk.check(ticket, self.state, self.now)

    def place(self, *args: int, held: bool = False, **changes: Any) -> Order:
        """Put an order to work as an approved one would be, whatever the gate thinks."""
        return self.work(self.ticket(*args, held=held, **changes))

    def work(self, ticket: Ticket) -> Order:
        """What `evolve` does with a placed order."""
        self.count += 1
        order = Order(f"o{self.count}", ticket.terms, ticket.holding, ticket.strategy, self.now)
        ticket.portfolio.open_orders += 1
        if ticket.held:
            order.life = PENDING
        else:
            holding = ticket.holding
            order.working = order.quantity
            holding.orders[order.id] = order
            if order.side == BUY:
                holding.open_buy += order.quantity
            else:
                holding.open_sell += order.quantity
            self.expose(holding)
            if ticket.hold_balance is not None:
                ticket.hold_balance.hold(ticket.hold)
                order.hold = ticket.hold
                order.hold_balance = ticket.hold_balance
        self.risk.on_placed(order, self.now)
        return order

    def fill(self, order: Order, price: int = 10_000) -> None:
        """Fill an order completely."""
        holding = order.holding
        holding.position.apply_fill(order.side, price, order.working, self.now, order.id)
        self.end(order)
        order.trade_ids.append(f"t{self.count}")
        self.risk.on_filled(order, self.now)

    def end(self, order: Order) -> None:
        """Take an order out of the market."""
        holding = order.holding
        if order.side == BUY:
            holding.open_buy -= order.working
        else:
            holding.open_sell -= order.working
        order.working = 0
        order.hold_balance.release(order.hold)
        order.hold = 0
        del holding.orders[order.id]
        holding.portfolio.open_orders -= 1
        self.expose(holding)

    def position(
        self, quantity: int, instrument_id: str = SPOT_ID, portfolio: str = "main"
    ) -> Holding:
        """Give a portfolio a position."""
        holding = self.holding(instrument_id, portfolio)
        side = 1 if quantity > 0 else -1
        holding.position.apply_fill(side, 10_000, abs(quantity), self.now, "p")
        self.expose(holding)
        return holding

    def expose(self, holding: Holding) -> None:
        """Bring the holding's worst-case exposure up to date, written from its definition."""
        quantity = holding.position.quantity
        worst = max(quantity + holding.open_buy, holding.open_sell - quantity)
        instrument = holding.instrument
        value = instrument.value(instrument.mark, worst)
        value = value * holding.settle.rate_num // holding.settle.rate_den
        holding.portfolio.exposure += value - holding.exposure_value
        holding.exposure_value = value

    def limit(self, limit_set: LimitSet) -> None:
        """Set limits that must be valid."""
        assert self.risk.validate(limit_set) == (0, "")
        self.risk.on_limits_set(limit_set)
