"""Instrument facts in human numbers, and their common scales.

A symbol's prices and quantities have the finest decimals of all venues that list it; an asset's
money has max(8, price + quantity decimals of the instruments it settles): notionals are exact.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType

from zvt_trading.core.units import BPS_ONE, MAX_SCALE
from zvt_trading.errors import CallerError, DataError, SymbolNotFoundError
from zvt_trading.messages.codes import INVERSE, LINEAR, SPOT
from zvt_trading.messages.market import InstrumentSpec, MarginTier
from zvt_trading.runtime.numbers import to_scaled
from zvt_trading.types import Number

MONEY_SCALE_MIN = 8
"""No asset is counted coarser than in 1e-8, the unit that exchanges settle in."""


@dataclass(frozen=True, slots=True)
class TierListing:
    """One maintenance tier, in settle-asset units; the rate is a fraction (0.004 is 0.4 %)."""

    notional_max: Number
    maintenance_rate: Number
    deduction: Number
    leverage_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One symbol on one venue as the venue publishes it. Text and Decimals are taken exactly.

    `symbol` is "BASE/QUOTE" (spot) or "BASE/QUOTE:SETTLE" (perpetual: linear when it settles in
    the quote asset, inverse when in the base asset). Fees are basis points of the notional,
    negative for a rebate. `quantity_min` 0 means one lot; other bounds of 0 mean "no bound".
    `size_decimals` is for books that show finer sizes than the lot, left from an older lot.
    """

    venue: str
    symbol: str
    tick: Number
    lot: Number
    quantity_min: Number = 0
    quantity_max: Number = 0
    notional_min: Number = 0
    price_min: Number = 0
    price_max: Number = 0
    contract_size: Number = 1
    maker_fee_bps: Number = 0
    taker_fee_bps: Number = 0
    leverage_max: int = 1
    tiers: tuple[TierListing, ...] = ()
    size_decimals: int = 0

    @property
    def id(self) -> str:
        """The instrument id, "venue:SYMBOL"."""
        return f"{self.venue}:{self.symbol}"


@dataclass(frozen=True, slots=True)
class _Market:
    """A symbol's name, taken apart."""

    kind: int
    base: str
    quote: str
    settle: str


def with_common_scales(listings: Iterable[Listing]) -> tuple[InstrumentSpec, ...]:
    """Specs of all the listings, in their order, on scales common to them.

    Raises CallerError naming the instrument, the field and the value for what is missing, not a
    finite number, out of its range, listed twice, or needs more than 18 decimals.
    """
    listed = tuple(listings)
    markets: dict[str, _Market] = {}
    price_scales: dict[str, int] = {}
    quantity_scales: dict[str, int] = {}
    for listing in listed:
        if listing.id in markets:
            raise CallerError(f"{listing.id} is listed twice")
        markets[listing.id] = _market(listing)
        _check(listing)
        for scales, fields, least in (
            (price_scales, ("tick", "price_min", "price_max"), 0),
            (quantity_scales, ("lot", "quantity_min", "quantity_max"), listing.size_decimals),
        ):
            needed = max(least, *[_decimals(listing, field) for field in fields])
            scales[listing.symbol] = max(scales.get(listing.symbol, 0), needed)
    assets = _asset_scales(listed, markets, price_scales, quantity_scales)
    return tuple(
        _spec(
            listing,
            markets[listing.id],
            price_scales[listing.symbol],
            quantity_scales[listing.symbol],
            assets,
        )
        for listing in listed
    )


def specs_for_symbols(ids: Iterable[str]) -> tuple[InstrumentSpec, ...]:
    """The built-in specs of these instrument ids ("binance:BTC/USDT"), in this order."""
    found: list[InstrumentSpec] = []
    for name in ids:
        if name not in KNOWN_SPECS:
            raise SymbolNotFoundError(f"no built-in spec of {name!r}; known: {list(KNOWN_SPECS)}")
        found.append(KNOWN_SPECS[name])
    return tuple(found)


def load_symbol_properties(
    path: str | Path, venues: Iterable[str] = ("binance", "bybit", "coinbase")
) -> dict[str, Listing]:
    """Tick, lot, minimum size and contract size by instrument id, from Lean's table.

    The file is QuantConnect/Lean's `symbol-properties-database.csv`; of its rows those of type
    crypto (spot) and cryptofuture (perpetuals; those quoted in USD are inverse). It has no fees.
    Lean gives Binance's spot minimum as an order VALUE, all others as a quantity. Raises DataError
    naming file and line.
    """
    wanted = frozenset(venues)
    found: dict[str, Listing] = {}
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.reader(file), start=1):
                if len(row) < 8 or row[0] not in wanted or row[2] not in _LEAN_TYPES:
                    continue
                listing = _lean_listing(row, f"{path}:{number}")
                if listing is not None:
                    found[listing.id] = listing
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    return found


_LEAN_TYPES = ("crypto", "cryptofuture")


def _lean_listing(row: list[str], where: str) -> Listing | None:
    """One row; None for what has no unified symbol (a dated future, a wildcard)."""
    venue, name, kind, _, quote, multiplier, tick, lot = row[:8]
    base = name.removesuffix(quote)
    if base == name or not base:
        return None
    symbol = f"{base}/{quote}"
    if kind == "cryptofuture":
        symbol += f":{base if quote == 'USD' else quote}"
    minimum = row[9].strip() if len(row) > 9 else ""
    is_value = venue == "binance" and kind == "crypto"
    listing = Listing(
        venue=venue,
        symbol=symbol,
        tick=tick,
        lot=lot,
        contract_size=multiplier,
        quantity_min=0 if is_value else minimum or 0,
        notional_min=minimum or 0 if is_value else 0,
    )
    try:
        _check(listing)
    except CallerError as error:
        raise DataError(f"{where}: {error}") from error
    return listing


def _market(listing: Listing) -> _Market:
    pair, _, settle = listing.symbol.partition(":")
    base, slash, quote = pair.partition("/")
    parts = (base, quote, settle) if ":" in listing.symbol else (base, quote)
    names = all(part.isalnum() for part in parts)
    if not slash or not names or base == quote or (settle and settle not in (base, quote)):
        raise CallerError(
            f"symbol {listing.symbol!r} must be BASE/QUOTE, BASE/QUOTE:QUOTE or BASE/QUOTE:BASE"
        )
    if not listing.venue or ":" in listing.venue:
        raise CallerError(f"venue {listing.venue!r} must be a name without a colon")
    if not settle:
        return _Market(SPOT, base, quote, quote)
    return _Market(LINEAR if settle == quote else INVERSE, base, quote, settle)


def _check(listing: Listing) -> None:
    """Ranges of every field; see Listing."""
    for field in ("tick", "lot", "contract_size"):
        if _number(listing, field) <= 0:
            raise _error(listing, field, "must be > 0")
    for field in ("quantity_min", "quantity_max", "notional_min", "price_min", "price_max"):
        if _number(listing, field) < 0:
            raise _error(listing, field, "must be >= 0 (0: no bound)")
    for low, high in (("quantity_min", "quantity_max"), ("price_min", "price_max")):
        if 0 < _number(listing, high) < _number(listing, low):
            raise _error(listing, high, f"is below {low} {getattr(listing, low)}")
    for field in ("maker_fee_bps", "taker_fee_bps"):
        if abs(_number(listing, field)) >= BPS_ONE:
            raise _error(listing, field, "must be between -10000 and 10000 basis points")
    if not 0 <= listing.size_decimals <= MAX_SCALE:
        raise _error(listing, "size_decimals", f"must be between 0 and {MAX_SCALE}")
    if listing.leverage_max < 1:
        raise _error(listing, "leverage_max", "must be >= 1")
    bounds = [_tier_bound(listing, tier) for tier in listing.tiers]
    if bounds != sorted(set(bounds)):
        raise CallerError(f"{listing.id}: tiers must rise by notional_max")


def _tier_bound(listing: Listing, tier: TierListing) -> Decimal:
    bound = _to_number(f"{listing.id}: tier notional_max", tier.notional_max)
    if bound <= 0 or tier.leverage_max < 1:
        raise CallerError(f"{listing.id}: a tier needs notional_max > 0 and leverage_max >= 1")
    return bound


def _error(listing: Listing, field: str, rule: str) -> CallerError:
    return CallerError(f"{listing.id}: {field} {getattr(listing, field)} {rule}")


def _number(listing: Listing, field: str) -> Decimal:
    return _to_number(f"{listing.id}: {field}", getattr(listing, field))


def _to_number(name: str, value: Number) -> Decimal:
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, TypeError, ValueError):
        raise CallerError(f"{name} must be a number, not {value!r}") from None
    if not number.is_finite():
        raise CallerError(f"{name} must be a finite number, not {value!r}")
    return number


def _decimals(listing: Listing, field: str) -> int:
    """How many decimals a field's value has, without trailing zeros."""
    fraction = format(_number(listing, field), "f").partition(".")[2].rstrip("0")
    if len(fraction) > MAX_SCALE:
        raise _error(listing, field, f"has more than {MAX_SCALE} decimals")
    return len(fraction)


def _asset_scales(
    listings: tuple[Listing, ...],
    markets: Mapping[str, _Market],
    price_scales: Mapping[str, int],
    quantity_scales: Mapping[str, int],
) -> dict[str, int]:
    scales: dict[str, int] = {}
    for listing in listings:
        market = markets[listing.id]
        quantity = quantity_scales[listing.symbol]
        notional = price_scales[listing.symbol] + quantity
        if market.kind == LINEAR:
            notional += _decimals(listing, "contract_size")
        needed = {market.base: quantity, market.quote: MONEY_SCALE_MIN}
        needed[market.settle] = max(needed[market.settle], notional)
        for asset, scale in needed.items():
            scales[asset] = max(MONEY_SCALE_MIN, scale, scales.get(asset, 0))
            if scales[asset] > MAX_SCALE:
                raise CallerError(
                    f"{listing.id}: amounts of {asset} would need {scale} decimals, more than "
                    f"{MAX_SCALE}"
                )
    return scales


def _spec(
    listing: Listing,
    market: _Market,
    price_scale: int,
    quantity_scale: int,
    assets: Mapping[str, int],
) -> InstrumentSpec:
    contract_scale = _decimals(listing, "contract_size")

    def scaled(field: str, scale: int) -> int:
        return to_scaled(f"{listing.id}: {field}", getattr(listing, field), scale)

    lot = scaled("lot", quantity_scale)
    settle_scale = assets[market.settle]
    return InstrumentSpec(
        venue=listing.venue,
        symbol=listing.symbol,
        kind=market.kind,
        base=market.base,
        quote=market.quote,
        settle=market.settle,
        price_scale=price_scale,
        quantity_scale=quantity_scale,
        base_scale=assets[market.base],
        quote_scale=assets[market.quote],
        tick=scaled("tick", price_scale),
        lot=lot,
        quantity_min=scaled("quantity_min", quantity_scale) or lot,
        quantity_max=scaled("quantity_max", quantity_scale),
        notional_min=scaled("notional_min", assets[market.quote]),
        price_min=scaled("price_min", price_scale),
        price_max=scaled("price_max", price_scale),
        contract_size=scaled("contract_size", contract_scale),
        contract_scale=contract_scale,
        maker_fee=scaled("maker_fee_bps", 4),  # 1e-4 of a basis point is 1e-8
        taker_fee=scaled("taker_fee_bps", 4),
        leverage_max=listing.leverage_max,
        margin_tiers=tuple(_tier(listing, tier, settle_scale) for tier in listing.tiers),
    )


def _tier(listing: Listing, tier: TierListing, settle_scale: int) -> MarginTier:
    name = f"{listing.id}: tier"
    return MarginTier(
        to_scaled(f"{name} notional_max", tier.notional_max, settle_scale),
        to_scaled(f"{name} maintenance_rate", tier.maintenance_rate, 8),
        to_scaled(f"{name} deduction", tier.deduction, settle_scale),
        tier.leverage_max,
    )


# Binance's public leverage and margin table of BTCUSDT perpetual as of 2024.
_BTCUSDT_TIERS = tuple(
    TierListing(*row)
    for row in (
        (50_000, "0.004", 0, 125),
        (600_000, "0.005", 50, 100),
        (3_000_000, "0.0065", 950, 75),
        (12_000_000, "0.01", 11_450, 50),
        (70_000_000, "0.02", 131_450, 25),
        (100_000_000, "0.025", 481_450, 20),
        (230_000_000, "0.05", 2_981_450, 10),
        (480_000_000, "0.1", 14_481_450, 5),
        (600_000_000, "0.125", 26_481_450, 4),
        (800_000_000, "0.15", 41_481_450, 3),
        (1_200_000_000, "0.25", 121_481_450, 2),
        (1_800_000_000, "0.5", 421_481_450, 1),
    )
)

# Filters from the venues' public instrument lists, fees of the lowest (VIP 0) level.
KNOWN_LISTINGS = (
    Listing(
        venue="binance",
        symbol="BTC/USDT",
        tick="0.01",
        lot="0.00001",
        size_decimals=6,  # the lot was 0.000001 until 2022
        quantity_max=9_000,
        notional_min=5,
        price_max=1_000_000,
        maker_fee_bps=10,
        taker_fee_bps=10,
    ),
    Listing(
        venue="binance",
        symbol="BTC/USDT:USDT",
        tick="0.10",
        lot="0.001",
        quantity_max=1_000,
        notional_min=100,
        price_min="556.80",
        price_max=4_529_764,
        maker_fee_bps=2,
        taker_fee_bps=5,
        leverage_max=125,
        tiers=_BTCUSDT_TIERS,
    ),
    Listing(
        venue="binance",
        symbol="BTC/BUSD",
        tick="0.01",
        lot="0.00001",
        quantity_max=9_000,
        notional_min=10,
        price_max=1_000_000,
        maker_fee_bps=10,
        taker_fee_bps=10,
    ),
    Listing(
        venue="bybit",
        symbol="BTC/USDT",
        tick="0.01",
        lot="0.000001",
        quantity_min="0.000048",
        notional_min=1,
        maker_fee_bps=10,
        taker_fee_bps=10,
    ),
)
KNOWN_SPECS: Mapping[str, InstrumentSpec] = MappingProxyType(
    {f"{spec.venue}:{spec.symbol}": spec for spec in with_common_scales(KNOWN_LISTINGS)}
)
"""Specs of the markets recordings are known of, by instrument id, on scales common to them all."""
