"""The durable engine: orders through the front door that are on the disk before they leave.

A commit costs what the disk costs, so these are reported against a bare commit of the same row to
the same kind of store, taken in turn with the orders in the same run.
"""

import asyncio
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from msgspec import Struct
from sqlalchemy import make_url

from benchmarks.world import (
    LIMITS,
    START,
    ListFeed,
    is_compiled,
    percentile,
    rss_mb,
    settle_memory,
    spec,
)
from proof.stores import Stores
from zvt_trading.adapters.store.naming import conninfo_of
from zvt_trading.adapters.store.opening import open_store
from zvt_trading.core.rng import Rng
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.messages.commands import Deposit, ListInstrument, OpenPortfolio, SetLimits
from zvt_trading.messages.market import QuoteTick
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.memory import StoredMemory
from zvt_trading.runtime.recovery import recover
from zvt_trading.runtime.snapshots import EVERY
from zvt_trading.runtime.world import World
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.fills import RecordedMarket
from zvt_trading.sim.link import LinkProfile
from zvt_trading.sim.simulation import Simulation
from zvt_trading.types import OrderRequest, OrderSide, OrderStatus

BTC: Final = "BTC/USDT"
CALLERS: Final = 64
DEEP: Final = 10**12
"""A size that no workload uses up."""
BODY: Final = "x" * 400
"""About an order's event."""
BARE: Final = "CREATE TABLE bare (seq BIGINT PRIMARY KEY, body TEXT)"


class Durable(Struct):
    """One JSON line; `bare_*` is one row in one commit, `p99_ratio` the orders' p99 over its."""

    workload: str
    store: str
    n: int
    seconds: float
    per_second: int
    p50_us: float
    p99_us: float
    bare_p50_us: float
    bare_p99_us: float
    p99_ratio: float
    rss_mb: int
    compiled: bool


@contextmanager
def fresh_store(kind: str) -> Iterator[str]:
    """The URL of an empty store, gone in the end. A file is in ZVT_BENCH_DIR, else in TMPDIR."""
    folder = Path(tempfile.mkdtemp(prefix="zvt-bench-", dir=os.environ.get("ZVT_BENCH_DIR")))
    try:
        with Stores(folder) as stores:
            yield stores.fresh(kind, folder)
    finally:
        shutil.rmtree(folder)


def durable_engine(url: str, snapshot_every: int = EVERY) -> CryptoTradingEngine:
    """The front door on one venue without latency, funded, with all checks on."""
    store = open_store(url)
    recovered = recover(store, "benchmark")
    keeper = Keeper(store, recovered, time.monotonic, snapshot_every=snapshot_every)
    memory = StoredMemory(recovered, keeper)
    made = Simulation(memory.core)
    exchange = SimExchange("binance", history_kept=1_000)
    exchange.list_instrument(spec(BTC), RecordedMarket(1))
    made.add_venue(exchange, LinkProfile(), LinkProfile(), Rng(1))
    made.now = START
    world = World(made, ListFeed([]), keep_history=False)
    world.memory = memory
    memory.begin(made)
    made.command(ListInstrument(spec(BTC)))
    made.command(OpenPortfolio("p", "USDT", 8))
    made.command(Deposit("p", "binance", "USDT", 10**6 * 10**8))
    made.command(Deposit("p", "binance", "BTC", 10 * 10**8))
    made.command(SetLimits(LIMITS))
    made.flush()
    made.quote(QuoteTick(f"binance:{BTC}", 6_000_000, DEEP, 6_000_001, DEEP, START + 1, 1))
    return CryptoTradingEngine(world)


def request(number: int) -> OrderRequest:
    """A market order that is filled at once, sides in turn."""
    return OrderRequest(
        symbol=BTC,
        side=OrderSide.SELL if number & 1 else OrderSide.BUY,
        quantity="0.01",
        exchange="binance",
        portfolio_id="p",
    )


def single(workload: str, kind: str, count: int = 6_000) -> Durable:
    """One caller waits for each order; after each, one bare commit is timed too."""
    clock = time.perf_counter_ns
    orders: list[int] = []
    bares: list[int] = []
    with fresh_store(kind) as url, bare_commits(url) as commit_bare:
        engine = durable_engine(url)
        settle_memory()
        for number in range(count):
            wanted = request(number)
            begun = clock()
            result = engine.place_order(wanted)
            placed = clock()
            commit_bare(number)
            bares.append(clock() - placed)
            orders.append(placed - begun)
            if result.status is not OrderStatus.FILLED:
                raise RuntimeError(f"{workload}: {result}")
        engine.close()
    return _durable(workload, kind, orders, sum(orders) / 1e9, bares)


def concurrent(workload: str, kind: str, count: int = 60_000) -> Durable:
    """So many callers on an event loop, each waits for its order before it places the next."""
    with fresh_store(kind) as url:
        engine = durable_engine(url)
        settle_memory()
        orders, seconds = asyncio.run(place_concurrently(engine, count))
        engine.close()
    return _durable(workload, kind, orders, seconds, [0])


async def place_concurrently(engine: CryptoTradingEngine, count: int) -> tuple[list[int], float]:
    """(nanoseconds of each order, seconds in all)."""
    clock = time.perf_counter_ns
    orders: list[int] = []

    async def caller(first: int) -> None:
        for number in range(first, count, CALLERS):
            begun = clock()
            result = await engine.aplace_order(request(number))
            orders.append(clock() - begun)
            if result.status is not OrderStatus.FILLED:
                raise RuntimeError(f"not filled: {result}")

    begun = clock()
    await asyncio.gather(*(caller(first) for first in range(CALLERS)))
    return orders, (clock() - begun) / 1e9


@contextmanager
def bare_commits(url: str) -> Iterator[Callable[[int], object]]:
    """Commits one row, as durably as the store does, to a table of its own."""
    if url.startswith("sqlite"):
        lite = sqlite3.connect(f"{make_url(url).database}.bare", isolation_level=None)
        lite.execute("PRAGMA journal_mode = WAL")
        lite.execute("PRAGMA synchronous = FULL")
        lite.execute(BARE)
        yield lambda seq: lite.execute("INSERT INTO bare VALUES (?, ?)", (seq, BODY))
        lite.close()
        return
    with psycopg.connect(conninfo_of(make_url(url)), autocommit=True) as server:
        server.execute(BARE)
        yield lambda seq: server.execute("INSERT INTO bare VALUES (%s, %s)", (seq, BODY))
        server.execute("DROP TABLE bare")


def _durable(
    workload: str, store: str, orders: list[int], seconds: float, bares: list[int]
) -> Durable:
    bare_p99 = percentile(bares, 99)
    return Durable(
        workload=workload,
        store=store,
        n=len(orders),
        seconds=round(seconds, 3),
        per_second=int(len(orders) / seconds),
        p50_us=percentile(orders, 50),
        p99_us=percentile(orders, 99),
        bare_p50_us=percentile(bares, 50),
        bare_p99_us=bare_p99,
        p99_ratio=round(percentile(orders, 99) / bare_p99, 2) if bare_p99 else 0.0,
        rss_mb=rss_mb(),
        compiled=is_compiled(),
    )
