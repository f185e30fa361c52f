"""Blocking work for an event loop that must stay awake, and must be able to leave it behind."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


async def apart(work: Callable[[], T]) -> T:
    """Do `work` on a thread of its own, and give back what it gave, or raise what it raised.

    Unlike the threads of `asyncio.to_thread` nobody waits for it when this is cancelled: whoever
    says "at once" need not wait for a venue.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def hand_over(finish: Callable[[Any], None], value: object) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(_conclude, future, finish, value)

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it belongs to the one who waits
            hand_over(future.set_exception, error)
        else:
            hand_over(future.set_result, result)

    Thread(target=run, name="zvt-trading-apart", daemon=True).start()
    return await future


def _conclude(future: asyncio.Future[T], finish: Callable[[Any], None], value: object) -> None:
    if not future.done():
        finish(value)
