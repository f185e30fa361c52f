"""Downloads from a loopback venue through real ccxt, with time that is not waited for."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from history_venue import NOW, SYMBOLS, Venue

from zvt_trading.core.units import SECOND
from zvt_trading.data import parquet_file
from zvt_trading.data.ccxt_client import Waiter
from zvt_trading.data.ccxt_source import _OPTIONS, CcxtHistorySource
from zvt_trading.data.crypto_data_loader import CryptoDataLoader, Download, history_files
from zvt_trading.data.rows import Candle, Row, Trade
from zvt_trading.data.series import Series


class Clock:
    """Time that passes only when something waits, and only by that."""

    def __init__(self, wall: int = NOW) -> None:
        self.wall = wall
        self.waited: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.wall += round(seconds * 1_000) * (SECOND // 1_000)

    def now(self) -> int:
        return self.wall

    def waiter(self) -> Waiter:
        return Waiter(self.sleep, self.now, self.now)


def exchange_at(exchange: str, url: str) -> Any:
    """An exchange object of ccxt with the venue's REST addresses; its throttle is on, but quick."""
    options = {
        "options": _OPTIONS[exchange],
        "rateLimit": 1,
        "timeout": 5_000,
        "timeout_on_exit": 0,
    }
    made = getattr(import_module("ccxt.async_support"), exchange)(options)
    api = made.urls["api"]
    for name, known in api.items():
        if isinstance(known, str):
            path = known.split("://", 1)[1].partition("/")[2] if exchange == "binance" else ""
            api[name] = f"{url}/{path}".rstrip("/")
    return made


def source_at(venue: Venue, clock: Clock, *, pages_per_minute: int = 60_000) -> CcxtHistorySource:
    """A source that asks the venue."""
    return CcxtHistorySource(
        exchange_at(venue.exchange, venue.url),
        pages_per_minute=pages_per_minute,
        waiter=clock.waiter(),
    )


def series_of(exchange: str, what: str) -> Series:
    """The venue's one spot symbol."""
    return Series(exchange, SYMBOLS[exchange], what, "1m" if what == "candles" else "")


async def download(
    venue: Venue, folder: Path, series: Series, start: int, end: int, clock: Clock | None = None
) -> Download:
    """One download, on a clock of its own unless one is given."""
    clock = clock or Clock()
    source = source_at(venue, clock)
    try:
        loader = CryptoDataLoader(folder, now=clock.now, checkpoint_rows=700)
        return await loader.download(source, series, start, end)
    finally:
        await source.close()


def rows_in(folder: Path) -> list[Row]:
    """What all files of a folder hold, in the order of their names."""
    found: list[Row] = []
    for path in history_files(folder):
        table = parquet_file.read(path).table
        columns: list[Sequence[Any]] = [table[name].to_pylist() for name in table.column_names]
        columns[0] = parquet_file.times_of(table)
        if "trade_id" in table.column_names:
            found += [Trade(*row) for row in zip(*columns, strict=True)]
        else:
            del columns[1]
            found += [Candle(*row) for row in zip(*columns, strict=True)]
    return found


def findings_in(folder: Path) -> list[str]:
    """What verification says, without the files' names."""
    return [finding.text for finding in CryptoDataLoader(folder).verify()]
