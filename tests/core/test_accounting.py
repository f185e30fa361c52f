"""Where the money goes: fills, fees, funding, liquidations and margin, to the last unit."""

from typing import Any

import pytest
from core_world import BTC, INVERSE_ID, LINEAR_ID, MILLION, ONE, SPOT_ID, CoreWorld, spec
from hypothesis import given, settings
from hypothesis import strategies as st

from zvt_trading.messages.codes import BUY, ISOLATED, LINEAR, MAKER, SCOPE_SYMBOL, SELL
from zvt_trading.messages.commands import (
    Deposit,
    LimitSet,
    ListInstrument,
    SetLeverage,
    SetLimits,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import Fill, FundingPaid, Liquidated

USD = 10**8
HUNDRED_BTC = 100 * BTC


class TestSpot:
    @pytest.mark.parametrize("side", [BUY, SELL])
    @pytest.mark.parametrize("fee", [0, 123, -77])
    def test_a_fee_in_quote(self, side: int, fee: int) -> None:
        """Comes out of the quote balance; a rebate goes in."""
        world = CoreWorld()
        world.fill(world.open(side, ONE, 10_000), fee=fee)
        assert MILLION - side * 100 * USD - fee == world.balance().total
        assert HUNDRED_BTC + side * BTC == world.balance("BTC").total
        assert fee == world.holding().fees

    @pytest.mark.parametrize(("fee", "position"), [(10**5, 999), (10**5 + 1, 999), (99_999, 1000)])
    def test_a_fee_in_coins(self, fee: int, position: int) -> None:
        """Whole quantity units leave the position, the rest waits; the coins are exact."""
        world = CoreWorld()
        world.fill(world.open(BUY, ONE, 10_000), fee=fee, asset="BTC")
        assert HUNDRED_BTC + BTC - fee == world.balance("BTC").total
        assert position == world.position()
        assert 100 * fee == world.holding().fees  # worth a hundred dollars a coin

    @pytest.mark.parametrize("more", [ONE, ONE + 1])
    def test_a_position_limit_is_about_what_fees_in_coins_have_left(self, more: int) -> None:
        """Of 1 coin 0.999 are there: 1 more makes 1.999, which is allowed, and no unit above it."""
        world = CoreWorld()
        world.fill(world.open(BUY, ONE, 10_000), fee=10**5, asset="BTC")
        limits = LimitSet(scope=SCOPE_SYMBOL, key="BTC/USD", position_quantity_max=2 * ONE - 1)
        world.do(SetLimits(limits))
        world.submit(BUY, more, 10_000)
        assert ["OrderPlaced" if more == ONE else "OrderRefused"] == world.names()

    def test_a_fee_in_a_third_asset(self) -> None:
        """Comes out of that asset's balance on the venue, which is opened if need be."""
        world = CoreWorld()
        world.do(ListInstrument(spec("BNB/USD", base="BNB")))
        world.do(Deposit("main", "x", "BNB", 5 * BTC))
        world.fill(world.open(BUY, ONE, 10_000), fee=BTC, asset="BNB")
        assert 4 * BTC == world.balance("BNB").total
        assert MILLION - 100 * USD == world.balance().total
        assert 0 == world.holding().fees

    def test_profit_is_in_the_cash(self) -> None:
        """Bought at 100, sold at 101: a dollar more, and it is realised."""
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000)
        world.trade_now(SELL, ONE, 10_100, at=10_100)
        assert MILLION + USD == world.balance().total
        assert USD == world.holding().position.realized


class TestPerpetuals:
    @pytest.mark.parametrize(("side", "gain"), [(BUY, USD), (SELL, -USD)])
    def test_only_what_is_realised_moves_cash(self, side: int, gain: int) -> None:
        """Opening moves nothing; closing a dollar higher earns or loses one."""
        world = CoreWorld()
        world.trade_now(side, ONE, 10_000, instrument=LINEAR_ID)
        assert MILLION == world.balance().total
        world.trade_now(-side, ONE, 10_100, at=10_100, instrument=LINEAR_ID)
        assert MILLION + gain == world.balance().total

    def test_inverse_contracts_pay_in_coins(self) -> None:
        """100 dollars a contract: bought at 100, sold at 125, earns 1 - 0.8 coins each."""
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000, instrument=INVERSE_ID)
        world.at(12_500, INVERSE_ID)
        world.trade_now(SELL, ONE, 12_500, at=12_500, instrument=INVERSE_ID)
        assert HUNDRED_BTC + BTC // 5 == world.balance("BTC").total

    def test_fees_come_out_of_the_settle_asset(self) -> None:
        """Whatever the kind."""
        world = CoreWorld()
        world.fill(world.open(BUY, ONE, 10_000, instrument=LINEAR_ID), fee=7)
        world.fill(world.open(BUY, ONE, 10_000, instrument=INVERSE_ID), fee=9, asset="BTC")
        assert (MILLION - 7, HUNDRED_BTC - 9) == (
            world.balance().total, world.balance("BTC").total,
        )  # fmt: skip
        assert (7, 9) == (world.holding(LINEAR_ID).fees, world.holding(INVERSE_ID).fees)

    def test_margin_follows_the_entry_value(self) -> None:
        """Over the leverage: tied up with the fill, freed with the close, moved by a flip."""
        world = CoreWorld()
        world.do(SetLeverage("main", LINEAR_ID, 4, 0))
        balance = world.balance()
        seen = []
        for side, quantity in ((BUY, 2 * ONE), (SELL, ONE), (SELL, 3 * ONE), (BUY, 2 * ONE)):
            world.trade_now(side, quantity, 10_000, instrument=LINEAR_ID)
            seen.append(balance.margin // USD)
        assert [50, 25, 50, 0] == seen
        assert MILLION == balance.available()

    def test_isolated_and_cross(self) -> None:
        """Only ISOLATED has a liquidation price of its own."""
        world = CoreWorld()
        world.do(SetLeverage("main", LINEAR_ID, 5, ISOLATED))
        world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
        assert world.holding(LINEAR_ID).position.liquidation_price > 0
        world.trade_now(BUY, ONE, 10_000, instrument=INVERSE_ID)
        assert 0 == world.holding(INVERSE_ID).position.liquidation_price

    @pytest.mark.parametrize("amount", [12_345, -12_345])
    def test_funding(self, amount: int) -> None:
        """Paid by us when positive, received when negative."""
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
        world.report(FundingPaid("main", LINEAR_ID, 10_000, amount, "f", 0))
        assert MILLION - amount == world.balance().total
        (usd,) = [row for row in world.state.ledger.proof("main") if row.asset == "USD"]
        assert (-amount, 0) == (usd.funding, usd.difference)

    def test_a_liquidation_takes_the_margin_and_no_more(self) -> None:
        """The insurance fund bears what goes beyond."""
        world = CoreWorld()
        world.do(SetLeverage("main", LINEAR_ID, 10, ISOLATED))
        world.trade_now(BUY, 10 * ONE, 10_000, instrument=LINEAR_ID)
        world.report(Liquidated("main", LINEAR_ID, SELL, 8_900, 10 * ONE, 0, 10 * USD, "l", 0))
        assert MILLION - 100 * USD == world.balance().total
        (usd,) = [row for row in world.state.ledger.proof("main") if row.asset == "USD"]
        assert (10 * USD, 0) == (usd.insurance, usd.difference)


class TestReservations:
    def test_a_perpetual_order_reserves_for_what_it_opens(self) -> None:
        """A flip reserves for the part beyond flat."""
        world = CoreWorld(specs=[spec("BTC/USD:USD", LINEAR, taker_fee=0)], btc=0)
        world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
        order = world.order(world.submit(SELL, 3 * ONE, 10_000, instrument=LINEAR_ID))
        assert 200 * USD == order.hold

    def test_too_little_for_the_margin(self) -> None:
        """The reason names what is needed and what is there."""
        world = CoreWorld(usd=50 * USD)
        world.submit(BUY, ONE, 10_000, instrument=LINEAR_ID)
        assert Reason.INSUFFICIENT_MARGIN == world.why()

    def test_the_exposure_counts_what_is_open(self) -> None:
        """Position and working orders at worst case, at the mark."""
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
        world.open(BUY, ONE, 9_900, instrument=LINEAR_ID)
        assert 200 * USD == world.portfolio.exposure
        world.open(SELL, 5 * ONE, 10_100, instrument=LINEAR_ID)
        assert 400 * USD == world.portfolio.exposure


def test_while_auditing_every_movement_has_two_sides() -> None:
    """The postings of the last event, into one account and out of another."""
    world = CoreWorld()
    world.state.ledger.audit = True
    world.fill(world.open(BUY, ONE, 10_000), fee=7)
    postings = world.state.ledger.postings
    assert 6 == len(postings)
    assert {"USD": 0, "BTC": 0} == {
        asset: sum(posting.amount for posting in postings if posting.asset == asset)
        for asset in ("USD", "BTC")
    }


PIECES = st.tuples(
    st.sampled_from([SPOT_ID, LINEAR_ID, INVERSE_ID]),
    st.sampled_from([BUY, SELL]),
    st.integers(1, 5_000),
    st.integers(9_800, 10_200),
    st.integers(-50_000, 50_000),
    st.sampled_from(["settle", "base"]),
)


@settings(max_examples=60)
@given(st.lists(PIECES, max_size=12))
def test_any_fills_leave_the_books_right(pieces: list[Any]) -> None:
    """Cash, lots, margin, equity and the replay agree after every fill (`CoreWorld.step`)."""
    world = CoreWorld(btc=10 * HUNDRED_BTC)
    for number, (instrument, side, quantity, price, fee, paid_in) in enumerate(pieces):
        order_id = world.open(side, quantity, price, instrument=instrument)
        world.at(price, instrument)
        if order_id not in world.state.orders:
            continue
        settle = world.state.markets[instrument].instrument.settle
        asset = "BTC" if paid_in == "base" and instrument == SPOT_ID else settle
        half = max(1, quantity // 2)
        world.report(Fill(order_id, f"a{number}", price, half, MAKER, asset, fee, 0))
        world.cancelled(order_id, filled=half)
    assert all(row.difference == 0 for row in world.state.ledger.proof("main"))
