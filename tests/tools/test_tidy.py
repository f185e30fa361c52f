"""tools/tidy.py finds what it says, and only where it says."""

from pathlib import Path

import pytest
import tidy


def messages(where: str, text: str) -> list[str]:
    """What tidy says about one file."""
    return [message for _, message in tidy.findings(Path(where), text)]


CORE = "src/zvt_trading/core/a.py"
RUNTIME = "src/zvt_trading/runtime/a.py"
CLI = "src/zvt_trading/cli/a.py"

BAD = [
    (CORE, "X = 0.5", "float literal"),
    (CORE, "X = 2j", "float literal"),
    (CORE, "X = float('1')", "float: numbers"),
    (CORE, "def f(a: float) -> None: ...", "float: numbers"),
    (CORE, "X = 1 / 2", "true division"),
    (CORE, "X = 4\nX /= 2", "true division"),
    (CORE, "for x in {1, 2}: print(x)", "iteration over a set"),
    (CORE, "X = [x for x in set((1, 2))]", "iteration over a set"),
    (CORE, "X = [x for x in {1} | frozenset((2,))]", "iteration over a set"),
    (CORE, "X = list({1, 2})", "a sequence made of a set"),
    (CORE, "import os", "import of os: not in core"),
    (CORE, "from random import random", "import of random"),
    (CORE, "from msgspec import Struct", "import of msgspec: not in core"),
    (CORE, "from . import units", "import of a relative name"),
    ("src/zvt_trading/sim/a.py", "X = 0.5", "float literal"),
    ("src/zvt_trading/messages/a.py", "import numpy as np", "import of numpy: not in messages"),
    (RUNTIME, "import time", "import of time: time and chance"),
    (
        RUNTIME,
        "import datetime\nX = datetime.datetime.now()",
        "datetime.datetime.now: time and chance",
    ),
    (RUNTIME, "from time import monotonic_ns", "import of time: time and chance"),
    (CLI, "X = 1  # TODO later", "unfinished work"),
    (CLI, "X = 1  # noqa", "noqa without a code"),
    (CLI, "X = 1  # noqa: E501", "noqa without a code and a reason"),
    (CLI, "X = 1  # type: ignore", "type: ignore without a code"),
    (CLI, "X = 1  # type: ignore[misc]", "type: ignore without a code and a reason"),
    ("tools/a.py", "X = 1  # noqa: E501", "noqa without a code and a reason"),
    (CLI, "def f() -> None:\n" + "    print()\n" * 60, "f has 61 lines, at most 60"),
    (CLI, "X = 1\n" * 501, "file of 501 lines, at most 500"),
]


@pytest.mark.parametrize(("where", "text", "expected"), BAD)
def test_finds(where: str, text: str, expected: str) -> None:
    """Each rule finds its own offence, and no other rule speaks."""
    found = messages(where, text)
    assert {expected in message for message in found} == {True}, found


GOOD = [
    (CORE, "X = 7 // 2"),
    (CORE, "X = 3 in {1, 2}"),
    (CORE, "for x in sorted({1, 2}): print(x)"),
    (CORE, "for x in {1: 2}: print(x)"),
    (CORE, "from zvt_trading.core.units import SECOND\nfrom typing import Final"),
    (RUNTIME, "X = 0.5"),
    (CLI, "import time\nX = time.time()"),
    (CLI, "X = 1  # noqa: E501 - a table of numbers"),
    (CLI, "X = 1  # type: ignore[misc]  # the library is untyped"),
    (CLI, "X = 1  # type: ignore[misc, arg-type] - the library is untyped"),
    (CLI, "def f() -> None:\n" + "    print()\n" * 59),
    (CLI, "X = 1\n" * 500),
    ("tests/a.py", "X = 0.5\n" * 900),
]


@pytest.mark.parametrize(("where", "text"), GOOD)
def test_accepts(where: str, text: str) -> None:
    """What is allowed, or allowed there, passes."""
    assert messages(where, text) == []


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A core module in an otherwise empty project, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / CORE
    path.parent.mkdir(parents=True)
    return path


def test_exit_code_and_place(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command fails with file and line, so that CI stops and an editor jumps."""
    project.write_text("X = 1\nY = 0.5\n", encoding="utf-8")
    assert tidy.main() == 1
    assert f"{CORE}:2: float literal" in capsys.readouterr().out


def test_nothing_to_say(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clean tree gives 0."""
    project.write_text("X = 1\n", encoding="utf-8")
    assert tidy.main() == 0
    assert "0 findings" in capsys.readouterr().out
