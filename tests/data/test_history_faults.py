"""Answers that cannot be believed: each is refused with a reason, none becomes a file."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from history_clients import Clock, download, findings_in, rows_in, series_of, source_at
from history_venue import END, MS, NOW, START, Venue, candles, trades

from zvt_trading.core.units import DAY, HOUR, MINUTE
from zvt_trading.data.ccxt_client import Waiter
from zvt_trading.data.ccxt_source import CcxtHistorySource, ccxt_source
from zvt_trading.data.crypto_data_loader import history_files
from zvt_trading.data.series import Series
from zvt_trading.errors import CallerError, VenueError

Alter = Callable[[int, list[Any]], list[Any]]
UNTIL = START + 6 * HOUR


def venue_of(exchange: str, what: str) -> Venue:
    if what == "candles":
        return Venue(exchange, candles=candles(1, MINUTE))
    return Venue(exchange, trades=trades(1, 900, start=START - DAY, end=END))


def outcome(venue: Venue, what: str, folder: Path, clock: Clock | None = None) -> None:
    """Download six hours."""

    async def scenario() -> None:
        async with venue:
            await download(venue, folder, series_of(venue.exchange, what), START, UNTIL, clock)

    asyncio.run(scenario())


def each(change: Callable[[Any], Any]) -> Alter:
    """Every row of every answer is changed."""
    return lambda _, rows: [change(row) for row in rows]


def later(milliseconds: int) -> Alter:
    """Every candle of Binance opens later."""
    return each(lambda row: [row[0] + milliseconds, *row[1:]])


def twice_otherwise(_: int, rows: list[Any]) -> list[Any]:
    """A candle comes twice, with another volume."""
    return [*rows, [*rows[0][:5], "77", *rows[0][6:]]] if rows else rows


def sized(rows: list[Any], name: str, number: int) -> list[Any]:
    """Every size is of the answer it came in."""
    return [{**row, name: f"1.{number}"} for row in rows]


@pytest.mark.parametrize(
    ("exchange", "what", "alter", "words"),
    [
        ("binance", "candles", later(1), "opens at 2024-03-01T00:00:00.001Z, off its interval"),
        ("binance", "candles", twice_otherwise, "two different candles of 2024-03-01T00:00:00Z"),
        ("binance", "candles", each(lambda row: row[:4]), "a row has 4 members"),
        (
            "binance",
            "candles",
            each(lambda row: [*row[:4], 1.5, *row[5:]]),
            "1.5 is not a number written as text",
        ),
        ("okx", "candles", each(lambda row: [*row[:8], "0"]), "is not final"),
        ("binance", "trades", each(lambda row: {**row, "m": "x"}), "does not say who was"),
        ("binance", "trades", each(lambda row: {**row, "p": "-1"}), "'-1' is not a number >= 0"),
        (
            "binance",
            "trades",
            lambda n, rows: sized(rows[:1] + rows[2:], "q", n),
            "answers the same question differently every time",
        ),
        ("okx", "trades", lambda n, rows: sized(rows, "sz", n), "differently every time"),
        (
            "okx",
            "trades",
            lambda n, rows: rows if n <= 2 else [],
            "okx does not know its own trade",
        ),
        ("coinbase", "trades", each(lambda row: {**row, "time": "now"}), "'now' is not a time"),
        (
            "coinbase",
            "trades",
            lambda n, rows: rows if n <= 2 else [],
            "coinbase does not know its own trade",
        ),
        (
            "coinbase",
            "trades",
            lambda _, rows: [*rows, *sized(rows[:1], "size", 7)],
            "two different trades have the id",
        ),
    ],
)
def test_an_answer_that_cannot_be_true_is_refused(
    exchange: str, what: str, alter: Alter, words: str, tmp_path: Path
) -> None:
    """Also when it is given again and again; nothing of it is written."""
    venue = venue_of(exchange, what)
    venue.alter = alter
    venue.cap = 1_000 if what == "candles" else 4
    with pytest.raises((VenueError, CallerError), match=words):
        outcome(venue, what, tmp_path)
    assert [] == list(history_files(tmp_path))


def test_old_trades_instead_of_new_ones_are_refused(tmp_path: Path) -> None:
    """A page that comes back for ever; what was right before is kept."""
    venue = venue_of("binance", "trades")
    venue.cap = 10
    first: list[Any] = []

    def stuck(number: int, rows: list[Any]) -> list[Any]:
        if number == 3:
            first.extend(rows)
        return rows if number <= 3 else first

    venue.alter = stuck
    with pytest.raises(VenueError, match="binance gives old trades when asked for"):
        outcome(venue, "trades", tmp_path)
    assert 9 == len(rows_in(tmp_path))  # the last millisecond of a page may go on
    assert ["gap"] == [text[:3] for text in findings_in(tmp_path)] or not findings_in(tmp_path)


def test_a_first_trade_that_is_not_the_first_is_refused(tmp_path: Path) -> None:
    """The one before it is asked for, and must be older than the start."""
    venue = venue_of("binance", "trades")
    venue.alter = lambda n, rows: rows[2:] if n % 2 else rows
    with pytest.raises(VenueError, match="contradicts itself about its first trade"):
        outcome(venue, "trades", tmp_path)
    assert [] == list(history_files(tmp_path))


@pytest.mark.parametrize("first_id", [0, 1_000])
def test_a_history_that_begins_in_the_range_is_whole(first_id: int, tmp_path: Path) -> None:
    """A new listing: there is no trade before the first."""
    known = trades(1, 300, start=START + HOUR, end=UNTIL)
    venue = Venue("binance", trades=[t._replace(id=str(first_id + n)) for n, t in enumerate(known)])
    outcome(venue, "trades", tmp_path)
    assert venue.trades == rows_in(tmp_path)
    assert [] == findings_in(tmp_path)


def test_a_range_without_any_trade_is_empty(tmp_path: Path) -> None:
    """Every hour was asked twice."""
    venue = Venue("binance", trades=trades(1, 30, start=END, end=END + HOUR))
    outcome(venue, "trades", tmp_path)
    assert 2 * 6 == len(venue.asked)
    assert [] == rows_in(tmp_path)


def test_many_trades_of_one_millisecond_stay_together(tmp_path: Path) -> None:
    """More than a page holds: the page's end is no end of a millisecond."""
    known = trades(1, 60, start=START - DAY, end=END)
    moment = START + HOUR
    at = next(n for n, t in enumerate(known) if t.time > moment)
    known[at:at] = [known[0]._replace(time=moment)] * 55
    venue = Venue("binance", cap=10)
    venue.trades = [t._replace(id=str(n)) for n, t in enumerate(known)]
    outcome(venue, "trades", tmp_path)
    assert venue.record(START, UNTIL) == rows_in(tmp_path)
    assert [] == findings_in(tmp_path)


def test_bybit_says_when_its_limit_is_over(tmp_path: Path) -> None:
    """In a header of its own, in milliseconds of the wall clock."""
    venue, clock = venue_of("bybit", "candles"), Clock()
    venue.faults = {1: "429"}
    venue.headers = {"X-Bapi-Limit-Reset-Timestamp": str(NOW // MS + 41_500)}
    outcome(venue, "candles", tmp_path, clock)
    assert 1 == sum(41 <= seconds <= 43 for seconds in clock.waited)


def test_a_wait_that_is_no_number_of_seconds_is_our_own_backoff(tmp_path: Path) -> None:
    """A date, or nothing at all."""
    venue, clock = venue_of("binance", "candles"), Clock()
    venue.faults = {1: "429", 2: "429"}
    venue.headers = {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}
    outcome(venue, "candles", tmp_path, clock)
    assert [1, 2] == [seconds for seconds in clock.waited if seconds >= 1]


def test_a_refused_request_is_not_repeated() -> None:
    """Asking again cannot make it right."""
    venue = venue_of("binance", "candles")

    async def scenario() -> None:
        async with venue:
            source = source_at(venue, Clock())
            exchange = source._client.exchange

            async def refused(_: object) -> None:
                calls.append(1)
                raise bad_request("no such interval")

            exchange.publicGetKlines = refused  # type: ignore[attr-defined]  # ccxt's implicit method
            try:
                async for _ in source.pages(series_of("binance", "candles"), START, UNTIL):
                    pass
            finally:
                await source.close()

    from ccxt.base.errors import BadRequest as bad_request  # noqa: N813 - a class, called above

    calls: list[int] = []
    with pytest.raises(VenueError, match="binance refuses: no such interval"):
        asyncio.run(scenario())
    assert [1] == calls


def test_a_source_is_of_one_known_exchange() -> None:
    """Another exchange object, another exchange's series, no pages a minute: refused."""

    async def scenario() -> None:
        source = ccxt_source("binance", pages_per_minute=5)
        try:
            assert "binance" == source.exchange
            with pytest.raises(CallerError, match="okx BTC/USDT trades is not of binance"):
                source.pages(Series("okx", "BTC/USDT", "trades"), START, END)
        finally:
            await source.close()
        with pytest.raises(CallerError, match="exchange 'kraken' must be one of binance"):
            ccxt_source("kraken")

    asyncio.run(scenario())


def test_no_pages_a_minute_are_refused() -> None:
    """Nothing would ever come."""
    venue = Venue("binance")

    async def scenario() -> None:
        async with venue:
            source = source_at(venue, Clock())
            exchange = source._client.exchange
            with pytest.raises(CallerError, match="pages per minute 0 must be >= 1"):
                CcxtHistorySource(exchange, pages_per_minute=0, waiter=Waiter())
            await source.close()

    asyncio.run(scenario())


def test_a_price_with_more_decimals_than_a_file_has_is_refused(tmp_path: Path) -> None:
    """Rounding it would be a lie."""
    venue = venue_of("binance", "trades")
    venue.trades = [t._replace(price=Decimal("0.1234567890123456789")) for t in venue.trades]
    with pytest.raises(VenueError, match="at most 20 digits and 18 decimals"):
        outcome(venue, "trades", tmp_path)
