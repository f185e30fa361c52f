"""python-binance, the official-style client, trades on the emulated Binance as on the real one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from binance import AsyncClient, BinanceSocketManager
from binance.client import Client
from binance.exceptions import BinanceAPIException
from binance.ws.reconnecting_websocket import ReconnectingWebsocket

from emulator.binance.binance_world import NAME
from emulator.redirect import DEADLINE_S, plain_url, running
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.messages.codes import SELL

Story = Callable[[Emulator], Awaitable[None]]
SPOT = dict(symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC")


def run(story: Story) -> None:
    async def whole() -> None:
        async with running(Emulator((NAME,), is_quiet=True)) as emulator:
            await story(emulator)

    asyncio.run(whole())


def blocking(emulator: Emulator) -> Client:
    """The SDK's blocking client, pointed at the plain port by its class attributes."""
    url = plain_url(emulator, NAME)
    places = {"API_URL": f"{url}/api", "MARGIN_API_URL": f"{url}/sapi"}
    kind = type("Here", (Client,), {**places, "FUTURES_URL": f"{url}/fapi"})
    key = emulator.keys[NAME]
    client: Client = kind(key.key, key.secret)
    return client


def in_thread(client_story: Callable[[Emulator], None], emulator: Emulator) -> None:
    """With a loop for the thread, because the SDK makes one and does not close it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        client_story(emulator)
    finally:
        loop.close()


async def waiting(emulator: Emulator) -> tuple[AsyncClient, BinanceSocketManager]:
    """The SDK's asynchronous client and its streams."""
    url, ws = plain_url(emulator, NAME), plain_url(emulator, NAME, "ws")
    places = {"API_URL": f"{url}/api", "FUTURES_URL": f"{url}/fapi"}
    sockets = {"WS_API_URL": f"{ws}/ws-api/v3", "WS_FUTURES_URL": f"{ws}/ws-fapi/v1"}
    key = emulator.keys[NAME]
    client = type("Here", (AsyncClient,), {**places, **sockets})(key.key, key.secret)
    urls = {"STREAM_URL": f"{ws}/", "FSTREAM_URL": f"{ws}/fstream/"}
    return client, type("There", (BinanceSocketManager,), urls)(client)


@pytest.fixture(autouse=True)
def quick_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket of the SDK notices its end when a read times out, which is after 10 s."""
    monkeypatch.setattr(ReconnectingWebsocket, "TIMEOUT", 0.2)


async def soon(awaitable: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(awaitable, DEADLINE_S)


def test_spot_by_rest() -> None:
    """Places, queries, cancels, trades, and sees fee and balances to the last digit."""

    def client_story(emulator: Emulator) -> None:
        client = blocking(emulator)
        try:
            placed = client.create_order(**SPOT, quantity="0.01", price="50000")
            assert "NEW" == placed["status"]
            ask = dict(symbol="BTCUSDT", orderId=placed["orderId"])
            assert placed["clientOrderId"] == client.get_order(**ask)["clientOrderId"]
            assert [placed["orderId"]] == [o["orderId"] for o in client.get_open_orders()]
            assert "CANCELED" == client.cancel_order(**ask)["status"]
            bought = client.order_market_buy(symbol="BTCUSDT", quantity="0.01")
            assert ("FILLED", "0.01000000") == (bought["status"], bought["executedQty"])
            trades = client.get_my_trades(symbol="BTCUSDT")
            assert [("0.00001000", "BTC")] == [
                (trade["commission"], trade["commissionAsset"]) for trade in trades
            ]
            assert "10.00999000" == client.get_asset_balance("BTC")["free"]
            with pytest.raises(BinanceAPIException) as caught:
                client.create_order(**SPOT, quantity="900", price="50000")
            assert (-2010, 400) == (caught.value.code, caught.value.status_code)
        finally:
            client.close_connection()

    run(lambda emulator: asyncio.to_thread(in_thread, client_story, emulator))


def test_futures_by_rest() -> None:
    """Orders, amend, position, wallet, leverage."""

    def client_story(emulator: Emulator) -> None:
        client = blocking(emulator)
        try:
            client.futures_change_leverage(symbol="BTCUSDT", leverage=10)
            placed = client.futures_create_order(**SPOT, quantity="0.01", price="50000")
            assert "NEW" == placed["status"]
            amended = client.futures_modify_order(
                symbol="BTCUSDT", orderId=placed["orderId"], side="BUY", quantity="0.02",
                price="51000",
            )  # fmt: skip
            assert ("51000.0", "0.020") == (amended["price"], amended["origQty"])
            client.futures_cancel_all_open_orders(symbol="BTCUSDT")
            market = dict(symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01")
            client.futures_create_order(**market)
            [position] = client.futures_position_information(symbol="BTCUSDT")
            assert "-0.010" == position["positionAmt"]
            [asset] = client.futures_account()["assets"]
            assert position["initialMargin"] == asset["walletBalance"]
            [trade] = client.futures_account_trades(symbol="BTCUSDT")
            assert ("SELL", "USDT") == (trade["side"], trade["commissionAsset"])
        finally:
            client.close_connection()

    run(lambda emulator: asyncio.to_thread(in_thread, client_story, emulator))


def test_the_account_by_rest() -> None:
    """Fees, permissions, wallets, leverage tiers, listen keys, market by quote, tickers."""

    def client_story(emulator: Emulator) -> None:
        client = blocking(emulator)
        try:
            assert "TRADING" == (client.get_symbol_info("BTCUSDT") or {})["status"]
            assert "0.0010" == client.get_trade_fee(symbol="BTCUSDT")[0]["takerCommission"]
            permissions = client.get_account_api_permissions()
            assert not permissions["enableWithdrawals"]
            bought = client.order_market_buy(symbol="BTCUSDT", quoteOrderQty="600.1")
            assert ("FILLED", "600.03020000") == (bought["status"], bought["cummulativeQuoteQty"])
            assert "600.10000000" == bought["origQuoteOrderQty"]
            assert {} == client.create_test_order(**SPOT, quantity="0.01", price="50000")
            every = [one["orderId"] for one in client.get_all_orders(symbol="BTCUSDT")]
            assert [bought["orderId"]] == every
            assert "USDT" == client.futures_account_balance()[0]["asset"]
            brackets = client.futures_leverage_bracket(symbol="BTCUSDT")[0]["brackets"]
            assert (1, 100, 0.004) == (
                brackets[0]["bracket"],
                brackets[0]["initialLeverage"],
                brackets[0]["maintMarginRatio"],
            )
            assert {"dualSidePosition": False} == client.futures_get_position_mode()
            client.futures_change_margin_type(symbol="BTCUSDT", marginType="ISOLATED")
            [position] = client.futures_position_information(symbol="BTCUSDT", version=2)
            assert "isolated" == position["marginType"]
            key = client.futures_stream_get_listen_key()
            assert key == client.futures_stream_get_listen_key()
            client.futures_stream_keepalive(key)
            client.futures_stream_close(key)
            assert key != client.futures_stream_get_listen_key()
            assert "60000.00000000" == client.futures_mark_price(symbol="BTCUSDT")["markPrice"]
            assert ["BTCUSDT"] == [one["symbol"] for one in client.futures_ticker()]
            assert 2 == len(client.get_ticker())
        finally:
            client.close_connection()

    run(lambda emulator: asyncio.to_thread(in_thread, client_story, emulator))


def test_market_streams() -> None:
    """Trades and book updates on spot and futures, by the SDK's sockets."""

    async def story(emulator: Emulator) -> None:
        client, manager = await waiting(emulator)
        house = emulator.houses[NAME]
        try:
            async with (
                manager.trade_socket("BTCUSDT") as trades,
                manager.depth_socket("BTCUSDT") as depth,
                manager.aggtrade_futures_socket("BTCUSDT") as futures,
            ):
                await client.create_order(**SPOT, quantity="0.01", price="70000")
                trade, update = await soon(trades.recv()), await soon(depth.recv())
                assert ("trade", "0.01000000") == (trade["e"], trade["q"])
                assert ("depthUpdate", update["U"]) == (update["e"], update["u"])
                house.crowd("BTC/USDT:USDT", SELL, 5_000_000, 20_000)
                frame = await soon(futures.recv())
                assert ("btcusdt@aggTrade", True) == (frame["stream"], frame["data"]["m"])
        finally:
            await client.close_connection()

    run(story)


def test_own_events_and_orders_by_socket() -> None:
    """ws-api places and cancels; the user streams of both markets tell of it."""

    async def story(emulator: Emulator) -> None:
        client, manager = await waiting(emulator)
        try:
            async with manager.user_socket() as user, manager.futures_user_socket() as futures:
                placed = await client.ws_create_order(**SPOT, quantity="0.01", price="50000")
                event = await soon(user.recv())
                assert ("executionReport", "NEW") == (event["e"], event["x"])
                assert "outboundAccountPosition" == (await soon(user.recv()))["e"]
                await client.ws_cancel_order(symbol="BTCUSDT", orderId=placed["orderId"])
                event = await soon(user.recv())
                assert ("CANCELED", placed["clientOrderId"]) == (event["X"], event["C"])
                assert "outboundAccountPosition" == (await soon(user.recv()))["e"]
                await client.ws_futures_create_order(**SPOT, quantity="0.01", price="70000")
                kinds = [(await soon(futures.recv()))["e"] for _ in range(3)]
                assert ["ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"] == sorted(
                    kinds, key=lambda kind: kind == "ACCOUNT_UPDATE"
                )
        finally:
            await client.close_connection()
            await client.ws_api.close()
            await client.ws_future.close()

    run(story)
