"""Paper and live runs as settings say, from their beginning to a graceful stop."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Final

import structlog
from msgspec import Struct

from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.model import Settings
from zvt_trading.core.state import State
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.live_setup import set_leverage, start_engine, strategies_of
from zvt_trading.ports.store import StoreUnavailableError
from zvt_trading.runtime.apart import apart
from zvt_trading.runtime.codes import reason_of
from zvt_trading.strategies.base import Strategy
from zvt_trading.types import PortfolioSummary

STATUS_SECONDS: Final = 5
"""How often the run says how it stands."""
LOOK_SECONDS: Final = 0.2
"""How often it is looked whether the venues are ready."""
START_SECONDS_MAX: Final = 30
"""Strategies begin after that, though a venue is not healthy yet; it gets no orders."""

_log = structlog.get_logger("zvt_trading.run")


class RunStatus(Struct, frozen=True, kw_only=True):
    """How a run stands. Equity is by portfolio, in its base asset.

    `unhealthy` are venues that get no orders, `unpriced` instruments without a price, `suspended`
    why no new risk is taken ("" when it is), `stopped` strategies with the error that stopped them,
    `store` what is not remembered ("" when everything is).
    """

    equity: dict[str, Decimal]
    open_orders: int
    unhealthy: tuple[str, ...]
    unpriced: tuple[str, ...]
    suspended: str
    stopped: dict[str, str]
    store: str

    @property
    def is_ready(self) -> bool:
        """Whether everything can be traded."""
        return not (self.unhealthy or self.unpriced or self.suspended)


OnStatus = Callable[[RunStatus], None]


async def run_live(
    settings: Settings,
    keys: Mapping[str, Credentials],
    *,
    stop: asyncio.Event,
    on_status: OnStatus | None = None,
) -> None:
    """Trade until `stop` is set; then strategies stop, and their orders are cancelled.

    `keys` are by venue; paper trading needs none. Raises CallerError for what cannot be meant,
    VenueError when a venue does not answer at the start, StoreError when the store cannot be used
    or does not remember everything, EngineError when the engine fails.
    """
    strategies = strategies_of(settings)
    _log.info("starting", mode=settings.mode.value, venues=tuple(settings.trading_venues()))
    engine = await apart(lambda: start_engine(settings, keys))
    run = _Run(settings, engine, on_status)
    try:
        if await run.until_ready(stop):
            await apart(lambda: set_leverage(engine, settings))
            await apart(lambda: run.begin(strategies))
            await run.watch(stop)
    finally:
        _log.info("stopping")
        await apart(engine.close)
    problem = engine.world.memory.problem()
    if problem:
        raise StoreUnavailableError(problem)
    run.tell_end()


class _Run:
    """An engine that runs, and what is said of it. Its plain methods block: for other threads."""

    def __init__(
        self, settings: Settings, engine: CryptoTradingEngine, on_status: OnStatus | None
    ) -> None:
        self._settings: Final = settings
        self._engine: Final = engine
        self._state: Final[State] = engine.world.simulation.core.state
        self._on_status: Final = on_status

    def begin(self, strategies: Mapping[str, Strategy]) -> None:
        """Start the strategies."""
        first = self._settings.portfolios[0].name
        for name, strategy in strategies.items():
            portfolio = self._settings.strategies[name].portfolio or first
            self._engine.add_strategy(strategy, name, portfolio)
            _log.info("strategy_started", strategy=name, portfolio=portfolio)

    async def until_ready(self, stop: asyncio.Event) -> bool:
        """Wait until orders can be placed; False when `stop` came first."""
        begun = time.monotonic()
        told = begun
        while not stop.is_set():
            status = await apart(self.status)
            now = time.monotonic()
            is_late = now - begun > START_SECONDS_MAX
            if status.is_ready or (is_late and not status.suspended):
                self._tell(status)
                return True
            if now - told >= STATUS_SECONDS:
                told = now
                self._tell(status)
            await _pause(stop, LOOK_SECONDS)
        return False

    async def watch(self, stop: asyncio.Event) -> None:
        """Say how it stands until `stop`; EngineError when the engine has failed."""
        while not await _pause(stop, STATUS_SECONDS):
            self._tell(await apart(self.status))

    def status(self) -> RunStatus:
        """How it stands; EngineError when the engine has failed."""
        # Live time passes by itself, so this only asks whether anything works.
        self._engine.advance(1)
        state = self._state
        summaries = self._summaries()
        markets = list(state.markets.values())
        world = self._engine.world
        return RunStatus(
            equity=_equity(summaries),
            open_orders=sum(one.open_orders for one in summaries),
            unhealthy=tuple(one.name for one in list(state.venues.values()) if not one.healthy),
            unpriced=tuple(one.instrument.id for one in markets if not one.instrument.mid_twice()),
            suspended=reason_of(state.suspended),
            stopped={run.strategy_id: run.error for run in list(world.runners) if run.error},
            store=world.memory.problem(),
        )

    def tell_end(self) -> None:
        """How it ended; orders that are still open are found out about at the next start."""
        summaries = self._summaries()
        left = sum(one.open_orders for one in summaries)
        say = _log.warning if left else _log.info
        say("stopped", equity=_shown(_equity(summaries)), open_orders=left)

    def _summaries(self) -> list[PortfolioSummary]:
        return [self._engine.get_portfolio_summary(name) for name in tuple(self._state.portfolios)]

    def _tell(self, status: RunStatus) -> None:
        wrong = {
            "unhealthy": status.unhealthy,
            "unpriced": status.unpriced,
            "suspended": status.suspended,
            "stopped": status.stopped,
            "store": status.store,
        }
        _log.info(
            "status",
            equity=_shown(status.equity),
            open_orders=status.open_orders,
            **{name: value for name, value in wrong.items() if value},
        )
        if self._on_status is not None:
            self._on_status(status)


async def _pause(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until `stop`; whether it came."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


def _equity(summaries: Sequence[PortfolioSummary]) -> dict[str, Decimal]:
    return {one.portfolio_id: one.equity for one in summaries}


def _shown(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    """As they are, without an exponent."""
    return {name: f"{amount:f}" for name, amount in amounts.items()}
