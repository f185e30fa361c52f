"""One message of a Binance stream, as views; pure, and it raises for none.

https://developers.binance.com/docs/binance-spot-api-docs/user-data-stream and
https://developers.binance.com/docs/derivatives/usds-margined-futures/user-data-streams
"""

from collections.abc import Callable, Mapping
from typing import Final

from zvt_trading.adapters.ccxt.binance.rows import (
    flag,
    levels,
    row_of,
    side_of,
    status_of,
    symbol_of,
    whole,
)
from zvt_trading.adapters.ccxt.dialect import Caller, Frame, Raw
from zvt_trading.adapters.ccxt.fields import Row, UnknownSymbolError, UnreadableError, number, text
from zvt_trading.adapters.ccxt.views import (
    EXPIRED,
    REJECTED,
    AmendView,
    BookView,
    FillView,
    MarkView,
    OrderView,
    QuoteView,
    TradeView,
    View,
)

Reader = Callable[[Caller, Row, bool], list[View]]

_ENDED: Final = frozenset(
    {"listenKeyExpired", "eventStreamTerminated", "serverShutdown", "disconnect"}
)
_AMENDED: Final = frozenset({"REPLACED", "AMENDMENT"})
_NO_ID: Final = frozenset({"", "null"})
_DUPLICATE: Final = "DUPLICATE_ORDER"
_NO_REASON: Final = frozenset({"", "NONE"})


def read_frame(caller: Caller, url: str, message: object) -> Frame:
    """See dialect.Dialect.frames. Nothing is left for ccxt: it only keeps the sockets."""
    try:
        return _read(caller, url, message)
    except UnknownSymbolError:
        return Frame()  # of a symbol that ccxt has not: not one that we trade
    except UnreadableError as error:
        frame = Frame()
        frame.problem = f"a frame cannot be read: {error}"
        return frame


def _read(caller: Caller, url: str, message: object) -> Frame:
    if not isinstance(message, Mapping):
        return Frame()
    if "status" in message or "result" in message or "error" in message:
        return _answer(message)
    event = message.get("event", message.get("data", message))
    if not isinstance(event, Mapping):
        raise UnreadableError(f"event is {event!r:.60}, not an object")
    kind = event.get("e")
    if kind is None and "b" in event and "a" in event:
        kind = "bookTicker"  # spot sends it without a name
    frame = Frame()
    if not isinstance(kind, str):
        return frame
    if kind in _ENDED:
        frame.problem = kind
        return frame
    reader = _PRIVATE.get(kind)
    frame.is_private = reader is not None
    if reader is None:
        reader = _PUBLIC.get(kind)
    if reader is not None:
        frame.views.extend(reader(caller, event, "fstream" in url))
    return frame


def _answer(message: Mapping[str, Raw]) -> Frame:
    """Of a SUBSCRIBE or a request of ws-api: only a refusal says anything."""
    frame = Frame()
    error = message.get("error")
    if error is not None or message.get("status", 200) != 200:
        found = error if isinstance(error, Mapping) else {}
        frame.problem = f"refused: {found.get('code', '')} {found.get('msg', '')}"[:200]
    return frame


# Own orders.


def _execution_report(caller: Caller, event: Row, _linear: bool) -> list[View]:
    """Spot. `c` is the client id of the request, of a cancel its own; then `C` is the order's."""
    symbol = symbol_of(caller, text(event, "s"), linear=False)
    original = text(event, "C")
    order_id = text(event, "c") if original in _NO_ID else original
    return _order_event(caller, event, symbol, order_id)


def _order_trade_update(caller: Caller, event: Row, _linear: bool) -> list[View]:
    """Futures."""
    order = row_of(event.get("o"))
    symbol = symbol_of(caller, text(order, "s"), linear=True)
    return _order_event(caller, order, symbol, text(order, "c"))


def _order_event(caller: Caller, event: Row, symbol: str, order_id: str) -> list[View]:
    number_there, ts = whole(event, "i"), whole(event, "T")
    venue_order_id = str(number_there) if number_there >= 0 else ""  # -1: it never had one
    if text(event, "x") in _AMENDED:
        price, quantity = number(event, "p"), number(event, "q")
        return [AmendView(
            order_id=order_id, venue_order_id=venue_order_id, symbol=symbol, price=price,
            quantity=quantity, ts=ts,
        )]  # fmt: skip
    status = status_of(event, "X")
    if status == REJECTED and event.get("r") == _DUPLICATE:
        return []  # it is about a second order: the first one of this id is as it was
    views: list[View] = [
        OrderView(
            order_id=order_id,
            venue_order_id=venue_order_id,
            symbol=symbol,
            status=status,
            price=number(event, "p"),
            quantity=number(event, "q"),
            filled=number(event, "z"),
            side=side_of(event, "S"),
            reason=_reason(event, status),
            ts=ts,
        )
    ]
    if number(event, "l").strip("0."):
        views.append(_fill(caller, event, symbol, order_id))
    return views


def _fill(caller: Caller, event: Row, symbol: str, order_id: str) -> FillView:
    """The execution that an order event tells of; without a fee it may name no asset."""
    fee = number(event, "n") if "n" in event else "0"
    asset = event.get("N")
    if asset is None and not fee.strip("0."):
        asset = caller.market(symbol)["quote"]
    if not isinstance(asset, str):
        raise UnreadableError(f"N is {asset!r:.60}, not a text")
    return FillView(
        order_id=order_id,
        venue_order_id=str(whole(event, "i")),
        symbol=symbol,
        trade_id=str(whole(event, "t")),
        side=side_of(event, "S"),
        price=number(event, "L"),
        quantity=number(event, "l"),
        is_maker=flag(event, "m"),
        fee_asset=asset,
        fee=fee,
        ts=whole(event, "T"),
    )


def _reason(event: Row, status: str) -> str:
    for name in ("r", "eR"):
        value = event.get(name)
        if isinstance(value, str) and value not in _NO_REASON:
            return value
    return text(event, "f") if status == EXPIRED else ""


def _nothing(_caller: Caller, _event: Row, _linear: bool) -> list[View]:
    """Balances are asked for: a frame tells one of the two wallets only."""
    return []


# The market.


def _depth(caller: Caller, event: Row, linear: bool) -> list[View]:
    symbol = symbol_of(caller, text(event, "s"), linear=linear)
    return [
        BookView(
            symbol,
            is_snapshot=False,
            bids=levels(event.get("b")),
            asks=levels(event.get("a")),
            first_id=whole(event, "U"),
            last_id=whole(event, "u"),
            previous_id=whole(event, "pu") if linear else -1,
            ts=whole(event, "T") if linear else whole(event, "E"),
        )
    ]


def _trade(caller: Caller, event: Row, linear: bool) -> list[View]:
    """One trade, or one aggregate; `m`: the buyer was the maker."""
    symbol = symbol_of(caller, text(event, "s"), linear=linear)
    trade_id = whole(event, "a" if text(event, "e") == "aggTrade" else "t")
    side = "sell" if flag(event, "m") else "buy"
    price, quantity = number(event, "p"), number(event, "q")
    return [TradeView(symbol, price, quantity, side, str(trade_id), whole(event, "T"))]


def _quote(caller: Caller, event: Row, linear: bool) -> list[View]:
    """Spot does not say when."""
    symbol = symbol_of(caller, text(event, "s"), linear=linear)
    bid, ask = number(event, "b"), number(event, "a")
    bid_size, ask_size = number(event, "B"), number(event, "A")
    ts = whole(event, "T") if "T" in event else 0
    return [QuoteView(symbol, bid, bid_size, ask, ask_size, ts)]


def _mark(caller: Caller, event: Row, _linear: bool) -> list[View]:
    symbol = symbol_of(caller, text(event, "s"), linear=True)
    return [MarkView(symbol, number(event, "p"), number(event, "i"), whole(event, "E"))]


_PRIVATE: Final[dict[str, Reader]] = {
    "executionReport": _execution_report,
    "ORDER_TRADE_UPDATE": _order_trade_update,
    "outboundAccountPosition": _nothing,
    "balanceUpdate": _nothing,
    "ACCOUNT_UPDATE": _nothing,
    "TRADE_LITE": _nothing,  # the fill again, without its fee
}
_PUBLIC: Final[dict[str, Reader]] = {
    "depthUpdate": _depth,
    "trade": _trade,
    "aggTrade": _trade,
    "bookTicker": _quote,
    "markPriceUpdate": _mark,
}
