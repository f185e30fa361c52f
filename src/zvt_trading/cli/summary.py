"""What a run comes to: the aggregates that the tables, the JSON and the HTML report share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from zvt_trading.cli.numbers import exact, rounded, total
from zvt_trading.types import FillInfo, RunReport

BASIS_POINT_PLACES = 4
"""Slippage is reported to a ten-thousandth of a basis point."""


@dataclass(frozen=True, slots=True)
class Totals:
    """All portfolios together, in `base_asset`; None where their base assets differ."""

    base_asset: str | None
    equity: Decimal | None
    realized_pnl: Decimal | None
    unrealized_pnl: Decimal | None
    fees: Decimal | None
    funding: Decimal | None


@dataclass(frozen=True, slots=True)
class FeeRow:
    """Fees paid on one venue in one asset (negative: a rebate earned), and volume in fills."""

    exchange: str
    asset: str
    fills: int
    maker_fills: int
    fee: Decimal


@dataclass(frozen=True, slots=True)
class SlippageRow:
    """Basis points lost against the mid at the order's decision; positive is a cost."""

    exchange: str
    symbol: str
    fills: int
    mean: Decimal
    weighted: Decimal
    worst: Decimal


def totals(report: RunReport) -> Totals:
    """Add the portfolios up; amounts of different base assets are never added."""
    portfolios = report.portfolios
    assets = {portfolio.base_asset: None for portfolio in portfolios}
    if len(assets) != 1:
        return Totals(None, None, None, None, None, None)
    return Totals(
        base_asset=next(iter(assets)),
        equity=total(p.equity for p in portfolios),
        realized_pnl=total(p.realized_pnl for p in portfolios),
        unrealized_pnl=total(p.unrealized_pnl for p in portfolios),
        fees=total(p.fees for p in portfolios),
        funding=total(p.funding for p in portfolios),
    )


def fee_rows(fills: Iterable[FillInfo]) -> tuple[FeeRow, ...]:
    """Return the fees by venue and asset, in alphabetical order."""
    groups: dict[tuple[str, str], list[FillInfo]] = {}
    for fill in fills:
        groups.setdefault((fill.exchange, fill.fee_asset), []).append(fill)
    return tuple(
        FeeRow(
            exchange=exchange,
            asset=asset,
            fills=len(group),
            maker_fills=sum(fill.liquidity == "maker" for fill in group),
            fee=total(fill.fee for fill in group),
        )
        for (exchange, asset), group in sorted(groups.items())
    )


def slippage_rows(fills: Iterable[FillInfo]) -> tuple[SlippageRow, ...]:
    """Return slippage by venue and symbol; fills without an arrival price are left out.

    By symbol too, because quantities of different assets cannot weigh against each other.
    """
    groups: dict[tuple[str, str], list[tuple[Decimal, Decimal]]] = {}
    for fill in fills:
        if fill.slippage_bps is not None:
            pair = (fill.slippage_bps, fill.quantity)
            groups.setdefault((fill.exchange, fill.symbol), []).append(pair)
    return tuple(_slippage_row(*key, group) for key, group in sorted(groups.items()))


def _slippage_row(exchange: str, symbol: str, group: list[tuple[Decimal, Decimal]]) -> SlippageRow:
    quantity = total(weight for _, weight in group)
    with exact():
        mean = total(bps for bps, _ in group) / len(group)
        weighted = total(bps * weight for bps, weight in group) / quantity
    return SlippageRow(
        exchange=exchange,
        symbol=symbol,
        fills=len(group),
        mean=rounded(mean, BASIS_POINT_PLACES),
        weighted=rounded(weighted, BASIS_POINT_PLACES),
        worst=rounded(max(bps for bps, _ in group), BASIS_POINT_PLACES),
    )


def mean_slippage_bps(fills: Iterable[FillInfo]) -> Decimal | None:
    """Return the mean over all fills, each counted once; None when no fill has a slippage."""
    known = [fill.slippage_bps for fill in fills if fill.slippage_bps is not None]
    with exact():
        return rounded(total(known) / len(known), BASIS_POINT_PLACES) if known else None


def refusal_rows(refusals: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Return the refusals by reason, the most frequent first."""
    return tuple(sorted(refusals.items(), key=lambda item: (-item[1], item[0])))


def max_drawdown(report: RunReport) -> Decimal:
    """Return the deepest fall of equity from its peak so far, as a fraction of that peak."""
    peak = deepest = Decimal(0)
    with exact():
        for point in report.equity_curve:
            peak = max(peak, point.equity)
            if peak > 0:
                deepest = max(deepest, (peak - point.equity) / peak)
    return deepest


def problems(report: RunReport) -> tuple[str, ...]:
    """Return what makes this run a failure (exit code 1); empty for a proven run."""
    found = list(report.ledger_problems)
    found += [
        f"ledger: {row.portfolio_id} {row.asset} differs by {row.difference}"
        for row in report.ledger
        if row.difference
    ]
    if not report.ledger_exact and not found:
        found.append("ledger: not exact")
    checks = report.book_checks
    if checks.matched != checks.total:
        found.append(
            f"book: {checks.total - checks.matched} of {checks.total} recorded quotes "
            "differ from the rebuilt book"
        )
    return tuple(found)
