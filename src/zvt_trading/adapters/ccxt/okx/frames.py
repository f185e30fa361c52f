"""OKX's frames as views. `translate` never raises: what cannot be read is the frame's problem."""

from collections.abc import Callable
from decimal import DecimalException
from typing import Any, Final

from zvt_trading.adapters.ccxt.dialect import Caller, Frame
from zvt_trading.adapters.ccxt.okx import rows
from zvt_trading.adapters.ccxt.okx.books import Books
from zvt_trading.adapters.ccxt.okx.names import Market, Row, in_base, is_zero, market_of, number
from zvt_trading.adapters.ccxt.views import MarkView, QuoteView, TradeView, View

_ENDS: Final = ("error", "notice", "channel-conn-count-error")
"""Events after which a socket is not to be trusted: refused, or soon to be closed by OKX."""
_UNREADABLE: Final = (
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    DecimalException,
)


def translate(caller: Caller, books: Books, url: str, frame: Any) -> Frame:
    """One frame."""
    try:
        found = _translate(caller, books, url, frame)
    except _UNREADABLE as error:
        found = Frame()
        found.problem = f"okx sent a frame that cannot be read: {type(error).__name__}"
    found.is_private = url.partition("?")[0].endswith("/private")
    return found


def _translate(caller: Caller, books: Books, url: str, frame: Any) -> Frame:
    if not isinstance(frame, dict):
        return Frame(is_control=True)  # "pong"
    if "event" in frame or "op" in frame:
        found = Frame(is_control=True)
        if frame.get("event") in _ENDS:
            found.problem = f"okx {frame['event']} {frame.get('code', '')}: {frame.get('msg', '')}"
        return found
    channel = frame["arg"]["channel"]
    if channel == "orders":
        return _orders(caller, frame)
    if channel == "account":
        return Frame(_balances(caller, frame))
    if channel == "positions":
        return Frame(_each(caller, frame, _position))
    if channel == "books":
        market = market_of(caller, frame["arg"]["instId"])
        return Frame(books.take(url, frame, market) if market is not None else ())
    reader = _PUBLIC.get(channel)
    return Frame(_each(caller, frame, reader) if reader is not None else ())


def _orders(caller: Caller, frame: Row) -> Frame:
    """Fills come before the state that counts them."""
    found = Frame()
    for row in frame["data"]:
        market = market_of(caller, row["instId"])
        if market is None:
            continue
        if row.get("tradeId") and not is_zero(row.get("fillSz") or ""):
            fill = rows.pushed_fill(row, market)
            if fill is None:
                found.ask_order.append(_name(row))
            else:
                found.views.append(fill)
        if row.get("amendResult") == "0":
            found.views.append(rows.amend_view(row, market))
        elif row.get("amendResult"):
            found.ask_order.append(_name(row))
        found.views.append(rows.order_view(row, market))
    return found


def _name(row: Row) -> str:
    """An order as `Frame.ask_order` names it."""
    return str(row["clOrdId"] or f"#{row['ordId']}")


def _balances(caller: Caller, frame: Row) -> list[View]:
    return [
        rows.balance_view(detail, caller.safe_currency_code(detail["ccy"]))
        for row in frame["data"]
        for detail in row["details"]
    ]


def _each(caller: Caller, frame: Row, reader: Callable[[Row, Market], View | None]) -> list[View]:
    """A view of every row whose market is loaded; `instId` is in the row or in `arg`."""
    views: list[View] = []
    for row in frame["data"]:
        name = row.get("instId") or frame["arg"]["instId"]
        market = market_of(caller, name)
        view = reader(row, market) if market is not None else None
        if view is not None:
            views.append(view)
    return views


def _position(row: Row, market: Market) -> View | None:
    """None in long/short mode, where a row is one of two sides: ask by REST then."""
    return rows.position_view(row, market) if row["posSide"] == "net" else None


def _quote(row: Row, market: Market) -> View | None:
    """None while a side is empty."""
    if not row["bids"] or not row["asks"]:
        return None
    bid, ask = row["bids"][0], row["asks"][0]
    return QuoteView(
        market["symbol"],
        bid[0],
        in_base(bid[1], market),
        ask[0],
        in_base(ask[1], market),
        number(row, "ts"),
    )


def _trade(row: Row, market: Market) -> View:
    return TradeView(
        market["symbol"],
        row["px"],
        in_base(row["sz"], market),
        row["side"],
        row["tradeId"],
        number(row, "ts"),
    )


def _mark(row: Row, market: Market) -> View:
    return MarkView(market["symbol"], row["markPx"], "", number(row, "ts"))


_PUBLIC: Final[dict[str, Callable[[Row, Market], View | None]]] = {
    "bbo-tbt": _quote,
    "trades": _trade,
    "mark-price": _mark,
}
