"""What happened at a venue without us: booked once by an explicit entry, or told a person once."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import pytest
from core_world import BTC, DEPOSIT_BTC, INVERSE_ID, MILLION, ONE, CoreWorld, loose, spec
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.evolve import TOLD_ONCE
from zvt_trading.core.ledger import ProofRow
from zvt_trading.core.limits import AMOUNT_MAX, QUARANTINED_KEPT, SUBJECT_LENGTH_MAX
from zvt_trading.core.outside_reports import foreign_subject, is_told_foreign
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.messages.codec import decode_event, encode_event
from zvt_trading.messages.codes import ACTIVE, BUY, REDUCING
from zvt_trading.messages.commands import ListInstrument, OpenPortfolio
from zvt_trading.messages.events import CashAdjusted, EquitySampled, ReportQuarantined
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import CashMoved, ForeignActivity

USD: Final = 10**8
IN: Final = int(Reason.EXTERNAL_DEPOSIT)
OUT: Final = int(Reason.EXTERNAL_WITHDRAWAL)
TRADE: Final = int(Reason.MANUAL_TRADE)
UNKNOWN: Final = int(Reason.UNEXPLAINED)
FOREIGN: Final = int(Reason.FOREIGN_ORDER)
ORPHAN: Final = int(Reason.ORPHANED_ORDER)
LOST: Final = int(Reason.LOST_ORDER)
MOVED: Final = CashMoved("main", "x", "USD", 5 * USD, IN, "d-1", "from a bank", 77)


def moved(**changes: Any) -> CashMoved:
    """A deposit of five dollars, or what the changes make of it."""
    return msgspec.structs.replace(MOVED, **changes)


def proof(world: CoreWorld, asset: str = "USD") -> ProofRow:
    """Where main's balance of an asset comes from."""
    (row,) = [one for one in world.state.ledger.proof("main") if one.asset == asset]
    return row


class TestCashMoved:
    @pytest.mark.parametrize(
        ("cause", "amount", "deposits", "adjustment"),
        [
            (IN, 5 * USD, 5 * USD, 0),
            (OUT, -5 * USD, -5 * USD, 0),
            (TRADE, -5 * USD, 0, -5 * USD),
            (UNKNOWN, 5 * USD, 0, 5 * USD),
        ],
    )
    def test_each_cause_has_its_column(
        self, cause: int, amount: int, deposits: int, adjustment: int
    ) -> None:
        """The proof of the books shows why money came or went, and stays exact."""
        world = CoreWorld()
        world.report(moved(cause=cause, amount=amount))
        row = proof(world)
        assert (MILLION + deposits, adjustment) == (row.deposits, row.adjustment)
        assert (MILLION + amount, 0) == (row.balance, row.difference)
        assert MILLION + amount == world.balance().total

    def test_the_event_says_everything(self) -> None:
        """And survives being stored."""
        world = CoreWorld()
        world.report(MOVED)
        event = world.only(CashAdjusted)
        expected = CashAdjusted(
            event.seq, world.now, "main", "x", "USD", 5 * USD, IN, "d-1", "from a bank", 77
        )
        assert expected == event
        assert event == decode_event(encode_event(event))

    def test_it_is_booked_once(self) -> None:
        """By its reference, in its asset, at its venue."""
        world = CoreWorld()
        world.report(MOVED)
        assert [] == world.report(MOVED)
        assert [] == world.report(moved(amount=6 * USD, cause=UNKNOWN))
        assert MILLION + 5 * USD == world.balance().total

    def test_both_sides_of_a_trade_may_have_its_id(self) -> None:
        """A reference is one in each asset."""
        world = CoreWorld()
        world.report(moved(cause=TRADE, amount=-100 * USD, reference="t-9"))
        world.report(moved(cause=TRADE, amount=BTC, asset="BTC", reference="t-9"))
        assert (MILLION - 100 * USD, DEPOSIT_BTC + BTC) == (
            world.balance().total,
            world.balance("BTC").total,
        )

    def test_a_balance_below_zero_is_a_fact(self) -> None:
        """The venue let it go, whatever we had reserved."""
        world = CoreWorld(usd=USD)
        world.report(moved(cause=OUT, amount=-3 * USD))
        assert (-2 * USD, -2 * USD) == (world.balance().total, world.balance().available())

    def test_a_venue_without_money_until_now(self) -> None:
        """The balance is opened."""
        world = CoreWorld()
        world.do(ListInstrument(spec(venue="y")))
        world.report(moved(venue="y"))
        assert 5 * USD == world.balance(venue="y").total


class TestMarks:
    """Money that moved without us is neither profit nor loss."""

    @pytest.mark.parametrize(
        ("cause", "amount"),
        [(IN, 5 * USD), (OUT, -5 * USD), (TRADE, -5 * USD), (UNKNOWN, -5 * USD)],
    )
    def test_they_shift_by_what_it_is_worth(self, cause: int, amount: int) -> None:
        world = CoreWorld()
        world.time(1)
        portfolio = world.portfolio
        peak, day_start = portfolio.peak_equity, portfolio.day_start_equity
        world.report(moved(cause=cause, amount=amount))
        assert ["CashAdjusted", "EquitySampled"] == world.names()
        assert (peak + amount, day_start + amount) == (
            portfolio.peak_equity,
            portfolio.day_start_equity,
        )
        assert portfolio.equity == world.only(EquitySampled).equity

    def test_the_moment_between_two_sides_of_a_trade_is_no_loss(self) -> None:
        """One coin sold by hand for less than it is worth: no limit is met, before or after."""
        world = CoreWorld(limits=loose(daily_loss_max=USD, drawdown_bps_max=1))
        world.time(1)
        world.report(moved(cause=TRADE, asset="BTC", amount=-100 * BTC, reference="t-1"))
        world.time(1)
        world.report(moved(cause=TRADE, amount=9_000 * USD, reference="t-1"))
        world.time(1)
        assert ACTIVE == world.portfolio.trading_state
        assert (0, 0) == (
            world.portfolio.peak_equity - world.portfolio.equity,
            world.portfolio.day_start_equity - world.portfolio.equity,
        )

    def test_a_loss_of_our_own_still_counts_after_it(self) -> None:
        """The marks were moved, not forgotten."""
        world = CoreWorld(limits=loose(daily_loss_max=50 * USD), btc=0)
        world.time(1)
        world.report(moved(cause=OUT, amount=-500 * USD))
        world.trade_now(BUY, 100 * ONE, 10_000)
        world.at(9_900)
        world.time(1)
        assert REDUCING == world.portfolio.trading_state

    def test_an_asset_without_a_price_waits_for_it(self) -> None:
        """Its value is no gain when it comes."""
        world = CoreWorld()
        world.do(ListInstrument(spec("NEW/USD", base="NEW")))
        world.report(moved(asset="NEW", amount=BTC))
        assert ["CashAdjusted"] == world.names()
        peak = world.portfolio.peak_equity
        world.at(10_000, "x:NEW/USD")
        world.time(1)
        assert peak + 100 * USD == world.portfolio.peak_equity == world.portfolio.equity


class TestQuarantine:
    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"portfolio": "none"}, "no such portfolio or venue"),
            ({"venue": "none"}, "no such portfolio or venue"),
            ({"asset": "NEW"}, "no instrument names the asset NEW"),
            ({"reference": ""}, "a reference of 0 characters; 1 to 128"),
            ({"reference": "r" * 129}, "a reference of 129 characters; 1 to 128"),
            ({"cause": 0}, "a cause 0; 700 to 703"),
            ({"cause": 704}, "a cause 704; 700 to 703"),
            ({"amount": 0}, "a movement of nothing"),
            ({"amount": -1}, "a deposit of -1 units of USD; it must be > 0"),
            ({"amount": 1, "cause": OUT}, "a withdrawal of 1 units of USD; it must be < 0"),
            ({"amount": AMOUNT_MAX * USD + 1}, "units of USD are more than there can be"),
            ({"amount": -AMOUNT_MAX * USD - 1, "cause": TRADE}, "are more than there can be"),
        ],
    )
    def test_movements_that_cannot_be(self, changes: dict[str, Any], text: str) -> None:
        """Told once, however often the venue repeats it; nothing is booked."""
        world = CoreWorld()
        report = moved(**changes)
        world.report(report)
        quarantined = world.only(ReportQuarantined)
        assert "CashMoved" == quarantined.report
        assert text in quarantined.text
        assert [] == world.report(report)
        assert MILLION == world.balance().total

    def test_what_becomes_possible_is_booked(self) -> None:
        """An asset that an instrument names by now, a portfolio that was opened."""
        world = CoreWorld()
        report = moved(portfolio="late", asset="NEW", amount=BTC)
        world.report(report)
        world.do(OpenPortfolio("late", "USD", 8))
        world.do(ListInstrument(spec("NEW/USD", base="NEW")))
        world.report(report)
        assert "CashAdjusted" in world.names()

    def test_the_largest_movement_is_booked(self) -> None:
        world = CoreWorld()
        world.report(moved(amount=AMOUNT_MAX * USD))
        assert "CashAdjusted" in world.names()


class TestForeignActivity:
    @pytest.mark.parametrize(
        ("kind", "name"),
        [(FOREIGN, "foreign_order"), (ORPHAN, "orphaned_order"), (LOST, "lost_order")],
    )
    def test_each_subject_is_told_once(self, kind: int, name: str) -> None:
        """With what it is; its kind makes it another subject."""
        world = CoreWorld()
        report = ForeignActivity("x", "8812", kind, "by hand", 1)
        world.report(report)
        event = world.only(ReportQuarantined)
        assert ("ForeignActivity", f"x {name} 8812", "by hand") == (
            event.report,
            event.subject,
            event.text,
        )
        assert [] == world.report(report)
        for other in (
            {"subject": "8813"},
            {"venue": "y"},
            {"kind": FOREIGN + (kind - FOREIGN + 1) % 3},
        ):
            world.report(msgspec.structs.replace(report, **other))
            assert ["ReportQuarantined"] == world.names()

    @pytest.mark.parametrize("kind", [709, 713])
    def test_kinds_that_there_are_not(self, kind: int) -> None:
        """Still told, once."""
        world = CoreWorld()
        report = ForeignActivity("x", "8812", kind, "", 1)
        world.report(report)
        assert f"a kind of activity {kind}; 710 to 712" == world.only(ReportQuarantined).text
        assert [] == world.report(report)

    def test_a_subject_of_any_length(self) -> None:
        """What is kept in memory is bounded, by the letter too."""
        world = CoreWorld()
        report = ForeignActivity("x", "s" * 10_000, FOREIGN, "", 1)
        world.report(report)
        assert SUBJECT_LENGTH_MAX == len(world.only(ReportQuarantined).subject)
        assert [] == world.report(report)

    def test_a_restart_does_not_repeat_it(self) -> None:
        """It is part of what the journal says."""
        world = CoreWorld()
        report = ForeignActivity("x", "8812", FOREIGN, "", 1)
        world.report(report)
        core = TradingCore()
        for event in world.journal:
            core.replay(event)
        core.report(world.now, report)
        assert [] == core.take()

    def test_somebody_elses_orders_are_known_as_such(self) -> None:
        """Those with our prefix, and those that were lost, are not."""
        world = CoreWorld()
        for kind in (FOREIGN, ORPHAN, LOST):
            world.report(ForeignActivity("x", f"id-{kind}", kind, "", 1))
        known = [
            is_told_foreign(world.state, "x", f"id-{kind}") for kind in (FOREIGN, ORPHAN, LOST)
        ]
        assert [True, False, False] == known
        assert not is_told_foreign(world.state, "y", f"id-{FOREIGN}")
        assert "x foreign_order id" == foreign_subject("x", FOREIGN, "id")

    def test_the_memory_is_bounded(self) -> None:
        """The oldest is forgotten first; other quarantines are not remembered."""
        world = CoreWorld()
        for number in range(QUARANTINED_KEPT):
            world.state.quarantined[str(number)] = 0
        world.state.remember_quarantined("new", 1)
        assert QUARANTINED_KEPT == len(world.state.quarantined)
        assert ("0" in world.state.quarantined, "new" in world.state.quarantined) == (False, True)
        assert ("CashMoved", "ForeignActivity") == TOLD_ONCE


@dataclass(frozen=True)
class Movement:
    """One thing that happened at the venue; `number` makes its reference."""

    number: int
    asset: str
    amount: int
    is_external: bool

    def report(self) -> CashMoved:
        """As the venue tells it."""
        cause = (IN if self.amount > 0 else OUT) if self.is_external else TRADE
        return moved(
            asset=self.asset, amount=self.amount, cause=cause, reference=f"m-{self.number}"
        )


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Movement], list[int]]:
    """Movements, and which of them is told when: all of them, some again, in any order."""
    amounts = st.integers(-(10**20), 10**20).filter(bool)
    rows = draw(
        st.lists(st.tuples(st.sampled_from(("USD", "BTC")), amounts, st.booleans()), max_size=6)
    )
    movements = [Movement(number, *row) for number, row in enumerate(rows)]
    numbers = list(range(len(movements)))
    repeats = draw(st.lists(st.sampled_from(numbers), max_size=6)) if numbers else []
    return movements, draw(st.permutations(numbers + repeats))


@given(stories())
def test_any_story_leaves_the_ledger_exact(story: tuple[list[Movement], list[int]]) -> None:
    """Every movement is in the books once, in its column, whatever was repeated or overtaken.

    `CoreWorld` checks after each report that all invariants hold, and that a replay and a snapshot
    know the same.
    """
    movements, told = story
    world = CoreWorld()
    world.trade_now(BUY, ONE, 10_000, instrument=INVERSE_ID)
    for number in told:
        world.report(movements[number].report())
    for asset, before in (("USD", MILLION), ("BTC", DEPOSIT_BTC)):
        mine = [one for one in movements if one.asset == asset]
        row = proof(world, asset)
        external = sum(one.amount for one in mine if one.is_external)
        other = sum(one.amount for one in mine if not one.is_external)
        assert (before + external, other) == (row.deposits, row.adjustment)
        assert (before + external + other, 0) == (row.balance, row.difference)
