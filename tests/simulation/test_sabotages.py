"""The harness can fail: planted bugs are found, by the invariant that is meant to find them."""

import pytest

from simulation.harness import Sabotage, run_seed
from simulation.sabotages import SABOTAGES


def is_found(seed: int, plant: Sabotage, invariant: str) -> bool:
    """Whether a seed with a bug planted speaks of the invariant."""
    return any(invariant in problem for problem in run_seed(seed, sabotage=plant).problems)


@pytest.mark.parametrize(
    ("plant", "invariant", "seeds"),
    [row[1:] for row in SABOTAGES],
    ids=[row[0] for row in SABOTAGES],
)
def test_a_planted_bug_is_found(plant: Sabotage, invariant: str, seeds: int) -> None:
    """At the latest by the seed that the table says."""
    assert any(is_found(seed, plant, invariant) for seed in range(seeds))


def test_a_failure_says_how_to_see_it_again() -> None:
    """One command that can be pasted."""
    plant = next(row[1] for row in SABOTAGES if row[0] == "crash")
    result = run_seed(3, 40, plant)
    assert "PYTHONPATH=src:tests python -m simulation --seed 3 --steps 40" in result.message()
