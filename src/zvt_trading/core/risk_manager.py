"""The one gate: every order, amend, released stop and manual order passes `RiskManager.check`.

`check` decides and changes nothing but the ticket. What the gate remembers (limits, pace, patterns)
changes only by the `on_*` methods, which `evolve` calls; so a replayed journal gives the same gate.
"""

from typing import Final, final

from zvt_trading.core.order_checks import check_filters, check_shape
from zvt_trading.core.risk_limits import (
    NO_LIMIT,
    OPEN_ORDERS,
    PER_DAY,
    PER_HOUR,
    PER_SECOND,
    Limits,
    RiskLimits,
    ScopedLimit,
)
from zvt_trading.core.risk_money import (
    Facts,
    largest_value_price,
    passed_daily_loss,
    passed_drawdown_bps,
    reference_twice,
    required_hold,
)
from zvt_trading.core.risk_rules import (
    check_data,
    check_loss,
    intent_key,
    rule_cool_down,
    rule_duplicate,
    rule_funds,
    rule_marked,
    rule_rate_day,
    rule_rate_hour,
    rule_rate_second,
    rule_repeated,
    rule_self_cross,
    rule_suspended,
    rule_trading_state,
    rule_venue_health,
)
from zvt_trading.core.risk_size_rules import (
    check_size,
    rule_open_orders,
    rule_order_notional,
    rule_order_quantity,
    rule_reduce_only,
)
from zvt_trading.core.risk_windows import Pattern, RateCounter
from zvt_trading.core.state import Holding, Order, Portfolio, State, Strategy
from zvt_trading.core.ticket import Ticket
from zvt_trading.messages.codes import BUY, HALTED, SCOPE_GLOBAL, SCOPE_STRATEGY
from zvt_trading.messages.commands import LimitSet
from zvt_trading.messages.reasons import Reason

_MILLISECOND: Final = 1_000_000
_RATES: Final = (PER_SECOND, PER_HOUR, PER_DAY)


@final
class Bounds:
    """One kind of pace limit: every scope that binds, with its counter."""

    def __init__(self, limits: list[ScopedLimit], counters: list[RateCounter]) -> None:
        self.limits: Final = limits
        self.counters: Final = counters


@final
class Flow:
    """Everything that binds the orders of one strategy in one holding, resolved once."""

    def __init__(
        self, limits: Limits, open_orders: list[ScopedLimit], rates: list[Bounds], pattern: Pattern
    ) -> None:
        self.limits: Final = limits
        self.open_orders: Final = open_orders
        self.second: Final = rates[0]
        self.hour: Final = rates[1]
        self.day: Final = rates[2]
        self.pattern: Final = pattern
        self.counters: Final[list[RateCounter]] = []  # every counter its orders count in, once
        for bounds in rates:
            for counter in bounds.counters:
                if counter not in self.counters:
                    self.counters.append(counter)


@final
class RiskManager:
    """Checks tickets against limits; remembers pace and patterns.

    `breach_limit` and `breach_value` belong to the last `breach`. `tripped` names the strategies
    whose executions ran past the repeated-execution limit: they are to be HALTED until a person
    re-arms them (`on_trading_state`).
    """

    def __init__(self) -> None:
        self.limits: Final = RiskLimits()
        self.breach_limit = 0
        self.breach_value = 0
        self.tripped: list[str] = []
        self._counters: dict[tuple[int, str], RateCounter] = {}
        self._patterns: dict[tuple[str, str, str], Pattern] = {}
        # Caches, cleared when limits are set; never iterated.
        self._flows: dict[Holding, dict[str, Flow]] = {}
        self._portfolio_limits: dict[str, Limits] = {}
        self._make_counters()

    def check(self, ticket: Ticket, state: State, now: int) -> int:
        """The whole gate: a Reason code, or 0 when the order may be placed.

        On approval the ticket has `worst_price` (market orders), `hold` and `hold_balance`; on
        refusal `limit`, `value`, `scope`, `key` and `text`. Of several failing rules the one with
        the smallest code answers.
        """
        reason = check_shape(ticket, now) or check_filters(ticket)
        if reason:
            return reason
        flow = self._flow(ticket.holding, ticket.strategy)
        if ticket.held:
            return self._check_held(ticket, flow, state, now)
        facts = Facts(ticket, flow.limits.collar_bps, now)
        if ticket.is_flatten:
            return self._check_flatten(ticket, facts, state)
        return (
            rule_trading_state(ticket, state, facts.reducing)
            or rule_venue_health(ticket)
            or rule_cool_down(ticket, now, facts.reducing)
            or rule_suspended(ticket, state)
            or rule_marked(ticket, facts.reducing)
            or check_data(ticket, flow.limits, facts)
            or check_size(ticket, flow.limits, facts, flow.open_orders)
            or self._check_pace(ticket, flow, now)
            or rule_self_cross(ticket, facts)
            or check_loss(ticket, flow.limits, facts.reducing)
            or rule_funds(ticket, facts)
        )

    def required_hold(self, ticket: Ticket) -> int:
        """What an order must reserve, in units of `ticket.hold_balance`'s asset (both are set).

        A market order is bounded by `ticket.worst_price`, which the caller or `check` has set.
        """
        instrument = ticket.instrument
        price = ticket.worst_price if ticket.is_market() else ticket.price
        twice = reference_twice(instrument)
        worst = largest_value_price(instrument, ticket.side, price, twice)
        return required_hold(ticket, price, twice, instrument.value(worst, ticket.quantity))

    def validate(
        self, limit_set: LimitSet, base_scale: int = 8, quantity_scale: int = 0
    ) -> tuple[int, str]:
        """(Reason, text) why a limit set cannot be taken; see `RiskLimits.validate`."""
        return self.limits.validate(limit_set, base_scale, quantity_scale)

    def limits_of(self, holding: Holding, strategy: Strategy) -> Limits:
        """The limits that bind a strategy's orders in a holding."""
        return self._flow(holding, strategy).limits

    def cool_down_ms(self, order: Order) -> int:
        """How long the portfolio rests after a realised loss of this order (0: not at all)."""
        return self._flow(order.holding, order.strategy).limits.cool_down_ms

    def breach(self, portfolio: Portfolio) -> int:
        """DAILY_LOSS or DRAWDOWN when the portfolio's equity has passed its own or a global limit.

        `breach_limit` and `breach_value` then say by how much (money, or basis points). The caller
        makes the portfolio REDUCING; limits of narrower scopes only refuse their orders.
        """
        limits = self._limits_of_portfolio(portfolio)
        limit = passed_daily_loss(portfolio, limits)
        if limit >= 0:
            self.breach_limit = limit
            self.breach_value = portfolio.day_start_equity - portfolio.equity
            return int(Reason.DAILY_LOSS)
        lost_bps = passed_drawdown_bps(portfolio, limits)
        if lost_bps >= 0:
            self.breach_limit = limits.drawdown_bps_max
            self.breach_value = lost_bps
            return int(Reason.DRAWDOWN)
        return 0

    def on_limits_set(self, limit_set: LimitSet) -> None:
        """A scope's limits were replaced."""
        self.limits.set(limit_set)
        self._flows = {}
        self._portfolio_limits = {}
        self._make_counters()

    def on_placed(self, order: Order, ts: int) -> None:
        """An order was placed, or a held one released: it is an intent, and a message when sent."""
        flow = self._flow(order.holding, order.strategy)
        window = flow.limits.duplicate_window_ms
        if window:
            key = intent_key(
                order.terms.instrument,
                order.side,
                order.type,
                order.quantity,
                order.price,
                order.trigger_price,
            )
            flow.pattern.add_intent(key, ts, window * _MILLISECOND)
        if not order.is_held():
            for counter in flow.counters:
                counter.add(ts)

    def on_amend_requested(self, order: Order, ts: int) -> None:
        """An amend was sent: it counts as a message."""
        for counter in self._flow(order.holding, order.strategy).counters:
            counter.add(ts)

    def on_filled(self, order: Order, ts: int) -> None:
        """A fill was booked (it is in `order.trade_ids` already); an order's first one counts."""
        if len(order.trade_ids) > 1:
            return
        flow = self._flow(order.holding, order.strategy)
        limits = flow.limits
        executed = flow.pattern.bought if order.side == BUY else flow.pattern.sold
        limit = limits.repeated_executions_max
        span = limits.repeated_window_ms * _MILLISECOND
        name = order.strategy.name
        # Orders sent before the limit was reached may still execute: that is one too many.
        if executed.reaches(limit, ts, span) and name not in self.tripped:
            self.tripped.append(name)
        executed.add(ts, span, limit)

    def on_trading_state(self, scope: int, key: str, state: int) -> None:
        """A trading state changed: halting a strategy settles its trip, re-arming starts afresh."""
        if scope != SCOPE_STRATEGY:
            return
        if key in self.tripped:
            self.tripped.remove(key)
        if state == HALTED:
            return
        for owner in sorted(self._patterns):
            if owner[1] == key:
                self._patterns[owner].bought.restore([])
                self._patterns[owner].sold.restore([])

    def state_items(self) -> list[int | str]:
        """All that the gate remembers as a flat list, for digests and snapshots; see `restore`.

        What was never used is left out, so that looking (which makes empty entries) does not count.
        """
        rows: list[list[int | str]] = [self.limits.state_items()]
        tripped: list[int | str] = []
        tripped.extend(sorted(self.tripped))
        rows.append(tripped)
        for scope, key in sorted(self._counters):
            row: list[int | str] = [scope, key]
            row.extend(self._counters[(scope, key)].state_items())
            rows.append(row)
        rows.append([])
        for owner in sorted(self._patterns):
            pattern = self._patterns[owner]
            if not pattern.is_empty():
                named: list[int | str] = [owner[0], owner[1], owner[2]]
                named.extend(pattern.state_items())
                rows.append(named)
        items: list[int | str] = []
        for row in rows:
            items.append(len(row))
            items.extend(row)
        return items

    def restore(self, items: list[int | str]) -> None:
        """Become what `state_items` described."""
        rows: list[list[int | str]] = []
        at = 0
        while at < len(items):
            size = int(items[at])
            rows.append(items[at + 1 : at + 1 + size])
            at += 1 + size
        self.limits.restore(rows[0])
        self.tripped = [str(name) for name in rows[1]]
        self._flows = {}
        self._portfolio_limits = {}
        self._counters = {}
        self._patterns = {}
        self._make_counters()
        end = rows.index([], 2)
        for row in rows[2:end]:
            self._counters[(int(row[0]), str(row[1]))].restore(row[2:])
        for row in rows[end + 1 :]:
            self._pattern(str(row[0]), str(row[1]), str(row[2])).restore(row[3:])

    def _check_held(self, ticket: Ticket, flow: Flow, state: State, now: int) -> int:
        """An order that the core holds back: what does not depend on the market of now.

        Nothing is sent; its release passes the whole gate.
        """
        reducing = ticket.terms.reduce_only or ticket.reduces_only()
        price = ticket.price or ticket.trigger_price or reference_twice(ticket.instrument) >> 1
        value = ticket.instrument.value(price, ticket.quantity)
        return (
            rule_trading_state(ticket, state, reducing)
            or rule_suspended(ticket, state)
            or rule_order_quantity(ticket, flow.limits)
            or rule_order_notional(ticket, flow.limits, value)
            or rule_open_orders(ticket, flow.open_orders)
            or rule_duplicate(ticket, flow.limits, flow.pattern, now)
        )

    def _check_flatten(self, ticket: Ticket, facts: Facts, state: State) -> int:
        """The kill switch closing a position: nothing but impossibility stops it.

        While the engine is suspended it waits, and is asked again when it resumes. Without any
        price the order goes out unbounded (`worst_price` 0). A perpetual's closing order reserves
        nothing, whatever other orders are still being cancelled.
        """
        reason = (
            rule_venue_health(ticket)
            or rule_suspended(ticket, state)
            or rule_reduce_only(ticket, facts.reducing)
        )
        if reason or ticket.instrument.is_spot:
            return reason or rule_funds(ticket, facts)
        ticket.hold_balance = ticket.holding.settle
        ticket.hold = 0
        return 0

    def _check_pace(self, ticket: Ticket, flow: Flow, now: int) -> int:
        """Rates and patterns."""
        return (
            rule_rate_second(ticket, flow.second.limits, flow.second.counters, now)
            or rule_rate_hour(ticket, flow.hour.limits, flow.hour.counters, now)
            or rule_rate_day(ticket, flow.day.limits, flow.day.counters, now)
            or rule_duplicate(ticket, flow.limits, flow.pattern, now)
            or rule_repeated(ticket, flow.limits, flow.pattern, now)
        )

    def _flow(self, holding: Holding, strategy: Strategy) -> Flow:
        """What binds this strategy in this holding, from the cache if it can be."""
        flows = self._flows.get(holding)
        if flows is None:
            flows = {}
            self._flows[holding] = flows
        found = flows.get(strategy.name)
        if found is None:
            found = self._make_flow(holding, strategy.name)
            flows[strategy.name] = found
        return found

    def _make_flow(self, holding: Holding, strategy: str) -> Flow:
        portfolio = holding.portfolio.name
        venue = holding.instrument.venue
        symbol = holding.instrument.symbol
        limits = self.limits.resolve(
            portfolio, holding.portfolio.base_scale, strategy, venue, symbol
        )
        open_orders = self.limits.binding(OPEN_ORDERS, portfolio, strategy, venue, symbol)
        rates: list[Bounds] = []
        for index in _RATES:
            bounds = self.limits.binding(index, portfolio, strategy, venue, symbol)
            counters = [self._counters[(bound.scope, bound.key)] for bound in bounds]
            rates.append(Bounds(bounds, counters))
        return Flow(limits, open_orders, rates, self._pattern(portfolio, strategy, symbol))

    def _pattern(self, portfolio: str, strategy: str, symbol: str) -> Pattern:
        found = self._patterns.get((portfolio, strategy, symbol))
        if found is None:
            found = Pattern()
            self._patterns[(portfolio, strategy, symbol)] = found
        return found

    def _limits_of_portfolio(self, portfolio: Portfolio) -> Limits:
        """The limits of the portfolio as a whole."""
        found = self._portfolio_limits.get(portfolio.name)
        if found is None:
            found = self.limits.resolve(portfolio.name, portfolio.base_scale, "", "", "")
            self._portfolio_limits[portfolio.name] = found
        return found

    def _make_counters(self) -> None:
        """A counter for every scope that states a pace limit, and for no other."""
        counters: dict[tuple[int, str], RateCounter] = {}
        for scope, key in [(SCOPE_GLOBAL, ""), *self.limits.scopes()]:
            stated = [self.limits.own(index, scope, key) for index in _RATES]
            if max(stated) != NO_LIMIT:
                counter = self._counters.get((scope, key))
                if counter is None:
                    counter = RateCounter()
                counter.per_second = stated[0]
                counters[(scope, key)] = counter
        self._counters = counters
