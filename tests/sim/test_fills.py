"""Specification of how our orders fill, against a recording and in a generated market."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from market_by_hand import ANY_PRICE, ID, LATER, Fills, Recording, drained, matched, with_depth

from zvt_trading.messages.codes import BUY, FOK, GTC, IOC, SELL
from zvt_trading.messages.market import BookDelta, BookSnapshot, QuoteTick, TradeTick
from zvt_trading.sim.fills import OUR_OWNER, MatchedMarket, RecordedMarket, SimFill
from zvt_trading.sim.matcher import (
    CANCELLED,
    FILLED,
    REJECTED_DUPLICATE,
    REJECTED_FILL_OR_KILL,
    REJECTED_POST_ONLY,
    RESTED,
    UNKNOWN_ORDER,
)

MARKETS: list[Callable[[], RecordedMarket | MatchedMarket]] = [
    lambda: with_depth().market,
    matched,
]


@pytest.mark.parametrize("make", MARKETS, ids=["recorded", "matched"])
class TestBothMarkets:
    @pytest.mark.parametrize(
        ("price", "quantity", "tif", "code", "taken"),
        [
            (ANY_PRICE, 2, GTC, FILLED, [(100, 2)]),
            (ANY_PRICE, 5, IOC, FILLED, [(100, 3), (101, 2)]),
            (ANY_PRICE, 13, GTC, CANCELLED, [(100, 3), (101, 4), (103, 5)]),
            (ANY_PRICE, 12, FOK, FILLED, [(100, 3), (101, 4), (103, 5)]),
            (ANY_PRICE, 13, FOK, REJECTED_FILL_OR_KILL, []),
            (102, 9, IOC, CANCELLED, [(100, 3), (101, 4)]),
            (102, 9, GTC, RESTED, [(100, 3), (101, 4)]),
            (102, 8, FOK, REJECTED_FILL_OR_KILL, []),
            (101, 7, FOK, FILLED, [(100, 3), (101, 4)]),
            (99, 1, GTC, RESTED, []),
            (99, 1, IOC, CANCELLED, []),
            (99, 1, FOK, REJECTED_FILL_OR_KILL, []),
        ],
    )
    def test_a_buyer_walks_the_asks(
        self,
        make: Callable[[], RecordedMarket | MatchedMarket],
        price: int,
        quantity: int,
        tif: int,
        code: int,
        taken: list[tuple[int, int]],
    ) -> None:
        """Best first, within the limit; what is left rests, ends, or spoils the whole."""
        market = make()
        assert code == market.submit("o", BUY, price, quantity, tif, False)
        assert [("o", at, size, False) for at, size in taken] == drained(market)
        rests = quantity - sum(size for _, size in taken) if code == RESTED else 0
        assert rests == market.open_quantity("o")

    def test_a_seller_walks_the_bids(
        self, make: Callable[[], RecordedMarket | MatchedMarket]
    ) -> None:
        """The mirror: highest bid first, down to the limit."""
        market = make()
        assert CANCELLED == market.submit("o", SELL, 97, 9, IOC, False)
        assert [("o", 99, 3, False), ("o", 98, 4, False)] == drained(market)

    @pytest.mark.parametrize(
        ("side", "price", "code"),
        [
            (BUY, 99, RESTED),
            (BUY, 100, REJECTED_POST_ONLY),
            (BUY, ANY_PRICE, REJECTED_POST_ONLY),
            (SELL, 100, RESTED),
            (SELL, 99, REJECTED_POST_ONLY),
        ],
    )
    def test_post_only_never_takes(
        self,
        make: Callable[[], RecordedMarket | MatchedMarket],
        side: int,
        price: int,
        code: int,
    ) -> None:
        """What would meet the other side's best is refused whole."""
        market = make()
        assert code == market.submit("o", side, price, 5, GTC, True)
        assert [] == drained(market)

    def test_an_id_that_rests_is_refused(
        self, make: Callable[[], RecordedMarket | MatchedMarket]
    ) -> None:
        """The resting order is untouched; the id is free once it has gone."""
        market = make()
        market.submit("o", BUY, 99, 5, GTC, False)
        assert REJECTED_DUPLICATE == market.submit("o", BUY, ANY_PRICE, 1, GTC, False)
        assert 5 == market.open_quantity("o")
        assert market.cancel("o")
        assert FILLED == market.submit("o", BUY, ANY_PRICE, 1, GTC, False)

    @pytest.mark.parametrize("side", [BUY, SELL])
    def test_cancel(self, make: Callable[[], RecordedMarket | MatchedMarket], side: int) -> None:
        """True once, then there is nothing to take back."""
        market = make()
        market.submit("o", side, 99 if side == BUY else 100, 5, GTC, False)
        assert [True, False] == [market.cancel("o"), market.cancel("o")]
        assert 0 == market.open_quantity("o")

    @pytest.mark.parametrize(
        ("price", "quantity", "post_only", "code", "rests", "fills"),
        [
            (98, 2, False, RESTED, 2, []),
            (98, 9, False, RESTED, 9, []),
            (97, 5, False, RESTED, 5, []),
            (100, 3, False, FILLED, 0, [("o", 100, 3, False)]),
            (100, 5, False, RESTED, 2, [("o", 100, 3, False)]),
            (100, 3, True, REJECTED_POST_ONLY, 5, []),
            (99, 3, True, RESTED, 3, []),
        ],
    )
    def test_amend(
        self,
        make: Callable[[], RecordedMarket | MatchedMarket],
        price: int,
        quantity: int,
        post_only: bool,
        code: int,
        rests: int,
        fills: Fills,
    ) -> None:
        """A bid of 5 at 98 becomes this; a price that crosses trades unless it is post-only."""
        market = make()
        market.submit("o", BUY, 98, 5, GTC, post_only)
        assert code == market.amend("o", price, quantity)
        assert rests == market.open_quantity("o")
        assert fills == drained(market)

    def test_amend_of_a_seller(self, make: Callable[[], RecordedMarket | MatchedMarket]) -> None:
        """The mirror of a crossing buyer."""
        market = make()
        market.submit("o", SELL, 103, 2, GTC, True)
        assert REJECTED_POST_ONLY == market.amend("o", 99, 2)
        assert RESTED == market.amend("o", 102, 2)

    def test_amend_of_nothing(self, make: Callable[[], RecordedMarket | MatchedMarket]) -> None:
        """An order that does not rest cannot be amended."""
        assert UNKNOWN_ORDER == make().amend("o", 99, 1)

    def test_the_best_prices(self, make: Callable[[], RecordedMarket | MatchedMarket]) -> None:
        """Those of the market."""
        market = make()
        assert (99, 100) == (market.best_bid(), market.best_ask())

    def test_fills_carry_the_market_s_time(
        self, make: Callable[[], RecordedMarket | MatchedMarket]
    ) -> None:
        """The caller may set it."""
        market = make()
        market.now = 77
        market.submit("o", BUY, ANY_PRICE, 1, GTC, False)
        assert 77 == market.fills[0].ts


class TestMatched:
    def test_the_flow_fills_our_resting_order_in_turn(self) -> None:
        """3 of the flow are ahead of our 2 at 99."""
        market = matched()
        market.submit("o", BUY, 99, 2, GTC, False)
        market.matcher.trades.clear()
        market.matcher.submit(900, 1, SELL, 99, 4)
        market.on_flow(5, 0)
        assert [("o", 99, 1, True)] == [
            (fill.order_id, fill.price, fill.quantity, fill.is_maker) for fill in market.fills
        ]
        assert 5 == market.fills[0].ts
        assert 1 == market.open_quantity("o")
        before = len(market.matcher.trades)
        market.matcher.submit(901, 1, SELL, 99, 1)
        market.on_flow(6, before)
        assert 0 == market.open_quantity("o")
        assert not market.cancel("o")

    def test_hit_twice_before_we_look(self) -> None:
        """Two trades of one batch end our order: both are ours."""
        market = matched()
        market.submit("o", BUY, 97, 2, GTC, False)
        before = len(market.matcher.trades)
        market.matcher.submit(900, 1, SELL, 97, 8)
        market.matcher.submit(901, 1, SELL, 97, 1)
        market.on_flow(5, before)
        assert [("o", 97, 1, True), ("o", 97, 1, True)] == drained(market)
        assert RESTED == market.submit("o", BUY, 95, 2, GTC, False)

    def test_we_are_one_owner(self) -> None:
        """Our orders are known to the matcher under OUR_OWNER."""
        market = matched()
        market.submit("o", BUY, 97, 2, GTC, False)
        (number,) = market.matcher.queue(BUY, 97)
        assert OUR_OWNER == market.matcher.owner_of(number)

    def test_both_sides_of_a_trade_may_be_ours(self) -> None:
        """A venue would let two accounts of ours meet: both get their fill."""
        market = matched()
        market.submit("b", BUY, 99, 5, GTC, False)
        market.matcher.cancel(3)
        market.submit("s", SELL, 99, 5, GTC, False)
        assert [("s", 99, 5, False), ("b", 99, 5, True)] == drained(market)

    def test_the_market_s_own_messages_only_tell_the_time(self) -> None:
        """The matcher knows their content already."""
        market = matched()
        market.on_quote(QuoteTick(ID, 1, 1, 2, 1, 11))
        market.on_trade(TradeTick(ID, 1, 1, BUY, 12))
        market.on_book_snapshot(BookSnapshot(ID, (), (), 13))
        market.on_book_delta(BookDelta(ID, (), (), 14))
        market.on_book_invalid()
        assert 14 == market.now
        assert (99, 100) == (market.best_bid(), market.best_ask())
        assert [] == market.fills


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["quote", "trade", "order", "cancel"]),
        st.sampled_from([BUY, SELL]),
        st.integers(95, 105),
        st.integers(1, 9),
        st.integers(0, LATER),
    ),
    max_size=60,
)


@given(STEPS)
def test_invariants_of_a_recorded_market(steps: list[tuple[str, int, int, int, int]]) -> None:
    """No fill beyond its limit, no overfill, never more than displayed and traded; ahead >= -1."""
    recording = Recording()
    sent: dict[str, tuple[int, int, int]] = {}
    filled: dict[str, int] = {}
    offered = 0
    for number, (kind, side, price, size, wait) in enumerate(steps):
        fills: Fills = []
        if kind == "quote":
            fills = recording.quote(price, size, price + 1 + size % 3, size, wait)
            offered += 2 * size
        elif kind == "trade":
            fills = recording.trade(price, size, side, wait)
            offered += size
        elif kind == "order":
            name = str(number)
            sent[name] = (side, price, size)
            recording.send(side, price, size, GTC, size % 2 == 0, name)
            fills = drained(recording.market)
        elif sent:
            recording.market.cancel(min(sent))
        for name, at, quantity, is_maker in fills:
            way, limit, wanted = sent[name]
            filled[name] = filled.get(name, 0) + quantity
            assert quantity > 0
            assert filled[name] <= wanted
            assert at == limit if is_maker else way * (at - limit) <= 0
        for name, (_, _, wanted) in sent.items():
            left = recording.market.open_quantity(name)
            assert left in (0, wanted - filled.get(name, 0))
            assert recording.ahead(name) >= -1
    assert sum(filled.values()) <= offered


def test_a_fill_is_a_plain_record() -> None:
    """Order, price, quantity, maker or taker, time."""
    fill = SimFill("o", 100, 2, True, 7)
    assert ("o", 100, 2, True, 7) == (
        fill.order_id, fill.price, fill.quantity, fill.is_maker, fill.ts
    )  # fmt: skip
