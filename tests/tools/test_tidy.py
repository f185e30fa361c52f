"""tools/tidy.py finds what it says, and only where it says."""

from pathlib import Path

import pytest
import tidy


def findings(root: Path, where: str, text: str) -> list[str]:
    """What tidy says about one file."""
    path = root / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return [message for _, message in tidy.check_file(path, root)]


CORE = "src/zvt_trading/core/a.py"
RUNTIME = "src/zvt_trading/runtime/a.py"
CLI = "src/zvt_trading/cli/a.py"

BAD = [
    (CORE, "X = 0.5", "float literal 0.5"),
    (CORE, "X = 2j", "float literal 2j"),
    (CORE, "X = float('1')", "float: use"),
    (CORE, "def f(a: float) -> None: ...", "float: use"),
    (CORE, "X = 1 / 2", "true division"),
    (CORE, "X = 4\nX /= 2", "true division"),
    (CORE, "for x in {1, 2}: print(x)", "iteration over a set"),
    (CORE, "X = [x for x in set((1, 2))]", "iteration over a set"),
    (CORE, "X = [x for x in {1} | frozenset((2,))]", "iteration over a set"),
    (CORE, "X = [x for x in A.union(B)]", "iteration over a set"),
    (CORE, "X = list({1, 2})", "a sequence made of a set"),
    (CORE, "import os", "core may not import os"),
    (CORE, "from random import random", "core may not import random"),
    (CORE, "from msgspec import Struct", "core may not import msgspec"),
    (CORE, "from . import units", "core may not import ."),
    ("src/zvt_trading/sim/a.py", "X = 0.5", "float literal"),
    ("src/zvt_trading/messages/a.py", "import numpy as np", "messages may not import numpy"),
    (RUNTIME, "import time\nX = time.time()", "time.time: time is an input"),
    (RUNTIME, "import datetime\nX = datetime.datetime.now()", "datetime.now: time is an input"),
    (RUNTIME, "from time import monotonic_ns", "time.monotonic_ns: time is an input"),
    (CLI, "X = 1  # TODO later", "a to-do without an owner"),
    (CLI, "X = 1  # noqa", "noqa needs its code"),
    (CLI, "X = 1  # noqa: E501", "noqa needs its code and a reason"),
    (CLI, "X = 1  # type: ignore", "type: ignore needs its code"),
    (CLI, "X = 1  # type: ignore[misc]", "type: ignore needs its code and a reason"),
    ("tools/a.py", "X = 1  # noqa: E501", "noqa needs its code and a reason"),
    (CLI, "def f() -> None:\n" + "    print()\n" * 60, "f has 61 lines, at most 60"),
    (CLI, "X = 1\n" * 501, "501 lines, at most 500"),
]


@pytest.mark.parametrize(("where", "text", "expected"), BAD)
def test_finds(tmp_path: Path, where: str, text: str, expected: str) -> None:
    """Each rule finds its own offence, and no other rule speaks."""
    found = findings(tmp_path, where, text)
    assert {expected in message for message in found} == {True}, found


GOOD = [
    (CORE, "X = 7 // 2"),
    (CORE, "X = 3 in {1, 2}"),
    (CORE, "for x in sorted({1, 2}): print(x)"),
    (CORE, "for x in {1: 2}: print(x)"),
    (CORE, "from zvt_trading.core.units import SECOND\nfrom typing import Final"),
    (RUNTIME, "X = 0.5"),
    (CLI, "import time\nX = time.time()"),
    (CLI, "X = 1  # TODO(anna): see issue 7"),
    (CLI, "X = 1  # noqa: E501 - a table"),
    (CLI, "X = 1  # type: ignore[misc]  # the library is untyped"),
    (CLI, "X = 1  # type: ignore[misc, arg-type] - the library is untyped"),
    (CLI, "def f() -> None:\n" + "    print()\n" * 59),
    (CLI, "X = 1\n" * 500),
    ("tests/a.py", "X = 0.5\n" * 900),
]


@pytest.mark.parametrize(("where", "text"), GOOD)
def test_accepts(tmp_path: Path, where: str, text: str) -> None:
    """What is allowed, or allowed there, passes."""
    assert findings(tmp_path, where, text) == []


def test_exit_code_and_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command fails with file and line, so that CI stops and an editor jumps."""
    findings(tmp_path, CORE, "X = 1\nY = 0.5\n")
    assert tidy.main([str(tmp_path)]) == 1
    assert f"{CORE}:2: float literal 0.5" in capsys.readouterr().out


def test_nothing_to_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clean tree gives 0."""
    findings(tmp_path, CORE, "X = 1\n")
    assert tidy.main([str(tmp_path)]) == 0
    assert "all in order" in capsys.readouterr().out
