"""Numbers are shown without losing or inventing digits."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from zvt_trading.cli import numbers


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("0", "0"),
        ("0", "-0.00"),
        ("0", "0E-18"),
        ("100", "1E+2"),
        ("1200", "1200"),
        ("0.5", "0.500"),
        ("-0.00000001", "-0.00000001"),
        ("123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"),
    ],
)
def test_plain_keeps_every_digit_and_nothing_else(expected: str, value: str) -> None:
    """No exponent, no trailing zeros, no negative zero, and never a rounding."""
    assert expected == numbers.plain(Decimal(value))


def test_sums_of_more_than_28_digits_do_not_round() -> None:
    """The default decimal context would lose the last unit."""
    values = [Decimal("10000000000000.000000000000000001")] * 3
    assert "30000000000000.000000000000000003" == numbers.plain(numbers.total(values))


@pytest.mark.parametrize(
    ("expected", "value", "places"),
    [
        ("-", None, 2),
        ("1,234,567.5", "1234567.50", 2),
        ("-1,234", "-1234.001", 2),
        ("0", "-0.001", 2),
        ("-0.25", "-0.25", 8),
        ("0.00000001", "0.000000012", 8),
    ],
)
def test_shown_groups_thousands(expected: str, value: str | None, places: int) -> None:
    """Display form: grouped, rounded, without trailing zeros."""
    assert expected == numbers.shown(None if value is None else Decimal(value), places)


@pytest.mark.parametrize(
    ("as_money", "as_signed", "value"),
    [
        ("1,000.00", "+1,000.00", "1000"),
        ("-0.01", "-0.01", "-0.009"),
        ("0.00", "0.00", "-0.001"),
        ("2.12", "+2.12", "2.125"),
        ("-", "-", None),
    ],
)
def test_money_and_signed_have_two_decimals(
    as_money: str, as_signed: str, value: str | None
) -> None:
    """Half to even, and what rounds to zero has no sign."""
    amount = None if value is None else Decimal(value)
    assert (as_money, as_signed) == (numbers.money(amount), numbers.signed(amount))


def test_none_stays_none_in_json() -> None:
    """A missing value is null, not text."""
    assert (None, "1") == (numbers.plain_or_none(None), numbers.plain_or_none(Decimal(1)))


def test_times_are_shown_in_utc() -> None:
    """Whatever time zone a time comes in."""
    east = datetime(2024, 8, 8, 20, 0, 0, 1_500, tzinfo=timezone(timedelta(hours=8)))
    assert "12:00:00.001" == numbers.clock(east)
    assert "2024-08-08 12:00:00" == numbers.stamp(east.astimezone(UTC))
