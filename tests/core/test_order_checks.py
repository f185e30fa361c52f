"""Orders that make no sense by themselves, or that their instrument does not take."""

from typing import Any

import pytest
from risk_world import INVERSE_ID, LINEAR_ID, NOW, ONE, World, spec

from zvt_trading.core.limits import AMOUNT_MAX
from zvt_trading.core.order_checks import check_filters, check_shape, quote_value
from zvt_trading.messages.codes import (
    BUY,
    FOK,
    GTC,
    GTD,
    INVERSE,
    IOC,
    LIMIT,
    MARKET,
    OFFSET_BPS,
    SELL,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAILING_STOP,
)
from zvt_trading.messages.reasons import Reason

Fields = dict[str, Any]

QUANTITY_BOUND = AMOUNT_MAX * 10**3
PRICE_BOUND = AMOUNT_MAX * 10**2

SHAPES: list[tuple[Reason, Fields]] = [
    (Reason.INVALID_SIDE, {"side": 0}),
    (Reason.INVALID_SIDE, {"side": 2}),
    (Reason.INVALID_ORDER_TYPE, {"kind": -1}),
    (Reason.INVALID_ORDER_TYPE, {"kind": 7}),
    (Reason.INVALID_TIME_IN_FORCE, {"tif": -1}),
    (Reason.INVALID_TIME_IN_FORCE, {"tif": 4}),
    (Reason.INVALID_TIME_IN_FORCE, {"tif": GTD, "expire_ts": NOW + 1}),
    (Reason.INVALID_TIME_IN_FORCE, {"expire_ts": NOW + 1}),
    (Reason.INVALID_TIME_IN_FORCE, {"tif": IOC, "expire_ts": NOW + 1}),
    (Reason.INVALID_QUANTITY, {"quantity": 0}),
    (Reason.INVALID_QUANTITY, {"quantity": -1}),
    (Reason.INVALID_QUANTITY, {"quantity": QUANTITY_BOUND + 1}),
    (Reason.INVALID_PRICE, {"kind": LIMIT, "price": -1}),
    (Reason.INVALID_PRICE, {"kind": LIMIT, "price": PRICE_BOUND + 1}),
    (Reason.PRICE_MISSING, {"kind": LIMIT}),
    (Reason.PRICE_MISSING, {"kind": STOP_LIMIT, "trigger_price": 9_000}),
    (Reason.PRICE_MISSING, {"kind": TAKE_PROFIT_LIMIT, "trigger_price": 9_000}),
    (Reason.PRICE_NOT_ALLOWED, {"kind": MARKET, "price": 10_000}),
    (Reason.PRICE_NOT_ALLOWED, {"kind": STOP, "price": 10_000, "trigger_price": 9_000}),
    (Reason.PRICE_NOT_ALLOWED, {"kind": TAKE_PROFIT, "price": 10_000, "trigger_price": 9_000}),
    (Reason.PRICE_NOT_ALLOWED, {"kind": TRAILING_STOP, "price": 10_000, "trailing_offset": 5}),
    (Reason.TRIGGER_MISSING, {"kind": STOP}),
    (Reason.TRIGGER_MISSING, {"kind": TAKE_PROFIT_LIMIT, "price": 10_000}),
    (Reason.TRIGGER_NOT_ALLOWED, {"kind": MARKET, "trigger_price": 9_000}),
    (Reason.TRIGGER_NOT_ALLOWED, {"kind": LIMIT, "price": 10_000, "trigger_price": 9_000}),
    (Reason.INVALID_TRIGGER, {"kind": STOP, "trigger_price": -1}),
    (Reason.INVALID_TRIGGER, {"kind": STOP, "trigger_price": PRICE_BOUND + 1}),
    (Reason.INVALID_TRIGGER, {"kind": STOP, "trigger_price": 9_000, "trigger_by": 3}),
    (Reason.INVALID_TRIGGER, {"kind": STOP, "trigger_price": 9_000, "trigger_by": -1}),
    (Reason.INVALID_TRAILING_OFFSET, {"kind": TRAILING_STOP}),
    (Reason.INVALID_TRAILING_OFFSET, {"kind": TRAILING_STOP, "trailing_offset": -5}),
    (Reason.INVALID_TRAILING_OFFSET, {"kind": TRAILING_STOP, "trailing_offset": PRICE_BOUND + 1}),
    (
        Reason.INVALID_TRAILING_OFFSET,
        {"kind": TRAILING_STOP, "trailing_offset": 5, "trailing_unit": 2},
    ),
    (
        Reason.INVALID_TRAILING_OFFSET,
        {"kind": TRAILING_STOP, "trailing_offset": 10_000, "trailing_unit": OFFSET_BPS},
    ),
    (Reason.INVALID_TRAILING_OFFSET, {"kind": MARKET, "trailing_offset": 5}),
    (Reason.INVALID_TRAILING_OFFSET, {"kind": STOP, "trigger_price": 9_000, "trailing_offset": 5}),
    (Reason.EXPIRE_TIME_MISSING, {"price": 10_000, "tif": GTD}),
    (Reason.EXPIRE_TIME_PAST, {"price": 10_000, "tif": GTD, "expire_ts": NOW}),
    (Reason.POST_ONLY_NOT_ALLOWED, {"post_only": True}),
    (Reason.POST_ONLY_NOT_ALLOWED, {"kind": STOP, "trigger_price": 9_000, "post_only": True}),
    (Reason.POST_ONLY_NOT_ALLOWED, {"price": 10_000, "tif": IOC, "post_only": True}),
    (Reason.POST_ONLY_NOT_ALLOWED, {"price": 10_000, "tif": FOK, "post_only": True}),
]

GOOD: list[Fields] = [
    {},
    {"side": SELL, "tif": IOC},
    {"tif": FOK},
    {"price": 10_000},
    {"price": 10_000, "post_only": True},
    {"price": 10_000, "tif": GTD, "expire_ts": NOW + 1},
    {"kind": STOP, "trigger_price": 9_000, "tif": GTD, "expire_ts": NOW + 1},
    {"kind": STOP_LIMIT, "trigger_price": 9_000, "price": 9_100},
    {"kind": TAKE_PROFIT, "trigger_price": 9_000},
    {"kind": TAKE_PROFIT_LIMIT, "trigger_price": 9_000, "price": 9_100, "trigger_by": 2},
    {"kind": TRAILING_STOP, "trailing_offset": 5},
    {
        "kind": TRAILING_STOP,
        "trailing_offset": 9_999,
        "trailing_unit": OFFSET_BPS,
        "trigger_price": 9_000,
    },
]


@pytest.mark.parametrize(("reason", "fields"), SHAPES)
def test_impossible_orders_are_refused(reason: Reason, fields: Fields) -> None:
    """Each names its reason and says in a sentence what was wrong."""
    world = World()
    ticket = world.ticket(**fields)
    assert reason == check_shape(ticket, NOW)
    assert ticket.text
    assert "{" not in ticket.text
    assert reason == world.check(ticket)


@pytest.mark.parametrize("fields", GOOD)
def test_possible_orders_pass(fields: Fields) -> None:
    """Every type and time in force has a form that is let through."""
    assert check_shape(World().ticket(**fields), NOW) == 0


def test_the_smallest_code_answers() -> None:
    """An order with everything wrong is repaired step by step: the codes only go up."""
    fields: Fields = {
        "side": 0,
        "kind": 9,
        "tif": 9,
        "quantity": 0,
        "price": -1,
        "trigger_price": -1,
        "trailing_offset": -1,
        "expire_ts": 1,
        "post_only": True,
    }
    repairs: list[Fields] = [
        {"side": BUY},
        {"kind": STOP_LIMIT},
        {"tif": GTD},
        {"quantity": ONE},
        {"price": 0},
        {"price": 10_000},
        {"trigger_price": 0},
        {"trigger_price": 9_000},
        {"trailing_offset": 0},
        {"expire_ts": NOW + 1},
        {"post_only": False},
    ]
    seen = []
    for repair in repairs:
        seen.append(check_shape(World().ticket(**fields), NOW))
        fields.update(repair)
    expected = [
        Reason.INVALID_SIDE,
        Reason.INVALID_ORDER_TYPE,
        Reason.INVALID_TIME_IN_FORCE,
        Reason.INVALID_QUANTITY,
        Reason.INVALID_PRICE,
        Reason.PRICE_MISSING,
        Reason.INVALID_TRIGGER,
        Reason.TRIGGER_MISSING,
        Reason.INVALID_TRAILING_OFFSET,
        Reason.EXPIRE_TIME_PAST,
        0,
    ]
    assert expected == seen


def test_post_only_needs_a_venue_that_offers_it() -> None:
    """The capability is the instrument's."""
    world = World(post_only_supported=False)
    ticket = world.ticket(price=10_000, post_only=True)
    assert check_shape(ticket, NOW) == Reason.POST_ONLY_NOT_ALLOWED


FILTERED: Fields = {
    "tick": 5,
    "lot": 10,
    "quantity_min": 20,
    "quantity_max": 5_000,
    "notional_min": 50 * 10**8,
    "price_min": 100,
    "price_max": 50_000,
}


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        (Reason.PRICE_TICK, {"price": 10_001}),
        (Reason.PRICE_TICK, {"kind": STOP, "trigger_price": 9_001}),
        (Reason.PRICE_MIN, {"price": 95}),
        (Reason.PRICE_MAX, {"price": 50_005}),
        (Reason.QUANTITY_LOT, {"quantity": 1_001}),
        (Reason.QUANTITY_MIN, {"quantity": 10}),
        (Reason.QUANTITY_MAX, {"quantity": 5_010}),
        (Reason.NOTIONAL_MIN, {"price": 10_000, "quantity": 490}),
        (Reason.NOTIONAL_MIN, {"quantity": 490}),
        (Reason.NOTIONAL_MIN, {"kind": STOP, "trigger_price": 4_900}),
        (0, {"price": 10_000, "quantity": 500}),
        (0, {"price": 50_000, "quantity": 5_000}),
        (0, {"price": 5_000}),
        (0, {}),
        # In order of precedence:
        (Reason.PRICE_TICK, {"price": 99, "quantity": 11}),
        (Reason.PRICE_MIN, {"price": 95, "quantity": 11}),
        (Reason.QUANTITY_LOT, {"quantity": 11}),
        (Reason.QUANTITY_MIN, {"quantity": 10, "price": 100}),
    ],
)
def test_filters(reason: int, fields: Fields) -> None:
    """Tick, price bounds, lot, quantity bounds, notional: exactly at the bound is allowed."""
    ticket = World(**FILTERED).ticket(**fields)
    assert reason == check_filters(ticket)
    assert bool(ticket.text) == bool(reason)


def test_a_filter_refusal_names_limit_and_value_as_decimals() -> None:
    """The text is for people, the ints for the edge; the origin is the instrument."""
    ticket = World(**FILTERED).ticket(price=10_000, quantity=490)
    check_filters(ticket)
    assert ticket.text == "notional 49 is below the instrument's minimum of 50"
    assert (ticket.limit, ticket.value) == (50 * 10**8, 49 * 10**8)
    assert ticket.key == "x:BTC/USD"


def test_a_trigger_that_the_core_moved_need_not_be_on_the_grid() -> None:
    """A released trailing stop has an order id."""
    ticket = World(**FILTERED).ticket(kind=TRAILING_STOP, trailing_offset=5, trigger_price=9_001)
    ticket.order_id = "o"
    assert check_filters(ticket) == 0


def test_what_is_left_of_an_amended_order_may_be_small() -> None:
    """Minimum quantity and notional hold for the whole order, not for its rest."""
    ticket = World(**FILTERED).ticket(price=10_000, quantity=10)
    ticket.is_amend = True
    assert check_filters(ticket) == 0


def test_without_a_price_nothing_is_said_about_a_market_order_s_notional() -> None:
    """The market data rules refuse it then."""
    world = World(**FILTERED)
    world.quote(0, 0)
    assert check_filters(world.ticket(quantity=490)) == 0


def test_perpetual_reduce_only_orders_are_exempt_from_the_minimum_notional() -> None:
    """A rest must be closable; a spot order is never exempt."""
    world = World(**FILTERED)
    world.list(spec("ETH/USD:USD", 1, **FILTERED))
    fields: Fields = {"quantity": 490, "reduce_only": True}
    assert check_filters(world.ticket(instrument="x:ETH/USD:USD", **fields)) == 0
    assert check_filters(world.ticket(**fields)) == Reason.NOTIONAL_MIN


def test_quote_value_of_an_inverse_contract_is_its_size() -> None:
    """Three contracts of 100 USD are worth 300 USD at any price."""
    world = World()
    inverse = world.state.markets[INVERSE_ID].instrument
    linear = world.state.markets[LINEAR_ID].instrument
    assert quote_value(inverse, 12_345, 3 * ONE) == 300 * 10**8
    assert quote_value(linear, 12_345, 3 * ONE) == 37_035 * 10**6
    coarse = spec("BTC/USD:C", INVERSE, quote_scale=1, contract_scale=1)
    assert quote_value(world.list(coarse).instrument, 1, 15 * ONE) == 1_500


def test_gtc_is_the_default() -> None:
    """The builder's plain order is what a caller sends who says nothing."""
    assert World().request().tif == GTC
