"""A book as a stream service keeps it: small, and only as deep as it is asked to be shown.

Sequences were checked where the updates came in; here they are only applied.
"""

from typing import Final, NamedTuple

from zvt_trading.messages.market import BookDelta, BookInvalid, BookSnapshot

Levels = tuple[tuple[int, int], ...]


class Top(NamedTuple):
    """The best level of each side; 0 where a side is empty."""

    bid: int
    bid_size: int
    ask: int
    ask_size: int


class StreamBook:
    """One instrument's levels by price. `is_valid` is False from a gap to the next snapshot."""

    def __init__(self, instrument: str) -> None:
        self.instrument: Final = instrument
        self.is_valid = False
        self.update_id = 0
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}

    def apply(self, message: BookSnapshot | BookDelta | BookInvalid) -> None:
        """The next message of the book's stream; a delta of an invalid book is left out."""
        if isinstance(message, BookDelta):
            if self.is_valid:
                _change(self._bids, message.bids)
                _change(self._asks, message.asks)
                self.update_id = message.last_id
        elif isinstance(message, BookSnapshot):
            self._bids = {price: size for price, size in message.bids if size}
            self._asks = {price: size for price, size in message.asks if size}
            self.update_id = message.update_id
            self.is_valid = True
        else:
            self.is_valid = False

    def snapshot(self, ts: int) -> BookSnapshot:
        """The book as it stands, from which deltas that follow go on."""
        bids = tuple(sorted(self._bids.items(), reverse=True))
        asks = tuple(sorted(self._asks.items()))
        return BookSnapshot(self.instrument, bids, asks, ts, self.update_id)

    def top(self) -> Top:
        """The best prices."""
        bid = max(self._bids, default=0)
        ask = min(self._asks, default=0)
        return Top(bid, self._bids.get(bid, 0), ask, self._asks.get(ask, 0))


def _change(side: dict[int, int], levels: Levels) -> None:
    for price, size in levels:
        if size:
            side[price] = size
        else:
            side.pop(price, None)
