"""Public market data of OKX: instruments, books, trades, candles, marks, funding rates.

https://www.okx.com/docs-v5/en/#order-book-trading-market-data and #public-data
"""

import zlib
from typing import Final

from zvt_trading.core.units import RATE_SCALE
from zvt_trading.emulator.feed import BookUpdate, Feed, Levels, SymbolFeed
from zvt_trading.emulator.house import House
from zvt_trading.emulator.okx import errors
from zvt_trading.emulator.okx.candles import BARS, candles
from zvt_trading.emulator.okx.names import (
    CONTRACT_SIZE,
    NS_A_MS,
    SWAP,
    Fields,
    Listing,
    Listings,
    ms,
    plain,
)
from zvt_trading.emulator.okx.paging import Page, newest_first
from zvt_trading.emulator.wire import Call
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import TradeTick

DEPTH: Final = 400
CHECKED_LEVELS: Final = 25
FUNDING_MS: Final = 300_000
DAY_NS: Final = 86_400_000 * NS_A_MS
_LISTED: Final = "1548133413000"


class Public:
    """Answers the public endpoints."""

    def __init__(self, house: House, feed: Feed, listings: Listings) -> None:
        self.house: Final = house
        self._feed: Final = feed
        self._listings: Final = listings
        self._days: dict[str, tuple[int, Fields]] = {}  # (last trade id, figures) by instId

    def time(self, _call: Call) -> Fields:
        """The exchange's clock."""
        return errors.answer([{"ts": str(self.house.clock.now_ms())}])

    def instruments(self, call: Call) -> Fields:
        """What is listed, of a type."""
        wanted = call.query.get("instType", "")
        if not wanted:
            raise errors.empty("instType")
        name = call.query.get("instId", "")
        return errors.answer(
            [
                instrument_fields(listing)
                for listing in self._listings.of_type(wanted)
                if name in {"", listing.id}
            ]
        )

    def ticker(self, call: Call) -> Fields:
        """One ticker."""
        return errors.answer([self.ticker_of(self._listing(call))])

    def tickers(self, call: Call) -> Fields:
        """All tickers of a type."""
        listings = self._listings.of_type(call.query.get("instType", "-"))
        return errors.answer([self.ticker_of(listing) for listing in listings])

    def books(self, call: Call) -> Fields:
        """A book."""
        listing = self._listing(call)
        size = call.query.get("sz", "1")
        depth = min(DEPTH, int(size)) if size.isdecimal() else 1
        fields = book_fields(listing, self.feed_of(listing), depth)
        return errors.answer([{**fields, "ts": str(self.house.clock.now_ms())}])

    def trades(self, call: Call) -> Fields:
        """The latest trades, newest first."""
        listing = self._listing(call)
        limit = call.query.get("limit", "100")
        count = min(500, int(limit)) if limit.isdecimal() else 100
        trades = self.feed_of(listing).trades[-count:]
        return errors.answer([trade_fields(listing, trade) for trade in reversed(trades)])

    def history_trades(self, call: Call) -> Fields:
        """Pages of trades, by trade id (type 1) or time (type 2)."""
        listing = self._listing(call)
        by_time = call.query.get("type", "1") == "2"
        trades = self.feed_of(listing).trades
        keyed = [(t.ts // NS_A_MS if by_time else t.trade_id, t) for t in trades]
        page = newest_first(keyed, Page(call.query, 100))
        return errors.answer([trade_fields(listing, trade) for trade in page])

    def candles(self, call: Call) -> Fields:
        """Candles of the trades that are kept, newest first."""
        listing = self._listing(call)
        bar = BARS.get(call.query.get("bar", "1m"))
        if bar is None:
            raise errors.failure(errors.parameter("bar"), 400)
        now_ms = self.house.clock.now_ms()
        rows = candles(listing, self.feed_of(listing).trades, bar, now_ms)
        page = newest_first(rows, Page(call.query, 100, 300))
        return {"code": errors.SUCCESS, "data": page, "msg": ""}

    def mark_price(self, call: Call) -> Fields:
        """Marks of swaps."""
        name = call.query.get("instId", "")
        return errors.answer(
            [
                self.mark_of(listing)
                for listing in self._listings.of_type(SWAP)
                if name in {"", listing.id}
            ]
        )

    def funding_rate(self, call: Call) -> Fields:
        """The rate of the next settlement."""
        listing = self._listing(call)
        now_ms = self.house.clock.now_ms()
        next_ms = now_ms - now_ms % FUNDING_MS + FUNDING_MS
        rate = plain(self.feed_of(listing).funding_rate, RATE_SCALE)
        fields = dict.fromkeys(("nextFundingRate", "settFundingRate"), "")
        return errors.answer(
            [
                {
                    **fields,
                    "formulaType": "noRate",
                    "fundingRate": rate,
                    "fundingTime": str(next_ms),
                    "instId": listing.id,
                    "instType": listing.type,
                    "maxFundingRate": "0.00375",
                    "method": "current_period",
                    "minFundingRate": "-0.00375",
                    "nextFundingTime": str(next_ms + FUNDING_MS),
                    "premium": "0",
                    "settState": "settled",
                    "ts": str(now_ms),
                }
            ]
        )

    def funding_rate_history(self, call: Call) -> Fields:
        """The rates that were settled on somebody's position."""
        listing = self._listing(call)
        settled = {
            paid.ts // NS_A_MS: paid.rate
            for paid in self.house.funding
            if paid.instrument == listing.instrument.id
        }
        page = newest_first(
            [(time, (time, rate)) for time, rate in settled.items()], Page(call.query, 100)
        )
        return errors.answer(
            [
                {
                    "formulaType": "noRate",
                    "fundingRate": plain(rate, RATE_SCALE),
                    "fundingTime": str(time),
                    "instId": listing.id,
                    "instType": listing.type,
                    "method": "current_period",
                    "realizedRate": plain(rate, RATE_SCALE),
                }
                for time, rate in page
            ]
        )

    def feed_of(self, listing: Listing) -> SymbolFeed:
        """Its market data."""
        return self._feed.symbols[listing.instrument.symbol]

    def mark_of(self, listing: Listing) -> Fields:
        """A mark price."""
        return {
            "instId": listing.id,
            "instType": listing.type,
            "markPx": listing.price(self.feed_of(listing).mark),
            "ts": str(self.house.clock.now_ms()),
        }

    def ticker_of(self, listing: Listing) -> Fields:
        """A ticker; day figures are of the trades that are kept."""
        feed = self.feed_of(listing)
        bid, ask = feed.levels(BUY, 1), feed.levels(SELL, 1)
        return {
            "askPx": listing.price(ask[0][0]) if ask else "",
            "askSz": listing.size(ask[0][1]) if ask else "",
            "bidPx": listing.price(bid[0][0]) if bid else "",
            "bidSz": listing.size(bid[0][1]) if bid else "",
            "instId": listing.id,
            "instType": listing.type,
            "ts": str(self.house.clock.now_ms()),
            **self._day(listing, feed),
        }

    def _day(self, listing: Listing, feed: SymbolFeed) -> Fields:
        """What trades say of the last day; computed again only after a trade."""
        last = feed.trades[-1] if feed.trades else None
        number = last.trade_id if last else 0
        known = self._days.get(listing.id)
        if known is None or known[0] != number:
            since = self.house.clock.true_ns() - DAY_NS
            day = [trade for trade in feed.trades if trade.ts > since]
            known = (number, day_fields(listing, day))
            self._days[listing.id] = known
        return known[1]

    def _listing(self, call: Call) -> Listing:
        if not call.query.get("instId"):
            raise errors.empty("instId")
        listing = self._listings.find(dict(call.query))
        if listing is None:
            raise errors.failure(errors.NO_INSTRUMENT)
        return listing


def instrument_fields(listing: Listing) -> Fields:
    """An instrument with its filters."""
    instrument = listing.instrument
    is_spot = listing.is_spot
    largest = listing.size(instrument.quantity_max)
    empty = (
        "alias", "auctionEndTime", "contTdSwTime", "expTime", "maxPlatOILmt", "openType",
        "optType", "posLmtAmt", "posLmtPct", "preMktSwTime", "stk",
    )  # fmt: skip
    sizes = ("maxIcebergSz", "maxLmtSz", "maxMktSz", "maxStopSz", "maxTriggerSz", "maxTwapSz")
    return {
        **dict.fromkeys(empty, ""),
        **dict.fromkeys(sizes, largest),
        "baseCcy": instrument.base if is_spot else "",
        "category": "1",
        "ctMult": "" if is_spot else "1",
        "ctType": "" if is_spot else "linear",
        "ctVal": "" if is_spot else CONTRACT_SIZE,
        "ctValCcy": "" if is_spot else instrument.base,
        "futureSettlement": False,
        "groupId": "1" if is_spot else "2",
        "instFamily": "" if is_spot else listing.family,
        "instId": listing.id,
        "instIdCode": listing.code,
        "instType": listing.type,
        "lever": "" if is_spot else str(instrument.leverage_max),
        "listTime": _LISTED,
        "lotSz": listing.size(instrument.lot),
        "maxLmtAmt": "20000000",
        "maxMktAmt": "1000000" if is_spot else "",
        "minSz": listing.size(instrument.quantity_min),
        "quoteCcy": instrument.quote if is_spot else "",
        "ruleType": "normal",
        "settleCcy": "" if is_spot else instrument.settle,
        "state": "live",
        "tickSz": listing.price(instrument.tick),
        "tradeQuoteCcyList": [instrument.quote] if is_spot else [],
        "uly": "" if is_spot else listing.family,
    }


def day_fields(listing: Listing, trades: list[TradeTick]) -> Fields:
    """The part of a ticker that trades make; "" where there was none."""
    prices = [trade.price for trade in trades]
    volume = sum(trade.size for trade in trades)
    value = sum(listing.instrument.value(trade.price, trade.size) for trade in trades)
    opened = listing.price(prices[0]) if prices else ""
    return {
        "high24h": listing.price(max(prices)) if prices else "",
        "last": listing.price(prices[-1]) if prices else "",
        "lastSz": listing.size(trades[-1].size) if trades else "",
        "low24h": listing.price(min(prices)) if prices else "",
        "open24h": opened,
        "sodUtc0": opened,
        "sodUtc8": opened,
        "vol24h": listing.size(volume),
        "volCcy24h": listing.money(value) if listing.is_spot else listing.base(volume),
    }


def level_rows(listing: Listing, levels: Levels | list[tuple[int, int]]) -> list[list[str]]:
    """[price, size, "0", orders] a level; size 0: the level is gone."""
    return [
        [listing.price(price), listing.size(size), "0", "1" if size else "0"]
        for price, size in levels
    ]


def book_fields(listing: Listing, feed: SymbolFeed, depth: int) -> Fields:
    """The best levels of both sides."""
    return {
        "asks": level_rows(listing, feed.levels(SELL, depth)),
        "bids": level_rows(listing, feed.levels(BUY, depth)),
        "ts": "",
        "seqId": feed.last_id,
    }


def checksum(listing: Listing, feed: SymbolFeed) -> int:
    """CRC32, signed, of the best 25 levels: bid and ask in turn, "price:size" joined by colons.

    https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
    """
    bids = feed.levels(BUY, CHECKED_LEVELS)
    asks = feed.levels(SELL, CHECKED_LEVELS)
    parts: list[str] = []
    for place in range(CHECKED_LEVELS):
        for side in (bids, asks):
            if place < len(side):
                price, size = side[place]
                parts += (listing.price(price), listing.size(size))
    value = zlib.crc32(":".join(parts).encode())
    return value - (1 << 32) if value >= 1 << 31 else value


def snapshot_fields(listing: Listing, feed: SymbolFeed, now_ms: int) -> Fields:
    """The first message of the `books` channel."""
    fields = book_fields(listing, feed, DEPTH)
    return {**fields, "ts": str(now_ms), "checksum": checksum(listing, feed), "prevSeqId": -1}


def update_fields(listing: Listing, feed: SymbolFeed, update: BookUpdate) -> Fields:
    """A change of the `books` channel."""
    return {
        "asks": level_rows(listing, update.asks),
        "bids": level_rows(listing, update.bids),
        "ts": ms(update.ts),
        "checksum": checksum(listing, feed),
        "prevSeqId": update.previous_id,
        "seqId": update.last_id,
    }


def trade_fields(listing: Listing, trade: TradeTick) -> Fields:
    """A public trade."""
    return {
        "instId": listing.id,
        "px": listing.price(trade.price),
        "side": "sell" if trade.aggressor == SELL else "buy",
        "source": "0",
        "sz": listing.size(trade.size),
        "tradeId": str(trade.trade_id),
        "ts": ms(trade.ts),
    }
