"""Candles from public trades: only whole ones are told, each once."""

from typing import Final

from zvt_trading.core.units import SECOND
from zvt_trading.messages.market import Bar, TradeTick

LATE_NS: Final = SECOND
"""How long after its end a candle waits for trades that are still on their way."""


class CandleMaker:
    """Candles of one instrument and interval (ns), which begin at multiples of it since 1970 UTC.

    A candle whose interval was not heard from its beginning to its end is left out: the first one,
    and those that a connection's end falls into. An interval without trades has none. `late` counts
    the trades that came when their candle had been told; they are in no candle.
    """

    def __init__(self, instrument: str, interval: int) -> None:
        self.late = 0
        self._instrument: Final = instrument
        self._interval: Final = interval
        self._whole_from = 0  # candles that open earlier were not heard whole
        self._told_to = 0  # end of the newest candle told
        self._start = 0
        self._open = self._high = self._low = self._close = self._volume = 0
        self._has_trades = False

    def begin(self, now: int) -> None:
        """The stream runs from now on: what was heard before is no whole candle."""
        self._whole_from = now + -now % self._interval
        self._has_trades = False

    def take(self, trade: TradeTick) -> Bar | None:
        """A trade; the candle that it ends."""
        start = trade.ts - trade.ts % self._interval
        if start < self._whole_from:
            return None
        if start < self._told_to or (self._has_trades and start < self._start):
            self.late += 1
            return None
        ended = None
        if self._has_trades and start > self._start:
            ended = self._end()
        if self._has_trades:
            self._high = max(self._high, trade.price)
            self._low = min(self._low, trade.price)
        else:
            self._has_trades = True
            self._start = start
            self._open = self._high = self._low = trade.price
            self._volume = 0
        self._close = trade.price
        self._volume += trade.size
        return ended

    def tick(self, now: int) -> Bar | None:
        """The candle whose time is over, if there is one."""
        if self._has_trades and now >= self._start + self._interval + LATE_NS:
            return self._end()
        return None

    def _end(self) -> Bar:
        self._has_trades = False
        self._told_to = self._start + self._interval
        return Bar(
            self._instrument, self._open, self._high, self._low, self._close, self._volume,
            self._start, self._told_to,
        )  # fmt: skip
