"""The state as a snapshot and back: `restored(taken(state)) == state`, to the digest.

The parts come one by one, and the digest line by line, so that whoever takes a snapshot while an
engine runs can let others go on in between. The market view is not in it: prices come from feeds.
"""

from collections.abc import Iterator

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.risk_manager import RiskManager
from zvt_trading.core.state import (
    Holding,
    Market,
    Order,
    OrderList,
    Portfolio,
    State,
    Symbol,
    Venue,
)
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.valuation import revalue
from zvt_trading.messages.codes import PENDING
from zvt_trading.messages.snapshot import (
    SnapshotEntry,
    SnapshotHead,
    SnapshotHolding,
    SnapshotList,
    SnapshotOrder,
    SnapshotPart,
    SnapshotPortfolio,
    SnapshotQuarantined,
    SnapshotTag,
)


class RestoreError(Exception):
    """A snapshot that contradicts itself, or is not of this engine."""


def snapshot_head(state: State, risk: RiskManager, digest: str) -> SnapshotHead:
    """Everything but the orders; `digest` is the state's, taken by the caller."""
    holdings: list[SnapshotHolding] = []
    for portfolio in state.portfolios.values():
        for holding in portfolio.holdings.values():
            holdings.append(_holding_row(holding))
    return SnapshotHead(
        seq=state.seq,
        ts=state.ts,
        epoch=state.epoch,
        order_seq=state.order_seq,
        trading_state=state.trading_state,
        suspended=state.suspended,
        flatten_seq=state.flatten_seq,
        asset_scales=dict(state.asset_scales),
        specs=[market.instrument.spec for market in state.markets.values()],
        venues=[(v.name, v.trading_state, v.history_cursor) for v in state.venues.values()],
        symbols=[(s.name, s.trading_state) for s in state.symbols.values()],
        strategies=[(s.name, s.trading_state) for s in state.strategies.values()],
        portfolios=[_portfolio_row(portfolio) for portfolio in state.portfolios.values()],
        ledger=state.ledger.state_items(),
        holdings=holdings,
        lists=[
            SnapshotList(linked.id, linked.kind, [order.id for order in linked.orders])
            for linked in state.lists.values()
        ],
        armed=[
            (market.instrument.id, [order.id for order in market.stops])
            for market in state.markets.values()
        ],
        closed=state.closed[state.closed_head :],
        risk=risk.state_items(),
        orders=len(state.orders),
        client_tags=len(state.client_tags),
        venue_entries=len(state.venue_entries),
        digest=digest,
        quarantined=len(state.quarantined),
    )


def snapshot_parts(state: State) -> Iterator[SnapshotPart]:
    """The orders, tags and entries, in the state's order."""
    for order in state.orders.values():
        yield SnapshotOrder(
            order.id, order.request, order.instrument.id, order.ts, order.quantity, order.price,
            order.trigger_price, order.life, order.pending, order.filled, order.filled_value,
            order.working, order.hold, order.hold_balance.asset, order.worst_price,
            order.triggered, order.venue_order_id, order.reason, order.trade_ids, order.role,
            order.amend_price, order.amend_quantity, order.hold_before_amend, order.amended_ts,
            order.hold_released,
        )  # fmt: skip
    for tag, order_id in state.client_tags.items():
        yield SnapshotTag(tag, order_id)
    for key, ts in state.venue_entries.items():
        yield SnapshotEntry(key, ts)
    for key, ts in state.quarantined.items():
        yield SnapshotQuarantined(key, ts)


def restore(core: TradingCore, head: SnapshotHead, parts: list[SnapshotPart]) -> None:
    """Make a new core the one that the snapshot was taken of; RestoreError when it cannot be."""
    state = core.state
    if state.seq:
        raise RestoreError(f"only a new core can be restored; this one is at event {state.seq}")
    expected = head.orders + head.client_tags + head.venue_entries + head.quarantined
    if expected != len(parts):
        raise RestoreError(f"{len(parts)} parts in a snapshot of {expected}")
    state.asset_scales.update(head.asset_scales)
    _restore_markets(state, head)
    for row in head.portfolios:
        _restore_portfolio(state, row)
    state.ledger.restore(head.ledger)
    for balance in state.ledger.balances():
        owner = state.portfolios[balance.portfolio]
        state.adopt_balance(owner, balance)
        revalue(owner, balance)
    for holding in head.holdings:
        _restore_holding(state, holding)
    for part in parts:
        if isinstance(part, SnapshotOrder):
            _restore_order(state, part)
        elif isinstance(part, SnapshotTag):
            state.client_tags[part.client_tag] = part.order_id
        elif isinstance(part, SnapshotEntry):
            state.venue_entries[part.key] = part.ts
        else:
            state.quarantined[part.key] = part.ts
    _restore_links(state, head)
    state.seq = head.seq
    state.ts = head.ts
    state.epoch = head.epoch
    state.order_seq = head.order_seq
    state.trading_state = head.trading_state
    state.suspended = head.suspended
    state.flatten_seq = head.flatten_seq
    for name, trading_state in head.strategies:
        state.strategy(name).trading_state = trading_state
    state.closed.extend(head.closed)
    core.risk.restore(head.risk)
    core.recorder.now = head.ts


def forget_prices(state: State) -> None:
    """After a restart: what had a value before has it again with its first price, as no gain.

    Until then the equity is too low, so nothing is judged by it (Control.on_time).
    """
    for portfolio in state.portfolios.values():
        portfolio.unmarked = True
    for market in state.markets.values():
        for valued in market.valued:
            valued.balance.had_value = True


def _holding_row(holding: Holding) -> SnapshotHolding:
    return SnapshotHolding(
        holding.portfolio.name, holding.instrument.id, holding.open_buy, holding.open_sell,
        holding.fees, holding.funding, holding.position.state_items(), list(holding.orders),
    )  # fmt: skip


def _portfolio_row(portfolio: Portfolio) -> SnapshotPortfolio:
    return SnapshotPortfolio(
        portfolio.request, portfolio.trading_state, portfolio.peak_equity,
        portfolio.day_start_equity, portfolio.day, portfolio.cool_down_until,
        portfolio.sampled_equity, portfolio.sampled_ts,
    )  # fmt: skip


def _restore_markets(state: State, head: SnapshotHead) -> None:
    for name, trading_state, cursor in head.venues:
        venue = Venue(name)
        venue.trading_state = trading_state
        venue.history_cursor = cursor
        state.venues[name] = venue
    for name, trading_state in head.symbols:
        symbol = Symbol(name)
        symbol.trading_state = trading_state
        state.symbols[name] = symbol
    for spec in head.specs:
        instrument = Instrument(spec)
        symbol = state.symbols[spec.symbol]
        market = Market(instrument, state.venues[spec.venue], symbol)
        symbol.markets.append(market)
        state.markets[instrument.id] = market


def _restore_portfolio(state: State, row: SnapshotPortfolio) -> None:
    portfolio = Portfolio(row.request)
    portfolio.trading_state = row.trading_state
    portfolio.peak_equity = row.peak_equity
    portfolio.day_start_equity = row.day_start_equity
    portfolio.day = row.day
    portfolio.cool_down_until = row.cool_down_until
    portfolio.sampled_equity = row.sampled_equity
    portfolio.sampled_ts = row.sampled_ts
    state.portfolios[portfolio.name] = portfolio
    state.positions.set_method(portfolio.name, portfolio.method)


def _restore_holding(state: State, row: SnapshotHolding) -> None:
    portfolio = state.portfolios[row.portfolio]
    holding = state.holding(portfolio, state.markets[row.instrument])
    holding.open_buy = row.open_buy
    holding.open_sell = row.open_sell
    holding.fees = row.fees
    holding.funding = row.funding
    holding.position.restore(row.position)


def _restore_order(state: State, row: SnapshotOrder) -> None:
    terms = state.terms(row.request)
    portfolio = state.portfolios[terms.portfolio]
    holding = state.holding(portfolio, state.markets[row.instrument])
    order = Order(row.order_id, terms, holding, state.strategy(terms.strategy), row.ts)
    order.quantity = row.quantity
    order.price = row.price
    order.trigger_price = row.trigger_price
    order.life = row.life
    order.pending = row.pending
    order.filled = row.filled
    order.filled_value = row.filled_value
    order.working = row.working
    order.hold = row.hold
    order.hold_balance = holding.balance_of(row.hold_asset)
    order.worst_price = row.worst_price
    order.triggered = row.triggered
    order.venue_order_id = row.venue_order_id
    order.reason = row.reason
    order.trade_ids.extend(row.trade_ids)
    order.role = row.role
    order.amend_price = row.amend_price
    order.amend_quantity = row.amend_quantity
    order.hold_before_amend = row.hold_before_amend
    order.amended_ts = row.amended_ts
    order.hold_released = row.hold_released
    state.orders[order.id] = order


def _restore_links(state: State, head: SnapshotHead) -> None:
    """Who watches, works and belongs together."""
    orders = state.orders
    for row in head.lists:
        linked = OrderList(row.list_id, row.kind)
        for order_id in row.orders:
            order = orders[order_id]
            order.list = linked
            linked.orders.append(order)
        state.lists[linked.id] = linked
    for instrument, stops in head.armed:
        market = state.markets[instrument]
        for order_id in stops:
            market.stops.append(orders[order_id])
    for holding_row in head.holdings:
        holding = state.portfolios[holding_row.portfolio].holdings[holding_row.instrument]
        for order_id in holding_row.live_orders:
            order = orders[order_id]
            holding.orders[order_id] = order
            holding.portfolio.open_orders += 1
    for order in orders.values():
        if order.life == PENDING:
            order.holding.portfolio.open_orders += 1
