"""The tables are a function of the journal, however it is cut, stopped and gone on with."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest
from store_world import (
    Opened,
    Tables,
    digest_of,
    entries_of,
    key_of,
    projected,
    read_all,
    replayed,
    simulated,
)

from zvt_trading.core.rng import Rng
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codes import SELL, SPOT, STOP
from zvt_trading.messages.commands import ListInstrument, OpenPortfolio, SubmitOrder
from zvt_trading.messages.events import CommandRefused, DriftCleared, Event
from zvt_trading.messages.market import InstrumentSpec
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import CashMoved, ForeignActivity
from zvt_trading.ports.store import Changes, Row, Store
from zvt_trading.ports.tables import (
    BALANCE,
    COLUMNS,
    EQUITY,
    LEDGER,
    ORDER,
    PORTFOLIO,
    REFUSAL,
    TRADE,
)
from zvt_trading.runtime.projections import Projector
from zvt_trading.runtime.recovery import recover
from zvt_trading.runtime.snapshots import KEPT, Snapshots
from zvt_trading.runtime.table_writer import TableWriter

pytest_plugins = ("store_fixtures",)

SEEDS_SLICED: Final = 30
WHY: Final = int(Reason.INVALID_AMOUNT)
TRADED: Final = Reason.MANUAL_TRADE
SEEDS_STOPPED: Final = range(4)
SPEC: Final = InstrumentSpec(
    venue="x", symbol="BTC/USD", kind=SPOT, base="BTC", quote="USD", settle="USD", price_scale=2,
    quantity_scale=3, base_scale=8, quote_scale=8, tick=1, lot=1, quantity_min=1,
)  # fmt: skip


def slices(events: Sequence[Event], sizes: Sequence[int]) -> list[Changes]:
    """The changes of events taken so many at a time, round and round."""
    projector = Projector(TradingCore())
    found = []
    at = turn = 0
    while at < len(events):
        size = sizes[turn % len(sizes)]
        for event in events[at : at + size]:
            projector.take(event)
        found.append(projector.changes())
        at += size
        turn += 1
    return found


def applied(changes: Sequence[Changes]) -> Tables:
    """Tables in memory after all of them."""
    tables = Tables()
    for change in changes:
        tables.apply(change)
    return tables


class TestSlices:
    """How many events are taken at a time makes no difference."""

    @pytest.mark.parametrize("seed", range(SEEDS_SLICED))
    def test_in_memory(self, seed: int) -> None:
        events = simulated(seed)
        expected = projected(events).rows
        rng = Rng(seed)
        drawn = [1 + rng.below(20) for _ in range(50)]
        for sizes in ([1], [7], [64, 1], drawn):
            tables = applied(slices(events, sizes))
            assert events[-1].seq == tables.seq
            assert expected == tables.rows

    @pytest.mark.parametrize("size", [1, 7, 10_000])
    def test_in_the_databases(self, store: Store, size: int) -> None:
        events = simulated(5, 80 if size == 1 else 200)
        for changes in slices(events, [size]):
            store.append([], changes)
        assert projected(events).rows == read_all(store)

    def test_each_row_is_written_once_a_slice(self) -> None:
        """As it is after the last event of it."""
        for seed in range(10):
            for changes in slices(simulated(seed), [16]):
                for table, rows in changes.upserts.items():
                    keys = Counter(key(table, row) for row in rows)
                    assert [] == [one for one, count in keys.items() if count > 1], table

    def test_nothing_new_is_no_row(self) -> None:
        """`changes` forgets what it gave."""
        projector = Projector(TradingCore())
        for event in simulated(5):
            projector.take(event)
        projector.changes()
        again = projector.changes()
        assert ({}, {}, simulated(5)[-1].seq) == (again.upserts, again.deletes, again.seq)


class Life:
    """One engine's life on a store: what its thread does, in an order drawn from a seed."""

    def __init__(self, store: Store, rng: Rng) -> None:
        self.rng = rng
        self.store = store
        recovered = recover(self.store, "box:1")
        self.known = recovered.core.state.seq
        self.digest = digest_of(recovered.core)
        self.chain = recovered.chain
        snapshots = Snapshots(self.store, recovered.snapshot_seq, every=5 + rng.below(60))
        self.tables = TableWriter(self.store, recovered.projector, snapshots, recovered.behind)

    def live(self, events: Sequence[Event]) -> None:
        """Commit events group by group, with work on the tables in between."""
        rng = self.rng
        at = 0
        while at < len(events):
            group = list(events[at : at + 1 + rng.below(6)])
            at += len(group)
            entries = self.chain.entries(group)
            self.tables.append_with(entries)
            self.tables.add(group, entries)
            for _ in range(rng.below(4)):
                self.tables.prepare(1 + rng.below(40))
                if rng.chance(1, 2):
                    self.tables.write()

    def end(self) -> None:
        """In order, or not at all: what was prepared is gone, and so is the engine."""
        if self.rng.chance(1, 2):
            self.tables.finish()
            self.store.release()
        self.store.close()


class TestStops:
    """An engine that stops, or dies, and starts again makes the same rows."""

    @pytest.mark.parametrize("seed", SEEDS_STOPPED)
    def test_at_any_point(self, store_url: str, opened: Opened, seed: int) -> None:
        """With snapshots of any age, and tables that are behind by any number of events."""
        events = simulated(seed)
        rng = Rng(seed).fork(5)
        at = 0
        while at < len(events):
            life = Life(opened(store_url), rng)
            assert at == life.known
            assert digest_of(replayed(events[:at], epoch=life.chain.epoch)) == life.digest
            end = min(len(events), at + 1 + rng.below(120))
            life.live(events[at:end])
            life.end()
            at = end
        life = Life(opened(store_url), rng)
        assert digest_of(replayed(events)) == life.digest
        life.tables.finish()
        assert projected(events).rows == read_all(life.store)
        assert len(life.store.snapshots()) <= KEPT
        assert len(events) == life.store.snapshots()[0] == life.store.info().projected_seq

    def test_between_any_two_events(self, sqlite_url: str, opened: Opened) -> None:
        """One event a life, by turns with and without the tables brought on."""
        events = simulated(6, 20)
        for number, event in enumerate(events):
            life = Life(opened(sqlite_url), Rng(number))
            assert number == life.known
            life.live([event])
            if number % 3:
                life.tables.finish()
            life.store.close()
        life = Life(opened(sqlite_url), Rng(0))
        life.tables.finish()
        assert projected(events).rows == read_all(life.store)

    def test_on_tables_that_are_older_than_every_snapshot(
        self, sqlite_url: str, opened: Opened
    ) -> None:
        """They were refused for long, or emptied: all is made from the first event on."""
        events = simulated(5)
        life = Life(opened(sqlite_url), Rng(1))
        life.live(events)
        life.tables.finish()
        life.store.reset_tables()
        life.store.close()
        again = Life(opened(sqlite_url), Rng(2))
        assert digest_of(replayed(events)) == again.digest
        again.tables.finish()
        assert projected(events).rows == read_all(again.store)


class TestOddEvents:
    """Journals that no simulation makes."""

    def test_a_refusal_at_time_zero(self, store: Store) -> None:
        """A backtest's clock begins where its data does; 0 is a time like any other."""
        event = CommandRefused(1, 0, "Deposit", WHY, 0, 0, "")
        store.append(entries_of([event], epoch=0), slices([event], [1])[0])
        when = "1970-01-01T00:00:00.000000+00:00"
        assert [(1, when)] == store.read(REFUSAL, ("seq", "refused_at"), None)

    @pytest.mark.parametrize("text", ["a \x00 b", "\x00", "end\x00"])
    def test_a_text_with_a_nul(self, store: Store, text: str) -> None:
        """What a caller or a venue wrote must not stop the tables."""
        event = CommandRefused(1, 1_000, "Deposit", WHY, 0, 0, text)
        store.append(entries_of([event], epoch=0), slices([event], [1])[0])
        assert 1 == len(store.read(REFUSAL, ("text",), None))
        (entry,) = store.entries(0)
        assert "\\u0000" in entry.body

    @pytest.mark.parametrize(
        ("cause", "kind"), [(Reason.EXTERNAL_WITHDRAWAL, "external"), (TRADED, "adjustment")]
    )
    def test_money_that_moved_without_us(self, store: Store, cause: Reason, kind: str) -> None:
        """Its ledger entry says why; the balance may be below zero; what was told is no row."""
        core = TradingCore()
        core.command(1_000, ListInstrument(SPEC))
        core.command(1_000, OpenPortfolio("main", "USD", 8))
        core.report(2_000, CashMoved("main", "x", "USD", -250_000_000, int(cause), "r", "", 0))
        core.report(2_000, ForeignActivity("x", "a", int(Reason.FOREIGN_ORDER), "a \x00", 0))
        core.recorder.record(DriftCleared(core.recorder.seq(), 2_000, "x", "x cash main USD"))
        events = core.take()
        store.append(entries_of(events, epoch=0), slices(events, [7])[0])
        entry = ("kind", "into_account", "out_of_account", "asset", "amount")
        minus = "-2." + "5".ljust(18, "0")
        expected = [(kind, "main/@x", f"main/{kind}", "USD", minus)]
        assert expected == store.read(LEDGER, entry, None)
        assert [("USD", minus)] == store.read(BALANCE, ("asset", "total"), None)
        assert 1 == len(store.read(EQUITY, ("seq",), None))

    def test_a_callers_id_of_long_ago_that_comes_again(self, store: Store) -> None:
        """The core remembers the last ones only: the second order is one like any other."""
        core = TradingCore()
        request = SubmitOrder(
            "main", "x:BTC/USD", SELL, STOP, 1, trigger_price=50, client_tag="mine"
        )
        for command in (ListInstrument(SPEC), OpenPortfolio("main", "USD", 8), request, request):
            core.command(1_000, command)
        core.state.client_tags.clear()
        core.command(1_000_000_000_000, request)
        events = core.take()
        store.append(entries_of(events, epoch=0), slices(events, [7])[0])
        assert [("mine",), ("mine",)] == store.read(ORDER, ("client_order_id",), None)
        assert [("duplicate_client_id",)] == store.read(REFUSAL, ("reason",), None)


def test_the_journals_have_what_the_tables_are_about() -> None:
    """Silence proves nothing if nothing happened: what the seeds went through."""
    found: Counter[str] = Counter()
    for seed in range(SEEDS_SLICED):
        tables = projected(simulated(seed))
        for table in COLUMNS:
            found[table] += len(tables.rows[table])
        found.update(row["kind"] for row in tables.fields(TRADE))
        found.update(row["accounting_method"] for row in tables.fields(PORTFOLIO))
    wanted = {"liquidation": 2, "fill": 500, "lifo": 5, "hifo": 5, "average": 5, "fifo": 5}
    wanted.update(dict.fromkeys(COLUMNS, 50))
    assert [] == [(name, found[name]) for name, least in wanted.items() if found[name] < least]


def key(table: str, row: Row) -> Row:
    """Of a row, with its table."""
    return (table, *key_of(table, row))
