"""The commands on the real engine."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from zvt_trading.cli.main import app

pytest.importorskip("zvt_trading.runs", reason="the engine's runs are not installed")


def call(*arguments: str) -> Result:
    """Run the command line as a user does."""
    return CliRunner().invoke(app, list(arguments))


def test_a_demo_is_proven_and_repeatable() -> None:
    """Exit code 0, an exact ledger, and the same digest from the same seed."""
    first, second = (call("demo", "--seconds", "5", "--seed", "3", "--json") for _ in range(2))
    assert 0 == first.exit_code, first.stderr
    answers = [json.loads(result.stdout) for result in (first, second)]
    assert answers[0]["ledger_exact"] is True
    assert answers[0]["digest"] == answers[1]["digest"]


def test_an_unknown_strategy_is_bad_usage() -> None:
    """One line, no traceback."""
    result = call("demo", "--seconds", "1", "--strategy", "no-such-strategy", "--json")
    assert 2 == result.exit_code
    assert "no-such-strategy" in result.stderr


def test_a_file_that_is_no_recording_is_bad_input(tmp_path: Path) -> None:
    """The error names the file."""
    path = tmp_path / "notes.txt"
    path.write_text("not a market", encoding="utf-8")
    result = call("replay", str(path), "--json")
    assert 2 == result.exit_code
    assert "notes.txt" in result.stderr
