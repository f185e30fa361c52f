"""A keeper on a scripted store, with a clock that a test sets."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import pytest
from fake_store import PATIENCE, FakeStore, new_engine

from zvt_trading.messages.events import Event
from zvt_trading.ports.store import StoreUnavailableError
from zvt_trading.runtime import keeper as keeper_module
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.recovery import Recovered

AWAY: Final = StoreUnavailableError("the disk is full: make room")
RENEW_SECONDS: Final = 1_000
"""So long that a thread which was not woken is not taken for one that was."""


class Clock:
    """Seconds, as a test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Rig:
    """A keeper on a scripted store."""

    def __init__(
        self,
        store: FakeStore,
        *,
        commit_seconds: int = PATIENCE,
        recovered: Recovered | None = None,
        snapshot_every: int = 10**9,
    ) -> None:
        self.store = store
        self.clock = Clock()
        self.keeper = Keeper(
            store,
            recovered if recovered is not None else new_engine(),
            self.clock,
            commit_seconds=commit_seconds,
            retry_ms=1,
            snapshot_every=snapshot_every,
        )
        self.keeper.start()

    def commit_all(self, events: Sequence[Event], size: int = 7) -> None:
        """Groups of one size, each of them kept."""
        for at in range(0, len(events), size):
            assert self.keeper.commit(list(events[at : at + size]))


Rigs = Callable[..., Rig]


@contextmanager
def making_rigs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rigs]:
    """Makes rigs, and closes them in the end.

    Their threads, with nothing to do, sleep until somebody wakes them.
    """
    monkeypatch.setattr(keeper_module, "RENEW_SECONDS", RENEW_SECONDS)
    made: list[Rig] = []

    def make(store: FakeStore, **options: object) -> Rig:
        made.append(Rig(store, **options))  # type: ignore[arg-type]  # those of Rig
        return made[-1]

    yield make
    for rig in made:
        rig.keeper.close()


def written_to(store: FakeStore, seq: int) -> Callable[[], bool]:
    """Whether the tables are as of an event."""
    return lambda: store.written.seq == seq


def renewals(store: FakeStore, count: int) -> Callable[[], bool]:
    """Whether the lease was renewed so often."""
    return lambda: store.calls.count("renew") == count
