"""A world drawn from a seed: venues with instruments and rules, portfolios, and bad links.

Prices have 1 decimal (a coin is about 1000.0), spot and linear quantities 3, inverse contracts are
worth 100 USD each; money has 8 decimals everywhere.
"""

from typing import Final

import msgspec

from zvt_trading.core.fees import RECEIVED, THIRD, FeeSchedule
from zvt_trading.core.rng import Rng
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import (
    AVERAGE,
    CROSS,
    FIFO,
    INVERSE,
    ISOLATED,
    LINEAR,
    SCOPE_GLOBAL,
    SPOT,
)
from zvt_trading.messages.commands import (
    Deposit,
    LimitSet,
    ListInstrument,
    OpenPortfolio,
    SetLeverage,
    SetLimits,
)
from zvt_trading.messages.market import InstrumentSpec
from zvt_trading.sim.exchange import DUPLICATE_EVER, DUPLICATE_OPEN, DUPLICATE_RETURNED, SimExchange
from zvt_trading.sim.fills import RecordedMarket
from zvt_trading.sim.link import LinkProfile
from zvt_trading.sim.simulation import Simulation

MONEY: Final = 10**8
START: Final = 1_700_000_000 * SECOND
MILLISECOND: Final = SECOND // 1000
VENUES: Final = ("alpha", "beta", "gamma")
PORTFOLIOS: Final = ("main", "hedge", "carry")
PPM_PER_PERCENT: Final = 10_000

SPOT_SPEC: Final = InstrumentSpec(
    venue="", symbol="BTC/USDT", kind=SPOT, base="BTC", quote="USDT", settle="USDT",
    price_scale=1, quantity_scale=3, base_scale=8, quote_scale=8, tick=1, lot=5, quantity_min=5,
    notional_min=MONEY, maker_fee=10_000, taker_fee=50_000,
)  # fmt: skip
FEE_COIN_SPEC: Final = msgspec.structs.replace(SPOT_SPEC, symbol="BNB/USDT", base="BNB")
LINEAR_SPEC: Final = msgspec.structs.replace(
    SPOT_SPEC, symbol="BTC/USDT:USDT", kind=LINEAR, leverage_max=50
)
INVERSE_SPEC: Final = InstrumentSpec(
    venue="", symbol="BTC/USD:BTC", kind=INVERSE, base="BTC", quote="USD", settle="BTC",
    price_scale=1, quantity_scale=0, base_scale=8, quote_scale=8, tick=1, lot=1, quantity_min=1,
    contract_size=100, maker_fee=-5_000, taker_fee=40_000, leverage_max=50,
)  # fmt: skip


class World:
    """A simulation with what the harness must know about it."""

    def __init__(self, seed: int) -> None:
        self.rng = Rng(seed)
        self.simulation = Simulation(TradingCore())
        self.simulation.now = START
        self.specs: dict[str, InstrumentSpec] = {}
        self.exchanges: dict[str, SimExchange] = {}
        self.portfolios = PORTFOLIOS[: 1 + self.rng.below(3)]
        self.has_fee_coin = False

    def pick(self, choices: list[str]) -> str:
        """One of a list (not empty)."""
        return choices[self.rng.below(len(choices))]


def add_venues(world: World) -> None:
    """Venues and their instruments; the engine does not know them yet."""
    rng = world.rng
    for index in range(1 + rng.below(3)):
        venue = VENUES[index]
        policy = (DUPLICATE_EVER, DUPLICATE_OPEN, DUPLICATE_RETURNED)[rng.below(3)]
        per_second = 4 if rng.chance(1, 10) else 0
        exchange = SimExchange(venue, policy, 0, per_second)
        world.exchanges[venue] = exchange
        # Where an id may be used again, a request that the network doubles is two orders: no
        # client can help that but by never sending twice, which is the `blind retry` sabotage.
        outward = draw_profile(rng, may_duplicate=policy != DUPLICATE_OPEN)
        inward = draw_profile(rng, may_duplicate=True)
        world.simulation.add_venue(exchange, outward, inward, rng.fork(index))
        _list_instruments(world, exchange)


def _list_instruments(world: World, exchange: SimExchange) -> None:
    rng = world.rng
    venue = exchange.venue
    holds_stops = rng.chance(1, 2)
    schedule = _draw_fees(world)
    for template in (SPOT_SPEC, FEE_COIN_SPEC, LINEAR_SPEC, INVERSE_SPEC):
        if template is FEE_COIN_SPEC and (schedule is None or schedule.rule != THIRD):
            continue
        if template.kind != SPOT and not rng.chance(2, 3):
            continue
        spec = msgspec.structs.replace(
            template,
            venue=venue,
            stops_held_by_venue=holds_stops,
            amend_supported=not rng.chance(1, 10),
        )
        own = schedule if template is SPOT_SPEC else None
        exchange.list_instrument(spec, RecordedMarket(spec.tick), own)
        instrument = f"{venue}:{spec.symbol}"
        world.specs[instrument] = spec
        if own is not None and own.rule == THIRD:
            exchange.set_fee_price(instrument, 1, 1000)


def _draw_fees(world: World) -> FeeSchedule | None:
    """How a venue charges its spot market."""
    kind = world.rng.below(3)
    if kind == 0:
        return None
    if kind == 1:
        return FeeSchedule(10_000, 50_000, RECEIVED)
    world.has_fee_coin = True
    return FeeSchedule(10_000, 50_000, THIRD, "BNB", 25_000_000)


def draw_profile(rng: Rng, *, may_duplicate: bool) -> LinkProfile:
    """A link between perfect and hardly usable."""
    if rng.chance(1, 8):
        return LinkProfile()
    delay_min = rng.below(20) * MILLISECOND
    delay_max = delay_min + rng.below(1 + 10 ** rng.below(4)) * MILLISECOND
    loss = (0, 1, 5, 20)[rng.below(4)] * PPM_PER_PERCENT
    duplicate = (0, 5, 20)[rng.below(3)] * PPM_PER_PERCENT if may_duplicate else 0
    reorder = (0, 5, 20)[rng.below(3)] * PPM_PER_PERCENT
    reorder_delay = (1 + rng.below(4_000)) * MILLISECOND if reorder else 0
    windows: list[tuple[int, int]] = []
    at = START
    for _ in range(rng.below(3)):
        at += 1 + rng.below(30 * SECOND)
        end = at + 1 + rng.below(8 * SECOND)
        windows.append((at, end))
        at = end
    return LinkProfile(
        delay_min, delay_max, loss, duplicate, reorder, reorder_delay, tuple(windows)
    )


def open_for_business(world: World) -> None:
    """List, open and fund everything by commands."""
    simulation = world.simulation
    for spec in world.specs.values():
        simulation.command(ListInstrument(spec))
    if world.rng.chance(1, 2):  # the defaults keep clear of liquidation: let it come near
        simulation.command(
            SetLimits(
                LimitSet(
                    scope=SCOPE_GLOBAL,
                    allocation_bps_max=100_000,
                    leverage_max=30,
                    daily_loss_bps_max=10_000,
                    drawdown_bps_max=10_000,
                    repeated_executions_max=1_000,
                )
            )
        )
    for portfolio in world.portfolios:
        method = FIFO + world.rng.below(AVERAGE - FIFO + 1)
        simulation.command(OpenPortfolio(portfolio, "USDT", 8, method))
        for venue in world.exchanges:
            simulation.command(Deposit(portfolio, venue, "USDT", 20_000 * MONEY))
            simulation.command(Deposit(portfolio, venue, "BTC", 5 * MONEY))
            if f"{venue}:BNB/USDT" in world.specs and world.rng.chance(3, 4):
                simulation.command(Deposit(portfolio, venue, "BNB", MONEY // 5))
        for instrument, spec in world.specs.items():
            if spec.kind != SPOT:
                mode = CROSS if world.rng.chance(1, 2) else ISOLATED
                leverage = 1 + world.rng.below(20)
                simulation.command(SetLeverage(portfolio, instrument, leverage, mode))
