"""From settings and keys to an engine that runs: gateways, store, portfolios, limits, leverage."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Final

import structlog

from zvt_trading.adapters.ccxt.accounts import credentials_of, dialect_of, endpoint_of
from zvt_trading.adapters.ccxt.dialect import Profile
from zvt_trading.adapters.ccxt.gateway import CLOCK_OFFSET_MS_MAX, CcxtGateway
from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.errors import ConfigError
from zvt_trading.adapters.settings.limits import limit_sets
from zvt_trading.adapters.settings.model import Mode, PortfolioSettings, Settings, VenueSettings
from zvt_trading.adapters.store.opening import (
    default_url,
    is_in_memory,
    open_existing,
    shown_url,
    stored_version,
)
from zvt_trading.bootstrap import PortfolioSetup, stored_memory
from zvt_trading.core.state import State
from zvt_trading.core.units import SECOND
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.errors import CallerError
from zvt_trading.live_bootstrap import live_world, paper_world
from zvt_trading.runtime.codes import code_of
from zvt_trading.runtime.live import LiveWorld
from zvt_trading.runtime.memory import Memory
from zvt_trading.runtime.purpose import DedicatedMemory, purpose_of, stored_purpose
from zvt_trading.runtime.world import World
from zvt_trading.sim.parcels import Timing
from zvt_trading.strategies.base import Strategy
from zvt_trading.strategies.loading import load_strategy

NS_A_MS: Final = SECOND // 1_000

Keys = Mapping[str, Credentials]

_log = structlog.get_logger("zvt_trading.run")


def start_engine(settings: Settings, keys: Keys) -> CryptoTradingEngine:
    """An engine that hears its venues; blocks until they have said what they list.

    Raises CallerError for what cannot be meant, VenueError when a venue does not answer, StoreError
    when the store cannot be used.
    """
    check_portfolios(settings)
    gateways = [
        gateway_of(name, chosen, settings, keys)
        for name, chosen in settings.trading_venues().items()
    ]
    memory = _memory(settings)
    try:
        world = _world(settings, gateways, memory)
        _check_stored(settings, world)
    except BaseException:
        memory.close()
        raise
    engine = CryptoTradingEngine(world)
    try:
        _set_limits(engine, settings)
    except BaseException:
        engine.close()
        raise
    return engine


def strategies_of(settings: Settings) -> dict[str, Strategy]:
    """The strategies by name, made with their parameters; CallerError says what is wrong."""
    made: dict[str, Strategy] = {}
    for name, one in settings.strategies.items():
        try:
            made[name] = load_strategy(one.reference, one.parameters)
        except CallerError as error:
            raise ConfigError(f"strategies.{name}: {error}") from error
    return made


def check_portfolios(settings: Settings) -> None:
    """ConfigError for portfolios that an account cannot tell apart."""
    names = [portfolio.name for portfolio in settings.portfolios]
    if settings.mode is Mode.LIVE and len(names) > 1:
        raise ConfigError(
            f"portfolio: live trading has one portfolio, not {len(names)} ({', '.join(names)}): "
            "a venue's account does not say whose money it has"
        )


def gateway_of(venue: str, chosen: VenueSettings, settings: Settings, keys: Keys) -> CcxtGateway:
    """The way to one venue; for paper trading only its market is heard."""
    return CcxtGateway(
        dialect_of(venue),
        credentials_of(keys.get(venue)),
        time.time_ns,
        account=settings.portfolios[0].name,
        endpoint=endpoint_of(venue, chosen),
        timeout_ms=chosen.answer_timeout_ms,
        private=settings.mode is Mode.LIVE,
    )


def timing_of(profile: Profile, settings: VenueSettings) -> Timing:
    """How long a venue is waited for.

    An order is only believed absent when the venue cannot take it any more, our clocks may differ
    and its queries may be behind.
    """
    absence_ms = profile.validity_ms + profile.read_lag_ms + CLOCK_OFFSET_MS_MAX
    return Timing(
        answer_timeout=settings.answer_timeout_ms * NS_A_MS,
        validity=profile.validity_ms * NS_A_MS,
        absence_after=absence_ms * NS_A_MS,
        # So that what a stream has lost is known when the time is over, not only asked for.
        poll_every=settings.reconcile_seconds * SECOND * 9 // 10,
    )


def paper_setup(portfolio: PortfolioSettings, settings: Settings) -> PortfolioSetup:
    """A portfolio of paper money, on the venues that are enabled."""
    trading = settings.trading_venues()
    return PortfolioSetup(
        portfolio_id=portfolio.name,
        base_asset=portfolio.base_asset,
        method=portfolio.method,
        cash=0,
        coins=tuple(
            (venue, portfolio.base_asset, amount)
            for venue, amount in portfolio.cash.items()
            if venue in trading
        ),
    )


def _world(settings: Settings, gateways: Sequence[CcxtGateway], memory: Memory) -> LiveWorld:
    trading = settings.trading_venues()
    symbols: dict[str, Sequence[str]] = {name: one.symbols for name, one in trading.items()}
    if settings.mode is Mode.PAPER:
        setups = [paper_setup(one, settings) for one in settings.portfolios]
        return paper_world(gateways, symbols, portfolios=setups, memory=memory)
    one = settings.portfolios[0]
    return live_world(
        gateways,
        symbols,
        timings={name: timing_of(dialect_of(name).profile, trading[name]) for name in trading},
        portfolio=PortfolioSetup(
            portfolio_id=one.name, base_asset=one.base_asset, method=one.method
        ),
        memory=memory,
    )


# The store.


def _memory(settings: Settings) -> Memory:
    """What the store remembers, if it is for this; ConfigError when it is for something else."""
    url = settings.db_url or default_url()
    if not is_in_memory(url) and stored_version(url) is not None:
        with closing(open_existing(url)) as store:
            problem = purpose_problem(settings, stored_purpose(store))
        if problem:
            raise ConfigError(f"db_url: the store {shown_url(url)} {problem}")
    return DedicatedMemory(stored_memory(url), _purpose(settings))


def purpose_problem(settings: Settings, found: str | None) -> str:
    """Why a store that says this of itself (runtime.purpose) cannot be used; "" when it can."""
    purpose = _purpose(settings)
    if found is None or found == purpose:
        return ""
    said = f"is for {found}" if found else "was not made by `zvt-trading run`"
    return f"{said}, and this run is for {purpose}: give it a store of its own"


def _purpose(settings: Settings) -> str:
    trading = settings.trading_venues()
    return purpose_of(settings.mode, {name: trading[name].endpoint is not None for name in trading})


def _check_stored(settings: Settings, world: LiveWorld) -> None:
    """ConfigError for a portfolio that the store does not have, or has otherwise."""
    try:
        _check_portfolios_of(settings, world.simulation.core.state)
    except BaseException:
        world.disconnect()
        raise


def _check_portfolios_of(settings: Settings, state: State) -> None:
    for number, wanted in enumerate(settings.portfolios):
        found = state.portfolios.get(wanted.name)
        path = f"portfolio.{number}"
        if found is None:
            known = ", ".join(state.portfolios)
            raise ConfigError(
                f"{path}.name: the store has no {wanted.name!r}, it has: {known}; portfolios are "
                "opened at the first start only"
            )
        if found.base_asset != wanted.base_asset:
            raise ConfigError(f"{path}.base_asset: in the store it is {found.base_asset}")
        if found.method != code_of("accounting_method", wanted.method):
            raise ConfigError(f"{path}.method: in the store it is another one; it cannot change")


# What the settings say of every start.


def _set_limits(engine: CryptoTradingEngine, settings: Settings) -> None:
    state = engine.world.simulation.core.state
    money = {name: portfolio.base_scale for name, portfolio in state.portfolios.items()}
    quantities = {
        name: symbol.markets[0].instrument.quantity_scale for name, symbol in state.symbols.items()
    }
    for limits in limit_sets(settings.risk, money, quantities):
        engine.set_limits(limits)


def set_leverage(engine: CryptoTradingEngine, settings: Settings) -> None:
    """Of the perpetuals that are traded, where the settings say one; blocks.

    The venue is asked first: VenueError when it refuses, as our books must not say otherwise.
    """
    world = engine.world
    for venue, chosen in settings.trading_venues().items():
        for symbol in chosen.symbols:
            if chosen.leverage is None or ":" not in symbol:
                continue
            for portfolio in settings.portfolios:
                if not _may_choose(world, portfolio.name, f"{venue}:{symbol}", chosen):
                    continue
                if settings.mode is Mode.LIVE and isinstance(world, LiveWorld):
                    _ask_venue(world, venue, symbol, chosen)
                engine.set_leverage(
                    portfolio.name, symbol, venue, chosen.leverage, chosen.margin_mode
                )


def _may_choose(world: World, portfolio: str, instrument: str, chosen: VenueSettings) -> bool:
    """Whether it is not so already; with a position it stays as it is, and that is said."""
    holding = world.simulation.core.state.portfolios[portfolio].holdings.get(instrument)
    if holding is None:
        return True
    position = holding.position
    mode = code_of("margin_mode", chosen.margin_mode)
    if (position.leverage, position.margin_mode) == (chosen.leverage, mode):
        return False
    if not position.quantity and not holding.orders:
        return True
    _log.warning(
        "leverage_stays", instrument=instrument, leverage=position.leverage,
        why="it has a position or open orders",
    )  # fmt: skip
    return False


def _ask_venue(world: LiveWorld, venue: str, symbol: str, chosen: VenueSettings) -> None:
    """Set it there; VenueError says why not."""
    for gateway in world.gateways:
        if gateway.venue == venue and chosen.leverage is not None:
            mode = code_of("margin_mode", chosen.margin_mode)
            world.loop.run(gateway.set_leverage(f"{venue}:{symbol}", chosen.leverage, mode))
