"""Files of history: written whole or not at all, read back with their proof.

Columns of trades: time, trade_id, price, size, side; of candles: time (of opening), close_time,
open, high, low, close, volume. Times are timestamps (ns, UTC), numbers decimal(38, 18).
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from zvt_trading.data.record import KEY, FileRecord, decode, encode
from zvt_trading.data.rows import DECIMALS_MAX, Row
from zvt_trading.data.series import TRADES, Series
from zvt_trading.errors import CallerError, DataError

if TYPE_CHECKING:  # an optional library, imported where it is used
    import pyarrow as pa

TEMPORARY = ".tmp"
"""How the name of a file ends while it is written; it is nobody's data."""

PRICE_COLUMNS = ("open", "high", "low", "close", "volume")
_DECIMAL_DIGITS: Final = 38


class HistoryFile(NamedTuple):
    """A file's record and its rows (a pyarrow Table)."""

    record: FileRecord
    table: "pa.Table"


class Digest:
    """SHA-256 of rows, column by column, that can go on with the rows that come after.

    It is over the values, so it does not change with chunks, compression or the writer's version.
    """

    def __init__(self) -> None:
        self._columns: list[hashlib._Hash] = []

    def after(self, table: "pa.Table") -> "Digest":
        """The digest of the rows so far and these; this one stays as it is."""
        found = Digest()
        known = self._columns or [hashlib.sha256() for _ in table.columns]
        found._columns = [column.copy() for column in known]
        for sha, column in zip(found._columns, table.columns, strict=True):
            for chunk in column.chunks:
                sha.update(_values(chunk))
        return found

    def text(self) -> str:
        """In hexadecimal."""
        return hashlib.sha256(b"".join(sha.digest() for sha in self._columns)).hexdigest()


def need_pyarrow() -> None:
    """Raise CallerError, with what to install, when pyarrow is missing."""
    try:
        import pyarrow.parquet  # noqa: F401 - asked for early, used by everything below
    except ImportError as error:
        raise CallerError(
            'files of history need pyarrow: pip install "zvt-trading[research]"'
        ) from error


def table_of(series: Series, rows: Sequence[Row]) -> "pa.Table":
    """Rows as a table; the numbers exactly as they are."""
    import pyarrow as pa

    names = [field.name for field in _schema(series)]
    columns: list[Sequence[object]] = list(zip(*rows, strict=True)) or [()] * (len(names))
    if series.what != TRADES and rows:
        closes = [row.time + series.interval_ns for row in rows]
        columns = [columns[0], closes, *columns[1:]]
    return pa.Table.from_arrays(
        [
            pa.array(column, field.type)
            for column, field in zip(columns, _schema(series), strict=True)
        ],
        schema=_schema(series),
    )


def joined(tables: Sequence["pa.Table"]) -> "pa.Table":
    """One table of several with the same columns, in the order given."""
    import pyarrow as pa

    return pa.concat_tables(tables).combine_chunks()


def digest(table: "pa.Table") -> str:
    """SHA-256 of the rows."""
    return Digest().after(table).text()


def write(path: Path, file: HistoryFile) -> None:
    """Put a file in place: at every moment the old one or the whole new one has the name."""
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}{TEMPORARY}")
    table = file.table.replace_schema_metadata({KEY: encode(file.record)})
    with temporary.open("wb") as sink:
        parquet.write_table(table, sink, compression="zstd", write_page_checksum=True)
        sink.flush()
        os.fsync(sink.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


def read(path: Path) -> HistoryFile:
    """The record and the rows of a file; DataError when it is damaged or not one of ours."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, page_checksum_verification=True) as file:
            record = _record(path, file.schema_arrow.metadata)
            table = file.read().combine_chunks().replace_schema_metadata(None)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error
    if not table.schema.equals(_schema(record.series)):
        raise DataError(f"{path}: its columns are not those of {record.what}")
    return HistoryFile(record, table)


def read_record(path: Path) -> FileRecord:
    """What a file says about itself, without its rows; DataError as for `read`."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return _record(path, parquet.read_schema(path).metadata)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def times_of(table: "pa.Table") -> list[int]:
    """The time column in ns UTC."""
    import pyarrow as pa

    found: list[int] = table["time"].cast(pa.int64()).to_pylist()
    return found


def last_id(table: "pa.Table") -> list[str]:
    """The id of the last trade, none of an empty table."""
    return ids_of(table.slice(max(table.num_rows - 1, 0)))


def ids_of(table: "pa.Table") -> list[str]:
    """The ids of a table of trades."""
    found: list[str] = table["trade_id"].to_pylist()
    return found


def _values(array: "pa.Array") -> bytes:
    """Numbers as they lie in memory, texts on a line each; a missing value is none of ours."""
    import pyarrow.types as kinds

    if array.null_count:
        return b"missing"
    if kinds.is_string(array.type):
        return "".join(f"{value}\n" for value in array.to_pylist()).encode()
    width = array.type.bit_width // 8
    values = array.buffers()[1]
    first, last = array.offset * width, (array.offset + len(array)) * width
    return b"" if values is None else bytes(memoryview(values)[first:last])


def _schema(series: Series) -> "pa.Schema":
    import pyarrow as pa

    time = pa.timestamp("ns", tz="UTC")
    decimal = pa.decimal128(_DECIMAL_DIGITS, DECIMALS_MAX)
    if series.what == TRADES:
        return pa.schema(
            [
                ("time", time),
                ("trade_id", pa.string()),
                ("price", decimal),
                ("size", decimal),
                ("side", pa.string()),
            ]
        )
    prices = [(name, decimal) for name in PRICE_COLUMNS]
    return pa.schema([("time", time), ("close_time", time), *prices])


def _record(path: Path, metadata: dict[bytes, bytes] | None) -> FileRecord:
    data = (metadata or {}).get(KEY)
    if data is None:
        raise DataError(f"{path}: is not a file of `zvt-trading data download`")
    try:
        record = decode(data)
        record.series  # noqa: B018 - a record that names no series is none
    except (msgspec.MsgspecError, CallerError) as error:
        raise DataError(f"{path}: its record cannot be read: {error}") from error
    return record


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: cannot be read: {error}; delete it and download it again")


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable; only POSIX has folders that can be opened for that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
