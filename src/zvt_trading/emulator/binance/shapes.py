"""Orders and fills as JSON, with the fields, names and types of the real answers."""

from typing import Any, Final

from zvt_trading.emulator.binance.numbers import (
    EIGHT,
    fixed,
    money,
    ms,
    native,
    price_text,
    quantity_text,
    value_text,
)
from zvt_trading.emulator.orders import Change, HouseOrder
from zvt_trading.messages.codes import (
    ACCEPTED,
    CANCELLED,
    EXPIRED,
    FILLED,
    FOK,
    GTC,
    GTD,
    IOC,
    MAKER,
    MARKET,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import Fill

Shape = dict[str, Any]

TIFS: Final = {GTC: "GTC", IOC: "IOC", FOK: "FOK", GTD: "GTD"}
_ZERO: Final = "0.00000000"
# What ends by its own terms is EXPIRED at Binance, CANCELED only what somebody took back.
_EXPIRED_REASONS: Final = (
    Reason.IMMEDIATE_OR_CANCEL,
    Reason.VENUE_NO_LIQUIDITY,
    Reason.VENUE_FILL_OR_KILL,
    Reason.VENUE_REDUCE_ONLY,
)


def status(order: HouseOrder, life: int, filled: int) -> str:
    """Of an order when it had this life and this much filled."""
    if life == FILLED:
        return "FILLED"
    if life == EXPIRED or (life == CANCELLED and order.reason in _EXPIRED_REASONS):
        return "EXPIRED"
    if life == CANCELLED:
        return "CANCELED"
    return "PARTIALLY_FILLED" if filled else "NEW"


def order_type(order: HouseOrder) -> str:
    """LIMIT, MARKET or, post-only on spot, LIMIT_MAKER."""
    if order.type == MARKET:
        return "MARKET"
    return "LIMIT_MAKER" if order.ask.post_only and order.instrument.is_spot else "LIMIT"


def time_in_force(order: HouseOrder) -> str:
    """Futures call post-only a time in force."""
    if order.ask.post_only and not order.instrument.is_spot:
        return "GTX"
    return TIFS[order.tif]


def side(order: HouseOrder) -> str:
    """BUY or SELL."""
    return "BUY" if order.is_buy else "SELL"


def fee_of(fill: Fill) -> str:
    """What was charged."""
    return money(fill.fee)


# Spot.


def _spot_core(order: HouseOrder) -> Shape:
    quote = order.ask.quote_quantity
    return {
        "price": price_text(order.instrument, order.price),
        "origQty": quantity_text(order.instrument, order.quantity),
        "executedQty": quantity_text(order.instrument, order.filled),
        "origQuoteOrderQty": money(quote),
        "cummulativeQuoteQty": value_text(order.instrument, order.value),
        "status": status(order, order.life, order.filled),
        "timeInForce": time_in_force(order),
        "type": order_type(order),
        "side": side(order),
    }


def spot_new(order: HouseOrder, detail: str) -> Shape:
    """The answer to a new order: ACK, RESULT or FULL."""
    shape: Shape = {
        "symbol": native(order.instrument.symbol),
        "orderId": int(order.id),
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "transactTime": ms(order.updated_ts),
    }
    if detail == "ACK":
        return shape
    shape |= _spot_core(order)
    shape["workingTime"] = ms(order.created_ts)
    shape["selfTradePreventionMode"] = "NONE"
    if detail == "FULL":
        shape["fills"] = [
            {
                "price": price_text(order.instrument, fill.price),
                "qty": quantity_text(order.instrument, fill.quantity),
                "commission": fee_of(fill),
                "commissionAsset": fill.fee_asset,
                "tradeId": int(fill.trade_id),
            }
            for fill in order.fills
        ]
    return shape


def spot_order(order: HouseOrder) -> Shape:
    """An order that was asked for."""
    return {
        "symbol": native(order.instrument.symbol),
        "orderId": int(order.id),
        "orderListId": -1,
        "clientOrderId": order.client_id,
        **_spot_core(order),
        "stopPrice": _ZERO,
        "icebergQty": _ZERO,
        "time": ms(order.created_ts),
        "updateTime": ms(order.updated_ts),
        "isWorking": True,
        "workingTime": ms(order.created_ts),
        "selfTradePreventionMode": "NONE",
    }


def spot_cancelled(order: HouseOrder, cancel_id: str) -> Shape:
    """The answer to a cancel; `cancel_id` is the client id of the cancel itself."""
    return {
        "symbol": native(order.instrument.symbol),
        "origClientOrderId": order.client_id,
        "orderId": int(order.id),
        "orderListId": -1,
        "clientOrderId": cancel_id,
        "transactTime": ms(order.updated_ts),
        **_spot_core(order),
        "selfTradePreventionMode": "NONE",
    }


def spot_trade(order: HouseOrder, fill: Fill) -> Shape:
    """One of myTrades."""
    instrument = order.instrument
    return {
        "symbol": native(instrument.symbol),
        "id": int(fill.trade_id),
        "orderId": int(order.id),
        "orderListId": -1,
        "price": price_text(instrument, fill.price),
        "qty": quantity_text(instrument, fill.quantity),
        "quoteQty": value_text(instrument, instrument.value(fill.price, fill.quantity)),
        "commission": fee_of(fill),
        "commissionAsset": fill.fee_asset,
        "time": ms(fill.ts),
        "isBuyer": order.is_buy,
        "isMaker": fill.liquidity == MAKER,
        "isBestMatch": True,
    }


def execution_report(change: Change, kind: str, client_id: str, original_id: str) -> Shape:
    """A spot order event; `kind` is NEW, TRADE, CANCELED, EXPIRED or REPLACED."""
    order, fill = change.order, change.fill
    instrument = order.instrument
    last_value = instrument.value(fill.price, fill.quantity) if fill is not None else 0
    working = change.life == ACCEPTED
    return {
        "e": "executionReport",
        "E": ms(change.ts),
        "s": native(instrument.symbol),
        "c": client_id,
        "S": side(order),
        "o": order_type(order),
        "f": time_in_force(order),
        "q": quantity_text(instrument, order.quantity),
        "p": price_text(instrument, order.price),
        "P": _ZERO,
        "F": _ZERO,
        "g": -1,
        "C": original_id,
        "x": kind,
        "X": status(order, change.life, change.filled),
        "r": "NONE",
        "i": int(order.id),
        "l": quantity_text(instrument, fill.quantity if fill is not None else 0),
        "z": quantity_text(instrument, change.filled),
        "L": price_text(instrument, fill.price if fill is not None else 0),
        "n": fee_of(fill) if fill is not None else "0",
        "N": fill.fee_asset if fill is not None else None,
        "T": ms(change.ts),
        "t": int(fill.trade_id) if fill is not None else -1,
        "I": change.seq,
        "w": working,
        "m": fill is not None and fill.liquidity == MAKER,
        "M": fill is not None,
        "O": ms(order.created_ts),
        "Z": value_text(instrument, change.value),
        "Y": value_text(instrument, last_value),
        "Q": money(order.ask.quote_quantity),
        "W": ms(order.created_ts),
        "V": "NONE",
    }


# Futures.


def linear_order(order: HouseOrder, *, is_answer: bool = False) -> Shape:
    """A futures order; answers to place, cancel and amend have no `time`."""
    instrument = order.instrument
    shape: Shape = {
        "orderId": int(order.id),
        "symbol": native(instrument.symbol),
        "status": status(order, order.life, order.filled),
        "clientOrderId": order.client_id,
        "price": price_text(instrument, order.price),
        "avgPrice": order.average_price(5),
        "origQty": quantity_text(instrument, order.quantity),
        "executedQty": quantity_text(instrument, order.filled),
        "cumQuote": value_text(instrument, order.value),
        "timeInForce": time_in_force(order),
        "type": order_type(order),
        "reduceOnly": order.ask.reduce_only,
        "closePosition": False,
        "side": side(order),
        "positionSide": "BOTH",
        "stopPrice": price_text(instrument, 0),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": order_type(order),
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": ms(order.ask.expire_ts),
    }
    if is_answer:
        shape["cumQty"] = quantity_text(instrument, order.filled)
    else:
        shape["time"] = ms(order.created_ts)
    shape["updateTime"] = ms(order.updated_ts)
    return shape


def linear_trade(order: HouseOrder, fill: Fill) -> Shape:
    """One of userTrades."""
    instrument = order.instrument
    return {
        "buyer": order.is_buy,
        "commission": fee_of(fill),
        "commissionAsset": fill.fee_asset,
        "id": int(fill.trade_id),
        "maker": fill.liquidity == MAKER,
        "orderId": int(order.id),
        "price": price_text(instrument, fill.price),
        "qty": quantity_text(instrument, fill.quantity),
        "quoteQty": value_text(instrument, instrument.value(fill.price, fill.quantity)),
        "realizedPnl": "0",
        "side": side(order),
        "positionSide": "BOTH",
        "symbol": native(instrument.symbol),
        "time": ms(fill.ts),
    }


def order_trade_update(change: Change, kind: str) -> Shape:
    """A futures order event; `kind` is NEW, TRADE, CANCELED, EXPIRED or AMENDMENT."""
    order, fill = change.order, change.fill
    instrument = order.instrument
    shape: Shape = {
        "s": native(instrument.symbol),
        "c": order.client_id,
        "S": side(order),
        "o": order_type(order),
        "f": time_in_force(order),
        "q": quantity_text(instrument, order.quantity),
        "p": price_text(instrument, order.price),
        "ap": order.average_price(5),
        "sp": "0",
        "x": kind,
        "X": status(order, change.life, change.filled),
        "i": int(order.id),
        "l": quantity_text(instrument, fill.quantity) if fill is not None else "0",
        "z": quantity_text(instrument, change.filled),
        "L": price_text(instrument, fill.price) if fill is not None else "0",
        "N": fill.fee_asset if fill is not None else instrument.settle,
        "n": fee_of(fill) if fill is not None else "0",
        "T": ms(change.ts),
        "t": int(fill.trade_id) if fill is not None else 0,
        "b": "0",
        "a": "0",
        "m": fill is not None and fill.liquidity == MAKER,
        "R": order.ask.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": order_type(order),
        "ps": "BOTH",
        "cp": False,
        "AP": "0",
        "cr": "0",
        "pP": False,
        "si": 0,
        "ss": 0,
        "rp": "0",
        "V": "NONE",
        "pm": "NONE",
        "gtd": ms(order.ask.expire_ts),
    }
    return {"e": "ORDER_TRADE_UPDATE", "T": ms(change.ts), "E": ms(change.ts), "o": shape}


def entry_price(cost: int, quantity: int, scales: tuple[int, int]) -> str:
    """Average price of a position: cost on the first scale by quantity on the second."""
    if not quantity:
        return "0.0"
    settle_scale, quantity_scale = scales
    return fixed(
        cost * 10 ** (EIGHT + quantity_scale) // abs(quantity), settle_scale + EIGHT, EIGHT
    )
