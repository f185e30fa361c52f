"""Fields of raw answers and frames, of the form that the exchange documents, or an error."""

import re
from collections.abc import Mapping
from typing import Any, Final

Row = Mapping[str, Any]

PLAIN_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")


class UnreadableError(ValueError):
    """A field is missing, or not of the documented form; names it."""


class UnknownSymbolError(LookupError):
    """A symbol that ccxt's markets have not: not one of ours."""


def text(row: Row, name: str) -> str:
    """A text."""
    value = row.get(name)
    if not isinstance(value, str):
        raise UnreadableError(f"{name} is {value!r:.60}, not a text")
    return value


def number(row: Row, name: str) -> str:
    """A plain decimal number, as the text that it was sent as."""
    value = text(row, name)
    if not PLAIN_NUMBER.fullmatch(value):
        raise UnreadableError(f"{name} is {value!r:.60}, not a plain decimal number")
    return value
