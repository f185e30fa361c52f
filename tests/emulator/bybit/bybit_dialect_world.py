"""For the tests of Bybit's dialect: markets without ccxt, and a real ccxt on an emulator."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp

from emulator.bybit.bybit_world import NAME, PERPETUAL, SPOT, Hand
from emulator.redirect import DEADLINE_S, running
from zvt_trading.adapters.ccxt.bybit import DIALECT
from zvt_trading.adapters.ccxt.client import ApiCredentials, Client, Endpoint
from zvt_trading.adapters.ccxt.dialect import Frame, Raw, Wanted
from zvt_trading.adapters.ccxt.streams import StreamGroup, Subscriptions
from zvt_trading.emulator.emulator import LOOPBACK, Emulator

SYMBOLS = (SPOT, PERPETUAL)
PRIVATE_URL = "wss://stream.bybit.com/v5/private"
SPOT_URL = "wss://stream.bybit.com/v5/public/spot"
LINEAR_URL = "wss://stream.bybit.com/v5/public/linear"

T = TypeVar("T")
Story = Callable[[Any, Hand], Awaitable[None]]


def market(symbol: str) -> dict[str, Any]:
    """As ccxt has it, in what the dialect looks at."""
    base, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    return {
        "id": base + quote, "symbol": symbol, "base": base, "quote": quote,
        "settle": settle or None, "spot": not settle, "swap": bool(settle),
        "linear": bool(settle) or None,
    }  # fmt: skip


class Markets:
    """A caller that only knows markets."""

    def __init__(self, *symbols: str) -> None:
        self._markets = {symbol: market(symbol) for symbol in symbols}
        self.markets_by_id: dict[str, list[dict[str, Any]]] = {}
        for found in self._markets.values():
            self.markets_by_id.setdefault(found["id"], []).append(found)

    def market(self, symbol: str) -> dict[str, Raw]:
        return self._markets[symbol]

    def __getattr__(self, name: str) -> Raw:
        raise AssertionError(f"pure code asked ccxt for {name}")


def wanted(symbol: str = SPOT, **changes: Any) -> Wanted:
    """A limit buy that rests, unless changed."""
    plain: dict[str, Any] = dict(
        order_id="mine", symbol=symbol, side="buy", price="50000", quantity="0.002", tif="GTC",
        post_only=False, reduce_only=False, expire_ms=0,
    )  # fmt: skip
    return Wanted(**{**plain, **changes})


def run(story: Story) -> None:
    """With ccxt's exchange as the adapter makes it, and a hand for what only others can do."""

    async def whole() -> None:
        async with (
            running(Emulator((NAME,), is_quiet=True)) as emulator,
            aiohttp.ClientSession() as session,
        ):
            key = emulator.keys[NAME]
            endpoint = Endpoint(LOOPBACK, emulator.tls_port, str(emulator.authority.ca_file))
            client = Client(DIALECT, ApiCredentials(key.key, key.secret), endpoint)
            hand = Hand(emulator, session)
            hand.generous()
            try:
                await client.exchange.load_markets()
                await story(client.exchange, hand)
            finally:
                await client.close()

    asyncio.run(whole())


async def place(caller: Any, symbol: str = SPOT, **changes: Any) -> str:
    """An order as the gateway sends it; its id at the exchange."""
    asked = wanted(symbol, **changes)
    create = DIALECT.create(asked, caller.market(symbol))
    answer = await caller.create_order(
        create.symbol, create.type, create.side, create.amount, create.price, create.params
    )
    (view,) = DIALECT.created(answer, asked)
    return str(view.venue_order_id)  # type: ignore[union-attr]  # an OrderView has one


class Listening:
    """The streams of a caller as the gateway opens them; what their frames say, in order."""

    def __init__(self, caller: Any) -> None:
        self.frames: list[Frame] = []
        self._caller = caller
        self._came = asyncio.Event()
        self._groups: list[StreamGroup] = []

    def start(self, name: str, subscriptions: Subscriptions) -> StreamGroup:
        """Open a group; a frame's problem begins it anew."""
        self._caller.hear = self._hear
        group = StreamGroup(self._caller, DIALECT, name, subscriptions, lambda _is_up: None)
        self._groups.append(group)
        group.start()
        return group

    async def private(self) -> None:
        """Until the subscription is acknowledged."""
        self.start("private", lambda: DIALECT.private(self._caller, SYMBOLS))
        await self.until(lambda: len(self.controls()) >= 2)  # the login, the subscription

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for what is heard to be enough."""
        async with asyncio.timeout(DEADLINE_S):
            while not is_so():
                self._came.clear()
                await self._came.wait()

    def controls(self) -> list[Frame]:
        return [frame for frame in self.frames if frame.is_control]

    def views(self, kind: type[T]) -> list[T]:
        """All views of a kind."""
        return [view for frame in self.frames for view in frame.views if isinstance(view, kind)]

    async def close(self) -> None:
        for group in self._groups:
            await group.close()

    def _hear(self, url: str, message: Any) -> bool:
        frame = DIALECT.frames(self._caller, url, message)
        self.frames.append(frame)
        self._came.set()
        if frame.problem:
            for group in self._groups:
                if group.has(url):
                    group.restart(frame.problem)
        return frame.is_control


@asynccontextmanager
async def listening(caller: Any) -> AsyncIterator[Listening]:
    """Closed at the end."""
    ears = Listening(caller)
    try:
        yield ears
    finally:
        await ears.close()
