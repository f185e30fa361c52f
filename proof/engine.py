"""One life of the engine's process: start on what the store has, trade at random, end or die."""

import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog

from proof.plants import PLANTS
from proof.points import Point, Points
from proof.remote import Connection, RemoteVenue
from simulation.walk import Walk
from simulation.wishes import Wishes
from simulation.worlds import MILLISECOND, START, World, add_venues, open_for_business
from zvt_trading.adapters.store.opening import parse_url
from zvt_trading.adapters.store.postgres_store import PostgresStore
from zvt_trading.adapters.store.sqlite_store import SqliteStore
from zvt_trading.core.invariants import problems
from zvt_trading.core.rng import Rng
from zvt_trading.core.snapshot import digest
from zvt_trading.core.units import SECOND
from zvt_trading.ports.store import Changes, EntryRow
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.memory import StoredMemory
from zvt_trading.runtime.recovery import recover
from zvt_trading.sim.parcels import POLL_EVERY
from zvt_trading.sim.simulation import Simulation

PAUSES: Final = (0, 1, 5, 20, 100, 300, 700, 2_000)  # milliseconds between two steps
SETTLE_LIMIT: Final = 600 * SECOND
ROUNDS_TO_SETTLE: Final = 20


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """What one process is to do.

    The n-th `number` of a seed trades differently from the one before. `dies_at` is the point at
    which it kills itself. With `settles` the faults of the links stop after the last step, and
    everything is found out. `effects` is a file for what leaves, `plant` the name of a sabotage.
    """

    seed: int
    number: int
    url: str
    socket: str
    steps: int
    dies_at: Point | None = None
    settles: bool = False
    effects: str = ""
    plant: str = ""
    snapshot_every: int = 40


class Report(msgspec.Struct):
    """What a process that ended by itself says: the points it came by, and what it believed."""

    visits: list[Point]
    seq: int
    digest: str


Watched = SqliteStore | PostgresStore


def open_watched(url: str, points: Points) -> Watched:
    """The store, without looking at its schema (its maker did), with a point at every write."""
    parsed = parse_url(url)
    store: Watched
    if parsed.get_backend_name() == "sqlite":
        store = SqliteStore(Path(parsed.database or ""))
    else:
        store = PostgresStore(parsed)
    for name in ("acquire", "renew", "release"):
        _watch(store, name, name, points)
    _watch(store, "save_snapshot", "snapshot", points)
    _watch(store, "insert_entries", "statement", points)  # inside the transaction
    _watch(store, "_write", "tables, inside the transaction", points)
    _watch_append(store, points)
    return store


def _watch(store: Watched, method: str, name: str, points: Points) -> None:
    inner = getattr(store, method)

    def watched(*arguments: object) -> object:
        points.reach(f"{name}: before")
        found: object = inner(*arguments)
        points.reach(f"{name}: after")
        return found

    setattr(store, method, watched)


def _watch_append(store: Watched, points: Points) -> None:
    """Two names: what the engine waits for, and what the store's thread does in idle time."""
    inner = store.append

    def append(entries: Sequence[EntryRow], changes: Changes | None) -> None:
        name = "commit" if entries else "tables"
        points.reach(f"{name}: before")
        inner(entries, changes)
        points.reach(f"{name}: after")

    store.append = append  # type: ignore[method-assign]  # what is watched stays a store


class Engine:
    """The process's own objects."""

    def __init__(self, life: Life, points: Points) -> None:
        self.life = life
        self.points = points
        self.world = World(life.seed)
        add_venues(self.world)
        store = open_watched(life.url, points)
        self.recovered = recover(store, f"life-{life.number}")
        self.keeper = Keeper(
            store, self.recovered, time.monotonic, snapshot_every=life.snapshot_every
        )
        self.connection = Connection(Path(life.socket), points)
        self.simulation = self._simulation()
        self.world.simulation = self.simulation

    def _simulation(self) -> Simulation:
        """The venues of the seed, elsewhere, over links as bad as the seed says."""
        life = self.life
        core = self.recovered.core
        simulation = Simulation(core)
        simulation.now = START
        rng = Rng(life.seed).fork(1_000 + life.number)
        for venue, port in self.world.simulation.ports.items():
            remote = RemoteVenue(venue, self.connection)
            simulation.add_venue(remote, port.outward.profile, port.inward.profile, rng)
        simulation.now = max(START, core.state.ts, self.connection.now()) + 1
        return simulation

    def run(self) -> None:
        """From the start to the end; raises AssertionError when something does not hold."""
        life = self.life
        is_new = StoredMemory(self.recovered, self.keeper).begin(self.simulation)
        self.simulation.flush()
        if not is_new:
            self.simulation.recover(self.recovered.moves)
        if self.simulation.core.state.portfolios:
            self.world.portfolios = tuple(self.simulation.core.state.portfolios)
        else:
            open_for_business(self.world)
        self.world.rng = Rng(life.seed).fork(life.number)
        walk = Walk(self.world.specs, self.world.rng.fork(3))
        wishes = Wishes(self.world, walk)
        for message in walk.first(self.simulation.now + 1):
            self.simulation.feed(message)
        for _ in range(life.steps):
            self.step(walk, wishes)
        if life.settles:
            self.settle()
        broken = problems(self.simulation.core.state)
        assert not broken, broken
        self.keeper.close()

    def step(self, walk: Walk, wishes: Wishes) -> None:
        """Time passes, the market moves, somebody may want something."""
        rng = self.world.rng
        pause = PAUSES[rng.below(len(PAUSES))] * MILLISECOND
        self.simulation.feed(walk.next(self.simulation.now + pause))
        if rng.chance(1, 3):
            self.simulation.tick()
        if rng.chance(3, 4):
            self.simulation.command(wishes.next())

    def settle(self) -> None:
        """The faults stop, and everything is found out."""
        simulation = self.simulation
        simulation.mend_links()
        for _ in range(ROUNDS_TO_SETTLE):
            simulation.settle(SETTLE_LIMIT)
            simulation.tick()
            simulation.advance(simulation.now + POLL_EVERY + SECOND)
            if simulation.is_settled() and not simulation.core.state.suspended:
                break
        assert simulation.is_settled(), "I3: not every order has an outcome"
        assert not simulation.core.state.suspended, "I16: suspended though the faults are over"


def live(life: Life) -> Report:
    """A whole life in this process."""
    if life.plant:
        PLANTS[life.plant].carry_out()
    points = Points(life.dies_at, Path(life.effects) if life.effects else None)
    engine = Engine(life, points)
    engine.run()
    core = engine.simulation.core
    return Report(points.visits, core.state.seq, digest(core.state, core.risk))


def in_child(life: Life, report: Path) -> int:
    """Fork a process that lives this life; its id. What it says at the end is in `report`."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        code = live_and_tell(life, report)
    finally:
        os._exit(code)


def live_and_tell(life: Life, report: Path) -> int:
    """The exit code; the report is a Report, or what went wrong. The log is beside it."""
    log = report.with_suffix(".log").open("a", encoding="utf-8")
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(log))
    try:
        said = msgspec.json.encode(live(life))
    except Exception:  # noqa: BLE001 - whatever it is, the parent judges
        report.write_text(traceback.format_exc(), encoding="utf-8")
        return 1
    report.write_bytes(said)
    return 0


if __name__ == "__main__":
    sys.exit(live_and_tell(msgspec.json.decode(sys.argv[1], type=Life), Path(sys.argv[2])))
