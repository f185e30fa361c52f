"""L2: the books of 50 symbols at each of four venues, kept by one engine on one core.

The whole way: TLS, ccxt's sockets, our reading of the raw frames, sequences and checksums, the
inbox, the core's books. The frames come from another process, see live_frames.
"""

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final

from msgspec import Struct

from benchmarks.live_frames import CLOCK_US, DEPTHS, SYMBOLS, native, now_us, serve
from benchmarks.world import is_compiled, percentile, rss_mb, settle_memory
from proof.live.engine import quick
from zvt_trading.adapters.ccxt.client import ApiCredentials, Endpoint
from zvt_trading.adapters.ccxt.gateway import CcxtGateway
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.messages.codes import SPOT
from zvt_trading.messages.commands import ListInstrument
from zvt_trading.messages.market import BookDelta, BookSnapshot, InstrumentSpec, MarketData
from zvt_trading.runtime.live import LiveWorld
from zvt_trading.runtime.loop_thread import LoopThread
from zvt_trading.sim.simulation import Simulation

PER_SECOND: Final = 10 * SYMBOLS * len(DEPTHS)
"""Ten changes a second of each book."""
BURST: Final = 12_000
OPEN_SECONDS: Final = 60


class LiveBooks(Struct):
    """One JSON line. `cpu_percent` is of one core, of our process, at `per_second` frames.

    Lags are from the sending process to the core's book, in the first and in the last third: the
    same when nothing grows. `sustained_per_second` is of a burst, sent as fast as it was taken.
    """

    workload: str
    n: int
    per_second: int
    cpu_percent: float
    cpu_us_per_frame: float
    lag_p50_us: float
    lag_p99_us: float
    lag_p99_first_us: float
    lag_p99_last_us: float
    sustained_per_second: int
    gaps: int
    rss_mb: int
    compiled: bool


class Heard:
    """What reached the core: an observer of the world."""

    def __init__(self) -> None:
        self.opened: set[str] = set()
        self.lags: list[int] = []

    def take(self, message: MarketData) -> None:
        """After the core has taken it."""
        if isinstance(message, BookDelta):
            self.lags.append((now_us() - message.bids[0][1]) % CLOCK_US * 1_000)
        elif isinstance(message, BookSnapshot):
            self.opened.add(message.instrument)


def live_books(seconds: int = 20) -> LiveBooks:
    """Pinned to one core where the system can; the other process has the rest."""
    with played() as (server, endpoint):
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        gateways = [_gateway(venue, endpoint) for venue in DEPTHS]
        world = _world(gateways)
        heard = Heard()
        world.observers.append(heard.take)
        engine = CryptoTradingEngine(world)
        try:
            return _measure(server, gateways, heard, seconds)
        finally:
            engine.close()
            gc.unfreeze()


def _measure(
    server: Connection, gateways: list[CcxtGateway], heard: Heard, seconds: int
) -> LiveBooks:
    _until(lambda: len(heard.opened) == SYMBOLS * len(DEPTHS))
    settle_memory()
    server.send(("per_second", PER_SECOND))
    time.sleep(2)
    heard.lags.clear()
    begun, cpu = time.perf_counter(), time.process_time()
    time.sleep(seconds)
    cpu = time.process_time() - cpu
    elapsed = time.perf_counter() - begun
    lags = heard.lags[:]
    server.send(("per_second", 0))
    time.sleep(1)
    heard.lags.clear()
    begun = time.perf_counter()
    server.send(("burst", BURST))
    _until(lambda: len(heard.lags) >= BURST)
    burst = time.perf_counter() - begun
    third = len(lags) // 3
    if len(lags) < PER_SECOND * seconds * 9 // 10:
        raise RuntimeError(f"only {len(lags)} frames came in {seconds} s")
    return LiveBooks(
        workload="L2",
        n=len(lags),
        per_second=int(len(lags) / elapsed),
        cpu_percent=round(cpu / elapsed * 100, 1),
        cpu_us_per_frame=round(cpu / len(lags) * 1e6, 1),
        lag_p50_us=percentile(lags, 50),
        lag_p99_us=percentile(lags, 99),
        lag_p99_first_us=percentile(lags[:third], 99),
        lag_p99_last_us=percentile(lags[-third:], 99),
        sustained_per_second=int(BURST / burst),
        gaps=sum(gateway._market.gaps for gateway in gateways),  # noqa: SLF001 - shown nowhere
        rss_mb=rss_mb(),
        compiled=is_compiled(),
    )


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + OPEN_SECONDS
    while not done():
        if time.monotonic() > end:
            raise TimeoutError("the frames did not come")
        time.sleep(0.005)


@contextmanager
def played() -> Iterator[tuple[Connection, Endpoint]]:
    """The process that sends the frames, and where it listens."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(OPEN_SECONDS):
            raise RuntimeError("the frames' process did not start")
        port, ca_file = ours.recv()
        yield ours, Endpoint("127.0.0.1", port, ca_file)
    finally:
        ours.close()
        process.join()


def _gateway(venue: str, endpoint: Endpoint) -> CcxtGateway:
    dialect = import_module(f"zvt_trading.adapters.ccxt.{venue}").DIALECT
    return CcxtGateway(
        quick(dialect), ApiCredentials(), time.time_ns, endpoint=endpoint, channels=("book",),
        private=False,
    )  # fmt: skip


def _world(gateways: list[CcxtGateway]) -> LiveWorld:
    """An engine that lists every symbol and trades none."""
    loop = LoopThread()
    simulation = Simulation(TradingCore())
    simulation.now = time.time_ns()
    world = LiveWorld(simulation, loop, time.time_ns)
    for gateway in gateways:
        loop.run(_load(gateway))
        for number in range(SYMBOLS):
            simulation.command(ListInstrument(_spec(gateway.venue, number)))
        world.add_feed(gateway)
    return world


async def _load(gateway: CcxtGateway) -> None:
    """The markets as ccxt would have loaded them."""
    exchange = gateway._made().exchange  # noqa: SLF001 - the emulator lists no hundred symbols
    exchange.set_markets([_market(gateway.venue, number) for number in range(SYMBOLS)])


def _market(venue: str, number: int) -> dict[str, Any]:
    name, base = native(venue, number), f"C{number:02}"
    return {
        "id": name, "lowercaseId": name.lower(), "symbol": f"{base}/USDT", "base": base,
        "quote": "USDT", "baseId": base, "quoteId": "USDT", "type": "spot", "spot": True,
        "swap": False, "linear": None, "contract": False, "active": True, "info": {},
        "precision": {"price": "0.01", "amount": "0.000001"}, "limits": {},
    }  # fmt: skip


def _spec(venue: str, number: int) -> InstrumentSpec:
    base = f"C{number:02}"
    return InstrumentSpec(
        venue=venue, symbol=f"{base}/USDT", kind=SPOT, base=base, quote="USDT", settle="USDT",
        price_scale=2, quantity_scale=6, base_scale=8, quote_scale=8, tick=1, lot=1,
        quantity_min=1,
    )  # fmt: skip
