"""ccxt reads the emulated Binance's answers without losing anything the house knows."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from ccxt.base.errors import BaseError

from emulator.binance.binance_world import NAME
from emulator.redirect import DEADLINE_S, exchange, running
from zvt_trading.core.units import format_scaled
from zvt_trading.emulator.clock import NS_A_MS
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.house import House
from zvt_trading.messages.codes import MAKER
from zvt_trading.messages.market import FundingRate

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
SETTINGS = {"options": {"fetchMarkets": {"types": ["spot", "linear"]}}}
Story = Callable[[Emulator, Any], Awaitable[None]]


def run(story: Story) -> None:
    async def whole() -> None:
        emulator = Emulator((NAME,), is_quiet=True)
        async with running(emulator), exchange(emulator, NAME, SETTINGS) as ccxt:
            await ccxt.load_markets()
            await story(emulator, ccxt)

    asyncio.run(whole())


def same(expected: str, got: str | None) -> bool:
    """The same number, exactly."""
    return got is not None and Decimal(expected) == Decimal(got)


async def placed_twice(ccxt: Any, symbol: str) -> None:
    """An order that fills in part and rests, and one at the market."""
    ask = (await ccxt.fetch_order_book(symbol, 5))["asks"][0]
    amount = ccxt.amount_to_precision(symbol, str(Decimal(str(ask[1])) * 2))
    first = {"clientOrderId": "first", "newOrderRespType": "RESULT"}
    await ccxt.create_order(symbol, "limit", "buy", amount, str(ask[0]), first)
    await ccxt.create_order(symbol, "market", "sell", "0.01", None, {"clientOrderId": "second"})


@pytest.mark.parametrize("symbol", [SPOT, PERP])
def test_orders_and_fills(symbol: str) -> None:
    """Price, amount, filled, status, ids, times, side of every order; all of every fill."""

    async def story(emulator: Emulator, ccxt: Any) -> None:
        house = emulator.houses[NAME]
        await placed_twice(ccxt, symbol)
        for order in house.orders_of("default", symbol):
            got = await ccxt.fetch_order("", symbol, {"origClientOrderId": order.client_id})
            assert (order.id, order.client_id) == (got["id"], got["clientOrderId"])
            assert same(order.quantity_text(order.quantity), got["amount"])
            assert same(order.quantity_text(order.filled), got["filled"])
            assert ("open" if order.is_open else "closed") == got["status"]
            assert order.created_ts // NS_A_MS == got["timestamp"]
            assert ("buy" if order.is_buy else "sell") == got["side"]
            assert not order.price or same(order.price_text(), got["price"])
        known = {fill.trade_id: (o, fill) for o in house.orders.values() for fill in o.fills}
        trades = await ccxt.fetch_my_trades(symbol)
        assert sorted(known) == sorted(trade["id"] for trade in trades)
        for trade in trades:
            order, fill = known[trade["id"]]
            assert order.id == trade["order"]
            assert same(order.price_text(fill.price), trade["price"])
            assert same(order.quantity_text(fill.quantity), trade["amount"])
            assert same(format_scaled(fill.fee, 8), trade["fee"]["cost"])
            assert fill.fee_asset == trade["fee"]["currency"]
            assert ("maker" if fill.liquidity == MAKER else "taker") == trade["takerOrMaker"]
            assert fill.ts // NS_A_MS == trade["timestamp"]

    run(story)


def test_listing() -> None:
    """Tick, lot, minimum: what load_markets makes of exchangeInfo."""

    async def story(emulator: Emulator, ccxt: Any) -> None:
        house = emulator.houses[NAME]
        assert sorted(house.instruments) == sorted(ccxt.markets)
        for symbol, instrument in house.instruments.items():
            market = ccxt.markets[symbol]
            tick = format_scaled(instrument.tick, instrument.price_scale)
            lot = format_scaled(instrument.lot, instrument.quantity_scale)
            least = format_scaled(instrument.notional_min, instrument.settle_scale)
            assert same(tick, market["precision"]["price"])
            assert same(lot, market["precision"]["amount"])
            assert same(least, market["limits"]["cost"]["min"])
            assert (not instrument.is_spot) == bool(market["linear"])

    run(story)


def test_the_two_wallets_add_up() -> None:
    """With a position, orders on both markets and fees paid, nothing is shown twice."""

    async def story(emulator: Emulator, ccxt: Any) -> None:
        house = emulator.houses[NAME]
        for symbol in (SPOT, PERP):
            await placed_twice(ccxt, symbol)
        spot = await ccxt.privateGetAccount()
        futures = await ccxt.fapiPrivateV3GetAccount()
        sums: dict[str, Decimal] = {}
        for one in spot["balances"]:
            sums[one["asset"]] = Decimal(one["free"]) + Decimal(one["locked"])
        for one in futures["assets"]:
            assert Decimal(one["walletBalance"]) > 0
            sums[one["asset"]] += Decimal(one["walletBalance"])
        held = {v.asset: Decimal(v.total).scaleb(-8) for v in house.balances("default")}
        assert held == sums

    run(story)


def test_positions_and_funding() -> None:
    """Signed size, entry and the funding that was paid."""

    async def story(emulator: Emulator, ccxt: Any) -> None:
        house = emulator.houses[NAME]
        await ccxt.create_order(PERP, "market", "sell", "0.02")
        [position] = await ccxt.fetch_positions([PERP])
        assert ("short", "0.02") == (position["side"], position["contracts"])
        [seat] = house.seats("default")
        assert same(format_scaled(seat.cost * 100 // 2, 8), position["entryPrice"])
        settle(house)
        [paid] = await ccxt.fetch_funding_history(PERP)
        [truth] = house.funding
        assert same(format_scaled(-truth.amount, 8), paid["amount"])
        assert truth.ts // NS_A_MS == paid["timestamp"]

    run(story)


def settle(house: House) -> None:
    instrument = house.instruments[PERP]
    now = house.clock.true_ns()
    house.on_market(FundingRate(instrument.id, 10_000, instrument.mark, now))


def test_transfers() -> None:
    """Deposits and withdrawals with their amounts and times."""

    async def story(emulator: Emulator, ccxt: Any) -> None:
        house = emulator.houses[NAME]
        arrived = house.deposit("default", "BTC", 150_000_000)
        left = house.withdraw("default", "USDT", 2_500_000_000)
        [deposit] = await ccxt.fetch_deposits()
        [withdrawal] = await ccxt.fetch_withdrawals()
        assert ("BTC", "ok") == (deposit["currency"], deposit["status"])
        assert same("1.5", deposit["amount"])
        assert arrived.ts // NS_A_MS == deposit["timestamp"]
        assert ("USDT", "ok") == (withdrawal["currency"], withdrawal["status"])
        assert same("25", withdrawal["amount"])
        assert left.ts // NS_A_MS // 1000 * 1000 == withdrawal["timestamp"]

    run(story)


@pytest.mark.parametrize("symbol", [SPOT, PERP])
def test_market_data(symbol: str) -> None:
    """Book, trades, candles, tickers; and the book by stream, which ccxt checks for gaps."""

    async def story(emulator: Emulator, ccxt: Any) -> None:
        house = emulator.houses[NAME]
        await ccxt.create_order(symbol, "market", "buy", "0.01")
        feed = emulator.wires[NAME].feed.symbols[symbol]
        emulator._move()
        [trade] = await ccxt.fetch_trades(symbol)
        assert ("buy", "0.01") == (trade["side"], trade["amount"].rstrip("0"))
        [candle] = await ccxt.fetch_ohlcv(symbol, "1m")
        assert same("0.01", str(candle[5]))
        assert trade["price"] == (await ccxt.fetch_ticker(symbol))["last"]
        book = await ccxt.fetch_order_book(symbol)
        best = feed.levels(1, 1)[0]
        assert same(format_scaled(best[0], 2), str(book["bids"][0][0]))
        watched = await asyncio.wait_for(ccxt.watch_order_book(symbol), DEADLINE_S)
        assert book["bids"][0][0] == watched["bids"][0][0]
        price = best[0] + house.instruments[symbol].tick
        house.crowd(symbol, 1, price, 10_000)
        watched = await asyncio.wait_for(ccxt.watch_order_book(symbol), DEADLINE_S)
        assert same(format_scaled(price, 2), str(watched["bids"][0][0]))

    run(story)


def test_orders_by_socket_take_the_exchanges_own_parameters_only() -> None:
    """Ccxt sends `clientOrderId` on besides its own field; the exchange refuses what it has not."""

    async def story(emulator: Emulator, ccxt: Any) -> None:
        house = emulator.houses[NAME]
        terms = (SPOT, "limit", "buy", "0.01", "50000")
        placed = await ccxt.create_order_ws(*terms, {"newClientOrderId": "mine"})
        assert ("mine", "open") == (placed["clientOrderId"], placed["status"])
        with pytest.raises(BaseError, match="-1104"):
            await ccxt.create_order_ws(*terms, {"clientOrderId": "other"})
        await ccxt.cancel_order_ws(placed["id"], SPOT)
        assert ["mine"] == [order.client_id for order in house.orders.values()]
        assert [] == house.open_orders("default")

    run(story)


def test_perpetuals_data() -> None:
    """Leverage tiers, mark price and funding rate."""

    async def story(emulator: Emulator, ccxt: Any) -> None:
        house = emulator.houses[NAME]
        tiers = (await ccxt.fetch_leverage_tiers([PERP]))[PERP]
        spec = house.instruments[PERP].spec
        assert [tier.leverage_max for tier in spec.margin_tiers] == [
            int(tier["maxLeverage"]) for tier in tiers
        ]
        rate = await ccxt.fetch_funding_rate(PERP)
        assert same("60000", rate["markPrice"])
        fee = await ccxt.fetch_trading_fee(PERP)
        assert same("0.0005", fee["taker"])

    run(story)
