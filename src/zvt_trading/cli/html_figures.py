"""The plots of the HTML report, as plotly figures written as plain dictionaries.

Here, and only here, decimals become floats: a pixel needs no more. Colours are names of CSS
variables ("var(--buy)"), which the page resolves for its dark or light scheme.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape

from zvt_trading.cli.numbers import clock, exact, plain, shown, signed
from zvt_trading.types import CurvePoint, FillInfo, OrderSide, PricePoint, RunReport

POINTS_MAX = 5_000
"""Points of one series: more than a screen has pixels, few enough to stay quick on a phone."""

SYMBOLS_MAX = 6
"""Price plots of one report, those with the most fills first."""

MARKER_MIN, MARKER_MAX = 7.0, 20.0
"""Diameter of the smallest and the largest fill, in pixels."""

LINE_COLORS = ("var(--line-1)", "var(--line-2)", "var(--line-3)", "var(--line-4)")

Point = tuple[int, Decimal]
"""A time in nanoseconds and a value."""

Figure = dict[str, object]


def downsample(points: Sequence[Point], limit: int = POINTS_MAX) -> list[Point]:
    """Return at most `limit` points that keep the shape: the extremes of equal slices.

    Both ends are kept, so that the first and the last number shown are true. `limit` >= 4.
    """
    if len(points) <= limit:
        return list(points)
    slices = (limit - 2) // 2
    inner = points[1:-1]
    kept = [points[0]]
    for i in range(slices):
        part = inner[i * len(inner) // slices : (i + 1) * len(inner) // slices]
        extremes = {min(part, key=_value), max(part, key=_value)}
        kept += sorted(extremes)
    return [*kept, points[-1]]


def _value(point: Point) -> Decimal:
    return point[1]


def figures(report: RunReport) -> dict[str, Figure]:
    """Return the plots by title, in the order of the page; those without data are left out."""
    found = dict(price_figures(report.prices, report.fills))
    curve = report.equity_curve
    if curve:
        asset = " / ".join(sorted({p.base_asset for p in report.portfolios}))
        equity = [(point.ts, point.equity) for point in curve]
        exposure = [(point.ts, point.exposure) for point in curve]
        found[f"Equity, {asset}"] = _equity(equity)
        found["Drawdown, % of the highest equity so far"] = _drawdown(curve)
        found[f"Exposure, {asset}"] = _exposure(exposure)
    return found


def price_figures(
    prices: Iterable[PricePoint], fills: Iterable[FillInfo]
) -> Iterator[tuple[str, Figure]]:
    """Yield a plot a symbol: the mid price of every venue, and the fills as triangles.

    An instrument is written "venue:symbol".
    """
    lines: dict[str, dict[str, list[Point]]] = {}
    for point in prices:
        venue, _, symbol = point.instrument.rpartition(":")
        lines.setdefault(symbol, {}).setdefault(venue, []).append((point.ts, point.price))
    marks: dict[str, list[FillInfo]] = {symbol: [] for symbol in lines}
    for fill in fills:
        marks.setdefault(fill.symbol, []).append(fill)
    for symbol in sorted(marks, key=lambda s: (-len(marks[s]), s))[:SYMBOLS_MAX]:
        yield f"Price and fills: {symbol}", _price(lines.get(symbol, {}), marks[symbol])


def _price(lines: dict[str, list[Point]], fills: list[FillInfo]) -> Figure:
    traces = [
        _line(points, venue or "mid", LINE_COLORS[i % len(LINE_COLORS)], width=1.3)
        for i, (venue, points) in enumerate(sorted(lines.items()))
    ]
    largest = max((fill.quantity for fill in fills), default=Decimal(1))
    for side in (OrderSide.BUY, OrderSide.SELL):
        chosen = _most_visible([fill for fill in fills if fill.side is side])
        if chosen:
            traces.append(_markers(chosen, side, largest))
    return {"data": traces, "layout": {"yaxis": {"tickformat": ",~r"}}}


def _most_visible(fills: list[FillInfo]) -> list[FillInfo]:
    """Return the fills to draw, in time order: all, or the largest when they are too many."""
    if len(fills) > POINTS_MAX:
        fills = sorted(fills, key=lambda fill: fill.quantity, reverse=True)[:POINTS_MAX]
    return sorted(fills, key=lambda fill: fill.executed_at)


def _markers(fills: list[FillInfo], side: OrderSide, largest: Decimal) -> Figure:
    """Return the fills of one side as triangles whose area grows with the quantity."""
    buy = side is OrderSide.BUY
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "buy" if buy else "sell",
        "x": [_millis(fill.executed_at) for fill in fills],
        "y": [float(fill.price) for fill in fills],
        "text": [_hover(fill) for fill in fills],
        "hoverinfo": "text",
        "marker": {
            "symbol": "triangle-up" if buy else "triangle-down",
            "color": "var(--buy)" if buy else "var(--sell)",
            "size": [_diameter(fill.quantity, largest) for fill in fills],
            "opacity": 0.85,
            "line": {"width": 1, "color": "var(--card)"},
        },
    }


def _diameter(quantity: Decimal, largest: Decimal) -> float:
    share = math.sqrt(quantity / largest) if largest > 0 else 0.0
    return round(MARKER_MIN + (MARKER_MAX - MARKER_MIN) * share, 1)


def _hover(fill: FillInfo) -> str:
    """Return what a marker says; escaped, because plotly reads tags in it."""
    lines = (
        f"{fill.side.value} {shown(fill.quantity)} {fill.symbol} @ {shown(fill.price)}",
        f"{clock(fill.executed_at)} on {fill.exchange}",
        f"order {fill.order_id}",
        f"fee {plain(fill.fee)} {fill.fee_asset} ({fill.liquidity})",
        f"slippage {signed(fill.slippage_bps, 4)} bps",
    )
    return "<br>".join(escape(line) for line in lines)


def _equity(points: list[Point]) -> Figure:
    line = _line(points, "Equity", "var(--line-1)", width=2.0)
    return {"data": [line], "layout": {"yaxis": {"tickformat": ",~r"}}}


def _exposure(points: list[Point]) -> Figure:
    fill = {"fill": "tozeroy", "fillcolor": "var(--line-2-soft)"}
    area = _line(points, "Exposure", "var(--line-2)", width=1.2) | fill
    return {"data": [area], "layout": {"yaxis": {"tickformat": ",~r"}}}


def _drawdown(curve: Sequence[CurvePoint]) -> Figure:
    """Return the fall from the highest equity so far, as a negative percentage."""
    points: list[Point] = []
    peak = curve[0].equity
    with exact():
        for point in curve:
            peak = max(peak, point.equity)
            fall = (point.equity - peak) / peak if peak > 0 else Decimal(0)
            points.append((point.ts, fall))
    fill = {"fill": "tozeroy", "fillcolor": "var(--sell-soft)"}
    area = _line(points, "Drawdown", "var(--sell)", width=1.2) | fill
    return {"data": [area], "layout": {"yaxis": {"tickformat": ".3~%"}}}


def _line(points: Sequence[Point], name: str, color: str, *, width: float) -> Figure:
    """Return a step line: a sample holds until the next one."""
    kept = downsample(points)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(name),
        "x": [ts // 1_000 / 1_000 for ts, _ in kept],
        "y": [float(value) for _, value in kept],
        "line": {"color": color, "width": width, "shape": "hv"},
    }


def _millis(moment: datetime) -> float:
    return round(moment.timestamp() * 1_000, 3)
