"""Requests to the emulated Binance by hand, signed as its documentation says."""

import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from emulator.redirect import plain_url
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.house import House
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.messages.market import MarkPrice

NAME = "binance"


class Hand:
    """One client; `status` and `headers` are of the last answer."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.house: House = emulator.houses[NAME]
        self.key: ApiKey = emulator.keys[NAME]
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.session = session

    async def public(self, method: str, path: str, **params: Any) -> Any:
        """Without a key."""
        return await self.call(method, f"{path}?{urlencode(params)}")

    async def keyed(self, method: str, path: str, **params: Any) -> Any:
        """With the key, unsigned (listen keys)."""
        return await self.call(
            method, f"{path}?{urlencode(params)}", {"X-MBX-APIKEY": self.key.key}
        )

    async def signed(self, method: str, path: str, **params: Any) -> Any:
        """All in the query; a `timestamp` or `signature` that is given stays as it is."""
        signature = params.pop("signature", None)
        params.setdefault("timestamp", self.house.clock.now_ms())
        query = urlencode(params)
        if signature is None:
            signature = self._signature(query)
        query = f"{query}&signature={signature}"
        return await self.call(method, f"{path}?{query}", {"X-MBX-APIKEY": self.key.key})

    def api_request(self, method: str, **params: Any) -> dict[str, Any]:
        """A signed request of ws-api."""
        params |= {"apiKey": self.key.key, "timestamp": self.house.clock.now_ms()}
        query = "&".join(f"{name}={params[name]}" for name in sorted(params))
        params["signature"] = self._signature(query)
        return {"id": "1", "method": method, "params": params}

    def mark(self, symbol: str) -> MarkPrice:
        """The mark price as it is."""
        instrument = self.house.instruments[symbol]
        return MarkPrice(
            instrument.id, instrument.mark, self.house.clock.true_ns(), instrument.mark
        )

    def _signature(self, text: str) -> str:
        return hmac.new(self.key.secret.encode(), text.encode(), sha256).hexdigest()

    async def call(self, method: str, target: str, headers: Mapping[str, str] | None = None) -> Any:
        """As it stands: a path with its query."""
        url = URL(plain_url(self.emulator, NAME) + target, encoded=True)  # signed as it is
        async with self.session.request(method, url, headers=headers) as response:
            self.status = response.status
            self.headers = response.headers
            return await response.json()


@asynccontextmanager
async def by_hand() -> AsyncIterator[Hand]:
    """A quiet emulator and a client of it."""
    async with Emulator((NAME,), is_quiet=True) as emulator, aiohttp.ClientSession() as session:
        yield Hand(emulator, session)
