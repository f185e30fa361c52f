"""The HTML report holds the whole run and needs nothing but itself."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import pytest
from cli_fixtures import (
    START,
    START_NS,
    SYMBOL,
    make_fill,
    make_ledger_row,
    make_portfolio,
    make_report,
)
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.cli.html_figures import POINTS_MAX, SYMBOLS_MAX, downsample, figures
from zvt_trading.cli.html_report import plotly_js, render, write_report
from zvt_trading.types import BookChecks, CurvePoint, PricePoint, RunReport

LIBRARY = "/* plotly */"
PRICES = f"Price and fills: {SYMBOL}"


class Elements(HTMLParser):
    """Collects every start tag and the text of the data element."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag == "script" and dict(attrs).get("id") == "data"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.data += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"


def parsed(report: RunReport) -> Elements:
    """The page of a report, parsed."""
    elements = Elements()
    elements.feed(render(report, LIBRARY))
    return elements


def traces(report: RunReport, title: str) -> list[dict[str, Any]]:
    """The traces of the one plot whose title begins so."""
    (figure,) = [plot for name, plot in figures(report).items() if name.startswith(title)]
    return cast("list[dict[str, Any]]", figure["data"])


def test_every_fill_is_in_the_page() -> None:
    """All of them, with exact price, quantity and fee, not only those that are drawn."""
    report = make_report(300)
    rows = json.loads(parsed(report).data)["fills"]
    assert [fill.trade_id for fill in report.fills] == [row[2] for row in rows]
    assert "60000.5" == rows[0][8]
    assert "0.600005 USDT" == rows[0][9]


def test_the_page_loads_nothing_from_elsewhere() -> None:
    """No element, style or import names another address."""
    elements = parsed(make_report())
    for tag, attributes in elements.tags:
        assert tag not in {"link", "img", "iframe", "object"}
        assert not attributes.keys() & {"src", "href"}
    page = render(make_report(), LIBRARY)
    assert not re.search(r"https?://|@import|url\(", page)


def test_the_written_file_holds_plotly_and_the_page(tmp_path: Path) -> None:
    """One file, with the library inside."""
    path = tmp_path / "report.html"
    write_report(make_report(), path, library=lambda: LIBRARY)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert LIBRARY in text
    assert "prefers-color-scheme: dark" in text


def test_plotly_js_comes_from_the_installed_package() -> None:
    """Its whole source, so that the report works without network."""
    pytest.importorskip("plotly")
    assert len(plotly_js()) > 1_000_000


def test_figures_are_valid_plotly() -> None:
    """Plotly's own validators accept every trace and layout."""
    graph_objects = pytest.importorskip("plotly.graph_objects")
    for figure in figures(make_report(50)).values():
        graph_objects.Figure(figure)


def test_names_are_escaped() -> None:
    """A hostile title, order id or reason stays text."""
    evil = "</script><b>$title {{x}}"
    fill = make_fill(0, order_id=evil)
    elements = parsed(make_report(3, title=evil, fills=(fill,), refusals={evil: 1}))
    assert "b" not in {tag for tag, attrs in elements.tags if tag == "b" and not attrs}
    data = json.loads(elements.data)
    assert evil == data["fills"][0][1]
    assert "<b>" not in json.dumps(data["figures"])


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("Ledger exact", {}),
        ("Book 1,000 of 1,000 quotes", {}),
        ("Not proven", {"ledger_exact": False}),
        ("USDT off", {"ledger_problems": ("USDT off",)}),
        ('class="badge bad">Book 1 of 2', {"book_checks": BookChecks(matched=1, total=2)}),
        ("100,025.16", {}),
        ("+12.50", {}),
        ('class="down">-12.50', {"portfolios": (make_portfolio(realized_pnl=Decimal("-12.5")),)}),
        ("-29,950.000000000000000001", {}),
        ("price_collar", {}),
        ("no strategy", {"strategies": ()}),
        (
            "0.000000000000000001</td></tr>",
            {"ledger": (make_ledger_row(difference=Decimal("1E-18")),)},
        ),
    ],
)
def test_the_page_shows_the_main_numbers(expected: str, changes: dict[str, object]) -> None:
    """Badges, cards and tables, each with its number."""
    assert expected in render(make_report(**changes), LIBRARY)


def test_an_empty_run_makes_a_page_too() -> None:
    """No data, no plots, tables that say none."""
    empty = make_report(
        0,
        positions=(),
        portfolios=(),
        ledger=(),
        refusals={},
        seconds=0.0,
        book_checks=BookChecks(matched=0, total=0),
    )
    assert {} == figures(empty)
    page = render(empty, LIBRARY)
    assert ">none<" in page
    assert "Refusals" not in page


def test_prices_are_one_plot_a_symbol_with_a_line_a_venue() -> None:
    """Four venues and both sides of the fills in one plot."""
    names = [trace["name"] for trace in traces(make_report(), PRICES)]
    assert ["binance", "bybit", "coinbase", "okx", "buy", "sell"] == names


def test_markers_grow_with_the_quantity() -> None:
    """Sizes follow quantities, and buys point up."""
    small, large = make_fill(0, quantity=Decimal(1)), make_fill(2, quantity=Decimal(4))
    marker = traces(make_report(3, fills=(small, large)), PRICES)[-1]["marker"]
    assert "triangle-up" == marker["symbol"]
    assert marker["size"][0] < marker["size"][1]


def test_hover_names_order_price_and_fee() -> None:
    """What a user asks of a marker."""
    text = traces(make_report(1), PRICES)[-1]["text"][0]
    for part in ("buy 0.01 BTC/USDT @ 60,000.5", "order o1", "fee 0.600005 USDT", "slippage"):
        assert part in text


def test_only_the_symbols_with_most_fills_are_plotted() -> None:
    """A hundred plots help nobody; every fill stays in the table."""
    symbols = [f"S{i}/USDT" for i in range(SYMBOLS_MAX + 2)]
    prices = tuple(PricePoint(START_NS, f"okx:{symbol}", Decimal(1)) for symbol in symbols)
    fills = (make_fill(0, symbol=symbols[-1]),)
    titles = list(figures(make_report(0, prices=prices, fills=fills)))
    assert SYMBOLS_MAX == len(titles)
    assert f"Price and fills: {symbols[-1]}" == titles[0]


def test_too_many_fills_draw_the_largest() -> None:
    """At most POINTS_MAX markers a side, in time order."""
    count = POINTS_MAX + 5
    fills = tuple(
        make_fill(0, quantity=Decimal(i + 1), executed_at=START + timedelta(seconds=i))
        for i in range(count)
    )
    marks = traces(make_report(0, fills=fills), PRICES)[-1]
    assert POINTS_MAX == len(marks["x"])
    assert sorted(marks["x"]) == marks["x"]


def test_drawdown_is_a_negative_share_of_the_peak() -> None:
    """100, 75, 200 and an account that starts with nothing."""
    for values, expected in ((("100", "75", "200"), [0.0, -0.25, 0.0]), (("0", "-1"), [0.0, 0.0])):
        curve = tuple(
            CurvePoint(START_NS + i, Decimal(v), Decimal(0)) for i, v in enumerate(values)
        )
        drawdown = traces(make_report(0, equity_curve=curve), "Drawdown")
        assert expected == drawdown[0]["y"]


@given(
    values=st.integers(0, 200).flatmap(
        lambda size: st.lists(st.integers(-1000, 1000), min_size=size, max_size=size)
    ),
    limit=st.integers(min_value=4, max_value=60),
)
def test_downsampling_keeps_ends_extremes_and_order(values: list[int], limit: int) -> None:
    """At most `limit` points; first, last, highest and lowest survive; time does not go back."""
    points = [(i, Decimal(value)) for i, value in enumerate(values)]
    kept = downsample(points, limit)
    assert len(kept) <= max(limit, 0)
    assert kept == sorted(kept)
    assert set(kept) <= set(points)
    if points:
        assert (points[0], points[-1]) == (kept[0], kept[-1])
        assert {min(values), max(values)} <= {int(value) for _, value in kept}
