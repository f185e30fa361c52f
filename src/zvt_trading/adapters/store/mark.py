"""How far a journal was durable, in a small file beside it that is never flushed.

It is written after a commit has returned, so it may be behind after a loss of power, never ahead.
"""

import os
from pathlib import Path
from zlib import crc32

_FORMAT = "{seq:020d} {checksum:010d} {check:010d}\n"
_LENGTH = 20 + 1 + 10 + 1 + 10 + 1


class Mark:
    """`write` costs one system call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1

    def write(self, seq: int, checksum: int) -> None:
        """Entry `seq` is durable. A mark that cannot be written is no reason to stop."""
        try:
            if self._file < 0:
                self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
            check = crc32(f"{seq} {checksum}".encode())
            text = _FORMAT.format(seq=seq, checksum=checksum, check=check)
            os.pwrite(self._file, text.encode(), 0)
        except OSError:
            self.close()

    def read(self) -> tuple[int, int] | None:
        """(seq, checksum); None when there is none, or it was torn."""
        try:
            text = self.path.read_text(encoding="ascii")
            seq, checksum, check = (int(part) for part in text[:_LENGTH].split())
        except (OSError, ValueError):
            return None
        return (seq, checksum) if check == crc32(f"{seq} {checksum}".encode()) else None

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
