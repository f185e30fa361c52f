"""Several recordings as one feed in time order, each read by what its content says it is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge as heap_merge
from operator import attrgetter
from pathlib import Path
from typing import Protocol

from zvt_trading.adapters.files.binance_recording import BinanceRecording, is_binance_recording
from zvt_trading.adapters.files.lean import LeanFeed
from zvt_trading.adapters.files.lines import READ_ERRORS, decompressed, open_file
from zvt_trading.adapters.files.naming import (
    FileArgument,
    file_argument,
    finer_of,
    inferred_listing,
    instrument_by_name,
    probe_spec,
)
from zvt_trading.adapters.files.specs import (
    KNOWN_LISTINGS,
    KNOWN_SPECS,
    Listing,
    with_common_scales,
)
from zvt_trading.adapters.files.stream_recording import (
    StreamRecording,
    recorded_listing,
    recorded_spec,
)
from zvt_trading.adapters.files.tabular import PARQUET_MAGIC, CsvFeed, ParquetFeed
from zvt_trading.errors import CallerError, DataError, SymbolNotFoundError
from zvt_trading.messages.market import InstrumentSpec, MarketData
from zvt_trading.messages.recording import is_recording

ZIP_MAGIC = b"PK"
FIRST_LINE_MAX = 4096


class FileFeed(Protocol):
    """A feed of one file and one instrument."""

    path: Path
    spec: InstrumentSpec

    def __iter__(self) -> Iterator[MarketData]:
        """The messages of the file."""

    def progress(self) -> tuple[int, int]:
        """(done, total) in the file's own unit."""


class RecordedFeed:
    """Files merged by time; of equal times the first file's message comes first.

    `specs` are those of the files, each instrument once.
    """

    def __init__(self, feeds: Sequence[FileFeed]) -> None:
        self.feeds = tuple(feeds)
        unique = {f"{feed.spec.venue}:{feed.spec.symbol}": feed.spec for feed in self.feeds}
        self.specs = tuple(unique.values())

    def __iter__(self) -> Iterator[MarketData]:
        """All messages; DataError naming the file when one goes back in time."""
        return merge(self.feeds, [str(feed.path) for feed in self.feeds])

    def progress(self) -> tuple[int, int]:
        """The files' progress in thousandths, summed: their own units may differ."""
        parts = [feed.progress() for feed in self.feeds]
        if len(parts) == 1:
            return parts[0]
        done = sum(1000 * done // total for done, total in parts if total)
        return done, 1000 * sum(total > 0 for _, total in parts)


def open_recordings(
    paths: Sequence[str | Path], specs: Mapping[str, InstrumentSpec] | None = None
) -> RecordedFeed:
    """Recordings of any readable kind as one feed; see `naming` for which instrument each is of.

    Without `specs` (by instrument id) the built-in ones hold, and an instrument that they lack has
    the tick and lot that its file's first rows show. All are on common scales.

    Raises CallerError when no file is named, one is missing or named twice, DataError for what
    cannot be read, SymbolNotFoundError when `specs` lacks a file's instrument, or none is named.
    """
    files = _checked_files(paths)
    known = _specs_for(files) if specs is None else specs
    return RecordedFeed([feed_for(file.path, _named(file, known), specs=known) for file in files])


def feed_for(
    path: str | Path,
    spec: InstrumentSpec | None = None,
    *,
    specs: Mapping[str, InstrumentSpec] = KNOWN_SPECS,
) -> FileFeed:
    """The feed of one file, by its content: a recording, Parquet, Lean zip, or else CSV.

    Recordings (Binance's, and those of our own recorder) say what they record. The other kinds are
    of `spec`, or of the one of `specs` that their name begins with (see `naming`).
    """
    path = Path(path)
    head, line = _beginning(path)
    if is_binance_recording(line):
        known = specs if spec is None else {f"{spec.venue}:{spec.symbol}": spec}
        return BinanceRecording(path, known)
    if is_recording(line):
        return StreamRecording(path, spec or specs.get(_recorded_id(path)))
    of = spec or _spec_of(path, instrument_by_name(path, specs), specs)
    if head.startswith(PARQUET_MAGIC):
        return ParquetFeed(path, of)
    if head.startswith(ZIP_MAGIC):
        return LeanFeed(path, of)
    if b"\0" in line:
        raise DataError(f"{path}: neither a Binance recording nor a Parquet, Lean zip or CSV file")
    return CsvFeed(path, of)


def merge(
    streams: Sequence[Iterable[MarketData]], names: Sequence[str] = ()
) -> Iterator[MarketData]:
    """Time-ordered streams as one, by `ts`; of equal times the earlier stream's comes first.

    Raises DataError naming the stream (by `names`, else its number) whose time goes back.
    """
    labels = names or [f"stream {number}" for number in range(1, len(streams) + 1)]
    ordered = [_ordered(stream, label) for stream, label in zip(streams, labels, strict=True)]
    return ordered[0] if len(ordered) == 1 else heap_merge(*ordered, key=attrgetter("ts"))


def _ordered(messages: Iterable[MarketData], name: str) -> Iterator[MarketData]:
    last = 0
    for number, message in enumerate(messages, start=1):
        if message.ts < last:
            raise DataError(
                f"{name}: message {number} ({message.ts}) is before the one above it ({last}); "
                "recordings must be in time order"
            )
        last = message.ts
        yield message


def _beginning(path: Path) -> tuple[bytes, bytes]:
    """(first bytes as stored, first line unpacked, cut at 4096 bytes)."""
    with open_file(path) as raw:
        head = raw.read(4)
        raw.seek(0)
        try:
            return head, decompressed(raw).readline(FIRST_LINE_MAX)
        except READ_ERRORS as error:
            raise DataError(f"{path}:1: the file is damaged or cut off: {error}") from error


def _checked_files(paths: Sequence[str | Path]) -> list[FileArgument]:
    if not paths:
        raise CallerError("no recording given")
    files: list[FileArgument] = []
    for path in paths:
        file = file_argument(path)
        if not file.path.is_file():
            raise CallerError(f"no file {file.path}")
        if any(file.path == other.path for other in files):
            raise CallerError(f"{file.path} is given twice")
        files.append(file)
    return files


def _specs_for(files: Sequence[FileArgument]) -> Mapping[str, InstrumentSpec]:
    """The built-in specs and those of the files' other instruments, on common scales."""
    inferred: dict[str, Listing] = {}
    for file in files:
        line = _beginning(file.path)[1]
        if is_binance_recording(line):
            continue
        if is_recording(line):
            listing = recorded_listing(file.path)
            name = listing.id
        else:
            name = file.instrument or instrument_by_name(file.path, KNOWN_SPECS)
            if name in KNOWN_SPECS:
                continue
            listing = inferred_listing(name, file.path, feed_for(file.path, probe_spec(name)))
        inferred[name] = finer_of(inferred.get(name, listing), listing)
    if not inferred:
        return KNOWN_SPECS
    known = [listing for listing in KNOWN_LISTINGS if listing.id not in inferred]
    specs = with_common_scales((*known, *inferred.values()))
    return {f"{spec.venue}:{spec.symbol}": spec for spec in specs}


def _recorded_id(path: Path) -> str:
    spec = recorded_spec(path)
    return f"{spec.venue}:{spec.symbol}"


def _named(file: FileArgument, specs: Mapping[str, InstrumentSpec]) -> InstrumentSpec | None:
    """The spec of the instrument that the argument names, None when it names none."""
    return _spec_of(file.path, file.instrument, specs) if file.instrument else None


def _spec_of(path: Path, instrument: str, specs: Mapping[str, InstrumentSpec]) -> InstrumentSpec:
    found = specs.get(instrument)
    if found is None:
        known = ", ".join(specs) or "none"
        raise SymbolNotFoundError(f"{path}: no spec of {instrument} is given; known: {known}")
    return found
