"""What venues report, in any order and any number of times."""

from typing import Any

import msgspec
import pytest
from core_world import BTC, INVERSE_ID, LINEAR_ID, ONE, CoreWorld, loose

from zvt_trading.core.evolve_orders import EvolveError
from zvt_trading.core.limits import AMOUNT_MAX, VENUE_ENTRIES_KEPT
from zvt_trading.messages.codes import (
    ACCEPTED,
    BUY,
    CANCELLED,
    EXPIRED,
    FILLED,
    HALTED,
    ISOLATED,
    PENDING,
    REJECTED,
    SCOPE_STRATEGY,
    SELL,
    STOP,
    UNKNOWN,
)
from zvt_trading.messages.commands import SetLeverage, SetTradingState
from zvt_trading.messages.events import (
    AmendRequested,
    CancelRequested,
    CoolDownStarted,
    OrderAccepted,
    OrderFilled,
    OrderReleased,
    ReportQuarantined,
    TradingStateChanged,
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
    SendFailed,
    VenueAccepted,
    VenueAmended,
    VenueCancelled,
    VenueExpired,
    VenueRejected,
)

NO_ID = "f" * 32


def reports_of(order_id: str) -> list[Any]:
    """One report of each kind about an order, in an order that leaves it filled."""
    return [
        OutcomeUnknown(order_id, "timeout", 1),
        VenueAccepted(order_id, "v1", 2),
        Fill(order_id, "t1", 9_990, ONE, 1, "USD", 5, 3),
        VenueAmended(order_id, 9_980, 5 * ONE, 4),
        VenueCancelled(order_id, int(Reason.VENUE_CANCELLED), 5, 2 * ONE),
        Fill(order_id, "t2", 9_990, ONE, 1, "USD", 5, 6),
    ]


class TestIdempotence:
    def test_every_report_may_come_twice(self) -> None:
        """The second copy says nothing new: no event."""
        world = CoreWorld()
        order_id = world.submit(BUY, 10 * ONE, 9_990)
        for report in reports_of(order_id):
            assert 1 == len(world.report(report)), report
            assert [] == world.report(report)
        for report in reports_of(order_id):
            assert [] == world.report(report)

    def test_reports_about_an_order_that_is_over(self) -> None:
        """Nothing but fills changes a filled order."""
        world = CoreWorld()
        order_id = world.trade_now(BUY, ONE, 10_000)
        for report in (
            VenueAccepted(order_id, "v", 1),
            VenueRejected(order_id, 400, "", 1),
            SendFailed(order_id, "", 1),
            AbsenceProven(order_id, "", 1),
            OutcomeUnknown(order_id, "", 1),
            VenueCancelled(order_id, 509, 1),
            VenueExpired(order_id, 1),
            CancelFailed(order_id, 408, "", 1),
            AmendFailed(order_id, 408, "", 1),
            VenueAmended(order_id, 1, ONE, 1),
        ):
            assert [] == world.report(report)


class TestNotTaken:
    @pytest.mark.parametrize(
        ("kind", "reason"),
        [
            (VenueRejected, Reason.VENUE_FILTER),
            (SendFailed, Reason.NOT_SENT),
            (AbsenceProven, Reason.ABSENCE_PROVEN),
        ],
    )
    @pytest.mark.parametrize("unknown_before", [False, True])
    def test_the_three_proofs_that_the_venue_has_it_not(
        self, kind: Any, reason: Reason, unknown_before: bool
    ) -> None:
        """Each with its reason, from SUBMITTED or UNKNOWN."""
        world = CoreWorld()
        order = world.order(world.submit(BUY, ONE, 9_990))
        if unknown_before:
            world.report(OutcomeUnknown(order.id, "", 0))
            assert UNKNOWN == order.life
        arguments = (int(reason), "no", 0) if kind is VenueRejected else ("no", 0)
        world.report(kind(order.id, *arguments))
        assert (REJECTED, reason, 0) == (order.life, order.reason, order.hold)

    def test_an_accepted_order_cannot_be_absent(self) -> None:
        """Older evidence does not win over newer."""
        world = CoreWorld()
        order = world.order(world.open(BUY, ONE, 9_990))
        assert [] == world.report(AbsenceProven(order.id, "", 0))
        assert ACCEPTED == order.life


class TestLateEvidence:
    def test_a_rejected_order_comes_back_when_the_venue_has_it(self) -> None:
        """It counts at worst case again: quantity, reservation, open orders."""
        world = CoreWorld()
        order = world.order(world.submit(BUY, ONE, 9_990))
        hold = order.hold
        world.reject(order.id)
        world.accept(order.id)
        assert (ACCEPTED, ONE, hold) == (order.life, order.working, order.hold)
        assert 1 == world.portfolio.open_orders
        world.cancelled(order.id)
        assert (CANCELLED, 0) == (order.life, order.hold)

    @pytest.mark.parametrize(
        ("filled", "life", "working"), [(4 * ONE, ACCEPTED, 6 * ONE), (10 * ONE, FILLED, 0)]
    )
    def test_a_rejected_order_is_filled_after_all(
        self, filled: int, life: int, working: int
    ) -> None:
        """The fill is booked, and what is left of it works."""
        world = CoreWorld()
        order = world.order(world.submit(BUY, 10 * ONE, 9_990))
        hold = order.hold
        world.reject(order.id)
        world.fill(order.id, 9_990, filled)
        assert (life, working) == (order.life, order.working)
        assert hold * working // (10 * ONE) == order.hold
        assert filled == world.position()
        assert (1 if working else 0) == world.portfolio.open_orders

    @pytest.mark.parametrize("expires", [False, True])
    def test_fills_after_the_end(self, expires: bool) -> None:
        """Booked where the order is; when all of it was filled, it was filled."""
        world = CoreWorld()
        order = world.order(world.open(BUY, 10 * ONE, 9_990))
        if expires:
            world.report(VenueExpired(order.id, 1))
        else:
            world.cancelled(order.id)
        life = EXPIRED if expires else CANCELLED
        world.fill(order.id, 9_990, 4 * ONE)
        assert (life, 4 * ONE) == (order.life, world.position())
        world.fill(order.id, 9_990, 6 * ONE)
        assert (FILLED, 0) == (order.life, order.working)

    @pytest.mark.parametrize("expires", [False, True])
    def test_fills_that_the_venue_counts_stay_reserved_for(self, expires: bool) -> None:
        """Cancelled with four filled: four work on until their fills have come."""
        world = CoreWorld()
        order = world.order(world.open(BUY, 10 * ONE, 9_990))
        hold = order.hold
        if expires:
            world.report(VenueExpired(order.id, 1, 4 * ONE))
        else:
            world.cancelled(order.id, filled=4 * ONE)
        assert (4 * ONE, hold * 4 // 10) == (order.working, order.hold)
        assert 4 * ONE == world.holding().open_buy
        world.fill(order.id, 9_990, 3 * ONE)
        assert (ONE, hold // 10) == (order.working, order.hold)
        world.fill(order.id, 9_990, ONE)
        assert (0, 0) == (order.working, order.hold)

    def test_more_is_filled_than_was_asked(self) -> None:
        """Whatever the venue did, the position is what it executed."""
        world = CoreWorld()
        order = world.order(world.open(BUY, ONE, 9_990))
        world.fill(order.id, 9_990, 2 * ONE)
        assert (FILLED, 2 * ONE, 0) == (order.life, world.position(), order.working)

    def test_the_venue_counts_more_than_was_asked(self) -> None:
        """All of it works on, until the fills have come."""
        world = CoreWorld()
        order = world.order(world.open(BUY, ONE, 9_990))
        hold = order.hold
        world.cancelled(order.id, filled=2 * ONE)
        assert (2 * ONE, hold) == (order.working, order.hold)
        world.fill(order.id, 9_990, 2 * ONE)
        assert (FILLED, 0, 0) == (order.life, order.working, order.hold)

    def test_a_fill_may_come_before_the_answer(self) -> None:
        """The stream overtook the reply."""
        world = CoreWorld()
        order = world.order(world.submit(BUY, ONE, 9_990))
        world.fill(order.id, 9_990, ONE // 2)
        assert ACCEPTED == order.life
        assert [] == [e for e in world.accept(order.id) if not isinstance(e, OrderAccepted)]


class TestQuarantine:
    def test_orders_that_are_not_ours(self) -> None:
        """Kept for a person; nothing is booked."""
        world = CoreWorld()
        before = world.balance().total
        world.report(Fill(NO_ID, "t", 100, ONE, 1, "USD", 0, 0))
        quarantined = world.only(ReportQuarantined)
        assert ("Fill", NO_ID) == (quarantined.report, quarantined.subject)
        assert before == world.balance().total

    def test_orders_that_were_never_sent(self) -> None:
        """A held stop cannot be filled."""
        world = CoreWorld()
        order = world.order(world.submit(SELL, ONE, kind=STOP, trigger_price=9_500))
        world.report(Fill(order.id, "t", 9_500, ONE, 1, "USD", 0, 0))
        assert ["ReportQuarantined"] == world.names()
        assert PENDING == order.life

    @pytest.mark.parametrize(("price", "quantity"), [(0, ONE), (100, 0), (-1, ONE), (100, -1)])
    def test_fills_that_cannot_be(self, price: int, quantity: int) -> None:
        """A fill has a price and a quantity above zero."""
        world = CoreWorld()
        order_id = world.open(BUY, ONE, 9_990)
        world.report(Fill(order_id, "t", price, quantity, 1, "USD", 0, 0))
        assert ["ReportQuarantined"] == world.names()
        assert 0 == world.position()

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"price": AMOUNT_MAX * 100 + 1}, "more than any market does"),
            ({"quantity": AMOUNT_MAX * ONE + 1}, "more than any market does"),
            ({"price": 10**15, "quantity": 10**14}, "more than any market does"),
            ({"fee": AMOUNT_MAX * 10**8 + 1}, "units of USD are more than there can be"),
            ({"fee": -AMOUNT_MAX * 10**8 - 1}, "units of USD are more than there can be"),
            ({"fee": AMOUNT_MAX * 10**8 + 1, "fee_asset": "NEW"}, "units of NEW are more"),
            ({"fee_asset": "A" * 33}, "an asset's name of 33 characters"),
            ({"trade_id": "t" * 129}, "a trade id of 129 characters; at most 128"),
        ],
    )
    def test_fills_that_no_table_could_hold(self, changes: dict[str, Any], text: str) -> None:
        """A venue's nonsense is for a person to look at, not for the books."""
        world = CoreWorld()
        order_id = world.open(BUY, ONE, 9_990)
        fill = Fill(order_id, "t", 9_990, ONE, 1, "USD", 0, 0)
        world.report(msgspec.structs.replace(fill, **changes))
        assert text in world.only(ReportQuarantined).text
        assert 0 == world.position()
        world.report(fill)
        assert ONE == world.position()

    def test_fills_of_the_largest_size(self) -> None:
        """What is allowed is booked: 10^17 dollars for 10^15 coins."""
        world = CoreWorld()
        order_id = world.open(BUY, ONE, 9_990)
        world.report(
            Fill(order_id, "t", 10**4, AMOUNT_MAX // 100 * ONE, 1, "USD", AMOUNT_MAX * 10**8, 0)
        )
        assert ["OrderFilled"] == world.names()

    def test_inverse_contracts_are_worth_no_more_than_that_either(self) -> None:
        """A contract is worth the more the less the coin is."""
        world = CoreWorld()
        order_id = world.open(BUY, ONE, 9_990, instrument=INVERSE_ID)
        world.report(Fill(order_id, "t", 1, AMOUNT_MAX * ONE, 1, "BTC", 0, 0))
        assert "more than any market does" in world.only(ReportQuarantined).text

    @pytest.mark.parametrize(
        ("price", "quantity"),
        [(-1, ONE), (AMOUNT_MAX * 100 + 1, ONE), (9_980, 0), (9_980, AMOUNT_MAX * ONE + 1)],
    )
    def test_amends_that_cannot_be(self, price: int, quantity: int) -> None:
        """The order stays as it was known."""
        world = CoreWorld()
        order = world.order(world.open(BUY, ONE, 9_990))
        world.amended(order.id, price, quantity)
        assert "VenueAmended" == world.only(ReportQuarantined).report
        assert (9_990, ONE) == (order.price, order.quantity)

    @pytest.mark.parametrize(
        "report",
        [
            FundingPaid("main", LINEAR_ID, 1, AMOUNT_MAX * 10**8 + 1, "f", 0),
            Liquidated("main", LINEAR_ID, SELL, 0, ONE, 0, 0, "l", 0),
            Liquidated("main", LINEAR_ID, SELL, 100, 0, 0, 0, "l", 0),
            Liquidated("main", LINEAR_ID, SELL, 100, AMOUNT_MAX * ONE + 1, 0, 0, "l", 0),
            Liquidated("main", LINEAR_ID, SELL, 100, ONE, AMOUNT_MAX * 10**8 + 1, 0, "l", 0),
            Liquidated("main", LINEAR_ID, SELL, 100, ONE, 0, AMOUNT_MAX * 10**8 + 1, "l", 0),
            Liquidated("main", LINEAR_ID, SELL, 100, ONE, 0, 0, "l" * 129, 0),
        ],
    )
    def test_entries_that_cannot_be(self, report: Any) -> None:
        """No funding and no liquidation of such numbers."""
        world = CoreWorld()
        before = world.balance().total
        world.report(report)
        assert type(report).__name__ == world.only(ReportQuarantined).report
        assert (before, 0) == (world.balance().total, world.position(LINEAR_ID))

    @pytest.mark.parametrize(
        "report",
        [
            FundingPaid("none", LINEAR_ID, 1, 1, "f", 0),
            FundingPaid("main", "x:NONE", 1, 1, "f", 0),
            Liquidated("none", LINEAR_ID, SELL, 100, ONE, 0, 0, "l", 0),
            Liquidated("main", "x:NONE", SELL, 100, ONE, 0, 0, "l", 0),
        ],
    )
    def test_entries_of_unknown_accounts(self, report: Any) -> None:
        """Neither funding nor a liquidation without portfolio and instrument."""
        world = CoreWorld()
        world.report(report)
        assert type(report).__name__ == world.only(ReportQuarantined).report


class TestVenueEntries:
    def test_funding_is_booked_once(self) -> None:
        """By its id, however often it is reported."""
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
        before = world.balance().total
        report = FundingPaid("main", LINEAR_ID, 10_000, BTC, "f1", 0)
        world.report(report)
        assert [] == world.report(report)
        assert before - BTC == world.balance().total
        assert BTC == world.holding(LINEAR_ID).funding

    def test_a_liquidation_is_booked_once(self) -> None:
        """Closing trade, fee and what the insurance fund bore."""
        world = CoreWorld()
        world.trade_now(BUY, 10 * ONE, 10_000, instrument=LINEAR_ID)
        report = Liquidated("main", LINEAR_ID, SELL, 9_000, 10 * ONE, BTC, 2 * BTC, "l1", 0)
        before = world.balance().total
        world.report(report)
        assert [] == world.report(report)
        assert before - 100 * BTC - BTC + 2 * BTC == world.balance().total
        assert (0, 0) == (world.position(LINEAR_ID), world.balance().margin)

    def test_without_insurance(self) -> None:
        """A part closed within the margin; an inverse position loses coins."""
        world = CoreWorld()
        world.trade_now(BUY, 10 * ONE, 10_000, instrument=INVERSE_ID)
        world.report(Liquidated("main", INVERSE_ID, SELL, 9_000, 5 * ONE, 0, 0, "l1", 0))
        assert 5 * ONE == world.position(INVERSE_ID)
        assert world.balance("BTC").total < 100 * BTC

    def test_the_memory_of_entries_is_bounded(self) -> None:
        """The oldest is forgotten first."""
        world = CoreWorld()
        for number in range(VENUE_ENTRIES_KEPT):
            world.state.venue_entries[str(number)] = 0
        world.state.remember_entry("new", 1)
        assert VENUE_ENTRIES_KEPT == len(world.state.venue_entries)
        assert "0" not in world.state.venue_entries
        assert "new" in world.state.venue_entries


class TestWhatFollowsFromFills:
    def test_a_loss_starts_a_cool_down(self) -> None:
        """Where a limit says so: no new risk until it is over."""
        world = CoreWorld(limits=loose(cool_down_ms=2_000))
        world.trade_now(BUY, ONE, 10_000)
        assert ["OrderFilled"] == world.names()
        world.trade_now(SELL, ONE, 9_990, at=9_990)
        assert world.now + 2 * 10**9 == world.only(CoolDownStarted).until_ts
        world.submit(BUY, ONE, 9_990)
        assert Reason.COOL_DOWN == world.why()

    def test_without_such_a_limit_it_does_not(self) -> None:
        """Off by default."""
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000)
        world.trade_now(SELL, ONE, 9_990, at=9_990)
        assert ["OrderFilled"] == world.names()

    def test_too_many_executions_halt_the_strategy(self) -> None:
        """What was sent before the limit was reached is one too many; a person re-arms."""
        world = CoreWorld(limits=loose(repeated_executions_max=1))
        sent = [world.open(BUY, ONE, 10_000, strategy="s") for _ in range(2)]
        world.fill(sent[0])
        assert ["OrderFilled"] == world.names()
        world.fill(sent[1])
        changed = world.only(TradingStateChanged)
        assert (SCOPE_STRATEGY, "s", HALTED) == (changed.scope, changed.key, changed.state)
        assert Reason.REPEATED_EXECUTION == changed.reason
        world.submit(BUY, ONE, 10_000, strategy="s")
        assert Reason.TRADING_HALTED == world.why()
        world.do(SetTradingState(SCOPE_STRATEGY, "s", 0))
        world.submit(BUY, ONE, 10_000, strategy="s")
        assert ["OrderPlaced"] == world.names()


class TestWhatCannotFollow:
    def test_an_event_out_of_sequence(self) -> None:
        """The journal has a gap."""
        world = CoreWorld()
        order_id = world.open(BUY, ONE, 9_990)
        with pytest.raises(EvolveError, match="event 1 after event"):
            world.core.replay(CancelRequested(1, 0, order_id, 0))

    def test_an_event_about_an_order_that_never_was(self) -> None:
        """The journal is not ours."""
        world = CoreWorld()
        with pytest.raises(EvolveError, match="no order"):
            world.core.replay(CancelRequested(world.state.seq + 1, 0, NO_ID, 0))

    def test_an_event_that_the_order_cannot_take(self) -> None:
        """Release of an order that was sent; acceptance or a fill of one that was not."""
        world = CoreWorld()
        sent = world.open(BUY, ONE, 9_990)
        released = OrderReleased(world.state.seq + 1, 0, sent, ONE, "USD", 0, 0, 0, 0)
        with pytest.raises(EvolveError, match="trigger 0 in life 3"):
            world.core.replay(released)

    def test_a_fill_of_a_held_order(self) -> None:
        """Decided never, so a journal that says it is broken."""
        world = CoreWorld()
        held = world.submit(SELL, ONE, kind=STOP, trigger_price=9_500)
        fill = OrderFilled(
            world.state.seq + 1, 0, held, "main", "x:BTC/USD", SELL, "t", 9_500, ONE, 1, "USD", 0,
            0, 0, 0,
        )  # fmt: skip
        with pytest.raises(EvolveError, match="a fill in life 0"):
            world.core.replay(fill)

    def test_a_second_amend_while_one_is_under_way(self) -> None:
        """Only one request can be out."""
        world = CoreWorld()
        order_id = world.open(BUY, ONE, 9_990)
        world.amend(order_id, 9_980)
        with pytest.raises(EvolveError, match="request 1 while 2"):
            world.core.replay(AmendRequested(world.state.seq + 1, 0, order_id, 1, ONE, 0))

    def test_an_event_of_no_kind(self) -> None:
        """A newer journal than this code."""
        world = CoreWorld()

        class Other:
            seq = world.state.seq + 1
            ts = 0

        other: Any = Other()
        with pytest.raises((EvolveError, TypeError)):
            world.core.replay(other)


def test_isolated_positions_know_their_liquidation_price() -> None:
    """Only while they are open."""
    world = CoreWorld()
    world.do(SetLeverage("main", LINEAR_ID, 10, ISOLATED))
    world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
    position = world.holding(LINEAR_ID).position
    assert 10 * BTC == position.isolated_margin == world.balance().margin
    assert 9_000 < position.liquidation_price < 9_200
    world.trade_now(SELL, ONE, 10_000, instrument=LINEAR_ID)
    assert (0, 0) == (position.isolated_margin, position.liquidation_price)
