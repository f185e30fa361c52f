"""Public views of the state: what people see is what is booked."""

from decimal import Decimal

import pytest

from engine_world import PERPETUAL, SPECS, engine_of, limit, order, quote, spec
from zvt_trading.bootstrap import PortfolioSetup
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.runtime.views import fill_info
from zvt_trading.types import MarginMode, OrderStatus


@pytest.fixture
def engine() -> CryptoTradingEngine:
    """Two lots of spot bought at 60,001 and 60,101, now quoted 60,199 / 60,201."""
    made = engine_of(
        quote("alpha:BTC/USDT", "60099", "60101", after=1),
        quote("alpha:BTC/USDT", "60199", "60201", after=2),
    )
    made.place_order(order("buy", "0.1"))
    made.advance(1)
    made.place_order(order("buy", "0.3"))
    made.advance(1)
    return made


def test_a_position_shows_its_lots_average_and_value(engine: CryptoTradingEngine) -> None:
    """(0.1 x 60,001 + 0.3 x 60,101) / 0.4 = 60,076; marked at the mid of 60,200."""
    (position,) = engine.get_positions()
    assert Decimal(60076) == position.avg_entry_price
    assert [(Decimal("0.1"), Decimal(60001)), (Decimal("0.3"), Decimal(60101))] == [
        (lot.quantity, lot.price) for lot in position.lots
    ]
    assert Decimal(24080) == position.market_value
    assert Decimal("49.6") == position.unrealized_pnl
    assert position.liquidation_price is None


def test_the_summary_adds_up(engine: CryptoTradingEngine) -> None:
    """Cash, coins and what is reserved; total = reserved + margin + available."""
    engine.place_order(limit("buy", "0.1", "59000"))
    summary = engine.get_portfolio_summary()
    for balance in summary.balances:
        assert balance.total == balance.reserved + balance.margin + balance.available
    assert 1 == summary.open_orders
    assert Decimal("49.6") == summary.unrealized_pnl
    assert summary.equity == sum(balance.value or 0 for balance in summary.balances)
    assert summary.cash == summary.balances[0].total + summary.balances[1].total
    assert () == summary.unvalued_assets


def test_what_no_market_prices_is_named(engine: CryptoTradingEngine) -> None:
    """USDT has no market against which a portfolio kept in BTC could value it."""
    engine.open_portfolio("coins", "BTC")
    engine.deposit("coins", "alpha", "USDT", 5)
    summary = engine.get_portfolio_summary("coins")
    assert ("alpha:USDT",) == summary.unvalued_assets
    assert None is summary.balances[0].value
    assert Decimal(0) == summary.equity


def test_isolated_and_cross_positions_have_liquidation_prices() -> None:
    """Isolated: from its own margin alone, so nearer; cross: from the whole wallet."""
    prices: dict[str, Decimal] = {}
    for mode in MarginMode:
        engine = engine_of()
        engine.withdraw("default", "alpha", "USDT", 80_000)
        engine.set_leverage("default", PERPETUAL, "alpha", 5, mode)
        engine.place_order(order("buy", "1", symbol=PERPETUAL))
        (position,) = engine.get_positions()
        assert position.margin_mode is mode
        assert position.liquidation_price is not None
        prices[mode.value] = position.liquidation_price
    # Entry 60,011: 1/5 of margin, 0.4 % of maintenance.
    assert Decimal(48_000) < prices["isolated"] < Decimal(48_300)
    assert prices["cross"] < prices["isolated"]


def test_the_other_positions_of_the_wallet_count() -> None:
    """A second perpetual on the same money brings the liquidation nearer; an isolated one less."""
    prices: list[Decimal] = []
    for mode in ("", "isolated", "cross"):
        engine = engine_of(
            quote("alpha:ETH/USDT:USDT", "2999", "3001"),
            specs=[*SPECS, spec("alpha", "ETH/USDT:USDT")],
        )
        engine.withdraw("default", "alpha", "USDT", 80_000)
        engine.set_leverage("default", PERPETUAL, "alpha", 5)
        engine.place_order(order("buy", "1", symbol=PERPETUAL))
        if mode:
            engine.set_leverage("default", "ETH/USDT:USDT", "alpha", 5, mode)
            engine.place_order(order("sell", "5", symbol="ETH/USDT:USDT"))
        price = engine.get_positions()[0].liquidation_price
        assert price is not None
        prices.append(price)
    assert prices[0] < prices[2] < prices[1]


def test_a_fully_funded_long_cannot_be_liquidated() -> None:
    """The wallet covers it down to a price of zero."""
    engine = engine_of()
    engine.place_order(order("buy", "1", symbol=PERPETUAL))
    (position,) = engine.get_positions()
    assert position.liquidation_price is None


def test_a_fill_without_a_price_at_the_decision_has_no_slippage(
    engine: CryptoTradingEngine,
) -> None:
    """None, not zero."""
    events: list[object] = []
    engine.subscribe(events.append)
    engine.place_order(order("sell", "0.1"))
    state = engine.world.simulation.core.state
    shown = fill_info(state, events[-1], 0, "s")  # type: ignore[arg-type]  # the last is the fill
    assert (None, None, "s") == (shown.arrival_price, shown.slippage_bps, shown.strategy_id)


def test_a_partly_filled_order_says_so() -> None:
    """A status at the edge; the core derives it."""
    engine = engine_of(quote("alpha:BTC/USDT", "59898", "59899", after=1, size="0.04"))
    placed = engine.place_order(limit("buy", "0.1", "59900"))
    engine.advance("1.5")
    info = engine.get_order(placed.order_id)
    assert (OrderStatus.PARTIALLY_FILLED, Decimal("0.04")) == (info.status, info.filled_quantity)


def test_the_ledger_has_a_row_for_every_asset(engine: CryptoTradingEngine) -> None:
    """Deposits + trading - fees = balance."""
    rows = {row.asset: row for row in engine.ledger()}
    assert Decimal("0.4") == rows["BTC"].trading
    assert Decimal("-24030.4") == rows["USDT"].trading
    assert Decimal("-24.0304") == rows["USDT"].fees
    for row in rows.values():
        assert row.balance == row.deposits + row.trading + row.fees
        assert Decimal(0) == row.difference


def test_a_portfolio_setup_says_what_it_is() -> None:
    """100,000 USDT a venue, FIFO."""
    setup = PortfolioSetup()
    assert ("default", "", Decimal(100_000)) == (
        setup.portfolio_id, setup.base_asset, setup.cash
    )  # fmt: skip
    assert () == setup.coins
