"""Times of history: int nanoseconds UTC inside, ISO-8601 text at the edges."""

import re
from datetime import UTC, datetime
from typing import Final

from zvt_trading.core.units import DAY, SECOND
from zvt_trading.errors import CallerError

MILLISECOND: Final = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?"
)


def parse_time(text: str) -> int:
    """ISO-8601 text ("2024-01-31", "2024-01-31T12:00:00.5Z"; no zone: UTC) to nanoseconds.

    Raises CallerError for any other text.
    """
    found = _ISO.fullmatch(text.strip())
    if found is None:
        raise CallerError(f"{text!r} is not a time; write it like 2024-01-31 or 2024-01-31T12:00")
    day, clock, fraction, zone = found.groups()
    offset = "+00:00" if zone in (None, "Z") else zone
    try:
        passed = datetime.fromisoformat(f"{day}T{clock or '00:00'}{offset}") - _EPOCH
    except ValueError as error:
        raise CallerError(f"{text!r} is not a time: {error}") from None
    return passed.days * DAY + passed.seconds * SECOND + int((fraction or "").ljust(9, "0"))


def stamp(time: int) -> str:
    """Nanoseconds as ISO-8601 text, with as many decimals as it takes: "2024-01-31T12:00:00Z"."""
    seconds, rest = divmod(time, SECOND)
    text = moment(seconds * SECOND).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09d}".rstrip("0") + "Z" if rest else f"{text}Z"


def moment(time: int) -> datetime:
    """The datetime (UTC) of whole seconds given in nanoseconds."""
    return datetime.fromtimestamp(time // SECOND, tz=UTC)


def year_start(year: int) -> int:
    """When a year begins, UTC."""
    return (datetime(year, 1, 1, tzinfo=UTC) - _EPOCH).days * DAY
