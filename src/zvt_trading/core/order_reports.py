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
from zvt_trading.messages.codes import ACCEPTED, AMEND_REQUESTED, CANCEL_REQUESTED, PENDING
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
        if isinstance(report, FundingPaid):
            self._funding(report)
            return None
        if isinstance(report, Liquidated):
            self._liquidated(report)
            return None
        order = self.state.orders.get(report.order_id)
        if order is None or order.life == PENDING:
            self._quarantine(type(report).__name__, report.order_id, "no such order was sent by us")
            return None
        before = self.state.seq
        if isinstance(report, Fill):
            self._fill(order, report)
        elif isinstance(report, VenueAccepted):
            self._accepted(order, report)
        elif isinstance(report, VenueCancelled):
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
        return order if self.state.seq != before else None

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
        if report.trade_id in order.trade_ids:
            return
        if report.quantity <= 0 or report.price <= 0:
            text = f"a fill of {report.quantity} at {report.price}"
            self._quarantine("Fill", order.id, text)
            return
        instrument = order.instrument
        portfolio = order.holding.portfolio
        recorder = self.recorder
        recorder.record(
            OrderFilled(
                recorder.seq(), recorder.now, order.id, portfolio.name, instrument.id, order.side,
                report.trade_id, report.price, report.quantity, report.liquidity,
                report.fee_asset, report.fee, instrument.bid, instrument.ask, report.ts,
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

    def _not_accepted(self, order: Order, report: Report) -> None:
        """Rejected, not sent, proven absent, or lost track of."""
        recorder = self.recorder
        if isinstance(report, OutcomeUnknown):
            if next_life(order.life, LOSE_TRACK) != IGNORE:
                recorder.record(OrderUnknown(recorder.seq(), recorder.now, order.id, report.text))
            return
        if next_life(order.life, REJECT) == IGNORE:
            return
        reason = int(Reason.NOT_SENT)
        if isinstance(report, VenueRejected):
            reason = report.reason
        elif isinstance(report, AbsenceProven):
            reason = int(Reason.ABSENCE_PROVEN)
        elif not isinstance(report, SendFailed):
            self._quarantine(type(report).__name__, order.id, "unknown kind of report")
            return
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
        if order.life != ACCEPTED:
            return
        if order.pending != AMEND_REQUESTED and (
            report.price == order.price and report.quantity == order.quantity
        ):
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
        if order.pending == AMEND_REQUESTED:
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
