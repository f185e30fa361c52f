"""Damage: the end of a journal cut off at every byte, and changed in every byte.

A journal may end earlier than it did only where nobody was told that the rest was durable: the
mark beside the file says how much was. So with the mark a damaged store gives everything, or it
refuses and names the first entry that is not as it was; without the mark (it may go with the power)
what is left may also be an exact beginning. It never gives anything else.
"""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import Struct

from proof.counts import Counts
from proof.setting import Setting
from proof.stores import SQLITE
from zvt_trading.adapters.store.sqlite_store import SqliteStore
from zvt_trading.ports.store import (
    FIRST_CHECKSUM,
    DamagedJournalError,
    Entry,
    StoreError,
)
from zvt_trading.runtime.entries import checked

TAIL: Final = 64 * 1024
"""Bytes of the end that are looked at."""
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a scratch disk where there is one
FIELDS: Final = ("seq", "ts", "epoch", "kind", "version", "body", "checksum")


class _Files(Struct):
    """A store as its process left it."""

    database: bytes
    log: bytes
    mark: bytes
    entries: list[Entry]


def damage(setting: Setting, every: int) -> Counts:
    """Cut and change every `every`-th byte, of entries, of the log, and of the database file."""
    began = time.monotonic()
    counts = Counts(part="damage", problems=[])
    files = _make(setting)
    _damage_entries(files.entries, every, counts)
    base = MEMORY if MEMORY.is_dir() else setting.folder
    scratch = base / f"zvt-proof-{setting.folder.name}"
    scratch.mkdir(exist_ok=True)
    path = scratch / "store.db"
    try:
        merged = _merged(files, path)
        for mark in (files.mark, b""):
            for content in _damaged(files.log, every):
                _look(path, files, files.database, content, mark, counts)
            for content in _damaged(merged, every):
                _look(path, files, content, b"", mark, counts)
    finally:
        shutil.rmtree(scratch)
    return setting.done(counts, began)


def _make(setting: Setting) -> _Files:
    """A journal of some length, whose process was killed: its end is in the log."""
    with setting.trial(setting.seed, SQLITE) as trial:
        trial.life(300, dies_at=("commit: after", 400))
        if not trial.kills:
            raise RuntimeError("the scenario ended before it was killed: make it longer")
    disk = trial.folder / "disk"
    files = _Files(
        (disk / "store.db").read_bytes(),
        (disk / "store.db-wal").read_bytes(),
        (disk / "store.db.mark").read_bytes(),
        [],
    )
    with closing(SqliteStore(disk / "store.db")) as store:
        files.entries.extend(store.entries(0))
    trial.forget()
    return files


def _merged(files: _Files, path: Path) -> bytes:
    """The database file after the log was moved into it."""
    _write(path, files.database, files.log, files.mark)
    SqliteStore(path).close()
    return path.read_bytes()


def _damaged(content: bytes, every: int) -> Iterator[bytes]:
    """Cut at, and with one bit changed in, each byte of the end."""
    for at in range(max(0, len(content) - TAIL), len(content), every):
        yield content[:at]
        yield content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]


def _write(path: Path, database: bytes, log: bytes, mark: bytes) -> None:
    for suffix, content in (("", database), ("-wal", log), (".mark", mark)):
        Path(f"{path}{suffix}").write_bytes(content)
    Path(f"{path}-shm").unlink(missing_ok=True)


def _look(
    path: Path, files: _Files, database: bytes, log: bytes, mark: bytes, counts: Counts
) -> None:
    """One damaged store."""
    counts.images += 1
    _write(path, database, log, mark)
    wanted = files.entries
    try:
        with closing(SqliteStore(path)) as store:
            store.last()
            found = [entry for entry, _ in checked(store.entries(0), "", 0, FIRST_CHECKSUM)]
    except DamagedJournalError as error:
        named = _first_wrong(path, wanted)
        if error.seq != named:
            counts.fail(
                f"damage at entry {named} was called one at {error.seq}: {error} {len(wanted)}"
            )
        return
    except StoreError:
        return  # no database any more
    if found == wanted:
        return
    if found != wanted[: len(found)]:
        counts.fail(f"other entries than were written: {len(found)} of {len(wanted)}")
    elif mark:
        counts.fail(f"{len(found)} of {len(wanted)} entries, and nothing was said")


def _first_wrong(path: Path, wanted: list[Entry]) -> int:
    """The first entry that is not there as it was, read without our code."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = _text
        rows = connection.execute(f"SELECT {', '.join(FIELDS)} FROM event_journal ORDER BY seq")
        try:
            for entry in wanted:
                if rows.fetchone() != tuple(entry):
                    return entry.seq
        except sqlite3.DatabaseError:
            return -1
    return len(wanted) + 1


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _damage_entries(entries: list[Entry], every: int, counts: Counts) -> None:
    """The same on the entries, in whatever database they are: every byte of every field."""
    before = FIRST_CHECKSUM
    tail = 0
    for entry in reversed(entries):
        tail += len(entry.body)
        if tail > TAIL:
            break
    first = entry.seq
    number = 0
    for entry in entries:
        if entry.seq >= first:
            for changed in _changed(entry):
                number += 1
                if number % every == 0:
                    counts.images += 1
                    _must_refuse(changed, entry, before, counts)
        before = entry.checksum


def _changed(entry: Entry) -> Iterator[Entry]:
    for at in range(len(entry.body)):
        other = chr(ord(entry.body[at]) ^ 1 << at % 7)
        yield entry._replace(body=entry.body[:at] + other + entry.body[at + 1 :])
        yield entry._replace(body=entry.body[:at])
    for field in ("seq", "ts", "epoch", "version", "checksum"):
        for bit in range(32):
            yield entry._replace(**{field: getattr(entry, field) ^ 1 << bit})
    yield entry._replace(kind=entry.kind[:-1])


def _must_refuse(changed: Entry, entry: Entry, before: int, counts: Counts) -> None:
    try:
        list(checked([changed], "", entry.seq - 1, before))
    except DamagedJournalError as error:
        if error.seq != entry.seq:
            counts.fail(f"damage at entry {entry.seq} was called one at {error.seq}")
        return
    counts.fail(f"entry {entry.seq} was changed, and nothing was said: {changed}")
