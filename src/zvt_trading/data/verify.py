"""Reads every file of a folder of history again and says what is wrong."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from zvt_trading.data import parquet_file
from zvt_trading.data.checks import findings, skipped_ids
from zvt_trading.data.record import VERSION, FileRecord
from zvt_trading.data.series import TRADES
from zvt_trading.data.times import stamp
from zvt_trading.errors import DataError


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a file."""

    path: Path
    text: str


class _Read(NamedTuple):
    """What is kept of a file that was read, to compare with its neighbours."""

    path: Path
    record: FileRecord
    ids: Sequence[str]  # the first and the last


def verify_files(
    root: Path, paths: Sequence[Path], on_progress: Callable[[int, int], None] | None
) -> list[Finding]:
    """Everything wrong with the files themselves and, of a series, between them."""
    found: list[Finding] = []
    read: dict[str, list[_Read]] = {}
    for number, path in enumerate(paths, 1):
        try:
            file = parquet_file.read(path)
        except DataError as error:
            found.append(Finding(path, str(error).removeprefix(f"{path}: ")))
        else:
            found += [Finding(path, text) for text in _file_findings(root, path, file)]
            ids = parquet_file.ids_of(file.table) if file.record.what == TRADES else []
            kept = _Read(path, file.record, [*ids[:1], *ids[-1:]])
            read.setdefault(str(file.record.series), []).append(kept)
        if on_progress is not None:
            on_progress(number, len(paths))
    for _, files in sorted(read.items()):
        found += _gaps(files)
    return found


def _file_findings(root: Path, path: Path, file: parquet_file.HistoryFile) -> Iterator[str]:
    record, table = file
    series = record.series
    if record.version > VERSION:
        yield f"was written by a newer version ({record.version}, known: {VERSION})"
    span = series.span_of(record.start)
    if not span.start <= record.start < record.end <= span.end:
        yield f"says it covers {stamp(record.start)} to {stamp(record.end)}, more than a file holds"
    elif path != series.path(root, span):
        yield f"is named otherwise than what it holds: {series.path(root, span).name}"
    if table.num_rows != record.rows:
        yield f"has {table.num_rows} rows, its record says {record.rows}"
    if parquet_file.digest(table) != record.sha256:
        yield "checksum: the rows are not those that were written"
    ids = parquet_file.ids_of(table) if record.what == TRADES else []
    yield from findings(
        series,
        record.covered,
        parquet_file.times_of(table),
        ids,
        record.holes,
        consecutive_ids=record.consecutive_ids,
    )


def _gaps(files: Iterable[_Read]) -> Iterator[Finding]:
    """Time that no file covers, and trades that are missing between two files."""
    earlier: _Read | None = None
    last_id: list[str] = []
    for file in sorted(files, key=lambda read: read.record.start):
        if earlier is not None and earlier.record.end < file.record.start:
            start, end = stamp(earlier.record.end), stamp(file.record.start)
            yield Finding(file.path, f"gap: {start} to {end} was not downloaded")
            last_id = []
        if file.record.consecutive_ids:
            for text in skipped_ids([*last_id, *file.ids[:1]], file.record.holes):
                yield Finding(file.path, f"{text}, between this file and the one before")
        last_id = list(file.ids[-1:]) or last_id
        earlier = file
