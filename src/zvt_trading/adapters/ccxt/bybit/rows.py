"""What Bybit writes of orders, executions, balances and positions, as views; pure.

Everything that is not as documented is `UnreadableError`: nothing is guessed.
"""

from typing import Final

from zvt_trading.adapters.ccxt.dialect import Caller
from zvt_trading.adapters.ccxt.fields import Row, UnknownSymbolError, UnreadableError, number, text
from zvt_trading.adapters.ccxt.views import (
    CANCELLED,
    FILLED,
    OPEN,
    REJECTED,
    BalanceView,
    FillView,
    FundingView,
    OrderView,
    PositionView,
    TransferView,
)

SPOT: Final = "spot"
LINEAR: Final = "linear"
_OPEN: Final = frozenset(
    {"Created", "New", "PartiallyFilled", "Untriggered", "Triggered", "Active", "PendingCancel"}
)
# PartiallyFilledCanceled: spot's word for a cancelled order that was filled in part. ccxt calls it
# closed, which reads as filled.
_CANCELLED: Final = frozenset({"Cancelled", "PartiallyFilledCanceled", "Deactivated"})
# Reasons of an end that came before any execution: the order was taken, then refused.
_REFUSED: Final = frozenset({"EC_PostOnlyWillTakeLiquidity", "EC_CancelForNoFullFill"})
_NO_REASONS: Final = frozenset({"", "EC_NoError", "UNKNOWN"})
# Executions that move a position; "Funding" is none, sessions of delivery are of no perpetual.
FILL_TYPES: Final = frozenset({"Trade", "AdlTrade", "BustTrade", "BlockTrade"})
FUNDING: Final = "Funding"
# Lines of the transaction log that fills and funding tell of already.
_TOLD_OTHERWISE: Final = frozenset({"TRADE", "SETTLEMENT", "LIQUIDATION", "ADL"})


def whole(row: Row, name: str) -> int:
    """A whole number, as a text or not: milliseconds, sequence numbers."""
    value = row.get(name)
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise UnreadableError(f"{name} is {value!r:.60}, not a whole number")


def is_zero(value: str) -> bool:
    """Of a plain decimal number."""
    return not value.strip("-0.")


def symbol_of(caller: Caller, name: str, category: str) -> str:
    """The unified symbol of e.g. "BTCUSDT", which is a spot pair and a perpetual."""
    found = caller.markets_by_id.get(name) or ()
    for market in [found] if isinstance(found, dict) else found:
        if market["spot"] if category == SPOT else market["linear"] and market["swap"]:
            return str(market["symbol"])
    raise UnknownSymbolError(f"{category} {name!r} is not among the markets")


def side_of(row: Row) -> str:
    """Either "buy" or "sell"."""
    value = text(row, "side")
    if value not in {"Buy", "Sell"}:
        raise UnreadableError(f"side is {value[:60]!r}, not Buy or Sell")
    return value.lower()


def order_view(caller: Caller, row: Row, category: str) -> OrderView:
    """An order of `/v5/order/realtime`, `/v5/order/history` or the stream."""
    filled = number(row, "cumExecQty")
    reason = _reason(row)
    return OrderView(
        order_id=text(row, "orderLinkId"),
        venue_order_id=text(row, "orderId"),
        symbol=symbol_of(caller, text(row, "symbol"), category),
        status=_status(text(row, "orderStatus"), reason, filled),
        price=number(row, "price") if row.get("price") else "",
        quantity="" if _is_by_quote(row, category) else number(row, "qty"),
        filled=filled,
        side=side_of(row),
        reason=reason,
        ts=whole(row, "updatedTime"),
    )


def fill_view(caller: Caller, row: Row, category: str) -> FillView:
    """An execution of `/v5/execution/list` or the stream."""
    symbol = symbol_of(caller, text(row, "symbol"), category)
    is_maker = row.get("isMaker")
    if not isinstance(is_maker, bool):
        raise UnreadableError(f"isMaker is {is_maker!r:.60}, not true or false")
    fee = number(row, "execFee")
    return FillView(
        order_id=text(row, "orderLinkId"),
        venue_order_id=text(row, "orderId"),
        symbol=symbol,
        trade_id=text(row, "execId"),
        side=side_of(row),
        price=number(row, "execPrice"),
        quantity=number(row, "execQty"),
        is_maker=is_maker,
        fee_asset=_fee_asset(caller, row, symbol, fee),
        fee=fee,
        ts=whole(row, "execTime"),
    )


def funding_view(caller: Caller, row: Row) -> FundingView:
    """An execution of type "Funding". Its fee and rate are from the side of the position.

    `rate` is the market's: longs pay it when it is positive.
    """
    symbol = symbol_of(caller, text(row, "symbol"), LINEAR)
    rate = number(row, "feeRate")
    if side_of(row) == "sell":
        rate = rate[1:] if rate.startswith("-") else f"-{rate}"
    return FundingView(
        id=text(row, "execId"),
        symbol=symbol,
        asset=str(caller.market(symbol)["settle"]),
        amount=number(row, "execFee"),
        rate=rate,
        ts=whole(row, "execTime"),
    )


def balance_views(row: Row) -> list[BalanceView]:
    """A unified wallet: every asset it names, also with a balance of zero."""
    coins = row.get("coin")
    if not isinstance(coins, list):
        raise UnreadableError("the wallet has no list of coins")
    return [BalanceView(text(coin, "coin"), number(coin, "walletBalance")) for coin in coins]


def position_view(caller: Caller, row: Row) -> PositionView:
    """A position of `/v5/position/list` or the stream, in one-way mode."""
    if row.get("positionIdx") != 0:
        raise UnreadableError(
            f"positionIdx is {row.get('positionIdx')!r:.60}: the account is in hedge mode, "
            "which is not supported; switch it to one-way mode"
        )
    symbol = symbol_of(caller, text(row, "symbol"), LINEAR)
    size = number(row, "size")
    entry = row.get("avgPrice", row.get("entryPrice"))
    if is_zero(size):
        return PositionView(symbol, "0")
    sign = "-" if side_of(row) == "sell" else ""
    return PositionView(symbol, sign + size, entry if isinstance(entry, str) else "")


def transfer_view(row: Row) -> TransferView | None:
    """A line of the transaction log; None when fills or funding tell of it already."""
    if text(row, "type") in _TOLD_OTHERWISE:
        return None
    return TransferView(
        text(row, "id"), text(row, "currency"), number(row, "change"), whole(row, "transactionTime")
    )


def _status(raw: str, reason: str, filled: str) -> str:
    if raw in _OPEN:
        return OPEN
    if raw == "Filled":
        return FILLED
    is_refused = raw == "Rejected" or reason in _REFUSED
    if is_refused and is_zero(filled):
        return REJECTED
    if raw in _CANCELLED or raw == "Rejected":
        return CANCELLED
    raise UnreadableError(f"orderStatus {raw[:60]!r} is not known")


def _reason(row: Row) -> str:
    for name in ("rejectReason", "cancelType"):
        value = row.get(name)
        if isinstance(value, str) and value not in _NO_REASONS:
            return value
    return ""


def _is_by_quote(row: Row, category: str) -> bool:
    """Whether `qty` is an amount of money: spot market buys unless they say "baseCoin"."""
    if category != SPOT or row.get("orderType") != "Market":
        return False
    unit = row.get("marketUnit")
    return unit == "quoteCoin" or (unit != "baseCoin" and row.get("side") == "Buy")


def _fee_asset(caller: Caller, row: Row, symbol: str, fee: str) -> str:
    """As Bybit names it, else by its rule: spot charges what comes in, a rebate is what goes out.

    https://bybit-exchange.github.io/docs/v5/enum#spot-fee-currency-instruction
    """
    named = row.get("feeCoin") or row.get("feeCurrency")
    if isinstance(named, str) and named:
        return named
    market = caller.market(symbol)
    if not market["spot"]:
        return str(market["settle"])
    is_base = (row.get("side") == "Buy") != fee.startswith("-")
    return str(market["base"] if is_base else market["quote"])
