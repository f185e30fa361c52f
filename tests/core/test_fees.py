"""Specification of fees: which asset, how much, rounded which way."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.fees import QUOTE, RECEIVED, THIRD, FeeSchedule, charge, fill_fee
from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import RATE_ONE
from zvt_trading.messages.codes import BUY, INVERSE, LINEAR, MAKER, SELL, SPOT, TAKER
from zvt_trading.messages.market import InstrumentSpec

BPS = 10_000  # a basis point in units of 1e-8


def instrument(kind: int) -> Instrument:
    """Prices on 2 decimals, quantities on 3, money on 8."""
    spec = InstrumentSpec(
        venue="sim", symbol="BTC/USD", kind=kind, base="BTC", quote="USD",
        settle="BTC" if kind == INVERSE else "USD", price_scale=2, quantity_scale=3,
        base_scale=8, quote_scale=8, tick=1, lot=1, quantity_min=1,
    )  # fmt: skip
    return Instrument(spec)


def fee(schedule: FeeSchedule, kind: int, side: int, liquidity: int = TAKER) -> tuple[str, int]:
    """The fee on 2 BTC at 50,000.00 (for INVERSE: on a notional given the same number)."""
    return fill_fee(schedule, instrument(kind), side, liquidity, 2_000, 100_000 * 10**8)


@pytest.mark.parametrize(
    ("rule", "kind", "side", "expected"),
    [
        (QUOTE, SPOT, BUY, ("USD", 100 * 10**8)),
        (QUOTE, SPOT, SELL, ("USD", 100 * 10**8)),
        (QUOTE, LINEAR, BUY, ("USD", 100 * 10**8)),
        (QUOTE, INVERSE, BUY, ("BTC", 100 * 10**8)),
        (RECEIVED, SPOT, BUY, ("BTC", 200_000)),  # 10 bps of 2 BTC
        (RECEIVED, SPOT, SELL, ("USD", 100 * 10**8)),
        (RECEIVED, LINEAR, BUY, ("USD", 100 * 10**8)),
        (RECEIVED, INVERSE, BUY, ("BTC", 100 * 10**8)),
    ],
)
def test_the_rule_says_the_asset(
    rule: int, kind: int, side: int, expected: tuple[str, int]
) -> None:
    """10 bps of the notional, or of the coins received."""
    assert expected == fee(FeeSchedule(maker=0, taker=10 * BPS, rule=rule), kind, side)


def test_maker_and_taker_have_their_own_rate() -> None:
    """A maker's may be a rebate."""
    schedule = FeeSchedule(maker=-1 * BPS, taker=5 * BPS)
    assert ("USD", -10 * 10**8) == fee(schedule, SPOT, BUY, MAKER)
    assert ("USD", 50 * 10**8) == fee(schedule, SPOT, BUY, TAKER)


def test_a_third_asset_is_converted_and_discounted() -> None:
    """10 bps of 100,000 USD less 25 %, paid in BNB at 500 USD: 0.15 BNB."""
    schedule = FeeSchedule(0, 10 * BPS, THIRD, "BNB", discount=RATE_ONE // 4)
    paid = fill_fee(schedule, instrument(SPOT), BUY, TAKER, 2_000, 100_000 * 10**8, 1, 500)
    assert ("BNB", 15_000_000) == paid


def test_without_a_conversion_the_third_asset_is_not_charged() -> None:
    """The full fee in the settle asset."""
    schedule = FeeSchedule(0, 10 * BPS, THIRD, "BNB", discount=RATE_ONE // 4)
    assert ("USD", 100 * 10**8) == fee(schedule, SPOT, BUY)


@pytest.mark.parametrize(("amount", "expected"), [(3, 2), (-3, -1), (2, 1), (-2, -1), (0, 0)])
def test_halves_are_rounded_against_us(amount: int, expected: int) -> None:
    """A fee up, a rebate down."""
    assert expected == charge(amount, 1, 2)


@given(st.integers(-(10**20), 10**20), st.integers(-RATE_ONE, RATE_ONE), st.integers(1, 10**12))
def test_rounding_costs_less_than_one_unit(amount: int, rate: int, denominator: int) -> None:
    """Never in our favour, never a whole unit against us."""
    exact = Fraction(amount * rate, denominator)
    assert 0 <= charge(amount, rate, denominator) - exact < 1


@pytest.mark.parametrize(
    ("rule", "asset", "discount", "message"),
    [
        (3, "", 0, "no fee rule 3"),
        (THIRD, "", 0, "a fee asset belongs to THIRD"),
        (QUOTE, "BNB", 0, "a fee asset belongs to THIRD"),
        (THIRD, "BNB", -1, "discount -1 is not within"),
        (THIRD, "BNB", RATE_ONE + 1, "is not within"),
    ],
)
def test_a_wrong_schedule_is_refused(rule: int, asset: str, discount: int, message: str) -> None:
    """Each message names what was given."""
    with pytest.raises(ValueError, match=message):
        FeeSchedule(0, 0, rule, asset, discount)
