"""One trial: a store, venues in a process of their own, and lives of the engine until one settles."""

import os
import signal
import socket
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from proof.engine import Life, in_child
from proof.judge import Verdict, judge
from proof.points import Points
from proof.remote import Connection
from proof.venues import Venues
from zvt_trading.adapters.store.opening import open_store

PATIENCE_SECONDS: Final = 60
"""A life that has not ended by then hangs: a finding, not a kill."""


class Trial:
    """A context manager: leaving it ends the venues' process."""

    def __init__(
        self, seed: int, url: str, folder: Path, actions: list[bytes] | None = None
    ) -> None:
        """`actions`: what the venues were told before this trial begins."""
        self.seed = seed
        self.url = url
        self.folder = folder
        self.lives = 0
        self.kills = 0
        self.problems: list[str] = []
        self.names: list[str] = []  # the points of the last life that ended by itself
        folder.mkdir(parents=True, exist_ok=True)
        self.socket = folder / "venues.sock"
        self._venues = _fork_venues(seed, folder, self.socket, actions or [])
        open_store(url).close()

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._venues, signal.SIGKILL)
        os.waitpid(self._venues, 0)

    def life(
        self,
        steps: int,
        *,
        dies_at: int = 0,
        settles: bool = False,
        kill: Callable[[int], None] | None = None,
    ) -> bool:
        """One process from start to end; whether it ended by itself. `kill` is given its id."""
        life = Life(
            seed=self.seed,
            number=self.lives,
            url=self.url,
            socket=self.socket,
            steps=steps,
            dies_at=dies_at,
            settles=settles,
        )
        self.lives += 1
        report = self.folder / "life.txt"
        child = in_child(life, report)
        if kill is not None:
            kill(child)
        status = _wait(child)
        if status is None:
            self.problems.append(f"life {life.number} hangs")
            return False
        if os.WIFSIGNALED(status):
            self.kills += 1
            return False
        if os.WEXITSTATUS(status):
            self.problems.append(report.read_text(encoding="utf-8"))
            return False
        self.names = msgspec.json.decode(report.read_bytes(), type=list[str])
        return True

    def verdict(self) -> Verdict:
        """After the last life: what the venues' records say."""
        if not self.problems:
            self.life(2, settles=True)
        store = open_store(self.url)
        try:
            found = judge(store, self.folder, Connection(self.socket, Points()))
        finally:
            store.close()
        for problem in self.problems:
            found.other += 1
            found.problems.append(problem)
        return found


def _fork_venues(seed: int, folder: Path, path: Path, actions: list[bytes]) -> int:
    """The venues' process; returns when it listens."""
    child = os.fork()
    if child == 0:
        try:
            venues = Venues(seed, folder)
            venues.repeat(actions)
            venues.serve(path)
        finally:
            os._exit(1)
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(path))
        except OSError:
            time.sleep(0.001)
        else:
            return child
    raise RuntimeError("the venues do not listen")


def _wait(child: int) -> int | None:
    """The exit status; None, and the process is gone, when it took too long."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def new_name() -> str:
    """For a folder or a database that nobody else uses."""
    return f"zvt_proof_{uuid.uuid4().hex[:12]}"
