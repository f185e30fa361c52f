"""The exchange's clock, which may be wrong."""

import time
from typing import Final

NS_A_MS: Final = 1_000_000


class Clock:
    """Wall time in nanoseconds UTC, never going back, and `skew_ns` ahead of the truth."""

    def __init__(self) -> None:
        self.skew_ns = 0
        self._last = 0

    def true_ns(self) -> int:
        """What the market lives by; strictly rising, so that no two things happen at once."""
        self._last = max(time.time_ns(), self._last + 1)
        return self._last

    def now_ms(self) -> int:
        """What the exchange says the time is, milliseconds."""
        return (self.true_ns() + self.skew_ns) // NS_A_MS
