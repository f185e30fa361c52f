"""The engine's heart: inputs in, events out. Start reading here.

    core.command(now, command)     what a caller asks
    core.report(now, report)       what a venue tells us about our orders
    core.quote / trade / ...       market data (changes views, may fire held stops)
    core.on_time(now)              the clock
    core.take() -> events          what became true, in order, for the journal and the subscribers
    core.replay(event)             evolve alone: the way back from a journal

The caller is one thread; there is no I/O, no clock and no randomness in here. What must be done
outside follows from the events: OrderPlaced (not held) and OrderReleased are to be sent to the
venue, CancelRequested and AmendRequested as well, after the events are durable.
"""

from typing import Final, final

from zvt_trading.core.contingent import Contingent
from zvt_trading.core.control import Control
from zvt_trading.core.order_book import GAP, OrderBook
from zvt_trading.core.order_manager import OrderManager
from zvt_trading.core.order_reports import OrderReports
from zvt_trading.core.recorder import Recorder
from zvt_trading.core.risk_manager import RiskManager
from zvt_trading.core.router import Router
from zvt_trading.core.state import Market, State
from zvt_trading.core.valuation import mark_market, set_quote
from zvt_trading.messages.codes import GTD, HALTED, PENDING, SCOPE_STRATEGY
from zvt_trading.messages.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    Deposit,
    KillSwitch,
    ListInstrument,
    OpenPortfolio,
    SetLeverage,
    SetLimits,
    SetTradingState,
    SubmitOrder,
    SubmitOrderList,
    Transfer,
    Withdraw,
)
from zvt_trading.messages.events import Event, OrderExpired
from zvt_trading.messages.market import (
    Bar,
    BookDelta,
    BookInvalid,
    BookSnapshot,
    MarketData,
    MarkPrice,
    QuoteTick,
    TradeTick,
    VenueStatus,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import Report


@final
class TradingCore:
    """One engine. `engine_tag` (20 bits) and `epoch` go into every order id."""

    def __init__(self, engine_tag: int = 1, epoch: int = 0) -> None:
        self.state: Final = State(engine_tag, epoch)
        self.risk: Final = RiskManager()
        self.recorder: Final = Recorder(self.state, self.risk)
        self.router: Final = Router(self.risk)
        self.orders: Final = OrderManager(self.recorder, self.router)
        self.reports: Final = OrderReports(self.recorder, self.orders)
        self.contingent: Final = Contingent(self.recorder, self.orders)
        self.control: Final = Control(self.recorder, self.orders)

    def take(self) -> list[Event]:
        """The events since the last call."""
        return self.recorder.take()

    def submit(self, now: int, request: SubmitOrder) -> str:
        """Place an order (the hot path of `command`); returns its id, accepted or refused."""
        self._at(now)
        return self.orders.submit(request)

    def command(self, now: int, command: Command) -> str:
        """Take any command; returns the order id it concerns, or ""."""
        self._at(now)
        if type(command) is SubmitOrder:  # not isinstance: slow on Structs when it fails
            return self.orders.submit(command)
        if type(command) is CancelOrder:
            self.orders.cancel(command)
            self._after(command.order_id)
            return str(command.order_id)
        if isinstance(command, AmendOrder):
            self.orders.amend(command)
            return str(command.order_id)
        if isinstance(command, SubmitOrderList):
            return self.orders.submit_list(command)
        if isinstance(command, CancelAll):
            self._cancel_all(command)
        else:
            self._control(command)
        return ""

    def refuse(self, now: int, command: Command, reason: int, text: str) -> None:
        """Record that a venue would not do what a command about money or leverage asks."""
        self._at(now)
        self.control.refuse(type(command).__name__, reason, text)

    def report(self, now: int, report: Report) -> None:
        """Take a venue's report."""
        self._at(now)
        order = self.reports.take(report)
        if order is not None and order.list is not None:
            self.contingent.after(order)
        if order is not None and self.state.flatten_seq:
            self.control.after_kill(order)
        if self.risk.tripped:
            self._halt_tripped()

    def market(self, message: MarketData) -> None:
        """Take any market data message, at its own time."""
        if isinstance(message, QuoteTick):
            self.quote(message)
        elif isinstance(message, BookDelta):
            self.book_delta(message)
        elif isinstance(message, TradeTick):
            self.trade(message)
        elif isinstance(message, BookSnapshot):
            self.book_snapshot(message)
        elif isinstance(message, MarkPrice):
            self.mark(message)
        elif isinstance(message, VenueStatus):
            self._at(message.ts)
            venue = self.state.venues.get(message.venue)
            if venue is not None:
                venue.healthy = message.healthy
        elif isinstance(message, BookInvalid):
            self._invalidate(message)
        elif isinstance(message, Bar):
            self.bar(message)
        else:
            self._at(message.ts)  # FundingRate: it is booked when the venue reports the payment

    def quote(self, message: QuoteTick) -> None:
        """A new top of book."""
        market = self.state.markets.get(message.instrument)
        if market is None:
            return
        ts = message.ts
        if ts > self.recorder.now:
            self.recorder.now = ts
        market.has_quotes = True
        set_quote(market, message.bid, message.bid_size, message.ask, message.ask_size, ts)
        if market.stops:
            self.contingent.on_price(market)

    def trade(self, message: TradeTick) -> None:
        """A public trade."""
        market = self._market(message.instrument, message.ts)
        if market is None:
            return
        market.instrument.last = message.price
        if market.stops:
            self.contingent.on_price(market)

    def mark(self, message: MarkPrice) -> None:
        """The venue's mark price of a perpetual: from now on its marks value the position."""
        market = self._market(message.instrument, message.ts)
        if market is None:
            return
        market.instrument.has_mark_feed = True
        market.instrument.mark = message.price
        mark_market(market)
        if market.stops:
            self.contingent.on_price(market)

    def bar(self, message: Bar) -> None:
        """A candle, for feeds that have nothing finer: its close is the quote and last price."""
        market = self._market(message.instrument, message.ts)
        if market is None:
            return
        market.instrument.last = message.close
        if not market.has_quotes:
            set_quote(
                market, message.close, message.volume, message.close + market.instrument.tick,
                message.volume, message.ts,
            )  # fmt: skip
        if market.stops:
            self.contingent.on_price(market)

    def book_snapshot(self, message: BookSnapshot) -> None:
        """A whole book."""
        market = self._market(message.instrument, message.ts)
        if market is None:
            return
        book = market.book
        if book is None:
            book = OrderBook(market.instrument.tick)
            market.book = book
        book.apply_snapshot(message.bids, message.asks, message.update_id)
        market.instrument.book_valid = True
        self._book_moved(market, book, message.ts)

    def book_delta(self, message: BookDelta) -> None:
        """Changed levels; after a gap the book is invalid until the next snapshot."""
        market = self._market(message.instrument, message.ts)
        if market is None or market.book is None:
            return
        book = market.book
        result = book.apply_delta(
            message.bids, message.asks, message.first_id, message.last_id, message.previous_id
        )
        if result == GAP:
            market.instrument.book_valid = False
        else:
            self._book_moved(market, book, message.ts)

    def on_time(self, now: int) -> None:
        """The clock: good-till-date ends of held orders, equity samples, day changes."""
        self._at(now)
        self.control.on_time(self.recorder.now)
        for market in self.state.markets.values():
            for order in list(market.stops):
                if (
                    order.tif == GTD
                    and order.life == PENDING
                    and (order.request.expire_ts <= self.recorder.now)
                ):
                    recorder = self.recorder
                    now = recorder.now
                    recorder.record(OrderExpired(recorder.seq(), now, order.id, 0, now))
                    self.contingent.after(order)

    def replay(self, event: Event) -> None:
        """Apply an event from a journal; EvolveError when it cannot follow."""
        self._at(event.ts)
        self.recorder.evolver.apply(event)

    def _at(self, now: int) -> None:
        """Time never goes back, whatever clocks do."""
        if now > self.recorder.now:
            self.recorder.now = now

    def _market(self, instrument: str, ts: int) -> Market | None:
        self._at(ts)
        return self.state.markets.get(instrument)

    def _book_moved(self, market: Market, book: OrderBook, ts: int) -> None:
        """Without a quote feed the book's top is the quote."""
        if market.has_quotes:
            return
        set_quote(
            market, book.best_bid(), book.best_bid_size(), book.best_ask(), book.best_ask_size(), ts
        )
        if market.stops:
            self.contingent.on_price(market)

    def _invalidate(self, message: BookInvalid) -> None:
        market = self._market(message.instrument, message.ts)
        if market is None:
            return
        market.instrument.book_valid = False
        if market.book is not None:
            market.book.invalidate()

    def _halt_tripped(self) -> None:
        """Strategies past the repeated-execution limit stop until a person re-arms them."""
        for name in list(self.risk.tripped):
            self.control.change_state(
                SCOPE_STRATEGY, name, HALTED, Reason.REPEATED_EXECUTION, 0, 0,
                "too many executions of one side; a person must re-arm",
            )  # fmt: skip

    def _after(self, order_id: str) -> None:
        order = self.state.orders.get(order_id)
        if order is not None and order.list is not None:
            self.contingent.after(order)

    def _cancel_all(self, command: CancelAll) -> None:
        self.orders.cancel_all(command)

    def _control(self, command: Command) -> None:
        """Commands that are not about orders."""
        control = self.control
        if isinstance(command, Deposit):
            control.deposit(command)
        elif isinstance(command, Withdraw):
            control.withdraw(command)
        elif isinstance(command, Transfer):
            control.transfer(command)
        elif isinstance(command, ListInstrument):
            control.list_instrument(command)
        elif isinstance(command, OpenPortfolio):
            control.open_portfolio(command)
        elif isinstance(command, SetLeverage):
            control.set_leverage(command)
        elif isinstance(command, SetLimits):
            control.set_limits(command)
        elif isinstance(command, SetTradingState):
            control.set_trading_state(command)
        elif isinstance(command, KillSwitch):
            control.kill(command)
        else:
            raise TypeError(f"{type(command)} is not a command")
