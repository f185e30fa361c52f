"""How Bybit writes orders, executions, balances and positions.

Every number is a text, times are milliseconds; which keys are there tells readers the category
(ccxt takes `tpslMode` and `createType` for a derivative's), so spot has not got those.
"""

from typing import Any, Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import RATE_SCALE, div_half_even, format_scaled
from zvt_trading.emulator.bybit.symbols import LINEAR, SPOT, category_of, native
from zvt_trading.emulator.clock import NS_A_MS
from zvt_trading.emulator.orders import HouseOrder
from zvt_trading.messages.codes import ACCEPTED, FILLED, FOK, IOC, MAKER
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import Fill
from zvt_trading.sim.accounts import Seat

Row = dict[str, Any]

MONEY_DECIMALS: Final = 8
_NOTHING: Final = (int(Reason.IMMEDIATE_OR_CANCEL), int(Reason.VENUE_NO_LIQUIDITY))
_REJECTS: Final = {
    int(Reason.VENUE_POST_ONLY): "EC_PostOnlyWillTakeLiquidity",
    int(Reason.VENUE_FILL_OR_KILL): "EC_CancelForNoFullFill",
    int(Reason.USER): "EC_PerCancelRequest",
}
_CANCELS: Final = {
    int(Reason.USER): "CancelByUser",
    int(Reason.VENUE_REDUCE_ONLY): "CancelByReduceOnly",
    int(Reason.LIQUIDATION): "CancelAllBeforeLiq",
}


def ms(ts: int) -> str:
    """Nanoseconds as Bybit's milliseconds."""
    return str(ts // NS_A_MS)


def money(value: int) -> str:
    """Money on scale 8."""
    return format_scaled(value, MONEY_DECIMALS)


def side(*, is_buy: bool) -> str:
    """Either "Buy" or "Sell"."""
    return "Buy" if is_buy else "Sell"


def status(order: HouseOrder) -> str:
    """PartiallyFilledCanceled is for spot only; derivatives are just Cancelled."""
    if order.life == FILLED:
        return "Filled"
    if order.life == ACCEPTED:
        return "PartiallyFilled" if order.filled else "New"
    return "PartiallyFilledCanceled" if order.filled and order.instrument.is_spot else "Cancelled"


def tif(order: HouseOrder) -> str:
    """PostOnly is a time in force here; a market order is IOC."""
    if order.ask.post_only:
        return "PostOnly"
    if order.tif == FOK:
        return "FOK"
    return "IOC" if order.tif == IOC or not order.is_limit else "GTC"


def _reject_reason(order: HouseOrder) -> str:
    if order.life in {ACCEPTED, FILLED}:
        return "EC_NoError"
    if order.reason in _NOTHING:
        return "EC_NoImmediateQtyToFill"
    return _REJECTS.get(order.reason, "EC_Others")


def _cancel_type(order: HouseOrder) -> str:
    return "UNKNOWN" if order.life in {ACCEPTED, FILLED} else _CANCELS.get(order.reason, "UNKNOWN")


def order_row(order: HouseOrder) -> Row:
    """One order as `/v5/order/realtime` and `/v5/order/history` have it."""
    is_spot = order.instrument.is_spot
    is_by_quote = order.ask.quote_quantity > 0
    left = order.quantity - order.filled if order.is_open else 0
    row: Row = {
        "orderId": order.id,
        "orderLinkId": order.client_id,
        "blockTradeId": "",
        "symbol": native(order.instrument),
        "price": order.price_text() if order.is_limit else "0",
        "qty": money(order.ask.quote_quantity)
        if is_by_quote
        else order.quantity_text(order.quantity),
        "side": side(is_buy=order.is_buy),
        "isLeverage": "0" if is_spot else "",
        "positionIdx": 0,
        "orderStatus": status(order),
        "createType": "CreateByUser",
        "cancelType": _cancel_type(order),
        "rejectReason": _reject_reason(order),
        "avgPrice": order.average_price(order.instrument.price_scale) if order.filled else "",
        "leavesQty": order.quantity_text(left),
        "leavesValue": money(order.instrument.value(order.price, left)),
        "cumExecQty": order.quantity_text(order.filled),
        "cumExecValue": order.value_text(),
        "cumExecFee": money(sum(order.fees.values())),
        "cumFeeDetail": {asset: money(fee) for asset, fee in order.fees.items()},
        "timeInForce": tif(order),
        "orderType": "Limit" if order.is_limit else "Market",
        "stopOrderType": "",
        "orderIv": "",
        "marketUnit": _market_unit(order),
        "triggerPrice": "",
        "takeProfit": "",
        "stopLoss": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0,
        "triggerBy": "",
        "lastPriceOnCreated": "",
        "reduceOnly": order.ask.reduce_only,
        "closeOnTrigger": False,
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "placeType": "",
        "createdTime": ms(order.created_ts),
        "updatedTime": ms(order.updated_ts),
    }
    if not is_spot:
        row["tpslMode"] = ""
    return row


def _market_unit(order: HouseOrder) -> str:
    if order.is_limit or not order.instrument.is_spot:
        return ""
    return "quoteCoin" if order.ask.quote_quantity else "baseCoin"


def order_frame_row(order: HouseOrder) -> Row:
    """The same in the private stream."""
    instrument = order.instrument
    received = instrument.base if instrument.is_spot and order.is_buy else instrument.settle
    return order_row(order) | {"category": category_of(instrument), "feeCurrency": received}


class Execution:
    """A fill, or the settlement of funding; `seq` is its place among all of the exchange."""

    def __init__(self, seq: int, account: str, category: str, row: Row, ts: int) -> None:
        self.seq: Final = seq
        self.account: Final = account
        self.category: Final = category
        self.row: Final = row
        self.ts_ms: Final = ts // NS_A_MS


def fill_row(order: HouseOrder, fill: Fill, seq: int, mark: int) -> Row:
    """A fill as `/v5/execution/list` has it."""
    instrument = order.instrument
    rate = instrument.maker_fee if fill.liquidity == MAKER else instrument.taker_fee
    row: Row = {
        "symbol": native(instrument),
        "orderId": order.id,
        "orderLinkId": order.client_id,
        "side": side(is_buy=order.is_buy),
        "orderPrice": order.price_text(),
        "orderQty": order.quantity_text(order.quantity),
        "leavesQty": order.quantity_text(order.quantity - order.filled),
        "orderType": "Limit" if order.is_limit else "Market",
        "stopOrderType": "",
        "execFee": money(fill.fee),
        "execId": fill.trade_id,
        "execPrice": order.price_text(fill.price),
        "execQty": order.quantity_text(fill.quantity),
        "execType": "Trade",
        "execValue": format_scaled(
            instrument.value(fill.price, fill.quantity), instrument.settle_scale
        ),
        "execTime": ms(fill.ts),
        "feeCurrency": fill.fee_asset,
        "isMaker": fill.liquidity == MAKER,
        "feeRate": format_scaled(rate, RATE_SCALE),
        "tradeIv": "",
        "markIv": "",
        "markPrice": order.price_text(mark) if mark else "",
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": "",
        "seq": seq,
    }
    if not instrument.is_spot:
        row["createType"] = "CreateByUser"
    return row


def fill_frame_row(row: Row, category: str) -> Row:
    """The same in the private stream."""
    extra = {"category": category, "isLeverage": "0", "feeCoin": row["feeCurrency"]}
    return {key: value for key, value in row.items() if key != "feeCurrency"} | extra


def funding_row(
    instrument: Instrument, quantity: int, rate: int, amount: int, ts: int, mark: int, name: str
) -> Row:
    """A settlement of funding; the fee and its rate are from the side of the position."""
    size = format_scaled(abs(quantity), instrument.quantity_scale)
    price = format_scaled(mark, instrument.price_scale)
    return {
        "symbol": native(instrument),
        "orderId": name,
        "orderLinkId": "",
        "side": side(is_buy=quantity > 0),
        "orderPrice": "0",
        "orderQty": "0",
        "leavesQty": "0",
        "createType": "",
        "orderType": "UNKNOWN",
        "stopOrderType": "UNKNOWN",
        "execFee": money(amount),
        "execId": name,
        "execPrice": price,
        "execQty": size,
        "execType": "Funding",
        "execValue": money(instrument.value(mark, abs(quantity))),
        "execTime": ms(ts),
        "feeCurrency": "",
        "isMaker": False,
        "feeRate": format_scaled(rate if quantity > 0 else -rate, RATE_SCALE),
        "tradeIv": "",
        "markIv": "",
        "markPrice": price,
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": "0",
        "seq": ts // NS_A_MS,
    }


def position_row(seat: Seat, ts: int) -> Row:
    """A position as `/v5/position/list` has it; flat ones too."""
    instrument = seat.instrument
    held = abs(seat.quantity)
    value = format_scaled(seat.cost, instrument.settle_scale)
    entry = _entry_price(seat)
    return {
        "positionIdx": 0,
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": native(instrument),
        "side": side(is_buy=seat.quantity > 0) if held else "",
        "size": format_scaled(held, instrument.quantity_scale),
        "avgPrice": entry,
        "positionValue": value if held else "",
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 0,
        "leverage": str(seat.leverage),
        "positionBalance": money(seat.margin),
        "markPrice": format_scaled(instrument.mark, instrument.price_scale),
        "liqPrice": "",
        "bustPrice": "",
        "positionMM": money(seat.maintenance()),
        "positionIM": money(seat.margin),
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "unrealisedPnl": money(seat.unrealized()),
        "curRealisedPnl": "0",
        "cumRealisedPnl": "0",
        "seq": ts // NS_A_MS,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": ms(ts),
        "updatedTime": ms(ts),
    }


def position_frame_row(seat: Seat, ts: int) -> Row:
    """The same in the private stream, where the entry price has another name."""
    row = position_row(seat, ts)
    entry = row.pop("avgPrice")
    maintenance, margin = row["positionMM"], row["positionIM"]
    return row | {
        "category": LINEAR,
        "entryPrice": entry,
        "sessionAvgPrice": "",
        "positionIMByMp": margin,
        "positionMMByMp": maintenance,
    }


def _entry_price(seat: Seat) -> str:
    """Cost over size, to two decimals more than the price has."""
    if not seat.quantity:
        return "0"
    instrument = seat.instrument
    decimals = instrument.price_scale + 2
    scale = instrument.settle_scale - instrument.quantity_scale
    return format_scaled(
        div_half_even(seat.cost * 10**decimals, abs(seat.quantity) * 10**scale), decimals
    )


def instrument_row(instrument: Instrument) -> Row:
    """An instrument as `/v5/market/instruments-info` has it."""
    lot = format_scaled(instrument.lot, instrument.quantity_scale)
    tick = format_scaled(instrument.tick, instrument.price_scale)
    smallest = format_scaled(instrument.quantity_min, instrument.quantity_scale)
    largest = format_scaled(instrument.quantity_max, instrument.quantity_scale)
    amount = money(instrument.notional_min)
    row: Row = {
        "symbol": native(instrument),
        "status": "Trading",
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
    }
    if category_of(instrument) == SPOT:
        return row | {
            "innovation": "0",
            "marginTrading": "none",
            "lotSizeFilter": {
                "basePrecision": lot,
                "quotePrecision": money(1),
                "minOrderQty": smallest,
                "maxOrderQty": largest,
                "minOrderAmt": amount,
                "maxOrderAmt": "4000000",
            },
            "priceFilter": {"tickSize": tick},
        }
    return row | {
        "contractType": "LinearPerpetual",
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(instrument.price_scale),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": str(instrument.leverage_max),
            "leverageStep": "1",
        },
        "priceFilter": {"minPrice": tick, "maxPrice": "1999999.80", "tickSize": tick},
        "lotSizeFilter": {
            "maxOrderQty": largest,
            "minOrderQty": smallest,
            "qtyStep": lot,
            "postOnlyMaxOrderQty": largest,
            "maxMktOrderQty": largest,
            "minNotionalValue": amount,
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 5,
        "settleCoin": instrument.settle,
    }
