"""From a journal to trading: what must be found out after a start, and when it is enough.

The engine is suspended until every order has an outcome, every venue's history was read, and every
venue's books are ours to the last unit. Differences are no reason to guess: while they last, the
engine stays suspended and says which they are. Once it trades, the books are compared with every
history read (drift_guard.py).
"""

from typing import Final, final

from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.reconcile import differences
from zvt_trading.core.state import Order, State
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codes import ACCEPTED, NO_REQUEST, PENDING, SUBMITTED
from zvt_trading.messages.events import ReportQuarantined
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import OutcomeUnknown
from zvt_trading.sim.drift_guard import DriftGuard
from zvt_trading.sim.parcels import VenuePort
from zvt_trading.sim.venue_api import History

DIFFERENCES_TOLERATED: Final = 3
"""Readings in a row that may differ before it is told: a fill may be on its way meanwhile."""


def is_settled(state: State) -> bool:
    """Whether no order waits for an answer, and no fill we know of is still to come."""
    for portfolio in state.portfolios.values():
        for holding in portfolio.holdings.values():
            working = 0
            for order in holding.orders.values():
                if order.life != ACCEPTED or order.pending != NO_REQUEST:
                    return False
                working += order.working
            if working != holding.open_buy + holding.open_sell:
                return False  # an order ended with more filled than we were told
    return True


@final
class Restart:
    """`is_over` from the beginning where there was nothing to recover."""

    def __init__(self, core: TradingCore, ports: dict[str, VenuePort]) -> None:
        self.core: Final = core
        self.ports: Final = ports
        self.guard: Final = DriftGuard(core)
        self.is_over = True

    def cursor(self, venue: str) -> int:
        """Up to where the venue's history was read."""
        known = self.core.state.venues.get(venue)
        return known.history_cursor if known is not None else 0

    def unresolved(self, now: int) -> list[Order]:
        """Recovery begins; returns the orders that must be asked for.

        What was sent has no known outcome: whatever was on its way to us is lost.
        """
        self.is_over = False
        self.guard.forget()
        for port in self.ports.values():
            port.is_read = False
            port.differs = 0
        found: list[Order] = []
        for order in list(self.core.state.orders.values()):
            if order.life == PENDING or is_closed(order.life):
                continue
            if order.life == SUBMITTED:
                text = "the engine was restarted before the answer"
                self.core.report(now, OutcomeUnknown(order.id, text, now))
            if order.life != ACCEPTED or order.pending != NO_REQUEST:
                found.append(order)
        return found

    def read(self, venue: str, history: History, now: int) -> None:
        """A venue's history came: take it in, and see whether it is enough to trade on."""
        core = self.core
        for report in history.reports:
            core.report(now, report)
        core.control.read_history(venue, history.cursor)
        if self.is_over:
            if history.cursor >= self.cursor(venue):  # else it was overtaken on its way
                self.guard.read(venue, history.statement, now)
            return
        port = self.ports[venue]
        if not is_settled(core.state):
            return
        found = differences(core.state, venue, history.statement)
        port.is_read = not found
        port.differs = port.differs + 1 if found else 0
        if port.differs == DIFFERENCES_TOLERATED:
            recorder = core.recorder
            text = "; ".join([str(one) for one in found[:10]])
            recorder.record(
                ReportQuarantined(recorder.seq(), recorder.now, "Statement", venue, text)
            )
        self._finish()

    def _finish(self) -> None:
        """Trade again once every venue's books were seen to be ours."""
        for port in self.ports.values():
            if not port.is_read:
                return
        self.is_over = True
        if self.core.state.suspended == Reason.RECOVERING:
            self.core.control.resume("orders, cash and positions are those of the venues")
