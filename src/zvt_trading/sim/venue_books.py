"""A simulated venue's books as a whole: what it states of them, and whether they hold."""

from zvt_trading.core.reconcile import CashRow, OpenRow, PositionRow, Statement
from zvt_trading.sim.accounts import Account, Asset, VenueOrder


def statement(accounts: dict[str, Account], orders: dict[str, VenueOrder]) -> Statement:
    """How all accounts stand."""
    stated = Statement()
    for account in accounts.values():
        for balance in account.balances.values():
            stated.cash.append(CashRow(account.name, balance.asset.name, balance.total))
        for seat in account.perpetuals:
            stated.positions.append(
                PositionRow(account.name, seat.instrument.id, seat.quantity, seat.cost)
            )
    for order in orders.values():
        instrument = order.seat.instrument.id
        stated.orders.append(
            OpenRow(order.id, order.price, order.quantity, order.filled, instrument)
        )
    return stated


def book_problems(
    venue: str,
    assets: dict[str, Asset],
    accounts: dict[str, Account],
    orders: dict[str, VenueOrder],
) -> list[str]:
    """Money out of nowhere, and reservations that are not those of the orders and positions."""
    found: list[str] = []
    for asset in assets.values():
        held = 0
        for account in accounts.values():
            balance = account.balances.get(asset.name)
            held += balance.total if balance is not None else 0
        if held != asset.held or asset.difference():
            found.append(
                f"{venue} {asset.name}: {held} held, {asset.held} booked, "
                f"{asset.difference()} out of nowhere"
            )
    for account in accounts.values():
        found.extend(_reservation_problems(venue, account, orders))
    return found


def _reservation_problems(venue: str, account: Account, orders: dict[str, VenueOrder]) -> list[str]:
    """Locks are those of the open orders, margins those of the positions."""
    found: list[str] = []
    for balance in account.balances.values():
        locked = 0
        for order in orders.values():
            if order.payer is balance:
                locked += order.lock
        margin = 0
        for seat in account.perpetuals:
            if seat.settle is balance:
                margin += seat.margin
        if locked != balance.locked or margin != balance.margin:
            found.append(
                f"{venue} {account.name} {balance.asset.name}: locked {balance.locked}, "
                f"orders need {locked}; margin {balance.margin}, positions need {margin}"
            )
    return found
