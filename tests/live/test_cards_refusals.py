"""Acceptance cards 10 and 11: a fill that is faster than a cancel, and every kind of no."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from live.live_cards import OnOneEngine
from live.live_engine import MARKETS, SELDOM, SPOT, VENUES
from live.live_trader import Trader, trading
from live.live_world import Account
from zvt_trading.emulator import faults
from zvt_trading.messages.codes import BUY, GTC, LIMIT
from zvt_trading.messages.events import OrderRejected
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import Report, VenueRejected
from zvt_trading.ports.venue import NewOrder

pytest_plugins = ("live.live_fixtures",)


@pytest.fixture
def patient(account: Account) -> Iterator[Trader]:
    """A trader that reads no history while the test runs."""
    with trading(account, SELDOM) as trader:
        yield trader


@pytest.mark.parametrize(("venue", "symbol"), MARKETS)
class TestCard10CancelAndFill(OnOneEngine):
    def test_the_fill_was_there_before_the_cancel(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """Cancel says False for an order that filled untold, and the fill is booked."""
        price = account.inside(symbol)
        placed = trader.limit("buy", "0.01", price, symbol)
        account.fault(faults.FRAME_DELAY, faults.PRIVATE, ms=700)
        account.crowd(symbol, "sell", price, "0.01")
        assert not trader.engine.cancel_order(placed.order_id)
        assert trader.until_over(placed.order_id).status == "filled"
        trader.agrees()

    def test_the_fill_comes_while_the_cancel_is_unanswered(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """A cancel that is lost on its way leaves the order to the market; nothing is guessed."""
        price = account.inside(symbol)
        placed = trader.limit("buy", "0.01", price, symbol)
        before = account.has_happened(faults.TIMEOUT_BEFORE)
        account.fault(faults.TIMEOUT_BEFORE, faults.CANCEL)

        def fill() -> bool:
            trader.until(
                lambda: account.has_happened(faults.TIMEOUT_BEFORE) > before, "the lost cancel"
            )
            account.crowd(symbol, "sell", price, "0.01")
            return True

        assert [False, True] == trader.at_once(
            lambda: trader.engine.cancel_order(placed.order_id), fill
        )
        assert trader.until_over(placed.order_id).status == "filled"
        trader.agrees()

    def test_part_was_filled_before_the_cancel(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """The cancel takes back the rest; the part that filled untold is booked."""
        price = account.inside(symbol)
        placed = trader.limit("sell", "0.01", price, symbol)
        account.fault(faults.FRAME_DELAY, faults.PRIVATE, ms=700)
        account.fault(faults.DELAY, faults.CANCEL, ms=300)
        account.crowd(symbol, "buy", price, "0.004")
        assert trader.engine.cancel_order(placed.order_id)
        order = trader.until_over(placed.order_id)
        assert ("cancelled", Decimal("0.004")) == (order.status, order.filled_quantity)
        trader.agrees()


def submitted(trader: Trader, order_id: str, price: Decimal, quantity: str) -> list[Report]:
    """What the venue says to a limit buy that the engine's own gate does not see."""
    name = f"{trader.account.name}:{SPOT}"
    spec = trader.engine._state.markets[name].instrument.spec
    order = NewOrder(
        order_id,
        name,
        BUY,
        LIMIT,
        int(price * 10**spec.price_scale),
        int(Decimal(quantity) * 10**spec.quantity_scale),
        GTC,
    )
    return trader.world.loop.run(trader.gateway.submit(order), 10)


@pytest.mark.parametrize("venue", VENUES)
class TestCard11Refusals:
    def test_the_money_is_not_there(self, account: Account, patient: Trader) -> None:
        """Money that left a moment ago is missed at the exchange: a reason, and its text."""
        account.transfer("USDT", "-999990")
        result = patient.limit("buy", "0.01", account.inside(SPOT))
        assert (result.success, result.status, result.reason) == (
            False,
            "rejected",
            "venue_balance",
        )
        assert all(event.text for event in patient.until_told(OrderRejected))
        assert account.orders_taken() == 0

    @pytest.mark.parametrize("quantity", ["0.00002", "20000"])
    def test_a_filter_is_broken(self, account: Account, patient: Trader, quantity: str) -> None:
        """Too small or too large: refused by the exchange, with its own words."""
        reports = submitted(patient, "foreign1", account.inside(SPOT), quantity)
        rejected = [one for one in reports if isinstance(one, VenueRejected)]
        assert len(rejected) == len(reports) == 1
        assert Reason(rejected[0].reason) is Reason.VENUE_FILTER
        assert rejected[0].text
        patient.agrees()

    def test_an_id_that_is_used_already(self, account: Account, patient: Trader) -> None:
        """An order that is sent again under its id is no second order, whatever is answered."""
        price = account.inside(SPOT) - 100
        placed = patient.limit("buy", "0.01", price)
        reports = submitted(patient, placed.order_id, price, "0.01")
        assert len(reports) == 1
        assert account.orders_taken() == 1
        patient.agrees()

    def test_the_engine_refuses_first_what_it_can_see(
        self, account: Account, patient: Trader
    ) -> None:
        """What breaks a filter or limit that we know is not sent."""
        result = patient.limit("buy", "20000", account.inside(SPOT))
        assert (result.success, result.reason) == (False, "quantity_max")
        assert account.orders_taken() == 0
        patient.agrees()
