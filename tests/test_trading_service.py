"""ZVT's trading verbs: what they return, through which engine."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from engine_world import BTC, engine_of
from zvt_trading import trading_service
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.trading_service import (
    buy_crypto,
    buy_stocks,
    default_engine,
    sell_crypto,
    sell_stocks,
    use_engine,
)
from zvt_trading.types import OrderStatus

KEYS = ["success", "order_id", "filled_quantity", "avg_fill_price", "message", "reason"]


@pytest.fixture(autouse=True)
def engine() -> Iterator[CryptoTradingEngine]:
    """The default engine of each test; forgotten afterwards."""
    engine = engine_of()
    use_engine(engine)
    yield engine
    use_engine(None)


def test_buy_stocks_returns_the_documented_dict() -> None:
    """Routed to the best venue when none is named."""
    answer = buy_stocks(BTC, 0.1)
    assert KEYS == list(answer)
    assert (True, Decimal("0.1")) == (answer["success"], answer["filled_quantity"])
    assert (Decimal(60001), "") == (answer["avg_fill_price"], answer["reason"])
    assert isinstance(answer["order_id"], str)
    assert len(answer["order_id"]) == 32


def test_sell_stocks_with_a_limit_rests(engine: CryptoTradingEngine) -> None:
    """Nothing is filled yet, and there is no average price."""
    answer = sell_stocks(BTC, "0.1", "beta", "limit", 61000)
    assert (True, Decimal(0)) == (answer["success"], answer["filled_quantity"])
    assert answer["avg_fill_price"] is None
    (order,) = engine.get_orders(open_only=True)
    assert ("beta", "sell", Decimal(61000)) == (order.exchange, order.side.value, order.price)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("DOGE/USDT", 1), "unknown_instrument"),
        ((BTC, 1, "gamma"), "unknown_instrument"),
        ((BTC, "many"), "invalid_request"),
        ((BTC, 0.1, "alpha", "limit"), "price_missing"),
        ((BTC, 100, "alpha"), "max_order_notional"),
    ],
)
def test_a_failure_is_a_dict_too(arguments: tuple[str, float], reason: str) -> None:
    """No exception: the reason, and a message for a person."""
    answer = buy_stocks(*arguments)
    assert (False, reason) == (answer["success"], answer["reason"])
    assert (Decimal(0), None) == (answer["filled_quantity"], answer["avg_fill_price"])
    assert answer["message"]


def test_buy_and_sell_crypto_return_an_order_result() -> None:
    """With everything that OrderRequest has as options."""
    bought = buy_crypto(BTC, "0.1", "alpha", client_order_id="mine")
    assert OrderStatus.FILLED is bought.status
    stop = sell_crypto(BTC, "0.1", "alpha", "stop", trigger_price=59000, strategy_id="hand")
    assert OrderStatus.PENDING is stop.status


def test_options_that_do_not_exist_or_fail() -> None:
    """Results as well."""
    unknown = buy_crypto(BTC, "0.1", colour="red")  # type: ignore[call-arg]  # the case
    assert (False, "invalid_request") == (unknown.success, unknown.reason)
    assert "colour" in unknown.message
    assert "unknown_portfolio" == buy_crypto(BTC, "0.1", portfolio_id="other").reason


def test_the_engine_in_use_is_the_one_given(engine: CryptoTradingEngine) -> None:
    """And no other."""
    buy_crypto(BTC, "0.1")
    assert engine is default_engine()
    assert 1 == len(engine.get_orders())


def test_without_an_engine_one_is_made_once() -> None:
    """On the built-in simulated exchanges; buying twice in a row is no runaway program."""
    use_engine(None)
    assert buy_stocks(BTC, 0.1)["success"]
    assert buy_stocks(BTC, 0.1)["success"]
    made = trading_service.default_engine()
    assert made is default_engine()
    assert Decimal("0.2") == sum(position.quantity for position in made.get_positions())
