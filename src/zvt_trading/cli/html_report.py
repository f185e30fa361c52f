"""One self-contained HTML file for a run: main numbers, plots, tables, proof.

Nothing is loaded from elsewhere: plotly.js, style and data are inside the file.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from html import escape
from importlib import import_module
from pathlib import Path
from string import Template

from zvt_trading.cli.html_figures import Figure, figures
from zvt_trading.cli.html_page import PAGE, SCRIPT, STYLE
from zvt_trading.cli.numbers import money, plain, shown, signed, stamp
from zvt_trading.cli.summary import (
    fee_rows,
    max_drawdown,
    mean_slippage_bps,
    problems,
    refusal_rows,
    slippage_rows,
    totals,
)
from zvt_trading.types import FillInfo, PositionInfo, RunReport

COLUMNS_NARROW = 6
"""Tables with more columns get the whole width of the page."""

ALL_PLACES = 60
"""More decimals than any amount has: the proof is shown to the last digit."""

Row = Sequence[str]


def plotly_js() -> str:
    """Return the source of plotly.js; ModuleNotFoundError without the [research] extra."""
    source: str = import_module("plotly.offline").get_plotlyjs()
    return source


def write_report(report: RunReport, path: Path, library: Callable[[], str] = plotly_js) -> None:
    """Write the report of a run to `path`.

    Raises ModuleNotFoundError when plotly is not installed, OSError when `path` cannot be written.
    """
    path.write_text(render(report, library()), encoding="utf-8")


def render(report: RunReport, library: str) -> str:
    """Return the whole page, with `library` (the source of plotly.js) inside."""
    plots = figures(report)
    data = {"figures": list(plots.values()), "fills": [_fill(fill) for fill in report.fills]}
    return Template(PAGE).substitute(
        title=escape(report.title),
        style=STYLE,
        header=_header(report),
        cards=_cards(report),
        plots=_plots(plots),
        tables=_tables(report),
        data=_embedded(data),
        library=library,
        script=SCRIPT,
    )


def _embedded(data: object) -> str:
    """Return JSON that cannot end the script element it stands in."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _header(report: RunReport) -> str:
    strategies = ", ".join(report.strategies) or "no strategy"
    found = problems(report)
    checks = report.book_checks
    badges = [_badge("Not proven", good=False) if found else _badge("Ledger exact", good=True)]
    if checks.total:
        text = f"Book {checks.matched:,} of {checks.total:,} quotes"
        badges.append(_badge(text, good=checks.matched == checks.total))
    notes = "".join(f'<p class="problem">{escape(problem)}</p>' for problem in found)
    period = f"{stamp(report.started_at)} to {stamp(report.ended_at)} UTC"
    return (
        f'<h1>{escape(report.title)}</h1><div class="badges">{"".join(badges)}</div>'
        f"<p>{escape(strategies)} &middot; seed {report.seed} &middot; {period}</p>{notes}"
    )


def _badge(text: str, *, good: bool) -> str:
    return f'<span class="badge {"good" if good else "bad"}">{escape(text)}</span>'


def _cards(report: RunReport) -> str:
    sums = totals(report)
    asset = sums.base_asset or ""
    rate = report.events / report.seconds if report.seconds > 0 else 0.0
    slippage = mean_slippage_bps(report.fills)
    cards = (
        ("Equity", money(sums.equity), asset, ""),
        ("Realised", signed(sums.realized_pnl), asset, _tone(sums.realized_pnl)),
        ("Unrealised", signed(sums.unrealized_pnl), asset, _tone(sums.unrealized_pnl)),
        ("Fees", money(sums.fees), asset, ""),
        ("Slippage", f"{signed(slippage)} bps", "mean of all fills", ""),
        ("Max drawdown", f"{shown(max_drawdown(report) * 100, 3)} %", "of peak", ""),
        ("Orders", f"{len(report.orders):,}", f"{len(report.fills):,} fills", ""),
        ("Events", f"{report.events:,}", f"{rate:,.0f} a second", ""),
    )
    return "".join(
        f'<div class="card"><span>{name}</span><b class="{tone}">{escape(value)}</b>'
        f"<small>{escape(note)}</small></div>"
        for name, value, note, tone in cards
    )


def _tone(value: Decimal | None) -> str:
    return "" if not value else "up" if value > 0 else "down"


def _plots(plots: dict[str, Figure]) -> str:
    return "".join(
        f'<section><h2>{escape(title)}</h2><div class="plot{" tall" if i == 0 else ""}"></div>'
        "</section>"
        for i, title in enumerate(plots)
    )


def _tables(report: RunReport) -> str:
    parts = [
        _pnl(report),
        _positions(report.positions),
        _lots(report.positions),
        _slippage(report),
        _fees(report),
    ]
    if report.refusals:
        rows = [(reason, f"{count:,}") for reason, count in refusal_rows(report.refusals)]
        parts.append(_table("Refusals", "reason|#orders", rows))
    return "".join(parts) + _ledger(report)


def _table(title: str, columns: str, rows: Iterable[Row], note: str = "") -> str:
    """Return a section with a table; `columns` is "name|#name", # marks right-aligned numbers."""
    names = columns.split("|")
    marks = [' class="n"' if name.startswith("#") else "" for name in names]
    head = "".join(
        f"<th{m}>{escape(n.lstrip('#'))}</th>" for n, m in zip(names, marks, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{m}>{escape(cell)}</td>" for cell, m in zip(row, marks, strict=True))
        + "</tr>"
        for row in rows
    )
    wide = ' class="wide"' if len(names) > COLUMNS_NARROW else ""
    body = body or f'<tr><td class="none" colspan="{len(names)}">none</td></tr>'
    note = f'<p class="note">{escape(note)}</p>' if note else ""
    return (
        f'<section{wide}><h2>{escape(title)}</h2>{note}<div class="scroll"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _pnl(report: RunReport) -> str:
    rows = [
        (
            p.portfolio_id,
            p.accounting_method.value,
            signed(p.realized_pnl),
            signed(p.unrealized_pnl),
            money(p.fees),
            signed(p.funding),
            money(p.exposure),
            f"{money(p.equity)} {p.base_asset}",
        )
        for p in report.portfolios
    ]
    columns = "portfolio|lots|#realised|#unrealised|#fees|#funding|#exposure|#equity"
    return _table("Profit and loss", columns, rows)


def _positions(positions: Iterable[PositionInfo]) -> str:
    rows = [
        (
            position.portfolio_id,
            position.exchange,
            position.symbol,
            shown(position.quantity),
            shown(position.avg_entry_price),
            shown(position.mark_price),
            signed(position.realized_pnl),
            signed(position.unrealized_pnl),
            shown(position.liquidation_price),
            position.settle_asset,
        )
        for position in positions
    ]
    columns = (
        "portfolio|venue|symbol|#quantity|#entry|#mark|#realised|#unrealised|#liquidation|asset"
    )
    return _table("Positions", columns, rows)


def _lots(positions: Iterable[PositionInfo]) -> str:
    rows = [
        (
            position.portfolio_id,
            position.exchange,
            position.symbol,
            stamp(lot.opened_at),
            lot.order_id,
            shown(lot.quantity),
            shown(lot.price),
            f"{shown(lot.cost)} {position.settle_asset}",
        )
        for position in positions
        for lot in position.lots
    ]
    columns = "portfolio|venue|symbol|opened (UTC)|order|#quantity|#price|#cost"
    return _table("Open lots", columns, rows)


def _slippage(report: RunReport) -> str:
    rows = [
        (
            row.exchange,
            row.symbol,
            f"{row.fills:,}",
            signed(row.mean),
            signed(row.weighted),
            signed(row.worst),
        )
        for row in slippage_rows(report.fills)
    ]
    note = "Basis points against the mid when the order was decided; a plus is a cost."
    columns = "venue|symbol|#fills|#mean|#by quantity|#worst"
    return _table("Slippage", columns, rows, note)


def _fees(report: RunReport) -> str:
    rows = [
        (row.exchange, row.asset, f"{row.fills:,}", f"{row.maker_fills:,}", shown(row.fee))
        for row in fee_rows(report.fills)
    ]
    return _table("Fees", "venue|asset|#fills|#maker|#fee", rows)


def _ledger(report: RunReport) -> str:
    rows = [
        (
            row.portfolio_id,
            row.asset,
            *(
                shown(amount, ALL_PLACES)
                for amount in (
                    row.deposits,
                    row.trading,
                    row.fees,
                    row.funding,
                    row.insurance,
                    row.adjustments,
                    row.balance,
                )
            ),
            plain(row.difference),
        )
        for row in report.ledger
    ]
    columns = (
        "portfolio|asset|#deposits|#trading|#fees|#funding|#insurance|#adjustments|#balance"
        "|#difference"
    )
    note = f"Every digit; the difference must be 0. Digest of the final state: {report.digest}"
    return _table("Ledger proof", columns, rows, note)


def _fill(fill: FillInfo) -> list[str]:
    """Return a row of the fills table, in the order of the page's header."""
    return [
        stamp(fill.executed_at) + fill.executed_at.strftime(".%f"),
        fill.order_id,
        fill.trade_id,
        fill.portfolio_id,
        fill.exchange,
        fill.symbol,
        fill.side.value,
        plain(fill.quantity),
        plain(fill.price),
        f"{plain(fill.fee)} {fill.fee_asset}",
        fill.liquidity,
        "-" if fill.slippage_bps is None else plain(fill.slippage_bps),
    ]
