"""What must always be true of a state (numbers as in the reliability bar), checked from scratch.

Used after every step of the simulations and at the end of every run; not on the hot path.
"""

from zvt_trading.core.ledger import Reserved
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.state import Holding, Order, State
from zvt_trading.core.valuation import equity_from_scratch
from zvt_trading.messages.codes import NO_REQUEST, PENDING


def problems(state: State) -> list[str]:
    """Every broken invariant in words; [] when all hold."""
    found: list[str] = []
    reserved: list[Reserved] = []
    for order in state.orders.values():
        _check_order(order, found)
        if order.hold:
            balance = order.hold_balance
            reserved.append(
                Reserved(balance.portfolio, balance.venue, balance.asset, order.hold, 0)
            )
    for portfolio in state.portfolios.values():
        live = 0
        for holding in portfolio.holdings.values():
            _check_holding(state, holding, found)
            settle = holding.settle
            reserved.append(
                Reserved(
                    settle.portfolio, settle.venue, settle.asset, 0,
                    holding.position.isolated_margin,
                )
            )  # fmt: skip
        for order in state.orders.values():
            if order.holding.portfolio is portfolio and not is_closed(order.life):
                live += 1
        if live != portfolio.open_orders:
            counted = portfolio.open_orders
            found.append(f"{portfolio.name}: {counted} open orders counted, {live} are")
        equity = equity_from_scratch(portfolio)
        if equity != portfolio.equity:
            found.append(f"{portfolio.name}: equity {portfolio.equity}, from scratch {equity}")
    found.extend(state.ledger.check(reserved))
    return found


def _check_order(order: Order, found: list[str]) -> None:
    """I9 and the order's own sums."""
    if order.filled < 0 or order.working < 0 or order.hold < 0:
        found.append(f"order {order.id}: filled {order.filled}, working {order.working}")
    if not is_closed(order.life) and order.life != PENDING:
        if order.pending == NO_REQUEST and order.working != order.leaves():
            found.append(f"order {order.id}: {order.working} working, {order.leaves()} left")
        if order.id not in order.holding.orders:
            found.append(f"order {order.id} is live but not in its holding")
    elif order.life == PENDING and (order.working or order.hold):
        found.append(f"order {order.id} is held but reserves")
    if len(order.trade_ids) != len(set(order.trade_ids)):
        found.append(f"order {order.id}: a trade was applied twice")


def _check_holding(state: State, holding: Holding, found: list[str]) -> None:
    """I6: position = signed fills - base fees; open quantities = the orders' sums."""
    position = holding.position
    name = f"{holding.portfolio.name} {holding.instrument.id}"
    if position.quantity != position.bought - position.sold - position.fee_quantity:
        found.append(f"{name}: position {position.quantity} is not the sum of its fills")
    quantity = sum([lot.quantity for lot in position.lots()])
    cost = sum([lot.cost for lot in position.lots()])
    if quantity != abs(position.quantity) or cost != position.cost:
        found.append(
            f"{name}: lots of {quantity} at {cost} for {position.quantity} at {position.cost}"
        )
    buying = 0
    selling = 0
    for order in state.orders.values():
        if order.holding is holding:
            if order.side > 0:
                buying += order.working
            else:
                selling += order.working
    if buying != holding.open_buy or selling != holding.open_sell:
        found.append(
            f"{name}: open {holding.open_buy}/{holding.open_sell}, orders {buying}/{selling}"
        )
