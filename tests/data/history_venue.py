"""The four exchanges' history on loopback: generated content, real paths, faults on demand.

Each answers as its documentation says, and as ccxt reads it; the record is what a download must
equal.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Self

from aiohttp import web

from zvt_trading.core.units import DAY, HOUR, MINUTE
from zvt_trading.data.rows import Candle, Row, Trade
from zvt_trading.data.times import parse_time, stamp

MS: Final = 1_000_000
START: Final = parse_time("2024-03-01")
END: Final = parse_time("2024-03-04")
QUIET: Final = (parse_time("2024-03-02"), parse_time("2024-03-03"))
"""A day on which nothing traded."""
DOWN: Final = (parse_time("2024-03-01T10:00"), parse_time("2024-03-01T10:07"))
"""Maintenance: no candles."""
NOW: Final = parse_time("2024-06-01")

SYMBOLS: Final = {
    "binance": "BTC/USDT",
    "okx": "BTC/USDT",
    "bybit": "BTC/USDT",
    "coinbase": "BTC/USD",
}
EXCHANGES: Final = tuple(SYMBOLS)

Query = Mapping[str, str]
Rows = list[Any]


def trades(seed: int, count: int, start: int = START, end: int = END) -> list[Trade]:
    """Trades with consecutive ids from 1,000 on, bursts of one millisecond, a day without any."""
    random_ = random.Random(seed)
    moments: list[int] = []
    while len(moments) < count:
        time = random_.randrange(start // MS, end // MS) * MS
        if not QUIET[0] <= time < QUIET[1]:
            moments += [time] * min(random_.choice((1, 1, 1, 2, 7)), count - len(moments))
    return [
        Trade(
            time,
            str(1_000 + number),
            Decimal(random_.randrange(1, 10**7)).scaleb(-2),
            Decimal(random_.randrange(1, 10**9)).scaleb(-8),
            random_.choice(("buy", "sell")),
        )
        for number, time in enumerate(sorted(moments))
    ]


def candles(seed: int, interval: int, start: int = START, end: int = END) -> list[Candle]:
    """A candle for every interval but those of the maintenance."""
    random_ = random.Random(seed)
    found = []
    for time in range(start, end, interval):
        if DOWN[0] <= time < DOWN[1]:
            continue
        low, *inner, high = sorted(Decimal(random_.randrange(1, 10**7)).scaleb(-2) for _ in "abcd")
        volume = Decimal(random_.randrange(10**9)).scaleb(-8)
        found.append(Candle(time, inner[0], high, low, inner[1], volume))
    return found


def text(number: Decimal) -> str:
    """As exchanges write numbers."""
    return f"{number:f}"


@dataclass
class Venue:
    """One exchange; `faults` says what goes wrong with the n-th question about history."""

    exchange: str
    candles: list[Candle] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)
    retry_after: int = 7
    contract: Decimal = Decimal(1)
    cap: int = 10_000
    """Rows an answer has at most, whatever was asked for."""
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with a 429 instead of Retry-After."""
    on_history: Callable[[int], None] = lambda _: None
    alter: Callable[[int, Rows], Rows] = lambda _, rows: rows
    """What becomes of the rows of the n-th answer."""
    asked: list[str] = field(default_factory=list)
    """Paths of the questions about history, in order."""

    def __post_init__(self) -> None:
        self._last: Rows = []
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path, query = request.path, request.query
        listing = _listing(self.exchange, path, query)
        if listing is not None:
            return web.json_response(listing)
        self.asked.append(path)
        self.on_history(len(self.asked))
        fault = self.faults.get(len(self.asked), "")
        if fault in {"429", "500", "418"}:
            return self._refusal(int(fault))
        if fault == "garbage":
            return web.Response(text="<html>busy</html>")
        if fault == "cut":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        rows, wrap = _ANSWERS[self.exchange](self, path, query)
        if fault == "repeat":
            rows = self._last
        elif fault == "empty":
            rows = []
        elif fault == "short":
            rows = rows[: len(rows) // 2]
        elif fault == "late":
            rows = rows[len(rows) // 2 :]
        elif fault == "overlap":
            rows = [*self._last, *rows]
        self._last = rows
        return web.json_response(wrap(self.alter(len(self.asked), rows)))

    def _refusal(self, status: int) -> web.Response:
        codes = {"binance": {"code": -1003, "msg": "Too many requests"}}
        body = codes.get(self.exchange, {"code": "50011", "msg": "Too Many Requests"})
        if self.exchange == "bybit":
            body = {"retCode": 10006, "retMsg": "Too many visits!"}
        if status == 500:
            body = {"msg": "Internal error"}
        headers = self.headers or {"Retry-After": str(self.retry_after)}
        if status == 500:
            headers = {}
        return web.Response(
            status=status, text=json.dumps(body), content_type="application/json", headers=headers
        )

    def record(self, start: int, end: int) -> list[Row]:
        """What it knows of a stretch of time."""
        rows: list[Row] = [*self.candles] if self.candles else [*self.trades]
        return [row for row in rows if start <= row.time < end]

    def candles_of(self, start: int, end: int, limit: int, *, newest: bool) -> list[Candle]:
        """Those of [start, end), newest first when `newest`; of too many the first so ordered."""
        rows = [row for row in self.candles if start <= row.time < end]
        return (rows[::-1] if newest else rows)[: min(limit, self.cap)]


def _ms(query: Query, name: str, default: int) -> int:
    return int(query[name]) * MS if name in query else default


def _binance(venue: Venue, path: str, query: Query) -> tuple[Rows, Callable[[Rows], Any]]:
    limit = min(int(query.get("limit", 500)), venue.cap)
    start, end = _ms(query, "startTime", 0), _ms(query, "endTime", NOW)
    if path.endswith("/klines"):
        found = venue.candles_of(start, end + 1, limit, newest=False)
        return [
            [c.time // MS, *(text(n) for n in c[1:]), c.time // MS + 59_999, "0", 1, "0", "0", "0"]
            for c in found
        ], lambda rows: rows
    assert path.endswith("/aggTrades")
    if "fromId" in query:
        chosen = [t for t in venue.trades if int(t.id) >= int(query["fromId"])][:limit]
    else:
        assert end - start < HOUR  # longer stretches are refused
        chosen = [t for t in venue.trades if start <= t.time <= end][:limit]
    return [
        {
            "a": int(t.id),
            "p": text(t.price),
            "q": text(t.size),
            "f": 1,
            "l": 1,
            "T": t.time // MS,
            "m": t.side == "sell",
            "M": True,
        }
        for t in chosen
    ], lambda rows: rows


def _okx(venue: Venue, path: str, query: Query) -> tuple[Rows, Callable[[Rows], Any]]:
    def wrap(rows: Rows) -> dict[str, Any]:
        return {"code": "0", "msg": "", "data": rows}

    if path.endswith("candles"):
        start, end = _ms(query, "before", 0) + 1, _ms(query, "after", NOW)
        found = venue.candles_of(start, end, min(int(query["limit"]), 300), newest=True)
        return [
            [
                str(c.time // MS),
                *(text(n) for n in c[1:5]),
                text(c.volume / venue.contract),
                text(c.volume),
                "0",
                "1",
            ]
            for c in found
        ], wrap
    assert path == "/api/v5/market/history-trades"
    after = int(query["after"])
    chosen = [
        t
        for t in venue.trades
        if (int(t.id) < after if query.get("type", "1") == "1" else t.time < after * MS)
    ]
    limit = min(int(query["limit"]), 100, venue.cap)
    return [
        {
            "instId": query["instId"],
            "side": t.side,
            "sz": text(t.size / venue.contract),
            "px": text(t.price),
            "tradeId": t.id,
            "ts": str(t.time // MS),
        }
        for t in chosen[::-1][:limit]
    ], wrap


def _bybit(venue: Venue, path: str, query: Query) -> tuple[Rows, Callable[[Rows], Any]]:
    def wrap(rows: Rows) -> dict[str, Any]:
        return {"retCode": 0, "retMsg": "OK", "result": {"list": rows}, "time": NOW // MS}

    limit = min(int(query["limit"]), 1_000)
    if path == "/v5/market/kline":
        start, end = _ms(query, "start", 0), _ms(query, "end", NOW)
        found = venue.candles_of(start, end + 1, limit, newest=True)
        return [[str(c.time // MS), *(text(n) for n in c[1:]), "0"] for c in found], wrap
    assert path == "/v5/market/recent-trade"
    return [
        {
            "execId": t.id,
            "symbol": query["symbol"],
            "price": text(t.price),
            "size": text(t.size),
            "side": t.side.title(),
            "time": str(t.time // MS),
            "isBlockTrade": False,
        }
        for t in venue.trades[::-1][: min(limit, 60 if query["category"] == "spot" else 1_000)]
    ], wrap


def _coinbase(venue: Venue, path: str, query: Query) -> tuple[Rows, Callable[[Rows], Any]]:
    start, end = int(query["start"]) * 1_000 * MS, int(query["end"]) * 1_000 * MS
    if path.endswith("/candles"):
        found = venue.candles_of(start, end + 1, 350, newest=True)
        assert (end - start) // MINUTE <= 350  # more is refused
        return [
            {
                "start": str(c.time // MS // 1_000),
                **{name: text(n) for name, n in zip(_CANDLE, c[1:], strict=True)},
            }
            for c in found
        ], lambda rows: {"candles": rows}
    assert path.endswith("/ticker")
    chosen = [t for t in venue.trades if start <= t.time <= end]
    return (
        [
            {
                "trade_id": t.id,
                "product_id": "BTC-USD",
                "price": text(t.price),
                "size": text(t.size),
                "time": stamp(t.time),
                "side": "SELL" if t.side == "buy" else "BUY",  # the maker's
                "bid": "",
                "ask": "",
            }
            for t in chosen[::-1][: min(int(query["limit"]), venue.cap)]
        ],
        lambda rows: {"trades": rows, "best_bid": "1", "best_ask": "2"},
    )


_CANDLE: Final = ("open", "high", "low", "close", "volume")
_ANSWERS: Final = {"binance": _binance, "okx": _okx, "bybit": _bybit, "coinbase": _coinbase}


def _listing(exchange: str, path: str, query: Query) -> Any:
    """What `load_markets` asks for; None for a question about history."""
    by_path = _LISTINGS[exchange].get(path)
    return by_path(query) if by_path is not None else None


def _filters(tick: str, step: str) -> list[dict[str, str]]:
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000", "tickSize": tick},
        {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000", "stepSize": step},
    ]


_PAIR: Final = {"symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT", "status": "TRADING"}
_BINANCE_SPOT: Final = {
    **_PAIR,
    "baseAssetPrecision": 8,
    "quotePrecision": 8,
    "isSpotTradingAllowed": True,
    "filters": _filters("0.01", "0.00001"),
}
_BINANCE_LINEAR: Final = {
    **_PAIR,
    "pair": "BTCUSDT",
    "contractType": "PERPETUAL",
    "deliveryDate": 4_133_404_800_000,
    "onboardDate": 1_569_398_400_000,
    "marginAsset": "USDT",
    "pricePrecision": 2,
    "quantityPrecision": 3,
    "filters": _filters("0.10", "0.001"),
}
_OKX_SPOT: Final = {
    "instType": "SPOT",
    "instId": "BTC-USDT",
    "baseCcy": "BTC",
    "quoteCcy": "USDT",
    "settleCcy": "",
    "ctVal": "",
    "ctMult": "",
    "ctType": "",
    "tickSz": "0.1",
    "lotSz": "0.00000001",
    "minSz": "0.00001",
    "state": "live",
    "expTime": "",
    "listTime": "1548133413000",
    "lever": "10",
    "uly": "",
    "instFamily": "",
}
_OKX_SWAP: Final = {
    **_OKX_SPOT,
    "instType": "SWAP",
    "instId": "BTC-USDT-SWAP",
    "baseCcy": "",
    "quoteCcy": "",
    "settleCcy": "USDT",
    "ctVal": "0.01",
    "ctMult": "1",
    "ctType": "linear",
    "lotSz": "0.01",
    "minSz": "0.01",
    "uly": "BTC-USDT",
    "instFamily": "BTC-USDT",
}
_BYBIT_SPOT: Final = {
    "symbol": "BTCUSDT",
    "status": "Trading",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "lotSizeFilter": {
        "basePrecision": "0.000001",
        "quotePrecision": "0.0000001",
        "minOrderQty": "0.000011",
        "maxOrderQty": "83",
        "minOrderAmt": "5",
        "maxOrderAmt": "8000000",
    },
    "priceFilter": {"tickSize": "0.1"},
}
_COINBASE: Final = {
    "product_id": "BTC-USD",
    "product_type": "SPOT",
    "base_currency_id": "BTC",
    "quote_currency_id": "USD",
    "base_increment": "0.00000001",
    "quote_increment": "0.01",
    "price_increment": "0.01",
    "base_min_size": "0.00000001",
    "base_max_size": "3400",
    "quote_min_size": "1",
    "quote_max_size": "150000000",
    "trading_disabled": False,
    "price": "50000",
    "alias": "",
    "alias_to": [],
    "status": "online",
}


def _okx_instruments(query: Query) -> Any:
    known = {"SPOT": [_OKX_SPOT], "SWAP": [_OKX_SWAP]}
    return {"code": "0", "msg": "", "data": known.get(query["instType"], [])}


def _bybit_instruments(query: Query) -> Any:
    found: Sequence[Any] = [_BYBIT_SPOT] if query["category"] == "spot" else []
    result = {"category": query["category"], "list": found, "nextPageCursor": ""}
    return {"retCode": 0, "retMsg": "OK", "result": result, "time": NOW // MS}


def _always(answer: Any) -> Callable[[Query], Any]:
    return lambda _: answer


_LISTINGS: Final[dict[str, dict[str, Callable[[Query], Any]]]] = {
    "binance": {
        "/api/v3/exchangeInfo": _always({"symbols": [_BINANCE_SPOT]}),
        "/fapi/v1/exchangeInfo": _always({"symbols": [_BINANCE_LINEAR]}),
    },
    "okx": {"/api/v5/public/instruments": _okx_instruments},
    "bybit": {"/v5/market/instruments-info": _bybit_instruments},
    "coinbase": {
        "/v2/currencies": _always({"data": [{"id": "USD", "name": "Dollar", "min_size": "0.01"}]}),
        "/v2/currencies/crypto": _always({"data": []}),
        "/v2/exchange-rates": _always({"data": {"currency": "USD", "rates": {"BTC": "0.00002"}}}),
        "/api/v3/brokerage/market/products": lambda query: {
            "products": [] if query.get("product_type") == "FUTURE" else [_COINBASE],
            "num_products": 1,
        },
    },
}
DAYS: Final = (END - START) // DAY
