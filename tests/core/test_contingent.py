"""Stops, take-profits and trailing stops held by the core, and orders linked as OCO or bracket."""

from typing import Any

import pytest
from core_world import LINEAR_ID, ONE, SPOT_ID, CoreWorld, spec

from zvt_trading.core.contingent import Contingent
from zvt_trading.messages.codes import (
    ACCEPTED,
    BUY,
    CANCEL_REQUESTED,
    CANCELLED,
    EXPIRED,
    FILLED,
    GTD,
    HALTED,
    NO_REQUEST,
    OFFSET_BPS,
    PENDING,
    SCOPE_GLOBAL,
    SELL,
    STOP,
    STOP_LIMIT,
    SUBMITTED,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAILING_STOP,
    TRIGGER_LAST,
    TRIGGER_MARK,
)
from zvt_trading.messages.commands import SetTradingState
from zvt_trading.messages.events import OrderReleased
from zvt_trading.messages.market import Bar, VenueStatus
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import CancelFailed, VenueExpired

TEN = 10 * ONE
FIRED = ["OrderTriggered", "OrderReleased"]


class TestTriggers:
    @pytest.mark.parametrize(
        ("side", "kind", "trigger", "short_of", "reached"),
        [
            (SELL, STOP, 9_900, 9_902, 9_901),
            (BUY, STOP, 10_100, 10_098, 10_099),
            (SELL, TAKE_PROFIT, 10_100, 10_100, 10_101),
            (BUY, TAKE_PROFIT, 9_900, 9_900, 9_899),
        ],
    )
    def test_when_it_fires(
        self, side: int, kind: int, trigger: int, short_of: int, reached: int
    ) -> None:
        """Stops when the price it would trade at goes against us, take-profits when it comes."""
        world = CoreWorld()
        order = world.order(world.submit(side, ONE, kind=kind, trigger_price=trigger))
        assert (PENDING, 0) == (order.life, order.hold)
        assert [] == world.at(short_of)
        world.at(reached)
        assert FIRED == world.names()
        assert (SUBMITTED, ONE) == (order.life, order.working)
        assert [] == world.state.markets[SPOT_ID].stops

    @pytest.mark.parametrize("kind", [STOP_LIMIT, TAKE_PROFIT_LIMIT])
    def test_with_a_limit_it_is_sent_with_its_price(self, kind: int) -> None:
        """A limit order leaves, not a market order."""
        world = CoreWorld()
        trigger = 9_900 if kind == STOP_LIMIT else 10_050
        order = world.order(world.submit(SELL, ONE, 9_850, kind, trigger_price=trigger))
        world.at(9_890 if kind == STOP_LIMIT else 10_060)
        assert 0 == world.only(OrderReleased).worst_price
        assert (SUBMITTED, 9_850) == (order.life, order.price)

    def test_the_last_price(self) -> None:
        """Only trades count, the quote does not."""
        world = CoreWorld()
        world.submit(SELL, ONE, kind=STOP, trigger_price=9_900, trigger_by=TRIGGER_LAST)
        assert [] == world.at(9_890)
        world.trade(9_900)
        assert FIRED == world.names()

    def test_the_mark_price(self) -> None:
        """The venue's mark, where it sends one."""
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
        world.mark(10_000)
        world.submit(
            SELL, ONE, kind=STOP, trigger_price=9_900, trigger_by=TRIGGER_MARK, instrument=LINEAR_ID
        )
        assert [] == world.at(9_890, LINEAR_ID)
        world.mark(9_900)
        assert FIRED == world.names()

    def test_bars_fire_stops_too(self) -> None:
        """For feeds that have nothing finer the close is the quote and the last price."""
        world = CoreWorld()
        for trigger_by in (0, TRIGGER_LAST):
            world.submit(SELL, ONE, kind=STOP, trigger_price=9_900, trigger_by=trigger_by)
        world.market(Bar(SPOT_ID, 10_000, 10_000, 9_890, 9_890, ONE, world.now, world.now))
        assert FIRED == world.names()

    def test_without_a_price_nothing_fires(self) -> None:
        """No last price yet: the stop waits."""
        world = CoreWorld()
        order_id = world.submit(BUY, ONE, kind=STOP, trigger_price=1, trigger_by=TRIGGER_LAST)
        world.at(10_050)
        assert PENDING == world.order(order_id).life

    def test_a_stop_that_is_over_at_once_is_not_looked_at(self) -> None:
        """The first of two stops fires; if its release ends the second, that is left alone."""
        world = CoreWorld()
        legs = world.oco(
            world.request(SELL, ONE, kind=TAKE_PROFIT, trigger_price=9_990),
            world.request(SELL, ONE, kind=STOP, trigger_price=10_010),
        )
        world.at(10_000)
        assert (SUBMITTED, CANCELLED) == tuple(world.order(leg).life for leg in legs)

    def test_a_venue_that_holds_stops_gets_them(self) -> None:
        """A capability of the instrument."""
        world = CoreWorld(specs=[spec(stops_held_by_venue=True)])
        order = world.order(world.submit(SELL, ONE, kind=STOP, trigger_price=9_900))
        assert SUBMITTED == order.life


class TestTrailing:
    @pytest.mark.parametrize(
        ("side", "unit", "offset", "path", "triggers"),
        [
            (SELL, 0, 100, (10_001, 10_051, 10_021), (9_900, 9_950, 9_950)),
            (BUY, 0, 100, (9_999, 9_949, 9_979), (10_100, 10_050, 10_050)),
            (SELL, OFFSET_BPS, 200, (10_001, 10_051), (9_800, 9_849)),
            (BUY, OFFSET_BPS, 200, (9_999, 9_949), (10_200, 10_149)),
        ],
    )
    def test_it_follows_and_never_goes_back(
        self, side: int, unit: int, offset: int, path: Any, triggers: Any
    ) -> None:
        """By a price or by basis points of the price, away from us only."""
        world = CoreWorld()
        order = world.order(
            world.submit(side, ONE, kind=TRAILING_STOP, trailing_offset=offset, trailing_unit=unit)
        )
        seen = []
        for price in path:
            world.at(price)
            seen.append(order.trigger_price)
        assert list(triggers) == seen
        world.at(10_001 + side * 260)
        assert SUBMITTED == order.life

    def test_a_first_trigger_may_be_given(self) -> None:
        """It starts there, and follows once the market has come far enough."""
        world = CoreWorld()
        order = world.order(
            world.submit(SELL, ONE, kind=TRAILING_STOP, trigger_price=9_950, trailing_offset=100)
        )
        world.at(10_010)
        assert 9_950 == order.trigger_price
        world.at(10_100)
        assert 9_999 == order.trigger_price

    def test_the_trigger_stays_above_zero(self) -> None:
        """An offset larger than the price gives no trigger, and nothing fires."""
        world = CoreWorld()
        order = world.order(world.submit(SELL, ONE, kind=TRAILING_STOP, trailing_offset=20_000))
        assert [] == world.at(10_010)
        assert (PENDING, 0) == (order.life, order.trigger_price)


class TestTheGateAgain:
    def test_a_passing_trouble_leaves_it_waiting(self) -> None:
        """Fired while the venue is away; sent with the first price after it is back."""
        world = CoreWorld()
        order = world.order(world.submit(SELL, ONE, kind=STOP, trigger_price=9_900))
        world.market(VenueStatus("x", healthy=False, ts=world.now))
        world.at(9_890)
        assert (["OrderTriggered"], True) == (world.names(), order.triggered)
        world.at(9_950)
        assert [] == world.names()
        world.market(VenueStatus("x", healthy=True, ts=world.now))
        world.at(9_960)
        assert ["OrderReleased"] == world.names()

    def test_a_lasting_one_ends_it_with_its_reason(self) -> None:
        """Trading was halted since: the stop is over, and says why."""
        world = CoreWorld()
        order = world.order(world.submit(SELL, ONE, kind=STOP, trigger_price=9_900))
        world.do(SetTradingState(SCOPE_GLOBAL, "", HALTED))
        world.at(9_890)
        assert (CANCELLED, Reason.TRADING_HALTED) == (order.life, order.reason)


def oco(world: CoreWorld, quantity: int = TEN, **stop: Any) -> list[Any]:
    """A resting sell at 102 or a stop at 98; the sell is accepted."""
    legs = world.oco(
        world.request(SELL, quantity, 10_200),
        world.request(SELL, quantity, kind=STOP, trigger_price=9_800, **stop),
    )
    world.accept(legs[0])
    return [world.order(leg) for leg in legs]


class TestOco:
    def test_one_rests_the_other_waits(self) -> None:
        """Both belong to a list that has the first one's id; the waiting one reserves nothing."""
        world = CoreWorld()
        limit, stop = oco(world)
        assert limit.list is stop.list
        assert limit.list is not None
        assert limit.id == limit.list.id
        assert (ACCEPTED, PENDING, 0) == (limit.life, stop.life, stop.hold)

    def test_a_filled_leg_ends_the_other(self) -> None:
        """One cancels the other."""
        world = CoreWorld()
        limit, stop = oco(world)
        world.fill(limit.id, 10_200)
        assert (FILLED, CANCELLED, Reason.LIST_SIBLING) == (limit.life, stop.life, stop.reason)

    def test_a_part_filled_shrinks_the_other(self) -> None:
        """The stop covers what is left."""
        world = CoreWorld()
        limit, stop = oco(world)
        world.fill(limit.id, 10_200, 4 * ONE)
        assert 6 * ONE == stop.quantity

    def test_the_resting_leg_is_taken_back_first(self) -> None:
        """Both filling in full cannot happen: the stop waits for the confirmation."""
        world = CoreWorld()
        limit, stop = oco(world)
        world.at(9_790)
        assert ["OrderTriggered", "CancelRequested"] == world.names()
        assert (CANCEL_REQUESTED, PENDING) == (limit.pending, stop.life)
        assert [] == world.at(9_780)
        world.cancelled(limit.id)
        assert (SUBMITTED, TEN) == (stop.life, stop.quantity)

    @pytest.mark.parametrize("before", [True, False])
    def test_it_is_sent_for_what_the_sibling_left(self, before: bool) -> None:
        """Whether the sibling's fill came before the trigger or during its cancel."""
        world = CoreWorld()
        limit, stop = oco(world)
        if before:
            world.fill(limit.id, 10_200, 4 * ONE)
        world.at(9_790)
        if not before:
            world.fill(limit.id, 10_200, 4 * ONE)
        world.cancelled(limit.id)
        assert (SUBMITTED, 6 * ONE) == (stop.life, stop.working)

    def test_filled_while_it_was_taken_back(self) -> None:
        """The race is lost: the stop has nothing left to do."""
        world = CoreWorld()
        limit, stop = oco(world)
        world.at(9_790)
        world.fill(limit.id, 10_200)
        assert (CANCELLED, Reason.LIST_SIBLING) == (stop.life, stop.reason)

    def test_fills_that_the_venue_counts_but_has_not_told_are_waited_for(self) -> None:
        """Cancelled with 4 filled: the stop is sent for 6 once those fills are known."""
        world = CoreWorld()
        limit, stop = oco(world)
        world.at(9_790)
        world.cancelled(limit.id, filled=4 * ONE)
        assert PENDING == stop.life
        assert [] == world.at(9_780)
        world.fill(limit.id, 10_200, 4 * ONE)
        assert (SUBMITTED, 6 * ONE) == (stop.life, stop.working)

    def test_all_of_it_was_filled_after_all(self) -> None:
        """A cancel that the venue answered too early; the late fills leave nothing."""
        world = CoreWorld()
        limit, stop = oco(world)
        world.at(9_790)
        world.cancelled(limit.id, filled=TEN)
        world.fill(limit.id, 10_200, 4 * ONE)
        world.fill(limit.id, 10_200, 6 * ONE)
        assert (FILLED, CANCELLED) == (limit.life, stop.life)

    def test_a_failed_cancel_is_repeated_with_the_next_price(self) -> None:
        """The stop goes on waiting meanwhile."""
        world = CoreWorld()
        limit, stop = oco(world)
        world.at(9_790)
        world.report(CancelFailed(limit.id, int(Reason.VENUE_RATE_LIMIT), "later", 0))
        assert (NO_REQUEST, ["CancelRejected"]) == (limit.pending, world.names())
        world.at(9_780)
        assert (CANCEL_REQUESTED, PENDING) == (limit.pending, stop.life)

    def test_a_late_fill_after_the_stop_was_sent(self) -> None:
        """Booked; the stop that is out is left to the venue."""
        world = CoreWorld()
        limit, stop = oco(world)
        world.at(9_790)
        world.cancelled(limit.id)
        world.fill(limit.id, 10_200, 4 * ONE)
        assert ["OrderFilled"] == world.names()
        assert (SUBMITTED, TEN) == (stop.life, stop.working)
        world.fill(limit.id, 10_200, 6 * ONE)
        assert ["OrderFilled", "CancelRequested"] == world.names()

    @pytest.mark.parametrize("first", [0, 1])
    def test_a_person_takes_both_back_with_one(self, first: int) -> None:
        """Cancelling a leg is cancelling the pair."""
        world = CoreWorld()
        legs = oco(world)
        world.cancel(legs[first].id)
        if first == 0:
            world.cancelled(legs[0].id)
            assert CANCELLED == legs[1].life
        else:
            assert CANCEL_REQUESTED == legs[0].pending
            world.cancelled(legs[0].id)
        assert [CANCELLED, CANCELLED] == [leg.life for leg in legs]

    def test_a_leg_that_expires_takes_the_other_along(self) -> None:
        """By the core's clock or by the venue's."""
        world = CoreWorld()
        limit, stop = oco(world, tif=GTD, expire_ts=world.now + 10**9)
        world.time(1)
        assert (EXPIRED, CANCEL_REQUESTED) == (stop.life, limit.pending)
        world = CoreWorld()
        limit, stop = oco(world)
        world.report(VenueExpired(limit.id, world.now))
        assert (EXPIRED, CANCELLED) == (limit.life, stop.life)

    def test_a_rejected_leg_leaves_the_protection(self) -> None:
        """The venue refused the take-profit: the stop still guards the position."""
        world = CoreWorld()
        legs = world.oco(
            world.request(SELL, TEN, 10_200),
            world.request(SELL, TEN, kind=STOP, trigger_price=9_800),
        )
        world.reject(legs[0])
        assert PENDING == world.order(legs[1]).life
        world.at(9_790)
        assert TEN == world.order(legs[1]).working


def test_orders_that_are_no_list_are_left_alone() -> None:
    """Nothing follows from a change of a single order."""
    world = CoreWorld()
    order = world.order(world.open(BUY, ONE, 9_900))
    contingent: Contingent = world.core.contingent
    contingent.after(order)
    assert [] == world.step()
