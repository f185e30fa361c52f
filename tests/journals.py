"""Journals without a disk: they remember, fail or crash as a test says."""

from zvt_trading.core.journal import Journal
from zvt_trading.messages.events import Event


class ListJournal(Journal):
    """Keeps everything; while `is_broken` it takes the events in and does not keep them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.backlog: list[Event] = []
        self.is_broken = False
        self.commits = 0

    def commit(self, events: list[Event]) -> bool:
        """One group."""
        self.backlog.extend(events)
        if self.is_broken:
            return False
        self.events.extend(self.backlog)
        self.backlog.clear()
        self.commits += 1
        return True

    def mend(self) -> None:
        """The fault is over; what waited is kept now."""
        self.is_broken = False
        self.commit([])

    def is_up(self) -> bool:
        """Whether everything is kept."""
        return not self.is_broken and not self.backlog

    def problem(self) -> str:
        """What to say of it."""
        return "the disk is full: make room, the engine goes on by itself"

    def waiting(self) -> int:
        """How many events are not kept."""
        return len(self.backlog)
