"""The desk from event loops: nothing blocks a loop, and nothing that ends there hurts others."""

import asyncio
from collections.abc import Iterator
from threading import Barrier, Thread, get_ident
from typing import Any

import pytest
from desk_world import Till, joined
from fake_store import PATIENCE, until

from zvt_trading.runtime.desk import ROUND_MAX


@pytest.fixture
def till() -> Iterator[Till]:
    """A desk whose own thread is gone in the end."""
    made = Till()
    yield made
    made.desk.close()


def test_a_call(till: Till) -> None:
    """Its result, once it is durable."""

    async def main() -> int:
        return await till.desk.call(till.call(1))

    assert 10 == asyncio.run(main())
    assert [[1]] == till.groups


def test_many_calls_are_groups(till: Till) -> None:
    """Each its own result; a hundred need few flushes."""

    async def main() -> list[int]:
        return await asyncio.gather(*(till.desk.call(till.call(n)) for n in range(100)))

    assert [10 * n for n in range(100)] == asyncio.run(main())
    assert list(range(100)) == till.durable
    assert max(len(group) for group in till.groups) <= ROUND_MAX


def test_errors_come_out_of_the_await(till: Till) -> None:
    """Of deciding and of finishing, each to its own call."""

    def bad_begin() -> Any:
        raise ValueError("cannot be meant")

    def bad_finish() -> Any:
        def finish() -> int:
            raise LookupError("no such order")

        return finish

    async def main() -> list[Any]:
        calls = [till.call(1), bad_begin, bad_finish, till.call(2)]
        return await asyncio.gather(*map(till.desk.call, calls), return_exceptions=True)

    found = asyncio.run(main())
    assert [10, 20] == [found[0], found[3]]
    assert [ValueError, LookupError] == [type(found[1]), type(found[2])]


def test_an_error_of_the_driver_reaches_them_all(till: Till) -> None:
    """And the next call is served."""
    till.errors.append(RuntimeError("the disk is gone"))

    async def main() -> list[Any]:
        first = await asyncio.gather(till.desk.call(till.call(1)), return_exceptions=True)
        return [*first, await till.desk.call(till.call(2))]

    found = asyncio.run(main())
    assert [RuntimeError, int] == [type(one) for one in found]


def test_the_loop_goes_on_while_the_disk_is_slow(till: Till) -> None:
    """The loop itself ends the wait: blocked, it never could."""
    till.is_held = True

    async def main() -> int:
        waiting = till.desk.call(till.call(1))
        await asyncio.to_thread(till.reached.wait, PATIENCE)
        assert not waiting.done()
        till.let_go()
        return await waiting

    assert 10 == asyncio.run(main())


def test_deciding_is_not_done_on_the_loops_thread(till: Till) -> None:
    """A core that is busy does not hold up a loop."""
    idents: list[int] = []

    def begin() -> Any:
        idents.append(get_ident())
        return lambda: "done"

    async def main() -> tuple[str, int]:
        return await till.desk.call(begin), get_ident()

    result, loop_thread = asyncio.run(main())
    assert "done" == result
    assert loop_thread not in idents


def test_a_cancelled_await_does_not_take_back_what_was_asked(till: Till) -> None:
    """The order is placed; only its answer is not waited for."""
    first = till.hold(1)

    async def main() -> int:
        waiting = [till.desk.call(till.call(number)) for number in (2, 3, 4)]
        waiting[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting[1]
        till.let_go()
        return sum(await asyncio.gather(waiting[0], waiting[2]))

    assert 60 == asyncio.run(main())
    assert [10] == joined(first)
    assert [1, 2, 3, 4] == till.durable


def test_a_task_that_is_cancelled_while_it_waits(till: Till) -> None:
    """As by a timeout around it."""
    first = till.hold(1)

    async def ask(number: int) -> int:
        return await till.desk.call(till.call(number))

    async def main() -> int:
        tasks = [asyncio.create_task(ask(number)) for number in (2, 3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.wait([tasks[0]])
        assert tasks[0].cancelled()
        till.let_go()
        return await tasks[1]

    assert 30 == asyncio.run(main())
    assert [10] == joined(first)
    assert [1, 2, 3] == till.durable


def test_a_loop_that_is_gone_does_not_hurt_others(till: Till) -> None:
    """It ended while its calls were under way: they are made, the others get their results."""
    first = till.hold(1)
    loop = asyncio.new_event_loop()

    async def ask() -> None:
        till.desk.call(till.call(2))

    loop.run_until_complete(ask())
    loop.close()
    waiting = [till.start(number) for number in (3, 4)]
    till.wait_for_line(3)
    till.let_go()
    assert [10, 30, 40] == joined(first, *waiting)
    assert [1, 2, 3, 4] == till.durable
    assert 50 == till.desk.run(till.call(5))


def test_threads_and_loops_together(till: Till) -> None:
    """Two loops with ten tasks each, and eight threads: everybody gets what is his."""
    barrier = Barrier(10)
    found: dict[int, int] = {}

    def thread(base: int) -> None:
        barrier.wait(PATIENCE)
        for number in range(base, base + 25):
            found[number] = till.desk.run(till.call(number))

    async def task(base: int) -> None:
        for number in range(base, base + 10):
            found[number] = await till.desk.call(till.call(number))

    async def tasks(base: int) -> None:
        await asyncio.gather(*(task(base + 10 * n) for n in range(10)))

    def loop(base: int) -> None:
        barrier.wait(PATIENCE)
        asyncio.run(tasks(base))

    workers = [Thread(target=thread, args=(25 * n,), daemon=True) for n in range(8)]
    workers += [Thread(target=loop, args=(200 + 100 * n,), daemon=True) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
        assert not worker.is_alive()
    assert {number: 10 * number for number in range(400)} == found
    assert list(range(400)) == sorted(till.durable)


def test_a_turn_waits_for_a_loops_calls_and_holds_up_the_next(till: Till) -> None:
    """As any other call's."""

    async def main() -> int:
        with till.desk.turn():
            waiting = till.desk.call(till.call(1))
            await asyncio.sleep(0)
            assert [] == till.durable
        return await waiting

    assert 10 == asyncio.run(main())


def test_closing_waits_for_what_is_under_way(till: Till) -> None:
    """And may be done twice, or without any call before."""
    till.desk.close()

    async def main() -> list[int]:
        return await asyncio.gather(*(till.desk.call(till.call(n)) for n in range(5)))

    assert [0, 10, 20, 30, 40] == asyncio.run(main())
    until(lambda: not till.desk._is_served)
    till.desk.close()
    till.desk.close()
    assert till.desk._executor is None
