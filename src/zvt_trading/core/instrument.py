"""An instrument with its filters and its exact money arithmetic, and its live market view."""

from typing import Final, final

from zvt_trading.core.limits import AMOUNT_MAX
from zvt_trading.core.units import div_half_even
from zvt_trading.messages.codes import INVERSE, SPOT
from zvt_trading.messages.market import InstrumentSpec


@final
class Instrument:
    """One symbol on one venue. Immutable but for the market view at the end.

    `value(price, quantity)` is the notional in the settle asset: exact for SPOT and LINEAR
    (price x quantity x contract size), rounded half-even for INVERSE
    (quantity x contract size / price).
    """

    def __init__(self, spec: InstrumentSpec) -> None:
        self.spec: Final = spec
        self.id: Final = f"{spec.venue}:{spec.symbol}"
        self.venue: Final = spec.venue
        self.symbol: Final = spec.symbol
        self.kind: Final = spec.kind
        self.base: Final = spec.base
        self.quote: Final = spec.quote
        self.settle: Final = spec.settle
        self.price_scale: Final = spec.price_scale
        self.quantity_scale: Final = spec.quantity_scale
        self.tick: Final = spec.tick
        self.lot: Final = spec.lot
        self.quantity_min: Final = spec.quantity_min
        self.quantity_max: Final = spec.quantity_max
        self.notional_min: Final = spec.notional_min
        self.price_min: Final = spec.price_min
        self.price_max: Final = spec.price_max
        self.maker_fee: Final = spec.maker_fee
        self.taker_fee: Final = spec.taker_fee
        self.leverage_max: Final = spec.leverage_max
        self.is_spot: Final = spec.kind == SPOT
        self.is_inverse: Final = spec.kind == INVERSE
        self.settle_scale: Final = spec.base_scale if spec.kind == INVERSE else spec.quote_scale
        self.multiplier, self.divisor = _multiplier(spec)
        # AMOUNT_MAX on the scales of prices, quantities, and money of the settle asset.
        self.price_bound: Final = AMOUNT_MAX * int(10**spec.price_scale)
        self.quantity_bound: Final = AMOUNT_MAX * int(10**spec.quantity_scale)
        self.money_bound: Final = AMOUNT_MAX * int(10**self.settle_scale)
        self._product_bound: Final = _product_bound(spec, self.multiplier, self.money_bound)
        self.base_unit: Final = int(10 ** max(0, spec.base_scale - spec.quantity_scale))
        # Market view: what the feeds said last. Not journalled, not part of the digest.
        self.bid = 0
        self.bid_size = 0
        self.ask = 0
        self.ask_size = 0
        self.last = 0
        self.mark = 0
        self.has_mark_feed = False
        self.quote_ts = 0
        self.book_valid = True

    def value(self, price: int, quantity: int) -> int:
        """Notional of `quantity` at `price` in the settle asset (see the class docstring)."""
        if self.is_inverse:
            return div_half_even(quantity * self.multiplier, price * self.divisor) if price else 0
        return price * (quantity * self.multiplier)  # this order keeps the factors small ints

    def base_amount(self, quantity: int) -> int:
        """A quantity as an amount of the base asset (SPOT), exact."""
        return quantity * self.base_unit

    def is_noise(self, price: int, quantity: int) -> bool:
        """Whether a trade of this is beyond anything that a market does (AMOUNT_MAX)."""
        return (
            price > self.price_bound
            or quantity > self.quantity_bound
            or price * quantity > self._product_bound
            or (self.is_inverse and self.value(price, quantity) > self.money_bound)
        )

    def mid_twice(self) -> int:
        """Bid + ask (twice the mid, so that it stays exact); 0 when a side is missing."""
        return self.bid + self.ask if self.bid and self.ask else 0


def _product_bound(spec: InstrumentSpec, multiplier: int, money_bound: int) -> int:
    """Of price x quantity, so that neither it nor the notional is above AMOUNT_MAX."""
    bound = AMOUNT_MAX * int(10 ** (spec.price_scale + spec.quantity_scale))
    return bound if spec.kind == INVERSE else min(bound, money_bound // multiplier)


def _multiplier(spec: InstrumentSpec) -> tuple[int, int]:
    """(multiplier, divisor) such that the notional is exact on the settle asset's scale.

    Linear: price x quantity x multiplier, divisor 1.
    Inverse: quantity x multiplier / (price x divisor).
    """
    if spec.kind == INVERSE:
        exponent = spec.base_scale + spec.price_scale - spec.quantity_scale - spec.contract_scale
        if exponent >= 0:
            return spec.contract_size * int(10**exponent), 1
        return spec.contract_size, int(10**-exponent)
    exponent = spec.quote_scale - spec.price_scale - spec.quantity_scale - spec.contract_scale
    if exponent < 0:
        raise ValueError(
            f"{spec.venue}:{spec.symbol}: the {spec.quote} scale {spec.quote_scale} is too coarse; "
            f"it needs at least {spec.quote_scale - exponent} decimals"
        )
    if spec.kind == SPOT and spec.base_scale < spec.quantity_scale:
        raise ValueError(
            f"{spec.venue}:{spec.symbol}: the {spec.base} scale {spec.base_scale} is coarser than "
            f"the quantity scale {spec.quantity_scale}"
        )
    return spec.contract_size * int(10**exponent), 1
