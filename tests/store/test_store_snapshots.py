"""Snapshots: taken a little at a time, used only when they give the state they were taken of."""

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
import pytest
from journal_world import Diary, open_orders
from store_world import (
    Opened,
    digest_of,
    entries_of,
    projected,
    query,
    read_all,
    replayed,
    simulated,
)

from zvt_trading.core.limits import CLOSED_ORDERS_KEPT
from zvt_trading.core.snapshot import each_line
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codec import CODEC_VERSION, encode_part
from zvt_trading.messages.events import Event
from zvt_trading.ports.store import DamagedJournalError, Snapshot, Store, TablesRefusedError
from zvt_trading.runtime import recovery, snapshots
from zvt_trading.runtime.maintenance.rebuild import fill_tables
from zvt_trading.runtime.projections import Projector
from zvt_trading.runtime.recovery import Recovered, recover
from zvt_trading.runtime.snapshots import (
    KEPT,
    PARTS_AT_ONCE,
    SnapshotError,
    Snapshots,
    copy_core,
    load_snapshot,
    snapshot_now,
    take_snapshot,
)
from zvt_trading.runtime.table_writer import TableWriter

pytest_plugins = ("store_fixtures",)

EVENTS: Final = simulated(5)
CUTS: Final = (100, 200, 300)


def core_at(seq: int) -> TradingCore:
    """The state after so many events."""
    return replayed(EVENTS[:seq])


def snapshot_at(seq: int) -> Snapshot:
    """A sound snapshot of that state, in a journal of epoch 1."""
    return snapshot_now(core_at(seq), entries_of(EVENTS)[seq - 1][6])


Change = Callable[[Snapshot], Snapshot]


def changed(**fields: Any) -> Change:
    """A snapshot with other fields."""
    return lambda snapshot: msgspec.structs.replace(snapshot, **fields)


def with_body(change: Callable[[bytes], bytes]) -> Change:
    """A snapshot with another body, and the right checksum of that."""

    def apply(snapshot: Snapshot) -> Snapshot:
        body = zlib.compress(change(zlib.decompress(snapshot.body)))
        return msgspec.structs.replace(snapshot, body=body, checksum=zlib.crc32(body))

    return apply


def with_flipped_byte(at: int) -> Change:
    """A snapshot with another byte in its body."""

    def apply(snapshot: Snapshot) -> Snapshot:
        body = bytearray(snapshot.body)
        body[at] ^= 1
        return msgspec.structs.replace(snapshot, body=bytes(body))

    return apply


DAMAGES: Final[dict[str, tuple[Change, str]]] = {
    "first byte": (with_flipped_byte(0), "is damaged"),
    "byte in the middle": (with_flipped_byte(500), "is damaged"),
    "last byte": (with_flipped_byte(-1), "is damaged"),
    "cut short": (lambda one: msgspec.structs.replace(one, body=one.body[:-9]), "is damaged"),
    "empty": (changed(body=b""), "is damaged"),
    "other checksum": (changed(checksum=1), "is damaged"),
    "older version": (changed(version=CODEC_VERSION - 1), "is of version 0, not 1"),
    "newer version": (changed(version=CODEC_VERSION + 1), "is of version 2, not 1"),
    "not compressed": (
        changed(body=b"plain", checksum=zlib.crc32(b"plain")), "cannot be read: Error"
    ),
    "nothing in it": (with_body(lambda _: b""), "cannot be read"),
    "no snapshot": (with_body(lambda _: b'{"seq":1}\n'), "cannot be read: not a snapshot"),
    "a part less": (
        with_body(lambda body: b"".join(body.splitlines(keepends=True)[:-1])), "parts in a snapshot"
    ),
    "a part twice": (
        with_body(lambda body: body + body.splitlines(keepends=True)[-1]), "parts in a snapshot"
    ),
    "another digest": (changed(digest="0" * 32), "does not give the state it was taken of"),
    "another number": (changed(seq=299), "does not give the state it was taken of"),
    "a changed number inside": (
        with_body(lambda body: body.replace(b'"order_seq":', b'"order_seq":1', 1)),
        "does not give the state it was taken of",
    ),
    "an order of another instrument inside": (
        with_body(lambda body: body.replace(b'"instrument":"', b'"instrument":"x')),
        "cannot be read",
    ),
}  # fmt: skip


class TestTaking:
    """A snapshot is made while others go on; then it is the state, to the digest."""

    @pytest.mark.parametrize("seed", range(6))
    def test_restored_is_taken(self, seed: int) -> None:
        events = simulated(seed)
        core = replayed(events)
        snapshot = snapshot_now(core, 7)
        other = TradingCore()
        load_snapshot(other, snapshot, "store")
        assert digest_of(core) == digest_of(other) == snapshot.digest
        assert (events[-1].seq, core.state.ts, core.state.epoch, 7) == (
            snapshot.seq, snapshot.ts, snapshot.epoch, snapshot.chain,
        )  # fmt: skip

    def test_what_follows_is_the_same(self) -> None:
        """Later events do to it what they would have done."""
        core = TradingCore()
        load_snapshot(core, snapshot_at(150), "store")
        for event in EVENTS[150:]:
            core.replay(event)
        assert digest_of(replayed(EVENTS)) == digest_of(core)

    def test_a_copy_is_the_same_and_apart(self) -> None:
        core = core_at(200)
        copy = copy_core(core, 1)
        before = digest_of(core)
        assert before == digest_of(copy)
        for event in EVENTS[200:]:
            copy.replay(event)
        assert before == digest_of(core)
        assert digest_of(replayed(EVENTS)) == digest_of(copy)

    def test_others_may_go_on_after_every_hundred_parts(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of the digest's lines and of the body's parts."""
        done: list[str] = []

        def counted_lines(*arguments: Any) -> Iterator[str]:
            for line in each_line(*arguments):
                done.append("line")
                yield line

        def counted_part(part: Any) -> bytes:
            done.append("part")
            return encode_part(part)

        monkeypatch.setattr(snapshots, "each_line", counted_lines)
        monkeypatch.setattr(snapshots, "encode_part", counted_part)
        stretches = []
        for snapshot in take_snapshot(replayed(open_orders(700)), 7):
            stretches.append((done.count("line"), done.count("part"), snapshot is not None))
            done.clear()
        assert [False] * (len(stretches) - 1) + [True] == [ended for *_, ended in stretches]
        assert sum(lines for lines, *_ in stretches) > 1_400
        assert sum(parts for _, parts, _ in stretches) > 1_400
        assert max(lines for lines, *_ in stretches) <= PARTS_AT_ONCE
        assert max(parts for _, parts, _ in stretches) <= PARTS_AT_ONCE + 1  # the head
        assert len(stretches) >= 28


class TestLoading:
    """What is not that state is told, and the core that was to be it is thrown away."""

    def test_a_sound_one(self) -> None:
        core = TradingCore()
        load_snapshot(core, snapshot_at(300), "store")
        assert digest_of(core_at(300)) == digest_of(core)

    @pytest.mark.parametrize("damage", DAMAGES)
    def test_a_damaged_one(self, damage: str) -> None:
        change, message = DAMAGES[damage]
        with pytest.raises(SnapshotError, match=message) as caught:
            load_snapshot(TradingCore(), change(snapshot_at(300)), "a store")
        assert str(caught.value).startswith("a store: the snapshot of event ")


class TestRecovering:
    """Any damage to snapshots costs time, nothing else."""

    def store_with(self, store: Store, changes: dict[int, Change]) -> None:
        """A journal with snapshots, some of them damaged."""
        store.append(entries_of(EVENTS), None)
        for seq in CUTS:
            change = changes.get(seq, changed())
            store.save_snapshot(change(snapshot_at(seq)), KEPT)

    def recovered(self, store: Store) -> Recovered:
        """What is found there: always the same state."""
        found = recover(store, "box:1")
        assert digest_of(replayed(EVENTS)) == digest_of(found.core)
        assert (len(EVENTS), entries_of(EVENTS)[-1][6]) == (found.chain.seq, found.chain.checksum)
        return found

    def test_the_newest_is_used(self, store: Store) -> None:
        self.store_with(store, {})
        assert 300 == self.recovered(store).snapshot_seq

    @pytest.mark.parametrize("damage", [name for name in DAMAGES if name != "another number"])
    def test_a_damaged_one_is_passed_over(
        self, sqlite_url: str, opened: Opened, damage: str
    ) -> None:
        store = opened(sqlite_url)
        self.store_with(store, {300: DAMAGES[damage][0]})
        assert 200 == self.recovered(store).snapshot_seq

    def test_two_damaged_ones(self, store: Store) -> None:
        self.store_with(store, {300: changed(checksum=1), 200: changed(version=9)})
        assert 100 == self.recovered(store).snapshot_seq

    def test_all_damaged(self, store: Store) -> None:
        self.store_with(store, dict.fromkeys(CUTS, changed(checksum=1)))
        assert 0 == self.recovered(store).snapshot_seq

    def test_one_of_another_journal(self, store: Store) -> None:
        """Sound in itself, but the entry it belongs to is not this one."""
        self.store_with(store, {300: changed(chain=12_345)})
        assert 200 == self.recovered(store).snapshot_seq

    def test_one_of_an_event_that_is_not_there(self, store: Store) -> None:
        """A snapshot after the journal's end says nothing about it."""
        self.store_with(store, {})
        later = msgspec.structs.replace(snapshot_at(300), seq=len(EVENTS) + 5)
        store.save_snapshot(later, KEPT)
        assert 300 == self.recovered(store).snapshot_seq

    def test_one_whose_entry_is_gone(self, sqlite_url: str, opened: Opened) -> None:
        """That is no snapshot's fault."""
        store = opened(sqlite_url)
        self.store_with(store, {})
        query(sqlite_url, "DELETE FROM event_journal WHERE seq = 300")
        with pytest.raises(DamagedJournalError, match="entry 300, of which there is a snap") as e:
            recover(store, "box:1")
        assert 300 == e.value.seq

    @pytest.mark.parametrize("seq", [1, 150, 301, len(EVENTS) - 1])
    def test_a_damaged_entry_stops_it(self, sqlite_url: str, opened: Opened, seq: int) -> None:
        """After the newest snapshot, or where the tables are made from; nothing is guessed."""
        store = opened(sqlite_url)
        self.store_with(store, {})
        query(sqlite_url, f"UPDATE event_journal SET ts = ts + 1 WHERE seq = {seq}")  # noqa: S608 - a number
        with pytest.raises(DamagedJournalError, match=f"entry {seq} says it is") as caught:
            recover(store, "box:1")
        assert seq == caught.value.seq

    def test_a_lost_end_stops_it_before_the_lease_is_taken(
        self, sqlite_url: str, opened: Opened
    ) -> None:
        store = opened(sqlite_url)
        self.store_with(store, {})
        query(sqlite_url, f"DELETE FROM event_journal WHERE seq > {len(EVENTS) - 3}")  # noqa: S608 - a number
        with pytest.raises(DamagedJournalError, match="were durable and are gone"):
            recover(store, "box:1")
        assert [(0,)] == query(sqlite_url, "SELECT epoch FROM engine_lease")

    def test_progress_is_told(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recovery, "PAGE", 50)
        self.store_with(store, {})
        told: list[tuple[int, int]] = []
        recover(store, "box:1", lambda done, total: told.append((done, total)))
        total = len(EVENTS) - 300
        assert (50, total) == told[0]
        assert (total, total) == told[-1]

    def test_the_lease_is_kept_however_long_it_takes(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another engine that comes meanwhile must not take a live one for dead."""
        monkeypatch.setattr(recovery, "PAGE", 50)
        store.append(entries_of(EVENTS), None)
        renewed: list[str] = []
        recover(store, "box:1", lambda *_: renewed.append(store.lease().renewed_at or ""))
        assert sorted(set(renewed)) == renewed
        assert len(renewed) > 3

    @pytest.mark.parametrize(
        ("damage", "what"),
        [
            ("UPDATE crypto_order SET fees = 'much'", "JSONDecodeError|DecodeError"),
            ("UPDATE crypto_portfolio SET name = name || '?'", "KeyError: '.*\\?'"),
            ("UPDATE crypto_portfolio SET value = 'much'", "UnitError"),
        ],
    )
    def test_tables_that_are_not_what_was_written_are_to_be_made_anew(
        self, sqlite_url: str, opened: Opened, damage: str, what: str
    ) -> None:
        store = opened(sqlite_url)
        self.store_with(store, {})
        store.acquire("box:0")
        fill_tables(store)
        query(sqlite_url, damage)
        with pytest.raises(TablesRefusedError, match=f"(?s)({what}).*zvt-trading db rebuild"):
            recover(store, "box:1")


class TestNew:
    """A store in which nothing has happened."""

    def test_it_is_new(self, store: Store) -> None:
        found = recover(store, "box:1")
        assert found.is_new
        assert (1, 0, 0, 0) == (
            found.chain.epoch, found.chain.seq, found.chain.checksum, found.snapshot_seq,
        )  # fmt: skip
        assert ([], []) == (found.behind, found.moves)

    def test_movements_of_money_are_remembered(self, store: Store) -> None:
        """The last ones, so that the venues are told again."""
        kinds = ("Deposited", "Withdrawn", "Transferred", "LeverageSet")
        events = simulated(6)
        store.append(entries_of(events), None)
        expected = [event for event in events[-100:] if type(event).__name__ in kinds]
        assert expected == recover(store, "box:1").moves


class TestSchedule:
    """When a snapshot is taken, and that what it is taken of stands still."""

    def test_every_so_many_events(self, store: Store) -> None:
        made = Snapshots(store, 100, every=50)
        assert [False, True] == [made.is_due(149), made.is_due(150)]
        made.work(core_at(150), 7)
        assert not made.is_under_way
        assert [150] == store.snapshots()
        assert [False, True] == [made.is_due(199), made.is_due(200)]

    def test_a_large_one_takes_many_steps(self, store: Store) -> None:
        core = replayed(open_orders(300))
        made = Snapshots(store, 0, every=1)
        steps = 0
        while not store.snapshots():
            made.work(core, 7)
            steps += 1
        assert steps > 10
        assert not made.is_under_way

    def test_an_abandoned_one_begins_anew(self, store: Store) -> None:
        core = replayed(open_orders(300))
        made = Snapshots(store, 0, every=1)
        made.work(core, 7)
        stages = [made.is_under_way]
        made.abandon()
        stages.append(made.is_under_way)
        assert [True, False] == stages
        assert [] == store.snapshots()
        made.finish(core, 7)
        assert [core.state.seq] == store.snapshots()

    def test_the_last_one_is_not_taken_twice(self, store: Store) -> None:
        made = Snapshots(store, 150, every=50)
        made.finish(core_at(150), 7)
        assert [] == store.snapshots()

    def test_the_end_comes_while_one_is_under_way(self, store: Store) -> None:
        """More came in since it was begun, and it is due again at once: closing does end."""
        events = open_orders(200)
        entries = entries_of(events)
        store.acquire("box:1")
        store.append(entries, None)
        made = Snapshots(store, 0, every=1)
        writer = TableWriter(store, Projector(TradingCore()), made, [])
        writer.add(events[:300], entries[:300])
        writer.prepare(300)
        writer.write()
        writer.prepare(300)
        assert made.is_under_way
        writer.add(events[300:], entries[300:])
        writer.finish()
        assert len(events) == store.info().projected_seq == store.snapshots()[0]
        assert projected(events).rows == read_all(store)
        assert digest_of(replayed(events)) == digest_of(recover(store, "box:1").core)


def forgotten() -> list[Event]:
    """A journal so long that the state forgets its oldest closed orders."""
    diary = Diary()
    owed = diary.place()
    diary.accept(owed)
    diary.cancel(owed, filled=400)
    for _ in range(CLOSED_ORDERS_KEPT + 50):
        diary.cancel(diary.place())
    return diary.events


def test_orders_that_the_state_has_forgotten_keep_their_rows(
    sqlite_url: str, opened: Opened
) -> None:
    """Also one on which a fill was owed: it reserves nothing any more, here and there."""
    events = forgotten()
    store = opened(sqlite_url)
    entries = entries_of(events, epoch=0)
    store.append(entries, None)
    projector = Projector(TradingCore())
    for at in range(0, len(events), 2_000):
        for event in events[at : at + 2_000]:
            projector.take(event)
        store.append([], projector.changes())
    rows = read_all(store)
    assert projected(events).rows == rows
    first = store.read("crypto_order", ("reserved", "status"), [f"{1:032x}"])
    assert [("0." + 18 * "0", "cancelled")] == first
    found = recover(store, "box:1")
    assert digest_of(replayed(events, epoch=1)) == digest_of(found.core)
    assert sorted(found.core.state.orders) == sorted(found.projector.orders)
    assert len(rows["crypto_order"]) > len(found.core.state.orders)
