"""The engine's side of a live venue: what it asks goes to the event loop, answers to an inbox.

Requests are made on the engine's thread and return at once. What comes of them is given to `post`,
from the event loop.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import structlog

from zvt_trading.core.state import State
from zvt_trading.messages.codes import GTC, TRIGGER_QUOTE
from zvt_trading.messages.market import MarketData, QuoteTick
from zvt_trading.messages.reports import Report
from zvt_trading.ports.venue import NewOrder, OrderRef, QueryFailedError, VenueGateway
from zvt_trading.sim.remote import answered, history_came
from zvt_trading.sim.simulation import Simulation
from zvt_trading.sim.venue_api import Answer, History, VenueApi

News = Callable[[Simulation], object]
"""Something that a venue said, to be taken by the engine's thread."""

_NOTHING: Final[list[Report]] = []

_log = structlog.get_logger("zvt_trading.live")


class LiveVenue(VenueApi):
    """See the module. `spawn` begins a coroutine on the event loop."""

    def __init__(
        self,
        gateway: VenueGateway,
        state: State,
        spawn: Callable[[Coroutine[Any, Any, object]], None],
        post: Callable[[News], None],
    ) -> None:
        super().__init__(gateway.venue, is_remote=True)
        self.gateway = gateway
        self._state = state
        self._spawn = spawn
        self._post = post
        self._asked: set[str] = set()  # orders that are being asked for
        self._cancelled: set[str] = set()  # orders that are being cancelled
        self._is_reading = False
        self.readings = 0  # of the history, answered

    # Requests.

    def submit(
        self,
        now: int,
        order_id: str,
        account: str,
        instrument_id: str,
        side: int,
        order_type: int,
        price: int,
        quantity: int,
        tif: int = GTC,
        expire_ts: int = 0,
        post_only: bool = False,
        reduce_only: bool = False,
        worst_price: int = 0,
        trigger_price: int = 0,
        trigger_by: int = TRIGGER_QUOTE,
    ) -> list[Report]:
        """Send an order; stops are held by the engine, so it has no trigger."""
        order = NewOrder(
            order_id, instrument_id, side, order_type, price, quantity, tif, expire_ts, post_only,
            reduce_only, worst_price,
        )  # fmt: skip
        self._spawn(self._requested(lambda: self.gateway.submit(order)))
        return []

    def cancel(self, now: int, order_id: str) -> list[Report]:
        """Send a cancel; once at a time."""
        if order_id not in self._cancelled:
            self._cancelled.add(order_id)
            self._spawn(self._cancel(self._ref(order_id)))
        return []

    def amend(self, now: int, order_id: str, price: int, quantity: int) -> list[Report]:
        """Send an amend."""
        ref = self._ref(order_id)
        self._spawn(self._requested(lambda: self.gateway.amend(ref, price, quantity)))
        return []

    # Questions.

    def ask(self, now: int, order_id: str, since: int) -> None:
        """Ask for one order; once at a time."""
        if order_id in self._state.orders and order_id not in self._asked:
            self._asked.add(order_id)
            self._spawn(self._ask(self._ref(order_id), now, since))

    def read(self, now: int, cursor: int) -> None:
        """Read the history; once at a time."""
        if not self._is_reading:
            self._is_reading = True
            self._spawn(self._read(now, cursor))

    # What no live venue is told: its market moves by itself, its money by its owner's hand.

    def on_market(self, now: int, message: MarketData) -> list[Report]:
        """Nothing."""
        return _NOTHING

    def on_quote(self, now: int, message: QuoteTick) -> list[Report]:
        """Nothing."""
        return _NOTHING

    def on_time(self, now: int) -> list[Report]:
        """Nothing."""
        return _NOTHING

    def free(self, account: str, asset: str) -> int:
        """What the books say: a withdrawal that is booked here was made there before."""
        balance = self._state.ledger.find(account, self.venue, asset)
        return balance.available() if balance is not None else 0

    def is_flat(self, account: str, instrument_id: str) -> bool:
        """The engine's own check is the one that counts."""
        return True

    def credit(self, account: str, asset: str, amount: int, now: int = 0, key: str = "") -> None:
        """Nothing: it was booked here because it happened there."""

    def debit(self, account: str, asset: str, amount: int, now: int = 0, key: str = "") -> bool:
        """As `credit`."""
        return True

    def set_leverage(self, account: str, instrument_id: str, leverage: int, mode: int) -> bool:
        """Set it there too."""
        self._spawn(self.gateway.set_leverage(instrument_id, leverage, mode))
        return True

    def _ref(self, order_id: str) -> OrderRef:
        order = self._state.orders[order_id]
        return OrderRef(order_id, order.venue_order_id, order.instrument.id)

    async def _requested(self, request: Callable[[], Awaitable[list[Report]]]) -> None:
        for report in await request():
            self._post(_report(report))

    async def _cancel(self, ref: OrderRef) -> None:
        try:
            await self._requested(lambda: self.gateway.cancel(ref))
        finally:
            self._cancelled.discard(ref.order_id)

    async def _ask(self, ref: OrderRef, asked: int, since: int) -> None:
        try:
            answer = await self.gateway.ask(ref)
        except QueryFailedError as error:
            _log.warning("a venue did not answer about an order", venue=self.venue, why=str(error))
        else:
            self._post(_answer(self.venue, ref.order_id, asked, since, answer))
        finally:
            self._asked.discard(ref.order_id)

    async def _read(self, asked: int, cursor: int) -> None:
        try:
            history = await self.gateway.history(cursor)
        except QueryFailedError as error:
            _log.warning(
                "a venue did not answer about its history", venue=self.venue, why=str(error)
            )
        else:
            history.asked = asked
            self.readings += 1
            self._post(_history(self.venue, history))
        finally:
            self._is_reading = False


def _report(report: Report) -> News:
    return lambda simulation: simulation.reported(report)


def _answer(venue: str, order_id: str, asked: int, since: int, answer: Answer) -> News:
    return lambda simulation: answered(simulation, venue, order_id, asked, since, answer)


def _history(venue: str, history: History) -> News:
    return lambda simulation: history_came(simulation, venue, history)
