"""Stops held by the simulated venue: what triggers them, and what becomes of them."""

from typing import Any

import pytest
from venue_world import PERP_ID, USDT, World, names, ready

from zvt_trading.messages.codes import (
    BUY,
    GTD,
    SELL,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRIGGER_LAST,
    TRIGGER_MARK,
)
from zvt_trading.messages.market import MarkPrice
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import VenueCancelled, VenueExpired

STOPS = [
    ("stop buy", STOP, BUY, 10_100, (10_080, 10_090), (10_090, 10_100)),
    ("stop sell", STOP, SELL, 9_900, (9_910, 9_930), (9_900, 9_930)),
    ("take profit buy", TAKE_PROFIT, BUY, 9_900, (9_890, 9_910), (9_890, 9_900)),
    ("take profit sell", TAKE_PROFIT, SELL, 10_100, (10_090, 10_110), (10_100, 10_110)),
]


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "before", "at"), [row[1:] for row in STOPS],
    ids=[row[0] for row in STOPS],
)  # fmt: skip
def test_a_stop_held_by_the_venue_waits_for_its_quote(
    kind: int, side: int, trigger: int, before: tuple[int, int], at: tuple[int, int]
) -> None:
    """Buys watch the ask, sells the bid; then it is a market order."""
    world = ready()
    reports = world.order(side, 100, order_type=kind, instrument=PERP_ID, trigger_price=trigger)
    assert ["VenueAccepted"] == names(reports)
    assert [] == world.quote(*before, instrument=PERP_ID)
    assert ["Fill"] == names(world.quote(*at, instrument=PERP_ID))
    assert world.exchange.open_orders() == []


def test_stops_by_last_and_by_mark() -> None:
    """The trade price and the mark price trigger their own stops only."""
    world = ready()
    world.exchange.on_market(9, MarkPrice(PERP_ID, 10_000, 9))
    stop: dict[str, Any] = {"order_type": STOP, "instrument": PERP_ID, "trigger_price": 10_100}
    world.order(BUY, 100, **stop, trigger_by=TRIGGER_LAST)
    world.order(BUY, 100, **stop, trigger_by=TRIGGER_MARK)
    assert [] == world.quote(10_090, 10_110, instrument=PERP_ID)
    assert ["o1"] == [r.order_id for r in world.trade(10_100, 10, PERP_ID)]
    reports = world.exchange.on_market(world.now, MarkPrice(PERP_ID, 10_100, world.now))
    assert ["o2"] == [r.order_id for r in reports]


def test_a_stop_limit_rests_when_triggered_and_can_be_taken_back() -> None:
    """Waiting it locks nothing; triggered it is an ordinary limit order; both can be cancelled."""
    world = ready()
    limit: dict[str, Any] = {"order_type": STOP_LIMIT, "instrument": PERP_ID}
    limit["trigger_price"] = 10_100
    world.order(BUY, 100, 10_050, **limit)
    world.order(BUY, 100, 10_050, **limit)
    assert 0 == world.locked()
    assert ["VenueAmended"] == names(world.exchange.amend(9, "o1", 10_040, 200))
    assert [VenueCancelled("o2", Reason.USER, 9, 0)] == world.exchange.cancel(9, "o2")
    world.quote(10_090, 10_110, instrument=PERP_ID)
    assert 20 * USDT + 8 * USDT // 100 == world.locked()
    assert [VenueCancelled("o1", Reason.USER, 9, 0)] == world.exchange.cancel(9, "o1")


def test_a_stop_that_cannot_be_paid_when_triggered_is_cancelled() -> None:
    """It was accepted, so it cannot be rejected any more."""
    world = ready()
    world.order(BUY, 50_000, order_type=STOP, instrument=PERP_ID, trigger_price=10_100)
    (report,) = world.quote(10_090, 10_110, instrument=PERP_ID)
    assert VenueCancelled("o1", Reason.VENUE_BALANCE, world.now, 0) == report


def test_a_stop_triggered_into_an_empty_market_is_cancelled() -> None:
    """Mark triggers without anybody quoting."""
    world = World()
    world.fund(usdt=100)
    world.order(
        BUY, 100, order_type=STOP, instrument=PERP_ID, trigger_price=10_100, trigger_by=TRIGGER_MARK
    )
    (report,) = world.exchange.on_market(9, MarkPrice(PERP_ID, 10_100, 9))
    assert VenueCancelled("o1", Reason.VENUE_NO_LIQUIDITY, 9, 0) == report


def test_a_waiting_stop_can_expire() -> None:
    """A take-profit with a date that never triggered."""
    world = ready()
    world.order(
        SELL, 100, 10_200, order_type=TAKE_PROFIT_LIMIT, instrument=PERP_ID, trigger_price=10_200,
        tif=GTD, expire_ts=5_000,
    )  # fmt: skip
    assert [VenueExpired("o1", 5_000, 0)] == world.exchange.on_time(5_000)
    assert [] == world.quote(10_300, 10_310, instrument=PERP_ID)
