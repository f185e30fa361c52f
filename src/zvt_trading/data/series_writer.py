"""Pages of a series into its files: at every checkpoint a whole file lies on the disk."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from zvt_trading.data import parquet_file
from zvt_trading.data.checks import findings
from zvt_trading.data.history_source import Page
from zvt_trading.data.parquet_file import Digest, HistoryFile
from zvt_trading.data.record import VERSION, FileRecord
from zvt_trading.data.rows import Trade
from zvt_trading.data.series import CANDLES, TRADES, Series, Span
from zvt_trading.errors import DataError, VenueError

if TYPE_CHECKING:  # an optional library, imported where it is used
    import pyarrow as pa


class SeriesWriter:
    """Takes pages that follow one another and puts their rows into the files they belong to."""

    def __init__(
        self, root: Path, series: Series, *, consecutive_ids: bool, checkpoint_rows: int
    ) -> None:
        self._root = root
        self._series = series
        self._consecutive_ids = consecutive_ids
        self._checkpoint_rows = checkpoint_rows
        self._file: SpanFile | None = None
        self._span = Span(0, 0)

    def add(self, page: Page) -> None:
        """Take a page; VenueError when it is not all of its stretch of time."""
        if any(not page.start <= row.time < page.end for row in page.rows):
            raise VenueError(f"{self._series}: a page has rows outside its own time")
        for part in _split(self._series, page):
            file = self._file_of(part.start)
            file.add(part)
            if file.waiting >= self._checkpoint_rows:
                file.save()

    def save(self) -> None:
        """Put on the disk what came."""
        if self._file is not None:
            self._file.save()

    def _file_of(self, time: int) -> "SpanFile":
        if self._file is None or time >= self._span.end:
            self.save()
            self._span = self._series.span_of(time)
            path = self._series.path(self._root, self._span)
            self._file = SpanFile(path, self._series, consecutive_ids=self._consecutive_ids)
        return self._file


class SpanFile:
    """Collects pages that follow one another, and joins them with what the file already has."""

    def __init__(self, path: Path, series: Series, *, consecutive_ids: bool) -> None:
        self._path = path
        self._series = series
        self._consecutive_ids = consecutive_ids
        self._saved: HistoryFile | None = None
        self._digest = Digest()
        self._load()
        self._pages: list[Page] = []
        self.waiting = 0
        """Rows that are not on the disk yet."""

    def add(self, page: Page) -> None:
        """Take a page; VenueError when it is not all of its stretch of time."""
        ids = [*self._last_id(page), *(row.id for row in page.rows if isinstance(row, Trade))]
        span = Span(page.start, page.end)
        times = [row.time for row in page.rows]
        consecutive = self._consecutive_ids
        for text in findings(
            self._series, span, times, ids, page.holes, consecutive_ids=consecutive
        ):
            raise VenueError(f"{self._series}: {text}")
        self._pages.append(page)
        self.waiting += len(page.rows)

    def save(self) -> None:
        """Write what there is, unless it leaves a gap to what the file has: then it waits."""
        if not self._pages or not self._touches():
            return
        span = Span(self._pages[0].start, self._pages[-1].end)
        table = parquet_file.table_of(self._series, [r for page in self._pages for r in page.rows])
        holes = [hole for page in self._pages for hole in page.holes]
        if self._saved is None:
            self._write(span, table, self._digest.after(table), holes)
            return
        record, saved = self._saved
        holes = sorted([*holes, *record.holes])
        if record.end == span.start:  # what is there already is not hashed again
            whole = Span(record.start, span.end)
            table, digest = parquet_file.joined([saved, table]), self._digest.after(table)
        else:
            whole = Span(span.start, record.end)
            table = parquet_file.joined([table, saved])
            digest = Digest().after(table)
        self._write(whole, table, digest, holes)

    def _touches(self) -> bool:
        if self._saved is None:
            return True
        record = self._saved.record
        return self._pages[0].start == record.end or self._pages[-1].end == record.start

    def _last_id(self, page: Page) -> list[str]:
        """The id of the trade before a page, when what is just before it is known."""
        if self._series.what != TRADES:
            return []
        for known in reversed(self._pages):
            if known.rows:
                return [known.rows[-1].id] if isinstance(known.rows[-1], Trade) else []
        if self._pages or self._saved is None or self._saved.record.end != page.start:
            return []
        return parquet_file.last_id(self._saved.table)

    def _load(self) -> None:
        """Read the file when there is one; it must be of the series, and unchanged."""
        if not self._path.exists():
            return
        found = parquet_file.read(self._path)
        if found.record.series != self._series:
            raise DataError(
                f"{self._path}: is of {found.record.series}, not of {self._series}; move it away"
            )
        self._digest = self._digest.after(found.table)
        if found.record.sha256 != self._digest.text():
            raise DataError(
                f"{self._path}: was changed after it was written; delete it and download again"
            )
        self._saved = found

    def _write(
        self, span: Span, table: "pa.Table", digest: Digest, holes: list[tuple[int, int]]
    ) -> None:
        series = self._series
        record = FileRecord(
            version=VERSION,
            exchange=series.exchange,
            symbol=series.symbol,
            what=series.what,
            interval=series.interval,
            start=span.start,
            end=span.end,
            rows=table.num_rows,
            consecutive_ids=self._consecutive_ids,
            holes=tuple(holes),
            sha256=digest.text(),
        )
        saved = HistoryFile(record, table)
        parquet_file.write(self._path, saved)
        self._saved = saved
        self._digest = digest
        self._pages = []
        self.waiting = 0


def _split(series: Series, page: Page) -> Iterator[Page]:
    """A page cut at the ends of files."""
    for span in series.spans(page.start, page.end):
        start, end = max(span.start, page.start), min(span.end, page.end)
        rows = [row for row in page.rows if start <= row.time < end]
        if series.what == CANDLES:
            clipped = [(max(first, start), min(last, end)) for first, last in page.holes]
            holes = [(first, last) for first, last in clipped if first < last]
        else:
            after = {int(row.id) - 1 for row in rows if isinstance(row, Trade) and page.holes}
            holes = [hole for hole in page.holes if hole[1] in after]
        yield Page(start, end, rows, holes)
