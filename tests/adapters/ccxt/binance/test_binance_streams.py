"""Binance's streams through the dialect: recorded ones in sequence, live ones from the emulator."""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ccxt.base.errors import NetworkError

from emulator.redirect import DEADLINE_S, exchange, running
from zvt_trading.adapters.ccxt.binance import DIALECT
from zvt_trading.adapters.ccxt.binance.rows import levels
from zvt_trading.adapters.ccxt.books import BookSequence
from zvt_trading.adapters.ccxt.views import (
    BookView,
    FillView,
    MarkView,
    OrderView,
    QuoteView,
    TradeView,
    View,
)
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.faults import FRAME_DROP, Fault
from zvt_trading.emulator.house import House
from zvt_trading.emulator.orders import Ask
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import MarkPrice

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
BOTH = pytest.mark.parametrize("symbol", [SPOT, PERP])
LINES = 6_000
"""Of a recording: some hundred book updates."""


class Book:
    """A rebuilt book, by exact numbers."""

    def __init__(self) -> None:
        self.sides: tuple[dict[Decimal, str], dict[Decimal, str]] = ({}, {})
        self.last_id = 0

    def apply(self, view: BookView) -> None:
        for side, changes in zip(self.sides, (view.bids, view.asks), strict=True):
            if view.is_snapshot:
                side.clear()
            for price, size in changes:
                if Decimal(size):
                    side[Decimal(price)] = size
                else:
                    side.pop(Decimal(price), None)
        self.last_id = view.last_id

    def touch(self) -> tuple[Decimal, str, Decimal, str]:
        bid, ask = max(self.sides[0]), min(self.sides[1])
        return bid, self.sides[0][bid], ask, self.sides[1][ask]


class Markets:
    """As much of ccxt as frames need."""

    markets_by_id: ClassVar = {
        "BTCUSDT": [
            {"symbol": SPOT, "spot": True, "linear": None},
            {"symbol": PERP, "swap": True, "linear": True},
        ]
    }


CALLER: Any = Markets()


def recorded(shared_data: Path, name: str, url: str) -> Iterator[View]:
    """The views of a recording; its snapshot as a dialect's `book` gives it."""
    symbol = PERP if "fstream" in url else SPOT
    with gzip.open(shared_data / "binance" / f"{name}_btcusdt_20240808.gz", "rt") as lines:
        for line in islice(lines, LINES):
            message = json.loads(line.partition(" ")[2])
            if "lastUpdateId" in message:
                bids, asks = levels(message["bids"]), levels(message["asks"])
                yield BookView(symbol, True, bids, asks, -1, message["lastUpdateId"], -1, 0)
            else:
                frame = DIALECT.frames(CALLER, url, message)
                assert not frame.problem
                yield from frame.views


@pytest.mark.parametrize(
    ("name", "url"),
    [("spot", "wss://stream.binance.com:9443/ws"), ("usdm", "wss://fstream.binance.com/public/ws")],
)
def test_a_recorded_book_has_no_gap_and_the_recorded_best_prices(
    shared_data: Path, name: str, url: str
) -> None:
    """At every update that ends where a recorded best price was told, the two are the same."""
    sequence, book, quotes, compared = BookSequence(), Book(), {}, 0
    ids = iter(_quote_ids(shared_data, name))
    for view in recorded(shared_data, name, url):
        if isinstance(view, QuoteView):
            quotes[next(ids)] = view
        if not isinstance(view, BookView):
            continue
        was_valid = sequence.is_valid
        for shown in sequence.take(view):
            book.apply(shown)
        assert sequence.is_valid or not was_valid
        told = quotes.get(book.last_id)
        if told is not None and sequence.is_valid:
            bid, ask = Decimal(told.bid), Decimal(told.ask)
            assert (bid, told.bid_size, ask, told.ask_size) == book.touch()
            compared += 1
    assert sequence.is_valid
    assert compared > 5


def _quote_ids(shared_data: Path, name: str) -> Iterator[int]:
    """Update ids of the recorded best prices, which a QuoteView has no need of."""
    with gzip.open(shared_data / "binance" / f"{name}_btcusdt_20240808.gz", "rt") as lines:
        for line in islice(lines, LINES):
            message = json.loads(line.partition(" ")[2]).get("data", {})
            if "B" in message:
                yield message["u"]


def test_after_a_futures_snapshot_the_ids_may_begin_beyond_a_hole() -> None:
    """Numbers of futures are not consecutive: `pu` says what an update follows."""

    def update(first_id: int, last_id: int, previous_id: int) -> BookView:
        return BookView(PERP, False, (), (), first_id, last_id, previous_id, 0)

    sequence = BookSequence()
    sequence.take(BookView(PERP, True, (), (), -1, 100, -1, 0))
    assert [] == sequence.take(update(90, 100, 80))
    assert 1 == len(sequence.take(update(150, 160, 100)))
    assert 1 == len(sequence.take(update(170, 175, 160)))
    assert [] == sequence.take(update(180, 190, 176))
    assert not sequence.is_valid


class Heard:
    """Raw frames of a live ccxt.pro exchange, as views; ccxt itself parses none of them."""

    def __init__(self, emulator: Emulator, caller: Any) -> None:
        self.emulator = emulator
        self.house: House = emulator.houses["binance"]
        self.caller = caller
        self.views: list[View] = []
        self.problems: list[str] = []
        self._news = asyncio.Event()
        caller.handle_message = self._take

    def _take(self, client: Any, message: Any) -> None:
        frame = DIALECT.frames(self.caller, client.url, message)
        assert not frame.is_control
        self.views += frame.views
        if frame.problem:
            self.problems.append(frame.problem)
        self._news.set()

    async def open(self, subscriptions: Any) -> None:
        """Subscribed, and the emulator has taken it."""
        wanted = len(subscriptions)
        self.futures = [
            self.caller.watch(one.url, one.key, one.message, one.key) for one in subscriptions
        ]
        wire = self.emulator.wires["binance"]
        async with asyncio.timeout(DEADLINE_S):
            while sum(bool(one.topics) for one in wire.sessions) < wanted:  # noqa: ASYNC110 - of another party
                await asyncio.sleep(0.001)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Frames, up to the deadline."""
        async with asyncio.timeout(DEADLINE_S):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    def last_id(self) -> int:
        """Of the newest book update."""
        return max((view.last_id for view in self.views if isinstance(view, BookView)), default=0)

    async def close(self) -> None:
        for client in tuple(self.caller.clients.values()):
            client.on_error(NetworkError("the end of the test"))
        await asyncio.gather(*self.futures, return_exceptions=True)


def run(story: Callable[[Heard], Awaitable[None]]) -> None:
    async def whole() -> None:
        emulator = Emulator(("binance",), is_quiet=True)
        settings = {**DIALECT.settings(), "enableRateLimit": False}
        async with running(emulator), exchange(emulator, "binance", settings) as caller:
            await caller.load_markets()
            heard = Heard(emulator, caller)
            await story(heard)
            await heard.close()

    asyncio.run(whole())


@BOTH
def test_no_own_event_is_lost_however_fast_they_come(symbol: str) -> None:
    """NEW, two fills, CANCELED back to back: ccxt's watch_orders shows one and keeps the rest."""

    async def story(heard: Heard) -> None:
        house = heard.house
        await heard.open(await DIALECT.private(heard.caller, [symbol]))
        # Nothing waits in between: all frames are there before anybody reads one.
        price = 5_999_900
        ask = Ask(house.instruments[symbol], BUY, 1, 3_000, client_id="mine", price=price)
        order = house.place("default", ask)
        house.crowd(symbol, SELL, price, 1_000)
        emulate(heard)
        house.crowd(symbol, SELL, price, 1_000)
        emulate(heard)
        house.cancel(order)
        await heard.until(lambda: ended(heard.views))
        states = [view for view in heard.views if isinstance(view, OrderView)]
        fills = [view for view in heard.views if isinstance(view, FillView)]
        assert ["open", "open", "open", "cancelled"] == [view.status for view in states]
        assert {"mine"} == {state.order_id for state in states} | {fill.order_id for fill in fills}
        assert [fill.trade_id for fill in order.fills] == [fill.trade_id for fill in fills]
        assert [fill.fee for fill in order.fills] == [
            int(Decimal(fill.fee).scaleb(8)) for fill in fills
        ]
        assert Decimal("0.002") == Decimal(states[-1].filled)
        assert {True} == {fill.is_maker for fill in fills}

    run(story)


def emulate(heard: Heard) -> None:
    """The crowd's orders meet ours when the market moves."""
    heard.emulator._move()


def ended(views: list[View]) -> bool:
    return any(isinstance(view, OrderView) and view.status == "cancelled" for view in views)


def test_both_private_streams_of_an_account() -> None:
    """One socket each; an expired listen key is a problem of its socket."""

    async def story(heard: Heard) -> None:
        subscriptions = await DIALECT.private(heard.caller, [SPOT, PERP])
        assert 2 == len({one.url for one in subscriptions})
        await heard.open(subscriptions)
        wire: Any = heard.emulator.wires["binance"]
        wire.expire_listen_keys()
        await heard.until(lambda: bool(heard.problems))
        assert ["listenKeyExpired"] == heard.problems

    run(story)


@BOTH
def test_public_channels(symbol: str) -> None:
    """Trades, quotes, marks and a book that continues its snapshot to the feed's own state."""

    async def story(heard: Heard) -> None:
        channels = ("book", "trades", "quotes", "marks")
        await heard.open(DIALECT.public(heard.caller, [symbol], channels))
        feed = heard.emulator.wires["binance"].feed.symbols[symbol]
        snapshot = await DIALECT.book(heard.caller, symbol)
        assert snapshot is not None
        heard.house.crowd(symbol, BUY, 6_100_000, 50_000)
        heard.house.crowd(symbol, BUY, 5_999_900, 7_000)
        emulate(heard)
        if symbol == PERP:
            wire = heard.emulator.wires["binance"]
            mark = heard.house.instruments[symbol].mark
            wire.marked(symbol, MarkPrice(symbol, mark, heard.house.clock.true_ns(), mark))
        kinds = (TradeView, QuoteView, BookView, *((MarkView,) if symbol == PERP else ()))
        await heard.until(lambda: {type(view) for view in heard.views} >= {*kinds})
        await heard.until(lambda: heard.last_id() >= feed.last_id)
        sequence, book = BookSequence(), Book()
        for view in (snapshot, *(v for v in heard.views if isinstance(v, BookView))):
            for shown in sequence.take(view):
                book.apply(shown)
        assert sequence.is_valid
        assert {symbol} == {view.symbol for view in heard.views if isinstance(view, QuoteView)}
        for side, at in ((BUY, 0), (SELL, 1)):
            truth = {Decimal(p).scaleb(-2): Decimal(q).scaleb(-6) for p, q in feed.levels(side, 99)}
            assert truth == {price: Decimal(size) for price, size in book.sides[at].items()}

    run(story)


@BOTH
def test_a_lost_book_frame_is_seen(symbol: str) -> None:
    """The next update does not follow: the book is not valid until a snapshot."""

    async def story(heard: Heard) -> None:
        await heard.open(DIALECT.public(heard.caller, [symbol], ("book",)))
        snapshot = await DIALECT.book(heard.caller, symbol)
        assert snapshot is not None
        sequence = BookSequence()
        sequence.take(snapshot)
        for at in range(3):
            if at == 1:
                heard.house.faults.add(Fault(FRAME_DROP, "public"))
            heard.house.crowd(symbol, BUY, 5_000_000 + 100 * at, 10_000)
            emulate(heard)
        feed = heard.emulator.wires["binance"].feed.symbols[symbol]
        await heard.until(lambda: heard.last_id() >= feed.last_id)
        for view in heard.views:
            assert isinstance(view, BookView)
            sequence.take(view)
        assert not sequence.is_valid
        again = await DIALECT.book(heard.caller, symbol)
        assert again is not None
        sequence.take(again)
        assert sequence.is_valid

    run(story)
