"""Commands: what a caller asks of the core. Imperative; a command may be refused.

Prices and quantities are ints on the symbol's scale, money ints on the asset's scale, times int
nanoseconds UTC, rates in units of 1e-8. Zero means "not given" for prices, triggers and times.
"""

from msgspec import Struct
from msgspec.structs import astuple

from zvt_trading.messages.codes import FIFO, GTC, OFFSET_PRICE, TRIGGER_QUOTE
from zvt_trading.messages.market import InstrumentSpec


class ListInstrument(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Make one symbol on one venue tradable."""

    spec: InstrumentSpec


class OpenPortfolio(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Open a portfolio valued in `base_asset`; `method` is how its lots are consumed.

    Assets in `par_assets` are valued one for one with the base asset when no market says otherwise.
    """

    portfolio: str
    base_asset: str
    base_scale: int
    method: int = FIFO
    par_assets: tuple[str, ...] = ("USD", "USDT", "USDC")


class Deposit(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Money arrives at a venue for a portfolio (amount > 0)."""

    portfolio: str
    venue: str
    asset: str
    amount: int
    reference: str = ""


class Withdraw(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Money leaves a venue (amount > 0, at most what is available)."""

    portfolio: str
    venue: str
    asset: str
    amount: int
    reference: str = ""


class Transfer(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Move money between venues or portfolios of ours."""

    portfolio_from: str
    venue_from: str
    portfolio_to: str
    venue_to: str
    asset: str
    amount: int
    reference: str = ""


class SetLeverage(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Leverage and margin mode of a portfolio on one perpetual; only while flat."""

    portfolio: str
    instrument: str
    leverage: int
    margin_mode: int


class SubmitOrder(Struct, frozen=True, tag=True, tag_field="msg", gc=False, omit_defaults=True):
    """An order. `instrument` is "venue:SYMBOL", or ":SYMBOL" to let the router choose the venue.

    `trailing_offset` is in price units or basis points (`trailing_unit`). `client_tag` is the
    caller's own id, at most 64 characters, unique for ever when given. `metadata` is JSON text.
    """

    portfolio: str
    instrument: str
    side: int
    type: int
    quantity: int
    price: int = 0
    trigger_price: int = 0
    tif: int = GTC
    expire_ts: int = 0
    post_only: bool = False
    reduce_only: bool = False
    strategy: str = ""
    client_tag: str = ""
    trigger_by: int = TRIGGER_QUOTE
    trailing_offset: int = 0
    trailing_unit: int = OFFSET_PRICE
    metadata: str = ""


def submit_order_fields(
    request: SubmitOrder,
) -> tuple[str, str, int, int, int, int, int, int, int, bool, bool, str, str, int, int, int, str]:
    """All fields in the order of their declaration, read at once (one by one takes longer)."""
    return astuple(request)


class SubmitOrderList(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Linked orders: OCO (two legs) or BRACKET (entry, take-profit, stop-loss, in that order)."""

    kind: int
    orders: tuple[SubmitOrder, ...]


class AmendOrder(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Change price, total quantity or trigger of a live order; 0 leaves a field as it is."""

    order_id: str
    price: int = 0
    quantity: int = 0
    trigger_price: int = 0


class CancelOrder(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Take an order back; safe to repeat."""

    order_id: str
    reason: int = 0


class CancelAll(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Cancel every live order that matches all the given fields (empty or 0 matches anything)."""

    portfolio: str = ""
    strategy: str = ""
    venue: str = ""
    symbol: str = ""
    side: int = 0
    reason: int = 0


class SetTradingState(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """ACTIVE, REDUCING or HALTED for one scope; `key` names it ("" for SCOPE_GLOBAL)."""

    scope: int
    key: str
    state: int
    reason: int = 0
    text: str = ""


class KillSwitch(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Cancel everything, halt everything; with `flatten`, close every position at market first."""

    flatten: bool = False
    text: str = ""


class LimitSet(
    Struct, frozen=True, tag=True, tag_field="msg", gc=False, kw_only=True, omit_defaults=True
):
    """Limits of one scope; None leaves a limit to the wider scope.

    A limit may not be looser than the wider scope's unless `allow_looser`. Quantities are on the
    symbol's scale (SCOPE_SYMBOL only), money on the portfolio base asset's scale, `*_bps` in basis
    points, `*_ms` in milliseconds, counts plain. Zero forbids (it is not "no limit"), but for
    `duplicate_window_ms` and `cool_down_ms`, which it switches off. Of the two daily losses, both
    bind; `daily_loss_bps_max` is a part of the equity the day began with.
    """

    scope: int
    key: str = ""
    allow_looser: bool = False
    order_quantity_max: int | None = None
    order_notional_max: int | None = None
    open_orders_max: int | None = None
    position_quantity_max: int | None = None
    position_notional_max: int | None = None
    exposure_max: int | None = None
    allocation_bps_max: int | None = None
    leverage_max: int | None = None
    collar_bps: int | None = None
    data_age_ms_max: int | None = None
    orders_per_second_max: int | None = None
    orders_per_hour_max: int | None = None
    orders_per_day_max: int | None = None
    duplicate_window_ms: int | None = None
    repeated_executions_max: int | None = None
    repeated_window_ms: int | None = None
    daily_loss_max: int | None = None
    daily_loss_bps_max: int | None = None
    drawdown_bps_max: int | None = None
    cool_down_ms: int | None = None


class SetLimits(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Replace the limits of one scope."""

    limits: LimitSet


Command = (
    ListInstrument
    | OpenPortfolio
    | Deposit
    | Withdraw
    | Transfer
    | SetLeverage
    | SubmitOrder
    | SubmitOrderList
    | AmendOrder
    | CancelOrder
    | CancelAll
    | SetTradingState
    | KillSwitch
    | SetLimits
)
