"""L1: what a live order costs before its bytes are on the socket, beyond ccxt's own bare call.

An engine with a durable store and a plain ccxt object, each with an account of its own, place the
same order at the same emulated exchange, in turn. Both sockets are ours: a request counts as sent
when its encrypted bytes are given to the kernel (the time in which other threads of Python hold up
the return from there is nobody's).
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final

import aiohttp
import ccxt.async_support
from msgspec import Struct
from typing_extensions import Buffer

from benchmarks.durable import bare_commits, fresh_store
from benchmarks.world import is_compiled, percentile, rss_mb, settle_memory
from proof.live.engine import WIDE, gateway_of
from proof.live.venue import LIMIT_FACTOR, Address
from zvt_trading.adapters.ccxt import client as adapter_client
from zvt_trading.adapters.ccxt.client import Endpoint, session_to
from zvt_trading.adapters.ccxt.dialect import Wanted
from zvt_trading.bootstrap import PortfolioSetup, stored_memory
from zvt_trading.core.units import HOUR
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.live_bootstrap import live_world
from zvt_trading.messages.codes import BUY
from zvt_trading.sim.parcels import Timing
from zvt_trading.types import OrderRequest, OrderStatus

EXCHANGES: Final = ("binance", "okx", "bybit", "coinbase")
BTC: Final = "BTC/USDT"
SIZE: Final = "0.001"
REQUEST_BYTES_MIN: Final = 200
"""What is shorter is a ping or an acknowledgement of TLS."""
WARM_UP: Final = 50
NUDGE: Final = 0.1
"""Seconds between two quotes."""
REST: Final = 0.002
"""Seconds between two orders, so that what the one before has caused is over."""


class LiveOrders(Struct):
    """One JSON line. Microseconds; `own_*` is ours minus the bare call's, `round_*` to the answer.

    The bare call: ccxt's `create_order` with the same arguments on an event loop of its own.
    `commit_*` is one row in one commit to such a file, which is in ours.
    """

    workload: str
    venue: str
    n: int
    own_p50_us: float
    own_p99_us: float
    ours_p50_us: float
    ours_p99_us: float
    bare_p50_us: float
    bare_p99_us: float
    round_p50_us: float
    round_p99_us: float
    bare_round_p50_us: float
    bare_round_p99_us: float
    commit_p50_us: float
    commit_p99_us: float
    rss_mb: int
    compiled: bool


class Sends:
    """When requests were on the sockets that `make` made; nanoseconds of `perf_counter_ns`."""

    def __init__(self) -> None:
        self.times: list[int] = []

    def make(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket, as aiohttp asks for one."""
        times = self.times

        class Timed(socket.socket):
            """Tells when a request was handed to the kernel."""

            def send(self, data: Buffer, flags: int = 0) -> int:
                if memoryview(data).nbytes >= REQUEST_BYTES_MIN:
                    times.append(time.perf_counter_ns())
                return super().send(data, flags)

        made = Timed(info[0], info[1], info[2])
        made.setblocking(False)
        return made

    def only(self) -> int:
        """The time of the one request since the last call."""
        times = self.times[:]
        self.times.clear()
        if len(times) != 1:
            raise RuntimeError(f"{len(times)} requests were sent for one order")
        return times[0]

    def session_to(self, endpoint: Endpoint) -> aiohttp.ClientSession:
        """The adapter's own, on these sockets."""
        session = session_to(endpoint)
        connector: Any = session.connector
        connector._socket_factory = self.make  # noqa: SLF001 - else the adapter had to take one
        return session


def live_orders(count: int = 1_000) -> list[LiveOrders]:
    """Every exchange, one after the other."""
    return [_measure(exchange, count) for exchange in EXCHANGES]


def _measure(exchange: str, count: int) -> LiveOrders:
    sends = Sends()
    adapter_client.session_to = sends.session_to
    with emulated(exchange) as (address, other), fresh_store("sqlite") as url:
        world = live_world(
            [gateway_of(address)],
            {exchange: [BTC]},
            timings={exchange: Timing(poll_every=HOUR)},  # no question among the orders
            portfolio=PortfolioSetup(base_asset="USDT"),
            memory=stored_memory(url),
        )
        engine = CryptoTradingEngine(world)
        engine.set_limits(WIDE)
        instrument = world.simulation.core.state.markets[f"{exchange}:{BTC}"].instrument
        while (
            not instrument.mid_twice() or not world.simulation.core.state.venues[exchange].healthy
        ):
            time.sleep(0.01)
        tick = instrument.price_scale
        price = f"{instrument.bid * 99 // 100 // 10**tick:d}"
        bare = Bare(exchange, other, sends)
        try:
            with bare_commits(url) as commit:
                return _take_turns(exchange, engine, bare, sends, price, commit, count)
        finally:
            bare.close()
            engine.close()


def _take_turns(
    exchange: str,
    engine: CryptoTradingEngine,
    bare: "Bare",
    sends: Sends,
    price: str,
    commit: Callable[[int], object],
    count: int,
) -> LiveOrders:
    """An order of the engine, a bare one, and so on."""
    clock = time.perf_counter_ns
    times: dict[str, list[int]] = {
        "ours": [],
        "round": [],
        "bare": [],
        "bare_round": [],
        "commit": [],
    }
    settle_memory()
    for number in range(WARM_UP + count):
        request = OrderRequest(
            symbol=BTC, side="buy", quantity=SIZE, exchange=exchange, order_type="limit",
            price=price, time_in_force="ioc",
        )  # fmt: skip
        time.sleep(REST)
        sends.times.clear()
        begun = clock()
        result = engine.place_order(request)
        ended = clock()
        if result.status is not OrderStatus.CANCELLED and result.status is not OrderStatus.EXPIRED:
            raise RuntimeError(f"{exchange}: an order that cannot be filled: {result}")
        if number >= WARM_UP:
            times["ours"].append(sends.only() - begun)
            times["round"].append(ended - begun)
        time.sleep(REST)
        sends.times.clear()
        begun, ended = bare.place(f"bare{number:028d}", price)
        if number >= WARM_UP:
            times["bare"].append(sends.only() - begun)
            times["bare_round"].append(ended - begun)
        begun = clock()
        commit(number)
        if number >= WARM_UP:
            times["commit"].append(clock() - begun)
    found = {
        f"{name}_p{percent}_us": percentile(times[name], percent)
        for name in times
        for percent in (50, 99)
    }
    return LiveOrders(
        workload="L1",
        venue=exchange,
        n=count,
        own_p50_us=round(found["ours_p50_us"] - found["bare_p50_us"], 1),
        own_p99_us=round(found["ours_p99_us"] - found["bare_p99_us"], 1),
        rss_mb=rss_mb(),
        compiled=is_compiled(),
        **found,
    )


class Bare:
    """Ccxt alone, on an event loop of its own, with the arguments that our dialect would give."""

    def __init__(self, exchange: str, address: Address, sends: Sends) -> None:
        self._dialect = import_module(f"zvt_trading.adapters.ccxt.{exchange}").DIALECT
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._open(exchange, address, sends))

    async def _open(self, exchange: str, address: Address, sends: Sends) -> None:
        self._session = sends.session_to(Endpoint("127.0.0.1", address.tls_port, address.ca_file))
        key = address.key
        self._exchange: Any = getattr(ccxt.async_support, exchange)({
            **self._dialect.settings(), "apiKey": key.key, "secret": key.secret,
            "password": key.passphrase, "enableRateLimit": False, "session": self._session,
        })  # fmt: skip
        self._exchange.number = str
        await self._exchange.load_markets()

    def place(self, order_id: str, price: str) -> tuple[int, int]:
        """When the call began and ended."""
        wanted = Wanted(
            order_id,
            BTC,
            "buy",
            price,
            SIZE,
            "IOC",
            post_only=False,
            reduce_only=False,
            expire_ms=0,
        )
        create = self._dialect.create(wanted, self._exchange.market(BTC))

        async def call() -> tuple[int, int]:
            begun = time.perf_counter_ns()
            await self._exchange.create_order(
                create.symbol, create.type, create.side, create.amount, create.price, create.params
            )
            return begun, time.perf_counter_ns()

        return self._loop.run_until_complete(call())

    def close(self) -> None:
        """End its connections."""

        async def end() -> None:
            self._exchange.timeout_on_exit = 0
            await self._exchange.close()
            await self._session.close()

        self._loop.run_until_complete(end())
        self._loop.close()


# The exchange, in a process of its own.


@contextmanager
def emulated(exchange: str) -> Iterator[tuple[Address, Address]]:
    """A quiet exchange with wide limits, and two accounts on it."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(exchange, theirs), daemon=True)
    process.start()
    theirs.close()  # it ends when this process does
    try:
        if not ours.poll(60):
            raise RuntimeError(f"the emulator of {exchange} did not start")
        first, second = ours.recv()
        yield first, second
    finally:
        ours.close()
        process.join()


def _serve(exchange: str, says: Connection) -> None:
    asyncio.run(_emulate(exchange, says))


async def _emulate(exchange: str, says: Connection) -> None:
    """Until the other end is gone."""
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(says.fileno(), gone.set)
    async with Emulator((exchange,), is_quiet=True, limit_factor=LIMIT_FACTOR) as emulator:
        keys = (emulator.keys[exchange], emulator.add_key(exchange, "bare"))
        ca_file = str(emulator.authority.ca_file)
        says.send(
            tuple(
                Address(exchange, emulator.tls_port, emulator.admin_port, ca_file, key)
                for key in keys
            )
        )
        while not gone.is_set():
            await _nudge(emulator, exchange)


async def _nudge(emulator: Emulator, exchange: str) -> None:
    """The size of the best bid goes up and down, or nobody would be told that it still stands."""
    house = emulator.houses[exchange]
    feed = emulator.wires[exchange].feed.symbols[BTC]
    instrument = house.instruments[BTC]
    best = feed.levels(BUY, 1)[0][0]
    order = house.crowd(BTC, BUY, best, instrument.quantity_min * 100)
    await asyncio.sleep(NUDGE)
    house.cancel(order)
    await asyncio.sleep(NUDGE)
    for budget in house.limits.budgets.values():
        budget.used = 0  # OKX has some by symbol, which are made when they are needed
