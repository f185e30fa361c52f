"""Answers of Coinbase as views: exact texts, lists to their end, and no guess about a bad one."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ccxt.base.errors import BadResponse, ExchangeError, OrderNotFound

from emulator.coinbase.coinbase_caller import (
    TIME,
    TIME_MS,
    Canned,
    offline,
    rest_fill,
    rest_order,
)
from zvt_trading.adapters.ccxt.coinbase import DIALECT
from zvt_trading.adapters.ccxt.coinbase.answers import (
    fill_view,
    iso_of,
    ms_of,
    order_view,
    transfer_view,
)
from zvt_trading.adapters.ccxt.dialect import Wanted
from zvt_trading.adapters.ccxt.views import (
    CANCELLED,
    EXPIRED,
    FILLED,
    OPEN,
    REJECTED,
    BalanceView,
    FillView,
    OrderView,
    TransferView,
)

VIEW = OrderView(
    order_id="mine1",
    venue_order_id="venue-1",
    symbol="BTC/USDT",
    status=OPEN,
    price="50000.00",
    quantity="0.01",
    filled="0",
    side="buy",
    ts=TIME_MS,
)


def kind(name: str, **terms: Any) -> dict[str, Any]:
    return {
        "order_configuration": {name: {"base_size": "0.01", "limit_price": "50000.00", **terms}}
    }


ORDERS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({}, {}),
    ({"status": "QUEUED"}, {}),
    ({"status": "EDIT_QUEUED"}, {}),
    (kind("limit_limit_gtd", end_time=TIME), {}),
    (kind("sor_limit_ioc"), {}),
    (kind("limit_limit_fok"), {}),  # of these ccxt keeps neither price nor size
    (
        {"order_configuration": {"market_market_ioc": {"quote_size": "100"}}},
        {"price": "", "quantity": ""},
    ),
    (
        {"status": "FILLED", "filled_size": "0.01", "last_fill_time": "2026-04-07T14:30:01Z"},
        {"status": FILLED, "filled": "0.01", "ts": TIME_MS + 877},
    ),
    (
        {"status": "CANCELLED", "cancel_message": "User requested cancel"},
        {"status": CANCELLED, "reason": "User requested cancel"},
    ),
    (
        {"status": "EXPIRED"},
        {"status": EXPIRED, "reason": "REJECT_REASON_UNSPECIFIED"},
    ),
    (
        {"status": "FAILED", "reject_reason": "HOLD_FAILURE"},
        {"status": REJECTED, "reason": "HOLD_FAILURE"},
    ),
    (
        {"status": "FAILED", "filled_size": "0.004"},
        {"status": CANCELLED, "filled": "0.004", "reason": "REJECT_REASON_UNSPECIFIED"},
    ),
)


@pytest.mark.parametrize(("change", "expected"), ORDERS)
def test_an_order_is_what_the_answer_says(change: dict[str, Any], expected: dict[str, Any]) -> None:
    """`canceled` and `closed` of ccxt are not looked at (PROTOCOLS 0, risk 8)."""
    found = order_view(offline(), rest_order(**change))
    assert msgspec.structs.replace(VIEW, **expected) == found


NO_ORDERS: tuple[dict[str, Any], ...] = (
    {"status": "UNKNOWN_ORDER_STATUS"},
    {"status": None},
    {"side": "UNKNOWN_ORDER_SIDE"},
    {"order_id": None},
    {"filled_size": ""},
    {"filled_size": 0.004},
    {"filled_size": "NaN"},
    {"created_time": "yesterday"},
    {"order_configuration": {}},
    {"order_configuration": None},
    {"product_id": None},
)


@pytest.mark.parametrize("change", NO_ORDERS)
def test_an_order_that_is_not_as_documented_is_a_bad_answer(change: dict[str, Any]) -> None:
    """Nothing is known then."""
    with pytest.raises(BadResponse):
        order_view(offline(), rest_order(**change))


def test_a_fill_has_its_exact_fee_in_the_quote_asset() -> None:
    """All numbers are the texts that came."""
    expected = FillView(
        order_id="mine1",
        venue_order_id="venue-1",
        symbol="BTC/USDT",
        trade_id="t1",
        side="buy",
        price="50000.00",
        quantity="0.004",
        is_maker=True,
        fee_asset="USDT",
        fee="0.80000000",
        ts=TIME_MS,
    )
    assert expected == fill_view(offline(), rest_fill(), "mine1")


def test_a_fill_for_money_is_the_whole_lots_that_it_bought() -> None:
    """100 at 3076.92 is 0.03250002..., in lots of 0.000001 that is 0.032500."""
    raw = rest_fill(size_in_quote=True, size="100", price="3076.92")
    assert "0.032500" == fill_view(offline(), raw).quantity


@pytest.mark.parametrize(
    "change",
    [
        {"trade_type": "REVERSAL"},
        {"liquidity_indicator": "UNKNOWN_LIQUIDITY_INDICATOR"},
        {"commission": None},
        {"size": 0.004},
        {"price": "0", "size_in_quote": True},
        {"trade_id": 7},
    ],
)
def test_a_fill_that_is_not_as_documented_is_a_bad_answer(change: dict[str, Any]) -> None:
    """It moves money, so nothing of it is guessed."""
    with pytest.raises(BadResponse):
        fill_view(offline(), rest_fill(**change))


TIMES = (
    ("1970-01-01T00:00:00Z", 0),
    ("2026-04-07T14:30:00Z", TIME_MS - 123),
    ("2026-04-07T14:30:00.1Z", TIME_MS - 23),
    (TIME, TIME_MS),
    ("2026-04-07T14:30:00.123999999Z", TIME_MS),
)


@pytest.mark.parametrize(("text", "ms"), TIMES)
def test_times_are_cut_to_milliseconds(text: str, ms: int) -> None:
    """With any number of decimals, and back."""
    assert ms == ms_of(text)
    assert ms == ms_of(iso_of(ms))


@pytest.mark.parametrize("text", ["", "now", "2026-04-07T14:30:00", "2026-04-07T14:30:00.xZ"])
def test_other_times_are_errors(text: str) -> None:
    """Without the Z it could be any zone."""
    with pytest.raises(ValueError, match=r"time|isoformat"):
        ms_of(text)


def transaction(**more: Any) -> dict[str, Any]:
    return {
        "id": "x1",
        "type": "send",
        "status": "completed",
        "amount": {"amount": "-1.50000000", "currency": "BTC"},
        "created_at": "2026-04-01T00:00:00Z",
        "updated_at": TIME,
        "network": {"transaction_amount": {"amount": "1.50000000", "currency": "BTC"}},
        **more,
    }


def test_a_withdrawal_has_its_sign_and_the_time_when_it_was_done() -> None:
    """Ccxt takes the network's amount, which has no sign."""
    expected = TransferView("x1", "BTC", "-1.50000000", TIME_MS)
    assert expected == transfer_view(transaction())


@pytest.mark.parametrize("change", [{"status": "pending"}, {"type": "advanced_trade_fill"}])
def test_what_is_not_done_or_a_fill_is_no_transfer(change: dict[str, str]) -> None:
    """Fills are told by their own list."""
    assert transfer_view(transaction(**change)) is None


# What the answer to a new order proves.

WANTED = Wanted("mine1", "BTC/USDT", "buy", "50000", "0.01", "GTC", False, False, 0)
CREATED = {"order_id": "venue-1", "product_id": "BTC-USDT", "client_order_id": "mine1"}
PROVES_NOTHING: tuple[Any, ...] = (
    {},
    {"id": None, "info": {}},
    {"id": "venue-1", "info": None},
    {"info": {**CREATED, "order_id": ""}},
    {"info": {**CREATED, "order_id": None}},
    {"info": {**CREATED, "client_order_id": "another"}},
    {"info": {"order_id": "venue-1"}},
)


def test_the_answer_to_a_new_order_proves_that_it_is_there() -> None:
    """Not how it stands: to an id sent before, the answer is the same for an order long over."""
    (view,) = DIALECT.created({"info": CREATED}, WANTED)
    assert isinstance(view, OrderView)
    assert ("mine1", "venue-1", OPEN, "") == (
        view.order_id,
        view.venue_order_id,
        view.status,
        view.filled,
    )


@pytest.mark.parametrize("answer", PROVES_NOTHING)
def test_an_answer_without_both_ids_proves_nothing(answer: Any) -> None:
    """PROTOCOLS 0, risks 2 and 3."""
    assert [] == DIALECT.created(answer, WANTED)


# Questions whose answers are bad.


def asked(answers: list[Any], ask: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    """What a question says to these answers; all of them must be used."""
    caller = Canned(answers)
    found = asyncio.run(ask(caller))
    assert [] == caller.answers
    return found


QUESTIONS: dict[str, Callable[[Any], Coroutine[Any, Any, Any]]] = {
    "find by coinbase's id": lambda one: DIALECT.find(one, "BTC/USDT", "mine1", "venue-1"),
    "find by our id": lambda one: DIALECT.find(one, "BTC/USDT", "mine1", ""),
    "fills of": lambda one: DIALECT.fills_of(one, VIEW),
    "fills": lambda one: DIALECT.fills(one, ["BTC/USDT"], 0),
    "open orders": lambda one: DIALECT.open_orders(one, ["BTC/USDT"]),
    "balances": DIALECT.balances,
    "transfers": lambda one: DIALECT.transfers(one, 0),
    "cancel": lambda one: DIALECT.cancel(one, "BTC/USDT", "mine1", "venue-1"),
    "amend": lambda one: DIALECT.amend(one, VIEW, "49000", "0.02"),
}
NO_ANSWERS: tuple[Any, ...] = (
    None,
    "",
    "not json",
    {},
    [],
    {"orders": None, "fills": None, "accounts": None, "results": None, "order": None},
    {"orders": [None], "fills": [7], "accounts": [[]], "results": [], "cursor": ""},
    {"orders": [], "fills": [], "accounts": [], "has_next": False},  # no cursor
    {"orders": [], "fills": [], "accounts": [], "has_next": "no", "cursor": ""},
    {"orders": [], "fills": [], "accounts": [], "has_next": True, "cursor": ""},
)


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("answer", NO_ANSWERS)
def test_what_is_no_answer_is_never_an_empty_one(name: str, answer: Any) -> None:
    """PROTOCOLS 0, risk 2: plain ccxt would say that nothing is open."""
    with pytest.raises(BadResponse):
        asked([answer], QUESTIONS[name])


def test_a_cursor_that_comes_twice_does_not_go_on_for_ever() -> None:
    """It raises."""
    page = {"fills": [], "cursor": "again"}
    with pytest.raises(BadResponse, match="twice"):
        asked([page, page], QUESTIONS["fills"])


def test_a_page_that_fails_fails_the_whole_list() -> None:
    """Half a list is no list."""
    page = {"orders": [rest_order()], "has_next": True, "cursor": "1"}
    with pytest.raises(ExchangeError, match="down"):
        asked([page, ExchangeError("down")], QUESTIONS["open orders"])


NOT_FOUND = {"error": "NOT_FOUND", "message": "order with this orderID was not found"}
SAID: tuple[tuple[str, bool], ...] = (
    # The text of ccxt's error, and whether it proves that there is no such order.
    ("coinbase " + json.dumps(NOT_FOUND), True),
    ("coinbase " + json.dumps({**NOT_FOUND, "error": "unknown"}), True),
    ("coinbase " + json.dumps({"error": "NOT_FOUND", "message": "no route"}), False),
    ("coinbase 404 Not Found order with this orderID was not found", False),
    ("coinbase {order with this orderID was not found", False),
    ("coinbase " + json.dumps({"error": "INTERNAL", "message": "try again"}), False),
)


@pytest.mark.parametrize(("said", "is_proof"), SAID)
def test_no_such_order_is_only_what_coinbase_says_so(said: str, is_proof: bool) -> None:
    """A proxy's 404 says nothing of an order."""
    if is_proof:
        assert asked([ExchangeError(said)], QUESTIONS["find by coinbase's id"]) is None
        return
    with pytest.raises(ExchangeError):
        asked([ExchangeError(said)], QUESTIONS["find by coinbase's id"])


def test_another_order_than_the_one_asked_for_is_a_bad_answer() -> None:
    """By either id."""
    for change in ({"order_id": "venue-2"}, {"client_order_id": "other"}):
        with pytest.raises(BadResponse, match="another order"):
            asked([{"order": rest_order(**change)}], QUESTIONS["find by coinbase's id"])


def test_fewer_fills_than_were_filled_are_no_answer_yet() -> None:
    """The list of fills may be behind; a missing fill must not be taken for none."""
    view = msgspec.structs.replace(VIEW, filled="0.008")
    page = {"fills": [rest_fill()], "cursor": ""}
    with pytest.raises(BadResponse, match=r"0\.008"):
        asked([page], lambda one: DIALECT.fills_of(one, view))
    both = {"fills": [rest_fill(trade_id="t2"), rest_fill()], "cursor": ""}
    fills = asked([both], lambda one: DIALECT.fills_of(one, view))
    assert ["t1", "t2"] == [fill.trade_id for fill in fills]


def test_fills_of_another_order_are_a_bad_answer() -> None:
    """They would be booked to the wrong one."""
    page = {"fills": [rest_fill(order_id="venue-2")], "cursor": ""}
    with pytest.raises(BadResponse, match="another order"):
        asked([page], QUESTIONS["fills of"])


WALLET = {
    "uuid": "w1",
    "currency": "BTC",
    "available_balance": {"value": "1", "currency": "BTC"},
    "hold": {"value": "0", "currency": "BTC"},
    "updated_at": TIME,
}
WALLETS = {"accounts": [WALLET], "has_next": False, "cursor": ""}
BAD_PAGES: tuple[list[Any], ...] = (
    [{"data": []}],
    [{"data": None, "pagination": {}}],
    [{"data": [], "pagination": {"next_starting_after": "1"}}] * 2,
)


@pytest.mark.parametrize("pages", BAD_PAGES)
def test_a_list_of_transactions_without_an_end_is_a_bad_answer(pages: list[Any]) -> None:
    """The old interface pages in another way."""
    with pytest.raises(BadResponse):
        asked([WALLETS, *pages], QUESTIONS["transfers"])


def test_an_order_that_was_edited_must_be_there() -> None:
    """Not found right after: nothing is known."""
    answers = [{"success": True, "errors": []}, ExchangeError("coinbase " + json.dumps(NOT_FOUND))]
    with pytest.raises(BadResponse):
        asked(answers, QUESTIONS["amend"])


def test_open_orders_are_also_those_on_their_way() -> None:
    """Coinbase's filter OPEN leaves them out; one that came to be open meanwhile is there once."""
    early = rest_order(status="PENDING")
    queued = rest_order(status="CANCEL_QUEUED", order_id="venue-2", client_order_id="mine2")
    first = {"orders": [queued, early], "has_next": False, "cursor": ""}
    second = {"orders": [rest_order()], "has_next": False, "cursor": ""}
    caller = Canned([first, second])
    found = asyncio.run(DIALECT.open_orders(caller, ["BTC/USDT"]))
    assert ["mine1", "mine2"] == [view.order_id for view in found]
    wanted = [url.partition("?")[2] for _, url, _ in caller.asked]
    assert "order_status=PENDING&order_status=QUEUED" in wanted[0]
    assert "order_status=OPEN&limit=100" == wanted[1]


def test_an_edit_that_is_not_done_yet_proves_nothing() -> None:
    """The answer says only that it was taken: the order itself must have the new terms."""
    done = rest_order(**kind("limit_limit_gtc", base_size="0.02", limit_price="49000.00"))
    for order, expected in ((rest_order(), 0), (done, 1)):
        answers = [{"success": True, "errors": []}, {"order": order}]
        assert expected == len(asked(answers, QUESTIONS["amend"]))


def test_an_edit_that_failed_says_why() -> None:
    """Ccxt's own edit_order would be silent."""
    failed = {"success": False, "errors": [{"edit_failure_reason": "INVALID_EDITED_PRICE"}]}
    with pytest.raises(ExchangeError, match="INVALID_EDITED_PRICE"):
        asked([failed], QUESTIONS["amend"])


CANCELS: tuple[tuple[str, type[Exception]], ...] = (
    ("UNKNOWN_CANCEL_ORDER", OrderNotFound),
    ("ORDER_IS_FULLY_FILLED", OrderNotFound),
    ("DUPLICATE_CANCEL_REQUEST", ExchangeError),
    ("COMMANDER_REJECTED_CANCEL_ORDER", ExchangeError),
    ("UNKNOWN_CANCEL_FAILURE_REASON", ExchangeError),
)


@pytest.mark.parametrize(("reason", "error"), CANCELS)
def test_a_cancel_that_failed_says_why(reason: str, error: type[Exception]) -> None:
    """Ccxt's own cancel_order says "check your arguments" to all of them."""
    result = {"success": False, "failure_reason": reason, "order_id": "venue-1"}
    with pytest.raises(ExchangeError, match=reason) as caught:
        asked([{"results": [result]}], QUESTIONS["cancel"])
    assert error is type(caught.value)


def test_a_cancel_must_be_answered_for_its_own_order() -> None:
    """Success of another order is none."""
    result = {"success": True, "failure_reason": "", "order_id": "venue-2"}
    with pytest.raises(BadResponse):
        asked([{"results": [result]}], QUESTIONS["cancel"])


# Recorded answers.


def recorded(shared_data: Path, name: str) -> Any:
    return json.loads((shared_data / "fixtures" / "coinbase" / f"{name}.json").read_text())


def test_recorded_orders_and_fills_are_read(shared_data: Path) -> None:
    """With every number as it was recorded."""
    caller = offline()
    rows = recorded(shared_data, "http_orders_list")["orders"]
    assert [
        ("11111-000000-000001", "BTC/USD", OPEN, "45000.00", "0.01", "0"),
        ("11111-000000-000002", "ETH/USD", FILLED, "", "", "0.0325"),
    ] == [
        (view.order_id, view.symbol, view.status, view.price, view.quantity, view.filled)
        for view in (order_view(caller, raw) for raw in rows[:2])
    ]
    fills = recorded(shared_data, "http_fills")["fills"]
    assert [("45123.45", "0.005", "1.14", True), ("3076.92", "0.0325", "0.50", False)] == [
        (view.price, view.quantity, view.fee, view.is_maker)
        for view in (fill_view(caller, raw) for raw in fills)
    ]


def test_recorded_balances_are_read(shared_data: Path) -> None:
    """What is available and what is held."""
    answer = recorded(shared_data, "http_accounts")
    found = asked([answer], DIALECT.balances)
    assert [BalanceView("BTC", "1.23956789"), BalanceView("USD", "10450.50")] == found
    assert Decimal("1.23956789") == Decimal("1.23456789") + Decimal("0.00500000")
