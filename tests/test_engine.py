"""The front door: what each call of `CryptoTradingEngine` does, to the last unit of money."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from threading import Thread

import pytest

from engine_world import (
    BTC,
    PERPETUAL,
    START,
    ListFeed,
    assert_sound,
    engine_of,
    limit,
    order,
    quote,
    world_of,
)
from zvt_trading.core.units import SECOND
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.errors import CallerError, DataError, EngineError, OrderNotFoundError
from zvt_trading.messages.commands import LimitSet
from zvt_trading.messages.events import Event, OrderFilled, OrderPlaced, OrderRefused
from zvt_trading.messages.market import MarketData, QuoteTick
from zvt_trading.runtime.world import World
from zvt_trading.sim.link import LinkProfile
from zvt_trading.types import OrderRequest, OrderResult, OrderStatus, TradingState

LATENCY = LinkProfile(delay_min=5_000_000, delay_max=5_000_000)


def cash(engine: CryptoTradingEngine, exchange: str = "alpha", asset: str = "USDT") -> Decimal:
    """What the default portfolio has there in all."""
    for balance in engine.get_portfolio_summary().balances:
        if (balance.exchange, balance.asset) == (exchange, asset):
            return balance.total
    return Decimal(0)


class TestPlacing:
    """place_order: answers, fills, fees and profit, checked by hand."""

    def test_a_market_order_is_filled_at_the_ask_with_the_taker_fee(self) -> None:
        """0.1 at 60,001 costs 6,000.10 and a fee of 10 bps of it: 6.0001."""
        engine = engine_of()
        result = engine.place_order(order("buy", "0.1"))
        assert (True, OrderStatus.FILLED) == (result.success, result.status)
        assert (Decimal("0.1"), Decimal(60001)) == (result.filled_quantity, result.avg_fill_price)
        (fill,) = engine.get_fills()
        assert ("taker", Decimal("6.0001"), "USDT") == (fill.liquidity, fill.fee, fill.fee_asset)
        assert Decimal(100_000) - Decimal("6000.1") - Decimal("6.0001") == cash(engine)
        assert_sound(engine)

    def test_a_round_trip_realises_price_difference_and_both_fees(self) -> None:
        """Bought 0.1 at 60,001, sold at 60,999: +99.80 realised, fees 6.0001 + 6.0999."""
        engine = engine_of(quote("alpha:BTC/USDT", "60999", "61001", after=1))
        engine.place_order(order("buy", "0.1"))
        engine.advance(1)
        engine.place_order(order("sell", "0.1"))
        summary = engine.get_portfolio_summary()
        assert Decimal("99.8") == summary.realized_pnl
        assert Decimal("12.1") == summary.fees
        assert [] == engine.get_positions()
        assert Decimal(100_000) + Decimal("99.8") - Decimal("12.1") == cash(engine)
        assert_sound(engine)

    def test_slippage_is_measured_from_the_mid_at_the_decision(self) -> None:
        """The mid is 60,000, the fill 60,001: 1/60,000 = 0.1667 bps of cost."""
        engine = engine_of()
        engine.place_order(order())
        (fill,) = engine.get_fills()
        assert (Decimal(60_000), Decimal("0.1667")) == (fill.arrival_price, fill.slippage_bps)

    def test_a_short_perpetual_gains_when_the_mark_falls(self) -> None:
        """0.5 sold at 60,009, marked at 59,510: +249.50; margin 1/5 at leverage 5."""
        engine = engine_of(quote("alpha:BTC/USDT:USDT", "59509", "59511", after=1))
        engine.set_leverage("default", PERPETUAL, "alpha", 5)
        engine.place_order(order("sell", "0.5", symbol=PERPETUAL))
        engine.advance(1)
        (position,) = engine.get_positions()
        assert (Decimal("-0.5"), 5) == (position.quantity, position.leverage)
        assert Decimal("249.5") == position.unrealized_pnl
        assert Decimal("15.00225") == position.fees  # 5 bps of 0.5 x 60,009
        assert position.liquidation_price is not None
        assert position.liquidation_price > 60_009
        assert_sound(engine)

    def test_a_limit_order_rests_until_the_market_comes_to_it(self) -> None:
        """Then it is filled at its own price, with the maker fee of 8 bps."""
        engine = engine_of(quote("alpha:BTC/USDT", "59898", "59899", after=1))
        result = engine.place_order(limit("buy", "0.1", "59900"))
        assert (True, OrderStatus.ACCEPTED) == (result.success, result.status)
        engine.advance(1)
        info = engine.get_order(result.order_id)
        assert (OrderStatus.FILLED, Decimal(59900)) == (info.status, info.avg_fill_price)
        (fill,) = engine.get_fills()
        assert ("maker", Decimal("4.792")) == (fill.liquidity, fill.fee)

    def test_an_order_waits_for_its_answer_under_latency(self) -> None:
        """5 ms there and 5 ms back pass while place_order runs."""
        engine = engine_of(latency=LATENCY)
        before = engine.world.simulation.now
        assert OrderStatus.FILLED is engine.place_order(order()).status
        assert 10_000_000 == engine.world.simulation.now - before

    @pytest.mark.parametrize("tif", ["ioc", "fok"])
    def test_an_immediate_order_without_a_fill_is_a_failure(self, tif: str) -> None:
        """It is over, and nothing was bought."""
        result = engine_of().place_order(limit("buy", "0.1", "59000", time_in_force=tif))
        assert not result.success
        assert Decimal(0) == result.filled_quantity
        assert result.reason
        assert "alpha" in result.message

    def test_a_post_only_order_that_would_take_is_rejected_by_the_venue(self) -> None:
        """The result carries the venue's reason."""
        result = engine_of().place_order(limit("buy", "0.1", "60001", post_only=True))
        assert (False, "rejected") == (result.success, result.status.value)
        assert "venue_post_only" == result.reason

    def test_a_venue_that_does_not_answer_leaves_the_outcome_unknown(self) -> None:
        """No success, no failure: the result warns not to repeat it; reservations stay."""
        engine = engine_of(latency=LinkProfile(loss_ppm=1_000_000))
        result = engine.place_order(order())
        assert (False, OrderStatus.UNKNOWN) == (result.success, result.status)
        assert "outcome_unknown" == result.reason
        assert "do not repeat" in result.message
        assert engine.get_portfolio_summary().balances[0].reserved > 6_000

    def test_a_stop_is_held_until_its_trigger(self) -> None:
        """Sold at the bid once the bid has fallen to the trigger."""
        engine = engine_of(quote("alpha:BTC/USDT", "59499", "59501", after=1))
        stop = engine.place_order(order("sell", order_type="stop", trigger_price="59500"))
        assert OrderStatus.PENDING is stop.status
        engine.advance(1)
        info = engine.get_order(stop.order_id)
        assert (OrderStatus.FILLED, Decimal(59499)) == (info.status, info.avg_fill_price)


class TestRouting:
    """exchange=None: the venue with the best price net of its taker fee."""

    @pytest.mark.parametrize(("side", "price"), [("buy", 60001), ("sell", 59999)])
    def test_the_fee_decides_between_near_prices(self, side: str, price: int) -> None:
        """Beta's ask is better by 1, but its fee worse by 10 bps, which is 60."""
        engine = engine_of()
        result = engine.place_order(order(side, exchange=None))
        assert ("alpha", Decimal(price)) == (result.exchange, result.avg_fill_price)

    def test_a_better_price_beats_the_fee(self) -> None:
        """Beta 100 cheaper: 59,901 x 1.002 < 60,001 x 1.001."""
        engine = engine_of(quote("beta:BTC/USDT", "59899", "59901", after=1))
        engine.advance(1)
        result = engine.place_order(order(exchange=None))
        assert ("beta", Decimal(59901)) == (result.exchange, result.avg_fill_price)

    def test_depth_comes_before_price(self) -> None:
        """Alpha could fill only a fifth of it."""
        engine = engine_of(quote("alpha:BTC/USDT", "59999", "60001", after=1, size="0.1"))
        engine.advance(1)
        assert "beta" == engine.place_order(order("buy", "0.5", exchange=None)).exchange

    def test_a_venue_without_the_money_is_passed_over(self) -> None:
        """All of alpha's cash is gone."""
        engine = engine_of()
        engine.withdraw("default", "alpha", "USDT", "99999")
        assert "beta" == engine.place_order(order(exchange=None)).exchange

    def test_without_any_venue_the_refusal_says_why_for_each(self) -> None:
        """More coins than any venue has."""
        result = engine_of().place_order(order("sell", "1.5", exchange=None))
        assert "no_route" == result.reason
        assert "alpha:BTC/USDT insufficient_balance" in result.message
        assert "beta:BTC/USDT insufficient_balance" in result.message


class TestCancelAndAmend:
    """cancel_order, cancel_all, amend_order."""

    @pytest.mark.parametrize("latency", [LinkProfile(), LATENCY])
    def test_a_resting_order_is_taken_back_once(self, latency: LinkProfile) -> None:
        """True, then False; its money is free again."""
        engine = engine_of(latency=latency)
        placed = engine.place_order(limit("buy", "0.1", "59000"))
        assert [True, False] == [engine.cancel_order(placed.order_id) for _ in range(2)]
        assert OrderStatus.CANCELLED is engine.get_order(placed.order_id).status
        assert Decimal(0) == engine.get_portfolio_summary().balances[0].reserved

    def test_a_filled_order_cannot_be_cancelled(self) -> None:
        """False, and nothing changes."""
        engine = engine_of()
        assert not engine.cancel_order(engine.place_order(order()).order_id)

    def test_cancel_all_takes_what_matches(self) -> None:
        """By side, venue, symbol, strategy and portfolio; the number says how many."""
        engine = engine_of()
        for side, price, exchange in (
            ("buy", "59000", "alpha"),
            ("buy", "59000", "beta"),
            ("sell", "61000", "alpha"),
            ("sell", "61000", "beta"),
        ):
            engine.place_order(limit(side, "0.1", price, exchange=exchange, strategy_id=side))
        assert 1 == engine.cancel_all("default", exchange="beta", symbol=BTC, side="buy")
        assert 2 == engine.cancel_all(strategy_id="sell")
        assert 1 == engine.cancel_all()
        assert 0 == engine.cancel_all()
        assert [] == engine.get_orders(open_only=True)

    @pytest.mark.parametrize(
        "wrong", [{"portfolio_id": "x"}, {"exchange": "x"}, {"symbol": "x"}, {"side": "x"}]
    )
    def test_cancel_all_of_what_does_not_exist_is_an_error(self, wrong: dict[str, str]) -> None:
        """A typing error must not look like a success."""
        with pytest.raises(CallerError, match="x"):
            engine_of().cancel_all(**wrong)

    def test_price_and_quantity_can_be_amended(self) -> None:
        """The order keeps its id."""
        engine = engine_of()
        placed = engine.place_order(limit("buy", "0.1", "59000"))
        amended = engine.amend_order(placed.order_id, price="59100", quantity="0.2")
        assert (True, placed.order_id) == (amended.success, amended.order_id)
        info = engine.get_order(placed.order_id)
        assert (Decimal(59100), Decimal("0.2")) == (info.price, info.quantity)
        assert_sound(engine)

    def test_the_trigger_of_a_held_stop_can_be_amended(self) -> None:
        """No venue is asked."""
        engine = engine_of()
        stop = engine.place_order(order("sell", order_type="stop", trigger_price="59000"))
        assert engine.amend_order(stop.order_id, trigger_price="58000").success
        assert Decimal(58000) == engine.get_order(stop.order_id).trigger_price

    def test_a_refused_amend_leaves_the_order_working(self) -> None:
        """The status is the order's own; limit and value say what was wrong."""
        engine = engine_of()
        placed = engine.place_order(limit("buy", "0.1", "59000"))
        result = engine.amend_order(placed.order_id, price="59000.05")
        assert (False, OrderStatus.ACCEPTED) == (result.success, result.status)
        assert ("price_tick", Decimal("0.1")) == (result.reason, result.limit)
        assert "59000.05" in result.message
        assert Decimal(59000) == engine.get_order(placed.order_id).price

    def test_an_amend_that_changes_nothing_is_refused_without_a_limit(self) -> None:
        """There is no number to show."""
        engine = engine_of()
        placed = engine.place_order(limit("buy", "0.1", "59000"))
        result = engine.amend_order(placed.order_id)
        assert ("amend_no_change", None, "") == (result.reason, result.limit, result.scope)

    def test_an_amend_that_comes_too_late_fails(self) -> None:
        """The market was faster: the order was filled as it stood."""
        engine = engine_of(quote("alpha:BTC/USDT", "58990", "58999", after=0.013), latency=LATENCY)
        placed = engine.place_order(limit("buy", "0.1", "59000"))
        result = engine.amend_order(placed.order_id, price="58000")
        assert (False, OrderStatus.FILLED) == (result.success, result.status)
        assert "venue_rejected" == result.reason

    def test_an_amend_without_an_answer_is_not_known(self) -> None:
        """The connection breaks after the order was accepted."""
        cut = ((START + 20_000_000, START + 1_000 * SECOND),)
        engine = engine_of(
            quote("alpha:BTC/USDT", "59999", "60001", after=0.5),
            latency=LinkProfile(disconnects=cut),
        )
        placed = engine.place_order(limit("buy", "0.1", "59000"))
        engine.advance("0.5")
        result = engine.amend_order(placed.order_id, price="58000")
        assert (False, "outcome_unknown") == (result.success, result.reason)
        assert not engine.cancel_order(placed.order_id)  # nor is a cancel confirmed

    def test_an_unknown_order_is_an_error(self) -> None:
        """For every call that takes an id."""
        engine = engine_of()
        for call in (engine.get_order, engine.cancel_order, engine.amend_order):
            with pytest.raises(OrderNotFoundError, match="nope"):
                call("nope")


class TestLinkedOrders:
    """place_oco and place_bracket."""

    def oco(self, engine: CryptoTradingEngine) -> tuple[OrderResult, ...]:
        profit = limit("sell", "0.1", "60500")
        return engine.place_oco(profit, order("sell", order_type="stop", trigger_price="59500"))

    def test_an_oco_rests_and_waits(self) -> None:
        """The limit order works at the venue, the stop is held here; neither has a parent."""
        engine = engine_of()
        results = self.oco(engine)
        assert ["accepted", "pending"] == [result.status.value for result in results]
        assert ["", ""] == [info.parent_order_id for info in engine.get_orders()]

    @pytest.mark.parametrize(
        ("bid", "ask", "statuses"),
        [("60600", "60602", ["filled", "cancelled"]), ("59400", "59402", ["cancelled", "filled"])],
    )
    def test_one_cancels_the_other(self, bid: str, ask: str, statuses: list[str]) -> None:
        """Whichever way the market goes, 0.1 is sold once."""
        engine = engine_of(quote("alpha:BTC/USDT", bid, ask, after=1))
        self.oco(engine)
        engine.advance(2)
        assert statuses == [info.status.value for info in engine.get_orders()]
        assert Decimal("0.9") == cash(engine, asset="BTC")
        assert_sound(engine)

    def test_a_bracket_is_an_entry_with_its_exits(self) -> None:
        """Filled at once; the profit rests, the stop waits, both children of the entry."""
        engine = engine_of()
        entry, profit, stop = engine.place_bracket(
            order("buy", "0.1"), take_profit="60500", stop_loss="59500"
        )
        statuses = ["filled", "accepted", "pending"]
        assert statuses == [result.status.value for result in (entry, profit, stop)]
        parents = [engine.get_order(r.order_id).parent_order_id for r in (entry, profit, stop)]
        assert ["", entry.order_id, entry.order_id] == parents

    def test_a_bracket_takes_its_profit(self) -> None:
        """Bought at 60,001, sold at 60,500: +49.90; the stop is gone."""
        engine = engine_of(quote("alpha:BTC/USDT", "60600", "60602", after=1))
        engine.place_bracket(order("buy", "0.1"), take_profit="60500", stop_loss="59500")
        engine.advance(2)
        assert Decimal("49.9") == engine.get_portfolio_summary().realized_pnl
        assert [] == engine.get_orders(open_only=True)
        assert_sound(engine)

    def test_a_short_bracket_with_a_stop_limit(self) -> None:
        """Its exits buy; the stop is a limit order when it fires."""
        engine = engine_of()
        results = engine.place_bracket(
            order("sell", "0.1", symbol=PERPETUAL),
            take_profit="59000",
            stop_loss="61000",
            stop_limit="61100",
        )
        infos = [engine.get_order(result.order_id) for result in results]
        assert ["market", "limit", "stop_limit"] == [info.order_type.value for info in infos]
        assert ["sell", "buy", "buy"] == [info.side.value for info in infos]

    def test_a_refused_list_places_nothing(self) -> None:
        """All results carry the one reason."""
        engine = engine_of()
        results = engine.place_bracket(
            order("buy", "0.1"), take_profit="60500.05", stop_loss="59500"
        )
        assert {"price_tick"} == {result.reason for result in results}
        assert 3 == len(results)
        assert [] == engine.get_orders()

    @pytest.mark.parametrize(
        ("entry", "profit", "loss", "message"),
        [
            (order("buy"), "59000", "60500", "stop_loss < price < take_profit"),
            (limit("buy", "0.1", "59000"), "60000", "59500", "stop_loss < price < take_profit"),
            (order("sell"), "60500", "59000", "take_profit < price < stop_loss"),
            (order("buy", exchange=None), "60500", "59500", "need an exchange"),
            (order("buy", order_type="stop", trigger_price="61000"), "62000", "60000", "not stop"),
        ],
    )
    def test_a_bracket_that_cannot_be_meant(
        self, entry: OrderRequest, profit: str, loss: str, message: str
    ) -> None:
        """Profit and loss on the wrong sides, no exchange, an entry that is a stop."""
        with pytest.raises(CallerError, match=message):
            engine_of().place_bracket(entry, take_profit=profit, stop_loss=loss)

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"quantity": "0.2"}, "same quantity"),
            ({"side": "buy"}, "same side"),
            ({"exchange": "beta"}, "same instrument"),
            ({"order_type": "market", "trigger_price": None}, "limit or take-profit order"),
        ],
    )
    def test_an_oco_that_cannot_be_meant(self, changed: dict[str, str], message: str) -> None:
        """Both legs are about the same thing."""
        stop = {"side": "sell", "order_type": "stop", "trigger_price": "59500", **changed}
        with pytest.raises(CallerError, match=message):
            engine_of().place_oco(limit("sell", "0.1", "60500"), order(**stop))


class TestMoney:
    """deposit, withdraw, transfer, open_portfolio."""

    def test_money_comes_and_goes(self) -> None:
        """And the books prove it."""
        engine = engine_of()
        engine.deposit("default", "alpha", "USDT", "0.00000001")
        engine.withdraw("default", "alpha", "BTC", 1)
        assert Decimal("100000.00000001") == cash(engine)
        assert Decimal(0) == cash(engine, asset="BTC")
        assert_sound(engine)

    def test_a_transfer_moves_money_between_portfolios_and_venues(self) -> None:
        """Nothing is lost on the way."""
        engine = engine_of()
        engine.open_portfolio("second", "USDT", "lifo")
        engine.transfer(
            "USDT", "250.5", from_exchange="alpha", to_portfolio="second", to_exchange="beta"
        )
        assert Decimal("99749.5") == cash(engine)
        second = engine.get_portfolio_summary("second")
        assert (Decimal("250.5"), "lifo") == (second.equity, second.accounting_method.value)
        assert_sound(engine)

    def test_a_withdrawal_beyond_what_is_free_names_what_is(self) -> None:
        """What an open order reserves cannot leave."""
        engine = engine_of()
        engine.place_order(limit("sell", "0.4", "61000"))
        with pytest.raises(CallerError, match=r"has 0.60000000 BTC available on alpha"):
            engine.withdraw("default", "alpha", "BTC", "0.7")

    def test_a_transfer_from_an_account_that_never_was(self) -> None:
        """A portfolio just opened has nothing anywhere."""
        engine = engine_of()
        engine.open_portfolio("second")
        with pytest.raises(CallerError, match="has 0 USDT available on beta"):
            engine.transfer(
                "USDT", 1, from_portfolio="second", from_exchange="beta", to_exchange="alpha"
            )

    def test_a_portfolio_is_opened_once(self) -> None:
        """The name is taken."""
        with pytest.raises(CallerError, match="duplicate portfolio: default"):
            engine_of().open_portfolio("default")


class TestRisk:
    """set_limits, set_leverage, set_trading_state, kill_switch."""

    def test_a_limit_refuses_with_limit_value_and_scope(self) -> None:
        """The portfolio's own limit binds, not the wider default."""
        engine = engine_of()
        engine.set_limits(LimitSet(scope=1, key="default", order_notional_max=1_000 * 10**8))
        result = engine.place_order(order("buy", "0.1"))
        assert "max_order_notional" == result.reason
        assert Decimal(1000) == result.limit
        assert result.value is not None
        assert result.value > 6_000
        assert "portfolio:default" == result.scope

    def test_a_looser_limit_is_an_error(self) -> None:
        """It would not bind."""
        with pytest.raises(CallerError, match="limit looser"):
            engine_of().set_limits(
                LimitSet(scope=1, key="default", order_notional_max=10**7 * 10**8)
            )

    def test_leverage_beyond_the_instruments_is_an_error(self) -> None:
        """20 is what alpha allows."""
        with pytest.raises(CallerError, match=r"invalid leverage.*1\.\.20"):
            engine_of().set_leverage("default", PERPETUAL, "alpha", 21, "isolated")

    def test_halted_refuses_everything_and_reducing_lets_closing_orders_pass(self) -> None:
        """And an operator's ACTIVE lifts it."""
        engine = engine_of()
        engine.place_order(order("sell", "0.1", symbol=PERPETUAL))
        engine.set_trading_state("halted", "venue", "alpha")
        refused = engine.place_order(order("buy", "0.1", symbol=PERPETUAL))
        assert ("trading_halted", "venue:alpha") == (refused.reason, refused.scope)
        engine.set_trading_state(TradingState.REDUCING, "venue", "alpha")
        refused = engine.place_order(order("sell", "0.1", symbol=PERPETUAL))
        assert "trading_reducing" == refused.reason
        assert engine.place_order(order("buy", "0.1", symbol=PERPETUAL)).success
        engine.set_trading_state("active", "venue", "alpha")
        engine.advance(1)  # or it would be a duplicate of the one just before
        assert engine.place_order(order("sell", "0.1", symbol=PERPETUAL)).success

    def test_a_global_halt_shows_in_the_scope(self) -> None:
        """There is no key to name."""
        engine = engine_of()
        engine.set_trading_state("halted")
        assert "global" == engine.place_order(order()).scope
        assert TradingState.HALTED is engine.get_portfolio_summary().trading_state

    def test_a_state_of_a_scope_that_does_not_exist_is_an_error(self) -> None:
        """It names the scope."""
        with pytest.raises(CallerError, match="no scope venue 'gamma'"):
            engine_of().set_trading_state("halted", "venue", "gamma")

    @pytest.mark.parametrize("latency", [LinkProfile(), LATENCY])
    def test_the_kill_switch_cancels_flattens_and_halts(self, latency: LinkProfile) -> None:
        """Also what a resting sell order had reserved is sold; it can be pulled again."""
        engine = engine_of(latency=latency)
        engine.place_order(order("buy", "0.2"))
        engine.place_order(order("sell", "0.3", symbol=PERPETUAL))
        engine.place_order(limit("sell", "0.2", "61000"))
        for _ in range(2):
            engine.kill_switch(flatten=True, reason="drill")
        assert [] == engine.get_orders(open_only=True)
        assert [] == engine.get_positions()
        assert "trading_halted" == engine.place_order(order()).reason
        assert_sound(engine)

    def test_the_kill_switch_without_flatten_keeps_positions(self) -> None:
        """Only orders go."""
        engine = engine_of()
        engine.place_order(order("buy", "0.2"))
        engine.place_order(limit("sell", "0.2", "61000"))
        engine.kill_switch()
        assert [Decimal("0.2")] == [position.quantity for position in engine.get_positions()]
        assert [] == engine.get_orders(open_only=True)


class TestQueries:
    """get_orders, digest, ledger."""

    def test_orders_can_be_filtered(self) -> None:
        """By portfolio, symbol and whether they are open."""
        engine = engine_of()
        engine.open_portfolio("second")
        engine.place_order(order())
        rest = engine.place_order(limit("buy", "0.1", "59000"))
        engine.place_order(order("sell", symbol=PERPETUAL))
        assert 3 == len(engine.get_orders())
        assert [] == engine.get_orders("second")
        assert 1 == len(engine.get_orders(symbol=PERPETUAL))
        assert [rest.order_id] == [info.order_id for info in engine.get_orders(open_only=True)]

    def test_the_same_calls_give_the_same_digest(self) -> None:
        """And another one gives another."""
        first, second = engine_of(), engine_of()
        for engine in (first, second):
            engine.place_order(order())
        assert first.digest() == second.digest()
        second.place_order(order("sell"))
        assert first.digest() != second.digest()

    def test_the_default_engine_is_four_funded_exchanges(self) -> None:
        """As the first line of the README has it; a fifth of a second passes with every order."""
        with CryptoTradingEngine() as engine:
            result = engine.place_order(OrderRequest(symbol=BTC, side="buy", quantity=0.1))
            assert result.success
            assert Decimal("0.1") == engine.get_positions()[0].quantity
            assert engine.place_order(OrderRequest(symbol=BTC, side="buy", quantity=0.1)).success
            venues = {balance.exchange for balance in engine.get_portfolio_summary().balances}
            assert {"binance", "okx", "bybit", "coinbase"} == venues


class TestSubscribers:
    """subscribe: every event, in order; no subscriber can break an order."""

    def test_events_come_in_order_until_unsubscribed(self) -> None:
        """Numbers without a gap."""
        engine = engine_of()
        seen: list[Event] = []
        unsubscribe = engine.subscribe(seen.append)
        engine.place_order(order())
        assert ["OrderPlaced", "OrderAccepted", "OrderFilled"] == [type(e).__name__ for e in seen]
        assert [1, 1] == [b.seq - a.seq for a, b in pairwise(seen)]
        for _ in range(2):
            unsubscribe()
        engine.place_order(order())
        assert 3 == len(seen)

    def test_one_that_raises_is_dropped_and_breaks_nothing(self) -> None:
        """The order is filled, the other subscriber hears everything."""
        engine = engine_of()
        calls: list[Event] = []
        heard: list[Event] = []

        def broken(event: Event) -> None:
            calls.append(event)
            raise ValueError("mine")

        engine.subscribe(broken)
        engine.subscribe(heard.append)
        assert engine.place_order(order()).success
        assert (1, 3) == (len(calls), len(heard))
        assert_sound(engine)

    def test_one_that_leaves_and_raises(self) -> None:
        """It is dropped once."""
        engine = engine_of()

        def leaves(_event: Event) -> None:
            unsubscribe()
            raise ValueError("mine")

        unsubscribe = engine.subscribe(leaves)
        assert engine.place_order(order()).success

    def test_a_subscriber_may_trade(self) -> None:
        """Its order is on its way when place_order returns, and both are filled in the end."""
        engine = engine_of()
        inner: list[OrderResult] = []

        def hedge(event: Event) -> None:
            if isinstance(event, OrderFilled) and not inner:
                inner.append(engine.place_order(order("sell", "0.1", symbol=PERPETUAL)))

        engine.subscribe(hedge)
        assert engine.place_order(order("buy", "0.1")).success
        assert OrderStatus.SUBMITTED is inner[0].status
        assert OrderStatus.FILLED is engine.get_order(inner[0].order_id).status
        assert_sound(engine)

    def test_a_refusal_inside_a_subscriber_is_its_own(self) -> None:
        """Each call gets the answer to what it asked."""
        engine = engine_of()
        inner: list[OrderResult] = []

        def ask(event: Event) -> None:
            if isinstance(event, OrderRefused | OrderPlaced) and not inner:
                inner.append(engine.place_order(order("buy", "0.00001")))

        engine.subscribe(ask)
        outer = engine.place_order(order("sell", "7"))
        assert "max_order_notional" == outer.reason
        assert "quantity_lot" == inner[0].reason


class TestTime:
    """advance, close, context manager."""

    def test_time_passes_as_asked(self) -> None:
        """With or without market data in it."""
        engine = engine_of()
        before = engine.world.simulation.now
        assert engine.advance("2.5")
        assert 2_500_000_000 == engine.world.simulation.now - before

    def test_the_feed_ends(self) -> None:
        """False then."""
        assert not engine_of().advance(4_000)

    @pytest.mark.parametrize("seconds", [0, -1])
    def test_time_does_not_go_back(self, seconds: int) -> None:
        """Nor does it stand."""
        with pytest.raises(CallerError, match="seconds must be > 0"):
            engine_of().advance(seconds)

    def test_closing_is_repeatable(self) -> None:
        """Positions and orders placed by hand stay."""
        with engine_of(latency=LATENCY) as engine:
            engine.place_order(limit("buy", "0.1", "59000"))
        engine.close()
        assert 1 == len(engine.get_orders(open_only=True))
        assert_sound(engine)


class TestOwnErrors:
    """A bug of ours stops the engine: no half-known state is traded on."""

    def broken(self) -> CryptoTradingEngine:
        bad = QuoteTick("no-colon", 1, 1, 2, 1, START + SECOND)
        return engine_of(bad)

    def test_after_an_error_inside_every_command_is_refused(self) -> None:
        """EngineError with the cause; looking is still allowed; closing does nothing."""
        engine = self.broken()
        with pytest.raises(EngineError, match="ValueError"):
            engine.advance(2)
        with pytest.raises(EngineError, match="after an error of its own"):
            engine.place_order(order())
        assert [] == engine.get_orders()
        engine.close()

    def test_an_interrupt_is_passed_on_as_it_is(self) -> None:
        """But the state cannot be vouched for either."""
        engine = engine_of()

        def interrupt(_event: Event) -> None:
            raise KeyboardInterrupt

        engine.subscribe(interrupt)
        with pytest.raises(KeyboardInterrupt):
            engine.place_order(order())
        with pytest.raises(EngineError):
            engine.place_order(order())

    def test_bad_data_is_the_feeds_error_and_stops_nothing(self) -> None:
        """The file is at fault; orders can still be placed."""

        class BadFeed(ListFeed):
            def __iter__(self) -> Iterator[MarketData]:
                yield from super().__iter__()
                raise DataError("line 3")

        opening: list[MarketData] = list(world_of().feed)
        world = world_of()
        feed = BadFeed(opening)
        engine = CryptoTradingEngine(World(world.simulation, feed))
        with pytest.raises(DataError, match="line 3"):
            engine.advance(3_601)
        assert engine.place_order(limit("buy", "0.1", "59000")).success


class TestThreads:
    """Many callers, one writer."""

    def test_eight_threads_lose_and_double_nothing(self) -> None:
        """200 buys of 0.001 and 200 sells: 400 ids, 400 fills, a flat position, exact books."""
        engine = engine_of()
        engine.set_limits(
            LimitSet(
                scope=0,
                orders_per_second_max=10_000,
                duplicate_window_ms=0,
                repeated_executions_max=10_000,
            )
        )
        results: list[list[OrderResult]] = [[] for _ in range(8)]

        def trade(mine: list[OrderResult], side: str) -> None:
            mine.extend(engine.place_order(order(side, "0.001")) for _ in range(50))

        threads = [
            Thread(target=trade, args=(mine, "buy" if index % 2 else "sell"))
            for index, mine in enumerate(results)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        placed = [result for mine in results for result in mine]
        assert {OrderStatus.FILLED} == {result.status for result in placed}
        assert 400 == len({result.order_id for result in placed})
        assert 400 == len({(fill.order_id, fill.trade_id) for fill in engine.get_fills()})
        # 200 x 0.001 each way at 60,001 and 59,999, fees of 10 bps of each.
        assert Decimal(100_000) - Decimal("0.4") - Decimal(24) == cash(engine)
        assert [] == engine.get_positions()
        assert_sound(engine)


class TestAsync:
    """The twins do the same, off the event loop."""

    def test_every_twin(self) -> None:
        """One after the other, as a program would."""

        async def program() -> None:
            engine = engine_of()
            filled, rest = await asyncio.gather(
                engine.aplace_order(order()),
                engine.aplace_order(limit("buy", "0.1", "59000")),
            )
            assert filled.success
            assert (await engine.aamend_order(rest.order_id, price="58000")).success
            assert 2 == len(await engine.aget_orders())
            assert await engine.acancel_order(rest.order_id)
            stop = order("sell", order_type="stop", trigger_price="59500")
            assert 2 == len(await engine.aplace_oco(limit("sell", "0.1", "60500"), stop))
            assert 2 == await engine.acancel_all()
            exits = {"take_profit": "60500", "stop_loss": "59500"}
            assert await engine.aadvance(1)
            bracket = await engine.aplace_bracket(order(), **exits)
            assert bracket[0].success
            assert 1 == len(await engine.aget_positions())
            await engine.akill_switch(flatten=True)
            assert () == (await engine.aget_portfolio_summary()).positions
            assert [] == await engine.aget_positions()
            assert_sound(engine)

        asyncio.run(program())
