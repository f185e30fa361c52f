"""Stores filled by a keeper, as an engine leaves them, and stores that fail when a test says so."""

from collections.abc import Sequence
from typing import Any, Final

from store_world import entries_of, read_all, simulated

from zvt_trading.adapters.store.opening import open_store
from zvt_trading.messages.events import Event
from zvt_trading.ports.store import Changes, Entry, EntryRow, Row, Store
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.recovery import recover

OWNER: Final = "box:1"
GROUP: Final = 7


def live(url: str, events: Sequence[Event]) -> None:
    """An engine's life: it takes the store, these events happen, it closes in order."""
    store = open_store(url)
    try:
        recovered = recover(store, OWNER)
    except BaseException:
        store.close()
        raise
    keeper = Keeper(store, recovered, lambda: 0.0)
    keeper.start()
    for at in range(0, len(events), GROUP):
        assert keeper.commit(list(events[at : at + GROUP]))
    keeper.close()


def lived(url: str, seed: int = 1) -> tuple[Event, ...]:
    """Two lives, hence two snapshots; everything that happened."""
    events = simulated(seed)
    half = len(events) // 2
    live(url, events[:half])
    live(url, events[half:])
    return events


def behind(url: str, seed: int = 1, tables: int = 0) -> tuple[Event, ...]:
    """A journal whose tables are of entry `tables` only, as after a kill."""
    events = simulated(seed)
    if tables:
        live(url, events[:tables])
    store = open_store(url)
    store.acquire(OWNER)
    last = store.last()
    checksum = last.checksum if last is not None else 0
    store.append(entries_of(events[tables:], 3, checksum), None)
    store.release()
    store.close()
    return events


def entries(url: str) -> list[Entry]:
    """Everything in a journal."""
    store = open_store(url)
    try:
        return list(store.entries(0))
    finally:
        store.close()


def rows(url: str) -> dict[str, dict[Row, Row]]:
    """Everything in the tables."""
    store = open_store(url)
    try:
        return read_all(store)
    finally:
        store.close()


class DeathError(BaseException):
    """The process is gone: nothing on the way takes it for its own error."""


class Dying:
    """A store that is gone at its `appends`-th append from now, before or after it happened."""

    def __init__(self, store: Store, appends: int, *, after: bool = False) -> None:
        self._store = store
        self._left = appends
        self._after = after
        self.renewed = 0

    def append(self, new: Sequence[EntryRow], changes: Changes | None) -> None:
        """As the store does it, or not at all."""
        self._left -= 1
        if self._left == 0 and not self._after:
            raise DeathError
        self._store.append(new, changes)
        if self._left == 0:
            raise DeathError

    def renew(self) -> None:
        """Counted."""
        self.renewed += 1
        self._store.renew()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
