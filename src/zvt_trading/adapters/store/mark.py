"""How far a journal was durable, in a small file beside it that is never flushed.

It is written after a commit has returned, so it may be behind after a loss of power, never ahead.
The file is mapped: writing costs no system call, and what was written survives the process.
"""

import mmap
import os
import struct
from pathlib import Path
from typing import Final
from zlib import crc32

_NUMBERS: Final = struct.Struct("<QQ")  # entry, checksum
_CHECK: Final = struct.Struct("<I")
_LENGTH: Final = _NUMBERS.size + _CHECK.size


class Mark:
    """See the module."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._map: mmap.mmap | None = None

    def write(self, seq: int, checksum: int) -> None:
        """Entry `seq` is durable. A mark that cannot be written is no reason to stop."""
        if self._map is None:
            self._map = self._open()
        if self._map is not None:
            numbers = _NUMBERS.pack(seq, checksum)
            self._map[:_LENGTH] = numbers + _CHECK.pack(crc32(numbers))

    def read(self) -> tuple[int, int] | None:
        """(seq, checksum); None when there is none, or it was torn."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return None
        if len(content) < _LENGTH:
            return None
        numbers = content[: _NUMBERS.size]
        if _CHECK.unpack(content[_NUMBERS.size : _LENGTH])[0] != crc32(numbers):
            return None
        seq, checksum = _NUMBERS.unpack(numbers)
        return seq, checksum

    def close(self) -> None:
        """Let go of the file."""
        if self._map is not None:
            self._map.close()
            self._map = None

    def _open(self) -> mmap.mmap | None:
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return None
        try:
            if os.fstat(file).st_size < _LENGTH:
                # Written, not only made longer: a hole that the disk has no room for when the map
                # is written to would end the process.
                os.pwrite(file, bytes(_LENGTH), 0)
            return mmap.mmap(file, _LENGTH)
        except OSError:
            return None
        finally:
            os.close(file)
