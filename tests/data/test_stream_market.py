"""Market streams by hand: when a book stands, and what makes it begin again."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from stream_world import T0, spec

from zvt_trading.adapters.ccxt import market_stream
from zvt_trading.adapters.ccxt.dialect import Refusals
from zvt_trading.adapters.ccxt.market_stream import MarketStream
from zvt_trading.adapters.ccxt.translate import Translator
from zvt_trading.adapters.ccxt.views import BookView, GapView
from zvt_trading.messages.market import BookDelta, BookInvalid, BookSnapshot, MarketData

SYMBOL = "BTC/USDT"


def view(last: int, *, is_snapshot: bool = False) -> BookView:
    levels = (("100", str(last)),)
    return BookView(SYMBOL, is_snapshot, levels, (), last, last, last - 1, 0)


class Rig:
    """A stream of one book; `rest` is what a question for it brings."""

    def __init__(self, rest: BookView | None = None) -> None:
        self.told: list[MarketData] = []
        self.resubscribed: list[str] = []
        self.asked = 0
        self._rest = rest
        translator = Translator("okx", [spec()], Refusals(codes={}))
        self.stream = MarketStream(
            translator, self.told.append, lambda _: T0, self._snapshot,
            self.resubscribed.append, (SYMBOL,),
        )  # fmt: skip

    async def _snapshot(self, _symbol: str) -> BookView | None:
        self.asked += 1
        return self._rest

    @property
    def kinds(self) -> list[type]:
        return [type(one) for one in self.told]


def run(story: Callable[[Rig], Awaitable[None]], rest: BookView | None = None) -> Rig:
    """Play it on a loop, and let what it began come to its end."""

    async def play() -> Rig:
        rig = Rig(rest)
        await story(rig)
        await settled()
        return rig

    return asyncio.run(play())


async def settled() -> None:
    """Everything that was begun is over."""
    begun = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*begun, return_exceptions=True)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_stream, "SNAPSHOT_SECONDS", 0)


def test_a_snapshot_that_came_before_all_sockets_were_open_stands() -> None:
    """The last socket's opening does not take it back."""

    async def story(rig: Rig) -> None:
        rig.stream.begin()
        rig.stream.take(view(1, is_snapshot=True))
        rig.stream.opened()
        rig.stream.take(view(2))

    rig = run(story)
    assert ([BookSnapshot, BookDelta], []) == (rig.kinds, rig.resubscribed)


def test_a_new_beginning_makes_books_invalid() -> None:
    """Also when the streams before it never were all open."""

    async def story(rig: Rig) -> None:
        rig.stream.take(view(1, is_snapshot=True))
        rig.stream.begin()
        rig.stream.take(view(2))

    rig = run(story)
    assert [BookSnapshot, BookInvalid] == rig.kinds


def test_streams_that_bring_no_snapshot_are_opened_anew() -> None:
    """When it should be there."""

    async def story(rig: Rig) -> None:
        rig.stream.begin()
        rig.stream.opened()

    rig = run(story)
    assert ["a book without a snapshot"] == rig.resubscribed


def test_a_gap_costs_new_streams_once_and_the_next_streams_are_left_alone() -> None:
    """Where snapshots come by the stream: the gap before does not count against them."""

    async def story(rig: Rig) -> None:
        rig.stream.begin()
        rig.stream.take(view(1, is_snapshot=True))
        rig.stream.opened()
        await settled()
        rig.stream.take(GapView(SYMBOL, "gap"))
        rig.stream.closed()
        rig.stream.begin()
        rig.stream.take(view(9, is_snapshot=True))
        rig.stream.opened()

    rig = run(story)
    assert (1, ["gap"]) == (rig.stream.gaps, rig.resubscribed)
    assert BookSnapshot is rig.kinds[-1]


def test_a_gap_costs_a_question_where_snapshots_are_asked_for() -> None:
    """What came meanwhile follows the snapshot."""

    async def story(rig: Rig) -> None:
        rig.stream.begin()
        rig.stream.opened()
        rig.stream.take(view(4))

    rig = run(story, view(3, is_snapshot=True))
    assert (1, []) == (rig.asked, rig.resubscribed)
    assert [BookSnapshot, BookDelta] == rig.kinds
