"""The workloads; see README.md for what each is and what was seen."""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial

from benchmarks.durable import Durable, concurrent, single
from benchmarks.live import LiveOrders, live_orders
from benchmarks.live_books import LiveBooks, live_books
from benchmarks.live_start import Start, start
from benchmarks.restarts import Pause, Restart, restarts, snapshots
from benchmarks.world import (
    SIZE,
    START,
    ListFeed,
    Measurement,
    is_compiled,
    measure,
    quotes,
    rss_mb,
    settle_memory,
    simulation,
)
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.messages.codes import BUY, LIMIT, MARKET, SELL
from zvt_trading.messages.commands import CancelOrder, SubmitOrder
from zvt_trading.messages.market import QuoteTick
from zvt_trading.runtime.world import World
from zvt_trading.types import OrderRequest, OrderSide, OrderStatus

BTC = ["BTC/USDT"]


class BenchmarkError(RuntimeError):
    """A workload did not do what it says: its number would be worth nothing."""


def w1(count: int = 100_000) -> Measurement:
    """One market order a quote, alternating sides: the position opens and closes each time."""
    return _market_orders("W1", BTC, count)


def w4(count: int = 10_000) -> Measurement:
    """W1 over 100 instruments."""
    return _market_orders("W4", [f"C{i:02}/USDT" for i in range(100)], count)


def _market_orders(name: str, symbols: list[str], count: int) -> Measurement:
    made, counter = simulation(symbols)
    ids = [f"binance:{symbol}" for symbol in symbols]
    buys = [SubmitOrder("p", i, BUY, MARKET, SIZE) for i in ids]
    sells = [SubmitOrder("p", i, SELL, MARKET, SIZE) for i in ids]
    ticks = quotes(symbols, count, START)
    for tick in quotes(symbols, len(symbols), START - 10**9):
        made.quote(tick)
    size = len(symbols)
    before = counter.events

    def operation(i: int) -> None:
        made.quote(ticks[i])
        made.submit(sells[i % size] if (i // size) & 1 else buys[i % size])

    found = measure(name, count, operation)
    if counter.events - before < 3 * count:
        raise BenchmarkError(f"{name}: {counter.events - before} events for {count} orders")
    return found


def w2(count: int = 100_000) -> Measurement:
    """Cancel the resting order and place a new one at each quote: two operations."""
    made, counter = simulation(BTC)
    ticks = quotes(BTC, count, START)
    name = "binance:BTC/USDT"
    requests = [SubmitOrder("p", name, BUY, LIMIT, SIZE, 5_990_000 + i) for i in range(50)]
    made.quote(quotes(BTC, 1, START - 10**9)[0])
    current = [made.submit(requests[0])]
    before = counter.events

    def operation(i: int) -> None:
        made.quote(ticks[i])
        made.command(CancelOrder(current[0]))
        current[0] = made.submit(requests[i % 50])

    found = measure("W2", count, operation, per_call=2)
    if counter.events - before < 4 * count:
        raise BenchmarkError(f"W2: {counter.events - before} events for {count} replacements")
    return found


def w3(count: int = 1_000_000) -> Measurement:
    """Quotes to a no-op Python callback with an open position marked at each."""
    made, _ = simulation(BTC)
    made.quote(quotes(BTC, 1, START - 10**9)[0])
    made.submit(SubmitOrder("p", "binance:BTC/USDT", BUY, MARKET, SIZE))
    ticks = quotes(BTC, count, START, step=1_000)
    settle_memory()
    begun = time.perf_counter_ns()
    made.quotes(ticks, _nothing)
    seconds = (time.perf_counter_ns() - begun) / 1e9
    equity = made.core.state.portfolios["p"].equity
    if equity == 0:
        raise BenchmarkError("W3: nothing was marked")
    return Measurement(
        workload="W3",
        n=count,
        seconds=round(seconds, 4),
        per_second=int(count / seconds),
        p50_us=round(seconds / count * 1e6, 3),
        p99_us=0.0,
        rss_mb=rss_mb(),
        compiled=is_compiled(),
    )


def _nothing(quote: QuoteTick) -> None:
    """The callback of W3."""


def w5(count: int = 50_000) -> Measurement:
    """The front door: synchronous place_order with Decimal fields, filled at once."""
    made, _ = simulation(BTC)
    made.quote(quotes(BTC, 1, START - 10**9)[0])
    engine = CryptoTradingEngine(World(made, ListFeed([]), keep_history=False))
    ticks = quotes(BTC, count, START)

    def operation(i: int) -> None:
        made.quote(ticks[i])
        result = engine.place_order(
            OrderRequest(
                symbol="BTC/USDT",
                side=OrderSide.SELL if i & 1 else OrderSide.BUY,
                quantity=Decimal("0.01"),
                exchange="binance",
                portfolio_id="p",
            )
        )
        if result.status is not OrderStatus.FILLED:
            raise BenchmarkError(f"W5: {result}")

    return measure("W5", count, operation)


def memory(count: int = 1_000_000) -> Measurement:
    """Resident memory after a million closed orders (`n`), against after a tenth of them."""
    made, _ = simulation(BTC)
    buy = SubmitOrder("p", "binance:BTC/USDT", BUY, MARKET, SIZE)
    sell = SubmitOrder("p", "binance:BTC/USDT", SELL, MARKET, SIZE)
    first = 0
    begun = time.perf_counter_ns()
    now = START
    for part in range(count // 10_000):
        for tick in quotes(BTC, 10_000, now):
            made.quote(tick)
            made.submit(sell if tick.update_id & 1 else buy)
        now += 10_000 * 10_000_000
        if part == count // 100_000 - 1:
            first = rss_mb()
    seconds = (time.perf_counter_ns() - begun) / 1e9
    last = rss_mb()
    if last > first + 50:
        raise BenchmarkError(f"memory grew from {first} to {last} MiB")
    return Measurement(
        workload="MEMORY",
        n=count,
        seconds=round(seconds, 2),
        per_second=int(count / seconds),
        p50_us=0.0,
        p99_us=0.0,
        rss_mb=last,
        compiled=is_compiled(),
    )


Found = Measurement | Durable | Pause | LiveBooks | Start | Sequence[Restart] | Sequence[LiveOrders]

WORKLOADS: dict[str, Callable[[], Found]] = {
    "W1": w1,
    "W2": w2,
    "W3": w3,
    "W4": w4,
    "W5": w5,
    "MEMORY": memory,
    "D1": partial(single, "D1", "sqlite"),
    "D2": partial(single, "D2", "postgresql"),
    "D3": partial(concurrent, "D3", "sqlite"),
    "D4": partial(concurrent, "D4", "postgresql"),
    "R1": partial(restarts, "R1", "sqlite"),
    "R2": partial(restarts, "R2", "postgresql"),
    "S1": partial(snapshots, "S1", "sqlite"),
    "S2": partial(snapshots, "S2", "postgresql"),
    "L1": live_orders,
    "L2": live_books,
    "L3": start,
}
