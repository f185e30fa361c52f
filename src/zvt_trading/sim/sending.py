"""What reaches a venue of ours: requests as it takes them; and what its books lack."""

from zvt_trading.core.state import Order, State
from zvt_trading.messages.codes import ACCEPTED, LIMIT, MARKET, NO_REQUEST, STOP
from zvt_trading.messages.reports import Report
from zvt_trading.sim.parcels import TO_VENUE_CANCEL, TO_VENUE_ORDER, Parcel
from zvt_trading.sim.venue_api import History, VenueApi


def submit_to(exchange: VenueApi, order: Order, worst_price: int, now: int) -> list[Report]:
    """Give an order to its venue."""
    terms = order.terms
    order_type = order.type
    if order.triggered:  # held here, sent because it fired
        order_type = MARKET if order.is_market() else LIMIT
    return exchange.submit(
        now, order.id, order.holding.portfolio.name, order.instrument.id, order.side,
        order_type, order.price, order.quantity, order.tif, terms.expire_ts,
        terms.post_only, terms.reduce_only, worst_price,
        order.trigger_price if order_type >= STOP else 0, terms.trigger_by,
    )  # fmt: skip


def deliver(exchange: VenueApi, parcel: Parcel, now: int) -> list[Report]:
    """Give a request (order, cancel or amend) to its venue."""
    if parcel.kind == TO_VENUE_ORDER:
        if parcel.order is None:
            return []
        return submit_to(exchange, parcel.order, parcel.worst_price, now)
    if parcel.kind == TO_VENUE_CANCEL:
        return exchange.cancel(now, parcel.order_id)
    return exchange.amend(now, parcel.order_id, parcel.price, parcel.quantity)


def missing_there(state: State, venue: str, history: History) -> list[Order]:
    """Orders that work here and, by a statement asked for later, not there: ask for them."""
    stated = {row.order_id for row in history.statement.orders}
    missing: list[Order] = []
    for portfolio in state.portfolios.values():
        for holding in portfolio.holdings.values():
            if holding.instrument.venue == venue:
                for order in holding.orders.values():
                    rests = order.life == ACCEPTED and order.pending == NO_REQUEST
                    if rests and order.id not in stated:
                        missing.append(order)
    return missing
