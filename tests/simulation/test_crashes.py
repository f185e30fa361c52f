"""Seeded simulations in which the engine dies now and then, and goes on from what was durable.

`make test` runs CRASH_SEEDS_CI seeds, `make prove` CRASH_SEEDS_PROVE more. A failure prints the one
command that reruns its seed with a trace of everything that happened.
"""

from collections import Counter
from functools import cache
from typing import Final

import pytest

from simulation.crash_sabotages import CRASH_SABOTAGES, OftenDead
from simulation.crashes import (
    AFTER_COMMIT,
    AMENDING,
    BEFORE_COMMIT,
    BETWEEN_EFFECTS,
    CANCELLING,
    EVENTS_LOST,
    FROM_BEGINNING,
    FROM_SNAPSHOT,
    HOLDING,
    SUSPENDED,
    UNANSWERED,
    UNKNOWN_OUTCOME,
    WHILE_STARTING,
    Crashes,
)
from simulation.harness import STEPS, Run, run_seed
from zvt_trading.messages.events import (
    EngineResumed,
    EngineStarted,
    EngineSuspended,
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
)
from zvt_trading.messages.reasons import Reason

CRASH_SEEDS_CI: Final = 600
CHUNK: Final = 50
CRASH_SEEDS_PROVE: Final = 20_000
PROVE_CHUNK: Final = 1_000
PROVE_STEPS: Final = 150
EXERCISING: Final = 100

RESOLUTIONS: Final = {
    OrderAccepted: "unknown order found at the venue",
    OrderFilled: "unknown order found filled",
    OrderCancelled: "unknown order found cancelled",
    OrderExpired: "unknown order found expired",
    OrderRejected: "unknown order found refused, or proven absent",
}

# What EXERCISING seeds must have gone through for their silence to mean anything, at least.
EXERCISED: Final = (
    (BEFORE_COMMIT, 10),
    (AFTER_COMMIT, 15),
    (BETWEEN_EFFECTS, 25),
    (WHILE_STARTING, 4),
    (FROM_SNAPSHOT, 10),
    (FROM_BEGINNING, 50),
    (EVENTS_LOST, 6),
    (UNANSWERED, 20),
    (UNKNOWN_OUTCOME, 20),
    (CANCELLING, 15),
    (AMENDING, 4),
    (HOLDING, 40),
    (SUSPENDED, 15),
    ("started with a past", 60),
    ("suspended: recovering", 20),
    ("suspended: store_unavailable", 80),
    ("resumed", 100),
    ("proven absent", 80),
    ("not sent", 6),
    ("unknown order found at the venue", 75),
    ("unknown order found filled", 3),
    ("unknown order found cancelled", 14),
    ("unknown order found refused, or proven absent", 80),
)


@cache
def gone_through() -> Counter[str]:
    """What happened in the first seeds, by the events that were durable."""
    found: Counter[str] = Counter()
    for seed in range(EXERCISING):
        crashes = Crashes(seed)
        run = Run(seed, STEPS, None, None, crashes)
        run.go()
        found.update(crashes.seen)
        found.update(_read(run.journal))
    return found


def _read(journal: list[Event]) -> Counter[str]:
    """A journal's part of it."""
    found: Counter[str] = Counter()
    unknown: set[str] = set()
    for event in journal:
        if isinstance(event, EngineStarted):
            found["started with a past"] += event.recovering
        elif isinstance(event, EngineSuspended):
            found[f"suspended: {Reason(event.reason).name.lower()}"] += 1
        elif isinstance(event, EngineResumed):
            found["resumed"] += 1
        elif isinstance(event, OrderUnknown):
            unknown.add(event.order_id)
        elif type(event) in RESOLUTIONS and getattr(event, "order_id", "") in unknown:
            unknown.discard(getattr(event, "order_id", ""))
            found[RESOLUTIONS[type(event)]] += 1
        if isinstance(event, OrderRejected):
            found["proven absent"] += event.reason == Reason.ABSENCE_PROVEN
            found["not sent"] += event.reason == Reason.NOT_SENT
    return found


def assert_all_hold(first: int, count: int, steps: int = STEPS) -> None:
    """No seed of a range has a problem."""
    for seed in range(first, first + count):
        result = run_seed(seed, steps, crashes=True)
        assert not result.problems, result.message()


@pytest.mark.parametrize("first", range(0, CRASH_SEEDS_CI, CHUNK))
def test_nothing_is_lost_or_doubled_wherever_the_engine_dies(first: int) -> None:
    """Every invariant holds after every step and start, and at the end the venues agree."""
    assert_all_hold(first, CHUNK)


@pytest.mark.prove
@pytest.mark.parametrize(
    "first", range(CRASH_SEEDS_CI, CRASH_SEEDS_CI + CRASH_SEEDS_PROVE, PROVE_CHUNK)
)
def test_nothing_is_lost_or_doubled_in_many_more_lives(first: int) -> None:
    """The same, longer and for seeds that CI has never seen."""
    assert_all_hold(first, PROVE_CHUNK, PROVE_STEPS)


def test_the_seeds_crash_wherever_an_engine_can() -> None:
    """Silence proves nothing if nothing happened: each kind of end and of start occurs."""
    found = gone_through()
    assert [] == [(name, found[name]) for name, least in EXERCISED if found[name] < least]


@pytest.mark.parametrize("seed", range(10))
def test_the_same_seed_dies_the_same_deaths(seed: int) -> None:
    """Whatever a crash shows can be seen again."""
    first = run_seed(seed, crashes=True)
    second = run_seed(seed, crashes=True)
    assert (first.events, first.digest) == (second.events, second.digest)


@pytest.mark.parametrize("seed", range(8))
def test_an_engine_that_dies_at_every_third_step_loses_nothing_either(seed: int) -> None:
    """The sabotages that need it this often are found for what they are, not for this."""
    run = Run(seed, STEPS, None, None, OftenDead(seed))
    assert [] == run.go().problems


@pytest.mark.parametrize(
    ("kind", "invariant", "seeds"),
    [row[1:] for row in CRASH_SABOTAGES],
    ids=[row[0] for row in CRASH_SABOTAGES],
)
def test_a_start_gone_wrong_is_found(kind: type[Crashes], invariant: str, seeds: int) -> None:
    """At the latest by the seed that the table says."""
    assert any(_is_found(kind(seed), seed, invariant) for seed in range(seeds))


def _is_found(crashes: Crashes, seed: int, invariant: str) -> bool:
    """Whether a seed speaks of the invariant."""
    result = Run(seed, STEPS, None, None, crashes).go()
    return any(f"{invariant} " in problem for problem in result.problems)


def test_a_failure_says_how_to_see_its_crashes_again() -> None:
    """The command has the option without which the seed would be another one."""
    result = run_seed(3, 40, crashes=True)
    assert "python -m simulation --seed 3 --steps 40 --crashes" in result.message()
