"""Asks a venue what `doctor` and `run` want to know: ports.venue_probe.VenueProbe over ccxt."""

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import aiohttp
from ccxt.base.errors import AuthenticationError, BaseError, RequestTimeout
from msgspec import Struct

from zvt_trading.adapters.ccxt.accounts import credentials_of, dialect_of, endpoint_of
from zvt_trading.adapters.ccxt.client import Client
from zvt_trading.adapters.ccxt.outcomes import error_code
from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.errors import KeyStoreError
from zvt_trading.adapters.settings.model import VenueSettings
from zvt_trading.errors import CallerError, VenueError
from zvt_trading.ports.venue_probe import ClockReading, KeyPermissions

NS_A_MS: Final = 1_000_000

Answer = TypeVar("Answer")
Raw = Mapping[str, Any]


class Traded(Struct, frozen=True):
    """Which kinds of instruments the keys are to trade."""

    spot: bool
    perpetuals: bool


# What an exchange says of keys. A field that is missing is None: nobody may take it for harmless.


def binance_permissions(answer: Raw, traded: Traded) -> KeyPermissions:
    """GET /sapi/v1/account/apiRestrictions.

    https://developers.binance.com/docs/wallet/account/api-key-permission
    """
    needed = [answer.get("enableSpotAndMarginTrading")] if traded.spot else []
    needed += [answer.get("enableFutures")] if traded.perpetuals else []
    return KeyPermissions(
        _all(needed), _flag(answer, "enableWithdrawals"), _flag(answer, "ipRestrict")
    )


def okx_permissions(answer: Raw, _traded: Traded) -> KeyPermissions:
    """GET /api/v5/account/config; `perm` is a list of read_only, trade, withdraw.

    https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-account-configuration
    """
    rows = answer.get("data") or [{}]
    row: Raw = rows[0]
    said = row.get("perm")
    may = str(said).split(",") if said else None
    is_bound = bool(row["ip"]) if "ip" in row else None
    return KeyPermissions(_holds(may, "trade"), _holds(may, "withdraw"), is_bound)


def bybit_permissions(answer: Raw, traded: Traded) -> KeyPermissions:
    """GET /v5/user/query-api. https://bybit-exchange.github.io/docs/v5/user/apikey-info."""
    row: Raw = answer.get("result") or {}
    may: Raw = row.get("permissions") or {}
    needed = [_holds(may.get("Spot"), "SpotTrade")] if traded.spot else []
    needed += [_bybit_perpetuals(may)] if traded.perpetuals else []
    needed.append(str(row["readOnly"]) == "0" if "readOnly" in row else None)
    ips = row.get("ips")
    is_bound = None if ips is None else bool(ips) and "*" not in ips
    return KeyPermissions(_all(needed), _holds(may.get("Wallet"), "Withdraw"), is_bound)


def coinbase_permissions(answer: Raw, _traded: Traded) -> KeyPermissions:
    """GET /api/v3/brokerage/key_permissions: transfers are withdrawals; of addresses it is silent.

    https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/rest-api
    """
    return KeyPermissions(_flag(answer, "can_trade"), _flag(answer, "can_transfer"), None)


PERMISSIONS: Final[Mapping[str, tuple[str, Callable[[Raw, Traded], KeyPermissions]]]] = {
    "binance": ("sapiGetAccountApiRestrictions", binance_permissions),
    "okx": ("privateGetAccountConfig", okx_permissions),
    "bybit": ("privateGetV5UserQueryApi", bybit_permissions),
    "coinbase": ("v3PrivateGetBrokerageKeyPermissions", coinbase_permissions),
}
"""By exchange: ccxt's name of the question, and how its answer is read."""


def _bybit_perpetuals(may: Raw) -> bool | None:
    """Unified accounts name the permission anew, and may have either name."""
    old = _holds(may.get("ContractTrade"), "Order")
    new = _holds(may.get("Derivatives"), "DerivativesTrade")
    return True if old or new else old


def _flag(answer: Raw, name: str) -> bool | None:
    found = answer.get(name)
    return found if isinstance(found, bool) else None


def _holds(granted: object, wanted: str) -> bool | None:
    return wanted in granted if isinstance(granted, list) else None


def _all(said: list[Any]) -> bool | None:
    """Whether all are granted; None when one is not said and none denied."""
    if any(each is False for each in said):
        return False
    return True if all(each is True for each in said) else None


class CcxtProbe:
    """One venue, with or without keys; `clock` gives nanoseconds since 1970."""

    def __init__(
        self,
        venue: str,
        settings: VenueSettings,
        keys: Credentials | None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._venue: Final = venue
        self._settings: Final = settings
        self._keys: Final = keys
        self._clock: Final = clock
        self._client: Client | None = None

    async def clock(self) -> ClockReading:
        """See ports.venue_probe; read twice, as the first request has to connect first."""
        readings = [await self._read_clock(), await self._read_clock()]
        return min(readings, key=lambda reading: reading.round_trip_ms)

    async def instruments(self) -> frozenset[str]:
        """See ports.venue_probe."""
        markets: Mapping[str, Raw] = await self._asked(self._made().exchange.load_markets())
        return frozenset(symbol for symbol, market in markets.items() if _can_be_traded(market))

    async def permissions(self) -> KeyPermissions:
        """See ports.venue_probe."""
        if self._keys is None:
            raise KeyStoreError(f"{self._venue}: what keys may do is only said to who has them")
        name, read = PERMISSIONS[self._venue]
        answer: Raw = await self._asked(getattr(self._made().exchange, name)())
        symbols = self._settings.symbols
        traded = Traded(
            spot=any(":" not in symbol for symbol in symbols),
            perpetuals=any(":" in symbol for symbol in symbols),
        )
        return read(answer, traded)

    async def close(self) -> None:
        """See ports.venue_probe."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _read_clock(self) -> ClockReading:
        exchange = self._made().exchange
        is_coinbase = self._venue == "coinbase"
        # ccxt reads whole seconds there, which would be half a second wrong.
        ask = exchange.v3PublicGetBrokerageTime if is_coinbase else exchange.fetch_time
        sent = self._clock()
        answer = await self._asked(ask())
        received = self._clock()
        theirs = int(answer["epochMillis"]) if is_coinbase else int(answer)
        return ClockReading(theirs, sent // NS_A_MS, received // NS_A_MS)

    def _made(self) -> Client:
        """Made at first need: it belongs to the event loop."""
        if self._client is None:
            self._client = Client(
                dialect_of(self._venue),
                credentials_of(self._keys),
                endpoint_of(self._venue, self._settings),
                self._settings.answer_timeout_ms,
            )
        return self._client

    async def _asked(self, question: Awaitable[Answer]) -> Answer:
        """The answer, or an error of ours without anything secret in it."""
        try:
            return await question
        except BaseError as error:
            raise self._error_of(error) from None
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # Its text may be a key that cannot be read, so only its kind is said.
            raise self._unreadable(type(error).__name__) from None

    def _unreadable(self, kind: str) -> VenueError | CallerError:
        """Something that ccxt stumbled over: nearly always keys of which a part is missing."""
        if self._keys is None:
            return VenueError(f"{self._venue} answered something that cannot be read ({kind})")
        return KeyStoreError(
            f"{self._venue}: nothing can be signed with the keys ({kind}): "
            "are they whole, as the venue gave them?"
        )

    def _error_of(self, error: Exception) -> VenueError | CallerError:
        found = error_code(error)
        if isinstance(error, AuthenticationError):  # PermissionDenied is one
            said = f"{found.code} {found.text}".strip()
            return KeyStoreError(f"{self._venue} does not take the keys: {said}")
        where = self._settings.endpoint or "the exchange"
        cause = _connection_problem(error)
        if cause:
            return VenueError(f"{self._venue} cannot be reached at {where}: {cause}")
        if isinstance(error, RequestTimeout):
            return VenueError(f"{self._venue} did not answer at {where} in time")
        said = f"{found.code} {found.text}".strip()
        return VenueError(f"{self._venue} answered {type(error).__name__}: {said}")


def _can_be_traded(market: Raw) -> bool:
    is_linear = bool(market.get("swap")) and bool(market.get("linear"))
    return market.get("active") is not False and (bool(market.get("spot")) or is_linear)


def _connection_problem(error: BaseException) -> str:
    """Why no connection came about; "" when one did."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, aiohttp.ClientConnectorCertificateError):
            return f"its certificate is not trusted ({seen.certificate_error}); is ca_file its own?"
        if isinstance(seen, aiohttp.ClientConnectorError):
            number = seen.os_error.errno
            return os.strerror(number) if number else str(seen.os_error)
        seen = seen.__cause__ or seen.__context__
    return ""
