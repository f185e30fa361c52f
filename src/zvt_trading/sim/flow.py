"""The traders of one generated market: seeded order flow into its matching engine.

They quote around the market's own fair price, take back what is far from it, trade now and then at
market, and take at once what has become wrong when the fair price moved. Everything they do reaches
the public as trades, book deltas with continuous update ids, and quotes when the touch changed.
"""

from typing import Final, final

from zvt_trading.core.rng import Rng
from zvt_trading.messages.codes import BUY, GTC, IOC, SELL
from zvt_trading.messages.market import (
    BookDelta,
    BookSnapshot,
    InstrumentSpec,
    MarketData,
    QuoteTick,
    TradeTick,
)
from zvt_trading.sim.fills import MatchedMarket
from zvt_trading.sim.fundamental import Fundamental, Stray, exponential
from zvt_trading.sim.matcher import Matcher

OWNER: Final = 1
"""Owner number of the flow's orders in the matcher."""
ORDERS_A_SIDE: Final = 48
"""How many orders a side of the book usually has; a little fewer levels."""
ORDERS_LEFT: Final = 8
"""The flow does not take from a side that has become this thin."""
SNAPSHOT_DEPTH: Final = 1_000


@final
class FlowSide:
    """The flow's resting orders on one side, so that one can be picked at random."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._prices: list[int] = []
        self._slots: dict[int, int] = {}

    def add(self, order_id: int, price: int) -> None:
        """An order rests."""
        self._slots[order_id] = len(self.ids)
        self.ids.append(order_id)
        self._prices.append(price)

    def remove(self, order_id: int) -> None:
        """It no longer does; others' ids are ignored."""
        slot = self._slots.pop(order_id, -1)
        if slot < 0:
            return
        last_id = self.ids.pop()
        last_price = self._prices.pop()
        if last_id != order_id:
            self.ids[slot] = last_id
            self._prices[slot] = last_price
            self._slots[last_id] = slot

    def pick_far(self, fair: int, word: int) -> int:
        """Of two random orders the one farther from the fair price."""
        count = len(self.ids)
        one = (word & 0xFFFF) * count >> 16
        two = (word >> 16 & 0xFFFF) * count >> 16
        nearer = abs(self._prices[one] - fair) < abs(self._prices[two] - fair)
        return self.ids[two] if nearer else self.ids[one]


@final
class FlowMarket:
    """One venue's market in one symbol and those who make it."""

    def __init__(
        self,
        spec: InstrumentSpec,
        spread_bps10: int,
        size: int,
        interval: int,
        fundamental: Fundamental,
        stray: Stray,
        rng: Rng,
    ) -> None:
        self.spec: Final = spec
        self.id: Final = f"{spec.venue}:{spec.symbol}"
        self.interval: Final = interval  # mean time between two actions, ns
        self.fundamental: Final = fundamental
        self.stray: Final = stray
        self.matcher: Final = Matcher()
        self.market: Final = MatchedMarket(self.matcher)
        self.fair = 0
        self._spread_bps10: Final = spread_bps10
        self._size: Final = size  # mean size of an order
        self._rng: Final = rng
        self._bids: Final = FlowSide()
        self._asks: Final = FlowSide()
        self._half = 0  # half the quoted spread
        self._last_id = 0  # the flow's ids are negative: ours are positive
        self._update_id = 0
        self._trade_id = 0
        self._touch = (0, 0, 0, 0)  # bid, its size, ask, its size, as last published

    def refresh(self) -> None:
        """The fair price moved."""
        self.fair = self.stray.price(self.fundamental)
        self._half = max(self.spec.tick, self.fair * self._spread_bps10 // 200_000)

    def mark(self) -> int:
        """A perpetual's mark price."""
        return self.stray.mark(self.fundamental)

    def open(self, now: int, out: list[MarketData]) -> None:
        """Fill the empty book and publish it whole."""
        self.refresh()
        for _ in range(ORDERS_A_SIDE):
            self._quote(BUY, self._rng.next_u64())
            self._quote(SELL, self._rng.next_u64())
        self.matcher.changes.clear()
        self.market.now = now
        self._update_id += 1
        bids = tuple(self.matcher.levels(BUY, SNAPSHOT_DEPTH))
        asks = tuple(self.matcher.levels(SELL, SNAPSHOT_DEPTH))
        out.append(BookSnapshot(self.id, bids, asks, now, self._update_id))
        self._publish_touch(now, out)

    def act(self, now: int, out: list[MarketData]) -> int:
        """One thing somebody does; returns the time until the next one."""
        word = self._rng.next_u64()
        side = BUY if word & 1 else SELL
        choice = word >> 1 & 0xFF
        word >>= 9
        matcher = self.matcher
        before = len(matcher.trades)
        best_ask = matcher.best_ask()
        best_bid = matcher.best_bid()
        if best_ask and best_ask < self.fair and choice < 200:
            self._take(BUY, self.fair, self._size + self._size * (word & 3), before, now)
        elif best_bid > self.fair and choice < 200:
            self._take(SELL, self.fair, self._size + self._size * (word & 3), before, now)
        elif choice < 30:
            # Noise: at market, but nobody pays a percent more than the fair price.
            limit = self.fair + side * (self.fair // 100)
            self._take(side, limit, exponential(self._rng.next_u64(), self._size), before, now)
        else:
            self._make(side, choice, word)
        self.publish(now, out)
        return 1 + exponential(self._rng.next_u64(), self.interval)

    def publish(self, now: int, out: list[MarketData]) -> None:
        """Tell the public what changed since the last time, by the flow or by us."""
        matcher = self.matcher
        if not matcher.changes:
            return
        for trade in matcher.trades:
            self._trade_id += 1
            out.append(
                TradeTick(
                    self.id, trade.price, trade.quantity, trade.aggressor, now, self._trade_id
                )
            )
        if matcher.trades:
            matcher.trades.clear()
        self._publish_levels(now, out)
        matcher.changes.clear()
        self._publish_touch(now, out)

    def _publish_levels(self, now: int, out: list[MarketData]) -> None:
        """One delta with the last size of every level that changed."""
        bids: dict[int, int] = {}
        asks: dict[int, int] = {}
        for change in self.matcher.changes:
            if change.side == BUY:
                bids[change.price] = change.size
            else:
                asks[change.price] = change.size
        last = self._update_id
        self._update_id += 1
        out.append(
            BookDelta(self.id, tuple(bids.items()), tuple(asks.items()), now, last + 1, last + 1)
        )

    def _publish_touch(self, now: int, out: list[MarketData]) -> None:
        """A quote when the touch changed; none while a side is empty."""
        matcher = self.matcher
        bid = matcher.best_bid()
        ask = matcher.best_ask()
        if bid == 0 or ask == 0:
            return
        touch = (bid, matcher.size_at(BUY, bid), ask, matcher.size_at(SELL, ask))
        if touch != self._touch:
            self._touch = touch
            out.append(
                QuoteTick(self.id, touch[0], touch[1], touch[2], touch[3], now, self._update_id)
            )

    def _make(self, side: int, choice: int, word: int) -> None:
        """Quote or take a quote back, whichever keeps the side at its usual depth."""
        own = self._bids if side == BUY else self._asks
        count = len(own.ids)
        adds = choice & 1 == 0 if count > ORDERS_A_SIDE * 3 // 4 else True
        if adds and count < ORDERS_A_SIDE * 5 // 4:
            self._quote(side, word)
            return
        order_id = own.pick_far(self.fair, word)
        own.remove(order_id)
        self.matcher.cancel(order_id)

    def _quote(self, side: int, word: int) -> None:
        """A limit order behind half the spread, never crossing; far ones are rarer."""
        spec = self.spec
        offset = self._half + exponential(self._rng.next_u64(), 4 * self._half)
        price = self.fair - side * offset
        price -= price % spec.tick
        touch = self.matcher.best_ask() if side == BUY else self.matcher.best_bid()
        if touch and side * (price - touch) >= 0:
            price = touch - side * spec.tick
        price = max(price, spec.tick)
        self._last_id -= 1
        quantity = self._lots(self._size // 4 + (word & 0xFFFF) * self._size * 3 // 2 // 0x10000)
        self.matcher.submit(self._last_id, OWNER, side, price, quantity, GTC, False)
        (self._bids if side == BUY else self._asks).add(self._last_id, price)

    def _take(self, side: int, limit: int, quantity: int, before: int, now: int) -> None:
        """Take liquidity up to the limit, and tell whose orders were met."""
        others = self._asks if side == BUY else self._bids
        if len(others.ids) < ORDERS_LEFT:
            return
        matcher = self.matcher
        self._last_id -= 1
        matcher.submit(self._last_id, OWNER, side, limit, self._lots(quantity), IOC, False)
        trades = matcher.trades
        for index in range(before, len(trades)):
            maker = trades[index].maker_id
            if matcher.open_quantity(maker) == 0:
                others.remove(maker)
        self.market.on_flow(now, before)

    def forget_filled(self) -> None:
        """Our own orders may have met the flow's: drop those that are gone."""
        for trade in self.matcher.trades:
            if self.matcher.open_quantity(trade.maker_id) == 0:
                self._bids.remove(trade.maker_id)
                self._asks.remove(trade.maker_id)

    def _lots(self, quantity: int) -> int:
        """Rounded down to the lot, at least the minimum."""
        lot = self.spec.lot
        quantity -= quantity % lot
        return max(quantity, self.spec.quantity_min)
