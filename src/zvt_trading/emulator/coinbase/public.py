"""Public answers: time, currencies, products, book, trades, candles."""

from typing import Any, Final

from zvt_trading.emulator.coinbase import market
from zvt_trading.emulator.coinbase.errors import invalid, problem
from zvt_trading.emulator.coinbase.market import Shape
from zvt_trading.emulator.coinbase.names import (
    NS_A_SECOND,
    iso,
    ns_of,
    plain,
    product_of,
    symbol_of,
)
from zvt_trading.emulator.feed import Feed, SymbolFeed
from zvt_trading.emulator.house import House
from zvt_trading.emulator.wire import Call
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import TradeTick

GRANULARITIES: Final = {
    "ONE_MINUTE": 60,
    "FIVE_MINUTE": 300,
    "FIFTEEN_MINUTE": 900,
    "THIRTY_MINUTE": 1_800,
    "ONE_HOUR": 3_600,
    "TWO_HOUR": 7_200,
    "FOUR_HOUR": 14_400,
    "SIX_HOUR": 21_600,
    "ONE_DAY": 86_400,
}
"""Seconds of a candle."""
CANDLES_MAX: Final = 350
TRADES_DEFAULT: Final = 100
LEVELS_DEFAULT: Final = 500


def values_of(call: Call, *names: str) -> list[str]:
    """All values of a parameter that may be given several times, or as a list with commas."""
    found: list[str] = []
    for name in names:
        for text in call.request.rel_url.query.getall(name, []):
            found += text.split(",")
    return found


def count_of(call: Call, default: int, most: int) -> int:
    """The `limit` of a page."""
    text = call.query.get("limit", "") or str(default)
    if not text.isdecimal():
        raise invalid(f"limit must be a whole number, not {text!r}")
    return min(int(text) or default, most)


def time_of(call: Call, name: str, default: int) -> int:
    """A time parameter in nanoseconds."""
    text = call.query.get(name, "")
    try:
        return ns_of(text) if text else default
    except ValueError as error:
        raise invalid(f"{name}: {error}") from None


class PublicRest:
    """Handlers of the requests that need no key."""

    def __init__(self, house: House, feed: Feed) -> None:
        self._house = house
        self._feed = feed

    def time(self, _call: Call) -> Shape:
        """The exchange's clock."""
        now_ms = self._house.clock.now_ms()
        return {
            "iso": iso(now_ms * 1_000_000),
            "epochSeconds": str(now_ms // 1000),
            "epochMillis": str(now_ms),
        }

    def old_time(self, _call: Call) -> Shape:
        """The same in the v2 interface."""
        now_ms = self._house.clock.now_ms()
        return {"data": {"iso": iso(now_ms * 1_000_000), "epoch": now_ms // 1000}}

    def fiat(self, _call: Call) -> Shape:
        """Currencies that are money."""
        return {"data": [{"id": "USD", "name": "United States Dollar", "min_size": "0.01"}]}

    def crypto(self, _call: Call) -> Shape:
        """Currencies that are not; ccxt cannot do without `name`."""
        return {
            "data": [
                {
                    "asset_id": asset.lower(),
                    "code": asset,
                    "name": asset,
                    "color": "#000000",
                    "sort_index": index,
                    "exponent": 8,
                    "type": "crypto",
                    "address_regex": "",
                }
                for index, asset in enumerate(self._assets())
            ]
        }

    def rates(self, _call: Call) -> Shape:
        """Exchange rates: that there are such currencies is all that is told."""
        return {"data": {"currency": "USD", "rates": dict.fromkeys(self._assets(), "1")}}

    def products(self, call: Call) -> Shape:
        """All products, or those asked for; there are no futures."""
        wanted = values_of(call, "product_ids")
        kind = call.query.get("product_type", "SPOT")
        shown = [
            market.product(feed)
            for feed in self._feed.symbols.values()
            if kind == "SPOT" and (not wanted or product_of(feed.instrument.symbol) in wanted)
        ]
        return {"products": shown, "num_products": len(shown), "pagination": None}

    def product(self, call: Call) -> Shape:
        """One product."""
        return market.product(self._of(call.parts["product_id"]))

    def book(self, call: Call) -> Shape:
        """The order book."""
        feed = self._of(call.query.get("product_id", ""))
        now = self._house.clock.true_ns()
        shown = market.price_book(feed, count_of(call, LEVELS_DEFAULT, 5_000), now)
        bid, ask = market.best_texts(feed)
        return {
            "pricebook": shown,
            "last": market.last_price(feed),
            "mid_market": bid,
            "spread_bps": "0",
            "spread_absolute": "0" if not bid or not ask else _less(feed),
        }

    def best(self, call: Call) -> Shape:
        """Best bid and ask of several products."""
        now = self._house.clock.true_ns()
        wanted = values_of(call, "product_ids")
        return {
            "pricebooks": [
                market.price_book(feed, 1, now)
                for feed in self._feed.symbols.values()
                if not wanted or product_of(feed.instrument.symbol) in wanted
            ]
        }

    def trades(self, call: Call) -> Shape:
        """The latest trades, newest first, and the best prices."""
        feed = self._of(call.parts["product_id"])
        begin = time_of(call, "start", 0)
        end = time_of(call, "end", 1 << 63)
        shown = [trade for trade in feed.trades if begin <= trade.ts <= end]
        shown = shown[-count_of(call, TRADES_DEFAULT, 1_000) :][::-1]
        bid, ask = market.best_texts(feed)
        more = {"bid": "", "ask": "", "exchange": "coinbase"}
        return {
            "trades": [market.public_trade(feed.instrument, trade) | more for trade in shown],
            "best_bid": bid,
            "best_ask": ask,
        }

    def candles(self, call: Call) -> Shape:
        """Candles of the trades that are kept, newest first."""
        feed = self._of(call.parts["product_id"])
        seconds = GRANULARITIES.get(call.query.get("granularity", ""))
        if seconds is None:
            raise invalid(f"granularity must be one of {', '.join(GRANULARITIES)}")
        begin = time_of(call, "start", 0)
        end = time_of(call, "end", 1 << 63)
        buckets: dict[int, list[TradeTick]] = {}
        for trade in feed.trades:
            start = trade.ts // NS_A_SECOND // seconds * seconds
            if begin <= start * NS_A_SECOND <= end:
                buckets.setdefault(start, []).append(trade)
        starts = sorted(buckets, reverse=True)[: count_of(call, CANDLES_MAX, CANDLES_MAX)]
        return {"candles": [_candle(feed, start, buckets[start]) for start in starts]}

    def _of(self, product_id: str) -> SymbolFeed:
        feed = self._feed.symbols.get(symbol_of(product_id))
        if feed is None:
            raise problem(404, "NOT_FOUND", "valid product_id is required")
        return feed

    def _assets(self) -> list[str]:
        found: dict[str, None] = {}
        for feed in self._feed.symbols.values():
            found |= {feed.instrument.base: None, feed.instrument.quote: None}
        return list(found)


def _less(feed: SymbolFeed) -> str:
    """Best ask less best bid."""
    bids, asks = feed.levels(BUY, 1), feed.levels(SELL, 1)
    return plain(market.price_text(feed.instrument, asks[0][0] - bids[0][0]))


def _candle(feed: SymbolFeed, start: int, trades: list[TradeTick]) -> dict[str, Any]:
    prices = [trade.price for trade in trades]
    instrument = feed.instrument
    return {
        "start": str(start),
        "low": market.price_text(instrument, min(prices)),
        "high": market.price_text(instrument, max(prices)),
        "open": market.price_text(instrument, prices[0]),
        "close": market.price_text(instrument, prices[-1]),
        "volume": market.size_text(instrument, sum(trade.size for trade in trades)),
    }
