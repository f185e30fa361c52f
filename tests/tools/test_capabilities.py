"""The documentation's table of what exchanges can do is that of their profiles."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_page_is_made_from_the_profiles() -> None:
    """`python tools/capabilities.py --check` says so."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "capabilities.py"), "--check"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (0, "") == (done.returncode, done.stdout + done.stderr)
