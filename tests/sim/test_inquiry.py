"""Answers that come when nobody waits for them any more; the rest is in test_simulation.py."""

from simulation_rig import Rig

from zvt_trading.core.snapshot import digest
from zvt_trading.sim.parcels import TO_US_ANSWER, Parcel


def test_an_answer_about_a_forgotten_order_changes_nothing() -> None:
    """Closed orders are kept for a while only; the answer may have been on its way for longer."""
    rig = Rig()
    order_id = rig.resting()
    parcel = Parcel(TO_US_ANSWER, "binance", "forgotten", rig.simulation.now)
    before = digest(rig.core.state, rig.core.risk)
    rig.simulation.inquiry.answered(parcel, rig.exchange.answer(order_id), rig.simulation.now)
    assert before == digest(rig.core.state, rig.core.risk)
