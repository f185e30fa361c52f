"""Decisions outside orders: set-up, cash, limits, trading states, kill switch, equity samples."""

from typing import Final, final

from zvt_trading.core.equity_marks import sample_equity, shift_marks
from zvt_trading.core.instrument import Instrument
from zvt_trading.core.limits import (
    AMOUNT_MAX,
    ASSET_LENGTH_MAX,
    EQUITY_RECORD_NS,
    EQUITY_SAMPLE_NS,
    LEVERAGE_MAX,
    MONEY_SCALE_USUAL,
    NAME_LENGTH_MAX,
)
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.order_ids import sequence_of
from zvt_trading.core.order_manager import OrderManager
from zvt_trading.core.recorder import Recorder
from zvt_trading.core.state import Holding, Order, State
from zvt_trading.core.units import DAY, MAX_SCALE
from zvt_trading.core.valuation import is_marked
from zvt_trading.messages.codes import (
    ACTIVE,
    AVERAGE,
    BUY,
    CANCEL_REQUESTED,
    CROSS,
    FIFO,
    HALTED,
    INVERSE,
    ISOLATED,
    MARKET,
    REDUCING,
    SCOPE_GLOBAL,
    SCOPE_PORTFOLIO,
    SCOPE_STRATEGY,
    SCOPE_SYMBOL,
    SCOPE_VENUE,
    SELL,
    SPOT,
)
from zvt_trading.messages.commands import (
    CancelAll,
    Deposit,
    KillSwitch,
    LimitSet,
    ListInstrument,
    OpenPortfolio,
    SetLeverage,
    SetLimits,
    SetTradingState,
    SubmitOrder,
    Transfer,
    Withdraw,
)
from zvt_trading.messages.events import (
    CommandRefused,
    Deposited,
    EngineResumed,
    EngineStarted,
    EngineSuspended,
    HistoryRead,
    InstrumentListed,
    KillSwitchPulled,
    LeverageSet,
    LimitsSet,
    PortfolioOpened,
    TradingStateChanged,
    Transferred,
    Withdrawn,
)
from zvt_trading.messages.market import InstrumentSpec
from zvt_trading.messages.reasons import Reason


@final
class Control:
    """Everything an operator may ask that is not an order."""

    def __init__(self, recorder: Recorder, orders: OrderManager) -> None:
        self.recorder: Final = recorder
        self.state: Final[State] = recorder.state
        self.orders: Final = orders
        self.sampled_ts = 0

    def list_instrument(self, command: ListInstrument) -> bool:
        """Make an instrument tradable; refuses contradictions."""
        spec = command.spec
        if f"{spec.venue}:{spec.symbol}" in self.state.markets:
            return self.refuse("ListInstrument", Reason.DUPLICATE_INSTRUMENT, spec.symbol)
        problem = self._spec_problem(spec)
        if problem:
            return self.refuse("ListInstrument", Reason.INVALID_SPEC, problem)
        self.recorder.record(InstrumentListed(self.recorder.seq(), self.recorder.now, spec))
        return True

    def open_portfolio(self, command: OpenPortfolio) -> bool:
        """Open a portfolio."""
        if command.portfolio in self.state.portfolios:
            return self.refuse("OpenPortfolio", Reason.DUPLICATE_PORTFOLIO, command.portfolio)
        if not 0 < len(command.portfolio) <= NAME_LENGTH_MAX:
            text = f"portfolio name of {len(command.portfolio)} characters; 1..{NAME_LENGTH_MAX}"
            return self.refuse("OpenPortfolio", Reason.ID_TOO_LONG, text)
        if not 0 < len(command.base_asset) <= ASSET_LENGTH_MAX:
            text = f"base asset of {len(command.base_asset)} characters; 1..{ASSET_LENGTH_MAX}"
            return self.refuse("OpenPortfolio", Reason.ID_TOO_LONG, text)
        scale = self.state.asset_scales.get(command.base_asset, command.base_scale)
        if command.base_scale != scale or not 0 <= scale <= MAX_SCALE:
            text = f"{command.base_asset} has {scale} decimals, not {command.base_scale}"
            return self.refuse("OpenPortfolio", Reason.INVALID_SPEC, text)
        if not FIFO <= command.method <= AVERAGE:
            text = f"no accounting method {command.method}; 0 FIFO, 1 LIFO, 2 HIFO, 3 AVERAGE"
            return self.refuse("OpenPortfolio", Reason.INVALID_SPEC, text)
        self.recorder.record(PortfolioOpened(self.recorder.seq(), self.recorder.now, command))
        return True

    def deposit(self, command: Deposit) -> bool:
        """Money arrived."""
        asset, amount = command.asset, command.amount
        problem = self._cash_problem(command.portfolio, command.venue, asset, amount)
        if not problem:
            problem = self._beyond_bound(command.portfolio, command.venue, asset, amount)
        if problem:
            return self.refuse("Deposit", problem, self._cash_text(problem, asset, amount))
        portfolio = self.state.portfolios[command.portfolio]
        before = portfolio.equity
        self.recorder.record(Deposited(self.recorder.seq(), self.recorder.now, command))
        shift_marks(self.recorder, portfolio, portfolio.equity - before)
        return True

    def withdraw(self, command: Withdraw) -> bool:
        """Money leaves; only what is available may."""
        asset, amount = command.asset, command.amount
        problem = self._cash_problem(command.portfolio, command.venue, asset, amount)
        if not problem:
            problem = self._short_of(command.portfolio, command.venue, asset, amount)
        if problem:
            return self.refuse("Withdraw", problem, self._cash_text(problem, asset, amount))
        portfolio = self.state.portfolios[command.portfolio]
        before = portfolio.equity
        self.recorder.record(Withdrawn(self.recorder.seq(), self.recorder.now, command))
        shift_marks(self.recorder, portfolio, portfolio.equity - before)
        return True

    def transfer(self, command: Transfer) -> bool:
        """Move money between venues or portfolios."""
        asset, amount = command.asset, command.amount
        problem = self._cash_problem(command.portfolio_from, command.venue_from, asset, amount)
        if not problem:
            problem = self._cash_problem(command.portfolio_to, command.venue_to, asset, amount)
        if not problem:
            problem = self._short_of(command.portfolio_from, command.venue_from, asset, amount)
        if not problem:
            problem = self._beyond_bound(command.portfolio_to, command.venue_to, asset, amount)
        if problem:
            return self.refuse("Transfer", problem, self._cash_text(problem, asset, amount))
        giver = self.state.portfolios[command.portfolio_from]
        taker = self.state.portfolios[command.portfolio_to]
        before = giver.equity
        before_taker = taker.equity
        self.recorder.record(Transferred(self.recorder.seq(), self.recorder.now, command))
        if giver is not taker:
            shift_marks(self.recorder, giver, giver.equity - before)
            shift_marks(self.recorder, taker, taker.equity - before_taker)
        return True

    def set_leverage(self, command: SetLeverage) -> bool:
        """Choose leverage and margin mode of a flat perpetual without open orders."""
        portfolio = self.state.portfolios.get(command.portfolio)
        market = self.state.markets.get(command.instrument)
        if portfolio is None:
            return self.refuse("SetLeverage", Reason.UNKNOWN_PORTFOLIO, command.portfolio)
        if market is None:
            return self.refuse("SetLeverage", Reason.UNKNOWN_INSTRUMENT, command.instrument)
        instrument = market.instrument
        if instrument.is_spot or not 1 <= command.leverage <= instrument.leverage_max:
            text = f"leverage {command.leverage} on {instrument.id}; 1..{instrument.leverage_max}"
            return self.refuse("SetLeverage", Reason.INVALID_LEVERAGE, text)
        if command.margin_mode not in (CROSS, ISOLATED):
            text = f"no margin mode {command.margin_mode}; 0 cross, 1 isolated"
            return self.refuse("SetLeverage", Reason.INVALID_LEVERAGE, text)
        holding = portfolio.holdings.get(instrument.id)
        if holding is not None and (holding.position.quantity or holding.orders):
            text = f"{instrument.id} has a position or open orders; close them first"
            return self.refuse("SetLeverage", Reason.INVALID_LEVERAGE, text)
        self.recorder.record(LeverageSet(self.recorder.seq(), self.recorder.now, command))
        return True

    def set_limits(self, command: SetLimits) -> bool:
        """Replace the limits of a scope."""
        limits = command.limits
        problem, text = self.recorder.risk.validate(
            limits, self._money_scale(limits), self._quantity_scale(limits)
        )
        if problem:
            return self.refuse("SetLimits", problem, text)
        self.recorder.record(LimitsSet(self.recorder.seq(), self.recorder.now, command.limits))
        return True

    def _money_scale(self, limits: LimitSet) -> int:
        """Decimals of a limit's money: of the portfolio it names, or of the first one."""
        portfolios = self.state.portfolios
        if limits.scope == SCOPE_PORTFOLIO and limits.key in portfolios:
            return portfolios[limits.key].base_scale
        for portfolio in portfolios.values():
            return portfolio.base_scale
        return MONEY_SCALE_USUAL

    def _quantity_scale(self, limits: LimitSet) -> int:
        """Decimals of a limit's quantities: of the symbol it names; 0 while nobody lists it."""
        symbol = self.state.symbols.get(limits.key) if limits.scope == SCOPE_SYMBOL else None
        return symbol.markets[0].instrument.quantity_scale if symbol is not None else 0

    def set_trading_state(self, command: SetTradingState) -> bool:
        """An operator's ACTIVE, REDUCING or HALTED for one scope."""
        if not ACTIVE <= command.state <= HALTED or not self._scope_exists(
            command.scope, command.key
        ):
            text = f"scope {command.scope} {command.key!r}, state {command.state}"
            return self.refuse("SetTradingState", Reason.INVALID_SCOPE, text)
        reason = command.reason or Reason.OPERATOR
        self.change_state(command.scope, command.key, command.state, reason, 0, 0, command.text)
        return True

    def kill(self, command: KillSwitch) -> None:
        """Cancel everything, halt everything, and flatten if asked. Safe to repeat."""
        recorder = self.recorder
        recorder.record(KillSwitchPulled(recorder.seq(), recorder.now, command))
        self.change_state(SCOPE_GLOBAL, "", HALTED, Reason.KILL_SWITCH, 0, 0, command.text)
        self.orders.cancel_all(CancelAll(reason=int(Reason.KILL_SWITCH)))
        if command.flatten:
            self._flatten_all()

    def start(self, epoch: int) -> None:
        """This process takes the journal over; with a past it begins suspended."""
        recorder = self.recorder
        recovering = self.state.seq > 0
        recorder.record(EngineStarted(recorder.seq(), recorder.now, epoch, recovering))

    def suspend(self, reason: int, text: str) -> None:
        """Take no new risk until `resume`."""
        recorder = self.recorder
        recorder.record(EngineSuspended(recorder.seq(), recorder.now, int(reason), text))

    def resume(self, text: str) -> None:
        """New risk may be taken again; what a kill switch could not close meanwhile is closed."""
        recorder = self.recorder
        recorder.record(EngineResumed(recorder.seq(), recorder.now, text))
        if self.state.flatten_seq:
            self._flatten_all()

    def read_history(self, venue: str, cursor: int) -> None:
        """A venue's history was taken in up to `cursor`; never back."""
        known = self.state.venues.get(venue)
        if known is not None and cursor > known.history_cursor:
            recorder = self.recorder
            recorder.record(HistoryRead(recorder.seq(), recorder.now, venue, cursor))

    def after_kill(self, order: Order) -> None:
        """An order from before a kill switch that flattens has changed: close what it left open.

        Until its cancel was confirmed it held coins that the closing order needs, or it was filled
        meanwhile. Closing orders themselves are not repeated: a venue that refuses one would refuse
        the next.
        """
        if is_closed(order.life) and sequence_of(order.id) <= self.state.flatten_seq:
            self._flatten(order.holding)

    def _flatten_all(self) -> None:
        for portfolio in self.state.portfolios.values():
            for holding in list(portfolio.holdings.values()):
                self._flatten(holding)

    def _flatten(self, holding: Holding) -> None:
        """Close at market what is not being closed already, as far as the coins are free."""
        instrument = holding.instrument
        side = SELL if holding.position.quantity > 0 else BUY
        quantity = abs(holding.position.quantity)
        for order in holding.orders.values():
            if order.side == side and order.pending != CANCEL_REQUESTED:
                quantity -= order.working
        if instrument.is_spot:
            quantity = min(quantity, holding.base.available() // instrument.base_unit)
        quantity -= quantity % instrument.lot
        if quantity > 0:
            request = SubmitOrder(
                holding.portfolio.name, instrument.id, side, MARKET, quantity, reduce_only=True
            )
            self.orders.flatten(request)

    def change_state(
        self, scope: int, key: str, state: int, reason: int, limit: int, value: int, text: str
    ) -> None:
        """Record a change of trading state."""
        recorder = self.recorder
        recorder.record(
            TradingStateChanged(
                recorder.seq(), recorder.now, scope, key, state, int(reason), limit, value, text
            )
        )

    def on_time(self, now: int) -> None:
        """Sample equity; a breached loss limit makes the portfolio REDUCING by itself."""
        if now - self.sampled_ts < EQUITY_SAMPLE_NS:
            return
        self.sampled_ts = now
        day = now // DAY
        for portfolio in self.state.portfolios.values():
            if not is_marked(portfolio):
                continue
            portfolio.unmarked = False
            if portfolio.equity_shift:
                shift_marks(self.recorder, portfolio, 0)
            equity = portfolio.equity
            if day != portfolio.day:
                sample_equity(
                    self.recorder, portfolio, max(portfolio.peak_equity, equity), equity, day
                )
            elif equity > portfolio.peak_equity:
                sample_equity(self.recorder, portfolio, equity, portfolio.day_start_equity, day)
            elif (
                equity != portfolio.sampled_equity
                and now - portfolio.sampled_ts >= EQUITY_RECORD_NS
            ):
                sample_equity(
                    self.recorder, portfolio, portfolio.peak_equity, portfolio.day_start_equity, day
                )
            if portfolio.trading_state == ACTIVE:
                reason = self.recorder.risk.breach(portfolio)
                if reason:
                    risk = self.recorder.risk
                    self.change_state(
                        SCOPE_PORTFOLIO, portfolio.name, REDUCING, reason, risk.breach_limit,
                        risk.breach_value, "loss limit reached; a person must re-arm",
                    )  # fmt: skip

    def _spec_problem(self, spec: InstrumentSpec) -> str:
        """What contradicts itself, or the scales that other instruments use; "" when nothing."""
        if min(spec.tick, spec.lot, spec.quantity_min, spec.contract_size, spec.leverage_max) <= 0:
            return "tick, lot, quantity_min, contract_size and leverage_max must be > 0"
        if spec.leverage_max > LEVERAGE_MAX:
            return f"leverage_max {spec.leverage_max}; at most {LEVERAGE_MAX}"
        for scale in (spec.price_scale, spec.quantity_scale, spec.contract_scale):
            if not 0 <= scale <= MAX_SCALE:
                return f"prices, quantities and contracts have 0..{MAX_SCALE} decimals, not {scale}"
        if max(len(spec.venue), len(spec.symbol)) > NAME_LENGTH_MAX:
            return f"venues and symbols have names of at most {NAME_LENGTH_MAX} characters"
        if max(len(spec.base), len(spec.quote)) > ASSET_LENGTH_MAX:
            return f"assets have names of at most {ASSET_LENGTH_MAX} characters"
        if not SPOT <= spec.kind <= INVERSE:
            return f"kind {spec.kind}; 0 spot, 1 linear, 2 inverse"
        if spec.settle != (spec.base if spec.kind == INVERSE else spec.quote):
            return f"settles in {spec.settle}"
        scales = self.state.asset_scales
        for asset, scale in ((spec.base, spec.base_scale), (spec.quote, spec.quote_scale)):
            if scales.get(asset, scale) != scale or not 0 <= scale <= MAX_SCALE:
                return f"{asset} has {scales.get(asset, scale)} decimals already, not {scale}"
        symbol = self.state.symbols.get(spec.symbol)
        if symbol is not None:
            other = symbol.markets[0].instrument
            if (other.price_scale, other.quantity_scale) != (spec.price_scale, spec.quantity_scale):
                return f"{spec.symbol} has other scales on {other.venue}"
        try:
            Instrument(spec)
        except ValueError as error:
            return str(error)
        return ""

    def _cash_problem(self, portfolio: str, venue: str, asset: str, amount: int) -> int:
        if portfolio not in self.state.portfolios:
            return Reason.UNKNOWN_PORTFOLIO
        if venue not in self.state.venues:
            return Reason.UNKNOWN_INSTRUMENT
        if asset not in self.state.asset_scales:
            return Reason.UNKNOWN_ASSET
        return 0 if amount > 0 else Reason.INVALID_AMOUNT

    def _short_of(self, portfolio: str, venue: str, asset: str, amount: int) -> int:
        balance = self.state.ledger.find(portfolio, venue, asset)
        if balance is None or balance.available() < amount:
            return Reason.INSUFFICIENT_BALANCE
        return 0

    def _beyond_bound(self, portfolio: str, venue: str, asset: str, amount: int) -> int:
        """Whether the balance would become more than any account has: input is noise then."""
        balance = self.state.ledger.find(portfolio, venue, asset)
        total = amount if balance is None else balance.total + amount
        return Reason.INVALID_AMOUNT if total > self._money_bound(asset) else 0

    def _money_bound(self, asset: str) -> int:
        return AMOUNT_MAX * int(10 ** self.state.asset_scales.get(asset, 0))

    def _cash_text(self, problem: int, asset: str, amount: int) -> str:
        text = f"{amount} units of {asset}"
        if problem == Reason.INVALID_AMOUNT:
            text += f"; above 0, and no balance above {self._money_bound(asset)}"
        return text

    def _scope_exists(self, scope: int, key: str) -> bool:
        state = self.state
        if scope == SCOPE_GLOBAL:
            return key == ""
        if scope == SCOPE_PORTFOLIO:
            return key in state.portfolios
        if scope == SCOPE_VENUE:
            return key in state.venues
        if scope == SCOPE_SYMBOL:
            return key in state.symbols
        return scope == SCOPE_STRATEGY and len(key) <= NAME_LENGTH_MAX

    def refuse(self, command: str, reason: int, text: str) -> bool:
        """Record that a command was refused (by us, or by a venue that was asked first)."""
        recorder = self.recorder
        recorder.record(
            CommandRefused(recorder.seq(), recorder.now, command, int(reason), 0, 0, text)
        )
        return False
