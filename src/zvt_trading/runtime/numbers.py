"""Public numbers and times to scaled ints and back, exactly."""

from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Final

from zvt_trading.errors import CallerError
from zvt_trading.types import Number

DIGITS_MAX: Final = 40
"""A number of 10^40 or more is noise, and writing it down would take for ever ("1e999999999")."""

_BOUND: Final = 10**DIGITS_MAX
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_POWERS: Final[list[int]] = [10**exponent for exponent in range(40)]
_UNITS: Final = [Decimal(1).scaleb(-exponent) for exponent in range(40)]
# Ours, so that a caller's decimal context cannot round our money; it would raise rather than round.
_EXACT: Final = Context(prec=100, Emin=-999_999, Emax=999_999, traps=[Inexact, InvalidOperation])
_EXACT_BOUND: Final = 10**99


def to_scaled(field: str, value: Number, scale: int) -> int:
    """A user's number as an int on `scale` decimals.

    Decimal, int and str are taken exactly, floats by their repr. Raises CallerError for anything
    that is not a finite number below 10^40 or has more decimals than the scale.
    """
    if isinstance(value, Decimal):
        exact = value
    elif isinstance(value, bool) or not isinstance(value, int | str | float):
        raise CallerError(
            f"{field} must be a Decimal, int, str or float, not {type(value).__name__}"
        )
    elif isinstance(value, int):
        if not -_BOUND < value < _BOUND:
            raise _too_large(field)
        return value * _POWERS[scale]
    else:
        exact = _parsed(field, value)
    if not exact.is_finite():
        raise CallerError(f"{field} must be a finite number, not {exact}")
    if not exact:
        return 0
    exponent = exact.adjusted()
    if exponent >= DIGITS_MAX:
        raise _too_large(field)
    if exponent >= -scale:
        numerator, denominator = exact.as_integer_ratio()
        scaled, rest = divmod(numerator * _POWERS[scale], denominator)
        if not rest:
            return scaled
    allowed = f"has more than the {scale} decimals allowed" if scale else "is not a whole number"
    raise CallerError(f"{field} {_short(value)} {allowed}")


def to_decimal(value: int, scale: int) -> Decimal:
    """An int on `scale` decimals as an exact Decimal."""
    if -_EXACT_BOUND < value < _EXACT_BOUND:
        return _EXACT.multiply(value, _UNITS[scale])
    return Decimal((0 if value >= 0 else 1, tuple(map(int, str(abs(value)))), -scale))


def to_datetime(ts: int) -> datetime:
    """Nanoseconds UTC as an aware datetime (microseconds, floored)."""
    return _EPOCH + timedelta(microseconds=ts // 1000)


def to_ns(field: str, moment: datetime) -> int:
    """An aware datetime as nanoseconds UTC; CallerError when it has no time zone."""
    if not isinstance(moment, datetime):
        raise CallerError(f"{field} must be an aware datetime, not {type(moment).__name__}")
    if moment.utcoffset() is None:
        raise CallerError(f"{field} {moment.isoformat()} has no time zone; use an aware datetime")
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000


def _parsed(field: str, value: str | float) -> Decimal:
    """Text, and a float by the shortest text that means it."""
    # float's own repr: that of a subclass (numpy.float64) is not a number.
    text = value.strip() if isinstance(value, str) else float.__repr__(value)
    try:
        return Decimal(text)
    except InvalidOperation:
        raise CallerError(f"{field} must be a number, not {_short(value)!r}") from None


def _too_large(field: str) -> CallerError:
    return CallerError(f"{field} is too large: it must be below 10^{DIGITS_MAX}")


def _short(value: Number) -> str:
    """What was given, in a length fit for a message."""
    text = str(value)
    return text if len(text) <= DIGITS_MAX else text[:DIGITS_MAX] + "..."
