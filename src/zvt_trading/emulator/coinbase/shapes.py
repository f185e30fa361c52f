"""What Coinbase shows of orders and fills: exact keys, numbers as texts."""

from typing import Any, Final

from zvt_trading.core.units import format_scaled
from zvt_trading.emulator.coinbase.market import price_text, side_name, size_text
from zvt_trading.emulator.coinbase.names import (
    PORTFOLIO,
    USER,
    iso,
    order_uuid,
    owned_uuid,
    plain,
    product_of,
)
from zvt_trading.emulator.house import MONEY_SCALE
from zvt_trading.emulator.orders import HouseOrder
from zvt_trading.messages.codes import (
    ACCEPTED,
    CANCELLED,
    EXPIRED,
    FILLED,
    FOK,
    GTD,
    IOC,
    MAKER,
    MARKET,
)
from zvt_trading.messages.reports import Fill

Shape = dict[str, Any]

STATUSES: Final = {
    ACCEPTED: "OPEN",
    FILLED: "FILLED",
    CANCELLED: "CANCELLED",
    EXPIRED: "EXPIRED",
}
TIMES_IN_FORCE: Final = {
    IOC: "IMMEDIATE_OR_CANCEL",
    FOK: "FILL_OR_KILL",
    GTD: "GOOD_UNTIL_DATE_TIME",
}
NO_TIME: Final = "0001-01-01T00:00:00Z"


def configuration(order: HouseOrder) -> Shape:
    """How it was asked for, with the price and size it has now."""
    ask = order.ask
    if order.type == MARKET:
        if ask.quote_quantity:
            spent = format_scaled(ask.quote_quantity, order.instrument.settle_scale)
            return {"market_market_ioc": {"quote_size": plain(spent)}}
        return {"market_market_ioc": {"base_size": plain(order.quantity_text(order.quantity))}}
    limit: Shape = {
        "base_size": plain(order.quantity_text(order.quantity)),
        "limit_price": order.price_text(),
    }
    if order.tif == IOC:
        return {"sor_limit_ioc": limit}
    if order.tif == FOK:
        return {"limit_limit_fok": limit}
    if order.tif == GTD:
        limit["end_time"] = iso(ask.expire_ts)
    limit["post_only"] = ask.post_only
    return {"limit_limit_gtd" if order.tif == GTD else "limit_limit_gtc": limit}


def fees(order: HouseOrder) -> int:
    """Paid so far, in the quote asset, scale 8."""
    return order.fees.get(order.instrument.quote, 0)


def after_fees(order: HouseOrder) -> str:
    """What was paid or received in all."""
    value = order.value * 10 ** (MONEY_SCALE - order.instrument.settle_scale)
    return plain(format_scaled(value + order.side * fees(order), MONEY_SCALE))


def average_price(order: HouseOrder) -> str:
    """Of the fills, to 16 decimals."""
    return plain(order.average_price(16))


def leaves(order: HouseOrder) -> int:
    """What may still be filled: nothing once it is over."""
    return order.quantity - order.filled if order.is_open else 0


def held(order: HouseOrder) -> str:
    """The money or coins that the rest of it keeps."""
    rest = leaves(order)
    if not order.is_buy:
        return plain(order.quantity_text(rest))
    value = order.instrument.value(order.price, rest)
    return plain(format_scaled(value, order.instrument.settle_scale))


def time_in_force(order: HouseOrder) -> str:
    """A market order is immediate-or-cancel."""
    name = "IMMEDIATE_OR_CANCEL" if order.type == MARKET else "GOOD_UNTIL_CANCELLED"
    return TIMES_IN_FORCE.get(order.tif, name)


def rest_order(order: HouseOrder) -> Shape:
    """One order as queries show it."""
    filled = plain(order.quantity_text(order.filled))
    return {
        "order_id": order_uuid(order.id),
        "product_id": product_of(order.instrument.symbol),
        "user_id": owned_uuid(order.account, USER),
        "order_configuration": configuration(order),
        "side": side_name(order.side),
        "client_order_id": order.client_id,
        "status": STATUSES[order.life],
        "time_in_force": time_in_force(order),
        "created_time": iso(order.created_ts),
        "completion_percentage": str(100 * order.filled // order.quantity),
        "filled_size": filled,
        "average_filled_price": average_price(order),
        "fee": "",
        "number_of_fills": str(len(order.fills)),
        "filled_value": plain(order.value_text()),
        "pending_cancel": False,
        "size_in_quote": bool(order.ask.quote_quantity),
        "total_fees": plain(format_scaled(fees(order), MONEY_SCALE)),
        "size_inclusive_of_fees": False,
        "total_value_after_fees": after_fees(order),
        "trigger_status": "INVALID_ORDER_TYPE",
        "order_type": "MARKET" if order.type == MARKET else "LIMIT",
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": order.life == FILLED,
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": "User requested cancel" if order.life == CANCELLED else "",
        "order_placement_source": "RETAIL_ADVANCED",
        "outstanding_hold_amount": held(order),
        "is_liquidation": False,
        "last_fill_time": iso(order.fills[-1].ts) if order.fills else None,
        "leverage": "",
        "margin_type": "",
        "retail_portfolio_id": owned_uuid(order.account, PORTFOLIO),
        "originating_order_id": "",
        "attached_order_id": "",
    }


def stream_order(order: HouseOrder) -> Shape:
    """One order as the `user` channel shows it: no fills, no size but filled and to be filled."""
    return {
        "avg_price": average_price(order),
        "cancel_reason": "User requested cancel" if order.life == CANCELLED else "",
        "client_order_id": order.client_id,
        "completion_percentage": str(100 * order.filled // order.quantity),
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
        "creation_time": iso(order.created_ts),
        "cumulative_quantity": plain(order.quantity_text(order.filled)),
        "end_time": iso(order.ask.expire_ts) if order.ask.expire_ts else NO_TIME,
        "filled_value": plain(order.value_text()),
        "leaves_quantity": plain(order.quantity_text(leaves(order))),
        "limit_price": "" if order.type == MARKET else order.price_text(),
        "number_of_fills": str(len(order.fills)),
        "order_id": order_uuid(order.id),
        "order_side": side_name(order.side),
        "order_type": "Market" if order.type == MARKET else "Limit",
        "outstanding_hold_amount": held(order),
        "post_only": "true" if order.ask.post_only else "false",
        "product_id": product_of(order.instrument.symbol),
        "product_type": "SPOT",
        "reject_reason": "",
        "retail_portfolio_id": owned_uuid(order.account, PORTFOLIO),
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
        "start_time": NO_TIME,
        "status": STATUSES[order.life],
        "stop_price": "",
        "time_in_force": time_in_force(order),
        "total_fees": plain(format_scaled(fees(order), MONEY_SCALE)),
        "total_value_after_fees": after_fees(order),
        "trigger_status": "INVALID_ORDER_TYPE",
    }


def fill_shape(order: HouseOrder, fill: Fill) -> Shape:
    """One fill; of an order for an amount of money its size is money too."""
    instrument = order.instrument
    in_quote = bool(order.ask.quote_quantity)
    size = size_text(instrument, fill.quantity)
    if in_quote:
        value = instrument.value(fill.price, fill.quantity)
        size = format_scaled(value, instrument.settle_scale)
    return {
        "entry_id": owned_uuid(order.id, f"fill {fill.trade_id}"),
        "trade_id": fill.trade_id,
        "order_id": order_uuid(order.id),
        "trade_time": iso(fill.ts),
        "trade_type": "FILL",
        "price": plain(price_text(instrument, fill.price)),
        "size": plain(size),
        "commission": plain(format_scaled(fill.fee, MONEY_SCALE)),
        "product_id": product_of(instrument.symbol),
        "sequence_timestamp": iso(fill.ts),
        "liquidity_indicator": "MAKER" if fill.liquidity == MAKER else "TAKER",
        "size_in_quote": in_quote,
        "user_id": owned_uuid(order.account, USER),
        "side": side_name(order.side),
        "retail_portfolio_id": owned_uuid(order.account, PORTFOLIO),
    }
