"""A new simulated venue takes the place of the one that died with the engine's process."""

from collections import Counter
from typing import Any, Final

import pytest
from adoption_world import Heir
from simulation_rig import DEAD, PERFECT, SLOW, WATCHED, Rig
from venue_world import BTC, ME, PERP_ID, SPOT_ID, USDT

from simulation.harness import Run
from zvt_trading.core.state import State
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import (
    ACCEPTED,
    AMEND_REQUESTED,
    BUY,
    CANCEL_REQUESTED,
    CANCELLED,
    CROSS,
    EXPIRED,
    FILLED,
    FOK,
    GTD,
    IOC,
    ISOLATED,
    LIMIT,
    MARKET,
    PENDING,
    REJECTED,
    SELL,
    STOP,
    SUBMITTED,
    UNKNOWN,
)
from zvt_trading.messages.commands import AmendOrder, CancelOrder, SetLeverage, SubmitOrder
from zvt_trading.messages.events import OrderCancelled, OrderFilled, OrderRejected
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import Fill, VenueAccepted, VenueCancelled
from zvt_trading.sim.accounts import Seat

SEEDS: Final = 120
CHUNK: Final = 20
STEPS: Final = 60
KNOWN_TO_BE_HARD: Final = (225, 412)
"""An order that lives on for its amend alone; a balance below zero."""

# What the seeds' engines must have known when they died, at least so often.
EXERCISED: Final = (
    ("an order without an answer", 20),
    ("an order of unknown outcome", 20),
    ("a resting order", 40),
    ("a resting order filled in part", 10),
    ("a stop at the venue", 10),
    ("a stop held back", 40),
    ("a cancel under way", 10),
    ("an amend under way", 3),
    ("a fill that never came", 2),
    ("an isolated position", 5),
    ("a cross position", 20),
    ("a short position", 10),
)


def heir_of(rig: Rig, link: Any = PERFECT) -> Heir:
    """The next engine, once it has found everything out."""
    heir = Heir(rig.core, rig.simulation.now, link)
    heir.find_out()
    return heir


def unanswered(rig: Rig, **fields: Any) -> str:
    """A buy order at 99.00 of which nothing was ever heard."""
    rig.outward(DEAD)
    order_id = rig.buy(9_900, **fields)
    rig.wait(milliseconds=1)
    return order_id


def last(heir: Heir, kind: type) -> Any:
    """The latest event of a kind."""
    return [event for event in heir.events if isinstance(event, kind)][-1]


class TestSeeds:
    """Whatever a simulated engine knew when it died."""

    @pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
    def test_engine_and_new_venues_agree_and_trade(self, first: int) -> None:
        for seed in range(first, first + CHUNK):
            assert [] == _problems(seed), f"seed {seed}"

    @pytest.mark.parametrize("seed", KNOWN_TO_BE_HARD)
    def test_these_once_never_agreed(self, seed: int) -> None:
        assert [] == _problems(seed)

    def test_the_seeds_know_all_there_is_to_take_over(self) -> None:
        found: Counter[str] = Counter()
        for seed in range(SEEDS):
            found.update(set(_known(_dead(seed).simulation.core.state)))
        assert [] == [(name, found[name]) for name, least in EXERCISED if found[name] < least]


def _dead(seed: int) -> Run:
    """An engine that was never heard of after so many steps."""
    run = Run(seed, STEPS, None, None)
    for message in run.walk.first(run.simulation.now + 1):
        run.feed(message)
    for _ in range(STEPS):
        run.step()
    return run


def _problems(seed: int) -> list[str]:
    run = _dead(seed)
    link = SLOW if seed % 2 else PERFECT
    heir = Heir(run.simulation.core, run.simulation.now, link)
    heir.find_out()
    return heir.problems()


def _known(state: State) -> list[str]:
    """What is to be taken over of a state."""
    found: list[str] = []
    for order in state.orders.values():
        named = {
            "an order without an answer": order.life == SUBMITTED,
            "an order of unknown outcome": order.life == UNKNOWN,
            "a resting order": order.life == ACCEPTED and order.type == LIMIT,
            "a resting order filled in part": order.life == ACCEPTED and order.filled > 0,
            "a stop at the venue": order.life == ACCEPTED and order.type >= STOP,
            "a stop held back": order.life == PENDING,
            "a cancel under way": order.pending == CANCEL_REQUESTED,
            "an amend under way": order.pending == AMEND_REQUESTED,
            "a fill that never came": order.life > ACCEPTED and order.working > 0,
        }
        found.extend(name for name, is_so in named.items() if is_so)
    for portfolio in state.portfolios.values():
        for holding in portfolio.holdings.values():
            position = holding.position
            if position.quantity and not holding.instrument.is_spot:
                mode = {CROSS: "a cross position", ISOLATED: "an isolated position"}
                found.append(mode[position.margin_mode])
                if position.quantity < 0:
                    found.append("a short position")
    return found


class TestMoney:
    """Cash, coins, positions and margin."""

    def test_what_is_left_of_the_cash_is_there(self) -> None:
        rig = Rig()
        rig.buy(quantity=1_000)
        rig.wait(1)
        heir = heir_of(rig)
        account = heir.exchanges["binance"].account(ME)
        assert 101 * BTC == account.balance("BTC").total
        paid = 1_000_000 * USDT - account.balance("USDT").total
        assert 100 * USDT + USDT // 10 < paid < 101 * USDT
        assert [] == heir.problems()

    @pytest.mark.parametrize("mode", [CROSS, ISOLATED])
    def test_a_position_goes_on_with_its_leverage_and_margin(self, mode: int) -> None:
        """And is closed on the new venue, with nothing left of it there."""
        rig = Rig()
        rig.simulation.command(SetLeverage(ME, PERP_ID, 7, mode))
        rig.buy(instrument=PERP_ID, side=SELL, quantity=500)
        rig.wait(1)
        before = _terms(rig.exchange.seat(ME, PERP_ID))
        assert [-500, 7, mode] == before[:3]
        heir = heir_of(rig)
        seat = heir.exchanges["binance"].seat(ME, PERP_ID)
        assert before == _terms(seat)
        assert [] == heir.problems()
        heir.quote(PERP_ID, 10_000, 10_010)
        heir.quote(SPOT_ID, 10_000, 10_010)
        heir.simulation.submit(order(500, instrument=PERP_ID, reduce_only=True))
        heir.wait(SECOND)
        assert [0, 7, mode, 0, 0] == _terms(seat)
        assert [] == heir.problems()

    def test_a_flat_instrument_needs_nothing(self) -> None:
        rig = Rig()
        heir = heir_of(rig)
        seat = heir.exchanges["binance"].seat(ME, PERP_ID)
        assert seat is None or seat.quantity == 0
        assert [] == heir.problems()


def _terms(seat: Seat | None) -> list[int]:
    """A seat's position, and what it is held on."""
    assert seat is not None
    return [seat.quantity, seat.leverage, seat.margin_mode, seat.cost, seat.margin]


def order(quantity: int, price: int = 0, **fields: Any) -> SubmitOrder:
    """A limit order when it has a price, a market order otherwise; it buys unless told."""
    return SubmitOrder(
        ME, fields.pop("instrument", SPOT_ID), fields.pop("side", BUY),
        LIMIT if price else MARKET, quantity, price, **fields,
    )  # fmt: skip


class TestOrders:
    """Which go on, and how the others end."""

    def test_a_resting_order_is_filled_on_the_new_venue(self) -> None:
        rig = Rig()
        order_id = rig.resting()
        heir = heir_of(rig)
        heir.quote(SPOT_ID, 9_880, 9_890)
        heir.wait(SECOND)
        taken = heir.order(order_id)
        assert (FILLED, 100, 9_900) == (taken.life, taken.filled, taken.average_price())
        assert [] == heir.problems()

    def test_what_is_left_of_an_order_goes_on(self) -> None:
        """The fills of both venues add up, and no trade has another's id."""
        rig = Rig()
        order_id = rig.buy(10_010, quantity=1_500)
        rig.wait(1)
        assert 1_000 == rig.order(order_id).filled
        heir = heir_of(rig)
        heir.quote(SPOT_ID, 9_990, 10_000)
        heir.wait(SECOND)
        taken = heir.order(order_id)
        assert (FILLED, 1_500) == (taken.life, taken.filled)
        assert 2 == len(set(taken.trade_ids))
        assert [] == heir.problems()

    def test_it_is_cancelled_and_amended_there(self) -> None:
        rig = Rig()
        first, second = rig.resting(), rig.buy(9_800)
        rig.wait(1)
        heir = heir_of(rig)
        heir.quote(SPOT_ID, 10_000, 10_010)
        heir.simulation.command(CancelOrder(first))
        heir.simulation.command(AmendOrder(second, 9_700, 200))
        heir.wait(SECOND)
        assert CANCELLED == heir.order(first).life
        amended = heir.order(second)
        assert (ACCEPTED, 9_700, 200) == (amended.life, amended.price, amended.quantity)
        assert [] == heir.problems()

    def test_the_venue_s_ids_go_on(self) -> None:
        """No new order has the id of an old one there."""
        rig = Rig()
        old = rig.order(rig.resting())
        heir = heir_of(rig)
        assert old.venue_order_id == heir.exchanges["binance"].desk.orders[old.id].venue_order_id
        heir.quote(SPOT_ID, 10_000, 10_010)
        new = heir.order(heir.simulation.submit(order(100, 9_900)))
        heir.wait(SECOND)
        assert ACCEPTED == new.life
        assert new.venue_order_id not in {"", old.venue_order_id}

    def test_a_stop_at_the_venue_waits_on_and_triggers(self) -> None:
        rig = Rig(holds_stops=True)
        order_id = rig.buy(side=SELL, type=STOP, quantity=100, trigger_price=9_500)
        rig.wait(1)
        heir = heir_of(rig)
        assert ACCEPTED == heir.order(order_id).life
        heir.quote(SPOT_ID, 9_480, 9_490)
        heir.wait(SECOND)
        assert FILLED == heir.order(order_id).life
        assert [] == heir.problems()

    def test_a_stop_held_back_triggers_as_well(self) -> None:
        """The venue never had it: the engine watches the price."""
        rig = Rig()
        order_id = rig.buy(side=SELL, type=STOP, quantity=100, trigger_price=9_500)
        heir = heir_of(rig)
        assert PENDING == heir.order(order_id).life
        heir.quote(SPOT_ID, 9_480, 9_490)
        heir.wait(SECOND)
        assert FILLED == heir.order(order_id).life
        assert [] == heir.problems()

    def test_an_order_with_a_time_ends_in_time(self) -> None:
        rig = Rig()
        order_id = rig.buy(9_900, tif=GTD, expire_ts=rig.simulation.now + 200 * SECOND)
        rig.wait(1)
        heir = heir_of(rig)
        assert ACCEPTED == heir.order(order_id).life
        heir.wait(200 * SECOND)
        assert EXPIRED == heir.order(order_id).life
        assert [] == heir.problems()

    @pytest.mark.parametrize("tif", [IOC, FOK])
    def test_an_order_that_cannot_rest_is_over(self, tif: int) -> None:
        """It was accepted; its end is lost with the venue."""
        rig = Rig()
        order_id = unanswered(rig, tif=tif)
        rig.core.report(rig.simulation.now, VenueAccepted(order_id, "1", rig.simulation.now))
        heir = heir_of(rig)
        assert Reason.VENUE_CANCELLED == last(heir, OrderCancelled).reason
        assert CANCELLED == heir.order(order_id).life
        assert [] == heir.problems()

    def test_a_market_order_filled_in_part_keeps_what_it_has(self) -> None:
        rig = Rig()
        order_id = unanswered(rig, quantity=300)
        now = rig.simulation.now
        rig.core.report(now, Fill(order_id, "t1", 9_900, 100, 2, "USDT", 0, now))
        rig.core.report(now, VenueCancelled(order_id, int(Reason.USER), now, 100))
        heir = heir_of(rig)
        assert (CANCELLED, 100) == (heir.order(order_id).life, heir.order(order_id).filled)
        assert [] == heir.problems()


class TestUnanswered:
    """What was on its way has died with the venue: there is nothing to wait for."""

    @pytest.mark.parametrize("unknown", [False, True])
    def test_an_order_without_an_answer_is_absent(self, unknown: bool) -> None:
        rig = Rig()
        order_id = unanswered(rig)
        if unknown:
            rig.wait(5)
            assert UNKNOWN == rig.order(order_id).life
        heir = heir_of(rig)
        assert REJECTED == heir.order(order_id).life
        assert Reason.ABSENCE_PROVEN == last(heir, OrderRejected).reason
        assert 0 == heir.core.state.portfolios[ME].open_orders
        assert [] == heir.problems()

    def test_a_cancel_that_was_asked_for_is_asked_for_again(self) -> None:
        rig = Rig()
        order_id = rig.resting()
        rig.outward(DEAD)
        rig.simulation.command(CancelOrder(order_id))
        heir = heir_of(rig, WATCHED)
        assert CANCELLED == heir.order(order_id).life
        assert [] == heir.problems()

    def test_an_amend_that_was_asked_for_was_not_done(self) -> None:
        """The new venue has the order as the engine last knew it."""
        rig = Rig()
        order_id = rig.resting()
        rig.outward(DEAD)
        rig.simulation.command(AmendOrder(order_id, 9_800, 200))
        heir = heir_of(rig, WATCHED)
        kept = heir.order(order_id)
        assert (ACCEPTED, 0, 9_900, 100) == (kept.life, kept.pending, kept.price, kept.quantity)
        assert [] == heir.problems()

    def test_an_order_that_lives_for_its_amend_alone_is_filled(self) -> None:
        """It had all it was placed for when the amend to more was under way."""
        rig = Rig()
        order_id = rig.resting()
        rig.outward(DEAD)
        rig.simulation.command(AmendOrder(order_id, 9_900, 300))
        now = rig.simulation.now
        rig.core.report(now, Fill(order_id, "t1", 9_900, 100, 1, "USDT", 0, now))
        assert ACCEPTED == rig.order(order_id).life
        heir = heir_of(rig)
        assert (FILLED, 100) == (heir.order(order_id).life, heir.order(order_id).filled)
        assert [] == heir.problems()

    @pytest.mark.parametrize(
        ("price", "kind", "expected"), [(9_900, "limit", 9_900), (0, "market", "worst")]
    )
    def test_fills_that_an_end_spoke_of_are_made_up_for(
        self, price: int, kind: str, expected: int | str
    ) -> None:
        """At the worst price that the order allowed: better was not proven."""
        rig = Rig()
        rig.inward(DEAD)
        order_id = rig.buy(price, quantity=300)
        now = rig.simulation.now
        rig.core.report(now, VenueCancelled(order_id, int(Reason.USER), now, 200))
        assert (CANCELLED, 200) == (rig.order(order_id).life, rig.order(order_id).working)
        heir = heir_of(rig)
        taken = heir.order(order_id)
        fill = last(heir, OrderFilled)
        assert (200, 0) == (taken.filled, taken.working), kind
        assert (taken.worst_price if expected == "worst" else expected) == fill.price
        assert [] == heir.problems()
