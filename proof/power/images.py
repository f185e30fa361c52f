"""Disks as a loss of power could leave them, made of a trace of operations.

What holds of every image, as of the journaling file systems of Linux:

* What a file held at its last successful sync is there, unless a later change reached the disk.
* Each later change of its content reached the disk or did not; a write may have reached it in some
  of its sectors, and its size without its data, which reads as zeros.
* Names change in the order in which they were changed: of the creations, removals and renamings of
  the folder some first ones are there. Those before the last sync of the folder are; and syncing a
  file saves its creation, with all that happened to names before, but not its later renaming.
* What a failed sync should have saved stays in doubt, even after a successful one: the kernel
  reports such a failure once and forgets it (https://lwn.net/Articles/752063/).

In one thing images are harsher than a real disk: of two writes to one sector the later may be there
without the earlier. A program that bears this bears the real thing.
"""

import random
from enum import IntEnum
from pathlib import Path
from typing import Final, final

from proof.power.trace import EFFECTS, FOLDER, IGNORED_SUFFIXES, Kind, Operation

SECTOR: Final = 512
"""Bytes that a disk writes wholly or not at all."""


class Style(IntEnum):
    """What happens to changes that were not synced; seed modulo 5 says which, see `style_of`."""

    NONE = 0  # all are lost
    ALL = 1  # all arrived
    PREFIX = 2  # those up to some moment arrived, in all files
    SUBSET = 3  # each by chance
    TORN = 4  # each by chance, writes in some of their sectors, neighbouring writes in any order


def style_of(seed: int) -> Style:
    """The style of the images of a seed: five seeds in a row show all of them."""
    return Style(seed % len(Style))


@final
class _Change:
    """A change of a file's content: a write, or with `data` None a new size."""

    __slots__ = ("certain", "data", "doubtful", "issued", "offset")

    def __init__(self, issued: int, offset: int, data: bytes | None) -> None:
        self.issued: Final = issued  # how many operations came before
        self.offset: Final = offset  # or the new size, in bytes
        self.data: Final = data
        self.certain = False  # synced
        self.doubtful = False  # a sync of it failed


@final
class _File:
    """A file apart from its name: what is certainly on the disk, and the changes since."""

    __slots__ = ("base", "changes", "creation")

    def __init__(self, base: bytes, creation: int) -> None:
        self.base: Final = bytearray(base)
        self.changes: Final[list[_Change]] = []
        self.creation: Final = creation  # how many changes of names it takes to exist

    def sync(self, succeeded: bool) -> None:
        """The program was told whether all changes so far are on the disk."""
        for change in self.changes:
            change.doubtful = change.doubtful or not (succeeded or change.certain)
            change.certain = change.certain or (succeeded and not change.doubtful)
        done = 0
        while done < len(self.changes) and self.changes[done].certain:
            _carry_out(self.base, self.changes[done])
            done += 1
        del self.changes[:done]


@final
class _NameChange:
    """A change of names: `file` gets the name `new`, if any, and `old`, if any, is gone."""

    __slots__ = ("file", "issued", "new", "old")

    def __init__(self, issued: int, old: str | None, new: str | None, file: _File | None) -> None:
        self.issued: Final = issued
        self.old: Final = old
        self.new: Final = new
        self.file: Final = file

    def carry_out(self, names: dict[str, _File]) -> None:
        """On the names of a folder."""
        if self.old is not None:
            names.pop(self.old, None)
        if self.new is not None and self.file is not None:
            names[self.new] = self.file


@final
class Disk:
    """A folder on a disk: feed it operations in order, ask it for images in between.

    `initial` is a folder as it was before the first operation, all of it on the disk; without one
    the folder was empty. An image at many cuts of one trace costs one pass with this class.
    """

    def __init__(self, initial: Path | None = None) -> None:
        self._issued = 0
        self._names: dict[str, _File] = {}
        self._name_changes: list[_NameChange] = []
        self._certain_name_changes = 0
        for path in sorted(initial.iterdir()) if initial is not None else ():
            if path.is_file() and path.name != EFFECTS and not path.name.endswith(IGNORED_SUFFIXES):
                self._names[path.name] = _File(path.read_bytes(), 0)
        self._first_names: Final = dict(self._names)

    def apply(self, operation: Operation) -> None:
        """The program did this. ValueError for a file that is not there: `initial` lacks it."""
        issued = self._issued
        self._issued += 1
        if operation.path == EFFECTS:
            return
        match operation.kind:
            case Kind.CREATE:
                created = _File(b"", len(self._name_changes) + 1)
                self._change_names(_NameChange(issued, None, operation.path, created))
            case Kind.UNLINK:
                self._change_names(_NameChange(issued, operation.path, None, self._file(operation)))
            case Kind.RENAME:
                file = self._file(operation)
                self._change_names(_NameChange(issued, operation.path, operation.target, file))
            case Kind.WRITE:
                change = _Change(issued, operation.offset, operation.data)
                self._file(operation).changes.append(change)
            case Kind.TRUNCATE:
                self._file(operation).changes.append(_Change(issued, operation.size, None))
            case Kind.SYNC | Kind.SYNC_FAILED:
                self._sync(operation)
            case _:
                raise ValueError(f"no operation on a disk: {operation.kind.name}")

    def running(self) -> dict[str, bytes]:
        """The files as the running system sees them, by name, without the effects log."""
        contents = {}
        for name, file in sorted(self._names.items()):
            content = bytearray(file.base)
            for change in file.changes:
                _carry_out(content, change)
            contents[name] = bytes(content)
        return contents

    def image(self, seed: int) -> dict[str, bytes]:
        """The files after a loss of power now, by name; the same for the same seed."""
        chance = random.Random(seed)
        style = style_of(seed)
        horizon = self._horizon(chance)
        names = dict(self._first_names)
        for change in self._name_changes[: self._arrived_name_changes(style, horizon, chance)]:
            change.carry_out(names)
        return {
            name: _content(file, style, horizon, chance) for name, file in sorted(names.items())
        }

    def _file(self, operation: Operation) -> _File:
        file = self._names.get(operation.path)
        if file is None:
            raise ValueError(f"operation {operation.index}: there is no file {operation.path!r}")
        return file

    def _change_names(self, change: _NameChange) -> None:
        self._name_changes.append(change)
        change.carry_out(self._names)

    def _sync(self, operation: Operation) -> None:
        succeeded = operation.kind is Kind.SYNC
        if operation.path == FOLDER:
            saved = len(self._name_changes)
        else:
            file = self._file(operation)
            file.sync(succeeded)
            saved = file.creation
        if succeeded:
            self._certain_name_changes = max(self._certain_name_changes, saved)

    def _horizon(self, chance: random.Random) -> int:
        """Up to which operation all arrived, in the style PREFIX: any that is not certain yet."""
        uncertain = [each.issued for each in self._name_changes[self._certain_name_changes :]]
        for _, file in sorted(self._names.items()):
            uncertain += [change.issued for change in file.changes if not change.certain]
        return chance.choice([*sorted(uncertain), self._issued])

    def _arrived_name_changes(self, style: Style, horizon: int, chance: random.Random) -> int:
        every = len(self._name_changes)
        if style is Style.ALL:
            return every
        if style is Style.NONE:
            return self._certain_name_changes
        if style is Style.PREFIX:
            before = sum(1 for each in self._name_changes if each.issued < horizon)
            return max(self._certain_name_changes, before)
        return chance.randint(self._certain_name_changes, every)


def _carry_out(content: bytearray, change: _Change) -> None:
    """On the content of a file; a gap between its end and the change reads as zeros."""
    if change.data is None:
        _extend(content, change.offset)
        del content[change.offset :]
        return
    _extend(content, change.offset)
    content[change.offset : change.offset + len(change.data)] = change.data


def _extend(content: bytearray, size: int) -> None:
    """To at least `size` bytes."""
    if len(content) < size:
        content.extend(bytes(size - len(content)))


def _content(file: _File, style: Style, horizon: int, chance: random.Random) -> bytes:
    """What is left of a file."""
    content = bytearray(file.base)
    likelihood = chance.choice((0.1, 0.5, 0.9))
    apart: list[_Change] = []  # writes that may arrive in any order, all of them in parts
    for change in file.changes:
        if style is Style.TORN and not change.certain and change.data is not None:
            apart += _sectors(change)
            continue
        _arrive(content, apart, likelihood, chance)
        apart.clear()
        arrived = (
            change.certain
            or style is Style.ALL
            or (style is Style.PREFIX and change.issued < horizon)
            or (style in {Style.SUBSET, Style.TORN} and chance.random() < likelihood)
        )
        if arrived:
            _carry_out(content, change)
        elif style is Style.SUBSET and change.data is not None and chance.random() < 0.25:
            _extend(content, change.offset + len(change.data))
    _arrive(content, apart, likelihood, chance)
    return bytes(content)


def _sectors(change: _Change) -> list[_Change]:
    """A write in parts that each lie in one sector of the file."""
    data = change.data or b""
    parts = []
    start = 0
    while start < len(data):
        end = start + SECTOR - (change.offset + start) % SECTOR
        parts.append(_Change(change.issued, change.offset + start, data[start:end]))
        start = end
    return parts


def _arrive(
    content: bytearray, parts: list[_Change], likelihood: float, chance: random.Random
) -> None:
    """Some of the parts of writes, in any order; the size may arrive without the data."""
    parts = list(parts)
    chance.shuffle(parts)
    for part in parts:
        if chance.random() < likelihood:
            _carry_out(content, part)
        elif chance.random() < 0.05:
            _extend(content, part.offset + len(part.data or b""))


def write_image(
    operations: list[Operation], cut: int, seed: int, folder: Path, initial: Path | None = None
) -> None:
    """Write into `folder` the files as a loss of power right before operation `cut` leaves them.

    `folder` is made if it is not there, and must be empty. The same operations, cut and seed give
    the same image; `style_of` says what becomes of unsynced changes. For `initial` see Disk.
    """
    _write(_disk(operations[:cut], initial).image(seed), folder)


def write_running(operations: list[Operation], folder: Path, initial: Path | None = None) -> None:
    """Write into `folder` the files as the running system saw them after all operations."""
    _write(_disk(operations, initial).running(), folder)


def _disk(operations: list[Operation], initial: Path | None) -> Disk:
    disk = Disk(initial)
    for operation in operations:
        disk.apply(operation)
    return disk


def _write(contents: dict[str, bytes], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty")
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def interesting_cuts(operations: list[Operation]) -> list[int]:
    """The cuts right before and after each operation that makes a difference, ascending.

    That is every write, marker, change of size or name, and every sync of something that changed.
    """
    cuts = {0, len(operations)}
    unsynced: set[str] = set()
    for position, operation in enumerate(operations):
        path = operation.path
        if operation.kind in {Kind.SYNC, Kind.SYNC_FAILED}:
            if path not in unsynced:
                continue
            unsynced.discard(path)
        elif operation.kind in {Kind.CREATE, Kind.UNLINK, Kind.RENAME}:
            unsynced |= {path, operation.target, FOLDER}
        else:
            unsynced.add(path)
        cuts |= {position, position + 1}
    return sorted(cuts)
