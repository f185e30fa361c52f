"""An engine and one simulated venue, with links that a test makes good or bad by the second."""

from typing import Any

import msgspec
from venue_world import BTC, ME, PERP_ID, PERP_SPEC, SPOT_ID, SPOT_SPEC, USDT

from zvt_trading.core.rng import Rng
from zvt_trading.core.state import Order
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import BUY, LIMIT, MARKET, SCOPE_GLOBAL
from zvt_trading.messages.commands import (
    Deposit,
    LimitSet,
    ListInstrument,
    OpenPortfolio,
    SetLimits,
    SubmitOrder,
)
from zvt_trading.messages.events import Event, HistoryRead
from zvt_trading.messages.market import QuoteTick
from zvt_trading.sim.exchange import DUPLICATE_EVER, SimExchange
from zvt_trading.sim.fills import RecordedMarket
from zvt_trading.sim.link import Link, LinkProfile
from zvt_trading.sim.simulation import Simulation

START = 1_000 * SECOND
MS = SECOND // 1_000
NEVER = 10**12 * SECOND
PERFECT = LinkProfile()
SLOW = LinkProfile(MS, MS)
# Good all the time, yet nobody can know: this side watches for lost messages.
WATCHED = LinkProfile(MS, MS, disconnects=((NEVER, NEVER + 1),))
DEAD = LinkProfile(loss_ppm=1_000_000)
LOOSE = LimitSet(
    scope=SCOPE_GLOBAL, data_age_ms_max=10**9, duplicate_window_ms=0, allocation_bps_max=10**7,
    leverage_max=1_000, collar_bps=5_000,
)  # fmt: skip


class Rig:
    """Spot and perpetual at "binance", 1,000,000 USDT and 100 BTC, quoted 100.00 / 100.10."""

    def __init__(
        self,
        outward: LinkProfile = WATCHED,
        inward: LinkProfile = WATCHED,
        policy: int = DUPLICATE_EVER,
        *,
        holds_stops: bool = False,
    ) -> None:
        self.core = TradingCore()
        self.simulation = Simulation(self.core)
        self.simulation.now = START
        self.exchange = SimExchange("binance", policy)
        self.events: list[Any] = []  # Any: tests read the fields of the event they expect
        self.simulation.subscribers.append(self.events.append)
        self.simulation.add_venue(self.exchange, outward, inward, Rng(1))
        for template in (SPOT_SPEC, PERP_SPEC):
            spec = msgspec.structs.replace(template, stops_held_by_venue=holds_stops)
            self.exchange.list_instrument(spec, RecordedMarket(spec.tick))
            self.simulation.command(ListInstrument(spec))
        self.simulation.command(SetLimits(LOOSE))
        self.simulation.command(OpenPortfolio(ME, "USDT", 8))
        self.simulation.command(Deposit(ME, "binance", "USDT", 1_000_000 * USDT))
        self.simulation.command(Deposit(ME, "binance", "BTC", 100 * BTC))
        self.quote(10_000, 10_010)
        self.quote(10_000, 10_010, PERP_ID)
        self.events.clear()

    @property
    def port(self) -> Any:
        """The links, to be replaced."""
        return self.simulation.ports["binance"]

    def outward(self, profile: LinkProfile) -> None:
        """From now on requests travel like this."""
        self.port.outward = Link(profile, Rng(2))

    def inward(self, profile: LinkProfile) -> None:
        """From now on reports travel like this."""
        self.port.inward = Link(profile, Rng(3))

    def quote(self, bid: int, ask: int, instrument: str = SPOT_ID, size: int = 1_000) -> None:
        """The market's touch becomes this."""
        self.simulation.feed(QuoteTick(instrument, bid, size, ask, size, self.simulation.now))

    def wait(self, seconds: int = 0, milliseconds: int = 0) -> None:
        """Time passes."""
        self.simulation.advance(self.simulation.now + seconds * SECOND + milliseconds * MS)

    def buy(self, price: int = 0, quantity: int = 100, **fields: Any) -> str:
        """A limit order when it has a price, a market order otherwise; its id."""
        request = SubmitOrder(
            ME, fields.pop("instrument", SPOT_ID), fields.pop("side", BUY),
            fields.pop("type", LIMIT if price else MARKET), quantity, price, **fields,
        )  # fmt: skip
        return self.simulation.submit(request)

    def resting(self) -> str:
        """A buy order of 0.100 at 99.00 that the venue has, and we know."""
        order_id = self.buy(9_900)
        self.wait(milliseconds=10)
        return order_id

    def order(self, order_id: str) -> Order:
        """The engine's order."""
        return self.core.state.orders[order_id]

    def names(self) -> list[str]:
        """The kinds of the events so far, in order, without how far histories were read."""
        return [type(event).__name__ for event in self.events if type(event) is not HistoryRead]

    def last(self, kind: type[Event]) -> Any:
        """The latest event of a kind."""
        return [event for event in self.events if isinstance(event, kind)][-1]
