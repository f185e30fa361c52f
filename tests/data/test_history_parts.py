"""The small parts of history: times, rows, series, answers."""

import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from zvt_trading.core.units import DAY, HOUR
from zvt_trading.data.answers import fields, listed, part
from zvt_trading.data.rows import Candle, Trade, candle, number, trade, whole
from zvt_trading.data.series import Series
from zvt_trading.data.times import parse_time, stamp, year_start
from zvt_trading.errors import CallerError, VenueError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01", 0),
        ("1970-01-02", DAY),
        ("1970-01-01T01:00", HOUR),
        ("1970-01-01 00:00:01Z", 10**9),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T02:00:00.5+02:00", 5 * 10**8),
        ("2024-02-29T23:59:59.999999Z", 1_709_251_199_999_999_000),
    ],
)
def test_times_are_read_exactly(text: str, expected: int) -> None:
    """To the nanosecond; no zone is UTC."""
    assert expected == parse_time(text)


@pytest.mark.parametrize(
    "text", ["", "now", "2024", "2024-13-01", "2023-02-29", "2024-01-01T25:00", "1704067200"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """The message names it."""
    with pytest.raises(CallerError, match="is not a time"):
        parse_time(text)


@pytest.mark.parametrize(
    "text",
    ["2024-02-29T00:00:00Z", "2024-02-29T12:34:56.000001Z", "2024-02-29T12:34:56.123456789Z"],
)
def test_a_stamp_reads_back(text: str) -> None:
    """With as many decimals as it takes."""
    assert text == stamp(parse_time(text))


def test_years_begin_on_the_first_of_january() -> None:
    """UTC."""
    assert parse_time("2025-01-01") == year_start(2025)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0", "0"),
        ("0.000000000000000001", "1E-18"),
        ("0.10000000000000000000", "0.1"),
        ("12345678901234567890", "12345678901234567890"),
        ("1e-8", "1E-8"),
        (7, "7"),
    ],
)
def test_numbers_are_taken_exactly(given: object, expected: str) -> None:
    """As the venue wrote them."""
    assert Decimal(expected) == number(given)


@pytest.mark.parametrize(
    "given",
    [0.1, True, None, "", "x", "NaN", "Infinity", "-1", "1e-19", "0.0000000000000000001", "1e20"],
)
def test_what_a_file_cannot_hold_exactly_is_no_number(given: object) -> None:
    """Floats have lost their digits already."""
    with pytest.raises(VenueError):
        number(given)


@pytest.mark.parametrize(
    "values",
    [
        ["2", "1", "1", "1", "1"],
        ["1", "1", "2", "1", "1"],
        ["0", "0", "0", "0", "1"],
        ["1", "1", "1", "1", "-1"],
        ["1", "1", "1", 1.0, "1"],
    ],
)
def test_a_candle_that_cannot_be_is_refused(values: list[object]) -> None:
    """High and low enclose, prices are positive."""
    with pytest.raises(VenueError):
        candle(0, values)


def test_a_candle_without_trades_has_no_volume() -> None:
    """Binance sends them, with the last price four times."""
    three = Decimal(3)
    expected = Candle(5, three, three, three, three, Decimal(0))
    assert expected == candle(5, ["3", "3", "3", "3", "0"])


def test_a_trade_is_taken_as_written() -> None:
    """The side in lower case, the id as text."""
    assert Trade(5, "12", Decimal("1.5"), Decimal(2), "buy") == trade(5, 12, ("1.5", "2"), "Buy")


@pytest.mark.parametrize(
    ("identifier", "values", "side"),
    [
        ("1", ("0", "1"), "buy"),
        ("1", ("1", "-1"), "buy"),
        ("1", ("1", "1"), "hold"),
        ("1", ("1", "1"), None),
        (None, ("1", "1"), "buy"),
        ("", ("1", "1"), "buy"),
        ("x" * 65, ("1", "1"), "buy"),
        (1.0, ("1", "1"), "buy"),
    ],
)
def test_a_trade_that_cannot_be_is_refused(
    identifier: object, values: tuple[object, object], side: object
) -> None:
    """Whatever field is wrong."""
    with pytest.raises(VenueError):
        trade(0, identifier, values, side)


@pytest.mark.parametrize("given", [1.0, True, "1.0", "-1", "x", "", None])
def test_what_is_not_a_whole_number_is_refused(given: object) -> None:
    """Ids and times are whole."""
    with pytest.raises(VenueError, match="is not a whole number"):
        whole(given)


@pytest.mark.parametrize(
    "read",
    [
        lambda: listed({}),
        lambda: listed(None),
        lambda: listed("[]"),
        lambda: part([], "data"),
        lambda: part({"data": 1}, "data", "list"),
        lambda: part({}, "data"),
        lambda: fields([1, 2], 3),
        lambda: fields("abc", 3),
    ],
)
def test_an_answer_of_another_shape_is_a_fault(read: Callable[[], object]) -> None:
    """Never an empty answer."""
    with pytest.raises(VenueError):
        read()


@pytest.mark.parametrize(
    ("series", "time", "name"),
    [
        (
            Series("okx", "BTC/USDT:USDT", "candles", "1m"),
            "2024-01-31T23:59",
            "okx/BTC-USDT_perp_candles_1m/okx_BTC-USDT_perp_candles_1m_2024-01-31.parquet",
        ),
        (
            Series("okx", "BTC/USDT", "candles", "1h"),
            "2024-01-31T23:59",
            "okx/BTC-USDT_candles_1h/okx_BTC-USDT_candles_1h_2024.parquet",
        ),
        (
            Series("coinbase", "BTC/USD", "trades"),
            "2024-12-31",
            "coinbase/BTC-USD_trades/coinbase_BTC-USD_trades_2024-12-31.parquet",
        ),
    ],
)
def test_files_have_their_place_and_name(series: Series, time: str, name: str) -> None:
    """A folder a series, a file a day or a year."""
    path = series.path(Path("h"), series.span_of(parse_time(time)))
    assert Path("h") / name == path


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("../x", "BTC/USDT", "trades", ""), "exchange"),
        (("", "BTC/USDT", "trades", ""), "exchange"),
        (("okx", "BTCUSDT", "trades", ""), "symbol"),
        (("okx", "../BTC/USDT", "trades", ""), "symbol"),
        (("okx", "BTC/USD:BTC", "trades", ""), "settled in its quote asset"),
        (("okx", "BTC/USDT:USDT-240628", "trades", ""), "symbol"),
        (("okx", "BTC/USDT", "quotes", ""), "candles, trades"),
        (("okx", "BTC/USDT", "trades", "1m"), "have no interval"),
        (("okx", "BTC/USDT", "candles", ""), "1s, 1m"),
        (("okx", "BTC/USDT", "candles", "1w"), "1s, 1m"),
    ],
)
def test_a_series_that_has_no_place_is_refused(
    given: tuple[str, str, str, str], words: str
) -> None:
    """The message says what is allowed."""
    with pytest.raises(CallerError, match=words):
        Series(*given)


def test_big_libraries_wait_until_they_are_used() -> None:
    """The commands import all of this, also those that download nothing."""
    code = (
        "import sys, zvt_trading.data.ccxt_source, zvt_trading.cli.data; "
        "print(sorted({'ccxt', 'pyarrow', 'aiohttp'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == found.stdout
