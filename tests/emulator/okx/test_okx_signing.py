"""Who may do what at the emulated OKX: signatures, clocks, permissions, limits."""

from typing import Any

import pytest

from emulator.okx.okx_world import LIMIT, Hand, add_key, run
from zvt_trading.emulator.limits import Budget

BALANCE = "/api/v5/account/balance"

# The header that is changed (None: left out), and the code of the answer.
UNSIGNED: list[tuple[str, str | None, str]] = [
    ("OK-ACCESS-KEY", None, "50103"),
    ("OK-ACCESS-PASSPHRASE", None, "50104"),
    ("OK-ACCESS-SIGN", None, "50106"),
    ("OK-ACCESS-TIMESTAMP", None, "50107"),
    ("OK-ACCESS-KEY", "nobody", "50111"),
    ("OK-ACCESS-PASSPHRASE", "wrong", "50105"),
    ("OK-ACCESS-SIGN", "d3Jvbmc=", "50113"),
    ("OK-ACCESS-SIGN", "not base64!", "50113"),
    ("OK-ACCESS-TIMESTAMP", "yesterday", "50112"),
    ("OK-ACCESS-TIMESTAMP", "2020-01-01T00:00:00.000Z", "50102"),
    ("x-simulated-trading", "1", "50101"),
]


@pytest.mark.parametrize(("header", "value", "code"), UNSIGNED)
def test_a_request_that_is_not_properly_signed_is_refused_by_its_code(
    header: str, value: str | None, code: str
) -> None:
    """HTTP 401, and nothing else is said."""

    async def story(hand: Hand) -> None:
        headers = hand.signed("GET", BALANCE, "")
        headers.pop(header, None)
        if value is not None:
            headers[header] = value
        answer = await hand.call("GET", BALANCE, "", headers)
        assert (401, code) == (hand.status, answer["code"])

    run(story)


def test_the_signature_covers_the_query_and_the_body() -> None:
    """What was signed for another query or body is worth nothing."""

    async def story(hand: Hand) -> None:
        headers = hand.signed("GET", BALANCE, "")
        assert "50113" == (await hand.call("GET", f"{BALANCE}?ccy=BTC", "", headers))["code"]
        path = "/api/v5/trade/order"
        headers = hand.signed("POST", path, "{}")
        assert "50113" == (await hand.call("POST", path, '{"sz":"9"}', headers))["code"]
        assert [] == (await hand.get("trade/orders-pending"))["data"]

    run(story)


@pytest.mark.parametrize(("skew_ms", "status"), [(29_000, 200), (32_000, 401), (-32_000, 401)])
def test_a_request_may_be_half_a_minute_off(skew_ms: int, status: int) -> None:
    """30 s, in both directions."""

    async def story(hand: Hand) -> None:
        headers = hand.signed("GET", BALANCE, "")
        hand.house.clock.skew_ns = skew_ms * 1_000_000
        await hand.call("GET", BALANCE, "", headers)
        assert status == hand.status

    run(story)


def test_a_key_that_may_not_trade_can_ask_but_not_order() -> None:
    """And /account/config says what it may."""

    async def story(hand: Hand) -> None:
        add_key(hand, can_trade=False, can_withdraw=True, is_ip_restricted=False)
        assert "50120" == (await hand.post("trade/order", LIMIT))["code"]
        assert 401 == hand.status
        config = (await hand.get("account/config"))["data"][0]
        assert ("read_only,withdraw", "") == (config["perm"], config["ip"])

    run(story)


LOGINS: list[tuple[dict[str, str], str]] = [
    ({"apiKey": "nobody"}, "60005"),
    ({"passphrase": "wrong"}, "60024"),
    ({"sign": "d3Jvbmc="}, "60007"),
    ({"timestamp": "1500000000"}, "60006"),
    ({"timestamp": "now"}, "60004"),
]


@pytest.mark.parametrize(("changed", "code"), LOGINS)
def test_a_login_that_is_not_properly_signed_is_refused_by_its_code(
    changed: dict[str, str], code: str
) -> None:
    """And the socket stays a stranger's."""

    async def story(hand: Hand) -> None:
        async with hand.socket("private") as socket:
            answer = await socket.login(**changed)
            assert ("error", code) == (answer["event"], answer["code"])
            assert "60011" == (await socket.subscribe(channel="account"))["code"]

    run(story)


def test_a_request_too_many_is_429() -> None:
    """50011; the windows of OKX are two seconds, and no header says how long to wait."""

    async def story(hand: Hand) -> None:
        hand.house.limits.budgets["GET account/balance"] = Budget(1, 3_600_000)
        answers: list[Any] = [(await hand.get("account/balance"))["code"] for _ in range(2)]
        assert (["0", "50011"], 429) == (answers, hand.status)

    run(story)
