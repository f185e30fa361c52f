"""One trial: a store, venues in a process of their own, lives of the engine until one settles."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, Self

import msgspec

from proof.engine import Life, Report, in_child
from proof.judge import Verdict, judge
from proof.points import Point, Points
from proof.remote import Connection
from proof.venues import Venues
from zvt_trading.adapters.store.opening import open_store

PATIENCE_SECONDS: Final = 60
"""A life that has not ended by then hangs: a finding, not a kill."""

Kill = Callable[[int], None]
"""Is given the id of a life's process, and may end it."""


class Trial:
    """A context manager: leaving it ends the venues' process."""

    def __init__(
        self,
        seed: int,
        url: str,
        folder: Path,
        *,
        actions: list[bytes] | None = None,
        plant: str = "",
    ) -> None:
        """`actions`: what the venues were told before this trial begins. `plant`: see Life."""
        self.seed = seed
        self.url = url
        self.folder = folder
        self.lives = 0
        self.kills = 0
        self.problems: list[str] = []
        self.visits: list[Point] = []  # of the last life that ended by itself
        self._plant = plant
        self._beliefs: dict[int, str] = {}  # digests of what engines believed, by event
        folder.mkdir(parents=True, exist_ok=True)
        self._socket = folder / "venues.sock"
        self._venues = _fork_venues(seed, folder, self._socket, actions or [])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._venues, signal.SIGKILL)
        os.waitpid(self._venues, 0)

    def life(
        self,
        steps: int,
        *,
        dies_at: Point | None = None,
        settles: bool = False,
        kill: Kill | None = None,
    ) -> bool:
        """One process from start to end; whether it ended by itself."""
        life = self._next(steps, dies_at, settles=settles)
        report = self.folder / "life.txt"
        report.unlink(missing_ok=True)
        child = in_child(life, report)
        if kill is not None:
            kill(child)
        return self._judge_end(life, _wait(child), report)

    def recorded_life(self, steps: int, environment: dict[str, str], effects: Path) -> bool:
        """A life in a program of its own, with these variables in its environment."""
        life = self._next(steps, None, settles=False, effects=str(effects))
        report = self.folder / "life.txt"
        report.unlink(missing_ok=True)
        program = [sys.executable, "-m", "proof.engine", msgspec.json.encode(life).decode()]
        with subprocess.Popen(
            [*program, str(report)], env={**os.environ, **environment}
        ) as running:
            return self._judge_end(life, _wait(running.pid), report)

    def verdict(self) -> Verdict:
        """After the last life: what the venues' records say."""
        if not self.problems:
            self.life(2, settles=True)
        try:
            with closing(open_store(self.url)) as store:
                found = judge(store, self.folder, Connection(self._socket, Points()), self._beliefs)
        except Exception as error:  # noqa: BLE001 - a store that cannot be read is a verdict
            found = Verdict(problems=[f"cannot be judged: {type(error).__name__}: {error}"])
            found.other += 1
        for problem in self.problems:
            found.other += 1
            found.problems.append(problem)
        return found

    def forget(self) -> None:
        """Remove its files."""
        shutil.rmtree(self.folder)

    def _next(self, steps: int, dies_at: Point | None, *, settles: bool, effects: str = "") -> Life:
        self.lives += 1
        return Life(
            seed=self.seed,
            number=self.lives - 1,
            url=self.url,
            socket=str(self._socket),
            steps=steps,
            dies_at=dies_at,
            settles=settles,
            effects=effects,
            plant=self._plant,
        )

    def _judge_end(self, life: Life, status: int | None, report: Path) -> bool:
        """Whether it ended by itself; `problems` when it ended badly."""
        if status is None:
            self.problems.append(f"life {life.number} hangs")
            return False
        if os.WIFSIGNALED(status):
            self.kills += 1
            return False
        if os.WEXITSTATUS(status):
            said = report.read_text(encoding="utf-8") if report.exists() else "nothing was said"
            self.problems.append(f"life {life.number} failed: {said}")
            return False
        ended = msgspec.json.decode(report.read_bytes(), type=Report)
        self.visits = ended.visits
        self._beliefs[ended.seq] = ended.digest
        return True


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
