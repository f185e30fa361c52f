"""Seeded simulations over bad links: invariants after every step, the venue's record at the end.

`make test` runs SEEDS_CI seeds, `make prove` SEEDS_PROVE more. A failure prints the one command
that reruns its seed with a trace of everything that happened.
"""

import os
import subprocess
import sys
from collections import Counter
from typing import Final

import pytest

from conftest import ROOT
from simulation.harness import Run, run_seed

SEEDS_CI: Final = 1_000
CHUNK: Final = 50
SEEDS_PROVE: Final = 20_000
PROVE_CHUNK: Final = 1_000
PROVE_STEPS: Final = 150
LONG_SEEDS: Final = range(1, 7)
LONG_STEPS: Final = 10_000

# What 100 seeds must have gone through for their silence to mean anything: event, at least.
EXERCISED: Final = (
    ("AmendRejected", 10),
    ("AmendRequested", 75),
    ("CancelRejected", 25),
    ("CancelRequested", 250),
    ("CoolDownStarted", 2),
    ("FundingSettled", 50),
    ("KillSwitchPulled", 10),
    ("LeverageSet", 250),
    ("OrderAmended", 50),
    ("OrderCancelled", 500),
    ("OrderExpired", 10),
    ("OrderFilled", 750),
    ("OrderPlaced", 1_500),
    ("OrderRefused", 500),
    ("OrderRejected", 100),
    ("OrderReleased", 150),
    ("OrderTriggered", 150),
    ("OrderUnknown", 250),
    ("PositionLiquidated", 2),
    ("TrailMoved", 100),
    ("Transferred", 25),
    ("Withdrawn", 25),
)


def assert_all_hold(first: int, count: int, steps: int | None = None) -> None:
    """No seed of a range has a problem."""
    for seed in range(first, first + count):
        result = run_seed(seed) if steps is None else run_seed(seed, steps)
        assert not result.problems, result.message()


@pytest.mark.parametrize("first", range(0, SEEDS_CI, CHUNK))
def test_invariants_hold_after_every_step(first: int) -> None:
    """I1 to I10, I12 and I13 hold over links that delay, double, reorder, lose and disconnect."""
    assert_all_hold(first, CHUNK)


@pytest.mark.prove
@pytest.mark.parametrize("first", range(SEEDS_CI, SEEDS_CI + SEEDS_PROVE, PROVE_CHUNK))
def test_invariants_hold_for_many_more_seeds(first: int) -> None:
    """The same, longer and for seeds that CI has never seen."""
    assert_all_hold(first, PROVE_CHUNK, PROVE_STEPS)


def test_fees_in_coins_come_out_of_the_position() -> None:
    """By whole units, for which a life of the usual length is too short."""
    run = Run(0, 600, None, None)
    assert [] == run.go().problems
    portfolios = run.simulation.core.state.portfolios.values()
    holdings = [holding for portfolio in portfolios for holding in portfolio.holdings.values()]
    assert any(holding.position.fee_quantity for holding in holdings)


@pytest.mark.prove
@pytest.mark.parametrize("seed", LONG_SEEDS)
def test_invariants_hold_over_a_long_life(seed: int) -> None:
    """What adds up only slowly, like fees in coins that come out of a position, adds up here."""
    assert_all_hold(seed, 1, LONG_STEPS)


def test_the_seeds_exercise_the_engine() -> None:
    """Silence proves nothing if nothing happened: each kind of event occurs often enough."""
    kinds: Counter[str] = Counter()
    for seed in range(100):
        kinds.update(run_seed(seed).kinds)
    assert [] == [(name, kinds[name]) for name, least in EXERCISED if kinds[name] < least]


@pytest.mark.parametrize("seed", range(20))
def test_the_same_seed_gives_the_same_events(seed: int) -> None:
    """I14 within a process."""
    first = run_seed(seed)
    second = run_seed(seed)
    assert (first.events, first.digest) == (second.events, second.digest)


def test_the_same_seed_gives_the_same_events_in_every_process() -> None:
    """I14 whatever the hash seed of the interpreter is."""
    script = (
        "from simulation.harness import run_seed\n"
        "print(*[run_seed(seed).digest for seed in range(9)])"
    )
    path = os.pathsep.join([str(ROOT / "tests"), *sys.path])
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert [run_seed(seed).digest for seed in range(9)] == outputs[0].split()
