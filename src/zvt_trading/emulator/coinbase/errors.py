"""Coinbase's ways to say no.

A request that cannot be understood or is not allowed is answered with a 4xx and {"error",
"error_details", "message"}. An order that is not taken is a 200 with {"success": false,
"error_response"}, whose codes are those of NewOrderFailureReason and PreviewFailureReason:
https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/create-order
"""

from typing import Any, Final

from zvt_trading.emulator.orders import Refusal
from zvt_trading.emulator.wire import Reply
from zvt_trading.messages.reasons import Reason


def problem(status: int, error: str, message: str) -> Reply:
    """A 4xx or 5xx."""
    return Reply({"error": error, "error_details": message, "message": message}, status)


def unauthorized() -> Reply:
    """The signature is not right; the real answer is this word too, without JSON around it."""
    return Reply("Unauthorized", 401)


def forbidden() -> Reply:
    """The key may not do that."""
    return problem(403, "PERMISSION_DENIED", "Missing required scopes")


def invalid(message: str) -> Reply:
    """The request itself is wrong."""
    return problem(400, "INVALID_ARGUMENT", message)


def no_such_order() -> Reply:
    """Of a query."""
    return problem(404, "NOT_FOUND", "order with this orderID was not found")


class NotPlaced(Exception):  # noqa: N818 - an answer, raised where it is known
    """An order is not taken: `error` and `preview` are Coinbase's codes."""

    def __init__(self, error: str, message: str, preview: str = "") -> None:
        super().__init__(message)
        self.error: Final = error
        self.message: Final = message
        self.preview: Final = preview or f"PREVIEW_{error}"


UNKNOWN_FAILURE: Final = "UNKNOWN_FAILURE_REASON"
_TOO_SMALL: Final = (UNKNOWN_FAILURE, "order size too small", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL")
_BY_REASON: Final = {
    int(Reason.VENUE_BALANCE): (
        "INSUFFICIENT_FUND",
        "Insufficient balance in source account",
        "PREVIEW_INSUFFICIENT_FUND",
    ),
    int(Reason.VENUE_POST_ONLY): (
        "INVALID_LIMIT_PRICE_POST_ONLY",
        "Post only order would take liquidity",
        "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY",
    ),
    int(Reason.VENUE_FILL_OR_KILL): (
        "INVALID_NO_LIQUIDITY",
        "The order cannot be filled at once",
        "PREVIEW_INVALID_NO_LIQUIDITY",
    ),
}
_BY_TEXT: Final = (
    ("quantity 0 is not", _TOO_SMALL),
    (
        "is not a positive multiple of the lot",
        (
            "INVALID_SIZE_PRECISION",
            "Too many decimals in order amount",
            "PREVIEW_INVALID_SIZE_PRECISION",
        ),
    ),
    (
        "is not a positive multiple of the tick",
        (
            "INVALID_PRICE_PRECISION",
            "Too many decimals in order price",
            "PREVIEW_INVALID_PRICE_PRECISION",
        ),
    ),
    (
        "above the maximum",
        (UNKNOWN_FAILURE, "order size too large", "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"),
    ),
    ("below the minimum", _TOO_SMALL),
)


def not_placed(refusal: Refusal) -> NotPlaced:
    """What the house does not take, in Coinbase's words."""
    known = _BY_REASON.get(refusal.reason)
    if known is not None:
        return NotPlaced(*known)
    for part, said in _BY_TEXT:
        if part in refusal.text:
            return NotPlaced(*said)
    return NotPlaced(
        "UNSUPPORTED_ORDER_CONFIGURATION", refusal.text, "PREVIEW_INVALID_ORDER_CONFIG"
    )


def failure(why: NotPlaced, configuration: Any) -> dict[str, Any]:  # noqa: ANN401 - echoed as it came
    """The answer to an order that is not taken."""
    return {
        "success": False,
        "failure_reason": UNKNOWN_FAILURE,
        "order_id": "",
        "error_response": {
            "error": why.error,
            "message": why.message,
            "error_details": "",
            "preview_failure_reason": why.preview,
            "new_order_failure_reason": why.error,
        },
        "order_configuration": configuration,
    }
