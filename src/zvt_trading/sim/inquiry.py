"""Our side of the protocol of unknown outcomes: resolved by evidence, never by a timer.

An order without an answer is UNKNOWN and is asked for; it is given up only on proof of absence: two
negative answers, spaced, later than any copy of it can still arrive. Cancels are repeated. Nothing
is sent here: the caller does that with what it is given.
"""

from typing import Final, final

from zvt_trading.core.state import Order
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codes import (
    CANCEL_REQUESTED,
    NO_REQUEST,
    SUBMITTED,
    UNKNOWN,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    AbsenceProven,
    AmendFailed,
    OutcomeUnknown,
    VenueAmended,
)
from zvt_trading.sim.parcels import (
    TO_VENUE_CANCEL,
    TO_VENUE_QUERY,
    USUAL,
    Parcel,
    Timing,
)
from zvt_trading.sim.venue_api import Answer


@final
class Inquiry:
    """Remembers what was asked and answered; both books are empty when all is settled."""

    def __init__(self, core: TradingCore) -> None:
        self.core: Final = core
        self.negatives: dict[str, int] = {}  # first answer "not here", by order
        self.amends: dict[str, int] = {}  # when the amend under way was sent, by order

    def amend_sent(self, order_id: str, now: int) -> None:
        """An amend is on its way."""
        self.amends[order_id] = now

    def requests(self, about: Parcel, now: int) -> list[Parcel]:
        """What to send about an order whose request was not answered; [] when it was."""
        order = self.core.state.orders.get(about.order_id)
        if order is not None and order.life == SUBMITTED:
            self.core.report(now, OutcomeUnknown(order.id, "no answer", now))
        if order is None or (order.life != UNKNOWN and order.pending == NO_REQUEST):
            self.negatives.pop(about.order_id, 0)
            self.amends.pop(about.order_id, 0)
            return []
        sent: list[Parcel] = []
        if order.pending == CANCEL_REQUESTED:
            sent.append(Parcel(TO_VENUE_CANCEL, about.venue, order.id, now))
        query = Parcel(TO_VENUE_QUERY, about.venue, order.id, now)
        query.since = about.ts
        sent.append(query)
        return sent

    def answered(self, parcel: Parcel, answer: Answer, now: int, timing: Timing = USUAL) -> None:
        """What a query found is taken through the same idempotent path as every report.

        The parcel's `ts` is when the venue looked, or earlier.
        """
        order = self.core.state.orders.get(parcel.order_id)
        if order is None:
            return
        if not answer.reports:
            self._absent(order, parcel, now, timing)
            return
        for report in answer.reports:
            self.core.report(now, report)
        if order.amend_quantity:  # also when a cancel was asked for meanwhile
            self._amend_answered(order, parcel, answer, now, timing)

    def _amend_answered(
        self, order: Order, parcel: Parcel, answer: Answer, now: int, timing: Timing
    ) -> None:
        """The terms the venue works on: the new ones, or the old ones once no amend can come."""
        asked = self.amends.get(order.id, now)
        if parcel.ts <= asked:
            return  # it was answered before we asked for the amend
        if answer.price != order.price or answer.quantity != order.quantity:
            report = VenueAmended(order.id, answer.price, answer.quantity, parcel.ts)
            self.core.report(now, report)
        elif parcel.ts - asked > timing.validity or order.filled >= order.quantity:
            reason = int(Reason.NOT_SENT)
            text = "the venue never had it"
            self.core.report(now, AmendFailed(order.id, reason, text, parcel.ts))

    def _absent(self, order: Order, parcel: Parcel, now: int, timing: Timing) -> None:
        """A negative answer; two of them, spaced and after the validity window, are proof."""
        if order.life != UNKNOWN or parcel.ts - parcel.since <= timing.absence_after:
            return
        first = self.negatives.get(order.id, 0)
        if first == 0:
            self.negatives[order.id] = parcel.ts
        elif parcel.ts - first >= timing.check_every:
            self.negatives.pop(order.id, 0)
            self.core.report(now, AbsenceProven(order.id, "two negatives", parcel.ts))
