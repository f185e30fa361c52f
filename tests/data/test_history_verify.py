"""Verification finds what was done to files of history, and says where."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from history_clients import findings_in
from pyarrow import parquet

from zvt_trading.core.units import DAY, HOUR, MINUTE
from zvt_trading.data.crypto_data_loader import CryptoDataLoader
from zvt_trading.data.parquet_file import HistoryFile, digest, read, table_of, write
from zvt_trading.data.record import VERSION, FileRecord
from zvt_trading.data.rows import Candle, Row, Trade
from zvt_trading.data.series import Series
from zvt_trading.data.times import parse_time
from zvt_trading.errors import DataError

T0 = parse_time("2024-01-01")
ONE = Decimal(1)
MINUTES = Series("okx", "BTC/USDT", "candles", "1m")
TRADES = Series("binance", "BTC/USDT", "trades")


def candles(start: int, count: int) -> list[Row]:
    return [Candle(start + n * MINUTE, ONE, ONE, ONE, ONE, ONE) for n in range(count)]


def trades(start: int, first: int, count: int) -> list[Row]:
    return [Trade(start + n * MINUTE, str(first + n), ONE, ONE, "buy") for n in range(count)]


def put(folder: Path, series: Series, rows: list[Row], /, **changes: Any) -> Path:
    """A file of an hour of rows; `changes` are lies in its record."""
    table = table_of(series, rows)
    start = rows[0].time - rows[0].time % HOUR if rows else changes["start"]
    record = FileRecord(
        version=VERSION,
        exchange=series.exchange,
        symbol=series.symbol,
        what=series.what,
        interval=series.interval,
        start=start,
        end=start + HOUR,
        rows=len(rows),
        consecutive_ids=series == TRADES,
        holes=(),
        sha256=digest(table),
    )
    path = series.path(folder, series.span_of(start))
    write(path, HistoryFile(msgspec.structs.replace(record, **changes), table))
    return path


@pytest.mark.parametrize(
    ("series", "rows", "changes", "expected"),
    [
        (MINUTES, candles(T0, 60), {}, []),
        (TRADES, trades(T0, 9, 60), {}, []),
        (
            MINUTES,
            [*candles(T0, 20), *candles(T0 + 25 * MINUTE, 35)],
            {},
            ["gap: candles from 2024-01-01T00:20:00Z to before 2024-01-01T00:25:00Z are missing"],
        ),
        (
            MINUTES,
            [*candles(T0, 20), *candles(T0 + 25 * MINUTE, 35)],
            {"holes": ((T0 + 20 * MINUTE, T0 + 25 * MINUTE),)},
            [],
        ),
        (MINUTES, candles(T0, 50), {}, ["gap: candles from 2024-01-01T00:50:00Z on are missing"]),
        (
            MINUTES,
            [*candles(T0, 30), *candles(T0 + 29 * MINUTE, 31)],
            {},
            ["the candle of 2024-01-01T00:29:00Z is a duplicate, out of order or off the grid"],
        ),
        (
            TRADES,
            [*trades(T0, 1, 2), *trades(T0 + 2 * MINUTE, 5, 2)],
            {},
            ["gap: trades 3 to 4 are missing"],
        ),
        (TRADES, [*trades(T0, 1, 2), *trades(T0 + 2 * MINUTE, 5, 2)], {"holes": ((3, 4),)}, []),
        (
            TRADES,
            [*trades(T0, 1, 2), *trades(T0 + 2 * MINUTE, 2, 2)],
            {},
            ["1 duplicate trades", "trade 2 follows trade 2"],
        ),
        (
            TRADES,
            [*trades(T0 + MINUTE, 1, 1), *trades(T0, 2, 1)],
            {},
            ["trades are not in order of time"],
        ),
        (
            TRADES,
            trades(T0, 1, 61),
            {},
            ["rows outside 2024-01-01T00:00:00Z to 2024-01-01T01:00:00Z"],
        ),
        (TRADES, trades(T0, 1, 3), {"rows": 4}, ["has 3 rows, its record says 4"]),
        (
            TRADES,
            trades(T0, 1, 3),
            {"sha256": "0"},
            ["checksum: the rows are not those that were written"],
        ),
        (
            TRADES,
            trades(T0, 1, 3),
            {"version": VERSION + 1},
            [f"was written by a newer version ({VERSION + 1}, known: {VERSION})"],
        ),
        (
            TRADES,
            trades(T0, 1, 3),
            {"symbol": "ETH/USDT"},
            ["is named otherwise than what it holds: binance_ETH-USDT_trades_2024-01-01.parquet"],
        ),
        (
            TRADES,
            trades(T0, 1, 3),
            {"end": T0 + 2 * DAY},
            ["says it covers 2024-01-01T00:00:00Z to 2024-01-03T00:00:00Z, more than a file holds"],
        ),
    ],
)
def test_a_file_is_what_it_says_or_a_finding_says_what_not(
    series: Series, rows: list[Row], changes: dict[str, Any], expected: list[str], tmp_path: Path
) -> None:
    """Gaps, duplicates, order, counts, checksum, name."""
    put(tmp_path, series, rows, **changes)
    assert expected == findings_in(tmp_path)


def test_many_gaps_are_told_in_few_lines(tmp_path: Path) -> None:
    """Three and a count."""
    put(tmp_path, TRADES, [row for n in range(10) for row in trades(T0 + n * MINUTE, 5 * n, 1)])
    assert [
        "gap: trades 1 to 4 are missing",
        "gap: trades 6 to 9 are missing",
        "gap: trades 11 to 14 are missing",
        "and 6 more like this",
    ] == findings_in(tmp_path)


def test_time_between_files_that_nobody_downloaded_is_a_gap(tmp_path: Path) -> None:
    """It is told at the later file."""
    put(tmp_path, MINUTES, candles(T0 + 23 * HOUR, 60))
    put(tmp_path, MINUTES, candles(T0 + DAY, 60))
    later = put(tmp_path, MINUTES, candles(T0 + 3 * DAY, 60))
    (finding,) = CryptoDataLoader(tmp_path).verify()
    assert later == finding.path
    assert "gap: 2024-01-02T01:00:00Z to 2024-01-04T00:00:00Z was not downloaded" == finding.text


def test_trades_missing_between_two_files_are_a_gap(tmp_path: Path) -> None:
    """The last id of a day and the first of the next; a day without any in between."""
    put(tmp_path, TRADES, trades(T0 + 23 * HOUR, 1, 5))
    put(tmp_path, TRADES, trades(T0 + DAY, 7, 2))
    assert ["gap: trades 6 to 6 are missing, between this file and the one before"] == findings_in(
        tmp_path
    )


def test_trades_missing_over_a_day_without_any_are_a_gap(tmp_path: Path) -> None:
    """The empty file between does not hide it."""
    put(tmp_path, TRADES, trades(T0 + 23 * HOUR, 1, 5))
    put(tmp_path, TRADES, [], start=T0 + DAY, end=T0 + 2 * DAY)
    put(tmp_path, TRADES, trades(T0 + 2 * DAY, 7, 2))
    assert ["gap: trades 6 to 6 are missing, between this file and the one before"] == findings_in(
        tmp_path
    )


def change_rows(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """As somebody with another tool does: the record stays, the rows are others."""
    table = parquet.read_table(path)
    parquet.write_table(change(table), path)


def test_rows_changed_with_another_tool_are_found(tmp_path: Path) -> None:
    """A price that was edited keeps its column and its count."""
    path = put(tmp_path, TRADES, trades(T0, 1, 3))
    price = pa.array([ONE, Decimal(2), ONE], pa.decimal128(38, 18))
    change_rows(path, lambda table: table.set_column(2, "price", price))
    assert ["checksum: the rows are not those that were written"] == findings_in(tmp_path)


def test_a_missing_value_is_found(tmp_path: Path) -> None:
    """Every column is full."""
    path = put(tmp_path, TRADES, trades(T0, 1, 3))
    side = pa.array(["buy", None, "buy"], pa.string())
    change_rows(path, lambda table: table.set_column(4, "side", side))
    assert ["checksum: the rows are not those that were written"] == findings_in(tmp_path)


def test_columns_changed_with_another_tool_are_found(tmp_path: Path) -> None:
    """A column that is gone."""
    path = put(tmp_path, TRADES, trades(T0, 1, 3))
    change_rows(path, lambda table: table.drop_columns(["side"]))
    assert ["its columns are not those of trades"] == findings_in(tmp_path)


def test_a_foreign_parquet_file_is_said_to_be_foreign(tmp_path: Path) -> None:
    """It may lie there; it is not taken for ours."""
    path = put(tmp_path, TRADES, trades(T0, 1, 3))
    change_rows(path, lambda table: table.replace_schema_metadata(None))
    assert ["is not a file of `zvt-trading data download`"] == findings_in(tmp_path)


@pytest.mark.parametrize(
    "record",
    [b"{}", b"no json", b'{"version": 1, "more": 2}'],
)
def test_a_record_that_cannot_be_read_is_said_so(record: bytes, tmp_path: Path) -> None:
    """Whatever it is instead of ours."""
    path = put(tmp_path, TRADES, trades(T0, 1, 3))
    metadata = {b"zvt_trading.history": record}
    change_rows(path, lambda table: table.replace_schema_metadata(metadata))
    with pytest.raises(DataError, match="its record cannot be read"):
        read(path)


def test_the_checksum_does_not_depend_on_how_rows_are_chunked() -> None:
    """It is of the rows."""
    rows = trades(T0, 1, 30)
    whole = table_of(TRADES, rows)
    parts = pa.concat_tables([table_of(TRADES, rows[:7]), table_of(TRADES, rows[7:])])
    assert digest(whole) == digest(parts)
