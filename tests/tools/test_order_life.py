"""The documentation's picture of an order's life is the table's."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_page_is_made_from_the_table() -> None:
    """`python tools/order_life.py --check` says so."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "order_life.py"), "--check"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (0, "") == (done.returncode, done.stdout + done.stderr)
