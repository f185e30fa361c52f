"""Every reason there is, with how it comes about: a member without a row fails the last test.

Refusals of the core (below 400) are produced here, each by the shortest way through `TradingCore`.
Those from 400 on are what venues, the runtime or operators say; their rows name the test that
produces them, and it is checked that there is such a test.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from core_world import INVERSE_ID, LINEAR_ID, NOW, ONE, SPOT_ID, CoreWorld, loose, spec

from zvt_trading.messages.codes import (
    BUY,
    GTD,
    HALTED,
    IOC,
    LIMIT,
    OCO,
    REDUCING,
    SCOPE_GLOBAL,
    SCOPE_SYMBOL,
    SELL,
    STOP,
    TRAILING_STOP,
)
from zvt_trading.messages.commands import (
    AmendOrder,
    CancelOrder,
    Deposit,
    LimitSet,
    ListInstrument,
    OpenPortfolio,
    SetLeverage,
    SetLimits,
    SetTradingState,
    SubmitOrderList,
)
from zvt_trading.messages.market import BookInvalid, VenueStatus
from zvt_trading.messages.reasons import TRANSIENT, Reason

TESTS = Path(__file__).resolve().parent.parent
USD = 10**8
NO_ID = "f" * 32

Way = Callable[[], CoreWorld]


def order(*args: Any, **changes: Any) -> Way:
    """By an order in an ordinary world."""

    def way() -> CoreWorld:
        world = CoreWorld()
        world.submit(*args, **changes)
        return world

    return way


def command(*commands: Any) -> Way:
    """By a command other than an order."""

    def way() -> CoreWorld:
        world = CoreWorld()
        for one in commands:
            world.do(one)
        return world

    return way


def filtered(price: int, quantity: int = ONE, **filters: Any) -> Way:
    """By an order that a filter of its instrument does not take."""

    def way() -> CoreWorld:
        world = CoreWorld(specs=[spec(**filters)])
        world.submit(BUY, quantity, price)
        return world

    return way


def limited(*orders: tuple[Any, ...], instrument: str = SPOT_ID, **limits: int) -> Way:
    """By the last of some orders, under a limit."""

    def way() -> CoreWorld:
        world = CoreWorld(limits=loose(**limits))
        for one in orders:
            world.submit(*one, instrument=instrument)
        return world

    return way


def symbol_limited(**limits: Any) -> Way:
    """By a limit on the symbol's own scale."""

    def way() -> CoreWorld:
        world = CoreWorld()
        world.do(SetLimits(LimitSet(scope=SCOPE_SYMBOL, key="BTC/USD", **limits)))
        world.submit(BUY, ONE)
        return world

    return way


def in_state(state: int) -> Way:
    """In a trading state."""

    def way() -> CoreWorld:
        world = CoreWorld()
        world.do(SetTradingState(SCOPE_GLOBAL, "", state))
        world.submit(BUY, ONE)
        return world

    return way


def after(*messages: Any, wait: int = 0) -> Way:
    """By an order after market data, or after a time without."""

    def way() -> CoreWorld:
        world = CoreWorld()
        for message in messages:
            world.market(message)
        world.wait(wait)
        world.submit(BUY, ONE)
        return world

    return way


def no_price() -> CoreWorld:
    world = CoreWorld()
    world.do(ListInstrument(spec("NEW/USD", base="NEW")))
    world.submit(BUY, ONE, instrument="x:NEW/USD")
    return world


def crossed() -> CoreWorld:
    world = CoreWorld()
    world.quote(10_002, 10_001)
    world.submit(BUY, ONE)
    return world


def losing(**limits: int) -> Way:
    """After the equity fell by a hundred dollars."""

    def way() -> CoreWorld:
        world = CoreWorld(limits=loose(**limits), btc=0)
        world.time(1)
        world.trade_now(BUY, 100 * ONE, 10_000)
        world.at(9_900)
        world.submit(BUY, ONE)
        return world

    return way


def cooling() -> CoreWorld:
    world = CoreWorld(limits=loose(cool_down_ms=1_000))
    world.trade_now(BUY, ONE, 10_000)
    world.trade_now(SELL, ONE, 9_990, at=9_990)
    world.submit(BUY, ONE)
    return world


def repeated() -> CoreWorld:
    world = CoreWorld(limits=loose(repeated_executions_max=1))
    world.trade_now(BUY, ONE, 10_000)
    world.submit(BUY, ONE, 10_000)
    return world


def self_crossing() -> CoreWorld:
    world = CoreWorld()
    world.open(SELL, ONE, 10_000)
    world.submit(BUY, ONE, 10_000)
    return world


def no_route() -> CoreWorld:
    world = CoreWorld()
    world.submit(BUY, 10**8, instrument=":BTC/USD")
    return world


def amend(price: int = 0, quantity: int = 0, **situation: Any) -> Way:
    """By an amend of an order that is accepted, partly filled, asked for, or over."""

    def way() -> CoreWorld:
        world = CoreWorld(specs=[spec(amend_supported=situation.get("supported", True))])
        order_id = world.open(BUY, 2 * ONE, 9_990)
        if situation.get("asked"):
            world.cancel(order_id)
        world.fill(order_id, 9_990, 2 * ONE if situation.get("over") else ONE)
        world.do(AmendOrder(order_id, price, quantity))
        return world

    return way


def suspended(reason: Reason) -> Way:
    """While the engine may take no new risk."""

    def way() -> CoreWorld:
        world = CoreWorld()
        world.core.control.suspend(reason, "so")
        world.step()
        world.submit(BUY, ONE)
        return world

    return way


STOP_AT: dict[str, Any] = {"kind": STOP, "trigger_price": 9_500}
TAG: dict[str, Any] = {"client_tag": "tag"}

WAYS: dict[Reason, Way] = {
    Reason.UNKNOWN_PORTFOLIO: order(portfolio="none"),
    Reason.UNKNOWN_INSTRUMENT: order(instrument="x:NONE"),
    Reason.UNKNOWN_ORDER: command(CancelOrder(NO_ID)),
    Reason.UNKNOWN_ASSET: command(Deposit("main", "x", "NONE", 1)),
    Reason.DUPLICATE_PORTFOLIO: command(OpenPortfolio("main", "USD", 8)),
    Reason.DUPLICATE_INSTRUMENT: command(ListInstrument(spec())),
    Reason.DUPLICATE_CLIENT_ID: command(
        CoreWorld().request(**TAG), CoreWorld().request(SELL, **TAG)
    ),
    Reason.ID_TOO_LONG: order(client_tag="t" * 65),
    Reason.INVALID_SIDE: order(0),
    Reason.INVALID_ORDER_TYPE: order(kind=99),
    Reason.INVALID_TIME_IN_FORCE: order(tif=99),
    Reason.INVALID_QUANTITY: order(quantity=0),
    Reason.INVALID_PRICE: order(price=-1, kind=LIMIT),
    Reason.PRICE_MISSING: order(kind=LIMIT),
    Reason.PRICE_NOT_ALLOWED: order(price=1, kind=0),
    Reason.TRIGGER_MISSING: order(kind=STOP),
    Reason.TRIGGER_NOT_ALLOWED: order(trigger_price=1),
    Reason.INVALID_TRIGGER: order(kind=STOP, trigger_price=-1),
    Reason.INVALID_TRAILING_OFFSET: order(kind=TRAILING_STOP),
    Reason.EXPIRE_TIME_MISSING: order(price=9_990, tif=GTD),
    Reason.EXPIRE_TIME_PAST: order(price=9_990, tif=GTD, expire_ts=NOW),
    Reason.POST_ONLY_NOT_ALLOWED: order(price=9_990, tif=IOC, post_only=True),
    Reason.INVALID_LIST: command(SubmitOrderList(OCO, ())),
    Reason.INVALID_AMOUNT: command(Deposit("main", "x", "USD", 0)),
    Reason.INVALID_LIMIT: command(SetLimits(LimitSet(scope=0, collar_bps=-1))),
    Reason.LIMIT_LOOSER: command(
        SetLimits(LimitSet(scope=1, key="main", orders_per_second_max=10**7))
    ),
    Reason.INVALID_LEVERAGE: command(SetLeverage("main", LINEAR_ID, 0, 0)),
    Reason.INVALID_SPEC: command(ListInstrument(spec("NEW/USD", tick=0))),
    Reason.INVALID_SCOPE: command(SetTradingState(9, "", HALTED)),
    Reason.PRICE_TICK: filtered(9_991, tick=10),
    Reason.PRICE_MIN: filtered(9_990, price_min=9_995),
    Reason.PRICE_MAX: filtered(9_990, price_max=9_985),
    Reason.QUANTITY_LOT: filtered(9_990, 15, lot=10),
    Reason.QUANTITY_MIN: filtered(9_990, 5, quantity_min=10),
    Reason.QUANTITY_MAX: filtered(9_990, 50, quantity_max=10),
    Reason.NOTIONAL_MIN: filtered(9_990, notional_min=100 * USD),
    Reason.TRADING_HALTED: in_state(HALTED),
    Reason.TRADING_REDUCING: in_state(REDUCING),
    Reason.VENUE_UNHEALTHY: after(VenueStatus("x", healthy=False, ts=NOW)),
    Reason.COOL_DOWN: cooling,
    Reason.RECOVERING: suspended(Reason.RECOVERING),
    Reason.STORE_UNAVAILABLE: suspended(Reason.STORE_UNAVAILABLE),
    Reason.NO_REFERENCE_PRICE: no_price,
    Reason.STALE_DATA: after(wait=60 * 10**9),
    Reason.BOOK_INVALID: after(BookInvalid(SPOT_ID, NOW, "gap")),
    Reason.BOOK_CROSSED: crossed,
    Reason.PRICE_COLLAR: order(price=11_000),
    Reason.MAX_ORDER_QUANTITY: symbol_limited(order_quantity_max=1),
    Reason.MAX_ORDER_NOTIONAL: limited((BUY, ONE), order_notional_max=1),
    Reason.MAX_OPEN_ORDERS: limited((BUY, ONE), open_orders_max=0),
    Reason.MAX_POSITION_QUANTITY: symbol_limited(position_quantity_max=1),
    Reason.MAX_POSITION_NOTIONAL: limited((BUY, ONE), position_notional_max=1),
    Reason.MAX_EXPOSURE: limited((BUY, ONE), exposure_max=1),
    Reason.MAX_ALLOCATION: limited((BUY, ONE), allocation_bps_max=0),
    Reason.MAX_LEVERAGE: limited((BUY, ONE), leverage_max=0, instrument=LINEAR_ID),
    Reason.REDUCE_ONLY: order(SELL, reduce_only=True, instrument=INVERSE_ID),
    Reason.RATE_SECOND: limited((BUY, ONE), orders_per_second_max=0),
    Reason.RATE_HOUR: limited((BUY, ONE), orders_per_hour_max=0),
    Reason.RATE_DAY: limited((BUY, ONE), orders_per_day_max=0),
    Reason.DUPLICATE_INTENT: limited((BUY, ONE), (BUY, ONE), duplicate_window_ms=100),
    Reason.REPEATED_EXECUTION: repeated,
    Reason.SELF_CROSS: self_crossing,
    Reason.DAILY_LOSS: losing(daily_loss_max=USD),
    Reason.DRAWDOWN: losing(drawdown_bps_max=0),
    Reason.INSUFFICIENT_BALANCE: order(quantity=10**8),
    Reason.INSUFFICIENT_MARGIN: order(quantity=10**8, instrument=LINEAR_ID),
    Reason.NO_ROUTE: no_route,
    Reason.ORDER_CLOSED: amend(9_980, over=True),
    Reason.REQUEST_PENDING: amend(9_980, asked=True),
    Reason.AMEND_NOT_SUPPORTED: amend(9_980, supported=False),
    Reason.AMEND_NO_CHANGE: amend(),
    Reason.AMEND_BELOW_FILLED: amend(quantity=ONE),
}

# Who says it, and the test that makes them say it.
TOLD: dict[Reason, str] = {
    Reason.VENUE_REJECTED: "sim/test_exchange.py::test_every_refusal",
    Reason.VENUE_FILTER: "sim/test_exchange.py::test_every_refusal",
    Reason.VENUE_BALANCE: "sim/test_exchange.py::test_every_refusal",
    Reason.VENUE_POST_ONLY: "sim/test_exchange.py::test_every_refusal",
    Reason.VENUE_FILL_OR_KILL: "sim/test_exchange.py::test_every_refusal",
    Reason.VENUE_REDUCE_ONLY: "sim/test_exchange.py::test_every_refusal",
    Reason.VENUE_DUPLICATE_ID: "sim/test_exchange.py::test_duplicate_ids_by_policy",
    Reason.VENUE_RATE_LIMIT: "sim/test_exchange.py::test_the_rate_limit_counts",
    Reason.VENUE_UNKNOWN_ORDER: "sim/test_exchange.py::test_cancelling",
    Reason.VENUE_NO_LIQUIDITY: "sim/test_exchange.py::test_a_market_order_without_a_market",
    Reason.NOT_SENT: "core/test_order_reports.py::test_the_three_proofs",
    Reason.ABSENCE_PROVEN: "core/test_order_reports.py::test_the_three_proofs",
    Reason.USER: "core/test_order_lifecycle.py::test_an_end_gives_everything_back",
    Reason.CANCEL_ALL: "core/test_amend_cancel.py::test_it_has_a_reason_of_its_own",
    Reason.KILL_SWITCH: "core/test_control.py::test_it_cancels_and_halts",
    Reason.STRATEGY_STOPPED: "core/test_order_lifecycle.py::test_a_cancel_is_a_request",
    Reason.LIST_SIBLING: "core/test_contingent.py::test_a_filled_leg_ends_the_other",
    Reason.LIST_PARENT: "core/test_bracket.py::test_an_entry_without_a_fill",
    Reason.IMMEDIATE_OR_CANCEL: "core/test_order_lifecycle.py::test_the_venue_may_cancel",
    Reason.LIQUIDATION: "sim/test_venue_perpetuals.py::test_the_positions_orders",
    Reason.VENUE_CANCELLED: "core/test_order_lifecycle.py::test_an_end_gives_everything_back",
    Reason.OPERATOR: "core/test_control.py::test_halted_and_reducing_by_scope",
    Reason.RECONCILIATION_DRIFT: "sim/test_drift_guard.py::test_what_drifts_halts",
    Reason.EXTERNAL_DEPOSIT: "core/test_outside_reports.py::test_each_cause_has_its_column",
    Reason.EXTERNAL_WITHDRAWAL: "core/test_outside_reports.py::test_each_cause_has_its_column",
    Reason.MANUAL_TRADE: "core/test_outside_reports.py::test_each_cause_has_its_column",
    Reason.UNEXPLAINED: "core/test_outside_reports.py::test_each_cause_has_its_column",
    Reason.FOREIGN_ORDER: "core/test_outside_reports.py::test_each_subject_is_told_once",
    Reason.ORPHANED_ORDER: "core/test_outside_reports.py::test_each_subject_is_told_once",
    Reason.LOST_ORDER: "core/test_outside_reports.py::test_each_subject_is_told_once",
}

# In the vocabulary for rooms that are not built yet; nothing says them so far.
RESERVED = {
    Reason.NONE,
    Reason.OUTCOME_UNKNOWN,
    Reason.TIME_EXPIRED,
    Reason.INVARIANT_BROKEN,
    Reason.STORE_FAILED,
}


@pytest.mark.parametrize("reason", WAYS, ids=lambda reason: reason.name.lower())
def test_how_it_comes_about(reason: Reason) -> None:
    """The shortest way gives exactly this refusal."""
    assert reason == WAYS[reason]().why()


@pytest.mark.parametrize("reason", TOLD, ids=lambda reason: reason.name.lower())
def test_who_says_it(reason: Reason) -> None:
    """The named test exists."""
    path, _, name = TOLD[reason].partition("::")
    text = (TESTS / path).read_text()
    assert f"def {name}" in text
    assert name or f"Reason.{reason.name}" in text


def test_every_member_has_a_row() -> None:
    """Exactly one; and all refusals of the core are produced, not only named."""
    assert set(Reason) == set(WAYS) | set(TOLD) | RESERVED
    assert not set(WAYS) & (set(TOLD) | RESERVED)
    assert {reason for reason in Reason if 0 < reason < 400} == set(WAYS)


def test_transient_reasons_are_refusals() -> None:
    """What may pass later was refused now, by the core or by a venue."""
    assert TRANSIENT <= set(WAYS) | set(TOLD)
