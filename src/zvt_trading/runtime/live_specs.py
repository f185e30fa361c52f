"""What venues list, as instruments on common scales: a symbol's is the finest of all its venues."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from zvt_trading.core.state import State
from zvt_trading.core.units import RATE_SCALE
from zvt_trading.errors import CallerError
from zvt_trading.messages.codes import SPOT
from zvt_trading.messages.market import InstrumentSpec
from zvt_trading.ports.venue import Listing
from zvt_trading.runtime.numbers import to_scaled

ASSET_SCALE_MIN: Final = 8

Listings = Mapping[str, Sequence[Listing]]


class _Scales:
    """Of one symbol."""

    def __init__(self, price: int, quantity: int) -> None:
        self.price = price
        self.quantity = quantity


def specs_of(listings: Listings, state: State) -> list[InstrumentSpec]:
    """An instrument for each listing, by venue; CallerError when a store's scales are too coarse.

    What the state knows keeps its scales: all its numbers are on them.
    """
    scales = _scales_of(listings, state)
    assets = _asset_scales(listings, scales, state)
    return [
        _spec(venue, listing, scales[listing.symbol], assets)
        for venue, listed in listings.items()
        for listing in listed
    ]


def _all(listings: Listings) -> Iterator[Listing]:
    for listed in listings.values():
        yield from listed


def _scales_of(listings: Listings, state: State) -> dict[str, _Scales]:
    scales: dict[str, _Scales] = {}
    for listing in _all(listings):
        found = scales.setdefault(listing.symbol, _Scales(0, 0))
        found.price = max(found.price, _decimals(listing.tick))
        needed = max(_decimals(listing.lot), _decimals(listing.quantity_min))
        found.quantity = max(found.quantity, needed)
    for symbol, found in scales.items():
        known = state.symbols.get(symbol)
        if known is None:
            continue
        instrument = known.markets[0].instrument
        if (found.price, found.quantity) > (instrument.price_scale, instrument.quantity_scale):
            raise CallerError(
                f"{symbol} has finer steps now ({found.price} and {found.quantity} decimals) than "
                f"the store ({instrument.price_scale} and {instrument.quantity_scale}): use a new "
                "store"
            )
        scales[symbol] = _Scales(instrument.price_scale, instrument.quantity_scale)
    return scales


def _asset_scales(
    listings: Listings, scales: Mapping[str, _Scales], state: State
) -> dict[str, int]:
    """Fine enough for the notionals of all that settles in an asset."""
    assets: dict[str, int] = {}
    for listing in _all(listings):
        found = scales[listing.symbol]
        for asset, needed in (
            (listing.base, found.quantity),
            (listing.quote, found.price + found.quantity),
        ):
            assets[asset] = max(assets.get(asset, ASSET_SCALE_MIN), needed)
    for asset, needed in assets.items():
        known = state.asset_scales.get(asset)
        if known is not None:
            if needed > known:
                raise CallerError(
                    f"{asset} needs {needed} decimals for these symbols, the store has {known}: "
                    "use a new store"
                )
            assets[asset] = known
    return assets


def _spec(
    venue: str, listing: Listing, scales: _Scales, assets: Mapping[str, int]
) -> InstrumentSpec:
    price, quantity = scales.price, scales.quantity
    return InstrumentSpec(
        venue=venue,
        symbol=listing.symbol,
        kind=listing.kind,
        base=listing.base,
        quote=listing.quote,
        settle=listing.settle,
        price_scale=price,
        quantity_scale=quantity,
        base_scale=assets[listing.base],
        quote_scale=assets[listing.quote],
        tick=to_scaled("tick", listing.tick, price),
        lot=to_scaled("lot", listing.lot, quantity),
        quantity_min=to_scaled("quantity_min", listing.quantity_min, quantity),
        quantity_max=_bound(listing.quantity_max, quantity),
        notional_min=_bound(listing.notional_min, assets[listing.quote]),
        price_min=_bound(listing.price_min, price),
        price_max=_bound(listing.price_max, price),
        maker_fee=_rate(listing.maker_fee),
        taker_fee=_rate(listing.taker_fee),
        leverage_max=1 if listing.kind == SPOT else listing.leverage_max,
        stops_held_by_venue=False,
    )


def _decimals(text: str) -> int:
    """Of a step: how many decimals it needs."""
    exponent = Decimal(text).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _bound(text: str, scale: int) -> int:
    """A bound, cut off where it is finer than the scale; 0 for none."""
    return int(Decimal(text).scaleb(scale)) if text else 0


def _rate(text: str) -> int:
    """A fee rate in units of 1e-8, rounded up: against us."""
    scaled = Decimal(text).scaleb(RATE_SCALE)
    whole = int(scaled)
    return whole + 1 if scaled > whole else whole
