"""What OKX says of orders, fills, money and positions: every field, as text, as it sends them."""

from typing import Final

from zvt_trading.core.units import div_half_even
from zvt_trading.emulator.house import MONEY_SCALE, BalanceView
from zvt_trading.emulator.okx.names import Fields, Listing, long_id, ms, plain
from zvt_trading.emulator.okx.orders import OkxAsk
from zvt_trading.emulator.orders import HouseOrder
from zvt_trading.messages.codes import ACCEPTED, FILLED, FOK, IOC, ISOLATED, MAKER, SELL
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import Fill, FundingPaid
from zvt_trading.sim.accounts import Seat

AVERAGE_DECIMALS: Final = 12
_SOURCES: Final = {
    int(Reason.USER): ("1", "Order canceled by user."),
    int(Reason.LIQUIDATION): ("3", "Order canceled: forced liquidation."),
    int(Reason.VENUE_FILL_OR_KILL): ("13", "FOK order canceled: it cannot be filled completely."),
    int(Reason.IMMEDIATE_OR_CANCEL): ("14", "IOC order: the rest was canceled."),
    int(Reason.VENUE_POST_ONLY): ("31", "The post-only order would take liquidity."),
}
"""`cancelSource` and its reason; the system ("0") for what is not listed.

https://www.okx.com/docs-v5/en/#order-book-trading-trade-get-order-details
"""

_UNUSED: Final = (
    "algoClOrdId",
    "algoId",
    "attachAlgoClOrdId",
    "ccy",
    "pxType",
    "pxUsd",
    "pxVol",
    "quickMgnType",
    "slOrdPx",
    "slTriggerPx",
    "slTriggerPxType",
    "source",
    "stpId",
    "tpOrdPx",
    "tpTriggerPx",
    "tpTriggerPxType",
)
"""Fields of orders that we have nothing to say in."""


def side_text(side: int) -> str:
    """A side."""
    return "sell" if side == SELL else "buy"


def minus(amount: int, scale: int) -> str:
    """A fee as OKX shows it: negative when it was charged."""
    return plain(-amount, scale)


def order_fields(listing: Listing, order: HouseOrder) -> Fields:
    """An order, as in every list of orders."""
    ask = order.ask
    own = ask if isinstance(ask, OkxAsk) else None
    last = order.fills[-1] if order.fills else None
    source, reason = "", ""
    if state_of(order) == "canceled":
        source, reason = _SOURCES.get(order.reason, ("0", "Order canceled by system."))
    fee_asset, fee = _fees(listing, order)
    return {
        **dict.fromkeys(_UNUSED, ""),
        "accFillSz": listing.size(order.filled),
        "attachAlgoOrds": [],
        "avgPx": _average(order),
        "cTime": ms(order.created_ts),
        "cancelSource": source,
        "cancelSourceReason": reason,
        "category": "normal",
        "clOrdId": order.client_id,
        "fee": fee,
        "feeCcy": fee_asset,
        "fillPx": listing.price(last.price) if last else "",
        "fillSz": listing.size(last.quantity) if last else "0",
        "fillTime": ms(last.ts) if last else "",
        "instId": listing.id,
        "instType": listing.type,
        "isTpLimit": "false",
        "lever": "" if listing.is_spot else "1",
        "linkedAlgoOrd": {"algoId": ""},
        "ordId": long_id(order.id),
        "ordType": own.order_type if own else _order_type(order),
        "pnl": "0",
        "posSide": "net",
        "px": listing.price(order.price) if order.is_limit else "",
        "rebate": "0",
        "rebateCcy": listing.instrument.quote,
        "reduceOnly": "true" if ask.reduce_only else "false",
        "side": side_text(order.side),
        "state": state_of(order),
        "stpMode": "cancel_maker",
        "sz": own.size_text if own and ask.quote_quantity else listing.size(order.quantity),
        "tag": own.tag if own else "",
        "tdMode": own.mode if own else ("cash" if listing.is_spot else "cross"),
        "tgtCcy": own.size_unit if own else "",
        "tradeId": last.trade_id if last else "",
        "tradeQuoteCcy": listing.instrument.quote,
        "uTime": ms(order.updated_ts),
    }


def order_event(
    listing: Listing, order: HouseOrder, fill: Fill | None, request_id: str | None
) -> Fields:
    """An order as the `orders` channel pushes it; `request_id` when an amend was done."""
    fields = order_fields(listing, order)
    if fill is None:
        fields.update(fillPx="", fillSz="0", fillTime="", tradeId="")
    value = listing.instrument.value(fill.price, fill.quantity) if fill else 0
    return {
        **fields,
        "amendResult": "" if request_id is None else "0",
        "amendSource": "" if request_id is None else "1",
        "code": "0",
        "execType": exec_type(fill) if fill else "",
        "fillFee": minus(fill.fee, MONEY_SCALE) if fill else "0",
        "fillFeeCcy": fill.fee_asset if fill else "",
        "fillNotionalUsd": listing.money(value) if fill else "",
        "fillPnl": "0",
        "lastPx": fields["fillPx"],
        "msg": "",
        "notionalUsd": listing.money(listing.instrument.value(order.price, order.quantity)),
        "reqId": request_id or "",
    }


def state_of(order: HouseOrder) -> str:
    """OKX's state."""
    if order.life == FILLED:
        return "filled"
    if order.life != ACCEPTED:
        return "canceled"
    return "partially_filled" if order.filled else "live"


def exec_type(fill: Fill) -> str:
    """Taker or maker."""
    return "M" if fill.liquidity == MAKER else "T"


def fill_fields(listing: Listing, order: HouseOrder, fill: Fill, bill_id: str) -> Fields:
    """An execution, as in the lists of fills."""
    own = order.ask if isinstance(order.ask, OkxAsk) else None
    instrument = listing.instrument
    rate = instrument.maker_fee if fill.liquidity == MAKER else instrument.taker_fee
    return {
        "billId": bill_id,
        "clOrdId": order.client_id,
        "execType": exec_type(fill),
        "fee": minus(fill.fee, MONEY_SCALE),
        "feeCcy": fill.fee_asset,
        "feeRate": minus(rate, 8),
        "fillFwdPx": "",
        "fillIdxPx": "",
        "fillMarkPx": "",
        "fillMarkVol": "",
        "fillPnl": "0",
        "fillPx": listing.price(fill.price),
        "fillPxUsd": "",
        "fillPxVol": "",
        "fillSz": listing.size(fill.quantity),
        "fillTime": ms(fill.ts),
        "instId": listing.id,
        "instType": listing.type,
        "ordId": long_id(order.id),
        "posSide": "net",
        "side": side_text(order.side),
        "subType": "2" if order.side == SELL else "1",
        "tag": own.tag if own else "",
        "tradeId": fill.trade_id,
        "tradeQuoteCcy": instrument.quote,
        "ts": ms(fill.ts),
    }


def balance_fields(view: BalanceView, seats: list[Seat], ts: int) -> Fields:
    """One asset of the trading account; `seats` are the positions settled in it.

    `eq` counts what they would bring. The margin of isolated ones has left `cashBal` for `isoEq`.
    """
    alone = [seat for seat in seats if seat.margin_mode == ISOLATED]
    margin = sum(seat.margin for seat in alone)
    alone_upl = sum(seat.unrealized() for seat in alone)
    unrealized = sum(seat.unrealized() for seat in seats)
    free = plain(view.free, MONEY_SCALE)
    equity = plain(view.total + unrealized, MONEY_SCALE)
    locked = plain(view.locked, MONEY_SCALE)
    empty = (
        "accAvgPx", "clSpotInUseAmt", "crossLiab", "interest", "isoLiab", "liab", "maxLoan",
        "maxSpotInUseAmt", "mgnRatio", "openAvgPx", "spotBal", "spotInUseAmt", "spotUpl",
        "spotUplRatio", "totalPnl", "totalPnlRatio", "uplLiab", "borrowFroz",
    )  # fmt: skip
    zero = (
        "fixedBal", "imr", "mmr", "notionalLever", "rewardBal", "smtSyncEq",
        "spotCopyTradingEq", "spotIsoBal", "stgyEq", "twap", "colBorrAutoConversion",
    )  # fmt: skip
    return {
        **dict.fromkeys(empty, ""),
        **dict.fromkeys(zero, "0"),
        "availBal": free,
        "availEq": free,
        "cashBal": plain(view.total - margin, MONEY_SCALE),
        "ccy": view.asset,
        "coinUsdPrice": "1",
        "collateralEnabled": False,
        "collateralRestrict": False,
        "disEq": equity,
        "eq": equity,
        "eqUsd": equity,
        "frozenBal": locked,
        "isoEq": plain(margin + alone_upl, MONEY_SCALE),
        "isoUpl": plain(alone_upl, MONEY_SCALE),
        "ordFrozen": locked,
        "uTime": ms(ts),
        "upl": plain(unrealized, MONEY_SCALE),
    }


def account_fields(details: list[Fields], ts: int) -> Fields:
    """The trading account; sums in USD are not kept here."""
    empty = (
        "adjEq", "availEq", "borrowFroz", "imr", "mgnRatio", "mmr", "notionalUsd",
        "notionalUsdForBorrow", "notionalUsdForFutures", "notionalUsdForOption",
        "notionalUsdForSwap", "ordFroz", "upl",
    )  # fmt: skip
    return {
        **dict.fromkeys(empty, ""),
        "details": details,
        "isoEq": "0",
        "totalEq": "0",
        "uTime": ms(ts),
    }


def position_fields(listing: Listing, seat: Seat, ts: int) -> Fields:
    """A position in net mode: `pos` is signed, in contracts."""
    instrument = listing.instrument
    mark, last = listing.price(instrument.mark), listing.price(instrument.last)
    value = instrument.value(instrument.mark, abs(seat.quantity))
    empty = (
        "availPos", "baseBal", "baseBorrowed", "baseInterest", "bizRefId", "bizRefType",
        "interest", "liab", "liabCcy", "liqPx", "optVal", "pendingCloseOrdLiabVal", "posCcy",
        "quoteBal", "quoteBorrowed", "quoteInterest", "spotInUseAmt", "spotInUseCcy", "tradeId",
    )  # fmt: skip
    zero = ("adl", "fee", "fundingFee", "liqPenalty", "pnl", "realizedPnl", "uplRatio",
            "uplRatioLastPx")  # fmt: skip
    margin = listing.money(seat.margin)
    upl = listing.money(seat.unrealized())
    return {
        **dict.fromkeys(empty, ""),
        **dict.fromkeys(zero, "0"),
        "avgPx": _entry(seat),
        "bePx": _entry(seat),
        "cTime": ms(ts),
        "ccy": instrument.settle,
        "closeOrderAlgo": [],
        "idxPx": mark,
        "imr": margin,
        "instId": listing.id,
        "instType": listing.type,
        "last": last,
        "lever": str(seat.leverage),
        "margin": "",
        "markPx": mark,
        "mgnMode": "isolated" if seat.margin_mode == ISOLATED else "cross",
        "mgnRatio": "10",
        "mmr": listing.money(seat.maintenance()),
        "notionalUsd": listing.money(value),
        "pos": listing.size(seat.quantity),
        "posId": str(307_173_036_051_017_000 + listing.code),
        "posSide": "net",
        "uTime": ms(ts),
        "upl": upl,
        "uplLastPx": upl,
        "usdPx": "1",
    }


def bill_fields(bill_id: str, asset: str, amount: int, kinds: tuple[str, str], ts: int) -> Fields:
    """A movement of money; `kinds` are OKX's type and subType."""
    empty = (
        "clOrdId", "earnAmt", "earnApr", "execType", "fillFwdPx", "fillIdxPx", "fillMarkPx",
        "fillMarkVol", "fillPxUsd", "fillPxVol", "fillTime", "from", "instId", "instType",
        "interest", "mgnMode", "notes", "ordId", "px", "tag", "to", "tradeId",
    )  # fmt: skip
    return {
        **dict.fromkeys(empty, ""),
        "bal": "0",
        "balChg": plain(amount, MONEY_SCALE),
        "billId": bill_id,
        "ccy": asset,
        "fee": "0",
        "pnl": "0",
        "posBal": "0",
        "posBalChg": "0",
        "subType": kinds[1],
        "sz": plain(abs(amount), MONEY_SCALE),
        "ts": ms(ts),
        "type": kinds[0],
    }


def funding_bill(listing: Listing, bill_id: str, paid: FundingPaid) -> Fields:
    """Funding that was paid (subType 173) or received (174)."""
    kinds = ("8", "173" if paid.amount > 0 else "174")
    fields = bill_fields(bill_id, listing.instrument.settle, -paid.amount, kinds, paid.ts)
    named = {"instId": listing.id, "instType": listing.type, "mgnMode": "cross"}
    return {**fields, **named, "pnl": fields["balChg"]}


def _order_type(order: HouseOrder) -> str:
    """Of an order that did not come by this protocol."""
    if not order.is_limit:
        return "market"
    return {IOC: "ioc", FOK: "fok"}.get(order.tif, "limit")


def _average(order: HouseOrder) -> str:
    if not order.filled:
        return ""
    text = order.average_price(AVERAGE_DECIMALS)
    return text.rstrip("0").rstrip(".")


def _entry(seat: Seat) -> str:
    """Average entry price of a linear position; "" without one."""
    if not seat.quantity:
        return ""
    instrument = seat.instrument
    scale = instrument.settle_scale - instrument.quantity_scale
    top = seat.cost * 10**AVERAGE_DECIMALS
    return plain(div_half_even(top, abs(seat.quantity) * 10**scale), AVERAGE_DECIMALS)


def _fees(listing: Listing, order: HouseOrder) -> tuple[str, str]:
    """Asset and total, negative when charged; before a fill the asset that it will be."""
    for asset, fee in order.fees.items():
        return asset, minus(fee, MONEY_SCALE)
    instrument = listing.instrument
    is_in_base = listing.is_spot and order.is_buy
    return (instrument.base if is_in_base else instrument.settle), "0"
