"""ccxt's own parsing of the emulated Coinbase's answers loses nothing.

What ccxt itself does not keep (the fee asset of an order, the terms of fill-or-kill orders) is in
its `info`, which is why our adapter reads that.
"""

import asyncio
from typing import Any

import pytest
from ccxt.base.errors import ExchangeError, InsufficientFunds

from emulator.coinbase.coinbase_world import SYMBOL, ccxt_world
from emulator.redirect import DEADLINE_S
from zvt_trading.emulator import faults
from zvt_trading.emulator.faults import Fault
from zvt_trading.messages.codes import SELL


def test_the_markets_are_those_of_the_exchange() -> None:
    """Ticks, lots, minimums and fees, exactly."""

    async def scenario() -> None:
        async with ccxt_world() as (world, client):
            market = client.market(SYMBOL)
            assert ("BTC-USDT", "spot", True) == (market["id"], market["type"], market["active"])
            assert {"amount": "0.000001", "price": "0.01"} == {
                name: market["precision"][name] for name in ("amount", "price")
            }
            assert ("0.00001", "10000") == tuple(market["limits"]["amount"].values())
            assert "5" == market["limits"]["cost"]["min"]
            assert ("0.004", "0.006") == (market["maker"], market["taker"])
            assert ["BTC/USDT", "ETH/USDT"] == sorted(client.symbols)
            assert {"BTC", "ETH", "USDT", "USD"} == set(client.currencies)
            late = world.house.clock.now_ms() - await client.fetch_time()
            assert 0 <= late < 2_000

    asyncio.run(scenario())


def order_facts(order: dict[str, Any]) -> dict[str, Any]:
    names = ("clientOrderId", "symbol", "type", "timeInForce", "side", "price", "amount")
    return {name: order[name] for name in (*names, "filled", "remaining", "status")}


def test_an_order_is_parsed_whole_through_its_life() -> None:
    """Open, partly filled as a maker, cancelled."""

    async def scenario() -> None:
        async with ccxt_world() as (world, client):
            params = {"client_order_id": "a1"}
            placed = await client.create_order(SYMBOL, "limit", "buy", "0.01", "60000", params)
            assert "a1" == placed["clientOrderId"]
            expected = {
                "clientOrderId": "a1",
                "symbol": SYMBOL,
                "type": "limit",
                "timeInForce": "GTC",
                "side": "buy",
                "price": "60000.00",
                "amount": "0.01",
                "filled": "0",
                "remaining": "0.01",
                "status": "open",
            }
            (opened,) = await client.fetch_open_orders(SYMBOL)
            assert expected == order_facts(opened)
            assert placed["id"] == opened["id"]
            assert world.house.orders["4"].created_ts // 1_000_000 == opened["timestamp"]
            world.house.crowd(SYMBOL, SELL, 6_000_000, 4_000)
            found = await client.fetch_order(placed["id"])
            assert expected | {"filled": "0.004", "remaining": "0.006"} == order_facts(found)
            assert ("60000", "0.96") == (found["average"], found["fee"]["cost"])
            await client.cancel_order(placed["id"])
            (gone,) = await client.fetch_canceled_orders(SYMBOL)
            assert ("canceled", "0.004") == (gone["status"], gone["filled"])

    asyncio.run(scenario())


def test_a_fill_is_parsed_whole() -> None:
    """A taker's fee of 0.6 % on 0.001 x 60010.57, rounded up on the asset's scale."""

    async def scenario() -> None:
        async with ccxt_world() as (world, client):
            del world
            params = {"client_order_id": "a1", "timeInForce": "IOC"}
            placed = await client.create_order(SYMBOL, "limit", "buy", "0.001", "60100", params)
            (fill,) = await client.fetch_my_trades(SYMBOL)
            names = ("order", "symbol", "side", "takerOrMaker", "price", "amount", "cost")
            assert (
                placed["id"],
                SYMBOL,
                "buy",
                "taker",
                "60010.57",
                "0.001",
                "60.01057",
            ) == tuple(fill[name] for name in names)
            assert {"cost": "0.36006342", "currency": "USDT"} == fill["fee"]
            assert fill["id"]
            assert fill["timestamp"] == (await client.fetch_order(placed["id"]))["timestamp"]

    asyncio.run(scenario())


def test_a_fill_of_an_order_for_money_shows_money() -> None:
    """`size_in_quote`: ccxt divides, and finds the lots that were bought."""

    async def scenario() -> None:
        async with ccxt_world() as (world, client):
            del world
            params = {"client_order_id": "a1"}
            await client.create_order(SYMBOL, "market", "buy", "300", None, params)
            (fill,) = await client.fetch_my_trades(SYMBOL)
            # 300 / 60010.57 is 0.0049991..., in whole lots 0.004999.
            assert ("0.004999", "60010.57") == (fill["amount"], fill["price"])
            assert "299.99283943" == fill["info"]["size"]

    asyncio.run(scenario())


def test_balances_tell_what_orders_hold() -> None:
    """0.01 x 50000 and the fee that it may cost (a maker's or a taker's)."""

    async def scenario() -> None:
        async with ccxt_world() as (world, client):
            params = {"client_order_id": "a1"}
            await client.create_order(SYMBOL, "limit", "buy", "0.01", "50000", params)
            money = (await client.fetch_balance())["USDT"]
            (view,) = [one for one in world.house.balances("default") if one.asset == "USDT"]
            assert view.locked >= 500 * 10**8
            shown = tuple(int(money[name].replace(".", "")) for name in ("free", "used"))
            assert (view.free, view.locked) == shown

    asyncio.run(scenario())


def test_a_withdrawal_is_taken_for_a_deposit_by_ccxt() -> None:
    """As with the real answers, whose `network` amount has no sign: `amount` has."""

    async def scenario() -> None:
        async with ccxt_world() as (world, client):
            world.house.deposit("default", "BTC", 150_000_000)
            world.house.withdraw("default", "BTC", 50_000_000)
            known = await client.fetch_deposits_withdrawals("BTC")
            assert ["deposit", "deposit"] == [one["type"] for one in known]
            assert {"1.5", "0.5"} == {one["amount"].rstrip("0") for one in known}
            assert {"1.50000000", "-0.50000000"} == {
                one["info"]["amount"]["amount"] for one in known
            }

    asyncio.run(scenario())


ERRORS = (
    (InsufficientFunds, ("limit", "buy", "1000", "50000")),
    (ExchangeError, ("limit", "buy", "0.00001", "1")),
)


@pytest.mark.parametrize(("kind", "order"), ERRORS)
def test_refusals_become_the_errors_of_the_reference(kind: Any, order: Any) -> None:
    """PROTOCOLS 6.1: only a lack of money has a class of its own."""

    async def scenario() -> None:
        async with ccxt_world() as (world, client):
            del world
            with pytest.raises(ExchangeError) as caught:
                await client.create_order(SYMBOL, *order, {"client_order_id": "a1"})
            assert kind is type(caught.value)

    asyncio.run(scenario())


def test_a_client_order_id_under_ccxts_own_name_is_lost() -> None:
    """The trap: the order is placed under an id that nobody knows."""

    async def scenario() -> None:
        async with ccxt_world() as (world, client):
            params = {"clientOrderId": "mine"}
            await client.create_order(SYMBOL, "limit", "buy", "0.01", "50000", params)
            (order,) = world.house.orders_of("default")
            assert order.client_id.startswith("ccxt-")

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", [faults.JUNK, faults.EMPTY])
def test_junk_is_no_open_orders_to_plain_ccxt(kind: str) -> None:
    """The trap that our adapter must not fall into: an order is open, ccxt says [].

    The client of our adapter, and our reading of lists, both make an error of it.
    """

    async def scenario() -> None:
        async with ccxt_world() as (world, client):
            params = {"client_order_id": "a1"}
            await client.create_order(SYMBOL, "limit", "buy", "0.01", "50000", params)
            world.house.faults.add(Fault(kind, faults.OPEN_ORDERS))
            assert [] == await client.fetch_open_orders(SYMBOL)

    asyncio.run(scenario())


def test_ccxt_streams_trades_tickers_and_orders() -> None:
    """In str mode; its book needs floats (PROTOCOLS 9), which is why ours reads raw frames."""

    async def scenario() -> None:
        async with ccxt_world() as (world, client):
            del world
            params = {"client_order_id": "a1"}
            await client.create_order(SYMBOL, "limit", "buy", "0.01", "50000", params)
            (order,) = await asyncio.wait_for(client.watch_orders(SYMBOL), DEADLINE_S)
            assert ("a1", "open", "50000.00") == (
                order["clientOrderId"],
                order["status"],
                order["price"],
            )
            ticker = await asyncio.wait_for(client.watch_ticker(SYMBOL), DEADLINE_S)
            assert ("59989.44", "60010.57") == (ticker["bid"], ticker["ask"])

    asyncio.run(scenario())
