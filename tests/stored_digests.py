"""The same journal on every store: the same rows, the same state; see digests.py.

Journals of simulated engines are written by the product's own writer, group after group, and read
back in the order of their keys. What is a store's own is left out: OWN.
"""

import sys
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from conftest import on_ci
from proof.stores import POSTGRESQL, SQLITE, Stores
from simulation.crashes import Crashes
from simulation.harness import Run
from zvt_trading.adapters.store.opening import open_store
from zvt_trading.core.snapshot import digest
from zvt_trading.messages.events import Event
from zvt_trading.ports.store import Row, Store
from zvt_trading.ports.tables import COLUMNS, KEYS
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.recovery import recover

SEEDS: Final = (1, 2, 3)
STEPS: Final = 200
GROUP: Final = 7

OWN: Final = ("store_id", "engine_tag")
"""What a store is given when it is made. Everything else in it comes from its journal, ids too; but
for who had the lease when, which is not looked at."""


class StoresDifferError(Exception):
    """Two stores have made something else of one journal."""


def lines() -> Iterator[str]:
    """`name=digest` for each journal and store; StoresDifferError when the stores disagree."""
    with TemporaryDirectory() as folder, Stores(Path(folder)) as stores:
        kinds = [SQLITE, *([POSTGRESQL] if _is_reachable(stores) else [])]
        for seed in SEEDS:
            events = journal(seed)
            found = {}
            for kind in kinds:
                url = stores.fresh(kind, Path(folder) / f"{kind}_{seed}")
                live(url, events)
                found[kind] = stored_digest(url)
                yield f"stored_{seed}_{kind}={found[kind]}"
            if len(set(found.values())) > 1:
                raise StoresDifferError(f"journal {seed}: {found}")


def _is_reachable(stores: Stores) -> bool:
    """Whether there is a PostgreSQL; on CI there must be."""
    problem = stores.server_problem()
    if problem and on_ci():
        raise RuntimeError(problem)
    if problem:
        sys.stderr.write(f"{problem}\n")
    return not problem


def journal(seed: int) -> list[Event]:
    """The durable events of an engine that died now and then."""
    run = Run(seed, STEPS, None, None, Crashes(seed))
    result = run.go()
    if result.problems:
        raise AssertionError(result.message())
    return run.journal


def live(url: str, events: list[Event]) -> None:
    """These events happen to an engine with the store of a URL, which then closes in order."""
    store = open_store(url)
    keeper = Keeper(store, recover(store, "digests"), lambda: 0.0)
    keeper.start()
    for at in range(0, len(events), GROUP):
        if not keeper.commit(events[at : at + GROUP]):
            raise AssertionError(keeper.problem())
    keeper.close()


def stored_digest(url: str) -> str:
    """Of all that is in a store, and of the state that an engine gets out of it."""
    hashed = blake2b(digest_size=16)
    store = open_store(url)
    try:
        for line in _content(store):
            hashed.update(line.encode() + b"\n")
    finally:
        store.close()
    return hashed.hexdigest()


def _content(store: Store) -> Iterator[str]:
    info = store.info()
    yield repr([getattr(info, name) for name in info.__struct_fields__ if name not in OWN])
    for entry in store.entries(0):
        yield repr(entry)
    for seq in store.snapshots():
        yield repr(store.snapshot(seq))
    for table, columns in COLUMNS.items():
        yield table
        key = [columns.index(name) for name in KEYS[table]]
        rows = [_canonical(row) for row in store.read(table, columns, None)]
        for row in sorted(rows, key=lambda row: _key_of(row, key)):
            yield repr(row)
    core = recover(store, "digests").core
    yield digest(core.state, core.risk)


def _canonical(row: Row) -> Row:
    """SQLite has no booleans: they are 0 and 1."""
    return tuple(str(int(value) if isinstance(value, bool) else value) for value in row)


def _key_of(row: Row, columns: list[int]) -> Row:
    return tuple(row[column] for column in columns)
