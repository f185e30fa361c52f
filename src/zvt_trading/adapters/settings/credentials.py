"""API keys that do not show themselves."""

import json
from typing import Final, NoReturn, Self, final

from zvt_trading.adapters.settings.errors import KeyStoreError

LENGTH_MAX: Final = 8_192
"""Of a key or secret: a PEM of RSA 4096 has 3,300 characters."""

WITH_PASSWORD: Final = ("okx",)
"""Exchanges whose keys come with a passphrase."""

PEM: Final = "-----BEGIN"

_SHOWN: Final = 4
_LONG_ENOUGH: Final = 16  # of fewer characters, four would be too much to show


@final
class Credentials:
    """The API keys of one account at one venue.

    `key`, `secret` and `password` ("" where the venue has none) are for the venue's client and for
    the log's redaction. Neither repr, str, format nor a traceback shows them; pickle refuses.
    """

    __slots__ = ("_key", "_password", "_secret", "account", "source", "venue")

    def __init__(
        self, venue: str, account: str, key: str, secret: str, password: str = "", source: str = ""
    ) -> None:
        """`source` says where they are from. KeyStoreError for what no venue gives out."""
        self.venue: Final = venue
        self.account: Final = account
        self.source: Final = source
        self._key: Final = _clean(venue, "key", key)
        self._secret: Final = _clean(venue, "secret", secret)
        self._password: Final = _clean(venue, "password", password) if password else ""
        if venue in WITH_PASSWORD and not password:
            raise KeyStoreError(
                f"{venue}: its keys have a passphrase, which is missing; give it as the password"
            )

    @property
    def key(self) -> str:
        """The public part; it is not shown either, as it names the account."""
        return self._key

    @property
    def secret(self) -> str:
        """What signs; a PEM has real line ends."""
        return self._secret

    @property
    def password(self) -> str:
        """OKX's passphrase; "" at the others."""
        return self._password

    @property
    def hint(self) -> str:
        """Enough of the key to tell it from others: its last characters."""
        return f"...{self._key[-_SHOWN:]}" if len(self._key) >= _LONG_ENOUGH else "..."

    def values(self) -> tuple[str, ...]:
        """All that must not be seen, for redaction."""
        return tuple(value for value in (self._key, self._secret, self._password) if value)

    def to_json(self) -> str:
        """As it is kept in a keyring or in the encrypted file."""
        return json.dumps({"key": self._key, "secret": self._secret, "password": self._password})

    @classmethod
    def from_json(cls, venue: str, account: str, text: str, source: str) -> Self:
        """What `to_json` made; KeyStoreError when it is something else."""
        try:
            found = json.loads(text)
            key, secret, password = (found[name] for name in ("key", "secret", "password"))
        except (ValueError, KeyError, TypeError):
            # Without the cause: a JSON error holds the text.
            raise KeyStoreError(
                f"{source}: what is kept for {venue}/{account} is no API key: set it again"
            ) from None
        return cls(venue, account, key, secret, password, source)

    def __repr__(self) -> str:
        return f"<Credentials {self.venue}/{self.account} key {self.hint}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("credentials are not pickled: a file or a pipe would show them")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


def _clean(venue: str, name: str, value: object) -> str:
    """Without white space round it, a PEM with real line ends; KeyStoreError never shows it."""
    if not isinstance(value, str):
        raise KeyStoreError(f"{venue}: the {name} must be text, not {type(value).__name__}")
    text = value.strip()
    if text.startswith(PEM):
        text = text.replace("\\n", "\n")  # as it comes in JSON and in environment variables
        is_plain = all(line.isprintable() for line in text.splitlines())
    else:
        is_plain = text.isprintable() and not (name != "password" and " " in text)
    if not text or not is_plain or len(text) > LENGTH_MAX:
        raise KeyStoreError(
            f"{venue}: the {name} must be 1 to {LENGTH_MAX} printable characters without spaces, "
            "as the venue gave it"
        )
    return text
