"""Simulated time: a feed, the engine with its venues, strategies, and what happened."""

from collections.abc import Callable, Iterator

from zvt_trading.core.limits import NAME_LENGTH_MAX
from zvt_trading.core.units import SECOND
from zvt_trading.errors import CallerError
from zvt_trading.messages.market import MarketData
from zvt_trading.ports.feed import Feed
from zvt_trading.ports.strategy import StrategyPort
from zvt_trading.runtime.desk import Desk
from zvt_trading.runtime.history import History
from zvt_trading.runtime.memory import Memory
from zvt_trading.runtime.requests import check_name
from zvt_trading.runtime.strategy_runner import StrategyRunner
from zvt_trading.sim.simulation import Simulation

Progress = Callable[[int, int], None]
MarketObserver = Callable[[MarketData], None]

Guarded = Callable[[Callable[[], None]], None]
"""Does what changes the state, as Driver.guarded."""

TICK_NS = SECOND // 10
"""How often the core's clock ticks in simulated time, at least."""
PROGRESS_EVERY = 2_000
"""Messages between two reports of progress."""
SETTLE_WAIT = 60 * SECOND
"""Simulated time that answers under way are waited for at the end."""


class World:
    """Drives everything from one feed; whoever calls it supplies the time."""

    is_live = False

    def __init__(self, simulation: Simulation, feed: Feed, *, keep_history: bool = True) -> None:
        self.simulation = simulation
        self.feed = feed
        self.history = History(simulation.core.state)
        self.runners: list[StrategyRunner] = []
        self.observers: list[MarketObserver] = []
        self.memory = Memory(simulation.core)
        self.messages = 0
        self.order_pace = 0  # time that passes before every order of the front door
        self._messages: Iterator[MarketData] = iter(feed)
        self._next: MarketData | None = None
        self._next_tick = 0
        self._next_sample = 0
        self._exhausted = False
        if keep_history:
            simulation.subscribers.append(self.history)

    def add_strategy(
        self, strategy: StrategyPort, strategy_id: str, portfolio_id: str
    ) -> StrategyRunner:
        """Run a strategy from now on; CallerError when one of this name runs already."""
        check_name("strategy_id", strategy_id)
        if not 0 < len(strategy_id) <= NAME_LENGTH_MAX:
            raise CallerError(
                f"a strategy_id has 1 to {NAME_LENGTH_MAX} characters, not {len(strategy_id)}"
            )
        if any(r.running and r.strategy_id == strategy_id for r in self.runners):
            raise CallerError(f"a strategy {strategy_id!r} is running already")
        runner = StrategyRunner(self.simulation, strategy, strategy_id, portfolio_id)
        self.runners.append(runner)
        self.simulation.subscribers.append(runner.event)
        runner.start()
        return runner

    def peek(self) -> MarketData | None:
        """The next market message; None at the end of the feed."""
        if self._next is None and not self._exhausted:
            self._next = next(self._messages, None)
            self._exhausted = self._next is None
        return self._next

    def step(self) -> bool:
        """Take the next market message; False at the end of the feed."""
        message = self.peek()
        if message is None:
            return False
        self._next = None
        self.messages += 1
        simulation = self.simulation
        if message.ts >= self._next_tick:
            self._tick(message.ts)
        simulation.feed(message)
        for observer in self.observers:
            observer(message)
        for runner in self.runners:
            runner.market(message)
        return True

    def warm_up(self) -> None:
        """Take the first messages until every instrument has a price."""
        markets = self.simulation.core.state.markets.values()
        while not all(market.instrument.mid_twice() for market in markets):
            if not self.step():
                return

    def keep_time(self) -> None:
        """Before a decision; simulated time stands still meanwhile."""

    def check_money(self, venue: str) -> None:
        """CallerError where a caller may not say that money moved."""

    def wait(self, done: Callable[[], bool]) -> None:
        """Wait until `done`; in simulated time everything has happened when a call returns."""

    async def await_(self, done: Callable[[], bool]) -> None:
        """`wait` for an event loop."""

    def go(self, desk: Desk, guarded: Guarded) -> None:
        """The engine is there: a live world begins to move."""

    def disconnect(self) -> None:
        """No more news of venues."""

    def run_until(self, ts: int) -> bool:
        """Let time pass up to `ts`; False when the feed ended before it."""
        while True:
            message = self.peek()
            if message is None or message.ts > ts:
                break
            self.step()
        self.simulation.advance(ts)
        self._tick(ts)
        return not self._exhausted

    def run(self, on_progress: Progress | None = None) -> None:
        """Run the feed to its end, stop the strategies and let what is under way arrive."""
        while self.step():
            if on_progress is not None and self.messages % PROGRESS_EVERY == 0:
                on_progress(*self.feed.progress())
        self.stop()
        if on_progress is not None:
            on_progress(*self.feed.progress())

    def stop_strategies(self) -> None:
        """They take their orders back. Repeatable."""
        for runner in self.runners:
            runner.stop()

    def stop(self) -> None:
        """Stop the strategies, wait for the answers still under way, take the last samples."""
        self.stop_strategies()
        self.simulation.settle(SETTLE_WAIT)
        self._sample(self.simulation.now, last=True)

    def close(self) -> None:
        """After `stop`: what is remembered is brought to its store."""
        self.memory.close()

    def _tick(self, ts: int) -> None:
        simulation = self.simulation
        simulation.advance(ts)
        simulation.tick()
        for runner in self.runners:
            runner.clock()
        self._next_tick = ts + TICK_NS
        if ts >= self._next_sample:
            self._next_sample = ts + SECOND
            self._sample(ts)

    def _sample(self, ts: int, *, last: bool = False) -> None:
        self.history.sample(ts, tuple(self.simulation.core.state.portfolios), last=last)
