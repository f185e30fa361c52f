"""Public requests to one exchange through ccxt: paced, repeated when they fail, checked.

The exchanges' own answers are read, not ccxt's unified ones: those make floats of the numbers and
sort trades of one millisecond by the text of their ids.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, Protocol, TypeVar

from zvt_trading.core.units import MINUTE, SECOND
from zvt_trading.data.rows import price
from zvt_trading.data.series import Series
from zvt_trading.errors import CallerError, SymbolNotFoundError, VenueError

ATTEMPTS: Final = 8
"""How often one page is asked for before the venue counts as unusable: some four minutes."""
BACKOFF_MAX_S: Final = 60
PATIENCE_S: Final = 900
"""A longer wait than this (a ban) ends the download; what came is kept."""

PAGES_PER_MINUTE: Final = {"binance": 600, "okx": 500, "bybit": 600, "coinbase": 300}
"""About half of what each exchange allows an address, so that a trader beside it has room.

ccxt's own throttler keeps to the whole; requests of this process are counted by both.
"""

Params = dict[str, str | int]
T = TypeVar("T")


class CcxtExchange(Protocol):
    """What is used of an exchange object of `ccxt.async_support` (or `ccxt.pro`)."""

    id: str
    enableRateLimit: bool  # noqa: N815 - ccxt's
    timeframes: Mapping[str, str]
    last_response_headers: Mapping[str, str] | None

    async def load_markets(self, reload: bool = False) -> object:
        """Fetch what the exchange lists, once unless it is to be fetched again."""
        ...

    def market(self, symbol: str) -> Mapping[str, object]:
        """What is known of a symbol."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class Market(NamedTuple):
    """A symbol at its exchange: its id there, and how many base units its sizes count in."""

    id: str
    is_perpetual: bool
    unit: Decimal


class Waiter(NamedTuple):
    """How time passes: `sleep` takes seconds, `monotonic` and `wall` give ns."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], int] = time.monotonic_ns
    wall: Callable[[], int] = time.time_ns


class CcxtClient:
    """Asks one exchange, never two things at a time, at most `pages_per_minute`."""

    def __init__(
        self, exchange: CcxtExchange, *, pages_per_minute: int | None, waiter: Waiter
    ) -> None:
        pages = (
            PAGES_PER_MINUTE.get(exchange.id, 60) if pages_per_minute is None else pages_per_minute
        )
        if pages < 1:
            raise CallerError(f"pages per minute {pages} must be >= 1")
        self.exchange = exchange
        self.waiter = waiter
        self._step = MINUTE // pages
        self._next = waiter.monotonic()

    async def market(self, series: Series) -> Market:
        """The market of a series; SymbolNotFoundError when the exchange twice does not list it."""
        from ccxt.base import errors

        await self.repeated(self.exchange.load_markets, lambda answer: answer)
        try:
            found = self.exchange.market(series.symbol)
        except errors.BadSymbol:
            # ccxt makes an empty list of half an answer.
            await self.repeated(lambda: self.exchange.load_markets(True), lambda answer: answer)
            found = self._listed_market(series)
        info = found["info"]
        # A contract of OKX is a fraction of a coin; the others count perpetuals in coins.
        is_contracts = series.exchange == "okx" and series.is_perpetual
        unit = price(info["ctVal"]) if is_contracts and isinstance(info, dict) else Decimal(1)
        return Market(str(found["id"]), series.is_perpetual, unit)

    def _listed_market(self, series: Series) -> Mapping[str, object]:
        from ccxt.base import errors

        try:
            return self.exchange.market(series.symbol)
        except errors.BadSymbol as error:
            raise SymbolNotFoundError(
                f"{series.exchange} does not list {series.symbol}; perpetuals are written like "
                "BTC/USDT:USDT"
            ) from error

    async def ask(self, method: str, params: Params, parse: Callable[[object], T]) -> T:
        """What `parse` makes of the answer of one of ccxt's implicit methods."""
        call = getattr(self.exchange, method)
        return await self.repeated(lambda: call(params), parse)

    async def repeated(
        self, call: Callable[[], Awaitable[object]], parse: Callable[[object], T]
    ) -> T:
        """Call and parse, again after failures that may pass.

        A rate limit waits as long as the exchange says. Raises VenueError when it stays unusable,
        at once for what cannot get better (a refused request or key) or takes over PATIENCE_S.
        """
        from ccxt.base import errors

        final = (errors.AuthenticationError, errors.BadRequest, errors.NotSupported)
        failures = 0
        while True:
            await self._paced()
            try:
                return parse(await call())
            except final as error:
                raise VenueError(f"{self.exchange.id} refuses: {error}") from error
            except (errors.BaseError, VenueError) as error:
                failures += 1
                if failures == ATTEMPTS:
                    raise VenueError(
                        f"{self.exchange.id} gave nothing usable in {ATTEMPTS} attempts, last: "
                        f"{error}; start the download again later, it goes on where it stopped"
                    ) from error
                wait = min(2 ** (failures - 1), BACKOFF_MAX_S)
                if isinstance(error, errors.DDoSProtection | errors.RateLimitExceeded):
                    wait = max(wait, self._told_wait())
            await self.waiter.sleep(wait)

    async def agreed(
        self, ask: Callable[[], Awaitable[Sequence[T]]], is_doubtful: Callable[[Sequence[T]], bool]
    ) -> Sequence[T]:
        """An answer that is not doubtful, or a doubtful one that was given twice in a row."""
        answer = await ask()
        for _ in range(ATTEMPTS):
            if not is_doubtful(answer):
                return answer
            again = await ask()
            if again == answer:
                return answer
            answer = again
        raise VenueError(f"{self.exchange.id} answers the same question differently every time")

    async def _paced(self) -> None:
        now = self.waiter.monotonic()
        if self._next > now:
            await self.waiter.sleep((self._next - now) / SECOND)
        self._next = max(self._next, now) + self._step

    def _told_wait(self) -> int:
        """Seconds the exchange says to wait, 0 when it says nothing; VenueError when too long."""
        headers = {k.lower(): v for k, v in (self.exchange.last_response_headers or {}).items()}
        wait = 0
        after = str(headers.get("retry-after", "")).strip()
        if after.isascii() and after.isdecimal():
            wait = int(after)
        reset = str(headers.get("x-bapi-limit-reset-timestamp", "")).strip()  # bybit, in ms
        if reset.isascii() and reset.isdecimal():
            wait = max(wait, -(-(int(reset) - self.waiter.wall() // 1_000_000) // 1_000))
        if wait > PATIENCE_S:
            raise VenueError(
                f"{self.exchange.id} says to wait {wait} s; start the download again after that"
            )
        return wait
