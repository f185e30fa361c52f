"""Requests to the emulated OKX by hand, signed as its documentation says."""

import asyncio
import base64
import datetime as dt
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import aiohttp
from msgspec.structs import replace
from yarl import URL

from emulator.redirect import DEADLINE_S, plain_url
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.house import House
from zvt_trading.emulator.keys import ApiKey

NAME = "okx"
LIMIT = dict(instId="BTC-USDT", tdMode="cash", side="buy", ordType="limit", px="50000", sz="0.01")
SWAP = dict(instId="BTC-USDT-SWAP", tdMode="cross", side="buy", ordType="limit", px="50000", sz="1")


def signature(key: ApiKey, said: str) -> str:
    return base64.b64encode(hmac.new(key.secret.encode(), said.encode(), sha256).digest()).decode()


class Socket:
    """One WebSocket; `frame` waits for the next frame that is not an acknowledgement."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, hand: "Hand") -> None:
        self._socket = socket
        self._hand = hand

    async def say(self, frame: dict[str, Any] | str) -> None:
        await self._socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def hear(self) -> Any:
        """The next frame, whatever it is."""
        text = await asyncio.wait_for(self._socket.receive_str(), DEADLINE_S)
        return text if text == "pong" else json.loads(text)

    async def frame(self) -> Any:
        """The next frame of data."""
        while "data" not in (heard := await self.hear()):
            pass
        return heard

    async def subscribe(self, **arg: str) -> Any:
        """Until it is acknowledged (or refused)."""
        await self.say({"op": "subscribe", "args": [arg]})
        return await self.hear()

    async def login(self, **changed: str) -> Any:
        """The answer to a login."""
        key = self._hand.key
        time = changed.get("timestamp") or str(self._hand.house.clock.now_ms() // 1_000)
        sign = signature(key, f"{time}GET/users/self/verify")
        arg = {"apiKey": key.key, "passphrase": key.passphrase, "timestamp": time, "sign": sign}
        await self.say({"op": "login", "args": [{**arg, **changed}]})
        return await self.hear()


class Hand:
    """One client; `status` is of the last answer."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.house: House = emulator.houses[NAME]
        self.key: ApiKey = emulator.keys[NAME]
        self.status = 0
        self._session = session

    async def get(self, path: str, **query: Any) -> Any:
        """Signed."""
        target = f"/api/v5/{path}" + (f"?{urlencode(query)}" if query else "")
        return await self.call("GET", target, "", self.signed("GET", target, ""))

    async def post(self, path: str, body: Any) -> Any:
        """Signed."""
        target, text = f"/api/v5/{path}", json.dumps(body)
        return await self.call("POST", target, text, self.signed("POST", target, text))

    async def place(self, **fields: Any) -> Any:
        """The acknowledgement of an order."""
        return (await self.post("trade/order", fields))["data"][0]

    async def order(self, **fields: Any) -> Any:
        """One order, by instId and ordId or clOrdId."""
        return (await self.get("trade/order", **fields))["data"][0]

    def signed(self, method: str, target: str, body: str) -> dict[str, str]:
        """The headers of a request."""
        now = dt.datetime.fromtimestamp(self.house.clock.now_ms() // 1_000, dt.UTC)
        time = now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return {
            "OK-ACCESS-KEY": self.key.key,
            "OK-ACCESS-PASSPHRASE": self.key.passphrase,
            "OK-ACCESS-TIMESTAMP": time,
            "OK-ACCESS-SIGN": signature(self.key, time + method + target + body),
            "Content-Type": "application/json",
        }

    async def call(self, method: str, target: str, body: str, headers: dict[str, str]) -> Any:
        """As it stands."""
        url = URL(plain_url(self.emulator, NAME) + target, encoded=True)  # signed as it is
        async with self._session.request(
            method, url, data=body or None, headers=headers
        ) as response:
            self.status = response.status
            return await response.json()

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[Socket]:
        """A WebSocket of /ws/v5/."""
        url = plain_url(self.emulator, NAME, "ws") + f"/ws/v5/{path}"
        async with self._session.ws_connect(url) as opened:
            yield Socket(opened, self)


Story = Callable[[Hand], Awaitable[None]]


def run(story: Story) -> None:
    """On an emulator whose market stands still."""

    async def whole() -> None:
        async with Emulator((NAME,), is_quiet=True) as emulator, aiohttp.ClientSession() as session:
            await story(Hand(emulator, session))

    asyncio.run(whole())


def add_key(hand: Hand, **changed: Any) -> None:
    """Sign with another key of the same account from now on."""
    hand.key = replace(hand.key, key="another", **changed)
    hand.house.add_key(hand.key)
