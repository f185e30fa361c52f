"""Amending live orders, cancelling many, and what happens when amend, cancel and fill race."""

from typing import Any

import pytest
from core_world import LINEAR_ID, MILLION, ONE, SPOT_ID, THREE, CoreWorld, spec

from zvt_trading.messages.codes import (
    ACCEPTED,
    AMEND_REQUESTED,
    BUY,
    CANCEL_REQUESTED,
    CANCELLED,
    FILLED,
    LINEAR,
    NO_REQUEST,
    SELL,
    STOP,
    STOP_LIMIT,
)
from zvt_trading.messages.commands import CancelAll, Deposit
from zvt_trading.messages.events import AmendRefused, AmendRequested
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import AmendFailed, CancelFailed

NO_ID = "f" * 32
GONE = int(Reason.VENUE_UNKNOWN_ORDER)


def amend_failed(world: CoreWorld, order_id: str) -> list[Any]:
    return list(world.report(AmendFailed(order_id, GONE, "gone", world.now)))


def cancel_failed(world: CoreWorld, order_id: str) -> list[Any]:
    return list(world.report(CancelFailed(order_id, GONE, "gone", world.now)))


class TestAmending:
    @pytest.mark.parametrize(
        ("price", "quantity", "worse"),
        [(9_950, 0, 9_990 * 10), (0, 20 * ONE, 9_990 * 20), (9_900, 4 * ONE, 9_990 * 10)],
    )
    def test_the_worse_terms_are_reserved_until_the_answer(
        self, price: int, quantity: int, worse: int
    ) -> None:
        """Until the venue answered, either the old or the new order may execute."""
        world = CoreWorld(specs=[spec(taker_fee=0)])
        order = world.order(world.open(BUY, 10 * ONE, 9_990))
        world.amend(order.id, price, quantity)
        assert (AMEND_REQUESTED, worse * 10**6) == (order.pending, order.hold)
        new_price, new_quantity = price or 9_990, quantity or 10 * ONE
        assert max(new_quantity, 10 * ONE) == order.working
        world.amended(order.id, new_price, new_quantity)
        assert (NO_REQUEST, new_price, new_quantity) == (
            order.pending, order.price, order.quantity,
        )  # fmt: skip
        assert new_price * new_quantity * 10**3 == order.hold
        assert new_quantity == order.working

    def test_after_a_refused_amend_the_old_terms_work_on(self) -> None:
        """Everything is as before."""
        world = CoreWorld()
        order = world.order(world.open(BUY, 10 * ONE, 9_990))
        before = (order.price, order.quantity, order.working, order.hold)
        world.amend(order.id, quantity=20 * ONE)
        amend_failed(world, order.id)
        assert before == (order.price, order.quantity, order.working, order.hold)
        assert (NO_REQUEST, 0) == (order.pending, order.amend_quantity)

    def test_fills_count_while_it_is_under_way(self) -> None:
        """The amend is of the total quantity, whatever was filled meanwhile."""
        world = CoreWorld()
        order = world.order(world.open(BUY, 10 * ONE, 9_990))
        world.amend(order.id, quantity=6 * ONE)
        world.fill(order.id, 9_990, 4 * ONE)
        world.amended(order.id, 9_990, 6 * ONE)
        assert (2 * ONE, ACCEPTED) == (order.working, order.life)

    def test_an_amend_down_to_what_is_filled_ends_it(self) -> None:
        """Nothing is left to execute: it is filled."""
        world = CoreWorld()
        order = world.order(world.open(BUY, 10 * ONE, 9_990))
        world.amend(order.id, quantity=6 * ONE)
        world.fill(order.id, 9_990, 7 * ONE)
        world.amended(order.id, 9_990, 7 * ONE)
        assert (FILLED, 0, 0) == (order.life, order.working, order.hold)

    def test_a_held_order_is_changed_at_once(self) -> None:
        """Price, quantity and trigger of a stop that waits here."""
        world = CoreWorld()
        order = world.order(world.submit(SELL, ONE, 9_400, STOP_LIMIT, trigger_price=9_500))
        world.amend(order.id, 9_300, 2 * ONE, 9_450)
        assert ["OrderResized"] == world.names()
        assert (9_300, 2 * ONE, 9_450) == (order.price, order.quantity, order.trigger_price)

    def test_a_market_order_has_no_price_to_change(self) -> None:
        """But a stop's trigger may move while it waits."""
        world = CoreWorld()
        order_id = world.submit(SELL, ONE, kind=STOP, trigger_price=9_500)
        world.amend(order_id, price=9_400)
        assert Reason.PRICE_NOT_ALLOWED == world.why()
        world.amend(order_id, trigger_price=9_400)
        assert ["OrderResized"] == world.names()

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"price": -1}, Reason.INVALID_PRICE),
            ({"quantity": -1}, Reason.INVALID_QUANTITY),
            ({"trigger_price": -1}, Reason.INVALID_PRICE),
            ({"trigger_price": 9_000}, Reason.TRIGGER_NOT_ALLOWED),
            ({}, Reason.AMEND_NO_CHANGE),
            ({"price": 9_990, "quantity": 10 * ONE}, Reason.AMEND_NO_CHANGE),
            ({"quantity": 4 * ONE}, Reason.AMEND_BELOW_FILLED),
            ({"quantity": 10**9}, Reason.INSUFFICIENT_BALANCE),
        ],
    )
    def test_what_an_amend_may_not_ask(self, change: dict[str, int], reason: Reason) -> None:
        """The order works on unchanged."""
        world = CoreWorld()
        order = world.order(world.open(BUY, 10 * ONE, 9_990))
        world.fill(order.id, 9_990, 4 * ONE)
        world.amend(order.id, **change)
        assert reason == world.why()
        assert (NO_REQUEST, 9_990, 10 * ONE) == (order.pending, order.price, order.quantity)

    def test_the_gates_refusal_says_the_numbers(self) -> None:
        """Limit, value and scope, as for a new order."""
        world = CoreWorld()
        order_id = world.open(BUY, 10 * ONE, 9_990)
        world.amend(order_id, quantity=10**9)
        refused = world.only(AmendRefused)
        assert refused.value > refused.limit > 0
        assert "main" == refused.key

    def test_which_orders_cannot_be_amended(self) -> None:
        """Unknown, over, not yet accepted, or with a request under way."""
        world = CoreWorld()
        world.amend(NO_ID, 9_980)
        assert Reason.UNKNOWN_ORDER == world.why()
        order_id = world.submit(BUY, ONE, 9_990)
        world.amend(order_id, 9_980)
        assert Reason.REQUEST_PENDING == world.why()
        world.accept(order_id)
        world.amend(order_id, 9_980)
        world.amend(order_id, 9_970)
        assert Reason.REQUEST_PENDING == world.why()
        world.cancelled(order_id)
        world.amend(order_id, 9_970)
        assert Reason.ORDER_CLOSED == world.why()

    def test_a_venue_without_amends(self) -> None:
        """Then the order has to be replaced by hand."""
        world = CoreWorld(specs=[spec(amend_supported=False)])
        world.amend(world.open(BUY, ONE, 9_990), 9_980)
        assert Reason.AMEND_NOT_SUPPORTED == world.why()

    def test_a_perpetual_amend_reserves_margin(self) -> None:
        """The part that reduces needs nothing, also after the amend."""
        world = CoreWorld()
        world.trade_now(BUY, 10 * ONE, 10_000, instrument=LINEAR_ID)
        order = world.order(world.open(SELL, ONE, 10_100, instrument=LINEAR_ID))
        world.amend(order.id, quantity=10 * ONE)
        assert 0 == world.only(AmendRequested).hold
        world.amended(order.id, 10_100, 10 * ONE)
        assert 0 == order.hold


class TestRaces:
    def test_filled_while_an_amend_makes_it_larger(self) -> None:
        """The order is over only when the amend's outcome is known."""
        world = CoreWorld()
        order = world.order(world.open(BUY, 10 * ONE, 9_900))
        world.amend(order.id, quantity=20 * ONE)
        world.fill(order.id, 9_900, 10 * ONE)
        assert (ACCEPTED, 10 * ONE) == (order.life, order.working)
        amend_failed(world, order.id)
        assert (FILLED, 0, 0) == (order.life, order.working, order.hold)

    def test_amended_after_the_old_quantity_was_filled(self) -> None:
        """Then the rest works on."""
        world = CoreWorld()
        order = world.order(world.open(BUY, 10 * ONE, 9_900))
        world.amend(order.id, quantity=20 * ONE)
        world.fill(order.id, 9_900, 10 * ONE)
        world.amended(order.id, 9_900, 20 * ONE)
        assert (ACCEPTED, 10 * ONE) == (order.life, order.working)

    def test_a_cancel_overtakes_an_amend(self) -> None:
        """The cancel stays under way when the amend is answered, either way."""
        for answer in ("amended", "failed"):
            world = CoreWorld()
            order = world.order(world.open(BUY, 10 * ONE, 9_900))
            world.amend(order.id, quantity=20 * ONE)
            world.cancel(order.id)
            if answer == "amended":
                world.amended(order.id, 9_900, 20 * ONE)
            else:
                amend_failed(world, order.id)
            assert (CANCEL_REQUESTED, 0) == (order.pending, order.amend_quantity)
            world.cancelled(order.id)
            assert (CANCELLED, 0, 0) == (order.life, order.working, order.hold)

    def test_a_failed_cancel_leaves_the_amend_under_way(self) -> None:
        """Its answer is still to come."""
        world = CoreWorld()
        order = world.order(world.open(BUY, 10 * ONE, 9_900))
        world.amend(order.id, quantity=20 * ONE)
        world.cancel(order.id)
        cancel_failed(world, order.id)
        assert AMEND_REQUESTED == order.pending
        amend_failed(world, order.id)
        assert (NO_REQUEST, 10 * ONE) == (order.pending, order.working)

    def test_a_failed_cancel_leaves_the_order_as_it_was(self) -> None:
        """And a second one can be sent; an answer that nobody asked for says nothing."""
        world = CoreWorld()
        order = world.order(world.open(BUY, ONE, 9_900))
        world.cancel(order.id)
        assert 1 == len(cancel_failed(world, order.id))
        assert (ACCEPTED, NO_REQUEST, ONE) == (order.life, order.pending, order.working)
        assert [] == cancel_failed(world, order.id)
        assert [] == amend_failed(world, order.id)

    def test_an_overtaken_amend_is_ignored(self) -> None:
        """A late copy of an older answer does not undo a newer one."""
        world = CoreWorld()
        order = world.order(world.open(BUY, ONE, 9_900))
        world.amend(order.id, 9_800)
        world.amended(order.id, 9_800, ONE)
        first = world.now
        world.wait(5)
        world.amend(order.id, 9_700)
        assert [] == world.amended(order.id, 9_800, ONE, first)
        assert AMEND_REQUESTED == order.pending
        world.amended(order.id, 9_700, ONE)
        assert [] == world.amended(order.id, 9_800, ONE, first)
        assert [] == world.amended(order.id, 9_700, ONE)
        assert 9_700 == order.price

    def test_the_venue_may_amend_by_itself(self) -> None:
        """Its word counts, also without a time; but not for an order that is over."""
        world = CoreWorld()
        order = world.order(world.open(BUY, 2 * ONE, 9_900))
        assert ["OrderAmended"] == [type(e).__name__ for e in world.amended(order.id, 9_900, ONE)]
        assert ["OrderAmended"] == [
            type(e).__name__ for e in world.amended(order.id, 9_800, ONE, 0)
        ]
        world.cancelled(order.id)
        assert [] == world.amended(order.id, 9_700, ONE)

    def test_our_own_orders_are_seen_at_either_price(self) -> None:
        """While an amend is under way, the resting order may be met at the old or the new price."""
        world = CoreWorld()
        order_id = world.open(SELL, ONE, 10_100)
        world.amend(order_id, 10_050)
        world.submit(BUY, ONE, 10_060)
        assert Reason.SELF_CROSS == world.why()
        world.amended(order_id, 10_050, ONE)
        world.amend(order_id, 10_100)
        world.submit(BUY, ONE, 10_060)
        assert Reason.SELF_CROSS == world.why()
        world.amended(order_id, 10_100, ONE)
        world.submit(BUY, ONE, 10_060)
        assert ["OrderPlaced"] == world.names()


class TestCancelAll:
    @pytest.mark.parametrize(
        ("command", "hit"),
        [
            (CancelAll(), "abcd"),
            (CancelAll(portfolio="main"), "abcd"),
            (CancelAll(portfolio="other"), ""),
            (CancelAll(strategy="s"), "b"),
            (CancelAll(venue="y"), "d"),
            (CancelAll(symbol="BTC/USD:USD"), "c"),
            (CancelAll(side=SELL), "b"),
            (CancelAll(venue="x", side=BUY), "ac"),
        ],
    )
    def test_all_given_fields_must_match(self, command: CancelAll, hit: str) -> None:
        """An empty field matches anything."""
        world = CoreWorld(specs=[*THREE, spec("BTC/USD:USD2", LINEAR, venue="y")])
        world.do(Deposit("main", "y", "USD", MILLION))
        ids = {
            "a": world.open(BUY, ONE, 9_900),
            "b": world.open(SELL, ONE, 10_200, strategy="s"),
            "c": world.open(BUY, ONE, 9_900, instrument=LINEAR_ID),
            "d": world.open(BUY, ONE, 9_900, instrument="y:BTC/USD:USD2"),
        }
        world.do(command)
        asked = [name for name, order_id in ids.items() if world.order(order_id).pending]
        assert hit == "".join(asked)

    def test_held_orders_end_and_closed_or_asked_ones_are_left(self) -> None:
        """Only what still needs a cancel gets one; orders in flight get one in any case."""
        world = CoreWorld()
        held = world.submit(SELL, ONE, kind=STOP, trigger_price=9_500)
        asked = world.open(BUY, ONE, 9_900)
        world.cancel(asked)
        flying = world.submit(BUY, ONE, 9_800)
        world.cancel(flying)
        world.trade_now(BUY, ONE, 10_000)
        world.do(CancelAll(reason=int(Reason.STRATEGY_STOPPED)))
        assert ["OrderCancelled", "CancelRequested"] == world.names()
        assert Reason.STRATEGY_STOPPED == world.order(held).reason
        assert Reason.STRATEGY_STOPPED == world.order(flying).reason
        assert Reason.USER == world.order(asked).reason

    def test_it_has_a_reason_of_its_own(self) -> None:
        """CANCEL_ALL, when none is given."""
        world = CoreWorld()
        order_id = world.open(BUY, ONE, 9_900, instrument=SPOT_ID)
        world.do(CancelAll())
        assert Reason.CANCEL_ALL == world.order(order_id).reason
