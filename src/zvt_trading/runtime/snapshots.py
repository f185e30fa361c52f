"""Snapshots of a core, made a little at a time, and the way back from one."""

import zlib
from collections.abc import Iterator
from typing import Final

from zvt_trading.core.restore import RestoreError, restore, snapshot_head, snapshot_parts
from zvt_trading.core.snapshot import digest, digest_of, each_line
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codec import CODEC_VERSION, CodecError, decode_snapshot, encode_part
from zvt_trading.ports.store import Snapshot, Store, StoreError

EVERY: Final = 100_000
"""Events between two snapshots: replaying as many takes about a second."""
KEPT: Final = 3
"""Snapshots that are kept: should the newest be damaged, there is one before it."""
PARTS_AT_ONCE: Final = 100
"""Orders or lines between two looks at whether somebody waits: less than a millisecond."""

_LEVEL: Final = 1  # of compression: a tenth of the size at a tenth of the time of the best


class SnapshotError(StoreError):
    """A snapshot that cannot be used; the journal still can."""


def take_snapshot(core: TradingCore, chain: int) -> Iterator[Snapshot | None]:
    """Make a snapshot of a core that nobody changes meanwhile; None until it is done.

    `chain` is the checksum of the journal's entry that the core is at.
    """
    state = core.state
    lines: list[str] = []
    for line in each_line(state, core.risk):
        lines.append(line)
        if len(lines) % PARTS_AT_ONCE == 0:
            yield None
    known = digest_of(iter(lines))
    packer = zlib.compressobj(_LEVEL)
    body = [packer.compress(encode_part(snapshot_head(state, core.risk, known)))]
    chunk: list[bytes] = []
    for part in snapshot_parts(state):
        chunk.append(encode_part(part))
        if len(chunk) == PARTS_AT_ONCE:
            body.append(packer.compress(b"".join(chunk)))
            chunk.clear()
            yield None
    body.append(packer.compress(b"".join(chunk)))
    body.append(packer.flush())
    packed = b"".join(body)
    yield Snapshot(
        state.seq, state.ts, state.epoch, CODEC_VERSION, known, chain, packed, zlib.crc32(packed)
    )


def snapshot_now(core: TradingCore, chain: int) -> Snapshot:
    """`take_snapshot` in one go."""
    for snapshot in take_snapshot(core, chain):
        if snapshot is not None:
            return snapshot
    raise AssertionError("a snapshot ends with one")


def load_snapshot(core: TradingCore, snapshot: Snapshot, name: str) -> None:
    """Make a new core the one that was saved; SnapshotError when it is not that to the digest."""
    where = f"{name}: the snapshot of event {snapshot.seq}"
    if zlib.crc32(snapshot.body) != snapshot.checksum:
        raise SnapshotError(f"{where} is damaged")
    if snapshot.version != CODEC_VERSION:
        raise SnapshotError(f"{where} is of version {snapshot.version}, not {CODEC_VERSION}")
    try:
        restore(core, *decode_snapshot(zlib.decompress(snapshot.body)))
    except (CodecError, RestoreError, zlib.error, LookupError, ValueError) as error:
        raise SnapshotError(f"{where} cannot be read: {error}") from error
    if core.state.seq != snapshot.seq or digest(core.state, core.risk) != snapshot.digest:
        raise SnapshotError(f"{where} does not give the state it was taken of")


def copy_core(core: TradingCore, engine_tag: int) -> TradingCore:
    """Another core in the same state."""
    other = TradingCore(engine_tag, core.state.epoch)
    known = digest(core.state, core.risk)
    restore(other, snapshot_head(core.state, core.risk, known), list(snapshot_parts(core.state)))
    return other


class Snapshots:
    """When to take the next snapshot, and the one that is being taken."""

    def __init__(self, store: Store, last_seq: int, *, every: int = EVERY) -> None:
        self._store = store
        self._every = every
        self._last_seq = last_seq
        self._under_way: Iterator[Snapshot | None] | None = None

    def is_due(self, seq: int) -> bool:
        """Whether the core at this event should be saved."""
        return self._under_way is not None or seq - self._last_seq >= self._every

    @property
    def is_under_way(self) -> bool:
        """Whether the core must not change now."""
        return self._under_way is not None

    def work(self, core: TradingCore, chain: int) -> None:
        """A little of the next snapshot."""
        if self._under_way is None:
            self._under_way = take_snapshot(core, chain)
        snapshot = next(self._under_way)
        if snapshot is not None:
            self._under_way = None
            self._last_seq = snapshot.seq
            self._store.save_snapshot(snapshot, KEPT)

    def abandon(self) -> None:
        """Begin anew later: the core is about to change."""
        self._under_way = None

    def finish(self, core: TradingCore, chain: int) -> None:
        """One of the very last event, so that the next start replays nothing."""
        if core.state.seq > self._last_seq:
            self._under_way = None
            self._last_seq = core.state.seq
            self._store.save_snapshot(snapshot_now(core, chain), KEPT)
