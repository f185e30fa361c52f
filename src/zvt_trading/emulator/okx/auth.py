"""Who signed a request or a login, checked as OKX does.

https://www.okx.com/docs-v5/en/#overview-rest-authentication: the signature is the base64 of an
HMAC-SHA256 of timestamp + method + path with query + body, all as they were sent.
"""

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from typing import Final

from zvt_trading.emulator.house import House
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.emulator.okx import errors
from zvt_trading.emulator.okx.names import Fields
from zvt_trading.emulator.wire import Call

WINDOW_MS: Final = 30_000
"""A request's time may be this far from the exchange's."""


def signed_by(house: House, call: Call) -> ApiKey:
    """The key that signed a REST request; raises the exchange's answer when none did."""
    headers = call.headers
    name = headers.get("OK-ACCESS-KEY", "")
    sign = headers.get("OK-ACCESS-SIGN", "")
    time = headers.get("OK-ACCESS-TIMESTAMP", "")
    passphrase = headers.get("OK-ACCESS-PASSPHRASE", "")
    for value, code in (
        (name, errors.NO_KEY),
        (passphrase, errors.NO_PASSPHRASE),
        (sign, errors.NO_SIGN),
        (time, errors.NO_TIMESTAMP),
    ):
        if not value:
            raise errors.unauthorized(code)
    _check_time(time, house.clock.now_ms())
    key = house.keys.get(name)
    if key is None:
        raise errors.unauthorized(errors.WRONG_KEY)
    if headers.get("x-simulated-trading") == "1":
        raise errors.unauthorized(errors.WRONG_ENVIRONMENT)
    if not hmac.compare_digest(passphrase.encode(), key.passphrase.encode()):
        raise errors.unauthorized(errors.WRONG_PASSPHRASE)
    said = time + call.method + call.request.raw_path
    if not _is_signature(key, said.encode() + call.body, sign):
        raise errors.unauthorized(errors.WRONG_SIGN)
    return key


def login(house: House, fields: Fields) -> ApiKey | errors.Code:
    """The key of a WebSocket login, or why it failed."""
    time = str(fields.get("timestamp") or "")
    if not time.isdecimal():
        return ("60004", "Invalid timestamp")
    if abs(house.clock.now_ms() - int(time) * 1_000) > WINDOW_MS:
        return ("60006", "Timestamp request expired")
    key = house.keys.get(str(fields.get("apiKey") or ""))
    if key is None:
        return ("60005", "Invalid apiKey")
    if not hmac.compare_digest(
        str(fields.get("passphrase") or "").encode(), key.passphrase.encode()
    ):
        return ("60024", "Wrong passphrase")
    said = f"{time}GET/users/self/verify"
    if not _is_signature(key, said.encode(), str(fields.get("sign") or "")):
        return ("60007", "Invalid sign")
    return key


def _check_time(text: str, now_ms: int) -> None:
    try:
        time = dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)
    except ValueError:
        raise errors.unauthorized(errors.WRONG_TIMESTAMP) from None
    since = (time - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)
    if abs(now_ms - since) > WINDOW_MS:
        raise errors.unauthorized(errors.EXPIRED)


def _is_signature(key: ApiKey, said: bytes, sign: str) -> bool:
    try:
        given = base64.b64decode(sign, validate=True)
    except (binascii.Error, ValueError):
        return False
    wanted = hmac.new(key.secret.encode(), said, hashlib.sha256).digest()
    return hmac.compare_digest(wanted, given)
