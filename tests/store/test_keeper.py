"""The keeper: groups in, durable or not, in order, whatever the store does."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Event, Thread, current_thread
from typing import Final

import pytest
from fake_store import PATIENCE, FakeStore, new_engine, until
from journal_world import open_orders
from store_world import digest_of, entries_of, projected, replayed, said, simulated

from zvt_trading.core.rng import Rng
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.events import CommandRefused
from zvt_trading.messages.events import Event as CoreEvent
from zvt_trading.messages.reasons import Reason
from zvt_trading.ports.store import (
    FencedError,
    StoreError,
    StoreFailedError,
    StoreUnavailableError,
)
from zvt_trading.runtime import keeper as keeper_module
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.recovery import Recovered
from zvt_trading.runtime.snapshots import KEPT, load_snapshot

AWAY: Final = StoreUnavailableError("the disk is full: make room")
SCRIPTED: Final = "zvt-trading-store"
RENEW_SECONDS: Final = 1_000
"""So long that a thread which was not woken is not taken for one that was."""
EVENTS: Final = simulated(5)


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

    def commit_all(self, events: Sequence[CoreEvent], size: int = 7) -> None:
        """Groups of one size, each of them kept."""
        for at in range(0, len(events), size):
            assert self.keeper.commit(list(events[at : at + size]))


Rigs = Callable[..., Rig]


@pytest.fixture(autouse=True)
def long_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread with nothing to do sleeps until somebody wakes it."""
    monkeypatch.setattr(keeper_module, "RENEW_SECONDS", RENEW_SECONDS)


@pytest.fixture
def rigs() -> Iterator[Rigs]:
    """Makes rigs, and closes them in the end."""
    made: list[Rig] = []

    def make(store: FakeStore, **options: object) -> Rig:
        made.append(Rig(store, **options))  # type: ignore[arg-type]  # those of Rig
        return made[-1]

    yield make
    for rig in made:
        rig.keeper.close()


@pytest.fixture(params=[False, True], ids=["elsewhere", "at hand"])
def store(request: pytest.FixtureRequest) -> FakeStore:
    """On another machine, or a file of this one."""
    return FakeStore(is_at_hand=request.param)


def written_to(store: FakeStore, seq: int) -> Callable[[], bool]:
    """Whether the tables are as of an event."""
    return lambda: store.written.seq == seq


def renewals(store: FakeStore, count: int) -> Callable[[], bool]:
    """Whether the lease was renewed so often."""
    return lambda: store.calls.count("renew") == count


class TestCommitting:
    """A group is durable when `commit` returns."""

    def test_a_group_is_one_append(self, rigs: Rigs, store: FakeStore) -> None:
        keeper = rigs(store).keeper
        events = said(10)
        assert keeper.commit(events[:3])
        assert events[:3] == store.events()
        assert keeper.commit(events[3:])
        assert events == store.events()
        assert [[1, 2, 3], [4, 5, 6, 7, 8, 9, 10]] == [group for group in store.appends if group]
        assert (True, "", 0, "") == (
            keeper.is_up(), keeper.problem(), keeper.waiting(), keeper.tables_problem(),
        )  # fmt: skip

    def test_what_is_elsewhere_is_asked_by_the_stores_thread(self, rigs: Rigs) -> None:
        store = FakeStore(is_at_hand=False)
        rigs(store).commit_all(said(5))
        assert {SCRIPTED} == set(store.threads)

    def test_what_is_at_hand_is_asked_by_the_engines_thread(self, rigs: Rigs) -> None:
        """Unless the other one is at it."""
        store = FakeStore(is_at_hand=True)
        rigs(store).commit_all(said(1))
        assert current_thread().name == store.threads[0]

    def test_while_the_other_thread_is_at_it_it_is_waited_for(self, rigs: Rigs) -> None:
        """Tables are being written: the group is the next thing that is done."""
        store = FakeStore(is_at_hand=True)
        rig = rigs(store)
        may_go_on = Event()
        store.script.extend([store.keep, store.blocks(may_go_on)])
        rig.commit_all(EVENTS[:5])
        store.wait_until(lambda: store.calls.count("append") == 2)  # of the tables, in the gap
        found: list[bool] = []
        thread = Thread(target=lambda: found.append(rig.keeper.commit(list(EVENTS[5:8]))))
        thread.start()
        until(lambda: rig.keeper.waiting() == 3)
        assert [] == found
        may_go_on.set()
        thread.join(PATIENCE)
        assert [True] == found
        assert list(EVENTS[:8]) == store.events()

    def test_an_epoch_of_its_own_is_in_every_entry(self, rigs: Rigs, store: FakeStore) -> None:
        recovered = new_engine()
        recovered.chain.epoch = 7
        rigs(store, recovered=recovered).commit_all(said(5))
        assert entries_of(said(5), epoch=7) == list(store.journal.values())


class TestOutages:
    """What could not be kept is kept as soon as that is possible: in order, once."""

    def assert_recovers(self, rig: Rig, events: Sequence[CoreEvent]) -> None:
        """Everything is there in the end, and the engine hears of it."""
        store = rig.store
        store.wait_until(lambda: len(store.journal) == len(events))
        until(rig.keeper.is_up)
        assert list(events) == store.events()
        assert ("", 0) == (rig.keeper.problem(), rig.keeper.waiting())
        numbers = [seq for group in store.appends for seq in group]
        assert sorted(numbers) == numbers

    def test_a_group_that_fails_is_not_lost(self, rigs: Rigs, store: FakeStore) -> None:
        rig = rigs(store)
        rig.commit_all(said(3))
        store.script.append(store.fails(AWAY))
        store.reopening.extend([AWAY] * 3)
        assert not rig.keeper.commit(said(2, first=4))
        self.assert_recovers(rig, said(5))
        assert rig.keeper.commit(said(1, first=6))
        assert said(6) == store.events()

    def test_while_it_lasts_groups_are_taken_and_not_waited_for(
        self, rigs: Rigs, store: FakeStore
    ) -> None:
        rig = rigs(store)
        is_mended = Event()
        store.script.extend([store.fails(AWAY), store.blocks(is_mended)])
        for seq in range(1, 6):
            assert not rig.keeper.commit(said(1, first=seq))
            assert not rig.keeper.is_up()
            assert seq == rig.keeper.waiting()
        assert str(AWAY) == rig.keeper.problem()
        assert {} == store.journal
        is_mended.set()
        self.assert_recovers(rig, said(5))

    def test_what_comes_after_it_and_before_the_engine_knows_is_kept_at_once(
        self, rigs: Rigs, store: FakeStore
    ) -> None:
        """The thread has everything and rests; the engine has not asked yet."""
        rig = rigs(store)
        store.script.append(store.fails(AWAY))
        assert not rig.keeper.commit(said(2))
        store.wait_until(lambda: store.written.seq == 2)
        assert not rig.keeper.commit(said(2, first=3))
        self.assert_recovers(rig, said(4))

    @pytest.mark.parametrize("failures", [1, 2, 5])
    def test_it_is_tried_again_and_again(self, rigs: Rigs, store: FakeStore, failures: int) -> None:
        """Opening anew each time, since nobody knows what became of the last try."""
        rig = rigs(store)
        store.script.extend([store.fails(AWAY)] * failures)
        assert not rig.keeper.commit(said(3))
        self.assert_recovers(rig, said(3))
        assert failures == store.calls.count("reopen")

    def test_what_had_been_kept_after_all_is_not_kept_twice(
        self, rigs: Rigs, store: FakeStore
    ) -> None:
        rig = rigs(store)
        store.script.append(store.keeps_and_fails(AWAY))
        assert not rig.keeper.commit(said(3))
        self.assert_recovers(rig, said(3))
        assert [[1, 2, 3]] == [group for group in store.appends if group]

    @pytest.mark.parametrize("kept", [1, 2])
    def test_the_part_that_had_been_kept_is_not_kept_twice(
        self, rigs: Rigs, store: FakeStore, kept: int
    ) -> None:
        """By number and checksum, whatever the store's idea of a transaction is."""
        rig = rigs(store)
        store.script.append(store.keeps_and_fails(AWAY, kept))
        assert not rig.keeper.commit(said(3))
        self.assert_recovers(rig, said(3))

    def test_rows_that_had_been_written_after_all_are_not_written_twice(
        self, rigs: Rigs, store: FakeStore
    ) -> None:
        """Trades and ledger entries are inserted: a second time they would be refused."""
        rig = rigs(store)
        store.script.extend([store.keep, store.keeps_and_fails(AWAY)])
        rig.commit_all(EVENTS[:200], size=200)
        store.wait_until(lambda: "reopen" in store.calls)
        assert 200 == store.written.seq
        until(rig.keeper.is_up)
        rig.commit_all(EVENTS[200:])
        rig.keeper.close()
        assert "" == rig.keeper.tables_problem()
        assert projected(EVENTS).rows == store.written.rows

    def test_rows_that_had_not_been_written_are(self, rigs: Rigs, store: FakeStore) -> None:
        rig = rigs(store)
        store.script.extend([store.keep, store.fails(AWAY)])
        rig.commit_all(EVENTS[:200], size=200)
        store.wait_until(lambda: store.written.seq == 200)
        until(rig.keeper.is_up)
        rig.keeper.close()
        assert projected(EVENTS[:200]).rows == store.written.rows

    def test_the_lease_may_be_what_fails(self, rigs: Rigs, store: FakeStore) -> None:
        rig = rigs(store)
        store.renewing.append(AWAY)
        rig.clock.now = RENEW_SECONDS
        rig.keeper.commit(said(1))
        store.wait_until(lambda: "reopen" in store.calls)
        until(rig.keeper.is_up)
        assert rig.keeper.commit(said(1, first=2))
        assert said(2) == store.events()


class TestOthers:
    """Another engine writes to the store: this one stops at once."""

    def test_a_number_that_is_taken(self, rigs: Rigs, store: FakeStore) -> None:
        rig = rigs(store)
        rig.commit_all(said(2))
        store.keep(entries_of(said(1, first=3, text="theirs"), epoch=2), None)
        with pytest.raises(FencedError):
            rig.keeper.commit(said(1, first=3))
        assert (False, 1) == (rig.keeper.is_up(), rig.keeper.waiting())
        with pytest.raises(FencedError):
            rig.keeper.commit(said(1, first=4))
        assert 3 == len(store.journal)

    def test_an_entry_of_another_engine_found_after_an_outage(
        self, rigs: Rigs, store: FakeStore
    ) -> None:
        """The number is there, the checksum is not ours: it was not kept, and never will be."""
        rig = rigs(store)
        theirs = entries_of(said(1, text="theirs"), epoch=2)
        store.script.append(store.fails(AWAY))
        store.journal[1] = theirs[0]
        assert not rig.keeper.commit(said(2))
        until(lambda: "another entry 1, of epoch 2" in rig.keeper.problem())
        with pytest.raises(FencedError, match="this engine must stop"):
            rig.keeper.commit(said(1, first=3))
        assert {1: theirs[0]} == store.journal

    def test_the_lease_was_taken(self, rigs: Rigs, store: FakeStore) -> None:
        rig = rigs(store)
        store.renewing.append(FencedError("taken over by bob"))
        rig.clock.now = RENEW_SECONDS
        with suppress(FencedError):  # when the other thread is as quick
            rig.keeper.commit(said(1))
        until(lambda: not rig.keeper.is_up())
        with pytest.raises(FencedError, match="taken over by bob"):
            rig.keeper.commit(said(1, first=2))
        assert said(1) == store.events()


class TestForGood:
    """Some failures are not waited out: the engine must be started again."""

    @pytest.mark.parametrize("error", [StoreFailedError("did not flush"), StoreError("odd")])
    def test_a_store_that_cannot_be_trusted_is_asked_no_more(
        self, rigs: Rigs, store: FakeStore, error: StoreError
    ) -> None:
        rig = rigs(store)
        rig.commit_all(said(2))
        store.script.append(store.fails(error))
        for seq in range(3, 8):
            assert not rig.keeper.commit(said(1, first=seq))
            assert not rig.keeper.is_up()
        assert str(error) == rig.keeper.problem()
        asked = store.calls.count("append")
        rig.keeper.close()
        assert asked == store.calls.count("append")
        assert said(2) == store.events()
        assert "reopen" not in store.calls
        assert "release" not in store.calls

    def test_a_bug_of_ours_is_told_at_once(self, rigs: Rigs, store: FakeStore) -> None:
        """Nobody waits for a thread that has an error of its own."""
        rig = rigs(store)
        rig.commit_all(said(2))
        store.script.append(store.fails(RuntimeError("an odd thing")))
        assert not rig.keeper.commit(said(1, first=3))
        assert "RuntimeError: an odd thing" in rig.keeper.problem()
        assert not rig.keeper.is_up()
        assert not rig.keeper.commit(said(1, first=4))
        rig.keeper.close()
        assert said(2) == store.events()
        assert "close" == store.calls[-1]

    def test_a_text_that_has_no_stored_form_is_told_at_once(
        self, rigs: Rigs, store: FakeStore
    ) -> None:
        """Half a character, which no UTF-8 has: nothing of its group is kept, nor what follows."""
        rig = rigs(store)
        rig.commit_all(said(2))
        why = int(Reason.INVALID_AMOUNT)
        assert not rig.keeper.commit([CommandRefused(3, 1, "Deposit", why, 0, 0, "\ud800")])
        assert "UnicodeEncodeError" in rig.keeper.problem()
        assert not rig.keeper.commit(said(1, first=4))
        assert said(2) == store.events()


class TestRefusedTables:
    """Tables that do not take their rows are left behind; the journal is not."""

    def test_the_journal_goes_on(self, rigs: Rigs, store: FakeStore) -> None:
        rig = rigs(store)
        store.refuses_tables = True
        rig.commit_all(EVENTS[:50])
        until(rig.keeper.tables_problem)
        assert "cannot be brought to event" in rig.keeper.tables_problem()
        rig.commit_all(EVENTS[50:])
        assert rig.keeper.is_up()
        rig.keeper.close()
        assert list(EVENTS) == store.events()
        assert 0 == store.written.seq
        assert {} == store.saved
        assert ["release", "close"] == store.calls[-2:]

    def test_also_when_a_group_came_with_them(self, rigs: Rigs, store: FakeStore) -> None:
        """The rows and the next group are one transaction: the group is kept without them."""
        rig = rigs(store)
        store.script.extend([store.keep, store.fails(AWAY)])
        store.reopening.extend([AWAY] * 1_000_000)
        rig.commit_all(EVENTS[:50], size=50)
        store.wait_until(lambda: "reopen" in store.calls)
        assert not rig.keeper.commit(list(EVENTS[50:60]))
        store.refuses_tables = True
        store.reopening.clear()
        until(rig.keeper.is_up)
        assert "cannot be brought to event" in rig.keeper.tables_problem()
        rig.commit_all(EVENTS[60:])
        assert list(EVENTS) == store.events()


class TestNoAnswer:
    """A store that does not answer is not waited for longer than `commit_seconds`."""

    def test_it_is_interrupted_and_found_out(self, rigs: Rigs) -> None:
        store = FakeStore()
        rig = rigs(store, commit_seconds=0)
        store.script.append(store.blocks(store.was_interrupted))
        assert not rig.keeper.commit(said(2))
        assert "interrupt" in store.calls
        store.wait_until(lambda: len(store.journal) == 2)
        until(rig.keeper.is_up)
        assert said(2) == store.events()

    def test_it_says_so_and_takes_what_comes(self, rigs: Rigs) -> None:
        store = FakeStore()
        rig = rigs(store, commit_seconds=0)
        is_mended = Event()
        store.script.append(store.blocks(is_mended))
        assert not rig.keeper.commit(said(2))
        assert "fake has not answered for 0 s: check its load" == rig.keeper.problem()
        assert not rig.keeper.is_up()
        assert not rig.keeper.commit(said(2, first=3))
        assert 4 == rig.keeper.waiting()
        store.was_interrupted.clear()
        is_mended.set()
        store.wait_until(lambda: len(store.journal) == 4)
        until(rig.keeper.is_up)
        assert said(4) == store.events()
        assert ("", 0) == (rig.keeper.problem(), rig.keeper.waiting())


class TestLease:
    """It is renewed every few seconds of the monotonic clock."""

    def test_not_before(self, rigs: Rigs) -> None:
        store = FakeStore()
        rig = rigs(store)
        rig.clock.now = RENEW_SECONDS - 0.001
        rig.commit_all(said(9))
        assert "renew" not in store.calls

    def test_then_once(self, rigs: Rigs) -> None:
        store = FakeStore()
        rig = rigs(store)
        for turn in range(1, 4):
            rig.clock.now = turn * RENEW_SECONDS
            rig.commit_all(said(1, first=turn))
            store.wait_until(renewals(store, turn))
        rig.commit_all(said(20, first=4))
        assert 3 == store.calls.count("renew")


class TestTables:
    """Behind the journal, in its order, to its end."""

    def test_they_are_written_when_nothing_else_is_to_be_done(
        self, rigs: Rigs, store: FakeStore
    ) -> None:
        rigs(store).commit_all(EVENTS)
        store.wait_until(lambda: store.written.seq == len(EVENTS))
        assert projected(EVENTS).rows == store.written.rows
        store.wait_until(lambda: "rest" in store.calls)

    @pytest.mark.parametrize("seed", range(6))
    def test_groups_make_no_difference(self, rigs: Rigs, store: FakeStore, seed: int) -> None:
        events = simulated(seed)
        rig = rigs(store, snapshot_every=40)
        rng = Rng(seed)
        at = 0
        while at < len(events):
            group = list(events[at : at + 1 + rng.below(30)])
            assert rig.keeper.commit(group)
            at += len(group)
            if rng.chance(1, 4):
                store.wait_until(written_to(store, at))
        rig.keeper.close()
        assert list(events) == store.events()
        assert projected(events).rows == store.written.rows

    def test_what_was_behind_at_the_start_comes_first(self, rigs: Rigs, store: FakeStore) -> None:
        recovered = new_engine()
        entries = entries_of(EVENTS[:100])
        store.keep(entries, None)
        recovered.chain.seq, recovered.chain.checksum = 100, entries[-1][6]
        recovered.behind.append((EVENTS[:100], entries))
        rig = rigs(store, recovered=recovered)
        rig.commit_all(EVENTS[100:])
        rig.keeper.close()
        assert list(EVENTS) == store.events()
        assert projected(EVENTS).rows == store.written.rows

    def test_snapshots_are_taken_on_the_way(self, rigs: Rigs, store: FakeStore) -> None:
        rig = rigs(store, snapshot_every=50)
        for at in range(0, len(EVENTS), 25):
            assert rig.keeper.commit(list(EVENTS[at : at + 25]))
            end = min(at + 25, len(EVENTS))
            store.wait_until(written_to(store, end))
        store.wait_until(lambda: store.calls.count("save_snapshot") >= len(EVENTS) // 60)
        assert len(store.saved) <= KEPT
        for seq, snapshot in list(store.saved.items()):
            core = TradingCore()
            load_snapshot(core, snapshot, "fake")
            assert digest_of(replayed(EVENTS[:seq])) == digest_of(core)
            assert store.journal[seq][6] == snapshot.chain


class TestClosing:
    """Everything is brought to the store, and the store is given back."""

    def test_in_order(self, rigs: Rigs, store: FakeStore) -> None:
        rig = rigs(store)
        rig.commit_all(EVENTS, size=len(EVENTS))
        rig.keeper.close()
        assert projected(EVENTS).rows == store.written.rows
        assert [len(EVENTS)] == list(store.saved)
        assert store.journal[len(EVENTS)][6] == store.saved[len(EVENTS)].chain
        assert ["save_snapshot", "release", "close"] == store.calls[-3:]

    def test_twice(self, rigs: Rigs, store: FakeStore) -> None:
        rig = rigs(store)
        rig.keeper.close()
        rig.keeper.close()
        assert 1 == store.calls.count("close")

    def test_with_a_large_snapshot_due(self, rigs: Rigs, store: FakeStore) -> None:
        """It is begun, more comes in, and it is due again: closing ends all the same."""
        events = open_orders(150)
        rig = rigs(store, snapshot_every=1)
        rig.commit_all(events, size=100)
        rig.keeper.close()
        assert len(events) == store.written.seq == max(store.saved)

    def test_in_an_outage_it_does_not_wait_for_better_times(
        self, rigs: Rigs, store: FakeStore
    ) -> None:
        rig = rigs(store)
        rig.commit_all(said(2))
        store.script.append(store.fails(AWAY))
        store.reopening.extend([AWAY] * 1_000_000)
        assert not rig.keeper.commit(said(1, first=3))
        rig.keeper.close()
        assert said(2) == store.events()
        assert "release" not in store.calls
        assert "close" == store.calls[-1]

    def test_a_store_that_cannot_be_given_back_is_closed(
        self, rigs: Rigs, store: FakeStore
    ) -> None:
        rig = rigs(store)
        rig.commit_all(said(2))
        store.releasing.append(AWAY)
        rig.keeper.close()
        assert ["release", "close"] == store.calls[-2:]

    def test_tables_that_cannot_be_finished_are_left(self, rigs: Rigs, store: FakeStore) -> None:
        """The next start goes on from there."""
        rig = rigs(store)
        store.script.extend([store.keep, *[store.fails(AWAY)] * 1_000])
        store.reopening.extend([AWAY] * 1_000_000)
        rig.commit_all(EVENTS, size=len(EVENTS))
        rig.keeper.close()
        assert list(EVENTS) == store.events()
        assert 0 == store.written.seq
        assert "close" == store.calls[-1]
