"""While the journal cannot keep what happens: new risk stops, cancels still go.

An order whose intent is not durable is not sent, and not sent later either: the price it was meant
for is gone. Everything else that happens is kept in order, and is durable before risk is taken
again; a crash meanwhile forgets it, and the venues are asked for it at the next start.
"""

from typing import Final, cast, final

from zvt_trading.core.journal import Journal
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    KillSwitch,
    SetTradingState,
    SubmitOrder,
    SubmitOrderList,
)
from zvt_trading.messages.events import AmendRequested, Event, OrderPlaced, OrderReleased
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import AmendFailed, SendFailed
from zvt_trading.sim.cashier import Cashier
from zvt_trading.sim.effects import AMENDS, CANCELS, EFFECTS, MOVES, RELEASES, SENDS

REFUSALS_WAITING_MAX: Final = 10_000
"""Events that may wait for the journal before refusals are no longer made into events."""

_STOPS_RISK: Final = (CancelOrder, CancelAll, KillSwitch, SetTradingState)
_JUDGED_BY_GATE: Final = (SubmitOrder, SubmitOrderList, AmendOrder)
_NOT_SENT: Final = "the store could not take it down, so it was not sent"


@final
class Outage:
    """One journal's failures. `is_on` from the first event it did not keep until `end`."""

    def __init__(self, core: TradingCore, cashier: Cashier) -> None:
        self.core: Final = core
        self.cashier: Final = cashier
        self.is_on = False
        self._postponed: list[Event] = []

    def withhold(self, event: Event, journal: Journal, now: int) -> bool:
        """An event that is not durable: whether it may take effect all the same."""
        core = self.core
        self.is_on = True
        if core.state.suspended != Reason.STORE_UNAVAILABLE:
            core.control.suspend(Reason.STORE_UNAVAILABLE, journal.problem())
        effect = EFFECTS.get(type(event), 0)
        if effect == SENDS:
            placed = cast(OrderPlaced, event)
            if not placed.held:
                core.report(now, SendFailed(placed.order_id, _NOT_SENT, now))
        elif effect == RELEASES:
            core.report(now, SendFailed(cast(OrderReleased, event).order_id, _NOT_SENT, now))
        elif effect == AMENDS:
            order_id = cast(AmendRequested, event).order_id
            core.report(now, AmendFailed(order_id, int(Reason.NOT_SENT), _NOT_SENT, now))
        elif effect == MOVES:
            self._postponed.append(event)
        return effect == CANCELS

    def may_pass(self, command: Command, journal: Journal, now: int) -> bool:
        """Whether the core may take a command now; if not, it was refused here.

        What stops risk always may; orders and amends may, and the gate refuses them. Every refusal
        is an event that waits to be written: beyond REFUSALS_WAITING_MAX none is made.
        """
        if isinstance(command, _STOPS_RISK):
            return True
        if journal.waiting() > REFUSALS_WAITING_MAX:
            return False
        if isinstance(command, _JUDGED_BY_GATE):
            return True
        self.core.refuse(now, command, Reason.STORE_UNAVAILABLE, journal.problem())
        return False

    def end(self, now: int, *, is_recovered: bool) -> None:
        """The journal has everything; `is_recovered`: and nothing else keeps us from trading."""
        self.is_on = False
        postponed = self._postponed
        self._postponed = []
        for event in postponed:
            self.cashier.carry_out(event, now)
        text = "the store has everything again"
        if is_recovered:
            self.core.control.resume(text)
        else:
            self.core.control.suspend(Reason.RECOVERING, text)
