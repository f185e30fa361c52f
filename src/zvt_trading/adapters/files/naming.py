"""Which instrument a file is of, and what its own numbers tell about an instrument nobody listed.

Binance recordings say what they record. Other files are of the instrument that

- the argument names: "kraken:ETH/USD=data/eth.csv", or
- the file name begins with: `venue_BASE-QUOTE`, `_perp` for a perpetual that settles in the quote
  asset, then anything: "kraken_ETH-USD_trades.csv", "okx_BTC-USDT_perp_quotes.parquet". Pairs of
  the built-in specs may be written as one word: "binance_btcusdt_trades.csv".
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from zvt_trading.adapters.files.specs import Listing
from zvt_trading.core.units import MAX_SCALE
from zvt_trading.errors import DataError, SymbolNotFoundError
from zvt_trading.messages.codes import SPOT
from zvt_trading.messages.market import Bar, InstrumentSpec, MarketData, QuoteTick, TradeTick

PROBE_ROWS = 1_000
"""Rows looked at for the finest decimals of an instrument without a spec."""
UNKNOWN_FEE_BPS = 10
"""Maker and taker fee of an instrument without a spec: the base rate of most venues."""
NAME_RULE = (
    'name the file like "kraken_ETH-USD_trades.csv" or "okx_BTC-USDT_perp_quotes.parquet", or put '
    'the instrument before it: "kraken:ETH/USD=path"'
)

_ARGUMENT = re.compile(r"([a-z0-9_]+):([A-Z0-9]+/[A-Z0-9]+(?::[A-Z0-9]+)?)=(.+)", re.DOTALL)
_PAIR = re.compile(r"([A-Za-z0-9]+)-([A-Za-z0-9]+)")
_PERPETUAL_WORDS = frozenset({"usdm", "perp", "perpetual", "swap", "future", "futures", "linear"})


class FileArgument(NamedTuple):
    """A file, and the instrument id that was written before it ("" when none was)."""

    path: Path
    instrument: str


def file_argument(argument: str | Path) -> FileArgument:
    """Take "venue:SYMBOL=path" apart; an argument of any other form is a path."""
    found = _ARGUMENT.fullmatch(str(argument))
    if found is None:
        return FileArgument(Path(argument), "")
    return FileArgument(Path(found[3]), f"{found[1]}:{found[2]}")


def instrument_by_name(path: Path, specs: Mapping[str, InstrumentSpec]) -> str:
    """The instrument id that a file's name begins with; SymbolNotFoundError when it has none."""
    venue, *words = path.name.partition(".")[0].split("_")
    is_perpetual = any(word.lower() in _PERPETUAL_WORDS for word in words[1:])
    pair = words[0] if words else ""
    joined = pair.replace("-", "").upper()
    for name, spec in specs.items():
        known = (spec.venue, spec.base + spec.quote, spec.kind != SPOT)
        if known == (venue.lower(), joined, is_perpetual):
            return name
    found = _PAIR.fullmatch(pair)
    if found is None or not venue:
        raise SymbolNotFoundError(
            f"{path}: of which instrument is this file? {NAME_RULE}; known: "
            f"{', '.join(specs) or 'none'}"
        )
    base, quote = found[1].upper(), found[2].upper()
    return f"{venue.lower()}:{base}/{quote}" + (f":{quote}" if is_perpetual else "")


def probe_spec(instrument: str) -> InstrumentSpec:
    """A spec to read the rows of an unlisted instrument with, on the finest scales there are."""
    venue, _, symbol = instrument.partition(":")
    base, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    return InstrumentSpec(
        venue=venue,
        symbol=symbol,
        kind=SPOT,
        base=base,
        quote=quote,
        settle=settle or quote,
        price_scale=MAX_SCALE,
        quantity_scale=MAX_SCALE,
        base_scale=MAX_SCALE,
        quote_scale=MAX_SCALE,
        tick=1,
        lot=1,
        quantity_min=1,
    )


def inferred_listing(instrument: str, path: Path, messages: Iterable[MarketData]) -> Listing:
    """A listing whose tick and lot are the finest decimals of the first rows, read on `probe_spec`.

    Its fees are UNKNOWN_FEE_BPS, it has no filters, and no leverage. Raises DataError for a file
    without rows. A later row with finer decimals is refused when it is read: then give the spec.
    """
    prices: list[int] = []
    sizes: list[int] = []
    for message in islice(messages, PROBE_ROWS):
        if isinstance(message, QuoteTick):
            prices += (message.bid, message.ask)
            sizes += (message.bid_size, message.ask_size)
        elif isinstance(message, TradeTick):
            prices.append(message.price)
            sizes.append(message.size)
        elif isinstance(message, Bar):
            prices += (message.open, message.high, message.low, message.close)
            sizes.append(message.volume)
    if not prices:
        raise DataError(f"{path}: has no rows to see the tick and lot of {instrument} from")
    venue, _, symbol = instrument.partition(":")
    return Listing(
        venue=venue,
        symbol=symbol,
        tick=_step(prices),
        lot=_step(sizes),
        maker_fee_bps=UNKNOWN_FEE_BPS,
        taker_fee_bps=UNKNOWN_FEE_BPS,
    )


def finer_of(one: Listing, other: Listing) -> Listing:
    """One listing of two inferred from two files of an instrument: the smaller tick and lot."""
    return replace(
        one,
        tick=min(Decimal(one.tick), Decimal(other.tick)),
        lot=min(Decimal(one.lot), Decimal(other.lot)),
    )


def _step(values: list[int]) -> str:
    """The decimal step that all these numbers, on MAX_SCALE, are multiples of; at most 1."""
    decimals = MAX_SCALE
    while decimals and not any(value % 10 ** (MAX_SCALE - decimals + 1) for value in values):
        decimals -= 1
    return f"0.{'1'.zfill(decimals)}" if decimals else "1"
