"""The tables that projections write, column by column; adapters/store/schema.py makes them.

Times are ISO 8601 text in UTC, ids UUIDs, numbers exact decimals, unless a comment says otherwise.
`*_seq` is the number of an event of the journal.
"""

from typing import Final

PORTFOLIO: Final = "crypto_portfolio"
ORDER: Final = "crypto_order"
TRADE: Final = "crypto_trade"
POSITION: Final = "crypto_position"
LOT: Final = "crypto_position_lot"
BALANCE: Final = "crypto_balance"
LEDGER: Final = "crypto_ledger_entry"
EQUITY: Final = "crypto_equity"
RISK_LIMIT: Final = "crypto_risk_limit"
REFUSAL: Final = "crypto_refusal"

KEYS: Final[dict[str, tuple[str, ...]]] = {
    PORTFOLIO: ("id",),
    ORDER: ("id",),
    TRADE: ("id",),
    POSITION: ("id",),
    LOT: ("position_id", "order_id", "opened_ns", "price"),
    BALANCE: ("portfolio_id", "venue", "asset"),
    LEDGER: ("seq", "line"),
    EQUITY: ("portfolio_id", "seq"),
    RISK_LIMIT: ("scope", "key", "name"),
    REFUSAL: ("seq",),
}
"""The tables in an order that foreign keys allow for inserting, each with its key."""

APPEND_ONLY: Final = (TRADE, LEDGER, EQUITY, REFUSAL)
"""Tables whose rows never change once they are there."""

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    PORTFOLIO: (
        "id", "name", "base_currency", "accounting_method", "par_assets", "trading_state", "cash",
        "value", "peak_value", "day_start_value", "trading_day", "daily_return", "total_return",
        "drawdown", "max_drawdown", "sharpe_ratio", "return_days", "return_sum",
        "return_square_sum", "return_growth", "win_rate", "winning_trades", "losing_trades",
        "open_orders", "valued_at", "created_at", "updated_at", "last_seq", "metadata",
    ),
    ORDER: (
        "id", "client_order_id", "exchange_order_id", "portfolio_id", "strategy_id",
        "parent_order_id", "list_id", "list_type", "list_role", "venue", "account", "symbol",
        "side", "order_type", "time_in_force", "status", "pending_request", "is_held",
        "is_triggered", "post_only", "reduce_only", "quantity", "filled_quantity",
        "overfilled_quantity", "price", "trigger_price", "trigger_by", "trailing_offset",
        "trailing_unit", "worst_price", "avg_fill_price", "filled_value", "bid_at_decision",
        "ask_at_decision", "reserved", "reserved_asset", "fee", "fee_asset", "fees", "reason",
        "reason_text", "expires_at", "created_at", "submitted_at", "accepted_at",
        "first_filled_at", "last_filled_at", "closed_at", "updated_at", "created_seq", "last_seq",
        "metadata",
    ),
    TRADE: (
        "id", "seq", "kind", "order_id", "portfolio_id", "strategy_id", "venue", "account",
        "symbol", "side", "trade_id", "price", "quantity", "value", "settle_asset", "liquidity",
        "fee", "fee_asset", "realized_pnl", "insurance", "bid", "ask", "executed_at",
        "recorded_at", "metadata",
    ),
    POSITION: (
        "id", "portfolio_id", "venue", "account", "symbol", "instrument_kind", "side", "quantity",
        "avg_entry_price", "cost", "settle_asset", "realized_pnl", "fees", "funding", "leverage",
        "margin_mode", "margin_used", "liquidation_price", "stop_loss_price", "take_profit_price",
        "accounting_method", "lot_count", "opened_at", "updated_at", "last_seq", "metadata",
    ),
    LOT: ("position_id", "order_id", "opened_ns", "price", "quantity", "cost", "opened_at"),
    BALANCE: (
        "portfolio_id", "venue", "asset", "total", "reserved", "margin", "available",
        "updated_at", "last_seq",
    ),
    LEDGER: (
        "seq", "line", "portfolio_id", "into_account", "out_of_account", "asset", "amount", "kind",
        "booked_at",
    ),
    EQUITY: (
        "portfolio_id", "seq", "value", "peak_value", "day_start_value", "trading_day",
        "sampled_at",
    ),
    RISK_LIMIT: (
        "scope", "key", "name", "id", "portfolio_id", "value", "unit", "allow_looser", "set_at",
        "set_seq", "metadata",
    ),
    REFUSAL: (
        "seq", "kind", "order_id", "portfolio", "strategy", "instrument", "reason", "limit_value",
        "actual_value", "scope", "scope_key", "text", "request", "refused_at",
    ),
}  # fmt: skip
