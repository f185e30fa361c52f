"""The keeper when the store fails: for a while, for good, or because another engine has it."""

from collections.abc import Sequence
from contextlib import suppress
from threading import Event
from typing import Final

import pytest
from fake_store import FakeStore, until
from keeper_world import AWAY, RENEW_SECONDS, Rig, Rigs
from store_world import entries_of, projected, said, simulated

from zvt_trading.messages.events import CommandRefused
from zvt_trading.messages.events import Event as CoreEvent
from zvt_trading.messages.reasons import Reason
from zvt_trading.ports.store import FencedError, StoreError, StoreFailedError

EVENTS: Final = simulated(5)

pytest_plugins = ("keeper_fixtures",)


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

    def test_a_group_that_fails_is_not_lost(self, rigs: Rigs, scripted: FakeStore) -> None:
        rig = rigs(scripted)
        rig.commit_all(said(3))
        scripted.script.append(scripted.fails(AWAY))
        scripted.reopening.extend([AWAY] * 3)
        assert not rig.keeper.commit(said(2, first=4))
        self.assert_recovers(rig, said(5))
        assert rig.keeper.commit(said(1, first=6))
        assert said(6) == scripted.events()

    def test_while_it_lasts_groups_are_taken_and_not_waited_for(
        self, rigs: Rigs, scripted: FakeStore
    ) -> None:
        rig = rigs(scripted)
        is_mended = Event()
        scripted.script.extend([scripted.fails(AWAY), scripted.blocks(is_mended)])
        for seq in range(1, 6):
            assert not rig.keeper.commit(said(1, first=seq))
            assert not rig.keeper.is_up()
            assert seq == rig.keeper.waiting()
        assert str(AWAY) == rig.keeper.problem()
        assert {} == scripted.journal
        is_mended.set()
        self.assert_recovers(rig, said(5))

    def test_what_comes_after_it_and_before_the_engine_knows_is_kept_at_once(
        self, rigs: Rigs, scripted: FakeStore
    ) -> None:
        """The thread has everything and rests; the engine has not asked yet."""
        rig = rigs(scripted)
        scripted.script.append(scripted.fails(AWAY))
        assert not rig.keeper.commit(said(2))
        scripted.wait_until(lambda: scripted.written.seq == 2)
        assert not rig.keeper.commit(said(2, first=3))
        self.assert_recovers(rig, said(4))

    @pytest.mark.parametrize("failures", [1, 2, 5])
    def test_it_is_tried_again_and_again(
        self, rigs: Rigs, scripted: FakeStore, failures: int
    ) -> None:
        """Opening anew each time, since nobody knows what became of the last try."""
        rig = rigs(scripted)
        scripted.script.extend([scripted.fails(AWAY)] * failures)
        assert not rig.keeper.commit(said(3))
        self.assert_recovers(rig, said(3))
        assert failures == scripted.calls.count("reopen")

    def test_what_had_been_kept_after_all_is_not_kept_twice(
        self, rigs: Rigs, scripted: FakeStore
    ) -> None:
        rig = rigs(scripted)
        scripted.script.append(scripted.keeps_and_fails(AWAY))
        assert not rig.keeper.commit(said(3))
        self.assert_recovers(rig, said(3))
        assert [[1, 2, 3]] == [group for group in scripted.appends if group]

    @pytest.mark.parametrize("kept", [1, 2])
    def test_the_part_that_had_been_kept_is_not_kept_twice(
        self, rigs: Rigs, scripted: FakeStore, kept: int
    ) -> None:
        """By number and checksum, whatever the scripted's idea of a transaction is."""
        rig = rigs(scripted)
        scripted.script.append(scripted.keeps_and_fails(AWAY, kept))
        assert not rig.keeper.commit(said(3))
        self.assert_recovers(rig, said(3))

    def test_rows_that_had_been_written_after_all_are_not_written_twice(
        self, rigs: Rigs, scripted: FakeStore
    ) -> None:
        """Trades and ledger entries are inserted: a second time they would be refused."""
        rig = rigs(scripted)
        scripted.script.extend([scripted.keep, scripted.keeps_and_fails(AWAY)])
        rig.commit_all(EVENTS[:200], size=200)
        scripted.wait_until(lambda: "reopen" in scripted.calls)
        assert 200 == scripted.written.seq
        until(rig.keeper.is_up)
        rig.commit_all(EVENTS[200:])
        rig.keeper.close()
        assert "" == rig.keeper.tables_problem()
        assert projected(EVENTS).rows == scripted.written.rows

    def test_rows_that_had_not_been_written_are(self, rigs: Rigs, scripted: FakeStore) -> None:
        rig = rigs(scripted)
        scripted.script.extend([scripted.keep, scripted.fails(AWAY)])
        rig.commit_all(EVENTS[:200], size=200)
        scripted.wait_until(lambda: scripted.written.seq == 200)
        until(rig.keeper.is_up)
        rig.keeper.close()
        assert projected(EVENTS[:200]).rows == scripted.written.rows

    def test_the_lease_may_be_what_fails(self, rigs: Rigs, scripted: FakeStore) -> None:
        rig = rigs(scripted)
        scripted.renewing.append(AWAY)
        rig.clock.now = RENEW_SECONDS
        rig.keeper.commit(said(1))
        scripted.wait_until(lambda: "reopen" in scripted.calls)
        until(rig.keeper.is_up)
        assert rig.keeper.commit(said(1, first=2))
        assert said(2) == scripted.events()


class TestOthers:
    """Another engine writes to the store: this one stops at once."""

    def test_a_number_that_is_taken(self, rigs: Rigs, scripted: FakeStore) -> None:
        rig = rigs(scripted)
        rig.commit_all(said(2))
        scripted.keep(entries_of(said(1, first=3, text="theirs"), epoch=2), None)
        with pytest.raises(FencedError):
            rig.keeper.commit(said(1, first=3))
        assert (False, 1) == (rig.keeper.is_up(), rig.keeper.waiting())
        with pytest.raises(FencedError):
            rig.keeper.commit(said(1, first=4))
        assert 3 == len(scripted.journal)

    def test_an_entry_of_another_engine_found_after_an_outage(
        self, rigs: Rigs, scripted: FakeStore
    ) -> None:
        """The number is there, the checksum is not ours: it was not kept, and never will be."""
        rig = rigs(scripted)
        theirs = entries_of(said(1, text="theirs"), epoch=2)
        scripted.script.append(scripted.fails(AWAY))
        scripted.journal[1] = theirs[0]
        with suppress(FencedError):  # when the other thread is as quick
            assert not rig.keeper.commit(said(2))
        until(lambda: "another entry 1, of epoch 2" in rig.keeper.problem())
        with pytest.raises(FencedError, match="this engine must stop"):
            rig.keeper.commit(said(1, first=3))
        assert {1: theirs[0]} == scripted.journal

    def test_the_lease_was_taken(self, rigs: Rigs, scripted: FakeStore) -> None:
        rig = rigs(scripted)
        scripted.renewing.append(FencedError("taken over by bob"))
        rig.clock.now = RENEW_SECONDS
        with suppress(FencedError):  # when the other thread is as quick
            rig.keeper.commit(said(1))
        until(lambda: not rig.keeper.is_up())
        with pytest.raises(FencedError, match="taken over by bob"):
            rig.keeper.commit(said(1, first=2))
        assert said(1) == scripted.events()


class TestForGood:
    """Some failures are not waited out: the engine must be started again."""

    @pytest.mark.parametrize("error", [StoreFailedError("did not flush"), StoreError("odd")])
    def test_a_store_that_cannot_be_trusted_is_asked_no_more(
        self, rigs: Rigs, scripted: FakeStore, error: StoreError
    ) -> None:
        rig = rigs(scripted)
        rig.commit_all(said(2))
        scripted.script.append(scripted.fails(error))
        for seq in range(3, 8):
            assert not rig.keeper.commit(said(1, first=seq))
            assert not rig.keeper.is_up()
        assert str(error) == rig.keeper.problem()
        asked = scripted.calls.count("append")
        rig.keeper.close()
        assert asked == scripted.calls.count("append")
        assert said(2) == scripted.events()
        assert "reopen" not in scripted.calls
        assert "release" not in scripted.calls

    def test_a_bug_of_ours_is_told_at_once(self, rigs: Rigs, scripted: FakeStore) -> None:
        """Nobody waits for a thread that has an error of its own."""
        rig = rigs(scripted)
        rig.commit_all(said(2))
        scripted.script.append(scripted.fails(RuntimeError("an odd thing")))
        assert not rig.keeper.commit(said(1, first=3))
        assert "RuntimeError: an odd thing" in rig.keeper.problem()
        assert not rig.keeper.is_up()
        assert not rig.keeper.commit(said(1, first=4))
        rig.keeper.close()
        assert said(2) == scripted.events()
        assert "close" == scripted.calls[-1]

    def test_a_text_that_has_no_stored_form_is_told_at_once(
        self, rigs: Rigs, scripted: FakeStore
    ) -> None:
        """Half a character, which no UTF-8 has: nothing of its group is kept, nor what follows."""
        rig = rigs(scripted)
        rig.commit_all(said(2))
        why = int(Reason.INVALID_AMOUNT)
        assert not rig.keeper.commit([CommandRefused(3, 1, "Deposit", why, 0, 0, "\ud800")])
        assert "UnicodeEncodeError" in rig.keeper.problem()
        assert not rig.keeper.commit(said(1, first=4))
        assert said(2) == scripted.events()


class TestRefusedTables:
    """Tables that do not take their rows are left behind; the journal is not."""

    def test_the_journal_goes_on(self, rigs: Rigs, scripted: FakeStore) -> None:
        rig = rigs(scripted)
        scripted.refuses_tables = True
        rig.commit_all(EVENTS[:50])
        until(rig.keeper.tables_problem)
        assert "cannot be brought to event" in rig.keeper.tables_problem()
        rig.commit_all(EVENTS[50:])
        assert rig.keeper.is_up()
        rig.keeper.close()
        assert list(EVENTS) == scripted.events()
        assert 0 == scripted.written.seq
        assert {} == scripted.saved
        assert ["release", "close"] == scripted.calls[-2:]

    def test_also_when_a_group_came_with_them(self, rigs: Rigs, scripted: FakeStore) -> None:
        """The rows and the next group are one transaction: the group is kept without them."""
        rig = rigs(scripted)
        scripted.script.extend([scripted.keep, scripted.fails(AWAY)])
        scripted.reopening.extend([AWAY] * 1_000_000)
        rig.commit_all(EVENTS[:50], size=50)
        scripted.wait_until(lambda: "reopen" in scripted.calls)
        assert not rig.keeper.commit(list(EVENTS[50:60]))
        scripted.refuses_tables = True
        scripted.reopening.clear()
        until(rig.keeper.is_up)
        assert "cannot be brought to event" in rig.keeper.tables_problem()
        rig.commit_all(EVENTS[60:])
        assert list(EVENTS) == scripted.events()
