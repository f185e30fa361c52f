"""The digest: equal for equal states, different for anything that events decided."""

from collections.abc import Callable
from typing import Any

import pytest
from core_world import INVERSE_ID, LINEAR_ID, ONE, SPOT_ID, CoreWorld, spec

from zvt_trading.core.snapshot import digest, state_lines
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codes import (
    BUY,
    HALTED,
    ISOLATED,
    SCOPE_GLOBAL,
    SCOPE_PORTFOLIO,
    SCOPE_STRATEGY,
    SCOPE_SYMBOL,
    SCOPE_VENUE,
    SELL,
    STOP,
    TRAILING_STOP,
)
from zvt_trading.messages.commands import (
    Deposit,
    KillSwitch,
    LimitSet,
    ListInstrument,
    OpenPortfolio,
    SetLeverage,
    SetLimits,
    SetTradingState,
)
from zvt_trading.messages.market import MarkPrice
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    AmendFailed,
    CashMoved,
    ForeignActivity,
    FundingPaid,
    Liquidated,
    OutcomeUnknown,
)


def a_long_day(world: CoreWorld) -> None:
    """Something of everything."""
    world.do(SetLeverage("main", LINEAR_ID, 5, ISOLATED))
    world.fill(world.open(BUY, ONE, 10_000, client_tag="mine"), fee=5)
    world.submit(SELL, ONE, kind=TRAILING_STOP, trailing_offset=50, strategy="s")
    world.at(10_020)
    legs = world.oco(
        world.request(SELL, ONE, 10_200), world.request(SELL, ONE, kind=STOP, trigger_price=9_800)
    )
    world.accept(legs[0])
    world.amend(legs[0], 10_210)
    world.report(AmendFailed(legs[0], 408, "", 0))
    world.submit(BUY, 0)
    world.trade_now(SELL, 3 * ONE, 10_000, instrument=LINEAR_ID)
    world.report(FundingPaid("main", LINEAR_ID, 1, 1_234, "f", 0))
    world.report(CashMoved("main", "x", "USD", -3, int(Reason.MANUAL_TRADE), "t", "", 0))
    world.report(ForeignActivity("x", "alien", int(Reason.FOREIGN_ORDER), "", 0))
    world.report(Liquidated("main", LINEAR_ID, BUY, 10_500, ONE, 10, 5, "l", 0))
    world.trade_now(BUY, ONE, 10_000, instrument=INVERSE_ID)
    unknown = world.submit(BUY, ONE, 9_990)
    world.report(OutcomeUnknown(unknown, "", 0))
    world.time(5)
    world.at(10_000)
    world.do(KillSwitch(flatten=True))
    world.cancelled(legs[0])


def test_the_events_alone_give_the_same_digest() -> None:
    """Without any market data: replay is evolve over the journal."""
    world = CoreWorld()
    a_long_day(world)
    other = TradingCore()
    for event in world.journal:
        other.replay(event)
    assert world.digest() == digest(other.state, other.risk)
    assert state_lines(world.state, world.core.risk) == state_lines(other.state, other.risk)


def test_the_same_inputs_give_the_same_events() -> None:
    """Nothing but the inputs counts."""
    one, other = CoreWorld(), CoreWorld()
    a_long_day(one)
    a_long_day(other)
    assert one.journal == other.journal
    assert 32 == len(one.digest())


def test_market_data_are_not_in_it() -> None:
    """A quote, a mark, a trade that moves nothing: the same digest."""
    world = CoreWorld()
    before = world.digest()
    world.at(11_000)
    world.market(MarkPrice(LINEAR_ID, 12_000, world.now))
    world.trade(9_000)
    assert before == world.digest()


CHANGES: list[Callable[[CoreWorld], object]] = [
    lambda world: world.do(ListInstrument(spec(venue="y"))),
    lambda world: world.do(OpenPortfolio("other", "USD", 8)),
    lambda world: world.do(Deposit("main", "x", "USD", 1)),
    lambda world: world.do(SetLimits(LimitSet(scope=0, collar_bps=7))),
    lambda world: world.do(SetLeverage("main", LINEAR_ID, 2, 0)),
    lambda world: world.do(SetLeverage("main", LINEAR_ID, 1, ISOLATED)),
    lambda world: world.do(SetTradingState(SCOPE_GLOBAL, "", HALTED)),
    lambda world: world.do(SetTradingState(SCOPE_PORTFOLIO, "main", HALTED)),
    lambda world: world.do(SetTradingState(SCOPE_STRATEGY, "s", HALTED)),
    lambda world: world.do(SetTradingState(SCOPE_VENUE, "x", HALTED)),
    lambda world: world.do(SetTradingState(SCOPE_SYMBOL, "BTC/USD", HALTED)),
    lambda world: world.do(KillSwitch(flatten=True)),
    lambda world: world.submit(BUY, ONE),
    lambda world: world.submit(BUY, 0),
    lambda world: world.submit(BUY, ONE, client_tag="tag"),
    lambda world: world.open(BUY, ONE),
    lambda world: world.trade_now(BUY, ONE),
    lambda world: world.trade_now(BUY, ONE, instrument=LINEAR_ID),
    lambda world: world.report(FundingPaid("main", LINEAR_ID, 1, 1, "f", 0)),
    lambda world: world.report(
        CashMoved("main", "x", "USD", 1, int(Reason.EXTERNAL_DEPOSIT), "r", "", 0)
    ),
    lambda world: world.report(
        CashMoved("main", "x", "USD", 1, int(Reason.EXTERNAL_DEPOSIT), "r-2", "", 0)
    ),
    lambda world: world.report(ForeignActivity("x", "a", int(Reason.FOREIGN_ORDER), "", 0)),
    lambda world: world.report(ForeignActivity("x", "b", int(Reason.FOREIGN_ORDER), "", 0)),
]


def test_everything_that_was_decided_is_in_it() -> None:
    """Each of these changes gives a digest of its own."""
    digests = [CoreWorld().digest()]
    for change in CHANGES:
        world = CoreWorld()
        change(world)
        digests.append(world.digest())
    assert len(digests) == len(set(digests))


@pytest.mark.parametrize("name", ["amend_price", "amend_quantity", "hold_before_amend", "role"])
def test_details_of_orders(name: str) -> None:
    """What a later event depends on."""
    world = CoreWorld()
    order: Any = world.order(world.open(BUY, ONE, 9_900, instrument=SPOT_ID))
    before = world.digest()
    setattr(order, name, 77)
    assert before != world.digest()
