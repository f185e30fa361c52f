"""Where the engine's process may be made to die: each place has a name, each visit a number."""

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Final

Point = tuple[str, int]
"""A place and which visit of it, from 1."""

ANY: Final = "any"
"""A place that is everywhere: its visits are those of all points together."""


class Points:
    """Counts the visits; dies at the one it was told, by SIGKILL: nothing is tidied up."""

    def __init__(self, dies_at: Point | None = None, effects: Path | None = None) -> None:
        """`effects` is a file that gets a line for everything that leaves the process."""
        self.visits: list[Point] = []
        self._counts: Counter[str] = Counter()
        self._dies_at = dies_at
        self._effects = -1
        if effects is not None:
            self._effects = os.open(effects, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def reach(self, name: str) -> None:
        """The process is here."""
        self._counts[name] += 1
        point = name, self._counts[name]
        self.visits.append(point)
        if self._dies_at in (point, (ANY, len(self.visits))):
            os.kill(os.getpid(), signal.SIGKILL)

    def leaving(self, what: str) -> None:
        """Something is about to leave."""
        if self._effects >= 0:
            os.write(self._effects, what.encode() + b"\n")
