"""The real adapter over the real wire protocols: an engine, and the exchange that judges it.

    with Exchanges() as exchanges:
        account = exchanges.account("okx", "sqlite:///...")
        with trading(account) as trader:
            trader.order("buy", "0.01")
            trader.agrees()

Every wait ends with an event, or with an error after DEADLINE_S.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from live.live_books import Books, Order, differences, entry_cost
from live.live_engine import (
    DEADLINE_S,
    NUDGE_EVERY_S,
    PERPETUAL,
    SPOT,
    TIMING,
    is_ready,
    live_engine,
)
from live.live_world import Account
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.units import format_scaled
from zvt_trading.emulator import faults
from zvt_trading.messages.events import Event, OrderFilled
from zvt_trading.sim.parcels import Timing
from zvt_trading.types import FillInfo, OrderInfo, OrderRequest, OrderResult

T = TypeVar("T")


def trading(account: Account, timing: Timing = TIMING) -> "Trader":
    """An engine on this account, ready to trade."""
    trader = Trader(account, timing)
    trader.until_ready()
    return trader


class Trader:
    """An engine that trades one account."""

    def __init__(self, account: Account, timing: Timing = TIMING) -> None:
        """It may not be ready to trade yet: see `trading`."""
        self.account: Final = account
        self.events: list[Event] = []
        self._fills_before = 0
        self._silences_before = 0
        self.engine, self.world, self.gateway = live_engine(account.door(), timing)
        self.engine.subscribe(self._take)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.engine.close()

    # Orders.

    def order(self, side: str, quantity: str, symbol: str = SPOT, **fields: Any) -> OrderResult:
        """At market unless told."""
        return self.engine.place_order(
            OrderRequest(
                symbol=symbol, side=side, quantity=quantity, exchange=self.account.name, **fields
            )
        )

    def limit(
        self, side: str, quantity: str, price: Decimal, symbol: str = SPOT, **fields: Any
    ) -> OrderResult:
        """One at a price."""
        return self.order(side, quantity, symbol, order_type="limit", price=price, **fields)

    def info(self, order_id: str) -> OrderInfo:
        """An order as the engine sees it."""
        return self.engine.get_order(order_id)

    def bid(self, symbol: str) -> Decimal:
        """The best bid that the engine knows."""
        instrument = self.engine._state.markets[f"{self.account.name}:{symbol}"].instrument
        return Decimal(format_scaled(instrument.bid, instrument.price_scale))

    def at_once(self, *calls: Callable[[], T]) -> list[T]:
        """Calls from as many threads."""
        with ThreadPoolExecutor(len(calls)) as pool:
            return [future.result(4 * DEADLINE_S) for future in [pool.submit(c) for c in calls]]

    def fills(self) -> list[FillInfo]:
        """Executions since `begin`, or of this life."""
        return self.engine.get_fills()[self._fills_before :]

    def lots(self) -> list[object]:
        """The lots of all positions."""
        return [position.lots for position in self.engine.get_positions()]

    def is_paused(self) -> bool:
        """Whether the exchange told the adapter to be silent now."""
        return self.gateway._made().budget.paused_until > self.world.loop.loop.time()

    def end_pause(self) -> None:
        """The time of a ban is over, at both sides."""
        self.account.end_ban()
        self.gateway._made().budget.paused_until = 0.0

    # A test of several on one engine.

    def begin(self) -> None:
        """What was before does not count in `of_kind` and `fills`."""
        self.until_ready()
        self.account.begin()
        self._silences_before = self.account.has_happened(faults.FRAME_SILENCE)
        self.events.clear()
        self._fills_before = len(self.engine.get_fills())

    def end(self) -> None:
        """No order of it stays open; nothing goes wrong any more."""
        self.account.clean()
        if self.account.has_happened(faults.FRAME_SILENCE) > self._silences_before:
            self.until_reconnected()
        self.engine.cancel_all()
        self.until(self.world.simulation.is_settled, "everything is answered")

    # Waiting.

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait until it is so; looked at whenever the engine hears something."""
        assert self.world.waiters.wait(done, DEADLINE_S), f"not within {DEADLINE_S} s: {what}"

    def until_ready(self) -> None:
        """Wait until new orders may be sent."""
        end = time.monotonic() + DEADLINE_S
        while not self.world.waiters.wait(lambda: is_ready(self.engine), NUDGE_EVERY_S):
            assert time.monotonic() < end, f"not ready to trade within {DEADLINE_S} s"
            self.account.nudge()

    def until_reconnected(self) -> None:
        """Hang up, and wait until all streams are there again: a silent one misses frames."""
        venue = self.engine._state.venues[self.account.name]
        self.account.exchanges.disconnect(self.account.name)
        self.until(lambda: not venue.healthy, "the streams are gone")
        self.until_ready()

    def until_told(self, kind: type[T], count: int = 1) -> list[T]:
        """Wait for so many events of a kind in this life; returns them."""
        self.until(lambda: len(self.of_kind(kind)) >= count, f"{count} of {kind.__name__}")
        return self.of_kind(kind)

    def until_over(self, order_id: str) -> OrderInfo:
        """Wait until an order is over, and all its fills are told; returns it."""
        order = self.engine._state.orders[order_id]
        self.until(lambda: is_closed(order.life) and not order.working, f"the end of {order_id}")
        return self.info(order_id)

    def until_read(self, times: int = 1) -> None:
        """Wait until so many readings of the venue's history have begun and ended after now."""
        last = self.gateway.readings + times + 1  # one may have begun before
        self.until(lambda: self.gateway.readings >= last, "a reading")

    def of_kind(self, kind: type[T]) -> list[T]:
        """Events since `begin`, or of this life."""
        return [event for event in tuple(self.events) if isinstance(event, kind)]

    # The comparison that ends every card.

    def books(self) -> Books:
        """What the engine believes."""
        engine = self.engine
        cash = {one.asset: one.total for one in engine.get_portfolio_summary().balances}
        for holding in engine._state.portfolios["default"].holdings.values():
            if not holding.instrument.is_spot:
                position = holding.position
                cash["USDT"] -= entry_cost(holding.instrument, position.quantity, position.cost)
        return Books(
            cash,
            sorted(
                Order(one.order_id, one.price or Decimal(0), one.quantity, one.filled_quantity)
                for one in engine.get_orders(open_only=True)
                if one.status != "pending"
            ),
            {one.symbol: one.quantity for one in engine.get_positions() if one.symbol == PERPETUAL},
            sorted(self.account.told),
        )

    def agrees(self) -> None:
        """Wait until the engine's books are the exchange's, to the last unit, and sound."""
        self.until(self.world.simulation.is_settled, "everything is answered")
        end = time.monotonic() + DEADLINE_S
        while True:
            expected, actual = self.account.books(), self.books()
            if expected == actual or time.monotonic() > end:
                break
            now = self.world.simulation.now
            self.until(lambda then=now: self.world.simulation.now > then, "the next heartbeat")  # type: ignore[misc]  # the default binds it
        assert expected == actual, differences(expected, actual)
        assert len(set(actual.trades)) == len(actual.trades)
        assert all(row.difference == 0 for row in self.engine.ledger())

    def _take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, OrderFilled):
            self.account.told.append((event.order_id, event.trade_id))
