"""What the emulated Binance refuses, with the exchange's own codes and texts."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from emulator.binance.binance_world import Hand, by_hand
from zvt_trading.emulator.faults import Fault
from zvt_trading.emulator.limits import Budget

SPOT = "/api/v3/order"
LINEAR = "/fapi/v1/order"
LIMIT = dict(
    symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="50000"
)

# What is changed of a good limit order (None: left out), and the answer.
REFUSED: list[tuple[str, dict[str, Any], int]] = [
    (SPOT, {"symbol": "NOSUCH"}, -1121),
    (SPOT, {"symbol": None}, -1102),
    (SPOT, {"side": "HOLD"}, -1117),
    (SPOT, {"type": "STOP_LOSS"}, -1116),
    (SPOT, {"timeInForce": "GTX"}, -1115),
    (SPOT, {"timeInForce": None}, -1102),
    (SPOT, {"quantity": None}, -1102),
    (SPOT, {"price": None}, -1102),
    (SPOT, {"price": "5e4"}, -1100),
    (SPOT, {"price": "50000.001"}, -1111),
    (SPOT, {"quantity": "0.000005"}, -1013),
    (SPOT, {"quantity": "0.00005"}, -1013),
    (SPOT, {"quantity": "900"}, -2010),
    (SPOT, {"clientOrderId": "abc"}, -1104),
    (SPOT, {"newClientOrderId": "not/allowed"}, -1100),
    (SPOT, {"type": "LIMIT_MAKER"}, -1106),
    (SPOT, {"type": "LIMIT_MAKER", "timeInForce": None, "price": "70000"}, -2010),
    (SPOT, {"type": "MARKET", "timeInForce": None}, -1106),
    (SPOT, {"type": "MARKET", "timeInForce": None, "quantity": "0.01"}, -1106),
    (SPOT, {"type": "MARKET", "timeInForce": None, "price": None, "quantity": None}, -1102),
    (SPOT, {"quoteOrderQty": "10"}, -1106),
    (SPOT, {"side": None}, -1102),
    (LINEAR, {"symbol": "ETHUSDT"}, -1121),
    (LINEAR, {"quantity": "90000"}, -4005),
    (LINEAR, {"goodTillDate": "soon", "timeInForce": "GTD"}, -1100),
    (LINEAR, {"quantity": "0.0005"}, -1111),
    (LINEAR, {"quantity": "0.001", "price": "1000"}, -4164),
    (LINEAR, {"price": "50000.05"}, -4014),
    (LINEAR, {"quantity": "9000"}, -2019),
    (LINEAR, {"timeInForce": "GTX", "price": "70000"}, -5022),
    (LINEAR, {"timeInForce": "FOK"}, -5021),
    (LINEAR, {"timeInForce": "GTD", "goodTillDate": "1"}, -5040),
    (LINEAR, {"reduceOnly": "true"}, -2022),
    (LINEAR, {"positionSide": "LONG"}, -4061),
    (LINEAR, {"newClientOrderId": "a" * 37}, -1100),
]  # fmt: skip


def run(story: Any) -> None:
    async def whole() -> None:
        async with by_hand() as hand:
            await story(hand)

    asyncio.run(whole())


async def ordered(hand: Hand, path: str = SPOT, **changes: Any) -> Any:
    params = {name: value for name, value in {**LIMIT, **changes}.items() if value is not None}
    return await hand.signed("POST", path, **params)


def test_an_order_that_breaks_a_rule_is_refused_with_the_rules_code() -> None:
    """Each case alone: HTTP 400, its code, and no order."""

    async def story(hand: Hand) -> None:
        got = []
        for path, changes, _ in REFUSED:
            answer = await ordered(hand, path, **changes)
            got.append((path, changes, answer.get("code", 0) if hand.status == 400 else answer))
        assert REFUSED == got
        assert {} == hand.house.orders

    run(story)


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [(SPOT, -2010, "Duplicate order sent."), (LINEAR, -4116, "ClientOrderId is duplicated.")],
)
def test_a_client_order_id_is_unique_among_open_orders_only(
    path: str, code: int, text: str
) -> None:
    """Again while it is open: refused; again after its end: a second order."""

    async def story(hand: Hand) -> None:
        first = await ordered(hand, path, newClientOrderId="mine-1")
        assert {"code": code, "msg": text} == await ordered(hand, path, newClientOrderId="mine-1")
        await hand.signed("DELETE", path, symbol="BTCUSDT", origClientOrderId="mine-1")
        second = await ordered(hand, path, newClientOrderId="mine-1")
        assert first["orderId"] != second["orderId"]
        found = await hand.signed("GET", path, symbol="BTCUSDT", origClientOrderId="mine-1")
        assert second["orderId"] == found["orderId"]

    run(story)


def test_the_same_client_order_id_may_be_open_on_both_markets() -> None:
    """Spot and futures do not know of one another."""

    async def story(hand: Hand) -> None:
        await ordered(hand, SPOT, newClientOrderId="both")
        assert "NEW" == (await ordered(hand, LINEAR, newClientOrderId="both"))["status"]

    run(story)


def test_who_may_call() -> None:
    """No key, a wrong key, signature or time, a key without permission: code and status."""

    async def story(hand: Hand) -> None:
        path, now = "/api/v3/account", hand.house.clock.now_ms()
        got = []
        for params in (
            {"signature": "0" * 64},
            {"timestamp": now - 6_000},
            {"timestamp": now + 1_500},
            {"timestamp": now - 6_000, "recvWindow": 10_000},
            {"recvWindow": 60_001},
            {"timestamp": ""},
        ):
            answer = await hand.signed("GET", path, **params)
            got.append((hand.status, answer.get("code", 0)))
        answer = await hand.public("GET", path)
        got.append((hand.status, answer["code"]))
        hand.house.keys[hand.key.key] = replace(hand.key, can_trade=False)
        got.append(((await ordered(hand))["code"], hand.status))
        hand.key = replace(hand.key, key="unknown")
        got.append(((await hand.signed("GET", path))["code"], hand.status))
        assert [
            (400, -1022), (400, -1021), (400, -1021), (200, 0), (400, -1131), (400, -1102),
            (401, -2014), (-2015, 401), (-2015, 401),
        ] == got  # fmt: skip

    run(story)


def test_parameters_may_not_be_sent_twice_or_be_unknown() -> None:
    """-1101 and -1104, as on the real exchange."""

    async def story(hand: Hand) -> None:
        answer = await hand.public("GET", "/api/v3/depth", symbol="BTCUSDT", depth="5")
        assert (-1104, 400) == (answer["code"], hand.status)
        answer = await hand.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT", limit=5)
        assert (-1104, 400) == (answer["code"], hand.status)
        query = [("symbol", "BTCUSDT"), ("symbol", "BTCUSDT")]
        answer = await hand.call("GET", f"/api/v3/depth?{urlencode(query)}")
        assert (-1101, 400) == (answer["code"], hand.status)

    run(story)


def test_what_is_not_there_is_said_to_be_not_there() -> None:
    """-2013 of a query, -2011 of a cancel, also of an order that is over."""

    async def story(hand: Hand) -> None:
        got = []
        for path in (SPOT, LINEAR):
            await ordered(hand, path, newClientOrderId="over")
            ask = dict(symbol="BTCUSDT", origClientOrderId="over")
            await hand.signed("DELETE", path, **ask)
            got.append((await hand.signed("DELETE", path, **ask))["code"])
            ask["origClientOrderId"] = "never"
            got.append((await hand.signed("GET", path, **ask))["code"])
            got.append((await hand.signed("GET", path, symbol="BTCUSDT"))["code"])
        got.append((await hand.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT"))["code"])
        assert [-2011, -2013, -1102, -2011, -2013, -1102, -2011] == got

    run(story)


def test_limits_have_the_headers_the_codes_and_the_ban() -> None:
    """An order too many is 429; a ban is 418, of every request until it is over."""

    async def story(hand: Hand) -> None:
        hand.house.limits.budgets["orders"] = Budget(1, 86_400_000)
        await ordered(hand)
        assert "1" == hand.headers["X-MBX-ORDER-COUNT-10S"]
        assert "1" == hand.headers["X-MBX-USED-WEIGHT-1M"]
        answer = await ordered(hand)
        assert (429, -1015) == (hand.status, answer["code"])
        assert 0 < int(hand.headers["Retry-After"]) <= 86_400
        hand.house.faults.add(Fault("ban", ms=2_500))
        answer = await hand.public("GET", "/api/v3/ping")
        assert (418, -1003, "3") == (hand.status, answer["code"], hand.headers["Retry-After"])
        await ordered(hand)
        assert 418 == hand.status

    run(story)


def test_what_does_not_rest_ends_expired() -> None:
    """IOC and, on spot, FOK are taken and expire, as Binance has it; not cancelled, not refused."""

    async def story(hand: Hand) -> None:
        got = []
        for path, tif in ((SPOT, "IOC"), (SPOT, "FOK"), (LINEAR, "IOC")):
            answer = await ordered(hand, path, timeInForce=tif, newOrderRespType="RESULT")
            got.append(answer["status"])
            ask = dict(symbol="BTCUSDT", orderId=answer["orderId"])
            got.append((await hand.signed("GET", path, **ask))["status"])
        assert ["EXPIRED"] * 6 == got

    run(story)


def test_a_batch_has_an_answer_for_each_order() -> None:
    """One is taken, one is refused; more than five are not even looked at."""

    async def story(hand: Hand) -> None:
        wanted = [LIMIT, {**LIMIT, "side": "HOLD"}]
        path = "/fapi/v1/batchOrders"
        first, second = await hand.signed("POST", path, batchOrders=json.dumps(wanted))
        assert ("NEW", -1117) == (first["status"], second["code"])
        answer = await hand.signed("POST", path, batchOrders=json.dumps([LIMIT] * 6))
        assert -4082 == answer["code"]
        params = {"symbol": "BTCUSDT", "orderIdList": f"[{first['orderId']},99]"}
        first, second = await hand.signed("DELETE", path, **params)
        assert ("CANCELED", -2011) == (first["status"], second["code"])

    run(story)


# A path, its parameters (None: a public call), and the answer's code.
ASKED_WRONGLY: list[tuple[str, str, dict[str, Any], int]] = [
    ("GET", "/api/v3/depth", {"symbol": "NOSUCH"}, -1121),
    ("GET", "/api/v3/ticker/24hr", {"symbols": '["BTCUSDT","NOSUCH"]'}, -1121),
    ("GET", "/api/v3/klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120),
    ("GET", "/api/v3/depth", {"symbol": "BTCUSDT", "limit": "many"}, -1100),
    ("GET", "/api/v3/myTrades", {"symbol": "BTCUSDT", "startTime": 1, "endTime": 10**9}, -1127),
    ("GET", "/api/v3/myTrades", {"symbol": "BTCUSDT", "startTime": 1, "fromId": 1}, -1128),
    ("GET", "/api/v3/allOrders", {"symbol": "BTCUSDT", "startTime": 1, "endTime": 10**9}, -1127),
    ("GET", "/fapi/v1/userTrades", {"symbol": "BTCUSDT", "startTime": 1, "endTime": 10**9}, -4165),
    ("GET", "/fapi/v1/userTrades", {"symbol": "BTCUSDT", "startTime": 1, "fromId": 1}, -1128),
    ("POST", "/fapi/v1/leverage", {"symbol": "BTCUSDT", "leverage": 101}, -4028),
    ("POST", "/fapi/v1/marginType", {"symbol": "BTCUSDT", "marginType": "CROSSED"}, -4046),
    ("POST", "/fapi/v1/marginType", {"symbol": "BTCUSDT", "marginType": "OTHER"}, -4049),
    ("POST", "/fapi/v1/algoOrder", {"symbol": "BTCUSDT", "side": "BUY"}, -1116),
    ("GET", "/fapi/v1/openOrder", {"symbol": "BTCUSDT", "orderId": 1}, -2013),
]


def test_questions_that_break_a_rule() -> None:
    """Each with its code."""

    async def story(hand: Hand) -> None:
        got = []
        for method, path, params, _ in ASKED_WRONGLY:
            is_public = path.startswith(("/api/v3/depth", "/api/v3/ticker", "/api/v3/klines"))
            ask = hand.public if is_public else hand.signed
            answer = await ask(method, path, **params)
            got.append((method, path, params, answer["code"]))
        assert ASKED_WRONGLY == got

    run(story)


def test_leverage_is_not_changed_under_a_position() -> None:
    """Neither is the margin mode."""

    async def story(hand: Hand) -> None:
        await ordered(hand, LINEAR, price="70000")
        ask = dict(symbol="BTCUSDT")
        answer = await hand.signed("POST", "/fapi/v1/leverage", **ask, leverage=5)
        assert -4161 == answer["code"]
        answer = await hand.signed("POST", "/fapi/v1/marginType", **ask, marginType="ISOLATED")
        assert -4048 == answer["code"]

    run(story)


def test_amends() -> None:
    """Futures: price and quantity; spot: a smaller quantity in place, or cancel and replace."""

    async def story(hand: Hand) -> None:
        await ordered(hand, LINEAR, newClientOrderId="f")
        ask = dict(symbol="BTCUSDT", origClientOrderId="f", side="BUY")
        answer = await hand.signed("PUT", LINEAR, **ask, price="51000", quantity="0.02")
        assert ("51000.0", "0.020") == (answer["price"], answer["origQty"])
        answer = await hand.signed("PUT", LINEAR, **ask, price="51000", quantity="0.02")
        assert -5027 == answer["code"]
        await ordered(hand, newClientOrderId="s")
        ask = dict(symbol="BTCUSDT", origClientOrderId="s", newClientOrderId="s")
        path = f"{SPOT}/amend/keepPriority"
        answer = await hand.signed("PUT", path, **ask, newQty="0.004")
        assert ("0.00400000", "s") == (
            answer["amendedOrder"]["qty"],
            answer["amendedOrder"]["clientOrderId"],
        )
        assert -2038 == (await hand.signed("PUT", path, **ask, newQty="0.004"))["code"]
        wanted = {**LIMIT, "cancelReplaceMode": "STOP_ON_FAILURE", "newClientOrderId": "t"}
        path = f"{SPOT}/cancelReplace"
        answer = await hand.signed("POST", path, **wanted, cancelOrigClientOrderId="s")
        assert ("SUCCESS", "SUCCESS") == (answer["cancelResult"], answer["newOrderResult"])
        answer = await hand.signed("POST", path, **wanted, cancelOrigClientOrderId="s")
        assert (-2022, "NOT_ATTEMPTED") == (answer["code"], answer["data"]["newOrderResult"])

    run(story)
