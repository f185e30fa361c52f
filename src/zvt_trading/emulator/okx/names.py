"""OKX's names and numbers: instrument ids, contracts, order ids, plain decimals.

A swap counts in contracts of `CONTRACT_SIZE` of the base asset; we count in the base asset itself.
"""

from typing import Any, Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import UnitError, format_scaled, parse_scaled

Fields = dict[str, Any]
"""A JSON object."""

SPOT: Final = "SPOT"
SWAP: Final = "SWAP"
CONTRACT_SIZE: Final = "0.01"
_CONTRACT_DECIMALS: Final = 2  # of CONTRACT_SIZE
ID_BASE: Final = 2_497_956_918_000_000_000
"""OKX's ids have 19 digits: more than a float holds exactly, which is worth finding out."""
NS_A_MS: Final = 1_000_000


def plain(value: int, scale: int) -> str:
    """An int on `scale` as OKX writes numbers: no zeros at the end."""
    text = format_scaled(value, scale)
    return text.rstrip("0").rstrip(".") if "." in text else text


def long_id(own_id: str) -> str:
    """The id that OKX shows for an id of the house."""
    return str(ID_BASE + int(own_id))


def own_id(shown: str) -> str:
    """The other way; "" for what is no id."""
    if not shown.isdecimal() or int(shown) <= ID_BASE:
        return ""
    return str(int(shown) - ID_BASE)


def ms(ns: int) -> str:
    """A time as OKX sends it: milliseconds UTC as text."""
    return str(ns // NS_A_MS)


class Listing:
    """One instrument under OKX's names."""

    def __init__(self, instrument: Instrument, code: int) -> None:
        self.instrument: Final = instrument
        self.is_spot: Final = instrument.is_spot
        self.type: Final = SPOT if self.is_spot else SWAP
        self.family: Final = f"{instrument.base}-{instrument.quote}"
        self.id: Final = self.family if self.is_spot else f"{self.family}-SWAP"
        self.code: Final = code  # instIdCode
        # Sizes are on this scale: of the base asset (SPOT), or of contracts.
        scale = instrument.quantity_scale
        self.size_scale: Final = scale if self.is_spot else scale - _CONTRACT_DECIMALS

    def price(self, value: int) -> str:
        """A price."""
        return plain(value, self.instrument.price_scale)

    def size(self, value: int) -> str:
        """A quantity of ours as a size: base asset, or contracts."""
        return plain(value, self.size_scale)

    def base(self, value: int) -> str:
        """A quantity of ours in the base asset."""
        return plain(value, self.instrument.quantity_scale)

    def money(self, value: int) -> str:
        """Money of the settle asset."""
        return plain(value, self.instrument.settle_scale)

    def read_size(self, text: str) -> int:
        """The quantity that a size says; -1 when it is no number of ours."""
        return _read(text, self.size_scale)

    def read_money(self, text: str) -> int:
        """The amount of the settle asset that a text says; -1 when it is no number of ours."""
        return _read(text, self.instrument.settle_scale)

    def read_price(self, text: str) -> int:
        """The price that a text says; -1 when it is no number of ours."""
        return _read(text, self.instrument.price_scale)


class Listings:
    """All instruments, by OKX's id, by its number and by our symbol."""

    def __init__(self, instruments: dict[str, Instrument]) -> None:
        self.by_symbol: Final[dict[str, Listing]] = {}
        self.by_id: Final[dict[str, Listing]] = {}
        self.by_code: Final[dict[str, Listing]] = {}
        for number, instrument in enumerate(instruments.values()):
            listing = Listing(instrument, 10_458 + number)
            self.by_symbol[instrument.symbol] = listing
            self.by_id[listing.id] = listing
            self.by_code[str(listing.code)] = listing

    def find(self, fields: Fields) -> Listing | None:
        """What `instId`, or else `instIdCode`, names."""
        name = str(fields.get("instId") or "")
        if name:
            return self.by_id.get(name)
        return self.by_code.get(str(fields.get("instIdCode") or ""))

    def of_type(self, inst_type: str) -> list[Listing]:
        """All of SPOT or SWAP; of ANY or "" all."""
        return [
            listing for listing in self.by_id.values() if inst_type in {"", "ANY", listing.type}
        ]


def _read(text: str, scale: int) -> int:
    try:
        return parse_scaled(text, scale)
    except UnitError:
        return -1
