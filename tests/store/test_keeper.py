"""The keeper: groups in, each durable when `commit` returns; tables and snapshots behind."""

from threading import Event, Thread, current_thread
from typing import Final

import pytest
from fake_store import PATIENCE, FakeStore, new_engine, until
from journal_world import open_orders
from keeper_world import AWAY, RENEW_SECONDS, Rigs, renewals, written_to
from store_world import digest_of, entries_of, projected, replayed, said, simulated

from zvt_trading.core.rng import Rng
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.snapshots import KEPT, load_snapshot

SCRIPTED: Final = "zvt-trading-store"
EVENTS: Final = simulated(5)

pytest_plugins = ("keeper_fixtures",)


class TestCommitting:
    """A group is durable when `commit` returns."""

    def test_a_group_is_one_append(self, rigs: Rigs, scripted: FakeStore) -> None:
        keeper = rigs(scripted).keeper
        events = said(10)
        assert keeper.commit(events[:3])
        assert events[:3] == scripted.events()
        assert keeper.commit(events[3:])
        assert events == scripted.events()
        assert [[1, 2, 3], [4, 5, 6, 7, 8, 9, 10]] == [group for group in scripted.appends if group]
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

    def test_an_epoch_of_its_own_is_in_every_entry(self, rigs: Rigs, scripted: FakeStore) -> None:
        recovered = new_engine()
        recovered.chain.epoch = 7
        rigs(scripted, recovered=recovered).commit_all(said(5))
        assert entries_of(said(5), epoch=7) == list(scripted.journal.values())


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
        self, rigs: Rigs, scripted: FakeStore
    ) -> None:
        rigs(scripted).commit_all(EVENTS)
        scripted.wait_until(lambda: scripted.written.seq == len(EVENTS))
        assert projected(EVENTS).rows == scripted.written.rows
        scripted.wait_until(lambda: "rest" in scripted.calls)

    @pytest.mark.parametrize("seed", range(6))
    def test_groups_make_no_difference(self, rigs: Rigs, scripted: FakeStore, seed: int) -> None:
        events = simulated(seed)
        rig = rigs(scripted, snapshot_every=40)
        rng = Rng(seed)
        at = 0
        while at < len(events):
            group = list(events[at : at + 1 + rng.below(30)])
            assert rig.keeper.commit(group)
            at += len(group)
            if rng.chance(1, 4):
                scripted.wait_until(written_to(scripted, at))
        rig.keeper.close()
        assert list(events) == scripted.events()
        assert projected(events).rows == scripted.written.rows

    def test_what_was_behind_at_the_start_comes_first(
        self, rigs: Rigs, scripted: FakeStore
    ) -> None:
        recovered = new_engine()
        entries = entries_of(EVENTS[:100])
        scripted.keep(entries, None)
        recovered.chain.seq, recovered.chain.checksum = 100, entries[-1][6]
        recovered.behind.append((EVENTS[:100], entries))
        rig = rigs(scripted, recovered=recovered)
        rig.commit_all(EVENTS[100:])
        rig.keeper.close()
        assert list(EVENTS) == scripted.events()
        assert projected(EVENTS).rows == scripted.written.rows

    def test_snapshots_are_taken_on_the_way(self, rigs: Rigs, scripted: FakeStore) -> None:
        rig = rigs(scripted, snapshot_every=50)
        for at in range(0, len(EVENTS), 25):
            assert rig.keeper.commit(list(EVENTS[at : at + 25]))
            end = min(at + 25, len(EVENTS))
            scripted.wait_until(written_to(scripted, end))
        scripted.wait_until(lambda: scripted.calls.count("save_snapshot") >= len(EVENTS) // 60)
        assert len(scripted.saved) <= KEPT
        for seq, snapshot in list(scripted.saved.items()):
            core = TradingCore()
            load_snapshot(core, snapshot, "fake")
            assert digest_of(replayed(EVENTS[:seq])) == digest_of(core)
            assert scripted.journal[seq][6] == snapshot.chain


class TestClosing:
    """Everything is brought to the store, and the store is given back."""

    def test_in_order(self, rigs: Rigs, scripted: FakeStore) -> None:
        rig = rigs(scripted)
        rig.commit_all(EVENTS, size=len(EVENTS))
        rig.keeper.close()
        assert projected(EVENTS).rows == scripted.written.rows
        assert [len(EVENTS)] == list(scripted.saved)
        assert scripted.journal[len(EVENTS)][6] == scripted.saved[len(EVENTS)].chain
        assert ["save_snapshot", "release", "close"] == scripted.calls[-3:]

    def test_twice(self, rigs: Rigs, scripted: FakeStore) -> None:
        rig = rigs(scripted)
        rig.keeper.close()
        rig.keeper.close()
        assert 1 == scripted.calls.count("close")

    def test_before_anything_has_begun(self, scripted: FakeStore) -> None:
        """A world that was refused: the scripted is free for the next one."""
        keeper = Keeper(scripted, new_engine(), lambda: 0.0)
        keeper.close()
        assert ["close"] == scripted.calls[-1:]

    def test_with_a_large_snapshot_due(self, rigs: Rigs, scripted: FakeStore) -> None:
        """It is begun, more comes in, and it is due again: closing ends all the same."""
        events = open_orders(150)
        rig = rigs(scripted, snapshot_every=1)
        rig.commit_all(events, size=100)
        rig.keeper.close()
        assert len(events) == scripted.written.seq == max(scripted.saved)

    def test_in_an_outage_it_does_not_wait_for_better_times(
        self, rigs: Rigs, scripted: FakeStore
    ) -> None:
        rig = rigs(scripted)
        rig.commit_all(said(2))
        scripted.script.append(scripted.fails(AWAY))
        scripted.reopening.extend([AWAY] * 1_000_000)
        assert not rig.keeper.commit(said(1, first=3))
        rig.keeper.close()
        assert said(2) == scripted.events()
        assert "release" not in scripted.calls
        assert "close" == scripted.calls[-1]

    def test_a_store_that_cannot_be_given_back_is_closed(
        self, rigs: Rigs, scripted: FakeStore
    ) -> None:
        rig = rigs(scripted)
        rig.commit_all(said(2))
        scripted.releasing.append(AWAY)
        rig.keeper.close()
        assert ["release", "close"] == scripted.calls[-2:]

    def test_tables_that_cannot_be_finished_are_left(self, rigs: Rigs, scripted: FakeStore) -> None:
        """The next start goes on from there."""
        rig = rigs(scripted)
        scripted.script.extend([scripted.keep, *[scripted.fails(AWAY)] * 1_000])
        scripted.reopening.extend([AWAY] * 1_000_000)
        rig.commit_all(EVENTS, size=len(EVENTS))
        rig.keeper.close()
        assert list(EVENTS) == scripted.events()
        assert 0 == scripted.written.seq
        assert "close" == scripted.calls[-1]
