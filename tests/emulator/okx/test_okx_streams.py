"""Streams of the emulated OKX: what is pushed and in which order, and order requests by socket."""

import asyncio
import zlib
from decimal import Decimal
from typing import Any

from emulator.okx.okx_world import LIMIT, SWAP, Hand, add_key, run
from zvt_trading.messages.codes import BUY, SELL


def test_a_ping_is_answered_and_nonsense_too() -> None:
    """Text "ping"; 60012 for what is no request, 60018 for a channel that is not there."""

    async def story(hand: Hand) -> None:
        async with hand.socket("public") as socket:
            await socket.say("ping")
            assert "pong" == await socket.hear()
            for said in ("nonsense", "[]", '{"op":"subscribe"}', '{"op":"dance","args":[{}]}'):
                await socket.say(said)
                assert "60012" == (await socket.hear())["code"]
            for arg in ({"channel": "books", "instId": "BTC-EUR"}, {"channel": "orders"}):
                assert "60018" == (await socket.subscribe(**arg))["code"]

    run(story)


def test_own_orders_are_told_as_they_live() -> None:
    """Live, partly filled with the fill's fee, filled; money and position after each."""

    async def story(hand: Hand) -> None:
        async with hand.socket("private") as socket:
            await socket.login()
            for channel in ("orders", "account", "positions"):
                arg = {} if channel == "account" else {"instType": "ANY"}
                await socket.say({"op": "subscribe", "args": [{"channel": channel, **arg}]})
            await socket.frame()  # account
            assert [] == (await socket.frame())["data"]  # no positions
            await hand.place(**{**SWAP, "px": "59999", "sz": "2"}, clOrdId="lives")
            hand.house.crowd("BTC/USDT:USDT", SELL, 59_999_00, 5_000)
            hand.house.crowd("BTC/USDT:USDT", SELL, 59_999_00, 15_000)
            told: list[tuple[str, ...]] = []
            positions: list[str] = []
            while not told or told[-1][0] != "filled":
                frame = await socket.frame()
                row = frame["data"][0]
                if frame["arg"]["channel"] == "positions":
                    positions.append(row["pos"])
                if frame["arg"]["channel"] == "orders":
                    fields = ("state", "accFillSz", "fillSz", "fillFee", "fillFeeCcy", "execType")
                    told.append(tuple(row[name] for name in fields))
            assert [
                ("live", "0", "0", "0", "", ""),
                ("partially_filled", "0.5", "0.5", "-0.0599990", "USDT", "M"),
                ("filled", "2", "1.5", "-0.1799970", "USDT", "M"),
            ] == [(*row[:3], _padded(row[3]), *row[4:]) for row in told]
            assert ["0", "0.5"] == positions

    run(story)


def _padded(fee: str) -> str:
    return fee if fee == "0" else str(Decimal(fee).quantize(Decimal("0.0000001")))


def test_a_book_is_told_without_a_gap_and_with_its_checksum() -> None:
    """PrevSeqId is the last seqId; the CRC is that of the book rebuilt from the frames' texts."""

    async def story(hand: Hand) -> None:
        async with hand.socket("public") as socket:
            await socket.subscribe(channel="books", instId="BTC-USDT")
            book: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
            last = -1
            for price in (59_990_00, 59_980_00, 59_970_00):
                hand.house.crowd("BTC/USDT", SELL, price, 10_000_000)
                data = (await socket.frame())["data"][0]
                assert last == data["prevSeqId"]
                last = data["seqId"]
                for side, levels in book.items():
                    levels.update({row[0]: row[1] for row in data[side]})
                    for gone in [price for price, size in levels.items() if size == "0"]:
                        del levels[gone]
                assert _crc(book) == data["checksum"]

    run(story)


def _crc(book: dict[str, dict[str, str]]) -> int:
    """By the documentation, from scratch."""
    bids = sorted(book["bids"].items(), key=lambda row: -Decimal(row[0]))[:25]
    asks = sorted(book["asks"].items(), key=lambda row: Decimal(row[0]))[:25]
    parts: list[str] = []
    for place in range(25):
        for side in (bids, asks):
            parts += list(side[place]) if place < len(side) else []
    value = zlib.crc32(":".join(parts).encode())
    return value if value < 1 << 31 else value - (1 << 32)


def test_who_unsubscribes_hears_nothing_more() -> None:
    """It is acknowledged, and a new subscription begins with a snapshot."""

    async def story(hand: Hand) -> None:
        arg = {"channel": "books", "instId": "BTC-USDT"}
        async with hand.socket("public") as socket:
            await socket.subscribe(**arg)
            assert "snapshot" == (await socket.frame())["action"]
            await socket.say({"op": "unsubscribe", "args": [arg]})
            assert "unsubscribe" == (await socket.hear())["event"]
            hand.house.crowd("BTC/USDT", BUY, 59_999_00, 10_000)
            await asyncio.to_thread(lambda: None)
            await socket.subscribe(**arg)
            assert -1 == (await socket.frame())["data"][0]["prevSeqId"]

    run(story)


def test_orders_are_taken_by_socket_as_by_rest() -> None:
    """Placed, amended and canceled, by instId or instIdCode; answers carry the request's id."""

    async def story(hand: Hand) -> None:
        async with hand.socket("private") as socket:
            request: dict[str, Any] = {"id": "7", "op": "order", "args": [LIMIT]}
            await socket.say(request)
            assert "60011" == (await socket.hear())["code"]
            await socket.login()
            await socket.say(request)
            placed = await socket.hear()
            assert ("7", "order", "0") == (placed["id"], placed["op"], placed["code"])
            named = {"instIdCode": 10458, "ordId": placed["data"][0]["ordId"]}
            await socket.say({"id": "8", "op": "amend-order", "args": [{**named, "newSz": "0.02"}]})
            assert "0" == (await socket.hear())["data"][0]["sCode"]
            await socket.say({"id": "9", "op": "cancel-order", "args": [named]})
            assert "0" == (await socket.hear())["data"][0]["sCode"]
            assert [] == (await hand.get("trade/orders-pending"))["data"]

    run(story)


def test_a_key_that_may_not_trade_cannot_order_by_socket() -> None:
    """50120, as by REST."""

    async def story(hand: Hand) -> None:
        add_key(hand, can_trade=False)
        async with hand.socket("private") as socket:
            await socket.login()
            await socket.say({"id": "1", "op": "order", "args": [LIMIT]})
            assert "50120" == (await socket.hear())["code"]

    run(story)
