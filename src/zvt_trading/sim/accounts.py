"""What a simulated venue knows about our money: assets, balances, positions and orders.

Kept apart from the engine's own ledger and positions on purpose, and written differently (average
cost, locked and free), so that the two are independent ways to know the same truth.
"""

from typing import Final, final

from zvt_trading.core.fees import FeeSchedule, fill_fee
from zvt_trading.core.instrument import Instrument
from zvt_trading.core.margin import initial_margin, maintenance_margin
from zvt_trading.core.units import RATE_ONE, div_half_even
from zvt_trading.messages.codes import BUY, CROSS, ISOLATED, SELL, TAKER


@final
class Asset:
    """One asset at one venue, and where what the accounts hold came from or went.

    The counters are the venue's side of every movement: `difference` is 0 at all times.
    """

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.held = 0  # sum of the accounts' totals, kept by hand-over, not by summing
        self.external = 0  # credited less debited
        self.market = 0  # what the other side of our fills paid us, less what it got
        self.fees = 0  # collected from us
        self.funding = 0  # paid by us
        self.insurance = 0  # losses beyond a margin, borne by the venue's fund

    def difference(self) -> int:
        """Accounts' money less its sources; anything but 0 is money out of nowhere."""
        return self.held - (self.external + self.market - self.fees - self.funding + self.insurance)


@final
class Balance:
    """One asset of one account. `locked` backs open orders, `margin` open positions."""

    def __init__(self, asset: Asset) -> None:
        self.asset: Final = asset
        self.total = 0
        self.locked = 0
        self.margin = 0

    def add(self, amount: int) -> None:
        """The one place where a balance changes; the caller books the source."""
        self.total += amount
        self.asset.held += amount


@final
class Account:
    """One portfolio's account at one venue."""

    def __init__(self, name: str, assets: dict[str, Asset]) -> None:
        self.name: Final = name
        self.assets: Final = assets  # the venue's, shared by its accounts
        self.balances: dict[str, Balance] = {}
        self.perpetuals: list[Seat] = []

    def balance(self, asset: str) -> Balance:
        """The balance, opened empty when it is the first time."""
        found = self.balances.get(asset)
        if found is not None:
            return found
        balance = Balance(self.assets.setdefault(asset, Asset(asset)))
        self.balances[asset] = balance
        return balance

    def free(self, balance: Balance) -> int:
        """What new orders may use: not locked, not margin, and less the loss of cross positions."""
        loss = 0
        for seat in self.perpetuals:
            if seat.quantity and seat.margin_mode == CROSS and seat.settle is balance:
                loss += seat.unrealized()
        return balance.total - balance.locked - balance.margin + min(0, loss)

    def isolated(self, balance: Balance) -> int:
        """Sum of the isolated margins in this asset; other positions cannot lose them."""
        margins = 0
        for seat in self.perpetuals:
            if seat.settle is balance and seat.margin_mode == ISOLATED:
                margins += seat.margin
        return margins

    def cross_equity(self, balance: Balance) -> int:
        """Wallet outside isolated margins plus the unrealised PnL of the cross positions."""
        equity = balance.total - self.isolated(balance)
        for seat in self.perpetuals:
            if seat.settle is balance and seat.margin_mode == CROSS:
                equity += seat.unrealized()
        return equity

    def cross_maintenance(self, balance: Balance) -> int:
        """Maintenance margin of all cross positions settled in this asset, at the mark."""
        needed = 0
        for seat in self.perpetuals:
            if seat.settle is balance and seat.margin_mode == CROSS:
                needed += seat.maintenance()
        return needed


@final
class FeeRule:
    """How one instrument charges; `numerator`/`denominator` price a third fee asset.

    They say how many of its units a unit of the settle asset buys; 0: no price, so no such fee.
    """

    def __init__(self, schedule: FeeSchedule) -> None:
        self.schedule: Final = schedule
        self.numerator = 0
        self.denominator = 1


@final
class Seat:
    """An account in one instrument: the balances it settles in and, for a perpetual, its position.

    `cost` is the entry notional of the open position, by average cost.
    """

    def __init__(self, account: Account, instrument: Instrument, fees: FeeRule) -> None:
        self.account: Final = account
        self.instrument: Final = instrument
        self.fees: Final = fees
        self.settle: Final = account.balance(instrument.settle)
        self.base: Final = account.balance(instrument.base) if instrument.is_spot else self.settle
        self.is_spot: Final = instrument.is_spot
        self.quantity = 0
        self.cost = 0
        self.margin = 0
        self.leverage = 1
        self.margin_mode = CROSS
        self.reduce_only: list[str] = []  # ids of resting reduce-only orders
        if not self.is_spot:
            account.perpetuals.append(self)

    def buy_cost(self, price: int, quantity: int) -> int:
        """What a spot buy can cost at worst, with the taker fee when it is charged in quote."""
        notional = self.instrument.value(price, quantity)
        asset, fee = fill_fee(self.fees.schedule, self.instrument, BUY, TAKER, quantity, notional)
        return notional + fee if fee > 0 and asset == self.instrument.settle else notional

    def price_affordable(self, quantity: int) -> int:
        """The highest price on the grid at which the free quote asset pays for a spot buy."""
        instrument = self.instrument
        rate = max(0, self.fees.schedule.taker)
        weight = quantity * instrument.multiplier * (RATE_ONE + rate)
        price = self.account.free(self.settle) * RATE_ONE // weight
        return price - price % instrument.tick

    def opening(self, side: int, quantity: int) -> int:
        """How much of an order would open or add to the position."""
        against = -self.quantity if side == BUY else self.quantity
        if against <= 0:
            return quantity
        return quantity - against if quantity > against else 0

    def needed(self, side: int, price: int, quantity: int) -> int:
        """What must be free for an order: quote or base (SPOT), initial margin (perpetuals)."""
        if not self.is_spot:
            opening = self.opening(side, quantity)
            return initial_margin(self.instrument.value(price, opening), self.leverage)
        if side == SELL:
            return self.instrument.base_amount(quantity)
        return self.buy_cost(price, quantity)

    def payer(self, side: int) -> Balance:
        """The balance an order on this side is paid from."""
        return self.base if self.is_spot and side == SELL else self.settle

    def book_fill(self, side: int, price: int, quantity: int) -> int:
        """Settle an execution (without its fee); return its notional in settle-asset units."""
        notional = self.instrument.value(price, quantity)
        if not self.is_spot:
            self._move_position(side, price, quantity, notional)
            return notional
        amount = self.instrument.base_amount(quantity)
        if side == BUY:
            self._exchange(amount, -notional)
        else:
            self._exchange(-amount, notional)
        return notional

    def charge_fee(
        self, side: int, liquidity: int, quantity: int, notional: int
    ) -> tuple[str, int]:
        """Take the fee of a fill; return (asset, amount).

        A third-asset fee that the account cannot pay is charged in the settle asset instead.
        """
        fees = self.fees
        charged = fill_fee(
            fees.schedule, self.instrument, side, liquidity, quantity, notional,
            fees.numerator, fees.denominator,
        )  # fmt: skip
        if charged[0] == self.settle.asset.name:
            balance = self.settle
        elif charged[0] == self.base.asset.name:
            balance = self.base
        else:
            third = self.account.balances.get(charged[0])
            if third is None or self.account.free(third) < charged[1]:
                balance = self.settle
                charged = fill_fee(
                    fees.schedule, self.instrument, side, liquidity, quantity, notional
                )
            else:
                balance = third
        balance.add(-charged[1])
        balance.asset.fees += charged[1]
        return charged

    def unrealized(self) -> int:
        """PnL at the mark in settle-asset units; 0 without a position or a mark."""
        mark = self.instrument.mark
        if self.quantity == 0 or mark <= 0:
            return 0
        gain = self.instrument.value(mark, abs(self.quantity)) - self.cost
        return gain if (self.quantity > 0) != self.instrument.is_inverse else -gain

    def maintenance(self) -> int:
        """Maintenance margin at the mark; 0 without a position or a mark."""
        instrument = self.instrument
        if self.quantity == 0 or instrument.mark <= 0:
            return 0
        notional = instrument.value(instrument.mark, abs(self.quantity))
        return maintenance_margin(notional, instrument.spec.margin_tiers)

    def must_liquidate(self) -> bool:
        """Whether the position's equity no longer exceeds its maintenance margin at the mark."""
        if self.quantity == 0 or self.instrument.mark <= 0:
            return False
        if self.margin_mode == ISOLATED:
            return self.margin + self.unrealized() <= self.maintenance()
        account = self.account
        return account.cross_equity(self.settle) <= account.cross_maintenance(self.settle)

    def wallet(self) -> int:
        """What closing this position may cost at most: its isolated margin, or the cross wallet."""
        if self.margin_mode == ISOLATED:
            return self.margin
        return self.settle.total - self.account.isolated(self.settle)

    def _exchange(self, base: int, quote: int) -> None:
        """Spot settlement: the market is the other side of both movements."""
        self.base.add(base)
        self.base.asset.market += base
        self.settle.add(quote)
        self.settle.asset.market += quote

    def _move_position(self, side: int, price: int, quantity: int, notional: int) -> None:
        """Book a perpetual's fill: closing first at average cost, then opening with the rest."""
        held = abs(self.quantity)
        if self.quantity == 0 or (self.quantity > 0) == (side == BUY):
            self.cost += notional
        else:
            closing = min(held, quantity)
            exit_value = notional if closing == quantity else self.instrument.value(price, closing)
            cost = self.cost if closing == held else div_half_even(self.cost * closing, held)
            gain = exit_value - cost
            if (self.quantity > 0) == self.instrument.is_inverse:
                gain = -gain
            self.settle.add(gain)
            self.settle.asset.market += gain
            self.cost += notional - exit_value - cost
        self.quantity += quantity if side == BUY else -quantity
        margin = initial_margin(self.cost, self.leverage)
        self.settle.margin += margin - self.margin
        self.margin = margin


@final
class VenueOrder:
    """An order as the venue sees it. `lock` of `payer` is reserved while it rests."""

    def __init__(
        self,
        order_id: str,
        seat: Seat,
        side: int,
        type_: int,
        price: int,
        quantity: int,
        tif: int,
        expire_ts: int,
        post_only: bool,
        reduce_only: bool,
        worst_price: int,
        trigger_price: int,
        trigger_by: int,
    ) -> None:
        self.id: Final = order_id
        self.seat: Final = seat
        self.side: Final = side
        self.type: Final = type_
        self.price = price
        self.quantity = quantity
        self.tif: Final = tif
        self.expire_ts: Final = expire_ts
        self.post_only: Final = post_only
        self.reduce_only: Final = reduce_only
        self.worst_price: Final = worst_price
        self.trigger_price: Final = trigger_price
        self.trigger_by: Final = trigger_by
        self.payer: Final = seat.payer(side)
        self.filled = 0
        self.lock = 0
        self.life = 0  # SUBMITTED, ACCEPTED, FILLED, CANCELLED, EXPIRED of messages/codes.py
        self.waiting = False  # a stop that has not triggered: known to us, not in the book
        self.venue_order_id = ""
        self.seq = 0  # of the row that accepted it
        self.reason = 0
        self.ts_accepted = 0
        self.ts = 0  # of its end

    def leaves(self) -> int:
        """Quantity not filled yet."""
        return self.quantity - self.filled

    def relock(self) -> None:
        """Make the lock what the rest of the order needs now."""
        rest = self.quantity - self.filled
        lock = self.seat.needed(self.side, self.price, rest) if rest > 0 else 0
        self.payer.locked += lock - self.lock
        self.lock = lock

    def unlock(self) -> None:
        """Give the whole lock back."""
        self.payer.locked -= self.lock
        self.lock = 0
