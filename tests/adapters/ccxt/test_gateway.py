"""A venue through ccxt: what every request and frame comes to, whatever the exchange does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from ccxt.base.errors import ExchangeError, NetworkError, RequestTimeout
from hypothesis import given
from hypothesis import strategies as st

from ccxt_scripted import POST, PRIVATE_URL, PUBLIC_URL, ScriptedDialect, ScriptedExchange, sent
from ccxt_world import (
    ACCOUNT,
    FOREIGN,
    NS_A_MS,
    ORPHAN,
    OURS,
    PERPETUAL,
    PERPETUAL_SPEC,
    REFUSALS,
    SPEC,
    SYMBOL,
    TS_MS,
    VENUE,
    Heard,
    fill_view,
    order_view,
)
from manual_loop import in_manual_time, settle
from zvt_trading.adapters.ccxt.budget import Budget
from zvt_trading.adapters.ccxt.client import ApiCredentials, Client
from zvt_trading.adapters.ccxt.dialect import Frame
from zvt_trading.adapters.ccxt.gateway import (
    CLOCK_OFFSET_MS_MAX,
    MISSED_AFTER_MS,
    CcxtGateway,
)
from zvt_trading.adapters.ccxt.views import AmendView, QuoteView
from zvt_trading.errors import VenueError
from zvt_trading.messages.codes import BUY, CROSS, GTC, LIMIT
from zvt_trading.messages.market import QuoteTick, VenueStatus
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    AmendFailed,
    Fill,
    OutcomeUnknown,
    SendFailed,
    VenueAccepted,
    VenueAmended,
    VenueRejected,
)
from zvt_trading.ports.venue import NewOrder, OrderRef, QueryFailedError

NOW = TS_MS * NS_A_MS
ORDER = NewOrder(OURS, f"{VENUE}:{SYMBOL}", BUY, LIMIT, 10_010, 500, GTC)
REF = OrderRef(OURS, "v1", f"{VENUE}:{SYMBOL}")
ACCEPTED = VenueAccepted(OURS, "v1", NOW)
AMENDED = AmendView(
    order_id=OURS, venue_order_id="v1", symbol=SYMBOL, price="99", quantity="1", ts=TS_MS
)


def said(code: object, text: str = "no") -> ExchangeError:
    return ExchangeError(f'binance {{"code":{code},"msg":"{text}"}}')


class ScriptedClient:
    """In the place of Client: the same budget, a scripted exchange."""

    def __init__(self) -> None:
        self.budget = Budget(1_000, 1_000, 10, asyncio.get_running_loop().time)
        self.exchange = ScriptedExchange()

    async def close(self) -> None:
        await self.exchange.close()


class Stage:
    """A gateway on a scripted exchange, at a time that a test sets."""

    def __init__(self, dialect: ScriptedDialect | None = None, **options: Any) -> None:
        self.dialect = dialect or ScriptedDialect()
        self.now = NOW
        self.client = ScriptedClient()
        self.exchange = self.client.exchange
        self.exchange.time = lambda: self.now // NS_A_MS
        self.heard = Heard()
        self.gateway = CcxtGateway(
            self.dialect, ApiCredentials(), lambda: self.now, account=ACCOUNT, **options
        )
        self.gateway._client = cast("Client", self.client)

    async def open(self) -> None:
        await self.gateway.open((SPEC, PERPETUAL_SPEC), self.heard)
        await settle()

    def hear(self, url: str, frame: object) -> bool:
        return bool(self.exchange.hear(url, frame))

    def healths(self) -> list[VenueStatus]:
        return [one for one in self.heard.messages if isinstance(one, VenueStatus)]


def play(
    story: Callable[[Stage], Awaitable[object]],
    dialect: ScriptedDialect | None = None,
    **options: Any,
) -> Stage:
    """Open a gateway, let the story happen, close it."""

    async def whole() -> Stage:
        stage = Stage(dialect, **options)
        await stage.open()
        try:
            await story(stage)
        finally:
            await stage.gateway.close()
        assert stage.exchange.is_closed
        return stage

    return in_manual_time(whole())


def submitted(
    dialect: ScriptedDialect | None = None,
    error: Exception | None = None,
    *,
    is_sent: bool = True,
    ban_seconds: int = 0,
) -> list[Any]:
    """What a submit reports when the exchange's answer is this error, after the send or before."""
    reports: list[Any] = []

    def create() -> dict[str, Any]:
        if is_sent:
            sent(POST)
        if error is not None:
            raise error
        return {}

    async def story(stage: Stage) -> None:
        stage.exchange.create = create
        if ban_seconds:
            stage.client.budget.pause(ban_seconds)
        reports.extend(await stage.gateway.submit(ORDER))

    play(story, dialect)
    return reports


class TestSubmit:
    def test_what_the_answer_proves(self) -> None:
        """An order, and fills that came with it."""
        dialect = ScriptedDialect(created=[order_view(), fill_view()])
        assert [VenueAccepted, Fill] == [type(report) for report in submitted(dialect)]

    def test_an_answer_that_proves_nothing_is_unknown(self) -> None:
        """No id, no order: but it may be there."""
        assert [OutcomeUnknown(OURS, "the answer proves nothing", NOW)] == submitted()

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (said(-1013), VenueRejected(OURS, int(Reason.VENUE_FILTER), "-1013 no", NOW)),
            (
                said(-2010, "Duplicate order sent."),
                VenueRejected(
                    OURS, int(Reason.VENUE_DUPLICATE_ID), "-2010 Duplicate order sent.", NOW
                ),
            ),
            (said(-1000), OutcomeUnknown(OURS, "ExchangeError -1000 no", NOW)),
            (said(-2011), OutcomeUnknown(OURS, "ExchangeError -2011 no", NOW)),
            (RequestTimeout("5 s"), OutcomeUnknown(OURS, "RequestTimeout  5 s", NOW)),
            (NetworkError("reset"), OutcomeUnknown(OURS, "NetworkError  reset", NOW)),
            (KeyError("orderId"), OutcomeUnknown(OURS, "KeyError  'orderId'", NOW)),
        ],
    )
    def test_after_the_send(self, error: Exception, expected: object) -> None:
        """Refused only by a code of the table; all else is unknown."""
        assert [expected] == submitted(error=error)

    @pytest.mark.parametrize("error", [said(-1013), RequestTimeout("5 s"), ValueError("?")])
    def test_before_the_send(self, error: Exception) -> None:
        """Nothing left: that is certain, whatever the error says."""
        reports = submitted(error=error, is_sent=False)
        assert [SendFailed] == [type(report) for report in reports]

    @given(
        st.sampled_from([NetworkError, RequestTimeout, ExchangeError, ValueError]),
        st.integers(-3_000, 3_000) | st.sampled_from([-2010, -1013]),
        st.booleans(),
    )
    def test_whatever_happens_there_is_one_honest_outcome(
        self, kind: type[Exception], code: int, is_sent: bool
    ) -> None:
        """Refused only when sent and in the table, not sent only when nothing was."""
        error = kind(f'binance {{"code":{code},"msg":"no"}}')
        (report,) = submitted(error=error, is_sent=is_sent)
        is_refusal = is_sent and str(code) in REFUSALS.codes
        expected = VenueRejected if is_refusal else OutcomeUnknown
        assert (expected if is_sent else SendFailed) is type(report)

    def test_in_a_ban_nothing_is_sent(self) -> None:
        """The exchange is not even called."""
        reports = submitted(ban_seconds=60)
        assert [SendFailed] == [type(report) for report in reports]

    def test_one_that_cannot_be_put_into_the_exchanges_words(self) -> None:
        """A bug of ours sends nothing, and ends nothing."""
        reports = submitted(ScriptedDialect(create=ValueError("odd")))
        assert [SendFailed(OURS, "ValueError: odd", NOW)] == reports

    def test_an_answer_off_our_scales_is_unknown(self) -> None:
        """It was sent; its numbers are asked for."""
        dialect = ScriptedDialect(created=[fill_view(price="100.001")])
        assert [OutcomeUnknown] == [type(report) for report in submitted(dialect)]


class TestCancel:
    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            (None, [ACCEPTED]),
            (said(-2011), [ACCEPTED]),  # it is gone: how it ended is asked for
            (said(-1000), []),
            (NetworkError("reset"), []),  # it is repeated
        ],
    )
    def test_its_result_is_asked_for(self, answer: Any, expected: list[Any]) -> None:
        """An acknowledged cancel does not say what was filled."""

        async def story(stage: Stage) -> None:
            assert expected == await stage.gateway.cancel(REF)
            assert ("cancel", SYMBOL, OURS, "v1") in stage.dialect.asked
            assert len(expected) == stage.dialect.count("find")

        play(story, ScriptedDialect(cancel=answer, find=order_view()))

    def test_without_an_answer_nothing_is_reported(self) -> None:
        """It is asked again later."""

        async def story(stage: Stage) -> None:
            assert [] == await stage.gateway.cancel(REF)

        play(story, ScriptedDialect(find=NetworkError("reset")))


class TestAmend:
    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            ([AMENDED], [VenueAmended(OURS, 9_900, 1_000, NOW)]),
            (said(-1013), [AmendFailed(OURS, int(Reason.VENUE_FILTER), "no", NOW), ACCEPTED]),
            (
                said(-2011),
                [AmendFailed(OURS, int(Reason.VENUE_UNKNOWN_ORDER), "no", NOW), ACCEPTED],
            ),
            (said(-1000), []),  # unknown: the terms are asked for by the engine
            (NetworkError("reset"), []),
        ],
    )
    def test_what_it_comes_to(self, answer: Any, expected: list[Any]) -> None:
        """Failed only by proof, and then the order's state is asked for."""

        async def story(stage: Stage) -> None:
            assert expected == await stage.gateway.amend(REF, 9_900, 1_000)
            assert ("amend", OURS, "99", "1") in stage.dialect.asked

        play(story, ScriptedDialect(amend=answer, find=order_view()))

    def test_in_a_ban_it_was_not_sent(self) -> None:
        """Which is known for certain."""

        async def story(stage: Stage) -> None:
            stage.client.budget.pause(60)
            (report,) = await stage.gateway.amend(REF, 9_900, 1_000)
            assert isinstance(report, AmendFailed)
            assert Reason.NOT_SENT == report.reason

        play(story)

    def test_one_that_the_venue_has_not_was_not_sent(self) -> None:
        """There is nothing there to change now."""

        async def story(stage: Stage) -> None:
            (report,) = await stage.gateway.amend(REF, 9_900, 1_000)
            assert isinstance(report, AmendFailed)
            assert Reason.NOT_SENT == report.reason
            assert stage.dialect.count("amend") == 0

        play(story, ScriptedDialect(find=None))

    def test_a_refusal_is_not_believed_where_the_terms_are_the_new_ones(self) -> None:
        """One that the network repeated was done the first time, and is refused the second."""

        async def story(stage: Stage) -> None:
            reports = await stage.gateway.amend(REF, 9_900, 1_000)
            assert [ACCEPTED, VenueAmended(OURS, 9_900, 1_000, NOW)] == reports

        amended = order_view(price="99", quantity="1")
        play(story, ScriptedDialect(amend=said(-1013), find=amended))

    def test_nor_before_the_order_was_looked_at(self) -> None:
        """It is asked for later."""

        async def story(stage: Stage) -> None:
            stage.dialect.after["find"] = [order_view()]
            assert [] == await stage.gateway.amend(REF, 9_900, 1_000)

        play(story, ScriptedDialect(amend=said(-1013), find=NetworkError("reset")))


class TestQuestions:
    def test_listings(self) -> None:
        """In the order they were asked for, with the clock measured."""
        market = {
            "spot": True, "base": "BTC", "quote": "USDT",
            "precision": {"price": "1", "amount": "1"},
        }  # fmt: skip

        async def story(stage: Stage) -> None:
            stage.exchange.markets = {SYMBOL: market}
            stage.exchange.time = lambda: TS_MS + 700
            assert [SYMBOL] == [one.symbol for one in await stage.gateway.listings([SYMBOL])]
            assert stage.gateway.clock_offset_ms == 700
            stage.exchange.markets = said(-1003)
            with pytest.raises(VenueError, match=r"does not say what it lists: .* -1003 no"):
                await stage.gateway.listings([SYMBOL])

        play(story)

    def test_leverage(self) -> None:
        """Set, or an error with the exchange's words."""

        async def story(stage: Stage) -> None:
            await stage.gateway.set_leverage(f"{VENUE}:{PERPETUAL}", 5, CROSS)
            assert ("set_leverage", PERPETUAL, 5, CROSS) in stage.dialect.asked
            stage.dialect.answers["set_leverage"] = said(-4028, "bad leverage")
            with pytest.raises(VenueError, match="set no leverage: -4028 bad leverage"):
                await stage.gateway.set_leverage(f"{VENUE}:{PERPETUAL}", 500, CROSS)

        play(story)

    def test_a_clock_that_is_not_told(self) -> None:
        """No history is read without it."""

        def broken() -> int:
            raise NetworkError("reset")

        async def story(stage: Stage) -> None:
            stage.exchange.time = broken
            with pytest.raises(QueryFailedError, match="does not tell its time"):
                await stage.gateway.history(0)
            assert stage.dialect.count("fills") == 0

        play(story)

    def test_opening(self) -> None:
        """Needs no streams."""

        async def story(stage: Stage) -> None:
            assert () == (await stage.gateway.opening((SPEC,))).balances

        play(story)

    def test_orphans_are_taken_back(self) -> None:
        """Each reading tries once; a failure is no failure of the reading."""

        async def story(stage: Stage) -> None:
            await stage.gateway.history(0)
            assert ("cancel", SYMBOL, ORPHAN, "v1") in stage.dialect.asked
            stage.dialect.answers["cancel"] = NetworkError("reset")
            await stage.gateway.history(0)
            assert stage.dialect.count("cancel") == 2

        play(story, ScriptedDialect(open_orders=[order_view(ORPHAN)]))


class TestMissedFills:
    @pytest.mark.parametrize(
        ("up_seconds", "age_ms", "is_heard", "expected"),
        [
            (60, MISSED_AFTER_MS + 1, False, 1),
            (60, MISSED_AFTER_MS + 1, True, 0),  # it was told
            (60, MISSED_AFTER_MS, False, 0),  # it may still be on its way
            (1, MISSED_AFTER_MS + 1, False, 0),  # the stream was not there then
        ],
    )
    def test_a_stream_that_lost_some_is_made_anew(
        self, up_seconds: int, age_ms: int, is_heard: bool, expected: int
    ) -> None:
        """Once for each fill."""
        fill = fill_view(ts=TS_MS - age_ms)

        async def story(stage: Stage) -> None:
            await asyncio.sleep(up_seconds)
            if is_heard:
                stage.hear(PRIVATE_URL, Frame([fill]))
            for _ in range(2):
                await stage.gateway.history(NOW)
            assert expected == stage.gateway.missed_fills
            errors = stage.exchange.opened[0].errors
            assert ["1 fills were not told"] * expected == [str(error) for error in errors]

        play(story, ScriptedDialect(fills=[fill]))


class TestFrames:
    @pytest.mark.parametrize("is_control", [True, False])
    def test_ccxt_sees_control_frames_only(self, is_control: bool) -> None:
        """Its own parsing of data is neither exact nor safe."""

        async def story(stage: Stage) -> None:
            assert is_control is stage.hear(PRIVATE_URL, Frame(is_control=is_control))

        play(story)

    def test_own_orders_fills_and_amends_are_reported(self) -> None:
        """In the frame's order."""

        async def story(stage: Stage) -> None:
            stage.hear(PRIVATE_URL, Frame([order_view(), fill_view(), AMENDED]))
            kinds = [type(report) for report in stage.heard.reports]
            assert [VenueAccepted, Fill, VenueAmended] == kinds

        play(story)

    def test_market_data_is_told_at_our_time(self) -> None:
        """The venue's less its offset, never later than now; now where it does not date."""
        quotes = [QuoteView(SYMBOL, "1", "1", "2", "1", ts) for ts in (TS_MS, TS_MS + 900, 0)]

        async def story(stage: Stage) -> None:
            stage.exchange.time = lambda: TS_MS + 400
            await stage.gateway.read_clock()
            stage.hear(PUBLIC_URL, Frame(quotes))
            times = [one.ts for one in stage.heard.messages if isinstance(one, QuoteTick)]
            assert [NOW - 400 * NS_A_MS, NOW, NOW] == times

        play(story)

    @pytest.mark.parametrize(
        "frame",
        [
            ValueError("?"),
            Frame([fill_view(price="100.001")]),
            Frame([fill_view(symbol="DOGE/USDT")]),
        ],
    )
    def test_one_that_cannot_be_taken_ends_nothing(self, frame: object) -> None:
        """The next reading of the history has what it said."""

        async def story(stage: Stage) -> None:
            assert not stage.hear(PRIVATE_URL, frame)
            assert [] == stage.heard.reports
            stage.hear(PRIVATE_URL, Frame([order_view()]))
            assert [ACCEPTED] == stage.heard.reports

        play(story)

    @pytest.mark.parametrize(
        ("found", "expected"),
        [(order_view(), [Fill]), (NetworkError("reset"), [])],
    )
    def test_one_without_our_name(self, found: object, expected: list[type]) -> None:
        """It is asked for; without an answer the next reading of the history has it."""

        async def story(stage: Stage) -> None:
            stage.hear(PRIVATE_URL, Frame([fill_view("")]))
            await asyncio.sleep(5)
            assert expected == [type(report) for report in stage.heard.reports]

        play(story, ScriptedDialect(find=found))

    @pytest.mark.parametrize(
        ("name", "expected"),
        [(OURS, [ACCEPTED]), ("#v1", [ACCEPTED]), (FOREIGN, []), ("#v9", [])],
    )
    def test_one_that_told_too_little(self, name: str, expected: list[Any]) -> None:
        """The order is asked for by either id, when it is ours."""

        async def story(stage: Stage) -> None:
            stage.hear(PRIVATE_URL, Frame([order_view()]))
            stage.heard.reports.clear()
            frame = Frame()
            frame.ask_order.append(name)
            stage.hear(PRIVATE_URL, frame)
            await settle()
            assert expected == stage.heard.reports

        play(story, ScriptedDialect(find=order_view()))

    @pytest.mark.parametrize(("url", "number"), [(PRIVATE_URL, 0), (PUBLIC_URL, 1)])
    def test_a_problem_makes_that_connection_anew(self, url: str, number: int) -> None:
        """And no other."""

        async def story(stage: Stage) -> None:
            frame = Frame()
            frame.problem = "a sequence was broken"
            stage.hear(url, frame)
            counts = [len(socket.errors) for socket in stage.exchange.opened]
            assert [int(number == 0), int(number == 1)] == counts

        play(story)


class TestHealth:
    def test_both_streams_must_be_up(self) -> None:
        """And it says which one is not; the private one tells that it is there again."""

        async def story(stage: Stage) -> None:
            stages = [(one.healthy, one.reason) for one in stage.healths()]
            both = "the private stream is down, the public stream is down"
            assert (False, both) == stages[0]
            assert (True, "") == stages[-1]
            assert [VENUE] == stage.heard.opened
            stage.exchange.clients[PRIVATE_URL].on_error(NetworkError("reset"))
            await settle()
            last = stage.healths()[-1]
            assert (False, "the private stream is down") == (last.healthy, last.reason)
            await asyncio.sleep(1)
            assert stage.healths()[-1].healthy
            assert [VENUE, VENUE] == stage.heard.opened

        play(story)

    def test_the_clocks_must_agree(self) -> None:
        """Said when it changes, not every time."""

        async def story(stage: Stage) -> None:
            for offset in (CLOCK_OFFSET_MS_MAX, CLOCK_OFFSET_MS_MAX + 1, 5_000, 0):
                stage.exchange.time = lambda offset=offset: TS_MS + offset  # type: ignore[misc]  # the default binds it
                await stage.gateway.read_clock()
            told = [(one.healthy, one.reason) for one in stage.healths()][-3:]
            assert [(True, ""), (False, "the clocks differ"), (True, "")] == told

        play(story)

    def test_without_an_account_the_market_is_enough(self) -> None:
        """No private stream is opened."""

        async def story(stage: Stage) -> None:
            assert ["quotes"] == stage.exchange.watched
            assert stage.healths()[-1].healthy
            stage.exchange.clients[PUBLIC_URL].on_error(NetworkError("reset"))
            await settle()
            assert not stage.healths()[-1].healthy
            await asyncio.sleep(1)
            assert stage.gateway.market_reconnects == 1

        play(story, private=False)

    def test_books_begin_with_the_stream(self) -> None:
        """Where they are asked for, they are fetched; that costs a question."""

        async def story(stage: Stage) -> None:
            assert {("book", SYMBOL)} <= set(stage.dialect.asked)

        play(story, channels=("book",))


def test_it_may_be_closed_before_it_was_opened() -> None:
    """Nothing was begun."""

    async def story() -> None:
        stage = Stage()
        assert stage.gateway.market_reconnects == 0
        await stage.gateway.close()
        assert stage.exchange.is_closed
        await stage.gateway.close()

    in_manual_time(story())
