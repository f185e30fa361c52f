"""What a simulated venue does with open positions: funding and liquidation of perpetuals."""

from typing import Final, final

from zvt_trading.core.fees import charge
from zvt_trading.core.instrument import Instrument
from zvt_trading.core.margin import bankruptcy_price
from zvt_trading.core.units import RATE_ONE, div_half_even
from zvt_trading.messages.codes import BUY, ISOLATED, SELL
from zvt_trading.messages.market import FundingRate
from zvt_trading.messages.reports import FundingPaid, Liquidated, Report
from zvt_trading.sim.accounts import Account, FeeRule, Seat
from zvt_trading.sim.fills import MatchedMarket, RecordedMarket
from zvt_trading.sim.record import ROW_FUNDING, ROW_LIQUIDATION, Record


@final
class Listing:
    """One instrument of a venue: its market, and the accounts that trade it."""

    def __init__(
        self,
        instrument: Instrument,
        market: RecordedMarket | MatchedMarket,
        fees: FeeRule,
    ) -> None:
        self.instrument: Final = instrument
        self.market: Final = market
        self.fees: Final = fees
        self.is_spot: Final = instrument.is_spot
        self.seats: dict[str, Seat] = {}
        self.seat_list: list[Seat] = []
        self.stops: list[str] = []  # ids of untriggered stops, oldest first
        self.trades = 0  # trade ids given

    def seat(self, account: Account) -> Seat:
        """The account's seat here, made at first need."""
        found = self.seats.get(account.name)
        if found is not None:
            return found
        seat = Seat(account, self.instrument, self.fees)
        self.seats[account.name] = seat
        self.seat_list.append(seat)
        return seat

    def touch(self, side: int) -> int:
        """The best price an order on this side would meet; 0 when there is none."""
        return self.market.best_ask() if side == BUY else self.market.best_bid()

    def is_quiet(self) -> bool:
        """Whether nothing is to be done after the market moved: no fill, stop or position."""
        return self.is_spot and not self.stops and not self.market.fills

    def mark_by_mid(self) -> None:
        """Without a mark price feed the mark is the middle of the market, rounded down."""
        bid = self.market.best_bid()
        ask = self.market.best_ask()
        if bid and ask:
            self.instrument.mark = (bid + ask) // 2

    def next_trade_id(self) -> str:
        """Trade ids are numbers, unique per symbol."""
        self.trades += 1
        return str(self.trades)


def settle_funding(
    listing: Listing, message: FundingRate, record: Record, out: list[Report]
) -> None:
    """Every open position pays or receives notional x rate; longs pay a positive rate.

    Rounded half-even; paid from the wallet, not from an isolated margin.
    """
    instrument = listing.instrument
    for seat in listing.seat_list:
        if seat.quantity == 0:
            continue
        notional = instrument.value(message.mark_price, abs(seat.quantity))
        amount = div_half_even(notional * message.rate, RATE_ONE)
        if seat.quantity < 0:
            amount = -amount
        seat.settle.add(-amount)
        seat.settle.asset.funding += amount
        row = record.add(message.ts, ROW_FUNDING, seat.account.name)
        row.instrument = instrument.id
        row.price = message.mark_price
        row.quantity = seat.quantity
        row.asset = instrument.settle
        row.amount = amount
        row.rate = message.rate
        row.trade_id = f"{instrument.id}-{message.ts}"
        out.append(
            FundingPaid(
                seat.account.name, instrument.id, message.rate, amount, row.trade_id, message.ts
            )
        )


def liquidate(listing: Listing, seat: Seat, record: Record, now: int) -> Liquidated:
    """Close the whole position at the mark, or at the bankruptcy price when the mark is beyond it.

    The taker fee is charged; what the position's margin cannot bear the insurance fund does.
    """
    instrument = listing.instrument
    side = SELL if seat.quantity > 0 else BUY
    quantity = abs(seat.quantity)
    wallet = seat.wallet()
    bankrupt = bankruptcy_price(instrument, seat.quantity, seat.cost, wallet)
    price = instrument.mark
    if bankrupt > 0:
        price = max(price, bankrupt) if side == SELL else min(price, bankrupt)
    before = seat.settle.total
    notional = seat.book_fill(side, price, quantity)
    fee = charge(notional, max(0, seat.fees.schedule.taker), RATE_ONE)
    seat.settle.add(-fee)
    seat.settle.asset.fees += fee
    if seat.margin_mode == ISOLATED:
        insurance = max(0, before - seat.settle.total - wallet)
    else:
        insurance = max(0, seat.account.isolated(seat.settle) - seat.settle.total)
    seat.settle.add(insurance)
    seat.settle.asset.insurance += insurance
    row = record.add(now, ROW_LIQUIDATION, seat.account.name)
    row.instrument = instrument.id
    row.side = side
    row.price = price
    row.quantity = quantity
    row.trade_id = listing.next_trade_id()
    row.asset = instrument.settle
    row.amount = fee
    row.insurance = insurance
    return Liquidated(
        seat.account.name, instrument.id, side, price, quantity, fee, insurance, row.trade_id, now
    )
