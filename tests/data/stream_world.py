"""Emulated exchanges on a loop of their own, a stream service on them, and ears that wait."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from threading import Condition
from typing import Any

from zvt_trading.core.order_book import OrderBook
from zvt_trading.core.units import SECOND
from zvt_trading.data.crypto_stream_service import CryptoStreamService
from zvt_trading.data.stream_messages import StreamMessage
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.faults import Fault
from zvt_trading.emulator.feed import SymbolFeed
from zvt_trading.live_bootstrap import public_gateway, stream_service
from zvt_trading.messages.codes import BUY, SELL, SPOT
from zvt_trading.messages.market import InstrumentSpec
from zvt_trading.runtime.loop_thread import LoopThread

DEADLINE_S = 20
"""How long a test waits for what must happen; it happens within a second or two."""
Level = tuple[Decimal, Decimal]
T0 = 1_700_000_000 * SECOND


def spec(venue: str = "okx", symbol: str = "BTC/USDT", **fields: Any) -> InstrumentSpec:
    """Prices in cents, sizes in 0.0001."""
    base, quote = symbol.partition(":")[0].split("/")
    given = dict(
        venue=venue, symbol=symbol, kind=SPOT, base=base, quote=quote, settle=quote, price_scale=2,
        quantity_scale=4, base_scale=8, quote_scale=8, tick=1, lot=1, quantity_min=1,
    )  # fmt: skip
    return InstrumentSpec(**{**given, **fields})


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: int = T0) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Ear:
    """A handler that keeps what it hears; `until` waits for it."""

    def __init__(self) -> None:
        self.heard: list[StreamMessage] = []
        self._news = Condition()

    def __call__(self, message: StreamMessage) -> None:
        with self._news:
            self.heard.append(message)
            self._news.notify_all()

    def until(self, wanted: Callable[[list[StreamMessage]], bool]) -> list[StreamMessage]:
        """All that was heard, when it is as wanted."""
        with self._news:
            kinds = [type(message).__name__ for message in self.heard[-20:]]
            assert self._news.wait_for(lambda: wanted(self.heard), DEADLINE_S), kinds
            return list(self.heard)

    def after(self, start: int, *kinds: type) -> int:
        """Wait for messages of these kinds, in this order, from `start` on; where the last is."""
        return _find(self.until(lambda heard: _find(heard, start, kinds) >= 0), start, kinds)


def _find(heard: Sequence[StreamMessage], start: int, kinds: tuple[type, ...]) -> int:
    at = start - 1
    for kind in kinds:
        at = next((i for i in range(at + 1, len(heard)) if isinstance(heard[i], kind)), -1)
        if at < 0:
            return -1
    return at


class Town:
    """Emulated exchanges, moved by their own loop."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self._loop = LoopThread("emulator")
        self.emulator = self._loop.run(self._start())

    async def _start(self) -> Emulator:
        emulator = Emulator(self.names)
        await emulator.start()
        return emulator

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.emulator.tls_port}"

    @property
    def ca_file(self) -> str:
        return str(self.emulator.authority.ca_file)

    def service(self, *symbols: str, **options: Any) -> CryptoStreamService:
        """Of all exchanges; without keys."""
        ca_file = self.emulator.authority.ca_file
        gateways = [
            public_gateway(name, symbols, endpoint=self.endpoint, ca_file=ca_file)
            for name in self.names
        ]
        return stream_service(gateways, dict.fromkeys(self.names, symbols), **options)

    def feed(self, name: str, symbol: str) -> SymbolFeed:
        return self.emulator.wires[name].feed.symbols[symbol]

    def freeze(self) -> None:
        """From now on no market moves."""
        self._loop.run(self._freeze())

    async def _freeze(self) -> None:
        self.emulator.is_quiet = True

    def levels(self, name: str, symbol: str, count: int) -> list[Level]:
        """The emulator's own book: so many bids, then asks."""
        feed = self.feed(name, symbol)
        return levels(feed.book, count, feed.instrument.spec)

    def fault(self, name: str, **fields: Any) -> None:
        self._loop.run(self._fault(name, Fault(**fields)))

    async def _fault(self, name: str, fault: Fault) -> None:
        self.emulator.houses[name].faults.add(fault)

    def disconnect(self, name: str) -> None:
        self._loop.run(self.emulator.wires[name].disconnect_all())

    def listen(self, name: str, listener: Any) -> None:
        self.emulator.wires[name].feed.listeners.append(listener)

    def close(self) -> None:
        self._loop.run(self.emulator.stop())
        self._loop.stop()


def levels(book: OrderBook, count: int, spec: InstrumentSpec) -> list[Level]:
    """So many bids, then asks, in human numbers: books on any scales can be compared."""
    found = [*book.levels(BUY, count), *book.levels(SELL, count)]
    return [level(price, size, spec) for price, size in found]


def level(price: int, size: int, spec: InstrumentSpec) -> Level:
    return Decimal(price).scaleb(-spec.price_scale), Decimal(size).scaleb(-spec.quantity_scale)


@contextmanager
def town(*names: str) -> Iterator[Town]:
    world = Town(*names)
    try:
        yield world
    finally:
        world.close()
