"""The gate as a whole: held, amended, released and flattening orders; pace, patterns, memory."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from risk_world import LINEAR_ID, MILLION, MS, NOW, ONE, SPOT_ID, USD, World, spec

from zvt_trading.core.risk_manager import RiskManager
from zvt_trading.core.units import DAY, HOUR, MINUTE, SECOND
from zvt_trading.messages.codes import (
    ACTIVE,
    BUY,
    HALTED,
    REDUCING,
    SCOPE_GLOBAL,
    SCOPE_PORTFOLIO,
    SCOPE_STRATEGY,
    SCOPE_SYMBOL,
    SCOPE_VENUE,
    SELL,
    STOP,
)
from zvt_trading.messages.commands import LimitSet
from zvt_trading.messages.reasons import Reason

Fields = dict[str, Any]
STOP_LOSS: Fields = {"side": SELL, "quantity": ONE, "kind": STOP, "trigger_price": 9_000}


# Held orders.


def test_a_held_order_does_not_need_a_market_or_money() -> None:
    """Nothing is sent yet; its release passes the whole gate."""
    world = World()
    world.quote(0, 0)
    world.state.venues["x"].healthy = False
    world.portfolio.cool_down_until = NOW + 1
    world.holding().base.total = 0
    ticket = world.ticket(**STOP_LOSS, held=True)
    assert world.check(ticket) == 0
    assert (ticket.hold, ticket.worst_price) == (0, 0)


@pytest.mark.parametrize(
    ("reason", "limits", "fields"),
    [
        (Reason.QUANTITY_MAX, {}, {"quantity": 10**9}),
        (Reason.MAX_ORDER_QUANTITY, {"order_quantity_max": 1}, {}),
        (Reason.MAX_ORDER_NOTIONAL, {"order_notional_max": 89 * USD}, {}),
        (Reason.MAX_OPEN_ORDERS, {"open_orders_max": 0}, {}),
    ],
)
def test_a_held_order_has_the_size_rules(reason: Reason, limits: Fields, fields: Fields) -> None:
    """Those that do not depend on the market of now; the notional is at its trigger price."""
    world = World(quantity_max=10**8)
    world.limit(LimitSet(scope=SCOPE_SYMBOL, key="BTC/USD", **limits))
    assert reason == world.check(world.ticket(**{**STOP_LOSS, **fields}, held=True))


def test_a_held_order_asked_twice_is_a_duplicate() -> None:
    """The intent counts when it is placed, not when it fires."""
    world = World()
    world.place(**STOP_LOSS, held=True)
    assert world.check(world.ticket(**STOP_LOSS, held=True)) == Reason.DUPLICATE_INTENT


def test_halted_takes_no_held_order_and_reducing_only_protective_ones() -> None:
    """A stop that may only reduce protects."""
    world = World()
    protective = {**STOP_LOSS, "instrument": LINEAR_ID, "reduce_only": True}
    world.state.trading_state = REDUCING
    assert world.check(world.ticket(**protective, held=True)) == 0
    assert world.check(world.ticket(**STOP_LOSS, held=True)) == Reason.TRADING_REDUCING
    world.state.trading_state = HALTED
    assert world.check(world.ticket(**protective, held=True)) == Reason.TRADING_HALTED


def test_a_release_passes_the_whole_gate_but_is_no_new_intent() -> None:
    """The same ticket, no longer held, with its order's id."""
    world = World()
    order = world.place(**STOP_LOSS, held=True)
    ticket = world.ticket(**STOP_LOSS)
    ticket.order_id = order.id
    assert world.check(ticket) == 0
    assert ticket.worst_price == 9_700
    world.quote(9_999, 10_001, age_ms=6_000)
    assert world.check(ticket) == Reason.STALE_DATA


def test_held_orders_count_as_messages_when_released() -> None:
    """Placing says nothing to the venue."""
    world = World()
    world.limit(LimitSet(scope=SCOPE_GLOBAL, orders_per_second_max=1))
    order = world.place(**STOP_LOSS, held=True)
    assert world.check(world.ticket(BUY)) == 0
    order.life = 1
    world.risk.on_placed(order, NOW)
    assert world.check(world.ticket(BUY)) == Reason.RATE_SECOND


# Amends.


def amend(world: World, order: Any, quantity: int, price: int) -> Any:
    """A ticket that changes an order's open quantity and price."""
    ticket = world.ticket(order.side, quantity, price, instrument=order.instrument.id)
    ticket.order_id = order.id
    ticket.is_amend = True
    ticket.replaces_quantity = order.working
    ticket.replaces_hold = order.hold
    return ticket


def test_an_amend_replaces_what_it_replaces() -> None:
    """Position and reservation count the new terms instead of the old ones, not besides them."""
    world = World(loose=True)
    world.limit(LimitSet(scope=SCOPE_SYMBOL, key="BTC/USD", position_quantity_max=10 * ONE))
    ticket = world.ticket(BUY, 8 * ONE, 9_000)
    assert world.check(ticket) == 0
    order = world.work(ticket)
    world.holding().settle.total = ticket.hold * 10 // 8
    assert world.check(amend(world, order, 10 * ONE, 9_000)) == 0
    over = amend(world, order, 10 * ONE + 1, 9_000)
    assert world.check(over) == Reason.MAX_POSITION_QUANTITY
    assert world.check(amend(world, order, 10 * ONE, 9_001)) == Reason.INSUFFICIENT_BALANCE


def test_an_amend_to_less_passes_limits_that_were_lowered_meanwhile() -> None:
    """It does not add to the position."""
    world = World(loose=True)
    order = world.place(BUY, 8 * ONE, 9_000)
    world.limit(LimitSet(scope=SCOPE_SYMBOL, key="BTC/USD", position_quantity_max=ONE))
    assert world.check(amend(world, order, 7 * ONE, 9_000)) == 0


def test_amends_count_as_messages() -> None:
    """Venues count them too."""
    world = World()
    world.limit(LimitSet(scope=SCOPE_GLOBAL, orders_per_second_max=2))
    order = world.place(BUY, ONE, 9_000)
    world.risk.on_amend_requested(order, NOW)
    assert world.check(amend(world, order, ONE, 9_001)) == Reason.RATE_SECOND


# The kill switch's closing orders.


def flatten(world: World, side: int, quantity: int, instrument: str) -> Any:
    """A closing order of the kill switch."""
    ticket = world.ticket(side, quantity, instrument=instrument, reduce_only=True)
    ticket.is_flatten = True
    return ticket


def test_flatten_passes_halted_stale_and_every_limit() -> None:
    """The position's size is beyond what an order may have, and other orders still work."""
    world = World()
    world.position(5_000 * ONE, LINEAR_ID)
    world.place(SELL, 5_000 * ONE, 10_100, instrument=LINEAR_ID)
    world.state.trading_state = HALTED
    world.quote(9_999, 10_001, LINEAR_ID, age_ms=60_000)
    world.limit(LimitSet(scope=SCOPE_GLOBAL, order_notional_max=0, orders_per_second_max=0))
    ticket = flatten(world, SELL, 5_000 * ONE, LINEAR_ID)
    assert world.check(ticket) == 0
    assert (ticket.hold, ticket.worst_price) == (0, 9_700)


def test_flatten_without_any_price_is_unbounded() -> None:
    """Better out at the market than in without a market."""
    world = World()
    world.position(-ONE, LINEAR_ID)
    world.quote(0, 0, LINEAR_ID)
    ticket = flatten(world, BUY, ONE, LINEAR_ID)
    assert world.check(ticket) == 0
    assert ticket.worst_price == 0


def test_flatten_cannot_do_the_impossible() -> None:
    """Close more than there is, reach a venue that is down, sell coins that are locked."""
    world = World()
    world.position(ONE, LINEAR_ID)
    world.position(ONE)
    assert world.check(flatten(world, SELL, 2 * ONE, LINEAR_ID)) == Reason.REDUCE_ONLY
    assert world.check(flatten(world, BUY, ONE, LINEAR_ID)) == Reason.REDUCE_ONLY
    assert world.check(flatten(world, SELL, ONE, SPOT_ID)) == 0
    world.holding().base.hold(world.holding().base.total)
    assert world.check(flatten(world, SELL, ONE, SPOT_ID)) == Reason.INSUFFICIENT_BALANCE
    world.state.venues["x"].healthy = False
    assert world.check(flatten(world, SELL, ONE, LINEAR_ID)) == Reason.VENUE_UNHEALTHY


# Pace.


def test_orders_a_second_slide() -> None:
    """The third within a second of the first waits until that one is a second old."""
    world = World()
    world.limit(LimitSet(scope=SCOPE_GLOBAL, orders_per_second_max=2, duplicate_window_ms=0))
    world.place(BUY, ONE, 9_000)
    world.now += SECOND // 2
    world.place(BUY, ONE, 9_000)
    world.now += SECOND // 2 - 1
    ticket = world.ticket(BUY, ONE, 9_000)
    assert world.check(ticket) == Reason.RATE_SECOND
    assert (ticket.limit, ticket.value, ticket.scope) == (2, 2, SCOPE_GLOBAL)
    assert ticket.text == "2 orders in the last second, 2 are allowed"
    world.now += 1
    assert world.check(ticket) == 0


@pytest.mark.parametrize(
    ("limit_set", "span", "reason"),
    [
        (
            LimitSet(scope=SCOPE_GLOBAL, orders_per_hour_max=1),
            HOUR + MINUTE,
            Reason.RATE_HOUR,
        ),
        (LimitSet(scope=SCOPE_GLOBAL, orders_per_day_max=1), DAY + HOUR, Reason.RATE_DAY),
    ],
)
def test_orders_an_hour_and_a_day(limit_set: LimitSet, span: int, reason: Reason) -> None:
    """Counted by minutes and by hours: they are surely over a bucket later."""
    world = World()
    world.limit(limit_set)
    world.place(BUY, ONE, 9_000)
    world.now += span // 2
    world.quote(9_999, 10_001)
    assert reason == world.check(world.ticket(BUY))
    world.now = NOW + span
    world.quote(9_999, 10_001)
    assert world.check(world.ticket(BUY)) == 0


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        (SCOPE_PORTFOLIO, "main"),
        (SCOPE_STRATEGY, "s"),
        (SCOPE_VENUE, "x"),
        (SCOPE_SYMBOL, "BTC/USD"),
    ],
)
def test_a_scope_s_pace_is_counted_over_that_scope(scope: int, key: str) -> None:
    """An order outside the scope does not use it up; one inside does."""
    world = World()
    world.list(spec("ETH/USD", venue="y"))
    world.open("other")
    for balance in world.state.ledger.balances():
        balance.rate_num = balance.rate_den
    world.limit(LimitSet(scope=scope, key=key, orders_per_second_max=1))
    world.place(BUY, 1, 9_000, portfolio="other", instrument="y:ETH/USD", strategy="t")
    inside = world.ticket(BUY, ONE, 9_000, strategy="s")
    assert world.check(inside) == 0
    world.place(SELL, ONE, 11_000, strategy="s")
    assert world.check(inside) == Reason.RATE_SECOND
    assert (scope, key) == (inside.scope, inside.key)


def test_new_limits_do_not_forget_what_was_sent() -> None:
    """The counter of a scope stays while the scope has a pace limit, and goes with it."""
    world = World()
    world.place(BUY, ONE, 9_000)
    world.limit(LimitSet(scope=SCOPE_GLOBAL, orders_per_second_max=1))
    assert world.check(world.ticket(SELL)) == Reason.RATE_SECOND
    world.limit(LimitSet(scope=SCOPE_VENUE, key="x", orders_per_second_max=1))
    world.limit(LimitSet(scope=SCOPE_VENUE, key="x", collar_bps=10))
    world.limit(LimitSet(scope=SCOPE_GLOBAL))
    assert world.check(world.ticket(SELL)) == 0


# Patterns.


def test_a_duplicate_is_the_same_in_everything() -> None:
    """Same strategy, symbol as asked, side, type, quantity, price: within 100 ms."""
    world = World()
    world.place(BUY, ONE, 9_000, strategy="s")
    world.now += 100 * MS - 1
    ticket = world.ticket(BUY, ONE, 9_000, strategy="s")
    assert world.check(ticket) == Reason.DUPLICATE_INTENT
    assert (ticket.limit, ticket.value) == (100, 99)
    others: list[Fields] = [
        {"strategy": "t"},
        {"strategy": "s", "quantity": ONE + 1},
        {"strategy": "s", "price": 9_001},
        {"strategy": "s", "instrument": LINEAR_ID},
    ]
    for fields in others:
        other = world.ticket(**{"side": BUY, "quantity": ONE, "price": 9_000, **fields})
        assert world.check(other) == 0
    world.now += 1
    assert world.check(ticket) == 0


def test_a_routed_order_asked_twice_is_a_duplicate_on_any_venue() -> None:
    """What was asked is the symbol, not the venue that the router chose."""
    world = World()
    world.list(spec(venue="y"))
    order = world.place(BUY, ONE, 9_000)
    for balance in world.state.ledger.balances():
        balance.rate_num = balance.rate_den
    assert world.check(world.ticket(BUY, ONE, 9_000, instrument="y:BTC/USD")) == (
        Reason.INSUFFICIENT_BALANCE  # asked for y by name: another intent, and no money there
    )
    ticket = world.ticket(BUY, ONE, 9_000)
    assert order.request.instrument == ticket.request.instrument
    assert world.check(ticket) == Reason.DUPLICATE_INTENT


def test_the_duplicate_check_can_be_switched_off() -> None:
    """A window of 0 is off, and nothing is remembered."""
    world = World(loose=True)
    world.place(BUY, ONE, 9_000)
    assert world.check(world.ticket(BUY, ONE, 9_000)) == 0


def run(world: World, count: int, step_ms: int, side: int = BUY, strategy: str = "s") -> None:
    """Orders of one strategy, executed one after the other."""
    for _ in range(count):
        world.fill(world.place(side, 1, 0, strategy=strategy))
        world.now += step_ms * MS


def test_repeated_executions_stop_the_strategy_on_that_side() -> None:
    """Twenty in ten seconds; the other side, another strategy and another symbol go on."""
    world = World()
    run(world, 20, 200)
    world.quote(9_999, 10_001)
    ticket = world.ticket(BUY, 1, strategy="s")
    assert world.check(ticket) == Reason.REPEATED_EXECUTION
    assert (ticket.limit, ticket.value) == (20, 20)
    assert world.check(world.ticket(SELL, 1, strategy="s")) == 0
    assert world.check(world.ticket(BUY, 1, strategy="t")) == 0
    assert world.check(world.ticket(BUY, 1, strategy="s", instrument=LINEAR_ID)) == 0
    assert world.risk.tripped == []


def test_slow_repetition_is_trading() -> None:
    """Twenty in more than ten seconds pass."""
    world = World()
    run(world, 30, 600, SELL)
    world.quote(9_999, 10_001)
    assert world.check(world.ticket(SELL, 1, strategy="s")) == 0


def test_fills_of_one_order_are_one_execution() -> None:
    """A market order walks twenty levels."""
    world = World()
    order = world.place(BUY, 20, strategy="s")
    for number in range(20):
        order.trade_ids.append(f"t{number}")
        world.risk.on_filled(order, world.now)
    assert world.check(world.ticket(BUY, 1, strategy="s")) == 0


def test_one_execution_too_many_trips_the_strategy_until_it_is_rearmed() -> None:
    """It can only be an order that was out already; halting settles it, re-arming starts afresh."""
    world = World()
    world.limit(LimitSet(scope=SCOPE_GLOBAL, repeated_executions_max=2))
    orders = [world.place(BUY, 1, 9_000 + number, strategy="s") for number in range(4)]
    for order in orders:
        world.fill(order)
    assert world.risk.tripped == ["s"]
    world.risk.on_trading_state(SCOPE_VENUE, "s", HALTED)
    assert world.risk.tripped == ["s"]
    world.risk.on_trading_state(SCOPE_STRATEGY, "s", HALTED)
    assert world.risk.tripped == []
    assert world.check(world.ticket(BUY, 1, strategy="s")) == Reason.REPEATED_EXECUTION
    world.place(BUY, 1, 8_000, strategy="t")
    world.risk.on_trading_state(SCOPE_STRATEGY, "s", ACTIVE)
    assert world.check(world.ticket(BUY, 1, strategy="s")) == 0


# Loss, cool-down.


def test_breach_watches_the_portfolio_s_own_limits() -> None:
    """Daily loss first, then drawdown; narrower scopes do not stop a portfolio."""
    world = World()
    portfolio = world.portfolio
    world.limit(LimitSet(scope=SCOPE_SYMBOL, key="BTC/USD", daily_loss_max=1))
    portfolio.equity -= 10
    assert world.risk.breach(portfolio) == 0
    world.limit(LimitSet(scope=SCOPE_PORTFOLIO, key="main", daily_loss_max=9))
    assert world.risk.breach(portfolio) == Reason.DAILY_LOSS
    assert (world.risk.breach_limit, world.risk.breach_value) == (9, 10)
    portfolio.day_start_equity = portfolio.equity
    assert world.risk.breach(portfolio) == 0
    portfolio.peak_equity = 2 * MILLION
    assert world.risk.breach(portfolio) == Reason.DRAWDOWN
    assert (world.risk.breach_limit, world.risk.breach_value) == (2_000, 5_000)


def test_cool_down_is_the_order_s_limit() -> None:
    """Off by default."""
    world = World()
    order = world.place(BUY, strategy="s")
    assert world.risk.cool_down_ms(order) == 0
    world.limit(LimitSet(scope=SCOPE_STRATEGY, key="s", cool_down_ms=7))
    assert world.risk.cool_down_ms(order) == 7
    assert world.risk.limits_of(world.holding(), world.state.strategy("t")).cool_down_ms == 0


def test_validate_is_the_limits_own() -> None:
    """The manager only passes it on."""
    code, text = RiskManager().validate(LimitSet(scope=9, key="k"))
    assert (code, bool(text)) == (Reason.INVALID_SCOPE, True)


# Memory.


def test_looking_leaves_no_trace() -> None:
    """A refused or routed order changes nothing that is in the digest."""
    world = World()
    before = world.risk.state_items()
    world.check(world.ticket(BUY, strategy="s"))
    world.check(world.ticket(BUY, 10**9, strategy="t"))
    assert before == world.risk.state_items()


def test_a_restored_gate_decides_the_same() -> None:
    """Limits, pace, patterns and trips come back; the items are the same."""
    world = World()
    world.limit(
        LimitSet(
            scope=SCOPE_VENUE, key="x", orders_per_second_max=9, allow_looser=True, collar_bps=100
        )
    )
    world.limit(LimitSet(scope=SCOPE_SYMBOL, key="BTC/USD", repeated_executions_max=2))
    for number in range(4):
        world.fill(world.place(BUY, 1, 9_000 + number, strategy="s"))
    world.place(SELL, ONE, 11_000)
    other = RiskManager()
    other.restore(world.risk.state_items())
    assert other.state_items() == world.risk.state_items()
    assert other.tripped == ["s"]
    for fields in ({"strategy": "s"}, {"side": SELL, "price": 11_000}, {"price": 10_200}):
        mine, its = world.ticket(**fields), world.ticket(**fields)
        assert world.check(mine) == other.check(its, world.state, world.now) != 0


def test_an_empty_gate_restores() -> None:
    """Nothing in, nothing out."""
    other = RiskManager()
    other.restore(RiskManager().state_items())
    assert other.state_items() == RiskManager().state_items()


# Invariants.

STEP = st.tuples(
    st.sampled_from(["place", "place", "place", "fill", "end"]),
    st.sampled_from([SPOT_ID, LINEAR_ID]),
    st.sampled_from([BUY, SELL]),
    st.integers(1, 400),
    st.sampled_from([0, 9_500, 10_000, 10_200, 10_500]),
    st.integers(0, 30),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEP, max_size=60))
def test_worst_case_stays_within_the_limits_whatever_happens(steps: list[Any]) -> None:
    """I8: after every approval exposure, position, open orders and reservations are within bounds.

    Orders are placed if the gate lets them, filled and cancelled in any order, at one market.
    """
    world = World(loose=True)
    world.limit(
        LimitSet(
            scope=SCOPE_PORTFOLIO,
            key="main",
            exposure_max=100 * USD,
            position_notional_max=70 * USD,
            open_orders_max=6,
        )
    )
    world.limit(LimitSet(scope=SCOPE_SYMBOL, key="BTC/USD", position_quantity_max=500))
    live: list[Any] = []
    for kind, instrument, side, quantity, price, pick in steps:
        if kind == "place":
            ticket = world.ticket(side, quantity, price, instrument=instrument)
            if world.check(ticket) == 0:
                live.append(world.work(ticket))
        elif live:
            order = live.pop(pick % len(live))
            if kind == "fill":
                world.fill(order)
            else:
                world.end(order)
        _check_bounds(world)


def _check_bounds(world: World) -> None:
    """The invariant, from the definitions."""
    exposure = 0
    for holding in world.portfolio.holdings.values():
        quantity = holding.position.quantity
        worst = max(quantity + holding.open_buy, holding.open_sell - quantity)
        value = holding.instrument.value(holding.instrument.mark, worst)
        assert value <= 70 * USD
        assert holding.instrument.symbol != "BTC/USD" or worst <= 500
        assert min(holding.settle.available(), holding.base.available()) >= 0
        exposure += value
    assert exposure <= 100 * USD
    assert world.portfolio.open_orders <= 6


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=60))
def test_approvals_never_pass_the_pace(gaps: list[int]) -> None:
    """In no second are there more approved orders than allowed."""
    world = World(loose=True)
    world.limit(LimitSet(scope=SCOPE_STRATEGY, key="s", orders_per_second_max=3))
    sent: list[int] = []
    for gap in gaps:
        world.now += gap * MS
        world.quote(9_999, 10_001)
        ticket = world.ticket(BUY, 1, 9_000, strategy="s")
        recent = len([ts for ts in sent if ts > world.now - SECOND])
        assert (world.check(ticket) == 0) == (recent < 3)
        if recent < 3:
            world.work(ticket)
            sent.append(world.now)
