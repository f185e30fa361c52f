"""The tables brought to the end of the journal, a slice a transaction.

What the tables hold is what the store says they are at (`projected_seq`), after every slice, so a
rebuild may die at any point: the next start, or the next rebuild, goes on from there.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from zvt_trading.core.snapshot import digest
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.ports.store import IMPORTING, Store, StoreError, StoreInfo
from zvt_trading.runtime.entries import pages
from zvt_trading.runtime.projections import Projector
from zvt_trading.runtime.projections.resuming import resume_projector

SLICE: Final = 1_000
"""Events a transaction, and entries in memory: some tens of milliseconds each."""

Progress = Callable[[int, int], None]
"""Called with (done, total)."""


class Rebuilt(Struct, frozen=True):
    """What was done: the tables are as of entry `entries`, and what the state is there."""

    entries: int
    digest: str


def rebuild(
    store: Store,
    owner: str,
    on_check: Progress | None = None,
    on_progress: Progress | None = None,
) -> Rebuilt:
    """Empty the tables and fill them from the journal.

    Nothing is emptied before the whole journal was checked: the tables of a damaged one may be the
    best that is left. Raises LeaseTakenError while an engine uses the store.
    """
    store.acquire(owner)
    info = finished_info(store)
    end = end_of(store)
    for page in pages(store, 0, end, SLICE):
        report(on_check, page[-1][0].seq, end)
        store.renew()
    store.reset_tables()
    projector = Projector(TradingCore(info.engine_tag))
    catch_up(store, projector, end, on_progress)
    store.release()
    return Rebuilt(end, digest(projector.core.state, projector.core.risk))


def fill_tables(store: Store, on_progress: Progress | None = None) -> Projector:
    """Bring the tables on from where they are; the lease must be ours."""
    projector = _projector_of_tables(store, finished_info(store))
    catch_up(store, projector, end_of(store), on_progress)
    return projector


def catch_up(
    store: Store, projector: Projector, end: int, on_progress: Progress | None = None
) -> None:
    """Bring the tables from the projector's event to entry `end`; the lease must be ours."""
    start = projector.core.state.seq
    for page in pages(store, start, end, SLICE):
        for _, event in page:
            projector.take(event)
        store.renew()
        store.append((), projector.changes())
        report(on_progress, projector.core.state.seq - start, end - start)


def finished_info(store: Store) -> StoreInfo:
    """What a store is; StoreError when its journal is not all there."""
    info = store.info()
    if info.projected_seq == IMPORTING:
        raise StoreError(
            f"{store.name} holds an import that was not finished: run the same `zvt-trading db "
            "import` again, or delete the store"
        )
    return info


def end_of(store: Store) -> int:
    """The number of the newest entry; 0 when there is none."""
    last = store.last()
    return last.seq if last is not None else 0


def report(on_progress: Progress | None, done: int, total: int) -> None:
    """Tell whoever wants to know."""
    if on_progress is not None:
        on_progress(done, total)


def _projector_of_tables(store: Store, info: StoreInfo) -> Projector:
    """The projector that wrote what is in the tables."""
    core = TradingCore(info.engine_tag)
    for page in pages(store, 0, info.projected_seq, SLICE):
        for _, event in page:
            core.replay(event)
    projector = Projector(core)
    resume_projector(projector, store)
    return projector
