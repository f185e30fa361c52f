"""Placing orders: from a request to the core's decision, and from what became of it to a result."""

from collections.abc import Callable, Sequence
from typing import Final

from zvt_trading.core.state import Order, State
from zvt_trading.errors import EngineError
from zvt_trading.messages.commands import AmendOrder, SubmitOrder, SubmitOrderList
from zvt_trading.messages.events import AmendRefused, Event, OrderPlaced, OrderRefused
from zvt_trading.runtime.driver import Driver
from zvt_trading.runtime.requests import to_amend, to_command
from zvt_trading.runtime.results import (
    amend_refused_result,
    amend_result,
    is_answered,
    order_result,
    refused_result,
)
from zvt_trading.types import Number, OrderRequest, OrderResult

Finish = Callable[[], OrderResult]


class Placing:
    """All but `read` are for the thread that the engine belongs to."""

    def __init__(self, driver: Driver, state: State) -> None:
        self._driver: Final = driver
        self._state: Final = state

    def read(self, request: OrderRequest) -> SubmitOrder | None:
        """What a request means, found out while others use the engine: scales do not change.

        None when it cannot be meant, which `begin` says, when the engine stands still.
        """
        try:
            return to_command(self._state, request)
        except Exception:  # noqa: BLE001 - it is raised again then
            return None

    def begin(self, request: OrderRequest, command: SubmitOrder | None) -> Finish:
        """Decide on an order; what is returned says what became of it, once it has left."""
        if command is None:
            command = to_command(self._state, request)
        self._driver.keep_pace()
        event = self._driver.decide(command, leave=False)[-1]
        if isinstance(event, OrderRefused):
            refusal = event
            return lambda: self._driver.advised(refused_result(self._state, refusal))
        order = self._placed(event)
        return lambda: self._finish(order)

    def place_list(self, command: SubmitOrderList) -> tuple[OrderResult, ...]:
        """Place linked orders and wait for the answers."""
        self._driver.keep_pace()
        events = self._driver.decide(command)
        for event in events:
            if isinstance(event, OrderRefused):
                result = self._driver.advised(refused_result(self._state, event))
                return (result,) * len(command.orders)
        orders = [self._placed(event) for event in events]
        self._driver.wait_until(lambda: all(is_answered(order) for order in orders))
        return tuple(self._driver.advised(order_result(order)) for order in orders)

    def terms(
        self,
        order: Order,
        price: Number | None,
        quantity: Number | None,
        trigger_price: Number | None,
    ) -> AmendOrder:
        """New terms of an order; CallerError when they cannot be meant."""
        return to_amend(order.instrument, order.id, price, quantity, trigger_price)

    def amend(self, order: Order, command: AmendOrder) -> OrderResult:
        """Change the terms of an order and wait for the answer."""
        event = self._driver.decide(command)[-1]
        if isinstance(event, AmendRefused):
            return self._driver.advised(amend_refused_result(order, event))
        self._driver.wait_until(lambda: not order.pending)
        return self.amended(order, command)

    def amended(self, order: Order, command: AmendOrder) -> OrderResult:
        """What became of an amend."""
        return amend_result(order, command.price, command.quantity, command.trigger_price)

    def unanswered(self, results: Sequence[OrderResult]) -> list[Order]:
        """The orders of these results for whose answers a live caller waits still."""
        found: list[Order] = []
        for result in results:
            order = self._state.orders.get(result.order_id)
            if order is not None and not is_answered(order):
                found.append(order)
        return found

    def again(self, results: Sequence[OrderResult]) -> tuple[OrderResult, ...]:
        """The results as they are by now."""
        orders = self._state.orders
        return tuple(
            self._driver.advised(order_result(orders[result.order_id]))
            if result.order_id in orders
            else result
            for result in results
        )

    def _finish(self, order: Order) -> OrderResult:
        if not is_answered(order):
            self._driver.wait_until(lambda: is_answered(order))
        return self._driver.advised(order_result(order))

    def _placed(self, event: Event) -> Order:
        """The order that a decision made."""
        if not isinstance(event, OrderPlaced):
            raise EngineError(f"an order was neither placed nor refused: {event}")
        return self._state.orders[event.order_id]
