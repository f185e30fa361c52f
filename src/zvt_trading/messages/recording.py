"""A recorded market as it is stored: JSON lines, of which the first says what the file is.

Every other line is `[received, message]`: when the recorder heard it (ns UTC, never going back in a
file), and the message itself, its numbers on the scales of the instrument in the first line. A file
is of one instrument. A last line without its line end was being written when the recorder died: it
does not count.
"""

from typing import Final

import msgspec

from zvt_trading.messages.market import (
    BookDelta,
    BookInvalid,
    BookSnapshot,
    FundingRate,
    InstrumentSpec,
    MarkPrice,
    QuoteTick,
    TradeTick,
)

RECORDING_VERSION: Final = 1

Recorded = QuoteTick | TradeTick | BookSnapshot | BookDelta | BookInvalid | MarkPrice | FundingRate
"""What a recording holds; candles are made of its trades."""


class RecordingHead(msgspec.Struct, frozen=True, tag=True, tag_field="msg"):
    """The first line."""

    version: int
    spec: InstrumentSpec


_BEGINNING: Final = b'{"msg":"RecordingHead"'
_encode: Final = msgspec.json.Encoder().encode
_heads: Final = msgspec.json.Decoder(RecordingHead)
_lines: Final = msgspec.json.Decoder(tuple[int, Recorded])


def is_recording(first_line: bytes) -> bool:
    """Whether a file that begins so is a recording."""
    return first_line.startswith(_BEGINNING)


def encode_head(spec: InstrumentSpec) -> bytes:
    """The first line of a file of this instrument."""
    return _encode(RecordingHead(RECORDING_VERSION, spec)) + b"\n"


def encode_line(received: int, message: Recorded) -> bytes:
    """One message as a line."""
    return _encode((received, message)) + b"\n"


def decode_head(line: bytes) -> RecordingHead:
    """The first line; msgspec.MsgspecError when it is none, or of another version."""
    head = _heads.decode(line)
    if head.version != RECORDING_VERSION:
        raise msgspec.ValidationError(
            f"a recording of version {head.version}, this program reads {RECORDING_VERSION}"
        )
    return head


def decode_line(line: bytes) -> tuple[int, Recorded]:
    """(received, message) of a line; msgspec.MsgspecError when it is none."""
    return _lines.decode(line)
