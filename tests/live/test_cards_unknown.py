"""Acceptance cards 15 and 18: outcomes that nobody knows, resolved by evidence, never doubled."""

from decimal import Decimal

import pytest

from live.live_cards import OnOneEngine
from live.live_engine import SPOT, VENUES
from live.live_trader import Trader
from live.live_world import Account
from zvt_trading.emulator import faults
from zvt_trading.messages.events import OrderUnknown
from zvt_trading.types import OrderResult

pytest_plugins = ("live.live_fixtures",)
pytestmark = pytest.mark.parametrize("venue", VENUES)

NEVER_CAME = (faults.TIMEOUT_BEFORE, faults.DROP_BEFORE, faults.ERROR_BEFORE)
ANSWER_LOST = (
    faults.TIMEOUT_AFTER,
    faults.DROP_AFTER,
    faults.ERROR_AFTER,
    faults.TRUNCATE,
    faults.JUNK,
    faults.EMPTY,
)


def place_all(account: Account, trader: Trader, kinds: tuple[str, ...]) -> list[OrderResult]:
    """As many resting orders at once, each of which meets one of these faults."""
    price = account.inside(SPOT) - 100
    for kind in kinds:
        account.fault(kind, faults.PLACE)
    sizes = [f"0.0{size}" for size in range(11, 11 + len(kinds))]
    return trader.at_once(*(lambda size=size: trader.limit("buy", size, price) for size in sizes))


class TestCard15UnknownOutcomes(OnOneEngine):
    def test_requests_that_never_came_are_proven_absent(
        self, account: Account, trader: Trader
    ) -> None:
        """Lost on the way there: given up on proof only, with nothing at the exchange."""
        results = place_all(account, trader, NEVER_CAME)
        assert {(False, "absence_proven")} == {(one.success, one.reason) for one in results}
        assert len(trader.of_kind(OrderUnknown)) == len(NEVER_CAME)
        assert account.orders_taken() == 0
        trader.agrees()

    def test_orders_whose_answer_was_lost_are_found(self, account: Account, trader: Trader) -> None:
        """Timeouts, resets, 5xx, half an answer, junk, nothing: each order is found, once."""
        results = place_all(account, trader, ANSWER_LOST)
        assert {(True, "accepted")} == {(one.success, one.status) for one in results}
        assert account.orders_taken() == len(ANSWER_LOST)
        trader.agrees()

    def test_one_that_is_not_found_at_first(self, account: Account, trader: Trader) -> None:
        """A "not found" soon after the send proves nothing: the order appears later."""
        account.hide_next(400)
        account.fault(faults.FRAME_SILENCE, faults.PRIVATE, ms=1_200)
        account.fault(faults.DROP_AFTER, faults.PLACE)
        result = trader.limit("buy", "0.01", account.inside(SPOT) - 100)
        assert (result.success, result.status) == (True, "accepted")
        assert len(trader.of_kind(OrderUnknown)) == 1
        assert account.orders_taken() == 1
        trader.agrees()

    def test_a_market_order_whose_answer_was_lost_has_its_fills(
        self, account: Account, trader: Trader
    ) -> None:
        """It filled there, so it is filled here, with every trade once."""
        account.fault(faults.FRAME_SILENCE, faults.PRIVATE, ms=1_200)
        account.fault(faults.DROP_AFTER, faults.PLACE)
        result = trader.order("buy", "0.01")
        assert (result.success, result.status) == (True, "filled")
        assert account.orders_taken() == 1
        trader.agrees()

    @pytest.mark.parametrize("kind", [faults.DROP_BEFORE, faults.DROP_AFTER])
    def test_a_cancel_is_repeated_until_it_is_known(
        self, account: Account, trader: Trader, kind: str
    ) -> None:
        """Lost there or back: the order is cancelled in the end."""
        placed = trader.limit("buy", "0.01", account.inside(SPOT) - 100)
        account.fault(faults.FRAME_SILENCE, faults.PRIVATE, ms=1_200)
        account.fault(kind, faults.CANCEL)
        assert trader.engine.cancel_order(placed.order_id)
        trader.agrees()

    @pytest.mark.parametrize("kind", [faults.ERROR_BEFORE, faults.DROP_AFTER])
    def test_an_amend_is_asked_for_not_repeated(
        self, account: Account, trader: Trader, kind: str
    ) -> None:
        """The terms are those that the exchange works on, whichever they are."""
        price = account.inside(SPOT) - 100
        placed = trader.limit("buy", "0.02", price)
        account.fault(kind, faults.AMEND)
        amended = trader.engine.amend_order(placed.order_id, quantity="0.01")
        assert amended.success == (kind == faults.DROP_AFTER)
        expected = Decimal("0.01" if kind == faults.DROP_AFTER else "0.02")
        assert expected == trader.info(placed.order_id).quantity
        trader.agrees()


class TestCard18KillSwitch:
    def test_it_works_while_an_order_is_unknown(self, account: Account, trader: Trader) -> None:
        """What is known is cancelled at once; the unknown one as soon as it is found."""
        price = account.inside(SPOT) - 100
        known = trader.limit("buy", "0.01", price)
        account.hide_next(400)
        account.fault(faults.FRAME_SILENCE, faults.PRIVATE, ms=1_200)
        account.fault(faults.TIMEOUT_AFTER, faults.PLACE)

        def pull() -> OrderResult | None:
            trader.until_told(OrderUnknown)
            trader.engine.kill_switch(reason="the card")
            return None

        unknown, _ = trader.at_once(lambda: trader.limit("buy", "0.011", price), pull)
        assert unknown is not None
        for order_id in (known.order_id, unknown.order_id):
            assert trader.until_over(order_id).status == "cancelled"
        refused = trader.limit("buy", "0.01", price)
        assert (refused.success, refused.reason) == (False, "trading_halted")
        assert account.orders_taken() == 2
        trader.agrees()
