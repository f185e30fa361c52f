"""WebSockets: https://bybit-exchange.github.io/docs/v5/ws/connect.

`/v5/public/CATEGORY` (books, trades, tickers), `/v5/private` (orders, executions, wallet,
positions, after a login) and `/v5/trade` (orders by WebSocket, in `order_entry`).
"""

from typing import Any, Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.emulator import faults
from zvt_trading.emulator.bybit.account import wallet_row
from zvt_trading.emulator.bybit.auth import signer_of_stream
from zvt_trading.emulator.bybit.books import DEPTHS, BookTopic
from zvt_trading.emulator.bybit.market import Market, trade_row
from zvt_trading.emulator.bybit.shapes import Row
from zvt_trading.emulator.bybit.symbols import LINEAR, SPOT, Symbols, category_of, native
from zvt_trading.emulator.feed import BookUpdate, Feed
from zvt_trading.emulator.house import House
from zvt_trading.emulator.wire import Session
from zvt_trading.messages.market import TradeTick

PRIVATE: Final = "/v5/private"
TRADE: Final = "/v5/trade"
PUBLIC: Final = {f"/v5/public/{category}": category for category in (SPOT, LINEAR)}
PATHS: Final = (PRIVATE, TRADE, *PUBLIC)
PRIVATE_TOPICS: Final = ("order", "execution", "wallet", "position")
_ARGS_MAX_SPOT: Final = 10


class Streams:
    """What subscribers get; `sessions` is the wire's list."""

    def __init__(
        self, house: House, feed: Feed, symbols: Symbols, market: Market, sessions: list[Session]
    ) -> None:
        self._house: Final = house
        self._feed: Final = feed
        self._symbols: Final = symbols
        self._market: Final = market
        self._sessions: Final = sessions
        self._books: dict[tuple[str, str], BookTopic] = {}  # by (path, topic)
        self._pushed = 0
        self._tickers: dict[str, Row] = {}

    # What clients say.

    def received(self, session: Session, message: Row) -> None:
        """Anything but orders."""
        op = message.get("op")
        if op == "ping":
            session.say(self._pong(session, message))
        elif op == "auth":
            self._login(session, message)
        elif op in {"subscribe", "unsubscribe"}:
            self._subscription(session, message, is_on=op == "subscribe")
        else:
            session.say({"success": False, "ret_msg": "error:invalid op", **_tail(message)})

    def _pong(self, session: Session, message: Row) -> Row:
        if session.path in PUBLIC:
            return {"success": True, "ret_msg": "pong", **_tail(message)}
        now = str(self._house.clock.now_ms())
        return {**_tail(message), "op": "pong", "args": [now]}

    def _login(self, session: Session, message: Row) -> None:
        key = signer_of_stream(self._house, message.get("args"))
        if key is not None:
            session.account = key.account
            session.topics["key"] = key
        if session.path == TRADE:
            code, text = (0, "OK") if key is not None else (10004, "error sign!")
            session.say({"retCode": code, "retMsg": text, "op": "auth", "connId": "emulator"})
            return
        text = "" if key is not None else "error:USVC1111"
        session.say({"success": key is not None, "ret_msg": text, **_tail(message)})

    def _subscription(self, session: Session, message: Row, *, is_on: bool) -> None:
        args = message.get("args")
        problem = self._problem(session, args, is_on=is_on)
        if problem or not isinstance(args, list):
            session.say({"success": False, "ret_msg": problem, **_tail(message)})
            return
        session.say({"success": True, "ret_msg": "", **_tail(message)})
        for topic in args:
            if is_on:
                session.topics[topic] = True
                self._greet(session, topic)
            else:
                session.topics.pop(topic, None)

    def _problem(self, session: Session, args: object, *, is_on: bool) -> str:
        """Why a list of topics cannot be subscribed to; all or nothing."""
        if not isinstance(args, list) or not args:
            return "error:args is empty"
        if session.path == PRIVATE and not session.account:
            return "Request not authorized"
        if PUBLIC.get(session.path) == SPOT and len(args) > _ARGS_MAX_SPOT:
            return "args size >10"
        for topic in args:
            is_private = session.path == PRIVATE and topic in PRIVATE_TOPICS
            if is_on and topic in session.topics:
                return f"error:already subscribed,topic:{topic}"
            if not is_private and self._instrument(session.path, topic) is None:
                return f"error:handler not found,topic:{topic}"
        return ""

    def _instrument(self, path: str, topic: object) -> Instrument | None:
        """Whose public topic it is; None when there is no such topic."""
        if path not in PUBLIC or not isinstance(topic, str):
            return None
        parts = topic.split(".")
        depths = {str(depth) for depth in DEPTHS}
        is_book = len(parts) == 3 and parts[0] == "orderbook" and parts[1] in depths
        is_plain = len(parts) == 2 and parts[0] in {"publicTrade", "tickers"}
        return self._symbols.get(PUBLIC[path], parts[-1]) if is_book or is_plain else None

    def _greet(self, session: Session, topic: str) -> None:
        """What a new subscriber gets at once."""
        instrument = self._instrument(session.path, topic)
        now = self._house.clock.now_ms()
        if instrument is None:
            return
        if topic.startswith("orderbook."):
            book = self._books.get((session.path, topic))
            if book is None:
                feed = self._feed.symbols[instrument.symbol]
                book = BookTopic(feed, int(topic.split(".")[1]))
                self._books[session.path, topic] = book
            session.push(book.snapshot(now), faults.PUBLIC)
        elif topic.startswith("tickers."):
            row = self._market.ticker(instrument)
            self._tickers[instrument.symbol] = row
            session.push(self._ticker_frame(topic, "snapshot", row), faults.PUBLIC)

    # What happens.

    def private(self, account: str, topic: str, rows: list[Row]) -> None:
        """Data of a private topic of an account."""
        self._pushed += 1
        frame = {
            "id": f"{account}-{topic}-{self._pushed}",
            "topic": topic,
            "creationTime": self._house.clock.now_ms(),
            "data": rows,
        }
        for session in self._sessions:
            if session.path == PRIVATE and session.account == account and topic in session.topics:
                session.push(frame, faults.PRIVATE)

    def wallet(self, account: str, assets: tuple[str, ...]) -> None:
        """Balances of an account changed."""
        row = wallet_row(self._house, account)
        row["coin"] = [coin for coin in row["coin"] if coin["coin"] in assets]
        row["totalPerpUpl"] = row.pop("totalPerpUPL")  # spelt otherwise here
        self.private(account, "wallet", [row])

    def book(self, update: BookUpdate) -> None:
        """A book changed."""
        for (path, topic), book in tuple(self._books.items()):
            if book.instrument.symbol != update.symbol:
                continue
            listeners = self._subscribers(path, topic)
            if not listeners:
                del self._books[path, topic]  # the next subscriber begins with a snapshot
                continue
            frame = book.delta(update.ts, self._house.clock.now_ms())
            if frame is not None:
                _push(listeners, frame)

    def restart_books(self) -> None:
        """As after a restart of the service: every book begins anew with `u` 1."""
        for (path, topic), book in self._books.items():
            _push(self._subscribers(path, topic), book.restart(self._house.clock.now_ms()))

    def trade(self, symbol: str, trade: TradeTick) -> None:
        """A public trade."""
        instrument = self._feed.symbols[symbol].instrument
        topic = f"publicTrade.{native(instrument)}"
        listeners = self._subscribers(_path(instrument), topic)
        if listeners:
            now = self._house.clock.now_ms()
            rows = [trade_row(instrument, trade)]
            _push(listeners, {"topic": topic, "type": "snapshot", "ts": now, "data": rows})

    def ticker(self, symbol: str) -> None:
        """The figures of a symbol changed: derivatives get what is new, spot gets it all."""
        instrument = self._feed.symbols[symbol].instrument
        topic = f"tickers.{native(instrument)}"
        listeners = self._subscribers(_path(instrument), topic)
        if not listeners:
            return
        row = self._market.ticker(instrument)
        if instrument.is_spot:
            _push(listeners, self._ticker_frame(topic, "snapshot", row))
            return
        before = self._tickers.get(symbol, {})
        self._tickers[symbol] = row
        changed = {key: value for key, value in row.items() if before.get(key) != value}
        if changed:
            changed["symbol"] = row["symbol"]
            _push(listeners, self._ticker_frame(topic, "delta", changed))

    def _ticker_frame(self, topic: str, kind: str, row: Row) -> Row:
        if "usdIndexPrice" in row:  # spot has no best prices here
            row = {key: value for key, value in row.items() if not key.startswith(("bid1", "ask1"))}
        now = self._house.clock.now_ms()
        return {"topic": topic, "type": kind, "data": row, "cs": now, "ts": now}

    def _subscribers(self, path: str, topic: str) -> list[Session]:
        return [
            session
            for session in self._sessions
            if session.path == path and topic in session.topics
        ]


def _path(instrument: Instrument) -> str:
    return f"/v5/public/{category_of(instrument)}"


def _push(sessions: list[Session], frame: Row) -> None:
    for session in sessions:
        session.push(frame, faults.PUBLIC)


def _tail(message: Row) -> dict[str, Any]:
    """What answers repeat of a request."""
    tail: dict[str, Any] = {"conn_id": "emulator", "op": message.get("op", "")}
    if "req_id" in message:
        tail["req_id"] = message["req_id"]
    return tail
