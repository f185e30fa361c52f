"""The history of Binance, OKX, Bybit and Coinbase through ccxt."""

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Final, Protocol

from zvt_trading.data.ccxt_candles import candle_pages
from zvt_trading.data.ccxt_client import CcxtClient, CcxtExchange, Waiter
from zvt_trading.data.ccxt_trades import trade_pages
from zvt_trading.data.history_source import Page
from zvt_trading.data.series import CANDLES, TRADES, Series
from zvt_trading.errors import CallerError

EXCHANGES: Final = ("binance", "okx", "bybit", "coinbase")

_OPTIONS: Final = {
    # Only what is downloaded here: spot and perpetuals settled in the quote asset.
    "binance": {"fetchMarkets": {"types": ["spot", "linear"]}, "fetchCurrencies": False},
    "okx": {"fetchMarkets": {"types": ["spot", "swap"]}},
    "bybit": {"fetchMarkets": {"types": ["spot", "linear"]}},
    "coinbase": {},
}


class Checked:
    """Mixed into a ccxt class: what is no JSON object or list is no answer.

    ccxt itself goes on with None or a text, and lists no markets then.
    """

    id: str

    async def fetch(
        self, url: str, method: str = "GET", headers: object = None, body: object = None
    ) -> object:
        """One HTTP request; ccxt's BadResponse for what is no answer."""
        from ccxt.base.errors import BadResponse

        answer = await super().fetch(url, method, headers, body)  # type: ignore[misc]  # ccxt's
        if not isinstance(answer, dict | list):
            raise BadResponse(f"{self.id} {method}: the answer is empty or no JSON")
        return answer


class HttpSession(Protocol):
    """What is used of an HTTP session that an exchange object of ccxt was given."""

    async def close(self) -> None:
        """Close the connections."""
        ...


class CcxtHistorySource:
    """A source over an exchange object of ccxt, which may be pointed anywhere.

    `pages_per_minute` is at most how many pages are asked for (None: about half of what the
    exchange allows). `close` closes the exchange object, and the `session` that it was given.
    """

    def __init__(
        self,
        exchange: CcxtExchange,
        *,
        pages_per_minute: int | None = None,
        waiter: Waiter | None = None,
        session: HttpSession | None = None,
    ) -> None:
        _check(exchange.id)
        self.exchange = exchange.id
        self._session = session
        self._client = CcxtClient(
            exchange, pages_per_minute=pages_per_minute, waiter=waiter or Waiter()
        )

    def pages(self, series: Series, start: int, end: int) -> AsyncIterator[Page]:
        """Pages of a series, see `HistorySource`."""
        if series.exchange != self.exchange:
            raise CallerError(f"{series} is not of {self.exchange}")
        pages = candle_pages if series.what == CANDLES else trade_pages
        return pages(self._client, series, start, end)

    def has_consecutive_ids(self, series: Series) -> bool:
        """Binance counts its aggregated trades one by one; nobody else says so of its ids."""
        return self.exchange == "binance" and series.what == TRADES

    async def close(self) -> None:
        """Close the exchange's connections."""
        await self._client.exchange.close()
        if self._session is not None:
            await self._session.close()


def ccxt_source(
    exchange: str,
    *,
    pages_per_minute: int | None = None,
    waiter: Waiter | None = None,
    session: HttpSession | None = None,
) -> CcxtHistorySource:
    """A source for an exchange by its name; it needs no key. Call it inside an event loop.

    Requests go through `session` (an aiohttp one) when there is one; the source closes it.
    """
    _check(exchange)
    kind = type(exchange, (Checked, getattr(import_module("ccxt.async_support"), exchange)), {})
    settings: dict[str, object] = {"options": _OPTIONS[exchange]}
    if session is not None:
        # ccxt waits at its end for a session of its own.
        settings |= {"session": session, "timeout_on_exit": 0}
    return CcxtHistorySource(
        kind(settings), pages_per_minute=pages_per_minute, waiter=waiter, session=session
    )


def _check(exchange: str) -> None:
    if exchange not in EXCHANGES:
        raise CallerError(f"exchange {exchange!r} must be one of {', '.join(EXCHANGES)}")
