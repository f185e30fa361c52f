"""pybit, Bybit's own client, trades on the emulated Bybit as on the real one."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pybit._websocket_trading as trading_socket
import pybit.unified_trading as sdk
import pytest
from pybit.exceptions import InvalidRequestError

from emulator.bybit.bybit_world import BUY_ABOVE, BUY_BELOW, NAME
from emulator.redirect import DEADLINE_S, plain_url, running
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.limits import Budget

Client = Callable[[Emulator], None]
Message = dict[str, Any]
LIMIT = dict(symbol="BTCUSDT", side="Buy", orderType="Limit", qty="0.001", price=BUY_BELOW)
BOTH = pytest.mark.parametrize("category", ["spot", "linear"])
CONNECTIONS = 10
"""pybit gives up spuriously with fewer attempts to connect."""


def run(client: Client) -> None:
    """The blocking client in a thread, the emulator on the loop."""

    async def whole() -> None:
        async with running(Emulator((NAME,), is_quiet=True)) as emulator:
            budgets = emulator.houses[NAME].limits.budgets
            for name in budgets:
                budgets[name] = Budget(100_000, 1_000)
            await asyncio.to_thread(client, emulator)

    asyncio.run(whole())


def http(emulator: Emulator) -> Any:
    """Without retries: what fails is seen."""
    key = emulator.keys[NAME]
    client = sdk.HTTP(api_key=key.key, api_secret=key.secret, max_retries=1)
    client.endpoint = plain_url(emulator, NAME)
    return client


@contextmanager
def redirected(emulator: Emulator) -> Iterator[None]:
    """The addresses of its WebSockets are constants of its modules."""
    url = plain_url(emulator, NAME, "ws")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sdk, "PUBLIC_WSS", url + "/v5/public/{CHANNEL_TYPE}")
        patch.setattr(sdk, "PRIVATE_WSS", url + "/v5/private")
        patch.setattr(trading_socket, "TRADE_WSS", url + "/v5/trade")
        yield


@contextmanager
def streaming(emulator: Emulator, channel: str) -> Iterator[Any]:
    """A WebSocket of it, logged in when it is private."""
    key = emulator.keys[NAME]
    own = dict(api_key=key.key, api_secret=key.secret) if channel == "private" else {}
    with redirected(emulator):
        stream = sdk.WebSocket(testnet=False, channel_type=channel, retries=CONNECTIONS, **own)
        try:
            yield stream
        finally:
            stream.exit()


@BOTH
def test_an_order_s_life(category: str) -> None:
    """Placed, found by both ids, changed, taken back, found in the history."""

    def client(emulator: Emulator) -> None:
        session = http(emulator)
        market = dict(category=category, symbol="BTCUSDT")
        made = session.place_order(**{**LIMIT, **market}, orderLinkId="mine")["result"]
        assert "mine" == made["orderLinkId"]
        for by in (dict(orderId=made["orderId"]), dict(orderLinkId="mine")):
            (row,) = session.get_open_orders(**market, **by)["result"]["list"]
            assert ("New", BUY_BELOW) == (row["orderStatus"], row["price"])
        session.amend_order(**market, orderLinkId="mine", price="50001.00", qty="0.002")
        (row,) = session.get_open_orders(**market)["result"]["list"]
        assert ("50001.00", "0.002000") == (row["price"], row["qty"])
        session.cancel_order(**market, orderLinkId="mine")
        (row,) = session.get_order_history(**market)["result"]["list"]
        assert ("mine", "Cancelled") == (row["orderLinkId"], row["orderStatus"])

    run(client)


@BOTH
def test_fills_balances_and_positions(category: str) -> None:
    """What a taken order leaves."""

    def client(emulator: Emulator) -> None:
        session = http(emulator)
        market = dict(category=category, symbol="BTCUSDT")
        made = session.place_order(**{**LIMIT, **market, "price": BUY_ABOVE})["result"]
        (row,) = session.get_executions(**market, orderId=made["orderId"])["result"]["list"]
        assert ("Trade", "0.001000", False) == (row["execType"], row["execQty"], row["isMaker"])
        (wallet,) = session.get_wallet_balance(accountType="UNIFIED")["result"]["list"]
        coins = {coin["coin"]: coin["walletBalance"] for coin in wallet["coin"]}
        held = {"spot": "10.00099900", "linear": "10.00000000"}
        assert held[category] == coins["BTC"]
        positions = session.get_positions(category="linear", settleCoin="USDT")["result"]["list"]
        assert (category == "linear") == bool(positions)
        assert session.get_fee_rates(**market)["result"]["list"]
        assert 0 == session.get_api_key_information()["result"]["readOnly"]

    run(client)


def test_refusals_and_public_data() -> None:
    """Codes reach its exceptions; public calls need no key."""

    def client(emulator: Emulator) -> None:
        session = http(emulator)
        with pytest.raises(InvalidRequestError, match="170131") as caught:
            session.place_order(**LIMIT | {"qty": "1000"}, category="spot")
        assert 170131 == caught.value.status_code
        book = session.get_orderbook(category="spot", symbol="BTCUSDT", limit=5)["result"]
        assert 5 == len(book["b"]) == len(book["a"])
        (ticker,) = session.get_tickers(category="spot", symbol="BTCUSDT")["result"]["list"]
        assert book["b"][0][0] == ticker["bid1Price"]
        assert 2 == len(session.get_instruments_info(category="spot")["result"]["list"])

    run(client)


def test_private_streams() -> None:
    """Orders, executions, wallet, positions."""

    def client(emulator: Emulator) -> None:
        heard: queue.Queue[Message] = queue.Queue()
        with streaming(emulator, "private") as stream:
            stream.order_stream(heard.put)
            stream.execution_stream(heard.put)
            stream.wallet_stream(heard.put)
            stream.position_stream(heard.put)
            _wait_for_topics(emulator, 4)
            http(emulator).place_order(**LIMIT | {"price": BUY_ABOVE}, category="linear")
            topics: list[str] = []
            while {"order", "execution", "wallet", "position"} - set(topics):
                topics.append(heard.get(timeout=DEADLINE_S)["topic"])
            assert topics.index("execution") > topics.index("order")

    run(client)


def _wait_for_topics(emulator: Emulator, count: int) -> None:
    """Pybit does not wait for the answers to its subscriptions."""
    seen = 0
    pause = threading.Event()
    for _ in range(100 * DEADLINE_S):
        topics = [session.topics for session in emulator.wires[NAME].sessions]
        seen = sum(value is True for some in topics for value in some.values())
        if seen >= count:
            return
        pause.wait(0.01)
    raise TimeoutError(f"{seen} topics of {count}")


def test_public_streams() -> None:
    """Pybit keeps a book of the messages and hands it over whole."""

    def client(emulator: Emulator) -> None:
        heard: queue.Queue[Message] = queue.Queue()
        with streaming(emulator, "spot") as stream:
            stream.orderbook_stream(50, "BTCUSDT", heard.put)
            first = heard.get(timeout=DEADLINE_S)
            assert ("snapshot", "orderbook.50.BTCUSDT") == (first["type"], first["topic"])
            http(emulator).place_order(**LIMIT | {"price": "59999.00"}, category="spot")
            second = heard.get(timeout=DEADLINE_S)
            assert ["59999.00", "0.001000"] in second["data"]["b"]

    run(client)


def test_orders_by_the_trade_socket() -> None:
    """Place, and be refused."""

    def client(emulator: Emulator) -> None:
        key = emulator.keys[NAME]
        heard: queue.Queue[Message] = queue.Queue()
        with redirected(emulator):
            socket = sdk.WebSocketTrading(
                testnet=False, api_key=key.key, api_secret=key.secret, retries=CONNECTIONS
            )
            try:
                socket.place_order(heard.put, **LIMIT, category="spot", orderLinkId="mine")
                answer = heard.get(timeout=DEADLINE_S)
            finally:
                socket.exit()
        assert (0, "mine") == (answer["retCode"], answer["data"]["orderLinkId"])

    run(client)
