"""OKX's error codes and texts, https://www.okx.com/docs-v5/en/#error-code."""

from typing import Final

from zvt_trading.emulator.okx.names import Fields
from zvt_trading.emulator.orders import Refusal
from zvt_trading.emulator.wire import Reply
from zvt_trading.messages.reasons import Reason

SUCCESS: Final = "0"
ALL_FAILED: Final = "1"
PARTLY: Final = "2"

TOO_MANY: Final = ("50011", "Too Many Requests")
TOO_MANY_ORDERS: Final = ("50061", "Sub-account rate limit reached.")
BUSY: Final = ("50013", "System is busy, please try again later.")
EXPIRED: Final = ("50102", "Timestamp request expired")
NO_KEY: Final = ("50103", 'Request header "OK-ACCESS-KEY" cannot be empty')
NO_PASSPHRASE: Final = ("50104", 'Request header "OK-ACCESS-PASSPHRASE" cannot be empty')
WRONG_PASSPHRASE: Final = ("50105", 'Request header "OK-ACCESS-PASSPHRASE" incorrect')
NO_SIGN: Final = ("50106", 'Request header "OK-ACCESS-SIGN" cannot be empty')
NO_TIMESTAMP: Final = ("50107", 'Request header "OK-ACCESS-TIMESTAMP" cannot be empty')
WRONG_ENVIRONMENT: Final = ("50101", "APIKey does not match current environment.")
WRONG_KEY: Final = ("50111", "Invalid OK-ACCESS-KEY")
WRONG_TIMESTAMP: Final = ("50112", "Invalid OK-ACCESS-TIMESTAMP")
WRONG_SIGN: Final = ("50113", "Invalid Sign")
NOT_ALLOWED: Final = ("50120", "This API key doesn't have permission to use this function")
NOT_JSON: Final = ("50002", "JSON syntax error")
NO_BODY: Final = ("50000", "Body for POST request cannot be empty.")

NO_INSTRUMENT: Final = (
    "51001",
    "Instrument ID, Instrument ID code, or Spread ID doesn't exist.",
)
DUPLICATE_ID: Final = ("51016", "Client order ID already exists.")
NO_IDS: Final = ("51003", "Either client order ID or order ID is required.")
PRICE_LIMIT: Final = ("51006", "Order price is not within the price limit")
TOO_LARGE: Final = ("51005", "Order amount exceeds the limit.")
TOO_SMALL: Final = ("51020", "Your order should meet or exceed the minimum order amount.")
NOT_LOTS: Final = ("51121", "Order quantity must be a multiple of the lot size.")
TOO_MANY_IN_BATCH: Final = ("51111", "Maximum 20 orders can be placed in bulk.")
NOTHING_TO_REDUCE: Final = (
    "51169",
    "Order failed because you don't have any positions in this direction for this contract.",
)
NO_OPEN_ORDER: Final = (
    "51400",
    "Order cancellation failed as the order has been filled, canceled or does not exist.",
)
NOTHING_TO_AMEND: Final = ("51503", "Your order has already been filled or canceled.")
AMEND_WHAT: Final = ("51500", "You must enter a price, quantity, or TP/SL.")
NO_ORDER: Final = ("51603", "Order does not exist.")
SETTING_FAILED: Final = ("59000", "Setting failed. Cancel any open orders or positions first.")

Code = tuple[str, str]


class Refused(Exception):  # noqa: N818 - an answer, raised from wherever it is known
    """One order of a request is refused, with a code and text of OKX's."""

    def __init__(self, code: Code) -> None:
        super().__init__(code[1])
        self.code: Final = code[0]
        self.text: Final = code[1]


def parameter(name: str) -> Code:
    """A parameter that has no such value."""
    return ("51000", f"Parameter {name} error")


def empty(name: str) -> Reply:
    """The answer to a request without a parameter it needs."""
    return failure(("50014", f"Parameter {name} cannot be empty"), 400)


def failure(code: Code, status: int = 200) -> Reply:
    """The answer to a whole request that is refused."""
    return Reply({"code": code[0], "data": [], "msg": code[1]}, status)


def unauthorized(code: Code) -> Reply:
    """The answer to a request that is not, or not properly, signed."""
    return Reply({"msg": code[1], "code": code[0]}, 401)


def answer(data: list[Fields]) -> Fields:
    """The envelope of what was asked for."""
    return {"code": SUCCESS, "data": data, "msg": ""}


_BY_TEXT: Final = (
    ("of the lot", NOT_LOTS),
    ("of the tick", PRICE_LIMIT),
    ("price", PRICE_LIMIT),
    ("below the minimum", TOO_SMALL),
    ("notional", TOO_SMALL),
    ("above the maximum", TOO_LARGE),
    ("quantity", TOO_SMALL),
)


def refused(refusal: Refusal, asset: str) -> Refused:
    """What the house refuses, in OKX's words; `asset` would have paid."""
    if refusal.reason == Reason.VENUE_BALANCE:
        text = f"Order failed. Insufficient {asset} balance in account."
        return Refused(("51008", text))
    if refusal.reason == Reason.VENUE_REDUCE_ONLY:
        return Refused(NOTHING_TO_REDUCE)
    return filtered(refusal.text)


def filtered(problem: str) -> Refused:
    """A filter that an order breaks, in the words of sim.venue_rules."""
    for part, code in _BY_TEXT:
        if part in problem:
            return Refused(code)
    return Refused(("51000", f"Parameter error: {problem}"))
