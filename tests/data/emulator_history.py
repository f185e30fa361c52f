"""Emulated exchanges whose market has run for some minutes, and downloads from them by ccxt."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from zvt_trading.adapters.ccxt.client import Endpoint, session_to
from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import SECOND
from zvt_trading.data.ccxt_client import Waiter
from zvt_trading.data.ccxt_source import _OPTIONS, CcxtHistorySource, ccxt_source
from zvt_trading.data.crypto_data_loader import SETTLED_AFTER, CryptoDataLoader, Download
from zvt_trading.data.rows import Candle, Trade
from zvt_trading.data.series import Series
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.faults import Fault, Rate
from zvt_trading.messages.codes import BUY
from zvt_trading.messages.market import TradeTick
from zvt_trading.runtime.loop_thread import LoopThread

MINUTES: Final = 8
"""Two of them are not settled yet."""
CHECKPOINT_ROWS: Final = 300
"""Few, so that what a kill leaves is on the disk."""
TRADE_TIME_NS: Final = {"binance": 10**6, "okx": 10**6, "bybit": 10**6, "coinbase": 10**3}
"""Exchanges tell milliseconds, Coinbase microseconds."""
SILENT_WITHOUT_TRADES: Final = ("coinbase",)
"""Who has no candle where nothing traded; the others have a flat one."""


class Job(Struct, frozen=True):
    """A download from a private testnet: all that another process must know."""

    endpoint: Endpoint
    series: Series
    start: int
    end: int
    folder: Path


class Place:
    """The emulator on a loop of its own; its markets move on while downloads run."""

    def __init__(self, *names: str, is_quiet: bool = False) -> None:
        self._loop = LoopThread("emulator")
        self.emulator = self._loop.run(self._start(names, is_quiet=is_quiet))
        self.endpoint = Endpoint(
            "127.0.0.1", self.emulator.tls_port, str(self.emulator.authority.ca_file)
        )

    async def _start(self, names: tuple[str, ...], *, is_quiet: bool) -> Emulator:
        emulator = Emulator(names, is_quiet=is_quiet, limit_factor=100, history_minutes=MINUTES)
        await emulator.start()
        return emulator

    def trades(self, series: Series) -> list[Trade]:
        """All public trades of a symbol so far: the emulator's own record, oldest first."""
        feed = self.emulator.wires[series.exchange].feed.symbols[series.symbol]
        ticks = self._loop.run(_copy(feed.trades))
        return [_trade(series.exchange, feed.instrument, tick) for tick in ticks]

    def set_faults(self, name: str, *kinds: str, per_10000: int, seed: int = 1) -> None:
        """From now on each of these kinds so often, of requests for market data; none: never."""
        rates = tuple(Rate(Fault(kind, "market"), per_10000) for kind in kinds)
        self._loop.run(self._set(name, seed, rates))

    async def _set(self, name: str, seed: int, rates: tuple[Rate, ...]) -> None:
        self.emulator.houses[name].faults.set_profile(seed, rates)

    def add_fault(self, name: str, kind: str, count: int = 1) -> None:
        """The next requests for market data."""
        self._loop.run(self._add(name, Fault(kind, "market", count=count)))

    async def _add(self, name: str, fault: Fault) -> None:
        self.emulator.houses[name].faults.add(fault)

    def happened(self, name: str) -> dict[str, int]:
        """Faults so far, by kind."""
        return dict(self.emulator.houses[name].faults.happened)

    def close(self) -> None:
        self._loop.run(self.emulator.stop())
        self._loop.stop()


@contextmanager
def place(*names: str, is_quiet: bool = False) -> Iterator[Place]:
    made = Place(*names, is_quiet=is_quiet)
    try:
        yield made
    finally:
        made.close()


async def _copy(ticks: list[TradeTick]) -> list[TradeTick]:
    return ticks.copy()


def _trade(exchange: str, instrument: Instrument, tick: TradeTick) -> Trade:
    return Trade(
        tick.ts - tick.ts % TRADE_TIME_NS[exchange],
        str(tick.trade_id),
        Decimal(tick.price).scaleb(-instrument.price_scale),
        Decimal(tick.size).scaleb(-instrument.quantity_scale),
        "buy" if tick.aggressor == BUY else "sell",
    )


def candles_of(series: Series, trades: list[Trade], start: int, end: int) -> list[Candle]:
    """What candles of [start, end) must be; whole intervals, from that of the first trade on."""
    step = series.interval_ns
    found: list[Candle] = []
    for opened in range(start, end, step):
        prices = [t.price for t in trades if opened <= t.time < opened + step]
        before = [t.price for t in trades if t.time < opened]
        volume = sum((t.size for t in trades if opened <= t.time < opened + step), Decimal(0))
        if not prices and (not before or series.exchange in SILENT_WITHOUT_TRADES):
            continue
        shown = prices or before[-1:]
        found.append(Candle(opened, shown[0], max(shown), min(shown), shown[-1], volume))
    return found


class Patience:
    """A waiter's time that passes only when something waits; `at_request` is told of each one."""

    def __init__(self, at_request: Callable[[int], None] = lambda _: None) -> None:
        self._now = 0
        self._asked = -1  # the client looks at the clock once before its first request
        self._at_request = at_request

    async def sleep(self, seconds: float) -> None:
        self._now += round(seconds * 1_000) * (SECOND // 1_000)
        await asyncio.sleep(0)

    def monotonic(self) -> int:
        self._asked += 1
        self._at_request(self._asked)
        return self._now

    def waiter(self) -> Waiter:
        return Waiter(self.sleep, self.monotonic, time.time_ns)


def settled(step: int) -> int:
    """The newest whole interval's end that may be downloaded."""
    now = time.time_ns() - SETTLED_AFTER
    return now - now % step


def download(job: Job, patience: Patience | None = None, *, is_bare: bool = False) -> Download:
    """One download by ccxt, from the testnet; `is_bare`: an exchange object as ccxt makes it."""
    return asyncio.run(_download(job, patience or Patience(), is_bare=is_bare))


async def _download(job: Job, patience: Patience, *, is_bare: bool) -> Download:
    name, session = job.series.exchange, session_to(job.endpoint)
    settings = {"options": _OPTIONS[name], "session": session, "timeout_on_exit": 0}
    given: dict[str, Any] = {
        "pages_per_minute": 60_000,
        "waiter": patience.waiter(),
        "session": session,
    }
    if is_bare:
        bare = getattr(import_module("ccxt.async_support"), name)(settings)
        source = CcxtHistorySource(bare, **given)
    else:
        source = ccxt_source(name, **given)
    source._client.exchange.enableRateLimit = False  # it is for the exchange's real patience
    try:
        loader = CryptoDataLoader(job.folder, checkpoint_rows=CHECKPOINT_ROWS)
        return await loader.download(source, job.series, job.start, job.end)
    finally:
        await source.close()
