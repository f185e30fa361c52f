"""What the workloads share: instruments, a funded engine with all checks on, measuring."""

import gc
import resource
import time
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

import zvt_trading.core.trading_core as compiled_probe
from zvt_trading.core.rng import Rng
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codes import SPOT
from zvt_trading.messages.commands import (
    Deposit,
    LimitSet,
    ListInstrument,
    OpenPortfolio,
    SetLimits,
)
from zvt_trading.messages.events import Event
from zvt_trading.messages.market import InstrumentSpec, MarketData, QuoteTick
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.fills import RecordedMarket
from zvt_trading.sim.link import LinkProfile
from zvt_trading.sim.simulation import Simulation

START = 1_700_000_000_000_000_000
STEP = 10_000_000
SIZE = 1_000
"""Quantity of every order, 0.01 coins."""

LIMITS = LimitSet(
    scope=0,
    order_notional_max=10**16,
    open_orders_max=10**6,
    position_notional_max=10**18,
    exposure_max=10**18,
    allocation_bps_max=10**6,
    orders_per_second_max=10**6,
    orders_per_hour_max=10**6,
    orders_per_day_max=10**7,
    duplicate_window_ms=0,
    repeated_executions_max=10**6,
)
"""Every check stays on; only the limits of pace and size are out of the workload's way."""


class Measurement(Struct):
    """One JSON line."""

    workload: str
    n: int
    seconds: float
    per_second: int
    p50_us: float
    p99_us: float
    rss_mb: int
    compiled: bool


class Counter:
    """Counts what the one Python subscriber, a plain function, was given."""

    def __init__(self) -> None:
        self.events = 0

    def subscriber(self) -> Callable[[Event], None]:
        """The function that all events are delivered to."""

        def count(_event: Event) -> None:
            self.events += 1

        return count


def spec(symbol: str) -> InstrumentSpec:
    """A spot instrument with filters and fees."""
    base, quote = symbol.split("/")
    return InstrumentSpec(
        venue="binance", symbol=symbol, kind=SPOT, base=base, quote=quote, settle=quote,
        price_scale=2, quantity_scale=5, base_scale=8, quote_scale=8, tick=1, lot=1,
        quantity_min=1, notional_min=5 * 10**8, maker_fee=100_000, taker_fee=100_000,
    )  # fmt: skip


def simulation(symbols: Sequence[str]) -> tuple[Simulation, Counter]:
    """An engine on one simulated venue without latency, funded, with one subscriber."""
    made = Simulation(TradingCore())
    exchange = SimExchange("binance", history_kept=1_000)
    for symbol in symbols:
        exchange.list_instrument(spec(symbol), RecordedMarket(1))
    made.add_venue(exchange, LinkProfile(), LinkProfile(), Rng(1))
    made.now = START
    for symbol in symbols:
        made.command(ListInstrument(spec(symbol)))
    made.command(OpenPortfolio("p", "USDT", 8))
    made.command(Deposit("p", "binance", "USDT", 10**6 * 10**8))
    for symbol in symbols:
        made.command(Deposit("p", "binance", symbol.split("/")[0], 10 * 10**8))
    made.command(SetLimits(LIMITS))
    counter = Counter()
    made.subscribers.append(counter.subscriber())
    return made, counter


def quotes(symbols: Sequence[str], count: int, start: int, step: int = STEP) -> list[QuoteTick]:
    """Quotes in turn over the symbols, each with a moving price and size."""
    names = [f"binance:{symbol}" for symbol in symbols]
    return [
        QuoteTick(
            names[i % len(names)],
            6_000_000 + (i * 7) % 50,
            100_000 + i % 1_000,
            6_000_001 + (i * 7) % 50,
            100_000 + i % 1_000,
            start + (i + 1) * step,
            i + 1,
        )
        for i in range(count)
    ]


class ListFeed:
    """Quotes from memory as a feed."""

    def __init__(self, ticks: list[QuoteTick]) -> None:
        self._ticks = ticks

    def __iter__(self) -> Iterator[MarketData]:
        """The quotes."""
        return iter(self._ticks)

    def progress(self) -> tuple[int, int]:
        """Nothing to tell."""
        return 0, 0


def settle_memory() -> None:
    """As the engine does after start: what lives long is not looked at again by the collector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)


def measure(
    workload: str, count: int, operation: Callable[[int], None], per_call: int = 1
) -> Measurement:
    """Run `operation(0..count-1)` once for the rate and once more, a tenth of it, for latencies."""
    settle_memory()
    clock = time.perf_counter_ns
    latencies = []
    timed = count // 10
    begun = clock()
    for i in range(count - timed):
        operation(i)
    seconds = (clock() - begun) / 1e9
    for i in range(count - timed, count):
        before = clock()
        operation(i)
        latencies.append(clock() - before)
    latencies.sort()
    return Measurement(
        workload=workload,
        n=count * per_call,
        seconds=round(seconds, 4),
        per_second=int((count - timed) * per_call / seconds),
        p50_us=round(latencies[timed // 2] / 1e3 / per_call, 2),
        p99_us=round(latencies[timed * 99 // 100] / 1e3 / per_call, 2),
        rss_mb=rss_mb(),
        compiled=is_compiled(),
    )


def rss_mb() -> int:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def is_compiled() -> bool:
    """Whether the core runs as compiled extension modules."""
    return (compiled_probe.__file__ or "").endswith(".so")


def percentile(nanoseconds: list[int], percent: int) -> float:
    """In microseconds."""
    ordered = sorted(nanoseconds)
    return round(ordered[len(ordered) * percent // 100] / 1e3, 1)
