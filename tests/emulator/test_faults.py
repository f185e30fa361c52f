"""What goes wrong at an emulated exchange: what was asked for, by a seed, and counted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.emulator.faults import (
    BAN,
    CANCEL,
    DELAY,
    DROP_AFTER,
    ENDPOINTS,
    FRAME_DROP,
    FRAME_KINDS,
    KINDS,
    NOT_EXECUTED,
    PLACE,
    PRIVATE,
    PUBLIC,
    QUERY,
    REQUEST_KINDS,
    Fault,
    Faults,
    Rate,
)

PROFILE = (Rate(Fault(DROP_AFTER), 2_000), Rate(Fault(FRAME_DROP, PRIVATE), 5_000))


def drawn(seed: int, count: int = 200) -> list[str]:
    """The faults of as many requests, each followed by a private frame."""
    faults = Faults()
    faults.set_profile(seed, PROFILE)
    found: list[str] = []
    for _ in range(count):
        pair = (faults.of_request(PLACE), faults.of_frame(PRIVATE))
        found.extend(fault.kind if fault is not None else "" for fault in pair)
    return found


class TestAskedFor:
    @pytest.mark.parametrize("kind", KINDS)
    def test_each_is_for_a_request_or_for_a_frame(self, kind: str) -> None:
        """Once, and then nothing more."""
        faults = Faults()
        faults.add(Fault(kind))
        for_request = faults.of_request(PLACE)
        for_frame = faults.of_frame(PRIVATE)
        expected = (kind in REQUEST_KINDS, kind in FRAME_KINDS)
        assert expected == (for_request is not None, for_frame is not None)
        assert {kind: 1} == faults.happened
        assert (None, None) == (faults.of_request(PLACE), faults.of_frame(PRIVATE))

    def test_it_waits_for_what_it_is_for(self) -> None:
        """Others pass, also those behind it in the queue."""
        faults = Faults()
        faults.add(Fault(DROP_AFTER, PLACE))
        faults.add(Fault(DELAY, ms=5))
        seen = [faults.of_request(endpoint) for endpoint in (QUERY, CANCEL, PLACE, PLACE)]
        assert [DELAY, None, DROP_AFTER, None] == [fault and fault.kind for fault in seen]

    def test_it_may_be_for_several(self) -> None:
        """As many as asked for; its other terms stay."""
        faults = Faults()
        faults.add(Fault(BAN, CANCEL, 7, 3))
        seen = [faults.of_request(CANCEL) for _ in range(4)]
        assert [7, 7, 7] == [fault.ms for fault in seen if fault is not None]
        assert {BAN: 3} == faults.happened

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"kind": "flood"}, "no fault 'flood'; there are timeout_before, "),
            ({"kind": BAN, "endpoint": "moon"}, "no endpoint 'moon'; there are place, "),
            ({"kind": BAN, "ms": -1}, "ms -1 must be >= 0, count 1 >= 1"),
            ({"kind": BAN, "count": 0}, "ms 0 must be >= 0, count 0 >= 1"),
        ],
    )
    def test_what_is_none_is_refused(self, fields: dict[str, Any], message: str) -> None:
        """With what there is."""
        with pytest.raises(ValueError, match=message):
            Fault(**fields)

    def test_every_endpoint_can_be_meant(self) -> None:
        """By its name."""
        assert list(ENDPOINTS) == [Fault(BAN, name).endpoint for name in ENDPOINTS]
        assert set(NOT_EXECUTED) < set(REQUEST_KINDS)


class TestAtRandom:
    @given(st.integers(0, 2**32))
    def test_a_seed_is_a_run(self, seed: int) -> None:
        """The same faults at the same places, every time."""
        assert drawn(seed, 40) == drawn(seed, 40)

    def test_another_seed_is_another_run(self) -> None:
        """Or nothing would be tried out."""
        assert drawn(1) != drawn(2)

    @pytest.mark.parametrize(("per_10000", "expected"), [(0, 0), (10_000, 50)])
    def test_never_and_always(self, per_10000: int, expected: int) -> None:
        """The two ends of the scale are exact."""
        faults = Faults()
        faults.set_profile(1, (Rate(Fault(BAN), per_10000),))
        assert expected == sum(faults.of_request(PLACE) is not None for _ in range(50))
        assert expected == faults.happened.get(BAN, 0)

    def test_the_rate_is_about_that(self) -> None:
        """2,000 in 10,000, of 4,000 requests: 800, within five deviations (25 each)."""
        found = drawn(1, 4_000)
        assert abs(800 - found.count(DROP_AFTER)) < 125

    def test_only_what_it_is_for(self) -> None:
        """A frame of the public stream is none of the private one."""
        faults = Faults()
        faults.set_profile(1, (Rate(Fault(FRAME_DROP, PRIVATE), 10_000),))
        assert faults.of_frame(PUBLIC) is None
        assert faults.of_request(PLACE) is None
        assert faults.of_frame(PRIVATE) is not None

    def test_what_is_asked_for_comes_first(self) -> None:
        """And costs no draw."""
        faults = Faults()
        faults.set_profile(1, (Rate(Fault(DELAY), 10_000),))
        faults.add(Fault(BAN))
        seen = [faults.of_request(PLACE) for _ in range(2)]
        assert [BAN, DELAY] == [fault.kind for fault in seen if fault is not None]

    def test_cleared_nothing_goes_wrong(self) -> None:
        """What happened is still known."""
        faults = Faults()
        faults.set_profile(1, (Rate(Fault(DELAY), 10_000),))
        faults.of_request(PLACE)
        faults.add(Fault(BAN))
        faults.clear()
        assert faults.of_request(PLACE) is None
        assert {DELAY: 1} == faults.happened
