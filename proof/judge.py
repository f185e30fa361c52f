"""The verdict over one trial: the engine's journal against the venues' own records."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from proof.remote import Connection, read_statement
from proof.venues import read_record
from proof.wire import AskHistory
from zvt_trading.core.invariants import problems
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.reconcile import ORDER, differences
from zvt_trading.core.snapshot import digest
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.events import (
    Event,
    FundingSettled,
    OrderFilled,
    OrderPlaced,
    OrderReleased,
    PositionLiquidated,
)
from zvt_trading.ports.store import FIRST_CHECKSUM, Store
from zvt_trading.runtime.entries import checked
from zvt_trading.runtime.maintenance.verify import verify
from zvt_trading.sim.record import ROW_ACCEPTED, ROW_FILL, ROW_FUNDING, ROW_LIQUIDATION, Row

Key = tuple[Any, ...]


class Verdict(Struct):
    """Counts of what there was, and of what was wrong; `problems` in words."""

    venue_orders: int = 0
    fills: int = 0
    events: int = 0
    lost: int = 0
    doubled: int = 0
    fills_missed: int = 0
    fills_twice: int = 0
    ledger_errors: int = 0
    other: int = 0
    problems: list[str] = []

    @property
    def is_clean(self) -> bool:
        """Nothing was wrong."""
        return not self.problems


def judge(
    store: Store, folder: Path, connection: Connection, beliefs: Mapping[int, str]
) -> Verdict:
    """Everything, after the last life has settled.

    `beliefs` are digests of what engines took the state to be, by the number of the last event.
    """
    verdict = Verdict(problems=[])
    events = [event for _, event in checked(store.entries(0), store.name, 0, FIRST_CHECKSUM)]
    core = TradingCore(store.info().engine_tag)
    for event in events:
        core.replay(event)
        believed = beliefs.get(event.seq)
        if believed is not None and believed != digest(core.state, core.risk):
            verdict.ledger_errors += 1
            verdict.problems.append(f"I11 an engine believed otherwise after event {event.seq}")
    verdict.events = len(events)
    record = read_record(folder)
    for venue, rows in record.items():
        accepted = Counter(row.order_id for row in rows if row.kind == ROW_ACCEPTED)
        judge_orders(verdict, venue, accepted, events)
        _judge_entries(verdict, venue, rows, events)
    for venue in sorted(core.state.venues):
        statement = read_statement(connection.ask(AskHistory(venue, 0)))
        for difference in differences(core.state, venue, statement):
            if difference.subject_kind == ORDER:
                verdict.lost += 1
            else:
                verdict.ledger_errors += 1
            verdict.problems.append(str(difference))
    for problem in problems(core.state):
        verdict.ledger_errors += 1
        verdict.problems.append(problem)
    verified = verify(store)
    for problem in verified.problems:
        verdict.other += 1
        verdict.problems.append(problem)
    if verified.tables_seq != verified.entries:
        verdict.other += 1
        verdict.problems.append(
            f"closed in order, and the tables are at {verified.tables_seq} of {verified.entries}"
        )
    _judge_end(verdict, core)
    return verdict


def judge_orders(verdict: Verdict, venue: str, accepted: Counter[str], events: list[Event]) -> None:
    """I1: a durable intent for each order of the venue. I2: one order an intent.

    `accepted`: how often the venue took an order, by our id.
    """
    intents = {
        event.order_id
        for event in events
        if isinstance(event, OrderReleased) or (isinstance(event, OrderPlaced) and not event.held)
    }
    verdict.venue_orders += accepted.total()
    for order_id, count in accepted.items():
        if order_id not in intents:
            verdict.lost += 1
            verdict.problems.append(f"I1 {venue} has {order_id}, the journal has no intent")
        if count > 1:
            verdict.doubled += 1
            verdict.problems.append(f"I2 {venue} has {count} orders for the intent {order_id}")


def _judge_entries(verdict: Verdict, venue: str, rows: list[Row], events: list[Event]) -> None:
    """I4: each fill, funding and liquidation was applied once, with the venue's numbers."""
    theirs = Counter(key for key in map(_row_key, rows) if key is not None)
    ours = Counter(key for key in (_event_key(event, venue) for event in events) if key)
    verdict.fills += sum(1 for row in rows if row.kind == ROW_FILL)
    for key in theirs - ours:
        verdict.fills_missed += 1
        verdict.problems.append(f"I4 {venue}: not applied {key}")
    for key in ours - theirs:
        verdict.fills_twice += 1
        verdict.problems.append(
            f"I4 {venue}: applied {ours[key]} times, happened {theirs[key]}: {key}"
        )


def _row_key(row: Row) -> Key | None:
    if row.kind == ROW_FILL:
        return (
            row.account, row.instrument, row.order_id, row.trade_id, row.side, row.price,
            row.quantity, row.liquidity, row.asset, row.amount,
        )  # fmt: skip
    if row.kind == ROW_FUNDING:
        return (row.account, row.instrument, row.trade_id, row.amount, row.rate)
    if row.kind == ROW_LIQUIDATION:
        return (
            row.account, row.instrument, row.trade_id, row.side, row.price, row.quantity,
            row.amount, row.insurance,
        )  # fmt: skip
    return None


def _event_key(event: Event, venue: str) -> Key | None:
    if not isinstance(event, OrderFilled | FundingSettled | PositionLiquidated):
        return None
    if not event.instrument.startswith(f"{venue}:"):
        return None
    if isinstance(event, OrderFilled):
        return (
            event.portfolio, event.instrument, event.order_id, event.trade_id, event.side,
            event.price, event.quantity, event.liquidity, event.fee_asset, event.fee,
        )  # fmt: skip
    if isinstance(event, FundingSettled):
        return (event.portfolio, event.instrument, event.funding_id, event.amount, event.rate)
    return (
        event.portfolio, event.instrument, event.trade_id, event.side, event.price,
        event.quantity, event.fee, event.insurance,
    )  # fmt: skip


def _judge_end(verdict: Verdict, core: TradingCore) -> None:
    """I3 and I16: with the faults gone, every order has an outcome, and the engine trades."""
    for order in core.state.orders.values():
        if is_closed(order.life) and (order.working or order.hold):
            verdict.ledger_errors += 1
            verdict.problems.append(f"I3 {order.id} is over and still reserves {order.hold}")
    if core.state.suspended:
        verdict.other += 1
        verdict.problems.append(f"I16 suspended: {core.state.suspended}")
