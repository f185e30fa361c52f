"""What was downloaded is what `replay` reads: the same rows, under the name it wants."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest
from history_clients import download, series_of
from history_venue import END, START, Venue, candles, trades
from typer.testing import CliRunner

from zvt_trading.adapters.files.naming import instrument_by_name, probe_spec
from zvt_trading.adapters.files.tabular import ParquetFeed
from zvt_trading.cli.main import app
from zvt_trading.core.units import DAY, MAX_SCALE, MINUTE
from zvt_trading.data.crypto_data_loader import history_files
from zvt_trading.data.series import Series
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import Bar, TradeTick


def downloaded(folder: Path, venue: Venue, series: Series) -> Path:
    """The file of one day."""

    async def scenario() -> None:
        async with venue:
            await download(venue, folder, series, START, START + DAY)

    asyncio.run(scenario())
    (path,) = history_files(folder)
    return path


def scaled(value: Decimal) -> int:
    return int(value.scaleb(MAX_SCALE))


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC/USDT:USDT"])
def test_trades_are_read_as_they_were(symbol: str, tmp_path: Path) -> None:
    """Price, size, aggressor, id and time."""
    venue = Venue("binance", trades=trades(3, 300, start=START - DAY, end=START + DAY))
    path = downloaded(tmp_path, venue, Series("binance", symbol, "trades"))
    name = instrument_by_name(path, {})
    assert f"binance:{symbol}" == name
    expected = [
        TradeTick(
            name,
            scaled(t.price),
            scaled(t.size),
            BUY if t.side == "buy" else SELL,
            t.time,
            int(t.id),
        )
        for t in venue.trades
        if t.time >= START
    ]
    assert expected == list(ParquetFeed(path, probe_spec(name)))


def test_candles_are_read_as_they_were(tmp_path: Path) -> None:
    """Also those beside a maintenance: each says when it closes."""
    venue = Venue("okx", candles=candles(3, MINUTE))
    path = downloaded(tmp_path, venue, series_of("okx", "candles"))
    name = instrument_by_name(path, {})
    expected = [
        Bar(
            name,
            scaled(row.open),
            scaled(row.high),
            scaled(row.low),
            scaled(row.close),
            scaled(row.volume),
            row.time,
            row.time + MINUTE,
        )
        for row in venue.candles
        if row.time < START + DAY
    ]
    assert expected == list(ParquetFeed(path, probe_spec(name)))


def test_replay_trades_on_a_download(tmp_path: Path) -> None:
    """The command takes the files as they lie there: days in order, one of them empty."""
    known = trades(3, 300, start=START - DAY, end=END)
    # Sizes on the lot that our own list of instruments has of it.
    venue = Venue("binance", trades=[t._replace(size=round(t.size, 5)) for t in known])

    async def scenario() -> None:
        async with venue:
            await download(venue, tmp_path, series_of("binance", "trades"), START, END)

    asyncio.run(scenario())
    paths = [str(path) for path in history_files(tmp_path)]
    assert 3 == len(paths)
    result = CliRunner().invoke(app, ["replay", *paths, "--json"])
    assert 0 == result.exit_code, result.output
    assert sum(t.time >= START for t in known) == json.loads(result.stdout)["market_messages"]
