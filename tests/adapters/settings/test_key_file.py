"""The encrypted file of API keys: what is in it, who may read it, what is damage."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from settings_world import KEY, PASSPHRASE, PASSWORD, SECRET
from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.errors import KeyStoreError
from zvt_trading.adapters.settings.key_file import COST, KeyFile

QUICK = 2**4
"""scrypt's cost in tests: what is tried here does not depend on it."""

ON_POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")


def opened(path: Path, passphrase: str | None = PASSPHRASE) -> KeyFile:
    """The file as another process would open it."""
    return KeyFile(path, lambda: passphrase, cost=QUICK)


def keys(venue: str = "binance", account: str = "main") -> Credentials:
    return Credentials(venue, account, KEY, SECRET, PASSWORD if venue == "okx" else "")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where no file is, in a folder that is not there yet."""
    return tmp_path / "new" / "keys.json"


@pytest.fixture
def filled(path: Path) -> Path:
    """A file with the keys of two accounts."""
    file = opened(path)
    file.save(keys())
    file.save(keys("okx", "default"))
    return path


def test_what_was_saved_is_found_by_the_next_process(filled: Path) -> None:
    """Whole, and with the place it is from."""
    found = opened(filled).find("okx", "default")
    assert found is not None
    assert (KEY, SECRET, PASSWORD) == found.values()
    assert f"file {filled}" == found.source


def test_names_are_listed(filled: Path) -> None:
    """Sorted."""
    assert [("binance", "main"), ("okx", "default")] == opened(filled).names()


def test_an_account_that_is_not_in_it_is_not_found(filled: Path) -> None:
    """That is None, not an error."""
    assert None is opened(filled).find("binance", "default")


def test_no_file_is_no_keys_and_asks_for_nothing(path: Path) -> None:
    """Who keeps keys elsewhere is not asked for a passphrase."""
    file = opened(path, None)
    assert (None, [], False, "") == (
        file.find("okx", "default"),
        file.names(),
        file.remove("okx", "default"),
        file.problem(),
    )


def test_the_passphrase_is_asked_for_once(filled: Path) -> None:
    """However many keys are read and saved."""
    asked: list[str] = []

    def ask() -> str:
        asked.append("once")
        return PASSPHRASE

    file = KeyFile(filled, ask, cost=QUICK)
    file.find("okx", "default")
    file.find("binance", "main")
    file.save(keys("bybit"))
    assert ["once"] == asked


def test_saving_again_replaces(filled: Path) -> None:
    """The old key is gone."""
    opened(filled).save(Credentials("binance", "main", "another-key", "another-secret"))
    found = opened(filled).find("binance", "main")
    assert found is not None
    assert ("another-key", "another-secret") == found.values()


def test_removing_leaves_the_others(filled: Path) -> None:
    """And says whether there was something."""
    assert opened(filled).remove("binance", "main")
    assert not opened(filled).remove("binance", "main")
    assert [("okx", "default")] == opened(filled).names()


def test_nothing_in_the_file_can_be_read(filled: Path) -> None:
    """Not even which venues have keys."""
    content = filled.read_text()
    for text in (KEY, SECRET, PASSWORD, PASSPHRASE, "binance", "okx"):
        assert text not in content


def test_the_same_keys_are_never_sealed_the_same_way(filled: Path) -> None:
    """Salt and nonce are new with each write: the key stream must not come twice."""
    before = json.loads(filled.read_text())
    opened(filled).save(keys())
    after = json.loads(filled.read_text())
    for name in ("salt", "nonce", "sealed"):
        assert before[name] != after[name]


def test_the_usual_cost_is_what_is_advised(path: Path) -> None:
    """N = 2^17 with r = 8, p = 1, and the file says so."""
    KeyFile(path, lambda: PASSPHRASE).save(keys())
    assert 2**17 == COST == json.loads(path.read_text())["n"]
    assert None is not opened(path).find("binance", "main")


# Who may read it.


@ON_POSIX
def test_only_the_owner_may_read_it(filled: Path) -> None:
    """Whatever the umask is; its folder too."""
    assert 0o600 == filled.stat().st_mode & 0o777
    assert 0 == filled.parent.stat().st_mode & 0o077


@ON_POSIX
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_may_use_is_refused(filled: Path, mode: int) -> None:
    """With the command that mends it."""
    filled.chmod(mode)
    with pytest.raises(KeyStoreError, match=f"has mode {mode:04o}: others may read it; do: chmod"):
        opened(filled).find("okx", "default")
    assert "chmod 600" in opened(filled).problem()


@pytest.mark.parametrize("use", [lambda file: file.names(), lambda file: file.save(keys())])
def test_without_a_passphrase_it_says_where_to_give_one(
    filled: Path, use: Callable[[KeyFile], object]
) -> None:
    """Nobody is there to type it: that is an error, not "no keys"."""
    with pytest.raises(KeyStoreError, match="give its passphrase in ZVT_TRADING_KEYS_PASSPHRASE"):
        use(opened(filled, None))


def test_a_wrong_passphrase_opens_nothing(filled: Path) -> None:
    """And is not shown."""
    with pytest.raises(KeyStoreError, match="the passphrase is wrong, or the file was ch") as error:
        opened(filled, "another passphrase").names()
    assert "another" not in str(error.value)


def test_a_short_passphrase_is_refused(path: Path) -> None:
    """Before a file is made with it."""
    with pytest.raises(KeyStoreError, match="a passphrase of 11 characters is too short; at leas"):
        opened(path, "x" * 11).save(keys())
    assert not path.exists()


# Damage.

DAMAGE: list[Callable[[dict[str, Any]], object]] = [
    lambda whole: whole.update(sealed="QUJD"),
    lambda whole: whole.update(salt="QUJD"),
    lambda whole: whole.update(n=QUICK * 2),
    lambda whole: whole.update(nonce="QUJDREVGR0hJSktM"),
    lambda whole: whole.update(comment="new"),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_was_changed_is_found(
    filled: Path, damage: Callable[[dict[str, Any]], object]
) -> None:
    """The seal covers the header too."""
    whole = json.loads(filled.read_text())
    damage(whole)
    filled.write_text(json.dumps(whole))
    with pytest.raises(KeyStoreError, match="the passphrase is wrong, or the file was changed"):
        opened(filled).names()


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole.update(format="other"),
        lambda whole: whole.update(version=2),
        lambda whole: whole.update(kdf="md5"),
        lambda whole: whole.update(n=2**21),
        lambda whole: whole.update(n=3),
        lambda whole: whole.update(n="2"),
        lambda whole: whole.update(nonce="QUJD"),
        lambda whole: whole.update(sealed="*"),
        lambda whole: whole.pop("salt"),
    ],
)
def test_what_is_not_ours_is_not_tried(
    filled: Path, damage: Callable[[dict[str, Any]], object]
) -> None:
    """A cost of gigabytes least of all."""
    whole = json.loads(filled.read_text())
    damage(whole)
    filled.write_text(json.dumps(whole))
    with pytest.raises(KeyStoreError, match="is no file of keys, or it is damaged"):
        opened(filled).names()


@pytest.mark.parametrize("content", [b"", b"hunter2", b"[]", b"\xff", b"{}"])
def test_another_file_is_named(filled: Path, content: bytes) -> None:
    """Its content is not shown."""
    filled.write_bytes(content)
    with pytest.raises(KeyStoreError, match="is no file of keys, or it is damaged"):
        opened(filled).names()


def test_a_write_that_fails_leaves_the_old_file(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are not lost because a disk is full."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = filled.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            opened(filled).save(keys("bybit"))
    assert before == filled.read_bytes()
    assert [filled] == list(filled.parent.iterdir())
