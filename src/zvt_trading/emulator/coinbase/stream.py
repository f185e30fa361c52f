"""The WebSocket: channels, snapshots, and the sequence number that runs over a connection.

https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
"""

import asyncio
from typing import Any, Final

import msgspec

from zvt_trading.emulator import faults
from zvt_trading.emulator.coinbase import market, shapes
from zvt_trading.emulator.coinbase.auth import Authority
from zvt_trading.emulator.coinbase.market import Shape
from zvt_trading.emulator.coinbase.names import USER, iso, owned_uuid, plain, product_of, symbol_of
from zvt_trading.emulator.feed import BookUpdate, Feed, SymbolFeed
from zvt_trading.emulator.house import House
from zvt_trading.emulator.orders import Change, HouseOrder
from zvt_trading.emulator.wire import Reply, Session
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import TradeTick

LEVEL2: Final = "level2"
TRADES: Final = "market_trades"
TICKER: Final = "ticker"
TICKER_BATCH: Final = "ticker_batch"
HEARTBEATS: Final = "heartbeats"
CHANNELS: Final = (LEVEL2, TRADES, TICKER, TICKER_BATCH, HEARTBEATS, USER)
BEAT_S: Final = 1
"""A heartbeat comes every second."""
TICKER_TRADES: Final = 1_000
"""What a ticker calls the last 24 hours: a ticker is made for every trade, and must be quick."""
SNAPSHOT_TRADES: Final = 100
SNAPSHOT_ORDERS: Final = 50
SNAPSHOT_LEVELS: Final = 5_000


class Streams:
    """Speaks with all sessions of the wire; `sessions` is the wire's own list."""

    def __init__(
        self, house: House, feed: Feed, authority: Authority, sessions: list[Session]
    ) -> None:
        self._house = house
        self._feed = feed
        self._authority = authority
        self._sessions = sessions

    # What clients say.

    def received(self, session: Session, text: str) -> None:
        """A subscribe or unsubscribe message."""
        message = _object(text)
        channel = message.get("channel")
        products = message.get("product_ids") or []
        kind = message.get("type")
        if kind not in {"subscribe", "unsubscribe"} or channel not in CHANNELS:
            session.say({"type": "error", "message": f"unknown request or channel {channel!r}"})
        elif not isinstance(products, list) or not self._has_all(products):
            session.say({"type": "error", "message": f"invalid product_ids {products!r}"})
        elif kind == "unsubscribe":
            session.topics.pop(channel, None)
            self._subscriptions(session)
        elif channel != USER or self._logged_in(session, message):
            self._subscribe(session, channel, products)

    def _has_all(self, products: list[Any]) -> bool:
        return all(symbol_of(str(one)) in self._feed.symbols for one in products)

    def _logged_in(self, session: Session, message: dict[str, Any]) -> bool:
        try:
            key = self._authority.key_of(str(message.get("jwt", "")))
        except Reply:
            session.say({"type": "error", "message": "authentication failure"})
            return False
        session.account = key.account
        return True

    def _subscribe(self, session: Session, channel: str, products: list[str]) -> None:
        was_beating = HEARTBEATS in session.topics
        known: list[str] = session.topics.get(channel, [])
        added = [one for one in products if one not in known]
        session.topics[channel] = known + added
        if channel == USER:
            self._user_snapshot(session)
        elif channel == HEARTBEATS:
            if not was_beating:
                self._beat(session, 0)
        else:
            for product_id in added:
                self._snapshot(session, channel, self._feed.symbols[symbol_of(product_id)])
        self._subscriptions(session)

    def _subscriptions(self, session: Session) -> None:
        """The acknowledgement lists everything that is subscribed to."""
        shown = dict(session.topics)
        if HEARTBEATS in shown:
            shown[HEARTBEATS] = [HEARTBEATS]
        if USER in shown:
            shown[USER] = [owned_uuid(session.account, USER)]
        session.say(self._frame(session, "subscriptions", [{"subscriptions": shown}]))

    # Snapshots.

    def _snapshot(self, session: Session, channel: str, feed: SymbolFeed) -> None:
        if channel == LEVEL2:
            now = self._house.clock.true_ns()
            updates = [
                _level(feed, side, price, size, now)
                for side in (BUY, SELL)
                for price, size in feed.levels(side, SNAPSHOT_LEVELS)
            ]
            self._push(session, "l2_data", [_book_event("snapshot", feed, updates)])
        elif channel == TRADES:
            latest = feed.trades[-SNAPSHOT_TRADES:][::-1]
            shown = [market.public_trade(feed.instrument, trade) for trade in latest]
            self._push(session, TRADES, [{"type": "snapshot", "trades": shown}])
        else:
            self._push(session, channel, [{"type": "snapshot", "tickers": [_ticker(feed)]}])

    def _user_snapshot(self, session: Session) -> None:
        """Open orders, 50 a frame; one empty frame when there are none."""
        opened = [
            order
            for order in self._house.open_orders(session.account)
            if _wants(session, USER, order.instrument.symbol)
        ]
        for begin in range(0, len(opened) or 1, SNAPSHOT_ORDERS):
            page = opened[begin : begin + SNAPSHOT_ORDERS]
            self._push_orders(session, "snapshot", page)

    def _push_orders(self, session: Session, kind: str, orders: list[HouseOrder]) -> None:
        event = {
            "type": kind,
            "orders": [shapes.stream_order(order) for order in orders],
            "positions": {"perpetual_futures_positions": [], "expiring_futures_positions": []},
        }
        session.push(self._frame(session, USER, [event]), faults.PRIVATE)

    def _beat(self, session: Session, counter: int) -> None:
        if session not in self._sessions or HEARTBEATS not in session.topics:
            return
        now = iso(self._house.clock.now_ms() * 1_000_000).removesuffix("Z").replace("T", " ")
        event = {"current_time": f"{now} +0000 UTC", "heartbeat_counter": counter}
        self._push(session, HEARTBEATS, [event])
        asyncio.get_running_loop().call_later(BEAT_S, self._beat, session, counter + 1)

    # What happens.

    def order_changed(self, change: Change) -> None:
        """An order of an account that is listened to."""
        symbol = change.order.instrument.symbol
        for session in self._sessions:
            if session.account == change.order.account and _wants(session, USER, symbol):
                self._push_orders(session, "update", [change.order])

    def book_changed(self, update: BookUpdate) -> None:
        """Changed levels."""
        listening = [one for one in self._sessions if _wants(one, LEVEL2, update.symbol)]
        if not listening:
            return
        feed = self._feed.symbols[update.symbol]
        updates = [_level(feed, BUY, price, size, update.ts) for price, size in update.bids]
        updates += [_level(feed, SELL, price, size, update.ts) for price, size in update.asks]
        for session in listening:
            self._push(session, "l2_data", [_book_event("update", feed, updates)])

    def traded(self, symbol: str, trade: TradeTick) -> None:
        """A public trade; tickers come with trades, not with quotes."""
        feed = self._feed.symbols[symbol]
        for session in self._sessions:
            if _wants(session, TRADES, symbol):
                shown = [market.public_trade(feed.instrument, trade)]
                self._push(session, TRADES, [{"type": "update", "trades": shown}])
            for channel in (TICKER, TICKER_BATCH):
                if _wants(session, channel, symbol):
                    self._push(session, channel, [{"type": "update", "tickers": [_ticker(feed)]}])

    def _push(self, session: Session, channel: str, events: list[Shape]) -> None:
        """Data; a heartbeat shares the fate of what its connection is for."""
        is_private = channel == HEARTBEATS and session.account != ""
        kind = faults.PRIVATE if is_private else faults.PUBLIC
        session.push(self._frame(session, channel, events), kind)

    def _frame(self, session: Session, channel: str, events: list[Shape]) -> Shape:
        number = session.sequence
        session.sequence += 1
        return {
            "channel": channel,
            "client_id": "",
            "timestamp": iso(self._house.clock.now_ms() * 1_000_000),
            "sequence_num": number,
            "events": events,
        }


def _wants(session: Session, channel: str, symbol: str) -> bool:
    """Whether it is subscribed; the user channel without products is for all of them."""
    products = session.topics.get(channel)
    if products is None:
        return False
    return product_of(symbol) in products or (channel == USER and not products)


def _level(feed: SymbolFeed, side: int, price: int, size: int, ts: int) -> Shape:
    return {
        "side": "bid" if side == BUY else "offer",
        "event_time": iso(ts),
        "price_level": market.price_text(feed.instrument, price),
        "new_quantity": market.size_text(feed.instrument, size),
    }


def _book_event(kind: str, feed: SymbolFeed, updates: list[Shape]) -> Shape:
    return {"type": kind, "product_id": product_of(feed.instrument.symbol), "updates": updates}


def _ticker(feed: SymbolFeed) -> Shape:
    instrument = feed.instrument
    (bid, bid_size), (ask, ask_size) = (
        (feed.levels(side, 1) or [(0, 0)])[0] for side in (BUY, SELL)
    )
    latest = feed.trades[-TICKER_TRADES:]
    prices = [trade.price for trade in latest] or [bid]
    return {
        "type": "ticker",
        "product_id": product_of(instrument.symbol),
        "price": market.last_price(feed),
        "volume_24_h": plain(market.size_text(instrument, sum(one.size for one in latest))),
        "low_24_h": market.price_text(instrument, min(prices)),
        "high_24_h": market.price_text(instrument, max(prices)),
        "low_52_w": market.price_text(instrument, min(prices)),
        "high_52_w": market.price_text(instrument, max(prices)),
        "price_percent_chg_24_h": "0",
        "best_bid": market.price_text(instrument, bid),
        "best_bid_quantity": market.size_text(instrument, bid_size),
        "best_ask": market.price_text(instrument, ask),
        "best_ask_quantity": market.size_text(instrument, ask_size),
    }


def _object(text: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}
