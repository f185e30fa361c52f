"""An event loop whose time is made up: it stands still while something runs, and else jumps.

    in_manual_time(story())  # hours of waiting pass at once

When nothing is ready the clock is set to what is waited for next. A wait for what can never happen
is an error, not a hanging test. No socket is read here: that is for tests with an emulator.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

STEP = 1e-6
"""Every turn of the loop takes so many seconds, as in reality it takes some."""

T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Waits by moving the loop's clock."""

    seconds = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What has happened; the time is moved on when nothing has."""
        found = super().select(0)
        if not found and timeout is None:
            raise AssertionError("everybody waits, and nothing can happen any more")
        self.seconds += max(timeout or 0.0, STEP)
        return found


class ManualLoop(asyncio.SelectorEventLoop):
    """See the module."""

    def __init__(self) -> None:
        self._manual = _Selector()
        super().__init__(self._manual)

    def time(self) -> float:
        """Seconds; they begin at 1000."""
        return self._manual.seconds


def in_manual_time(story: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; nothing that it began may be left over."""
    with asyncio.Runner(loop_factory=ManualLoop) as runner:
        return runner.run(story)


async def settle(turns: int = 20) -> None:
    """Let what is ready run, without waiting for anything."""
    for _ in range(turns):
        await asyncio.sleep(0)
