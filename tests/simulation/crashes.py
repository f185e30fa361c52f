"""The engine dies and starts again, in the deterministic simulation.

Dying is an exception that nobody catches: from the journal before or after it kept a group, or from
a subscriber in the middle of a group, when a part of its orders is sent and the rest is not. What
was on its way to us is lost, what was on its way to the venues still arrives.
"""

from collections import Counter
from typing import Final

from journals import ListJournal
from zvt_trading.core.restore import forget_prices, restore, snapshot_head, snapshot_parts
from zvt_trading.core.rng import Rng
from zvt_trading.core.snapshot import digest
from zvt_trading.core.state import State
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codec import decode_event, decode_snapshot, encode_event, encode_part
from zvt_trading.messages.codes import (
    AMEND_REQUESTED,
    CANCEL_REQUESTED,
    PENDING,
    SUBMITTED,
    UNKNOWN,
)
from zvt_trading.messages.events import Event
from zvt_trading.messages.reasons import Reason
from zvt_trading.sim.effects import EFFECTS, MOVES
from zvt_trading.sim.simulation import Simulation

MOVES_REPEATED: Final = 50
"""Events about money that the venues are told of again after a start."""

BEFORE_COMMIT: Final = "crash before a commit"
AFTER_COMMIT: Final = "crash after a commit"
BETWEEN_EFFECTS: Final = "crash between two effects"
WHILE_STARTING: Final = "crash while starting"
FROM_SNAPSHOT: Final = "start from a snapshot"
FROM_BEGINNING: Final = "start from the beginning"
EVENTS_LOST: Final = "start after an outage of the store"
UNANSWERED: Final = "start with an order without an answer"
UNKNOWN_OUTCOME: Final = "start with an order of unknown outcome"
CANCELLING: Final = "start with a cancel under way"
AMENDING: Final = "start with an amend under way"
HOLDING: Final = "start with an order held back"
SUSPENDED: Final = "start that was still finding out"


class CrashError(BaseException):
    """The process is gone: not an Exception, so that nothing on the way takes it for its own.

    Its text is the place.
    """


class CrashingJournal(ListJournal):
    """Dies at a chosen commit, before or after it is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.dies_in = 0  # commits until then; 0: it does not
        self.dies_after_keeping = False

    def commit(self, events: list[Event]) -> bool:
        """One group, perhaps the last one."""
        dying = self.dies_in == 1
        self.dies_in = max(0, self.dies_in - 1)
        if dying and not self.dies_after_keeping:
            raise CrashError(BEFORE_COMMIT)
        kept = super().commit(events)
        if dying:
            raise CrashError(AFTER_COMMIT)
        return kept


class Crashes:
    """When the engine dies, and how it comes back; `seen` counts what it went through."""

    def __init__(self, seed: int) -> None:
        self.rng = Rng(seed).fork(11)
        self.steps_between = 25  # two crashes, about
        self.journal = CrashingJournal()
        self.seen: Counter[str] = Counter()
        self.epoch = 0
        self.snapshot: bytes | None = None
        self.dies_at_event = 0  # events until a subscriber dies; 0: none does

    def begin(self, simulation: Simulation) -> None:
        """From now on nothing leaves before it is kept."""
        simulation.journal = self.journal
        simulation.core.control.start(0)
        simulation.subscribers.append(self.watch)

    def arm(self) -> None:
        """Perhaps this step is the process's last one, or the store's for a while."""
        if self.journal.is_broken:
            if self.rng.chance(1, 4):
                self.journal.mend()
        elif self.rng.chance(1, 40):
            self.journal.is_broken = True
        if not self.rng.chance(1, self.steps_between):
            return
        if self.rng.chance(1, 2):
            self.dies_at_event = 1 + self.rng.below(4)
        else:
            self.journal.dies_in = 1 + self.rng.below(3)
            self.journal.dies_after_keeping = self.rng.chance(1, 2)

    def disarm(self) -> None:
        """The step is over."""
        self.dies_at_event = 0
        self.journal.dies_in = 0

    def watch(self, event: Event) -> None:
        """A subscriber that dies when its time has come."""
        del event
        if self.dies_at_event == 1:
            raise CrashError(BETWEEN_EFFECTS)
        self.dies_at_event = max(0, self.dies_at_event - 1)

    def restarted(self, dead: Simulation) -> Simulation:
        """A new process with nothing but the journal, and now and then a snapshot."""
        self.disarm()
        self.epoch += 1
        self.seen[EVENTS_LOST] += bool(self.journal.backlog)
        self.journal.backlog.clear()
        self.journal.is_broken = False
        core = TradingCore(epoch=self.epoch)
        start = 0
        if self.snapshot is not None and self.rng.chance(2, 3):
            head, parts = decode_snapshot(self.snapshot)
            restore(core, head, parts)
            start = head.seq
            assert head.digest == digest(core.state, core.risk)
        for event in self.journal.events[start:]:
            core.replay(decode_event(encode_event(event)))
        self._see(core.state, start)
        if self.rng.chance(1, 2):
            known = digest(core.state, core.risk)
            lines = [encode_part(snapshot_head(core.state, core.risk, known))]
            lines.extend(encode_part(part) for part in snapshot_parts(core.state))
            self.snapshot = b"".join(lines)
        forget_prices(core.state)
        simulation = Simulation(core)
        simulation.inherit(dead)
        simulation.journal = self.journal
        simulation.subscribers.append(self.watch)
        return simulation

    def recover(self, simulation: Simulation) -> None:
        """What a start does after the replay; it may die as well."""
        if self.rng.chance(1, 4):
            self.dies_at_event = 1 + self.rng.below(4)
        simulation.core.control.start(self.epoch)
        moves = [event for event in self.journal.events if EFFECTS.get(type(event)) == MOVES]
        simulation.recover(moves[-MOVES_REPEATED:])

    def _see(self, state: State, start: int) -> None:
        """What this start finds."""
        orders = state.orders.values()
        found = {
            FROM_SNAPSHOT: start > 0,
            FROM_BEGINNING: start == 0,
            UNANSWERED: any(order.life == SUBMITTED for order in orders),
            UNKNOWN_OUTCOME: any(order.life == UNKNOWN for order in orders),
            CANCELLING: any(order.pending == CANCEL_REQUESTED for order in orders),
            AMENDING: any(order.pending == AMEND_REQUESTED for order in orders),
            HOLDING: any(order.life == PENDING for order in orders),
            SUSPENDED: state.suspended == Reason.RECOVERING,
        }
        self.seen.update(name for name, is_so in found.items() if is_so)
