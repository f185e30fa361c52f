"""Raw answers as views, exactly: every number stays the text that Coinbase sent.

What is not as documented raises ccxt's BadResponse: then nothing is known. ccxt's own parsing is
not used, it loses the terms of fill-or-kill orders, the fee asset, and the sign of withdrawals.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from zvt_trading.adapters.ccxt.dialect import Caller, Raw
from zvt_trading.adapters.ccxt.views import (
    CANCELLED,
    EXPIRED,
    FILLED,
    OPEN,
    REJECTED,
    FillView,
    OrderView,
    TransferView,
)

STATUSES: Final = {
    "PENDING": OPEN,
    "OPEN": OPEN,
    "QUEUED": OPEN,
    "CANCEL_QUEUED": OPEN,
    "EDIT_QUEUED": OPEN,
    "FILLED": FILLED,
    "CANCELLED": CANCELLED,
    "EXPIRED": EXPIRED,
    "FAILED": REJECTED,
}
SIDES: Final = {"BUY": "buy", "SELL": "sell"}


def bad_response(text: str) -> Exception:
    """Ccxt's error for an answer that is none; imported late, ccxt is slow to load."""
    from ccxt.base.errors import BadResponse

    error: Exception = BadResponse(f"coinbase: {text}")
    return error


def text_of(raw: Mapping[str, Raw], name: str) -> str:
    """A text that must be there."""
    value = raw.get(name)
    if not isinstance(value, str):
        raise bad_response(f"{name} is {value!r}, not a text")
    return value


def rows_of(answer: Raw, name: str) -> list[dict[str, Any]]:
    """A list of objects that must be there: a missing one is not an empty one."""
    rows = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise bad_response(f"no list {name!r} in the answer")
    return rows


def object_of(answer: Raw, name: str) -> dict[str, Any]:
    """An object that must be there."""
    found = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(found, dict):
        raise bad_response(f"no object {name!r} in the answer")
    return found


def ms_of(text: str) -> int:
    """RFC 3339 in UTC (any number of decimals) as milliseconds; ValueError for anything else."""
    if not text.endswith("Z"):
        raise ValueError(f"{text!r} is no time in UTC")
    whole, _, fraction = text[:-1].partition(".")
    if fraction and not fraction.isdecimal():
        raise ValueError(f"{text!r} is no time in UTC")
    since = dt.datetime.fromisoformat(whole).replace(tzinfo=dt.UTC) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + int(fraction[:3].ljust(3, "0"))


_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def iso_of(ms: int) -> str:
    """Milliseconds UTC as RFC 3339."""
    moment = _EPOCH + dt.timedelta(milliseconds=ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def time_of(raw: Mapping[str, Raw], name: str) -> int:
    """A time that must be there, in milliseconds."""
    try:
        return ms_of(text_of(raw, name))
    except ValueError as error:
        raise bad_response(f"{name}: {error}") from None


def number_of(raw: Mapping[str, Raw], name: str) -> Decimal:
    """A number that must be there, as a text or Coinbase's {"value", "currency"}."""
    value = raw.get(name)
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, str) and value.strip("-.0123456789") == "" and value.strip("-."):
        return Decimal(value)
    raise bad_response(f"{name} is {value!r}, not a number")


def plain(value: Decimal) -> str:
    """Without an exponent."""
    return format(value, "f")


def symbol_of(caller: Caller, raw: Mapping[str, Raw]) -> str:
    """The unified symbol of a product, also of one that is not loaded."""
    symbol = caller.safe_symbol(text_of(raw, "product_id"), None, "-")
    return str(symbol)


def order_view(caller: Caller, raw: Mapping[str, Raw]) -> OrderView:
    """One order of a query."""
    status = STATUSES.get(text_of(raw, "status"))
    side = SIDES.get(text_of(raw, "side"))
    if status is None or side is None:
        raise bad_response(f"order with status {raw['status']!r} and side {raw['side']!r}")
    filled = number_of(raw, "filled_size")
    if status == REJECTED and filled:
        status = CANCELLED  # it failed later
    terms = terms_of(raw)
    why = raw.get("cancel_message") or raw.get("reject_message") or raw.get("reject_reason")
    return OrderView(
        order_id=text_of(raw, "client_order_id"),
        venue_order_id=text_of(raw, "order_id"),
        symbol=symbol_of(caller, raw),
        status=status,
        price=str(terms.get("limit_price", "")),
        quantity=str(terms.get("base_size", "")),
        filled=plain(filled),
        side=side,
        reason="" if status in {OPEN, FILLED} else str(why or ""),
        ts=time_of(
            raw, "last_fill_time" if filled and raw.get("last_fill_time") else "created_time"
        ),
    )


def terms_of(raw: Mapping[str, Raw]) -> dict[str, Raw]:
    """Price and size of an order, whatever kind it is of."""
    kinds = [kind for kind in object_of(raw, "order_configuration").values() if kind]
    if len(kinds) != 1 or not isinstance(kinds[0], dict):
        raise bad_response("an order has not exactly one configuration")
    return kinds[0]


def fill_view(caller: Caller, raw: Mapping[str, Raw], order_id: str = "") -> FillView:
    """One fill; Coinbase does not say the client order id in it. The fee is in the quote asset."""
    symbol = symbol_of(caller, raw)
    side = SIDES.get(text_of(raw, "side"))
    liquidity = text_of(raw, "liquidity_indicator")
    if side is None or liquidity not in {"MAKER", "TAKER"} or raw.get("trade_type") != "FILL":
        raise bad_response(f"a fill of type {raw.get('trade_type')!r} as {liquidity!r}")
    price, size = number_of(raw, "price"), number_of(raw, "size")
    if raw.get("size_in_quote") is True:
        size = _base_size(caller, symbol, price, size)
    return FillView(
        order_id=order_id,
        venue_order_id=text_of(raw, "order_id"),
        symbol=symbol,
        trade_id=text_of(raw, "trade_id"),
        side=side,
        price=plain(price),
        quantity=plain(size),
        is_maker=liquidity == "MAKER",
        fee_asset=symbol.partition("/")[2],
        fee=plain(number_of(raw, "commission")),
        ts=time_of(raw, "trade_time"),
    )


def _base_size(caller: Caller, symbol: str, price: Decimal, value: Decimal) -> Decimal:
    """How much of the base asset a value is: the nearest multiple of its increment.

    Fills of orders for an amount of money show that money; executions are in whole increments.
    """
    step = Decimal(str(caller.market(symbol)["precision"]["amount"]))
    if not price:
        raise bad_response("a fill at price 0")
    return (value / price / step).to_integral_value() * step


def transfer_view(raw: Mapping[str, Raw]) -> TransferView | None:
    """A movement of a wallet that is done; None for a fill's, and for what is not done yet."""
    if text_of(raw, "type") == "advanced_trade_fill" or text_of(raw, "status") != "completed":
        return None
    money = object_of(raw, "amount")
    amount = number_of(money, "amount")
    name = "updated_at" if raw.get("updated_at") else "created_at"
    asset = text_of(money, "currency")
    return TransferView(text_of(raw, "id"), asset, plain(amount), time_of(raw, name))
