"""The one place that wires things together: core, venues, feeds, portfolios."""

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from zvt_trading.adapters.files import RecordedFeed, open_recordings
from zvt_trading.core.rng import Rng
from zvt_trading.core.state import State
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import SECOND
from zvt_trading.errors import CallerError
from zvt_trading.messages.commands import Deposit, ListInstrument, OpenPortfolio
from zvt_trading.messages.events import CommandRefused
from zvt_trading.messages.market import InstrumentSpec, MarketData
from zvt_trading.ports.feed import Feed
from zvt_trading.runtime.codes import code_of, reason_of
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.memory import Memory, StoredMemory
from zvt_trading.runtime.numbers import to_datetime, to_scaled
from zvt_trading.runtime.recovery import recover
from zvt_trading.runtime.world import Progress, World
from zvt_trading.sim.adoption import adopt
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.fills import MatchedMarket, RecordedMarket
from zvt_trading.sim.generated import START_NS, GeneratedMarket
from zvt_trading.sim.link import LinkProfile
from zvt_trading.sim.simulation import Simulation
from zvt_trading.types import AccountingMethod, Number

ORDER_LATENCY = LinkProfile(delay_min=2_000_000, delay_max=8_000_000)
"""One way to a venue and back, each: 2-8 ms, as from a server in the venue's region."""
NO_LATENCY = LinkProfile()
HUMAN_PACE = SECOND // 5

MarketOf = Callable[[InstrumentSpec], RecordedMarket | MatchedMarket]
"""Where orders in an instrument are filled: against recorded markets, or in a matching engine."""


class PortfolioSetup(Struct, frozen=True, kw_only=True):
    """A portfolio to begin with: `cash` of the base asset on every venue, `coins` besides.

    Without `base_asset` it is USDT where that is traded, else what the first instrument settles in.
    `coins` are (venue, asset, amount).
    """

    portfolio_id: str = "default"
    base_asset: str = ""
    method: AccountingMethod | str = AccountingMethod.FIFO
    cash: Number = Decimal(100_000)
    coins: tuple[tuple[str, str, Number], ...] = ()


class GeneratedFeed:
    """The built-in market as a feed.

    Before the market moves on, `before_step` (given its next time) lets what is due at the venues
    arrive there, so that our orders meet the market as it was.
    """

    def __init__(self, market: GeneratedMarket) -> None:
        self.before_step: Callable[[int], None] | None = None
        self._market = market

    def __iter__(self) -> Iterator[MarketData]:
        """The market's messages until its time is over."""
        market = self._market
        while (due := market.next_time()) > 0:
            if self.before_step is not None:
                self.before_step(due)
            yield from market.step(due)

    def progress(self) -> tuple[int, int]:
        """Nanoseconds of market time, done and in all."""
        market = self._market
        return market.now - market.start_ns, market.end_ns - market.start_ns


def build_world(
    specs: Sequence[InstrumentSpec],
    feed: Feed,
    market_of: MarketOf,
    *,
    portfolios: Sequence[PortfolioSetup] = (PortfolioSetup(),),
    seed: int = 0,
    outward: LinkProfile = ORDER_LATENCY,
    inward: LinkProfile = ORDER_LATENCY,
    memory: Memory | None = None,
) -> World:
    """An engine on simulated venues that list `specs`, driven by `feed`.

    With a `memory` of an earlier one it goes on from there, and `portfolios` are not opened again.
    Raises CallerError when a specification or portfolio contradicts another, or the feed begins
    before what is remembered.
    """
    stored = memory if memory is not None else Memory()
    simulation = Simulation(stored.core)
    exchanges = connect(simulation, specs, market_of, outward, inward, Rng(seed))
    world = World(simulation, feed)
    first = world.peek()
    if first is not None:
        _check_later(simulation.core.state, first)
        simulation.now = first.ts - 1
    world.memory = stored
    is_new = stored.begin(simulation)
    # Everything is one group: it is durable as a whole, or the next start begins anew.
    core = simulation.core
    for spec in specs:
        if f"{spec.venue}:{spec.symbol}" not in core.state.markets:
            core.command(simulation.now, ListInstrument(spec))
    if is_new:
        for setup in portfolios:
            open_portfolio(core, simulation.now, setup)
    else:
        go_on(simulation, exchanges)
    for event in core.recorder.out:
        if isinstance(event, CommandRefused):
            raise CallerError(f"{event.command}: {reason_of(event.reason)}: {event.text}")
    simulation.flush()
    return world


def _check_later(state: State, first: MarketData) -> None:
    """Time does not run backwards for what a store remembers."""
    if state.seq and first.ts <= state.ts:
        raise CallerError(
            f"the store knows what was until {to_datetime(state.ts)}, this market begins at "
            f"{to_datetime(first.ts)}: give it a store of its own"
        )


def connect(
    simulation: Simulation,
    specs: Sequence[InstrumentSpec],
    market_of: MarketOf,
    outward: LinkProfile,
    inward: LinkProfile,
    rng: Rng,
) -> dict[str, SimExchange]:
    """A simulated venue for each that the specs name."""
    exchanges: dict[str, SimExchange] = {}
    for spec in specs:
        exchange = exchanges.get(spec.venue)
        if exchange is None:
            exchange = SimExchange(spec.venue)
            exchanges[spec.venue] = exchange
            simulation.add_venue(exchange, outward, inward, rng.fork(len(exchanges)))
        exchange.list_instrument(spec, market_of(spec))
    return exchanges


def go_on(simulation: Simulation, exchanges: dict[str, SimExchange]) -> None:
    """The venues take over what a store remembers of the ones that died with the last engine."""
    state = simulation.core.state
    for name in state.markets:
        if (
            name.partition(":")[0] not in exchanges
            or name not in exchanges[name.partition(":")[0]].desk.listings
        ):
            raise CallerError(f"the store knows {name}, which no venue here lists")
    for exchange in exchanges.values():
        for report in adopt(exchange, state, simulation.now):
            simulation.core.report(simulation.now, report)
    simulation.recover([])


def default_world(seed: int = 7, seconds: int = 3600, memory: Memory | None = None) -> World:
    """Four simulated exchanges on the generated market, one portfolio, at a person's pace.

    Orders are answered at once, and the market moves for HUMAN_PACE before each, so that asking for
    the same twice is not taken for a runaway program.
    """
    world = generated_world(seed=seed, seconds=seconds, latency=NO_LATENCY, memory=memory)
    world.order_pace = HUMAN_PACE
    return world


def generated_world(
    *,
    seed: int = 7,
    seconds: int = 60,
    portfolios: Sequence[PortfolioSetup] = (PortfolioSetup(),),
    latency: LinkProfile = ORDER_LATENCY,
    memory: Memory | None = None,
) -> World:
    """The built-in market: seeded order flow on four venues.

    After what a `memory` remembers, it begins a second later.
    """
    start = START_NS
    if memory is not None:
        start = max(start, memory.core.state.ts + SECOND)
    market = GeneratedMarket(seed, seconds * SECOND, start)
    feed = GeneratedFeed(market)
    world = build_world(
        market.specs(),
        feed,
        lambda spec: market.market(f"{spec.venue}:{spec.symbol}"),
        portfolios=portfolios,
        seed=seed,
        outward=latency,
        inward=latency,
        memory=memory,
    )
    feed.before_step = world.simulation.advance
    world.warm_up()
    return world


def recorded_world(
    paths: Sequence[Path],
    *,
    portfolios: Sequence[PortfolioSetup] = (PortfolioSetup(),),
    seed: int = 0,
    latency: LinkProfile = ORDER_LATENCY,
    memory: Memory | None = None,
) -> World:
    """Recorded markets; raises DataError when a file cannot be read."""
    feed: RecordedFeed = open_recordings(paths)
    return build_world(
        feed.specs,
        feed,
        lambda spec: RecordedMarket(spec.tick),
        portfolios=portfolios,
        seed=seed,
        outward=latency,
        inward=latency,
        memory=memory,
    )


def open_portfolio(core: TradingCore, now: int, setup: PortfolioSetup) -> None:
    """Open a portfolio and fund it on every venue."""
    state = core.state
    base = setup.base_asset or usual_base(state)
    scale = state.asset_scales.get(base)
    if scale is None:
        known = ", ".join(sorted(state.asset_scales))
        raise CallerError(f"no asset {base!r} to value a portfolio in; known: {known}")
    method = code_of("accounting_method", setup.method)
    core.command(now, OpenPortfolio(setup.portfolio_id, base, scale, method))
    cash = to_scaled("cash", setup.cash, scale)
    for venue in sorted(state.venues):
        if cash:
            core.command(now, Deposit(setup.portfolio_id, venue, base, cash))
    for venue, asset, amount in setup.coins:
        coins = to_scaled("coins", amount, state.asset_scales.get(asset, 8))
        core.command(now, Deposit(setup.portfolio_id, venue, asset, coins))


def usual_base(state: State) -> str:
    """USDT, or what the first instrument settles in."""
    if "USDT" in state.asset_scales:
        return "USDT"
    return next(iter(state.markets.values())).instrument.settle


def default_url() -> str:
    """The store that is used when none is named: ZVT_TRADING_DB_URL, else a file of the user."""
    from zvt_trading.adapters.store import opening

    return opening.default_url()


def stored_memory(
    url: str, *, on_progress: Progress | None = None, notice: Callable[[str], None] | None = None
) -> Memory:
    """What the store of a URL remembers; its lease is ours until `Memory.close`.

    Of `sqlite:///:memory:` nobody could ever read anything, so nothing is written there: it is as
    having no store. Raises CallerError for a URL that names no store, StoreError when it cannot be
    used.
    """
    from zvt_trading.adapters.store.opening import is_in_memory, open_store

    if is_in_memory(url):
        return Memory()
    store = open_store(url, notice=notice)
    try:
        recovered = recover(store, process_name(), on_progress)
    except BaseException:
        store.close()
        raise
    return StoredMemory(recovered, Keeper(store, recovered, time.monotonic))


def process_name() -> str:
    """Who has a lease: this machine and process."""
    return f"{socket.gethostname()}:{os.getpid()}"
