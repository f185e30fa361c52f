"""OKX's own SDK trades on the emulator, with nothing in it changed but where names lead."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from emulator.redirect import DEADLINE_S, names_redirected, plain_url, running
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.messages.codes import SELL

pytest.importorskip("okx", reason="python-okx is not installed")
from okx.Account import AccountAPI
from okx.MarketData import MarketAPI
from okx.PublicData import PublicAPI
from okx.Trade import TradeAPI
from okx.websocket.WsPrivateAsync import WsPrivateAsync
from okx.websocket.WsPublicAsync import WsPublicAsync

# How the SDK hands its body to httpx.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def run(story: Callable[[Emulator], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with running(Emulator(("okx",), is_quiet=True)) as emulator:
            await story(emulator)

    asyncio.run(whole())


def client(emulator: Emulator, kind: Any) -> Any:
    """One of the SDK's REST clients, on the plain port."""
    key = emulator.keys["okx"]
    domain = plain_url(emulator, "okx")
    return kind(key.key, key.secret, key.passphrase, flag="0", domain=domain)


def lives(trade: Any) -> None:
    """Placed, asked for, amended, canceled."""
    order = dict(instId="BTC-USDT", tdMode="cash", side="buy", ordType="limit", px="50000")
    placed = trade.place_order(**order, sz="0.01", clOrdId="sdk1")
    assert "0" == placed["code"]
    asked = trade.get_order("BTC-USDT", clOrdId="sdk1")["data"][0]
    assert (placed["data"][0]["ordId"], "live") == (asked["ordId"], asked["state"])
    assert "0" == trade.amend_order("BTC-USDT", clOrdId="sdk1", newPx="51000")["code"]
    assert ["51000"] == [row["px"] for row in trade.get_order_list()["data"]]
    assert "0" == trade.cancel_order("BTC-USDT", clOrdId="sdk1")["code"]
    (old,) = trade.get_orders_history("SPOT")["data"]
    assert ("canceled", "1") == (old["state"], old["cancelSource"])
    batch = trade.place_multiple_orders([{**order, "sz": "0.01"}] * 2)
    named = [{"instId": "BTC-USDT", "ordId": row["ordId"]} for row in batch["data"]]
    assert "0" == trade.cancel_multiple_orders(named)["code"]


def test_the_sdk_places_asks_amends_and_cancels() -> None:
    """Every answer is a success and says what was done."""

    async def story(emulator: Emulator) -> None:
        with client(emulator, TradeAPI) as trade:
            await asyncio.to_thread(lives, trade)

    run(story)


def test_the_sdk_reads_fills_money_and_market() -> None:
    """A filled order, its fill, the balance after it, positions, instruments, the book."""

    async def story(emulator: Emulator) -> None:
        emulator.houses["okx"].crowd("BTC/USDT", SELL, 59_999_00, 10_000)

        def reads() -> None:
            with (
                client(emulator, TradeAPI) as trade,
                client(emulator, AccountAPI) as account,
                client(emulator, MarketAPI) as market,
                client(emulator, PublicAPI) as public,
            ):
                trade.place_order("BTC-USDT", "cash", "buy", "limit", "0.01", px="59999")
                (fill,) = trade.get_fills()["data"]
                assert ("59999", "0.01", "-0.00001") == (
                    fill["fillPx"], fill["fillSz"], fill["fee"],
                )  # fmt: skip
                details = account.get_account_balance()["data"][0]["details"]
                assert "10.00999" in [row["cashBal"] for row in details if row["ccy"] == "BTC"]
                assert [] == account.get_positions()["data"]
                assert "read_only,trade" == account.get_account_config()["data"][0]["perm"]
                listed = public.get_instruments("SWAP")["data"]
                assert ["BTC-USDT-SWAP"] == [row["instId"] for row in listed]
                assert 5 == len(market.get_orderbook("BTC-USDT", "5")["data"][0]["bids"])
                assert "0" == market.get_candlesticks("BTC-USDT")["code"]

        await asyncio.to_thread(reads)

    run(story)


def test_the_sdk_streams_a_book() -> None:
    """By TLS, under the exchange's own name."""

    async def story(emulator: Emulator) -> None:
        frames: asyncio.Queue[str] = asyncio.Queue()
        with names_redirected(emulator):
            stream = WsPublicAsync("wss://ws.okx.com:8443/ws/v5/public")
            reading = await stream.start()
            arg = {"channel": "books", "instId": "BTC-USDT"}
            await stream.subscribe([arg], frames.put_nowait)
            kinds = [json.loads(await asyncio.wait_for(frames.get(), DEADLINE_S)) for _ in range(2)]
            await stream.stop()
            await reading
        assert ["subscribe", "snapshot"] == [k.get("event") or k["action"] for k in kinds]

    run(story)


def test_the_sdk_orders_by_socket_and_hears_of_it() -> None:
    """Logged in, subscribed, placed; its own `subscribe` waits five seconds, so not by that."""

    async def story(emulator: Emulator) -> None:
        key = emulator.keys["okx"]
        frames: asyncio.Queue[str] = asyncio.Queue()

        async def next_frame() -> Any:
            return json.loads(await asyncio.wait_for(frames.get(), DEADLINE_S))

        with names_redirected(emulator):
            url = "wss://ws.okx.com:8443/ws/v5/private"
            stream = WsPrivateAsync(key.key, key.passphrase, key.secret, url)
            stream.callback = frames.put_nowait
            reading = await stream.start()
            await stream.login()
            assert "0" == (await next_frame())["code"]
            await stream.send("subscribe", [{"channel": "orders", "instType": "ANY"}])
            assert "subscribe" == (await next_frame())["event"]
            order = dict(instId="BTC-USDT", tdMode="cash", side="buy", ordType="limit", px="50000")
            await stream.place_order([{**order, "sz": "0.01"}], id="1")
            told = [await next_frame(), await next_frame()]
            await stream.stop()
            await reading
        ids = {frame["data"][0]["ordId"] for frame in told}
        assert (1, {"live"}) == (
            len(ids), {f["data"][0]["state"] for f in told if "arg" in f},
        )  # fmt: skip

    run(story)
