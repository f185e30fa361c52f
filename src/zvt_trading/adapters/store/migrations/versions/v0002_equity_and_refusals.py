"""A portfolio's value over time, and what was refused: both were in the journal all along.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

from zvt_trading.adapters.store.migrations.refill import refill_tables
from zvt_trading.adapters.store.types import ExactDecimal, UtcDateTime

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Two new tables; the next start fills all of them from the journal."""
    _crypto_refusal()
    _crypto_equity()
    refill_tables(op.get_bind())


def _crypto_refusal() -> None:
    op.create_table(
        "crypto_refusal",
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("portfolio", sa.Text(), nullable=True),
        sa.Column("strategy", sa.Text(), nullable=True),
        sa.Column("instrument", sa.Text(), nullable=True),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("limit_value", sa.Text(), nullable=False),
        sa.Column("actual_value", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("scope_key", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=True),
        sa.Column("refused_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_crypto_refusal_refused_at", "crypto_refusal", ["refused_at"])


def _crypto_equity() -> None:
    op.create_table(
        "crypto_equity",
        sa.Column(
            "portfolio_id", sa.Uuid(), sa.ForeignKey("crypto_portfolio.id"), primary_key=True
        ),
        sa.Column("seq", BIG, primary_key=True),
        sa.Column("value", ExactDecimal(), nullable=False),
        sa.Column("peak_value", ExactDecimal(), nullable=False),
        sa.Column("day_start_value", ExactDecimal(), nullable=False),
        sa.Column("trading_day", sa.Date(), nullable=True),
        sa.Column("sampled_at", UtcDateTime(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_crypto_equity_portfolio_id_sampled_at", "crypto_equity", ["portfolio_id", "sampled_at"]
    )
