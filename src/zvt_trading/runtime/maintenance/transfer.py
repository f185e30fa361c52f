"""A journal as lines of text and back: the way out of one database into another, and a backup.

The first line says what is exported, every other one is an entry, with its body to the byte; tables
and snapshots are made anew from them. See docs/store.md.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Final
from zlib import crc32

import msgspec
from msgspec import Meta, Raw, Struct

from zvt_trading.errors import CallerError, DataError
from zvt_trading.messages.codec import CODEC_VERSION
from zvt_trading.ports.store import (
    FIRST_CHECKSUM,
    IMPORTING,
    DamagedJournalError,
    Entry,
    Store,
)
from zvt_trading.runtime.entries import checked, checksum_at, pages
from zvt_trading.runtime.maintenance.rebuild import (
    SLICE,
    Progress,
    end_of,
    fill_tables,
    finished_info,
    report,
)
from zvt_trading.runtime.snapshots import KEPT, snapshot_now

FORMAT: Final = "zvt-trading-journal"
FORMAT_VERSION: Final = 1

ADVICE: Final = (
    "The entries before it are in the store, and no engine starts on it: import a good copy of the "
    "file, or delete the store"
)

# What the columns take, so that a line which does not fit is told as such.
Int32 = Annotated[int, Meta(ge=0, le=(1 << 31) - 1)]
Int64 = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Checksum = Annotated[int, Meta(ge=0, le=(1 << 32) - 1)]
StoreId = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]

Write = Callable[[bytes], object]


class Header(Struct, frozen=True, forbid_unknown_fields=True):
    """The first line.

    `epoch` is the store's when it was exported, at least that of every entry; `check` is the CRC-32
    of this line with a `check` of 0.
    """

    format: str
    format_version: Int32
    store_id: StoreId
    engine_tag: Int32
    epoch: Int32
    schema_version: str
    codec_version: Int32
    last_seq: Int64
    last_checksum: Checksum
    created: str
    check: Checksum = 0

    def sealed(self) -> "Header":
        """With its `check`."""
        return msgspec.structs.replace(self, check=crc32(_encode(self._unsealed())))

    def is_sound(self) -> bool:
        """Whether it is what was written."""
        return self.check == crc32(_encode(self._unsealed()))

    def _unsealed(self) -> "Header":
        return msgspec.structs.replace(self, check=0)


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry; `body` as it is stored, or, where that is not one line, as a string."""

    seq: Int64
    ts: Int64
    epoch: Int32
    kind: str
    version: Int32
    body: Raw
    checksum: Checksum


class Imported(Struct, frozen=True):
    """What a store holds now; `epoch` is above that of every order id in it."""

    entries: int
    digest: str
    store_id: str
    epoch: int


_encode: Final = msgspec.json.Encoder().encode
_header: Final = msgspec.json.Decoder(Header)
_line: Final = msgspec.json.Decoder(Line)
_text: Final = msgspec.json.Decoder(str)


def export_journal(
    store: Store,
    write: Write,
    *,
    created: str,
    schema_version: str,
    until: int | None = None,
    on_progress: Progress | None = None,
) -> Header:
    """Write a store's journal, up to entry `until`, else to its end as it is now.

    An engine may go on appending. Raises DamagedJournalError at the first entry that is not what
    was written; what was written out until then is sound, but not what its first line says.
    """
    info = finished_info(store)
    if until is not None and not store.checksums(until, until):
        raise CallerError(f"{store.name} has no entry {until}")
    end = end_of(store) if until is None else until
    checksum = checksum_at(store, end)
    header = Header(
        FORMAT,
        FORMAT_VERSION,
        info.store_id,
        info.engine_tag,
        store.lease().epoch,  # after the end: no entry up to it has a higher one
        schema_version,
        CODEC_VERSION,
        end,
        checksum,
        created,
    ).sealed()
    write(_encode(header) + b"\n")
    for page in pages(store, 0, end, SLICE):
        write(b"".join([_written(entry) for entry, _ in page]))
        report(on_progress, page[-1][0].seq, end)
    return header


def import_journal(
    store: Store,
    lines: Iterable[bytes],
    owner: str,
    name: str,
    on_progress: Progress | None = None,
    on_tables: Progress | None = None,
) -> Imported:
    """Fill an empty store from the lines of the file `name`, or go on with that.

    Raises DataError with the line that is damaged or missing. No engine starts on the store until
    all of it is there; what was taken in is kept, and the same import begun again goes on after it.
    """
    return _Import(store, lines, name).go(owner, on_progress, on_tables)


class _Import:
    """One file being read."""

    def __init__(self, store: Store, lines: Iterable[bytes], name: str) -> None:
        self.store = store
        self.lines = iter(lines)
        self.name = name
        self.number = 0  # of the line that was read last

    def go(self, owner: str, on_progress: Progress | None, on_tables: Progress | None) -> Imported:
        header = self._read_header()
        epoch = self.store.acquire(owner).epoch
        have = self._check_store(header)
        if not have:
            self.store.adopt(header.store_id, header.engine_tag, header.epoch)
            epoch = max(epoch, header.epoch + 1)
        try:
            self._append(header, have, on_progress)
        except DataError as error:
            raise DataError(f"{error}. {ADVICE}") from error
        if self.store.info().projected_seq == IMPORTING:
            self.store.reset_tables()  # from here on the journal is all there
        core = fill_tables(self.store, on_tables).core
        snapshot = snapshot_now(core, header.last_checksum)
        if header.last_seq:
            self.store.save_snapshot(snapshot, KEPT)
        self.store.release()
        return Imported(header.last_seq, snapshot.digest, header.store_id, epoch)

    # The file.

    def _read_header(self) -> Header:
        found = next(self._numbered(), None)
        try:
            header = _header.decode(found if found is not None else b"")
        except msgspec.MsgspecError as error:
            raise self._bad(f"not the first line of an exported journal: {error}") from error
        if header.format != FORMAT:
            raise self._bad(f"an export of {header.format!r}, not of {FORMAT!r}")
        if not header.is_sound():
            raise self._bad("it is damaged: its checksum is not that of what it says")
        if header.format_version > FORMAT_VERSION or header.codec_version > CODEC_VERSION:
            raise self._bad("written by a newer program: import it with that one")
        return header

    def _numbered(self) -> Iterator[bytes]:
        for line in self.lines:
            self.number += 1
            yield line

    def _entries(self, header: Header) -> Iterator[Entry]:
        """What the lines say, as far as that can be said of one line."""
        for line in self._numbered():
            try:
                found = _line.decode(line)
                raw = bytes(found.body)
                body = _text.decode(raw) if raw.startswith(b'"') else raw.decode()
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise self._bad(f"not an entry: {error}") from error
            if found.seq > header.last_seq:
                raise self._bad(f"more than the {header.last_seq} entries that line 1 tells of")
            if found.epoch > header.epoch:
                raise self._bad(f"of epoch {found.epoch}, line 1 tells of {header.epoch} at most")
            yield Entry(
                found.seq, found.ts, found.epoch, found.kind, found.version, body, found.checksum
            )

    def _bad(self, problem: str) -> DataError:
        return DataError(f"{self.name}: line {self.number}: {problem}")

    # The store.

    def _check_store(self, header: Header) -> int:
        """How many entries it has: none, a part of these, or all of them and nothing else."""
        info = self.store.info()
        have = end_of(self.store)
        is_whole = have == header.last_seq and info.store_id == header.store_id
        if not have or is_whole:
            return have
        if info.projected_seq != IMPORTING:
            raise CallerError(
                f"{self.store.name} has {have} entries already: an import needs an empty store"
            )
        if info.store_id != header.store_id or have > header.last_seq:
            raise CallerError(
                f"{self.store.name} holds {have} entries of another import, of the store "
                f"{info.store_id}: go on with that file, or delete the store"
            )
        return have

    def _append(self, header: Header, have: int, on_progress: Progress | None) -> None:
        """All entries that the store has not got, in groups; each checked before it is stored."""
        known = checksum_at(self.store, have)
        group: list[Entry] = []
        seq, checksum = 0, FIRST_CHECKSUM
        try:
            for entry, _ in checked(self._entries(header), self.name, 0, FIRST_CHECKSUM):
                seq, checksum = entry.seq, entry.checksum
                if seq == have and checksum != known:
                    raise self._bad("not the entry that an earlier import took in")
                if seq > have:
                    group.append(entry)
                if len(group) == SLICE:
                    self._keep(group)
                    group = []
                    report(on_progress, seq, header.last_seq)
        except DamagedJournalError as error:
            raise self._bad(f"entry {error.seq} is damaged or missing in this file") from error
        if (seq, checksum) != (header.last_seq, header.last_checksum):
            raise self._bad(f"it ends after entry {seq} of {header.last_seq}: it is not complete")
        if group:
            self._keep(group)
        report(on_progress, seq, header.last_seq)

    def _keep(self, group: list[Entry]) -> None:
        self.store.renew()
        self.store.append(group, None)


def _written(entry: Entry) -> bytes:
    """A line; JSON has no line ends, but whoever wrote the body need not have known that."""
    body = entry.body.encode()
    is_one_line = body.startswith(b"{") and body.endswith(b"}") and b"\n" not in body
    raw = Raw(body if is_one_line else _encode(entry.body))
    return _encode(Line(*entry[:5], raw, entry.checksum)) + b"\n"
