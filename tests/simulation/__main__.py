"""Rerun seeds, with a trace: `PYTHONPATH=src:tests python -m simulation --seed 42`."""

import argparse
import sys
import time

from simulation.harness import STEPS, run_seed


def main() -> int:
    """The exit code: 1 when a seed failed."""
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seed", type=int, required=True, help="the (first) seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds; above 1, no trace")
    parser.add_argument("--steps", type=int, default=STEPS)
    arguments = parser.parse_args()
    started = time.perf_counter()
    failed = 0
    events = 0
    kinds: dict[str, int] = {}
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        trace = sys.stdout.write if arguments.count == 1 else None
        result = run_seed(
            seed, arguments.steps, trace=(lambda line: print(line)) if trace is not None else None
        )
        events += result.events
        for name, count in result.kinds.items():
            kinds[name] = kinds.get(name, 0) + count
        if result.problems:
            failed += 1
            print(result.message())
    seconds = time.perf_counter() - started
    print(f"{arguments.count} seeds, {failed} failed, {events} events, {seconds:.1f} s")
    print(", ".join(f"{name} {kinds[name]}" for name in sorted(kinds)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
