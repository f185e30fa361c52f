"""One instrument of a stream service: its counters, its book, its candles."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from zvt_trading.data.stream_book import StreamBook
from zvt_trading.data.stream_candles import CandleMaker
from zvt_trading.data.stream_messages import BOOK, CHANNEL_OF, MARKS, Staleness, StreamMessage
from zvt_trading.data.stream_metrics import StreamCounter, StreamMetrics
from zvt_trading.messages.codes import SPOT
from zvt_trading.messages.market import (
    Bar,
    BookDelta,
    BookInvalid,
    BookSnapshot,
    InstrumentSpec,
    MarketData,
    TradeTick,
)


class InstrumentStream:
    """See the module; belongs to the service's loop. Spot has no marks."""

    def __init__(
        self,
        spec: InstrumentSpec,
        channels: Collection[str],
        candle_intervals: Collection[int],
        stale_after: Mapping[str, int],
        now: int,
    ) -> None:
        self.spec: Final = spec
        self.id: Final = f"{spec.venue}:{spec.symbol}"
        self.book: Final = StreamBook(self.id)
        self._counters: Final = {
            channel: StreamCounter(channel, now, stale_after.get(channel, 0))
            for channel in channels
            if channel != MARKS or spec.kind != SPOT
        }
        self._by_type: Final = {
            kind: self._counters[channel]
            for kind, channel in CHANNEL_OF.items()
            if channel in self._counters
        }
        self._makers: Final = [CandleMaker(self.id, interval) for interval in candle_intervals]

    def heard(self, message: MarketData, now: int) -> StreamCounter | None:
        """Count a message, and keep the book; the counter of its channel, if it has one."""
        counter = self._by_type.get(type(message))
        if isinstance(message, BookInvalid):
            if self.book.is_valid and counter is not None:
                counter.gaps += 1
            self.book.apply(message)
            return counter
        if counter is not None:
            counter.messages += 1
            counter.last = now
        if isinstance(message, BookSnapshot | BookDelta):
            self.book.apply(message)
        return counter

    def candles(self, message: MarketData) -> Iterator[Bar]:
        """Those that a trade ends."""
        if isinstance(message, TradeTick):
            for maker in self._makers:
                bar = maker.take(message)
                if bar is not None:
                    yield bar

    def tick(self, now: int) -> Iterator[StreamMessage]:
        """What time alone brings: channels that fell silent or speak again, ends of candles."""
        for maker in self._makers:
            bar = maker.tick(now)
            if bar is not None:
                yield bar
        for counter in self._counters.values():
            if counter.turns(now):
                age = now - counter.last
                yield Staleness(self.id, counter.channel, counter.is_stale, age, now)

    def began(self, now: int) -> None:
        """The venue's streams run from now on."""
        for maker in self._makers:
            maker.begin(now)

    def ended(self) -> None:
        """The venue's streams are down: messages are missed until they run again."""
        for counter in self._counters.values():
            if counter.channel != BOOK:  # it says itself when it is invalid
                counter.gaps += 1

    def rows(self, now: int, reconnects: int, clock_offset_ms: int) -> Iterator[StreamMetrics]:
        """The measurements of each channel."""
        for counter in self._counters.values():
            yield StreamMetrics(
                venue=self.spec.venue,
                symbol=self.spec.symbol,
                channel=counter.channel,
                messages=counter.messages,
                age=now - counter.last,
                gaps=counter.gaps,
                drops=counter.drops,
                reconnects=reconnects,
                clock_offset_ms=clock_offset_ms,
                is_stale=counter.is_stale,
            )
