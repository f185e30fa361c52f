"""Orders on the emulated Bybit: what is taken, what is refused and with which code."""

from typing import Any

import pytest

from emulator.bybit.bybit_world import (
    BUY_ABOVE,
    BUY_BELOW,
    INSIDE,
    PERPETUAL,
    SPOT,
    Hand,
    run,
    socket_of,
)
from zvt_trading.emulator.faults import HIDE, PLACE, Fault


@pytest.mark.parametrize(
    ("code", "category", "changes"),
    [
        (170134, "spot", dict(price="50000.05")),  # off the tick of 0.10
        (170134, "spot", dict(price="50000.005")),
        (10001, "linear", dict(price="50000.05")),
        (170137, "spot", dict(qty="0.0010000001")),
        (170136, "spot", dict(qty="0.000001")),
        (10001, "linear", dict(qty="0.0005")),
        (170135, "spot", dict(qty="10001")),
        (170140, "spot", dict(qty="0.00001")),  # worth 0.50 USDT
        (170131, "spot", dict(qty="1000")),
        (110007, "linear", dict(qty="1000")),
        (110017, "linear", dict(reduceOnly=True)),
        (170218, "spot", dict(price=BUY_ABOVE, timeInForce="PostOnly")),
        (170121, "spot", dict(symbol="DOGEUSDT")),
        (10001, "linear", dict(symbol="DOGEUSDT")),
        (10001, "futures", {}),
        (10001, "spot", dict(side="buy")),
        (10001, "spot", dict(timeInForce="GTD")),
        (10001, "spot", dict(qty=0.001)),  # a number, not a text
        (10001, "spot", dict(qty="1e-3")),
        (10001, "spot", dict(orderLinkId="x" * 37)),
        (10001, "spot", dict(orderLinkId="a.b")),
        (10001, "linear", dict(triggerPrice="1")),
    ],
)
def test_refusals(code: int, category: str, changes: dict[str, Any]) -> None:
    """By HTTP 200; nothing is kept of the order."""

    async def story(hand: Hand) -> None:
        answer = await hand.create(category, **changes)
        assert (200, code) == (hand.status, answer["retCode"]), answer
        assert not hand.house.orders

    run(story)


@pytest.mark.parametrize(("category", "code"), [("spot", 170141), ("linear", 110072)])
def test_a_client_id_is_used_once_in_a_category(category: str, code: int) -> None:
    """Also after the order is over, and while queries hide it."""

    async def story(hand: Hand) -> None:
        hand.house.faults.add(Fault(HIDE, PLACE, ms=60_000))
        order_id = await hand.placed(category, orderLinkId="mine")
        assert code == (await hand.create(category, orderLinkId="mine"))["retCode"]
        hand.house.cancel(hand.house.orders[order_id])
        assert code == (await hand.create(category, orderLinkId="mine"))["retCode"]
        other = "linear" if category == "spot" else "spot"
        assert 0 == (await hand.create(other, orderLinkId="mine"))["retCode"]

    run(story)


@pytest.mark.parametrize(
    ("status", "reason", "category", "changes"),
    [
        ("New", "EC_NoError", "spot", {}),
        ("New", "EC_NoError", "linear", dict(timeInForce="PostOnly")),
        ("Cancelled", "EC_PostOnlyWillTakeLiquidity", "linear",
         dict(price=BUY_ABOVE, timeInForce="PostOnly")),
        ("Cancelled", "EC_CancelForNoFullFill", "spot", dict(timeInForce="FOK")),
        ("Cancelled", "EC_CancelForNoFullFill", "linear", dict(timeInForce="FOK")),
        ("Cancelled", "EC_NoImmediateQtyToFill", "spot", dict(timeInForce="IOC")),
        ("Filled", "EC_NoError", "spot", dict(price=BUY_ABOVE)),
        ("Filled", "EC_NoError", "linear", dict(orderType="Market")),
        ("Filled", "EC_NoError", "spot", dict(orderType="Market", marketUnit="baseCoin")),
        ("Filled", "EC_NoError", "spot", dict(orderType="Market", qty="100")),
    ],
)  # fmt: skip
def test_what_becomes_of_orders(
    status: str, reason: str, category: str, changes: dict[str, Any]
) -> None:
    """The answer only says that the order was taken."""

    async def story(hand: Hand) -> None:
        answer = await hand.create(category, orderLinkId="mine", **changes)
        assert ["orderId", "orderLinkId"] == list(answer["result"])
        row = await hand.order(answer["result"]["orderId"], category)
        assert (status, reason) == (row["orderStatus"], row["rejectReason"])
        assert "mine" == row["orderLinkId"]

    run(story)


@pytest.mark.parametrize(
    ("status", "category", "symbol"),
    [("PartiallyFilledCanceled", "spot", SPOT), ("Cancelled", "linear", PERPETUAL)],
)
def test_a_cancelled_order_that_was_filled_in_part(status: str, category: str, symbol: str) -> None:
    """Spot has a word of its own for it."""

    async def story(hand: Hand) -> None:
        order_id = await hand.placed(category, qty="0.003", price=INSIDE)
        hand.sells("0.001", INSIDE, symbol)
        assert "PartiallyFilled" == (await hand.order(order_id, category))["orderStatus"]
        params = dict(category=category, symbol="BTCUSDT", orderId=order_id)
        assert 0 == (await hand.post("/v5/order/cancel", **params))["retCode"]
        row = await hand.order(order_id, category)
        assert (status, "0.001000") == (row["orderStatus"], row["cumExecQty"])
        assert "CancelByUser" == row["cancelType"]

    run(story)


def test_cancel_by_either_id_and_nothing_else() -> None:
    """`clientOrderId`, which ccxt would send, is no name of Bybit's."""

    async def story(hand: Hand) -> None:
        for name in ("a", "b"):
            await hand.placed(orderLinkId=name)
        path, market = "/v5/order/cancel", dict(category="spot", symbol="BTCUSDT")
        assert 10001 == (await hand.post(path, **market, clientOrderId="a"))["retCode"]
        assert 0 == (await hand.post(path, **market, orderLinkId="a"))["retCode"]
        assert 170213 == (await hand.post(path, **market, orderLinkId="a"))["retCode"]
        assert 170213 == (await hand.post(path, **market, orderId="999"))["retCode"]
        linear = dict(category="linear", symbol="BTCUSDT", orderLinkId="b")
        assert 110001 == (await hand.post(path, **linear))["retCode"]

    run(story)


def test_amend_keeps_the_id() -> None:
    """Price and total quantity; what stays as it is is refused."""

    async def story(hand: Hand) -> None:
        order_id = await hand.placed()
        path, market = "/v5/order/amend", dict(category="spot", symbol="BTCUSDT", orderId=order_id)
        answer = await hand.post(path, **market, price="50001.00", qty="0.002")
        assert order_id == answer["result"]["orderId"]
        row = await hand.order(order_id)
        assert ("50001.00", "0.002000") == (row["price"], row["qty"])
        same = await hand.post(path, **market, price="50001.0", qty="0.002")
        assert 10001 == same["retCode"]
        assert 170134 == (await hand.post(path, **market, price="50000.01"))["retCode"]
        assert 170213 == (await hand.post(path, **{**market, "orderId": "9"}, qty="1"))["retCode"]

    run(story)


def test_cancel_all_of_one_category() -> None:
    """The other one's orders stay."""

    async def story(hand: Hand) -> None:
        spot = [await hand.placed(), await hand.placed()]
        perpetual = await hand.placed("linear")
        answer = await hand.post("/v5/order/cancel-all", category="spot")
        assert spot == [row["orderId"] for row in answer["result"]["list"]]
        assert "New" == (await hand.order(perpetual, "linear"))["orderStatus"]

    run(story)


def test_a_batch_has_an_outcome_for_each() -> None:
    """Errors are in retExtInfo, in the order of the requests."""

    async def story(hand: Hand) -> None:
        one = dict(symbol="BTCUSDT", side="Buy", orderType="Limit", qty="0.001", price=BUY_BELOW)
        orders = [{**one, "orderLinkId": "a"}, {**one, "price": "50000.05"}]
        answer = await hand.post("/v5/order/create-batch", category="spot", request=orders)
        codes = [row["code"] for row in answer["retExtInfo"]["list"]]
        assert [0, 170134] == codes
        ids = [row["orderId"] for row in answer["result"]["list"]]
        assert ["a", ""] == [hand.house.orders[i].client_id if i else "" for i in ids]

    run(story)


def test_orders_by_the_trade_socket() -> None:
    """Create, change and take back; errors have the same codes."""

    async def story(hand: Hand) -> None:
        async with socket_of(hand, "/v5/trade") as socket:
            await socket.login(hand)
            market = dict(category="spot", symbol="BTCUSDT")
            order = dict(**market, side="Buy", orderType="Limit", qty="0.001", price=BUY_BELOW)
            header = {"X-BAPI-TIMESTAMP": str(hand.house.clock.now_ms())}
            ids: dict[str, str] = {}
            for op, args, code in (
                ("order.create", order, 0),
                ("order.create", {**order, "price": "50000.05"}, 170134),
                ("order.amend", {**market, "qty": "0.002"}, 0),
                ("order.cancel", market, 0),
                ("order.cancel", market, 170213),
            ):
                await socket.say(op=op, reqId="7", header=header, args=[{**args, **ids}])
                answer = await socket.next(op)
                assert (code, "7") == (answer["retCode"], answer["reqId"])
                ids = ids or {"orderId": answer["data"]["orderId"]}

    run(story)


def test_a_hidden_order_is_found_by_no_query_but_is_there() -> None:
    """Neither open nor in the history; its fills are hidden with it."""

    async def story(hand: Hand) -> None:
        hand.house.faults.add(Fault(HIDE, PLACE, ms=60_000))
        await hand.placed(orderLinkId="mine", price=BUY_ABOVE)
        for path in ("/v5/order/realtime", "/v5/order/history", "/v5/execution/list"):
            answer = await hand.get(path, category="spot", orderLinkId="mine")
            assert (0, []) == (answer["retCode"], answer["result"]["list"])
        assert "BTC" in {line.get("asset") for line in hand.house.record.lines}

    run(story)


def test_a_user_s_limit_is_said_in_headers_and_then_refused() -> None:
    """10006 by HTTP 200; who goes on from one address is shut out with 403."""

    async def story(hand: Hand) -> None:
        await hand.create()
        assert ("10", "9") == (hand.headers["X-Bapi-Limit"], hand.headers["X-Bapi-Limit-Status"])
        hand.mean("place")
        answer = await hand.create()
        assert (200, 10006, "0") == (
            hand.status,
            answer["retCode"],
            hand.headers["X-Bapi-Limit-Status"],
        )
        hand.house.limits.ban(60_000)
        await hand.create()
        assert 403 == hand.status

    run(story)


def test_leverage_is_set_once() -> None:
    """As it was is an error of its own."""

    async def story(hand: Hand) -> None:
        path, market = "/v5/position/set-leverage", dict(category="linear", symbol="BTCUSDT")
        five = dict(buyLeverage="5", sellLeverage="5")
        assert 0 == (await hand.post(path, **market, **five))["retCode"]
        assert 110043 == (await hand.post(path, **market, **five))["retCode"]
        assert (
            110013
            == (await hand.post(path, **market, buyLeverage="101", sellLeverage="101"))["retCode"]
        )

    run(story)
