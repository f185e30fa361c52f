"""Markets as ccxt has them to listings: exact texts, in the base asset."""

from typing import Any

import pytest

from zvt_trading.adapters.ccxt.listings import listing_of
from zvt_trading.errors import VenueError
from zvt_trading.messages.codes import LINEAR, SPOT
from zvt_trading.ports.venue import Listing

SYMBOL = "BTC/USDT"
MARKET: dict[str, Any] = {
    "spot": True, "swap": False, "active": True, "base": "BTC", "quote": "USDT", "settle": None,
    "contractSize": None, "maker": "0.001", "taker": "0.002",
    "precision": {"price": "0.01", "amount": "0.00001"},
    "limits": {
        "amount": {"min": "0.0001", "max": "9000"}, "cost": {"min": "5", "max": None},
        "price": {"min": "0.01", "max": "1000000"}, "leverage": {"min": None, "max": None},
    },
}  # fmt: skip
SWAP = {"spot": False, "swap": True, "linear": True, "settle": "USDC"}
LISTING: dict[str, Any] = dict(
    symbol=SYMBOL, kind=SPOT, base="BTC", quote="USDT", settle="USDT", tick="0.01", lot="0.00001",
    quantity_min="0.0001", quantity_max="9000", notional_min="5", price_min="0.01",
    price_max="1000000", maker_fee="0.001", taker_fee="0.002", leverage_max=1,
)  # fmt: skip


def limits(**changes: Any) -> dict[str, Any]:
    return {"limits": {**MARKET["limits"], **changes}}


@pytest.mark.parametrize(
    ("market", "expected"),
    [
        ({}, {}),
        ({"active": None}, {}),  # some exchanges do not say
        (SWAP, {"kind": LINEAR, "settle": "USDC"}),
        # 0.01 BTC a contract: what ccxt counts in contracts is in BTC here.
        (
            {**SWAP, "contractSize": "0.01", **limits(amount={"min": "1", "max": "500"})},
            {
                "kind": LINEAR, "settle": "USDC", "lot": "0.0000001", "quantity_min": "0.01",
                "quantity_max": "5.00",
            },
        ),
        ({**SWAP, **limits(leverage={"max": "125"})},
         {"kind": LINEAR, "settle": "USDC", "leverage_max": 125}),
        (limits(leverage={"max": "10"}), {}),  # margin: spot has none here
        (limits(amount={}), {"quantity_min": "0.00001", "quantity_max": ""}),
        (limits(amount=None, cost=None, price=None),
         {"quantity_min": "0.00001", "quantity_max": "", "notional_min": "", "price_min": "",
          "price_max": ""}),
        ({"limits": None},
         {"quantity_min": "0.00001", "quantity_max": "", "notional_min": "", "price_min": "",
          "price_max": ""}),
        ({"maker": None, "taker": None}, {"maker_fee": "0", "taker_fee": "0"}),
        # ccxt's own tables have floats: the shortest text is meant, and without an exponent.
        ({"maker": 0.0002, "taker": 1e-05}, {"maker_fee": "0.0002", "taker_fee": "0.00001"}),
        ({"precision": {"price": "1E-8", "amount": "0.1"}}, {"tick": "0.00000001", "lot": "0.1"}),
    ],
)  # fmt: skip
def test_a_listing(market: dict[str, Any], expected: dict[str, Any]) -> None:
    """Every number as a plain text; "" where there is no bound."""
    found = listing_of("okx", SYMBOL, {SYMBOL: {**MARKET, **market}})
    assert Listing(**{**LISTING, **expected}) == found


@pytest.mark.parametrize(
    ("markets", "message"),
    [
        ({}, "okx does not list 'BTC/USDT'"),
        ({SYMBOL: {**MARKET, "active": False}}, "okx does not trade 'BTC/USDT' now"),
        ({SYMBOL: {**MARKET, "spot": False}}, "neither spot nor a linear perpetual"),
        ({SYMBOL: {**MARKET, **SWAP, "linear": False}}, "neither spot nor a linear perpetual"),
    ],
)
def test_what_cannot_be_traded_is_an_error(markets: dict[str, Any], message: str) -> None:
    """That says which venue and symbol."""
    with pytest.raises(VenueError, match=message):
        listing_of("okx", SYMBOL, markets)
