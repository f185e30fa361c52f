"""Building the recorder and telling a program to run under it."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("recorder.c")
LIBRARY: Final = "librecorder.so"
# Distributions that harden by default turn `open` into a macro, which could not be defined.
OPTIONS: Final = (
    "-shared",
    "-fPIC",
    "-O2",
    "-std=gnu11",
    "-Wall",
    "-Wextra",
    "-U_FORTIFY_SOURCE",
    "-U_FILE_OFFSET_BITS",
)


def build_recorder(folder: Path) -> Path:
    """Compile recorder.c into `folder` and give the library; RuntimeError with gcc's output."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise RuntimeError("no gcc on the path")
    library = folder / LIBRARY
    command = [compiler, *OPTIONS, "-o", str(library), str(SOURCE), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"gcc could not build the recorder:\n{done.stdout}{done.stderr}")
    return library


def recording_environment(
    library: Path, folder: Path, trace: Path, fault_file: Path | None = None
) -> dict[str, str]:
    """What to add to a program's environment so that its work in `folder` goes to `trace`.

    The trace is appended to: a new life of the program gets a new trace. `fault_file` is read
    before each write, truncation and sync of a file in the folder: its one line
    `<operation> <error> <suffix>`, such as `write ENOSPC .db-wal` or `fsync EIO *`, makes these
    fail; while it is empty or absent nothing does. Operations: write, ftruncate, fsync (fdatasync
    too). Errors: ENOSPC, EIO, EROFS, EDQUOT. The effects log is spared.

    Refused with ValueError: a library whose path LD_PRELOAD would split, and a trace or fault file
    inside the folder, where it would be part of the disk under test.
    """
    preloaded = str(library.resolve())
    if " " in preloaded or ":" in preloaded:
        raise ValueError(f"LD_PRELOAD is split at spaces and colons: {preloaded}")
    for ours in (trace, fault_file):
        if ours is not None and ours.resolve().parent == folder.resolve():
            raise ValueError(f"{ours} lies in the folder that is recorded")
    environment = {
        "LD_PRELOAD": preloaded,
        "PROOF_RECORD_FOLDER": str(folder.resolve()),
        "PROOF_RECORD_TRACE": str(trace.resolve()),
    }
    if fault_file is not None:
        environment["PROOF_FAULT_FILE"] = str(fault_file.resolve())
    return environment
