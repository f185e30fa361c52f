"""Instrument specifications from human numbers, with scales that several venues share.

A symbol's price and quantity scale are the finest of all venues that list it, so that its prices
compare without conversion; an asset's scale is max(8, price scale + quantity scale [+ contract
scale]) over the instruments it settles, so that notionals are exact.
"""

import csv
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from msgspec import Struct

from zvt_trading.core.units import RATE_SCALE, UnitError, parse_scaled
from zvt_trading.errors import CallerError, DataError
from zvt_trading.messages.codes import INVERSE, LINEAR, SPOT
from zvt_trading.messages.market import InstrumentSpec, MarginTier

MONEY_SCALE_MIN = 8


class RawTier(Struct, frozen=True):
    """A maintenance tier in human numbers; rate 0.004 is 0.4 %."""

    notional_max: str
    maintenance_rate: str
    deduction: str
    leverage_max: int


class RawSpec(Struct, frozen=True, kw_only=True):
    """An instrument in human numbers (decimal text); "0" means no bound."""

    venue: str
    symbol: str
    kind: int
    base: str
    quote: str
    tick: str
    lot: str
    quantity_min: str
    quantity_max: str = "0"
    notional_min: str = "0"
    contract_size: str = "1"
    maker_fee: str = "0"
    taker_fee: str = "0"
    leverage_max: int = 1
    tiers: tuple[RawTier, ...] = ()
    size_decimals: int = 0  # displayed sizes may be finer than the lot (left from older lots)


_TIERS_BTCUSDT = tuple(
    RawTier(*row)
    for row in (
        ("50000", "0.004", "0", 125),
        ("600000", "0.005", "50", 100),
        ("3000000", "0.0065", "950", 75),
        ("12000000", "0.01", "11450", 50),
        ("70000000", "0.02", "131450", 25),
        ("100000000", "0.025", "481450", 20),
        ("230000000", "0.05", "2981450", 10),
        ("480000000", "0.1", "14481450", 5),
        ("600000000", "0.125", "26481450", 4),
        ("800000000", "0.15", "41481450", 3),
        ("1200000000", "0.25", "121481450", 2),
        ("1800000000", "0.5", "421481450", 1),
    )
)

BINANCE_BTCUSDT_SPOT = RawSpec(
    venue="binance", symbol="BTC/USDT", kind=SPOT, base="BTC", quote="USDT", tick="0.01",
    lot="0.00001", quantity_min="0.00001", quantity_max="9000", notional_min="5",
    maker_fee="0.001", taker_fee="0.001", size_decimals=8,
)  # fmt: skip
"""Binance spot filters and base fee tier in 2024."""
BINANCE_BTCUSDT_PERPETUAL = RawSpec(
    venue="binance", symbol="BTC/USDT:USDT", kind=LINEAR, base="BTC", quote="USDT", tick="0.10",
    lot="0.001", quantity_min="0.001", quantity_max="1000", notional_min="100",
    maker_fee="0.0002", taker_fee="0.0005", leverage_max=125, tiers=_TIERS_BTCUSDT,
)  # fmt: skip
"""Binance USD-M filters, base fee tier and maintenance tiers in 2024."""


def with_common_scales(raws: Iterable[RawSpec]) -> list[InstrumentSpec]:
    """The specifications on common scales; CallerError names the field that makes no sense."""
    specs = list(raws)
    for raw in specs:
        _check(raw)
    prices: dict[str, int] = {}
    quantities: dict[str, int] = {}
    for raw in specs:
        prices[raw.symbol] = max(prices.get(raw.symbol, 0), decimals(raw.tick))
        finest = max(decimals(raw.lot), decimals(raw.quantity_min), raw.size_decimals)
        quantities[raw.symbol] = max(quantities.get(raw.symbol, 0), finest)
    assets: dict[str, int] = {}
    for raw in specs:
        price_scale, quantity_scale = prices[raw.symbol], quantities[raw.symbol]
        settle = raw.base if raw.kind == INVERSE else raw.quote
        scale = price_scale + quantity_scale + decimals(raw.contract_size)
        for asset in (raw.base, raw.quote):
            needed = max(MONEY_SCALE_MIN, scale if asset == settle else quantity_scale)
            assets[asset] = max(assets.get(asset, 0), needed)
    return [_spec(raw, prices[raw.symbol], quantities[raw.symbol], assets) for raw in specs]


def decimals(text: str) -> int:
    """Decimals that a number needs: "0.0100" needs 2, "10" needs 0."""
    exponent = Decimal(text).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def load_symbol_properties(path: Path, kinds: Sequence[str] = ("crypto",)) -> list[RawSpec]:
    """Spot instruments of a symbol properties table (market, symbol, type, ..., tick, lot, minimum)."""
    found: list[RawSpec] = []
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(line for line in stream if line.strip() and not line.startswith("#"))
        for number, row in enumerate(rows, start=1):
            if len(row) < 7 or row[2] not in kinds:
                continue
            market, symbol, _, _, quote, _, tick, lot = row[:8]
            if not symbol.endswith(quote):
                continue
            base = symbol[: -len(quote)]
            try:
                found.append(
                    RawSpec(
                        venue=market, symbol=f"{base}/{quote}", kind=SPOT, base=base, quote=quote,
                        tick=_plain(tick), lot=_plain(lot), quantity_min=_plain(lot),
                    )
                )  # fmt: skip
            except InvalidOperation as error:
                raise DataError(f"{path}: row {number}: {error}") from error
    return found


def _plain(text: str) -> str:
    """Decimal text without an exponent ("1e-05" is "0.00001")."""
    return format(Decimal(text), "f")


def _check(raw: RawSpec) -> None:
    name = f"{raw.venue}:{raw.symbol}"
    for field in ("tick", "lot", "quantity_min", "contract_size"):
        text: str = getattr(raw, field)
        try:
            good = Decimal(text).is_finite() and Decimal(text) > 0
        except InvalidOperation:
            good = False
        if not good:
            raise CallerError(f"{name}: {field} {text!r} must be a number > 0")


def _spec(
    raw: RawSpec, price_scale: int, quantity_scale: int, assets: dict[str, int]
) -> InstrumentSpec:
    """One specification on the given scales."""
    settle = raw.base if raw.kind == INVERSE else raw.quote
    contract_scale = decimals(raw.contract_size)
    money = assets[settle]
    try:
        return InstrumentSpec(
            venue=raw.venue,
            symbol=raw.symbol,
            kind=raw.kind,
            base=raw.base,
            quote=raw.quote,
            settle=settle,
            price_scale=price_scale,
            quantity_scale=quantity_scale,
            base_scale=assets[raw.base],
            quote_scale=assets[raw.quote],
            tick=parse_scaled(raw.tick, price_scale),
            lot=parse_scaled(raw.lot, quantity_scale),
            quantity_min=parse_scaled(raw.quantity_min, quantity_scale),
            quantity_max=parse_scaled(raw.quantity_max, quantity_scale),
            notional_min=parse_scaled(raw.notional_min, assets[raw.quote]),
            contract_size=parse_scaled(raw.contract_size, contract_scale),
            contract_scale=contract_scale,
            maker_fee=parse_scaled(raw.maker_fee, RATE_SCALE),
            taker_fee=parse_scaled(raw.taker_fee, RATE_SCALE),
            leverage_max=raw.leverage_max,
            margin_tiers=tuple(
                MarginTier(
                    parse_scaled(tier.notional_max, money),
                    parse_scaled(tier.maintenance_rate, RATE_SCALE),
                    parse_scaled(tier.deduction, money),
                    tier.leverage_max,
                )
                for tier in raw.tiers
            ),
        )
    except UnitError as error:
        raise CallerError(f"{raw.venue}:{raw.symbol}: {error}") from error
