"""The public vocabulary: what users of the engine give and get.

Numbers are `Decimal`, times timezone-aware `datetime` (UTC), codes are string Enums.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

Number = Decimal | int | str | float
"""What callers may give: floats are taken by their repr (0.1 is exactly 0.1)."""


class OrderSide(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TAKE_PROFIT = "take_profit"
    TAKE_PROFIT_LIMIT = "take_profit_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    GTD = "gtd"


class TriggerBy(StrEnum):
    """What a stop compares its trigger with; QUOTE is the price it could trade at."""

    QUOTE = "quote"
    LAST = "last"
    MARK = "mark"


class OrderStatus(StrEnum):
    """PARTIALLY_FILLED is shown for an accepted order with 0 < filled < quantity."""

    PENDING = "pending"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


class AccountingMethod(StrEnum):
    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"
    AVERAGE = "average"


class MarginMode(StrEnum):
    CROSS = "cross"
    ISOLATED = "isolated"


class TradingState(StrEnum):
    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


class Scope(StrEnum):
    GLOBAL = "global"
    PORTFOLIO = "portfolio"
    STRATEGY = "strategy"
    VENUE = "venue"
    SYMBOL = "symbol"


class OrderRequest(Struct, frozen=True, kw_only=True):
    """An order as a user writes it.

    `exchange=None` lets the router choose. Prices are in the quote asset, `quantity` in the base
    asset (contracts for inverse perpetuals). `trailing_offset` is a price distance, or basis points
    with `trailing_offset_bps`.
    """

    symbol: str
    side: OrderSide | str
    quantity: Number
    order_type: OrderType | str = OrderType.MARKET
    price: Number | None = None
    trigger_price: Number | None = None
    trailing_offset: Number | None = None
    trailing_offset_bps: int | None = None
    exchange: str | None = None
    portfolio_id: str = "default"
    strategy_id: str = ""
    time_in_force: TimeInForce | str = TimeInForce.GTC
    expire_time: datetime | None = None
    post_only: bool = False
    reduce_only: bool = False
    trigger_by: TriggerBy | str = TriggerBy.QUOTE
    client_order_id: str = ""
    metadata: dict[str, str | int | bool | None] | None = None


class OrderResult(Struct, frozen=True, kw_only=True):
    """What became of a request. `success` is False when it was refused or rejected.

    `reason` is the refusal's code in lower case ("" when there is none); `limit`, `value` and
    `scope` say which limit it met, with which value, set where ("portfolio:main").
    """

    success: bool
    order_id: str
    status: OrderStatus
    filled_quantity: Decimal = Decimal(0)
    avg_fill_price: Decimal | None = None
    message: str = ""
    reason: str = ""
    limit: Decimal | None = None
    value: Decimal | None = None
    scope: str = ""
    exchange: str = ""


class OrderInfo(Struct, frozen=True, kw_only=True):
    """An order as it stands."""

    order_id: str
    client_order_id: str
    venue_order_id: str
    portfolio_id: str
    strategy_id: str
    exchange: str
    symbol: str
    side: OrderSide
    order_type: OrderType
    time_in_force: TimeInForce
    status: OrderStatus
    quantity: Decimal
    filled_quantity: Decimal
    price: Decimal | None
    trigger_price: Decimal | None
    avg_fill_price: Decimal | None
    post_only: bool
    reduce_only: bool
    parent_order_id: str
    reason: str
    created_at: datetime


class FillInfo(Struct, frozen=True, kw_only=True):
    """One execution. `arrival_price` is the mid when its order was decided."""

    order_id: str
    trade_id: str
    portfolio_id: str
    strategy_id: str
    exchange: str
    symbol: str
    side: OrderSide
    price: Decimal
    quantity: Decimal
    liquidity: str
    fee: Decimal
    fee_asset: str
    arrival_price: Decimal | None
    slippage_bps: Decimal | None
    executed_at: datetime


class LotInfo(Struct, frozen=True, kw_only=True):
    """An open lot; `cost` in the settle asset."""

    quantity: Decimal
    price: Decimal
    cost: Decimal
    opened_at: datetime
    order_id: str


class PositionInfo(Struct, frozen=True, kw_only=True):
    """A position; `quantity` is signed (negative: short), money is in `settle_asset`."""

    portfolio_id: str
    exchange: str
    symbol: str
    quantity: Decimal
    avg_entry_price: Decimal | None
    mark_price: Decimal | None
    market_value: Decimal
    realized_pnl: Decimal
    unrealized_pnl: Decimal
    fees: Decimal
    funding: Decimal
    settle_asset: str
    accounting_method: AccountingMethod
    leverage: int
    margin_mode: MarginMode
    margin_used: Decimal
    liquidation_price: Decimal | None
    lots: tuple[LotInfo, ...]


class BalanceInfo(Struct, frozen=True, kw_only=True):
    """Cash of one asset on one venue; total = reserved + margin + available."""

    exchange: str
    asset: str
    total: Decimal
    reserved: Decimal
    margin: Decimal
    available: Decimal
    value: Decimal | None


class PortfolioSummary(Struct, frozen=True, kw_only=True):
    """A portfolio marked to market, in its base asset.

    `unvalued_assets` lists "venue:ASSET" balances that no market prices; they count as zero.
    """

    portfolio_id: str
    base_asset: str
    equity: Decimal
    cash: Decimal
    realized_pnl: Decimal
    unrealized_pnl: Decimal
    fees: Decimal
    funding: Decimal
    exposure: Decimal
    daily_pnl: Decimal
    drawdown: Decimal
    open_orders: int
    trading_state: TradingState
    accounting_method: AccountingMethod
    balances: tuple[BalanceInfo, ...]
    positions: tuple[PositionInfo, ...]
    unvalued_assets: tuple[str, ...]
    updated_at: datetime


class LedgerRow(Struct, frozen=True, kw_only=True):
    """One asset's proof: deposits + trading - fees + ... = balance; `difference` must be zero."""

    portfolio_id: str
    asset: str
    deposits: Decimal
    trading: Decimal
    fees: Decimal
    funding: Decimal
    insurance: Decimal
    adjustments: Decimal
    balance: Decimal
    difference: Decimal


class CurvePoint(Struct, frozen=True, gc=False):
    """A sample of a portfolio over time, in its base asset (text keeps it exact in JSON)."""

    ts: int
    equity: Decimal
    exposure: Decimal


class PricePoint(Struct, frozen=True, gc=False):
    """A sample of an instrument's mid price."""

    ts: int
    instrument: str
    price: Decimal


class BookChecks(Struct, frozen=True, kw_only=True):
    """Recorded best bid/ask quotes compared with the rebuilt book."""

    matched: int
    total: int
    undecidable: int = 0


class RunReport(Struct, frozen=True, kw_only=True):
    """Everything a replay, demo or backtest shows at its end."""

    title: str
    strategies: tuple[str, ...]
    orders: tuple[OrderInfo, ...]
    fills: tuple[FillInfo, ...]
    positions: tuple[PositionInfo, ...]
    portfolios: tuple[PortfolioSummary, ...]
    ledger: tuple[LedgerRow, ...]
    ledger_exact: bool
    ledger_problems: tuple[str, ...]
    book_checks: BookChecks
    equity_curve: tuple[CurvePoint, ...]
    prices: tuple[PricePoint, ...]
    refusals: dict[str, int]
    events: int
    market_messages: int
    seconds: float
    digest: str
    seed: int
    started_at: datetime
    ended_at: datetime
