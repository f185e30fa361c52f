"""Drives one world for the front door: commands in, events out, time when it waits for an answer.

Not thread-safe: its owner holds a lock. An error of our own in the middle of a change leaves a
state that nobody can vouch for, so the driver then refuses to change anything more.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import structlog
from msgspec.structs import replace

from zvt_trading.core.units import SECOND
from zvt_trading.errors import CallerError, EngineError, ZvtTradingError
from zvt_trading.messages.commands import Command
from zvt_trading.messages.events import CommandRefused, Event
from zvt_trading.messages.reasons import Reason
from zvt_trading.ports.store import FencedError, StoreUnavailableError
from zvt_trading.runtime.codes import reason_of
from zvt_trading.runtime.tracebacks import stack_of
from zvt_trading.runtime.world import World
from zvt_trading.types import OrderResult

ANSWER_WAIT: Final = 30 * SECOND
"""Simulated time that a call waits for the venue's answer."""

_OF_THE_STORE: Final = (reason_of(Reason.STORE_UNAVAILABLE), reason_of(Reason.NOT_SENT))

Subscriber = Callable[[Event], object]
Result = TypeVar("Result")

_log = structlog.get_logger("zvt_trading.engine")


class Driver:
    """See the module."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.broken = ""
        self._simulation = world.simulation
        self._core = world.simulation.core
        self._subscribers: list[Subscriber] = []
        self._delivering = False  # a subscriber is being called: time stands still
        self._simulation.subscribers.append(self._on_event)

    def decide(self, command: Command, *, leave: bool = True) -> list[Event]:
        """Let the core decide; returns what it decided.

        Unless `leave` is False, that is made durable and takes effect; otherwise with `leave()`.
        """
        return self.guarded(lambda: self._decide(command, leave=leave))

    def leave(self) -> None:
        """Let everything decided take effect, as one group."""
        self.guarded(self._simulation.flush)

    def pump(self) -> bool:
        """One step of `leave`, see Simulation.pump; False when everything has left."""
        simulation = self._simulation
        if simulation.journal is None:
            self.leave()
            return False
        return self.guarded(simulation.pump)

    def control(self, command: Command, hint: str = "") -> None:
        """`decide` for a command whose refusal is the caller's error; `hint` says more about it.

        StoreUnavailableError while the store is away, which is nobody's error.
        """
        for event in self.decide(command):
            if isinstance(event, CommandRefused):
                if event.reason == Reason.STORE_UNAVAILABLE:
                    raise StoreUnavailableError(f"{event.command}: {event.text}")
                reason = reason_of(event.reason).replace("_", " ")
                raise CallerError(f"{event.command}: {reason}: {hint or event.text}")

    def advised(self, result: OrderResult) -> OrderResult:
        """A result; where the store is why it failed, with what to do about that."""
        if result.success or result.reason not in _OF_THE_STORE:
            return result
        journal = self._simulation.journal
        problem = journal.problem() if journal is not None else ""
        if problem:
            return replace(result, message=f"{result.message} ({problem})")
        return result

    def keep_pace(self) -> None:
        """Let the time pass that the world gives a person between two orders."""
        pace = self.world.order_pace
        if pace and not self._delivering and self.guarded(self.world.peek) is not None:
            self.run_until(self._simulation.now + pace)

    def wait_until(self, done: Callable[[], bool]) -> None:
        """Let simulated time pass until `done`, at most ANSWER_WAIT; not inside a subscriber."""
        if self.world.is_live:
            return  # whoever asks waits outside
        end = self._simulation.now + ANSWER_WAIT
        while not done() and not self._delivering:
            due = self._simulation.next_due()
            if due < 0 or due > end:
                return
            self.run_until(due)

    def run_until(self, ts: int) -> bool:
        """Let time pass; False when the feed ended before."""
        return self.guarded(lambda: self.world.run_until(ts))

    def stop_strategies(self) -> None:
        """Strategies take their orders back; the engine lives on."""
        if not self.broken:
            self.guarded(self._stop_runners)

    def _stop_runners(self) -> None:
        self.world.stop_strategies()
        self._simulation.flush()

    def stop(self) -> None:
        """Stop the strategies, let what is under way arrive, give the store back. Repeatable."""
        try:
            if not self.broken:
                self.guarded(self.world.stop)
        finally:
            self.world.close()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Hand it every event from now on."""
        self._subscribers.append(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Hand it no more events; nothing when it gets none."""
        if subscriber in self._subscribers:
            self._subscribers.remove(subscriber)

    def guarded(self, work: Callable[[], Result]) -> Result:
        """Do what changes the state; EngineError when it fails half way, and from then on."""
        if self.broken:
            raise EngineError(f"the engine stopped after an error of its own: {self.broken}")
        try:
            return work()
        except FencedError as error:
            self.broken = str(error)
            raise
        except ZvtTradingError:
            raise  # the feed's or the caller's: the state is sound
        except BaseException as error:
            self.broken = f"{type(error).__name__}: {error}"
            _log.critical("engine stopped by an error of its own", stack=stack_of(error))
            if isinstance(error, Exception):
                raise EngineError(f"the engine stopped: {self.broken}") from error
            raise

    def _decide(self, command: Command, *, leave: bool) -> list[Event]:
        recorder = self._core.recorder
        self.world.keep_time()
        before = len(recorder.out)  # not 0 inside a subscriber
        is_taken = self._simulation.may_take(command)
        if is_taken:
            self._core.command(self._simulation.now, command)
        events = recorder.out[before:]  # none where there was nothing to do
        if leave:
            self._simulation.flush()
        if not is_taken and not events and self._simulation.journal is not None:
            raise StoreUnavailableError(self._simulation.journal.problem())
        return events

    def _on_event(self, event: Event) -> None:
        """Hand an event to the subscribers; one that raises gets no more."""
        for subscriber in tuple(self._subscribers):
            self._delivering = True
            try:
                subscriber(event)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not reach an order
                self.unsubscribe(subscriber)
                _log.error(
                    "subscriber dropped after an error",
                    subscriber=repr(subscriber),
                    stack=stack_of(error),
                )
            finally:
                self._delivering = False
