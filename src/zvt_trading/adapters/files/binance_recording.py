"""Raw Binance recordings: one "local_ns {json}" a line, as the WebSocket sent it.

Streams: depth diffs (`@depth@100ms`, `@depth@0ms`), `@bookTicker`, `@trade`, and REST depth
snapshots (a line without a stream). Message formats: developers.binance.com, "Web Socket Streams"
of spot and of USDⓈ-M futures. A recording holds one symbol of one market; which market is seen from
the messages (only futures send `pu` in diffs, event times in bookTickers, and `X` in trades).
"""

from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import MsgspecError, Raw, Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from zvt_trading.adapters.files.lines import Lines
from zvt_trading.adapters.files.specs import KNOWN_SPECS
from zvt_trading.core.units import UnitError, parse_scaled
from zvt_trading.errors import DataError, SymbolNotFoundError
from zvt_trading.messages.codes import BUY, LINEAR, SELL, SPOT
from zvt_trading.messages.market import (
    BookDelta,
    BookSnapshot,
    InstrumentSpec,
    MarketData,
    QuoteTick,
    TradeTick,
)

HEAD_LINES = 1_000
"""Lines looked at beforehand for the market, the symbol and the clock's first shift."""
DELTAS_KEPT = 1_024
"""Diffs remembered for the next snapshot: 50 s of the fastest stream; REST answers in under one."""
CACHE_MAX = 200_000
"""Distinct number texts remembered: prices and sizes near the touch come again and again."""

_MS = 1_000_000
_OTHER, _DEPTH, _TICKER, _TRADE = range(4)
_KINDS = {"depth": _DEPTH, "bookTicker": _TICKER, "trade": _TRADE}


def is_binance_recording(first_line: bytes) -> bool:
    """Whether a file that begins with this line is such a recording."""
    stamp, _, rest = first_line.partition(b" ")
    return stamp.isdigit() and rest.lstrip().startswith(b"{")


class _Line(Struct, rename="camel"):
    stream: str = ""
    data: Raw = Raw(b"null")
    last_update_id: int = -1


class _Probe(Struct, rename={"event_ms": "E", "symbol": "s", "previous_id": "pu", "origin": "X"}):
    """What tells the market, the symbol and the clock from any message."""

    symbol: str
    event_ms: int = 0
    previous_id: int = -1
    origin: str = ""


class _Depth(
    Struct,
    rename={
        "event_ms": "E", "symbol": "s", "first_id": "U", "last_id": "u", "previous_id": "pu",
        "bids": "b", "asks": "a",
    },
):  # fmt: skip
    event_ms: int
    symbol: str
    first_id: int
    last_id: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    previous_id: int = -1


class _Ticker(
    Struct,
    rename={
        "update_id": "u", "symbol": "s", "bid": "b", "bid_size": "B", "ask": "a", "ask_size": "A",
        "event_ms": "E",
    },
):  # fmt: skip
    update_id: int
    symbol: str
    bid: str
    bid_size: str
    ask: str
    ask_size: str
    event_ms: int = 0


class _Trade(
    Struct,
    rename={
        "event_ms": "E", "symbol": "s", "trade_id": "t", "price": "p", "size": "q",
        "buyer_is_maker": "m", "origin": "X",
    },
):  # fmt: skip
    event_ms: int
    symbol: str
    trade_id: int
    price: str
    size: str
    buyer_is_maker: bool
    origin: str = "MARKET"


class _Rest(Struct, rename={"update_id": "lastUpdateId", "event_ms": "E"}):
    update_id: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    event_ms: int = 0


class BinanceRecording:
    """A feed of one recording: BookSnapshot, BookDelta, QuoteTick and TradeTick, in time order.

    Times. `ts` is the recorder's local time, shifted: such clocks are often behind the exchange's,
    and no message arrives before it was sent. The shift starts as the largest (event time - local
    time) of the first 1,000 lines, never below zero (a clock that is ahead looks like latency), and
    grows as soon as a later message would still arrive before it was sent. So `ts` depends on the
    file alone and never goes back. `shift_ns` gives a larger start, e.g. to let several recordings
    of one machine keep their order.

    Books. Diffs are held until the first snapshot; after every snapshot the recent diffs that end
    after it follow again, stamped with its time, as Binance's manual tells to build a local book.

    Raises DataError naming file and line for what cannot be read, SymbolNotFoundError when `specs`
    (by instrument id) has no "binance" spec for the symbol. Streams of other kinds are skipped.
    """

    def __init__(
        self,
        path: str | Path,
        specs: Mapping[str, InstrumentSpec] = KNOWN_SPECS,
        *,
        shift_ns: int = 0,
    ) -> None:
        self.path = Path(path)
        kind, symbol, behind = _inspect(self.path)
        self.native_symbol = symbol
        self.spec = _find_spec(self.path, specs, symbol, kind)
        self.instrument = f"{self.spec.venue}:{self.spec.symbol}"
        self.shift_ns = max(shift_ns, behind)
        self._lines: Lines | None = None
        self._done = (0, self.path.stat().st_size)

    def __iter__(self) -> Iterator[MarketData]:
        """Read the file from its start."""
        lines = Lines(self.path)
        self._lines = lines
        reader = _Reader(self.spec, self.instrument, self.native_symbol, self.shift_ns)
        read = reader.read
        for line in lines:
            try:
                message = read(line)
            except (ValueError, MsgspecError) as error:
                raise DataError(f"{self.path}:{lines.number}: malformed line: {error}") from error
            if message is not None:
                yield message
                while reader.replay:
                    yield reader.replay.popleft()

    def progress(self) -> tuple[int, int]:
        """(bytes read, bytes in the file)."""
        return self._done if self._lines is None else self._lines.progress()


class _Scaled(dict[str, int]):
    """Number text to int on one scale, remembering what was seen."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        self._scale = scale

    def __missing__(self, text: str) -> int:
        value = parse_scaled(text, self._scale)
        if value < 0:
            raise UnitError(f"{text} is negative")
        if len(self) >= CACHE_MAX:
            self.clear()
        self[text] = value
        return value


class _Reader:
    """One pass over a recording: line by line to messages."""

    def __init__(
        self, spec: InstrumentSpec, instrument: str, native_symbol: str, shift_ns: int
    ) -> None:
        self.replay: deque[BookDelta] = deque()
        self._instrument = instrument
        self._symbol = native_symbol
        self._prices = _Scaled(spec.price_scale)
        self._sizes = _Scaled(spec.quantity_scale)
        self._shift = shift_ns
        self._last_ts = 0
        self._synced = False
        self._recent: deque[BookDelta] = deque(maxlen=DELTAS_KEPT)
        self._kinds: dict[str, int] = {}
        self._line = Decoder(_Line).decode
        self._depth = Decoder(_Depth).decode
        self._ticker = Decoder(_Ticker).decode
        self._trade = Decoder(_Trade).decode
        self._rest = Decoder(_Rest).decode

    def read(self, text: bytes) -> MarketData | None:
        """The message of one line; None when it is held or skipped. Diffs to repeat: `replay`."""
        stamp, _, body = text.partition(b" ")
        local = int(stamp)
        line = self._line(body)
        kind = self._kinds.get(line.stream)
        if kind is None:
            kind = self._kinds[line.stream] = _stream_kind(line.stream)
        if kind == _TICKER:
            return self._read_ticker(self._ticker(line.data), local)
        if kind == _TRADE:
            return self._read_trade(self._trade(line.data), local)
        if kind == _DEPTH:
            return self._read_depth(self._depth(line.data), local)
        if line.stream or body.startswith(
            b'{"result"'
        ):  # another stream, or a subscription's answer
            return None
        return self._read_rest(self._rest(body), local)

    def _read_ticker(self, ticker: _Ticker, local: int) -> QuoteTick:
        self._check(ticker.symbol)
        return QuoteTick(
            self._instrument,
            self._prices[ticker.bid],
            self._sizes[ticker.bid_size],
            self._prices[ticker.ask],
            self._sizes[ticker.ask_size],
            self._time(local, ticker.event_ms),
            ticker.update_id,
        )

    def _read_trade(self, trade: _Trade, local: int) -> TradeTick | None:
        self._check(trade.symbol)
        ts = self._time(local, trade.event_ms)
        # Futures also announce insurance-fund and ADL trades, which are not made in the book.
        if trade.origin != "MARKET":
            return None
        return TradeTick(
            self._instrument,
            self._prices[trade.price],
            self._sizes[trade.size],
            SELL if trade.buyer_is_maker else BUY,
            ts,
            trade.trade_id,
        )

    def _read_depth(self, depth: _Depth, local: int) -> BookDelta | None:
        self._check(depth.symbol)
        delta = BookDelta(
            self._instrument,
            self._levels(depth.bids),
            self._levels(depth.asks),
            self._time(local, depth.event_ms),
            depth.first_id,
            depth.last_id,
            depth.previous_id,
        )
        self._recent.append(delta)
        return delta if self._synced else None

    def _read_rest(self, rest: _Rest, local: int) -> BookSnapshot:
        ts = self._time(local, rest.event_ms)
        self._synced = True
        for delta in self._recent:
            # A futures diff that ends exactly at the snapshot is the link to the one after it.
            is_link = delta.last_id == rest.update_id and delta.previous_id >= 0
            if delta.last_id > rest.update_id or is_link:
                self.replay.append(replace(delta, ts=ts))
        return BookSnapshot(
            self._instrument, self._levels(rest.bids), self._levels(rest.asks), ts, rest.update_id
        )

    def _levels(self, levels: list[tuple[str, str]]) -> tuple[tuple[int, int], ...]:
        prices = self._prices
        sizes = self._sizes
        return tuple([(prices[price], sizes[size]) for price, size in levels])

    def _time(self, local: int, event_ms: int) -> int:
        """When we say it arrived (see BinanceRecording)."""
        behind = event_ms * _MS - local
        if event_ms and behind > self._shift:
            self._shift = behind
        ts = local + self._shift
        if ts < self._last_ts:  # the local clock was set back
            return self._last_ts
        self._last_ts = ts
        return ts

    def _check(self, symbol: str) -> None:
        if symbol != self._symbol:
            raise ValueError(f"symbol {symbol} in a recording of {self._symbol}")


def _stream_kind(stream: str) -> int:
    return _KINDS.get(stream.split("@")[1], _OTHER) if "@" in stream else _OTHER


def _inspect(path: Path) -> tuple[int, str, int]:
    """(SPOT or LINEAR, the venue's symbol, ns the local clock is behind) from the first lines."""
    kind = -1
    symbol = ""
    behind = 0
    lines = Lines(path)
    decode_line, decode_probe = Decoder(_Line).decode, Decoder(_Probe).decode
    for text in lines:
        try:
            stamp, _, body = text.partition(b" ")
            local = int(stamp)
            line = decode_line(body)
            stream_kind = _stream_kind(line.stream)
            if stream_kind != _OTHER:
                probe = decode_probe(line.data)
                if kind < 0:
                    kind = _market(stream_kind, probe)
                    symbol = probe.symbol
                if probe.event_ms:
                    behind = max(behind, probe.event_ms * _MS - local)
        except (ValueError, MsgspecError) as error:
            raise DataError(f"{path}:{lines.number}: malformed line: {error}") from error
        if lines.number >= HEAD_LINES:
            break
    lines.close()
    if kind < 0:
        raise DataError(
            f"{path}: no depth, bookTicker or trade stream in its first {lines.number} lines"
        )
    return kind, symbol, behind


def _market(stream_kind: int, probe: _Probe) -> int:
    """Which market sent it: see the module's docstring."""
    if stream_kind == _DEPTH:
        return LINEAR if probe.previous_id >= 0 else SPOT
    if stream_kind == _TICKER:
        return LINEAR if probe.event_ms else SPOT
    return LINEAR if probe.origin else SPOT


def _find_spec(
    path: Path, specs: Mapping[str, InstrumentSpec], symbol: str, kind: int
) -> InstrumentSpec:
    for spec in specs.values():
        if spec.venue == "binance" and spec.kind == kind and spec.base + spec.quote == symbol:
            return spec
    market = "spot" if kind == SPOT else "USDⓈ-M"
    known = ", ".join(sorted(specs)) or "none"
    raise SymbolNotFoundError(
        f"{path}: records Binance {market} {symbol}, for which no spec is given; known: {known}"
    )
