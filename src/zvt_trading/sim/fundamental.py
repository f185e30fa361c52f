"""Where generated prices come from: an integer random walk an asset, and venues that stray.

A step is a tenth of a second. Returns are in parts per billion; their size clusters (a GARCH(1,1)
in integers) and they have mild trends. Being multiplied on, they never take a price to zero.
"""

from typing import Final, final

from zvt_trading.core.rng import Rng

STEP_NS: Final = 100_000_000
PPM: Final = 1_000_000
PPB: Final = 1_000_000_000
FINE: Final = 1_000
"""Parts of a price unit a fundamental is kept in, so that small returns are not rounded away."""

_SIGMA: Final = 40_000
"""Usual standard deviation of a step's return, ppb: about 70 % a year."""
_LN2_16: Final = 45_426  # ln 2 in units of 2^-16


def normal4(word: int) -> int:
    """A nearly normal number with mean 0 and standard deviation 4: how many of 64 bits are set."""
    return word.bit_count() - 32


def exponential(word: int, mean: int) -> int:
    """A nearly exponential number with this mean, from 64 random bits.

    -ln u = ln 2 x -log2 u; the logarithm is taken by the position of the top bit and, linearly, by
    the 16 bits after it.
    """
    word |= 1
    length = word.bit_length()
    fraction = ((word << (64 - length)) >> 47) & 0xFFFF
    return mean * (((65 - length) << 16) - fraction) * _LN2_16 >> 32


@final
class Fundamental:
    """The fair price of one asset. `value` is in 1/FINE of a price unit."""

    def __init__(self, price: int, rng: Rng) -> None:
        self.value = price * FINE
        self._rng: Final = rng
        self._variance = _SIGMA * _SIGMA
        self._drift = 0

    def step(self, common: int) -> None:
        """One step; `common` is the shock all assets share (as from `normal4`)."""
        word = self._rng.next_u64()
        shock = (7 * common + 7 * normal4(word)) // 10
        sigma = _square_root(self._variance)
        move = shock * sigma // 4
        self._drift += normal4(word * 0x9E3779B97F4A7C15 & 0xFFFF_FFFF_FFFF_FFFF) * sigma // 2_000
        self._drift -= self._drift // 300
        self.value += self.value * (move + self._drift) // PPB
        usual = _SIGMA * _SIGMA
        variance = self._variance + (usual - self._variance) // 200
        variance += (move * move - self._variance) // 25
        self._variance = min(max(variance, usual // 16), usual * 16)


@final
class Stray:
    """How far one market is from the fundamental, in parts per million.

    A perpetual has a `premium` that wanders about zero; every market has short-lived dislocations.
    """

    def __init__(self, has_premium: bool, rng: Rng) -> None:
        self.premium = 0
        self.dislocation = 0
        self._has_premium: Final = has_premium
        self._rng: Final = rng

    def step(self) -> None:
        """One step: dislocations strike about four times a minute and lose an eighth a step."""
        word = self._rng.next_u64()
        if self._has_premium:
            self.premium += (word >> 8) % 21 - 10 - self.premium // 200
        if word % 150 == 0:
            size = 300 + (word >> 32) % 1_200
            self.dislocation += size if word >> 63 else -size
        elif self.dislocation > 0:
            self.dislocation -= (self.dislocation + 7) // 8
        else:
            self.dislocation += (7 - self.dislocation) // 8

    def price(self, fundamental: Fundamental) -> int:
        """The market's own fair price, in price units."""
        return fundamental.value * (PPM + self.premium + self.dislocation) // (PPM * FINE)

    def mark(self, fundamental: Fundamental) -> int:
        """The fair price without the dislocation."""
        return fundamental.value * (PPM + self.premium) // (PPM * FINE)


def _square_root(value: int) -> int:
    """Integer square root (Newton), value >= 0."""
    root = 1 << ((value.bit_length() + 1) // 2)
    while True:
        better = (root + value // root) // 2
        if better >= root:
            return root
        root = better
