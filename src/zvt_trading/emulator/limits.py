"""Request limits of an emulated exchange: budgets in fixed windows, and bans of who ignores them.

The numbers are the exchanges' own (PROTOCOLS 6.4); each wire module declares its budgets.
"""

from collections.abc import Callable
from typing import Final

IN_FLIGHT_MS: Final = 250
"""After a ban's first moment for so long requests may come that were sent before it was told."""


class Budget:
    """At most `limit` units of cost in every window of `window_ms`."""

    def __init__(self, limit: int, window_ms: int) -> None:
        self.limit = limit
        self.window_ms: Final = window_ms
        self.used = 0
        self._window = 0

    def take(self, cost: int, now_ms: int) -> bool:
        """Spend; False when it is more than there is."""
        window = now_ms // self.window_ms
        if window != self._window:
            self._window = window
            self.used = 0
        self.used += cost
        return self.used <= self.limit

    def wait_ms(self, now_ms: int) -> int:
        """Until the next window begins."""
        return self.window_ms - now_ms % self.window_ms


class Limits:
    """All budgets of one exchange, and whether it has banned us.

    Who goes on after `warnings` refusals is banned for `ban_ms`; `requests_during_ban` counts what
    came all the same, but for what was on its way when it began: no client of ours may ever do so.
    """

    def __init__(self, now_ms: Callable[[], int], warnings: int = 20, ban_ms: int = 5_000) -> None:
        self.budgets: dict[str, Budget] = {}
        self.requests = 0
        self.refused = 0
        self.requests_during_ban = 0
        self.banned_until_ms = 0
        self._now_ms = now_ms
        self._warnings = warnings
        self._ban_ms = ban_ms
        self._refused_in_a_row = 0
        self._banned_ms = 0

    def ban(self, duration_ms: int) -> None:
        """From now on every request is refused, for so long."""
        self._banned_ms = self._now_ms()
        self.banned_until_ms = self._banned_ms + duration_ms

    def ban_left_ms(self) -> int:
        """How long a ban lasts still; 0 without one."""
        return max(0, self.banned_until_ms - self._now_ms())

    def take(self, costs: dict[str, int]) -> int:
        """Spend on budgets by name; 0 when that was allowed, else the milliseconds to wait."""
        self.requests += 1
        now = self._now_ms()
        if self.ban_left_ms():
            self.requests_during_ban += now - self._banned_ms > IN_FLIGHT_MS
            return self.ban_left_ms()
        for name, cost in costs.items():
            budget = self.budgets[name]
            if not budget.take(cost, now):
                self.refused += 1
                self._refused_in_a_row += 1
                if self._refused_in_a_row > self._warnings:
                    self.ban(self._ban_ms)
                return budget.wait_ms(now)
        self._refused_in_a_row = 0
        return 0
