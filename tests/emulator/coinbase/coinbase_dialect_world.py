"""Our dialect of Coinbase through a real ccxt.pro exchange at an emulated one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from emulator.coinbase.coinbase_world import SYMBOL, World, coinbase_world
from emulator.redirect import exchange
from zvt_trading.adapters.ccxt.coinbase import DIALECT
from zvt_trading.adapters.ccxt.dialect import Wanted
from zvt_trading.core.units import parse_scaled
from zvt_trading.emulator.limits import Budget
from zvt_trading.emulator.orders import Ask
from zvt_trading.messages.codes import BUY, LIMIT, SELL

INSIDE = "60000"  # between the best bid and ask of the quiet market


@asynccontextmanager
async def dialect_world() -> AsyncIterator[tuple[World, Any]]:
    """With the dialect's own settings."""
    settings = {"enableRateLimit": False, **DIALECT.settings()}
    async with (
        coinbase_world() as world,
        exchange(world.emulator, "coinbase", settings) as caller,
    ):
        await caller.load_markets()
        for budget in ("private", "public"):  # the pace is not what these tests are about
            world.house.limits.budgets[budget] = Budget(10_000, 1_000)
        yield world, caller


def run(scenario: Callable[[World, Any], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with dialect_world() as (world, caller):
            await scenario(world, caller)

    asyncio.run(inside())


def wanted(order_id: str = "mine1", price: str = INSIDE, **more: Any) -> Wanted:
    usual = {
        "symbol": SYMBOL,
        "side": "buy",
        "price": price,
        "quantity": "0.01",
        "tif": "GTC",
        "post_only": False,
        "reduce_only": False,
        "expire_ms": 0,
    }
    return Wanted(order_id, **{**usual, **more})


async def send(caller: Any, order: Wanted) -> Any:
    """As the adapter does it; the views of the answer."""
    create = DIALECT.create(order, caller.market(order.symbol))
    answer = await caller.create_order(
        create.symbol, create.type, create.side, create.amount, create.price, create.params
    )
    return DIALECT.created(answer, order)


async def place(caller: Any, order: Wanted) -> str:
    """Send, and get Coinbase's id."""
    (view,) = await send(caller, order)
    return str(view.venue_order_id)


def crowd_sells(world: World, quantity: str) -> None:
    world.house.crowd(SYMBOL, SELL, 6_000_000, parse_scaled(quantity, 6))


def rest(world: World, client_id: str, price: int = 5_000_000) -> None:
    """An order of ours, without a request."""
    instrument = world.house.instruments[SYMBOL]
    ask = Ask(instrument, BUY, LIMIT, 1_000, client_id=client_id, price=price)
    world.house.place("default", ask)
