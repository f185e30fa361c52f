"""Events as entries of a journal and back, each chained to the one before."""

from collections.abc import Iterable, Iterator
from zlib import crc32

from zvt_trading.messages.codec import CODEC_VERSION, CodecError, decode_event, encode_events
from zvt_trading.messages.events import Event
from zvt_trading.ports.store import DamagedJournalError, Entry, EntryRow, chain_value


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
        body = entry.body.encode()
        checksum = crc32(body, chain_value(checksum, entry.epoch, entry.version))
        if checksum != entry.checksum:
            raise DamagedJournalError(
                f"{name}: entry {seq} ({entry.kind}) is not what was written{_ADVICE}", seq
            )
        try:
            event = decode_event(body, entry.version)
        except CodecError as error:
            raise DamagedJournalError(f"{name}: entry {seq}: {error}", seq) from error
        if event.seq != seq or event.ts != entry.ts or type(event).__name__ != entry.kind:
            raise DamagedJournalError(
                f"{name}: entry {seq} says it is {entry.kind} of {entry.ts}, its body "
                f"{type(event).__name__} {event.seq} of {event.ts}{_ADVICE}",
                seq,
            )
        yield entry, event


_ADVICE = ": the store was damaged. Nothing is traded on it; restore a backup"
