"""Recordings of Binance's WebSocket streams: gzip text, one `local_ns {json}` a line.

The streams are depth (100 ms or 0 ms diffs), bookTicker and trade, wrapped as
`{"stream": ..., "data": ...}`; a line `{"lastUpdateId": ...}` is the REST snapshot of the book
(https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams).

A snapshot is older than the message that brings it: the deltas that follow it were received before.
They are repeated after it, as the exchange's rule for a local book asks.

Time. The recorder's clock may run behind the exchange's (in known recordings by 1.27 s), which would
let messages arrive before they were sent. Every local time is therefore shifted by the largest
`event time - local time` of the file's first lines, if that is positive: no message of them arrives
before it was sent. Times never go back.
"""

import gzip
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import msgspec

from zvt_trading.core.units import UnitError, parse_scaled
from zvt_trading.errors import DataError
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import (
    BookDelta,
    BookSnapshot,
    InstrumentSpec,
    MarketData,
    QuoteTick,
    TradeTick,
)

_CLOCK_LINES = 2_000
_RECENT_DELTAS = 1_000
_MILLISECOND = 1_000_000

Levels = list[tuple[str, str]]


class _Payload(msgspec.Struct, gc=False):
    """The union of the fields of the three streams; absent ones keep their default."""

    e: str = ""
    E: int = 0
    U: int = 0
    u: int = 0
    pu: int = -1
    b: Levels | str = ""
    a: Levels | str = ""
    B: str = ""
    A: str = ""
    t: int = 0
    p: str = ""
    q: str = ""
    m: bool = False
    X: str = ""


class _Envelope(msgspec.Struct, gc=False):
    stream: str = ""
    data: _Payload | None = None
    lastUpdateId: int = 0  # noqa: N815 - the exchange's name
    bids: Levels = []
    asks: Levels = []


_decode = msgspec.json.Decoder(_Envelope).decode


class BinanceRecording:
    """One file as a feed of one instrument; iterate it once."""

    def __init__(self, path: Path, spec: InstrumentSpec) -> None:
        self.path = path
        self.spec = spec
        self._instrument = f"{spec.venue}:{spec.symbol}"
        self._total = path.stat().st_size
        self._raw: IO[bytes] | None = None
        self._shift = clock_shift(path)

    def progress(self) -> tuple[int, int]:
        """(bytes read, bytes in all) of the compressed file."""
        done = self._raw.tell() if self._raw is not None and not self._raw.closed else self._total
        return done, self._total

    def __iter__(self) -> Iterator[MarketData]:
        """The messages in recorded order; DataError names the line that cannot be read."""
        last = 0
        recent: deque[BookDelta] = deque(maxlen=_RECENT_DELTAS)
        with self.path.open("rb") as raw:
            self._raw = raw
            for number, local, envelope in _lines(self.path, raw):
                try:
                    message = self._message(envelope, max(last, local + self._shift))
                except (UnitError, ValueError, TypeError) as error:
                    raise DataError(f"{self.path}:{number}: {error}") from error
                if message is None:
                    continue
                last = message.ts
                yield message
                if isinstance(message, BookDelta):
                    recent.append(message)
                elif isinstance(message, BookSnapshot):
                    yield from _catch_up(message, recent)

    def _message(self, envelope: _Envelope, ts: int) -> MarketData | None:
        """One line as a market message; None for streams that carry nothing we use."""
        payload = envelope.data
        if payload is None:
            if not envelope.lastUpdateId:
                raise ValueError("neither a stream message nor a book snapshot")
            return BookSnapshot(
                self._instrument,
                self._levels(envelope.bids),
                self._levels(envelope.asks),
                ts,
                envelope.lastUpdateId,
            )
        if payload.e == "depthUpdate":
            return BookDelta(
                self._instrument,
                self._levels(payload.b),
                self._levels(payload.a),
                ts,
                payload.U,
                payload.u,
                payload.pu,
            )
        if payload.e == "trade":
            return self._trade(payload, ts)
        if envelope.stream.endswith("@bookTicker"):
            return self._quote(payload, ts)
        return None

    def _quote(self, payload: _Payload, ts: int) -> QuoteTick:
        price_scale, quantity_scale = self.spec.price_scale, self.spec.quantity_scale
        if not isinstance(payload.b, str) or not isinstance(payload.a, str):
            raise TypeError("a bookTicker with lists of levels")
        return QuoteTick(
            self._instrument,
            parse_scaled(payload.b, price_scale),
            parse_scaled(payload.B, quantity_scale),
            parse_scaled(payload.a, price_scale),
            parse_scaled(payload.A, quantity_scale),
            ts,
            payload.u,
        )

    def _trade(self, payload: _Payload, ts: int) -> TradeTick | None:
        """A public trade; futures also send insurance fund and ADL prints, which are no trades."""
        if payload.X not in ("", "MARKET"):
            return None
        return TradeTick(
            self._instrument,
            parse_scaled(payload.p, self.spec.price_scale),
            parse_scaled(payload.q, self.spec.quantity_scale),
            SELL if payload.m else BUY,
            ts,
            payload.t,
        )

    def _levels(self, levels: Levels | str) -> tuple[tuple[int, int], ...]:
        if isinstance(levels, str):
            raise TypeError("a depth message without levels")
        price_scale, quantity_scale = self.spec.price_scale, self.spec.quantity_scale
        return tuple(
            (parse_scaled(price, price_scale), parse_scaled(size, quantity_scale))
            for price, size in levels
        )


def _catch_up(snapshot: BookSnapshot, recent: Iterable[BookDelta]) -> Iterator[BookDelta]:
    """Deltas that were received before the snapshot but follow it: the snapshot took its time."""
    for delta in recent:
        if delta.last_id > snapshot.update_id:
            yield msgspec.structs.replace(delta, ts=snapshot.ts)


def is_binance_recording(path: Path) -> bool:
    """Whether the file's first line looks like a recording of these streams."""
    try:
        with gzip.open(path, "rb") as stream:
            first = stream.readline(4096)
    except (OSError, EOFError, zlib.error):
        return False
    stamp, _, rest = first.partition(b" ")
    return stamp.isdigit() and rest.startswith((b'{"stream"', b'{"lastUpdateId"'))


def is_futures(path: Path) -> bool:
    """Whether a recording is of USD-M futures: their depth messages name the previous update id."""
    with path.open("rb") as raw:
        for _, _, envelope in islice(_lines(path, raw), _CLOCK_LINES):
            if envelope.data is not None and envelope.data.e == "depthUpdate":
                return envelope.data.pu >= 0
    raise DataError(f"{path}: no depth message in the first {_CLOCK_LINES} lines")


def clock_shift(path: Path) -> int:
    """Nanoseconds to add to local times so that nothing arrives before it was sent (>= 0)."""
    shift = 0
    with path.open("rb") as raw:
        for _, local, envelope in islice(_lines(path, raw), _CLOCK_LINES):
            if envelope.data is not None and envelope.data.E:
                shift = max(shift, envelope.data.E * _MILLISECOND - local)
    return shift


def _lines(path: Path, raw: IO[bytes]) -> Iterator[tuple[int, int, _Envelope]]:
    """(line number, local nanoseconds, decoded line) of a gzip file."""
    number = 0
    try:
        with gzip.open(raw, "rb") as stream:
            for number, line in enumerate(stream, start=1):
                stamp, _, text = line.partition(b" ")
                yield number, int(stamp), _decode(text)
    except (msgspec.DecodeError, ValueError) as error:
        raise DataError(f"{path}:{number}: not a recorded message ({error})") from error
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path}: damaged after line {number} ({error})") from error
