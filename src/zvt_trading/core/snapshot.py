"""The state as a canonical sequence of lines, and its digest: equal digests, equal states.

Only what events decide is in it: no market view, no valuation. Empty accounts and untouched
positions are left out, so that merely looking at them (a refused order) does not count.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from zvt_trading.core.ledger import Balance
from zvt_trading.core.risk_manager import RiskManager
from zvt_trading.core.state import Order, Portfolio, State
from zvt_trading.messages.codes import CROSS

_NOTHING_BOOKED: Final = "0 0 0 0 0 0"


def state_lines(state: State, risk: RiskManager) -> list[str]:
    """One line a thing, in a canonical order."""
    return list(each_line(state, risk))


def each_line(state: State, risk: RiskManager) -> Iterator[str]:
    """`state_lines` one by one, for whoever must let others run in between."""
    yield from _control_lines(state)
    for name in _sorted(list(state.portfolios)):
        yield from _portfolio_lines(state.portfolios[name])
    yield from _money_lines(state)
    for order_id in state.orders:
        yield _order_line(state.orders[order_id])
    yield f"closed {' '.join(state.closed[state.closed_head :])}"
    for entry in state.venue_entries:
        yield f"entry {entry}"
    for told in state.quarantined:
        yield f"quarantined {told}"
    for tag in state.client_tags:
        yield f"tag {tag}"
    yield f"risk {risk.state_items()}"


def digest(state: State, risk: RiskManager) -> str:
    """32 hex digits over `state_lines`."""
    return digest_of(each_line(state, risk))


def digest_of(lines: Iterator[str]) -> str:
    """The digest over the lines that `each_line` gives."""
    hashed = blake2b(digest_size=16)
    for line in lines:
        hashed.update(line.encode())
        hashed.update(b"\n")
    return hashed.hexdigest()


def _control_lines(state: State) -> list[str]:
    lines = [
        (
            f"engine {state.seq} {state.epoch} {state.order_seq} {state.trading_state} "
            f"{state.suspended} {state.flatten_seq}"
        )
    ]
    for venue in _sorted(list(state.venues)):
        known = state.venues[venue]
        lines.append(f"venue {venue} {known.trading_state} {known.history_cursor}")
    for symbol in _sorted(list(state.symbols)):
        lines.append(f"symbol {symbol} {state.symbols[symbol].trading_state}")
    for name in _sorted(list(state.strategies)):
        if state.strategies[name].trading_state:
            lines.append(f"strategy {name} {state.strategies[name].trading_state}")
    for instrument in _sorted(list(state.markets)):
        lines.append(f"market {state.markets[instrument].instrument.spec}")
    return lines


def _money_lines(state: State) -> list[str]:
    lines: list[str] = []
    for balance in sorted(state.ledger.balances(), key=_owner):
        if balance.total or balance.held or balance.margin:
            lines.append(
                f"balance {balance.name()} {balance.asset} {balance.total} {balance.held} "
                f"{balance.margin}"
            )
    for name in _sorted(list(state.portfolios)):
        for row in state.ledger.proof(name):
            sources = (
                f"{row.deposits} {row.trading} {row.fees} {row.funding} {row.insurance} "
                f"{row.adjustment}"
            )
            if sources != _NOTHING_BOOKED:
                lines.append(f"proof {name} {row.asset} {sources}")
    return lines


def _owner(balance: Balance) -> tuple[str, str, str]:
    return balance.portfolio, balance.venue, balance.asset


def _sorted(names: list[str]) -> list[str]:
    names.sort()
    return names


def _portfolio_lines(portfolio: Portfolio) -> list[str]:
    lines = [
        (
            f"portfolio {portfolio.request} {portfolio.trading_state} {portfolio.open_orders} "
            f"{portfolio.peak_equity} {portfolio.day_start_equity} {portfolio.day} "
            f"{portfolio.cool_down_until} {portfolio.sampled_equity} {portfolio.sampled_ts}"
        )
    ]
    for instrument in _sorted(list(portfolio.holdings)):
        holding = portfolio.holdings[instrument]
        position = holding.position
        used = position.bought or position.sold or holding.funding
        if used or position.leverage != 1 or position.margin_mode != CROSS:
            lines.append(
                f"holding {portfolio.name} {instrument} {holding.open_buy} {holding.open_sell} "
                f"{holding.fees} {holding.funding} {position.state_items()}"
            )
    return lines


def _order_line(order: Order) -> str:
    return (
        f"order {order.id} {order.life} {order.pending} {order.quantity} {order.price} "
        f"{order.trigger_price} {order.triggered} {order.filled} {order.filled_value} "
        f"{order.working} {order.hold} {order.venue_order_id} {order.reason} {order.trade_ids} "
        f"{order.role} {order.amend_price} {order.amend_quantity} {order.hold_before_amend}"
    )
