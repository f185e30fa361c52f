"""How Binance writes its numbers: spot with eight decimals, futures as fine as the filters are."""

from typing import Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import div_half_even, format_scaled
from zvt_trading.emulator.clock import NS_A_MS

EIGHT: Final = 8


def ms(ts: int) -> int:
    """Nanoseconds to milliseconds."""
    return ts // NS_A_MS


def native(symbol: str) -> str:
    """BTC/USDT and BTC/USDT:USDT are BTCUSDT."""
    return symbol.partition(":")[0].replace("/", "")


def decimals_of(step: int, scale: int) -> int:
    """How many decimals a multiple of `step` needs."""
    while scale > 0 and step % 10 == 0:
        step //= 10
        scale -= 1
    return scale


def fixed(value: int, scale: int, decimals: int) -> str:
    """An int on `scale` with so many decimals; digits beyond are zeros or rounded half-even."""
    if decimals >= scale:
        return format_scaled(value * 10 ** (decimals - scale), decimals)
    return format_scaled(div_half_even(value, 10 ** (scale - decimals)), decimals)


def money(value: int) -> str:
    """An amount of an asset (scale 8)."""
    return format_scaled(value, EIGHT)


def price_text(instrument: Instrument, price: int) -> str:
    """A price as the exchange writes it."""
    scale = instrument.price_scale
    decimals = EIGHT if instrument.is_spot else decimals_of(instrument.tick, scale)
    return fixed(price, scale, decimals)


def quantity_text(instrument: Instrument, quantity: int) -> str:
    """A quantity as the exchange writes it."""
    scale = instrument.quantity_scale
    decimals = EIGHT if instrument.is_spot else decimals_of(instrument.lot, scale)
    return fixed(quantity, scale, decimals)


def value_text(instrument: Instrument, value: int) -> str:
    """Price x quantity."""
    return fixed(value, instrument.settle_scale, EIGHT if instrument.is_spot else 5)
