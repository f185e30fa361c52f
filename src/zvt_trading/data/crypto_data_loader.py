"""History of a venue's symbols as Parquet files: downloaded, listed, proven.

    loader = CryptoDataLoader(Path("history"))
    source = ccxt_source("binance")
    await loader.download(source, Series("binance", "BTC/USDT", "candles", "1m"), start, end)

A download can be killed at any moment and started again: what a file covers is written in the file
itself, and a file has its name only when it is whole.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from zvt_trading.core.units import SECOND
from zvt_trading.data import parquet_file
from zvt_trading.data.history_source import HistorySource, Page
from zvt_trading.data.record import FileRecord
from zvt_trading.data.series import SUFFIX, Series, Span
from zvt_trading.data.series_writer import SeriesWriter
from zvt_trading.data.times import stamp
from zvt_trading.data.verify import Finding, verify_files
from zvt_trading.errors import CallerError, EngineError

SETTLED_AFTER: Final = 120 * SECOND
"""Nothing newer is downloaded: venues publish trades and last candles late, and correct them."""

CHECKPOINT_ROWS: Final = 50_000
"""Rows that a kill may cost."""

OnProgress = Callable[[int, int], None]
"""Takes (done, total), in seconds of market time."""


@dataclass(frozen=True, slots=True)
class Download:
    """What a download did: rows that came, what [start, end) (ns UTC) is there now."""

    series: Series
    start: int
    end: int
    rows: int
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """What is there of a series: its files, their rows, the time from the first to the last."""

    series: Series
    files: tuple[Path, ...]
    rows: int
    start: int
    end: int
    size: int


class CryptoDataLoader:
    """Downloads history into a folder, and says what is there.

    `now` gives the wall clock in ns UTC, `checkpoint_rows` how many rows a kill may cost.
    """

    def __init__(
        self,
        folder: Path,
        *,
        now: Callable[[], int] = time.time_ns,
        checkpoint_rows: int = CHECKPOINT_ROWS,
    ) -> None:
        if checkpoint_rows < 1:
            raise CallerError(f"checkpoint_rows {checkpoint_rows} must be >= 1")
        self.folder = folder
        self._now = now
        self._checkpoint_rows = checkpoint_rows

    async def download(
        self,
        source: HistorySource,
        series: Series,
        start: int,
        end: int,
        on_progress: OnProgress | None = None,
    ) -> Download:
        """Download what is missing of [start, end), ns UTC; what is there already is not asked for.

        Start and end are rounded outwards to whole intervals; the end is at most SETTLED_AFTER ago.
        Raises CallerError for a range that cannot be and while another process downloads the same;
        DataError for a file that was damaged; VenueError when the venue stays unusable. What came
        before an error is kept.
        """
        parquet_file.need_pyarrow()
        if series.exchange != source.exchange:
            raise CallerError(f"{series} cannot be downloaded from {source.exchange}")
        wanted = self._range(series, start, end)
        with self._lock(series):
            missing = self._missing(series, wanted)
            progress = _Progress(missing, on_progress)
            rows = 0
            for span in missing:
                rows += await self._fill(source, series, span, progress)
        files = [series.path(self.folder, span) for span in series.spans(*wanted)]
        return Download(series, wanted.start, wanted.end, rows, tuple(files))

    def available(self) -> list[SeriesInfo]:
        """What is there, in order of names; DataError for a file that is not ours."""
        parquet_file.need_pyarrow()
        found: dict[str, list[tuple[Path, FileRecord]]] = {}
        for path in history_files(self.folder):
            record = parquet_file.read_record(path)
            found.setdefault(str(record.series), []).append((path, record))
        return [_info(files) for _, files in sorted(found.items())]

    def verify(self, on_progress: OnProgress | None = None) -> list[Finding]:
        """Read every file again; everything that is wrong, nothing when all is well.

        `on_progress` counts files.
        """
        parquet_file.need_pyarrow()
        return verify_files(self.folder, list(history_files(self.folder)), on_progress)

    def _range(self, series: Series, start: int, end: int) -> Span:
        step = series.interval_ns
        settled = self._now() - SETTLED_AFTER
        first, last = start - start % step, min(end + -end % step, settled - settled % step)
        if start < 0 or end <= start:
            raise CallerError(f"the end {stamp(end)} must be after the start {stamp(start)}")
        if last <= first:
            raise CallerError(f"nothing is settled yet from {stamp(start)} on: start earlier")
        return Span(first, last)

    @contextmanager
    def _lock(self, series: Series) -> Iterator[None]:
        """Keep other processes away, and clear what a killed one left half written."""
        folder = series.folder(self.folder)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / ".lock", timeout=0):
                for left in folder.glob(f"*{parquet_file.TEMPORARY}"):
                    left.unlink()
                yield
        except Timeout as error:
            raise CallerError(f"{series} is being downloaded into {folder} already") from error

    def _missing(self, series: Series, wanted: Span) -> list[Span]:
        """What to ask for, in order; a file covers one stretch, so what is between comes too."""
        found: list[Span] = []
        for span in series.spans(*wanted):
            start, end = max(span.start, wanted.start), min(span.end, wanted.end)
            path = series.path(self.folder, span)
            if path.exists():
                covered = parquet_file.read_record(path).covered
                parts = [Span(start, covered.start), Span(covered.end, end)]
            else:
                parts = [Span(start, end)]
            for part in parts:
                if part.start >= part.end:
                    continue
                if found and found[-1].end == part.start:
                    found[-1] = Span(found[-1].start, part.end)
                else:
                    found.append(part)
        return found

    async def _fill(
        self, source: HistorySource, series: Series, span: Span, progress: "_Progress"
    ) -> int:
        """Download one stretch of time that is missing; the number of rows that came."""
        writer = SeriesWriter(
            self.folder,
            series,
            consecutive_ids=source.has_consecutive_ids(series),
            checkpoint_rows=self._checkpoint_rows,
        )
        rows, at = 0, span.start
        try:
            async for page in source.pages(series, span.start, span.end):
                if page.start != at or not at < page.end <= span.end:
                    raise EngineError(f"{series}: a page of {page[:2]} came where {at} was due")
                writer.add(page)
                at = page.end
                rows += len(page.rows)
                progress.add(page)
        finally:
            writer.save()
        if at != span.end:
            raise EngineError(f"{series}: the pages end at {at}, not at {span.end}")
        return rows


def history_files(folder: Path) -> Iterator[Path]:
    """Every whole file below a folder of history, in order of names."""
    yield from sorted(folder.glob(f"*/*/*{SUFFIX}"))


class _Progress:
    """Adds up market time, in seconds."""

    def __init__(self, missing: list[Span], on_progress: OnProgress | None) -> None:
        self._total = sum(span.end - span.start for span in missing)
        self._done = 0
        self._tell = on_progress

    def add(self, page: Page) -> None:
        self._done += page.end - page.start
        if self._tell is not None:
            self._tell(self._done // SECOND, self._total // SECOND)


def _info(files: list[tuple[Path, FileRecord]]) -> SeriesInfo:
    records = [record for _, record in files]
    return SeriesInfo(
        series=records[0].series,
        files=tuple(path for path, _ in files),
        rows=sum(record.rows for record in records),
        start=min(record.start for record in records),
        end=max(record.end for record in records),
        size=sum(path.stat().st_size for path, _ in files),
    )
