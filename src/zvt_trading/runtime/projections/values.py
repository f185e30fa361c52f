"""Values as the tables take them: exact decimals, times, ids and JSON as text."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from zvt_trading.core.units import div_half_even

DECIMALS: Final = 18
"""Of every number in the tables: NUMERIC(38,18), and text of the same width on SQLite."""

ONE: Final = 10**DECIMALS
WHOLE_MAX: Final = 10**20 - 1
"""The largest whole number of the tables. What the core lets in is far below it (AMOUNT_MAX in
core/limits.py); figures that follow from a market's prices stop here."""

_ZERO: Final = "0." + "0" * DECIMALS
_UNITS: Final = [10 ** (DECIMALS - scale) for scale in range(DECIMALS + 1)]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_encode: Final = msgspec.json.Encoder().encode

# Kinds of the rows that ids are made for; part of the id, so that none is like another's.
PORTFOLIO_ID: Final = 1
TRADE_ID: Final = 2
POSITION_ID: Final = 3
LIMIT_ID: Final = 0x100  # and above: one a limit of a set


def number(value: int, scale: int) -> str:
    """A scaled int as text with 18 decimals; finer ones are rounded half-even."""
    if value == 0:
        return _ZERO
    if scale > DECIMALS:
        value = div_half_even(value, 10 ** (scale - DECIMALS))
        scale = DECIMALS
    whole, rest = divmod(abs(value) * _UNITS[scale], ONE)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{rest:018d}"


def number_or_none(value: int, scale: int) -> str | None:
    """As `number`; None for 0, which means "not given"."""
    return number(value, scale) if value else None


def within(value: int, scale: int) -> int:
    """The value, or the nearest to it that the tables hold."""
    if -WHOLE_MAX <= value <= WHOLE_MAX:
        return value
    bound = WHOLE_MAX * int(10**scale)
    return max(-bound, min(value, bound))


def figure(value: int, scale: int) -> str:
    """As `number`, for what follows from a market's prices; see `within`."""
    return number(within(value, scale), scale)


def figure_or_none(value: int, scale: int) -> str | None:
    """As `figure`; None for 0, which means "not given"."""
    return figure(value, scale) if value else None


def ratio(numerator: int, denominator: int) -> int:
    """A quotient in units of 1e-18, rounded half-even (denominator > 0); see `within`."""
    return within(div_half_even(numerator * ONE, denominator), DECIMALS)


@lru_cache(maxsize=16)
def moment(ts: int) -> str:
    """Nanoseconds UTC as ISO 8601 with microseconds, floored; of the years 1970 to 9999."""
    micros = max(0, min(ts // 1000, _LATEST))
    return (_EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds")


def moment_or_none(ts: int) -> str | None:
    """As `moment`; None for 0, which means "not yet"."""
    return moment(ts) if ts else None


def day_text(day: int) -> str | None:
    """Days since 1970 as a date; None before the first."""
    return (_EPOCH + timedelta(days=day)).date().isoformat() if day >= 0 else None


def nanoseconds(text: str) -> int:
    """The time that `moment` wrote."""
    return int((datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)) * 1000


def days_of(text: str) -> int:
    """The day that `day_text` wrote."""
    return (date.fromisoformat(text) - _EPOCH.date()).days


def row_id(ts: int, seq: int, kind: int) -> str:
    """The UUID (version 7, RFC 9562) of a row that event `seq` made: 32 hexadecimal digits."""
    return f"{(ts // 1_000_000) & 0xFFFFFFFFFFFF:012x}7{kind & 0xFFF:03x}8{seq:015x}"


def plain(text: str) -> str:
    """A text of others, without NUL, which PostgreSQL's texts cannot hold; the journal has it."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


def json_text(value: object) -> str:
    """JSON as text, keys in the order given."""
    return _encode(value).decode()
