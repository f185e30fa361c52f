"""Whole runs from beginning to report: the demo on the generated market, replays of recordings."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from zvt_trading.adapters.files import BookChecker
from zvt_trading.bootstrap import (
    PortfolioSetup,
    generated_world,
    recorded_world,
    stored_memory,
)
from zvt_trading.core.invariants import problems
from zvt_trading.core.snapshot import digest
from zvt_trading.errors import CallerError
from zvt_trading.ports.store import StoreUnavailableError
from zvt_trading.ports.strategy import StrategyPort
from zvt_trading.runtime.memory import Memory
from zvt_trading.runtime.numbers import to_datetime
from zvt_trading.runtime.strategy_runner import StrategyRunner
from zvt_trading.runtime.views import ledger_rows, portfolio_summary, position_info
from zvt_trading.runtime.world import Progress, World
from zvt_trading.strategies.basis import Basis
from zvt_trading.strategies.loading import load_strategies
from zvt_trading.strategies.market_maker import MarketMaker
from zvt_trading.strategies.twap import Twap
from zvt_trading.types import BookChecks, Number, RunReport


def run_demo(
    *,
    seed: int = 7,
    duration_seconds: int = 60,
    strategies: Sequence[str] = (),
    cash: Number = 100_000,
    method: str = "fifo",
    db_url: str | None = None,
    on_progress: Progress | None = None,
) -> RunReport:
    """Trade the generated market on four venues, by default with `demo_strategies`.

    With `db_url` it is remembered in that store, and goes on from what is there. Raises CallerError
    for an unknown strategy, or one that cannot start on this market.
    """
    chosen = load_strategies(strategies) if strategies else demo_strategies(duration_seconds)
    setup = PortfolioSetup(cash=cash, method=method)
    title = f"Demo: {duration_seconds} s of the generated market, seed {seed}"
    with _memory_of(db_url) as memory:
        world = generated_world(
            seed=seed, seconds=duration_seconds, portfolios=(setup,), memory=memory
        )
        return _run(world, title, chosen, seed, on_progress)


def demo_strategies(duration_seconds: int) -> Mapping[str, StrategyPort]:
    """By name, what shows most of the engine: makers on three venues, two legs, a routed taker.

    They keep out of each other's way: nobody makes a market where another one takes.
    """
    return {
        "okx_maker": MarketMaker("okx:BTC/USDT"),
        "bybit_maker": MarketMaker("bybit:BTC/USDT"),
        "coinbase_maker": MarketMaker("coinbase:BTC/USDT", notional=150),  # its fees are steep
        "basis": Basis("binance:BTC/USDT", "binance:BTC/USDT:USDT", enter_bps="1.5"),
        "twap": Twap("ETH/USDT", quantity=2, interval_seconds=max(1, duration_seconds // 12)),
    }


def run_replay(
    paths: Sequence[Path],
    *,
    strategy: str | None = None,
    cash: Number = 100_000,
    method: str = "fifo",
    portfolio: str = "default",
    seed: int = 0,
    db_url: str | None = None,
    on_progress: Progress | None = None,
) -> RunReport:
    """Trade recorded markets; by default the basis strategy where it can, else the market maker.

    With `db_url` it is remembered in that store, which must not know of later times. Raises
    DataError when a file cannot be read, and CallerError for an unknown strategy or one that cannot
    start on these markets.
    """
    chosen = load_strategies((strategy,)) if strategy else {}
    setup = PortfolioSetup(portfolio_id=portfolio, cash=cash, method=method)
    title = "Replay of " + ", ".join(path.name for path in paths)
    with _memory_of(db_url) as memory:
        world = recorded_world(paths, portfolios=(setup,), seed=seed, memory=memory)
        if not chosen:
            two_legs = Basis.can_trade(tuple(world.simulation.core.state.markets))
            chosen = load_strategies(("basis" if two_legs else "market_maker",))
        return _run(world, title, chosen, seed, on_progress)


@contextmanager
def _memory_of(db_url: str | None) -> Iterator[Memory]:
    """What a store remembers; it has everything when the block is over, or StoreError says why."""
    memory = stored_memory(db_url) if db_url is not None else Memory()
    try:
        yield memory
    finally:
        memory.close()
    if memory.problem():
        raise StoreUnavailableError(memory.problem())


def _run(
    world: World,
    title: str,
    strategies: Mapping[str, StrategyPort],
    seed: int,
    on_progress: Progress | None,
) -> RunReport:
    """Run to the end of the feed and gather everything a report shows."""
    checker = BookChecker()
    world.observers.append(checker.observe)
    portfolio = next(iter(world.simulation.core.state.portfolios))
    started = world.simulation.now
    for name, strategy in strategies.items():
        runner = world.add_strategy(strategy, name, portfolio)
        if runner.error:
            raise CallerError(f"strategy {name!r} could not start: {runner.error}")
    clock = time.perf_counter()
    world.run(on_progress)
    return _report(world, title, seed, checker, started, time.perf_counter() - clock)


def _report(
    world: World, title: str, seed: int, checker: BookChecker, started: int, seconds: float
) -> RunReport:
    simulation = world.simulation
    state = simulation.core.state
    found = problems(state)
    rows = ledger_rows(state)
    history = world.history
    return RunReport(
        title=title,
        strategies=tuple(_shown(runner) for runner in world.runners),
        orders=history.orders(),
        fills=tuple(history.fills),
        positions=tuple(
            position_info(holding)
            for owner in state.portfolios.values()
            for holding in owner.holdings.values()
            if holding.position.bought or holding.position.sold
        ),
        portfolios=tuple(portfolio_summary(state, owner) for owner in state.portfolios.values()),
        ledger=rows,
        ledger_exact=not found and all(row.difference == 0 for row in rows),
        ledger_problems=tuple(found),
        book_checks=BookChecks(
            matched=checker.matched, total=checker.total, undecidable=checker.undecidable
        ),
        equity_curve=tuple(history.equity),
        prices=tuple(history.prices),
        refusals=dict(history.refusals),
        events=simulation.events,
        market_messages=world.messages,
        seconds=seconds,
        digest=digest(state, simulation.core.risk),
        seed=seed,
        started_at=to_datetime(started),
        ended_at=to_datetime(simulation.now),
    )


def _shown(runner: StrategyRunner) -> str:
    """Its name, and the error that stopped it: a report must not hide that a part is missing."""
    stopped = f" (stopped: {runner.error})" if runner.error else ""
    return runner.strategy_id + stopped
