"""A portfolio's figures against textbook formulas over exact fractions, from its samples alone.

The oracle keeps lists of what happened and sums them up at the end; the engine keeps six numbers.
Returns are ratios of values net of deposits and withdrawals, days are UTC, a year has 365.
"""

from decimal import Decimal, localcontext
from fractions import Fraction
from statistics import mean, stdev
from typing import Final, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zvt_trading.messages.events import EquitySampled
from zvt_trading.runtime.projections.performance import Performance
from zvt_trading.runtime.projections.values import ONE, WHOLE_MAX

CENT: Final = 10**6
"""The money is on a scale of 8."""
PLACES: Final = Fraction(1, 10**18)
ALIKE: Final = (0, 7, 333_333_333_333_333, 123_456_789_012_345_678, -31_415_926_535)


class Step(NamedTuple):
    """What happens next: the day changes, money moves, then the value does."""

    days: int
    deposit: int  # < 0: a withdrawal
    change_ppm: int


class Oracle:
    """Remembers every sample, works everything out at the end."""

    def __init__(self) -> None:
        self.events: list[EquitySampled] = []
        self.value = self.peak = self.day_start = 0
        self.day = 100
        self.returns: list[Fraction] = []  # of the days that have ended
        self.drawdowns: list[Fraction] = []

    def sample(self) -> None:
        """An event of how it stands."""
        seq = len(self.events) + 1
        event = EquitySampled(
            seq, seq * 1_000, "main", self.value, self.peak, self.day_start, self.day
        )
        self.events.append(event)
        if self.peak > 0:
            self.drawdowns.append(max(Fraction(0), 1 - Fraction(self.value, self.peak)))

    def begin(self, value: int) -> None:
        """The first money."""
        self.value = self.peak = self.day_start = value
        self.sample()

    def step(self, step: Step) -> None:
        """As the engine's control samples it: a new day, money that moved, a new value."""
        if step.days:
            if self.day_start > 0:
                self.returns.append(Fraction(self.value, self.day_start) - 1)
            self.day += step.days
            self.day_start = self.value
            self.peak = max(self.peak, self.value)
            self.sample()
        if step.deposit:
            for name in ("value", "peak", "day_start"):
                setattr(self, name, getattr(self, name) + step.deposit)
            self.sample()
        if step.change_ppm:
            self.value += self.value * step.change_ppm // 10**6
            self.peak = max(self.peak, self.value)
            self.sample()

    def today(self) -> Fraction:
        """Of the day under way."""
        return Fraction(self.value, self.day_start) - 1 if self.day_start > 0 else Fraction(0)

    def total(self) -> Fraction:
        """Compounded over all days."""
        growth = Fraction(1)
        for day_return in [*self.returns, self.today()]:
            growth *= 1 + day_return
        return growth - 1


steps = st.builds(
    Step,
    st.sampled_from([0, 0, 0, 1, 1, 3]),
    st.sampled_from([0, 0, 0, 0]) | st.integers(-50 * CENT, 500 * CENT),
    st.just(0) | st.integers(-200_000, 250_000),
)
lives = st.tuples(st.integers(1_000 * CENT, 10**9 * CENT), st.lists(steps, max_size=40))
Life = tuple[int, list[Step]]


def lived(life: Life) -> tuple[Oracle, Performance]:
    """Both after the same life."""
    oracle = Oracle()
    oracle.begin(life[0])
    for step in life[1]:
        oracle.step(step)
    figures = Performance()
    for event in oracle.events:
        figures.sampled(event)
    return oracle, figures


def fraction(units: int) -> Fraction:
    """A figure in units of 1e-18."""
    return Fraction(units, ONE)


def assert_near(expected: Fraction, units: int, roundings: int) -> None:
    """Equal but for so many roundings of the last place."""
    assert abs(expected - fraction(units)) <= roundings * PLACES, (expected, units)


@given(life=lives)
def test_the_daily_return_is_since_the_days_beginning(life: Life) -> None:
    """Deposits are no profit."""
    oracle, figures = lived(life)
    assert_near(oracle.today(), figures.daily_return(), 1)
    assert len(oracle.returns) == figures.days


@given(life=lives)
def test_the_total_return_is_time_weighted(life: Life) -> None:
    """The days' returns compounded, however much money was at work on each."""
    oracle, figures = lived(life)
    total = oracle.total()
    assert_near(total, figures.total_return(), 10 * (len(oracle.returns) + 2) * (int(total) + 2))


@given(life=lives)
def test_the_drawdown_is_a_part_of_the_peak(life: Life) -> None:
    """Now, and the deepest ever."""
    oracle, figures = lived(life)
    assert_near(oracle.drawdowns[-1], figures.drawdown(), 1)
    assert_near(max(oracle.drawdowns), figures.max_drawdown, 1)


@settings(max_examples=200)
@given(life=lives)
def test_the_sharpe_ratio_is_the_textbooks(life: Life) -> None:
    """Mean over sample deviation of the days' returns, times the root of 365."""
    oracle, figures = lived(life)
    found = figures.sharpe()
    if len(oracle.returns) < 2 or len(set(oracle.returns)) == 1:
        assert found is None
        return
    with localcontext(prec=60):
        deviation = stdev([Decimal(one.numerator) / one.denominator for one in oracle.returns])
        average = mean([Decimal(one.numerator) / one.denominator for one in oracle.returns])
        if deviation < Decimal("1E-8"):
            return  # see test_days_that_are_alike
        expected = average / deviation * Decimal(365).sqrt()
        assert found is not None
        # The squares are kept to 18 decimals, so a deviation is known to about 1e-18 / itself.
        tolerance = Decimal("1E-17") / deviation**2 * (abs(expected) + 1) + Decimal("1E-15")
        assert abs(Decimal(found) - expected) <= tolerance


@pytest.mark.parametrize("units", ALIKE)
@pytest.mark.parametrize("days", [2, 3, 10, 1_000])
def test_days_that_are_alike_have_no_ratio(units: int, days: int) -> None:
    """Not a huge one made of the squares' last digit."""
    figures = Performance()
    for _ in range(days):
        figures._end_day(units)
    assert days == figures.days
    assert figures.sharpe() is None


@given(gains=st.lists(st.integers(-(10**12), 10**12), max_size=50))
def test_the_win_rate_is_won_of_all(gains: list[int]) -> None:
    """A trade that only paid its fee, or nothing, is not won."""
    figures = Performance()
    for gain in gains:
        figures.closed(gain)
    won = sum(gain > 0 for gain in gains)
    found = figures.win_rate()
    assert (won, len(gains) - won) == (figures.won, figures.lost)
    if not gains:
        assert found is None
    else:
        assert found is not None
        assert_near(Fraction(won, len(gains)), found, 1)


def test_by_hand() -> None:
    """100 becomes 110 (+10 %), 50 come in, 160 become 120 (-25 %), which become 132 (+10 %)."""
    money = 10**8
    oracle = Oracle()
    oracle.begin(100 * money)
    oracle.step(Step(0, 0, 100_000))
    oracle.step(Step(1, 50 * money, -250_000))
    oracle.step(Step(1, 0, 100_000))
    figures = Performance()
    for event in oracle.events:
        figures.sampled(event)
    assert 132 * money == figures.value
    assert ONE // 10 == figures.daily_return()
    assert Fraction(110, 100) * Fraction(75, 100) * Fraction(110, 100) - 1 == fraction(
        figures.total_return()
    )
    assert Fraction(1, 4) == fraction(figures.max_drawdown)
    assert Fraction(160 - 132, 160) == fraction(figures.drawdown())


def test_nothing_sampled_is_nothing_won_or_lost() -> None:
    """A portfolio without a price for what it holds has no figures."""
    figures = Performance()
    assert (0, 0, 0) == (figures.daily_return(), figures.total_return(), figures.drawdown())
    assert (None, None) == (figures.sharpe(), figures.win_rate())


@pytest.mark.parametrize("start", [0, -5])
def test_a_day_that_began_with_nothing_has_no_return(start: int) -> None:
    """Nor has the total one of it."""
    figures = Performance()
    figures.sampled(EquitySampled(1, 1, "main", 100, 100, start, 7))
    figures.sampled(EquitySampled(2, 2, "main", 200, 200, 200, 8))
    assert (0, 0) == (figures.days, figures.daily_return())
    assert 0 == figures.total_return()


def test_a_ratio_beyond_all_bounds_is_the_largest_that_the_tables_hold() -> None:
    """Three days of 5.7 * 10^9, as alike as can be told."""
    figures = Performance()
    figures.days = 3
    figures.return_sum = 3 * 57 * 10**26
    figures.square_sum = 3 * 57**2 * 10**34 + 2
    assert f"{WHOLE_MAX}.{0:018d}" == figures.sharpe()
    figures.return_sum = -figures.return_sum
    assert f"-{WHOLE_MAX}.{0:018d}" == figures.sharpe()


def test_returns_beyond_all_bounds_are_the_largest_that_the_tables_hold() -> None:
    """A cent at the day's beginning, everything there is at its end; and back, day after day."""
    figures = Performance()
    for day in range(6):
        equity = WHOLE_MAX * 10**8 if day % 2 else 1
        figures.sampled(EquitySampled(day + 1, day, "main", equity, equity, 1, day), 8)
    found = (figures.return_sum, figures.square_sum, figures.growth, figures.total_return())
    assert all(abs(one) <= WHOLE_MAX * ONE for one in found)
    assert WHOLE_MAX * ONE in found
