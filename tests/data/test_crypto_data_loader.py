"""The loader on a source made by hand: which time it asks for, what it keeps, what it refuses."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from filelock import FileLock
from history_clients import findings_in, rows_in
from pyarrow import parquet

from zvt_trading.core.units import DAY, HOUR, MINUTE, SECOND
from zvt_trading.data import parquet_file
from zvt_trading.data.crypto_data_loader import CryptoDataLoader, history_files
from zvt_trading.data.history_source import Page
from zvt_trading.data.rows import Candle, Row, Trade
from zvt_trading.data.series import Series
from zvt_trading.data.times import parse_time
from zvt_trading.errors import CallerError, DataError, EngineError, VenueError

MINUTES = Series("binance", "BTC/USDT", "candles", "1m")
HOURS = Series("binance", "BTC/USDT", "candles", "1h")
TRADES = Series("binance", "BTC/USDT", "trades")
T0 = parse_time("2024-01-01")
NOW = parse_time("2025-01-01")
ONE = Decimal(1)


def candle(time: int) -> Candle:
    return Candle(time, ONE, ONE, ONE, ONE, Decimal(time // MINUTE % 100))


def trade(time: int, identifier: int) -> Trade:
    return Trade(time, str(identifier), ONE, ONE, "buy")


class Source:
    """Gives pages of `step`; remembers what it was asked for; fails at `broken`."""

    exchange = "binance"

    def __init__(self, step: int, broken: int = NOW) -> None:
        self._step = step
        self._broken = broken
        self.asked: list[tuple[int, int]] = []

    def rows(self, series: Series, start: int, end: int) -> list[Row]:
        """A candle each interval; a trade each hour, its id counting hours."""
        if series.interval:
            return [candle(time) for time in range(start, end, series.interval_ns)]
        first = start + -start % HOUR
        return [trade(time, time // HOUR) for time in range(first, end, HOUR)]

    async def pages(self, series: Series, start: int, end: int) -> AsyncIterator[Page]:
        self.asked.append((start, end))
        for at in range(start, end, self._step):
            if at >= self._broken:
                raise VenueError("down")
            until = min(at + self._step, end)
            yield Page(at, until, self.rows(series, at, until))

    def has_consecutive_ids(self, series: Series) -> bool:
        return not series.interval

    async def close(self) -> None:
        """Nothing to close."""


class Pages(Source):
    """Gives just these pages."""

    def __init__(self, *pages: Page) -> None:
        super().__init__(DAY)
        self._pages = pages

    async def pages(self, series: Series, start: int, end: int) -> AsyncIterator[Page]:
        del series, start, end
        for page in self._pages:
            yield page


def download(
    folder: Path,
    source: Source,
    series: Series,
    start: int,
    end: int,
    *,
    now: int = NOW,
    checkpoint_rows: int = 10**6,
) -> int:
    """The rows that came."""
    loader = CryptoDataLoader(folder, now=lambda: now, checkpoint_rows=checkpoint_rows)
    return asyncio.run(loader.download(source, series, start, end)).rows


@pytest.mark.parametrize(
    ("there", "wanted", "asked"),
    [
        ((0, 2), (0, 2), []),
        ((0, 2), (1, 2), []),
        ((0, 2), (0, 4), [(2, 4)]),
        ((4, 6), (2, 6), [(2, 4)]),
        ((4, 6), (2, 8), [(2, 4), (6, 8)]),
        ((4, 6), (8, 9), [(6, 9)]),  # what lies between comes too: a file has no gaps
        ((8, 9), (4, 6), [(4, 8)]),
        ((4, 6), (30, 40), [(30, 40)]),  # another file
        ((4, 6), (8, 40), [(6, 40)]),
        ((20, 24), (4, 30), [(4, 20), (24, 30)]),
    ],
)
def test_only_what_is_missing_is_asked_for(
    there: tuple[int, int],
    wanted: tuple[int, int],
    asked: list[tuple[int, int]],
    tmp_path: Path,
) -> None:
    """Hours from the first of January on; a file of minutes holds a day."""
    source = Source(HOUR)
    for start, end in (there, wanted):
        source.asked.clear()
        download(tmp_path, source, MINUTES, T0 + start * HOUR, T0 + end * HOUR)
    assert [(T0 + a * HOUR, T0 + b * HOUR) for a, b in asked] == source.asked
    texts = [text for text in findings_in(tmp_path) if "was not downloaded" not in text]
    assert [] == texts


def test_the_range_is_rounded_outwards_to_whole_intervals(tmp_path: Path) -> None:
    """A candle is there whole or not at all."""
    source = Source(DAY)
    download(tmp_path, source, MINUTES, T0 + SECOND, T0 + MINUTE + SECOND)
    assert [(T0, T0 + 2 * MINUTE)] == source.asked


def test_a_page_over_midnight_goes_into_two_files(tmp_path: Path) -> None:
    """One UTC day each; the name says the instrument, what it is, and the day."""
    download(tmp_path, Source(2 * DAY), TRADES, T0 + 12 * HOUR, T0 + 36 * HOUR)
    names = [
        "binance_BTC-USDT_trades_2024-01-01.parquet",
        "binance_BTC-USDT_trades_2024-01-02.parquet",
    ]
    assert names == [path.name for path in history_files(tmp_path)]
    assert Source(DAY).rows(TRADES, T0 + 12 * HOUR, T0 + 36 * HOUR) == rows_in(tmp_path)
    assert [] == findings_in(tmp_path)


def test_candles_of_an_hour_lie_in_files_of_a_year(tmp_path: Path) -> None:
    """A leap year and the next, in one go."""
    start, end = parse_time("2023-12-31"), parse_time("2024-12-31")
    download(tmp_path, Source(30 * DAY), HOURS, start, end)
    names = [path.name for path in history_files(tmp_path)]
    assert [
        "binance_BTC-USDT_candles_1h_2023.parquet",
        "binance_BTC-USDT_candles_1h_2024.parquet",
    ] == names
    assert (366 * DAY) // HOUR == len(rows_in(tmp_path))
    assert [] == findings_in(tmp_path)


def test_what_came_before_an_error_is_kept(tmp_path: Path) -> None:
    """Also when no checkpoint was due; the next download asks for the rest only."""
    with pytest.raises(VenueError, match="down"):
        download(tmp_path, Source(HOUR, T0 + 3 * HOUR), MINUTES, T0, T0 + DAY)
    source = Source(HOUR)
    download(tmp_path, source, MINUTES, T0, T0 + DAY)
    assert [(T0 + 3 * HOUR, T0 + DAY)] == source.asked
    assert [] == findings_in(tmp_path)


def test_what_does_not_reach_the_file_yet_is_not_joined_to_it(tmp_path: Path) -> None:
    """A stretch before the file's is kept back until it is whole: a file has no gaps."""
    download(tmp_path, Source(HOUR), MINUTES, T0 + 12 * HOUR, T0 + 13 * HOUR)
    broken = Source(HOUR, T0 + 6 * HOUR)
    with pytest.raises(VenueError, match="down"):
        download(tmp_path, broken, MINUTES, T0, T0 + 13 * HOUR, checkpoint_rows=1)
    records = [parquet_file.read_record(path) for path in history_files(tmp_path)]
    assert [(T0 + 12 * HOUR, T0 + 13 * HOUR)] == [record.covered for record in records]


def test_at_a_checkpoint_a_whole_file_lies_on_the_disk(tmp_path: Path) -> None:
    """What a kill costs is bounded by the rows of a checkpoint."""
    seen: list[int] = []

    class Watched(Source):
        async def pages(self, series: Series, start: int, end: int) -> AsyncIterator[Page]:
            async for page in super().pages(series, start, end):
                seen.append(sum(parquet_file.read_record(p).rows for p in history_files(tmp_path)))
                yield page

    download(tmp_path, Watched(HOUR), MINUTES, T0, T0 + 6 * HOUR, checkpoint_rows=120)
    assert [0, 0, 120, 120, 240, 240] == seen


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    """In seconds of market time; what is there already does not count."""
    told: list[tuple[int, int]] = []
    download(tmp_path, Source(HOUR), MINUTES, T0, T0 + HOUR)
    loader = CryptoDataLoader(tmp_path, now=lambda: NOW)
    asyncio.run(
        loader.download(Source(HOUR), MINUTES, T0, T0 + 3 * HOUR, lambda *news: told.append(news))
    )
    assert [(3_600, 7_200), (7_200, 7_200)] == told


@pytest.mark.parametrize(
    ("series", "pages", "error", "words"),
    [
        (
            MINUTES,
            [Page(T0, T0 + HOUR, [])],
            VenueError,
            "gap: candles from 2024-01-01T00:00:00Z on",
        ),
        (
            MINUTES,
            [Page(T0, T0 + HOUR, [candle(T0 + SECOND)], [(T0, T0 + HOUR)])],
            VenueError,
            "off the grid",
        ),
        (
            TRADES,
            [Page(T0, T0 + HOUR, [trade(T0, 1), trade(T0, 3)])],
            VenueError,
            "gap: trades 2 to 2 are missing",
        ),
        (
            TRADES,
            [
                Page(T0, T0 + MINUTE, [trade(T0, 1)]),
                Page(T0 + MINUTE, T0 + HOUR, [trade(T0 + MINUTE, 3)]),
            ],
            VenueError,
            "gap: trades 2 to 2 are missing",
        ),
        (TRADES, [Page(T0, T0 + HOUR, [trade(T0 + HOUR, 1)])], VenueError, "rows outside"),
        (
            TRADES,
            [Page(T0, T0 + HOUR, [trade(T0 + MINUTE, 1), trade(T0, 2)])],
            VenueError,
            "not in order of time",
        ),
        (TRADES, [Page(T0 + 1, T0 + HOUR, [])], EngineError, "was due"),
        (TRADES, [Page(T0, T0 + DAY, [])], EngineError, "was due"),
        (TRADES, [Page(T0, T0 + MINUTE, [])], EngineError, "the pages end at"),
    ],
)
def test_pages_that_are_not_what_they_say_are_not_written(
    series: Series, pages: list[Page], error: type[Exception], words: str, tmp_path: Path
) -> None:
    """Whoever made the source: the loader checks it; what was right before stays."""
    with pytest.raises(error, match=words):
        download(tmp_path, Pages(*pages), series, T0, T0 + HOUR)
    assert [] == findings_in(tmp_path)
    covered = [parquet_file.read_record(path).end for path in history_files(tmp_path)]
    assert all(end == T0 + MINUTE for end in covered)


def test_a_gap_to_the_rows_of_the_file_is_seen(tmp_path: Path) -> None:
    """The first id that comes must follow the last one that is there."""
    download(tmp_path, Pages(Page(T0, T0 + HOUR, [trade(T0, 1)])), TRADES, T0, T0 + HOUR)
    more = Page(T0 + HOUR, T0 + 2 * HOUR, [trade(T0 + HOUR, 4)])
    with pytest.raises(VenueError, match="trades 2 to 3 are missing"):
        download(tmp_path, Pages(more), TRADES, T0, T0 + 2 * HOUR)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (T0, T0, "must be after the start"),
        (T0 + 1, T0, "must be after the start"),
        (NOW, NOW + DAY, "nothing is settled yet"),
        (NOW - MINUTE, NOW, "nothing is settled yet"),
    ],
)
def test_a_range_that_cannot_be_is_refused(
    start: int, end: int, words: str, tmp_path: Path
) -> None:
    """Before anything is asked for."""
    source = Source(DAY)
    with pytest.raises(CallerError, match=words):
        download(tmp_path, source, MINUTES, start, end)
    assert [] == source.asked


def test_another_exchanges_series_is_refused(tmp_path: Path) -> None:
    """It would lie under the wrong name."""
    with pytest.raises(CallerError, match="okx BTC/USDT trades cannot be downloaded from binance"):
        download(tmp_path, Source(DAY), Series("okx", "BTC/USDT", "trades"), T0, T0 + DAY)


def test_what_a_killed_process_left_half_written_is_cleared(tmp_path: Path) -> None:
    """Of any day of the series; under its own name it never was."""
    left = MINUTES.path(tmp_path, MINUTES.span_of(T0 + 7 * DAY)).with_suffix(".parquet.tmp")
    left.parent.mkdir(parents=True)
    left.write_bytes(b"PAR1")
    download(tmp_path, Source(DAY), MINUTES, T0, T0 + HOUR)
    assert not left.exists()


def test_a_checkpoint_of_no_rows_is_refused(tmp_path: Path) -> None:
    """The message names what was given."""
    with pytest.raises(CallerError, match="checkpoint_rows 0"):
        CryptoDataLoader(tmp_path, checkpoint_rows=0)


def test_two_processes_do_not_download_the_same(tmp_path: Path) -> None:
    """The second is told; other series are free."""
    folder = MINUTES.folder(tmp_path)
    folder.mkdir(parents=True)
    with FileLock(folder / ".lock"):
        with pytest.raises(CallerError, match="is being downloaded into"):
            download(tmp_path, Source(DAY), MINUTES, T0, T0 + DAY)
        assert 24 == download(tmp_path, Source(DAY), TRADES, T0, T0 + DAY)


def damaged(path: Path) -> Iterator[tuple[bytes, str]]:
    """Ways in which a file may be damaged, and what is said of them."""
    data = path.read_bytes()
    yield data[: len(data) // 2], "cannot be read"
    yield b"", "cannot be read"
    middle = len(data) // 3
    yield data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :], "cannot be read"


def test_a_damaged_file_is_not_built_upon(tmp_path: Path) -> None:
    """Half a file, an empty one, one flipped bit: all are found by download and by verify."""
    download(tmp_path, Source(DAY), MINUTES, T0, T0 + HOUR)
    (path,) = history_files(tmp_path)
    for data, words in damaged(path):
        path.write_bytes(data)
        with pytest.raises(DataError, match=words):
            download(tmp_path, Source(DAY), MINUTES, T0, T0 + 2 * HOUR)
        assert [True] == [words in text for text in findings_in(tmp_path)]
        assert data == path.read_bytes()


def test_a_file_whose_rows_were_changed_is_not_built_upon(tmp_path: Path) -> None:
    """Its record is not true any more."""
    download(tmp_path, Source(DAY), MINUTES, T0, T0 + HOUR)
    (path,) = history_files(tmp_path)
    table = parquet.read_table(path)
    parquet.write_table(table.slice(0, 59), path)
    with pytest.raises(DataError, match="was changed after it was written"):
        download(tmp_path, Source(DAY), MINUTES, T0, T0 + 2 * HOUR)


def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is asked for."""
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    source = Source(DAY)
    with pytest.raises(CallerError, match=r'pip install "zvt-trading\[research\]"'):
        download(tmp_path, source, MINUTES, T0, T0 + HOUR)
    assert [] == source.asked


def test_a_file_of_another_series_under_the_name_is_not_built_upon(tmp_path: Path) -> None:
    """Somebody moved it there."""
    other = Series("binance", "ETH/USDT", "candles", "1m")
    download(tmp_path, Source(DAY), other, T0, T0 + HOUR)
    (path,) = history_files(tmp_path)
    place = MINUTES.path(tmp_path, MINUTES.span_of(T0))
    place.parent.mkdir(parents=True)
    path.rename(place)
    with pytest.raises(DataError, match="is of binance ETH/USDT candles 1m, not of"):
        download(tmp_path, Source(DAY), MINUTES, T0, T0 + 2 * HOUR)


def test_available_adds_up_what_is_there(tmp_path: Path) -> None:
    """A row a series, in order of names."""
    download(tmp_path, Source(DAY), TRADES, T0, T0 + 2 * DAY)
    download(tmp_path, Source(DAY), MINUTES, T0, T0 + HOUR)
    minutes, trades = CryptoDataLoader(tmp_path).available()
    assert (MINUTES, 60, T0, T0 + HOUR) == (
        minutes.series,
        minutes.rows,
        minutes.start,
        minutes.end,
    )
    assert (TRADES, 48, 2) == (trades.series, trades.rows, len(trades.files))
    assert trades.size == sum(path.stat().st_size for path in trades.files)
    assert [] == CryptoDataLoader(tmp_path / "nowhere").available()
