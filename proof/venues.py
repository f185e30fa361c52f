"""The venues' process: simulated exchanges with records of their own, which are the judge.

What they were told to do is appended to a file before they do it, and what happened there to
another one, a row a line; both are flushed to the operating system at every line, so they are
complete whatever becomes of the engine's process.
"""

import os
import socket
from pathlib import Path
from typing import Any, Final

import msgspec

from proof.wire import (
    Action,
    Amend,
    AskFree,
    AskHistory,
    AskOrder,
    Cancel,
    Credit,
    Leverage,
    Market,
    Question,
    Reply,
    Request,
    Submit,
    Time,
    encode,
    read_action,
    receive_request,
    send,
)
from simulation.worlds import World, add_venues
from zvt_trading.messages.market import QuoteTick
from zvt_trading.messages.reports import Report
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.record import Row
from zvt_trading.sim.venue_books import statement

ACTIONS: Final = "actions.jsonl"
RECORD: Final = "record.jsonl"
_FIELDS: Final = (
    "seq", "ts", "kind", "account", "instrument", "order_id", "side", "price", "quantity",
    "liquidity", "trade_id", "asset", "amount", "rate", "insurance", "reason",
)  # fmt: skip


class Venues:
    """The exchanges of one seed, and what they were told."""

    def __init__(self, seed: int, folder: Path) -> None:
        world = World(seed)
        add_venues(world)
        self.exchanges: dict[str, SimExchange] = world.exchanges
        self.now = 0
        self._written = dict.fromkeys(self.exchanges, 0)
        self._actions = os.open(folder / ACTIONS, _APPEND, 0o600)
        self._record = os.open(folder / RECORD, _APPEND, 0o600)

    def repeat(self, lines: list[bytes]) -> None:
        """Do what venues before these were told."""
        for line in lines:
            self.act(read_action(line))

    def serve(self, path: Path) -> None:
        """Serve one engine after the other, for ever. What one had sent is done before the next."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(8)
            while True:
                wire, _ = listener.accept()
                with wire:
                    while (request := receive_request(wire)) is not None:
                        reply = self.reply(request)
                        try:
                            send(wire, reply)
                        except OSError:
                            break

    def reply(self, request: Request) -> Reply:
        """Do, or answer."""
        if isinstance(request, Question):
            return self._answer(request)
        return self.act(request)

    def act(self, action: Action) -> Reply:
        """Keep an action, do it, and keep what it led to."""
        os.write(self._actions, encode(action) + b"\n")
        reply = self._act(action, self.exchanges[action.venue])
        self._keep_record()
        return reply

    def _act(self, action: Action, exchange: SimExchange) -> Reply:
        if isinstance(action, Leverage):
            done = exchange.set_leverage(
                action.account, action.instrument_id, action.leverage, action.mode
            )
            return Reply(flag=done)
        self.now = max(self.now, action.now)
        if isinstance(action, Credit):
            if action.amount > 0:
                exchange.credit(action.account, action.asset, action.amount, action.now, action.key)
                return Reply(flag=True)
            return Reply(
                flag=exchange.debit(
                    action.account, action.asset, -action.amount, action.now, action.key
                )
            )
        return Reply(reports=list(self._reports(action, exchange)))

    def _reports(
        self, action: Submit | Cancel | Amend | Market | Time, exchange: SimExchange
    ) -> list[Report]:
        if isinstance(action, Submit):
            return exchange.submit(
                action.now, action.order_id, action.account, action.instrument_id, action.side,
                action.order_type, action.price, action.quantity, action.tif, action.expire_ts,
                action.post_only, action.reduce_only, action.worst_price, action.trigger_price,
                action.trigger_by,
            )  # fmt: skip
        if isinstance(action, Cancel):
            return exchange.cancel(action.now, action.order_id)
        if isinstance(action, Amend):
            return exchange.amend(action.now, action.order_id, action.price, action.quantity)
        if isinstance(action, Time):
            return exchange.on_time(action.now)
        if isinstance(action.message, QuoteTick):
            return exchange.on_quote(action.now, action.message)
        return exchange.on_market(action.now, action.message)

    def _answer(self, question: Question) -> Reply:
        if isinstance(question, AskOrder):
            answer = self.exchanges[question.venue].answer(question.order_id)
            return Reply(reports=answer.reports, price=answer.price, quantity=answer.quantity)
        if isinstance(question, AskHistory):
            return self._history(question)
        if isinstance(question, AskFree):
            exchange = self.exchanges[question.venue]
            return Reply(
                number=exchange.free(question.account, question.asset) if question.asset else 0,
                flag=exchange.is_flat(question.account, question.instrument_id),
            )
        return Reply(number=self.now)

    def _history(self, question: AskHistory) -> Reply:
        exchange = self.exchanges[question.venue]
        history = exchange.history(question.cursor)
        stated = statement(exchange.accounts, exchange.desk.open)
        return Reply(
            reports=history.reports,
            number=history.cursor,
            cash=[(row.account, row.asset, row.total) for row in stated.cash],
            positions=[
                (row.account, row.instrument, row.quantity, row.cost) for row in stated.positions
            ],
            orders=[(row.order_id, row.price, row.quantity, row.filled) for row in stated.orders],
        )

    def _keep_record(self) -> None:
        """The rows that are new."""
        lines = bytearray()
        for venue, exchange in self.exchanges.items():
            for row in exchange.record.rows[self._written[venue] :]:
                lines += encode([venue, *[getattr(row, name) for name in _FIELDS]]) + b"\n"
            self._written[venue] = len(exchange.record.rows)
        if lines:
            os.write(self._record, lines)


_APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def read_record(folder: Path) -> dict[str, list[Row]]:
    """The venues' records, by venue."""
    rows: dict[str, list[Row]] = {}
    for line in (folder / RECORD).read_bytes().splitlines():
        venue, *values = msgspec.json.decode(line)
        fields: dict[str, Any] = dict(zip(_FIELDS, values, strict=True))
        row = Row(fields["seq"], fields["ts"], fields["kind"], fields["account"])
        for name in _FIELDS[4:]:
            setattr(row, name, fields[name])
        rows.setdefault(venue, []).append(row)
    return rows
