"""The commands: what they ask of the runner, what they print where, how they leave."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from cli_fixtures import DIGEST, FakeRunner, make_ledger_row, make_report, recording
from typer.testing import CliRunner, Result

from zvt_trading import __version__
from zvt_trading.cli.main import DEMO_REPORT, app
from zvt_trading.cli.runner import DemoOptions, ReplayOptions
from zvt_trading.errors import CallerError, DataError, EngineError, VenueError
from zvt_trading.types import AccountingMethod, BookChecks

SCHEMA: dict[str, type | tuple[type, ...]] = {
    "orders": int,
    "fills": int,
    "fees": str,
    "realized_pnl": str,
    "unrealized_pnl": str,
    "equity": str,
    "funding": str,
    "base_asset": str,
    "ledger_exact": bool,
    "book_checks": dict,
    "events": int,
    "market_messages": int,
    "seconds": float,
    "digest": str,
    "portfolios": list,
    "refusals": dict,
    "positions": list,
    "ledger": list,
    "fees_by_venue": list,
    "slippage_bps": list,
    "problems": list,
}


def call(*arguments: object, runner: FakeRunner | None = None) -> Result:
    """Run the command line on a runner that answers with a hand-made report."""
    texts = [str(argument) for argument in arguments]
    return CliRunner().invoke(app, texts, obj=runner or FakeRunner(), env={"COLUMNS": "80"})


def test_version_prints_the_version() -> None:
    """And whether the core is compiled."""
    said = call("version").stdout
    assert said in (f"{__version__} (interpreted)\n", f"{__version__} (compiled)\n")


def test_version_is_quick_because_it_imports_no_big_library() -> None:
    """Neither plotly nor pyarrow nor the engine are needed to say a version."""
    code = (
        "import sys; from zvt_trading.cli.main import app; app(['version'], standalone_mode=False);"
        "print([m for m in ('plotly', 'pyarrow', 'zvt_trading.core.units') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.endswith(")\n[]\n")


def test_strategies_lists_names() -> None:
    """A table with the class behind each name."""
    result = call("strategies")
    assert 0 == result.exit_code
    assert "class" in result.stdout


def test_demo_asks_for_what_the_options_say() -> None:
    """Seed, seconds and every strategy named."""
    runner = FakeRunner()
    call(
        "demo",
        "--seed",
        3,
        "--seconds",
        9,
        "--strategy",
        "a",
        "--strategy",
        "b",
        "--no-report",
        runner=runner,
    )
    assert [DemoOptions(seed=3, seconds=9, strategies=("a", "b"))] == runner.asked


def test_demo_has_defaults() -> None:
    """Seed 7, a minute of market time, the engine's own strategies."""
    runner = FakeRunner()
    call("demo", "--json", runner=runner)
    assert [DemoOptions(seed=7, seconds=60, strategies=())] == runner.asked


def test_replay_asks_for_what_the_options_say(tmp_path: Path) -> None:
    """Files, strategy, cash as an exact decimal, accounting method, seed."""
    runner = FakeRunner()
    path = recording(tmp_path)
    call(
        "replay",
        path,
        path,
        "--strategy",
        "x.py:X",
        "--cash",
        "0.1",
        "--portfolio-method",
        "hifo",
        "--seed",
        5,
        runner=runner,
    )
    expected = ReplayOptions(
        paths=(path, path),
        strategy="x.py:X",
        cash=Decimal("0.1"),
        method=AccountingMethod.HIFO,
        seed=5,
    )
    assert [expected] == runner.asked


def test_replay_has_defaults(tmp_path: Path) -> None:
    """100,000 in cash, FIFO, the default strategy."""
    runner = FakeRunner()
    call("replay", recording(tmp_path), runner=runner)
    options = cast("ReplayOptions", runner.asked[0])
    assert (None, Decimal(100_000), AccountingMethod.FIFO, 0) == (
        options.strategy,
        options.cash,
        options.method,
        options.seed,
    )


@pytest.mark.parametrize("command", ["demo", "replay"])
def test_json_is_exactly_one_object_on_stdout(command: str, tmp_path: Path) -> None:
    """With the promised keys and types; progress and notices are on stderr."""
    files = [recording(tmp_path)] if command == "replay" else []
    report = tmp_path / "r.html"
    result = call(command, *files, "--json", "--report", report)
    answer = json.loads(result.stdout)
    assert 0 == result.exit_code
    for key, kind in SCHEMA.items():
        assert isinstance(answer[key], kind), key
    assert f"{command}: 100 %" in result.stderr
    assert f"Report: {report}" in result.stderr


def test_json_money_is_decimal_text_with_every_digit() -> None:
    """Floats would lose the last unit."""
    answer = json.loads(call("demo", "--json").stdout)
    assert ("100025.162500000000000001", "29.962499999999999999") == (
        answer["equity"],
        answer["fees"],
    )
    assert {"matched": 1_000, "total": 1_000, "undecidable": 0} == answer["book_checks"]
    assert (40, 40, 12_345, DIGEST) == tuple(
        answer[key] for key in ("orders", "fills", "events", "digest")
    )


def test_json_lists_positions_with_lots_and_portfolios() -> None:
    """What a program needs to check the run itself."""
    answer = json.loads(call("demo", "--json").stdout)
    lots = answer["positions"][0]["lots"]
    assert ["0.25", "0.25"] == [lot["quantity"] for lot in lots]
    assert "default" == answer["portfolios"][0]["portfolio_id"]
    assert {"price_collar": 5, "insufficient_balance": 2} == answer["refusals"]
    assert "0" == answer["ledger"][0]["difference"]
    assert answer["positions"][0]["liquidation_price"] is None


def test_without_json_stdout_has_the_tables() -> None:
    """And no colour codes when it is not a terminal."""
    result = call("demo", "--no-report")
    assert "Ledger proof" in result.stdout
    assert "\x1b" not in result.stdout


def test_demo_writes_its_report_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo without options leaves a report to look at."""
    pytest.importorskip("plotly")
    monkeypatch.chdir(tmp_path)
    assert f"Report: {DEMO_REPORT}" in call("demo").stderr
    assert DEMO_REPORT.exists()


@pytest.mark.parametrize("option", ["--json", "--no-report"])
def test_demo_writes_no_report_unasked(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that wants JSON did not ask for a file."""
    monkeypatch.chdir(tmp_path)
    call("demo", option)
    assert [] == list(tmp_path.iterdir())


def test_a_missing_plotly_is_a_notice_not_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says how to install it; the run stays good."""
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.delitem(sys.modules, "plotly.offline", raising=False)
    report = tmp_path / "r.html"
    result = call("demo", "--report", report)
    assert 0 == result.exit_code
    assert 'pip install "zvt-trading[research]"' in result.stderr
    assert not report.exists()


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        (0, {}),
        (1, {"ledger_exact": False}),
        (1, {"ledger": (make_ledger_row(difference=Decimal("-1E-18")),)}),
        (1, {"book_checks": BookChecks(matched=999, total=1_000)}),
    ],
)
@pytest.mark.parametrize("output", ["--json", "--no-report"])
def test_the_exit_code_says_whether_the_run_is_proven(
    expected: int, changes: dict[str, object], output: str
) -> None:
    """The result is shown in either case."""
    result = call("demo", output, runner=FakeRunner(make_report(**changes)))
    assert expected == result.exit_code
    assert DIGEST in result.stdout


@pytest.mark.parametrize(
    ("expected", "error", "message"),
    [
        (2, CallerError("unknown strategy 'x'"), "zvt-trading: unknown strategy 'x'\n"),
        (2, DataError("a.gz: line 3: bad"), "zvt-trading: a.gz: line 3: bad\n"),
        (2, FileNotFoundError(2, "gone", "a.gz"), "zvt-trading: a.gz: gone\n"),
        (1, EngineError("ledger broken"), "zvt-trading: EngineError: ledger broken\n"),
        (1, VenueError("odd"), "zvt-trading: VenueError: odd\n"),
    ],
)
def test_errors_with_a_culprit_are_one_line(expected: int, error: Exception, message: str) -> None:
    """2 for the caller and the data, 1 for us; never a traceback, never half a JSON."""
    result = call("demo", "--json", runner=FakeRunner(error=error))
    assert expected == result.exit_code
    assert result.stderr.endswith(message)
    assert "" == result.stdout


def test_a_bug_shows_itself() -> None:
    """An exception nobody planned is not dressed up as a usage error."""
    result = call("demo", "--json", runner=FakeRunner(error=ZeroDivisionError()))
    assert isinstance(result.exception, ZeroDivisionError)
    assert 1 == result.exit_code


@pytest.mark.parametrize(
    ("part", "arguments"),
    [
        ("Missing argument", ["replay"]),
        ("nowhere.gz: No such file", ["replay", "nowhere.gz"]),
        ("it is a directory", ["replay", "."]),
        ("not a positive number", ["replay", __file__, "--cash", "many"]),
        ("not a positive number", ["replay", __file__, "--cash", "-1"]),
        ("not a positive number", ["replay", __file__, "--cash", "inf"]),
        ("not a positive number", ["replay", __file__, "--cash", "nan"]),
        ("Invalid value", ["replay", __file__, "--portfolio-method", "best"]),
        ("Invalid value", ["demo", "--seconds", "0"]),
        ("Invalid value", ["demo", "--seed", "-1"]),
        ("exclude each other", ["demo", "--no-report", "--report", "r.html"]),
        ("not a directory", ["demo", "--report", "nowhere/r.html"]),
        ("it is a directory", ["demo", "--report", "."]),
        ("File name too long", ["demo", "--report", "x" * 300]),
        ("File name too long", ["replay", "x" * 300]),
        ("No such command", ["trade"]),
    ],
)
def test_bad_usage_leaves_with_2_and_runs_nothing(part: str, arguments: list[str]) -> None:
    """Each says what is wrong, before anything runs."""
    runner = FakeRunner()
    result = call(*arguments, runner=runner)
    assert 2 == result.exit_code
    assert part in " ".join(result.stderr.split())
    assert [] == runner.asked


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_report_that_cannot_be_written_is_said() -> None:
    """The disk may fill up during the run; the result is still shown."""
    result = call("demo", "--report", "/dev/full")
    assert 2 == result.exit_code
    assert "cannot write /dev/full: No space left on device" in result.stderr
    assert DIGEST in result.stdout
