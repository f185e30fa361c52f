"""API keys in a file of their own, encrypted with a passphrase.

The file is one JSON object: how the key was derived (scrypt, RFC 7914), a nonce, and the keys
sealed by ChaCha20-Poly1305 (RFC 8439). The seal covers the header too, so nothing of it can be
changed. The file is replaced as a whole, and only its owner may read it.
"""

import base64
import binascii
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.errors import KeyStoreError
from zvt_trading.runtime.maintenance.archive import written

FORMAT: Final = "zvt-trading-keys"
VERSION: Final = 1
PASSPHRASE_LENGTH_MIN: Final = 12
"""Who has the file can try passphrases at leisure, a few a second and core."""

COST: Final = 2**17
"""scrypt's N with r = 8, p = 1: 128 MiB and some tenths of a second a guess (OWASP's minimum)."""

_COST_MAX: Final = 2**20  # a file that asks for more than 1 GiB is not ours
_SIZE_BYTES_MAX: Final = 1_000_000
_ALL_BUT_OWNER: Final = 0o077

Passphrase = Callable[[], str | None]
"""Asks for the passphrase when it is needed; None when nobody can be asked."""


class KeyFile:
    """The encrypted file at `path`; it need not be there. It is decrypted once, at first need."""

    def __init__(self, path: Path, passphrase: Passphrase, *, cost: int = COST) -> None:
        self.name: Final = f"file {path}"
        self.path: Final = path
        self._ask = passphrase
        self._cost: Final = cost
        self._passphrase = ""
        self._entries: dict[str, str] | None = None

    def find(self, venue: str, account: str) -> Credentials | None:
        """The keys of an account; None when they are not in it, or there is no file.

        Raises KeyStoreError when the file cannot be read: that is not "no keys".
        """
        text = self._read().get(f"{venue}/{account}")
        if text is None:
            return None
        return Credentials.from_json(venue, account, text, self.name)

    def names(self) -> list[tuple[str, str]]:
        """(venue, account) of what is in it, sorted."""
        return [(venue, account) for venue, _, account in _split(self._read())]

    def save(self, keys: Credentials) -> None:
        """Add or replace the keys of an account."""
        entries = dict(self._read())
        entries[f"{keys.venue}/{keys.account}"] = keys.to_json()
        self._write(entries)

    def remove(self, venue: str, account: str) -> bool:
        """Take the keys of an account out; False when they were not in it."""
        entries = dict(self._read())
        found = entries.pop(f"{venue}/{account}", None) is not None
        if found:
            self._write(entries)
        return found

    def problem(self) -> str:
        """What is wrong with who may read it; "" when nothing is, or there is no file."""
        if os.name != "posix" or not self.path.exists():
            return ""
        mode = self.path.stat().st_mode & 0o777
        if not mode & _ALL_BUT_OWNER:
            return ""
        return f"{self.path} has mode {mode:04o}: others may read it; do: chmod 600 {self.path}"

    def _read(self) -> dict[str, str]:
        if self._entries is not None:
            return self._entries
        if not self.path.exists():
            self._entries = {}
            return self._entries
        problem = self.problem()
        if problem:
            raise KeyStoreError(problem)
        with self.path.open("rb") as file:
            content = file.read(_SIZE_BYTES_MAX)
        self._entries = self._opened(content)
        return self._entries

    def _opened(self, content: bytes) -> dict[str, str]:
        try:
            whole = json.loads(content)
            sealed = base64.b64decode(whole.pop("sealed"), validate=True)
            salt, nonce, cost = _header_values(whole)
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise KeyStoreError(f"{self.path} is no file of keys, or it is damaged") from None
        cipher = ChaCha20Poly1305(_derive(self._secret(), salt, cost))
        try:
            entries: dict[str, str] = json.loads(cipher.decrypt(nonce, sealed, _bound(whole)))
        except InvalidTag:
            raise KeyStoreError(
                f"{self.path}: the passphrase is wrong, or the file was changed"
            ) from None
        return entries

    def _write(self, entries: dict[str, str]) -> None:
        salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
        header: dict[str, object] = {
            "format": FORMAT,
            "version": VERSION,
            "kdf": "scrypt",
            "n": self._cost,
            "salt": base64.b64encode(salt).decode(),
            "cipher": "chacha20-poly1305",
            "nonce": base64.b64encode(nonce).decode(),
        }
        cipher = ChaCha20Poly1305(_derive(self._secret(), salt, self._cost))
        sealed = cipher.encrypt(nonce, json.dumps(entries).encode(), _bound(header))
        whole = header | {"sealed": base64.b64encode(sealed).decode()}
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with written(self.path) as write:
            write(json.dumps(whole, indent=1).encode() + b"\n")
        self._entries = entries

    def _secret(self) -> str:
        """The passphrase, asked for once."""
        if not self._passphrase:
            given = self._ask()
            if given is None:
                raise KeyStoreError(
                    f"{self.path} is encrypted: give its passphrase in ZVT_TRADING_KEYS_PASSPHRASE"
                )
            if len(given) < PASSPHRASE_LENGTH_MIN:
                raise KeyStoreError(
                    f"a passphrase of {len(given)} characters is too short; "
                    f"at least {PASSPHRASE_LENGTH_MIN}"
                )
            self._passphrase = given
        return self._passphrase


def _header_values(header: dict[str, Any]) -> tuple[bytes, bytes, int]:
    """(salt, nonce, cost); ValueError when it is not a header of ours."""
    kind = (header["format"], header["version"], header["kdf"], header["cipher"])
    cost = header["n"]
    is_power = isinstance(cost, int) and 2 <= cost <= _COST_MAX and cost & (cost - 1) == 0
    if kind != (FORMAT, VERSION, "scrypt", "chacha20-poly1305") or not is_power:
        raise ValueError("not ours")
    salt = base64.b64decode(header["salt"], validate=True)
    nonce = base64.b64decode(header["nonce"], validate=True)
    if len(nonce) != 12:
        raise ValueError("not a nonce")
    return salt, nonce, cost


def _derive(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode())


def _bound(header: dict[str, object]) -> bytes:
    """The header as the seal covers it."""
    return json.dumps(header, sort_keys=True).encode()


def _split(entries: dict[str, str]) -> list[tuple[str, str, str]]:
    return [name.partition("/") for name in sorted(entries)]
