"""The simulated link and wire: what arrives, when, in which order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.rng import Rng
from zvt_trading.sim.link import PPM, Link, LinkProfile


def arrivals(
    profile: LinkProfile, seed: int, count: int = 200, gap: int = 10
) -> list[tuple[int, ...]]:
    """Due times of `count` messages sent `gap` ns apart."""
    link = Link(profile, Rng(seed))
    return [link.send(number * gap) for number in range(count)]


def test_a_perfect_link_delivers_at_once_and_draws_nothing() -> None:
    """The default profile costs no randomness: the generator is untouched."""
    rng = Rng(1)
    link = Link(LinkProfile(), rng)
    assert [(5,), (7,)] == [link.send(5), link.send(7)]
    assert Rng(1).next_u64() == rng.next_u64()


def test_a_constant_delay_draws_nothing() -> None:
    """delay_min == delay_max is exact."""
    assert [(100,), (110,)] == arrivals(LinkProfile(delay_min=100, delay_max=100), 1, 2)


def test_the_same_seed_gives_the_same_faults() -> None:
    """A run can be repeated; another seed differs."""
    profile = LinkProfile(5, 500, 50_000, 50_000, 50_000, 1_000)
    assert arrivals(profile, 7) == arrivals(profile, 7)
    assert arrivals(profile, 7) != arrivals(profile, 8)


@given(seed=st.integers(0, 2**32), low=st.integers(0, 100), spread=st.integers(0, 1_000))
def test_without_reordering_the_stream_is_fifo(seed: int, low: int, spread: int) -> None:
    """Random delays never let a message overtake the one before, and are at least the minimum."""
    profile = LinkProfile(low, low + spread, loss_ppm=100_000, duplicate_ppm=100_000)
    sent = arrivals(profile, seed)
    flat = [due for dues in sent for due in dues]
    assert sorted(flat) == flat
    assert all(due >= number * 10 + low for number, dues in enumerate(sent) for due in dues)


@given(seed=st.integers(0, 2**32))
def test_delays_stay_within_their_bounds_when_sent_far_apart(seed: int) -> None:
    """The delay is drawn from delay_min..delay_max."""
    sent = arrivals(LinkProfile(5, 9), seed, gap=1_000)
    assert {5, 6, 7, 8, 9} == {dues[0] - number * 1_000 for number, dues in enumerate(sent)}


def test_a_reordered_message_is_overtaken() -> None:
    """With reordering some later message arrives before an earlier one."""
    flat = [dues[0] for dues in arrivals(LinkProfile(reorder_ppm=200_000, reorder_delay=500), 3)]
    assert sorted(flat) != flat
    assert all(due <= number * 10 + 510 for number, due in enumerate(flat) if due > number * 10)


@pytest.mark.parametrize(
    ("profile", "lengths"),
    [
        (LinkProfile(loss_ppm=PPM), {0}),
        (LinkProfile(duplicate_ppm=PPM), {2}),
        (LinkProfile(loss_ppm=PPM // 2), {0, 1}),
        (LinkProfile(duplicate_ppm=PPM // 2), {1, 2}),
    ],
)
def test_loss_and_duplication(profile: LinkProfile, lengths: set[int]) -> None:
    """() is lost, two times a duplicate."""
    assert lengths == {len(dues) for dues in arrivals(profile, 4)}


def test_what_is_sent_while_disconnected_is_lost() -> None:
    """Windows are half open: start included, end not."""
    link = Link(LinkProfile(disconnects=((10, 20), (20, 25), (40, 50))), Rng(1))
    sent = {now: bool(link.send(now)) for now in (0, 9, 10, 19, 20, 24, 25, 39, 40, 49, 50, 99)}
    assert {0, 9, 25, 39, 50, 99} == {now for now, arrived in sent.items() if arrived}
    assert link.is_up(100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"delay_min": -1}, "delay -1..0"),
        ({"delay_min": 5, "delay_max": 4}, "delay 5..4"),
        ({"loss_ppm": PPM + 1}, "loss_ppm"),
        ({"duplicate_ppm": -1}, "duplicate_ppm"),
        ({"reorder_ppm": 1}, "go together"),
        ({"reorder_delay": 1}, "go together"),
        ({"disconnects": ((5, 5),)}, "disconnect"),
        ({"disconnects": ((5, 9), (8, 10))}, "disconnect"),
    ],
)
def test_an_impossible_profile_is_an_error(arguments: dict[str, Any], message: str) -> None:
    """The error names the field and its value."""
    with pytest.raises(ValueError, match=message):
        LinkProfile(**arguments)


def test_a_link_that_keeps_all() -> None:
    """Everything arrives, once, in order: late perhaps, but nothing lost, doubled or overtaken."""
    assert LinkProfile(5, 9).keeps_all()
    assert not LinkProfile(loss_ppm=1).keeps_all()
    assert not LinkProfile(duplicate_ppm=1).keeps_all()
    assert not LinkProfile(reorder_ppm=5, reorder_delay=5).keeps_all()
    assert not LinkProfile(disconnects=((5, 9),)).keeps_all()
