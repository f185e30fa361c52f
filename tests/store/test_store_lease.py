"""One engine a store: the next one waits for a living engine, not for a dead one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import msgspec
import psycopg
import pytest
from filelock import FileLock
from store_world import changes_of, entries_of, expire_lease, path_of, query, said, simulated

from conftest import ROOT
from zvt_trading.adapters.store import postgres_store
from zvt_trading.adapters.store.opening import open_store
from zvt_trading.ports.store import FencedError, LeaseState, LeaseTakenError, Snapshot, Store

pytest_plugins = ("store_fixtures",)

SNAPSHOT: Final = Snapshot(1, 1, 1, 1, "d" * 32, 0, b"body", 0)

# A process that takes a store and is gone, as after a kill.
DYING: Final = """
import os, sys
from store_world import entries_of, said
from zvt_trading.adapters.store.opening import open_store
store = open_store(sys.argv[1])
print(store.acquire("dying:1").epoch, flush=True)
store.append(entries_of(said(3)), None)
os._exit(9)
"""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A living engine's lock is asked for once, not for two seconds."""
    monkeypatch.setattr(postgres_store, "LOCK_TRIES", 1)


@pytest.fixture
def other(store: Store, store_url: str) -> Iterator[Store]:
    """A second engine's way to the same store; `store` keeps its own."""
    assert store.name
    opened = open_store(store_url)
    yield opened
    opened.close()


def lease_rows(url: str) -> list[tuple[int, str]]:
    """Who has it: (epoch, owner)."""
    return [(row[0], row[1]) for row in query(url, "SELECT epoch, owner FROM engine_lease")]


def test_each_engine_has_a_higher_epoch(store_url: str) -> None:
    """Whether the one before gave the lease back, or was just gone."""
    epochs = []
    for number in range(4):
        store = open_store(store_url)
        epochs.append(store.acquire(f"box:{number}").epoch)
        if number % 2:
            store.release()
        store.close()
    assert [1, 2, 3, 4] == epochs
    assert [(4, "")] == lease_rows(store_url)


def test_everybody_may_see_who_has_it(store: Store, other: Store) -> None:
    """Epoch, owner and times; nothing is taken by looking."""
    nobody = other.lease()
    store.acquire("alice:7")
    taken = other.lease()
    store.renew()
    renewed = other.lease()
    store.release()
    assert LeaseState(0, "", None, None, None) == nobody
    assert (1, "alice:7") == (taken.epoch, taken.owner)
    times = [taken.acquired_at, taken.renewed_at, taken.expires_at]
    moments = [datetime.fromisoformat(when) for when in times if when is not None]
    assert moments[0] == moments[1] < moments[2]
    assert {timedelta(0)} == {moment.utcoffset() for moment in moments}
    assert taken.acquired_at == renewed.acquired_at
    assert (taken.renewed_at or "") <= (renewed.renewed_at or "")
    assert (1, "") == (other.lease().epoch, other.lease().owner)


@pytest.mark.usefixtures("impatient")
def test_a_second_engine_is_told_who_has_the_store(store: Store, other: Store) -> None:
    """Name, when it was last heard of, what to do; never a password."""
    store.acquire("alice:7")
    with pytest.raises(LeaseTakenError) as refused:
        other.acquire("bob:8")
    said_so = str(refused.value)
    assert "in use by alice:7 (last heard of at 2" in said_so
    assert "its lease runs out at 2" in said_so
    assert "one engine a store" in said_so
    store.renew()
    store.append(entries_of(said(1)), None)


@pytest.mark.usefixtures("impatient")
def test_refused_twice_it_is_still_refused(store: Store, other: Store) -> None:
    """Asking does not take anything away from the one who has it."""
    store.acquire("alice:7")
    for _ in range(2):
        with pytest.raises(LeaseTakenError, match="alice:7"):
            other.acquire("bob:8")
    store.renew()
    store.save_snapshot(SNAPSHOT, keep=1)


def test_a_dead_engines_lease_is_free_at_once(store: Store, other: Store) -> None:
    """It was not given back; its lock, or connection, is gone with it."""
    first = store.acquire("alice:7")
    store.close()
    second = other.acquire("bob:8")
    assert (1, 2) == (first.epoch, second.epoch)
    assert "bob:8" == second.owner


def test_a_killed_process_leaves_a_store_to_go_on_with(store_url: str) -> None:
    """What it appended is there, and nobody has to wait."""
    path = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "tests" / "store"), *sys.path])
    died = subprocess.run(
        [sys.executable, "-c", DYING, store_url],
        env={**os.environ, "PYTHONPATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (9, "1\n") == (died.returncode, died.stdout), died.stderr
    assert [(1, "dying:1")] == lease_rows(store_url)
    store = open_store(store_url)
    last = store.last()
    epoch = store.acquire("heir:2").epoch
    store.close()
    assert last is not None
    assert (3, 2) == (last.seq, epoch)


def test_a_lease_that_was_given_back_is_free(store: Store, other: Store) -> None:
    """While the one who had it still has the store open."""
    store.acquire("alice:7")
    store.release()
    assert 2 == other.acquire("bob:8").epoch


@pytest.mark.usefixtures("impatient")
def test_a_hung_engine_is_taken_over_when_its_lease_has_run_out(
    store: Store, other: Store, store_url: str
) -> None:
    """It lives, so its lock is still there; the next epoch is another's all the same."""
    store.acquire("hung:1")
    expire_lease(store_url)
    assert 2 == other.acquire("heir:2").epoch
    other.append(entries_of(said(1), epoch=2), None)
    other.renew()


@pytest.mark.usefixtures("impatient")
class TestFenced:
    """An engine that wakes up after another has taken its store over."""

    @pytest.fixture
    def fenced(self, store: Store, other: Store, store_url: str) -> Store:
        """It has written two entries; the one who took over, the third."""
        store.acquire("hung:1")
        store.append(entries_of(said(2)), None)
        expire_lease(store_url)
        other.acquire("heir:2")
        other.append(entries_of(said(1, first=3), epoch=2), None)
        return store

    MESSAGE = r"taken over by heir:2 \(epoch 2; ours was 1\): this engine must stop"

    def test_it_cannot_renew(self, fenced: Store) -> None:
        with pytest.raises(FencedError, match=self.MESSAGE):
            fenced.renew()

    def test_it_cannot_append(self, fenced: Store, other: Store) -> None:
        with pytest.raises(FencedError, match=self.MESSAGE):
            fenced.append(entries_of(said(4, first=3)), None)
        assert [1, 2, 3] == [entry.seq for entry in other.entries(0)]

    def test_it_cannot_write_tables(self, fenced: Store, other: Store) -> None:
        with pytest.raises(FencedError, match=self.MESSAGE):
            fenced.append([], changes_of(simulated(2)))
        assert 0 == other.info().projected_seq

    def test_it_cannot_save_a_snapshot(self, fenced: Store, other: Store) -> None:
        with pytest.raises(FencedError, match=self.MESSAGE):
            fenced.save_snapshot(SNAPSHOT, keep=1)
        assert [] == other.snapshots()

    def test_it_cannot_give_back_what_is_not_its_own(self, fenced: Store, store_url: str) -> None:
        with pytest.raises(FencedError, match=self.MESSAGE):
            fenced.release()
        assert [(2, "heir:2")] == lease_rows(store_url)

    def test_the_heir_goes_on(self, fenced: Store, other: Store, store_url: str) -> None:
        other.renew()
        other.append(entries_of(said(1, first=4), epoch=2), None)
        other.save_snapshot(msgspec.structs.replace(SNAPSHOT, epoch=2), keep=1)
        other.release()
        assert [(2, "")] == lease_rows(store_url)
        assert [1, 2, 3, 4] == [entry.seq for entry in fenced.entries(0)]


def until_unlocked(url: str) -> None:
    """PostgreSQL frees a lock when it notices that its owner has gone: a moment later."""
    if url.startswith("sqlite"):
        return
    locked = (
        "SELECT pg_sleep(0.01) FROM pg_locks JOIN pg_database d ON d.oid = database "
        "WHERE locktype = 'advisory' AND d.datname = current_database()"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(1_000):
            if not connection.execute(locked).fetchall():
                return
    pytest.fail("the lock of one that has gone is never freed")


@pytest.mark.usefixtures("impatient")
def test_an_heir_is_as_safe_as_any_once_the_hung_engine_is_gone(
    store: Store, other: Store, store_url: str
) -> None:
    """The lock that the hung one still had is the heir's with the next renewal."""
    store.acquire("hung:1")
    expire_lease(store_url)
    other.acquire("heir:2")
    store.close()
    until_unlocked(store_url)
    other.renew()
    third = open_store(store_url)
    with pytest.raises(LeaseTakenError, match="heir:2"):
        third.acquire("third:3")
    third.close()
    other.renew()


def test_another_program_may_have_the_lock(sqlite_url: str) -> None:
    """It has it, and has not said who it is yet."""
    store = open_store(sqlite_url)
    with (
        FileLock(f"{path_of(sqlite_url)}.lock"),
        pytest.raises(LeaseTakenError, match=r"in use by another program \(last heard"),
    ):
        store.acquire("box:1")
    store.close()


def test_the_owner_may_have_any_name(store: Store, store_url: str) -> None:
    """It is a parameter, not a part of a statement."""
    name = "o'brien's box %s ? {}: 1"
    assert name == store.acquire(name).owner
    assert [(1, name)] == lease_rows(store_url)
