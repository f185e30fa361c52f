"""What the engine's process and the venues' process say to each other, over a local socket.

A frame is its length (4 bytes, big-endian) and JSON. One request has one reply; the venues act on a
request when all of it has arrived, whether or not anybody waits for the reply any more.
"""

import socket
import struct
from typing import Final

import msgspec

from zvt_trading.messages.market import MarketData
from zvt_trading.messages.reports import Report

_LENGTH: Final = struct.Struct(">I")


class Submit(msgspec.Struct, tag=True, frozen=True):
    """See VenueApi.submit."""

    venue: str
    now: int
    order_id: str
    account: str
    instrument_id: str
    side: int
    order_type: int
    price: int
    quantity: int
    tif: int
    expire_ts: int
    post_only: bool
    reduce_only: bool
    worst_price: int
    trigger_price: int
    trigger_by: int


class Cancel(msgspec.Struct, tag=True, frozen=True):
    """See VenueApi.cancel."""

    venue: str
    now: int
    order_id: str


class Amend(msgspec.Struct, tag=True, frozen=True):
    """See VenueApi.amend."""

    venue: str
    now: int
    order_id: str
    price: int
    quantity: int


class Market(msgspec.Struct, tag=True, frozen=True):
    """The market of a venue moves."""

    venue: str
    now: int
    message: MarketData


class Time(msgspec.Struct, tag=True, frozen=True):
    """The clock of a venue."""

    venue: str
    now: int


class Credit(msgspec.Struct, tag=True, frozen=True):
    """Money arrives at a venue (leaves it when negative)."""

    venue: str
    now: int
    account: str
    asset: str
    amount: int
    key: str


class Leverage(msgspec.Struct, tag=True, frozen=True):
    """See VenueApi.set_leverage."""

    venue: str
    account: str
    instrument_id: str
    leverage: int
    mode: int


class AskOrder(msgspec.Struct, tag=True, frozen=True):
    """See VenueApi.answer."""

    venue: str
    order_id: str


class AskHistory(msgspec.Struct, tag=True, frozen=True):
    """See VenueApi.history."""

    venue: str
    cursor: int


class AskFree(msgspec.Struct, tag=True, frozen=True):
    """See VenueApi.free, and is_flat when it names an instrument."""

    venue: str
    account: str
    asset: str
    instrument_id: str


class AskTime(msgspec.Struct, tag=True, frozen=True):
    """The latest time any venue was told."""


Action = Submit | Cancel | Amend | Market | Time | Credit | Leverage
"""What changes a venue: kept, in order, so that a venue can be made again as it was."""
Question = AskOrder | AskHistory | AskFree | AskTime
Request = Action | Question


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to any request; what does not apply is left out."""

    reports: list[Report] = []
    number: int = 0
    flag: bool = False
    price: int = 0
    quantity: int = 0
    cash: list[tuple[str, str, int]] = []
    positions: list[tuple[str, str, int, int]] = []
    orders: list[tuple[str, int, int, int]] = []


encode: Final = msgspec.json.Encoder().encode
_requests: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(Request)
_actions: Final[msgspec.json.Decoder[Action]] = msgspec.json.Decoder(Action)
_replies: Final = msgspec.json.Decoder(Reply)


def send(wire: socket.socket, message: Request | Reply) -> None:
    """One frame."""
    body = encode(message)
    wire.sendall(_LENGTH.pack(len(body)) + body)


def receive_request(wire: socket.socket) -> Request | None:
    """The next request; None when the other side is gone, and with it what it had begun to say."""
    body = _receive(wire)
    return _requests.decode(body) if body is not None else None


def receive_reply(wire: socket.socket) -> Reply:
    """The reply; ConnectionError when the venues are gone."""
    body = _receive(wire)
    if body is None:
        raise ConnectionError("the venues' process is gone")
    return _replies.decode(body)


def read_action(line: bytes) -> Action:
    """An action as it was kept."""
    return _actions.decode(line)


def _receive(wire: socket.socket) -> bytes | None:
    head = _exactly(wire, _LENGTH.size)
    return _exactly(wire, _LENGTH.unpack(head)[0]) if head is not None else None


def _exactly(wire: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        try:
            part = wire.recv(size - len(parts))
        except ConnectionError:
            return None
        if not part:
            return None
        parts.extend(part)
    return bytes(parts)
