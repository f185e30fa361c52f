"""Many callers, one writer: the engine is used by one thread at a time, and that one serves all.

A call has two parts: `begin` decides, and what it decided must be durable and on its way before
`finish` says what became of it. All who come in while one group is being made durable are the next
group, together with what came of the one before: a hundred callers cost one flush of the disk, not
a hundred. Whoever comes when nobody serves, serves: himself first, then those who came meanwhile.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Lock, get_ident
from typing import Any, Final, Generic, TypeVar

ROUND_MAX: Final = 32
"""Calls decided on at a time: others are woken, and come again, while these are made durable."""

T = TypeVar("T")
Finish = Callable[[], T]
Begin = Callable[[], Finish[T]]


class _Call(Generic[T]):
    """One call on its way; a thread waits at `wake`, or an event loop for `future`.

    Without `begin` it is a thread that wants the engine for itself for a moment.
    """

    __slots__ = ("begin", "error", "finish", "future", "is_done", "result", "wake")

    def __init__(self, begin: Begin[T] | None, future: "asyncio.Future[T] | None" = None) -> None:
        self.begin = begin
        self.finish: Finish[T] | None = None
        self.result: T | None = None
        self.error: BaseException | None = None
        self.is_done = False
        self.future = future
        self.wake: Lock | None = None
        if future is None:
            self.wake = Lock()
            self.wake.acquire()

    def awake(self) -> None:
        """Let the thread go on."""
        if self.wake is not None:
            self.wake.release()

    def sleep(self) -> None:
        """Until `awake`."""
        if self.wake is not None:
            self.wake.acquire()


Calls = list[_Call[Any]]


class Desk:
    """`pump` is the driver's: it lets what was decided leave as one group (Simulation.pump)."""

    def __init__(self, pump: Callable[[], bool]) -> None:
        self._pump: Final = pump
        self._mutex = Lock()  # guards the next two: who comes finds a server, or becomes one
        self._inbox: SimpleQueue[_Call[Any]] = SimpleQueue()
        self._is_served = False
        self._server = 0  # the thread that serves now
        self._executor: ThreadPoolExecutor | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The engine for this thread alone; within a call or turn of its own, as it is."""
        if self._server == get_ident():
            yield
            return
        call = _Call[None](None)
        if not self._take_over(call):
            call.sleep()
        self._server = get_ident()
        try:
            yield
        finally:
            self._server = 0
            self._pass_on(None)

    def run(self, begin: Begin[T]) -> T:
        """Make a call, from any thread."""
        if self._server == get_ident():
            return begin()()  # from within a group: it leaves with the group's events
        call = _Call(begin)
        if not self._take_over(call):
            call.sleep()  # until it is done, or its turn to serve
        if not call.is_done:
            self._serve_from(call, call)
        if call.error is not None:
            raise call.error
        return call.result  # type: ignore[return-value]  # set, since there is no error

    def call(self, begin: Begin[T]) -> "asyncio.Future[T]":
        """Make a call from an event loop, without blocking it.

        Cancelling the await does not take back what was asked.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        call = _Call(begin, future)
        if self._take_over(call):
            self._serve_elsewhere(call)
        return future

    def is_served_here(self) -> bool:
        """Whether this thread serves now: it must not wait for what others are to do."""
        return self._server == get_ident()

    def close(self) -> None:
        """No more calls from event loops."""
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None

    def _take_over(self, call: _Call[Any]) -> bool:
        """Whether the caller serves now; if not, the call is in line."""
        with self._mutex:
            if self._is_served:
                self._inbox.put(call)
                return False
            self._is_served = True
            return True

    def _pass_on(self, successor: _Call[Any] | None) -> None:
        """Stop serving: the next in line does."""
        with self._mutex:
            if successor is None:
                try:
                    successor = self._inbox.get_nowait()
                except Empty:
                    self._is_served = False
                    return
        if successor.future is None:
            successor.awake()
        else:
            self._serve_elsewhere(successor)

    def _serve_elsewhere(self, first: _Call[Any]) -> None:
        """On a thread of our own: an event loop must not wait for a disk."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, "zvt-trading-engine")
        self._executor.submit(self._serve_from, first, None)

    def _serve_from(self, first: _Call[Any], own: _Call[Any] | None) -> None:
        """Serve until nobody waits, or until one's own call is done."""
        self._server = get_ident()
        successor = None
        try:
            successor = self._serve(first, own)
        finally:
            self._server = 0
            self._pass_on(successor)

    def _serve(self, first: _Call[Any], own: _Call[Any] | None) -> _Call[Any] | None:
        """Group after group; returns the call of a thread that wants the engine for itself.

        `fresh` calls are in the next group, of `sent` ones the outcome is in it.
        """
        fresh: Calls = []
        sent: Calls = []
        successor = None
        try:
            _begin(first, fresh)
            while True:
                if successor is None and (own is None or not own.is_done):
                    successor = self._begin_waiting(fresh)
                if not fresh and not sent:
                    return successor
                has_more = self._pump()
                _conclude(sent)
                sent, fresh = fresh, []
                if not has_more:
                    _conclude(sent)
                    sent = []
        except Exception as error:  # noqa: BLE001 - it belongs to those who called
            _fail(sent + fresh, error)
            return successor
        except BaseException as error:
            _fail(sent + fresh, error)
            raise

    def _begin_waiting(self, fresh: Calls) -> _Call[Any] | None:
        """Decide for those who wait, up to one who wants the engine for himself."""
        while len(fresh) < ROUND_MAX:
            try:
                call = self._inbox.get_nowait()
            except Empty:
                return None
            if call.begin is None:
                return call
            _begin(call, fresh)
        return None


def _begin(call: _Call[Any], fresh: Calls) -> None:
    """Decide on one."""
    fresh.append(call)
    if call.begin is not None:
        try:
            call.finish = call.begin()
        except BaseException as error:  # noqa: BLE001 - it belongs to the one who called
            call.error = error


def _fail(calls: Calls, error: BaseException) -> None:
    """Nobody knows what became of them."""
    for call in calls:
        call.finish = None
        call.error = call.error or error
    _conclude(calls)


def _conclude(calls: Calls) -> None:
    """What became of them is durable: say it to those who wait."""
    by_loop: dict[asyncio.AbstractEventLoop, Calls] = {}
    for call in calls:
        if call.finish is not None:
            try:
                call.result = call.finish()
            except BaseException as error:  # noqa: BLE001 - it belongs to the one who called
                call.error = error
        call.is_done = True
        if call.future is None:
            call.awake()
        else:
            by_loop.setdefault(call.future.get_loop(), []).append(call)
    for loop, waiting in by_loop.items():
        with suppress(RuntimeError):  # the loop was closed: nobody waits there any more
            loop.call_soon_threadsafe(_hand_over, waiting)


def _hand_over(calls: Calls) -> None:
    """On the event loop: wake those who still wait."""
    for call in calls:
        future = call.future
        if future is None or future.done():
            continue
        if call.error is not None:
            future.set_exception(call.error)
        else:
            future.set_result(call.result)
