"""What the gate measures about a ticket: prices, worst-case quantities, values, reservations.

Money that limits look at is in the portfolio's base asset, reservations in the asset that is
reserved. Worst case: every working order of ours (in flight, UNKNOWN, resting) fills, each side by
itself.
"""

from typing import Final, final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.margin import initial_margin
from zvt_trading.core.risk_limits import Limits
from zvt_trading.core.state import Portfolio
from zvt_trading.core.ticket import Ticket
from zvt_trading.core.units import BPS_ONE, RATE_ONE, div_ceil, round_up_to
from zvt_trading.core.valuation import base_value
from zvt_trading.messages.codes import BUY


@final
class Facts:
    """What several rules need to know about a ticket, measured once."""

    def __init__(self, ticket: Ticket, collar_bps: int, now: int) -> None:
        instrument = ticket.instrument
        holding = ticket.holding
        side = ticket.side
        quantity = ticket.quantity
        self.now: Final = now
        self.is_market: Final = ticket.is_market()
        self.reducing: Final = ticket.reduces_only()
        self.reference_twice: Final = reference_twice(instrument)
        # The bound of what it can trade at: its limit price, or a market order's worst price.
        price = ticket.price
        if self.is_market:
            price = worst_price(instrument, side, self.reference_twice, collar_bps)
            ticket.worst_price = price
        self.price: Final = price
        self.value: Final = instrument.value(
            largest_value_price(instrument, side, price, self.reference_twice), quantity
        )
        # Position after it, at worst case, counted in its own direction; and the other side's.
        held = holding.position.quantity
        if side == BUY:
            before = held + holding.open_buy
            other = holding.open_sell - held
        else:
            before = holding.open_sell - held
            other = held + holding.open_buy
        after = before - ticket.replaces_quantity + quantity
        self.side_quantity: Final = after
        self.other_quantity: Final = other
        # Whether it makes the worst case of its side worse at all.
        self.adds: Final = after > before and after > 0


def reference_twice(instrument: Instrument) -> int:
    """Twice the reference price: the mid, else the mark, else the last trade; 0 without any."""
    if instrument.bid and instrument.ask:
        return instrument.bid + instrument.ask
    return 2 * (instrument.mark or instrument.last)


def worst_price(instrument: Instrument, side: int, twice: int, collar_bps: int) -> int:
    """The worst price a market order may trade at: the collar's edge, on the tick grid inside it.

    0 without a reference (`twice` = 0).
    """
    if not twice:
        return 0
    if side == BUY:
        price = twice * (BPS_ONE + collar_bps) // (2 * BPS_ONE)
        if instrument.price_max and price > instrument.price_max:
            price = instrument.price_max
        return price - price % instrument.tick
    price = div_ceil(twice * (BPS_ONE - collar_bps), 2 * BPS_ONE)
    return round_up_to(max(price, instrument.price_min), instrument.tick)


def largest_value_price(instrument: Instrument, side: int, price: int, twice: int) -> int:
    """The price within reach of the order at which its notional is largest.

    A buy trades at `price` or below, a sell at `price` or above, and the market is about the
    reference; a linear notional grows with the price, an inverse one shrinks.
    """
    if not twice or (side == BUY) != instrument.is_inverse:
        return price
    if instrument.is_inverse:
        return min(price, twice >> 1)
    return max(price, (twice + 1) >> 1)


def worst_value(ticket: Ticket, quantity: int, twice: int) -> int:
    """A quantity (> 0) of the holding in the portfolio's base asset, at the mark or the reference.

    The mark is what the portfolio's exposure is kept at, so both can be added.
    """
    price = ticket.instrument.mark or (twice + 1) >> 1
    return base_value(ticket.holding.settle, ticket.instrument.value(price, quantity))


def required_hold(ticket: Ticket, price: int, twice: int, value: int) -> int:
    """What the order must reserve; also sets `ticket.hold` and `ticket.hold_balance`.

    `price` bounds the order, `value` is its largest notional. A spot buy reserves it with the taker
    fee, a spot sell the coins. A perpetual reserves initial margin and taker fee of the part that
    would open or flip the position; the part that reduces it needs nothing.
    """
    instrument = ticket.instrument
    holding = ticket.holding
    if instrument.is_spot:
        if ticket.side == BUY:
            ticket.hold_balance = holding.settle
            ticket.hold = value + _taker_fee(instrument, value)
        else:
            ticket.hold_balance = holding.base
            ticket.hold = instrument.base_amount(ticket.quantity)
        return ticket.hold
    ticket.hold_balance = holding.settle
    ticket.hold = 0
    opening = ticket.quantity - ticket.reducing_room()
    if opening > 0:
        if opening != ticket.quantity:
            worst = largest_value_price(instrument, ticket.side, price, twice)
            value = instrument.value(worst, opening)
        margin = initial_margin(value, holding.position.leverage)
        ticket.hold = margin + _taker_fee(instrument, value)
    return ticket.hold


def within_share(amount: int, whole: int, bps: int) -> bool:
    """Whether an amount is at most `bps` basis points of a whole, exactly.

    The quotients decide nearly always, and compiled they cost a tenth of the products of money.
    """
    if amount >= 0 and bps > 0 and amount // bps < whole // BPS_ONE:
        return True
    return amount * BPS_ONE <= whole * bps


def passed_daily_loss(portfolio: Portfolio, limits: Limits) -> int:
    """The daily loss limit that the day's loss has passed (base asset units); -1: none was.

    The tighter of the money limit, if there is one, and the share of the day's first equity.
    """
    day_start = portfolio.day_start_equity
    loss = day_start - portfolio.equity
    if loss <= 0 or portfolio.day < 0:
        return -1
    money = limits.daily_loss_max
    if within_share(loss, max(day_start, 0), limits.daily_loss_bps_max) and (
        money < 0 or loss <= money
    ):
        return -1
    share = max(day_start, 0) * limits.daily_loss_bps_max // BPS_ONE
    return share if money < 0 or share < money else money


def passed_drawdown_bps(portfolio: Portfolio, limits: Limits) -> int:
    """The loss since the equity's peak in basis points of it, when above the limit; else -1."""
    peak = portfolio.peak_equity
    lost = peak - portfolio.equity
    if peak <= 0 or lost <= 0 or within_share(lost, peak, limits.drawdown_bps_max):
        return -1
    return lost * BPS_ONE // peak


def _taker_fee(instrument: Instrument, value: int) -> int:
    """The fee at worst: a taker's, never less than nothing for a rebate."""
    rate = instrument.taker_fee
    if rate <= 0:
        return 0
    if RATE_ONE % rate == 0:  # the same number, compiled without a product of money
        return div_ceil(value, RATE_ONE // rate)
    return div_ceil(value * rate, RATE_ONE)
