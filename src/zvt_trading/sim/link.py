"""The connection between us and a venue, under simulated time: when a message arrives, if it does.

Nothing here sleeps or knows what is carried: a link answers with due times. All faults are
drawn from a seed, so a run can be repeated exactly.
"""

from typing import Final, final

from zvt_trading.core.rng import Rng

PPM: Final = 1_000_000


@final
class LinkProfile:
    """How bad a link is. Times in nanoseconds, probabilities in parts per million of messages.

    The delay of a message is uniform over `delay_min`..`delay_max`. `disconnects` are windows
    (start, end), in order, with start <= time < end: what is sent in one is lost. A message struck
    by `reorder_ppm` is late by up to `reorder_delay` more, and those sent after it may overtake it.
    """

    def __init__(
        self,
        delay_min: int = 0,
        delay_max: int = 0,
        loss_ppm: int = 0,
        duplicate_ppm: int = 0,
        reorder_ppm: int = 0,
        reorder_delay: int = 0,
        disconnects: tuple[tuple[int, int], ...] = (),
    ) -> None:
        if not 0 <= delay_min <= delay_max:
            raise ValueError(f"delay {delay_min}..{delay_max}: it must be 0 <= min <= max")
        for name, ppm in (
            ("loss_ppm", loss_ppm), ("duplicate_ppm", duplicate_ppm), ("reorder_ppm", reorder_ppm)
        ):  # fmt: skip
            if not 0 <= ppm <= PPM:
                raise ValueError(f"{name} {ppm} is not within 0..{PPM}")
        if (reorder_ppm > 0) != (reorder_delay > 0):
            raise ValueError(
                f"reorder_ppm {reorder_ppm} and reorder_delay {reorder_delay} go together"
            )
        last = 0
        for window in disconnects:
            if not last <= window[0] < window[1]:
                raise ValueError(f"disconnect {window} is empty, or not after the one before")
            last = window[1]
        self.delay_min: Final = delay_min
        self.delay_max: Final = delay_max
        self.loss_ppm: Final = loss_ppm
        self.duplicate_ppm: Final = duplicate_ppm
        self.reorder_ppm: Final = reorder_ppm
        self.reorder_delay: Final = reorder_delay
        self.disconnects: Final = disconnects
        self.has_faults: Final = loss_ppm > 0 or duplicate_ppm > 0 or reorder_ppm > 0
        self.is_perfect: Final = delay_max == 0 and not self.has_faults and not disconnects

    def keeps_all(self) -> bool:
        """Whether every message arrives, once, in the order sent."""
        return not self.has_faults and not self.disconnects


@final
class Link:
    """One direction of a connection. Messages stay in order unless a reorder strikes."""

    def __init__(self, profile: LinkProfile, rng: Rng) -> None:
        self.profile: Final = profile
        self.is_instant: Final = profile.is_perfect  # every message arrives at once, in order
        self._rng: Final = rng
        self._last_due = 0  # of the stream in order: a TCP stream does not overtake itself
        self._window = 0  # index of the first disconnect that is not over

    def is_up(self, now: int) -> bool:
        """Whether it is connected at `now` (times asked for must not go back)."""
        windows = self.profile.disconnects
        while self._window < len(windows) and windows[self._window][1] <= now:
            self._window += 1
        return self._window == len(windows) or now < windows[self._window][0]

    def send(self, now: int) -> tuple[int, ...]:
        """When a message sent at `now` arrives: () lost, one time, or two for a duplicate.

        Times sent at must not go back.
        """
        profile = self.profile
        if self.is_instant:
            return (now,)
        if profile.disconnects and not self.is_up(now):
            return ()
        if not profile.has_faults:
            return (self._due(now),)
        if self._strikes(profile.loss_ppm):
            return ()
        first = self._due_reordered(now)
        if self._strikes(profile.duplicate_ppm):
            return (first, self._due_reordered(now))
        return (first,)

    def _strikes(self, ppm: int) -> bool:
        """Draw a fault; one that cannot happen draws nothing."""
        return ppm > 0 and self._rng.below(PPM) < ppm

    def _due(self, now: int) -> int:
        """Arrival in order."""
        due = now + self._delay()
        if due < self._last_due:
            due = self._last_due
        self._last_due = due
        return due

    def _due_reordered(self, now: int) -> int:
        """Arrival, out of order when that strikes: later ones do not wait for it."""
        if self._strikes(self.profile.reorder_ppm):
            return (
                max(now, self._last_due)
                + self._delay()
                + 1
                + self._rng.below(self.profile.reorder_delay)
            )
        return self._due(now)

    def _delay(self) -> int:
        """A delay within the profile's bounds."""
        spread = self.profile.delay_max - self.profile.delay_min
        return self.profile.delay_min + (self._rng.below(spread + 1) if spread else 0)
