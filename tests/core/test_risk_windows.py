"""The gate's memories against naive lists of times."""

from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.risk_windows import (
    INTENTS_KEPT,
    BucketWindow,
    IntentKey,
    Pattern,
    RateCounter,
    TimeRing,
)
from zvt_trading.core.units import HOUR, MINUTE, SECOND

START = 1_700_000_000 * SECOND
STEPS = st.lists(st.integers(0, 400), max_size=80)


def key(number: int) -> IntentKey:
    """An intent."""
    return "x:A/B", 17, number, 0, 0


def within(times: list[int], now: int, span: int) -> int:
    """How many times lie in (now - span, now], by definition."""
    return len([ts for ts in times if now - span < ts <= now])


@given(STEPS, st.integers(0, 30), st.integers(0, 1_500))
def test_ring_is_an_exact_sliding_window(steps: list[int], limit: int, later: int) -> None:
    """`reaches` equals counting the list, after any number of events and any silence."""
    ring = TimeRing()
    times: list[int] = []
    now = START
    for step in steps:
        now += step
        ring.add(now, 1_000, limit)
        times.append(now)
        assert (within(times, now, 1_000) >= limit) == ring.reaches(limit, now, 1_000)
    now += later
    assert (within(times, now, 1_000) >= limit) == ring.reaches(limit, now, 1_000)
    assert min(within(times, now, 1_000), max(limit, 1)) >= ring.count(now, 1_000)
    assert len(ring.times()) <= max(limit, 1)


def test_ring_keeps_no_more_than_the_window_holds() -> None:
    """A thousand events, ten in the window: at most the window's are kept."""
    ring = TimeRing()
    for number in range(1_000):
        ring.add(START + 100 * number, 1_000, 10**9)
    assert len(ring.times()) == 10


def test_ring_grows_when_a_burst_needs_it() -> None:
    """A burst of a thousand within the window is kept whole."""
    ring = TimeRing()
    for number in range(1_000):
        ring.add(START + number, SECOND, 10**9)
    assert ring.times() == [START + number for number in range(1_000)]
    assert ring.reaches(1_000, START + 999, SECOND)


@given(st.lists(st.integers(0, 30), max_size=80), st.integers(0, 200))
def test_bucket_window_never_counts_too_few(steps: list[int], later: int) -> None:
    """At least the window's events, at most one bucket's more."""
    window = BucketWindow(10, 6)
    times: list[int] = []
    now = START
    for step in steps:
        now += step
        window.add(now)
        times.append(now)
    now += later
    assert within(times, now, 60) <= window.count(now) <= within(times, now, 70)
    assert window.reaches(window.count(now), now)
    assert not window.reaches(window.count(now) + 1, now)


def test_bucket_window_restores() -> None:
    """The same count and the same future."""
    window = BucketWindow(10, 6)
    window.add(START)
    window.add(START + 25)
    other = BucketWindow(10, 6)
    other.restore(window.state_items())
    for one in (window, other):
        one.add(START + 26)
    assert other.state_items() == window.state_items()
    empty = BucketWindow(10, 6)
    empty.restore(BucketWindow(10, 6).state_items())
    assert empty.count(START) == 0


def test_rate_counter_counts_a_second_an_hour_and_a_day() -> None:
    """One order counts in all three; it leaves them one after the other."""
    counter = RateCounter()
    counter.per_second = 5
    counter.add(START)
    counts = [
        (
            counter.seconds.count(now, SECOND),
            counter.hour.count(now),
            counter.day.count(now),
        )
        for now in (START, START + SECOND, START + HOUR + MINUTE, START + 25 * HOUR)
    ]
    assert counts == [(1, 1, 1), (0, 1, 1), (0, 0, 1), (0, 0, 0)]


def test_rate_counter_restores() -> None:
    """Items and future counts are the same."""
    counter = RateCounter()
    counter.per_second = 5
    for number in range(7):
        counter.add(START + number * 200_000_000)
    other = RateCounter()
    other.restore(counter.state_items())
    assert other.state_items() == counter.state_items()
    assert other.day.count(START) == 7


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4)), max_size=60))
def test_intents_are_found_exactly_within_the_window(asked: list[tuple[int, int]]) -> None:
    """An intent is found as long as its last asking is younger than the window."""
    pattern = Pattern()
    last: dict[int, int] = {}
    now = START
    for step, number in asked:
        now += step
        for other in range(5):
            seen = last.get(other, -(10**9))
            expected = now - seen if now - seen < 100 else -1
            assert expected == pattern.intent_age(key(other), now, 100)
        pattern.add_intent(key(number), now, 100)
        last[number] = now


def test_intents_are_bounded() -> None:
    """A flood of different intents in one instant keeps two generations at most."""
    pattern = Pattern()
    for number in range(3 * INTENTS_KEPT):
        pattern.add_intent(key(number), START, SECOND)
    assert len(pattern.state_items()) <= 6 + 2 * 6 * INTENTS_KEPT
    assert pattern.intent_age(key(3 * INTENTS_KEPT - 1), START, SECOND) == 0


def test_pattern_restores() -> None:
    """Executions of both sides and both generations of intents come back."""
    pattern = Pattern()
    assert pattern.is_empty()
    pattern.bought.add(START, SECOND, 5)
    pattern.sold.add(START + 1, SECOND, 5)
    pattern.add_intent(key(1), START, 100)
    pattern.add_intent(key(2), START + 99, 100)
    pattern.add_intent(key(3), START + 150, 100)
    other = Pattern()
    other.restore(pattern.state_items())
    assert not other.is_empty()
    assert other.state_items() == pattern.state_items()
    assert other.intent_age(key(2), START + 160, 100) == 61
