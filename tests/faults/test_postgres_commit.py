"""A connection that is lost AT a commit: what became of it is found out, never guessed."""

from collections.abc import Callable, Iterator
from threading import Event

import pytest
from fake_store import PATIENCE, until
from fault_world import EngineTrader, assert_goes_on, assert_nothing_is_lost
from postgres_cluster import Served
from store_world import query
from wire_proxy import COMMIT, COPY_DONE, Cut, Proxy

pytest_plugins = ("fault_fixtures",)


@pytest.fixture
def proxy(served: Served) -> Iterator[Proxy]:
    """The wire to the server."""
    with Proxy(served.cluster.port) as proxy:
        yield proxy


@pytest.fixture
def trader(served: Served, proxy: Proxy, impatient: None) -> Iterator[EngineTrader]:  # noqa: ARG001 - it is a setting
    """An engine at its end of it, with nothing left to be written."""
    trader = EngineTrader(served.cluster.url(served.database, proxy.port))
    assert trader.buy().success
    until(served.is_all_written)
    yield trader
    trader.engine.close()


@pytest.fixture
def reconnects(trader: EngineTrader) -> Event:
    """Until it is set the engine does not connect anew, so that one can look before it has."""
    store = trader.keeper.store
    may = Event()
    _before(store, "reopen", lambda: may.wait(PATIENCE))
    return may


def _before(store: object, method: str, work: Callable[[], object]) -> None:
    """Something happens each time before a store does something."""
    real = getattr(store, method)

    def worked(*arguments: object) -> object:
        work()
        return real(*arguments)

    setattr(store, method, worked)


def let_through_late(served: Served, proxy: Proxy, trader: EngineTrader) -> None:
    """What was held back reaches the server when the engine has looked, and before it repeats it.

    The lost connection's process has done what it does about it by then, and has ended.
    """

    def late() -> None:
        if proxy.was_cut.is_set():
            proxy.let_late_through()
            until(lambda: len(served.engines()) <= 1)

    _before(trader.keeper.store, "append", late)


def times_placed(served: Served, order_id: str) -> int:
    """How often the journal has an order's intent."""
    statement = (
        "SELECT count(*) FROM event_journal WHERE kind = 'OrderPlaced' "  # noqa: S608 - an id of ours
        f"AND body::text LIKE '%{order_id}%'"
    )
    return int(query(served.url, statement)[0][0])


@pytest.mark.parametrize(("cut", "is_committed"), [(Cut.BEFORE, False), (Cut.AFTER, True)])
def test_an_orders_intent(
    served: Served,
    proxy: Proxy,
    trader: EngineTrader,
    reconnects: Event,
    cut: Cut,
    is_committed: bool,
) -> None:
    """Committed or not, the engine was not told: it is not sent, and its intent is there once."""
    before = served.last_entry()
    proxy.cut_next(cut, COPY_DONE)
    result = trader.buy()
    assert proxy.was_cut.is_set()
    assert (False, "not_sent") == (result.success, result.reason)
    assert "check that the server runs and can be reached" in result.message
    assert is_committed == (served.last_entry() > before)
    assert int(is_committed) == times_placed(served, result.order_id)
    reconnects.set()
    assert_goes_on(trader)
    assert result.order_id not in trader.at_venue().accepted
    assert 1 == times_placed(served, result.order_id)
    assert_nothing_is_lost(trader, served.url)


def test_an_intent_that_is_committed_after_one_has_looked(
    served: Served, proxy: Proxy, trader: EngineTrader
) -> None:
    """The server still gets what was sent on the lost connection: that must not happen so late."""
    let_through_late(served, proxy, trader)
    proxy.cut_next(Cut.LATE, COPY_DONE)
    result = trader.buy()
    assert not result.success
    assert_goes_on(trader)
    assert 1 == times_placed(served, result.order_id)
    assert_nothing_is_lost(trader, served.url)


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER, Cut.LATE])
def test_rows_of_the_tables(served: Served, proxy: Proxy, trader: EngineTrader, cut: Cut) -> None:
    """Trades and ledger entries are inserted: they are there once, whatever became of the first."""
    let_through_late(served, proxy, trader)
    found_out = Event()
    _before(trader.keeper.store, "reopen", found_out.set)
    proxy.cut_next(cut, COMMIT)
    assert trader.buy().success
    assert found_out.wait(PATIENCE)
    until(lambda: not trader.keeper._needs_reopen)
    assert trader.buy().success, "an outage that nobody noticed has no consequences"
    assert_nothing_is_lost(trader, served.url)
    assert "" == trader.keeper.tables_problem()
