"""Recordings of the stream recorder as feeds; the format is in messages/recording.py."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import MsgspecError
from msgspec.structs import replace

from zvt_trading.adapters.files.lines import Lines
from zvt_trading.adapters.files.specs import Listing
from zvt_trading.core.units import RATE_SCALE, UnitError, format_scaled
from zvt_trading.errors import DataError
from zvt_trading.messages.market import (
    BookDelta,
    BookInvalid,
    BookSnapshot,
    FundingRate,
    InstrumentSpec,
    MarketData,
    MarkPrice,
    QuoteTick,
    TradeTick,
)
from zvt_trading.messages.recording import Recorded, decode_head, decode_line

_BPS_SCALE = RATE_SCALE - 4
"""A fee rate in units of 1e-8 is a number of basis points on this scale."""


def recorded_spec(path: Path) -> InstrumentSpec:
    """The instrument of a recording, on the recording's own scales; DataError when it has none."""
    lines = Lines(path)
    try:
        for line in lines:
            return decode_head(line).spec
    except MsgspecError as error:
        raise DataError(f"{path}:1: not the beginning of a recording: {error}") from error
    finally:
        lines.close()
    raise DataError(f"{path}: the file is empty")


def recorded_listing(path: Path) -> Listing:
    """The instrument of a recording in human numbers, to be put on scales common to several."""
    spec = recorded_spec(path)
    price, quantity = spec.price_scale, spec.quantity_scale
    return Listing(
        venue=spec.venue,
        symbol=spec.symbol,
        tick=format_scaled(spec.tick, price),
        lot=format_scaled(spec.lot, quantity),
        quantity_min=format_scaled(spec.quantity_min, quantity),
        quantity_max=format_scaled(spec.quantity_max, quantity),
        notional_min=format_scaled(spec.notional_min, spec.quote_scale),
        price_min=format_scaled(spec.price_min, price),
        price_max=format_scaled(spec.price_max, price),
        contract_size=format_scaled(spec.contract_size, spec.contract_scale),
        maker_fee_bps=format_scaled(spec.maker_fee, _BPS_SCALE),
        taker_fee_bps=format_scaled(spec.taker_fee, _BPS_SCALE),
        leverage_max=spec.leverage_max,
        size_decimals=quantity,
    )


class StreamRecording:
    """A feed of one recording, its numbers on the scales of `spec` (default: the recording's own).

    `ts` is when the recorder heard a message: a replay knows nothing earlier than the recorder did.
    Raises DataError naming file and line for what cannot be read, is of another instrument than
    `spec`, or has a number that is finer than its scales.
    """

    def __init__(self, path: str | Path, spec: InstrumentSpec | None = None) -> None:
        self.path = Path(path)
        own = recorded_spec(self.path)
        self.spec = own if spec is None else spec
        self._instrument = f"{own.venue}:{own.symbol}"
        wanted = f"{self.spec.venue}:{self.spec.symbol}"
        if wanted != self._instrument:
            raise DataError(f"{path} is a recording of {self._instrument}, not of {wanted}")
        self._price = self.spec.price_scale - own.price_scale
        self._size = self.spec.quantity_scale - own.quantity_scale
        self._lines: Lines | None = None
        self._done = (0, self.path.stat().st_size)

    def __iter__(self) -> Iterator[MarketData]:
        """Read the file from its start."""
        lines = Lines(self.path)
        self._lines = lines
        for line in lines:
            if lines.number == 1:
                continue
            if not line.endswith(b"\n"):
                return  # it was being written when the recorder died
            try:
                yield self._message(line)
            except (MsgspecError, UnitError) as error:
                raise DataError(f"{self.path}:{lines.number}: malformed line: {error}") from error

    def progress(self) -> tuple[int, int]:
        """(bytes read, bytes in the file)."""
        return self._done if self._lines is None else self._lines.progress()

    def _message(self, line: bytes) -> MarketData:
        received, message = decode_line(line)
        if message.instrument != self._instrument:
            raise UnitError(f"a message of {message.instrument} in a file of {self._instrument}")
        if self._price or self._size:
            message = self._rescaled(message)
        return replace(message, ts=received)

    def _rescaled(self, message: Recorded) -> Recorded:
        price, size = self._price, self._size
        match message:
            case QuoteTick():
                return replace(
                    message,
                    bid=_shifted(message.bid, price),
                    bid_size=_shifted(message.bid_size, size),
                    ask=_shifted(message.ask, price),
                    ask_size=_shifted(message.ask_size, size),
                )
            case TradeTick():
                return replace(
                    message,
                    price=_shifted(message.price, price),
                    size=_shifted(message.size, size),
                )
            case BookSnapshot() | BookDelta():
                return replace(
                    message, bids=self._levels(message.bids), asks=self._levels(message.asks)
                )
            case MarkPrice():
                return replace(
                    message,
                    price=_shifted(message.price, price),
                    index_price=_shifted(message.index_price, price),
                )
            case FundingRate():
                return replace(message, mark_price=_shifted(message.mark_price, price))
            case BookInvalid():
                return message

    def _levels(self, levels: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        return tuple(
            (_shifted(price, self._price), _shifted(size, self._size)) for price, size in levels
        )


def _shifted(value: int, decimals: int) -> int:
    """On a scale with so many more decimals; UnitError when that would lose something."""
    if decimals >= 0:
        return value * int(10**decimals)
    shifted, lost = divmod(value, int(10**-decimals))
    if lost:
        raise UnitError(f"{value} is finer than the scale by {-decimals} decimals")
    return shifted
