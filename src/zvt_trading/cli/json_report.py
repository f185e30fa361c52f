"""A run as one JSON object: money as decimal text, counts as numbers, missing values null."""

import json
from dataclasses import asdict
from decimal import Decimal

from zvt_trading.cli.numbers import plain, plain_or_none
from zvt_trading.cli.summary import fee_rows, problems, slippage_rows, totals
from zvt_trading.types import LedgerRow, LotInfo, PortfolioSummary, PositionInfo, RunReport

JsonObject = dict[str, object]


def json_text(report: RunReport) -> str:
    """Return the report as one line of JSON; the keys are those of `json_object`."""
    return json.dumps(json_object(report))


def json_object(report: RunReport) -> JsonObject:
    """Return what a program wants to know about a run.

    `fees`, `realized_pnl`, `unrealized_pnl`, `funding` and `equity` add all portfolios up in
    `base_asset`; they are null when the portfolios' base assets differ (see `portfolios`).
    """
    checks = report.book_checks
    return {
        "title": report.title,
        "strategies": list(report.strategies),
        "seed": report.seed,
        "started_at": report.started_at.isoformat(),
        "ended_at": report.ended_at.isoformat(),
        "orders": len(report.orders),
        "fills": len(report.fills),
        **_texts(asdict(totals(report))),
        "ledger_exact": report.ledger_exact,
        "ledger_problems": list(report.ledger_problems),
        "book_checks": {
            "matched": checks.matched,
            "total": checks.total,
            "undecidable": checks.undecidable,
        },
        "events": report.events,
        "market_messages": report.market_messages,
        "seconds": report.seconds,
        "digest": report.digest,
        "problems": list(problems(report)),
        "refusals": dict(report.refusals),
        "fees_by_venue": [_texts(asdict(row)) for row in fee_rows(report.fills)],
        "slippage_bps": [_texts(asdict(row)) for row in slippage_rows(report.fills)],
        "portfolios": [_portfolio(portfolio) for portfolio in report.portfolios],
        "positions": [_position(position) for position in report.positions],
        "ledger": [_ledger(row) for row in report.ledger],
    }


def _texts(row: JsonObject) -> JsonObject:
    """Turn the decimals of a row into text and leave the rest alone."""
    return {key: plain(v) if isinstance(v, Decimal) else v for key, v in row.items()}


def _portfolio(portfolio: PortfolioSummary) -> JsonObject:
    return {
        "portfolio_id": portfolio.portfolio_id,
        "base_asset": portfolio.base_asset,
        "accounting_method": portfolio.accounting_method.value,
        "trading_state": portfolio.trading_state.value,
        "equity": plain(portfolio.equity),
        "cash": plain(portfolio.cash),
        "realized_pnl": plain(portfolio.realized_pnl),
        "unrealized_pnl": plain(portfolio.unrealized_pnl),
        "fees": plain(portfolio.fees),
        "funding": plain(portfolio.funding),
        "exposure": plain(portfolio.exposure),
        "drawdown": plain(portfolio.drawdown),
        "open_orders": portfolio.open_orders,
        "unvalued_assets": list(portfolio.unvalued_assets),
    }


def _position(position: PositionInfo) -> JsonObject:
    return {
        "portfolio_id": position.portfolio_id,
        "exchange": position.exchange,
        "symbol": position.symbol,
        "quantity": plain(position.quantity),
        "avg_entry_price": plain_or_none(position.avg_entry_price),
        "mark_price": plain_or_none(position.mark_price),
        "market_value": plain(position.market_value),
        "realized_pnl": plain(position.realized_pnl),
        "unrealized_pnl": plain(position.unrealized_pnl),
        "fees": plain(position.fees),
        "funding": plain(position.funding),
        "settle_asset": position.settle_asset,
        "accounting_method": position.accounting_method.value,
        "liquidation_price": plain_or_none(position.liquidation_price),
        "lots": [_lot(lot) for lot in position.lots],
    }


def _lot(lot: LotInfo) -> JsonObject:
    return {
        "quantity": plain(lot.quantity),
        "price": plain(lot.price),
        "cost": plain(lot.cost),
        "opened_at": lot.opened_at.isoformat(),
        "order_id": lot.order_id,
    }


def _ledger(row: LedgerRow) -> JsonObject:
    return {
        "portfolio_id": row.portfolio_id,
        "asset": row.asset,
        "deposits": plain(row.deposits),
        "trading": plain(row.trading),
        "fees": plain(row.fees),
        "funding": plain(row.funding),
        "insurance": plain(row.insurance),
        "adjustments": plain(row.adjustments),
        "balance": plain(row.balance),
        "difference": plain(row.difference),
    }
