"""Events as entries of a journal and back, each chained to the one before."""

from collections.abc import Iterable, Iterator
from zlib import crc32

from zvt_trading.messages.codec import CODEC_VERSION, CodecError, decode_event, encode_events
from zvt_trading.messages.events import Event
from zvt_trading.ports.store import (
    FIRST_CHECKSUM,
    DamagedJournalError,
    Entry,
    EntryRow,
    Store,
    chain_value,
    follows,
)

Page = list[tuple[Entry, Event]]
"""Some entries in a row, each with its event."""


class Chain:
    """The end of a journal: where the next entry goes."""

    def __init__(self, epoch: int, seq: int, checksum: int) -> None:
        self.epoch = epoch
        self.seq = seq
        self.checksum = checksum

    def entries(self, events: list[Event]) -> list[EntryRow]:
        """The entries of the next events."""
        bodies, texts = encode_events(events)
        checksum = self.checksum
        epoch = self.epoch
        rows: list[EntryRow] = []
        for event, body, text in zip(events, bodies, texts, strict=True):
            checksum = crc32(body, chain_value(checksum, epoch, CODEC_VERSION))
            kind = type(event).__name__
            rows.append((event.seq, event.ts, epoch, kind, CODEC_VERSION, text, checksum))
        if events:
            self.seq = events[-1].seq
            self.checksum = checksum
        return rows


def checked(
    entries: Iterable[Entry], name: str, seq: int, checksum: int
) -> Iterator[tuple[Entry, Event]]:
    """Entries with their events, after entry `seq` of this checksum.

    DamagedJournalError names the first entry that is missing, changed or out of place.
    """
    for entry in entries:
        seq += 1
        if entry.seq != seq:
            raise DamagedJournalError(
                f"{name}: entry {seq} is missing: entry {entry.seq} comes next{_ADVICE}", seq
            )
        if not follows(checksum, entry):
            raise DamagedJournalError(
                f"{name}: entry {seq} ({entry.kind}) is not what was written{_ADVICE}", seq
            )
        checksum = entry.checksum
        try:
            event = decode_event(entry.body, entry.version)
        except CodecError as error:
            raise DamagedJournalError(f"{name}: entry {seq}: {error}", seq) from error
        if event.seq != seq or event.ts != entry.ts or type(event).__name__ != entry.kind:
            raise DamagedJournalError(
                f"{name}: entry {seq} says it is {entry.kind} of {entry.ts}, its body "
                f"{type(event).__name__} {event.seq} of {event.ts}{_ADVICE}",
                seq,
            )
        yield entry, event


def pages(store: Store, seq: int, end: int, size: int) -> Iterator[Page]:
    """The entries after `seq` up to `end`, checked, in pages of at most `size`.

    Nothing is open in the store between two pages, so it may be written meanwhile, by whoever reads
    or by an engine, and no transaction lasts as long as the whole. DamagedJournalError comes after
    all that is sound before it.
    """
    checksum = checksum_at(store, seq)
    while seq < end:
        page, damage = _page(store, seq, checksum, min(size, end - seq))
        if page:
            yield page
            seq, checksum = page[-1][0].seq, page[-1][0].checksum
        elif damage is None:
            message = f"{store.name}: entry {seq + 1} is missing{_ADVICE}"
            damage = DamagedJournalError(message, seq + 1)
        if damage is not None:
            raise damage


def _page(
    store: Store, seq: int, checksum: int, size: int
) -> tuple[Page, DamagedJournalError | None]:
    """What is sound of the next entries, and what is wrong after that."""
    page: Page = []
    try:
        page.extend(checked(store.entries(seq, size), store.name, seq, checksum))
    except DamagedJournalError as error:
        return page, error
    return page, None


def checksum_at(store: Store, seq: int) -> int:
    """What the entry after `seq` is chained to."""
    if seq == 0:
        return FIRST_CHECKSUM
    found = store.checksums(seq, seq)
    if not found:
        raise DamagedJournalError(f"{store.name}: entry {seq} is missing{_ADVICE}", seq)
    return found[0][2]


_ADVICE = ": the store was damaged. Nothing is traded on it; restore a backup"
