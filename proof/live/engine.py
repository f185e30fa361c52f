"""One life of an engine on an emulated exchange: trade at random until so many orders were placed.

    python -m proof.live.engine '{"address": ..., "url": ..., "seed": 1, "orders": 2000}'

When they were, the faults are ended, and everything must be found out.
"""

import asyncio
import copy
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from random import Random
from typing import Final

import msgspec
import structlog
from msgspec.structs import replace

from proof.live.venue import LIMIT_FACTOR, Address
from zvt_trading.adapters.ccxt.client import ApiCredentials, Endpoint
from zvt_trading.adapters.ccxt.dialect import Dialect
from zvt_trading.adapters.ccxt.gateway import CcxtGateway
from zvt_trading.bootstrap import PortfolioSetup, stored_memory
from zvt_trading.core.units import SECOND
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.errors import CallerError, VenueError
from zvt_trading.live_bootstrap import live_world
from zvt_trading.messages.codes import SCOPE_GLOBAL
from zvt_trading.messages.commands import LimitSet
from zvt_trading.runtime.live import LiveWorld
from zvt_trading.runtime.live_venue import LiveVenue
from zvt_trading.runtime.memory import Memory
from zvt_trading.sim.parcels import Timing
from zvt_trading.types import OrderRequest, OrderResult

SYMBOL: Final = "BTC/USDT"
TIMEOUT_MS: Final = 700
SETTLE_SECONDS: Final = 150
START_SECONDS: Final = 120
AT_ONCE: Final = 16
RESTING_FROM: Final = 0.5
SAME_SIDE: Final = 500
_MS: Final = SECOND // 1000

_log = structlog.get_logger("zvt_trading.proof")

WIDE: Final = LimitSet(
    scope=SCOPE_GLOBAL,
    repeated_executions_max=10**6,
    duplicate_window_ms=0,
    orders_per_second_max=10**4,
    orders_per_hour_max=10**6,
    orders_per_day_max=10**6,
    open_orders_max=500,
    daily_loss_bps_max=9_000,
    drawdown_bps_max=9_000,
)


class Life(msgspec.Struct, frozen=True):
    """What one process is to do; `seed` differs from life to life."""

    address: Address
    url: str
    seed: int
    orders: int
    placed: int = 0  # by earlier lives


class Report(msgspec.Struct):
    """What a process that ended by itself says."""

    orders: int
    unresolved: int
    suspended: int
    missed_fills: int
    problem: str = ""


def quick(dialect: Dialect) -> Dialect:
    """The same exchange with the emulator's wider request limits."""
    hurried = copy.copy(dialect)
    profile = dialect.profile
    hurried.profile = replace(
        profile,
        orders_per_second=profile.orders_per_second * LIMIT_FACTOR,
        requests_per_second=profile.requests_per_second * LIMIT_FACTOR,
        cancels_reserved_per_second=profile.cancels_reserved_per_second * LIMIT_FACTOR,
    )
    return hurried


def gateway_of(address: Address) -> CcxtGateway:
    """The adapter of an emulated exchange."""
    module = import_module(f"zvt_trading.adapters.ccxt.{address.exchange}")
    key = address.key
    return CcxtGateway(
        quick(module.DIALECT),
        ApiCredentials(key.key, key.secret, key.passphrase),
        time.time_ns,
        endpoint=Endpoint("127.0.0.1", address.tls_port, address.ca_file),
        timeout_ms=TIMEOUT_MS,
    )


def open_world(life: Life, memory: Memory) -> LiveWorld:
    """A world; tried again while the exchange does not answer, as a supervisor would."""
    profile = import_module(f"zvt_trading.adapters.ccxt.{life.address.exchange}").DIALECT.profile
    validity = profile.validity_ms * _MS
    timing = Timing(
        answer_timeout=(TIMEOUT_MS + 300) * _MS,
        validity=validity,
        absence_after=validity + profile.read_lag_ms * _MS + SECOND,
        poll_every=9 * SECOND,  # what is lost is to be known within ten
        check_every=SECOND,
    )
    exchange = life.address.exchange
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return live_world(
                [gateway_of(life.address)],
                {exchange: [SYMBOL]},
                timings={exchange: timing},
                portfolio=PortfolioSetup(base_asset="USDT"),
                memory=memory,
                order_wait_seconds=1.0,
            )
        except VenueError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


class Trader:
    """Wishes at random; what becomes of them the records will say."""

    def __init__(self, engine: CryptoTradingEngine, exchange: str, seed: int, placed: int) -> None:
        self.placed = placed
        self.refused: Counter[str] = Counter()
        self._engine = engine
        self._exchange = exchange
        self._random = Random(seed)
        self._open: list[str] = []

    async def act(self) -> None:
        """One wish."""
        chosen = self._random.random()
        if self._open and chosen < 0.2:
            order_id = self._open.pop(self._random.randrange(len(self._open)))
            await self._engine.acancel_order(order_id)
        elif self._open and chosen < 0.3:
            order_id = self._random.choice(self._open)
            size = Decimal(self._random.randint(20, 60)) / 10_000
            await self._engine.aamend_order(order_id, quantity=size)
        else:
            await self._place()

    def _taking(self) -> str:
        """The side that takes: the same for long, or unknown outcomes forbid the other one."""
        return ("buy", "sell")[self.placed // SAME_SIDE % 2]

    async def _place(self) -> None:
        info = self._engine.world.simulation.core.state.markets[f"{self._exchange}:{SYMBOL}"]
        instrument = info.instrument
        kind = self._random.random()
        is_resting = kind >= RESTING_FROM
        side = self._random.choice(("buy", "sell")) if is_resting else self._taking()
        tick = Decimal(instrument.tick).scaleb(-instrument.price_scale)
        touch = Decimal(instrument.ask if side == "buy" else instrument.bid)
        touch = touch.scaleb(-instrument.price_scale)
        # Of the price in 100,000s: what rests is far enough away not to meet what takes.
        away = self._random.randint(50, 300) if is_resting else self._random.randint(-5, 5)
        price = touch + touch * away / 100_000 * (1 if side == "sell" else -1)
        price = price // tick * tick
        request = OrderRequest(
            symbol=SYMBOL,
            side=side,
            quantity=Decimal(self._random.randint(10, 60)) / 10_000,
            exchange=self._exchange,
            order_type="market" if kind < 0.05 else "limit",
            price=None if kind < 0.05 else price,
            time_in_force="ioc" if 0.05 <= kind < RESTING_FROM else "gtc",
        )
        result: OrderResult = await self._engine.aplace_order(request)
        if result.limit is None and result.reason != "not_sent":
            self.placed += 1
        else:
            self.refused[result.reason] += 1
            await asyncio.sleep(0.02)
        if result.order_id and is_resting and result.success:
            self._open.append(result.order_id)
            if len(self._open) > 60:
                await self._engine.acancel_order(self._open.pop(0))


async def trade(engine: CryptoTradingEngine, life: Life) -> None:
    """Until so many orders were sent over all lives."""
    state = engine.world.simulation.core.state
    trader = Trader(engine, life.address.exchange, life.seed, life.placed)

    async def one() -> None:
        while trader.placed < life.orders:
            if state.suspended or not all(venue.healthy for venue in state.venues.values()):
                await asyncio.sleep(0.02)
                continue
            try:
                await trader.act()
            except CallerError:
                continue  # an order that was forgotten, or a price that has moved away

    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    _log.info("traded", placed=trader.placed, refused=dict(trader.refused))


def run(life: Life) -> Report:
    """A whole life."""
    memory = stored_memory(life.url)
    engine = CryptoTradingEngine(open_world(life, memory))
    simulation = engine.world.simulation
    state = simulation.core.state
    engine.set_limits(WIDE)
    _until(lambda: bool(state.markets[f"{life.address.exchange}:{SYMBOL}"].instrument.mid_twice()))
    asyncio.run(trade(engine, life))
    _admin(life.address, "faults", "DELETE")
    _until(lambda: not state.suspended, SETTLE_SECONDS)
    engine.cancel_all()
    settled = _until(simulation.is_settled, SETTLE_SECONDS)
    ports = simulation.ports.values()
    venues = [port.exchange for port in ports if isinstance(port.exchange, LiveVenue)]
    read = [venue.readings + 2 for venue in venues]  # the first may have begun before
    _until(lambda: all(v.readings >= r for v, r in zip(venues, read, strict=True)), 60)
    unresolved = 0 if settled else 1
    halted = [name for name, venue in state.venues.items() if venue.trading_state]
    gateways = engine.world.gateways if isinstance(engine.world, LiveWorld) else []
    missed = sum(gateway.missed_fills for gateway in gateways if isinstance(gateway, CcxtGateway))
    engine.close()
    problem = f"halted: {', '.join(halted)}" if halted else ""
    return Report(state.order_seq, unresolved, state.suspended, missed, problem)


def _until(done: Callable[[], bool], seconds: float = START_SECONDS) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _admin(address: Address, what: str, method: str) -> None:
    url = f"http://127.0.0.1:{address.admin_port}/{address.exchange}/{what}"
    with urllib.request.urlopen(urllib.request.Request(url, method=method)):
        pass


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    sys.stdout.write(msgspec.json.encode(run(msgspec.json.decode(sys.argv[1], type=Life))).decode())
