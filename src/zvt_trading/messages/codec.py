"""Events and snapshots as they are stored: JSON, with a version that old ones are read by.

JSON because prices times quantities pass 64 bits, which msgpack cannot hold, and because a person
with nothing but a database shell must be able to read a journal. Field names are part of the
stored form: a change of `messages/` that an old body does not fit raises `CODEC_VERSION` and adds
an upcaster from the version before; bodies on disk are never rewritten.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from zvt_trading.messages.events import Event
from zvt_trading.messages.snapshot import SnapshotHead, SnapshotPart

CODEC_VERSION: Final = 1

Body = dict[str, Any]

UPCASTERS: dict[int, Callable[[Body], Body]] = {}
"""From each old version to the next one: what turns a body of the one into one of the other."""


class CodecError(Exception):
    """A stored body that this program cannot read: damaged, or written by a newer one."""


_encoder: Final = msgspec.json.Encoder()
_encode: Final = _encoder.encode
_events: Final = msgspec.json.Decoder(Event)
_heads: Final = msgspec.json.Decoder(SnapshotHead)
_parts: Final = msgspec.json.Decoder(SnapshotPart)


def encode_event(event: Event) -> bytes:
    """The body of an event, of `CODEC_VERSION`."""
    return _encode(event)


def encode_events(events: list[Event]) -> tuple[list[bytes], list[str]]:
    """The bodies of many events, as bytes and as text; JSON has no line ends but escaped ones."""
    lines = _encoder.encode_lines(events)
    return lines.split(b"\n")[:-1], lines.decode().split("\n")[:-1]


def decode_event(body: bytes | str, version: int = CODEC_VERSION) -> Event:
    """The event of a body; CodecError when there is none in it."""
    try:
        event: Event
        if version == CODEC_VERSION:
            event = _events.decode(body)
        else:
            raw: Body = msgspec.json.decode(body)
            event = msgspec.convert(_upcast(raw, version), Event)
    except msgspec.MsgspecError as error:
        raise CodecError(f"not an event of version {version}: {error}") from error
    return event


def encode_part(part: SnapshotHead | SnapshotPart) -> bytes:
    """One line of a snapshot; the head is the first."""
    return _encode(part) + b"\n"


def decode_snapshot(body: bytes) -> tuple[SnapshotHead, list[SnapshotPart]]:
    """The lines of a whole snapshot; CodecError when it is not one."""
    first, *rest = body.splitlines()
    try:
        return _heads.decode(first), [_parts.decode(line) for line in rest]
    except msgspec.MsgspecError as error:
        raise CodecError(f"not a snapshot: {error}") from error


def _upcast(body: Body, version: int) -> Body:
    """Bring an old body to the present version, step by step."""
    if not 0 < version <= CODEC_VERSION:
        raise CodecError(
            f"written in version {version} of the stored form, this program reads up to "
            f"{CODEC_VERSION}: use the program that wrote it, or a newer one"
        )
    for step in range(version, CODEC_VERSION):
        body = UPCASTERS[step](body)
    return body
