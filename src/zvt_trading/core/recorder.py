"""Where decisions become events: each gets its number, is applied at once, and is handed out."""

from typing import Final, final

from zvt_trading.core.evolve import Evolver
from zvt_trading.core.ledger import Balance
from zvt_trading.core.order_fsm import CANCEL
from zvt_trading.core.risk_manager import RiskManager
from zvt_trading.core.state import Order, State
from zvt_trading.messages.events import (
    CancelRequested,
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderPlaced,
)


@final
class Recorder:
    """The state's single writer.

    An event changes the state when it is recorded; its effects leave the engine only after the
    driver has made it durable. If that fails the engine halts, and a restart forgets the event.
    """

    def __init__(self, state: State, risk: RiskManager) -> None:
        self.state: Final = state
        self.risk: Final = risk
        self.evolver: Final = Evolver(state, risk)
        self.out: list[Event] = []
        self.now = 0

    def seq(self) -> int:
        """The number of the next event."""
        return self.state.seq + 1

    def record(self, event: Event) -> None:
        """Apply an event and queue it for the journal and the subscribers."""
        self.evolver.apply(event)
        self.out.append(event)

    # The events of the common order's life, with what they say in hand: applied by the same code as
    # from the event itself, without reading it field by field.

    def record_placed(
        self,
        event: OrderPlaced,
        order: Order,
        held: bool,
        balance: Balance,
        hold: int,
        worst_price: int,
    ) -> None:
        """`record` for a new order."""
        self.evolver.begin(self.state.seq + 1, self.now)
        self.evolver.orders.place(order, held, balance, hold, worst_price, self.now)
        self.out.append(event)

    def record_accepted(self, event: OrderAccepted, order: Order, venue_order_id: str) -> None:
        """`record` for an acceptance."""
        self.evolver.begin(self.state.seq + 1, self.now)
        self.evolver.orders.accept(order, venue_order_id)
        self.out.append(event)

    def record_filled(
        self,
        event: OrderFilled,
        order: Order,
        trade_id: str,
        price: int,
        quantity: int,
        fee_asset: str,
        fee: int,
    ) -> int:
        """`record` for a fill; returns the PnL it realised."""
        self.evolver.begin(self.state.seq + 1, self.now)
        realized = self.evolver.orders.fill(
            order, trade_id, price, quantity, fee_asset, fee, self.now
        )
        self.out.append(event)
        return realized

    def record_cancel_requested(self, event: CancelRequested, order: Order, reason: int) -> None:
        """`record` for a cancel on its way."""
        self.evolver.begin(self.state.seq + 1, self.now)
        self.evolver.orders.request_cancel(order, reason)
        self.out.append(event)

    def record_cancelled(
        self, event: OrderCancelled, order: Order, reason: int, filled: int
    ) -> None:
        """`record` for an order that no longer works."""
        self.evolver.begin(self.state.seq + 1, self.now)
        self.evolver.orders.end(order, CANCEL, reason, filled)
        self.out.append(event)

    def take(self) -> list[Event]:
        """The events since the last call."""
        events = self.out
        self.out = []
        return events
