"""What a file of history says about itself, written into its Parquet footer."""

from typing import Final

import msgspec

from zvt_trading.data.series import Series, Span

VERSION: Final = 1
KEY: Final = b"zvt_trading.history"


class FileRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The series, the time that is covered [start, end) in ns UTC, and the proof of the content.

    `holes` are as in `history_source.Page`. `sha256` is the rows' `parquet_file.Digest`.
    """

    version: int
    exchange: str
    symbol: str
    what: str
    interval: str
    start: int
    end: int
    rows: int
    consecutive_ids: bool
    holes: tuple[tuple[int, int], ...]
    sha256: str

    @property
    def series(self) -> Series:
        """What the file is of; CallerError when the record names nothing that can be."""
        return Series(self.exchange, self.symbol, self.what, self.interval)

    @property
    def covered(self) -> Span:
        """The stretch of time whose rows are all in the file."""
        return Span(self.start, self.end)


def encode(record: FileRecord) -> bytes:
    """A record as JSON."""
    return msgspec.json.encode(record)


def decode(data: bytes) -> FileRecord:
    """A record from JSON; msgspec.ValidationError or DecodeError when it is none."""
    return msgspec.json.decode(data, type=FileRecord)
