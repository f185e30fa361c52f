"""An exact L2 order book of one instrument: two price-indexed ladders.

A ladder keeps the sizes of a window of ticks around the touch in a list, so that changing a level
is one list access. Levels outside (real books have some at a tenth of the price) are in a dict, and
so are prices off the tick grid. The window moves when the touch leaves its middle; that costs one
pass over it, once in thousands of ticks of movement.

Sequencing. A snapshot carries the venue's last update id L (0: it has none, the next delta is taken
as it is). A delta that ends before it is STALE. The first one must reach L, each later one must
follow on; otherwise there is a GAP and the book is invalid until the next snapshot.

- Binance spot: the first has first <= L+1 <= last, later ones first = last of the one before + 1.
  https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
- Binance futures (and all that send the previous id): the first has first <= L <= last or follows L
  directly, later ones name the last of the one before as previous.
  https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
- Feeds without ids (all 0) are applied as they come.
"""

from collections.abc import Sequence
from typing import Final, final

from zvt_trading.messages.codes import BUY, SELL

APPLIED: Final = 0
STALE: Final = 1
GAP: Final = 2

_WINDOW: Final = 1 << 15
_HALF: Final = _WINDOW // 2
_QUARTER: Final = _WINDOW // 4


@final
class Ladder:
    """One side of a book. `sign` is +1 for bids (highest is best), -1 for asks."""

    def __init__(self, sign: int, tick: int) -> None:
        self.sign: Final = sign
        self.tick: Final = tick
        self.best = 0  # price; 0: empty
        self.best_size = 0
        self._sizes: list[int] = [0] * _WINDOW
        self._origin = 0  # price of slot 0, on the tick grid
        self._inside = 0  # levels in the window
        self._outside: dict[int, int] = {}  # worse than the window's, or off the grid
        self._has_odd = False  # there have been prices off the grid

    def clear(self) -> None:
        """Forget all levels."""
        if self._inside:
            self._sizes = [0] * _WINDOW
        self._inside = 0
        self._outside = {}
        self._has_odd = False
        self.best = 0
        self.best_size = 0

    def load(self, levels: Sequence[tuple[int, int]]) -> None:
        """Replace all levels, given in any order."""
        self.clear()
        best = 0
        best_size = 0
        for price, size in levels:
            if size and (best == 0 or self.sign * (price - best) > 0):
                best = price
                best_size = size
        if best:
            self.set(best, best_size)  # first, so that the window is placed once
        for price, size in levels:
            self.set(price, size)

    def size_at(self, price: int) -> int:
        """Size at a price, 0 when there is none."""
        offset = price - self._origin
        slot = offset // self.tick
        if 0 <= slot < _WINDOW and slot * self.tick == offset:
            return self._sizes[slot]
        return self._outside.get(price, 0)

    def set(self, price: int, size: int) -> None:
        """Set a level's size; 0 removes it."""
        best = self.best
        if best == 0 and size:
            self._recentre(price)
        tick = self.tick
        offset = price - self._origin
        slot = offset // tick
        if 0 <= slot < _WINDOW and slot * tick == offset:
            before = self._sizes[slot]
            self._sizes[slot] = size
            if size:
                if not before:
                    self._inside += 1
            elif before:
                self._inside -= 1
        elif size:
            self._outside[price] = size
            if slot * tick != offset:
                self._has_odd = True
        else:
            self._outside.pop(price, 0)
        if price == best:
            self.best_size = size
            if size == 0:
                self._find_best()
        elif size and (best == 0 or self.sign * (price - best) > 0):
            self.best = price
            self.best_size = size
            if not 0 <= slot < _WINDOW:
                self._recentre(price)

    def levels(self, count: int) -> list[tuple[int, int]]:
        """Up to `count` (price, size), best first."""
        found: list[tuple[int, int]] = []
        if self.best == 0 or count <= 0:
            return found
        outside: list[int] = []
        if self._has_odd:
            outside = sorted(self._outside, reverse=self.sign > 0)
        at = 0
        left = self._inside
        slot = (self.best - self._origin) // self.tick
        step = -self.sign
        while left and len(found) < count:
            size = self._sizes[slot]
            if size:
                price = self._origin + slot * self.tick
                while at < len(outside) and self.sign * (outside[at] - price) > 0:
                    found.append((outside[at], self._outside[outside[at]]))
                    at += 1
                found.append((price, size))
                left -= 1
            slot += step
        if len(found) < count and self._outside and not self._has_odd:
            outside = sorted(self._outside, reverse=self.sign > 0)
        while at < len(outside) and len(found) < count:
            found.append((outside[at], self._outside[outside[at]]))
            at += 1
        return found[:count]

    def sweep(self, quantity: int, limit_price: int) -> tuple[int, int]:
        """(filled, sum of price x quantity) for a taker of `quantity`, not beyond `limit_price`."""
        if (
            self.best
            and self.best_size >= quantity
            and (limit_price == 0 or self.sign * (self.best - limit_price) >= 0)
        ):
            return quantity, quantity * self.best
        filled = 0
        total = 0
        depth = 16
        levels = self.levels(depth)
        at = 0
        while filled < quantity:
            if at == len(levels):
                if len(levels) < depth:
                    break
                depth *= 4
                levels = self.levels(depth)
                continue
            price, size = levels[at]
            if limit_price and self.sign * (price - limit_price) < 0:
                break
            taken = min(size, quantity - filled)
            filled += taken
            total += price * taken
            at += 1
        return filled, total

    def _find_best(self) -> None:
        """The best level is gone: the next one in the window, or else outside it."""
        best = 0
        size = 0
        slot = 0
        if self._inside:
            slot = (self.best - self._origin) // self.tick
            step = -self.sign
            while self._sizes[slot] == 0:
                slot += step
            best = self._origin + slot * self.tick
            size = self._sizes[slot]
        if self._outside and (best == 0 or self._has_odd):
            nearest = max(self._outside) if self.sign > 0 else min(self._outside)
            if best == 0 or self.sign * (nearest - best) > 0:
                best = nearest
                size = self._outside[nearest]
        self.best = best
        self.best_size = size
        if self._outside:
            # The window should hold what is behind the touch.
            depth = slot if self.sign > 0 else _WINDOW - 1 - slot
            if self._inside == 0 or depth < _QUARTER:
                self._recentre(best)

    def _recentre(self, price: int) -> None:
        """Move the window so that `price` is in its middle."""
        kept: dict[int, int] = self._outside
        tick = self.tick
        if self._inside:
            for slot in range(_WINDOW):
                if self._sizes[slot]:
                    kept[self._origin + slot * tick] = self._sizes[slot]
            self._sizes = [0] * _WINDOW
        self._origin = (price // tick - _HALF) * tick
        self._inside = 0
        self._outside = {}
        self._has_odd = False
        for level, size in kept.items():
            offset = level - self._origin
            slot = offset // tick
            if slot * tick != offset:
                self._outside[level] = size
                self._has_odd = True
            elif 0 <= slot < _WINDOW:
                self._sizes[slot] = size
                self._inside += 1
            else:
                self._outside[level] = size


@final
class OrderBook:
    """Both sides, with the venue's sequencing. Prices and sizes on the symbol's scale."""

    def __init__(self, tick: int) -> None:
        self.tick: Final = tick
        self.valid = False
        self.update_id = 0
        self._bids: Final = Ladder(BUY, tick)
        self._asks: Final = Ladder(SELL, tick)
        self._started = False  # a delta was applied since the snapshot

    def apply_snapshot(
        self, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]], update_id: int
    ) -> None:
        """Start anew from a whole book, its levels in any order."""
        self._bids.load(bids)
        self._asks.load(asks)
        self.update_id = update_id
        self.valid = True
        self._started = False

    def apply_delta(
        self,
        bids: Sequence[tuple[int, int]],
        asks: Sequence[tuple[int, int]],
        first_id: int,
        last_id: int,
        previous_id: int,
    ) -> int:
        """Change levels; APPLIED, STALE (ignored) or GAP (now invalid)."""
        if not self.valid:
            return GAP
        if last_id:
            place = self._place(first_id, last_id, previous_id)
            if place != APPLIED:
                if place == GAP:
                    self.invalidate()
                return place
            self.update_id = last_id
            self._started = True
        for price, size in bids:
            self._bids.set(price, size)
        for price, size in asks:
            self._asks.set(price, size)
        return APPLIED

    def invalidate(self) -> None:
        """The book must not be used until the next snapshot."""
        self.valid = False

    def set_level(self, side: int, price: int, size: int) -> None:
        """Set one level (0 removes it); only a snapshot makes an invalid book valid."""
        self._side(side).set(price, size)

    def best_bid(self) -> int:
        """Highest bid, 0 when there is none."""
        return self._bids.best

    def best_bid_size(self) -> int:
        """Size at the highest bid."""
        return self._bids.best_size

    def best_ask(self) -> int:
        """Lowest ask, 0 when there is none."""
        return self._asks.best

    def best_ask_size(self) -> int:
        """Size at the lowest ask."""
        return self._asks.best_size

    def size_at(self, side: int, price: int) -> int:
        """Size of a level, 0 when there is none."""
        return self._side(side).size_at(price)

    def levels(self, side: int, count: int) -> list[tuple[int, int]]:
        """Up to `count` levels of bids (BUY) or asks (SELL), best first."""
        return self._side(side).levels(count)

    def sweep(self, side: int, quantity: int, limit_price: int) -> tuple[int, int]:
        """(filled, sum of price x quantity) of a taker on `side`; `limit_price` 0: no limit."""
        return self._side(-side).sweep(quantity, limit_price)

    def crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        return self._bids.best >= self._asks.best > 0

    def _side(self, side: int) -> Ladder:
        return self._bids if side == BUY else self._asks

    def _place(self, first_id: int, last_id: int, previous_id: int) -> int:
        """Where a delta stands in the sequence."""
        current = self.update_id
        if previous_id == current or (current == 0 and not self._started):
            return APPLIED
        if previous_id >= 0 and not self._started:
            if last_id < current:
                return STALE
            return APPLIED if first_id <= current else GAP
        if last_id <= current:
            return STALE
        if previous_id >= 0:
            return GAP
        if self._started:
            return APPLIED if first_id == current + 1 else GAP
        return APPLIED if first_id <= current + 1 else GAP
