"""ccxt's own reading of every answer of the emulated OKX loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from decimal import Decimal
from typing import Any

from emulator.redirect import DEADLINE_S, exchange, running
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.house import House
from zvt_trading.messages.codes import SELL

SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"
SETTINGS = {"options": {"fetchMarkets": {"types": ["spot", "swap"]}}}


def run(story: Callable[[Any, House], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with (
            running(Emulator(("okx",), is_quiet=True)) as emulator,
            exchange(emulator, "okx", SETTINGS) as okx,
        ):
            await okx.load_markets()
            await story(okx, emulator.houses["okx"])

    asyncio.run(whole())


async def subscribed(okx: Any, channel: str, watching: Coroutine[Any, Any, Any]) -> Any:
    """The first result of a watch method, once its subscription was acknowledged."""
    heard = asyncio.Event()

    def hear(_client: Any, message: Any) -> None:
        if message["arg"]["channel"] == channel:
            heard.set()

    okx.handle_subscription_status = hear
    task = asyncio.ensure_future(watching)
    await asyncio.wait_for(heard.wait(), DEADLINE_S)
    return task


def of(row: Any, *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_markets_have_their_filters() -> None:
    """Tick, lot and minimum; the swap's are contracts of 0.01 BTC."""

    async def story(okx: Any, _house: House) -> None:
        spot, swap = okx.market(SPOT), okx.market(SWAP)
        assert ("0.1", "0.00001") == (spot["precision"]["price"], spot["precision"]["amount"])
        assert ("0.1", "0.1") == (swap["precision"]["price"], swap["precision"]["amount"])
        assert ("0.01", True, "USDT") == of(swap, "contractSize", "linear", "settle")
        assert 5 > abs(await okx.fetch_time() - okx.milliseconds()) / 1_000

    run(story)


def test_a_filled_order_is_read_whole() -> None:
    """Price, amount, filled, average, fee, status, ids, times; and its trade likewise."""

    async def story(okx: Any, house: House) -> None:
        house.crowd(SPOT, SELL, 59_999_00, 10_000)
        placed = await okx.create_order(
            SPOT, "limit", "buy", "0.01", "59999", {"clientOrderId": "whole"}
        )
        order = await okx.fetch_order(None, SPOT, {"clientOrderId": "whole"})
        assert (placed["id"], "whole", "closed") == of(order, "id", "clientOrderId", "status")
        numbers = of(order, "price", "amount", "filled", "average", "remaining")
        assert ("59999", "0.01", "0.01", "59999", "0") == numbers
        assert {"cost": "0.00001", "currency": "BTC"} == order["fee"]
        truth = house.orders_of("default")[-1]
        assert truth.created_ts // 1_000_000 == order["timestamp"]
        fills = await okx.fetch_my_trades(SPOT)
        assert [("1", placed["id"], "taker")] == [
            of(f, "id", "order", "takerOrMaker") for f in fills
        ]
        assert ("59999", "0.01", "buy") == of(fills[0], "price", "amount", "side")
        assert {"cost": "0.00001", "currency": "BTC"} == fills[0]["fee"]
        assert truth.fills[0].ts // 1_000_000 == fills[0]["timestamp"]

    run(story)


def test_open_and_canceled_orders_are_read() -> None:
    """A partly filled order is canceled for ccxt, with what it filled."""

    async def story(okx: Any, house: House) -> None:
        await okx.create_order(SPOT, "limit", "buy", "0.01", "59999", {"clientOrderId": "open"})
        house.crowd(SPOT, SELL, 59_999_00, 4_000)
        (order,) = await okx.fetch_open_orders(SPOT)
        assert ("open", "0.004") == of(order, "status", "filled")
        await okx.edit_order(order["id"], SPOT, "limit", "buy", "0.02", "50000")
        await okx.cancel_order(None, SPOT, {"clientOrderId": "open"})
        (order,) = await okx.fetch_canceled_orders(SPOT)
        numbers = of(order, "status", "filled", "amount", "price")
        assert ("canceled", "0.004", "0.02", "50000") == numbers

    run(story)


def test_money_and_positions_are_read() -> None:
    """Balances, leverage, a short position in contracts, transfers."""

    async def story(okx: Any, house: House) -> None:
        await okx.set_leverage(5, SWAP, {"mgnMode": "cross"})
        await okx.create_order(SWAP, "market", "sell", "2")
        (position,) = await okx.fetch_positions([SWAP])
        assert ("2", "short", "5") == of(position, "contracts", "side", "leverage")
        balance = await okx.fetch_balance()
        usdt = next(view for view in house.balances("default") if view.asset == "USDT")
        seat = house.seats("default")[0]
        equity = Decimal(usdt.total + seat.unrealized()).scaleb(-8)
        assert equity == Decimal(balance["USDT"]["total"])
        house.deposit("default", "USDT", 150_000_000)
        (deposit,) = await okx.fetch_deposits()
        assert ("1.5", "USDT", "ok") == of(deposit, "amount", "currency", "status")

    run(story)


def test_market_data_is_read() -> None:
    """Ticker, book, trades, candles, mark and funding rate."""

    async def story(okx: Any, house: House) -> None:
        trades = await subscribed(okx, "trades", okx.watch_trades(SPOT))
        house.crowd(SPOT, SELL, 59_990_00, 10_000_000)
        trade = (await asyncio.wait_for(trades, DEADLINE_S))[-1]
        assert ("sell", SPOT) == of(trade, "side", "symbol")
        public = await okx.fetch_trades(SPOT)
        assert [trade["id"]] == [t["id"] for t in public if t["id"] == trade["id"]]
        ticker = await okx.fetch_ticker(SPOT)
        assert public[-1]["price"] == ticker["last"]
        assert "59990" == ticker["ask"]
        (candle,) = (await okx.fetch_ohlcv(SPOT, "1d"))[-1:]
        assert sum(Decimal(t["amount"]) for t in public) == Decimal(candle[5])
        assert "60000" == (await okx.fetch_mark_price(SWAP))["markPrice"]
        assert SWAP == (await okx.fetch_funding_rate(SWAP))["symbol"]
        assert 3 == len((await okx.fetch_order_book(SPOT, 3))["bids"])

    run(story)


def test_own_orders_are_watched() -> None:
    """By ccxt's own reading of the frames; the balance too."""

    async def story(okx: Any, house: House) -> None:
        balance = await asyncio.wait_for(okx.watch_balance(), DEADLINE_S)
        assert "10" == balance["BTC"]["total"]
        orders = await subscribed(okx, "orders", okx.watch_orders(SPOT))
        house.crowd(SPOT, SELL, 59_999_00, 10_000)
        placed = await okx.create_order(SPOT, "limit", "buy", "0.01", "59999")
        order = (await asyncio.wait_for(orders, DEADLINE_S))[-1]
        assert (placed["id"], SPOT, "buy") == of(order, "id", "symbol", "side")

    run(story)
