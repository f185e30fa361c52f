"""An event loop on a thread of its own, for what talks to venues."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from threading import Lock, Thread
from typing import Any, Final, TypeVar

import structlog

from zvt_trading.runtime.tracebacks import stack_of

T = TypeVar("T")

LAST_TURNS: Final = 20
"""Of a loop that stops: so many steps at most it takes a cancelled TLS connection to be closed."""

_log = structlog.get_logger("zvt_trading.live")


class LoopThread:
    """Runs coroutines that other threads give it, until `stop`."""

    def __init__(self, name: str = "zvt-trading-venues") -> None:
        self.loop: Final = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[Any]] = set()  # the loop itself holds them only weakly
        self._guard: Final = Lock()
        self._is_finished = False  # nothing more is begun
        self._is_stopped = False
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        """Wait for a coroutine, from another thread; TimeoutError after so long."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Begin a coroutine, from any thread; an error in it is a bug and is logged as one.

        After `finish` it is not begun: what was decided meanwhile is asked for at the next start.
        """
        with self._guard:
            if not self._is_finished:
                self.loop.call_soon_threadsafe(self._begin, work)
                return
        work.close()

    def call(self, work: Callable[[], object]) -> None:
        """Call something on the loop, from any thread."""
        self.loop.call_soon_threadsafe(work)

    def finish(self) -> None:
        """Cancel what `spawn` has begun, before what it uses is closed."""
        with self._guard:
            self._is_finished = True
        self.run(self._cancel_spawned())

    def stop(self) -> None:
        """Cancel what runs, and end the thread. Repeatable."""
        with self._guard:
            if self._is_stopped:
                return
            self._is_finished = True
            self._is_stopped = True
        self.run(self._cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def _begin(self, work: Coroutine[Any, Any, object]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("a task of a venue failed", stack=stack_of(error))

    async def _cancel_spawned(self) -> None:
        await _cancelled(list(self._tasks))

    async def _cancel_all(self) -> None:
        await _cancelled([one for one in asyncio.all_tasks() if one is not asyncio.current_task()])


async def _cancelled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel them, and let their connections end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for _ in range(LAST_TURNS):
        await asyncio.sleep(0)
