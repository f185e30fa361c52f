"""`zvt-trading data ...`: what each command does, says and leaves with."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from zvt_trading.cli.main import app
from zvt_trading.core.units import HOUR
from zvt_trading.data.history_source import HistorySource, Page
from zvt_trading.data.rows import Trade
from zvt_trading.data.series import Series
from zvt_trading.errors import VenueError

DOWNLOAD = ("download", "--exchange", "okx", "--symbol", "BTC/USDT")
RANGE = ("--start", "2024-01-01", "--end", "2024-01-01T02:00")


class Source:
    """A trade an hour, or a broken venue."""

    exchange = "okx"

    def __init__(self, *, broken: bool) -> None:
        self._broken = broken
        self.closed = False

    async def pages(self, series: Series, start: int, end: int) -> AsyncIterator[Page]:
        assert not series.interval
        for at in range(start, end, HOUR):
            yield Page(at, at + HOUR, [Trade(at, str(at), Decimal(1), Decimal(2), "buy")])
            if self._broken:
                raise VenueError("okx is down")

    def has_consecutive_ids(self, series: Series) -> bool:
        del series
        return False

    async def close(self) -> None:
        self.closed = True


def call(*arguments: object, broken: bool = False) -> Result:
    """Run `zvt-trading data` with a source made by hand."""
    made = Source(broken=broken)

    def make(exchange: str, pages_per_minute: int | None) -> HistorySource:
        assert ("okx", None) == (exchange, pages_per_minute)
        return made

    texts = ["data", *[str(argument) for argument in arguments]]
    result = CliRunner().invoke(app, texts, obj=make, env={"COLUMNS": "80"})
    assert made.closed or arguments[0] != "download" or result.exit_code == 2
    return result


def trades(folder: Path, *more: object, broken: bool = False) -> Result:
    """Download two hours of trades."""
    arguments = (*DOWNLOAD, "--what", "trades", *RANGE, "--folder", folder, *more)
    return call(*arguments, broken=broken)


def facts(result: Result) -> dict[str, Any]:
    """What a command says to a program: one line."""
    assert 1 == result.stdout.count("\n")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_download_says_what_is_there_now(tmp_path: Path) -> None:
    """And how much of it is new."""
    result = trades(tmp_path)
    assert 0 == result.exit_code, result.output
    assert (
        "okx BTC/USDT trades: 2024-01-01T00:00:00Z to 2024-01-01T02:00:00Z is there, 2 rows are "
        f"new, in {tmp_path / 'okx' / 'BTC-USDT_trades'}\n"
    ) == result.stdout
    assert "okx BTC/USDT trades: 100 %" in result.stderr


def test_download_tells_a_program_the_same(tmp_path: Path) -> None:
    """Rows are those that came; the second time none do."""
    said = [facts(trades(tmp_path, "--json")) for _ in range(2)]
    assert [2, 0] == [one.pop("rows") for one in said]
    file = tmp_path / "okx" / "BTC-USDT_trades" / "okx_BTC-USDT_trades_2024-01-01.parquet"
    assert {
        "series": "okx BTC/USDT trades",
        "start": "2024-01-01T00:00:00Z",
        "end": "2024-01-01T02:00:00Z",
        "files": [str(file)],
    } == said[0]


def test_a_venue_that_is_down_is_exit_code_1_and_what_came_is_kept(tmp_path: Path) -> None:
    """One line on stderr."""
    result = trades(tmp_path, broken=True)
    assert 1 == result.exit_code
    assert "zvt-trading: VenueError: okx is down" == result.stderr.splitlines()[-1]
    assert 1 == facts(call("list", "--folder", tmp_path, "--json"))["series"][0]["rows"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*DOWNLOAD, "--what", "quotes", *RANGE), "what 'quotes' must be one of candles, trades"),
        ((*DOWNLOAD, "--what", "trades", "--interval", "1m", *RANGE), "trades have no interval"),
        ((*DOWNLOAD, "--interval", "2m", *RANGE), "interval '2m' must be one of 1s, 1m"),
        ((*DOWNLOAD, "--start", "soon", "--end", "2024-01-01"), "'soon' is not a time"),
        ((*DOWNLOAD, "--start", "2024-01-02", "--end", "2024-01-01"), "must be after the start"),
        (
            ("download", "--exchange", "okx", "--symbol", "BTC", *RANGE),
            "symbol 'BTC' must be spot (BTC/USDT)",
        ),
    ],
)
def test_arguments_that_cannot_be_used_are_exit_code_2(
    arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    """The line names what was given and what is allowed."""
    result = call(*arguments, "--folder", tmp_path)
    assert 2 == result.exit_code
    assert words in result.stderr.splitlines()[-1]


def test_an_exchange_that_is_not_known_is_exit_code_2(tmp_path: Path) -> None:
    """Without a source made by hand."""
    texts = ["data", "download", "--exchange", "kraken", "--symbol", "BTC/USDT", *RANGE]
    result = CliRunner().invoke(app, [*texts, "--folder", str(tmp_path)])
    assert 2 == result.exit_code
    line = "exchange 'kraken' must be one of binance, okx, bybit, coinbase"
    assert f"zvt-trading: {line}" == result.stderr.splitlines()[-1]


def test_list_shows_a_line_a_series(tmp_path: Path) -> None:
    """Rows, time and files."""
    trades(tmp_path)
    result = call("list", "--folder", tmp_path)
    assert result.stdout.startswith(
        "okx BTC/USDT trades: 2 rows from 2024-01-01T00:00:00Z to 2024-01-01T02:00:00Z in 1 files"
    )


def test_list_tells_a_program_all_fields(tmp_path: Path) -> None:
    """One object a series."""
    trades(tmp_path)
    (series,) = facts(call("list", "--folder", tmp_path, "--json"))["series"]
    assert ["exchange", "symbol", "what", "interval", "rows", "start", "end", "files", "bytes"] == (
        list(series)
    )


def test_list_of_nothing_is_no_error(tmp_path: Path) -> None:
    """It says so on stderr."""
    result = call("list", "--folder", tmp_path)
    assert (0, "") == (result.exit_code, result.stdout)
    assert f"{tmp_path} has no history yet\n" == result.stderr


def test_verify_says_that_all_is_well(tmp_path: Path) -> None:
    """Exit code 0."""
    trades(tmp_path)
    result = call("verify", "--folder", tmp_path)
    assert (0, "all is well\n") == (result.exit_code, result.stdout)


@pytest.mark.parametrize("as_json", [False, True])
def test_verify_names_the_file_that_is_wrong(as_json: bool, tmp_path: Path) -> None:
    """Exit code 1, for a program too."""
    trades(tmp_path)
    (path,) = tmp_path.rglob("*.parquet")
    path.write_bytes(b"PAR1")
    result = call("verify", "--folder", tmp_path, *(["--json"] if as_json else []))
    assert 1 == result.exit_code
    assert "zvt-trading: 1 finding" == result.stderr.splitlines()[-1]
    if as_json:
        (finding,) = facts(result)["findings"]
        assert (str(path), True) == (finding["file"], "cannot be read" in finding["text"])
    else:
        assert result.stdout.startswith(f"{path}: cannot be read")


def test_verify_of_no_folder_is_exit_code_2(tmp_path: Path) -> None:
    """A typing error must not look like proven data."""
    result = call("verify", "--folder", tmp_path / "nowhere")
    assert 2 == result.exit_code
    assert "there is no folder" in result.stderr
