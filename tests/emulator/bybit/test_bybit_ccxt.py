"""ccxt's own parsing of every answer of the emulated Bybit loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from ccxt.base.errors import InsufficientFunds, InvalidOrder, OrderNotFound, RateLimitExceeded

from emulator.bybit.bybit_world import (
    BUY_ABOVE,
    BUY_BELOW,
    CATEGORIES,
    INSIDE,
    NAME,
    PERPETUAL,
    SPOT,
    Hand,
)
from emulator.redirect import DEADLINE_S, exchange, running, session
from zvt_trading.core.units import format_scaled
from zvt_trading.emulator.emulator import Emulator

Story = Callable[[Any, Hand], Awaitable[None]]
BOTH = pytest.mark.parametrize("symbol", [SPOT, PERPETUAL])
SETTINGS = {"options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot", "linear"]}}}


def run(story: Story) -> None:
    """With a ccxt.pro exchange, and a hand for what only others can do."""

    async def whole() -> None:
        async with (
            running(Emulator((NAME,), is_quiet=True)) as emulator,
            session(emulator) as opened,
            exchange(emulator, NAME, SETTINGS) as bybit,
        ):
            hand = Hand(emulator, opened)
            hand.generous()
            bybit.enableRateLimit = False
            await bybit.load_markets()
            await story(bybit, hand)

    asyncio.run(whole())


def test_markets_have_the_exchange_s_filters() -> None:
    """All markets, nuisance endpoints included."""

    async def story(bybit: Any, hand: Hand) -> None:
        assert {"BTC/USDT", "ETH/USDT", PERPETUAL} == set(bybit.markets)
        for symbol in (SPOT, PERPETUAL):
            market, instrument = bybit.market(symbol), hand.instrument(symbol)
            lot = format_scaled(instrument.lot, instrument.quantity_scale)
            tick = format_scaled(instrument.tick, instrument.price_scale)
            assert {"amount": lot, "price": tick} == {
                key: market["precision"][key] for key in ("amount", "price")
            }
            assert "5.00000000" == market["limits"]["cost"]["min"]
        everything = {
            "options": {"fetchMarkets": {"types": ["spot", "linear", "inverse", "option"]}}
        }
        async with exchange(hand.emulator, NAME, everything) as other:
            assert set(bybit.markets) == set(await other.load_markets())
        assert abs(await bybit.fetch_time() - hand.house.clock.now_ms()) < 5_000

    run(story)


@BOTH
def test_an_open_order(symbol: str) -> None:
    """Ids, price, amount, status, times."""

    async def story(bybit: Any, hand: Hand) -> None:
        params = {"clientOrderId": "mine", "timeInForce": "PostOnly"}
        made = await bybit.create_order(symbol, "limit", "buy", "0.002", BUY_BELOW, params)
        assert ("mine", None) == (made["clientOrderId"], made["status"])
        (order,) = await bybit.fetch_open_orders(symbol)
        house = hand.house.orders[made["id"]]
        expected: dict[str, Any] = dict(
            id=house.id, clientOrderId="mine", symbol=symbol, type="limit", side="buy",
            price=BUY_BELOW, amount="0.002000", filled="0.000000", remaining="0.002000",
            status="open", timestamp=house.created_ts // 1_000_000, postOnly=True,
        )  # fmt: skip
        assert expected == {key: order[key] for key in expected}

    run(story)


@BOTH
def test_fills_and_their_order(symbol: str) -> None:
    """Price, amount, cost, fee and its currency, maker or taker, ids, times."""

    async def story(bybit: Any, hand: Hand) -> None:
        made = await bybit.create_order(symbol, "limit", "buy", "0.003", INSIDE)
        hand.sells("0.001", INSIDE, symbol)
        taken = await bybit.create_order(symbol, "limit", "buy", "0.001", BUY_ABOVE)
        trades = await bybit.fetch_my_trades(symbol)
        for trade, order_id in zip(trades, (made["id"], taken["id"]), strict=True):
            order = hand.house.orders[order_id]
            (fill,) = order.fills
            maker = "maker" if order_id == made["id"] else "taker"
            expected = dict(
                id=fill.trade_id, order=order.id, symbol=symbol, side="buy", takerOrMaker=maker,
                price=order.price_text(fill.price), amount="0.001000", cost=order.value_text(),
                timestamp=fill.ts // 1_000_000,
            )  # fmt: skip
            assert expected == {key: trade[key] for key in expected}
            fee = format_scaled(fill.fee, 8)
            assert (fee, fill.fee_asset) == (trade["fee"]["cost"], trade["fee"]["currency"])
        found = await bybit.fetch_order(made["id"], symbol, {"acknowledged": True})
        assert ("open", "0.001000", "0.002000") == (
            found["status"],
            found["filled"],
            found["remaining"],
        )
        found = await bybit.fetch_order(taken["id"], symbol, {"acknowledged": True})
        assert ("closed", "0.001000") == (found["status"], found["filled"])
        assert trades[1]["fee"]["cost"] == found["fee"]["cost"]

    run(story)


def test_market_orders_by_amount_and_by_cost() -> None:
    """Spot's default is an amount of money; ccxt says which it means."""

    async def story(bybit: Any, hand: Hand) -> None:
        by_amount = await bybit.create_order(SPOT, "market", "buy", "0.001")
        by_cost = await bybit.create_market_buy_order_with_cost(SPOT, "100")
        sold = await bybit.create_order(SPOT, "market", "sell", "0.001")
        orders = [hand.house.orders[made["id"]] for made in (by_amount, by_cost, sold)]
        assert ["0.001000", "0.001666", "0.001000"] == [
            order.quantity_text(order.filled) for order in orders
        ]
        found = await bybit.fetch_order(by_cost["id"], SPOT, {"acknowledged": True})
        assert ("closed", "0.001666") == (found["status"], found["filled"])

    run(story)


@BOTH
def test_change_and_take_back(symbol: str) -> None:
    """The id stays; what is gone is OrderNotFound."""

    async def story(bybit: Any, hand: Hand) -> None:
        made = await bybit.create_order(symbol, "limit", "buy", "0.002", BUY_BELOW)
        changed = await bybit.edit_order(made["id"], symbol, "limit", "buy", "0.003", "50001")
        assert made["id"] == changed["id"]
        (order,) = await bybit.fetch_open_orders(symbol)
        assert ("50001.00", "0.003000") == (order["price"], order["amount"])
        await bybit.cancel_order(made["id"], symbol)
        with pytest.raises(OrderNotFound):
            await bybit.cancel_order(made["id"], symbol)
        (order,) = await bybit.fetch_canceled_and_closed_orders(symbol)
        assert "canceled" == order["status"]
        assert not hand.house.open_orders("default")

    run(story)


def test_refusals_have_ccxt_s_classes() -> None:
    """By their codes."""

    async def story(bybit: Any, hand: Hand) -> None:
        with pytest.raises(InsufficientFunds):
            await bybit.create_order(SPOT, "limit", "buy", "1000", BUY_BELOW)
        await bybit.create_order(SPOT, "limit", "buy", "1", BUY_BELOW, {"clientOrderId": "a"})
        with pytest.raises(InvalidOrder, match="170141"):
            await bybit.create_order(SPOT, "limit", "buy", "1", BUY_BELOW, {"clientOrderId": "a"})
        hand.mean("place")
        with pytest.raises(RateLimitExceeded):
            await bybit.create_order(SPOT, "limit", "buy", "1", BUY_BELOW)
        hand.house.limits.ban(60_000)
        with pytest.raises(RateLimitExceeded):
            await bybit.fetch_balance()

    run(story)


def test_balances_positions_fees_and_transfers() -> None:
    """What is held by orders is used, the rest free."""

    async def story(bybit: Any, hand: Hand) -> None:
        await bybit.set_leverage(5, PERPETUAL)
        await bybit.create_order(PERPETUAL, "market", "sell", "0.01")
        await bybit.create_order(SPOT, "limit", "buy", "0.01", BUY_BELOW)
        views = {view.asset: view for view in hand.house.balances("default")}
        balance = await bybit.fetch_balance()
        for asset, view in views.items():
            assert format_scaled(view.total, 8) == balance[asset]["total"]
            assert format_scaled(view.free, 8) == balance[asset]["free"]
        (position,) = await bybit.fetch_positions([PERPETUAL])
        (seat,) = hand.house.seats("default")
        assert ("short", "0.01", "5") == (
            position["side"],
            position["contracts"],
            position["leverage"],
        )
        assert format_scaled(seat.cost, 8) == position["notional"]
        fee = await bybit.fetch_trading_fee(SPOT)
        assert ("0.00100000", "0.00100000") == (fee["maker"], fee["taker"])
        deposit = hand.house.deposit("default", "USDT", 7 * 10**8)
        withdrawal = hand.house.withdraw("default", "USDT", 2 * 10**8)
        (row,) = await bybit.fetch_deposits()
        assert (deposit.id, "7.00000000", "ok") == (row["id"], row["amount"], row["status"])
        (row,) = await bybit.fetch_withdrawals()
        assert (withdrawal.id, "2.00000000", "ok") == (row["id"], row["amount"], row["status"])

    run(story)


@BOTH
def test_public_data(symbol: str) -> None:
    """Book, ticker, trades, candles."""

    async def story(bybit: Any, hand: Hand) -> None:
        await bybit.create_order(symbol, "market", "buy", "0.001")
        hand.emulator._move()
        book = await bybit.fetch_order_book(symbol, 5)
        assert 5 == len(book["bids"]) == len(book["asks"])
        ticker = (await bybit.fetch_tickers([symbol]))[symbol]
        assert float(ticker["bid"]) == book["bids"][0][0]
        (trade,) = await bybit.fetch_trades(symbol)
        assert ("buy", "0.001000") == (trade["side"], trade["amount"])
        (candle,) = await bybit.fetch_ohlcv(symbol, "1m")
        assert [float(trade["price"])] * 4 == [float(price) for price in candle[1:5]]

    run(story)


@BOTH
def test_streams(symbol: str) -> None:
    """ccxt.pro logs in, subscribes and understands what is pushed."""

    async def story(bybit: Any, hand: Hand) -> None:
        async with asyncio.timeout(DEADLINE_S):
            book = await bybit.watch_order_book(symbol)
            assert book["bids"] and book["asks"]  # noqa: PT018 - one claim
            orders = asyncio.ensure_future(bybit.watch_orders())
            trades = asyncio.ensure_future(bybit.watch_my_trades())
            while len(hand.wire.sessions) < 2 or len(_private_topics(hand)) < 2:
                await asyncio.wait([orders, trades], timeout=0.01)
            params = {"clientOrderId": "mine"}
            made = await bybit.create_order(symbol, "limit", "buy", "0.001", BUY_BELOW, params)
            (order,) = await orders
            assert (symbol, made["id"], "mine", "open") == (
                order["symbol"],
                order["id"],
                order["clientOrderId"],
                order["status"],
            )
            taken = await bybit.create_order(symbol, "market", "buy", "0.001")
            trade = (await trades)[-1]
            assert (symbol, taken["id"], "0.001000") == (
                trade["symbol"],
                trade["order"],
                trade["amount"],
            )

    run(story)


def _private_topics(hand: Hand) -> set[str]:
    return {
        topic
        for session_ in hand.wire.sessions
        if session_.account
        for topic in session_.topics
        if topic in {"order", "execution"}
    }


def test_categories_are_told_apart() -> None:
    """BTCUSDT is a pair and a perpetual: an order of one is not shown as the other's."""

    async def story(bybit: Any, hand: Hand) -> None:
        for symbol in CATEGORIES:
            await bybit.create_order(symbol, "limit", "buy", "0.001", BUY_BELOW)
        spot = await bybit.fetch_open_orders(params={"type": "spot"})
        linear = await bybit.fetch_open_orders(params={"type": "swap"})
        assert [[SPOT], [PERPETUAL]] == [[o["symbol"] for o in some] for some in (spot, linear)]
        assert 2 == len(hand.house.open_orders("default"))

    run(story)
