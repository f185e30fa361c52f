"""What SQLite left behind unread in its write-ahead log: a transaction that was never finished.

The format is https://www.sqlite.org/fileformat2.html#walformat: a header of 32 bytes with two salts
at 16, then frames of a 24 byte header, with the same two salts at 8, and a page. Frames of an older
round of the log have other salts.
"""

import sqlite3
import struct
from pathlib import Path
from typing import Final

_HEADER: Final = 32
_FRAME: Final = 24


def torn_frames(connection: sqlite3.Connection, wal: Path) -> int:
    """How many frames of this round lie after the last one that SQLite has taken."""
    _, taken, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    try:
        with wal.open("rb") as file:
            header = file.read(_HEADER)
            if len(header) < _HEADER or taken < 0:
                return 0
            page_size = struct.unpack(">I", header[8:12])[0]
            salts = header[16:24]
            torn = 0
            while True:
                file.seek(_HEADER + (taken + torn) * (_FRAME + page_size))
                frame = file.read(_FRAME)
                if len(frame) < _FRAME or frame[8:16] != salts:
                    return torn
                torn += 1
    except OSError:
        return 0
