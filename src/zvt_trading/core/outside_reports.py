"""Decisions about what happened at a venue without us: booked by an explicit entry, or quarantined.

Nothing is guessed: no fill is made up for a trade of somebody else's, and no lot is opened for it.
Its coins and its price are two movements of cash, in the ledger's `adjustment` column; deposits and
withdrawals are in `external`. None of them is profit or loss: each shifts the marks of risk by what
it is worth, so that neither the moment between the two sides of a manual trade nor somebody else's
luck halts, or flatters, what is traded here.
"""

from typing import Final, final

from zvt_trading.core.equity_marks import shift_marks
from zvt_trading.core.evolve import TOLD_ONCE, movement_key
from zvt_trading.core.limits import AMOUNT_MAX, SUBJECT_LENGTH_MAX, VENUE_ID_LENGTH_MAX
from zvt_trading.core.recorder import Recorder
from zvt_trading.core.state import State
from zvt_trading.messages.events import CashAdjusted, ReportQuarantined
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import CashMoved, ForeignActivity

_CASH: Final = TOLD_ONCE[0]
_FOREIGN: Final = TOLD_ONCE[1]
_DEPOSIT: Final = int(Reason.EXTERNAL_DEPOSIT)
_WITHDRAWAL: Final = int(Reason.EXTERNAL_WITHDRAWAL)
_UNEXPLAINED: Final = int(Reason.UNEXPLAINED)  # the last one of the causes
_FIRST_KIND: Final = int(Reason.FOREIGN_ORDER)
_LAST_KIND: Final = int(Reason.LOST_ORDER)


@final
class OutsideReports:
    """Idempotent: each movement is booked once, each foreign subject told once."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder: Final = recorder
        self.state: Final[State] = recorder.state

    def cash_moved(self, report: CashMoved) -> None:
        """Book a movement of cash as the fact it is, also where it makes a balance negative."""
        key = movement_key(report.portfolio, report.venue, report.asset, report.reference)
        if key in self.state.venue_entries:
            return
        problem = self._problem(report)
        if problem:
            self._quarantine(_CASH, key, problem)
            return
        recorder = self.recorder
        portfolio = self.state.portfolios[report.portfolio]
        before = portfolio.equity
        recorder.record(
            CashAdjusted(
                recorder.seq(), recorder.now, report.portfolio, report.venue, report.asset,
                report.amount, report.cause, report.reference, report.text, report.ts,
            )
        )  # fmt: skip
        shift_marks(recorder, portfolio, portfolio.equity - before)

    def foreign_activity(self, report: ForeignActivity) -> None:
        """Tell a person of it; the books are not touched."""
        kind = report.kind
        if _FIRST_KIND <= kind <= _LAST_KIND:
            subject = foreign_subject(report.venue, kind, report.subject)
            self._quarantine(_FOREIGN, subject, report.text)
        else:
            text = f"a kind of activity {kind}; {_FIRST_KIND} to {_LAST_KIND}"
            self._quarantine(_FOREIGN, f"{report.venue} {report.subject}", text)

    def _problem(self, report: CashMoved) -> str:
        """What is wrong with a movement that a venue names; "" when nothing is."""
        state = self.state
        if report.portfolio not in state.portfolios or report.venue not in state.venues:
            return "no such portfolio or venue"
        if report.asset not in state.asset_scales:
            return f"no instrument names the asset {report.asset}: its decimals are not known"
        if not 0 < len(report.reference) <= VENUE_ID_LENGTH_MAX:
            length = len(report.reference)
            return f"a reference of {length} characters; 1 to {VENUE_ID_LENGTH_MAX}"
        amount, cause = report.amount, report.cause
        if not _DEPOSIT <= cause <= _UNEXPLAINED:
            return f"a cause {cause}; {_DEPOSIT} to {_UNEXPLAINED}"
        if amount == 0:
            return "a movement of nothing"
        if amount < 0 and cause == _DEPOSIT:
            return f"a deposit of {amount} units of {report.asset}; it must be > 0"
        if amount > 0 and cause == _WITHDRAWAL:
            return f"a withdrawal of {amount} units of {report.asset}; it must be < 0"
        if abs(amount) > AMOUNT_MAX * int(10 ** state.asset_scales[report.asset]):
            return f"{amount} units of {report.asset} are more than there can be"
        return ""

    def _quarantine(self, report: str, subject: str, text: str) -> None:
        subject = subject[:SUBJECT_LENGTH_MAX]
        if f"{report}/{subject}" not in self.state.quarantined:
            recorder = self.recorder
            recorder.record(ReportQuarantined(recorder.seq(), recorder.now, report, subject, text))


def foreign_subject(venue: str, kind: int, subject: str) -> str:
    """What a foreign thing is told by, once: "binance foreign_order 8812"."""
    return f"{venue} {Reason(kind).name.lower()} {subject}"


def is_told_foreign(state: State, venue: str, order_id: str) -> bool:
    """Whether an order was reported as somebody else's."""
    subject = foreign_subject(venue, int(Reason.FOREIGN_ORDER), order_id)
    return f"{_FOREIGN}/{subject}" in state.quarantined
