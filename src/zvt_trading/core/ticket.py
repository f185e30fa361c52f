"""An order under consideration: a request resolved against the state, before it is an order."""

from typing import Final, final

from zvt_trading.core.ledger import Balance
from zvt_trading.core.state import Holding, Market, Portfolio, Strategy, Terms
from zvt_trading.messages.codes import MARKET, SELL, STOP, TAKE_PROFIT, TRAILING_STOP


@final
class Ticket:
    """What the gate looks at: who, what, at which worst price, with which reservation.

    The same ticket serves a new order, a held order about to be sent, an amend (`replaces_quantity`
    is what the old order still works and `replaces_hold` what it reserves) and a routed order.
    """

    def __init__(
        self, terms: Terms, portfolio: Portfolio, holding: Holding, strategy: Strategy
    ) -> None:
        self.terms: Final = terms
        self.request: Final = terms.request
        self.portfolio: Final = portfolio
        self.holding: Final = holding
        self.market: Final[Market] = holding.market
        self.instrument: Final = holding.instrument
        self.strategy: Final = strategy
        self.side: Final = terms.side
        self.type: Final = terms.type
        self.order_id = ""  # of the order it is about, when that exists already
        self.quantity = terms.quantity
        self.price = terms.price
        self.trigger_price = terms.trigger_price
        self.replaces_quantity = 0
        self.replaces_hold = 0
        self.is_amend = False
        self.is_flatten = False  # the kill switch closing a position
        # Filled in by the gate.
        self.held = False
        self.worst_price = 0
        self.hold_balance: Balance | None = None
        self.hold = 0
        # Why it was refused.
        self.limit = 0
        self.value = 0
        self.scope = 0
        self.key = ""
        self.text = ""

    def is_market(self) -> bool:
        """Whether it goes to the venue as a market order."""
        return (
            self.type == MARKET
            or self.type == STOP
            or self.type == TAKE_PROFIT
            or (self.type == TRAILING_STOP)
        )

    def waits_here(self) -> bool:
        """Whether it is a stop that the core holds until its trigger, as its venue does not.

        Trailing stops always are: what a venue would do with one differs too much between venues.
        """
        if self.type == TRAILING_STOP:
            return True
        return self.type >= STOP and not self.instrument.spec.stops_held_by_venue

    def reducing_room(self) -> int:
        """How much of this side the position can absorb before it would open or flip.

        Position against this side, less what other working orders of this side already claim.
        """
        position = self.holding.position.quantity
        if self.side == SELL:
            room = position - (self.holding.open_sell - self.replaces_quantity)
        else:
            room = -position - (self.holding.open_buy - self.replaces_quantity)
        return room if room > 0 else 0

    def reduces_only(self) -> bool:
        """Whether it can only make the position smaller, at worst case."""
        return self.quantity <= self.reducing_room()
