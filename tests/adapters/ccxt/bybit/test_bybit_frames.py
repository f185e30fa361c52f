"""What Bybit's messages say, on recorded and hand-written ones; pure."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.bybit.bybit_dialect_world import LINEAR_URL, PRIVATE_URL, SPOT_URL, Markets
from emulator.bybit.bybit_world import PERPETUAL, SPOT
from zvt_trading.adapters.ccxt.bybit import DIALECT
from zvt_trading.adapters.ccxt.bybit.dialect import BybitDialect
from zvt_trading.adapters.ccxt.bybit.rows import funding_view
from zvt_trading.adapters.ccxt.dialect import Frame
from zvt_trading.adapters.ccxt.views import (
    BalanceView,
    BookView,
    FillView,
    MarkView,
    OrderView,
    PositionView,
    QuoteView,
    TradeView,
)

CALLER = Markets(SPOT, PERPETUAL, "ETH/USDT:USDT", "APEX/USDT")


def read(url: str, frame: Any) -> Frame:
    return DIALECT.frames(CALLER, url, frame)


def recorded(shared_data: Path, name: str) -> Any:
    return json.loads((shared_data / "fixtures" / "bybit" / f"{name}.json").read_text())


def order_row(**changes: Any) -> dict[str, Any]:
    """An order in the private stream."""
    return {
        "category": "spot", "symbol": "BTCUSDT", "orderId": "77", "orderLinkId": "mine",
        "side": "Buy", "orderType": "Limit", "price": "50000.10", "qty": "0.003",
        "cumExecQty": "0", "orderStatus": "New", "rejectReason": "EC_NoError",
        "cancelType": "UNKNOWN", "updatedTime": "1700000000123", **changes,
    }  # fmt: skip


def fill_row(**changes: Any) -> dict[str, Any]:
    """An execution in the private stream."""
    return {
        "category": "spot", "symbol": "BTCUSDT", "orderId": "77", "orderLinkId": "mine",
        "side": "Buy", "execId": "e1", "execPrice": "50000.10", "execQty": "0.001",
        "execType": "Trade", "execFee": "0.00000100", "isMaker": True,
        "execTime": "1700000000123", **changes,
    }  # fmt: skip


def pushed(topic: str, *rows: Any, **more: Any) -> dict[str, Any]:
    """A message of the private stream."""
    return {"topic": topic, "id": "1", "creationTime": 1, "data": list(rows), **more}


@pytest.mark.parametrize(
    ("status", "filled", "reason", "expected"),
    [
        ("Created", "0", "EC_NoError", "open"),
        ("New", "0", "EC_NoError", "open"),
        ("Untriggered", "0", "EC_NoError", "open"),
        ("PartiallyFilled", "0.001", "EC_NoError", "open"),
        ("PendingCancel", "0", "EC_NoError", "open"),
        ("Filled", "0.003", "EC_NoError", "filled"),
        ("Cancelled", "0", "EC_PerCancelRequest", "cancelled"),
        ("Cancelled", "0.001", "EC_PerCancelRequest", "cancelled"),
        ("PartiallyFilledCanceled", "0.001", "EC_PerCancelRequest", "cancelled"),
        ("Deactivated", "0", "", "cancelled"),
        ("Cancelled", "0", "EC_NoImmediateQtyToFill", "cancelled"),
        ("Cancelled", "0", "EC_PostOnlyWillTakeLiquidity", "rejected"),
        ("Cancelled", "0", "EC_CancelForNoFullFill", "rejected"),
        ("Rejected", "0.000", "EC_Others", "rejected"),
        ("Rejected", "0.001", "EC_Others", "cancelled"),
    ],
)
def test_the_state_of_an_order(status: str, filled: str, reason: str, expected: str) -> None:
    """Partly filled and then ended is cancelled, never filled; refused only without a fill."""
    row = order_row(orderStatus=status, cumExecQty=filled, rejectReason=reason)
    frame = read(PRIVATE_URL, pushed("order", row))
    (view,) = frame.views
    assert isinstance(view, OrderView)
    assert (expected, filled) == (view.status, view.filled)
    assert frame.is_private
    assert not frame.is_control


def test_an_order_in_full() -> None:
    """All texts as they were sent."""
    (view,) = read(PRIVATE_URL, pushed("order", order_row())).views
    assert view == OrderView(
        order_id="mine", venue_order_id="77", symbol=SPOT, status="open", price="50000.10",
        quantity="0.003", filled="0", side="buy", reason="", ts=1_700_000_000_123,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("", dict(orderType="Market", qty="100")),
        ("", dict(orderType="Market", side="Sell", marketUnit="quoteCoin")),
        ("0.003", dict(orderType="Market", marketUnit="baseCoin")),
        ("0.003", dict(orderType="Market", side="Sell")),
        ("0.003", dict(orderType="Market", category="linear")),
    ],
)
def test_an_amount_of_money_is_no_quantity(expected: str, changes: dict[str, str]) -> None:
    """Spot market buys of other programs have their `qty` in the quote asset."""
    (view,) = read(PRIVATE_URL, pushed("order", order_row(**changes))).views
    assert isinstance(view, OrderView)
    assert expected == view.quantity


@pytest.mark.parametrize(
    ("asset", "changes"),
    [
        ("BTC", {}),
        ("USDT", dict(side="Sell")),
        ("USDT", dict(execFee="-0.5")),  # a rebate is in what goes out
        ("BTC", dict(side="Sell", execFee="-0.5")),
        ("USDT", dict(category="linear")),
        ("USDT", dict(category="linear", side="Sell")),
        ("MNT", dict(feeCoin="MNT")),
        ("MNT", dict(feeCurrency="MNT")),
        ("BTC", dict(feeCurrency="")),
    ],
)
def test_the_asset_of_a_fee(asset: str, changes: dict[str, str]) -> None:
    """As Bybit names it, else by its rule."""
    (view,) = read(PRIVATE_URL, pushed("execution", fill_row(**changes))).views
    assert isinstance(view, FillView)
    assert asset == view.fee_asset


def test_a_fill_in_full() -> None:
    """All texts as they were sent; the fee is paid by us when it is positive."""
    (view,) = read(PRIVATE_URL, pushed("execution", fill_row())).views
    assert view == FillView(
        order_id="mine", venue_order_id="77", symbol=SPOT, trade_id="e1", side="buy",
        price="50000.10", quantity="0.001", is_maker=True, fee_asset="BTC", fee="0.00000100",
        ts=1_700_000_000_123,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("side", "rate", "expected"),
    [
        ("Buy", "0.0000001", "0.0000001"),
        ("Sell", "0.0000001", "-0.0000001"),
        ("Sell", "-0.000761", "0.000761"),
    ],
)
def test_the_rate_of_funding_is_the_market_s(side: str, rate: str, expected: str) -> None:
    """Bybit's is from the side of the position; plain digits, however small."""
    row = fill_row(side=side, feeRate=rate, execFee="-0.1", category="linear")
    view = funding_view(CALLER, row)
    assert (expected, "-0.1", "USDT") == (view.rate, view.amount, view.asset)


def test_funding_is_no_fill() -> None:
    """It is asked for, where its payment is exact; a liquidation is one."""
    assert [] == read(PRIVATE_URL, pushed("execution", fill_row(execType="Funding"))).views
    assert 1 == len(read(PRIVATE_URL, pushed("execution", fill_row(execType="BustTrade"))).views)


@pytest.mark.parametrize(
    ("topic", "row"),
    [
        ("order", order_row(orderStatus="Surprise")),
        ("order", order_row(cumExecQty=0.001)),
        ("order", order_row(cumExecQty="1e-3")),
        ("order", order_row(price="NaN")),
        ("execution", fill_row(execFee="")),
        ("execution", fill_row(isMaker="true")),
        ("execution", fill_row(execTime=None)),
    ],
)
def test_an_order_that_cannot_be_read_is_asked_for(topic: str, row: dict[str, Any]) -> None:
    """By the client id, or by the exchange's."""
    frame = read(PRIVATE_URL, pushed(topic, row, order_row() if topic == "order" else fill_row()))
    assert (["mine"], 1, "") == (frame.ask_order, len(frame.views), frame.problem)
    frame = read(PRIVATE_URL, pushed(topic, {**row, "orderLinkId": ""}))
    assert ["#77"] == frame.ask_order


def test_recorded_private_messages(shared_data: Path) -> None:
    """Of a perpetual: order, execution, position, wallet."""
    views = [
        view
        for name in (
            "ws_account_order_filled", "ws_account_execution", "ws_account_position",
            "ws_account_wallet", "ws_account_order_partially_filled_rejected",
            "ws_account_execution_adl",
        )
        for view in read(PRIVATE_URL, recorded(shared_data, name)).views
    ]  # fmt: skip
    assert views == [
        OrderView(
            order_id="test-client-order-001", venue_order_id="5cf98598-39a7-459e-97bf-76ca765ee020",
            symbol=PERPETUAL, status="filled", price="30000.50", quantity="0.100", filled="0.100",
            side="buy", ts=1672364262457,
        ),
        FillView(
            order_id="test-order-link-001", venue_order_id="9aac161b-8ed6-450d-9cab-c5cc67c21784",
            symbol=PERPETUAL, trade_id="0ab1bdf7-4219-438b-b30a-32ec863018f7", side="sell",
            price="95900.1", quantity="0.5", is_maker=False, fee_asset="USDT", fee="26.3725275",
            ts=1746270400353,
        ),
        PositionView("ETH/USDT:USDT", "-0.01", "3641.075"),
        BalanceView("BTC", "0.00102964"),
        BalanceView("USDT", "9647.75537647"),
        OrderView(
            order_id="O-20251001-164609-APEX-000-49",
            venue_order_id="5cf98598-39a7-459e-97bf-76ca765ee021",
            symbol="APEX/USDT", status="cancelled", price="1.500", quantity="100.0", filled="50.0",
            side="buy", ts=1672364262457,
        ),
        FillView(
            order_id="", venue_order_id="9aac161b-8ed6-450d-9cab-c5cc67c21785",
            symbol=PERPETUAL, trade_id="0ab1bdf7-4219-438b-b30a-32ec863018f8", side="sell",
            price="95850.0", quantity="0.5", is_maker=False, fee_asset="USDT", fee="0",
            ts=1746270400398,
        ),
    ]  # fmt: skip


def test_recorded_public_messages(shared_data: Path) -> None:
    """Books, trades, marks."""
    snapshot = recorded(shared_data, "ws_orderbook_snapshot")
    delta = recorded(shared_data, "ws_orderbook_delta")
    for frame in (snapshot, delta):
        frame["topic"] = "orderbook.50.BTCUSDT"
    (view,) = read(LINEAR_URL, snapshot).views
    bids = (("27450.00", "0.500"), ("27449.50", "1.000"))
    asks = (("27451.00", "0.750"), ("27451.50", "0.900"))
    u = 123456789
    assert view == BookView(PERPETUAL, True, bids, asks, u, u, -1, 1709891679000)
    (view,) = read(LINEAR_URL, delta).views
    changed = (("27450.00", "0.400"),), (("27451.00", "0"),)
    assert view == BookView(PERPETUAL, False, *changed, u + 1, u + 1, u, 1709891679500)
    trade = recorded(shared_data, "ws_public_trade") | {"topic": "publicTrade.BTCUSDT"}
    (view,) = read(LINEAR_URL, trade).views
    name = "9dc75fca-4bdd-4773-9f78-6f5d7ab2a110"
    assert view == TradeView(PERPETUAL, "27451.00", "0.010", "buy", name, 1709891679000)
    (view,) = read(LINEAR_URL, recorded(shared_data, "ws_ticker_linear")).views
    assert view == MarkView(PERPETUAL, "17217.33", "17227.36", 1673272861686)


def best(kind: str, u: int, bids: Any = (), asks: Any = ()) -> dict[str, Any]:
    """A message of `orderbook.1`."""
    data = {"s": "BTCUSDT", "b": [list(b) for b in bids], "a": [list(a) for a in asks], "u": u}
    return {"topic": "orderbook.1.BTCUSDT", "type": kind, "ts": 9, "data": data}


def test_best_prices_of_messages_with_one_side() -> None:
    """The side that did not change is remembered; a level that goes makes room for the new one."""
    dialect = BybitDialect()

    def quotes(frame: Any) -> list[Any]:
        return dialect.frames(CALLER, SPOT_URL, frame).views

    start = best("snapshot", 5, [("10", "1")], [("11", "2")])
    assert [QuoteView(SPOT, "10", "1", "11", "2", 9)] == quotes(start)
    assert [QuoteView(SPOT, "10", "3", "11", "2", 9)] == quotes(best("delta", 6, [("10", "3")]))
    moved = best("delta", 7, [("10", "0"), ("9", "4")])
    assert [QuoteView(SPOT, "9", "4", "11", "2", 9)] == quotes(moved)
    assert [] == quotes(moved)  # the same message again
    assert [] == quotes(best("delta", 8, (), [("11", "0")]))  # nobody offers
    assert [QuoteView(SPOT, "9", "4", "12", "1", 9)] == quotes(best("delta", 9, (), [("12", "1")]))


def test_best_prices_with_a_gap() -> None:
    """A side may have moved unheard: the connection is not to be trusted."""
    dialect = BybitDialect()
    dialect.frames(CALLER, SPOT_URL, best("snapshot", 5, [("10", "1")], [("11", "2")]))
    frame = dialect.frames(CALLER, SPOT_URL, best("delta", 7, [("10", "3")]))
    assert ([], True) == (frame.views, "update 7 after 5" in frame.problem)
    frame = dialect.frames(CALLER, SPOT_URL, best("delta", 8, [("10", "3")]))
    assert frame.problem  # until a snapshot
    again = best("snapshot", 1, [("10", "3")], [("11", "2")])  # after a restart of the service
    assert 1 == len(dialect.frames(CALLER, SPOT_URL, again).views)


def test_two_callers_have_their_own_best_prices() -> None:
    """One account's stream completes no other's."""
    dialect = BybitDialect()
    other = Markets(SPOT)
    dialect.frames(CALLER, SPOT_URL, best("snapshot", 5, [("10", "1")], [("11", "2")]))
    assert dialect.frames(other, SPOT_URL, best("delta", 6, [("10", "3")])).problem


def test_a_ticker_without_a_mark_price_says_nothing() -> None:
    """Messages after the first have only what changed; spot has none at all."""
    frame = {"topic": "tickers.BTCUSDT", "type": "delta", "ts": 1, "data": {"indexPrice": "5"}}
    assert [] == read(LINEAR_URL, frame).views
    assert [] == read(SPOT_URL, frame).views


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (False, {"success": True, "ret_msg": "", "op": "auth", "conn_id": "x"}),
        (False, {"op": "auth", "retCode": 0, "retMsg": "OK", "connId": "x"}),
        (False, {"success": True, "ret_msg": "pong", "op": "ping", "req_id": "1"}),
        (False, {"req_id": "1", "op": "pong", "args": ["1"], "conn_id": "x"}),
        (False, {"success": True, "ret_msg": "", "req_id": "1", "op": "subscribe"}),
        (True, {"success": False, "ret_msg": "error:handler not found", "op": "subscribe"}),
        (True, {"op": "auth", "success": False, "retCode": 10003, "retMsg": "Invalid apikey"}),
        (True, {"retCode": 10019, "retMsg": "restarting", "op": "order.create"}),
        (True, {"hello": 1}),
    ],
)
def test_control_messages(problem: bool, message: dict[str, Any]) -> None:
    """Ccxt must see all of them; a refusal is a problem of the socket."""
    frame = read(PRIVATE_URL, message)
    assert (True, problem, []) == (frame.is_control, bool(frame.problem), frame.views)


def test_symbols_of_others_are_no_news() -> None:
    """An account may trade what this engine does not."""
    others = pushed("order", order_row(symbol="DOGEUSDT"), order_row())
    assert [SPOT] == [view.symbol for view in read(PRIVATE_URL, others).views]  # type: ignore[union-attr]  # order views
    frame = read(SPOT_URL, {"topic": "publicTrade.DOGEUSDT", "data": []})
    assert ([], "") == (frame.views, frame.problem)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (SPOT_URL, {"topic": "orderbook.50.BTCUSDT", "type": "delta", "ts": 1, "data": None}),
        (SPOT_URL, {"topic": "orderbook.50.BTCUSDT", "type": "delta", "ts": 1,
                    "data": {"u": 3, "b": [["1"]], "a": []}}),
        (SPOT_URL, {"topic": "orderbook.50.BTCUSDT", "type": "delta", "ts": 1,
                    "data": {"u": 3, "b": [[1.5, "1"]], "a": []}}),
        (SPOT_URL, {"topic": "publicTrade.BTCUSDT", "data": [{}]}),
        (PRIVATE_URL, {"topic": "wallet", "data": [{"coin": [{"coin": "BTC"}]}]}),
        (PRIVATE_URL, {"topic": "position", "data": [{"category": "linear", "positionIdx": 1}]}),
        (PRIVATE_URL, {"topic": "greeks", "data": [{}]}),
        (PRIVATE_URL, {"topic": "order", "data": "x"}),
        (PRIVATE_URL, "text"),
        (PRIVATE_URL, None),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_problem(url: str, message: Any) -> None:
    """Lost data is never silent."""
    frame = read(url, message)
    assert ([], True) == (frame.views, bool(frame.problem))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [*order_row(), *fill_row(), "coin", "walletBalance", "u", "b", "a", "type"]
)
TOPICS = st.sampled_from(
    ["order", "execution", "wallet", "position", "orderbook.1.BTCUSDT", "orderbook.50.BTCUSDT",
     "publicTrade.BTCUSDT", "tickers.BTCUSDT", "orderbook", ""]
)  # fmt: skip


@given(
    url=st.sampled_from([PRIVATE_URL, SPOT_URL, LINEAR_URL]),
    topic=TOPICS,
    row=st.dictionaries(FIELDS, JSON, max_size=4),
    data=st.sampled_from(["list", "object", "none"]),
)
def test_no_message_raises(url: str, topic: str, row: dict[str, Any], data: str) -> None:
    """Whatever is in a row: views, an order to ask for, a problem, or nothing; no exception."""
    whole = [order_row() | fill_row() | row]
    shapes: dict[str, Any] = {"list": whole, "object": row, "none": None}
    read(url, {"topic": topic, "type": "snapshot", "ts": 1, "data": shapes[data]})
    read(url, {"op": topic, **row})
