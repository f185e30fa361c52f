"""Where drawdown, daily loss and returns are measured from."""

from core_world import MILLION, CoreWorld

from zvt_trading.core.equity_marks import sample_equity, shift_marks
from zvt_trading.core.units import DAY
from zvt_trading.messages.events import EquitySampled


def test_a_sample_is_what_it_is_told() -> None:
    """And the equity of the moment."""
    world = CoreWorld(btc=0)
    sample_equity(world.core.recorder, world.portfolio, 7, 5, 3)
    world.step()
    event = world.only(EquitySampled)
    assert (MILLION, 7, 5, 3) == (event.equity, event.peak, event.day_start, event.day)


def test_a_shift_moves_both_marks() -> None:
    """Together with value that a first price brought."""
    world = CoreWorld(btc=0)
    world.portfolio.equity_shift = 10
    shift_marks(world.core.recorder, world.portfolio, 5)
    world.step()
    event = world.only(EquitySampled)
    assert (MILLION + 15, MILLION + 15, 0) == (
        event.peak,
        event.day_start,
        world.portfolio.equity_shift,
    )


def test_no_shift_is_no_event() -> None:
    world = CoreWorld()
    shift_marks(world.core.recorder, world.portfolio, 0)
    assert [] == world.step()


def test_the_first_one_begins_the_day() -> None:
    """Later ones stay in the day that the clock has begun."""
    world = CoreWorld(usd=0, btc=0)
    for change in (3, 4):
        shift_marks(world.core.recorder, world.portfolio, change)
        world.step()
        assert world.now // DAY == world.only(EquitySampled).day
