"""core.order_book: the exact book, checked against a plain dict, and the venues' sequences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.order_book import APPLIED, GAP, STALE, OrderBook
from zvt_trading.messages.codes import BUY, SELL

TICK = 10
WIDTH = (1 << 15) * TICK  # what the fast window of one side spans

Levels = list[tuple[int, int]]


class PlainBook:
    """What a book is: two dicts. Slow and obviously right."""

    def __init__(self) -> None:
        self.sides: dict[int, dict[int, int]] = {BUY: {}, SELL: {}}

    def set(self, side: int, price: int, size: int) -> None:
        if size:
            self.sides[side][price] = size
        else:
            self.sides[side].pop(price, None)

    def levels(self, side: int) -> Levels:
        return sorted(self.sides[side].items(), reverse=side == BUY)

    def sweep(self, side: int, quantity: int, limit: int) -> tuple[int, int]:
        filled = total = 0
        for price, size in self.levels(-side):
            if limit == 0 or side * (price - limit) <= 0:
                taken = min(size, quantity - filled)
                filled, total = filled + taken, total + taken * price
        return filled, total


def book_of(bids: Levels, asks: Levels, update_id: int = 0, tick: int = TICK) -> OrderBook:
    book = OrderBook(tick)
    book.apply_snapshot(bids, asks, update_id)
    return book


def assert_same(plain: PlainBook, book: OrderBook) -> None:
    """Every question gets the same answer from both."""
    for side in (BUY, SELL):
        levels = plain.levels(side)
        for count in (0, 1, 3, len(levels), len(levels) + 1):
            assert levels[:count] == book.levels(side, count)
        for price, size in levels:
            assert size == book.size_at(side, price)
            assert plain.sides[side].get(price + TICK, 0) == book.size_at(side, price + TICK)
    bids, asks = plain.levels(BUY) or [(0, 0)], plain.levels(SELL) or [(0, 0)]
    assert bids[0] == (book.best_bid(), book.best_bid_size())
    assert asks[0] == (book.best_ask(), book.best_ask_size())
    assert (bids[0][0] >= asks[0][0] > 0) == book.crossed()


# Prices near each other, at the edges of the window, far outside it, and off the tick grid.
NEAR = st.integers(0, 60).map(lambda step: 1_000_000 + step * TICK)
EDGE = st.sampled_from(
    [1_000_000 + sign * WIDTH // part + step * TICK
     for sign in (-1, 1) for part in (2, 4) for step in (-2, -1, 0, 1, 2)]
)  # fmt: skip
FAR = st.sampled_from([TICK, 7 * TICK, 5_000_000, 5_000_000 + WIDTH, 20_000_000])
ODD = st.integers(0, 300).map(lambda step: 1_000_003 + step)
SIZES = st.one_of(st.just(0), st.integers(1, 9))


class TestLevels:
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([BUY, SELL]), st.one_of(NEAR, NEAR, EDGE, FAR), SIZES
            ),
            max_size=60,
        )
    )  # fmt: skip
    def test_after_any_changes_the_book_is_the_plain_book(
        self, changes: list[tuple[int, int, int]]
    ) -> None:
        """Wherever the prices are, and whichever way the touch moves."""
        plain, book = PlainBook(), OrderBook(TICK)
        for side, price, size in changes:
            plain.set(side, price, size)
            book.set_level(side, price, size)
        assert_same(plain, book)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([BUY, SELL]), st.one_of(NEAR, ODD, ODD, EDGE, FAR), SIZES
            ),
            max_size=60,
        )
    )  # fmt: skip
    def test_prices_off_the_tick_grid_are_kept_as_exactly(
        self, changes: list[tuple[int, int, int]]
    ) -> None:
        """Venues change their ticks; old levels stay."""
        plain, book = PlainBook(), OrderBook(TICK)
        for side, price, size in changes:
            plain.set(side, price, size)
            book.set_level(side, price, size)
        assert_same(plain, book)

    @given(st.lists(st.tuples(st.sampled_from([BUY, SELL]), st.one_of(NEAR, EDGE, FAR))))
    def test_taking_all_levels_away_leaves_nothing(self, places: list[tuple[int, int]]) -> None:
        """Best first, the touch walks over every level to none."""
        book = OrderBook(TICK)
        for side, price in places:
            book.set_level(side, price, 1)
        for side in (BUY, SELL):
            plain = sorted({price for of, price in places if of == side}, reverse=side == BUY)
            for price in plain:
                assert price == (book.best_bid() if side == BUY else book.best_ask())
                book.set_level(side, price, 0)
            assert [] == book.levels(side, 5)

    @pytest.mark.parametrize("side", [BUY, SELL])
    def test_the_window_follows_a_drifting_market(self, side: int) -> None:
        """A touch that moves by several windows each way stays exact, with far levels kept."""
        plain, book = PlainBook(), OrderBook(TICK)
        start, far = 10 * WIDTH, 30 * WIDTH
        path = [start + step * 3_000 * TICK for step in [*range(40), *range(40, -40, -1)]]
        for price in [TICK, far if side == SELL else 2 * TICK]:
            plain.set(side, price, 7)
            book.set_level(side, price, 7)
        for price in path:
            for offset in range(3):
                plain.set(side, price + offset * TICK, 1 + offset)
                book.set_level(side, price + offset * TICK, 1 + offset)
            best = plain.levels(side)[0]
            if best[0] != price and best[0] > 2 * TICK and side == BUY:
                plain.set(side, best[0], 0)
                book.set_level(side, best[0], 0)
        assert_same(plain, book)
        for price, _ in plain.levels(side):
            plain.set(side, price, 0)
            book.set_level(side, price, 0)
            assert (plain.levels(side) or [(0, 0)])[0][0] == (
                book.best_bid() if side == BUY else book.best_ask()
            )

    @pytest.mark.parametrize(("side", "odd"), [(BUY, 87), (SELL, 113)])
    def test_the_next_best_may_be_on_the_grid_before_one_off_it(self, side: int, odd: int) -> None:
        """Both kinds of levels take part in finding the next best."""
        book = book_of([(100, 1), (90, 2), (80, 4)], [(100, 1), (110, 2), (120, 4)])
        book.set_level(side, odd, 3)
        sizes = []
        for _ in range(4):
            price, size = book.levels(side, 1)[0]
            sizes.append(size)
            book.set_level(side, price, 0)
        assert [1, 2, 3, 4] == sizes

    @pytest.mark.parametrize(("side", "away"), [(BUY, 1), (SELL, -1)])
    def test_a_best_off_the_grid_and_far_away_hides_nothing(self, side: int, away: int) -> None:
        """What lies between it and the old touch is next when it goes."""
        start = 10 * WIDTH
        book = book_of([(start, 1)], [(start, 1)])
        book.set_level(side, start + away * 3 * WIDTH + 3, 2)
        book.set_level(side, start + away * 2 * WIDTH, 3)
        book.set_level(side, start + away * 3 * WIDTH + 3, 0)
        assert [(start + away * 2 * WIDTH, 3), (start, 1)] == book.levels(side, 5)

    def test_a_new_book_is_empty_and_invalid(self) -> None:
        """There is nothing to trade on before the first snapshot."""
        book = OrderBook(TICK)
        assert (0, 0, 0, 0) == (
            book.best_bid(), book.best_bid_size(), book.best_ask(), book.best_ask_size()
        )  # fmt: skip
        assert not book.valid
        assert not book.crossed()
        assert [] == book.levels(BUY, 5)
        assert 0 == book.size_at(SELL, 100)

    def test_removing_what_is_not_there_changes_nothing(self) -> None:
        """Feeds send removals of levels that the snapshot did not have."""
        book = book_of([(100, 1)], [(110, 2)])
        for price in (50, 105, 10 * WIDTH):
            book.set_level(BUY, price, 0)
            book.set_level(SELL, price, 0)
        assert [(100, 1)] == book.levels(BUY, 5)
        assert [(110, 2)] == book.levels(SELL, 5)

    @pytest.mark.parametrize(
        ("bid", "ask", "crossed"),
        [(100, 110, False), (110, 110, True), (120, 110, True), (100, 0, False), (0, 110, False)],
    )
    def test_crossed(self, bid: int, ask: int, crossed: bool) -> None:
        """The bid is at or above the ask; a missing side crosses nothing."""
        book = book_of([(bid, 1)] if bid else [], [(ask, 1)] if ask else [])
        assert crossed == book.crossed()


class TestSnapshots:
    @given(
        st.lists(st.tuples(st.one_of(NEAR, EDGE, FAR, ODD), SIZES), max_size=40),
        st.lists(st.tuples(st.one_of(NEAR, EDGE, FAR, ODD), SIZES), max_size=40),
        st.lists(st.tuples(st.one_of(NEAR, FAR, ODD), SIZES), max_size=10),
    )
    def test_a_snapshot_in_any_order_replaces_everything(
        self, bids: Levels, asks: Levels, old: Levels
    ) -> None:
        """What was there before is gone; a price given twice has its last size."""
        plain, book = PlainBook(), book_of(old, old)
        for price, size in bids:
            plain.set(BUY, price, size)
        for price, size in asks:
            plain.set(SELL, price, size)
        book.apply_snapshot(bids, asks, 5)
        assert_same(plain, book)
        assert book.valid
        assert 5 == book.update_id

    def test_real_books_reach_far(self) -> None:
        """BTC/USDT has bids at 1,000.00 and asks at 200,000.00 around a touch of 60,000.00."""
        bids = [(6_000_000 - step, 1 + step) for step in range(500)] + [(100_000, 9)]
        asks = [(6_000_001 + step, 1 + step) for step in range(500)] + [(20_000_000, 9)]
        book = book_of(bids, asks, tick=1)
        assert bids == book.levels(BUY, 1_000)
        assert asks == book.levels(SELL, 1_000)
        assert 9 == book.size_at(BUY, 100_000)
        assert (3, 6_000_000 + 2 * 5_999_999) == book.sweep(SELL, 3, 0)


class TestSweeps:
    BOOK = ([(100, 5), (90, 5), (80, 1)], [(110, 5), (120, 5), (130, 1)])

    @pytest.mark.parametrize(
        ("side", "quantity", "limit", "expected"),
        [
            pytest.param(BUY, 5, 0, (5, 550), id="the touch alone"),
            pytest.param(BUY, 5, 110, (5, 550), id="the touch at its price"),
            pytest.param(BUY, 5, 109, (0, 0), id="the limit is below the touch"),
            pytest.param(BUY, 6, 0, (6, 670), id="into the next level"),
            pytest.param(BUY, 6, 119, (5, 550), id="the limit stops it between levels"),
            pytest.param(BUY, 99, 0, (11, 1_280), id="more than there is"),
            pytest.param(BUY, 0, 0, (0, 0), id="nothing asked"),
            pytest.param(SELL, 5, 100, (5, 500), id="sell at the touch"),
            pytest.param(SELL, 5, 101, (0, 0), id="sell limit above the touch"),
            pytest.param(SELL, 8, 0, (8, 770), id="sell into the next level"),
            pytest.param(SELL, 8, 95, (5, 500), id="sell limit between levels"),
            pytest.param(SELL, 99, 80, (11, 1_030), id="sell all"),
        ],
    )
    def test_sweep(self, side: int, quantity: int, limit: int, expected: tuple[int, int]) -> None:
        """What a taker gets, and the sum of price x quantity."""
        assert expected == book_of(*self.BOOK).sweep(side, quantity, limit)

    @pytest.mark.parametrize(("quantity", "filled"), [(17, 17), (64, 64), (65, 65), (400, 300)])
    def test_a_sweep_goes_as_deep_as_it_must(self, quantity: int, filled: int) -> None:
        """300 levels of 1: the sum of the first prices, whatever their number."""
        book = book_of([], [(1_000 + step * TICK, 1) for step in range(300)])
        total = sum(1_000 + step * TICK for step in range(filled))
        assert (filled, total) == book.sweep(BUY, quantity, 0)

    @pytest.mark.parametrize("side", [BUY, SELL])
    def test_an_empty_book_gives_nothing(self, side: int) -> None:
        assert (0, 0) == OrderBook(TICK).sweep(side, 5, 0)

    @given(
        st.lists(st.tuples(st.one_of(NEAR, EDGE, FAR), st.integers(1, 9)), max_size=80),
        st.sampled_from([BUY, SELL]),
        st.integers(1, 400),
        st.one_of(st.just(0), NEAR, FAR),
    )
    def test_a_sweep_is_the_plain_sweep(
        self, levels: Levels, side: int, quantity: int, limit: int
    ) -> None:
        """Over any depth, also when there are many levels."""
        plain, book = PlainBook(), book_of(levels, levels)
        for price, size in levels:
            plain.set(BUY, price, size)
            plain.set(SELL, price, size)
        assert plain.sweep(side, quantity, limit) == book.sweep(side, quantity, limit)


# Deltas after the snapshot 100: (first id, last id, previous id, what becomes of it).
SEQUENCES = [
    pytest.param([(101, 105, -1, APPLIED), (106, 106, -1, APPLIED)], id="spot: right after"),
    pytest.param([(95, 103, -1, APPLIED), (104, 110, -1, APPLIED)], id="spot: spans the snapshot"),
    pytest.param(
        [(90, 99, -1, STALE), (95, 100, -1, STALE), (101, 101, -1, APPLIED)], id="spot: old"
    ),
    pytest.param([(102, 105, -1, GAP), (101, 101, -1, GAP)], id="spot: starts too late"),
    pytest.param([(101, 105, -1, APPLIED), (107, 108, -1, GAP)], id="spot: one missing"),
    pytest.param(
        [(101, 105, -1, APPLIED), (104, 108, -1, GAP)], id="spot: later ones may not overlap"
    ),
    pytest.param([(101, 105, -1, APPLIED), (101, 105, -1, STALE)], id="spot: sent twice"),
    pytest.param(
        [(90, 105, 88, APPLIED), (111, 115, 105, APPLIED)], id="futures: spans, then follows"
    ),
    pytest.param([(90, 100, 88, APPLIED)], id="futures: ends at the snapshot"),
    pytest.param([(90, 99, 88, STALE), (100, 105, 99, APPLIED)], id="futures: old"),
    pytest.param([(102, 105, 101, GAP)], id="futures: starts too late"),
    pytest.param([(100, 105, 90, APPLIED), (108, 110, 106, GAP)], id="futures: one missing"),
    pytest.param([(100, 105, 90, APPLIED), (98, 103, 97, STALE)], id="futures: older again"),
    pytest.param(
        [(105, 105, 100, APPLIED), (110, 110, 105, APPLIED)], id="OKX: names the snapshot"
    ),
    pytest.param([(105, 105, 100, APPLIED), (105, 105, 105, APPLIED)], id="OKX: nothing changed"),
    pytest.param(
        [(105, 105, 100, APPLIED), (7, 7, 105, APPLIED), (9, 9, 7, APPLIED)], id="OKX: reset"
    ),
    pytest.param([(0, 0, -1, APPLIED), (0, 0, -1, APPLIED)], id="no ids"),
]


class TestSequence:
    @pytest.mark.parametrize("sequence", SEQUENCES)
    def test_each_delta_is_placed(self, sequence: list[tuple[int, int, int, int]]) -> None:
        """Applied ones change the level and the id, others do not; a gap makes the book invalid."""
        book = book_of([(90, 1)], [(110, 1)], 100)
        update_id = 100
        for size, (first, last, previous, expected) in enumerate(sequence, 2):
            before = book.size_at(BUY, 90)
            delta = ([(90, size)], [(110, size)], first, last, previous)
            assert expected == book.apply_delta(*delta)
            applied = expected == APPLIED
            update_id = last if applied and last else update_id
            after = size if applied else before
            assert (after, after) == (book.size_at(BUY, 90), book.size_at(SELL, 110))
            assert update_id == book.update_id
            assert (expected != GAP) == book.valid

    @pytest.mark.parametrize("previous", [-1, 5_000])
    def test_a_snapshot_without_id_is_followed_by_any_delta(self, previous: int) -> None:
        """There is nothing to compare the first one with; from then on there is."""
        book = book_of([(90, 1)], [], 0)
        assert APPLIED == book.apply_delta([(90, 2)], [], 5_001, 5_005, previous)
        assert GAP == book.apply_delta([(90, 3)], [], 5_010, 5_015, 5_009 if previous > 0 else -1)

    def test_before_a_snapshot_every_delta_is_a_gap(self) -> None:
        """Changes of an unknown book are no book."""
        book = OrderBook(TICK)
        assert GAP == book.apply_delta([(90, 1)], [], 1, 1, -1)
        assert GAP == book.apply_delta([(90, 1)], [], 0, 0, -1)
        assert 0 == book.best_bid()

    def test_after_a_gap_a_snapshot_starts_anew(self) -> None:
        """Also with a smaller id than before."""
        book = book_of([(90, 1)], [(110, 1)], 100)
        assert GAP == book.apply_delta([], [], 200, 201, -1)
        book.apply_snapshot([(80, 3)], [], 50)
        assert book.valid
        assert [(80, 3)] == book.levels(BUY, 5)
        assert [] == book.levels(SELL, 5)
        assert APPLIED == book.apply_delta([], [(120, 4)], 49, 51, -1)
        assert 120 == book.best_ask()

    def test_invalidate_lasts_until_the_next_snapshot(self) -> None:
        """Neither a delta nor a level makes an invalid book valid."""
        book = book_of([(90, 1)], [], 100)
        book.invalidate()
        assert GAP == book.apply_delta([], [], 101, 101, -1)
        book.set_level(BUY, 90, 2)
        assert not book.valid
        book.apply_snapshot([], [], 0)
        assert book.valid
