"""Bounded memories of when things happened: what pace and pattern limits count with.

Times are int nanoseconds UTC and never decrease. Only `add` changes anything (it is called by
`evolve`); the questions are pure, so that asking leaves no trace in the digest.
"""

from typing import Final, final

from zvt_trading.core.units import HOUR, MINUTE, SECOND

IntentKey = tuple[str, int, int, int, int]
"""(instrument as asked, side and type, quantity, price, trigger price)."""

INTENTS_KEPT: Final = 10_000
"""Intents of one pattern and generation: 0.1 s at 100,000 orders a second, more than we can do."""


_HOUR_BUCKETS: Final = 60
_HOUR_ITEMS: Final = _HOUR_BUCKETS + 2  # as `BucketWindow.state_items` writes them


@final
class TimeRing:
    """The times of the last events, for an exact sliding window.

    Grows to what a window has held at most, never beyond `keep` (the limit it is compared with): a
    limit of n needs the last n times only.
    """

    def __init__(self) -> None:
        self._times = [0] * 16
        self._mask = 15  # length - 1; the length is a power of two
        self._head = 0  # number of the oldest event kept; counts on for ever
        self._tail = 0  # number of the next event

    def add(self, ts: int, span: int, keep: int) -> None:
        """Remember an event; forget what has left the window of `span`, and all but `keep`."""
        times = self._times
        horizon = ts - span
        while self._head < self._tail and times[self._head & self._mask] <= horizon:
            self._head += 1
        if self._tail - self._head >= keep:
            self._head = self._tail - keep + 1 if keep > 0 else self._tail
        if self._tail - self._head > self._mask:
            self._grow()
        self._times[self._tail & self._mask] = ts
        self._tail += 1

    def reaches(self, limit: int, now: int, span: int) -> bool:
        """Whether `limit` events or more lie in the window (now - span, now]."""
        if self._tail - self._head < limit:
            return False
        if limit <= 0:
            return True
        return self._times[(self._tail - limit) & self._mask] > now - span

    def count(self, now: int, span: int) -> int:
        """How many kept events lie in the window."""
        return len([ts for ts in self.times() if ts > now - span])

    def times(self) -> list[int]:
        """The kept times, oldest first."""
        return [self._times[at & self._mask] for at in range(self._head, self._tail)]

    def restore(self, times: list[int]) -> None:
        """Become the ring that has these times."""
        self._head = 0
        self._tail = 0
        for ts in times:
            self.add(ts, ts + 1, len(times))

    def _grow(self) -> None:
        """Double the room."""
        kept = self.times()
        self._times = kept + [0] * len(kept)
        self._mask = len(self._times) - 1
        self._head = 0
        self._tail = len(kept)


@final
class BucketWindow:
    """A sliding count over `buckets` buckets of `width`: memory of `buckets` + 1 ints.

    An event counts until its whole bucket has left the window, so the count is never too small, and
    too large by the events of one bucket at most (a minute of an hour, an hour of a day).
    """

    def __init__(self, width: int, buckets: int) -> None:
        self._width: Final = width
        self._size: Final = buckets + 1
        self._counts = [0] * (buckets + 1)
        self._newest = 0  # number of the newest bucket since 1970
        self._slot = 0
        self._until = 0  # when the newest bucket ends
        self._total = 0

    def add(self, ts: int) -> None:
        """Count an event."""
        if ts >= self._until:
            self._advance(ts // self._width)
        self._counts[self._slot] += 1
        self._total += 1

    def reaches(self, limit: int, now: int) -> bool:
        """Whether `limit` events or more lie in the window that ends now."""
        return self._total >= limit and self.count(now) >= limit

    def count(self, now: int) -> int:
        """How many events lie in the window that ends now (see the class)."""
        gone = now // self._width - self._newest
        total = self._total
        for back in range(min(gone, self._size)):
            total -= self._counts[(self._newest + 1 + back) % self._size]
        return total

    def state_items(self) -> list[int | str]:
        """The newest bucket's number and the counts by slot."""
        items: list[int | str] = [self._newest]
        items.extend(self._counts)
        return items

    def restore(self, items: list[int | str]) -> None:
        """Become what `state_items` described."""
        values = [int(item) for item in items]
        self._newest = values[0]
        self._counts = values[1:]
        self._slot = self._newest % self._size
        self._until = (self._newest + 1) * self._width if self._newest else 0
        self._total = sum(self._counts)

    def _advance(self, newest: int) -> None:
        """Open the bucket of a later time, emptying those in between."""
        for back in range(min(newest - self._newest, self._size)):
            slot = (newest - back) % self._size
            self._total -= self._counts[slot]
            self._counts[slot] = 0
        self._newest = newest
        self._slot = newest % self._size
        self._until = (newest + 1) * self._width


@final
class RateCounter:
    """Orders sent in one scope: a second exactly, an hour by minutes, a day by hours."""

    def __init__(self) -> None:
        self.per_second = 0  # the scope's own limit: how many times the ring has to keep
        self.seconds: Final = TimeRing()
        self.hour: Final = BucketWindow(MINUTE, _HOUR_BUCKETS)
        self.day: Final = BucketWindow(HOUR, 24)

    def add(self, ts: int) -> None:
        """Count one order or amend."""
        self.seconds.add(ts, SECOND, self.per_second)
        self.hour.add(ts)
        self.day.add(ts)

    def state_items(self) -> list[int | str]:
        """Everything as a flat list; see `restore`."""
        times = self.seconds.times()
        items: list[int | str] = [len(times)]
        items.extend(times)
        items.extend(self.hour.state_items())
        items.extend(self.day.state_items())
        return items

    def restore(self, items: list[int | str]) -> None:
        """Become what `state_items` described."""
        end = 1 + int(items[0])
        self.seconds.restore([int(item) for item in items[1:end]])
        middle = end + _HOUR_ITEMS
        self.hour.restore(items[end:middle])
        self.day.restore(items[middle:])


@final
class Pattern:
    """What one (portfolio, strategy, symbol) did lately: executions by side, and intents.

    Intents are kept in two generations: when the younger one is a window old it becomes the older
    one, so whatever is in the window is in one of them, and both are bounded.
    """

    def __init__(self) -> None:
        self.bought: Final = TimeRing()
        self.sold: Final = TimeRing()
        self._young: dict[IntentKey, int] = {}
        self._old: dict[IntentKey, int] = {}
        self._since = 0  # first time in the younger generation
        self.latest = 0  # time of the last intent

    def is_empty(self) -> bool:
        """Whether nothing was ever remembered."""
        return self.latest == 0 and not self.bought.times() and not self.sold.times()

    def intent_age(self, key: IntentKey, now: int, window: int) -> int:
        """How long ago the same was asked, within `window`; -1 when it was not."""
        seen = self._young.get(key, -1)
        if seen < 0:
            seen = self._old.get(key, -1)
        return now - seen if seen >= 0 and now - seen < window else -1

    def add_intent(self, key: IntentKey, ts: int, window: int) -> None:
        """Remember what was asked."""
        if ts - self._since >= window or len(self._young) >= INTENTS_KEPT:
            self._old = self._young if ts - self.latest < window else {}
            self._young = {}
            self._since = ts
        self._young[key] = ts
        self.latest = ts

    def state_items(self) -> list[int | str]:
        """Everything as a flat list with lengths; see `restore`."""
        items: list[int | str] = [self._since, self.latest]
        for times in (self.bought.times(), self.sold.times()):
            items.append(len(times))
            items.extend(times)
        for generation in (self._young, self._old):
            items.append(len(generation))
            for key in sorted(generation):
                items.extend([key[0], key[1], key[2], key[3], key[4], generation[key]])
        return items

    def restore(self, items: list[int | str]) -> None:
        """Become what `state_items` described."""
        self._since = int(items[0])
        self.latest = int(items[1])
        at = 2
        for ring in (self.bought, self.sold):
            count = int(items[at])
            ring.restore([int(item) for item in items[at + 1 : at + 1 + count]])
            at += 1 + count
        young = int(items[at])
        self._young = _intents(items, at + 1, young)
        at += 1 + 6 * young
        self._old = _intents(items, at + 1, int(items[at]))


def _intents(items: list[int | str], start: int, count: int) -> dict[IntentKey, int]:
    """Read `count` intents of six items each."""
    found: dict[IntentKey, int] = {}
    for at in range(start, start + 6 * count, 6):
        key = (
            str(items[at]),
            int(items[at + 1]),
            int(items[at + 2]),
            int(items[at + 3]),
            int(items[at + 4]),
        )
        found[key] = int(items[at + 5])
    return found
