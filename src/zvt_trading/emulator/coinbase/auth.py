"""JWTs: the ES256 signature, the times, and which request they are for.

https://docs.cdp.coinbase.com/coinbase-app/authentication-authorization/api-key-authentication
"""

import base64
import binascii
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from zvt_trading.emulator.coinbase.errors import forbidden, unauthorized
from zvt_trading.emulator.house import House
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.emulator.wire import Call

ISSUERS: Final = ("coinbase-cloud", "cdp")  # ccxt and older SDKs; the SDK of today
EARLY_S: Final = 30
"""A token may begin so much later than now: clocks are never quite the same."""
_RAW_HALF: Final = 32  # bytes of r and of s


class Authority:
    """Says whose request it is; a Reply (401, 403) when nobody's."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._public: dict[str, ec.EllipticCurvePublicKey] = {}

    def caller(self, call: Call, *, trades: bool) -> ApiKey:
        """The key of a REST request; with `trades` one that may trade."""
        kind, _, token = call.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            raise unauthorized()
        key = self.key_of(token, f"{call.method} {call.headers.get('Host', '')}{call.path}")
        if trades and not key.can_trade:
            raise forbidden()
        return key

    def key_of(self, token: str, uri: str = "") -> ApiKey:
        """The key that signed a token; with `uri` a token for that request."""
        parts = token.split(".")
        if len(parts) != 3:
            raise unauthorized()
        head, claims = _decoded(parts[0]), _decoded(parts[1])
        key = self._house.keys.get(str(head.get("kid")))
        if key is None or head.get("alg") != "ES256":
            raise unauthorized()
        self._verify(key, f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2]))
        if claims.get("sub") != key.key or claims.get("iss") not in ISSUERS:
            raise unauthorized()
        if not self._is_now(claims) or (uri and uri not in _uris(claims)):
            raise unauthorized()
        return key

    def _verify(self, key: ApiKey, signed: bytes, raw: bytes) -> None:
        if len(raw) != 2 * _RAW_HALF:
            raise unauthorized()
        if key.key not in self._public:
            self._public[key.key] = key.public_key()
        numbers = (int.from_bytes(raw[:_RAW_HALF], "big"), int.from_bytes(raw[_RAW_HALF:], "big"))
        try:
            self._public[key.key].verify(encode_dss_signature(*numbers), signed, ec.ECDSA(SHA256()))
        except InvalidSignature:
            raise unauthorized() from None

    def _is_now(self, claims: dict[str, Any]) -> bool:
        now = self._house.clock.now_ms() // 1000
        begin, end = claims.get("nbf"), claims.get("exp")
        if not isinstance(begin, int) or not isinstance(end, int):
            return False
        return begin - EARLY_S <= now < end


def _uris(claims: dict[str, Any]) -> list[str]:
    """The requests a token is for; ccxt leaves the scheme of a plain address in."""
    several = claims.get("uris")
    found = several if isinstance(several, list) else [claims.get("uri")]
    return [str(uri).replace("http://", "") for uri in found]


def _bytes(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise unauthorized() from None


def _decoded(part: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(_bytes(part))
    except msgspec.DecodeError:
        raise unauthorized() from None
    if not isinstance(value, dict):
        raise unauthorized()
    return value
