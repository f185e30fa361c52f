"""WebSockets of OKX: /ws/v5/public, /private and /business.

https://www.okx.com/docs-v5/en/#overview-websocket
"""

from typing import Any, Final

import msgspec

from zvt_trading.emulator import faults
from zvt_trading.emulator.feed import BookUpdate
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.emulator.okx import errors, public, shapes
from zvt_trading.emulator.okx.account import Account
from zvt_trading.emulator.okx.auth import login
from zvt_trading.emulator.okx.names import SWAP, Fields, Listing, Listings
from zvt_trading.emulator.okx.orders import Desk
from zvt_trading.emulator.orders import Change
from zvt_trading.emulator.wire import Reply, Session
from zvt_trading.messages.market import MarkPrice, QuoteTick, TradeTick

PUBLIC: Final = "/ws/v5/public"
PRIVATE: Final = "/ws/v5/private"
BUSINESS: Final = "/ws/v5/business"
CONNECTION: Final = "a4d3ae55"
PUBLIC_CHANNELS: Final = ("books", "bbo-tbt", "trades", "tickers", "mark-price")
PRIVATE_CHANNELS: Final = ("orders", "account", "positions")
_PLEASE_LOG_IN: Final = ("60011", "Please log in")


class Stream:
    """What comes in by WebSocket, and what is pushed. `sessions` are the wire's."""

    def __init__(
        self,
        sessions: list[Session],
        listings: Listings,
        desk: Desk,
        account: Account,
        market: public.Public,
    ) -> None:
        self._sessions: Final = sessions
        self._listings: Final = listings
        self._desk: Final = desk
        self._account: Final = account
        self._market: Final = market
        self._house: Final = market.house

    # What comes in.

    def received(self, session: Session, text: str) -> None:
        """A text frame."""
        if text == "ping":
            session.say("pong")
            return
        try:
            frame = msgspec.json.decode(text)
        except msgspec.DecodeError:
            frame = None
        args = frame.get("args") if isinstance(frame, dict) else None
        if not isinstance(args, list) or not all(isinstance(arg, dict) for arg in args):
            session.say(_error(("60012", f"Illegal request: {text}"), frame))
            return
        operation = frame.get("op")
        if operation == "login":
            self._login(session, args)
        elif operation == "subscribe":
            for arg in args:
                self._subscribe(session, frame, arg)
        elif operation == "unsubscribe":
            for arg in args:
                session.topics.pop(_topic(arg), None)
                session.say(_event("unsubscribe", arg, frame))
        else:
            self._order_request(session, frame, text)

    def _login(self, session: Session, args: list[Fields]) -> None:
        key = login(self._house, args[0]) if args else ("60009", "Login failed.")
        if not isinstance(key, ApiKey):
            session.say(_error(key, None))
            return
        session.account = key.account
        session.topics["can_trade"] = key.can_trade
        session.say({"event": "login", "msg": "", "code": "0", "connId": CONNECTION})

    def _subscribe(self, session: Session, frame: Fields, arg: Fields) -> None:
        channel = str(arg.get("channel") or "")
        is_private = session.path == PRIVATE
        known = PRIVATE_CHANNELS if is_private else PUBLIC_CHANNELS
        listing = self._listings.find(arg)
        if session.path == BUSINESS or channel not in known or not (is_private or listing):
            text = f"Wrong URL or {_said(arg)} doesn't exist. Please use the correct URL, "
            text += "channel and parameters referring to API document."
            session.say(_error(("60018", text), frame))
            return
        if is_private and not session.account:
            session.say(_error(_PLEASE_LOG_IN, frame))
            return
        session.topics[_topic(arg)] = arg
        session.say(_event("subscribe", arg, frame))
        if listing is not None and not is_private:
            self._first(session, listing, arg)
        elif is_private:
            self._first_private(session, channel, arg)

    def _first(self, session: Session, listing: Listing, arg: Fields) -> None:
        """What a public channel begins with."""
        channel = arg["channel"]
        feed = self._market.feed_of(listing)
        frame: Fields = {"arg": arg}
        if channel == "books":
            frame["action"] = "snapshot"
            frame["data"] = [public.snapshot_fields(listing, feed, self._house.clock.now_ms())]
        elif channel == "bbo-tbt":
            frame["data"] = [self._touch(listing)]
        elif channel == "tickers":
            frame["data"] = [self._market.ticker_of(listing)]
        elif channel == "mark-price" and listing.type == SWAP:
            frame["data"] = [self._market.mark_of(listing)]
        else:
            return
        session.push(frame, faults.PUBLIC)

    def _first_private(self, session: Session, channel: str, arg: Fields) -> None:
        """What a private channel begins with: how all stands now."""
        if channel == "account":
            data = [self._account.balance_of(session.account)]
        elif channel == "positions":
            seats = self._house.seats(session.account)
            data = [self._account.position_of(seat) for seat in seats if seat.quantity]
        else:
            return
        kinds = {"eventType": "snapshot", "curPage": 1, "lastPage": True}
        session.push({"arg": {**arg, "uid": "1"}, **kinds, "data": data}, faults.PRIVATE)

    def _order_request(self, session: Session, frame: Fields, text: str) -> None:
        acts = {
            "order": self._desk.place,
            "batch-orders": self._desk.place,
            "cancel-order": self._desk.cancel,
            "batch-cancel-orders": self._desk.cancel,
            "amend-order": self._desk.amend,
            "batch-amend-orders": self._desk.amend,
        }
        operation = str(frame.get("op"))
        act = acts.get(operation)
        if act is None:
            session.say(_error(("60012", f"Illegal request: {text}"), frame))
            return
        if session.path != PRIVATE or not session.account:
            session.say(_error(_PLEASE_LOG_IN, frame))
            return
        answer: Any
        try:
            if not session.topics["can_trade"]:
                raise errors.failure(errors.NOT_ALLOWED)
            answer = act(session.account, frame["args"])
        except Reply as reply:
            answer = reply.body
        session.say({"id": str(frame.get("id") or ""), "op": operation, **answer})

    # What is pushed.

    def order_changed(self, change: Change, request_id: str | None) -> None:
        """To everybody who follows orders of the account."""
        order = change.order
        listing = self._listings.by_symbol[order.instrument.symbol]
        data: list[Fields] = []
        for session, arg in self._followers("orders", order.account):
            if not _is_of(arg, listing):
                continue
            data = data or [shapes.order_event(listing, order, change.fill, request_id)]
            session.push({"arg": {**arg, "uid": "1"}, "data": data}, faults.PRIVATE)

    def balances_changed(self, account: str, assets: tuple[str, ...]) -> None:
        """To everybody who follows the account's money."""
        data: list[Fields] = []
        kinds = {"eventType": "event_update", "curPage": 1, "lastPage": True}
        for session, arg in self._followers("account", account):
            data = data or [self._account.balance_of(account, assets)]
            session.push({"arg": {**arg, "uid": "1"}, **kinds, "data": data}, faults.PRIVATE)

    def position_changed(self, account: str, fields: Fields) -> None:
        """To everybody who follows the account's positions."""
        kinds = {"eventType": "event_update", "curPage": 1, "lastPage": True}
        for session, arg in self._followers("positions", account):
            if arg.get("instType") not in {"ANY", SWAP}:
                continue
            session.push({"arg": {**arg, "uid": "1"}, **kinds, "data": [fields]}, faults.PRIVATE)

    def book_changed(self, update: BookUpdate) -> None:
        """A change of a book."""
        listing = self._listings.by_symbol[update.symbol]
        data: list[Fields] = []
        for session, arg in self._watchers("books", listing):
            feed = self._market.feed_of(listing)
            data = data or [public.update_fields(listing, feed, update)]
            session.push({"arg": arg, "action": "update", "data": data}, faults.PUBLIC)

    def traded(self, symbol: str, trade: TradeTick) -> None:
        """A public trade."""
        listing = self._listings.by_symbol[symbol]
        for session, arg in self._watchers("trades", listing):
            data = [{**public.trade_fields(listing, trade), "count": "1"}]
            session.push({"arg": arg, "data": data}, faults.PUBLIC)

    def quoted(self, symbol: str, _quote: QuoteTick) -> None:
        """The touch of a book."""
        listing = self._listings.by_symbol[symbol]
        for session, arg in self._watchers("bbo-tbt", listing):
            session.push({"arg": arg, "data": [self._touch(listing)]}, faults.PUBLIC)
        for session, arg in self._watchers("tickers", listing):
            data = [self._market.ticker_of(listing)]
            session.push({"arg": arg, "data": data}, faults.PUBLIC)

    def marked(self, symbol: str, _mark: MarkPrice) -> None:
        """The mark of a swap."""
        listing = self._listings.by_symbol[symbol]
        for session, arg in self._watchers("mark-price", listing):
            data = [self._market.mark_of(listing)]
            session.push({"arg": arg, "data": data}, faults.PUBLIC)

    def _touch(self, listing: Listing) -> Fields:
        feed = self._market.feed_of(listing)
        now_ms = self._house.clock.now_ms()
        return {**public.book_fields(listing, feed, 1), "ts": str(now_ms)}

    def _watchers(self, channel: str, listing: Listing) -> list[tuple[Session, Fields]]:
        topic = f"{channel} {listing.id}"
        return [
            (session, session.topics[topic])
            for session in self._sessions
            if topic in session.topics
        ]

    def _followers(self, channel: str, account: str) -> list[tuple[Session, Fields]]:
        return [
            (session, arg)
            for session in self._sessions
            if session.account == account
            for arg in session.topics.values()
            if isinstance(arg, dict) and arg["channel"] == channel
        ]


def _topic(arg: Fields) -> str:
    name = arg.get("instId") or arg.get("instType") or arg.get("ccy") or ""
    return f"{arg.get('channel')} {name}"


def _is_of(arg: Fields, listing: Listing) -> bool:
    is_type = arg.get("instType", "ANY") in {"ANY", listing.type}
    return is_type and arg.get("instId", listing.id) == listing.id


def _said(arg: Fields) -> str:
    return ",".join(f"{name}:{value}" for name, value in arg.items())


def _event(kind: str, arg: Fields, frame: Fields) -> Fields:
    event = {"event": kind, "arg": arg, "connId": CONNECTION}
    return {"id": frame["id"], **event} if "id" in frame else event


def _error(code: errors.Code, frame: Fields | None) -> Fields:
    event = {"event": "error", "msg": code[1], "code": code[0], "connId": CONNECTION}
    return {"id": frame["id"], **event} if isinstance(frame, dict) and "id" in frame else event
