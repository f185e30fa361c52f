"""Specification of the queue before our resting orders in a recorded market."""

import pytest
from market_by_hand import LATER, Recording, with_depth, with_quotes

from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.sim.recorded_side import EXPLAIN_NS


class TestQueue:
    @pytest.mark.parametrize(
        ("price", "ahead"), [(99, 3), (98, 4), (97, 0)], ids=["touch", "behind", "alone"]
    )
    def test_joining_the_displayed_depth(self, price: int, ahead: int) -> None:
        """Everything displayed at the price is before us."""
        recording = with_depth()
        recording.send(BUY, price, 1)
        assert ahead == recording.ahead()

    def test_joining_inside_the_spread(self) -> None:
        """Nobody is at a better price than the best."""
        recording = Recording()
        recording.quote(99, 3, 105, 3)
        recording.send(BUY, 102, 5)
        assert [("o", 102, 4, True)] == recording.trade(102, 4)

    def test_behind_a_quote_the_queue_is_unknown(self) -> None:
        """All that is there when the price becomes the best is before us; until then no fills."""
        recording = with_quotes()
        recording.send(BUY, 98, 5)
        assert -1 == recording.ahead()
        assert [] == recording.trade(98, 50)
        recording.quote(98, 7, 100, 3)
        assert 7 == recording.ahead()

    def test_trades_eat_the_queue_then_us(self) -> None:
        """3 are ahead of our 5."""
        recording = with_quotes()
        recording.send(BUY, 99, 5)
        assert [] == recording.trade(99, 2)
        assert 1 == recording.ahead()
        assert [("o", 99, 3, True)] == recording.trade(99, 4)
        assert [("o", 99, 2, True)] == recording.trade(99, 9)
        assert [] == recording.trade(99, 9)

    def test_the_seller_s_mirror(self) -> None:
        """Buyers' trades eat the asks."""
        recording = with_quotes()
        recording.send(SELL, 100, 5)
        assert [] == recording.trade(100, 3, BUY)
        assert [("o", 100, 5, True)] == recording.trade(100, 5, BUY)

    @pytest.mark.parametrize(("aggressor", "reached"), [(SELL, True), (0, True), (BUY, False)])
    def test_only_sellers_reach_the_bids(self, aggressor: int, reached: bool) -> None:
        """An unknown aggressor may have been one."""
        recording = with_quotes()
        recording.send(BUY, 99, 1)
        assert reached == bool(recording.trade(99, 4, aggressor))

    def test_a_trade_through_our_price(self) -> None:
        """Fills us up to its size, whatever queued; the next at our price finds us first."""
        recording = with_depth()
        recording.send(BUY, 98, 5)
        assert [("o", 98, 2, True)] == recording.trade(97, 2)
        assert [("o", 98, 1, True)] == recording.trade(98, 1)

    def test_a_trade_above_our_bid_is_another_s(self) -> None:
        """The price has not come down to us."""
        recording = with_depth()
        recording.send(BUY, 98, 5)
        assert [] == recording.trade(99, 50)

    def test_one_trade_fills_each_quantity_once(self) -> None:
        """Our orders share it: best price first, then oldest, never more than its size."""
        recording = with_depth()
        recording.send(BUY, 97, 2, order_id="c")
        recording.send(BUY, 99, 1, order_id="a")
        recording.send(BUY, 99, 9, order_id="b")
        assert [("a", 99, 1, True), ("b", 99, 4, True)] == recording.trade(97, 5)
        assert [("b", 99, 5, True), ("c", 97, 1, True)] == recording.trade(97, 6)

    def test_our_older_order_delays_our_younger(self) -> None:
        """3 ahead, then 2 of ours: a trade of 6 leaves 1 for the next order."""
        recording = with_quotes()
        recording.send(BUY, 99, 2, order_id="a")
        recording.send(BUY, 99, 2, order_id="b")
        assert [("a", 99, 2, True), ("b", 99, 1, True)] == recording.trade(99, 6)

    def test_what_our_older_order_took_did_not_eat_the_queue(self) -> None:
        """A trade of 6 with 3 others, 2 of ours and 4 newcomers before us eats 4 of those 7."""
        recording = with_quotes()
        recording.send(BUY, 99, 2, order_id="a")
        recording.quote(99, 7, 100, 3)
        recording.send(BUY, 99, 2, order_id="b")
        assert [("a", 99, 2, True)] == recording.trade(99, 6)
        assert 3 == recording.ahead("b")

    @pytest.mark.parametrize(
        ("price", "quantity", "ahead"),
        [(99, 4, 1), (99, 5, 1), (99, 6, 3), (98, 5, 4)],
        ids=["less", "same", "more", "price"],
    )
    def test_only_a_smaller_quantity_keeps_its_place(
        self, price: int, quantity: int, ahead: int
    ) -> None:
        """1 was left ahead of us at 99; all else joins behind what is displayed now."""
        recording = with_depth()
        recording.send(BUY, 99, 5)
        recording.trade(99, 2)
        recording.market.amend("o", price, quantity)
        assert ahead == recording.ahead()


class TestDisplayedSizes:
    """A bid of ours at 99, where 8 were displayed when it joined and 4 came later."""

    def joined(self) -> Recording:
        recording = Recording()
        recording.quote(99, 8, 100, 3)
        recording.send(BUY, 99, 5)
        recording.quote(99, 12, 100, 3)
        assert 8 == recording.ahead()
        return recording

    def settle(self, recording: Recording) -> int:
        """Long after, the ask moves; what is ahead then."""
        recording.quote(recording.market.best_bid(), self.shown, 101, 3, LATER)
        return recording.ahead()

    shown = 0

    @pytest.mark.parametrize(
        ("shown", "ahead"),
        [(11, 8), (10, 7), (9, 6), (6, 4), (5, 4), (1, 1), (13, 8)],
    )
    def test_cancels_are_spread_over_the_queue(self, shown: int, ahead: int) -> None:
        """Of 12, 8 are ahead: 12 - shown cancels took 8/12 of them from us, rounded down."""
        recording = self.joined()
        recording.quote(99, shown, 100, 3)
        self.shown = shown
        assert ahead == self.settle(recording)

    def test_trades_explain_a_fall_shown_after_them(self) -> None:
        """A trade of 3, then 9 displayed: nothing was cancelled."""
        recording = self.joined()
        recording.trade(99, 3)
        recording.quote(99, 9, 100, 3)
        self.shown = 9
        assert 5 == self.settle(recording)

    def test_trades_explain_a_fall_shown_before_them(self) -> None:
        """9 displayed, then the trade of 3: it does not advance us twice."""
        recording = self.joined()
        recording.quote(99, 9, 100, 3)
        recording.trade(99, 2)
        recording.trade(99, 1)
        self.shown = 9
        assert 5 == self.settle(recording)

    def test_a_level_that_seems_gone_before_its_trade(self) -> None:
        """The quote leaves 99 first; the trade that emptied it then ends with us, not begins."""
        recording = self.joined()
        recording.quote(98, 1, 100, 3)
        assert [("o", 99, 4, True)] == recording.trade(99, 12)

    def test_a_level_that_is_gone_for_good(self) -> None:
        """No trade came: all ahead have cancelled."""
        recording = self.joined()
        recording.quote(98, 1, 100, 3)
        assert [("o", 99, 2, True)] == recording.trade(99, 2, wait=LATER)

    def test_trades_explain_what_they_can(self) -> None:
        """Shown 6 less, of which 2 traded: 4 of the 10 then there cancelled, 6 of them ahead."""
        recording = self.joined()
        recording.quote(99, 6, 100, 3)
        recording.trade(99, 2)
        self.shown = 6
        assert 6 - 4 * 6 // 10 == self.settle(recording)

    def test_a_fall_waits_its_time_from_when_it_was_shown(self) -> None:
        """The first half of the wait belongs to an older fall: each gets at least EXPLAIN_NS."""
        recording = self.joined()
        recording.quote(99, 9, 100, 3, EXPLAIN_NS)
        recording.quote(99, 6, 100, 3, EXPLAIN_NS)
        assert 8 == recording.ahead()
        recording.quote(99, 6, 101, 3, EXPLAIN_NS)
        assert 8 - 3 * 8 // 12 == recording.ahead()
        recording.quote(99, 6, 102, 3, EXPLAIN_NS)
        assert 6 - 3 * 6 // 9 == recording.ahead()

    def test_trades_beyond_the_display(self) -> None:
        """More traded than was shown (hidden orders): nobody is ahead, nothing goes negative."""
        recording = self.joined()
        recording.quote(99, 11, 100, 3)
        assert [("o", 99, 5, True)] == recording.trade(99, 30)
        assert 0 == recording.market.open_quantity("o")

    def test_nobody_is_behind_more_than_is_displayed(self) -> None:
        """What our older order took of a trade stays before the younger, until it is not shown."""
        recording = with_quotes()
        recording.send(BUY, 99, 2, order_id="a")
        recording.quote(99, 7, 100, 3)
        recording.send(BUY, 99, 9, order_id="b")
        recording.quote(99, 2, 100, 3)
        assert [("a", 99, 2, True)] == recording.trade(99, 5)
        assert 4 == recording.ahead("b")
        recording.quote(99, 1, 100, 3)
        recording.quote(99, 1, 101, 3, LATER)
        assert 1 == recording.ahead("b")

    def test_a_gap_forgets_falls_but_not_our_place(self) -> None:
        """After it, ahead is at most what is displayed."""
        recording = with_depth()
        recording.send(BUY, 98, 1, order_id="deep")
        recording.send(BUY, 99, 1, order_id="top")
        recording.delta(bids=((98, 3),))
        recording.market.on_book_invalid()
        recording.snapshot(bids=((99, 9), (98, 2)), wait=LATER)
        assert (3, 2) == (recording.ahead("top"), recording.ahead("deep"))
        recording.delta(bids=((99, 8),), wait=LATER)
        assert 2 == recording.ahead("deep")

    def test_falls_are_dropped_when_the_depth_is_lost(self) -> None:
        """With quotes the touch goes on; a deep order's unexplained fall is forgotten."""
        recording = with_depth()
        recording.quote(99, 3, 100, 3)
        recording.send(BUY, 98, 1)
        recording.delta(bids=((98, 2),))
        recording.market.on_book_invalid()
        recording.quote(99, 4, 100, 3, LATER)
        assert 4 == recording.ahead()
