"""The desk: many threads call, one serves, everybody gets what is his."""

from threading import Barrier, Event, Thread
from typing import Any

import pytest
from desk_world import Outcome, Till, joined
from fake_store import PATIENCE, until

from zvt_trading.runtime.desk import ROUND_MAX


class TestCalls:
    """Each call has its own outcome, once what it decided is durable."""

    def test_one(self) -> None:
        till = Till()
        assert 10 == till.desk.run(till.call(1))
        assert [[1]] == till.groups

    def test_one_after_the_other(self) -> None:
        till = Till()
        assert [10, 20, 30] == [till.desk.run(till.call(number)) for number in (1, 2, 3)]
        assert [[1], [2], [3]] == till.groups

    def test_a_call_that_decides_nothing(self) -> None:
        """As one that only looks, or is refused outright."""
        till = Till()
        assert "seen" == till.desk.run(lambda: lambda: "seen")
        assert [] == till.groups

    @pytest.mark.parametrize("threads", [2, 8, 64])
    def test_many_at_once(self, threads: int) -> None:
        """Each thread its own result, each call made durable once, never two threads inside."""
        till = Till()
        calls = 640 // threads
        barrier = Barrier(threads)
        found: dict[int, list[Any]] = {}

        def work(thread: int) -> None:
            barrier.wait(PATIENCE)
            found[thread] = [
                till.desk.run(till.call(thread * calls + number)) for number in range(calls)
            ]

        workers = [Thread(target=work, args=(thread,), daemon=True) for thread in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(PATIENCE)
            assert not worker.is_alive()
        expected = {
            thread: [10 * (thread * calls + number) for number in range(calls)]
            for thread in range(threads)
        }
        assert expected == found
        assert list(range(640)) == sorted(till.durable)
        assert max(len(group) for group in till.groups) <= ROUND_MAX

    @pytest.mark.parametrize("rounds", [50])
    def test_rounds_of_a_barrier(self, rounds: int) -> None:
        """All wait for all, again and again: whoever served is done while others still wait."""
        till = Till()
        barrier = Barrier(16)
        wrong: list[Any] = []

        def work(thread: int) -> None:
            for turn in range(rounds):
                barrier.wait(PATIENCE)
                number = turn * 16 + thread
                result = till.desk.run(till.call(number))
                if result != 10 * number:
                    wrong.append((number, result))

        workers = [Thread(target=work, args=(thread,), daemon=True) for thread in range(16)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(PATIENCE)
            assert not worker.is_alive()
        assert [] == wrong
        assert 16 * rounds == len(till.durable)


class TestGroups:
    """All who come while one group is being made durable are the next one."""

    @pytest.mark.parametrize("others", [1, 5, ROUND_MAX, ROUND_MAX + 1, 100])
    def test_they_share_a_flush(self, others: int) -> None:
        till = Till()
        first = till.hold()
        waiting = [till.start(number) for number in range(2, others + 2)]
        till.wait_for_line(others)
        till.let_go()
        assert [10 * number for number in range(1, others + 2)] == joined(first, *waiting)
        sizes = [len(group) for group in till.groups]
        assert [1, min(others, ROUND_MAX)] == sizes[:2]
        assert others + 1 == sum(sizes)
        assert len(sizes) <= 2 + -(-others // ROUND_MAX)

    def test_the_one_who_serves_goes_when_his_own_call_is_done(self) -> None:
        """He does not serve the others for ever."""
        till = Till()
        first = till.hold()
        waiting = [till.start(number) for number in range(2, 3 * ROUND_MAX)]
        till.wait_for_line(len(waiting))
        till.let_go()
        assert [10] == joined(first)
        assert [10 * number for number in range(2, 3 * ROUND_MAX)] == joined(*waiting)

    def test_in_the_order_they_came(self) -> None:
        till = Till()
        first = till.hold()
        waiting = []
        for number in range(2, 10):
            waiting.append(till.start(number))
            till.wait_for_line(number - 1)
        till.let_go()
        joined(first, *waiting)
        assert list(range(1, 10)) == till.durable


class TestErrors:
    """An error belongs to the one whose call it was; one of the driver to all who were in it."""

    def test_while_deciding(self) -> None:
        till = Till()

        def begin() -> Any:
            raise ValueError("cannot be meant")

        first = till.hold()
        waiting = [till.start(2), till.start(3, call=begin), till.start(4)]
        till.wait_for_line(3)
        till.let_go()
        found = joined(first, *waiting)
        assert [10, 20, 40] == [found[0], found[1], found[3]]
        assert isinstance(found[2], ValueError)

    def test_while_finishing(self) -> None:
        till = Till()

        def begin() -> Any:
            def finish() -> int:
                raise LookupError("no such order")

            return finish

        first = till.hold()
        waiting = [till.start(2), till.start(3, call=begin), till.start(4)]
        till.wait_for_line(3)
        till.let_go()
        found = joined(first, *waiting)
        assert [10, 20, 40] == [found[0], found[1], found[3]]
        assert isinstance(found[2], LookupError)

    def test_of_ones_own_call(self) -> None:
        till = Till()

        def begin() -> Any:
            raise ValueError("cannot be meant")

        with pytest.raises(ValueError, match="cannot be meant"):
            till.desk.run(begin)
        assert 20 == till.desk.run(till.call(2))

    def test_of_the_driver(self) -> None:
        """It reaches all who had decided something; who had not begun is served by the next."""
        till = Till()
        till.errors.extend([None, RuntimeError("the disk is gone")])
        first = till.hold()
        waiting = []
        for number in range(2, ROUND_MAX + 7):
            waiting.append(till.start(number))
            till.wait_for_line(number - 1)
        till.let_go()
        found = joined(first, *waiting)
        assert [RuntimeError] * (ROUND_MAX + 1) == [type(one) for one in found[: ROUND_MAX + 1]]
        assert [10 * number for number in range(ROUND_MAX + 2, ROUND_MAX + 7)] == found[
            ROUND_MAX + 1 :
        ]
        assert 990 == till.desk.run(till.call(99))

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
    def test_that_ends_the_one_who_serves(self, error: BaseException) -> None:
        """He ends; those who were in it are told, the desk goes on."""
        till = Till()
        till.errors.extend([None, error])
        first = till.hold()
        waiting = [till.start(2), till.start(3)]
        till.wait_for_line(2)
        till.let_go()
        assert [error] * 3 == joined(first, *waiting)
        assert 990 == till.desk.run(till.call(99))


class TestTurns:
    """Somebody wants the engine for himself for a moment."""

    def test_nobody_is_served_meanwhile(self) -> None:
        till = Till()
        with till.desk.turn():
            waiting = [till.start(number) for number in (1, 2, 3)]
            till.wait_for_line(3)
            assert ([], 0) == (till.decided, till.pumps)
        assert [10, 20, 30] == joined(*waiting)

    def test_he_waits_for_the_group_under_way(self) -> None:
        till = Till()
        first = till.hold()
        seen: list[Any] = []

        def take_turn() -> None:
            with till.desk.turn(), till.alone():
                seen.append((list(till.durable), list(till.decided)))

        thread = Thread(target=take_turn, daemon=True)
        thread.start()
        till.wait_for_line(1)
        assert [] == seen
        till.let_go()
        thread.join(PATIENCE)
        assert [([1], [])] == seen
        assert [10] == joined(first)

    def test_he_waits_in_line(self) -> None:
        """Who came before him is served before, who came after him after."""
        till = Till()
        first = till.hold()
        before = till.start(2)
        till.wait_for_line(1)
        seen: list[list[int]] = []

        def take_turn() -> None:
            with till.desk.turn():
                seen.append(till.durable)

        thread = Thread(target=take_turn, daemon=True)
        thread.start()
        till.wait_for_line(2)
        after = till.start(3)
        till.wait_for_line(3)
        till.let_go()
        thread.join(PATIENCE)
        assert [10, 20, 30] == joined(first, before, after)
        assert [[1, 2]] == seen

    def test_one_within_the_other_is_the_same(self) -> None:
        till = Till()
        with till.desk.turn():
            with till.desk.turn():
                waiting = till.start(1)
                till.wait_for_line(1)
            assert [] == till.durable
        assert [10] == joined(waiting)

    def test_calls_within_it_are_made_at_once(self) -> None:
        """He has the engine: what he decides leaves as he says."""
        till = Till()
        with till.desk.turn():
            assert "done" == till.desk.run(lambda: lambda: "done")
            with pytest.raises(ValueError, match="odd"):
                till.desk.run(_raise_odd)
            assert 0 == till.pumps
        assert 10 == till.desk.run(till.call(1))

    def test_an_error_ends_it(self) -> None:
        till = Till()
        with pytest.raises(ValueError, match="odd"), till.desk.turn():
            _raise_odd()
        assert 10 == till.desk.run(till.call(1))

    def test_a_call_within_a_call_is_of_the_same_group(self) -> None:
        """As a strategy's that acts on an event."""
        till = Till()
        inner: Outcome = []

        def begin_inner() -> Any:
            till.call(2)()
            return lambda: "inner"

        def begin() -> Any:
            finish = till.call(1)()
            inner.append(till.desk.run(begin_inner))
            return finish

        assert 10 == till.desk.run(begin)
        assert ["inner"] == inner
        assert [[1, 2]] == till.groups

    def test_a_turn_within_a_call_is_no_second_one(self) -> None:
        till = Till()

        def begin() -> Any:
            with till.desk.turn():
                return till.call(1)()

        assert 10 == till.desk.run(begin)

    def test_turns_and_calls_in_any_mixture(self) -> None:
        """Nobody waits for ever, and nobody is inside with anybody else."""
        till = Till()
        barrier = Barrier(12)
        wrong: list[BaseException] = []

        def work(thread: int) -> None:
            try:
                barrier.wait(PATIENCE)
                for number in range(40):
                    if (thread + number) % 3:
                        key = thread * 40 + number
                        assert 10 * key == till.desk.run(till.call(key))
                    else:
                        with till.desk.turn(), till.alone():
                            assert [] == till.decided
            except BaseException as error:  # noqa: BLE001 - looked at below
                wrong.append(error)

        workers = [Thread(target=work, args=(thread,), daemon=True) for thread in range(12)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(PATIENCE)
            assert not worker.is_alive()
        assert [] == wrong


def test_a_desk_that_nobody_uses_serves_nobody() -> None:
    """After any number of calls it is as at first."""
    till = Till()
    for number in range(3):
        till.desk.run(till.call(number))
    assert (False, 0, 0) == (till.desk._is_served, till.desk._server, till.desk._inbox.qsize())
    is_free = Event()

    def look() -> None:
        with till.desk.turn():
            is_free.set()

    Thread(target=look, daemon=True).start()
    until(is_free.is_set)


def _raise_odd() -> Any:
    raise ValueError("odd")
