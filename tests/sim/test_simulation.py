"""The engine and its venues under simulated time: what travels, and how unknown outcomes end."""

import pytest
from simulation_rig import DEAD, MS, NEVER, PERFECT, SLOW, START, WATCHED, Rig
from venue_world import SPOT_ID

from journals import ListJournal
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import (
    ACCEPTED,
    AMEND_REQUESTED,
    BUY,
    CANCEL_REQUESTED,
    CANCELLED,
    FILLED,
    REJECTED,
    SELL,
    STOP,
    SUBMITTED,
    UNKNOWN,
)
from zvt_trading.messages.commands import (
    AmendOrder,
    CancelOrder,
)
from zvt_trading.messages.events import (
    AmendRejected,
    Event,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderRejected,
)
from zvt_trading.messages.market import QuoteTick, TradeTick, VenueStatus
from zvt_trading.messages.reasons import Reason
from zvt_trading.sim.link import LinkProfile
from zvt_trading.sim.parcels import (
    ABSENCE_AFTER,
    ANSWER_TIMEOUT,
    OUR_CHECK,
    POLL_EVERY,
    TO_US_ANSWER,
    TO_US_REPORT,
    VALIDITY,
    Parcel,
)


def after(milliseconds: int) -> LinkProfile:
    """A link that takes this long, and might lose something as far as this side knows."""
    return LinkProfile(milliseconds * MS, milliseconds * MS, disconnects=((NEVER, NEVER + 1),))


class TestTravel:
    def test_perfect_links_answer_within_the_call(self) -> None:
        """Submit returns when the order is filled already."""
        rig = Rig(PERFECT, PERFECT)
        order_id = rig.buy()
        assert ["OrderPlaced", "OrderAccepted", "OrderFilled"] == rig.names()
        assert FILLED == rig.order(order_id).life
        assert 0 == rig.simulation.in_flight()
        assert -1 == rig.simulation.next_due()
        assert not rig.simulation.faulty

    def test_perfect_links_cancel_and_amend_within_the_call(self) -> None:
        """Nothing is left to wait for."""
        rig = Rig(PERFECT, PERFECT)
        order_id = rig.resting()
        rig.simulation.command(AmendOrder(order_id, price=9_800))
        rig.simulation.command(CancelOrder(order_id))
        expected = ["AmendRequested", "OrderAmended", "CancelRequested", "OrderCancelled"]
        assert expected == rig.names()[2:]

    def test_a_delay_each_way(self) -> None:
        """One millisecond out, one back; nobody reminds anybody where nothing can be lost."""
        rig = Rig(SLOW, SLOW)
        order_id = rig.buy(9_900)
        assert START + MS == rig.simulation.next_due()
        rig.simulation.advance(START + 2 * MS - 1)
        assert SUBMITTED == rig.order(order_id).life
        rig.simulation.advance(START + 2 * MS)
        assert ACCEPTED == rig.order(order_id).life
        assert 0 == rig.simulation.in_flight()

    def test_what_is_due_happens_before_the_market_moves(self) -> None:
        """The order meets the old price, although only the new quote makes time pass."""
        rig = Rig(SLOW, SLOW)
        rig.buy()
        rig.simulation.feed(QuoteTick(SPOT_ID, 10_100, 500, 10_110, 500, START + SECOND))
        assert 10_010 == rig.events[-1].price
        assert START + SECOND == rig.simulation.now

    @pytest.mark.parametrize("kind", ["quote", "trade"])
    def test_a_resting_order_is_filled_by_the_market(self, kind: str) -> None:
        """Whatever message it is that reaches it."""
        rig = Rig(PERFECT, PERFECT)
        order_id = rig.resting()
        ts = START + SECOND
        if kind == "quote":
            rig.simulation.feed(QuoteTick(SPOT_ID, 9_850, 500, 9_890, 500, ts))
        else:
            rig.simulation.feed(TradeTick(SPOT_ID, 9_890, 500, SELL, ts))
        assert FILLED == rig.order(order_id).life
        assert rig.simulation.now == ts

    def test_a_market_without_a_venue_is_for_the_engine_alone(self) -> None:
        """An instrument that is not simulated, and the status of a venue, disturb nothing."""
        rig = Rig(PERFECT, PERFECT)
        rig.simulation.feed(TradeTick("kraken:BTC/USD", 1, 1, BUY, START))
        rig.simulation.feed(QuoteTick("kraken:BTC/USD", 1, 1, 2, 1, START))
        rig.simulation.feed(VenueStatus("binance", False, START))
        assert not rig.core.state.venues["binance"].healthy

    def test_many_quotes_with_a_callback(self) -> None:
        """Each is fed, then handed to the callback."""
        rig = Rig(PERFECT, PERFECT)
        quotes = [QuoteTick(SPOT_ID, 10_000 + n, 9, 10_010 + n, 9, START + n) for n in range(3)]
        seen: list[tuple[int, int]] = []
        market = rig.core.state.markets[SPOT_ID]
        rig.simulation.quotes(quotes, lambda q: seen.append((q.bid, market.instrument.bid)))
        assert [(10_000 + n, 10_000 + n) for n in range(3)] == seen

    def test_a_request_older_than_its_validity_is_dropped_by_the_venue(self) -> None:
        """And with nothing under way and no proof there is no settlement."""
        rig = Rig(LinkProfile(VALIDITY + 1, VALIDITY + 1), SLOW)
        order_id = rig.buy(9_900)
        assert not rig.simulation.settle(60 * SECOND)
        assert SUBMITTED == rig.order(order_id).life
        assert [] == rig.exchange.open_orders()


class TestEvents:
    def test_the_journal_comes_before_the_subscribers(self) -> None:
        """And both get everything once, in order."""
        rig = Rig(PERFECT, PERFECT)
        journal = ListJournal()
        rig.simulation.journal = journal
        ahead: list[bool] = []
        rig.simulation.subscribers.append(lambda event: ahead.append(event in journal.events))
        counted = rig.simulation.events
        rig.buy()
        assert rig.events == journal.events
        assert [True] * 3 == ahead
        assert counted + 3 == rig.simulation.events

    def test_a_subscriber_may_give_commands(self) -> None:
        """Their events come after those under way, to everybody."""
        rig = Rig(PERFECT, PERFECT)

        def repeat(event: Event) -> None:
            if isinstance(event, OrderAccepted) and len(rig.events) < 6:
                rig.buy(9_800)

        rig.simulation.subscribers.append(repeat)
        rig.buy(9_900)
        assert ["OrderPlaced", "OrderAccepted"] * 3 == rig.names()

    def test_a_subscriber_that_raises_does_not_block_the_next_events(self) -> None:
        """The error reaches the caller; the simulation goes on."""
        rig = Rig(PERFECT, PERFECT)

        def fail(_: Event) -> None:
            raise ArithmeticError

        rig.simulation.subscribers.append(fail)
        with pytest.raises(ArithmeticError):
            rig.buy(9_900)
        rig.simulation.subscribers.pop()
        rig.buy(9_800)
        assert "OrderAccepted" == rig.names()[-1]


class TestUnknownOrders:
    def test_a_lost_order_is_given_up_on_proof_alone(self) -> None:
        """UNKNOWN after the timeout; REJECTED after two negatives later than any late arrival."""
        rig = Rig()
        rig.outward(DEAD)
        order_id = rig.buy(9_900)
        rig.outward(WATCHED)
        rig.wait(milliseconds=999)
        assert SUBMITTED == rig.order(order_id).life
        rig.wait(milliseconds=1)
        assert UNKNOWN == rig.order(order_id).life
        assert rig.order(order_id).hold > 0
        rig.simulation.advance(START + ABSENCE_AFTER + ANSWER_TIMEOUT)
        assert UNKNOWN == rig.order(order_id).life
        assert rig.simulation.settle(60 * SECOND)
        assert Reason.ABSENCE_PROVEN == rig.last(OrderRejected).reason
        assert 0 == rig.order(order_id).hold

    def test_a_venue_that_cannot_be_asked_proves_nothing(self) -> None:
        """No answer is not a negative answer, however long it takes; then the links are mended."""
        rig = Rig()
        rig.outward(DEAD)
        order_id = rig.buy(9_900)
        assert not rig.simulation.settle(3_600 * SECOND)
        assert UNKNOWN == rig.order(order_id).life
        rig.simulation.mend_links()
        assert rig.simulation.settle(60 * SECOND)
        assert REJECTED == rig.order(order_id).life

    @pytest.mark.parametrize(
        ("price", "names"),
        [(9_900, ["OrderAccepted"]), (0, ["OrderAccepted", "OrderFilled"])],
        ids=["resting", "filled"],
    )
    def test_a_lost_answer_is_found_by_asking(self, price: int, names: list[str]) -> None:
        """The venue has it: with its fills."""
        rig = Rig()
        rig.inward(DEAD)
        rig.buy(price)
        rig.wait(milliseconds=500)
        rig.inward(WATCHED)
        rig.wait(seconds=1)
        assert ["OrderPlaced", "OrderUnknown", *names] == rig.names()

    def test_a_slow_order_is_unknown_but_never_rejected(self) -> None:
        """It arrives within its validity, after many negative answers."""
        rig = Rig(after(VALIDITY // MS))
        rig.buy(9_900)
        rig.outward(WATCHED)
        rig.wait(seconds=60)
        assert ["OrderPlaced", "OrderUnknown", "OrderAccepted"] == rig.names()

    def test_absence_counts_from_the_release_of_a_held_order(self) -> None:
        """A stop held for an hour and sent over a slow link is not called absent at once."""
        rig = Rig()
        order_id = rig.buy(type=STOP, trigger_price=10_100)
        rig.wait(seconds=3_600)
        rig.outward(after(4_000))
        rig.quote(10_100, 10_110)
        rig.outward(WATCHED)
        rig.wait(seconds=60)
        assert FILLED == rig.order(order_id).life
        assert "OrderRejected" not in rig.names()

    def test_a_doubled_request_is_one_order(self) -> None:
        """The venue refuses the copy; that its id is in use means that it has the order."""
        rig = Rig(LinkProfile(MS, MS, duplicate_ppm=1_000_000))
        rig.inward(DEAD)
        order_id = rig.buy(9_900)
        rig.wait(milliseconds=1)
        rig.inward(WATCHED)
        rig.simulation._send_order(order_id, 0)
        rig.wait(milliseconds=10)
        assert UNKNOWN == rig.order(order_id).life
        rig.wait(seconds=5)
        assert ACCEPTED == rig.order(order_id).life
        assert 1 == len(rig.exchange.open_orders())

    def test_two_negatives_at_nearly_the_same_time_are_one(self) -> None:
        """A repeated cancel asks as well, a moment later: that is not a second look."""
        rig = Rig()
        rig.outward(DEAD)
        order_id = rig.buy(9_900)
        rig.wait(milliseconds=300)
        rig.simulation.command(CancelOrder(order_id))
        rig.outward(WATCHED)
        first = 0
        while rig.order(order_id).life != REJECTED:
            rig.simulation.advance(rig.simulation.next_due())
            first = first or rig.simulation.inquiry.negatives.get(order_id, 0)
        assert rig.last(OrderRejected).ts_venue - first >= ANSWER_TIMEOUT

    def test_reminders_about_what_is_forgotten_end(self) -> None:
        """Evicted orders are not asked for, and answers about them change nothing."""
        rig = Rig(PERFECT, PERFECT)
        for kind in (OUR_CHECK, TO_US_ANSWER, TO_US_REPORT):
            rig.simulation._arrive(Parcel(kind, "binance", "forgotten", START))
        assert [] == rig.events


class TestCancels:
    def test_a_lost_cancel_is_repeated(self) -> None:
        """Until the venue has said what became of the order."""
        rig = Rig()
        order_id = rig.resting()
        rig.outward(DEAD)
        rig.simulation.command(CancelOrder(order_id))
        rig.wait(milliseconds=2_500)
        assert CANCEL_REQUESTED == rig.order(order_id).pending
        rig.outward(WATCHED)
        rig.wait(seconds=5)
        assert CANCELLED == rig.order(order_id).life
        assert Reason.USER == rig.last(OrderCancelled).reason
        assert 1 == rig.names().count("CancelRequested")

    def test_a_lost_confirmation_is_found_by_asking(self) -> None:
        """The cancel is repeated in vain; the answer to the query counts."""
        rig = Rig()
        order_id = rig.resting()
        rig.inward(DEAD)
        rig.simulation.command(CancelOrder(order_id))
        rig.wait(milliseconds=100)
        rig.inward(WATCHED)
        rig.wait(seconds=2)
        assert CANCELLED == rig.order(order_id).life

    def test_a_cancel_that_overtakes_its_order_is_not_done(self) -> None:
        """The venue does not know the order yet: that is no answer."""
        rig = Rig(after(3_000))
        order_id = rig.buy(9_900)
        rig.outward(WATCHED)
        rig.simulation.command(CancelOrder(order_id))
        rig.wait(milliseconds=500)
        assert CANCEL_REQUESTED == rig.order(order_id).pending
        assert "CancelRejected" not in rig.names()
        rig.wait(seconds=10)
        assert CANCELLED == rig.order(order_id).life
        assert [] == rig.exchange.open_orders()

    def test_a_cancel_too_late(self) -> None:
        """The order was filled first; the fill was lost, and is found."""
        rig = Rig()
        order_id = rig.resting()
        rig.inward(DEAD)
        rig.quote(9_880, 9_890)
        rig.wait(milliseconds=10)
        rig.inward(WATCHED)
        rig.simulation.command(CancelOrder(order_id))
        rig.wait(seconds=5 + POLL_EVERY // SECOND)
        assert FILLED == rig.order(order_id).life


class TestAmends:
    def test_a_lost_amend_is_over_when_it_can_no_longer_arrive(self) -> None:
        """Both terms are reserved for until then; afterwards the old ones."""
        rig = Rig()
        order_id = rig.resting()
        hold = rig.order(order_id).hold
        rig.outward(DEAD)
        rig.simulation.command(AmendOrder(order_id, quantity=200))
        rig.outward(WATCHED)
        sent = rig.simulation.now
        rig.simulation.advance(sent + VALIDITY)
        assert AMEND_REQUESTED == rig.order(order_id).pending
        assert 200 == rig.order(order_id).working
        assert rig.simulation.settle(60 * SECOND)
        assert Reason.NOT_SENT == rig.last(AmendRejected).reason
        assert (100, hold) == (rig.order(order_id).working, rig.order(order_id).hold)

    def test_a_lost_confirmation_is_found_by_asking(self) -> None:
        """The venue works on the new terms."""
        rig = Rig()
        order_id = rig.resting()
        rig.inward(DEAD)
        rig.simulation.command(AmendOrder(order_id, price=9_950, quantity=200))
        rig.wait(milliseconds=100)
        rig.inward(WATCHED)
        rig.wait(seconds=2)
        assert (9_950, 200) == (rig.last(OrderAmended).price, rig.last(OrderAmended).quantity)
        assert 1 == rig.names().count("OrderAmended")

    def test_a_lost_amend_of_an_order_that_is_filled_meanwhile(self) -> None:
        """Nothing is left to amend: no need to wait for its validity to end."""
        rig = Rig()
        order_id = rig.resting()
        rig.outward(DEAD)
        rig.simulation.command(AmendOrder(order_id, quantity=200))
        rig.outward(WATCHED)
        rig.quote(9_880, 9_890)
        rig.wait(milliseconds=10)
        assert ACCEPTED == rig.order(order_id).life
        rig.wait(seconds=2)
        assert FILLED == rig.order(order_id).life
        assert 0 == rig.order(order_id).working

    def test_links_that_keep_everything_need_no_reminders(self) -> None:
        """The confirmation comes; nothing else is under way."""
        rig = Rig(SLOW, SLOW)
        order_id = rig.resting()
        rig.simulation.command(AmendOrder(order_id, price=9_950))
        assert 1 == rig.simulation.in_flight()
        rig.wait(milliseconds=2)
        assert 9_950 == rig.order(order_id).price

    def test_an_answer_from_before_the_amend_says_nothing_about_it(self) -> None:
        """It was given while the order was UNKNOWN, and has been on its way ever since."""
        rig = Rig()
        rig.inward(after(1_500))
        order_id = rig.buy(9_900)
        rig.wait(milliseconds=1_010)
        assert UNKNOWN == rig.order(order_id).life
        rig.wait(milliseconds=500)
        assert ACCEPTED == rig.order(order_id).life
        rig.outward(DEAD)
        rig.simulation.command(AmendOrder(order_id, price=9_950))
        rig.outward(WATCHED)
        asked = rig.simulation.now
        rig.wait(seconds=1, milliseconds=100)
        assert AMEND_REQUESTED == rig.order(order_id).pending
        rig.inward(WATCHED)
        assert rig.simulation.settle(60 * SECOND)
        assert rig.last(AmendRejected).ts - asked > VALIDITY

    def test_nothing_is_remembered_of_what_is_settled(self) -> None:
        """The protocol's own books are empty when every order has an outcome."""
        rig = Rig()
        rig.outward(DEAD)
        rig.buy(9_900)
        rig.outward(WATCHED)
        amended = rig.resting()
        rig.simulation.command(AmendOrder(amended, price=9_950))
        rig.wait(seconds=60)
        assert {} == rig.simulation.inquiry.amends
        assert {} == rig.simulation.inquiry.negatives
        assert 1 == rig.simulation.in_flight()  # the next poll
