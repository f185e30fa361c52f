"""Downloads of candles and trades from emulated exchanges equal the emulator's own record."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
from emulator_history import (
    MINUTES,
    Job,
    Place,
    candles_of,
    download,
    place,
    settled,
)
from history_clients import findings_in, rows_in
from typer.testing import CliRunner

from zvt_trading.cli.main import app
from zvt_trading.core.units import MINUTE
from zvt_trading.data.rows import Row
from zvt_trading.data.series import CANDLES, TRADES, Series
from zvt_trading.data.times import stamp
from zvt_trading.emulator import faults
from zvt_trading.emulator.emulator import EXCHANGES
from zvt_trading.errors import CallerError

HERE: Final = Path(__file__).resolve().parent
KILLED: Final = -signal.SIGKILL
DEADLINE_S: Final = 60
SPOT: Final = "BTC/USDT"
PERPETUAL: Final = "BTC/USDT:USDT"
FAULTS: Final = (
    faults.RATE_LIMIT,
    faults.ERROR_BEFORE,
    faults.ERROR_AFTER,
    faults.DROP_BEFORE,
    faults.DROP_AFTER,
    faults.TRUNCATE,
    faults.JUNK,
    faults.EMPTY,
)
CANDLE_SERIES: Final = [
    *(Series(name, SPOT, CANDLES, "1m") for name in EXCHANGES),
    *(Series(name, PERPETUAL, CANDLES, "1m") for name in EXCHANGES if name != "coinbase"),
    Series("binance", SPOT, CANDLES, "1s"),
]
TRADE_SERIES: Final = [
    Series("binance", SPOT, TRADES),
    Series("binance", PERPETUAL, TRADES),
    Series("okx", SPOT, TRADES),
    Series("okx", PERPETUAL, TRADES),
    Series("coinbase", SPOT, TRADES),
]
"""Bybit has no pages of trades."""


@pytest.fixture(scope="module")
def shared_place() -> Iterator[Place]:
    """All four exchanges; their markets move."""
    with place(*EXCHANGES) as made:
        yield made


@pytest.fixture
def exchanges(shared_place: Place) -> Iterator[Place]:
    """Without the faults of another test."""
    yield shared_place
    for name in EXCHANGES:
        shared_place.set_faults(name, per_10000=0)


def job_of(exchanges: Place, series: Series, folder: Path, *, minutes_before: int = -1) -> Job:
    """From a minute after the market's beginning to the last that is settled; whole minutes."""
    begun = exchanges.emulator.market.start_ns
    start = begun - begun % MINUTE - minutes_before * MINUTE + MINUTE
    return Job(exchanges.endpoint, series, start, settled(MINUTE), folder)


def record(exchanges: Place, job: Job) -> list[Row]:
    """What the emulator knows of a download."""
    trades = exchanges.trades(job.series)
    if job.series.what == CANDLES:
        return [*candles_of(job.series, trades, job.start, job.end)]
    return [trade for trade in trades if job.start <= trade.time < job.end]


def check(exchanges: Place, job: Job, at_least: int) -> None:
    """Nothing is missing, nothing is there twice, nothing is different."""
    expected = record(exchanges, job)
    assert len(expected) >= at_least
    assert expected == rows_in(job.folder)
    assert [] == findings_in(job.folder)


@pytest.mark.parametrize("series", CANDLE_SERIES, ids=str)
def test_candles_are_those_of_the_trades(series: Series, exchanges: Place, tmp_path: Path) -> None:
    """Added up here, trade by trade; flat where nothing traded, but none of Coinbase."""
    job = job_of(exchanges, series, tmp_path)
    done = download(job)
    assert (job.start, job.end) == (done.start, done.end)
    check(exchanges, job, (MINUTES - 4) * MINUTE // series.interval_ns * 9 // 10)


@pytest.mark.parametrize("series", TRADE_SERIES, ids=str)
def test_trades_are_those_of_the_feed(series: Series, exchanges: Place, tmp_path: Path) -> None:
    """The same ids, times, prices, sizes and sides, over several pages."""
    job = job_of(exchanges, series, tmp_path)
    download(job)
    check(exchanges, job, 1_000)


@pytest.mark.parametrize("series", CANDLE_SERIES[:4], ids=str)
def test_candles_begin_with_the_market(series: Series, exchanges: Place, tmp_path: Path) -> None:
    """Before that there are none, and the file says so."""
    job = job_of(exchanges, series, tmp_path, minutes_before=3)
    download(job)
    check(exchanges, job, MINUTES - 3)
    assert rows_in(tmp_path)[0].time > job.start


def test_the_first_trade_of_all_is_found(exchanges: Place, tmp_path: Path) -> None:
    """Binance has no trade before it that would prove it."""
    job = job_of(exchanges, TRADE_SERIES[0], tmp_path, minutes_before=3)
    download(job)
    check(exchanges, job, 1_000)
    first = rows_in(tmp_path)[0]
    assert exchanges.trades(job.series)[0] == first


def test_the_newest_trades_of_bybit(tmp_path: Path) -> None:
    """Its 1,000 newest of a perpetual reach back behind what is settled; of spot 60 do not."""
    with place("bybit", is_quiet=True) as exchanges:
        series = Series("bybit", PERPETUAL, TRADES)
        start = exchanges.trades(series)[-990].time
        job = Job(exchanges.endpoint, series, start, settled(10**6), tmp_path)
        download(job)
        check(exchanges, job, 10)
        spot = Job(exchanges.endpoint, Series("bybit", SPOT, TRADES), start, job.end, tmp_path)
        with pytest.raises(CallerError, match="gives only its 60 newest trades"):
            download(spot)


@pytest.mark.parametrize("series", [*TRADE_SERIES[::2], *CANDLE_SERIES[:4]], ids=str)
def test_faults_change_nothing(series: Series, exchanges: Place, tmp_path: Path) -> None:
    """A third of all answers about the market is refused, cut, empty or lost."""
    before = exchanges.happened(series.exchange)
    exchanges.set_faults(series.exchange, *FAULTS, per_10000=500, seed=3)
    job = job_of(exchanges, series, tmp_path)
    download(job)
    assert before != exchanges.happened(series.exchange)
    check(exchanges, job, MINUTES - 4)


@pytest.mark.parametrize("kind", [*FAULTS[:1], *FAULTS[-3:]])
@pytest.mark.parametrize("name", EXCHANGES)
def test_faults_of_the_first_answers_change_nothing(
    name: str, kind: str, exchanges: Place, tmp_path: Path
) -> None:
    """That is the list of what is traded; it is asked for until there is a whole one."""
    before = exchanges.happened(name).get(kind, 0)
    exchanges.add_fault(name, kind, count=6)
    job = job_of(exchanges, Series(name, SPOT, CANDLES, "1m"), tmp_path)
    download(job)
    assert before + 6 == exchanges.happened(name)[kind]
    check(exchanges, job, MINUTES - 4)


@pytest.mark.parametrize("name", EXCHANGES)
def test_an_empty_list_of_symbols_is_no_proof(name: str, exchanges: Place, tmp_path: Path) -> None:
    """Bare ccxt makes one of no answer; that a symbol is not listed must be said twice."""
    exchanges.add_fault(name, faults.EMPTY)
    job = job_of(exchanges, Series(name, SPOT, CANDLES, "1m"), tmp_path)
    download(job, is_bare=True)
    check(exchanges, job, MINUTES - 4)


def ended(job: Job, at: int = 0) -> int:
    """The exit code of a process that downloads, killed just before its `at`-th request."""
    text = msgspec.json.encode(job, enc_hook=str).decode()
    paths = os.pathsep.join([str(HERE), str(HERE.parents[1] / "src")])
    return subprocess.run(
        [sys.executable, str(HERE / "emulator_victim.py"), text, str(at)],
        env={**os.environ, "PYTHONPATH": paths},
        timeout=DEADLINE_S,
        check=False,
    ).returncode


@pytest.mark.parametrize(
    ("series", "kills", "is_kept"),
    [
        (TRADE_SERIES[0], (1, 5, 5), True),
        (TRADE_SERIES[2], (20,), False),  # an hour of OKX is one page of the source
        (TRADE_SERIES[4], (3, 4), False),  # and of Coinbase
        (CANDLE_SERIES[-1], (2,), False),
    ],
    ids=str,
)
def test_killed_and_resumed(
    series: Series, kills: tuple[int, ...], is_kept: bool, exchanges: Place, tmp_path: Path
) -> None:
    """SIGKILL before a request, then again, then to the end; what was there stays."""
    job = job_of(exchanges, series, tmp_path)
    expected = record(exchanges, job)
    for at in kills:
        assert KILLED == ended(job, at)
        assert [] == findings_in(tmp_path)
        there = rows_in(tmp_path)
        assert expected[: len(there)] == there
    assert is_kept == bool(there)
    assert len(there) < len(expected)
    assert 0 == ended(job)
    check(exchanges, job, 200)


def test_the_command_downloads_from_a_private_testnet(exchanges: Place, tmp_path: Path) -> None:
    """As `stream record` does: with its address and the certificate that vouches for it."""
    job = job_of(exchanges, CANDLE_SERIES[0], tmp_path)
    arguments = [
        "data", "download", "--exchange", "binance", "--symbol", SPOT, "--start", stamp(job.start),
        "--end", stamp(job.end), "--folder", str(tmp_path), "--json",
    ]  # fmt: skip
    there = f"{job.endpoint.host}:{job.endpoint.port}"
    result = CliRunner().invoke(
        app, [*arguments, "--endpoint", there, "--ca-file", job.endpoint.ca_file]
    )
    assert 0 == result.exit_code, result.output
    assert (job.end - job.start) // MINUTE == json.loads(result.stdout)["rows"]
    check(exchanges, job, MINUTES - 4)
    refused = CliRunner().invoke(app, [*arguments, "--ca-file", job.endpoint.ca_file])
    assert 2 == refused.exit_code
    assert "ca_file is for a private testnet: give its endpoint" in refused.stderr
