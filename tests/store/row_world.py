"""A good row of each table, made by hand, to be made bad one column at a time."""

from typing import Any, Final

from zvt_trading.ports.store import Changes, Row
from zvt_trading.ports.tables import (
    BALANCE,
    COLUMNS,
    EQUITY,
    LEDGER,
    LOT,
    ORDER,
    PORTFOLIO,
    POSITION,
    REFUSAL,
    RISK_LIMIT,
    TRADE,
)

WHEN: Final = "2024-05-06T07:08:09.123456+00:00"
ZERO: Final = "0." + 18 * "0"
ONE: Final = "1." + 18 * "0"
TWO: Final = "2." + 18 * "0"


def some_id(number: int) -> str:
    """A UUID as rows have it."""
    return f"{number:032x}"


PORTFOLIO_ID: Final = some_id(1)
ORDER_ID: Final = some_id(2)
TRADE_ID: Final = some_id(3)
POSITION_ID: Final = some_id(4)

GOOD: Final[dict[str, dict[str, Any]]] = {
    PORTFOLIO: dict(
        id=PORTFOLIO_ID, name="main", base_currency="USDT", accounting_method="fifo",
        par_assets="[]", trading_state="active", cash=ONE, value=ONE, peak_value=ONE,
        day_start_value=ONE, trading_day="2024-05-06", daily_return=ZERO, total_return=ZERO,
        drawdown=ZERO, max_drawdown=ZERO, sharpe_ratio=None, return_days=0, return_sum=ZERO,
        return_square_sum=ZERO, return_growth=ONE, win_rate=None, winning_trades=0,
        losing_trades=0, open_orders=0, valued_at=WHEN, created_at=WHEN, updated_at=WHEN,
        last_seq=1, metadata="{}",
    ),
    ORDER: dict(
        id=ORDER_ID, client_order_id=None, exchange_order_id=None, portfolio_id=PORTFOLIO_ID,
        strategy_id="", parent_order_id=None, list_id=None, list_type=None, list_role=None,
        venue="alpha", account="main", symbol="BTC/USDT", side="buy", order_type="limit",
        time_in_force="gtc", status="accepted", pending_request="none", is_held=False,
        is_triggered=False, post_only=False, reduce_only=False, quantity=TWO,
        filled_quantity=ONE, overfilled_quantity=ZERO, price=ONE, trigger_price=None,
        trigger_by="quote", trailing_offset=None, trailing_unit=None, worst_price=None,
        avg_fill_price=ONE, filled_value=ONE, bid_at_decision=ONE, ask_at_decision=ONE,
        reserved=ONE, reserved_asset="USDT", fee=None, fee_asset=None, fees="{}", reason=None,
        reason_text=None, expires_at=None, created_at=WHEN, submitted_at=WHEN, accepted_at=WHEN,
        first_filled_at=WHEN, last_filled_at=WHEN, closed_at=None, updated_at=WHEN,
        created_seq=1, last_seq=1, metadata="{}",
    ),
    TRADE: dict(
        id=TRADE_ID, seq=1, kind="fill", order_id=ORDER_ID, portfolio_id=PORTFOLIO_ID,
        strategy_id="", venue="alpha", account="main", symbol="BTC/USDT", side="buy",
        trade_id="t1", price=ONE, quantity=ONE, value=ONE, settle_asset="USDT",
        liquidity="maker", fee=ZERO, fee_asset="USDT", realized_pnl=ZERO, insurance=ZERO,
        bid=None, ask=None, executed_at=WHEN, recorded_at=WHEN, metadata="{}",
    ),
    POSITION: dict(
        id=POSITION_ID, portfolio_id=PORTFOLIO_ID, venue="alpha", account="main",
        symbol="BTC/USDT", instrument_kind="spot", side="long", quantity=ONE,
        avg_entry_price=ONE, cost=ONE, settle_asset="USDT", realized_pnl=ZERO, fees=ZERO,
        funding=ZERO, leverage=1, margin_mode="cross", margin_used=ZERO, liquidation_price=None,
        stop_loss_price=None, take_profit_price=None, accounting_method="fifo", lot_count=1,
        opened_at=WHEN, updated_at=WHEN, last_seq=1, metadata="{}",
    ),
    LOT: dict(
        position_id=POSITION_ID, order_id=ORDER_ID, opened_ns=1, price=ONE, quantity=ONE,
        cost=ONE, opened_at=WHEN,
    ),
    BALANCE: dict(
        portfolio_id=PORTFOLIO_ID, venue="alpha", asset="USDT", total=ONE, reserved=ZERO,
        margin=ZERO, available=ONE, updated_at=WHEN, last_seq=1,
    ),
    LEDGER: dict(
        seq=1, line=0, portfolio_id=PORTFOLIO_ID, into_account="main/@alpha",
        out_of_account="main/external", asset="USDT", amount=ONE, kind="external",
        booked_at=WHEN,
    ),
    EQUITY: dict(
        portfolio_id=PORTFOLIO_ID, seq=1, value=ONE, peak_value=ONE, day_start_value=ONE,
        trading_day="2024-05-06", sampled_at=WHEN,
    ),
    RISK_LIMIT: dict(
        scope="global", key="", name="leverage_max", id=some_id(5), portfolio_id=None, value=ONE,
        unit="leverage", allow_looser=False, set_at=WHEN, set_seq=1, metadata="{}",
    ),
    REFUSAL: dict(
        seq=1, kind="order", order_id=ORDER_ID, portfolio="main", strategy="",
        instrument="alpha:BTC/USDT", reason="quantity_lot", limit_value="1", actual_value="2",
        scope="global", scope_key="", text="", request="{}", refused_at=WHEN,
    ),
}  # fmt: skip
"""One row a table, with names: together they are a small store."""


def row(table: str, **changes: Any) -> Row:
    """A table's good row, but for the columns given."""
    fields = {**GOOD[table], **changes}
    assert set(COLUMNS[table]) == set(fields), table
    return tuple(fields[column] for column in COLUMNS[table])


def upserts(*rows: tuple[str, Row]) -> Changes:
    """Changes that write these rows."""
    changes = Changes()
    changes.seq = 1
    for table, one in rows:
        changes.upsert(table, one)
    return changes


def all_good() -> Changes:
    """A row in every table."""
    return upserts(*((table, row(table)) for table in GOOD))
