"""An emulated Coinbase to call: by hand with any token, and through ccxt with the key's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import jwt
from coinbase.jwt_generator import build_jwt  # type: ignore[import-untyped]  # ships no types
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from emulator.redirect import DEADLINE_S, exchange, running, session
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.feed import BookUpdate
from zvt_trading.emulator.house import House
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.messages.market import MarkPrice, QuoteTick, TradeTick

HOST = "api.coinbase.com"
V3 = "/api/v3/brokerage"
SYMBOL = "BTC/USDT"
PRODUCT = "BTC-USDT"
STREAM = "wss://advanced-trade-ws.coinbase.com"
USER_STREAM = "wss://advanced-trade-ws-user.coinbase.com"
SETTINGS = {
    "enableRateLimit": False,
    "options": {
        "createMarketBuyOrderRequiresPrice": False,
        "fetchBalance": "v3PrivateGetBrokerageAccounts",
        "fetchTime": "v3PublicGetBrokerageTime",
    },
}


class Answer:
    """Of one request: status, JSON, headers."""

    def __init__(self, status: int, body: Any, headers: dict[str, str]) -> None:
        self.status = status
        self.body = body
        self.headers = headers


class World:
    """A quiet emulated Coinbase, and a session that finds it under its real names."""

    def __init__(self, emulator: Emulator, opened: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.session = opened

    @property
    def house(self) -> House:
        return self.emulator.houses["coinbase"]

    @property
    def key(self) -> ApiKey:
        return self.emulator.keys["coinbase"]

    def token(self, method: str, path: str) -> str:
        """A token as the official SDK makes it."""
        return str(build_jwt(self.key.key, self.key.secret, f"{method} {HOST}{path}"))

    def crafted(self, key: ApiKey | None = None, **claims: Any) -> str:
        """A token of our own making, with other claims than it should have."""
        signer = key or self.key
        private = load_pem_private_key(signer.secret.encode(), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        now = self.house.clock.now_ms() // 1000
        usual = {"sub": self.key.key, "iss": "cdp", "nbf": now, "exp": now + 120}
        head = {"kid": self.key.key, "nonce": "1"}
        return jwt.encode({**usual, **claims}, private, algorithm="ES256", headers=head)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        query: Any = None,
    ) -> Answer:
        """A request with the SDK's token, or another one ("" for none)."""
        signed = self.token(method, path) if token is None else token
        sent = {"Authorization": f"Bearer {signed}"} if signed else {}
        url = f"https://{HOST}{path}"
        async with self.session.request(
            method, url, json=body, params=query, headers=sent
        ) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, await answer.json(), headers)

    async def place(self, client_id: str, configuration: Any, side: str = "BUY") -> Any:
        """A create request; its body."""
        body = order_body(client_id, configuration, side)
        return (await self.call("POST", f"{V3}/orders", body)).body

    async def trade(self) -> None:
        """Buy a little at the best ask, and wait until the public has seen it."""
        seen = Seen()
        self.emulator.wires["coinbase"].feed.listeners.append(seen)
        order = {"sor_limit_ioc": {"base_size": "0.001", "limit_price": "60100.00"}}
        assert (await self.place("trade", order))["success"] is True
        async with asyncio.timeout(DEADLINE_S):
            await seen.trade.wait()


class Seen:
    """Hears the market; `trade` is set by the first trade."""

    def __init__(self) -> None:
        self.trade = asyncio.Event()

    def traded(self, symbol: str, trade: TradeTick) -> None:
        del symbol, trade
        self.trade.set()

    def book_changed(self, update: BookUpdate) -> None:
        pass

    def quoted(self, symbol: str, quote: QuoteTick) -> None:
        pass

    def marked(self, symbol: str, mark: MarkPrice) -> None:
        pass


def order_body(client_id: str, configuration: Any, side: str = "BUY") -> dict[str, Any]:
    return {
        "client_order_id": client_id,
        "product_id": PRODUCT,
        "side": side,
        "order_configuration": configuration,
    }


def limit(price: str = "50000.00", size: str = "0.01", **more: Any) -> dict[str, Any]:
    return {"limit_limit_gtc": {"base_size": size, "limit_price": price, **more}}


@asynccontextmanager
async def coinbase_world() -> AsyncIterator[World]:
    async with (
        running(Emulator(("coinbase",), is_quiet=True)) as emulator,
        session(emulator) as opened,
    ):
        yield World(emulator, opened)


@asynccontextmanager
async def ccxt_world() -> AsyncIterator[tuple[World, Any]]:
    """With a ccxt.pro exchange in str mode that has loaded the markets."""
    async with (
        coinbase_world() as world,
        exchange(world.emulator, "coinbase", SETTINGS) as client,
    ):
        await client.load_markets()
        yield world, client


class Listener:
    """A WebSocket by hand."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def say(self, **message: Any) -> None:
        await self._socket.send_json({"type": "subscribe", "product_ids": [PRODUCT], **message})

    async def say_text(self, text: str) -> None:
        await self._socket.send_str(text)

    async def next(self, channel: str = "") -> Any:
        """The next frame (of a channel)."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                frame = await self._socket.receive_json()
                if channel in {"", frame.get("channel")}:
                    return frame


@asynccontextmanager
async def listening(world: World, url: str = STREAM) -> AsyncIterator[Listener]:
    async with world.session.ws_connect(url) as socket:
        yield Listener(socket)
