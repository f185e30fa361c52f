"""Candles of the four exchanges: a page is a range of intervals, and every interval is accounted.

Ways of asking, see the exchanges' documentation and `fetch_ohlcv` of ccxt: Binance 1,000 a page by
startTime and endTime, both included; OKX 300 by `before` and `after`, both excluded, newest first,
from history-candles but for the newest 1,439; Bybit 1,000 by start and end, both included, newest
first; Coinbase 300 by start and end in seconds, newest first, without intervals that had no trade.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final, NamedTuple

from zvt_trading.core.units import HOUR, SECOND
from zvt_trading.data.answers import fields, listed, part
from zvt_trading.data.ccxt_client import CcxtClient, Market, Params
from zvt_trading.data.history_source import Page
from zvt_trading.data.rows import Candle, candle, whole
from zvt_trading.data.series import Series, Span
from zvt_trading.data.times import MILLISECOND, stamp
from zvt_trading.errors import CallerError, VenueError

OKX_RECENT: Final = 1_439
"""The newest candles, which OKX gives elsewhere than the history."""


class _Question(NamedTuple):
    market: Market
    interval: int
    code: str  # the interval's name at the exchange
    start: int
    end: int
    now: int

    @property
    def start_ms(self) -> int:
        return self.start // MILLISECOND

    @property
    def end_ms(self) -> int:
        return self.end // MILLISECOND


class _Rules(NamedTuple):
    limit: int
    request: Callable[[_Question], tuple[str, Params]]
    rows: Callable[[object, Market], list[Candle]]


async def candle_pages(
    client: CcxtClient, series: Series, start: int, end: int
) -> AsyncIterator[Page]:
    """Pages of candles from `start` to `end`."""
    rules = RULES[series.exchange]
    code = client.exchange.timeframes.get(series.interval)
    if code is None:
        known = ", ".join(client.exchange.timeframes)
        raise CallerError(f"{series.exchange} has no interval {series.interval}, only: {known}")
    market = await client.market(series)
    step = series.interval_ns * rules.limit
    for at in range(start, end, step):
        until = min(at + step, end)
        yield await _page(client, series, market, code, Span(at, until))


async def _page(client: CcxtClient, series: Series, market: Market, code: str, span: Span) -> Page:
    """All candles of a span.

    What is missing is asked for again until an answer has no more: one empty or short answer is
    no proof that there was no trade, and some exchanges give fewer rows than they were asked for.
    """
    rules, interval = RULES[series.exchange], series.interval_ns
    found: dict[int, Candle] = {}
    missing = list(range(span.start, span.end, interval))
    is_first = True
    while missing:
        asked = Span(missing[0], missing[-1] + interval)
        question = _Question(market, interval, code, *asked, client.waiter.wall())
        method, params = rules.request(question)
        rows = await client.ask(method, params, lambda answer: rules.rows(answer, market))
        new = _new_rows(series, [row for row in rows if asked.start <= row.time < asked.end], found)
        if not new and not is_first:
            break
        is_first = False
        found.update(new)
        missing = [time for time in missing if time not in found]
    return Page(*span, [found[time] for time in sorted(found)], _runs(missing, interval))


def _new_rows(
    series: Series, rows: Iterable[Candle], found: dict[int, Candle]
) -> dict[int, Candle]:
    """The candles that were not there yet, by time; VenueError when two say different things."""
    new: dict[int, Candle] = {}
    for row in rows:
        if row.time % series.interval_ns:
            raise VenueError(f"{series}: a candle opens at {stamp(row.time)}, off its interval")
        known = found.get(row.time) or new.setdefault(row.time, row)
        if known != row:
            raise VenueError(f"{series}: two different candles of {stamp(row.time)}")
    return new


def _runs(times: list[int], interval: int) -> list[tuple[int, int]]:
    """Intervals as few (start, end)."""
    runs: list[tuple[int, int]] = []
    for time in times:
        if runs and runs[-1][1] == time:
            runs[-1] = (runs[-1][0], time + interval)
        else:
            runs.append((time, time + interval))
    return runs


def _binance(asked: _Question) -> tuple[str, Params]:
    method = "fapiPublicGetKlines" if asked.market.is_perpetual else "publicGetKlines"
    return method, {
        "symbol": asked.market.id,
        "interval": asked.code,
        "startTime": asked.start_ms,
        "endTime": asked.end_ms - 1,
        "limit": RULES["binance"].limit,
    }


def _binance_rows(answer: object, _: Market) -> list[Candle]:
    rows = [fields(row, 6) for row in listed(answer)]
    return [candle(whole(row[0]) * MILLISECOND, row[1:6]) for row in rows]


def _okx(asked: _Question) -> tuple[str, Params]:
    is_recent = asked.start >= asked.now - OKX_RECENT * asked.interval
    method = "publicGetMarketCandles" if is_recent else "publicGetMarketHistoryCandles"
    return method, {
        "instId": asked.market.id,
        # Bars of 6 hours and longer begin by Hong Kong time unless UTC is asked for.
        "bar": asked.code + ("utc" if asked.interval >= 6 * HOUR else ""),
        "before": asked.start_ms - 1,
        "after": asked.end_ms,
        "limit": RULES["okx"].limit,
    }


def _okx_rows(answer: object, market: Market) -> list[Candle]:
    volume = 6 if market.is_perpetual else 5  # 5 counts contracts, 6 the base asset
    found = []
    for row in (fields(row, 9) for row in listed(part(answer, "data"))):
        time = whole(row[0]) * MILLISECOND
        if str(row[8]) != "1":
            raise VenueError(f"okx says its candle of {stamp(time)} is not final")
        found.append(candle(time, [*row[1:5], row[volume]]))
    return found


def _bybit(asked: _Question) -> tuple[str, Params]:
    return "publicGetV5MarketKline", {
        "category": "linear" if asked.market.is_perpetual else "spot",
        "symbol": asked.market.id,
        "interval": asked.code,
        "start": asked.start_ms,
        "end": asked.end_ms - 1,
        "limit": RULES["bybit"].limit,
    }


def _bybit_rows(answer: object, _: Market) -> list[Candle]:
    rows = [fields(row, 6) for row in listed(part(answer, "result", "list"))]
    return [candle(whole(row[0]) * MILLISECOND, row[1:6]) for row in rows]


def _coinbase(asked: _Question) -> tuple[str, Params]:
    return "v3PublicGetBrokerageMarketProductsProductIdCandles", {
        "product_id": asked.market.id,
        "granularity": asked.code,
        "start": str(asked.start // SECOND),
        "end": str(asked.end // SECOND),
    }


def _coinbase_rows(answer: object, _: Market) -> list[Candle]:
    names = ("open", "high", "low", "close", "volume")
    return [
        candle(whole(part(row, "start")) * SECOND, [part(row, name) for name in names])
        for row in listed(part(answer, "candles"))
    ]


RULES: Final = {
    "binance": _Rules(1_000, _binance, _binance_rows),
    "okx": _Rules(300, _okx, _okx_rows),
    "bybit": _Rules(1_000, _bybit, _bybit_rows),
    "coinbase": _Rules(300, _coinbase, _coinbase_rows),
}
"""How each exchange is asked."""
