"""`zvt-trading stream` against an emulated exchange, and `replay` of what it wrote."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from stream_world import Town, town
from typer.testing import CliRunner, Result

from settings_world import logging_as_before
from zvt_trading.cli.main import app
from zvt_trading.emulator.faults import FRAME_DISCONNECT, PUBLIC


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with logging_as_before():
        yield


BTC = ("--exchange", "okx", "--symbol", "BTC/USDT")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["stream", *arguments])


def there(world: Town) -> tuple[str, ...]:
    return ("--endpoint", world.endpoint, "--ca-file", world.ca_file, "--seconds", "2")


def test_what_is_recorded_can_be_replayed(tmp_path: Path) -> None:
    """Both of spot and of the perpetual, in one run."""
    with town("okx") as world:
        done = invoke(
            "record", *BTC, "--symbol", "BTC/USDT:USDT", "--folder", str(tmp_path), *there(world),
            "--json",
        )  # fmt: skip
    assert 0 == done.exit_code, done.output
    facts = json.loads(done.stdout)
    assert 0 == facts["lost"]
    assert sorted(map(str, tmp_path.iterdir())) == sorted(facts["files"])
    assert 2 == len(facts["files"])
    assert {"okx"} == {row["venue"] for row in facts["streams"]}
    replayed = CliRunner().invoke(app, ["replay", *facts["files"], "--json"])
    assert 0 == replayed.exit_code, replayed.output


def test_what_is_logged_is_not_in_the_result(tmp_path: Path) -> None:
    """A lost connection is told on stderr; stdout is one JSON object."""
    with town("okx") as world:
        world.fault("okx", kind=FRAME_DISCONNECT, endpoint=PUBLIC)
        done = invoke("record", *BTC, "--folder", str(tmp_path), *there(world), "--json")
    assert 0 == done.exit_code, done.output
    assert json.loads(done.stdout)["streams"][0]["reconnects"] >= 1
    assert "a stream ended" in done.stderr


def test_the_best_prices_are_shown() -> None:
    """A line a second and instrument."""
    with town("okx") as world:
        done = invoke("show", *BTC, *there(world))
    assert 0 == done.exit_code, done.output
    lines = done.stdout.splitlines()
    assert 2 == len(lines)
    assert "okx:BTC/USDT: bid " in lines[-1]


def test_a_recording_says_what_it_counted(tmp_path: Path) -> None:
    """A line a channel, and the files."""
    with town("okx") as world:
        done = invoke("record", *BTC, "--folder", str(tmp_path), *there(world))
    assert 0 == done.exit_code, done.output
    channels = [
        line.partition(":")[2].partition(" ")[2].partition(":")[0]
        for line in done.stdout.splitlines()
    ]
    assert ["quotes", "trades", "book"] == channels
    assert "Recorded: " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--exchange", "kraken", "--symbol", "BTC/USDT"), "binance, okx, bybit, coinbase"),
        (("--exchange", "okx", "--symbol", "BTCUSDT"), "okx: "),
        ((*BTC, "--endpoint", "nowhere"), "okx: "),
        ((*BTC, "--ca-file", "ca.pem"), "endpoint"),
    ],
)
def test_arguments_that_cannot_be_used(
    arguments: tuple[str, ...], text: str, tmp_path: Path
) -> None:
    """Exit code 2, one line, what is allowed."""
    done = invoke("record", *arguments, "--folder", str(tmp_path))
    assert (2, 1) == (done.exit_code, len(done.stderr.splitlines())), done.output
    assert text in done.stderr


def test_a_symbol_that_is_not_listed(tmp_path: Path) -> None:
    """Exit code 1, and it is named."""
    with town("okx") as world:
        done = invoke(
            "record", "--exchange", "okx", "--symbol", "ABC/XYZ", "--folder", str(tmp_path),
            *there(world),
        )  # fmt: skip
    assert 1 == done.exit_code
    assert "ABC/XYZ" in done.stderr
