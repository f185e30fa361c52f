"""Every rule of the gate, alone and in precedence order."""

from collections.abc import Callable
from typing import Any

import pytest
from risk_world import (
    BTC,
    INVERSE_ID,
    LINEAR_ID,
    MILLION,
    MS,
    NOW,
    ONE,
    SPOT_ID,
    USD,
    World,
    spec,
)

from zvt_trading.core.refusal import number_scale
from zvt_trading.core.risk_money import reference_twice, within_share, worst_price
from zvt_trading.core.state import Order
from zvt_trading.core.ticket import Ticket
from zvt_trading.core.valuation import base_value
from zvt_trading.messages.codes import (
    BUY,
    FOK,
    HALTED,
    INVERSE,
    IOC,
    LIMIT,
    MARKET,
    PENDING,
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

SYMBOL = "BTC/USD:USD"


class Setup:
    """A good order (buy 1 contract at 100), and what is done to its world to break it."""

    def __init__(self) -> None:
        self.world = World()
        self.fields: dict[str, Any] = {"quantity": ONE, "price": 10_000, "instrument": LINEAR_ID}
        self.limits: dict[int, dict[str, Any]] = {SCOPE_GLOBAL: {}, SCOPE_SYMBOL: {}}
        self.asked_before = False

    def check(self) -> tuple[int, Ticket]:
        """Set the limits and ask the gate."""
        world = self.world
        world.limit(LimitSet(scope=SCOPE_GLOBAL, **self.limits[SCOPE_GLOBAL]))
        world.limit(LimitSet(scope=SCOPE_SYMBOL, key=SYMBOL, **self.limits[SCOPE_SYMBOL]))
        ticket = world.ticket(**self.fields)
        if self.asked_before:
            order = Order("before", ticket.terms, ticket.holding, ticket.strategy, NOW)
            order.life = PENDING
            world.risk.on_placed(order, NOW)
        return world.check(ticket), ticket


def _halt(setup: Setup) -> None:
    setup.world.state.trading_state = HALTED


def _reducing(setup: Setup) -> None:
    setup.world.portfolio.trading_state = REDUCING


def _unhealthy(setup: Setup) -> None:
    setup.world.state.venues["x"].healthy = False


def _cool_down(setup: Setup) -> None:
    setup.world.portfolio.cool_down_until = NOW + 1


def _no_rate(setup: Setup) -> None:
    setup.world.holding(LINEAR_ID).settle.rate_num = 0


def _stale(setup: Setup) -> None:
    setup.world.state.markets[LINEAR_ID].instrument.quote_ts = NOW - 5_001 * MS


def _gap(setup: Setup) -> None:
    setup.world.state.markets[LINEAR_ID].instrument.book_valid = False


def _crossed(setup: Setup) -> None:
    instrument = setup.world.state.markets[LINEAR_ID].instrument
    instrument.bid, instrument.ask = 10_001, 10_000


def _far(setup: Setup) -> None:
    setup.fields["price"] = 10_400


def _symbol_limit(name: str, value: int) -> Callable[[Setup], None]:
    return lambda setup: setup.limits[SCOPE_SYMBOL].update({name: value})


def _global_limit(name: str, value: int) -> Callable[[Setup], None]:
    return lambda setup: setup.limits[SCOPE_GLOBAL].update({name: value})


def _reduce_only(setup: Setup) -> None:
    setup.fields["reduce_only"] = True


def _duplicate(setup: Setup) -> None:
    setup.asked_before = True


def _own_order(setup: Setup) -> None:
    setup.world.open("other")
    setup.world.place(SELL, ONE, 10_000, portfolio="other", instrument=LINEAR_ID)


def _day_loss(setup: Setup) -> None:
    setup.world.portfolio.day_start_equity = 2 * MILLION


def _peak(setup: Setup) -> None:
    setup.world.portfolio.peak_equity = 2 * MILLION


def _poor(setup: Setup) -> None:
    setup.world.holding(LINEAR_ID).settle.total = 0


BREAKS: list[tuple[Reason, Callable[[Setup], None]]] = [
    (Reason.TRADING_HALTED, _halt),
    (Reason.TRADING_REDUCING, _reducing),
    (Reason.VENUE_UNHEALTHY, _unhealthy),
    (Reason.COOL_DOWN, _cool_down),
    (Reason.NO_REFERENCE_PRICE, _no_rate),
    (Reason.STALE_DATA, _stale),
    (Reason.BOOK_INVALID, _gap),
    (Reason.BOOK_CROSSED, _crossed),
    (Reason.PRICE_COLLAR, _far),
    (Reason.MAX_ORDER_QUANTITY, _symbol_limit("order_quantity_max", ONE - 1)),
    (Reason.MAX_ORDER_NOTIONAL, _global_limit("order_notional_max", 100 * USD - 1)),
    (Reason.MAX_OPEN_ORDERS, _global_limit("open_orders_max", 0)),
    (Reason.MAX_POSITION_QUANTITY, _symbol_limit("position_quantity_max", ONE - 1)),
    (Reason.MAX_POSITION_NOTIONAL, _global_limit("position_notional_max", 100 * USD - 1)),
    (Reason.MAX_EXPOSURE, _global_limit("exposure_max", 100 * USD - 1)),
    (Reason.MAX_ALLOCATION, _global_limit("allocation_bps_max", 0)),
    (Reason.MAX_LEVERAGE, _global_limit("leverage_max", 0)),
    (Reason.REDUCE_ONLY, _reduce_only),
    (Reason.RATE_SECOND, _global_limit("orders_per_second_max", 0)),
    (Reason.RATE_HOUR, _global_limit("orders_per_hour_max", 0)),
    (Reason.RATE_DAY, _global_limit("orders_per_day_max", 0)),
    (Reason.DUPLICATE_INTENT, _duplicate),
    (Reason.REPEATED_EXECUTION, _global_limit("repeated_executions_max", 0)),
    (Reason.SELF_CROSS, _own_order),
    (Reason.DAILY_LOSS, _day_loss),
    (Reason.DRAWDOWN, _peak),
    (Reason.INSUFFICIENT_MARGIN, _poor),
]


def test_the_unbroken_order_passes() -> None:
    """The base of the table below is good."""
    assert Setup().check()[0] == 0


@pytest.mark.parametrize(("reason", "break_it"), BREAKS)
def test_each_rule_refuses(reason: Reason, break_it: Callable[[Setup], None]) -> None:
    """One thing wrong: its own reason, and a sentence without holes."""
    setup = Setup()
    break_it(setup)
    code, ticket = setup.check()
    assert reason == code
    assert ticket.text
    assert "{" not in ticket.text


@pytest.mark.parametrize("first", range(len(BREAKS)))
def test_of_two_reasons_the_smaller_answers(first: int) -> None:
    """For every pair of things wrong at once."""
    for second in range(first + 1, len(BREAKS)):
        setup = Setup()
        BREAKS[second][1](setup)
        BREAKS[first][1](setup)
        assert BREAKS[first][0] == setup.check()[0], BREAKS[second][0].name


def test_breaks_are_listed_in_the_order_of_the_codes() -> None:
    """Or the test above would prove nothing."""
    codes = [reason for reason, _ in BREAKS]
    assert codes == sorted(codes)


# Trading state.


@pytest.mark.parametrize("state", [REDUCING, HALTED])
@pytest.mark.parametrize("scope", range(SCOPE_GLOBAL, SCOPE_SYMBOL + 1))
def test_the_strictest_scope_counts_and_is_named(scope: int, state: int) -> None:
    """Any one of the five scopes stops the order."""
    world = World()
    world.state.trading_state = state if scope == SCOPE_GLOBAL else 0
    world.portfolio.trading_state = state if scope == SCOPE_PORTFOLIO else 0
    world.state.strategy("").trading_state = state if scope == SCOPE_STRATEGY else 0
    world.state.venues["x"].trading_state = state if scope == SCOPE_VENUE else 0
    world.state.symbols["BTC/USD"].trading_state = state if scope == SCOPE_SYMBOL else 0
    ticket = world.ticket(BUY)
    expected = Reason.TRADING_HALTED if state == HALTED else Reason.TRADING_REDUCING
    assert expected == world.check(ticket)
    assert (scope, ("", "main", "", "x", "BTC/USD")[scope]) == (ticket.scope, ticket.key)


def test_reducing_lets_pass_what_can_only_reduce() -> None:
    """Up to the position less what is already working on that side, and not one lot more."""
    world = World()
    world.position(3 * ONE)
    world.place(SELL, ONE, 10_100)
    world.state.trading_state = REDUCING
    assert world.check(world.ticket(SELL, 2 * ONE)) == 0
    assert world.check(world.ticket(SELL, 2 * ONE + 1)) == Reason.TRADING_REDUCING
    assert world.check(world.ticket(BUY, 1)) == Reason.TRADING_REDUCING


def test_reducing_orders_pass_the_rules_that_stop_new_risk() -> None:
    """Cool-down, position, exposure, allocation, leverage, daily loss, drawdown; both sides."""
    for sign in (1, -1):
        world = World(loose=True)
        world.position(sign * 3 * ONE, LINEAR_ID)
        world.portfolio.cool_down_until = NOW + 1
        world.portfolio.day_start_equity = world.portfolio.peak_equity = 10 * MILLION
        world.limit(
            LimitSet(
                scope=SCOPE_PORTFOLIO,
                key="main",
                position_notional_max=0,
                exposure_max=0,
                allocation_bps_max=0,
                leverage_max=0,
            )
        )
        side = SELL if sign > 0 else BUY
        assert world.check(world.ticket(side, 3 * ONE, instrument=LINEAR_ID)) == 0
        flipping = world.ticket(side, 3 * ONE + 1, instrument=LINEAR_ID)
        assert world.check(flipping) == Reason.COOL_DOWN


# Market data and prices.


def test_without_any_price_there_is_no_reference() -> None:
    """No quote, no mark, no last trade."""
    world = World()
    world.quote(0, 0)
    assert world.check(world.ticket(BUY)) == Reason.NO_REFERENCE_PRICE


def test_the_reference_is_the_mid_else_the_mark_else_the_last_trade() -> None:
    """Twice the price, so that a half tick stays exact."""
    instrument = World().state.markets[SPOT_ID].instrument
    instrument.bid, instrument.ask, instrument.mark, instrument.last = 100, 101, 90, 80
    assert reference_twice(instrument) == 201
    instrument.ask = 0
    assert reference_twice(instrument) == 180
    instrument.mark = 0
    assert reference_twice(instrument) == 160


def test_age_is_counted_from_the_last_quote() -> None:
    """Five seconds to the nanosecond."""
    world = World()
    world.quote(9_999, 10_001, age_ms=5_000)
    assert world.check(world.ticket(BUY)) == 0
    world.now += 1
    ticket = world.ticket(BUY)
    assert world.check(ticket) == Reason.STALE_DATA
    assert (ticket.limit, ticket.value) == (5_000, 5_000)


def test_a_locked_book_is_crossed() -> None:
    """Bid equal to ask is no market either."""
    world = World()
    world.quote(10_000, 10_000)
    assert world.check(world.ticket(BUY)) == Reason.BOOK_CROSSED


@pytest.mark.parametrize(
    ("side", "price", "reason"),
    [
        (BUY, 10_300, 0),
        (BUY, 10_301, Reason.PRICE_COLLAR),
        (BUY, 1, 0),
        (SELL, 9_700, 0),
        (SELL, 9_699, Reason.PRICE_COLLAR),
        (SELL, 90_000, 0),
    ],
)
def test_the_collar_stops_prices_through_the_market_only(
    side: int, price: int, reason: int
) -> None:
    """3 % of the mid of 100.00; a passive price may be as deep as it likes."""
    world = World(loose=True)
    assert reason == world.check(world.ticket(side, ONE, price))


def test_a_market_order_gets_a_worst_price_inside_the_collar() -> None:
    """On the tick grid, rounded towards the market."""
    world = World(tick=7)
    for side, worst in ((BUY, 10_297), (SELL, 9_702)):
        ticket = world.ticket(side)
        assert world.check(ticket) == 0
        assert worst == ticket.worst_price


def test_a_worst_price_stays_within_the_instrument_s_prices() -> None:
    """Its bounds are tighter than the collar here."""
    instrument = World(price_min=9_900, price_max=10_100).state.markets[SPOT_ID].instrument
    assert worst_price(instrument, BUY, 20_000, 300) == 10_100
    assert worst_price(instrument, SELL, 20_000, 300) == 9_900
    assert worst_price(instrument, SELL, 0, 300) == 0


@pytest.mark.parametrize(
    ("side", "bid", "ask", "reason"),
    [
        (BUY, 9_000, 11_000, Reason.PRICE_COLLAR),
        (SELL, 9_000, 11_000, Reason.PRICE_COLLAR),
        (BUY, 9_999, 0, 0),
        (SELL, 0, 10_001, 0),
    ],
)
def test_a_market_order_needs_a_touch_it_may_reach(
    side: int, bid: int, ask: int, reason: int
) -> None:
    """With the touch beyond the collar it could not fill; a missing touch proves nothing."""
    world = World()
    world.quote(bid, ask)
    world.state.markets[SPOT_ID].instrument.mark = 10_000
    assert reason == world.check(world.ticket(side))


# Sizes.


def test_a_size_refusal_names_limit_value_and_scope() -> None:
    """Money on the base asset's scale, shown as decimals in the text."""
    world = World()
    world.limit(LimitSet(scope=SCOPE_STRATEGY, key="s", order_notional_max=150 * USD))
    ticket = world.ticket(BUY, 2 * ONE, 10_000, strategy="s")
    assert world.check(ticket) == Reason.MAX_ORDER_NOTIONAL
    assert (ticket.limit, ticket.value) == (150 * USD, 200 * USD)
    assert (ticket.scope, ticket.key) == (SCOPE_STRATEGY, "s")
    assert ticket.text == "order notional 200 USD is above 150"
    assert number_scale(ticket_reason(ticket, world), ticket.instrument, BUY, 8) == 8


def ticket_reason(ticket: Ticket, world: World) -> int:
    """The gate's answer again."""
    return world.check(ticket)


@pytest.mark.parametrize(
    ("instrument", "side", "price", "value"),
    [
        (LINEAR_ID, BUY, 9_000, 90 * USD),  # fills at its price or below
        (LINEAR_ID, BUY, 10_200, 102 * USD),
        (LINEAR_ID, BUY, 0, 103 * USD),  # the worst price
        (LINEAR_ID, SELL, 9_800, 100 * USD),  # fills at the market or above its price
        (LINEAR_ID, SELL, 11_000, 110 * USD),
        (LINEAR_ID, SELL, 0, 100 * USD),
    ],
)
def test_order_notional_is_the_largest_within_reach(
    instrument: str, side: int, price: int, value: int
) -> None:
    """One cent less is refused with exactly that value."""
    world = World()
    world.limit(LimitSet(scope=SCOPE_GLOBAL, order_notional_max=value - 1))
    ticket = world.ticket(side, ONE, price, instrument=instrument)
    assert world.check(ticket) == Reason.MAX_ORDER_NOTIONAL
    assert value == ticket.value


@pytest.mark.parametrize(
    ("side", "price", "satoshi"),
    [
        (BUY, 8_000, 125_000_000),  # 100 USD at 80: the most coins within reach of the buy
        (BUY, 10_200, 100_000_000),
        (SELL, 9_800, 102_040_816),
        (SELL, 12_500, 80_000_000),
    ],
)
def test_an_inverse_contract_is_worth_most_at_the_lowest_price(
    side: int, price: int, satoshi: int
) -> None:
    """100 USD a contract; the reservation is its initial margin (leverage 1) and 0.1 % fee."""
    world = World(loose=True)
    ticket = world.ticket(side, ONE, price, instrument=INVERSE_ID)
    assert world.check(ticket) == 0
    assert ticket.hold == satoshi + -(-satoshi // 1_000)


def test_open_orders_of_the_portfolio_include_held_ones() -> None:
    """A released or amended order is open already and does not count again."""
    world = World()
    world.limit(LimitSet(scope=SCOPE_GLOBAL, open_orders_max=2, duplicate_window_ms=0))
    world.place(BUY, ONE, 9_000)
    world.place(SELL, ONE, kind=STOP, trigger_price=9_000, held=True)
    ticket = world.ticket(BUY, ONE, 9_000)
    assert world.check(ticket) == Reason.MAX_OPEN_ORDERS
    assert (ticket.limit, ticket.value) == (2, 2)
    ticket.order_id = "o1"
    assert world.check(ticket) == 0


@pytest.mark.parametrize(
    ("scope", "key"),
    [(SCOPE_STRATEGY, "s"), (SCOPE_VENUE, "x"), (SCOPE_SYMBOL, "BTC/USD")],
)
def test_open_orders_of_a_narrower_scope_are_counted_there(scope: int, key: str) -> None:
    """One in the scope is allowed; what lies outside it does not count."""
    world = World(loose=True)
    world.list(spec(venue="y"))
    world.list(spec("ETH/USD", venue="y"))
    world.limit(LimitSet(scope=scope, key=key, open_orders_max=1))
    for balance in world.state.ledger.balances():
        balance.rate_num = balance.rate_den = 1
    world.place(BUY, ONE, 9_000, instrument="y:ETH/USD", strategy="t")
    assert world.check(world.ticket(BUY, ONE, 9_000, strategy="s")) == 0
    world.place(BUY, ONE, 9_000, strategy="s")
    ticket = world.ticket(BUY, ONE, 9_000, strategy="s")
    assert world.check(ticket) == Reason.MAX_OPEN_ORDERS
    assert (scope, key) == (ticket.scope, ticket.key)


def test_the_position_is_counted_at_worst_case() -> None:
    """Position, everything working on that side, and this order; the other side does not help."""
    world = World(loose=True)
    world.limit(LimitSet(scope=SCOPE_SYMBOL, key="BTC/USD", position_quantity_max=10 * ONE))
    world.position(3 * ONE)
    world.place(BUY, 4 * ONE, 9_000)
    world.place(SELL, 3 * ONE, 11_000)
    assert world.check(world.ticket(BUY, 3 * ONE, 9_000)) == 0
    ticket = world.ticket(BUY, 3 * ONE + 1, 9_000)
    assert world.check(ticket) == Reason.MAX_POSITION_QUANTITY
    assert (ticket.limit, ticket.value) == (10 * ONE, 10 * ONE + 1)


def test_a_short_position_is_counted_the_same() -> None:
    """Signs are mirrored."""
    world = World(loose=True)
    world.limit(LimitSet(scope=SCOPE_SYMBOL, key=SYMBOL, position_quantity_max=10 * ONE))
    world.position(-7 * ONE, LINEAR_ID)
    assert world.check(world.ticket(SELL, 3 * ONE, instrument=LINEAR_ID)) == 0
    over = world.ticket(SELL, 3 * ONE + 1, instrument=LINEAR_ID)
    assert world.check(over) == Reason.MAX_POSITION_QUANTITY
    assert world.check(world.ticket(BUY, 17 * ONE, instrument=LINEAR_ID)) == 0


def test_exposure_is_the_worst_side_of_each_instrument() -> None:
    """An order on the lighter side adds nothing to a portfolio's exposure until it outweighs."""
    world = World(loose=True)
    world.limit(LimitSet(scope=SCOPE_GLOBAL, exposure_max=1_000 * USD, duplicate_window_ms=0))
    world.place(SELL, 6 * ONE, 10_100, instrument=LINEAR_ID)
    world.place(BUY, 4 * ONE, 9_000)
    assert world.portfolio.exposure == 1_000 * USD
    assert world.check(world.ticket(BUY, 6 * ONE, 9_000, instrument=LINEAR_ID)) == 0
    ticket = world.ticket(BUY, 7 * ONE, 9_000, instrument=LINEAR_ID)
    assert world.check(ticket) == Reason.MAX_EXPOSURE
    assert ticket.value == 1_100 * USD
    assert world.check(world.ticket(BUY, 1, 9_000)) == Reason.MAX_EXPOSURE


def test_allocation_is_a_share_of_the_equity() -> None:
    """10 % of a million, at the mark of 100."""
    world = World(loose=True)
    world.limit(LimitSet(scope=SCOPE_PORTFOLIO, key="main", allocation_bps_max=1_000))
    assert world.check(world.ticket(BUY, 1_000 * ONE, 9_990)) == 0
    ticket = world.ticket(BUY, 1_000 * ONE + 1, 9_990)
    assert world.check(ticket) == Reason.MAX_ALLOCATION
    assert ticket.limit == 100_000 * USD


def test_no_equity_allows_no_position() -> None:
    """Nothing is a share of nothing."""
    world = World(loose=True)
    world.portfolio.equity = 0
    world.portfolio.peak_equity = world.portfolio.day_start_equity = 0
    assert world.check(world.ticket(BUY)) == Reason.MAX_ALLOCATION


def test_leverage_is_exposure_over_equity_for_perpetuals_only() -> None:
    """Twice the equity and a bit."""
    world = World(loose=True)
    world.holding().settle.total = 10 * MILLION
    world.limit(LimitSet(scope=SCOPE_PORTFOLIO, key="main", leverage_max=2))
    quantity = 20_000 * ONE
    assert world.check(world.ticket(BUY, quantity, instrument=LINEAR_ID)) == 0
    ticket = world.ticket(BUY, quantity + 1, instrument=LINEAR_ID)
    assert world.check(ticket) == Reason.MAX_LEVERAGE
    assert ticket.limit == 2 * MILLION
    assert world.check(world.ticket(BUY, quantity + 1)) == 0


def test_reduce_only_means_it() -> None:
    """The room is the position less what works on that side already."""
    world = World()
    world.position(3 * ONE, LINEAR_ID)
    world.place(SELL, ONE, 10_100, instrument=LINEAR_ID)
    fields: dict[str, Any] = {"instrument": LINEAR_ID, "reduce_only": True}
    assert world.check(world.ticket(SELL, 2 * ONE, **fields)) == 0
    ticket = world.ticket(SELL, 3 * ONE, **fields)
    assert world.check(ticket) == Reason.REDUCE_ONLY
    assert (ticket.limit, ticket.value) == (2 * ONE, 3 * ONE)


# Self-cross.


@pytest.mark.parametrize(
    ("ours", "order", "reason"),
    [
        ((SELL, 10_010), (BUY, 10_010), Reason.SELF_CROSS),
        ((SELL, 10_010), (BUY, 10_009), 0),
        ((BUY, 9_990), (SELL, 9_990), Reason.SELF_CROSS),
        ((BUY, 9_990), (SELL, 9_991), 0),
        ((SELL, 10_001), (BUY, 0), Reason.SELF_CROSS),
        ((SELL, 10_002), (BUY, 0), 0),
        ((BUY, 9_999), (SELL, 0), Reason.SELF_CROSS),
        ((BUY, 9_998), (SELL, 0), 0),
        ((BUY, 10_001), (BUY, 0), 0),
    ],
)
def test_self_cross(ours: tuple[int, int], order: tuple[int, int], reason: int) -> None:
    """Limit orders at crossing prices, market orders with what rests at the touch or better."""
    world = World(loose=True)
    world.open("other")
    world.place(ours[0], ONE, ours[1], portfolio="other")
    world.place(order[0], 1, 9_000 if order[0] == BUY else 11_000)
    assert reason == world.check(world.ticket(order[0], ONE, order[1]))


@pytest.mark.parametrize("tif", [IOC, FOK])
def test_orders_that_never_rest_cannot_be_crossed(tif: int) -> None:
    """Neither immediate ones nor market orders in flight."""
    world = World(loose=True)
    world.place(SELL, ONE, 10_000, tif=tif)
    world.place(SELL, ONE)
    assert world.check(world.ticket(BUY)) == 0


def test_the_same_symbol_on_another_venue_is_another_market() -> None:
    """Our bid there cannot meet our offer here."""
    world = World(loose=True)
    world.list(spec(venue="y"))
    world.place(SELL, ONE, 10_000, instrument="y:BTC/USD")
    assert world.check(world.ticket(BUY, ONE, 10_000)) == 0


# Loss.


def test_daily_loss_in_money_and_as_a_share() -> None:
    """The tighter of both; exactly at the limit is not past it."""
    world = World(loose=True)
    portfolio = world.portfolio
    portfolio.equity = MILLION - 50_000 * USD
    assert world.check(world.ticket(BUY)) == 0
    portfolio.equity -= 1
    ticket = world.ticket(BUY)
    assert world.check(ticket) == Reason.DAILY_LOSS
    assert (ticket.limit, ticket.value) == (50_000 * USD, 50_000 * USD + 1)
    world.limit(LimitSet(scope=SCOPE_SYMBOL, key="BTC/USD", daily_loss_max=10 * USD))
    assert world.check(ticket) == Reason.DAILY_LOSS
    assert (ticket.limit, ticket.scope) == (10 * USD, SCOPE_SYMBOL)
    portfolio.equity = MILLION - 10 * USD
    assert world.check(ticket) == 0
    world.limit(LimitSet(scope=SCOPE_SYMBOL, key="BTC/USD", daily_loss_max=MILLION))
    portfolio.equity = MILLION - 60_000 * USD
    assert world.check(ticket) == Reason.DAILY_LOSS
    assert ticket.limit == 50_000 * USD


def test_no_loss_is_measured_before_the_first_sample() -> None:
    """A portfolio without a day has no day's start."""
    world = World(loose=True)
    world.portfolio.day = -1
    world.portfolio.day_start_equity = 2 * MILLION
    assert world.check(world.ticket(BUY)) == 0


def test_drawdown_in_basis_points_of_the_peak() -> None:
    """20 % of the peak is allowed, to the last unit."""
    world = World(loose=True)
    world.portfolio.day = -1
    world.portfolio.equity = MILLION * 8 // 10
    assert world.check(world.ticket(BUY)) == 0
    world.portfolio.equity -= 1
    ticket = world.ticket(BUY)
    assert world.check(ticket) == Reason.DRAWDOWN
    assert (ticket.limit, ticket.value) == (2_000, 2_000)


@pytest.mark.parametrize(
    ("amount", "whole", "bps", "expected"),
    [
        (100, 1_000, 1_000, True),
        (101, 1_000, 1_000, False),
        (0, 0, 0, True),
        (1, 10**12, 0, False),
        (5, 10**6, 500, True),
        (1, -5, 10_000, False),
        (-3, 0, 10_000, True),
    ],
)
def test_within_share_is_exact(amount: int, whole: int, bps: int, expected: bool) -> None:
    """The quick way and the exact one agree with amount/whole <= bps/10000."""
    assert expected == within_share(amount, whole, bps)


# Money.


@pytest.mark.parametrize(
    ("side", "price", "hold"),
    [
        (BUY, 10_000, 100 * USD + 10_000_000),  # 0.1 % taker fee
        (BUY, 0, 103 * USD + 10_300_000),
        (SELL, 10_000, BTC),
        (SELL, 0, BTC),
    ],
)
def test_spot_reserves_money_with_fee_or_coins(side: int, price: int, hold: int) -> None:
    """A buy at its bound, a sell in coins."""
    world = World()
    ticket = world.ticket(side, ONE, price)
    assert world.check(ticket) == 0
    assert hold == ticket.hold
    assert ticket.hold_balance is not None
    assert ticket.hold_balance.asset == ("USD" if side == BUY else "BTC")
    ticket.hold_balance.hold(ticket.hold_balance.available() - hold + 1)
    assert world.check(ticket) == Reason.INSUFFICIENT_BALANCE
    assert (ticket.limit, ticket.value) == (hold - 1, hold)
    ticket.replaces_hold = 1
    assert world.check(ticket) == 0


@pytest.mark.parametrize(
    ("taker_fee", "fee"),
    [(-10_000, 0), (0, 0), (45_000, 4_500_450), (40_000, 4_000_400), (33_333_333, 3_333_666_634)],
)
def test_the_fee_is_reserved_at_worst(taker_fee: int, fee: int) -> None:
    """A taker's, rounded up; a rebate is not counted on. The notional is 100.01."""
    world = World(taker_fee=taker_fee)
    ticket = world.ticket(BUY, ONE, 10_001)
    assert world.check(ticket) == 0
    assert ticket.hold == 10_001_000_000 + fee


def test_money_is_valued_at_its_rate() -> None:
    """Another scale, a price, or par: rounded down to the base asset's unit."""
    balance = World().holding().settle
    for num, den, value in ((1, 1, 1_999), (1, 100, 19), (3, 100, 59), (7, 7, 1_999)):
        balance.rate_num, balance.rate_den = num, den
        assert value == base_value(balance, 1_999)


@pytest.mark.parametrize(
    ("position", "working", "quantity", "opening"),
    [
        (0, 0, 2 * ONE, 2 * ONE),
        (3 * ONE, 0, 2 * ONE, 0),
        (3 * ONE, 0, 5 * ONE, 2 * ONE),
        (3 * ONE, 2 * ONE, 2 * ONE, ONE),
        (-3 * ONE, 0, ONE, ONE),
    ],
)
def test_perpetuals_reserve_for_the_part_that_opens(
    position: int, working: int, quantity: int, opening: int
) -> None:
    """Leverage 4: a quarter of the notional at 100 and the taker fee; what reduces is free."""
    world = World(loose=True)
    if position:
        world.position(position, LINEAR_ID)
    if working:
        world.place(SELL, working, 10_100, instrument=LINEAR_ID)
    world.holding(LINEAR_ID).position.leverage = 4
    ticket = world.ticket(SELL, quantity, instrument=LINEAR_ID)
    assert world.check(ticket) == 0
    value = opening // ONE * 100 * USD
    assert ticket.hold == value // 4 + value // 1_000


def test_required_hold_alone_is_the_same() -> None:
    """For an order that the venue changed: no gate, the same arithmetic."""
    world = World()
    for side, price in ((BUY, 9_900), (SELL, 9_900), (BUY, 0)):
        ticket = world.ticket(side, ONE, price)
        assert world.check(ticket) == 0
        hold = ticket.hold
        assert hold == world.risk.required_hold(ticket)


def test_refusal_numbers_have_a_scale() -> None:
    """Prices, quantities, base money, quote money, what is reserved, and plain numbers."""
    world = World()
    spot = world.state.markets[SPOT_ID].instrument
    inverse = world.list(spec("BTC/USD:I", INVERSE, quote_scale=6, base_scale=9)).instrument
    assert number_scale(Reason.PRICE_TICK, spot, BUY, 8) == 2
    assert number_scale(Reason.QUANTITY_LOT, spot, BUY, 8) == 3
    assert number_scale(Reason.MAX_EXPOSURE, spot, BUY, 4) == 4
    assert number_scale(Reason.NOTIONAL_MIN, inverse, BUY, 8) == 6
    assert number_scale(Reason.INSUFFICIENT_MARGIN, inverse, SELL, 4) == 9
    assert number_scale(Reason.INSUFFICIENT_BALANCE, spot, SELL, 4) == 8
    assert number_scale(Reason.RATE_SECOND, spot, BUY, 8) == 0


def test_market_and_limit_are_the_builder_s_types() -> None:
    """A price makes a limit order of it."""
    assert (World().request().type, World().request(price=1).type) == (MARKET, LIMIT)
