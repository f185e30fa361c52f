"""A recorded answer and the emulator's have the same fields with the same types."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from coinbase.jwt_generator import build_jwt  # type: ignore[import-untyped]  # ships no types

from emulator.coinbase.coinbase_world import (
    PRODUCT,
    USER_STREAM,
    V3,
    World,
    coinbase_world,
    limit,
    listening,
)

ORDERS = f"{V3}/orders"


def differences(recorded: Any, ours: Any, where: str = "") -> list[str]:
    """What the emulator lacks of a recorded answer, or has as another type; of lists the first."""
    if recorded is None or ours is None:
        return []  # some fields are null now and then, and then there is nothing to compare
    if type(recorded) is not type(ours):
        return [f"{where}: {type(recorded).__name__}, not {type(ours).__name__}"]
    if isinstance(recorded, dict):
        found = []
        for name, value in recorded.items():
            if name not in ours:
                found.append(f"{where}.{name} is missing")
            else:
                found += differences(value, ours[name], f"{where}.{name}")
        return found
    if isinstance(recorded, list) and recorded:
        if not ours:
            return [] if where.endswith("alias_to") else [f"{where} is empty"]
        return differences(recorded[0], ours[0], f"{where}[0]")
    return []


async def order_answer(world: World) -> Any:
    order_id = (await world.place("b", limit()))["order_id"]
    return await got(world, f"{ORDERS}/historical/{order_id}")


async def orders_answer(world: World) -> Any:
    await world.place("b", limit())
    return await got(world, f"{ORDERS}/historical/batch")


async def got(world: World, path: str, **query: str) -> Any:
    return (await world.call("GET", path, query=query)).body


HTTP: dict[str, Callable[[World], Awaitable[Any]]] = {
    "http_accounts": lambda world: got(world, f"{V3}/accounts"),
    "http_candles": lambda world: got(
        world, f"{V3}/market/products/{PRODUCT}/candles", granularity="ONE_MINUTE"
    ),
    "http_fills": lambda world: got(world, f"{ORDERS}/historical/fills"),
    "http_order": order_answer,
    "http_orders_list": orders_answer,
    "http_product": lambda world: got(world, f"{V3}/market/products/{PRODUCT}"),
    "http_product_book": lambda world: got(world, f"{V3}/market/product_book", product_id=PRODUCT),
    "http_products": lambda world: got(world, f"{V3}/market/products"),
    "http_ticker": lambda world: got(world, f"{V3}/market/products/{PRODUCT}/ticker"),
}


def fixture(shared_data: Path, name: str) -> Any:
    return json.loads((shared_data / "fixtures" / "coinbase" / f"{name}.json").read_text())


@pytest.mark.parametrize("name", HTTP)
def test_an_answer_has_the_fields_of_the_recorded_one(name: str, shared_data: Path) -> None:
    """After one trade of ours."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            await world.trade()
            recorded = fixture(shared_data, name)
            assert [] == differences(recorded, await HTTP[name](world), name)

    asyncio.run(scenario())


FRAMES = (
    ("ws_heartbeats", "heartbeats", "heartbeats", ""),
    ("ws_l2_data_snapshot", "level2", "l2_data", "snapshot"),
    ("ws_l2_data_update", "level2", "l2_data", "update"),
    ("ws_market_trades", "market_trades", "market_trades", "update"),
    ("ws_subscriptions", "level2", "subscriptions", ""),
    ("ws_ticker", "ticker", "ticker", ""),
    ("ws_user", "user", "user", "update"),
)


@pytest.mark.parametrize(("name", "channel", "shown", "kind"), FRAMES)
def test_a_frame_has_the_fields_of_the_recorded_one(
    name: str, channel: str, shown: str, kind: str, shared_data: Path
) -> None:
    """`subscriptions` lists what was asked for: the recorded one has more channels."""
    recorded = fixture(shared_data, name)
    if shown == "subscriptions":
        del recorded["events"][0]["subscriptions"]["market_trades"]

    async def scenario() -> None:
        async with coinbase_world() as world, listening(world, USER_STREAM) as listener:
            token = build_jwt(world.key.key, world.key.secret)
            await listener.say(channel=channel, jwt=token)
            first = await listener.next(shown)
            if first["events"][0].get("type", "") != kind:
                await world.trade()
                first = await listener.next(shown)
            assert kind in {"", first["events"][0].get("type")}
            assert [] == differences(recorded, first, name)

    asyncio.run(scenario())
