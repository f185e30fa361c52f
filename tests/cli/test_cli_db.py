"""`zvt-trading db ...`: what each command does, says and leaves with."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner, Result

from simulation.harness import Run
from zvt_trading.adapters.store.opening import (
    ENVIRONMENT,
    SCHEMA_VERSION,
    open_store,
    upgrade_store,
)
from zvt_trading.adapters.store.sqlite_store import SqliteStore
from zvt_trading.cli.main import app
from zvt_trading.messages.events import Event
from zvt_trading.ports.store import Store
from zvt_trading.runtime.entries import Chain
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.recovery import recover

COMMANDS: Final = ("init", "upgrade", "status", "verify", "rebuild", "export", "import")
SECRET: Final = "hunter2"  # noqa: S105 - what must not be seen


@cache
def happened() -> tuple[Event, ...]:
    """A simulated engine's events."""
    run = Run(3, 60, None, None)
    run.go()
    return tuple(run.journal)


def call(*arguments: object, given: bytes | None = None) -> Result:
    """Run `zvt-trading db` with arguments."""
    texts = ["db", *[str(argument) for argument in arguments]]
    return CliRunner().invoke(app, texts, input=given, env={"COLUMNS": "80"})


def facts(*arguments: object) -> dict[str, Any]:
    """What a command says to a program; it must succeed."""
    result = call(*arguments, "--json")
    assert 0 == result.exit_code, result.output
    assert 1 == result.stdout.count("\n")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def said(result: Result) -> str:
    """The last line on stderr, without the command's name; progress may be before it."""
    last = result.stderr.splitlines()[-1]
    assert last.startswith("zvt-trading: ")
    return last.removeprefix("zvt-trading: ")


def fill(url: str, events: Sequence[Event]) -> None:
    """As an engine does."""
    store = open_store(url)
    keeper = Keeper(store, recover(store, "box:1"), lambda: 0.0)
    keeper.start()
    assert keeper.commit(list(events))
    keeper.close()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where nothing is yet."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def filled(url: str) -> str:
    """A store that an engine has used."""
    fill(url, happened())
    return url


def change(url: str, statement: str) -> None:
    """Behind the store's back."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute(statement)
    connection.commit()
    connection.close()


def set_version(url: str, version: str) -> None:
    """Let the store be of another version than it is."""
    change(url, f"UPDATE alembic_version SET version_num = '{version}'")  # noqa: S608 - a constant


def files(folder: Path) -> list[str]:
    """What is there, but for what belongs to a store."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("store.db"))


def old_store(url: str) -> None:
    """One of the first schema, with a journal."""
    upgrade_store(url, "0001")
    store = SqliteStore(Path(url.removeprefix("sqlite:///")))
    store.append(Chain(1, 0, 0).entries(list(happened())), None)
    store.close()


class TestEveryCommand:
    """What they have in common."""

    def test_the_list_is_shown(self) -> None:
        shown = call("--help").stdout
        assert [] == [name for name in COMMANDS if name not in shown]

    @pytest.mark.parametrize("command", COMMANDS)
    @pytest.mark.parametrize(
        "url",
        [
            f"postgresql://ann:{SECRET}@127.0.0.1:1/store",
            f"postgresql://ann@127.0.0.1:1/store?password={SECRET}",
            f"postgresql://ann:{SECRET}@127.0.0.1:port/store",
            f"mysql://ann:{SECRET}@127.0.0.1/store",
        ],
    )
    def test_no_password_is_shown(self, command: str, url: str, tmp_path: Path) -> None:
        """Neither in an error nor elsewhere; what is wrong is one line, and no traceback."""
        result = call(*with_file(command, tmp_path), "--db-url", url)
        assert 2 == result.exit_code
        assert SECRET not in result.output
        assert said(result)
        assert 1 == len(result.stderr.splitlines())

    @pytest.mark.parametrize("command", ["upgrade", "status", "verify", "rebuild", "export"])
    def test_a_store_that_is_not_there_is_not_made(
        self, command: str, url: str, tmp_path: Path
    ) -> None:
        """A mistyped path must not look like an empty, sound store."""
        result = call(*with_file(command, tmp_path), "--db-url", url)
        expected = f"no store at {url}: make one with `zvt-trading db init`"
        assert (2, expected) == (result.exit_code, said(result))
        assert [] == list(tmp_path.iterdir())

    @pytest.mark.parametrize("command", ["init", "status", "verify", "rebuild"])
    def test_the_environment_names_the_store(
        self, command: str, filled: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Unless an option does."""
        monkeypatch.setenv(ENVIRONMENT, filled)
        assert filled == facts(command)["store"]
        monkeypatch.setenv(ENVIRONMENT, "sqlite:///elsewhere.db")
        assert filled == facts(command, "--db-url", filled)["store"]

    @pytest.mark.parametrize("command", ["upgrade", "rebuild"])
    def test_a_used_store_is_left_alone(self, command: str, filled: str) -> None:
        """The message says by whom it is used."""
        engine = open_store(filled)
        engine.acquire("box:7")
        result = call(command, "--db-url", filled)
        engine.release()
        engine.close()
        assert 2 == result.exit_code
        assert "is in use by box:7" in said(result)

    @pytest.mark.parametrize("command", ["init", "verify", "rebuild", "import"])
    def test_a_store_of_another_version_is_refused(
        self, command: str, filled: str, tmp_path: Path
    ) -> None:
        """With what to do about it."""
        call("export", tmp_path / "copy.jsonl", "--db-url", filled)
        for version, advice in (("0001", "run `zvt-trading db upgrade`"), ("9999", "newer one")):
            set_version(filled, version)
            result = call(*with_file(command, tmp_path), "--db-url", filled)
            assert 2 == result.exit_code
            assert advice in said(result)

    def test_what_the_server_says_in_two_lines_is_one(self) -> None:
        result = call("status", "--db-url", "postgresql://127.0.0.1:1/store")
        assert 1 == len(result.stderr.splitlines())
        assert "refused" in result.stderr


def with_file(command: str, folder: Path) -> tuple[object, ...]:
    """The command with a file where it wants one."""
    return (command, folder / "copy.jsonl") if command in ("export", "import") else (command,)


class TestInit:
    """Make, or say what is there."""

    def test_it_makes_a_store(self, url: str) -> None:
        made = facts("init", "--db-url", url)
        assert (True, SCHEMA_VERSION, url) == (made["made"], made["schema_version"], made["store"])

    def test_again_it_says_so(self, url: str) -> None:
        made = facts("init", "--db-url", url)
        assert {**made, "made": False} == facts("init", "--db-url", url)

    def test_for_people_it_is_a_line_a_fact(self, url: str) -> None:
        lines = call("init", "--db-url", url).stdout.splitlines()
        assert "made            yes" == lines[0]
        assert f"store           {url}" in lines

    def test_a_database_of_others_is_left_alone(self, url: str, tmp_path: Path) -> None:
        change(f"sqlite:///{tmp_path / 'store.db'}", "CREATE TABLE crypto_order (id int)")
        result = call("init", "--db-url", url)
        assert 2 == result.exit_code
        assert "tables that are not ours" in said(result)

    def test_a_file_that_is_none_is_refused(self, url: str, tmp_path: Path) -> None:
        (tmp_path / "store.db").write_bytes(b"not a database, but long enough to be looked at" * 9)
        result = call("init", "--db-url", url)
        assert (2, True) == (result.exit_code, "file is not a database" in said(result))


class TestUpgrade:
    """Migrations, and the tables after them."""

    def test_the_tables_are_filled_from_the_journal(self, url: str) -> None:
        old_store(url)
        done = facts("upgrade", "--db-url", url)
        count = len(happened())
        expected = {
            "store": url,
            "schema_version_before": "0001",
            "schema_version": SCHEMA_VERSION,
            "entries": count,
            "brought_to_tables": count,
        }
        assert expected == done
        assert [] == facts("verify", "--db-url", url)["problems"]

    def test_there_may_be_nothing_to_do(self, filled: str) -> None:
        done = facts("upgrade", "--db-url", filled)
        assert (SCHEMA_VERSION, 0) == (done["schema_version_before"], done["brought_to_tables"])

    def test_nothing_is_changed_while_an_engine_uses_the_store(self, url: str) -> None:
        """Its program knows the old tables only."""
        old_store(url)
        engine = SqliteStore(Path(url.removeprefix("sqlite:///")))
        engine.acquire("box:7")
        assert 2 == call("upgrade", "--db-url", url).exit_code
        engine.release()
        engine.close()
        assert "0001" == facts("status", "--db-url", url)["schema_version"]

    def test_forward_only(self, filled: str) -> None:
        set_version(filled, "9999")
        result = call("upgrade", "--db-url", filled)
        assert 2 == result.exit_code
        assert "newer than" in said(result)
        assert 1 == facts("status", "--db-url", filled)["epoch"]


class TestStatus:
    """One screen."""

    def test_what_it_is_and_how_far(self, filled: str) -> None:
        found = facts("status", "--db-url", filled)
        count = len(happened())
        assert (SCHEMA_VERSION, filled) == (found["schema_version"], found["store"])
        assert (count, 0, [count]) == (
            found["entries"],
            found["tables_behind"],
            found["snapshots"],
        )
        assert found["first_at"] <= found["last_at"]
        assert found["last_at"].startswith("2023-11-14T")
        assert (1, False, None) == (found["epoch"], found["is_in_use"], found["used_by"])

    def test_an_empty_store(self, url: str) -> None:
        facts("init", "--db-url", url)
        found = facts("status", "--db-url", url)
        assert (0, None, None, []) == (
            found["entries"],
            found["first_at"],
            found["last_at"],
            found["snapshots"],
        )
        lines = call("status", "--db-url", url).stdout.splitlines()
        assert "snapshots             none" in lines
        assert "last at               -" in lines

    def test_tables_that_are_behind(self, filled: str) -> None:
        change(filled, "UPDATE engine_store SET projected_seq = projected_seq - 5")
        assert 5 == facts("status", "--db-url", filled)["tables_behind"]

    def test_who_uses_it_since_when(self, filled: str) -> None:
        engine = open_store(filled)
        engine.acquire("box:7")
        found = facts("status", "--db-url", filled)
        engine.release()
        engine.close()
        assert (True, "box:7") == (found["is_in_use"], found["used_by"])
        assert found["used_since"] == found["last_heard_of"] < found["lease_runs_out"]

    def test_an_engine_that_was_killed(self, filled: str) -> None:
        """Its lease has run out, or soon will."""
        change(
            filled,
            "UPDATE engine_lease SET owner = 'box:7', expires_at = '2001-01-01T00:00:00+00:00'",
        )
        found = facts("status", "--db-url", filled)
        assert (False, "box:7") == (found["is_in_use"], found["used_by"])

    @pytest.mark.parametrize("version", ["0001", "9999"])
    def test_of_any_version(self, filled: str, version: str) -> None:
        set_version(filled, version)
        assert version == facts("status", "--db-url", filled)["schema_version"]

    def test_half_an_import(self, filled: str) -> None:
        change(filled, "UPDATE engine_store SET projected_seq = -1")
        found = facts("status", "--db-url", filled)
        assert (True, len(happened())) == (found["is_import_unfinished"], found["tables_behind"])


class TestVerify:
    """A proof, or what is wrong."""

    def test_a_sound_store(self, filled: str) -> None:
        found = facts("verify", "--db-url", filled)
        count = len(happened())
        assert (count, 1, 10, count, []) == (
            found["entries"],
            found["snapshots"],
            found["tables"],
            found["tables_are_of_entry"],
            found["problems"],
        )
        assert 32 == len(found["digest"])

    def test_progress_is_on_stderr(self, filled: str) -> None:
        result = call("verify", "--db-url", filled, "--json")
        assert "verify: 100 %" in result.stderr
        json.loads(result.stdout)

    def test_the_damaged_entry_is_named(self, filled: str) -> None:
        """On stderr in one line, on stdout with the rest; exit code 1."""
        change(filled, "UPDATE event_journal SET body = replace(body, 'a', 'b') WHERE seq = 20")
        for option in ((), ("--json",)):
            result = call("verify", "--db-url", filled, *option)
            assert 1 == result.exit_code
            assert said(result).startswith(f"{filled}: entry 20 (")
            assert "is not what was written" in said(result)
        found = json.loads(result.stdout)
        assert (19, 1) == (found["entries"], len(found["problems"]))

    def test_many_problems_are_one_and_a_number(self, filled: str) -> None:
        change(filled, "DELETE FROM crypto_ledger_entry")
        result = call("verify", "--db-url", filled)
        assert 1 == result.exit_code
        assert said(result).endswith(" is missing (and 5 more)")
        assert 6 == result.stdout.count("crypto_ledger_entry")

    def test_a_file_whose_pages_are_damaged(self, filled: str, tmp_path: Path) -> None:
        """What SQLite itself says, in a line."""
        path = tmp_path / "store.db"
        connection = sqlite3.connect(path)
        statement = "SELECT rootpage FROM sqlite_master WHERE name = 'event_journal'"
        (page,) = connection.execute(statement).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.close()
        with path.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xa5" * size)
        result = call("verify", "--db-url", filled)
        expected = f"StoreFailedError: {filled}: database disk image is malformed"
        assert (1, True) == (result.exit_code, said(result).startswith(expected))


class TestRebuild:
    """The tables anew."""

    def test_they_are_as_before(self, filled: str) -> None:
        before = facts("verify", "--db-url", filled)
        change(filled, "DELETE FROM crypto_ledger_entry")
        done = facts("rebuild", "--db-url", filled)
        expected = {key: before[key] for key in ("store", "entries", "digest")}
        assert (expected, before) == (done, facts("verify", "--db-url", filled))

    def test_the_two_bars_follow_each_other(self, filled: str) -> None:
        result = call("rebuild", "--db-url", filled)
        assert ["check: 100 %", "rebuild: 100 %"] == result.stderr.splitlines()

    def test_in_a_terminal_the_bars_come_and_go(self, filled: str) -> None:
        """One after the other: a terminal has one line to redraw."""
        terminal = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}
        result = CliRunner().invoke(app, ["db", "rebuild", "--db-url", filled], env=terminal)
        assert 0 == result.exit_code
        assert 0 <= result.stderr.find("check") < result.stderr.find("rebuild")

    def test_a_damaged_journal_costs_no_tables(self, filled: str) -> None:
        change(filled, "UPDATE event_journal SET checksum = 1 WHERE seq = 20")
        result = call("rebuild", "--db-url", filled)
        assert 1 == result.exit_code
        assert said(result).startswith(f"DamagedJournalError: {filled}: entry 20 (")
        assert 0 == facts("status", "--db-url", filled)["tables_behind"]


class TestExport:
    """A backup."""

    @pytest.mark.parametrize("name", ["copy.jsonl", "copy.jsonl.gz"])
    def test_a_file(self, filled: str, tmp_path: Path, name: str) -> None:
        done = facts("export", tmp_path / name, "--db-url", filled)
        assert (str(tmp_path / name), len(happened())) == (done["file"], done["entries"])
        assert [name] == files(tmp_path)

    def test_the_pipe_has_the_file_and_nothing_else(self, filled: str) -> None:
        result = call("export", "-", "--db-url", filled)
        lines = result.stdout.splitlines()
        assert 1 + len(happened()) == len(lines)
        assert len(happened()) == json.loads(lines[0])["last_seq"]
        assert f"export: {len(happened())} entries of {filled}" in result.stderr

    def test_json_and_the_pipe_exclude_each_other(self, filled: str) -> None:
        assert 2 == call("export", "-", "--json", "--db-url", filled).exit_code

    @pytest.mark.parametrize("name", ["copy.txt", "copy.db", "nowhere/copy.jsonl"])
    def test_a_file_that_cannot_be_is_said(self, filled: str, tmp_path: Path, name: str) -> None:
        result = call("export", tmp_path / name, "--db-url", filled)
        assert 2 == result.exit_code
        assert said(result).startswith(str(tmp_path / name))
        assert [] == files(tmp_path)

    def test_of_a_damaged_journal_nothing_is_left(self, filled: str, tmp_path: Path) -> None:
        """A backup that looks like one and is none is worse than none."""
        change(filled, "UPDATE event_journal SET checksum = 1 WHERE seq = 20")
        path = tmp_path / "copy.jsonl"
        result = call("export", path, "--db-url", filled)
        assert (1, []) == (result.exit_code, files(tmp_path))
        assert "entry 20 (" in said(result)
        assert 19 == facts("export", path, "--until", 19, "--db-url", filled)["entries"]

    def test_before_an_upgrade(self, url: str, tmp_path: Path) -> None:
        """A journal is the same in every version: the backup that is advised can be made."""
        old_store(url)
        path = tmp_path / "copy.jsonl.gz"
        assert len(happened()) == facts("export", path, "--db-url", url)["entries"]


class TestImport:
    """Into an empty store."""

    @pytest.fixture
    def copy(self, filled: str, tmp_path: Path) -> Path:
        """An exported file."""
        path = tmp_path / "copy.jsonl"
        facts("export", path, "--db-url", filled)
        return path

    @pytest.fixture
    def target(self, tmp_path: Path) -> str:
        """Where nothing is yet."""
        return f"sqlite:///{tmp_path / 'target.db'}"

    def test_the_digest_is_the_same(self, filled: str, copy: Path, target: str) -> None:
        done = facts("import", copy, "--db-url", target)
        before = facts("verify", "--db-url", filled)
        after = facts("verify", "--db-url", target)
        assert before["digest"] == done["digest"] == after["digest"]
        assert {**before, "store": target} == after

    def test_from_the_pipe(self, copy: Path, target: str) -> None:
        result = call("import", "-", "--db-url", target, "--json", given=copy.read_bytes())
        assert len(happened()) == json.loads(result.stdout)["entries"]

    def test_out_of_one_database_into_another(self, filled: str, target: str) -> None:
        """The two commands with a pipe between them."""
        program = [sys.executable, "-c", "from zvt_trading.cli.main import app; app()", "db"]
        with subprocess.Popen(
            [*program, "export", "-", "--db-url", filled],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as source:
            done = subprocess.run(
                [*program, "import", "-", "--db-url", target, "--json"],
                stdin=source.stdout,
                capture_output=True,
                check=True,
                timeout=60,
            )
        digest = facts("verify", "--db-url", filled)["digest"]
        assert digest == json.loads(done.stdout)["digest"]

    def test_a_store_that_is_used_is_refused(self, filled: str, copy: Path) -> None:
        fill(filled, [])
        change(filled, "UPDATE engine_store SET store_id = 'ffffffffffffffffffffffffffffffff'")
        result = call("import", copy, "--db-url", filled)
        assert 2 == result.exit_code
        assert said(result).endswith("entries already: an import needs an empty store")

    def test_a_damaged_file_is_refused_with_its_line(self, copy: Path, target: str) -> None:
        """And what to do, since a part of it is in the store."""
        copy.write_bytes(copy.read_bytes().replace(b'{"seq":20,', b'{"seq":21,', 1))
        result = call("import", copy, "--db-url", target)
        assert 2 == result.exit_code
        assert said(result).startswith(f"{copy}: line 21: entry 20 is damaged or missing")
        assert said(result).endswith("import a good copy of the file, or delete the store")
        result = call("rebuild", "--db-url", target)
        assert 2 == result.exit_code
        assert "not finished" in said(result)

    @pytest.mark.parametrize("name", ["nowhere.jsonl", "nowhere.jsonl.gz", "copy.txt"])
    def test_a_file_that_is_not_there(self, target: str, tmp_path: Path, name: str) -> None:
        result = call("import", tmp_path / name, "--db-url", target)
        assert 2 == result.exit_code
        assert said(result).startswith(str(tmp_path / name))


def test_a_store_is_closed_whatever_happens(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when a command has a bug, which shows itself."""
    closed: list[Store] = []
    close = SqliteStore.close

    def closing(store: SqliteStore) -> None:
        closed.append(store)
        close(store)

    monkeypatch.setattr(SqliteStore, "info", lambda _: 1 / 0)
    monkeypatch.setattr(SqliteStore, "close", closing)
    for command in ("init", "verify", "rebuild", "status"):
        assert isinstance(call(command, "--db-url", filled).exception, ZeroDivisionError)
    assert 4 == len(closed)
