"""Lines of a text file, gzipped or not, with their numbers and the bytes read so far."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from zvt_trading.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"
BUFFER_BYTES = 1 << 17
READ_ERRORS = (OSError, EOFError, zlib.error)
"""What a missing, damaged or cut-off (gzip) file raises while it is read."""


class Lines:
    """Iterates a file's lines as bytes, in bounded memory. `number` is the line read last, from 1.

    Raises DataError naming the file (and the line) when it is missing, damaged, or cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0
        self._raw = open_file(path)
        self._size = path.stat().st_size

    def __iter__(self) -> Iterator[bytes]:
        """The lines; the file is closed at the end."""
        with self._raw as raw:
            stream = decompressed(raw)
            try:
                for line in stream:
                    self.number += 1
                    yield line
            except READ_ERRORS as error:
                where = f"{self.path}:{self.number + 1}"
                raise DataError(f"{where}: the file is damaged or cut off: {error}") from error

    def progress(self) -> tuple[int, int]:
        """(bytes read, bytes in the file), of the file as it is stored."""
        return (self._size if self._raw.closed else self._raw.tell()), self._size

    def close(self) -> None:
        """Stop before the end."""
        self._raw.close()


def open_file(path: Path) -> BinaryIO:
    """The file for reading; DataError when it cannot be opened."""
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def decompressed(raw: BinaryIO) -> BinaryIO:
    """The stream itself, or what it unpacks to when it begins as a gzip file."""
    magic = raw.read(2)
    raw.seek(0)
    if magic != GZIP_MAGIC:
        return raw
    # GzipFile iterates its lines in Python; a BufferedReader above it does so in C.
    return io.BufferedReader(gzip.GzipFile(fileobj=raw, mode="rb"), BUFFER_BYTES)
