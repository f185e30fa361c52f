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
PAUSE_SECONDS: Final = 1.0
"""How long nothing is sent after a refusal for too many requests that does not say how long."""


class NotSentError(VenueError):
    """Nothing left: it cannot have reached the venue."""


class Bucket:
    """Tokens that come back at `rate` a second, at most a second's worth."""

    def __init__(self, rate: int, now: float) -> None:
        self.rate: Final = rate
        self._tokens = float(rate)
        self._then = now

    def wait(self, now: float, reserve: int) -> float:
        """Seconds until a token beyond the reserve is there; 0 when one is.

        At most half of the tokens are reserved, or nobody else would ever have one.
        """
        reserve = min(reserve, self.rate // 2)
        self._tokens = min(self.rate, self._tokens + (now - self._then) * self.rate)
        self._then = now
        return max(0.0, (reserve + 1 - self._tokens) / self.rate)

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

    def check(self) -> None:
        """NotSentError inside a ban."""
        left = self.paused_until - self._clock()
        if left > 0:
            raise NotSentError(f"the exchange takes no requests for {left:.1f} s more")

    async def enter(self, kind: int) -> None:
        """Wait for a turn; NotSentError inside a ban, or when an order's turn is too far away."""
        while True:
            self.check()
            wait = self._wait(kind)
            if wait <= 0:
                break
            if kind == ORDER and wait > WAIT_SECONDS_MAX:
                raise NotSentError(f"our request budget is used up for {wait:.1f} s")
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
        wait = self._requests.wait(now, reserve)
        if kind != QUERY:
            wait = max(wait, self._orders.wait(now, reserve))
        return wait
