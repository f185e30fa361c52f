"""An engine whose simulated venues died with it, and the next one with new venues."""

from typing import Final

from zvt_trading.core.invariants import problems
from zvt_trading.core.reconcile import differences
from zvt_trading.core.restore import forget_prices
from zvt_trading.core.rng import Rng
from zvt_trading.core.state import Order
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import SECOND
from zvt_trading.messages.events import Event
from zvt_trading.messages.market import QuoteTick
from zvt_trading.runtime.snapshots import copy_core
from zvt_trading.sim.adoption import adopt
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.fills import RecordedMarket
from zvt_trading.sim.link import LinkProfile
from zvt_trading.sim.simulation import Simulation

EPOCH: Final = 9
SETTLE: Final = 600 * SECOND
POLLS: Final = 60 * SECOND
"""Long enough for every venue to be read, more than once."""


class Heir:
    """The next life of a core, a second later."""

    def __init__(self, dead: TradingCore, now: int, link: LinkProfile) -> None:
        self.core = copy_core(dead, 0)
        forget_prices(self.core.state)
        self.simulation = Simulation(self.core)
        self.simulation.now = now + SECOND
        self.exchanges: dict[str, SimExchange] = {}
        self.events: list[Event] = []
        self.simulation.subscribers.append(self.events.append)
        for market in self.core.state.markets.values():
            spec = market.instrument.spec
            exchange = self.exchanges.get(spec.venue)
            if exchange is None:
                exchange = SimExchange(spec.venue)
                self.exchanges[spec.venue] = exchange
                self.simulation.add_venue(exchange, link, link, Rng(1))
            exchange.list_instrument(spec, RecordedMarket(spec.tick))
        self.core.control.start(EPOCH)
        for exchange in self.exchanges.values():
            for report in adopt(exchange, self.core.state, self.simulation.now):
                self.core.report(self.simulation.now, report)
        self.simulation.recover([])

    def find_out(self) -> None:
        """Ask the venues until all is known."""
        self.simulation.settle(SETTLE)
        self.wait(POLLS)

    def wait(self, duration: int) -> None:
        """Time passes; what the venues' clocks end in it is known here as well."""
        self.simulation.advance(self.simulation.now + duration)
        self.simulation.tick()
        self.simulation.advance(self.simulation.now + SECOND)

    def quote(self, instrument: str, bid: int, ask: int) -> None:
        """The market's touch becomes this."""
        self.simulation.feed(QuoteTick(instrument, bid, 1_000, ask, 1_000, self.simulation.now))

    def order(self, order_id: str) -> Order:
        """The engine's order."""
        return self.core.state.orders[order_id]

    def problems(self) -> list[str]:
        """What engine and venues do not agree on, and what either has wrong; [] when nothing."""
        state = self.core.state
        found = problems(state)
        if state.suspended:
            found.append(f"suspended: {state.suspended}")
        for exchange in self.exchanges.values():
            found.extend(exchange.problems())
            statement = exchange.history(0).statement
            found.extend(str(one) for one in differences(state, exchange.venue, statement))
        return found
