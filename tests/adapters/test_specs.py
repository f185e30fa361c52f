"""Human facts become specs on common scales, exactly; what makes no sense is refused by name."""

import gzip
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from zvt_trading.adapters.files.specs import (
    KNOWN_SPECS,
    Listing,
    TierListing,
    load_symbol_properties,
    specs_for_symbols,
    with_common_scales,
)
from zvt_trading.core.instrument import Instrument
from zvt_trading.errors import CallerError, DataError, SymbolNotFoundError
from zvt_trading.messages.codes import INVERSE, LINEAR, SPOT
from zvt_trading.messages.market import InstrumentSpec
from zvt_trading.types import Number

FINE = Listing(venue="a", symbol="BTC/USDT", tick="0.001", lot="0.00001")
COARSE = Listing(venue="b", symbol="BTC/USDT", tick="0.10", lot="0.001", notional_min=5)


def one(listing: Listing) -> InstrumentSpec:
    return with_common_scales([listing])[0]


class TestScales:
    def test_a_symbol_has_the_finest_decimals_of_its_venues(self) -> None:
        fine, coarse = with_common_scales([FINE, COARSE])
        assert (3, 5, 1, 1) == (fine.price_scale, fine.quantity_scale, fine.tick, fine.lot)
        assert (3, 5, 100, 100) == (
            coarse.price_scale, coarse.quantity_scale, coarse.tick, coarse.lot,
        )  # fmt: skip

    def test_other_symbols_keep_their_own(self) -> None:
        spec = with_common_scales([FINE, replace(COARSE, symbol="ETH/USDT")])[1]
        assert (1, 3) == (spec.price_scale, spec.quantity_scale)

    @pytest.mark.parametrize(
        ("tick", "lot", "scale"),
        [("0.01", "0.001", 8), ("0.0001", "0.000001", 10), ("1", "1", 8), (10, 100, 8)],
    )
    def test_money_has_price_and_quantity_decimals_and_at_least_eight(
        self, tick: Number, lot: Number, scale: int
    ) -> None:
        assert scale == one(replace(FINE, tick=tick, lot=lot)).quote_scale

    def test_an_asset_has_one_scale_for_all_its_instruments(self) -> None:
        finer = Listing(venue="a", symbol="X/USDT", tick="0.000001", lot="0.00001")
        first, second = with_common_scales([FINE, finer])
        assert 11 == first.quote_scale == second.quote_scale

    def test_a_linear_contract_size_adds_its_decimals(self) -> None:
        perpetual = Listing(
            venue="okx", symbol="BTC/USDT:USDT", tick="0.1", lot="0.0000001", contract_size="0.01"
        )
        spec = one(perpetual)
        assert (LINEAR, 1, 2, 10) == (
            spec.kind, spec.contract_size, spec.contract_scale, spec.quote_scale,
        )  # fmt: skip
        assert 1 == Instrument(spec).value(1, 1)

    def test_an_inverse_perpetual_settles_in_its_base(self) -> None:
        spec = one(Listing(venue="b", symbol="BTC/USD:BTC", tick="0.1", lot=1, contract_size=100))
        assert (INVERSE, "BTC", 8) == (spec.kind, spec.settle, spec.base_scale)

    def test_a_spot_base_asset_holds_every_quantity(self) -> None:
        assert 12 == one(replace(FINE, lot="0.000000000001", tick=1)).base_scale

    def test_books_may_show_finer_sizes_than_the_lot(self) -> None:
        spec = one(replace(COARSE, size_decimals=6))
        assert (6, 1_000) == (spec.quantity_scale, spec.lot)

    def test_numbers_of_every_type_are_taken_exactly(self) -> None:
        for tick in ("0.10", Decimal("0.1"), 0.1):
            assert (1, 1) == (one(replace(COARSE, tick=tick)).price_scale, 1)

    def test_fees_are_basis_points(self) -> None:
        spec = one(replace(FINE, maker_fee_bps="-0.5", taker_fee_bps=10))
        assert (-5_000, 100_000) == (spec.maker_fee, spec.taker_fee)

    def test_the_smallest_order_is_a_lot_unless_given(self) -> None:
        assert 1 == one(FINE).quantity_min
        assert 20 == one(replace(FINE, quantity_min="0.0002")).quantity_min


class TestBadInput:
    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"tick": "0"}, "a:BTC/USDT: tick 0 must be > 0"),
            ({"lot": -1}, "a:BTC/USDT: lot -1 must be > 0"),
            ({"contract_size": 0}, "contract_size 0 must be > 0"),
            ({"tick": "NaN"}, "tick must be a finite number, not 'NaN'"),
            ({"tick": float("inf")}, "tick must be a finite number, not inf"),
            ({"tick": "abc"}, "tick must be a number, not 'abc'"),
            ({"tick": None}, "tick must be a number, not None"),
            ({"tick": "1e-19"}, "tick 1e-19 has more than 18 decimals"),
            ({"tick": "1e-10", "lot": "1e-10"}, "USDT would need 20 decimals, more than 18"),
            ({"notional_min": "1e-9"}, "a:BTC/USDT: notional_min .* decimals"),
            ({"quantity_min": -1}, "quantity_min -1 must be >= 0"),
            ({"quantity_min": 2, "quantity_max": 1}, "quantity_max 1 is below quantity_min 2"),
            ({"price_min": 2, "price_max": 1}, "price_max 1 is below price_min 2"),
            ({"maker_fee_bps": 10_000}, "maker_fee_bps 10000 must be between"),
            ({"taker_fee_bps": "0.00001"}, "taker_fee_bps .* decimals"),
            ({"leverage_max": 0}, "leverage_max 0 must be >= 1"),
            ({"size_decimals": 19}, "size_decimals 19 must be between 0 and 18"),
            ({"symbol": "BTCUSDT"}, "'BTCUSDT' must be BASE/QUOTE"),
            ({"symbol": "BTC/"}, "must be BASE/QUOTE"),
            ({"symbol": "BTC/BTC"}, "must be BASE/QUOTE"),
            ({"symbol": "BTC/USDT:"}, "must be BASE/QUOTE"),
            ({"symbol": "BTC/USDT:ETH"}, "must be BASE/QUOTE"),
            ({"venue": "a:b"}, "venue 'a:b' must be a name"),
            ({"venue": ""}, "venue '' must be a name"),
            ({"tiers": (TierListing(5, 0, 0, 2), TierListing(5, 0, 0, 1))}, "tiers must rise"),
            ({"tiers": (TierListing(0, 0, 0, 2),)}, "tier needs notional_max > 0"),
            ({"tiers": (TierListing(5, "1e-9", 0, 2),)}, "tier maintenance_rate .* decimals"),
        ],
    )
    def test_the_error_names_the_field_and_the_value(
        self, change: dict[str, object], text: str
    ) -> None:
        with pytest.raises(CallerError, match=text):
            one(replace(FINE, **change))  # type: ignore[arg-type]  # wrong types on purpose

    def test_one_instrument_twice(self) -> None:
        with pytest.raises(CallerError, match="a:BTC/USDT is listed twice"):
            with_common_scales([FINE, FINE])


class TestKnownSpecs:
    def test_binance_spot(self) -> None:
        (spec,) = specs_for_symbols(["binance:BTC/USDT"])
        one_usdt = 10**spec.quote_scale
        assert SPOT == spec.kind
        assert (10**spec.price_scale // 100, 10**spec.quantity_scale // 100_000) == (
            spec.tick, spec.lot,
        )  # fmt: skip
        assert (5 * one_usdt, 100_000, 100_000) == (
            spec.notional_min, spec.maker_fee, spec.taker_fee,
        )  # fmt: skip

    def test_binance_perpetual(self) -> None:
        (spec,) = specs_for_symbols(["binance:BTC/USDT:USDT"])
        assert (LINEAR, 125) == (spec.kind, spec.leverage_max)
        assert (20_000, 50_000) == (spec.maker_fee, spec.taker_fee)
        assert (10**spec.price_scale // 10, 10**spec.quantity_scale // 1_000) == (
            spec.tick, spec.lot,
        )  # fmt: skip

    def test_its_tiers_are_the_published_ones(self, shared_data: Path) -> None:
        file = shared_data / "reference" / "binance_leverage_tiers.json.gz"
        tiers = json.loads(gzip.decompress(file.read_bytes()), parse_float=Decimal)
        (spec,) = specs_for_symbols(["binance:BTC/USDT:USDT"])
        money = 10**spec.quote_scale
        published = [
            (
                tier["maxNotional"] * money,
                tier["maintenanceMarginRate"] * 10**8,
                Decimal(tier["info"]["cum"]) * money,
                tier["maxLeverage"],
            )
            for tier in tiers["BTC/USDT:USDT"]
        ]
        assert published == [
            (t.notional_max, t.maintenance_rate, t.deduction, t.leverage_max)
            for t in spec.margin_tiers
        ]

    def test_all_of_them_share_their_scales(self) -> None:
        binance, bybit = specs_for_symbols(["binance:BTC/USDT", "bybit:BTC/USDT"])
        assert (binance.price_scale, binance.quantity_scale) == (
            bybit.price_scale, bybit.quantity_scale,
        )  # fmt: skip
        assert 1 == len({spec.quote_scale for spec in KNOWN_SPECS.values() if spec.quote == "USDT"})

    def test_an_unknown_one_says_what_is_known(self) -> None:
        with pytest.raises(SymbolNotFoundError, match=r"'x:Y/Z'; known: .*binance:BTC/USDT"):
            specs_for_symbols(["x:Y/Z"])


HEADER = "market,symbol,type,description,quote_currency,contract_multiplier,tick,lot,ticker,min\n"


class TestSymbolProperties:
    @pytest.mark.parametrize(
        ("row", "listing"),
        [
            (
                "binance,BTCUSDT,crypto,x,USDT,1,0.01,0.00001,BTCUSDT,5",
                Listing(
                    venue="binance", symbol="BTC/USDT", tick="0.01", lot="0.00001",
                    notional_min="5", contract_size="1",
                ),
            ),
            (
                "bybit,BTCUSDT,crypto,x,USDT,1,0.1,0.000001,BTCUSDT,0.000011",
                Listing(
                    venue="bybit", symbol="BTC/USDT", tick="0.1", lot="0.000001",
                    quantity_min="0.000011", contract_size="1",
                ),
            ),
            (
                "binance,BTCUSDT,cryptofuture,x,USDT,1,0.1,0.001,BTCUSDT",
                Listing(
                    venue="binance", symbol="BTC/USDT:USDT", tick="0.1", lot="0.001",
                    contract_size="1",
                ),
            ),
            (
                "binance,BTCUSD,cryptofuture,x,USD,100,0.1,1,BTCUSD_PERP",
                Listing(
                    venue="binance", symbol="BTC/USD:BTC", tick="0.1", lot="1", contract_size="100"
                ),
            ),
        ],
    )  # fmt: skip
    def test_a_row_is_a_listing(self, tmp_path: Path, row: str, listing: Listing) -> None:
        path = tmp_path / "table.csv"
        path.write_text(HEADER + "\n# comment\nkraken,A,crypto,x,A,1,1,1,A\n" + row + "\n")
        assert {listing.id: listing} == load_symbol_properties(path)

    def test_a_row_without_a_pair_is_left_out(self, tmp_path: Path) -> None:
        path = tmp_path / "table.csv"
        path.write_text("binance,[*],crypto,x,USDT,1,1,1,x,1\nbybit,USDT,crypto,x,USDT,1,1,1,x\n")
        assert {} == load_symbol_properties(path)

    def test_a_bad_row_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "table.csv"
        path.write_text(HEADER + "bybit,BTCUSDT,crypto,x,USDT,1,zero,1,BTCUSDT,1\n")
        with pytest.raises(DataError, match=r"table\.csv:2: bybit:BTC/USDT: tick"):
            load_symbol_properties(path)

    def test_a_missing_table_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="cannot be read"):
            load_symbol_properties(tmp_path / "none.csv")

    def test_the_whole_table_makes_specs(self, shared_data: Path) -> None:
        table = load_symbol_properties(shared_data / "reference" / "symbol-properties-database.csv")
        assert 5_500 < len(table)
        assert (Decimal("0.10"), Decimal("0.001")) == (
            Decimal(str(table["bybit:BTC/USDT:USDT"].tick)),
            Decimal(str(table["bybit:BTC/USDT:USDT"].lot)),
        )
        wanted = [listing for name, listing in table.items() if ":BTC/" in name]
        assert len(wanted) == len(with_common_scales(wanted)) > 20
