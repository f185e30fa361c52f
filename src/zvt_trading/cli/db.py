"""The commands `zvt-trading db ...`: what is done to a store besides trading on it.

Exit codes: 0 done; 1 the store is not what was written; 2 the arguments, the file or the store
cannot be used. See docs/store.md.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Self

import typer
from rich.console import Console

from zvt_trading.cli.exits import EXIT_FAILED, EXIT_USAGE, errors, fail, notice
from zvt_trading.cli.progress import ProgressReporter
from zvt_trading.cli.runner import OnProgress
from zvt_trading.ports.store import IMPORTING, LeaseState, Store

PIPE = Path("-")

app = typer.Typer(
    name="db",
    help="The store: make it, prove it, back it up, move it.",
    no_args_is_help=True,
)

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--db-url",
        metavar="URL",
        help="sqlite:///PATH or postgresql://USER@HOST/DATABASE; "
        "default: ZVT_TRADING_DB_URL, else a file in the user's data folder.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help=".jsonl or .jsonl.gz; - is the pipe.")
]

Facts = dict[str, object]


@app.command()
def init(*, db_url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Make the store, or say what is there."""
    from zvt_trading.adapters.store.opening import SCHEMA_VERSION, open_store, stored_version

    with errors():
        url = _url(db_url)
        made = stored_version(url) is None
        with closing(open_store(url)) as store:
            facts = {"made": made, "schema_version": SCHEMA_VERSION, **_identity(store)}
    _show(facts, as_json=as_json)


@app.command()
def upgrade(*, db_url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Bring the store to this program's schema; make a backup first."""
    from zvt_trading.adapters.store.opening import SCHEMA_VERSION, stored_version, upgrade_store
    from zvt_trading.bootstrap import process_name
    from zvt_trading.runtime.maintenance.rebuild import fill_tables

    with errors():
        url = _url(db_url)
        is_older = (stored_version(url) or SCHEMA_VERSION) < SCHEMA_VERSION
        with _store(url, any_version=is_older) as store:
            store.acquire(process_name())
            before, now = upgrade_store(url)
            tables = store.info().projected_seq
            with _Bars() as bars:
                end = fill_tables(store, bars.bar("tables")).core.state.seq
            store.release()
            facts: Facts = {
                "store": store.name,
                "schema_version_before": before,
                "schema_version": now,
                "entries": end,
                "brought_to_tables": end - tables,
            }
    _show(facts, as_json=as_json)


@app.command()
def status(*, db_url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Say what the store is, how far it is, and who uses it."""
    from zvt_trading.adapters.store.opening import stored_version

    with errors():
        url = _url(db_url)
        with _store(url, any_version=True) as store:
            facts = {
                "schema_version": stored_version(url),
                **_identity(store),
                **_extent(store),
                **_lease(store.lease()),
            }
    _show(facts, as_json=as_json)


@app.command()
def verify(*, db_url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Prove journal, snapshots and tables; an engine may use the store meanwhile."""
    from zvt_trading.runtime.maintenance.verify import verify as prove

    with errors(), _store(_url(db_url)) as store:
        with _Bars() as bars:
            found = prove(store, bars.bar("verify"))
        name = store.name
    facts: Facts = {
        "store": name,
        "entries": found.entries,
        "snapshots": found.snapshots,
        "tables": found.tables,
        "rows": found.rows,
        "tables_are_of_entry": found.tables_seq,
        "digest": found.digest,
        "problems": found.problems,
    }
    _show(facts, as_json=as_json)
    if found.problems:
        others = len(found.problems) - 1
        more = f" (and {others} more)" if others else ""
        fail(f"{found.problems[0]}{more}", EXIT_FAILED)


@app.command()
def rebuild(*, db_url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Empty the tables and fill them from the journal; no engine may use the store."""
    from zvt_trading.bootstrap import process_name
    from zvt_trading.runtime.maintenance.rebuild import rebuild as fill

    with errors(), _store(_url(db_url)) as store:
        with _Bars() as bars:
            done = fill(store, process_name(), bars.bar("check"), bars.bar("rebuild"))
        facts: Facts = {"store": store.name, "entries": done.entries, "digest": done.digest}
    _show(facts, as_json=as_json)


@app.command()
def export(
    file: FileArgument,
    *,
    until: Annotated[
        int | None,
        typer.Option("--until", min=1, help="The last entry, where a journal is damaged after it."),
    ] = None,
    db_url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the journal to a file: a backup; an engine may use the store meanwhile."""
    from zvt_trading.adapters.store.opening import stored_version
    from zvt_trading.runtime.maintenance.archive import check_name, written
    from zvt_trading.runtime.maintenance.transfer import Write, export_journal

    if file == PIPE and as_json:
        fail("--json and - exclude each other; both are stdout", EXIT_USAGE)
    with errors():
        url = _url(db_url)
        target: AbstractContextManager[Write] = nullcontext(sys.stdout.buffer.write)
        if file != PIPE:
            check_name(file)
            target = written(file)
        with _store(url, any_version=True) as store, _Bars() as bars:
            with target as write:
                header = export_journal(
                    store,
                    write,
                    created=datetime.now(UTC).isoformat(timespec="seconds"),
                    schema_version=stored_version(url) or "",
                    until=until,
                    on_progress=bars.bar("export"),
                )
            name = store.name
    if file == PIPE:
        notice(f"export: {header.last_seq} entries of {name}")
        return
    facts: Facts = {
        "store": name,
        "file": str(file),
        "entries": header.last_seq,
        "last_checksum": header.last_checksum,
        "store_id": header.store_id,
        "epoch": header.epoch,
        "created": header.created,
    }
    _show(facts, as_json=as_json)


@app.command("import")
def import_(file: FileArgument, *, db_url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Fill an empty store from an exported file."""
    from zvt_trading.adapters.store.opening import open_store
    from zvt_trading.bootstrap import process_name
    from zvt_trading.runtime.maintenance.archive import check_name, read_lines
    from zvt_trading.runtime.maintenance.transfer import import_journal

    with errors():
        lines: Iterator[bytes] = iter(sys.stdin.buffer)
        if file != PIPE:
            check_name(file)
            lines = read_lines(file)
        with closing(open_store(_url(db_url))) as store, _Bars() as bars:
            reading, filling = bars.bar("import"), bars.bar("tables")
            done = import_journal(store, lines, process_name(), str(file), reading, filling)
            facts: Facts = {
                "store": store.name,
                "file": str(file),
                "entries": done.entries,
                "digest": done.digest,
                "store_id": done.store_id,
                "epoch": done.epoch,
            }
    _show(facts, as_json=as_json)


# What they share.


def _url(given: str | None) -> str:
    from zvt_trading.adapters.store.opening import default_url

    return given if given is not None else default_url()


def _store(url: str, *, any_version: bool = False) -> AbstractContextManager[Store]:
    """A store that is there, closed in the end."""
    from zvt_trading.adapters.store.opening import open_existing

    return closing(open_existing(url, any_version=any_version))


class _Bars:
    """Bars of progress, one after the other: each begins where the one before is over."""

    def __init__(self) -> None:
        self._shown = ExitStack()
        self._label = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.close()

    def bar(self, label: str) -> OnProgress:
        """A bar that shows from its first report on."""
        reporter = ProgressReporter(Console(stderr=True), label)

        def tell(done: int, total: int) -> None:
            if self._label != label:
                self._shown.close()
                self._shown.enter_context(reporter)
                self._label = label
            reporter(done, total)

        return tell


def _identity(store: Store) -> Facts:
    info = store.info()
    return {"store": store.name, "store_id": info.store_id, "engine_tag": info.engine_tag}


def _extent(store: Store) -> Facts:
    """How much there is."""
    from zvt_trading.runtime.projections.values import moment

    first = next(store.entries(0, 1), None)
    last = store.last()
    entries = last.seq if last is not None else 0
    projected = store.info().projected_seq
    return {
        "entries": entries,
        "first_at": moment(first.ts) if first is not None else None,
        "last_at": moment(last.ts) if last is not None else None,
        "tables_behind": entries - max(0, projected),
        "is_import_unfinished": projected == IMPORTING,
        "snapshots": store.snapshots(),
    }


def _lease(lease: LeaseState) -> Facts:
    """Who has it, and whether that one is thought to be alive."""
    until = datetime.fromisoformat(lease.expires_at) if lease.expires_at is not None else None
    is_used = bool(lease.owner) and (until is None or until > datetime.now(UTC))
    return {
        "epoch": lease.epoch,
        "is_in_use": is_used,
        "used_by": lease.owner or None,
        "used_since": lease.acquired_at if lease.owner else None,
        "last_heard_of": lease.renewed_at if lease.owner else None,
        "lease_runs_out": lease.expires_at,
    }


def _show(facts: Facts, *, as_json: bool) -> None:
    """One object, or a line a fact; what is a list has a line for each of its own."""
    if as_json:
        typer.echo(json.dumps(facts))
        return
    width = max(len(name) for name in facts) + 2
    for name, value in facts.items():
        label = name.replace("_", " ").ljust(width)
        for line in _texts(value):
            typer.echo(f"{label}{line}")
            label = " " * width


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(part) for part in value] or ["none"]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return ["-" if value is None else str(value)]
