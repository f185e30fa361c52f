"""What a fill costs: rate by liquidity, the asset it is charged in, and the one rounding of fees.

Rates are in units of 1e-8 of the notional (10 bps = 100_000) and may be negative (a rebate).
"""

from typing import Final, final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import RATE_ONE, div_ceil
from zvt_trading.messages.codes import BUY, MAKER

# In which asset a venue charges.
QUOTE: Final = 0  # the settle asset: quote for SPOT and LINEAR, base for INVERSE
RECEIVED: Final = 1  # SPOT: what the fill brings in, base on buys and quote on sells (Binance)
THIRD: Final = 2  # a third asset at a discount (Binance: BNB, 25 % off spot, 10 % off futures)


@final
class FeeSchedule:
    """One account's fee rates and rule at a venue.

    `asset` and `discount` (units of 1e-8 of the fee) belong to THIRD only. Binance's rules:
    https://www.binance.com/en/support/faq/e85d6e703b874674840122196b89780a
    """

    def __init__(
        self, maker: int, taker: int, rule: int = QUOTE, asset: str = "", discount: int = 0
    ) -> None:
        if rule not in (QUOTE, RECEIVED, THIRD):
            raise ValueError(f"no fee rule {rule}; use QUOTE, RECEIVED or THIRD (0..2)")
        if (rule == THIRD) != (asset != ""):
            raise ValueError(
                f"a fee asset belongs to THIRD and only to it; rule {rule}, asset {asset!r}"
            )
        if not 0 <= discount <= RATE_ONE:
            raise ValueError(f"fee discount {discount} is not within 0..{RATE_ONE} (1e-8 units)")
        self.maker: Final = maker
        self.taker: Final = taker
        self.rule: Final = rule
        self.asset: Final = asset
        self.discount: Final = discount

    def rate(self, liquidity: int) -> int:
        """Rate for a MAKER or TAKER fill, units of 1e-8."""
        return self.maker if liquidity == MAKER else self.taker


def charge(amount: int, numerator: int, denominator: int) -> int:
    """The one rounding of fees: amount x numerator / denominator, rounded up.

    Up is against us: a fee is never too small and a rebate (negative) never too large.
    """
    # Whole denominators apart, exactly: the product of a rest and a rate stays a small int, and
    # products of large ones are many times slower.
    whole = amount // denominator
    rest = amount - whole * denominator
    return whole * numerator + div_ceil(rest * numerator, denominator)


def fill_fee(
    schedule: FeeSchedule,
    instrument: Instrument,
    side: int,
    liquidity: int,
    quantity: int,
    notional: int,
    conversion_numerator: int = 0,
    conversion_denominator: int = 1,
) -> tuple[str, int]:
    """(asset, amount) of the fee on a fill of `quantity` worth `notional` (settle-asset units).

    The conversion ratio is units of the third asset a settle-asset unit buys; without it (0) a
    THIRD fee is charged undiscounted in the settle asset, as Binance does for want of BNB.
    """
    rate = schedule.rate(liquidity)
    if schedule.rule == RECEIVED and side == BUY and instrument.is_spot:
        return instrument.base, charge(instrument.base_amount(quantity), rate, RATE_ONE)
    if schedule.rule == THIRD and conversion_numerator > 0:
        numerator = rate * (RATE_ONE - schedule.discount) * conversion_numerator
        return schedule.asset, charge(
            notional, numerator, RATE_ONE * RATE_ONE * conversion_denominator
        )
    return instrument.settle, charge(notional, rate, RATE_ONE)
