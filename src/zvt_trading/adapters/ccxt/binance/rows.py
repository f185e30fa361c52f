"""What Binance writes of orders, fills, money and positions, as views; pure.

By REST ccxt hands ids on as texts, by stream they are ints. What is not as documented is
`UnreadableError`: nothing is guessed.
"""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from zvt_trading.adapters.ccxt.dialect import Caller
from zvt_trading.adapters.ccxt.fields import (
    PLAIN_NUMBER,
    Row,
    UnknownSymbolError,
    UnreadableError,
    number,
    text,
)
from zvt_trading.adapters.ccxt.views import (
    CANCELLED,
    EXPIRED,
    FILLED,
    OPEN,
    REJECTED,
    FillView,
    FundingView,
    OrderView,
    PositionView,
    TransferView,
)

_STATUS: Final = {
    "NEW": OPEN,
    "PENDING_NEW": OPEN,
    "PARTIALLY_FILLED": OPEN,
    "PENDING_CANCEL": OPEN,
    "NEW_INSURANCE": OPEN,  # futures: a liquidation under way
    "NEW_ADL": OPEN,
    "FILLED": FILLED,
    "CANCELED": CANCELLED,
    "EXPIRED": EXPIRED,
    "EXPIRED_IN_MATCH": EXPIRED,  # by self-trade prevention
    "REJECTED": REJECTED,
}
_DEPOSIT_DONE: Final = ("1", "6")  # 6: credited, cannot be withdrawn yet
_WITHDRAWAL_DONE: Final = "6"


def whole(row: Row, name: str) -> int:
    """An int: an id or a time."""
    value = row.get(name)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value):
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnreadableError(f"{name} is {value!r:.60}, not a whole number")
    return value


def flag(row: Row, name: str) -> bool:
    """True or false."""
    value = row.get(name)
    if not isinstance(value, bool):
        raise UnreadableError(f"{name} is {value!r:.60}, not true or false")
    return value


def rows(value: object) -> list[Row]:
    """A list of objects."""
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        raise UnreadableError(f"{value!r:.60} is not a list of objects")
    return value


def row_of(value: object) -> Row:
    """An object."""
    if not isinstance(value, Mapping):
        raise UnreadableError(f"{value!r:.60} is not an object")
    return value


def status_of(row: Row, name: str = "status") -> str:
    """Our word for an order's status."""
    value = text(row, name)
    if value not in _STATUS:
        raise UnreadableError(f"{name} is {value!r:.60}, not one of {', '.join(_STATUS)}")
    return _STATUS[value]


def side_of(row: Row, name: str = "side") -> str:
    """`buy` or `sell`."""
    value = text(row, name)
    if value not in {"BUY", "SELL"}:
        raise UnreadableError(f"{name} is {value!r:.60}, not BUY or SELL")
    return value.lower()


def symbol_of(caller: Caller, native: str, *, linear: bool) -> str:
    """The unified symbol: BTCUSDT is a spot symbol and a perpetual's."""
    for market in caller.markets_by_id.get(native, ()):
        if bool(market.get("linear")) == linear and (market.get("swap") or market.get("spot")):
            return str(market["symbol"])
    raise UnknownSymbolError(native)


def is_linear(caller: Caller, symbol: str) -> bool:
    """Whether a unified symbol is of USD-M."""
    return bool(caller.market(symbol).get("linear"))


# Answers by REST.


def order_view(row: Row, symbol: str) -> OrderView:
    """An order as asked for, or the answer to a new, cancelled or amended one."""
    times = [whole(row, name) for name in ("updateTime", "transactTime") if name in row]
    return OrderView(
        # Spot's answer to a cancel has a client id of its own.
        order_id=text(row, "origClientOrderId" if "origClientOrderId" in row else "clientOrderId"),
        venue_order_id=str(whole(row, "orderId")),
        symbol=symbol,
        status=status_of(row),
        price=number(row, "price"),
        quantity=number(row, "origQty"),
        filled=number(row, "executedQty"),
        side=side_of(row),
        ts=max(times, default=0),
    )


def first_fills(row: Row, view: OrderView) -> list[FillView]:
    """The fills in the answer to a new spot order; what fills at once has taken."""
    return [
        FillView(
            order_id=view.order_id,
            venue_order_id=view.venue_order_id,
            symbol=view.symbol,
            trade_id=str(whole(fill, "tradeId")),
            side=view.side,
            price=number(fill, "price"),
            quantity=number(fill, "qty"),
            is_maker=False,
            fee_asset=text(fill, "commissionAsset"),
            fee=number(fill, "commission"),
            ts=view.ts,
        )
        for fill in rows(row.get("fills", []))
    ]


def trade_view(row: Row, symbol: str, *, linear: bool) -> FillView:
    """One of myTrades (spot) or userTrades (futures); they do not tell client order ids."""
    is_buyer = flag(row, "buyer" if linear else "isBuyer")
    return FillView(
        order_id="",
        venue_order_id=str(whole(row, "orderId")),
        symbol=symbol,
        trade_id=str(whole(row, "id")),
        side="buy" if is_buyer else "sell",
        price=number(row, "price"),
        quantity=number(row, "qty"),
        is_maker=flag(row, "maker" if linear else "isMaker"),
        fee_asset=text(row, "commissionAsset"),
        fee=number(row, "commission"),
        ts=whole(row, "time"),
    )


def spot_totals(answer: Row) -> dict[str, Decimal]:
    """By asset: free and locked together."""
    return {
        text(row, "asset"): Decimal(number(row, "free")) + Decimal(number(row, "locked"))
        for row in rows(answer.get("balances"))
    }


def linear_totals(answer: Row) -> dict[str, Decimal]:
    """By asset: the wallet, without what open positions have gained or lost."""
    return {
        text(row, "asset"): Decimal(number(row, "walletBalance"))
        for row in rows(answer.get("assets"))
    }


def position_view(row: Row, symbol: str) -> PositionView:
    """One of positionRisk. UnreadableError in hedge mode, where a symbol has two positions."""
    if text(row, "positionSide") != "BOTH":
        raise UnreadableError(
            f"{symbol}: positionSide is {row['positionSide']!r}: set the account to one-way mode"
        )
    return PositionView(symbol, number(row, "positionAmt"), number(row, "entryPrice"))


def deposit_view(row: Row) -> TransferView | None:
    """None while it is on its way."""
    if str(whole(row, "status")) not in _DEPOSIT_DONE:
        return None
    return TransferView(
        f"deposit-{text(row, 'id')}",
        text(row, "coin"),
        number(row, "amount"),
        whole(row, "completeTime" if row.get("completeTime") else "insertTime"),
    )


def withdrawal_view(row: Row) -> TransferView | None:
    """None while it is not done; the fee leaves the account beside the amount."""
    if str(whole(row, "status")) != _WITHDRAWAL_DONE:
        return None
    left = Decimal(number(row, "amount")) + Decimal(number(row, "transactionFee"))
    when = text(row, "completeTime" if row.get("completeTime") else "applyTime")
    return TransferView(
        f"withdrawal-{text(row, 'id')}", text(row, "coin"), f"{-left:f}", utc_ms(when)
    )


def funding_view(row: Row, symbol: str) -> FundingView:
    """One of income; Binance writes what was paid below zero. It does not tell the rate."""
    paid = -Decimal(number(row, "income"))
    return FundingView(
        str(whole(row, "tranId")), symbol, text(row, "asset"), f"{paid:f}", "0", whole(row, "time")
    )


def levels(value: object) -> tuple[tuple[str, str], ...]:
    """Price and size of each level of a book."""
    if not isinstance(value, list):
        raise UnreadableError(f"{value!r:.60} is not a list of levels")
    return tuple(_level(level) for level in value)


def _level(value: object) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) < 2:
        raise UnreadableError(f"{value!r:.60} is not a level of a book")
    price, size = value[0], value[1]
    if not isinstance(price, str) or not isinstance(size, str):
        raise UnreadableError(f"{value!r:.60}: price and size are not texts")
    if not PLAIN_NUMBER.fullmatch(price) or not PLAIN_NUMBER.fullmatch(size):
        raise UnreadableError(f"{value!r:.60}: price and size are not plain numbers")
    return price, size


def utc_ms(when: str) -> int:
    """A time like "2019-10-12 11:12:02", which is UTC, in milliseconds."""
    try:
        moment = dt.datetime.strptime(when, "%Y-%m-%d %H:%M:%S").replace(tzinfo=dt.UTC)
    except ValueError:
        raise UnreadableError(f"{when!r:.60} is not a time like 2019-10-12 11:12:02") from None
    return int((moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).total_seconds()) * 1000
