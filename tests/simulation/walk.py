"""Market data as a random walk: cheap, always on the grid, with the odd jump, gap and silence."""

from typing import Final

from zvt_trading.core.rng import Rng
from zvt_trading.messages.codes import BUY, SELL, SPOT
from zvt_trading.messages.market import (
    Bar,
    BookDelta,
    BookInvalid,
    BookSnapshot,
    FundingRate,
    InstrumentSpec,
    MarketData,
    MarkPrice,
    QuoteTick,
    TradeTick,
    VenueStatus,
)

PRICE_START: Final = 10_000
PRICE_MIN: Final = 2_000
PRICE_MAX: Final = 50_000
LOT: Final = 5
_DEPTH: Final = 4


class Walk:
    """One price that all instruments follow, each a little off."""

    def __init__(self, specs: dict[str, InstrumentSpec], rng: Rng) -> None:
        self.specs = specs
        self.instruments = list(specs)
        self.rng = rng
        self.price = PRICE_START
        self.update_ids: dict[str, int] = {}
        self.broken = ""  # instrument whose book has a gap
        self.silenced: list[str] = []  # venues that were said to be unhealthy
        self.funded: dict[str, int] = {}  # when funding was last settled
        self.touches: dict[str, tuple[int, int]] = {}

    def first(self, ts: int) -> list[MarketData]:
        """A quote for everything, a book for the spot markets."""
        out: list[MarketData] = []
        for instrument, spec in self.specs.items():
            if spec.kind == SPOT and self.rng.chance(1, 2):
                out.append(self._snapshot(instrument, ts))
            out.append(self._quote(instrument, ts))
        return out

    def next(self, ts: int) -> MarketData:
        """The next message."""
        rng = self.rng
        step = rng.below(21) - 10
        if rng.chance(1, 60):
            step = (rng.below(17) - 8) * self.price // 100
        self.price = min(max(self.price + step, PRICE_MIN), PRICE_MAX)
        instrument = self.instruments[rng.below(len(self.instruments))]
        spec = self.specs[instrument]
        kind = rng.below(100)
        if kind < 60:
            return self._quote(instrument, ts)
        if kind < 78:
            return self._trade(instrument, ts)
        if kind < 92 and spec.kind != SPOT:
            if kind < 88:
                return MarkPrice(instrument, self._near(), ts, self.price)
            if self.funded.get(instrument, 0) < ts:  # a venue settles once at a time
                self.funded[instrument] = ts
                return FundingRate(instrument, rng.below(200_001) - 100_000, self._near(), ts)
        if kind < 92 and instrument in self.update_ids:
            return self._delta(instrument, ts)
        return self._rare(instrument, spec, ts)

    def _rare(self, instrument: str, spec: InstrumentSpec, ts: int) -> MarketData:
        choice = self.rng.below(8)
        if choice == 0 and spec.venue not in self.silenced:
            self.silenced.append(spec.venue)
            return VenueStatus(spec.venue, False, ts)
        if self.silenced:
            return VenueStatus(self.silenced.pop(), True, ts)
        if choice == 4 and instrument in self.update_ids and not self.broken:
            self.broken = instrument
            return BookInvalid(instrument, ts, "gap")
        if self.broken:
            instrument, self.broken = self.broken, ""
            return self._snapshot(instrument, ts)
        if choice == 5:
            price = self._near()
            return Bar(instrument, price, price + 5, price - 5, price, 1_000, ts - 1, ts)
        return self._snapshot(instrument, ts)

    def _size(self) -> int:
        """A whole number of lots, small enough that orders fill in parts."""
        return LOT * (1 + self.rng.below(80))

    def _near(self) -> int:
        return self.price + self.rng.below(21) - 10

    def _quote(self, instrument: str, ts: int) -> QuoteTick:
        bid = self._near()
        ask = bid + 1 + self.rng.below(6)
        self.touches[instrument] = (bid, ask)
        return QuoteTick(instrument, bid, self._size(), ask, self._size(), ts)

    def _trade(self, instrument: str, ts: int) -> TradeTick:
        aggressor = (BUY, SELL, 0)[self.rng.below(3)]
        return TradeTick(instrument, self._near(), self._size(), aggressor, ts)

    def _levels(self, best: int, step: int) -> tuple[tuple[int, int], ...]:
        return tuple((best + step * level, self._size()) for level in range(_DEPTH))

    def _snapshot(self, instrument: str, ts: int) -> BookSnapshot:
        bid, ask = self.touches.get(instrument, (self.price - 1, self.price + 1))
        last = self.update_ids.get(instrument, 0) + 10
        self.update_ids[instrument] = last
        return BookSnapshot(instrument, self._levels(bid, -1), self._levels(ask, 1), ts, last)

    def _delta(self, instrument: str, ts: int) -> BookDelta:
        bid, ask = self.touches.get(instrument, (self.price - 1, self.price + 1))
        last = self.update_ids[instrument]
        first = last + (2 if self.rng.chance(1, 30) else 1)
        self.update_ids[instrument] = first + 2
        changed = ((bid - self.rng.below(3), self._size() - LOT),)
        other = ((ask + self.rng.below(3), self._size() - LOT),)
        return BookDelta(instrument, changed, other, ts, first, first + 2, last)
