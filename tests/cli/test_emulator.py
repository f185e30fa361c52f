"""`zvt-trading emulator`: what it says and writes, what it refuses, how it ends."""

import json
import signal
import socket
import tomllib
from pathlib import Path
from urllib.request import urlopen

import pytest
from command_process import command
from typer.testing import CliRunner

from zvt_trading.adapters.settings.loading import load
from zvt_trading.adapters.settings.model import Mode
from zvt_trading.cli.main import app
from zvt_trading.emulator.handing_out import config_text, is_ours, write_keys
from zvt_trading.emulator.keys import new_key


def refused(*arguments: str) -> str:
    """Why it does not start, in one line, with exit code 2."""
    result = CliRunner().invoke(app, ["emulator", *arguments])
    assert 2 == result.exit_code, result.output
    return result.stderr.splitlines()[-1].removeprefix("zvt-trading: ")


@pytest.mark.parametrize("given", ["kraken", "okx,kraken", "okx,okx", ",", ""])
def test_only_exchanges_that_there_are(given: str) -> None:
    """Each once; the message has what is allowed."""
    allowed = "one or more of binance, okx, bybit, coinbase, each once, with commas"
    expected = f"--exchange {given!r}: {allowed}"
    assert expected == refused("--exchange", given)


def test_ports_must_exist() -> None:
    """The last exchange's too."""
    assert refused("--port", "65535", "--exchange", "okx,bybit").startswith(
        "--port 65535: 2 exchanges need ports up to 65535"
    )


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """Is said, and nothing is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = refused("--exchange", "okx", "--tls-port", port, "--folder", str(tmp_path / "own"))
    assert said.startswith("cannot listen: ")
    assert said.endswith("choose other ports")


def test_a_config_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    """Its own from before is."""
    theirs, ours = tmp_path / "theirs.toml", tmp_path / "ours.toml"
    theirs.write_text("mode = 'live'\n")
    assert refused("--config", str(theirs)).endswith(
        "is there already and not one of ours: name another"
    )
    assert "mode = 'live'\n" == theirs.read_text()
    ours.write_text(config_text({"okx": ("BTC/USDT",)}, 1, Path("ca.pem"), Path("x.db")))
    assert [False, True, True] == [is_ours(path) for path in (theirs, ours, tmp_path / "none")]


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    """Also where a file of that name was readable by all before."""
    for name in ("keys.json", "keys.env"):
        (tmp_path / name).write_text("old")
        (tmp_path / name).chmod(0o644)
    keys = {"okx": new_key("okx"), "coinbase": new_key("coinbase")}
    files = write_keys(tmp_path, keys)
    assert [0o600, 0o600] == [path.stat().st_mode & 0o777 for path in files]
    said = json.loads(files[0].read_text())
    assert keys["okx"].passphrase == said["okx"]["password"]
    assert keys["coinbase"].secret == said["coinbase"]["secret"]


def test_the_config_can_be_used(tmp_path: Path) -> None:
    """For both modes; paths may have any characters."""
    path, ca_file = tmp_path / "live.toml", tmp_path / 'a "b" \\ c.pem'
    symbols = {"okx": ("BTC/USDT", "BTC/USDT:USDT"), "coinbase": ("BTC/USDT",)}
    path.write_text(config_text(symbols, 8443, ca_file, tmp_path / "x.db"), encoding="utf-8")
    settings = load(path, {})
    assert (Mode.LIVE, symbols["okx"]) == (settings.mode, settings.venues["okx"].symbols)
    assert ("127.0.0.1:8443", ca_file) == (
        settings.venues["okx"].endpoint,
        settings.venues["okx"].ca_file,
    )
    assert Mode.PAPER == settings.for_mode(Mode.PAPER).mode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """It says where everything is, and no secret; the admin port answers meanwhile."""
    config = tmp_path / "live.toml"
    arguments = ["--exchange", "okx,bybit", "--folder", "own", "--config", str(config), "--quiet"]
    arguments += ["--history-minutes", "1"]
    with command("emulator", *arguments, folder=tmp_path) as process:
        said = process.wait_for("Ctrl-C ends it.")
        [admin] = [line.split()[1] for line in said.splitlines() if line.startswith("admin")]
        with urlopen(admin) as answer:  # noqa: S310 - our own address on loopback
            assert {"okx", "bybit"} == set(json.load(answer))
        process.signal(number)
        assert 0 == process.finish()
    keys = json.loads((tmp_path / "own" / "keys.json").read_text())
    secrets = [value for row in keys.values() for value in row.values() if value]
    assert [] == [value for value in secrets if value in said]
    assert {"okx", "bybit"} == set(tomllib.loads(config.read_text())["venues"])
    assert f". {tmp_path / 'own' / 'keys.env'}" in said


def test_without_a_folder_nothing_stays(tmp_path: Path) -> None:
    """Keys, certificates and records are in a folder that is gone at the end."""
    with command("emulator", "--exchange", "okx", folder=tmp_path) as process:
        said = process.wait_for("Ctrl-C ends it.")
        [keys] = [line.split()[1] for line in said.splitlines() if line.startswith("keys")]
        assert Path(keys).is_file()
        process.signal(signal.SIGINT)
        assert 0 == process.finish()
    assert not Path(keys).parent.exists()
