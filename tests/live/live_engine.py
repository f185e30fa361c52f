"""An engine on one exchange, as a trader would wire it; impatient, so that tests are short."""

import time
from importlib import import_module
from typing import Final

from msgspec import Struct

from zvt_trading.adapters.ccxt.client import ApiCredentials, Endpoint
from zvt_trading.adapters.ccxt.gateway import CcxtGateway
from zvt_trading.bootstrap import PortfolioSetup, stored_memory
from zvt_trading.emulator.emulator import LOOPBACK
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.live_bootstrap import live_world
from zvt_trading.messages.codes import SCOPE_GLOBAL
from zvt_trading.messages.commands import LimitSet
from zvt_trading.runtime.live import LiveWorld
from zvt_trading.sim.parcels import Timing
from zvt_trading.sim.venue_api import History

SPOT: Final = "BTC/USDT"
PERPETUAL: Final = "BTC/USDT:USDT"
VENUES: Final = ("binance", "okx", "bybit", "coinbase")
SYMBOLS: Final = {name: (SPOT,) if name == "coinbase" else (SPOT, PERPETUAL) for name in VENUES}
MARKETS: Final = [(name, symbol) for name in VENUES for symbol in SYMBOLS[name]]
PERPETUALS: Final = [name for name in VENUES if PERPETUAL in SYMBOLS[name]]
ASSETS: Final = ("BTC", "USDT")

DEADLINE_S: Final = 15
"""Longer than anything takes here, also on a busy machine."""
NUDGE_EVERY_S: Final = 0.1
MS: Final = 1_000_000
TIMING: Final = Timing(
    answer_timeout=300 * MS,
    validity=500 * MS,
    absence_after=1_500 * MS,
    poll_every=450 * MS,
    check_every=100 * MS,
)
"""Impatient: what takes seconds at a real venue takes tenths of them here."""
SELDOM: Final = Timing(
    answer_timeout=300 * MS,
    validity=500 * MS,
    absence_after=1_500 * MS,
    poll_every=60_000 * MS,
    check_every=100 * MS,
)
"""The same, but its histories are not read while a test runs."""
TIMEOUT_MS: Final = 2_500
"""How long the adapter waits for an answer."""
LIMITS: Final = LimitSet(
    scope=SCOPE_GLOBAL,
    data_age_ms_max=600_000,  # the books of a quiet emulator stand still
    duplicate_window_ms=0,
    repeated_executions_max=1_000,
)


class Door(Struct, frozen=True):
    """All that an engine needs to trade an account; its key belongs to an emulator."""

    name: str
    url: str
    key: str
    secret: str
    passphrase: str
    port: int
    ca_file: str


class CountingGateway(CcxtGateway):
    """The real one; `readings` says how often its history was read to the end."""

    readings = 0

    async def history(self, cursor: int) -> History:
        """See ports.venue."""
        history = await super().history(cursor)
        self.readings += 1
        return history


def live_engine(
    door: Door, timing: Timing
) -> tuple[CryptoTradingEngine, LiveWorld, CountingGateway]:
    """An engine on one exchange with a store of its own."""
    gateway = CountingGateway(
        import_module(f"zvt_trading.adapters.ccxt.{door.name}").DIALECT,
        ApiCredentials(door.key, door.secret, door.passphrase),
        time.time_ns,
        endpoint=Endpoint(LOOPBACK, door.port, door.ca_file),
        timeout_ms=TIMEOUT_MS,
    )
    world = live_world(
        [gateway],
        {door.name: SYMBOLS[door.name]},
        timings={door.name: timing},
        portfolio=PortfolioSetup(base_asset="USDT"),
        memory=stored_memory(door.url),
        order_wait_seconds=DEADLINE_S,
    )
    engine = CryptoTradingEngine(world)
    engine.set_limits(LIMITS)
    return engine, world, gateway


def is_ready(engine: CryptoTradingEngine) -> bool:
    """Whether new orders may be sent: nothing is unknown, streams are up, there are prices."""
    state = engine._state
    return (
        not state.suspended
        and all(venue.healthy for venue in state.venues.values())
        and all(market.instrument.mid_twice() for market in state.markets.values())
    )
