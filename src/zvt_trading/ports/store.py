"""What the runtime needs of a store: a journal, tables made from it, snapshots, one lease.

A store is used by one thread at a time. Everything it returns from has happened durably; what went
wrong is one of the errors at the end of this module, never a guess.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple, Protocol
from zlib import crc32

from msgspec import Struct

from zvt_trading.errors import ZvtTradingError

FIRST_CHECKSUM = 0
"""What the first entry's checksum is chained to."""


EntryRow = tuple[int, int, int, str, int, str, int]
"""An `Entry` without names, as drivers take it: naming the fields costs as much as the checksum."""


class Entry(NamedTuple):
    """One event as it is stored; `body` is JSON of codec `version`, `kind` its type's name.

    `checksum` covers the entry and, through the checksum before it, everything before it.
    """

    seq: int
    ts: int
    epoch: int
    kind: str
    version: int
    body: str
    checksum: int


def chain_value(previous: int, epoch: int, version: int) -> int:
    """What the CRC-32 of an entry's body begins with: the checksum before it, and whose it is.

    So it finds what was changed, lost or swapped. Number, time and kind are in the body; the reader
    compares them with the columns.
    """
    return (previous + epoch * 0x9E3779B1 + version) & 0xFFFFFFFF


def follows(previous: int, entry: Entry) -> bool:
    """Whether an entry is as it was written after the one with this checksum."""
    try:
        body = entry.body.encode()
        return crc32(body, chain_value(previous, entry.epoch, entry.version)) == entry.checksum
    except (AttributeError, TypeError):
        return False  # damage can make a text of a number


Row = tuple[Any, ...]
"""Values in the order of the table's columns (ports/tables.py), as every driver takes them: exact
decimals, UUIDs, times (ISO 8601, UTC) and JSON as text, integers, booleans, None.
"""


class Changes:
    """What a stretch of events did to the tables; `seq` is the last event of it."""

    def __init__(self) -> None:
        self.seq = 0
        self.upserts: dict[str, list[Row]] = {}
        self.deletes: dict[str, list[Row]] = {}  # by key, before the upserts

    def upsert(self, table: str, row: Row) -> None:
        """The row with this key is now so."""
        self.upserts.setdefault(table, []).append(row)

    def delete(self, table: str, key: Row) -> None:
        """The row with this key is gone."""
        self.deletes.setdefault(table, []).append(key)


class Snapshot(Struct, frozen=True, gc=False):
    """The state after event `seq`: `body` is what messages/codec.py makes of it, compressed.

    `chain` is the checksum of entry `seq`, so that a snapshot belongs to one journal only.
    """

    seq: int
    ts: int
    epoch: int
    version: int
    digest: str
    chain: int
    body: bytes
    checksum: int


IMPORTING: Final = -1
"""`projected_seq` of a store with a journal that is not all there yet: no engine may use it."""


class StoreInfo(Struct, frozen=True):
    """What a store is: its id, the tag in its engine's order ids, how far its tables are."""

    store_id: str
    engine_tag: int
    projected_seq: int


class Lease(Struct, frozen=True):
    """The right to write, given to one engine at a time; `epoch` is higher with each."""

    epoch: int
    owner: str


class LeaseState(Struct, frozen=True):
    """Who has the lease ("": nobody) or had it last; times are ISO 8601 text in UTC."""

    epoch: int
    owner: str
    acquired_at: str | None
    renewed_at: str | None
    expires_at: str | None


class Tables(NamedTuple):
    """All rows as they were at one moment, streamed, each with its table's name."""

    projected_seq: int
    rows: Iterator[tuple[str, Row]]


class Store(Protocol):
    """See the module.

    `name` is the URL without secrets, for messages. `is_at_hand`: on this machine's own disk, so
    that a thread may wait for it as for any file.
    """

    name: str
    is_at_hand: bool

    def info(self) -> StoreInfo:
        """What it is."""

    def last(self) -> Entry | None:
        """The newest entry; None when there is none."""

    def entries(self, after: int, limit: int | None = None) -> Iterator[Entry]:
        """Entries in order, streamed, as they are stored: whoever reads them checks them."""

    def checksums(self, first: int, last: int) -> list[tuple[int, int, int]]:
        """(seq, epoch, checksum) of the entries first..last that are there."""

    def append(self, entries: Sequence[EntryRow], changes: Changes | None) -> None:
        """Make entries durable, and with them, in one transaction, changes of the tables."""

    def read(self, table: str, columns: Sequence[str], ids: Sequence[str] | None) -> list[Row]:
        """Rows of a table, all or those with these ids, with values as `Row` has them."""

    def tables(self) -> AbstractContextManager[Tables]:
        """Everything that `read` could give, and as of which event, while the block lasts.

        Whoever writes meanwhile is neither seen nor held up.
        """

    def reset_tables(self) -> None:
        """Empty the tables and forget that anything was written to them."""

    def snapshots(self) -> list[int]:
        """The events that there are snapshots of, newest first."""

    def snapshot(self, seq: int) -> Snapshot | None:
        """One snapshot as it is stored."""

    def save_snapshot(self, snapshot: Snapshot, keep: int) -> None:
        """Store a snapshot and drop all but the newest `keep`."""

    def adopt(self, store_id: str, engine_tag: int, epoch: int) -> None:
        """Become the copy of another store, `IMPORTING` until `reset_tables`; the lease is ours.

        `epoch` is the other store's: the lease's goes on above it, so that no order id comes twice.
        """

    def lease(self) -> LeaseState:
        """Who has it; for showing, not for deciding."""

    def acquire(self, owner: str) -> Lease:
        """Take the lease; LeaseTakenError while another engine has it."""

    def renew(self) -> None:
        """Keep the lease; FencedError when another engine has taken it."""

    def release(self) -> None:
        """Give the lease back."""

    def rest(self) -> None:
        """Nothing is to be done right now: a good time to tidy up."""

    def interrupt(self) -> None:
        """From another thread: make whatever is under way fail soon, if that is possible."""

    def reopen(self) -> None:
        """Connect anew after an error; what was under way is over then, one way or the other."""

    def close(self) -> None:
        """Let go of everything."""


class StoreError(ZvtTradingError):
    """The store could not do something; the message says what to do about it."""


class StoreUnavailableError(StoreError):
    """It did not happen, or nobody knows whether it did; it may be tried again after `reopen`."""


class StoreFailedError(StoreError):
    """The store cannot be trusted any more by this process: it must be started again."""


class TablesRefusedError(StoreError):
    """The tables do not take what was to be written: a bug in what makes their rows."""


class FencedError(StoreFailedError):
    """Another engine has taken this store over: this one must not do anything any more."""


class LeaseTakenError(StoreError):
    """Another engine is using this store."""


class DamagedJournalError(StoreError):
    """An entry is not what was written; `seq` is the first one that is not."""

    def __init__(self, message: str, seq: int) -> None:
        super().__init__(message)
        self.seq = seq
