"""Acceptance cards 1 to 9: what an order can be, on every exchange's own wire."""

from decimal import Decimal

import pytest

from live.live_cards import OnOneEngine
from live.live_engine import MARKETS, SPOT
from live.live_trader import Trader
from live.live_world import Account
from zvt_trading.emulator import faults
from zvt_trading.messages.events import OrderFilled, OrderTriggered

pytest_plugins = ("live.live_fixtures",)
pytestmark = pytest.mark.parametrize(("venue", "symbol"), MARKETS)

ENDED = ("cancelled", "expired")
"""What exchanges call the end of an order that may not rest."""


class TestCard01Market(OnOneEngine):
    @pytest.mark.parametrize("side", ["buy", "sell"])
    def test_it_fills_at_once_at_the_best_prices(
        self, trader: Trader, symbol: str, side: str
    ) -> None:
        """A market order is filled whole when the call returns."""
        result = trader.order(side, "0.01", symbol)
        assert result.success, result.message
        assert (result.status, result.filled_quantity) == ("filled", Decimal("0.01"))
        trader.agrees()


class TestCard02Limit(OnOneEngine):
    def test_it_rests_until_somebody_takes_it(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """A limit order is open at its price at both sides, and fills there as a maker."""
        price = account.inside(symbol)
        result = trader.limit("buy", "0.01", price, symbol)
        assert (result.success, result.status) == (True, "accepted")
        trader.agrees()
        account.crowd(symbol, "sell", price, "0.01")
        order = trader.until_over(result.order_id)
        assert ("filled", price) == (order.status, order.avg_fill_price)
        assert ["maker"] == [fill.liquidity for fill in trader.fills()]
        trader.agrees()

    def test_one_that_crosses_takes_what_is_there(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """A limit order beyond the best price fills at that price, as a taker."""
        price = account.inside(symbol)
        account.crowd(symbol, "sell", price, "0.01")
        result = trader.limit("buy", "0.01", price + 1, symbol)
        order = trader.until_over(result.order_id)
        assert ("filled", price) == (order.status, order.avg_fill_price)
        assert ["taker"] == [fill.liquidity for fill in trader.fills()]
        trader.agrees()


class TestCard03PostOnly(OnOneEngine):
    def test_it_rests_where_it_takes_nothing(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """A post-only order inside the spread is open."""
        result = trader.limit("sell", "0.01", account.inside(symbol), symbol, post_only=True)
        assert (result.success, result.status) == (True, "accepted")
        trader.agrees()

    def test_it_is_refused_where_it_would_take(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """A post-only order that crosses is rejected for that, and nothing is traded."""
        price = account.inside(symbol)
        account.crowd(symbol, "sell", price, "0.01")
        result = trader.limit("buy", "0.01", price + 1, symbol, post_only=True)
        order = trader.until_over(result.order_id)
        assert ("venue_post_only", Decimal(0)) == (order.reason, order.filled_quantity)
        trader.agrees()


class TestCard04ImmediateOrCancel(OnOneEngine):
    def test_it_takes_what_is_there_and_leaves_the_rest(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """An IOC order fills what the book has at its price; the rest does not stay open."""
        price = account.inside(symbol)
        account.crowd(symbol, "sell", price, "0.004")
        result = trader.limit("buy", "0.01", price, symbol, time_in_force="ioc")
        order = trader.until_over(result.order_id)
        assert order.status in ENDED
        assert order.filled_quantity == Decimal("0.004")
        trader.agrees()

    def test_without_a_counterparty_it_ends_unfilled(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """An IOC order inside the spread ends at once, and is no success."""
        price = account.inside(symbol)
        result = trader.limit("buy", "0.01", price, symbol, time_in_force="ioc")
        assert not result.success
        assert result.status in ENDED
        trader.agrees()


class TestCard05FillOrKill(OnOneEngine):
    def test_it_fills_whole_where_there_is_enough(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """A FOK order that the book can fill is filled."""
        price = account.inside(symbol)
        account.crowd(symbol, "sell", price, "0.02")
        result = trader.limit("buy", "0.01", price, symbol, time_in_force="fok")
        assert (result.success, result.status) == (True, "filled")
        trader.agrees()

    def test_it_takes_nothing_where_there_is_too_little(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """A FOK order that the book cannot fill whole takes no part of it."""
        price = account.inside(symbol)
        account.crowd(symbol, "sell", price, "0.004")
        result = trader.limit("buy", "0.01", price, symbol, time_in_force="fok")
        assert (result.success, result.filled_quantity) == (False, Decimal(0))
        assert result.status in {*ENDED, "rejected"}
        trader.agrees()


class TestCard06Stop(OnOneEngine):
    def test_the_engine_holds_it_until_the_market_is_there(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """A stop is not at the exchange before a live quote triggers it; then it fills there."""
        trigger, price = account.inside(symbol, 1), account.inside(symbol, 3)
        bid = account.crowd(symbol, "buy", price, "0.02")
        trader.until(lambda: trader.bid(symbol) == price, "the new bid")
        result = trader.order("sell", "0.01", symbol, order_type="stop", trigger_price=trigger)
        assert (result.success, result.status) == (True, "pending")
        assert account.order_of(result.order_id) is None
        account.cancel(bid)
        order = trader.until_over(result.order_id)
        assert ("filled", Decimal("0.01")) == (order.status, order.filled_quantity)
        assert [result.order_id] == [one.order_id for one in trader.of_kind(OrderTriggered)]
        trader.agrees()


class TestCard07Amend(OnOneEngine):
    def test_price_and_quantity_are_those_asked_for(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """An amended order works at the new price, with the new total, at both sides.

        Binance spot takes a smaller quantity only: there the order stays as it was.
        """
        may_move = (account.name, symbol) != ("binance", SPOT)
        price = account.inside(symbol)
        placed = trader.limit("buy", "0.01", price - 100, symbol)
        amended = trader.engine.amend_order(placed.order_id, price=price, quantity="0.02")
        assert amended.success == may_move
        order = trader.info(placed.order_id)
        expected = (price, Decimal("0.02")) if may_move else (price - 100, Decimal("0.01"))
        assert expected == (order.price, order.quantity)
        trader.agrees()
        if may_move:
            account.crowd(symbol, "sell", price, "0.02")
            assert trader.until_over(placed.order_id).filled_quantity == Decimal("0.02")
            trader.agrees()

    def test_what_is_over_is_not_amended(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """An order that was cancelled at the exchange untold cannot be amended: it is over."""
        placed = trader.limit("buy", "0.02", account.inside(symbol) - 100, symbol)
        there = account.order_of(placed.order_id)
        assert there is not None
        account.fault(faults.FRAME_SILENCE, faults.PRIVATE, ms=500)
        account.cancel(there)
        assert not trader.engine.amend_order(placed.order_id, quantity="0.01").success
        assert trader.until_over(placed.order_id).status == "cancelled"
        trader.agrees()

    def test_after_a_partial_fill_the_total_counts(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """The quantity of an amend is the total: what is filled already is part of it."""
        price = account.inside(symbol)
        placed = trader.limit("buy", "0.02", price, symbol)
        account.crowd(symbol, "sell", price, "0.005")
        trader.until_told(OrderFilled)
        assert trader.engine.amend_order(placed.order_id, quantity="0.01").success
        account.crowd(symbol, "sell", price, "0.005")
        order = trader.until_over(placed.order_id)
        assert ("filled", Decimal("0.01")) == (order.status, order.filled_quantity)
        trader.agrees()


class TestCard08Cancel(OnOneEngine):
    def test_an_open_order_is_taken_back_once(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """Cancel says True when it took the order back, and False when it was over before."""
        placed = trader.limit("buy", "0.01", account.inside(symbol) - 100, symbol)
        assert trader.engine.cancel_order(placed.order_id)
        assert trader.info(placed.order_id).status == "cancelled"
        assert not trader.engine.cancel_order(placed.order_id)
        trader.agrees()

    def test_somebody_else_may_cancel_it_there(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """An order of ours that is cancelled by hand at the exchange is cancelled here too."""
        placed = trader.limit("buy", "0.01", account.inside(symbol) - 100, symbol)
        there = account.order_of(placed.order_id)
        assert there is not None
        account.cancel(there)
        assert trader.until_over(placed.order_id).status == "cancelled"
        trader.agrees()


class TestCard09PartialFills(OnOneEngine):
    def test_every_part_is_a_trade_of_its_own(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """Parts add up, each with its trade id; what is cancelled is only the rest."""
        price = account.inside(symbol)
        placed = trader.limit("sell", "0.03", price, symbol)
        for part in ("0.01", "0.002", "0.003"):
            account.crowd(symbol, "buy", price, part)
        trader.until_told(OrderFilled, 3)
        assert trader.info(placed.order_id).status == "partially_filled"
        assert trader.engine.cancel_order(placed.order_id)
        order = trader.info(placed.order_id)
        assert ("cancelled", Decimal("0.015")) == (order.status, order.filled_quantity)
        trader.agrees()

    def test_one_order_may_take_several_prices(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """A market order over two levels has two trades, and the average of their prices."""
        low, high = account.inside(symbol, 1), account.inside(symbol, 3)
        account.crowd(symbol, "buy", low, "0.01")
        account.crowd(symbol, "buy", high, "0.01")
        result = trader.order("sell", "0.02", symbol)
        assert result.status == "filled"
        assert len({fill.trade_id for fill in trader.fills()}) == 2
        assert result.avg_fill_price == (low + high) / 2
        trader.agrees()
