"""Images of a disk are exactly what a loss of power can leave, shown on operations made by hand."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof.power.images import (
    SECTOR,
    Disk,
    Style,
    interesting_cuts,
    style_of,
    write_image,
    write_running,
)
from proof.power.trace import EFFECTS, FOLDER, Kind, Operation, markers

SEEDS = range(1000)  # 200 of each style, enough to show every outcome of the few changes here


def create(path: str = "a") -> Operation:
    return Operation(0, Kind.CREATE, path)


def unlink(path: str) -> Operation:
    return Operation(0, Kind.UNLINK, path)


def rename(path: str, target: str) -> Operation:
    return Operation(0, Kind.RENAME, path, target=target)


def write(offset: int, data: bytes, path: str = "a") -> Operation:
    return Operation(0, Kind.WRITE, path, offset, data, len(data))


def truncate(size: int, path: str = "a") -> Operation:
    return Operation(0, Kind.TRUNCATE, path, size=size)


def sync(path: str = "a") -> Operation:
    return Operation(0, Kind.SYNC, path)


def sync_failed(path: str = "a") -> Operation:
    return Operation(0, Kind.SYNC_FAILED, path)


def disk(*operations: Operation) -> Disk:
    made = Disk()
    for operation in operations:
        made.apply(operation)
    return made


def outcomes(made: Disk, *styles: Style) -> list[dict[str, bytes]]:
    """Every different image, of the styles or of all."""
    seen: list[dict[str, bytes]] = []
    for seed in SEEDS:
        if not styles or style_of(seed) in styles:
            image = made.image(seed)
            if image not in seen:
                seen.append(image)
    return sorted(seen, key=repr)


def contents(made: Disk, *styles: Style) -> list[bytes]:
    """Every different content of the one file."""
    return sorted(image["a"] for image in outcomes(made, *styles))


SYNCED = (create(), write(0, b"......"), sync())


def test_what_was_synced_is_in_every_image() -> None:
    """Content and name, without a sync of the folder."""
    assert [{"a": b"......"}] == outcomes(disk(*SYNCED))


def test_an_unsynced_write_arrives_or_not() -> None:
    """Within a sector there is nothing in between."""
    assert [b"..XX..", b"......"] == sorted(contents(disk(*SYNCED, write(2, b"XX"))), reverse=True)


def test_unsynced_writes_arrive_in_any_selection_and_order() -> None:
    """A prefix only in the order of issue; parts of a sector in any order when torn."""
    made = disk(*SYNCED, write(0, b"AAA"), write(2, b"BBB"))
    none, first, second, both = b"......", b"AAA...", b"..BBB.", b"AABBB."
    assert sorted([none, first, both]) == contents(made, Style.PREFIX)
    assert sorted([none, first, second, both]) == contents(made, Style.SUBSET)
    assert sorted([none, first, second, both, b"AAABB."]) == contents(made, Style.TORN)
    assert [none] == contents(made, Style.NONE)
    assert [both] == contents(made, Style.ALL)


def test_a_prefix_is_one_moment_for_all_files() -> None:
    """No file is ahead of another one, names and contents alike."""
    operations = [create("a"), create("b"), sync("a"), sync("b")]
    issued = [write(0, b"1", "a"), write(0, b"2", "b"), write(1, b"3", "a"), create("c")]
    prefixes = [disk(*operations, *issued[:count]).running() for count in range(5)]
    made = disk(*operations, *issued)
    assert sorted(prefixes, key=repr) == outcomes(made, Style.PREFIX)


def test_a_write_is_torn_at_the_sectors_of_the_file() -> None:
    """From byte 500 to 1300 there are three sectors: eight outcomes, the cuts at 512 and 1024."""
    old = b"." * 2000
    made = disk(create(), write(0, old), sync(), write(500, b"X" * 800))
    expected = []
    for choice in range(8):
        content = bytearray(old)
        for bit, (start, end) in enumerate([(500, SECTOR), (SECTOR, 1024), (1024, 1300)]):
            if choice >> bit & 1:
                content[start:end] = b"X" * (end - start)
        expected.append(bytes(content))
    assert sorted(expected) == contents(made, Style.TORN)
    assert sorted([expected[0], expected[7]]) == contents(made, Style.SUBSET)


def test_a_size_can_arrive_without_the_data() -> None:
    """What is missing reads as zeros, as does the gap before a write past the end."""
    made = disk(*SYNCED, write(8, b"XX"))
    old, zeros, new = b"......", b"......\0\0\0\0", b"......\0\0XX"
    assert sorted([old, new]) == contents(made, Style.PREFIX)
    assert sorted([old, zeros, new]) == contents(made, Style.SUBSET)
    assert sorted([old, zeros, new]) == contents(made, Style.TORN)


def test_an_unsynced_truncation_arrives_or_not() -> None:
    """Also under a later write, which may arrive without it."""
    made = disk(*SYNCED, truncate(2), write(0, b"X"))
    expected = sorted([b"......", b"..", b"X.....", b"X."])
    assert expected == contents(made, Style.SUBSET) == contents(made, Style.TORN)
    assert sorted([b"......", b"......\0\0"]) == contents(disk(*SYNCED, truncate(8)))


def test_a_truncation_is_not_overtaken() -> None:
    """A write before it is cut by it when both arrive."""
    made = disk(*SYNCED, write(4, b"XX"), truncate(5))
    assert sorted([b"......", b"....XX", b".....", b"....X"]) == contents(made, Style.TORN)


def test_names_change_in_order() -> None:
    """Without a sync the folder is as it was after any first part of its changes."""
    changes = [create("a"), create("b"), unlink("a"), rename("b", "c")]
    parts = [disk(*changes[:count]).running() for count in range(len(changes) + 1)]
    assert sorted(parts, key=repr) == outcomes(disk(*changes))
    assert [{"c": b""}] == outcomes(disk(*changes, sync(FOLDER)))


def test_syncing_a_file_saves_its_creation_and_the_names_before() -> None:
    """But neither a later change of names nor its own renaming."""
    made = disk(create("a"), unlink("a"), create("b"), rename("b", "c"), sync("c"), create("d"))
    expected = [{"b": b""}, {"c": b""}, {"c": b"", "d": b""}]
    assert sorted(expected, key=repr) == outcomes(made)


def test_a_saved_name_stays_whatever_else_is_lost() -> None:
    """Also where the moment of a prefix lies before it, in another file."""
    made = disk(*SYNCED, write(0, b"X"), create("b"), sync("b"))
    assert all("b" in image for image in outcomes(made))


def test_a_failed_sync_saves_no_names() -> None:
    """Of the folder or of a file."""
    made = disk(create("a"), sync_failed("a"), sync_failed(FOLDER))
    assert [{"a": b""}, {}] == outcomes(made)


def test_a_removed_file_can_come_back_with_what_it_held() -> None:
    """And a new file of the same name is another one."""
    made = disk(*SYNCED, unlink("a"), create("a"), write(0, b"new"))
    old, empty, new = {"a": b"......"}, {"a": b""}, {"a": b"new"}
    assert [empty, old, new, {}] == outcomes(made, Style.PREFIX, Style.ALL)
    assert [old] == outcomes(made, Style.NONE)


def test_a_renamed_file_keeps_its_content() -> None:
    """Replacing a file after syncing the new one gives the old or the new, never a mixture."""
    made = disk(*SYNCED, create("b"), write(0, b"new", "b"), sync("b"), rename("b", "a"))
    assert [{"a": b"......", "b": b"new"}, {"a": b"new"}] == outcomes(made)


def test_what_a_failed_sync_should_have_saved_stays_in_doubt() -> None:
    """Also after a sync that succeeded; what is written over it and synced is certain."""
    failed = (*SYNCED, write(0, b"XXXX"), sync_failed(), sync())
    assert [b"......", b"XXXX.."] == contents(disk(*failed))
    rewritten = disk(*failed, write(0, b"YY"), sync())
    assert [b"YY....", b"YYXX.."] == contents(rewritten)
    assert [b"YY...."] == contents(rewritten, Style.NONE)
    assert {"a": b"YYXX.."} == rewritten.running()


@pytest.mark.parametrize("seed", [seed for seed in range(50) if style_of(seed) is Style.ALL])
def test_all_is_what_the_running_system_sees(seed: int) -> None:
    """An image that lost nothing is the folder as it was."""
    made = disk(*SYNCED, write(3, b"X" * 2000), truncate(1000), create("b"), rename("a", "c"))
    assert made.running() == made.image(seed)


OPERATIONS = [
    create(EFFECTS),
    *SYNCED,
    sync(),
    write(0, b"on", EFFECTS),
    write(0, b"X"),
    write(2, b"e\ntwo\nthr", EFFECTS),
    sync(),
]


def test_a_cut_is_before_its_operation(tmp_path: Path) -> None:
    """The sync at 8 saves the write at 6 from cut 9 on; the effects log is no part of the image."""
    nothing = Style.NONE.value
    for cut, expected in ((8, b"......"), (9, b"X.....")):
        write_image(OPERATIONS, cut, nothing, tmp_path / f"{cut}")
        assert ["a"] == [path.name for path in (tmp_path / f"{cut}").iterdir()]
        assert expected == (tmp_path / f"{cut}" / "a").read_bytes()


def test_the_same_cut_and_seed_give_the_same_image(tmp_path: Path) -> None:
    """Whatever was made before."""
    operations = [*SYNCED, write(0, b"X" * 5000), create("b"), write(0, b"Y" * 5000, "b")]
    for attempt in ("first", "second"):
        write_image(operations, 6, 14, tmp_path / attempt)
    first, second = (
        {p.name: p.read_bytes() for p in (tmp_path / each).iterdir()}
        for each in ("first", "second")
    )
    assert first == second
    with pytest.raises(ValueError, match="is not empty"):
        write_image(operations, 6, 14, tmp_path / "first")


def test_markers_are_whole_lines_before_the_end() -> None:
    """A line that was written in two parts counts from the second on."""
    assert [] == markers(OPERATIONS, 7)
    assert [b"one", b"two"] == markers(OPERATIONS, 8)


def test_interesting_cuts_leave_out_what_makes_no_difference() -> None:
    """Before and after each change and marker; the second sync at 4 saves nothing."""
    assert [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] == interesting_cuts(OPERATIONS)
    assert [0, 1, 2] == interesting_cuts([create(), sync()])
    assert [0, 1, 2, 5] == interesting_cuts([create(), sync(), sync(), sync(), sync()])
    assert [0, 1, 2, 3, 4] == interesting_cuts([create(), sync("a"), sync(FOLDER), write(0, b"X")])


def test_a_disk_starts_with_what_was_there(tmp_path: Path) -> None:
    """The initial folder is certain, without files that are never recorded."""
    initial = tmp_path / "initial"
    initial.mkdir()
    (initial / "deeper").mkdir()
    for name in ("a", "b", "a-shm", "a.lock", "a.mark", EFFECTS):
        (initial / name).write_bytes(b"old")
    operations = [write(0, b"new"), sync(), unlink("b")]
    write_image(operations, 3, Style.NONE.value, tmp_path / "image", initial)
    write_running(operations, tmp_path / "running", initial)
    assert {"a": b"new", "b": b"old"} == {
        path.name: path.read_bytes() for path in (tmp_path / "image").iterdir()
    }
    assert ["a"] == [path.name for path in (tmp_path / "running").iterdir()]


@pytest.mark.parametrize("operation", [write(0, b"x"), sync(), unlink("a"), rename("a", "b")])
def test_a_file_that_was_never_there_is_refused(operation: Operation) -> None:
    """The trace and the initial folder do not belong together."""
    with pytest.raises(ValueError, match="there is no file 'a'"):
        Disk().apply(operation)


MADE: list[Callable[[int], Operation]] = [
    lambda number: write(number * 37 % 900, bytes([number % 251 + 1]) * (number % 700 + 1)),
    lambda number: truncate(number * 53 % 1200),
    lambda _: sync(),
]


@given(st.lists(st.tuples(st.sampled_from([0, 0, 0, 1, 2]), st.integers(0, 2000))), st.integers(0))
def test_every_byte_of_an_image_was_there_at_or_after_the_last_sync(
    steps: Sequence[tuple[int, int]], seed: int
) -> None:
    """Or it is a zero of a gap, if the size ever changed; no byte comes from nowhere."""
    made = disk(create(), sync())
    allowed: list[set[int]] = [set() for _ in range(2000)]
    synced = 0
    for choice, number in steps:
        operation = MADE[choice](number)
        made.apply(operation)
        if operation.kind is Kind.SYNC:
            running = made.running()["a"]
            allowed = [{byte} for byte in running] + [set() for _ in range(2000 - len(running))]
            synced = len(running)
        for at, byte in enumerate(operation.data, operation.offset):
            allowed[at].add(byte)
        if operation.kind is Kind.TRUNCATE and operation.size < synced:
            synced = operation.size
    image = made.image(seed)["a"]
    assert synced <= len(image)
    strange = [at for at, byte in enumerate(image) if byte not in allowed[at]]
    assert all(image[at] == 0 and at >= synced for at in strange)
