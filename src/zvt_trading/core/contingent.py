"""Held orders: stops that wait for a price, and orders linked as OCO or bracket.

A stop that fires while its sibling rests at the venue first takes the sibling back and is sent for
what the sibling has left: both filling in full cannot happen. A bracket's exits cover exactly what
its entry has filled, from the first fill on; a resting take-profit is sent once the entry is done.
"""

from typing import Final, final

from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.order_manager import OrderManager
from zvt_trading.core.recorder import Recorder
from zvt_trading.core.state import Market, Order, OrderList
from zvt_trading.core.units import BPS_ONE, round_down_to, round_up_to
from zvt_trading.messages.codes import (
    BUY,
    CANCEL_REQUESTED,
    CANCELLED,
    EXPIRED,
    LIMIT,
    OFFSET_BPS,
    PENDING,
    ROLE_ENTRY,
    ROLE_OCO_LEG,
    STOP,
    STOP_LIMIT,
    TRAILING_STOP,
    TRIGGER_LAST,
    TRIGGER_MARK,
)
from zvt_trading.messages.events import OrderTriggered, TrailMoved
from zvt_trading.messages.reasons import Reason


@final
class Contingent:
    """Watches held orders; called after market data and after every order event."""

    def __init__(self, recorder: Recorder, orders: OrderManager) -> None:
        self.recorder: Final = recorder
        self.orders: Final = orders

    def on_price(self, market: Market) -> None:
        """Trail, fire and send the stops of a market after its prices moved."""
        for order in list(market.stops):
            if order.life != PENDING:
                continue
            if order.type == LIMIT and order.list is not None:
                self._retry(order.list)
                continue
            price = _reference(order)
            if price <= 0:
                continue
            if order.type == TRAILING_STOP and not order.triggered:
                self._trail(order, price)
            if not order.triggered and order.type >= STOP and _fires(order, price):
                recorder = self.recorder
                recorder.record(OrderTriggered(recorder.seq(), recorder.now, order.id, price))
            if order.triggered:
                self._send(order)

    def after(self, order: Order) -> None:
        """React to a change of an order that is part of a list."""
        linked = order.list
        if linked is None:
            return
        if order.role == ROLE_ENTRY:
            self._after_entry(order, linked)
        else:
            self._after_leg(order, linked)

    def _retry(self, linked: OrderList) -> None:
        """A resting take-profit may be due, but the gate held it back a moment ago."""
        for order in list(linked.orders):
            if order.role == ROLE_ENTRY:
                self._after_entry(order, linked)

    def _trail(self, order: Order, price: int) -> None:
        """Move the trigger after the market, never back."""
        terms = order.terms
        tick = order.instrument.tick
        offset = terms.trailing_offset
        if terms.trailing_unit == OFFSET_BPS:
            offset = price * offset // BPS_ONE
        if order.side == BUY:
            trigger = round_up_to(price + offset, tick)
            moved = order.trigger_price == 0 or trigger < order.trigger_price
        else:
            trigger = round_down_to(price - offset, tick)
            moved = trigger > order.trigger_price
        if moved and trigger > 0:
            recorder = self.recorder
            recorder.record(TrailMoved(recorder.seq(), recorder.now, order.id, trigger))

    def _send(self, order: Order) -> None:
        """Send a triggered order, after its resting sibling is out of the way."""
        linked = order.list
        if linked is None:
            self.orders.release(order, order.quantity)
            return
        quantity = order.quantity
        waits = False
        for sibling in list(linked.orders):
            if sibling is order:
                continue
            if sibling.life == PENDING:
                self.orders.end_held(sibling, Reason.LIST_SIBLING)
            elif not is_closed(sibling.life) or sibling.working:
                # A leg could fill as well, an entry could still grow the position.
                waits = True
                self._take_back(sibling)
            elif sibling.role != ROLE_ENTRY:
                quantity = min(quantity, _total(linked, sibling) - sibling.filled)
        if not waits:
            self.orders.release(order, quantity)

    def _take_back(self, order: Order) -> None:
        """Ask for a working order of a list back, once."""
        if not is_closed(order.life) and order.pending != CANCEL_REQUESTED:
            self.orders.cancel_order(order, Reason.LIST_SIBLING)

    def _after_entry(self, entry: Order, linked: OrderList) -> None:
        """The entry ended: without a fill its exits go; else those that are due are sent."""
        if not is_closed(entry.life) or entry.working:
            return
        for child in list(linked.orders):
            if child is entry or child.life != PENDING:
                continue
            if entry.filled == 0:
                self.orders.end_held(child, Reason.LIST_PARENT)
            elif child.triggered:
                self._send(child)
            elif child.type == LIMIT:
                self.orders.release(child, entry.filled)

    def _after_leg(self, leg: Order, linked: OrderList) -> None:
        """A leg changed: its sibling covers what is left, or goes."""
        left = leg.quantity - leg.filled
        for sibling in list(linked.orders):
            if sibling is leg or sibling.role == ROLE_ENTRY or is_closed(sibling.life):
                continue
            if left <= 0:
                self._take_back(sibling)
            elif sibling.triggered and sibling.life == PENDING:
                if is_closed(leg.life) and leg.working == 0:
                    self._send(sibling)
            elif leg.role == ROLE_OCO_LEG and _taken_back(leg):
                self._take_back(sibling)
            elif sibling.life == PENDING and sibling.quantity > left:
                self.orders.resize(sibling, left)


def _total(linked: OrderList, leg: Order) -> int:
    """What a list's legs are to execute together: of a bracket, what its entry has filled."""
    for order in linked.orders:
        if order.role == ROLE_ENTRY:
            return order.filled
    return leg.quantity


def _taken_back(leg: Order) -> bool:
    """Whether a leg ended by a person's cancel or its time, so that its sibling goes as well."""
    return leg.life == EXPIRED or (leg.life == CANCELLED and leg.reason != Reason.LIST_SIBLING)


def _reference(order: Order) -> int:
    """The price its trigger is compared with; 0 when there is none yet."""
    instrument = order.instrument
    by = order.terms.trigger_by
    if by == TRIGGER_LAST:
        return instrument.last
    if by == TRIGGER_MARK:
        return instrument.mark
    return instrument.ask if order.side == BUY else instrument.bid


def _fires(order: Order, price: int) -> bool:
    """Stops fire when the price goes against us, take-profits when it comes our way."""
    trigger = order.trigger_price
    if trigger <= 0:
        return False
    is_stop = order.type in (STOP, STOP_LIMIT, TRAILING_STOP)
    upwards = (order.side == BUY) == is_stop
    return price >= trigger if upwards else price <= trigger
