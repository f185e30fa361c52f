"""Decisions about what venues report: each report becomes an event, or says nothing new."""

from typing import Final, cast, final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.limits import (
    AMOUNT_MAX,
    ASSET_LENGTH_MAX,
    MONEY_SCALE_USUAL,
    VENUE_ID_LENGTH_MAX,
)
from zvt_trading.core.order_fsm import (
    ACCEPT,
    CANCEL,
    EXPIRE,
    IGNORE,
    LOSE_TRACK,
    REJECT,
    next_life,
)
from zvt_trading.core.order_manager import OrderManager
from zvt_trading.core.outside_reports import OutsideReports
from zvt_trading.core.recorder import Recorder
from zvt_trading.core.state import Order, State
from zvt_trading.messages.codes import ACCEPTED, CANCEL_REQUESTED, PENDING
from zvt_trading.messages.events import (
    AmendRejected,
    CancelRejected,
    CoolDownStarted,
    FundingSettled,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    PositionLiquidated,
    ReportQuarantined,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    AbsenceProven,
    AmendFailed,
    CancelFailed,
    CashMoved,
    Fill,
    ForeignActivity,
    FundingPaid,
    Liquidated,
    OutcomeUnknown,
    Report,
    SendFailed,
    VenueAccepted,
    VenueAmended,
    VenueCancelled,
    VenueExpired,
    VenueRejected,
)

RareReport = (
    VenueExpired | CancelFailed | VenueAmended | AmendFailed | VenueRejected
    | SendFailed | OutcomeUnknown | AbsenceProven
)  # fmt: skip

_FILL: Final = 0
_ACCEPTED: Final = 1
_CANCELLED: Final = 2
_RARE: Final = 3
_ACCOUNT: Final = 4  # and above: not about an order
_FUNDING: Final = 4
_LIQUIDATED: Final = 5
_CASH_MOVED: Final = 6
_FOREIGN: Final = 7
_KINDS: Final[dict[type, int]] = {
    Fill: _FILL,
    VenueAccepted: _ACCEPTED,
    VenueCancelled: _CANCELLED,
    VenueExpired: _RARE,
    CancelFailed: _RARE,
    VenueAmended: _RARE,
    AmendFailed: _RARE,
    VenueRejected: _RARE,
    SendFailed: _RARE,
    OutcomeUnknown: _RARE,
    AbsenceProven: _RARE,
    FundingPaid: _FUNDING,
    Liquidated: _LIQUIDATED,
    CashMoved: _CASH_MOVED,
    ForeignActivity: _FOREIGN,
}

_MILLISECOND: Final = 1_000_000


@final
class OrderReports:
    """Idempotent: a report may come twice, late, and in any order."""

    def __init__(self, recorder: Recorder, orders: OrderManager) -> None:
        self.recorder: Final = recorder
        self.state: Final[State] = recorder.state
        self.orders: Final = orders
        self.outside: Final = OutsideReports(recorder)

    def take(self, report: Report) -> Order | None:
        """Record what a report says that is new; returns the order that changed, if one did."""
        # A table, not isinstance: on Structs (they have a metaclass) one that fails is slow.
        kind = _KINDS[type(report)]
        if kind >= _ACCOUNT:
            self._take_account(kind, report)
            return None
        order = self._order_of(cast(Fill, report).order_id, report)
        if order is None:
            return None
        before = self.state.seq
        if kind == _FILL:
            self._fill(order, cast(Fill, report))
        elif kind == _ACCEPTED:
            self._accepted(order, cast(VenueAccepted, report))
        elif kind == _CANCELLED:
            self._cancelled(order, cast(VenueCancelled, report))
        else:
            self._take_rare(order, cast(RareReport, report))
        return order if self.state.seq != before else None

    def _take_account(self, kind: int, report: Report) -> None:
        """What is not about an order."""
        if kind == _FUNDING:
            self._funding(cast(FundingPaid, report))
        elif kind == _LIQUIDATED:
            self._liquidated(cast(Liquidated, report))
        elif kind == _CASH_MOVED:
            self.outside.cash_moved(cast(CashMoved, report))
        else:
            self.outside.foreign_activity(cast(ForeignActivity, report))

    def _order_of(self, order_id: str, report: Report) -> Order | None:
        """The order a report is about; one that we never sent is quarantined."""
        order = self.state.orders.get(order_id)
        if order is None or order.life == PENDING:
            text = "no such order was sent by us"
            self._quarantine(type(report).__name__, order_id, text)
            return None
        return order

    def _take_rare(self, order: Order, report: RareReport) -> None:
        """The less frequent reports."""
        if isinstance(report, CancelFailed):
            self._cancel_failed(order, report)
        elif isinstance(report, VenueAmended):
            self._amended(order, report)
        elif isinstance(report, AmendFailed):
            self._amend_failed(order, report)
        elif isinstance(report, VenueExpired):
            self._expired(order, report)
        else:
            self._not_accepted(order, report)

    def _accepted(self, order: Order, report: VenueAccepted) -> None:
        if next_life(order.life, ACCEPT) != IGNORE:
            recorder = self.recorder
            venue_order_id = report.venue_order_id
            event = OrderAccepted(recorder.seq(), recorder.now, order.id, venue_order_id, report.ts)
            recorder.record_accepted(event, order, venue_order_id)

    def _fill(self, order: Order, report: Fill) -> None:
        """Applied once by (venue, symbol, order, trade id), in whatever state the order is."""
        trade_id = report.trade_id
        if trade_id in order.trade_ids:
            return
        quantity = report.quantity
        price = report.price
        fee_asset = report.fee_asset
        fee = report.fee
        instrument = order.instrument
        problem = _trade_problem(instrument, price, quantity, trade_id) or self._money_problem(
            fee_asset, fee
        )
        if problem:
            self._quarantine("Fill", order.id, problem)
            return
        recorder = self.recorder
        event = OrderFilled(
            recorder.seq(), recorder.now, order.id, order.terms.portfolio, instrument.id,
            order.side, trade_id, price, quantity, report.liquidity, fee_asset, fee,
            instrument.bid, instrument.ask, report.ts,
        )  # fmt: skip
        if recorder.record_filled(event, order, trade_id, price, quantity, fee_asset, fee) < 0:
            self._cool_down(order)

    def _cool_down(self, order: Order) -> None:
        """After a realised loss the portfolio rests, where a limit says so."""
        recorder = self.recorder
        pause = recorder.risk.cool_down_ms(order)
        if pause > 0:
            until = recorder.now + pause * _MILLISECOND
            portfolio = order.holding.portfolio.name
            recorder.record(CoolDownStarted(recorder.seq(), recorder.now, portfolio, until))

    def _cancelled(self, order: Order, report: VenueCancelled) -> None:
        if next_life(order.life, CANCEL) == IGNORE:
            return
        reason = report.reason
        if order.pending == CANCEL_REQUESTED and order.reason:
            reason = order.reason  # it is the answer to our request: keep why we asked
        filled = report.filled
        if filled < 0:
            filled = order.filled
        recorder = self.recorder
        event = OrderCancelled(recorder.seq(), recorder.now, order.id, reason, filled, report.ts)
        recorder.record_cancelled(event, order, reason, filled)

    def _expired(self, order: Order, report: VenueExpired) -> None:
        if next_life(order.life, EXPIRE) == IGNORE:
            return
        filled = report.filled if report.filled >= 0 else order.filled
        recorder = self.recorder
        recorder.record(OrderExpired(recorder.seq(), recorder.now, order.id, filled, report.ts))

    def _not_accepted(
        self, order: Order, report: VenueRejected | SendFailed | OutcomeUnknown | AbsenceProven
    ) -> None:
        """Rejected, not sent, proven absent, or lost track of."""
        recorder = self.recorder
        if isinstance(report, OutcomeUnknown) or _is_no_refusal(report):
            if next_life(order.life, LOSE_TRACK) != IGNORE:
                recorder.record(OrderUnknown(recorder.seq(), recorder.now, order.id, report.text))
            return
        if next_life(order.life, REJECT) == IGNORE:
            return
        reason = int(Reason.NOT_SENT)  # SendFailed
        if isinstance(report, VenueRejected):
            reason = report.reason
        elif isinstance(report, AbsenceProven):
            reason = int(Reason.ABSENCE_PROVEN)
        recorder.record(
            OrderRejected(recorder.seq(), recorder.now, order.id, reason, report.text, report.ts)
        )

    def _cancel_failed(self, order: Order, report: CancelFailed) -> None:
        if order.life != ACCEPTED and report.reason == Reason.VENUE_UNKNOWN_ORDER:
            return  # the order may be on its way still: the cancel is not done yet
        if order.pending == CANCEL_REQUESTED:
            recorder = self.recorder
            recorder.record(
                CancelRejected(
                    recorder.seq(), recorder.now, order.id, int(report.reason), report.text
                )
            )

    def _amended(self, order: Order, report: VenueAmended) -> None:
        if order.life != ACCEPTED or 0 < report.ts < order.amended_ts:
            return  # over, or an older amend whose report was overtaken
        is_known = report.price == order.price and report.quantity == order.quantity
        if is_known and (not order.amend_quantity or 0 < report.ts == order.amended_ts):
            return
        instrument = order.instrument
        if not (0 <= report.price <= instrument.price_bound) or not (
            0 < report.quantity <= instrument.quantity_bound
        ):
            text = f"amended to {report.quantity} at {report.price}"
            self._quarantine("VenueAmended", order.id, text)
            return
        recorder = self.recorder
        leaves = report.quantity - order.filled
        hold = self.orders.hold_for(order, report.price, leaves) if leaves > 0 else 0
        recorder.record(
            OrderAmended(
                recorder.seq(), recorder.now, order.id, report.price, report.quantity, hold,
                report.ts,
            )
        )  # fmt: skip

    def _amend_failed(self, order: Order, report: AmendFailed) -> None:
        if order.life == ACCEPTED and order.amend_quantity:
            recorder = self.recorder
            recorder.record(
                AmendRejected(
                    recorder.seq(), recorder.now, order.id, int(report.reason), report.text
                )
            )

    def _funding(self, report: FundingPaid) -> None:
        key = f"{report.portfolio}/{report.funding_id}"
        if key in self.state.venue_entries:
            return
        if not self._known(report.portfolio, report.instrument, "FundingPaid"):
            return
        settle = self.state.markets[report.instrument].instrument.settle
        problem = self._money_problem(settle, report.amount)
        if problem:
            self._quarantine("FundingPaid", key, problem)
            return
        recorder = self.recorder
        recorder.record(
            FundingSettled(
                recorder.seq(), recorder.now, report.portfolio, report.instrument, report.rate,
                report.amount, report.funding_id, report.ts,
            )
        )  # fmt: skip

    def _liquidated(self, report: Liquidated) -> None:
        key = f"{report.portfolio}/{report.instrument}/{report.trade_id}"
        if key in self.state.venue_entries:
            return
        if not self._known(report.portfolio, report.instrument, "Liquidated"):
            return
        instrument = self.state.markets[report.instrument].instrument
        problem = (
            _trade_problem(instrument, report.price, report.quantity, report.trade_id)
            or self._money_problem(instrument.settle, report.fee)
            or self._money_problem(instrument.settle, report.insurance)
        )
        if problem:
            self._quarantine("Liquidated", f"{report.portfolio} {report.instrument}", problem)
            return
        recorder = self.recorder
        recorder.record(
            PositionLiquidated(
                recorder.seq(), recorder.now, report.portfolio, report.instrument, report.side,
                report.price, report.quantity, report.fee, report.insurance, report.trade_id,
                report.ts,
            )
        )  # fmt: skip

    def _known(self, portfolio: str, instrument: str, report: str) -> bool:
        known = portfolio in self.state.portfolios and instrument in self.state.markets
        if not known:
            self._quarantine(report, f"{portfolio} {instrument}", "no such portfolio or instrument")
        return known

    def _money_problem(self, asset: str, amount: int) -> str:
        """What is wrong with money that a venue names; "" when nothing is."""
        if len(asset) > ASSET_LENGTH_MAX:
            return f"an asset's name of {len(asset)} characters"
        if -AMOUNT_MAX <= amount <= AMOUNT_MAX:
            return ""
        scale = self.state.asset_scales.get(asset, MONEY_SCALE_USUAL)
        if abs(amount) <= AMOUNT_MAX * int(10**scale):
            return ""
        return f"{amount} units of {asset} are more than there can be"

    def _quarantine(self, report: str, subject: str, text: str) -> None:
        recorder = self.recorder
        recorder.record(ReportQuarantined(recorder.seq(), recorder.now, report, subject, text))


def _trade_problem(instrument: Instrument, price: int, quantity: int, trade_id: str) -> str:
    """What is wrong with an execution that a venue names; "" when nothing is."""
    if quantity <= 0 or price <= 0:
        return f"a trade of {quantity} at {price}"
    if len(trade_id) > VENUE_ID_LENGTH_MAX:
        return f"a trade id of {len(trade_id)} characters; at most {VENUE_ID_LENGTH_MAX}"
    if instrument.is_noise(price, quantity):
        return f"a trade of {quantity} at {price} is more than any market does"
    return ""


def _is_no_refusal(report: VenueRejected | SendFailed | OutcomeUnknown | AbsenceProven) -> bool:
    """A venue that knows the id already has the order: our ids are never used twice."""
    return isinstance(report, VenueRejected) and report.reason == Reason.VENUE_DUPLICATE_ID
