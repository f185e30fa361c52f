"""Binance's error answers: HTTP status, code and text, and which of them a Refusal is.

https://developers.binance.com/docs/binance-spot-api-docs/errors
https://developers.binance.com/docs/derivatives/usds-margined-futures/error-code
"""

from typing import Final

from zvt_trading.emulator.orders import Refusal
from zvt_trading.emulator.wire import Reply
from zvt_trading.messages.reasons import Reason

_POST_ONLY_LINEAR: Final = (
    "Due to the order could not be executed as maker, the Post Only order will be rejected. "
    "The order will not be recorded in the order history"
)
_FILL_OR_KILL_LINEAR: Final = (
    "Due to the order could not be filled immediately, the FOK order has been rejected. "
    "The order will not be recorded in the order history"
)
_SPOT: Final = {
    Reason.VENUE_BALANCE: (-2010, "Account has insufficient balance for requested action."),
    Reason.VENUE_POST_ONLY: (-2010, "Order would immediately match and take."),
    Reason.VENUE_UNKNOWN_ORDER: (-2011, "Unknown order sent."),
}
_LINEAR: Final = {
    Reason.VENUE_BALANCE: (-2019, "Margin is insufficient."),
    Reason.VENUE_POST_ONLY: (-5022, _POST_ONLY_LINEAR),
    Reason.VENUE_REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    Reason.VENUE_FILL_OR_KILL: (-5021, _FILL_OR_KILL_LINEAR),
    Reason.VENUE_UNKNOWN_ORDER: (-2011, "Unknown order sent."),
}


def error(code: int, text: str, status: int = 400) -> Reply:
    """An answer like {"code": -1121, "msg": "Invalid symbol."}."""
    return Reply({"code": code, "msg": text}, status)


def missing(name: str) -> Reply:
    """A mandatory parameter is not there, or not what it must be."""
    return error(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def refused(refusal: Refusal, *, is_spot: bool) -> Reply:
    """What the exchange says when an order is not taken."""
    if refusal.reason == Reason.VENUE_FILTER:
        return _filtered(refusal.text, is_spot=is_spot)
    table = _SPOT if is_spot else _LINEAR
    found = table.get(Reason(refusal.reason))
    if found is not None:
        return error(*found)
    return error(-2010, f"Order was rejected: {refusal.text}")


def _filtered(text: str, *, is_spot: bool) -> Reply:
    """A filter of the symbol; `text` begins with what it is about (sim/venue_rules.py)."""
    if is_spot:
        about = text.partition(" ")[0]
        name = {"quantity": "LOT_SIZE", "price": "PRICE_FILTER"}.get(about, "NOTIONAL")
        return error(-1013, f"Filter failure: {name}")
    if text.startswith("notional"):
        return error(
            -4164, "Order's notional must be no smaller than 5 (unless you choose reduce only)."
        )
    if text.startswith("price"):
        return error(-4014, "Price not increased by tick size.")
    if "minimum" in text:
        return error(-4003, "Quantity less than or equal to zero.")
    if "maximum" in text:
        return error(-4005, "Quantity greater than max quantity.")
    return error(-1111, "Precision is over the maximum defined for this asset.")
