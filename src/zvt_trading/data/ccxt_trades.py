"""Trades of the four exchanges, each paged in the way that proves that none is missing.

- Binance: aggregated trades (fills of one order at one price) by id. Ids are consecutive, so every
  page must begin with the id asked for; the first id is found by time and proven by the one before.
- OKX (three months): backwards from the end of an hour by id until a trade older than its start.
- Coinbase: backwards by time; each page must have the oldest trade of the one before.
- Bybit: only the newest trades; they serve when the oldest of them is older than the start.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from decimal import Context, Inexact
from itertools import pairwise
from typing import Final

from zvt_trading.core.units import HOUR, SECOND
from zvt_trading.data.answers import listed, part
from zvt_trading.data.ccxt_client import ATTEMPTS, CcxtClient, Market, Params
from zvt_trading.data.history_source import Page
from zvt_trading.data.rows import SIDES, Trade, trade, whole
from zvt_trading.data.series import Series
from zvt_trading.data.times import MILLISECOND, parse_time, stamp
from zvt_trading.errors import CallerError, VenueError

BINANCE_LIMIT: Final = 1_000
OKX_LIMIT: Final = 100
COINBASE_LIMIT: Final = 1_000
BYBIT_LIMITS: Final = {"spot": 60, "linear": 1_000}
OKX_BY_ID, OKX_BY_TIME = 1, 2

_EXACT: Final = Context(prec=80, traps=[Inexact])
"""Sizes times contract sizes, to the last digit."""


def trade_pages(client: CcxtClient, series: Series, start: int, end: int) -> AsyncIterator[Page]:
    """Pages of trades from `start` to `end`."""
    return PAGES[series.exchange](client, series, start, end)


class _Binance:
    """Pages by id; `first_id` is where they begin."""

    def __init__(self, client: CcxtClient, market: Market) -> None:
        self._client = client
        self._market = market
        self._method = "fapiPublicGetAggTrades" if market.is_perpetual else "publicGetAggTrades"

    async def ask(self, params: Params) -> Sequence[Trade]:
        request: Params = {"symbol": self._market.id, "limit": BINANCE_LIMIT, **params}
        return await self._client.ask(self._method, request, _binance_rows)

    async def first(self, start: int, end: int) -> Trade | None:
        """The first trade of [start, end), proven by the one before it; None when there is none."""
        for _ in range(ATTEMPTS):
            found = await self._first_by_time(start, end)
            if found is None or found.id == "0":
                return found
            before = await self.from_id(int(found.id) - 1)
            if before and before[0].time < start:
                return found
            if before and before[0].id == found.id:
                return found  # the venue does not have the id before: nothing proves more
        raise VenueError(f"binance contradicts itself about its first trade after {stamp(start)}")

    async def _first_by_time(self, start: int, end: int) -> Trade | None:
        """By hours: longer stretches are refused."""
        for at in range(start, end, HOUR):
            inside = await self._between(at, min(at + HOUR, end))
            if inside:
                return inside[0]
        return None

    async def _between(self, start: int, end: int) -> Sequence[Trade]:
        params: Params = {"startTime": start // MILLISECOND, "endTime": end // MILLISECOND - 1}

        async def inside() -> Sequence[Trade]:
            return [row for row in await self.ask(params) if start <= row.time < end]

        return await self._client.agreed(inside, lambda rows: not rows)

    async def from_id(self, identifier: int) -> Sequence[Trade]:
        """The trades from an id on, asked for twice when ids are missing; empty after the last."""

        def is_doubtful(rows: Sequence[Trade]) -> bool:
            ids = [identifier - 1, *(int(row.id) for row in rows)]
            return not rows or any(b != a + 1 for a, b in pairwise(ids))

        rows = await self._client.agreed(lambda: self.ask({"fromId": identifier}), is_doubtful)
        new = [row for row in rows if int(row.id) >= identifier]
        if rows and not new:
            raise VenueError(f"binance gives old trades when asked for {identifier} and later ones")
        return new


async def _binance_pages(
    client: CcxtClient, series: Series, start: int, end: int
) -> AsyncIterator[Page]:
    venue = _Binance(client, await client.market(series))
    first = await venue.first(start, end)
    if first is None:
        yield Page(start, end, [])
        return
    due, at = int(first.id), start
    waiting: list[Trade] = []
    holes: list[tuple[int, int]] = []
    while True:
        rows = await venue.from_id(due)
        for row in rows:
            if int(row.id) > due:
                holes.append((due, int(row.id) - 1))
            due = int(row.id) + 1
        waiting += rows
        # The last millisecond may go on in the next page; after an empty page nothing comes.
        until = min(rows[-1].time, end) if rows else end
        if until > at:
            yield _page(at, until, waiting, holes)
            waiting = [row for row in waiting if row.time >= until]
            at = until
        if at == end:
            return


def _page(start: int, end: int, rows: Iterable[Trade], holes: Iterable[tuple[int, int]]) -> Page:
    """A page of the trades before `end`, with the holes before each of them."""
    ready = [row for row in rows if row.time < end]
    before = {int(row.id) - 1 for row in ready}
    return Page(start, end, ready, [hole for hole in holes if hole[1] in before])


class _Okx:
    """Backwards, newest first: from a time, then on from the oldest id."""

    def __init__(self, client: CcxtClient, series: Series, market: Market) -> None:
        self._client = client
        self._series = series
        self._market = market

    async def window(self, start: int, end: int) -> Page:
        """All trades of [start, end): proven by an older one."""
        rows = await self._before(end)
        found: dict[str, Trade] = {}
        while rows and rows[-1].time >= start:
            _collect(found, rows)
            rows = await self._older(rows[-1])
        if not rows:
            raise _no_older_trades(self._series, start, found)
        _collect(found, rows)
        return Page(start, end, _ordered(found, start, end))

    async def _before(self, end: int) -> Sequence[Trade]:
        """The newest trades before `end`; asked for twice, as they overlap no other page."""

        async def ask() -> Sequence[Trade]:
            rows = await self._ask(OKX_BY_TIME, end // MILLISECOND)
            return [row for row in rows if row.time < end]

        return await self._client.agreed(ask, lambda _: True)

    async def _older(self, oldest: Trade) -> Sequence[Trade]:
        """The page that begins with a known trade; empty when there is nothing older."""
        rows = await self._client.agreed(
            lambda: self._ask(OKX_BY_ID, int(oldest.id) + 1),
            lambda rows: oldest not in rows or rows[-1] == oldest,
        )
        if oldest not in rows:
            raise VenueError(f"okx does not know its own trade {oldest.id} any more")
        return [] if rows[-1] == oldest else rows

    async def _ask(self, kind: int, after: int) -> Sequence[Trade]:
        """What is before an id or a time in ms."""
        params: Params = {
            "instId": self._market.id,
            "type": kind,
            "after": after,
            "limit": OKX_LIMIT,
        }
        return await self._client.ask(
            "publicGetMarketHistoryTrades", params, lambda answer: _okx_rows(answer, self._market)
        )


async def _okx_pages(
    client: CcxtClient, series: Series, start: int, end: int
) -> AsyncIterator[Page]:
    venue = _Okx(client, series, await client.market(series))
    for at in range(start, end, HOUR):
        yield await venue.window(at, min(at + HOUR, end))


class _Coinbase:
    """Backwards by time in whole seconds, newest first; each page overlaps the one before."""

    def __init__(self, client: CcxtClient, market: Market) -> None:
        self._client = client
        self._market = market

    async def window(self, start: int, end: int) -> Page:
        """All trades of [start, end): pages until one adds nothing, twice."""
        found: dict[str, Trade] = {}
        until = end
        while True:
            rows = await self._page(found, start, until, end)
            if not _adds(found, rows):
                break
            _collect(found, rows)
            until = rows[-1].time - rows[-1].time % SECOND + SECOND
        if len(rows) >= COINBASE_LIMIT:
            raise VenueError(
                f"coinbase has {COINBASE_LIMIT} trades or more in the second before "
                f"{stamp(until)}, and no way to ask for all of them"
            )
        return Page(start, end, _ordered(found, start, end))

    async def _page(
        self, found: dict[str, Trade], start: int, until: int, end: int
    ) -> Sequence[Trade]:
        """The newest trades of [start, until); the oldest one known must be among them."""

        async def ask() -> Sequence[Trade]:
            rows = await self._ask(start, until)
            return [row for row in rows if start <= row.time < end]

        oldest = next(reversed(found.values()), None)
        rows = await self._client.agreed(
            # The first page overlaps no other: only a second answer shows that it is whole.
            ask,
            lambda rows: oldest is None or oldest not in rows or not _adds(found, rows),
        )
        if oldest is not None and oldest not in rows:
            raise VenueError(f"coinbase does not know its own trade {oldest.id} any more")
        return rows

    async def _ask(self, start: int, until: int) -> Sequence[Trade]:
        params: Params = {
            "product_id": self._market.id,
            "limit": COINBASE_LIMIT,
            "start": str(start // SECOND),
            "end": str(-(-until // SECOND)),
        }
        method = "v3PublicGetBrokerageMarketProductsProductIdTicker"
        return await self._client.ask(method, params, _coinbase_rows)


async def _coinbase_pages(
    client: CcxtClient, series: Series, start: int, end: int
) -> AsyncIterator[Page]:
    venue = _Coinbase(client, await client.market(series))
    for at in range(start, end, HOUR):
        yield await venue.window(at, min(at + HOUR, end))


async def _bybit_pages(
    client: CcxtClient, series: Series, start: int, end: int
) -> AsyncIterator[Page]:
    market = await client.market(series)
    category = "linear" if market.is_perpetual else "spot"
    params: Params = {"category": category, "symbol": market.id, "limit": BYBIT_LIMITS[category]}
    rows = await client.agreed(
        lambda: client.ask("publicGetV5MarketRecentTrade", params, _bybit_rows),
        # A trade after the end shows that none is missing before it.
        lambda rows: not rows or rows[0].time < end,
    )
    if not rows or rows[-1].time >= start:
        reach = f"from {stamp(rows[-1].time)} on" if rows else "none at all"
        raise CallerError(
            f"bybit gives only its {BYBIT_LIMITS[category]} newest trades, now {reach}: "
            "record the live stream, or download candles"
        )
    found: dict[str, Trade] = {}
    _collect(found, rows)
    yield Page(start, end, _ordered(found, start, end))


def _no_older_trades(series: Series, at: int, found: dict[str, Trade]) -> CallerError:
    oldest = min((row.time for row in found.values()), default=None)
    known = "none" if oldest is None else f"the oldest is of {stamp(oldest)}"
    return CallerError(
        f"{series.exchange} has no trades of {series.symbol} before {stamp(at)} ({known} after "
        "it), so nothing proves that none is missing: start later"
    )


def _adds(found: dict[str, Trade], rows: Iterable[Trade]) -> bool:
    return any(row.id not in found for row in rows)


def _collect(found: dict[str, Trade], rows: Iterable[Trade]) -> None:
    """Take rows newest first; VenueError when two trades of one id differ."""
    for row in rows:
        if found.setdefault(row.id, row) != row:
            raise VenueError(f"two different trades have the id {row.id}")


def _ordered(found: dict[str, Trade], start: int, end: int) -> list[Trade]:
    """The trades of [start, end), oldest first."""
    return _newest_first(row for row in found.values() if start <= row.time < end)[::-1]


def _newest_first(rows: Iterable[Trade]) -> list[Trade]:
    """Of one time by id, or as they were given when the ids are no numbers."""
    rows = list(rows)
    has_numbers = all(row.id.isdecimal() for row in rows)
    return sorted(rows, key=lambda row: (-row.time, -int(row.id) if has_numbers else 0))


def _binance_rows(answer: object) -> Sequence[Trade]:
    found = []
    for row in listed(answer):
        maker = part(row, "m")  # whether the buyer was there before
        if not isinstance(maker, bool):
            raise VenueError(f"{maker!r} does not say who was the maker")
        values = (part(row, "p"), part(row, "q"))
        found.append(trade(_ms(part(row, "T")), whole(part(row, "a")), values, SIDES[maker]))
    return found


def _okx_rows(answer: object, market: Market) -> Sequence[Trade]:
    found = []
    for row in listed(part(answer, "data")):
        values = (part(row, "px"), part(row, "sz"))
        identifier = whole(part(row, "tradeId"))
        one = trade(_ms(part(row, "ts")), identifier, values, part(row, "side"))
        found.append(one._replace(size=_EXACT.multiply(one.size, market.unit)))
    return _newest_first(found)


def _bybit_rows(answer: object) -> Sequence[Trade]:
    found = []
    for row in listed(part(answer, "result", "list")):
        values = (part(row, "price"), part(row, "size"))
        found.append(trade(_ms(part(row, "time")), part(row, "execId"), values, part(row, "side")))
    return _newest_first(found)


def _coinbase_rows(answer: object) -> Sequence[Trade]:
    found = []
    for row in listed(part(answer, "trades")):
        try:
            time = parse_time(str(part(row, "time")))
        except CallerError as error:
            raise VenueError(f"coinbase: {error}") from error
        values = (part(row, "price"), part(row, "size"))
        maker = str(part(row, "side")).lower()  # Coinbase tells the maker's side
        taker = {"buy": "sell", "sell": "buy"}.get(maker, maker)
        found.append(trade(time, part(row, "trade_id"), values, taker))
    return _newest_first(found)


def _ms(value: object) -> int:
    return whole(value) * MILLISECOND


PAGES: Final = {
    "binance": _binance_pages,
    "okx": _okx_pages,
    "bybit": _bybit_pages,
    "coinbase": _coinbase_pages,
}
