"""What a client asks for, as the house's `Ask`; NotPlaced or a Reply when it cannot be taken."""

from typing import Any, Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import UnitError, parse_scaled
from zvt_trading.emulator.coinbase.errors import NotPlaced, invalid
from zvt_trading.emulator.coinbase.names import ns_of
from zvt_trading.emulator.orders import Ask
from zvt_trading.messages.codes import BUY, FOK, GTC, GTD, IOC, LIMIT, MARKET, SELL

CLIENT_ID_LENGTH_MAX: Final = 128
_LIMITS: Final = {
    "limit_limit_gtc": GTC,
    "limit_limit_gtd": GTD,
    "sor_limit_ioc": IOC,
    "limit_limit_fok": FOK,
}


def client_id(body: dict[str, Any]) -> str:
    """It is required; https://docs.cdp.coinbase.com says no more about it."""
    found = body.get("client_order_id")
    if not isinstance(found, str) or not 1 <= len(found) <= CLIENT_ID_LENGTH_MAX:
        raise invalid("client_order_id is required")
    return found


def ask_of(body: dict[str, Any], instrument: Instrument) -> Ask:
    """The order that a create request is for."""
    side = {"BUY": BUY, "SELL": SELL}.get(str(body.get("side")))
    if side is None:
        raise NotPlaced("INVALID_SIDE", f"side {body.get('side')!r} is neither BUY nor SELL")
    configuration = body.get("order_configuration")
    if not isinstance(configuration, dict) or len(configuration) != 1:
        raise invalid("order_configuration must have exactly one kind")
    kind, fields = next(iter(configuration.items()))
    if not isinstance(fields, dict):
        raise invalid(f"{kind} must be an object")
    if kind == "market_market_ioc":
        return _market(fields, instrument, side, client_id(body))
    if kind not in _LIMITS:
        raise NotPlaced(
            "UNSUPPORTED_ORDER_CONFIGURATION",
            f"{kind} is not offered",
            "PREVIEW_INVALID_ORDER_CONFIG",
        )
    return Ask(
        instrument,
        side,
        LIMIT,
        size_of(fields, "base_size", instrument),
        client_id=client_id(body),
        price=price_of(fields, "limit_price", instrument),
        tif=_LIMITS[kind],
        post_only=fields.get("post_only") is True,
        expire_ts=_end(fields) if kind == "limit_limit_gtd" else 0,
    )


def _market(fields: dict[str, Any], instrument: Instrument, side: int, client: str) -> Ask:
    if "quote_size" in fields and side == BUY:
        spent = _number(fields, "quote_size", instrument.settle_scale, "INVALID_SIZE_PRECISION")
        return Ask(instrument, side, MARKET, 0, client_id=client, quote_quantity=spent)
    size = size_of(fields, "base_size", instrument)
    return Ask(instrument, side, MARKET, size, client_id=client)


def size_of(fields: dict[str, Any], name: str, instrument: Instrument) -> int:
    """A size on the quantity scale."""
    return _number(fields, name, instrument.quantity_scale, "INVALID_SIZE_PRECISION")


def price_of(fields: dict[str, Any], name: str, instrument: Instrument) -> int:
    """A price on the price scale."""
    return _number(fields, name, instrument.price_scale, "INVALID_PRICE_PRECISION")


def _number(fields: dict[str, Any], name: str, scale: int, error: str) -> int:
    text = fields.get(name)
    if not isinstance(text, str) or not text:
        raise invalid(f"{name} must be a decimal in a string")
    try:
        return parse_scaled(text, scale)
    except UnitError as problem:
        raise NotPlaced(error, f"Too many decimals in {name}: {problem}") from None


def _end(fields: dict[str, Any]) -> int:
    try:
        return ns_of(str(fields.get("end_time")))
    except ValueError as problem:
        raise invalid(f"end_time: {problem}") from None
