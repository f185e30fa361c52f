"""Public numbers to scaled ints and back, exactly; and the names of integer codes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from zvt_trading.errors import CallerError
from zvt_trading.types import Number

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POWERS: list[int] = [10**exponent for exponent in range(40)]
_UNITS = [Decimal(1).scaleb(-exponent) for exponent in range(40)]


def to_scaled(field: str, value: Number, scale: int) -> int:
    """A user's number as an int on `scale` decimals.

    Decimal, int and str are taken exactly, floats by their repr. Raises CallerError for anything
    that is not a finite number or has more decimals than the scale.
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str | float):
        raise CallerError(
            f"{field} must be a Decimal, int, str or float, not {type(value).__name__}"
        )
    if isinstance(value, int):
        return value * _POWERS[scale]
    try:
        exact = value if isinstance(value, Decimal) else Decimal(repr_of(value))
        numerator, denominator = exact.as_integer_ratio()
    except (InvalidOperation, ValueError, OverflowError):
        raise CallerError(f"{field} must be a finite number, not {value!r}") from None
    scaled, rest = divmod(numerator * _POWERS[scale], denominator)
    if rest:
        raise CallerError(f"{field} {value} has more than the {scale} decimals allowed")
    return scaled


def repr_of(value: str | float) -> str:
    """A float by its repr, text without surrounding blanks."""
    return repr(value) if isinstance(value, float) else value.strip()


def to_decimal(value: int, scale: int) -> Decimal:
    """An int on `scale` decimals as an exact Decimal."""
    # The tuple constructor is exact at any size; arithmetic would round to the context's digits.
    if -(10**27) < value < 10**27:
        return value * _UNITS[scale]
    return Decimal((0 if value >= 0 else 1, tuple(map(int, str(abs(value)))), -scale))


def to_datetime(ts: int) -> datetime:
    """Nanoseconds UTC as an aware datetime (microseconds, floored)."""
    return _EPOCH + timedelta(microseconds=ts // 1000)


def to_ns(field: str, moment: datetime) -> int:
    """An aware datetime as nanoseconds UTC; CallerError when it has no time zone."""
    if moment.tzinfo is None:
        raise CallerError(f"{field} {moment.isoformat()} has no time zone; use an aware datetime")
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000
