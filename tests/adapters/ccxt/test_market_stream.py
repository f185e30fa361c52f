"""What a market stream says, in sequence; and how a book that was lost comes back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ccxt_world import (
    NS_A_MS,
    PERPETUAL,
    SYMBOL,
    TS_MS,
    VENUE,
    book_view,
    order_view,
    translator,
)
from manual_loop import in_manual_time, settle
from zvt_trading.adapters.ccxt.market_stream import SNAPSHOT_SECONDS, MarketStream
from zvt_trading.adapters.ccxt.views import BookView, GapView, MarkView, QuoteView, TradeView
from zvt_trading.messages.market import BookInvalid

NOW = (TS_MS + 5) * NS_A_MS
SNAPSHOT = book_view(5, is_snapshot=True)
QUOTE = QuoteView(SYMBOL, "100", "1", "100.1", "2", TS_MS)
TRADE = TradeView(SYMBOL, "100", "1", "buy", "7", TS_MS)
MARK = MarkView(PERPETUAL, "100", "", TS_MS)


def kind(message: Any) -> str:
    return type(message).__name__


class Stage:
    """A stream; `snapshots` is what REST says, None for streams that begin with snapshots."""

    def __init__(
        self,
        *snapshots: BookView | Exception | None,
        books: tuple[str, ...] = (SYMBOL,),
        is_slow: bool = False,
    ) -> None:
        self.told: list[Any] = []
        self.resubscribed: list[str] = []
        self.asked: list[str] = []
        self.answered = asyncio.Event()
        if not is_slow:
            self.answered.set()
        self._snapshots = list(snapshots)
        self.stream = MarketStream(
            translator(), self.told.append, self._local, self._snapshot,
            self.resubscribed.append, books,
        )  # fmt: skip

    def kinds(self) -> list[str]:
        return [kind(message) for message in self.told]

    async def opened(self) -> None:
        """Begin, and let the first questions be answered."""
        self.stream.begin()
        self.stream.opened()
        await settle()

    def _local(self, venue_ms: int) -> int:
        return venue_ms * NS_A_MS if venue_ms else NOW

    async def _snapshot(self, symbol: str) -> BookView | None:
        self.asked.append(symbol)
        await self.answered.wait()
        said = self._snapshots.pop(0) if len(self._snapshots) > 1 else self._snapshots[0]
        if isinstance(said, Exception):
            raise said
        return said


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await story()

    in_manual_time(whole())


class TestPlainData:
    @pytest.mark.parametrize(
        ("view", "expected"),
        [(QUOTE, ["QuoteTick"]), (TRADE, ["TradeTick"]), (MARK, ["MarkPrice"]), (order_view(), [])],
    )
    def test_each_view_is_one_message(self, view: Any, expected: list[str]) -> None:
        """At the time that it was true; what is no market data is not for here."""

        async def story() -> None:
            stage = Stage(None)
            stage.stream.take(view)
            assert expected == stage.kinds()
            assert all(message.ts == TS_MS * NS_A_MS for message in stage.told)
            assert stage.stream.frames == 1

        play(story)

    def test_what_is_not_on_our_scales_is_left_out(self) -> None:
        """It ends no stream."""

        async def story() -> None:
            stage = Stage(None)
            stage.stream.take(QuoteView(SYMBOL, "100.001", "1", "100.1", "2", TS_MS))
            stage.stream.take(QUOTE)
            assert stage.kinds() == ["QuoteTick"]

        play(story)


class TestSnapshotsByRest:
    """As Binance: the stream brings updates only."""

    def test_a_book_begins_with_a_question(self) -> None:
        """Updates that came before its answer follow it."""

        async def story() -> None:
            stage = Stage(SNAPSHOT, is_slow=True)
            await stage.opened()
            stage.stream.take(book_view(6))
            assert [] == stage.told
            stage.answered.set()
            await settle()
            assert stage.kinds() == ["BookSnapshot", "BookDelta"]
            assert [SYMBOL] == stage.asked

        play(story)

    def test_every_book_is_asked_for(self) -> None:
        """The first answer tells the way, the others are asked for at once."""

        async def story() -> None:
            stage = Stage(
                SNAPSHOT, book_view(5, is_snapshot=True, symbol=PERPETUAL),
                books=(SYMBOL, PERPETUAL),
            )  # fmt: skip
            await stage.opened()
            assert [SYMBOL, PERPETUAL] == stage.asked
            assert stage.kinds() == ["BookSnapshot", "BookSnapshot"]
            await stage.opened()  # streams that begin again: both, at once
            assert [SYMBOL, PERPETUAL] * 2 == stage.asked

        play(story)

    def test_a_gap_makes_it_invalid_until_the_next(self) -> None:
        """Nothing is shown in between, and it is asked for once however many updates come."""

        async def story() -> None:
            stage = Stage(SNAPSHOT, book_view(8, is_snapshot=True))
            await stage.opened()
            for number in (6, 8, 9, 10):
                stage.stream.take(book_view(number))
            expected = ["BookSnapshot", "BookDelta", "BookInvalid"]
            assert expected == stage.kinds()
            name = f"{VENUE}:{SYMBOL}"
            assert BookInvalid(name, NOW, "a gap in the sequence") == stage.told[-1]
            await settle()
            assert [*expected, "BookSnapshot", "BookDelta", "BookDelta"] == stage.kinds()
            assert (1, 2) == (stage.stream.gaps, len(stage.asked))
            assert [] == stage.resubscribed

        play(story)

    def test_a_snapshot_that_was_too_old_is_asked_for_again_at_the_next_gap(self) -> None:
        """While one question runs there is no second one."""

        async def story() -> None:
            stage = Stage(SNAPSHOT, is_slow=True)
            stage.stream.take(GapView(SYMBOL, "lost"))
            stage.stream.take(GapView(SYMBOL, "lost again"))
            await settle()
            assert [SYMBOL] == stage.asked
            stage.answered.set()
            await settle()
            stage.stream.take(GapView(SYMBOL, "and again"))
            await settle()
            assert [SYMBOL, SYMBOL] == stage.asked

        play(story)

    def test_without_an_answer_the_streams_begin_again(self) -> None:
        """Whatever the error is."""

        async def story() -> None:
            stage = Stage(ValueError("?"))
            await stage.opened()
            assert ["no snapshot of a book"] == stage.resubscribed

        play(story)

    def test_a_book_that_nobody_named_is_taken_up(self) -> None:
        """By its first update it is asked for; by a snapshot it is there."""

        async def story() -> None:
            stage = Stage(SNAPSHOT, books=())
            stage.stream.take(book_view(6))
            await settle()
            assert [SYMBOL] == stage.asked
            assert stage.kinds() == ["BookSnapshot", "BookDelta"]
            other = Stage(SNAPSHOT, books=())
            other.stream.take(SNAPSHOT)
            await settle()
            assert (["BookSnapshot"], []) == (other.kinds(), other.asked)

        play(story)


class TestSnapshotsByTheStream:
    """As OKX, Bybit, Coinbase: there is nothing to ask for, a lost book costs new streams."""

    def test_they_are_waited_for(self) -> None:
        """When all have come in time, nothing is done."""

        async def story() -> None:
            stage = Stage(None)
            await stage.opened()
            stage.stream.take(SNAPSHOT)
            await asyncio.sleep(2 * SNAPSHOT_SECONDS)
            assert [] == stage.resubscribed
            assert stage.kinds() == ["BookSnapshot"]

        play(story)

    @pytest.mark.parametrize("is_known", [False, True])
    def test_a_book_that_does_not_come_costs_new_streams(self, is_known: bool) -> None:
        """Whether or not an earlier life has learnt how they come."""

        async def story() -> None:
            stage = Stage(None)
            await stage.opened()
            if is_known:
                stage.stream.take(SNAPSHOT)
                await stage.opened()
            await asyncio.sleep(SNAPSHOT_SECONDS - 0.1)
            assert [] == stage.resubscribed
            await asyncio.sleep(0.2)
            assert ["a book without a snapshot"] == stage.resubscribed
            assert [SYMBOL] == stage.asked

        play(story)

    def test_a_gap_costs_new_streams_at_once(self) -> None:
        """Their snapshots begin all books again."""

        async def story() -> None:
            stage = Stage(None)
            await stage.opened()
            stage.stream.take(SNAPSHOT)
            stage.stream.take(book_view(9))
            assert ["a gap in the sequence"] == stage.resubscribed
            assert stage.kinds() == ["BookSnapshot", "BookInvalid"]

        play(story)

    def test_a_gap_before_that_was_known(self) -> None:
        """It is asked about; the streams have as long as after their opening."""

        async def story() -> None:
            stage = Stage(None)
            stage.stream.take(GapView(SYMBOL, "lost"))
            await asyncio.sleep(SNAPSHOT_SECONDS + 0.1)
            assert ["a book without a snapshot"] == stage.resubscribed

        play(story)

    def test_one_that_came_with_the_answer(self) -> None:
        """A stream may be faster than the question."""

        async def story() -> None:
            stage = Stage(None, is_slow=True)
            stage.stream.take(GapView(SYMBOL, "lost"))
            stage.stream.take(SNAPSHOT)
            stage.answered.set()
            await asyncio.sleep(2 * SNAPSHOT_SECONDS)
            assert [] == stage.resubscribed

        play(story)


class TestLife:
    @pytest.mark.parametrize(("symbol", "lost"), [(SYMBOL, [SYMBOL]), ("", [SYMBOL, PERPETUAL])])
    def test_a_gap_that_a_frame_tells(self, symbol: str, lost: list[str]) -> None:
        """Of one book, or of all that there are."""

        async def story() -> None:
            stage = Stage(SNAPSHOT, books=(SYMBOL, PERPETUAL))
            stage.stream.take(GapView(symbol, "a checksum"))
            expected = [BookInvalid(f"{VENUE}:{one}", NOW, "a checksum") for one in lost]
            assert expected == stage.told
            assert len(lost) == stage.stream.gaps

        play(story)

    def test_when_the_stream_goes_no_book_stands(self) -> None:
        """Nothing may be decided on an old one."""

        async def story() -> None:
            stage = Stage(SNAPSHOT)
            await stage.opened()
            stage.stream.closed()
            stage.stream.take(book_view(6))
            assert stage.kinds() == ["BookSnapshot", "BookInvalid"]
            assert stage.told[-1].reason == "the stream is gone"

        play(story)

    def test_when_it_begins_again_so_does_every_book(self) -> None:
        """One that stood is told to be invalid; the others were."""

        async def story() -> None:
            stage = Stage(SNAPSHOT, books=(SYMBOL, PERPETUAL))
            stage.stream.take(SNAPSHOT)
            stage.stream.begin()
            name = f"{VENUE}:{SYMBOL}"
            expected = BookInvalid(name, NOW, "the streams begin again")
            assert [expected] == stage.told[1:]

        play(story)

    @pytest.mark.parametrize("is_asking", [True, False])
    def test_closed_it_asks_for_nothing_more(self, is_asking: bool) -> None:
        """Neither what waits for an answer, nor what waits for snapshots."""

        async def story() -> None:
            stage = Stage(None, is_slow=is_asking)
            await stage.opened()
            stage.stream.take(GapView(SYMBOL, "lost"))
            stage.resubscribed.clear()
            stage.stream.close()
            stage.answered.set()
            await asyncio.sleep(2 * SNAPSHOT_SECONDS)
            assert [] == stage.resubscribed

        play(story)
