"""Planted bugs, from outside the engine: each must be found, or the harness proves nothing.

Modules may be compiled, so nothing is patched: a sabotage subscribes to the events and tells the
engine or a venue something false, exchanges a link, moves a cursor, or changes a number in a book.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from simulation.harness import Run, Sabotage
from zvt_trading.core.rng import Rng
from zvt_trading.messages.codes import ACTIVE, BUY, MARKET, SCOPE_SYMBOL
from zvt_trading.messages.commands import LimitSet
from zvt_trading.messages.events import (
    Event,
    FundingSettled,
    LimitsSet,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderPlaced,
    OrderUnknown,
    TradingStateChanged,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    AbsenceProven,
    Fill,
    FundingPaid,
    VenueCancelled,
    VenueRejected,
)
from zvt_trading.sim.link import Link, LinkProfile
from zvt_trading.sim.parcels import OUR_CHECK, Parcel
from zvt_trading.sim.record import ROW_FILL, Row

NEVER: Final = 10**9


def on_first(kind: type, act: Callable[[Run, Event], None]) -> Sabotage:
    """Act once, at the first event of a kind."""

    def plant(run: Run) -> None:
        done: list[Event] = []

        def watch(event: Event) -> None:
            if isinstance(event, kind) and not done:
                done.append(event)
                act(run, event)

        run.simulation.subscribers.append(watch)

    return plant


def on_each(kind: type, act: Callable[[Run, Event], None]) -> Sabotage:
    """Act at every event of a kind."""

    def plant(run: Run) -> None:
        def watch(event: Event) -> None:
            if isinstance(event, kind):
                act(run, event)

        run.simulation.subscribers.append(watch)

    return plant


def _row_of(run: Run, event: OrderFilled) -> Row:
    """The venue's row of a fill."""
    for exchange in run.world.exchanges.values():
        for row in exchange.record.rows:
            if row.kind == ROW_FILL and (row.order_id, row.trade_id) == (
                event.order_id,
                event.trade_id,
            ):
                return row
    raise AssertionError(f"no row of {event}")


def fill_twice(run: Run, event: Event) -> None:
    """A fill is applied again, under another trade id."""
    assert isinstance(event, OrderFilled)
    again = Fill(
        event.order_id, f"{event.trade_id}-again", event.price, event.quantity, event.liquidity,
        event.fee_asset, event.fee, event.ts_venue,
    )  # fmt: skip
    run.simulation.core.report(run.simulation.now, again)


def funding_twice(run: Run, event: Event) -> None:
    """Funding is applied again, under another id."""
    assert isinstance(event, FundingSettled)
    again = FundingPaid(
        event.portfolio, event.instrument, event.rate, event.amount, "again", event.ts_venue
    )
    run.simulation.core.report(run.simulation.now, again)


def never_fetch(run: Run) -> None:
    """No venue's history is fetched from now on."""
    for venue in run.simulation.core.state.venues.values():
        venue.history_cursor = NEVER


def lose_fills(run: Run) -> None:
    """Half of the reports are lost, and the history is never fetched."""
    for port in run.simulation.ports.values():
        port.inward = Link(LinkProfile(loss_ppm=500_000), Rng(1))
    never_fetch(run)


def change_price(run: Run, event: Event) -> None:
    """The venue remembers another price than it told."""
    assert isinstance(event, OrderFilled)
    _row_of(run, event).price += 1


def change_fee(run: Run, event: Event) -> None:
    """The venue remembers another fee than it told."""
    assert isinstance(event, OrderFilled)
    _row_of(run, event).amount += 1


def forget_row(run: Run, event: Event) -> None:
    """The venue does not remember a fill at all."""
    assert isinstance(event, OrderFilled)
    row = _row_of(run, event)
    for exchange in run.world.exchanges.values():
        if row in exchange.record.rows:
            exchange.record.rows.remove(row)


def silent_money(run: Run, event: Event) -> None:
    """One unit of money arrives that we are not told of."""
    assert isinstance(event, OrderPlaced)
    venue = event.instrument.partition(":")[0]
    run.world.exchanges[venue].credit(event.request.portfolio, "USDT", 1, run.simulation.now)


def silent_position(run: Run, event: Event) -> None:
    """The venue's position is not what was traded."""
    assert isinstance(event, OrderFilled)
    venue = event.instrument.partition(":")[0]
    seat = run.world.exchanges[venue].seat(event.portfolio, event.instrument)
    if seat is not None and not seat.is_spot:
        seat.quantity += 1


def reject_on_timeout(run: Run, event: Event) -> None:
    """No answer is taken for a refusal."""
    assert isinstance(event, OrderUnknown)
    now = run.simulation.now
    run.simulation.core.report(now, AbsenceProven(event.order_id, "timeout", now))


def blind_retry(run: Run, event: Event) -> None:
    """No answer is taken for a reason to send again."""
    assert isinstance(event, OrderUnknown)
    run.simulation._send_order(event.order_id, 0)


def doubled_requests(run: Run) -> None:
    """The network doubles requests, also to the venues that allow an id again."""
    for port in run.simulation.ports.values():
        port.outward = Link(LinkProfile(duplicate_ppm=1_000_000), Rng(1))


def alien_order(run: Run, event: Event) -> None:
    """Somebody else trades on the account."""
    assert isinstance(event, OrderFilled)
    exchange = run.world.exchanges[event.instrument.partition(":")[0]]
    exchange.submit(
        run.simulation.now, "alien", event.portfolio, event.instrument, BUY, MARKET, 0,
        event.quantity,
    )  # fmt: skip


def false_cancel(run: Run, event: Event) -> None:
    """We believe an order cancelled that works on."""
    assert isinstance(event, OrderAccepted)
    now = run.simulation.now
    run.simulation.core.report(now, VenueCancelled(event.order_id, int(Reason.USER), now, 0))


def false_filled(run: Run, event: Event) -> None:
    """The end of an order speaks of fills that never were."""
    assert isinstance(event, OrderAccepted)
    now = run.simulation.now
    run.simulation.core.report(now, VenueCancelled(event.order_id, int(Reason.USER), now, 10**6))


def false_reject(run: Run, event: Event) -> None:
    """We believe an order refused that the venue has, and do not ask again."""
    assert isinstance(event, OrderPlaced)
    now = run.simulation.now
    for port in run.simulation.ports.values():
        port.inward = Link(LinkProfile(loss_ppm=1_000_000), Rng(1))
    never_fetch(run)
    if not event.held:
        reason = int(Reason.VENUE_REJECTED)
        run.simulation.core.report(now, VenueRejected(event.order_id, reason, "no", now))


def falsify_journal(run: Run, event: Event) -> None:
    """What was written is not what happened."""
    assert isinstance(event, OrderFilled)
    at = run.journal.index(event)
    run.journal[at] = msgspec.structs.replace(event, price=event.price + 1)


def drop_from_journal(run: Run, event: Event) -> None:
    """An event is not written."""
    run.journal.remove(event)


def miscount_open(run: Run, event: Event) -> None:
    """An open quantity is counted wrongly."""
    assert isinstance(event, OrderFilled)
    portfolio = run.simulation.core.state.portfolios[event.portfolio]
    portfolio.holdings[event.instrument].open_buy += 5


def forge_money(run: Run, event: Event) -> None:
    """One unit of money appears in our ledger."""
    assert isinstance(event, OrderFilled)
    portfolio = run.simulation.core.state.portfolios[event.portfolio]
    portfolio.holdings[event.instrument].settle.total += 1


def leak_reservation(run: Run, event: Event) -> None:
    """A reservation outlives its order."""
    assert isinstance(event, OrderCancelled)
    order = run.simulation.core.state.orders[event.order_id]
    order.hold_balance.hold(1)


def loosen_limits(run: Run, event: Event) -> None:
    """The gate forgets the limits it was given."""
    assert isinstance(event, LimitsSet)
    key = event.limits.key
    if event.limits.scope == SCOPE_SYMBOL:
        run.simulation.core.risk.on_limits_set(LimitSet(scope=SCOPE_SYMBOL, key=key))


def ignore_halt(run: Run, event: Event) -> None:
    """A halt is noted and not obeyed."""
    assert isinstance(event, TradingStateChanged)
    run.simulation.core.state.trading_state = ACTIVE


def flood(run: Run, event: Event) -> None:
    """Reminders pile up."""
    assert isinstance(event, OrderAccepted)
    for _ in range(1_000):
        run.simulation._push(1 << 62, Parcel(OUR_CHECK, "", "", 0))


def crash(run: Run, event: Event) -> None:
    """A subscriber of the engine's own raises."""
    raise ArithmeticError(f"{run.result.seed}: {event}")


# What is planted, the invariant that must speak, and within how many seeds it does.
SABOTAGES: Final[tuple[tuple[str, Sabotage, str, int], ...]] = (
    ("fill twice", on_first(OrderFilled, fill_twice), "I4", 2),
    ("funding twice", on_first(FundingSettled, funding_twice), "I4", 6),
    ("lose fills", lose_fills, "I4", 3),
    ("change price", on_first(OrderFilled, change_price), "I4", 2),
    ("change fee", on_first(OrderFilled, change_fee), "I4", 2),
    ("forget row", on_first(OrderFilled, forget_row), "I4", 2),
    ("silent money", on_first(OrderPlaced, silent_money), "I5", 2),
    ("silent position", on_each(OrderFilled, silent_position), "I6", 6),
    ("reject on timeout", on_each(OrderUnknown, reject_on_timeout), "I3", 4),
    ("blind retry", on_each(OrderUnknown, blind_retry), "I2", 20),
    ("doubled requests", doubled_requests, "I2", 8),
    ("alien order", on_first(OrderFilled, alien_order), "I1", 2),
    ("false cancel", on_each(OrderAccepted, false_cancel), "I6", 3),
    ("false filled", on_first(OrderAccepted, false_filled), "I8", 4),
    ("false reject", on_first(OrderPlaced, false_reject), "I6", 6),
    ("falsify journal", on_first(OrderFilled, falsify_journal), "I7", 2),
    ("drop from journal", on_first(OrderFilled, drop_from_journal), "Error", 2),
    ("miscount open", on_first(OrderFilled, miscount_open), "I8", 2),
    ("forge money", on_first(OrderFilled, forge_money), "sum to", 2),
    ("leak reservation", on_first(OrderCancelled, leak_reservation), "held", 2),
    ("loosen limits", on_each(LimitsSet, loosen_limits), "I8", 16),
    ("ignore halt", on_each(TradingStateChanged, ignore_halt), "I10", 12),
    ("flood", on_each(OrderAccepted, flood), "I12", 2),
    ("crash", on_first(OrderFilled, crash), "ArithmeticError", 2),
)
