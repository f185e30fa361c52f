"""The gate's rules on size: one order, open orders, the position, exposure, allocation, leverage.

As in `risk_rules`: one small pure function each, in the precedence order of the reasons.
"""

from zvt_trading.core.refusal import refuse, refuse_limit, refuse_scope
from zvt_trading.core.risk_limits import (
    ALLOCATION,
    EXPOSURE,
    LEVERAGE,
    ORDER_NOTIONAL,
    ORDER_QUANTITY,
    POSITION_NOTIONAL,
    POSITION_QUANTITY,
    Limits,
    ScopedLimit,
)
from zvt_trading.core.risk_money import Facts, within_share, worst_value
from zvt_trading.core.ticket import Ticket
from zvt_trading.core.units import BPS_ONE
from zvt_trading.core.valuation import base_value
from zvt_trading.messages.codes import SCOPE_PORTFOLIO, SCOPE_STRATEGY, SCOPE_VENUE
from zvt_trading.messages.reasons import Reason


def rule_order_quantity(ticket: Ticket, limits: Limits) -> int:
    """One order's quantity."""
    limit = limits.order_quantity_max
    if limit < 0 or ticket.quantity <= limit:
        return 0
    text = "order quantity {value} is above {limit}"
    return refuse_limit(
        ticket, limits, ORDER_QUANTITY, Reason.MAX_ORDER_QUANTITY, limit, ticket.quantity, text
    )


def rule_order_notional(ticket: Ticket, limits: Limits, value: int) -> int:
    """One order's largest notional (`value`, settle asset), in the base asset."""
    limit = limits.order_notional_max
    notional = base_value(ticket.holding.settle, value)
    if notional <= limit:
        return 0
    text = f"order notional {{value}} {ticket.portfolio.base_asset} is above {{limit}}"
    return refuse_limit(
        ticket, limits, ORDER_NOTIONAL, Reason.MAX_ORDER_NOTIONAL, limit, notional, text
    )


def rule_open_orders(ticket: Ticket, bounds: list[ScopedLimit]) -> int:
    """Open orders of the portfolio, held ones too; in a narrower scope, those sent there."""
    if ticket.order_id:
        return 0
    for bound in bounds:
        count = ticket.portfolio.open_orders
        if bound.scope > SCOPE_PORTFOLIO:
            count = open_orders_in(ticket, bound.scope)
        if count >= bound.limit:
            text = "{value} orders are open, {limit} are allowed"
            return refuse_scope(
                ticket, Reason.MAX_OPEN_ORDERS, bound.scope, bound.key, bound.limit, count, text
            )
    return 0


def rule_position_quantity(ticket: Ticket, limits: Limits, facts: Facts) -> int:
    """The position at worst case, as a quantity."""
    limit = limits.position_quantity_max
    if limit < 0 or facts.side_quantity <= limit:
        return 0
    text = "the position could become {value}, {limit} is allowed"
    return refuse_limit(
        ticket,
        limits,
        POSITION_QUANTITY,
        Reason.MAX_POSITION_QUANTITY,
        limit,
        facts.side_quantity,
        text,
    )


def rule_position_notional(ticket: Ticket, limits: Limits, value: int) -> int:
    """The position at worst case, as money (`value`, base asset)."""
    limit = limits.position_notional_max
    if value <= limit:
        return 0
    text = f"position could be worth {{value}} {ticket.portfolio.base_asset}, {{limit}} is allowed"
    return refuse_limit(
        ticket, limits, POSITION_NOTIONAL, Reason.MAX_POSITION_NOTIONAL, limit, value, text
    )


def rule_exposure(ticket: Ticket, limits: Limits, exposure: int) -> int:
    """The portfolio's gross exposure at worst case, all instruments together (base asset)."""
    limit = limits.exposure_max
    if exposure <= limit:
        return 0
    text = f"exposure could become {{value}} {ticket.portfolio.base_asset}, {{limit}} is allowed"
    return refuse_limit(ticket, limits, EXPOSURE, Reason.MAX_EXPOSURE, limit, exposure, text)


def rule_allocation(ticket: Ticket, limits: Limits, value: int) -> int:
    """The position at worst case as a share of the equity."""
    equity = ticket.portfolio.equity
    share = limits.allocation_bps_max
    if within_share(value, equity, share):
        return 0
    limit = equity * share // BPS_ONE
    text = f"position could be worth {{value}}; {share} basis points of equity are {{limit}}"
    return refuse_limit(ticket, limits, ALLOCATION, Reason.MAX_ALLOCATION, limit, value, text)


def rule_leverage(ticket: Ticket, limits: Limits, exposure: int) -> int:
    """Perpetuals: the portfolio's exposure at worst case as a multiple of its equity.

    Spot exposure is in it too: coins that are held lose with the same market.
    """
    equity = ticket.portfolio.equity
    if ticket.instrument.is_spot or (exposure <= equity and limits.leverage_max):
        return 0
    limit = equity * limits.leverage_max
    if exposure <= limit:
        return 0
    text = f"exposure could become {{value}}; {limits.leverage_max} times the equity is {{limit}}"
    return refuse_limit(ticket, limits, LEVERAGE, Reason.MAX_LEVERAGE, limit, exposure, text)


def rule_reduce_only(ticket: Ticket, reducing: bool) -> int:
    """A reduce-only order really reduces, also when all our other orders of its side fill.

    The kill switch's closing order is measured by the position alone: the other orders are being
    cancelled, and to wait for that is the greater danger.
    """
    if reducing or not (ticket.is_flatten or ticket.terms.reduce_only):
        return 0
    room = ticket.reducing_room()
    if ticket.is_flatten:
        room = max(0, -ticket.side * ticket.holding.position.quantity)
        if ticket.quantity <= room:
            return 0
    text = "reduce-only {value}, but only {limit} can be reduced"
    return refuse(ticket, Reason.REDUCE_ONLY, room, ticket.quantity, text)


def check_size(ticket: Ticket, limits: Limits, facts: Facts, bounds: list[ScopedLimit]) -> int:
    """Size rules; those on the position and what follows from it only when it grows."""
    reason = (
        rule_order_quantity(ticket, limits)
        or rule_order_notional(ticket, limits, facts.value)
        or rule_open_orders(ticket, bounds)
    )
    if not reason and facts.adds:
        reason = _check_position(ticket, limits, facts)
    return reason or rule_reduce_only(ticket, facts.reducing)


def open_orders_in(ticket: Ticket, scope: int) -> int:
    """Sent, live orders of the ticket's portfolio in its own strategy, venue or symbol."""
    count = 0
    instrument = ticket.instrument
    for holding in ticket.portfolio.holdings.values():
        if scope == SCOPE_STRATEGY:
            for order in holding.orders.values():
                if order.strategy is ticket.strategy:
                    count += 1
        elif scope == SCOPE_VENUE:
            if holding.instrument.venue == instrument.venue:
                count += len(holding.orders)
        elif holding.instrument.symbol == instrument.symbol:
            count += len(holding.orders)
    return count


def _check_position(ticket: Ticket, limits: Limits, facts: Facts) -> int:
    """Rules on what the order adds to."""
    reason = rule_position_quantity(ticket, limits, facts)
    if reason:
        return reason
    portfolio = ticket.portfolio
    value = worst_value(ticket, facts.side_quantity, facts.reference_twice)
    worst = value
    if facts.other_quantity > facts.side_quantity:
        worst = worst_value(ticket, facts.other_quantity, facts.reference_twice)
    exposure = portfolio.exposure - ticket.holding.exposure_value + worst
    return (
        rule_position_notional(ticket, limits, value)
        or rule_exposure(ticket, limits, exposure)
        or rule_allocation(ticket, limits, value)
        or rule_leverage(ticket, limits, exposure)
    )
