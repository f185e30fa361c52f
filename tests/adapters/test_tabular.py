"""CSV, Parquet and Lean files become exact messages; a bad row is named by file and line."""

import builtins
import gzip
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from zvt_trading.adapters.files.fields import TimeField, number
from zvt_trading.adapters.files.lean import LeanFeed
from zvt_trading.adapters.files.specs import Listing, with_common_scales
from zvt_trading.adapters.files.tabular import CsvFeed, ParquetFeed
from zvt_trading.core.units import MINUTE, UnitError
from zvt_trading.errors import CallerError, DataError
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import Bar, QuoteTick, TradeTick

X = "x:BTC/USDT"
(SPEC,) = with_common_scales([Listing(venue="x", symbol="BTC/USDT", tick="0.01", lot="0.0001")])
S = 1_700_000_000
NS = S * 10**9


def csv_file(path: Path, *lines: str) -> Path:
    file = path / "rows.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def read_csv(path: Path, *lines: str, **options: Any) -> list[Any]:
    return list(CsvFeed(csv_file(path, *lines), SPEC, **options))


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (f"{S}", NS),
            (f"{S}.5", NS + 500_000_000),
            (f"{S}000", NS),
            (f"{S}000000", NS),
            (f"{S}000000001", NS + 1),
            ("2023-11-14T22:13:20Z", NS),
            ("2023-11-14 22:13:20", NS),
            ("2023-11-14 22:13:20 UTC", NS),
            ("2023-11-14T23:13:20+01:00", NS),
            ("2023-11-14T22:13:20.123456789Z", NS + 123_456_789),
            ("2023-11-14T22:13:20,5", NS + 500_000_000),
            ("2023-11-14 22:13", NS - 20 * 10**9),
            ("2023-11-14", NS - (22 * 3600 + 13 * 60 + 20) * 10**9),
        ],
    )
    def test_the_unit_is_seen_from_the_size(self, text: str, expected: int) -> None:
        assert expected == TimeField().read(text)

    @pytest.mark.parametrize(
        ("unit", "expected"), [("s", 5 * 10**9), ("ms", 5_000_000), ("us", 5_000), ("ns", 5)]
    )
    def test_or_stated(self, unit: str, expected: int) -> None:
        assert expected == TimeField(unit).read("5")

    def test_the_first_time_decides_for_all(self) -> None:
        field = TimeField()
        assert NS == field.read(f"{S}000")
        assert 5_000_000 == field.read("5")

    @pytest.mark.parametrize(
        "text",
        ["", "noon", "-5", "NaN", "1.5e9", "2023-13-14", "2023-11-14T25:00:00", "14-11-2023",
         "2023-11-14T22:13:20.1234567890Z"],
    )  # fmt: skip
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(UnitError):
            TimeField().read(text)

    def test_an_unknown_unit_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CallerError, match="'min' must be one of s, ms, us, ns"):
            read_csv(tmp_path, time_unit="min")


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "expected"), [("1", 10_000), (" 0.5 ", 5_000), ("1e-04", 1), ("1E2", 1_000_000)]
    )
    def test_are_exact(self, text: str, expected: int) -> None:
        assert expected == number(text, 4)

    @pytest.mark.parametrize("text", ["", "NaN", "Infinity", "-1", "1e-5", "1e99", "xey", "1_0"])
    def test_or_refused(self, text: str) -> None:
        with pytest.raises(UnitError):
            number(text, 4)


class TestTrades:
    @pytest.mark.parametrize(
        ("header", "row", "aggressor", "trade_id"),
        [
            ("timestamp,price,size,side,trade_id", f"{S},100.5,2,buy,7", BUY, 7),
            ("time,price,qty,side", f"{S},100.50,2.0,SELL", SELL, 0),
            ("id,price,qty,quoteQty,time,isBuyerMaker", f"8,100.5,2,1,{S},True", SELL, 8),
            ("ts,price,amount,is_buyer_maker", f"{S},100.5,2,false", BUY, 0),
            ("Date,Price,Quantity,id", f"{S},100.5,2,a-uuid", 0, 0),
            ("time,price,size,side", f"{S},100.5,2,", 0, 0),
        ],
    )
    def test_columns_are_found_by_obvious_names(
        self, tmp_path: Path, header: str, row: str, aggressor: int, trade_id: int
    ) -> None:
        assert [TradeTick(X, 10_050, 20_000, aggressor, NS, trade_id)] == read_csv(
            tmp_path, header, row
        )

    def test_a_file_without_a_header_takes_the_names_given(self, tmp_path: Path) -> None:
        found = read_csv(tmp_path, f"1,100.5,2,{S}", columns=("id", "price", "qty", "time"))
        assert [TradeTick(X, 10_050, 20_000, 0, NS, 1)] == found

    def test_blank_lines_and_a_byte_order_mark_do_no_harm(self, tmp_path: Path) -> None:
        assert 1 == len(read_csv(tmp_path, "\ufefftime,price,size", "", f"{S},1,1", ""))


class TestQuotes:
    @pytest.mark.parametrize(
        "header",
        ["time,bid,bid_size,ask,ask_size", "ts,bid price,bid-qty,ask price,ask-qty"],
    )
    def test_both_sides(self, tmp_path: Path, header: str) -> None:
        assert [QuoteTick(X, 100, 10_000, 200, 20_000, NS)] == read_csv(
            tmp_path, header, f"{S},1,1,2,2"
        )

    def test_an_empty_side_is_missing(self, tmp_path: Path) -> None:
        assert [QuoteTick(X, 0, 0, 200, 20_000, NS)] == read_csv(
            tmp_path, "time,bid,bid_size,ask,ask_size", f"{S},,,2,2"
        )


class TestBars:
    HEADER = "time,open,high,low,close,volume"

    def bar(self, minute: int = 0, length: int = MINUTE) -> Bar:
        ts = NS + minute * MINUTE
        return Bar(X, 200, 300, 100, 250, 50_000, ts, ts + length)

    def rows(self, count: int) -> list[str]:
        return [f"{S + 60 * n},2,3,1,2.5,5" for n in range(count)]

    def test_the_first_two_rows_tell_how_long_a_bar_is(self, tmp_path: Path) -> None:
        found = read_csv(tmp_path, self.HEADER, *self.rows(3))
        assert [self.bar(0), self.bar(1), self.bar(2)] == found

    def test_or_the_caller_does(self, tmp_path: Path) -> None:
        found = read_csv(tmp_path, self.HEADER, *self.rows(1), interval_ns=7)
        assert [self.bar(length=7)] == found

    def test_or_the_close_time_column(self, tmp_path: Path) -> None:
        found = read_csv(tmp_path, self.HEADER + ",close_time", f"{S},2,3,1,2.5,5,{S + 60}")
        assert [self.bar()] == found

    def test_an_empty_file_has_no_bars(self, tmp_path: Path) -> None:
        assert [] == read_csv(tmp_path, self.HEADER)

    def test_bars_come_before_trades_and_quotes_when_columns_fit_several(
        self, tmp_path: Path
    ) -> None:
        lines = ("time,open,high,low,close,volume,price,size", f"{S},2,3,1,2.5,5,9,9")
        assert isinstance(read_csv(tmp_path, *lines, interval_ns=1)[0], Bar)
        assert isinstance(read_csv(tmp_path, *lines, kind="trades")[0], TradeTick)


class TestBadRows:
    TRADES = "time,price,size"

    @pytest.mark.parametrize(
        ("row", "text"),
        [
            (f"{S},100.555,1", "more than 2 decimals"),
            (f"{S},0,1", "must be > 0"),
            (f"{S},-1,1", "must be > 0"),
            (f"{S},1,-1", "must be >= 0"),
            (f"{S},nan,1", "not a plain decimal"),
            (f"{S},,1", "not a plain decimal"),
            (f"{S},1", "2 fields where the header has 3"),
            (f"{S},1,1,1", "4 fields"),
            ("soon,1,1", "neither an ISO-8601 nor an epoch time"),
        ],
    )
    def test_are_named_by_file_and_line(self, tmp_path: Path, row: str, text: str) -> None:
        with pytest.raises(DataError, match=rf"rows\.csv:3: .*{text}"):
            read_csv(tmp_path, self.TRADES, f"{S},1,1", row)

    @pytest.mark.parametrize(
        ("header", "row", "text"),
        [
            ("time,price,size,side", f"{S},1,1,up", "'up' is neither buy nor sell"),
            ("time,price,size,m", f"{S},1,1,maybe", "'maybe' is neither true nor false"),
            (TestBars.HEADER + ",close_time", f"{S},2,3,1,4,5,{S + 60}", "do not enclose"),
            (TestBars.HEADER + ",close_time", f"{S},2,3,1,2,5,{S}", "closes before it opens"),
            (TestBars.HEADER, f"{S},2,3,1,2,5", "give interval_ns"),
            (TestBars.HEADER, "x,2,3,1,2,5", "neither an ISO-8601"),
        ],
    )
    def test_also_in_the_other_columns(
        self, tmp_path: Path, header: str, row: str, text: str
    ) -> None:
        with pytest.raises(DataError, match=rf"rows\.csv:2: .*{text}"):
            read_csv(tmp_path, header, row)

    def test_columns_that_do_not_suffice_are_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"rows\.csv:1: .*time, foo do not suffice"):
            read_csv(tmp_path, "time,foo", f"{S},1")

    def test_an_unknown_kind_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="kind 'candles' must be one of bars, quotes, trades"):
            read_csv(tmp_path, self.TRADES, kind="candles")

    def test_a_negative_interval_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CallerError, match="interval_ns -1"):
            read_csv(tmp_path, self.TRADES, interval_ns=-1)

    def test_a_file_that_is_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        path.write_bytes(b"time,price,size\n\xff\xfe\n")
        with pytest.raises(DataError, match=r"rows\.csv:\d: cannot be read"):
            list(CsvFeed(path, SPEC))

    def test_a_gzip_file_cut_off(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv.gz"
        text = "time,price,size\n" + "".join(f"{S + n},{n + 1},1\n" for n in range(9_000))
        path.write_bytes(gzip.compress(text.encode())[:-500])
        with pytest.raises(DataError, match=r"rows\.csv\.gz:\d+: cannot be read"):
            list(CsvFeed(path, SPEC))

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"none\.csv: cannot be read"):
            CsvFeed(tmp_path / "none.csv", SPEC)


def test_csv_progress_is_in_bytes(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "time,price,size", f"{S},1,1", f"{S},1,1")
    size = path.stat().st_size
    feed = CsvFeed(path, SPEC)
    assert (0, size) == feed.progress()
    stream = iter(feed)
    next(stream)
    assert (size, size) == feed.progress()  # all of a small file is read at once
    list(stream)
    assert (size, size) == feed.progress()


def write_parquet(path: Path, **columns: Any) -> Path:
    file = path / "rows.parquet"
    parquet.write_table(pa.table(columns), file)
    return file


class TestParquet:
    MOMENT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("price", "size"),
        [
            (["100.50"], ["2"]),
            ([100.5], [2.0]),
            ([Decimal("100.50")], [Decimal(2)]),
            (pa.array([100.5], pa.float32()), pa.array([2], pa.int32())),
        ],
        ids=["text", "float", "decimal", "float32"],
    )
    def test_prices_are_exact_whatever_the_type(
        self, tmp_path: Path, price: Any, size: Any
    ) -> None:
        path = write_parquet(tmp_path, time=[S], price=price, size=size)
        assert [TradeTick(X, 10_050, 20_000, 0, NS)] == list(ParquetFeed(path, SPEC))

    def test_a_32_bit_float_is_what_it_shows(self, tmp_path: Path) -> None:
        path = write_parquet(tmp_path, time=[S], price=pa.array([0.1], pa.float32()), size=[1e-4])
        assert [TradeTick(X, 10, 1, 0, NS)] == list(ParquetFeed(path, SPEC))

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    @pytest.mark.parametrize("zone", [None, "UTC", "+02:00"])
    def test_timestamps_know_their_unit(self, tmp_path: Path, unit: str, zone: str | None) -> None:
        moment = self.MOMENT if zone else self.MOMENT.replace(tzinfo=None)
        times = pa.array([moment], pa.timestamp(unit, tz=zone))
        path = write_parquet(tmp_path, time=times, price=["1"], size=["1"])
        assert [NS] == [message.ts for message in ParquetFeed(path, SPEC)]

    def test_quotes_and_bars(self, tmp_path: Path) -> None:
        path = write_parquet(
            tmp_path, time=[S], bid=["1"], bid_size=["1"], ask=["2"], ask_size=["2"]
        )
        assert [QuoteTick(X, 100, 10_000, 200, 20_000, NS)] == list(ParquetFeed(path, SPEC))
        path = write_parquet(
            tmp_path, open_time=[S], open=[2], high=[3], low=[1], close=[2.5], volume=[5]
        )
        found = list(ParquetFeed(path, SPEC, interval_ns=MINUTE))
        assert [Bar(X, 200, 300, 100, 250, 50_000, NS, NS + MINUTE)] == found

    @pytest.mark.parametrize("bad", [None, float("nan"), -1.0])
    def test_a_bad_row_is_named(self, tmp_path: Path, bad: float | None) -> None:
        path = write_parquet(tmp_path, time=[S, S], price=[1.0, bad], size=[1, 1])
        with pytest.raises(DataError, match=r"rows\.parquet:2: "):
            list(ParquetFeed(path, SPEC))

    def test_progress_is_in_rows(self, tmp_path: Path) -> None:
        feed = ParquetFeed(write_parquet(tmp_path, time=[S, S], price=[1, 1], size=[1, 1]), SPEC)
        stream = iter(feed)
        next(stream)
        assert (1, 2) == feed.progress()

    def test_columns_that_do_not_suffice_are_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="foo do not suffice"):
            ParquetFeed(write_parquet(tmp_path, foo=[1]), SPEC)

    def test_a_file_that_is_none(self, tmp_path: Path) -> None:
        path = tmp_path / "x.parquet"
        path.write_bytes(b"PAR1 no")
        with pytest.raises(DataError, match=r"x\.parquet: cannot be read as Parquet"):
            ParquetFeed(path, SPEC)

    def test_damage_further_in_is_named_with_the_row(self, tmp_path: Path) -> None:
        path = write_parquet(tmp_path, time=[S] * 9, price=["1"] * 9, size=["1"] * 9)
        data = bytearray(path.read_bytes())
        data[4:60] = b"\xff" * 56  # the first page's header; the footer is intact
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"rows\.parquet:1: cannot be read"):
            list(ParquetFeed(path, SPEC))

    def test_without_pyarrow_it_says_what_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = builtins.__import__

        def refuse(name: str, *rest: Any) -> Any:
            if name.startswith("pyarrow"):
                raise ImportError(name)
            return real(name, *rest)

        path = write_parquet(tmp_path, time=[S], price=[1], size=[1])
        monkeypatch.setattr(builtins, "__import__", refuse)
        with pytest.raises(CallerError, match=r'pip install "zvt-trading\[research\]"'):
            ParquetFeed(path, SPEC)


def lean_zip(path: Path, **files: str) -> Path:
    file = path / "lean.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.csv", text)
    return file


DAY = 1_670_889_600 * 10**9  # 2022-12-13 00:00 UTC


class TestLean:
    def test_trade_bars(self, tmp_path: Path) -> None:
        path = lean_zip(tmp_path, **{"20221213_btcusdt_minute_trade": "60000,2,3,1,2.5,5\n"})
        opened = DAY + MINUTE
        assert [Bar(X, 200, 300, 100, 250, 50_000, opened, opened + MINUTE)] == list(
            LeanFeed(path, SPEC)
        )

    def test_quote_bars_are_quotes_at_their_close(self, tmp_path: Path) -> None:
        row = "0,1,1,1,1.5,7,2,2,2,2.5,8\n"
        path = lean_zip(tmp_path, **{"20221213_btcusdt_second_quote": row})
        assert [QuoteTick(X, 150, 70_000, 250, 80_000, DAY + 10**9)] == list(LeanFeed(path, SPEC))

    def test_days_come_in_order(self, tmp_path: Path) -> None:
        row = "0,2,3,1,2.5,5\n"
        path = lean_zip(
            tmp_path,
            **{"20221214_btcusdt_minute_trade": row, "20221213_btcusdt_minute_trade": row},
        )
        feed = LeanFeed(path, SPEC)
        assert [DAY + MINUTE, DAY + 1441 * MINUTE] == [message.ts for message in feed]
        assert (28, 28) == feed.progress()

    @pytest.mark.parametrize(
        ("row", "text"),
        [
            ("0,2,3,1,2.5\n", "5 fields, not 6"),
            ("x,2,3,1,2.5,5\n", "'x' is not a number of milliseconds"),
            ("0,2,3,1,9,5\n", "do not enclose"),
            ("0,2,3,1,\u00b2,5\n", "ascii"),
        ],
    )
    def test_a_bad_row_is_named(self, tmp_path: Path, row: str, text: str) -> None:
        good = "0,2,3,1,2.5,5\n"
        path = lean_zip(tmp_path, **{"20221213_btcusdt_minute_trade": good + row})
        with pytest.raises(DataError, match=rf"lean\.zip/2022.*\.csv:2: .*{text}"):
            list(LeanFeed(path, SPEC))

    @pytest.mark.parametrize("name", ["notes", "20221399_btcusdt_minute_trade"])
    def test_a_file_in_it_with_another_name_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(DataError, match=r"lean\.zip: "):
            LeanFeed(lean_zip(tmp_path, **{name: ""}), SPEC)

    def test_what_is_no_zip_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "x.zip"
        path.write_bytes(b"PK no")
        with pytest.raises(DataError, match="not a zip file"):
            LeanFeed(path, SPEC)

    def test_damage_is_named(self, tmp_path: Path) -> None:
        path = lean_zip(tmp_path, **{"20221213_btcusdt_minute_trade": "0,2,3,1,2.5,5\n"})
        path.write_bytes(path.read_bytes().replace(b"0,2,3,1", b"0,3,3,1"))
        with pytest.raises(DataError, match=r"\.csv:\d: damaged"):
            list(LeanFeed(path, SPEC))
