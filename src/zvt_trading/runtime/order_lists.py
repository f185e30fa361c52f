"""Linked orders as a user writes them: one-cancels-the-other, and a bracket round an entry."""

from zvt_trading.core.state import State
from zvt_trading.errors import CallerError
from zvt_trading.messages.codes import BRACKET, BUY, LIMIT, MARKET, OCO, STOP
from zvt_trading.messages.commands import SubmitOrder, SubmitOrderList
from zvt_trading.runtime.codes import ORDER_TYPES, side_of
from zvt_trading.runtime.requests import to_command
from zvt_trading.types import Number, OrderRequest, OrderSide, OrderType


def to_oco(state: State, profit: OrderRequest, stop: OrderRequest) -> SubmitOrderList:
    """Two exits of one position, of which one ends the other.

    Raises CallerError when they differ in what they are about, name no exchange, or are not a
    limit (or stop) and a stop.
    """
    orders = to_command(state, profit), to_command(state, stop)
    _check_same(orders, "side")
    if orders[0].type == MARKET or orders[1].type < STOP:
        raise CallerError(
            "an OCO is a limit or take-profit order and a stop, in this order; "
            f"given were {_name(orders[0])} and {_name(orders[1])}"
        )
    return SubmitOrderList(OCO, orders)


def to_bracket(
    state: State,
    entry: OrderRequest,
    take_profit: Number,
    stop_loss: Number,
    stop_limit: Number | None,
) -> SubmitOrderList:
    """An entry with its two exits: a limit at `take_profit`, a stop at `stop_loss`.

    The stop is a market order when it fires, or a limit order at `stop_limit`. Raises CallerError
    when profit and loss are on the wrong sides, of each other or of a limit entry.
    """
    first = to_command(state, entry)
    if first.type not in (MARKET, LIMIT):
        raise CallerError(f"a bracket's entry is a market or limit order, not {_name(first)}")
    opposite = OrderSide.SELL if first.side == BUY else OrderSide.BUY
    target = _exit(entry, opposite, OrderType.LIMIT, take_profit, None)
    stop_type = OrderType.STOP if stop_limit is None else OrderType.STOP_LIMIT
    guard = _exit(entry, opposite, stop_type, stop_limit, stop_loss)
    orders = first, to_command(state, target), to_command(state, guard)
    _check_same(orders, "")
    low, high = orders[2].trigger_price, orders[1].price
    middle = first.price
    if first.side != BUY:
        low, high = high, low
    if low >= high or (middle and not low < middle < high):
        rising = "stop_loss < price < take_profit"
        falling = "take_profit < price < stop_loss"
        order = rising if first.side == BUY else falling
        raise CallerError(f"a bracket round a {side_of(first.side).value} needs {order}")
    return SubmitOrderList(BRACKET, orders)


def _exit(
    entry: OrderRequest,
    side: OrderSide,
    order_type: OrderType,
    price: Number | None,
    trigger_price: Number | None,
) -> OrderRequest:
    return OrderRequest(
        symbol=entry.symbol,
        side=side,
        quantity=entry.quantity,
        order_type=order_type,
        price=price,
        trigger_price=trigger_price,
        exchange=entry.exchange,
        portfolio_id=entry.portfolio_id,
        strategy_id=entry.strategy_id,
    )


def _check_same(orders: tuple[SubmitOrder, ...], also: str) -> None:
    """CallerError unless the orders can be linked."""
    first = orders[0]
    if first.instrument[:1] == ":":
        raise CallerError("linked orders need an exchange: all of them live on one")
    for field in ("instrument", "portfolio", "quantity", also):
        for order in orders[1:]:
            if field and getattr(order, field) != getattr(first, field):
                raise CallerError(f"linked orders must have the same {field}")


def _name(order: SubmitOrder) -> str:
    return ORDER_TYPES[order.type].value
