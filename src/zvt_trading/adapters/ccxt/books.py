"""Order books in sequence: a gap makes a book invalid until a snapshot.

The rules are the exchanges' (PROTOCOLS 7): Binance spot `U <= last + 1 <= u` for the first update
after a snapshot, then `U == last + 1`; Binance futures `pu == last`; OKX `prevSeqId == last`; the
others number their updates themselves, or a frame's gap was seen by its dialect.
"""

from typing import Final

from zvt_trading.adapters.ccxt.views import BookView

BUFFERED_MAX: Final = 1_000
"""Updates kept while a snapshot is on its way; more mean that none will come."""


class BookSequence:
    """One symbol's book. `take` returns what may be shown; `is_valid` says whether it stands."""

    def __init__(self) -> None:
        self.is_valid = False
        self._last = 0
        self._is_first = True
        self._buffer: list[BookView] = []

    def take(self, view: BookView) -> list[BookView]:
        """A snapshot or an update; [] when it must wait, is old, or a gap was seen."""
        if view.is_snapshot:
            return self._snapshot(view)
        if not self.is_valid:
            if len(self._buffer) < BUFFERED_MAX:
                self._buffer.append(view)
            return []
        return self._update(view)

    def lose(self) -> None:
        """Something was missed: wait for a snapshot."""
        self.is_valid = False
        self._buffer.clear()

    def _snapshot(self, view: BookView) -> list[BookView]:
        self._last = view.last_id
        self._is_first = True
        self.is_valid = True
        shown = [view]
        waiting = self._buffer
        self._buffer = []
        for update in waiting:
            shown.extend(self._update(update))
            if not self.is_valid:
                return []
        return shown

    def _update(self, view: BookView) -> list[BookView]:
        is_reset = view.last_id < view.previous_id == self._last  # OKX begins its numbers anew
        if 0 <= view.last_id <= self._last and not is_reset:
            return []  # older than what we have, or a keep-alive
        if not self._follows(view):
            self.lose()
            return []
        self._is_first = False
        self._last = view.last_id
        return [view]

    def _follows(self, view: BookView) -> bool:
        if view.last_id < 0:
            return True  # it has no numbers of its own
        if self._is_first and view.first_id >= 0:
            # Ids of Binance futures have holes: what follows the snapshot may begin beyond one.
            return view.first_id <= self._last + 1 or view.previous_id == self._last
        if view.previous_id >= 0:
            return view.previous_id == self._last
        return view.first_id == self._last + 1
