"""Whether an order makes sense by itself, and whether its instrument takes it.

Functions return a Reason code or 0, in the precedence order of `messages/reasons.py`; on refusal
the ticket says why. They look at nothing but the ticket and the time, so they hold in any state.
"""

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.refusal import refuse
from zvt_trading.core.risk_money import reference_twice
from zvt_trading.core.ticket import Ticket
from zvt_trading.core.units import BPS_ONE
from zvt_trading.messages.codes import (
    BUY,
    FOK,
    GTC,
    GTD,
    IOC,
    MARKET,
    OFFSET_BPS,
    OFFSET_PRICE,
    SELL,
    STOP,
    TRAILING_STOP,
    TRIGGER_MARK,
    TRIGGER_QUOTE,
)
from zvt_trading.messages.reasons import Reason


def check_shape(ticket: Ticket, now: int) -> int:
    """Whether the fields of the order are possible and fit together."""
    kind = ticket.type
    if ticket.side != BUY and ticket.side != SELL:
        return refuse(
            ticket, Reason.INVALID_SIDE, 0, ticket.side, "side {value} is not BUY or SELL"
        )
    if kind < MARKET or kind > TRAILING_STOP:
        text = "order type {value} is not one of 0 (MARKET) to 6 (TRAILING_STOP)"
        return refuse(ticket, Reason.INVALID_ORDER_TYPE, 0, kind, text)
    terms = ticket.terms
    tif = terms.tif
    reason = rule_time_in_force(ticket, tif, terms.expire_ts)
    if not reason:
        reason = rule_numbers(ticket) or rule_price_presence(ticket)
    if reason:
        return reason
    if kind >= STOP or ticket.trigger_price or terms.trailing_offset:
        reason = rule_trigger(ticket) or rule_trailing_offset(ticket)
        if reason:
            return reason
    if tif == GTD:
        reason = rule_expiry(ticket, terms.expire_ts, now)
        if reason:
            return reason
    return rule_post_only(ticket, tif) if terms.post_only else 0


def check_filters(ticket: Ticket) -> int:
    """Whether the instrument's filters take price, quantity and notional."""
    instrument = ticket.instrument
    quantity = ticket.quantity
    if ticket.price or ticket.trigger_price:
        reason = rule_price_filters(ticket, instrument)
        if reason:
            return reason
    if quantity % instrument.lot:
        text = "quantity {value} is not a multiple of the lot {limit}"
        return refuse(ticket, Reason.QUANTITY_LOT, instrument.lot, quantity, text)
    # What is left of a partly filled order may be below the minimum; its total was not.
    if quantity < instrument.quantity_min and not ticket.is_amend:
        text = "quantity {value} is below the instrument's minimum of {limit}"
        return refuse(ticket, Reason.QUANTITY_MIN, instrument.quantity_min, quantity, text)
    if 0 < instrument.quantity_max < quantity:
        text = "quantity {value} is above the instrument's maximum of {limit}"
        return refuse(ticket, Reason.QUANTITY_MAX, instrument.quantity_max, quantity, text)
    if instrument.notional_min and not ticket.is_amend:
        return rule_notional_min(ticket, instrument)
    return 0


def rule_time_in_force(ticket: Ticket, tif: int, expire_ts: int) -> int:
    """A known time in force; a market order cannot rest until a time; no expiry without GTD."""
    if tif == GTC and not expire_ts:
        return 0
    if tif < GTC or tif > GTD:
        text = "time in force {value} is not one of 0 (GTC) to 3 (GTD)"
    elif tif == GTD and ticket.type == MARKET:
        text = "a market order does not rest: it cannot be good till a time"
    elif tif != GTD and expire_ts:
        text = "an expire time needs time in force GTD"
    else:
        return 0
    return refuse(ticket, Reason.INVALID_TIME_IN_FORCE, 0, tif, text)


def rule_numbers(ticket: Ticket) -> int:
    """Quantity above zero, price not below; both within reason."""
    bound = ticket.instrument.quantity_bound
    if ticket.quantity <= 0 or ticket.quantity > bound:
        text = "quantity {value} must be above 0 and at most {limit}"
        return refuse(ticket, Reason.INVALID_QUANTITY, bound, ticket.quantity, text)
    bound = ticket.instrument.price_bound
    if ticket.price < 0 or ticket.price > bound:
        text = "price {value} must be above 0 and at most {limit}"
        return refuse(ticket, Reason.INVALID_PRICE, bound, ticket.price, text)
    return 0


def rule_price_presence(ticket: Ticket) -> int:
    """A limit price where the type has one, and only there."""
    if ticket.is_market():
        if ticket.price:
            text = "this order type takes no price; {value} was given"
            return refuse(ticket, Reason.PRICE_NOT_ALLOWED, 0, ticket.price, text)
    elif not ticket.price:
        return refuse(ticket, Reason.PRICE_MISSING, 0, 0, "this order type needs a price")
    return 0


def rule_trigger(ticket: Ticket) -> int:
    """A trigger price where the type has one (a trailing stop may have a first one)."""
    trigger = ticket.trigger_price
    if ticket.type < STOP:
        if trigger:
            text = "only stops have a trigger price; {value} was given"
            return refuse(ticket, Reason.TRIGGER_NOT_ALLOWED, 0, trigger, text)
        return 0
    if not trigger and ticket.type != TRAILING_STOP:
        return refuse(ticket, Reason.TRIGGER_MISSING, 0, 0, "a stop needs a trigger price")
    bound = ticket.instrument.price_bound
    if trigger < 0 or trigger > bound:
        text = "trigger price {value} must be above 0 and at most {limit}"
        return refuse(ticket, Reason.INVALID_TRIGGER, bound, trigger, text)
    trigger_by = ticket.terms.trigger_by
    if trigger_by < TRIGGER_QUOTE or trigger_by > TRIGGER_MARK:
        text = f"trigger_by {trigger_by} is not one of 0 (QUOTE), 1 (LAST), 2 (MARK)"
        return refuse(ticket, Reason.INVALID_TRIGGER, 0, trigger, text)
    return 0


def rule_trailing_offset(ticket: Ticket) -> int:
    """An offset for a trailing stop, and only for it; less than the whole price in basis points."""
    terms = ticket.terms
    offset = terms.trailing_offset
    if ticket.type != TRAILING_STOP:
        if not offset:
            return 0
        text = "only a trailing stop has a trailing offset"
    elif terms.trailing_unit != OFFSET_PRICE and terms.trailing_unit != OFFSET_BPS:
        text = "the trailing offset's unit is not 0 (PRICE) or 1 (BPS)"
    elif offset <= 0 or offset > ticket.instrument.price_bound:
        text = "a trailing stop needs an offset above 0"
    elif terms.trailing_unit == OFFSET_BPS and offset >= BPS_ONE:
        text = "a trailing offset must be below 10000 basis points"
    else:
        return 0
    return refuse(ticket, Reason.INVALID_TRAILING_OFFSET, 0, offset, text)


def rule_expiry(ticket: Ticket, expire_ts: int, now: int) -> int:
    """GTD has a time, in the future."""
    if not expire_ts:
        return refuse(ticket, Reason.EXPIRE_TIME_MISSING, 0, 0, "GTD needs an expire time")
    if expire_ts <= now:
        text = "the expire time {value} (ns) is not after now, {limit}"
        return refuse(ticket, Reason.EXPIRE_TIME_PAST, now, expire_ts, text)
    return 0


def rule_post_only(ticket: Ticket, tif: int) -> int:
    """Post-only means to rest: a limit price, no IOC or FOK, and a venue that offers it."""
    if ticket.is_market():
        text = "a market order cannot be post-only"
    elif tif == IOC or tif == FOK:
        text = "an immediate order cannot be post-only"
    elif not ticket.instrument.spec.post_only_supported:
        text = f"{ticket.instrument.venue} has no post-only orders for it"
    else:
        return 0
    return refuse(ticket, Reason.POST_ONLY_NOT_ALLOWED, 0, 0, text)


def rule_price_filters(ticket: Ticket, instrument: Instrument) -> int:
    """Limit and trigger price on the tick grid, the limit price within its bounds.

    A trigger that has fired, or that a trailing stop moved, is ours and need not be on the grid.
    """
    price = ticket.price
    if price % instrument.tick:
        text = "price {value} is not a multiple of the tick {limit}"
        return refuse(ticket, Reason.PRICE_TICK, instrument.tick, price, text)
    trigger = ticket.trigger_price
    if trigger % instrument.tick and not ticket.order_id:
        text = "trigger price {value} is not a multiple of the tick {limit}"
        return refuse(ticket, Reason.PRICE_TICK, instrument.tick, trigger, text)
    if 0 < price < instrument.price_min:
        text = "price {value} is below the instrument's minimum of {limit}"
        return refuse(ticket, Reason.PRICE_MIN, instrument.price_min, price, text)
    if 0 < instrument.price_max < price:
        text = "price {value} is above the instrument's maximum of {limit}"
        return refuse(ticket, Reason.PRICE_MAX, instrument.price_max, price, text)
    return 0


def rule_notional_min(ticket: Ticket, instrument: Instrument) -> int:
    """The order is worth the instrument's minimum, at its price (market: at the reference).

    Reduce-only orders of perpetuals are exempt, as on the venues: a rest must be closable. Without
    a reference nothing can be said; the market data rules refuse then.
    """
    if not instrument.is_spot and ticket.terms.reduce_only:
        return 0
    price = ticket.price or ticket.trigger_price or reference_twice(instrument) >> 1
    if not price:
        return 0
    notional = quote_value(instrument, price, ticket.quantity)
    if notional < instrument.notional_min:
        text = "notional {value} is below the instrument's minimum of {limit}"
        return refuse(ticket, Reason.NOTIONAL_MIN, instrument.notional_min, notional, text)
    return 0


def quote_value(instrument: Instrument, price: int, quantity: int) -> int:
    """Notional in the quote asset, rounded down; an inverse contract is worth its size in it."""
    if not instrument.is_inverse:
        return instrument.value(price, quantity)
    spec = instrument.spec
    exponent = spec.quote_scale - spec.quantity_scale - spec.contract_scale
    amount = quantity * spec.contract_size
    if exponent >= 0:
        return amount * int(10**exponent)
    return amount // int(10**-exponent)
