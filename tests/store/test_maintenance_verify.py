"""What `verify` proves, and that it finds whatever is not as it was written."""

from typing import Final

import pytest
from maintenance_world import OWNER, behind, live, lived, rows
from store_world import (
    TS,
    changes_of,
    digest_of,
    entries_of,
    path_of,
    query,
    read_all,
    replayed,
    said,
    simulated,
)

from zvt_trading.adapters.store.opening import open_store
from zvt_trading.messages.events import Event, OrderCancelled
from zvt_trading.ports.store import FIRST_CHECKSUM, Changes, LeaseTakenError, Store
from zvt_trading.ports.tables import COLUMNS, KEYS
from zvt_trading.runtime.maintenance import rebuild, tables_check
from zvt_trading.runtime.maintenance import verify as verify_module
from zvt_trading.runtime.maintenance.verify import Verified, verify

pytest_plugins = ("store_fixtures",)

# What is done behind the store's back, and what is said of it; {end} is the number of entries.
DAMAGES: Final = {
    "a byte of a body": (
        "UPDATE event_journal SET body = replace(body, 'msg', 'mso') WHERE seq = 50",
        "entry 50 (",
    ),
    "a digit of a body": (
        "UPDATE event_journal SET body = replace(body, ':50,', ':51,') WHERE seq = 50",
        "entry 50 (",
    ),
    "a deleted entry": ("DELETE FROM event_journal WHERE seq = 50", "entry 50 is missing"),
    "the first entry": ("DELETE FROM event_journal WHERE seq = 1", "entry 1 is missing"),
    "a checksum": (
        "UPDATE event_journal SET checksum = 1 WHERE seq = 50",
        "entry 50 (",
    ),
    "an epoch": (
        "UPDATE event_journal SET epoch = epoch + 1 WHERE seq = 50",
        "entry 50 (",
    ),
    "a time": (
        "UPDATE event_journal SET ts = ts + 1 WHERE seq = 50",
        "entry 50 says it is",
    ),
    "a kind": (
        "UPDATE event_journal SET kind = 'OrderFilled' WHERE seq = 50",
        "entry 50 says it is OrderFilled",
    ),
    "the end": ("DELETE FROM event_journal WHERE seq > {end} - 3", "gone"),
    "a changed number": (
        (
            "UPDATE crypto_trade SET price = '1.000000000000000000' "
            "WHERE seq = (SELECT min(seq) FROM crypto_trade)"
        ),
        "price is '1.000000000000000000', the journal gives",
    ),
    "a value for none": (
        (
            "UPDATE crypto_order SET reason_text = 'x' "
            "WHERE created_seq = (SELECT min(created_seq) FROM crypto_order)"
        ),
        "reason_text is 'x', the journal gives None",
    ),
    "a changed flag": (
        (
            "UPDATE crypto_order SET post_only = NOT post_only "
            "WHERE created_seq = (SELECT min(created_seq) FROM crypto_order)"
        ),
        "post_only is",
    ),
    "a missing row": (
        "DELETE FROM crypto_trade WHERE seq = (SELECT min(seq) FROM crypto_trade)",
        "is missing",
    ),
    "an extra row": (
        (
            "INSERT INTO crypto_ledger_entry SELECT 1, 99, portfolio_id, into_account, "
            "out_of_account, asset, amount, kind, booked_at FROM crypto_ledger_entry "
            "WHERE line = 0 AND seq = (SELECT min(seq) FROM crypto_ledger_entry)"
        ),
        "crypto_ledger_entry 1/99 is in the table, but not of the journal",
    ),
    "tables said to be older": (
        "UPDATE engine_store SET projected_seq = 0",
        "is in the table, but not of the journal",
    ),
    "a snapshot's body": (
        "UPDATE engine_snapshot SET checksum = checksum + 1 WHERE seq = {end}",
        "the snapshot of event {end} is damaged",
    ),
    "a snapshot's digest": (
        "UPDATE engine_snapshot SET digest = 'd' WHERE seq = {end}",
        "the snapshot of event {end} is not the state that the journal gives",
    ),
    "another snapshot": (
        (
            "UPDATE engine_snapshot SET "
            "body = (SELECT body FROM engine_snapshot WHERE seq < {end}), "
            "checksum = (SELECT checksum FROM engine_snapshot WHERE seq < {end}) WHERE seq = {end}"
        ),
        "the snapshot of event {end} does not give the state it was taken of",
    ),
    "a snapshot of another journal": (
        "UPDATE engine_snapshot SET chain = 1 WHERE seq = {end}",
        "the snapshot of event {end} is of another journal",
    ),
    "an import that was not finished": (
        "UPDATE engine_store SET projected_seq = -1",
        "an import into this store was not finished",
    ),
}


def proof(url: str) -> Verified:
    """What `verify` says of a store."""
    store = open_store(url)
    try:
        return verify(store)
    finally:
        store.close()


@pytest.mark.parametrize("seed", range(1, 9))
def test_what_an_engine_leaves_is_proven(sqlite_url: str, seed: int) -> None:
    """Entries, both snapshots, every row; the digest is that of replaying what happened."""
    events = lived(sqlite_url, seed)
    count = sum(len(found) for found in rows(sqlite_url).values())
    expected = Verified(
        entries=len(events),
        snapshots=2,
        tables=len(COLUMNS),
        rows=count,
        tables_seq=len(events),
        digest=digest_of(replayed(events)),
        problems=[],
    )
    assert expected == proof(sqlite_url)


@pytest.mark.parametrize("seed", [1, 5])
def test_it_is_the_same_on_a_server(pg_url: str, seed: int) -> None:
    """Numbers, times, ids and flags come back as they were written."""
    events = lived(pg_url, seed)
    found = proof(pg_url)
    assert [] == found.problems
    assert (len(events), digest_of(replayed(events))) == (found.entries, found.digest)


def test_an_empty_store_is_proven(store_url: str) -> None:
    """There is nothing wrong with nothing."""
    found = proof(store_url)
    assert (0, 0, 0, []) == (found.entries, found.snapshots, found.rows, found.problems)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found(store_url: str, damage: str) -> None:
    """On each database, with the entry, row or snapshot that it is about."""
    end = len(lived(store_url))
    statement, said_of_it = DAMAGES[damage]
    query(store_url, statement.format(end=end))
    found = proof(store_url).problems
    assert any(said_of_it.format(end=end) in problem for problem in found), found


@pytest.mark.parametrize("seq", [1, 2, 50, 200])
def test_the_first_damaged_entry_is_named_and_the_last_sound_one_counted(
    sqlite_url: str, seq: int
) -> None:
    """What comes after it cannot be judged."""
    lived(sqlite_url)
    damage = "UPDATE event_journal SET checksum = 1 WHERE seq >= "
    query(sqlite_url, damage + str(seq))
    found = proof(sqlite_url)
    assert seq - 1 == found.entries
    assert [problem for problem in found.problems if f": entry {seq} " in problem]


@pytest.mark.parametrize("table", COLUMNS)
def test_a_row_of_each_table_is_missed(sqlite_url: str, table: str) -> None:
    """Whichever it is: with foreign keys off, as whoever tampers would have them."""
    first = next(seed for seed in range(1, 40) if changes_of(simulated(seed)).upserts.get(table))
    lived(sqlite_url, first)
    row = next(iter(rows(sqlite_url)[table]))
    where = " AND ".join(
        f"{column} = '{value}'" for column, value in zip(KEYS[table], row, strict=True)
    )
    query(sqlite_url, f"DELETE FROM {table} WHERE {where}")  # noqa: S608 - names of our own
    name = "/".join(str(part) for part in row)
    assert [f"{table} {name} is missing"] == proof(sqlite_url).problems


def test_many_differences_are_a_few_and_a_number(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads a million lines."""
    monkeypatch.setattr(tables_check, "SHOWN", 2)
    lived(sqlite_url)
    count = query(sqlite_url, "SELECT count(*) FROM crypto_ledger_entry")[0][0]
    query(sqlite_url, "DELETE FROM crypto_ledger_entry")
    found = proof(sqlite_url).problems
    assert 3 == len(found)
    assert f"crypto_ledger_entry: {count - 2} more rows are not what the journal gives" == found[-1]


def test_lost_entries_are_known_by_the_mark_of_a_file(sqlite_url: str) -> None:
    """And what is left is proven all the same, as far as it goes."""
    end = len(lived(sqlite_url))
    query(sqlite_url, f"DELETE FROM event_journal WHERE seq > {end - 3}")  # noqa: S608 - a number
    found = proof(sqlite_url)
    assert end - 3 == found.entries
    assert f"entries {end - 2} to {end} were durable and are gone" in found.problems[0]


def test_lost_entries_are_known_by_what_was_made_of_them(store_url: str) -> None:
    """Where there is no mark, by the tables and the snapshot."""
    end = len(lived(store_url))
    query(store_url, f"DELETE FROM event_journal WHERE seq = {end}")  # noqa: S608 - a number
    if store_url.startswith("sqlite"):
        path_of(f"{store_url}.mark").unlink()
    ends = f"but the journal ends at {end - 1}: entries are gone"
    expected = [
        f"the tables are as of entry {end}, {ends}",
        f"there is a snapshot of event {end}, {ends}",
    ]
    assert expected == proof(store_url).problems


@pytest.mark.parametrize("tables", [0, 100])
def test_tables_that_are_behind_are_not_wrong(store_url: str, tables: int) -> None:
    """They are what the journal gave when they were written."""
    events = behind(store_url, tables=tables)
    found = proof(store_url)
    assert [] == found.problems
    assert (len(events), tables) == (found.entries, found.tables_seq)


def test_an_entry_that_nobody_could_have_decided_is_named(sqlite_url: str) -> None:
    """Its checksum is right, but there is no such order."""
    strange: Event = OrderCancelled(4, TS + 4, "f" * 32, 0, 0, 0)
    store = open_store(sqlite_url)
    store.append(entries_of([*said(3), strange]), None)
    found = verify(store)
    store.close()
    assert 1 == len(found.problems)
    assert "entry 4 (OrderCancelled) cannot be applied: EvolveError" in found.problems[0]


def test_it_needs_no_lease(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine may be using the store."""
    monkeypatch.setattr("zvt_trading.adapters.store.postgres_store.LOCK_TRIES", 1)
    lived(store_url)
    engine = open_store(store_url)
    engine.acquire(OWNER)
    assert [] == proof(store_url).problems
    other = open_store(store_url)
    with pytest.raises(LeaseTakenError):
        other.acquire("box:2")
    other.close()
    engine.release()
    engine.close()


def test_an_engine_may_go_on_meanwhile(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it appends while the journal is read does not count, and nothing looks wrong."""
    monkeypatch.setattr(verify_module, "SLICE", 40)
    events = simulated(1)
    half = len(events) // 2
    live(store_url, events[:half])
    reports: list[tuple[int, int]] = []

    def trade(done: int, total: int) -> None:
        if not reports:
            live(store_url, events[half:])
        reports.append((done, total))

    store = open_store(store_url)
    found = verify(store, trade)
    store.close()
    assert [] == found.problems
    assert (half, half) == (found.entries, found.tables_seq)
    assert (half, half) == reports[-1]
    assert [] == proof(store_url).problems


def test_a_snapshot_that_was_dropped_meanwhile_is_no_problem(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine keeps the newest three."""
    lived(sqlite_url)
    monkeypatch.setattr("zvt_trading.adapters.store.sql_store.SqlStore.snapshot", lambda *_: None)
    found = proof(sqlite_url)
    assert (0, []) == (found.snapshots, found.problems)


def test_tables_are_read_as_of_one_moment(store_url: str) -> None:
    """Card: rows and their event belong together, whoever writes between two rows."""
    events = simulated(1)
    half = len(events) // 2
    live(store_url, events[:half])
    before = rows(store_url)
    store = open_store(store_url)
    with store.tables() as tables:
        first = next(tables.rows)
        live(store_url, events[half:])
        found = [first, *tables.rows]
    assert half == tables.projected_seq
    expected = [(table, row) for table, known in before.items() for row in known.values()]
    assert sorted(map(repr, expected)) == sorted(map(repr, found))
    assert before != read_all(store)
    store.close()


def test_a_reader_may_stop_before_the_end(store: Store) -> None:
    """And the store is as usable as before."""
    fill_two(store)
    with store.tables() as tables:
        next(tables.rows)
    with pytest.raises(ZeroDivisionError):
        read_one_and_fail(store)
    assert 2 == store.info().projected_seq


def read_one_and_fail(store: Store) -> None:
    """As a reader with a bug."""
    with store.tables() as tables:
        next(tables.rows)
        raise ZeroDivisionError


def fill_two(store: Store) -> None:
    """The first two events that make rows."""
    changes: Changes = changes_of(simulated(1))
    changes.seq = 2
    store.append(entries_of(said(2), checksum=FIRST_CHECKSUM, epoch=0), changes)


def test_progress_goes_from_the_first_page_to_the_end(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to the number of entries."""
    monkeypatch.setattr(verify_module, "SLICE", 100)
    end = len(lived(sqlite_url))
    reports: list[tuple[int, int]] = []
    store = open_store(sqlite_url)
    verify(store, lambda done, total: reports.append((done, total)))
    store.close()
    expected = [(min(done, end), end) for done in range(100, end + 100, 100)]
    assert expected == reports
    assert rebuild.SLICE > 0
