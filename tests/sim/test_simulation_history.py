"""The engine beside its venues: history fetched, stops, money and leverage, settlement."""

from typing import Any

import msgspec
import pytest
from simulation_rig import DEAD, PERFECT, START, WATCHED, Rig
from venue_world import BTC, ME, PERP_ID, PERP_SPEC, USDT

from zvt_trading.core.rng import Rng
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import (
    ACCEPTED,
    CANCELLED,
    EXPIRED,
    FILLED,
    GTD,
    ISOLATED,
    REJECTED,
    SELL,
    STOP,
    STOP_LIMIT,
)
from zvt_trading.messages.commands import (
    CancelOrder,
    Deposit,
    ListInstrument,
    SetLeverage,
    Transfer,
    Withdraw,
)
from zvt_trading.messages.events import (
    CommandRefused,
    FundingSettled,
    PositionLiquidated,
)
from zvt_trading.messages.market import FundingRate, MarkPrice
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import VenueRejected
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.parcels import (
    POLL_EVERY,
)


def rejection(order_id: str) -> Any:
    """A refusal that is not true."""
    return VenueRejected(order_id, int(Reason.VENUE_REJECTED), "no", START)


class TestPolls:
    """What the stream lost and nobody asked for is found in the venue's history."""

    def lose(self, rig: Rig) -> Any:
        """Everything that comes in until `find`."""
        rig.inward(DEAD)
        return rig

    def find(self, rig: Rig) -> None:
        """The stream works again, and the next poll comes."""
        rig.wait(milliseconds=10)
        rig.inward(WATCHED)
        rig.wait(seconds=POLL_EVERY // SECOND)

    def test_a_lost_fill(self) -> None:
        rig = Rig()
        order_id = rig.resting()
        self.lose(rig).quote(9_880, 9_890)
        self.find(rig)
        assert FILLED == rig.order(order_id).life

    def test_a_lost_expiry(self) -> None:
        rig = Rig()
        order_id = rig.buy(9_900, tif=GTD, expire_ts=START + SECOND)
        rig.wait(milliseconds=900)
        self.lose(rig).wait(milliseconds=100)
        rig.simulation.tick()
        self.find(rig)
        assert EXPIRED == rig.order(order_id).life

    def test_a_lost_cancel_by_the_venue(self) -> None:
        """A reduce-only order that has become larger than the position."""
        rig = Rig()
        rig.buy(instrument=PERP_ID)
        rig.wait(milliseconds=10)
        order_id = rig.buy(10_200, side=SELL, instrument=PERP_ID, reduce_only=True)
        rig.wait(milliseconds=10)
        assert ACCEPTED == rig.order(order_id).life
        self.lose(rig).buy(side=SELL, quantity=50, instrument=PERP_ID)
        self.find(rig)
        assert CANCELLED == rig.order(order_id).life

    def test_lost_funding_has_its_rate_and_is_booked_once(self) -> None:
        rig = Rig()
        rig.buy(instrument=PERP_ID)
        rig.wait(milliseconds=10)
        self.lose(rig).simulation.feed(FundingRate(PERP_ID, 10_000, 10_000, rig.simulation.now))
        self.find(rig)
        rig.wait(seconds=60)
        assert 1 == rig.names().count("FundingSettled")
        settled = rig.last(FundingSettled)
        assert 10_000 == settled.rate
        assert settled.amount == rig.exchange.record.rows[-1].amount

    def test_a_lost_liquidation(self) -> None:
        rig = Rig()
        rig.simulation.command(SetLeverage(ME, PERP_ID, 50, ISOLATED))
        rig.buy(instrument=PERP_ID)
        rig.wait(milliseconds=10)
        self.lose(rig).simulation.feed(MarkPrice(PERP_ID, 9_700, rig.simulation.now))
        self.find(rig)
        assert 100 == rig.last(PositionLiquidated).quantity
        assert 0 == rig.core.state.portfolios[ME].holdings[PERP_ID].position.quantity

    def test_a_lost_acceptance_of_an_order_believed_rejected(self) -> None:
        """Late evidence wins over our belief."""
        rig = Rig()
        self.lose(rig).buy(9_900)
        order_id = rig.events[0].order_id
        rig.wait(milliseconds=10)
        rig.simulation.core.report(rig.simulation.now, rejection(order_id))
        rig.simulation.flush()
        assert REJECTED == rig.order(order_id).life
        self.find(rig)
        assert ACCEPTED == rig.order(order_id).life
        assert "1" == rig.order(order_id).venue_order_id

    def test_mended_links_answer_at_once(self) -> None:
        """The poll that is due is answered at the same time."""
        rig = Rig()
        rig.wait(seconds=9)
        rig.simulation.mend_links()
        rig.simulation.advance(START + POLL_EVERY)
        assert rig.exchange.record.seq == rig.simulation.restart.cursor("binance")

    def test_the_cursor_moves_when_the_answer_has_arrived(self) -> None:
        """A lost answer is fetched again; an old one does not move it back."""
        rig = Rig()
        rig.resting()
        seq = rig.exchange.record.seq
        rig.inward(DEAD)
        rig.wait(seconds=POLL_EVERY // SECOND)
        assert 0 == rig.simulation.restart.cursor("binance")
        rig.inward(WATCHED)
        rig.wait(seconds=POLL_EVERY // SECOND)
        assert seq == rig.simulation.restart.cursor("binance")

    def test_an_end_with_fills_that_are_still_to_come_is_not_settled(self) -> None:
        """The venue counts more filled than we were told: it stays reserved for."""
        rig = Rig()
        order_id = rig.resting()
        self.lose(rig).quote(9_880, 9_890, size=40)
        rig.wait(milliseconds=10)
        rig.inward(WATCHED)
        rig.simulation.command(CancelOrder(order_id))
        rig.wait(milliseconds=10)
        assert (CANCELLED, 40) == (rig.order(order_id).life, rig.order(order_id).working)
        assert not rig.simulation.is_settled()
        assert rig.simulation.settle(2 * POLL_EVERY)
        assert (40, 0) == (rig.order(order_id).filled, rig.order(order_id).working)


class TestStops:
    @pytest.mark.parametrize("kind", [STOP, STOP_LIMIT])
    def test_a_held_stop_is_sent_as_what_it_becomes(self, kind: int) -> None:
        """The venue sees a market or limit order, without a trigger."""
        rig = Rig(PERFECT, PERFECT)
        price = 10_120 if kind == STOP_LIMIT else 0
        order_id = rig.buy(price, type=kind, trigger_price=10_100)
        assert [] == rig.exchange.open_orders()
        rig.quote(10_100, 10_110)
        assert FILLED == rig.order(order_id).life

    def test_a_venue_that_holds_stops_gets_it_with_its_trigger(self) -> None:
        """And triggers it by itself."""
        rig = Rig(PERFECT, PERFECT, holds_stops=True)
        order_id = rig.buy(type=STOP, trigger_price=10_100)
        assert 10_100 == rig.exchange.open_orders()[0].trigger_price
        rig.quote(10_100, 10_110)
        assert FILLED == rig.order(order_id).life
        assert "OrderTriggered" not in rig.names()


class TestMoney:
    def free(self, rig: Rig, asset: str = "USDT") -> int:
        return int(rig.exchange.free(ME, asset))

    def test_money_moves_at_the_venue_when_the_engine_books_it(self) -> None:
        """In, out, and from one venue to another."""
        rig = Rig()
        other = SimExchange("okx")
        rig.simulation.add_venue(other, PERFECT, PERFECT, Rng(4))
        rig.core.state.venues["okx"] = rig.core.state.venues["binance"]
        rig.simulation.command(Deposit(ME, "binance", "USDT", 5 * USDT))
        assert 1_000_005 * USDT == self.free(rig)
        rig.simulation.command(Withdraw(ME, "binance", "USDT", 6 * USDT))
        assert 999_999 * USDT == self.free(rig)
        rig.simulation.command(Transfer(ME, "binance", ME, "okx", "BTC", BTC))
        assert 99 * BTC == self.free(rig, "BTC")
        assert BTC == other.free(ME, "BTC")

    def test_the_venue_keeps_what_backs_a_loss(self) -> None:
        """The engine would let it go; the venue is asked first, and nothing is booked."""
        rig = Rig()
        rig.buy(quantity=50_000, instrument=PERP_ID)
        rig.wait(seconds=1)
        rig.simulation.feed(MarkPrice(PERP_ID, 9_000, rig.simulation.now))
        available = rig.core.state.ledger.balance(ME, "binance", "USDT").available()
        assert self.free(rig) < available
        rig.simulation.command(Withdraw(ME, "binance", "USDT", available))
        refused = rig.last(CommandRefused)
        assert ("Withdraw", Reason.INSUFFICIENT_BALANCE) == (refused.command, refused.reason)
        rig.simulation.command(Transfer(ME, "binance", ME, "binance", "USDT", available))
        assert "Transfer" == rig.last(CommandRefused).command
        assert available == rig.core.state.ledger.balance(ME, "binance", "USDT").available()

    def test_a_wrong_amount_is_for_the_engine_to_refuse(self) -> None:
        rig = Rig()
        rig.simulation.command(Withdraw(ME, "binance", "USDT", 0))
        assert Reason.INVALID_AMOUNT == rig.last(CommandRefused).reason

    def test_leverage_is_set_at_both(self) -> None:
        rig = Rig()
        rig.simulation.command(SetLeverage(ME, PERP_ID, 7, ISOLATED))
        seat = rig.exchange.seat(ME, PERP_ID)
        assert seat is not None
        assert (7, ISOLATED) == (seat.leverage, seat.margin_mode)

    def test_leverage_is_refused_while_the_venue_works_an_order(self) -> None:
        """Also when the engine believes that there is none."""
        rig = Rig()
        order_id = rig.buy(9_900, instrument=PERP_ID)
        rig.wait(milliseconds=1)
        rig.inward(DEAD)
        rig.simulation.core.report(rig.simulation.now, rejection(order_id))
        rig.simulation.flush()
        rig.simulation.command(SetLeverage(ME, PERP_ID, 7, ISOLATED))
        assert Reason.INVALID_LEVERAGE == rig.last(CommandRefused).reason
        assert 1 == rig.core.state.portfolios[ME].holdings[PERP_ID].position.leverage

    @pytest.mark.parametrize(
        "command",
        [
            Deposit(ME, "kraken", "USDT", 1),
            Withdraw(ME, "kraken", "USDT", 1),
            Transfer(ME, "kraken", ME, "kraken", "USDT", 1),
            SetLeverage(ME, "kraken:BTC/USD:USD", 2, ISOLATED),
        ],
        ids=lambda command: type(command).__name__,
    )
    def test_a_venue_that_is_not_simulated(self, command: Any) -> None:
        """The engine decides alone."""
        rig = Rig()
        rig.simulation.command(command)
        assert ["CommandRefused"] == rig.names()

    def test_the_engine_may_know_a_venue_that_is_not_simulated(self) -> None:
        """Its money is the engine's business alone."""
        rig = Rig()
        spec = msgspec.structs.replace(PERP_SPEC, venue="kraken")
        rig.simulation.command(ListInstrument(spec))
        rig.simulation.command(Deposit(ME, "kraken", "USDT", 2))
        rig.simulation.command(Withdraw(ME, "kraken", "USDT", 1))
        rig.simulation.command(Transfer(ME, "kraken", ME, "binance", "USDT", 1))
        rig.simulation.command(SetLeverage(ME, "kraken:BTC/USDT:USDT", 2, ISOLATED))
        expected = ["InstrumentListed", "Deposited", "Withdrawn", "Transferred", "LeverageSet"]
        assert expected == [name for name in rig.names() if name != "EquitySampled"]
        assert 1_000_000 * USDT + 1 == self.free(rig)


class TestSettling:
    def test_settled_at_once_when_nothing_is_open(self) -> None:
        rig = Rig()
        assert rig.simulation.settle(0)
        assert START == rig.simulation.now

    def test_a_resting_order_is_settled(self) -> None:
        rig = Rig()
        rig.resting()
        assert rig.simulation.is_settled()

    def test_not_within_the_limit(self) -> None:
        """It stops there, and says so."""
        rig = Rig()
        rig.outward(DEAD)
        rig.buy(9_900)
        assert not rig.simulation.settle(3 * SECOND)
        assert rig.simulation.now <= START + 3 * SECOND

    def test_ticks_are_for_both_clocks(self) -> None:
        """A good-till-date order ends at the venue by the clock alone."""
        rig = Rig(PERFECT, PERFECT)
        order_id = rig.buy(9_900, tif=GTD, expire_ts=START + SECOND)
        rig.simulation.advance(START + SECOND)
        rig.simulation.tick()
        assert EXPIRED == rig.order(order_id).life
