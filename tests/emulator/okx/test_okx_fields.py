"""The emulated OKX answers with the fields and types of recorded answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.okx.okx_world import LIMIT, SWAP, Hand, run
from zvt_trading.messages.codes import SELL
from zvt_trading.messages.reports import FundingPaid

SWAP_ID = "BTC-USDT-SWAP"
REST: list[tuple[str, str, dict[str, str]]] = [
    ("http_get_orders_pending", "trade/orders-pending", {}),
    ("http_get_orders_history", "trade/orders-history", {"instType": "SWAP"}),
    ("http_get_account_balance", "account/balance", {}),
    ("http_get_positions", "account/positions", {}),
    ("http_get_trade_fee_response", "account/trade-fee", {"instType": "SPOT"}),
    ("http_get_instruments_spot", "public/instruments", {"instType": "SPOT"}),
    ("http_get_instruments_swap", "public/instruments", {"instType": "SWAP"}),
    ("http_get_order_book", "market/books", {"instId": "BTC-USDT", "sz": "3"}),
    ("http_get_trades", "market/trades", {"instId": "BTC-USDT"}),
    ("http_get_candlesticks_full", "market/candles", {"instId": SWAP_ID, "bar": "1m"}),
    ("http_get_mark_price", "public/mark-price", {"instType": "SWAP", "instId": SWAP_ID}),
    ("http_get_funding_rate_history", "public/funding-rate-history", {"instId": SWAP_ID}),
]


def differences(recorded: Any, ours: Any, path: str = "") -> Iterator[str]:
    """Fields that we lack, and values of another type; of a list the first entry is looked at."""
    if type(recorded) is not type(ours):
        yield f"{path}: {type(recorded).__name__}, but ours is {type(ours).__name__}"
    elif isinstance(recorded, dict):
        for name, value in recorded.items():
            if name in ours:
                yield from differences(value, ours[name], f"{path}.{name}")
            else:
                yield f"{path}.{name} is missing"
    elif isinstance(recorded, list) and recorded:
        if ours:
            yield from differences(recorded[0], ours[0], f"{path}[0]")
        else:
            yield f"{path} is empty"


def read(shared_data: Path, name: str) -> Any:
    return json.loads((shared_data / "fixtures" / "okx" / f"{name}.json").read_text())


async def trade(hand: Hand) -> None:
    """Something of everything: open and filled orders, a position, public trades, funding."""
    await hand.place(**LIMIT, clOrdId="rests")
    async with hand.socket("public") as socket:
        for symbol, order in (("BTC/USDT", LIMIT), ("BTC/USDT:USDT", SWAP)):
            await socket.subscribe(channel="trades", instId=order["instId"])
            hand.house.crowd(symbol, SELL, 59_999_00, 20_000)
            await hand.place(**{**order, "px": "59999"})
            await socket.frame()  # the public sees it with the market's next step
    paid = FundingPaid("default", "okx:BTC/USDT:USDT", 10_000, 5_000, "f1", 1_700_000_000 * 10**9)
    hand.house.funding.append(paid)


def test_rest_answers_have_the_fields_of_recorded_ones(shared_data: Path) -> None:
    """Every list that is recorded."""

    async def story(hand: Hand) -> None:
        await trade(hand)
        found = {
            name: list(differences(read(shared_data, name), await hand.get(path, **query)))
            for name, path, query in REST
        }
        assert {} == {name: lacks for name, lacks in found.items() if lacks}

    run(story)


def test_an_acknowledgement_and_a_fill_have_the_fields_of_recorded_ones(shared_data: Path) -> None:
    """These two are recorded as single rows."""

    async def story(hand: Hand) -> None:
        await trade(hand)
        ack = await hand.place(**LIMIT, clOrdId="ack")
        assert [] == list(differences(read(shared_data, "http_place_order_response"), ack))
        fill = (await hand.get("trade/fills"))["data"][0]
        assert [] == list(differences(read(shared_data, "http_transaction_detail"), fill))

    run(story)


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("ws_books_snapshot", "books"),
        ("ws_bbo_tbt", "bbo-tbt"),
        ("ws_tickers", "tickers"),
        ("ws_trades", "trades"),
        ("ws_books_update", "books"),
    ],
)
def test_public_frames_have_the_fields_of_recorded_ones(
    shared_data: Path, name: str, channel: str
) -> None:
    """The first frame of a channel, or the one after a trade."""

    async def story(hand: Hand) -> None:
        async with hand.socket("public") as socket:
            await socket.subscribe(channel=channel, instId="BTC-USDT")
            if name in {"ws_trades", "ws_books_update"}:
                hand.house.crowd("BTC/USDT", SELL, 59_990_00, 10_000_000)
            frame = await socket.frame()
            while name == "ws_books_update" and (
                frame["action"] != "update" or not frame["data"][0]["bids"]
            ):
                frame = await socket.frame()
            recorded = read(shared_data, name)
            found = [found for found in differences(recorded, frame) if "asks is" not in found]
            assert [] == found

    run(story)


def test_private_frames_have_the_fields_of_recorded_ones(shared_data: Path) -> None:
    """Orders and the account."""

    async def story(hand: Hand) -> None:
        async with hand.socket("private") as socket:
            await socket.login()
            await socket.subscribe(channel="orders", instType="ANY")
            await hand.place(**LIMIT)
            frame = await socket.frame()
            assert [] == list(differences(read(shared_data, "ws_orders"), frame))
            await socket.subscribe(channel="account")
            frame = await socket.frame()
            assert [] == list(differences(read(shared_data, "ws_account"), frame))

    run(story)
