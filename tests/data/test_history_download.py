"""Downloads over real ccxt from venues on loopback equal the venues' own record."""

import asyncio
import random
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from history_clients import (
    Clock,
    download,
    findings_in,
    rows_in,
    series_of,
    source_at,
)
from history_venue import (
    DOWN,
    END,
    EXCHANGES,
    NOW,
    QUIET,
    START,
    Venue,
    candles,
    trades,
)

from zvt_trading.core.units import DAY, HOUR, MINUTE, SECOND
from zvt_trading.data import parquet_file
from zvt_trading.data.ccxt_client import ATTEMPTS
from zvt_trading.data.crypto_data_loader import CryptoDataLoader, history_files
from zvt_trading.data.series import Series
from zvt_trading.data.times import parse_time
from zvt_trading.errors import CallerError, SymbolNotFoundError, VenueError

FAULTS = ("500", "429", "empty", "short", "late", "overlap", "repeat", "garbage", "cut")
PAGED = [(exchange, what) for exchange in EXCHANGES for what in ("candles", "trades")]
PAGED.remove(("bybit", "trades"))  # no pages: only the newest


def venue_of(exchange: str, what: str, seed: int = 1, count: int = 3_000) -> Venue:
    """A venue with three days of history; the trades begin a day before what is asked for."""
    if what == "candles":
        return Venue(exchange, candles=candles(seed, MINUTE))
    return Venue(exchange, trades=trades(seed, count, start=START - DAY, end=END + DAY))


@pytest.mark.parametrize(("exchange", "what"), PAGED)
def test_a_download_is_the_venues_record(exchange: str, what: str, tmp_path: Path) -> None:
    """Three days, one of them without trades, and a maintenance without candles."""
    venue = venue_of(exchange, what)

    async def scenario() -> None:
        async with venue:
            done = await download(venue, tmp_path, series_of(exchange, what), START, END)
            assert 3 == len(done.files)
            asked = len(venue.asked)
            again = await download(venue, tmp_path, series_of(exchange, what), START, END)
            assert 0 == again.rows
            assert asked == len(venue.asked)  # what is there is not asked for

    asyncio.run(scenario())
    assert venue.record(START, END) == rows_in(tmp_path)
    assert [] == findings_in(tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("exchange", "what"), PAGED)
def test_one_fault_at_any_page_changes_nothing(
    exchange: str, what: str, fault: str, tmp_path: Path
) -> None:
    """The first page, one in the middle, and the last; with new files each time."""
    venue = venue_of(exchange, what, count=900)
    start, end = START, START + DAY // 2

    async def scenario() -> None:
        async with venue:
            await download(venue, tmp_path / "good", series_of(exchange, what), start, end)
            pages = len(venue.asked)
            for number in {1, 2, pages // 2, pages}:
                venue.faults = {len(venue.asked) + number: fault}
                folder = tmp_path / str(number)
                await download(venue, folder, series_of(exchange, what), start, end)
                assert venue.record(start, end) == rows_in(folder), number
                assert [] == findings_in(folder), number

    asyncio.run(scenario())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("exchange", "what"), PAGED)
def test_faults_all_the_time_change_nothing(
    exchange: str, what: str, seed: int, tmp_path: Path
) -> None:
    """Every third answer, not twice in a row: two equal wrong answers would be believed."""
    venue = venue_of(exchange, what, seed=seed)
    random_ = random.Random(seed)
    venue.faults = {3 * n + random_.randrange(2): random_.choice(FAULTS) for n in range(1, 500)}

    async def scenario() -> None:
        async with venue:
            await download(venue, tmp_path, series_of(exchange, what), START, END)

    asyncio.run(scenario())
    assert venue.record(START, END) == rows_in(tmp_path)
    assert [] == findings_in(tmp_path)


@pytest.mark.parametrize(("exchange", "what"), PAGED)
def test_a_venue_that_gives_fewer_rows_than_asked_for_costs_no_row(
    exchange: str, what: str, tmp_path: Path
) -> None:
    """A limit that was lowered is not taken for the end of the history."""
    venue = venue_of(exchange, what, count=900)
    venue.cap = 40

    async def scenario() -> None:
        async with venue:
            await download(venue, tmp_path, series_of(exchange, what), START, START + HOUR * 6)

    asyncio.run(scenario())
    assert venue.record(START, START + HOUR * 6) == rows_in(tmp_path)


@pytest.mark.parametrize("exchange", ["binance", "okx"])
@pytest.mark.parametrize("what", ["candles", "trades"])
def test_perpetuals_count_in_base_units(exchange: str, what: str, tmp_path: Path) -> None:
    """OKX counts trades of them in contracts of 0.01 BTC, Binance has other paths."""
    venue = venue_of(exchange, what, count=300)
    venue.contract = Decimal("0.01") if exchange == "okx" else Decimal(1)
    series = Series(exchange, "BTC/USDT:USDT", what, "1m" if what == "candles" else "")

    async def scenario() -> None:
        async with venue:
            await download(venue, tmp_path, series, START, START + DAY)

    asyncio.run(scenario())
    assert venue.record(START, START + DAY) == rows_in(tmp_path)
    if exchange == "binance":
        assert all(path.startswith("/fapi/v1/") for path in venue.asked)


def test_a_day_without_trades_is_an_empty_file(tmp_path: Path) -> None:
    """It is known to be empty, which is more than not being there."""
    venue = venue_of("binance", "trades")

    async def scenario() -> None:
        async with venue:
            await download(venue, tmp_path, series_of("binance", "trades"), *QUIET)

    asyncio.run(scenario())
    files = [parquet_file.read(path) for path in history_files(tmp_path)]
    assert [(QUIET, 0)] == [(file.record.covered, file.record.rows) for file in files]


def test_a_maintenance_is_recorded_as_known_to_be_empty(tmp_path: Path) -> None:
    """So that it is no gap later."""
    venue = venue_of("okx", "candles")

    async def scenario() -> None:
        async with venue:
            await download(venue, tmp_path, series_of("okx", "candles"), START, START + DAY)

    asyncio.run(scenario())
    holes = [parquet_file.read_record(path).holes for path in history_files(tmp_path)]
    assert [(DOWN,)] == holes


def test_ids_that_binance_does_not_have_are_recorded(tmp_path: Path) -> None:
    """It is asked twice; then the file says which ids are missing, and verification agrees."""
    venue = venue_of("binance", "trades", count=900)
    lost = [t for t in venue.trades if t.time >= START + HOUR][50:53]
    venue.trades = [t for t in venue.trades if t not in lost]

    async def scenario() -> None:
        async with venue:
            await download(venue, tmp_path, series_of("binance", "trades"), START, END)

    asyncio.run(scenario())
    holes = [parquet_file.read_record(path).holes for path in history_files(tmp_path)]
    assert ((int(lost[0].id), int(lost[-1].id)),) == holes[0]
    assert venue.record(START, END) == rows_in(tmp_path)
    assert [] == findings_in(tmp_path)


def test_okx_gives_its_newest_candles_elsewhere(tmp_path: Path) -> None:
    """As ccxt does: up to 1,439 intervals ago from `candles`, older ones from the history."""
    venue = venue_of("okx", "candles")

    async def scenario() -> None:
        async with venue:
            await download(
                venue, tmp_path, series_of("okx", "candles"), START, END, Clock(END + HOUR)
            )

    asyncio.run(scenario())
    assert {"/api/v5/market/candles", "/api/v5/market/history-candles"} == set(venue.asked)
    assert venue.record(START, END) == rows_in(tmp_path)


def test_nothing_that_may_still_change_is_downloaded(tmp_path: Path) -> None:
    """Two minutes are left to settle; the rest comes with the next download."""
    venue = venue_of("binance", "candles")
    now = START + HOUR + 30 * SECOND

    async def scenario() -> None:
        async with venue:
            series = series_of("binance", "candles")
            done = await download(venue, tmp_path, series, START, END, Clock(now))
            assert START + 58 * MINUTE == done.end
            later = await download(venue, tmp_path, series, START, END, Clock(now + HOUR))
            assert 60 == later.rows

    asyncio.run(scenario())
    assert venue.record(START, START + 118 * MINUTE) == rows_in(tmp_path)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_rate_limit_waits_as_long_as_the_venue_says(exchange: str, tmp_path: Path) -> None:
    """Retry-After, not our own backoff, which is shorter."""
    venue = venue_of(exchange, "candles")
    venue.faults, venue.retry_after = {1: "429"}, 37
    clock = Clock()

    async def scenario() -> None:
        async with venue:
            series = series_of(exchange, "candles")
            await download(venue, tmp_path, series, START, START + HOUR, clock)

    asyncio.run(scenario())
    assert 1 == sum(seconds >= 37 for seconds in clock.waited)
    assert venue.record(START, START + HOUR) == rows_in(tmp_path)


def test_a_ban_of_days_ends_the_download_and_keeps_what_came(tmp_path: Path) -> None:
    """Nobody waits for three days; the next download goes on behind what is there."""
    venue = venue_of("binance", "candles")
    venue.faults, venue.retry_after = {4: "418"}, 3 * 86_400
    series = series_of("binance", "candles")

    async def scenario() -> None:
        async with venue:
            with pytest.raises(VenueError, match="says to wait 259200 s"):
                await download(venue, tmp_path, series, START, END)
            assert venue.record(START, START + 2_000 * MINUTE) == rows_in(tmp_path)
            await download(venue, tmp_path, series, START, END)

    asyncio.run(scenario())
    assert venue.record(START, END) == rows_in(tmp_path)


def test_a_venue_that_stays_down_is_given_up_after_some_attempts(tmp_path: Path) -> None:
    """The message says that a later download goes on."""
    venue = venue_of("binance", "candles")
    venue.faults = dict.fromkeys(range(1, 100), "500")

    async def scenario() -> None:
        async with venue:
            with pytest.raises(VenueError, match="goes on where it stopped"):
                await download(venue, tmp_path, series_of("binance", "candles"), START, END)

    asyncio.run(scenario())
    assert ATTEMPTS == len(venue.asked)


def test_pages_keep_to_their_budget(tmp_path: Path) -> None:
    """Sixty a minute: a second between any two, also between those that failed."""
    venue = venue_of("bybit", "candles")
    clock = Clock()
    times: list[int] = []
    venue.on_history = lambda _: times.append(clock.wall)

    async def scenario() -> None:
        async with venue:
            source = source_at(venue, clock, pages_per_minute=60)
            loader = CryptoDataLoader(tmp_path, now=clock.now)
            await loader.download(source, series_of("bybit", "candles"), START, END)
            await source.close()

    asyncio.run(scenario())
    assert SECOND == min(later - earlier for earlier, later in pairwise(times))


def test_bybits_newest_trades_serve_when_they_reach_back_far_enough(tmp_path: Path) -> None:
    """Sixty of them; the oldest is older than the start."""
    venue = Venue("bybit", trades=trades(1, 50, start=END, end=END + HOUR))
    start = venue.trades[10].time

    async def scenario() -> None:
        async with venue:
            await download(venue, tmp_path, series_of("bybit", "trades"), start, END + HOUR)

    asyncio.run(scenario())
    assert venue.record(start, END + HOUR) == rows_in(tmp_path)
    assert [] == findings_in(tmp_path)


async def _ask(exchange: str, symbol: str, what: str, folder: Path, start: int = START) -> None:
    venue = venue_of(exchange, what, count=900)
    async with venue:
        interval = "8h" if what == "candles" else ""
        await download(venue, folder, Series(exchange, symbol, what, interval), start, END)


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (
            lambda folder: _ask("bybit", "BTC/USDT", "trades", folder),
            CallerError,
            "only its 60 newest trades.*record the live stream",
        ),
        (
            lambda folder: _ask("okx", "BTC/USDT", "trades", folder, START - 3 * DAY),
            CallerError,
            "no trades of BTC/USDT before 2024-02-27T00:00:00Z.*start later",
        ),
        (
            lambda folder: _ask("okx", "BTC/USDT", "candles", folder),
            CallerError,
            "okx has no interval 8h, only: 1m, 3m",
        ),
        (
            lambda folder: _ask("binance", "XYZ/USDT", "trades", folder),
            SymbolNotFoundError,
            "binance does not list XYZ/USDT",
        ),
    ],
)
def test_what_a_venue_does_not_offer_is_said(
    ask: Callable[[Path], object], error: type[Exception], words: str, tmp_path: Path
) -> None:
    """Never an empty file in its place."""
    with pytest.raises(error, match=words):
        asyncio.run(ask(tmp_path))  # type: ignore[arg-type]  # a coroutine, made in the table
    assert [] == list(history_files(tmp_path))


def test_coinbase_with_more_trades_in_a_second_than_a_page_holds_is_refused(tmp_path: Path) -> None:
    """There is no way to ask for the rest of them."""
    venue = venue_of("coinbase", "trades", count=900)
    moment = parse_time("2024-03-01T00:30")
    at = next(n for n, t in enumerate(venue.trades) if t.time > moment)
    burst = [venue.trades[0]._replace(time=moment, id=str(10**6 + n)) for n in range(1_500)]
    venue.trades[at:at] = burst

    async def scenario() -> None:
        async with venue:
            with pytest.raises(VenueError, match="1000 trades or more in the second before"):
                await download(venue, tmp_path, series_of("coinbase", "trades"), START, END)

    asyncio.run(scenario())


def test_now_is_after_all_of_the_record() -> None:
    """Otherwise nothing above would download everything."""
    assert END + DAY < NOW
