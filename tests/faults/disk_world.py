"""An engine in a program of its own, on a file system that fails when a test says so."""

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec
from fault_world import AtVenue
from trader_process import Call

from conftest import ROOT
from proof.power.build import recording_environment
from zvt_trading.types import OrderResult

Answer = TypeVar("Answer")


class Disk:
    """A folder whose file system is the recorder's: `fails("write", "ENOSPC")` until `heals`."""

    def __init__(self, recorder: Path, place: Path) -> None:
        self.folder = place / "disk"
        self.folder.mkdir()
        self.url = f"sqlite:///{self.folder / 'store.db'}"
        self._faults = place / "faults"
        self._faults.write_text("", encoding="utf-8")
        self.environment = recording_environment(
            recorder, self.folder, place / "trace", self._faults
        )

    def fails(self, operation: str, error: str, files: str = "*") -> None:
        """From now on, for files whose names end so."""
        self._tell(f"{operation} {error} {files}")

    def heals(self) -> None:
        """Everything works."""
        self._tell("")

    def _tell(self, fault: str) -> None:
        """At once: half a line is no fault that was meant."""
        whole = self._faults.with_suffix(".new")
        whole.write_text(fault, encoding="utf-8")
        whole.replace(self._faults)


class DiskTrader:
    """A trader of another process, whose files are on a disk; leaving it ends the process."""

    def __init__(self, disk: Disk) -> None:
        path = os.pathsep.join(
            str(ROOT / folder) for folder in (".", "src", "tests", "tests/store", "tests/faults")
        )
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trader_process", disk.url],
            env={**os.environ, **disk.environment, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def buy(self) -> OrderResult:
        """At market, filled at once."""
        return self._call(OrderResult, "buy")

    def rest(self) -> OrderResult:
        """An order that stays open."""
        return self._call(OrderResult, "rest")

    def cancel(self, order_id: str) -> bool:
        """Whether the venue has taken it back."""
        return self._call(bool, "cancel", order_id)

    def at_venue(self) -> AtVenue:
        """What the venues say."""
        return self._call(AtVenue, "at_venue")

    def is_up(self) -> bool:
        """Whether everything is durable."""
        return self._call(bool, "is_up")

    def problem(self) -> str:
        """Why it is not."""
        return self._call(str, "problem")

    def resumptions(self) -> int:
        """How often it went on after an outage."""
        return self._call(int, "resumptions")

    def wait(self) -> None:
        """A little of the market's time passes."""
        self._call(type(None), "wait")

    def close(self) -> str:
        """The digest of what it believed in the end; the process is over then."""
        return self._call(str, "close")

    def _call(self, kind: type[Answer], method: str, *arguments: str) -> Answer:
        call = Call(method, list(arguments))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(call).decode() + "\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=kind)
