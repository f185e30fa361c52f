"""Our commands as processes, as a user starts them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Thread
from typing import Final

DEADLINE_S: Final = 60
CODE: Final = "from zvt_trading.cli.main import app; app()"


class CommandProcess:
    """One command; `said` is all that it printed so far, on both streams."""

    def __init__(
        self, arguments: list[str], folder: Path, *, keys: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """`keys`: a file of `export` lines, which a shell reads before."""
        command = [sys.executable, "-c", CODE, *arguments]
        if keys is not None:
            command = ["/bin/sh", "-c", f'. "{keys}" && exec "$@"', "sh", *command]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=_environment(folder) | dict(env or {}),
        )
        self._said: list[str] = []
        self._more = Condition()
        self._is_over = False
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        with self._more:
            return "".join(self._said)

    def wait_for(self, text: str, times: int = 1) -> str:
        """Until it has printed this so often; returns what it said."""

        def is_there() -> bool:
            return self._is_over or "".join(self._said).count(text) >= times

        with self._more:
            came = self._more.wait_for(is_there, DEADLINE_S)
        assert came, f"{text!r} did not come; it said: {self.said}"
        assert self.said.count(text) >= times, f"it ended without {text!r}: {self.said}"
        return self.said

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def finish(self) -> int:
        """Its exit code, when it has ended by itself."""
        code = self._process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return code

    def end(self) -> None:
        """Whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
        self.finish()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._more:
                self._said.append(line)
                self._more.notify_all()
        with self._more:
            self._is_over = True
            self._more.notify_all()


@contextmanager
def command(
    *arguments: str,
    folder: Path,
    keys: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[CommandProcess]:
    """A command that is gone after the block."""
    process = CommandProcess(list(arguments), folder, keys=keys, env=env)
    try:
        yield process
    finally:
        process.end()


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the user's: no keyring, no keys, no store, no home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZVT_")}
    return kept | {
        "HOME": str(folder),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "ZVT_TRADING_KEYS_FILE": str(folder / "no-keys.json"),
        "COLUMNS": "200",
    }
