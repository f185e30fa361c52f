"""An emulator whose market has run before it was started, and what is kept of its trades."""

import asyncio
import time

import pytest

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import MINUTE
from zvt_trading.emulator.emulator import HISTORY_MINUTES_MAX, Emulator
from zvt_trading.emulator.feed import Feed
from zvt_trading.messages.codes import BUY
from zvt_trading.messages.market import TradeTick
from zvt_trading.sim.generated import GeneratedMarket

SYMBOL = "BTC/USDT"


def test_the_market_has_run_for_some_minutes() -> None:
    """All its trades are there before it listens; the last is of now, or of the start if quiet."""
    before = time.time_ns()
    emulator = Emulator(("binance",), history_minutes=2, is_quiet=True)
    after = time.time_ns()
    assert before - 2 * MINUTE <= emulator.market.start_ns <= after - 2 * MINUTE
    trades = emulator.wires["binance"].feed.symbols[SYMBOL].trades
    assert [*range(1, len(trades) + 1)] == [trade.trade_id for trade in trades]
    assert {0, 1} == {(trade.ts - emulator.market.start_ns) // MINUTE for trade in trades}
    assert trades[-1].ts <= after
    count = len(trades)
    emulator._move()
    assert count == len(trades)
    asyncio.run(emulator.stop())


def test_orders_meet_the_market_of_now() -> None:
    """Its book is the one that the trades have left."""
    emulator = Emulator(("okx",), history_minutes=1, is_quiet=True)
    feed = emulator.wires["okx"].feed.symbols[SYMBOL]
    matcher = emulator.market.market(f"okx:{SYMBOL}").matcher
    assert matcher.levels(BUY, 20) == feed.levels(BUY, 20)
    asyncio.run(emulator.stop())


@pytest.mark.parametrize("minutes", [-1, HISTORY_MINUTES_MAX + 1])
def test_a_history_that_cannot_be_is_refused(minutes: int) -> None:
    """The message names what was given and what is allowed."""
    with pytest.raises(ValueError, match=f"history_minutes {minutes} must be from 0 to 1440"):
        Emulator(("binance",), history_minutes=minutes)


def test_every_limit_is_wider_by_the_factor() -> None:
    """Those too that OKX has for each of its endpoints."""

    async def limits(factor: int) -> dict[str, int]:
        async with Emulator(("okx",), is_quiet=True, limit_factor=factor) as emulator:
            budgets = emulator.houses["okx"].limits.budgets
            return {name: budget.limit for name, budget in budgets.items()}

    usual = asyncio.run(limits(1))
    assert len(usual) > 30
    assert {name: 100 * limit for name, limit in usual.items()} == asyncio.run(limits(100))


def test_trades_of_one_minute_are_forgotten_together() -> None:
    """What is left of a minute would be another candle than the one that was told before."""
    spec = GeneratedMarket(1, MINUTE).specs()[0]
    feed = Feed(trades_kept=10)
    feed.add(Instrument(spec))
    for number in range(21):  # seven a minute
        tick = TradeTick(spec.symbol, 1, 1, BUY, number // 7 * MINUTE + number, number + 1)
        feed.on_market(spec.symbol, tick)
    kept = [trade.trade_id for trade in feed.symbols[spec.symbol].trades]
    assert [*range(8, 22)] == kept
