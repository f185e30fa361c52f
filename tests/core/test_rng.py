"""core.rng: SplitMix64, checked against its published outputs, and what is built on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.rng import Rng

SEEDS = st.integers(0, 2**64 - 1)

# Published outputs of SplitMix64 (Vigna's splitmix64.c, https://prng.di.unimi.it/splitmix64.c).
PUBLISHED = [
    (0, [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]),
    (
        1_234_567,
        [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ],
    ),
]  # fmt: skip


def drawn(rng: Rng, count: int = 20) -> list[int]:
    return [rng.next_u64() for _ in range(count)]


@pytest.mark.parametrize(("seed", "outputs"), PUBLISHED)
def test_the_numbers_are_those_of_the_published_generator(seed: int, outputs: list[int]) -> None:
    """Another implementation with the same seed draws the same numbers."""
    assert outputs == drawn(Rng(seed), len(outputs))


def test_only_the_low_64_bits_of_a_seed_count() -> None:
    """Any int is a seed, also a negative or a huge one."""
    assert drawn(Rng(2**64 - 1)) == drawn(Rng(-1))
    assert drawn(Rng(5)) == drawn(Rng(2**64 + 5))


@given(SEEDS, st.integers(1, 2**64))
def test_below_stays_below_its_bound(seed: int, bound: int) -> None:
    """`below(n)` is 0 .. n - 1, for every n up to 2^64."""
    rng = Rng(seed)
    assert all(0 <= rng.below(bound) < bound for _ in range(10))


def test_below_draws_again_where_the_remainder_would_favour_small_numbers() -> None:
    """With n = 2^63 + 1 the draws from n on are thrown away; their remainder would be biased."""
    bound = 2**63 + 1
    raw = drawn(Rng(3), 200)
    kept = [number for number in raw if number < bound]
    assert 60 < len(kept) < 140
    rng = Rng(3)
    assert kept == [rng.below(bound) for _ in kept]


def test_below_is_even() -> None:
    """Each of six faces comes up about as often: chi-square below the 0.1 % bound of 20.5."""
    rng = Rng(11)
    counts = [0] * 6
    for _ in range(12_000):
        counts[rng.below(6)] += 1
    assert sum((count - 2_000) ** 2 for count in counts) < 20.5 * 2_000


@pytest.mark.parametrize("bound", [0, -1, 2**64 + 1])
def test_below_refuses_a_bound_it_cannot_serve(bound: int) -> None:
    """There is no number below 0, and 64 bits end at 2^64."""
    with pytest.raises(ValueError, match=r"1 \.\. 2"):
        Rng(1).below(bound)


@pytest.mark.parametrize(("numerator", "share"), [(0, 0), (1, 250), (3, 750), (4, 1_000)])
def test_chance_is_a_share_of_the_draws(numerator: int, share: int) -> None:
    """0 of 4 never comes, 4 of 4 always, between them it is the ratio (4 sigma = 55)."""
    rng = Rng(17)
    seen = sum(rng.chance(numerator, 4) for _ in range(1_000))
    assert abs(share - seen) <= (55 if 0 < numerator < 4 else 0)


@given(SEEDS, st.integers(0, 10_000))
def test_a_fork_does_not_move_its_parent(seed: int, label: int) -> None:
    """Whoever draws from a fork changes nothing for the others."""
    parent, untouched = Rng(seed), Rng(seed)
    drawn(parent.fork(label))
    assert drawn(untouched) == drawn(parent)


def test_forks_differ_by_label_and_by_parent_and_repeat() -> None:
    """Same parent and label: the same stream; otherwise another one, and never the parent's."""
    streams = [tuple(drawn(Rng(seed).fork(label))) for seed in range(8) for label in range(8)]
    assert len(set(streams)) == 64
    assert drawn(Rng(1).fork(2)) == drawn(Rng(1).fork(2))
    assert drawn(Rng(1)) not in [list(stream) for stream in streams]
