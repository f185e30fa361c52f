"""The engine and its simulated venues in one deterministic world, under simulated time.

    feed(message)   market data: first everything due before it happens, then the venue and the core
                    see it
    command(...)    a caller's command: decided at once, its effects travel to the venues
    advance(ts)     let time pass

Messages travel over seeded links that delay, lose, duplicate and reorder them. This side keeps the
protocol of unknown outcomes: an order without an answer becomes UNKNOWN, is asked for, and is given
up only on proof of absence; cancels are repeated; fills that were lost are fetched by cursor.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final, cast, final

from zvt_trading.core.rng import Rng
from zvt_trading.core.state import Order
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codes import (
    ACCEPTED,
    AMEND_REQUESTED,
    CANCEL_REQUESTED,
    LIMIT,
    MARKET,
    NO_REQUEST,
    STOP,
    SUBMITTED,
    UNKNOWN,
)
from zvt_trading.messages.commands import CancelOrder, Command, SubmitOrder
from zvt_trading.messages.events import (
    AmendRequested,
    CancelRequested,
    Deposited,
    Event,
    LeverageSet,
    OrderPlaced,
    OrderReleased,
    Transferred,
    Withdrawn,
)
from zvt_trading.messages.market import MarketData, QuoteTick, VenueStatus
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    AbsenceProven,
    AmendFailed,
    OutcomeUnknown,
    Report,
    VenueAmended,
)
from zvt_trading.sim.cashier import Cashier
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.link import Link, LinkProfile
from zvt_trading.sim.parcels import (
    ABSENCE_AFTER,
    ANSWER_TIMEOUT,
    OUR_CHECK,
    OUR_POLL,
    POLL_EVERY,
    TO_US_ANSWER,
    TO_US_ENTRIES,
    TO_US_REPORT,
    TO_VENUE_AMEND,
    TO_VENUE_CANCEL,
    TO_VENUE_ORDER,
    TO_VENUE_POLL,
    TO_VENUE_QUERY,
    VALIDITY,
    Parcel,
    VenuePort,
)
from zvt_trading.sim.record import history_report

# What an event asks for; a table, since isinstance is slow on Structs (they have a metaclass).
_SENDS: Final = 1
_RELEASES: Final = 2
_CANCELS: Final = 3
_AMENDS: Final = 4
_MOVES: Final = 5
_EFFECTS: Final[dict[type, int]] = {
    OrderPlaced: _SENDS,
    OrderReleased: _RELEASES,
    CancelRequested: _CANCELS,
    AmendRequested: _AMENDS,
    Deposited: _MOVES,
    Withdrawn: _MOVES,
    Transferred: _MOVES,
    LeverageSet: _MOVES,
}

Subscriber = Callable[[Event], object]


@final
class Simulation:
    """One engine, its venues, one clock."""

    def __init__(self, core: TradingCore) -> None:
        self.core: Final = core
        self.now = 0
        self.ports: dict[str, VenuePort] = {}
        self.subscribers: list[Subscriber] = []
        self.journal: list[Event] | None = None  # filled when a list is given
        self.events = 0
        self.faulty = False  # any venue with a link that can lose, double or reorder something
        self._cashier: Final = Cashier(self.ports)
        self._exchanges: dict[str, SimExchange] = {}  # by instrument
        self._negatives: dict[str, int] = {}  # first answer "not here", by order
        self._amends: dict[str, int] = {}  # when the amend under way was sent, by order
        self._heap: list[tuple[int, int, Parcel]] = []
        self._sent = 0
        self._flushing = False

    def add_venue(
        self, exchange: SimExchange, outward: LinkProfile, inward: LinkProfile, rng: Rng
    ) -> None:
        """Connect a venue; `outward` is the way of our orders, `inward` that of its reports."""
        lossless = outward.keeps_all() and inward.keeps_all()
        self.ports[exchange.venue] = VenuePort(
            exchange, Link(outward, rng.fork(1)), Link(inward, rng.fork(2)), lossless
        )
        if not lossless:
            self.faulty = True
            self._push(self.now + POLL_EVERY, Parcel(OUR_POLL, exchange.venue, "", self.now))

    def submit(self, request: SubmitOrder) -> str:
        """Place an order now; returns its id."""
        order_id = self.core.submit(self.now, request)
        self.flush()
        return order_id

    def command(self, command: Command) -> str:
        """Any command, now; returns the order id it concerns, or "".

        Where a venue acts at once (money, leverage) it is asked before the engine.
        """
        refusal = "" if type(command) is CancelOrder else self._cashier.refusal(command)
        order_id = ""
        if refusal:
            self.core.refuse(self.now, command, self._cashier.reason, refusal)
        else:
            order_id = self.core.command(self.now, command)
        self.flush()
        return order_id

    def feed(self, message: MarketData) -> None:
        """The market moves."""
        if type(message) is QuoteTick:
            self.quote(message)
            return
        ts = message.ts
        if self._heap:
            self.advance(ts)
        elif ts > self.now:
            self.now = ts
        if not isinstance(message, VenueStatus):
            exchange = self._exchange_of(message.instrument)
            if exchange is not None:
                reports = exchange.on_market(ts, message)
                if reports:
                    self._send_reports(self.ports[exchange.venue], reports)
        self.core.market(message)
        if self.core.recorder.out:
            self.flush()

    def quote(self, message: QuoteTick) -> None:
        """`feed` for the most frequent message."""
        ts = message.ts
        if self._heap:
            self.advance(ts)
        elif ts > self.now:
            self.now = ts
        exchange = self._exchange_of(message.instrument)
        if exchange is not None:
            reports = exchange.on_quote(ts, message)
            if reports:
                self._send_reports(self.ports[exchange.venue], reports)
        self.core.quote(message)
        if self.core.recorder.out:
            self.flush()

    def quotes(self, quotes: list[QuoteTick], callback: Callable[[QuoteTick], object]) -> None:
        """Feed quotes in a tight loop, calling back after each."""
        for quote in quotes:
            self.quote(quote)
            callback(quote)

    def advance(self, ts: int) -> None:
        """Let time pass: everything due up to `ts` happens, in order."""
        heap = self._heap
        while heap and heap[0][0] <= ts:
            due, _, parcel = heappop(heap)
            if due > self.now:
                self.now = due
            self._arrive(parcel)
            self.flush()
        if ts > self.now:
            self.now = ts

    def tick(self) -> None:
        """The clock of the core and of the venues, now."""
        self.core.on_time(self.now)
        for port in self.ports.values():
            self._send_reports(port, port.exchange.on_time(self.now))
        self.flush()

    def settle(self, limit: int) -> bool:
        """Let time pass until nothing of ours is under way or unknown, at most for `limit` ns."""
        end = self.now + limit
        while not self.is_settled():
            due = self.next_due()
            if due < 0 or due > end:
                return self.is_settled()
            self.advance(due)
            self.tick()
        return True

    def is_settled(self) -> bool:
        """Whether no order waits for an answer, and no fill we know of is still to come."""
        for portfolio in self.core.state.portfolios.values():
            for holding in portfolio.holdings.values():
                working = 0
                for order in holding.orders.values():
                    if order.life != ACCEPTED or order.pending != NO_REQUEST:
                        return False
                    working += order.working
                if working != holding.open_buy + holding.open_sell:
                    return False  # an order ended with more filled than we were told
        return True

    def next_due(self) -> int:
        """When the next thing under way arrives; -1 when nothing is."""
        return self._heap[0][0] if self._heap else -1

    def in_flight(self) -> int:
        """How many messages and reminders are under way."""
        return len(self._heap)

    def mend_links(self) -> None:
        """The faults stop: from now on every message arrives at once."""
        for port in self.ports.values():
            port.outward = Link(LinkProfile(), Rng(0))
            port.inward = Link(LinkProfile(), Rng(0))

    def flush(self) -> None:
        """Hand events to the journal and the subscribers, and do what they ask for."""
        if self._flushing:
            return
        self._flushing = True
        # One list for ever: what an event leads to is appended while it is read.
        out = self.core.recorder.out
        done = 0
        try:
            while done < len(out):
                event = out[done]
                done += 1
                self.events += 1
                if self.journal is not None:
                    self.journal.append(event)
                self._dispatch(event)
                for subscriber in self.subscribers:
                    subscriber(event)
        finally:
            del out[:done]  # when a subscriber raised, the rest's turn comes with the next flush
            self._flushing = False

    def _dispatch(self, event: Event) -> None:
        """The effects of an event."""
        effect = _EFFECTS.get(type(event), 0)
        if effect == 0:
            return
        if effect == _SENDS:
            placed = cast(OrderPlaced, event)
            if not placed.held:
                self._send_order(placed.order_id, placed.worst_price)
        elif effect == _RELEASES:
            released = cast(OrderReleased, event)
            self._send_order(released.order_id, released.worst_price)
        elif effect == _CANCELS:
            order_id = cast(CancelRequested, event).order_id
            self._send_request(TO_VENUE_CANCEL, order_id, 0, 0)
        elif effect == _AMENDS:
            amend = cast(AmendRequested, event)
            self._send_request(TO_VENUE_AMEND, amend.order_id, amend.price, amend.quantity)
        else:
            self._cashier.carry_out(event, self.now)

    def _send_order(self, order_id: str, worst_price: int) -> None:
        order = self.core.state.orders[order_id]
        port = self.ports[order.instrument.venue]
        if port.outward.is_instant and not self._heap:
            self._send_reports(port, self._submit_to(port.exchange, order, worst_price))
            return
        parcel = Parcel(TO_VENUE_ORDER, order.instrument.venue, order_id, self.now)
        parcel.worst_price = worst_price
        self._post(port.outward, parcel)
        if not port.lossless:
            self._remind(parcel, ANSWER_TIMEOUT)

    def _send_request(self, kind: int, order_id: str, price: int, quantity: int) -> None:
        order = self.core.state.orders[order_id]
        port = self.ports[order.instrument.venue]
        if port.outward.is_instant and not self._heap:
            if kind == TO_VENUE_CANCEL:
                self._send_reports(port, port.exchange.cancel(self.now, order_id))
            else:
                reports = port.exchange.amend(self.now, order_id, price, quantity)
                self._send_reports(port, reports)
            return
        parcel = Parcel(kind, order.instrument.venue, order_id, self.now)
        parcel.price = price
        parcel.quantity = quantity
        self._post(port.outward, parcel)
        if not port.lossless:
            if kind == TO_VENUE_AMEND:
                self._amends[order_id] = self.now
            self._remind(parcel, ANSWER_TIMEOUT)

    def _post(self, link: Link, parcel: Parcel) -> None:
        """Put a message on a link; it arrives never, once or twice, at the times the link says."""
        if link.is_instant and not self._heap:
            self._arrive(parcel)
            return
        for due in link.send(self.now):
            self._push(due, parcel)

    def _push(self, due: int, parcel: Parcel) -> None:
        self._sent += 1
        heappush(self._heap, (due, self._sent, parcel))

    def _remind(self, about: Parcel, delay: int) -> None:
        check = Parcel(OUR_CHECK, about.venue, about.order_id, about.ts)
        check.count = about.count + 1
        self._push(self.now + delay, check)

    def _exchange_of(self, instrument: str) -> SimExchange | None:
        """The simulated venue of an instrument; None when it is not simulated here."""
        found = self._exchanges.get(instrument)
        if found is None:
            port = self.ports.get(instrument[: instrument.index(":")])
            if port is None:
                return None
            found = port.exchange
            self._exchanges[instrument] = found
        return found

    def _send_reports(self, port: VenuePort, reports: list[Report]) -> None:
        for report in reports:
            if port.inward.is_instant and not self._heap:
                self.core.report(self.now, report)
            else:
                parcel = Parcel(TO_US_REPORT, port.exchange.venue, "", self.now)
                parcel.report = report
                self._post(port.inward, parcel)

    def _arrive(self, parcel: Parcel) -> None:
        """A message reaches its end."""
        kind = parcel.kind
        if kind == TO_US_REPORT:
            if parcel.report is not None:
                self.core.report(self.now, parcel.report)
        elif kind <= TO_VENUE_POLL:
            self._arrive_at_venue(parcel, self.ports[parcel.venue])
        elif kind == TO_US_ANSWER:
            self._answered(parcel)
        elif kind == TO_US_ENTRIES:
            for report in parcel.reports:
                self.core.report(self.now, report)
            self.ports[parcel.venue].cursor = max(self.ports[parcel.venue].cursor, parcel.count)
        elif kind == OUR_CHECK:
            self._check(parcel)
        else:
            self._poll(parcel)

    def _arrive_at_venue(self, parcel: Parcel, port: VenuePort) -> None:
        """The venue acts on a request, unless the request is too old."""
        kind = parcel.kind
        exchange = port.exchange
        if kind == TO_VENUE_QUERY:
            self._answer(parcel, port)
        elif kind == TO_VENUE_POLL:
            self._send_entries(parcel, port)
        elif self.now - parcel.ts > VALIDITY:
            return
        elif kind == TO_VENUE_ORDER:
            order = self.core.state.orders[parcel.order_id]
            self._send_reports(port, self._submit_to(exchange, order, parcel.worst_price))
        elif kind == TO_VENUE_CANCEL:
            self._send_reports(port, exchange.cancel(self.now, parcel.order_id))
        else:
            self._send_reports(
                port,
                exchange.amend(self.now, parcel.order_id, parcel.price, parcel.quantity),
            )

    def _submit_to(self, exchange: SimExchange, order: Order, worst_price: int) -> list[Report]:
        terms = order.terms
        order_type = order.type
        if order.triggered:  # held here, sent because it fired
            order_type = MARKET if order.is_market() else LIMIT
        return exchange.submit(
            self.now, order.id, order.holding.portfolio.name, order.instrument.id, order.side,
            order_type, order.price, order.quantity, order.tif, terms.expire_ts,
            terms.post_only, terms.reduce_only, worst_price,
            order.trigger_price if order_type >= STOP else 0, terms.trigger_by,
        )  # fmt: skip

    # Unknown outcomes: resolved by evidence, never by a timer.

    def _check(self, parcel: Parcel) -> None:
        """Time to look whether a request was answered: if not, cancel again, and ask."""
        order = self.core.state.orders.get(parcel.order_id)
        if order is not None and order.life == SUBMITTED:
            self.core.report(self.now, OutcomeUnknown(order.id, "no answer", self.now))
        if order is None or (order.life != UNKNOWN and order.pending == NO_REQUEST):
            self._negatives.pop(parcel.order_id, 0)
            self._amends.pop(parcel.order_id, 0)
            return
        if order.pending == CANCEL_REQUESTED:
            cancel = Parcel(TO_VENUE_CANCEL, parcel.venue, order.id, self.now)
            self._post(self.ports[parcel.venue].outward, cancel)
        query = Parcel(TO_VENUE_QUERY, parcel.venue, order.id, self.now)
        query.since = parcel.ts
        self._post(self.ports[parcel.venue].outward, query)
        self._remind(parcel, ANSWER_TIMEOUT * min(parcel.count + 1, 8))

    def _answer(self, parcel: Parcel, port: VenuePort) -> None:
        """The venue answers a query with the order's state and fills; empty when it has it not."""
        exchange = port.exchange
        answer = Parcel(TO_US_ANSWER, parcel.venue, parcel.order_id, self.now)
        answer.since = parcel.since
        order = exchange.order(parcel.order_id)
        found = exchange.query(parcel.order_id)
        if order is not None and found is not None:
            answer.reports.append(found)
            for fill in exchange.fills_of(parcel.order_id):
                answer.reports.append(fill)
            answer.price = order.price
            answer.quantity = order.quantity
        self._post(port.inward, answer)

    def _answered(self, parcel: Parcel) -> None:
        """What a query found is taken through the same idempotent path as every report."""
        order = self.core.state.orders.get(parcel.order_id)
        if order is None:
            return
        if not parcel.reports:
            self._absent(order, parcel)
            return
        for report in parcel.reports:
            self.core.report(self.now, report)
        if order.pending == AMEND_REQUESTED:
            self._amend_answered(order, parcel)

    def _amend_answered(self, order: Order, parcel: Parcel) -> None:
        """The terms the venue works on: the new ones, or the old ones once no amend can come."""
        asked = self._amends.get(order.id, self.now)
        if parcel.ts <= asked:
            return  # it was answered before we asked for the amend
        if parcel.price != order.price or parcel.quantity != order.quantity:
            self.core.report(
                self.now, VenueAmended(order.id, parcel.price, parcel.quantity, parcel.ts)
            )
        elif parcel.ts - asked > VALIDITY or order.filled >= order.quantity:
            self.core.report(
                self.now,
                AmendFailed(order.id, int(Reason.NOT_SENT), "the venue never had it", parcel.ts),
            )

    def _absent(self, order: Order, parcel: Parcel) -> None:
        """A negative answer; two of them, spaced and after the validity window, are proof."""
        if order.life != UNKNOWN or parcel.ts - parcel.since <= ABSENCE_AFTER:
            return
        first = self._negatives.get(order.id, 0)
        if first == 0:
            self._negatives[order.id] = parcel.ts
        elif parcel.ts - first >= ANSWER_TIMEOUT:
            self._negatives.pop(order.id, 0)
            self.core.report(self.now, AbsenceProven(order.id, "two negatives", parcel.ts))

    def _poll(self, parcel: Parcel) -> None:
        """Fetch by cursor what the stream may have lost: what became of orders, funding, ..."""
        port = self.ports[parcel.venue]
        request = Parcel(TO_VENUE_POLL, parcel.venue, "", self.now)
        request.count = port.cursor
        self._post(port.outward, request)
        self._push(self.now + POLL_EVERY, Parcel(OUR_POLL, parcel.venue, "", self.now))

    def _send_entries(self, parcel: Parcel, port: VenuePort) -> None:
        record = port.exchange.record
        answer = Parcel(TO_US_ENTRIES, parcel.venue, "", self.now)
        answer.count = record.seq
        for row in record.since(parcel.count):
            report = history_report(row)
            if report is not None:
                answer.reports.append(report)
        self._post(port.inward, answer)
