"""The markets of the generated world: four venues, three symbols, and how each venue differs.

Filters and fees are of the kind the real venues have (tick, lot, minimum; first fee tier), rounded
to what matters here. A symbol has the same scales everywhere, an asset the same in every symbol.
"""

from typing import Final, final

from zvt_trading.messages.codes import LINEAR, SPOT
from zvt_trading.messages.market import InstrumentSpec, MarginTier

PRICE_SCALE: Final = 2
QUANTITY_SCALE: Final = 6
ASSET_SCALE: Final = 8  # max(8, price scale + quantity scale)
_USDT: Final = 10**ASSET_SCALE
_BPS: Final = 10_000  # fee units (1e-8) in a basis point

# Steeper with size, as everywhere; the deductions make the margin continuous at the bounds.
_TIERS: Final = (
    MarginTier(300_000 * _USDT, 400_000, 0, 100),
    MarginTier(3_000_000 * _USDT, 1_000_000, 1_800 * _USDT, 50),
    MarginTier(0, 2_500_000, 46_800 * _USDT, 20),
)


@final
class VenueStyle:
    """How one venue trades: its spread and depth, its activity and fees, relative to the others."""

    def __init__(
        self,
        name: str,
        spread_bps10: int,
        size_percent: int,
        interval_percent: int,
        tick_spot: int,
        lot: int,
        spot_fees: tuple[int, int],
        perpetual_fees: tuple[int, int] | None,
    ) -> None:
        self.name: Final = name
        self.spread_bps10: Final = spread_bps10  # quoted spread in tenths of a basis point
        self.size_percent: Final = size_percent  # of the typical order size
        self.interval_percent: Final = interval_percent  # of the typical time between two actions
        self.tick_spot: Final = tick_spot
        self.lot: Final = lot
        self.spot_fees: Final = spot_fees  # (maker, taker) in tenths of a basis point
        self.perpetual_fees: Final = perpetual_fees  # None: lists no perpetuals


VENUES: Final = (
    VenueStyle("binance", 10, 100, 100, 1, 10, (100, 100), (20, 50)),
    VenueStyle("okx", 15, 70, 130, 10, 10, (80, 100), (20, 50)),
    VenueStyle("bybit", 20, 50, 150, 10, 1, (100, 100), (20, 55)),
    VenueStyle("coinbase", 35, 30, 200, 1, 1, (400, 600), None),
)


@final
class Product:
    """One symbol: what it is, where it starts, and the typical size of an order in it."""

    def __init__(self, symbol: str, base: str, kind: int, price: int, size: int) -> None:
        self.symbol: Final = symbol
        self.base: Final = base
        self.kind: Final = kind
        self.price: Final = price
        self.size: Final = size


PRODUCTS: Final = (
    Product("BTC/USDT", "BTC", SPOT, 6_000_000, 50_000),
    Product("ETH/USDT", "ETH", SPOT, 300_000, 1_000_000),
    Product("BTC/USDT:USDT", "BTC", LINEAR, 6_000_000, 100_000),
)


def listed(style: VenueStyle, product: Product) -> bool:
    """Whether the venue lists it: spot everywhere, perpetuals where they have fees."""
    return product.kind == SPOT or style.perpetual_fees is not None


def spec_of(style: VenueStyle, product: Product) -> InstrumentSpec:
    """The venue's filters and fees for a product it lists."""
    perpetual = style.perpetual_fees if product.kind == LINEAR else None
    fees = style.spot_fees if perpetual is None else perpetual
    lot = style.lot if perpetual is None else 1_000
    return InstrumentSpec(
        venue=style.name,
        symbol=product.symbol,
        kind=product.kind,
        base=product.base,
        quote="USDT",
        settle="USDT",
        price_scale=PRICE_SCALE,
        quantity_scale=QUANTITY_SCALE,
        base_scale=ASSET_SCALE,
        quote_scale=ASSET_SCALE,
        tick=style.tick_spot if perpetual is None else 10,
        lot=lot,
        quantity_min=max(lot, 10),
        quantity_max=10_000 * 10**QUANTITY_SCALE,
        notional_min=5 * _USDT,
        maker_fee=fees[0] * _BPS // 10,
        taker_fee=fees[1] * _BPS // 10,
        leverage_max=1 if perpetual is None else 100,
        margin_tiers=() if perpetual is None else _TIERS,
        stops_held_by_venue=False,
    )
