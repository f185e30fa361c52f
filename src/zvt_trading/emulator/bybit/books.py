"""Order books in the public stream.

A topic "orderbook.50.BTCUSDT" carries the best 50 levels of each side: a snapshot, then what
changed in them; `u` rises by one with every message. A snapshot at any time, and one with `u` 1
after a restart of the exchange's service, begins anew:
https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook.
"""

from typing import Final

from zvt_trading.emulator.bybit.market import level_rows
from zvt_trading.emulator.bybit.shapes import Row
from zvt_trading.emulator.bybit.symbols import native
from zvt_trading.emulator.clock import NS_A_MS
from zvt_trading.emulator.feed import SymbolFeed
from zvt_trading.messages.codes import BUY, SELL

DEPTHS: Final = (1, 50, 200, 1_000)
_FIRST: Final = 2  # an `u` of 1 says that the service was restarted


class BookTopic:
    """What subscribers of one topic have been told."""

    def __init__(self, feed: SymbolFeed, depth: int) -> None:
        self.topic: Final = f"orderbook.{depth}.{native(feed.instrument)}"
        self.instrument: Final = feed.instrument
        self.depth: Final = depth
        self.update_id = max(feed.last_id, _FIRST)
        self._feed: Final = feed
        self._bids = dict(feed.levels(BUY, depth))
        self._asks = dict(feed.levels(SELL, depth))

    def snapshot(self, now_ms: int) -> Row:
        """For a new subscriber."""
        bids = sorted(self._bids.items(), reverse=True)
        return self._frame("snapshot", bids, sorted(self._asks.items()), now_ms, now_ms)

    def delta(self, ts: int, now_ms: int) -> Row | None:
        """What changed since the last message; None when nothing did."""
        bids = dict(self._feed.levels(BUY, self.depth))
        asks = dict(self._feed.levels(SELL, self.depth))
        changed_bids, changed_asks = _changes(self._bids, bids), _changes(self._asks, asks)
        if not changed_bids and not changed_asks:
            return None
        self._bids, self._asks = bids, asks
        self.update_id += 1
        return self._frame("delta", changed_bids, changed_asks, now_ms, ts // NS_A_MS)

    def restart(self, now_ms: int) -> Row:
        """As after a restart of the service: a snapshot with `u` 1."""
        self._bids = dict(self._feed.levels(BUY, self.depth))
        self._asks = dict(self._feed.levels(SELL, self.depth))
        self.update_id = 1
        return self.snapshot(now_ms)

    def _frame(
        self,
        kind: str,
        bids: list[tuple[int, int]],
        asks: list[tuple[int, int]],
        now_ms: int,
        made_ms: int,
    ) -> Row:
        return {
            "topic": self.topic,
            "type": kind,
            "ts": now_ms,
            "data": {
                "s": native(self.instrument),
                "b": level_rows(self.instrument, bids),
                "a": level_rows(self.instrument, asks),
                "u": self.update_id,
                "seq": self._feed.last_id,
            },
            "cts": made_ms,
        }


def _changes(before: dict[int, int], after: dict[int, int]) -> list[tuple[int, int]]:
    """Levels that are new, changed or gone (size 0)."""
    changed = [(price, size) for price, size in after.items() if before.get(price) != size]
    changed += [(price, 0) for price in before if price not in after]
    return changed
