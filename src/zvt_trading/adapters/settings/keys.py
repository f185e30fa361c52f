"""Where API keys are found: the keyring of the system, else an encrypted file, else environment.

The first place that has them counts. A place that is there and cannot be read is an error, never
"no keys": the next place may have old ones.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol, get_args

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError, NoKeyringError, PasswordDeleteError
from platformdirs import user_config_path

from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.errors import KeyStoreError
from zvt_trading.adapters.settings.fields import ACCOUNT, VenueName
from zvt_trading.adapters.settings.key_file import KeyFile, Passphrase
from zvt_trading.adapters.settings.model import PREFIX

VENUES: Final[tuple[str, ...]] = get_args(VenueName)
DEFAULT_ACCOUNT: Final = "default"
SERVICE: Final = "zvt-trading"
"""Under which name the keyring has our entries."""

FILE_VARIABLE: Final = f"{PREFIX}KEYS_FILE"
PASSPHRASE_VARIABLE: Final = f"{PREFIX}KEYS_PASSPHRASE"
FILE_NAME: Final = "keys.json"

_INDEX: Final = "index"  # keyrings cannot list what they have


class KeySource(Protocol):
    """A place where keys may be; `name` says which."""

    @property
    def name(self) -> str:
        """For messages."""

    def find(self, venue: str, account: str) -> Credentials | None:
        """The keys of an account; None when it does not have them."""

    def names(self) -> list[tuple[str, str]]:
        """(venue, account) of all that it has, sorted."""


class KeyringKeys:
    """The keyring of the system, or a backend that is given."""

    def __init__(self, backend: KeyringBackend | None = None) -> None:
        self.name: Final = "keyring"
        self._backend = backend if backend is not None else keyring.get_keyring()

    def find(self, venue: str, account: str) -> Credentials | None:
        """The keys of an account; None when there are none, or no keyring."""
        text = self._get(f"{venue}/{account}")
        return None if text is None else Credentials.from_json(venue, account, text, self.name)

    def names(self) -> list[tuple[str, str]]:
        """(venue, account) of what we put there, sorted."""
        return sorted((venue, account) for venue, _, account in map(_parts, self._index()))

    def save(self, keys: Credentials) -> None:
        """Add or replace the keys of an account; KeyStoreError says what else can be done."""
        name = f"{keys.venue}/{keys.account}"
        try:
            self._backend.set_password(SERVICE, name, keys.to_json())
            index = sorted({*self._index(), name})
            self._backend.set_password(SERVICE, _INDEX, json.dumps(index))
        except NoKeyringError:
            raise KeyStoreError(
                "this system has no keyring; keep the keys in an encrypted file: "
                "`zvt-trading keys set --file`"
            ) from None
        except KeyringError as error:
            text = f"the keyring did not take it ({type(error).__name__}); try --file"
            raise KeyStoreError(text) from None

    def remove(self, venue: str, account: str) -> bool:
        """Take the keys of an account out; False when they were not there."""
        name = f"{venue}/{account}"
        if self._get(name) is None:
            return False
        try:
            self._backend.delete_password(SERVICE, name)
            index = [other for other in self._index() if other != name]
            self._backend.set_password(SERVICE, _INDEX, json.dumps(index))
        except PasswordDeleteError:
            raise KeyStoreError(f"the keyring did not let go of {name}") from None
        return True

    def _index(self) -> list[str]:
        try:
            found = json.loads(self._get(_INDEX) or "[]")
        except ValueError:
            found = None
        if not isinstance(found, list):
            raise KeyStoreError(f"keyring: the entry {SERVICE}/{_INDEX} is damaged: delete it")
        return [str(name) for name in found]

    def _get(self, name: str) -> str | None:
        try:
            return self._backend.get_password(SERVICE, name)
        except NoKeyringError:
            return None
        except KeyringError as error:
            raise KeyStoreError(
                f"the keyring cannot be read ({type(error).__name__}): unlock it"
            ) from None


class EnvironmentKeys:
    """`ZVT_TRADING_KEY_BINANCE`, `_SECRET_`, `_PASSWORD_`; other accounts have `_NAME` behind."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.name: Final = "environment"
        self._env = env

    def find(self, venue: str, account: str) -> Credentials | None:
        """The keys of an account; KeyStoreError when only a part of them is there."""
        end = venue.upper() if account == DEFAULT_ACCOUNT else f"{venue}_{account}".upper()
        names = [f"{PREFIX}{part}_{end}" for part in ("KEY", "SECRET", "PASSWORD")]
        key, secret, password = (self._env.get(name, "") for name in names)
        if not key and not secret:
            return None
        if not key or not secret:
            has, lacks = (names[0], names[1]) if key else (names[1], names[0])
            raise KeyStoreError(f"environment: {has} is given without {lacks}; give both")
        return Credentials(venue, account, key, secret, password, self.name)

    def names(self) -> list[tuple[str, str]]:
        """(venue, account) of what is there, sorted."""
        pattern = re.compile(rf"{PREFIX}KEY_({'|'.join(VENUES)})(?:_({ACCOUNT}))?", re.IGNORECASE)
        found = [pattern.fullmatch(name) for name, value in self._env.items() if value]
        return sorted(
            (match[1].lower(), (match[2] or DEFAULT_ACCOUNT).lower()) for match in found if match
        )


def key_file(env: Mapping[str, str], passphrase: Passphrase) -> KeyFile:
    """The encrypted file: ZVT_TRADING_KEYS_FILE, else one in the user's folder of settings.

    Its passphrase is ZVT_TRADING_KEYS_PASSPHRASE, else what `passphrase` gives when asked.
    """
    given = env.get(FILE_VARIABLE)
    folder = user_config_path("zvt-trading", appauthor=False)
    path = Path(given) if given else folder / FILE_NAME
    return KeyFile(path, lambda: env.get(PASSPHRASE_VARIABLE) or passphrase())


def key_sources(env: Mapping[str, str], passphrase: Passphrase) -> tuple[KeySource, ...]:
    """All places in the order in which they count."""
    return KeyringKeys(), key_file(env, passphrase), EnvironmentKeys(env)


def find_keys(sources: Sequence[KeySource], venue: str, account: str) -> Credentials | None:
    """The keys of the first place that has them; None when none does."""
    check_account(venue, account)
    for source in sources:
        found = source.find(venue, account)
        if found is not None:
            return found
    return None


def require_keys(
    sources: Sequence[KeySource], accounts: Iterable[tuple[str, str]]
) -> dict[str, Credentials]:
    """The keys by venue; KeyStoreError names every (venue, account) that has none."""
    found: dict[str, Credentials] = {}
    missing = []
    for venue, account in accounts:
        keys = find_keys(sources, venue, account)
        if keys is None:
            missing.append(f"{venue}/{account}")
        else:
            found[venue] = keys
    if missing:
        places = ", ".join(source.name for source in sources)
        raise KeyStoreError(
            f"no API keys for {', '.join(missing)} (looked in: {places}); "
            "do: zvt-trading keys set VENUE --account NAME"
        )
    return found


def check_account(venue: str, account: str) -> None:
    """KeyStoreError unless these can name keys."""
    if venue not in VENUES:
        raise KeyStoreError(f"no venue {venue!r}; there is: {', '.join(VENUES)}")
    if re.fullmatch(ACCOUNT, account) is None:
        raise KeyStoreError(
            f"no account can be called {account!r}: a letter, then letters, digits and _, "
            "all small, at most 32"
        )


def secrets_in(env: Mapping[str, str]) -> list[str]:
    """The values of variables of ours that are secret, whoever they are for."""
    prefixes = tuple(f"{PREFIX}{part}_" for part in ("KEY", "SECRET", "PASSWORD"))
    return [
        value
        for name, value in env.items()
        if name.upper().startswith(prefixes) or name.upper() == PASSPHRASE_VARIABLE
    ]


def environment() -> dict[str, str]:
    """The process's environment as it is now."""
    return dict(os.environ)


def _parts(name: str) -> tuple[str, str, str]:
    return name.partition("/")
