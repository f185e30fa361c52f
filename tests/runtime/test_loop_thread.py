"""An event loop on a thread of its own: others give it work, and it ends without a rest."""

import asyncio
from collections.abc import Iterator
from inspect import CORO_CLOSED, getcoroutinestate
from threading import Event, get_ident

import pytest
from structlog.testing import capture_logs

from zvt_trading.runtime.loop_thread import LoopThread

DEADLINE_S = 10
"""How long what must happen is waited for; it happens within milliseconds."""


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    made = LoopThread("test")
    yield made
    made.stop()


async def forever(began: Event, ended: Event) -> None:
    try:
        began.set()
        await asyncio.Event().wait()
    finally:
        ended.set()


async def here() -> int:
    return get_ident()


def test_run_waits_for_a_result(loop: LoopThread) -> None:
    """Made on the loop's own thread, always the same one."""
    first, second = loop.run(here(), DEADLINE_S), loop.run(here(), DEADLINE_S)
    assert first == second
    assert first != get_ident()


def test_an_error_is_the_callers(loop: LoopThread) -> None:
    """The loop lives on."""

    async def fail() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        loop.run(fail(), DEADLINE_S)
    assert loop.run(here(), DEADLINE_S)


def test_run_waits_so_long(loop: LoopThread) -> None:
    """And no longer."""
    with pytest.raises(TimeoutError):
        loop.run(forever(Event(), Event()), 0.001)


def test_call_is_made_on_the_loop(loop: LoopThread) -> None:
    """From any thread, without waiting."""
    called: list[int] = []
    done = Event()

    def work() -> None:
        called.append(get_ident())
        done.set()

    loop.call(work)
    assert done.wait(DEADLINE_S)
    assert called == [loop.run(here(), DEADLINE_S)]


def test_an_error_in_what_was_spawned_is_logged_as_a_bug(loop: LoopThread) -> None:
    """With where it was raised; nobody waits for it."""

    async def fail() -> None:
        raise ValueError("mine")

    async def pass_by() -> None:
        await asyncio.sleep(0)

    with capture_logs() as logs:
        loop.spawn(fail())
        for _ in range(5):
            loop.run(pass_by(), DEADLINE_S)
    assert ["a task of a venue failed"] == [line["event"] for line in logs]


def test_stop_cancels_what_runs() -> None:
    """It ends before stop returns; that is no error."""
    loop = LoopThread("test")
    began, ended = Event(), Event()
    with capture_logs() as logs:
        loop.spawn(forever(began, ended))
        assert began.wait(DEADLINE_S)
        loop.stop()
    assert ended.is_set()
    assert [] == logs
    loop.stop()  # repeatable


def test_after_the_stop_nothing_begins() -> None:
    """What was decided meanwhile is asked for at the next start."""
    loop = LoopThread("test")
    loop.stop()
    began = Event()
    work = forever(began, Event())
    loop.spawn(work)
    assert not began.is_set()
    assert getcoroutinestate(work) == CORO_CLOSED  # no warning that nobody awaited it
