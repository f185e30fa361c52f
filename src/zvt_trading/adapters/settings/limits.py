"""The limits of a config file as the core takes them: scaled ints, a set a scope."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from zvt_trading.adapters.settings.errors import ConfigError
from zvt_trading.adapters.settings.model import RiskSettings, ScopeLimits
from zvt_trading.core.risk_limits import LIMIT_NAMES, RiskLimits
from zvt_trading.messages.codes import (
    SCOPE_GLOBAL,
    SCOPE_PORTFOLIO,
    SCOPE_STRATEGY,
    SCOPE_SYMBOL,
    SCOPE_VENUE,
)
from zvt_trading.messages.commands import LimitSet
from zvt_trading.runtime.numbers import to_scaled

QUANTITIES = ("order_quantity_max", "position_quantity_max")
"""Limits on a symbol's scale; the other decimals are money."""


def limit_sets(
    risk: RiskSettings, money_scales: Mapping[str, int], quantity_scales: Mapping[str, int]
) -> tuple[LimitSet, ...]:
    """The sets to give to the engine, widest scope first, as each is compared with the global one.

    `money_scales` are the decimals of each portfolio's base asset, by portfolio in the order they
    were opened: the first one's is the scale of every other scope's money, as in the core.
    `quantity_scales` are those of each symbol. Raises CallerError for more decimals than there are.
    """
    usual = next(iter(money_scales.values()))
    return tuple(
        _limit_set(
            scope,
            key,
            limits,
            money_scales.get(key, usual) if scope == SCOPE_PORTFOLIO else usual,
            quantity_scales.get(key, 0) if scope == SCOPE_SYMBOL else 0,
        )
        for scope, key, limits in _stated(risk)
    )


def check_limits(risk: RiskSettings) -> None:
    """ConfigError where the core would refuse a set: out of bounds, or looser without saying so."""
    known = RiskLimits()
    for scope, key, limits in _stated(risk):
        # No more decimals than are needed: then the core's message has the numbers as given.
        money = _decimals(limits, quantities=False)
        quantity = _decimals(limits, quantities=True)
        wider = _decimals(risk.everywhere, quantities=False)
        scale = max(money, wider)
        if risk.everywhere.model_fields_set:
            known.set(_limit_set(SCOPE_GLOBAL, "", risk.everywhere, scale, 0))
        stated = _limit_set(scope, key, limits, scale, quantity)
        reason, text = known.validate(stated, scale, quantity)
        if reason:
            unit = f" (in units of 10^-{scale})" if scale else ""
            raise ConfigError(f"{_path(scope, key)}: {text}{unit}")


def _stated(risk: RiskSettings) -> Iterator[tuple[int, str, ScopeLimits]]:
    """Every scope that states something, the widest first."""
    if risk.everywhere.model_fields_set:
        yield SCOPE_GLOBAL, "", risk.everywhere
    for name, limits in risk.portfolio.items():
        yield SCOPE_PORTFOLIO, name, limits
    for name, limits in risk.strategy.items():
        yield SCOPE_STRATEGY, name, limits
    for venue, limits in risk.venue.items():
        yield SCOPE_VENUE, venue, limits
    for name, limits in risk.symbol.items():
        yield SCOPE_SYMBOL, name, limits


def _limit_set(
    scope: int, key: str, limits: ScopeLimits, money_scale: int, quantity_scale: int
) -> LimitSet:
    values: dict[str, int] = {}
    for name in LIMIT_NAMES:
        value: Decimal | int | None = getattr(limits, name)
        if isinstance(value, Decimal):
            scale = quantity_scale if name in QUANTITIES else money_scale
            values[name] = to_scaled(f"{_path(scope, key)}.{name}", value, scale)
        elif value is not None:
            values[name] = value
    return LimitSet(scope=scope, key=key, allow_looser=limits.allow_looser, **values)


def _decimals(limits: ScopeLimits, *, quantities: bool) -> int:
    """The most decimals of the money, or of the quantities, that are stated."""
    most = 0
    for name in LIMIT_NAMES:
        value: object = getattr(limits, name)
        if isinstance(value, Decimal) and (name in QUANTITIES) == quantities:
            exponent = value.normalize().as_tuple().exponent
            most = max(most, -exponent if isinstance(exponent, int) else 0)
    return most


def _path(scope: int, key: str) -> str:
    """Where the file says it."""
    name = ("global", "portfolio", "strategy", "venue", "symbol")[scope]
    return f"risk.{name}.{key}" if key else f"risk.{name}"
