"""One emulated exchange behind its wire protocol: orders by its own ids, accounts, listeners.

Everything is synchronous and belongs to the emulator's event loop. Numbers are ints on the
instruments' scales, money on scale 8.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from zvt_trading.core.fees import QUOTE, RECEIVED, FeeSchedule
from zvt_trading.core.instrument import Instrument
from zvt_trading.emulator.clock import Clock
from zvt_trading.emulator.faults import Faults
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.emulator.limits import Limits
from zvt_trading.emulator.orders import (
    AMENDED,
    CANCELED,
    EXPIRED,
    NEW,
    TRADE,
    Ask,
    Change,
    HouseOrder,
    Refusal,
)
from zvt_trading.emulator.record import RecordFile
from zvt_trading.messages.codes import BUY, CANCELLED, FILLED, SELL
from zvt_trading.messages.codes import EXPIRED as LIFE_EXPIRED
from zvt_trading.messages.market import InstrumentSpec, MarketData
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    AmendFailed,
    Fill,
    FundingPaid,
    Liquidated,
    Report,
    VenueAmended,
    VenueCancelled,
    VenueExpired,
    VenueRejected,
)
from zvt_trading.sim.accounts import Seat
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.fills import MatchedMarket

MONEY_SCALE: Final = 8
CROWD: Final = "crowd"
"""The account of everybody else; it never runs out of money."""
FEES_IN_QUOTE: Final = ("coinbase",)
"""Exchanges that charge the quote asset; the others charge what a spot fill brings in."""


class BalanceView(Struct, frozen=True):
    """One asset of an account, on scale 8; `free` + `locked` = `total`."""

    asset: str
    total: int
    free: int
    locked: int


class Transfer(Struct, frozen=True):
    """A deposit (amount > 0) or withdrawal (< 0), on scale 8; `id` is the exchange's."""

    id: str
    account: str
    asset: str
    amount: int
    ts: int


class Listener(Protocol):
    """Hears what happens; a wire protocol makes frames of it."""

    def order_changed(self, change: Change) -> None:
        """An order of any account."""

    def balances_changed(self, account: str, assets: tuple[str, ...], ts: int) -> None:
        """Money of an account."""

    def position_changed(self, seat: Seat, ts: int) -> None:
        """A perpetual position of an account."""

    def funding_paid(self, report: FundingPaid) -> None:
        """Funding of a position (amount > 0: paid by the account)."""


class House:
    """See the module. `instruments` by their unified symbol, e.g. "BTC/USDT:USDT"."""

    def __init__(
        self, name: str, clock: Clock, *, record_path: Path | None = None, seed: int = 0
    ) -> None:
        self.name: Final = name
        self.clock: Final = clock
        self.exchange: Final = SimExchange(name)
        self.instruments: dict[str, Instrument] = {}
        self.keys: dict[str, ApiKey] = {}
        self.orders: dict[str, HouseOrder] = {}
        self.by_client: dict[tuple[str, str], HouseOrder] = {}  # the newest of (account, client id)
        self.transfers: list[Transfer] = []
        self.funding: list[FundingPaid] = []
        self.listeners: list[Listener] = []
        self.faults: Final = Faults(seed)
        self.limits: Final = Limits(clock.now_ms)
        self.record: Final = RecordFile(self.exchange, record_path)
        self.hide_next_ns = 0  # the next order taken is not found by queries for so long
        self.changes = 0
        self._client_ids: dict[str, str] = {}
        self._ids = 0

    def list_instrument(self, spec: InstrumentSpec, market: MatchedMarket) -> Instrument:
        """Make a symbol tradable."""
        rule = QUOTE if self.name in FEES_IN_QUOTE or spec.kind else RECEIVED
        self.exchange.list_instrument(
            spec, market, FeeSchedule(spec.maker_fee, spec.taker_fee, rule)
        )
        instrument = self.exchange.desk.listings[f"{spec.venue}:{spec.symbol}"].instrument
        self.instruments[spec.symbol] = instrument
        return instrument

    def add_key(self, key: ApiKey) -> None:
        """From now on the key signs for its account."""
        self.keys[key.key] = key
        self.exchange.account(key.account)

    # Orders.

    def place(self, account: str, ask: Ask) -> HouseOrder:
        """A new order; Refusal when it is not taken. Its changes go to the listeners.

        Whether a client id may be used again is the wire protocol's affair.
        """
        if ask.quote_quantity:
            ask.quantity = self._bought_for(ask)
        self._ids += 1
        now = self.clock.true_ns()
        order = HouseOrder(str(self._ids), account, ask, now)
        self._client_ids[order.id] = ask.client_id
        self.orders[order.id] = order
        reports = self.exchange.submit(
            now, order.id, account, ask.instrument.id, ask.side, ask.type, ask.price,
            ask.quantity, ask.tif, ask.expire_ts, ask.post_only, ask.reduce_only,
            0, ask.trigger_price, ask.trigger_by,
        )  # fmt: skip
        for report in reports:
            if isinstance(report, VenueRejected):
                del self.orders[order.id]
                self._settle([])
                raise Refusal(report.reason, report.text)
        order.hidden_until = now + self.hide_next_ns if self.hide_next_ns else 0
        self.hide_next_ns = 0
        if ask.client_id:
            self.by_client[account, ask.client_id] = order
        self._sync_waiting(order)
        self._settle(reports)
        return order

    def place_ended(self, account: str, ask: Ask, reason: int) -> HouseOrder:
        """An order that is taken and ends at once without a fill.

        For exchanges that do so where the house refuses (a FOK on Binance spot).
        """
        self._ids += 1
        now = self.clock.true_ns()
        order = HouseOrder(str(self._ids), account, ask, now)
        self.orders[order.id] = order
        if ask.client_id:
            self.by_client[account, ask.client_id] = order
        for kind, life in ((NEW, order.life), (CANCELED, CANCELLED)):
            order.life = life
            order.reason = reason if life == CANCELLED else 0
            self.changes += 1
            self._tell_change(Change(self.changes, kind, order, now, None))
        return order

    def cancel(self, order: HouseOrder) -> None:
        """Take an open order back; Refusal when it is over."""
        if not order.is_open:
            raise Refusal(int(Reason.VENUE_UNKNOWN_ORDER), "the order is not open")
        self._settle(self.exchange.cancel(self.clock.true_ns(), order.id))

    def amend(self, order: HouseOrder, price: int, quantity: int) -> None:
        """Another price or total quantity (0: as it is); Refusal when that is not taken."""
        reports = self.exchange.amend(self.clock.true_ns(), order.id, price, quantity)
        for report in reports:
            if isinstance(report, AmendFailed):
                raise Refusal(report.reason, report.text)
        self._settle(reports)

    def find(self, account: str, order_id: str = "", client_id: str = "") -> HouseOrder | None:
        """An order of an account by either id; None also while it is hidden from queries."""
        key = (account, client_id)
        order = self.orders.get(order_id) if order_id else self.by_client.get(key)
        return order if order is not None and self.may_see(account, order) else None

    def may_see(self, account: str, order: HouseOrder) -> bool:
        """Whether a query of this account finds it now."""
        return order.account == account and order.hidden_until <= self.clock.true_ns()

    def open_orders(self, account: str, symbol: str = "") -> list[HouseOrder]:
        """Oldest first; without the hidden ones."""
        return [
            self.orders[order.id]
            for order in self.exchange.desk.open.values()
            if symbol in {"", order.seat.instrument.symbol}
            and self.may_see(account, self.orders[order.id])
        ]

    def orders_of(self, account: str, symbol: str = "") -> list[HouseOrder]:
        """All that were taken, oldest first; without the hidden ones."""
        return [
            order
            for order in self.orders.values()
            if symbol in {"", order.instrument.symbol} and self.may_see(account, order)
        ]

    # Money.

    def balances(self, account: str) -> list[BalanceView]:
        """Every asset that the account ever had."""
        owner = self.exchange.account(account)
        views: list[BalanceView] = []
        for balance in owner.balances.values():
            held = balance.locked + balance.margin
            asset = balance.asset.name
            views.append(BalanceView(asset, balance.total, balance.total - held, held))
        return views

    def seats(self, account: str) -> list[Seat]:
        """Perpetual positions of an account, also the flat ones it once traded."""
        return self.exchange.account(account).perpetuals

    def deposit(self, account: str, asset: str, amount: int) -> Transfer:
        """Money arrives (scale 8, > 0)."""
        self.exchange.credit(account, asset, amount, self.clock.true_ns())
        return self._transferred(account, asset, amount)

    def withdraw(self, account: str, asset: str, amount: int) -> Transfer:
        """Money leaves (scale 8, > 0); Refusal when that much is not free."""
        if not self.exchange.debit(account, asset, amount, self.clock.true_ns()):
            raise Refusal(int(Reason.VENUE_BALANCE), f"not so much {asset} is free")
        return self._transferred(account, asset, -amount)

    def crowd(self, symbol: str, side: int, price: int, quantity: int) -> HouseOrder:
        """Somebody else's limit order: to make or take exactly what a test needs."""
        instrument = self.instruments[symbol]
        plenty = 10**18
        for asset in (instrument.base, instrument.quote):
            if self.exchange.free(CROWD, asset) < plenty // 2:
                self.exchange.credit(CROWD, asset, plenty, self.clock.true_ns())
        return self.place(CROWD, Ask(instrument, side, 1, quantity, price=price))

    # The market.

    def on_market(self, message: MarketData) -> None:
        """The market of an instrument here moved."""
        reports = self.exchange.on_market(self.clock.true_ns(), message)
        if reports:
            self._settle(reports)

    def on_time(self) -> None:
        """Orders whose time is over expire."""
        self._settle(self.exchange.on_time(self.clock.true_ns()))

    # Inside.

    def _settle(self, reports: list[Report]) -> None:
        """Take reports into the orders, and tell whoever listens; the record comes first."""
        self.record.write(self._client_ids)
        for report in reports:
            if isinstance(report, FundingPaid):
                self._funding_paid(report)
            elif isinstance(report, Liquidated):
                self._money_moved(report.portfolio, self._instrument(report.instrument), report.ts)
            else:
                self._order_report(report)

    def _funding_paid(self, report: FundingPaid) -> None:
        self.funding.append(report)
        self._tell(lambda listener: listener.funding_paid(report))
        self._money_moved(report.portfolio, self._instrument(report.instrument), report.ts)

    def _order_report(self, report: Report) -> None:
        order = self.orders[report.order_id]  # type: ignore[union-attr]  # all others have one
        order.updated_ts = max(order.updated_ts, report.ts)
        fill: Fill | None = None
        kind = NEW
        if isinstance(report, Fill):
            kind = TRADE
            fill = report
            self._take_fill(order, report)
        elif isinstance(report, VenueCancelled):
            kind = CANCELED
            order.life = CANCELLED
            order.reason = report.reason
        elif isinstance(report, VenueExpired):
            kind = EXPIRED
            order.life = LIFE_EXPIRED
        elif isinstance(report, VenueAmended):
            kind = AMENDED
            order.price = report.price
            order.quantity = report.quantity
        self._sync_waiting(order)
        self.changes += 1
        change = Change(self.changes, kind, order, report.ts, fill)
        if order.account != CROWD:
            self._tell_change(change)
            if kind != AMENDED:
                self._money_moved(order.account, order.instrument, report.ts)

    def _take_fill(self, order: HouseOrder, fill: Fill) -> None:
        order.fills.append(fill)
        order.filled += fill.quantity
        order.value += order.instrument.value(fill.price, fill.quantity)
        order.fees[fill.fee_asset] = order.fees.get(fill.fee_asset, 0) + fill.fee
        if order.filled >= order.quantity:
            order.life = FILLED

    def _money_moved(self, account: str, instrument: Instrument, ts: int) -> None:
        is_spot = instrument.is_spot
        assets = (instrument.base, instrument.quote) if is_spot else (instrument.settle,)
        self._tell(lambda listener: listener.balances_changed(account, assets, ts))
        if not is_spot:
            seat = self.exchange.seat(account, instrument.id)
            if seat is not None:
                self._tell(lambda listener: listener.position_changed(seat, ts))

    def _transferred(self, account: str, asset: str, amount: int) -> Transfer:
        self._ids += 1
        now = self.clock.true_ns()
        transfer = Transfer(str(self._ids), account, asset, amount, now)
        self.transfers.append(transfer)
        self.record.write(self._client_ids)
        self._tell(lambda listener: listener.balances_changed(account, (asset,), now))
        return transfer

    def _tell_change(self, change: Change) -> None:
        self._tell(lambda listener: listener.order_changed(change))

    def _tell(self, say: Callable[[Listener], object]) -> None:
        for listener in self.listeners:
            say(listener)

    def _sync_waiting(self, order: HouseOrder) -> None:
        known = self.exchange.order(order.id)
        order.waiting = known is not None and known.waiting

    def _instrument(self, instrument_id: str) -> Instrument:
        return self.exchange.desk.listings[instrument_id].instrument

    def _bought_for(self, ask: Ask) -> int:
        """How much of the base asset a market buy for `quote_quantity` gets from the book."""
        listing = self.exchange.desk.listings[ask.instrument.id]
        market = listing.market
        if ask.side == SELL or not isinstance(market, MatchedMarket):
            raise Refusal(int(Reason.VENUE_REJECTED), "only a market buy is for an amount of money")
        left = ask.quote_quantity
        quantity = 0
        for price, size in market.matcher.levels(SELL if ask.side == BUY else BUY, 1_000):
            unit = ask.instrument.value(price, 1)
            taken = min(size, left // unit)
            quantity += taken
            left -= taken * unit
            if taken < size:
                break
        return quantity - quantity % ask.instrument.lot
