"""A download that is killed with SIGKILL, again and again, ends as if nothing had happened."""

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path

import pytest
from history_clients import findings_in, rows_in
from history_venue import END, START, Venue, candles, trades

from zvt_trading.core.units import DAY, MINUTE
from zvt_trading.data.crypto_data_loader import CryptoDataLoader

HERE = Path(__file__).resolve().parent
KILLED = -signal.SIGKILL
DEADLINE_S = 60


def venue_of(exchange: str, what: str) -> Venue:
    """Enough for many pages and some checkpoints a file."""
    if what == "candles":
        return Venue(exchange, candles=candles(5, MINUTE))
    return Venue(exchange, trades=trades(5, 6_000, start=START - DAY, end=END + DAY), cap=100)


async def start(venue: Venue, what: str, folder: Path, step: str = "fsync", at: int = 0) -> Process:
    """A process that downloads."""
    script = str(HERE / "kill_download.py")
    arguments = (venue.url, venue.exchange, what, str(folder), step, str(at))
    paths = os.pathsep.join([str(HERE), str(HERE.parents[1] / "src")])
    return await asyncio.create_subprocess_exec(
        sys.executable, script, *arguments, env={**os.environ, "PYTHONPATH": paths}
    )


async def ended(process: Process) -> int:
    """How it ended."""
    async with asyncio.timeout(DEADLINE_S):
        return await process.wait()


def check(folder: Path, venue: Venue) -> None:
    """What lies there after a kill is a true part of the record; nothing is half."""
    assert [] == [text for text in findings_in(folder) if not text.startswith("gap: ")]
    known = set(venue.record(START, END))
    assert all(row in known for row in rows_in(folder))


@pytest.mark.parametrize(("exchange", "what"), [("binance", "trades"), ("okx", "candles")])
def test_kills_at_random_pages(exchange: str, what: str, tmp_path: Path) -> None:
    """Killed while it waits for a page, or works on the one before; then run to its end."""
    venue = venue_of(exchange, what)
    random_ = random.Random(7)

    async def scenario() -> None:
        async with venue:
            for _ in range(3):
                process = await start(venue, what, tmp_path)
                last = len(venue.asked) + random_.randrange(2, 7)

                def kill(number: int, process: Process = process, last: int = last) -> None:
                    if number == last:
                        process.kill()

                venue.on_history = kill
                assert KILLED == await ended(process)
                check(tmp_path, venue)
            venue.on_history = lambda _: None
            assert 0 == await ended(await start(venue, what, tmp_path))

    asyncio.run(scenario())
    assert venue.record(START, END) == rows_in(tmp_path)
    assert [] == findings_in(tmp_path)


def test_kills_at_every_step_of_writing(tmp_path: Path) -> None:
    """Half-way through the bytes, before they are durable, before the name, after the name."""
    venue = venue_of("binance", "trades")
    steps = [("write", 1), ("fsync", 1), ("replace", 1), ("fsync", 2), ("write", 2), ("replace", 2)]

    async def scenario() -> None:
        async with venue:
            for step, number in steps:
                assert KILLED == await ended(await start(venue, "trades", tmp_path, step, number))
                check(tmp_path, venue)
            assert 0 == await ended(await start(venue, "trades", tmp_path))

    asyncio.run(scenario())
    assert venue.record(START, END) == rows_in(tmp_path)
    assert [] == findings_in(tmp_path)
    assert [] == list(tmp_path.rglob("*.tmp"))


def test_half_a_file_is_not_taken_for_a_file(tmp_path: Path) -> None:
    """What a killed process left behind has another name, and nothing lists it."""
    venue = venue_of("binance", "trades")

    async def scenario() -> None:
        async with venue:
            process = await start(venue, "trades", tmp_path, "replace", 1)
            assert KILLED == await ended(process)

    asyncio.run(scenario())
    assert 1 == len(list(tmp_path.rglob("*.tmp")))
    assert [] == CryptoDataLoader(tmp_path).available()
