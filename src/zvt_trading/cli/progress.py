"""Progress on stderr: a bar in a terminal, a line every quarter elsewhere, nothing when quiet."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

UPDATES_MAX = 200
"""Redraws of a whole run: a run reports far more often than an eye can follow."""

LINES = 4
"""Lines printed during a run when stderr is not a terminal."""


class ProgressReporter:
    """Shows how far a run is; call it with (done, total), total 0 when unknown.

    A context manager: leaving it removes the bar, also when the run raised.
    """

    def __init__(self, console: Console, label: str) -> None:
        self._console = console
        self._label = label
        self._shown = 0
        self._live = console.is_terminal and not console.is_dumb_terminal
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not self._live,
        )
        self._task = self._bar.add_task(label, total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Take the news that `done` of `total` units are done; cheap when nothing is redrawn."""
        steps = UPDATES_MAX if self._live else LINES
        if total <= 0 or done * steps // total <= self._shown:
            return
        self._shown = done * steps // total
        if self._live:
            self._bar.update(self._task, completed=done, total=total)
        else:
            percent = 100 * done // total
            self._console.print(f"{self._label}: {percent} %", markup=False, highlight=False)
