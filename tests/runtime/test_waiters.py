"""Waiting until something is true in an engine that others drive."""

import asyncio
from threading import Event, Thread

import pytest

from zvt_trading.runtime.waiters import Waiters

DEADLINE_S = 10
"""How long what must happen is waited for; it happens within milliseconds."""


class Fact:
    """Something that becomes true; `looked` is set once a waiter has looked at it."""

    def __init__(self, *, is_true: bool = False) -> None:
        self.is_true = is_true
        self.looked = Event()

    def __call__(self) -> bool:
        found = self.is_true
        self.looked.set()
        return found


class TestThreads:
    def test_what_is_true_needs_no_wait(self) -> None:
        """Nor is it remembered."""
        waiters = Waiters()
        assert waiters.wait(Fact(is_true=True), 0)
        assert [] == waiters._waiting

    def test_it_is_woken_when_it_is_true(self) -> None:
        """By a check after that, and no earlier one."""
        waiters, fact, ended = Waiters(), Fact(), Event()
        results: list[bool] = []

        def wait() -> None:
            results.append(waiters.wait(fact, DEADLINE_S))
            ended.set()

        thread = Thread(target=wait)
        thread.start()
        assert fact.looked.wait(DEADLINE_S)
        waiters.check()
        assert not ended.is_set()
        fact.is_true = True
        waiters.check()
        thread.join(DEADLINE_S)
        assert [True] == results
        assert [] == waiters._waiting

    @pytest.mark.parametrize("is_true_at_last", [True, False])
    def test_at_the_end_of_its_time_it_looks_once_more(self, is_true_at_last: bool) -> None:
        """And is forgotten."""
        waiters = Waiters()
        looks = iter([False, is_true_at_last])
        assert is_true_at_last == waiters.wait(lambda: next(looks), 0)
        assert [] == waiters._waiting

    def test_a_check_of_nobody_is_nothing(self) -> None:
        """It is called all the time."""
        waiters = Waiters()
        waiters.check()
        assert [] == waiters._waiting


class TestLoops:
    def test_what_is_true_needs_no_wait(self) -> None:
        """Nor is it remembered."""
        assert asyncio.run(Waiters().await_(Fact(is_true=True), 0))

    def test_only_those_whose_time_has_come_are_woken(self) -> None:
        """By a check from another thread."""

        async def story() -> None:
            waiters, first, second = Waiters(), Fact(), Fact()
            tasks = [
                asyncio.ensure_future(waiters.await_(fact, DEADLINE_S)) for fact in (first, second)
            ]
            await asyncio.sleep(0)
            first.is_true = True
            await asyncio.to_thread(waiters.check)
            assert await tasks[0]
            assert not tasks[1].done()
            second.is_true = True
            await asyncio.to_thread(waiters.check)
            assert await tasks[1]
            assert [] == waiters._waiting

        asyncio.run(story())

    @pytest.mark.parametrize("is_true_at_last", [True, False])
    def test_at_the_end_of_its_time_it_looks_once_more(self, is_true_at_last: bool) -> None:
        """And is forgotten."""
        waiters = Waiters()
        looks = iter([False, is_true_at_last])
        assert is_true_at_last == asyncio.run(waiters.await_(lambda: next(looks), 0))
        assert [] == waiters._waiting

    def test_who_was_cancelled_is_forgotten(self) -> None:
        """A later check wakes nobody."""

        async def story() -> None:
            waiters, fact = Waiters(), Fact()
            task = asyncio.ensure_future(waiters.await_(fact, DEADLINE_S))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()
            assert [] == waiters._waiting
            fact.looked.clear()
            waiters.check()
            assert not fact.looked.is_set()

        asyncio.run(story())

    def test_one_whose_time_ends_in_the_moment_it_is_woken(self) -> None:
        """The two cross each other on the loop: it is true, and nothing breaks."""

        async def story() -> None:
            waiters, fact = Waiters(), Fact()
            task = asyncio.ensure_future(waiters.await_(fact, 0.001))
            await asyncio.sleep(0)
            fact.is_true = True
            waiters._waiting[0][1]()
            waiters._waiting[0][1]()  # the second comes when it is over
            assert await task

        asyncio.run(story())
