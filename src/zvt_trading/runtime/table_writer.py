"""The tables and snapshots behind a journal: how far they are, and the next step of each."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import structlog

from zvt_trading.messages.events import Event
from zvt_trading.ports.store import (
    FIRST_CHECKSUM,
    Changes,
    EntryRow,
    Store,
    TablesRefusedError,
)
from zvt_trading.runtime.projections import Projector
from zvt_trading.runtime.snapshots import Snapshots

SLICE: Final = 256
"""Events that the tables are brought on by at a time: some milliseconds that a group may wait."""

Group = tuple[Sequence[Event], Sequence[EntryRow]]
"""Events with their entries."""

BEHIND_MAX: Final = 200_000
"""Events that the tables may be behind before they go first (some 100 MB)."""

_log = structlog.get_logger("zvt_trading.store")


class TableWriter:
    """Takes durable events in order; used by the thread that owns the store.

    `problem`: why the tables stay where they are ("" while they do not). The journal is complete
    then; `db rebuild` makes the tables anew with a program that can.
    """

    def __init__(
        self,
        store: Store,
        projector: Projector,
        snapshots: Snapshots,
        behind: Sequence[Group],
    ) -> None:
        """The tables are as of the projector's event; `behind` is what is durable after it."""
        self.problem = ""
        self._store = store
        self._projector = projector
        self._snapshots = snapshots
        seq = projector.core.state.seq
        self._checksum = store.checksums(seq, seq)[0][2] if seq else FIRST_CHECKSUM
        self._behind = deque(behind)  # durable, not in the tables
        self._taken = 0  # events of the oldest group
        self._size = sum(len(events) for events, _ in behind) if behind else 0
        self._changes: Changes | None = None  # made, not written

    @property
    def behind(self) -> int:
        """Events that the tables do not have."""
        return self._size

    @property
    def has_work(self) -> bool:
        """Whether there is anything to be done."""
        return bool(self._behind) or self._changes is not None or self._snapshots.is_under_way

    def add(self, events: Sequence[Event], entries: Sequence[EntryRow]) -> None:
        """These are durable now."""
        if not self.problem:
            self._behind.append((events, entries))
            self._size += len(events)

    def append_with(self, entries: Sequence[EntryRow]) -> None:
        """Append to the journal, and write what is prepared in the same transaction."""
        changes = self._changes
        try:
            self._store.append(entries, changes)
        except TablesRefusedError as error:
            self._give_up(error)
            self._store.append(entries, None)
        self._changes = None

    def find_out(self) -> None:
        """After an outage: whether what was prepared had been written after all."""
        if self._changes is not None and self._store.info().projected_seq >= self._changes.seq:
            self._changes = None

    def prepare(self, events: int) -> None:
        """Work out what up to so many events did, or a little of the next snapshot."""
        if self._changes is not None or self.problem:
            return
        seq = self._projector.core.state.seq
        if self._snapshots.is_due(seq):
            self._snapshots.work(self._projector.core, self._checksum)
        elif self._behind:
            self._take(events)
            self._changes = self._projector.changes()

    def write(self) -> None:
        """Write what is prepared, now."""
        if self._changes is not None:
            self.append_with(())

    def finish(self) -> None:
        """Everything, and a snapshot of the last event."""
        self.write()
        self._snapshots.abandon()  # the core is about to change
        while self._behind and not self.problem:
            self._take(SLICE)
            self._changes = self._projector.changes()
            self.write()
        if not self.problem:
            self._snapshots.finish(self._projector.core, self._checksum)

    def _take(self, count: int) -> None:
        """Hand the projector that many events, or all there are."""
        while count and self._behind:
            events, entries = self._behind[0]
            end = min(self._taken + count, len(events))
            for event in events[self._taken : end]:
                self._projector.take(event)
            self._checksum = entries[end - 1][6]
            count -= end - self._taken
            self._size -= end - self._taken
            self._taken = end
            if end == len(events):
                self._behind.popleft()
                self._taken = 0

    def _give_up(self, error: TablesRefusedError) -> None:
        """The journal goes on without the tables."""
        self.problem = str(error)
        self._behind.clear()
        self._size = 0
        _log.critical("the tables are no longer written; run `zvt-trading db rebuild`", error=error)
