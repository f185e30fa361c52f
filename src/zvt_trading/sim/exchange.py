"""One simulated venue as a state machine with its own record of the truth: the judge.

Inputs are what reaches the venue (orders, cancels, the market it lists); outputs are the reports it
would send us, in its own order: accepted before the fills, the end after them. It never sleeps,
draws no random number and reads no clock: `now` (int nanoseconds UTC, the venue's) comes in.
"""

from heapq import heappop
from typing import Final, final

from zvt_trading.core.fees import FeeSchedule
from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import (
    ACCEPTED,
    CANCELLED,
    CROSS,
    EXPIRED,
    GTC,
    ISOLATED,
    LIMIT,
    MARKET,
    TRIGGER_QUOTE,
)
from zvt_trading.messages.market import (
    Bar,
    BookDelta,
    BookInvalid,
    BookSnapshot,
    FundingRate,
    InstrumentSpec,
    MarketData,
    MarkPrice,
    QuoteTick,
    TradeTick,
    VenueStatus,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    AmendFailed,
    CancelFailed,
    Fill,
    Report,
    VenueAccepted,
    VenueAmended,
    VenueCancelled,
    VenueExpired,
)
from zvt_trading.sim.accounts import Account, Asset, FeeRule, Seat, VenueOrder
from zvt_trading.sim.clearing import Listing, settle_funding
from zvt_trading.sim.fills import MatchedMarket, RecordedMarket
from zvt_trading.sim.order_desk import BALANCE, POST_ONLY, REDUCE_ONLY, OrderDesk
from zvt_trading.sim.record import (
    ROW_AMENDED,
    ROW_CREDIT,
    ROW_DEBIT,
    ROW_FILL,
    Record,
    fill_report,
    history_report,
)
from zvt_trading.sim.venue_api import Answer, History, VenueApi
from zvt_trading.sim.venue_books import book_problems, statement
from zvt_trading.sim.venue_rules import (
    filter_problem,
    is_market_type,
    notional_problem,
    price_problem,
    quantity_problem,
    shape_problem,
)

# What a venue does with a client order id it has seen before.
DUPLICATE_EVER: Final = 0  # refused for as long as the old order is remembered
DUPLICATE_OPEN: Final = 1  # refused only while the old order is open (Binance)
DUPLICATE_RETURNED: Final = 2  # answered with the old order, nothing new is made (Coinbase)

_NOTHING: Final[list[Report]] = []  # the answer to most quotes, never written to
_OTHER: Final = int(Reason.VENUE_REJECTED)
_FILTER: Final = int(Reason.VENUE_FILTER)
_DUPLICATE_ID: Final = int(Reason.VENUE_DUPLICATE_ID)
_RATE_LIMIT: Final = int(Reason.VENUE_RATE_LIMIT)
_UNKNOWN_ORDER: Final = int(Reason.VENUE_UNKNOWN_ORDER)
_USER: Final = int(Reason.USER)


@final
class SimExchange(VenueApi):
    """A venue: accounts, instruments, orders, and what happened to them.

    Refusals are reports, never exceptions; ValueError only for what no venue would be asked
    (a negative credit, an instrument listed twice). A rejected order is not kept: as on the real
    venues, asking for it later finds nothing.
    """

    def __init__(
        self,
        venue: str,
        duplicate_policy: int = DUPLICATE_EVER,
        history_kept: int = 0,
        orders_per_second_max: int = 0,
    ) -> None:
        """`history_kept` bounds the closed orders and rows remembered (0: all of them)."""
        super().__init__(venue)
        self.duplicate_policy: Final = duplicate_policy
        self.orders_per_second_max: Final = orders_per_second_max  # 0: no limit
        self.desk: Final = OrderDesk(history_kept)
        self.record: Final[Record] = self.desk.record
        self.assets: dict[str, Asset] = {}
        self.accounts: dict[str, Account] = {}
        self._window = 0
        self._window_count = 0
        self._keys: dict[str, None] = {}  # of money movements made

    # Setting up.

    def list_instrument(
        self,
        spec: InstrumentSpec,
        market: RecordedMarket | MatchedMarket,
        schedule: FeeSchedule | None = None,
    ) -> None:
        """Make a symbol tradable on `market`; fees are the spec's, in quote, unless given."""
        instrument = Instrument(spec)
        if spec.venue != self.venue or instrument.id in self.desk.listings:
            raise ValueError(f"{instrument.id} cannot be listed on {self.venue}, or is already")
        fees = schedule if schedule is not None else FeeSchedule(spec.maker_fee, spec.taker_fee)
        self.desk.listings[instrument.id] = Listing(instrument, market, FeeRule(fees))

    def set_fee_price(self, instrument_id: str, numerator: int, denominator: int) -> None:
        """Units of the third fee asset that a unit of the settle asset buys, as a ratio."""
        fees = self.desk.listings[instrument_id].fees
        fees.numerator = numerator
        fees.denominator = denominator

    def account(self, name: str) -> Account:
        """The account, opened when it is the first time."""
        found = self.accounts.get(name)
        if found is not None:
            return found
        account = Account(name, self.assets)
        self.accounts[name] = account
        return account

    def credit(self, account: str, asset: str, amount: int, now: int = 0, key: str = "") -> None:
        """Money arrives (amount > 0, on the asset's scale); once, when it has a key."""
        if amount <= 0:
            raise ValueError(f"credit of {amount} {asset}: it must be > 0")
        if not self._is_known(key):
            self._move(account, asset, amount, ROW_CREDIT, now)

    def take_over(self, account: str, asset: str, amount: int, now: int) -> None:
        """What an earlier venue owed the account or, below zero, the account owed it."""
        self._move(account, asset, amount, ROW_CREDIT, now)

    def debit(self, account: str, asset: str, amount: int, now: int = 0, key: str = "") -> bool:
        """Money leaves; False, and nothing moves, when that much is not free."""
        if amount <= 0:
            raise ValueError(f"debit of {amount} {asset}: it must be > 0")
        if self._is_known(key):
            return True
        owner = self.account(account)
        if owner.free(owner.balance(asset)) < amount:
            return False
        self._move(account, asset, -amount, ROW_DEBIT, now)
        return True

    def free(self, account: str, asset: str) -> int:
        """What may be debited (asset units); 0 without such an account or balance."""
        owner = self.accounts.get(account)
        balance = owner.balances.get(asset) if owner is not None else None
        return owner.free(balance) if owner is not None and balance is not None else 0

    def is_flat(self, account: str, instrument_id: str) -> bool:
        """Whether the account has neither a position nor an open order in an instrument."""
        listing = self.desk.listings.get(instrument_id)
        seat = listing.seats.get(account) if listing is not None else None
        return seat is None or (seat.quantity == 0 and not self.desk.orders_of(seat))

    def set_leverage(self, account: str, instrument_id: str, leverage: int, mode: int) -> bool:
        """Leverage and margin mode (CROSS or ISOLATED); False unless flat and without orders."""
        listing = self.desk.listings.get(instrument_id)
        if listing is None or listing.instrument.is_spot or mode not in (CROSS, ISOLATED):
            return False
        if not 1 <= leverage <= listing.instrument.leverage_max:
            return False
        if not self.is_flat(account, instrument_id):
            return False
        seat = listing.seat(self.account(account))
        seat.leverage = leverage
        seat.margin_mode = mode
        return True

    # Orders.

    def submit(
        self,
        now: int,
        order_id: str,
        account: str,
        instrument_id: str,
        side: int,
        order_type: int,
        price: int,
        quantity: int,
        tif: int = GTC,
        expire_ts: int = 0,
        post_only: bool = False,
        reduce_only: bool = False,
        worst_price: int = 0,
        trigger_price: int = 0,
        trigger_by: int = TRIGGER_QUOTE,
    ) -> list[Report]:
        """A new order reaches the venue. `worst_price` bounds a market order (0: unbounded).

        A spot market buy never spends more than is free, whatever the book: it is bounded by the
        price the account can afford. `reduce_only` means nothing on spot.
        """
        out: list[Report] = []
        owner = self.accounts.get(account)
        listing = self.desk.listings.get(instrument_id)
        if owner is None or listing is None:
            text = f"no account {account!r} or no instrument {instrument_id!r}"
            self.desk.reject(order_id, account, instrument_id, _OTHER, text, now, out)
            return out
        if self.orders_per_second_max and not self._within_rate(now):
            text = f"more than {self.orders_per_second_max} orders a second"
            self.desk.reject(order_id, account, instrument_id, _RATE_LIMIT, text, now, out)
            return out
        old = self.desk.orders.get(order_id)
        if old is not None and self._refuse_duplicate(old, account, instrument_id, now, out):
            return out
        order = VenueOrder(
            order_id, listing.seat(owner), side, order_type, price, quantity, tif, expire_ts,
            post_only, reduce_only and not listing.instrument.is_spot, worst_price, trigger_price,
            trigger_by,
        )  # fmt: skip
        reason = _OTHER
        text = shape_problem(order, now)
        if not text:
            reason = _FILTER
            text = filter_problem(order, listing.touch(side))
        if text:
            self.desk.reject(order_id, account, instrument_id, reason, text, now, out)
        elif order_type in (MARKET, LIMIT):
            self.desk.execute(listing, order, now, out)
        else:
            self.desk.accept(order, now, out)
            self.desk.hold_stop(listing, order, now, out)
        return out

    def cancel(self, now: int, order_id: str) -> list[Report]:
        """Take an order back; CancelFailed when it is not open."""
        order = self.desk.open.get(order_id)
        if order is None:
            return [CancelFailed(order_id, _UNKNOWN_ORDER, "no open order with this id", now)]
        out: list[Report] = []
        self.desk.withdraw(order, _USER, now, out)
        return out

    def cancel_all(self, now: int, account: str, instrument_id: str = "") -> list[Report]:
        """Take all open orders of an account back, on one instrument or on all, oldest first."""
        out: list[Report] = []
        for order in self.open_orders(account):
            if instrument_id in ("", order.seat.instrument.id):
                self.desk.withdraw(order, _USER, now, out)
        return out

    def amend(self, now: int, order_id: str, price: int, quantity: int) -> list[Report]:
        """Change price and total quantity (0 leaves it); the order works on when that is refused.

        A price that crosses executes at once, after the VenueAmended.
        """
        order = self.desk.open.get(order_id)
        if order is None:
            return [AmendFailed(order_id, _UNKNOWN_ORDER, "no open order with this id", now)]
        seat = order.seat
        listing = self.desk.listings[seat.instrument.id]
        price = price or order.price
        quantity = quantity or order.quantity
        reason = self._amend_refusal(order, price, quantity)
        if reason == 0 and not order.waiting:
            touch = listing.touch(order.side)
            if order.post_only and touch and order.side * (touch - price) <= 0:
                reason = POST_ONLY
            else:
                listing.market.amend(order_id, price, quantity - order.filled)
        if reason:
            return [AmendFailed(order_id, reason, f"{price} x {quantity} refused", now)]
        order.price = price
        order.quantity = quantity
        row = self.record.add(now, ROW_AMENDED, seat.account.name)
        row.instrument = seat.instrument.id
        row.order_id = order_id
        row.price = price
        row.quantity = quantity
        out: list[Report] = [VenueAmended(order_id, price, quantity, now)]
        if not order.waiting:
            order.relock()
            self.desk.drain(listing, now, out)
        return out

    # The market and the clock.

    def on_market(self, now: int, message: MarketData) -> list[Report]:
        """Market data of an instrument listed here (others are ignored): what it does to orders."""
        if isinstance(message, QuoteTick):
            return self.on_quote(now, message)
        out: list[Report] = []
        if self.desk.expiry:
            self.desk.expire(now, out)
        if isinstance(message, VenueStatus):
            return out
        listing = self.desk.listings.get(message.instrument)
        if listing is None:
            return out
        if isinstance(message, TradeTick):
            listing.instrument.last = message.price
            listing.market.on_trade(message)
        elif isinstance(message, BookDelta):
            listing.market.on_book_delta(message)
        elif isinstance(message, BookSnapshot):
            listing.market.on_book_snapshot(message)
        elif isinstance(message, BookInvalid):
            listing.market.on_book_invalid()
        elif isinstance(message, Bar):
            listing.instrument.last = message.close
            listing.market.on_bar(message)
        elif isinstance(message, MarkPrice):
            listing.instrument.has_mark_feed = True
            listing.instrument.mark = message.price
        elif isinstance(message, FundingRate):
            settle_funding(listing, message, self.record, out)
        self.desk.drain(listing, now, out)
        self.desk.watch(listing, now, out)
        return out

    def on_quote(self, now: int, message: QuoteTick) -> list[Report]:
        """`on_market` for the most frequent message; what it returns is only to be read."""
        desk = self.desk
        out = _NOTHING
        if desk.expiry:
            out = []
            desk.expire(now, out)
        listing = desk.listings.get(message.instrument)
        if listing is not None:
            listing.market.on_quote(message)
            if not listing.is_quiet():
                if out is _NOTHING:
                    out = []
                desk.drain(listing, now, out)
                desk.watch(listing, now, out)
        return out

    def collect(self, now: int) -> list[Report]:
        """What markets that move by themselves (the generated one) did to our orders."""
        out: list[Report] = []
        for listing in self.desk.listings.values():
            self.desk.drain(listing, now, out)
            self.desk.watch(listing, now, out)
        return out

    def on_time(self, now: int) -> list[Report]:
        """The venue's clock: orders whose time is over expire."""
        out: list[Report] = []
        self.desk.expire(now, out)
        return out

    def next_time(self) -> int:
        """When `on_time` is next due; 0 for never."""
        while self.desk.expiry:
            if self.desk.expiry[0][2] in self.desk.open:
                return self.desk.expiry[0][0]
            heappop(self.desk.expiry)
        return 0

    # What can be asked.

    def query(self, order_id: str) -> Report | None:
        """The order's state: VenueAccepted also when filled, its end otherwise; None: not here."""
        order = self.desk.orders.get(order_id)
        return _state_report(order) if order is not None else None

    def order(self, order_id: str) -> VenueOrder | None:
        """The venue's own view of an order; None when it has not (or no longer) got it."""
        return self.desk.orders.get(order_id)

    def open_orders(self, account: str = "") -> list[VenueOrder]:
        """Open orders, of one account or of all, oldest first."""
        return [
            order for order in self.desk.open.values() if account in ("", order.seat.account.name)
        ]

    def fills_of(self, order_id: str) -> list[Fill]:
        """All fills of one order, oldest first."""
        order = self.desk.orders.get(order_id)
        if order is None:
            return []
        return [
            fill_report(row)
            for row in self.record.since(order.seq)
            if row.kind == ROW_FILL and row.order_id == order_id
        ]

    def answer(self, order_id: str) -> Answer:
        """One order's state, terms and fills."""
        answer = Answer()
        order = self.desk.orders.get(order_id)
        if order is not None:
            answer.reports.append(_state_report(order))
            for fill in self.fills_of(order_id):
                answer.reports.append(fill)
            answer.price = order.price
            answer.quantity = order.quantity
        return answer

    def history(self, cursor: int) -> History:
        """What happened after row `cursor` of the record, and how the accounts stand now."""
        history = History(self.record.seq, statement(self.accounts, self.desk.open))
        for row in self.record.since(cursor):
            report = history_report(row)
            if report is not None:
                history.reports.append(report)
        return history

    def seat(self, account: str, instrument_id: str) -> Seat | None:
        """The account's position in an instrument; None when it never traded there."""
        return self.desk.listings[instrument_id].seats.get(account)

    def problems(self) -> list[str]:
        """What contradicts itself in the venue's books, as text; [] when all is right."""
        return book_problems(self.venue, self.assets, self.accounts, self.desk.open)

    def _is_known(self, key: str) -> bool:
        """Whether a movement of this key was made before; from now on it was."""
        if not key:
            return False
        known = key in self._keys
        self._keys[key] = None
        return known

    def _move(self, account: str, asset: str, amount: int, kind: int, now: int) -> None:
        balance = self.account(account).balance(asset)
        balance.add(amount)
        balance.asset.external += amount
        row = self.record.add(now, kind, account)
        row.asset = asset
        row.amount = abs(amount)

    def _within_rate(self, now: int) -> bool:
        """Count one more order in the current second."""
        second = now // SECOND
        if second != self._window:
            self._window = second
            self._window_count = 0
        self._window_count += 1
        return self._window_count <= self.orders_per_second_max

    def _refuse_duplicate(
        self, old: VenueOrder, account: str, instrument_id: str, now: int, out: list[Report]
    ) -> bool:
        """Answer an id seen before by the venue's policy; False when it may be used again."""
        if self.duplicate_policy == DUPLICATE_OPEN and old.life != ACCEPTED:
            return False
        if self.duplicate_policy == DUPLICATE_RETURNED:
            out.append(_state_report(old))
            return True
        text = "this client order id is in use"
        self.desk.reject(old.id, account, instrument_id, _DUPLICATE_ID, text, now, out)
        return True

    def _amend_refusal(self, order: VenueOrder, price: int, quantity: int) -> int:
        """Why an amend to this price and total quantity is not taken; 0 when it is."""
        seat = order.seat
        instrument = seat.instrument
        if not instrument.spec.amend_supported or quantity <= order.filled:
            return _OTHER
        problem = quantity_problem(instrument, quantity)
        if not problem and not is_market_type(order.type):
            problem = price_problem(instrument, price)
        if problem or notional_problem(instrument, price, quantity):
            return _FILTER
        rest = quantity - order.filled
        if order.reduce_only and seat.opening(order.side, rest):
            return REDUCE_ONLY
        needed = seat.needed(order.side, price, rest)
        if not order.waiting and needed > seat.account.free(order.payer) + order.lock:
            return BALANCE
        return 0


def _state_report(order: VenueOrder) -> Report:
    """What the venue answers when asked for an order it has."""
    if order.life == CANCELLED:
        return VenueCancelled(order.id, order.reason, order.ts, order.filled)
    if order.life == EXPIRED:
        return VenueExpired(order.id, order.ts, order.filled)
    return VenueAccepted(order.id, order.venue_order_id, order.ts_accepted)
