"""The files of a SQLite store: who may read them, what is flushed, what a damaged end is."""

import shutil
import sqlite3
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import pytest
from store_world import entries_of, path_of, said

from zvt_trading.adapters.store.mark import Mark
from zvt_trading.adapters.store.opening import open_store
from zvt_trading.adapters.store.sqlite_store import REST_PAGES, SqliteStore
from zvt_trading.ports.store import DamagedJournalError, StoreError

pytest_plugins = ("store_fixtures",)

PAGE: Final = 4096
FRAME: Final = 24 + PAGE
WAL_HEADER: Final = 32


@pytest.fixture
def path(sqlite_url: str) -> Path:
    """Of an empty store."""
    return path_of(sqlite_url)


def beside(path: Path, suffix: str) -> Path:
    """A store's other file."""
    return Path(f"{path}{suffix}")


def crashed(path: Path, folder: Path, *, wal: bool = True, mark: bool = True) -> Path:
    """What a machine has after the power went: the files as they are, without a close."""
    folder.mkdir()
    copy = folder / path.name
    shutil.copy(path, copy)
    for suffix, wanted in (("-wal", wal), (".mark", mark)):
        if wanted and beside(path, suffix).exists():
            shutil.copy(beside(path, suffix), beside(copy, suffix))
    return copy


class TestFiles:
    """Nobody else reads our trades, and a commit is on the disk."""

    def test_only_the_owner_may_read_them(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "store.db"
        store = open_store(f"sqlite:///{path}")
        store.append(entries_of(said(3)), None)
        for suffix in ("", "-wal", "-shm", ".mark"):
            assert 0o600 == stat.S_IMODE(beside(path, suffix).stat().st_mode), suffix
        store.close()

    def test_a_commit_is_flushed(self, path: Path) -> None:
        """WAL with FULL, the pragmas that are really in force; also after `reopen`."""
        store = SqliteStore(path)
        for _ in range(2):
            pragmas = {
                name: store._connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "fullfsync", "foreign_keys")
            }
            assert {
                "journal_mode": "wal", "synchronous": 2, "fullfsync": 1, "foreign_keys": 1,
            } == pragmas  # fmt: skip
            store.reopen()
        store.close()

    def test_closing_leaves_one_file_with_everything(self, path: Path) -> None:
        """But for the lock and the mark."""
        store = SqliteStore(path)
        store.append(entries_of(said(3)), None)
        store.close()
        assert not beside(path, "-wal").exists()
        alone = path.parent / "alone.db"
        shutil.copy(path, alone)
        store = SqliteStore(alone)
        assert 3 == len(list(store.entries(0)))
        store.close()

    def test_resting_moves_a_long_log_into_the_file(self, path: Path) -> None:
        store = SqliteStore(path)
        store._connection.execute("PRAGMA wal_autocheckpoint = 0")
        size = path.stat().st_size
        store.append(entries_of(said(10)), None)
        store.rest()
        assert size == path.stat().st_size
        store.append(entries_of(said(REST_PAGES, first=11, text="x" * PAGE)), None)
        store.rest()
        assert path.stat().st_size > REST_PAGES * PAGE
        store.close()

    def test_a_disk_without_a_log_is_refused(self, path: Path) -> None:
        """As a network disk may be; a real one of another mode stands for it."""
        with pytest.raises(StoreError, match=r"no write-ahead log is possible there \(memory\)"):
            SqliteStore(path, connect=in_memory)


class TestMark:
    """How far a journal was durable, kept beside it."""

    def test_it_is_the_last_entry_that_was_appended(self, path: Path) -> None:
        store = SqliteStore(path)
        rows = entries_of(said(300))
        expected = []
        for at, end in ((0, 1), (1, 4), (4, 300)):  # one statement, and a transaction
            store.append(rows[at:end], None)
            expected.append((rows[end - 1][0], rows[end - 1][6]))
        assert expected[-1] == Mark(beside(path, ".mark")).read()
        store.close()

    @pytest.mark.parametrize("checksum", [0, 1, 2**32 - 1])
    @pytest.mark.parametrize("seq", [1, 2**63 - 1])
    def test_it_holds_any_entry(self, tmp_path: Path, seq: int, checksum: int) -> None:
        mark = Mark(tmp_path / "a.mark")
        mark.write(7, 7)
        mark.write(seq, checksum)
        assert (seq, checksum) == mark.read()
        mark.close()
        mark.close()
        assert (seq, checksum) == Mark(tmp_path / "a.mark").read()

    def test_where_it_cannot_be_written_the_journal_goes_on(self, path: Path) -> None:
        beside(path, ".mark").mkdir()
        store = SqliteStore(path)
        store.append(entries_of(said(3)), None)
        last = store.last()
        store.close()
        assert last is not None
        assert 3 == last.seq

    @pytest.mark.parametrize(
        "tear",
        [
            lambda content: content[:-1],
            lambda _: b"",
            lambda content: b"\x01" + content[1:],
            lambda content: content[:8] + b"\xff" + content[9:],
            lambda content: content[:-1] + bytes([content[-1] ^ 1]),
            lambda content: bytes(len(content)),
        ],
    )
    def test_a_torn_one_is_ignored(self, path: Path, tear: Callable[[bytes], bytes]) -> None:
        store = SqliteStore(path)
        store.append(entries_of(said(3)), None)
        store.close()
        mark = beside(path, ".mark")
        mark.write_bytes(tear(mark.read_bytes()))
        assert Mark(mark).read() is None
        store = SqliteStore(path)
        last = store.last()
        assert last is not None
        assert 3 == last.seq
        store.append(entries_of(said(1, first=4, text="on"), checksum=last.checksum), None)
        assert 4 == (Mark(mark).read() or (0, 0))[0]
        store.close()

    def test_there_is_none_before_the_first_entry(self, path: Path) -> None:
        store = SqliteStore(path)
        assert store.last() is None
        assert not beside(path, ".mark").exists()
        store.close()


class TestLostEntries:
    """A journal that ends before its mark has lost what was durable."""

    def test_a_log_that_is_gone(self, path: Path, tmp_path: Path) -> None:
        """Somebody tidied up: `rm *-wal` after a crash."""
        store = SqliteStore(path)
        store.append(entries_of(said(3)), None)
        store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        checksum = store.checksums(3, 3)[0][2]
        store.append(entries_of(said(4, first=4), checksum=checksum), None)
        copy = crashed(path, tmp_path / "dead", wal=False)
        store.close()
        store = SqliteStore(copy)
        with pytest.raises(DamagedJournalError, match="entries 4 to 7 were durable") as caught:
            store.last()
        assert 4 == caught.value.seq
        assert "Restore a backup that has" in str(caught.value)
        assert f"delete {copy}.mark" in str(caught.value)
        store.close()

    def test_all_of_it(self, path: Path, tmp_path: Path) -> None:
        store = SqliteStore(path)
        store.append(entries_of(said(2)), None)
        copy = crashed(path, tmp_path / "dead", wal=False)
        store.close()
        store = SqliteStore(copy)
        with pytest.raises(DamagedJournalError, match="entries 1 to 2 were durable") as caught:
            store.last()
        assert 1 == caught.value.seq
        store.close()

    def test_an_older_copy_of_the_file(self, path: Path, tmp_path: Path) -> None:
        store = SqliteStore(path)
        store.append(entries_of(said(3)), None)
        store.close()
        older = tmp_path / "older.db"
        shutil.copy(path, older)
        store = SqliteStore(path)
        store.append(entries_of(said(2, first=4)), None)
        store.close()
        shutil.copy(older, path)
        store = SqliteStore(path)
        with pytest.raises(DamagedJournalError, match="entries 4 to 5"):
            store.last()
        beside(path, ".mark").unlink()  # as the message says, by somebody who knows
        last = store.last()
        store.close()
        assert last is not None
        assert 3 == last.seq

    def test_another_engines_file(self, path: Path) -> None:
        """As many entries, but not these."""
        store = SqliteStore(path)
        store.append(entries_of(said(3)), None)
        store.close()
        theirs = entries_of(said(3, text="another journal"))
        beside(path, ".mark").write_bytes(_mark(3, theirs[2][6]))
        store = SqliteStore(path)
        with pytest.raises(DamagedJournalError, match="entry 3 is not the one") as caught:
            store.last()
        store.close()
        assert 3 == caught.value.seq

    def test_an_entry_missing_in_the_middle_at_the_mark(self, path: Path) -> None:
        """A mark that is behind is no alarm; one whose entry is gone is."""
        store = SqliteStore(path)
        store.append(entries_of(said(5)), None)
        beside(path, ".mark").write_bytes(_mark(3, entries_of(said(5))[2][6]))
        last = store.last()
        assert last is not None
        assert 5 == last.seq
        store._connection.execute("DELETE FROM event_journal WHERE seq = 3")
        with pytest.raises(DamagedJournalError, match="entry 3 is not the one"):
            store.last()
        store.close()

    def test_all_are_there_but_the_last_is_not_found(self, path: Path) -> None:
        """One bit: the last page says that it has more rows. What can be read is not called lost.

        https://www.sqlite.org/fileformat2.html#b_tree_pages: 8 bytes into the root is the number of
        its last page, and 3 bytes into that one how many rows it has.
        """
        store = SqliteStore(path)
        store.append(entries_of(said(40, text="x" * (PAGE // 8))), None)
        (root,) = store._connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'event_journal'"
        ).fetchone()
        store.close()
        content = bytearray(path.read_bytes())
        (last,) = struct.unpack_from(">I", content, (root - 1) * PAGE + 8)
        count = (last - 1) * PAGE + 4
        assert 0 < content[count] < 16
        content[count] ^= 16
        path.write_bytes(content)
        store = SqliteStore(path)
        assert list(range(1, 41)) == [entry.seq for entry in store.entries(0, 40)]
        with pytest.raises(DamagedJournalError, match="all up to entry 40 can be read") as caught:
            store.last()
        store.close()
        assert 41 == caught.value.seq


class TestTornEnds:
    """A transaction that was not finished is cut off, and told."""

    @pytest.fixture
    def told(self) -> list[str]:
        """What the opener was told."""
        return []

    def test_the_power_went_in_the_middle_of_a_transaction(
        self, path: Path, tmp_path: Path, told: list[str]
    ) -> None:
        """So large that parts of it were on the disk; the last page half."""
        store = SqliteStore(path)
        rows = entries_of(said(3))
        store.append(rows, None)
        store._connection.execute("PRAGMA cache_size = 10")
        big = entries_of(said(200, first=4, text="x" * PAGE), checksum=rows[-1][6])
        with store.transaction() as cursor:
            store.insert_entries(cursor, big)
            copy = crashed(path, tmp_path / "dead")
        store.close()
        wal = beside(copy, "-wal")
        shorter = wal.stat().st_size - PAGE // 2
        wal.write_bytes(wal.read_bytes()[:shorter])
        store = SqliteStore(copy, notice=told.append)
        assert 3 == len(list(store.entries(0)))
        last = store.last()
        store.close()
        assert last is not None
        assert 3 == last.seq
        (text,) = told
        assert int(text.partition("cut ")[2].split()[0]) > 100
        assert "nothing of it was durable" in text

    def test_a_commit_whose_last_page_is_torn(
        self, path: Path, tmp_path: Path, told: list[str]
    ) -> None:
        """It had been durable: the mark knows, where it is there."""
        store = SqliteStore(path)
        rows = entries_of(said(3))
        store.append(rows, None)
        store.append(entries_of(said(9, first=4, text="y" * PAGE), checksum=rows[-1][6]), None)
        copy = crashed(path, tmp_path / "dead")
        store.close()
        wal = beside(copy, "-wal")
        wal.write_bytes(wal.read_bytes()[: -FRAME // 2])
        store = SqliteStore(copy, notice=told.append)
        assert 1 == len(told)
        with pytest.raises(DamagedJournalError, match="entries 4 to 12 were durable"):
            store.last()
        beside(copy, ".mark").unlink()
        assert 3 == len(list(store.entries(0)))
        store.close()

    def test_a_whole_log_is_not_told_of(self, path: Path, tmp_path: Path, told: list[str]) -> None:
        store = SqliteStore(path)
        for seq in range(1, 40):
            store.append(entries_of(said(1, first=seq)), None)
        copy = crashed(path, tmp_path / "dead")
        store.close()
        store = SqliteStore(copy, notice=told.append)
        assert 39 == len(list(store.entries(0)))
        store.close()
        assert [] == told

    def test_an_older_round_of_the_log_is_not_told_of(
        self, path: Path, tmp_path: Path, told: list[str]
    ) -> None:
        """After a checkpoint the log is written over from its beginning."""
        store = SqliteStore(path)
        store.append(entries_of(said(200, text="x" * PAGE)), None)
        store._connection.execute("PRAGMA wal_checkpoint(RESTART)")
        store.append(entries_of(said(1, first=201)), None)
        assert beside(path, "-wal").stat().st_size > 200 * FRAME
        copy = crashed(path, tmp_path / "dead")
        store.close()
        store = SqliteStore(copy, notice=told.append)
        assert 201 == len(list(store.entries(0)))
        store.close()
        assert [] == told

    @pytest.mark.parametrize("size", [0, 1, WAL_HEADER - 1, WAL_HEADER])
    def test_a_log_without_a_whole_header_is_no_reason_to_fail(
        self, path: Path, tmp_path: Path, told: list[str], size: int
    ) -> None:
        store = SqliteStore(path)
        store.append(entries_of(said(1)), None)
        copy = crashed(path, tmp_path / "dead", mark=False)
        store.close()
        wal = beside(copy, "-wal")
        wal.write_bytes(wal.read_bytes()[:size])
        store = SqliteStore(copy, notice=told.append)
        assert store.last() is None
        store.close()
        assert [] == told


def _mark(seq: int, checksum: int) -> bytes:
    """The content of a mark, made here."""
    numbers = struct.pack("<QQ", seq, checksum)
    return numbers + struct.pack("<I", crc32(numbers))


def in_memory(_path: Path, **kwargs: Any) -> sqlite3.Connection:
    """A connection to a database that can have no log."""
    connection: sqlite3.Connection = sqlite3.connect(":memory:", **kwargs)
    return connection
