"""`python -m benchmarks [all | W1 W2 ...]`: one JSON line a workload, each in its own process."""

import subprocess
import sys

import msgspec

from benchmarks.workloads import WORKLOADS


def main(names: list[str]) -> int:
    """Run the named workloads; several run one after another in processes of their own."""
    chosen = list(WORKLOADS) if not names or "all" in names else [name.upper() for name in names]
    unknown = [name for name in chosen if name not in WORKLOADS]
    if unknown:
        known = ", ".join(WORKLOADS)
        print(f"no workload {', '.join(unknown)}; there are {known}", file=sys.stderr)
        return 2
    if len(chosen) == 1:
        found = WORKLOADS[chosen[0]]()
        for line in found if isinstance(found, list) else [found]:
            print(msgspec.json.encode(line).decode(), flush=True)
        return 0
    # A process each, so that memory and the collector's state are not inherited.
    return max(_run(name).returncode for name in chosen)


def _run(name: str) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "benchmarks", name]
    return subprocess.run(command, check=False)  # noqa: S603 - names are our own, checked


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
