"""Live time: the same engine and world, driven by the clock and by what venues say.

The event loop's thread talks to the venues and puts what they say into an inbox; the engine is
given all that is there as one group, by whoever serves the desk. Callers wait outside, so that the
engine never waits for a venue.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from zvt_trading.core.order_ids import is_ours
from zvt_trading.core.units import SECOND
from zvt_trading.errors import CallerError, EngineError
from zvt_trading.messages.market import InstrumentSpec, MarketData
from zvt_trading.messages.reports import Report
from zvt_trading.ports.store import FencedError
from zvt_trading.ports.venue import OrderRef, Owner, VenueGateway
from zvt_trading.runtime.desk import Desk
from zvt_trading.runtime.live_venue import LiveVenue, News
from zvt_trading.runtime.loop_thread import LoopThread
from zvt_trading.runtime.tracebacks import stack_of
from zvt_trading.runtime.waiters import Waiters
from zvt_trading.runtime.world import Guarded, World
from zvt_trading.sim.parcels import Timing
from zvt_trading.sim.remote import read_now
from zvt_trading.sim.simulation import Simulation

HEARTBEAT_NS: Final = SECOND // 20
"""How often the engine looks at the clock when nothing happens."""
_log = structlog.get_logger("zvt_trading.live")


class NoFeed:
    """Live markets come by the inbox."""

    def __iter__(self) -> "NoFeed":
        return self

    def __next__(self) -> MarketData:
        raise StopIteration

    def progress(self) -> tuple[int, int]:
        """Never over."""
        return 0, 0


class LiveWorld(World):
    """Venues, the loop they live on, and the clock; it begins to move with `go`."""

    is_live = True

    def __init__(
        self,
        simulation: Simulation,
        loop: LoopThread,
        clock: Callable[[], int],
        order_wait_seconds: float = 10,
    ) -> None:
        super().__init__(simulation, NoFeed())
        self.loop: Final = loop
        self.waiters: Final = Waiters()
        self.order_wait_seconds: Final = order_wait_seconds
        self.gateways: list[VenueGateway] = []
        self._clock = clock
        self._inbox: deque[News] = deque()
        self._is_called = False  # the engine will look into the inbox
        self._desk: Desk | None = None
        self._guarded: Guarded | None = None
        self._is_open = False
        self._is_broken = False

    def add_venue(self, gateway: VenueGateway, timing: Timing) -> None:
        """Trade at a venue; before `go`."""
        venue = LiveVenue(gateway, self.simulation.core.state, self.loop.spawn, self.post)
        self.gateways.append(gateway)
        self.simulation.add_remote(venue, timing)

    def add_feed(self, gateway: VenueGateway) -> None:
        """Only hear a venue's market, which moves a simulated one; before `go`."""
        self.gateways.append(gateway)

    def go(self, desk: Desk, guarded: Guarded) -> None:
        """From now on the engine hears of its venues, through this desk."""
        self._desk = desk
        self._guarded = guarded
        self._is_open = True
        for gateway in self.gateways:
            self.loop.spawn(gateway.open(self.specs_at(gateway.venue), self))
        self.loop.call(self._beat)

    def specs_at(self, venue: str) -> list[InstrumentSpec]:
        """What is traded at a venue."""
        markets = self.simulation.core.state.markets.values()
        return [one.instrument.spec for one in markets if one.instrument.venue == venue]

    def keep_time(self) -> None:
        """The engine's clock is the clock."""
        self.simulation.advance(self._clock())

    def check_money(self, venue: str) -> None:
        """What moves at a live venue is read there: said here too it would be booked twice."""
        if self.simulation.ports[venue].is_remote:
            raise CallerError(
                f"{venue} is live: money is moved there, and found by reading its history"
            )

    def wait(self, done: Callable[[], bool]) -> None:
        """Block until `done`, at most `order_wait_seconds`; not on the engine's own thread."""
        if self._desk is not None and not self._desk.is_served_here():
            self.waiters.wait(done, self.order_wait_seconds)

    async def await_(self, done: Callable[[], bool]) -> None:
        """`wait` for an event loop."""
        await self.waiters.await_(done, self.order_wait_seconds)

    def run_until(self, ts: int) -> bool:
        """Live time passes by itself."""
        return True

    def stop(self) -> None:
        """The last samples; strategies, answers and venues were seen to before."""
        self.stop_strategies()
        self.keep_time()
        self._sample(self.simulation.now, last=True)

    def disconnect(self) -> None:
        """End the venues' connections; nothing is heard of them any more."""
        self._is_open = False
        close_gateways(self.loop, self.gateways)

    # What venues say; on the event loop.

    def reported(self, venue: str, report: Report) -> None:
        """See ports.venue.Sink."""
        self.post(lambda simulation: simulation.reported(report))

    def market(self, message: MarketData) -> None:
        """See ports.venue.Sink."""
        self.post(lambda _: self._take(message))

    def stream_opened(self, venue: str) -> None:
        """See ports.venue.Sink."""
        self.post(lambda simulation: read_now(simulation, venue))

    def ref(self, order_id: str, venue_order_id: str) -> OrderRef | None:
        """See ports.venue.Sink."""
        order = self.simulation.core.state.orders.get(order_id)
        if order is None:
            return None
        return OrderRef(order_id, venue_order_id or order.venue_order_id, order.instrument.id)

    def owner(self, order_id: str) -> Owner:
        """See ports.venue.Sink."""
        state = self.simulation.core.state
        if order_id in state.orders:
            return Owner.OURS
        return Owner.ORPHAN if is_ours(order_id, state.engine_tag) else Owner.FOREIGN

    def post(self, news: News) -> None:
        """Into the inbox, from the event loop; an engine that has stopped hears nothing more."""
        if self._is_broken:
            return
        self._inbox.append(news)
        self._call_engine()

    def _beat(self) -> None:
        """Time passes, also when nobody says anything."""
        if self._is_open:
            self._call_engine()
            self.loop.loop.call_later(HEARTBEAT_NS / SECOND, self._beat)

    def _call_engine(self) -> None:
        if self._is_called or self._desk is None or not self._is_open:
            return
        self._is_called = True
        future = self._desk.call(self._begin)
        future.add_done_callback(self._concluded)

    def _concluded(self, future: object) -> None:
        error = future.exception()  # type: ignore[attr-defined]  # a Future of the desk
        if error is not None:
            _log.critical("the engine does not hear its venues", stack=stack_of(error))
            if isinstance(error, EngineError | FencedError):  # it takes nothing any more
                self._is_broken = True
                self._inbox.clear()

    # The engine's thread.

    def _begin(self) -> Callable[[], None]:
        if self._guarded is not None:
            self._guarded(self._take_all)
        return self.waiters.check

    def _take_all(self) -> None:
        """Everything that was said, as one group."""
        self._is_called = False
        if not self._is_open:
            return
        self.keep_time()
        inbox = self._inbox
        simulation = self.simulation
        for _ in range(len(inbox)):
            inbox.popleft()(simulation)
        if simulation.now >= self._next_tick:
            self._tick(simulation.now)

    def _take(self, message: MarketData) -> None:
        self.messages += 1
        self.simulation.feed(message)
        for observer in self.observers:
            observer(message)
        for runner in self.runners:
            runner.market(message)


class Closes(Protocol):
    """A venue's connections."""

    async def close(self) -> None:
        """End them."""


def close_gateways(loop: LoopThread, gateways: Sequence[Closes]) -> None:
    """End what is under way, the connections, and the thread they live on."""
    try:
        loop.finish()
        loop.run(_close_all(gateways))
    finally:
        loop.stop()


async def _close_all(gateways: Sequence[Closes]) -> None:
    for gateway in gateways:
        await gateway.close()
