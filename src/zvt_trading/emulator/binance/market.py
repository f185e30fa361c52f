"""Public endpoints of both markets: time, listing, books, trades, candles, tickers."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from zvt_trading.emulator import faults
from zvt_trading.emulator.binance.asked import PUBLIC, Asked, Endpoint
from zvt_trading.emulator.binance.desk import Desk
from zvt_trading.emulator.binance.errors import error, missing
from zvt_trading.emulator.binance.listing import linear_info, spot_info
from zvt_trading.emulator.binance.numbers import (
    EIGHT,
    fixed,
    ms,
    native,
    price_text,
    quantity_text,
    value_text,
)
from zvt_trading.emulator.feed import Feed, SymbolFeed
from zvt_trading.emulator.wire import Json
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import TradeTick

INTERVALS: Final = {
    "1s": 1_000, "1m": 60_000, "3m": 180_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000,
    "1h": 3_600_000, "2h": 7_200_000, "4h": 14_400_000, "6h": 21_600_000, "8h": 28_800_000,
    "12h": 43_200_000, "1d": 86_400_000,
}  # fmt: skip
_DAY_MS: Final = 86_400_000
_FUNDING_MS: Final = 300_000  # sim/generated.py settles every five minutes

Shape = dict[str, Any]


class Market:
    """Answers for one of the two markets."""

    def __init__(self, desk: Desk, feed: Feed) -> None:
        self._desk: Final = desk
        self._feed: Final = feed

    def endpoints(self) -> list[Endpoint]:
        """All of them; both markets have the same names."""
        root = "/api/v3/" if self._desk.is_spot else "/fapi/v1/"
        symbols = "symbol symbols type symbolStatus"
        public: list[tuple[str, Any, str, int]] = [
            ("ping", self.ping, "", 1),
            ("time", self.time, "", 1),
            ("exchangeInfo", self.info, f"{symbols} permissions showPermissionSets", 20),
            ("depth", self.depth, "symbol limit symbolStatus", 5),
            ("trades", self.trades, "symbol limit", 25),
            ("aggTrades", self.agg_trades, "symbol fromId startTime endTime limit", 4),
            ("klines", self.klines, "symbol interval startTime endTime timeZone limit", 2),
            ("ticker/24hr", self.ticker, symbols, 2),
            ("ticker/price", self.last_price, symbols, 2),
            ("ticker/bookTicker", self.book_ticker, symbols, 2),
        ]
        if self._desk.is_spot:
            public.append(("avgPrice", self.average, "symbol", 2))
        else:
            public.append(("premiumIndex", self.premium, "symbol", 1))
            public.append(("fundingRate", self.funding, "symbol startTime endTime limit", 1))
        return [
            Endpoint("GET", root + name, handler, PUBLIC, knows,
                     kind=faults.MARKET, weight=weight)
            for name, handler, knows, weight in public
        ]  # fmt: skip

    def ping(self, _asked: Asked) -> Json:
        """Here."""
        return {}

    def time(self, _asked: Asked) -> Json:
        """The exchange's."""
        return {"serverTime": self._now()}

    def info(self, asked: Asked) -> Json:
        """What is listed."""
        instruments = [feed.instrument for feed in self._feeds(asked)]
        if self._desk.is_spot:
            return spot_info(instruments, self._now())
        return linear_info(instruments, self._now())

    def depth(self, asked: Asked) -> Json:
        """The book."""
        feed = self._one(asked)
        count = asked.limit(100 if self._desk.is_spot else 500, 5_000)
        shape: Shape = {"lastUpdateId": feed.last_id}
        if not self._desk.is_spot:
            shape |= {"E": self._now(), "T": self._now()}
        shape["bids"] = _levels(feed, BUY, count)
        shape["asks"] = _levels(feed, SELL, count)
        return shape

    def trades(self, asked: Asked) -> Json:
        """The latest, oldest first."""
        feed = self._one(asked)
        extra = {"isBestMatch": True} if self._desk.is_spot else {}
        return [
            {
                "id": trade.trade_id,
                "price": price_text(feed.instrument, trade.price),
                "qty": quantity_text(feed.instrument, trade.size),
                "quoteQty": value_text(feed.instrument, _value(feed, trade)),
                "time": ms(trade.ts),
                "isBuyerMaker": trade.aggressor == SELL,
                **extra,
            }
            for trade in feed.trades[-asked.limit(500, 1_000) :]
        ]

    def agg_trades(self, asked: Asked) -> Json:
        """Every trade is an aggregate of its own; from an id, between times, or the latest."""
        feed = self._one(asked)
        limit = asked.limit(500, 1_000)
        start, end = asked.number("startTime", 0), asked.number("endTime", 0)
        found = feed.trades
        if asked.text("fromId"):
            first = asked.number("fromId", 0)
            found = [trade for trade in found if trade.trade_id >= first][:limit]
        elif start or end:
            found = [trade for trade in found if start <= ms(trade.ts) <= (end or ms(trade.ts))]
            found = found[:limit]
        extra = {"M": True} if self._desk.is_spot else {}
        return [
            {
                "a": trade.trade_id,
                "p": price_text(feed.instrument, trade.price),
                "q": quantity_text(feed.instrument, trade.size),
                "f": trade.trade_id,
                "l": trade.trade_id,
                "T": ms(trade.ts),
                "m": trade.aggressor == SELL,
                **extra,
            }
            for trade in found[-limit:]
        ]

    def klines(self, asked: Asked) -> Json:
        """Candles of the trades that are kept, oldest first; flat where nothing traded."""
        feed = self._one(asked)
        length = INTERVALS.get(asked.needed("interval"))
        if length is None:
            raise error(-1120, "Invalid interval.")
        start, end = asked.number("startTime", 0), asked.number("endTime", 0)
        limit = asked.limit(500, 1_000)
        rows = [
            _kline(feed, open_, length, inside, close)
            for open_, inside, close in _groups(feed.trades, length, self._now())
            if start <= open_ <= (end or open_)
        ]
        return rows[:limit] if start else rows[-limit:]

    def ticker(self, asked: Asked) -> Json:
        """The last day's, as far as trades are kept."""
        return self._each(asked, self.ticker_of)

    def candle_of(self, feed: SymbolFeed, interval: str) -> list[Any]:
        """The one that is open now; [] without a trade in it, or for no interval."""
        length = INTERVALS.get(interval)
        if length is None or not feed.trades:
            return []
        open_ms = ms(feed.trades[-1].ts) // length * length
        inside = [trade for trade in feed.trades if ms(trade.ts) >= open_ms]
        return _kline(feed, open_ms, length, inside)

    def last_price(self, asked: Asked) -> Json:
        """Of the last trade."""
        return self._each(
            asked, lambda feed: {"symbol": _name(feed), "price": _price(feed, _last(feed))}
        )

    def book_ticker(self, asked: Asked) -> Json:
        """The best prices."""
        return self._each(asked, lambda feed: {"symbol": _name(feed), **_touch(feed)})

    def average(self, asked: Asked) -> Json:
        """Here the last price."""
        feed = self._one(asked)
        return {"mins": 5, "price": _price(feed, _last(feed)), "closeTime": self._now()}

    def premium(self, asked: Asked) -> Json:
        """Mark and index price, and the last funding rate."""
        return self._each(asked, self._premium)

    def funding(self, asked: Asked) -> Json:
        """The rates are not kept here: the last one, if there was one."""
        feeds = [feed for feed in self._feeds(asked) if feed.funding_rate]
        return [
            {
                "symbol": _name(feed),
                "fundingTime": self._now() // _FUNDING_MS * _FUNDING_MS,
                "fundingRate": fixed(feed.funding_rate, EIGHT, EIGHT),
                "markPrice": _price(feed, feed.mark),
            }
            for feed in feeds
        ]

    def _premium(self, feed: SymbolFeed) -> Shape:
        return {
            "symbol": _name(feed),
            "markPrice": fixed(feed.mark, feed.instrument.price_scale, EIGHT),
            "indexPrice": fixed(feed.index, feed.instrument.price_scale, EIGHT),
            "estimatedSettlePrice": fixed(feed.index, feed.instrument.price_scale, EIGHT),
            "lastFundingRate": fixed(feed.funding_rate, EIGHT, EIGHT),
            "interestRate": "0.00010000",
            "nextFundingTime": self._now() // _FUNDING_MS * _FUNDING_MS + _FUNDING_MS,
            "time": self._now(),
        }

    def ticker_of(self, feed: SymbolFeed) -> Shape:
        """Binance's fields; futures have no best prices here."""
        now = self._now()
        day = [trade for trade in feed.trades if ms(trade.ts) > now - _DAY_MS]
        last = _last(feed)
        first = day[0].price if day else last
        volume = sum(trade.size for trade in day)
        value = sum(_value(feed, trade) for trade in day)
        change = last - first
        shape: Shape = {
            "symbol": _name(feed),
            "priceChange": _price(feed, change),
            "priceChangePercent": fixed(change * 10**5 // first if first else 0, 3, 3),
            "weightedAvgPrice": _price(feed, last),
            "lastPrice": _price(feed, last),
            "lastQty": quantity_text(feed.instrument, day[-1].size if day else 0),
            "openPrice": _price(feed, first),
            "highPrice": _price(feed, max((trade.price for trade in day), default=last)),
            "lowPrice": _price(feed, min((trade.price for trade in day), default=last)),
            "volume": quantity_text(feed.instrument, volume),
            "quoteVolume": value_text(feed.instrument, value),
            "openTime": now - _DAY_MS,
            "closeTime": now,
            "firstId": day[0].trade_id if day else -1,
            "lastId": day[-1].trade_id if day else -1,
            "count": len(day),
        }
        if self._desk.is_spot:
            shape |= {"prevClosePrice": _price(feed, first), **_touch(feed)}
        return shape

    def _each(self, asked: Asked, shape: Callable[[SymbolFeed], Shape]) -> Json:
        """One object for one symbol, a list for several or all."""
        shapes: list[Json] = [shape(feed) for feed in self._feeds(asked)]
        return shapes[0] if asked.text("symbol") else shapes

    def _one(self, asked: Asked) -> SymbolFeed:
        return self._feed.symbols[self._desk.instrument(asked).symbol]

    def _feeds(self, asked: Asked) -> list[SymbolFeed]:
        """Of `symbol`, of `symbols` (a JSON list), or all."""
        if asked.text("symbol"):
            return [self._one(asked)]
        names = asked.text("symbols")
        if not names:
            return [self._feed.symbols[i.symbol] for i in self._desk.instruments.values()]
        feeds: list[SymbolFeed] = []
        for name in names.strip("[]").split(","):
            instrument = self._desk.instruments.get(name.strip(' "'))
            if instrument is None:
                raise missing("symbols") if not name else error(-1121, "Invalid symbol.")
            feeds.append(self._feed.symbols[instrument.symbol])
        return feeds

    def _now(self) -> int:
        return self._desk.house.clock.now_ms()


def _name(feed: SymbolFeed) -> str:
    return native(feed.instrument.symbol)


def _price(feed: SymbolFeed, price: int) -> str:
    return price_text(feed.instrument, price)


def _value(feed: SymbolFeed, trade: TradeTick) -> int:
    return feed.instrument.value(trade.price, trade.size)


def _last(feed: SymbolFeed) -> int:
    """Of the last trade; without one the best bid."""
    if feed.trades:
        return feed.trades[-1].price
    best = feed.levels(BUY, 1)
    return best[0][0] if best else 0


def _levels(feed: SymbolFeed, side: int, count: int) -> list[list[str]]:
    instrument = feed.instrument
    return [
        [price_text(instrument, price), quantity_text(instrument, size)]
        for price, size in feed.levels(side, count)
    ]


def _touch(feed: SymbolFeed) -> Shape:
    bid, ask = _levels(feed, BUY, 1), _levels(feed, SELL, 1)
    nothing = [_price(feed, 0), quantity_text(feed.instrument, 0)]
    best_bid, best_ask = (bid or [nothing])[0], (ask or [nothing])[0]
    return {
        "bidPrice": best_bid[0],
        "bidQty": best_bid[1],
        "askPrice": best_ask[0],
        "askQty": best_ask[1],
    }


def _groups(
    trades: list[TradeTick], length: int, now: int
) -> Iterator[tuple[int, list[TradeTick], int]]:
    """Every interval from the first trade to now: opening in ms, its trades, the close before."""
    inside: dict[int, list[TradeTick]] = {}
    for trade in trades:
        inside.setdefault(ms(trade.ts) // length * length, []).append(trade)
    close = 0
    for open_ in range(min(inside, default=now + 1), now + 1, length):
        group = inside.get(open_, [])
        yield open_, group, close
        close = group[-1].price if group else close


def _kline(
    feed: SymbolFeed, open_ms: int, length: int, trades: list[TradeTick], close: int = 0
) -> list[Any]:
    """Without trades it is flat at the close before."""
    instrument = feed.instrument
    bought = [trade for trade in trades if trade.aggressor == BUY]
    prices = [trade.price for trade in trades] or [close]
    return [
        open_ms,
        _price(feed, prices[0]),
        _price(feed, max(prices)),
        _price(feed, min(prices)),
        _price(feed, prices[-1]),
        quantity_text(instrument, sum(trade.size for trade in trades)),
        open_ms + length - 1,
        value_text(instrument, sum(_value(feed, trade) for trade in trades)),
        len(trades),
        quantity_text(instrument, sum(trade.size for trade in bought)),
        value_text(instrument, sum(_value(feed, trade) for trade in bought)),
        "0",
    ]
