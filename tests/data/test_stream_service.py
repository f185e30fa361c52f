"""The stream service by hand: what is counted, what is stale, who hears what."""

import asyncio
from collections.abc import Sequence
from threading import Event
from typing import Any

import pytest
from stream_world import DEADLINE_S, T0, Clock, Ear, spec

from zvt_trading.core.units import MINUTE, SECOND
from zvt_trading.data.crypto_stream_service import CLOCK_EVERY_NS, INBOX_MAX, CryptoStreamService
from zvt_trading.data.stream_messages import Staleness, StreamMessage
from zvt_trading.data.stream_metrics import StreamMetrics
from zvt_trading.errors import CallerError, SymbolNotFoundError
from zvt_trading.messages.codes import BUY, LINEAR
from zvt_trading.messages.market import (
    Bar,
    BookDelta,
    BookInvalid,
    BookSnapshot,
    InstrumentSpec,
    MarkPrice,
    QuoteTick,
    TradeTick,
    VenueStatus,
)
from zvt_trading.messages.reports import VenueAccepted
from zvt_trading.ports.venue import Listing, QueryFailedError, Sink

SPOT_ID = "okx:BTC/USDT"
PERP_ID = "okx:BTC/USDT:USDT"
SPECS = (spec(), spec(symbol="BTC/USDT:USDT", kind=LINEAR), spec("bybit"))


class Hand:
    """A service that is told by hand; `close` it."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.service = CryptoStreamService(SPECS, clock=self.clock, **options)
        self.ear = Ear()

    def row(self, channel: str, venue: str = "okx", symbol: str = "BTC/USDT") -> StreamMetrics:
        (found,) = [
            row
            for row in self.service.metrics()
            if (row.channel, row.venue, row.symbol) == (channel, venue, symbol)
        ]
        return found

    def heard(self) -> list[Any]:
        """After the end: everything."""
        self.service.close()
        return list(self.ear.heard)


@pytest.fixture
def hand() -> Any:
    made = Hand()
    yield made
    made.service.close()


def quote(instrument: str = SPOT_ID) -> QuoteTick:
    return QuoteTick(instrument, 100, 1, 101, 1, T0)


def snapshot() -> BookSnapshot:
    return BookSnapshot(SPOT_ID, ((100, 1), (99, 2)), ((101, 3),), T0, 5)


def test_messages_and_their_age_are_counted_by_channel(hand: Hand) -> None:
    """Of each instrument; spot has no marks."""
    hand.service.market(quote())
    hand.service.market(MarkPrice(PERP_ID, 100, T0))
    hand.clock.now += 3
    hand.service.market(quote())
    hand.clock.now += 4
    row = hand.row("quotes")
    assert (2, 4, 0, 0, 0, False) == (
        row.messages, row.age, row.gaps, row.drops, row.reconnects, row.is_stale,
    )  # fmt: skip
    assert (0, 7) == (hand.row("trades").messages, hand.row("trades").age)
    assert 1 == hand.row("marks", symbol="BTC/USDT:USDT").messages
    channels = [row.channel for row in hand.service.metrics() if row.venue == "bybit"]
    assert ["quotes", "trades", "book"] == channels


def test_a_gap_of_a_book_is_counted_once(hand: Hand) -> None:
    """From its beginning to the next snapshot."""
    for message in (
        BookInvalid(SPOT_ID, T0, "not there yet"),
        snapshot(),
        BookInvalid(SPOT_ID, T0, "gap"),
        BookInvalid(SPOT_ID, T0, "still"),
        snapshot(),
    ):
        hand.service.market(message)
    assert (1, 2) == (hand.row("book").gaps, hand.row("book").messages)


def test_the_top_is_that_of_a_valid_book(hand: Hand) -> None:
    """None before the first snapshot and after a gap."""
    service = hand.service
    assert service.top(SPOT_ID) is None
    service.market(snapshot())
    service.market(BookDelta(SPOT_ID, ((100, 0),), ((102, 1),), T0, 6, 6, 5))
    assert (99, 2, 101, 3) == service.top(SPOT_ID)
    service.market(BookInvalid(SPOT_ID, T0, "gap"))
    assert service.top(SPOT_ID) is None


def test_silence_is_told_once_and_its_end_too() -> None:
    """When a channel is silent for longer than its limit; 0 is no limit."""
    hand = Hand(stale_after={"quotes": 5 * SECOND, "book": 0, "trades": 0, "marks": 0})
    hand.service.subscribe(hand.ear, channels=("status",), instruments=[SPOT_ID])
    for seconds in (5, 1, 1):
        hand.clock.now += seconds * SECOND
        hand.service.tick()
    assert hand.row("quotes").is_stale
    hand.service.market(quote())
    hand.clock.now += SECOND
    hand.service.tick()
    now = T0 + 8 * SECOND
    assert [
        Staleness(SPOT_ID, "quotes", is_stale=True, age=6 * SECOND, ts=T0 + 6 * SECOND),
        Staleness(SPOT_ID, "quotes", is_stale=False, age=SECOND, ts=now),
    ] == hand.heard()


def test_a_handler_hears_its_channels_and_instruments(hand: Hand) -> None:
    """And of all venues' states when it asked for them."""
    down = VenueStatus("bybit", healthy=False, ts=T0)
    hand.service.subscribe(hand.ear, channels=("quotes", "status"), instruments=[PERP_ID])
    for message in (quote(), quote(PERP_ID), MarkPrice(PERP_ID, 1, T0), down, quote("kraken:A/B")):
        hand.service.market(message)
    assert [quote(PERP_ID), down] == hand.heard()


def test_whoever_ends_a_subscription_hears_no_more(hand: Hand) -> None:
    """What came before is delivered."""
    outlet = hand.service.subscribe(hand.ear, channels=("quotes",))
    hand.service.market(quote())
    hand.service.unsubscribe(outlet)
    hand.service.market(quote())
    assert [quote()] == hand.ear.heard
    assert [] == hand.service.handlers()


def test_an_outage_is_a_gap_of_all_channels_and_breaks_candles() -> None:
    """The candle of the interval that it falls into is not told."""
    hand = Hand(candle_intervals=(MINUTE,))
    service, clock = hand.service, hand.clock
    start = T0 + -T0 % MINUTE
    service.subscribe(hand.ear, channels=("candles",))

    def trade_at(seconds: int) -> None:
        clock.now = start + seconds * SECOND
        service.market(TradeTick(SPOT_ID, 100, 1, BUY, clock.now))

    def status(healthy: bool) -> None:
        service.market(VenueStatus("okx", healthy, clock.now))

    clock.now = start
    status(healthy=True)
    trade_at(1)
    trade_at(61)
    status(healthy=False)
    status(healthy=True)
    trade_at(121)
    trade_at(181)
    assert 1 == hand.row("trades").gaps
    assert 0 == hand.row("trades", venue="bybit").gaps
    assert 0 == hand.row("book").gaps  # it had none that could be lost
    minutes = [(bar.ts_open - start) // MINUTE for bar in hand.heard() if isinstance(bar, Bar)]
    assert [0, 2] == minutes


def test_drops_are_counted_with_the_stream_and_the_handler() -> None:
    """Of one channel only."""
    hand = Hand()
    service = hand.service
    began, go_on = Event(), Event()

    def slow(_message: StreamMessage) -> None:
        began.set()
        assert go_on.wait(DEADLINE_S)

    service.subscribe(slow, channels=("quotes",), limit=2)
    service.subscribe(hand.ear, channels=("quotes",))
    service.market(quote())
    assert began.wait(DEADLINE_S)
    for _ in range(8):
        service.market(quote())
    metrics = service.handlers()[0]
    assert (6, 2) == (metrics.dropped, metrics.waiting)
    assert (6, 0) == (hand.row("quotes").drops, hand.row("trades").drops)
    hand.ear.until(lambda heard: len(heard) == 9)  # the other one has all, meanwhile
    go_on.set()
    service.close()


def test_an_observed_engine_is_not_kept_waiting() -> None:
    """Its messages are put aside; what does not fit is counted, and its book is invalid."""
    hand = Hand()
    service = hand.service
    service.observe(quote())  # before the start: not heard
    service.subscribe(hand.ear, channels=("quotes", "book", "status"))
    service.start()
    with pytest.raises(CallerError, match="runs already"):
        service.start()
    service.observe(snapshot())
    service.observe(VenueStatus("okx", healthy=True, ts=T0))
    assert 2 == len(hand.ear.until(lambda heard: len(heard) == 2))
    service._inbox.extend([quote()] * INBOX_MAX)  # as if the loop were busy
    service.observe(snapshot())
    service.observe(VenueStatus("okx", healthy=True, ts=T0))
    assert 2 == service.overflowed
    service._loop.call(service._take_inbox)
    told = hand.ear.until(lambda heard: any(isinstance(one, BookInvalid) for one in heard))
    assert "too slow" in next(one.reason for one in told if isinstance(one, BookInvalid))
    service.close()
    service.close()  # may be repeated


def test_instruments_that_are_not_there_are_refused(hand: Hand) -> None:
    """With those that are."""
    for wrong in (
        lambda: hand.service.top("okx:A/B"),
        lambda: hand.service.subscribe(hand.ear, instruments=["okx:A/B"]),
    ):
        with pytest.raises(SymbolNotFoundError, match="okx:A/B"):
            wrong()


class Source:
    """A venue made by hand: it tells one quote, and its time when it is able to."""

    venue = "okx"
    clock_offset_ms = -3
    market_reconnects = 2

    def __init__(self, *, problem: Exception | None = None) -> None:
        self.asked = Event()
        self.closed = False
        self._problem = problem

    async def listings(self, symbols: Sequence[str]) -> list[Listing]:
        raise NotImplementedError(symbols)

    async def open(self, specs: Sequence[InstrumentSpec], sink: Sink) -> None:
        assert ["BTC/USDT", "BTC/USDT:USDT"] == [one.symbol for one in specs]
        if isinstance(self._problem, CallerError):
            raise self._problem
        sink.reported(self.venue, VenueAccepted("order", "1", T0))
        sink.stream_opened(self.venue)
        sink.market(quote())

    async def read_clock(self) -> None:
        self.asked.set()
        if self._problem is not None:
            raise self._problem

    async def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("problem", [None, QueryFailedError("no answer")])
def test_venues_are_asked_for_their_time_now_and_then(problem: Exception | None) -> None:
    """One that does not answer is asked again the next time."""
    clock = Clock()
    source = Source(problem=problem)
    service = CryptoStreamService(SPECS, [source], clock=clock)
    ear = Ear()
    service.subscribe(ear, channels=("quotes",))
    with service:
        ear.until(bool)
        for _ in range(2):
            assert not source.asked.is_set()
            clock.now += CLOCK_EVERY_NS
            service.tick()
            assert source.asked.wait(DEADLINE_S)
            source.asked.clear()
        row = service.metrics()[0]
        assert (1, 2, -3) == (row.messages, row.reconnects, row.clock_offset_ms)
    assert source.closed


def test_a_venue_that_cannot_be_opened_ends_the_service() -> None:
    """The error is raised, nothing runs on."""
    source = Source(problem=CallerError("no such thing"))
    service = CryptoStreamService(SPECS, [source])
    with pytest.raises(CallerError, match="no such thing"):
        service.start()
    assert source.closed


def test_it_is_closed_from_the_loop_of_its_handlers() -> None:
    """Without standing in their way: they are through with what they have."""
    heard: list[StreamMessage] = []

    async def story() -> None:
        async def handler(message: StreamMessage) -> None:
            await asyncio.sleep(0)
            heard.append(message)

        service = CryptoStreamService(SPECS, clock=Clock())
        service.subscribe(handler, channels=("quotes",))
        service.market(quote())
        await service.aclose()

    asyncio.run(story())
    assert [quote()] == heard


def test_accounts_are_nobodys(hand: Hand) -> None:
    """A venue may tell of orders; there are none here."""
    assert hand.service.ref("order", "") is None
    assert "FOREIGN" == hand.service.owner("order").name
