"""Margin and liquidation prices of perpetuals: pure functions, every rounding against us.

Amounts are ints in settle-asset units, prices on the instrument's price scale, rates in units of
1e-8. Sources:
- Binance, cross and isolated, USD-M:
  https://www.binance.com/en/support/faq/b3c689c1f50a44cabb3a84e663b81d93
  and COIN-M, with the rule to use the tier at the liquidation price:
  https://www.binance.com/en/support/faq/ceccfcfb4e3a45e3b48b0b1bb1a8ae46
- Bybit, isolated:
  https://www.bybit.com/en/help-center/article/Liquidation-Price-Calculation-under-Isolated-Mode-Unified-Trading-Account

A liquidation price is where equity (wallet + unrealised PnL) meets the maintenance margin:

    wallet + direction x (notional(P) - cost) = rate x notional(P) - deduction

with direction +1 where profit grows with the notional (LINEAR long, INVERSE short), -1 elsewhere.
It is linear in the notional, also for INVERSE, whose notional is quantity x size / P; so it is
solved for the notional, and the price follows. This is Binance's formula with
wallet = WB - TMM1 + UPNL1, deduction = cumB, cost = position x entry price.
"""

from typing import Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import RATE_ONE, div_ceil, div_floor
from zvt_trading.messages.market import MarginTier

# For an instrument whose venue publishes no tiers. 1 % is the commonest first tier on Binance.
TIER_DEFAULT: Final = MarginTier(
    notional_max=0, maintenance_rate=1_000_000, deduction=0, leverage_max=50
)
_TIER_BANKRUPT: Final = (
    MarginTier(notional_max=0, maintenance_rate=0, deduction=0, leverage_max=1),
)


def initial_margin(notional: int, leverage: int) -> int:
    """The notional over the leverage, rounded up."""
    return div_ceil(notional, leverage)


def tier_index(notional: int, tiers: tuple[MarginTier, ...]) -> int:
    """Index of the tier for a notional: the first it does not exceed, else the last."""
    for index in range(len(tiers) - 1):
        if notional <= tiers[index].notional_max:
            return index
    return len(tiers) - 1


def tier_of(notional: int, tiers: tuple[MarginTier, ...]) -> MarginTier:
    """The tier for a notional; TIER_DEFAULT when there are none."""
    return tiers[tier_index(notional, tiers)] if tiers else TIER_DEFAULT


def maintenance_margin(notional: int, tiers: tuple[MarginTier, ...]) -> int:
    """The notional x rate - deduction of its tier, rounded up, never below zero."""
    tier = tier_of(notional, tiers)
    return max(0, div_ceil(notional * tier.maintenance_rate, RATE_ONE) - tier.deduction)


def leverage_max(notional: int, tiers: tuple[MarginTier, ...]) -> int:
    """The leverage a notional may have; 0 when it exceeds the last tier's bound (0: no bound)."""
    tier = tier_of(notional, tiers)
    if 0 < tier.notional_max < notional:
        return 0
    return tier.leverage_max


def cross_wallet(wallet: int, other_maintenance: int, other_unrealized: int) -> int:
    """What a cross position can lose: WB - TMM1 + UPNL1 of Binance's formula.

    `other_maintenance` and `other_unrealized` are sums over the account's other cross positions.
    """
    return wallet - other_maintenance + other_unrealized


def liquidation_price(
    instrument: Instrument,
    quantity: int,
    cost: int,
    wallet: int,
    tiers: tuple[MarginTier, ...],
    notional: int = 0,
) -> int:
    """Price at which equity meets the maintenance margin; 0 when no positive price does.

    `quantity` is signed, `cost` its entry notional; `wallet` is the isolated margin, or
    `cross_wallet(...)`. `notional` is the value at the mark (default: `cost`): the tier walk starts
    there and follows the tiers the price would pass. Rounded against us: up for a long, down for a
    short. A position that is liquidated already gets a price on the wrong side of the mark.
    """
    if quantity == 0:
        return 0
    used = tiers or (TIER_DEFAULT,)
    falling = (quantity > 0) != instrument.is_inverse
    if falling:
        critical = _critical_falling(cost, wallet, used, notional or cost)
    else:
        critical = _critical_rising(cost, wallet, used, notional or cost)
    return _price_at(instrument, quantity, critical[0], critical[1])


def bankruptcy_price(instrument: Instrument, quantity: int, cost: int, wallet: int) -> int:
    """Price at which equity is zero; rounded and 0 as in `liquidation_price`."""
    return liquidation_price(instrument, quantity, cost, wallet, _TIER_BANKRUPT)


def bybit_liquidation_price(
    instrument: Instrument,
    quantity: int,
    cost: int,
    position_margin: int,
    tiers: tuple[MarginTier, ...],
) -> int:
    """Bybit's isolated price: the room (position margin - maintenance) is lost from the entry.

    LINEAR: entry -/+ room / quantity; INVERSE: quantity / (position value +/- room). Unlike in
    `liquidation_price` the maintenance margin is that of the entry notional. `position_margin` is
    the initial margin plus what was added. Rounding and 0 as there.
    """
    if quantity == 0:
        return 0
    room = position_margin - maintenance_margin(cost, tiers)
    falling = (quantity > 0) != instrument.is_inverse
    return _price_at(instrument, quantity, cost - room if falling else cost + room, 1)


def _critical_falling(
    cost: int, wallet: int, tiers: tuple[MarginTier, ...], notional: int
) -> tuple[int, int]:
    """Critical notional (numerator, denominator) where losses come with a falling notional.

    wallet + n - cost = rate n - deduction, so n = (cost - wallet - deduction) / (1 - rate). The
    first tier downwards whose solution lies above its lower bound is the one.
    """
    index = tier_index(notional, tiers)
    while True:
        tier = tiers[index]
        numerator = (cost - wallet - tier.deduction) * RATE_ONE
        denominator = RATE_ONE - tier.maintenance_rate
        if index == 0 or numerator > tiers[index - 1].notional_max * denominator:
            return numerator, denominator
        index -= 1


def _critical_rising(
    cost: int, wallet: int, tiers: tuple[MarginTier, ...], notional: int
) -> tuple[int, int]:
    """Critical notional where losses come with a rising notional.

    wallet + cost - n = rate n - deduction, so n = (wallet + cost + deduction) / (1 + rate). The
    first tier upwards whose solution lies within its upper bound is the one; where the margin jumps
    between tiers (no deduction) the bound itself can be.
    """
    start = tier_index(notional, tiers)
    index = start
    while True:
        tier = tiers[index]
        numerator = (wallet + cost + tier.deduction) * RATE_ONE
        denominator = RATE_ONE + tier.maintenance_rate
        if index > start and numerator < tiers[index - 1].notional_max * denominator:
            return tiers[index - 1].notional_max, 1
        if index == len(tiers) - 1 or numerator <= tier.notional_max * denominator:
            # Equity below the maintenance margin at any notional: the smallest one stands for it.
            return max(numerator, 1), denominator
        index += 1


def _price_at(instrument: Instrument, quantity: int, numerator: int, denominator: int) -> int:
    """Price at which the position is worth numerator / denominator; rounded against us, 0 if none.

    At least 1 for a short, whose 0 would read as "none" where it means "at any price".
    """
    if numerator <= 0:
        return 0
    weight = abs(quantity) * instrument.multiplier
    if instrument.is_inverse:
        top, bottom = weight * denominator, numerator * instrument.divisor
    else:
        top, bottom = numerator, denominator * weight
    return div_ceil(top, bottom) if quantity > 0 else max(1, div_floor(top, bottom))
