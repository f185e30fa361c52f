"""The built-in market: four venues, three symbols, one truth they stray from; nothing recorded.

    market = GeneratedMarket(seed=1, duration_ns=60 * SECOND)
    while messages := market.next_messages():
        ...

The same seed gives the same messages, as long as the same orders of ours arrive at the same times:
`market(instrument_id)` lets them join the matching engines, and the flow that is generated later
meets them. For that step in time, `step(now)`, and not by thousands of messages ahead.
"""

from heapq import heappop, heappush
from typing import Final, final

from zvt_trading.core.rng import Rng
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import SPOT
from zvt_trading.messages.market import FundingRate, InstrumentSpec, MarketData, MarkPrice
from zvt_trading.sim.fills import MatchedMarket
from zvt_trading.sim.flow import FlowMarket
from zvt_trading.sim.fundamental import FINE, STEP_NS, Fundamental, Stray, normal4
from zvt_trading.sim.generated_venues import PRODUCTS, VENUES, listed, spec_of

START_NS: Final = 1_704_067_200 * SECOND
"""When generated time begins unless told: 2024-01-01 00:00 UTC."""
INTERVAL_NS: Final = 40_000_000
"""Mean time between two actions on the most active market."""
MARK_STEPS: Final = 10
"""A mark price every this many steps of the fundamental: once a second."""
FUNDING_NS: Final = 300 * SECOND
"""Funding is settled every five minutes, not eight hours, so that short runs see it."""
_FUNDING_USUAL: Final = 10_000
"""Interest part of the funding rate: a basis point, in units of 1e-8."""
_FUNDING_BOUND: Final = 50_000
_STEP: Final = -1  # index in the queue of the step of the fundamentals


@final
class GeneratedMarket:
    """All generated markets on one clock.

    `duration_ns` bounds the run, `interval_ns` sets its pace (smaller: more messages a second).
    """

    def __init__(
        self,
        seed: int,
        duration_ns: int,
        start_ns: int = START_NS,
        interval_ns: int = INTERVAL_NS,
        funding_ns: int = FUNDING_NS,
    ) -> None:
        if duration_ns <= 0 or interval_ns <= 0 or funding_ns <= 0:
            raise ValueError(
                f"duration {duration_ns}, interval {interval_ns} and funding interval {funding_ns} "
                f"must be > 0 ns"
            )
        self.start_ns: Final = start_ns
        self.end_ns: Final = start_ns + duration_ns
        self.now = start_ns
        self.markets: list[FlowMarket] = []
        self._rng: Final = Rng(seed)
        self._fundamentals: dict[str, Fundamental] = {}
        self._by_id: dict[str, FlowMarket] = {}
        self._queue: list[tuple[int, int]] = []  # (when, index of the market or _STEP)
        self._steps = 0
        self._funding_ns: Final = funding_ns
        self._funding_next = start_ns + funding_ns
        self._opened = False
        self._make_markets(interval_ns)

    def specs(self) -> list[InstrumentSpec]:
        """All instruments, venue by venue."""
        return [market.spec for market in self.markets]

    def market(self, instrument_id: str) -> MatchedMarket:
        """Where orders of ours join; KeyError for what is not listed."""
        return self._by_id[instrument_id].market

    def next_time(self) -> int:
        """When something happens next; 0 when the run is over."""
        if not self._opened:
            return self.start_ns
        due = self._queue[0][0]
        return due if due <= self.end_ns else 0

    def next_messages(self, at_least: int = 1_000) -> list[MarketData]:
        """The next messages in time order, a few more than `at_least`; [] when the run is over."""
        out: list[MarketData] = []
        self._publish_ours(out)
        while len(out) < at_least and self.next_time():
            self._advance(out)
        return out

    def step(self, now: int) -> list[MarketData]:
        """Everything up to `now` (the end of the run at most), in time order."""
        out: list[MarketData] = []
        self._publish_ours(out)
        while 0 < self.next_time() <= now:
            self._advance(out)
        self.now = max(self.now, min(now, self.end_ns))
        return out

    def _make_markets(self, interval_ns: int) -> None:
        """One market for every product a venue lists, each with its own randomness."""
        for style in VENUES:
            for product in PRODUCTS:
                if not listed(style, product):
                    continue
                rng = self._rng.fork(len(self.markets) + 1)
                fundamental = self._fundamentals.get(product.base)
                if fundamental is None:
                    fundamental = Fundamental(
                        product.price, self._rng.fork(1_000 + len(self._fundamentals))
                    )
                    self._fundamentals[product.base] = fundamental
                market = FlowMarket(
                    spec_of(style, product),
                    style.spread_bps10,
                    product.size * style.size_percent // 100,
                    interval_ns * style.interval_percent // 100,
                    fundamental,
                    Stray(product.kind != SPOT, rng.fork(1)),
                    rng.fork(2),
                )
                self.markets.append(market)
                self._by_id[market.id] = market

    def _advance(self, out: list[MarketData]) -> None:
        """The next thing happens."""
        if not self._opened:
            self._open(out)
            return
        due, index = heappop(self._queue)
        self.now = due
        if index == _STEP:
            self._step(due, out)
            heappush(self._queue, (due + STEP_NS, _STEP))
        else:
            wait = self.markets[index].act(due, out)
            heappush(self._queue, (due + wait, index))

    def _open(self, out: list[MarketData]) -> None:
        """Every book starts with a snapshot, every perpetual with a mark price."""
        self._opened = True
        for index, market in enumerate(self.markets):
            market.open(self.start_ns, out)
            heappush(self._queue, (self.start_ns + 1 + index, index))
        self._publish_marks(self.start_ns, out)
        heappush(self._queue, (self.start_ns + STEP_NS, _STEP))

    def _publish_ours(self, out: list[MarketData]) -> None:
        """What orders of ours changed since the last time, seen by the public now."""
        for market in self.markets:
            if market.matcher.changes:
                market.forget_filled()
                market.publish(self.now, out)

    def _step(self, now: int, out: list[MarketData]) -> None:
        """The fundamentals move, and with them every market's fair price."""
        self._steps += 1
        common = normal4(self._rng.next_u64())
        for fundamental in self._fundamentals.values():
            fundamental.step(common)
        for market in self.markets:
            market.stray.step()
            market.refresh()
        if self._steps % MARK_STEPS == 0:
            self._publish_marks(now, out)
        if now >= self._funding_next:
            self._funding_next += self._funding_ns
            self._publish_funding(now, out)

    def _publish_marks(self, now: int, out: list[MarketData]) -> None:
        """Mark: the index and the perpetual's premium, without the short-lived dislocation."""
        for market in self.markets:
            if market.spec.kind != SPOT:
                index = market.fundamental.value // FINE
                out.append(MarkPrice(market.id, market.mark(), now, index))

    def _publish_funding(self, now: int, out: list[MarketData]) -> None:
        """Funding rate: the premium, pulled towards the usual interest and bounded."""
        for market in self.markets:
            if market.spec.kind != SPOT:
                premium = market.stray.premium * 100
                pull = min(max(_FUNDING_USUAL - premium, -_FUNDING_BOUND), _FUNDING_BOUND)
                out.append(FundingRate(market.id, premium + pull, market.mark(), now))
