"""Where decisions become events: each gets its number, is applied at once, and is handed out."""

from typing import Final, final

from zvt_trading.core.evolve import Evolver
from zvt_trading.core.risk_manager import RiskManager
from zvt_trading.core.state import State
from zvt_trading.messages.events import Event


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

    def take(self) -> list[Event]:
        """The events since the last call."""
        events = self.out
        self.out = []
        return events
