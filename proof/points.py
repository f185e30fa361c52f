"""Where the engine's process may be made to die: each place has a name, each visit a number."""

import os
import signal
from pathlib import Path


class Points:
    """Counts the visits; dies at the one it was told, by SIGKILL: nothing is tidied up."""

    def __init__(self, dies_at: int = 0, effects: Path | None = None) -> None:
        """`effects` is a file that gets a line for everything that leaves the process."""
        self.count = 0
        self.names: list[str] = []
        self._dies_at = dies_at
        self._effects = -1
        if effects is not None:
            self._effects = os.open(effects, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def reach(self, name: str) -> None:
        """The process is here."""
        self.count += 1
        self.names.append(name)
        if self.count == self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def leaving(self, what: str) -> None:
        """Something is about to leave."""
        if self._effects >= 0:
            os.write(self._effects, what.encode() + b"\n")
