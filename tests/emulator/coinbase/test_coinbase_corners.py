"""The rarer answers of the emulated Coinbase: odd tokens, odd parameters, odd orders."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest

from emulator.coinbase.coinbase_caller import offline
from emulator.coinbase.coinbase_world import (
    PRODUCT,
    SYMBOL,
    V3,
    World,
    ccxt_world,
    coinbase_world,
    limit,
    listening,
    order_body,
)
from zvt_trading.adapters.ccxt.coinbase.answers import order_view

ORDERS = f"{V3}/orders"
HISTORY = f"{ORDERS}/historical"
LATE = "2100-01-01T00:00:00.000000Z"


def part(text: str) -> str:
    """Of a token."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def forged(head: str, claims: str, signature: str) -> str:
    return ".".join((part(head), part(claims), signature))


TOKENS: dict[str, Callable[[World], str]] = {
    "two parts": lambda world: world.token("GET", HISTORY).rpartition(".")[0],
    "not base64": lambda _: "a.b.c",
    "not JSON": lambda _: forged("head", "claims", ""),
    "no object": lambda _: forged("[]", "{}", ""),
    "an unknown key": lambda _: forged('{"kid":"nobody","alg":"ES256"}', "{}", ""),
    "no algorithm": lambda world: forged(f'{{"kid":"{world.key.key}","alg":"none"}}', "{}", ""),
    "a short signature": lambda world: world.token("GET", HISTORY)[:-8],
    "times that are texts": lambda world: world.crafted(nbf="1", exp="2"),
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_that_is_none_is_unauthorized(name: str) -> None:
    """Whatever is wrong with it, the answer is the same word."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            path = f"{HISTORY}/batch"
            refused = await world.call("GET", path, token=TOKENS[name](world))
            assert (401, "Unauthorized") == (refused.status, refused.body)

    asyncio.run(scenario())


CANDLES = f"{V3}/market/products/{PRODUCT}/candles"
WRONG: tuple[tuple[int, str, str, dict[str, str]], ...] = (
    (400, "granularity", CANDLES, {"granularity": "ONE_YEAR"}),
    (400, "start", CANDLES, {"granularity": "ONE_MINUTE", "start": "now"}),
    (400, "limit", f"{V3}/market/product_book", {"product_id": PRODUCT, "limit": "all"}),
    (404, "product_id", f"{V3}/market/product_book", {"product_id": "DOGE-USD"}),
    (400, "cursor", f"{HISTORY}/batch", {"cursor": "nowhere"}),
    (400, "cursor", f"{HISTORY}/fills", {"cursor": "nowhere"}),
    (400, "cursor", f"{V3}/accounts", {"cursor": "nowhere"}),
    (404, "account", f"{V3}/accounts/nobody", {}),
)


@pytest.mark.parametrize(("status", "name", "path", "query"), WRONG)
def test_a_wrong_parameter_is_named(
    status: int, name: str, path: str, query: dict[str, str]
) -> None:
    """A page that begins nowhere is an error, not the first page."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            refused = await world.call("GET", path, query=query)
            assert status == refused.status
            assert name in refused.body["message"]

    asyncio.run(scenario())


def test_a_cancel_of_nothing_is_invalid() -> None:
    """There must be an id."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            answer = await world.call("POST", f"{ORDERS}/batch_cancel", {"order_ids": []})
            assert (400, "INVALID_ARGUMENT") == (answer.status, answer.body["error"])

    asyncio.run(scenario())


NOT_CREATED: tuple[tuple[int, dict[str, Any]], ...] = (
    (400, {"order_configuration": {"limit_limit_gtc": "much"}}),
    (400, {"order_configuration": None}),
    (200, {"order_configuration": {"market_market_ioc": {"base_size": "0.0000001"}}}),
    (200, {"order_configuration": {"market_market_ioc": {"quote_size": "1"}}}),
)


@pytest.mark.parametrize(("status", "change"), NOT_CREATED)
def test_a_market_order_too_small_and_an_order_of_no_shape(
    status: int, change: dict[str, Any]
) -> None:
    """Neither is taken."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            answer = await world.call("POST", ORDERS, order_body("a", limit()) | change)
            assert status == answer.status
            assert answer.body.get("success") is not True
            assert [] == world.house.orders_of("default")

    asyncio.run(scenario())


SHAPES: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("GOOD_UNTIL_DATE_TIME", {"end_time": LATE, "post_only": True}, "limit_limit_gtd"),
    ("FILL_OR_KILL", {}, "limit_limit_fok"),
    ("IMMEDIATE_OR_CANCEL", {}, "sor_limit_ioc"),
)


@pytest.mark.parametrize(("tif", "more", "kind"), SHAPES)
def test_an_order_is_shown_as_it_was_asked_for(tif: str, more: dict[str, Any], kind: str) -> None:
    """A sell of 0.001; what rests holds coins."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            price = "61000.00" if more else "59000.00"
            terms = {"base_size": "0.001", "limit_price": price, **more}
            placed = await world.place("a", {kind: terms}, "SELL")
            path = f"{HISTORY}/{placed['order_id']}"
            order = (await world.call("GET", path)).body["order"]
            assert (tif, {kind: terms}) == (order["time_in_force"], order["order_configuration"])
            assert ("0.001" if more else "0") == order["outstanding_hold_amount"]
            assert "SELL" == order["side"]
            view = order_view(offline(), order)
            assert (price, "0.001", "sell") == (view.price, view.quantity, view.side)

    asyncio.run(scenario())


def test_only_a_limit_order_that_is_good_till_cancelled_can_be_edited() -> None:
    """A post-only order cannot be edited to take."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            terms = {"base_size": "0.001", "limit_price": "50000.00", "end_time": LATE}
            dated = (await world.place("a", {"limit_limit_gtd": terms}))["order_id"]
            quiet = (await world.place("b", limit(post_only=True)))["order_id"]
            over = (await world.place("c", limit("60100.00", "0.001")))["order_id"]
            reasons = []
            for order_id, price in ((dated, "49000"), (quiet, "60100"), (over, "49000")):
                body = {"order_id": order_id, "price": price, "size": "0.02"}
                answer = (await world.call("POST", f"{ORDERS}/edit", body)).body
                reasons.append(answer["errors"][0]["edit_failure_reason"])
            assert [
                "ONLY_LIMIT_ORDER_EDITS_SUPPORTED",
                "INVALID_EDITED_PRICE",
                "ONLY_OPEN_ORDERS_CAN_BE_EDITED",
            ] == reasons

    asyncio.run(scenario())


def test_a_preview_places_nothing() -> None:
    """It tells the cost, or why not."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            body = order_body("", limit())
            good = (await world.call("POST", f"{ORDERS}/preview", body)).body
            assert ("500", "0.01", []) == (good["order_total"], good["base_size"], good["errs"])
            wrong = body | {"order_configuration": limit("50000.001")}
            bad = (await world.call("POST", f"{ORDERS}/preview", wrong)).body
            assert ["PREVIEW_INVALID_PRICE_PRECISION"] == bad["errs"]
            nothing = body | {"product_id": "DOGE-USD"}
            assert 400 == (await world.call("POST", f"{ORDERS}/preview", nothing)).status
            assert [] == world.house.orders_of("default")

    asyncio.run(scenario())


def test_the_old_interface_tells_the_same_money() -> None:
    """Ccxt's default asks it; what orders hold is not in it."""

    async def scenario() -> None:
        async with ccxt_world() as (_, client):
            client.options["fetchBalance"] = "v2PrivateGetAccounts"
            client.options["fetchTime"] = "v2PublicGetTime"
            total = (await client.fetch_balance())["total"]
            expected = {"USDT": "1000000.00000000", "BTC": "10.00000000", "ETH": "100.00000000"}
            assert expected == total
            assert await client.fetch_time() > 0
            assert [] == await client.fetch_deposits("BTC")
            assert [] == await client.fetch_withdrawals("BTC")

    asyncio.run(scenario())


def test_candles_are_made_of_the_trades_that_are_kept() -> None:
    """Two trades in one minute: open is the first, close the last; a filter may leave none."""

    async def scenario() -> None:
        async with ccxt_world() as (world, client):
            await world.trade()
            (candle,) = await client.fetch_ohlcv(SYMBOL, "1h")
            assert ["60010.57"] * 4 == candle[1:5]
            assert "0.001" == candle[5].rstrip("0")
            query = {"granularity": "ONE_HOUR", "start": "0", "end": "60"}
            assert [] == (await world.call("GET", CANDLES, query=query)).body["candles"]
            later = {"start": LATE}
            path = f"{V3}/market/products/{PRODUCT}/ticker"
            assert [] == (await world.call("GET", path, query=later)).body["trades"]

    asyncio.run(scenario())


def test_a_message_that_is_no_json_is_answered_with_an_error_frame() -> None:
    """The connection goes on."""

    async def scenario() -> None:
        async with coinbase_world() as world, listening(world) as listener:
            for text in ("not json", "[]"):
                await listener.say_text(text)
                assert "error" == (await listener.next())["type"]
            await listener.say(channel="level2")
            assert 0 == (await listener.next("l2_data"))["sequence_num"]

    asyncio.run(scenario())


FILTERS: tuple[tuple[str, Callable[[World, str], dict[str, str]], int], ...] = (
    ("batch", lambda _, one: {"order_ids": one}, 1),
    ("batch", lambda _, __: {"product_ids": "ETH-USDT"}, 0),
    ("batch", lambda _, __: {"start_date": LATE}, 0),
    ("batch", lambda _, __: {"order_status": "CANCELLED"}, 0),
    ("fills", lambda _, one: {"order_id": one}, 1),
    ("fills", lambda _, __: {"trade_ids": "none"}, 0),
    ("fills", lambda _, __: {"end_sequence_timestamp": "1"}, 0),
)


@pytest.mark.parametrize(("what", "query", "count"), FILTERS)
def test_lists_are_filtered(
    what: str, query: Callable[[World, str], dict[str, str]], count: int
) -> None:
    """One order with one fill."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            order_id = (await world.place("a", limit("60100.00", "0.001")))["order_id"]
            answer = await world.call("GET", f"{HISTORY}/{what}", query=query(world, order_id))
            assert count == len(answer.body["orders" if what == "batch" else "fills"])

    asyncio.run(scenario())
