"""The real adapter over the real wire protocols: an engine, and the exchange that judges it.

    with Exchanges() as exchanges:
        account = exchanges.account("okx", "sqlite:///...")
        with account.trader() as trader:
            trader.order("buy", "0.01")
            trader.agrees()

Every wait ends with an event, or with an error after DEADLINE_S.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from importlib import import_module
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from msgspec import Struct

from zvt_trading.adapters.ccxt.client import ApiCredentials, Endpoint
from zvt_trading.adapters.ccxt.gateway import CcxtGateway
from zvt_trading.bootstrap import PortfolioSetup, stored_memory
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.units import format_scaled, parse_scaled
from zvt_trading.emulator.emulator import LOOPBACK, Emulator
from zvt_trading.emulator.faults import Fault
from zvt_trading.emulator.house import House
from zvt_trading.emulator.orders import Ask, HouseOrder
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.live_bootstrap import live_world
from zvt_trading.messages.codes import BUY, LIMIT, MARKET, SCOPE_GLOBAL, SELL
from zvt_trading.messages.commands import LimitSet
from zvt_trading.messages.events import Event, OrderFilled
from zvt_trading.messages.market import FundingRate
from zvt_trading.runtime.live import LiveWorld
from zvt_trading.runtime.loop_thread import LoopThread
from zvt_trading.sim.parcels import Timing
from zvt_trading.sim.venue_api import History
from zvt_trading.types import OrderInfo, OrderRequest, OrderResult

SPOT: Final = "BTC/USDT"
PERPETUAL: Final = "BTC/USDT:USDT"
VENUES: Final = ("okx", "bybit", "coinbase")
SYMBOLS: Final = {name: (SPOT,) if name == "coinbase" else (SPOT, PERPETUAL) for name in VENUES}
MARKETS: Final = [(name, symbol) for name in VENUES for symbol in SYMBOLS[name]]
PERPETUALS: Final = [name for name in VENUES if PERPETUAL in SYMBOLS[name]]
ASSETS: Final = ("BTC", "USDT")

DEADLINE_S: Final = 5
"""Longer than anything takes here, also on a busy machine."""
MS: Final = 1_000_000
TIMING: Final = Timing(
    answer_timeout=400 * MS,
    validity=1_000 * MS,
    absence_after=1_500 * MS,
    poll_every=1_000 * MS,
    check_every=200 * MS,
)
"""Impatient: what takes seconds at a real venue takes tenths of them here."""
SELDOM: Final = Timing(
    answer_timeout=400 * MS,
    validity=1_000 * MS,
    absence_after=1_500 * MS,
    poll_every=60_000 * MS,
    check_every=200 * MS,
)
"""The same, but its histories are not read while a test runs."""
TIMEOUT_MS: Final = 1_500
"""How long the adapter waits for an answer."""
LIMITS: Final = LimitSet(
    scope=SCOPE_GLOBAL,
    data_age_ms_max=600_000,  # the books of a quiet emulator stand still
    duplicate_window_ms=0,
    repeated_executions_max=1_000,
)

T = TypeVar("T")


class Order(Struct, frozen=True, order=True):
    """An open order, as both sides see it."""

    order_id: str
    price: Decimal
    quantity: Decimal
    filled: Decimal


class Books(Struct, frozen=True):
    """All that engine and exchange must agree on; `trades` are (order id, trade id) of each."""

    cash: dict[str, Decimal]
    orders: list[Order]
    positions: dict[str, Decimal]
    trades: list[tuple[str, str]]


class Door(Struct, frozen=True):
    """All that an engine needs to trade an account; its key belongs to an emulator."""

    name: str
    url: str
    key: str
    secret: str
    passphrase: str
    port: int
    ca_file: str


class CountingGateway(CcxtGateway):
    """The real one; `readings` says how often its history was read to the end."""

    readings = 0

    async def history(self, cursor: int) -> History:
        """See ports.venue."""
        history = await super().history(cursor)
        self.readings += 1
        return history


def live_engine(
    door: Door, timing: Timing
) -> tuple[CryptoTradingEngine, LiveWorld, CountingGateway]:
    """An engine on one exchange with a store of its own."""
    gateway = CountingGateway(
        import_module(f"zvt_trading.adapters.ccxt.{door.name}").DIALECT,
        ApiCredentials(door.key, door.secret, door.passphrase),
        time.time_ns,
        endpoint=Endpoint(LOOPBACK, door.port, door.ca_file),
        timeout_ms=TIMEOUT_MS,
    )
    world = live_world(
        [gateway],
        {door.name: SYMBOLS[door.name]},
        timings={door.name: timing},
        portfolio=PortfolioSetup(base_asset="USDT"),
        memory=stored_memory(door.url),
        order_wait_seconds=DEADLINE_S,
    )
    engine = CryptoTradingEngine(world)
    engine.set_limits(LIMITS)
    return engine, world, gateway


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
        self._account: Final = account
        self._key = exchanges.do(lambda: exchanges.emulator.add_key(name, account))

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
        """How many orders of this account the exchange ever took."""
        return self.exchanges.do(lambda: len(self._orders()))

    def books(self, *, with_foreign: bool = False) -> Books:
        """The exchange's record; without orders and trades that have no client id, unless told."""
        return self.exchanges.do(lambda: self._books(with_foreign))

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

    def trader(self, *, is_ready: bool = True, timing: Timing = TIMING) -> "Trader":
        """An engine on this account, ready to trade unless told."""
        trader = Trader(self, timing)
        if is_ready:
            trader.until_ready()
        return trader

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
        return Books(
            {
                view.asset: Decimal(format_scaled(view.total, 8))
                for view in self.house.balances(self._account)
                if view.asset in ASSETS
            },
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
                for seat in self.house.seats(self._account)
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


class Trader:
    """An engine that trades one account."""

    def __init__(self, account: Account, timing: Timing = TIMING) -> None:
        self.account: Final = account
        self.events: list[Event] = []
        self.engine, self.world, self.gateway = live_engine(account.door(), timing)
        self.engine.subscribe(self._take)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.engine.close()

    # Orders.

    def order(self, side: str, quantity: str, symbol: str = SPOT, **fields: Any) -> OrderResult:
        """At market unless told."""
        return self.engine.place_order(
            OrderRequest(
                symbol=symbol, side=side, quantity=quantity, exchange=self.account.name, **fields
            )
        )

    def limit(
        self, side: str, quantity: str, price: Decimal, symbol: str = SPOT, **fields: Any
    ) -> OrderResult:
        """One at a price."""
        return self.order(side, quantity, symbol, order_type="limit", price=price, **fields)

    def info(self, order_id: str) -> OrderInfo:
        """An order as the engine sees it."""
        return self.engine.get_order(order_id)

    def bid(self, symbol: str) -> Decimal:
        """The best bid that the engine knows."""
        instrument = self.engine._state.markets[f"{self.account.name}:{symbol}"].instrument
        return Decimal(format_scaled(instrument.bid, instrument.price_scale))

    def at_once(self, *calls: Callable[[], T]) -> list[T]:
        """Calls from as many threads."""
        with ThreadPoolExecutor(len(calls)) as pool:
            return [future.result(4 * DEADLINE_S) for future in [pool.submit(c) for c in calls]]

    # Waiting.

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait until it is so; looked at whenever the engine hears something."""
        assert self.world.waiters.wait(done, DEADLINE_S), f"not within {DEADLINE_S} s: {what}"

    def until_ready(self) -> None:
        """Wait until new orders may be sent."""
        self.until(self._is_ready, "the streams are up and there are prices")

    def until_told(self, kind: type[Event], count: int = 1) -> list[Event]:
        """Wait for so many events of a kind in this life; returns them."""
        self.until(lambda: len(self.of_kind(kind)) >= count, f"{count} of {kind.__name__}")
        return self.of_kind(kind)

    def until_over(self, order_id: str) -> OrderInfo:
        """Wait until an order is over, and all its fills are told; returns it."""
        order = self.engine._state.orders[order_id]
        self.until(lambda: is_closed(order.life) and not order.working, f"the end of {order_id}")
        return self.info(order_id)

    def until_read(self, times: int = 1) -> None:
        """Wait until so many readings of the venue's history have begun and ended after now."""
        last = self.gateway.readings + times + 1  # one may have begun before
        self.until(lambda: self.gateway.readings >= last, "a reading")

    def of_kind(self, kind: type[Event]) -> list[Any]:
        """Events of this life."""
        return [event for event in tuple(self.events) if type(event) is kind]

    # The comparison that ends every card.

    def books(self) -> Books:
        """What the engine believes."""
        engine = self.engine
        summary = engine.get_portfolio_summary()
        return Books(
            {one.asset: one.total for one in summary.balances},
            sorted(
                Order(one.order_id, one.price or Decimal(0), one.quantity, one.filled_quantity)
                for one in engine.get_orders(open_only=True)
                if one.status != "pending"
            ),
            {
                one.symbol: one.quantity
                for one in engine.get_positions()
                if one.symbol == PERPETUAL
            },
            sorted(self.account.told),
        )

    def agrees(self) -> None:
        """Wait until the engine's books are the exchange's, to the last unit; and both are sound."""
        end = time.monotonic() + DEADLINE_S
        while True:
            expected, actual = self.account.books(), self.books()
            if expected == actual or time.monotonic() > end:
                break
            now = self.world.simulation.now
            self.until(lambda then=now: self.world.simulation.now > then, "the next heartbeat")  # type: ignore[misc]  # the default binds it
        assert expected == actual
        assert len(set(actual.trades)) == len(actual.trades)
        assert all(row.difference == 0 for row in self.engine.ledger())

    def _is_ready(self) -> bool:
        state = self.engine._state
        return (
            not state.suspended
            and all(venue.healthy for venue in state.venues.values())
            and all(market.instrument.mid_twice() for market in state.markets.values())
        )

    def _take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, OrderFilled):
            self.account.told.append((event.order_id, event.trade_id))
