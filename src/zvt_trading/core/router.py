"""Which venue gets an order that names none. The one place where routing is decided.

A venue is a candidate when the risk gate would let the order pass there: it is healthy, its data
are fresh, the account on it is funded, its filters fit. Among the candidates the best average price
net of the taker fee wins, over the depth we can see; whoever can fill more of the quantity comes
first. An order that would rest goes where the maker fee is lowest.
"""

from typing import Final, final

from zvt_trading.core.limits import BOOK_DEPTH_ROUTED
from zvt_trading.core.risk_manager import RiskManager
from zvt_trading.core.state import Market, State
from zvt_trading.core.ticket import Ticket
from zvt_trading.core.units import RATE_ONE, div_ceil, div_floor
from zvt_trading.messages.commands import SubmitOrder
from zvt_trading.messages.events import RouteCandidate
from zvt_trading.messages.reasons import Reason


@final
class Router:
    """Policy `best`: the whole order to the one best venue."""

    def __init__(self, risk: RiskManager) -> None:
        self.risk: Final = risk

    def candidates(self, state: State, request: SubmitOrder, now: int) -> list[RouteCandidate]:
        """Every venue that lists the symbol: what it would cost there, or why it is excluded."""
        portfolio = state.portfolios.get(request.portfolio)
        symbol = state.symbols.get(request.instrument[1:])
        found: list[RouteCandidate] = []
        if portfolio is None or symbol is None:
            return found
        strategy = state.strategy(request.strategy)
        for market in symbol.markets:
            holding = state.holding(portfolio, market)
            ticket = Ticket(state.terms(request), portfolio, holding, strategy)
            ticket.held = ticket.waits_here()
            excluded = self.risk.check(ticket, state, now)
            price, filled = net_price(market, request.side, request.quantity, request.price)
            found.append(RouteCandidate(market.instrument.id, price, filled, int(excluded)))
        return found

    def choose(self, state: State, candidates: list[RouteCandidate], request: SubmitOrder) -> str:
        """The best candidate's instrument; "" when all are excluded. Ties: the first listed."""
        best: RouteCandidate | None = None
        for candidate in candidates:
            if candidate.excluded == Reason.NONE and (
                best is None or self._better(state, candidate, best, request.side)
            ):
                best = candidate
        return best.instrument if best is not None else ""

    def _better(
        self, state: State, candidate: RouteCandidate, best: RouteCandidate, side: int
    ) -> bool:
        if candidate.filled != best.filled:
            return candidate.filled > best.filled
        if candidate.filled == 0:
            fee = state.markets[candidate.instrument].instrument.maker_fee
            return fee < state.markets[best.instrument].instrument.maker_fee
        return side * (candidate.price - best.price) < 0


def net_price(market: Market, side: int, quantity: int, limit_price: int) -> tuple[int, int]:
    """(average price net of taker fee, quantity filled) that the visible depth would give now.

    The price is on the symbol's scale, rounded against us; (0, 0) when nothing would fill.
    """
    filled, total = _sweep(market, side, quantity, limit_price)
    if filled <= 0:
        return 0, 0
    fee = market.instrument.taker_fee
    if side > 0:
        return div_ceil(total * (RATE_ONE + fee), filled * RATE_ONE), filled
    return div_floor(total * (RATE_ONE - fee), filled * RATE_ONE), filled


def _sweep(market: Market, side: int, quantity: int, limit_price: int) -> tuple[int, int]:
    """(filled, sum of price x quantity) over the book, or over the top of book without one."""
    book = market.book
    if book is not None and book.valid:
        filled = 0
        total = 0
        for price, size in book.levels(-side, BOOK_DEPTH_ROUTED):
            if filled >= quantity or (limit_price and side * (price - limit_price) > 0):
                break
            taken = min(size, quantity - filled)
            filled += taken
            total += price * taken
        return filled, total
    instrument = market.instrument
    price = instrument.ask if side > 0 else instrument.bid
    if not price or (limit_price and side * (price - limit_price) > 0):
        return 0, 0
    filled = min(quantity, instrument.ask_size if side > 0 else instrument.bid_size)
    return filled, filled * price
