"""Answers that come when nobody waits for them any more, and amends lost before a cancel.

The rest is in test_simulation.py.
"""

import pytest
from simulation_rig import DEAD, MS, Rig

from zvt_trading.core.snapshot import digest
from zvt_trading.messages.codes import CANCEL_REQUESTED, CANCELLED
from zvt_trading.messages.commands import AmendOrder, CancelOrder
from zvt_trading.messages.events import AmendRejected, OrderAmended
from zvt_trading.messages.reasons import Reason
from zvt_trading.sim.parcels import TO_US_ANSWER, VALIDITY, Parcel


def test_an_answer_about_a_forgotten_order_changes_nothing() -> None:
    """Closed orders are kept for a while only; the answer may have been on its way for longer."""
    rig = Rig()
    order_id = rig.resting()
    parcel = Parcel(TO_US_ANSWER, "binance", "forgotten", rig.simulation.now)
    before = digest(rig.core.state, rig.core.risk)
    rig.simulation.inquiry.answered(parcel, rig.exchange.answer(order_id), rig.simulation.now)
    assert before == digest(rig.core.state, rig.core.risk)


class TestAmendThenCancel:
    """Both are asked for, no answer came: the order is at the venue, on the old terms or the new.

    The links are dead, so that nothing but the answers given here is heard.
    """

    def amended_and_cancelled(self) -> tuple[Rig, str]:
        rig = Rig()
        order_id = rig.resting()
        rig.outward(DEAD)
        rig.simulation.command(AmendOrder(order_id, quantity=200))
        rig.simulation.command(CancelOrder(order_id))
        assert (CANCEL_REQUESTED, 200) == self.state(rig, order_id)
        return rig, order_id

    def state(self, rig: Rig, order_id: str) -> tuple[int, int]:
        """What is asked for, and up to which quantity an amend may be."""
        order = rig.order(order_id)
        return order.pending, order.amend_quantity

    def answered(self, rig: Rig, order_id: str, after: int) -> None:
        """The venue is asked so long after the amend; its answer is what it has."""
        sent = rig.simulation.inquiry.amends[order_id]
        parcel = Parcel(TO_US_ANSWER, "binance", order_id, sent + after)
        answer = rig.exchange.answer(order_id)
        rig.simulation.inquiry.answered(parcel, answer, rig.simulation.now)
        rig.simulation.flush()

    @pytest.mark.parametrize("after", [0, 1, VALIDITY])
    def test_old_terms_prove_nothing_while_it_can_still_arrive(self, after: int) -> None:
        """What is reserved for stays the worse of both."""
        rig, order_id = self.amended_and_cancelled()
        self.answered(rig, order_id, after)
        assert (CANCEL_REQUESTED, 200) == self.state(rig, order_id)

    def test_old_terms_after_its_validity_are_the_terms(self) -> None:
        """The amend is over; the cancel is still asked for."""
        rig, order_id = self.amended_and_cancelled()
        self.answered(rig, order_id, VALIDITY + 1)
        assert Reason.NOT_SENT == rig.last(AmendRejected).reason
        assert (CANCEL_REQUESTED, 0) == self.state(rig, order_id)
        assert (100, 100) == (rig.order(order_id).quantity, rig.order(order_id).working)

    def test_new_terms_are_the_terms_at_once(self) -> None:
        """It had arrived, only its confirmation was lost; the cancel is still asked for."""
        rig, order_id = self.amended_and_cancelled()
        rig.exchange.amend(rig.simulation.now, order_id, 0, 200)
        self.answered(rig, order_id, 1)
        assert rig.last(OrderAmended).quantity == 200
        assert (CANCEL_REQUESTED, 0) == self.state(rig, order_id)
        assert rig.order(order_id).quantity == 200

    def test_new_terms_told_before_the_amend_was_asked_for_are_old_news(self) -> None:
        """An answer that was on its way for long is about another time."""
        rig, order_id = self.amended_and_cancelled()
        rig.exchange.amend(rig.simulation.now, order_id, 0, 200)
        self.answered(rig, order_id, -MS)
        assert (CANCEL_REQUESTED, 200) == self.state(rig, order_id)

    def test_the_cancel_ends_both(self) -> None:
        """An answer that the order is gone leaves nothing to amend."""
        rig, order_id = self.amended_and_cancelled()
        rig.exchange.cancel(rig.simulation.now, order_id)
        self.answered(rig, order_id, 1)
        assert CANCELLED == rig.order(order_id).life
        assert (0, 0) == (rig.order(order_id).amend_quantity, rig.order(order_id).hold)
