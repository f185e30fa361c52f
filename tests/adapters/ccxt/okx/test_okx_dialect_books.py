"""OKX's books: sequence and checksum, by the documentation's rules and by recorded messages."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from emulator.okx.okx_dialect_world import PUBLIC, SPOT, SWAP, caller
from zvt_trading.adapters.ccxt.okx import OkxDialect
from zvt_trading.adapters.ccxt.okx.books import Book
from zvt_trading.adapters.ccxt.views import BookView, GapView, View


def book(
    action: str, previous: int, seq: int, bids: Any = (), asks: Any = (), **more: Any
) -> dict[str, Any]:
    """A frame of one message."""
    name = more.pop("instId", "BTC-USDT")
    row = {"bids": list(bids), "asks": list(asks), "ts": "7", "prevSeqId": previous, "seqId": seq}
    return {
        "arg": {"channel": "books", "instId": name},
        "action": action,
        "data": [{**row, **more}],
    }


SNAPSHOT = book("snapshot", -1, 10, [["99.9", "1", "0", "1"]], [["100.1", "2", "0", "1"]])


class Reader:
    """One connection."""

    def __init__(self) -> None:
        self.okx, self.dialect = caller(), OkxDialect()

    def views(self, frame: dict[str, Any], url: str = PUBLIC) -> list[View]:
        found = self.dialect.frames(self.okx, url, frame)
        assert found.problem == ""
        return found.views


def test_updates_follow_their_snapshot() -> None:
    """With their texts and ids; a keep-alive (equal seqId) says nothing."""
    reader = Reader()
    snapshot = BookView(SPOT, True, (("99.9", "1"),), (("100.1", "2"),), -1, 10, -1, 7)
    assert [snapshot] == reader.views(SNAPSHOT)
    assert [] == reader.views(book("update", 10, 10))
    update = BookView(SPOT, False, (("99.90", "0"),), (), -1, 15, 10, 7)
    assert [update] == reader.views(book("update", 10, 15, [["99.90", "0", "0", "0"]]))


def test_a_swaps_book_is_in_the_base_asset() -> None:
    """Contracts of 0.01."""
    reader = Reader()
    frame = book("snapshot", -1, 1, [["99.9", "150", "0", "1"]], instId="BTC-USDT-SWAP")
    assert [BookView(SWAP, True, (("99.9", "1.5"),), (), -1, 1, -1, 7)] == reader.views(frame)


BROKEN = [
    ("a message is missing", book("update", 12, 15)),
    ("OKX counts from the beginning", book("update", 10, 3)),
    ("the checksum is another", book("update", 10, 15, checksum=123)),
]


@pytest.mark.parametrize(("_why", "frame"), BROKEN)
def test_what_does_not_fit_is_a_gap_until_the_next_snapshot(
    _why: str, frame: dict[str, Any]
) -> None:
    """One GapView, then nothing, then all is well again; other connections are not concerned."""
    reader = Reader()
    reader.views(SNAPSHOT)
    reader.views(SNAPSHOT, "another")
    (gap,) = reader.views(frame)
    assert isinstance(gap, GapView)
    assert (SPOT, True) == (gap.symbol, bool(gap.reason))
    assert [] == reader.views(book("update", 10, 15))
    assert [] == reader.views(book("update", 15, 16))
    assert 1 == len(reader.views(book("update", 10, 15), "another"))
    assert 1 == len(reader.views(SNAPSHOT))
    assert 1 == len(reader.views(book("update", 10, 15)))


def test_ccxt_itself_takes_a_book_with_a_wrong_checksum() -> None:
    """Why we look at it."""

    async def story() -> None:
        okx = caller()
        client = okx.client(PUBLIC)
        wrong = {**SNAPSHOT["data"][0], "checksum": 5}
        okx.handle_message(client, {**SNAPSHOT, "data": [wrong]})
        okx.handle_message(client, book("update", 10, 15, checksum=123))
        assert 15 == okx.orderbooks[SPOT]["nonce"]
        await okx.close()

    asyncio.run(story())


def test_every_recorded_checksum_is_that_of_the_book(shared_data: Path) -> None:
    """All messages of a capture, rebuilt by the code that checks live ones."""
    books: dict[str, Book] = {}
    checked = 0
    with gzip.open(shared_data / "captures" / "OKX.ws.1.0.gz", "rt") as lines:
        for line in lines:
            _, _, text = line.partition(": ")
            if '"channel":"books"' not in text or '"action"' not in text:
                continue
            frame = json.loads(text)
            name = frame["arg"]["instId"]
            for row in frame["data"]:
                if frame["action"] == "snapshot":
                    books[name] = Book(0)
                books[name].bids.take(row["bids"])
                books[name].asks.take(row["asks"])
                assert row["checksum"] == books[name].checksum()
                checked += 1
    assert 290 == checked
