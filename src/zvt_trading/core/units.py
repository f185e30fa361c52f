"""Scaled integers: scales, named roundings, and the one place where text becomes a number.

Prices and quantities are ints on the symbol's scale, money ints on the asset's scale. Rates (fees,
funding, margin) are ints in units of 1e-8.
"""

from typing import Final

RATE_SCALE: Final = 8
RATE_ONE: Final = 100_000_000
BPS_ONE: Final = 10_000
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 3600 * SECOND
DAY: Final = 86_400 * SECOND
MAX_SCALE: Final = 18
_DIGITS_MAX: Final = 200  # no price or amount comes near it; int() refuses thousands of digits


class UnitError(ValueError):
    """A number that cannot be taken exactly on the given scale; says which and why."""


def div_floor(numerator: int, denominator: int) -> int:
    """Round towards minus infinity (denominator > 0)."""
    return numerator // denominator


def div_ceil(numerator: int, denominator: int) -> int:
    """Round towards plus infinity (denominator > 0)."""
    return -(-numerator // denominator)


def div_half_even(numerator: int, denominator: int) -> int:
    """Round to nearest, ties to even (denominator > 0)."""
    quotient = numerator // denominator
    twice = 2 * (numerator - quotient * denominator)
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def round_down_to(value: int, step: int) -> int:
    """Largest multiple of `step` not above `value`."""
    return value - value % step


def round_up_to(value: int, step: int) -> int:
    """Smallest multiple of `step` not below `value`."""
    return value + (-value) % step


def rescale(value: int, scale_from: int, scale_to: int) -> int:
    """The same number on a finer or equal scale; raises UnitError when digits would be lost."""
    if scale_to >= scale_from:
        return value * int(10 ** (scale_to - scale_from))
    unit = int(10 ** (scale_from - scale_to))
    if value % unit:
        raise UnitError(f"{format_scaled(value, scale_from)} has more than {scale_to} decimals")
    return value // unit


def parse_scaled(text: str, scale: int) -> int:
    """Plain decimal text to an int on `scale`, exactly.

    Takes an optional sign, digits, and a fraction (as exchanges send: "61837.63000000"); refuses
    exponents, NaN, infinities, and non-zero digits beyond the scale with UnitError.
    """
    body = text[1:] if text[:1] in ("-", "+") else text
    whole, _, fraction = body.partition(".")
    digits = whole + fraction
    if not digits.isdecimal() or not digits.isascii() or len(digits) > _DIGITS_MAX:
        raise UnitError(f"{text[:80]!r} is not a plain decimal number")
    if len(fraction) > scale:
        if fraction[scale:].strip("0"):
            raise UnitError(f"{text} has more than {scale} decimals")
        fraction = fraction[:scale]
    value = int("0" + whole + fraction + "0" * (scale - len(fraction)))
    return -value if text[0] == "-" else value


def format_scaled(value: int, scale: int) -> str:
    """An int on `scale` as plain text with all its decimals, e.g. (150, 2) -> "1.50"."""
    if scale == 0:
        return str(value)
    sign = "-" if value < 0 else ""
    digits = str(abs(value)).rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}"
