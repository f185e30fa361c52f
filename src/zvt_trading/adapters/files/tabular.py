"""CSV and Parquet files of trades, quotes or bars as feeds."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from zvt_trading.adapters.files.fields import TimeField
from zvt_trading.adapters.files.lines import READ_ERRORS, decompressed, open_file
from zvt_trading.adapters.files.rows import BARS, QUOTES, Columns, Message, Row, RowParser
from zvt_trading.core.units import UnitError
from zvt_trading.errors import CallerError, DataError
from zvt_trading.messages.market import InstrumentSpec

if TYPE_CHECKING:  # an optional library, imported where it is used
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

BATCH_ROWS = 16_384
PARQUET_MAGIC = b"PAR1"


class _TabularFeed:
    """What CSV and Parquet have in common: numbered rows to messages of one instrument."""

    def __init__(
        self,
        path: str | Path,
        spec: InstrumentSpec,
        *,
        kind: str | None,
        time_unit: str | None,
        interval_ns: int,
    ) -> None:
        if interval_ns < 0:
            raise CallerError(f"interval_ns {interval_ns} must be >= 0 (0: see the data)")
        self.path = Path(path)
        self.spec = spec
        self._kind = kind
        self._time_unit = time_unit
        self._interval = interval_ns
        self._number = 0  # of the line or row read last
        TimeField(time_unit)  # a wrong unit is told at once

    def _messages(self, columns: Columns, rows: Iterator[Row]) -> Iterator[Message]:
        parser = RowParser(columns, self.spec, TimeField(self._time_unit))
        try:
            if columns.kind == BARS:
                interval, rows = self._bar_interval(columns, parser, rows)
                for row in rows:
                    yield parser.bar(_checked(row, columns), interval)
            else:
                read = parser.quote if columns.kind == QUOTES else parser.trade
                for row in rows:
                    yield read(_checked(row, columns))
        except UnitError as error:
            raise DataError(f"{self.path}:{self._number}: {error}") from error

    def _bar_interval(
        self, columns: Columns, parser: RowParser, rows: Iterator[Row]
    ) -> tuple[int, Iterator[Row]]:
        """How long a bar is, and all the rows; the first two tell when nothing else does."""
        if self._interval or columns.find("close_time") >= 0:
            return self._interval, rows
        head = list(islice(rows, 2))
        times = [parser.time_of(_checked(row, columns)) for row in head]
        if len(times) == 2 and times[1] > times[0]:
            return times[1] - times[0], chain(head, rows)
        if not times:
            return 0, rows
        raise UnitError(
            "how long a bar is cannot be seen from the first two rows: give interval_ns"
        )


class CsvFeed(_TabularFeed):
    """A CSV file (gzipped or not) of one instrument; the columns are found by their names.

    `kind` is "trades", "quotes" or "bars", seen from the columns when None. `columns` names them
    for a file without a header row. Times: see `fields.TimeField`. A bar's time is when it opened;
    it closes at its close-time column, or `interval_ns` later, or (0) as much later as the second
    row is after the first. Numbers are taken exactly. Trade and update ids that are not whole
    numbers become 0. Raises DataError naming file and line, CallerError for missing columns.
    """

    def __init__(
        self,
        path: str | Path,
        spec: InstrumentSpec,
        *,
        kind: str | None = None,
        time_unit: str | None = None,
        interval_ns: int = 0,
        columns: Sequence[str] = (),
    ) -> None:
        super().__init__(path, spec, kind=kind, time_unit=time_unit, interval_ns=interval_ns)
        open_file(self.path).close()
        self._size = self.path.stat().st_size
        self._names = tuple(columns)
        self._raw: BinaryIO | None = None

    def __iter__(self) -> Iterator[Message]:
        """The messages, in the file's order."""
        with open_file(self.path) as raw:
            self._raw = raw
            rows = self._rows(raw)
            header: Row = self._names or next(rows, [])
            yield from self._messages(self._columns(header), rows)

    def progress(self) -> tuple[int, int]:
        """(bytes read, bytes in the file)."""
        if self._raw is None:
            return 0, self._size
        return (self._size if self._raw.closed else self._raw.tell()), self._size

    def _columns(self, header: Row) -> Columns:
        try:
            return Columns(header, self._kind)
        except CallerError as error:
            raise DataError(f"{self.path}:1: {error}") from error

    def _rows(self, raw: BinaryIO) -> Iterator[Row]:
        self._number = 0
        try:
            with io.TextIOWrapper(decompressed(raw), encoding="utf-8-sig", newline="") as text:
                reader = csv.reader(text)
                for row in reader:
                    self._number = reader.line_num
                    if row:
                        yield row
        except (*READ_ERRORS, csv.Error, UnicodeDecodeError) as error:
            where = f"{self.path}:{self._number + 1}"
            raise DataError(f"{where}: cannot be read: {error}") from error


class ParquetFeed(_TabularFeed):
    """A Parquet file of one instrument; parameters and rules as for CsvFeed, lines being rows.

    Decimals, integers and text are exact, floats taken by their shortest repr; timestamp columns
    know their unit (without a zone: UTC). Needs pyarrow: `pip install "zvt-trading[research]"`.
    """

    def __init__(
        self,
        path: str | Path,
        spec: InstrumentSpec,
        *,
        kind: str | None = None,
        time_unit: str | None = None,
        interval_ns: int = 0,
    ) -> None:
        super().__init__(path, spec, kind=kind, time_unit=time_unit, interval_ns=interval_ns)
        self._file = _open_parquet(self.path)
        self._total = int(self._file.metadata.num_rows)
        try:
            self._columns = Columns(self._file.schema_arrow.names, kind)
        except CallerError as error:
            raise DataError(f"{self.path}: {error}") from error
        if self._has_time_type():
            self._time_unit = "ns"

    def __iter__(self) -> Iterator[Message]:
        """The messages, in the file's order."""
        return self._messages(self._columns, self._rows())

    def progress(self) -> tuple[int, int]:
        """(rows read, rows in the file)."""
        return self._number, self._total

    def _has_time_type(self) -> bool:
        import pyarrow.types as kinds

        return bool(kinds.is_timestamp(self._file.schema_arrow[self._columns.at("time")].type))

    def _rows(self) -> Iterator[Row]:
        import pyarrow as pa

        self._number = 0
        try:
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS):
                for row in zip(*[_texts(column) for column in batch.columns], strict=True):
                    self._number += 1
                    yield row
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.path}:{self._number + 1}: cannot be read: {error}") from error


def _checked(row: Row, columns: Columns) -> Row:
    if len(row) != columns.width:
        raise UnitError(f"{len(row)} fields where the header has {columns.width}")
    return row


def _open_parquet(path: Path) -> "ParquetFile":
    try:
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise CallerError(
            f'{path}: reading Parquet needs pyarrow: pip install "zvt-trading[research]"'
        ) from error
    try:
        return ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: cannot be read as Parquet: {error}") from error


def _texts(column: "pa.Array") -> list[str]:
    """A column's values as exact text; nulls are empty."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if kinds.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", tz=column.type.tz)).cast(pa.int64())
    elif kinds.is_floating(column.type) and not kinds.is_float64(column.type):
        column = column.cast(pa.string())  # the shortest text of a 32-bit float, not of its double
    return ["" if value is None else str(value) for value in column.to_pylist()]
