"""The `books` channel: sequence and checksum of each book, per connection.

Rules: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel. A
snapshot has prevSeqId -1; then prevSeqId is the last seqId; an equal seqId is a keep-alive; a lower
one means that OKX began to count again. The checksum is the signed CRC32 of the best 25 levels, as
they were sent. ccxt looks at prevSeqId only.
"""

import zlib
from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from zvt_trading.adapters.ccxt.okx.names import Market, Row, in_base, number
from zvt_trading.adapters.ccxt.views import BookView, GapView, View

LEVELS: Final = 25
NO_GAP: Final = ""


class Side:
    """One side as texts, best first; `sign` is -1 for bids."""

    def __init__(self, sign: int) -> None:
        self._sign: Final = Decimal(sign)
        self._keys: list[Decimal] = []
        self._texts: list[str] = []  # "price:size"

    def take(self, levels: Sequence[Sequence[str]]) -> None:
        """Changed levels; size 0: gone."""
        for price, size, *_ in levels:
            key = Decimal(price) * self._sign
            at = bisect_left(self._keys, key)
            is_there = at < len(self._keys) and self._keys[at] == key
            if Decimal(size):
                if is_there:
                    self._texts[at] = f"{price}:{size}"
                else:
                    self._keys.insert(at, key)
                    self._texts.insert(at, f"{price}:{size}")
            elif is_there:
                del self._keys[at], self._texts[at]

    def best(self) -> list[str]:
        """Of the levels that a checksum covers."""
        return self._texts[:LEVELS]


class Book:
    """One symbol's book on one connection."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.bids: Final = Side(-1)
        self.asks: Final = Side(1)

    def checksum(self) -> int:
        """As OKX computes it."""
        bids, asks = self.bids.best(), self.asks.best()
        parts: list[str] = []
        for place in range(max(len(bids), len(asks))):
            parts += bids[place : place + 1] + asks[place : place + 1]
        value = zlib.crc32(":".join(parts).encode())
        return value - (1 << 32) if value >= 1 << 31 else value


class Books:
    """All books of one ccxt object. A book with a gap says nothing until its next snapshot."""

    def __init__(self) -> None:
        self._books: dict[tuple[str, str], Book] = {}

    def take(self, url: str, frame: Row, market: Market) -> list[View]:
        """The views of a frame of the channel; a GapView where it does not fit."""
        views: list[View] = []
        for row in frame["data"]:
            views += self._row(url, row, market, is_snapshot=frame["action"] == "snapshot")
        return views

    def _row(self, url: str, row: Row, market: Market, *, is_snapshot: bool) -> list[View]:
        key = (url, market["symbol"])
        seq, previous = int(row["seqId"]), int(row["prevSeqId"])
        book = Book(seq) if is_snapshot else self._books.get(key)
        if book is None:
            return []
        problem = NO_GAP if is_snapshot else _misplaced(book.seq, previous, seq)
        if not problem:
            book.seq = seq
            book.bids.take(row["bids"])
            book.asks.take(row["asks"])
            problem = _miscounted(book, row)
        if problem:
            self._books.pop(key, None)
            return [GapView(market["symbol"], problem)]
        self._books[key] = book
        if not is_snapshot and seq == previous:
            return []
        return [_view(row, market, is_snapshot, previous, seq)]


def _misplaced(last: int, previous: int, seq: int) -> str:
    if previous != last:
        return f"prevSeqId {previous} does not follow seqId {last}"
    return f"seqId {seq} counts from the beginning again" if seq < previous else NO_GAP


def _miscounted(book: Book, row: Row) -> str:
    """The checksum, where one is given (0 is none)."""
    given = row.get("checksum") or 0
    if not given:
        return NO_GAP
    ours = book.checksum()
    return NO_GAP if ours == given else f"checksum {given} is not that of the book, {ours}"


def _view(row: Row, market: Market, is_snapshot: bool, previous: int, seq: int) -> BookView:
    return BookView(
        symbol=market["symbol"],
        is_snapshot=is_snapshot,
        bids=_levels(row["bids"], market),
        asks=_levels(row["asks"], market),
        first_id=-1,
        last_id=seq,
        previous_id=previous,
        ts=number(row, "ts"),
    )


def _levels(levels: Sequence[Sequence[str]], market: Market) -> tuple[tuple[str, str], ...]:
    return tuple((level[0], in_base(level[1], market)) for level in levels)
