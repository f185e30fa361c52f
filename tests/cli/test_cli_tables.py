"""The tables say everything at 80 columns, without colour, without Unicode."""

from decimal import Decimal
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from cli_fixtures import DIGEST, make_ledger_row, make_order, make_portfolio, make_report
from rich.console import Console

from zvt_trading.cli.tables import ROWS_EACH_END, print_report, print_strategies
from zvt_trading.types import BookChecks, OrderStatus, RunReport


def printed(report: RunReport, width: int = 80) -> str:
    """The report as text without colour."""
    output = StringIO()
    print_report(report, Console(file=output, width=width, no_color=True))
    return output.getvalue()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Nothing wraps, so that columns stay columns."""
    assert max(map(len, printed(make_report(400), width).splitlines())) <= width


def test_at_80_columns_no_cell_is_broken() -> None:
    """Venue, symbol and prices stand in one piece."""
    text = printed(make_report(400))
    for word in ("binance", "coinbase", "BTC/USDT", "60,000.5", "quantity", "insufficient_balance"):
        assert word in text


def test_every_part_of_the_report_is_there() -> None:
    """Orders, fills, fees, slippage, positions, lots, PnL, refusals, proof, digest."""
    text = printed(make_report())
    for title in (
        "Orders (40",
        "Fills (40",
        "Fees by venue and asset",
        "Slippage against arrival price",
        "Positions (1)",
        "Open lots (2)",
        "Profit and loss by portfolio",
        "Refusals by reason",
        "Ledger proof",
        "Ledger   exact to the last unit",
        "Book     1,000 of 1,000 quotes matched",
        "12,345 events (24,690/s)",
        DIGEST,
    ):
        assert title in text


def test_long_lists_show_both_ends_and_the_count() -> None:
    """The first and the last rows, and how many are left out."""
    text = printed(make_report(100))
    assert f"Orders (100: first and last {ROWS_EACH_END}, {100 - 2 * ROWS_EACH_END} not" in text
    assert "o8 " in text
    assert "o50 " not in text
    assert "o93 " in text


def test_short_lists_are_whole() -> None:
    """No dots when everything fits."""
    text = printed(make_report(2 * ROWS_EACH_END))
    assert "..." not in text


def test_wide_terminals_show_times_and_reasons() -> None:
    """Columns that 80 columns have no room for."""
    order = make_order(0, status=OrderStatus.REJECTED, reason="price_collar", exchange="")
    text = printed(make_report(refusals={}, orders=(order,)), width=140)
    assert "12:00:00.000" in text
    assert "price_collar" in text
    assert "Refusals" not in text


def test_brackets_in_ids_are_text_not_markup() -> None:
    """An order id may look like a rich tag."""
    assert "[red]o1[/]" in printed(make_report(orders=(make_order(0, order_id="[red]o1[/]"),)))


def test_an_empty_run_prints_too() -> None:
    """No orders, no fills, no portfolios, no time."""
    text = printed(make_report(0, positions=(), portfolios=(), ledger=(), seconds=0.0))
    assert "Orders (0)" in text


def test_the_sum_of_portfolios_is_a_row_when_it_means_something() -> None:
    """Only for more than one portfolio of one base asset."""
    two = (make_portfolio(), make_portfolio(portfolio_id="second"))
    assert "200,050.33" in printed(make_report(portfolios=two))
    mixed = (make_portfolio(), make_portfolio(portfolio_id="second", base_asset="EUR"))
    assert "\nall " not in printed(make_report(portfolios=mixed))


def test_the_ledger_shows_funding_portfolios_and_the_exact_difference() -> None:
    """Columns appear when they say something; the difference is never rounded."""
    rows = (
        make_ledger_row(funding=Decimal("-1.25"), difference=Decimal("0.000000000000000001")),
        make_ledger_row(portfolio_id="second", insurance=Decimal(3), adjustments=Decimal(4)),
    )
    text = printed(make_report(ledger=rows), width=100)
    for part in ("funding", "-1.25", "other", "second", "0.000000000000000001"):
        assert part in text
    assert "PROBLEM  ledger: default USDT differs by 1E-18" in text
    assert "exact to the last unit" not in text


def test_digits_fold_rather_than_vanish() -> None:
    """Amounts too long for 80 columns go on below; none is cut off."""
    long = Decimal("123456789012345678.1234")
    row = make_ledger_row(deposits=long, trading=long, funding=long, insurance=long, balance=long)
    text = printed(make_report(0, ledger=(row,), positions=(), portfolios=(), refusals={}))
    proof = text[text.index("difference") : text.index("Ledger   exact")]
    assert 5 * 22 <= sum(map(str.isdigit, proof))


def test_undecidable_book_checks_are_said() -> None:
    """They are neither matched nor wrong."""
    checks = BookChecks(matched=5, total=5, undecidable=2)
    assert "5 of 5 quotes matched, 2 undecidable" in printed(make_report(book_checks=checks))
    none = printed(make_report(book_checks=BookChecks(matched=0, total=0)))
    assert "quotes matched" not in none


def test_the_output_survives_an_ascii_terminal() -> None:
    """LANG=C pipes exist."""
    raw = BytesIO()
    output = TextIOWrapper(raw, encoding="ascii")
    print_report(make_report(), Console(file=output, width=80))
    output.flush()
    assert b"Ledger proof" in raw.getvalue()


def test_strategies_are_a_table() -> None:
    """Name, class, what it does."""
    output = StringIO()
    rows = [("maker", "some.module:Maker", "Quotes both sides.")]
    print_strategies(rows, Console(file=output, width=80))
    assert "some.module:Maker" in output.getvalue()
