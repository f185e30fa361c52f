"""The harness can fail: planted bugs are found, by the invariant that is meant to find them."""

import pytest

from simulation.harness import Sabotage, run_seed
from simulation.sabotages import SABOTAGES


@pytest.mark.parametrize(
    ("plant", "invariant", "least"),
    [row[1:] for row in SABOTAGES],
    ids=[row[0] for row in SABOTAGES],
)
def test_a_planted_bug_is_found(plant: Sabotage, invariant: str, least: int) -> None:
    """Of 20 seeds at least as many as the table says speak of it."""
    found = 0
    for seed in range(20):
        problems = run_seed(seed, sabotage=plant).problems
        found += any(invariant in problem for problem in problems)
    assert found >= least


def test_a_failure_says_how_to_see_it_again() -> None:
    """One command that can be pasted."""
    plant = next(row[1] for row in SABOTAGES if row[0] == "crash")
    result = run_seed(3, 40, plant)
    assert "PYTHONPATH=src:tests python -m simulation --seed 3 --steps 40" in result.message()
