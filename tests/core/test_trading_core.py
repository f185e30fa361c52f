"""Market data, time and replay: what reaches the core from outside besides commands and reports."""

from typing import Any

import pytest
from core_world import LINEAR_ID, NOW, ONE, SPOT_ID, CoreWorld

from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codes import BUY, SELL, STOP, TRIGGER_LAST
from zvt_trading.messages.market import (
    Bar,
    BookDelta,
    BookInvalid,
    BookSnapshot,
    FundingRate,
    MarkPrice,
    QuoteTick,
    TradeTick,
    VenueStatus,
)
from zvt_trading.messages.reasons import Reason

NONE = "x:NONE"


def fresh() -> CoreWorld:
    """A world whose markets have seen nothing yet."""
    world = CoreWorld(usd=0, btc=0)
    for market in world.state.markets.values():
        market.has_quotes = False
    return world


@pytest.mark.parametrize(
    "message",
    [
        QuoteTick(NONE, 1, 1, 2, 1, NOW),
        TradeTick(NONE, 1, 1, 0, NOW),
        MarkPrice(NONE, 1, NOW),
        Bar(NONE, 1, 1, 1, 1, 1, NOW, NOW),
        BookSnapshot(NONE, (), (), NOW),
        BookDelta(NONE, (), (), NOW),
        BookDelta(SPOT_ID, (), (), NOW),  # there was no snapshot yet
        BookInvalid(NONE, NOW, ""),
        FundingRate(NONE, 1, 1, NOW),
        VenueStatus("none", healthy=False, ts=NOW),
    ],
)
def test_what_is_not_ours_is_ignored(message: Any) -> None:
    """Feeds may carry more than what is listed."""
    world = CoreWorld()
    before = world.digest()
    assert [] == world.market(message)
    assert before == world.digest()


@pytest.mark.parametrize(
    "message",
    [
        QuoteTick(SPOT_ID, 1, 1, 2, 1, NOW + 7),
        TradeTick(SPOT_ID, 1, 1, 0, NOW + 7),
        FundingRate(LINEAR_ID, 1, 1, NOW + 7),
        VenueStatus("x", healthy=True, ts=NOW + 7),
    ],
)
def test_market_data_carry_the_time(message: Any) -> None:
    """The core's time is the newest it was told; older messages do not turn it back."""
    world = CoreWorld()
    world.market(message)
    assert NOW + 7 == world.core.recorder.now
    world.market(QuoteTick(SPOT_ID, 1, 1, 2, 1, NOW))
    assert NOW + 7 == world.core.recorder.now


class TestQuotes:
    def test_the_top_of_book(self) -> None:
        """Prices, sizes and their time."""
        world = CoreWorld()
        world.market(QuoteTick(SPOT_ID, 9_000, 5, 9_002, 7, NOW + 1))
        instrument = world.state.markets[SPOT_ID].instrument
        assert (9_000, 5, 9_002, 7, NOW + 1) == (
            instrument.bid, instrument.bid_size, instrument.ask, instrument.ask_size,
            instrument.quote_ts,
        )  # fmt: skip
        assert 9_001 == instrument.mark

    def test_a_book_gives_the_quote_where_there_is_no_quote_feed(self) -> None:
        """Its best levels; deltas move them."""
        world = fresh()
        world.market(BookSnapshot(SPOT_ID, ((9_000, 5),), ((9_010, 7),), NOW, 10))
        instrument = world.state.markets[SPOT_ID].instrument
        assert (9_000, 9_010, 7) == (instrument.bid, instrument.ask, instrument.ask_size)
        world.market(BookDelta(SPOT_ID, ((9_002, 3),), (), NOW, 11, 11))
        assert (9_002, 3) == (instrument.bid, instrument.bid_size)

    def test_with_a_quote_feed_the_book_is_depth_only(self) -> None:
        """The quote is newer than the book."""
        world = CoreWorld()
        world.market(BookSnapshot(SPOT_ID, ((9_000, 5),), ((9_010, 7),), NOW, 10))
        assert 9_999 == world.state.markets[SPOT_ID].instrument.bid

    def test_a_book_fires_stops(self) -> None:
        """By its top, as a quote would."""
        world = CoreWorld()
        world.state.markets[SPOT_ID].has_quotes = False
        world.submit(SELL, ONE, kind=STOP, trigger_price=9_900)
        world.market(BookSnapshot(SPOT_ID, ((9_890, 5),), ((9_895, 7),), NOW, 10))
        assert ["OrderTriggered", "OrderReleased"] == world.names()

    def test_a_bar_is_the_quote_where_there_is_no_other(self) -> None:
        """One tick wide at its close."""
        world = fresh()
        world.market(Bar(SPOT_ID, 1, 9, 1, 9_500, 3, NOW, NOW))
        instrument = world.state.markets[SPOT_ID].instrument
        assert (9_500, 9_501, 9_500) == (instrument.bid, instrument.ask, instrument.last)

    def test_a_bar_beside_quotes_is_the_last_price_only(self) -> None:
        """It fires stops that look at that."""
        world = CoreWorld()
        world.submit(SELL, ONE, kind=STOP, trigger_price=9_900, trigger_by=TRIGGER_LAST)
        world.market(Bar(SPOT_ID, 1, 9, 1, 9_500, 3, NOW, NOW))
        assert ["OrderTriggered", "OrderReleased"] == world.names()
        assert 9_999 == world.state.markets[SPOT_ID].instrument.bid


class TestGaps:
    def test_after_a_gap_no_order_passes_until_the_next_snapshot(self) -> None:
        """The book must not be used."""
        world = CoreWorld()
        world.market(BookSnapshot(SPOT_ID, ((9_999, 5),), ((10_001, 7),), NOW, 10))
        world.market(BookDelta(SPOT_ID, (), (), NOW, 20, 21))
        world.submit(BUY, ONE)
        assert Reason.BOOK_INVALID == world.why()
        world.market(BookSnapshot(SPOT_ID, ((9_999, 5),), ((10_001, 7),), NOW, 30))
        world.submit(BUY, ONE)
        assert ["OrderPlaced"] == world.names()

    @pytest.mark.parametrize("with_book", [False, True])
    def test_the_feed_may_say_so(self, with_book: bool) -> None:
        """Whether or not we have a book."""
        world = CoreWorld()
        if with_book:
            world.market(BookSnapshot(SPOT_ID, ((9_999, 5),), ((10_001, 7),), NOW, 10))
        world.market(BookInvalid(SPOT_ID, NOW, "gap"))
        world.submit(BUY, ONE)
        assert Reason.BOOK_INVALID == world.why()

    def test_a_venue_that_is_away(self) -> None:
        """No orders until it is back."""
        world = CoreWorld()
        world.market(VenueStatus("x", healthy=False, ts=NOW))
        world.submit(BUY, ONE)
        assert Reason.VENUE_UNHEALTHY == world.why()
        world.market(VenueStatus("x", healthy=True, ts=NOW))
        world.submit(BUY, ONE)
        assert ["OrderPlaced"] == world.names()


def test_an_engine_has_its_tag_and_epoch_in_its_ids() -> None:
    """Two engines never make the same id."""
    ids = []
    for tag, epoch in ((1, 0), (2, 0), (1, 1)):
        core = TradingCore(tag, epoch)
        ids.append(core.submit(NOW, CoreWorld().request()))
    assert 3 == len(set(ids))


def test_events_are_handed_out_once() -> None:
    """And in sequence without a gap."""
    world = CoreWorld()
    world.open(BUY, ONE, 9_900)
    assert [] == world.core.take()
    assert list(range(1, len(world.journal) + 1)) == [event.seq for event in world.journal]
