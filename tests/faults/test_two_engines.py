"""Two engines on one store: the second is refused while the first lives, or takes it over."""

from collections.abc import Iterator

import pytest
from fault_world import EngineTrader, assert_sound
from store_world import expire_lease, query

from zvt_trading.adapters.store import postgres_store
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.errors import EngineError
from zvt_trading.ports.store import FencedError, LeaseTakenError

pytest_plugins = ("store_fixtures",)


@pytest.fixture
def first(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineTrader]:
    """An engine that has the store; a second one does not wait two seconds for its lock."""
    monkeypatch.setattr(postgres_store, "LOCK_TRIES", 1)
    trader = EngineTrader(store_url)
    assert trader.buy().success
    yield trader
    trader.engine.close()


def entries(url: str) -> list[tuple[int, int]]:
    """(epoch, how many entries) of each engine that has written."""
    counted = "SELECT epoch, count(*) FROM event_journal GROUP BY epoch ORDER BY epoch"
    return [(row[0], row[1]) for row in query(url, counted)]


def test_a_second_one_is_refused_while_the_first_lives(store_url: str, first: EngineTrader) -> None:
    """It is told who has the store, writes nothing, and the first trades on."""
    before = entries(store_url)
    with pytest.raises(LeaseTakenError, match=r"one engine a store\. Stop it, or give this one"):
        CryptoTradingEngine(db_url=store_url)
    assert before == entries(store_url)
    assert first.buy().success
    accepted = first.at_venue().accepted
    assert_sound_after(first, store_url, accepted)


def assert_sound_after(trader: EngineTrader, url: str, accepted: list[str]) -> None:
    """It is closed in order, and everything is there."""
    believed = trader.close()
    assert_sound(url, accepted, believed)


def test_the_next_one_need_not_wait_for_one_that_was_closed(
    store_url: str, first: EngineTrader
) -> None:
    """Its lease was given back; the epoch is a new one."""
    first.close()
    second = EngineTrader(store_url)
    assert second.buy().success
    second.close()
    assert [1, 2] == [epoch for epoch, _ in entries(store_url)]


def test_one_that_was_silent_for_too_long_is_taken_over_and_stops(
    store_url: str, first: EngineTrader
) -> None:
    """With the first thing that it wants to write: nothing of that is written, or sent, ever."""
    accepted = first.at_venue().accepted
    expire_lease(store_url)
    second = EngineTrader(store_url)
    taken = entries(store_url)
    with pytest.raises(FencedError, match=r"was taken over by .* this engine must stop"):
        first.buy()
    with pytest.raises(EngineError, match="this engine must stop"):
        first.buy()
    assert taken == entries(store_url)
    assert accepted == first.at_venue().accepted
    assert second.buy().success
    first.engine.close()
    assert taken[0] == entries(store_url)[0]
    assert second.buy().success, "what the first one did when it closed is no matter of the store"
    assert_sound_after(second, store_url, [*accepted, *second.at_venue().accepted])
