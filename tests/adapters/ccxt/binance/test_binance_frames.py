"""Binance's stream messages as views: recorded ones, and what no exchange should send."""

import json
from pathlib import Path
from typing import Any

import pytest

from zvt_trading.adapters.ccxt.binance import DIALECT
from zvt_trading.adapters.ccxt.dialect import Frame
from zvt_trading.adapters.ccxt.views import (
    AmendView,
    BookView,
    FillView,
    MarkView,
    OrderView,
    QuoteView,
    TradeView,
)

SPOT_URL = "wss://stream.binance.com:9443/ws"
USER_URL = "wss://ws-api.binance.com:443/ws-api/v3"
LINEAR_URL = "wss://fstream.binance.com/private/ws?listenKey=abc"


class Markets:
    """As much of ccxt as frames need: its markets."""

    def __init__(self, *bases: str) -> None:
        self.markets_by_id: dict[str, list[dict[str, Any]]] = {}
        for base in bases:
            spot = {"symbol": f"{base}/USDT", "spot": True, "linear": None, "quote": "USDT"}
            perp = {"symbol": f"{base}/USDT:USDT", "swap": True, "linear": True, "quote": "USDT"}
            self.markets_by_id[f"{base}USDT"] = [spot, perp]

    def market(self, symbol: str) -> dict[str, Any]:
        every = (market for markets in self.markets_by_id.values() for market in markets)
        return next(market for market in every if market["symbol"] == symbol)


CALLER: Any = Markets("BTC", "ETH", "BNB")


def read(url: str, message: Any) -> Frame:
    return DIALECT.frames(CALLER, url, message)


def recorded(folder: Path, name: str) -> Any:
    return json.loads((folder / "fixtures" / "binance" / name).read_text(encoding="utf-8"))


def spot(folder: Path, name: str) -> Frame:
    event = recorded(folder, f"spot/user_data_json/{name}.json")
    return read(USER_URL, {"subscriptionId": 0, "event": event})


def linear(folder: Path, name: str) -> Frame:
    return read(LINEAR_URL, recorded(folder, f"futures/user_data_json/{name}.json"))


# A spot order event, and its parts that change.
REPORT: dict[str, Any] = {
    "e": "executionReport", "E": 20, "s": "BTCUSDT", "c": "mine", "S": "BUY", "o": "LIMIT",
    "f": "GTC", "q": "1.00000000", "p": "50000.00000000", "C": "", "x": "NEW", "X": "NEW",
    "r": "NONE", "i": 7, "l": "0.00000000", "z": "0.00000000", "L": "0.00000000", "n": "0",
    "N": None, "T": 10, "t": -1, "m": False,
}  # fmt: skip


def report(**changes: Any) -> Frame:
    return read(USER_URL, {"subscriptionId": 0, "event": {**REPORT, **changes}})


def test_recorded_spot_fill(shared_data: Path) -> None:
    """The order's state, then the execution with its fee to the last digit."""
    frame = spot(shared_data, "execution_report_trade")
    ids = dict(order_id="x-TD67BGP9-T0000000000000", venue_order_id="12345678")
    assert [
        OrderView(
            **ids, symbol="ETH/USDT", status="filled", price="2500.00000000",
            quantity="1.00000000", filled="1.00000000", side="buy", ts=1709654401000,
        ),
        FillView(
            **ids, symbol="ETH/USDT", trade_id="98765432", side="buy", price="2500.00000000",
            quantity="1.00000000", is_maker=True, fee_asset="ETH", fee="0.00100000",
            ts=1709654401000,
        ),
    ] == frame.views  # fmt: skip
    assert frame.is_private
    assert not frame.is_control


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("execution_report_new", "open", ""),
        ("execution_report_canceled", "cancelled", ""),
        ("execution_report_expired", "expired", "INSUFFICIENT_LIQUIDITY"),
    ],
)
def test_recorded_spot_states(shared_data: Path, name: str, status: str, reason: str) -> None:
    """Each state, with why where the exchange says it."""
    [view] = spot(shared_data, name).views
    assert isinstance(view, OrderView)
    assert (status, reason) == (view.status, view.reason)


@pytest.mark.parametrize(
    ("name", "status", "fee"),
    [
        ("order_update_trade", "open", "0.01000000"),
        ("order_update_trade_partial", "open", "0.01000000"),
        ("order_update_calculated", "filled", "0.06937084"),
        ("order_update_adl", "open", "0.10500000"),
        ("order_update_insurance", "open", "0.45000000"),
        ("order_update_settlement", "filled", "0.25000000"),
        ("order_update_new", "open", None),
        ("order_update_calculated_pending", "open", None),
    ],
)
def test_recorded_futures_orders(
    shared_data: Path, name: str, status: str, fee: str | None
) -> None:
    """Trades, liquidations, deleveraging: the state, and what was executed with its fee."""
    views = linear(shared_data, name).views
    assert isinstance(views[0], OrderView)
    assert ("BTC/USDT:USDT", status) == (views[0].symbol, views[0].status)
    assert ([] if fee is None else [fee]) == [v.fee for v in views[1:] if isinstance(v, FillView)]


@pytest.mark.parametrize(
    "name", ["account_update", "account_update_bnfcr", "trade_lite", "algo_update_new"]
)
def test_recorded_futures_events_that_say_nothing_of_orders(shared_data: Path, name: str) -> None:
    """Balances are asked for, TRADE_LITE is the fill again without its fee."""
    frame = linear(shared_data, name)
    assert ([], "") == (frame.views, frame.problem)


def test_recorded_futures_market(shared_data: Path) -> None:
    """Book with `pu`, aggregate trade, mark."""

    def one(name: str, native: str = "BTCUSDT") -> Any:
        event = recorded(shared_data, f"futures/market_data_json/{name}.json")
        [view] = read("wss://fstream.binance.com/public/ws", {**event, "s": native}).views
        return view

    perp = "BTC/USDT:USDT"
    assert BookView(
        perp, False, (("0.0024", "10"),), (("0.0026", "100"),), 157, 160, 149, 123456788
    ) == one("depth_update_stream")
    assert TradeView(perp, "0.001", "100", "sell", "5933014", 123456785) == one("agg_trade_stream")
    assert MarkView(perp, "11794.15000000", "11784.62659091", 1562305380000) == one(
        "mark_price_stream"
    )
    assert QuoteView(
        "BNB/USDT:USDT", "25.35190000", "31.21000000", "25.36520000", "40.66000000", 1568014460891
    ) == one("book_ticker_stream", "BNBUSDT")


def test_spot_market() -> None:
    """The same native symbol is spot on a spot address; its bookTicker has no name and no time."""
    quote = {"u": 4, "s": "BTCUSDT", "b": "1.0", "B": "2.0", "a": "3.0", "A": "4.0"}
    depth = {"e": "depthUpdate", "E": 5, "s": "BTCUSDT", "U": 2, "u": 3, "b": [], "a": []}
    wrapped = {"stream": "btcusdt@bookTicker", "data": quote}
    expected = [QuoteView("BTC/USDT", "1.0", "2.0", "3.0", "4.0", 0)]
    assert expected == read(SPOT_URL, quote).views
    assert expected == read(SPOT_URL, wrapped).views
    assert [BookView("BTC/USDT", False, (), (), 2, 3, -1, 5)] == read(SPOT_URL, depth).views


def test_a_cancel_is_of_the_order_that_it_ends() -> None:
    """`c` is the client id of the cancel request then, `C` the order's."""
    [view] = report(x="CANCELED", X="CANCELED", c="another", C="mine").views
    assert isinstance(view, OrderView)
    assert ("mine", "cancelled") == (view.order_id, view.status)


def test_a_cancel_of_a_part_filled_order_keeps_what_was_filled() -> None:
    """Cancelled, with the exchange's cumulative quantity; ccxt says the same of Binance."""
    [view] = report(x="CANCELED", X="CANCELED", z="0.40000000").views
    assert isinstance(view, OrderView)
    assert ("cancelled", "0.40000000") == (view.status, view.filled)


def test_a_rejected_order_never_had_an_id_of_the_exchange() -> None:
    """-1 is none; the client id is in `c`, whatever the absent original is written as."""
    for absent in ("", "null"):
        [view] = report(x="REJECTED", X="REJECTED", r="INSUFFICIENT_BALANCE", i=-1, C=absent).views
        assert isinstance(view, OrderView)
        assert ("mine", "", "rejected") == (view.order_id, view.venue_order_id, view.status)
        assert "INSUFFICIENT_BALANCE" == view.reason


def test_a_duplicate_says_nothing_of_the_order_that_has_the_id() -> None:
    """It must not end the first one."""
    frame = report(x="REJECTED", X="REJECTED", r="DUPLICATE_ORDER", i=-1)
    assert ([], "") == (frame.views, frame.problem)


def test_an_amend() -> None:
    """REPLACED of spot and AMENDMENT of futures: the new terms, no new order."""
    expected: dict[str, Any] = dict(
        order_id="mine", venue_order_id="7", price="50000.00000000", ts=10
    )
    assert [AmendView(**expected, symbol="BTC/USDT", quantity="0.50000000")] == report(
        x="REPLACED", q="0.50000000"
    ).views
    update = {"e": "ORDER_TRADE_UPDATE", "o": {**REPORT, "x": "AMENDMENT", "q": "0.5"}}
    assert [AmendView(**expected, symbol="BTC/USDT:USDT", quantity="0.5")] == read(
        LINEAR_URL, update
    ).views


def test_a_fill_without_fee_is_charged_nothing_in_the_quote_asset() -> None:
    """Promotions: "n" is zero and "N" null."""
    _, fill = report(x="TRADE", X="FILLED", l="1.00000000", L="50000.00000000", t=3).views
    assert isinstance(fill, FillView)
    assert ("0", "USDT") == (fill.fee, fill.fee_asset)


def test_a_fee_in_a_third_asset() -> None:
    """Paid in BNB: as it is said."""
    _, fill = report(x="TRADE", X="FILLED", l="1.0", L="5.0", t=3, n="0.00012345", N="BNB").views
    assert isinstance(fill, FillView)
    assert ("0.00012345", "BNB") == (fill.fee, fill.fee_asset)


@pytest.mark.parametrize(
    "message",
    [
        {"e": "listenKeyExpired", "E": 1, "listenKey": "abc"},
        {"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": 1}},
        {"e": "serverShutdown", "E": 1},
        {"id": 1, "error": {"code": 2, "msg": "Invalid request"}},
        {"id": "user-data", "status": 400, "error": {"code": -1022, "msg": "Signature"}},
        {"id": "user-data", "status": 403},
    ],
)
def test_the_end_of_a_stream_is_a_problem(message: dict[str, Any]) -> None:
    """What says that nothing more will come, or that nothing was subscribed."""
    frame = read(USER_URL, message)
    assert frame.problem
    assert [] == frame.views


@pytest.mark.parametrize(
    "message",
    [
        {"result": None, "id": 1},
        {"id": "user-data", "status": 200, "result": {"subscriptionId": 0}},
        {"e": "somethingNew", "E": 1},
        {"subscriptionId": 0, "event": {"e": "balanceUpdate", "E": 1, "a": "BTC", "d": "1"}},
        {},
        [],
        [1, 2],
        "pong",
        None,
        {"e": ["depthUpdate"]},
        {"e": "trade", "s": "DOGEEUR", "t": 1, "p": "1", "q": "1", "m": True, "T": 1},
    ],
)
def test_what_says_nothing_is_nothing(message: Any) -> None:
    """Acks, unknown events, symbols that are not loaded: no view, no problem, nothing for ccxt."""
    frame = read(SPOT_URL, message)
    assert ([], "", False) == (frame.views, frame.problem, frame.is_control)


@pytest.mark.parametrize(
    "changes",
    [
        {"z": 0.4},
        {"z": None},
        {"p": "5e4"},
        {"p": "NaN"},
        {"X": "SOMETHING_NEW"},
        {"i": None},
        {"i": True},
        {"S": "HOLD"},
        {"T": "soon"},
        {"x": "TRADE", "l": "1.0", "L": "5.0", "t": 3, "n": "0.1"},
        {"x": "TRADE", "l": "1.0", "L": "5.0", "t": 3, "m": "yes"},
    ],
)
def test_what_cannot_be_read_exactly_is_a_problem_not_a_guess(changes: dict[str, Any]) -> None:
    """A float, a missing field, an unknown state: the socket is not to be trusted."""
    frame = report(**changes)
    assert [] == frame.views
    assert "cannot be read" in frame.problem


@pytest.mark.parametrize("levels", [None, "x", [["1.0"]], [[1.5, "2"]], [["1.0", "x"]], [{}]])
def test_a_book_that_cannot_be_read_is_a_problem(levels: Any) -> None:
    """No level is left out."""
    event = {"e": "depthUpdate", "E": 5, "s": "BTCUSDT", "U": 2, "u": 3, "b": levels, "a": []}
    frame = read(SPOT_URL, event)
    assert [] == frame.views
    assert "cannot be read" in frame.problem
