"""What travels between the engine and a simulated venue, and how long each side waits for it."""

from typing import Final, final

from zvt_trading.core.state import Order
from zvt_trading.core.units import SECOND
from zvt_trading.messages.reports import Report
from zvt_trading.sim.link import Link
from zvt_trading.sim.venue_api import Answer, History, VenueApi

# What travels.
TO_VENUE_ORDER: Final = 0
TO_VENUE_CANCEL: Final = 1
TO_VENUE_AMEND: Final = 2
TO_VENUE_QUERY: Final = 3
TO_VENUE_POLL: Final = 4
TO_US_REPORT: Final = 5
TO_US_ANSWER: Final = 6
TO_US_ENTRIES: Final = 7
OUR_CHECK: Final = 8
OUR_POLL: Final = 9

ANSWER_TIMEOUT: Final = SECOND
"""How long an order may be without an answer before it is UNKNOWN."""
VALIDITY: Final = 5 * SECOND
"""A request that reaches the venue later than this is refused there (as recvWindow does)."""
ABSENCE_AFTER: Final = VALIDITY + SECOND
"""Absence is only believed this long after the send, twice, a timeout apart."""
POLL_EVERY: Final = 10 * SECOND
"""How often a venue's history is fetched by cursor: whatever a stream lost is found by then."""


@final
class Timing:
    """How long one venue is waited for (nanoseconds); simulated venues have the usual ones."""

    def __init__(
        self,
        answer_timeout: int = ANSWER_TIMEOUT,
        validity: int = VALIDITY,
        absence_after: int = ABSENCE_AFTER,
        poll_every: int = POLL_EVERY,
        check_every: int = ANSWER_TIMEOUT,
    ) -> None:
        self.answer_timeout: Final = answer_timeout  # then an outcome is unknown
        self.check_every: Final = check_every  # and asked for, this often at first
        self.validity: Final = validity
        self.absence_after: Final = absence_after
        self.poll_every: Final = poll_every


USUAL: Final = Timing()


@final
class Parcel:
    """One message under way, or a reminder to ourselves."""

    def __init__(self, kind: int, venue: str, order_id: str, ts: int) -> None:
        self.kind: Final = kind
        self.venue: Final = venue
        self.order_id: Final = order_id
        self.ts: Final = ts  # when it was sent; of a reminder: when what it is about was sent
        self.since = 0  # of a query and its answer: when what they are about was sent
        self.price = 0
        self.quantity = 0
        self.count = 0
        self.worst_price = 0
        self.order: Order | None = None  # of a request to place it: as it was sent
        self.report: Report | None = None
        self.answer: Answer | None = None
        self.history: History | None = None


@final
class VenuePort:
    """A venue and the two links to it."""

    def __init__(
        self,
        exchange: VenueApi,
        outward: Link,
        inward: Link,
        lossless: bool,
        timing: Timing = USUAL,
    ) -> None:
        self.exchange: Final = exchange
        self.timing: Final = timing
        self.is_remote: Final = exchange.is_remote
        self.outward = outward
        self.inward = inward
        self.lossless: Final = lossless  # everything arrives, once and in order
        self.is_read = False  # its history was read since this process began
        self.differs = 0  # how often in a row its books were not ours
