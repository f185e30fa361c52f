"""OKX's frames as views: own orders with their fills, money, market data; and junk."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.okx.okx_dialect_world import (
    FILLED,
    ORDER,
    PRIVATE,
    PUBLIC,
    SPOT,
    SWAP,
    caller,
    pushed,
)
from zvt_trading.adapters.ccxt.dialect import Frame
from zvt_trading.adapters.ccxt.okx import OkxDialect
from zvt_trading.adapters.ccxt.views import (
    CANCELLED,
    OPEN,
    REJECTED,
    AmendView,
    BalanceView,
    FillView,
    MarkView,
    OrderView,
    PositionView,
    QuoteView,
    TradeView,
)
from zvt_trading.adapters.ccxt.views import (
    FILLED as DONE,
)

OKX, OKX_CALLER = OkxDialect(), caller()


def frame(said: Any, url: str = PRIVATE) -> Frame:
    return OkxDialect().frames(caller(), url, said)


def order(status: str = OPEN, **changed: Any) -> OrderView:
    fields: dict[str, Any] = dict(
        order_id="abc1", venue_order_id="680800019749904384", symbol=SPOT, status=status,
        price="50000", quantity="0.01", filled="0", side="buy", ts=1597026383085,
    )  # fmt: skip
    return OrderView(**{**fields, **changed})


FILL = FillView(
    order_id="abc1", venue_order_id="680800019749904384", symbol=SPOT, trade_id="744876980",
    side="buy", price="49999.9", quantity="0.004", is_maker=False, fee_asset="BTC",
    fee="0.000004", ts=1597026383086,
)  # fmt: skip


def swap(row: dict[str, Any], **changed: str) -> dict[str, Any]:
    return {**row, "instId": "BTC-USDT-SWAP", "instType": "SWAP", "tdMode": "cross", **changed}


# What is changed of an order event, and the order's view.
ORDERS: list[tuple[dict[str, Any], OrderView]] = [
    ({}, order()),
    ({"clOrdId": ""}, order(order_id="")),
    ({"state": "filled", "accFillSz": "0.01"}, order(DONE, filled="0.01")),
    (
        {"state": "canceled", "accFillSz": "0.004", "cancelSource": "1"},
        order(CANCELLED, filled="0.004", reason="cancelSource 1"),
    ),
    ({"state": "mmp_canceled"}, order(CANCELLED, reason="cancelSource 0")),
    ({"state": "canceled", "cancelSource": "31"}, order(REJECTED, reason="cancelSource 31")),
    ({"state": "canceled", "cancelSource": "13"}, order(REJECTED, reason="cancelSource 13")),
    (
        {"state": "canceled", "cancelSource": "31", "accFillSz": "0.001"},
        order(CANCELLED, filled="0.001", reason="cancelSource 31"),
    ),
    ({"tgtCcy": "quote_ccy", "sz": "500", "px": "", "ordType": "market"},
     order(price="", quantity="")),
    (
        swap({}, sz="1.5", accFillSz="0.5", state="partially_filled"),
        order(symbol=SWAP, quantity="0.015", filled="0.005"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "view"), ORDERS)
def test_an_order_event_says_how_the_order_stands(changed: dict[str, Any], view: OrderView) -> None:
    """In the base asset; one that OKX took only to cancel it for its own terms is REJECTED."""
    found = frame(pushed("orders", {**ORDER, **changed}, instType="ANY"))
    assert [view] == found.views
    assert (True, False, "") == (found.is_private, found.is_control, found.problem)


def test_a_fill_comes_with_its_own_fee_before_the_state_that_counts_it() -> None:
    """The event's fee of the whole order is not the fill's; a charged fee is positive here."""
    found = frame(pushed("orders", FILLED, instType="ANY"))
    assert [FILL, order(filled="0.004")] == found.views


@pytest.mark.parametrize(
    ("changed", "fee", "quantity"),
    [
        (
            swap({}, fillFee="0.0012", fillFeeCcy="USDT", fillSz="0.3", execType="M"),
            "-0.0012",
            "0.003",
        ),
        (swap({}, fillFee="-0", fillFeeCcy="USDT", fillSz="10"), "0", "0.1"),
        ({"fillFee": "-0.00000000000123456789"}, "0.00000000000123456789", "0.004"),
    ],
)
def test_a_fee_is_exact_and_a_rebate_is_below_zero(
    changed: dict[str, Any], fee: str, quantity: str
) -> None:
    """And a swap's size is in the base asset."""
    (fill, _) = frame(pushed("orders", {**FILLED, **changed}, instType="ANY")).views
    assert isinstance(fill, FillView)
    assert (fee, quantity) == (fill.fee, fill.quantity)


def test_a_fill_without_its_fee_is_asked_for() -> None:
    """The cumulative fee proves nothing about one fill."""
    for row, name in ((FILLED, "abc1"), ({**FILLED, "clOrdId": ""}, "#680800019749904384")):
        lacking = {key: value for key, value in row.items() if key != "fillFee"}
        found = frame(pushed("orders", lacking, instType="ANY"))
        assert [name] == found.ask_order
        assert [OrderView] == [type(view) for view in found.views]


def test_an_amend_is_known_by_its_result() -> None:
    """Done: the new terms. Failed: the order is asked for."""
    done = {**ORDER, "amendResult": "0", "px": "51000", "sz": "0.02"}
    found = frame(pushed("orders", done, instType="ANY"))
    amended = AmendView(
        order_id="abc1", venue_order_id="680800019749904384", symbol=SPOT, price="51000",
        quantity="0.02", ts=1597026383085,
    )  # fmt: skip
    assert [amended, order(price="51000", quantity="0.02")] == found.views
    assert ["abc1"] == frame(pushed("orders", {**done, "amendResult": "-1"})).ask_order


def test_orders_of_markets_that_are_not_loaded_say_nothing() -> None:
    """They are not ours."""
    found = frame(pushed("orders", {**ORDER, "instId": "DOGE-USDT"}, instType="ANY"))
    assert ([], "") == (found.views, found.problem)


def test_money_is_cash_and_a_position_is_signed_in_base() -> None:
    """`eq` counts what open positions would bring; `pos` is in contracts."""
    detail = {"ccy": "USDT", "cashBal": "100.5", "eq": "90.1", "availBal": "80"}
    found = frame(pushed("account", {"uTime": "1", "details": [detail]}))
    assert [BalanceView("USDT", "100.5")] == found.views
    position = {"instId": "BTC-USDT-SWAP", "pos": "-1.5", "posSide": "net", "avgPx": "50000"}
    assert [PositionView(SWAP, "-0.015", "50000")] == frame(pushed("positions", position)).views
    hedged = {**position, "posSide": "long"}
    assert [] == frame(pushed("positions", hedged)).views


def test_public_frames_keep_their_texts() -> None:
    """Quotes, trades and marks; a swap's sizes in the base asset."""
    touch = {"asks": [["8476.98", "415", "0", "13"]], "bids": [["8476.97", "256", "0", "12"]],
             "ts": "1597026383085", "seqId": 123456}  # fmt: skip
    ts = 1597026383085
    for name, symbol, sizes in (
        ("BTC-USDT", SPOT, ("256", "415")),
        ("BTC-USDT-SWAP", SWAP, ("2.56", "4.15")),
    ):
        found = frame(pushed("bbo-tbt", touch, instId=name), PUBLIC)
        quote = QuoteView(symbol, "8476.97", sizes[0], "8476.98", sizes[1], ts)
        assert [quote] == found.views
        assert not found.is_private
    assert [] == frame(pushed("bbo-tbt", {**touch, "bids": []}, instId="BTC-USDT"), PUBLIC).views
    trade = {"instId": "BTC-USDT-SWAP", "tradeId": "1", "px": "42219.9", "sz": "0.12",
             "side": "buy", "ts": "1630048897897"}  # fmt: skip
    found = frame(pushed("trades", trade, instId="BTC-USDT-SWAP"), PUBLIC)
    assert [TradeView(SWAP, "42219.9", "0.0012", "buy", "1", 1630048897897)] == found.views
    mark = {"instId": "BTC-USDT-SWAP", "markPx": "84660.1", "ts": "1744590349506"}
    found = frame(pushed("mark-price", mark, instId="BTC-USDT-SWAP"), PUBLIC)
    assert [MarkView(SWAP, "84660.1", "", 1744590349506)] == found.views


CONTROL: list[tuple[Any, bool]] = [
    ("pong", False),
    ({"event": "login", "code": "0", "msg": ""}, False),
    ({"event": "subscribe", "arg": {"channel": "orders"}, "connId": "a"}, False),
    ({"id": "1", "op": "order", "code": "0", "msg": "", "data": []}, False),
    ({"event": "error", "code": "60012", "msg": "Illegal request"}, True),
    ({"event": "notice", "code": "64008", "msg": "The connection will soon be closed"}, True),
    ({"event": "channel-conn-count-error", "channel": "orders"}, True),
]


@pytest.mark.parametrize(("said", "is_problem"), CONTROL)
def test_control_frames_are_ccxts_and_errors_end_the_socket(said: Any, *, is_problem: bool) -> None:
    """An error that ccxt swallows would leave us waiting for ever."""
    found = frame(said)
    assert (True, is_problem, []) == (found.is_control, bool(found.problem), found.views)


JUNK: list[Any] = [
    None, 1, [], {}, {"arg": None}, {"arg": {}}, {"arg": {"channel": "orders"}},
    {"arg": {"channel": "orders"}, "data": None}, {"arg": {"channel": "orders"}, "data": [1]},
    pushed("orders", {"instId": "BTC-USDT"}), pushed("orders", {**ORDER, "state": "dancing"}),
    pushed("orders", {**ORDER, "uTime": "soon"}),
    pushed("orders", swap(ORDER, sz="much")),
    pushed("account", {}), pushed("account", {"details": [{"ccy": "BTC"}]}),
    pushed("positions", {"instId": "BTC-USDT-SWAP"}),
    pushed("bbo-tbt", {}, instId="BTC-USDT"), pushed("books", {}, instId="BTC-USDT"),
    pushed("trades", {"instId": "BTC-USDT"}), {"arg": {"channel": ["x"]}, "data": [{}]},
]  # fmt: skip


@pytest.mark.parametrize("said", JUNK)
def test_a_frame_that_cannot_be_read_is_a_problem_and_never_raises(said: Any) -> None:
    """Lost news of an order must be noticed."""
    found = frame(said)
    assert found.problem or found.is_control
    assert [] == found.views


def test_ccxt_itself_shows_the_fee_of_a_watched_trade_as_below_zero() -> None:
    """OKX's sign: taken as it is, every fee would be income."""
    trade = OKX_CALLER.order_to_trade(OKX_CALLER.parse_order(FILLED))
    assert "-0.000004" == trade["fee"]["cost"]


SOUND: list[dict[str, Any]] = [
    pushed("orders", FILLED, instType="ANY"),
    pushed("account", {"uTime": "1", "details": [{"ccy": "BTC", "cashBal": "1"}]}),
    pushed("positions", {"instId": "BTC-USDT-SWAP", "pos": "1", "posSide": "net"}),
    {
        "arg": {"channel": "books", "instId": "BTC-USDT"},
        "action": "snapshot",
        "data": [{"bids": [["1", "1"]], "asks": [], "seqId": 1, "prevSeqId": -1, "checksum": 1}],
    },
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("1e999999999"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=3,
)


@given(data=st.data())
def test_no_frame_raises_whatever_one_of_its_values_is(data: st.DataObject) -> None:
    """Any JSON in any place of a sound frame."""
    said: Any = json.loads(json.dumps(data.draw(st.sampled_from(SOUND))))
    place = said
    while True:
        name = data.draw(
            st.sampled_from(range(len(place)) if isinstance(place, list) else list(place))
        )
        is_leaf = not isinstance(place[name], dict | list) or not place[name]
        if is_leaf or data.draw(st.booleans()):
            break
        place = place[name]
    place[name] = data.draw(VALUES)
    OKX.frames(OKX_CALLER, PRIVATE, said)


def test_recorded_frames_of_orders_are_read(shared_data: Path) -> None:
    """Their fill fee is not in the record, so the order is asked for."""
    folder = shared_data / "fixtures" / "okx"
    for name in ("ws_orders", "ws_orders_ioc", "ws_orders_fok", "ws_orders_liquidation"):
        recorded = json.loads((folder / f"{name}.json").read_text())
        recorded["data"] = [{**row, "instId": "BTC-USDT-SWAP"} for row in recorded["data"]]
        found = frame(recorded)
        row = recorded["data"][0]
        assert ("", [row["clOrdId"] or f"#{row['ordId']}"]) == (found.problem, found.ask_order)
        assert [row["ordId"]] == [
            view.venue_order_id for view in found.views if isinstance(view, OrderView)
        ]
