"""Several recordings as one feed in time order."""

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from operator import attrgetter
from pathlib import Path

from zvt_trading.adapters.files.binance_recording import (
    BinanceRecording,
    is_binance_recording,
    is_futures,
)
from zvt_trading.adapters.files.specs import (
    BINANCE_BTCUSDT_PERPETUAL,
    BINANCE_BTCUSDT_SPOT,
    with_common_scales,
)
from zvt_trading.errors import CallerError, DataError
from zvt_trading.messages.market import InstrumentSpec, MarketData
from zvt_trading.ports.feed import Feed


class RecordedFeed:
    """Feeds merged by time; of equal times the first feed's message comes first."""

    def __init__(self, specs: Sequence[InstrumentSpec], feeds: Sequence[Feed]) -> None:
        self.specs = tuple(specs)
        self._feeds = tuple(feeds)

    def __iter__(self) -> Iterator[MarketData]:
        """All messages; DataError when a feed goes back in time."""
        streams = [_ordered(feed) for feed in self._feeds]
        return iter(merge(*streams, key=attrgetter("ts")))

    def progress(self) -> tuple[int, int]:
        """The feeds' progress, summed."""
        parts = [feed.progress() for feed in self._feeds]
        return sum(done for done, _ in parts), sum(total for _, total in parts)


def open_recordings(paths: Sequence[Path]) -> RecordedFeed:
    """Recordings as one feed, their instruments on common scales.

    Raises CallerError for no or a missing file, DataError for one that is not a recording.
    """
    if not paths:
        raise CallerError("no recording given")
    for path in paths:
        if not path.is_file():
            raise CallerError(f"no file {path}")
        if not is_binance_recording(path):
            raise DataError(f"{path} is not a recording that can be replayed")
    raws = [
        BINANCE_BTCUSDT_PERPETUAL if is_futures(path) else BINANCE_BTCUSDT_SPOT for path in paths
    ]
    if len({raw.symbol for raw in raws}) != len(raws):
        raise CallerError("two recordings of the same instrument; give one of each")
    specs = with_common_scales(raws)
    return RecordedFeed(
        specs, [BinanceRecording(path, spec) for path, spec in zip(paths, specs, strict=True)]
    )


def _ordered(messages: Iterable[MarketData]) -> Iterator[MarketData]:
    last = 0
    for message in messages:
        if message.ts < last:
            raise DataError(f"{message} comes after {last}: the feed is not in time order")
        last = message.ts
        yield message
