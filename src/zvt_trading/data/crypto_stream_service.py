"""Live markets of several venues, to handlers and to files.

    service = stream_service(...)  # live_bootstrap
    service.subscribe(print, channels=("quotes", "candles"))
    service.record(Path("recordings"))
    with service:
        ...

Or as an observer of an engine that runs live: `world.observers.append(service.observe)`.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final, Self, cast

import structlog

from zvt_trading.core.units import HOUR, MINUTE, SECOND
from zvt_trading.data.recorder import FILE_BYTES_MAX, Recorder
from zvt_trading.data.stream_book import Top
from zvt_trading.data.stream_channels import InstrumentStream
from zvt_trading.data.stream_handlers import QUEUE_MAX, Delivery, Handler, HandlerMetrics, Outlet
from zvt_trading.data.stream_messages import CANDLES, QUOTES, TRADES, VENUE_CHANNELS, StreamMessage
from zvt_trading.data.stream_metrics import STALE_AFTER_NS, StreamMetrics
from zvt_trading.data.stream_source import MarketSource
from zvt_trading.errors import CallerError, SymbolNotFoundError
from zvt_trading.messages.market import BookInvalid, InstrumentSpec, MarketData, VenueStatus
from zvt_trading.messages.recording import Recorded
from zvt_trading.messages.reports import Report
from zvt_trading.ports.venue import OrderRef, Owner, QueryFailedError
from zvt_trading.runtime.loop_thread import LoopThread

TICK_NS: Final = SECOND
"""How often `tick` is called."""
CLOCK_EVERY_NS: Final = 5 * MINUTE
"""How often the venues are asked for their time."""
RECORDER_QUEUE_MAX: Final = 100_000
"""Messages that wait for the disk: a recorder shall lose nothing while the disk is busy."""
INBOX_MAX: Final = 100_000
"""Messages of an observed engine that wait for the service."""

_log = structlog.get_logger("zvt_trading.stream")


class CryptoStreamService:
    """See the module. `specs` are the instruments; `sources` the venues to hear by itself.

    `channels` are those the sources were told to open. `stale_after` (ns by channel) is merged into
    STALE_AFTER_NS; 0 is never. `loop` is the one that the sources belong to, and ends with the
    service. Prices and sizes of all messages are ints on the scales of the
    specs.
    """

    def __init__(
        self,
        specs: Sequence[InstrumentSpec],
        sources: Sequence[MarketSource] = (),
        *,
        channels: Collection[str] = VENUE_CHANNELS,
        candle_intervals: Collection[int] = (MINUTE,),
        stale_after: Mapping[str, int] | None = None,
        clock: Callable[[], int] = time.time_ns,
        loop: LoopThread | None = None,
    ) -> None:
        limits = {**STALE_AFTER_NS, **(stale_after or {})}
        now = clock()
        self.specs: Final = {f"{spec.venue}:{spec.symbol}": spec for spec in specs}
        self.recorders: list[Recorder] = []
        self.overflowed = 0
        self._sources: Final = {source.venue: source for source in sources}
        self._clock: Final = clock
        self._instruments: Final = {
            name: InstrumentStream(spec, channels, candle_intervals, limits, now)
            for name, spec in self.specs.items()
        }
        self._outlets: tuple[Outlet, ...] = ()
        self._is_up: dict[str, bool] = {}
        self._inbox: deque[MarketData] = deque()
        self._overflow: dict[str, None] = {}
        self._is_called = False
        self._loop: LoopThread = loop or LoopThread("zvt-trading-streams")
        self._is_running = False
        self._next_clock = now + CLOCK_EVERY_NS

    # For whoever listens.

    def subscribe(
        self,
        handler: Handler,
        *,
        channels: Collection[str] = (QUOTES, TRADES, CANDLES),
        instruments: Collection[str] | None = None,
        name: str = "",
        limit: int = QUEUE_MAX,
    ) -> Outlet:
        """Call `handler(message)` with all that is heard from now on; `unsubscribe` ends it.

        A plain function is called on a thread of its own; a coroutine function runs on the event
        loop of the caller. Each call waits for the one before. `limit` messages wait for it at
        most; CallerError for unknown channels, SymbolNotFoundError for unknown instruments.
        """
        self._check(instruments)
        delivery = Delivery(handler)
        named = name or getattr(handler, "__qualname__", type(handler).__name__)
        return self._add(
            Outlet(named, delivery, channels, instruments, limit=limit, at_end=delivery.close)
        )

    def record(
        self,
        folder: Path,
        *,
        instruments: Collection[str] | None = None,
        file_bytes_max: int = FILE_BYTES_MAX,
        file_ns: int = HOUR,
        limit: int = RECORDER_QUEUE_MAX,
    ) -> Outlet:
        """Write quotes, trades, books and marks from now on into files; see `recorder`."""
        self._check(instruments)
        recorder = Recorder(
            folder, self.specs, file_bytes_max=file_bytes_max, file_ns=file_ns, clock=self._clock
        )
        self.recorders.append(recorder)
        return self._add(
            Outlet(
                f"recorder {folder}",
                lambda message, received: recorder.write(cast("Recorded", message), received),
                VENUE_CHANNELS,
                instruments,
                limit=limit,
                idle=recorder.flush,
                at_end=recorder.close,
            )
        )

    def unsubscribe(self, outlet: Outlet) -> None:
        """No more messages for a handler; it is through with those it has when this returns."""
        self._outlets = tuple(one for one in self._outlets if one is not outlet)
        outlet.close()

    def top(self, instrument: str) -> Top | None:
        """The best prices of the book, None while there is no valid one."""
        self._check((instrument,))
        book = self._instruments[instrument].book
        return book.top() if book.is_valid else None

    def metrics(self) -> list[StreamMetrics]:
        """A row for each venue, symbol and channel."""
        now = self._clock()
        rows: list[StreamMetrics] = []
        for stream in self._instruments.values():
            source = self._sources.get(stream.spec.venue)
            reconnects = 0 if source is None else source.market_reconnects
            offset = 0 if source is None else source.clock_offset_ms
            rows += stream.rows(now, reconnects, offset)
        return rows

    def handlers(self) -> list[HandlerMetrics]:
        """How every handler keeps up."""
        return [outlet.metrics() for outlet in self._outlets]

    # Beginning and end.

    def start(self) -> None:
        """Hear the venues and watch the time, until `close`."""
        if self._is_running:
            raise CallerError("the service runs already")
        self._is_running = True
        now = self._clock()
        for stream in self._instruments.values():
            stream.began(now)
        try:
            self._loop.run(self._open())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the streams, deliver what waits, end the files; blocks, and may be repeated."""
        self._is_running = False
        if self._loop.loop.is_closed():
            return
        self._loop.run(self._close_sources())
        self._loop.stop()
        outlets, self._outlets = self._outlets, ()
        for outlet in outlets:
            outlet.close()

    async def aclose(self) -> None:
        """`close` where handlers live on this event loop."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The venues' side: ports.venue.Sink, on the service's own loop.

    def market(self, message: MarketData) -> None:
        """Take one message; of instruments that are not of this service none."""
        if isinstance(message, VenueStatus):
            self._status(message)
            return
        stream = self._instruments.get(message.instrument)
        if stream is None:
            return
        now = self._clock()
        counter = stream.heard(message, now)
        drops = self._hand_out(message, now, stream)
        if counter is not None:
            counter.drops += drops
        for bar in stream.candles(message):
            self._hand_out(bar, now, stream)

    def reported(self, venue: str, report: Report) -> None:
        """Accounts are not heard here."""

    def stream_opened(self, venue: str) -> None:
        """As `reported`."""

    def ref(self, order_id: str, venue_order_id: str) -> OrderRef | None:  # noqa: ARG002 - a Sink's
        """As `reported`."""
        return None

    def owner(self, order_id: str) -> Owner:  # noqa: ARG002 - as Sink asks
        """As `reported`."""
        return Owner.FOREIGN

    def observe(self, message: MarketData) -> None:
        """Take a message of an engine, on its thread: only put aside, the service's loop does it.

        What does not fit is dropped and counted in `overflowed`; its book is invalid then.
        """
        if not self._is_running:
            return
        if len(self._inbox) >= INBOX_MAX:
            self.overflowed += 1
            if not isinstance(message, VenueStatus):
                self._overflow[message.instrument] = None
            return
        self._inbox.append(message)
        if not self._is_called:
            self._is_called = True
            self._loop.call(self._take_inbox)

    def tick(self) -> None:
        """Look at the time: stale channels, ended candles, handlers with room, venues' clocks."""
        now = self._clock()
        for stream in self._instruments.values():
            for news in stream.tick(now):
                self._hand_out(news, now, stream)
            for outlet in self._outlets:
                outlet.mend(now, stream.book)
        if now >= self._next_clock:
            self._next_clock = now + CLOCK_EVERY_NS
            for source in self._sources.values():
                self._loop.spawn(_read_clock(source))

    # Inside.

    def _take_inbox(self) -> None:
        self._is_called = False
        inbox = self._inbox
        for _ in range(len(inbox)):
            self.market(inbox.popleft())
        overflow, self._overflow = self._overflow, {}
        for name in overflow:
            self.market(BookInvalid(name, self._clock(), "the service was too slow"))

    def _status(self, message: VenueStatus) -> None:
        now = self._clock()
        was_up = self._is_up.get(message.venue)
        self._is_up[message.venue] = message.healthy
        for stream in self._instruments.values():
            if stream.spec.venue == message.venue:
                if was_up and not message.healthy:
                    stream.ended()
                if message.healthy and not was_up:
                    stream.began(now)
        self._hand_out(message, now, None)

    def _hand_out(self, message: StreamMessage, now: int, stream: InstrumentStream | None) -> int:
        """To all who hear it; how many could not take it."""
        kind = type(message)
        name, book = ("", None) if stream is None else (stream.id, stream.book)
        drops = 0
        for outlet in self._outlets:
            if kind in outlet.types and outlet.hears(name):
                drops += not outlet.offer(message, now, book)
        return drops

    def _add(self, outlet: Outlet) -> Outlet:
        self._outlets = (*self._outlets, outlet)
        return outlet

    def _check(self, instruments: Collection[str] | None) -> None:
        for name in instruments or ():
            if name not in self.specs:
                raise SymbolNotFoundError(f"no {name!r} here; there are {', '.join(self.specs)}")

    async def _open(self) -> None:
        for venue, source in self._sources.items():
            await source.open([s for s in self.specs.values() if s.venue == venue], self)
        asyncio.get_running_loop().call_soon(self._beat)

    def _beat(self) -> None:
        if not self._is_running:
            return
        self._loop.loop.call_later(TICK_NS / SECOND, self._beat)
        self.tick()

    async def _close_sources(self) -> None:
        for source in self._sources.values():
            await source.close()


async def _read_clock(source: MarketSource) -> None:
    try:
        await source.read_clock()
    except QueryFailedError as error:
        _log.warning("a venue's time is not known", venue=source.venue, why=str(error))
