"""The two gates of `make test`: coverage by part, and equal digests of both builds."""

import json
from pathlib import Path

import compare_digests
import coverage_gate
import pytest


def report(path: Path, **percents: int) -> str:
    """A coverage report with one file of 100 lines a room."""
    files = {
        f"/any/where/zvt_trading/{room}/a.py": {
            "summary": {
                "covered_lines": percent // 2,
                "num_statements": 50,
                "covered_branches": percent - percent // 2,
                "num_branches": 50,
            }
        }
        for room, percent in percents.items()
    }
    path.write_text(json.dumps({"files": files}), encoding="utf-8")
    return str(path)


COVERAGE = [
    ({"core": 98, "sim": 98, "cli": 90}, 0),
    ({"core": 96, "sim": 99, "cli": 100}, 1),
    ({"core": 100, "sim": 95, "cli": 100}, 1),
    ({"core": 100, "sim": 100, "cli": 89}, 1),
    ({"core": 100, "sim": 100, "cli": 80, "runtime": 100}, 0),
    ({"core": 100, "sim": 100}, 1),
    ({"cli": 100}, 1),
    ({}, 1),
]


@pytest.mark.parametrize(("percents", "code"), COVERAGE)
def test_coverage_gate(tmp_path: Path, percents: dict[str, int], code: int) -> None:
    """Each group of rooms keeps its bound; a group that was not measured fails."""
    assert coverage_gate.main([report(tmp_path / "c.json", **percents)]) == code


DIGESTS = [
    ("a=1\nb=2", "b=2\na=1", 0),
    ("", "", 1),
    ("a=1", "a=2", 1),
    ("a=1\nb=2", "a=1", 1),
    ("hello", "hello", 1),
]


@pytest.mark.parametrize(("interpreted", "compiled", "wrong"), DIGESTS)
def test_digests_must_be_equal_and_there(interpreted: str, compiled: str, wrong: int) -> None:
    """Any difference is a finding, and so is nothing to compare."""
    found = compare_digests.differences(
        compare_digests.parse(interpreted), compare_digests.parse(compiled)
    )
    assert len(found) == wrong
