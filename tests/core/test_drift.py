"""Drift is a difference that stays: never what is gone soon, always what is constant."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.drift import DriftWatch
from zvt_trading.core.limits import DRIFT_READINGS, DRIFT_SUBJECTS_MAX
from zvt_trading.core.reconcile import CASH, ORDER, POSITION, Difference

MANY: Final = 20


def cash(offset: int, asset: str = "USDT", ours: int = 100) -> Difference:
    """The venue has so much more of an asset than we."""
    return Difference("binance", "main", CASH, asset, ours, ours + offset)


def order(terms: str, name: str = "a") -> Difference:
    """We do not know an order that the venue has."""
    return Difference("binance", "", ORDER, name, "none", terms)


def told(readings: list[list[Difference]], watch: DriftWatch | None = None) -> list[list[str]]:
    """What each reading made drift, by name and offset."""
    watch = watch or DriftWatch()
    found: list[list[str]] = []
    for reading in readings:
        watch.read(reading)
        found.append([f"{one.name()}: {one.offset()}" for one in watch.drifting])
    return found


class TestFound:
    def test_after_three_readings_once(self) -> None:
        expected = [[], [], ["binance cash main USDT: 5"], [], []]
        assert expected == told([[cash(5)]] * 5)

    def test_whatever_else_moves(self) -> None:
        """The same offset from other amounts is the same drift."""
        readings = [[cash(5, ours=ours)] for ours in (100, 250, -7)]
        assert [[], [], ["binance cash main USDT: 5"]] == told(readings)

    def test_each_subject_counts_for_itself(self) -> None:
        readings = [[cash(5)], [cash(5), cash(5, "BTC")], [cash(5), cash(5, "BTC")]]
        assert [[], [], ["binance cash main USDT: 5"]] == told(readings)

    def test_kinds_do_not_mix(self) -> None:
        """A position and cash of one name are two subjects."""
        position = Difference("binance", "main", POSITION, "USDT", 100, 105, "USDT")
        assert [[], [], []] == told([[cash(5)], [position], [cash(5)]])

    def test_orders_by_both_their_terms(self) -> None:
        """An order that changes is being worked on."""
        one, other = order("1 at 9, 0 filled"), order("1 at 8, 0 filled")
        expected = "binance order a: none here, 1 at 8, 0 filled there"
        assert [[], [], [], [expected]] == told([[one], [other], [other], [other]])


class TestNotFound:
    def test_a_gap_begins_anew(self) -> None:
        readings = [[cash(5)], [cash(5)], [], [cash(5)], [cash(5)]]
        assert [[]] * 5 == told(readings)

    def test_an_offset_that_changes_begins_anew(self) -> None:
        """What is on its way is another amount each time."""
        assert [[]] * 4 == told([[cash(5)], [cash(5)], [cash(6)], [cash(6)]])


class TestCleared:
    def test_it_is_told_when_it_is_gone(self) -> None:
        """With the first reading that has it no more, once."""
        watch = DriftWatch()
        told([[cash(5)]] * DRIFT_READINGS, watch)
        assert [] == watch.cleared
        watch.read([])
        assert (["binance cash main USDT"], []) == (watch.cleared, watch.drifting)
        watch.read([])
        assert [] == watch.cleared

    def test_what_was_no_drift_is_not(self) -> None:
        watch = DriftWatch()
        told([[cash(5)]] * (DRIFT_READINGS - 1), watch)
        watch.read([])
        assert [] == watch.cleared

    def test_another_amount_is_not_gone(self) -> None:
        """While it changes nothing is told; when it stays there, that is."""
        watch = DriftWatch()
        told([[cash(5)]] * DRIFT_READINGS, watch)
        expected = [[], [], ["binance cash main USDT: 6"], []]
        assert expected == told([[cash(6)]] * 4, watch)
        assert [] == watch.cleared
        watch.read([])
        assert ["binance cash main USDT"] == watch.cleared

    def test_a_moment_at_another_amount_is_not_told_again(self) -> None:
        """A fill on its way came and went; the drift is the one that is known."""
        watch = DriftWatch()
        told([[cash(5)]] * DRIFT_READINGS, watch)
        assert [[]] * 5 == told([[cash(6)], *[[cash(5)]] * 4], watch)

    def test_it_can_come_back(self) -> None:
        watch = DriftWatch()
        told([[cash(5)]] * DRIFT_READINGS, watch)
        expected = [[], [], [], ["binance cash main USDT: 5"]]
        assert expected == told([[], *[[cash(5)]] * DRIFT_READINGS], watch)


def test_the_memory_is_bounded() -> None:
    """What the last reading had, and not more of it than the limit."""
    watch = DriftWatch()
    for turn in range(3):
        watch.read([cash(1, f"{turn}-{number}") for number in range(2 * DRIFT_SUBJECTS_MAX)])
    assert DRIFT_SUBJECTS_MAX == len(watch.suspects)


OFFSETS: Final = st.integers(-3, 3)
SERIES: Final = st.lists(OFFSETS, max_size=MANY)
"""One subject's offset at each reading; 0 is none."""


def readings_of(offsets: list[int]) -> list[list[Difference]]:
    """As a watch is given them."""
    return [[cash(offset)] if offset else [] for offset in offsets]


@given(SERIES)
def test_it_fires_exactly_with_the_third_alike(offsets: list[int]) -> None:
    """Never for what is gone, or is another amount, within two readings; always otherwise.

    Once for each amount as long as there is no reading without a difference.
    """
    expected = []
    known = 0
    for at, offset in enumerate(offsets):
        last = offsets[max(0, at - DRIFT_READINGS + 1) : at + 1]
        known = known if offset else 0
        fires = offset != 0 and offset != known and last == [offset] * DRIFT_READINGS
        known = offset if fires else known
        expected.append([f"binance cash main USDT: {offset}"] if fires else [])
    assert expected == told(readings_of(offsets))


@given(st.lists(st.tuples(st.integers(1, DRIFT_READINGS - 1), OFFSETS.filter(bool)), max_size=8))
def test_it_never_fires_for_what_is_gone_soon(visits: list[tuple[int, int]]) -> None:
    """However often something is on its way for up to two readings."""
    offsets = [offset for length, one in visits for offset in [one] * length + [0]]
    assert [[]] * len(offsets) == told(readings_of(offsets))


@given(SERIES, OFFSETS.filter(bool), st.integers(DRIFT_READINGS, MANY))
def test_it_always_fires_for_what_is_constant(before: list[int], offset: int, length: int) -> None:
    """Whatever went before, from a moment of peace on."""
    found = told(readings_of([*before, 0, *[offset] * length]))[len(before) + 1 :]
    assert 1 == sum(len(one) for one in found)
    assert found[DRIFT_READINGS - 1]
