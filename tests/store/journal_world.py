"""Journals made by hand, of a length that no simulation here has."""

from typing import Final

from store_world import TS

from zvt_trading.messages.codes import BUY, LIMIT, SPOT
from zvt_trading.messages.commands import Deposit, OpenPortfolio, SubmitOrder
from zvt_trading.messages.events import (
    Deposited,
    Event,
    InstrumentListed,
    OrderAccepted,
    OrderCancelled,
    OrderPlaced,
    PortfolioOpened,
)
from zvt_trading.messages.market import InstrumentSpec
from zvt_trading.messages.reasons import Reason

MONEY: Final = 10**8
INSTRUMENT: Final = "alpha:BTC/USDT"
SPEC: Final = InstrumentSpec(
    venue="alpha", symbol="BTC/USDT", kind=SPOT, base="BTC", quote="USDT", settle="USDT",
    price_scale=1, quantity_scale=3, base_scale=8, quote_scale=8, tick=1, lot=1, quantity_min=1,
)  # fmt: skip


class Diary:
    """Events in order, each numbered and a microsecond after the one before."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.orders = 0
        self._add(InstrumentListed(self.seq, self.ts, SPEC))
        self._add(PortfolioOpened(self.seq, self.ts, OpenPortfolio("main", "USDT", 8)))
        self._add(Deposited(self.seq, self.ts, Deposit("main", "alpha", "USDT", 10**9 * MONEY)))

    @property
    def seq(self) -> int:
        """The next event's number."""
        return len(self.events) + 1

    @property
    def ts(self) -> int:
        """The next event's time."""
        return TS + 1_000 * len(self.events)

    def place(self) -> str:
        """A limit order that is on its way; its id."""
        self.orders += 1
        order_id = f"{self.orders:032x}"
        request = SubmitOrder(
            "main", INSTRUMENT, BUY, LIMIT, 1_000, 1_000, client_tag=f"tag-{self.orders}"
        )
        placed = OrderPlaced(
            self.seq, self.ts, order_id, request, INSTRUMENT, False, "USDT", 100 * MONEY, 0,
            999, 1_001, "", 0, 0,
        )  # fmt: skip
        self._add(placed)
        return order_id

    def accept(self, order_id: str) -> None:
        """The venue has it."""
        self._add(OrderAccepted(self.seq, self.ts, order_id, f"v{order_id[-6:]}", self.ts))

    def cancel(self, order_id: str, filled: int = 0) -> None:
        """The venue has it no longer; of `filled` we have not been told."""
        reason = int(Reason.VENUE_CANCELLED)
        self._add(OrderCancelled(self.seq, self.ts, order_id, reason, filled, self.ts))

    def _add(self, event: Event) -> None:
        self.events.append(event)


def open_orders(count: int) -> list[Event]:
    """A journal of an engine with so many orders that work."""
    diary = Diary()
    for _ in range(count):
        diary.accept(diary.place())
    return diary.events
