"""Public market data by REST: https://bybit-exchange.github.io/docs/v5/market/instrument and on."""

from collections.abc import Mapping
from typing import Any, Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import RATE_SCALE, format_scaled
from zvt_trading.emulator.bybit.errors import bad_request
from zvt_trading.emulator.bybit.pages import int_of
from zvt_trading.emulator.bybit.shapes import Row, instrument_row, money, side
from zvt_trading.emulator.bybit.symbols import (
    LINEAR,
    SPOT,
    Symbols,
    category_of,
    check_category,
    native,
)
from zvt_trading.emulator.clock import NS_A_MS, Clock
from zvt_trading.emulator.feed import Feed, SymbolFeed
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import TradeTick

Query = Mapping[str, str]
MINUTE_MS: Final = 60_000
INTERVALS_MS: Final = {
    **{str(minutes): minutes * MINUTE_MS for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": 1_440 * MINUTE_MS,
    "W": 7 * 1_440 * MINUTE_MS,
}
DAY_NS: Final = 86_400 * 1_000_000_000
_MONDAY_MS: Final = 4 * 1_440 * MINUTE_MS  # weeks begin on Mondays; the epoch was a Thursday


class Market:
    """Answers from the feed."""

    def __init__(self, feed: Feed, symbols: Symbols, clock: Clock) -> None:
        self._feed: Final = feed
        self._symbols: Final = symbols
        self._clock: Final = clock

    def time(self, _query: Query) -> Row:
        """`/v5/market/time`."""
        now = self._clock.now_ms()
        return {"timeSecond": str(now // 1_000), "timeNano": str(now * NS_A_MS)}

    def instruments(self, query: Query) -> Row:
        """`/v5/market/instruments-info`."""
        category = check_category(query.get("category", ""))
        is_asked_for = query.get("status", "Trading") == "Trading"
        rows = [
            instrument_row(instrument)
            for instrument in self._symbols.of(category)
            if is_asked_for and query.get("symbol", "") in {"", native(instrument)}
        ]
        return {"category": category, "list": rows, "nextPageCursor": ""}

    def tickers(self, query: Query) -> Row:
        """`/v5/market/tickers`."""
        category = check_category(query.get("category", ""))
        name = query.get("symbol", "")
        wanted = [self._symbols.find(category, name)] if name else self._symbols.of(category)
        return {"category": category, "list": [self.ticker(instrument) for instrument in wanted]}

    def ticker(self, instrument: Instrument) -> Row:
        """One ticker, with the day's figures of the trades that are kept."""
        feed = self._feed.symbols[instrument.symbol]
        since = self._clock.true_ns() - DAY_NS
        row = _day_row(feed, [trade for trade in feed.trades if trade.ts >= since])
        bid, ask = feed.levels(BUY, 1), feed.levels(SELL, 1)
        for key, level in (("bid1", bid), ("ask1", ask)):
            row[f"{key}Price"] = _price(instrument, level[0][0]) if level else ""
            row[f"{key}Size"] = _size(instrument, level[0][1]) if level else ""
        if category_of(instrument) == SPOT:
            return row | {"usdIndexPrice": row["lastPrice"]}
        return row | {
            "indexPrice": _price(instrument, feed.index),
            "markPrice": _price(instrument, feed.mark),
            "prevPrice1h": row["prevPrice24h"],
            "openInterest": "0",
            "openInterestValue": "0",
            "fundingRate": format_scaled(feed.funding_rate, RATE_SCALE),
            "nextFundingTime": "0",
            "fundingIntervalHour": "8",
            "tickDirection": "PlusTick",
            "predictedDeliveryPrice": "",
            "basisRate": "",
            "basis": "",
            "deliveryFeeRate": "",
            "deliveryTime": "0",
        }

    def book(self, query: Query) -> Row:
        """`/v5/market/orderbook`."""
        instrument = self._find(query)
        feed = self._feed.symbols[instrument.symbol]
        depth = int_of(query, "limit", 1 if instrument.is_spot else 25)
        now = self._clock.now_ms()
        return {
            "s": native(instrument),
            "b": level_rows(instrument, feed.levels(BUY, depth)),
            "a": level_rows(instrument, feed.levels(SELL, depth)),
            "ts": now,
            "u": feed.last_id,
            "seq": feed.last_id,
            "cts": now,
        }

    def trades(self, query: Query) -> Row:
        """`/v5/market/recent-trade`, newest first."""
        instrument = self._find(query)
        most = 60 if instrument.is_spot else 1_000
        limit = min(int_of(query, "limit", min(500, most)), most)
        trades = self._feed.symbols[instrument.symbol].trades[-limit:]
        rows = [
            {
                "execId": str(trade.trade_id),
                "symbol": native(instrument),
                "price": _price(instrument, trade.price),
                "size": _size(instrument, trade.size),
                "side": side(is_buy=trade.aggressor == BUY),
                "time": str(trade.ts // NS_A_MS),
                "isBlockTrade": False,
            }
            for trade in reversed(trades)
        ]
        return {"category": category_of(instrument), "list": rows}

    def candles(self, query: Query) -> Row:
        """`/v5/market/kline`, newest first; a time without trades is flat at the last close."""
        instrument = self._find(query)
        interval_ms = INTERVALS_MS.get(query.get("interval", ""))
        if interval_ms is None:
            raise bad_request(f"interval is not one of {', '.join(INTERVALS_MS)}")
        start = int_of(query, "start", 0)
        end = int_of(query, "end", self._clock.now_ms())
        limit = min(int_of(query, "limit", 200), 1_000)
        feed = self._feed.symbols[instrument.symbol]
        rows = candle_rows(instrument, feed.trades, interval_ms, self._clock.now_ms())
        chosen = [row for row in rows if start <= int(row[0]) <= end]
        # Of a range that is too long the newest are answered, but from a start alone the oldest.
        is_forward = "start" in query and "end" not in query
        shown = chosen[:limit] if is_forward else chosen[-limit:]
        shown.reverse()
        return {"category": category_of(instrument), "symbol": native(instrument), "list": shown}

    def funding_rates(self, query: Query) -> Row:
        """`/v5/market/funding/history`: the last rate only."""
        instrument = self._find(query)
        if instrument.is_spot:
            raise bad_request("funding is for derivatives")
        rate = self._feed.symbols[instrument.symbol].funding_rate
        row = {
            "symbol": native(instrument),
            "fundingRate": format_scaled(rate, RATE_SCALE),
            "fundingRateTimestamp": str(self._clock.now_ms()),
        }
        return {"category": LINEAR, "list": [row]}

    def _find(self, query: Query) -> Instrument:
        return self._symbols.find(query.get("category", ""), query.get("symbol", ""))


def level_rows(instrument: Instrument, levels: list[tuple[int, int]]) -> list[list[str]]:
    """Book levels as texts; a size of 0 is "0"."""
    return [
        [_price(instrument, price), _size(instrument, size) if size else "0"]
        for price, size in levels
    ]


def trade_row(instrument: Instrument, trade: TradeTick) -> Row:
    """A public trade in the stream."""
    row: Row = {
        "i": str(trade.trade_id),
        "T": trade.ts // NS_A_MS,
        "p": _price(instrument, trade.price),
        "v": _size(instrument, trade.size),
        "S": side(is_buy=trade.aggressor == BUY),
        "s": native(instrument),
        "BT": False,
        "RPI": False,
        "seq": trade.trade_id,
    }
    if not instrument.is_spot:
        row["L"] = "ZeroPlusTick"
    return row


def candle_rows(
    instrument: Instrument, trades: list[TradeTick], interval_ms: int, now_ms: int
) -> list[list[str]]:
    """Candles of all kept trades up to now, oldest first: start, o, h, l, c, volume, turnover."""
    shift = _MONDAY_MS if interval_ms == INTERVALS_MS["W"] else 0
    by_start: dict[int, list[TradeTick]] = {}
    for trade in trades:
        at = trade.ts // NS_A_MS - shift
        by_start.setdefault(at - at % interval_ms + shift, []).append(trade)
    rows: list[list[str]] = []
    if not by_start:
        return rows
    close = 0
    for start in range(min(by_start), now_ms + 1, interval_ms):
        inside = by_start.get(start, [])
        prices = [trade.price for trade in inside] or [close]
        close = prices[-1]
        volume = sum(trade.size for trade in inside)
        turnover = sum(instrument.value(trade.price, trade.size) for trade in inside)
        shown = (prices[0], max(prices), min(prices), close)
        texts = [_price(instrument, price) for price in shown]
        rows.append([str(start), *texts, _size(instrument, volume), money(turnover)])
    return rows


def _day_row(feed: SymbolFeed, trades: list[TradeTick]) -> dict[str, Any]:
    instrument = feed.instrument
    prices = [trade.price for trade in trades] or [instrument.last]
    first, last = prices[0], prices[-1]
    change = (last - first) * 10_000 // first if first else 0
    turnover = sum(instrument.value(trade.price, trade.size) for trade in trades)
    return {
        "symbol": native(instrument),
        "lastPrice": _price(instrument, last),
        "prevPrice24h": _price(instrument, first),
        "price24hPcnt": format_scaled(change, 4),
        "highPrice24h": _price(instrument, max(prices)),
        "lowPrice24h": _price(instrument, min(prices)),
        "turnover24h": money(turnover),
        "volume24h": _size(instrument, sum(trade.size for trade in trades)),
    }


def _price(instrument: Instrument, price: int) -> str:
    return format_scaled(price, instrument.price_scale)


def _size(instrument: Instrument, size: int) -> str:
    return format_scaled(size, instrument.quantity_scale)
