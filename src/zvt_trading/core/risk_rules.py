"""The rules of the gate: one small pure function each, in the precedence order of the reasons.

Each returns a Reason code or 0; on refusal the ticket says which limit, which value and whose limit
it was. The `check_*` functions run them by group, `risk_manager` runs the groups; the rules on size
are in `risk_size_rules`, those on the order by itself in `order_checks`.
"""

from typing import Final

from zvt_trading.core.refusal import refuse, refuse_limit, refuse_portfolio, refuse_scope
from zvt_trading.core.risk_limits import (
    COLLAR,
    DAILY_LOSS,
    DAILY_LOSS_BPS,
    DATA_AGE,
    DRAWDOWN,
    DUPLICATE_WINDOW,
    REPEATED,
    Limits,
    ScopedLimit,
)
from zvt_trading.core.risk_money import (
    Facts,
    passed_daily_loss,
    passed_drawdown_bps,
    required_hold,
)
from zvt_trading.core.risk_windows import IntentKey, Pattern, RateCounter
from zvt_trading.core.state import Holding, Order, State
from zvt_trading.core.ticket import Ticket
from zvt_trading.core.units import BPS_ONE, SECOND
from zvt_trading.core.valuation import is_marked
from zvt_trading.messages.codes import (
    ACTIVE,
    BUY,
    FOK,
    HALTED,
    IOC,
    SCOPE_GLOBAL,
    SCOPE_PORTFOLIO,
    SCOPE_STRATEGY,
    SCOPE_SYMBOL,
    SCOPE_VENUE,
)
from zvt_trading.messages.reasons import Reason

_MILLISECOND: Final = 1_000_000
_TYPES: Final = 16  # more than there are order types: side and type share one int of an intent


def rule_trading_state(ticket: Ticket, state: State, reducing: bool) -> int:
    """Obey the strictest trading state of the order's scopes.

    HALTED lets nothing pass, REDUCING only what can but make the position smaller. (The kill
    switch's closing orders do not come here.)
    """
    market = ticket.market
    strictest = state.trading_state
    scope = SCOPE_GLOBAL
    if ticket.portfolio.trading_state > strictest:
        strictest = ticket.portfolio.trading_state
        scope = SCOPE_PORTFOLIO
    if ticket.strategy.trading_state > strictest:
        strictest = ticket.strategy.trading_state
        scope = SCOPE_STRATEGY
    if market.venue.trading_state > strictest:
        strictest = market.venue.trading_state
        scope = SCOPE_VENUE
    if market.symbol.trading_state > strictest:
        strictest = market.symbol.trading_state
        scope = SCOPE_SYMBOL
    if strictest == ACTIVE:
        return 0
    keys = ("", ticket.portfolio.name, ticket.strategy.name, market.venue.name, market.symbol.name)
    key = keys[scope]
    if strictest == HALTED:
        text = f"trading is halted ({key or 'everywhere'})"
        return refuse_scope(ticket, Reason.TRADING_HALTED, scope, key, 0, strictest, text)
    if reducing:
        return 0
    text = f"only orders that reduce a position are let through ({key or 'everywhere'})"
    return refuse_scope(ticket, Reason.TRADING_REDUCING, scope, key, 0, strictest, text)


def rule_suspended(ticket: Ticket, state: State) -> int:
    """The engine knows what it has, and can remember what it does.

    While it does not, nothing that could add risk is sent; a held stop waits.
    """
    if state.suspended == 0:
        return 0
    text = "the store cannot take orders down: nothing new is sent until it can"
    if state.suspended == Reason.RECOVERING:
        text = "the engine was restarted and still compares its books with the venues"
    return refuse_scope(ticket, Reason(state.suspended), SCOPE_GLOBAL, "", 0, 0, text)


def rule_marked(ticket: Ticket, reducing: bool) -> int:
    """After a restart, nothing is risked before all that is held has a price again."""
    portfolio = ticket.portfolio
    if reducing or not portfolio.unmarked or is_marked(portfolio):
        return 0
    text = "since the restart not everything the portfolio holds has had a price"
    return refuse_portfolio(ticket, Reason.NO_REFERENCE_PRICE, 0, 0, text)


def rule_venue_health(ticket: Ticket) -> int:
    """The venue can be reached."""
    venue = ticket.market.venue
    if venue.healthy:
        return 0
    text = f"{venue.name} is not healthy"
    return refuse_scope(ticket, Reason.VENUE_UNHEALTHY, SCOPE_VENUE, venue.name, 0, 0, text)


def rule_cool_down(ticket: Ticket, now: int, reducing: bool) -> int:
    """No new risk while the portfolio rests after a loss."""
    until = ticket.portfolio.cool_down_until
    if until <= now or reducing:
        return 0
    text = "the portfolio rests after a loss until {limit} (ns); now is {value}"
    return refuse_portfolio(ticket, Reason.COOL_DOWN, until, now, text)


def rule_reference(ticket: Ticket, facts: Facts) -> int:
    """There is a price to compare with, and a rate into the base asset that money limits are in."""
    if not facts.reference_twice:
        text = f"{ticket.instrument.id} has no price yet"
        return refuse(ticket, Reason.NO_REFERENCE_PRICE, 0, 0, text)
    if ticket.holding.settle.rate_num == 0:
        settle, base = ticket.instrument.settle, ticket.portfolio.base_asset
        text = f"nothing prices {settle} in {base}, which the limits are in"
        return refuse(ticket, Reason.NO_REFERENCE_PRICE, 0, 0, text)
    return 0


def rule_stale(ticket: Ticket, limits: Limits, now: int) -> int:
    """The last quote is young enough."""
    age_max = limits.data_age_ms_max
    age = now - ticket.instrument.quote_ts
    if age <= age_max * _MILLISECOND:
        return 0
    text = "the last quote is {value} ms old, {limit} ms are allowed"
    return refuse_limit(
        ticket, limits, DATA_AGE, Reason.STALE_DATA, age_max, age // _MILLISECOND, text
    )


def rule_book(ticket: Ticket) -> int:
    """The book has no gap, and its bid is below its ask."""
    instrument = ticket.instrument
    if not instrument.book_valid:
        text = f"the book of {instrument.id} has a gap"
        return refuse(ticket, Reason.BOOK_INVALID, 0, 0, text)
    if instrument.bid >= instrument.ask > 0:
        text = "the bid {value} is not below the ask {limit}"
        return refuse(ticket, Reason.BOOK_CROSSED, instrument.ask, instrument.bid, text)
    return 0


def rule_collar(ticket: Ticket, limits: Limits, facts: Facts) -> int:
    """A limit price not too far through the reference; a touch that a market order may reach.

    Buying far above or selling far below is refused; passive prices may be as far as they like.
    """
    collar = limits.collar_bps
    instrument = ticket.instrument
    if ticket.side == BUY:
        edge = facts.reference_twice * (BPS_ONE + collar)
        price = instrument.ask if facts.is_market else facts.price
        if price * 2 * BPS_ONE <= edge:
            return 0
    else:
        edge = facts.reference_twice * (BPS_ONE - collar)
        price = instrument.bid if facts.is_market else facts.price
        # A market order without a bid has nothing to compare: it trades inside the collar or not.
        if price * 2 * BPS_ONE >= edge or (facts.is_market and not price):
            return 0
    worst = edge // (2 * BPS_ONE)
    text = f"{{value}} is beyond {{limit}}, {collar} basis points from the reference price"
    return refuse_limit(ticket, limits, COLLAR, Reason.PRICE_COLLAR, worst, price, text)


def rule_rate_second(
    ticket: Ticket, bounds: list[ScopedLimit], counters: list[RateCounter], now: int
) -> int:
    """Orders and amends within the last second, exactly."""
    for index in range(len(bounds)):
        bound = bounds[index]
        if counters[index].seconds.reaches(bound.limit, now, SECOND):
            count = counters[index].seconds.count(now, SECOND)
            return _refuse_rate(ticket, Reason.RATE_SECOND, bound, count, "second")
    return 0


def rule_rate_hour(
    ticket: Ticket, bounds: list[ScopedLimit], counters: list[RateCounter], now: int
) -> int:
    """Orders and amends within the last hour, by minutes."""
    for index in range(len(bounds)):
        bound = bounds[index]
        if counters[index].hour.reaches(bound.limit, now):
            count = counters[index].hour.count(now)
            return _refuse_rate(ticket, Reason.RATE_HOUR, bound, count, "hour")
    return 0


def rule_rate_day(
    ticket: Ticket, bounds: list[ScopedLimit], counters: list[RateCounter], now: int
) -> int:
    """Orders and amends within the last 24 hours, by hours."""
    for index in range(len(bounds)):
        bound = bounds[index]
        if counters[index].day.reaches(bound.limit, now):
            count = counters[index].day.count(now)
            return _refuse_rate(ticket, Reason.RATE_DAY, bound, count, "day")
    return 0


def rule_duplicate(ticket: Ticket, limits: Limits, pattern: Pattern, now: int) -> int:
    """The same was not asked a moment ago (an amend or a release is not asking again)."""
    window = limits.duplicate_window_ms * _MILLISECOND
    if now - pattern.latest >= window or ticket.order_id:
        return 0
    key = intent_key(
        ticket.terms.instrument,
        ticket.side,
        ticket.type,
        ticket.quantity,
        ticket.price,
        ticket.trigger_price,
    )
    age = pattern.intent_age(key, now, window)
    if age < 0:
        return 0
    text = "the same order was asked {value} ms ago; {limit} ms must lie between"
    return refuse_limit(
        ticket,
        limits,
        DUPLICATE_WINDOW,
        Reason.DUPLICATE_INTENT,
        limits.duplicate_window_ms,
        age // _MILLISECOND,
        text,
    )


def rule_repeated(ticket: Ticket, limits: Limits, pattern: Pattern, now: int) -> int:
    """Not executed again and again the same way (MiFID II RTS 6, art. 15(3))."""
    executed = pattern.bought if ticket.side == BUY else pattern.sold
    limit = limits.repeated_executions_max
    span = limits.repeated_window_ms * _MILLISECOND
    if not executed.reaches(limit, now, span):
        return 0
    text = f"{{value}} of {{limit}} same executions allowed in {limits.repeated_window_ms} ms"
    count = executed.count(now, span)
    return refuse_limit(ticket, limits, REPEATED, Reason.REPEATED_EXECUTION, limit, count, text)


def rule_self_cross(ticket: Ticket, facts: Facts) -> int:
    """It would not trade with an order of our own, of whatever portfolio."""
    for holding in ticket.market.holdings:
        opposite = holding.open_sell if ticket.side == BUY else holding.open_buy
        if opposite:
            found = crossed_order(holding, ticket, facts)
            if found is not None:
                text = f"it would trade with our own order {found.id} at {{value}}"
                return refuse(ticket, Reason.SELF_CROSS, facts.price, found.price, text)
    return 0


def rule_daily_loss(ticket: Ticket, limits: Limits) -> int:
    """The day's loss, marked to market, against money and against a share of the day's start."""
    portfolio = ticket.portfolio
    limit = passed_daily_loss(portfolio, limits)
    if limit < 0:
        return 0
    loss = portfolio.day_start_equity - portfolio.equity
    text = f"today's loss is {{value}} {portfolio.base_asset}, {{limit}} is allowed"
    index = DAILY_LOSS if limit == limits.daily_loss_max else DAILY_LOSS_BPS
    return refuse_limit(ticket, limits, index, Reason.DAILY_LOSS, limit, loss, text)


def rule_drawdown(ticket: Ticket, limits: Limits) -> int:
    """The loss since the equity's peak, in basis points of the peak."""
    lost_bps = passed_drawdown_bps(ticket.portfolio, limits)
    if lost_bps < 0:
        return 0
    limit = limits.drawdown_bps_max
    text = "the drawdown is {value} basis points, {limit} are allowed"
    return refuse_limit(ticket, limits, DRAWDOWN, Reason.DRAWDOWN, limit, lost_bps, text)


def rule_funds(ticket: Ticket, facts: Facts) -> int:
    """The account has what the order must reserve, besides all other reservations."""
    hold = required_hold(ticket, facts.price, facts.reference_twice, facts.value)
    balance = ticket.hold_balance
    if hold == 0 or balance is None:
        return 0
    available = balance.available() + ticket.replaces_hold
    if hold <= available:
        return 0
    text = f"needs {{value}} {balance.asset} on {balance.venue}, {{limit}} is available"
    is_spot = ticket.instrument.is_spot
    reason = Reason.INSUFFICIENT_BALANCE if is_spot else Reason.INSUFFICIENT_MARGIN
    return refuse_portfolio(ticket, reason, available, hold, text)


def check_data(ticket: Ticket, limits: Limits, facts: Facts) -> int:
    """Market data rules."""
    return (
        rule_reference(ticket, facts)
        or rule_stale(ticket, limits, facts.now)
        or rule_book(ticket)
        or rule_collar(ticket, limits, facts)
    )


def check_loss(ticket: Ticket, limits: Limits, reducing: bool) -> int:
    """Loss rules; orders that reduce pass."""
    return 0 if reducing else rule_daily_loss(ticket, limits) or rule_drawdown(ticket, limits)


def intent_key(
    instrument: str, side: int, kind: int, quantity: int, price: int, trigger: int
) -> IntentKey:
    """What makes two requests the same."""
    return instrument, side * _TYPES + kind, quantity, price, trigger


def crossed_order(holding: Holding, ticket: Ticket, facts: Facts) -> Order | None:
    """A resting order of the opposite side that the ticket's order would meet.

    A market order meets what rests at the touch or better. Market, IOC and FOK orders never rest:
    they cannot be met.
    """
    side = ticket.side
    price = facts.price
    if facts.is_market:
        price = ticket.instrument.ask if side == BUY else ticket.instrument.bid
    for order in holding.orders.values():
        if order.side == side or not order.price or order.tif == IOC or order.tif == FOK:
            continue
        resting = order.price
        if order.amend_price and side * (order.amend_price - resting) < 0:
            resting = order.amend_price  # until the amend is answered, it may rest at either
        if side * (price - resting) >= 0:
            return order
    return None


def _refuse_rate(ticket: Ticket, reason: int, bound: ScopedLimit, count: int, span: str) -> int:
    text = f"{{value}} orders in the last {span}, {{limit}} are allowed"
    return refuse_scope(ticket, reason, bound.scope, bound.key, bound.limit, count, text)
