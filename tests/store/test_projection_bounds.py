"""What the core lets in has room in the tables; what has none is refused, or stops at a bound.

The tables' numbers are NUMERIC(38,18): below 10^20.
"""

from typing import Final

import msgspec
import pytest
from store_world import entries_of, projected, read_all

from zvt_trading.core.limits import AMOUNT_MAX
from zvt_trading.core.risk_limits import LIMIT_NAMES, RiskLimits
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import DAY
from zvt_trading.messages.codes import (
    BUY,
    GTD,
    LIMIT,
    LINEAR,
    SCOPE_GLOBAL,
    SCOPE_SYMBOL,
    SELL,
    SPOT,
    STOP,
    TAKER,
)
from zvt_trading.messages.commands import (
    Deposit,
    LimitSet,
    ListInstrument,
    OpenPortfolio,
    SetLimits,
    SubmitOrder,
)
from zvt_trading.messages.events import EquitySampled, Event
from zvt_trading.messages.market import InstrumentSpec, QuoteTick
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import Fill, FundingPaid, Liquidated, VenueAccepted
from zvt_trading.ports.store import Changes, Row, Store
from zvt_trading.ports.tables import (
    BALANCE,
    COLUMNS,
    EQUITY,
    ORDER,
    PORTFOLIO,
    POSITION,
    REFUSAL,
    RISK_LIMIT,
    TRADE,
)
from zvt_trading.runtime.projections import Projector
from zvt_trading.runtime.projections.resuming import resume_projector
from zvt_trading.runtime.projections.values import WHOLE_MAX, figure, moment, number, within

pytest_plugins = ("store_fixtures",)

NOW: Final = 1_700_000_000_000_000_000
MONEY: Final = AMOUNT_MAX * 10**8
COINS: Final = AMOUNT_MAX * 10**3
SPOT_ID: Final = "x:BTC/USD"
LINEAR_ID: Final = "x:BTC/USD:USD"
SPEC: Final = InstrumentSpec(
    venue="x", symbol="BTC/USD", kind=SPOT, base="BTC", quote="USD", settle="USD", price_scale=2,
    quantity_scale=3, base_scale=8, quote_scale=8, tick=1, lot=1, quantity_min=1, leverage_max=100,
)  # fmt: skip
PERPETUAL: Final = msgspec.structs.replace(SPEC, symbol="BTC/USD:USD", kind=LINEAR)
LIMITS: Final = LimitSet(
    scope=SCOPE_GLOBAL, order_notional_max=MONEY, position_notional_max=MONEY, exposure_max=MONEY,
    daily_loss_max=MONEY, allocation_bps_max=10_000_000, leverage_max=1_000, collar_bps=9_999,
)  # fmt: skip


class Giants:
    """An engine in a market of the largest numbers: 10^17 dollars, as many coins."""

    def __init__(self) -> None:
        self.core = TradingCore()
        self.events: list[Event] = []
        for spec in (SPEC, PERPETUAL):
            self.core.command(NOW, ListInstrument(spec))
        self.core.command(NOW, SetLimits(LIMITS))
        self.core.command(NOW, OpenPortfolio("main", "USD", 8))
        self.core.command(NOW, Deposit("main", "x", "USD", MONEY))
        self.core.command(NOW, Deposit("main", "x", "BTC", MONEY))

    def at(self, price: int, days: int = 0) -> None:
        """The market is there, and the equity is looked at."""
        now = NOW + days * DAY
        for name in (SPOT_ID, LINEAR_ID):
            self.core.market(QuoteTick(name, price, 1, price + 1, 1, now))
        self.core.on_time(now)

    def order(self, instrument: str, side: int, quantity: int, price: int) -> str:
        """One that rests at the venue for good."""
        now = self.core.recorder.now
        far = 2**62
        request = SubmitOrder(
            "main", instrument, side, LIMIT, quantity, price, tif=GTD, expire_ts=far
        )
        order_id = self.core.command(now, request)
        self.core.report(now, VenueAccepted(order_id, "v", now))
        return order_id

    def take(self) -> list[Event]:
        """What has happened."""
        self.events.extend(self.core.take())
        return self.events


def written(store: Store, events: list[Event]) -> Changes:
    """What events do to the tables, done."""
    projector = Projector(TradingCore())
    for event in events:
        projector.take(event)
    changes = projector.changes()
    store.append(entries_of(events, epoch=0), changes)
    return changes


def column(store: Store, table: str, *names: str) -> list[Row]:
    """Some columns of all rows."""
    return store.read(table, names, None)


class TestLimits:
    def test_a_limit_larger_than_the_tables_numbers_is_refused(self, store: Store) -> None:
        """Somebody means "no limit" and says 10^30: he is told what there is, and nothing stops."""
        core = TradingCore()
        core.command(NOW, SetLimits(LimitSet(scope=SCOPE_GLOBAL, exposure_max=10**38)))
        written(store, core.take())
        text = f"exposure_max {10**38} is not within 0..{MONEY}"
        assert [("invalid_limit", text)] == column(store, REFUSAL, "reason", "text")
        assert [] == column(store, RISK_LIMIT, "value")

    @pytest.mark.parametrize("name", LIMIT_NAMES)
    def test_the_largest_of_each_is_written(self, store: Store, name: str) -> None:
        """As the gate itself names it, globally or of a symbol that nobody lists yet."""
        scope, key = (SCOPE_SYMBOL, "new") if "quantity" in name else (SCOPE_GLOBAL, "")
        stated = LimitSet(scope=scope, key=key, allow_looser=True)
        too_large = msgspec.structs.replace(stated, **{name: 10**60})
        _, text = RiskLimits().validate(too_large, 8)
        largest = int(text.rpartition("..")[2])
        core = TradingCore()
        limits = msgspec.structs.replace(stated, **{name: largest})
        core.command(NOW, SetLimits(limits))
        written(store, core.take())
        assert [(name,)] == column(store, RISK_LIMIT, "name")


class TestBooks:
    def test_the_largest_orders_trades_and_balances_are_written(self, store: Store) -> None:
        """One more deposit is refused; what the core lets in is there to the last unit."""
        giants = Giants()
        core = giants.core
        giants.at(100)
        buy = giants.order(SPOT_ID, BUY, COINS // 10, 100)
        short = giants.order(LINEAR_ID, SELL, COINS // 10, 100)
        core.report(NOW, Fill(buy, "t1", 100, COINS // 10, TAKER, "USD", MONEY, NOW))
        core.report(NOW, Fill(buy, "t2", 10**19, 1, TAKER, "NEW", -MONEY, NOW))
        core.report(NOW, Fill(short, "t3", 100, COINS, TAKER, "USD", 0, NOW))
        core.report(NOW, FundingPaid("main", LINEAR_ID, 1, MONEY, "f", NOW))
        core.report(NOW, Liquidated("main", LINEAR_ID, BUY, 100, COINS, MONEY, MONEY, "l", NOW))
        core.command(NOW, Deposit("main", "x", "BTC", MONEY))
        events = giants.take()
        names = [type(event).__name__ for event in events]
        assert (3, 1, 1) == tuple(
            names.count(name) for name in ("OrderFilled", "FundingSettled", "PositionLiquidated")
        )
        assert "CommandRefused" == names[-1]
        written(store, events)
        assert projected(events).rows == read_all(store)
        assert number(COINS, 3) in {row[0] for row in column(store, TRADE, "quantity")}
        for table in (ORDER, POSITION, BALANCE):
            assert column(store, table, COLUMNS[table][0]) != []

    def test_an_order_beyond_them_is_refused(self) -> None:
        """By quantity and by price, before any limit is asked."""
        giants = Giants()
        giants.at(100)
        for quantity, price in ((COINS + 1, 100), (1, AMOUNT_MAX * 100 + 1)):
            order_id = giants.core.command(
                NOW, SubmitOrder("main", SPOT_ID, BUY, LIMIT, quantity, price)
            )
            assert order_id not in giants.core.state.orders
        reasons = [getattr(event, "reason", 0) for event in giants.take()[-2:]]
        assert [Reason.INVALID_QUANTITY, Reason.INVALID_PRICE] == reasons


class TestFigures:
    """What follows from a market's prices may be anything: the tables say the most they can."""

    def test_an_equity_beyond_them(self, store: Store) -> None:
        """10^17 coins at 10^28 dollars, and at one cent before and after."""
        giants = Giants()
        for day, price in enumerate((1, 10**30)):
            giants.at(price, day)
        giants.core.command(NOW, SubmitOrder("main", SPOT_ID, SELL, STOP, 1, trigger_price=50))
        for day, price in enumerate((1, 10**40, 10**30), 2):
            giants.at(price, day)
        events = giants.take()
        assert max(event.equity for event in events if isinstance(event, EquitySampled)) > 10**40
        written(store, events)
        assert projected(events).rows == read_all(store)
        most = number(WHOLE_MAX, 0)
        assert (most, most) in column(store, EQUITY, "value", "peak_value")
        assert [(most,)] == column(store, PORTFOLIO, "value")
        assert [(most, most)] == column(store, ORDER, "bid_at_decision", "ask_at_decision")

    def test_they_are_the_same_after_a_restart(self, store: Store) -> None:
        """What is read back is what went on."""
        giants = Giants()
        for day, price in enumerate((1, 10**30, 1, 10**40)):
            giants.at(price, day)
        before = len(giants.take())
        written(store, giants.events)
        for day, price in enumerate((100, 101, 10**29), 4):
            giants.at(price, day)
        events = giants.take()
        assert len(events) > before
        core = TradingCore()
        for event in events[:before]:
            core.replay(event)
        projector = Projector(core)
        resume_projector(projector, store)
        for event in events[before:]:
            projector.take(event)
        store.append([], projector.changes())
        assert projected(events).rows == read_all(store)

    @pytest.mark.parametrize("scale", [0, 2, 18])
    @pytest.mark.parametrize("sign", [1, -1])
    def test_the_bound_is_a_whole_number(self, scale: int, sign: int) -> None:
        """So that it is exact on any scale; below it nothing is changed."""
        bound = sign * WHOLE_MAX * 10**scale
        assert bound == within(bound, scale) == within(bound + sign, scale)
        assert bound - sign == within(bound - sign, scale)
        assert number(bound, scale) == figure(bound + sign, scale) == number(sign * WHOLE_MAX, 0)

    def test_times_are_of_the_years_that_there_are(self) -> None:
        """A venue may say anything."""
        assert "1970-01-01T00:00:00.000000+00:00" == moment(-1)
        assert "9999-12-31T23:59:59.999999+00:00" == moment(10**40)
