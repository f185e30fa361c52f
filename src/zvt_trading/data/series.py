"""What one download is of, where its files lie and which stretch of time each file holds.

A file holds one UTC day; of candles of an hour and longer, one UTC year. Its name begins with the
instrument as `zvt-trading replay` wants it: "okx_BTC-USDT_perp_candles_1m_2024-01-31.parquet".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from zvt_trading.core.units import DAY, HOUR, MINUTE, SECOND
from zvt_trading.data.times import moment, year_start
from zvt_trading.errors import CallerError

CANDLES, TRADES = "candles", "trades"
KINDS = (CANDLES, TRADES)
SUFFIX = ".parquet"

INTERVALS: Final = {
    "1s": SECOND,
    "1m": MINUTE,
    "3m": 3 * MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "4h": 4 * HOUR,
    "6h": 6 * HOUR,
    "8h": 8 * HOUR,
    "12h": 12 * HOUR,
    "1d": DAY,
}
"""Intervals that divide a UTC day, in ns; longer ones begin on other days at every venue."""

_SYMBOL = re.compile(r"([A-Z0-9]+)/([A-Z0-9]+)(:([A-Z0-9]+))?")
_EXCHANGE = re.compile(r"[a-z0-9]+")


class Span(NamedTuple):
    """A stretch of time, ns UTC; the end is not part of it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Series:
    """Candles (of an interval) or trades (interval "") of one symbol at one exchange.

    `symbol` is ccxt's: "BTC/USDT", or "BTC/USDT:USDT" for the perpetual settled in the quote asset.
    Raises CallerError for what has no place.
    """

    exchange: str
    symbol: str
    what: str
    interval: str = ""

    def __post_init__(self) -> None:
        if not _EXCHANGE.fullmatch(self.exchange):
            raise CallerError(f"exchange {self.exchange!r} must be a name like binance")
        found = _SYMBOL.fullmatch(self.symbol)
        if found is None or found[4] not in (None, found[2]):
            raise CallerError(
                f"symbol {self.symbol!r} must be spot (BTC/USDT) or a perpetual settled in its "
                "quote asset (BTC/USDT:USDT)"
            )
        if self.what not in KINDS:
            raise CallerError(f"what {self.what!r} must be one of {', '.join(KINDS)}")
        if self.what == TRADES and self.interval:
            raise CallerError(f"trades have no interval, {self.interval!r} was given")
        if self.what == CANDLES and self.interval not in INTERVALS:
            raise CallerError(f"interval {self.interval!r} must be one of {', '.join(INTERVALS)}")

    def __str__(self) -> str:
        return " ".join(x for x in (self.exchange, self.symbol, self.what, self.interval) if x)

    @property
    def interval_ns(self) -> int:
        """How long a candle is; of trades the step that starts and ends are rounded to (1 ms)."""
        return INTERVALS[self.interval] if self.interval else 1_000_000

    @property
    def is_perpetual(self) -> bool:
        """Whether the symbol is a perpetual."""
        return ":" in self.symbol

    @property
    def _words(self) -> list[str]:
        pair = self.symbol.partition(":")[0].replace("/", "-")
        words = [pair, "perp" if self.is_perpetual else "", self.what, self.interval]
        return [word for word in words if word]

    def folder(self, root: Path) -> Path:
        """Where its files lie below the folder of all history."""
        return root / self.exchange / "_".join(self._words)

    def path(self, root: Path, span: Span) -> Path:
        """The file of one span."""
        day = moment(span.start)
        label = day.strftime("%Y-%m-%d" if span.end - span.start == DAY else "%Y")
        name = "_".join([self.exchange, *self._words, label])
        return self.folder(root) / f"{name}{SUFFIX}"

    def span_of(self, time: int) -> Span:
        """The span of the file that a time belongs to."""
        if self.what == TRADES or self.interval_ns < HOUR:
            day = time - time % DAY
            return Span(day, day + DAY)
        year = moment(time).year
        return Span(year_start(year), year_start(year + 1))

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """The spans of all files that [start, end) touches, in order of time."""
        while start < end:
            span = self.span_of(start)
            yield span
            start = span.end
