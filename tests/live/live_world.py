"""Emulated exchanges of a test, and accounts there with all that can happen to them.

Every wait ends with an event, or with an error after DEADLINE_S.
"""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from types import TracebackType
from typing import Final, Self, TypeVar

from live.live_books import Books, Order, entry_cost
from live.live_engine import (
    ASSETS,
    DEADLINE_S,
    MS,
    NUDGE_EVERY_S,
    PERPETUAL,
    SYMBOLS,
    VENUES,
    Door,
)
from zvt_trading.core.units import format_scaled, parse_scaled
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.faults import Fault
from zvt_trading.emulator.house import House
from zvt_trading.emulator.orders import Ask, HouseOrder
from zvt_trading.messages.codes import BUY, LIMIT, MARKET, SELL
from zvt_trading.messages.market import FundingRate
from zvt_trading.runtime.loop_thread import LoopThread

T = TypeVar("T")


class Exchanges:
    """Emulated exchanges whose books stand still but for what tests do; on a loop of their own."""

    def __init__(self) -> None:
        self._loop = LoopThread("emulator")
        self._accounts = 0
        self.emulator: Emulator = self.do(lambda: Emulator(VENUES, is_quiet=True))

    def __enter__(self) -> Self:
        self._loop.run(self.emulator.start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.run(self.emulator.stop())
        self._loop.stop()

    def do(self, work: Callable[[], T]) -> T:
        """Call something on the exchanges' loop."""

        async def call() -> T:
            return work()

        return self._loop.run(call(), DEADLINE_S)

    def until(self, done: Callable[[], bool], what: str, meanwhile: Callable[[], object]) -> None:
        """Wait until it is so; looked at between two steps of the market."""

        async def wait() -> None:
            while not done():
                meanwhile()
                await asyncio.sleep(NUDGE_EVERY_S)

        try:
            self._loop.run(asyncio.wait_for(wait(), DEADLINE_S))
        except TimeoutError:
            raise AssertionError(f"not within {DEADLINE_S} s: {what}") from None

    def disconnect(self, name: str) -> None:
        """Hang up all streams."""
        self._loop.run(self.emulator.wires[name].disconnect_all(), DEADLINE_S)

    def account(self, name: str, url: str) -> "Account":
        """A new account with money; its engine's store is at `url`."""
        self._accounts += 1
        return Account(self, name, f"account{self._accounts}", url)


class Account:
    """One account at one exchange. Numbers are exact texts or Decimals."""

    def __init__(self, exchanges: Exchanges, name: str, account: str, url: str) -> None:
        self.exchanges: Final = exchanges
        self.name: Final = name
        self.url: Final = url
        self.house: Final[House] = exchanges.emulator.houses[name]
        self.told: list[tuple[str, str]] = []  # (order id, trade id) of each fill of our engines
        self._taken_before = 0
        self._account: Final = account
        self._key = exchanges.do(lambda: exchanges.emulator.add_key(name, account))
        exchanges.do(self._renew_limits)

    # What happens at the exchange.

    def crowd(self, symbol: str, side: str, price: Decimal, quantity: str) -> HouseOrder:
        """Somebody else's limit order."""
        ask = self._ask(symbol, side, quantity, price)
        return self.exchanges.do(
            lambda: self.house.crowd(symbol, ask.side, ask.price, ask.quantity)
        )

    def manual(
        self, symbol: str, side: str, quantity: str, price: Decimal | None = None
    ) -> HouseOrder:
        """An order at our account that somebody types at the exchange."""
        ask = self._ask(symbol, side, quantity, price)
        return self.exchanges.do(lambda: self.house.place(self._account, ask))

    def cancel(self, order: HouseOrder) -> None:
        """Somebody takes it back there."""
        self.exchanges.do(lambda: self.house.cancel(order))

    def transfer(self, asset: str, amount: str) -> None:
        """A deposit, or with a minus a withdrawal."""
        scaled = parse_scaled(amount, 8)
        move = self.house.deposit if scaled > 0 else self.house.withdraw
        self.exchanges.do(lambda: move(self._account, asset, abs(scaled)))

    def fault(self, kind: str, endpoint: str, ms: int = 0, count: int = 1) -> None:
        """What goes wrong next."""
        self.exchanges.do(lambda: self.house.faults.add(Fault(kind, endpoint, ms, count)))

    def hide_next(self, ms: int) -> None:
        """The next order taken is not found by queries for so long."""
        self.exchanges.do(lambda: setattr(self.house, "hide_next_ns", ms * MS))

    def has_happened(self, kind: str) -> int:
        """How often a fault of a kind came about since the exchange was opened."""
        return self.house.faults.happened.get(kind, 0)

    def end_ban(self) -> None:
        """The exchange takes requests again."""
        self.exchanges.do(lambda: self.house.limits.ban(0))

    def skew(self, ms: int) -> None:
        """Set the exchange's clock ahead of the truth."""
        self.exchanges.do(lambda: setattr(self.house.clock, "skew_ns", ms * MS))

    def pay_funding(self, rate: int) -> None:
        """Settle funding of the perpetual's positions; `rate` in units of 1e-8."""
        self.exchanges.do(lambda: self._pay_funding(rate))

    def inside(self, symbol: str, ticks: int = 1) -> Decimal:
        """A price that nobody else has: so many ticks above the best bid, below the best ask."""
        return self.exchanges.do(lambda: self._inside(symbol, ticks))

    def order_of(self, order_id: str) -> HouseOrder | None:
        """The exchange's own order of a client order id, whatever its queries say."""
        return self.house.by_client.get((self._account, order_id))

    def orders_taken(self) -> int:
        """How many orders of this account the exchange took since `begin`."""
        return self.exchanges.do(lambda: len(self._orders())) - self._taken_before

    def begin(self) -> None:
        """Orders that were taken before do not count, nor does what they spent of limits."""
        self._taken_before += self.orders_taken()
        self.exchanges.do(self._renew_limits)

    def books(self, *, with_foreign: bool = False) -> Books:
        """The exchange's record; without orders and trades that have no client id, unless told."""
        return self.exchanges.do(lambda: self._books(with_foreign))

    def until_taken(self, count: int) -> None:
        """Wait until the exchange has taken so many orders of this account."""
        self.exchanges.until(lambda: len(self._orders()) >= count, f"{count} orders", self._nudge)

    def nudge(self) -> None:
        """The best bids change for a moment, for who has not heard a quote yet."""
        self.exchanges.do(self._nudge)

    def clean(self) -> None:
        """Nothing of this account, or of the crowd, is left in the books; nothing goes wrong."""
        self.exchanges.do(self._clean)

    # Our engine.

    def door(self) -> Door:
        """How an engine reaches it."""
        emulator, key = self.exchanges.emulator, self._key
        return Door(
            self.name,
            self.url,
            key.key,
            key.secret,
            key.passphrase,
            emulator.tls_port,
            str(emulator.authority.ca_file),
        )

    def _ask(self, symbol: str, side: str, quantity: str, price: Decimal | None) -> Ask:
        instrument = self.house.instruments[symbol]
        scaled = 0 if price is None else parse_scaled(f"{price:f}", instrument.price_scale)
        return Ask(
            instrument,
            BUY if side == "buy" else SELL,
            MARKET if price is None else LIMIT,
            parse_scaled(quantity, instrument.quantity_scale),
            price=scaled,
        )

    def _inside(self, symbol: str, ticks: int) -> Decimal:
        feed = self.exchanges.emulator.wires[self.name].feed.symbols[symbol]
        self.exchanges.emulator._move()  # what others did a moment ago is in the books
        best, lowest = feed.levels(BUY, 1)[0][0], feed.levels(SELL, 1)[0][0]
        price = best + ticks * feed.instrument.tick
        assert price < lowest, "the spread is too narrow"
        return Decimal(format_scaled(price, feed.instrument.price_scale))

    def _nudge(self) -> None:
        for symbol in SYMBOLS[self.name]:
            instrument = self.house.instruments[symbol]
            best = self.exchanges.emulator.wires[self.name].feed.symbols[symbol].levels(BUY, 1)
            order = self.house.crowd(symbol, BUY, best[0][0], instrument.quantity_min * 100)
            self.exchanges.emulator._move()
            self.house.cancel(order)

    def _renew_limits(self) -> None:
        for budget in self.house.limits.budgets.values():
            budget.used = 0

    def _pay_funding(self, rate: int) -> None:
        instrument = self.house.instruments[PERPETUAL]
        feed = self.exchanges.emulator.wires[self.name].feed.symbols[PERPETUAL]
        now = self.house.clock.true_ns()
        message = FundingRate(instrument.id, rate, feed.mark, now)
        self.house.on_market(message)
        self.exchanges.emulator.wires[self.name].feed.on_market(PERPETUAL, message)

    def _orders(self) -> list[HouseOrder]:
        return [one for one in self.house.orders.values() if one.account == self._account]

    def _books(self, with_foreign: bool) -> Books:
        orders = [one for one in self._orders() if one.client_id or with_foreign]
        seats = self.house.seats(self._account)
        cash = {
            view.asset: Decimal(format_scaled(view.total, 8))
            for view in self.house.balances(self._account)
            if view.asset in ASSETS
        }
        for seat in seats:
            cash["USDT"] -= entry_cost(seat.instrument, seat.quantity, seat.cost)
        return Books(
            cash,
            sorted(
                Order(
                    one.client_id,
                    Decimal(one.price_text()),
                    Decimal(one.quantity_text(one.quantity)),
                    Decimal(one.quantity_text(one.filled)),
                )
                for one in orders
                if one.is_open
            ),
            {
                seat.instrument.symbol: Decimal(
                    format_scaled(seat.quantity, seat.instrument.quantity_scale)
                )
                for seat in seats
                if seat.quantity
            },
            sorted((one.client_id, fill.trade_id) for one in orders for fill in one.fills),
        )

    def _clean(self) -> None:
        self.house.faults.clear()
        self.house.limits.banned_until_ms = 0
        self.house.clock.skew_ns = 0
        for order in self.house.orders.values():
            if order.is_open:
                self.house.cancel(order)
