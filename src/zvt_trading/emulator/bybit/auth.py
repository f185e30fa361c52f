"""Who signs, and whether the signature holds: https://bybit-exchange.github.io/docs/v5/guide.

The signed text is timestamp + key + recv window + the exact query string or body.
"""

import hashlib
import hmac
from typing import Final

from zvt_trading.emulator.bybit.errors import BybitError, bad_request
from zvt_trading.emulator.house import House
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.emulator.wire import Call, Reply

RECV_WINDOW_MS: Final = 5_000
AHEAD_MS: Final = 1_000
"""How far the client's clock may be ahead."""


def signature(secret: str, text: bytes) -> str:
    """HMAC-SHA256, hexadecimal."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def signer(house: House, call: Call, *, trades: bool) -> ApiKey:
    """The key that signed a request; BybitError, or HTTP 401 without the headers."""
    headers = call.headers
    name = headers.get("X-BAPI-API-KEY", "")
    timestamp = headers.get("X-BAPI-TIMESTAMP", "")
    sign = headers.get("X-BAPI-SIGN", "")
    if not name or not timestamp or not sign:
        raise Reply("", 401)
    key = house.keys.get(name)
    if key is None:
        raise BybitError(10003, "API key is invalid.")
    window = headers.get("X-BAPI-RECV-WINDOW", str(RECV_WINDOW_MS))
    check_time(house, timestamp, window)
    payload = call.query_text.encode() if call.method == "GET" else call.body
    signed = (timestamp + name + window).encode() + payload
    if not hmac.compare_digest(signature(key.secret, signed), sign):
        # Bybit's text repeats what was signed; it is left out here, it only helps attackers.
        raise BybitError(10004, "error sign! please check your signature generation algorithm.")
    if trades and not key.can_trade:
        raise BybitError(10005, "Permission denied, please check your API key permissions.")
    return key


def check_time(house: House, timestamp: str, window: str) -> None:
    """BybitError when a request is too old, or from too far in the future."""
    if not timestamp.isdecimal() or not window.isdecimal():
        raise bad_request("timestamp and recv_window must be whole numbers")
    now = house.clock.now_ms()
    if not now - int(window) <= int(timestamp) < now + AHEAD_MS:
        raise BybitError(
            10002,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{timestamp}],server_timestamp[{now}],recv_window[{window}]",
        )


def signer_of_stream(house: House, args: object) -> ApiKey | None:
    """The key of an `auth` message, [key, expires in ms, signature]; None when it does not hold."""
    if not isinstance(args, list) or len(args) != 3:
        return None
    name, expires, sign = (str(part) for part in args)
    key = house.keys.get(name)
    if key is None or not expires.isdecimal() or int(expires) <= house.clock.now_ms():
        return None
    expected = signature(key.secret, f"GET/realtime{expires}".encode())
    return key if hmac.compare_digest(expected, sign) else None
