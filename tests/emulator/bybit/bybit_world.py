"""Requests to the emulated Bybit by hand, signed as its documentation says."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from emulator.redirect import DEADLINE_S, plain_url
from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import parse_scaled
from zvt_trading.emulator.bybit.wire import BybitWire
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.house import House
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.emulator.limits import Budget
from zvt_trading.messages.codes import BUY, SELL

NAME = "bybit"
SPOT = "BTC/USDT"
PERPETUAL = "BTC/USDT:USDT"
CATEGORIES = {SPOT: "spot", PERPETUAL: "linear"}
BUY_BELOW = "50000.00"
"""Far below the market: rests."""
INSIDE = "60000.00"
"""Between the best prices of the quiet market: rests, and is met before all others."""
BUY_ABOVE = "70000.00"
"""Far above: takes."""
LIMIT_BUY = dict(
    symbol="BTCUSDT", side="Buy", orderType="Limit", qty="0.001", price=BUY_BELOW, timeInForce="GTC"
)

Story = Callable[["Hand"], Awaitable[None]]


class Hand:
    """One client; `status` and `headers` are of the last answer."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.house: House = emulator.houses[NAME]
        self.key: ApiKey = emulator.keys[NAME]
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.window = "5000"
        self.session = session
        self._spoil: Callable[[dict[str, str]], None] = lambda _headers: None

    @property
    def wire(self) -> BybitWire:
        found = self.emulator.wires[NAME]
        assert isinstance(found, BybitWire)
        return found

    def spoil(self, change: Callable[[dict[str, str]], None]) -> None:
        """From now on change the signed headers before they leave."""
        self._spoil = change

    async def get(self, path: str, **params: Any) -> Any:
        """Signed; also for public paths, which do not look."""
        query = urlencode(params)
        return await self._call("GET", f"{path}?{query}" if query else path, query, None)

    async def post(self, path: str, **params: Any) -> Any:
        body = json.dumps(params)
        return await self._call("POST", path, body, body)

    async def create(self, category: str = "spot", **changes: Any) -> Any:
        """A limit buy that rests, unless changed; the answer."""
        order = {**LIMIT_BUY, "category": category, **changes}
        return await self.post("/v5/order/create", **order)

    async def placed(self, category: str = "spot", **changes: Any) -> str:
        """The id of an order that was taken."""
        answer = await self.create(category, **changes)
        assert answer["retCode"] == 0, answer
        return str(answer["result"]["orderId"])

    async def order(self, order_id: str, category: str = "spot") -> dict[str, Any]:
        """What is known of it."""
        params = dict(category=category, orderId=order_id)
        (row,) = (await self.get("/v5/order/realtime", **params))["result"]["list"]
        assert isinstance(row, dict)
        return row

    def instrument(self, symbol: str = SPOT) -> Instrument:
        return self.house.instruments[symbol]

    def sells(self, quantity: str, price: str, symbol: str = SPOT) -> None:
        """Somebody offers."""
        self._crowd(symbol, SELL, price, quantity)

    def buys(self, quantity: str, price: str, symbol: str = SPOT) -> None:
        """Somebody bids."""
        self._crowd(symbol, BUY, price, quantity)

    def generous(self) -> None:
        """No limit of orders, for tests that place many."""
        for name in ("place", "cancel", "query", "amend"):
            self.house.limits.budgets[name] = Budget(100_000, 1_000)

    def mean(self, name: str) -> None:
        """Every request of a budget is one too many."""
        self.house.limits.budgets[name] = Budget(0, 1_000)

    def _crowd(self, symbol: str, side: int, price: str, quantity: str) -> None:
        instrument = self.instrument(symbol)
        self.house.crowd(
            symbol,
            side,
            parse_scaled(price, instrument.price_scale),
            parse_scaled(quantity, instrument.quantity_scale),
        )

    async def _call(self, method: str, target: str, signed: str, body: str | None) -> Any:
        timestamp = str(self.house.clock.now_ms())
        text = timestamp + self.key.key + self.window + signed
        headers = {
            "X-BAPI-API-KEY": self.key.key,
            "X-BAPI-TIMESTAMP": timestamp,
            "X-BAPI-RECV-WINDOW": self.window,
            "X-BAPI-SIGN": hmac.new(self.key.secret.encode(), text.encode(), sha256).hexdigest(),
        }
        self._spoil(headers)
        url = URL(plain_url(self.emulator, NAME) + target, encoded=True)  # signed as it is
        async with self.session.request(method, url, headers=headers, data=body) as response:
            self.status = response.status
            self.headers = response.headers
            return await response.json()


class Socket:
    """A WebSocket; `next` gives the next message of a topic (or operation), in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def say(self, **message: Any) -> None:
        await self._socket.send_json(message)

    async def next(self, topic: str) -> dict[str, Any]:
        """Skips what is of other topics."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                message = await self._socket.receive_json()
                if topic in {message.get("topic"), message.get("op")}:
                    assert isinstance(message, dict)
                    return message

    async def subscribe(self, *topics: str) -> dict[str, Any]:
        """The answer."""
        await self.say(op="subscribe", req_id="1", args=list(topics))
        return await self.next("subscribe")

    async def login(self, hand: Hand, secret: str = "") -> dict[str, Any]:
        """The answer."""
        expires = str(hand.house.clock.now_ms() + 10_000)
        signed = hmac.new(
            (secret or hand.key.secret).encode(), f"GET/realtime{expires}".encode(), sha256
        )
        await self.say(op="auth", args=[hand.key.key, expires, signed.hexdigest()])
        return await self.next("auth")


@asynccontextmanager
async def socket_of(hand: Hand, path: str) -> AsyncIterator[Socket]:
    """An open socket of a path."""
    url = plain_url(hand.emulator, NAME, "ws") + path
    async with hand.session.ws_connect(url) as socket:
        yield Socket(socket)


@asynccontextmanager
async def by_hand() -> AsyncIterator[Hand]:
    """A quiet emulator and a client of it."""
    async with Emulator((NAME,), is_quiet=True) as emulator, aiohttp.ClientSession() as session:
        yield Hand(emulator, session)


def run(story: Story) -> None:
    """A test as a coroutine that is given a hand."""

    async def whole() -> None:
        async with by_hand() as hand:
            await story(hand)

    asyncio.run(whole())
