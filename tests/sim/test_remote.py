"""A live venue as the engine sees it: it asks and goes on; what is said comes to the inbox."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import pytest
from simulation_rig import MS, Rig
from venue_world import ME, SPOT_ID, USDT

from zvt_trading.core.reconcile import Statement
from zvt_trading.messages.codes import BUY, CROSS, GTC, LIMIT, UNKNOWN
from zvt_trading.messages.events import OrderFilled
from zvt_trading.messages.reports import Fill, OutcomeUnknown, VenueAccepted
from zvt_trading.ports.venue import NewOrder, OrderRef, QueryFailedError, VenueGateway
from zvt_trading.runtime.live_venue import LiveVenue, News
from zvt_trading.sim.parcels import USUAL
from zvt_trading.sim.remote import read_now
from zvt_trading.sim.venue_api import Answer, History, VenueApi


class ScriptedGateway:
    """Answers by the name of the request; it waits for `go` first."""

    venue = "binance"

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.answers: dict[str, Any] = {}
        self.go = asyncio.Event()

    async def submit(self, order: NewOrder) -> Any:
        return await self._say("submit", order)

    async def cancel(self, order: OrderRef) -> Any:
        return await self._say("cancel", order)

    async def amend(self, order: OrderRef, price: int, quantity: int) -> Any:
        return await self._say("amend", order, price, quantity)

    async def set_leverage(self, instrument: str, leverage: int, mode: int) -> None:
        await self._say("set_leverage", instrument, leverage, mode)

    async def ask(self, order: OrderRef) -> Any:
        return await self._say("ask", order)

    async def history(self, cursor: int) -> Any:
        return await self._say("history", cursor)

    async def _say(self, name: str, *asked: Any) -> Any:
        self.asked.append((name, *asked))
        await self.go.wait()
        said = self.answers.get(name, [])
        if isinstance(said, Exception):
            raise said
        return said


class Stage:
    """A rig with a resting order, and a live venue beside its simulated one."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.order_id = self.rig.resting()
        self.gateway = ScriptedGateway()
        self.tasks: list[asyncio.Task[object]] = []
        self.news: list[News] = []
        self.venue = LiveVenue(
            cast("VenueGateway", self.gateway), self.rig.core.state, self._spawn, self.news.append
        )
        self.ref = OrderRef(self.order_id, self.rig.order(self.order_id).venue_order_id, SPOT_ID)

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    async def answered(self) -> None:
        """Everything that was asked is answered; what was said is heard by the engine."""
        self.gateway.go.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for one in self.news:
            one(self.rig.simulation)
        self.rig.simulation.flush()


def play(story: Callable[[Stage], Awaitable[object]]) -> None:
    async def whole() -> None:
        await story(Stage())

    asyncio.run(whole())


class TestRequests:
    def test_a_submit_returns_at_once(self) -> None:
        """Its outcome is news later."""

        async def story(stage: Stage) -> None:
            stage.gateway.answers["submit"] = [VenueAccepted("o1", "v1", 1)]
            reports = stage.venue.submit(
                5, "o1", ME, SPOT_ID, BUY, LIMIT, 9_900, 100, GTC, 7, True, False, 9_950, 1, 0
            )
            assert ([], []) == (reports, stage.news)
            order = NewOrder("o1", SPOT_ID, BUY, LIMIT, 9_900, 100, GTC, 7, True, False, 9_950)
            await asyncio.sleep(0)
            assert [("submit", order)] == stage.gateway.asked
            stage.gateway.go.set()
            await asyncio.gather(*stage.tasks)
            assert len(stage.news) == 1

        play(story)

    def test_each_report_is_news(self) -> None:
        """Through the same path as those of every venue."""

        async def story(stage: Stage) -> None:
            stage.gateway.answers["amend"] = [
                Fill(stage.order_id, "t9", 9_900, 50, 1, "USDT", 0, 1),
                Fill(stage.order_id, "t9", 9_900, 50, 1, "USDT", 0, 1),  # told twice
            ]
            assert [] == stage.venue.amend(5, stage.order_id, 9_800, 200)
            await stage.answered()
            assert [("amend", stage.ref, 9_800, 200)] == stage.gateway.asked
            assert stage.rig.order(stage.order_id).filled == 50
            assert stage.rig.names().count(OrderFilled.__name__) == 1

        play(story)

    @pytest.mark.parametrize("error", [None, RuntimeError("a bug")])
    def test_a_cancel_goes_once_at_a_time(self, error: Exception | None) -> None:
        """It may be repeated when it is over, however that was."""

        async def story(stage: Stage) -> None:
            if error is not None:
                stage.gateway.answers["cancel"] = error
            for _ in range(3):
                assert [] == stage.venue.cancel(5, stage.order_id)
            await stage.answered()
            assert [("cancel", stage.ref)] == stage.gateway.asked
            stage.venue.cancel(6, stage.order_id)
            await stage.answered()
            assert len(stage.gateway.asked) == 2

        play(story)

    def test_leverage_is_set_there_too(self) -> None:
        """The books do not wait for it."""

        async def story(stage: Stage) -> None:
            assert stage.venue.set_leverage(ME, SPOT_ID, 3, CROSS)
            await stage.answered()
            assert [("set_leverage", SPOT_ID, 3, CROSS)] == stage.gateway.asked

        play(story)


class TestQuestions:
    @pytest.mark.parametrize("answer", [Answer(), QueryFailedError("no")])
    def test_an_order_is_asked_for_once_at_a_time(self, answer: Any) -> None:
        """Again when that is over; a failed question is no news."""

        async def story(stage: Stage) -> None:
            stage.gateway.answers["ask"] = answer
            for _ in range(3):
                stage.venue.ask(5, stage.order_id, 4)
            await stage.answered()
            assert [("ask", stage.ref)] == stage.gateway.asked
            assert isinstance(answer, Answer) == bool(stage.news)
            stage.venue.ask(6, stage.order_id, 4)
            await stage.answered()
            assert len(stage.gateway.asked) == 2

        play(story)

    def test_one_that_is_not_known_is_not_asked_for(self) -> None:
        """It was closed and forgotten meanwhile."""

        async def story(stage: Stage) -> None:
            stage.venue.ask(5, "forgotten", 4)
            assert [] == stage.tasks

        play(story)

    def test_two_spaced_answers_without_it_prove_absence(self) -> None:
        """Each says when it was asked, and when what is asked about was sent."""

        async def story(stage: Stage) -> None:
            stage.rig.outward(stage.rig.port.outward.profile)
            order = stage.rig.order(stage.order_id)
            stage.rig.simulation.reported(OutcomeUnknown(order.id, "lost", 1))
            order.life = UNKNOWN
            stage.gateway.answers["ask"] = Answer()
            first = 1 + USUAL.absence_after + 1
            for asked in (first, first + USUAL.check_every):
                assert order.life == UNKNOWN
                stage.venue.ask(asked, order.id, 1)
                await stage.answered()
                stage.news.clear()
            assert order.life != UNKNOWN

        play(story)

    @pytest.mark.parametrize("answer", [History(9, Statement()), QueryFailedError("no")])
    def test_a_history_is_read_once_at_a_time(self, answer: Any) -> None:
        """A failed one is no news; the next reading finds what it would have."""

        async def story(stage: Stage) -> None:
            stage.gateway.answers["history"] = answer
            for _ in range(3):
                stage.venue.read(5, 7)
            stage.gateway.go.set()
            await asyncio.gather(*stage.tasks)
            assert [("history", 7)] == stage.gateway.asked
            if isinstance(answer, History):
                assert (1, 5) == (len(stage.news), answer.asked)
            else:
                assert [] == stage.news
            stage.venue.read(6, 7)
            await asyncio.gather(*stage.tasks)
            assert len(stage.gateway.asked) == 2

        play(story)


class Remote(VenueApi):
    """Takes down what it is asked."""

    def __init__(self) -> None:
        super().__init__("okx", is_remote=True)
        self.read_from: list[tuple[int, int]] = []

    def read(self, now: int, cursor: int) -> None:
        self.read_from.append((now, cursor))


def test_a_stream_that_was_away_has_the_history_read_at_once() -> None:
    """From where it was read to."""
    rig, venue = Rig(), Remote()
    rig.simulation.add_remote(venue, USUAL)
    read_now(rig.simulation, "okx")
    expected = (rig.simulation.now, rig.simulation.restart.cursor("okx"))
    assert expected == venue.read_from[-1]


class TestNotOurs:
    def test_its_market_and_clock_move_by_themselves(self) -> None:
        """Nothing comes of telling it; money is moved there by its owner."""

        async def story(stage: Stage) -> None:
            venue, message = stage.venue, cast("Any", None)
            assert [[], [], []] == [
                venue.on_market(1, message), venue.on_quote(1, message), venue.on_time(1)
            ]  # fmt: skip
            venue.credit(ME, "USDT", 5)
            assert venue.debit(ME, "USDT", 5)
            assert venue.is_flat(ME, SPOT_ID)
            assert [] == stage.tasks

        play(story)

    def test_what_is_free_is_what_the_books_say(self) -> None:
        """Less what the resting order holds; nothing of an asset that nobody has."""

        async def story(stage: Stage) -> None:
            hold = stage.rig.order(stage.order_id).hold
            assert 1_000_000 * USDT - hold == stage.venue.free(ME, "USDT")
            assert stage.venue.free(ME, "DOGE") == 0
            assert MS > 0

        play(story)
