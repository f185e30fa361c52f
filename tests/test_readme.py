"""The README's example runs as it stands there, and is as short as it says."""

import re
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def example() -> str:
    """The one Python block."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert 1 == len(blocks)
    return str(blocks[0])


def test_the_example_is_15_lines() -> None:
    """Blank lines do not count."""
    assert 15 >= len([line for line in example().splitlines() if line.strip()])


def test_the_example_runs() -> None:
    """It trades, and its ledger proof is zero."""
    names: dict[str, object] = {}
    exec(compile(example(), "README.md", "exec"), names)  # noqa: S102 - our own README
    ledger = names["engine"].ledger()  # type: ignore[attr-defined]  # the example's own variable
    assert {0} == {row.difference for row in ledger}
