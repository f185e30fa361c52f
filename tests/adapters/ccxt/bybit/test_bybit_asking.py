"""A list is asked for to its end, and what is no answer is none; pure."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from emulator.bybit.bybit_dialect_world import SYMBOLS, Markets, wanted
from emulator.bybit.bybit_world import PERPETUAL, SPOT
from zvt_trading.adapters.ccxt.bybit import DIALECT
from zvt_trading.adapters.ccxt.bybit.asking import WEEK_MS, all_rows, result_of, rows_since
from zvt_trading.adapters.ccxt.views import OPEN, OrderView
from zvt_trading.errors import CallerError
from zvt_trading.ports.venue import QueryFailedError

Params = Mapping[str, Any]
NO_ANSWERS: tuple[Any, ...] = (
    None,
    "",
    "<html>not json</html>",
    [],
    {},
    {"result": {"list": []}},
    {"retCode": None, "result": {"list": []}},
    {"retCode": "0", "result": {"list": []}},
    {"retCode": 10000, "retMsg": "Server Timeout", "result": {}},
    {"retCode": 0},
    {"retCode": 0, "result": []},
    {"retCode": 0, "result": None},
)
NO_LISTS: tuple[Any, ...] = (
    {"retCode": 0, "result": {}},
    {"retCode": 0, "result": {"list": None, "nextPageCursor": ""}},
    {"retCode": 0, "result": {"list": ["x"], "nextPageCursor": ""}},
    {"retCode": 0, "result": {"list": [{}]}},
)


def answer(rows: Any, cursor: Any = "") -> dict[str, Any]:
    return {"retCode": 0, "retMsg": "OK", "result": {"list": rows, "nextPageCursor": cursor}}


class Scripted(Markets):
    """ccxt with answers by hand, and what was asked of it."""

    def __init__(self, *answers: Any, now: int = 10 * WEEK_MS) -> None:
        super().__init__(*SYMBOLS)
        self.asked: list[dict[str, Any]] = []
        self._answers = list(answers)
        self._now = now

    def nonce(self) -> int:
        return self._now

    async def ask(self, params: Params) -> Any:
        self.asked.append(dict(params))
        return self._answers.pop(0)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("private"):
            return self.ask
        raise AttributeError(name)


@pytest.mark.parametrize("said", [*NO_ANSWERS, *NO_LISTS])
def test_what_is_no_answer(said: Any) -> None:
    """It raises: nothing is open is another answer."""
    with pytest.raises(QueryFailedError):
        asyncio.run(all_rows(Scripted(said).ask, {}))


@pytest.mark.parametrize("said", NO_ANSWERS)
def test_what_takes_no_order_back(said: Any) -> None:
    """A cancel, a change, the end of a question: nothing proven."""
    for question in (
        DIALECT.cancel(Scripted(said), SPOT, "mine", ""),
        DIALECT.find(Scripted(said), SPOT, "mine", ""),
        DIALECT.find(Scripted(answer([]), said), SPOT, "mine", ""),
        DIALECT.balances(Scripted(said)),
        DIALECT.open_orders(Scripted(answer([]), said), SYMBOLS),
    ):
        with pytest.raises(QueryFailedError):
            asyncio.run(question)


def test_every_page() -> None:
    """Until there is no cursor, or no row."""
    pages = Scripted(answer([{"n": 1}], "a"), answer([{"n": 2}], "b"), answer([{"n": 3}]))
    rows = asyncio.run(all_rows(pages.ask, {"limit": 1}))
    assert [1, 2, 3] == [row["n"] for row in rows]
    assert [{"limit": 1}, {"limit": 1, "cursor": "a"}, {"limit": 1, "cursor": "b"}] == pages.asked
    pages = Scripted(answer([{"n": 1}], "a"), answer([], "b"))
    assert 1 == len(asyncio.run(all_rows(pages.ask, {})))


def test_a_page_that_fails_fails_the_list() -> None:
    """Half of a list is no list."""
    for last in (None, answer([{"n": 2}], "a")):  # the same cursor again would go on for ever
        with pytest.raises(QueryFailedError):
            asyncio.run(all_rows(Scripted(answer([{"n": 1}], "a"), last).ask, {}))


def test_every_week() -> None:
    """Bybit answers for seven days from the start only: a later start hides what is newer."""
    weeks = Scripted(*[answer([{"n": n}]) for n in range(3)])
    since = weeks.nonce() - 2 * WEEK_MS - 5
    rows = asyncio.run(rows_since(weeks, weeks.ask, {}, since))
    assert [0, 1, 2] == [row["n"] for row in rows]
    starts = [since, since + WEEK_MS + 1, since + 2 * WEEK_MS + 2]
    assert [(start, start + WEEK_MS) for start in starts] == [
        (asked["startTime"], asked["endTime"]) for asked in weeks.asked
    ]
    assert weeks.asked[-1]["endTime"] > weeks.nonce()


def test_a_start_ahead_of_our_clock_is_asked_for_all_the_same() -> None:
    """The exchange's clock may be ahead."""
    one = Scripted(answer([]))
    asyncio.run(rows_since(one, one.ask, {}, one.nonce() + 1))
    assert 1 == len(one.asked)


def row(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "orderId": "77", "orderLinkId": "mine", "side": "Buy",
        "orderType": "Limit", "price": "50000", "qty": "0.002", "cumExecQty": "0",
        "orderStatus": "New", "updatedTime": "5", **changes,
    }  # fmt: skip


def test_an_order_is_absent_when_both_lists_are_empty() -> None:
    """Asked for by our id, never by "None", in the open ones and in the history."""
    nobody = Scripted(answer([]), answer([]))
    assert asyncio.run(DIALECT.find(nobody, SPOT, "mine", "77")) is None
    expected = {"category": "spot", "symbol": "BTCUSDT", "orderLinkId": "mine"}
    assert [expected, expected] == nobody.asked
    closed = Scripted(answer([]), answer([row(orderStatus="Cancelled")]))
    found = asyncio.run(DIALECT.find(closed, SPOT, "", "77"))
    assert found is not None
    assert "cancelled" == found.status
    assert {"category": "spot", "symbol": "BTCUSDT", "orderId": "77"} == closed.asked[0]


@pytest.mark.parametrize(
    "rows",
    [[row(orderLinkId="other")], [row(), row()], [row(orderStatus="Surprise")], [row(qty=1.5)]],
)
def test_another_order_is_no_answer(rows: list[Any]) -> None:
    """Nor is one that cannot be read."""
    with pytest.raises(QueryFailedError):
        asyncio.run(DIALECT.find(Scripted(answer(rows)), SPOT, "mine", ""))


def test_an_order_needs_a_name() -> None:
    """Without an id every order would be meant."""
    with pytest.raises(CallerError):
        asyncio.run(DIALECT.cancel(Scripted(), SPOT, "", ""))


def fill(name: str, quantity: str, ts: str = "5") -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "orderId": "77", "orderLinkId": "mine", "side": "Buy",
        "execId": name, "execPrice": "50000", "execQty": quantity, "execType": "Trade",
        "execFee": "0.00000100", "feeCurrency": "BTC", "isMaker": True, "execTime": ts,
    }  # fmt: skip


def order(filled: str) -> OrderView:
    return OrderView(order_id="mine", venue_order_id="77", symbol=SPOT, status=OPEN, filled=filled)


def test_the_fills_of_an_order_add_up() -> None:
    """Older weeks are looked at, and a sum that stays short is no answer."""
    two = Scripted(
        answer([fill("b", "0.001", "6")]), answer([fill("b", "0.001", "6"), fill("a", "0.002")])
    )
    fills = asyncio.run(DIALECT.fills_of(two, order("0.003")))
    assert ["a", "b"] == [view.trade_id for view in fills]
    assert two.asked[0]["startTime"] == two.asked[1]["endTime"]
    short = Scripted(*[answer([fill("a", "0.002")])] * 4)
    with pytest.raises(QueryFailedError, match=r"0\.001 short"):
        asyncio.run(DIALECT.fills_of(short, order("0.003")))


def test_positions_in_hedge_mode_are_refused() -> None:
    """Two positions of a symbol are none that this engine can hold."""
    both = {"positionIdx": 1, "symbol": "BTCUSDT", "side": "Buy", "size": "1"}
    with pytest.raises(QueryFailedError, match="hedge mode"):
        asyncio.run(DIALECT.positions(Scripted(answer([both])), [PERPETUAL]))


@pytest.mark.parametrize(
    ("params", "changes"),
    [
        (dict(timeInForce="GTC"), {}),
        (dict(timeInForce="IOC"), dict(tif="IOC")),
        (dict(timeInForce="FOK"), dict(tif="FOK")),
        (dict(timeInForce="PostOnly"), dict(post_only=True)),
        (dict(timeInForce="GTC", positionIdx=0), dict(symbol=PERPETUAL)),
        (dict(timeInForce="GTC", positionIdx=0, reduceOnly=True),
         dict(symbol=PERPETUAL, reduce_only=True)),
    ],
)  # fmt: skip
def test_how_an_order_is_placed(params: dict[str, Any], changes: dict[str, Any]) -> None:
    """Under our id, as a limit order, with exact texts."""
    asked = wanted(**changes)
    create = DIALECT.create(asked, Markets(*SYMBOLS).market(asked.symbol))
    assert {"orderLinkId": "mine", **params} == create.params
    assert ("limit", "buy", "0.002", "50000") == (
        create.type, create.side, create.amount, create.price,
    )  # fmt: skip


def test_there_are_no_orders_with_an_end() -> None:
    """Sent as good till cancelled it would stay."""
    with pytest.raises(CallerError, match="GTD"):
        DIALECT.create(wanted(tif="GTD"), Markets(SPOT).market(SPOT))


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"info": None},
        {"info": "<html>"},
        {"info": {}},
        {"info": {"orderId": "", "orderLinkId": "mine"}},
        {"info": {"orderId": "77", "orderLinkId": "other"}},
        {"info": {"orderId": "77"}},
        {"id": "77", "info": {"orderId": 77, "orderLinkId": "mine"}},
    ],
)
def test_an_answer_that_proves_nothing(said: dict[str, Any]) -> None:
    """Both ids must be there, and ours be ours."""
    assert [] == DIALECT.created(said, wanted())


def test_an_answer_proves_that_the_order_was_taken() -> None:
    """Not what became of it."""
    (view,) = DIALECT.created({"info": {"orderId": "77", "orderLinkId": "mine"}}, wanted())
    assert view == OrderView(
        order_id="mine", venue_order_id="77", symbol=SPOT, status=OPEN, price="50000",
        quantity="0.002", filled="", side="buy",
    )  # fmt: skip


@pytest.mark.parametrize("code", ["10000", "10016", "110079", "170007", "170146", "170147",
                                  "10429", "110072", "170141", "170149", "170234", ""])  # fmt: skip
def test_codes_that_prove_nothing(code: str) -> None:
    """Timeouts, inner errors, and an id that is in use: the order may be there."""
    assert code not in DIALECT.profile.refusals.codes


def test_results_are_objects() -> None:
    """The one good form."""
    assert {"a": 1} == result_of({"retCode": 0, "retMsg": "OK", "result": {"a": 1}})
