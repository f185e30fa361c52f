"""A run as tables in the terminal; readable at 80 columns, without colour and without Unicode.

Cells are `Text`, never markup: ids and messages may contain brackets.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zvt_trading.cli.numbers import clock, money, plain, shown, signed, stamp, total
from zvt_trading.cli.summary import (
    fee_rows,
    problems,
    refusal_rows,
    slippage_rows,
    totals,
)
from zvt_trading.types import FillInfo, LedgerRow, LotInfo, OrderInfo, PositionInfo, RunReport

ROWS_EACH_END = 8
"""Long lists show this many rows of their beginning and of their end."""

WIDE_COLUMNS = 110
"""Terminals at least this wide show the columns marked `wide` too."""

STYLES = {
    "buy": "green",
    "sell": "red",
    "rejected": "red",
    "unknown": "yellow",
    "ok": "green",
    "warn": "yellow",
    "fail": "red",
}

Row = Sequence[str]
View = tuple[str, Table]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `right` aligns numbers, `wide` columns are dropped in narrow terminals."""

    title: str
    right: bool = False
    wide: bool = False


def print_report(report: RunReport, console: Console) -> None:
    """Print every table of a run, then its proof and digest."""
    wide = console.width >= WIDE_COLUMNS
    console.print()
    console.print(Text(report.title, style="bold"))
    console.print(Text(_subtitle(report), style="dim"))
    for title, table in _tables(report, wide=wide):
        console.print(Text(f"\n{title}", style="bold"))
        console.print(table)
    _print_proof(report, console)


def print_strategies(rows: Sequence[Row], console: Console) -> None:
    """Print what `--strategy` accepts by name: name, class and what it does."""
    columns = (Column("name"), Column("class"), Column("what it does"))
    console.print(_table(columns, rows, wide=True))


def print_rows(rows: Sequence[Mapping[str, object]], console: Console) -> None:
    """Print rows that all have the same keys, at least one; the keys are the titles."""
    columns = [Column(name.replace("_", " ")) for name in rows[0]]
    console.print(_table(columns, [_texts(row) for row in rows], wide=True))


def _texts(row: Mapping[str, object]) -> Row:
    """Cells; what is true or false reads as yes or no."""
    return [
        ("no", "yes")[value] if isinstance(value, bool) else str(value) for value in row.values()
    ]


def _subtitle(report: RunReport) -> str:
    strategies = ", ".join(report.strategies) or "no strategy"
    start, end = stamp(report.started_at), stamp(report.ended_at)
    return f"{strategies} | seed {report.seed} | {start} to {end} UTC"


def _tables(report: RunReport, *, wide: bool) -> Iterator[View]:
    yield _orders(report.orders, wide=wide)
    yield _fills(report.fills, wide=wide)
    yield _fees(report)
    yield _slippage(report)
    yield _positions(report.positions, wide=wide)
    yield _lots(report.positions, wide=wide)
    yield _pnl(report)
    if report.refusals:
        yield _refusals(report)
    yield _ledger(report.ledger)


def _table(columns: Sequence[Column], rows: Sequence[Row], *, wide: bool) -> Table:
    """Return a table whose cells fold when room is short: a digit is never cut off."""
    kept = [i for i, column in enumerate(columns) if wide or not column.wide]
    gap = 1 if wide else 0
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap))
    for i in kept:
        table.add_column(
            Text(columns[i].title),
            justify="right" if columns[i].right else "left",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(row[i], style=STYLES.get(row[i], "")) for i in kept))
    return table


def _bounded(name: str, items: Sequence[Item], row: Callable[[Item], Row]) -> tuple[str, list[Row]]:
    """Return the title with the count, and the rows of both ends round a row of dots."""
    hidden = len(items) - 2 * ROWS_EACH_END
    if hidden <= 0:
        return f"{name} ({len(items):,})", [row(item) for item in items]
    first = [row(item) for item in items[:ROWS_EACH_END]]
    last = [row(item) for item in items[-ROWS_EACH_END:]]
    title = f"{name} ({len(items):,}: first and last {ROWS_EACH_END}, {hidden:,} not shown)"
    return title, [*first, ["..."] * len(first[0]), *last]


def _orders(orders: Sequence[OrderInfo], *, wide: bool) -> View:
    columns = (
        Column("time", wide=True),
        Column("order"),
        Column("venue"),
        Column("symbol"),
        Column("side"),
        Column("type"),
        Column("filled", right=True),
        Column("quantity", right=True),
        Column("avg price", right=True),
        Column("status"),
        Column("reason", wide=True),
    )
    title, rows = _bounded("Orders", orders, _order_row)
    return title, _table(columns, rows, wide=wide)


def _order_row(order: OrderInfo) -> Row:
    return (
        clock(order.created_at),
        order.order_id,
        order.exchange or "-",
        order.symbol,
        order.side.value,
        order.order_type.value,
        shown(order.filled_quantity),
        shown(order.quantity),
        shown(order.avg_fill_price),
        order.status.value,
        order.reason,
    )


def _fills(fills: Sequence[FillInfo], *, wide: bool) -> View:
    columns = (
        Column("time", wide=True),
        Column("order"),
        Column("venue"),
        Column("symbol"),
        Column("side"),
        Column("quantity", right=True),
        Column("price", right=True),
        Column("fee", right=True),
        Column("asset"),
        Column("liquidity", wide=True),
        Column("bps", right=True),
    )
    title, rows = _bounded("Fills", fills, _fill_row)
    return title, _table(columns, rows, wide=wide)


def _fill_row(fill: FillInfo) -> Row:
    return (
        clock(fill.executed_at),
        fill.order_id,
        fill.exchange,
        fill.symbol,
        fill.side.value,
        shown(fill.quantity),
        shown(fill.price),
        shown(fill.fee, 6),
        fill.fee_asset,
        fill.liquidity,
        signed(fill.slippage_bps),
    )


def _fees(report: RunReport) -> View:
    columns = (
        Column("venue"),
        Column("asset"),
        Column("fills", right=True),
        Column("maker", right=True),
        Column("fee", right=True),
    )
    rows = [
        (row.exchange, row.asset, f"{row.fills:,}", f"{row.maker_fills:,}", shown(row.fee))
        for row in fee_rows(report.fills)
    ]
    return "Fees by venue and asset", _table(columns, rows, wide=True)


def _slippage(report: RunReport) -> View:
    columns = (
        Column("venue"),
        Column("symbol"),
        Column("fills", right=True),
        Column("mean", right=True),
        Column("weighted", right=True),
        Column("worst", right=True),
    )
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
    title = "Slippage against arrival price (bps; + is a cost; weighted by quantity)"
    return title, _table(columns, rows, wide=True)


def _positions(positions: Sequence[PositionInfo], *, wide: bool) -> View:
    columns = (
        Column("portfolio", wide=True),
        Column("venue"),
        Column("symbol"),
        Column("quantity", right=True),
        Column("entry", right=True),
        Column("mark", right=True),
        Column("realised", right=True),
        Column("unrealised", right=True),
        Column("asset"),
    )
    title, rows = _bounded("Positions", positions, _position_row)
    return title, _table(columns, rows, wide=wide)


def _position_row(position: PositionInfo) -> Row:
    return (
        position.portfolio_id,
        position.exchange,
        position.symbol,
        shown(position.quantity),
        shown(position.avg_entry_price, 4),
        shown(position.mark_price, 4),
        signed(position.realized_pnl),
        signed(position.unrealized_pnl),
        position.settle_asset,
    )


def _lots(positions: Sequence[PositionInfo], *, wide: bool) -> View:
    columns = (
        Column("portfolio", wide=True),
        Column("venue"),
        Column("symbol"),
        Column("method"),
        Column("opened (UTC)"),
        Column("order"),
        Column("quantity", right=True),
        Column("price", right=True),
    )
    lots = [(position, lot) for position in positions for lot in position.lots]
    title, rows = _bounded("Open lots", lots, _lot_row)
    return title, _table(columns, rows, wide=wide)


def _lot_row(item: tuple[PositionInfo, LotInfo]) -> Row:
    position, lot = item
    return (
        position.portfolio_id,
        position.exchange,
        position.symbol,
        position.accounting_method.value,
        clock(lot.opened_at),
        lot.order_id,
        shown(lot.quantity),
        shown(lot.price),
    )


def _pnl(report: RunReport) -> View:
    columns = (
        Column("portfolio"),
        Column("asset"),
        Column("realised", right=True),
        Column("unrealised", right=True),
        Column("fees", right=True),
        Column("funding", right=True),
        Column("equity", right=True),
    )
    rows: list[Row] = [
        (
            p.portfolio_id,
            p.base_asset,
            signed(p.realized_pnl),
            signed(p.unrealized_pnl),
            money(p.fees),
            signed(p.funding),
            money(p.equity),
        )
        for p in report.portfolios
    ]
    sums = totals(report)
    if len(rows) > 1 and sums.base_asset is not None:
        rows.append(
            (
                "all",
                sums.base_asset,
                signed(sums.realized_pnl),
                signed(sums.unrealized_pnl),
                money(sums.fees),
                signed(sums.funding),
                money(sums.equity),
            )
        )
    return "Profit and loss by portfolio", _table(columns, rows, wide=True)


def _refusals(report: RunReport) -> View:
    columns = (Column("reason"), Column("orders", right=True))
    rows = [(reason, f"{count:,}") for reason, count in refusal_rows(report.refusals)]
    return "Refusals by reason", _table(columns, rows, wide=True)


def _ledger(ledger: Sequence[LedgerRow]) -> View:
    """Show the proof; amounts to 4 decimals, the difference (which must be 0) with all digits."""
    columns = (
        Column("portfolio", wide=len({row.portfolio_id for row in ledger}) < 2),
        Column("asset"),
        Column("deposits", right=True),
        Column("trading", right=True),
        Column("fees", right=True),
        Column("funding", right=True, wide=not any(row.funding for row in ledger)),
        Column("other", right=True, wide=not any(_other(row) for row in ledger)),
        Column("balance", right=True),
        Column("difference", right=True),
    )
    rows = [_ledger_row(row) for row in ledger]
    title = "Ledger proof (deposits + trading - fees + funding + other = balance)"
    return title, _table(columns, rows, wide=False)


def _ledger_row(row: LedgerRow) -> Row:
    return (
        row.portfolio_id,
        row.asset,
        shown(row.deposits, 4),
        shown(row.trading, 4),
        shown(row.fees, 4),
        shown(row.funding, 4),
        shown(_other(row), 4),
        shown(row.balance, 4),
        plain(row.difference),
    )


def _other(row: LedgerRow) -> Decimal:
    return total((row.insurance, row.adjustments))


def _print_proof(report: RunReport, console: Console) -> None:
    """Print one line a proof, the problems if any, and the digest."""
    found = problems(report)
    checks = report.book_checks
    console.print()
    for problem in found:
        console.print(Text(f"PROBLEM  {problem}", style="bold red"))
    if not found:
        console.print(Text("Ledger   exact to the last unit", style="green"))
    if checks.total:
        unclear = f", {checks.undecidable:,} undecidable" if checks.undecidable else ""
        console.print(f"Book     {checks.matched:,} of {checks.total:,} quotes matched{unclear}")
    rate = f" ({report.events / report.seconds:,.0f}/s)" if report.seconds > 0 else ""
    console.print(
        f"Run      {report.events:,} events{rate}, {report.market_messages:,} market messages, "
        f"{report.seconds:.2f} s",
        highlight=False,
    )
    console.print(Text(f"Digest   {report.digest}"), soft_wrap=True)
