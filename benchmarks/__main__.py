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
        print(f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}", file=sys.stderr)
        return 2
    if len(chosen) == 1:
        print(msgspec.json.encode(WORKLOADS[chosen[0]]()).decode(), flush=True)
        return 0
    # A process each, so that memory and the collector's state are not inherited.
    return max(
        subprocess.run([sys.executable, "-m", "benchmarks", name], check=False).returncode
        for name in chosen
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
