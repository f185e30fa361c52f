"""Market views to the engine's market data: at the time they were true, books only in sequence."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from zvt_trading.adapters.ccxt.books import BookSequence
from zvt_trading.adapters.ccxt.translate import Translator
from zvt_trading.adapters.ccxt.views import (
    BookView,
    GapView,
    MarkView,
    QuoteView,
    TradeView,
    View,
)
from zvt_trading.core.units import UnitError
from zvt_trading.messages.market import BookInvalid, MarketData

_log = structlog.get_logger("zvt_trading.venue")

SNAPSHOT_SECONDS: Final = 5.0
"""A stream that brings snapshots itself has brought all of them by then, or is opened anew."""

Snapshot = Callable[[str], Awaitable[BookView | None]]


class MarketStream:
    """For one venue. `snapshot` asks for a book by REST, `resubscribe` for all by new streams.

    `snapshot` gives None where the streams begin with snapshots: there a lost book costs new
    streams. `books` are the symbols whose books were subscribed to.
    """

    def __init__(
        self,
        translator: Translator,
        tell: Callable[[MarketData], None],
        local_ns: Callable[[int], int],
        snapshot: Snapshot,
        resubscribe: Callable[[str], None],
        books: Sequence[str] = (),
    ) -> None:
        self.gaps = 0
        self.frames = 0
        self._translator: Final = translator
        self._tell: Final = tell
        self._local_ns: Final = local_ns
        self._snapshot: Final = snapshot
        self._resubscribe: Final = resubscribe
        self._books = {symbol: BookSequence() for symbol in books}
        self._is_streamed: bool | None = None  # snapshots come by the stream; None: not known yet
        self._opening: asyncio.Task[None] | None = None
        self._fetching: dict[str, asyncio.Task[None]] = {}

    def take(self, view: View) -> None:
        """One view of public data; others are not for here."""
        self.frames += 1
        try:
            self._take(view)
        except UnitError as error:
            _log.warning("market data that is not on our scales", why=str(error))

    def begin(self) -> None:
        """The streams are about to be opened: every book begins again.

        Not when they are open: of several sockets the first may have brought snapshots by then.
        """
        for symbol, book in self._books.items():
            if book.is_valid:
                self._invalidate(symbol, "the streams begin again")
            book.lose()

    def opened(self) -> None:
        """The streams were subscribed to: snapshots are on their way, or asked for."""
        self._stop_opening()
        self._opening = asyncio.get_running_loop().create_task(self._open_books())

    def closed(self) -> None:
        """The streams are gone: no book is to be used."""
        self._stop_opening()
        for symbol in self._books:
            self._invalidate(symbol, "the stream is gone")

    def close(self) -> None:
        """Ask for nothing more."""
        self._stop_opening()
        for task in self._fetching.values():
            task.cancel()

    def _take(self, view: View) -> None:
        translator = self._translator
        if isinstance(view, BookView):
            self._book(view)
        elif isinstance(view, QuoteView):
            self._tell(translator.quote(view, self._local_ns(view.ts)))
        elif isinstance(view, TradeView):
            self._tell(translator.trade(view, self._local_ns(view.ts)))
        elif isinstance(view, MarkView):
            self._tell(translator.mark(view, self._local_ns(view.ts)))
        elif isinstance(view, GapView):
            for symbol in tuple(self._books) if view.symbol == "" else (view.symbol,):
                self._lost(symbol, view.reason)

    def _book(self, view: BookView) -> None:
        book = self._books.get(view.symbol)
        if book is None:
            book = BookSequence()
            self._books[view.symbol] = book
            if not view.is_snapshot:
                self._fetch(view.symbol)
        was_valid = book.is_valid
        for shown in book.take(view):
            self._tell(self._translator.book(shown, self._local_ns(shown.ts)))
        if was_valid and not book.is_valid:
            self._lost(view.symbol, "a gap in the sequence")

    def _lost(self, symbol: str, why: str) -> None:
        self.gaps += 1
        self._invalidate(symbol, why)
        if self._is_streamed:
            self._resubscribe(why)
        else:
            self._fetch(symbol)

    def _invalidate(self, symbol: str, why: str) -> None:
        book = self._books.setdefault(symbol, BookSequence())
        book.lose()
        name = f"{self._translator.venue}:{symbol}"
        self._tell(BookInvalid(name, self._local_ns(0), why))

    def _fetch(self, symbol: str) -> None:
        running = self._fetching.get(symbol)
        if running is None or running.done():
            loop = asyncio.get_running_loop()
            self._fetching[symbol] = loop.create_task(self._fetch_now(symbol))

    async def _fetch_now(self, symbol: str) -> None:
        await self._ask(symbol)
        if self._is_streamed and not self._books[symbol].is_valid:
            await self._expect_snapshots()

    async def _ask(self, symbol: str) -> None:
        """Take a snapshot, or learn that the streams bring them."""
        try:
            view = await self._snapshot(symbol)
        except Exception as error:  # noqa: BLE001 - whatever it is: begin the streams again
            _log.warning("no snapshot of a book", symbol=symbol, why=type(error).__name__)
            self._resubscribe("no snapshot of a book")
            return
        self._is_streamed = view is None
        if view is not None:
            self._book(view)

    async def _open_books(self) -> None:
        """Get a snapshot of every book; only the first question tells which way they come."""
        for symbol in tuple(self._books):
            if self._is_streamed is None:
                await self._ask(symbol)
            elif not self._is_streamed:
                self._fetch(symbol)
        if self._is_streamed:
            await self._expect_snapshots()

    async def _expect_snapshots(self) -> None:
        """New streams when these have not brought every book."""
        await asyncio.sleep(SNAPSHOT_SECONDS)
        if not all(book.is_valid for book in self._books.values()):
            self._resubscribe("a book without a snapshot")

    def _stop_opening(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
