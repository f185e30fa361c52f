"""What ports/store.py promises, card by card, of both stores."""

from itertools import islice

import msgspec
import pytest
from store_world import (
    TS,
    Opened,
    Tables,
    as_entries,
    changes_of,
    entries_of,
    fill,
    read_all,
    said,
    simulated,
)

from zvt_trading.adapters.store.opening import open_store
from zvt_trading.adapters.store.sqlite_store import ROWS_MAX
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.events import EngineResumed
from zvt_trading.ports.store import (
    Changes,
    FencedError,
    Snapshot,
    Store,
    StoreError,
    TablesRefusedError,
)
from zvt_trading.ports.tables import COLUMNS, KEYS, LOT, ORDER, PORTFOLIO
from zvt_trading.runtime.projections import Projector

pytest_plugins = ("store_fixtures",)

SNAPSHOT = Snapshot(0, TS, 1, 1, "d" * 32, 2**32 - 1, b"\x00\xff body \n", 7)


def refused_changes() -> Changes:
    """A trade of a portfolio that does not exist: no table takes it."""
    changes = changes_of(simulated(1))
    changes.upserts = {"crypto_trade": changes.upserts["crypto_trade"]}
    return changes


def snapshot_of(seq: int) -> Snapshot:
    """A snapshot of an event."""
    return msgspec.structs.replace(SNAPSHOT, seq=seq)


class TestJournal:
    """Cards 1 to 9: entries are kept in order, once, to the byte."""

    def test_card_1_a_new_store_is_empty(self, store: Store) -> None:
        info = store.info()
        assert 32 == len(bytes.fromhex(info.store_id).hex())
        assert 0 < info.engine_tag < 1 << 20
        assert 0 == info.projected_seq
        assert store.last() is None
        assert [] == list(store.entries(0))
        assert [] == store.checksums(0, 100)
        assert [] == store.snapshots()
        assert {table: {} for table in COLUMNS} == read_all(store)

    def test_card_2_entries_come_back_in_order(self, store: Store) -> None:
        rows = entries_of(said(5))
        store.append(rows[:2], None)
        store.append(rows[2:], None)
        assert as_entries(rows) == list(store.entries(0))
        assert as_entries(rows)[4] == store.last()

    @pytest.mark.parametrize(("after", "limit"), [(0, 3), (2, 2), (4, None), (5, None), (1, 0)])
    def test_card_3_entries_after_one_up_to_a_limit(
        self, store: Store, after: int, limit: int | None
    ) -> None:
        rows = entries_of(said(5))
        store.append(rows, None)
        end = None if limit is None else after + limit
        assert as_entries(rows)[after:end] == list(store.entries(after, limit))

    def test_card_4_checksums_are_of_the_entries_that_are_there(self, store: Store) -> None:
        rows = entries_of(said(5), epoch=3)
        store.append(rows, None)
        expected = [(row[0], 3, row[6]) for row in rows]
        assert expected == store.checksums(1, 5)
        assert expected[3:] == store.checksums(4, 99)
        assert [] == store.checksums(6, 9)

    @pytest.mark.parametrize(
        "text",
        [
            "plain",
            "",
            "tab \t line \n return \r back \b form \f",
            'quotes " and \\ and \\\\N and \\N and \\t',
            "NUL \x00 and \x01 and \x7f",
            "umlaut ü, euro €, emoji 😀, line\u2028separator, bom \ufeff",
            "%s %% ? :name $1 '; DROP TABLE event_journal; --",
        ],
    )
    def test_card_5_bodies_come_back_to_the_byte(self, store: Store, text: str) -> None:
        rows = entries_of([EngineResumed(1, TS, text), EngineResumed(2, TS, text)])
        store.append(rows, None)
        assert as_entries(rows) == list(store.entries(0))

    @pytest.mark.parametrize("count", [1, ROWS_MAX - 1, ROWS_MAX, ROWS_MAX + 1, 2_500])
    def test_card_6_a_group_may_be_of_any_size(self, store: Store, count: int) -> None:
        rows = entries_of(said(count))
        store.append(rows, None)
        assert as_entries(rows) == list(store.entries(0))

    def test_card_7_the_numbers_have_64_bits(self, store: Store) -> None:
        row = (2**63 - 1, 2**63 - 1, 2**31 - 1, "EngineResumed", 2**31 - 1, "{}", 2**32 - 1)
        store.append([row], None)
        assert as_entries([row]) == [store.last()]

    @pytest.mark.parametrize("with_tables", [False, True])
    @pytest.mark.parametrize("first", [1, 2, 3])
    def test_card_8_a_number_that_is_taken_is_another_engines(
        self, store: Store, first: int, with_tables: bool
    ) -> None:
        """Nothing of the group is kept, whichever of its numbers is the one."""
        store.acquire("box:1")
        store.append(entries_of(said(3)), None)
        events = simulated(1)
        changes = changes_of(events) if with_tables else None
        with pytest.raises(FencedError, match=r"box:1 \(epoch 1; ours was 1\)"):
            store.append(entries_of(said(3, first=first, text="other")), changes)
        assert [(row[0], row[6]) for row in entries_of(said(3))] == [
            (entry.seq, entry.checksum) for entry in store.entries(0)
        ]
        assert {table: {} for table in COLUMNS} == read_all(store)
        assert 0 == store.info().projected_seq

    def test_card_9_reading_may_stop_anywhere(self, store: Store) -> None:
        rows = entries_of(said(2_500))
        store.append(rows, None)
        entries = store.entries(0)
        assert as_entries(rows)[:3] == [next(entries) for _ in range(3)]
        del entries
        store.append(entries_of(said(1, first=2_501)), None)
        last = store.last()
        assert last is not None
        assert 2_501 == last.seq

    def test_card_10_an_append_of_nothing_is_nothing(self, store: Store) -> None:
        store.append([], None)
        assert store.last() is None


class TestTables:
    """Cards 11 to 16: what events did to the tables is written with entries, or not at all."""

    def test_card_11_entries_and_changes_are_one_transaction(self, store: Store) -> None:
        events = simulated(1)
        fill(store, events)
        last = store.last()
        assert last is not None
        assert events[-1].seq == last.seq == store.info().projected_seq
        assert len(events) == len(list(store.entries(0)))

    def test_card_12_changes_that_are_refused_take_their_entries_with_them(
        self, store: Store
    ) -> None:
        fill(store, simulated(2))
        before = read_all(store)
        seq = store.info().projected_seq
        with pytest.raises(TablesRefusedError, match=rf"to event {simulated(1)[-1].seq}: "):
            store.append(entries_of(said(3, first=seq + 1)), refused_changes())
        last = store.last()
        assert last is not None
        assert (seq, seq) == (last.seq, store.info().projected_seq)
        assert before == read_all(store)

    def test_card_13_who_has_not_the_lease_writes_no_tables(
        self, store: Store, store_url: str
    ) -> None:
        other = open_store(store_url)
        other.acquire("other:2")
        other.close()
        with pytest.raises(FencedError, match="other:2"):
            fill(store, simulated(2))
        assert store.last() is None
        assert {table: {} for table in COLUMNS} == read_all(store)

    def test_card_14_rows_are_replaced_by_key_and_deleted_by_key(self, store: Store) -> None:
        """Slice by slice, like tables in memory."""
        tables = Tables()
        for changes in slices_of(3):
            store.append([], changes)
            tables.apply(changes)
            assert tables.seq == store.info().projected_seq
        assert tables.rows == read_all(store)
        assert any(LOT in changes.deletes for changes in slices_of(3))

    def test_card_15_emptied_tables_know_nothing_was_written(self, store: Store) -> None:
        fill(store, simulated(1))
        store.reset_tables()
        assert 0 == store.info().projected_seq
        assert {table: {} for table in COLUMNS} == read_all(store)
        assert len(simulated(1)) == len(list(store.entries(0)))
        store.append([], changes_of(simulated(1)))
        assert simulated(1)[-1].seq == store.info().projected_seq

    def test_card_16_rows_can_be_read_by_id(self, store: Store) -> None:
        fill(store, simulated(5))
        columns = ("id", "quantity", "status")
        every = sorted(store.read(ORDER, columns, None))
        ids = [row[0] for row in every]
        assert len(ids) > 50
        assert every == sorted(store.read(ORDER, columns, ids))
        assert every[:1] == store.read(ORDER, columns, ids[:1])
        assert [] == store.read(ORDER, columns, [])
        unknown = [f"{number:032x}" for number in range(1_200)]
        assert every == sorted(store.read(ORDER, columns, [*unknown, *ids]))
        names = store.read(PORTFOLIO, ("name",), None)
        assert [("carry",), ("hedge",), ("main",)] == sorted(names)


class TestSnapshots:
    """Cards 17 to 19."""

    def test_card_17_a_snapshot_comes_back_to_the_byte(self, store: Store) -> None:
        store.save_snapshot(snapshot_of(5), keep=3)
        assert snapshot_of(5) == store.snapshot(5)
        assert store.snapshot(4) is None

    def test_card_18_the_newest_are_kept(self, store: Store) -> None:
        for seq in (1, 5, 3, 9, 7):
            store.save_snapshot(snapshot_of(seq), keep=3)
        assert [9, 7, 5] == store.snapshots()
        assert store.snapshot(3) is None
        store.save_snapshot(snapshot_of(10), keep=1)
        assert [10] == store.snapshots()

    def test_card_19_a_snapshot_of_the_same_event_replaces_the_one_before(
        self, store: Store
    ) -> None:
        store.save_snapshot(snapshot_of(5), keep=3)
        newer = msgspec.structs.replace(snapshot_of(5), body=b"newer", checksum=1)
        store.save_snapshot(newer, keep=3)
        assert [5] == store.snapshots()
        assert newer == store.snapshot(5)


class TestLife:
    """Cards 20 to 22."""

    def test_card_20_everything_is_there_after_closing(self, store: Store, store_url: str) -> None:
        fill(store, simulated(1))
        store.save_snapshot(snapshot_of(7), keep=3)
        known = (store.info(), list(store.entries(0)), read_all(store), store.snapshot(7))
        store.close()
        again = open_store(store_url)
        found = (again.info(), list(again.entries(0)), read_all(again), again.snapshot(7))
        again.close()
        assert known == found

    def test_card_21_a_store_goes_on_after_it_was_opened_anew(self, store: Store) -> None:
        lease = store.acquire("box:1")
        store.append(entries_of(said(2)), None)
        store.reopen()
        store.renew()
        store.append(entries_of(said(1, first=3)), None)
        store.save_snapshot(snapshot_of(3), keep=1)
        assert 1 == lease.epoch
        assert [1, 2, 3] == [entry.seq for entry in store.entries(0)]

    def test_card_22_resting_closing_and_interrupting_twice_does_no_harm(
        self, store: Store
    ) -> None:
        store.append(entries_of(said(2)), None)
        store.rest()
        store.rest()
        store.interrupt()
        store.interrupt()
        store.close()
        store.close()
        store.interrupt()


class TestReadingAndWriting:
    """Card 23: readers and writers of one store."""

    @pytest.mark.parametrize("read", [1, 2_000, 2_001])
    def test_card_23_what_is_appended_while_entries_are_read_is_durable_at_once(
        self, store_url: str, opened: Opened, read: int
    ) -> None:
        """For another one who looks; the reader goes on, and stops, as if nothing had been."""
        store, other = opened(store_url), opened(store_url)
        rows = entries_of(said(2_500))
        store.append(rows, None)
        reader = store.entries(0, 2_400)
        found = list(islice(reader, read))
        for seq in (2_501, 2_502):
            store.append(entries_of(said(1, first=seq)), None)
            assert 1 == len(other.checksums(seq, seq))
            found.append(next(reader))
        found.extend(reader)
        assert as_entries(rows)[:2_400] == found

    def test_card_23_nothing_is_taken_while_the_tables_are_read(
        self, store_url: str, opened: Opened
    ) -> None:
        """It would be durable only with the reader's transaction: it is refused, and later not."""
        store = opened(store_url)
        fill(store, simulated(1))
        last = len(simulated(1))
        rows = entries_of(said(1, first=last + 1))
        for changes in (None, changes_of(simulated(1))):
            with store.tables() as tables:
                next(tables.rows)
                with pytest.raises(StoreError, match="while its tables are being read"):
                    store.append(rows, changes)
        assert [] == opened(store_url).checksums(last + 1, last + 1)
        store.append(rows, None)
        assert 1 == len(opened(store_url).checksums(last + 1, last + 1))


def slices_of(seed: int) -> list[Changes]:
    """What the events of a journal did to the tables, seven at a time."""
    projector = Projector(TradingCore())
    found = []
    for number, event in enumerate(simulated(seed), 1):
        projector.take(event)
        if number % 7 == 0:
            found.append(projector.changes())
    found.append(projector.changes())
    return found


def test_the_keys_are_among_the_columns() -> None:
    """What `Tables` in these tests relies on."""
    assert all(set(key) <= set(COLUMNS[table]) for table, key in KEYS.items())
