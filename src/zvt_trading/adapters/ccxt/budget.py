"""How many requests leave, and none while the exchange has banned us.

Two token buckets a second: all requests, and those that change orders. What is reserved for cancels
nobody else may use, so that risk can always be taken back. Times are of the event loop, in seconds.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from zvt_trading.errors import VenueError

ORDER: Final = 0
CANCEL: Final = 1
QUERY: Final = 2
WAIT_SECONDS_MAX: Final = 0.5
"""An order that must wait longer for its turn is not sent: its price may be gone."""
BAN_WAIT_SECONDS_MAX: Final = 10.0
"""A cancel or question that would have to wait longer fails; whoever needs it asks again."""
PAUSE_SECONDS: Final = 2.0
"""How long nothing is sent after a refusal that does not say how long: OKX's longest window."""


class NotSentError(VenueError):
    """Nothing left: it cannot have reached the venue."""


class Bucket:
    """Tokens for at most `limit` requests in any second: four fifths come back, a fifth is saved.

    Exchanges count in windows: a burst of what was saved and a second's return must be in one.
    """

    def __init__(self, limit: int, now: float) -> None:
        self.rate: Final = max(1.0, limit * 0.8)
        self.saved: Final = max(1.0, limit * 0.2)
        self._tokens = self.saved
        self._then = now

    def wait(self, now: float, reserve: int, *, is_question: bool = False) -> float:
        """Seconds until a token beyond the reserve is there; 0 when one is.

        At most half of what can be saved is reserved, or nobody else would ever have one. Of the
        other half questions leave half to orders, which cannot wait.
        """
        kept = min(reserve, self.saved / 2)
        if is_question:
            kept = (kept + self.saved) / 2
        self._tokens = min(self.saved, self._tokens + (now - self._then) * self.rate)
        self._then = now
        return max(0.0, (min(kept + 1, self.saved) - self._tokens) / self.rate)

    def take(self) -> None:
        """Use one."""
        self._tokens -= 1


class Budget:
    """See the module. `paused_until` is the end of a ban."""

    def __init__(
        self,
        requests_per_second: int,
        orders_per_second: int,
        cancels_reserved: int,
        clock: Callable[[], float],
    ) -> None:
        self.paused_until = 0.0
        self._clock = clock
        self._reserved = cancels_reserved
        self._requests = Bucket(requests_per_second, clock())
        self._orders = Bucket(orders_per_second, clock())

    def pause(self, seconds: float) -> None:
        """The exchange said so: nothing is sent for so long."""
        self.paused_until = max(self.paused_until, self._clock() + seconds)

    def is_paused(self) -> bool:
        """Whether nothing is sent now."""
        return self.paused_until > self._clock()

    def check(self) -> None:
        """NotSentError inside a ban."""
        left = self.paused_until - self._clock()
        if left > 0:
            raise NotSentError(f"the exchange takes no requests for {left:.1f} s more")

    async def enter(self, kind: int) -> None:
        """Wait for a turn; NotSentError when it is too far away, or the ban's end is.

        An order waits a moment only. Cancels and questions outlast a short ban: they come first
        when it ends.
        """
        while True:
            paused = self.paused_until - self._clock()
            wait = max(self._wait(kind), paused)
            if wait <= 0:
                break
            if wait > (WAIT_SECONDS_MAX if kind == ORDER else BAN_WAIT_SECONDS_MAX):
                why = "no requests are taken" if paused > 0 else "our request budget is used up"
                raise NotSentError(f"{why} for {wait:.1f} s more")
            await asyncio.sleep(wait)
        self._requests.take()
        if kind != QUERY:
            self._orders.take()

    def headroom(self) -> float:
        """Seconds that an order would have to wait now; 0 when it need not."""
        return max(self._wait(ORDER), self.paused_until - self._clock(), 0.0)

    def _wait(self, kind: int) -> float:
        now = self._clock()
        reserve = 0 if kind == CANCEL else self._reserved
        wait = self._requests.wait(now, reserve, is_question=kind == QUERY)
        if kind != QUERY:
            wait = max(wait, self._orders.wait(now, reserve))
        return wait
