"""A world: feed, clock, venues and strategies in step."""

from engine_world import START, ListFeed, quote, second_quotes, world_of
from zvt_trading.core.units import SECOND
from zvt_trading.messages.market import FundingRate, MarketData
from zvt_trading.runtime.world import PROGRESS_EVERY, World
from zvt_trading.strategies import Strategy


def test_messages_are_seen_by_venue_core_and_observers_in_time_order() -> None:
    """The clock stands at the last of them."""
    world = world_of(quote("alpha:BTC/USDT", "1", "2", after=1))
    seen: list[MarketData] = []
    world.observers.append(seen.append)
    assert world.run_until(START + 2 * SECOND)
    assert [START] * 3 + [START + SECOND] == [message.ts for message in seen]
    assert START + 2 * SECOND == world.simulation.now
    assert 4 == world.messages


def test_looking_at_the_next_message_does_not_take_it() -> None:
    """Until the feed ends."""
    world = world_of()
    first = world.peek()
    assert first is world.peek()
    while world.step():
        pass
    assert None is world.peek()
    assert not world.run_until(START + 10_000 * SECOND)


def test_warming_up_ends_when_everything_has_a_price() -> None:
    """Or the feed."""
    world = world_of()
    world.warm_up()
    assert 3 == world.messages
    empty = World(world_of().simulation, ListFeed([]))
    empty.warm_up()
    assert 0 == empty.messages


def test_a_run_reports_its_progress_and_goes_to_the_end() -> None:
    """Every so many messages, and when it is done."""
    world = world_of(*second_quotes(PROGRESS_EVERY))
    told: list[tuple[int, int]] = []
    world.run(lambda done, total: told.append((done, total)))
    total = PROGRESS_EVERY + 4
    assert [(PROGRESS_EVERY, total), (total, total)] == told
    world_of().run()


def test_a_strategy_is_not_bothered_with_what_it_has_no_callback_for() -> None:
    """Funding rates are booked when the venue pays them."""
    world = world_of(FundingRate("alpha:BTC/USDT:USDT", 1, 6_000_000, START + SECOND))
    runner = world.add_strategy(Strategy(), "s", "default")
    world.run_until(START + 2 * SECOND)
    assert runner.running


def test_a_world_without_history() -> None:
    """For benchmarks: nothing is remembered."""
    world = world_of()
    lean = World(world.simulation, ListFeed([]), keep_history=False)
    assert lean.history not in lean.simulation.subscribers
