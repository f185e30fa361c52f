"""Backup, restore and moving, as docs/store.md tells how, with the programs that it names."""

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from maintenance_world import OWNER, entries, live, lived, rows
from sqlalchemy import make_url
from store_world import (
    a_database,
    digest_of,
    entries_of,
    path_of,
    projected,
    query,
    raw_store,
    replayed,
    said,
    simulated,
)
from typer.testing import CliRunner

from conftest import ROOT, on_ci
from zvt_trading.adapters.store.opening import open_store, upgrade_store
from zvt_trading.cli.main import app
from zvt_trading.ports.store import DamagedJournalError
from zvt_trading.runtime.maintenance.verify import verify

pytest_plugins = ("store_fixtures",)

PAGE: Final = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")
DEBIAN: Final = Path("/usr/lib/postgresql")


def program(name: str) -> str:
    """A program that the page names; a test without it is skipped, on CI it fails."""
    newest = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = str(newest[-1]) if newest else shutil.which(name)
    if found is None:
        problem = f"{name} is not installed"
        if on_ci():
            pytest.fail(problem)
        pytest.skip(problem)
    return found


def command(*arguments: object) -> None:
    """`zvt-trading db` with arguments, which must succeed."""
    result = CliRunner().invoke(app, ["db", *map(str, arguments)])
    assert 0 == result.exit_code, result.output


def proven(url: str) -> str:
    """The digest of a store in which nothing is wrong."""
    store = open_store(url)
    found = verify(store)
    store.close()
    assert [] == found.problems
    return found.digest


def url_of(path: Path) -> str:
    """Of a file."""
    return f"sqlite:///{path}"


@pytest.fixture
def trading(sqlite_url: str) -> Iterator[str]:
    """A file that an engine uses: what it did last is in the log beside it, not in it."""
    events = simulated(1)
    live(sqlite_url, events[:200])
    store = open_store(sqlite_url)
    epoch = store.acquire(OWNER).epoch
    last = store.last()
    assert last is not None
    store.append(entries_of(events[200:], epoch, last.checksum), None)
    yield sqlite_url
    store.close()


def all_of_it() -> str:
    """The digest of the state after the whole journal."""
    return digest_of(replayed(simulated(1)))


# Backup of a file.


def with_the_backup_api(source: Path, copy: Path) -> None:
    """What the shell's .backup does."""
    reader, writer = sqlite3.connect(source), sqlite3.connect(copy)
    reader.backup(writer)
    reader.close()
    writer.close()


def with_the_shell(source: Path, copy: Path) -> None:
    """The line of the page."""
    subprocess.run([program("sqlite3"), source, f".backup '{copy}'"], check=True)


def with_vacuum(source: Path, copy: Path) -> None:
    """The other line."""
    connection = sqlite3.connect(source)
    connection.execute("VACUUM INTO ?", (str(copy),))
    connection.close()


@pytest.mark.parametrize("backup", [with_the_backup_api, with_the_shell, with_vacuum])
def test_a_file_is_copied_while_an_engine_uses_it(
    trading: str, tmp_path: Path, backup: object
) -> None:
    """The copy is a store of its own, with all that was durable."""
    copy = tmp_path / "copy.db"
    backup(path_of(trading), copy)  # type: ignore[operator]  # one of the three above
    assert all_of_it() == proven(url_of(copy))
    live(url_of(copy), said(3, len(simulated(1)) + 1))


def test_a_file_without_its_log_is_not_the_store(trading: str, tmp_path: Path) -> None:
    """Copied by itself while an engine uses it, it lacks the end; the mark tells."""
    source = path_of(trading)
    shutil.copy(source, tmp_path / "copy.db")
    shutil.copy(f"{source}.mark", tmp_path / "copy.db.mark")
    with pytest.raises(DamagedJournalError, match="were durable and are gone"):
        live(url_of(tmp_path / "copy.db"), ())


def test_all_files_together_are_the_store(sqlite_url: str, tmp_path: Path) -> None:
    """Copied while nobody uses it, with whatever is beside it."""
    lived(sqlite_url)
    source = path_of(sqlite_url)
    target = tmp_path / "elsewhere"
    target.mkdir()
    for file in source.parent.glob(f"{source.name}*"):
        shutil.copy(file, target)
    assert all_of_it() == proven(url_of(target / source.name))


# Restore of a file.


def test_an_older_copy_in_place_is_noticed(sqlite_url: str, tmp_path: Path) -> None:
    """The mark knows that there was more. Without it and the old log, the copy is a store."""
    events = simulated(1)
    live(sqlite_url, events[:200])
    source, copy = path_of(sqlite_url), tmp_path / "copy.db"
    with_the_backup_api(source, copy)
    live(sqlite_url, events[200:])
    shutil.copy(copy, source)
    with pytest.raises(DamagedJournalError, match="replaced by an older copy"):
        live(sqlite_url, ())
    for belongs in ("-wal", "-shm", ".mark"):
        Path(f"{source}{belongs}").unlink(missing_ok=True)
    assert digest_of(replayed(events[:200])) == proven(sqlite_url)
    live(sqlite_url, events[200:])
    assert all_of_it() == proven(sqlite_url)


# Export and import.


@pytest.mark.parametrize("name", ["backup.jsonl", "backup.jsonl.gz"])
def test_an_export_is_a_backup_of_any_store(
    store_url: str, bare_url: str, tmp_path: Path, name: str
) -> None:
    """Into a new database; an engine goes on there."""
    lived(store_url)
    command("export", tmp_path / name, "--db-url", store_url)
    command("import", tmp_path / name, "--db-url", bare_url)
    command("verify", "--db-url", bare_url)
    assert all_of_it() == proven(bare_url)
    assert rows(store_url) == rows(bare_url)
    live(bare_url, said(3, len(simulated(1)) + 1))


def test_a_store_moves_from_a_file_to_a_server(
    trading: str, bare_pg_url: str, tmp_path: Path
) -> None:
    """Also one that was not closed in order."""
    command("export", tmp_path / "move.jsonl.gz", "--db-url", trading)
    command("import", tmp_path / "move.jsonl.gz", "--db-url", bare_pg_url)
    assert entries(trading) == entries(bare_pg_url)
    assert all_of_it() == proven(bare_pg_url)


def test_what_is_sound_of_a_damaged_journal_is_saved(sqlite_url: str, tmp_path: Path) -> None:
    """Up to the entry before the one that `verify` names."""
    lived(sqlite_url)
    query(sqlite_url, "UPDATE event_journal SET body = replace(body, 'a', 'b') WHERE seq = 101")
    saved = tmp_path / "saved.jsonl"
    command("export", saved, "--until", 100, "--db-url", sqlite_url)
    new = url_of(tmp_path / "new.db")
    command("import", saved, "--db-url", new)
    assert digest_of(replayed(simulated(1)[:100])) == proven(new)


# Upgrading.


def test_an_older_store_is_backed_up_and_upgraded(bare_url: str, tmp_path: Path) -> None:
    """The tables are filled again from the journal, which stays as it is."""
    upgrade_store(bare_url, "0001")
    store = raw_store(bare_url)
    events = simulated(1)
    store.append(entries_of(events, 0), None)
    store.close()
    command("export", tmp_path / "before-upgrade.jsonl.gz", "--db-url", bare_url)
    command("upgrade", "--db-url", bare_url)
    assert all_of_it() == proven(bare_url)
    assert projected(events).rows == rows(bare_url)


# A server's own programs.


@pytest.mark.parametrize("form", ["custom", "plain"])
def test_a_server_s_dump_is_a_backup(
    pg_url: str, pg_server: str, tmp_path: Path, form: str
) -> None:
    """Into a new database, while an engine uses the old one."""
    dump, restore, psql = program("pg_dump"), program("pg_restore"), program("psql")
    lived(pg_url)
    engine = open_store(pg_url)
    engine.acquire(OWNER)
    file = tmp_path / "zvt.dump"
    subprocess.run([dump, f"--format={form}", f"--file={file}", pg_url], check=True)
    engine.release()
    engine.close()
    with a_database(pg_server) as target:
        into: list[str | Path]
        if form == "custom":
            into = [restore, "--exit-on-error", f"--dbname={target}", file]
        else:
            into = [psql, "--quiet", "--set=ON_ERROR_STOP=1", f"--file={file}", target]
        subprocess.run(into, check=True, stdout=subprocess.DEVNULL)
        assert all_of_it() == proven(target)
        assert rows(pg_url) == rows(target)
        live(target, said(3, len(simulated(1)) + 1))


# The page.


def test_the_page_names_commands_that_there_are() -> None:
    """With options that there are."""
    lines = [line for block in blocks("console") for line in block.splitlines()]
    found = [part for line in lines for part in re.findall(r"zvt-trading db [^|>#]*", line)]
    assert 8 <= len(found)
    for text in found:
        name, *rest = text.split()[2:]
        shown = CliRunner().invoke(app, ["db", name, "--help"], env={"COLUMNS": "200"})
        assert 0 == shown.exit_code, text
        for option in rest:
            assert not option.startswith("--") or option in shown.stdout, text


def test_every_command_is_on_the_page() -> None:
    """In a table, with what it does."""
    shown = CliRunner().invoke(app, ["db", "--help"], env={"COLUMNS": "200"}).stdout
    names = re.findall(r"^│ (\w+)  ", shown, re.MULTILINE)
    assert 7 == len(names)
    assert [] == [name for name in names if f"| `db {name}" not in PAGE]


def blocks(kind: str) -> list[str]:
    """Fenced blocks of the page."""
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands there; the store it leaves is sound."""
    (example,) = blocks("python")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "store.md", "exec"), {})  # noqa: S102 - our own page
    proven("sqlite:///trading.db")


def test_urls_on_the_page_are_urls() -> None:
    """With no password in them."""
    found = re.findall(r"(?:sqlite|postgresql):///?[^\s`'\"]+", PAGE)
    assert 4 <= len(found)
    assert {None} == {make_url(text).password for text in found}
