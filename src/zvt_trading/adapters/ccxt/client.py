"""The ccxt object of one account: guarded requests, raw frames, its own way to a private testnet.

Nothing in ccxt is changed: production URLs stay, and a testnet of one's own (`Endpoint`) is reached
by resolving the exchange's names to it.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final, Self

import aiohttp
import ccxt.pro
from aiohttp.abc import AbstractResolver, ResolveResult
from ccxt.base.errors import (
    BadResponse,
    ExchangeError,
    ExchangeNotAvailable,
    NetworkError,
    OperationFailed,
)
from msgspec import Struct

from zvt_trading.adapters.ccxt.budget import PAUSE_SECONDS, Budget
from zvt_trading.adapters.ccxt.dialect import Dialect
from zvt_trading.adapters.ccxt.outcomes import is_not_sent

RETRY_SECONDS: Final = (0.05, 0.2)
"""Pauses before a question is asked again."""
TIMEOUT_MS: Final = 5_000
"""How long an answer is waited for; then the outcome is unknown."""
TLS_GOODBYE_SECONDS: Final = 0.1
"""For TLS connections to end: aiohttp does not wait for those of WebSockets."""
BAN_SECONDS: Final = 60.0
"""How long nothing is sent after a ban that does not say how long."""
_TOO_MANY: Final = frozenset({403, 418, 429, 10_006, 10_018})  # HTTP, and Bybit's own

_sent: ContextVar[list[str] | None] = ContextVar("sent", default=None)

Hear = Callable[[str, Any], bool]
"""Takes a raw frame of a URL; whether ccxt must see it too."""


class ApiCredentials(Struct, frozen=True):
    """As the exchange gave them; never shown."""

    key: str = ""
    secret: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return "ApiCredentials(...)"


class Endpoint(Struct, frozen=True):
    """Where a private testnet listens by TLS, and the file of the authority to trust."""

    host: str
    port: int
    ca_file: str


class SentMark:
    """Tells whether anything that changes something left, in one task, between enter and exit.

    Only what left counts: that a question afterwards was not sent says nothing about it.
    """

    def __init__(self) -> None:
        self.sent: list[str] = []

    def __enter__(self) -> Self:
        self._token = _sent.set(self.sent)
        return self

    def __exit__(self, *_: object) -> None:
        _sent.reset(self._token)


class Guarded:
    """Mixed into a ccxt.pro class: bans are kept, junk is no answer, frames are heard first."""

    id: str
    budget: Budget
    validity_seconds: int
    hear: Hear | None = None

    async def fetch(
        self, url: str, method: str = "GET", headers: Any = None, body: Any = None
    ) -> Any:
        """One HTTP request; NotSentError inside a ban, BadResponse for what is no answer.

        A question (GET) is asked again when its answer was lost: of a list with many pages each
        may be lost, and the whole must not fail for one.
        """
        if method == "GET":
            for pause in RETRY_SECONDS:
                try:
                    return await self._fetch_once(url, method, headers, body)
                except OperationFailed:
                    if self.budget.is_paused():
                        raise  # not now, says the exchange
                    await asyncio.sleep(pause)
        return await self._fetch_once(url, method, headers, body)

    async def _fetch_once(self, url: str, method: str, headers: Any, body: Any) -> Any:
        self.budget.check()
        mark = _sent.get() if method != "GET" else None
        if mark is not None:
            mark.append(method)
        try:
            answer = await super().fetch(url, method, headers, body)  # type: ignore[misc]  # ccxt's
        except Exception as error:
            if mark is not None and is_not_sent(error):
                mark.pop()
            is_cut = isinstance(error, ExchangeError) and isinstance(
                error.__cause__, aiohttp.ClientError
            )
            if is_cut:  # half an answer
                raise BadResponse(f"{self.id} {method}: truncated") from error.__cause__
            raise
        if not isinstance(answer, dict | list):
            raise BadResponse(f"{self.id} {method}: the answer is empty or no JSON")
        return answer

    def jwt(self, request: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        """A signature that is good for as long as the profile says, not for ccxt's two minutes.

        Until it is too old nobody can prove that a lost order will not arrive still.
        """
        if "nbf" in request:
            request["exp"] = request["nbf"] + self.validity_seconds
        return super().jwt(request, *arguments, **named)  # type: ignore[misc]  # ccxt's

    def handle_errors(self, code: int, *arguments: Any) -> Any:
        """Look at an error before ccxt does: one request too many, or a server that failed.

        A 5xx proves nothing, whatever its body says.
        """
        headers, body, answer = arguments[3:6]
        if code >= 500:
            raise ExchangeNotAvailable(f"{self.id} {code} {body}")
        if code in _TOO_MANY or (isinstance(answer, dict) and answer.get("retCode") in _TOO_MANY):
            is_ban = code in {403, 418}
            self.budget.pause(_retry_after(headers, BAN_SECONDS if is_ban else PAUSE_SECONDS))
        return super().handle_errors(code, *arguments)  # type: ignore[misc]  # ccxt's

    def handle_message(self, client: Any, message: Any) -> None:
        """One frame; an error in ccxt's handling ends the socket, not silently its reading."""
        if self.hear is not None and not self.hear(client.url, message):
            return
        try:
            super().handle_message(client, message)  # type: ignore[misc]  # ccxt's
        except Exception as error:  # noqa: BLE001 - whatever it is, the socket is not sound
            client.on_error(NetworkError(f"{self.id}: {type(error).__name__} in a frame"))


def _retry_after(headers: Mapping[str, str], usual: float) -> float:
    """Seconds that an answer says to wait."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return float(value)
            except ValueError:
                return usual
    return usual


class _ToEndpoint(AbstractResolver):
    """Every name is the testnet: nothing can reach the real exchange."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def resolve(
        self,
        host: str,
        port: int = 0,  # noqa: ARG002 - every port is the testnet's
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - it listens on one address
    ) -> list[ResolveResult]:
        """One address whatever is asked; aiohttp connects to the port named here."""
        return [
            ResolveResult(
                hostname=host,
                host=self._endpoint.host,
                port=self._endpoint.port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


class Client:
    """A ccxt.pro exchange in str mode with its session and budget; made on its event loop."""

    def __init__(
        self,
        dialect: Dialect,
        credentials: ApiCredentials,
        endpoint: Endpoint | None,
        timeout_ms: int = TIMEOUT_MS,
    ) -> None:
        profile = dialect.profile
        loop = asyncio.get_running_loop()
        self.budget: Final = Budget(
            profile.requests_per_second,
            profile.orders_per_second,
            profile.cancels_reserved_per_second,
            loop.time,
        )
        self._session = session_to(endpoint) if endpoint is not None else None
        kind = type(f"Guarded_{profile.name}", (Guarded, getattr(ccxt.pro, profile.name)), {})
        settings = {
            "apiKey": credentials.key,
            "secret": credentials.secret,
            "password": credentials.password,
            "enableRateLimit": False,  # the budget is ours: ccxt's keeps no room for cancels
            "timeout": timeout_ms,
            **dialect.settings(),
        }
        if self._session is not None:
            settings["session"] = self._session
        self.exchange: Final = kind(settings)
        self.exchange.number = str
        self.exchange.budget = self.budget
        self.exchange.validity_seconds = profile.validity_ms // 1000

    async def close(self) -> None:
        """End its connections."""
        if self._session is not None:
            self.exchange.timeout_on_exit = 0  # ccxt's wait is for a session of its own
        await self.exchange.close()
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(TLS_GOODBYE_SECONDS)


def session_to(endpoint: Endpoint) -> aiohttp.ClientSession:
    """For a ccxt object's `session` setting; whoever made it closes it."""
    context = ssl.create_default_context(cafile=endpoint.ca_file)
    connector = aiohttp.TCPConnector(
        ssl=context, resolver=_ToEndpoint(endpoint), family=socket.AF_INET, limit=0
    )
    return aiohttp.ClientSession(connector=connector)
