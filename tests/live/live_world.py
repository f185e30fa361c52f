"""The real adapter over the real wire protocols: an engine, and the exchange that judges it.

    with Exchanges() as exchanges:
        account = exchanges.account("okx", "sqlite:///...")
        with account.trader() as trader:
            trader.order("buy", "0.01")
            trader.agrees()

Every wait ends with an event, or with an error after DEADLINE_S.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from importlib import import_module
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from msgspec import Struct
from msgspec.structs import asdict

from zvt_trading.adapters.ccxt.client import ApiCredentials, Endpoint
from zvt_trading.adapters.ccxt.gateway import CcxtGateway
from zvt_trading.bootstrap import PortfolioSetup, stored_memory
from zvt_trading.core.instrument import Instrument
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
from zvt_trading.types import FillInfo, OrderInfo, OrderRequest, OrderResult

SPOT: Final = "BTC/USDT"
PERPETUAL: Final = "BTC/USDT:USDT"
VENUES: Final = ("binance", "okx", "bybit", "coinbase")
SYMBOLS: Final = {name: (SPOT,) if name == "coinbase" else (SPOT, PERPETUAL) for name in VENUES}
MARKETS: Final = [(name, symbol) for name in VENUES for symbol in SYMBOLS[name]]
PERPETUALS: Final = [name for name in VENUES if PERPETUAL in SYMBOLS[name]]
ASSETS: Final = ("BTC", "USDT")

DEADLINE_S: Final = 5
"""Longer than anything takes here, also on a busy machine."""
NUDGE_EVERY_S: Final = 0.1
MS: Final = 1_000_000
TIMING: Final = Timing(
    answer_timeout=300 * MS,
    validity=500 * MS,
    absence_after=800 * MS,
    poll_every=600 * MS,
    check_every=100 * MS,
)
"""Impatient: what takes seconds at a real venue takes tenths of them here."""
SELDOM: Final = Timing(
    answer_timeout=300 * MS,
    validity=500 * MS,
    absence_after=800 * MS,
    poll_every=60_000 * MS,
    check_every=100 * MS,
)
"""The same, but its histories are not read while a test runs."""
TIMEOUT_MS: Final = 1_000
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
    """All that engine and exchange must agree on; `trades` are (order id, trade id) of each.

    `cash` is the wallet less the signed entry cost of open perpetuals: an exchange realises profits
    at average cost, the engine by its portfolio's lots, and this is the same for both.
    """

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


def entry_cost(instrument: Instrument, quantity: int, cost: int) -> Decimal:
    """What a position cost at its entry; of a short one with a minus."""
    text = format_scaled(cost, instrument.settle_scale)
    return Decimal(text) if quantity > 0 else -Decimal(text)


def differences(expected: Books, actual: Books) -> str:
    """What differs, in words: pytest explains only the tests' own files."""
    ours = asdict(actual)
    return "; ".join(
        f"{name}: there {theirs}, here {ours[name]}"
        for name, theirs in asdict(expected).items()
        if theirs != ours[name]
    )


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


def is_ready(engine: CryptoTradingEngine) -> bool:
    """Whether new orders may be sent: nothing is unknown, streams are up, there are prices."""
    state = engine._state
    return (
        not state.suspended
        and all(venue.healthy for venue in state.venues.values())
        and all(market.instrument.mid_twice() for market in state.markets.values())
    )


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

    def until_taken(self, count: int) -> None:
        """Wait until the exchange has taken so many orders of this account."""
        self.exchanges.until(
            lambda: len(self._orders()) >= count, f"{count} orders", self._nudge
        )

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

    def _nudge(self) -> None:
        for symbol in SYMBOLS[self.name]:
            instrument = self.house.instruments[symbol]
            best = self.exchanges.emulator.wires[self.name].feed.symbols[symbol].levels(BUY, 1)
            order = self.house.crowd(symbol, BUY, best[0][0], instrument.quantity_min * 100)
            self.exchanges.emulator._move()
            self.house.cancel(order)

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


class Trader:
    """An engine that trades one account."""

    def __init__(self, account: Account, timing: Timing = TIMING) -> None:
        self.account: Final = account
        self.events: list[Event] = []
        self._fills_before = 0
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

    def fills(self) -> list[FillInfo]:
        """Executions since `begin`, or of this life."""
        return self.engine.get_fills()[self._fills_before :]

    def is_paused(self) -> bool:
        """Whether the exchange told the adapter to be silent."""
        return self.gateway._made().budget.paused_until > 0

    # A test of several on one engine.

    def begin(self) -> None:
        """What was before does not count in `of_kind` and `fills`."""
        self.until_ready()
        self.events.clear()
        self._fills_before = len(self.engine.get_fills())

    def end(self) -> None:
        """No order of it stays open; nothing goes wrong any more."""
        self.account.clean()
        self.engine.cancel_all()
        self.until(self.world.simulation.is_settled, "everything is answered")

    # Waiting.

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait until it is so; looked at whenever the engine hears something."""
        assert self.world.waiters.wait(done, DEADLINE_S), f"not within {DEADLINE_S} s: {what}"

    def until_ready(self) -> None:
        """Wait until new orders may be sent."""
        end = time.monotonic() + DEADLINE_S
        while not self.world.waiters.wait(lambda: is_ready(self.engine), NUDGE_EVERY_S):
            assert time.monotonic() < end, f"not ready to trade within {DEADLINE_S} s"
            self.account.nudge()

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
        cash = {one.asset: one.total for one in engine.get_portfolio_summary().balances}
        for holding in engine._state.portfolios["default"].holdings.values():
            if not holding.instrument.is_spot:
                position = holding.position
                cash["USDT"] -= entry_cost(holding.instrument, position.quantity, position.cost)
        return Books(
            cash,
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
        assert expected == actual, differences(expected, actual)
        assert len(set(actual.trades)) == len(actual.trades)
        assert all(row.difference == 0 for row in self.engine.ledger())

    def _take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, OrderFilled):
            self.account.told.append((event.order_id, event.trade_id))
