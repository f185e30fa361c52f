"""Names of the core's integer codes at the public edge, both ways."""

from enum import Enum
from typing import Final

from zvt_trading.core.order_fsm import LIFE_NAMES
from zvt_trading.core.state import Order
from zvt_trading.errors import CallerError
from zvt_trading.messages.codes import ACCEPTED, BUY, MAKER, SELL
from zvt_trading.messages.reasons import Reason
from zvt_trading.types import (
    AccountingMethod,
    MarginMode,
    OrderSide,
    OrderStatus,
    OrderType,
    Scope,
    TimeInForce,
    TradingState,
    TriggerBy,
)

# Enum members stand in the order of their codes in messages/codes.py.
ORDER_TYPES: Final = tuple(OrderType)
TIMES_IN_FORCE: Final = tuple(TimeInForce)
TRIGGERS: Final = tuple(TriggerBy)
METHODS: Final = tuple(AccountingMethod)
MARGIN_MODES: Final = tuple(MarginMode)
TRADING_STATES: Final = tuple(TradingState)
SCOPES: Final = tuple(Scope)
STATUSES: Final = tuple(OrderStatus(name.lower()) for name in LIFE_NAMES)

_CODES: Final[dict[str, dict[str, int]]] = {
    "order_type": {member.value: code for code, member in enumerate(ORDER_TYPES)},
    "time_in_force": {member.value: code for code, member in enumerate(TIMES_IN_FORCE)},
    "trigger_by": {member.value: code for code, member in enumerate(TRIGGERS)},
    "side": {OrderSide.BUY.value: BUY, OrderSide.SELL.value: SELL},
    "accounting_method": {member.value: code for code, member in enumerate(METHODS)},
    "margin_mode": {member.value: code for code, member in enumerate(MARGIN_MODES)},
    "state": {member.value: code for code, member in enumerate(TRADING_STATES)},
    "scope": {member.value: code for code, member in enumerate(SCOPES)},
}


def code_of(field: str, value: Enum | str) -> int:
    """The code of a public name; CallerError lists what is allowed."""
    table = _CODES[field]
    key = value.lower() if isinstance(value, str) else str(value)
    try:
        return table[key]  # a str Enum member is equal to, and hashes as, its value
    except KeyError:
        allowed = ", ".join(table)
        raise CallerError(f"{field} must be one of {allowed}, not {value!r}") from None


def side_of(code: int) -> OrderSide:
    """BUY or SELL."""
    return OrderSide.BUY if code == BUY else OrderSide.SELL


def status_of(order: Order) -> OrderStatus:
    """The order's status as the public sees it."""
    if order.life == ACCEPTED and order.filled:
        return OrderStatus.PARTIALLY_FILLED
    return STATUSES[order.life]


def reason_of(code: int) -> str:
    """The public code of a reason; "" for none."""
    return Reason(code).name.lower() if code else ""


def liquidity_of(code: int) -> str:
    """Public name: "maker" or "taker"."""
    return "maker" if code == MAKER else "taker"
