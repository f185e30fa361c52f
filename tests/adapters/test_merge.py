"""Files of every kind become one feed in time order; what cannot be read is named."""

import gzip
import zipfile
from itertools import islice, pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from recording_world import depth, rest, ticker, write

from zvt_trading.adapters.files import RecordedFeed, feed_for, merge, open_recordings
from zvt_trading.adapters.files.binance_recording import BinanceRecording
from zvt_trading.adapters.files.lean import LeanFeed
from zvt_trading.adapters.files.specs import KNOWN_SPECS
from zvt_trading.adapters.files.tabular import CsvFeed, ParquetFeed
from zvt_trading.errors import CallerError, DataError, SymbolNotFoundError
from zvt_trading.messages.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    MarketData,
    QuoteTick,
    TradeTick,
)

S = 1_700_000_000
TRADES = f"time,price,size\n{S},100.5,1\n{S + 1},100.5,2\n"
SPOT, PERPETUAL = "binance:BTC/USDT", "binance:BTC/USDT:USDT"


def tick(name: str, ts: int, number: int = 0) -> TradeTick:
    return TradeTick(name, 1, 1, 0, ts, number)


class TestMerge:
    def test_by_time_and_at_equal_times_by_the_order_of_the_streams(self) -> None:
        first = [tick("a", 1), tick("a", 3), tick("a", 3, 1)]
        second = [tick("b", 1), tick("b", 2), tick("b", 3)]
        found = [(m.ts, m.instrument, m.trade_id) for m in merged(first, second)]
        assert [
            (1, "a", 0), (1, "b", 0), (2, "b", 0), (3, "a", 0), (3, "a", 1), (3, "b", 0),
        ] == found  # fmt: skip

    @given(st.lists(st.lists(st.integers(0, 9)), max_size=4))
    def test_it_is_a_stable_sort(self, times: list[list[int]]) -> None:
        streams = [
            [tick(str(at), ts, number) for number, ts in enumerate(sorted(stream))]
            for at, stream in enumerate(times)
        ]
        everything = [message for stream in streams for message in stream]
        assert sorted(everything, key=lambda m: m.ts) == merged(*streams)

    @pytest.mark.parametrize("others", [[], [[tick("b", 1)]]])
    def test_a_stream_that_goes_back_is_named(self, others: list[list[MarketData]]) -> None:
        with pytest.raises(DataError, match=r"stream 1: message 3 \(4\) is before .* \(5\)"):
            merged([tick("a", 1), tick("a", 5), tick("a", 4)], *others)

    def test_no_streams_is_nothing(self) -> None:
        assert [] == merged()


def merged(*streams: list[MarketData] | list[TradeTick]) -> list[TradeTick]:
    return [m for m in merge(streams) if isinstance(m, TradeTick)]


class TestFeedFor:
    def test_a_binance_recording_whatever_its_name(self, tmp_path: Path) -> None:
        path = write(tmp_path / "data.bin", [depth(1, 2)])
        assert isinstance(feed_for(path), BinanceRecording)
        assert SPOT == name_of(feed_for(path, KNOWN_SPECS[SPOT]))

    def test_a_recording_of_another_instrument_than_asked_for(self, tmp_path: Path) -> None:
        path = write(tmp_path / "data.gz", [depth(1, 2)])
        with pytest.raises(SymbolNotFoundError, match=f"known: {PERPETUAL}"):
            feed_for(path, KNOWN_SPECS[PERPETUAL])

    @pytest.mark.parametrize(
        ("name", "instrument"),
        [
            ("binance_btcusdt.csv", SPOT),
            ("binance_btcusdt_trades_2024.csv", SPOT),
            ("Binance_BTCUSDT_perp_trades.csv", PERPETUAL),
            ("binance_btcusdt_usdm.csv.gz", PERPETUAL),
            ("bybit_btcusdt_trades.csv", "bybit:BTC/USDT"),
        ],
    )
    def test_csv_says_its_instrument_by_its_name(
        self, tmp_path: Path, name: str, instrument: str
    ) -> None:
        path = tmp_path / name
        data = TRADES.encode()
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        feed = feed_for(path)
        assert isinstance(feed, CsvFeed)
        assert instrument == name_of(feed)
        assert 2 == len(list(feed))

    def test_parquet_by_its_content(self, tmp_path: Path) -> None:
        path = tmp_path / "binance_btcusdt.data"
        parquet.write_table(pa.table({"time": [S], "price": ["1"], "size": ["1"]}), path)
        assert isinstance(feed_for(path), ParquetFeed)

    def test_a_lean_zip_by_its_content(self, tmp_path: Path) -> None:
        path = tmp_path / "bybit_btcusdt_trade.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("20221213_btcusdt_minute_trade.csv", "0,2,3,1,2.5,5\n")
        assert isinstance(feed_for(path), LeanFeed)

    def test_a_name_that_says_nothing_needs_a_spec(self, tmp_path: Path) -> None:
        path = tmp_path / "trades.csv"
        path.write_text(TRADES)
        with pytest.raises(SymbolNotFoundError, match="of which instrument is this file"):
            feed_for(path)
        assert 2 == len(list(feed_for(path, KNOWN_SPECS[SPOT])))

    def test_what_is_nothing_readable(self, tmp_path: Path) -> None:
        path = tmp_path / "binance_btcusdt.dat"
        path.write_bytes(b"\x7fELF\0\0")
        with pytest.raises(DataError, match="neither a Binance recording nor"):
            feed_for(path)

    def test_a_damaged_gzip_file(self, tmp_path: Path) -> None:
        path = tmp_path / "binance_btcusdt.gz"
        path.write_bytes(b"\x1f\x8b\x08nonsense")
        with pytest.raises(DataError, match=r"\.gz:1: the file is damaged"):
            feed_for(path)


def name_of(feed: object) -> str:
    spec = feed.spec  # type: ignore[attr-defined]  # all feeds of files have one
    return f"{spec.venue}:{spec.symbol}"


class TestOpenRecordings:
    def test_files_become_one_feed_and_each_instrument_one_spec(self, tmp_path: Path) -> None:
        levels = [("100", "1")], [("101", "1")]
        recording = write(tmp_path / "a.gz", [rest(1, *levels), depth(2, 3, at=1)])
        trades = tmp_path / "binance_btcusdt_trades.csv"
        trades.write_text(TRADES)
        perpetual = write(
            tmp_path / "b.gz", [ticker(1, ("100", "1"), ("101", "1"), event=1_700_000_000_500)]
        )
        feed = open_recordings([recording, trades, str(perpetual)])
        assert [SPOT, PERPETUAL] == [f"{spec.venue}:{spec.symbol}" for spec in feed.specs]
        kinds = [type(message).__name__ for message in feed]
        assert ["TradeTick", "QuoteTick", "TradeTick", "BookSnapshot", "BookDelta"] == kinds
        assert (3_000, 3_000) == feed.progress()

    def test_one_file_keeps_its_own_progress(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.gz", [depth(1, 2)])
        assert (0, path.stat().st_size) == open_recordings([path]).progress()

    def test_the_file_that_goes_back_in_time_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "binance_btcusdt.csv"
        path.write_text(f"time,price,size\n{S},1,1\n{S - 1},1,1\n")
        with pytest.raises(DataError, match=r"binance_btcusdt\.csv: message 2 .* time order"):
            list(open_recordings([path]))

    def test_no_file(self) -> None:
        with pytest.raises(CallerError, match="no recording given"):
            open_recordings([])

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(CallerError, match=r"no file .*none\.gz"):
            open_recordings([tmp_path / "none.gz"])

    def test_a_file_twice(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.gz", [depth(1, 2)])
        with pytest.raises(CallerError, match=r"a\.gz is given twice"):
            open_recordings([path, str(path)])


def test_the_recorded_markets_together_are_one_market_in_time_order(shared_data: Path) -> None:
    """Spot and perpetual of the same minutes, turn by turn, on one clock (to 5 ms)."""
    feed = open_recordings(sorted((shared_data / "binance").glob("*.gz")))
    assert [SPOT, PERPETUAL] == [f"{spec.venue}:{spec.symbol}" for spec in feed.specs]
    last = turns = 0
    instrument = ""
    for message in islice(feed, 60_000):
        assert isinstance(message, QuoteTick | TradeTick | BookDelta | BookSnapshot)
        assert last <= message.ts
        turns += message.instrument != instrument
        last, instrument = message.ts, message.instrument
    assert turns > 5_000


@pytest.mark.parametrize(
    ("name", "kind", "count", "first"),
    [
        ("binance_btcbusd_trade.zip", Bar, 1_440, 17_208_88),
        ("bybit_btcusdt_trade.zip", Bar, 1_440, 17_205_00),
        ("bybit_btcusdt_quote.zip", QuoteTick, 721, 17_205_01),
    ],
)
def test_the_recorded_minute_files(
    shared_data: Path, name: str, kind: type[Bar] | type[QuoteTick], count: int, first: int
) -> None:
    """Every row of the 2022-12-13 minute bars, one minute or more apart, the first close known."""
    feed = RecordedFeed([feed_for(shared_data / "reference" / "minute_20221213" / name)])
    found = list(feed)
    assert {kind} == {type(message) for message in found}
    assert count == len(found)
    assert all(later.ts > before.ts for before, later in pairwise(found))
    head = found[0]
    assert first == (
        head.close if isinstance(head, Bar) else head.bid if isinstance(head, QuoteTick) else 0
    )
