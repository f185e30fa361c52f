"""Seeded simulations of the engine and its venues over bad links, checked after every step.

    result = run_seed(42)
    result.problems    what went wrong, in words; [] when nothing did

Everything is drawn from the seed: venues, fees, links, portfolios, the market, the commands. After
every step the state must be consistent with itself, with the naive shadow book-keeping and with the
venues' own books; at the end the faults stop, and the engine must agree with the venues' records.
With `crashes` the engine also dies now and then, at any point of a commit or between two sends, and
goes on from what was durable (see crashes.py).
"""

import traceback
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from simulation.crashes import WHILE_STARTING, CrashError, Crashes
from simulation.judge import verdict
from simulation.shadow import Shadow
from simulation.walk import Walk
from simulation.wishes import Wishes
from simulation.worlds import MILLISECOND, World, add_venues, open_for_business
from zvt_trading.core.invariants import problems as state_problems
from zvt_trading.core.units import SECOND
from zvt_trading.messages.events import Event
from zvt_trading.messages.market import MarketData
from zvt_trading.sim.parcels import POLL_EVERY
from zvt_trading.sim.simulation import Simulation

STEPS: Final = 80
SETTLE_LIMIT: Final = 600 * SECOND
PAUSES: Final = (0, 1, 5, 20, 100, 300, 700, 2_000)  # milliseconds between two steps
IN_FLIGHT_MAX: Final = 2_000
"""I12: far above what these few orders can have under way, far below an unbounded queue."""

Trace = Callable[[str], None]


class SeedResult:
    """What became of a seed."""

    def __init__(self, seed: int, steps: int) -> None:
        self.seed = seed
        self.steps = steps
        self.problems: list[str] = []
        self.events = 0
        self.digest = ""  # of the event stream
        self.kinds: dict[str, int] = {}  # events by type; what the crashes went through
        self.options = ""  # of the command that reruns it

    def message(self) -> str:
        """The failure with the one command that reruns it, run from the root of the repository."""
        lines = "\n  ".join(self.problems[:10])
        return (
            f"seed {self.seed}:\n  {lines}\nrerun: PYTHONPATH=src:tests python -m simulation "
            f"--seed {self.seed} --steps {self.steps}{self.options}"
        )


class Run:
    """One seed being run."""

    def __init__(
        self,
        seed: int,
        steps: int,
        sabotage: "Sabotage | None",
        trace: Trace | None,
        crashes: Crashes | None = None,
    ) -> None:
        self.result = SeedResult(seed, steps)
        self.trace = trace
        self.journal: list[Event] = []
        self.shadow = Shadow()
        self.hash = blake2b(digest_size=16)
        self.world = World(seed)
        self.crashes = crashes
        self.simulation.subscribers.append(self.note)
        add_venues(self.world)
        if crashes is not None:
            self.result.options = " --crashes"
            crashes.begin(self.simulation)
        open_for_business(self.world)
        self.walk = Walk(self.world.specs, self.world.rng.fork(3))
        self.wishes = Wishes(self.world, self.walk)
        self.sabotage = sabotage

    @property
    def simulation(self) -> Simulation:
        """The engine with its venues: another one after each crash."""
        return self.world.simulation

    def note(self, event: Event) -> None:
        """A subscriber like any other."""
        self.journal.append(event)
        self.shadow.event(event)
        self.hash.update(repr(event).encode())
        name = type(event).__name__
        self.result.kinds[name] = self.result.kinds.get(name, 0) + 1
        if self.trace is not None:
            self.trace(f"{self.simulation.now} {event}")

    def feed(self, message: MarketData) -> None:
        """The market moves."""
        if self.trace is not None:
            self.trace(f"{self.simulation.now} < {message}")
        self.simulation.feed(message)

    def go(self) -> SeedResult:
        """All steps, then the settlement and the verdict; an exception is a problem too."""
        try:
            self._go()
        except Exception:  # noqa: BLE001 - whatever the engine raises is what we look for
            self.result.problems.append(traceback.format_exc())
        if self.crashes is not None:
            self.result.kinds.update(self.crashes.seen)
        self.result.events = len(self.journal)
        self.result.digest = self.hash.hexdigest()
        return self.result

    def _go(self) -> None:
        for message in self.walk.first(self.simulation.now + 1):
            self.feed(message)
        if self.sabotage is not None:
            self.sabotage(self)
        for step in range(self.result.steps):
            self.step_or_crash()
            self.check(f"step {step}")
            if self.result.problems:
                break
        else:
            self.settle()

    def step_or_crash(self) -> None:
        """A step; when the engine dies in it, it is started again until it stays up."""
        if self.crashes is None:
            self.step()
            return
        self.crashes.arm()
        try:
            self.step()
        except CrashError as crash:
            self.crashes.seen[str(crash)] += 1
            self.revive(self.crashes)
        self.crashes.disarm()

    def revive(self, crashes: Crashes) -> None:
        """Start on what is durable, however often that crashes as well."""
        while True:
            try:
                simulation = crashes.restarted(self.simulation)
                # Nothing counts but what is durable: more than was handed out, or less after an
                # outage of the store.
                self.journal.clear()
                self.shadow = Shadow()
                for event in crashes.journal.events:
                    self.journal.append(event)
                    self.shadow.event(event)
                self.world.simulation = simulation
                simulation.subscribers.append(self.note)
                crashes.recover(simulation)
            except CrashError:
                crashes.seen[WHILE_STARTING] += 1
                continue
            break

    def step(self) -> None:
        """Time passes, the market moves, somebody may want something."""
        rng = self.world.rng
        simulation = self.simulation
        pause = PAUSES[rng.below(len(PAUSES))] * MILLISECOND
        self.feed(self.walk.next(simulation.now + pause))
        if rng.chance(1, 3):
            self.feed(self.walk.next(simulation.now))
        if rng.chance(1, 3):
            simulation.tick()
        if rng.chance(3, 4):
            command = self.wishes.next()
            if self.trace is not None:
                self.trace(f"{simulation.now} > {command}")
            simulation.command(command)

    def check(self, when: str) -> None:
        """Everything that must hold now."""
        core = self.simulation.core
        found = list(self.shadow.problems)
        self.shadow.problems.clear()
        self.shadow.compare(core.state)
        found.extend(self.shadow.problems)
        found.extend(state_problems(core.state))
        for exchange in self.world.exchanges.values():
            found.extend(exchange.problems())
        if self.simulation.in_flight() > IN_FLIGHT_MAX:
            found.append(f"I12 {self.simulation.in_flight()} messages under way")
        self.result.problems.extend(f"{when}: {problem}" for problem in found)

    def settle(self) -> None:
        """The faults stop; what is open is found out; the books are compared."""
        simulation = self.simulation
        simulation.mend_links()
        if self.crashes is not None:
            self.crashes.journal.mend()
            simulation.tick()
        for _ in range(3):
            if not simulation.settle(SETTLE_LIMIT):
                self.result.problems.append(f"I3 not settled within {SETTLE_LIMIT // SECOND} s")
                return
            simulation.advance(simulation.now + POLL_EVERY + SECOND)
            simulation.tick()
        self.check("settled")
        if simulation.core.state.suspended:
            self.result.problems.append("I16 the faults are over and the engine is suspended")
        self.result.problems.extend(verdict(self.world, self.shadow, self.journal))


# Called before the first step: where a test plants a bug.
Sabotage = Callable[[Run], None]


def run_seed(
    seed: int,
    steps: int = STEPS,
    sabotage: Sabotage | None = None,
    trace: Trace | None = None,
    *,
    crashes: bool = False,
) -> SeedResult:
    """Run one seed."""
    return Run(seed, steps, sabotage, trace, Crashes(seed) if crashes else None).go()
