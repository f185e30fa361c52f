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

from zvt_trading.core.journal import Journal
from zvt_trading.core.rng import Rng
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.commands import CancelOrder, Command, SubmitOrder
from zvt_trading.messages.events import (
    AmendRequested,
    CancelRequested,
    Event,
    OrderPlaced,
    OrderReleased,
)
from zvt_trading.messages.market import MarketData, QuoteTick, VenueStatus
from zvt_trading.messages.reports import OutcomeUnknown, Report
from zvt_trading.sim.cashier import Cashier
from zvt_trading.sim.effects import AMENDS, CANCELS, EFFECTS, RELEASES, SENDS
from zvt_trading.sim.inquiry import Inquiry
from zvt_trading.sim.link import Link, LinkProfile
from zvt_trading.sim.outage import Outage
from zvt_trading.sim.parcels import (
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
    Timing,
    VenuePort,
)
from zvt_trading.sim.restart import Restart, is_settled
from zvt_trading.sim.sending import deliver, submit_to
from zvt_trading.sim.venue_api import VenueApi

Subscriber = Callable[[Event], object]


@final
class Simulation:
    """One engine, its venues, one clock."""

    def __init__(self, core: TradingCore) -> None:
        self.core: Final = core
        self.now = 0
        self.ports: dict[str, VenuePort] = {}
        self.subscribers: list[Subscriber] = []
        self.journal: Journal | None = None  # with one, nothing leaves before it is durable
        self.events = 0
        self.faulty = False  # any venue with a link that can lose, double or reorder something
        self.inquiry: Final = Inquiry(core)
        self.restart: Final = Restart(core, self.ports)
        self._cashier: Final = Cashier(self.ports)
        self.outage: Final = Outage(core, self._cashier)
        self._exchanges: dict[str, VenueApi] = {}  # by instrument
        self._heap: list[tuple[int, int, Parcel]] = []
        self._sent = 0
        self._given = 0  # events at the head of the recorder's list that the journal was given
        self._is_kept = True  # and whether it has kept them
        self._flushing = False

    def add_venue(
        self, exchange: VenueApi, outward: LinkProfile, inward: LinkProfile, rng: Rng
    ) -> None:
        """Connect a venue; `outward` is the way of our orders, `inward` that of its reports."""
        lossless = outward.keeps_all() and inward.keeps_all()
        self.ports[exchange.venue] = VenuePort(
            exchange, Link(outward, rng.fork(1)), Link(inward, rng.fork(2)), lossless
        )
        if not lossless:
            self.faulty = True
            self._push(self.now + POLL_EVERY, Parcel(OUR_POLL, exchange.venue, "", self.now))

    def add_remote(self, exchange: VenueApi, timing: Timing) -> None:
        """Connect a venue that answers later; see sim.remote."""
        link = Link(LinkProfile(), Rng(0))
        self.ports[exchange.venue] = VenuePort(exchange, link, link, False, timing)
        self.faulty = True
        # Staggered, so that not all venues are read at once.
        first = timing.poll_every * len(self.ports) // 4
        self._push(self.now + first, Parcel(OUR_POLL, exchange.venue, "", self.now))

    def reported(self, report: Report) -> None:
        """A remote venue's news; the caller flushes."""
        self.core.report(self.now, report)
        if type(report) is OutcomeUnknown:
            order = self.core.state.orders[report.order_id]
            port = self.ports[order.instrument.venue]
            check = Parcel(OUR_CHECK, order.instrument.venue, order.id, self.now)
            self._push(self.now + port.timing.check_every // 4, check)

    def submit(self, request: SubmitOrder) -> str:
        """Place an order now; returns its id."""
        if self.outage.is_on:
            return self.command(request)
        order_id = self.core.submit(self.now, request)
        self.flush()
        return order_id

    def command(self, command: Command) -> str:
        """Any command, now; returns the order id it concerns, or "".

        Where a venue acts at once (money, leverage) it is asked before the engine.
        """
        if not self.may_take(command):
            self.flush()
            return ""
        refusal = "" if type(command) is CancelOrder else self._cashier.refusal(command)
        order_id = ""
        if refusal:
            self.core.refuse(self.now, command, self._cashier.reason, refusal)
        else:
            order_id = self.core.command(self.now, command)
        self.flush()
        return order_id

    def may_take(self, command: Command) -> bool:
        """Whether the core may take a command now; while the journal is down, not any."""
        if self.outage.is_on:
            self._end_outage()
        if not self.outage.is_on or self.journal is None:
            return True
        return self.outage.may_pass(command, self.journal, self.now)

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
        if self.outage.is_on:
            self._end_outage()
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
        return is_settled(self.core.state)

    def next_due(self) -> int:
        """When the next thing under way arrives; -1 when nothing is."""
        return self._heap[0][0] if self._heap else -1

    def in_flight(self) -> int:
        """How many messages and reminders are under way."""
        return len(self._heap)

    def recover(self, moves: list[Event]) -> None:
        """After a start on a journal with a past: find out what became of what it knows.

        Every order that may have been sent is asked for, every history is read, and when all is
        settled the books are compared; only then new risk is taken. `moves` are the last events
        that moved money or leverage: whether the venues were told of them nobody knows.
        """
        for event in moves:
            self._cashier.carry_out(event, self.now)
        for order in self.restart.unresolved(self.now):
            venue = order.instrument.venue
            if order.amend_quantity:
                self.inquiry.amend_sent(order.id, self.now)
            self._push(self.now, Parcel(OUR_CHECK, venue, order.id, self.now))
        for venue, port in self.ports.items():
            parcel = Parcel(OUR_POLL, venue, "", self.now)
            parcel.count = 1 if port.is_remote else 0  # besides its usual ones, until all is known
            self._push(self.now, parcel)
        self.flush()

    def inherit(self, other: "Simulation") -> None:
        """Take over the venues of a process that died, with what was on its way to them."""
        self.now = other.now
        self.faulty = other.faulty
        self.ports.update(other.ports)
        for due, parcel in other.on_the_way():
            if parcel.kind <= TO_VENUE_POLL:
                self._push(due, parcel)

    def on_the_way(self) -> list[tuple[int, Parcel]]:
        """Every message and reminder under way with its time, the next one first."""
        return [(due, parcel) for due, _, parcel in sorted(self._heap, key=_due)]

    def mend_links(self) -> None:
        """The faults stop: from now on every message arrives at once."""
        for port in self.ports.values():
            port.outward = Link(LinkProfile(), Rng(0))
            port.inward = Link(LinkProfile(), Rng(0))

    def flush(self) -> None:
        """Make events durable, do what they ask for, and hand them to the subscribers."""
        if self._flushing:
            return
        if self.journal is not None:
            while self.pump():
                pass
            return
        # One list for ever: what an event leads to is appended while it is read.
        out = self.core.recorder.out
        done = 0
        self._flushing = True
        try:
            while done < len(out):
                event = out[done]
                done += 1
                self.events += 1
                self._dispatch(event)
                for subscriber in self.subscribers:
                    subscriber(event)
        finally:
            del out[:done]  # when a subscriber raised, the rest's turn comes with the next flush
            self._flushing = False

    def pump(self) -> bool:
        """One step of `flush` with a journal; False when there was nothing to do.

        Everything decided so far is one group. When this returns it is durable, and what its events
        led to is the beginning of the next group.
        """
        out = self.core.recorder.out
        journal = self.journal
        if journal is None or self._flushing or not out:
            return False
        if self._given < len(out):
            self._is_kept = journal.commit(out[self._given :]) and not self.outage.is_on
            self._given = len(out)
        group = self._given
        done = 0
        self._flushing = True
        try:
            while done < group:
                event = out[done]
                done += 1
                self.events += 1
                if self._is_kept or self.outage.withhold(event, journal, self.now):
                    self._dispatch(event)
                for subscriber in self.subscribers:
                    subscriber(event)
        finally:
            del out[:done]  # as in `flush`; what the journal was given is not given again
            self._given -= done
            self._flushing = False
        return True

    def _end_outage(self) -> None:
        """Go on as before once the journal has everything."""
        if self.journal is not None and self.journal.is_up():
            self.outage.end(self.now, is_recovered=self.restart.is_over)
            self.flush()

    def _dispatch(self, event: Event) -> None:
        """The effects of an event."""
        effect = EFFECTS.get(type(event), 0)
        if effect == 0:
            return
        if effect == SENDS:
            placed = cast(OrderPlaced, event)
            if not placed.held:
                self._send_order(placed.order_id, placed.worst_price)
        elif effect == RELEASES:
            released = cast(OrderReleased, event)
            self._send_order(released.order_id, released.worst_price)
        elif effect == CANCELS:
            order_id = cast(CancelRequested, event).order_id
            self._send_request(TO_VENUE_CANCEL, order_id, 0, 0)
        elif effect == AMENDS:
            amend = cast(AmendRequested, event)
            self._send_request(TO_VENUE_AMEND, amend.order_id, amend.price, amend.quantity)
        else:
            self._cashier.carry_out(event, self.now)

    def _send_order(self, order_id: str, worst_price: int) -> None:
        order = self.core.state.orders[order_id]
        port = self.ports[order.instrument.venue]
        if port.outward.is_instant and not self._heap and not port.is_remote:
            self._send_reports(port, submit_to(port.exchange, order, worst_price, self.now))
            return
        parcel = Parcel(TO_VENUE_ORDER, order.instrument.venue, order_id, self.now)
        parcel.worst_price = worst_price
        parcel.order = order
        self._post_to(port, parcel)
        if not port.lossless:
            self._remind(parcel, port.timing.answer_timeout)

    def _send_request(self, kind: int, order_id: str, price: int, quantity: int) -> None:
        order = self.core.state.orders[order_id]
        port = self.ports[order.instrument.venue]
        if port.outward.is_instant and not self._heap and not port.is_remote:
            if kind == TO_VENUE_CANCEL:
                self._send_reports(port, port.exchange.cancel(self.now, order_id))
            else:
                reports = port.exchange.amend(self.now, order_id, price, quantity)
                self._send_reports(port, reports)
            return
        parcel = Parcel(kind, order.instrument.venue, order_id, self.now)
        parcel.price = price
        parcel.quantity = quantity
        self._post_to(port, parcel)
        if not port.lossless:
            if kind == TO_VENUE_AMEND:
                self.inquiry.amend_sent(order_id, self.now)
            self._remind(parcel, port.timing.answer_timeout)

    def _post_to(self, port: VenuePort, parcel: Parcel) -> None:
        """Send a request; to a remote venue it leaves at once, whatever else is under way."""
        if port.is_remote:
            self._arrive_at_venue(parcel, port)
        else:
            self._post(port.outward, parcel)

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

    def _exchange_of(self, instrument: str) -> VenueApi | None:
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
            if parcel.answer is not None:
                self.inquiry.answered(parcel, parcel.answer, self.now)
        elif kind == TO_US_ENTRIES:
            if parcel.history is not None:
                self.restart.read(parcel.venue, parcel.history, self.now)
        elif kind == OUR_CHECK:
            self._check(parcel)
        else:
            self._poll(parcel)

    def _arrive_at_venue(self, parcel: Parcel, port: VenuePort) -> None:
        """The venue acts on a request, unless the request is too old."""
        kind = parcel.kind
        exchange = port.exchange
        if port.is_remote and kind == TO_VENUE_QUERY:
            exchange.ask(self.now, parcel.order_id, parcel.since)
        elif port.is_remote and kind == TO_VENUE_POLL:
            exchange.read(self.now, parcel.count)
        elif kind == TO_VENUE_QUERY:
            answer = Parcel(TO_US_ANSWER, parcel.venue, parcel.order_id, self.now)
            answer.since = parcel.since
            answer.answer = exchange.answer(parcel.order_id)
            self._post(port.inward, answer)
        elif kind == TO_VENUE_POLL:
            entries = Parcel(TO_US_ENTRIES, parcel.venue, "", self.now)
            entries.history = exchange.history(parcel.count)
            self._post(port.inward, entries)
        elif self.now - parcel.ts <= VALIDITY:
            self._send_reports(port, deliver(exchange, parcel, self.now))

    def _check(self, parcel: Parcel) -> None:
        """Time to look whether a request was answered: if not, ask, and look again later."""
        requests = self.inquiry.requests(parcel, self.now)
        port = self.ports[parcel.venue]
        for request in requests:
            self._post_to(port, request)
        if requests:
            self._remind(parcel, port.timing.check_every * min(parcel.count + 1, 8))

    def _poll(self, parcel: Parcel) -> None:
        """Fetch by cursor what the stream may have lost: what became of orders, funding, ..."""
        port = self.ports[parcel.venue]
        request = Parcel(TO_VENUE_POLL, parcel.venue, "", self.now)
        request.count = self.restart.cursor(parcel.venue)
        self._post_to(port, request)
        again = Parcel(OUR_POLL, parcel.venue, "", self.now)
        again.count = parcel.count
        if not port.lossless and parcel.count == 0:
            self._push(self.now + port.timing.poll_every, again)
        elif not self.restart.is_over:
            self._push(self.now + port.timing.check_every, again)


def _due(entry: tuple[int, int, Parcel]) -> tuple[int, int]:
    """When a message arrives, and which of those of one time first."""
    return entry[0], entry[1]
