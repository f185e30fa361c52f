"""Decisions about orders: submit, link, amend, cancel, release. A refusal is an event."""

from typing import Final, final

from zvt_trading.core.limits import CLIENT_TAG_LENGTH_MAX, NAME_LENGTH_MAX
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.order_ids import OrderIds
from zvt_trading.core.recorder import Recorder
from zvt_trading.core.router import Router
from zvt_trading.core.state import Order, State, Terms
from zvt_trading.core.ticket import Ticket
from zvt_trading.messages.codes import (
    ACCEPTED,
    BRACKET,
    BUY,
    CANCEL_REQUESTED,
    LIMIT,
    MARKET,
    NO_REQUEST,
    OCO,
    PENDING,
    ROLE_ENTRY,
    ROLE_NONE,
    ROLE_OCO_LEG,
    ROLE_STOP_LOSS,
    ROLE_TAKE_PROFIT,
    SINGLE,
    STOP,
)
from zvt_trading.messages.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    SubmitOrder,
    SubmitOrderList,
)
from zvt_trading.messages.events import (
    AmendRefused,
    AmendRequested,
    CancelRequested,
    CommandRefused,
    OrderCancelled,
    OrderPlaced,
    OrderRefused,
    OrderReleased,
    OrderResized,
    OrderRouted,
    RouteCandidate,
)
from zvt_trading.messages.reasons import TRANSIENT, Reason


@final
class OrderManager:
    """What callers ask about orders."""

    def __init__(self, recorder: Recorder, router: Router) -> None:
        self.recorder: Final = recorder
        self.state: Final[State] = recorder.state
        self.router: Final = router
        self.last_order_id = ""
        self._ids: Final = OrderIds(recorder.state.epoch, recorder.state.engine_tag)

    def submit(self, request: SubmitOrder) -> str:
        """Place one order, or refuse it; returns the order id it was given either way."""
        return self._submit(request, "", SINGLE, ROLE_NONE, False)

    def submit_list(self, command: SubmitOrderList) -> str:
        """Place linked orders, all or none; returns the id of the list (its first order's id)."""
        requests = command.orders
        problem = _list_problem(command)
        list_id = self._next_id()
        if problem:
            text = "see SubmitOrderList for how orders can be linked"
            self._refuse(list_id, requests[0] if requests else _EMPTY, problem, text)
            return list_id
        roles = [ROLE_OCO_LEG, ROLE_OCO_LEG]
        if command.kind == BRACKET:
            roles = [ROLE_ENTRY, ROLE_TAKE_PROFIT, ROLE_STOP_LOSS]
        tickets: list[Ticket] = []
        tags: list[str] = []
        for index in range(len(requests)):
            terms = self.state.terms(requests[index])
            ticket = self._ticket(terms, terms.instrument)
            reason = self._name_problem(terms)
            if terms.client_tag and terms.client_tag in tags:
                reason = Reason.DUPLICATE_CLIENT_ID
            tags.append(terms.client_tag)
            if ticket is None or reason:
                self._refuse_ticket(list_id, requests[index], None, reason)
                return list_id
            # Linked stops wait here even where the venue holds stops: it does not know the link,
            # and could fill both.
            is_exit = roles[index] in (ROLE_TAKE_PROFIT, ROLE_STOP_LOSS)
            ticket.held = is_exit or ticket.type >= STOP
            reason = self.recorder.risk.check(ticket, self.state, self.recorder.now)
            if reason:
                self._refuse_ticket(list_id, requests[index], ticket, reason)
                return list_id
            tickets.append(ticket)
        for index in range(len(tickets)):
            self._place(self._next_id(), tickets[index], list_id, command.kind, roles[index])
        return list_id

    def flatten(self, request: SubmitOrder) -> None:
        """Close a position for the kill switch; passes HALTED."""
        self._submit(request, "", SINGLE, ROLE_NONE, True)

    def amend(self, command: AmendOrder) -> None:
        """Change a live order: at the venue, or here when it is held."""
        order = self.state.orders.get(command.order_id)
        reason = self._amend_problem(order, command)
        if reason or order is None:
            self._refuse_amend(command.order_id, reason, None)
            return
        price = command.price or order.price
        quantity = command.quantity or order.quantity
        trigger = command.trigger_price or order.trigger_price
        ticket = self._amend_ticket(order, price, quantity - order.filled, trigger)
        reason = self.recorder.risk.check(ticket, self.state, self.recorder.now)
        if reason:
            self._refuse_amend(order.id, reason, ticket)
            return
        recorder = self.recorder
        if order.life == PENDING:
            recorder.record(
                OrderResized(recorder.seq(), recorder.now, order.id, quantity, price, trigger)
            )
            return
        hold = ticket.hold if ticket.hold > order.hold else order.hold
        recorder.record(
            AmendRequested(recorder.seq(), recorder.now, order.id, price, quantity, hold)
        )

    def cancel(self, command: CancelOrder) -> bool:
        """Cancel one order; False (and an event that says why) when it cannot be cancelled."""
        order = self.state.orders.get(command.order_id)
        if order is None:
            self._refuse_command("CancelOrder", Reason.UNKNOWN_ORDER, command.order_id)
            return False
        if is_closed(order.life):
            self._refuse_command("CancelOrder", Reason.ORDER_CLOSED, command.order_id)
            return False
        self.cancel_order(order, command.reason or _USER)
        return True

    def cancel_all(self, command: CancelAll) -> int:
        """Cancel every live order that matches; returns how many."""
        count = 0
        for order in list(self.state.orders.values()):
            if not is_closed(order.life) and _matches(order, command):
                self.cancel_order(order, command.reason or Reason.CANCEL_ALL)
                count += 1
        return count

    def cancel_order(self, order: Order, reason: int) -> None:
        """Cancel a live order: at once when held, else by a request that may be repeated."""
        recorder = self.recorder
        if order.life == PENDING:
            self.end_held(order, reason)
        else:
            code = int(reason)
            event = CancelRequested(recorder.seq(), recorder.now, order.id, code)
            recorder.record_cancel_requested(event, order, code)

    def end_held(self, order: Order, reason: int) -> None:
        """End an order that was never sent."""
        recorder = self.recorder
        recorder.record(
            OrderCancelled(recorder.seq(), recorder.now, order.id, int(reason), 0, recorder.now)
        )

    def release(self, order: Order, quantity: int) -> bool:
        """Send a held order if the gate lets it pass now.

        A transient refusal (stale data, rate) leaves it held, to be tried again at the next quote;
        any other ends it with that reason. Returns whether it is still held.
        """
        recorder = self.recorder
        if order.role == ROLE_TAKE_PROFIT or order.role == ROLE_STOP_LOSS:
            quantity = _sellable(order, quantity)
        ticket = self._amend_ticket(order, order.price, quantity, order.trigger_price)
        ticket.is_amend = False
        ticket.held = False
        reason = recorder.risk.check(ticket, self.state, recorder.now)
        if reason:
            if Reason(reason) in TRANSIENT:
                return True
            self.end_held(order, reason)
            return False
        instrument = order.instrument
        recorder.record(
            OrderReleased(
                recorder.seq(), recorder.now, order.id, quantity, _hold_asset(ticket),
                ticket.hold, ticket.worst_price, instrument.bid, instrument.ask,
            )
        )  # fmt: skip
        return False

    def resize(self, order: Order, quantity: int) -> None:
        """Change the quantity of a held order."""
        recorder = self.recorder
        recorder.record(
            OrderResized(
                recorder.seq(), recorder.now, order.id, quantity, order.price, order.trigger_price
            )
        )

    def hold_for(self, order: Order, price: int, leaves: int) -> int:
        """What an order of these terms must reserve."""
        ticket = self._amend_ticket(order, price, leaves, order.trigger_price)
        ticket.worst_price = price
        return self.recorder.risk.required_hold(ticket)

    def _submit(
        self, request: SubmitOrder, list_id: str, kind: int, role: int, is_flatten: bool
    ) -> str:
        order_id = self._next_id()
        terms = self.state.terms(request)
        instrument_id = terms.instrument
        reason = self._name_problem(terms)
        if reason:
            self._refuse_ticket(order_id, request, None, reason)
            return order_id
        if instrument_id[:1] == ":" and self._can_route(terms):
            instrument_id = self._route(order_id, request)
            if not instrument_id:
                return order_id
        ticket = self._ticket(terms, instrument_id)
        if ticket is None:
            self._refuse_ticket(order_id, request, None, 0)
            return order_id
        ticket.is_flatten = is_flatten
        ticket.held = ticket.waits_here()
        reason = self.recorder.risk.check(ticket, self.state, self.recorder.now)
        if reason:
            self._refuse_ticket(order_id, request, ticket, reason)
        else:
            self._place(order_id, ticket, list_id, kind, role)
        return order_id

    def _next_id(self) -> str:
        order_id = self._ids.make(self.recorder.now, self.state.order_seq + 1)
        self.last_order_id = order_id
        return order_id

    def _ticket(self, terms: Terms, instrument_id: str) -> Ticket | None:
        """The request resolved against the state; None when a name in it is unknown."""
        state = self.state
        portfolio = state.portfolios.get(terms.portfolio)
        market = state.markets.get(instrument_id)
        if portfolio is None or market is None:
            return None
        holding = state.holding(portfolio, market)
        return Ticket(terms, portfolio, holding, state.strategy(terms.strategy))

    def _amend_ticket(self, order: Order, price: int, leaves: int, trigger: int) -> Ticket:
        """The gate's view of an existing order with new terms."""
        ticket = Ticket(order.terms, order.holding.portfolio, order.holding, order.strategy)
        ticket.order_id = order.id
        ticket.price = price
        ticket.quantity = leaves
        ticket.trigger_price = trigger
        ticket.replaces_quantity = order.working
        ticket.replaces_hold = order.hold
        ticket.is_amend = True
        ticket.held = order.life == PENDING
        return ticket

    def _name_problem(self, terms: Terms) -> int:
        """Ids that no table or venue could hold, or that were used before."""
        if len(terms.client_tag) > CLIENT_TAG_LENGTH_MAX or (len(terms.strategy) > NAME_LENGTH_MAX):
            return Reason.ID_TOO_LONG
        if terms.client_tag and terms.client_tag in self.state.client_tags:
            return Reason.DUPLICATE_CLIENT_ID
        return 0

    def _can_route(self, terms: Terms) -> bool:
        """Whether the names in it are known; if not, that is what the refusal says."""
        state = self.state
        return terms.portfolio in state.portfolios and terms.instrument[1:] in state.symbols

    def _route(self, order_id: str, request: SubmitOrder) -> str:
        """Let the router choose, or refuse; the decision is an event with everything it saw."""
        recorder = self.recorder
        candidates = self.router.candidates(self.state, request, recorder.now)
        chosen = self.router.choose(self.state, candidates, request)
        recorder.record(
            OrderRouted(recorder.seq(), recorder.now, order_id, chosen, tuple(candidates))
        )
        if not chosen:
            text = f"no venue can take the order now: {_exclusions(candidates)}"
            self._refuse(order_id, request, Reason.NO_ROUTE, text)
        return chosen

    def _place(self, order_id: str, ticket: Ticket, list_id: str, kind: int, role: int) -> None:
        recorder = self.recorder
        if list_id:
            recorder.record(self._placed(order_id, ticket, list_id, kind, role))
            return
        order = Order(order_id, ticket.terms, ticket.holding, ticket.strategy, recorder.now)
        balance = ticket.hold_balance
        if balance is None:
            balance = ticket.holding.settle
        recorder.record_placed(
            self._placed(order_id, ticket, list_id, kind, role),
            order,
            ticket.held,
            balance,
            ticket.hold,
            ticket.worst_price,
        )

    def _placed(
        self, order_id: str, ticket: Ticket, list_id: str, kind: int, role: int
    ) -> OrderPlaced:
        """The event of a new order."""
        recorder = self.recorder
        instrument = ticket.instrument
        return OrderPlaced(
            recorder.seq(), recorder.now, order_id, ticket.request, instrument.id, ticket.held,
            _hold_asset(ticket), ticket.hold, ticket.worst_price, instrument.bid, instrument.ask,
            list_id, kind, role,
        )  # fmt: skip

    def _refuse_ticket(
        self, order_id: str, request: SubmitOrder, ticket: Ticket | None, reason: int
    ) -> None:
        """Record why an order was refused."""
        recorder = self.recorder
        if ticket is not None:
            recorder.record(
                OrderRefused(
                    recorder.seq(), recorder.now, order_id, request, int(reason), ticket.limit,
                    ticket.value, ticket.scope, ticket.key, ticket.text,
                )
            )  # fmt: skip
        elif reason:
            self._refuse(order_id, request, reason, _name_text(request, reason))
        elif request.portfolio not in self.state.portfolios:
            known = _names(list(self.state.portfolios))
            text = f"no portfolio {request.portfolio!r}; open: {known}"
            self._refuse(order_id, request, Reason.UNKNOWN_PORTFOLIO, text)
        else:
            text = f"no instrument {request.instrument!r}"
            self._refuse(order_id, request, Reason.UNKNOWN_INSTRUMENT, text)

    def _refuse(self, order_id: str, request: SubmitOrder, reason: int, text: str) -> None:
        recorder = self.recorder
        recorder.record(
            OrderRefused(
                recorder.seq(), recorder.now, order_id, request, int(reason), 0, 0, 0, "", text
            )
        )

    def _refuse_command(self, command: str, reason: int, text: str) -> None:
        recorder = self.recorder
        recorder.record(
            CommandRefused(recorder.seq(), recorder.now, command, int(reason), 0, 0, text)
        )

    def _refuse_amend(self, order_id: str, reason: int, ticket: Ticket | None) -> None:
        recorder = self.recorder
        if ticket is None:
            refusal = AmendRefused(recorder.seq(), recorder.now, order_id, int(reason), 0, 0, 0, "")
        else:
            refusal = AmendRefused(
                recorder.seq(), recorder.now, order_id, int(reason), ticket.limit, ticket.value,
                ticket.scope, ticket.key,
            )  # fmt: skip
        recorder.record(refusal)

    def _amend_problem(self, order: Order | None, command: AmendOrder) -> int:
        """Why this order cannot be amended now; 0 when it can be asked."""
        if order is None:
            return Reason.UNKNOWN_ORDER
        if is_closed(order.life):
            return Reason.ORDER_CLOSED
        if min(command.price, command.quantity, command.trigger_price) < 0:
            return Reason.INVALID_QUANTITY if command.quantity < 0 else Reason.INVALID_PRICE
        if command.price and order.is_market():
            return Reason.PRICE_NOT_ALLOWED
        if command.trigger_price and order.life != PENDING:
            return Reason.TRIGGER_NOT_ALLOWED
        if not _changes(order, command):
            return Reason.AMEND_NO_CHANGE
        if order.life != PENDING:
            if order.life != ACCEPTED or order.pending != NO_REQUEST:
                return Reason.REQUEST_PENDING
            if not order.instrument.spec.amend_supported:
                return Reason.AMEND_NOT_SUPPORTED
        if command.quantity and command.quantity <= order.filled:
            return Reason.AMEND_BELOW_FILLED
        return 0


def _sellable(order: Order, quantity: int) -> int:
    """What a bracket's exit can sell of its coins: fees may have been taken out of them."""
    instrument = order.instrument
    if not instrument.is_spot or order.side == BUY:
        return quantity
    coins = order.holding.base.available() // instrument.base_unit
    if coins >= quantity:
        return quantity
    coins -= coins % instrument.lot
    return coins if coins > 0 else quantity


_USER: Final = int(Reason.USER)
_EMPTY: Final = SubmitOrder("", "", BUY, MARKET, 0)


def _hold_asset(ticket: Ticket) -> str:
    return ticket.hold_balance.asset if ticket.hold_balance is not None else ""


def _names(names: list[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _exclusions(candidates: list[RouteCandidate]) -> str:
    texts: list[str] = []
    for candidate in candidates:
        texts.append(f"{candidate.instrument} {Reason(candidate.excluded).name.lower()}")
    return ", ".join(texts)


def _name_text(request: SubmitOrder, reason: int) -> str:
    if reason == Reason.DUPLICATE_CLIENT_ID:
        return f"client id {request.client_tag!r} was used before"
    return (
        f"client id of {len(request.client_tag)} or strategy of {len(request.strategy)} characters;"
        f" at most {CLIENT_TAG_LENGTH_MAX} and {NAME_LENGTH_MAX} are allowed"
    )


def _changes(order: Order, command: AmendOrder) -> bool:
    """Whether the amend asks for anything new."""
    return (
        (command.price not in (0, order.price))
        or (command.quantity not in (0, order.quantity))
        or (command.trigger_price not in (0, order.trigger_price))
    )


def _matches(order: Order, command: CancelAll) -> bool:
    instrument = order.instrument
    return (
        command.portfolio in ("", order.holding.portfolio.name)
        and command.strategy in ("", order.strategy.name)
        and command.venue in ("", instrument.venue)
        and command.symbol in ("", instrument.symbol)
        and command.side in (0, order.side)
        and not (order.life == ACCEPTED and order.pending == CANCEL_REQUESTED)
    )


def _list_problem(command: SubmitOrderList) -> int:
    """Whether the orders can be linked as asked; the gate judges each of them afterwards."""
    orders = command.orders
    size = 3 if command.kind == BRACKET else 2
    if command.kind not in (OCO, BRACKET) or len(orders) != size:
        return Reason.INVALID_LIST
    first = orders[0]
    for order in orders:
        if order.instrument != first.instrument or order.portfolio != first.portfolio:
            return Reason.INVALID_LIST
        if order.quantity != first.quantity or order.instrument[:1] == ":":
            return Reason.INVALID_LIST
    if command.kind == OCO:
        # One leg rests or waits for profit, the other is a stop the core holds.
        legal = orders[0].side == orders[1].side and orders[0].type != MARKET
        return 0 if legal and orders[1].type >= STOP else Reason.INVALID_LIST
    exits_oppose = orders[1].side == -first.side and orders[2].side == -first.side
    if not exits_oppose or first.type not in (MARKET, LIMIT):
        return Reason.INVALID_LIST
    return 0 if orders[1].type != MARKET and orders[2].type >= STOP else Reason.INVALID_LIST
