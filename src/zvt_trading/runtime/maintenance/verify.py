"""Proves a store: the journal entry by entry, and that everything made from it is what it gives.

It only reads, and reads a little at a time, so an engine may trade on the store meanwhile. What the
tables and snapshots are is looked at first and the end of the journal after that: they are made
from durable entries only, so the journal has all they can know.
"""

from msgspec import Struct

from zvt_trading.core.invariants import problems as broken_invariants
from zvt_trading.core.snapshot import digest
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.ports.store import (
    IMPORTING,
    DamagedJournalError,
    Entry,
    Snapshot,
    Store,
    StoreInfo,
)
from zvt_trading.ports.tables import COLUMNS
from zvt_trading.runtime.entries import Page, pages
from zvt_trading.runtime.maintenance.rebuild import SLICE, Progress, end_of, report
from zvt_trading.runtime.maintenance.tables_check import TablesCheck
from zvt_trading.runtime.projections import Projector
from zvt_trading.runtime.snapshots import SnapshotError, load_snapshot


class Verified(Struct, frozen=True):
    """What was looked at, and what is wrong; `digest` is of the state after entry `entries`.

    After the first damaged entry nothing more can be said, so what was found then is not complete.
    """

    entries: int
    snapshots: int
    tables: int
    rows: int
    tables_seq: int
    digest: str
    problems: list[str]


def verify(store: Store, on_progress: Progress | None = None) -> Verified:
    """Check everything; the store's own errors are raised, what is wrong with it is told."""
    return _Proof(store).go(on_progress)


class _Proof:
    """One look at a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.info: StoreInfo = store.info()
        self.problems: list[str] = []
        self.rows = TablesCheck(store)
        self.snapshots: dict[int, Snapshot] = {}  # without their bodies
        self.core = TradingCore(self.info.engine_tag)
        self.projector = Projector(self.core)

    def go(self, on_progress: Progress | None) -> Verified:
        """All of it."""
        if self.rows.seq == IMPORTING:
            self.problems.append("an import into this store was not finished")
        self._load_snapshots()
        end = self._end()
        if self._replay(end, on_progress):
            self._look_past(end)
            self.problems.extend(broken_invariants(self.core.state))
        return Verified(
            entries=self.core.state.seq,
            snapshots=len(self.snapshots),
            tables=len(COLUMNS),
            rows=self.rows.rows,
            tables_seq=max(0, self.rows.seq),
            digest=digest(self.core.state, self.core.risk),
            problems=self.problems,
        )

    def _load_snapshots(self) -> None:
        """Each gives the state that its digest is of."""
        for seq in self.store.snapshots():
            snapshot = self.store.snapshot(seq)
            if snapshot is None:  # an engine has dropped it since
                continue
            try:
                load_snapshot(TradingCore(self.info.engine_tag), snapshot, self.store.name)
            except SnapshotError as error:
                self.problems.append(str(error))
            self.snapshots[seq] = Snapshot(
                seq, snapshot.ts, snapshot.epoch, snapshot.version, snapshot.digest,
                snapshot.chain, b"", 0,
            )  # fmt: skip

    def _end(self) -> int:
        """The last entry that there is; a store may know that there were more."""
        try:
            return end_of(self.store)
        except DamagedJournalError as error:
            self.problems.append(str(error))
            return error.seq - 1

    def _replay(self, end: int, on_progress: Progress | None) -> bool:
        """Everything that the journal says; False when it could not be read to its end."""
        if self.rows.seq <= 0:
            self.problems.extend(self.rows.problems())
        try:
            for page in pages(self.store, 0, end, SLICE):
                if not self._take(page):
                    return False
                report(on_progress, self.core.state.seq, end)
        except DamagedJournalError as error:
            self.problems.append(str(error))
            return False
        return True

    def _take(self, page: Page) -> bool:
        for entry, event in page:
            try:
                if entry.seq <= self.rows.seq:
                    self.projector.take(event)
                else:
                    self.core.replay(event)
            except Exception as error:  # noqa: BLE001 - whatever it is, this is the entry to look at
                self.problems.append(
                    f"{self.store.name}: entry {entry.seq} ({entry.kind}) cannot be applied: "
                    f"{type(error).__name__}: {error}"
                )
                return False
            if entry.seq == self.rows.seq:
                self.rows.take(self.projector.changes())
                self.problems.extend(self.rows.problems())
            self._compare_snapshot(entry)
        if self.core.state.seq < self.rows.seq:
            self.rows.take(self.projector.changes())
        return True

    def _compare_snapshot(self, entry: Entry) -> None:
        snapshot = self.snapshots.get(entry.seq)
        if snapshot is None:
            return
        where = f"{self.store.name}: the snapshot of event {entry.seq}"
        if snapshot.chain != entry.checksum:
            self.problems.append(f"{where} is of another journal")
        elif snapshot.digest != digest(self.core.state, self.core.risk):
            self.problems.append(f"{where} is not the state that the journal gives")

    def _look_past(self, end: int) -> None:
        """Nothing can be of an entry that is not there."""
        if self.rows.seq > end:
            self.problems.append(
                f"the tables are as of entry {self.rows.seq}, but the journal ends at {end}: "
                "entries are gone"
            )
        self.problems.extend(
            f"there is a snapshot of event {seq}, but the journal ends at {end}: entries are gone"
            for seq in self.snapshots
            if seq > end
        )
