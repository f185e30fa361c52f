"""OKX's instrument ids and sizes in ours: unified symbols, and the base asset for contracts."""

from collections.abc import Mapping
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from typing import Any, Final

from zvt_trading.adapters.ccxt.dialect import Caller
from zvt_trading.errors import VenueError

Market = Mapping[str, Any]
Row = Mapping[str, Any]

_EXACT: Final = Context(prec=100, traps=[Inexact, InvalidOperation])


def market_of(caller: Caller, name: str) -> Market | None:
    """The market of an `instId`; None for one that is not loaded."""
    found: list[Market] = caller.markets_by_id.get(name) or []
    return found[0] if found else None


def in_base(size: str, market: Market) -> str:
    """A size in the base asset: contracts of a swap times what one contract holds."""
    if market["spot"] or not size:
        return size
    return plain(_EXACT.multiply(Decimal(size), Decimal(market["contractSize"])))


def in_contracts(amount: str, market: Market) -> str:
    """An amount of the base asset as a size; VenueError when it is no exact number of contracts."""
    if market["spot"] or not amount:
        return amount
    try:
        return plain(_EXACT.divide(Decimal(amount), Decimal(market["contractSize"])))
    except DecimalException:
        raise VenueError(
            f"okx: {amount} {market['base']} is no exact number of contracts of "
            f"{market['contractSize']} {market['base']}"
        ) from None


def negated(amount: str) -> str:
    """An amount with the other sign: OKX shows a fee that was charged as negative."""
    return plain(_EXACT.minus(Decimal(amount))) if Decimal(amount) else "0"


def plus(one: str, other: str) -> str:
    """A sum."""
    return plain(_EXACT.add(Decimal(one), Decimal(other)))


def is_zero(amount: str) -> bool:
    """Whether there is nothing of it; "" is nothing."""
    return not amount or not Decimal(amount)


def plain(value: Decimal) -> str:
    """Without exponent, and without zeros at the end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(row: Row, name: str) -> int:
    """A time or id; 0 when not given."""
    return int(row.get(name) or 0)
