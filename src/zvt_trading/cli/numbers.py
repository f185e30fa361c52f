"""Numbers as text, and exact arithmetic on `Decimal`.

Python's default decimal context rounds sums to 28 digits; money here may have more (18 decimals of
a large balance), so every sum and quotient of the command line goes through `exact()`.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

DIGITS_MAX = 100
"""Digits kept in intermediate results: twice what any amount of ours can have."""


def exact() -> AbstractContextManager[Context]:
    """Return a decimal context in which sums of money never round."""
    return localcontext(prec=DIGITS_MAX)


def total(values: Iterable[Decimal]) -> Decimal:
    """Return the exact sum; zero for nothing."""
    with exact():
        return sum(values, Decimal(0))


def plain(value: Decimal) -> str:
    """Return every digit, without exponent, trailing zeros or a negative zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def plain_or_none(value: Decimal | None) -> str | None:
    """Return `plain(value)`, or None when there is no value."""
    return None if value is None else plain(value)


def rounded(value: Decimal, places: int) -> Decimal:
    """Return the value rounded half to even at `places` decimals; for display only."""
    with exact():
        return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def shown(value: Decimal | None, places: int = 8) -> str:
    """Return at most `places` decimals, thousands grouped, no trailing zeros; "-" for None."""
    if value is None:
        return "-"
    digits = plain(rounded(value, places))
    sign = "-" if digits.startswith("-") else ""
    whole, _, fraction = digits.lstrip("-").partition(".")
    return f"{sign}{int(whole):,}" + (f".{fraction}" if fraction else "")


def money(value: Decimal | None) -> str:
    """Return an amount with exactly two decimals, thousands grouped; "-" for None."""
    if value is None:
        return "-"
    cents = rounded(value, 2)
    return f"{cents or abs(cents):,}"


def signed(value: Decimal | None, places: int = 2) -> str:
    """Return the value with its sign and `places` decimals; zero has no sign, None is "-"."""
    if value is None:
        return "-"
    near = rounded(value, places)
    return f"{near:+,}" if near else f"{abs(near):,}"


def clock(moment: datetime) -> str:
    """Return the UTC time of day to the millisecond."""
    return moment.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]


def stamp(moment: datetime) -> str:
    """Return the UTC date and time to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
