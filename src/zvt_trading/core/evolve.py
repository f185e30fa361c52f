"""evolve(state, event): the only code that changes the state (orders: evolve_orders.py)."""

from typing import Final, final

from zvt_trading.core.accounting import (
    book_adjustment,
    book_external,
    book_fee,
    book_fill,
    book_funding,
    book_insurance,
    update_margin,
)
from zvt_trading.core.evolve_orders import EvolveError, OrderEvolver
from zvt_trading.core.instrument import Instrument
from zvt_trading.core.risk_manager import RiskManager
from zvt_trading.core.state import Market, Portfolio, State, Symbol, Venue, value_balance
from zvt_trading.core.valuation import refresh, revalue
from zvt_trading.messages.codes import (
    HALTED,
    SCOPE_GLOBAL,
    SCOPE_PORTFOLIO,
    SCOPE_STRATEGY,
    SCOPE_VENUE,
)
from zvt_trading.messages.events import (
    AmendRefused,
    AmendRejected,
    AmendRequested,
    CancelRejected,
    CancelRequested,
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
    OrderAmended,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderPlaced,
    OrderRefused,
    OrderRejected,
    OrderReleased,
    OrderResized,
    OrderRouted,
    OrderTriggered,
    OrderUnknown,
    PortfolioOpened,
    PositionLiquidated,
    ReportQuarantined,
    TradingStateChanged,
    TrailMoved,
    Transferred,
    Withdrawn,
)
from zvt_trading.messages.reasons import Reason

TOLD_ONCE: Final = ("CashMoved", "ForeignActivity")
"""Reports that come again with every reading of a venue: each subject is quarantined once."""


def movement_key(portfolio: str, venue: str, asset: str, reference: str) -> str:
    """What a movement of cash is known by, so that it is booked once."""
    return f"{portfolio}/{venue}/{asset}/{reference}"


@final
class Evolver:
    """Applies events in sequence; the same events always give the same state."""

    def __init__(self, state: State, risk: RiskManager) -> None:
        self.state: Final = state
        self.risk: Final = risk
        self.orders: Final = OrderEvolver(state, risk)
        self.realized = 0  # by the last OrderFilled

    def apply(self, event: Event) -> None:
        """Take one event; EvolveError when it is not the next one or cannot follow."""
        seq = event.seq
        if seq != self.state.seq + 1:
            raise EvolveError(f"event {seq} after event {self.state.seq}")
        self.begin(seq, event.ts)
        if type(event) is OrderPlaced:
            self.orders.placed(event)
        elif type(event) is OrderAccepted:
            self.orders.accepted(event)
        elif type(event) is OrderFilled:
            self.realized = self.orders.filled(event)
        elif type(event) is CancelRequested:
            self.orders.cancel_requested(event)
        elif type(event) is OrderCancelled:
            self.orders.cancelled(event)
        elif not self._apply_order(event) and not self._apply_account(event):
            self._apply_control(event)

    def begin(self, seq: int, ts: int) -> None:
        """The state moves on to event `seq`."""
        state = self.state
        state.seq = seq
        state.ts = ts
        if state.ledger.audit:
            state.ledger.begin(seq)

    def _apply_order(self, event: Event) -> bool:
        """The less frequent order events."""
        if isinstance(event, OrderRefused):
            self.orders.refused()
        elif isinstance(event, OrderTriggered):
            self.orders.triggered(event)
        elif isinstance(event, TrailMoved):
            self.orders.trail_moved(event)
        elif isinstance(event, OrderResized):
            self.orders.resized(event)
        elif isinstance(event, OrderReleased):
            self.orders.released(event)
        elif isinstance(event, OrderRejected):
            self.orders.rejected(event)
        elif isinstance(event, OrderUnknown):
            self.orders.unknown(event)
        elif isinstance(event, OrderExpired):
            self.orders.expired(event)
        elif isinstance(event, CancelRejected):
            self.orders.cancel_rejected(event)
        elif isinstance(event, AmendRequested):
            self.orders.amend_requested(event)
        elif isinstance(event, OrderAmended):
            self.orders.amended(event)
        elif isinstance(event, AmendRejected):
            self.orders.amend_rejected(event)
        else:
            return isinstance(event, OrderRouted | AmendRefused)
        return True

    def _apply_account(self, event: Event) -> bool:
        """Money and positions outside orders."""
        if isinstance(event, Deposited):
            request = event.request
            book_external(
                self.state, request.portfolio, request.venue, request.asset, request.amount
            )
        elif isinstance(event, Withdrawn):
            withdrawal = event.request
            book_external(
                self.state,
                withdrawal.portfolio,
                withdrawal.venue,
                withdrawal.asset,
                -withdrawal.amount,
            )
        elif isinstance(event, Transferred):
            self._transferred(event)
        elif isinstance(event, FundingSettled):
            self._funding_settled(event)
        elif isinstance(event, PositionLiquidated):
            self._liquidated(event)
        elif isinstance(event, CashAdjusted):
            self._cash_adjusted(event)
        elif isinstance(event, LeverageSet):
            self._leverage_set(event)
        else:
            return False
        return True

    def _apply_control(self, event: Event) -> None:
        """Set-up, limits and trading states."""
        if isinstance(event, EquitySampled):
            portfolio = self.state.portfolios[event.portfolio]
            portfolio.peak_equity = event.peak
            portfolio.day_start_equity = event.day_start
            portfolio.day = event.day
            portfolio.sampled_equity = event.equity
            portfolio.sampled_ts = event.ts
        elif isinstance(event, InstrumentListed):
            self._listed(event)
        elif isinstance(event, PortfolioOpened):
            request = event.request
            self.state.portfolios[request.portfolio] = Portfolio(request)
            self.state.positions.set_method(request.portfolio, request.method)
            self.state.asset_scales.setdefault(request.base_asset, request.base_scale)
        elif isinstance(event, LimitsSet):
            self.risk.on_limits_set(event.limits)
        elif isinstance(event, TradingStateChanged):
            self._state_changed(event)
        elif isinstance(event, CoolDownStarted):
            self.state.portfolios[event.portfolio].cool_down_until = event.until_ts
        elif isinstance(event, KillSwitchPulled):
            if event.request.flatten:
                self.state.flatten_seq = self.state.order_seq
        elif not self._apply_engine(event):
            raise EvolveError(f"unknown event {type(event)}")

    def _apply_engine(self, event: Event) -> bool:
        """The engine's own life, and what is only noted."""
        if isinstance(event, EngineStarted):
            self.state.epoch = event.epoch
            self.state.suspended = int(Reason.RECOVERING) if event.recovering else 0
        elif isinstance(event, EngineSuspended):
            self.state.suspended = event.reason
        elif isinstance(event, EngineResumed):
            self.state.suspended = 0
        elif isinstance(event, HistoryRead):
            self.state.venues[event.venue].history_cursor = event.cursor
        elif isinstance(event, ReportQuarantined):
            if event.report in TOLD_ONCE:
                self.state.remember_quarantined(f"{event.report}/{event.subject}", event.ts)
        else:
            return isinstance(event, CommandRefused | DriftCleared)
        return True

    def _listed(self, event: InstrumentListed) -> None:
        """A new instrument; balances that nothing priced until now may be valued by it."""
        state = self.state
        spec = event.spec
        instrument = Instrument(spec)
        venue = state.venues.get(spec.venue)
        if venue is None:
            venue = Venue(spec.venue)
            state.venues[spec.venue] = venue
        symbol = state.symbols.get(spec.symbol)
        if symbol is None:
            symbol = Symbol(spec.symbol)
            state.symbols[spec.symbol] = symbol
        market = Market(instrument, venue, symbol)
        symbol.markets.append(market)
        state.markets[instrument.id] = market
        state.asset_scales[spec.base] = spec.base_scale
        state.asset_scales[spec.quote] = spec.quote_scale
        if instrument.is_spot:
            for portfolio in state.portfolios.values():
                for balance in portfolio.balances:
                    if balance.asset == spec.base and balance.rate_num == 0 and balance.unvalued:
                        value_balance(state, portfolio, balance)

    def _transferred(self, event: Transferred) -> None:
        state = self.state
        request = event.request
        giver = state.portfolios[request.portfolio_from]
        taker = state.portfolios[request.portfolio_to]
        source = state.balance(giver, request.venue_from, request.asset)
        target = state.balance(taker, request.venue_to, request.asset)
        state.ledger.transfer(source, target, request.amount)
        revalue(giver, source)
        revalue(taker, target)

    def _funding_settled(self, event: FundingSettled) -> None:
        state = self.state
        portfolio = state.portfolios[event.portfolio]
        holding = state.holding(portfolio, state.markets[event.instrument])
        book_funding(state, holding, event.amount)
        state.remember_entry(f"{event.portfolio}/{event.funding_id}", event.ts)

    def _liquidated(self, event: PositionLiquidated) -> None:
        state = self.state
        portfolio = state.portfolios[event.portfolio]
        holding = state.holding(portfolio, state.markets[event.instrument])
        book_fill(state, holding, event.side, event.price, event.quantity, event.ts, event.trade_id)
        settle = holding.instrument.settle
        book_fee(state, holding, settle, event.fee, event.price, event.ts)
        if event.insurance:
            book_insurance(state, holding, event.insurance)
        key = f"{event.portfolio}/{event.instrument}/{event.trade_id}"
        state.remember_entry(key, event.ts)
        refresh(holding)

    def _cash_adjusted(self, event: CashAdjusted) -> None:
        portfolio, venue, asset = event.portfolio, event.venue, event.asset
        if event.cause in (Reason.EXTERNAL_DEPOSIT, Reason.EXTERNAL_WITHDRAWAL):
            book_external(self.state, portfolio, venue, asset, event.amount)
        else:
            book_adjustment(self.state, portfolio, venue, asset, event.amount)
        key = movement_key(portfolio, venue, asset, event.reference)
        self.state.remember_entry(key, event.ts)

    def _leverage_set(self, event: LeverageSet) -> None:
        state = self.state
        request = event.request
        portfolio = state.portfolios[request.portfolio]
        holding = state.holding(portfolio, state.markets[request.instrument])
        holding.position.leverage = request.leverage
        holding.position.margin_mode = request.margin_mode
        update_margin(holding)

    def _state_changed(self, event: TradingStateChanged) -> None:
        state = self.state
        self.risk.on_trading_state(event.scope, event.key, event.state)
        if event.scope == SCOPE_GLOBAL:
            state.trading_state = event.state
            if event.state != HALTED:
                state.flatten_seq = 0
        elif event.scope == SCOPE_PORTFOLIO:
            state.portfolios[event.key].trading_state = event.state
        elif event.scope == SCOPE_STRATEGY:
            state.strategy(event.key).trading_state = event.state
        elif event.scope == SCOPE_VENUE:
            state.venues[event.key].trading_state = event.state
        else:
            state.symbols[event.key].trading_state = event.state
