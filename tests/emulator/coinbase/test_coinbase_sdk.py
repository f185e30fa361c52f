"""The official SDK (coinbase-advanced-py) trades at the emulated Coinbase."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from coinbase.rest import RESTClient  # type: ignore[import-untyped]  # ships no types
from coinbase.websocket import WSClient  # type: ignore[import-untyped]  # ships no types
from requests.exceptions import HTTPError

from emulator.coinbase.coinbase_world import PRODUCT, World, coinbase_world
from emulator.redirect import DEADLINE_S, names_redirected, plain_url
from zvt_trading.emulator.keys import ApiKey


@contextmanager
def rest_client(world: World) -> Iterator[Any]:
    """The SDK's client with its production address."""
    client = RESTClient(api_key=world.key.key, api_secret=world.key.secret, timeout=DEADLINE_S)
    try:
        yield client
    finally:
        client.session.close()


def in_a_thread(body: Any) -> None:
    """Run `body(world, client)`, which blocks, beside the emulator; there was one trade."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            await world.trade()
            with names_redirected(world.emulator), rest_client(world) as client:
                await asyncio.to_thread(body, world, client)

    asyncio.run(scenario())


def test_the_sdk_places_queries_edits_and_cancels() -> None:
    """A limit order's whole life, each step seen by the next."""

    def life(world: World, client: Any) -> None:
        del world
        placed = client.limit_order_gtc_buy("sdk-1", PRODUCT, "0.01", "50000.00")
        assert placed.success
        order_id = placed.success_response["order_id"]
        assert ("OPEN", "sdk-1") == _status(client, order_id)
        assert client.edit_order(order_id, size="0.02", price="49000.00").success
        terms = client.get_order(order_id).order.order_configuration["limit_limit_gtc"]
        assert ("0.02", "49000.00") == (terms["base_size"], terms["limit_price"])
        opened = client.list_orders(order_status=["OPEN"], product_ids=[PRODUCT])
        assert [order_id] == [order.order_id for order in opened.orders]
        assert client.cancel_orders([order_id]).results[0].success
        assert ("CANCELLED", "sdk-1") == _status(client, order_id)

    in_a_thread(life)


def _status(client: Any, order_id: str) -> tuple[str, str]:
    order = client.get_order(order_id).order
    return order.status, order.client_order_id


def test_the_sdk_buys_and_sells_and_sees_fills_and_money() -> None:
    """Market, immediate-or-cancel and fill-or-kill; the fees are in the quote asset."""

    def trade(world: World, client: Any) -> None:
        del world
        assert client.market_order_buy("m-1", PRODUCT, quote_size="300").success
        assert client.market_order_sell("m-2", PRODUCT, base_size="0.001").success
        assert client.limit_order_ioc_buy("m-3", PRODUCT, "0.001", "60100.00").success
        assert client.limit_order_fok_sell("m-4", PRODUCT, "0.001", "59000.00").success
        fills = client.get_fills(product_ids=[PRODUCT]).fills
        assert ["TAKER"] * 5 == [fill.liquidity_indicator for fill in fills]
        assert ["SELL", "BUY", "SELL", "BUY", "BUY"] == [fill.side for fill in fills]
        wallets = {one.currency: one for one in client.get_accounts().accounts}
        # 0.001, then 300 / 60010.57 in whole lots is 0.004999, then -0.001 + 0.001 - 0.001.
        assert "10.00499900" == wallets["BTC"].available_balance["value"]
        one = client.get_account(wallets["BTC"].uuid).account
        assert "BTC" == one.currency
        assert "0.006" == client.get_transaction_summary().fee_tier["taker_fee_rate"]
        assert client.get_api_key_permissions().can_trade

    in_a_thread(trade)


def test_the_sdk_reads_the_market() -> None:
    """Products, book, trades, candles, by their public and their signed endpoints."""

    def read(world: World, client: Any) -> None:
        del world
        assert "60010.57" == client.get_public_product(PRODUCT).price
        assert 2 == len(client.get_products().products)
        book = client.get_product_book(PRODUCT, limit=2).pricebook
        assert "59989.44" == book.bids[0].price
        assert "60010.57" == client.get_best_bid_ask([PRODUCT]).pricebooks[0].asks[0].price
        trades = client.get_market_trades(PRODUCT, limit=5).trades
        assert [("60010.57", "0.001")] == [(one.price, one.size) for one in trades]
        now = int(client.get_unix_time().epoch_seconds)
        candles = client.get_candles(PRODUCT, str(now - 600), str(now + 60), "ONE_MINUTE").candles
        assert [("60010.57", "0.001000")] == [(one.close, one.volume) for one in candles]

    in_a_thread(read)


def test_the_sdk_sees_a_refusal_and_a_missing_scope() -> None:
    """An order too large is answered, not raised; a key that may only look raises."""

    def refuse(world: World, client: Any) -> None:
        said = client.limit_order_gtc_buy("r-1", PRODUCT, "1000", "50000.00")
        assert not said.success
        assert "INSUFFICIENT_FUND" == said.error_response["error"]
        key = world.key
        world.house.keys[key.key] = ApiKey(key=key.key, secret=key.secret, can_trade=False)
        with pytest.raises(HTTPError, match="Missing Required Scopes"):
            client.limit_order_gtc_buy("r-2", PRODUCT, "0.01", "50000.00")

    in_a_thread(refuse)


def test_the_sdk_streams_books_trades_and_own_orders() -> None:
    """Every channel's first frame, and the order that is then placed."""

    def stream(world: World, client: Any) -> None:
        got: list[dict[str, Any]] = []
        is_there = threading.Event()

        def take(text: str) -> None:
            got.append(json.loads(text))
            if any(order["client_order_id"] == "ws-1" for order in _own(got)):
                is_there.set()

        url = plain_url(world.emulator, "coinbase", "ws")
        socket = WSClient(
            api_key=world.key.key,
            api_secret=world.key.secret,
            base_url=url,
            on_message=take,
            retry=False,
        )
        socket.open()
        try:
            socket.subscribe([PRODUCT], ["level2", "market_trades", "ticker", "heartbeats", "user"])
            client.limit_order_ioc_buy("ws-1", PRODUCT, "0.001", "60100.00")
            assert is_there.wait(DEADLINE_S)
        finally:
            socket.close()
        channels = {frame["channel"] for frame in got}
        assert {"l2_data", "market_trades", "ticker", "heartbeats", "user"} <= channels
        assert list(range(len(got))) == [frame["sequence_num"] for frame in got]

    in_a_thread(stream)


def _own(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        order
        for frame in frames
        if frame["channel"] == "user"
        for event in frame["events"]
        for order in event["orders"]
    ]
