"""What we believe against what a venue says: a pure comparison, to the last unit."""

from typing import Final, final

from zvt_trading.core.state import Portfolio, State


@final
class CashRow:
    """One asset of one account at the venue."""

    def __init__(self, account: str, asset: str, total: int) -> None:
        self.account: Final = account
        self.asset: Final = asset
        self.total: Final = total


@final
class PositionRow:
    """One perpetual position at the venue; `cost` is its entry notional, settle-asset units."""

    def __init__(self, account: str, instrument: str, quantity: int, cost: int) -> None:
        self.account: Final = account
        self.instrument: Final = instrument
        self.quantity: Final = quantity
        self.cost: Final = cost


@final
class OpenRow:
    """One order that works at the venue."""

    def __init__(self, order_id: str, price: int, quantity: int, filled: int) -> None:
        self.order_id: Final = order_id
        self.price: Final = price
        self.quantity: Final = quantity
        self.filled: Final = filled


@final
class Statement:
    """How all our accounts at a venue stand at one moment."""

    def __init__(self) -> None:
        self.cash: list[CashRow] = []
        self.positions: list[PositionRow] = []
        self.orders: list[OpenRow] = []


def differences(state: State, venue: str, statement: Statement) -> list[str]:
    """Everything in which the venue's statement is not what we believe; [] when nothing is."""
    found: list[str] = []
    for portfolio in state.portfolios.values():
        found.extend(_cash(portfolio, venue, statement))
        found.extend(_positions(portfolio, venue, statement))
    for account in sorted({row.account for row in statement.cash}):
        if account not in state.portfolios:
            found.append(f"{venue} has an account {account!r} that is no portfolio of ours")
    found.extend(_orders(state, venue, statement))
    return found


def _cash(portfolio: Portfolio, venue: str, statement: Statement) -> list[str]:
    """Every asset's cash.

    A venue realises the PnL of a perpetual at average cost, we by the portfolio's method, so while
    a position is open the two differ; wallet less signed entry cost is the same for both.
    """
    ours: dict[str, int] = {}
    theirs: dict[str, int] = {}
    for balance in portfolio.balances:
        if balance.venue == venue:
            ours[balance.asset] = ours.get(balance.asset, 0) + balance.total
    for holding in portfolio.holdings.values():
        instrument = holding.instrument
        if instrument.venue == venue and not instrument.is_spot:
            position = holding.position
            cost = _signed(position.quantity, position.cost, instrument.is_inverse)
            ours[instrument.settle] = ours.get(instrument.settle, 0) - cost
    for row in statement.cash:
        if row.account == portfolio.name:
            theirs[row.asset] = theirs.get(row.asset, 0) + row.total
    for position_row in statement.positions:
        held = portfolio.holdings.get(position_row.instrument)
        if position_row.account == portfolio.name and held is not None:
            instrument = held.instrument
            cost = _signed(position_row.quantity, position_row.cost, instrument.is_inverse)
            theirs[instrument.settle] = theirs.get(instrument.settle, 0) - cost
    return [
        f"{portfolio.name} at {venue}: {ours.get(asset, 0)} units of {asset} here, "
        f"{theirs.get(asset, 0)} there"
        for asset in sorted(set(ours) | set(theirs))
        if ours.get(asset, 0) != theirs.get(asset, 0)
    ]


def _signed(quantity: int, cost: int, is_inverse: bool) -> int:
    """Entry cost with the sign that takes the lot method out of the wallet."""
    if quantity == 0:
        return 0
    return -cost if (quantity > 0) == is_inverse else cost


def _positions(portfolio: Portfolio, venue: str, statement: Statement) -> list[str]:
    """Every perpetual's signed quantity."""
    theirs: dict[str, int] = {}
    for row in statement.positions:
        if row.account == portfolio.name:
            theirs[row.instrument] = row.quantity
    ours: dict[str, int] = {}
    for holding in portfolio.holdings.values():
        if holding.instrument.venue == venue and not holding.instrument.is_spot:
            ours[holding.instrument.id] = holding.position.quantity
    return [
        f"{portfolio.name} {name}: a position of {ours.get(name, 0)} here, "
        f"{theirs.get(name, 0)} there"
        for name in sorted(set(ours) | set(theirs))
        if ours.get(name, 0) != theirs.get(name, 0)
    ]


def _orders(state: State, venue: str, statement: Statement) -> list[str]:
    """What works there works here, on the same terms."""
    ours: dict[str, str] = {}
    theirs: dict[str, str] = {}
    for portfolio in state.portfolios.values():
        for holding in portfolio.holdings.values():
            if holding.instrument.venue == venue:
                for order in holding.orders.values():
                    ours[order.id] = f"{order.quantity} at {order.price}, {order.filled} filled"
    for row in statement.orders:
        theirs[row.order_id] = f"{row.quantity} at {row.price}, {row.filled} filled"
    return [
        f"{venue} order {name}: {ours.get(name, 'none')} here, {theirs.get(name, 'none')} there"
        for name in sorted(set(ours) | set(theirs))
        if ours.get(name) != theirs.get(name)
    ]
