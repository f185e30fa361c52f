"""Stops, take-profits and trailing stops held by the core, and orders linked as OCO or bracket."""

from typing import Any

import pytest
from core_world import BTC, LINEAR_ID, LOOSE, MILLION, ONE, SPOT_ID, CoreWorld, loose, spec

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
    LIMIT,
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
from zvt_trading.messages.commands import SetTradingState, SubmitOrderList
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
            world.submit(
                side, ONE, kind=TRAILING_STOP, trailing_offset=offset, trailing_unit=unit
            )
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
        order = world.order(
            world.submit(SELL, ONE, kind=TRAILING_STOP, trailing_offset=20_000)
        )
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


def bracket(world: CoreWorld, entry: Any = None, **changes: Any) -> list[Any]:
    """Buy ten at 100, then sell at 103 or stop at 98; the entry is accepted."""
    orders = world.bracket(
        entry or world.request(BUY, TEN, 10_000, **changes),
        world.request(SELL, TEN, 10_300, **changes),
        world.request(SELL, TEN, kind=STOP, trigger_price=9_800, **changes),
    )
    world.accept(orders[0])
    return [world.order(order_id) for order_id in orders]


class TestBracket:
    def test_the_exits_wait_for_the_entry(self) -> None:
        """A price below the stop fires nothing while there is nothing to protect."""
        world = CoreWorld()
        entry, profit, stop = bracket(world)
        world.at(9_790)
        assert (ACCEPTED, PENDING, PENDING) == (entry.life, profit.life, stop.life)

    def test_the_filled_entry_sends_the_take_profit_and_arms_the_stop(self) -> None:
        """Both cover what was bought."""
        world = CoreWorld(btc=0)
        entry, profit, stop = bracket(world)
        world.fill(entry.id, 10_000, 4 * ONE)
        assert (4 * ONE, 4 * ONE) == (profit.quantity, stop.quantity)
        assert PENDING == profit.life
        world.fill(entry.id, 10_000)
        assert (FILLED, SUBMITTED, PENDING) == (entry.life, profit.life, stop.life)
        assert (TEN, TEN) == (profit.working, stop.quantity)

    def test_the_take_profit_fills(self) -> None:
        """Part by part the stop shrinks, and goes at the end."""
        world = CoreWorld(btc=0)
        entry, profit, stop = bracket(world)
        world.fill(entry.id)
        world.accept(profit.id)
        world.fill(profit.id, 10_300, 4 * ONE)
        assert 6 * ONE == stop.quantity
        world.fill(profit.id, 10_300)
        assert (FILLED, CANCELLED, Reason.LIST_SIBLING) == (profit.life, stop.life, stop.reason)
        assert 0 == world.position()

    def test_the_stop_takes_the_profit_order_back_and_covers_what_is_left(self) -> None:
        """Exactly what is left is sold, whenever the other's fills came."""
        world = CoreWorld(btc=0)
        entry, profit, stop = bracket(world)
        world.fill(entry.id)
        world.accept(profit.id)
        world.fill(profit.id, 10_300, 3 * ONE)
        world.at(9_790)
        assert (CANCEL_REQUESTED, PENDING) == (profit.pending, stop.life)
        world.fill(profit.id, 10_300, 2 * ONE)
        world.cancelled(profit.id)
        assert (SUBMITTED, 5 * ONE) == (stop.life, stop.working)
        world.accept(stop.id)
        world.fill(stop.id, 9_780)
        assert 0 == world.position()

    def test_an_entry_without_a_fill_takes_its_exits_along(self) -> None:
        """Rejected, cancelled or expired: there is nothing to exit from."""
        world = CoreWorld()
        entry, profit, stop = bracket(world)
        world.cancel(entry.id)
        assert PENDING == stop.life
        world.cancelled(entry.id)
        reason = Reason.LIST_PARENT
        assert (CANCELLED, reason) == (profit.life, profit.reason)
        assert (CANCELLED, reason) == (stop.life, stop.reason)

    def test_a_part_that_was_filled_is_exited(self) -> None:
        """The entry is cancelled after four of ten."""
        world = CoreWorld(btc=0)
        entry, profit, stop = bracket(world)
        world.fill(entry.id, 10_000, 4 * ONE)
        world.cancel(entry.id)
        world.cancelled(entry.id)
        assert (SUBMITTED, 4 * ONE) == (profit.life, profit.working)
        assert 4 * ONE == stop.quantity

    def test_fills_of_a_cancelled_entry_are_waited_for(self) -> None:
        """The venue counts four, we know of none: the exits go out when the fills are known."""
        world = CoreWorld(btc=0)
        entry, profit, stop = bracket(world)
        world.cancel(entry.id)
        world.cancelled(entry.id, filled=4 * ONE)
        assert (PENDING, PENDING) == (profit.life, stop.life)
        world.fill(entry.id, 10_000, 4 * ONE)
        assert (4 * ONE, 4 * ONE) == (profit.working, stop.quantity)

    def test_the_stop_fires_while_the_entry_works(self) -> None:
        """The rest of the entry is taken back first; the stop then covers all that was bought."""
        world = CoreWorld(btc=0)
        entry, profit, stop = bracket(world)
        world.fill(entry.id, 10_000, 4 * ONE)
        world.at(9_790)
        assert (CANCEL_REQUESTED, CANCELLED, PENDING) == (entry.pending, profit.life, stop.life)
        assert [] == world.at(9_780)
        world.fill(entry.id, 10_000, ONE)
        world.cancelled(entry.id)
        assert (SUBMITTED, 5 * ONE) == (stop.life, stop.working)

    def test_an_exit_that_the_gate_holds_back_is_tried_again(self) -> None:
        """The quote was stale when the entry filled; the take-profit leaves with the next one."""
        world = CoreWorld(btc=0)
        entry, profit, _ = bracket(world)
        world.wait(10 * 10**9)
        world.fill(entry.id)
        assert (PENDING, ["OrderFilled"]) == (profit.life, world.names())
        world.at(10_000)
        assert (SUBMITTED, ["OrderReleased"]) == (profit.life, world.names())

    def test_a_fee_in_coins_leaves_less_to_sell(self) -> None:
        """The exits sell what is there, in lots."""
        world = CoreWorld(specs=[spec(lot=10)], btc=0)
        entry, profit, stop = bracket(world)
        world.fill(entry.id, 10_000, fee=BTC // 100 + BTC // 2_000, asset="BTC")
        assert 9_980 == profit.working
        world.accept(profit.id)
        world.at(9_790)
        world.cancelled(profit.id)
        assert 9_980 == stop.working

    def test_without_coins_the_gate_says_so(self) -> None:
        """They went elsewhere meanwhile: the exit ends with the reason."""
        world = CoreWorld(btc=0)
        entry, profit, _ = bracket(world)
        world.fill(entry.id, 10_000, fee=10 * BTC, asset="BTC")
        assert (CANCELLED, Reason.INSUFFICIENT_BALANCE) == (profit.life, profit.reason)

    def test_on_a_perpetual_short(self) -> None:
        """The mirror, with margin in place of coins."""
        world = CoreWorld()
        ids = world.bracket(
            world.request(SELL, TEN, 10_000, instrument=LINEAR_ID),
            world.request(BUY, TEN, 9_700, instrument=LINEAR_ID),
            world.request(BUY, TEN, kind=STOP, trigger_price=10_200, instrument=LINEAR_ID),
        )
        entry, profit, stop = (world.order(order_id) for order_id in ids)
        world.accept(entry.id)
        world.fill(entry.id)
        assert (SUBMITTED, 0) == (profit.life, profit.hold)
        world.accept(profit.id)
        world.at(10_210, LINEAR_ID)
        world.cancelled(profit.id)
        assert (SUBMITTED, 0) == (stop.life, stop.hold)

    def test_exits_that_both_wait_for_a_price(self) -> None:
        """A take-profit order as first exit: whichever fires first ends the other."""
        world = CoreWorld(btc=0)
        ids = world.bracket(
            world.request(BUY, TEN),
            world.request(SELL, TEN, kind=TAKE_PROFIT, trigger_price=10_200),
            world.request(SELL, TEN, kind=TRAILING_STOP, trailing_offset=100),
        )
        world.accept(ids[0])
        world.fill(ids[0])
        assert [FILLED, PENDING, PENDING] == [world.order(order_id).life for order_id in ids]
        world.at(10_210)
        assert [FILLED, SUBMITTED, CANCELLED] == [world.order(one).life for one in ids]

    def test_cancelling_an_exit_before_the_entry(self) -> None:
        """The other exit stays as it is."""
        world = CoreWorld(btc=0)
        entry, profit, stop = bracket(world)
        world.cancel(profit.id)
        assert (ACCEPTED, CANCELLED, PENDING, TEN) == (
            entry.life, profit.life, stop.life, stop.quantity,
        )  # fmt: skip
        world.fill(entry.id)
        world.at(9_790)
        assert TEN == stop.working

    def test_an_entry_that_left_memory(self) -> None:
        """The exits that are still there look after themselves."""
        world = CoreWorld(btc=0)
        entry, profit, stop = bracket(world)
        world.wait(10 * 10**9)
        world.fill(entry.id)
        assert entry.list is not None
        entry.list.orders.remove(entry)
        world.core.contingent.on_price(world.state.markets[SPOT_ID])
        assert PENDING == profit.life
        world.at(9_790)
        assert TEN == stop.working


def request(**changes: Any) -> Any:
    fields: dict[str, Any] = {"side": SELL, "quantity": ONE, "price": 10_200, "kind": LIMIT}
    fields.update(changes)
    return CoreWorld(specs=(), limits=None, usd=0, btc=0).request(**fields)


STOP_LEG = request(kind=STOP, price=0, trigger_price=9_800)
ENTRY = request(side=BUY, price=10_000)


class TestWhatCanBeLinked:
    @pytest.mark.parametrize(
        ("kind", "orders"),
        [
            pytest.param(0, (request(), STOP_LEG), id="no kind"),
            pytest.param(3, (request(), STOP_LEG), id="an unknown kind"),
            pytest.param(1, (), id="nothing"),
            pytest.param(1, (request(),), id="one leg"),
            pytest.param(1, (request(), STOP_LEG, STOP_LEG), id="three legs"),
            pytest.param(2, (ENTRY, request()), id="a bracket of two"),
            pytest.param(1, (request(), request()), id="no stop among the legs"),
            pytest.param(1, (request(kind=0, price=0), STOP_LEG), id="a market order as leg"),
            pytest.param(1, (request(side=BUY), STOP_LEG), id="two sides"),
            pytest.param(1, (request(quantity=2 * ONE), STOP_LEG), id="two quantities"),
            pytest.param(1, (request(instrument=LINEAR_ID), STOP_LEG), id="two instruments"),
            pytest.param(1, (request(portfolio="b"), STOP_LEG), id="two portfolios"),
            pytest.param(
                1,
                (
                    request(instrument=":BTC/USD"),
                    request(instrument=":BTC/USD", kind=STOP, price=0, trigger_price=9_800),
                ),
                id="a list cannot be routed",
            ),
            pytest.param(2, (request(), request(), STOP_LEG), id="exits of the entry's side"),
            pytest.param(2, (ENTRY, request(), request()), id="a bracket without a stop"),
            pytest.param(2, (ENTRY, request(kind=0, price=0), STOP_LEG), id="exit at market"),
            pytest.param(
                2,
                (request(side=BUY, kind=STOP, price=0, trigger_price=1), request(), STOP_LEG),
                id="a stop as entry",
            ),
        ],
    )
    def test_a_list_that_makes_no_sense(self, kind: int, orders: Any) -> None:
        """Nothing of it is placed."""
        world = CoreWorld()
        world.do(SubmitOrderList(kind, orders))
        assert Reason.INVALID_LIST == world.why()
        assert {} == world.state.orders

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"portfolio": "none"}, Reason.UNKNOWN_PORTFOLIO),
            ({"instrument": "x:NONE"}, Reason.UNKNOWN_INSTRUMENT),
            ({"client_tag": "t" * 65}, Reason.ID_TOO_LONG),
            ({"client_tag": "twice"}, Reason.DUPLICATE_CLIENT_ID),
            ({"quantity": 10**9}, Reason.INSUFFICIENT_BALANCE),
        ],
    )
    def test_all_or_none(self, changes: dict[str, Any], reason: Reason) -> None:
        """The gate refuses one: none is placed."""
        world = CoreWorld()
        stop = request(kind=STOP, price=0, trigger_price=9_800, **changes)
        world.do(SubmitOrderList(1, (request(**changes), stop)))
        assert reason == world.why()
        assert {} == world.state.orders

    def test_the_second_leg_is_judged_too(self) -> None:
        """A stop that the gate refuses takes its sibling along."""
        world = CoreWorld(limits=loose(order_notional_max=LOOSE.order_notional_max))
        stop = request(kind=STOP, price=0, trigger_price=9_800, trailing_offset=1)
        world.do(SubmitOrderList(1, (request(), stop)))
        assert Reason.INVALID_TRAILING_OFFSET == world.why()
        assert MILLION == world.balance().total


def test_orders_that_are_no_list_are_left_alone() -> None:
    """Nothing follows from a change of a single order."""
    world = CoreWorld()
    order = world.order(world.open(BUY, ONE, 9_900))
    contingent: Contingent = world.core.contingent
    contingent.after(order)
    assert [] == world.step()
