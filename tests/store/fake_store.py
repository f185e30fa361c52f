"""A store in memory that does what a test says, and remembers what it was asked to do."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import Condition, Event, current_thread

from store_world import Tables, as_entries, key_of

from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.events import Event as CoreEvent
from zvt_trading.ports import store as port
from zvt_trading.ports.store import (
    FIRST_CHECKSUM,
    Changes,
    Entry,
    EntryRow,
    FencedError,
    Lease,
    LeaseState,
    Row,
    Snapshot,
    StoreError,
    StoreInfo,
    StoreUnavailableError,
    TablesRefusedError,
)
from zvt_trading.ports.tables import APPEND_ONLY
from zvt_trading.runtime.entries import Chain, checked
from zvt_trading.runtime.projections import Projector
from zvt_trading.runtime.recovery import Recovered

PATIENCE = 30
"""Seconds until a test that waits for something gives up; never waited for when all is well."""

Append = Callable[[Sequence[EntryRow], Changes | None], None]


class FakeStore:
    """`script`: what the next appends do; after it they keep what they are given."""

    name = "fake"

    def __init__(self, *, is_at_hand: bool = False) -> None:
        self.is_at_hand = is_at_hand
        self.journal: dict[int, EntryRow] = {}
        self.written = Tables()
        self.saved: dict[int, Snapshot] = {}
        self.calls: list[str] = []
        self.appends: list[list[int]] = []  # the numbers of each that was kept
        self.threads: list[str] = []  # who asked for each append
        self.script: deque[Append] = deque()
        self.reopening: deque[StoreError] = deque()  # errors of the next reopens
        self.renewing: deque[StoreError] = deque()
        self.releasing: deque[StoreError] = deque()
        self.refuses_tables = False
        self.was_interrupted = Event()
        self._changed = Condition()

    def wait_until(self, predicate: Callable[[], object]) -> None:
        """Until something is true of the store."""
        with self._changed:
            assert self._changed.wait_for(predicate, PATIENCE), self.calls

    @contextmanager
    def _noted(self, name: str) -> Iterator[None]:
        """A call, with everybody else kept out; whoever waits looks again after it."""
        with self._changed:
            self.calls.append(name)
            try:
                yield
            finally:
                self._changed.notify_all()

    # What a store does.

    def append(self, entries: Sequence[EntryRow], changes: Changes | None) -> None:
        """As the script says."""
        with self._noted("append"):
            self.threads.append(current_thread().name)
            step = self.script.popleft() if self.script else self.keep
        step(entries, changes)

    def keep(self, entries: Sequence[EntryRow], changes: Changes | None) -> None:
        """All or nothing, as real ones do."""
        with self._noted("keep"):
            if any(row[0] in self.journal for row in entries):
                raise FencedError("a number is taken")
            if changes is not None:
                self._check(changes)
                self.written.apply(changes)
            self.journal.update((row[0], row) for row in entries)
            self.appends.append([row[0] for row in entries])

    def _check(self, changes: Changes) -> None:
        """Rows that never change are inserted: they must not be there yet."""
        twice = [
            row
            for table in APPEND_ONLY
            for row in changes.upserts.get(table, ())
            if key_of(table, row) in self.written.rows[table]
        ]
        if self.refuses_tables or twice:
            raise TablesRefusedError(f"the tables cannot be brought to event {changes.seq}")

    def last(self) -> Entry | None:
        """The newest entry."""
        return as_entries([self.journal[max(self.journal)]])[0] if self.journal else None

    def entries(self, after: int, limit: int | None = None) -> Iterator[Entry]:
        """In order."""
        rows = [self.journal[seq] for seq in sorted(self.journal) if seq > after]
        yield from as_entries(rows[:limit])

    def checksums(self, first: int, last: int) -> list[tuple[int, int, int]]:
        """Of what is there."""
        with self._noted("checksums"):
            rows = [self.journal[seq] for seq in sorted(self.journal) if first <= seq <= last]
            return [(row[0], row[2], row[6]) for row in rows]

    def save_snapshot(self, snapshot: Snapshot, keep: int) -> None:
        """And drop the oldest."""
        with self._noted("save_snapshot"):
            self.saved[snapshot.seq] = snapshot
            for seq in sorted(self.saved)[:-keep]:
                del self.saved[seq]

    def renew(self) -> None:
        """Or fail as told."""
        with self._noted("renew"):
            if self.renewing:
                raise self.renewing.popleft()

    def reopen(self) -> None:
        """Or fail as told."""
        with self._noted("reopen"):
            if self.reopening:
                raise self.reopening.popleft()

    def release(self) -> None:
        """Or fail as told."""
        with self._noted("release"):
            if self.releasing:
                raise self.releasing.popleft()

    def interrupt(self) -> None:
        """Whoever waits with `blocks` gets an error."""
        with self._noted("interrupt"):
            self.was_interrupted.set()

    def rest(self) -> None:
        """Nothing."""
        with self._noted("rest"):
            pass

    def close(self) -> None:
        """Nothing."""
        with self._noted("close"):
            pass

    def info(self) -> StoreInfo:
        """As of what was written."""
        return StoreInfo("0" * 32, 1, self.written.seq)

    # What no test of the keeper asks for.

    def read(self, table: str, columns: Sequence[str], ids: Sequence[str] | None) -> list[Row]:
        """Not this one."""
        raise NotImplementedError

    def tables(self) -> AbstractContextManager[port.Tables]:
        """Not this one."""
        raise NotImplementedError

    def reset_tables(self) -> None:
        """Not this one."""
        raise NotImplementedError

    def snapshots(self) -> list[int]:
        """Newest first."""
        return sorted(self.saved, reverse=True)

    def snapshot(self, seq: int) -> Snapshot | None:
        """One of them."""
        return self.saved.get(seq)

    def adopt(self, store_id: str, engine_tag: int, epoch: int) -> None:
        """Not this one."""
        raise NotImplementedError

    def lease(self) -> LeaseState:
        """Not this one."""
        raise NotImplementedError

    def acquire(self, owner: str) -> Lease:
        """Always ours."""
        return Lease(1, owner)

    # What the tests look at.

    def events(self) -> list[CoreEvent]:
        """What is in the journal, checked from the first entry on."""
        entries = as_entries(self.journal[seq] for seq in sorted(self.journal))
        return [event for _, event in checked(entries, self.name, 0, FIRST_CHECKSUM)]

    # Steps of a script.

    def fails(self, error: StoreError | Exception) -> Append:
        """Nothing is kept."""

        def step(_entries: Sequence[EntryRow], _changes: Changes | None) -> None:
            raise error

        return step

    def keeps_and_fails(self, error: StoreError, count: int | None = None) -> Append:
        """It is kept (or the first ones are), but nobody hears of it."""

        def step(entries: Sequence[EntryRow], changes: Changes | None) -> None:
            self.keep(entries[:count], changes)
            raise error

        return step

    def blocks(self, until: Event) -> Append:
        """It does not answer until then; it fails when it was interrupted, else it is kept."""

        def step(entries: Sequence[EntryRow], changes: Changes | None) -> None:
            assert until.wait(PATIENCE)
            if self.was_interrupted.is_set():
                self.was_interrupted.clear()
                raise StoreUnavailableError("interrupted")
            self.keep(entries, changes)

        return step


def new_engine() -> Recovered:
    """What `recover` gives of an empty store."""
    return Recovered(TradingCore(), Chain(1, 0, FIRST_CHECKSUM), Projector(TradingCore()), 0)


def until(predicate: Callable[[], object]) -> None:
    """Until something is true that another thread is about to make true."""
    for _ in range(10_000_000):
        if predicate():
            return
        os.sched_yield()
    raise AssertionError("it never came true")
