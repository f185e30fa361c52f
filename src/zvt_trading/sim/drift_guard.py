"""After recovery: every reading of a venue's books is compared with ours, and drift halts.

A drifting order or position halts its symbol. Cash belongs to all that is traded at a venue, so
drifting cash, and what names no instrument of ours, halts the venue. A halt stays until a person
re-arms it, also when the drift is gone, which is told; to re-arm while it lasts is that person's
decision, and only another amount halts again. While the engine is suspended nothing is compared: no
new risk is taken then, and money that waits for the store differs.
"""

from typing import Final, final

from zvt_trading.core.drift import DriftWatch
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.reconcile import CASH, ORDER, Difference, Statement, differences
from zvt_trading.core.state import State
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import (
    HALTED,
    NO_REQUEST,
    SCOPE_SYMBOL,
    SCOPE_VENUE,
    SUBMITTED,
    UNKNOWN,
)
from zvt_trading.messages.events import DriftCleared, ReportQuarantined
from zvt_trading.messages.reasons import Reason

SPACING: Final = SECOND
"""Readings closer than this are one: what is on its way at one is so at the other."""


@final
class DriftGuard:
    """One engine's watches, a venue each; they begin anew with every recovery."""

    def __init__(self, core: TradingCore) -> None:
        self.core: Final = core
        self._watches: dict[str, DriftWatch] = {}
        self._read: dict[str, int] = {}  # when each venue was last compared

    def forget(self) -> None:
        """Recovery begins: it compares by itself."""
        self._watches.clear()
        self._read.clear()

    def read(self, venue: str, statement: Statement, now: int) -> None:
        """Compare a venue's books, as they stood after everything in its history was taken in."""
        state = self.core.state
        if state.suspended or now - self._read.get(venue, now - SPACING) < SPACING:
            return
        self._read[venue] = now
        watch = self._watches.setdefault(venue, DriftWatch())
        found = differences(state, venue, statement)
        watch.read([one for one in found if not _is_under_way(state, one)])
        for difference in watch.drifting:
            self._halt(difference)
        recorder = self.core.recorder
        for name in watch.cleared:
            recorder.record(DriftCleared(recorder.seq(), recorder.now, venue, name))

    def _halt(self, difference: Difference) -> None:
        """Tell of a drift, and take no new risk in what it concerns."""
        state = self.core.state
        recorder = self.core.recorder
        text = str(difference)
        recorder.record(
            ReportQuarantined(recorder.seq(), recorder.now, "Statement", difference.name(), text)
        )
        scope, key = SCOPE_VENUE, difference.venue
        halted = state.venues[key].trading_state == HALTED if key in state.venues else True
        market = state.markets.get(difference.instrument)
        if market is not None and difference.subject_kind != CASH:
            scope, key = SCOPE_SYMBOL, market.symbol.name
            halted = market.symbol.trading_state == HALTED
        if not halted:
            self.core.control.change_state(
                scope, key, HALTED, Reason.RECONCILIATION_DRIFT, 0, 0,
                f"{text}; a person must re-arm",
            )  # fmt: skip


def _is_under_way(state: State, difference: Difference) -> bool:
    """Whether it is an order that waits for an answer, which the inquiry about it will bring."""
    if difference.subject_kind != ORDER:
        return False
    order = state.orders.get(difference.subject)
    if order is None or is_closed(order.life):
        return False
    return order.life in (SUBMITTED, UNKNOWN) or order.pending != NO_REQUEST
