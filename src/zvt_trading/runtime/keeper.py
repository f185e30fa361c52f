"""Keeps the journal: groups of events in, one commit a group, tables and snapshots behind.

    keeper.commit(events)   waits until they are durable (or says that they are not)

A thread of its own commits the groups; when none has come for some milliseconds it writes what the
events did to the tables; now and then it saves a snapshot, and it keeps the lease. Where the store
is at hand (a file), the engine's thread commits by itself while the other one rests: waking it, and
being woken, takes as long as the disk. When the store cannot take something the thread goes on
trying, in order, and finds out by the entries' numbers and checksums what had been kept after all.
"""

from collections import deque
from collections.abc import Callable
from threading import Condition, Lock, Thread
from traceback import format_exception
from typing import Final

import structlog

from zvt_trading.core.journal import Journal
from zvt_trading.messages.events import Event
from zvt_trading.ports.store import (
    Entry,
    EntryRow,
    FencedError,
    Store,
    StoreError,
    StoreFailedError,
    StoreUnavailableError,
)
from zvt_trading.runtime.recovery import Recovered
from zvt_trading.runtime.snapshots import EVERY, Snapshots
from zvt_trading.runtime.table_writer import BEHIND_MAX, SLICE, TableWriter

COMMIT_SECONDS: Final = 5
"""How long a commit is waited for before the engine goes on without it, as in an outage."""
HANG_SECONDS: Final = 15
"""How long a try in an outage may take; a server gives a statement up before that, and says why."""
RETRY_MS: Final = 500
"""Between two tries while the store cannot be used."""
IDLE_MS: Final = 20
"""After this long without events the tables are brought up to date."""
RENEW_SECONDS: Final = 4
"""How often the lease is renewed at least."""

Monotonic = Callable[[], float]

_log = structlog.get_logger("zvt_trading.store")


class _Group:
    """Events that are committed together, and whether they are."""

    __slots__ = ("done", "events", "is_kept")

    def __init__(self, events: list[Event]) -> None:
        self.events = events
        self.is_kept = False
        self.done = Lock()
        self.done.acquire()


class Keeper(Journal):
    """See the module."""

    def __init__(
        self,
        store: Store,
        recovered: Recovered,
        monotonic: Monotonic,
        *,
        commit_seconds: int = COMMIT_SECONDS,
        retry_ms: int = RETRY_MS,
        snapshot_every: int = EVERY,
    ) -> None:
        """Go on where the store ended."""
        self.store = store
        self._chain = recovered.chain
        snapshots = Snapshots(store, recovered.snapshot_seq, every=snapshot_every)
        self._tables = TableWriter(store, recovered.projector, snapshots, recovered.behind)
        self._tables.problem = recovered.tables_problem
        self._monotonic = monotonic
        self._commit_seconds = commit_seconds
        self._retry_seconds = retry_ms / 1000
        self._is_at_hand = store.is_at_hand
        self._wake = Condition()
        self._using = Lock()  # the store, by one thread at a time
        self._queue: deque[_Group] = deque()
        self._kept = 0  # groups
        self._kept_before = 0  # at the thread's last look
        self._is_dozing = False  # the thread waits for long
        self._backlog: list[EntryRow] = []  # not known to be durable, oldest first
        self._backlog_events: list[Event] = []
        self._needs_reopen = False
        self._waiting = 0
        self._problem = ""
        self._failure: StoreError | None = None  # for good
        self._is_down = False  # as far as the engine knows, or finds out with the next group
        self._is_told = False  # the engine knows
        self._began: float | None = None  # when the thread began what it does
        self._is_closing = False
        self._renewed = monotonic()
        self._thread = Thread(target=self._run, name="zvt-trading-store", daemon=True)

    # For the engine's thread.

    def start(self) -> None:
        """Begin to take events."""
        self._thread.start()

    def commit(self, events: list[Event]) -> bool:
        """Make a group durable; False in an outage. FencedError when another engine writes."""
        if self._is_down and not self._is_told:
            self.is_up()  # an outage that came and went while nobody wanted anything is none
        group = _Group(events)
        with self._wake:
            self._waiting += len(events)
            self._queue.append(group)
            is_down = self._is_down
            if is_down:
                self._wake.notify()  # the outage may be over, and the thread asleep
        if not (is_down or self._commit_here() or self._commit_there(group)):
            name = self.store.name
            self._go_down(f"{name} has not answered for {self._commit_seconds} s: check its load")
            self.store.interrupt()
        if isinstance(self._failure, FencedError):
            raise self._failure
        self._is_told = is_down or not group.is_kept
        return not self._is_told

    def _commit_there(self, group: _Group) -> bool:
        """On the thread; False when it has not answered in time."""
        with self._wake:
            self._wake.notify()
        return group.done.acquire(timeout=self._commit_seconds)

    def _commit_here(self) -> bool:
        """On this thread, when the store is at hand and nobody uses it; whether it was done."""
        if not self._is_at_hand or not self._using.acquire(blocking=False):
            return False
        try:
            groups = list(self._queue)
            if not groups or self._needs_reopen or self._failure is not None:
                return False
            self._queue.clear()
            self._keep(groups)
            if self._is_dozing:
                with self._wake:
                    self._wake.notify()
        finally:
            self._using.release()
        return True

    def is_up(self) -> bool:
        """Whether everything is durable, and the store at work."""
        with self._wake:
            is_back = not (self._waiting or self._needs_reopen or self._failure is not None)
            if self._is_down and is_back:
                self._is_down = False
                self._is_told = False
                self._problem = ""
                _log.warning("the store has everything again", store=self.store.name)
            is_up = not self._is_down
        if not is_up:
            self._end_hanging()
        return is_up

    def _end_hanging(self) -> None:
        """Nobody waits for a try in an outage: one that hangs is given up, for the next."""
        began = self._began
        if began is not None and self._monotonic() - began > HANG_SECONDS:
            self._began = None
            self.store.interrupt()

    def problem(self) -> str:
        """Why it is down, and what to do."""
        return self._problem

    def waiting(self) -> int:
        """Events that are not durable."""
        return self._waiting

    def tables_problem(self) -> str:
        """Why the tables are no longer brought up to date; "" when they are."""
        return self._tables.problem

    def close(self) -> None:
        """Bring everything to the disk and give the store back. Repeatable."""
        if self._thread.ident is None:  # nothing has begun
            self.store.close()
            return
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        while self._thread.is_alive():
            self._thread.join(HANG_SECONDS)
            self._end_hanging()

    # The thread.

    def _run(self) -> None:
        try:
            while not self._turn():
                pass
            self._finish()
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine must learn of it
            self._fail_by_bug(error)
        finally:
            self.store.close()

    def _turn(self) -> bool:
        """Commit what is queued, else use the time; True when it is time to close."""
        self._rest()
        with self._using:
            self._began = self._monotonic()
            with self._wake:
                groups = list(self._queue)
                self._queue.clear()
            if groups or self._backlog or self._needs_reopen:
                self._keep(groups)
            try:
                self._renew()
                self._use_gap()
            except StoreError as error:
                self._note(error)
            self._began = None
        with self._wake:
            is_stuck = self._needs_reopen or self._failure is not None
            return self._is_closing and (is_stuck or not (self._queue or self._backlog))

    def _rest(self) -> None:
        """Wait for events, but not longer than something else is due."""
        with self._wake:
            if self._needs_reopen or self._failure is not None:
                self._wake.wait_for(lambda: self._is_closing, self._retry_seconds)
            elif not self._queue and not self._is_closing:
                patience = self._patience()
                self._is_dozing = patience > 1
                self._wake.wait(patience)
                self._is_dozing = False

    def _patience(self) -> float:
        """Seconds to wait for events before something else is done."""
        if self._backlog or self._tables.behind > BEHIND_MAX:
            return 0
        return IDLE_MS / 1000 if self._tables.has_work else RENEW_SECONDS

    def _keep(self, groups: list[_Group]) -> None:
        """One commit of everything that is not durable; whatever happens, nobody waits on."""
        is_kept = False
        try:
            is_kept = self._keep_all(groups)
        except Exception as error:  # noqa: BLE001 - whatever it is, the engine must learn of it
            self._fail_by_bug(error)
        self._kept += len(groups)
        for group in groups:
            group.is_kept = is_kept
            group.done.release()

    def _keep_all(self, groups: list[_Group]) -> bool:
        """Whether everything is durable now."""
        if self._failure is not None:
            return False
        for group in groups:
            self._backlog.extend(self._chain.entries(group.events))
            self._backlog_events.extend(group.events)
        if not self._try_to_keep():
            return False
        with self._wake:
            self._waiting -= len(self._backlog)
        if self._backlog:
            self._tables.add(self._backlog_events, self._backlog)
            self._backlog = []
            self._backlog_events = []
        return True

    def _try_to_keep(self) -> bool:
        try:
            missing = self._backlog
            if self._needs_reopen:
                self.store.reopen()
                missing = self._not_kept()
                self._tables.find_out()
                self._needs_reopen = False
            self._tables.append_with(missing)
        except StoreError as error:
            self._note(error)
            return False
        return True

    def _not_kept(self) -> list[EntryRow]:
        """Of what was under way when the store failed, what it has not got: by number and sum."""
        if not self._backlog:
            return []
        backlog = [Entry._make(row) for row in self._backlog]
        stored = self.store.checksums(backlog[0].seq, backlog[-1].seq)
        found = {seq: (epoch, checksum) for seq, epoch, checksum in stored}
        for entry in backlog:
            known = found.get(entry.seq)
            if known is not None and known != (entry.epoch, entry.checksum):
                raise FencedError(
                    f"{self.store.name} has another entry {entry.seq}, of epoch {known[0]}: this "
                    "engine must stop"
                )
        return [entry for entry in backlog if entry.seq not in found]

    def _renew(self) -> None:
        now = self._monotonic()
        if now - self._renewed >= RENEW_SECONDS and not self._needs_reopen:
            self._renewed = now
            if self._failure is None:
                self.store.renew()

    def _use_gap(self) -> None:
        """What is not urgent, when no group has come for a while."""
        if self._queue or self._needs_reopen or self._failure is not None or self._backlog:
            return
        is_idle = self._kept == self._kept_before
        self._kept_before = self._kept
        is_late = self._tables.behind > BEHIND_MAX
        if is_idle or is_late:
            self._tables.prepare(SLICE)
            self._tables.write()
        if is_idle and not self._tables.has_work:
            self.store.rest()

    def _finish(self) -> None:
        """The last tables, a snapshot, and the lease back."""
        if self._needs_reopen or self._failure is not None:
            _log.critical(
                "closed with events that are not durable",
                store=self.store.name,
                events=self._waiting,
                problem=self._problem,
            )
            return
        try:
            self._tables.finish()
            self.store.release()
        except StoreError as error:
            _log.error("the store could not be closed in order", error=str(error))

    def _note(self, error: StoreError) -> None:
        """The store could not do something: for now, or for good."""
        if isinstance(error, StoreUnavailableError):
            if not self._needs_reopen:
                _log.error("the store cannot be used", error=str(error))
            self._needs_reopen = True
            self._go_down(str(error))
        else:
            self._fail(error)

    def _fail_by_bug(self, error: Exception) -> None:
        """An error of our own: nothing more is kept, since nobody knows what was."""
        _log.critical("a bug in keeping events", traceback="".join(format_exception(error)))
        self._fail(StoreFailedError(f"{self.store.name}: {type(error).__name__}: {error}"))

    def _fail(self, error: StoreError) -> None:
        self._failure = error
        _log.critical("the store failed for good", error=str(error))
        self._go_down(str(error))
        with self._wake:
            groups = list(self._queue)
            self._queue.clear()
        for group in groups:
            group.done.release()

    def _go_down(self, problem: str) -> None:
        with self._wake:
            self._is_down = True
            self._problem = problem
