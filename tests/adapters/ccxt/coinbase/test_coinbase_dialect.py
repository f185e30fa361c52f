"""Our dialect of Coinbase trades at the emulated one through a real ccxt.pro exchange."""

import asyncio
import re
from typing import Any

import pytest
from ccxt.base.errors import ExchangeError, NotSupported, OrderNotFound

from emulator.coinbase.coinbase_dialect_world import (
    crowd_sells,
    place,
    run,
    send,
    wanted,
)
from emulator.coinbase.coinbase_world import SYMBOL, World, coinbase_world
from emulator.redirect import exchange
from zvt_trading.adapters.ccxt.coinbase import DIALECT
from zvt_trading.adapters.ccxt.outcomes import error_code, refusal
from zvt_trading.adapters.ccxt.views import (
    CANCELLED,
    FILLED,
    OPEN,
    AmendView,
)
from zvt_trading.core.order_ids import make_order_id
from zvt_trading.core.units import parse_scaled
from zvt_trading.emulator import faults
from zvt_trading.emulator.faults import Fault
from zvt_trading.messages.codes import FOK, GTC, GTD, IOC
from zvt_trading.messages.reasons import Reason

# Requests.

TERMS: tuple[tuple[dict[str, Any], tuple[int, bool, str]], ...] = (
    ({}, (GTC, False, OPEN)),
    ({"post_only": True}, (GTC, True, OPEN)),
    ({"tif": "IOC"}, (IOC, False, CANCELLED)),
    ({"tif": "IOC", "price": "60100", "quantity": "0.001"}, (IOC, False, FILLED)),
    ({"tif": "FOK", "price": "60100", "quantity": "0.001"}, (FOK, False, FILLED)),
    ({"tif": "GTD", "expire_ms": 4_102_444_800_000}, (GTD, False, OPEN)),
    ({"reduce_only": True}, (GTC, False, OPEN)),  # means nothing on spot
)


@pytest.mark.parametrize(("change", "expected"), TERMS)
def test_an_order_is_sent_with_its_terms_and_our_id(
    change: dict[str, Any], expected: tuple[int, bool, str]
) -> None:
    """The id is the core's own; ccxt would make one up (PROTOCOLS 0, risk 3)."""

    async def scenario(world: World, caller: Any) -> None:
        order_id = make_order_id(world.house.clock.true_ns(), 1, 2, 3)
        assert re.fullmatch(DIALECT.profile.client_id_rule, order_id)
        order = wanted(order_id, **change)
        venue_id = await place(caller, order)
        (known,) = world.house.orders_of("default")
        view = await DIALECT.find(caller, SYMBOL, order_id, venue_id)
        assert view is not None
        assert (order_id, *expected) == (
            known.client_id,
            known.tif,
            known.ask.post_only,
            view.status,
        )
        assert (known.price, known.quantity) == (
            parse_scaled(order.price, 2),
            parse_scaled(order.quantity, 6),
        )
        assert known.ask.expire_ts == order.expire_ms * 1_000_000

    run(scenario)


def test_an_id_sent_again_is_answered_with_the_old_order() -> None:
    """There is no second one (PROTOCOLS 5), as the profile says."""

    async def scenario(world: World, caller: Any) -> None:
        assert "returned" == DIALECT.profile.duplicate_ids
        first = await place(caller, wanted())
        assert first == await place(caller, wanted())
        assert 1 == len(world.house.orders_of("default"))

    run(scenario)


@pytest.mark.parametrize("kind", [faults.JUNK, faults.EMPTY])
def test_an_answer_that_is_none_proves_nothing(kind: str) -> None:
    """The order is there, and ccxt raises nothing (PROTOCOLS 0, risk 2)."""

    async def scenario(world: World, caller: Any) -> None:
        world.house.faults.add(Fault(kind, faults.PLACE))
        assert [] == await send(caller, wanted())
        found = await DIALECT.find(caller, SYMBOL, "mine1", "")
        assert found is not None
        assert OPEN == found.status

    run(scenario)


REFUSALS: tuple[tuple[Reason, dict[str, Any]], ...] = (
    (Reason.VENUE_BALANCE, {"quantity": "1000"}),
    (Reason.VENUE_FILTER, {"quantity": "0.00001", "price": "1"}),
    (Reason.VENUE_POST_ONLY, {"price": "60100", "post_only": True}),
    (Reason.VENUE_NO_LIQUIDITY, {"price": "60011", "quantity": "9", "tif": "FOK"}),
)


@pytest.mark.parametrize(("reason", "change"), REFUSALS)
def test_a_refusal_is_proven_by_its_code(reason: Reason, change: dict[str, Any]) -> None:
    """Ccxt's classes do not tell: most are plain ExchangeErrors."""

    async def scenario(world: World, caller: Any) -> None:
        with pytest.raises(ExchangeError) as caught:
            await send(caller, wanted(**change))
        assert reason == refusal(error_code(caught.value), DIALECT.profile.refusals)
        assert [] == world.house.orders_of("default")

    run(scenario)


def test_an_internal_error_proves_no_refusal() -> None:
    """To ccxt it is an ExchangeError, but the order was taken (PROTOCOLS 0, risk 2)."""

    async def scenario(world: World, caller: Any) -> None:
        world.house.faults.add(Fault(faults.ERROR_AFTER, faults.PLACE))
        with pytest.raises(ExchangeError) as caught:
            await send(caller, wanted())
        assert refusal(error_code(caught.value), DIALECT.profile.refusals) is None
        assert 1 == len(world.house.open_orders("default"))

    run(scenario)


@pytest.mark.parametrize("knows_id", [True, False])
def test_an_order_is_cancelled_by_either_id(knows_id: bool) -> None:
    """Coinbase takes its own only; ours is looked up."""

    async def scenario(world: World, caller: Any) -> None:
        venue_id = await place(caller, wanted())
        await DIALECT.cancel(caller, SYMBOL, "mine1", venue_id if knows_id else "")
        assert [] == world.house.open_orders("default")

    run(scenario)


def test_a_cancel_of_what_is_over_says_that_it_is_gone() -> None:
    """A filled order, one cancelled before, one that never was."""

    async def scenario(world: World, caller: Any) -> None:
        del world
        filled = await place(caller, wanted("mine1", "60100", quantity="0.001"))
        cancelled = await place(caller, wanted("mine2"))
        await DIALECT.cancel(caller, SYMBOL, "mine2", cancelled)
        for order_id, venue_id in (("mine1", filled), ("mine2", cancelled), ("never", "")):
            with pytest.raises(OrderNotFound) as caught:
                await DIALECT.cancel(caller, SYMBOL, order_id, venue_id)
            assert error_code(caught.value).code in DIALECT.profile.refusals.order_gone

    run(scenario)


def test_an_amend_changes_price_and_total_size() -> None:
    """And keeps both ids, as the profile says; 0.004 of it were filled."""

    async def scenario(world: World, caller: Any) -> None:
        venue_id = await place(caller, wanted())
        crowd_sells(world, "0.004")
        view = await DIALECT.find(caller, SYMBOL, "mine1", venue_id)
        assert view is not None
        (said,) = await DIALECT.amend(caller, view, "49000.5", "0.02")
        assert isinstance(said, AmendView)
        assert ("mine1", venue_id, SYMBOL, "49000.5", "0.02") == (
            said.order_id,
            said.venue_order_id,
            said.symbol,
            said.price,
            said.quantity,
        )
        again = await DIALECT.find(caller, SYMBOL, "mine1", venue_id)
        assert again is not None
        assert ("49000.50", "0.02", "0.004") == (again.price, again.quantity, again.filled)
        with pytest.raises(ExchangeError) as caught:
            await DIALECT.amend(caller, view, "49000.5", "0.004")
        code = error_code(caught.value)
        assert Reason.VENUE_FILTER == refusal(code, DIALECT.profile.refusals)

    run(scenario)


def test_spot_has_no_leverage_positions_or_funding() -> None:
    """Leverage is refused; the lists are empty without a question."""

    async def scenario(world: World, caller: Any) -> None:
        requests = world.house.limits.requests
        with pytest.raises(NotSupported):
            await DIALECT.set_leverage(caller, SYMBOL, 2, 0)
        assert [] == await DIALECT.positions(caller, [SYMBOL])
        assert [] == await DIALECT.funding(caller, [SYMBOL], 0)
        assert await DIALECT.book(caller, SYMBOL) is None
        assert requests == world.house.limits.requests

    run(scenario)


def test_loading_asks_only_what_is_traded() -> None:
    """Products, futures (which there are none of) and fees: not the old currency lists."""

    async def scenario() -> None:
        settings = {"enableRateLimit": False, **DIALECT.settings()}
        async with (
            coinbase_world() as world,
            exchange(world.emulator, "coinbase", settings) as caller,
        ):
            await caller.load_markets()
            assert 3 == world.house.limits.requests
            assert [SYMBOL, "ETH/USDT"] == sorted(caller.symbols)

    asyncio.run(scenario())


def test_the_profile_knows_no_code_that_may_follow_an_acceptance() -> None:
    """PROTOCOLS 6.3: an unknown outcome is never called a refusal."""
    codes = DIALECT.profile.refusals.codes
    for code in (
        "INTERNAL",
        "UNKNOWN",
        "UNKNOWN_FAILURE_REASON",
        "UNKNOWN_PREVIEW_FAILURE_REASON",
        "RESOURCE_EXHAUSTED",
        "internal_server_error",
        "rate_limit_exceeded",
        "DUPLICATE_CLIENT_ORDER_ID",
    ):
        assert code not in codes
    assert all(400 <= reason < 420 for reason in codes.values())
    assert isinstance(DIALECT.profile.refusals.order_gone, frozenset)
    assert not DIALECT.profile.refusals.order_gone & set(codes)
