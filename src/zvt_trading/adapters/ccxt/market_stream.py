"""Market views to the engine's market data: at the time they were true, books only in sequence."""

import asyncio
from collections.abc import Awaitable, Callable
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

Snapshot = Callable[[str], Awaitable[BookView | None]]


class MarketStream:
    """For one venue. `snapshot` asks for a book by REST, `resubscribe` for all by new streams."""

    def __init__(
        self,
        translator: Translator,
        tell: Callable[[MarketData], None],
        local_ns: Callable[[int], int],
        snapshot: Snapshot,
        resubscribe: Callable[[str], None],
    ) -> None:
        self.gaps = 0
        self.frames = 0
        self._translator: Final = translator
        self._tell: Final = tell
        self._local_ns: Final = local_ns
        self._snapshot: Final = snapshot
        self._resubscribe: Final = resubscribe
        self._books: dict[str, BookSequence] = {}
        self._fetching: dict[str, asyncio.Task[None]] = {}

    def take(self, view: View) -> None:
        """One view of public data; others are not for here."""
        self.frames += 1
        try:
            self._take(view)
        except UnitError as error:
            _log.warning("market data that is not on our scales", why=str(error))

    def opened(self) -> None:
        """The streams were subscribed anew: every book begins again."""
        for symbol, book in self._books.items():
            book.lose()
            self._fetch(symbol)

    def closed(self) -> None:
        """The streams are gone: no book is to be used."""
        for symbol in self._books:
            self._invalidate(symbol, "the stream is gone")

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
        try:
            view = await self._snapshot(symbol)
        except Exception as error:  # noqa: BLE001 - whatever it is: begin the streams again
            _log.warning("no snapshot of a book", symbol=symbol, why=type(error).__name__)
            self._resubscribe("no snapshot of a book")
            return
        if view is not None:
            self._book(view)
        elif self._books[symbol].is_valid is False and self.gaps:
            self._resubscribe("a book without a snapshot")
