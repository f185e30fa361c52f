"""Random commands: sensible ones mostly, some that must be refused, a few drastic ones."""

from typing import Final

import msgspec

from simulation.walk import Walk
from simulation.worlds import MONEY, World
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.state import Order
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import (
    ACTIVE,
    BRACKET,
    BUY,
    CROSS,
    FOK,
    GTC,
    GTD,
    HALTED,
    INVERSE,
    IOC,
    ISOLATED,
    LIMIT,
    MARKET,
    OCO,
    OFFSET_BPS,
    OFFSET_PRICE,
    PENDING,
    REDUCING,
    SCOPE_GLOBAL,
    SCOPE_PORTFOLIO,
    SCOPE_STRATEGY,
    SCOPE_SYMBOL,
    SCOPE_VENUE,
    SELL,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAILING_STOP,
    TRIGGER_QUOTE,
)
from zvt_trading.messages.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    Deposit,
    KillSwitch,
    LimitSet,
    SetLeverage,
    SetLimits,
    SetTradingState,
    SubmitOrder,
    SubmitOrderList,
    Transfer,
    Withdraw,
)

STRATEGIES: Final = ("", "maker", "trend")
_TYPES: Final = (
    MARKET, MARKET, MARKET, LIMIT, LIMIT, LIMIT, LIMIT, LIMIT, STOP, STOP_LIMIT, TAKE_PROFIT,
    TAKE_PROFIT_LIMIT, TRAILING_STOP,
)  # fmt: skip


class Wishes:
    """What callers ask for, step after step."""

    def __init__(self, world: World, walk: Walk) -> None:
        self.world = world
        self.walk = walk
        self.rng = world.rng.fork(7)
        self.instruments = list(world.specs)
        self.tags = 0

    def next(self) -> Command:
        """The next command."""
        kind = self.rng.below(100)
        if kind < 25:
            armed = self.rearm()
            if armed is not None:
                return armed
        if kind < 50:
            return self.order(self._instrument(may_route=True))
        if kind < 60:
            return self.linked()
        if kind < 70:
            return CancelOrder(self._some_order())
        if kind < 86:
            return self.amend()
        if kind < 88:
            return self.cancel_all()
        if kind < 93:
            return self.cash()
        return self.control()

    def rearm(self) -> SetTradingState | None:
        """Let something trade again that must not now; None when all may."""
        state = self.world.simulation.core.state
        if state.trading_state != ACTIVE:
            return SetTradingState(SCOPE_GLOBAL, "", ACTIVE)
        for name, portfolio in state.portfolios.items():
            if portfolio.trading_state != ACTIVE:
                return SetTradingState(SCOPE_PORTFOLIO, name, ACTIVE)
        for name, strategy in state.strategies.items():
            if strategy.trading_state != ACTIVE:
                return SetTradingState(SCOPE_STRATEGY, name, ACTIVE)
        for name, venue in state.venues.items():
            if venue.trading_state != ACTIVE:
                return SetTradingState(SCOPE_VENUE, name, ACTIVE)
        for name, symbol in state.symbols.items():
            if symbol.trading_state != ACTIVE:
                return SetTradingState(SCOPE_SYMBOL, name, ACTIVE)
        return None

    def order(self, instrument: str, quantity: int = 0, side: int = 0) -> SubmitOrder:
        """One order."""
        rng = self.rng
        order_type = _TYPES[rng.below(len(_TYPES))]
        side = side or (BUY if rng.chance(1, 2) else SELL)
        tif = (GTC, GTC, GTC, GTC, GTC, GTC, GTC, IOC, FOK, GTD)[rng.below(10)]
        if order_type != LIMIT and tif == GTD and rng.chance(1, 2):
            tif = GTC
        tag = ""
        if rng.chance(1, 10):
            self.tags += 0 if rng.chance(1, 10) else 1
            tag = f"tag-{self.tags}"
        trailing = order_type == TRAILING_STOP
        unit = (OFFSET_PRICE, OFFSET_BPS)[rng.below(2)]
        return SubmitOrder(
            portfolio=self._portfolio(),
            instrument=instrument,
            side=side,
            type=order_type,
            quantity=quantity or self._quantity(instrument),
            price=self._price() if order_type in (LIMIT, STOP_LIMIT, TAKE_PROFIT_LIMIT) else 0,
            trigger_price=self._price() if STOP <= order_type < TRAILING_STOP else 0,
            tif=tif,
            expire_ts=self._soon() if tif == GTD else 0,
            post_only=order_type == LIMIT and tif in (GTC, GTD) and rng.chance(1, 4),
            reduce_only=rng.chance(1, 6),
            strategy=STRATEGIES[rng.below(3)],
            client_tag=tag,
            trigger_by=TRIGGER_QUOTE + rng.below(3),
            trailing_offset=1 + rng.below(40) if trailing else 0,
            trailing_unit=unit if trailing else OFFSET_PRICE,
        )

    def linked(self) -> SubmitOrderList:
        """An OCO pair or a bracket."""
        rng = self.rng
        instrument = self._instrument(may_route=False)
        quantity = self._quantity(instrument)
        side = BUY if rng.chance(1, 2) else SELL
        entry = msgspec.structs.replace(
            self.order(instrument, quantity, side),
            type=LIMIT, price=self._price(), trigger_price=0, tif=GTC, expire_ts=0, client_tag="",
            trailing_offset=0, trailing_unit=OFFSET_PRICE, reduce_only=False, post_only=False,
        )  # fmt: skip
        target = self._exit(entry, -side, +side)
        loss = self._exit(entry, -side, -side, stop=True)
        if rng.chance(1, 2):
            return SubmitOrderList(OCO, (target, loss))
        if rng.chance(1, 2):
            entry = msgspec.structs.replace(entry, type=MARKET, price=0)
        return SubmitOrderList(BRACKET, (entry, target, loss))

    def _exit(
        self, entry: SubmitOrder, side: int, direction: int, *, stop: bool = False
    ) -> SubmitOrder:
        """An order that leaves a position at a price `direction` of the market."""
        price = self.walk.price + direction * (1 + self.rng.below(40))
        if not stop:
            return msgspec.structs.replace(entry, side=side, type=LIMIT, price=price)
        return msgspec.structs.replace(entry, side=side, type=STOP, price=0, trigger_price=price)

    def amend(self) -> AmendOrder:
        """A change of an order, of its price, quantity or trigger."""
        order_id = self._some_order()
        order = self.world.simulation.core.state.orders.get(order_id)
        rng = self.rng
        price = self._price() if rng.chance(1, 2) else 0
        quantity = 0
        trigger = 0
        if order is not None:
            lot = order.instrument.lot
            if rng.chance(2, 3) or not price:
                quantity = max(lot, order.quantity + (rng.below(41) - 20) * lot)
            if order.life == PENDING and rng.chance(1, 3):
                trigger = self._price()
            if order.is_market():
                price = 0
        return AmendOrder(order_id, price, quantity, trigger)

    def cancel_all(self) -> CancelAll:
        """Everything of some scope."""
        kind = self.rng.below(4)
        if kind == 0:
            return CancelAll(portfolio=self._portfolio())
        if kind == 1:
            return CancelAll(strategy=STRATEGIES[1], side=BUY)
        if kind == 2:
            return CancelAll(venue=self._venue())
        return CancelAll(symbol="BTC/USDT:USDT")

    def cash(self) -> Command:
        """Money comes, goes, or moves between venues."""
        rng = self.rng
        asset = "USDT" if rng.chance(1, 2) else "BTC"
        amount = 1 + rng.below(2_000 * MONEY if asset == "USDT" else MONEY)
        if rng.chance(1, 4):
            amount *= 8
        kind = rng.below(3)
        if kind == 0:
            return Deposit(self._portfolio(), self._venue(), asset, amount)
        if kind == 1:
            return Withdraw(self._portfolio(), self._venue(), asset, amount)
        return Transfer(
            self._portfolio(), self._venue(), self._portfolio(), self._venue(), asset, amount
        )

    def control(self) -> Command:
        """Limits, leverage, trading states, and now and then the kill switch."""
        rng = self.rng
        kind = rng.below(16)
        if kind < 5:
            return SetLimits(self._limits())
        if kind < 8:
            mode = CROSS if rng.chance(1, 2) else ISOLATED
            leverage = 1 + rng.below(25)
            return SetLeverage(self._portfolio(), self._instrument(False), leverage, mode)
        if kind == 8:
            return KillSwitch(flatten=rng.chance(1, 2))
        scope = rng.below(5)
        key = {
            SCOPE_GLOBAL: "",
            SCOPE_PORTFOLIO: self._portfolio(),
            SCOPE_STRATEGY: STRATEGIES[rng.below(3)],
            SCOPE_VENUE: self._venue(),
            SCOPE_SYMBOL: "BTC/USDT",
        }[scope]
        return SetTradingState(scope, key, (ACTIVE, REDUCING, HALTED)[rng.below(3)])

    def _limits(self) -> LimitSet:
        rng = self.rng
        kind = rng.below(4)
        if kind == 0:
            limit = 100 + rng.below(3_000)
            return LimitSet(scope=SCOPE_SYMBOL, key="BTC/USDT:USDT", position_quantity_max=limit)
        if kind == 1:
            return LimitSet(
                scope=SCOPE_PORTFOLIO,
                key=self._portfolio(),
                open_orders_max=1 + rng.below(20),
                cool_down_ms=rng.below(2_000),
            )
        if kind == 2:
            return LimitSet(
                scope=SCOPE_SYMBOL,
                key="BTC/USDT",
                order_quantity_max=100 + rng.below(400),
                position_quantity_max=200 + rng.below(4_000),
            )
        return LimitSet(scope=SCOPE_GLOBAL, leverage_max=1 + rng.below(20))

    def _portfolio(self) -> str:
        return self.world.portfolios[self.rng.below(len(self.world.portfolios))]

    def _venue(self) -> str:
        venues = list(self.world.exchanges)
        return venues[self.rng.below(len(venues))]

    def _instrument(self, may_route: bool) -> str:
        if may_route and self.rng.chance(1, 6):
            return ":BTC/USDT"
        return self.instruments[self.rng.below(len(self.instruments))]

    def _quantity(self, instrument: str) -> int:
        spec = self.world.specs.get(instrument)
        if spec is not None and spec.kind == INVERSE:
            return 1 + self.rng.below(12)
        return 5 * (1 + self.rng.below(120)) + (1 if self.rng.chance(1, 200) else 0)

    def _price(self) -> int:
        return self.walk.price + self.rng.below(61) - 30

    def _soon(self) -> int:
        return self.world.simulation.now + 1 + self.rng.below(20 * SECOND)

    def _some_order(self) -> str:
        """A live order mostly, else any, else one that does not exist."""
        orders: list[Order] = list(self.world.simulation.core.state.orders.values())
        live = [order for order in orders if not is_closed(order.life)]
        if live and not self.rng.chance(1, 20):
            return live[self.rng.below(len(live))].id
        if orders and not self.rng.chance(1, 4):
            return orders[self.rng.below(len(orders))].id
        return "nobody-knows-this-order"
