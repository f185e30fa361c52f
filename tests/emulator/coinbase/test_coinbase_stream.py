"""The emulated Coinbase's WebSocket: snapshots, updates, one sequence number a connection."""

import asyncio
from typing import Any

import pytest
from coinbase.jwt_generator import build_jwt  # type: ignore[import-untyped]  # ships no types

from emulator.coinbase.coinbase_world import (
    PRODUCT,
    SYMBOL,
    USER_STREAM,
    V3,
    Listener,
    World,
    coinbase_world,
    limit,
    listening,
)
from zvt_trading.core.units import format_scaled
from zvt_trading.emulator import faults
from zvt_trading.emulator.faults import Fault
from zvt_trading.emulator.keys import new_key
from zvt_trading.emulator.limits import Budget
from zvt_trading.messages.codes import BUY, SELL

ETH = "ETH-USDT"


def ws_token(world: World) -> str:
    """As the official SDK makes it."""
    return str(build_jwt(world.key.key, world.key.secret))


async def say_user(world: World, listener: Listener) -> Any:
    """Subscribe to own orders of all products; the snapshot."""
    await listener.say(channel="user", product_ids=[], jwt=ws_token(world))
    return (await listener.next("user"))["events"][0]


def orders_of(frame: Any) -> list[tuple[str, str, str]]:
    return [
        (one["status"], one["cumulative_quantity"], one["leaves_quantity"])
        for one in frame["events"][0]["orders"]
    ]


def test_a_book_is_a_snapshot_and_then_its_changes() -> None:
    """After each update the stream's book is the exchange's."""

    async def scenario() -> None:
        async with coinbase_world() as world, listening(world) as listener:
            await listener.say(channel="level2")
            book: dict[tuple[str, str], str] = {}
            kinds = []
            for _ in range(2):
                event = (await listener.next("l2_data"))["events"][0]
                kinds.append(event["type"])
                for level in event["updates"]:
                    book[level["side"], level["price_level"]] = level["new_quantity"]
                if event["type"] == "snapshot":
                    world.house.crowd(SYMBOL, BUY, 6_000_000, 4_000)
            assert ["snapshot", "update"] == kinds
            feed = world.emulator.wires["coinbase"].feed.symbols[SYMBOL]
            expected = {
                (name, format_scaled(price, 2)): format_scaled(size, 6)
                for name, side in (("bid", BUY), ("offer", SELL))
                for price, size in feed.levels(side, 5_000)
            }
            assert expected == {key: size for key, size in book.items() if size != "0.000000"}
            assert "0.004000" == book["bid", "60000.00"]

    asyncio.run(scenario())


def test_the_sequence_number_runs_over_all_channels_of_a_connection() -> None:
    """From 0, plus one each frame, acknowledgements too; another connection has its own."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            for _ in range(2):
                async with listening(world) as listener:
                    for channel in ("level2", "ticker", "market_trades", "heartbeats"):
                        await listener.say(channel=channel, product_ids=[PRODUCT, ETH])
                    frames = [await listener.next() for _ in range(11)]
                    assert list(range(11)) == [frame["sequence_num"] for frame in frames]
                    assert frames[-1]["events"] == [
                        {
                            "subscriptions": {
                                "level2": [PRODUCT, ETH],
                                "ticker": [PRODUCT, ETH],
                                "market_trades": [PRODUCT, ETH],
                                "heartbeats": ["heartbeats"],
                            }
                        }
                    ]

    asyncio.run(scenario())


def test_a_lost_frame_leaves_a_hole_in_the_numbers() -> None:
    """The next heartbeat shows it."""

    async def scenario() -> None:
        async with coinbase_world() as world, listening(world, USER_STREAM) as listener:
            await listener.say(channel="heartbeats", product_ids=[])
            await say_user(world, listener)
            before = (await listener.next("subscriptions"))["sequence_num"]
            world.house.faults.add(Fault(faults.FRAME_DROP, faults.PRIVATE))
            await world.place("a", limit())
            assert before + 2 == (await listener.next())["sequence_num"]

    asyncio.run(scenario())


def test_own_orders_come_with_every_change_but_without_the_fills() -> None:
    """Open, partly filled, then cancelled: what is left is then 0."""

    async def scenario() -> None:
        async with coinbase_world() as world, listening(world, USER_STREAM) as listener:
            assert [] == (await say_user(world, listener))["orders"]
            order_id = (await world.place("a", limit("60000.00")))["order_id"]
            world.house.crowd(SYMBOL, SELL, 6_000_000, 4_000)
            ids = {"order_ids": [order_id]}
            await world.call("POST", f"{V3}/orders/batch_cancel", ids)
            frames = [await listener.next("user") for _ in range(3)]
            assert [
                [("OPEN", "0", "0.01")],
                [("OPEN", "0.004", "0.006")],
                [("CANCELLED", "0.004", "0")],
            ] == [orders_of(frame) for frame in frames]
            last = frames[-1]["events"][0]["orders"][0]
            # 0.004 x 60000 is 240; the maker's fee of 0.4 % is paid in the quote asset.
            assert ("240", "0.96", "240.96") == (
                last["filled_value"],
                last["total_fees"],
                last["total_value_after_fees"],
            )
            assert "User requested cancel" == last["cancel_reason"]

    asyncio.run(scenario())


def test_a_snapshot_of_own_orders_has_at_most_fifty_a_frame() -> None:
    """Sixty open orders: fifty and ten."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            world.house.limits.budgets["private"] = Budget(1_000, 1_000)
            for number in range(60):
                await world.place(f"a{number}", limit(size="0.001"))
            async with listening(world, USER_STREAM) as listener:
                first = await say_user(world, listener)
                second = (await listener.next("user"))["events"][0]
                assert ("snapshot", 50) == (first["type"], len(first["orders"]))
                assert ("snapshot", 10) == (second["type"], len(second["orders"]))

    asyncio.run(scenario())


def test_trades_and_tickers_come_with_a_trade() -> None:
    """`side` of a public trade is the maker's: this one was started by a buyer."""

    async def scenario() -> None:
        async with coinbase_world() as world, listening(world) as listener:
            await listener.say(channel="market_trades")
            await listener.say(channel="ticker")
            await listener.next("ticker")
            await world.place("a", limit("60011.00", "0.001"))
            trade = (await listener.next("market_trades"))["events"][0]["trades"][0]
            assert (PRODUCT, "60010.57", "0.001", "SELL") == (
                trade["product_id"],
                trade["price"],
                trade["size"],
                trade["side"],
            )
            ticker = (await listener.next("ticker"))["events"][0]["tickers"][0]
            assert ("60010.57", "60010.57") == (ticker["price"], ticker["best_ask"])

    asyncio.run(scenario())


WRONG: tuple[tuple[str, dict[str, Any]], ...] = (
    ("authentication failure", {"channel": "user", "jwt": "nonsense"}),
    ("authentication failure", {"channel": "user"}),
    ("unknown request or channel", {"channel": "level3"}),
    ("invalid product_ids", {"channel": "level2", "product_ids": ["DOGE-USD"]}),
)


@pytest.mark.parametrize(("said", "message"), WRONG)
def test_a_wrong_request_is_answered_with_an_error_frame(said: str, message: Any) -> None:
    """It has no sequence number, and nothing is subscribed to."""

    async def scenario() -> None:
        async with coinbase_world() as world, listening(world) as listener:
            await listener.say(**message)
            frame = await listener.next()
            assert "error" == frame["type"]
            assert said in frame["message"]
            assert "sequence_num" not in frame

    asyncio.run(scenario())


def test_an_account_hears_of_its_own_orders_only() -> None:
    """Somebody else's order makes no frame for us."""

    async def scenario() -> None:
        async with coinbase_world() as world, listening(world, USER_STREAM) as listener:
            other = new_key("coinbase", "other")
            world.house.add_key(other)
            world.house.deposit("other", "USDT", 10**12)
            await say_user(world, listener)
            world.house.crowd(SYMBOL, BUY, 6_000_000, 1_000)
            await world.place("mine", limit())
            assert [("OPEN", "0", "0.01")] == orders_of(await listener.next("user"))

    asyncio.run(scenario())


def test_an_unsubscribed_channel_is_silent() -> None:
    """The acknowledgement lists what is left."""

    async def scenario() -> None:
        async with coinbase_world() as world, listening(world) as listener:
            await listener.say(channel="level2")
            await listener.next("subscriptions")
            await listener.say(type="unsubscribe", channel="level2")
            left = (await listener.next("subscriptions"))["events"][0]["subscriptions"]
            assert {} == left
            world.house.crowd(SYMBOL, BUY, 6_000_000, 1_000)
            await listener.say(channel="ticker")
            assert "ticker" == (await listener.next())["channel"]

    asyncio.run(scenario())
