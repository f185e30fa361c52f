"""The commands on the real engine."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from zvt_trading.cli.main import app
from zvt_trading.engine import CryptoTradingEngine


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


class TestRemembered:
    """--db-url: the run is kept, and the next one goes on from there."""

    def test_a_demo_goes_on_and_the_store_is_proven(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'demo.db'}"
        runs = [call("demo", "--seconds", "5", "--json", "--db-url", url) for _ in range(2)]
        assert [0, 0] == [run.exit_code for run in runs], runs[1].stderr
        first, second = (json.loads(run.stdout) for run in runs)
        assert [True, True] == [first["ledger_exact"], second["ledger_exact"]]
        proof = json.loads(call("db", "verify", "--json", "--db-url", url).stdout)
        assert ([], second["digest"]) == (proof["problems"], proof["digest"])
        assert first["events"] + second["events"] == proof["entries"]

    def test_in_memory_is_as_without_a_store(self) -> None:
        without = call("demo", "--seconds", "5", "--json")
        within = call("demo", "--seconds", "5", "--json", "--db-url", "sqlite:///:memory:")
        digests = {json.loads(run.stdout)["digest"] for run in (without, within)}
        assert 1 == len(digests)

    def test_a_market_of_before_cannot_follow(self, tmp_path: Path) -> None:
        """The generated market is of 2024; nothing of the store changes."""
        url = f"sqlite:///{tmp_path / 'demo.db'}"
        assert 0 == call("demo", "--seconds", "5", "--json", "--db-url", url).exit_code
        before = call("db", "verify", "--json", "--db-url", url).stdout
        older = tmp_path / "binance_BTCUSDT.csv"
        older.write_text(
            "timestamp,open,high,low,close,volume\n"
            "1600000000000,1,2,1,2,5\n1600000060000,1,2,1,2,5\n",
            encoding="utf-8",
        )
        result = call("replay", f"binance:BTC/USDT={older}", "--db-url", url)
        assert 2 == result.exit_code
        assert "give it a store of its own" in result.stderr
        assert before == call("db", "verify", "--json", "--db-url", url).stdout

    def test_a_store_in_use_is_refused(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'demo.db'}"
        with CryptoTradingEngine(db_url=url):
            result = call("demo", "--seconds", "1", "--json", "--db-url", url)
        assert 2 == result.exit_code
        assert "one engine a store" in result.stderr
