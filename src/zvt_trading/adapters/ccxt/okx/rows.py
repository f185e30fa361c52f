"""OKX's rows of orders, fills, bills and positions as views. Pure; KeyError for a row cut short."""

from typing import Final

from zvt_trading.adapters.ccxt.okx.names import Market, Row, in_base, negated, number, plus
from zvt_trading.adapters.ccxt.okx.profile import (
    CANCEL_SOURCE,
    FILL_OR_KILL_SOURCE,
    POST_ONLY_SOURCE,
)
from zvt_trading.adapters.ccxt.views import (
    CANCELLED,
    FILLED,
    OPEN,
    REJECTED,
    AmendView,
    BalanceView,
    FillView,
    FundingView,
    OrderView,
    PositionView,
    TransferView,
)

_STATES: Final = {
    "live": OPEN,
    "partially_filled": OPEN,
    "filled": FILLED,
    "canceled": CANCELLED,
    "mmp_canceled": CANCELLED,
}
_REFUSED: Final = frozenset({POST_ONLY_SOURCE, FILL_OR_KILL_SOURCE})


def order_view(row: Row, market: Market) -> OrderView:
    """An order. One that OKX took only to cancel it for its own terms is REJECTED."""
    status = _STATES[row["state"]]
    reason = ""
    if status == CANCELLED:
        reason = CANCEL_SOURCE + (row.get("cancelSource") or "0")
        if reason in _REFUSED and row["accFillSz"] == "0":
            status = REJECTED
    return OrderView(
        order_id=row["clOrdId"],
        venue_order_id=row["ordId"],
        symbol=market["symbol"],
        status=status,
        price=row.get("px") or "",
        quantity=_quantity(row, market),
        filled=in_base(row["accFillSz"], market),
        side=row["side"],
        reason=reason,
        ts=number(row, "uTime"),
    )


def fill_view(row: Row, market: Market) -> FillView:
    """A row of /trade/fills or /trade/fills-history."""
    return FillView(
        order_id=row.get("clOrdId") or "",
        venue_order_id=row["ordId"],
        symbol=market["symbol"],
        trade_id=row["tradeId"],
        side=row["side"],
        price=row["fillPx"],
        quantity=in_base(row["fillSz"], market),
        is_maker=row["execType"] == "M",
        fee_asset=row["feeCcy"],
        fee=negated(row["fee"]) if row["fee"] else "0",
        ts=number(row, "fillTime") or number(row, "ts"),
    )


def pushed_fill(row: Row, market: Market) -> FillView | None:
    """The execution that an order event tells of; None when it does not say its fee."""
    if not row.get("fillFee") or not row.get("fillFeeCcy"):
        return None
    fields = {**row, "fee": row["fillFee"], "feeCcy": row["fillFeeCcy"]}
    return fill_view(fields, market)


def amend_view(row: Row, market: Market) -> AmendView:
    """The terms that an order has now."""
    return AmendView(
        order_id=row["clOrdId"],
        venue_order_id=row["ordId"],
        symbol=market["symbol"],
        price=row["px"],
        quantity=in_base(row["sz"], market),
        ts=number(row, "uTime"),
    )


def position_view(row: Row, market: Market) -> PositionView:
    """A position; `pos` is signed in net mode, and by `posSide` in long/short mode."""
    contracts = row["pos"] or "0"
    if row.get("posSide") == "short" and not contracts.startswith("-"):
        contracts = negated(contracts)
    return PositionView(market["symbol"], in_base(contracts, market), row.get("avgPx") or "")


def balance_view(row: Row, asset: str) -> BalanceView:
    """Cash and the margin of isolated positions, which OKX takes out of it.

    Not `eq` (that ccxt shows as the total): it counts what open positions would bring.
    """
    margin = plus(row.get("isoEq") or "0", negated(row.get("isoUpl") or "0"))
    return BalanceView(asset, plus(row["cashBal"], margin))


def transfer_view(row: Row, asset: str) -> TransferView:
    """A bill of type 1: money moved into or out of the trading account."""
    return TransferView(row["billId"], asset, row["balChg"], number(row, "ts"))


def funding_view(row: Row, market: Market, asset: str, rate: str) -> FundingView:
    """A bill of type 8; of an isolated position it changes the position's own balance."""
    change = row["balChg"]
    if change in {"", "0"}:
        change = row.get("posBalChg") or "0"
    return FundingView(
        row["billId"], market["symbol"], asset, negated(change), rate, number(row, "ts")
    )


def _quantity(row: Row, market: Market) -> str:
    """The order's size in base; "" for a market buy that is for an amount of quote."""
    return "" if row.get("tgtCcy") == "quote_ccy" else in_base(row["sz"], market)
