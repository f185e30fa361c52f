"""Acceptance card 16: frames that get lost, streams that fall silent or break."""

import pytest

from live.live_cards import OnOneEngine
from live.live_engine import MARKETS, SPOT, VENUES
from live.live_trader import Trader
from live.live_world import Account
from zvt_trading.emulator import faults

pytest_plugins = ("live.live_fixtures",)


@pytest.mark.parametrize(("venue", "symbol"), MARKETS)
class TestCard16LostFrames:
    def test_a_lost_fill_is_found_by_the_next_reading(
        self, account: Account, trader: Trader, symbol: str
    ) -> None:
        """No frame says that the order filled; it is known within the time of a poll."""
        price = account.inside(symbol)
        placed = trader.limit("buy", "0.01", price, symbol)
        account.fault(faults.FRAME_SILENCE, faults.PRIVATE, ms=60_000)
        account.crowd(symbol, "sell", price, "0.01")
        assert trader.until_over(placed.order_id).status == "filled"
        trader.agrees()


@pytest.mark.parametrize(("venue", "symbol"), MARKETS)
class TestCard16RepeatedFrames(OnOneEngine):
    @pytest.mark.parametrize("kind", [faults.FRAME_DUPLICATE, faults.FRAME_REORDER])
    def test_frames_that_come_twice_or_late_change_nothing(
        self, account: Account, trader: Trader, symbol: str, kind: str
    ) -> None:
        """Every trade counts once, in whatever order its frames come."""
        price = account.inside(symbol)
        account.fault(kind, faults.PRIVATE, count=20)
        placed = trader.limit("buy", "0.01", price, symbol)
        account.crowd(symbol, "sell", price, "0.004")
        account.crowd(symbol, "sell", price, "0.006")
        assert trader.until_over(placed.order_id).status == "filled"
        trader.agrees()


@pytest.mark.parametrize("venue", VENUES)
class TestCard16Disconnects:
    def test_what_happened_meanwhile_is_read_when_it_is_back(
        self, account: Account, trader: Trader
    ) -> None:
        """Streams are opened again by themselves; no new order is sent before they are."""
        price = account.inside(SPOT)
        placed = trader.limit("buy", "0.01", price)
        venue = trader.engine._state.venues[account.name]
        account.exchanges.disconnect(account.name)
        trader.until(lambda: not venue.healthy, "the streams are gone")
        account.crowd(SPOT, "sell", price, "0.01")
        assert trader.until_over(placed.order_id).status == "filled"
        trader.until_ready()
        price = account.inside(SPOT)
        again = trader.limit("buy", "0.01", price)
        account.crowd(SPOT, "sell", price, "0.01")
        assert trader.until_over(again.order_id).status == "filled"
        trader.agrees()
