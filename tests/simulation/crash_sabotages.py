"""Starts gone wrong, from outside the engine: each must be found, or the crashes prove nothing.

A sabotage is another way of dying or of coming back, in place of `Crashes`.
"""

from typing import Final

from simulation.crashes import Crashes, CrashingJournal
from zvt_trading.messages.codec import decode_snapshot
from zvt_trading.messages.codes import ACTIVE, SUBMITTED, UNKNOWN
from zvt_trading.messages.events import Event
from zvt_trading.messages.reports import AbsenceProven
from zvt_trading.sim.simulation import Simulation

NEVER: Final = 10**9


class OftenDead(Crashes):
    """Dies at every third step: what is seen only after rare events is seen within few seeds."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.steps_between = 3


class LyingJournal(CrashingJournal):
    """Says that it has what it only will have with the next group."""

    def __init__(self) -> None:
        super().__init__()
        self.promised: list[Event] = []

    def commit(self, events: list[Event]) -> bool:
        """The group before this one."""
        before, self.promised = self.promised, list(events)
        return super().commit(before)


class LyingDisk(Crashes):
    """What was called durable is gone with the power."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.journal = LyingJournal()

    def restarted(self, dead: Simulation) -> Simulation:
        """Without what was promised."""
        if isinstance(self.journal, LyingJournal):
            self.journal.promised.clear()
        return super().restarted(dead)


class LostEnd(Crashes):
    """More is cut off the end than was never durable."""

    def restarted(self, dead: Simulation) -> Simulation:
        """Without the newest event."""
        self.snapshot = None
        del self.journal.events[-1]
        return super().restarted(dead)


class OnlySnapshot(OftenDead):
    """What came after the snapshot is forgotten."""

    def restarted(self, dead: Simulation) -> Simulation:
        """As it was then."""
        if self.snapshot is not None:
            head, _ = decode_snapshot(self.snapshot)
            del self.journal.events[head.seq :]
        return super().restarted(dead)


class NobodyAsked(OftenDead):
    """Trading goes on as if every answer had come."""

    def recover(self, simulation: Simulation) -> None:
        """Started, and that is all."""
        simulation.core.control.start(self.epoch)
        simulation.core.control.resume("")
        simulation.flush()


class HistoryUnread(Crashes):
    """What happened while the engine was away is not fetched."""

    def recover(self, simulation: Simulation) -> None:
        """As if all had been read."""
        for venue in simulation.core.state.venues.values():
            venue.history_cursor = NEVER
        super().recover(simulation)


class MovesUntold(OftenDead):
    """The venues are not told again of the money that was moved."""

    def recover(self, simulation: Simulation) -> None:
        """Everything else."""
        simulation.core.control.start(self.epoch)
        simulation.recover([])


class TakenForAbsent(Crashes):
    """No answer before the crash is taken for a refusal."""

    def recover(self, simulation: Simulation) -> None:
        """Nothing is known of them, so they are given up."""
        core = simulation.core
        super().recover(simulation)
        for order in list(core.state.orders.values()):
            if order.life == UNKNOWN:
                core.report(simulation.now, AbsenceProven(order.id, "crash", simulation.now))


class SentAgain(OftenDead):
    """No answer before the crash is taken for a reason to send again."""

    def recover(self, simulation: Simulation) -> None:
        """Whatever may not have left."""
        orders = simulation.core.state.orders.values()
        unanswered = [order.id for order in orders if order.life in (SUBMITTED, UNKNOWN)]
        super().recover(simulation)
        for order_id in unanswered:
            simulation._send_order(order_id, 0)


class HaltForgotten(OftenDead):
    """What was halted trades again after a start."""

    def recover(self, simulation: Simulation) -> None:
        """As if nobody had pulled the kill switch."""
        simulation.core.state.trading_state = ACTIVE
        super().recover(simulation)


class ReservationsForgotten(Crashes):
    """Money that is held back for orders may be used again after a start."""

    def recover(self, simulation: Simulation) -> None:
        """Every hold is given back."""
        for order in simulation.core.state.orders.values():
            order.hold_balance.release(order.hold)
            order.hold = 0
        super().recover(simulation)


# What is planted, what must be said of it, and within how many seeds it is.
CRASH_SABOTAGES: Final[tuple[tuple[str, type[Crashes], str, int], ...]] = (
    ("a disk that lies", LyingDisk, "I1", 4),
    ("the end is lost", LostEnd, "I4", 4),
    ("only the snapshot", OnlySnapshot, "I4", 4),
    ("nobody is asked", NobodyAsked, "I3", 4),
    ("history unread", HistoryUnread, "I4", 16),
    ("moves untold", MovesUntold, "I6", 24),
    ("taken for absent", TakenForAbsent, "I9", 4),
    ("sent again", SentAgain, "I2", 4),
    ("halt forgotten", HaltForgotten, "I10", 50),
    ("reservations forgotten", ReservationsForgotten, "I7", 4),
)
