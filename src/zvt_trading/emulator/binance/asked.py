"""Requests: which parameters an endpoint knows, who may call it, and the signature.

The signed text is the query string followed by the body, each as it was sent, without the
`signature` itself: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security
"""

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl

from zvt_trading.core.units import UnitError, parse_scaled
from zvt_trading.emulator import faults
from zvt_trading.emulator.binance.errors import error, missing
from zvt_trading.emulator.house import House
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.emulator.wire import Call, Json, Reply

# Who may call an endpoint.
PUBLIC: Final = 0
KEY: Final = 1  # a known key, no signature
SIGNED: Final = 2
TRADE: Final = 3  # signed, with a key that may trade

WINDOW_DEFAULT_MS: Final = 5_000
WINDOW_MAX_MS: Final = 60_000
AHEAD_MAX_MS: Final = 1_000
_ONLY_SOCKETS: Final = "returnRateLimits"  # of every request of ws-api
_SIGNING: Final = ("timestamp", "recvWindow", "signature", "apiKey")


class Asked:
    """A request that was let in: its parameters, and the key that signed it."""

    def __init__(self, params: Mapping[str, str], key: ApiKey | None = None) -> None:
        self.params: Final = params
        self.key: Final = key
        self.account: Final = key.account if key is not None else ""

    def text(self, name: str, default: str = "") -> str:
        """A parameter; the default when it was not sent."""
        return self.params.get(name, default)

    def needed(self, name: str) -> str:
        """A parameter that must be there."""
        value = self.params.get(name, "")
        if not value:
            raise missing(name)
        return value

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        value = self.params.get(name, "")
        if not value:
            return default
        if not value.isdecimal():
            raise error(
                -1100,
                f"Illegal characters found in parameter '{name}'; "
                "legal range is '^[0-9]{1,20}$'.",
            )
        return int(value)

    def limit(self, default: int, most: int) -> int:
        """The parameter `limit`, at most so many."""
        return max(1, min(self.number("limit", default), most))

    def scaled(self, name: str, scale: int) -> int:
        """A decimal number on a scale; 0 when it was not sent."""
        value = self.params.get(name, "")
        if not value:
            return 0
        try:
            return parse_scaled(value, scale)
        except UnitError:
            if value.replace(".", "", 1).isdecimal():
                raise error(-1111, f"Parameter '{name}' has too much precision.") from None
            raise error(
                -1100,
                f"Illegal characters found in parameter '{name}'; "
                f"legal range is '^([0-9]{{1,20}})(\\.[0-9]{{1,20}})?$'.",
            ) from None

    def flag(self, name: str) -> bool:
        """A parameter that is true or false."""
        return self.params.get(name, "").lower() == "true"


Handler = Callable[[Asked], Json]


class Endpoint:
    """One endpoint: `knows` are the names of its parameters, `weight` what it costs."""

    def __init__(
        self,
        method: str,
        path: str,
        handler: Handler,
        security: int = PUBLIC,
        knows: str = "",
        *,
        kind: str = faults.OTHER,
        weight: int = 1,
        orders: int = 0,
    ) -> None:
        self.method: Final = method
        self.path: Final = path
        self.handler: Final = handler
        self.security: Final = security
        self.knows: Final = frozenset(knows.split())
        self.kind: Final = kind
        self.weight: Final = weight
        self.orders: Final = orders
        self.is_spot: Final = not path.startswith("/fapi")


class Door:
    """Lets requests in."""

    def __init__(self, house: House) -> None:
        self._house: Final = house

    def enter(self, endpoint: Endpoint, call: Call) -> Asked:
        """By REST; Reply when it may not."""
        body = call.body.decode(errors="replace")
        signed, signature = _without_signature(call.query_text, body)
        params = _parameters(call.query_text, body)
        if endpoint.security == PUBLIC:
            _check_known(endpoint, params)
            return Asked(params)
        key = self._key(call.headers.get("X-MBX-APIKEY", ""))
        if endpoint.security != KEY:
            self._check_signature(key, params, signed, signature)
        return self._admitted(endpoint, params, key)

    def enter_socket(self, endpoint: Endpoint, params: dict[str, str]) -> Asked:
        """By ws-api: all parameters in alphabetic order are signed, the key is one of them."""
        if endpoint.security == PUBLIC:
            _check_known(endpoint, params)
            return Asked(params)
        key = self._key(params.get("apiKey", ""))
        signed = "&".join(
            f"{name}={params[name]}" for name in sorted(params) if name != "signature"
        )
        self._check_signature(key, params, signed, params.get("signature", ""))
        own = {name: value for name, value in params.items() if name != _ONLY_SOCKETS}
        return self._admitted(endpoint, own, key)

    def _admitted(self, endpoint: Endpoint, params: dict[str, str], key: ApiKey) -> Asked:
        if endpoint.security == TRADE and not key.can_trade:
            raise _no_permission()
        _check_known(endpoint, params)
        return Asked(params, key)

    def _key(self, text: str) -> ApiKey:
        if not text:
            raise error(-2014, "API-key format invalid.", 401)
        key = self._house.keys.get(text)
        if key is None:
            raise _no_permission()
        return key

    def _check_signature(
        self, key: ApiKey, params: Mapping[str, str], signed: str, signature: str
    ) -> None:
        stamp = params.get("timestamp", "")
        if not stamp.isdecimal():
            raise missing("timestamp")
        if not signature:
            raise missing("signature")
        window = params.get("recvWindow", str(WINDOW_DEFAULT_MS))
        try:
            window_ms = parse_scaled(window, 3) // 1000
        except UnitError:
            raise missing("recvWindow") from None
        if window_ms > WINDOW_MAX_MS:
            raise error(-1131, "recvWindow must be less than 60000.")
        expected = hmac.new(key.secret.encode(), signed.encode(), sha256).hexdigest()
        if not hmac.compare_digest(expected, signature.lower()):
            raise error(-1022, "Signature for this request is not valid.")
        self._check_time(int(stamp), window_ms)

    def _check_time(self, stamp: int, window_ms: int) -> None:
        now = self._house.clock.now_ms()
        if stamp > now + AHEAD_MAX_MS:
            raise error(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if stamp < now - window_ms:
            raise error(-1021, "Timestamp for this request is outside of the recvWindow.")


def _no_permission() -> Reply:
    return error(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def _without_signature(query: str, body: str) -> tuple[str, str]:
    """The signed text, and the signature that was in it."""
    signature = ""
    parts: list[str] = []
    for text in (query, body):
        kept: list[str] = []
        for pair in text.split("&"):
            if pair.startswith("signature="):
                signature = pair.partition("=")[2]
            elif pair:
                kept.append(pair)
        parts.append("&".join(kept))
    return "".join(parts), signature


def _parameters(query: str, body: str) -> dict[str, str]:
    """Of query and body; a name twice is an error."""
    params: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True) + parse_qsl(body):
        if name in params:
            raise error(
                -1101, f"Too many parameters; duplicate values for parameter '{name}' detected."
            )
        params[name] = value
    return params


def _check_known(endpoint: Endpoint, params: Mapping[str, str]) -> None:
    known = endpoint.knows
    if endpoint.security:
        known = known.union(_SIGNING)
    read = [name for name in params if name in known]
    if len(read) < len(params):
        raise error(
            -1104,
            f"Not all sent parameters were read; read '{len(read)}' parameter(s) "
            f"but was sent '{len(params)}'.",
        )
