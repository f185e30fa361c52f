"""Specification of the matching engine: price-time priority, and what it says about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracles.naive_matcher import NaiveMatcher
from zvt_trading.core.rng import Rng
from zvt_trading.messages.codes import BUY, FOK, GTC, IOC, SELL
from zvt_trading.sim.matcher import (
    CANCELLED,
    FILLED,
    REJECTED_DUPLICATE,
    REJECTED_FILL_OR_KILL,
    REJECTED_POST_ONLY,
    RESTED,
    UNKNOWN_ORDER,
    Matcher,
)

WORDS = {
    RESTED: "rested",
    FILLED: "filled",
    CANCELLED: "cancelled",
    REJECTED_POST_ONLY: "post only",
    REJECTED_FILL_OR_KILL: "fill or kill",
    REJECTED_DUPLICATE: "duplicate",
    UNKNOWN_ORDER: "unknown",
}
ANY_PRICE = 0
US = 7


def trades(matcher: Matcher) -> list[tuple[int, int, int, int, int]]:
    """(price, quantity, taker, maker, aggressor) of each trade so far."""
    return [
        (trade.price, trade.quantity, trade.taker_id, trade.maker_id, trade.aggressor)
        for trade in matcher.trades
    ]


def changes(matcher: Matcher) -> list[tuple[int, int, int]]:
    """(side, price, size) of each level change so far."""
    return [(change.side, change.price, change.size) for change in matcher.changes]


def rows(matcher: Matcher, side: int) -> list[tuple[int, int, int]]:
    """(price, order id, open quantity) of one side, in priority."""
    return [
        (price, order_id, matcher.open_quantity(order_id))
        for price, _ in matcher.levels(side, 1_000)
        for order_id in matcher.queue(side, price)
    ]


def book(*orders: tuple[int, int, int, int]) -> Matcher:
    """A book of (id, side, price, quantity), with nothing said yet."""
    matcher = Matcher()
    for order_id, side, price, quantity in orders:
        assert matcher.submit(order_id, US, side, price, quantity) == RESTED
    matcher.trades.clear()
    matcher.changes.clear()
    return matcher


ASKS = ((1, SELL, 101, 5), (2, SELL, 100, 3), (3, SELL, 100, 4))
BIDS = ((1, BUY, 99, 5), (2, BUY, 100, 3), (3, BUY, 100, 4))


class TestQuestions:
    def test_an_empty_book(self) -> None:
        """Nothing there is 0, an empty list, and owner -1."""
        matcher = Matcher()
        assert (0, 0) == (matcher.best_bid(), matcher.best_ask())
        assert (0, [], []) == (
            matcher.size_at(BUY, 100), matcher.levels(SELL, 5), matcher.queue(BUY, 100)
        )  # fmt: skip
        assert (0, -1) == (matcher.open_quantity(1), matcher.owner_of(1))

    @pytest.mark.parametrize(
        ("side", "orders", "levels"),
        [(SELL, ASKS, [(100, 7), (101, 5)]), (BUY, BIDS, [(100, 7), (99, 5)])],
    )
    def test_levels_come_best_first(
        self,
        side: int,
        orders: tuple[tuple[int, int, int, int], ...],
        levels: list[tuple[int, int]],
    ) -> None:
        """Orders at one price are one level; the queue is oldest first."""
        matcher = book(*orders)
        assert levels == matcher.levels(side, 5)
        assert levels[:1] == matcher.levels(side, 1)
        assert 7 == matcher.size_at(side, 100)
        assert [2, 3] == matcher.queue(side, 100)
        assert 100 == (matcher.best_bid() if side == BUY else matcher.best_ask())
        assert 0 == (matcher.best_ask() if side == BUY else matcher.best_bid())

    def test_an_order_is_known_by_its_owner(self) -> None:
        """Open quantity and owner are of what rests, not of what was sent."""
        matcher = book((1, SELL, 100, 5))
        matcher.submit(2, 8, BUY, 100, 2)
        matcher.submit(3, 9, BUY, 99, 6)
        assert [(3, US), (0, -1), (6, 9)] == [
            (matcher.open_quantity(number), matcher.owner_of(number)) for number in (1, 2, 3)
        ]


class TestTaking:
    def test_best_price_then_oldest(self) -> None:
        """A taker walks the book in priority and pays each maker's price."""
        matcher = book(*ASKS)
        assert FILLED == matcher.submit(9, US, BUY, 101, 10)
        assert [(100, 3, 9, 2, BUY), (100, 4, 9, 3, BUY), (101, 3, 9, 1, BUY)] == trades(matcher)
        assert [(SELL, 100, 0), (SELL, 101, 2)] == changes(matcher)

    def test_the_bids_are_the_mirror(self) -> None:
        """A seller takes the highest bid first."""
        matcher = book(*BIDS)
        assert FILLED == matcher.submit(9, US, SELL, 99, 8)
        assert [(100, 3, 9, 2, SELL), (100, 4, 9, 3, SELL), (99, 1, 9, 1, SELL)] == trades(matcher)
        assert [(BUY, 100, 0), (BUY, 99, 4)] == changes(matcher)

    @pytest.mark.parametrize(
        ("price", "quantity", "tif", "code", "traded", "rests"),
        [
            (100, 7, GTC, FILLED, 7, 0),
            (100, 9, GTC, RESTED, 7, 2),
            (99, 9, GTC, RESTED, 0, 9),
            (100, 9, IOC, CANCELLED, 7, 0),
            (99, 9, IOC, CANCELLED, 0, 0),
            (100, 7, IOC, FILLED, 7, 0),
            (101, 12, FOK, FILLED, 12, 0),
            (100, 8, FOK, REJECTED_FILL_OR_KILL, 0, 0),
            (101, 13, FOK, REJECTED_FILL_OR_KILL, 0, 0),
            (ANY_PRICE, 12, GTC, FILLED, 12, 0),
            (ANY_PRICE, 13, GTC, CANCELLED, 12, 0),
            (ANY_PRICE, 12, FOK, FILLED, 12, 0),
            (ANY_PRICE, 13, FOK, REJECTED_FILL_OR_KILL, 0, 0),
        ],
    )
    def test_time_in_force(
        self, price: int, quantity: int, tif: int, code: int, traded: int, rests: int
    ) -> None:
        """Asks of 7 at 100 and 5 at 101: what trades, and what of the order stays."""
        matcher = book(*ASKS)
        assert code == matcher.submit(9, US, BUY, price, quantity, tif)
        assert traded == sum(trade.quantity for trade in matcher.trades)
        assert rests == matcher.open_quantity(9)

    @pytest.mark.parametrize(
        ("price", "code"),
        [(99, RESTED), (100, REJECTED_POST_ONLY), (ANY_PRICE, REJECTED_POST_ONLY)],
    )
    def test_post_only_never_takes(self, price: int, code: int) -> None:
        """At or through the other side's best it is refused whole."""
        matcher = book(*ASKS)
        assert code == matcher.submit(9, US, BUY, price, 1, GTC, True)
        assert [] == trades(matcher)

    def test_an_id_in_the_book_is_refused(self) -> None:
        """Also before its post-only is looked at; free again once it has left the book."""
        matcher = book(*ASKS)
        assert REJECTED_DUPLICATE == matcher.submit(1, US, BUY, 100, 1, GTC, True)
        assert [] == changes(matcher)
        assert matcher.cancel(1)
        assert RESTED == matcher.submit(1, US, BUY, 99, 1)


class TestCancel:
    @pytest.mark.parametrize(
        ("gone", "queue"), [(1, [2, 3]), (2, [1, 3]), (3, [1, 2])], ids=["first", "middle", "last"]
    )
    def test_the_others_keep_their_order(self, gone: int, queue: list[int]) -> None:
        """Wherever in the queue it stood."""
        matcher = book((1, BUY, 100, 1), (2, BUY, 100, 2), (3, BUY, 100, 4))
        assert matcher.cancel(gone)
        assert queue == matcher.queue(BUY, 100)
        assert [(BUY, 100, 7 - 2 ** (gone - 1))] == changes(matcher)

    def test_the_last_one_takes_its_level_along(self) -> None:
        """The level is said to have size 0."""
        matcher = book(*ASKS)
        assert matcher.cancel(1)
        assert [(SELL, 101, 0)] == changes(matcher)
        assert [(100, 7)] == matcher.levels(SELL, 5)

    def test_unknown(self) -> None:
        """Nothing happens."""
        matcher = book(*ASKS)
        assert not matcher.cancel(9)
        assert [] == changes(matcher)


class TestAmend:
    @pytest.mark.parametrize(
        ("price", "quantity", "queue"),
        [(100, 2, [2, 3]), (100, 3, [2, 3]), (100, 4, [3, 2]), (101, 3, [3])],
        ids=["less", "same", "more", "other price"],
    )
    def test_only_a_smaller_quantity_keeps_its_place(
        self, price: int, quantity: int, queue: list[int]
    ) -> None:
        """More, or another price, goes to the end of the queue."""
        matcher = book(*ASKS)
        assert RESTED == matcher.amend(2, price, quantity)
        assert queue == matcher.queue(SELL, 100)
        assert quantity == matcher.open_quantity(2)

    def test_a_smaller_quantity_is_said(self) -> None:
        """The level has the new total."""
        matcher = book(*ASKS)
        matcher.amend(2, 100, 1)
        assert [(SELL, 100, 5)] == changes(matcher)

    def test_a_crossing_price_trades(self) -> None:
        """As a new order would; the owner stays."""
        matcher = book(*ASKS, (9, BUY, 99, 4))
        assert RESTED == matcher.amend(9, 100, 9)
        assert [(100, 3, 9, 2, BUY), (100, 4, 9, 3, BUY)] == trades(matcher)
        assert (2, US) == (matcher.open_quantity(9), matcher.owner_of(9))
        assert FILLED == matcher.amend(9, 101, 2)

    def test_post_only_stays_as_it_was(self) -> None:
        """A refused amend changes nothing."""
        matcher = book(*ASKS, (9, BUY, 99, 4))
        assert REJECTED_POST_ONLY == matcher.amend(9, 100, 4, True)
        assert RESTED == matcher.amend(9, 98, 4, True)
        assert [(98, 9, 4)] == rows(matcher, BUY)

    def test_unknown(self) -> None:
        """Nothing to amend."""
        assert UNKNOWN_ORDER == Matcher().amend(1, 100, 1)


class Pair:
    """The matcher and its naive judge, given the same commands."""

    def __init__(self) -> None:
        self.matcher = Matcher()
        self.judge = NaiveMatcher()
        self.ladder: dict[tuple[int, int], int] = {}  # rebuilt from the changes alone

    def submit(
        self, order_id: int, side: int, price: int, quantity: int, tif: int, post_only: bool
    ) -> str:
        order = (order_id, order_id % 5, side, price, quantity, tif, post_only)
        code = self.matcher.submit(*order)
        return self._agree(WORDS[code], self.judge.submit(*order))

    def cancel(self, order_id: int) -> str:
        known = self.matcher.cancel(order_id)
        return self._agree(f"cancel {known}", f"cancel {self.judge.cancel(order_id)}")

    def amend(self, order_id: int, price: int, quantity: int, post_only: bool) -> str:
        code = self.matcher.amend(order_id, price, quantity, post_only)
        return self._agree(WORDS[code], self.judge.amend(order_id, price, quantity, post_only))

    def _agree(self, said: str, judged: str) -> str:
        """Every output is the same; then both are emptied."""
        matcher, judge = self.matcher, self.judge
        assert judged == said
        assert judge.trades == trades(matcher)
        for change in matcher.changes:
            if change.size:
                self.ladder[change.side, change.price] = change.size
            else:
                del self.ladder[change.side, change.price]
        sizes = judge.sizes()
        assert sizes == self.ladder
        for side in (BUY, SELL):
            expected = judge.rows(side)
            assert expected == rows(matcher, side)
            best = expected[0][0] if expected else 0
            assert best == (matcher.best_bid() if side == BUY else matcher.best_ask())
        judge.trades.clear()
        matcher.trades.clear()
        matcher.changes.clear()
        return said

    def agree_on_questions(self) -> None:
        """Sizes and owners too (slower: asked now and then)."""
        for (side, price), size in self.ladder.items():
            assert size == self.matcher.size_at(side, price)
            assert (price, size) in self.matcher.levels(side, 1_000)
        for order in self.judge.orders:
            assert order.owner == self.matcher.owner_of(order.order_id)


def random_command(pair: Pair, rng: Rng, number: int) -> str:
    """One command at dense prices (90-109); ids of the last 40 orders may be touched again."""
    kind = rng.next_u64() % 16
    side = BUY if rng.next_u64() % 2 else SELL
    price = 100 - side * (rng.next_u64() % 10) + side * (rng.next_u64() % 6)
    quantity = 1 + rng.next_u64() % 12
    recent = number - rng.next_u64() % 40
    post_only = rng.next_u64() % 3 == 0
    if kind < 6:
        return pair.submit(number, side, price, quantity, GTC, post_only)
    if kind < 10:
        return pair.cancel(recent)
    if kind < 12:
        return pair.amend(recent, price, quantity, post_only)
    if kind == 12:
        return pair.submit(number, side, ANY_PRICE, 3 * quantity, GTC, False)
    if kind == 13:
        return pair.submit(number, side, price, 2 * quantity, IOC, post_only)
    if kind == 14:
        return pair.submit(
            number, side, price if post_only else ANY_PRICE, 2 * quantity, FOK, False
        )
    return pair.submit(recent, side, price, quantity, GTC, post_only)


def test_a_naive_matcher_agrees() -> None:
    """Codes, trades, levels and queues are the same after each of 100,000 seeded commands."""
    pair = Pair()
    rng = Rng(20_240_229)
    seen: dict[str, int] = {}
    for number in range(1, 100_001):
        said = random_command(pair, rng, number)
        seen[said] = seen.get(said, 0) + 1
        if number % 100 == 0:
            pair.agree_on_questions()
    assert {*WORDS.values(), "cancel True", "cancel False"} == set(seen)
    assert min(seen.values()) > 500


COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(["submit", "cancel", "amend"]),
        st.integers(1, 12),
        st.sampled_from([BUY, SELL]),
        st.one_of(st.just(ANY_PRICE), st.integers(97, 103)),
        st.integers(1, 20),
        st.sampled_from([GTC, IOC, FOK]),
        st.booleans(),
    ),
    max_size=40,
)


@given(COMMANDS)
def test_nothing_is_lost(commands: list[tuple[str, int, int, int, int, int, bool]]) -> None:
    """Bought = sold; sent - taken back = traded twice + resting; the book is never crossed."""
    matcher = Matcher()
    put_in = taken_out = 0
    for kind, order_id, side, price, quantity, tif, post_only in commands:
        before = matcher.open_quantity(order_id)
        traded = sum(trade.quantity for trade in matcher.trades)
        if kind == "submit":
            code = matcher.submit(order_id, US, side, price, quantity, tif, post_only)
            if code in (RESTED, FILLED, CANCELLED):
                put_in += quantity
            if code == CANCELLED:
                taken_out += quantity - sum(trade.quantity for trade in matcher.trades) + traded
        elif kind == "cancel":
            taken_out += before if matcher.cancel(order_id) else 0
        elif matcher.amend(order_id, price or 100, quantity, post_only) in (RESTED, FILLED):
            put_in += quantity
            taken_out += before
        assert not 0 < matcher.best_ask() <= matcher.best_bid()
    levels = [size for side in (BUY, SELL) for _, size in matcher.levels(side, 1_000)]
    assert put_in - taken_out == 2 * sum(t.quantity for t in matcher.trades) + sum(levels)
    assert all(size > 0 for size in levels)


@given(COMMANDS)
def test_a_trade_is_never_worse_than_the_limit(
    commands: list[tuple[str, int, int, int, int, int, bool]],
) -> None:
    """Each taker's trades are within its limit, and get worse only from one to the next."""
    matcher = Matcher()
    for number, (_, _, side, price, quantity, tif, post_only) in enumerate(commands):
        matcher.trades.clear()
        matcher.submit(number, US, side, price, quantity, tif, post_only)
        paid = [side * trade.price for trade in matcher.trades]
        assert paid == sorted(paid)
        assert all(price == ANY_PRICE or each <= side * price for each in paid)
        assert sum(trade.quantity for trade in matcher.trades) <= quantity
