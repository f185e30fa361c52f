"""History: what reports show, within a bound."""

from decimal import Decimal

from engine_world import BTC, engine_of, limit, order, quote, world_of
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.messages.commands import LimitSet
from zvt_trading.runtime.history import History
from zvt_trading.types import OrderStatus

NO_PACE = LimitSet(
    scope=0,
    orders_per_second_max=1_000,
    duplicate_window_ms=0,
    repeated_executions_max=1_000,
)


def small(engine: CryptoTradingEngine, orders: int, samples: int = 100) -> History:
    """A second history with a small bound."""
    history = History(engine.world.simulation.core.state, orders, samples)
    engine.subscribe(history)
    engine.set_limits(NO_PACE)
    return history


def test_orders_are_shown_as_they_stand() -> None:
    """Filled, open, cancelled, refused, in the order they came."""
    engine = engine_of()
    history = engine.world.history
    engine.place_order(order("buy", "0.1"))
    engine.place_order(limit("buy", "0.1", "59000"))
    gone = engine.place_order(limit("buy", "0.2", "59000"))
    engine.place_order(order("buy", "0.00001"))
    engine.cancel_order(gone.order_id)
    expected = ["filled", "accepted", "cancelled", "rejected"]
    assert expected == [info.status.value for info in history.orders()]
    assert {"quantity_lot": 1} == dict(history.refusals)
    assert 1 == len(history.fills)


def test_a_refused_order_that_was_to_be_routed_is_shown_without_a_venue() -> None:
    """No venue was chosen."""
    engine = engine_of()
    engine.place_order(order("sell", "1.5", exchange=None))
    (info,) = engine.world.history.orders()
    assert ("", BTC, "no_route") == (info.exchange, info.symbol, info.reason)
    assert Decimal("1.5") == info.quantity


def test_only_the_latest_are_kept() -> None:
    """Orders and fills alike."""
    engine = engine_of()
    history = small(engine, orders=3)
    ids = [engine.place_order(order("buy", "0.001")).order_id for _ in range(5)]
    assert ids[2:] == [info.order_id for info in history.orders()]
    assert ids[2:] == [fill.order_id for fill in history.fills]


def test_orders_that_the_core_forgot_are_remembered_as_they_ended() -> None:
    """10,000 closed orders are all that the core keeps."""
    engine = engine_of()
    history = small(engine, orders=20_000)
    engine.world.simulation.subscribers[:] = [history]
    first = engine.place_order(order("buy", "0.001")).order_id
    state = engine.world.simulation.core.state
    del state.orders[first]
    (info,) = history.orders()
    assert (first, OrderStatus.FILLED) == (info.order_id, info.status)


def test_an_open_order_that_nobody_knows_any_more_is_left_out() -> None:
    """It cannot be shown as it stands."""
    engine = engine_of()
    placed = engine.place_order(limit("buy", "0.1", "59000"))
    history = engine.world.history
    del engine.world.simulation.core.state.orders[placed.order_id]
    assert () == history.orders()


def test_samples_are_thinned_out_evenly() -> None:
    """Twice the bound: every other one is kept; the last one always."""
    engine = engine_of()
    history = small(engine, orders=10, samples=4)
    for ts in range(10):
        history.sample(ts, ["default"])
    history.sample(10, ["default"], last=True)
    times = [point.ts for point in history.equity]
    assert [0, 4, 8, 10] == times
    assert 3 * len(times) == len(history.prices)  # three instruments


def test_an_instrument_without_prices_has_no_price_point() -> None:
    """Before the first quotes."""
    world = world_of()
    world.history.sample(1, ["default"])
    assert [] == world.history.prices
    assert 1 == len(world.history.equity)


def test_a_run_samples_once_a_second_and_at_its_end() -> None:
    """Equity of the portfolio and the mids."""
    engine = engine_of(quote("alpha:BTC/USDT", "59999", "60001", after=1.5))
    engine.advance(3)
    engine.close()
    assert len(engine.world.history.equity) >= 3
    assert Decimal(60000) == engine.world.history.prices[-3].price
