"""Events: what became true. Past tense; the only input of `evolve`, the content of the journal.

Every event begins with `seq` (gapless from 1) and `ts` (when the core decided it, nanoseconds UTC).
Prices and quantities are on the symbol's scale, money on the asset's scale.
"""

from msgspec import Struct

from zvt_trading.messages.commands import (
    Deposit,
    KillSwitch,
    LimitSet,
    OpenPortfolio,
    SetLeverage,
    SubmitOrder,
    Transfer,
    Withdraw,
)
from zvt_trading.messages.market import InstrumentSpec


class EngineStarted(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A process took the journal over; `epoch` is part of every order id it gives from now on.

    `recovering`: there is a past, so no new risk is taken until an EngineResumed says that what the
    journal knows was compared with the venues.
    """

    seq: int
    ts: int
    epoch: int
    recovering: bool


class EngineSuspended(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """No new risk from now on, whatever the trading states.

    `reason` is RECOVERING or STORE_UNAVAILABLE.
    """

    seq: int
    ts: int
    reason: int
    text: str


class EngineResumed(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The reason of the suspension is gone; the trading states bind again, as they were."""

    seq: int
    ts: int
    text: str


class HistoryRead(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Everything in a venue's history up to `cursor` was taken in."""

    seq: int
    ts: int
    venue: str
    cursor: int


class InstrumentListed(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    spec: InstrumentSpec


class PortfolioOpened(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    request: OpenPortfolio


class Deposited(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    request: Deposit


class Withdrawn(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    request: Withdraw


class Transferred(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    request: Transfer


class LeverageSet(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    request: SetLeverage


class LimitsSet(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    limits: LimitSet


class TradingStateChanged(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A scope's state changed, by an operator or by a limit (`limit`, `value` say which breach)."""

    seq: int
    ts: int
    scope: int
    key: str
    state: int
    reason: int
    limit: int
    value: int
    text: str


class KillSwitchPulled(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    request: KillSwitch


class EquitySampled(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A portfolio's equity, marked to market (base asset units), and the marks that risk keeps."""

    seq: int
    ts: int
    portfolio: str
    equity: int
    peak: int
    day_start: int
    day: int


class CoolDownStarted(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """After a realised loss no new risk is taken in this portfolio until `until_ts`."""

    seq: int
    ts: int
    portfolio: str
    until_ts: int


class CommandRefused(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A command other than an order was refused."""

    seq: int
    ts: int
    command: str
    reason: int
    limit: int
    value: int
    text: str


class OrderRefused(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The gate refused an order before anything left; `limit`, `value`, `scope`, `key` say why."""

    seq: int
    ts: int
    order_id: str
    request: SubmitOrder
    reason: int
    limit: int
    value: int
    scope: int
    key: str
    text: str


class AmendRefused(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The gate refused an amend; the order works on unchanged."""

    seq: int
    ts: int
    order_id: str
    reason: int
    limit: int
    value: int
    scope: int
    key: str


class RouteCandidate(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """What the router saw of one venue; `excluded` is a Reason, 0 when it could have been chosen.

    `price` is the average price net of taker fee for the filled part (symbol scale, rounded against
    us); `filled` is how much of the quantity the visible depth would fill.
    """

    instrument: str
    price: int
    filled: int
    excluded: int


class OrderRouted(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The router's decision with everything it saw."""

    seq: int
    ts: int
    order_id: str
    instrument: str
    candidates: tuple[RouteCandidate, ...]


class OrderPlaced(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The durable intent: the full request, its reservation, and what it was decided on.

    `held`: kept by the core (untriggered stop, child of an unfilled parent), nothing is sent.
    `hold` is reserved of `hold_asset`. `worst_price` bounds a market order (0 for others).
    """

    seq: int
    ts: int
    order_id: str
    request: SubmitOrder
    instrument: str
    held: bool
    hold_asset: str
    hold: int
    worst_price: int
    bid: int
    ask: int
    list_id: str
    list_kind: int
    role: int


class OrderTriggered(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A held stop's condition came true at `market_price`."""

    seq: int
    ts: int
    order_id: str
    market_price: int


class TrailMoved(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A trailing stop's trigger followed the market."""

    seq: int
    ts: int
    order_id: str
    trigger_price: int


class OrderResized(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A held order's quantity, price or trigger was changed by the core or the caller."""

    seq: int
    ts: int
    order_id: str
    quantity: int
    price: int
    trigger_price: int


class OrderReleased(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A held order passed the gate again and is sent now."""

    seq: int
    ts: int
    order_id: str
    quantity: int
    hold_asset: str
    hold: int
    worst_price: int
    bid: int
    ask: int


class OrderAccepted(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    order_id: str
    venue_order_id: str
    ts_venue: int


class OrderRejected(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The venue proved it has not the order (or nothing was sent, or absence was proven)."""

    seq: int
    ts: int
    order_id: str
    reason: int
    text: str
    ts_venue: int


class OrderUnknown(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The outcome of the send is not known; the reservation stays."""

    seq: int
    ts: int
    order_id: str
    text: str


class OrderFilled(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """One execution, applied once. `bid`/`ask` are what we saw when it arrived."""

    seq: int
    ts: int
    order_id: str
    portfolio: str
    instrument: str
    side: int
    trade_id: str
    price: int
    quantity: int
    liquidity: int
    fee_asset: str
    fee: int
    bid: int
    ask: int
    ts_venue: int


class OrderCancelled(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """No longer working. `filled` is the venue's total: fills may still be to come."""

    seq: int
    ts: int
    order_id: str
    reason: int
    filled: int
    ts_venue: int


class OrderExpired(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Its time is over; `filled` as in OrderCancelled."""

    seq: int
    ts: int
    order_id: str
    filled: int
    ts_venue: int


class CancelRequested(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    order_id: str
    reason: int


class CancelRejected(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    order_id: str
    reason: int
    text: str


class AmendRequested(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """An amend is sent; `hold` is the reservation that covers both the old and the new order."""

    seq: int
    ts: int
    order_id: str
    price: int
    quantity: int
    hold: int


class OrderAmended(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    order_id: str
    price: int
    quantity: int
    hold: int
    ts_venue: int


class AmendRejected(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    seq: int
    ts: int
    order_id: str
    reason: int
    text: str


class FundingSettled(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Funding booked on a position; `amount` > 0 was paid by us."""

    seq: int
    ts: int
    portfolio: str
    instrument: str
    rate: int
    amount: int
    funding_id: str
    ts_venue: int


class PositionLiquidated(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The venue closed (part of) a position; see reports.Liquidated."""

    seq: int
    ts: int
    portfolio: str
    instrument: str
    side: int
    price: int
    quantity: int
    fee: int
    insurance: int
    trade_id: str
    ts_venue: int


class CashAdjusted(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Money that moved at the venue without us was booked; see reports.CashMoved."""

    seq: int
    ts: int
    portfolio: str
    venue: str
    asset: str
    amount: int
    cause: int
    reference: str
    text: str
    ts_venue: int


class DriftCleared(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A venue's books are ours again in `subject`; what was halted stays so until re-armed."""

    seq: int
    ts: int
    venue: str
    subject: str


class ReportQuarantined(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A venue told us of something that we do not know; kept for a person, nothing was booked."""

    seq: int
    ts: int
    report: str
    subject: str
    text: str


Event = (
    EngineStarted
    | EngineSuspended
    | EngineResumed
    | HistoryRead
    | InstrumentListed
    | PortfolioOpened
    | Deposited
    | Withdrawn
    | Transferred
    | LeverageSet
    | LimitsSet
    | TradingStateChanged
    | KillSwitchPulled
    | EquitySampled
    | CoolDownStarted
    | CommandRefused
    | OrderRefused
    | AmendRefused
    | OrderRouted
    | OrderPlaced
    | OrderTriggered
    | TrailMoved
    | OrderResized
    | OrderReleased
    | OrderAccepted
    | OrderRejected
    | OrderUnknown
    | OrderFilled
    | OrderCancelled
    | OrderExpired
    | CancelRequested
    | CancelRejected
    | AmendRequested
    | OrderAmended
    | AmendRejected
    | FundingSettled
    | PositionLiquidated
    | CashAdjusted
    | DriftCleared
    | ReportQuarantined
)
