"""A live venue: what the engine asks of it, and what it tells the engine.

Requests never raise for what a venue does: the outcome is in the reports (NOT_SENT, REJECTED,
ACCEPTED, and everything else is UNKNOWN). Questions that were not answered raise QueryFailedError:
a failed query is not an empty answer.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from msgspec import Struct

from zvt_trading.errors import VenueError
from zvt_trading.messages.market import InstrumentSpec, MarketData
from zvt_trading.messages.reports import Report
from zvt_trading.sim.venue_api import Answer, History


class QueryFailedError(VenueError):
    """A question was not answered, so nothing is known."""


class Listing(Struct, frozen=True, kw_only=True):
    """One symbol as a venue lists it; numbers are exact decimal texts, "" where there is no bound.

    Quantities are in the base asset (not in contracts). Fees are parts of one ("0.001").
    """

    symbol: str
    kind: int  # SPOT, LINEAR
    base: str
    quote: str
    settle: str
    tick: str
    lot: str
    quantity_min: str
    quantity_max: str = ""
    notional_min: str = ""
    price_min: str = ""
    price_max: str = ""
    maker_fee: str = "0"
    taker_fee: str = "0"
    leverage_max: int = 1


class NewOrder(Struct, frozen=True):
    """An order to be sent; prices and quantities on the symbol's scale, 0 for none.

    A market order has a `worst_price`, and goes out as an immediate-or-cancel limit order there.
    """

    order_id: str
    instrument: str
    side: int
    type: int
    price: int
    quantity: int
    tif: int
    expire_ts: int = 0
    post_only: bool = False
    reduce_only: bool = False
    worst_price: int = 0


class OrderRef(Struct, frozen=True):
    """An order that may be at the venue; `venue_order_id` is "" until the venue said it."""

    order_id: str
    venue_order_id: str
    instrument: str


class Opening(Struct, frozen=True):
    """Balances (asset, units on its scale), and the cursor of all that happens after them."""

    balances: tuple[tuple[str, int], ...]
    cursor: int


class Owner(Enum):
    """Whose an order at our account is."""

    OURS = 1
    ORPHAN = 2  # with our engine's mark, and the engine does not know it
    FOREIGN = 3


class Sink(Protocol):
    """Where a venue's news go; called from the event loop, never blocks."""

    def reported(self, venue: str, report: Report) -> None:
        """News of an order or account."""

    def market(self, message: MarketData) -> None:
        """The market moved; a VenueStatus says whether the connection can be traded on."""

    def stream_opened(self, venue: str) -> None:
        """The private stream is there (again): what happened meanwhile must be asked for."""

    def ref(self, order_id: str, venue_order_id: str) -> OrderRef | None:
        """An order of ours to ask for; None when the engine does not know it."""

    def owner(self, order_id: str) -> Owner:
        """Whose order a client order id is."""


class VenueGateway(Protocol):
    """One account at one venue. All methods belong to one event loop."""

    @property
    def venue(self) -> str:
        """Its name."""

    async def listings(self, symbols: Sequence[str]) -> list[Listing]:
        """The symbols as the venue lists them; VenueError when it cannot say or has one not."""

    async def opening(self, specs: Sequence[InstrumentSpec]) -> Opening:
        """What a new engine begins with; VenueError when it cannot be told or taken over."""

    async def open(self, specs: Sequence[InstrumentSpec], sink: Sink) -> None:
        """Begin: streams run, and reconnect, until `close`; needs no success to return."""

    async def submit(self, order: NewOrder) -> list[Report]:
        """Send an order, once."""

    async def cancel(self, order: OrderRef) -> list[Report]:
        """Take an order back; may be repeated."""

    async def amend(self, order: OrderRef, price: int, quantity: int) -> list[Report]:
        """Change price and total quantity."""

    async def set_leverage(self, instrument: str, leverage: int, mode: int) -> None:
        """Leverage and margin mode of a flat perpetual; VenueError when it was not set."""

    async def ask(self, order: OrderRef) -> Answer:
        """One order with all its fills; QueryFailedError."""

    async def history(self, cursor: int) -> History:
        """What happened since `cursor` (ns, venue time; with overlap), and how all stands now.

        QueryFailedError when any part of it was not answered.
        """

    async def close(self) -> None:
        """End the streams and connections."""
