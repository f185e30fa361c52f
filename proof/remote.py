"""A venue in another process, as the engine sees it; and where the engine may be made to die."""

import socket
from pathlib import Path
from typing import Final

from proof.points import Points
from proof.wire import (
    Amend,
    AskFree,
    AskHistory,
    AskOrder,
    AskTime,
    Cancel,
    Credit,
    Leverage,
    Market,
    Question,
    Reply,
    Request,
    Submit,
    Time,
    receive_reply,
    send,
)
from zvt_trading.core.reconcile import CashRow, OpenRow, PositionRow, Statement
from zvt_trading.messages.codes import GTC, TRIGGER_QUOTE
from zvt_trading.messages.market import MarketData, QuoteTick
from zvt_trading.messages.reports import Report
from zvt_trading.sim.venue_api import Answer, History, VenueApi


class Connection:
    """One socket to all venues."""

    def __init__(self, path: Path, points: Points) -> None:
        self._points: Final = points
        self._wire = socket.socket(socket.AF_UNIX)
        self._wire.connect(str(path))

    def ask(self, request: Request) -> Reply:
        """Say something, and hear the answer."""
        if not isinstance(request, Question):
            self._points.leaving(type(request).__name__)
        send(self._wire, request)
        return receive_reply(self._wire)

    def do(self, request: Submit | Cancel | Amend | Credit | Leverage) -> Reply:
        """`ask` for what leaves the engine for good: with a point before, between and after."""
        kind = type(request).__name__.lower()
        self._points.reach(f"{kind}: before it is sent")
        self._points.leaving(kind)
        send(self._wire, request)
        self._points.reach(f"{kind}: sent, not answered")
        reply = receive_reply(self._wire)
        self._points.reach(f"{kind}: answered")
        return reply

    def find_out(self, request: AskOrder | AskHistory) -> Reply:
        """`ask` for what the engine does not know, with a point before and after."""
        kind = type(request).__name__.lower()
        self._points.reach(f"{kind}: before")
        reply = self.ask(request)
        self._points.reach(f"{kind}: after")
        return reply

    def now(self) -> int:
        """The latest time that the venues were told."""
        return self.ask(AskTime()).number


class RemoteVenue(VenueApi):
    """See VenueApi."""

    def __init__(self, venue: str, connection: Connection) -> None:
        super().__init__(venue)
        self._connection = connection

    def submit(
        self,
        now: int,
        order_id: str,
        account: str,
        instrument_id: str,
        side: int,
        order_type: int,
        price: int,
        quantity: int,
        tif: int = GTC,
        expire_ts: int = 0,
        post_only: bool = False,
        reduce_only: bool = False,
        worst_price: int = 0,
        trigger_price: int = 0,
        trigger_by: int = TRIGGER_QUOTE,
    ) -> list[Report]:
        """A new order."""
        return self._connection.do(
            Submit(
                self.venue, now, order_id, account, instrument_id, side, order_type, price,
                quantity, tif, expire_ts, post_only, reduce_only, worst_price, trigger_price,
                trigger_by,
            )
        ).reports  # fmt: skip

    def cancel(self, now: int, order_id: str) -> list[Report]:
        """Take an order back."""
        return self._connection.do(Cancel(self.venue, now, order_id)).reports

    def amend(self, now: int, order_id: str, price: int, quantity: int) -> list[Report]:
        """Change price and total quantity."""
        return self._connection.do(Amend(self.venue, now, order_id, price, quantity)).reports

    def answer(self, order_id: str) -> Answer:
        """One order, by our id."""
        reply = self._connection.find_out(AskOrder(self.venue, order_id))
        answer = Answer()
        answer.reports.extend(reply.reports)
        answer.price = reply.price
        answer.quantity = reply.quantity
        return answer

    def history(self, cursor: int) -> History:
        """Everything that happened after `cursor`."""
        reply = self._connection.find_out(AskHistory(self.venue, cursor))
        history = History(reply.number, read_statement(reply))
        history.reports.extend(reply.reports)
        return history

    def on_market(self, now: int, message: MarketData) -> list[Report]:
        """The market moved."""
        return self._connection.ask(Market(self.venue, now, message)).reports

    def on_quote(self, now: int, message: QuoteTick) -> list[Report]:
        """The market moved."""
        return self.on_market(now, message)

    def on_time(self, now: int) -> list[Report]:
        """Time passed."""
        return self._connection.ask(Time(self.venue, now)).reports

    def free(self, account: str, asset: str) -> int:
        """What may be taken out."""
        return self._connection.ask(AskFree(self.venue, account, asset, "")).number

    def is_flat(self, account: str, instrument_id: str) -> bool:
        """Whether there is neither a position nor an open order."""
        return self._connection.ask(AskFree(self.venue, account, "", instrument_id)).flag

    def credit(self, account: str, asset: str, amount: int, now: int = 0, key: str = "") -> None:
        """Money arrives."""
        self._connection.do(Credit(self.venue, now, account, asset, amount, key))

    def debit(self, account: str, asset: str, amount: int, now: int = 0, key: str = "") -> bool:
        """Money leaves."""
        return self._connection.do(Credit(self.venue, now, account, asset, -amount, key)).flag

    def set_leverage(self, account: str, instrument_id: str, leverage: int, mode: int) -> bool:
        """Leverage and margin mode."""
        request = Leverage(self.venue, account, instrument_id, leverage, mode)
        return self._connection.do(request).flag


def read_statement(reply: Reply) -> Statement:
    """How the accounts stand."""
    stated = Statement()
    stated.cash.extend(CashRow(*row) for row in reply.cash)
    stated.positions.extend(PositionRow(*row) for row in reply.positions)
    stated.orders.extend(OpenRow(*row) for row in reply.orders)
    return stated
