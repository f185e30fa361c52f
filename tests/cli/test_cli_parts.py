"""Progress and the list of strategies."""

from importlib.metadata import EntryPoint
from io import StringIO
from types import ModuleType

import pytest
from rich.console import Console

from zvt_trading.cli.progress import UPDATES_MAX, ProgressReporter
from zvt_trading.cli.strategy_list import rows


class Strategy:
    """A base class that is no strategy itself."""


class Maker(Strategy):
    """Quotes both sides.

    And more that the list leaves out.
    """


MODULE = ModuleType("built_in")
Maker.__module__ = MODULE.__name__
Strategy.__module__ = MODULE.__name__
MODULE.Maker = Maker  # type: ignore[attr-defined]  # a module made by hand
MODULE.Strategy = Strategy  # type: ignore[attr-defined]  # a module made by hand


@pytest.mark.parametrize(
    ("expected", "announced"),
    [
        ([("Maker", "built_in:Maker", "Quotes both sides.")], []),
        ([("maker", "built_in:Maker", "Quotes both sides.")], [("maker", "built_in:Maker")]),
        (
            [
                ("other", "not.imported:Other", ""),
                ("Maker", "built_in:Maker", "Quotes both sides."),
            ],
            [("other", "not.imported:Other")],
        ),
    ],
)
def test_strategies_are_the_announced_and_the_built_in(
    expected: list[tuple[str, str, str]], announced: list[tuple[str, str]]
) -> None:
    """Each once, by its announced name when it has one; other packages are not imported."""
    points = [EntryPoint(name, value, "zvt_trading.strategies") for name, value in announced]
    assert expected == rows(points, [MODULE])


def test_without_a_terminal_progress_is_a_line_every_quarter() -> None:
    """Logs stay short."""
    output = StringIO()
    with ProgressReporter(Console(file=output, width=80), "replay") as progress:
        for done in range(1_001):
            progress(done, 1_000)
    lines = output.getvalue().split("\n")
    assert ["replay: 25 %", "replay: 50 %", "replay: 75 %", "replay: 100 %", ""] == lines


def test_an_unknown_total_is_no_line() -> None:
    """There is nothing to say yet."""
    output = StringIO()
    with ProgressReporter(Console(file=output), "replay") as progress:
        progress(5, 0)
    assert "" == output.getvalue()


def test_in_a_terminal_progress_is_a_bar_that_goes_away() -> None:
    """It is redrawn a bounded number of times."""
    output = StringIO()
    console = Console(file=output, width=80, force_terminal=True, _environ={"TERM": "xterm"})
    with ProgressReporter(console, "demo") as progress:
        for done in range(100_001):
            progress(done, 100_000)
    assert "demo" in output.getvalue()
    assert output.getvalue().count("100000/100000") <= UPDATES_MAX
