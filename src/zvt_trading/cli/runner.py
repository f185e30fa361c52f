"""What the commands ask of the engine, and the engine's answer to it.

The commands know only `Runner`, so that they can be tried with a report made by hand; the engine
is imported when a run starts, which keeps `zvt-trading version` quick.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from zvt_trading.types import AccountingMethod, RunReport

OnProgress = Callable[[int, int], None]
"""Called with (done, total) while a run goes on; total is 0 when unknown."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """A run on the generated market: `seconds` of market time."""

    seed: int
    seconds: int
    strategies: tuple[str, ...]
    db_url: str | None = None


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """A run over recorded files; `cash` is what the portfolio starts with, `None` the default."""

    paths: tuple[Path, ...]
    strategy: str | None
    cash: Decimal
    method: AccountingMethod
    seed: int
    portfolio: str = "default"
    db_url: str | None = None


class Runner(Protocol):
    """Runs a demo or a replay to its end."""

    def demo(self, options: DemoOptions, on_progress: OnProgress) -> RunReport:
        """Run on the generated market."""

    def replay(self, options: ReplayOptions, on_progress: OnProgress) -> RunReport:
        """Run over recorded files."""


class EngineRunner:
    """Runs on the real engine."""

    def demo(self, options: DemoOptions, on_progress: OnProgress) -> RunReport:
        """Run on the generated market of four venues."""
        from zvt_trading.runs import run_demo

        return run_demo(
            seed=options.seed,
            duration_seconds=options.seconds,
            strategies=options.strategies,
            db_url=options.db_url,
            on_progress=on_progress,
        )

    def replay(self, options: ReplayOptions, on_progress: OnProgress) -> RunReport:
        """Run over recorded files, all together in time order."""
        from zvt_trading.runs import run_replay

        return run_replay(
            options.paths,
            strategy=options.strategy,
            cash=options.cash,
            method=options.method.value,
            portfolio=options.portfolio,
            seed=options.seed,
            db_url=options.db_url,
            on_progress=on_progress,
        )
