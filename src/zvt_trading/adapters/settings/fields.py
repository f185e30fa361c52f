"""Kinds of values in a config file, each with its bounds and the reason for them.

A file gives text, whole numbers, booleans and exact decimals (never floats, see `loading`); the
environment gives text only, which is read as what the field is.
"""

import json
import re
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from zvt_trading.core.limits import AMOUNT_MAX, ASSET_LENGTH_MAX, NAME_LENGTH_MAX

VenueName = Literal["binance", "okx", "bybit", "coinbase"]
"""The exchanges there are."""

ACCOUNT: Final = r"[a-z][a-z0-9_]{0,31}"
"""Names of accounts: part of the name of an environment variable, so no more than this."""

_SYMBOL: Final = re.compile(r"([A-Z0-9]+)/([A-Z0-9]+)(?::([A-Z0-9]+))?")
_ENDPOINT: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})")


def _no_boolean(value: object) -> object:
    """Python takes True for 1; nobody who writes `true` means one."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic reports ValueErrors only
    return value


def _no_float(value: object) -> object:
    """Who calls us from Python may have one; by its repr it is what was written."""
    _no_boolean(value)
    return float.__repr__(value) if isinstance(value, float) else value


def _listed(value: object) -> object:
    """A list from the environment: JSON, or parts between commas."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('must be a JSON list, like ["BTC/USDT"]') from None
    return [part.strip() for part in value.split(",") if part.strip()]


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must not have characters that cannot be printed")
    return value


def _symbol(value: str) -> str:
    found = _SYMBOL.fullmatch(value)
    if found is None:
        raise ValueError("must be BASE/QUOTE for spot or BASE/QUOTE:QUOTE for a linear perpetual")
    if found[3] not in (None, found[2]):
        raise ValueError(f"settles in {found[3]}, not {found[2]}: linear perpetuals only")
    return value


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"has {', '.join(twice)} more than once")
    return values


def _endpoint(value: str) -> str:
    found = _ENDPOINT.fullmatch(value)
    if found is None or not 0 < int(found[1]) < 65_536:
        raise ValueError('must be "host:port", like "127.0.0.1:8443"')
    return value


Whole = Annotated[int, BeforeValidator(_no_boolean), Field(ge=0)]
"""A count, a duration or basis points; the core's own bounds are checked when all are read."""

Amount = Annotated[Decimal, BeforeValidator(_no_float), Field(ge=0, le=AMOUNT_MAX)]
"""Money or a quantity, exact, in whole units; more than `AMOUNT_MAX` is noise."""

Cash = Annotated[Amount, Field(gt=0)]

Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX), AfterValidator(_printable)]
"""Of a portfolio or a strategy: a key of tables, a label of metrics."""

Asset = Annotated[str, Field(pattern=rf"^[A-Z0-9]{{1,{ASSET_LENGTH_MAX}}}$")]

AccountName = Annotated[str, Field(pattern=f"^{ACCOUNT}$")]

Symbol = Annotated[str, AfterValidator(_symbol), Field(max_length=NAME_LENGTH_MAX)]
"""As ccxt writes it: "BTC/USDT", "BTC/USDT:USDT"."""

Symbols = Annotated[
    tuple[Symbol, ...],
    NoDecode,
    BeforeValidator(_listed),
    Field(min_length=1),
    AfterValidator(_distinct),
]

Endpoint = Annotated[str, AfterValidator(_endpoint)]
