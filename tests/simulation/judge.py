"""The judge: the engine's books against the record of the simulated venues, to the last unit."""

from collections import Counter
from typing import Any

from simulation.shadow import Shadow
from simulation.worlds import World
from zvt_trading.core.snapshot import digest, state_lines
from zvt_trading.core.state import Portfolio
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codes import ACCEPTED, SUBMITTED, UNKNOWN
from zvt_trading.messages.events import (
    Event,
    FundingSettled,
    OrderFilled,
    OrderPlaced,
    OrderRejected,
    OrderReleased,
    PositionLiquidated,
    TradingStateChanged,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.record import ROW_ACCEPTED, ROW_FILL, ROW_FUNDING, ROW_LIQUIDATION


def verdict(world: World, shadow: Shadow, journal: list[Event]) -> list[str]:
    """Everything that differs, in words; [] when engine and venues agree."""
    found = _unsettled(world)
    found.extend(_absent(world, journal))
    for exchange in world.exchanges.values():
        found.extend(_orders(exchange, journal))
        found.extend(_entries(exchange, journal))
        found.extend(_open_orders(exchange, world))
        for portfolio in world.simulation.core.state.portfolios.values():
            found.extend(_money(exchange, world, portfolio))
            found.extend(_positions(exchange, portfolio))
    found.extend(_drifted(journal))
    found.extend(_replay(world, journal))
    return found + shadow.problems


def _unsettled(world: World) -> list[str]:
    """I3: with the faults gone every order has an outcome, and nothing stays reserved for it."""
    found: list[str] = []
    for order in world.simulation.core.state.orders.values():
        if order.life in (SUBMITTED, UNKNOWN) or order.pending:
            found.append(f"I3 order {order.id}: life {order.life}, request {order.pending}")
        if order.life > ACCEPTED and (order.working or order.hold):
            found.append(
                f"I3 order {order.id} is over ({order.life}), {order.working} still work and "
                f"{order.hold} are reserved"
            )
    return found


def _absent(world: World, journal: list[Event]) -> list[str]:
    """I3: what was proven absent never was at the venue, nor came later."""
    accepted = {
        row.order_id
        for exchange in world.exchanges.values()
        for row in exchange.record.rows
        if row.kind == ROW_ACCEPTED
    }
    return [
        f"I3 order {event.order_id} was called absent, but the venue had it"
        for event in journal
        if isinstance(event, OrderRejected)
        and event.reason == Reason.ABSENCE_PROVEN
        and event.order_id in accepted
    ]


def _drifted(journal: list[Event]) -> list[str]:
    """I15: what is only on its way between agreeing books is never taken for drift."""
    return [
        f"I15 {event.key} was halted for a drift that there is not: {event.text}"
        for event in journal
        if isinstance(event, TradingStateChanged) and event.reason == Reason.RECONCILIATION_DRIFT
    ]


def _orders(exchange: SimExchange, journal: list[Event]) -> list[str]:
    """I1: an intent before each order of the venue. I2: at most one venue order an intent."""
    placed = {
        event.order_id
        for event in journal
        if (isinstance(event, OrderPlaced) and not event.held) or isinstance(event, OrderReleased)
    }
    accepted = Counter(row.order_id for row in exchange.record.rows if row.kind == ROW_ACCEPTED)
    found = [
        f"I1 {exchange.venue} has {name}, no intent" for name in accepted if name not in placed
    ]
    found.extend(
        f"I2 {exchange.venue} has {count} orders for the intent {name}"
        for name, count in accepted.items()
        if count > 1
    )
    return found


def _entries(exchange: SimExchange, journal: list[Event]) -> list[str]:
    """I4: each fill, funding and liquidation of the venue was applied once, with its numbers."""
    prefix = f"{exchange.venue}:"
    ours: Counter[tuple[Any, ...]] = Counter()
    theirs: Counter[tuple[Any, ...]] = Counter()
    for row in exchange.record.rows:
        if row.kind == ROW_FILL:
            theirs[
                row.account, row.instrument, row.order_id, row.trade_id, row.side, row.price,
                row.quantity, row.liquidity, row.asset, row.amount,
            ] += 1  # fmt: skip
        elif row.kind == ROW_FUNDING:
            theirs[row.account, row.instrument, row.trade_id, row.amount, row.rate] += 1
        elif row.kind == ROW_LIQUIDATION:
            theirs[
                row.account, row.instrument, row.trade_id, row.side, row.price, row.quantity,
                row.amount, row.insurance,
            ] += 1  # fmt: skip
    for event in journal:
        if isinstance(event, OrderFilled) and event.instrument.startswith(prefix):
            ours[
                event.portfolio, event.instrument, event.order_id, event.trade_id, event.side,
                event.price, event.quantity, event.liquidity, event.fee_asset, event.fee,
            ] += 1  # fmt: skip
        elif isinstance(event, FundingSettled) and event.instrument.startswith(prefix):
            ours[event.portfolio, event.instrument, event.funding_id, event.amount, event.rate] += 1
        elif isinstance(event, PositionLiquidated) and event.instrument.startswith(prefix):
            ours[
                event.portfolio, event.instrument, event.trade_id, event.side, event.price,
                event.quantity, event.fee, event.insurance,
            ] += 1  # fmt: skip
    found = [f"I4 missed {entry}" for entry in (theirs - ours)]
    found.extend(f"I4 invented {entry}" for entry in (ours - theirs))
    return found


def _open_orders(exchange: SimExchange, world: World) -> list[str]:
    """What works there works here, on the same terms."""
    theirs = {
        order.id: (order.price, order.quantity, order.filled) for order in exchange.open_orders()
    }
    ours = {
        order.id: (order.price, order.quantity, order.filled)
        for order in world.simulation.core.state.orders.values()
        if order.life == ACCEPTED and order.instrument.venue == exchange.venue
    }
    return [
        f"I6 {exchange.venue} order {name}: {theirs.get(name)} there, {ours.get(name)} here"
        for name in theirs | ours
        if theirs.get(name) != ours.get(name)
    ]


def _money(exchange: SimExchange, world: World, portfolio: Portfolio) -> list[str]:
    """I5: every balance, exactly.

    The venue books perpetuals at average cost, we by the portfolio's method, so what has been
    realised differs while a position is open; wallet less signed entry cost is the same for both.
    """
    account = exchange.account(portfolio.name)
    ledger = world.simulation.core.state.ledger
    assets = set(account.balances)
    assets.update(b.asset for b in ledger.balances(portfolio.name) if b.venue == exchange.venue)
    found: list[str] = []
    for asset in sorted(assets):
        balance = ledger.find(portfolio.name, exchange.venue, asset)
        ours = balance.total if balance is not None else 0
        theirs = account.balance(asset).total
        for holding in portfolio.holdings.values():
            instrument = holding.instrument
            if instrument.venue == exchange.venue and instrument.settle == asset:
                position = holding.position
                ours -= _signed(position.quantity, position.cost, instrument.is_inverse)
        for seat in account.perpetuals:
            if seat.instrument.settle == asset:
                theirs -= _signed(seat.quantity, seat.cost, seat.instrument.is_inverse)
        spot = 0
        for holding in portfolio.holdings.values():
            instrument = holding.instrument
            if (
                instrument.is_spot
                and instrument.venue == exchange.venue
                and (instrument.settle == asset)
            ):
                spot += _signed(holding.position.quantity, holding.position.cost, False)
        if ours + spot != theirs:
            found.append(
                f"I5 {portfolio.name} at {exchange.venue}: {ours + spot} {asset} here, "
                f"{theirs} there"
            )
    return found


def _signed(quantity: int, cost: int, is_inverse: bool) -> int:
    """Entry cost with the sign that takes the method out of the wallet."""
    return -cost if (quantity > 0) == is_inverse else cost


def _positions(exchange: SimExchange, portfolio: Portfolio) -> list[str]:
    """I6: perpetual positions are the venue's."""
    found: list[str] = []
    for seat in exchange.account(portfolio.name).perpetuals:
        holding = portfolio.holdings.get(seat.instrument.id)
        ours = holding.position.quantity if holding is not None else 0
        if holding is not None and holding.position.leverage != seat.leverage:
            found.append(
                f"I6 {portfolio.name} {seat.instrument.id}: leverage {seat.leverage} there"
            )
        if ours != seat.quantity:
            found.append(
                f"I6 {portfolio.name} {seat.instrument.id}: {ours} here, {seat.quantity} there"
            )
    return found


def _replay(world: World, journal: list[Event]) -> list[str]:
    """I7: the events alone lead to the same state."""
    live = world.simulation.core
    again = TradingCore()
    for event in journal:
        again.replay(event)
    if digest(again.state, again.risk) == digest(live.state, live.risk):
        return []
    first = state_lines(live.state, live.risk)
    second = state_lines(again.state, again.risk)
    different = [f"{a} | {b}" for a, b in zip(first, second, strict=False) if a != b]
    return [f"I7 the replay differs: {different[:3]}, {len(first)} and {len(second)} lines"]
