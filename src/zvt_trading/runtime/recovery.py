"""From a store to an engine: the lease, the newest snapshot, the entries after it, checked.

What this gives knows everything that was durable, and nothing of what became of it since: it is
suspended (EngineStarted) until its venues have been asked (sim/restart.py).
"""

from collections.abc import Callable, Iterator
from typing import Final

import structlog

from zvt_trading.core.restore import forget_prices
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.events import Event
from zvt_trading.ports.store import (
    FIRST_CHECKSUM,
    DamagedJournalError,
    Entry,
    Snapshot,
    Store,
    StoreInfo,
    TablesRefusedError,
)
from zvt_trading.runtime.entries import Chain, checked, checksum_at, pages
from zvt_trading.runtime.maintenance.rebuild import catch_up, end_of, finished_info, report
from zvt_trading.runtime.projections import Projector
from zvt_trading.runtime.projections.resuming import resume_projector
from zvt_trading.runtime.snapshots import SnapshotError, copy_core, load_snapshot
from zvt_trading.runtime.table_writer import BEHIND_MAX, Group
from zvt_trading.sim.effects import EFFECTS, MOVES

PAGE: Final = 10_000
"""Entries that are read at a time: less than a second."""
MOVES_REPEATED: Final = 100
"""The last entries in which movements of money are looked for, to tell the venues of them again."""

Progress = Callable[[int, int], None]

_log = structlog.get_logger("zvt_trading.store")


class Recovered:
    """What a store held. `core` is not suspended yet: `core.control.start` is its first event."""

    def __init__(
        self, core: TradingCore, chain: Chain, projector: Projector, snapshot: int
    ) -> None:
        self.core = core
        self.chain = chain
        self.projector = projector
        self.snapshot_seq = snapshot  # it was started from; 0: from the beginning
        self.behind: list[Group] = []  # not in the tables yet
        self.tables_problem = ""  # why they stay where they are
        self.moves: list[Event] = []  # of money and leverage, lately

    @property
    def is_new(self) -> bool:
        """Whether nothing ever happened."""
        return self.chain.seq == 0


def recover(store: Store, owner: str, on_progress: Progress | None = None) -> Recovered:
    """Take the lease and replay.

    Raises LeaseTakenError while another engine is alive, DamagedJournalError with the first entry
    that is not what was written, StoreError when the store cannot be used.
    """
    end_of(store)  # nobody's lease is taken for a journal that has lost its end
    lease = store.acquire(owner)
    info = finished_info(store)
    end = end_of(store)  # whatever the engine before wrote until now
    _check_not_ahead(store, info, end)
    core, start, checksum = _newest_state(store, info, end, lease.epoch)
    behind = end - info.projected_seq
    total = end - start + (behind if behind > BEHIND_MAX else 0)
    projected = TradingCore(info.engine_tag) if info.projected_seq == 0 else None
    if info.projected_seq == start and projected is None:
        projected = copy_core(core, info.engine_tag)
    replaying = _part(on_progress, 0, total)
    for entry, event in _replayed(store, start, end, replaying):
        core.replay(event)
        checksum = entry.checksum
        if entry.seq == info.projected_seq:
            projected = copy_core(core, info.engine_tag)
    if core.state.seq != end:
        raise DamagedJournalError(f"{store.name}: entries end at {core.state.seq}, not {end}", end)
    if projected is None:  # the tables are older than the newest snapshot
        projected = _core_at(store, info, info.projected_seq)
    projector = Projector(projected)
    resume_projector(projector, store)
    recovered = Recovered(core, Chain(lease.epoch, end, checksum), projector, start)
    _bring_on_tables(store, recovered, end, _part(on_progress, end - start, total))
    recovered.moves = _moves(store, end)
    forget_prices(core.state)
    return recovered


def _check_not_ahead(store: Store, info: StoreInfo, end: int) -> None:
    """Tables that know more than the journal: its end is gone."""
    if info.projected_seq > end:
        raise DamagedJournalError(
            f"{store.name}: the tables are as of entry {info.projected_seq}, but the journal ends "
            f"at {end}: entries are gone. Restore a backup that has them",
            end + 1,
        )


def _bring_on_tables(
    store: Store, recovered: Recovered, end: int, on_progress: Progress | None
) -> None:
    """What the tables are behind: in memory, for the gaps between orders, or, if much, now."""
    seq = recovered.projector.core.state.seq
    if end - seq <= BEHIND_MAX:
        pairs = list(checked_after(store, seq, end))
        if pairs:
            recovered.behind.append(([event for _, event in pairs], [entry for entry, _ in pairs]))
        return
    try:
        catch_up(store, recovered.projector, end, on_progress)
    except TablesRefusedError as error:
        recovered.tables_problem = str(error)
        _log.critical("the tables are no longer written; run `zvt-trading db rebuild`", error=error)


def _part(on_progress: Progress | None, before: int, total: int) -> Progress | None:
    """Progress of one part as progress of the whole."""
    if on_progress is None:
        return None
    return lambda done, _: on_progress(before + done, total)


def checked_after(store: Store, seq: int, end: int) -> Iterator[tuple[Entry, Event]]:
    """Entries after `seq`, each checked against the one before."""
    if seq >= end:
        return
    yield from checked(store.entries(seq), store.name, seq, checksum_at(store, seq))


def _newest_state(
    store: Store, info: StoreInfo, end: int, epoch: int
) -> tuple[TradingCore, int, int]:
    """(core, event it is at, that entry's checksum) from the newest snapshot that is sound."""
    for seq in store.snapshots():
        snapshot = store.snapshot(seq)
        if snapshot is None or seq > end:
            continue
        core = TradingCore(info.engine_tag, epoch)
        try:
            _check_chain(store, snapshot)
            load_snapshot(core, snapshot, store.name)
        except SnapshotError as error:
            _log.warning("a snapshot cannot be used, the one before is", error=str(error))
            continue
        return core, seq, snapshot.chain
    return TradingCore(info.engine_tag, epoch), 0, FIRST_CHECKSUM


def _check_chain(store: Store, snapshot: Snapshot) -> None:
    """A snapshot is of this journal, or of none."""
    found = store.checksums(snapshot.seq, snapshot.seq)
    if not found:
        raise DamagedJournalError(
            f"{store.name}: entry {snapshot.seq}, of which there is a snapshot, is missing",
            snapshot.seq,
        )
    if found[0][2] != snapshot.chain:
        raise SnapshotError(f"{store.name}: the snapshot of {snapshot.seq} is of another journal")


def _core_at(store: Store, info: StoreInfo, seq: int) -> TradingCore:
    """The state after an event that is older than the newest snapshot."""
    core = TradingCore(info.engine_tag)
    for _, event in _replayed(store, 0, seq, None):
        core.replay(event)
    return core


def _replayed(
    store: Store, start: int, end: int, on_progress: Progress | None
) -> Iterator[tuple[Entry, Event]]:
    """A stretch of the journal, with progress, and the lease kept: it may take a while."""
    for page in pages(store, start, end, PAGE):
        yield from page
        store.renew()
        report(on_progress, page[-1][0].seq - start, end - start)


def _moves(store: Store, end: int) -> list[Event]:
    start = max(0, end - MOVES_REPEATED)
    return [
        event for _, event in checked_after(store, start, end) if EFFECTS.get(type(event)) == MOVES
    ]
