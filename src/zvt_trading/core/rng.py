"""Seeded randomness for simulations: SplitMix64 (Steele, Lea, Flood 2014), the same everywhere."""

from typing import Final, final

_MASK: Final = (1 << 64) - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15


@final
class Rng:
    """A stream of 64-bit numbers that depends on the seed alone."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def next_u64(self) -> int:
        """The next number, 0 .. 2^64 - 1."""
        self._state = (self._state + _GOLDEN) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, bound: int) -> int:
        """A number of 0 .. bound - 1, each equally likely (`bound` 1 .. 2^64)."""
        if not 0 < bound <= _MASK + 1:
            raise ValueError(f"bound {bound}; it must be 1 .. 2^64")
        limit = (_MASK + 1) - (_MASK + 1) % bound
        drawn = self.next_u64()
        while drawn >= limit:
            drawn = self.next_u64()
        return drawn % bound

    def chance(self, numerator: int, denominator: int) -> bool:
        """True with probability numerator / denominator."""
        return self.below(denominator) < numerator

    def fork(self, label: int) -> "Rng":
        """An independent stream; drawing from it does not move this one."""
        mixer = Rng(self._state ^ ((label * 0xD6E8FEB86659FD93) & _MASK))
        return Rng(mixer.next_u64())
