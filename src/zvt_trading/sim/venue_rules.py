"""What a simulated venue refuses by its rules: pure checks, "" when there is nothing to say."""

from zvt_trading.core.instrument import Instrument
from zvt_trading.messages.codes import (
    BUY,
    GTD,
    LIMIT,
    MARKET,
    SELL,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRIGGER_LAST,
    TRIGGER_MARK,
)
from zvt_trading.sim.accounts import VenueOrder


def is_market_type(order_type: int) -> bool:
    """Whether it executes as a market order (when triggered, for a stop)."""
    return order_type in (MARKET, STOP, TAKE_PROFIT)


def shape_problem(order: VenueOrder, now: int) -> str:
    """What makes the order one the venue does not offer at all."""
    spec = order.seat.instrument.spec
    if order.side not in (BUY, SELL):
        return f"side {order.side} is neither BUY nor SELL"
    if order.type not in (MARKET, LIMIT):
        if order.type not in (STOP, STOP_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT):
            return f"order type {order.type} is not offered"
        if not spec.stops_held_by_venue:
            return "stop orders are not offered"
        if order.trigger_price <= 0:
            return "a stop needs a trigger price"
    if order.tif == GTD and order.expire_ts <= now:
        return f"expiry {order.expire_ts} is not after {now}"
    if order.post_only and not spec.post_only_supported:
        return "post-only is not offered"
    if order.post_only and order.type != LIMIT:
        return "post-only is for limit orders"
    return ""


def quantity_problem(instrument: Instrument, quantity: int) -> str:
    """Which quantity filter it breaks; all numbers on the quantity scale."""
    if quantity <= 0 or quantity % instrument.lot:
        return f"quantity {quantity} is not a positive multiple of the lot {instrument.lot}"
    if quantity < instrument.quantity_min:
        return f"quantity {quantity} is below the minimum {instrument.quantity_min}"
    if instrument.quantity_max and quantity > instrument.quantity_max:
        return f"quantity {quantity} is above the maximum {instrument.quantity_max}"
    return ""


def price_problem(instrument: Instrument, price: int) -> str:
    """Which price filter it breaks; all numbers on the price scale."""
    if price <= 0 or price % instrument.tick:
        return f"price {price} is not a positive multiple of the tick {instrument.tick}"
    if price < instrument.price_min:
        return f"price {price} is below the minimum {instrument.price_min}"
    if instrument.price_max and price > instrument.price_max:
        return f"price {price} is above the maximum {instrument.price_max}"
    return ""


def notional_problem(instrument: Instrument, price: int, quantity: int) -> str:
    """Whether the order is too small to be worth it; INVERSE contracts have no such filter."""
    if instrument.notional_min == 0 or instrument.is_inverse or price == 0:
        return ""
    notional = instrument.value(price, quantity)
    if notional < instrument.notional_min:
        return f"notional {notional} is below the minimum {instrument.notional_min}"
    return ""


def filter_problem(order: VenueOrder, touch: int) -> str:
    """Which filter of the instrument it breaks; `touch` prices a market order (0: no market)."""
    instrument = order.seat.instrument
    problem = quantity_problem(instrument, order.quantity)
    if problem:
        return problem
    price = touch
    if not is_market_type(order.type):
        price = order.price
        problem = price_problem(instrument, price)
    if not problem and order.trigger_price:
        problem = price_problem(instrument, order.trigger_price)
    return problem or notional_problem(instrument, price, order.quantity)


def is_triggered(order: VenueOrder, bid: int, ask: int) -> bool:
    """Whether a waiting stop's condition holds now (prices of 0 trigger nothing)."""
    instrument = order.seat.instrument
    if order.trigger_by == TRIGGER_LAST:
        price = instrument.last
    elif order.trigger_by == TRIGGER_MARK:
        price = instrument.mark
    else:
        price = ask if order.side == BUY else bid
    if price <= 0:
        return False
    rising = (order.side == BUY) == (order.type in (STOP, STOP_LIMIT))
    return price >= order.trigger_price if rising else price <= order.trigger_price
