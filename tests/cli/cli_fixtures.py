"""Reports made by hand, so that the command line is tried without an engine."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from zvt_trading.cli.runner import DemoOptions, OnProgress, ReplayOptions
from zvt_trading.types import (
    AccountingMethod,
    BookChecks,
    CurvePoint,
    FillInfo,
    LedgerRow,
    LotInfo,
    MarginMode,
    OrderInfo,
    OrderSide,
    OrderStatus,
    OrderType,
    PortfolioSummary,
    PositionInfo,
    PricePoint,
    RunReport,
    TimeInForce,
    TradingState,
)

START = datetime(2024, 8, 8, 12, 0, 0, tzinfo=UTC)
START_NS = 1_723_118_400_000_000_000
SECOND_NS = 1_000_000_000
VENUES = ("binance", "okx", "bybit", "coinbase")
SYMBOL = "BTC/USDT"
DIGEST = "9f2b6c1d" * 8


def make_fill(i: int, **changes: object) -> FillInfo:
    """The i-th fill: sides alternate, venues rotate, a second apart."""
    buy = i % 2 == 0
    price = mid(i) + Decimal("0.50") * (1 if buy else -1)
    quantity = Decimal("0.010") * (1 + i % 7)
    fill = FillInfo(
        order_id=f"o{i + 1}",
        trade_id=f"t{i + 1:06d}",
        portfolio_id="default",
        strategy_id="example",
        exchange=VENUES[i % 4],
        symbol=SYMBOL,
        side=OrderSide.BUY if buy else OrderSide.SELL,
        price=price,
        quantity=quantity,
        liquidity="maker" if i % 3 == 0 else "taker",
        fee=price * quantity * Decimal("0.001"),
        fee_asset="USDT",
        arrival_price=mid(i),
        slippage_bps=Decimal(10000) * Decimal("0.50") / mid(i),
        executed_at=START + timedelta(seconds=i),
    )
    return replace(fill, **changes)


def mid(i: int) -> Decimal:
    """The mid price at second i: a smooth wave round 60,000."""
    wave = 120 * math.sin(i / 37) + 40 * math.sin(i / 5) + i / 8
    return Decimal(60_000) + Decimal(str(round(wave, 2)))


def make_order(i: int, **changes: object) -> OrderInfo:
    """The i-th order, the one the i-th fill belongs to."""
    fill = make_fill(i)
    order = OrderInfo(
        order_id=fill.order_id,
        client_order_id=f"zvt{i:029d}",
        venue_order_id=f"{fill.exchange}-{i}",
        portfolio_id="default",
        strategy_id="example",
        exchange=fill.exchange,
        symbol=SYMBOL,
        side=fill.side,
        order_type=OrderType.LIMIT if i % 3 == 0 else OrderType.MARKET,
        time_in_force=TimeInForce.GTC,
        status=OrderStatus.FILLED,
        quantity=fill.quantity,
        filled_quantity=fill.quantity,
        price=fill.price,
        trigger_price=None,
        avg_fill_price=fill.price,
        post_only=False,
        reduce_only=False,
        parent_order_id="",
        reason="",
        created_at=fill.executed_at,
    )
    return replace(order, **changes)


def make_position(**changes: object) -> PositionInfo:
    """Two FIFO lots on one venue."""
    lots = tuple(
        LotInfo(
            quantity=Decimal("0.25"),
            price=Decimal(59_900) + 50 * k,
            cost=(Decimal(59_900) + 50 * k) * Decimal("0.25"),
            opened_at=START + timedelta(seconds=k),
            order_id=f"o{k + 1}",
        )
        for k in range(2)
    )
    position = PositionInfo(
        portfolio_id="default",
        exchange="binance",
        symbol=SYMBOL,
        quantity=Decimal("0.50"),
        avg_entry_price=Decimal(59925),
        mark_price=Decimal("60010.25"),
        market_value=Decimal("30005.125"),
        realized_pnl=Decimal("12.5"),
        unrealized_pnl=Decimal("42.625"),
        fees=Decimal("29.9625"),
        funding=Decimal(0),
        settle_asset="USDT",
        accounting_method=AccountingMethod.FIFO,
        leverage=1,
        margin_mode=MarginMode.CROSS,
        margin_used=Decimal(0),
        liquidation_price=None,
        lots=lots,
    )
    return replace(position, **changes)


def make_portfolio(**changes: object) -> PortfolioSummary:
    """One portfolio in USDT."""
    portfolio = PortfolioSummary(
        portfolio_id="default",
        base_asset="USDT",
        equity=Decimal("100025.162500000000000001"),
        cash=Decimal("70020.0375"),
        realized_pnl=Decimal("12.5"),
        unrealized_pnl=Decimal("42.625"),
        fees=Decimal("29.962499999999999999"),
        funding=Decimal(0),
        exposure=Decimal("30005.125"),
        daily_pnl=Decimal("25.1625"),
        drawdown=Decimal("0.001"),
        open_orders=0,
        trading_state=TradingState.ACTIVE,
        accounting_method=AccountingMethod.FIFO,
        balances=(),
        positions=(make_position(),),
        unvalued_assets=(),
        updated_at=START,
    )
    return replace(portfolio, **changes)


def make_ledger_row(**changes: object) -> LedgerRow:
    """One asset, proven."""
    row = LedgerRow(
        portfolio_id="default",
        asset="USDT",
        deposits=Decimal(100_000),
        trading=Decimal("-29950.000000000000000001"),
        fees=Decimal("29.962499999999999999"),
        funding=Decimal(0),
        insurance=Decimal(0),
        adjustments=Decimal(0),
        balance=Decimal("70020.0375"),
        difference=Decimal(0),
    )
    return replace(row, **changes)


def make_report(n: int = 40, /, **changes: object) -> RunReport:
    """A proven run of n orders and n fills, one a second, on four venues."""
    curve = tuple(
        CurvePoint(
            START_NS + i * SECOND_NS,
            Decimal(100_000) + (mid(i) - 60_000) / 2,
            Decimal(15_000 + 5_000 * (i % 40 // 10)),
        )
        for i in range(n)
    )
    prices = tuple(
        PricePoint(START_NS + i * SECOND_NS, f"{venue}:{SYMBOL}", mid(i) + Decimal(k) / 2)
        for i in range(n)
        for k, venue in enumerate(VENUES)
    )
    report = RunReport(
        title="Demo: generated market",
        strategies=("example",),
        orders=tuple(make_order(i) for i in range(n)),
        fills=tuple(make_fill(i) for i in range(n)),
        positions=(make_position(),),
        portfolios=(make_portfolio(),),
        ledger=(make_ledger_row(), make_ledger_row(asset="BTC", deposits=Decimal(0))),
        ledger_exact=True,
        ledger_problems=(),
        book_checks=BookChecks(matched=1_000, total=1_000),
        equity_curve=curve,
        prices=prices,
        refusals={"insufficient_balance": 2, "price_collar": 5},
        events=12_345,
        market_messages=67_890,
        seconds=0.5,
        digest=DIGEST,
        seed=7,
        started_at=START,
        ended_at=START + timedelta(seconds=n),
    )
    return replace(report, **changes)


@dataclass
class FakeRunner:
    """Answers every run with the same report (or error) and remembers what it was asked."""

    report: RunReport = field(default_factory=make_report)
    error: Exception | None = None
    asked: list[DemoOptions | ReplayOptions] = field(default_factory=list)

    def demo(self, options: DemoOptions, on_progress: OnProgress) -> RunReport:
        return self._answer(options, on_progress)

    def replay(self, options: ReplayOptions, on_progress: OnProgress) -> RunReport:
        return self._answer(options, on_progress)

    def _answer(self, options: DemoOptions | ReplayOptions, on_progress: OnProgress) -> RunReport:
        self.asked.append(options)
        for done in range(0, 101, 10):
            on_progress(done, 100)
        if self.error is not None:
            raise self.error
        return self.report


def recording(folder: Path) -> Path:
    """A file that exists; its content does not matter to the command line."""
    path = folder / "spot_btcusdt.gz"
    path.write_bytes(b"")
    return path
