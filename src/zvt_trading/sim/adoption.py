"""A simulated venue that lives in the engine's process dies with it: the next one takes its place.

What the engine knows durably is then the only truth there is: the new venue takes over the money,
the positions and the resting orders from it, and says of everything else that it has it not. What
an order's end said was filled, but whose fills are lost with the old venue, is filled again.
"""

from zvt_trading.core.state import Holding, Order, State
from zvt_trading.messages.codes import (
    ACCEPTED,
    FOK,
    GTC,
    GTD,
    IOC,
    LIMIT,
    MARKET,
    SPOT,
    STOP,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import AbsenceProven, AmendFailed, Report, VenueCancelled
from zvt_trading.sim.accounts import VenueOrder
from zvt_trading.sim.clearing import Listing
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.recorded_side import SimFill


def adopt(exchange: SimExchange, state: State, now: int) -> list[Report]:
    """Make a new venue the one that the state knows; returns what it has to say of the rest."""
    for portfolio in state.portfolios.values():
        for balance in portfolio.balances:
            if balance.venue == exchange.venue and balance.total:
                exchange.take_over(portfolio.name, balance.asset, balance.total, now)
        for holding in portfolio.holdings.values():
            if holding.instrument.venue == exchange.venue:
                _adopt_position(exchange, holding)
    desk = exchange.desk
    desk.continue_after(state.order_seq)
    for listing in desk.listings.values():
        listing.trades = state.seq  # more than there were trades: their ids stay unique
    reports: list[Report] = []
    for order in state.orders.values():
        if order.instrument.venue != exchange.venue:
            continue
        if order.id in order.holding.orders:
            report = _adopt_order(exchange, order, now)
            if report is not None:
                reports.append(report)
        elif order.working:
            _fill_again(exchange, order, now, reports)
    return reports


def _adopt_position(exchange: SimExchange, holding: Holding) -> None:
    """A perpetual's position, at its whole cost; lots are the engine's affair."""
    if holding.instrument.kind == SPOT:
        return
    position = holding.position
    listing = exchange.desk.listings[holding.instrument.id]
    seat = listing.seat(exchange.account(holding.portfolio.name))
    seat.leverage = position.leverage
    seat.margin_mode = position.margin_mode
    seat.quantity = position.quantity
    seat.cost = position.cost
    seat.margin = position.isolated_margin
    seat.settle.margin += position.isolated_margin


def _adopt_order(exchange: SimExchange, order: Order, now: int) -> Report | None:
    """An order that rests goes on resting; any other one has ended with the venue."""
    if order.life != ACCEPTED:
        text = "the simulated venue was started anew and has it not"
        return AbsenceProven(order.id, text, now)
    waits = _waits(order)
    if not waits and (order.is_market() or order.tif in (IOC, FOK)):
        return VenueCancelled(order.id, int(Reason.VENUE_CANCELLED), now, order.filled)
    if order.leaves() == 0:  # it only lives on for an amend that would have made it larger
        return AmendFailed(order.id, int(Reason.NOT_SENT), "the venue was started anew", now)
    listing = exchange.desk.listings[order.instrument.id]
    adopted = _venue_order(exchange, listing, order, now)
    exchange.desk.adopt(listing, adopted, waits)
    if not waits:
        listing.market.submit(order.id, order.side, order.price, adopted.leaves(), GTC, False)
    return None


def _fill_again(exchange: SimExchange, order: Order, now: int, reports: list[Report]) -> None:
    """Of an order that is over: what was filled untold, at the worst price it could have had."""
    price = order.worst_price if order.is_market() else order.price
    if price > 0:
        listing = exchange.desk.listings[order.instrument.id]
        adopted = _venue_order(exchange, listing, order, now)
        fill = SimFill(order.id, price, order.working, False, now)
        exchange.desk.fill(listing, adopted, fill, reports)


def _waits(order: Order) -> bool:
    """Whether a stop was not triggered yet."""
    return order.type >= STOP and not order.triggered


def _venue_order(exchange: SimExchange, listing: Listing, order: Order, now: int) -> VenueOrder:
    """An order as the venue that died had it."""
    terms = order.terms
    waits = _waits(order)
    seat = listing.seat(exchange.account(order.holding.portfolio.name))
    kind = order.type if waits else (MARKET if order.is_market() else LIMIT)
    adopted = VenueOrder(
        order.id, seat, order.side, kind, order.price, order.quantity, order.tif,
        terms.expire_ts if order.tif == GTD else 0, terms.post_only,
        terms.reduce_only and not listing.instrument.is_spot, order.worst_price,
        order.trigger_price if waits else 0, terms.trigger_by,
    )  # fmt: skip
    adopted.filled = order.filled
    adopted.venue_order_id = order.venue_order_id
    adopted.ts_accepted = now
    return adopted
