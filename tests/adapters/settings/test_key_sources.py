"""Keyring, file, environment: which of them counts, and what is an error."""

import json
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringError, KeyringLocked, PasswordDeleteError

from settings_world import KEY, PASSPHRASE, PASSWORD, SECRET, MemoryKeyring, system_keyring
from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.errors import KeyStoreError
from zvt_trading.adapters.settings.keys import (
    SERVICE,
    EnvironmentKeys,
    KeyringKeys,
    check_account,
    find_keys,
    key_file,
    key_sources,
    require_keys,
    secrets_in,
)


def nobody() -> None:
    """Nobody can be asked for a passphrase."""


def binance(key: str = KEY, account: str = "default") -> Credentials:
    return Credentials("binance", account, key, SECRET)


class LockedKeyring(MemoryKeyring):
    """The user does not unlock it."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"{service} {username}")


class FullKeyring(MemoryKeyring):
    """It takes no more (Windows: nothing long)."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringError(f"{service} {username}: cannot keep {password}")


def no_keyring() -> KeyringBackend:
    """What keyring gives where the system has none."""
    return fail.Keyring()  # type: ignore[no-untyped-call]  # keyring's has no types


# The keyring.


def test_a_keyring_gives_back_what_was_saved() -> None:
    """Through the backend's own store."""
    backend = MemoryKeyring()
    KeyringKeys(backend).save(binance())
    found = KeyringKeys(backend).find("binance", "default")
    assert found is not None
    assert ((KEY, SECRET), "keyring") == (found.values(), found.source)


def test_a_keyring_lists_what_we_put_there() -> None:
    """Keyrings cannot list; ours has an index, which follows what is saved and removed."""
    keyring = KeyringKeys(MemoryKeyring())
    assert [] == keyring.names()
    keyring.save(binance(account="b"))
    keyring.save(binance(account="a"))
    keyring.save(binance(account="a"))
    assert [("binance", "a"), ("binance", "b")] == keyring.names()
    assert keyring.remove("binance", "a")
    assert not keyring.remove("binance", "a")
    assert [("binance", "b")] == keyring.names()


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring])
def test_a_system_without_a_keyring_has_no_keys_in_it(
    backend: type[fail.Keyring | null.Keyring],
) -> None:
    """CI and servers have none; the other places are looked at then."""
    keyring = KeyringKeys(backend())
    assert (None, []) == (keyring.find("binance", "default"), keyring.names())
    assert not keyring.remove("binance", "default")


def test_without_a_keyring_saving_says_what_else_there_is() -> None:
    """The encrypted file."""
    keyring = KeyringKeys(no_keyring())
    with pytest.raises(KeyStoreError, match=r"this system has no keyring; .* --file"):
        keyring.save(binance())


def test_a_locked_keyring_is_not_an_empty_one() -> None:
    """Other keys must not be used because somebody did not unlock it."""
    sources = (KeyringKeys(LockedKeyring()), EnvironmentKeys(of_binance()))
    with pytest.raises(KeyStoreError, match=r"cannot be read \(KeyringLocked\): unlock it"):
        find_keys(sources, "binance", "default")


def test_a_keyring_that_refuses_says_so_without_the_secret() -> None:
    """Its own message may have it."""
    keyring = KeyringKeys(FullKeyring())
    with pytest.raises(KeyStoreError, match="did not take it") as caught:
        keyring.save(binance())
    assert SECRET not in str(caught.value)
    assert None is caught.value.__cause__


def test_a_damaged_index_is_named() -> None:
    """Somebody edited the keyring."""
    backend = MemoryKeyring()
    backend.set_password(SERVICE, "index", "{")
    with pytest.raises(KeyStoreError, match="the entry zvt-trading/index is damaged: delete it"):
        KeyringKeys(backend).names()


class StubbornKeyring(MemoryKeyring):
    """It does not let go."""

    def delete_password(self, service: str, username: str) -> None:
        raise PasswordDeleteError(f"{service} {username}")


def test_a_keyring_that_does_not_let_go_says_so() -> None:
    """Nobody must believe that the keys are gone."""
    keyring = KeyringKeys(StubbornKeyring())
    keyring.save(binance())
    with pytest.raises(KeyStoreError, match="the keyring did not let go of binance/default"):
        keyring.remove("binance", "default")
    assert [("binance", "default")] == keyring.names()


# The environment.


def of_binance(**more: str) -> dict[str, str]:
    return {"ZVT_TRADING_KEY_BINANCE": KEY, "ZVT_TRADING_SECRET_BINANCE": SECRET} | more


def test_the_environment_has_a_variable_a_part() -> None:
    """The default account's have no name behind."""
    env = {
        "ZVT_TRADING_KEY_OKX": KEY,
        "ZVT_TRADING_SECRET_OKX": SECRET,
        "ZVT_TRADING_PASSWORD_OKX": PASSWORD,
        "ZVT_TRADING_KEY_BINANCE_SUB_1": "k",
        "ZVT_TRADING_SECRET_BINANCE_SUB_1": "s",
    }
    source = EnvironmentKeys(env)
    okx, sub = source.find("okx", "default"), source.find("binance", "sub_1")
    assert okx is not None
    assert sub is not None
    assert ((KEY, SECRET, PASSWORD), ("k", "s")) == (okx.values(), sub.values())
    assert None is source.find("binance", "default")
    assert [("binance", "sub_1"), ("okx", "default")] == source.names()


@pytest.mark.parametrize("part", ["KEY", "SECRET"])
def test_half_a_key_in_the_environment_is_an_error(part: str) -> None:
    """It names both variables, and no value."""
    source = EnvironmentKeys({f"ZVT_TRADING_{part}_BINANCE": "hunter2"})
    with pytest.raises(KeyStoreError, match=f"{part}_BINANCE is given without") as caught:
        source.find("binance", "default")
    assert "hunter2" not in str(caught.value)


def test_all_that_is_secret_in_the_environment_is_known_to_redaction() -> None:
    """Also of venues that are not traded, and the passphrase of the file."""
    env = of_binance() | {
        "ZVT_TRADING_KEYS_PASSPHRASE": "p",
        "ZVT_TRADING_KEYS_FILE": "f",
        "OTHER": "o",
    }
    assert [KEY, SECRET, "p"] == secrets_in(env)


# All of them.


def test_the_keyring_comes_before_the_file_and_the_file_before_the_environment(
    tmp_path: Path,
) -> None:
    """Each is used when those before it have nothing."""
    env = of_binance(
        ZVT_TRADING_KEYS_FILE=str(tmp_path / "keys.json"), ZVT_TRADING_KEYS_PASSPHRASE=PASSPHRASE
    )
    order = []
    with system_keyring(MemoryKeyring()):
        for place in (None, key_file(env, nobody), KeyringKeys()):
            if place is not None:
                place.save(binance(place.name.partition(" ")[0]))
            found = find_keys(key_sources(env, nobody), "binance", "default")
            order.append(found.key if found is not None else "")
    assert [KEY, "file", "keyring"] == order


def test_a_file_that_cannot_be_opened_is_not_passed_over(tmp_path: Path) -> None:
    """The keys of the environment may be old ones."""
    env = of_binance(ZVT_TRADING_KEYS_FILE=str(tmp_path / "keys.json"))
    key_file(env | {"ZVT_TRADING_KEYS_PASSPHRASE": PASSPHRASE}, nobody).save(binance())
    with system_keyring(no_keyring()):
        sources = key_sources(env, nobody)
        with pytest.raises(KeyStoreError, match="is encrypted: give its passphrase"):
            find_keys(sources, "binance", "default")


def test_required_keys_come_by_venue() -> None:
    """Every account's own."""
    env = of_binance() | {"ZVT_TRADING_KEY_BYBIT_A": "k", "ZVT_TRADING_SECRET_BYBIT_A": "s"}
    found = require_keys([EnvironmentKeys(env)], [("binance", "default"), ("bybit", "a")])
    assert {"binance": (KEY, SECRET), "bybit": ("k", "s")} == {
        venue: keys.values() for venue, keys in found.items()
    }


def test_all_keys_that_are_missing_are_named_at_once() -> None:
    """With where they were looked for."""
    sources = (KeyringKeys(MemoryKeyring()), EnvironmentKeys({}))
    with pytest.raises(KeyStoreError) as caught:
        require_keys(sources, [("okx", "a"), ("bybit", "default")])
    said = str(caught.value)
    assert said.startswith("no API keys for okx/a, bybit/default (looked in: keyring, environment)")


@pytest.mark.parametrize(
    ("venue", "account", "said"),
    [
        ("kraken", "default", "no venue 'kraken'; there is: binance, okx, bybit, coinbase"),
        ("okx", "A", "no account can be called 'A'"),
        ("okx", "a-b", "no account can be called 'a-b'"),
        ("okx", "a/b", "no account can be called 'a/b'"),
        ("okx", "", "no account can be called ''"),
    ],
)
def test_names_that_no_key_can_have_are_refused(venue: str, account: str, said: str) -> None:
    """They would be looked for in vain, or name another entry."""
    with pytest.raises(KeyStoreError, match=said):
        check_account(venue, account)


def test_an_entry_of_the_keyring_that_is_no_key_is_an_error() -> None:
    """Not "no keys"."""
    backend = MemoryKeyring()
    backend.set_password(SERVICE, "binance/default", json.dumps({"key": "k"}))
    with pytest.raises(KeyStoreError, match="keyring: what is kept for binance/default is no API"):
        find_keys([KeyringKeys(backend)], "binance", "default")
