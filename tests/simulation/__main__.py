"""Rerun seeds, with a trace: `PYTHONPATH=src:tests python -m simulation --seed 42`."""

import argparse
import sys
import time
from collections import Counter

from simulation.harness import STEPS, run_seed


def say(line: str) -> None:
    """To standard output."""
    sys.stdout.write(line + "\n")


def main() -> int:
    """The exit code: 1 when a seed failed."""
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seed", type=int, required=True, help="the (first) seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds; above 1, no trace")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--crashes", action="store_true", help="the engine dies now and then")
    arguments = parser.parse_args()
    started = time.perf_counter()
    failed = 0
    kinds: Counter[str] = Counter()
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        trace = say if arguments.count == 1 else None
        result = run_seed(seed, arguments.steps, trace=trace, crashes=arguments.crashes)
        kinds.update(result.kinds)
        if result.problems:
            failed += 1
            say(result.message())
    seconds = time.perf_counter() - started
    say(f"{arguments.count} seeds, {failed} failed, {kinds.total()} events, {seconds:.1f} s")
    say(", ".join(f"{name} {kinds[name]}" for name in sorted(kinds)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
