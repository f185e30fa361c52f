"""L3: a whole process that imports the engine, and one that makes one, without what is heavy."""

import resource
import subprocess
import sys
import time
from statistics import median
from typing import Final

from msgspec import Struct

from benchmarks.world import is_compiled

HEAVY: Final = ("ccxt", "aiohttp", "pydantic", "sqlalchemy")
"""Loaded only by those who use them."""
_IMPORTED: Final = "import zvt_trading.engine"
_MADE: Final = "zvt_trading.engine.CryptoTradingEngine().close()"
_PROOF: Final = f"import sys; sys.exit(', '.join(sorted(set({HEAVY!r}) & set(sys.modules))) or 0)"


class Start(Struct):
    """One JSON line. Medians of `n` processes, from their start to their end, in milliseconds.

    On a busy machine `*_cpu_ms`, their processor time, says more.
    """

    workload: str
    n: int
    python_ms: float
    import_ms: float
    import_cpu_ms: float
    engine_ms: float
    engine_cpu_ms: float
    compiled: bool


def start(count: int = 15) -> Start:
    """In turn: Python alone, with the package, with an engine on the generated market."""
    _run(f"{_IMPORTED}; {_MADE}; {_PROOF}")
    nothing, imported, made = [], [], []
    for _ in range(count):
        nothing.append(_run("pass"))
        imported.append(_run(f"{_IMPORTED}; {_PROOF}"))
        made.append(_run(f"{_IMPORTED}; {_MADE}; {_PROOF}"))
    return Start(
        workload="L3",
        n=count,
        python_ms=median(wall for wall, _ in nothing),
        import_ms=median(wall for wall, _ in imported),
        import_cpu_ms=median(cpu for _, cpu in imported),
        engine_ms=median(wall for wall, _ in made),
        engine_cpu_ms=median(cpu for _, cpu in made),
        compiled=is_compiled(),
    )


def _run(code: str) -> tuple[float, float]:
    """Milliseconds of a process by the clock, and of the processor."""
    begun, cpu = time.perf_counter_ns(), _children_seconds()
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)  # noqa: S603 - code of our own
    elapsed, cpu = time.perf_counter_ns() - begun, _children_seconds() - cpu
    if ended.returncode:
        raise RuntimeError(f"{code}: {ended.stderr.decode()[-300:]}")
    return round(elapsed / 1e6, 1), round(cpu * 1e3, 1)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
