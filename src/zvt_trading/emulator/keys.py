"""API keys of an emulated exchange: who may sign, and what for."""

import base64
import secrets
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from msgspec import Struct

COINBASE: Final = "coinbase"


class ApiKey(Struct, frozen=True, kw_only=True):
    """One key. `secret` is an HMAC secret; for Coinbase an EC private key (PEM, P-256)."""

    key: str
    secret: str
    passphrase: str = ""
    account: str = "default"
    can_trade: bool = True
    can_withdraw: bool = False
    is_ip_restricted: bool = True

    def __repr__(self) -> str:
        return f"ApiKey({self.key[:6]}..., account={self.account!r})"

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Of a Coinbase key."""
        private = load_pem_private_key(self.secret.encode(), None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self!r}: the secret is no elliptic curve key")
        return private.public_key()


def new_key(exchange: str, account: str = "default", *, can_withdraw: bool = False) -> ApiKey:
    """A key that nobody can guess, in the form the exchange gives."""
    if exchange == COINBASE:
        name = f"organizations/{secrets.token_hex(8)}/apiKeys/{secrets.token_hex(8)}"
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        return ApiKey(key=name, secret=pem.decode(), account=account, can_withdraw=can_withdraw)
    secret = base64.b64encode(secrets.token_bytes(30)).decode().replace("+", "a").replace("/", "b")
    return ApiKey(
        key=secrets.token_hex(16),
        secret=secret,
        passphrase=secrets.token_hex(8) if exchange == "okx" else "",
        account=account,
        can_withdraw=can_withdraw,
    )
