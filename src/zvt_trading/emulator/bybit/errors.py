"""What Bybit refuses, and in which words: https://bybit-exchange.github.io/docs/v5/error.

The same refusal has one code for spot and another for derivatives.
"""

from typing import Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.emulator.orders import Refusal
from zvt_trading.messages.reasons import Reason
from zvt_trading.sim.venue_rules import notional_problem, price_problem, quantity_problem


class BybitError(Exception):
    """A business error: `retCode` and `retMsg` of an envelope, by HTTP 200."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code: Final = code
        self.text: Final = text


# Pairs: of spot, of derivatives.
NOT_FOUND: Final = (
    (170213, "Order does not exist."),
    (110001, "order not exists or too late to cancel"),
)
DUPLICATE: Final = ((170141, "Duplicate clientOrderId."), (110072, "OrderLinkedID is duplicate"))
_REFUSALS: Final = {
    Reason.VENUE_BALANCE: (
        (170131, "Insufficient balance."),
        (110007, "ab not enough for new order"),
    ),
    Reason.VENUE_POST_ONLY: (
        (170218, "The LIMIT-MAKER order is rejected due to invalid price."),
        (10001, "post only order would take liquidity"),
    ),
    Reason.VENUE_REDUCE_ONLY: (
        (10001, "reduce-only is for derivatives"),
        (110017, "current position is zero, cannot fix reduce-only order qty"),
    ),
    Reason.VENUE_RATE_LIMIT: ((170005, "Too many new orders."), (10006, "Too many visits!")),
    Reason.VENUE_UNKNOWN_ORDER: NOT_FOUND,
}  # fmt: skip


def bad_request(text: str) -> BybitError:
    """A parameter that cannot be meant."""
    return BybitError(10001, f"params error: {text}")


def of_pair(pair: tuple[tuple[int, str], tuple[int, str]], *, is_spot: bool) -> BybitError:
    """The error of a (spot, linear) pair."""
    return BybitError(*(pair[0] if is_spot else pair[1]))


def refused(refusal: Refusal, *, is_spot: bool) -> BybitError:
    """What Bybit says where the house refuses."""
    pair = _REFUSALS.get(Reason(refusal.reason))
    return bad_request(refusal.text) if pair is None else of_pair(pair, is_spot=is_spot)


def filter_error(
    instrument: Instrument, price: int, quantity: int, touch: int = 0
) -> BybitError | None:
    """Which filter the order breaks first; `price` 0 (a market order) is valued at `touch`."""
    if quantity_problem(instrument, quantity):
        return _quantity_error(instrument, quantity)
    if price and price_problem(instrument, price):
        return _price_error(instrument, price)
    if notional_problem(instrument, price or touch, quantity):
        return of_pair(
            (
                (170140, "Order value exceeded lower limit."),
                (110094, "Order does not meet minimum order value"),
            ),
            is_spot=instrument.is_spot,
        )
    return None


def _quantity_error(instrument: Instrument, quantity: int) -> BybitError:
    if not instrument.is_spot:
        return BybitError(10001, "Qty invalid")
    if quantity > instrument.quantity_max > 0:
        return BybitError(170135, "Order quantity exceeded upper limit.")
    if quantity < instrument.quantity_min:
        return BybitError(170136, "Order quantity exceeded lower limit.")
    return BybitError(170137, "Order quantity has too many decimals.")


def _price_error(instrument: Instrument, price: int) -> BybitError:
    if instrument.price_max and price > instrument.price_max:
        pair = (
            (170132, "Order price exceeded upper limit."),
            (110003, "Order price is out of range"),
        )
    elif price < instrument.price_min:
        pair = (
            (170133, "Order price exceeded lower limit."),
            (110003, "Order price is out of range"),
        )
    else:
        pair = ((170134, "Order price has too many decimals."), (10001, "Price invalid"))
    return of_pair(pair, is_spot=instrument.is_spot)
