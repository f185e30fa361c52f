"""Positions as queues of lots: what is held, what it cost, what closing it earned.

Quantities are ints on the instrument's quantity scale, prices on its price scale, money (cost,
realised and unrealised PnL) on the settle asset's scale. A lot keeps what it cost when it opened;
closing takes its share of that cost out, so over any sequence of fills

    realized == sum of what the exits were worth - sum of what the closed lots had cost

holds to the last unit. Fees are not part of it: the ledger books them (the one exception is a fee
taken out of the bought coins, see `Position.pay_base_fee`).
"""

from heapq import heappop, heappush
from typing import Final, final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import div_half_even
from zvt_trading.messages.codes import AVERAGE, CROSS, FIFO, HIFO, LIFO

# A consumed prefix of the FIFO queue is cut off once it is this long and half of the list, so
# that taking the oldest lot costs the same however many lots there are.
_PREFIX_MAX: Final = 64
_HEADER_ITEMS: Final = 15
_LOT_ITEMS: Final = 5


class PositionError(Exception):
    """A position was told something that cannot be true: a bug in the caller."""


@final
class Lot:
    """What is left of one opening fill. `quantity` > 0 whichever side the position is on."""

    def __init__(self, quantity: int, price: int, cost: int, ts: int, order_id: str) -> None:
        self.quantity = quantity
        self.price = price  # entry price; the rounded average one for AVERAGE
        self.cost = cost  # settle-asset units for the remaining quantity
        self.ts = ts  # int nanoseconds UTC of the opening fill
        self.order_id = order_id


@final
class Position:
    """One portfolio's position in one instrument.

    `method` says which lot is closed first:
    FIFO the oldest, LIFO the newest, AVERAGE the one lot all are merged into, HIFO the one that
    realises least (a long's dearest entry, a short's cheapest; the oldest of equals).
    """

    def __init__(self, instrument: Instrument, method: int) -> None:
        if method not in (FIFO, LIFO, HIFO, AVERAGE):
            raise PositionError(
                f"{instrument.id}: no lot method {method}; use FIFO..AVERAGE (0..3)"
            )
        self.instrument: Final = instrument
        self.method: Final = method
        self.quantity = 0  # signed: > 0 long
        self.cost = 0  # sum of the lots' cost, >= 0
        self.realized = 0  # cumulative, gross of fees
        self.opened_ts = 0  # of the fill that left flat (or flipped); 0 when flat
        self.updated_ts = 0  # of the last fill or base fee
        self.bought = 0  # cumulative; quantity == bought - sold - fee_quantity always
        self.sold = 0
        self.fee_quantity = 0  # cumulative quantity consumed by fees taken in the base asset
        self.fee_value = 0  # what that quantity was worth when it went, settle-asset units
        self.closed_quantity = 0  # cumulative, by fills and by base fees
        self.carry = 0  # base-asset units of fee not yet a whole quantity unit
        self.leverage = 1
        self.margin_mode = CROSS
        self.isolated_margin = 0  # settle-asset units
        self.liquidation_price = 0  # 0 when there is none
        self._lots: list[Lot] = []  # FIFO and LIFO: oldest first from _head on; AVERAGE: one
        self._head = 0
        self._heap: list[tuple[int, int, Lot]] = []  # HIFO: (price key, opening order, lot)
        self._opened = 0
        # True when a part's cost is price x quantity x multiplier, without any rounding.
        self._exact: Final = not instrument.is_inverse and method != AVERAGE

    def apply_fill(self, side: int, price: int, quantity: int, ts: int, order_id: str) -> int:
        """Book a fill (`side` BUY or SELL, `quantity` > 0); return the PnL it realised.

        Closes lots of the other sign first; what is left opens a lot on the fill's side. The
        fill's value is conserved: the closing and the opening part add up to
        `instrument.value(price, quantity)`, also where that is rounded (INVERSE).
        """
        if quantity <= 0 or price <= 0:
            raise PositionError(
                f"{self.instrument.id}: fill of {quantity} at {price}; both must be > 0"
            )
        self.updated_ts = ts
        if side > 0:
            self.bought += quantity
        else:
            self.sold += quantity
        held = self.quantity
        value = self.instrument.value(price, quantity)
        if held == 0 or (held > 0) == (side > 0):
            self._open(side, price, quantity, value, ts, order_id)
            return 0
        closable = held if held > 0 else -held
        if quantity <= closable:
            return self._close(quantity, value)
        exit_value = self.instrument.value(price, closable)
        realized = self._close(closable, exit_value)
        self._open(side, price, quantity - closable, value - exit_value, ts, order_id)
        return realized

    def pay_base_fee(self, amount: int, price: int, ts: int) -> int:
        """Take a spot fee charged in the base asset out of the position; return the PnL realised.

        `amount` is in base-asset units, negative for a rebate. Whole quantity units leave as a
        disposal at `price` (the fee was paid with coins worth that); the rest waits in `carry`,
        so that quantity x base_unit - carry is what the account really holds. Nothing but
        `carry` changes for a derivative, a short or a flat position. With cash paid for the fills,

            cash + holdings at a mark == realized + unrealized - fee_value - carry at the mark.
        """
        self.carry += amount
        self.updated_ts = ts
        unit = self.instrument.base_unit
        if self.quantity <= 0 or self.carry < unit or not self.instrument.is_spot:
            return 0
        units = min(self.carry // unit, self.quantity)
        value = self.instrument.value(price, units)
        self.carry -= units * unit
        self.fee_quantity += units
        self.fee_value += value
        return self._close(units, value)

    def unrealized(self, mark: int) -> int:
        """PnL if all were closed at `mark`, settle-asset units; 0 without a mark (`mark` <= 0)."""
        if self.quantity == 0 or mark <= 0:
            return 0
        gain = self.instrument.value(mark, abs(self.quantity)) - self.cost
        return gain if (self.quantity > 0) != self.instrument.is_inverse else -gain

    def market_value(self, mark: int) -> int:
        """Signed notional at `mark` in settle-asset units: negative for a short."""
        if self.quantity >= 0:
            return self.instrument.value(mark, self.quantity)
        return -self.instrument.value(mark, -self.quantity)

    def average_price_ratio(self) -> tuple[int, int]:
        """Exact average entry price on the price scale, as (numerator, denominator); flat: (0, 1).

        For INVERSE it is the harmonic average: the price at which the whole costs the same.
        """
        if self.quantity == 0 or self.cost == 0:
            return 0, 1
        weight = abs(self.quantity) * self.instrument.multiplier
        if self.instrument.is_inverse:
            return weight, self.cost * self.instrument.divisor
        return self.cost, weight

    def lots(self) -> list[Lot]:
        """The open lots, the next to be closed first."""
        if self.method == HIFO:
            return [entry[2] for entry in sorted(self._heap)]
        if self.method == LIFO:
            return self._lots[::-1]
        return self._lots[self._head :]

    def state_items(self) -> list[int | str]:
        """Everything that matters as a flat list, for digests and snapshots; see `restore`."""
        items: list[int | str] = [
            self.quantity, self.cost, self.realized, self.opened_ts, self.bought, self.sold,
            self.fee_quantity, self.closed_quantity, self.carry, self.leverage, self.margin_mode,
            self.isolated_margin, self.liquidation_price, self.fee_value, self.updated_ts,
        ]  # fmt: skip
        for lot in self.lots():
            items.extend([lot.quantity, lot.price, lot.cost, lot.ts, lot.order_id])
        return items

    def restore(self, items: list[int | str]) -> None:
        """Become what `state_items` described; PositionError when it contradicts itself."""
        self.quantity, self.cost, self.realized = _ints(items, 0, 3)
        self.opened_ts, self.bought, self.sold = _ints(items, 3, 6)
        self.fee_quantity, self.closed_quantity, self.carry = _ints(items, 6, 9)
        self.leverage, self.margin_mode, self.isolated_margin = _ints(items, 9, 12)
        self.liquidation_price, self.fee_value, self.updated_ts = _ints(items, 12, _HEADER_ITEMS)
        lots: list[Lot] = []
        for at in range(_HEADER_ITEMS, len(items), _LOT_ITEMS):
            quantity, price, cost, ts = _ints(items, at, at + 4)
            lots.append(Lot(quantity, price, cost, ts, str(items[at + 4])))
        quantity = sum([lot.quantity for lot in lots])
        cost = sum([lot.cost for lot in lots])
        if quantity != abs(self.quantity) or cost != self.cost:
            raise PositionError(
                f"{self.instrument.id}: lots of {quantity} costing {cost} do not make a position "
                f"of {self.quantity} costing {self.cost}"
            )
        self._clear()
        for lot in lots[::-1] if self.method == LIFO else lots:
            self._push(lot, self.quantity > 0)

    def _open(
        self, side: int, price: int, quantity: int, value: int, ts: int, order_id: str
    ) -> None:
        """Add to the position on `side`, at a cost of `value`."""
        if self.quantity == 0:
            self.opened_ts = ts
        self.quantity += quantity if side > 0 else -quantity
        self.cost += value
        if self.method == AVERAGE and self._lots:
            merged = self._lots[0]
            merged.quantity += quantity
            merged.cost += value
            numerator, denominator = self.average_price_ratio()
            merged.price = div_half_even(numerator, denominator)
        else:
            self._push(Lot(quantity, price, value, ts, order_id), side > 0)

    def _close(self, quantity: int, exit_value: int) -> int:
        """Take `quantity` (<= the position) out for `exit_value`; return the PnL."""
        long = self.quantity > 0
        self.quantity -= quantity if long else -quantity
        self.closed_quantity += quantity
        if self.quantity == 0:
            cost = self.cost
            self.opened_ts = 0
            self._clear()
        else:
            cost = self._consume(quantity)
        self.cost -= cost
        gain = exit_value - cost if long != self.instrument.is_inverse else cost - exit_value
        self.realized += gain
        return gain

    def _consume(self, quantity: int) -> int:
        """Take `quantity` (< the position) from the lots in the method's order; return its cost."""
        taken = 0
        while True:
            lot = self._next()
            if lot.quantity > quantity:
                break
            quantity -= lot.quantity
            taken += lot.cost
            self._pop()
            if quantity == 0:
                return taken
        if self._exact:
            share = lot.price * quantity * self.instrument.multiplier
        else:
            share = div_half_even(lot.cost * quantity, lot.quantity)
        lot.quantity -= quantity
        lot.cost -= share
        return taken + share

    def _next(self) -> Lot:
        """The lot to close first."""
        if self.method == HIFO:
            return self._heap[0][2]
        if self.method == LIFO:
            return self._lots[-1]
        return self._lots[self._head]

    def _push(self, lot: Lot, long: bool) -> None:
        """Queue a new lot."""
        if self.method == HIFO:
            self._opened += 1
            heappush(self._heap, (-lot.price if long else lot.price, self._opened, lot))
        else:
            self._lots.append(lot)

    def _pop(self) -> None:
        """Drop the lot that `_next` gave."""
        if self.method == HIFO:
            heappop(self._heap)
        elif self.method == LIFO:
            self._lots.pop()
        else:
            self._head += 1
            if self._head >= _PREFIX_MAX and self._head * 2 >= len(self._lots):
                del self._lots[: self._head]
                self._head = 0

    def _clear(self) -> None:
        """Forget all lots."""
        self._lots.clear()
        self._heap.clear()
        self._head = 0
        self._opened = 0


@final
class PositionManager:
    """All positions, by portfolio and instrument; each portfolio has one lot method (or FIFO)."""

    def __init__(self) -> None:
        self._positions: dict[tuple[str, str], Position] = {}
        self._by_portfolio: dict[str, list[Position]] = {}
        self._methods: dict[str, int] = {}

    def set_method(self, portfolio: str, method: int) -> None:
        """Choose a portfolio's lot method; PositionError once it has a position."""
        if portfolio in self._by_portfolio:
            raise PositionError(f"{portfolio}: its lot method is fixed once it has a position")
        self._methods[portfolio] = method

    def position(self, portfolio: str, instrument: Instrument) -> Position:
        """The position, created flat when it is the first time."""
        found = self._positions.get((portfolio, instrument.id))
        if found is not None:
            return found
        position = Position(instrument, self._methods.get(portfolio, FIFO))
        self._positions[(portfolio, instrument.id)] = position
        self._by_portfolio.setdefault(portfolio, []).append(position)
        return position

    def find(self, portfolio: str, instrument_id: str) -> Position | None:
        """The position, or None when there never was one."""
        return self._positions.get((portfolio, instrument_id))

    def of_portfolio(self, portfolio: str) -> list[Position]:
        """A portfolio's positions, flat ones too, in the order they were first touched."""
        return self._by_portfolio.get(portfolio, [])

    def state_items(self) -> list[int | str]:
        """Every position's items after its key and their number, in key order, for digests."""
        items: list[int | str] = []
        for key in sorted(self._positions):
            position = self._positions[key]
            own = position.state_items()
            items.extend([key[0], key[1], position.method, len(own)])
            items.extend(own)
        return items


def _ints(items: list[int | str], start: int, stop: int) -> list[int]:
    """The ints at start..stop of a state list; PositionError when they are missing or not ints."""
    values = [item for item in items[start:stop] if isinstance(item, int)]
    if len(values) != stop - start:
        raise PositionError(
            f"state items {start}..{stop}: {stop - start} ints expected, got {values}"
        )
    return values
