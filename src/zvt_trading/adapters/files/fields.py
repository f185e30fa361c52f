"""Text fields of recorded rows: times, numbers and sides; each error says what was expected."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from zvt_trading.core.units import SECOND, UnitError, parse_scaled
from zvt_trading.errors import CallerError
from zvt_trading.messages.codes import BUY, SELL

UNIT_NS = {"s": SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}
"""Units of epoch times, in nanoseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?"
)
_BUY_WORDS = frozenset({"buy", "b", "bid", "1", "long"})
_SELL_WORDS = frozenset({"sell", "s", "ask", "-1", "short"})
_UNKNOWN_WORDS = frozenset({"", "0", "none", "unknown", "no_aggressor"})
_BOOLEANS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}


class TimeField:
    """Reads one time column as nanoseconds UTC.

    ISO-8601 text is known by its dashes (no zone: UTC; digits after the ninth are refused). Other
    times are epoch numbers in `unit` ("s", "ms", "us", "ns"); without a unit the first one's size
    decides for the whole file: below 1e11 seconds, 1e14 milliseconds, 1e17 microseconds, else
    nanoseconds (right for all times from 1973 to 5138).
    """

    def __init__(self, unit: str | None = None) -> None:
        if unit is not None and unit not in UNIT_NS:
            raise CallerError(f"time unit {unit!r} must be one of {', '.join(UNIT_NS)}")
        self._unit = 0 if unit is None else UNIT_NS[unit]

    def read(self, text: str) -> int:
        """The time; UnitError when it is none."""
        text = text.strip()
        if "-" in text[1:]:
            return _iso_ns(text)
        whole = text.partition(".")[0]
        if not (whole.isascii() and whole.isdecimal()):
            raise UnitError(f"{text!r} is neither an ISO-8601 nor an epoch time")
        if not self._unit:
            self._unit = _unit_of(int(whole))
        return parse_scaled(text, 9) * self._unit // SECOND


def _unit_of(value: int) -> int:
    if value < 10**11:
        return UNIT_NS["s"]
    if value < 10**14:
        return UNIT_NS["ms"]
    return UNIT_NS["us"] if value < 10**17 else UNIT_NS["ns"]


def _iso_ns(text: str) -> int:
    found = _ISO.fullmatch(text)
    if found is None:
        raise UnitError(f"{text!r} is neither an ISO-8601 nor an epoch time")
    date, clock, fraction, zone = found.groups()
    zone = "+00:00" if zone in (None, "Z", "UTC") else zone
    try:
        passed = datetime.fromisoformat(f"{date}T{clock or '00:00:00'}{zone}") - _EPOCH
    except ValueError as error:
        raise UnitError(f"{text!r}: {error}") from None
    seconds = passed.days * 86_400 + passed.seconds
    return seconds * SECOND + int((fraction or "").ljust(9, "0"))


def number(text: str, scale: int, *, least: int = 0) -> int:
    """A decimal text on `scale`, exactly, exponents too ("1e-05"); UnitError when below `least`."""
    text = text.strip()
    if "e" in text or "E" in text:
        text = _plain(text)
    value = parse_scaled(text, scale)
    if value < least:
        raise UnitError(f"{text} must be {'> 0' if least else '>= 0'}")
    return value


def _plain(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise UnitError(f"{text!r} is not a decimal number") from None
    if not value.is_finite() or abs(value.adjusted()) > 40:
        raise UnitError(f"{text} is not a number of any market")
    return format(value, "f")


def side(text: str) -> int:
    """BUY, SELL, or 0 for an unknown aggressor; UnitError for any other word."""
    word = text.strip().lower()
    if word in _BUY_WORDS:
        return BUY
    if word in _SELL_WORDS:
        return SELL
    if word in _UNKNOWN_WORDS:
        return 0
    raise UnitError(f"side {text!r} is neither buy nor sell")


def maker_side(text: str) -> int:
    """The aggressor from "was the buyer the maker?" (true or false)."""
    answer = _BOOLEANS.get(text.strip().lower())
    if answer is None:
        raise UnitError(f"{text!r} is neither true nor false")
    return SELL if answer else BUY


def identifier(text: str) -> int:
    """A whole number; 0 for ids that are none (UUIDs)."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() else 0
