"""How Bybit calls its instruments: "BTCUSDT" in a category, "spot" or "linear"."""

from collections.abc import Iterator, Mapping
from typing import Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import UnitError, parse_scaled
from zvt_trading.emulator.bybit.errors import BybitError, bad_request

SPOT: Final = "spot"
LINEAR: Final = "linear"
CATEGORIES: Final = (SPOT, LINEAR)
KNOWN_CATEGORIES: Final = (*CATEGORIES, "inverse", "option")  # these two list nothing here


def native(instrument: Instrument) -> str:
    """E.g. "BTCUSDT"."""
    return instrument.base + instrument.quote


def category_of(instrument: Instrument) -> str:
    """Either "spot" or "linear"."""
    return SPOT if instrument.is_spot else LINEAR


class Symbols:
    """The instruments of a house by their native names."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments: Final = instruments

    def of(self, category: str) -> Iterator[Instrument]:
        """All of a category."""
        for instrument in self._instruments.values():
            if category_of(instrument) == category:
                yield instrument

    def get(self, category: str, name: str) -> Instrument | None:
        """One; None when it is not listed."""
        for instrument in self.of(category):
            if native(instrument) == name:
                return instrument
        return None

    def find(self, category: str, name: str) -> Instrument:
        """One; BybitError when it is not listed."""
        found = self.get(check_category(category), name)
        if found is None:
            if category == SPOT:
                raise BybitError(170121, "Invalid symbol.")
            raise BybitError(10001, "Not supported symbols")
        return found


def check_category(category: str) -> str:
    """The category; BybitError when there is none such."""
    if category not in KNOWN_CATEGORIES:
        raise bad_request(f"category {category!r} is not one of {', '.join(KNOWN_CATEGORIES)}")
    return category


def take_number(text: object, scale: int, too_fine: BybitError) -> int:
    """A number of a request, which must be a text; `too_fine` for too many decimals."""
    if not isinstance(text, str):
        raise bad_request(f"{text!r} must be a text")
    try:
        return parse_scaled(text, scale)
    except UnitError as error:
        if "decimals" in str(error):
            raise too_fine from error
        raise bad_request(f"{text[:40]!r} is no number") from error
