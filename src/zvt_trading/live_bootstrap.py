"""Wires engines to live venues: to trade there, or only to hear their markets (paper trading)."""

import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from zvt_trading.bootstrap import (
    ORDER_LATENCY,
    PortfolioSetup,
    connect,
    go_on,
    open_portfolio,
    usual_base,
)
from zvt_trading.core.rng import Rng
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import MINUTE
from zvt_trading.data.crypto_stream_service import CryptoStreamService
from zvt_trading.data.history_source import HistorySource
from zvt_trading.data.stream_messages import VENUE_CHANNELS
from zvt_trading.data.stream_source import MarketSource
from zvt_trading.errors import CallerError
from zvt_trading.messages.commands import Deposit, ListInstrument, OpenPortfolio
from zvt_trading.messages.events import CommandRefused
from zvt_trading.messages.market import InstrumentSpec
from zvt_trading.ports.venue import Opening, VenueGateway
from zvt_trading.runtime.codes import code_of, reason_of
from zvt_trading.runtime.live import LiveWorld, close_gateways
from zvt_trading.runtime.live_specs import specs_of
from zvt_trading.runtime.loop_thread import LoopThread
from zvt_trading.runtime.memory import Memory
from zvt_trading.sim.fills import RecordedMarket
from zvt_trading.sim.parcels import Timing
from zvt_trading.sim.simulation import Simulation

if TYPE_CHECKING:  # it loads ccxt
    from zvt_trading.adapters.ccxt.client import Endpoint

ORDER_WAIT_SECONDS: Final = 10.0
"""How long a call waits for a venue's answer; the order goes on after that."""
_PORTFOLIO: Final = PortfolioSetup()

Symbols = Mapping[str, Sequence[str]]


def live_world(
    gateways: Sequence[VenueGateway],
    symbols: Symbols,
    *,
    timings: Mapping[str, Timing] | None = None,
    portfolio: PortfolioSetup = _PORTFOLIO,
    memory: Memory | None = None,
    order_wait_seconds: float = ORDER_WAIT_SECONDS,
) -> LiveWorld:
    """An engine on live venues, each with these symbols; all accounts are one portfolio's.

    A new store begins with the balances that the venues state; with a memory of an earlier life it
    trades again when all that it knows was found out. Raises VenueError when a venue does not
    answer, CallerError for a symbol that it has not.
    """
    stored = memory if memory is not None else Memory()
    loop = LoopThread()
    try:
        world = _new_world(stored, loop, order_wait_seconds)
        specs = _specs(gateways, symbols, stored, loop)
        openings = _openings(gateways, specs, stored, loop)
        for gateway in gateways:
            world.add_venue(gateway, (timings or {}).get(gateway.venue, Timing()))
        is_new = _begin(world, stored, specs)
        if is_new:
            _open(world, portfolio)
        _take_openings(world, portfolio.portfolio_id, openings)
        if not is_new:
            world.simulation.recover([])
    except BaseException:
        close_gateways(loop, gateways)
        raise
    return world


def paper_world(
    gateways: Sequence[VenueGateway],
    symbols: Symbols,
    *,
    portfolios: Sequence[PortfolioSetup] = (_PORTFOLIO,),
    memory: Memory | None = None,
    seed: int = 0,
    order_wait_seconds: float = ORDER_WAIT_SECONDS,
) -> LiveWorld:
    """An engine on simulated venues that are moved by the markets of the live ones."""
    stored = memory if memory is not None else Memory()
    loop = LoopThread()
    try:
        world = _new_world(stored, loop, order_wait_seconds)
        specs = _specs(gateways, symbols, stored, loop)
        simulation = world.simulation
        exchanges = connect(
            simulation,
            specs,
            lambda spec: RecordedMarket(spec.tick),
            ORDER_LATENCY,
            ORDER_LATENCY,
            Rng(seed),
        )
        for gateway in gateways:
            world.add_feed(gateway)
        if _begin(world, stored, specs):
            for setup in portfolios:
                open_portfolio(simulation.core, simulation.now, setup)
            _check(world)
            simulation.flush()
        else:
            go_on(simulation, exchanges)
    except BaseException:
        close_gateways(loop, gateways)
        raise
    return world


def public_gateway(
    venue: str,
    symbols: Sequence[str],
    *,
    endpoint: str | None = None,
    ca_file: Path | None = None,
) -> MarketSource:
    """A venue's market without its accounts: no keys. `endpoint` is a private testnet's host:port.

    Raises CallerError for an exchange that is not known, and for an endpoint that cannot be used.
    """
    from zvt_trading.adapters.ccxt.accounts import dialect_of
    from zvt_trading.adapters.ccxt.client import ApiCredentials
    from zvt_trading.adapters.ccxt.gateway import CcxtGateway

    return CcxtGateway(
        dialect_of(_known(venue)),
        ApiCredentials(),
        time.time_ns,
        endpoint=_endpoint(venue, symbols, endpoint, ca_file),
        channels=VENUE_CHANNELS,
        private=False,
    )


def history_source(
    venue: str,
    symbol: str,
    *,
    endpoint: str | None,
    ca_file: Path | None = None,
    pages_per_minute: int | None = None,
) -> HistorySource:
    """The history of a symbol's exchange, or of a private testnet. Call it inside a loop.

    Raises CallerError for an exchange that is not known, and for an endpoint that cannot be used.
    """
    from zvt_trading.adapters.ccxt.client import session_to
    from zvt_trading.data.ccxt_source import ccxt_source

    there = _endpoint(_known(venue), (symbol,), endpoint, ca_file)
    session = session_to(there) if there is not None else None
    return ccxt_source(venue, pages_per_minute=pages_per_minute, session=session)


def _known(venue: str) -> str:
    from zvt_trading.adapters.settings.fields import VenueName

    if venue not in get_args(VenueName):
        raise CallerError(f"exchange {venue!r} must be one of {', '.join(get_args(VenueName))}")
    return venue


def _endpoint(
    venue: str, symbols: Sequence[str], endpoint: str | None, ca_file: Path | None
) -> "Endpoint | None":
    """Checked as a config file's is."""
    from pydantic import ValidationError

    from zvt_trading.adapters.ccxt.accounts import endpoint_of
    from zvt_trading.adapters.settings.model import VenueSettings

    try:
        settings = VenueSettings(symbols=tuple(symbols), endpoint=endpoint, ca_file=ca_file)
    except ValidationError as error:
        text = "; ".join(f"{one['loc'] or ''} {one['msg']}".strip() for one in error.errors())
        raise CallerError(f"{venue}: {text}") from None
    return endpoint_of(venue, settings)


def stream_service(
    gateways: Sequence[MarketSource],
    symbols: Symbols,
    *,
    candle_intervals: Collection[int] = (MINUTE,),
    stale_after: Mapping[str, int] | None = None,
) -> CryptoStreamService:
    """Live markets without an engine, of gateways that were made for all of VENUE_CHANNELS.

    It must be started, and closed. Raises VenueError when a venue does not answer, or has a symbol
    not.
    """
    loop = LoopThread("zvt-trading-streams")
    try:
        listings = {one.venue: loop.run(one.listings(symbols[one.venue])) for one in gateways}
        specs = specs_of(listings, TradingCore().state)
        return CryptoStreamService(
            specs, gateways, candle_intervals=candle_intervals, stale_after=stale_after, loop=loop
        )
    except BaseException:
        close_gateways(loop, gateways)
        raise


def _new_world(memory: Memory, loop: LoopThread, order_wait_seconds: float) -> LiveWorld:
    simulation = Simulation(memory.core)
    simulation.now = time.time_ns()
    world = LiveWorld(simulation, loop, time.time_ns, order_wait_seconds)
    world.memory = memory
    return world


def _specs(
    gateways: Sequence[VenueGateway], symbols: Symbols, memory: Memory, loop: LoopThread
) -> list[InstrumentSpec]:
    """What the venues list."""
    listings = {
        gateway.venue: loop.run(gateway.listings(symbols[gateway.venue])) for gateway in gateways
    }
    return specs_of(listings, memory.core.state)


def _openings(
    gateways: Sequence[VenueGateway],
    specs: Sequence[InstrumentSpec],
    memory: Memory,
    loop: LoopThread,
) -> dict[str, Opening]:
    """What venues state that the engine knows nothing of yet; asked before anything is begun."""
    return {
        gateway.venue: loop.run(
            gateway.opening([spec for spec in specs if spec.venue == gateway.venue])
        )
        for gateway in gateways
        if gateway.venue not in memory.core.state.venues
    }


def _begin(world: LiveWorld, memory: Memory, specs: Sequence[InstrumentSpec]) -> bool:
    """The first events of this life; whether there was none before."""
    simulation = world.simulation
    core = simulation.core
    is_new = memory.begin(simulation)
    for spec in specs:
        if f"{spec.venue}:{spec.symbol}" not in core.state.markets:
            core.command(simulation.now, ListInstrument(spec))
    _check(world)
    return is_new


def _check(world: LiveWorld) -> None:
    """CallerError when the core refused something of the beginning."""
    for event in world.simulation.core.recorder.out:
        if isinstance(event, CommandRefused):
            raise CallerError(f"{event.command}: {reason_of(event.reason)}: {event.text}")


def _open(world: LiveWorld, setup: PortfolioSetup) -> None:
    core = world.simulation.core
    base = setup.base_asset or usual_base(core.state)
    scale = core.state.asset_scales.get(base)
    if scale is None:
        known = ", ".join(sorted(core.state.asset_scales))
        raise CallerError(f"no asset {base!r} to value a portfolio in; known: {known}")
    method = code_of("accounting_method", setup.method)
    core.command(world.simulation.now, OpenPortfolio(setup.portfolio_id, base, scale, method))
    _check(world)


def _take_openings(world: LiveWorld, portfolio: str, openings: Mapping[str, Opening]) -> None:
    """What the venues state is what there is; what came before is not ours to know."""
    simulation = world.simulation
    core = simulation.core
    for venue, opening in openings.items():
        for asset, amount in opening.balances:
            if amount > 0:
                deposit = Deposit(portfolio, venue, asset, amount, "opening balance")
                core.command(simulation.now, deposit)
        core.control.read_history(venue, opening.cursor)
    _check(world)
    simulation.flush()
