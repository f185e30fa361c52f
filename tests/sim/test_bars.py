"""Feeds of nothing finer than candles: the close is the touch, the range reaches resting orders."""

from venue_world import ME, SPOT_ID, World

from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import Bar, BookInvalid, BookSnapshot
from zvt_trading.messages.reports import Fill
from zvt_trading.sim.fills import MatchedMarket
from zvt_trading.sim.matcher import Matcher


def bar(low: int, high: int, close: int, volume: int = 1_000) -> Bar:
    """A candle of the spot instrument."""
    return Bar(SPOT_ID, close, high, low, close, volume, 1, 2_000)


def funded() -> World:
    """A world with money and coins, and no quotes."""
    world = World()
    world.fund(usdt=100_000, btc=10)
    return world


def fills(world: World, message: Bar) -> list[tuple[int, int]]:
    """(price, quantity) of what a candle filled."""
    reports = world.exchange.on_market(message.ts, message)
    return [(r.price, r.quantity) for r in reports if isinstance(r, Fill)]


def test_market_orders_trade_at_the_close_and_one_tick_above() -> None:
    """A buy pays the tick, a sell gets the close, each up to the candle's volume."""
    world = funded()
    world.exchange.on_market(2_000, bar(9_900, 10_100, 10_000))
    bought = world.exchange.submit(2_001, "a", ME, SPOT_ID, BUY, 0, 0, 500)
    sold = world.exchange.submit(2_002, "b", ME, SPOT_ID, SELL, 0, 0, 500)
    assert [10_001] == [r.price for r in bought if isinstance(r, Fill)]
    assert [10_000] == [r.price for r in sold if isinstance(r, Fill)]


def test_a_range_through_the_price_fills_resting_orders() -> None:
    """A buy above the low and a sell below the high fill at their own prices."""
    world = funded()
    world.exchange.on_market(2_000, bar(10_000, 10_000, 10_000))
    world.exchange.submit(2_001, "buy", ME, SPOT_ID, BUY, 1, 9_950, 500)
    world.exchange.submit(2_002, "sell", ME, SPOT_ID, SELL, 1, 10_050, 500)
    assert [] == fills(world, bar(9_960, 10_040, 10_000))
    assert [(9_950, 500), (10_050, 500)] == fills(world, bar(9_940, 10_060, 10_000))


def test_finer_data_win() -> None:
    """Once there is a book, or a generated market, candles move nothing."""
    world = funded()
    snapshot = BookSnapshot(SPOT_ID, ((9_990, 500),), ((10_010, 500),), 2_000, 1)
    world.exchange.on_market(2_000, snapshot)
    world.exchange.on_market(2_001, bar(9_000, 11_000, 9_500))
    reports = world.exchange.submit(2_002, "a", ME, SPOT_ID, BUY, 0, 0, 500)
    assert [10_010] == [r.price for r in reports if isinstance(r, Fill)]
    market = MatchedMarket(Matcher())
    market.on_bar(bar(9_000, 11_000, 9_500))
    assert 0 == market.best_bid()


def test_an_invalid_book_is_not_traded_on() -> None:
    """After BookInvalid nothing is displayed until the next snapshot."""
    world = funded()
    snapshot = BookSnapshot(SPOT_ID, ((9_990, 500),), ((10_010, 500),), 2_000, 1)
    world.exchange.on_market(2_000, snapshot)
    world.exchange.on_market(2_001, BookInvalid(SPOT_ID, 2_001, "gap"))
    reports = world.exchange.submit(2_002, "a", ME, SPOT_ID, BUY, 0, 0, 500)
    assert [] == [r for r in reports if isinstance(r, Fill)]
