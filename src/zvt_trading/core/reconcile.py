"""What we believe against what a venue says: a pure comparison, to the last unit."""

from typing import Final, final

from zvt_trading.core.outside_reports import is_told_foreign
from zvt_trading.core.state import Portfolio, State

# What a difference is about, and in what its `subject` is named.
CASH: Final = 0  # an asset
POSITION: Final = 1  # an instrument's id
ORDER: Final = 2  # an order's id
ACCOUNT: Final = 3  # an account that is no portfolio of ours
SUBJECT_NAMES: Final = ("cash", "position", "order", "account")

NO_ORDER: Final = "none"
"""The terms of an order that one side does not have."""


@final
class Difference:
    """One thing in which a venue is not what we believe; `str` says it in words.

    `ours` and `theirs` are asset units (CASH) or a signed quantity (POSITION); of an ORDER its
    terms in words, or NO_ORDER. `account` is "" where nobody says whose it is, `instrument` where
    there is none, or it is not known.
    """

    def __init__(
        self,
        venue: str,
        account: str,
        subject_kind: int,
        subject: str,
        ours: int | str,
        theirs: int | str,
        instrument: str = "",
    ) -> None:
        self.venue: Final = venue
        self.account: Final = account
        self.subject_kind: Final = subject_kind
        self.subject: Final = subject
        self.ours: Final = ours
        self.theirs: Final = theirs
        self.instrument: Final = instrument

    def name(self) -> str:
        """What it is about: "binance cash main USDT"; one venue names nothing else so."""
        account = f" {self.account}" if self.account else ""
        return f"{self.venue} {SUBJECT_NAMES[self.subject_kind]}{account} {self.subject}"

    def offset(self) -> str:
        """How much it is: theirs less ours; of orders both terms."""
        ours, theirs = self.ours, self.theirs
        if isinstance(ours, int) and isinstance(theirs, int):
            return str(theirs - ours)
        return f"{ours} here, {theirs} there"

    def __str__(self) -> str:
        kind = self.subject_kind
        if kind == ACCOUNT:
            return f"{self.venue} has an account {self.subject!r} that is no portfolio of ours"
        if kind == CASH:
            asset = self.subject
            what = f"{self.account} at {self.venue}: {self.ours} units of {asset}"
        elif kind == POSITION:
            what = f"{self.account} {self.subject}: a position of {self.ours}"
        else:
            what = f"{self.venue} order {self.subject}: {self.ours}"
        return f"{what} here, {self.theirs} there"


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
    """One order that works at the venue; `instrument` "" where it is none of ours."""

    def __init__(
        self, order_id: str, price: int, quantity: int, filled: int, instrument: str = ""
    ) -> None:
        self.order_id: Final = order_id
        self.price: Final = price
        self.quantity: Final = quantity
        self.filled: Final = filled
        self.instrument: Final = instrument


@final
class Statement:
    """How all our accounts at a venue stand at one moment.

    `has_exact_costs`: the entry notionals of its positions are exact, as a simulated venue's are. A
    live venue states an average price, which it rounds; cash is then compared only in assets that
    no open perpetual position settles in, on either side.
    """

    def __init__(self, *, has_exact_costs: bool = True) -> None:
        self.has_exact_costs: Final = has_exact_costs
        self.cash: list[CashRow] = []
        self.positions: list[PositionRow] = []
        self.orders: list[OpenRow] = []


def differences(state: State, venue: str, statement: Statement) -> list[Difference]:
    """Everything in which the venue's statement is not what we believe; [] when nothing is.

    An order that was reported as somebody else's (ForeignActivity) is none: it is known to be there
    and none of ours. One with our id prefix stays one, since it can change what is ours.
    """
    found: list[Difference] = []
    for portfolio in state.portfolios.values():
        found.extend(_cash(state, portfolio, venue, statement))
        found.extend(_positions(portfolio, venue, statement))
    for account in sorted({row.account for row in statement.cash}):
        if account not in state.portfolios:
            found.append(Difference(venue, account, ACCOUNT, account, "none", "one"))
    found.extend(_orders(state, venue, statement))
    return found


def _cash(state: State, portfolio: Portfolio, venue: str, statement: Statement) -> list[Difference]:
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
    skipped = [] if statement.has_exact_costs else _settling(state, portfolio, venue, statement)
    return [
        Difference(venue, portfolio.name, CASH, asset, ours.get(asset, 0), theirs.get(asset, 0))
        for asset in sorted(set(ours) | set(theirs))
        if ours.get(asset, 0) != theirs.get(asset, 0) and asset not in skipped
    ]


def _settling(state: State, portfolio: Portfolio, venue: str, statement: Statement) -> list[str]:
    """The assets that open perpetual positions settle in, here or there."""
    found: list[str] = []
    for holding in portfolio.holdings.values():
        instrument = holding.instrument
        if instrument.venue == venue and not instrument.is_spot and holding.position.quantity:
            found.append(instrument.settle)
    for row in statement.positions:
        market = state.markets.get(row.instrument)
        if row.account == portfolio.name and row.quantity and market is not None:
            found.append(market.instrument.settle)
    return found


def _signed(quantity: int, cost: int, is_inverse: bool) -> int:
    """Entry cost with the sign that takes the lot method out of the wallet."""
    if quantity == 0:
        return 0
    return -cost if (quantity > 0) == is_inverse else cost


def _positions(portfolio: Portfolio, venue: str, statement: Statement) -> list[Difference]:
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
        Difference(
            venue, portfolio.name, POSITION, name, ours.get(name, 0), theirs.get(name, 0), name
        )
        for name in sorted(set(ours) | set(theirs))
        if ours.get(name, 0) != theirs.get(name, 0)
    ]


def _orders(state: State, venue: str, statement: Statement) -> list[Difference]:
    """What works there works here, on the same terms."""
    ours: dict[str, str] = {}
    theirs: dict[str, str] = {}
    instruments: dict[str, str] = {}
    for row in statement.orders:
        theirs[row.order_id] = f"{row.quantity} at {row.price}, {row.filled} filled"
        instruments[row.order_id] = row.instrument
    for portfolio in state.portfolios.values():
        for holding in portfolio.holdings.values():
            if holding.instrument.venue == venue:
                for order in holding.orders.values():
                    ours[order.id] = f"{order.quantity} at {order.price}, {order.filled} filled"
                    instruments[order.id] = holding.instrument.id
    return [
        Difference(
            venue, "", ORDER, name, ours.get(name, NO_ORDER), theirs.get(name, NO_ORDER),
            instruments[name],
        )
        for name in sorted(set(ours) | set(theirs))
        if ours.get(name) != theirs.get(name)
        and (name in ours or not is_told_foreign(state, venue, name))
    ]  # fmt: skip
