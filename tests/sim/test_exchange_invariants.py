"""Whatever is done to a simulated venue, its books balance to the last unit."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from venue_world import ME, PERP_ID, SPOT_ID, USDT, World

from zvt_trading.core.fees import QUOTE, RECEIVED, FeeSchedule
from zvt_trading.messages.codes import BUY, CROSS, FOK, GTC, IOC, ISOLATED, SELL
from zvt_trading.messages.market import FundingRate, MarkPrice
from zvt_trading.messages.reports import Fill, VenueAccepted, VenueCancelled, VenueRejected

ACCOUNTS = (ME, "other")

STEP = st.tuples(
    st.integers(0, 9),
    st.integers(0, 1),
    st.sampled_from((SPOT_ID, PERP_ID)),
    st.sampled_from((BUY, SELL)),
    st.integers(1, 40),
    st.integers(-30, 30),
)
Step = tuple[int, int, str, int, int, int]


def apply(world: World, step: Step, mids: dict[str, int]) -> list[Any]:
    """One thing happens: the market moves, an order, a cancel, an amend, funding, a transfer."""
    what, who, instrument, side, size, move = step
    mid = mids[instrument]
    exchange = world.exchange
    if what == 0:
        mid = mids[instrument] = max(2_000, mid + 100 * move)
        return world.quote(mid - 10, mid + 10, size=size * 10, instrument=instrument)
    if what == 1:
        return world.trade(mid + 10 * move, size * 10, instrument)
    if what == 2:
        mids[instrument] = mid = max(2_000, mid + 200 * move)
        return world.market(MarkPrice(PERP_ID, mid, world.now))
    if what == 3:
        return world.market(FundingRate(PERP_ID, move * 1_000, mid, world.now))
    if what == 4 and exchange.open_orders():
        order = exchange.open_orders()[size % len(exchange.open_orders())]
        if move % 2:
            return list(exchange.cancel(world.now, order.id))
        price = max(100, order.price + 10 * move)
        return list(exchange.amend(world.now, order.id, price, 0))
    if what == 5:
        exchange.debit(ACCOUNTS[who], "USDT", size * USDT)
        return []
    price = 0 if what == 6 else max(100, mid + 10 * move)
    tif = (GTC, GTC, IOC, FOK)[size % 4]
    return world.order(
        side, size * 10, price, instrument=instrument, account=ACCOUNTS[who], tif=tif,
        reduce_only=what == 9,
    )  # fmt: skip


@given(
    steps=st.lists(STEP, max_size=60),
    rule=st.sampled_from((QUOTE, RECEIVED)),
    leverage=st.integers(1, 20),
    mode=st.sampled_from((CROSS, ISOLATED)),
)
def test_nothing_comes_from_nowhere(steps: list[Step], rule: int, leverage: int, mode: int) -> None:
    """After every step the books balance per asset; locks and margins are those of the orders.

    accounts = credits + market - fees - funding + insurance, to the last unit.
    """
    world = World(schedule=FeeSchedule(100_000, 200_000, rule))
    for account in ACCOUNTS:
        world.exchange.credit(account, "USDT", 100 * USDT)
        world.exchange.credit(account, "BTC", USDT)
        world.exchange.set_leverage(account, PERP_ID, leverage, mode)
    mids = {SPOT_ID: 10_000, PERP_ID: 10_000}
    reports: list[Any] = []
    for step in steps:
        reports.extend(apply(world, step, mids))
        assert world.exchange.problems() == []
        for balance in world.exchange.account(ME).balances.values():
            # A fee is rounded up fill by fill, so a spent-out balance may lack a unit each.
            assert balance.total >= -len(steps)
    check_story(reports, world)


def check_story(reports: list[Any], world: World) -> None:
    """Accepted once, before its fills; nothing after its end; fills add up to the venue's total."""
    accepted: dict[str, int] = {}
    ended: set[str] = set()
    trades: set[tuple[str, str]] = set()
    for report in reports:
        if isinstance(report, VenueAccepted):
            assert report.order_id not in accepted
            accepted[report.order_id] = 0
        elif isinstance(report, VenueRejected):
            assert report.order_id not in accepted
        elif isinstance(report, Fill):
            assert report.order_id not in ended
            accepted[report.order_id] += report.quantity
            order = world.exchange.order(report.order_id)
            assert order is not None
            trade = (order.seat.instrument.id, report.trade_id)
            assert trade not in trades
            trades.add(trade)
        elif isinstance(report, VenueCancelled):
            assert report.filled == accepted[report.order_id]
            ended.add(report.order_id)
    for order_id, filled in accepted.items():
        order = world.exchange.order(order_id)
        assert order is not None
        assert filled == order.filled <= order.quantity
