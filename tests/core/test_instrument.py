"""Specification of an instrument's money arithmetic, judged by Fraction."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.limits import AMOUNT_MAX
from zvt_trading.messages.codes import INVERSE, LINEAR, SPOT
from zvt_trading.messages.market import InstrumentSpec

PRICES = st.integers(1, 10**15)
QUANTITIES = st.integers(1, 10**18)
SCALES = st.integers(0, 8)
CONTRACTS = st.integers(1, 10_000)


def spec(**changed: Any) -> InstrumentSpec:
    """BTC/USDT: prices on 2 decimals, quantities on 5, money on 8."""
    fields: dict[str, Any] = {
        "venue": "sim", "symbol": "BTC/USDT", "kind": SPOT, "base": "BTC", "quote": "USDT",
        "settle": "USDT", "price_scale": 2, "quantity_scale": 5, "base_scale": 8,
        "quote_scale": 8, "tick": 1, "lot": 10, "quantity_min": 20,
    }  # fmt: skip
    return InstrumentSpec(**{**fields, **changed})


def linear_notional(what: InstrumentSpec, price: int, quantity: int) -> Fraction:
    """Price x quantity x contract size, in units of the quote asset's scale."""
    real_price = Fraction(price, 10**what.price_scale)
    real_quantity = Fraction(quantity, 10**what.quantity_scale)
    contract = Fraction(what.contract_size, 10**what.contract_scale)
    return real_price * real_quantity * contract * int(10**what.quote_scale)


def inverse_notional(what: InstrumentSpec, price: int, quantity: int) -> Fraction:
    """Quantity x contract size / price, in units of the base asset's scale."""
    real_price = Fraction(price, 10**what.price_scale)
    real_quantity = Fraction(quantity, 10**what.quantity_scale)
    contract = Fraction(what.contract_size, 10**what.contract_scale)
    return real_quantity * contract / real_price * int(10**what.base_scale)


class TestValue:
    @given(SCALES, SCALES, st.integers(0, 3), PRICES, QUANTITIES)
    def test_spot(
        self, price_scale: int, quantity_scale: int, spare: int, price: int, quantity: int
    ) -> None:
        """Exact, on any quote scale that can hold it."""
        what = spec(
            price_scale=price_scale,
            quantity_scale=quantity_scale,
            quote_scale=price_scale + quantity_scale + spare,
        )
        expected = linear_notional(what, price, quantity)
        assert expected == Instrument(what).value(price, quantity)

    @given(SCALES, CONTRACTS, st.integers(0, 4), st.integers(0, 3), PRICES, QUANTITIES)
    def test_linear(
        self,
        price_scale: int,
        contract: int,
        contract_scale: int,
        spare: int,
        price: int,
        quantity: int,
    ) -> None:
        """Exact, with contracts of any size."""
        what = spec(
            kind=LINEAR,
            price_scale=price_scale,
            contract_size=contract,
            contract_scale=contract_scale,
            quote_scale=price_scale + 5 + contract_scale + spare,
        )
        expected = linear_notional(what, price, quantity)
        assert expected == Instrument(what).value(price, quantity)

    @given(SCALES, SCALES, SCALES, CONTRACTS, st.integers(0, 4), PRICES, QUANTITIES)
    def test_inverse(
        self,
        base_scale: int,
        price_scale: int,
        quantity_scale: int,
        contract: int,
        contract_scale: int,
        price: int,
        quantity: int,
    ) -> None:
        """Rounded half-even on the base asset's scale, be it finer or coarser than the inputs."""
        what = spec(
            kind=INVERSE,
            base_scale=base_scale,
            price_scale=price_scale,
            quantity_scale=quantity_scale,
            contract_size=contract,
            contract_scale=contract_scale,
        )
        expected = round(inverse_notional(what, price, quantity))
        assert expected == Instrument(what).value(price, quantity)

    def test_by_hand(self) -> None:
        """2 BTC at 50,000 are 100,000 USDT; 100 contracts of 100 USD at 50,000 are 0.2 BTC."""
        assert 100_000 * 10**8 == Instrument(spec()).value(5_000_000, 200_000)
        inverse = spec(kind=INVERSE, settle="BTC", quantity_scale=0, contract_size=100)
        assert 20_000_000 == Instrument(inverse).value(5_000_000, 100)

    def test_inverse_ties_go_to_even(self) -> None:
        """A half of the last digit: 0.5 -> 0, 1.5 -> 2."""
        coarse = Instrument(spec(kind=INVERSE, base_scale=0, price_scale=0, quantity_scale=0))
        assert [0, 2, 2] == [coarse.value(2, quantity) for quantity in (1, 3, 5)]

    def test_inverse_without_a_price_is_worth_nothing(self) -> None:
        """No price yet: 0, not an error."""
        assert 0 == Instrument(spec(kind=INVERSE)).value(0, 100)

    @given(PRICES, QUANTITIES)
    def test_sign(self, price: int, quantity: int) -> None:
        """A short position's value is the negative of the long's, also where it is rounded."""
        for kind in (SPOT, LINEAR, INVERSE):
            instrument = Instrument(spec(kind=kind))
            assert -instrument.value(price, quantity) == instrument.value(price, -quantity)


class TestScales:
    @pytest.mark.parametrize(
        ("changed", "needed"),
        [
            ({"quote_scale": 6}, 7),
            ({"quote_scale": 8, "contract_scale": 3, "kind": LINEAR}, 10),
            ({"quote_scale": 0}, 7),
        ],
    )
    def test_the_quote_scale_must_hold_a_notional(self, changed: Any, needed: int) -> None:
        """Price scale + quantity scale + contract scale; the error says what it needs."""
        with pytest.raises(
            ValueError, match=rf"sim:BTC/USDT: the USDT .* at least {needed} decimals"
        ):
            Instrument(spec(**changed))
        Instrument(spec(**{**changed, "quote_scale": needed}))

    def test_the_base_scale_of_spot_must_hold_a_quantity(self) -> None:
        """A bought quantity is money of the base asset; contracts are not."""
        with pytest.raises(ValueError, match=r"sim:BTC/USDT: the BTC scale 4 .* quantity scale 5"):
            Instrument(spec(base_scale=4))
        assert 1 == Instrument(spec(base_scale=5)).base_unit
        assert 1 == Instrument(spec(base_scale=4, kind=LINEAR)).base_unit

    @given(st.integers(0, 10), QUANTITIES)
    def test_base_amount(self, spare: int, quantity: int) -> None:
        """The same number on the base asset's scale."""
        instrument = Instrument(spec(base_scale=5 + spare))
        assert Fraction(quantity, 10**5) * 10 ** (5 + spare) == instrument.base_amount(quantity)


class TestFacts:
    @pytest.mark.parametrize(
        ("kind", "is_spot", "is_inverse", "settle_scale"),
        [(SPOT, True, False, 9), (LINEAR, False, False, 9), (INVERSE, False, True, 8)],
    )
    def test_kind(self, kind: int, is_spot: bool, is_inverse: bool, settle_scale: int) -> None:
        """An inverse perpetual settles in its base asset, the others in quote."""
        instrument = Instrument(spec(kind=kind, quote_scale=9))
        assert (is_spot, is_inverse, settle_scale) == (
            instrument.is_spot, instrument.is_inverse, instrument.settle_scale
        )  # fmt: skip

    def test_the_spec_is_copied(self) -> None:
        """Each field of the specification that is read while trading, under its name."""
        what = spec(
            quantity_max=10**9, notional_min=5, price_min=3, price_max=10**7, maker_fee=-5,
            taker_fee=40, leverage_max=20,
        )  # fmt: skip
        instrument = Instrument(what)
        assert "sim:BTC/USDT" == instrument.id
        assert what is instrument.spec
        for field in (
            "venue", "symbol", "kind", "base", "quote", "settle", "price_scale", "quantity_scale",
            "tick", "lot", "quantity_min", "quantity_max", "notional_min", "price_min",
            "price_max", "maker_fee", "taker_fee", "leverage_max",
        ):  # fmt: skip
            assert getattr(what, field) == getattr(instrument, field), field

    @pytest.mark.parametrize(
        ("bid", "ask", "twice"), [(0, 0, 0), (100, 0, 0), (0, 101, 0), (100, 101, 201)]
    )
    def test_mid_needs_both_sides(self, bid: int, ask: int, twice: int) -> None:
        """Twice the mid is exact; 0 when a side is missing, as it is at first."""
        instrument = Instrument(spec())
        assert 0 == instrument.mid_twice()
        instrument.bid = bid
        instrument.ask = ask
        assert twice == instrument.mid_twice()


class TestNoise:
    """No price, quantity, product of both or notional of a market is above AMOUNT_MAX."""

    @given(
        price=st.integers(1, 10**40), quantity=st.integers(1, 10**40), price_scale=SCALES,
        quantity_scale=SCALES, contract=st.integers(1, 10**9),
    )  # fmt: skip
    def test_linear(
        self, price: int, quantity: int, price_scale: int, quantity_scale: int, contract: int
    ) -> None:
        what = spec(
            kind=LINEAR, price_scale=price_scale, quantity_scale=quantity_scale, quote_scale=18,
            contract_size=contract,
        )  # fmt: skip
        real_price = Fraction(price, 10**price_scale)
        real_quantity = Fraction(quantity, 10**quantity_scale)
        largest = max(real_price, real_quantity, real_price * real_quantity * contract)
        assert (largest > AMOUNT_MAX) == Instrument(what).is_noise(price, quantity)

    @given(price=st.integers(1, 10**40), quantity=st.integers(1, 10**40))
    def test_inverse(self, price: int, quantity: int) -> None:
        what = spec(kind=INVERSE, settle="BTC", contract_size=100, quantity_scale=0)
        instrument = Instrument(what)
        real_price = Fraction(price, 100)
        largest = max(real_price, Fraction(quantity), real_price * quantity)
        is_noise = largest > AMOUNT_MAX or instrument.value(price, quantity) > AMOUNT_MAX * 10**8
        assert is_noise == instrument.is_noise(price, quantity)

    @pytest.mark.parametrize("contract", [1, 10**7])
    @pytest.mark.parametrize("excess", [0, 1])
    def test_to_the_last_unit(self, contract: int, excess: int) -> None:
        """The largest notional there is, and the next."""
        instrument = Instrument(spec(kind=LINEAR, contract_size=contract))
        quantity = 10**5 * AMOUNT_MAX // contract // 10**6
        assert bool(excess) == instrument.is_noise(10**2 * 10**6 + excess, quantity)
