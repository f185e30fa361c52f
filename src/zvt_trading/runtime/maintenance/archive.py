"""Files that are complete or not there: written beside their place, flushed, then renamed."""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Final

from zvt_trading.errors import CallerError, DataError
from zvt_trading.runtime.maintenance.transfer import Write

PLAIN: Final = ".jsonl"
PACKED: Final = ".jsonl.gz"


def check_name(path: Path) -> None:
    """CallerError unless the name says what kind of file it is."""
    if not path.name.endswith((PLAIN, PACKED)):
        raise CallerError(f"{path}: name a file {PLAIN} or {PACKED}, or - for a pipe")


@contextmanager
def written(path: Path) -> Iterator[Write]:
    """What writes to a file that has its name, and is on the disk, when the block has ended.

    Readable by its owner only, like the store. After an error nothing is left, and a file of this
    name that was there is as it was.
    """
    try:
        number, name = mkstemp(prefix=f"{path.name}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(number, "wb") as file:
                with _packing(file, path) as write:
                    yield write
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
        _flush_folder(path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file; DataError when a packed one is not what was packed."""
    with gzip.open(path) if path.name.endswith(PACKED) else path.open("rb") as file:
        number = 0
        try:
            for line in file:
                number += 1
                yield line
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            message = f"{path}: line {number + 1}: {error}: it is damaged, or not complete"
            raise DataError(message) from error


@contextmanager
def _packing(file: IO[bytes], path: Path) -> Iterator[Write]:
    """Into the file as it is, or packed, without a name or a time in it."""
    if not path.name.endswith(PACKED):
        yield file.write
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        yield packed.write


def _flush_folder(folder: Path) -> None:
    """The new name is on the disk too; some systems cannot be asked for that."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
