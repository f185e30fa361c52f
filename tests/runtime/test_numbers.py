"""Numbers at the edge: exact both ways, judged by Decimal and Fraction."""

import decimal
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.errors import CallerError
from zvt_trading.runtime.numbers import DIGITS_MAX, to_datetime, to_decimal, to_ns, to_scaled

SCALES = st.integers(0, 18)
DECIMALS = st.decimals(-(10**20), 10**20, allow_nan=False, allow_infinity=False, places=18)


@given(value=st.integers(-(10**60), 10**60), scale=SCALES)
def test_an_int_becomes_the_decimal_it_means(value: int, scale: int) -> None:
    """It is value / 10^scale, exactly, at any size."""
    assert Fraction(value, 10**scale) == Fraction(to_decimal(value, scale))


def test_numbers_beyond_any_context_stay_exact() -> None:
    """The tuple constructor takes over; the sign stays."""
    assert Fraction(-(10**150) - 1, 100) == Fraction(to_decimal(-(10**150) - 1, 2))
    assert Fraction(10**150 + 1) == Fraction(to_decimal(10**150 + 1, 0))


@given(value=st.integers(-(10**30), 10**30), scale=SCALES)
def test_there_and_back(value: int, scale: int) -> None:
    """Every scaled int comes back from its Decimal and from its text."""
    shown = to_decimal(value, scale)
    assert value == to_scaled("x", shown, scale)
    assert value == to_scaled("x", str(shown), scale)


@given(value=DECIMALS, scale=SCALES)
def test_a_decimal_is_taken_exactly_or_refused(value: Decimal, scale: int) -> None:
    """Refused just when scaling it leaves a fraction."""
    exact = Fraction(value) * 10**scale
    if exact.denominator == 1:
        assert exact == to_scaled("x", value, scale)
    else:
        with pytest.raises(CallerError, match=r"more than the|whole number"):
            to_scaled("x", value, scale)


@given(value=st.floats(-1e12, 1e12, allow_nan=False), scale=st.just(18))
def test_a_float_is_taken_by_its_repr(value: float, scale: int) -> None:
    """0.1 is one tenth."""
    exact = Fraction(repr(value)) * 10**scale
    if exact.denominator == 1:
        assert exact == to_scaled("x", value, scale)


def test_the_callers_decimal_context_rounds_none_of_our_money() -> None:
    """A program that works with three digits elsewhere still sees every unit."""
    with decimal.localcontext() as context:
        context.prec = 3
        assert "12345678.90123456" == str(to_decimal(1_234_567_890_123_456, 8))
        assert 1_234_567_890_123_456 == to_scaled("x", "12345678.90123456", 8)


def test_a_float_of_a_subclass_is_a_float() -> None:
    """numpy.float64 is one; its repr is not a number."""

    class Float64(float):
        def __repr__(self) -> str:
            return f"Float64({float(self)})"

    assert 150 == to_scaled("x", Float64(1.5), 2)


@pytest.mark.parametrize("value", [0, "0", "-0", "0e500", "0e-999999", Decimal("0E-50"), 0.0])
def test_zero_is_zero_however_written(value: Decimal | str | float) -> None:
    """Whatever its exponent."""
    assert 0 == to_scaled("x", value, 2)


@pytest.mark.parametrize("value", [10**DIGITS_MAX, -(10**DIGITS_MAX), f"1e{DIGITS_MAX}", "9e99999"])
def test_noise_is_refused_without_writing_it_down(value: int | str) -> None:
    """And the largest number below the bound is taken."""
    with pytest.raises(CallerError, match="x is too large"):
        to_scaled("x", value, 0)
    assert 10**DIGITS_MAX - 1 == to_scaled("x", 10**DIGITS_MAX - 1, 0)


def test_a_long_text_is_shortened_in_the_message() -> None:
    """Nobody reads a million digits."""
    with pytest.raises(CallerError) as caught:
        to_scaled("x", "0." + "1" * 10_000, 2)
    assert len(str(caught.value)) < 120


MICROSECONDS = st.integers(-(10**15), 10**16)


@given(microseconds=MICROSECONDS)
def test_times_there_and_back(microseconds: int) -> None:
    """Microseconds are what a datetime holds; nanoseconds below are floored."""
    ts = microseconds * 1_000
    assert ts == to_ns("t", to_datetime(ts))
    assert to_datetime(ts) == to_datetime(ts + 999)


def test_a_time_of_any_zone_is_the_same_moment() -> None:
    """02:00 in UTC+2 is midnight."""
    east = datetime(1970, 1, 2, 2, tzinfo=timezone(timedelta(hours=2)))
    assert 86_400 * 10**9 == to_ns("t", east)
    assert datetime(1970, 1, 2, tzinfo=UTC) == to_datetime(86_400 * 10**9)
