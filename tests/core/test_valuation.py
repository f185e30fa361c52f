"""What everything is worth in the portfolio's base asset, live."""

import pytest
from core_world import BTC, INVERSE_ID, LINEAR_ID, MILLION, ONE, SPOT_ID, THREE, CoreWorld, spec

from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.commands import Deposit, ListInstrument, OpenPortfolio
from zvt_trading.messages.market import InstrumentSpec, MarkPrice

USD = 10**8
COIN = 100 * USD  # at the mark


def usdt(symbol: str = "BTC/USDT", venue: str = "x", base: str = "BTC") -> InstrumentSpec:
    """A spot market in USDT."""
    return spec(
        symbol, venue=venue, base=base, quote="USDT", settle="USDT", quote_scale=8, base_scale=8
    )


class TestBalances:
    def test_the_base_asset_is_worth_itself(self) -> None:
        """Whatever the markets do."""
        world = CoreWorld(btc=0)
        world.at(12_345)
        assert MILLION == world.portfolio.equity

    def test_coins_follow_their_market(self) -> None:
        """With every quote that moves the mid."""
        world = CoreWorld(usd=0, btc=BTC)
        assert COIN == world.portfolio.equity
        world.at(11_000)
        assert 110 * USD == world.portfolio.equity
        world.quote(10_999, 11_001, size=5)
        assert 110 * USD == world.portfolio.equity

    def test_each_portfolio_in_its_own_base_asset(self) -> None:
        """Priced by the market against that asset, without any par assets."""
        world = CoreWorld(
            specs=[spec("BTC/EUR", quote="EUR", settle="EUR", quote_scale=8)], usd=0, btc=0
        )
        world.do(OpenPortfolio("euros", "EUR", 8, par_assets=()))
        world.do(Deposit("euros", "x", "BTC", BTC))
        assert 100 * USD == world.state.portfolios["euros"].equity

    def test_a_par_asset_is_worth_one(self) -> None:
        """When no market says otherwise; on its own scale."""
        world = CoreWorld(specs=[usdt()], usd=0, btc=0)
        world.do(Deposit("main", "x", "USDT", 5 * USD))
        assert 5 * USD == world.portfolio.equity

    def test_a_market_says_otherwise(self) -> None:
        """USDT/USD at 0.90: the deposit is worth less."""
        world = CoreWorld(specs=[usdt("USDT/USD", base="USDT")], usd=0, btc=0)
        other = spec("USDT/USD", venue="y", base="USDT")
        world.do(ListInstrument(other))
        world.quote(89, 91, "y:USDT/USD")
        world.do(Deposit("main", "y", "USDT", 10 * USD))
        assert 9 * USD == world.portfolio.equity

    def test_an_asset_without_a_market_is_not_valued(self) -> None:
        """It is said to be so, and adds nothing."""
        world = CoreWorld(specs=[spec("BTC/EUR", quote="EUR", settle="EUR")], usd=0, btc=0)
        world.do(Deposit("main", "x", "EUR", USD))
        assert (0, True) == (world.portfolio.equity, world.balance("EUR").unvalued)

    def test_the_first_market_that_prices_it(self) -> None:
        """Listed later: valued from its first quote on, and that is no profit."""
        world = CoreWorld(
            specs=[spec("ETH/BTC", base="ETH", quote="BTC", settle="BTC")], btc=0, usd=0
        )
        world.do(Deposit("main", "x", "ETH", BTC))
        assert world.balance("ETH").unvalued
        world.do(ListInstrument(spec("ETH/USD", base="ETH")))
        assert world.balance("ETH").unvalued
        world.at(2_000, "x:ETH/USD")
        assert (20 * USD, False) == (world.portfolio.equity, world.balance("ETH").unvalued)
        assert 20 * USD == world.portfolio.equity_shift

    @pytest.mark.parametrize(
        ("order", "value"),
        [
            pytest.param(("y:BTC/USD", "x:BTC/USD"), 100, id="its own venue before another"),
            pytest.param(("x:BTC/USDT", "y:BTC/USD"), 110, id="the exact quote before a par asset"),
            pytest.param(("x:BTC/USDT", "y:BTC/USDT"), 120, id="its own venue among par quotes"),
        ],
    )
    def test_which_market_prices_it(self, order: tuple[str, str], value: int) -> None:
        """Exact quote first, then the same venue; in whatever order they were listed."""
        prices = {
            "x:BTC/USD": 10_000,
            "y:BTC/USD": 11_000,
            "x:BTC/USDT": 12_000,
            "y:BTC/USDT": 13_000,
        }
        for listed in (order, order[::-1]):
            specs = []
            for one in listed:
                venue, symbol = one.split(":")
                specs.append(usdt(venue=venue) if symbol == "BTC/USDT" else spec(venue=venue))
            world = CoreWorld(specs=specs, usd=0, btc=0)
            for one in listed:
                world.at(prices[one], one)
            world.do(Deposit("main", "x", "BTC", BTC))
            assert value * USD == world.portfolio.equity

    def test_a_better_market_takes_over(self) -> None:
        """Waiting for a first price, the balance is priced by the better one only."""
        world = CoreWorld(specs=(), usd=0, btc=0)
        world.do(ListInstrument(usdt()))
        world.do(Deposit("main", "x", "BTC", BTC))
        world.do(ListInstrument(spec()))
        world.at(12_000, "x:BTC/USDT")
        assert 0 == world.portfolio.equity
        world.at(10_000)
        assert COIN == world.portfolio.equity
        world.at(13_000, "x:BTC/USDT")
        assert COIN == world.portfolio.equity


class TestPositions:
    @pytest.mark.parametrize(("side", "gain"), [(BUY, 5 * USD), (SELL, -5 * USD)])
    def test_a_perpetual_is_marked_to_market(self, side: int, gain: int) -> None:
        """At the mid, until the venue sends mark prices; from then on at those only."""
        world = CoreWorld(btc=0)
        world.trade_now(side, ONE, 10_000, instrument=LINEAR_ID)
        world.at(10_500, LINEAR_ID)
        assert MILLION + gain == world.portfolio.equity
        world.market(MarkPrice(LINEAR_ID, 10_400, world.now))
        world.at(10_600, LINEAR_ID)
        assert MILLION + gain * 4 // 5 == world.portfolio.equity

    def test_an_inverse_position_follows_both_prices(self) -> None:
        """Its gain is in coins, and coins have a price of their own."""
        world = CoreWorld(usd=0)
        world.trade_now(BUY, ONE, 10_000, instrument=INVERSE_ID)
        world.at(12_500, INVERSE_ID)
        assert 100 * COIN + COIN // 5 == world.portfolio.equity
        world.at(20_000)
        assert 2 * (100 * COIN + COIN // 5) == world.portfolio.equity

    def test_also_one_opened_before_its_coins_had_a_price(self) -> None:
        """The market that prices the settle asset is listed last."""
        world = CoreWorld(specs=[THREE[2]], usd=0, btc=BTC)
        world.core.state.holding(world.portfolio, world.state.markets[INVERSE_ID])
        world.do(ListInstrument(spec()))
        world.at(10_000)
        assert COIN == world.portfolio.equity

    def test_exposure_is_worst_case_at_the_mark(self) -> None:
        """The larger of both directions; nothing without a price."""
        world = CoreWorld()
        world.open(BUY, 3 * ONE, 9_900)
        world.open(SELL, ONE, 10_100)
        assert 3 * COIN == world.portfolio.exposure
        world.at(11_000)
        assert 330 * USD == world.portfolio.exposure

    def test_a_market_without_one_side_keeps_its_mark(self) -> None:
        """An empty side is no price."""
        world = CoreWorld(usd=0, btc=BTC)
        world.quote(0, 12_000, SPOT_ID)
        assert COIN == world.portfolio.equity
