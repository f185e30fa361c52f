"""The engine on a real SQLite file whose disk fails: full, read-only, broken, and back."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from disk_world import Disk, DiskTrader
from fault_world import (
    EngineTrader,
    assert_goes_on,
    assert_nothing_is_lost,
    assert_sound,
    assert_stands_still,
)

from conftest import on_ci
from proof.power.build import build_recorder
from zvt_trading.adapters.store import sqlite_store
from zvt_trading.adapters.store.mark import Mark

WRITES = [
    ("ENOSPC", "the disk is full: make room, the engine goes on by itself"),
    ("EDQUOT", "check the disk (read-only? over its quota?)"),
    ("EIO", "check the disk (read-only? over its quota?)"),
    ("EROFS", "check the disk (read-only? over its quota?)"),
]


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file system that fails when it is told to."""
    if shutil.which("gcc") is None:
        if on_ci():
            pytest.fail("no gcc to build the recorder with")
        pytest.skip("no gcc to build the recorder with")
    return build_recorder(tmp_path_factory.mktemp("recorder"))


@pytest.fixture
def disk(recorder: Path, tmp_path: Path) -> Disk:
    """One that works until told otherwise."""
    return Disk(recorder, tmp_path)


@pytest.fixture
def trader(disk: Disk) -> Iterator[DiskTrader]:
    """An engine on it."""
    with DiskTrader(disk) as trader:
        yield trader


@pytest.mark.parametrize(("error", "advice"), WRITES)
def test_a_disk_that_does_not_take_writes(
    disk: Disk, trader: DiskTrader, error: str, advice: str
) -> None:
    """No new risk while it lasts; cancels go; then on by itself, with everything."""
    resting = trader.rest().order_id
    assert trader.buy().success
    disk.fails("write", error)
    assert_stands_still(trader, resting, advice)
    disk.heals()
    assert_goes_on(trader)
    assert_nothing_is_lost(trader, disk.url)


def test_a_disk_that_does_not_flush(disk: Disk, trader: DiskTrader) -> None:
    """Nobody knows what is on it: also when it flushes again, only a start finds out."""
    resting = trader.rest().order_id
    assert trader.buy().success
    disk.fails("fsync", "EIO")
    assert_stands_still(trader, resting, "Check the disk, then start the engine again")
    disk.heals()
    trader.wait()
    still = trader.buy()
    assert (False, "store_unavailable") == (still.success, still.reason)
    assert "start the engine again: it finds out what was kept" in still.message
    before = trader.at_venue()
    trader.close()
    again = EngineTrader(disk.url)
    assert again.buy().success
    after = again.at_venue()
    again.close()
    assert_sound(disk.url, [*before.accepted, *after.accepted])


def test_another_program_that_writes_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's shell with a transaction left open: the engine says so, and goes on after it."""
    monkeypatch.setattr(sqlite_store, "BUSY_SECONDS", 0.01)
    url = f"sqlite:///{tmp_path / 'store.db'}"
    trader = EngineTrader(url)
    resting = trader.rest().order_id
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert_stands_still(trader, resting, "another program is writing to the file: stop it")
        other.execute("ROLLBACK")
    assert_goes_on(trader)
    assert_nothing_is_lost(trader, url)


def test_the_mark_has_its_room_on_the_disk_before_it_is_mapped(tmp_path: Path) -> None:
    """Writing through a map into a hole of a full disk ends the process, whatever it does then."""
    mark = Mark(tmp_path / "mark")
    assert mark._open() is not None
    assert (tmp_path / "mark").stat().st_blocks > 0
