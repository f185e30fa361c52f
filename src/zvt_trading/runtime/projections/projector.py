"""Events in, changes of the tables out: `Projector` is the one way rows come about.

It keeps a core of its own that only replays, so the rows are a function of the journal up to the
last event it took, wherever the trading core is by then; rebuilding them is the same code from the
first event on. Many events may be taken between two `changes`: a row is written once, as it is
after the last of them.
"""

from collections.abc import Callable
from typing import Any, Final

from zvt_trading.core.ledger import Balance
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.risk_limits import LIMIT_NAMES
from zvt_trading.core.state import Holding, Order, State
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codes import ROLE_ENTRY, SCOPE_PORTFOLIO, STOP
from zvt_trading.messages.events import (
    AmendRefused,
    CashAdjusted,
    CommandRefused,
    CoolDownStarted,
    Deposited,
    DriftCleared,
    EngineResumed,
    EngineStarted,
    EngineSuspended,
    EquitySampled,
    Event,
    FundingSettled,
    HistoryRead,
    InstrumentListed,
    KillSwitchPulled,
    LeverageSet,
    LimitsSet,
    OrderAccepted,
    OrderFilled,
    OrderPlaced,
    OrderRefused,
    OrderRejected,
    OrderReleased,
    OrderRouted,
    OrderUnknown,
    PortfolioOpened,
    PositionLiquidated,
    ReportQuarantined,
    TradingStateChanged,
    Transferred,
    Withdrawn,
)
from zvt_trading.ports.store import Changes, Row
from zvt_trading.ports.tables import (
    BALANCE,
    EQUITY,
    LEDGER,
    LOT,
    ORDER,
    PORTFOLIO,
    POSITION,
    REFUSAL,
    RISK_LIMIT,
    TRADE,
)
from zvt_trading.runtime.codes import SCOPES
from zvt_trading.runtime.projections.event_rows import (
    equity_row,
    fill_row,
    limit_rows,
    liquidation_row,
    refusal_row,
)
from zvt_trading.runtime.projections.rows import (
    OrderMemory,
    PortfolioMemory,
    Stamp,
    balance_row,
    ledger_row,
    lot_rows,
    order_row,
    portfolio_row,
    position_row,
)
from zvt_trading.runtime.projections.values import PORTFOLIO_ID, POSITION_ID, moment, plain, row_id

# Events that say nothing about any row.
_NOTHING: Final = (
    EngineStarted, EngineSuspended, EngineResumed, HistoryRead, InstrumentListed,
    KillSwitchPulled, OrderRouted, ReportQuarantined, CoolDownStarted, DriftCleared,
)  # fmt: skip


class PositionMemory:
    """A position's id, and its lots as they were last written."""

    def __init__(self, position_id: str) -> None:
        self.id = position_id
        self.lots: dict[tuple[str, int, str], Row] = {}


class Projector:
    """See the module. `core` is the projector's own, at the last event that the tables have."""

    def __init__(self, core: TradingCore) -> None:
        self.core = core
        self.state: State = core.state
        self.state.ledger.audit = True
        self.orders: dict[str, OrderMemory] = {}
        self.portfolios: dict[str, PortfolioMemory] = {}
        self.positions: dict[Holding, PositionMemory] = {}
        self._changes = Changes()
        self._touched_orders: dict[Order, Stamp] = {}
        self._touched_portfolios: dict[str, Stamp] = {}
        self._touched_holdings: dict[Holding, Stamp] = {}
        self._touched_balances: dict[Balance, Stamp] = {}
        self._touched_limits: dict[tuple[int, str], list[Row]] = {}
        self._owed: dict[Order, None] = {}  # closed, with fills that we have not been told of
        self._handlers: Final[dict[type, Callable[[Any], None]]] = {
            PortfolioOpened: self._opened,
            Deposited: self._moved,
            Withdrawn: self._moved,
            Transferred: self._transferred,
            CashAdjusted: self._adjusted,
            LeverageSet: self._leverage,
            FundingSettled: self._funding,
            PositionLiquidated: self._liquidated,
            EquitySampled: self._sampled,
            LimitsSet: self._limits,
            TradingStateChanged: self._trading_state,
            OrderRefused: self._refused,
            AmendRefused: self._refused,
            CommandRefused: self._refused,
        }

    def take(self, event: Event) -> None:
        """Take the next event."""
        kind = type(event)
        handler = self._handlers.get(kind)
        if handler is not None:
            handler(event)
            self._book()
        elif kind in _NOTHING:
            self.core.replay(event)
        else:
            self._order_event(event)

    def resume(self) -> None:
        """The memories were read back: look at what the state keeps of old orders."""
        for order in self.state.orders.values():
            if is_closed(order.life) and order.working:
                self._owed[order] = None

    def changes(self) -> Changes:
        """What the events since the last call did to the tables."""
        changes = self._changes
        for name, stamp in self._touched_portfolios.items():
            memory = self.portfolios[name]
            changes.upsert(
                PORTFOLIO, portfolio_row(self.state, self.state.portfolios[name], memory, stamp)
            )
        for order, stamp in self._touched_orders.items():
            owner = self.portfolios[order.terms.portfolio].id
            row = order_row(self.state, order, self.orders[order.id], owner, stamp)
            changes.upsert(ORDER, row)
        for holding, stamp in self._touched_holdings.items():
            self._position(changes, holding, stamp)
        for balance, stamp in self._touched_balances.items():
            owner = self.portfolios[balance.portfolio].id
            changes.upsert(BALANCE, balance_row(self.state, balance, owner, stamp))
        for (scope, key), rows in self._touched_limits.items():
            self._limit_rows(changes, scope, key, rows)
        changes.seq = self.state.seq
        self._changes = Changes()
        self._touched_orders = {}
        self._touched_portfolios = {}
        self._touched_holdings = {}
        self._touched_balances = {}
        self._touched_limits = {}
        if len(self.orders) > 2 * len(self.state.orders):
            self.orders = {name: self.orders[name] for name in self.state.orders}
        return changes

    # Orders.

    def _order_event(self, event: Event) -> None:
        """Whatever concerns one order: its row, and everything its reservations and fills touch."""
        order_id: str = event.order_id  # type: ignore[union-attr]  # all others were handled
        known = self.state.orders.get(order_id)
        realized = known.holding.position.realized if known is not None else 0
        self.core.replay(event)
        order = known if known is not None else self.state.orders[order_id]
        stamp = (event.ts, event.seq)
        memory = self._note(event, order)
        if is_closed(order.life):
            memory.closed = memory.closed or moment(event.ts)
            if order.working:
                self._owed[order] = None
            self._settle_owed(stamp)
        else:
            memory.closed = None
        self._touch_order(order, stamp)
        self._touched_portfolios[order.terms.portfolio] = stamp
        if isinstance(event, OrderFilled):
            self._filled(event, order, realized)
        self._book()
        if order.type >= STOP or order.role or order.holding in self.positions:
            self._touch_exits(order, stamp)

    def _note(self, event: Event, order: Order) -> OrderMemory:
        """Remember what the state does not."""
        if isinstance(event, OrderPlaced):
            memory = OrderMemory(event.seq)
            memory.bid, memory.ask = event.bid, event.ask
            memory.submitted = None if event.held else moment(event.ts)
            self.orders[order.id] = memory
            return memory
        memory = self.orders[order.id]
        if isinstance(event, OrderReleased):
            memory.bid, memory.ask = event.bid, event.ask
            memory.submitted = moment(event.ts)
        elif isinstance(event, OrderAccepted):
            memory.accepted = memory.accepted or moment(event.ts)
        elif isinstance(event, OrderFilled):
            when = moment(event.ts)
            memory.first_filled = memory.first_filled or when
            memory.last_filled = when
            if event.fee:
                memory.fees[event.fee_asset] = memory.fees.get(event.fee_asset, 0) + event.fee
        elif isinstance(event, OrderRejected | OrderUnknown):
            memory.reason_text = plain(event.text) or None
        return memory

    def _filled(self, event: OrderFilled, order: Order, realized: int) -> None:
        """One execution: its trade, the position, and a bracket's exits that grow with it."""
        stamp = (event.ts, event.seq)
        holding = order.holding
        gain = holding.position.realized - realized
        portfolio = self.portfolios[event.portfolio]
        self._changes.upsert(TRADE, fill_row(self.state, event, order, gain, portfolio.id))
        if gain:
            own_fee = event.fee if event.fee_asset == holding.instrument.settle else 0
            portfolio.performance.closed(gain - own_fee)
        self._touch_holding(holding, stamp)
        if order.list is not None and order.role == ROLE_ENTRY:
            for child in order.list.orders:
                self._touch_order(child, stamp)
        venue = holding.instrument.venue
        paid = self.state.ledger.find(event.portfolio, venue, event.fee_asset)
        if paid is not None:
            self._touched_balances[paid] = stamp

    def _touch_order(self, order: Order, stamp: Stamp) -> None:
        self._touched_orders[order] = stamp
        self._touched_balances[order.holding.settle] = stamp
        self._touched_balances[order.holding.base] = stamp

    def _settle_owed(self, stamp: Stamp) -> None:
        """Orders that were forgotten while fills were owed on them reserve nothing any more."""
        for order in [order for order in self._owed if not order.working]:
            del self._owed[order]
            self._touch_order(order, stamp)

    # Positions.

    def _touch_holding(self, holding: Holding, stamp: Stamp) -> None:
        self._touched_holdings[holding] = stamp
        self._touched_balances[holding.settle] = stamp
        self._touched_balances[holding.base] = stamp
        self._touched_portfolios[holding.portfolio.name] = stamp
        if holding not in self.positions:
            self.positions[holding] = PositionMemory(row_id(*stamp, POSITION_ID))

    def _touch_exits(self, order: Order, stamp: Stamp) -> None:
        """An order that could end a position is part of the position's row."""
        if order.holding in self.positions:
            self._touched_holdings[order.holding] = stamp

    def _position(self, changes: Changes, holding: Holding, stamp: Stamp) -> None:
        """A position's row, and those of its lots that differ from what was written last."""
        memory = self.positions[holding]
        owner = self.portfolios[holding.portfolio.name].id
        changes.upsert(POSITION, position_row(holding, memory.id, owner, stamp))
        lots = lot_rows(holding, memory.id)
        for key in memory.lots:
            if key not in lots:
                changes.delete(LOT, (memory.id, *key))
        for key, row in lots.items():
            if memory.lots.get(key) != row:
                changes.upsert(LOT, row)
        memory.lots = lots

    # Everything else.

    def _book(self) -> None:
        """The last event's postings, two by two."""
        postings = self.state.ledger.postings
        for at in range(0, len(postings), 2):
            into, out_of = postings[at], postings[at + 1]
            owner = self.portfolios[into.account.rpartition("/@")[0]].id
            row = ledger_row(self.state, at // 2, into, out_of, owner)
            self._changes.upsert(LEDGER, row)

    def _opened(self, event: PortfolioOpened) -> None:
        self.core.replay(event)
        portfolio_id = row_id(event.ts, event.seq, PORTFOLIO_ID)
        name = event.request.portfolio
        self.portfolios[name] = PortfolioMemory(portfolio_id, moment(event.ts))
        self._touched_portfolios[name] = (event.ts, event.seq)

    def _moved(self, event: Deposited | Withdrawn) -> None:
        self.core.replay(event)
        request = event.request
        self._cash(request.portfolio, request.venue, request.asset, event)

    def _transferred(self, event: Transferred) -> None:
        self.core.replay(event)
        move = event.request
        self._cash(move.portfolio_from, move.venue_from, move.asset, event)
        self._cash(move.portfolio_to, move.venue_to, move.asset, event)

    def _adjusted(self, event: CashAdjusted) -> None:
        self.core.replay(event)
        self._cash(event.portfolio, event.venue, event.asset, event)

    def _cash(self, portfolio: str, venue: str, asset: str, event: Event) -> None:
        stamp = (event.ts, event.seq)
        balance = self.state.ledger.find(portfolio, venue, asset)
        if balance is not None:
            self._touched_balances[balance] = stamp
        self._touched_portfolios[portfolio] = stamp

    def _leverage(self, event: LeverageSet) -> None:
        self.core.replay(event)
        request = event.request
        self._touch_holding(
            self._holding(request.portfolio, request.instrument), (event.ts, event.seq)
        )

    def _funding(self, event: FundingSettled) -> None:
        self.core.replay(event)
        holding = self._holding(event.portfolio, event.instrument)
        self._touch_holding(holding, (event.ts, event.seq))

    def _liquidated(self, event: PositionLiquidated) -> None:
        holding = self._holding(event.portfolio, event.instrument)
        realized = holding.position.realized
        self.core.replay(event)
        gain = holding.position.realized - realized
        portfolio = self.portfolios[event.portfolio]
        self._changes.upsert(TRADE, liquidation_row(event, holding, gain, portfolio.id))
        if gain:
            portfolio.performance.closed(gain - event.fee)
        self._touch_holding(holding, (event.ts, event.seq))

    def _sampled(self, event: EquitySampled) -> None:
        self.core.replay(event)
        memory = self.portfolios[event.portfolio]
        portfolio = self.state.portfolios[event.portfolio]
        memory.performance.sampled(event, portfolio.base_scale)
        self._changes.upsert(EQUITY, equity_row(event, portfolio, memory.id))
        self._touched_portfolios[event.portfolio] = (event.ts, event.seq)

    def _limits(self, event: LimitsSet) -> None:
        """A scope's limits: those of its last set, and no others."""
        self.core.replay(event)
        limits = event.limits
        owner = None
        if limits.scope == SCOPE_PORTFOLIO and limits.key in self.portfolios:
            owner = self.portfolios[limits.key].id
        self._touched_limits[limits.scope, limits.key] = list(
            limit_rows(self.state, event.ts, event.seq, limits, owner)
        )

    def _limit_rows(self, changes: Changes, scope: int, key: str, rows: list[Row]) -> None:
        stated = {row[2] for row in rows}
        for name in LIMIT_NAMES:
            if name not in stated:
                changes.delete(RISK_LIMIT, (SCOPES[scope].value, key, name))
        for row in rows:
            changes.upsert(RISK_LIMIT, row)

    def _trading_state(self, event: TradingStateChanged) -> None:
        self.core.replay(event)
        if event.scope == SCOPE_PORTFOLIO:
            self._touched_portfolios[event.key] = (event.ts, event.seq)

    def _refused(self, event: OrderRefused | AmendRefused | CommandRefused) -> None:
        self.core.replay(event)
        self._changes.upsert(REFUSAL, refusal_row(self.state, event))

    def _holding(self, portfolio: str, instrument: str) -> Holding:
        return self.state.holding(self.state.portfolios[portfolio], self.state.markets[instrument])
