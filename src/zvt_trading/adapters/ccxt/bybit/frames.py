"""The messages of Bybit's streams, as views: https://bybit-exchange.github.io/docs/v5/ws/connect.

Pure but for the best prices: `orderbook.1` tells of the side that changed only, so the other one is
remembered (`Quotes`, one for each connection's owner).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from zvt_trading.adapters.ccxt.bybit.rows import (
    FILL_TYPES,
    LINEAR,
    SPOT,
    balance_views,
    fill_view,
    order_view,
    position_view,
    side_of,
    symbol_of,
    whole,
)
from zvt_trading.adapters.ccxt.dialect import Caller, Frame
from zvt_trading.adapters.ccxt.fields import Row, UnknownSymbolError, UnreadableError, number, text
from zvt_trading.adapters.ccxt.views import (
    BookView,
    MarkView,
    QuoteView,
    TradeView,
    View,
)

Levels = tuple[tuple[str, str], ...]
_CONTROL: Final = frozenset({"auth", "ping", "pong", "subscribe", "unsubscribe"})
_PRIVATE: Final = "/v5/private"


class Quotes:
    """The best prices that one connection's owner was told last, by symbol."""

    def __init__(self) -> None:
        self._best: dict[str, tuple[int, tuple[str, str], tuple[str, str]]] = {}

    def take(self, symbol: str, data: Row, ts: int, *, is_snapshot: bool) -> QuoteView | None:
        """The quote after a message of `orderbook.1`; None when a side of the book is empty."""
        update_id = whole(data, "u")
        bid, ask = ("", ""), ("", "")
        if not is_snapshot:
            last, bid, ask = self._best.get(symbol, (-1, bid, ask))
            if update_id == last:
                return None  # the same message again
            if update_id != last + 1:
                self._best.pop(symbol, None)
                raise UnreadableError(f"quotes of {symbol}: update {update_id} after {last}")
        bid = _after(bid, _levels(data, "b"))
        ask = _after(ask, _levels(data, "a"))
        self._best[symbol] = (update_id, bid, ask)
        if not bid[0] or not ask[0]:
            return None
        return QuoteView(symbol, *bid, *ask, ts)


def read(caller: Caller, url: str, frame: Mapping[str, Any], quotes: Quotes) -> Frame:
    """What a message says; what cannot be read is a `problem`, never an exception."""
    if not isinstance(frame, dict):
        return _problem(f"a message that is no object: {str(frame)[:80]!r}")
    topic = frame.get("topic")
    if not isinstance(topic, str):
        control = _control(frame)
        control.is_private = url.endswith(_PRIVATE)
        return control
    said = Frame()
    said.is_private = url.endswith(_PRIVATE)
    name = topic.partition(".")[0]
    try:
        if said.is_private:
            _private(caller, name, frame, said)
        else:
            category = SPOT if url.endswith("/spot") else LINEAR
            _public(caller, topic, category, frame, quotes, said)
    except UnknownSymbolError:
        said.views.clear()  # a symbol that nobody here trades
    except UnreadableError as error:
        said.problem = f"{topic}: {error}"
    return said


def _control(frame: Row) -> Frame:
    said = Frame(is_control=True)
    code = frame.get("retCode", frame.get("ret_code", 0))
    if frame.get("success") is False or code not in {0, "0"}:
        what = frame.get("ret_msg") or frame.get("retMsg")
        said.problem = f"{frame.get('op', '')} failed: {code} {what}"
    elif frame.get("op") not in _CONTROL and frame.get("ret_msg") != "pong":
        said.problem = f"a message of an unknown kind: {sorted(frame)}"
    return said


def _problem(what: str) -> Frame:
    said = Frame()
    said.problem = what
    return said


def _private(caller: Caller, name: str, frame: Row, said: Frame) -> None:
    reads: dict[str, Callable[[Caller, Row, Frame], None]] = {
        "order": _order,
        "execution": _execution,
        "wallet": lambda _caller, row, frame: frame.views.extend(balance_views(row)),
        "position": _position,
    }
    reader = reads.get(name)
    if reader is None:
        raise UnreadableError("an unknown topic")
    for row in _rows(frame):
        try:
            reader(caller, row, said)
        except UnknownSymbolError:
            continue  # of an account that also trades what we do not


def _order(caller: Caller, row: Row, said: Frame) -> None:
    try:
        said.views.append(order_view(caller, row, text(row, "category")))
    except UnreadableError:
        said.ask_order.append(_name(row))


def _execution(caller: Caller, row: Row, said: Frame) -> None:
    if text(row, "execType") not in FILL_TYPES:
        return  # funding is asked for
    try:
        said.views.append(fill_view(caller, row, text(row, "category")))
    except UnreadableError:
        said.ask_order.append(_name(row))


def _position(caller: Caller, row: Row, said: Frame) -> None:
    if text(row, "category") == LINEAR:
        said.views.append(position_view(caller, row))


def _name(row: Row) -> str:
    """How to ask for an order whose row cannot be read."""
    return text(row, "orderLinkId") or "#" + text(row, "orderId")


def _public(
    caller: Caller, topic: str, category: str, frame: Row, quotes: Quotes, said: Frame
) -> None:
    parts = topic.split(".")
    symbol = symbol_of(caller, parts[-1], category)
    views: list[View | None] = []
    if parts[0] == "orderbook" and len(parts) == 3:
        is_snapshot = text(frame, "type") == "snapshot"
        data = _data(frame)
        if parts[1] == "1":
            views = [quotes.take(symbol, data, whole(frame, "ts"), is_snapshot=is_snapshot)]
        else:
            views = [_book(symbol, frame, data, is_snapshot=is_snapshot)]
    elif parts[0] == "publicTrade":
        views = [_trade(symbol, row) for row in _rows(frame)]
    elif parts[0] == "tickers":
        views = [_mark(symbol, frame)]
    else:
        raise UnreadableError("an unknown topic")
    said.views.extend(view for view in views if view is not None)


def _book(symbol: str, frame: Row, data: Row, *, is_snapshot: bool) -> BookView:
    """Each message follows the one before by exactly one `u`, unless it is a snapshot."""
    update_id = whole(data, "u")
    return BookView(
        symbol,
        is_snapshot,
        _levels(data, "b"),
        _levels(data, "a"),
        update_id,
        update_id,
        -1 if is_snapshot else update_id - 1,
        whole(frame, "ts"),
    )


def _trade(symbol: str, row: Row) -> TradeView:
    side = side_of({"side": row.get("S")})
    return TradeView(
        symbol, number(row, "p"), number(row, "v"), side, text(row, "i"), whole(row, "T")
    )


def _mark(symbol: str, frame: Row) -> MarkView | None:
    """Messages after the first have what changed only: perhaps not the mark price."""
    data = _data(frame)
    if not data.get("markPrice"):
        return None
    index = number(data, "indexPrice") if data.get("indexPrice") else ""
    return MarkView(symbol, number(data, "markPrice"), index, whole(frame, "ts"))


def _rows(frame: Row) -> list[Row]:
    rows = frame.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnreadableError("data is not a list of objects")
    return rows


def _data(frame: Row) -> Row:
    data = frame.get("data")
    if not isinstance(data, dict):
        raise UnreadableError("data is no object")
    return data


def _levels(data: Row, name: str) -> Levels:
    levels = data.get(name)
    if not isinstance(levels, list):
        raise UnreadableError(f"{name} is no list of levels")
    read: list[tuple[str, str]] = []
    for level in levels:
        if not isinstance(level, list) or len(level) != 2:
            raise UnreadableError(f"{name} has a level that is no pair of price and size")
        row = {"price": level[0], "size": level[1]}
        read.append((number(row, "price"), number(row, "size")))
    return tuple(read)


def _after(best: tuple[str, str], levels: Levels) -> tuple[str, str]:
    """The best level after changes: the one that is there, in whatever order they came."""
    for price, size in levels:
        if size.strip("0."):
            return price, size
    gone = {price for price, _ in levels}
    return ("", "") if best[0] in gone else best
