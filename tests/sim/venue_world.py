"""Builders for the tests of the simulated venue: two instruments with round numbers, one account.

Spot BTC/USDT: prices on 2 decimals (tick 0.10), quantities on 3 (lot 0.010), money on 8. A maker
pays 10 bps, a taker 20 bps. The perpetual has the same scales, the same fees, and by default the
tiers of core.margin (1 % maintenance).
"""

from typing import Any

import msgspec

from zvt_trading.core.fees import FeeSchedule
from zvt_trading.messages.codes import GTC, LIMIT, LINEAR, MARKET, SPOT, TRIGGER_QUOTE
from zvt_trading.messages.market import InstrumentSpec, MarketData, QuoteTick, TradeTick
from zvt_trading.sim.exchange import DUPLICATE_EVER, SimExchange
from zvt_trading.sim.fills import RecordedMarket

USDT = 10**8  # one, in money units
BTC = 10**8
SPOT_ID = "binance:BTC/USDT"
PERP_ID = "binance:BTC/USDT:USDT"
ME = "main"

SPOT_SPEC = InstrumentSpec(
    venue="binance", symbol="BTC/USDT", kind=SPOT, base="BTC", quote="USDT", settle="USDT",
    price_scale=2, quantity_scale=3, base_scale=8, quote_scale=8, tick=10, lot=10,
    quantity_min=20, quantity_max=100_000, notional_min=5 * USDT, price_min=100,
    price_max=1_000_000, maker_fee=100_000, taker_fee=200_000,
)  # fmt: skip
PERP_SPEC = msgspec.structs.replace(
    SPOT_SPEC, symbol="BTC/USDT:USDT", kind=LINEAR, leverage_max=100, stops_held_by_venue=True
)


class World:
    """A venue with a spot and a perpetual market that the test moves by hand."""

    def __init__(
        self,
        policy: int = DUPLICATE_EVER,
        history: int = 0,
        rate: int = 0,
        schedule: FeeSchedule | None = None,
        spot: InstrumentSpec = SPOT_SPEC,
        perp: InstrumentSpec = PERP_SPEC,
    ) -> None:
        # Any: a report is a union, and tests read the fields of the one they expect.
        self.exchange: Any = SimExchange("binance", policy, history, rate)
        self.exchange.list_instrument(spot, RecordedMarket(), schedule)
        self.exchange.list_instrument(perp, RecordedMarket())
        self.now = 1_000
        self.orders = 0
        self.exchange.account(ME)

    def fund(self, usdt: int = 0, btc: int = 0) -> None:
        """Credit whole USDT and BTC."""
        if usdt:
            self.exchange.credit(ME, "USDT", usdt * USDT)
        if btc:
            self.exchange.credit(ME, "BTC", btc * BTC)

    def quote(
        self, bid: int, ask: int, size: int = 1_000, instrument: str = SPOT_ID, ask_size: int = 0
    ) -> list[Any]:
        """The market's touch becomes this."""
        self.now += 1
        message = QuoteTick(instrument, bid, size, ask, ask_size or size, self.now)
        return self.market(message)

    def trade(
        self, price: int, size: int, instrument: str = SPOT_ID, aggressor: int = 0
    ) -> list[Any]:
        """Others trade."""
        self.now += 1
        message = TradeTick(instrument, price, size, aggressor, self.now)
        return self.market(message)

    def market(self, message: MarketData) -> list[Any]:
        """The venue sees a message now."""
        return list(self.exchange.on_market(self.now, message))

    def order(
        self,
        side: int,
        quantity: int,
        price: int = 0,
        order_type: int | None = None,
        instrument: str = SPOT_ID,
        order_id: str = "",
        account: str = ME,
        tif: int = GTC,
        expire_ts: int = 0,
        post_only: bool = False,
        reduce_only: bool = False,
        worst_price: int = 0,
        trigger_price: int = 0,
        trigger_by: int = TRIGGER_QUOTE,
    ) -> list[Any]:
        """Submit an order: limit when it has a price, market otherwise. Ids are o1, o2, ..."""
        self.orders += 1
        self.now += 1
        kind = order_type if order_type is not None else (LIMIT if price else MARKET)
        reports = self.exchange.submit(
            self.now, order_id or f"o{self.orders}", account, instrument, side, kind, price,
            quantity, tif, expire_ts, post_only, reduce_only, worst_price, trigger_price,
            trigger_by,
        )  # fmt: skip
        return list(reports)

    def total(self, asset: str = "USDT") -> int:
        """What the account has, in money units."""
        return int(self.exchange.account(ME).balance(asset).total)

    def locked(self, asset: str = "USDT") -> int:
        """What its open orders reserve."""
        return int(self.exchange.account(ME).balance(asset).locked)


def names(reports: list[Any]) -> list[str]:
    """The kinds of the reports, in order."""
    return [type(report).__name__ for report in reports]


def ready(**arguments: Any) -> World:
    """A funded world quoted 100.00 x 1.000 / 100.10 x 1.000."""
    world = World(**arguments)
    world.fund(usdt=1_000, btc=2)
    world.quote(10_000, 10_010)
    world.quote(10_000, 10_010, instrument=PERP_ID)
    return world
