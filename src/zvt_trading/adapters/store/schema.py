"""The data model: the journal, what makes it trustworthy, and the tables that are made from it.

The journal is the truth. The `crypto_*` tables are written from it by runtime/projections, and can
be made anew from it (`zvt-trading db rebuild`); nothing else writes them. See docs/data-model.md.
"""

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from zvt_trading.adapters.store.checks import above_zero, at_most, not_negative, one_of
from zvt_trading.adapters.store.types import ExactDecimal, UtcDateTime
from zvt_trading.types import (
    AccountingMethod,
    MarginMode,
    OrderSide,
    OrderStatus,
    OrderType,
    Scope,
    TimeInForce,
    TradingState,
)

NAME = 64
ASSET = 32
SYMBOL = 64
CODE = 32

NO_ROWID = {"sqlite_with_rowid": False}
"""Rows that are found by their key alone need no second tree on SQLite."""

Json = JSON()  # not JSONB: a text with a NUL in it, which JSONB refuses, must not stop an engine
Big = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """All tables; constraints are named, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy, not shared state
        Decimal: ExactDecimal(),
        datetime: UtcDateTime(),
        uuid.UUID: Uuid(),
        dict[str, Any]: Json,
        list[str]: Json,
    }


SIDES = [side.value for side in OrderSide]
STATUSES = [status.value for status in OrderStatus]
KINDS = ["spot", "linear", "inverse"]


# The engine's own: what it knows, and who may write.


class EngineStore(Base):
    """One row: what this store is, and how far its tables are."""

    __tablename__ = "engine_store"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    store_id: Mapped[uuid.UUID]
    engine_tag: Mapped[int] = mapped_column(Integer)  # in the ids of its orders
    projected_seq: Mapped[int] = mapped_column(Big)  # the tables are as of this event
    created_at: Mapped[datetime]


class EngineLease(Base):
    """One row: the engine that may write. `epoch` is higher with each engine."""

    __tablename__ = "engine_lease"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(Integer)
    owner: Mapped[str] = mapped_column(String(255))
    acquired_at: Mapped[datetime | None]
    renewed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class EventJournal(Base):
    """Append-only: one event an entry, numbered without a gap, each chained to the one before."""

    __tablename__ = "event_journal"

    seq: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    ts: Mapped[int] = mapped_column(Big)  # nanoseconds UTC, exactly as the core had it
    epoch: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(NAME))
    version: Mapped[int] = mapped_column(Integer)  # of the body's form, see messages/codec.py
    body: Mapped[str] = mapped_column(Text)  # JSON
    checksum: Mapped[int] = mapped_column(Big)


class EngineSnapshot(Base):
    """The whole state after an event, so that a start need not replay everything."""

    __tablename__ = "engine_snapshot"

    seq: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    ts: Mapped[int] = mapped_column(Big)
    epoch: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(Integer)
    digest: Mapped[str] = mapped_column(String(32))
    chain: Mapped[int] = mapped_column(Big)  # checksum of the journal's entry `seq`
    body: Mapped[bytes] = mapped_column(LargeBinary)
    checksum: Mapped[int] = mapped_column(Big)


# Made from the journal.


class CryptoPortfolio(Base):
    """A pot of money; values are of the last equity sample, in the base currency."""

    __tablename__ = "crypto_portfolio"
    __table_args__ = (
        UniqueConstraint("name"),
        one_of("accounting_method", [method.value for method in AccountingMethod]),
        one_of("trading_state", [state.value for state in TradingState]),
        *not_negative("drawdown", "max_drawdown"),
        CheckConstraint("open_orders >= 0", name="open_orders_not_negative"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME))
    base_currency: Mapped[str] = mapped_column(String(ASSET))
    accounting_method: Mapped[str] = mapped_column(String(CODE))
    par_assets: Mapped[list[str]]
    trading_state: Mapped[str] = mapped_column(String(CODE))
    cash: Mapped[Decimal]  # base currency and its pars, one for one
    value: Mapped[Decimal]
    peak_value: Mapped[Decimal]
    day_start_value: Mapped[Decimal]
    trading_day: Mapped[date | None] = mapped_column(Date)
    daily_return: Mapped[Decimal]
    total_return: Mapped[Decimal]
    drawdown: Mapped[Decimal]  # part of the peak
    max_drawdown: Mapped[Decimal]
    sharpe_ratio: Mapped[Decimal | None]
    return_days: Mapped[int] = mapped_column(Integer)
    return_sum: Mapped[Decimal]
    return_square_sum: Mapped[Decimal]
    return_growth: Mapped[Decimal]
    win_rate: Mapped[Decimal | None]
    winning_trades: Mapped[int] = mapped_column(Integer)
    losing_trades: Mapped[int] = mapped_column(Integer)
    open_orders: Mapped[int] = mapped_column(Integer)
    valued_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_seq: Mapped[int] = mapped_column(Big)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")


class CryptoOrder(Base):
    """An order from its intent to its end; `id` is also its client order id at the venue.

    The caller's own id may come again, long after the order that had it (CLIENT_TAGS_KEPT in
    core/limits.py), so it is no key.
    """

    __tablename__ = "crypto_order"
    __table_args__ = (
        one_of("side", SIDES),
        one_of("order_type", [kind.value for kind in OrderType]),
        one_of("time_in_force", [tif.value for tif in TimeInForce]),
        one_of("status", STATUSES),
        one_of("pending_request", ["none", "cancel", "amend"]),
        one_of("list_type", ["single", "oco", "bracket"]),
        *above_zero("quantity"),
        *not_negative("filled_quantity", "overfilled_quantity", "reserved", "filled_value"),
        *at_most("filled_quantity", "quantity"),
        Index(
            "ix_crypto_order_open",
            "portfolio_id",
            "created_at",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(None, "portfolio_id", "created_at"),
        Index(None, "strategy_id", "created_at"),
        Index(None, "symbol", "created_at"),
        Index(None, "created_at"),
        Index(
            None,
            "client_order_id",
            sqlite_where=text("client_order_id IS NOT NULL"),
            postgresql_where=text("client_order_id IS NOT NULL"),
        ),
        Index(
            None,
            "parent_order_id",
            sqlite_where=text("parent_order_id IS NOT NULL"),
            postgresql_where=text("parent_order_id IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    client_order_id: Mapped[str | None] = mapped_column(String(NAME))  # the caller's own
    exchange_order_id: Mapped[str | None] = mapped_column(Text)
    portfolio_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("crypto_portfolio.id"))
    strategy_id: Mapped[str] = mapped_column(String(NAME))
    parent_order_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("crypto_order.id"))
    list_id: Mapped[uuid.UUID | None]
    list_type: Mapped[str | None] = mapped_column(String(CODE))
    list_role: Mapped[str | None] = mapped_column(String(CODE))
    venue: Mapped[str] = mapped_column(String(NAME))
    account: Mapped[str] = mapped_column(String(NAME))
    symbol: Mapped[str] = mapped_column(String(SYMBOL))
    side: Mapped[str] = mapped_column(String(CODE))
    order_type: Mapped[str] = mapped_column(String(CODE))
    time_in_force: Mapped[str] = mapped_column(String(CODE))
    status: Mapped[str] = mapped_column(String(CODE))
    pending_request: Mapped[str] = mapped_column(String(CODE))
    is_held: Mapped[bool]
    is_triggered: Mapped[bool]
    post_only: Mapped[bool]
    reduce_only: Mapped[bool]
    quantity: Mapped[Decimal]
    filled_quantity: Mapped[Decimal]
    overfilled_quantity: Mapped[Decimal]  # what the venue executed beyond the quantity
    price: Mapped[Decimal | None]
    trigger_price: Mapped[Decimal | None]
    trigger_by: Mapped[str] = mapped_column(String(CODE))
    trailing_offset: Mapped[Decimal | None]
    trailing_unit: Mapped[str | None] = mapped_column(String(CODE))
    worst_price: Mapped[Decimal | None]
    avg_fill_price: Mapped[Decimal | None]
    filled_value: Mapped[Decimal]  # sum of price x quantity of its fills
    bid_at_decision: Mapped[Decimal | None]
    ask_at_decision: Mapped[Decimal | None]
    reserved: Mapped[Decimal]
    reserved_asset: Mapped[str] = mapped_column(String(ASSET))
    fee: Mapped[Decimal | None]  # in `fee_asset`; of several assets, `fees` has all
    fee_asset: Mapped[str | None] = mapped_column(String(ASSET))
    fees: Mapped[dict[str, Any]]
    reason: Mapped[str | None] = mapped_column(String(NAME))
    reason_text: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    first_filled_at: Mapped[datetime | None]
    last_filled_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
    created_seq: Mapped[int] = mapped_column(Big)
    last_seq: Mapped[int] = mapped_column(Big)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")


class CryptoTrade(Base):
    """An execution, or a liquidation (which has no order); `bid` and `ask` as we saw them then.

    Two orders of ours that meet are one trade id with a buy and a sell, hence the side in the key.
    """

    __tablename__ = "crypto_trade"
    __table_args__ = (
        UniqueConstraint("venue", "account", "symbol", "trade_id", "side"),
        one_of("kind", ["fill", "liquidation"]),
        one_of("side", SIDES),
        one_of("liquidity", ["maker", "taker"]),
        *above_zero("price", "quantity"),
        *not_negative("value", "insurance"),
        Index(None, "order_id", "executed_at"),
        Index(None, "portfolio_id", "executed_at"),
        Index(None, "symbol", "executed_at"),
        Index(None, "executed_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Big)
    kind: Mapped[str] = mapped_column(String(CODE))
    order_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("crypto_order.id"))
    portfolio_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("crypto_portfolio.id"))
    strategy_id: Mapped[str] = mapped_column(String(NAME))
    venue: Mapped[str] = mapped_column(String(NAME))
    account: Mapped[str] = mapped_column(String(NAME))
    symbol: Mapped[str] = mapped_column(String(SYMBOL))
    side: Mapped[str] = mapped_column(String(CODE))
    trade_id: Mapped[str] = mapped_column(Text)
    price: Mapped[Decimal]
    quantity: Mapped[Decimal]
    value: Mapped[Decimal]  # notional, settle asset
    settle_asset: Mapped[str] = mapped_column(String(ASSET))
    liquidity: Mapped[str] = mapped_column(String(CODE))
    fee: Mapped[Decimal]  # > 0 is paid by us
    fee_asset: Mapped[str] = mapped_column(String(ASSET))
    realized_pnl: Mapped[Decimal]  # settle asset, before fees
    insurance: Mapped[Decimal]
    bid: Mapped[Decimal | None]
    ask: Mapped[Decimal | None]
    executed_at: Mapped[datetime]  # the venue's time
    recorded_at: Mapped[datetime]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")


class CryptoPosition(Base):
    """A portfolio in one instrument, flat ones too; its open lots are in crypto_position_lot."""

    __tablename__ = "crypto_position"
    __table_args__ = (
        UniqueConstraint("portfolio_id", "venue", "symbol"),
        one_of("instrument_kind", KINDS),
        one_of("side", ["long", "short", "flat"]),
        one_of("margin_mode", [mode.value for mode in MarginMode]),
        one_of("accounting_method", [method.value for method in AccountingMethod]),
        *not_negative("cost", "margin_used"),
        CheckConstraint("leverage >= 1", name="leverage_from_one"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    portfolio_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("crypto_portfolio.id"))
    venue: Mapped[str] = mapped_column(String(NAME))
    account: Mapped[str] = mapped_column(String(NAME))
    symbol: Mapped[str] = mapped_column(String(SYMBOL))
    instrument_kind: Mapped[str] = mapped_column(String(CODE))
    side: Mapped[str] = mapped_column(String(CODE))
    quantity: Mapped[Decimal]  # signed: a short is negative
    avg_entry_price: Mapped[Decimal | None]
    cost: Mapped[Decimal]  # of the open lots, settle asset
    settle_asset: Mapped[str] = mapped_column(String(ASSET))
    realized_pnl: Mapped[Decimal]
    fees: Mapped[Decimal]
    funding: Mapped[Decimal]
    leverage: Mapped[int] = mapped_column(Integer)
    margin_mode: Mapped[str] = mapped_column(String(CODE))
    margin_used: Mapped[Decimal]
    liquidation_price: Mapped[Decimal | None]  # isolated only: for cross it moves with the market
    stop_loss_price: Mapped[Decimal | None]  # of the nearest working order that would end it
    take_profit_price: Mapped[Decimal | None]
    accounting_method: Mapped[str] = mapped_column(String(CODE))
    lot_count: Mapped[int] = mapped_column(Integer)
    opened_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
    last_seq: Mapped[int] = mapped_column(Big)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")


class CryptoPositionLot(Base):
    """What is left of what an order opened at one moment and price."""

    __tablename__ = "crypto_position_lot"
    __table_args__ = (*above_zero("quantity"), *not_negative("cost"), NO_ROWID)

    position_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("crypto_position.id"), primary_key=True
    )
    order_id: Mapped[str] = mapped_column(Text, primary_key=True)  # or the liquidation's trade id
    opened_ns: Mapped[int] = mapped_column(Big, primary_key=True)
    price: Mapped[Decimal] = mapped_column(primary_key=True)
    quantity: Mapped[Decimal]
    cost: Mapped[Decimal]
    opened_at: Mapped[datetime]


class CryptoBalance(Base):
    """Cash of one asset on one venue: total = reserved + margin + available."""

    __tablename__ = "crypto_balance"
    __table_args__ = (NO_ROWID,)

    portfolio_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("crypto_portfolio.id"), primary_key=True
    )
    venue: Mapped[str] = mapped_column(String(NAME), primary_key=True)
    asset: Mapped[str] = mapped_column(String(ASSET), primary_key=True)
    total: Mapped[Decimal]
    reserved: Mapped[Decimal]
    margin: Mapped[Decimal]
    available: Mapped[Decimal]
    updated_at: Mapped[datetime]
    last_seq: Mapped[int] = mapped_column(Big)


class CryptoLedgerEntry(Base):
    """One movement of money, from one account into another; double entry in one row.

    Accounts are "portfolio/@venue" for cash, else "portfolio/" and why it came or went.
    """

    __tablename__ = "crypto_ledger_entry"
    __table_args__ = (Index(None, "portfolio_id", "asset", "seq"), NO_ROWID)

    seq: Mapped[int] = mapped_column(Big, primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    portfolio_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("crypto_portfolio.id"))
    into_account: Mapped[str] = mapped_column(Text)
    out_of_account: Mapped[str] = mapped_column(Text)
    asset: Mapped[str] = mapped_column(String(ASSET))
    amount: Mapped[Decimal]  # below zero: it went the other way
    kind: Mapped[str] = mapped_column(String(CODE))
    booked_at: Mapped[datetime]


class CryptoEquity(Base):
    """A portfolio's value over time: new peaks, new days, else once a minute while it changes."""

    __tablename__ = "crypto_equity"
    __table_args__ = (Index(None, "portfolio_id", "sampled_at"), NO_ROWID)

    portfolio_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("crypto_portfolio.id"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(Big, primary_key=True)
    value: Mapped[Decimal]
    peak_value: Mapped[Decimal]
    day_start_value: Mapped[Decimal]
    trading_day: Mapped[date | None] = mapped_column(Date)
    sampled_at: Mapped[datetime]


class CryptoRiskLimit(Base):
    """One limit of one scope, as it was last set."""

    __tablename__ = "crypto_risk_limit"
    __table_args__ = (
        UniqueConstraint("id"),
        one_of("scope", [scope.value for scope in Scope]),
        one_of("unit", ["money", "quantity", "bps", "ms", "leverage", "count"]),
        *not_negative("value"),
        NO_ROWID,
    )

    scope: Mapped[str] = mapped_column(String(CODE), primary_key=True)
    key: Mapped[str] = mapped_column(String(NAME), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME), primary_key=True)
    id: Mapped[uuid.UUID]
    portfolio_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("crypto_portfolio.id"))
    value: Mapped[Decimal]
    unit: Mapped[str] = mapped_column(String(CODE))
    allow_looser: Mapped[bool]
    set_at: Mapped[datetime]
    set_seq: Mapped[int] = mapped_column(Big)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")


class CryptoRefusal(Base):
    """What was refused before anything left, and which limit it met."""

    __tablename__ = "crypto_refusal"
    __table_args__ = (Index(None, "refused_at"),)

    seq: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(NAME))
    order_id: Mapped[uuid.UUID | None]
    portfolio: Mapped[str | None] = mapped_column(Text)
    strategy: Mapped[str | None] = mapped_column(Text)
    instrument: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(NAME))
    limit_value: Mapped[str] = mapped_column(Text)
    actual_value: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(String(CODE))
    scope_key: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    request: Mapped[dict[str, Any] | None] = mapped_column(Json)
    refused_at: Mapped[datetime]
