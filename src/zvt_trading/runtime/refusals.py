"""Refusals in words: what was asked, which limit it met, what to do."""

from zvt_trading.core.state import State
from zvt_trading.messages.events import AmendRefused, OrderRefused
from zvt_trading.messages.reasons import TRANSIENT, Reason
from zvt_trading.runtime.codes import SCOPES, reason_of

_QUANTITY = frozenset(
    {
        Reason.QUANTITY_LOT,
        Reason.QUANTITY_MIN,
        Reason.QUANTITY_MAX,
        Reason.MAX_ORDER_QUANTITY,
        Reason.MAX_POSITION_QUANTITY,
        Reason.REDUCE_ONLY,
        Reason.INVALID_QUANTITY,
    }
)
_PRICE = frozenset(
    {
        Reason.PRICE_TICK,
        Reason.PRICE_MIN,
        Reason.PRICE_MAX,
        Reason.PRICE_COLLAR,
        Reason.SELF_CROSS,
        Reason.INVALID_PRICE,
        Reason.INVALID_TRIGGER,
    }
)
_MONEY = frozenset(
    {
        Reason.MAX_ORDER_NOTIONAL,
        Reason.MAX_POSITION_NOTIONAL,
        Reason.MAX_EXPOSURE,
        Reason.DAILY_LOSS,
    }
)
_SETTLE = frozenset(
    {Reason.NOTIONAL_MIN, Reason.INSUFFICIENT_BALANCE, Reason.INSUFFICIENT_MARGIN}
)


def refusal_money_scale(state: State, refusal: OrderRefused | AmendRefused) -> int:
    """Decimals of the refusal's `limit` and `value`; 0 for counts and basis points."""
    reason = Reason(refusal.reason)
    instrument_id, portfolio_id = _subject(state, refusal)
    if reason in _MONEY:
        portfolio = state.portfolios.get(portfolio_id)
        return portfolio.base_scale if portfolio is not None else 0
    market = state.markets.get(instrument_id)
    if market is None:
        symbol = state.symbols.get(instrument_id[1:])
        if symbol is None:
            return 0
        market = symbol.markets[0]
    instrument = market.instrument
    if reason in _QUANTITY:
        return instrument.quantity_scale
    if reason in _PRICE:
        return instrument.price_scale
    return instrument.settle_scale if reason in _SETTLE else 0


def describe_refusal(state: State, refusal: OrderRefused | AmendRefused) -> str:
    """One sentence for a person."""
    reason = Reason(refusal.reason)
    text = refusal.text if isinstance(refusal, OrderRefused) else ""
    words = text or reason_of(refusal.reason).replace("_", " ")
    if refusal.key:
        words += f" (limit of {SCOPES[refusal.scope].value} {refusal.key!r})"
    if reason in TRANSIENT:
        words += "; the same request may pass later"
    return words


def _subject(state: State, refusal: OrderRefused | AmendRefused) -> tuple[str, str]:
    """(instrument, portfolio) it is about."""
    if isinstance(refusal, OrderRefused):
        return refusal.request.instrument, refusal.request.portfolio
    order = state.orders.get(refusal.order_id)
    if order is None:
        return "", ""
    return order.instrument.id, order.holding.portfolio.name
