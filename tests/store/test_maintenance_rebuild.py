"""Tables made anew from the journal: all at once, after a death at any point, and at a start."""

from collections.abc import Callable
from typing import Any

import pytest
import structlog
from maintenance_world import OWNER, DeathError, Dying, behind, live, lived, rows
from store_world import digest_of, projected, query, replayed, said, simulated

from zvt_trading.adapters.store.opening import open_store
from zvt_trading.ports.store import (
    Changes,
    DamagedJournalError,
    EntryRow,
    LeaseTakenError,
    Store,
    StoreError,
    TablesRefusedError,
)
from zvt_trading.ports.tables import COLUMNS
from zvt_trading.runtime import recovery
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.maintenance import rebuild as rebuild_module
from zvt_trading.runtime.maintenance.rebuild import Rebuilt, fill_tables, rebuild
from zvt_trading.runtime.maintenance.verify import verify
from zvt_trading.runtime.recovery import recover

pytest_plugins = ("store_fixtures",)

SLICE = 60


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a short journal has several, and a living engine's lock is asked for once."""
    monkeypatch.setattr(rebuild_module, "SLICE", SLICE)
    monkeypatch.setattr("zvt_trading.adapters.store.postgres_store.LOCK_TRIES", 1)


def rebuilt(url: str, store: Any = None) -> Rebuilt:
    """The tables of a store made anew."""
    opened = open_store(url)
    try:
        return rebuild(store if store is not None else opened, OWNER)
    finally:
        opened.close()


def problems(url: str) -> list[str]:
    """What `verify` finds."""
    store = open_store(url)
    try:
        return verify(store).problems
    finally:
        store.close()


def projected_seq(url: str) -> int:
    """How far the tables are."""
    return int(query(url, "SELECT projected_seq FROM engine_store")[0][0])


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_the_rows_are_those_from_before(store_url: str, seed: int) -> None:
    """In slices or in gaps between orders, a row is a function of the journal."""
    events = lived(store_url, seed)
    before = rows(store_url)
    done = rebuilt(store_url)
    assert Rebuilt(len(events), digest_of(replayed(events))) == done
    assert before == rows(store_url) == projected(events).rows
    assert [] == problems(store_url)


def test_scrambled_tables_are_mended(store_url: str) -> None:
    """Whatever was in them."""
    lived(store_url)
    before = rows(store_url)
    query(store_url, "DELETE FROM crypto_trade")
    query(store_url, "UPDATE crypto_portfolio SET open_orders = 9, name = 'Ann' || name")
    query(store_url, "UPDATE engine_store SET projected_seq = 3")
    assert problems(store_url)
    rebuilt(store_url)
    assert [] == problems(store_url)
    assert before == rows(store_url)


def test_an_empty_store_has_nothing_to_rebuild(store_url: str) -> None:
    """And that is no error."""
    assert 0 == rebuilt(store_url).entries


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("slices", [1, 3])
@pytest.mark.parametrize("mending", ["rebuild", "start"])
def test_it_may_die_at_any_slice(store_url: str, slices: int, mending: str, *, after: bool) -> None:
    """What is in the tables is then right as far as it goes; rebuild or a start go on from it."""
    events = lived(store_url)
    before = rows(store_url)
    store = open_store(store_url)
    with pytest.raises(DeathError):
        rebuild(Dying(store, slices, after=after), OWNER)
    store.close()
    assert (slices if after else slices - 1) * SLICE == projected_seq(store_url)
    assert [] == problems(store_url)
    if mending == "rebuild":
        rebuilt(store_url)
    else:
        started(store_url)
    assert before == rows(store_url)
    assert len(events) == projected_seq(store_url)
    assert [] == problems(store_url)


def test_the_lease_is_kept_alive_all_the_while(sqlite_url: str) -> None:
    """With every slice that is checked, and every one that is written."""
    events = lived(sqlite_url)
    store = open_store(sqlite_url)
    watched = Dying(store, 0)
    rebuild(watched, OWNER)
    store.close()
    assert 2 * -(-len(events) // SLICE) == watched.renewed


def test_a_damaged_journal_costs_no_tables(store_url: str) -> None:
    """They may be the best that is left: nothing is emptied before all of it was checked."""
    events = lived(store_url)
    before = rows(store_url)
    query(store_url, "UPDATE event_journal SET checksum = 1 WHERE seq = 300")
    with pytest.raises(DamagedJournalError, match="entry 300 "):
        rebuilt(store_url)
    assert (before, len(events)) == (rows(store_url), projected_seq(store_url))


def test_not_while_an_engine_uses_the_store(store_url: str) -> None:
    """Two would write the same tables."""
    lived(store_url)
    before = rows(store_url)
    engine = open_store(store_url)
    engine.acquire("box:2")
    with pytest.raises(LeaseTakenError, match="in use by box:2"):
        rebuilt(store_url)
    engine.release()
    engine.close()
    assert before == rows(store_url)


@pytest.mark.parametrize("what", ["start", "rebuild", "fill"])
def test_nothing_is_made_of_half_an_import(store_url: str, what: str) -> None:
    """No start, no rebuild; the message says what to do."""
    query(store_url, "UPDATE engine_store SET projected_seq = -1")
    begin: dict[str, Callable[[str], object]] = {
        "start": started,
        "rebuild": rebuilt,
        "fill": filled,
    }
    with pytest.raises(StoreError, match="run the same `zvt-trading db import` again"):
        begin[what](store_url)


def started(url: str) -> None:
    """An engine that starts and closes."""
    live(url, ())


def filled(url: str) -> None:
    """The tables brought on, as after a migration."""
    store = open_store(url)
    try:
        store.acquire(OWNER)
        fill_tables(store)
        store.release()
    finally:
        store.close()


@pytest.mark.parametrize("tables", [0, 1, 100])
def test_tables_are_brought_on_from_where_they_are(store_url: str, tables: int) -> None:
    """Also from the middle, where a projector must know what it wrote."""
    events = behind(store_url, tables=tables)
    filled(store_url)
    assert projected(events).rows == rows(store_url)
    assert [] == problems(store_url)


class TestStart:
    """A start on tables that are far behind."""

    @pytest.mark.parametrize("tables", [0, 100])
    def test_they_go_first(
        self, store_url: str, tables: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By slices, not by having everything in memory; and progress says how far."""
        monkeypatch.setattr(recovery, "BEHIND_MAX", 150)
        events = behind(store_url, tables=tables)
        reports: list[tuple[int, int]] = []
        store = open_store(store_url)
        recovered = recover(store, OWNER, lambda done, total: reports.append((done, total)))
        assert [] == recovered.behind
        assert len(events) == store.info().projected_seq
        assert digest_of(replayed(events)) == digest_of(recovered.core)
        store.close()
        total = 2 * (len(events) - tables)
        assert reports == sorted(reports)
        assert (total, total) == reports[-1]
        assert projected(events).rows == rows(store_url)

    def test_a_little_is_left_for_the_gaps_between_orders(self, sqlite_url: str) -> None:
        """Nobody should wait for it."""
        events = behind(sqlite_url, tables=100)
        store = open_store(sqlite_url)
        recovered = recover(store, OWNER)
        assert [len(events) - 100] == [len(group) for group, _ in recovered.behind]
        assert 100 == store.info().projected_seq
        store.close()

    def test_an_engine_goes_on_from_there(
        self, store_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it adds is projected on top."""
        monkeypatch.setattr(recovery, "BEHIND_MAX", 150)
        events = behind(store_url)
        more = said(5, len(events) + 1)
        live(store_url, more)
        assert len(events) + 5 == projected_seq(store_url)
        assert [] == problems(store_url)

    def test_tables_that_cannot_be_written_stop_no_engine(
        self, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The journal goes on without them, and the reason is there to be asked for."""
        monkeypatch.setattr(recovery, "BEHIND_MAX", 150)
        events = behind(sqlite_url)
        store = Refusing(open_store(sqlite_url))
        with structlog.testing.capture_logs():
            recovered = recover(store, OWNER)  # type: ignore[arg-type]  # a store but for one method
            keeper = Keeper(store, recovered, lambda: 0.0)  # type: ignore[arg-type]  # as above
            keeper.start()
            assert keeper.commit(said(3, len(events) + 1))
            keeper.close()
        assert "no such column" == keeper.tables_problem()
        assert 0 == projected_seq(sqlite_url)
        found = query(sqlite_url, "SELECT max(seq) FROM event_journal")
        assert [(len(events) + 3,)] == found

    def test_tables_that_know_more_than_the_journal(self, pg_url: str) -> None:
        """Its end is gone: nothing may be traded on that."""
        end = len(lived(pg_url))
        query(pg_url, f"DELETE FROM event_journal WHERE seq = {end}")  # noqa: S608 - a number
        store = open_store(pg_url)
        with pytest.raises(
            DamagedJournalError, match=f"but the journal ends at {end - 1}"
        ) as error:
            recover(store, OWNER)
        store.close()
        assert end == error.value.seq


class Refusing:
    """A store whose tables take nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def append(self, new: list[EntryRow], changes: Changes | None) -> None:
        """Entries alone."""
        if changes is not None:
            raise TablesRefusedError("no such column")
        self._store.append(new, None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_simulated_journals_touch_every_table() -> None:
    """Otherwise these tests would claim more than they try."""
    touched = {
        table
        for seed in (1, 2, 5)
        for table, found in projected(simulated(seed)).rows.items()
        if found
    }
    assert set(COLUMNS) == touched
