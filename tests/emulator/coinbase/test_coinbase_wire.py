"""The emulated Coinbase refuses and limits as the real one does."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from emulator.coinbase.coinbase_world import (
    HOST,
    PRODUCT,
    SYMBOL,
    V3,
    World,
    coinbase_world,
    limit,
    order_body,
)
from zvt_trading.emulator import faults
from zvt_trading.emulator.faults import Fault
from zvt_trading.emulator.keys import ApiKey, new_key
from zvt_trading.messages.codes import SELL

ACCOUNTS = f"{V3}/accounts"
URI = f"GET {HOST}{ACCOUNTS}"
ORDERS = f"{V3}/orders"
INSIDE = "60000.00"  # between the best bid and ask of the quiet market
BATCH = f"{ORDERS}/historical/batch"

BAD_TOKENS: dict[str, Callable[[World], str]] = {
    "none": lambda _: "",
    "no token": lambda _: "nonsense",
    "another request": lambda world: world.token("GET", "/api/v3/brokerage/orders"),
    "another method": lambda world: world.token("POST", ACCOUNTS),
    "signed by somebody else": lambda world: world.crafted(new_key("coinbase"), uri=URI),
    "over": lambda world: world.crafted(uri=URI, exp=1),
    "not yet": lambda world: world.crafted(uri=URI, nbf=world.house.clock.now_ms() // 1000 + 60),
    "an unknown issuer": lambda world: world.crafted(uri=URI, iss="me"),
    "for another key": lambda world: world.crafted(uri=URI, sub="organizations/1/apiKeys/2"),
    "for no request": lambda world: world.crafted(),
}


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_token_that_is_not_right_is_unauthorized(name: str) -> None:
    """401 and the one word; the same request with the SDK's own token is answered."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            refused = await world.call("GET", ACCOUNTS, token=BAD_TOKENS[name](world))
            assert (401, "Unauthorized") == (refused.status, refused.body)
            assert 200 == (await world.call("GET", ACCOUNTS)).status

    asyncio.run(scenario())


def test_a_clock_that_is_two_minutes_ahead_finds_every_token_over() -> None:
    """The exchange's clock counts, not ours."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            world.house.clock.skew_ns = 121 * 10**9
            assert 401 == (await world.call("GET", ACCOUNTS)).status

    asyncio.run(scenario())


def test_a_key_that_may_only_look_cannot_trade() -> None:
    """403 with the words that the official SDK looks for."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            old = world.key
            world.house.keys[old.key] = ApiKey(key=old.key, secret=old.secret, can_trade=False)
            body = order_body("a", limit())
            refused = await world.call("POST", ORDERS, body)
            said = ("PERMISSION_DENIED", "Missing required scopes")
            assert 403 == refused.status
            assert said == (refused.body["error"], refused.body["error_details"])
            may = (await world.call("GET", f"{V3}/key_permissions")).body
            assert (True, False, False) == (may["can_view"], may["can_trade"], may["can_transfer"])

    asyncio.run(scenario())


REFUSED: tuple[tuple[str, Any, str, str], ...] = (
    ("INSUFFICIENT_FUND", limit(size="1000"), "BUY", "PREVIEW_INSUFFICIENT_FUND"),
    ("INVALID_PRICE_PRECISION", limit("50000.001"), "BUY", "PREVIEW_INVALID_PRICE_PRECISION"),
    ("INVALID_SIZE_PRECISION", limit(size="0.0100001"), "BUY", "PREVIEW_INVALID_SIZE_PRECISION"),
    (
        "UNKNOWN_FAILURE_REASON",
        limit("1.00", "0.00001"),
        "BUY",
        "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL",
    ),
    (
        "UNKNOWN_FAILURE_REASON",
        limit("1.00", "20000"),
        "BUY",
        "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE",
    ),
    (
        "INVALID_LIMIT_PRICE_POST_ONLY",
        limit("70000.00", post_only=True),
        "BUY",
        "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY",
    ),
    (
        "INVALID_NO_LIQUIDITY",
        {"limit_limit_fok": {"base_size": "9", "limit_price": "60011.00"}},
        "BUY",
        "PREVIEW_INVALID_NO_LIQUIDITY",
    ),
    (
        "UNSUPPORTED_ORDER_CONFIGURATION",
        {"twap_limit_gtd": {"base_size": "1"}},
        "BUY",
        "PREVIEW_INVALID_ORDER_CONFIG",
    ),
    ("INVALID_SIDE", limit(), "UP", "PREVIEW_INVALID_SIDE"),
)


@pytest.mark.parametrize(("error", "configuration", "side", "preview"), REFUSED)
def test_an_order_that_is_not_taken_is_answered_with_its_reason(
    error: str, configuration: Any, side: str, preview: str
) -> None:
    """200 and "success": false; nothing is placed and no money is held."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            said = await world.place("a", configuration, side)
            assert said["success"] is False
            response = said["error_response"]
            assert (error, preview) == (response["error"], response["preview_failure_reason"])
            assert [] == (await world.call("GET", BATCH)).body["orders"]
            held = [one["hold"]["value"] for one in await _accounts(world)]
            assert ["0.00000000"] * 3 == held

    asyncio.run(scenario())


async def _accounts(world: World) -> Any:
    return (await world.call("GET", ACCOUNTS)).body["accounts"]


INVALID: tuple[tuple[str, dict[str, Any]], ...] = (
    ("client_order_id", {"client_order_id": ""}),
    ("product_id", {"product_id": "DOGE-USD"}),
    ("order_configuration", {"order_configuration": {}}),
    ("base_size", {"order_configuration": {"limit_limit_gtc": {"limit_price": "1"}}}),
    (
        "end_time",
        {
            "order_configuration": {
                "limit_limit_gtd": {"base_size": "1", "limit_price": "1", "end_time": "soon"}
            }
        },
    ),
)


@pytest.mark.parametrize(("name", "change"), INVALID)
def test_a_request_that_makes_no_sense_is_invalid(name: str, change: dict[str, Any]) -> None:
    """400, and the message names the field."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            refused = await world.call("POST", ORDERS, order_body("a", limit()) | change)
            assert (400, "INVALID_ARGUMENT") == (refused.status, refused.body["error"])
            assert name in refused.body["message"]

    asyncio.run(scenario())


def test_an_id_that_was_used_before_is_answered_with_the_old_order() -> None:
    """Also when the order has other terms, and after it is over; nothing new is made."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            first = await world.place("a", limit())
            again = await world.place("a", limit("40000.00"))
            assert first["success_response"] == again["success_response"]
            ids = {"order_ids": [first["order_id"]]}
            await world.call("POST", f"{ORDERS}/batch_cancel", ids)
            late = await world.place("a", limit())
            assert first["order_id"] == late["order_id"]
            assert 1 == len((await world.call("GET", BATCH)).body["orders"])

    asyncio.run(scenario())


def test_each_cancel_of_a_batch_has_a_result_of_its_own() -> None:
    """One that is open, one that is over, one that never was."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            opened = (await world.place("a", limit()))["order_id"]
            filled = (await world.place("b", limit("70000.00", "0.001")))["order_id"]
            ids = [opened, filled, opened, "none"]
            answer = await world.call("POST", f"{ORDERS}/batch_cancel", {"order_ids": ids})
            assert [
                (True, "UNKNOWN_CANCEL_FAILURE_REASON"),
                (False, "ORDER_IS_FULLY_FILLED"),
                (False, "UNKNOWN_CANCEL_ORDER"),
                (False, "UNKNOWN_CANCEL_ORDER"),
            ] == [(one["success"], one["failure_reason"]) for one in answer.body["results"]]

    asyncio.run(scenario())


EDITS: tuple[tuple[str, dict[str, str]], ...] = (
    ("", {"price": "49000.00", "size": "0.02"}),
    ("INVALID_EDITED_PRICE", {"price": "49000.001", "size": "0.02"}),
    ("CANNOT_EDIT_TO_BELOW_FILLED_SIZE", {"price": INSIDE, "size": "0.004"}),
    ("ORDER_NOT_FOUND", {"order_id": "none", "price": "49000.00", "size": "0.02"}),
)


@pytest.mark.parametrize(("reason", "change"), EDITS)
def test_an_edit_changes_the_order_or_says_why_not(reason: str, change: dict[str, str]) -> None:
    """The order keeps its id; 0.004 of it are filled."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            order_id = (await world.place("a", limit(INSIDE)))["order_id"]
            world.house.crowd(SYMBOL, SELL, 6_000_000, 4_000)
            path = f"{ORDERS}/edit"
            said = (await world.call("POST", path, {"order_id": order_id, **change})).body
            why = [one["edit_failure_reason"] for one in said["errors"]]
            assert (not reason, [reason] if reason else []) == (said["success"], why)
            order = (await world.call("GET", f"{ORDERS}/historical/{order_id}")).body["order"]
            terms = order["order_configuration"]["limit_limit_gtc"]
            expected = ("0.01", INSIDE) if reason else ("0.02", "49000.00")
            assert expected == (terms["base_size"], terms["limit_price"])
            assert "0.004" == order["filled_size"]

    asyncio.run(scenario())


def test_an_order_can_only_be_asked_for_by_coinbases_own_id() -> None:
    """By any other id there is none: 404 with the words of the real answer."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            await world.place("a", limit())
            missing = await world.call("GET", f"{ORDERS}/historical/a")
            assert (404, "NOT_FOUND") == (missing.status, missing.body["error"])
            assert "order with this orderID was not found" == missing.body["message"]

    asyncio.run(scenario())


def test_a_hidden_order_is_there_all_the_same() -> None:
    """The create is answered; queries do not find it yet."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            world.house.faults.add(Fault(faults.HIDE, faults.PLACE, ms=60_000))
            order_id = (await world.place("a", limit()))["order_id"]
            assert 404 == (await world.call("GET", f"{ORDERS}/historical/{order_id}")).status
            assert [] == (await world.call("GET", BATCH)).body["orders"]
            assert 1 == len(world.house.exchange.desk.open)

    asyncio.run(scenario())


def test_lists_come_in_pages_newest_first() -> None:
    """Five orders in pages of two; the filter OPEN cannot be mixed with others."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            for name in "abcde":
                await world.place(name, limit(size="0.001"))
            seen, cursor, sizes = [], "", []
            while True:
                query = {"limit": "2", "order_status": "OPEN", "product_id": PRODUCT}
                page = (await world.call("GET", BATCH, query=query | {"cursor": cursor})).body
                sizes.append(len(page["orders"]))
                seen += [one["client_order_id"] for one in page["orders"]]
                cursor = page["cursor"]
                if not page["has_next"]:
                    break
            assert (list("edcba"), [2, 2, 1], "") == (seen, sizes, cursor)
            mixed = [("order_status", "OPEN"), ("order_status", "FILLED")]
            assert 400 == (await world.call("GET", BATCH, query=mixed)).status

    asyncio.run(scenario())


def test_more_than_thirty_private_requests_a_second_are_too_many() -> None:
    """429 with Retry-After; every answer says how many are left."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            answers = await asyncio.gather(
                *(world.call("GET", f"{V3}/portfolios") for _ in range(70))
            )
            left = {
                int(one.headers["x-ratelimit-remaining"]) for one in answers if one.status == 200
            }
            assert left
            assert left <= set(range(30))
            refused = [one for one in answers if one.status == 429]
            assert refused
            assert "rate_limit_exceeded" == refused[0].body["error"]
            assert int(refused[0].headers["retry-after"]) >= 1

    asyncio.run(scenario())


def test_an_internal_error_may_hide_an_order_that_was_taken() -> None:
    """A 500 with JSON, like the real one."""

    async def scenario() -> None:
        async with coinbase_world() as world:
            world.house.faults.add(Fault(faults.ERROR_AFTER, faults.PLACE))
            answer = await world.call("POST", ORDERS, order_body("a", limit()))
            assert (500, "INTERNAL") == (answer.status, answer.body["error"])
            assert 1 == len(world.house.exchange.desk.open)

    asyncio.run(scenario())
