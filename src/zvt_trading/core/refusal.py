"""Writing down why the gate refused: reason, limit, value, where the limit came from, one sentence.

The numbers of a refusal are ints on a scale that depends on the reason; `number_scale` says which,
so that the edge can show them as decimals.
"""

from typing import Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.risk_limits import Limits
from zvt_trading.core.ticket import Ticket
from zvt_trading.core.units import format_scaled
from zvt_trading.messages.codes import SCOPE_PORTFOLIO, SCOPE_SYMBOL, SELL
from zvt_trading.messages.reasons import Reason

# Units of a refusal's two numbers.
PLAIN: Final = 0  # a count, a code, milliseconds, basis points, a time
PRICE: Final = 1  # the symbol's price scale
QUANTITY: Final = 2  # the symbol's quantity scale
BASE: Final = 3  # money of the portfolio's base asset
RESERVED: Final = 4  # money of the asset the order would reserve
QUOTE: Final = 5  # money of the quote asset

_UNITS: Final = {
    int(Reason.INVALID_QUANTITY): QUANTITY,
    int(Reason.INVALID_PRICE): PRICE,
    int(Reason.PRICE_NOT_ALLOWED): PRICE,
    int(Reason.TRIGGER_NOT_ALLOWED): PRICE,
    int(Reason.INVALID_TRIGGER): PRICE,
    int(Reason.PRICE_TICK): PRICE,
    int(Reason.PRICE_MIN): PRICE,
    int(Reason.PRICE_MAX): PRICE,
    int(Reason.QUANTITY_LOT): QUANTITY,
    int(Reason.QUANTITY_MIN): QUANTITY,
    int(Reason.QUANTITY_MAX): QUANTITY,
    int(Reason.NOTIONAL_MIN): QUOTE,
    int(Reason.BOOK_CROSSED): PRICE,
    int(Reason.PRICE_COLLAR): PRICE,
    int(Reason.MAX_ORDER_QUANTITY): QUANTITY,
    int(Reason.MAX_ORDER_NOTIONAL): BASE,
    int(Reason.MAX_POSITION_QUANTITY): QUANTITY,
    int(Reason.MAX_POSITION_NOTIONAL): BASE,
    int(Reason.MAX_EXPOSURE): BASE,
    int(Reason.MAX_ALLOCATION): BASE,
    int(Reason.MAX_LEVERAGE): BASE,
    int(Reason.REDUCE_ONLY): QUANTITY,
    int(Reason.SELF_CROSS): PRICE,
    int(Reason.DAILY_LOSS): BASE,
    int(Reason.INSUFFICIENT_BALANCE): RESERVED,
    int(Reason.INSUFFICIENT_MARGIN): RESERVED,
}


def number_scale(reason: int, instrument: Instrument, side: int, base_scale: int) -> int:
    """Decimals of a refusal's `limit` and `value` (0: plain numbers)."""
    unit = _UNITS.get(reason, PLAIN)
    if unit == PRICE:
        return instrument.price_scale
    if unit == QUANTITY:
        return instrument.quantity_scale
    if unit == BASE:
        return base_scale
    if unit == QUOTE:
        return instrument.spec.quote_scale
    if unit == RESERVED:
        sells_coins = instrument.is_spot and side == SELL
        return instrument.spec.base_scale if sells_coins else instrument.settle_scale
    return 0


def refuse(ticket: Ticket, reason: int, limit: int, value: int, text: str) -> int:
    """Write a refusal that comes from the instrument or the request; returns the reason.

    `{limit}` and `{value}` in the text are replaced by the numbers as decimals.
    """
    return _write(ticket, reason, limit, value, SCOPE_SYMBOL, ticket.instrument.id, text)


def refuse_portfolio(ticket: Ticket, reason: int, limit: int, value: int, text: str) -> int:
    """Write a refusal that comes from the portfolio's own condition."""
    return _write(ticket, reason, limit, value, SCOPE_PORTFOLIO, ticket.portfolio.name, text)


def refuse_limit(
    ticket: Ticket, limits: Limits, index: int, reason: int, limit: int, value: int, text: str
) -> int:
    """Write a refusal by limit number `index`; it names the scope that stated the limit."""
    return _write(ticket, reason, limit, value, limits.scopes[index], limits.keys[index], text)


def refuse_scope(
    ticket: Ticket, reason: int, scope: int, key: str, limit: int, value: int, text: str
) -> int:
    """Write a refusal by a scope's trading state or by a count over it."""
    return _write(ticket, reason, limit, value, scope, key, text)


def _write(
    ticket: Ticket, reason: int, limit: int, value: int, scope: int, key: str, text: str
) -> int:
    ticket.limit = limit
    ticket.value = value
    ticket.scope = scope
    ticket.key = key
    scale = number_scale(reason, ticket.instrument, ticket.side, ticket.portfolio.base_scale)
    shown = text.replace("{limit}", _shown(limit, scale))
    ticket.text = shown.replace("{value}", _shown(value, scale))
    return int(reason)


def _shown(number: int, scale: int) -> str:
    """A scaled number without trailing zeros."""
    text = format_scaled(number, scale)
    return text.rstrip("0").rstrip(".") if "." in text else text
