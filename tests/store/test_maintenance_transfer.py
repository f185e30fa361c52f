"""A journal out of one database and into another: complete, to the byte, or not at all."""

import gzip
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from maintenance_world import OWNER, DeathError, Dying, entries, live, lived, rows
from store_world import TS, digest_of, entries_of, query, replayed, said, simulated

from zvt_trading.adapters.store.opening import open_store
from zvt_trading.errors import CallerError, DataError
from zvt_trading.messages.codec import CODEC_VERSION
from zvt_trading.ports.store import (
    FIRST_CHECKSUM,
    DamagedJournalError,
    Entry,
    EntryRow,
    StoreError,
    chain_value,
)
from zvt_trading.runtime.maintenance import rebuild, transfer
from zvt_trading.runtime.maintenance.archive import check_name, read_lines, written
from zvt_trading.runtime.maintenance.transfer import (
    Header,
    Imported,
    export_journal,
    import_journal,
)
from zvt_trading.runtime.maintenance.verify import verify

pytest_plugins = ("store_fixtures",)

CREATED: Final = "2026-01-01T00:00:00+00:00"
GROUP: Final = 60
LOCKS: Final = (
    "SELECT objid FROM pg_locks JOIN pg_database ON oid = database "
    "WHERE locktype = 'advisory' AND datname = current_database()"
)


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a short journal has several."""
    for module in (transfer, rebuild):
        monkeypatch.setattr(module, "SLICE", GROUP)


@pytest.fixture
def other_sqlite_url(tmp_path: Path) -> str:
    """A second file, not there yet."""
    return f"sqlite:///{tmp_path / 'other.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def target_url(request: pytest.FixtureRequest) -> str:
    """Another database, of each kind, without a table."""
    name = "other_sqlite_url" if request.param == "sqlite" else "bare_pg_url"
    url: str = request.getfixturevalue(name)
    return url


def exported(url: str, until: int | None = None) -> list[bytes]:
    """The lines of a store."""
    found: list[bytes] = []
    store = open_store(url)
    try:
        export_journal(store, found.append, created=CREATED, schema_version="0", until=until)
    finally:
        store.close()
    return b"".join(found).splitlines(keepends=True)


def imported(url: str, lines: list[bytes]) -> Imported:
    """A store from lines."""
    store = open_store(url)
    try:
        return import_journal(store, lines, OWNER, "copy.jsonl")
    finally:
        store.close()


def header_of(lines: list[bytes]) -> Header:
    """The first line."""
    return msgspec.json.decode(lines[0], type=Header)


def identity(url: str) -> tuple[str, int]:
    """A store's id and its tag in order ids."""
    store = open_store(url)
    info = store.info()
    store.close()
    return info.store_id, info.engine_tag


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of a sound journal."""
    url = f"sqlite:///{tmp_path_factory.mktemp('sound') / 'store.db'}"
    lived(url)
    return exported(url)


# There and back.


@pytest.mark.parametrize("seed", [1, 5])
def test_a_store_moves_from_any_database_to_any(store_url: str, target_url: str, seed: int) -> None:
    """Entries to the byte, rows, digest, id and tag; verify finds nothing to say."""
    events = lived(store_url, seed)
    done = imported(target_url, exported(store_url))
    assert (len(events), digest_of(replayed(events))) == (done.entries, done.digest)
    assert entries(store_url) == entries(target_url)
    assert rows(store_url) == rows(target_url)
    assert identity(store_url) == identity(target_url)
    store = open_store(target_url)
    found = verify(store)
    store.close()
    assert ([], done.digest, 1) == (found.problems, found.digest, found.snapshots)


def test_an_empty_store_moves_too(store_url: str, target_url: str) -> None:
    """It keeps its identity; there is no more to keep."""
    done = imported(target_url, exported(store_url))
    assert 0 == done.entries
    assert identity(store_url) == identity(target_url)
    live(target_url, said(3))


def test_an_engine_goes_on_in_the_new_place(store_url: str, target_url: str) -> None:
    """And what it decides there is what it would have decided in the old one."""
    events = simulated(1)
    half = len(events) // 2
    live(store_url, events[:half])
    imported(target_url, exported(store_url))
    live(target_url, events[half:])
    live(store_url, events[half:])
    assert rows(store_url) == rows(target_url)


def test_no_epoch_comes_twice(store_url: str, target_url: str) -> None:
    """An order id has the epoch in it: the next engine's is above all that the old store gave."""
    for number in range(4):
        live(store_url, said(2, 1 + 2 * number))
    before = entries(store_url)[-1].epoch
    done = imported(target_url, exported(store_url))
    store = open_store(target_url)
    after = store.acquire(OWNER).epoch
    store.close()
    assert before < done.epoch < after
    assert header_of(exported(store_url)).epoch >= before


def test_the_new_store_is_taken_like_any_other(bare_pg_url: str, sound: list[bytes]) -> None:
    """The lock of a server's store is on its tag, which the import has changed."""
    done = imported(bare_pg_url, sound)
    assert [] == query(bare_pg_url, LOCKS)
    live(bare_pg_url, said(2, done.entries + 1))


def test_the_lock_follows_the_identity(bare_pg_url: str) -> None:
    """While an import goes on nobody else can take the store."""
    store = open_store(bare_pg_url)
    store.acquire(OWNER)
    store.adopt("a" * 32, 77, 5)
    assert (77,) in query(bare_pg_url, LOCKS)
    store.renew()
    store.close()


def test_an_engine_may_trade_while_its_store_is_exported(
    store_url: str, other_sqlite_url: str
) -> None:
    """What was there at the beginning is exported: an online backup."""
    events = simulated(1)
    half = len(events) // 2
    live(store_url, events[:half])
    found: list[bytes] = []
    reports: list[tuple[int, int]] = []

    def trade(done: int, total: int) -> None:
        if not reports:
            live(store_url, events[half:])
        reports.append((done, total))

    store = open_store(store_url)
    header = export_journal(
        store, found.append, created=CREATED, schema_version="0", on_progress=trade
    )
    store.close()
    assert half == header.last_seq
    assert (half, half) == reports[-1]
    done = imported(other_sqlite_url, b"".join(found).splitlines(keepends=True))
    assert digest_of(replayed(events[:half])) == done.digest


def test_an_export_may_end_where_a_journal_is_still_sound(sqlite_url: str) -> None:
    """What can be saved of a damaged one."""
    lived(sqlite_url)
    query(sqlite_url, "UPDATE event_journal SET checksum = 1 WHERE seq = 101")
    with pytest.raises(DamagedJournalError, match="entry 101 "):
        exported(sqlite_url)
    assert 101 == len(exported(sqlite_url, until=100))
    with pytest.raises(CallerError, match="has no entry 9999"):
        exported(sqlite_url, until=9_999)


def test_what_was_saved_is_a_store(sqlite_url: str, target_url: str) -> None:
    """As of that entry."""
    events = lived(sqlite_url)
    done = imported(target_url, exported(sqlite_url, until=100))
    assert digest_of(replayed(events[:100])) == done.digest


# To the byte.


@given(st.text(st.characters(codec="utf-8")), st.integers(0, 2**62))
def test_any_text_comes_back(text: str, number: int) -> None:
    """Whatever a venue or a user wrote into an event."""
    store = Listed([chained(msgspec.json.encode(_event(1, text, number)).decode(), 1)])
    assert store.rows == store.there_and_back()


@pytest.mark.parametrize(
    "body",
    [
        '{"msg":"EngineResumed","seq":1,"ts":1,"text":"a"}',
        ' {"msg": "EngineResumed",\n "seq": 1, "ts": 1, "text": "a"} ',
        '{"msg":"EngineResumed","seq":1,"ts":1,"text":"\\u00e9\\ud83d\\ude00\\n\\u0000"}',
        '{"msg":"EngineResumed","seq":1,"ts":1,"text":"é😀","more":1e400}',
        '{"text":"a","ts":1,"seq":1,"msg":"EngineResumed"}\r\n',
    ],
)
def test_any_form_comes_back(body: str) -> None:
    """A body is what was written, not what this program would write."""
    store = Listed([chained(body, 1)])
    assert store.rows == store.there_and_back()


def test_a_line_can_be_read_by_other_programs(sound: list[bytes]) -> None:
    """One JSON object each, the event inside it."""
    found = json.loads(sound[5])
    assert ["seq", "ts", "epoch", "kind", "version", "body", "checksum"] == list(found)
    assert (5, found["kind"]) == (found["seq"], found["body"]["msg"])


# What is refused.


def flipped(lines: list[bytes]) -> None:
    lines[50] = lines[50].replace(b'"ts":1', b'"ts":2', 1)


def flipped_inside(lines: list[bytes]) -> None:
    head, body, tail = lines[50].rpartition(b'"msg":')
    lines[50] = head + body + tail.replace(b'"seq":50', b'"seq":5e1', 1)


def dropped(lines: list[bytes]) -> None:
    del lines[50]


def doubled(lines: list[bytes]) -> None:
    lines.insert(50, lines[50])


def swapped(lines: list[bytes]) -> None:
    lines[50], lines[51] = lines[51], lines[50]


def cut(lines: list[bytes]) -> None:
    del lines[51:]


def cut_within(lines: list[bytes]) -> None:
    lines[50] = lines[50][:30]
    del lines[51:]


def garbage(lines: list[bytes]) -> None:
    lines[50] = b"\xff\xfe\x00garbage\n"


def blank(lines: list[bytes]) -> None:
    lines.insert(50, b"\n")


def longer(lines: list[bytes]) -> None:
    lines.append(lines[-1].replace(b'{"seq":', b'{"seq":1', 1))


def higher_epoch(lines: list[bytes]) -> None:
    lines[50] = lines[50].replace(b'"epoch":1', b'"epoch":9', 1)


def huge(lines: list[bytes]) -> None:
    lines[50] = lines[50].replace(b'"ts":', b'"ts":99999999999999999999', 1)


def negative(lines: list[bytes]) -> None:
    lines[50] = lines[50].replace(b'"checksum":', b'"checksum":-', 1)


def header(lines: list[bytes], **changes: object) -> None:
    """Another first line, with a good checksum."""
    lines[0] = msgspec.json.encode(msgspec.structs.replace(header_of(lines), **changes).sealed())


def torn_header(lines: list[bytes]) -> None:
    lines[0] = lines[0].replace(b'"engine_tag":', b'"engine_tag":1', 1)


def no_header(lines: list[bytes]) -> None:
    del lines[0]


def nothing(lines: list[bytes]) -> None:
    lines.clear()


DAMAGES: Final[dict[str, tuple[Callable[[list[bytes]], None], str]]] = {
    "a changed time": (flipped, "line 51: entry 50 is damaged or missing in this file"),
    "a changed body": (flipped_inside, "line 51: entry 50 is damaged or missing in this file"),
    "a missing line": (dropped, "line 51: entry 50 is damaged or missing in this file"),
    "a line twice": (doubled, "line 52: entry 51 is damaged or missing in this file"),
    "two lines swapped": (swapped, "line 51: entry 50 is damaged or missing in this file"),
    "the end cut off": (cut, "line 51: it ends after entry 50 of"),
    "cut within a line": (cut_within, "line 51: not an entry"),
    "bytes that are no text": (garbage, "line 51: not an entry"),
    "an empty line": (blank, "line 51: not an entry"),
    "more than was exported": (longer, "entries that line 1 tells of"),
    "an epoch from nowhere": (higher_epoch, "line 51: of epoch 9"),
    "a number that no column takes": (huge, "line 51: not an entry"),
    "a checksum below zero": (negative, "line 51: not an entry"),
    "a damaged first line": (torn_header, "line 1: it is damaged"),
    "no first line": (no_header, "line 1: not the first line of an exported journal"),
    "an empty file": (nothing, "line 0: not the first line of an exported journal"),
    "another format": (partial(header, format="x"), "line 1: an export of 'x'"),
    "a newer format": (partial(header, format_version=2), "line 1: written by a newer program"),
    "a newer codec": (
        partial(header, codec_version=CODEC_VERSION + 1),
        "line 1: written by a newer program",
    ),
    "another end": (partial(header, last_checksum=7), "it ends after entry"),
    "an id that is none": (partial(header, store_id="../x"), "line 1: not the first line"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_with_its_line(
    sqlite_url: str, sound: list[bytes], damage: str
) -> None:
    """And no engine starts on what was taken in until then."""
    change, said_of_it = DAMAGES[damage]
    lines = list(sound)
    change(lines)
    with pytest.raises(DataError) as error:
        imported(sqlite_url, lines)
    assert str(error.value).startswith("copy.jsonl: line ")
    assert said_of_it in str(error.value)
    began = query(sqlite_url, "SELECT projected_seq FROM engine_store") == [(-1,)]
    assert began == ("line 1:" not in said_of_it and "line 0:" not in said_of_it)
    if began:
        with pytest.raises(StoreError, match="not finished"):
            live(sqlite_url, ())


@pytest.mark.parametrize("damage", ["the end cut off", "a missing line", "a damaged first line"])
def test_a_good_copy_goes_on_where_a_bad_one_ended(
    store_url: str, sound: list[bytes], damage: str
) -> None:
    """Nothing has to be deleted."""
    lines = list(sound)
    DAMAGES[damage][0](lines)
    with pytest.raises(DataError):
        imported(store_url, lines)
    done = imported(store_url, sound)
    assert header_of(sound).last_seq == done.entries
    store = open_store(store_url)
    assert [] == verify(store).problems
    store.close()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("appends", [1, 3, 7, 9, 10])
def test_it_may_die_anywhere(
    store_url: str, sound: list[bytes], appends: int, *, after: bool
) -> None:
    """In the journal, or in the tables after it: the same import again finishes it."""
    store = open_store(store_url)
    with pytest.raises(DeathError):
        import_journal(Dying(store, appends, after=after), sound, OWNER, "copy.jsonl")
    store.close()
    done = imported(store_url, sound)
    assert digest_of(replayed(simulated(1))) == done.digest
    assert header_of(sound).last_seq == len(entries(store_url))
    store = open_store(store_url)
    assert [] == verify(store).problems
    store.close()


def test_the_same_import_twice_is_once(store_url: str, sound: list[bytes]) -> None:
    """A script may be run again."""
    first = imported(store_url, sound)
    before = rows(store_url)
    again = imported(store_url, sound)
    assert (first.entries, first.digest) == (again.entries, again.digest)
    assert before == rows(store_url)


def test_a_store_with_entries_is_not_overwritten(store_url: str, sound: list[bytes]) -> None:
    """Neither another one nor the same one after it was traded on."""
    live(store_url, said(3))
    with pytest.raises(CallerError, match="has 3 entries already: an import needs an empty store"):
        imported(store_url, sound)
    assert 3 == len(entries(store_url))


def test_a_store_that_went_on_is_not_set_back(sqlite_url: str, sound: list[bytes]) -> None:
    """Its own backup would forget what it did since."""
    done = imported(sqlite_url, sound)
    live(sqlite_url, said(2, done.entries + 1))
    with pytest.raises(CallerError, match="an import needs an empty store"):
        imported(sqlite_url, sound)


def test_two_imports_are_not_mixed(
    sqlite_url: str, other_sqlite_url: str, sound: list[bytes]
) -> None:
    """What one began another cannot finish."""
    lived(other_sqlite_url, 2)
    with pytest.raises(DataError):
        imported(sqlite_url, sound[:200])
    with pytest.raises(CallerError, match="entries of another import, of the store"):
        imported(sqlite_url, exported(other_sqlite_url))


def test_an_import_that_took_nothing_in_is_forgotten(
    sqlite_url: str, other_sqlite_url: str, sound: list[bytes]
) -> None:
    """The store is as empty as before, so any file may follow."""
    events = lived(other_sqlite_url, 2)
    with pytest.raises(DataError, match="it ends after entry 0 of"):
        imported(sqlite_url, sound[:1])
    assert len(events) == imported(sqlite_url, exported(other_sqlite_url)).entries
    assert identity(other_sqlite_url) == identity(sqlite_url)


def test_an_older_backup_cannot_finish_a_newer_one(sqlite_url: str, sound: list[bytes]) -> None:
    """The store would have entries that the file does not know."""
    with pytest.raises(DataError):
        imported(sqlite_url, sound[:200])
    older = list(sound[:101])
    header(older, last_seq=100, last_checksum=json.loads(older[-1])["checksum"])
    with pytest.raises(CallerError, match="entries of another import"):
        imported(sqlite_url, older)


def test_a_file_of_another_past_is_refused(sqlite_url: str, sound: list[bytes]) -> None:
    """It says that it is the same store, but what was taken in is not in it."""
    events = simulated(2)
    rows_of = entries_of(events)
    other = [*sound[:1], *[_line(row) for row in rows_of]]
    header(other, last_seq=len(rows_of), last_checksum=rows_of[-1][6])
    with pytest.raises(DataError):
        imported(sqlite_url, sound[:100])
    with pytest.raises(DataError, match="not the entry that an earlier import took in"):
        imported(sqlite_url, other)


def test_half_an_import_is_not_exported(sqlite_url: str, sound: list[bytes]) -> None:
    """A backup of it would look like one of the store."""
    with pytest.raises(DataError):
        imported(sqlite_url, sound[:100])
    with pytest.raises(StoreError, match="not finished"):
        exported(sqlite_url)


# Files.


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_file_comes_back(tmp_path: Path, name: str, sound: list[bytes]) -> None:
    """Packed or not, by its name; for its owner only; the same file each time."""
    path = tmp_path / name
    contents: set[bytes] = set()
    for _ in range(2):
        with written(path) as write:
            for line in sound:
                write(line)
            assert not path.exists() or contents
        contents.add(path.read_bytes())
    assert sound == list(read_lines(path))
    assert 1 == len(contents)
    assert 0o600 == path.stat().st_mode & 0o777
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("before", [None, b"older"])
def test_a_file_that_fails_is_not_there(tmp_path: Path, before: bytes | None) -> None:
    """What was there before is as it was."""
    path = tmp_path / "a.jsonl.gz"
    if before is not None:
        path.write_bytes(before)
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(path)
    found = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert ({"a.jsonl.gz": before} if before is not None else {}) == found


def _write_and_fail(path: Path) -> None:
    with written(path) as write:
        write(b"x")
        raise ZeroDivisionError


def test_an_error_of_the_disk_names_the_file(tmp_path: Path) -> None:
    """Whatever the name was while it was written."""
    path = tmp_path / "a.jsonl"
    with pytest.raises(OSError, match="No space left") as error, written(path):
        raise OSError(28, "No space left on device")
    assert str(path) == error.value.filename
    with pytest.raises(FileNotFoundError), written(tmp_path / "nowhere" / "a.jsonl"):
        pass


@pytest.mark.parametrize("name", ["a", "a.json", "a.gz", "a.jsonl.zip", "a.db"])
def test_a_name_says_what_a_file_is(name: str) -> None:
    """So that no database is overwritten by accident."""
    with pytest.raises(CallerError, match=r"name a file \.jsonl or \.jsonl\.gz"):
        check_name(Path(name))


@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_a_packed_file_that_was_cut_is_refused(
    tmp_path: Path, sqlite_url: str, sound: list[bytes], keep: float
) -> None:
    """With the line that could not be read any more."""
    path = tmp_path / "a.jsonl.gz"
    packed = gzip.compress(b"".join(sound))
    path.write_bytes(packed[: int(len(packed) * keep)])
    with pytest.raises(DataError, match=r"a.jsonl.gz: line \d+: .*not complete"):
        _import_file(sqlite_url, path)


@pytest.mark.parametrize("content", [b"no gzip at all", b"\x1f\x8b\x08\x00broken rest of it"])
def test_what_is_not_packed_is_refused(tmp_path: Path, sqlite_url: str, content: bytes) -> None:
    """A renamed file, say."""
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.jsonl\.gz: line 1: "):
        _import_file(sqlite_url, path)


def _import_file(url: str, path: Path) -> None:
    store = open_store(url)
    try:
        import_journal(store, read_lines(path), OWNER, str(path))
    finally:
        store.close()


# Entries by hand.


class Listed:
    """Entries that are exported and read back without a database."""

    def __init__(self, rows_of: list[EntryRow]) -> None:
        self.rows = rows_of

    def there_and_back(self) -> list[EntryRow]:
        """What an import would append."""
        reader = transfer._Import(None, self._lines(), "x")  # type: ignore[arg-type]  # reads only
        header = reader._read_header()
        return [tuple(entry) for entry in reader._entries(header)]  # type: ignore[misc]  # an entry without names

    def _lines(self) -> Iterator[bytes]:
        sealed = Header(
            transfer.FORMAT, 1, "a" * 32, 1, 1, "0", 1, len(self.rows), self.rows[-1][6], CREATED
        ).sealed()
        yield msgspec.json.encode(sealed)
        text = b"".join([_line(row) for row in self.rows])
        yield from text.splitlines(keepends=True) if b"\r" not in text else text.split(b"\n")[:-1]


def _line(row: EntryRow) -> bytes:
    return transfer._written(Entry._make(row))


def _event(seq: int, text: str, number: int) -> dict[str, object]:
    return {"msg": "EngineResumed", "seq": seq, "ts": number, "text": text}


def chained(body: str, seq: int) -> EntryRow:
    """The first entry, with any body."""
    checksum = crc32(body.encode(), chain_value(FIRST_CHECKSUM, 1, 1))
    return (seq, TS, 1, "EngineResumed", 1, body, checksum)
