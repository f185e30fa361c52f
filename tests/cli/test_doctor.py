"""`zvt-trading doctor`: what it looks at, what it makes of it, how it leaves."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from settings_world import (
    GOOD,
    KEY,
    PASSPHRASE,
    SECRET,
    SMALL,
    MemoryKeyring,
    ScriptedParts,
    ScriptedProbe,
    config,
    system_keyring,
)
from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.key_file import KeyFile
from zvt_trading.adapters.store.opening import open_store, upgrade_store
from zvt_trading.cli.checks import Status, judge_clock, judge_permissions, judge_symbols
from zvt_trading.cli.main import app
from zvt_trading.errors import CallerError, VenueError
from zvt_trading.ports.venue_probe import ClockReading, KeyPermissions

ON_POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
KEYS = {"ZVT_TRADING_KEY_BINANCE": KEY, "ZVT_TRADING_SECRET_BINANCE": SECRET}
LIVE = 'mode = "live"\n' + SMALL
TWO = LIVE + '[venues.okx]\nsymbols = ["ETH/USDT"]\n'

OK, WARN, FAIL = Status.OK, Status.WARN, Status.FAIL


@pytest.fixture(autouse=True)
def _no_keys_of_the_user() -> Iterator[None]:
    with system_keyring(MemoryKeyring()):
        yield


class Doctor:
    """The command in a folder of its own, on venues that answer as they are told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts = ScriptedParts()
        self.env: dict[str, str | None] = {
            "ZVT_TRADING_DB_URL": f"sqlite:///{folder / 'store.db'}",
            "ZVT_TRADING_KEYS_FILE": str(folder / "keys.json"),
            "COLUMNS": "80",
        }

    def call(self, text: str, *arguments: str) -> Result:
        """Run it on a config; what it prints never has a secret in it."""
        path = config(self.folder, text)
        command = ["doctor", "-c", str(path), *arguments]
        result = CliRunner().invoke(app, command, obj=self.parts, env=self.env)
        for secret in (KEY, SECRET, PASSPHRASE):
            assert secret not in result.output
        return result

    def found(self, text: str, *arguments: str) -> list[dict[str, Any]]:
        """What it says to a program."""
        result = self.call(text, "--json", *arguments)
        said: dict[str, Any] = json.loads(result.stdout)
        assert said["ok"] == (result.exit_code == 0)
        assert (result.exit_code == 1) == any(row["status"] == "fail" for row in said["checks"])
        rows: list[dict[str, Any]] = said["checks"]
        return rows

    def about(self, subject: str, text: str, *arguments: str) -> list[tuple[str, str]]:
        """(status, finding) of one subject."""
        rows = self.found(text, *arguments)
        return [(row["status"], row["finding"]) for row in rows if row["subject"] == subject]


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    return Doctor(tmp_path)


def test_all_is_well(doctor: Doctor) -> None:
    """Exit code 0; venues are asked with the keys, and let go of."""
    doctor.env |= KEYS
    rows = doctor.found(LIVE)
    assert {"ok"} == {row["status"] for row in rows}
    assert ["config", "store", "binance", "binance", "binance", "binance"] == [
        row["subject"] for row in rows
    ]
    [(venue, _, keys)] = doctor.parts.probed
    assert keys is not None
    assert ("binance", (KEY, SECRET)) == (venue, keys.values())
    assert ["clock", "instruments", "permissions", "close"] == doctor.parts.probes["binance"].asked


def test_people_get_a_table(doctor: Doctor) -> None:
    """With one line on stderr about what failed."""
    result = doctor.call(LIVE)
    assert 1 == result.exit_code
    assert ["status", "subject", "finding"] == result.stdout.split()[:3]
    assert "zvt-trading: 1 of 5 checks failed\n" == result.stderr


def test_numbers_are_there_for_programs(doctor: Doctor) -> None:
    """Offsets in milliseconds, permissions, counts."""
    doctor.env |= KEYS
    facts = [row["facts"] for row in doctor.found(LIVE) if row["subject"] == "binance"]
    assert {"clock_offset_ms": 0, "round_trip_ms": 20} in facts
    assert {"instruments": 1} in facts
    assert {"can_trade": True, "can_withdraw": False, "is_ip_restricted": True} in facts


# Config.


def test_a_config_that_cannot_be_used_is_the_only_finding(doctor: Doctor) -> None:
    """Nothing else can be looked at without it."""
    [row] = doctor.found("mode = 3\n" + SMALL)
    assert ("config", "fail") == (row["subject"], row["status"])
    assert "mode = 3: must be 'paper' or 'live'" in row["finding"]


def test_the_mode_of_the_command_line_is_checked_for(doctor: Doctor) -> None:
    """Paper needs cash, live needs keys."""
    assert (
        "none are needed for paper trading" == doctor.about("keys", LIVE, "--mode", "paper")[0][1]
    )
    said = doctor.about("binance", SMALL, "--mode", "live")[0]
    assert "fail" == said[0]
    assert said[1].startswith("no API keys for binance/default; do: zvt-trading keys set binance")


def test_another_mode_is_no_mode(doctor: Doctor) -> None:
    """Exit code 2: the arguments cannot be used."""
    result = doctor.call(SMALL, "--mode", "demo")
    assert 2 == result.exit_code
    assert "zvt-trading: --mode 'demo' is no mode; allowed: paper, live\n" == result.stderr


@ON_POSIX
def test_a_config_that_others_can_change_is_a_warning(doctor: Doctor) -> None:
    """They would decide what is traded."""
    path = config(doctor.folder)
    path.chmod(0o666)
    command = ["doctor", "-c", str(path), "--json"]
    result = CliRunner().invoke(app, command, obj=doctor.parts, env=doctor.env)
    rows = json.loads(result.stdout)["checks"]
    assert [("config", "ok"), ("config", "warn")] == [
        (row["subject"], row["status"]) for row in rows[:2]
    ]


def test_a_ca_file_that_is_not_there_is_found(doctor: Doctor) -> None:
    """Before the first connection says something that nobody understands."""
    text = SMALL + 'endpoint = "127.0.0.1:1"\nca_file = "ca.pem"\n'
    expected = ("fail", f"venues.binance.ca_file: no file {doctor.folder / 'ca.pem'}")
    assert expected in doctor.about("binance", text)


# The store.


def test_a_store_that_is_not_there_is_made_later(doctor: Doctor) -> None:
    """Not by the doctor."""
    [(status, finding)] = doctor.about("store", SMALL)
    assert "ok" == status
    assert finding.endswith("none yet; it is made at the first start")
    assert not (doctor.folder / "store.db").exists()


def test_a_store_that_is_free_is_well(doctor: Doctor) -> None:
    """With how much there is."""
    open_store(str(doctor.env["ZVT_TRADING_DB_URL"])).close()
    [(status, finding)] = doctor.about("store", SMALL)
    assert "ok" == status
    assert finding.endswith("store.db: 0 entries, free")


def test_a_store_in_use_is_a_warning(doctor: Doctor) -> None:
    """An engine may be running, and then another one cannot start."""
    with closing(open_store(str(doctor.env["ZVT_TRADING_DB_URL"]))) as store:
        store.acquire("box:1")
        [(status, finding)] = doctor.about("store", SMALL)
    assert "warn" == status
    assert "used by box:1, last heard of " in finding


def test_a_store_of_another_version_fails(doctor: Doctor) -> None:
    """With the command that helps."""
    upgrade_store(str(doctor.env["ZVT_TRADING_DB_URL"]), "0001")
    [(status, finding)] = doctor.about("store", SMALL)
    assert "fail" == status
    assert finding.endswith("see: zvt-trading db upgrade")


@pytest.mark.parametrize(("mode", "expected"), [("paper", "warn"), ("live", "fail")])
def test_a_store_that_remembers_nothing_is_not_for_live(
    doctor: Doctor, mode: str, expected: str
) -> None:
    """Paper may forget."""
    doctor.env["ZVT_TRADING_DB_URL"] = "sqlite:///:memory:"
    assert expected == doctor.about("store", SMALL, "--mode", mode)[0][0]


def test_a_store_that_cannot_be_used_is_named_without_its_password(doctor: Doctor) -> None:
    """Nobody is behind this port."""
    doctor.env["ZVT_TRADING_DB_URL"] = "postgresql://zvt:hunter2@127.0.0.1:1/zvt"
    [(status, finding)] = doctor.about("store", SMALL)
    assert "fail" == status
    assert "hunter2" not in finding


# Keys.


def test_half_a_key_is_a_finding(doctor: Doctor) -> None:
    """And the venue is still asked what needs no keys."""
    doctor.env["ZVT_TRADING_KEY_BINANCE"] = KEY
    first, *others = doctor.about("binance", LIVE)
    assert "fail" == first[0]
    assert "is given without ZVT_TRADING_SECRET_BINANCE" in first[1]
    assert ["ok", "ok"] == [status for status, _ in others]


@ON_POSIX
def test_a_file_of_keys_that_others_may_read_fails(doctor: Doctor) -> None:
    """Also when nothing is needed from it now."""
    path = Path(str(doctor.env["ZVT_TRADING_KEYS_FILE"]))
    KeyFile(path, lambda: PASSPHRASE, cost=2**4).save(Credentials("okx", "a", "k", "s", "p"))
    path.chmod(0o644)
    status, finding = doctor.about("keys", SMALL)[0]
    assert "fail" == status
    assert "has mode 0644: others may read it; do: chmod 600" in finding


# Venues.


def test_venues_that_are_off_are_not_asked(doctor: Doctor) -> None:
    """Nothing is sent there."""
    doctor.env |= KEYS
    rows = doctor.found(TWO + "enabled = false\n")
    assert "okx" not in {row["subject"] for row in rows}
    assert ["binance"] == [venue for venue, _, _ in doctor.parts.probed]


@pytest.mark.parametrize(
    "error",
    [
        VenueError(f"cannot connect: https://api/?signature=abc&key={KEY}"),
        CallerError(f"API key {KEY} is not known"),
        OSError(111, "Connection refused"),
        TimeoutError(),
    ],
)
def test_a_venue_that_cannot_be_asked_fails_alone(doctor: Doctor, error: Exception) -> None:
    """Its error has no secret left in it; the other venue is judged as ever."""
    doctor.env |= KEYS
    doctor.parts.probes["binance"] = ScriptedProbe(clock_is=error)
    doctor.parts.probes["okx"] = ScriptedProbe(instruments_are=frozenset({"ETH/USDT"}))
    rows = doctor.found(TWO, "--mode", "paper")
    assert [("binance", "fail"), ("okx", "ok"), ("okx", "ok")] == [
        (row["subject"], row["status"]) for row in rows if row["subject"] in ("binance", "okx")
    ]
    assert "abc" not in str(rows)
    assert "close" == doctor.parts.probes["binance"].asked[-1]


def test_a_bug_shows_itself_without_secrets(doctor: Doctor) -> None:
    """With where it was; exit code 1."""
    doctor.env |= KEYS
    doctor.parts.probes["binance"] = ScriptedProbe(clock_is=ZeroDivisionError(SECRET))
    result = doctor.call(LIVE)
    assert 1 == result.exit_code
    assert "zvt-trading: this is a bug: ZeroDivisionError('***')" in result.stderr
    assert "Traceback" in result.stderr


@pytest.mark.parametrize(
    ("offset", "status"),
    [(0, OK), (500, OK), (-500, OK), (501, WARN), (1_000, WARN), (1_001, FAIL), (-1_001, FAIL)],
)
def test_clocks_are_judged_by_what_venues_take(offset: int, status: Status) -> None:
    """1,000 ms at most; the middle of question and answer is when the venue's was read."""
    reading = ClockReading(venue_ms=10_000 + offset, sent_ms=9_900, received_ms=10_100)
    assert (offset, 200) == (reading.offset_ms, reading.round_trip_ms)
    check = judge_clock("okx", reading)
    assert status == check.status
    assert f"its clock is {abs(offset)} ms " in check.text
    assert ("ahead of" if offset >= 0 else "behind") in check.text


@pytest.mark.parametrize(
    ("wanted", "status"), [(("A/B",), OK), (("A/B", "C/D"), OK), (("A/B", "X/Y"), FAIL)]
)
def test_every_symbol_must_be_listed(wanted: Sequence[str], status: Status) -> None:
    """Those that are not are named."""
    check = judge_symbols("okx", wanted, frozenset({"A/B", "C/D"}))
    assert status == check.status
    assert (status == FAIL) == ("X/Y, of venues.okx.symbols" in check.text)


@pytest.mark.parametrize(
    ("trade", "withdraw", "restricted", "expected"),
    [
        (True, False, True, [OK]),
        (True, False, None, [OK]),
        (True, False, False, [WARN]),
        (None, False, True, [WARN]),
        (False, False, True, [FAIL]),
        (True, True, True, [FAIL]),
        (True, None, True, [FAIL]),
        (False, True, False, [FAIL, FAIL, WARN]),
        (None, None, None, [FAIL, WARN]),
    ],
)
def test_keys_must_trade_and_must_not_withdraw(
    trade: bool | None, withdraw: bool | None, restricted: bool | None, expected: list[Status]
) -> None:
    """What a venue does not say is not taken for harmless."""
    may = KeyPermissions(can_trade=trade, can_withdraw=withdraw, is_ip_restricted=restricted)
    assert expected == [check.status for check in judge_permissions("okx", may)]


def test_good_keys_are_good() -> None:
    """As the other tests take for granted."""
    assert [OK] == [check.status for check in judge_permissions("okx", GOOD)]
