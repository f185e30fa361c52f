"""Live runs with faults: an exchange and engines on it, killed at random, and the verdict."""

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from typing import Final, Self

import msgspec

from proof.counts import Counts
from proof.live.engine import Life, Report
from proof.live.judge import FOUND_SECONDS, Numbers, asked, judge
from proof.live.venue import Address
from proof.setting import Setting
from zvt_trading.adapters.store.opening import open_store
from zvt_trading.emulator import faults
from zvt_trading.emulator.faults import Fault, Rate

EXCHANGES: Final = ("binance", "okx", "bybit", "coinbase")
BANNING: Final = ("binance", "coinbase")
"""Exchanges that say how long a ban lasts; OKX has none, Bybit's last for minutes."""
PATIENCE_SECONDS: Final = 1_800

ONLY_FRAMES: Final = (Rate(Fault(faults.FRAME_DROP, faults.PRIVATE), 2_000),)
"""One in five frames of own orders and fills is lost, and nothing else."""

Rates = tuple[Rate, ...]


def profile(seed: int, exchange: str) -> tuple[Rate, ...]:
    """Faults of every kind; by the seed from rare (1 in 100) to every other request."""
    random = Random(seed)
    rates: list[Rate] = []
    for kind in faults.REQUEST_KINDS:
        if kind == faults.BAN:
            if exchange in BANNING:
                rates.append(Rate(Fault(kind, ms=1_500), 10))
            continue
        ms = {faults.DELAY: 400, faults.HIDE: 2_000, faults.RATE_LIMIT: 500}.get(kind, 0)
        per_10000 = random.choice((100, 100, 200, 500))
        rates.append(Rate(Fault(kind, random.choice(("", faults.PLACE)), ms), per_10000))
    for kind in faults.FRAME_KINDS:
        ms = {faults.FRAME_DELAY: 200, faults.FRAME_SILENCE: 1_500}.get(kind, 0)
        per_10000 = 20 if kind in {faults.FRAME_DISCONNECT, faults.FRAME_SILENCE} else 300
        rates.append(Rate(Fault(kind, faults.PRIVATE, ms), per_10000))
    # One of the worst at a time: up to half of all orders.
    worst = random.choice(
        (faults.TIMEOUT_AFTER, faults.DROP_AFTER, faults.ERROR_AFTER, faults.JUNK)
    )
    rates.append(Rate(Fault(worst, faults.PLACE), random.choice((1_000, 2_500, 5_000))))
    return tuple(rates)


def live(setting: Setting, exchanges: Sequence[str], orders: int, kills: int) -> Counts:
    """So many orders on each exchange with faults of every kind, all exchanges at a time."""
    runs = [
        LiveRun(
            setting.new_folder(), name, setting.seed, orders, kills, profile(setting.seed, name)
        )
        for name in exchanges
    ]
    return _run(setting, "live", runs)


def lost_frames(setting: Setting, exchanges: Sequence[str], orders: int) -> Counts:
    """Frames of own orders are lost: every fill is known within FOUND_SECONDS all the same."""
    runs = [
        LiveRun(setting.new_folder(), name, setting.seed, orders, 0, ONLY_FRAMES)
        for name in exchanges
    ]
    return _run(setting, "frames", runs)


def _run(setting: Setting, part: str, runs: Sequence["LiveRun"]) -> Counts:
    began = time.monotonic()
    counts = Counts(part=part, problems=[])
    with ExitStack() as stack:
        for run in runs:
            stack.enter_context(run)
        while sum(run.step() for run in runs):
            time.sleep(0.05)
        for run in runs:
            run.verdict(counts, setting)
    return setting.done(counts, began)


class LiveRun:
    """One exchange's process, and one life of an engine after the other."""

    def __init__(
        self, folder: Path, exchange: str, seed: int, orders: int, kills: int, rates: Rates
    ) -> None:
        folder.mkdir(parents=True)
        self._rates = rates
        self.exchange = exchange
        self.report: Report | None = None
        self.kills = 0
        self._folder = folder
        self._seed = seed
        self._orders = orders
        self._kills = kills
        self._random = Random(seed)
        self._url = f"sqlite:///{folder / 'engine.db'}"
        self._lives = 0
        self._die_at = 0.0
        self._ends_at = time.monotonic() + PATIENCE_SECONDS
        self._engine: subprocess.Popen[bytes] | None = None
        self._problem = ""

    def __enter__(self) -> Self:
        said = self._folder / "address.json"
        log = (self._folder / "venue.log").open("wb")
        self._venue = subprocess.Popen(
            [sys.executable, "-m", "proof.live.venue", self.exchange, str(self._seed), str(said)],
            stderr=log,
        )
        while not said.exists():
            if self._venue.poll() is not None:
                raise RuntimeError(f"the emulator of {self.exchange} did not start")
            time.sleep(0.02)
        self.address = msgspec.json.decode(said.read_bytes(), type=Address)
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self._engine, self._venue):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def set_faults(self, rates: tuple[Rate, ...]) -> None:
        """From now on at random."""
        body = msgspec.json.encode({"seed": self._seed, "rates": rates})
        url = f"http://127.0.0.1:{self.address.admin_port}/{self.exchange}/faults"
        request = urllib.request.Request(url, data=body, method="PUT")
        with urllib.request.urlopen(request):  # noqa: S310 - it is on loopback
            pass

    def step(self) -> bool:
        """Look after the process; False when the run is over."""
        if self.report is not None or self._problem:
            return False
        now = time.monotonic()
        if self._engine is None:
            self._begin_life(now)
        elif self._engine.poll() is not None:
            self._ended(self._engine)
        elif now > self._ends_at:
            self._problem = "hangs"
        elif self.kills < self._kills and now > self._die_at:
            self._engine.send_signal(signal.SIGKILL)
            self._engine.wait()
            self._engine = None
            self.kills += 1
        return True

    def verdict(self, counts: Counts, setting: Setting) -> None:
        """What the record says."""
        with closing(open_store(self._url)) as store:
            found, numbers = judge(store, self.address)
        report = self.report
        if self._problem:
            found.problems.append(f"{self.exchange}: {self._problem}")
            found.other += 1
        elif report is not None and (report.unresolved or report.suspended or report.problem):
            found.problems.append(
                f"unresolved {report.unresolved}, suspended {report.suspended} {report.problem}"
            )
            found.other += 1
        is_frames = self._rates is ONLY_FRAMES
        if is_frames and numbers.latest_fill_seconds > FOUND_SECONDS:
            found.problems.append(f"a fill was found after {numbers.latest_fill_seconds:.1f} s")
            found.other += 1
        part = "frames" if is_frames else "live"
        again = (
            f"python -m proof --only {part} --exchanges {self.exchange} --{part} {self._orders} "
            f"--live-kills {self._kills} --seed {self._seed}"
        )
        counts.add(found, kills=self.kills, again=again)
        self._tell(setting, numbers)

    def _tell(self, setting: Setting, numbers: Numbers) -> None:
        missed = self.report.missed_fills if self.report is not None else -1
        happened = sum(numbers.faults.values())
        setting.say(
            f"  {self.exchange}: faults {happened}, fills missed by streams {missed}, "
            f"latest fill {numbers.latest_fill_seconds:.1f} s, "
            f"requests during bans {numbers.requests_during_ban}"
        )

    def _begin_life(self, now: float) -> None:
        self._lives += 1
        if self._lives == 1:
            self.set_faults(self._rates)
        placed = sum(
            1
            for line in asked(self.address, f"{self.exchange}/record")
            if line["kind"] == "accepted" and line["account"] != "crowd"
        )
        seed = self._seed * 1_000 + self._lives
        life = Life(self.address, self._url, seed, self._orders, placed)
        out = (self._folder / f"life-{self._lives}.json").open("wb")
        log = (self._folder / f"life-{self._lives}.log").open("wb")
        self._engine = subprocess.Popen(
            [sys.executable, "-m", "proof.live.engine", msgspec.json.encode(life).decode()],
            stdout=out,
            stderr=log,
        )
        self._die_at = now + 3 + self._random.random() * 10

    def _ended(self, engine: "subprocess.Popen[bytes]") -> None:
        if engine.returncode:
            log = (self._folder / f"life-{self._lives}.log").read_text(encoding="utf-8")
            self._problem = f"life {self._lives} failed: {log[-600:]}"
            return
        said = (self._folder / f"life-{self._lives}.json").read_bytes()
        self.report = msgspec.json.decode(said, type=Report)
