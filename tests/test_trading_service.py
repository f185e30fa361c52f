"""ZVT's trading verbs: what they return, through which engine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from conftest import ROOT
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


class TestTheUsersOwnStore:
    """Where no engine is given, what was bought is still there in the next process."""

    BUYING = (
        "from zvt_trading.trading_service import *; "
        "print(buy_crypto('BTC/USDT', '0.1', 'okx').message, "
        "sum(position.quantity for position in default_engine().get_positions()))"
    )

    def run(self, script: str, url: str) -> str:
        """What a script prints, in a process of its own that ends as any script does."""
        return subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**os.environ, "ZVT_TRADING_DB_URL": url},
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout.strip()

    def test_is_gone_on_with(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'mine.db'}"
        assert self.run(self.BUYING, url).endswith(" 0.100000")
        assert self.run(self.BUYING, url).endswith(" 0.200000")

    def test_one_engine_at_a_time(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        url = f"sqlite:///{tmp_path / 'mine.db'}"
        with CryptoTradingEngine(db_url=url):
            use_engine(None)
            monkeypatch.setenv("ZVT_TRADING_DB_URL", url)
            answer = buy_stocks(BTC, 0.1)
        assert (False, "store_unavailable") == (answer["success"], answer["reason"])
        assert "is in use by" in str(answer["message"])
        assert buy_stocks(BTC, 0.1)["success"]

    def test_is_free_again_when_another_engine_is_given(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = f"sqlite:///{tmp_path / 'mine.db'}"
        use_engine(None)
        monkeypatch.setenv("ZVT_TRADING_DB_URL", url)
        made = default_engine()
        use_engine(engine_of())
        assert made is not default_engine()
        CryptoTradingEngine(db_url=url).close()
