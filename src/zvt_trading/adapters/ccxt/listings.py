"""Markets as ccxt has them to listings, exactly: in the base asset, not in contracts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from zvt_trading.errors import VenueError
from zvt_trading.messages.codes import LINEAR, SPOT
from zvt_trading.ports.venue import Listing


def listing_of(venue: str, symbol: str, markets: Mapping[str, Mapping[str, Any]]) -> Listing:
    """One symbol; VenueError when the venue lists it not, or as something we cannot trade."""
    market = markets.get(symbol)
    if market is None:
        raise VenueError(f"{venue} does not list {symbol!r}")
    if market.get("active") is False:
        raise VenueError(f"{venue} does not trade {symbol!r} now")
    is_linear = bool(market.get("swap")) and bool(market.get("linear"))
    if not is_linear and not market.get("spot"):
        raise VenueError(f"{venue}: {symbol!r} is neither spot nor a linear perpetual")
    size = _number(market.get("contractSize")) or Decimal(1)
    limits = market.get("limits") or {}
    precision = market["precision"]
    leverage = _number(_bound(limits, "leverage", "max"))
    return Listing(
        symbol=symbol,
        kind=LINEAR if is_linear else SPOT,
        base=market["base"],
        quote=market["quote"],
        settle=market["settle"] if is_linear else market["quote"],
        tick=_text(_number(precision["price"])),
        lot=_text(_times(_number(precision["amount"]), size)),
        quantity_min=_text(
            _times(_number(_bound(limits, "amount", "min") or precision["amount"]), size)
        ),
        quantity_max=_text(_times(_number(_bound(limits, "amount", "max")), size)),
        notional_min=_text(_number(_bound(limits, "cost", "min"))),
        price_min=_text(_number(_bound(limits, "price", "min"))),
        price_max=_text(_number(_bound(limits, "price", "max"))),
        maker_fee=_text(_number(market.get("maker"))) or "0",
        taker_fee=_text(_number(market.get("taker"))) or "0",
        leverage_max=int(leverage) if is_linear and leverage else 1,
    )


def _bound(limits: Mapping[str, Any], name: str, end: str) -> Any:
    return (limits.get(name) or {}).get(end)


def _number(value: Any) -> Decimal | None:
    """Ccxt gives texts in str mode, and floats where its own tables say so: by their shortest."""
    return None if value is None else Decimal(str(value))


def _times(value: Decimal | None, size: Decimal) -> Decimal | None:
    return None if value is None else value * size


def _text(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"
