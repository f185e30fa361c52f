"""Planted bugs: small sabotages of our own code, each of which the proof must find.

A plant is carried out in the engine's process only. The venues, and the judge, who replays the
journal, are as they should be.
"""

from collections.abc import Callable
from itertools import count
from typing import Any, Final

import msgspec

from zvt_trading.adapters.store import sqlite_store
from zvt_trading.core import evolve, evolve_orders
from zvt_trading.core.evolve_orders import OrderEvolver
from zvt_trading.core.ledger import Balance, Ledger
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.order_manager import OrderManager
from zvt_trading.core.order_reports import OrderReports
from zvt_trading.core.risk_manager import RiskManager
from zvt_trading.core.state import Order
from zvt_trading.messages.codes import BUY, SELL, SUBMITTED
from zvt_trading.messages.events import Event, OrderFilled, OrderPlaced
from zvt_trading.messages.reports import AbsenceProven, Fill, VenueCancelled
from zvt_trading.runtime import recovery
from zvt_trading.runtime.entries import Chain
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.projections import Projector
from zvt_trading.runtime.table_writer import TableWriter
from zvt_trading.sim import restart as restarting
from zvt_trading.sim.cashier import Cashier
from zvt_trading.sim.restart import Restart
from zvt_trading.sim.simulation import Simulation
from zvt_trading.sim.venue_api import VenueApi


def _around(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put what `make` makes of a function in its place."""
    setattr(owner, name, make(getattr(owner, name)))


def _send(venue: VenueApi, order: Order, now: int, order_id: str) -> None:
    """An order of these terms, under another id."""
    venue.submit(
        now, order_id, order.holding.portfolio.name, order.instrument.id, order.side, order.type,
        order.price, order.quantity, trigger_price=order.trigger_price,
    )  # fmt: skip


# What is durable, and when.


def intents_are_not_kept() -> None:
    """Orders are sent without having been written down."""

    def make(commit: Any) -> Any:
        def commit_others(keeper: Keeper, events: list[Event]) -> bool:
            if any(isinstance(event, OrderPlaced) for event in events):
                return True
            return bool(commit(keeper, events))

        return commit_others

    _around(Keeper, "commit", make)


def sent_before_it_is_durable() -> None:
    """A group is written when the next one is there."""
    held: list[list[Event]] = []

    def make(commit: Any) -> Any:
        def commit_late(keeper: Keeper, events: list[Event]) -> bool:
            held.append(list(events))
            return bool(commit(keeper, held.pop(0))) if len(held) > 1 else True

        return commit_late

    _around(Keeper, "commit", make)


def the_last_of_a_group_is_lost() -> None:
    """Of a group of several events the last one is not written."""

    def make(entries: Any) -> Any:
        return lambda chain, events: entries(chain, events[:-1] if len(events) > 1 else events)

    _around(Chain, "entries", make)


def a_group_is_written_twice() -> None:
    """Under the numbers after its own."""

    def make(commit: Any) -> Any:
        def commit_twice(keeper: Keeper, events: list[Event]) -> bool:
            return bool(commit(keeper, events) and commit(keeper, events))

        return commit_twice

    _around(Keeper, "commit", make)


def nothing_is_flushed() -> None:
    """SQLite is told not to wait for the disk."""
    _with_pragma("synchronous = OFF")


def only_checkpoints_are_flushed() -> None:
    """SQLite's faster setting, with which the last commits may go with the power."""
    _with_pragma("synchronous = NORMAL")


def _with_pragma(pragma: str) -> None:
    def make(open_: Any) -> Any:
        def opened(store: Any) -> Any:
            connection = open_(store)
            connection.execute(f"PRAGMA {pragma}")
            return connection

        return opened

    _around(sqlite_store.SqliteStore, "_open", make)


# After a restart.


def the_tail_is_not_replayed() -> None:
    """The engine goes on from the snapshot, as if nothing had been written since."""
    _around(recovery, "_replayed", lambda _: lambda *_arguments: iter(()))


def unanswered_orders_are_given_up() -> None:
    """What was sent and not answered is taken for never sent, whatever is heard of it later."""

    def make(unresolved: Any) -> Any:
        def give_up(restart: Restart, now: int) -> list[Order]:
            for order in list(restart.core.state.orders.values()):
                if order.life == SUBMITTED:
                    restart.core.report(now, AbsenceProven(order.id, "given up", now))
            found: list[Order] = unresolved(restart, now)
            return found

        return give_up

    def ignore_late(accepted: Any) -> Any:
        return lambda reports, order, report: (
            None if is_closed(order.life) else accepted(reports, order, report)
        )

    _around(Restart, "unresolved", make)
    _around(OrderReports, "_accepted", ignore_late)


def unanswered_orders_are_sent_again() -> None:
    """Under a new id, so that the venue cannot know."""
    numbers = count(1)

    def make(unresolved: Any) -> Any:
        def again(restart: Restart, now: int) -> list[Order]:
            for order in list(restart.core.state.orders.values()):
                if order.life == SUBMITTED:
                    venue = restart.ports[order.instrument.venue].exchange
                    _send(venue, order, now, f"{order.id[:22]}f{next(numbers):09x}")
            found: list[Order] = unresolved(restart, now)
            return found

        return again

    _around(Restart, "unresolved", make)


def histories_are_not_read() -> None:
    """What happened at the venues meanwhile is not taken in."""

    def make(read: Any) -> Any:
        def read_nothing(restart: Restart, venue: str, history: Any, now: int) -> None:
            history.reports.clear()
            read(restart, venue, history, now)

        return read_nothing

    _around(Restart, "read", make)


def fills_of_histories_are_not_read() -> None:
    """As before, and the venues' books are believed to be ours."""
    histories_are_not_read()
    _around(restarting, "differences", lambda _: lambda *_arguments: [])


def moves_are_not_repeated() -> None:
    """Money that was decided on, and not yet moved, stays where it is."""
    _around(recovery, "_moves", lambda _: lambda *_arguments: [])


def moves_are_repeated_as_new() -> None:
    """Money moves again, under a key that the venue does not know."""
    again = count(1)

    def make(carry_out: Any) -> Any:
        def carry_out_as_new(cashier: Cashier, event: Any, now: int) -> None:
            as_new = msgspec.structs.replace(event, seq=event.seq * 1_000 + next(again))
            carry_out(cashier, as_new, now)

        return carry_out_as_new

    _around(Cashier, "carry_out", make)


# Orders and fills.


def an_order_id_is_used_twice() -> None:
    """Every second order gets the id of the one before."""

    def make(next_id: Any) -> Any:
        last: list[str] = []

        def repeat(manager: OrderManager) -> str:
            order_id: str = next_id(manager)
            if last:
                manager.last_order_id = last[0]
                return last.pop()
            last.append(order_id)
            return order_id

        return repeat

    _around(OrderManager, "_next_id", make)


def an_order_is_sent_twice() -> None:
    """Once more under another id."""

    def make(submit_to: Any) -> Any:
        def submit_twice(simulation: Simulation, venue: VenueApi, order: Order, worst: int) -> Any:
            _send(venue, order, simulation.now, f"{order.id[:22]}e{order.id[23:]}")
            return submit_to(simulation, venue, order, worst)

        return submit_twice

    _around(Simulation, "_submit_to", make)


def fills_are_not_told_apart() -> None:
    """A report of a fill that is known is a fill."""

    def make(fill: Any) -> Any:
        def fill_again(reports: OrderReports, order: Order, report: Fill) -> None:
            if report.trade_id in order.trade_ids:
                order.trade_ids.remove(report.trade_id)
            fill(reports, order, report)

        return fill_again

    _around(OrderReports, "_fill", make)


def some_fills_are_dropped() -> None:
    """Those of even quantity."""

    def make(fill: Any) -> Any:
        def fill_some(reports: OrderReports, order: Order, report: Fill) -> None:
            if report.quantity // 1_000 % 2:
                fill(reports, order, report)

        return fill_some

    _around(OrderReports, "_fill", make)


def fills_after_the_end_are_dropped() -> None:
    """A fill that arrives after the cancel was confirmed is ignored."""
    _around(
        OrderReports,
        "_fill",
        lambda fill: (
            lambda reports, order, report: (
                None if is_closed(order.life) else fill(reports, order, report)
            )
        ),
    )


def cancels_are_believed() -> None:
    """An order is over as soon as its cancel was asked for."""

    def make(cancel_order: Any) -> Any:
        def cancel_at_once(manager: OrderManager, order: Order, reason: int) -> None:
            cancel_order(manager, order, reason)
            recorder = manager.recorder
            OrderReports(recorder, manager).take(VenueCancelled(order.id, 0, -1, recorder.now))

        return cancel_at_once

    _around(OrderManager, "cancel_order", make)


# Books.


def fills_are_booked_twice() -> None:
    """In the position and the cash."""

    def make(book_fill: Any) -> Any:
        def book_twice(*arguments: Any) -> int:
            book_fill(*arguments)
            return int(book_fill(*arguments))

        return book_twice

    _around(evolve_orders, "book_fill", make)


def sides_are_swapped() -> None:
    """A fill is booked as one of the other side."""

    def make(book_fill: Any) -> Any:
        def book(state: Any, holding: Any, side: int, *rest: Any) -> int:
            return int(book_fill(state, holding, SELL if side == BUY else BUY, *rest))

        return book

    _around(evolve_orders, "book_fill", make)


def fees_have_the_wrong_sign() -> None:
    """They are earned."""

    def make(book_fee: Any) -> Any:
        def book(state: Any, holding: Any, asset: str, fee: int, price: int, ts: int) -> None:
            book_fee(state, holding, asset, -fee, price, ts)

        return book

    _around(evolve_orders, "book_fee", make)


def fees_are_rounded_down() -> None:
    """To whole thousands of the smallest unit."""

    def make(book_fee: Any) -> Any:
        def book(state: Any, holding: Any, asset: str, fee: int, price: int, ts: int) -> None:
            book_fee(state, holding, asset, fee // 1_000 * 1_000, price, ts)

        return book

    _around(evolve_orders, "book_fee", make)


def funding_has_the_wrong_sign() -> None:
    """Who should pay is paid."""

    def make(book_funding: Any) -> Any:
        return lambda state, holding, amount: book_funding(state, holding, -amount)

    _around(evolve, "book_funding", make)


def transfers_arrive_short() -> None:
    """One unit less than was sent."""

    def make(transfer: Any) -> Any:
        def short(ledger: Ledger, source: Balance, target: Balance, amount: int) -> None:
            transfer(ledger, source, target, amount)
            target.total -= 1

        return short

    _around(Ledger, "transfer", make)


def reservations_are_freed_early() -> None:
    """When the venue has accepted the order."""

    def make(accept: Any) -> Any:
        def accept_and_free(evolver: OrderEvolver, order: Order, venue_order_id: str) -> None:
            accept(evolver, order, venue_order_id)
            order.hold_balance.release(order.hold)
            order.hold = 0

        return accept_and_free

    _around(OrderEvolver, "accept", make)


def limits_are_not_remembered() -> None:
    """Limits that were set count for nothing."""
    _around(RiskManager, "on_limits_set", lambda _: lambda *_arguments: None)


# Tables.


def the_tables_lack_fills() -> None:
    """What was filled is not in the tables."""

    def make(take: Any) -> Any:
        def take_others(projector: Projector, event: Event) -> None:
            if isinstance(event, OrderFilled):
                projector.core.replay(event)
            else:
                take(projector, event)

        return take_others

    _around(Projector, "take", make)


def the_tables_skip_groups() -> None:
    """Every fifth group does not reach the tables."""
    numbers = count(1)

    def make(add: Any) -> Any:
        def add_some(writer: TableWriter, events: Any, entries: Any) -> None:
            if next(numbers) % 5:
                add(writer, events, entries)

        return add_some

    _around(TableWriter, "add", make)


KILLS: Final = "kills"
POWER: Final = "power"
SEVERAL: Final = 100
"""For what shows only when a life dies at the right moment: on a busy machine that is rarer."""


class Planted(msgspec.Struct, frozen=True):
    """A sabotage, what part of the proof finds it, and in how many trials or images at most."""

    carry_out: Callable[[], None]
    part: str = KILLS
    trials: int = 5


PLANTS: Final[dict[str, Planted]] = {
    plant.__name__: Planted(plant, part, trials)
    for plant, part, trials in (
        (intents_are_not_kept, KILLS, 2),
        (sent_before_it_is_durable, KILLS, 10),
        (the_last_of_a_group_is_lost, KILLS, 2),
        (a_group_is_written_twice, KILLS, 2),
        (nothing_is_flushed, POWER, 100),
        (only_checkpoints_are_flushed, POWER, 100),
        (the_tail_is_not_replayed, KILLS, 4),
        (unanswered_orders_are_given_up, KILLS, SEVERAL),
        (unanswered_orders_are_sent_again, KILLS, SEVERAL),
        (histories_are_not_read, KILLS, SEVERAL),
        (fills_of_histories_are_not_read, KILLS, SEVERAL),
        (moves_are_not_repeated, KILLS, SEVERAL),
        (moves_are_repeated_as_new, KILLS, SEVERAL),
        (an_order_id_is_used_twice, KILLS, 4),
        (an_order_is_sent_twice, KILLS, 4),
        (fills_are_not_told_apart, KILLS, SEVERAL),
        (some_fills_are_dropped, KILLS, SEVERAL),
        (fills_after_the_end_are_dropped, KILLS, SEVERAL),
        (cancels_are_believed, KILLS, SEVERAL),
        (fills_are_booked_twice, KILLS, 4),
        (sides_are_swapped, KILLS, 4),
        (fees_have_the_wrong_sign, KILLS, 4),
        (fees_are_rounded_down, KILLS, 10),
        (funding_has_the_wrong_sign, KILLS, SEVERAL),
        (transfers_arrive_short, KILLS, SEVERAL),
        (reservations_are_freed_early, KILLS, 10),
        (limits_are_not_remembered, KILLS, SEVERAL),
        (the_tables_lack_fills, KILLS, 4),
        (the_tables_skip_groups, KILLS, 4),
    )
}
"""By name."""
