"""Which venue gets an order that names none."""

from typing import Any

import pytest
from core_world import BTC, ONE, CoreWorld, loose, spec

from zvt_trading.core.router import net_price
from zvt_trading.messages.codes import BUY, SELL, STOP, TAKE_PROFIT
from zvt_trading.messages.commands import Deposit
from zvt_trading.messages.events import OrderPlaced, OrderRefused, OrderRouted
from zvt_trading.messages.market import BookInvalid, BookSnapshot, VenueStatus
from zvt_trading.messages.reasons import Reason

X, Y, Z = "x:BTC/USD", "y:BTC/USD", "z:BTC/USD"
USD = 10**8


def three(**changes: Any) -> CoreWorld:
    """Three venues of the same fees, each with cash and coins."""
    specs = [spec(venue=venue, **changes) for venue in "xyz"]
    world = CoreWorld(specs=specs)
    for venue in "yz":
        world.do(Deposit("main", venue, "USD", 10_000 * USD))
        world.do(Deposit("main", venue, "BTC", 100 * BTC))
    return world


def route(world: CoreWorld, *args: Any, **changes: Any) -> str:
    """The venue that gets it; "" when none does."""
    world.submit(*args, instrument=":BTC/USD", **changes)
    chosen = world.only(OrderRouted).instrument
    if chosen:
        assert chosen == world.only(OrderPlaced).instrument
    return chosen


class TestTheBestPrice:
    @pytest.mark.parametrize(
        ("side", "quotes", "best"),
        [
            (BUY, {X: (9_990, 10_010), Y: (9_980, 10_000), Z: (9_990, 10_005)}, Y),
            (SELL, {X: (9_990, 10_010), Y: (9_980, 10_000), Z: (9_995, 10_005)}, Z),
            (BUY, {X: (9_990, 10_000), Y: (9_990, 10_000), Z: (9_990, 10_000)}, X),
        ],
    )
    def test_of_the_touch(self, side: int, quotes: Any, best: str) -> None:
        """The lowest ask for a buy, the highest bid for a sell, the first listed of equals."""
        world = three()
        for instrument, (bid, ask) in quotes.items():
            world.quote(bid, ask, instrument)
        assert best == route(world, side, ONE)

    @pytest.mark.parametrize("side", [BUY, SELL])
    def test_net_of_the_taker_fee(self, side: int) -> None:
        """A cent better but ten basis points dearer is worse."""
        world = CoreWorld(specs=[spec(taker_fee=200_000), spec(venue="y", taker_fee=100_000)])
        world.do(Deposit("main", "y", "USD", 10_000 * USD))
        world.do(Deposit("main", "y", "BTC", BTC))
        world.quote(9_999, 10_001, X)
        world.quote(9_998, 10_002, Y)
        assert Y == route(world, side, ONE)

    def test_who_fills_more_comes_first(self) -> None:
        """A better price for a tenth of it does not help."""
        world = three()
        world.quote(9_990, 9_995, Y, size=ONE // 10)
        assert X == route(world, BUY, ONE)

    def test_an_order_that_rests_goes_where_making_is_cheapest(self) -> None:
        """Nothing of it would fill anywhere now."""
        specs = [spec(maker_fee=3), spec(venue="y", maker_fee=1), spec(venue="z", maker_fee=2)]
        world = CoreWorld(specs=specs)
        for venue in "yz":
            world.do(Deposit("main", venue, "USD", 10_000 * USD))
        assert Y == route(world, BUY, ONE, 9_900)
        (first, *_) = world.only(OrderRouted).candidates
        assert (0, 0, 0) == (first.price, first.filled, first.excluded)


class TestDepth:
    def test_the_average_over_the_levels(self) -> None:
        """Two at 100.01 and one at 100.04 cost 100.02 each, and the fee on top, rounded up."""
        world = CoreWorld(specs=[spec(taker_fee=100_000)])
        asks = ((10_001, 2 * ONE), (10_004, 2 * ONE))
        world.market(BookSnapshot(X, ((9_999, ONE),), asks, world.now))
        market = world.state.markets[X]
        assert (10_013, 3 * ONE) == net_price(market, BUY, 3 * ONE, 0)
        assert (9_989, ONE) == net_price(market, SELL, 3 * ONE, 0)

    def test_not_beyond_the_limit_price(self) -> None:
        """Levels that the order would not take do not count."""
        world = CoreWorld(specs=[spec(taker_fee=0)])
        asks = ((10_001, 2 * ONE), (10_004, 2 * ONE))
        world.market(BookSnapshot(X, (), asks, world.now))
        market = world.state.markets[X]
        assert (10_001, 2 * ONE) == net_price(market, BUY, 3 * ONE, 10_003)
        assert (0, 0) == net_price(market, BUY, 3 * ONE, 10_000)
        assert (0, 0) == net_price(market, SELL, ONE, 0)

    def test_a_book_with_a_gap_is_not_used(self) -> None:
        """Then the touch is all there is; without one nothing fills."""
        world = CoreWorld(specs=[spec(taker_fee=0)])
        world.market(BookSnapshot(X, (), ((10_500, ONE),), world.now))
        world.market(BookInvalid(X, world.now, "gap"))
        market = world.state.markets[X]
        assert (10_001, 3 * ONE) == net_price(market, BUY, 3 * ONE, 0)
        assert (9_999, 10 * ONE) == net_price(market, SELL, 30 * ONE, 0)
        assert (0, 0) == net_price(market, BUY, ONE, 10_000)
        world.quote(9_999, 0, X)
        assert (0, 0) == net_price(market, BUY, ONE, 0)


class TestCandidates:
    def test_a_venue_that_the_gate_excludes(self) -> None:
        """Unhealthy, stale or without funds: the decision shows why it was not chosen."""
        world = three()
        world.quote(9_990, 9_991, Y)
        world.market(VenueStatus("y", healthy=False, ts=world.now))
        world.state.balance(world.portfolio, "z", "USD").total = 0
        world.core.submit(world.now, world.request(BUY, ONE, instrument=":BTC/USD"))
        routed = world.core.take()[0]
        assert isinstance(routed, OrderRouted)
        excluded = [Reason(candidate.excluded) for candidate in routed.candidates]
        assert [Reason.NONE, Reason.VENUE_UNHEALTHY, Reason.INSUFFICIENT_BALANCE] == excluded
        assert X == routed.instrument

    def test_no_venue_can_take_it(self) -> None:
        """Refused with what each venue lacks."""
        world = three()
        for venue in "xyz":
            world.market(VenueStatus(venue, healthy=False, ts=world.now))
        assert "" == route(world, BUY, ONE)
        refused = world.only(OrderRefused)
        assert Reason.NO_ROUTE == refused.reason
        assert "z:BTC/USD venue_unhealthy" in refused.text

    def test_asking_leaves_no_trace(self) -> None:
        """A refused order changes nothing but the numbers; see the digest in `CoreWorld.step`."""
        world = three()
        route(world, BUY, 10**7)
        assert Reason.NO_ROUTE == world.why()
        assert 0 == world.portfolio.open_orders

    @pytest.mark.parametrize("kind", [STOP, TAKE_PROFIT])
    def test_a_stop_is_judged_as_one_that_waits(self, kind: int) -> None:
        """Neither stale quotes nor missing funds matter before it fires."""
        world = three()
        world.wait(60 * 10**9)
        assert X == route(world, SELL, 1_000 * ONE, kind=kind, trigger_price=9_500)
        assert world.only(OrderPlaced).held

    def test_limits_of_a_venue_count(self) -> None:
        """The gate that judges the candidates is the one gate."""
        world = three()
        world.quote(9_990, 9_991, Y)
        world.core.risk.on_limits_set(loose(scope=3, key="y", open_orders_max=0))
        request = world.request(BUY, ONE, instrument=":BTC/USD")
        candidates = world.core.router.candidates(world.state, request, world.now)
        assert [0, Reason.MAX_OPEN_ORDERS, 0] == [one.excluded for one in candidates]
        assert [] == world.core.router.candidates(
            world.state, world.request(instrument=":NONE"), world.now
        )
