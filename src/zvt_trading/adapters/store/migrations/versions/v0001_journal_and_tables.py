"""The journal, what makes it trustworthy, and the tables that are made from it.

Revision 0001, the first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

from zvt_trading.adapters.store.checks import above_zero, at_most, not_negative, one_of
from zvt_trading.adapters.store.migrations.timescale import make_hypertables
from zvt_trading.adapters.store.types import ExactDecimal, UtcDateTime

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create everything; where TimescaleDB is, the two tables that only grow are its."""
    _crypto_portfolio()
    _engine_lease()
    _engine_snapshot()
    _engine_store()
    _event_journal()
    _crypto_balance()
    _crypto_ledger_entry()
    _crypto_order()
    _crypto_position()
    _crypto_risk_limit()
    _crypto_position_lot()
    _crypto_trade()
    make_hypertables(op.get_bind())


def _crypto_portfolio() -> None:
    op.create_table(
        "crypto_portfolio",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("base_currency", sa.String(32), nullable=False),
        sa.Column("accounting_method", sa.String(32), nullable=False),
        sa.Column("par_assets", sa.JSON(), nullable=False),
        sa.Column("trading_state", sa.String(32), nullable=False),
        sa.Column("cash", ExactDecimal(), nullable=False),
        sa.Column("value", ExactDecimal(), nullable=False),
        sa.Column("peak_value", ExactDecimal(), nullable=False),
        sa.Column("day_start_value", ExactDecimal(), nullable=False),
        sa.Column("trading_day", sa.Date(), nullable=True),
        sa.Column("daily_return", ExactDecimal(), nullable=False),
        sa.Column("total_return", ExactDecimal(), nullable=False),
        sa.Column("drawdown", ExactDecimal(), nullable=False),
        sa.Column("max_drawdown", ExactDecimal(), nullable=False),
        sa.Column("sharpe_ratio", ExactDecimal(), nullable=True),
        sa.Column("return_days", sa.Integer(), nullable=False),
        sa.Column("return_sum", ExactDecimal(), nullable=False),
        sa.Column("return_square_sum", ExactDecimal(), nullable=False),
        sa.Column("return_growth", ExactDecimal(), nullable=False),
        sa.Column("win_rate", ExactDecimal(), nullable=True),
        sa.Column("winning_trades", sa.Integer(), nullable=False),
        sa.Column("losing_trades", sa.Integer(), nullable=False),
        sa.Column("open_orders", sa.Integer(), nullable=False),
        sa.Column("valued_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("last_seq", BIG, nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.UniqueConstraint("name"),
        one_of("accounting_method", ["fifo", "lifo", "hifo", "average"]),
        one_of("trading_state", ["active", "reducing", "halted"]),
        *not_negative("drawdown", "max_drawdown"),
        sa.CheckConstraint("open_orders >= 0", name="open_orders_not_negative"),
    )


def _engine_lease() -> None:
    op.create_table(
        "engine_lease",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("acquired_at", UtcDateTime(), nullable=True),
        sa.Column("renewed_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("id = 1", name="one_row"),
    )


def _engine_snapshot() -> None:
    op.create_table(
        "engine_snapshot",
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        sa.Column("ts", BIG, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("chain", BIG, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("checksum", BIG, nullable=False),
    )


def _engine_store() -> None:
    op.create_table(
        "engine_store",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("engine_tag", sa.Integer(), nullable=False),
        sa.Column("projected_seq", BIG, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
    )


def _event_journal() -> None:
    op.create_table(
        "event_journal",
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        sa.Column("ts", BIG, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("checksum", BIG, nullable=False),
    )


def _crypto_balance() -> None:
    op.create_table(
        "crypto_balance",
        sa.Column(
            "portfolio_id", sa.Uuid(), sa.ForeignKey("crypto_portfolio.id"), primary_key=True
        ),
        sa.Column("venue", sa.String(64), primary_key=True),
        sa.Column("asset", sa.String(32), primary_key=True),
        sa.Column("total", ExactDecimal(), nullable=False),
        sa.Column("reserved", ExactDecimal(), nullable=False),
        sa.Column("margin", ExactDecimal(), nullable=False),
        sa.Column("available", ExactDecimal(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("last_seq", BIG, nullable=False),
        sqlite_with_rowid=False,
    )


def _crypto_ledger_entry() -> None:
    op.create_table(
        "crypto_ledger_entry",
        sa.Column("seq", BIG, primary_key=True),
        sa.Column("line", sa.Integer(), primary_key=True),
        sa.Column("portfolio_id", sa.Uuid(), sa.ForeignKey("crypto_portfolio.id"), nullable=False),
        sa.Column("into_account", sa.Text(), nullable=False),
        sa.Column("out_of_account", sa.Text(), nullable=False),
        sa.Column("asset", sa.String(32), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("booked_at", UtcDateTime(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_crypto_ledger_entry_portfolio_id_asset_seq",
        "crypto_ledger_entry",
        ["portfolio_id", "asset", "seq"],
    )


def _crypto_order() -> None:
    op.create_table("crypto_order", *_crypto_order_columns(), *_crypto_order_constraints())
    op.create_index(
        "ix_crypto_order_client_order_id",
        "crypto_order",
        ["client_order_id"],
        sqlite_where=sa.text("client_order_id IS NOT NULL"),
        postgresql_where=sa.text("client_order_id IS NOT NULL"),
    )
    op.create_index("ix_crypto_order_created_at", "crypto_order", ["created_at"])
    op.create_index(
        "ix_crypto_order_open",
        "crypto_order",
        ["portfolio_id", "created_at"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_crypto_order_parent_order_id",
        "crypto_order",
        ["parent_order_id"],
        sqlite_where=sa.text("parent_order_id IS NOT NULL"),
        postgresql_where=sa.text("parent_order_id IS NOT NULL"),
    )
    op.create_index(
        "ix_crypto_order_portfolio_id_created_at", "crypto_order", ["portfolio_id", "created_at"]
    )
    op.create_index(
        "ix_crypto_order_strategy_id_created_at", "crypto_order", ["strategy_id", "created_at"]
    )
    op.create_index("ix_crypto_order_symbol_created_at", "crypto_order", ["symbol", "created_at"])


def _crypto_order_columns() -> list[SchemaItem]:
    return [
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("client_order_id", sa.String(64), nullable=True),
        sa.Column("exchange_order_id", sa.Text(), nullable=True),
        sa.Column("portfolio_id", sa.Uuid(), sa.ForeignKey("crypto_portfolio.id"), nullable=False),
        sa.Column("strategy_id", sa.String(64), nullable=False),
        sa.Column("parent_order_id", sa.Uuid(), sa.ForeignKey("crypto_order.id"), nullable=True),
        sa.Column("list_id", sa.Uuid(), nullable=True),
        sa.Column("list_type", sa.String(32), nullable=True),
        sa.Column("list_role", sa.String(32), nullable=True),
        sa.Column("venue", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("side", sa.String(32), nullable=False),
        sa.Column("order_type", sa.String(32), nullable=False),
        sa.Column("time_in_force", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("pending_request", sa.String(32), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("is_triggered", sa.Boolean(), nullable=False),
        sa.Column("post_only", sa.Boolean(), nullable=False),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("filled_quantity", ExactDecimal(), nullable=False),
        sa.Column("overfilled_quantity", ExactDecimal(), nullable=False),
        sa.Column("price", ExactDecimal(), nullable=True),
        sa.Column("trigger_price", ExactDecimal(), nullable=True),
        sa.Column("trigger_by", sa.String(32), nullable=False),
        sa.Column("trailing_offset", ExactDecimal(), nullable=True),
        sa.Column("trailing_unit", sa.String(32), nullable=True),
        sa.Column("worst_price", ExactDecimal(), nullable=True),
        sa.Column("avg_fill_price", ExactDecimal(), nullable=True),
        sa.Column("filled_value", ExactDecimal(), nullable=False),
        sa.Column("bid_at_decision", ExactDecimal(), nullable=True),
        sa.Column("ask_at_decision", ExactDecimal(), nullable=True),
        sa.Column("reserved", ExactDecimal(), nullable=False),
        sa.Column("reserved_asset", sa.String(32), nullable=False),
        sa.Column("fee", ExactDecimal(), nullable=True),
        sa.Column("fee_asset", sa.String(32), nullable=True),
        sa.Column("fees", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(64), nullable=True),
        sa.Column("reason_text", sa.Text(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("first_filled_at", UtcDateTime(), nullable=True),
        sa.Column("last_filled_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("created_seq", BIG, nullable=False),
        sa.Column("last_seq", BIG, nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
    ]


def _crypto_order_constraints() -> list[SchemaItem]:
    return [
        one_of("side", ["buy", "sell"]),
        one_of(
            "order_type",
            [
                "market",
                "limit",
                "stop",
                "stop_limit",
                "take_profit",
                "take_profit_limit",
                "trailing_stop",
            ],
        ),
        one_of("time_in_force", ["gtc", "ioc", "fok", "gtd"]),
        one_of(
            "status",
            [
                "pending",
                "submitted",
                "unknown",
                "accepted",
                "partially_filled",
                "filled",
                "cancelled",
                "rejected",
                "expired",
            ],
        ),
        one_of("pending_request", ["none", "cancel", "amend"]),
        one_of("list_type", ["single", "oco", "bracket"]),
        *above_zero("quantity"),
        *not_negative("filled_quantity", "overfilled_quantity", "reserved", "filled_value"),
        *at_most("filled_quantity", "quantity"),
    ]


def _crypto_position() -> None:
    op.create_table(
        "crypto_position",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("portfolio_id", sa.Uuid(), sa.ForeignKey("crypto_portfolio.id"), nullable=False),
        sa.Column("venue", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("instrument_kind", sa.String(32), nullable=False),
        sa.Column("side", sa.String(32), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("avg_entry_price", ExactDecimal(), nullable=True),
        sa.Column("cost", ExactDecimal(), nullable=False),
        sa.Column("settle_asset", sa.String(32), nullable=False),
        sa.Column("realized_pnl", ExactDecimal(), nullable=False),
        sa.Column("fees", ExactDecimal(), nullable=False),
        sa.Column("funding", ExactDecimal(), nullable=False),
        sa.Column("leverage", sa.Integer(), nullable=False),
        sa.Column("margin_mode", sa.String(32), nullable=False),
        sa.Column("margin_used", ExactDecimal(), nullable=False),
        sa.Column("liquidation_price", ExactDecimal(), nullable=True),
        sa.Column("stop_loss_price", ExactDecimal(), nullable=True),
        sa.Column("take_profit_price", ExactDecimal(), nullable=True),
        sa.Column("accounting_method", sa.String(32), nullable=False),
        sa.Column("lot_count", sa.Integer(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("last_seq", BIG, nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.UniqueConstraint("portfolio_id", "venue", "symbol"),
        one_of("instrument_kind", ["spot", "linear", "inverse"]),
        one_of("side", ["long", "short", "flat"]),
        one_of("margin_mode", ["cross", "isolated"]),
        one_of("accounting_method", ["fifo", "lifo", "hifo", "average"]),
        *not_negative("cost", "margin_used"),
        sa.CheckConstraint("leverage >= 1", name="leverage_from_one"),
    )


def _crypto_risk_limit() -> None:
    op.create_table(
        "crypto_risk_limit",
        sa.Column("scope", sa.String(32), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("portfolio_id", sa.Uuid(), sa.ForeignKey("crypto_portfolio.id"), nullable=True),
        sa.Column("value", ExactDecimal(), nullable=False),
        sa.Column("unit", sa.String(32), nullable=False),
        sa.Column("allow_looser", sa.Boolean(), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.Column("set_seq", BIG, nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.UniqueConstraint("id"),
        one_of("scope", ["global", "portfolio", "strategy", "venue", "symbol"]),
        one_of("unit", ["money", "quantity", "bps", "ms", "leverage", "count"]),
        *not_negative("value"),
        sqlite_with_rowid=False,
    )


def _crypto_position_lot() -> None:
    op.create_table(
        "crypto_position_lot",
        sa.Column("position_id", sa.Uuid(), sa.ForeignKey("crypto_position.id"), primary_key=True),
        sa.Column("order_id", sa.Text(), primary_key=True),
        sa.Column("opened_ns", BIG, primary_key=True),
        sa.Column("price", ExactDecimal(), primary_key=True),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("cost", ExactDecimal(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        *above_zero("quantity"),
        *not_negative("cost"),
        sqlite_with_rowid=False,
    )


def _crypto_trade() -> None:
    op.create_table(
        "crypto_trade",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("order_id", sa.Uuid(), sa.ForeignKey("crypto_order.id"), nullable=True),
        sa.Column("portfolio_id", sa.Uuid(), sa.ForeignKey("crypto_portfolio.id"), nullable=False),
        sa.Column("strategy_id", sa.String(64), nullable=False),
        sa.Column("venue", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(64), nullable=False),
        sa.Column("side", sa.String(32), nullable=False),
        sa.Column("trade_id", sa.Text(), nullable=False),
        sa.Column("price", ExactDecimal(), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("value", ExactDecimal(), nullable=False),
        sa.Column("settle_asset", sa.String(32), nullable=False),
        sa.Column("liquidity", sa.String(32), nullable=False),
        sa.Column("fee", ExactDecimal(), nullable=False),
        sa.Column("fee_asset", sa.String(32), nullable=False),
        sa.Column("realized_pnl", ExactDecimal(), nullable=False),
        sa.Column("insurance", ExactDecimal(), nullable=False),
        sa.Column("bid", ExactDecimal(), nullable=True),
        sa.Column("ask", ExactDecimal(), nullable=True),
        sa.Column("executed_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.UniqueConstraint("venue", "account", "symbol", "trade_id", "side"),
        one_of("kind", ["fill", "liquidation"]),
        one_of("side", ["buy", "sell"]),
        one_of("liquidity", ["maker", "taker"]),
        *above_zero("price", "quantity"),
        *not_negative("value", "insurance"),
    )
    op.create_index("ix_crypto_trade_executed_at", "crypto_trade", ["executed_at"])
    op.create_index(
        "ix_crypto_trade_order_id_executed_at", "crypto_trade", ["order_id", "executed_at"]
    )
    op.create_index(
        "ix_crypto_trade_portfolio_id_executed_at", "crypto_trade", ["portfolio_id", "executed_at"]
    )
    op.create_index("ix_crypto_trade_symbol_executed_at", "crypto_trade", ["symbol", "executed_at"])
