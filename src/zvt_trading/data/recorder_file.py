"""One file of a recording: lines are appended whole, so that only the last one may be cut off."""

import os
from pathlib import Path
from typing import Final

from zvt_trading.core.units import SECOND
from zvt_trading.messages.market import InstrumentSpec
from zvt_trading.messages.recording import Recorded, encode_head, encode_line

BUFFER_BYTES: Final = 1 << 16
SYNC_NS: Final = SECOND
"""How long lines may be in the system's memory only: what a power failure may cost."""


class RecorderFile:
    """A new file; FileExistsError when there is one. Other OSErrors leave it useless: `abandon`."""

    def __init__(self, path: Path, spec: InstrumentSpec, opened: int) -> None:
        self.path: Final = path
        self.opened: Final = opened  # ns
        self.size = 0
        self.waiting = 0  # lines that are not written
        self._buffer = bytearray(encode_head(spec))
        self._synced = opened
        self._raw: Final = path.open("xb", buffering=0)

    def add(self, received: int, message: Recorded) -> None:
        """Append one line, now or with those that follow."""
        self._buffer += encode_line(received, message)
        self.waiting += 1
        if len(self._buffer) >= BUFFER_BYTES:
            self.flush(received)

    def flush(self, now: int) -> None:
        """Give the system what waits; at times wait until it is on the disk."""
        while self._buffer:
            written = self._raw.write(self._buffer) or 0
            self.size += written
            del self._buffer[:written]
        self.waiting = 0
        if now - self._synced >= SYNC_NS:
            self._synced = now
            os.fsync(self._raw.fileno())

    def close(self) -> None:
        """Write what waits, and have all of it on the disk."""
        try:
            self.flush(self._synced + SYNC_NS)
        finally:
            self._raw.close()

    def abandon(self) -> int:
        """Close as it is; how many lines are lost with it."""
        self._raw.close()
        if self.size == 0:
            self.path.unlink(missing_ok=True)
        return self.waiting
