"""Limit sets: which are taken, which binds, and what the defaults are."""

import pytest
from risk_world import USD

from zvt_trading.core.limits import AMOUNT_MAX
from zvt_trading.core.risk_limits import (
    DEFAULTS,
    LIMIT_NAMES,
    NO_LIMIT,
    OPEN_ORDERS,
    ORDER_NOTIONAL,
    PER_SECOND,
    Limits,
    RiskLimits,
)
from zvt_trading.messages.codes import (
    SCOPE_GLOBAL,
    SCOPE_PORTFOLIO,
    SCOPE_STRATEGY,
    SCOPE_SYMBOL,
    SCOPE_VENUE,
)
from zvt_trading.messages.commands import LimitSet
from zvt_trading.messages.reasons import Reason

NAMED = [
    (SCOPE_GLOBAL, ""),
    (SCOPE_PORTFOLIO, "p"),
    (SCOPE_STRATEGY, "s"),
    (SCOPE_VENUE, "v"),
    (SCOPE_SYMBOL, "y"),
]


def limits(*sets: LimitSet) -> RiskLimits:
    """Limits with these sets."""
    made = RiskLimits()
    for one in sets:
        made.set(one)
    return made


def resolve(made: RiskLimits) -> Limits:
    """What binds an order of portfolio p, strategy s, venue v, symbol y."""
    return made.resolve("p", 8, "s", "v", "y")


def test_every_limit_of_the_command_has_a_default_with_a_reason() -> None:
    """The table of defaults and the fields of LimitSet are the same list, in the same order."""
    fields = [name for name in LimitSet.__struct_fields__ if name not in ("scope", "key")]
    assert list(LIMIT_NAMES) == [name for name in fields if name != "allow_looser"]
    assert len(LIMIT_NAMES) == len(DEFAULTS)
    assert all(reason for _, reason in DEFAULTS)


def test_defaults_are_on_without_any_set() -> None:
    """Money defaults are whole units of the portfolio's base asset, on its scale."""
    found = resolve(limits())
    assert found.order_notional_max == 100_000 * USD
    assert found.position_notional_max == 500_000 * USD
    assert found.exposure_max == 1_000_000 * USD
    assert found.collar_bps == 300
    assert found.order_quantity_max == NO_LIMIT
    assert found.daily_loss_bps_max == 500
    assert limits().resolve("p", 2, "", "", "").order_notional_max == 100_000 * 100


@pytest.mark.parametrize(("scope", "key"), NAMED)
def test_a_set_binds_the_orders_of_its_scope(scope: int, key: str) -> None:
    """Its value replaces the default, and the origin names it."""
    found = resolve(limits(LimitSet(scope=scope, key=key, order_notional_max=7)))
    assert found.order_notional_max == 7
    assert (found.scopes[ORDER_NOTIONAL], found.keys[ORDER_NOTIONAL]) == (scope, key)


@pytest.mark.parametrize(("scope", "key"), NAMED[1:])
def test_a_set_does_not_bind_other_orders(scope: int, key: str) -> None:
    """Another portfolio, strategy, venue or symbol keeps the default."""
    made = limits(LimitSet(scope=scope, key=key + "2", order_notional_max=7))
    assert resolve(made).order_notional_max == 100_000 * USD


def test_the_narrowest_set_wins() -> None:
    """Of tighter and tighter sets the symbol's is the one."""
    sets = [LimitSet(scope=scope, key=key, order_notional_max=100 - scope) for scope, key in NAMED]
    found = resolve(limits(*sets))
    assert found.order_notional_max == 100 - SCOPE_SYMBOL
    assert found.scopes[ORDER_NOTIONAL] == SCOPE_SYMBOL


def test_a_narrower_set_is_never_looser_unless_it_says_so() -> None:
    """The tighter, wider value stays, whatever the order in which the sets came."""
    wide = LimitSet(scope=SCOPE_PORTFOLIO, key="p", order_notional_max=10)
    loose = LimitSet(scope=SCOPE_SYMBOL, key="y", order_notional_max=20)
    meant = LimitSet(scope=SCOPE_SYMBOL, key="y", order_notional_max=20, allow_looser=True)
    assert resolve(limits(loose, wide)).order_notional_max == 10
    assert resolve(limits(meant, wide)).order_notional_max == 20


def test_a_longer_window_is_the_stricter_one() -> None:
    """Windows and pauses tighten upwards."""
    sets = [
        LimitSet(scope=SCOPE_PORTFOLIO, key="p", duplicate_window_ms=500, cool_down_ms=9),
        LimitSet(scope=SCOPE_SYMBOL, key="y", duplicate_window_ms=200, cool_down_ms=10),
    ]
    found = resolve(limits(*sets))
    assert (found.duplicate_window_ms, found.cool_down_ms) == (500, 10)


def test_a_global_set_may_loosen_the_defaults() -> None:
    """Nothing is wider than global."""
    loose = LimitSet(scope=SCOPE_GLOBAL, order_notional_max=AMOUNT_MAX * USD, collar_bps=9_999)
    assert limits().validate(loose, 8) == (0, "")
    assert resolve(limits(loose)).collar_bps == 9_999


@pytest.mark.parametrize(
    ("limit_set", "reason"),
    [
        (LimitSet(scope=-1), Reason.INVALID_SCOPE),
        (LimitSet(scope=5, key="k"), Reason.INVALID_SCOPE),
        (LimitSet(scope=SCOPE_GLOBAL, key="k"), Reason.INVALID_SCOPE),
        (LimitSet(scope=SCOPE_PORTFOLIO), Reason.INVALID_SCOPE),
        (LimitSet(scope=SCOPE_SYMBOL), Reason.INVALID_SCOPE),
        (LimitSet(scope=SCOPE_SYMBOL, key="y" * 65), Reason.INVALID_SCOPE),
        (LimitSet(scope=SCOPE_GLOBAL, order_notional_max=-1), Reason.INVALID_LIMIT),
        (LimitSet(scope=SCOPE_GLOBAL, collar_bps=10_000), Reason.INVALID_LIMIT),
        (LimitSet(scope=SCOPE_GLOBAL, leverage_max=1_001), Reason.INVALID_LIMIT),
        (LimitSet(scope=SCOPE_GLOBAL, orders_per_day_max=10**10), Reason.INVALID_LIMIT),
        (LimitSet(scope=SCOPE_GLOBAL, drawdown_bps_max=10_001), Reason.INVALID_LIMIT),
        (LimitSet(scope=SCOPE_GLOBAL, order_quantity_max=1), Reason.INVALID_LIMIT),
        (LimitSet(scope=SCOPE_VENUE, key="v", position_quantity_max=1), Reason.INVALID_LIMIT),
        (LimitSet(scope=SCOPE_VENUE, key="v", duplicate_window_ms=200), Reason.INVALID_LIMIT),
        (LimitSet(scope=SCOPE_VENUE, key="v", collar_bps=301), Reason.LIMIT_LOOSER),
        (LimitSet(scope=SCOPE_STRATEGY, duplicate_window_ms=99), Reason.LIMIT_LOOSER),
        (
            LimitSet(scope=SCOPE_VENUE, key="v", order_notional_max=100_000 * USD + 1),
            Reason.LIMIT_LOOSER,
        ),
        (LimitSet(scope=SCOPE_VENUE, key="v", collar_bps=301, allow_looser=True), 0),
        (LimitSet(scope=SCOPE_VENUE, key="v", order_notional_max=100_000 * USD), 0),
        (LimitSet(scope=SCOPE_STRATEGY, key="", collar_bps=10), 0),
        (LimitSet(scope=SCOPE_SYMBOL, key="y", order_quantity_max=0), 0),
    ],
)
def test_validate(limit_set: LimitSet, reason: int) -> None:
    """Impossible, absurd and unmarked looser sets are refused with a text that says why."""
    code, text = limits().validate(limit_set, 8)
    assert code == reason
    assert bool(text) == bool(reason)


@pytest.mark.parametrize(
    "name", ["order_notional_max", "position_notional_max", "exposure_max", "daily_loss_max"]
)
@pytest.mark.parametrize("scale", [0, 2, 8, 18])
def test_money_is_bounded_in_whole_units(name: str, scale: int) -> None:
    """Whatever the base asset's scale; the refusal says what was given and what is allowed."""
    bound = AMOUNT_MAX * 10**scale
    most = LimitSet(scope=SCOPE_GLOBAL, **{name: bound})
    more = LimitSet(scope=SCOPE_GLOBAL, **{name: bound + 1})
    assert (0, "") == limits().validate(most, scale)
    text = f"{name} {bound + 1} is not within 0..{bound}"
    assert (Reason.INVALID_LIMIT, text) == limits().validate(more, scale)


@pytest.mark.parametrize("name", ["order_quantity_max", "position_quantity_max"])
@pytest.mark.parametrize("scale", [0, 3, 18])
def test_quantities_are_bounded_in_whole_units(name: str, scale: int) -> None:
    """Of the symbol's scale."""
    bound = AMOUNT_MAX * 10**scale
    most = LimitSet(scope=SCOPE_SYMBOL, key="y", **{name: bound})
    more = LimitSet(scope=SCOPE_SYMBOL, key="y", **{name: bound + 1})
    assert (0, "") == limits().validate(most, 8, scale)
    text = f"{name} {bound + 1} is not within 0..{bound}"
    assert (Reason.INVALID_LIMIT, text) == limits().validate(more, 8, scale)


def test_validate_compares_with_the_global_set_in_force() -> None:
    """A tighter global set makes what was allowed looser."""
    made = limits(LimitSet(scope=SCOPE_GLOBAL, collar_bps=100))
    code, text = made.validate(LimitSet(scope=SCOPE_VENUE, key="v", collar_bps=200), 8)
    assert code == Reason.LIMIT_LOOSER
    assert text == "collar_bps 200 is looser than the global 100; say allow_looser to mean it"


def test_counts_bind_in_every_scope_that_states_them() -> None:
    """The default or global count, then each narrower one."""
    made = limits(
        LimitSet(scope=SCOPE_GLOBAL, open_orders_max=50),
        LimitSet(scope=SCOPE_STRATEGY, key="s", open_orders_max=5),
        LimitSet(scope=SCOPE_VENUE, key="v", collar_bps=1),
        LimitSet(scope=SCOPE_SYMBOL, key="y", open_orders_max=4),
    )
    found = made.binding(OPEN_ORDERS, "p", "s", "v", "y")
    assert [(one.scope, one.key, one.limit) for one in found] == [
        (SCOPE_GLOBAL, "", 50),
        (SCOPE_STRATEGY, "s", 5),
        (SCOPE_SYMBOL, "y", 4),
    ]
    assert made.binding(OPEN_ORDERS, "q", "", "w", "z")[0].limit == 50
    assert made.binding(PER_SECOND, "p", "s", "v", "y")[0].limit == 50


def test_a_count_that_may_be_looser_replaces_the_wider_ones() -> None:
    """A market maker allowed a thousand orders is not stopped by the global two hundred."""
    loose = LimitSet(scope=SCOPE_STRATEGY, key="s", open_orders_max=1_000, allow_looser=True)
    found = limits(loose).binding(OPEN_ORDERS, "p", "s", "v", "y")
    assert [one.limit for one in found] == [1_000]


def test_own_is_what_the_scope_itself_states() -> None:
    """Globally the default, elsewhere nothing unless stated."""
    made = limits(LimitSet(scope=SCOPE_VENUE, key="v", orders_per_second_max=3))
    assert made.own(PER_SECOND, SCOPE_GLOBAL, "") == 50
    assert made.own(PER_SECOND, SCOPE_VENUE, "v") == 3
    assert made.own(PER_SECOND, SCOPE_VENUE, "w") == NO_LIMIT


def test_state_items_round_trip() -> None:
    """A restored object resolves the same; the items are the same again."""
    made = limits(
        LimitSet(scope=SCOPE_SYMBOL, key="y", order_quantity_max=3, allow_looser=True),
        LimitSet(scope=SCOPE_GLOBAL, collar_bps=0),
    )
    other = limits(LimitSet(scope=SCOPE_VENUE, key="gone"))
    other.restore(made.state_items())
    assert other.state_items() == made.state_items()
    assert other.scopes() == [(SCOPE_GLOBAL, ""), (SCOPE_SYMBOL, "y")]
    assert resolve(other).order_quantity_max == 3
    assert resolve(other).collar_bps == 0
