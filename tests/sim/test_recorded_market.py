"""Specification of a recorded market: what it displays to a taker, and what reaches a maker."""

import pytest
from market_by_hand import ANY_PRICE, ASKS, BIDS, ID, Recording, drained, with_depth, with_quotes

from zvt_trading.messages.codes import BUY, FOK, IOC, SELL
from zvt_trading.messages.market import BookDelta
from zvt_trading.sim.matcher import (
    CANCELLED,
    FILLED,
    REJECTED_FILL_OR_KILL,
    REJECTED_POST_ONLY,
    RESTED,
)


class TestNothingDisplayed:
    def test_before_the_first_message(self) -> None:
        """Market orders find nothing; a limit order rests with an unknown queue."""
        recording = Recording()
        assert (0, 0) == (recording.market.best_bid(), recording.market.best_ask())
        assert CANCELLED == recording.send(BUY, ANY_PRICE, 1)
        assert REJECTED_POST_ONLY == recording.send(BUY, ANY_PRICE, 1, post_only=True)
        assert RESTED == recording.send(BUY, 99, 1)
        assert (-1, -1) == (recording.ahead(), recording.ahead("never sent"))
        assert [] == recording.delta(BIDS, ASKS)

    def test_an_empty_side(self) -> None:
        """Nobody is ahead of the only bid."""
        recording = Recording()
        recording.snapshot(bids=())
        recording.send(BUY, 99, 2)
        assert 0 == recording.ahead()
        assert [("o", 99, 1, True)] == recording.trade(99, 1)


class TestConsumption:
    def test_what_we_took_is_not_there_again(self) -> None:
        """The second order gets only the rest of the same display."""
        recording = with_depth()
        recording.send(BUY, 101, 5, IOC)
        drained(recording.market)
        assert CANCELLED == recording.send(BUY, 101, 5, IOC)
        assert [("o", 101, 2, False)] == drained(recording.market)
        assert CANCELLED == recording.send(BUY, 101, 5, IOC)
        assert REJECTED_FILL_OR_KILL == recording.send(BUY, 101, 1, FOK)
        assert [] == drained(recording.market)

    @pytest.mark.parametrize(
        ("asks", "there"),
        [
            (((100, 2),), [(100, 2), (103, 5)]),
            (((101, 4),), [(101, 4), (103, 5)]),
            (((102, 1),), [(102, 1), (103, 5)]),
            (((100, 0), (101, 0)), [(103, 5)]),
            (((99, 1),), [(99, 1), (103, 5)]),
        ],
    )
    def test_a_changed_level_is_there_again(
        self, asks: tuple[tuple[int, int], ...], there: list[tuple[int, int]]
    ) -> None:
        """We took all of 100 and 101; then these levels change."""
        recording = with_depth()
        recording.send(BUY, 101, 7, IOC)
        drained(recording.market)
        recording.delta(asks=asks)
        recording.send(BUY, ANY_PRICE, 99)
        assert [("o", price, size, False) for price, size in there] == drained(recording.market)

    def test_a_snapshot_renews_the_levels_that_changed(self) -> None:
        """Feeds of periodic snapshots must not offer the same size each time."""
        recording = with_depth()
        recording.send(BUY, ANY_PRICE, 12)
        recording.send(SELL, ANY_PRICE, 3)
        drained(recording.market)
        recording.snapshot(asks=((100, 3), (101, 2), (102, 6), (103, 5)))
        recording.send(BUY, ANY_PRICE, 99)
        recording.send(SELL, 99, 1, IOC)
        assert [("o", 101, 2, False), ("o", 102, 6, False)] == drained(recording.market)

    def test_a_snapshot_behind_a_quote_renews_no_touch(self) -> None:
        """The quote's level is renewed by quotes; a book that never was there renews the rest."""
        recording = with_quotes()
        recording.send(BUY, ANY_PRICE, 3)
        drained(recording.market)
        recording.snapshot(asks=((100, 5), (101, 4)))
        recording.send(BUY, 101, 9, IOC)
        assert [("o", 101, 4, False)] == drained(recording.market)

    @pytest.mark.parametrize(
        ("bid", "bid_size", "ask", "ask_size", "filled"),
        [(99, 3, 100, 3, 0), (99, 9, 100, 3, 0), (99, 3, 100, 2, 2), (99, 3, 101, 3, 3)],
        ids=["same", "other side", "size", "price"],
    )
    def test_quotes(self, bid: int, bid_size: int, ask: int, ask_size: int, filled: int) -> None:
        """We took the 3 displayed at 100; how much this quote offers us again."""
        recording = with_quotes()
        recording.send(BUY, ANY_PRICE, 3)
        drained(recording.market)
        recording.quote(bid, bid_size, ask, ask_size)
        recording.send(BUY, ANY_PRICE, 5)
        assert filled == sum(fill.quantity for fill in recording.market.fills)

    def test_a_delta_behind_a_newer_quote_renews_nothing(self) -> None:
        """The quote showed 3 at 100 and we took them; the book, later, says the same 3."""
        recording = with_depth()
        recording.quote(99, 3, 100, 3)
        recording.send(BUY, 101, 7, IOC)
        drained(recording.market)
        recording.delta(asks=((100, 3), (101, 4)))
        recording.send(BUY, 101, 7, IOC)
        assert [("o", 101, 4, False)] == drained(recording.market)

    def test_a_touch_that_returns_unchanged(self) -> None:
        """A better ask came and went: what we took at 100 before is still gone."""
        recording = with_depth()
        recording.quote(97, 1, 100, 3)
        recording.send(BUY, ANY_PRICE, 2)
        recording.quote(97, 1, 99, 1)
        recording.quote(97, 1, 100, 3)
        drained(recording.market)
        recording.send(BUY, 100, 5, IOC)
        assert [("o", 100, 1, False)] == drained(recording.market)


class TestDepthAndQuotes:
    def test_the_quote_is_newer_than_the_book(self) -> None:
        """Levels better than the quote's have gone; behind it the book continues."""
        recording = with_depth()
        recording.quote(99, 3, 101, 1)
        assert CANCELLED == recording.send(BUY, 103, 9, IOC)
        assert [("o", 101, 1, False), ("o", 103, 5, False)] == drained(recording.market)

    def test_quotes_alone_have_no_depth(self) -> None:
        """More than the touch is not displayed, so it cannot be had."""
        recording = with_quotes()
        assert CANCELLED == recording.send(BUY, ANY_PRICE, 5)
        assert [("o", 100, 3, False)] == drained(recording.market)

    def test_a_deep_book_is_walked_to_its_end(self) -> None:
        """However many levels it takes."""
        recording = Recording()
        recording.snapshot(asks=tuple((100 + level, 1) for level in range(500)))
        assert FILLED == recording.send(BUY, ANY_PRICE, 500, FOK)
        assert CANCELLED == recording.send(BUY, ANY_PRICE, 1)

    def test_old_deltas_are_ignored(self) -> None:
        """They must not renew what we took."""
        recording = with_depth()
        recording.send(BUY, ANY_PRICE, 3)
        recording.market.on_book_delta(BookDelta(ID, (), ((100, 9),), 5, 1, 2))
        drained(recording.market)
        recording.send(BUY, 100, 5, IOC)
        assert [] == drained(recording.market)

    def test_after_a_gap_nothing_is_displayed(self) -> None:
        """Until the next snapshot; resting orders stay."""
        recording = with_depth()
        recording.send(BUY, 99, 2)
        recording.delta(skipped=1, asks=((97, 1),))
        assert (0, 0) == (recording.market.best_bid(), recording.market.best_ask())
        assert CANCELLED == recording.send(SELL, ANY_PRICE, 1, order_id="p")
        assert 2 == recording.market.open_quantity("o")
        recording.snapshot()
        assert FILLED == recording.send(SELL, ANY_PRICE, 1, order_id="p")

    def test_after_a_gap_quotes_still_hold(self) -> None:
        """Only the depth behind them is unknown."""
        recording = with_depth()
        recording.quote(99, 3, 100, 2)
        recording.delta(skipped=1)
        assert CANCELLED == recording.send(BUY, ANY_PRICE, 9)
        assert [("o", 100, 2, False)] == drained(recording.market)


class TestOppositeSideReachesUs:
    def test_up_to_the_displayed_size_at_our_price(self) -> None:
        """A bid of 9 at 99 meets an ask of 4 at 98: 4 as maker at 99, once a change."""
        recording = with_quotes()
        recording.send(BUY, 99, 9)
        assert [("o", 99, 4, True)] == recording.quote(97, 1, 98, 4)
        assert [] == recording.quote(96, 1, 98, 4)
        assert [("o", 99, 3, True)] == recording.quote(96, 1, 98, 3)
        assert [("o", 99, 2, True)] == recording.quote(96, 1, 99, 3)

    def test_a_seller_is_reached_by_bids(self) -> None:
        """The mirror."""
        recording = with_quotes()
        recording.send(SELL, 101, 2)
        assert [("o", 101, 2, True)] == recording.quote(101, 4, 102, 1)

    def test_all_levels_within_our_price(self) -> None:
        """1 at 97 and 2 at 98 reach our bids of 2 at 98 and 2 at 99; the better one goes first."""
        recording = with_depth()
        recording.send(BUY, 98, 2, order_id="low")
        recording.send(BUY, 99, 2, order_id="high")
        fills = recording.delta(bids=((99, 0), (98, 0)), asks=((97, 1), (98, 2)))
        assert [("high", 99, 2, True), ("low", 98, 1, True)] == fills

    def test_not_by_what_we_took_ourselves(self) -> None:
        """We took all of 100 and rest there: the display we took does not fill us."""
        recording = with_quotes()
        recording.send(BUY, 100, 5)
        drained(recording.market)
        assert [] == recording.quote(99, 2, 100, 3)
        assert [("o", 100, 2, True)] == recording.quote(99, 2, 100, 4)

    def test_our_own_orders_do_not_trade_with_each_other(self) -> None:
        """A bid and an ask of ours at one price both rest."""
        recording = Recording()
        recording.quote(99, 3, 105, 3)
        assert RESTED == recording.send(BUY, 102, 1, order_id="b")
        assert RESTED == recording.send(SELL, 102, 1, order_id="s")
        assert [] == recording.quote(99, 2, 105, 3)
