"""While the journal cannot keep what happens: no new risk, cancels go, nothing is sent late."""

from typing import Any, Final

import pytest
from simulation_rig import LOOSE, PERFECT, WATCHED, Rig
from venue_world import ME, SPOT_ID, USDT

from journals import ListJournal
from zvt_trading.messages.codes import (
    ACCEPTED,
    CANCELLED,
    FILLED,
    HALTED,
    LIMIT,
    NO_REQUEST,
    PENDING,
    REJECTED,
    SCOPE_GLOBAL,
    SELL,
    STOP,
)
from zvt_trading.messages.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    Deposit,
    KillSwitch,
    OpenPortfolio,
    SetLimits,
    SetTradingState,
    SubmitOrder,
    SubmitOrderList,
    Withdraw,
)
from zvt_trading.messages.events import (
    AmendRefused,
    AmendRejected,
    CommandRefused,
    EngineResumed,
    EngineSuspended,
    OrderRefused,
    OrderRejected,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.sim.outage import REFUSALS_WAITING_MAX

NOT_SENT: Final = "the store could not take it down, so it was not sent"
PROBLEM: Final = "the disk is full: make room, the engine goes on by itself"


class StoredRig(Rig):
    """With a journal that a test breaks and mends."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)
        self.journal = ListJournal()
        self.simulation.journal = self.journal

    def break_down(self) -> None:
        """From the next group on nothing is kept."""
        self.journal.is_broken = True

    def mend(self) -> None:
        """The store is back, and the engine looks."""
        self.journal.mend()
        self.simulation.tick()
        self.wait(1)

    def at_venue(self) -> list[tuple[str, int, int]]:
        """Open orders there: id, price, quantity."""
        return [(order.id, order.price, order.quantity) for order in self.exchange.open_orders()]


def in_outage(**fields: Any) -> StoredRig:
    """One that has lost an order to it already."""
    rig = StoredRig(**fields)
    rig.break_down()
    rig.buy(9_900)
    rig.wait(1)
    return rig


class TestFirst:
    """What was decided, and could not be kept."""

    @pytest.mark.parametrize("link", [PERFECT, WATCHED])
    def test_an_order_is_not_sent_then_or_later(self, link: Any) -> None:
        rig = StoredRig(outward=link, inward=link)
        rig.break_down()
        order_id = rig.buy(9_900)
        assert REJECTED == rig.order(order_id).life
        rejected = rig.last(OrderRejected)
        assert (Reason.NOT_SENT, NOT_SENT) == (rejected.reason, rejected.text)
        suspended = rig.last(EngineSuspended)
        assert (Reason.STORE_UNAVAILABLE, PROBLEM) == (suspended.reason, suspended.text)
        rig.mend()
        assert [] == rig.at_venue()
        assert 0 == rig.core.state.portfolios[ME].open_orders

    def test_a_stop_that_triggers_is_not_sent(self) -> None:
        rig = StoredRig()
        order_id = rig.buy(side=SELL, type=STOP, quantity=100, trigger_price=9_500)
        rig.break_down()
        rig.quote(9_480, 9_490)
        assert REJECTED == rig.order(order_id).life
        rig.mend()
        assert [] == rig.exchange.fills_of(order_id)

    def test_a_stop_that_is_held_back_stays(self) -> None:
        """Nothing was to be sent yet: it triggers when the store is back."""
        rig = StoredRig()
        rig.break_down()
        order_id = rig.buy(side=SELL, type=STOP, quantity=100, trigger_price=9_500)
        assert PENDING == rig.order(order_id).life
        rig.mend()
        assert "ReportQuarantined" not in rig.names()
        rig.quote(9_480, 9_490)
        rig.wait(1)
        assert FILLED == rig.order(order_id).life

    def test_an_amend_is_not_sent_and_its_order_works_on(self) -> None:
        rig = StoredRig()
        order_id = rig.resting()
        rig.break_down()
        rig.simulation.command(AmendOrder(order_id, 9_800, 200))
        amend = rig.last(AmendRejected)
        assert (Reason.NOT_SENT, NOT_SENT) == (amend.reason, amend.text)
        assert (ACCEPTED, NO_REQUEST) == (rig.order(order_id).life, rig.order(order_id).pending)
        rig.mend()
        assert [(order_id, 9_900, 100)] == rig.at_venue()

    def test_a_cancel_goes_at_once(self) -> None:
        rig = StoredRig()
        order_id = rig.resting()
        rig.break_down()
        rig.simulation.command(CancelOrder(order_id))
        rig.wait(milliseconds=5)  # too early for it to be repeated
        assert [] == rig.at_venue()
        assert CANCELLED == rig.order(order_id).life

    def test_money_is_moved_when_it_is_durable(self) -> None:
        """The engine has taken it down: the venue hears of it once the store has."""
        rig = StoredRig()
        rig.break_down()
        before = rig.exchange.free(ME, "USDT")
        rig.simulation.command(Withdraw(ME, "binance", "USDT", USDT))
        assert before == rig.exchange.free(ME, "USDT")
        rig.mend()
        assert before - USDT == rig.exchange.free(ME, "USDT")

    def test_fills_are_booked(self) -> None:
        """What the venue reports has happened, whether it can be written or not."""
        rig = StoredRig()
        order_id = rig.resting()
        rig.break_down()
        rig.quote(9_880, 9_890)
        rig.wait(1)
        assert 100 == rig.order(order_id).filled
        kept = len(rig.journal.events)
        rig.mend()
        names = [type(event).__name__ for event in rig.journal.events[kept:]]
        assert "OrderFilled" in names


# A command of each kind, and what is said of it: None when it is let through.
STOPPING: Final[tuple[Command, ...]] = (
    CancelAll(),
    KillSwitch(),
    SetTradingState(SCOPE_GLOBAL, "", HALTED),
)
REFUSED: Final[tuple[tuple[Command, type], ...]] = (
    (SubmitOrder(ME, SPOT_ID, 1, LIMIT, 100, 9_900), OrderRefused),
    (
        SubmitOrderList(
            1,
            (
                SubmitOrder(ME, SPOT_ID, SELL, LIMIT, 100, 11_000),
                SubmitOrder(ME, SPOT_ID, SELL, STOP, 100, 0, 9_000),
            ),
        ),
        OrderRefused,
    ),
    (Deposit(ME, "binance", "USDT", USDT), CommandRefused),
    (Withdraw(ME, "binance", "USDT", USDT), CommandRefused),
    (SetLimits(LOOSE), CommandRefused),
    (OpenPortfolio("second", "USDT", 8), CommandRefused),
)


def name_of(value: object) -> str:
    """For the tests' names."""
    return value.__name__ if isinstance(value, type) else type(value).__name__


class TestMeanwhile:
    """Commands that come while it lasts."""

    @pytest.mark.parametrize("command", STOPPING, ids=name_of)
    def test_what_stops_risk_is_let_through(self, command: Command) -> None:
        rig = in_outage()
        rig.events.clear()
        rig.simulation.command(command)
        assert [] == [event for event in rig.events if isinstance(event, CommandRefused)]
        if not isinstance(command, CancelAll):
            assert HALTED == rig.core.state.trading_state

    def test_a_kill_switch_takes_back_what_rests(self) -> None:
        rig = StoredRig()
        order_id = rig.resting()
        rig.break_down()
        rig.buy(9_800)
        rig.simulation.command(KillSwitch())
        rig.wait(1)
        assert [] == rig.at_venue()
        assert CANCELLED == rig.order(order_id).life

    @pytest.mark.parametrize(("command", "kind"), REFUSED, ids=name_of)
    def test_everything_else_is_refused_with_the_reason(self, command: Command, kind: type) -> None:
        rig = in_outage()
        rig.simulation.command(command)
        assert Reason.STORE_UNAVAILABLE == rig.last(kind).reason

    def test_an_amend_is_refused(self) -> None:
        rig = StoredRig()
        order_id = rig.resting()
        rig.break_down()
        rig.buy(9_800)
        rig.simulation.command(AmendOrder(order_id, 9_800, 200))
        assert Reason.STORE_UNAVAILABLE == rig.last(AmendRefused).reason

    def test_a_refusal_says_what_to_do(self) -> None:
        rig = in_outage()
        rig.simulation.command(SetLimits(LOOSE))
        assert PROBLEM == rig.last(CommandRefused).text

    @pytest.mark.parametrize("command", [row[0] for row in REFUSED], ids=name_of)
    def test_what_waits_to_be_written_does_not_grow_for_ever(self, command: Command) -> None:
        """Then nothing is said any more; what stops risk is let through all the same."""
        rig = in_outage()
        rig.journal.backlog.extend(rig.journal.backlog[:1] * (REFUSALS_WAITING_MAX + 1))
        waiting = rig.journal.waiting()
        assert "" == rig.simulation.command(command)
        assert waiting == rig.journal.waiting()
        rig.simulation.command(KillSwitch())
        assert HALTED == rig.core.state.trading_state


class TestAfterwards:
    """The store is back."""

    def test_the_engine_trades_on_by_itself(self) -> None:
        rig = in_outage()
        rig.mend()
        assert "the store has everything again" == rig.last(EngineResumed).text
        order_id = rig.buy(9_700)
        rig.wait(1)
        assert [(order_id, 9_700, 100)] == rig.at_venue()

    def test_a_command_finds_it_back_too(self) -> None:
        """Nobody has to wait for the clock."""
        rig = in_outage()
        rig.journal.mend()
        order_id = rig.buy(9_700)
        assert 0 == rig.core.state.suspended
        rig.wait(1)
        assert [order_id] == [row[0] for row in rig.at_venue()]

    def test_it_has_everything_in_order(self) -> None:
        """What happened meanwhile, and no number is missing."""
        rig = StoredRig()
        first = rig.core.state.seq
        rig.resting()
        rig.break_down()
        rig.buy(9_800)
        rig.quote(9_880, 9_890)
        rig.wait(1)
        rig.mend()
        last = rig.core.state.seq
        assert list(range(first + 1, last + 1)) == [event.seq for event in rig.journal.events]

    def test_a_second_outage_is_like_the_first(self) -> None:
        rig = in_outage()
        rig.mend()
        rig.break_down()
        order_id = rig.buy(9_600)
        assert REJECTED == rig.order(order_id).life
        rig.mend()
        assert 2 == sum(isinstance(event, EngineResumed) for event in rig.events)
        assert [] == rig.at_venue()

    def test_a_halt_of_the_outage_s_time_stays(self) -> None:
        """An operator's word is not the store's."""
        rig = in_outage()
        rig.simulation.command(KillSwitch())
        rig.mend()
        assert HALTED == rig.core.state.trading_state
        rig.wait(2)
        rig.buy(9_600)
        assert Reason.TRADING_HALTED == rig.last(OrderRefused).reason
