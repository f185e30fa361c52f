"""Live time: what venues say is taken as one group, at the clock's time, until the world ends."""

from collections.abc import Iterator
from threading import Event
from typing import Any, cast

import msgspec
import pytest
from structlog.testing import capture_logs

from ccxt_world import PERPETUAL_SPEC, SPEC
from zvt_trading.core.order_ids import make_order_id
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import SECOND
from zvt_trading.errors import CallerError, EngineError
from zvt_trading.messages.codes import BUY, LIMIT, SCOPE_GLOBAL
from zvt_trading.messages.commands import (
    Deposit,
    LimitSet,
    ListInstrument,
    OpenPortfolio,
    SetLimits,
    SubmitOrder,
)
from zvt_trading.messages.market import MarketData, QuoteTick, VenueStatus
from zvt_trading.messages.reports import VenueAccepted
from zvt_trading.ports.venue import Owner, QueryFailedError, VenueGateway
from zvt_trading.runtime.desk import Desk
from zvt_trading.runtime.live import LiveWorld, NoFeed
from zvt_trading.runtime.loop_thread import LoopThread
from zvt_trading.sim.parcels import USUAL
from zvt_trading.sim.simulation import Simulation

DEADLINE_S = 10
"""How long what must happen is waited for; it happens within milliseconds."""
VENUE = "binance"
ID = f"{VENUE}:{SPEC.symbol}"
START = 1_000 * SECOND
LOOSE = LimitSet(scope=SCOPE_GLOBAL, data_age_ms_max=10**9, allocation_bps_max=10**7)


class ScriptedGateway:
    """Takes down what it is asked; answers nothing."""

    venue = VENUE

    def __init__(self, error: Exception | None = None) -> None:
        self.opened: list[str] = []
        self.is_closed = False
        self.read = Event()
        self._error = error

    async def open(self, specs: Any, sink: Any) -> None:
        del sink
        self.opened = [spec.symbol for spec in specs]

    async def submit(self, order: Any) -> list[Any]:
        del order
        return []

    async def history(self, cursor: int) -> Any:
        del cursor
        self.read.set()
        raise QueryFailedError("no history in a test")

    async def close(self) -> None:
        self.is_closed = True
        if self._error is not None:
            raise self._error


class Stage:
    """A world with one venue and no driver: its desk flushes the simulation itself."""

    def __init__(self, error: Exception | None = None) -> None:
        self.core = TradingCore()
        self.simulation = Simulation(self.core)
        self.simulation.now = START
        self.now = START
        self.events: list[Any] = []
        self.simulation.subscribers.append(self.events.append)
        self.world = LiveWorld(self.simulation, LoopThread("test"), lambda: self.now, 1)
        self.gateway = ScriptedGateway(error)
        self.world.add_venue(cast("VenueGateway", self.gateway), USUAL)
        for spec in (SPEC, PERPETUAL_SPEC, msgspec.structs.replace(SPEC, venue="okx")):
            self.simulation.command(ListInstrument(spec))
        self.simulation.command(SetLimits(LOOSE))
        self.simulation.command(OpenPortfolio("main", "USDT", 8))
        self.simulation.command(Deposit("main", VENUE, "USDT", 10**14))
        self.desk = Desk(self._pump)
        self.groups = 0

    def go(self) -> None:
        self.world.go(self.desk, self._guarded)

    def say(self, *messages: MarketData) -> None:
        """All of it in one turn of the loop."""

        def say_all() -> None:
            for message in messages:
                self.world.market(message)

        self.world.loop.call(say_all)

    def until(self, done: Any) -> None:
        assert self.world.waiters.wait(done, DEADLINE_S), "it did not happen"

    def close(self) -> None:
        """Repeatable."""
        if not self.gateway.is_closed:
            self.world.disconnect()
        self.desk.close()

    def order(self) -> str:
        """One that the engine knows."""
        request = SubmitOrder("main", ID, BUY, LIMIT, 500, 9_900)
        with self.desk.turn():
            return self.simulation.submit(request)

    def _guarded(self, work: Any) -> None:
        self.groups += 1
        work()

    def _pump(self) -> bool:
        self.simulation.flush()
        return False


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.close()


def quote(bid: int) -> QuoteTick:
    return QuoteTick(ID, bid, 1_000, bid + 10, 1_000, START)


class TestGoing:
    def test_venues_are_opened_with_what_is_traded_there(self, stage: Stage) -> None:
        """And with nothing of another one."""
        stage.go()
        stage.until(lambda: stage.gateway.opened)
        assert [SPEC.symbol, PERPETUAL_SPEC.symbol] == stage.gateway.opened
        assert ["okx"] == [spec.venue for spec in stage.world.specs_at("okx")]

    def test_what_was_said_before_is_not_lost(self, stage: Stage) -> None:
        """It is taken with the first group."""
        stage.say(quote(10_000))
        stage.go()
        stage.until(lambda: stage.world.messages == 1)
        assert 20_010 == stage.core.state.markets[ID].instrument.mid_twice()

    def test_what_was_said_at_once_is_one_group(self, stage: Stage) -> None:
        """However much it is: a burst costs one turn of the engine."""
        seen: list[int] = []
        groups: set[int] = set()

        def observe(message: MarketData) -> None:
            if isinstance(message, QuoteTick):
                seen.append(message.bid)
                groups.add(stage.groups)

        stage.world.observers.append(observe)
        stage.go()
        bids = list(range(10_000, 10_100))
        stage.say(*(quote(bid) for bid in bids))
        stage.until(lambda: len(seen) == len(bids))
        assert bids == seen
        assert len(groups) == 1

    def test_time_passes_when_nobody_says_anything(self, stage: Stage) -> None:
        """The engine's clock is the clock."""
        stage.go()
        stage.now = START + 60 * SECOND
        stage.until(lambda: stage.simulation.now == stage.now)
        stage.now += SECOND
        stage.world.keep_time()
        assert stage.now == stage.simulation.now
        assert stage.world.run_until(0)

    def test_a_stream_that_is_back_has_the_history_read(self, stage: Stage) -> None:
        """At once, and not at the next usual time."""
        stage.go()
        stage.until(lambda: stage.groups > 1)
        stage.gateway.read.clear()
        stage.world.loop.call(lambda: stage.world.stream_opened(VENUE))
        assert stage.gateway.read.wait(DEADLINE_S)

    def test_an_engine_that_cannot_hear_says_so(self, stage: Stage) -> None:
        """And what was said after that is heard the next time."""

        def broken(simulation: Simulation) -> None:
            raise RuntimeError(f"broken at {simulation.now}")

        with capture_logs() as logs:
            stage.go()
            stage.world.loop.call(lambda: stage.world.post(broken))
            stage.say(quote(10_000))
            stage.until(lambda: stage.world.messages == 1)
            stage.close()
        said = [line["event"] for line in logs if line["log_level"] == "critical"]
        assert ["the engine does not hear its venues"] == said

    def test_an_engine_that_has_stopped_hears_nothing_more(self, stage: Stage) -> None:
        """Its inbox does not grow until the memory is full."""

        def broken(_: Simulation) -> None:
            raise EngineError("the engine stopped")

        with capture_logs() as logs:
            stage.go()
            stage.world.loop.call(lambda: stage.world.post(broken))
            stage.until(lambda: bool(logs))
            stage.say(quote(10_000))
            stage.close()
        assert 0 == stage.world.messages
        assert 0 == len(stage.world._inbox)

    def test_a_market_has_no_end(self) -> None:
        """It comes by the inbox."""
        assert [] == list(NoFeed())
        assert NoFeed().progress() == (0, 0)


class TestSink:
    def test_reports_are_taken_like_any_others(self, stage: Stage) -> None:
        """On the engine's thread, as events."""
        stage.simulation.feed(VenueStatus(VENUE, True, START))
        stage.simulation.feed(quote(10_000))
        stage.go()
        order_id = stage.order()
        report = VenueAccepted(order_id, "v1", START)
        stage.world.loop.call(lambda: stage.world.reported(VENUE, report))
        stage.until(lambda: stage.core.state.orders[order_id].venue_order_id == "v1")

    def test_whose_an_order_is(self, stage: Stage) -> None:
        """Known, with our mark, or somebody else's."""
        stage.simulation.feed(VenueStatus(VENUE, True, START))
        stage.simulation.feed(quote(10_000))
        order_id = stage.order()
        orphan = make_order_id(START, 0, stage.core.state.engine_tag, 99)
        foreign = make_order_id(START, 0, stage.core.state.engine_tag + 1, 99)
        owners = [stage.world.owner(one) for one in (order_id, orphan, foreign, "", "typed")]
        assert [Owner.OURS, Owner.ORPHAN, Owner.FOREIGN, Owner.FOREIGN, Owner.FOREIGN] == owners

    def test_how_to_ask_for_an_order(self, stage: Stage) -> None:
        """With the venue's id as it says it now, else as it was known; None for one not ours."""
        stage.simulation.feed(VenueStatus(VENUE, True, START))
        stage.simulation.feed(quote(10_000))
        order_id = stage.order()
        stage.core.state.orders[order_id].venue_order_id = "v1"
        refs = [stage.world.ref(order_id, name) for name in ("", "v2")]
        assert [(order_id, "v1", ID), (order_id, "v2", ID)] == [
            (one.order_id, one.venue_order_id, one.instrument) for one in refs if one is not None
        ]
        assert stage.world.ref("typed", "v1") is None


class TestCallers:
    def test_money_of_a_live_venue_is_moved_there(self, stage: Stage) -> None:
        """Said here too it would be booked twice."""
        with pytest.raises(CallerError, match="binance is live: money is moved there"):
            stage.world.check_money(VENUE)

    def test_the_engines_own_thread_never_waits(self, stage: Stage) -> None:
        """It would wait for itself; nor does anybody before it goes."""
        looked: list[bool] = []

        def done() -> bool:
            looked.append(True)
            return False

        stage.world.wait(done)
        stage.go()
        with stage.desk.turn():
            stage.world.wait(done)
        assert [] == looked

    def test_others_wait_for_what_the_engine_hears(self, stage: Stage) -> None:
        """And are woken by it."""
        stage.go()
        stage.say(quote(10_000))
        stage.world.wait(lambda: stage.world.messages == 1)
        assert stage.world.messages == 1


class TestEnd:
    def test_nothing_is_heard_after_the_end(self) -> None:
        """Connections are closed, the loop's thread is gone."""
        stage = Stage()
        stage.go()
        stage.until(lambda: stage.gateway.opened)
        stage.close()
        assert stage.gateway.is_closed
        assert stage.world.loop.loop.is_closed()
        before = stage.world.messages
        stage.world.market(quote(10_000))
        stage.world._take_all()
        assert before == stage.world.messages

    def test_an_error_at_the_end_leaves_no_thread(self) -> None:
        """It is the caller's to see."""
        stage = Stage(OSError("reset"))
        with pytest.raises(OSError, match="reset"):
            stage.close()
        assert stage.world.loop.loop.is_closed()
        stage.desk.close()

    def test_stop_takes_the_last_sample(self, stage: Stage) -> None:
        """At the clock's time."""
        stage.now += 5 * SECOND
        stage.world.stop()
        assert stage.now == stage.simulation.now
