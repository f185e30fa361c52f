"""A driver for the desk: what was decided is a group, and a pump makes it durable."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, RLock, Thread
from typing import Any, Final

from fake_store import PATIENCE, until

from zvt_trading.runtime.desk import Begin, Desk

Outcome = list[Any]
"""What a thread's call gave: a result or an error; empty while it waits."""


class Till:
    """Only one thread may be inside at a time: any other fails its call."""

    def __init__(self) -> None:
        self.desk: Final = Desk(self.pump)
        self.decided: list[int] = []
        self.groups: list[list[int]] = []
        self.errors: deque[BaseException | None] = deque()  # of the next pumps
        self.pumps = 0
        self.is_held = False
        self.reached = Event()  # a held pump
        self.may_go_on = Event()
        self._inside = RLock()

    @property
    def durable(self) -> list[int]:
        """All that was ever made durable, in order."""
        return [number for group in self.groups for number in group]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Proof that nobody else is inside."""
        if not self._inside.acquire(blocking=False):
            raise AssertionError("two threads at once")
        try:
            yield
        finally:
            self._inside.release()

    def pump(self) -> bool:
        """One group; False when there was nothing to do."""
        with self.alone():
            self.pumps += 1
            if self.is_held:
                self.is_held = False
                self.reached.set()
                assert self.may_go_on.wait(PATIENCE)
            error = self.errors.popleft() if self.errors else None
            if error is not None:
                self.decided.clear()
                raise error
            if not self.decided:
                return False
            self.groups.append(self.decided)
            self.decided = []
            return True

    def call(self, number: int) -> Begin[int]:
        """A call that gives ten times its number, once it is durable."""

        def begin() -> Callable[[], int]:
            with self.alone():
                self.decided.append(number)

            def finish() -> int:
                with self.alone():
                    assert number in self.durable, f"{number} is not durable"
                    return 10 * number

            return finish

        return begin

    # Threads.

    def start(self, number: int, *, call: Begin[int] | None = None) -> tuple[Thread, Outcome]:
        """A thread that makes one call."""
        outcome: Outcome = []

        def run() -> None:
            try:
                outcome.append(self.desk.run(call if call is not None else self.call(number)))
            except BaseException as error:  # noqa: BLE001 - the outcome is looked at
                outcome.append(error)

        thread = Thread(target=run, daemon=True)
        thread.start()
        return thread, outcome

    def hold(self, number: int = 1) -> tuple[Thread, Outcome]:
        """A thread whose call's pump does not end before `let_go`."""
        self.is_held = True
        started = self.start(number)
        assert self.reached.wait(PATIENCE)
        return started

    def wait_for_line(self, length: int) -> None:
        """Until so many wait for the one who serves."""
        until(lambda: self.desk._inbox.qsize() == length)

    def let_go(self) -> None:
        """The held pump goes on."""
        self.may_go_on.set()


def joined(*started: tuple[Thread, Outcome]) -> list[Any]:
    """What came of calls; nobody waits for ever."""
    for thread, _ in started:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a call that never ends"
    return [outcome[0] for _, outcome in started]
