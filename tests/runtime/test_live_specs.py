"""What venues list, on common scales: a symbol's is the finest of all that list it."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.state import State
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import format_scaled
from zvt_trading.errors import CallerError
from zvt_trading.messages.codes import LINEAR, SPOT
from zvt_trading.messages.commands import ListInstrument
from zvt_trading.messages.market import InstrumentSpec
from zvt_trading.ports.venue import Listing
from zvt_trading.runtime.live_specs import specs_of
from zvt_trading.sim.simulation import Simulation

USUAL = Listing(
    symbol="BTC/USDT", kind=SPOT, base="BTC", quote="USDT", settle="USDT", tick="0.1", lot="0.001",
    quantity_min="0.001",
)  # fmt: skip
DECIMALS = st.integers(0, 8).map(lambda decimals: format_scaled(1, decimals))


def listing(**fields: Any) -> Listing:
    return msgspec.structs.replace(USUAL, **fields)


def state_of(*specs: InstrumentSpec) -> State:
    """A store that knows these."""
    core = TradingCore()
    simulation = Simulation(core)
    for spec in specs:
        simulation.command(ListInstrument(spec))
    return core.state


def spec_of(**fields: Any) -> InstrumentSpec:
    """Of the one listing, at one venue."""
    return specs_of({"okx": [listing(**fields)]}, state_of())[0]


class TestScales:
    def test_the_finest_venue_decides(self) -> None:
        """So that one number means the same at all of them."""
        found = specs_of(
            {
                "binance": [listing(tick="0.01", lot="0.001")],
                "okx": [listing(tick="0.1", lot="0.00001")],
            },
            state_of(),
        )
        assert [("binance", 2, 5), ("okx", 2, 5)] == [
            (spec.venue, spec.price_scale, spec.quantity_scale) for spec in found
        ]
        assert [(1, 100), (10, 1)] == [(spec.tick, spec.lot) for spec in found]

    @pytest.mark.parametrize(
        ("tick", "expected"), [("0.1", 1), ("0.10", 1), ("1", 0), ("10", 0), ("0.0000001", 7)]
    )
    def test_a_step_needs_its_decimals(self, tick: str, expected: int) -> None:
        """Without needless zeros."""
        assert expected == spec_of(tick=tick).price_scale

    def test_a_least_quantity_may_be_finer_than_the_lot(self) -> None:
        """It must be a number too."""
        found = spec_of(lot="0.1", quantity_min="0.005")
        assert (3, 5) == (found.quantity_scale, found.quantity_min)

    @given(DECIMALS, DECIMALS)
    def test_a_notional_is_exact(self, tick: str, lot: str) -> None:
        """The quote asset has the decimals of both, and never fewer than eight."""
        found = spec_of(tick=tick, lot=lot)
        assert max(8, found.price_scale + found.quantity_scale) == found.quote_scale
        assert max(8, found.quantity_scale) == found.base_scale
        steps = (
            format_scaled(found.tick, found.price_scale),
            format_scaled(found.lot, found.quantity_scale),
        )
        assert (Decimal(tick), Decimal(lot)) == (Decimal(steps[0]), Decimal(steps[1]))

    def test_an_asset_has_one_scale_everywhere(self) -> None:
        """Also where it is the base of one symbol and the quote of another."""
        other = listing(symbol="ETH/BTC", base="ETH", quote="BTC", tick="0.00001", lot="0.00001")
        found = specs_of({"okx": [USUAL, other]}, state_of())
        assert found[0].base_scale == found[1].quote_scale == 10


class TestNumbers:
    @pytest.mark.parametrize(
        ("fields", "name", "expected"),
        [
            ({"quantity_max": "9000"}, "quantity_max", 9_000_000),
            ({"quantity_max": "1.23456"}, "quantity_max", 1_234),  # cut: it is a bound from above
            ({"quantity_max": ""}, "quantity_max", 0),
            ({"notional_min": "5"}, "notional_min", 500_000_000),
            ({"price_min": "0.1"}, "price_min", 1),
            ({"price_max": "1000"}, "price_max", 10_000),
            ({"maker_fee": "0.001"}, "maker_fee", 100_000),
            ({"maker_fee": "-0.0001"}, "maker_fee", -10_000),
            ({"taker_fee": "0.0000000001"}, "taker_fee", 1),  # against us
            ({"taker_fee": "-0.0000000001"}, "taker_fee", 0),
            ({"leverage_max": 50}, "leverage_max", 1),
            ({"kind": LINEAR, "leverage_max": 50}, "leverage_max", 50),
        ],
    )
    def test_as_ints(self, fields: dict[str, Any], name: str, expected: int) -> None:
        """On the symbol's scales, money on the asset's, rates in 1e-8."""
        assert expected == getattr(spec_of(**fields), name)

    def test_stops_are_held_here(self) -> None:
        """Live venues are sent what fired."""
        assert spec_of().stops_held_by_venue is False


class TestStores:
    def test_what_is_known_keeps_its_scales(self) -> None:
        """All its numbers are on them."""
        fine = spec_of(tick="0.0001", lot="0.0000001")
        state = state_of(fine)
        (found,) = specs_of({"okx": [USUAL]}, state)
        assert (4, 7, 11) == (found.price_scale, found.quantity_scale, found.quote_scale)
        assert (1_000, 10_000) == (found.tick, found.lot)

    @pytest.mark.parametrize("fields", [{"tick": "0.01"}, {"lot": "0.0001"}])
    def test_a_finer_step_needs_a_new_store(self, fields: dict[str, str]) -> None:
        """It could not be said on the old scale."""
        state = state_of(spec_of())
        with pytest.raises(CallerError, match=r"BTC/USDT has finer steps now .* use a new store"):
            specs_of({"okx": [listing(**fields)]}, state)

    def test_so_does_a_symbol_whose_notionals_are_finer_than_its_asset(self) -> None:
        """Money would be lost by rounding."""
        state = state_of(spec_of())
        other = listing(symbol="PEPE/USDT", base="PEPE", tick="0.0000000001", lot="0.1")
        with pytest.raises(CallerError, match=r"USDT needs 13 decimals .* the store has 8"):
            specs_of({"okx": [other]}, state)
