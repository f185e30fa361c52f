"""Run the same simulations under two interpreters; their digests must be the same.

    python tools/compare_digests.py .venv/bin/python .venv-compiled/bin/python

Each runs `python -m digests` (tests/digests.py), which prints lines of name=digest; for a journal
that is stored, one for each kind of store.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"


def parse(text: str) -> dict[str, str]:
    """The name=digest lines of an output; other lines are ignored."""
    pairs = [line.split("=", 1) for line in text.splitlines() if "=" in line]
    return {name.strip(): digest.strip() for name, digest in pairs}


def differences(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """What differs, as lines to print; an empty side differs from everything."""
    if not first or not second:
        return [f"no digests: {len(first)} and {len(second)} lines of name=digest"]
    return [
        f"{name}: {first.get(name, 'missing')} against {second.get(name, 'missing')}"
        for name in sorted(first | second)
        if first.get(name) != second.get(name)
    ]


def start(python: str) -> subprocess.Popen[str]:
    """Start the digests under one interpreter, away from src/ so that the installed build runs."""
    return subprocess.Popen(
        [str(Path(python).absolute()), "-m", "digests"],
        cwd=TESTS,
        env={**os.environ, "PYTHONHASHSEED": "random", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def main(arguments: list[str]) -> int:
    """Run both at once and compare; the exit code."""
    processes = [start(python) for python in arguments]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        print("a run of the digests failed")
        return 1
    first, second = (parse(output) for output in outputs)
    different = differences(first, second)
    for line in different:
        print(line)
    print(f"digests: {len(first)} compared, {len(different)} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
