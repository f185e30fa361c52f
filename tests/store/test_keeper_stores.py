"""The keeper on real stores that fail: nothing is lost or doubled, no lease is given away."""

from collections.abc import Callable, Iterator

import pytest
from fake_store import PATIENCE, until
from keeper_world import Clock
from store_world import (
    Opened,
    cut_connections,
    digest_of,
    expire_lease,
    projected,
    query,
    read_all,
    replayed,
    simulated,
)

from zvt_trading.adapters.store import postgres_store
from zvt_trading.adapters.store.opening import open_store
from zvt_trading.adapters.store.sqlite_store import SqliteStore
from zvt_trading.messages.events import Event
from zvt_trading.ports.store import FencedError, LeaseTakenError, Store
from zvt_trading.runtime.keeper import RENEW_SECONDS, Keeper
from zvt_trading.runtime.recovery import recover

pytest_plugins = ("store_fixtures",)

EVENTS = simulated(5)

Keepers = Callable[[Store, Clock], Keeper]


@pytest.fixture
def keepers() -> Iterator[Keepers]:
    """Starts keepers on what a store holds, and closes them in the end."""
    made: list[Keeper] = []

    def make(store: Store, clock: Clock) -> Keeper:
        recovered = recover(store, f"box:{len(made)}")
        keeper = Keeper(
            store, recovered, clock, commit_seconds=PATIENCE, retry_ms=1, snapshot_every=100
        )
        keeper.start()
        made.append(keeper)
        return keeper

    yield make
    for keeper in made:
        keeper.close()


def assert_everything_is_there(url: str, events: tuple[Event, ...]) -> None:
    """Journal, tables and snapshot of the last event; nobody has the lease."""
    store = open_store(url)
    rows = read_all(store)
    newest = store.snapshots()[0]
    recovered = recover(store, "proof:1")
    store.close()
    assert digest_of(replayed(events)) == digest_of(recovered.core)
    assert projected(events).rows == rows
    assert (len(events), len(events)) == (newest, recovered.chain.seq)


def test_a_life_without_trouble(store_url: str, keepers: Keepers) -> None:
    """Groups of five; then the store is given back."""
    keeper = keepers(open_store(store_url), Clock())
    for at in range(0, len(EVENTS), 5):
        assert keeper.commit(list(EVENTS[at : at + 5]))
    keeper.close()
    assert [("",)] == query(store_url, "SELECT owner FROM engine_lease")
    assert_everything_is_there(store_url, EVENTS)


def test_a_server_that_cuts_the_connection(pg_url: str, keepers: Keepers) -> None:
    """Again and again, while groups are committed and tables written."""
    keeper = keepers(open_store(pg_url), Clock())
    for at in range(0, len(EVENTS), 5):
        if at % 50 == 0:
            cut_connections(pg_url)
        keeper.commit(list(EVENTS[at : at + 5]))
    until(keeper.is_up)
    assert 0 == keeper.waiting()
    keeper.close()
    assert "" == keeper.tables_problem()
    assert_everything_is_there(pg_url, EVENTS)


def test_a_connection_that_is_cut_while_nothing_happens(
    pg_url: str, keepers: Keepers, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keeper connects anew by itself: nobody else may have the store meanwhile."""
    clock = Clock()
    keeper = keepers(open_store(pg_url), clock)
    assert keeper.commit(list(EVENTS[:5]))
    cut_connections(pg_url)
    clock.now = RENEW_SECONDS
    keeper.commit(list(EVENTS[5:10]))
    until(keeper.is_up)
    monkeypatch.setattr(postgres_store, "LOCK_TRIES", 1)
    with pytest.raises(LeaseTakenError, match="box:0"):
        opened(pg_url).acquire("thief:1")
    assert keeper.commit(list(EVENTS[10:]))
    keeper.close()
    assert_everything_is_there(pg_url, EVENTS)


def test_a_disk_that_is_full_for_a_while(sqlite_url: str, keepers: Keepers) -> None:
    """What waited is kept when there is room, before what comes then."""
    store = open_store(sqlite_url)
    assert isinstance(store, SqliteStore)
    connections = []
    real = store._connect

    def small(*arguments: object, **options: object) -> object:
        connection = real(*arguments, **options)
        connections.append(connection)
        if len(connections) < 3:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    store._connect = small  # type: ignore[assignment]  # the same, with a small disk
    store.reopen()
    keeper = keepers(store, Clock())
    kept = [keeper.commit(list(EVENTS[at : at + 50])) for at in range(0, len(EVENTS), 50)]
    assert not all(kept)
    until(keeper.is_up)
    keeper.close()
    assert 3 == len(connections)
    assert_everything_is_there(sqlite_url, EVENTS)


def test_an_engine_that_was_taken_over_stops(
    store_url: str, keepers: Keepers, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the first thing it does."""
    monkeypatch.setattr(postgres_store, "LOCK_TRIES", 1)
    keeper = keepers(open_store(store_url), Clock())
    assert keeper.commit(list(EVENTS[:5]))
    expire_lease(store_url)
    other = opened(store_url)
    heir = recover(other, "heir:2")
    other.append(heir.chain.entries(list(EVENTS[5:6])), None)
    with pytest.raises(FencedError, match="this engine must stop"):
        keeper.commit(list(EVENTS[5:10]))
    assert not keeper.is_up()
    assert 6 == len(list(other.entries(0)))
