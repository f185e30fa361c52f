"""The panel of an emulator: every button does what it says, and says what was wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from emulator.redirect import running
from zvt_trading.emulator.emulator import LOOPBACK, Emulator
from zvt_trading.emulator.faults import BAN, PLACE

NAME = "okx"


class Panel:
    """Calls the panel of an emulator."""

    def __init__(self, emulator: Emulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.house = emulator.houses[NAME]
        self._session = session

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and answer; the text of one that is no JSON."""
        url = f"http://{LOOPBACK}:{self.emulator.admin_port}/{path}"
        async with self._session.request(method, url, json=body) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await (answer.json() if is_json else answer.text())


def play(story: Callable[[Panel], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with (
            running(Emulator((NAME,), is_quiet=True)) as emulator,
            aiohttp.ClientSession() as session,
        ):
            await story(Panel(emulator, session))

    asyncio.run(whole())


def test_exchanges() -> None:
    """Where they listen, and what their clients did."""

    async def story(panel: Panel) -> None:
        status, answer = await panel.call("GET", "exchanges")
        expected = {
            "port": panel.emulator.ports[NAME], "requests": 0, "refused": 0,
            "requests_during_ban": 0, "faults": {}, "streams": 0,
        }  # fmt: skip
        assert (200, {NAME: expected}) == (status, answer)

    play(story)


def test_an_exchange_that_is_none() -> None:
    """With those that there are."""

    async def story(panel: Panel) -> None:
        status, text = await panel.call("GET", "nyse/record")
        assert (404, "no exchange 'nyse'; there are okx") == (status, text)

    play(story)


def test_faults_are_asked_for_set_and_cleared() -> None:
    """One at a time, or at random by a seed."""

    async def story(panel: Panel) -> None:
        faults = panel.house.faults
        await panel.call("POST", f"{NAME}/faults", {"kind": BAN, "endpoint": PLACE, "ms": 5})
        assert [(BAN, PLACE, 5, 1)] == [
            (one.kind, one.endpoint, one.ms, one.count) for one in faults.queue
        ]
        rates = [{"fault": {"kind": BAN}, "per_10000": 7}]
        await panel.call("PUT", f"{NAME}/faults", {"seed": 1, "rates": rates})
        assert [(BAN, 7)] == [(one.fault.kind, one.per_10000) for one in faults.rates]
        assert (200, {}) == await panel.call("DELETE", f"{NAME}/faults")
        assert ([], ()) == (faults.queue, faults.rates)

    play(story)


def test_money_comes_and_goes() -> None:
    """To the last unit; in the balances and in the judge's record."""

    async def story(panel: Panel) -> None:
        _, before = await panel.call("GET", f"{NAME}/balances")
        for amount in ("2.50000001", "-1"):
            body = {"account": "default", "asset": "USDT", "amount": amount}
            status, answer = await panel.call("POST", f"{NAME}/transfer", body)
            assert (200, {"id": panel.house.transfers[-1].id}) == (status, answer)
        _, after = await panel.call("GET", f"{NAME}/balances?account=default")
        assert before["USDT"]["total"] == "1000000.00000000"
        expected = {
            "total": "1000001.50000001", "free": "1000001.50000001", "locked": "0.00000000"
        }  # fmt: skip
        assert expected == after["USDT"]
        _, record = await panel.call("GET", f"{NAME}/record")
        moves = [(line["kind"], line["amount"]) for line in record[-2:]]
        assert [("credit", "2.50000001"), ("debit", "1.00000000")] == [
            (kind, amount.lstrip("-")) for kind, amount in moves
        ]

    play(story)


def test_orders_of_others_and_by_hand() -> None:
    """A limit order with a price, a market order without; the crowd's, or at an account of ours."""

    async def story(panel: Panel) -> None:
        body = {"symbol": "BTC/USDT", "side": "sell", "quantity": "0.01", "price": "90000"}
        _, answer = await panel.call("POST", f"{NAME}/crowd", body)
        assert panel.house.orders[answer["id"]].account == "crowd"
        body = {"symbol": "BTC/USDT", "side": "buy", "quantity": "0.01", "client_id": "c1"}
        _, answer = await panel.call("POST", f"{NAME}/manual", body)
        order = panel.house.orders[answer["id"]]
        assert ("default", "c1") == (order.account, order.client_id)
        assert order.quantity == order.filled

    play(story)


def test_the_clock_and_the_streams() -> None:
    """The clock is wrong by so much; hanging up on nobody is nothing."""

    async def story(panel: Panel) -> None:
        await panel.call("POST", f"{NAME}/skew", {"ms": -5_000})
        assert panel.house.clock.skew_ns == -5_000_000_000
        assert (200, {}) == await panel.call("POST", f"{NAME}/disconnect")

    play(story)


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("faults", {"kind": "flood"}, "no fault 'flood'"),
        ("faults", {"kind": BAN, "what": 1}, "unknown field `what`"),
        ("skew", {}, "missing required field `ms`"),
        ("transfer", {"account": "default", "asset": "USDT", "amount": "much"}, "plain decimal"),
        (
            "transfer",
            {"account": "default", "asset": "USDT", "amount": "-9999999"},
            "not so much USDT is free",
        ),
        ("crowd", {"symbol": "X", "side": "buy", "quantity": "1"}, "symbol 'X' must be one of"),
        (
            "manual",
            {"symbol": "BTC/USDT", "side": "hold", "quantity": "1"},
            "side 'hold' buy or sell",
        ),
    ],
)
def test_what_cannot_be_meant_is_said(path: str, body: object, expected: str) -> None:
    """As a text, with status 400."""

    async def story(panel: Panel) -> None:
        status, answer = await panel.call("POST", f"{NAME}/{path}", body)
        assert status == 400
        assert expected in answer["error"]

    play(story)
