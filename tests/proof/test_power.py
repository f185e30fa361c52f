"""The recorder sees all that a program does to its files, and its images are what disks can be."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from proof.power.build import build_recorder, recording_environment
from proof.power.images import Disk, Style, interesting_cuts, style_of, write_image, write_running
from proof.power.trace import EFFECTS, Kind, Operation, is_marker, markers, read_trace

# Arguments: folder, how many rows, PRAGMA synchronous, and how it ends: "close" or "kill".
WRITER = """
import os, signal, sqlite3, sys
folder, rows, synchronous, end = sys.argv[1:]
effects = os.open(folder + "/effects.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
db = sqlite3.connect(folder + "/rows.db", isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute(f"PRAGMA synchronous = {synchronous}")
db.execute("PRAGMA wal_autocheckpoint = 20")
db.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, text TEXT)")
for n in range(int(rows)):
    db.execute("INSERT INTO rows VALUES (?, ?)", (n, "x" * (n * 37 % 900)))
    os.write(effects, b"%d\\n" % n)
if end == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
db.close()
"""

# Arguments: folder, fault file, fault. Row 1 meets the fault, rows 0 and 2 do not.
FAULTED = """
import os, sqlite3, sys
folder, fault_file, fault = sys.argv[1:]
effects = os.open(folder + "/effects.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
db = sqlite3.connect(folder + "/rows.db", isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = FULL")
db.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY)")
for n, wanted in enumerate(("", fault, "")):
    with open(fault_file, "w") as file:
        file.write(wanted)
    try:
        db.execute("INSERT INTO rows VALUES (?)", (n,))
        os.write(effects, b"%d\\n" % n)
    except sqlite3.OperationalError as error:
        print(error)
db.close()
"""

# Every kind of call on a file; what is not to be recorded is among it.
FILE_CALLS = """
import os, sys
os.chdir(sys.argv[1])
file = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
os.pwrite(file, b"hello", 3)
copy = os.dup(file)
os.close(file)
os.fsync(copy)
os.write(copy, b"01")
os.writev(copy, [b"2", b"", b"34"])
os.ftruncate(copy, 6)
os.fdatasync(copy)
os.rename("a", "b")
os.write(copy, b"5")
os.truncate("b", 4)
more = os.open("b", os.O_WRONLY | os.O_APPEND)
os.write(more, b"!")
os.pwrite(more, b"?", 0)
os.open("b", os.O_WRONLY | os.O_TRUNC)
os.open("b", os.O_WRONLY | os.O_TRUNC)
folder = os.open(".", os.O_RDONLY)
os.fsync(folder)
open("c.lock", "w").write("x")
open("c-shm", "w").write("x")
open("c.mark", "w").write("x")
os.mkdir("deeper")
open("deeper/file", "w").write("x")
os.unlink("b", dir_fd=folder)
os.write(copy, b"to no file any more")
try:
    os.unlink("absent")
except FileNotFoundError:
    pass
"""


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library, built once."""
    if shutil.which("gcc") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no gcc to build the recorder with")
        pytest.skip("no gcc to build the recorder with")
    return build_recorder(tmp_path_factory.mktemp("recorder"))


class Recording:
    """A program that ran in `folder` under the recorder."""

    def __init__(self, recorder: Path, place: Path, program: str, *arguments: str) -> None:
        self.folder = place / "disk"
        self.folder.mkdir()
        trace, faults = place / "trace", place / "faults"
        added = recording_environment(recorder, self.folder, trace, faults)
        done = subprocess.run(
            [sys.executable, "-c", program, str(self.folder), *arguments],
            env={**os.environ, **added},
            capture_output=True,
            text=True,
            check=False,
        )
        self.status, self.output, self.errors = done.returncode, done.stdout, done.stderr
        self.operations = read_trace(trace)

    def kinds(self, path: str) -> list[Kind]:
        """What was done to one file."""
        return [each.kind for each in self.operations if each.path == path]


def contents(folder: Path) -> dict[str, bytes]:
    """The files that a disk image holds."""
    files = (path for path in folder.iterdir() if path.name != EFFECTS)
    return {path.name: path.read_bytes() for path in files if not path.name.endswith("-shm")}


def replayed(operations: list[Operation], folder: Path) -> dict[str, bytes]:
    """The files as the trace says they were."""
    write_running(operations, folder)
    return contents(folder)


def rows_of(folder: Path) -> list[int] | None:
    """The rows that SQLite finds after its recovery; None for a database that is damaged."""
    with closing(sqlite3.connect(folder / "rows.db", isolation_level=None)) as db:
        try:
            db.execute("PRAGMA synchronous = OFF")  # the image itself need not last
            if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return None
            tables = db.execute("SELECT name FROM sqlite_master").fetchall()
            if not tables:
                return []
            return [n for (n,) in db.execute("SELECT n FROM rows ORDER BY n")]
        except sqlite3.DatabaseError:
            return None


def unkept(
    operations: list[Operation], cuts: Sequence[int], seeds: Sequence[int], place: Path
) -> list[tuple[int, int]]:
    """The images (cut, seed) that are damaged, or lack a row whose marker had left."""
    bad = []
    for cut in cuts:
        promised = {int(line) for line in markers(operations, cut)}
        for seed in seeds:
            folder = place / f"{cut}-{seed}"
            write_image(operations, cut, seed, folder)
            rows = rows_of(folder)
            if rows is None or not promised <= set(rows):
                bad.append((cut, seed))
            shutil.rmtree(folder)
    return bad


def test_what_a_program_does_through_os_is_recorded_in_order(
    recorder: Path, tmp_path: Path
) -> None:
    """Every call is one operation with its data, and nothing else is recorded."""
    recording = Recording(recorder, tmp_path, FILE_CALLS)
    assert (0, "") == (recording.status, recording.errors)
    # kind, path, offset, data, size, target
    expected: list[tuple[Kind, str, int, bytes, int, str]] = [
        (Kind.CREATE, "a", 0, b"", 0, ""),
        (Kind.WRITE, "a", 3, b"hello", 5, ""),
        (Kind.SYNC, "a", 0, b"", 0, ""),
        (Kind.WRITE, "a", 0, b"01", 2, ""),
        (Kind.WRITE, "a", 2, b"234", 3, ""),
        (Kind.TRUNCATE, "a", 0, b"", 6, ""),
        (Kind.SYNC, "a", 0, b"", 0, ""),
        (Kind.RENAME, "a", 0, b"", 0, "b"),
        (Kind.WRITE, "b", 5, b"5", 1, ""),
        (Kind.TRUNCATE, "b", 0, b"", 4, ""),
        (Kind.WRITE, "b", 4, b"!", 1, ""),
        (Kind.WRITE, "b", 5, b"?", 1, ""),  # pwrite to a file opened for appending appends
        (Kind.TRUNCATE, "b", 0, b"", 0, ""),
        (Kind.SYNC, ".", 0, b"", 0, ""),
        (Kind.UNLINK, "b", 0, b"", 0, ""),
    ]
    seen = recording.operations
    assert expected == [(o.kind, o.path, o.offset, o.data, o.size, o.target) for o in seen]
    assert list(range(len(expected))) == [o.index for o in seen]


@pytest.mark.parametrize("end", ["close", "kill"])
def test_the_trace_of_a_database_is_complete(recorder: Path, tmp_path: Path, end: str) -> None:
    """Replayed, it gives the real files to the byte: 300 commits, checkpoints, closed or killed."""
    recording = Recording(recorder, tmp_path, WRITER, "300", "FULL", end)
    assert recording.status == (0 if end == "close" else -signal.SIGKILL)
    expected = contents(recording.folder)
    assert expected == replayed(recording.operations, tmp_path / "replayed")
    assert (end == "kill") == ("rows.db-wal" in expected)

    wal, database = recording.kinds("rows.db-wal"), recording.kinds("rows.db")
    assert wal.count(Kind.SYNC) >= 300
    assert database.count(Kind.SYNC) >= 300 // 20
    effects = (recording.folder / EFFECTS).read_bytes().splitlines()
    assert effects == markers(recording.operations, len(recording.operations))


def test_the_order_of_threads_is_the_order_of_the_trace(recorder: Path, tmp_path: Path) -> None:
    """Threads that overwrite each other leave what a replay leaves."""
    program = """
import os, sys
from threading import Thread
file = os.open(sys.argv[1] + "/a", os.O_RDWR | os.O_CREAT, 0o600)
def work(mark):
    for n in range(200):
        os.pwrite(file, mark * 3000, n % 7 * 1000)
threads = [Thread(target=work, args=(mark,)) for mark in (b"a", b"b", b"c", b"d")]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    recording = Recording(recorder, tmp_path, program)
    assert 801 == len(recording.operations)
    assert contents(recording.folder) == replayed(recording.operations, tmp_path / "replayed")


def test_operations_that_failed_are_not_in_the_trace(recorder: Path, tmp_path: Path) -> None:
    """A write cut short by a limit counts as far as it went; what failed wholly does not count."""
    program = """
import os, resource, sys
file = os.open(sys.argv[1] + "/a", os.O_RDWR | os.O_CREAT, 0o600)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
print(os.pwrite(file, b"0123456789", 99_996))
for failing in (
    lambda: os.pwrite(file, b"x", 100_000),
    lambda: os.ftruncate(file, 100_001),
    lambda: os.rename(sys.argv[1] + "/absent", sys.argv[1] + "/b"),
    lambda: os.open(sys.argv[1] + "/a", os.O_CREAT | os.O_EXCL),
):
    try:
        failing()
    except OSError:
        print("failed")
"""
    with pytest.raises(ValueError, match="there is no file 'absent'"):
        Disk().apply(Operation(0, Kind.UNLINK, "absent"))
    recording = Recording(recorder, tmp_path, program)
    assert ["4", *4 * ["failed"]] == recording.output.split()
    assert [Kind.CREATE, Kind.WRITE] == [each.kind for each in recording.operations]
    assert contents(recording.folder) == replayed(recording.operations, tmp_path / "replayed")


@pytest.mark.parametrize(
    "statement",
    [
        "import mmap; file = open(path, 'wb+'); file.truncate(9); mmap.mmap(file.fileno(), 9)",
        "import shutil; shutil.copyfile(sys.executable, path)",
        "os.symlink('/dev/null', path)",
        "os.link(sys.executable, path, follow_symlinks=True)",
        "os.posix_fallocate(os.open(path, os.O_RDWR | os.O_CREAT), 0, 100)",
        "os.open(path, os.O_RDWR | os.O_CREAT | os.O_DSYNC)",
        "open(path + '.lock', 'w'); os.rename(path + '.lock', path)",
        "os.pwritev(os.open(path, os.O_RDWR | os.O_CREAT), [b'x'], 0, os.RWF_DSYNC)",
    ],
)
def test_what_cannot_be_followed_is_refused(recorder: Path, tmp_path: Path, statement: str) -> None:
    """A trace with a hole in it is no trace."""
    program = f"import os, sys; path = sys.argv[1] + '/a'; {statement}"
    with pytest.raises(ValueError, match="cannot follow"):
        Recording(recorder, tmp_path, program)


def test_a_torn_record_is_ignored(recorder: Path, tmp_path: Path) -> None:
    """At the end of the trace or where a killed process was followed by another; a gap is not."""
    recording = Recording(recorder, tmp_path, WRITER, "1", "FULL", "close")
    whole = (tmp_path / "trace").read_bytes()
    size = 48 + len("rows.db-wal") + 8  # of the last record, which removes that file
    torn = tmp_path / "torn"
    other = whole[-size : -size + 8] + bytes(4) + whole[-size + 12 : -size + 16] + bytes(8)
    other += whole[-size + 24 : -8] + bytes(8)  # the last record as the first of process 0
    for lost in range(1, size + 1):
        torn.write_bytes(whole[:-lost])
        assert recording.operations[:-1] == read_trace(torn)
        torn.write_bytes(whole[:-lost] + other)
        assert recording.operations == read_trace(torn)
    torn.write_bytes(whole[:100] + whole[101:])
    with pytest.raises(ValueError, match="lacks a record before byte"):
        read_trace(torn)


def test_forked_processes_share_a_trace(recorder: Path, tmp_path: Path) -> None:
    """Each with its own sequence, and what one waited for comes before what it then does."""
    program = """
import os, signal, sys
file = os.open(sys.argv[1] + "/a", os.O_RDWR | os.O_CREAT, 0o600)
for life in range(5):
    child = os.fork()
    if child == 0:
        other = os.open(sys.argv[1] + f"/b{life}", os.O_RDWR | os.O_CREAT, 0o600)
        os.write(other, b"child" * 1000)
        os.fsync(other)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    os.write(file, b"parent")
"""
    recording = Recording(recorder, tmp_path, program)
    child = [Kind.CREATE, Kind.WRITE, Kind.SYNC]
    expected = [Kind.CREATE, *5 * [*child, Kind.WRITE]]
    assert expected == [each.kind for each in recording.operations]
    assert contents(recording.folder) == replayed(recording.operations, tmp_path / "replayed")


def test_without_what_was_not_synced_exactly_the_commits_before_the_cut_are_there(
    recorder: Path, tmp_path: Path
) -> None:
    """WAL and synchronous=FULL: right after marker n the disk has rows 0..n, no more, no less."""
    operations = Recording(recorder, tmp_path, WRITER, "60", "FULL", "close").operations
    nothing = Style.NONE.value
    assert style_of(nothing) is Style.NONE
    for position in [each.index for each in operations if is_marker(each)][::2]:
        folder = tmp_path / f"image-{position}"
        write_image(operations, position + 1, nothing, folder)
        promised = [int(line) for line in markers(operations, position + 1)]
        assert promised == rows_of(folder)


def test_what_left_after_a_synchronous_commit_survives_every_loss_of_power(
    recorder: Path, tmp_path: Path
) -> None:
    """WAL and synchronous=FULL: no row is missed whose marker had left, nothing is damaged."""
    operations = Recording(recorder, tmp_path, WRITER, "45", "FULL", "close").operations
    cuts = interesting_cuts(operations)
    some = cuts[:: len(cuts) // 30]
    assert len(some) * 5 >= 150
    for block, cut in enumerate(some):
        seeds = range(5 * block, 5 * block + 5)  # all styles at each cut, chances of their own
        assert [] == unkept(operations, [cut], seeds, tmp_path)


def test_images_are_not_harmless(recorder: Path, tmp_path: Path) -> None:
    """With synchronous=OFF rows are missed whose marker had left, or the database is damaged."""
    operations = Recording(recorder, tmp_path, WRITER, "45", "OFF", "close").operations
    cuts = interesting_cuts(operations)[:: len(operations) // 10]
    bad = unkept(operations, cuts, range(5), tmp_path)
    assert {Style.NONE, Style.SUBSET, Style.TORN} <= {style_of(seed) for _, seed in bad}
    assert Style.ALL not in {style_of(seed) for _, seed in bad}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("write ENOSPC .db-wal", "database or disk is full"),
        ("write EDQUOT .db-wal", "disk I/O error"),
        ("write EROFS *", "disk I/O error"),
        ("write EIO .db-wal", "disk I/O error"),
        ("fsync EIO .db-wal", "disk I/O error"),
        ("fdatasync ENOSPC *", "disk I/O error"),
    ],
)
def test_a_fault_fails_a_commit_until_it_is_over(
    recorder: Path, tmp_path: Path, fault: str, message: str
) -> None:
    """The commit that meets it fails, the next one does not, and both survive a loss of power."""
    recording = Recording(recorder, tmp_path, FAULTED, str(tmp_path / "faults"), fault)
    operations = recording.operations
    assert ("", [message]) == (recording.errors, recording.output.splitlines())
    assert [b"0", b"2"] == markers(operations, len(operations))
    assert [0, 2] == rows_of(recording.folder)
    assert ("fsync" in fault or "fdatasync" in fault) == (
        Kind.SYNC_FAILED in recording.kinds("rows.db-wal")
    )
    cuts = range(len(operations) - 12, len(operations) + 1, 3)
    assert [] == unkept(operations, cuts, range(5), tmp_path)


def test_a_fault_can_hit_a_truncation(recorder: Path, tmp_path: Path) -> None:
    """The size stays, and the trace has no truncation."""
    program = """
import os, sys
file = os.open(sys.argv[1] + "/a.db", os.O_RDWR | os.O_CREAT, 0o600)
os.write(file, b"12345")
open(sys.argv[2], "w").write("ftruncate EROFS .db")
for attempt in (lambda: os.ftruncate(file, 1), lambda: os.truncate(sys.argv[1] + "/a.db", 1)):
    try:
        attempt()
    except OSError as error:
        print(error.strerror)
"""
    recording = Recording(recorder, tmp_path, program, str(tmp_path / "faults"))
    assert 2 * ["Read-only file system"] == recording.output.splitlines()
    assert [Kind.CREATE, Kind.WRITE] == recording.kinds("a.db")
    assert {"a.db": b"12345"} == contents(recording.folder)


def test_a_fault_holds_no_effect_back(recorder: Path, tmp_path: Path) -> None:
    """What leaves the process does not pass through the disk."""
    program = """
import os, sys
effects = os.open(sys.argv[1] + "/effects.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
open(sys.argv[2], "w").write("write EIO *")
os.write(effects, b"left\\n")
"""
    recording = Recording(recorder, tmp_path, program, str(tmp_path / "faults"))
    assert [b"left"] == markers(recording.operations, 2)


def test_a_fault_that_is_not_understood_stops_the_program(recorder: Path, tmp_path: Path) -> None:
    """A misspelt fault must not pass for a program that bears it."""
    recording = Recording(recorder, tmp_path, FAULTED, str(tmp_path / "faults"), "write EWRONG *")
    assert -signal.SIGABRT == recording.status
    assert "not a fault: write EWRONG *" in recording.errors


def test_a_recording_in_the_recorded_folder_is_refused(tmp_path: Path) -> None:
    """So is a library that LD_PRELOAD cannot name."""
    with pytest.raises(ValueError, match="lies in the folder"):
        recording_environment(tmp_path / "a.so", tmp_path, tmp_path / "trace")
    with pytest.raises(ValueError, match="split at spaces"):
        recording_environment(tmp_path / "a b.so", tmp_path / "disk", tmp_path / "trace")


def test_what_gcc_says_is_in_the_error(
    recorder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a compiler there is an error too."""
    assert recorder.is_file()
    monkeypatch.setattr("proof.power.build.SOURCE", tmp_path / "absent.c")
    with pytest.raises(RuntimeError, match=r"absent\.c"):
        build_recorder(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="no gcc"):
        build_recorder(tmp_path)
