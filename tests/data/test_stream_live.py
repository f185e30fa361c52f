"""The stream service over emulated exchanges: what is heard, gaps, silence, disconnects."""

from pathlib import Path
from typing import Any

import pytest
from stream_world import Ear, Level, level, levels, town

from zvt_trading.adapters.ccxt import market_stream
from zvt_trading.adapters.files.merge import open_recordings
from zvt_trading.core.order_book import OrderBook
from zvt_trading.core.units import SECOND
from zvt_trading.data.crypto_stream_service import CryptoStreamService
from zvt_trading.data.stream_messages import Staleness
from zvt_trading.emulator.faults import FRAME_DROP, FRAME_SILENCE, PUBLIC
from zvt_trading.emulator.feed import SymbolFeed
from zvt_trading.messages.market import (
    BookDelta,
    BookInvalid,
    BookSnapshot,
    InstrumentSpec,
    MarkPrice,
    TradeTick,
    VenueStatus,
)

EXCHANGES = ("binance", "okx", "bybit", "coinbase")


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_market_is_heard_without_keys(name: str) -> None:
    """Quotes, trades and books; marks of perpetuals. Nothing private is asked for or opened."""
    symbols = ["BTC/USDT"] if name == "coinbase" else ["BTC/USDT", "BTC/USDT:USDT"]
    with town(name) as world:
        service = world.service(*symbols)
        ear = Ear()
        service.subscribe(ear, channels=("quotes", "trades", "book", "marks", "status"))
        kinds = ["QuoteTick", "TradeTick", "BookSnapshot", "BookDelta"]
        wanted = {(kind, f"{name}:{symbol}") for kind in kinds for symbol in symbols}
        wanted |= {("MarkPrice", f"{name}:{symbol}") for symbol in symbols if ":" in symbol}
        with service:
            heard = ear.until(lambda heard: wanted <= {_kind(one) for one in heard})
            # Emulated exchanges have the clock of this machine.
            assert all(abs(row.clock_offset_ms) < 250 for row in service.metrics())
            assert not any(session.account for session in world.emulator.wires[name].sessions)
        assert [False, True] == [one.healthy for one in heard if isinstance(one, VenueStatus)]


def _kind(message: Any) -> tuple[str, str]:
    return type(message).__name__, getattr(message, "instrument", "")


class Tops:
    """Every best bid and ask that an emulated book had."""

    def __init__(self, feed: SymbolFeed) -> None:
        self._feed = feed
        self.seen = [self._now()]

    def _now(self) -> list[Level]:
        return levels(self._feed.book, 1, self._feed.instrument.spec)

    def book_changed(self, _update: Any) -> None:
        self.seen.append(self._now())

    def traded(self, *_: Any) -> None: ...

    def quoted(self, *_: Any) -> None: ...

    def marked(self, *_: Any) -> None: ...


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_recording_replays_the_book_that_the_exchange_had(name: str, tmp_path: Path) -> None:
    """Every top of the replayed book was one of the exchange's, and the last book is its last."""
    with town(name) as world:
        service = world.service("BTC/USDT")
        (spec,) = service.specs.values()
        tops = Tops(world.feed(name, "BTC/USDT"))
        world.listen(name, tops)
        ear = Ear()
        outlet = service.record(tmp_path)
        service.subscribe(ear, channels=("book", "quotes", "trades"))
        with service:
            ear.until(lambda heard: sum(isinstance(one, BookDelta) for one in heard) > 40)
            ear.until(lambda heard: any(isinstance(one, TradeTick) for one in heard))
            world.freeze()
            last = world.levels(name, "BTC/USDT", 1)
            ear.until(lambda _: _top(service, spec) == last)
            true_levels = world.levels(name, "BTC/USDT", 10)
        assert (0, 0) == (outlet.dropped, outlet.errors)
        told = list(open_recordings(service.recorders[0].files, service.specs))
        book = OrderBook(spec.tick)
        for message in told:
            if _apply(book, message):
                assert book.valid
                assert levels(book, 1, spec) in tops.seen
        assert true_levels == levels(book, 10, spec)
        heard = [_untimed(one) for one in ear.heard]
        assert heard == [_untimed(one) for one in told if not isinstance(one, MarkPrice)]


def _top(service: CryptoStreamService, spec: InstrumentSpec) -> list[Level]:
    top = service.top(f"{spec.venue}:{spec.symbol}")
    if top is None:
        return []
    return [level(top.bid, top.bid_size, spec), level(top.ask, top.ask_size, spec)]


def _apply(book: OrderBook, message: Any) -> bool:
    """As the engine does; whether it was of the book."""
    if isinstance(message, BookSnapshot):
        book.apply_snapshot(message.bids, message.asks, message.update_id)
    elif isinstance(message, BookDelta):
        book.apply_delta(
            message.bids, message.asks, message.first_id, message.last_id, message.previous_id
        )
    return isinstance(message, BookSnapshot | BookDelta)


def _untimed(message: Any) -> tuple[str, ...]:
    fields = [name for name in message.__struct_fields__ if name != "ts"]
    return (type(message).__name__, *(repr(getattr(message, name)) for name in fields))


@pytest.mark.parametrize("name", EXCHANGES)
def test_after_lost_frames_the_book_is_invalid_until_a_snapshot(name: str) -> None:
    """BookInvalid, then a new snapshot; the gap is counted."""
    with town(name) as world, world.service("BTC/USDT") as service:
        ear = Ear()
        service.subscribe(ear, channels=("book",))
        began = ear.after(0, BookSnapshot, BookDelta)
        world.fault(name, kind=FRAME_DROP, endpoint=PUBLIC, count=15)
        ear.after(began, BookInvalid, BookSnapshot, BookDelta)
        (row,) = [row for row in service.metrics() if row.channel == "book"]
        assert row.gaps >= 1


@pytest.mark.parametrize("name", ["okx", "bybit", "coinbase"])
def test_a_book_whose_first_snapshot_was_lost_is_asked_for_again(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streams that bring no snapshot in time are opened anew."""
    monkeypatch.setattr(market_stream, "SNAPSHOT_SECONDS", 1)
    with town(name) as world:
        service = world.service("BTC/USDT")
        ear = Ear()
        service.subscribe(ear, channels=("book",))
        world.fault(name, kind=FRAME_DROP, endpoint=PUBLIC, count=6)
        with service:
            ear.after(0, BookSnapshot, BookDelta)
            assert all(row.reconnects >= 1 for row in service.metrics())


def test_a_silent_stream_is_stale_until_it_speaks() -> None:
    """Of each channel that has a limit; and never of those that have none."""
    limits = {"quotes": SECOND // 5, "book": SECOND // 5, "marks": 0, "trades": 0}
    with town("okx") as world, world.service("BTC/USDT", stale_after=limits) as service:
        ear = Ear()
        service.subscribe(ear, channels=("book", "status"))
        began = ear.after(0, BookDelta)
        world.fault("okx", kind=FRAME_SILENCE, endpoint=PUBLIC, ms=2_500)
        heard = ear.until(lambda heard: _turns(heard, began, "book")[:2] == [True, False])
        stale = next(one for one in heard[began:] if isinstance(one, Staleness))
        assert stale.is_stale
        assert stale.age > SECOND // 5


def _turns(heard: list[Any], start: int, channel: str) -> list[bool]:
    return [
        one.is_stale
        for one in heard[start:]
        if isinstance(one, Staleness) and one.channel == channel
    ]


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_lost_connection_is_made_again_and_counted(name: str) -> None:
    """Status down and up, the book begins again, other channels count what they may have missed."""
    with town(name) as world:
        service = world.service("BTC/USDT")
        ear = Ear()
        service.subscribe(ear, channels=("book", "status"))
        service.start()
        began = ear.after(0, BookSnapshot, BookDelta)
        world.disconnect(name)
        ear.after(began, BookInvalid, BookSnapshot, BookDelta)
        rows = {row.channel: row for row in service.metrics()}
        service.close()
        assert all(row.reconnects >= 1 for row in rows.values())
        assert rows["trades"].gaps >= 1
        up = [one.healthy for one in ear.heard if isinstance(one, VenueStatus)]
        assert [False, True, False, True] == up[:4]
