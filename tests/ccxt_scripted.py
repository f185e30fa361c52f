"""A venue that says what a test wrote down: a dialect, and the ccxt object that it speaks to.

dialect = ScriptedDialect(fills=[fill_view()], find=VenueError("no"))  # an error is raised
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ccxt_world import PROFILE
from zvt_trading.adapters.ccxt.client import _sent
from zvt_trading.adapters.ccxt.dialect import Caller, Create, Frame, Profile, Subscription, Wanted
from zvt_trading.adapters.ccxt.views import (
    BalanceView,
    BookView,
    FillView,
    FundingView,
    OrderView,
    PositionView,
    TransferView,
    View,
)

PRIVATE_URL = "wss://private"
PUBLIC_URL = "wss://public"
POST = "POST"


def sent(method: str) -> None:
    """Mark that a request left, as the guard of the real ccxt object does."""
    mark = _sent.get()
    if mark is not None:
        mark.append(method)


class ScriptedDialect:
    """Answers by the name of the question: a value, an error, or a list of either in `after`."""

    profile: Profile = PROFILE

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = answers
        self.after: dict[str, list[Any]] = {}  # what is said before that, one after another
        self.asked: list[tuple[Any, ...]] = []

    def count(self, name: str) -> int:
        """How often it was asked."""
        return sum(asked[0] == name for asked in self.asked)

    def settings(self) -> dict[str, Any]:
        return {}

    def create(self, wanted: Wanted, market: Mapping[str, Any]) -> Create:
        del market
        error = self.answers.get("create")
        if error is not None:
            raise error
        params = {"clientOrderId": wanted.order_id}
        return Create(wanted.symbol, "limit", wanted.side, wanted.quantity, wanted.price, params)

    def created(self, answer: Mapping[str, Any], wanted: Wanted) -> list[View]:
        del answer
        return list(self._say([], "created", wanted.order_id))

    async def cancel(self, caller: Caller, symbol: str, order_id: str, venue_id: str) -> None:
        del caller
        self._say(None, "cancel", symbol, order_id, venue_id)

    async def amend(self, caller: Caller, view: OrderView, price: str, quantity: str) -> list[View]:
        del caller
        sent(POST)
        return list(self._say([], "amend", view.order_id, price, quantity))

    async def set_leverage(self, caller: Caller, symbol: str, leverage: int, mode: int) -> None:
        del caller
        self._say(None, "set_leverage", symbol, leverage, mode)

    async def find(
        self, caller: Caller, symbol: str, order_id: str, venue_id: str
    ) -> OrderView | None:
        del caller
        found: OrderView | None = self._say(None, "find", symbol, order_id, venue_id)
        return found

    async def fills_of(self, caller: Caller, view: OrderView) -> list[FillView]:
        del caller
        return list(self._say([], "fills_of", view.order_id))

    async def fills(self, caller: Caller, symbols: Sequence[str], since_ms: int) -> list[FillView]:
        del caller
        return list(self._say([], "fills", tuple(symbols), since_ms))

    async def open_orders(self, caller: Caller, symbols: Sequence[str]) -> list[OrderView]:
        del caller
        return list(self._say([], "open_orders", tuple(symbols)))

    async def balances(self, caller: Caller) -> list[BalanceView]:
        del caller
        return list(self._say([], "balances"))

    async def positions(self, caller: Caller, symbols: Sequence[str]) -> list[PositionView]:
        del caller
        return list(self._say([], "positions", tuple(symbols)))

    async def transfers(self, caller: Caller, since_ms: int) -> list[TransferView]:
        del caller
        return list(self._say([], "transfers", since_ms))

    async def funding(
        self, caller: Caller, symbols: Sequence[str], since_ms: int
    ) -> list[FundingView]:
        del caller
        return list(self._say([], "funding", tuple(symbols), since_ms))

    async def private(self, caller: Caller, symbols: Sequence[str]) -> list[Subscription]:
        del caller
        usual = [Subscription(PRIVATE_URL, "orders", {})]
        return list(self._say(usual, "private", tuple(symbols)))

    def public(
        self, caller: Caller, symbols: Sequence[str], channels: Sequence[str]
    ) -> list[Subscription]:
        del caller
        usual = [Subscription(PUBLIC_URL, "quotes", {})]
        return list(self._say(usual, "public", tuple(symbols), tuple(channels)))

    def frames(self, caller: Caller, url: str, frame: Mapping[str, Any]) -> Frame:
        """A test sends what a frame means as the frame itself."""
        del caller, url
        if isinstance(frame, Exception):
            raise frame
        assert isinstance(frame, Frame)
        return frame

    async def book(self, caller: Caller, symbol: str) -> BookView | None:
        del caller
        found: BookView | None = self._say(None, "book", symbol)
        return found

    def _say(self, usual: Any, name: str, *asked: Any) -> Any:
        self.asked.append((name, *asked))
        waiting = self.after.get(name)
        said = waiting.pop(0) if waiting else self.answers.get(name, usual)
        if isinstance(said, Exception):
            raise said
        return said


class Socket:
    """A connection of ccxt, which a test ends."""

    def __init__(self) -> None:
        self.connected: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.connected.set_result(True)
        self.futures: list[asyncio.Future[Any]] = []
        self.errors: list[Exception] = []
        self.is_closed = False

    def closed(self) -> bool:
        return self.is_closed

    async def close(self) -> None:
        self.is_closed = True

    def on_error(self, error: Exception) -> None:
        """As ccxt's: whoever waits for a message is told."""
        self.errors.append(error)
        for future in self.futures:
            if not future.done():
                future.set_exception(error)


class ScriptedExchange:
    """Its sockets open at once, and are as good as a test wants."""

    id = "binance"

    def __init__(self) -> None:
        self.clients: dict[str, Socket] = {}
        self.opened: list[Socket] = []
        self.watched: list[str] = []
        self.created: list[tuple[Any, ...]] = []
        self.create: Callable[[], Any] = dict
        self.time: Callable[[], int] = lambda: 0
        self.markets: Any = {}
        self.hear: Any = None
        self.is_closed = False

    def market(self, symbol: str) -> dict[str, Any]:
        return {"symbol": symbol}

    async def load_markets(self) -> Any:
        if isinstance(self.markets, Exception):
            raise self.markets
        return self.markets

    async def fetch_time(self) -> int:
        return self.time()

    async def create_order(self, *arguments: Any) -> Any:
        self.created.append(arguments)
        return self.create()

    def watch(self, url: str, key: str, message: Any, subscription: str) -> "asyncio.Future[Any]":
        del message, subscription
        self.watched.append(key)
        if url not in self.clients:
            self.clients[url] = Socket()
            self.opened.append(self.clients[url])
        future = asyncio.get_running_loop().create_future()
        self.clients[url].futures.append(future)
        return future

    async def close(self) -> None:
        self.is_closed = True
