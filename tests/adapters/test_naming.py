"""Which instrument a file is of; tick and lot of instruments that nobody listed."""

from pathlib import Path

import pytest
from recording_world import ticker, write

from zvt_trading.adapters.files import open_recordings
from zvt_trading.adapters.files.naming import file_argument, instrument_by_name
from zvt_trading.adapters.files.specs import KNOWN_SPECS
from zvt_trading.errors import CallerError, DataError, SymbolNotFoundError
from zvt_trading.messages.market import Bar, QuoteTick, TradeTick

QUOTES = "time,bid,bid_size,ask,ask_size\n"
TRADES = "time,price,size,side\n"


@pytest.mark.parametrize(
    ("argument", "path", "instrument"),
    [
        ("kraken:ETH/USD=data/eth.csv", "data/eth.csv", "kraken:ETH/USD"),
        ("okx:BTC/USDT:USDT=/d/x.csv", "/d/x.csv", "okx:BTC/USDT:USDT"),
        ("kraken:ETH/USD=a=b.csv", "a=b.csv", "kraken:ETH/USD"),
        ("data/eth.csv", "data/eth.csv", ""),
        ("kraken:ETHUSD=eth.csv", "kraken:ETHUSD=eth.csv", ""),
        ("Kraken:ETH/USD=eth.csv", "Kraken:ETH/USD=eth.csv", ""),
    ],
)
def test_the_argument_may_name_the_instrument(argument: str, path: str, instrument: str) -> None:
    """Only "venue:BASE/QUOTE[:SETTLE]=path" is taken apart, as text and as a Path."""
    assert file_argument(argument) == (Path(path), instrument)
    assert file_argument(Path(argument)) == (Path(path), instrument)


@pytest.mark.parametrize(
    ("name", "instrument"),
    [
        ("kraken_ETH-USD_trades.csv", "kraken:ETH/USD"),
        ("Kraken_eth-usd.csv.gz", "kraken:ETH/USD"),
        ("okx_BTC-USDT_perp_quotes.parquet", "okx:BTC/USDT:USDT"),
        ("okx_BTC-USDT_20240808_swap.csv", "okx:BTC/USDT:USDT"),
        ("binance_btcusdt_trade.zip", "binance:BTC/USDT"),
        ("binance_BTC-USDT_bars.csv", "binance:BTC/USDT"),
        ("binance_BTC-USDT_perp_bars.csv", "binance:BTC/USDT:USDT"),
        ("binance_btcusdt_usdm_bars.csv", "binance:BTC/USDT:USDT"),
    ],
)
def test_the_file_name_names_the_instrument(name: str, instrument: str) -> None:
    """`venue_BASE-QUOTE[_perp]` comes first; pairs of built-in specs need no dash."""
    assert instrument_by_name(Path("some/folder_x", name), KNOWN_SPECS) == instrument


@pytest.mark.parametrize("name", ["trades.csv", "kraken_ethusd_trades.csv", "_ETH-USD.csv"])
def test_a_name_without_an_instrument_is_refused(name: str) -> None:
    """The error shows both ways to say it."""
    with pytest.raises(SymbolNotFoundError, match=r"of which instrument.*kraken:ETH/USD=path"):
        instrument_by_name(Path(name), KNOWN_SPECS)


def test_tick_and_lot_are_the_finest_decimals_of_the_rows(tmp_path: Path) -> None:
    """Trailing zeros do not count; fees are the usual base rate, 10 basis points."""
    path = tmp_path / "kraken_ETH-USD_quotes.csv"
    path.write_text(QUOTES + "1700000000,2000.10,1.5,2000.2,3\n1700000001,2000.15,1.250,2001,3\n")
    feed = open_recordings([path])
    (spec,) = feed.specs
    assert (spec.venue, spec.symbol, spec.settle) == ("kraken", "ETH/USD", "USD")
    assert (spec.tick, spec.price_scale, spec.lot, spec.quantity_scale) == (1, 2, 1, 2)
    assert (spec.maker_fee, spec.taker_fee, spec.leverage_max) == (100_000, 100_000, 1)
    quotes = [m for m in feed if isinstance(m, QuoteTick)]
    assert [(q.bid, q.bid_size) for q in quotes] == [(200_010, 150), (200_015, 125)]


def test_whole_numbers_have_a_tick_of_one(tmp_path: Path) -> None:
    """A tick is never coarser than one."""
    path = tmp_path / "coins.csv"
    path.write_text(TRADES + "1700000000,500,20,buy\n")
    feed = open_recordings([f"kraken:ETH/JPY={path}"])
    (spec,) = feed.specs
    assert (spec.tick, spec.price_scale, spec.lot, spec.quantity_scale) == (1, 0, 1, 0)


def test_bars_tell_their_tick_by_all_their_prices(tmp_path: Path) -> None:
    """Only the low has two decimals."""
    path = tmp_path / "kraken_ETH-USD_bars.csv"
    path.write_text("time,open,high,low,close,volume,close_time\n0,9,9.5,7.25,8,1.5,60\n")
    feed = open_recordings([path])
    (spec,) = feed.specs
    assert (spec.price_scale, spec.quantity_scale) == (2, 1)
    (bar,) = feed
    assert isinstance(bar, Bar)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (900, 950, 725, 800, 15)


def test_an_instrument_before_a_binance_recording_must_be_its_own(tmp_path: Path) -> None:
    """A recording says what it records: a name before it cannot make it another market."""
    lines = [ticker(at, ("1.00", "1"), ("1.01", "1"), at=at) for at in range(3)]
    path = write(tmp_path / "x.gz", lines)
    assert open_recordings([f"binance:BTC/USDT={path}"]).specs == open_recordings([path]).specs
    for other in ("binance:BTC/USDT:USDT", "bybit:BTC/USDT", "kraken:ETH/USD"):
        with pytest.raises(SymbolNotFoundError):
            open_recordings([f"{other}={path}"])


def test_files_of_one_instrument_share_their_finest_steps(tmp_path: Path) -> None:
    """Coarse trades beside fine quotes, and the other way for sizes: one spec fits both."""
    quotes = tmp_path / "kraken_ETH-USD_quotes.csv"
    trades = tmp_path / "kraken_ETH-USD_trades.csv"
    quotes.write_text(QUOTES + "1700000000,2000.12,1,2000.2,3\n")
    trades.write_text(TRADES + "1700000001,2000,1.001,sell\n")
    feed = open_recordings([quotes, trades])
    (spec,) = feed.specs
    assert (spec.price_scale, spec.quantity_scale) == (2, 3)
    quote, trade = feed
    assert isinstance(quote, QuoteTick)
    assert isinstance(trade, TradeTick)
    assert (quote.bid, quote.bid_size) == (200_012, 1_000)
    assert (trade.price, trade.size) == (200_000, 1_001)


def test_an_unlisted_venue_shares_the_scales_of_the_listed_ones(tmp_path: Path) -> None:
    """One symbol, one scale: the same number means the same price on every venue."""
    mine = tmp_path / "okx_BTC-USDT_quotes.csv"
    known = tmp_path / "binance_BTC-USDT_quotes.csv"
    mine.write_text(QUOTES + "1700000000,60000.5,1.1,60000.6,1\n")
    known.write_text(QUOTES + "1700000000,60000.5,1.1,60000.6,1\n")
    feed = open_recordings([mine, known])
    first, second = feed.specs
    assert first.price_scale == second.price_scale
    assert first.quantity_scale == second.quantity_scale
    assert (first.tick, second.tick) == (10, 1)
    assert len({(m.bid, m.bid_size) for m in feed if isinstance(m, QuoteTick)}) == 1


def test_given_specs_are_the_only_ones(tmp_path: Path) -> None:
    """Who gives specs gets no guesses: an instrument that they lack is refused."""
    path = tmp_path / "eth.csv"
    path.write_text(QUOTES + "1700000000,2000.12,1,2000.2,3\n")
    named = path.with_name("kraken_ETH-USD.csv")
    named.write_text(path.read_text())
    for argument in (f"kraken:ETH/USD={path}", named):
        with pytest.raises(SymbolNotFoundError, match="no spec of kraken:ETH/USD is given"):
            open_recordings([argument], KNOWN_SPECS)


def test_a_finer_price_after_the_first_rows_is_an_error(tmp_path: Path) -> None:
    """The tick is not changed in the middle of a file; the line is named."""
    path = tmp_path / "kraken_ETH-USD_trades.csv"
    rows = [f"{1_700_000_000 + at},2000.1,1,buy\n" for at in range(1_000)]
    path.write_text(TRADES + "".join(rows) + "1700001000,2000.15,1,buy\n")
    with pytest.raises(DataError, match=r"trades\.csv:1002: 2000\.15 has more than 1 decimals"):
        list(open_recordings([path]))


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    """A header alone tells no tick."""
    path = tmp_path / "kraken_ETH-USD_trades.csv"
    path.write_text(TRADES)
    with pytest.raises(DataError, match="has no rows to see the tick and lot of kraken:ETH/USD"):
        open_recordings([path])


def test_numbers_that_no_scale_holds_are_refused(tmp_path: Path) -> None:
    """Decimals left by binary floats (0.30000000000000004) cannot be a tick."""
    path = tmp_path / "kraken_ETH-USD_trades.csv"
    path.write_text(TRADES + "1700000000,0.30000000000000004,0.01,buy\n")
    with pytest.raises(CallerError, match="kraken:ETH/USD: amounts of USD would need 19 decimals"):
        open_recordings([path])


def test_a_missing_file_is_named_without_its_instrument(tmp_path: Path) -> None:
    """The path, not the whole argument."""
    missing = tmp_path / "none.csv"
    with pytest.raises(CallerError) as caught:
        open_recordings([f"kraken:ETH/USD={missing}"])
    assert f"no file {missing}" == str(caught.value)
