"""Blocking work beside an event loop."""

import asyncio
from threading import Event, current_thread, main_thread

import pytest

from zvt_trading.runtime.apart import apart


def test_it_gives_back_what_the_work_gave_or_raised() -> None:
    """Done on another thread."""
    assert asyncio.run(apart(current_thread)) is not main_thread()
    with pytest.raises(ZeroDivisionError):
        asyncio.run(apart(lambda: 1 // 0))


def test_the_loop_goes_on_meanwhile() -> None:
    """The work waits for what the loop does."""

    async def work() -> bool:
        event = Event()
        waiting = asyncio.ensure_future(apart(lambda: event.wait(10)))
        await asyncio.sleep(0)
        event.set()
        return await waiting

    assert asyncio.run(work())


def test_nobody_waits_for_work_that_was_given_up() -> None:
    """Not even the end of the loop; its result goes nowhere."""
    started, end, ended = Event(), Event(), Event()

    def work() -> None:
        started.set()
        end.wait(10)
        ended.set()

    async def given_up() -> None:
        waiting = asyncio.ensure_future(apart(work))
        await apart(started.wait)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(given_up())
    assert not ended.is_set()
    end.set()
    assert ended.wait(10)
