"""The rebuilt book is judged by the venue's own tickers, and only by what they can prove."""

import gzip
from itertools import islice
from pathlib import Path

import pytest
from recording_world import write

from zvt_trading.adapters.files import BookChecker
from zvt_trading.adapters.files.binance_recording import BinanceRecording
from zvt_trading.messages.market import (
    BookDelta,
    BookInvalid,
    BookSnapshot,
    MarketData,
    QuoteTick,
    TradeTick,
)

X = "binance:BTC/USDT"


def snapshot(update_id: int) -> BookSnapshot:
    """Bids 99 x 5, 98 x 6; asks 101 x 5, 102 x 6."""
    return BookSnapshot(X, ((99, 5), (98, 6)), ((101, 5), (102, 6)), 0, update_id)


def delta(first: int, last: int, *bids: tuple[int, int]) -> BookDelta:
    return BookDelta(X, bids, (), 0, first, last)


def quote(update_id: int, bid: int, bid_size: int, ask: int = 101, ask_size: int = 5) -> QuoteTick:
    return QuoteTick(X, bid, bid_size, ask, ask_size, 0, update_id)


def check(*messages: MarketData) -> BookChecker:
    checker = BookChecker()
    for message in messages:
        checker.observe(message)
    return checker


def counts(checker: BookChecker) -> tuple[int, int, int]:
    return checker.matched, checker.total, checker.undecidable


NEWER = quote(90, 1, 1)  # proves that no ticker up to 89 is missing; itself waiting: undecidable
GROWN = delta(11, 15, (99, 7))

CASES: list[tuple[str, list[MarketData], tuple[int, int, int]]] = [
    ("top at the snapshot", [snapshot(10), quote(9, 99, 5), NEWER], (1, 1, 1)),
    ("wrong size at the snapshot", [snapshot(10), quote(9, 99, 4), NEWER], (0, 1, 1)),
    ("wrong ask", [snapshot(10), quote(9, 99, 5, 102, 6), NEWER], (0, 1, 1)),
    ("top after a diff", [snapshot(10), GROWN, quote(15, 99, 7), NEWER], (1, 1, 1)),
    ("before its diff", [snapshot(10), quote(15, 99, 7), GROWN, NEWER], (1, 1, 1)),
    ("wrong after a diff", [snapshot(10), GROWN, quote(15, 99, 5), NEWER], (0, 1, 1)),
    ("nothing newer yet", [snapshot(10), GROWN, quote(15, 99, 7)], (0, 0, 1)),
    ("no book at all", [quote(15, 99, 7), NEWER], (0, 0, 2)),
    (
        "superseded, its level named by the diff: cannot be known",
        [snapshot(10), quote(12, 99, 3), quote(14, 99, 7), delta(11, 15, (99, 7)), NEWER],
        (1, 1, 2),
    ),
    (
        "superseded, at an unchanged level with another size: wrong",
        [snapshot(10), quote(12, 98, 3), quote(14, 98, 6), delta(11, 15, (99, 0)), NEWER],
        (1, 2, 1),
    ),
    (
        "superseded, worse than an unchanged level: wrong",
        [snapshot(10), quote(12, 97, 3), quote(14, 98, 6), delta(11, 15, (99, 0)), NEWER],
        (1, 2, 1),
    ),
    (
        "superseded, at a level that neither is there nor changed: wrong",
        [snapshot(10), quote(12, 100, 3), quote(14, 98, 6), delta(11, 15, (99, 0)), NEWER],
        (1, 2, 1),
    ),
    (
        "superseded, all levels named: cannot be known",
        [
            snapshot(10), quote(12, 98, 3), quote(14, 99, 1),
            delta(11, 15, (99, 1), (98, 0)), NEWER,
        ],
        (1, 1, 2),
    ),
    (
        "superseded before a snapshot: cannot be known",
        [quote(8, 50, 1), quote(9, 99, 5), snapshot(10), NEWER],
        (1, 1, 2),
    ),
    (
        "the top changed without a ticker: the one that agreed no longer does",
        [snapshot(10), quote(9, 99, 5), delta(11, 12, (98, 7)), delta(13, 15, (99, 7)), NEWER],
        (0, 1, 1),
    ),
    (
        "and stays one error",
        [snapshot(10), quote(9, 99, 5), delta(11, 12, (99, 7)), delta(13, 15, (99, 8)), NEWER],
        (0, 1, 1),
    ),
    ("a ticker out of order", [snapshot(10), quote(9, 99, 5), NEWER, quote(8, 1, 1)], (1, 1, 2)),
    ("a diff after its tickers", [snapshot(10), NEWER, delta(11, 15, (99, 7))], (0, 0, 1)),
    ("no ids: nothing to compare", [snapshot(0), delta(0, 0, (99, 7)), quote(0, 99, 7)], (0, 0, 0)),
    ("trades say nothing", [TradeTick(X, 1, 1, 1, 0)], (0, 0, 0)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_matched_total_undecidable(
    messages: list[MarketData], expected: tuple[int, int, int]
) -> None:
    assert expected == counts(check(*messages))


def test_the_known_half_of_a_superseded_ticker_is_counted() -> None:
    """The ask did not change, the bid's level did."""
    checker = check(snapshot(10), quote(12, 99, 3), quote(14, 99, 7), delta(11, 15, (99, 7)), NEWER)
    assert 1 == checker.half_checked


def test_a_gap_ends_the_judgement_until_the_next_snapshot() -> None:
    checker = check(
        snapshot(10),
        delta(11, 12, (99, 7)),
        delta(14, 15, (99, 8)),  # 13 is missing
        quote(15, 1, 1),
        delta(16, 17, (99, 9)),
        snapshot(20),
        quote(19, 99, 5),
        NEWER,
    )
    assert 1 == checker.gaps
    assert (1, 1, 2) == counts(checker)


def test_a_book_declared_invalid_is_not_used() -> None:
    checker = check(snapshot(10), BookInvalid(X, 0, "lost"), delta(11, 15), quote(15, 1, 1), NEWER)
    assert (0, 0, 2) == counts(checker)


def test_a_repeated_snapshot_judges_nothing_twice() -> None:
    checker = check(
        snapshot(10), delta(11, 15, (99, 7)), quote(15, 99, 7), snapshot(10),
        delta(11, 15, (99, 7)), NEWER,
    )  # fmt: skip
    assert (1, 1, 1) == counts(checker)


def test_a_mismatch_says_what_was_recorded_and_what_rebuilt() -> None:
    checker = check(snapshot(10), quote(9, 99, 4), NEWER)
    assert [
        f"{X}: ticker 9 has (99, 4, 101, 5), but the book has (99, 5, 101, 5) at 10"
    ] == checker.mismatches


def test_only_the_first_mismatches_are_told() -> None:
    wrong = [quote(10 + n, 1, n) for n in range(1, 15)]
    checker = check(snapshot(10), *wrong, *[delta(10 + n, 10 + n) for n in range(1, 15)], NEWER)
    assert (0, 14, 1) == counts(checker)
    assert 10 == len(checker.mismatches)


def test_memory_is_bounded_without_tickers_and_without_diffs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zvt_trading.adapters.files.book_check.TICKERS_KEPT", 3)
    monkeypatch.setattr("zvt_trading.adapters.files.book_check.BOOKS_KEPT", 2)
    checker = check(*[quote(number, 1, 1) for number in range(1, 11)])
    assert (0, 0, 10) == counts(checker)
    checker = check(snapshot(1), *[delta(n, n, (99, n)) for n in range(2, 11)], quote(10, 99, 10))
    assert (1, 1, 1) == counts(check_more(checker, NEWER))


def check_more(checker: BookChecker, *messages: MarketData) -> BookChecker:
    for message in messages:
        checker.observe(message)
    return checker


@pytest.mark.parametrize(("name", "at_least"), [("spot", 2_895), ("usdm", 5_702)])
def test_every_decidable_recorded_ticker_equals_the_rebuilt_top(
    shared_data: Path, name: str, at_least: int
) -> None:
    """Price and size, both sides, at its update id: 100 %; and every ticker is accounted for."""
    recording = BinanceRecording(shared_data / "binance" / f"{name}_btcusdt_20240808.gz")
    checker = BookChecker([recording.spec])
    tickers = 0
    for message in recording:
        tickers += isinstance(message, QuoteTick)
        checker.observe(message)
    assert [] == checker.mismatches
    assert checker.total == checker.matched >= at_least
    assert tickers == checker.total + checker.undecidable
    assert 0 == checker.gaps


def test_a_deleted_diff_makes_the_book_invalid(shared_data: Path, tmp_path: Path) -> None:
    """The same recording without one of its depth lines: one gap, and no ticker judged after it."""
    with gzip.open(shared_data / "binance" / "spot_btcusdt_20240808.gz", "rt") as file:
        lines = [line.rstrip("\n") for line in islice(file, 4_000)]
    whole = BinanceRecording(write(tmp_path / "whole.gz", lines))
    cut = [at for at, line in enumerate(lines) if "@depth" in line][150]
    damaged = BinanceRecording(write(tmp_path / "cut.gz", lines[:cut] + lines[cut + 1 :]))
    complete, broken = check(*whole), check(*damaged)
    assert (0, 1) == (complete.gaps, broken.gaps)
    assert not broken.of(X).book.valid
    assert 0 < broken.matched == broken.total < complete.total
