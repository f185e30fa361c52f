"""Specification of scaled integers: exact text, named roundings."""

import math
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zvt_trading.core.units import (
    BPS_ONE,
    DAY,
    HOUR,
    MAX_SCALE,
    MINUTE,
    RATE_ONE,
    RATE_SCALE,
    SECOND,
    UnitError,
    div_ceil,
    div_floor,
    div_half_even,
    format_scaled,
    parse_scaled,
    rescale,
    round_down_to,
    round_up_to,
)

NUMBERS = st.integers(-(10**40), 10**40)
POSITIVE = st.integers(1, 10**20)
SCALES = st.integers(0, MAX_SCALE)


def exact(value: int, scale: int) -> Decimal:
    """The number meant by an int on a scale."""
    return Decimal(f"{value}E-{scale}")


def test_constants() -> None:
    """A rate of 1 has RATE_SCALE decimals, a basis point is a ten-thousandth; times are in ns."""
    assert RATE_ONE == 10**RATE_SCALE
    assert BPS_ONE == 10**4
    assert (10**9, 60, 3_600, 86_400) == (SECOND, MINUTE // SECOND, HOUR // SECOND, DAY // SECOND)


class TestRounding:
    @given(NUMBERS, POSITIVE)
    def test_floor(self, numerator: int, denominator: int) -> None:
        """Towards minus infinity."""
        assert math.floor(Fraction(numerator, denominator)) == div_floor(numerator, denominator)

    @given(NUMBERS, POSITIVE)
    def test_ceil(self, numerator: int, denominator: int) -> None:
        """Towards plus infinity."""
        assert math.ceil(Fraction(numerator, denominator)) == div_ceil(numerator, denominator)

    @given(NUMBERS, st.one_of(POSITIVE, st.integers(1, 4)))
    @example(1, 2)
    @example(3, 2)
    @example(-1, 2)
    @example(-3, 2)
    def test_half_even(self, numerator: int, denominator: int) -> None:
        """To nearest, ties to even, as Fraction rounds."""
        assert round(Fraction(numerator, denominator)) == div_half_even(numerator, denominator)

    @pytest.mark.parametrize(
        ("numerator", "floor", "half_even", "ceil"),
        [
            (10, 2, 2, 3),  # 2.5
            (14, 3, 4, 4),  # 3.5
            (9, 2, 2, 3),  # 2.25
            (11, 2, 3, 3),  # 2.75
            (12, 3, 3, 3),
            (-10, -3, -2, -2),
            (-14, -4, -4, -3),
        ],
    )
    def test_quarters(self, numerator: int, floor: int, half_even: int, ceil: int) -> None:
        """The three of them side by side, on numerator / 4."""
        answers = (
            div_floor(numerator, 4), div_half_even(numerator, 4), div_ceil(numerator, 4)
        )  # fmt: skip
        assert (floor, half_even, ceil) == answers

    @given(NUMBERS, POSITIVE)
    def test_to_a_step(self, value: int, step: int) -> None:
        """The nearest multiples below and above; a multiple stays."""
        assert math.floor(Fraction(value, step)) * step == round_down_to(value, step)
        assert math.ceil(Fraction(value, step)) * step == round_up_to(value, step)


class TestRescale:
    @given(NUMBERS, SCALES, SCALES)
    def test_the_number_stays(self, value: int, scale_from: int, scale_to: int) -> None:
        """On the other scale it is the same number, or it is refused because it has none there."""
        wanted = Fraction(value, 10**scale_from) * 10**scale_to
        if wanted.denominator == 1:
            assert wanted == rescale(value, scale_from, scale_to)
        else:
            with pytest.raises(UnitError, match=f"more than {scale_to} decimals"):
                rescale(value, scale_from, scale_to)

    @given(NUMBERS, SCALES, SCALES)
    def test_there_and_back(self, value: int, coarse: int, finer: int) -> None:
        """To a finer scale and back loses nothing."""
        fine = coarse + finer
        assert value == rescale(rescale(value, coarse, fine), fine, coarse)

    def test_the_error_names_the_number(self) -> None:
        """And what is allowed."""
        with pytest.raises(UnitError, match=r"^1\.25 has more than 1 decimals$"):
            rescale(125, 2, 1)


class TestText:
    @given(NUMBERS, SCALES)
    def test_format_is_plain_decimal(self, value: int, scale: int) -> None:
        """All decimals of the scale, never an exponent."""
        assert f"{exact(value, scale):f}" == format_scaled(value, scale)

    @given(NUMBERS, SCALES)
    def test_round_trip(self, value: int, scale: int) -> None:
        """What is written is read back."""
        assert value == parse_scaled(format_scaled(value, scale), scale)

    @given(st.from_regex(r"[+-]?[0-9]{1,25}(\.[0-9]{0,20})?", fullmatch=True), SCALES)
    def test_parse_is_exact(self, text: str, scale: int) -> None:
        """The same number as Decimal reads, or refused because of digits beyond the scale."""
        wanted = Fraction(Decimal(text)) * 10**scale
        if wanted.denominator == 1:
            assert wanted == parse_scaled(text, scale)
        else:
            with pytest.raises(UnitError, match=f"more than {scale} decimals"):
                parse_scaled(text, scale)

    @pytest.mark.parametrize(
        ("text", "scale", "value"),
        [
            ("61837.63000000", 2, 6_183_763),
            ("61837.63000000", 8, 6_183_763_000_000),
            ("-0.05", 2, -5),
            ("+7", 0, 7),
            ("7.", 1, 70),
            (".5", 1, 5),
            ("5.000", 0, 5),
            ("-0", 3, 0),
            ("007", 0, 7),
        ],
    )
    def test_parse_examples(self, text: str, scale: int, value: int) -> None:
        """As exchanges send them; zeros beyond the scale are no digits."""
        assert value == parse_scaled(text, scale)

    @pytest.mark.parametrize(
        ("value", "scale", "text"),
        [(150, 2, "1.50"), (5, 2, "0.05"), (-5, 2, "-0.05"), (0, 2, "0.00"), (-7, 0, "-7")],
    )
    def test_format_examples(self, value: int, scale: int, text: str) -> None:
        """A zero before the point, the sign before it."""
        assert text == format_scaled(value, scale)

    @pytest.mark.parametrize(
        "text",
        [
            "", "-", "+", ".", "-.", "--1", "+-1", "1-", "1.2.3", "1,5", "1_000", " 1", "1 ", "1e5",
            "1E-5", "0x10", "nan", "NaN", "inf", "-Infinity", "one", "١٢", "\uff11", "½",
        ],
    )  # fmt: skip
    def test_no_number(self, text: str) -> None:
        """Exponents, specials, separators, spaces and other scripts' digits; the text is named."""
        with pytest.raises(UnitError) as error:
            parse_scaled(text, 8)
        assert f"{text!r} is not a plain decimal number" == str(error.value)

    @pytest.mark.parametrize("text", [".0", "-.00", "9" * 5_000])
    def test_a_unit_error_or_a_number(self, text: str) -> None:
        """Whatever the text, either it is read or UnitError says why not; nothing else escapes."""
        with suppress(UnitError):
            parse_scaled(text, 0)

    def test_too_fine(self) -> None:
        """The error says the number and the scale; it is a ValueError for the caller."""
        with pytest.raises(ValueError, match=r"^0\.125 has more than 2 decimals$"):
            parse_scaled("0.125", 2)
