"""Records live markets into files that `zvt-trading replay` reads; the format is in messages.

One file is of one instrument and is named after it and its beginning:
`okx_BTC-USDT_perp_20240131T120000Z.jsonl`. When it is large or an hour is over, the next one
begins, with a snapshot of the book: every file can be replayed by itself, or all of them together.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from zvt_trading.core.units import HOUR, SECOND
from zvt_trading.data.recorder_file import RecorderFile
from zvt_trading.data.stream_book import StreamBook
from zvt_trading.errors import CallerError
from zvt_trading.messages.codes import SPOT
from zvt_trading.messages.market import BookDelta, BookInvalid, BookSnapshot, InstrumentSpec
from zvt_trading.messages.recording import Recorded

FILE_BYTES_MAX: Final = 256 * 1024 * 1024
RETRY_NS: Final = 5 * SECOND
"""How long an instrument is not recorded when its file could not be written."""


class Recorder:
    """Takes messages of the instruments of `specs`, by id; belongs to one thread.

    `file_bytes_max` is looked at after each message, `file_ns` cuts at multiples of it (ns, UTC).
    `lost` counts messages that a failing disk has cost; the error itself is raised.
    """

    def __init__(
        self,
        folder: Path,
        specs: Mapping[str, InstrumentSpec],
        *,
        file_bytes_max: int = FILE_BYTES_MAX,
        file_ns: int = HOUR,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        if file_bytes_max < 1 or file_ns < SECOND:
            raise CallerError(
                f"file_bytes_max {file_bytes_max} must be >= 1, file_ns {file_ns} >= {SECOND}"
            )
        self.files: list[Path] = []
        self.lost = 0
        self._folder: Final = folder
        self._specs: Final = specs
        self._bytes_max: Final = file_bytes_max
        self._file_ns: Final = file_ns
        self._clock: Final = clock
        self._tracks: dict[str, _Track] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, message: Recorded, received: int) -> None:
        """Append a message that was heard at `received`; OSError when it cannot be."""
        name = message.instrument
        track = self._tracks.get(name)
        if track is None:
            track = self._tracks[name] = _Track(name)
        received = track.last = max(track.last, received)
        if received < track.retry_at:
            self.lost += 1
            track.follow(message)
            return
        try:
            file = self._file_of(name, track, received)
            file.add(received, message)
        except OSError:
            self._give_up(track, received)
            raise
        finally:
            track.follow(message)

    def flush(self) -> None:
        """Give the system what waits; OSError when it takes it not."""
        now = self._clock()
        for track in self._tracks.values():
            if track.file is not None and track.file.waiting:
                try:
                    track.file.flush(now)
                except OSError:
                    self._give_up(track, now)
                    raise

    def close(self) -> None:
        """End all files; the first OSError when some could not be written to their end."""
        failed: OSError | None = None
        for track in self._tracks.values():
            try:
                self._end(track)
            except OSError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _file_of(self, name: str, track: "_Track", received: int) -> RecorderFile:
        file = track.file
        if file is not None:
            is_over = received // self._file_ns != file.opened // self._file_ns
            if not is_over and file.size < self._bytes_max:
                return file
            self._end(track)
        file = self._new_file(self._specs[name], received)
        track.file = file
        self.files.append(file.path)
        if track.book.is_valid:
            file.add(received, track.book.snapshot(received))
        return file

    def _end(self, track: "_Track") -> None:
        file, track.file = track.file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                self.lost += file.waiting
                raise

    def _new_file(self, spec: InstrumentSpec, received: int) -> RecorderFile:
        """Named by its second; a number tells those of one second apart."""
        stem = f"{file_stem(spec)}_{_second(received)}"
        number = 1
        while True:
            tail = "" if number == 1 else f"_{number}"
            try:
                return RecorderFile(self._folder / f"{stem}{tail}.jsonl", spec, received)
            except FileExistsError:
                number += 1

    def _give_up(self, track: "_Track", now: int) -> None:
        file, track.file = track.file, None
        track.retry_at = now + RETRY_NS
        if file is not None:
            self.lost += file.abandon()
        else:
            self.lost += 1


class _Track:
    """What is recorded of one instrument."""

    def __init__(self, instrument: str) -> None:
        self.file: RecorderFile | None = None
        self.book: Final = StreamBook(instrument)
        self.last = 0  # ns; times in a file do not go back
        self.retry_at = 0

    def follow(self, message: Recorded) -> None:
        """Keep the book with which the next file begins."""
        if isinstance(message, BookSnapshot | BookDelta | BookInvalid):
            self.book.apply(message)


def file_stem(spec: InstrumentSpec) -> str:
    """How the names of an instrument's files begin: "okx_BTC-USDT", "okx_BTC-USDT_perp"."""
    pair = f"{spec.venue}_{spec.base}-{spec.quote}"
    return pair if spec.kind == SPOT else f"{pair}_perp"


def _second(ns: int) -> str:
    return datetime.fromtimestamp(ns // SECOND, UTC).strftime("%Y%m%dT%H%M%SZ")
