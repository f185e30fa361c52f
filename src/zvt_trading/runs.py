"""Whole runs from beginning to report: the demo on the generated market, replays of recordings."""

import inspect
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from zvt_trading.adapters.files import BookChecker
from zvt_trading.bootstrap import PortfolioSetup, generated_world, recorded_world
from zvt_trading.core.invariants import problems
from zvt_trading.core.snapshot import digest
from zvt_trading.errors import CallerError
from zvt_trading.ports.strategy import StrategyPort
from zvt_trading.runtime.numbers import to_datetime
from zvt_trading.runtime.views import ledger_rows, portfolio_summary, position_info
from zvt_trading.runtime.world import World
from zvt_trading.strategies.base import Strategy
from zvt_trading.types import BookChecks, Number, RunReport

ENTRY_POINTS = "zvt_trading.strategies"
_BUILT_IN = {
    "market_maker": "zvt_trading.strategies.market_maker:MarketMaker",
    "basis": "zvt_trading.strategies.basis:Basis",
}

Progress = Callable[[int, int], None]


def run_demo(
    *,
    seed: int = 7,
    duration_seconds: int = 60,
    strategies: Sequence[str] = (),
    cash: Number = 100_000,
    method: str = "fifo",
    on_progress: Progress | None = None,
) -> RunReport:
    """Trade the generated market on four venues with the example strategies."""
    setup = PortfolioSetup(cash=cash, method=method)
    world = generated_world(seed=seed, seconds=duration_seconds, portfolios=(setup,))
    names = tuple(strategies) or ("market_maker", "basis")
    title = f"Demo: {duration_seconds} s of the generated market, seed {seed}"
    return _run(world, title, names, seed, BookChecker(), on_progress)


def run_replay(
    paths: Sequence[Path],
    *,
    strategy: str | None = None,
    cash: Number = 100_000,
    method: str = "fifo",
    seed: int = 0,
    on_progress: Progress | None = None,
) -> RunReport:
    """Trade recorded markets; by default the basis strategy where it can, else the market maker.

    Raises DataError when a file cannot be read and CallerError for an unknown strategy.
    """
    setup = PortfolioSetup(cash=cash, method=method)
    world = recorded_world(paths, portfolios=(setup,), seed=seed)
    kinds = {m.instrument.is_spot for m in world.simulation.core.state.markets.values()}
    name = strategy or ("basis" if len(kinds) == 2 else "market_maker")
    title = "Replay of " + ", ".join(path.name for path in paths)
    return _run(world, title, (name,), seed, BookChecker(), on_progress)


def load_strategy(reference: str) -> StrategyPort:
    """A strategy by entry point or built-in name, or by "path/to/file.py:Class"."""
    if ".py:" in reference:
        path, _, name = reference.rpartition(":")
        return _from_file(Path(path), name)
    found = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    target = found.get(reference) or _BUILT_IN.get(reference)
    if target is None:
        known = ", ".join(sorted({*found, *_BUILT_IN}))
        raise CallerError(f"no strategy {reference!r}; known: {known}, or path/to/file.py:Class")
    module, _, name = target.partition(":")
    return _make(getattr(import_module(module), name), reference)


def _from_file(path: Path, name: str) -> StrategyPort:
    """The class `name` of a Python file of the user's."""
    if not path.is_file():
        raise CallerError(f"no strategy file {path}")
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise CallerError(f"{path} is not a Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, name, None)
    if found is None:
        classes = [n for n, c in vars(module).items() if inspect.isclass(c)]
        raise CallerError(f"{path} has no class {name!r}; it has {', '.join(classes) or 'none'}")
    return _make(found, f"{path}:{name}")


def _make(found: object, reference: str) -> StrategyPort:
    if not (inspect.isclass(found) and issubclass(found, Strategy)):
        raise CallerError(f"{reference} is not a class derived from zvt_trading.strategies.Strategy")
    return found()


def _run(
    world: World,
    title: str,
    names: Sequence[str],
    seed: int,
    checker: BookChecker,
    on_progress: Progress | None,
) -> RunReport:
    """Run to the end of the feed and gather everything a report shows."""
    simulation = world.simulation
    state = simulation.core.state
    portfolio = next(iter(state.portfolios))
    world.observers.append(checker.observe)
    started = simulation.now
    for name in names:
        world.add_strategy(load_strategy(name), _short(name), portfolio)
    clock = time.perf_counter()
    world.run(on_progress)
    seconds = time.perf_counter() - clock
    found = problems(state, simulation.core.risk)
    rows = ledger_rows(state)
    history = world.history
    return RunReport(
        title=title,
        strategies=tuple(_short(name) for name in names),
        orders=history.orders(),
        fills=tuple(history.fills),
        positions=tuple(
            position_info(state, holding)
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


def _short(reference: str) -> str:
    """The name orders carry: the class for a file, the entry point otherwise."""
    return reference.rpartition(":")[2][:64]
