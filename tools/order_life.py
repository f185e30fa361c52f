"""Writes docs/order-life.md from the order's state table; `--check` only compares.

The table in core/order_fsm.py is the one place where the life of an order is defined; the picture
and the tables of the documentation are made from it, and a test runs `--check`.
"""

import ast
import sys
from pathlib import Path

from zvt_trading.core import order_fsm

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "order-life.md"
SOURCE = ROOT / "src" / "zvt_trading" / "core" / "order_fsm.py"


def page() -> str:
    """The whole page."""
    # From the source: a compiled module has no docstring.
    docstring = ast.get_docstring(ast.parse(SOURCE.read_text(encoding="utf-8"))) or ""
    prose = docstring.split("\n\n", 1)[1].strip()
    return "\n".join(
        [
            "# The life of an order",
            "",
            "Made by `python tools/order_life.py` from `zvt_trading/core/order_fsm.py`.",
            "",
            prose.replace("*Life*", "**Life**").replace("*Pending request*", "**Pending request**"),
            "",
            "```mermaid",
            order_fsm.diagram().strip(),
            "```",
            "",
            "## Life",
            "",
            *_table(order_fsm.TRIGGER_NAMES, order_fsm.LIFE_TABLE, order_fsm.LIFE_NAMES),
            "",
            "## Pending request",
            "",
            *_table(
                order_fsm.REQUEST_TRIGGER_NAMES, order_fsm.REQUEST_TABLE, order_fsm.REQUEST_NAMES
            ),
            "",
        ]
    )


def _table(
    triggers: tuple[str, ...], rows: tuple[tuple[int, ...], ...], names: tuple[str, ...]
) -> list[str]:
    """A Markdown table: a row a state, a column a trigger."""
    lines = ["| | " + " | ".join(triggers) + " |", "|---" * (len(triggers) + 1) + "|"]
    for name, row in zip(names, rows, strict=True):
        cells = [_cell(target, names) for target in row]
        lines.append(f"| **{name}** | " + " | ".join(cells) + " |")
    return lines


def _cell(target: int, names: tuple[str, ...]) -> str:
    if target == order_fsm.IGNORE:
        return "-"
    return "illegal" if target == order_fsm.ILLEGAL else names[target]


def main(arguments: list[str]) -> int:
    """Write or check the page."""
    made = page()
    if "--check" in arguments:
        same = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == made
        if not same:
            print(f"{PAGE.name} is not what the table says; run python {Path(__file__).name}")
        return 0 if same else 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
