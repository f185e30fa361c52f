"""Limits: what they are, what they are by default, and which of them binds an order.

A `LimitSet` states limits for one scope. Scopes from widest to narrowest: global, portfolio,
strategy, venue, symbol. The narrowest set that states a limit wins, but never with a looser value
than the wider ones, unless it is marked `allow_looser`. Without any set the defaults below bind; a
global set replaces them, looser or tighter.

Exposure and loss are measured a portfolio, positions a portfolio and instrument, whatever the scope
that states the limit: the scope says for which orders the number holds. Counts (open orders, orders
a second, an hour, a day) are counted over the whole scope that states them, and every scope on the
way binds with its own count.
"""

from typing import Any, Final, final

from zvt_trading.core.limits import AMOUNT_MAX, LEVERAGE_MAX, NAME_LENGTH_MAX
from zvt_trading.messages.codes import (
    SCOPE_GLOBAL,
    SCOPE_PORTFOLIO,
    SCOPE_STRATEGY,
    SCOPE_SYMBOL,
    SCOPE_VENUE,
)
from zvt_trading.messages.commands import LimitSet
from zvt_trading.messages.reasons import Reason

NO_LIMIT: Final = -1
"""In `Limits`: nobody stated this limit."""

# Position of each limit in the lists below.
ORDER_QUANTITY: Final = 0
ORDER_NOTIONAL: Final = 1
OPEN_ORDERS: Final = 2
POSITION_QUANTITY: Final = 3
POSITION_NOTIONAL: Final = 4
EXPOSURE: Final = 5
ALLOCATION: Final = 6
LEVERAGE: Final = 7
COLLAR: Final = 8
DATA_AGE: Final = 9
PER_SECOND: Final = 10
PER_HOUR: Final = 11
PER_DAY: Final = 12
DUPLICATE_WINDOW: Final = 13
REPEATED: Final = 14
REPEATED_WINDOW: Final = 15
DAILY_LOSS: Final = 16
DAILY_LOSS_BPS: Final = 17
DRAWDOWN: Final = 18
COOL_DOWN: Final = 19

LIMIT_NAMES: Final = (
    "order_quantity_max",
    "order_notional_max",
    "open_orders_max",
    "position_quantity_max",
    "position_notional_max",
    "exposure_max",
    "allocation_bps_max",
    "leverage_max",
    "collar_bps",
    "data_age_ms_max",
    "orders_per_second_max",
    "orders_per_hour_max",
    "orders_per_day_max",
    "duplicate_window_ms",
    "repeated_executions_max",
    "repeated_window_ms",
    "daily_loss_max",
    "daily_loss_bps_max",
    "drawdown_bps_max",
    "cool_down_ms",
)

# The defaults, in the order of the names: (value, reason). Money in whole units of the portfolio's
# base asset. They bind a stranger's first live day; who knows better states a global set.
DEFAULTS: Final = (
    (NO_LIMIT, "a quantity means nothing without its symbol; the notional limit covers it"),
    (100_000, "an order for more is split by a person, or is a typing error"),
    (200, "the lowest cap of our venues: Binance MAX_NUM_ORDERS is 200 a symbol"),
    (NO_LIMIT, "as for order_quantity_max"),
    (500_000, "five full orders the same way"),
    (1_000_000, "two full positions"),
    (10_000, "no position worth more than the equity: borrowing for one is a choice to state"),
    (5, "far from the first maintenance tier: a 15 % move does not liquidate"),
    (300, "3 %: a normal order in a liquid market walks less"),
    (5_000, "a liquid market quotes many times a second; 5 s of silence is a fault"),
    (50, "the burst of a normal strategy passes, a loop without a pause does not"),
    (10_000, "three a second all hour long"),
    (50_000, "one every two seconds all day long; a quarter of what Binance spot allows"),
    (100, "no person and no sane strategy asks twice for the same within 0.1 s"),
    (20, "twenty fills the same way in ten seconds is a loop (RTS 6 art. 15(3))"),
    (10_000, "the ten seconds of the line above"),
    (NO_LIMIT, "the share of the equity below covers it"),
    (500, "5 % of the day's first equity: stop and think"),
    (2_000, "20 % below the peak: the strategy is not what it was thought to be"),
    (0, "off: a pause after each loss suits discretionary trading only"),
)

_MONEY: Final = (ORDER_NOTIONAL, POSITION_NOTIONAL, EXPOSURE, DAILY_LOSS)
_QUANTITIES: Final = (ORDER_QUANTITY, POSITION_QUANTITY)
# Patterns are looked for over all venues, so one venue cannot state what a pattern is.
_OVER_VENUES: Final = (DUPLICATE_WINDOW, REPEATED, REPEATED_WINDOW)
_STRICTER_WHEN_LARGER: Final = (DUPLICATE_WINDOW, REPEATED_WINDOW, COOL_DOWN)
_COUNT_MAX: Final = 1_000_000_000
_DURATION_MS_MAX: Final = 31 * 86_400_000
_BPS_ALL: Final = 10_000
# Largest sensible value of each limit (money and quantities in whole units); above it, it is a
# mistake in the unit.
_BOUNDS: Final = (
    AMOUNT_MAX,
    AMOUNT_MAX,
    _COUNT_MAX,
    AMOUNT_MAX,
    AMOUNT_MAX,
    AMOUNT_MAX,
    1_000 * _BPS_ALL,
    LEVERAGE_MAX,
    _BPS_ALL - 1,  # a sell's worst price must stay above zero
    _DURATION_MS_MAX,
    _COUNT_MAX,
    _COUNT_MAX,
    _COUNT_MAX,
    _DURATION_MS_MAX,
    _COUNT_MAX,
    _DURATION_MS_MAX,
    AMOUNT_MAX,
    _BPS_ALL,
    _BPS_ALL,
    _DURATION_MS_MAX,
)


@final
class Limits:
    """The limits that bind one (portfolio, strategy, venue, symbol); NO_LIMIT where none does.

    `scopes[i]` and `keys[i]` say who stated limit i (a default counts as global).
    """

    def __init__(self, values: list[int], scopes: list[int], keys: list[str]) -> None:
        self.scopes: Final = scopes
        self.keys: Final = keys
        self.order_quantity_max: Final = values[ORDER_QUANTITY]
        self.order_notional_max: Final = values[ORDER_NOTIONAL]
        self.position_quantity_max: Final = values[POSITION_QUANTITY]
        self.position_notional_max: Final = values[POSITION_NOTIONAL]
        self.exposure_max: Final = values[EXPOSURE]
        self.allocation_bps_max: Final = values[ALLOCATION]
        self.leverage_max: Final = values[LEVERAGE]
        self.collar_bps: Final = values[COLLAR]
        self.data_age_ms_max: Final = values[DATA_AGE]
        self.duplicate_window_ms: Final = values[DUPLICATE_WINDOW]
        self.repeated_executions_max: Final = values[REPEATED]
        self.repeated_window_ms: Final = values[REPEATED_WINDOW]
        self.daily_loss_max: Final = values[DAILY_LOSS]
        self.daily_loss_bps_max: Final = values[DAILY_LOSS_BPS]
        self.drawdown_bps_max: Final = values[DRAWDOWN]
        self.cool_down_ms: Final = values[COOL_DOWN]


@final
class ScopedLimit:
    """One scope's own bound on something counted over that scope."""

    def __init__(self, scope: int, key: str, limit: int) -> None:
        self.scope: Final = scope
        self.key: Final = key
        self.limit: Final = limit


@final
class RiskLimits:
    """All limit sets, and what follows from them."""

    def __init__(self) -> None:
        self._sets: dict[tuple[int, str], LimitSet] = {}

    def validate(
        self, limit_set: LimitSet, base_scale: int, quantity_scale: int = 0
    ) -> tuple[int, str]:
        """(Reason, text) why a set cannot be taken; (0, "") when it can.

        `base_scale` is the scale of its money limits, `quantity_scale` that of its quantities (0
        while nobody lists the symbol). Besides `allow_looser`, a set is compared
        with the global limits only: which other scopes an order has is not known before the order,
        and `resolve` holds a set to them then.
        """
        problem = _scope_problem(limit_set)
        if problem:
            return Reason.INVALID_SCOPE, problem
        wider = _defaults(base_scale)
        found = self._sets.get((SCOPE_GLOBAL, ""))
        if found is not None:
            _lay_over(wider, found)
        for index in range(len(LIMIT_NAMES)):
            problem = _value_problem(limit_set, index, base_scale, quantity_scale)
            if problem:
                return Reason.INVALID_LIMIT, problem
        for index in range(len(LIMIT_NAMES)):
            value = _stated(limit_set, index)
            may_be_looser = limit_set.allow_looser or limit_set.scope == SCOPE_GLOBAL
            if not may_be_looser and _is_looser(index, value, wider[index]):
                return Reason.LIMIT_LOOSER, (
                    f"{LIMIT_NAMES[index]} {value} is looser than the global {wider[index]}; "
                    "say allow_looser to mean it"
                )
        return 0, ""

    def set(self, limit_set: LimitSet) -> None:
        """Replace the limits of a scope (validated before)."""
        self._sets[(limit_set.scope, limit_set.key)] = limit_set

    def resolve(
        self, portfolio: str, base_scale: int, strategy: str, venue: str, symbol: str
    ) -> Limits:
        """What binds an order; `base_scale` is that of the portfolio's base asset."""
        values = _defaults(base_scale)
        scopes = [SCOPE_GLOBAL] * len(LIMIT_NAMES)
        keys = [""] * len(LIMIT_NAMES)
        for scope, key in _chain(portfolio, strategy, venue, symbol):
            found = self._sets.get((scope, key))
            if found is None:
                continue
            for index in range(len(LIMIT_NAMES)):
                value = _stated(found, index)
                if _overrides(found, index, value, values[index]):
                    values[index] = value
                    scopes[index] = scope
                    keys[index] = key
        return Limits(values, scopes, keys)

    def binding(
        self, index: int, portfolio: str, strategy: str, venue: str, symbol: str
    ) -> list[ScopedLimit]:
        """Every scope whose own count of limit `index` binds, widest first.

        A looser set that may be so frees its orders from the wider counts.
        """
        bounds = [ScopedLimit(SCOPE_GLOBAL, "", DEFAULTS[index][0])]
        for scope, key in _chain(portfolio, strategy, venue, symbol):
            found = self._sets.get((scope, key))
            value = NO_LIMIT if found is None else _stated(found, index)
            if found is None or value == NO_LIMIT:
                continue
            bound = ScopedLimit(scope, key, value)
            if scope == SCOPE_GLOBAL or (found.allow_looser and value > bounds[-1].limit):
                bounds = [bound]
            else:
                bounds.append(bound)
        return bounds

    def own(self, index: int, scope: int, key: str) -> int:
        """The count a scope itself states (or, globally, has by default); NO_LIMIT when none."""
        found = self._sets.get((scope, key))
        value = NO_LIMIT if found is None else _stated(found, index)
        if value == NO_LIMIT and scope == SCOPE_GLOBAL:
            return DEFAULTS[index][0]
        return value

    def scopes(self) -> list[tuple[int, str]]:
        """The scopes that have a set, sorted."""
        return sorted(self._sets)

    def state_items(self) -> list[int | str]:
        """All sets as a flat list in key order, for digests and snapshots; see `restore`."""
        items: list[int | str] = []
        for scope, key in self.scopes():
            found = self._sets[(scope, key)]
            items.extend([scope, key, 1 if found.allow_looser else 0])
            items.extend([_stated(found, index) for index in range(len(LIMIT_NAMES))])
        return items

    def restore(self, items: list[int | str]) -> None:
        """Become what `state_items` described."""
        width = 3 + len(LIMIT_NAMES)
        self._sets = {}
        for at in range(0, len(items), width):
            row = items[at : at + width]
            fields: dict[str, Any] = {
                "scope": row[0],
                "key": row[1],
                "allow_looser": row[2] == 1,
            }
            for index in range(len(LIMIT_NAMES)):
                value = row[3 + index]
                fields[LIMIT_NAMES[index]] = None if value == NO_LIMIT else value
            self.set(LimitSet(**fields))


def _defaults(base_scale: int) -> list[int]:
    """The default values, money on the given scale."""
    values = [row[0] for row in DEFAULTS]
    unit = int(10**base_scale)
    for index in _MONEY:
        if values[index] != NO_LIMIT:
            values[index] *= unit
    return values


def _stated(limit_set: LimitSet, index: int) -> int:
    """The value a set states, NO_LIMIT when it leaves it open."""
    value: int | None = getattr(limit_set, LIMIT_NAMES[index])
    return NO_LIMIT if value is None else value


def _is_looser(index: int, value: int, wider: int) -> bool:
    """Whether a stated value allows more than the wider one."""
    if value == NO_LIMIT or wider == NO_LIMIT:
        return False
    return value < wider if index in _STRICTER_WHEN_LARGER else value > wider


def _overrides(limit_set: LimitSet, index: int, value: int, wider: int) -> bool:
    """Whether a set's value takes the place of the wider one."""
    if value == NO_LIMIT:
        return False
    if limit_set.scope == SCOPE_GLOBAL or limit_set.allow_looser:
        return True
    return not _is_looser(index, value, wider)


def _lay_over(values: list[int], limit_set: LimitSet) -> None:
    """Put a set's stated values in place."""
    for index in range(len(LIMIT_NAMES)):
        value = _stated(limit_set, index)
        if value != NO_LIMIT:
            values[index] = value


def _chain(portfolio: str, strategy: str, venue: str, symbol: str) -> list[tuple[int, str]]:
    """The scopes of an order, widest first."""
    return [
        (SCOPE_GLOBAL, ""),
        (SCOPE_PORTFOLIO, portfolio),
        (SCOPE_STRATEGY, strategy),
        (SCOPE_VENUE, venue),
        (SCOPE_SYMBOL, symbol),
    ]


def _scope_problem(limit_set: LimitSet) -> str:
    """What is wrong with the scope; "" when nothing is (the manual strategy's key is empty)."""
    if not SCOPE_GLOBAL <= limit_set.scope <= SCOPE_SYMBOL:
        return f"no scope {limit_set.scope}; use SCOPE_GLOBAL..SCOPE_SYMBOL (0..4)"
    if limit_set.scope == SCOPE_GLOBAL and limit_set.key:
        return f"the global scope has no key; {limit_set.key!r} was given"
    if limit_set.scope not in (SCOPE_GLOBAL, SCOPE_STRATEGY) and not limit_set.key:
        return f"scope {limit_set.scope} needs a key that names it"
    if len(limit_set.key) > NAME_LENGTH_MAX:
        return f"no name has {len(limit_set.key)} characters; at most {NAME_LENGTH_MAX}"
    return ""


def _value_problem(limit_set: LimitSet, index: int, base_scale: int, quantity_scale: int) -> str:
    """What is wrong with a stated value; "" when nothing is."""
    name = LIMIT_NAMES[index]
    value: int | None = getattr(limit_set, name)
    if value is None:
        return ""
    bound = _BOUNDS[index]
    if index in _MONEY:
        bound *= int(10**base_scale)
    elif index in _QUANTITIES:
        bound *= int(10**quantity_scale)
    if value < 0 or value > bound:
        return f"{name} {value} is not within 0..{bound}"
    if index in _QUANTITIES and limit_set.scope != SCOPE_SYMBOL:
        return f"{name} is on a symbol's scale: it belongs to SCOPE_SYMBOL"
    if index in _OVER_VENUES and limit_set.scope == SCOPE_VENUE:
        return f"{name} is looked for over all venues: it cannot belong to SCOPE_VENUE"
    return ""
