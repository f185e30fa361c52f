"""Handlers of a stream: each behind a bounded queue and on a thread of its own.

So a slow or raising handler delays nobody: what does not fit into its queue is dropped and counted.
A book that lost a message is of no use: as soon as the queue has room again, the handler is told
BookInvalid and a snapshot of the book as it is then.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Collection
from queue import SimpleQueue
from threading import Thread
from typing import Final

import structlog
from msgspec import Struct

from zvt_trading.data.stream_book import StreamBook
from zvt_trading.data.stream_messages import CHANNEL_OF, CHANNELS, StreamMessage
from zvt_trading.errors import CallerError
from zvt_trading.messages.market import BookDelta, BookInvalid, BookSnapshot
from zvt_trading.runtime.tracebacks import stack_of

QUEUE_MAX: Final = 10_000
"""Messages that wait for a handler: some seconds of a busy stream."""
CLOSE_SECONDS: Final = 5.0
"""How long the end waits for a handler to be through with what it has."""

Handler = Callable[[StreamMessage], Awaitable[None] | None]
Deliver = Callable[[StreamMessage, int], None]
"""Takes a message, and when it was heard (ns)."""
Item = tuple[StreamMessage, int]
BookMessage = BookSnapshot | BookDelta | BookInvalid

_log = structlog.get_logger("zvt_trading.stream")


class HandlerMetrics(Struct, frozen=True):
    """How a handler keeps up: messages it took, that did not fit, that raised, that wait."""

    name: str
    delivered: int
    dropped: int
    errors: int
    waiting: int


class Outlet:
    """One handler with its queue. `offer` is called by one thread only, and never blocks.

    `idle` is called on the handler's thread whenever it has nothing more to deliver, `at_end` when
    it never will again. `channels` and `instruments` (None: all) are what it hears.
    """

    def __init__(
        self,
        name: str,
        deliver: Deliver,
        channels: Collection[str],
        instruments: Collection[str] | None = None,
        *,
        limit: int = QUEUE_MAX,
        idle: Callable[[], None] | None = None,
        at_end: Callable[[], None] | None = None,
    ) -> None:
        unknown = sorted(set(channels) - set(CHANNELS))
        if unknown or not channels:
            raise CallerError(f"channels {unknown} must be some of {', '.join(CHANNELS)}")
        if limit < 2:  # a book that is taken up again is two messages
            raise CallerError(f"limit {limit} must be >= 2 messages")
        self.name: Final = name
        self.types: Final = frozenset(kind for kind, of in CHANNEL_OF.items() if of in channels)
        self.instruments: Final = None if instruments is None else frozenset(instruments)
        self.delivered = 0
        self.dropped = 0
        self.errors = 0
        self._deliver: Final = deliver
        self._idle: Final = idle
        self._at_end: Final = at_end
        self._limit: Final = limit
        self._broken: dict[str, int] = {}  # messages that a book has lost, by instrument
        self._queue: SimpleQueue[Item | None] = SimpleQueue()
        self._thread: Final = Thread(target=self._run, name=f"zvt-trading-{name}", daemon=True)
        self._thread.start()

    def hears(self, instrument: str) -> bool:
        """Whether it is told of an instrument ("": of a venue)."""
        return self.instruments is None or not instrument or instrument in self.instruments

    def offer(self, message: StreamMessage, received: int, book: StreamBook | None) -> bool:
        """Whether it was taken. `book` is the instrument's as it is after this message."""
        if book is not None and isinstance(message, BookSnapshot | BookDelta | BookInvalid):
            return self._offer_book(message, received, book)
        if self._queue.qsize() >= self._limit:
            self.dropped += 1
            return False
        self._queue.put((message, received))
        return True

    def _offer_book(self, message: BookMessage, received: int, book: StreamBook) -> bool:
        name = message.instrument
        if name not in self._broken and self._queue.qsize() < self._limit:
            self._queue.put((message, received))
            return True
        self._broken.setdefault(name, 0)
        if self.mend(received, book):
            return True
        self._broken[name] += 1
        self.dropped += 1
        return False

    def mend(self, now: int, book: StreamBook) -> bool:
        """Take up a book that has lost messages, if it has and there is room; whether it was."""
        name = book.instrument
        lost = self._broken.get(name)
        # Half of the queue, so that it is not full again at once.
        if lost is None or self._queue.qsize() > min(self._limit // 2, self._limit - 2):
            return False
        del self._broken[name]
        why = f"the handler was too slow and lost {lost} messages of the book"
        self._queue.put((BookInvalid(name, now, why), now))
        if book.is_valid:
            self._queue.put((book.snapshot(now), now))
        return True

    def metrics(self) -> HandlerMetrics:
        """Now."""
        return HandlerMetrics(
            self.name, self.delivered, self.dropped, self.errors, self._queue.qsize()
        )

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Deliver what waits, at most for so long; what is left then is dropped."""
        self._queue.put(None)
        self._thread.join(seconds)
        if self._thread.is_alive():
            _log.warning("a handler does not end", handler=self.name, waiting=self._queue.qsize())

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._deliver(*item)
                self.delivered += 1
            except Exception as error:  # noqa: BLE001 - a handler's bug must not end its stream
                self._failed(error)
            if self._queue.empty():
                self._call(self._idle)
        self._call(self._at_end)

    def _call(self, hook: Callable[[], None] | None) -> None:
        try:
            if hook is not None:
                hook()
        except Exception as error:  # noqa: BLE001 - as above; of a full disk perhaps
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        """Counted; logged the first time and then ever more rarely."""
        self.errors += 1
        if str(self.errors).strip("0") == "1":
            _log.error(
                "a stream's handler raised", handler=self.name, times=self.errors,
                stack=stack_of(error),
            )  # fmt: skip


class Delivery:
    """How to call a handler from the thread of its outlet; `close` when it is called no more.

    A coroutine function runs on the event loop that this is made on, or on one of its own where
    none runs; the next message waits for it to be through.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler: Final = handler
        self._home: Final = _running_loop()
        self._runner: Final = asyncio.Runner()

    def __call__(self, message: StreamMessage, received: int) -> None:
        """Hand over one message."""
        del received
        if self._home is not None and self._home.is_closed():
            raise CallerError("the event loop of this handler is closed: end its subscription")
        work = self._handler(message)
        if not inspect.iscoroutine(work):
            return
        if self._home is None:
            self._runner.run(work)
        else:
            asyncio.run_coroutine_threadsafe(work, self._home).result()

    def close(self) -> None:
        """End the loop of its own."""
        self._runner.close()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
