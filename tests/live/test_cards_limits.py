"""Acceptance cards 17 and 19: bans, and clocks that differ."""

from collections.abc import Iterator

import pytest

from live.live_engine import SELDOM, SPOT, VENUES
from live.live_trader import Trader, trading
from live.live_world import Account
from zvt_trading.adapters.ccxt import client
from zvt_trading.emulator import faults

pytest_plugins = ("live.live_fixtures",)

BANS = (("binance", faults.BAN), ("bybit", faults.BAN), *((v, faults.RATE_LIMIT) for v in VENUES))
"""OKX and Coinbase have one answer for both."""


@pytest.fixture
def patient(account: Account) -> Iterator[Trader]:
    """A trader that reads its history once, before the test begins."""
    with trading(account, SELDOM) as trader:
        trader.until(lambda: trader.gateway.readings > 0, "the reading that follows the streams")
        yield trader


class TestCard17Bans:
    @pytest.mark.parametrize(("venue", "kind"), BANS)
    def test_nothing_is_sent_before_it_ends(
        self, account: Account, patient: Trader, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One request learns of it; then there is silence, and the cancel goes out when it ends."""
        monkeypatch.setattr(client, "PAUSE_SECONDS", 60.0)  # of OKX and Bybit, which say no time
        limits = account.house.limits
        before = limits.requests_during_ban
        price = account.inside(SPOT) - 100
        placed = patient.limit("buy", "0.01", price)
        account.fault(kind, faults.PLACE, ms=60_000)

        def inside() -> bool:
            patient.until(patient.is_paused, "the answer that says so")
            asked = limits.requests
            refused = patient.limit("buy", "0.012", price)
            assert (False, "not_sent") == (refused.success, refused.reason)
            assert limits.requests == asked
            assert limits.requests_during_ban == before
            patient.end_pause()
            return patient.engine.cancel_order(placed.order_id)

        def ban() -> bool:
            return patient.limit("buy", "0.011", price).success

        assert [False, True] == patient.at_once(ban, inside)
        assert limits.requests_during_ban == before
        assert account.orders_taken() == 1
        patient.agrees()


@pytest.mark.parametrize("venue", VENUES)
class TestCard19Clocks:
    def test_no_new_order_while_they_differ(self, account: Account, trader: Trader) -> None:
        """More than a second apart: risk can be taken back, not taken."""
        price = account.inside(SPOT) - 100
        placed = trader.limit("buy", "0.01", price)
        venue = trader.engine._state.venues[account.name]
        account.skew(3_000)
        trader.until(lambda: not venue.healthy, "the clocks were compared")
        refused = trader.limit("buy", "0.011", price)
        assert (refused.success, refused.reason) == (False, "venue_unhealthy")
        assert trader.engine.cancel_order(placed.order_id)
        account.skew(0)
        trader.until_ready()
        assert trader.limit("buy", "0.012", price).success
        assert account.orders_taken() == 2
        trader.agrees()
