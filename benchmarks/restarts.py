"""Starting again with a journal of a million events, and what the snapshots for it cost."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

import msgspec
import psycopg
from msgspec import Struct
from sqlalchemy import make_url

from benchmarks.durable import (
    BTC,
    CALLERS,
    durable_engine,
    fresh_store,
    place_concurrently,
    request,
)
from benchmarks.world import is_compiled, rss_mb, settle_memory
from zvt_trading.adapters.store.naming import conninfo_of
from zvt_trading.adapters.store.opening import open_store
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.ports.store import Store
from zvt_trading.runtime.keeper import IDLE_MS
from zvt_trading.runtime.recovery import recover
from zvt_trading.runtime.snapshots import EVERY, Snapshots
from zvt_trading.types import OrderRequest

EVENTS: Final = 1_000_000
OPEN_ORDERS: Final = 5_000


class Restart(Struct):
    """One JSON line: seconds from opening the store to an engine in the state of before."""

    workload: str
    store: str
    events: int
    replayed: int
    seconds: float
    rss_mb: int
    compiled: bool


class Pause(Struct):
    """One JSON line: what orders waited at most for a snapshot that was being taken."""

    workload: str
    store: str
    n: int
    snapshots: int
    open_orders: int
    longest_ms: float
    order_p50_us: float
    order_max_ms: float
    compiled: bool


def restarts(workload: str, kind: str) -> Sequence[Restart]:
    """After an orderly end, after a crash (with the snapshot of before), and without snapshots."""
    found: list[Restart] = []
    with fresh_store(kind) as url:
        _fill(url)
        for snapshots_until in (2 * EVENTS, EVENTS - EVERY // 2, 0):
            _drop_snapshots(url, snapshots_until)
            found.append(_in_a_process(workload, kind, url))
    return found


def snapshots(workload: str, kind: str, count: int = 1_000) -> Pause:
    """Orders that come while a snapshot with thousands of open orders is being taken.

    A snapshot is worked on when no order has come for IDLE_MS, so each of these comes a little
    later than that, when it is under way.
    """
    clock = time.perf_counter_ns
    works: list[int] = []
    orders: list[int] = []
    taken = 0

    def timed_work(self: Snapshots, core: TradingCore, chain: int) -> None:
        nonlocal taken
        begun = clock()
        work(self, core, chain)
        works.append(clock() - begun)
        taken += not self.is_under_way

    work = Snapshots.work
    with fresh_store(kind) as url:
        engine = durable_engine(url, snapshot_every=100)
        asyncio.run(_rest_orders(engine))
        settle_memory()
        Snapshots.work = timed_work  # type: ignore[method-assign]  # to see each piece of work
        for number in range(count):
            time.sleep((IDLE_MS + 1 + number % 7) / 1_000)
            wanted = request(number)
            begun = clock()
            engine.place_order(wanted)
            orders.append(clock() - begun)
        Snapshots.work = work  # type: ignore[method-assign]  # as it was
        engine.close()
    orders.sort()
    return Pause(
        workload=workload,
        store=kind,
        n=count,
        snapshots=taken,
        open_orders=OPEN_ORDERS,
        longest_ms=round(max(works) / 1e6, 2),
        order_p50_us=round(orders[count // 2] / 1e3, 1),
        order_max_ms=round(orders[-1] / 1e6, 2),
        compiled=is_compiled(),
    )


async def _rest_orders(engine: CryptoTradingEngine) -> None:
    """Fill the state with open orders."""
    results = await asyncio.gather(
        *(
            engine.aplace_order(
                OrderRequest(
                    symbol=BTC,
                    side="buy",
                    quantity="0.001",
                    exchange="binance",
                    portfolio_id="p",
                    order_type="limit",
                    price=f"{30_000 + number % 1_000}",
                )
            )
            for number in range(OPEN_ORDERS)
        )
    )
    if not all(result.success for result in results):
        raise RuntimeError("an order that was to rest was refused")


def _fill(url: str) -> None:
    """A journal of EVENTS events, some three an order, with its tables."""
    engine = durable_engine(url)
    while (missing := EVENTS - engine.world.simulation.events) > 0:
        asyncio.run(place_concurrently(engine, missing // 3 + CALLERS))
    engine.close()


def _drop_snapshots(url: str, newer_than: int) -> None:
    """Those after an event, as if the engine had been killed before it could take them."""
    statement = f"DELETE FROM engine_snapshot WHERE seq > {newer_than}"  # noqa: S608 - a number
    if url.startswith("sqlite"):
        with sqlite3.connect(str(make_url(url).database)) as lite:
            lite.execute(statement)
        lite.close()
    else:
        with psycopg.connect(conninfo_of(make_url(url))) as server:
            server.execute(statement.encode())


def _in_a_process(workload: str, kind: str, url: str) -> Restart:
    """So that the memory is that of a start alone."""
    command = [sys.executable, "-m", "benchmarks.restarts", workload, kind, url]
    done = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own
    return msgspec.json.decode(done.stdout, type=Restart)


def _measure(workload: str, kind: str, url: str) -> Restart:
    """What a start does before the venues are asked."""
    begun = time.perf_counter()
    store: Store = open_store(url)
    recovered = recover(store, "benchmark")
    seconds = time.perf_counter() - begun
    found = Restart(
        workload=workload,
        store=kind,
        events=recovered.chain.seq,
        replayed=recovered.chain.seq - recovered.snapshot_seq,
        seconds=round(seconds, 3),
        rss_mb=rss_mb(),
        compiled=is_compiled(),
    )
    store.release()
    store.close()
    return found


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(_measure(*sys.argv[1:4])))
