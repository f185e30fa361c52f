"""Decisions about what venues report: each report becomes an event, or says nothing new."""

from typing import Final, final

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
    Fill,
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
    VenueCancelled | VenueExpired | CancelFailed | VenueAmended | AmendFailed | VenueRejected
    | SendFailed | OutcomeUnknown | AbsenceProven
)  # fmt: skip

_MILLISECOND: Final = 1_000_000


@final
class OrderReports:
    """Idempotent: a report may come twice, late, and in any order."""

    def __init__(self, recorder: Recorder, orders: OrderManager) -> None:
        self.recorder: Final = recorder
        self.state: Final[State] = recorder.state
        self.orders: Final = orders

    def take(self, report: Report) -> Order | None:
        """Record what a report says that is new; returns the order that changed, if one did."""
        # The frequent kinds first: an isinstance that fails is slow on Structs (their metaclass).
        before = self.state.seq
        order: Order | None = None
        if isinstance(report, Fill):
            order = self._order_of(report.order_id, "Fill")
            if order is not None:
                self._fill(order, report)
        elif isinstance(report, VenueAccepted):
            order = self._order_of(report.order_id, "VenueAccepted")
            if order is not None:
                self._accepted(order, report)
        elif isinstance(report, FundingPaid):
            self._funding(report)
        elif isinstance(report, Liquidated):
            self._liquidated(report)
        else:
            order = self._order_of(report.order_id, type(report).__name__)
            if order is not None:
                self._take_rare(order, report)
        return order if self.state.seq != before else None

    def _order_of(self, order_id: str, report: str) -> Order | None:
        """The order a report is about; one that we never sent is quarantined."""
        order = self.state.orders.get(order_id)
        if order is None or order.life == PENDING:
            self._quarantine(report, order_id, "no such order was sent by us")
            return None
        return order

    def _take_rare(self, order: Order, report: RareReport) -> None:
        """The less frequent reports."""
        if isinstance(report, VenueCancelled):
            self._cancelled(order, report)
        elif isinstance(report, CancelFailed):
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
            recorder.record(
                OrderAccepted(
                    recorder.seq(), recorder.now, order.id, report.venue_order_id, report.ts
                )
            )

    def _fill(self, order: Order, report: Fill) -> None:
        """Applied once by (venue, symbol, order, trade id), in whatever state the order is."""
        trade_id = report.trade_id
        if trade_id in order.trade_ids:
            return
        quantity = report.quantity
        price = report.price
        if quantity <= 0 or price <= 0:
            self._quarantine("Fill", order.id, f"a fill of {quantity} at {price}")
            return
        instrument = order.instrument
        recorder = self.recorder
        recorder.record(
            OrderFilled(
                recorder.seq(), recorder.now, order.id, order.terms.portfolio, instrument.id,
                order.side, trade_id, price, quantity, report.liquidity, report.fee_asset,
                report.fee, instrument.bid, instrument.ask, report.ts,
            )
        )  # fmt: skip
        if recorder.evolver.realized < 0:
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
        recorder = self.recorder
        recorder.record(
            OrderCancelled(
                recorder.seq(), recorder.now, order.id, int(reason),
                report.filled if report.filled >= 0 else order.filled, report.ts,
            )
        )  # fmt: skip

    def _expired(self, order: Order, report: VenueExpired) -> None:
        if next_life(order.life, EXPIRE) == IGNORE:
            return
        filled = report.filled if report.filled >= 0 else order.filled
        recorder = self.recorder
        recorder.record(
            OrderExpired(recorder.seq(), recorder.now, order.id, filled, report.ts)
        )

    def _not_accepted(
        self, order: Order, report: VenueRejected | SendFailed | OutcomeUnknown | AbsenceProven
    ) -> None:
        """Rejected, not sent, proven absent, or lost track of."""
        recorder = self.recorder
        if isinstance(report, OutcomeUnknown):
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
            OrderRejected(
                recorder.seq(), recorder.now, order.id, reason, report.text, report.ts
            )
        )

    def _cancel_failed(self, order: Order, report: CancelFailed) -> None:
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

    def _quarantine(self, report: str, subject: str, text: str) -> None:
        recorder = self.recorder
        recorder.record(ReportQuarantined(recorder.seq(), recorder.now, report, subject, text))
