"""One candle, one trade; how a venue's own texts become them, exactly."""

from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from zvt_trading.errors import VenueError

SIDES = ("buy", "sell")
ID_LENGTH_MAX = 64
DIGITS_MAX = 20
"""Digits before the point that a file's decimal(38, 18) holds."""
DECIMALS_MAX = 18


class Candle(NamedTuple):
    """What traded in one interval; `time` is when it opened (ns UTC), volume is in base units."""

    time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Trade(NamedTuple):
    """A public trade; `time` in ns UTC, `size` in base units, `side` is the aggressor's."""

    time: int
    id: str
    price: Decimal
    size: Decimal
    side: str


Row = Candle | Trade


def candle(time: int, values: list[object]) -> Candle:
    """A candle of [open, high, low, close, volume] as the venue wrote them.

    Raises VenueError for what is no price or volume, and for highs and lows that do not enclose.
    """
    opened, high, low, close = [price(value) for value in values[:4]]
    if high != max(opened, high, low, close) or low != min(opened, high, low, close):
        raise VenueError(f"high and low of the candle {values} do not enclose open and close")
    return Candle(time, opened, high, low, close, number(values[4]))


def trade(time: int, identifier: object, values: tuple[object, object], side: object) -> Trade:
    """A trade of (price, size) as the venue wrote them; VenueError for what cannot be one."""
    word = str(side).lower()
    if word not in SIDES:
        raise VenueError(f"side {side!r} of a trade is neither buy nor sell")
    if not isinstance(identifier, str | int) or not 0 < len(str(identifier)) <= ID_LENGTH_MAX:
        raise VenueError(f"{identifier!r} is no id of a trade")
    return Trade(time, str(identifier), price(values[0]), number(values[1]), word)


def whole(value: object) -> int:
    """A whole number given as int or text; VenueError for anything else."""
    text = str(value)
    if isinstance(value, bool | float) or not (text.isascii() and text.isdecimal()):
        raise VenueError(f"{value!r} is not a whole number")
    return int(text)


def price(value: object) -> Decimal:
    """A number above zero."""
    found = number(value)
    if not found:
        raise VenueError(f"price {value!r} must be above zero")
    return found


def number(value: object) -> Decimal:
    """A number >= 0 that a file holds exactly; VenueError for a float, which has lost its text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise VenueError(f"{value!r} is not a number written as text")
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise VenueError(f"{value!r} is not a number") from None
    if not found.is_finite() or found.is_signed():
        raise VenueError(f"{value!r} is not a number >= 0")
    _, digits, exponent = found.as_tuple()
    if (found and found.adjusted() >= DIGITS_MAX) or _has_finer_digits(digits, int(exponent)):
        raise VenueError(
            f"{value!r} does not fit: at most {DIGITS_MAX} digits and {DECIMALS_MAX} decimals"
        )
    return found


def _has_finer_digits(digits: tuple[int, ...], exponent: int) -> bool:
    """Whether there is a digit other than 0 after the last decimal of a file."""
    excess = -exponent - DECIMALS_MAX
    return excess > 0 and any(digits[-excess:])
