"""Once it trades, the books are compared again and again; what drifts halts, and is told."""

from collections.abc import Callable
from typing import Final

import pytest
from simulation_rig import DEAD, SLOW, WATCHED, Rig
from venue_world import ME, PERP_ID, SPOT_ID

from journals import ListJournal
from zvt_trading.core.limits import DRIFT_READINGS
from zvt_trading.core.reconcile import CashRow, OpenRow, Statement
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import (
    ACTIVE,
    BUY,
    HALTED,
    LIMIT,
    MARKET,
    REDUCING,
    SCOPE_SYMBOL,
    SCOPE_VENUE,
)
from zvt_trading.messages.commands import CancelOrder, SetTradingState
from zvt_trading.messages.events import (
    DriftCleared,
    OrderRefused,
    ReportQuarantined,
    TradingStateChanged,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import CashMoved, ForeignActivity, OutcomeUnknown
from zvt_trading.sim.drift_guard import SPACING, DriftGuard
from zvt_trading.sim.link import LinkProfile
from zvt_trading.sim.parcels import POLL_EVERY
from zvt_trading.sim.restart import Restart
from zvt_trading.sim.venue_api import History

SPOT: Final = "BTC/USDT"
PERP: Final = PERP_ID.partition(":")[2]
LONG: Final = 5 * POLL_EVERY


def wait(rig: Rig, duration: int) -> None:
    """Time passes, and the market is still there."""
    rig.simulation.advance(rig.simulation.now + duration)
    rig.quote(10_000, 10_010)
    rig.quote(10_000, 10_010, PERP_ID)


def quarantined(rig: Rig) -> list[str]:
    """The subjects of what was said about the venue's statements."""
    return [
        event.subject
        for event in rig.events
        if isinstance(event, ReportQuarantined) and event.report == "Statement"
    ]


def changes(rig: Rig) -> list[tuple[int, str, int, int]]:
    """What was halted, and why."""
    return [
        (event.scope, event.key, event.state, event.reason)
        for event in rig.events
        if isinstance(event, TradingStateChanged)
    ]


def read_often(rig: Rig, venue: str, statement: Statement) -> None:
    """A guard of its own is given one statement again and again."""
    guard = DriftGuard(rig.core)
    for turn in range(2 * DRIFT_READINGS):
        guard.read(venue, statement, turn * SPACING)
    rig.simulation.flush()


def money(rig: Rig) -> str:
    """One unit more than we know of."""
    rig.exchange.credit(ME, "USDT", 1)
    return "binance cash main USDT"


def account(rig: Rig) -> str:
    """Of nobody's."""
    rig.exchange.credit("stranger", "USDT", 1)
    return "binance account stranger stranger"


def an_order(rig: Rig) -> str:
    """Placed by somebody else."""
    rig.exchange.submit(rig.simulation.now, "alien", ME, SPOT_ID, BUY, LIMIT, 9_000, 100)
    return "binance order alien"


def position(rig: Rig) -> str:
    """Taken by somebody else, at no cost that we could see."""
    rig.exchange.desk.listings[PERP_ID].seat(rig.exchange.account(ME)).quantity = 100
    return f"binance position main {PERP_ID}"


def forgotten(rig: Rig) -> str:
    """An order of ours that the venue no longer has."""
    order_id = next(iter(rig.exchange.desk.open))
    del rig.exchange.desk.open[order_id]
    return f"binance order {order_id}"


def still_there(rig: Rig) -> str:
    """An order that is over for us, and works on there."""
    order_id = next(iter(rig.exchange.desk.open))
    kept = rig.exchange.desk.open[order_id]
    rig.simulation.command(CancelOrder(order_id))
    wait(rig, SECOND)
    rig.exchange.desk.open[order_id] = kept
    return f"binance order {order_id}"


DRIFTS: Final[tuple[tuple[Callable[[Rig], str], int, str], ...]] = (
    (money, SCOPE_VENUE, "binance"),
    (account, SCOPE_VENUE, "binance"),
    (an_order, SCOPE_SYMBOL, SPOT),
    (position, SCOPE_SYMBOL, PERP),
    (forgotten, SCOPE_SYMBOL, SPOT),
    (still_there, SCOPE_SYMBOL, SPOT),
)


class TestDrift:
    @pytest.mark.parametrize(
        ("differ", "scope", "key"), DRIFTS, ids=[row[0].__name__ for row in DRIFTS]
    )
    def test_what_drifts_halts(self, differ: Callable[[Rig], str], scope: int, key: str) -> None:
        """Told once; an order or a position halts its symbol, all else the venue."""
        rig = Rig()
        rig.resting()
        subject = differ(rig)
        wait(rig, (DRIFT_READINGS - 1) * POLL_EVERY)
        assert [] == changes(rig)
        wait(rig, LONG)
        reason = int(Reason.RECONCILIATION_DRIFT)
        assert [(scope, key, HALTED, reason)] == changes(rig)
        assert 1 == quarantined(rig).count(subject)
        assert "; a person must re-arm" in rig.last(TradingStateChanged).text

    def test_no_new_risk_is_taken_in_it(self) -> None:
        """In what drifts; all else trades on."""
        rig = Rig()
        position(rig)
        wait(rig, LONG)
        rig.buy(9_000, instrument=PERP_ID)
        assert Reason.TRADING_HALTED == rig.last(OrderRefused).reason
        refused = rig.names().count("OrderRefused")
        rig.buy(9_000)
        assert refused == rig.names().count("OrderRefused")

    @pytest.mark.parametrize("instrument", ["", "binance:NEW/USDT"])
    def test_what_names_nothing_of_ours_halts_the_venue(self, instrument: str) -> None:
        """An order in what we do not list, or nobody says in what."""
        rig = Rig()
        statement = rig.exchange.history(0).statement
        statement.orders.append(OpenRow("alien", 1, 1, 0, instrument))
        read_often(rig, "binance", statement)
        assert [(SCOPE_VENUE, "binance")] == [row[:2] for row in changes(rig)]
        assert ["binance order alien"] == quarantined(rig)

    def test_a_venue_without_instruments_is_only_told_of(self) -> None:
        """There is nothing to halt."""
        rig = Rig()
        statement = Statement()
        statement.cash.append(CashRow(ME, "USDT", 1))
        read_often(rig, "okx", statement)
        assert (["okx cash main USDT"], []) == (quarantined(rig), changes(rig))


class TestHalted:
    def test_it_is_told_when_it_is_gone_and_stays_halted(self) -> None:
        """A person re-arms; then it trades on, and drifts again only when it does."""
        rig = Rig()
        money(rig)
        wait(rig, LONG)
        rig.exchange.debit(ME, "USDT", 1)
        wait(rig, LONG)
        cleared = rig.last(DriftCleared)
        assert ("binance", "binance cash main USDT") == (cleared.venue, cleared.subject)
        assert 1 == rig.names().count("DriftCleared")
        venue = rig.core.state.venues["binance"]
        assert HALTED == venue.trading_state
        rig.simulation.command(SetTradingState(SCOPE_VENUE, "binance", ACTIVE))
        wait(rig, LONG)
        assert ACTIVE == venue.trading_state
        money(rig)
        wait(rig, LONG)
        assert HALTED == venue.trading_state

    def test_an_explicit_entry_clears_it(self) -> None:
        """Where the money came from was found out."""
        rig = Rig()
        money(rig)
        wait(rig, LONG)
        reason = int(Reason.EXTERNAL_DEPOSIT)
        report = CashMoved(ME, "binance", "USDT", 1, reason, "d-1", "found", 0)
        rig.core.report(rig.simulation.now, report)
        wait(rig, LONG)
        assert 1 == rig.names().count("DriftCleared")

    def test_to_re_arm_while_it_lasts_is_a_decision(self) -> None:
        """The same amount does not halt again; another one does."""
        rig = Rig()
        money(rig)
        wait(rig, LONG)
        rig.simulation.command(SetTradingState(SCOPE_VENUE, "binance", REDUCING))
        wait(rig, 2 * LONG)
        venue = rig.core.state.venues["binance"]
        assert (REDUCING, 1) == (venue.trading_state, len(quarantined(rig)))
        money(rig)
        wait(rig, LONG)
        assert (HALTED, 2) == (venue.trading_state, len(quarantined(rig)))

    def test_what_is_halted_is_not_halted_again(self) -> None:
        """It is told all the same."""
        rig = Rig()
        rig.simulation.command(SetTradingState(SCOPE_VENUE, "binance", HALTED))
        rig.simulation.command(SetTradingState(SCOPE_SYMBOL, PERP, HALTED))
        rig.events.clear()
        money(rig)
        position(rig)
        wait(rig, LONG)
        assert ([], 2) == (changes(rig), len(quarantined(rig)))


class TestUnderWay:
    """What is on its way is no drift."""

    @pytest.mark.parametrize("link", [SLOW, WATCHED])
    def test_a_busy_engine_does_not_drift(self, link: LinkProfile) -> None:
        """Fills and cancels around every reading."""
        rig = Rig(WATCHED, link)
        for turn in range(60):
            order_id = rig.buy(10_010 if turn % 2 else 9_900, quantity=100)
            wait(rig, SECOND - turn * 1_000_000)
            rig.simulation.command(CancelOrder(order_id))
            wait(rig, SECOND)
        assert ([], []) == (quarantined(rig), changes(rig))

    def test_an_order_that_waits_for_an_answer(self) -> None:
        """It is not at the venue, or is there already; the inquiry about it will tell."""
        rig = Rig()
        rig.outward(DEAD)
        order_id = rig.buy(9_900)
        rig.core.report(rig.simulation.now, OutcomeUnknown(order_id, "", 0))
        read_often(rig, "binance", rig.exchange.history(0).statement)
        assert [] == quarantined(rig)

    def test_a_cancel_that_waits_for_an_answer(self) -> None:
        """The venue may have done it."""
        rig = Rig()
        order_id = rig.resting()
        rig.outward(DEAD)
        rig.simulation.command(CancelOrder(order_id))
        rig.exchange.cancel(rig.simulation.now, order_id)
        read_often(rig, "binance", rig.exchange.history(0).statement)
        assert [] == quarantined(rig)

    def test_readings_too_close_are_one(self) -> None:
        """What is on its way is so in all of them."""
        rig = Rig()
        money(rig)
        guard = DriftGuard(rig.core)
        for turn in range(20):
            guard.read("binance", rig.exchange.history(0).statement, turn * SPACING // 10)
        rig.simulation.flush()
        assert [] == quarantined(rig)

    def test_a_reading_that_was_overtaken_is_not_compared(self) -> None:
        """It tells how things stood before what we know already."""
        rig = Rig()
        restart = Restart(rig.core, rig.simulation.ports)
        now = rig.simulation.now
        old = rig.exchange.history(0)
        rig.exchange.credit(ME, "USDT", 1)
        reason = int(Reason.EXTERNAL_DEPOSIT)
        rig.core.report(now, CashMoved(ME, "binance", "USDT", 1, reason, "d-1", "", 0))
        restart.read("binance", rig.exchange.history(0), now)
        for turn in range(1, 2 * DRIFT_READINGS):
            restart.read("binance", old, now + turn * SECOND)
        rig.simulation.flush()
        assert [] == quarantined(rig)
        later = History(restart.cursor("binance"), old.statement)
        for turn in range(1, 2 * DRIFT_READINGS):
            restart.read("binance", later, now + turn * SECOND)
        rig.simulation.flush()
        assert ["binance cash main USDT"] == quarantined(rig)

    def test_a_foreign_order_that_was_told_is_none(self) -> None:
        """Somebody trades on the same account; we were told, and trade on."""
        rig = Rig()
        an_order(rig)
        report = ForeignActivity("binance", "alien", int(Reason.FOREIGN_ORDER), "", 0)
        rig.core.report(rig.simulation.now, report)
        wait(rig, LONG)
        assert ([], []) == (quarantined(rig), changes(rig))

    def test_nothing_is_compared_while_it_is_suspended(self) -> None:
        """Money that waits for the store differs all the while."""
        rig = Rig()
        journal = ListJournal()
        rig.simulation.journal = journal
        journal.is_broken = True
        rig.buy(9_000)
        money(rig)
        wait(rig, LONG)
        assert [] == quarantined(rig)
        journal.mend()
        rig.simulation.tick()
        wait(rig, LONG)
        assert ["binance cash main USDT"] == quarantined(rig)

    def test_recovery_begins_anew(self) -> None:
        """What was seen before it does not count after it."""
        rig = Rig()
        guard = rig.simulation.restart.guard
        money(rig)
        statement = rig.exchange.history(0).statement
        for turn in range(DRIFT_READINGS - 1):
            guard.read("binance", statement, turn * SPACING)
        rig.simulation.restart.unresolved(rig.simulation.now)
        guard.read("binance", statement, DRIFT_READINGS * SPACING)
        rig.simulation.flush()
        assert [] == quarantined(rig)


def test_a_trade_of_somebody_else_halts_its_symbol() -> None:
    """A position that no order of ours made, and the venue for the fee that was paid on it."""
    rig = Rig()
    rig.exchange.submit(rig.simulation.now, "alien", ME, PERP_ID, BUY, MARKET, 0, 100)
    wait(rig, LONG)
    halted = [(scope, key) for scope, key, _, _ in changes(rig)]
    assert [(SCOPE_VENUE, "binance"), (SCOPE_SYMBOL, PERP)] == halted
