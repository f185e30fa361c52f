"""Raw frames of the WebSockets as views.

Pure but for what belongs to a connection and is kept in the `options` of its ccxt object: the last
sequence number (`gap_before`), and the books that quotes are made of (`quotes`).

https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from zvt_trading.adapters.ccxt.coinbase.answers import SIDES, STATUSES, ms_of, plain
from zvt_trading.adapters.ccxt.coinbase.quotes import Quotes
from zvt_trading.adapters.ccxt.dialect import Caller, Frame, Raw
from zvt_trading.adapters.ccxt.views import (
    CANCELLED,
    OPEN,
    REJECTED,
    BookView,
    GapView,
    OrderView,
    TradeView,
    View,
)

LEVEL2: Final = "level2"
TRADES: Final = "market_trades"
HEARTBEATS: Final = "heartbeats"
USER: Final = "user"
SEQUENCES: Final = "zvtSequences"
"""Name in the `options` of a ccxt object: the last sequence number of each connection, by URL."""
QUOTES: Final = "zvtQuotes"
"""Name in the `options` of a ccxt object: the Quotes of its public connection."""
_MAKERS: Final = {"BUY": "sell", "SELL": "buy"}
"""`side` of a public trade is the maker's, so the aggressor's is the other one."""


def frame_of(caller: Caller, url: str, raw: Raw) -> Frame:
    """What a frame says; a problem, never an exception, when it is not as documented."""
    quotes: Quotes | None = caller.options.get(QUOTES)
    if quotes is not None and quotes.url != url:
        quotes = None
    try:
        frame = _frame(caller, url, raw, quotes)
    except Exception as error:  # noqa: BLE001 - whatever it is, the frame could not be read
        frame = _unreadable(f"unreadable frame: {type(error).__name__}")
    if frame.problem and quotes is not None:
        quotes.lose()
    return frame


def _unreadable(why: str) -> Frame:
    frame = Frame([GapView("", why)])
    frame.problem = why
    return frame


def _frame(caller: Caller, url: str, raw: Raw, quotes: Quotes | None) -> Frame:
    if raw.get("type") == "error":
        return _unreadable(f"error frame: {str(raw.get('message'))[:200]}")
    gap = gap_before(caller, url, raw["sequence_num"])
    channel = raw["channel"]
    ts = ms_of(raw["timestamp"])
    views = _views(caller, channel, raw["events"], ts) if channel in _READERS else []
    if quotes is not None and not gap:
        views = _with_quotes(caller, quotes, channel, views, ts)
    frame = Frame(views)
    frame.is_private = channel == USER
    if channel == USER:
        frame.ask_order.extend(_to_ask(raw["events"]))
    # ccxt counts on a subscription in it, or on an unsubscription that we never send.
    frame.is_control = channel == "subscriptions" and bool(raw["events"][0]["subscriptions"])
    if gap:
        frame.views.insert(0, GapView("", gap))
        frame.problem = gap
    return frame


def gap_before(caller: Caller, url: str, number: int) -> str:
    """What is wrong with a sequence number, "" when it follows the one before.

    It counts all frames of one connection from 0, whatever their channel. The same number again is
    the same frame again, which changes nothing.
    """
    if type(number) is not int:
        raise TypeError(f"sequence number {number!r}")
    last: dict[str, int] = caller.options.setdefault(SEQUENCES, {})
    before = last.get(url, -1)
    last[url] = number
    if number in {0, before, before + 1}:
        return ""
    return f"sequence number {number} after {before}"


def _with_quotes(
    caller: Caller, quotes: Quotes, channel: str, views: list[View], ts: int
) -> list[View]:
    """Quotes that the frame changes or, being a heartbeat, confirms; books if they are wanted."""
    if channel == HEARTBEATS:
        return [*quotes.still(ts)]
    books = [view for view in views if isinstance(view, BookView)]
    changed = [quotes.take(caller, view) for view in books]
    shown = views if quotes.has_books or not books else []
    return [*shown, *(quote for quote in changed if quote is not None)]


def _text(raw: Mapping[str, Raw], name: str) -> str:
    value = raw[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _views(caller: Caller, channel: str, events: Iterable[Raw], ts: int) -> list[View]:
    views: list[View] = []
    for event in events:
        views.extend(_READERS[channel](caller, event, ts))
    return views


# Own orders.


def _orders(caller: Caller, event: Raw, ts: int) -> list[View]:
    return [_order(caller, raw, ts) for raw in event["orders"] if raw["status"] in STATUSES]


def _order(caller: Caller, raw: Mapping[str, Raw], ts: int) -> OrderView:
    """An order: its size is told only while it is open, as filled and to be filled."""
    filled = Decimal(raw["cumulative_quantity"])
    status = STATUSES[raw["status"]]
    if status == REJECTED and filled:
        status = CANCELLED  # it failed later
    size = ""
    if status == OPEN:
        size = plain(filled + Decimal(raw["leaves_quantity"]))
    return OrderView(
        order_id=_text(raw, "client_order_id"),
        venue_order_id=_text(raw, "order_id"),
        symbol=caller.safe_symbol(raw["product_id"], None, "-"),
        status=status,
        price=raw.get("limit_price", ""),
        quantity=size,
        filled=plain(filled),
        side=SIDES[raw["order_side"]],
        reason=raw.get("cancel_reason") or raw.get("reject_reason") or "",
        ts=ts,
    )


def _to_ask(events: Iterable[Raw]) -> list[str]:
    """Orders with fills, whose prices and fees are not told, or with a status of no known name."""
    return [
        raw["client_order_id"] or f"#{raw['order_id']}"
        for event in events
        for raw in event["orders"]
        if Decimal(raw["cumulative_quantity"]) or raw["status"] not in STATUSES
    ]


# The market.


def _symbols(caller: Caller, product_id: str) -> list[str]:
    """The symbol of a product, and those that are the same book: -USDC is delivered as -USD."""
    known = (caller.markets_by_id or {}).get(product_id) or []
    others = [one for market in known for one in market["info"].get("alias_to") or ()]
    return [str(caller.safe_symbol(one, None, "-")) for one in (product_id, *others)]


def _book(caller: Caller, event: Raw, ts: int) -> list[View]:
    is_snapshot = event["type"] == "snapshot"
    sides: dict[str, list[tuple[str, str]]] = {"bid": [], "offer": []}
    for level in event["updates"]:
        sides[level["side"]].append((_text(level, "price_level"), _text(level, "new_quantity")))
    if is_snapshot:
        sides["bid"].sort(key=_price, reverse=True)
        sides["offer"].sort(key=_price)
    bids, asks = tuple(sides["bid"]), tuple(sides["offer"])
    # The sequence number counts frames of the connection, not changes of the book.
    return [
        BookView(symbol, is_snapshot, bids, asks, -1, -1, -1, ts)
        for symbol in _symbols(caller, event["product_id"])
    ]


def _price(level: tuple[str, str]) -> Decimal:
    return Decimal(level[0])


def _trades(caller: Caller, event: Raw, _ts: int) -> list[View]:
    """Coinbase sends the newest first."""
    return [
        TradeView(
            symbol,
            _text(raw, "price"),
            _text(raw, "size"),
            _MAKERS.get(raw["side"], ""),
            _text(raw, "trade_id"),
            ms_of(raw["time"]),
        )
        for raw in reversed(event["trades"])
        for symbol in _symbols(caller, raw["product_id"])
    ]


_READERS: Final = {USER: _orders, "l2_data": _book, TRADES: _trades}
