"""The emulated Binance answers with the fields and types that were recorded from the real one.

A recorded field that is missing here, or of another JSON type, is an error. Fields beyond the
recorded ones are allowed: some recordings were cut short by those who made them.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emulator.binance.binance_world import NAME, Hand
from emulator.redirect import DEADLINE_S, plain_url
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.messages.codes import BUY, SELL

LIMIT = dict(symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01")
LOW, HIGH = dict(price="50000"), dict(price="70000")
PERP = "BTC/USDT:USDT"
STREAMS = ("depth@100ms", "trade", "aggTrade", "bookTicker", "ticker", "markPrice", "kline_1m")

# Fields that the exchange sends only to some: left out of the emulator on purpose.
NOT_HERE = {
    "st": "type of the symbol, sent since 2026",
    "ps": "pair of the symbol, sent since 2026",
}
SPOT_HTTP = (
    "account_response", "account_trades_response", "all_orders_response", "avg_price_response",
    "book_ticker_response", "cancel_open_orders_response", "cancel_order_response",
    "depth_response", "exchange_info_response", "klines_response", "new_order_full_response",
    "open_orders_response", "order_response", "ping_response", "server_time_response",
    "ticker_24hr_response", "ticker_price_response", "trades_response",
)  # fmt: skip
SPOT_USER = (
    "account_position", "account_position_wrapped", "execution_report_canceled",
    "execution_report_expired", "execution_report_new", "execution_report_trade",
    "execution_report_wrapped",
)  # fmt: skip
LINEAR_HTTP = ("account_info_v2", "balance", "order_response", "position_risk")
LINEAR_MARKET = (
    "agg_trade_stream", "book_ticker_stream", "depth_update_stream", "mark_price_stream",
    "ticker_stream", "trade_stream", "kline_stream_open",
)  # fmt: skip
LINEAR_USER = ("account_update", "order_update_new", "order_update_trade")


def differences(recorded: Any, answer: Any, place: str = "") -> list[str]:
    """Where the answer lacks a recorded field, or has it with another type."""
    if isinstance(recorded, dict) and isinstance(answer, dict):
        found: list[str] = []
        for name, value in recorded.items():
            if name not in answer:
                found.append(f"{place}.{name} is missing")
            else:
                found += differences(value, answer[name], f"{place}.{name}")
        return found
    if isinstance(recorded, list) and isinstance(answer, list):
        if recorded and not answer:
            return [f"{place} is empty"]
        if recorded and isinstance(recorded[0], int):
            pairs = zip(recorded, answer, strict=True)  # a row of fields, e.g. a candle
            return [one for a, b in pairs for one in differences(a, b, f"{place}[]")]
        return differences(recorded[0], answer[0], f"{place}[0]") if recorded else []
    if type(recorded) is not type(answer):
        return [f"{place}: {type(answer).__name__}, recorded {type(recorded).__name__}"]
    return []


async def spot_answers(hand: Hand) -> dict[str, Any]:
    """One answer of each call, made by an account with an order, a fill and a cancel."""
    order, ask = "/api/v3/order", dict(symbol="BTCUSDT")
    got: dict[str, Any] = {}
    got["new_order_full_response"] = await hand.signed("POST", order, **LIMIT, **HIGH)
    first = await hand.signed("POST", order, **LIMIT, **LOW)
    await hand.signed("POST", order, **LIMIT, **LOW)
    one = dict(symbol="BTCUSDT", orderId=first["orderId"])
    got["order_response"] = await hand.signed("GET", order, **one)
    got["open_orders_response"] = await hand.signed("GET", "/api/v3/openOrders", **ask)
    got["all_orders_response"] = await hand.signed("GET", "/api/v3/allOrders", **ask)
    got["account_trades_response"] = await hand.signed("GET", "/api/v3/myTrades", **ask)
    got["cancel_order_response"] = await hand.signed("DELETE", order, **one)
    got["cancel_open_orders_response"] = await hand.signed("DELETE", "/api/v3/openOrders", **ask)
    got["account_response"] = await hand.signed("GET", "/api/v3/account")
    hand.emulator._move()  # what was traded is public now
    for name, path in (
        ("avg_price_response", "avgPrice"),
        ("book_ticker_response", "ticker/bookTicker"),
        ("depth_response", "depth"),
        ("ticker_24hr_response", "ticker/24hr"),
        ("ticker_price_response", "ticker/price"),
        ("trades_response", "trades"),
        ("exchange_info_response", "exchangeInfo"),
    ):
        got[name] = await hand.public("GET", f"/api/v3/{path}", **ask)
    got["klines_response"] = await hand.public("GET", "/api/v3/klines", **ask, interval="1m")
    got["ping_response"] = await hand.public("GET", "/api/v3/ping")
    got["server_time_response"] = await hand.public("GET", "/api/v3/time")
    got["exchange_info_response"]["sors"] = [{"baseAsset": "BTC", "symbols": ["BTCUSDT"]}]
    return got


async def linear_answers(hand: Hand) -> dict[str, Any]:
    """The same for the futures."""
    got: dict[str, Any] = {}
    await hand.signed("POST", "/fapi/v1/order", **LIMIT, **HIGH)
    placed = await hand.signed("POST", "/fapi/v1/order", **LIMIT, **LOW)
    one = dict(symbol="BTCUSDT", orderId=placed["orderId"])
    got["order_response"] = await hand.signed("GET", "/fapi/v1/order", **one)
    got["account_info_v2"] = await hand.signed("GET", "/fapi/v2/account")
    got["balance"] = await hand.signed("GET", "/fapi/v2/balance")
    got["position_risk"] = await hand.signed("GET", "/fapi/v2/positionRisk", symbol="BTCUSDT")
    return got


async def heard(hand: Hand, path: str, first: Any, act: Any, enough: int) -> dict[str, Any]:
    """The first frame of each kind (of order events: of each execution type)."""
    frames: dict[str, Any] = {}
    url = plain_url(hand.emulator, NAME, "ws") + path
    async with hand.session.ws_connect(url) as socket, asyncio.timeout(DEADLINE_S):
        if first is not None:
            await socket.send_json(first)
            await socket.receive_json()
        await act()
        while len(frames) < enough:
            frame = await socket.receive_json()
            event = frame.get("event", frame)
            order = event.get("o", event) if event.get("e") == "ORDER_TRADE_UPDATE" else event
            frames.setdefault(f"{event.get('e', 'bookTicker')} {order.get('x', '')}", frame)
    return frames


def recorded(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def compared(folder: Path, names: tuple[str, ...], answers: dict[str, Any]) -> dict[str, list[str]]:
    """Differences by name, without those that are meant."""
    problems: dict[str, list[str]] = {}
    for name in names:
        found = differences(recorded(folder, name), answers[name])
        found = [one for one in found if one.split(" ")[0].rpartition(".")[2] not in NOT_HERE]
        if found:
            problems[name] = found
    return problems


def answers_of(gather: Any) -> dict[str, Any]:
    async def whole() -> dict[str, Any]:
        emulator = Emulator((NAME,), is_quiet=True)
        async with emulator, aiohttp.ClientSession() as session:
            answers: dict[str, Any] = await gather(Hand(emulator, session))
            return answers

    return asyncio.run(whole())


@pytest.fixture(scope="module")
def fixtures(shared_data: Path) -> Path:
    return shared_data / "fixtures" / "binance"


def test_spot_answers(fixtures: Path) -> None:
    """Every recorded REST answer of spot."""
    answers = answers_of(spot_answers)
    assert {} == compared(fixtures / "spot" / "http_json", SPOT_HTTP, answers)


def test_futures_answers(fixtures: Path) -> None:
    """Every recorded REST answer of USD-M."""
    answers = answers_of(linear_answers)
    assert {} == compared(fixtures / "futures" / "http_json", LINEAR_HTTP, answers)


def test_spot_user_events(fixtures: Path) -> None:
    """Every recorded user event of spot, plain and as ws-api wraps it."""

    async def gather(hand: Hand) -> dict[str, Any]:
        async def act() -> None:
            order = "/api/v3/order"
            await hand.signed("POST", order, **LIMIT, **HIGH)
            placed = await hand.signed("POST", order, **LIMIT, **LOW)
            await hand.signed("DELETE", order, symbol="BTCUSDT", orderId=placed["orderId"])
            await hand.signed("POST", order, **{**LIMIT, "timeInForce": "IOC"}, **LOW)

        subscribe = hand.api_request("userDataStream.subscribe.signature")
        frames = await heard(hand, "/ws-api/v3", subscribe, act, 5)
        got = {"account_position_wrapped": frames["outboundAccountPosition "]}
        got["execution_report_wrapped"] = frames["executionReport NEW"]
        got["account_position"] = frames["outboundAccountPosition "]["event"]
        for kind in ("NEW", "TRADE", "CANCELED", "EXPIRED"):
            name = f"execution_report_{kind.lower()}"
            got[name] = frames[f"executionReport {kind}"]["event"]
        got["execution_report_expired"].setdefault("eR", "INSUFFICIENT_LIQUIDITY")
        return got

    assert {} == compared(fixtures / "spot" / "user_data_json", SPOT_USER, answers_of(gather))


def test_futures_user_events(fixtures: Path) -> None:
    """Every recorded user event of USD-M that the emulator has a cause for."""

    async def gather(hand: Hand) -> dict[str, Any]:
        async def act() -> None:
            await hand.signed("POST", "/fapi/v1/order", **LIMIT, **HIGH)

        key = (await hand.keyed("POST", "/fapi/v1/listenKey"))["listenKey"]
        frames = await heard(hand, f"/private/ws?listenKey={key}", None, act, 3)
        return {
            "account_update": frames["ACCOUNT_UPDATE "],
            "order_update_new": frames["ORDER_TRADE_UPDATE NEW"],
            "order_update_trade": frames["ORDER_TRADE_UPDATE TRADE"],
        }

    folder = fixtures / "futures" / "user_data_json"
    assert {} == compared(folder, LINEAR_USER, answers_of(gather))


def test_futures_market_events(fixtures: Path) -> None:
    """Every recorded market event of USD-M that the emulator has a cause for."""

    async def gather(hand: Hand) -> dict[str, Any]:
        async def act() -> None:
            hand.house.crowd(PERP, BUY, 7_000_000, 100_000)
            hand.house.crowd(PERP, SELL, 5_000_000, 100_000)
            wire = hand.emulator.wires[NAME]
            wire.marked(PERP, hand.mark(PERP))

        subscribe = {"method": "SUBSCRIBE", "params": [f"btcusdt@{n}" for n in STREAMS], "id": 1}
        frames = await heard(hand, "/public/ws", subscribe, act, 7)
        return {
            "agg_trade_stream": frames["aggTrade "],
            "book_ticker_stream": frames["bookTicker "],
            "depth_update_stream": frames["depthUpdate "],
            "mark_price_stream": frames["markPriceUpdate "],
            "ticker_stream": frames["24hrTicker "],
            "trade_stream": frames["trade "],
            "kline_stream_open": frames["kline "],
        }

    folder = fixtures / "futures" / "market_data_json"
    assert {} == compared(folder, LINEAR_MARKET, answers_of(gather))
