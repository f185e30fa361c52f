"""Recorded answers and messages of Bybit: the emulated ones have the same fields and types."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.bybit.bybit_world import BUY_ABOVE, PERPETUAL, Hand, Socket, run, socket_of

LINEAR = dict(category="linear", symbol="BTCUSDT")


def differences(recorded: Any, ours: Any, where: str = "") -> list[str]:
    """Fields that are missing or of another JSON type; of lists the first elements are compared.

    A recorded null says nothing of the type, an empty list nothing of its elements;
    lists of names (permissions) may be empty.
    """
    if recorded is None:
        return []
    if type(recorded) is not type(ours):
        return [f"{where}: {type(recorded).__name__} recorded, ours is {ours!r}"]
    if isinstance(recorded, dict):
        found = [f"{where}.{key} is missing" for key in recorded if key not in ours]
        for key in recorded.keys() & ours.keys():
            found += differences(recorded[key], ours[key], f"{where}.{key}")
        return sorted(found)
    if isinstance(recorded, list) and recorded:
        if ours:
            return differences(recorded[0], ours[0], f"{where}[0]")
        return [] if isinstance(recorded[0], str) else [f"{where} is empty"]
    return []


def test_differences_are_found() -> None:
    """The judge itself sees a missing field and another type."""
    recorded = {"a": "1", "b": [{"c": 1}], "d": None}
    assert [] == differences(recorded, {"a": "2", "b": [{"c": 5}], "d": 1})
    assert [".a is missing", ".b[0].c: int recorded, ours is '1'"] == differences(
        recorded, {"b": [{"c": "1"}], "d": 1}
    )


def recorded(shared_data: Path, name: str) -> Any:
    return json.loads((shared_data / "fixtures" / "bybit" / f"{name}.json").read_text())


async def prepare(hand: Hand) -> None:
    """Something of everything."""
    hand.generous()
    await hand.placed("linear", price=BUY_ABOVE, timeInForce="IOC", orderLinkId="taken")
    await hand.placed("linear", timeInForce="IOC")
    await hand.placed("linear", orderLinkId="open")
    await hand.placed(orderLinkId="open")
    hand.emulator._move()  # the public trade is shown


@pytest.mark.parametrize(
    ("name", "path", "params"),
    [
        ("http_get_account_info", "account/info", {}),
        ("http_get_executions", "execution/list", dict(LINEAR, execType="Trade")),
        ("http_get_fee_rate", "account/fee-rate", LINEAR),
        ("http_get_funding_history", "market/funding/history", LINEAR),
        ("http_get_instruments_linear", "market/instruments-info", dict(category="linear")),
        ("http_get_instruments_spot", "market/instruments-info", dict(category="spot")),
        ("http_get_klines_linear", "market/kline", dict(LINEAR, interval="1")),
        ("http_get_order_partially_filled_rejected", "order/history", LINEAR),
        ("http_get_orderbook", "market/orderbook", LINEAR),
        ("http_get_orders_history", "order/history", LINEAR),
        ("http_get_orders_realtime", "order/realtime", LINEAR),
        ("http_get_positions", "position/list", LINEAR),
        ("http_get_trades_recent", "market/recent-trade", LINEAR),
        ("http_get_user_query_api", "user/query-api", {}),
        ("http_get_wallet_balance", "account/wallet-balance", dict(accountType="UNIFIED")),
    ],
)
def test_answers(name: str, path: str, params: dict[str, str], shared_data: Path) -> None:
    """Of REST."""

    async def story(hand: Hand) -> None:
        await prepare(hand)
        answer = await hand.get(f"/v5/{path}", **params)
        assert [] == differences(recorded(shared_data, name), {"retExtInfo": {}, **answer})

    run(story)


async def subscribed(hand: Hand, socket: Socket, *topics: str) -> None:
    """To topics of a socket that is logged in when it is private."""
    if topics[0] in {"order", "execution", "wallet", "position"}:
        await socket.login(hand)
    await socket.subscribe(*topics)


Change = Callable[[Hand], Awaitable[Any]]


async def take(hand: Hand) -> None:
    """An order that is filled at once."""
    await hand.placed("linear", price=BUY_ABOVE, timeInForce="IOC")


async def improve(hand: Hand) -> None:
    """Others make both best prices better."""
    hand.buys("0.001", "59999.00", PERPETUAL)
    hand.sells("0.001", "60001.00", PERPETUAL)


async def nothing(_hand: Hand) -> None:
    """The first message comes by itself."""


@pytest.mark.parametrize(
    ("name", "path", "topic", "change", "skip"),
    [
        ("ws_account_order", "private", "order", take, 0),
        ("ws_account_order_filled", "private", "order", take, 1),
        ("ws_account_execution", "private", "execution", take, 0),
        ("ws_account_position", "private", "position", take, 0),
        ("ws_account_wallet", "private", "wallet", take, 0),
        ("ws_orderbook_snapshot", "public/linear", "orderbook.1.BTCUSDT", nothing, 0),
        ("ws_orderbook_delta", "public/linear", "orderbook.1.BTCUSDT", improve, 1),
        ("ws_public_trade", "public/linear", "publicTrade.BTCUSDT", take, 0),
        ("ws_ticker_linear", "public/linear", "tickers.BTCUSDT", nothing, 0),
    ],
)
def test_messages(
    name: str, path: str, topic: str, change: Change, skip: int, shared_data: Path
) -> None:
    """Of the streams."""

    async def story(hand: Hand) -> None:
        async with socket_of(hand, f"/v5/{path}") as socket:
            await subscribed(hand, socket, topic)
            await change(hand)
            for _ in range(skip):
                await socket.next(topic)
            ours = await socket.next(topic)
        theirs = recorded(shared_data, name)
        assert [] == differences({**theirs, "topic": ours["topic"]}, ours)

    run(story)


@pytest.mark.parametrize(
    ("name", "topic"),
    [("ws_subscription_ack", "tickers.BTCUSDT"), ("ws_subscription_failure", "tickers.NOTHING")],
)
def test_answers_to_subscriptions(name: str, topic: str, shared_data: Path) -> None:
    """Taken and refused."""

    async def story(hand: Hand) -> None:
        async with socket_of(hand, "/v5/public/spot") as socket:
            ours = await socket.subscribe(topic)
        theirs = recorded(shared_data, name)
        assert [] == differences(theirs, ours)
        assert theirs["success"] == ours["success"]

    run(story)
