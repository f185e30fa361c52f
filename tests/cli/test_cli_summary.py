"""The aggregates of a run, against numbers worked out by hand."""

from decimal import Decimal

import pytest
from cli_fixtures import (
    START_NS,
    make_fill,
    make_ledger_row,
    make_portfolio,
    make_report,
)

from zvt_trading.cli import summary
from zvt_trading.types import BookChecks, CurvePoint


def test_totals_add_portfolios_exactly() -> None:
    """Every digit of every portfolio is in the total."""
    two = (make_portfolio(), make_portfolio(portfolio_id="second"))
    sums = summary.totals(make_report(portfolios=two))
    assert "USDT" == sums.base_asset
    assert Decimal("200050.325000000000000002") == sums.equity
    assert Decimal("59.924999999999999998") == sums.fees


@pytest.mark.parametrize("assets", [(), ("USDT", "EUR")])
def test_different_base_assets_are_never_added(assets: tuple[str, ...]) -> None:
    """No total at all is better than dollars plus euros."""
    portfolios = tuple(make_portfolio(base_asset=asset) for asset in assets)
    assert summary.totals(make_report(portfolios=portfolios)).equity is None


def test_fees_are_grouped_by_venue_and_asset() -> None:
    """A rebate is a negative fee; different assets stay apart."""
    fills = [
        make_fill(0, exchange="okx", fee=Decimal("1.5"), liquidity="taker"),
        make_fill(1, exchange="okx", fee=Decimal("-0.5"), liquidity="maker"),
        make_fill(2, exchange="okx", fee=Decimal("0.001"), fee_asset="BTC", liquidity="taker"),
        make_fill(3, exchange="binance", fee=Decimal(2), liquidity="taker"),
    ]
    assert (
        summary.FeeRow("binance", "USDT", 1, 0, Decimal(2)),
        summary.FeeRow("okx", "BTC", 1, 0, Decimal("0.001")),
        summary.FeeRow("okx", "USDT", 2, 1, Decimal("1.0")),
    ) == summary.fee_rows(fills)


def test_slippage_has_mean_weighted_mean_and_worst() -> None:
    """Two fills of 1 and 3 units at 2 and -2 bps: mean 0, by quantity -1, worst 2."""
    fills = [
        make_fill(0, exchange="okx", quantity=Decimal(1), slippage_bps=Decimal(2)),
        make_fill(1, exchange="okx", quantity=Decimal(3), slippage_bps=Decimal(-2)),
        make_fill(2, exchange="okx", slippage_bps=None),
    ]
    row = summary.SlippageRow("okx", "BTC/USDT", 2, Decimal(0), Decimal(-1), Decimal(2))
    assert (row,) == summary.slippage_rows(fills)
    assert Decimal(0) == summary.mean_slippage_bps(fills)


def test_no_slippage_without_arrival_prices() -> None:
    """None, not zero: nothing is known."""
    fills = [make_fill(0, slippage_bps=None)]
    assert () == summary.slippage_rows(fills)
    assert summary.mean_slippage_bps(fills) is None


def test_refusals_are_sorted_by_count_then_name() -> None:
    """The most frequent first."""
    refusals = {"b": 1, "c": 3, "a": 1}
    assert (("c", 3), ("a", 1), ("b", 1)) == summary.refusal_rows(refusals)


def test_drawdown_is_measured_from_the_highest_equity_so_far() -> None:
    """100, 80, 120, 90: the deepest fall is 30 of 120."""
    values = ("100", "80", "120", "90")
    curve = tuple(CurvePoint(START_NS + i, Decimal(v), Decimal(0)) for i, v in enumerate(values))
    assert Decimal("0.25") == summary.max_drawdown(make_report(equity_curve=curve))


def test_drawdown_of_an_account_without_money_is_zero() -> None:
    """There is no peak to fall from."""
    curve = (CurvePoint(START_NS, Decimal(0), Decimal(0)),)
    assert Decimal(0) == summary.max_drawdown(make_report(equity_curve=curve))


def test_a_proven_run_has_no_problems() -> None:
    """Ledger exact, every recorded quote matched."""
    assert () == summary.problems(make_report())


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("ledger: not exact", {"ledger_exact": False}),
        ("USDT off", {"ledger_exact": False, "ledger_problems": ("USDT off",)}),
        (
            "ledger: default USDT differs by 0.01",
            {"ledger": (make_ledger_row(difference=Decimal("0.01")),)},
        ),
        (
            "book: 1 of 10 recorded quotes differ from the rebuilt book",
            {"book_checks": BookChecks(matched=9, total=10)},
        ),
    ],
)
def test_every_doubt_is_a_problem(expected: str, changes: dict[str, object]) -> None:
    """One line each, also when only the row shows it."""
    assert (expected,) == summary.problems(make_report(**changes))
