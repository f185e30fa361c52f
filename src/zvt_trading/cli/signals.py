"""Signals that ask a command to end, as calls on its event loop."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_signals(call: Callable[[], object]) -> Iterator[None]:
    """`call` for every signal while the block lasts; afterwards they are as they were before."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        # Not the loop's own handlers: there are none on Windows.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(call))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
