"""`zvt-trading keys ...`: where keys go, and that nobody sees them."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from keyring.backends import fail
from typer.testing import CliRunner, Result

from settings_world import KEY, PASSPHRASE, PASSWORD, PEM, SECRET, MemoryKeyring, system_keyring
from zvt_trading.adapters.settings.key_file import KeyFile
from zvt_trading.adapters.settings.keys import KeyringKeys
from zvt_trading.cli.keys import INPUT_LENGTH_MAX
from zvt_trading.cli.main import app

LINES = f"{KEY}\n{SECRET}\n"
WAIT_SECONDS = 60


@pytest.fixture(autouse=True)
def backend() -> Iterator[MemoryKeyring]:
    """The system's keyring while a test runs."""
    made = MemoryKeyring()
    with system_keyring(made):
        yield made


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment with a file of keys of its own; it is not there yet."""
    return {
        "COLUMNS": "80",
        "ZVT_TRADING_KEYS_FILE": str(tmp_path / "keys.json"),
        "ZVT_TRADING_KEYS_PASSPHRASE": PASSPHRASE,
    }


def call(env: Mapping[str, str | None], *arguments: str, given: str = "") -> Result:
    """Run `zvt-trading keys`; what it prints never has a secret in it."""
    result = CliRunner().invoke(app, ["keys", *arguments], input=given, env=env)
    for secret in (KEY, SECRET, PASSWORD, PASSPHRASE):
        assert secret not in result.output
    return result


def listed(env: Mapping[str, str | None]) -> list[tuple[str, str, str, bool]]:
    """What `keys list` says to a program."""
    found = json.loads(call(env, "list", "--json").stdout)["keys"]
    return [(row["venue"], row["account"], row["where"], row["is_used"]) for row in found]


def test_keys_go_into_the_keyring(env: dict[str, str], backend: MemoryKeyring) -> None:
    """From stdin, a line each; what is said has the end of the key only."""
    result = call(env, "set", "binance", "--account", "main", given=LINES)
    assert f"binance/main: key ...{KEY[-4:]} is in the keyring\n" == result.stderr
    found = KeyringKeys(backend).find("binance", "main")
    assert found is not None
    assert (KEY, SECRET) == found.values()


def test_keys_go_into_the_file_with_file(env: dict[str, str], backend: MemoryKeyring) -> None:
    """And not into the keyring."""
    result = call(env, "set", "okx", "--file", given=f"{LINES}{PASSWORD}\n")
    assert 0 == result.exit_code, result.output
    found = KeyFile(Path(env["ZVT_TRADING_KEYS_FILE"]), lambda: PASSPHRASE).find("okx", "default")
    assert found is not None
    assert (KEY, SECRET, PASSWORD) == found.values()
    assert {} == backend.kept


@pytest.mark.parametrize(
    ("key", "secret"), [("name", "privateKey"), ("apiKey", "secret"), ("key", "api_secret")]
)
def test_a_file_that_the_venue_gave_out_is_read(
    env: dict[str, str], backend: MemoryKeyring, key: str, secret: str
) -> None:
    """Coinbase's is JSON with a PEM in it."""
    result = call(env, "set", "coinbase", given=json.dumps({key: KEY, secret: PEM + "\n", "x": 1}))
    assert 0 == result.exit_code, result.output
    found = KeyringKeys(backend).find("coinbase", "default")
    assert found is not None
    assert (KEY, PEM) == found.values()


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (("set", "kraken"), LINES, "no venue 'kraken'; there is: binance, okx, bybit, coinbase"),
        (("set", "okx", "--account", "A"), LINES, "no account can be called 'A'"),
        (("set", "okx"), LINES, "okx: its keys have a passphrase, which is missing"),
        (("set", "binance"), "", "stdin has 0 lines; give the API key, the secret and, for OKX"),
        (("set", "binance"), KEY, "stdin has 1 lines; "),
        (("set", "binance"), "a\nb\nc\nd\n", "stdin has 4 lines; "),
        (("set", "binance"), "{" + SECRET, "stdin begins like JSON, and is none"),
        (("set", "binance"), '{"key": "k"}', "stdin: the JSON needs a key (key, apiKey, "),
        (("set", "binance"), "x" * (INPUT_LENGTH_MAX + 1), "stdin has more than 20000 charact"),
        (("set", "binance"), f"{KEY} {SECRET}\nx", "binance: the key must be 1 to "),
        (("remove", "binance"), "", "no keys of binance/default in the keyring; see: keys list"),
        (("remove", "binance", "--file"), "", "no keys of binance/default in the file "),
    ],
)
def test_what_cannot_be_done_is_said(
    env: dict[str, str], arguments: tuple[str, ...], given: str, said: str
) -> None:
    """In one line on stderr, and with exit code 2."""
    result = call(env, *arguments, given=given)
    assert 2 == result.exit_code
    assert result.stderr.startswith(f"zvt-trading: {said}")
    assert 1 == result.stderr.count("\n")


def test_a_secret_is_no_argument(env: dict[str, str]) -> None:
    """Others on the machine can read command lines."""
    assert 2 == call(env, "set", "binance", "k", "s").exit_code


def test_without_a_keyring_the_file_is_offered(env: dict[str, str]) -> None:
    """Servers have none."""
    with system_keyring(fail.Keyring()):  # type: ignore[no-untyped-call]  # keyring has no types
        result = call(env, "set", "binance", given=LINES)
    assert 2 == result.exit_code
    assert "this system has no keyring; keep the keys in an encrypted file" in result.stderr


def test_the_list_says_where_keys_are_and_which_are_used(env: dict[str, str]) -> None:
    """The first place that has them counts."""
    call(env, "set", "binance", given=LINES)
    call(env, "set", "binance", "--file", given=LINES)
    call(env, "set", "bybit", "--file", given=LINES)
    more = env | {"ZVT_TRADING_KEY_BYBIT": "k", "ZVT_TRADING_KEY_OKX_A": "k"}
    file = f"file {env['ZVT_TRADING_KEYS_FILE']}"
    assert [
        ("binance", "default", "keyring", True),
        ("binance", "default", file, False),
        ("bybit", "default", file, True),
        ("bybit", "default", "environment", False),
        ("okx", "a", "environment", True),
    ] == listed(more)


def test_the_list_for_people_is_a_table(env: dict[str, str]) -> None:
    """With yes and no."""
    call(env, "set", "binance", given=LINES)
    shown = call(env, "list").stdout
    assert ["venue", "account", "where", "is", "used"] == shown.split()[:5]
    assert ["binance", "default", "keyring", "yes"] == shown.split()[-4:]


def test_an_empty_list_says_what_to_do(env: dict[str, str]) -> None:
    """On stderr; nothing is wrong."""
    result = call(env, "list")
    assert (0, "") == (result.exit_code, result.stdout)
    assert "put some away with: zvt-trading keys set VENUE" in result.stderr


@pytest.mark.parametrize("where", [(), ("--file",)])
def test_removed_keys_are_gone(env: dict[str, str], where: tuple[str, ...]) -> None:
    """From where they were put."""
    call(env, "set", "binance", *where, given=LINES)
    assert 0 == call(env, "remove", "binance", *where).exit_code
    assert [] == listed(env)


def test_a_locked_file_is_an_error_where_nobody_can_type(env: dict[str, str]) -> None:
    """Not an empty list."""
    call(env, "set", "binance", "--file", given=LINES)
    result = call(env | {"ZVT_TRADING_KEYS_PASSPHRASE": None}, "list")
    assert 2 == result.exit_code
    assert "give its passphrase in ZVT_TRADING_KEYS_PASSPHRASE" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_at_a_terminal_secrets_are_typed_unseen(tmp_path: Path) -> None:
    """Asked for one by one, with the passphrase of a new file twice; none of them is echoed."""
    path = tmp_path / "keys.json"
    typed = {
        "API key: ": KEY,
        "API secret: ": SECRET,
        "Passphrase of the API key: ": PASSWORD,
        "Passphrase of the keys' file: ": PASSPHRASE,
        "Repeat for confirmation: ": PASSPHRASE,
    }
    code, shown = at_terminal(["set", "okx", "--file"], typed, {"ZVT_TRADING_KEYS_FILE": str(path)})
    assert 0 == code, shown
    for secret in typed.values():
        assert secret not in shown
    found = KeyFile(path, lambda: PASSPHRASE).find("okx", "default")
    assert found is not None
    assert (KEY, SECRET, PASSWORD) == found.values()


def at_terminal(
    arguments: list[str], typed: Mapping[str, str], env: Mapping[str, str]
) -> tuple[int, str]:
    """Run the command on a terminal of its own and answer its prompts; (exit code, all shown)."""
    import pty  # Windows has none

    ours, theirs = pty.openpty()
    code = "from zvt_trading.cli.main import app; app()"
    command = [sys.executable, "-c", code, "keys", *arguments]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | env,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown, waiting = "", dict(typed)
    try:
        while select.select([ours], [], [], WAIT_SECONDS)[0]:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux: the other end is closed
                break
            if not part:
                break
            shown += part.decode()
            asked = next((prompt for prompt in waiting if shown.endswith(prompt)), None)
            if asked is not None:
                os.write(ours, waiting.pop(asked).encode() + b"\n")
        return process.wait(WAIT_SECONDS), shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)
