"""Proofs that run outside the test suite: what the engine survives, shown on whole programs."""

import sys
from pathlib import Path

# The worlds and wishes of the simulations are the tests'.
_TESTS = str(Path(__file__).parent.parent / "tests")
if _TESTS not in sys.path:
    sys.path.append(_TESTS)
