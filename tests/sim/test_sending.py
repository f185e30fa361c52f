"""What reaches a venue: requests in its words; and which orders its statement lacks."""

from typing import Any

import pytest
from simulation_rig import DEAD, Rig
from venue_world import ME, SPOT_ID

from zvt_trading.core.reconcile import OpenRow, Statement
from zvt_trading.messages.codes import BUY, GTC, LIMIT, MARKET, STOP
from zvt_trading.messages.commands import AmendOrder, CancelOrder
from zvt_trading.messages.reports import Report
from zvt_trading.sim.parcels import TO_VENUE_AMEND, TO_VENUE_CANCEL, TO_VENUE_ORDER, Parcel
from zvt_trading.sim.sending import deliver, missing_there, submit_to
from zvt_trading.sim.venue_api import History, VenueApi

NOW = 5


class Asked(VenueApi):
    """Takes down what it is asked."""

    def __init__(self) -> None:
        super().__init__("binance")
        self.requests: list[tuple[Any, ...]] = []

    def submit(self, *request: Any) -> list[Report]:
        self.requests.append(("submit", *request))
        return []

    def cancel(self, now: int, order_id: str) -> list[Report]:
        self.requests.append(("cancel", now, order_id))
        return []

    def amend(self, now: int, order_id: str, price: int, quantity: int) -> list[Report]:
        self.requests.append(("amend", now, order_id, price, quantity))
        return []


class TestDeliver:
    def test_an_order(self) -> None:
        """With everything that the venue must know, and its worst price."""
        rig, venue = Rig(), Asked()
        order_id = rig.resting()
        parcel = Parcel(TO_VENUE_ORDER, "binance", order_id, NOW)
        parcel.order = rig.order(order_id)
        parcel.worst_price = 9_950
        assert [] == deliver(venue, parcel, NOW)
        terms = (NOW, order_id, ME, SPOT_ID, BUY, LIMIT, 9_900, 100, GTC, 0, False, False)
        assert [("submit", *terms, 9_950, 0, parcel.order.terms.trigger_by)] == venue.requests

    def test_an_order_that_is_gone_is_not_sent(self) -> None:
        """There is nothing to say."""
        venue = Asked()
        assert [] == deliver(venue, Parcel(TO_VENUE_ORDER, "binance", "o1", NOW), NOW)
        assert [] == venue.requests

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (TO_VENUE_CANCEL, ("cancel", NOW, "o1")),
            (TO_VENUE_AMEND, ("amend", NOW, "o1", 9_900, 7)),
        ],
    )
    def test_a_cancel_and_an_amend(self, kind: int, expected: tuple[Any, ...]) -> None:
        """By our id."""
        venue = Asked()
        parcel = Parcel(kind, "binance", "o1", NOW)
        parcel.price, parcel.quantity = 9_900, 7
        deliver(venue, parcel, NOW)
        assert [expected] == venue.requests

    @pytest.mark.parametrize(
        ("price", "triggered", "expected"),
        [(0, False, (STOP, 10_500)), (0, True, (MARKET, 0))],
    )
    def test_a_stop(self, price: int, triggered: bool, expected: tuple[int, int]) -> None:
        """One that fired here is sent as what it then is, without its trigger."""
        rig, venue = Rig(), Asked()
        order_id = rig.buy(price, type=STOP, trigger_price=10_500)
        order = rig.order(order_id)
        order.triggered = triggered
        submit_to(venue, order, 0, NOW)
        request = venue.requests[0]
        assert expected == (request[6], request[14])


class TestMissing:
    def missing(self, rig: Rig, *stated: str, venue: str = "binance") -> list[str]:
        statement = Statement()
        statement.orders.extend(OpenRow(order_id, 9_900, 100, 0) for order_id in stated)
        found = missing_there(rig.core.state, venue, History(NOW, statement))
        return [order.id for order in found]

    def test_what_works_here_and_not_there(self) -> None:
        """Only what the statement lacks, and only at its venue."""
        rig = Rig()
        first, second = rig.resting(), rig.resting()
        assert [first, second] == self.missing(rig)
        assert [second] == self.missing(rig, first)
        assert [] == self.missing(rig, first, second)
        assert [] == self.missing(rig, venue="okx")

    def test_not_what_is_on_its_way(self) -> None:
        """Its answer will tell: a new order, a cancel, an amend."""
        rig = Rig()
        cancelled, amended = rig.resting(), rig.resting()
        rig.outward(DEAD)
        rig.buy(9_900)
        rig.simulation.command(CancelOrder(cancelled))
        rig.simulation.command(AmendOrder(amended, quantity=200))
        assert [] == self.missing(rig)
