"""`zvt-trading run`: what it refuses, what it hands over, how it stops."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from settings_world import (
    KEY,
    SECRET,
    SMALL,
    MemoryKeyring,
    ScriptedParts,
    ScriptedProbe,
    config,
    logging_as_before,
    system_keyring,
)
from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.keys import KeyringKeys
from zvt_trading.adapters.settings.model import Mode, Settings
from zvt_trading.cli import live_session
from zvt_trading.cli.main import app
from zvt_trading.errors import CallerError, EngineError, VenueError
from zvt_trading.ports.store import StoreUnavailableError
from zvt_trading.ports.venue_probe import KeyPermissions

KEYS = {"ZVT_TRADING_KEY_BINANCE": KEY, "ZVT_TRADING_SECRET_BINANCE": SECRET}
CONFIRMED = ("--mode", "live", "--confirm-live")

Keys = Mapping[str, Credentials]


@pytest.fixture(autouse=True)
def _nothing_of_the_user() -> Iterator[None]:
    with system_keyring(MemoryKeyring()), logging_as_before():
        yield


class Run:
    """The command in a folder of its own, on parts made by hand."""

    def __init__(self, folder: Path) -> None:
        self.path = config(folder)
        self.parts = ScriptedParts()
        self.env: dict[str, str | None] = {
            "ZVT_TRADING_DB_URL": f"sqlite:///{folder / 'store.db'}",
            "ZVT_TRADING_KEYS_FILE": str(folder / "keys.json"),
            "COLUMNS": "80",
        }

    def call(self, *arguments: str) -> Result:
        """What it prints never has a secret in it."""
        command = ["run", "-c", str(self.path), *arguments]
        result = CliRunner().invoke(app, command, obj=self.parts, env=self.env)
        assert KEY not in result.output
        assert SECRET not in result.output
        return result

    def refused(self, *arguments: str) -> str:
        """Why nothing is run, in one line, with exit code 2."""
        result = self.call(*arguments)
        assert 2 == result.exit_code, result.output
        assert [] == self.parts.ran
        return result.stderr.splitlines()[-1].removeprefix("zvt-trading: ")

    def venue_says(self, permissions: KeyPermissions | Exception) -> None:
        self.parts.probes["binance"] = ScriptedProbe(permissions_are=permissions)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_paper_needs_no_keys_and_looks_for_none(run: Run) -> None:
    """Not even those that are there are handed over; no venue is asked anything before."""
    run.env |= KEYS
    assert 0 == run.call().exit_code
    [(settings, keys)] = run.parts.ran
    assert (Mode.PAPER, {}, []) == (settings.mode, keys, run.parts.probed)


def test_live_gets_settings_and_keys(run: Run) -> None:
    """Of the venues that are enabled."""
    run.env |= KEYS
    assert 0 == run.call(*CONFIRMED).exit_code
    [(settings, keys)] = run.parts.ran
    assert (Mode.LIVE, ["binance"]) == (settings.mode, list(keys))
    assert (KEY, SECRET) == keys["binance"].values()


def test_keys_come_from_the_account_that_the_config_names(run: Run) -> None:
    """Here from the keyring."""
    run.path.write_text(SMALL + 'account = "main"\n')
    KeyringKeys().save(Credentials("binance", "main", KEY, SECRET))
    assert 0 == run.call(*CONFIRMED).exit_code
    assert "keyring" == run.parts.ran[0][1]["binance"].source


def test_live_must_be_confirmed(run: Run) -> None:
    """Whether the file or the command line wishes it."""
    run.env |= KEYS
    expected = "live trading moves real money: say --confirm-live to mean it"
    assert expected == run.refused("--mode", "live")
    run.path.write_text('mode = "live"\n' + SMALL)
    assert expected == run.refused()


def test_the_command_line_has_the_last_word_on_the_mode(run: Run) -> None:
    """Also for paper."""
    run.path.write_text('mode = "live"\n' + SMALL)
    assert 0 == run.call("--mode", "paper").exit_code
    assert Mode.PAPER == run.parts.ran[0][0].mode


def test_live_without_keys_is_refused(run: Run) -> None:
    """With where they were looked for."""
    assert run.refused(*CONFIRMED).startswith("no API keys for binance/default (looked in: keyring")


def test_live_needs_a_store_that_remembers(run: Run) -> None:
    """An order whose intent is forgotten may be sent twice."""
    run.env |= KEYS | {"ZVT_TRADING_DB_URL": "sqlite:///:memory:"}
    assert "live trading needs a store that remembers: db_url names none" == run.refused(*CONFIRMED)


def test_a_config_that_cannot_be_used_is_refused(run: Run) -> None:
    """With the key path."""
    run.path.write_text(SMALL + "enabeld = true\n")
    assert "venues.binance.enabeld: no such key; allowed: " in run.refused()


def test_another_mode_is_no_mode(run: Run) -> None:
    """What is allowed is said."""
    assert "--mode 'demo' is no mode; allowed: paper, live" == run.refused("--mode", "demo")


# What the keys may do.


@pytest.mark.parametrize(
    ("trade", "withdraw", "said"),
    [
        (True, True, "binance/default: the keys can withdraw money: whoever gets hold of them"),
        (True, None, "binance/default: whether the keys can withdraw, the venue does not say: "),
        (False, False, "binance/default: the keys cannot trade; let them, at the venue"),
    ],
)
def test_keys_that_may_do_the_wrong_things_are_refused(
    run: Run, trade: bool, withdraw: bool | None, said: str
) -> None:
    """Before anything is run with them; what a venue does not say is not taken for harmless."""
    run.env |= KEYS
    run.venue_says(KeyPermissions(can_trade=trade, can_withdraw=withdraw, is_ip_restricted=True))
    assert run.refused(*CONFIRMED).startswith(said)
    assert ["permissions", "close"] == run.parts.probes["binance"].asked


@pytest.mark.parametrize("withdraw", [True, None])
def test_withdraw_keys_can_be_allowed_and_that_is_logged(run: Run, withdraw: bool | None) -> None:
    """It is nobody's oversight then."""
    run.env |= KEYS
    run.venue_says(KeyPermissions(can_trade=True, can_withdraw=withdraw, is_ip_restricted=None))
    result = run.call(*CONFIRMED, "--allow-withdraw-keys")
    assert 0 == result.exit_code
    assert 1 == len(run.parts.ran)
    assert "withdraw_keys_allowed" in result.stderr


def test_allowing_withdraw_keys_does_not_allow_those_that_cannot_trade(run: Run) -> None:
    """Nothing could be done with them."""
    run.env |= KEYS
    run.venue_says(KeyPermissions(can_trade=False, can_withdraw=True, is_ip_restricted=None))
    assert "the keys cannot trade" in run.refused(*CONFIRMED, "--allow-withdraw-keys")


def test_a_venue_that_does_not_answer_is_not_traded(run: Run) -> None:
    """Exit code 1: nothing is wrong with what was given."""
    run.env |= KEYS
    run.venue_says(VenueError(f"GET /sapi?signature=abc was reset; key {KEY}"))
    result = run.call(*CONFIRMED)
    assert (1, []) == (result.exit_code, run.parts.ran)
    assert "zvt-trading: VenueError: GET /sapi?signature=*** was reset; key ***\n" == result.stderr
    assert "close" == run.parts.probes["binance"].asked[-1]


class SilentProbe(ScriptedProbe):
    """Takes the question, and that is all."""

    async def permissions(self) -> KeyPermissions:
        await asyncio.Event().wait()
        raise AssertionError


def test_a_venue_that_is_silent_is_not_waited_for_for_ever(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is let go of."""
    monkeypatch.setattr(live_session, "PROBE_SECONDS_MAX", 0)
    run.env |= KEYS
    probe = run.parts.probes["binance"] = SilentProbe()
    result = run.call(*CONFIRMED)
    assert (1, [], ["close"]) == (result.exit_code, run.parts.ran, probe.asked)
    assert "VenueError: binance did not say within 0 s what the keys may do" in result.stderr


# How it ends.


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_gracefully(run: Run, number: int) -> None:
    """The run is asked to stop, and has the time it needs; the old handlers are back then."""
    before = signal.getsignal(number)
    ended = []

    async def running(_settings: Settings, _keys: Keys, stop: asyncio.Event) -> None:
        os.kill(os.getpid(), number)
        await stop.wait()
        await asyncio.sleep(0)
        ended.append("gracefully")

    run.parts.running = running
    result = run.call()
    assert (0, ["gracefully"]) == (result.exit_code, ended)
    assert "stopping; once more stops at once, with orders left open\n" == result.stderr
    assert before == signal.getsignal(number)


def test_a_second_signal_stops_it_at_once(run: Run) -> None:
    """Exit code 1, and what that means."""

    async def running(_settings: Settings, _keys: Keys, stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await stop.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    run.parts.running = running
    result = run.call()
    assert 1 == result.exit_code
    assert result.stderr.endswith(
        "zvt-trading: stopped at once; orders may be open: the next start finds out\n"
    )


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (CallerError(f"no strategy {SECRET}"), 2, "zvt-trading: no strategy ***\n"),
        (StoreUnavailableError("disk full"), 2, "zvt-trading: disk full\n"),
        (EngineError(f"halted: {KEY}"), 1, "zvt-trading: EngineError: halted: ***\n"),
        (ValueError(SECRET), 1, "zvt-trading: this is a bug: ValueError('***')\n"),
    ],
)
def test_what_goes_wrong_is_said_without_secrets(
    run: Run, error: Exception, code: int, said: str
) -> None:
    """With the exit codes of every command."""

    async def running(_settings: Settings, _keys: Keys, _stop: asyncio.Event) -> None:
        local = SECRET  # what a traceback with local variables would show
        raise error if local else AssertionError

    run.env |= KEYS
    run.parts.running = running
    result = run.call(*CONFIRMED)
    assert code == result.exit_code
    assert result.stderr.endswith(said)


def test_what_is_logged_during_the_run_has_no_secrets(run: Run) -> None:
    """In the form that the config asks for."""

    async def running(_settings: Settings, _keys: Keys, _stop: asyncio.Event) -> None:
        structlog.get_logger("venue").info("sent", url=f"https://x/?a=1&signature=abc&k={KEY}")

    run.path.write_text(SMALL + "[log]\njson = true\n")
    run.env |= KEYS
    run.parts.running = running
    result = run.call(*CONFIRMED)
    assert '"url": "https://x/?a=1&signature=***&k=***"' in result.stderr


def test_no_command_shows_local_variables_of_a_bug() -> None:
    """Typer would print them, where it is not told not to; here nothing stands before it."""
    code = (
        "from zvt_trading.cli.main import app\n"
        "@app.command()\n"
        "def bug() -> None:\n"
        "    local = 'hun' + 'ter2'\n"
        "    raise ValueError(len(local))\n"
        "app(['bug'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert 1 == done.returncode
    assert "ValueError" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_the_command_line_starts_without_what_only_a_run_needs() -> None:
    """`zvt-trading version` must stay quick."""
    code = (
        "import sys; import zvt_trading.cli.main;"
        "print([m for m in ('pydantic', 'keyring', 'cryptography', 'ccxt') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "[]\n" == done.stdout
