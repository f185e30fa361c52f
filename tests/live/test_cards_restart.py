"""Acceptance card 12: an engine that ends or is killed with orders open, and the next one."""

import subprocess
import sys
from decimal import Decimal

import msgspec
import pytest

from conftest import ROOT
from live.live_engine import DEADLINE_S, MARKETS, SPOT, VENUES
from live.live_trader import trading
from live.live_victim import Task
from live.live_world import Account
from zvt_trading.emulator import faults
from zvt_trading.types import OrderResult

pytest_plugins = ("live.live_fixtures",)


@pytest.mark.parametrize(("venue", "symbol"), MARKETS)
class TestCard12Restart:
    def test_what_happened_meanwhile_is_found_before_it_trades(
        self, account: Account, symbol: str
    ) -> None:
        """One order stays open, one filled in part, one filled, one was cancelled by hand."""
        price = account.inside(symbol)
        with trading(account) as trader:
            sizes = ("0.01", "0.011", "0.012", "0.013")
            ids = [trader.limit("buy", size, price, symbol).order_id for size in sizes]
            trader.agrees()
        account.crowd(symbol, "sell", price, "0.015")
        gone = account.order_of(ids[2])
        assert gone is not None
        account.cancel(gone)
        with trading(account) as trader:
            trader.agrees()
            orders = [trader.info(order_id) for order_id in ids]
            assert ["filled", "partially_filled", "cancelled", "accepted"] == [
                order.status for order in orders
            ]
            assert orders[1].filled_quantity == Decimal("0.005")
            assert trader.order("buy", "0.01", symbol).success
            assert trader.engine.cancel_order(ids[1])
            assert trader.engine.cancel_order(ids[3])
            trader.agrees()

    def test_a_position_is_the_same_in_the_next_life(self, account: Account, symbol: str) -> None:
        """Lots, cash and fees survive; the next life closes what the last one opened."""
        with trading(account) as trader:
            assert trader.order("buy", "0.02", symbol).success
            trader.agrees()
            position = trader.engine.get_positions()[0]
        with trading(account) as trader:
            again = trader.engine.get_positions()[0]
            assert (position.quantity, position.avg_entry_price, position.lots) == (
                again.quantity,
                again.avg_entry_price,
                again.lots,
            )
            assert trader.order("sell", f"{position.quantity:f}", symbol).success
            trader.agrees()
            assert trader.engine.get_positions() == []


@pytest.mark.parametrize("venue", VENUES)
class TestCard12Kill:
    def test_it_is_killed_while_an_answer_is_on_its_way(self, account: Account) -> None:
        """SIGKILL between send and answer: the next engine finds both orders, and trades."""
        price = account.inside(SPOT)
        task = Task(account.door(), price, ("0.01", "0.012"))
        with subprocess.Popen(
            [sys.executable, "-m", "live.live_victim"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT / "tests",
            text=True,
        ) as victim:
            assert victim.stdin is not None
            assert victim.stdout is not None
            account.fault(faults.DELAY, faults.PLACE, ms=0)
            account.fault(faults.TIMEOUT_AFTER, faults.PLACE)
            victim.stdin.write(msgspec.json.encode(task).decode() + "\n")
            victim.stdin.flush()
            account.until_taken(2)
            first = msgspec.json.decode(victim.stdout.readline(), type=OrderResult)
            victim.kill()
            victim.wait(DEADLINE_S)
        account.crowd(SPOT, "sell", price, "0.012")
        with trading(account) as trader:
            trader.agrees()
            assert trader.info(first.order_id).status == "filled"
            assert ["filled", "partially_filled"] == [
                order.status for order in trader.engine.get_orders()
            ]
            assert trader.order("buy", "0.01").success
            trader.agrees()
