"""What events do to orders. Together with evolve.py the only code that changes the state."""

from typing import Final, final

from zvt_trading.core.accounting import book_fee, book_fill, set_open
from zvt_trading.core.ledger import Balance
from zvt_trading.core.limits import CLIENT_TAGS_KEPT, CLOSED_ORDERS_KEPT
from zvt_trading.core.order_fsm import (
    ACCEPT,
    CANCEL,
    EXPIRE,
    FILL_ALL,
    FILL_PART,
    LIFE_ENDED,
    LOSE_TRACK,
    REJECT,
    RELEASE,
    REQUEST_AMEND,
    REQUEST_CANCEL,
    REQUEST_DONE,
    is_closed,
    next_life,
    next_request,
)
from zvt_trading.core.risk_manager import RiskManager
from zvt_trading.core.state import Order, OrderList, State
from zvt_trading.core.units import div_ceil
from zvt_trading.messages.codes import (
    AMEND_REQUESTED,
    PENDING,
    ROLE_ENTRY,
    ROLE_NONE,
    ROLE_STOP_LOSS,
    ROLE_TAKE_PROFIT,
    SUBMITTED,
)
from zvt_trading.messages.events import (
    AmendRejected,
    AmendRequested,
    CancelRejected,
    CancelRequested,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderPlaced,
    OrderRejected,
    OrderReleased,
    OrderResized,
    OrderTriggered,
    OrderUnknown,
    TrailMoved,
)


class EvolveError(Exception):
    """An event that cannot follow from the state: a bug, or a journal that is not ours."""


@final
class OrderEvolver:
    """One method an order event."""

    def __init__(self, state: State, risk: RiskManager) -> None:
        self.state: Final = state
        self.risk: Final = risk

    def placed(self, event: OrderPlaced) -> None:
        """A new order, sent or held."""
        state = self.state
        terms = state.terms(event.request)
        portfolio = state.portfolios[terms.portfolio]
        holding = state.holding(portfolio, state.markets[event.instrument])
        order = Order(event.order_id, terms, holding, state.strategy(terms.strategy), event.ts)
        order.role = event.role
        if event.list_id:
            self._link(order, event.list_id, event.list_kind)
        balance = holding.balance_of(event.hold_asset)
        self.place(order, event.held, balance, event.hold, event.worst_price, event.ts)

    def place(
        self, order: Order, held: bool, balance: Balance, hold: int, worst_price: int, ts: int
    ) -> None:
        """`placed` with everything in hand."""
        state = self.state
        state.order_seq += 1
        holding = order.holding
        state.orders[order.id] = order
        holding.portfolio.open_orders += 1
        if order.terms.client_tag:
            self._remember_tag(order.terms.client_tag, order.id)
        if held:
            order.life = PENDING
            if order.role not in (ROLE_TAKE_PROFIT, ROLE_STOP_LOSS):
                holding.market.stops.append(order)
        else:
            self._start_working(order, balance, hold, worst_price)
        self.risk.on_placed(order, ts)

    def refused(self) -> None:
        """Nothing but the id is used up."""
        self.state.order_seq += 1

    def triggered(self, event: OrderTriggered) -> None:
        """A held stop fired; it waits for the gate, or for its sibling's cancel."""
        self._order(event.order_id).triggered = True

    def trail_moved(self, event: TrailMoved) -> None:
        """A trailing stop's trigger followed the market."""
        self._order(event.order_id).trigger_price = event.trigger_price

    def resized(self, event: OrderResized) -> None:
        """A held order's terms changed."""
        order = self._order(event.order_id)
        order.quantity = event.quantity
        order.price = event.price
        order.trigger_price = event.trigger_price

    def released(self, event: OrderReleased) -> None:
        """A held order is sent."""
        order = self._order(event.order_id)
        self._step(order, RELEASE)
        self._disarm(order)
        order.quantity = event.quantity
        balance = order.holding.balance_of(event.hold_asset)
        self._start_working(order, balance, event.hold, event.worst_price)
        self.risk.on_placed(order, event.ts)

    def accepted(self, event: OrderAccepted) -> None:
        """The venue has it (again, when we had believed it rejected)."""
        self.accept(self._order(event.order_id), event.venue_order_id)

    def accept(self, order: Order, venue_order_id: str) -> None:
        """`accepted` with everything in hand."""
        if is_closed(order.life):
            self._reopen(order)
        self._step(order, ACCEPT)
        order.venue_order_id = venue_order_id

    def rejected(self, event: OrderRejected) -> None:
        """The venue has it not."""
        self.end(self._order(event.order_id), REJECT, event.reason, 0)

    def unknown(self, event: OrderUnknown) -> None:
        """We cannot tell; the reservation stays."""
        self._step(self._order(event.order_id), LOSE_TRACK)

    def filled(self, event: OrderFilled) -> int:
        """Book one execution; returns the PnL it realised (settle-asset units)."""
        return self.fill(
            self._order(event.order_id), event.trade_id, event.price, event.quantity,
            event.fee_asset, event.fee, event.ts,
        )  # fmt: skip

    def fill(
        self,
        order: Order,
        trade_id: str,
        price: int,
        quantity: int,
        fee_asset: str,
        fee: int,
        ts: int,
    ) -> int:
        """`filled` with everything in hand."""
        holding = order.holding
        order.trade_ids.append(trade_id)
        realized = book_fill(self.state, holding, order.side, price, quantity, ts, order.id)
        book_fee(self.state, holding, fee_asset, fee, price, ts)
        was_closed = is_closed(order.life)
        order.filled += quantity
        order.filled_value += price * quantity
        # An amend under way may have made it larger.
        complete = order.filled >= order.quantity and order.filled >= order.amend_quantity
        life = next_life(order.life, FILL_ALL if complete else FILL_PART)
        if life < 0:
            raise EvolveError(f"order {order.id}: a fill in life {order.life}")
        if was_closed and not is_closed(life):
            self._reopen(order)  # believed rejected: its leaves work again
        else:
            left = order.working - quantity
            self._set_working(order, left if left > 0 else 0)
        order.life = life
        if was_closed:
            set_open(holding, order.side, 0)  # nothing may have been open: the position moved
        elif complete:
            self._close(order)
        if order.list is not None:
            self._filled_in_list(order)
        self.risk.on_filled(order, ts)
        return realized

    def cancelled(self, event: OrderCancelled) -> None:
        """No longer working."""
        self.end(self._order(event.order_id), CANCEL, event.reason, event.filled)

    def expired(self, event: OrderExpired) -> None:
        """Its time is over."""
        self.end(self._order(event.order_id), EXPIRE, 0, event.filled)

    def cancel_requested(self, event: CancelRequested) -> None:
        """A cancel is on its way; it overrides an amend under way."""
        self.request_cancel(self._order(event.order_id), event.reason)

    def request_cancel(self, order: Order, reason: int) -> None:
        """`cancel_requested` with everything in hand."""
        self._step_request(order, REQUEST_CANCEL)
        order.reason = reason

    def cancel_rejected(self, event: CancelRejected) -> None:
        """The cancel did not succeed; an amend that was asked before it may still."""
        order = self._order(event.order_id)
        self._step_request(order, REQUEST_DONE)
        if order.amend_quantity:
            self._step_request(order, REQUEST_AMEND)

    def amend_requested(self, event: AmendRequested) -> None:
        """Until the outcome is known, the worse of the old and the new terms is reserved."""
        order = self._order(event.order_id)
        self._step_request(order, REQUEST_AMEND)
        order.amend_price = event.price
        order.amend_quantity = event.quantity
        order.hold_before_amend = order.hold
        self._set_hold(order, event.hold)
        leaves = event.quantity - order.filled
        if leaves > order.working:
            set_open(order.holding, order.side, leaves - order.working)
            order.working = leaves
        self.risk.on_amend_requested(order, event.ts)

    def amended(self, event: OrderAmended) -> None:
        """The venue has the new terms; a cancel sent meanwhile stays under way."""
        order = self._order(event.order_id)
        if order.pending == AMEND_REQUESTED:
            self._step_request(order, REQUEST_DONE)
        order.price = event.price
        order.quantity = event.quantity
        order.amended_ts = event.ts_venue
        self._settle_amend(order, event.hold)

    def amend_rejected(self, event: AmendRejected) -> None:
        """The old terms work on; a cancel sent meanwhile stays under way."""
        order = self._order(event.order_id)
        if order.pending == AMEND_REQUESTED:
            self._step_request(order, REQUEST_DONE)
        self._settle_amend(order, min(order.hold, order.hold_before_amend))

    def _settle_amend(self, order: Order, hold: int) -> None:
        """What works is what is left of the terms we know now; when nothing is, it is filled."""
        order.amend_price = 0
        order.amend_quantity = 0
        set_open(order.holding, order.side, order.leaves() - order.working)
        order.working = order.leaves()
        self._set_hold(order, hold if order.working else 0)
        if order.working == 0:
            self._step(order, FILL_ALL)
            self._close(order)

    def _order(self, order_id: str) -> Order:
        order = self.state.orders.get(order_id)
        if order is None:
            raise EvolveError(f"no order {order_id}")
        return order

    def _step(self, order: Order, trigger: int) -> None:
        life = next_life(order.life, trigger)
        if life < 0:
            raise EvolveError(f"order {order.id}: trigger {trigger} in life {order.life}")
        order.life = life

    def _step_request(self, order: Order, trigger: int) -> None:
        pending = next_request(order.pending, trigger)
        if pending < 0:
            raise EvolveError(f"order {order.id}: request {trigger} while {order.pending}")
        order.pending = pending

    def _start_working(self, order: Order, balance: Balance, hold: int, worst_price: int) -> None:
        """It is on its way: reserve and count it at worst case."""
        holding = order.holding
        order.life = SUBMITTED
        order.worst_price = worst_price
        order.hold_balance = balance
        order.hold_released = hold
        self._set_hold(order, hold)
        order.working = order.leaves()
        holding.orders[order.id] = order
        set_open(holding, order.side, order.working)

    def _set_hold(self, order: Order, hold: int) -> None:
        change = hold - order.hold
        if change > 0:
            order.hold_balance.hold(change)
        elif change < 0:
            order.hold_balance.release(-change)
        order.hold = hold

    def _set_working(self, order: Order, working: int) -> None:
        """Change the open quantity; the reservation shrinks in proportion, rounded up."""
        before = order.working
        if working == before:
            return
        set_open(order.holding, order.side, working - before)
        order.working = working
        if working == 0:
            self._set_hold(order, 0)
        elif working < before:
            order.hold_before_amend = div_ceil(order.hold_before_amend * working, before)
            self._set_hold(order, div_ceil(order.hold * working, before))

    def end(self, order: Order, trigger: int, reason: int, filled: int) -> None:
        """Close the order; fills that the venue counts and we have not seen stay reserved for."""
        was_held = order.life == PENDING
        self._step(order, trigger)
        order.reason = reason
        order.amend_price = 0
        order.amend_quantity = 0
        if was_held:
            self._disarm(order)
        missing = filled - order.filled
        self._set_working(order, missing if missing > 0 else 0)
        self._close(order)

    def _close(self, order: Order) -> None:
        """Leave the hot state; the last ones stay in memory for late evidence."""
        order.pending = next_request(order.pending, LIFE_ENDED)
        order.holding.portfolio.open_orders -= 1
        if order.id in order.holding.orders:
            del order.holding.orders[order.id]
        state = self.state
        state.closed.append(order.id)
        if len(state.closed) - state.closed_head > CLOSED_ORDERS_KEPT:
            self._evict()

    def _evict(self) -> None:
        """Forget the oldest closed order, unless evidence has brought it back to life."""
        state = self.state
        oldest = state.orders.get(state.oldest_closed())
        if oldest is None or not is_closed(oldest.life):
            return
        order_list = oldest.list
        if order_list is not None and order_list.is_live():
            state.closed.append(oldest.id)  # its siblings still look at what it has filled
            return
        self._set_working(oldest, 0)
        del state.orders[oldest.id]
        if order_list is not None:
            order_list.orders.remove(oldest)
            if not order_list.orders:
                del state.lists[order_list.id]

    def _reopen(self, order: Order) -> None:
        """The venue has an order that we had given up: it counts at worst case again."""
        order.holding.portfolio.open_orders += 1
        order.holding.orders[order.id] = order
        leaves = order.leaves()
        set_open(order.holding, order.side, leaves - order.working)
        order.working = leaves
        self._set_hold(order, div_ceil(order.hold_released * leaves, order.quantity))

    def _disarm(self, order: Order) -> None:
        stops = order.holding.market.stops
        if order in stops:
            stops.remove(order)

    def _link(self, order: Order, list_id: str, kind: int) -> None:
        order_list = self.state.lists.get(list_id)
        if order_list is None:
            order_list = OrderList(list_id, kind)
            self.state.lists[list_id] = order_list
        order_list.orders.append(order)
        order.list = order_list

    def _filled_in_list(self, order: Order) -> None:
        """A bracket's exits cover what the entry has filled; they are armed with its first fill."""
        if order.role != ROLE_ENTRY or order.list is None:
            return
        for child in order.list.orders:
            if child.role != ROLE_NONE and child.life == PENDING and child is not order:
                child.quantity = order.filled
                stops = child.holding.market.stops
                if child not in stops:
                    stops.append(child)

    def _remember_tag(self, tag: str, order_id: str) -> None:
        tags = self.state.client_tags
        tags[tag] = order_id
        if len(tags) > CLIENT_TAGS_KEPT:
            del tags[next(iter(tags))]
