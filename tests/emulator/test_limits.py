"""An emulated exchange's request limits: so many a window, then a wait, then a ban."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.emulator.limits import IN_FLIGHT_MS, Budget, Limits


class Clock:
    """Milliseconds that a test sets."""

    def __init__(self) -> None:
        self.now = 60_000

    def __call__(self) -> int:
        return self.now


def limits(limit: int = 2, warnings: int = 3) -> tuple[Limits, Clock]:
    """`limit` requests a second; banned for 5 s after so many refusals."""
    clock = Clock()
    made = Limits(clock, warnings, 5_000)
    made.budgets["requests"] = Budget(limit, 1_000)
    return made, clock


class TestBudget:
    @given(
        st.integers(1, 20),
        st.lists(st.tuples(st.integers(0, 3_000), st.integers(1, 5)), max_size=60),
    )
    def test_in_no_window_is_more_allowed_than_its_limit(
        self, limit: int, wishes: list[tuple[int, int]]
    ) -> None:
        """Whatever the requests cost, and whenever they come."""
        budget = Budget(limit, 1_000)
        allowed: dict[int, int] = {}
        for now, cost in sorted(wishes):
            if budget.take(cost, now):
                allowed[now // 1_000] = allowed.get(now // 1_000, 0) + cost
        assert all(used <= limit for used in allowed.values())

    @pytest.mark.parametrize(("now", "expected"), [(0, 1_000), (1, 999), (999, 1), (2_500, 500)])
    def test_the_wait_is_to_the_next_window(self, now: int, expected: int) -> None:
        """Never 0: that would mean "go on"."""
        assert expected == Budget(1, 1_000).wait_ms(now)


class TestLimits:
    def test_what_is_over_the_limit_is_told_to_wait(self) -> None:
        """Until the window ends; then it begins anew."""
        one, clock = limits()
        clock.now += 400
        assert [0, 0, 600] == [one.take({"requests": 1}) for _ in range(3)]
        assert (3, 1) == (one.requests, one.refused)
        clock.now += 600
        assert one.take({"requests": 1}) == 0

    def test_a_request_may_cost_several_budgets(self) -> None:
        """The first that is empty refuses it."""
        one, _ = limits()
        one.budgets["orders"] = Budget(1, 10_000)
        costs = {"requests": 1, "orders": 1}
        assert [0, 10_000] == [one.take(costs) for _ in range(2)]

    def test_who_goes_on_is_banned(self) -> None:
        """After so many refusals in a row; the next one is one too many."""
        one, _ = limits(warnings=3)
        for _ in range(5):
            one.take({"requests": 1})
        assert one.ban_left_ms() == 0
        one.take({"requests": 1})
        assert one.ban_left_ms() == 5_000

    def test_who_waits_is_forgiven(self) -> None:
        """Refusals count in a row only."""
        one, clock = limits(warnings=3)
        for _ in range(4):
            for _ in range(4):
                one.take({"requests": 1})
            clock.now += 1_000
        assert (8, 0) == (one.refused, one.ban_left_ms())

    @pytest.mark.parametrize(
        ("after_ms", "expected"), [(0, 0), (IN_FLIGHT_MS, 0), (IN_FLIGHT_MS + 1, 1), (4_999, 1)]
    )
    def test_requests_in_a_ban_are_counted(self, after_ms: int, expected: int) -> None:
        """But for what was on its way when it began; each is told how long it lasts."""
        one, clock = limits()
        one.ban(5_000)
        clock.now += after_ms
        assert 5_000 - after_ms == one.take({"requests": 1})
        assert expected == one.requests_during_ban

    def test_a_ban_ends(self) -> None:
        """To the millisecond."""
        one, clock = limits()
        one.ban(5_000)
        clock.now += 5_000
        assert (0, 0) == (one.ban_left_ms(), one.take({"requests": 1}))
