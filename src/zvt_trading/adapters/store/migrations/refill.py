"""After a change of what the tables say: they are emptied, and filled again from the journal.

Migrations use this: what it does must never change.
"""

import sqlalchemy as sa

_TABLES = (
    "crypto_trade", "crypto_position_lot", "crypto_position", "crypto_balance",
    "crypto_ledger_entry", "crypto_risk_limit", "crypto_order", "crypto_portfolio",
)  # fmt: skip


def refill_tables(connection: sa.Connection) -> None:
    """The next start, or `zvt-trading db rebuild`, fills them."""
    for table in _TABLES:
        connection.execute(sa.text(f"DELETE FROM {table}"))
    connection.execute(sa.text("UPDATE engine_store SET projected_seq = 0"))
