"""A process that downloads from a venue on loopback and may be killed while it writes.

Arguments: URL, exchange, what, folder, then "write", "fsync" or "replace" and the number of the
call at which the process kills itself (0: never).
"""

import asyncio
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from history_clients import download, series_of
from history_venue import END, START, Venue
from pyarrow import parquet


def dies_at(number: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """The real call, but at its n-th time the process is killed just before it."""
    calls = iter(range(1, 10**6))

    def call(*arguments: Any) -> Any:
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)

    return call


def halves_at(number: int) -> Callable[..., None]:
    """Writes a table whole, but the n-th only half before the process is killed."""
    calls = iter(range(1, 10**6))
    real = parquet.write_table

    def write_table(table: pa.Table, sink: BinaryIO, **options: Any) -> None:
        if next(calls) == number:
            whole = io.BytesIO()
            real(table, whole, **options)
            sink.write(whole.getvalue()[: whole.tell() // 2])
            sink.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        real(table, sink, **options)

    return write_table


def main(url: str, exchange: str, what: str, folder: str, step: str, number: str) -> None:
    """Download, or die."""
    if step == "replace":
        Path.replace = dies_at(int(number), Path.replace)  # type: ignore[method-assign]  # the place to die
    elif step == "write":
        parquet.write_table = halves_at(int(number))
    else:
        os.fsync = dies_at(int(number), os.fsync)
    venue = Venue(exchange)
    venue.url = url
    asyncio.run(download(venue, Path(folder), series_of(exchange, what), START, END))


if __name__ == "__main__":
    main(*sys.argv[1:])
