"""What became of a request: OrderResults from orders and refusals, with a sentence for people."""

from decimal import Decimal

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.refusal import number_scale
from zvt_trading.core.state import Order, State
from zvt_trading.messages.codes import ACCEPTED, FOK, IOC, PENDING, SCOPE_GLOBAL
from zvt_trading.messages.events import AmendRefused, OrderRefused
from zvt_trading.messages.reasons import TRANSIENT, Reason
from zvt_trading.runtime.codes import SCOPES, reason_of, status_of
from zvt_trading.runtime.numbers import to_decimal
from zvt_trading.runtime.views import average_price
from zvt_trading.types import OrderResult, OrderStatus


def is_answered(order: Order) -> bool:
    """Whether an order need not be waited for any longer: it is over, rests, or is held here.

    One that is over is waited for while it has fills of which we were not told yet.
    """
    if is_closed(order.life):
        return order.working == 0
    if order.life == PENDING:
        return True
    immediate = order.is_market() or order.tif == IOC or order.tif == FOK
    return order.life == ACCEPTED and not immediate


def order_result(order: Order) -> OrderResult:
    """An order's result. It failed when it is over without a fill, or nobody knows its outcome."""
    status = status_of(order)
    venue = order.instrument.venue
    message = f"{status.value} on {venue}"
    reason = reason_of(order.reason)
    failed = is_closed(order.life) and order.filled == 0
    if status is OrderStatus.UNKNOWN:
        message = f"no answer from {venue} yet: the order may be live there, do not repeat it"
        reason = reason_of(Reason.OUTCOME_UNKNOWN)
    elif failed and reason:
        message += f": {reason.replace('_', ' ')}"
    return OrderResult(
        success=not failed and status is not OrderStatus.UNKNOWN,
        order_id=order.id,
        status=status,
        filled_quantity=to_decimal(order.filled, order.instrument.quantity_scale),
        avg_fill_price=average_price(order),
        message=message,
        reason=reason,
        exchange=venue,
    )


def amend_result(order: Order, price: int, quantity: int, trigger_price: int) -> OrderResult:
    """The result of an amend that asked for these terms (0: as they were)."""
    result = order_result(order)
    if order.pending:
        return _failed(result, "the venue has not answered the amend yet", Reason.OUTCOME_UNKNOWN)
    kept = (
        (price and order.price != price)
        or (quantity and order.quantity != quantity)
        or (trigger_price and order.trigger_price != trigger_price)
    )
    if kept:
        return _failed(result, "the venue did not amend the order", Reason.VENUE_REJECTED)
    return result


def refused_result(state: State, refusal: OrderRefused) -> OrderResult:
    """The result of an order that the gate refused; its numbers are in the limit's own unit."""
    request = refusal.request
    instrument = _instrument(state, request.instrument)
    portfolio = state.portfolios.get(request.portfolio)
    limit = value = None
    exchange = ""
    if instrument is not None and request.instrument[0] != ":":
        exchange = instrument.venue
    if instrument is not None and portfolio is not None and _has_numbers(refusal):
        scale = number_scale(refusal.reason, instrument, request.side, portfolio.base_scale)
        limit = to_decimal(refusal.limit, scale)
        value = to_decimal(refusal.value, scale)
    return OrderResult(
        success=False,
        order_id=refusal.order_id,
        status=OrderStatus.REJECTED,
        message=_sentence(refusal.text, refusal, limit, value),
        reason=reason_of(refusal.reason),
        limit=limit,
        value=value,
        scope=_scope(refusal),
        exchange=exchange,
    )


def amend_refused_result(order: Order, refusal: AmendRefused) -> OrderResult:
    """The result of an amend that the gate refused; the order works on as it was."""
    instrument = order.instrument
    base_scale = order.holding.portfolio.base_scale
    limit = value = None
    if _has_numbers(refusal):
        scale = number_scale(refusal.reason, instrument, order.side, base_scale)
        limit = to_decimal(refusal.limit, scale)
        value = to_decimal(refusal.value, scale)
    return OrderResult(
        success=False,
        order_id=order.id,
        status=status_of(order),
        filled_quantity=to_decimal(order.filled, instrument.quantity_scale),
        avg_fill_price=average_price(order),
        message=_sentence("", refusal, limit, value),
        reason=reason_of(refusal.reason),
        limit=limit,
        value=value,
        scope=_scope(refusal),
        exchange=instrument.venue,
    )


def _failed(result: OrderResult, message: str, reason: Reason) -> OrderResult:
    return OrderResult(
        success=False,
        order_id=result.order_id,
        status=result.status,
        filled_quantity=result.filled_quantity,
        avg_fill_price=result.avg_fill_price,
        message=message,
        reason=reason_of(reason),
        exchange=result.exchange,
    )


def _instrument(state: State, instrument_id: str) -> Instrument | None:
    """The instrument, any venue's for ":SYMBOL" (scales belong to the symbol)."""
    market = state.markets.get(instrument_id)
    if market is None and instrument_id[:1] == ":":
        symbol = state.symbols.get(instrument_id[1:])
        market = symbol.markets[0] if symbol is not None else None
    return market.instrument if market is not None else None


def _has_numbers(refusal: OrderRefused | AmendRefused) -> bool:
    """Whether a limit was met at all (a global one has no key)."""
    return bool(refusal.key or refusal.limit or refusal.value)


def _scope(refusal: OrderRefused | AmendRefused) -> str:
    """Where the limit was set: "portfolio:main", "global"; "" when none was met."""
    if not _has_numbers(refusal):
        return ""
    name = SCOPES[refusal.scope].value
    return name if refusal.scope == SCOPE_GLOBAL else f"{name}:{refusal.key}"


def _sentence(
    text: str, refusal: OrderRefused | AmendRefused, limit: Decimal | None, value: Decimal | None
) -> str:
    """One sentence for a person: what was refused, which limit it met, whether to try again."""
    words = text or reason_of(refusal.reason).replace("_", " ")
    if not text and limit is not None:
        words += f": {value} against {limit}"
    scope = _scope(refusal)
    if scope:
        words += f" (limit of {scope})"
    if Reason(refusal.reason) in TRANSIENT:
        words += "; the same request may pass later"
    return words
