"""Acceptance cards 13 and 14: what others do at our account, and funding."""

from decimal import Decimal

import pytest

from live.live_cards import OnOneEngine
from live.live_engine import PERPETUAL, PERPETUALS, SPOT, VENUES
from live.live_trader import Trader
from live.live_world import Account
from zvt_trading.messages.events import (
    CashAdjusted,
    FundingSettled,
    ReportQuarantined,
    TradingStateChanged,
)
from zvt_trading.messages.reasons import Reason

pytest_plugins = ("live.live_fixtures",)


@pytest.mark.parametrize("venue", VENUES)
class TestCard13ManualOrders:
    def test_a_manual_order_is_told_once_and_left_alone(
        self, account: Account, trader: Trader
    ) -> None:
        """Somebody else's open order is quarantined by name, and stays open there."""
        manual = account.manual(SPOT, "buy", "0.01", account.inside(SPOT) - 100)
        told = trader.until_told(ReportQuarantined)
        assert "foreign_order" in told[0].subject
        trader.until_read()
        assert len(trader.of_kind(ReportQuarantined)) == 1
        assert manual.is_open
        trader.agrees()


@pytest.mark.parametrize("venue", VENUES)
class TestCard13OtherHands(OnOneEngine):
    def test_a_manual_trade_is_explicit_movements_of_cash(
        self, account: Account, trader: Trader
    ) -> None:
        """Coins, price and fee of a trade by hand are booked as what they are; no lot is opened."""
        positions = trader.lots()
        account.manual(SPOT, "buy", "0.01")
        causes = {event.cause for event in trader.until_told(CashAdjusted, 2)}
        assert {int(Reason.MANUAL_TRADE)} == causes
        trader.agrees()
        assert positions == trader.lots()
        assert trader.order("buy", "0.01").success
        trader.agrees()

    @pytest.mark.parametrize(
        ("asset", "amount", "cause"),
        [
            ("USDT", "1234.5", Reason.EXTERNAL_DEPOSIT),
            ("BTC", "-0.12345678", Reason.EXTERNAL_WITHDRAWAL),
        ],
    )
    def test_money_that_comes_and_goes_is_named(
        self, account: Account, trader: Trader, asset: str, amount: str, cause: Reason
    ) -> None:
        """A deposit or withdrawal there is an entry here, once, to the last unit."""
        account.transfer(asset, amount)
        moved = trader.until_told(CashAdjusted)
        trader.until_read()
        assert [(asset, int(cause))] == [(event.asset, event.cause) for event in moved]
        trader.agrees()


@pytest.mark.parametrize("venue", PERPETUALS)
class TestCard13Positions:
    def test_a_position_by_hand_halts_its_symbol(self, account: Account, trader: Trader) -> None:
        """A perpetual traded by hand is told, and drift stops new risk there; not in spot."""
        account.manual(PERPETUAL, "buy", "0.01")
        trader.until_told(ReportQuarantined)
        trader.until(
            lambda: any(
                (event.key, event.reason) == (PERPETUAL, int(Reason.RECONCILIATION_DRIFT))
                for event in trader.of_kind(TradingStateChanged)
            ),
            "the halt",
        )
        assert trader.order("buy", "0.01", PERPETUAL).reason == "trading_halted"


@pytest.mark.parametrize("venue", PERPETUALS)
class TestCard14Funding(OnOneEngine):
    @pytest.mark.parametrize("rate", [12_345, -999])
    def test_it_is_booked_once_to_the_last_unit(
        self, account: Account, trader: Trader, rate: int
    ) -> None:
        """Who is long pays a positive rate, and is paid a negative one."""
        assert trader.order("buy", "0.02", PERPETUAL).success
        account.pay_funding(rate)
        settled = trader.until_told(FundingSettled)
        trader.until_read()
        assert len(trader.of_kind(FundingSettled)) == 1
        assert (rate > 0) == (settled[0].amount > 0)
        trader.agrees()
        funding = trader.engine.get_portfolio_summary().funding
        assert abs(funding) > Decimal(0)
