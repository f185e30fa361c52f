"""As a user: an emulator, `doctor`, `run` live and paper, Ctrl-C, a kill, and once more.

Everything is done by the commands themselves, as processes; the keys come by the environment.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from command_process import CommandProcess, command
from typer.testing import CliRunner

from live_run_world import live_run_world
from settings_world import MemoryKeyring, logging_as_before, system_keyring
from zvt_trading import live_runs
from zvt_trading.adapters.settings.model import Mode
from zvt_trading.bootstrap import stored_memory
from zvt_trading.cli.main import app
from zvt_trading.emulator.keys import new_key
from zvt_trading.runtime.numbers import to_decimal

TRADER = """
from zvt_trading.strategies import Strategy

class Trader(Strategy):
    '''Buys and sells a little all the time, and always has an order resting.'''

    last = 0
    side = "buy"

    def on_start(self):
        self.resting = {}

    def on_quote(self, quote):
        if not quote.bid or not quote.ask or quote.ts - self.last < 250_000_000:
            return
        self.last = quote.ts
        venue, symbol = quote.instrument.split(":", 1)
        if symbol != "BTC/USDT":
            return
        terms = {"exchange": venue}
        self.context.place(symbol, self.side, "0.002", **terms)
        self.side = "sell" if self.side == "buy" else "buy"
        if venue not in self.resting:
            terms |= {"order_type": "limit", "price": "59000"}
            self.resting[venue] = self.context.place(symbol, "buy", "0.003", **terms)
"""

LIVE = ("--confirm-live",)


class Desk:
    """What a user has: a folder with the emulator's files, a config, and a shell."""

    def __init__(self, folder: Path, emulator: CommandProcess) -> None:
        self.folder = folder
        self.config = folder / "live.toml"
        self.heard: list[str] = []  # all that was ever printed
        said = emulator.wait_for("Ctrl-C ends it.")
        self.heard.append(said)
        [self.admin] = [
            line.split()[1].removesuffix("/exchanges")
            for line in said.splitlines()
            if line.startswith("admin")
        ]
        text = self.config.read_text(encoding="utf-8")
        head, _, _ = text.partition("[strategies.maker]")
        strategy = f'[strategies.trader]\nclass = "{folder / "trader.py"}:Trader"\n'
        (folder / "trader.py").write_text(TRADER, encoding="utf-8")
        self.config.write_text(head + strategy, encoding="utf-8")

    def call(self, *arguments: str, **env: str) -> tuple[int, str]:
        """A command to its end: exit code, and what it said."""
        with self.begun(*arguments, **env) as process:
            code = process.finish()
            self.heard.append(process.said)
            return code, process.said

    def begun(self, *arguments: str, **env: str) -> AbstractContextManager[CommandProcess]:
        """A command that runs as long as the block."""
        full = [arguments[0], "-c", str(self.config), *arguments[1:]]
        return command(*full, folder=self.folder, keys=self.folder / "own" / "keys.env", env=env)

    def runs_until(self, text: str, times: int, *arguments: str, **env: str) -> str:
        """`run` until it has said this so often; then Ctrl-C, and exit code 0."""
        with self.begun("run", *arguments, **env) as process:
            process.wait_for(text, times)
            process.signal(signal.SIGINT)
            code = process.finish()
            self.heard.append(process.said)
            assert 0 == code, process.said
            return process.said

    def asked(self, path: str) -> Any:
        """What the exchange's panel says."""
        with urlopen(f"{self.admin}/{path}") as answer:  # noqa: S310 - our own, on loopback
            return json.load(answer)

    def at_venue(self, name: str) -> dict[str, Decimal]:
        """What the account there has in all; nothing may be tied up by an order."""
        found = self.asked(f"{name}/balances?account=default")
        assert [] == [asset for asset, row in found.items() if Decimal(row["locked"])]
        return {asset: Decimal(row["total"]) for asset, row in found.items()}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    config = tmp_path / "live.toml"
    arguments = ["--exchange", "okx,coinbase", "--folder", "own", "--config", str(config)]
    with command("emulator", *arguments, folder=tmp_path) as emulator:
        yield Desk(tmp_path, emulator)
        emulator.signal(signal.SIGINT)
        assert 0 == emulator.finish()


def in_store(url: str) -> dict[str, dict[str, Decimal]]:
    """By venue, what the portfolio has by its own books."""
    memory = stored_memory(url)
    found: dict[str, dict[str, Decimal]] = {}
    try:
        state = memory.core.state
        for one in state.portfolios["default"].balances:
            total = to_decimal(one.total, state.asset_scales[one.asset])
            found.setdefault(one.venue, {})[one.asset] = total
    finally:
        memory.close()
    return found


def url_of(desk: Desk) -> str:
    [line] = [row for row in desk.config.read_text().splitlines() if row.startswith("db_url")]
    return line.split('"')[1]


def test_a_user_tries_it_all(desk: Desk) -> None:
    """Doctor is content; live runs trade, stop, are killed and recover; no secret is anywhere."""
    code, said = desk.call("doctor")
    assert 0 == code, said
    assert 2 == said.count("the keys can trade and not withdraw")

    said = desk.runs_until("status", 2, *LIVE)
    assert "open_orders=0" in said.splitlines()[-1]

    with desk.begun("run", *LIVE) as process:
        process.wait_for("status", 2)
        process.signal(signal.SIGKILL)
        assert -signal.SIGKILL == process.finish()
        desk.heard.append(process.said)
    desk.runs_until("status", 2, *LIVE)
    books = in_store(url_of(desk))
    assert {name: desk.at_venue(name) for name in ("okx", "coinbase")} == books
    fills = [row for row in desk.asked("okx/record") if row["kind"] == "fill"]
    assert len(fills) >= 3  # one in each life at least

    before = desk.at_venue("okx")
    paper = {"ZVT_TRADING_DB_URL": f"sqlite:///{desk.folder / 'paper.db'}"}
    desk.runs_until("status", 2, "--mode", "paper", **paper)
    assert before == desk.at_venue("okx")
    code, said = desk.call("doctor", "--mode", "paper")
    assert (1, True) == (code, "is for live trading: coinbase (testnet)" in said)
    code, said = desk.call("run", "--mode", "paper")
    assert (2, True) == (code, "is for live trading: coinbase (testnet), okx (testnet)" in said)

    assert_no_secret_is_anywhere(desk)


def assert_no_secret_is_anywhere(desk: Desk) -> None:
    """Neither in what was printed nor in any file but the two that are for it."""
    keys = json.loads((desk.folder / "own" / "keys.json").read_text())
    secrets = [value for row in keys.values() for value in row.values() if value]
    lines = [line for value in secrets for line in value.splitlines() if "-----" not in line]
    assert 6 <= len(lines)
    printed = "".join(desk.heard).encode()
    files = [path for path in desk.folder.rglob("*") if path.is_file()]
    kept = {
        str(path): path.read_bytes() for path in files if path.name not in {"keys.json", "keys.env"}
    }
    assert any(name.endswith(".db") for name in kept)
    for line in lines:
        found = [name for name, content in kept.items() if line.encode() in content]
        assert ([], False) == (found, line.encode() in printed)


@pytest.mark.parametrize(("allowed", "code"), [((), 2), (("--allow-withdraw-keys",), 0)])
def test_keys_that_can_withdraw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: tuple[str, ...], code: int
) -> None:
    """By the exchange's own word: `doctor` fails, and `run` refuses them unless it is told."""
    with live_run_world(tmp_path, "okx") as world, system_keyring(MemoryKeyring()):
        key = new_key("okx", can_withdraw=True)
        world.emulator.houses["okx"].add_key(key)
        world.settings(Mode.LIVE)  # writes the config file
        env = {
            "ZVT_TRADING_DB_URL": world.url,
            "ZVT_TRADING_KEYS_FILE": str(tmp_path / "none.json"),
            "ZVT_TRADING_KEY_OKX": key.key,
            "ZVT_TRADING_SECRET_OKX": key.secret,
            "ZVT_TRADING_PASSWORD_OKX": key.passphrase,
        }
        config = ["-c", str(tmp_path / "config.toml")]
        result = CliRunner().invoke(app, ["doctor", *config], env=env)
        assert 1 == result.exit_code
        assert "the keys can withdraw money: `run` refuses" in " ".join(result.stdout.split())

        # The first status stops it, as Ctrl-C would.
        monkeypatch.setattr(live_runs._Run, "_tell", lambda *_: signal.raise_signal(signal.SIGINT))
        with logging_as_before():
            result = CliRunner().invoke(app, ["run", *config, *LIVE, *allowed], env=env)
        assert code == result.exit_code, result.output
        assert ("withdraw" in result.stderr, code == 0) == (True, "stopped" in result.stderr)
        assert key.secret not in result.output


def test_a_venue_that_is_not_there(desk: Desk) -> None:
    """Exit code 1, and why it cannot be reached, of every venue; `run` does not begin."""
    text = desk.config.read_text(encoding="utf-8")
    [port] = {line.split(":")[1] for line in text.splitlines() if line.startswith("endpoint")}
    desk.config.write_text(text.replace(f":{port}", ':1"'), encoding="utf-8")
    code, said = desk.call("doctor")
    assert 1 == code
    assert 2 == said.count("cannot be reached at 127.0.0.1:1: Connection refused")
    code, said = desk.call("run", *LIVE)
    assert 1 == code
    assert "cannot be reached at 127.0.0.1:1: Connection refused" in said
