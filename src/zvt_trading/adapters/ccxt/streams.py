"""The WebSockets of one account: opened, logged in, subscribed, and all of it again when one fails.

ccxt connects, pings and reads; its own parsing sees only control frames. One group of subscriptions
is one task: the private one, and the public one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog
from ccxt.base.errors import NetworkError

from zvt_trading.adapters.ccxt.dialect import Dialect, Subscription

BACKOFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
GOODBYE_SECONDS: Final = 1.0
"""How long the end of a socket is waited for when all is closed."""
STABLE_SECONDS: Final = 10.0
"""A connection that lived so long begins again with the shortest wait."""

_log = structlog.get_logger("zvt_trading.venue")

Subscriptions = Callable[[], Awaitable[Sequence[Subscription]]]


class StreamGroup:
    """Subscriptions that live and fail together. `on_change(True)` when they were sent."""

    def __init__(
        self,
        exchange: Any,
        dialect: Dialect,
        name: str,
        subscriptions: Subscriptions,
        on_change: Callable[[bool], None],
    ) -> None:
        self.is_up = False
        self.reconnects = 0
        self._up_since = 0.0
        self._exchange = exchange
        self._venue = dialect.profile.name
        self._name = name
        self._subscriptions = subscriptions
        self._on_change = on_change
        self._urls: list[str] = []
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()  # sockets that say goodbye

    def start(self) -> None:
        """Begin, and go on until `close`."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def restart(self, why: str) -> None:
        """The connection is not to be trusted: make a new one."""
        for url in self._urls:
            client = self._exchange.clients.get(url)
            if client is not None:
                client.on_error(NetworkError(why))

    def has(self, url: str) -> bool:
        """Whether a socket is one of these."""
        return url in self._urls

    def up_for(self) -> float:
        """Seconds since it came up; 0 when it is not."""
        return asyncio.get_running_loop().time() - self._up_since if self.is_up else 0.0

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._closing:
            await asyncio.wait(self._closing, timeout=GOODBYE_SECONDS)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            try:
                await self._once()
                why = "closed"
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - any failure means: connect again
                why = type(error).__name__
            self._down(why)
            if loop.time() - began > STABLE_SECONDS:
                failures = 0
            await asyncio.sleep(BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)])
            failures += 1
            self.reconnects += 1

    async def _once(self) -> None:
        """One life of the connections; returns or raises when the first of them fails."""
        subscriptions = await self._subscriptions()
        self._urls = sorted({subscription.url for subscription in subscriptions})
        futures = [
            self._exchange.watch(one.url, one.key, one.message, one.key) for one in subscriptions
        ]
        try:
            for url in self._urls:
                await self._exchange.clients[url].connected
            self.is_up = True
            self._up_since = asyncio.get_running_loop().time()
            self._on_change(True)
            if futures:
                await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
            for future in futures:
                if future.done():
                    future.result()
        finally:
            self._hang_up(futures)

    def _hang_up(self, futures: Sequence[Any]) -> None:
        """What is left of a life, so that the next one begins from nothing."""
        for url in self._urls:
            client = self._exchange.clients.pop(url, None)
            if client is not None and not client.closed():
                task = asyncio.get_running_loop().create_task(client.close())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
        for future in futures:
            if future.done() and not future.cancelled():
                future.exception()  # it was seen
            else:
                future.cancel()

    def _down(self, why: str) -> None:
        _log.warning("a stream ended", venue=self._venue, stream=self._name, why=why)
        if self.is_up:
            self.is_up = False
            self._on_change(False)
