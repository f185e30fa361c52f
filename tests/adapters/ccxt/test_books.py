"""A book is shown in sequence or not at all: lost, doubled and reordered updates never show."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccxt_world import SYMBOL, book_view
from zvt_trading.adapters.ccxt.books import BUFFERED_MAX, BookSequence
from zvt_trading.adapters.ccxt.views import BookView

Levels = dict[str, str]
Numbering = Callable[[int, int, int], tuple[int, int]]
"""(last id before, first id, last id) of an update to what the exchange says: first, previous."""

NUMBERINGS: dict[str, tuple[bool, Numbering]] = {
    # Whether ids have holes between updates; what is said of them.
    "binance spot": (False, lambda _before, first, _last: (first, -1)),
    "binance futures": (True, lambda before, first, _last: (first, before)),
    "okx": (True, lambda before, _first, _last: (-1, before)),
    "one by one": (False, lambda _before, first, _last: (first, -1)),
}


def history(
    changes: list[tuple[int, int, int]], name: str
) -> tuple[list[BookView], dict[int, Levels]]:
    """All updates of a book, and the true book at each of their last ids."""
    has_holes, numbering = NUMBERINGS[name]
    updates: list[BookView] = []
    level: Levels = {}
    books = {0: dict(level)}
    last = 0
    for price, size, more in changes:
        first = last + 1 + (more if has_holes else 0)
        end = first if name == "one by one" else first + more
        level[f"{price}"] = f"{size}"
        first_id, previous_id = numbering(last, first, end)
        updates.append(
            BookView(SYMBOL, False, ((f"{price}", f"{size}"),), (), first_id, end, previous_id, 0)
        )
        last = end
        books[last] = dict(level)
    return updates, books


def snapshot(books: dict[int, Levels], at: int) -> BookView:
    return BookView(SYMBOL, True, tuple(books[at].items()), (), -1, at, -1, 0)


class TestNaiveBook:
    @pytest.mark.parametrize("name", NUMBERINGS)
    @given(
        st.lists(
            st.tuples(st.integers(1, 4), st.integers(0, 9), st.integers(0, 2)),
            min_size=1,
            max_size=12,
        ),
        st.lists(st.tuples(st.sampled_from("uuuuuuuus"), st.integers(-3, 3)), max_size=40),
    )
    def test_what_is_shown_is_the_true_book(
        self, name: str, changes: list[tuple[int, int, int]], script: list[tuple[str, int]]
    ) -> None:
        """Any mixture of snapshots (old ones too) and lost, doubled, reordered updates.

        Whenever the book stands, what was shown so far is what the exchange had at that number.
        """
        updates, books = history(changes, name)
        ids = sorted(books)
        sequence = BookSequence()
        shown: Levels = {}
        at = 0
        for kind, jump in script:
            at = min(max(at + jump + 1, 0), len(updates) - 1)
            view = updates[at] if kind == "u" else snapshot(books, ids[at])
            taken = sequence.take(view)
            for one in taken:
                shown = dict(one.bids) if one.is_snapshot else {**shown, **dict(one.bids)}
            if sequence.is_valid and taken:
                assert books[taken[-1].last_id] == shown
            if not sequence.is_valid:
                assert [] == taken

    @pytest.mark.parametrize("name", NUMBERINGS)
    @given(
        st.lists(
            st.tuples(st.integers(1, 4), st.integers(0, 9), st.integers(0, 2)),
            min_size=1,
            max_size=12,
        ),
        st.data(),
    )
    def test_without_a_fault_every_update_after_the_snapshot_shows(
        self, name: str, changes: list[tuple[int, int, int]], data: st.DataObject
    ) -> None:
        """Wherever the snapshot is taken, and however much later it arrives."""
        updates, books = history(changes, name)
        ids = sorted(books)
        taken_at = data.draw(st.integers(0, len(updates)))
        arrives_at = data.draw(st.integers(taken_at, len(updates)))
        sequence = BookSequence()
        shown: list[BookView] = []
        for number, update in enumerate([*updates, None]):
            if number == arrives_at:
                shown.extend(sequence.take(snapshot(books, ids[taken_at])))
            if update is not None:
                shown.extend(sequence.take(update))
        assert sequence.is_valid
        assert updates[taken_at:] == shown[1:]


class TestRules:
    def test_nothing_shows_before_a_snapshot(self) -> None:
        """Updates wait for it."""
        sequence = BookSequence()
        assert [] == sequence.take(book_view(6))
        assert not sequence.is_valid
        shown = sequence.take(book_view(5, is_snapshot=True))
        assert [5, 6] == [view.last_id for view in shown]
        assert sequence.is_valid

    @pytest.mark.parametrize(("first", "is_valid"), [(4, True), (5, True), (6, True), (7, False)])
    def test_the_first_update_after_a_snapshot_may_overlap_it(
        self, first: int, is_valid: bool
    ) -> None:
        """Of Binance: U <= last + 1 <= u."""
        sequence = BookSequence()
        sequence.take(book_view(5, is_snapshot=True))
        shown = sequence.take(book_view(8, first_id=first))
        assert is_valid == sequence.is_valid
        assert is_valid == bool(shown)

    @pytest.mark.parametrize(("first", "is_valid"), [(7, True), (6, False), (8, False)])
    def test_later_ones_must_follow(self, first: int, is_valid: bool) -> None:
        """Neither a gap nor an overlap."""
        sequence = BookSequence()
        sequence.take(book_view(5, is_snapshot=True))
        sequence.take(book_view(6))
        sequence.take(book_view(9, first_id=first))
        assert is_valid == sequence.is_valid

    def test_old_ones_are_left_out(self) -> None:
        """And keep-alives, whose number is that of the update before."""
        sequence = BookSequence()
        sequence.take(book_view(5, is_snapshot=True))
        assert [] == sequence.take(book_view(5))
        assert [] == sequence.take(book_view(3))
        assert sequence.is_valid

    def test_updates_without_numbers_always_follow(self) -> None:
        """Their gaps were seen by who read the frames."""
        sequence = BookSequence()
        sequence.take(book_view(-1, is_snapshot=True))
        view = book_view(-1, first_id=-1)
        assert [view] == sequence.take(view)

    def test_a_gap_needs_a_new_snapshot(self) -> None:
        """What comes meanwhile waits for it."""
        sequence = BookSequence()
        sequence.take(book_view(5, is_snapshot=True))
        assert [] == sequence.take(book_view(7))
        assert [] == sequence.take(book_view(8))
        shown = sequence.take(book_view(7, is_snapshot=True))
        assert [7, 8] == [view.last_id for view in shown]

    def test_a_snapshot_that_is_too_old_is_not_shown(self) -> None:
        """A hole between it and what waited: another one is needed."""
        sequence = BookSequence()
        sequence.take(book_view(9))
        assert [] == sequence.take(book_view(5, is_snapshot=True))
        assert not sequence.is_valid

    def test_what_waits_is_bounded(self) -> None:
        """A snapshot that never comes costs no memory; the hole that this makes is seen."""
        sequence = BookSequence()
        for number in range(1, BUFFERED_MAX + 2):
            sequence.take(book_view(number))
        shown = sequence.take(book_view(0, is_snapshot=True))
        assert BUFFERED_MAX + 1 == len(shown)
        sequence.take(book_view(BUFFERED_MAX + 2))
        assert not sequence.is_valid

    def test_lose_forgets_what_waited(self) -> None:
        """The next snapshot begins from nothing."""
        sequence = BookSequence()
        sequence.take(book_view(6))
        sequence.lose()
        assert [5] == [view.last_id for view in sequence.take(book_view(5, is_snapshot=True))]
