"""The proven-refusal table of Binance: what is in it, and above all what is not."""

import re

import pytest

from zvt_trading.adapters.ccxt.binance import DIALECT
from zvt_trading.adapters.ccxt.outcomes import ErrorCode, refusal
from zvt_trading.messages.reasons import Reason

PROFILE = DIALECT.profile


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("-1000", "An unknown error occurred while processing the request."),
        ("-1001", "Internal error; unable to process your request. Please try again."),
        ("-1006", "An unexpected response was received from the message bus."),
        ("-1007", "Timeout waiting for response from backend server."),
        ("-1008", "Server is currently overloaded with other requests."),
        ("-1016", "This service is no longer available."),
        ("-2010", "Duplicate order sent."),
        ("-2010", "Some new reason of the matching engine."),
        ("-4116", "ClientOrderId is duplicated."),
        ("", "System abnormality"),
        ("", ""),
        ("-99999", "Something new."),
    ],
)
def test_what_proves_nothing_is_no_refusal(code: str, text: str) -> None:
    """Inner errors and timeouts may follow acceptance, a duplicate id says that an order is."""
    assert refusal(ErrorCode(code, text), PROFILE.refusals) is None


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        ("-2010", "Account has insufficient balance for requested action.", Reason.VENUE_BALANCE),
        ("", "binance Account has insufficient balance for requested action.",
         Reason.VENUE_BALANCE),
        ("-2010", "Order would immediately match and take.", Reason.VENUE_POST_ONLY),
        ("-1013", "Filter failure: LOT_SIZE", Reason.VENUE_FILTER),
        ("-1003", "Too much request weight used", Reason.VENUE_RATE_LIMIT),
        ("-1021", "Timestamp for this request is outside of the recvWindow.",
         Reason.VENUE_REJECTED),
        ("-2019", "Margin is insufficient.", Reason.VENUE_BALANCE),
        ("-2022", "ReduceOnly Order is rejected.", Reason.VENUE_REDUCE_ONLY),
        ("-5022", "Post Only order will be rejected.", Reason.VENUE_POST_ONLY),
    ],
)  # fmt: skip
def test_what_was_turned_away_is(code: str, text: str, reason: Reason) -> None:
    """With the code, or by the text where ccxt drops the code."""
    assert reason == refusal(ErrorCode(code, text), PROFILE.refusals)


def test_reasons_are_those_of_venues() -> None:
    """4xx, and no order that is gone is a refusal of a new one."""
    table = PROFILE.refusals
    assert all(400 <= reason < 420 for reason in (*table.codes.values(), *table.texts.values()))
    assert not table.order_gone & set(table.codes)


@pytest.mark.parametrize(
    ("client_id", "is_allowed"),
    [("0z" * 16, True), ("A_b-9", True), ("", False), ("a" * 37, False), ("a/b", False)],
)
def test_client_ids(client_id: str, is_allowed: bool) -> None:
    """Ours have 32 characters of 0-9a-z."""
    assert is_allowed == bool(re.fullmatch(PROFILE.client_id_rule, client_id))
