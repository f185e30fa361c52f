"""Strategies: what they are told and when, what happens when one fails, how they are found."""

import logging
from decimal import Decimal
from pathlib import Path

import pytest

from engine_world import (
    BTC,
    PERPETUAL,
    START,
    assert_sound,
    engine_of,
    quote,
    world_of,
)
from zvt_trading.bootstrap import PortfolioSetup, generated_world
from zvt_trading.core.units import SECOND
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.errors import CallerError, OrderNotFoundError
from zvt_trading.messages.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    MarketData,
    QuoteTick,
    TradeTick,
)
from zvt_trading.runs import demo_strategies, run_demo, run_replay
from zvt_trading.sim.link import LinkProfile
from zvt_trading.strategies import Strategy
from zvt_trading.strategies.basis import Basis
from zvt_trading.strategies.loading import load_strategies, load_strategy
from zvt_trading.strategies.market_maker import MarketMaker
from zvt_trading.strategies.twap import Twap
from zvt_trading.types import FillInfo, OrderInfo, OrderStatus, TradingState

ALPHA = "alpha:BTC/USDT"
LATENCY = LinkProfile(delay_min=5_000_000, delay_max=5_000_000)


class Diary(Strategy):
    """Writes down every callback."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_start(self) -> None:
        self.lines.append("start")

    def on_quote(self, quote: QuoteTick) -> None:
        self.lines.append(f"quote {quote.instrument}")

    def on_trade(self, trade: TradeTick) -> None:
        self.lines.append(f"trade {trade.price}")

    def on_book(self, book: BookSnapshot | BookDelta) -> None:
        self.lines.append(type(book).__name__)

    def on_bar(self, bar: Bar) -> None:
        self.lines.append(f"bar {bar.close}")

    def on_order(self, order: OrderInfo) -> None:
        self.lines.append(f"order {order.status.value}")

    def on_fill(self, fill: FillInfo) -> None:
        self.lines.append(f"fill {fill.price} {fill.slippage_bps} {fill.strategy_id}")

    def on_timer(self, ts: int) -> None:
        self.lines.append(f"timer {(ts - START) / SECOND:.1f}")

    def on_stop(self) -> None:
        self.lines.append("stop")


class Buyer(Diary):
    """Buys once, at the first quote; knows the id before it hears of the order."""

    def on_quote(self, quote: QuoteTick) -> None:
        if quote.instrument == ALPHA and not self.lines[1:]:
            self.lines.append("placing")
            self.order_id = self.context.buy(BTC, "0.1", exchange="alpha")
            self.lines.append("placed")


class Faulty(Diary):
    """Rests an order, then fails in the callback named."""

    def __init__(self, fails_in: str) -> None:
        super().__init__()
        self._fails_in = fails_in

    def on_start(self) -> None:
        self._fail("on_start")
        if self._fails_in != "on_order":
            self._rest()

    def on_quote(self, quote: QuoteTick) -> None:
        self._fail("on_quote", quote)
        if self._fails_in == "on_order":
            self._rest()

    def on_order(self, order: OrderInfo) -> None:
        self._fail("on_order", order)

    def on_timer(self, ts: int) -> None:
        self._fail("on_timer", ts)

    def on_stop(self) -> None:
        self._fail("on_stop")

    def _rest(self) -> None:
        self.context.place(BTC, "buy", "0.1", exchange="alpha", order_type="limit", price="59000")

    def _fail(self, callback: str, given: object = None) -> None:
        if callback == self._fails_in:
            assert given is not None or callback in {"on_start", "on_stop"}
            raise ZeroDivisionError(callback)


def second(number: float, bid: str = "59999", ask: str = "60001") -> QuoteTick:
    """A quote on alpha, `number` seconds after the start."""
    return quote(ALPHA, bid, ask, after=number)


class TestCallbacks:
    """What a strategy is told, and in which order."""

    def test_every_kind_of_market_data_has_its_callback(self) -> None:
        """Start first; stop when the engine closes, once."""
        ts = START + SECOND
        messages: list[MarketData] = [
            second(1),
            TradeTick(ALPHA, 6_000_000, 1, 1, ts),
            BookSnapshot(ALPHA, ((5_999_900, 1),), ((6_000_100, 1),), ts, 1),
            BookDelta(ALPHA, ((5_999_900, 2),), (), ts, 2, 2),
            Bar(ALPHA, 1, 1, 1, 1, 1, ts, ts),
        ]
        diary = Diary()
        engine = engine_of(*messages)
        engine.add_strategy(diary)
        engine.advance(2)
        engine.close()
        engine.close()
        expected = [
            "start",
            f"quote {ALPHA}",
            "trade 6000000",
            "BookSnapshot",
            "BookDelta",
            "bar 1",
            "stop",
        ]
        assert expected == diary.lines

    def test_callbacks_do_not_nest(self) -> None:
        """`place` returns before its order's callbacks come, even when it is filled at once."""
        buyer = Buyer()
        engine = engine_of(second(1), second(2))
        engine.add_strategy(buyer, "buyer")
        engine.advance(3)
        told = ["order filled"] * 3  # placed, accepted, filled: as the order stands when told
        assert ["start", "placing", "placed", *told, "fill 60001.00 0.1667 buyer"] == buyer.lines
        assert OrderStatus.FILLED is buyer.context.order(buyer.order_id).status

    def test_only_its_own_orders(self) -> None:
        """Not those placed by hand or by another strategy."""
        diary = Diary()
        engine = engine_of(second(1))
        engine.add_strategy(diary)
        engine.add_strategy(Buyer())
        engine.advance(2)
        assert ["start", f"quote {ALPHA}"] == diary.lines

    def test_the_timer_keeps_its_schedule(self) -> None:
        """Every two seconds of simulated time, with or without market data."""
        diary = Diary()
        diary.timer_seconds = 2
        engine = engine_of(second(2.5), second(4.1))
        engine.add_strategy(diary)
        engine.advance(9)
        timers = [line for line in diary.lines if line.startswith("timer")]
        assert ["timer 2.5", "timer 4.1", "timer 9.0"] == timers

    def test_stopping_cancels_first_so_that_on_stop_can_leave_flat(self) -> None:
        """The closing order of on_stop is filled, the resting one gone."""

        class Leaver(Strategy):
            def on_start(self) -> None:
                self.context.buy(BTC, "0.1", exchange="alpha")
                self.context.place(
                    BTC, "sell", "0.1", exchange="alpha", order_type="limit", price="61000"
                )

            def on_stop(self) -> None:
                self.context.sell(BTC, "0.1", exchange="alpha")

        engine = engine_of()
        engine.add_strategy(Leaver())
        engine.close()
        assert [] == engine.get_positions()
        assert [] == engine.get_orders(open_only=True)

    def test_orders_may_stay_when_it_stops(self) -> None:
        """`cancel_on_stop = False`."""
        faulty = Faulty("never")
        faulty.cancel_on_stop = False
        engine = engine_of()
        engine.add_strategy(faulty)
        engine.close()
        assert 1 == len(engine.get_orders(open_only=True))

    def test_the_base_class_does_nothing(self) -> None:
        """And refuses to be bound to anything but a context."""
        engine = engine_of(
            second(1),
            TradeTick(ALPHA, 6_000_000, 1, 1, START + SECOND),
            BookSnapshot(ALPHA, ((5_999_900, 1),), ((6_000_100, 1),), START + SECOND, 1),
            Bar(ALPHA, 1, 1, 1, 1, 1, START + SECOND, START + SECOND),
        )
        plain = Strategy()
        plain.timer_seconds = 1
        engine.add_strategy(plain)
        plain.context.buy(BTC, "0.1", exchange="alpha")
        engine.advance(2)
        engine.close()
        with pytest.raises(TypeError, match="needs a StrategyContext, not str"):
            plain.bind("context")


class TestFailure:
    """An exception in one strategy stops that one alone."""

    @pytest.mark.parametrize("callback", ["on_quote", "on_order", "on_timer"])
    def test_it_is_stopped_cancelled_and_halted_and_the_other_runs_on(self, callback: str) -> None:
        """Its order is gone, its scope HALTED; the diary goes on to the end."""
        engine = engine_of(second(1), second(2))
        faulty, diary = Faulty(callback), Diary()
        faulty.timer_seconds = 1
        engine.add_strategy(faulty, "faulty")
        engine.add_strategy(diary, "diary")
        engine.advance(3)
        assert ["start", f"quote {ALPHA}", f"quote {ALPHA}"] == diary.lines
        assert [OrderStatus.CANCELLED] == [info.status for info in engine.get_orders()]
        assert ["strategy_stopped"] == [info.reason for info in engine.get_orders()]
        failed, running = engine.world.runners
        assert (False, f"ZeroDivisionError: {callback}") == (failed.running, failed.error)
        assert (True, "") == (running.running, running.error)
        state = engine.world.simulation.core.state
        assert 2 == state.strategies["faulty"].trading_state  # HALTED
        assert TradingState.ACTIVE is engine.get_portfolio_summary().trading_state
        assert_sound(engine)

    def test_a_halted_strategys_name_must_be_re_armed(self) -> None:
        """Its orders are refused until a person sets it ACTIVE."""
        engine = engine_of(second(1), second(3))
        engine.add_strategy(Faulty("on_quote"), "faulty")
        engine.advance(2)
        buyer = Buyer()
        engine.add_strategy(buyer, "faulty")
        engine.advance(2)
        assert not buyer.context.knows(buyer.order_id)
        engine.set_trading_state("active", "strategy", "faulty")
        assert buyer.context.knows(buyer.context.buy(BTC, "0.1", exchange="alpha"))

    def test_a_failure_at_the_start_is_the_callers_to_know(self) -> None:
        """CallerError with the strategy's own words."""
        with pytest.raises(CallerError, match="'faulty' could not start: ZeroDivisionError"):
            engine_of().add_strategy(Faulty("on_start"))

    def test_a_failure_at_the_end(self) -> None:
        """Its orders are cancelled all the same."""
        engine = engine_of()
        engine.add_strategy(Faulty("on_stop"))
        engine.close()
        assert "on_stop" in engine.world.runners[0].error
        assert [] == engine.get_orders(open_only=True)

    @pytest.mark.parametrize(("name", "message"), [("x" * 65, "1 to 64"), ("a\n", "printed")])
    def test_a_name_that_cannot_be_used(self, name: str, message: str) -> None:
        """Every order of it would be refused."""
        with pytest.raises(CallerError, match=message):
            engine_of().add_strategy(Strategy(), name)

    def test_a_name_is_used_once_at_a_time(self) -> None:
        """Two would take each other's fills for their own."""
        engine = engine_of()
        engine.add_strategy(Strategy(), "one")
        with pytest.raises(CallerError, match="'one' is running already"):
            engine.add_strategy(Strategy(), "one")

    def test_an_unknown_portfolio(self) -> None:
        """Before anything starts."""
        with pytest.raises(CallerError, match="no portfolio 'other'"):
            engine_of().add_strategy(Strategy(), portfolio_id="other")


class TestContext:
    """What a strategy may ask and do."""

    def test_it_sees_prices_cash_and_positions(self) -> None:
        """As Decimals."""
        engine = engine_of()
        strategy = Strategy()
        engine.add_strategy(strategy, "s")
        context = strategy.context
        assert (ALPHA, "beta:BTC/USDT", "alpha:BTC/USDT:USDT") == context.instruments
        assert (Decimal(59999), Decimal(60001)) == context.price(BTC, "alpha")
        assert Decimal(100_000) == context.available("alpha", "USDT")
        assert Decimal(0) == context.available("alpha", "ETH")
        assert Decimal(0) == context.position(BTC, "alpha")
        context.buy(BTC, "0.1", exchange="alpha")
        assert Decimal("0.1") == context.position(BTC, "alpha")
        assert [Decimal("0.1")] == [position.quantity for position in context.positions()]
        assert Decimal("6.0001") == context.summary().fees
        assert context.now == engine.world.simulation.now

    def test_it_cancels_and_amends(self) -> None:
        """Its working orders only."""
        engine = engine_of()
        strategy = Strategy()
        engine.add_strategy(strategy, "s")
        context = strategy.context
        rest = {"exchange": "alpha", "order_type": "limit"}
        first = context.place(BTC, "buy", "0.1", price="59000", **rest)  # type: ignore[arg-type]  # a table
        context.place(BTC, "buy", "0.2", price="59000", **rest)  # type: ignore[arg-type]  # a table
        context.amend(first, price="58000", quantity="0.3")
        assert [Decimal("0.3"), Decimal("0.2")] == [o.quantity for o in context.working_orders()]
        context.cancel(first)
        assert OrderStatus.CANCELLED is context.order(first).status
        context.cancel_all()
        assert [] == context.working_orders()
        with pytest.raises(OrderNotFoundError, match="no order 'x'"):
            context.order("x")
        with pytest.raises(OrderNotFoundError, match="no order 'x'"):
            context.amend("x", price=1)


class TestLoading:
    """By name, by module, by file."""

    @pytest.mark.parametrize(
        ("reference", "cls"),
        [
            ("market_maker", MarketMaker),
            ("basis", Basis),
            ("twap", Twap),
            ("zvt_trading.strategies.twap:Twap", Twap),
        ],
    )
    def test_by_name_and_by_module(self, reference: str, cls: type) -> None:
        """Made without arguments."""
        assert isinstance(load_strategy(reference), cls)

    def test_by_file(self, tmp_path: Path) -> None:
        """The file may use dataclasses and be called like a module of Python's."""
        path = tmp_path / "random.py"
        path.write_text(
            "from __future__ import annotations\n"
            "from dataclasses import dataclass\n"
            "from zvt_trading.strategies import Strategy\n"
            "@dataclass\n"
            "class Note:\n    text: str\n"
            "class Mine(Strategy):\n    note = Note('mine')\n",
            encoding="utf-8",
        )
        assert "Mine" == type(load_strategy(f"{path}:Mine")).__name__
        with pytest.raises(CallerError, match=r"no class 'Yours'.*it has Mine"):
            load_strategy(f"{path}:Yours")
        with pytest.raises(CallerError, match="no class 'Note' derived from"):
            load_strategy(f"{path}:Note")

    def test_a_file_that_fails(self, tmp_path: Path) -> None:
        """Its own error, and which file."""
        path = tmp_path / "broken.py"
        path.write_text("1 / 0", encoding="utf-8")
        with pytest.raises(CallerError, match=r"broken\.py: ZeroDivisionError"):
            load_strategy(f"{path}:Mine")
        with pytest.raises(CallerError, match="no strategy file"):
            load_strategy(f"{tmp_path / 'missing.py'}:Mine")

    @pytest.mark.parametrize(
        ("reference", "message"),
        [
            ("gold", r"no strategy 'gold'; known: basis, market_maker, .*twap"),
            ("no.such.module:Gold", "cannot import no.such.module"),
            ("zvt_trading.runs:Gold", "zvt_trading.runs has no class 'Gold'"),
            ("test_strategies:Faulty", "cannot be made: TypeError"),
        ],
    )
    def test_what_cannot_be_found(self, reference: str, message: str) -> None:
        """CallerError says what there is."""
        with pytest.raises(CallerError, match=message):
            load_strategy(reference)

    def test_parameters_are_given_by_name(self, tmp_path: Path) -> None:
        """One that there is not is named with those that there are; values are its own business."""
        twap = load_strategy("twap", {"symbol": "ETH/USDT", "interval_seconds": 7})
        assert 7 == twap.timer_seconds
        expected = (
            "strategy 'twap' has no parameter 'slice'; it has: "
            "symbol, side, quantity, slices, interval_seconds"
        )
        with pytest.raises(CallerError, match=f"^{expected}$"):
            load_strategy("twap", {"slice": 3})
        with pytest.raises(CallerError, match="cannot be made: ValueError: slices 0 and"):
            load_strategy("twap", {"slices": 0})
        path = tmp_path / "any.py"
        path.write_text(
            "from zvt_trading.strategies import Strategy\n"
            "class Any(Strategy):\n"
            "    def __init__(self, **given):\n        self.given = given\n"
            "class No(Strategy):\n    pass\n",
            encoding="utf-8",
        )
        assert {"x": 1} == vars(load_strategy(f"{path}:Any", {"x": 1}))["given"]
        with pytest.raises(CallerError, match="has no parameter 'x'; it has: none"):
            load_strategy(f"{path}:No", {"x": 1})

    def test_a_name_that_comes_twice_gets_a_number(self) -> None:
        """Their orders must be told apart."""
        names = list(load_strategies(["twap", "basis", "twap", "x.y:twap"][:3]))
        assert ["twap", "basis", "twap-2"] == names


class TestExamples:
    """The examples on hand-made, generated and recorded markets."""

    def test_the_maker_quotes_both_sides_follows_and_keeps_its_bound(self) -> None:
        """Bids at the touch; asks when it has coins; a new bid when the touch has moved away."""
        moves = [second(1), second(2, "60099", "60101"), second(3, "60099", "60101")]
        engine = engine_of(*moves)
        engine.add_strategy(MarketMaker(ALPHA))
        engine.advance("1.5")
        assert [Decimal(59999)] == [info.price for info in engine.get_orders(open_only=True)]
        engine.advance(2)
        assert [Decimal(60099)] == [info.price for info in engine.get_orders(open_only=True)]
        engine.close()
        assert [] == engine.get_orders(open_only=True)

    def test_a_makers_rejected_quote_is_quoted_again(self) -> None:
        """The touch moved while its post-only bid was on its way: it was rejected."""
        engine = engine_of(
            second(1), second(1.003, "59990", "59995"), second(2), second(3), latency=LATENCY
        )
        engine.add_strategy(MarketMaker(ALPHA, requote_ticks=1_000))
        engine.advance(4)
        assert ["rejected", "accepted"] == [info.status.value for info in engine.get_orders()]

    def test_the_basis_trade_enters_when_rich_and_leaves_at_the_average(self) -> None:
        """Both legs, the same quantity; flat at the end."""
        steps = [
            quote("alpha:BTC/USDT:USDT", *prices, after=index / 5)
            for index, prices in enumerate(
                [("60009", "60011")] * 60 + [("60079", "60081")] * 3 + [("59999", "60001")] * 3, 1
            )
        ]
        engine = engine_of(
            *sorted([*steps, *[second(n) for n in range(1, 14)]], key=lambda message: message.ts)
        )
        engine.add_strategy(Basis(enter_bps=5), "basis")
        engine.advance(20)
        legs = [(f.symbol, f.side.value, f.quantity) for f in engine.get_fills()]
        size = Decimal("0.01")
        enter = [(BTC, "buy", size), (PERPETUAL, "sell", size)]
        assert [*enter, (BTC, "sell", size), (PERPETUAL, "buy", size)] == legs
        assert [] == engine.get_positions()

    def test_the_basis_trade_does_not_stay_on_one_leg(self) -> None:
        """The perpetual is halted: the spot leg is taken off again."""
        steps = [
            quote("alpha:BTC/USDT:USDT", *prices, after=index / 5)
            for index, prices in enumerate([("60009", "60011")] * 60 + [("60079", "60081")], 1)
        ]
        engine = engine_of(
            *sorted([*steps, *[second(n) for n in range(1, 14)]], key=lambda message: message.ts)
        )
        engine.set_trading_state("halted", "symbol", PERPETUAL)
        engine.add_strategy(Basis(enter_bps=5), "basis")
        engine.advance(20)
        assert ["buy", "sell"] == [fill.side.value for fill in engine.get_fills()]
        engine.set_trading_state("halted")
        engine.close()
        assert [] == engine.get_positions()

    @pytest.mark.parametrize(
        "wrong", [Basis(spot="alpha:X"), MarketMaker("alpha:X"), Twap("X/USDT")]
    )
    def test_an_example_without_its_market_does_not_start(self, wrong: Strategy) -> None:
        """It says what there is."""
        with pytest.raises(CallerError, match="could not start"):
            engine_of().add_strategy(wrong)

    def test_the_schedule_buys_all_of_it_in_slices(self) -> None:
        """0.1 in 3 slices on a lot of 0.0001, each where it is cheapest."""
        engine = engine_of(*[second(n, "59999", "60001") for n in range(1, 10)])
        engine.add_strategy(Twap(quantity="0.1", slices=3, interval_seconds=2))
        engine.advance(20)
        sizes = [Decimal("0.0333"), Decimal("0.0333"), Decimal("0.0334")]
        assert sizes == [fill.quantity for fill in engine.get_fills()]

    @pytest.mark.parametrize("wrong", [{"slices": 0}, {"interval_seconds": 0}])
    def test_a_schedule_needs_slices_and_time(self, wrong: dict[str, int]) -> None:
        """ValueError from the constructor."""
        with pytest.raises(ValueError, match="must be > 0"):
            Twap(**wrong)  # type: ignore[arg-type]  # a table

    def test_the_demo_trades_on_four_venues_without_an_error(self) -> None:
        """Every strategy runs to the end; every venue has fills; the books are exact."""
        report = run_demo(seed=7, duration_seconds=60)
        assert tuple(demo_strategies(60)) == report.strategies
        assert {"binance", "okx", "bybit", "coinbase"} == {fill.exchange for fill in report.fills}
        assert set(report.strategies) == {fill.strategy_id for fill in report.fills}
        assert report.ledger_exact
        assert {} == report.refusals

    def test_recorded_markets(self, shared_data: Path, caplog: pytest.LogCaptureFixture) -> None:
        """The scheduled buyer; the other two are judged in test_replay."""
        path = shared_data / "binance" / "spot_btcusdt_20240808.gz"
        with caplog.at_level(logging.ERROR):
            report = run_replay([path], strategy="twap")
        assert ("twap",) == report.strategies
        assert Decimal("0.1") == sum(fill.quantity for fill in report.fills)
        assert report.ledger_exact

    def test_a_strategy_that_stops_is_seen_in_the_report(self, tmp_path: Path) -> None:
        """Its error beside its name."""
        path = tmp_path / "mine.py"
        path.write_text(
            "from zvt_trading.strategies import Strategy\n"
            "class Mine(Strategy):\n    def on_quote(self, quote):\n        1 / 0\n",
            encoding="utf-8",
        )
        report = run_demo(duration_seconds=1, strategies=[f"{path}:Mine"])
        assert ("Mine (stopped: ZeroDivisionError: division by zero)",) == report.strategies

    def test_a_run_whose_strategy_cannot_start_fails(self, tmp_path: Path) -> None:
        """Rather than reporting on nothing."""
        path = tmp_path / "mine.py"
        path.write_text(
            "from zvt_trading.strategies import Strategy\n"
            "class Mine(Strategy):\n    def on_start(self):\n        1 / 0\n",
            encoding="utf-8",
        )
        with pytest.raises(CallerError, match="'Mine' could not start: ZeroDivisionError"):
            run_demo(duration_seconds=1, strategies=[f"{path}:Mine"])


def test_a_world_may_have_several_portfolios() -> None:
    """Two strategies on two portfolios do not see each other's positions."""
    setups = (PortfolioSetup(), PortfolioSetup(portfolio_id="second", method="hifo"))
    world = generated_world(seed=1, seconds=5, portfolios=setups)
    engine = CryptoTradingEngine(world)
    first, second_one = Strategy(), Strategy()
    engine.add_strategy(first, "first")
    engine.add_strategy(second_one, "second", "second")
    first.context.buy(BTC, "0.1", exchange="binance")
    engine.advance(1)
    assert Decimal("0.1") == first.context.position(BTC, "binance")
    assert Decimal(0) == second_one.context.position(BTC, "binance")
    engine.close()


@pytest.mark.parametrize(
    ("setup", "message"),
    [
        (PortfolioSetup(base_asset="XYZ"), "no asset 'XYZ'"),
        (PortfolioSetup(cash=-1), "invalid_amount"),
        (PortfolioSetup(coins=(("alpha", "XYZ", 1),)), "unknown_asset"),
        (PortfolioSetup(method="filo"), "accounting_method must be"),
    ],
)
def test_a_portfolio_that_cannot_be_set_up(setup: PortfolioSetup, message: str) -> None:
    """CallerError before anything runs."""
    with pytest.raises(CallerError, match=message):
        world_of(portfolios=[setup])


def test_a_portfolio_may_start_with_nothing() -> None:
    """No deposit is made."""
    world = world_of(portfolios=[PortfolioSetup(cash=0)])
    assert Decimal(0) == CryptoTradingEngine(world).get_portfolio_summary().equity
