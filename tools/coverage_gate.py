"""Hold branch coverage to its bounds: core and sim together, and the rest.

    python tools/coverage_gate.py coverage.json

Prints covered, total and percent (lines and branches together) for each package, then the files
that miss most. Exits with 1 when a bound is missed, or when nothing was measured.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

COMPILED_ROOMS = ("core", "sim")
COMPILED_PERCENT_MIN = 98
REST_PERCENT_MIN = 90
WORST_FILES = 12

Counts = tuple[int, int]  # covered, total: lines and branches


def room_of(path: str) -> str:
    """The room a file belongs to: "core", "cli", or "" for a module of the package itself."""
    parts = Path(path).parts
    inside = parts[parts.index("zvt_trading") + 1 :]
    return inside[0] if len(inside) > 1 else ""


def read_counts(report: Path) -> dict[str, Counts]:
    """Covered and total lines plus branches, by file."""
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    counts = {}
    for path, file in files.items():
        summary = file["summary"]
        counts[path] = (
            summary["covered_lines"] + summary["covered_branches"],
            summary["num_statements"] + summary["num_branches"],
        )
    return counts


def percent(counts: Counts) -> float:
    """Percent covered; an empty file is covered."""
    covered, total = counts
    return 100 * covered / total if total else 100.0


def summed(counts: list[Counts]) -> Counts:
    """The sum of both columns."""
    return sum(covered for covered, _ in counts), sum(total for _, total in counts)


def judge(name: str, counts: list[Counts], percent_min: int) -> bool:
    """Print one line of judgement; whether the bound is kept."""
    reached = percent(summed(counts))
    kept = bool(counts) and reached >= percent_min
    verdict = "ok" if kept else "MISSED"
    print(f"{name}: {reached:.2f} % of lines and branches, at least {percent_min} %: {verdict}")
    return kept


def main(arguments: list[str]) -> int:
    """Print the table and judge; the exit code."""
    by_file = read_counts(Path(arguments[0]))
    by_room: dict[str, list[Counts]] = defaultdict(list)
    for path, counts in by_file.items():
        by_room[room_of(path)].append(counts)
    for room in sorted(by_room):
        covered, total = summed(by_room[room])
        print(
            f"{room or 'zvt_trading':14} {covered:6}/{total:<6} {percent((covered, total)):6.2f} %"
        )
    misses = sorted((total - covered, path) for path, (covered, total) in by_file.items())
    for missed, path in reversed(misses[-WORST_FILES:]):
        if missed:
            print(f"  {missed:5} missed in {path} ({percent(by_file[path]):.1f} %)")
    compiled = [c for path, c in by_file.items() if room_of(path) in COMPILED_ROOMS]
    rest = [c for path, c in by_file.items() if room_of(path) not in COMPILED_ROOMS]
    kept = judge("core and sim", compiled, COMPILED_PERCENT_MIN)
    return 0 if judge("the rest", rest, REST_PERCENT_MIN) and kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
