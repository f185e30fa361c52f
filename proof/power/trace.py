"""Reading what the recorder wrote: the operations on the files of one folder, in their order.

A record is a header of 48 bytes, the file's name, a target, data, and 8 bytes with the sequence
again, without which it is torn. The header: magic "PWR1", kind, process id (4 bytes each), lengths
of name and target (2 each), sequence within the process from 0, offset, size, length of the data (8
each). All numbers are little-endian.
"""

import struct
from enum import IntEnum
from pathlib import Path
from typing import Final

import msgspec

_HEADER: Final = struct.Struct("<4sIIHHQQQQ")
_END: Final = struct.Struct("<Q")
_MAGIC: Final = b"PWR1"

FOLDER: Final = "."
"""The path of the folder itself, which is synced to save what its names stand for."""

EFFECTS: Final = "effects.log"
"""Not a file of the disk: what is written to it has left the process, one line for each thing."""

IGNORED_SUFFIXES: Final = ("-shm", ".lock", ".mark")
"""Files that are not recorded: memory of the running system, and what is written by a mapping."""


class Kind(IntEnum):
    """What was done; the numbers are those of recorder.c."""

    WRITE = 1
    TRUNCATE = 2
    CREATE = 3
    UNLINK = 4
    RENAME = 5
    SYNC = 6
    SYNC_FAILED = 7
    UNDONE = 8  # only in the trace: takes the last record back, wholly or from `size` on
    UNSEEN = 9  # only in the trace: something that cannot be followed


class Operation(msgspec.Struct, frozen=True):
    """One operation on a file of the folder.

    `index` is its place in the trace, from 0; `path` a name within the folder, or FOLDER. WRITE has
    `offset` and `size` in bytes and `data`; TRUNCATE has the new `size`, which may be larger than
    the old; RENAME has `target`, the new name. SYNC had returned successfully; SYNC_FAILED had not,
    and what it should have saved may be lost whatever comes after it.
    """

    index: int
    kind: Kind
    path: str
    offset: int = 0
    data: bytes = b""
    size: int = 0
    target: str = ""


class _Record(msgspec.Struct, frozen=True):
    """A whole record: who wrote it, its number, the operation, where the next begins."""

    process: int
    sequence: int
    operation: Operation
    end: int


def read_trace(path: Path) -> list[Operation]:
    """The operations of a trace, without what was never carried out.

    A torn record is ignored: its process was killed while it wrote it. ValueError, with the offset
    in bytes, for a trace that lacks a record, and for a program that did something the recorder
    cannot follow.
    """
    content = path.read_bytes()
    operations: list[Operation | None] = []  # None: taken back
    expected: dict[int, int] = {}  # process: its next sequence
    latest: dict[int, int] = {}  # process: where its last operation is
    at = 0
    while at >= 0:
        record = _record(content, at)
        if record is None:
            at = content.find(_MAGIC, at + 1)
            continue
        process, operation = record.process, record.operation
        if record.sequence not in {0, expected.get(process, 0)}:  # 0: a new program, or a fork
            raise ValueError(f"{path} lacks a record before byte {at}")
        if operation.kind is Kind.UNSEEN:
            what = f"{operation.target} on {operation.path!r}"
            raise ValueError(f"{path} at byte {at}: cannot follow {what}")
        if operation.kind is Kind.UNDONE:
            position = latest[process]
            operations[position] = _part(operations[position], operation.size)
        else:
            latest[process] = len(operations)
            operations.append(operation)
        expected[process] = record.sequence + 1
        at = record.end
    done = (operation for operation in operations if operation is not None)
    return [msgspec.structs.replace(each, index=index) for index, each in enumerate(done)]


def _record(content: bytes, at: int) -> _Record | None:
    """The record at that byte; None when there is no whole one."""
    if at + _HEADER.size > len(content):
        return None
    magic, kind, process, named, targeted, sequence, offset, size, carried = _HEADER.unpack_from(
        content, at
    )
    name = at + _HEADER.size
    target, data = name + named, name + named + targeted
    end = data + carried
    if magic != _MAGIC or content[end : end + _END.size] != _END.pack(sequence):
        return None
    operation = Operation(
        index=0,
        kind=Kind(kind),
        path=content[name:target].decode(),
        offset=offset,
        data=content[data:end],
        size=size,
        target=content[target:data].decode(),
    )
    return _Record(process, sequence, operation, end + _END.size)


def _part(operation: Operation | None, size: int) -> Operation | None:
    """The first `size` bytes of a write; nothing of an operation that failed."""
    if operation is None or size == 0:
        return None
    return msgspec.structs.replace(operation, data=operation.data[:size], size=size)


def is_marker(operation: Operation) -> bool:
    """Whether something left the process with this operation."""
    return operation.kind is Kind.WRITE and operation.path == EFFECTS


def markers(operations: list[Operation], end: int) -> list[bytes]:
    """What had left the process before operation `end`: the whole lines of the effects log."""
    written = b"".join(each.data for each in operations[:end] if is_marker(each))
    return written.split(b"\n")[:-1]
