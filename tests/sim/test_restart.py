"""After a start: new risk waits until every order has an outcome and the books are the venues'."""

from collections.abc import Callable
from typing import Final

import pytest
from simulation_rig import DEAD, PERFECT, SLOW, WATCHED, Rig
from venue_world import ME, PERP_ID, SPOT_ID, USDT

from journals import ListJournal
from zvt_trading.core.rng import Rng
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import (
    ACCEPTED,
    BUY,
    FILLED,
    LIMIT,
    MARKET,
    REJECTED,
    TAKER,
    UNKNOWN,
)
from zvt_trading.messages.commands import CancelOrder
from zvt_trading.messages.events import (
    EngineResumed,
    OrderRefused,
    OrderUnknown,
    ReportQuarantined,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import Fill, VenueCancelled
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.link import Link, LinkProfile
from zvt_trading.sim.parcels import ABSENCE_AFTER, POLL_EVERY
from zvt_trading.sim.restart import DIFFERENCES_TOLERATED, is_settled

LINKS: Final = (PERFECT, SLOW, WATCHED)
ALL_READ: Final = 3 * POLL_EVERY
"""So that the venue was read at least twice."""


def started(rig: Rig) -> Rig:
    """The same engine, as after a start on its journal."""
    rig.core.control.start(2)
    rig.simulation.recover([])
    return rig


def suspended(rig: Rig) -> int:
    """Why no new risk is taken."""
    return rig.core.state.suspended


def wait(rig: Rig, duration: int) -> None:
    """Time passes, and the market is still there."""
    rig.simulation.advance(rig.simulation.now + duration)
    rig.quote(10_000, 10_010)
    rig.quote(10_000, 10_010, PERP_ID)


def quarantined(rig: Rig) -> list[str]:
    """What was said about the venue's statements."""
    return [event.text for event in rig.events if isinstance(event, ReportQuarantined)]


class TestAtPeace:
    """Nothing happened meanwhile."""

    @pytest.mark.parametrize("link", LINKS)
    def test_it_trades_when_the_venue_was_read(self, link: LinkProfile) -> None:
        rig = started(Rig(link, link))
        wait(rig, ALL_READ)
        assert 0 == suspended(rig)
        assert "orders, cash and positions are those of the venues" == rig.last(EngineResumed).text
        assert rig.exchange.record.seq == rig.simulation.restart.cursor("binance")
        rig.buy(quantity=100)
        wait(rig, SECOND)
        assert [] == quarantined(rig)

    def test_until_then_orders_are_refused_and_cancels_go(self) -> None:
        rig = Rig()
        resting = rig.resting()
        started(rig)
        rig.buy(9_000)
        assert Reason.RECOVERING == rig.last(OrderRefused).reason
        rig.simulation.command(CancelOrder(resting))
        wait(rig, ALL_READ)
        assert [] == rig.exchange.open_orders()
        assert 0 == suspended(rig)

    def test_a_venue_that_cannot_be_read_keeps_it_waiting(self) -> None:
        """It is asked again and again, and trading begins when it answers."""
        rig = Rig()
        rig.outward(DEAD)
        started(rig)
        wait(rig, 10 * POLL_EVERY)
        assert Reason.RECOVERING == suspended(rig)
        rig.outward(PERFECT)
        wait(rig, ALL_READ)
        assert 0 == suspended(rig)

    def test_every_venue_must_be_read(self) -> None:
        """One that says nothing is as good as one that says something else."""
        rig = Rig()
        rig.simulation.add_venue(SimExchange("okx"), DEAD, PERFECT, Rng(1))
        started(rig)
        wait(rig, 5 * ALL_READ)
        assert Reason.RECOVERING == suspended(rig)
        rig.simulation.ports["okx"].outward = Link(PERFECT, Rng(1))
        wait(rig, ALL_READ)
        assert 0 == suspended(rig)


class TestOrders:
    """What had no answer is asked for."""

    def test_an_order_that_arrived_is_found(self) -> None:
        rig = Rig()
        rig.inward(DEAD)
        order_id = rig.buy(9_900)
        rig.wait(milliseconds=10)
        started(rig)
        assert UNKNOWN == rig.order(order_id).life
        assert "the engine was restarted before the answer" == rig.last(OrderUnknown).text
        rig.inward(PERFECT)
        wait(rig, ALL_READ)
        assert ACCEPTED == rig.order(order_id).life
        assert 0 == suspended(rig)

    def test_an_order_that_never_arrived_is_absent_on_proof_alone(self) -> None:
        """Not before a copy of it can no longer arrive; until then nothing new is traded."""
        rig = Rig()
        rig.outward(DEAD)
        order_id = rig.buy(9_900)
        started(rig)
        rig.outward(PERFECT)
        wait(rig, ABSENCE_AFTER // 2)
        assert (UNKNOWN, Reason.RECOVERING) == (rig.order(order_id).life, suspended(rig))
        wait(rig, 2 * ABSENCE_AFTER + ALL_READ)
        assert (REJECTED, 0) == (rig.order(order_id).life, suspended(rig))

    def test_fills_of_the_time_away_are_booked(self) -> None:
        """Their order had rested; the history tells of them, once."""
        rig = Rig()
        order_id = rig.resting()
        rig.inward(DEAD)
        rig.quote(9_880, 9_890)
        rig.wait(milliseconds=10)
        assert 0 == rig.order(order_id).filled
        started(rig)
        rig.inward(PERFECT)
        wait(rig, ALL_READ)
        taken = rig.order(order_id)
        assert (FILLED, 100, 1) == (taken.life, taken.filled, len(taken.trade_ids))
        assert 0 == suspended(rig)

    def test_a_cancel_without_an_answer_is_waited_for(self) -> None:
        """Though the books are the same until it is done."""
        rig = Rig()
        order_id = rig.resting()
        rig.outward(DEAD)
        rig.simulation.command(CancelOrder(order_id))
        rig.core.control.start(2)
        restart = rig.simulation.restart
        assert [order_id] == [order.id for order in restart.unresolved(rig.simulation.now)]
        restart.read("binance", rig.exchange.history(0), rig.simulation.now)
        assert (False, Reason.RECOVERING) == (restart.is_over, suspended(rig))
        for report in rig.exchange.cancel(rig.simulation.now, order_id):
            rig.core.report(rig.simulation.now, report)
        restart.read("binance", rig.exchange.history(0), rig.simulation.now)
        assert (True, 0) == (restart.is_over, suspended(rig))

    def test_fills_that_an_end_spoke_of_are_waited_for(self) -> None:
        """The order is over; what it filled is not known yet."""
        rig = Rig()
        rig.inward(DEAD)
        order_id = rig.buy(10_010, quantity=100)
        now = rig.simulation.now
        rig.core.report(now, VenueCancelled(order_id, int(Reason.USER), now, 60))
        assert not is_settled(rig.core.state)
        rig.core.report(now, Fill(order_id, "1", 10_010, 60, TAKER, "USDT", 0, now))
        assert is_settled(rig.core.state)

    def test_a_start_before_the_last_one_was_over(self) -> None:
        """Recovery that dies is begun again."""
        rig = Rig()
        rig.inward(DEAD)
        order_id = rig.buy(9_900)
        for _ in range(3):
            started(rig)
            rig.wait(1)
        rig.inward(PERFECT)
        wait(rig, ALL_READ)
        assert (ACCEPTED, 0) == (rig.order(order_id).life, suspended(rig))


def money(rig: Rig) -> None:
    """One unit more than we know of."""
    rig.exchange.credit(ME, "USDT", 1)


def account(rig: Rig) -> None:
    """Of nobody's."""
    rig.exchange.credit("stranger", "USDT", USDT)


def an_order(rig: Rig) -> None:
    """Placed by somebody else."""
    rig.exchange.submit(rig.simulation.now, "alien", ME, SPOT_ID, BUY, LIMIT, 9_000, 100)


def position(rig: Rig) -> None:
    """Taken by somebody else."""
    rig.exchange.submit(rig.simulation.now, "alien", ME, PERP_ID, BUY, MARKET, 0, 100)


def forgotten(rig: Rig) -> None:
    """An order of ours that the venue no longer has."""
    del rig.exchange.desk.open[next(iter(rig.exchange.desk.open))]


def changed(rig: Rig) -> None:
    """An order of ours with another quantity there."""
    next(iter(rig.exchange.desk.open.values())).quantity = 90


DIFFERENCES: Final[tuple[tuple[str, Callable[[Rig], None], str], ...]] = (
    ("money", money, "main at binance: 100000000000000 units of USDT here, 100000000000001 there"),
    ("account", account, "binance has an account 'stranger' that is no portfolio of ours"),
    ("order", an_order, "binance order alien: none here, 100 at 9000, 0 filled there"),
    ("position", position, f"main {PERP_ID}: a position of 0 here, 100 there"),
    ("forgotten", forgotten, ": 100 at 9900, 0 filled here, none there"),
    ("changed", changed, ": 100 at 9900, 0 filled here, 90 at 9900, 0 filled there"),
)


class TestDifferences:
    """They are no reason to guess."""

    @pytest.mark.parametrize(
        ("differ", "text"), [row[1:] for row in DIFFERENCES], ids=[row[0] for row in DIFFERENCES]
    )
    def test_it_says_which_and_stays_suspended(
        self, differ: Callable[[Rig], None], text: str
    ) -> None:
        """Once, after some readings: a fill may be on its way meanwhile."""
        rig = Rig()
        rig.resting()
        differ(rig)
        started(rig)
        for _ in range(DIFFERENCES_TOLERATED - 1):
            wait(rig, POLL_EVERY // 2)
        early = quarantined(rig)
        wait(rig, 20 * POLL_EVERY)
        assert Reason.RECOVERING == suspended(rig)
        told = [one for one in quarantined(rig) if text in one]
        assert ([], 1) == ([one for one in early if text in one], len(told))

    def test_it_trades_when_they_are_gone(self) -> None:
        rig = Rig()
        money(rig)
        started(rig)
        wait(rig, 10 * POLL_EVERY)
        rig.exchange.debit(ME, "USDT", 1)
        wait(rig, ALL_READ)
        assert 0 == suspended(rig)

    def test_over_good_links_it_looks_again_too(self) -> None:
        """Where nothing is lost there is no polling but this."""
        rig = Rig(PERFECT, PERFECT)
        money(rig)
        started(rig)
        wait(rig, ALL_READ)
        assert Reason.RECOVERING == suspended(rig)
        rig.exchange.debit(ME, "USDT", 1)
        wait(rig, ALL_READ)
        assert 0 == suspended(rig)
        assert -1 == rig.simulation.next_due()


class TestStore:
    """Recovery while the journal cannot keep anything."""

    def test_it_does_not_trade_before_both_are_over(self) -> None:
        rig = Rig()
        journal = ListJournal()
        rig.simulation.journal = journal
        started(rig)
        journal.is_broken = True
        rig.buy(9_000)
        wait(rig, ALL_READ)
        assert Reason.STORE_UNAVAILABLE == suspended(rig)
        assert "EngineResumed" not in rig.names()
        journal.mend()
        rig.simulation.tick()
        wait(rig, ALL_READ)
        assert 0 == suspended(rig)

    def test_the_end_of_an_outage_is_not_the_end_of_recovery(self) -> None:
        rig = Rig()
        journal = ListJournal()
        rig.simulation.journal = journal
        rig.outward(DEAD)
        started(rig)
        journal.is_broken = True
        rig.buy(9_000)
        journal.mend()
        rig.simulation.tick()
        assert Reason.RECOVERING == suspended(rig)
        rig.outward(PERFECT)
        wait(rig, ALL_READ)
        assert 0 == suspended(rig)


def test_an_engine_without_a_past_finds_nothing_out() -> None:
    """Histories are read as always over links that may lose; nobody is kept from trading."""
    rig = Rig()
    wait(rig, ALL_READ)
    assert 0 == suspended(rig)
    assert [] == [name for name in rig.names() if name.startswith("Engine")]
