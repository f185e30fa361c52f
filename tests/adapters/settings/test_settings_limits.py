"""Limits of a config file as the core takes them."""

from decimal import Decimal
from pathlib import Path

import pytest

from settings_world import SMALL, settings_of
from zvt_trading.adapters.settings.errors import ConfigError
from zvt_trading.adapters.settings.limits import limit_sets
from zvt_trading.adapters.settings.model import ScopeLimits
from zvt_trading.core.risk_limits import LIMIT_NAMES
from zvt_trading.errors import CallerError
from zvt_trading.messages.codes import (
    SCOPE_GLOBAL,
    SCOPE_PORTFOLIO,
    SCOPE_STRATEGY,
    SCOPE_SYMBOL,
    SCOPE_VENUE,
)
from zvt_trading.messages.commands import LimitSet

MONEY = ("order_notional_max", "position_notional_max", "exposure_max", "daily_loss_max")
QUANTITIES = ("order_quantity_max", "position_quantity_max")

ALL_SCOPES = (
    SMALL
    + """
[strategies.maker]
class = "market_maker"
[risk.symbol."BTC/USDT"]
order_quantity_max = 0.25
exposure_max = 4
[risk.venue.binance]
exposure_max = 3.5
[risk.strategy.maker]
exposure_max = 3
[risk.portfolio.default]
exposure_max = 2.5
[risk.global]
exposure_max = 5
collar_bps = 40
"""
)


def test_every_limit_of_the_core_can_be_said() -> None:
    """Under its name, and nothing else can."""
    assert set(ScopeLimits.model_fields) == {"allow_looser", *LIMIT_NAMES}


def test_a_set_a_scope_the_widest_first(tmp_path: Path) -> None:
    """Each is compared with the global one, which must be there before it."""
    risk = settings_of(tmp_path, ALL_SCOPES).risk
    expected = (
        LimitSet(scope=SCOPE_GLOBAL, exposure_max=5_00, collar_bps=40),
        LimitSet(scope=SCOPE_PORTFOLIO, key="default", exposure_max=2_500_000),
        LimitSet(scope=SCOPE_STRATEGY, key="maker", exposure_max=3_00),
        LimitSet(scope=SCOPE_VENUE, key="binance", exposure_max=3_50),
        LimitSet(scope=SCOPE_SYMBOL, key="BTC/USDT", exposure_max=4_00, order_quantity_max=2_500),
    )
    # Money of the portfolio's own scope is on its own scale, all other on the first one's.
    assert expected == limit_sets(risk, {"first": 2, "default": 6}, {"BTC/USDT": 4})


@pytest.mark.parametrize("name", LIMIT_NAMES)
def test_each_limit_is_on_its_scale(tmp_path: Path, name: str) -> None:
    """Money on the asset's, quantities on the symbol's, everything else plain."""
    text = SMALL + f'[risk.symbol."BTC/USDT"]\nallow_looser = true\n{name} = 7\n'
    [found] = limit_sets(settings_of(tmp_path, text).risk, {"default": 2}, {"BTC/USDT": 4})
    expected = 700 if name in MONEY else 70_000 if name in QUANTITIES else 7
    stated = {
        each: getattr(found, each) for each in LIMIT_NAMES if getattr(found, each) is not None
    }
    assert {name: expected} == stated
    assert found.allow_looser


def test_nothing_stated_is_no_set(tmp_path: Path) -> None:
    """The core's defaults bind then; an empty global set would be the same."""
    assert () == limit_sets(settings_of(tmp_path).risk, {"default": 8}, {})


def test_more_decimals_than_the_scale_has_are_refused(tmp_path: Path) -> None:
    """By the key path; nothing is rounded."""
    risk = settings_of(tmp_path, SMALL + "[risk.global]\nexposure_max = 1.234\n").risk
    with pytest.raises(CallerError, match=r"risk\.global\.exposure_max 1\.234 has more than the 2"):
        limit_sets(risk, {"default": 2}, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[risk.venue.binance]\norder_notional_max = 200000",
            (
                "risk.venue.binance: order_notional_max 200000 is looser than the global 100000; "
                "say allow_looser to mean it"
            ),
        ),
        (
            "[risk.global]\nexposure_max = 10.5\n[risk.venue.binance]\nexposure_max = 11",
            (
                "risk.venue.binance: exposure_max 110 is looser than the global 105; "
                "say allow_looser to mean it (in units of 10^-1)"
            ),
        ),
        (
            "[risk.global]\norder_quantity_max = 1",
            "risk.global: order_quantity_max is on a symbol's scale: it belongs to SCOPE_SYMBOL",
        ),
        (
            "[risk.venue.binance]\nduplicate_window_ms = 100",
            (
                "risk.venue.binance: duplicate_window_ms is looked for over all venues: "
                "it cannot belong to SCOPE_VENUE"
            ),
        ),
        (
            "[risk.global]\ncollar_bps = 10000",
            "risk.global: collar_bps 10000 is not within 0..9999",
        ),
    ],
)
def test_what_the_core_would_refuse_is_refused_at_once(
    tmp_path: Path, text: str, said: str
) -> None:
    """By the core's own rule, in the numbers of the file."""
    with pytest.raises(ConfigError) as caught:
        settings_of(tmp_path, SMALL + text)
    assert str(caught.value).endswith(said)


def test_looser_can_be_meant(tmp_path: Path) -> None:
    """It is said then."""
    text = SMALL + "[risk.venue.binance]\nallow_looser = true\norder_notional_max = 200000"
    found = settings_of(tmp_path, text).risk.venue["binance"]
    assert Decimal(200_000) == found.order_notional_max
