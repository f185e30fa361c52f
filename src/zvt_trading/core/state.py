"""What the engine knows. Plain slotted objects; only `evolve` (and the market) changes them."""

from typing import Final, final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.ledger import Balance, Ledger
from zvt_trading.core.limits import CLOSED_ORDERS_KEPT, QUARANTINED_KEPT, VENUE_ENTRIES_KEPT
from zvt_trading.core.order_book import OrderBook
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.position_manager import Position, PositionManager
from zvt_trading.messages.codes import (
    ACTIVE,
    MARKET,
    NO_REQUEST,
    PENDING,
    STOP,
    SUBMITTED,
    TAKE_PROFIT,
    TRAILING_STOP,
)
from zvt_trading.messages.commands import OpenPortfolio, SubmitOrder, submit_order_fields


@final
class Venue:
    """One exchange: whether it can be used, and its trading state."""

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.trading_state = ACTIVE
        self.history_cursor = 0  # its history was read up to here
        self.healthy = True  # what the feeds said; not journalled


@final
class Symbol:
    """A symbol over all venues that list it; the scope of SCOPE_SYMBOL."""

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.trading_state = ACTIVE
        self.markets: list[Market] = []


@final
class Strategy:
    """A named source of orders ("" for manual ones)."""

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.trading_state = ACTIVE


@final
class Market:
    """One instrument with everything that watches it."""

    def __init__(self, instrument: Instrument, venue: Venue, symbol: Symbol) -> None:
        self.instrument: Final = instrument
        self.venue: Final = venue
        self.symbol: Final = symbol
        self.holdings: list[Holding] = []
        self.stops: list[Order] = []  # armed: waiting for their trigger, or triggered and waiting
        # Market view, not journalled.
        self.valued: list[Valued] = []  # balances whose value follows this market's price
        self.book: OrderBook | None = None
        self.has_quotes = False


@final
class Valued:
    """A balance whose value in its portfolio's base asset follows a market's price."""

    def __init__(self, portfolio: "Portfolio", balance: Balance, rate_den: int) -> None:
        self.portfolio: Final = portfolio
        self.balance: Final = balance
        self.rate_den: Final = rate_den
        # What settles in the balance: its gains and exposure follow the price as well.
        self.settled: list[Holding] = [
            holding for holding in portfolio.holdings.values() if holding.settle is balance
        ]


@final
class Portfolio:
    """A pot of money with one accounting method and one base asset."""

    def __init__(self, request: OpenPortfolio) -> None:
        self.request: Final = request
        self.name: Final = request.portfolio
        self.base_asset: Final = request.base_asset
        self.base_scale: Final = request.base_scale
        self.method: Final = request.method
        self.trading_state = ACTIVE
        self.holdings: dict[str, Holding] = {}
        self.balances: list[Balance] = []
        self.open_orders = 0
        # Marked to market, base asset units. Not journalled; the marks of risk below are.
        self.equity = 0
        self.exposure = 0
        self.unmarked = False  # restarted: `equity` lacks what has had no price yet
        self.equity_shift = 0  # value that appeared because a price did, not because we earned it
        # Risk marks, journalled by EquitySampled and CoolDownStarted.
        self.peak_equity = 0
        self.day_start_equity = 0
        self.day = -1
        self.cool_down_until = 0
        self.sampled_equity = 0  # of the last EquitySampled
        self.sampled_ts = 0


@final
class Holding:
    """A portfolio in one instrument: position, the balances it settles in, open quantities."""

    def __init__(
        self,
        portfolio: Portfolio,
        market: Market,
        position: Position,
        base: Balance,
        settle: Balance,
    ) -> None:
        self.portfolio: Final = portfolio
        self.market: Final = market
        self.instrument: Final = market.instrument
        self.position: Final = position
        self.base: Final = base  # SPOT: balance of the base asset; perpetuals: the settle balance
        self.settle: Final = settle
        self.orders: dict[str, Order] = {}  # live orders that were sent
        # Working quantity: in flight, UNKNOWN, resting, or filled but not yet told to us.
        self.open_buy = 0
        self.open_sell = 0
        # Contributions to the portfolio, in base asset units (marked to market).
        self.unrealized_value = 0
        self.exposure_value = 0
        # Settle-asset fees and funding of this position, for reports.
        self.fees = 0
        self.funding = 0

    def balance_of(self, asset: str) -> Balance:
        """The one of its two balances that holds this asset."""
        return self.settle if asset == self.settle.asset else self.base


@final
class OrderList:
    """Orders linked as OCO or bracket."""

    def __init__(self, list_id: str, kind: int) -> None:
        self.id: Final = list_id
        self.kind: Final = kind
        self.orders: list[Order] = []

    def is_live(self) -> bool:
        """Whether any of its orders may still execute."""
        return any(not is_closed(order.life) for order in self.orders)


@final
class Terms:
    """A request read once: reading a message's field costs many times what reading ours does."""

    def __init__(self, request: SubmitOrder) -> None:
        self.request: Final = request
        fields = submit_order_fields(request)
        self.portfolio: Final[str] = fields[0]
        self.instrument: Final[str] = fields[1]
        self.side: Final[int] = fields[2]
        self.type: Final[int] = fields[3]
        self.quantity: Final[int] = fields[4]
        self.price: Final[int] = fields[5]
        self.trigger_price: Final[int] = fields[6]
        self.tif: Final[int] = fields[7]
        self.expire_ts: Final[int] = fields[8]
        self.post_only: Final[bool] = fields[9]
        self.reduce_only: Final[bool] = fields[10]
        self.strategy: Final[str] = fields[11]
        self.client_tag: Final[str] = fields[12]
        self.trigger_by: Final[int] = fields[13]
        self.trailing_offset: Final[int] = fields[14]
        self.trailing_unit: Final[int] = fields[15]


@final
class Order:
    """One order. `working` is the quantity that may still execute (or has, untold to us)."""

    def __init__(
        self, order_id: str, terms: Terms, holding: Holding, strategy: Strategy, ts: int
    ) -> None:
        self.id: Final = order_id
        self.terms: Final = terms
        self.request: Final = terms.request
        self.holding: Final = holding
        self.instrument: Final = holding.instrument
        self.strategy: Final = strategy
        self.side: Final = terms.side
        self.type: Final = terms.type
        self.tif: Final = terms.tif
        self.ts: Final = ts
        self.quantity = terms.quantity
        self.price = terms.price
        self.trigger_price = terms.trigger_price
        self.life = SUBMITTED
        self.pending = NO_REQUEST
        self.filled = 0
        self.filled_value = 0  # sum of price x quantity of the fills
        self.working = 0
        self.hold = 0
        self.hold_balance: Balance = holding.settle
        self.worst_price = 0
        self.triggered = False
        self.venue_order_id = ""
        self.reason = 0
        self.trade_ids: list[str] = []
        self.list: OrderList | None = None
        self.role = 0
        # An amend whose outcome is not known yet: what it asked for (0: none is under way).
        self.amend_price = 0
        self.amend_quantity = 0
        self.hold_before_amend = 0
        self.amended_ts = 0  # the venue's time of the last amend
        self.hold_released = 0  # the reservation it was sent with

    def leaves(self) -> int:
        """Quantity not filled yet."""
        return self.quantity - self.filled if self.quantity > self.filled else 0

    def is_held(self) -> bool:
        """Whether the core holds it back (nothing was sent)."""
        return self.life == PENDING

    def is_market(self) -> bool:
        """Whether it goes, or went, to the venue as a market order."""
        return self.type in (MARKET, STOP, TAKE_PROFIT, TRAILING_STOP)

    def average_price(self) -> int:
        """Average fill price on the symbol's scale, rounded to nearest; 0 when nothing filled."""
        return (2 * self.filled_value + self.filled) // (2 * self.filled) if self.filled else 0


@final
class State:
    """The whole state: a function of the events, and of nothing else but the market view."""

    def __init__(self, engine_tag: int, epoch: int) -> None:
        self.engine_tag: Final = engine_tag
        self.epoch = epoch
        self.seq = 0
        self.order_seq = 0
        self.ts = 0
        self.trading_state = ACTIVE
        self.suspended = 0  # RECOVERING or STORE_UNAVAILABLE: no new risk, whatever the states say
        self.flatten_seq = 0  # the kill switch flattens: number of the last order before it
        self.ledger: Final = Ledger()
        self.positions: Final = PositionManager()
        self._terms: Terms | None = None  # of the last request that was read
        self.asset_scales: dict[str, int] = {}
        self.venues: dict[str, Venue] = {}
        self.symbols: dict[str, Symbol] = {}
        self.strategies: dict[str, Strategy] = {}
        self.markets: dict[str, Market] = {}
        self.portfolios: dict[str, Portfolio] = {}
        self.orders: dict[str, Order] = {}  # live and recently closed
        self.closed: list[str] = []  # ids, oldest first, from `closed_head` on
        self.closed_head = 0
        self.lists: dict[str, OrderList] = {}
        self.client_tags: dict[str, str] = {}
        self.venue_entries: dict[str, int] = {}  # what venues booked, and when we did
        self.quarantined: dict[str, int] = {}  # what is told once, and when it was

    def remember_entry(self, key: str, ts: int) -> None:
        """Note that a venue's entry was booked; the oldest are forgotten."""
        self.venue_entries[key] = ts
        if len(self.venue_entries) > VENUE_ENTRIES_KEPT:
            del self.venue_entries[next(iter(self.venue_entries))]

    def remember_quarantined(self, key: str, ts: int) -> None:
        """Note that something was quarantined; the oldest are forgotten."""
        self.quarantined[key] = ts
        if len(self.quarantined) > QUARANTINED_KEPT:
            del self.quarantined[next(iter(self.quarantined))]

    def oldest_closed(self) -> str:
        """Take the id of the order that was closed longest ago."""
        order_id = self.closed[self.closed_head]
        self.closed_head += 1
        if self.closed_head >= CLOSED_ORDERS_KEPT:
            del self.closed[: self.closed_head]
            self.closed_head = 0
        return order_id

    def terms(self, request: SubmitOrder) -> Terms:
        """A request's terms; deciding and applying the same one reads it once."""
        last = self._terms
        if last is not None and last.request is request:
            return last
        terms = Terms(request)
        self._terms = terms
        return terms

    def strategy(self, name: str) -> Strategy:
        """The strategy of this name, known from its first order or limit on."""
        found = self.strategies.get(name)
        if found is None:
            found = Strategy(name)
            self.strategies[name] = found
        return found

    def holding(self, portfolio: Portfolio, market: Market) -> "Holding":
        """The portfolio's holding in a market, made at first need."""
        found = portfolio.holdings.get(market.instrument.id)
        if found is not None:
            return found
        instrument = market.instrument
        settle = self.balance(portfolio, instrument.venue, instrument.settle)
        base = settle
        if instrument.is_spot:
            base = self.balance(portfolio, instrument.venue, instrument.base)
        position = self.positions.position(portfolio.name, instrument)
        holding = Holding(portfolio, market, position, base, settle)
        portfolio.holdings[instrument.id] = holding
        market.holdings.append(holding)
        for other in self.markets.values():
            for valued in other.valued:
                if valued.balance is settle:
                    valued.settled.append(holding)
        return holding

    def balance(self, portfolio: Portfolio, venue: str, asset: str) -> Balance:
        """The cash of a portfolio in one asset on one venue, made at first need."""
        found = self.ledger.find(portfolio.name, venue, asset)
        if found is None:
            found = self.ledger.balance(portfolio.name, venue, asset)
            self.adopt_balance(portfolio, found)
        return found

    def adopt_balance(self, portfolio: Portfolio, balance: Balance) -> None:
        """A balance of the ledger belongs to this portfolio from now on."""
        portfolio.balances.append(balance)
        value_balance(self, portfolio, balance)


def value_balance(state: State, portfolio: Portfolio, balance: Balance) -> None:
    """Find what prices a balance in its portfolio's base asset.

    The base asset itself is worth itself; else the spot market of the asset against the base asset
    or one of its par assets, on the same venue if there is one, prices it; else a par asset is
    worth one. Otherwise it stays unvalued, which the portfolio summary says.
    """
    for listed in state.markets.values():  # it may have been priced by a market of lower rank
        listed.valued = [valued for valued in listed.valued if valued.balance is not balance]
    scale = state.asset_scales.get(balance.asset, portfolio.base_scale)
    if balance.asset == portfolio.base_asset:
        _fixed_rate(portfolio, balance, scale)
        return
    market = _pricing_market(state, portfolio, balance)
    if market is not None:
        exponent = scale + market.instrument.price_scale - portfolio.base_scale
        valued = Valued(portfolio, balance, int(10 ** max(0, exponent)))
        market.valued.append(valued)
        balance.rate_num = market.instrument.mark
        balance.rate_den = valued.rate_den
        balance.unvalued = market.instrument.mark == 0  # until the market's first price
    elif _at_par(portfolio, balance.asset):
        _fixed_rate(portfolio, balance, scale)
    else:
        balance.rate_num = 0
        balance.unvalued = True


def _fixed_rate(portfolio: Portfolio, balance: Balance, scale: int) -> None:
    """One for one, between the two scales."""
    difference = portfolio.base_scale - scale
    balance.rate_num = int(10 ** max(0, difference))
    balance.rate_den = int(10 ** max(0, -difference))
    balance.unvalued = False


def _at_par(portfolio: Portfolio, asset: str) -> bool:
    par = portfolio.request.par_assets
    return asset == portfolio.base_asset or (asset in par and portfolio.base_asset in par)


def _pricing_market(state: State, portfolio: Portfolio, balance: Balance) -> Market | None:
    """The spot market that prices the balance's asset, the same venue's and exact quote first."""
    best: Market | None = None
    best_rank = 0
    for market in state.markets.values():
        instrument = market.instrument
        if not instrument.is_spot or instrument.base != balance.asset:
            continue
        rank = 0
        if instrument.quote == portfolio.base_asset:
            rank = 3
        elif _at_par(portfolio, instrument.quote) and not _at_par(portfolio, balance.asset):
            rank = 1
        if rank and instrument.venue == balance.venue:
            rank += 1
        if rank > best_rank:
            best, best_rank = market, rank
    return best
