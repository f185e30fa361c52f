"""Brackets: an entry with a take-profit and a stop-loss; and which orders can be linked at all."""

from typing import Any

import pytest
from core_world import BTC, LINEAR_ID, LOOSE, MILLION, ONE, SPOT_ID, CoreWorld, loose, spec

from zvt_trading.messages.codes import (
    ACCEPTED,
    BUY,
    CANCEL_REQUESTED,
    CANCELLED,
    FILLED,
    LIMIT,
    PENDING,
    SELL,
    STOP,
    SUBMITTED,
    TAKE_PROFIT,
    TRAILING_STOP,
)
from zvt_trading.messages.commands import SubmitOrderList
from zvt_trading.messages.reasons import Reason

TEN = 10 * ONE


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
