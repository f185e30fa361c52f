"""Our dialect asks the emulated Coinbase through a real ccxt.pro exchange."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from ccxt.base.errors import BaseError

from emulator.coinbase.coinbase_dialect_world import (
    crowd_sells,
    place,
    rest,
    run,
    wanted,
)
from emulator.coinbase.coinbase_world import SYMBOL, World
from zvt_trading.adapters.ccxt.coinbase import DIALECT
from zvt_trading.adapters.ccxt.views import (
    BalanceView,
    FillView,
    OrderView,
)
from zvt_trading.core.order_ids import make_order_id
from zvt_trading.core.units import format_scaled, parse_scaled
from zvt_trading.emulator import faults
from zvt_trading.emulator.coinbase.names import order_uuid
from zvt_trading.emulator.faults import Fault


def test_an_order_is_found_by_our_id_however_far_back_it_is() -> None:
    """Coinbase does not know our ids: 250 orders are three pages."""

    async def scenario(world: World, caller: Any) -> None:
        for number in range(250):
            rest(world, f"mine{number}")
        found = await DIALECT.find(caller, SYMBOL, "mine0", "")
        assert found is not None
        (oldest, *_) = world.house.orders_of("default")
        assert (order_uuid(oldest.id), "50000.00", "0.001") == (
            found.venue_order_id,
            found.price,
            found.quantity,
        )
        assert await DIALECT.find(caller, SYMBOL, "never", "") is None
        assert await DIALECT.find(caller, SYMBOL, "never", order_uuid("999999")) is None

    run(scenario)


def test_an_id_of_ours_says_how_far_back_the_list_must_go() -> None:
    """A day before it was made, for clocks that differ; not through years of orders."""

    async def scenario(world: World, caller: Any) -> None:
        now = world.house.clock.true_ns()
        for number in range(250):
            rest(world, f"mine{number}")
        for age_days, pages in ((0, 3), (-2, 1)):
            order_id = make_order_id(now - age_days * 86_400 * 10**9, 1, 2, 3)
            asked = world.house.limits.requests
            assert await DIALECT.find(caller, SYMBOL, order_id, "") is None
            assert pages == world.house.limits.requests - asked
        order_id = make_order_id(now, 1, 2, 4)
        rest(world, order_id)
        found = await DIALECT.find(caller, SYMBOL, order_id, "")
        assert found is not None
        assert order_id == found.order_id

    run(scenario)


def test_a_hidden_order_is_not_found_yet() -> None:
    """None is what Coinbase said; the core must wait for the read lag before it believes it."""

    async def scenario(world: World, caller: Any) -> None:
        world.house.faults.add(Fault(faults.HIDE, faults.PLACE, ms=60_000))
        venue_id = await place(caller, wanted())
        assert await DIALECT.find(caller, SYMBOL, "mine1", venue_id) is None
        assert await DIALECT.find(caller, SYMBOL, "mine1", "") is None

    run(scenario)


ASKS: tuple[tuple[str, Callable[[Any], Awaitable[Any]]], ...] = (
    (faults.OPEN_ORDERS, lambda caller: DIALECT.open_orders(caller, [SYMBOL])),
    (faults.OPEN_ORDERS, lambda caller: DIALECT.find(caller, SYMBOL, "mine1", "")),
    (faults.QUERY, lambda caller: DIALECT.find(caller, SYMBOL, "mine1", order_uuid("4"))),
    (faults.FILLS, lambda caller: DIALECT.fills(caller, [SYMBOL], 0)),
    (faults.BALANCE, DIALECT.balances),
    (faults.BALANCE, lambda caller: DIALECT.transfers(caller, 0)),
)
KINDS = (faults.JUNK, faults.EMPTY, faults.ERROR_BEFORE, faults.DROP_BEFORE, faults.TRUNCATE)


@pytest.mark.parametrize(("endpoint", "ask"), ASKS)
def test_a_question_that_fails_raises(endpoint: str, ask: Callable[[Any], Awaitable[Any]]) -> None:
    """An order is open: nothing or [] would be a lie. Without a fault there is an answer."""

    async def scenario(world: World, caller: Any) -> None:
        await place(caller, wanted())
        for kind in KINDS:
            # Twice, because aiohttp asks again when a connection that was open before is dropped.
            world.house.faults.add(Fault(kind, endpoint, count=2))
            with pytest.raises(BaseError):
                await ask(caller)
            world.house.faults.clear()
        await ask(caller)

    run(scenario)


def test_open_orders_are_all_of_them_whatever_the_symbol() -> None:
    """230 on one symbol, more than two pages, and one on another."""

    async def scenario(world: World, caller: Any) -> None:
        for number in range(230):
            rest(world, f"mine{number}")
        await place(caller, wanted("other", "2000", symbol="ETH/USDT"))
        found = await DIALECT.open_orders(caller, [SYMBOL])
        assert [*(f"mine{number}" for number in range(230)), "other"] == [
            view.order_id for view in found
        ]
        assert "ETH/USDT" == found[-1].symbol

    run(scenario)


def test_fills_are_all_of_them_exact_and_oldest_first() -> None:
    """120 fills are two pages; each is the one in the exchange's own record."""

    async def scenario(world: World, caller: Any) -> None:
        venue_id = await place(caller, wanted(quantity="0.12"))
        for _ in range(120):
            crowd_sells(world, "0.001")
        recorded = [
            line
            for line in world.house.record.lines
            if line["kind"] == "fill" and line["account"] == "default"
        ]
        found = await DIALECT.fills(caller, [SYMBOL], 0)
        assert [
            (line["trade_id"], line["price"], line["quantity"], line["asset"], line["amount"])
            for line in recorded
        ] == [
            (
                fill.trade_id,
                format_scaled(parse_scaled(fill.price, 2), 2),
                format_scaled(parse_scaled(fill.quantity, 6), 6),
                fill.fee_asset,
                format_scaled(parse_scaled(fill.fee, 8), 8),
            )
            for fill in found
        ]
        assert {venue_id} == {fill.venue_order_id for fill in found}
        assert all(fill.is_maker and fill.side == "buy" for fill in found)
        view = await DIALECT.find(caller, SYMBOL, "mine1", venue_id)
        assert view is not None
        own = await DIALECT.fills_of(caller, view)
        assert {"mine1"} == {fill.order_id for fill in own}
        assert [fill.trade_id for fill in found] == [fill.trade_id for fill in own]
        later = await DIALECT.fills(caller, [SYMBOL], found[60].ts)
        assert [fill.trade_id for fill in found if fill.ts >= found[60].ts] == [
            fill.trade_id for fill in later
        ]
        assert [] == await DIALECT.fills(caller, ["ETH/USDT"], 0)

    run(scenario)


def test_a_fill_of_somebody_who_buys_for_money_is_in_whole_lots() -> None:
    """Typed by hand, for 300: the fill shows money (see the answers)."""

    async def scenario(world: World, caller: Any) -> None:
        await caller.create_order(SYMBOL, "market", "buy", "300", None, {"client_order_id": "x"})
        (fill,) = await DIALECT.fills(caller, [SYMBOL], 0)
        (known,) = world.house.orders_of("default")
        assert known.filled == parse_scaled(fill.quantity, 6)
        assert isinstance(fill, FillView)

    run(scenario)


def test_balances_are_the_exchanges_own() -> None:
    """Also with money held by an order, after fills with fees."""

    async def scenario(world: World, caller: Any) -> None:
        await place(caller, wanted())
        crowd_sells(world, "0.004")
        expected = [
            BalanceView(view.asset, format_scaled(view.total, 8))
            for view in world.house.balances("default")
        ]
        assert expected == await DIALECT.balances(caller)

    run(scenario)


def test_transfers_have_their_sign_and_come_to_their_end() -> None:
    """105 deposits (two pages), a withdrawal; also of a wallet that is empty by now."""

    async def scenario(world: World, caller: Any) -> None:
        for _ in range(105):
            world.house.deposit("default", "BTC", 1_000_000)
        world.house.withdraw("default", "BTC", 50_000_000)
        world.house.withdraw("default", "ETH", 10_000_000_000)
        found = await DIALECT.transfers(caller, 0)
        known = world.house.transfers
        assert [(one.asset, format_scaled(one.amount, 8)) for one in known] == [
            (view.asset, view.amount) for view in found
        ]
        assert len(known) == len({view.id for view in found})
        assert [] == await DIALECT.transfers(caller, found[-1].ts + 1)

    run(scenario)


def test_a_view_of_an_order_has_no_floats() -> None:
    """Every number of every view is a text."""

    async def scenario(world: World, caller: Any) -> None:
        await place(caller, wanted())
        crowd_sells(world, "0.004")
        (order,) = await DIALECT.open_orders(caller, [SYMBOL])
        (fill,) = await DIALECT.fills(caller, [SYMBOL], 0)
        assert isinstance(order, OrderView)
        numbers = (order.price, order.quantity, order.filled, fill.price, fill.quantity, fill.fee)
        assert [str] * 6 == [type(number) for number in numbers]
        assert ("60000.00", "0.01", "0.004", "60000", "0.004", "0.96") == numbers

    run(scenario)
