"""Those who wait until something has become true in an engine that others drive."""

import asyncio
from collections.abc import Callable
from threading import Lock
from typing import Final

Done = Callable[[], bool]


class Waiters:
    """`check` is called by the engine's thread whenever something may have changed."""

    def __init__(self) -> None:
        self._guard: Final = Lock()
        self._waiting: list[tuple[Done, Callable[[], object]]] = []

    def wait(self, done: Done, seconds: float) -> bool:
        """Block this thread until `done`; False when that was not within so many seconds."""
        wake = Lock()
        wake.acquire()
        entry = self._add(done, wake.release)
        if entry is None:
            return True
        if wake.acquire(timeout=seconds):
            return True
        self._remove(entry)
        return done()

    async def await_(self, done: Done, seconds: float) -> bool:
        """`wait` for an event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        entry = self._add(done, lambda: loop.call_soon_threadsafe(_finish, future))
        if entry is None:
            return True
        try:
            await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return done()
        finally:
            self._remove(entry)
        return True

    def check(self) -> None:
        """Wake those whose time has come."""
        if not self._waiting:
            return
        with self._guard:
            woken = [entry for entry in self._waiting if entry[0]()]
            for entry in woken:
                self._waiting.remove(entry)
        for entry in woken:
            entry[1]()

    def _add(self, done: Done, wake: Callable[[], object]) -> tuple[Done, object] | None:
        with self._guard:
            if done():
                return None
            entry = (done, wake)
            self._waiting.append(entry)
            return entry

    def _remove(self, entry: tuple[Done, object]) -> None:
        with self._guard:
            self._waiting = [waiting for waiting in self._waiting if waiting is not entry]


def _finish(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
