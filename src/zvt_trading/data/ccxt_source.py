"""The history of Binance, OKX, Bybit and Coinbase through ccxt."""

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Final

from zvt_trading.data.ccxt_candles import candle_pages
from zvt_trading.data.ccxt_client import CcxtClient, CcxtExchange, Waiter
from zvt_trading.data.ccxt_trades import trade_pages
from zvt_trading.data.history_source import HistorySource, Page
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


class CcxtHistorySource:
    """A source over an exchange object of ccxt, which may be pointed anywhere.

    `pages_per_minute` is at most how many pages are asked for (None: about half of what the
    exchange allows). `close` closes the exchange object.
    """

    def __init__(
        self,
        exchange: CcxtExchange,
        *,
        pages_per_minute: int | None = None,
        waiter: Waiter | None = None,
    ) -> None:
        _check(exchange.id)
        self.exchange = exchange.id
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


def ccxt_source(exchange: str, *, pages_per_minute: int | None = None) -> HistorySource:
    """A source for an exchange by its name; it needs no key. Call it inside an event loop."""
    _check(exchange)
    made = getattr(import_module("ccxt.async_support"), exchange)({"options": _OPTIONS[exchange]})
    return CcxtHistorySource(made, pages_per_minute=pages_per_minute)


def _check(exchange: str) -> None:
    if exchange not in EXCHANGES:
        raise CallerError(f"exchange {exchange!r} must be one of {', '.join(EXCHANGES)}")
