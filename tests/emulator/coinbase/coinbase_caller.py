"""A ccxt.pro Coinbase that has markets but no network, for what is pure."""

import json
from typing import Any

import ccxt.pro

from zvt_trading.emulator.keys import new_key

URL = "wss://advanced-trade-ws.coinbase.com"
USER_URL = "wss://advanced-trade-ws-user.coinbase.com"
TIME = "2026-04-07T14:30:00.123456Z"
TIME_MS = 1_775_572_200_123


def product(product_id: str, **more: Any) -> dict[str, Any]:
    base, quote = product_id.split("-")
    return {
        "product_id": product_id,
        "product_type": "SPOT",
        "base_currency_id": base,
        "quote_currency_id": quote,
        "base_increment": "0.000001",
        "quote_increment": "0.01",
        "price_increment": "0.01",
        "base_min_size": "0.00001",
        "base_max_size": "1000",
        "quote_min_size": "1",
        "quote_max_size": "1000000",
        "trading_disabled": False,
        "alias_to": [],
        **more,
    }


def offline() -> Any:
    """In str mode, with three products, of which two are one book."""
    exchange = ccxt.pro.coinbase()
    exchange.number = str
    exchange.set_markets(
        [
            exchange.parse_spot_market(one, {})
            for one in (
                product("BTC-USDT"),
                product("BTC-USD", alias_to=["BTC-USDC"]),
                product("BTC-USDC"),
            )
        ]
    )
    return exchange


def frame(channel: str, number: int, *events: Any, **more: Any) -> dict[str, Any]:
    return {
        "channel": channel,
        "client_id": "",
        "timestamp": TIME,
        "sequence_num": number,
        "events": list(events),
        **more,
    }


def own_order(**more: Any) -> dict[str, Any]:
    """Of the user channel: a limit buy of 0.01 at 50000, nothing filled."""
    return {
        "order_id": "venue-1",
        "client_order_id": "mine1",
        "cumulative_quantity": "0",
        "leaves_quantity": "0.01",
        "avg_price": "0",
        "total_fees": "0",
        "status": "OPEN",
        "product_id": "BTC-USDT",
        "creation_time": TIME,
        "order_side": "BUY",
        "order_type": "Limit",
        "limit_price": "50000.00",
        "cancel_reason": "",
        "reject_reason": "",
        **more,
    }


def rest_order(**more: Any) -> dict[str, Any]:
    """Of a query: the same order."""
    return {
        "order_id": "venue-1",
        "product_id": "BTC-USDT",
        "order_configuration": {
            "limit_limit_gtc": {
                "base_size": "0.01",
                "limit_price": "50000.00",
                "post_only": False,
            }
        },
        "side": "BUY",
        "client_order_id": "mine1",
        "status": "OPEN",
        "created_time": TIME,
        "filled_size": "0",
        "last_fill_time": None,
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "reject_message": "",
        "cancel_message": "",
        **more,
    }


def rest_fill(**more: Any) -> dict[str, Any]:
    return {
        "entry_id": "e1",
        "trade_id": "t1",
        "order_id": "venue-1",
        "trade_time": TIME,
        "trade_type": "FILL",
        "price": "50000.00",
        "size": "0.004",
        "commission": "0.80000000",
        "product_id": "BTC-USDT",
        "sequence_timestamp": TIME,
        "liquidity_indicator": "MAKER",
        "size_in_quote": False,
        "user_id": "u1",
        "side": "BUY",
        **more,
    }


class Canned(ccxt.pro.coinbase):  # type: ignore[misc]  # ccxt has no types
    """Answers are those given, one after another; `asked` keeps method, URL and body.

    An answer that is an exception is raised.
    """

    def __init__(self, answers: list[Any]) -> None:
        super().__init__({"apiKey": "organizations/1/apiKeys/2", "secret": NEW_KEY.secret})
        self.number = str
        self.set_markets(list(offline().markets.values()))
        self.answers = answers
        self.asked: list[tuple[str, str, Any]] = []

    async def fetch(
        self, url: str, method: str = "GET", headers: Any = None, body: Any = None
    ) -> Any:
        """Instead of the network."""
        del headers
        self.asked.append((method, url, json.loads(body) if body else None))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


NEW_KEY = new_key("coinbase")
