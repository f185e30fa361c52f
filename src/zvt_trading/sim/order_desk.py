"""The life of orders inside a simulated venue: accept, execute, rest, trigger, expire, end."""

from heapq import heappop, heappush
from typing import Final, final

from zvt_trading.messages.codes import (
    ACCEPTED,
    BUY,
    CANCELLED,
    EXPIRED,
    FILLED,
    FOK,
    GTC,
    GTD,
    IOC,
    ISOLATED,
    MAKER,
    SELL,
    TAKER,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    Fill,
    Report,
    VenueAccepted,
    VenueCancelled,
    VenueExpired,
    VenueRejected,
)
from zvt_trading.sim.accounts import Account, Balance, Seat, VenueOrder
from zvt_trading.sim.clearing import Listing, liquidate
from zvt_trading.sim.fills import SimFill
from zvt_trading.sim.matcher import REJECTED_FILL_OR_KILL, REJECTED_POST_ONLY
from zvt_trading.sim.record import (
    ROW_ACCEPTED,
    ROW_CANCELLED,
    ROW_EXPIRED,
    ROW_FILL,
    ROW_REJECTED,
    ROW_TRIGGERED,
    Record,
    Row,
)
from zvt_trading.sim.venue_rules import is_market_type, is_triggered

BALANCE: Final = int(Reason.VENUE_BALANCE)
POST_ONLY: Final = int(Reason.VENUE_POST_ONLY)
FILL_OR_KILL: Final = int(Reason.VENUE_FILL_OR_KILL)
REDUCE_ONLY: Final = int(Reason.VENUE_REDUCE_ONLY)
NO_LIQUIDITY: Final = int(Reason.VENUE_NO_LIQUIDITY)
IMMEDIATE: Final = int(Reason.IMMEDIATE_OR_CANCEL)
LIQUIDATION: Final = int(Reason.LIQUIDATION)


@final
class OrderDesk:
    """All orders of a venue, and what becomes of them. Reports are appended to `out`."""

    def __init__(self, history_kept: int) -> None:
        self.history_kept: Final = history_kept  # closed orders and rows; 0: all
        self.record: Final = Record(history_kept)
        self.listings: dict[str, Listing] = {}
        self.orders: dict[str, VenueOrder] = {}
        self.open: dict[str, VenueOrder] = {}  # resting or waiting, oldest first
        self.expiry: list[tuple[int, int, str]] = []
        self._closed: list[str] = []
        self._order_count = 0

    def reject(
        self,
        order_id: str,
        account: str,
        instrument_id: str,
        reason: int,
        text: str,
        now: int,
        out: list[Report],
    ) -> None:
        """The order is not taken, and is not kept."""
        row = self._row(now, ROW_REJECTED, account, instrument_id, order_id)
        row.reason = reason
        out.append(VenueRejected(order_id, reason, text, now))

    def execute(self, listing: Listing, order: VenueOrder, now: int, out: list[Report]) -> None:
        """Match an order (new, or a stop just triggered) and let the rest rest or end."""
        seat = order.seat
        touch = listing.touch(order.side)
        if order.reduce_only and seat.opening(order.side, order.quantity):
            self._refuse(order, REDUCE_ONLY, "would open a position", now, out)
            return
        is_market = is_market_type(order.type)
        if is_market and touch == 0:
            if order.life != ACCEPTED:
                self.accept(order, now, out)
            self.cancelled(order, NO_LIQUIDITY, now, out)
            return
        price = touch if is_market else order.price
        if seat.needed(order.side, price, order.quantity) > seat.account.free(order.payer):
            self._refuse(order, BALANCE, f"not enough {order.payer.asset.name}", now, out)
            return
        limit = order.price
        tif = GTC if order.tif == GTD else order.tif
        if is_market:
            limit = _bound(order)
            tif = FOK if order.tif == FOK else IOC
        listing.market.now = now
        code = listing.market.submit(
            order.id, order.side, limit, order.quantity, tif, order.post_only
        )
        if code == REJECTED_POST_ONLY:
            self._refuse(order, POST_ONLY, "would take liquidity", now, out)
            return
        if code == REJECTED_FILL_OR_KILL:
            self._refuse(order, FILL_OR_KILL, "cannot be filled at once", now, out)
            return
        if order.life != ACCEPTED:
            self.accept(order, now, out)
        self.drain(listing, now, out)
        if order.life != ACCEPTED:
            return
        if tif == GTC:
            self._rest(order)
        else:
            self.cancelled(order, NO_LIQUIDITY if is_market else IMMEDIATE, now, out)

    def accept(self, order: VenueOrder, now: int, out: list[Report]) -> None:
        """From here on the venue has the order."""
        self._order_count += 1
        order.venue_order_id = str(self._order_count)
        order.life = ACCEPTED
        order.ts_accepted = now
        row = self._row(
            now, ROW_ACCEPTED, order.seat.account.name, order.seat.instrument.id, order.id
        )
        row.side = order.side
        row.price = order.price
        row.quantity = order.quantity
        row.trade_id = order.venue_order_id
        order.seq = row.seq
        self.orders[order.id] = order
        out.append(VenueAccepted(order.id, order.venue_order_id, now))

    def hold_stop(self, listing: Listing, order: VenueOrder, now: int, out: list[Report]) -> None:
        """Wait for the trigger; funds are asked for when it comes, as for a conditional order."""
        order.waiting = True
        self.open[order.id] = order
        listing.stops.append(order.id)
        self._schedule_expiry(order)
        self.watch(listing, now, out)

    def adopt(self, listing: Listing, order: VenueOrder, waits: bool) -> None:
        """Take over an order that an earlier desk had accepted."""
        order.life = ACCEPTED
        order.seq = self.record.seq
        self.orders[order.id] = order
        if waits:
            order.waiting = True
            self.open[order.id] = order
            listing.stops.append(order.id)
            self._schedule_expiry(order)
        else:
            self._rest(order)

    def continue_after(self, orders: int) -> None:
        """Give order ids above those of an earlier desk."""
        self._order_count = max(self._order_count, orders)

    def withdraw(self, order: VenueOrder, reason: int, now: int, out: list[Report]) -> None:
        """Take an open order out of the market and end it."""
        if not order.waiting:
            self.listings[order.seat.instrument.id].market.cancel(order.id)
        self.cancelled(order, reason, now, out)

    def cancelled(self, order: VenueOrder, reason: int, now: int, out: list[Report]) -> None:
        """End an order that no longer is in the market."""
        self._close(order, CANCELLED, now)
        order.reason = reason
        row = self._row(
            now, ROW_CANCELLED, order.seat.account.name, order.seat.instrument.id, order.id
        )
        row.reason = reason
        row.quantity = order.filled
        out.append(VenueCancelled(order.id, reason, now, order.filled))

    def drain(self, listing: Listing, now: int, out: list[Report]) -> None:
        """Book the executions the market has had since the last time."""
        fills = listing.market.fills
        if not fills:
            return
        for fill in fills:
            self.fill(listing, self.orders[fill.order_id], fill, out)
        fills.clear()
        if not listing.is_spot:
            self._trim_reduce_only(listing, now, out)

    def fill(self, listing: Listing, order: VenueOrder, fill: SimFill, out: list[Report]) -> None:
        """One execution: position, money, fee, record, report."""
        seat = order.seat
        liquidity = MAKER if fill.is_maker else TAKER
        notional = seat.book_fill(order.side, fill.price, fill.quantity)
        charged = seat.charge_fee(order.side, liquidity, fill.quantity, notional)
        order.filled += fill.quantity
        # A recorded market's clock is its last message, which may be older than the order.
        ts = fill.ts if fill.ts > order.ts_accepted else order.ts_accepted
        row = self._row(ts, ROW_FILL, seat.account.name, seat.instrument.id, order.id)
        row.side = order.side
        row.price = fill.price
        row.quantity = fill.quantity
        row.liquidity = liquidity
        row.trade_id = listing.next_trade_id()
        row.asset = charged[0]
        row.amount = charged[1]
        out.append(
            Fill(
                order.id,
                row.trade_id,
                fill.price,
                fill.quantity,
                liquidity,
                charged[0],
                charged[1],
                ts,
            )
        )
        if order.filled >= order.quantity:
            self._close(order, FILLED, ts)
        elif order.lock:
            order.relock()

    def watch(self, listing: Listing, now: int, out: list[Report]) -> None:
        """After the market moved: stops that trigger, positions that must be liquidated."""
        if listing.stops:
            self._trigger(listing, now, out)
        if not listing.is_spot:
            if not listing.instrument.has_mark_feed:
                listing.mark_by_mid()
            for seat in listing.seat_list:
                if seat.quantity and seat.must_liquidate():
                    self._liquidate(listing, seat, now, out)

    def expire(self, now: int, out: list[Report]) -> None:
        """End the orders whose time is over at `now`."""
        while self.expiry and self.expiry[0][0] <= now:
            order = self.open.get(heappop(self.expiry)[2])
            if order is None:
                continue
            account = order.seat.account.name
            instrument_id = order.seat.instrument.id
            if not order.waiting:
                self.listings[instrument_id].market.cancel(order.id)
            self._close(order, EXPIRED, now)
            row = self._row(now, ROW_EXPIRED, account, instrument_id, order.id)
            row.quantity = order.filled
            out.append(VenueExpired(order.id, now, order.filled))

    def orders_of(self, seat: Seat) -> list[VenueOrder]:
        """Open orders of one account on one instrument, oldest first."""
        return [order for order in self.open.values() if order.seat is seat]

    def _row(self, now: int, kind: int, account: str, instrument_id: str, order_id: str) -> Row:
        """A row about an order."""
        row = self.record.add(now, kind, account)
        row.instrument = instrument_id
        row.order_id = order_id
        return row

    def _refuse(
        self, order: VenueOrder, reason: int, text: str, now: int, out: list[Report]
    ) -> None:
        """A new order is rejected; a stop that triggered was accepted long ago and is cancelled."""
        if order.life == ACCEPTED:
            self.cancelled(order, reason, now, out)
            return
        seat = order.seat
        self.reject(order.id, seat.account.name, seat.instrument.id, reason, text, now, out)

    def _rest(self, order: VenueOrder) -> None:
        """What is left waits in the book, with its money locked."""
        order.relock()
        self.open[order.id] = order
        if order.reduce_only:
            order.seat.reduce_only.append(order.id)
        self._schedule_expiry(order)

    def _schedule_expiry(self, order: VenueOrder) -> None:
        if order.tif == GTD:
            heappush(self.expiry, (order.expire_ts, order.seq, order.id))

    def _close(self, order: VenueOrder, life: int, now: int) -> None:
        """No longer open: money unlocked, forgotten once the history is full."""
        order.life = life
        order.ts = now
        order.unlock()
        if order.id in self.open:
            del self.open[order.id]
            if order.reduce_only and order.id in order.seat.reduce_only:
                order.seat.reduce_only.remove(order.id)
            if order.waiting:
                self.listings[order.seat.instrument.id].stops.remove(order.id)
        if self.history_kept == 0:
            return
        self._closed.append(order.id)
        if len(self._closed) > 2 * self.history_kept:
            for order_id in self._closed[: self.history_kept]:
                old = self.orders.get(order_id)
                if old is not None and old.life != ACCEPTED:
                    del self.orders[order_id]
            del self._closed[: self.history_kept]

    def _trim_reduce_only(self, listing: Listing, now: int, out: list[Report]) -> None:
        """Cancel the reduce-only orders that have become larger than the position."""
        for seat in listing.seat_list:
            if not seat.reduce_only:
                continue
            for order_id in seat.reduce_only[:]:
                order = self.open[order_id]
                if seat.opening(order.side, order.leaves()):
                    self.withdraw(order, REDUCE_ONLY, now, out)

    def _trigger(self, listing: Listing, now: int, out: list[Report]) -> None:
        """Send the stops whose condition holds to the market, oldest first."""
        for order_id in listing.stops[:]:
            order = self.open.get(order_id)
            if order is None or not is_triggered(order, listing.touch(SELL), listing.touch(BUY)):
                continue
            del self.open[order_id]
            listing.stops.remove(order_id)
            order.waiting = False
            self._row(now, ROW_TRIGGERED, order.seat.account.name, listing.instrument.id, order_id)
            self.execute(listing, order, now, out)

    def _liquidate(self, listing: Listing, seat: Seat, now: int, out: list[Report]) -> None:
        """Cancel what the position's margin backs, then close it.

        Isolated: this instrument's orders, this position. Cross: all orders paid from the asset,
        then the positions with the largest loss first until the rest is safe.
        """
        if seat.margin_mode == ISOLATED:
            for order in self.orders_of(seat):
                self.withdraw(order, LIQUIDATION, now, out)
            out.append(liquidate(listing, seat, self.record, now))
            return
        account = seat.account
        for order in list(self.open.values()):
            if order.seat.account is account and order.payer is seat.settle:
                self.withdraw(order, LIQUIDATION, now, out)
        while True:
            worst = _worst_cross(account, seat.settle)
            if worst is None or not worst.must_liquidate():
                return
            closing = self.listings[worst.instrument.id]
            out.append(liquidate(closing, worst, self.record, now))


def _bound(order: VenueOrder) -> int:
    """The limit a market order is sent with: its worst price, and what a spot buyer can afford."""
    seat = order.seat
    worst = order.worst_price
    if order.side == SELL or not seat.is_spot:
        return worst
    if worst and seat.buy_cost(worst, order.quantity) <= seat.account.free(seat.settle):
        return worst
    affordable = seat.price_affordable(order.quantity)
    return min(worst, affordable) if worst else affordable


def _worst_cross(account: Account, settle: Balance) -> Seat | None:
    """The cross position with the largest unrealised loss (the oldest of equals)."""
    worst: Seat | None = None
    for seat in account.perpetuals:
        if seat.settle is not settle or seat.margin_mode == ISOLATED or seat.quantity == 0:
            continue
        if worst is None or seat.unrealized() < worst.unrealized():
            worst = seat
    return worst
