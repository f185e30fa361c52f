"""Perpetuals at the simulated venue: margin, profit, funding and liquidation, by hand computed."""

from typing import Any

import pytest
from msgspec.structs import replace
from venue_world import ME, PERP_ID, PERP_SPEC, SPOT_ID, USDT, World, names

from zvt_trading.messages.codes import BUY, CROSS, INVERSE, ISOLATED, SELL
from zvt_trading.messages.market import FundingRate, MarginTier, MarkPrice
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import FundingPaid, VenueCancelled

OTHER_ID = "binance:ETH/USDT:USDT"
INVERSE_ID = "binance:BTC/USD:BTC"


def perpetual(leverage: int = 10, mode: int = ISOLATED, usdt: int = 1_000, fee: int = 0) -> World:
    """One perpetual at 100.00/100.10 (a taker pays `fee`), `usdt` in the account."""
    world = World(perp=replace(PERP_SPEC, maker_fee=0, taker_fee=fee))
    world.fund(usdt=usdt)
    assert world.exchange.set_leverage(ME, PERP_ID, leverage, mode)
    world.quote(10_000, 10_000, size=100_000, instrument=PERP_ID)
    return world


def mark(world: World, price: int, instrument: str = PERP_ID) -> list[Any]:
    """The venue's mark price becomes this."""
    world.now += 1
    return world.market(MarkPrice(instrument, price, world.now))


def trade_at(world: World, side: int, quantity: int, price: int, instrument: str = PERP_ID) -> None:
    """A market order filled whole at this price."""
    world.quote(price, price, size=100_000, instrument=instrument)
    assert ["VenueAccepted", "Fill"] == names(world.order(side, quantity, instrument=instrument))


def test_opening_ties_up_the_initial_margin() -> None:
    """2 BTC at 100 with 10x: 20 USDT of margin, no cash moved."""
    world = perpetual()
    trade_at(world, BUY, 2_000, 10_000)
    seat = world.exchange.seat(ME, PERP_ID)
    assert (2_000, 200 * USDT, 20 * USDT) == (seat.quantity, seat.cost, seat.margin)
    assert (1_000 * USDT, 20 * USDT) == (world.total(), seat.settle.margin)
    assert world.exchange.seat("other", PERP_ID) is None


def test_closing_realises_at_the_average_cost() -> None:
    """1 at 100 and 1 at 110; selling 0.5 at 120 earns 7.50, the rest at 100 loses 7.50."""
    world = perpetual()
    trade_at(world, BUY, 1_000, 10_000)
    trade_at(world, BUY, 1_000, 11_000)
    trade_at(world, SELL, 500, 12_000)
    assert 1_007_50000000 == world.total()
    trade_at(world, SELL, 1_500, 10_000)
    assert 1_000 * USDT == world.total()
    seat = world.exchange.seat(ME, PERP_ID)
    assert (0, 0, 0) == (seat.quantity, seat.cost, seat.margin)
    assert world.exchange.problems() == []


def test_a_flip_closes_and_opens_the_rest() -> None:
    """Long 1 at 100, sell 3 at 110: +10, and short 2 costing 220."""
    world = perpetual()
    trade_at(world, BUY, 1_000, 10_000)
    trade_at(world, SELL, 3_000, 11_000)
    seat = world.exchange.seat(ME, PERP_ID)
    assert (-2_000, 220 * USDT, 1_010 * USDT) == (seat.quantity, seat.cost, world.total())
    mark(world, 10_500)
    assert 10 * USDT == seat.unrealized()
    trade_at(world, BUY, 2_000, 10_000)
    assert 1_030 * USDT == world.total()


def test_inverse_contracts_settle_in_base() -> None:
    """100 contracts of 100 USD: long at 10,000 costs 1 BTC, at 12,500 is worth 0.8: +0.2 BTC."""
    spec = replace(
        PERP_SPEC, symbol="BTC/USD:BTC", kind=INVERSE, quote="USD", settle="BTC", quantity_scale=0,
        lot=1, quantity_min=1, contract_size=100, price_max=0, taker_fee=0,
    )  # fmt: skip
    world = World(perp=spec)
    world.fund(btc=2)
    trade_at(world, BUY, 100, 1_000_000, INVERSE_ID)
    seat = world.exchange.seat(ME, INVERSE_ID)
    assert 10**8 == seat.cost
    world.quote(1_250_000, 1_250_000, instrument=INVERSE_ID)
    assert 20_000_000 == seat.unrealized()
    trade_at(world, SELL, 100, 1_250_000, INVERSE_ID)
    assert 2 * 10**8 + 20_000_000 == world.total("BTC")
    trade_at(world, SELL, 100, 1_000_000, INVERSE_ID)
    trade_at(world, BUY, 100, 1_250_000, INVERSE_ID)
    assert 2 * 10**8 == world.total("BTC")
    assert world.exchange.problems() == []


@pytest.mark.parametrize(
    ("side", "rate", "paid"), [(BUY, 10_000, 2), (SELL, 10_000, -2), (BUY, -10_000, -2)]
)
def test_longs_pay_positive_funding(side: int, rate: int, paid: int) -> None:
    """2 BTC at a mark of 100 and 1 bp: 0.02 USDT."""
    world = perpetual()
    trade_at(world, side, 2_000, 10_000)
    (report,) = world.exchange.on_market(50, FundingRate(PERP_ID, rate, 10_000, 50))
    amount = paid * USDT // 100
    assert FundingPaid(ME, PERP_ID, rate, amount, f"{PERP_ID}-50", 50) == report
    assert 1_000 * USDT - amount == world.total()
    assert amount == world.exchange.assets["USDT"].funding
    assert world.exchange.problems() == []


def test_who_is_flat_neither_pays_nor_gets() -> None:
    """No position, no funding."""
    world = perpetual()
    trade_at(world, BUY, 2_000, 10_000)
    trade_at(world, SELL, 2_000, 10_000)
    assert [] == world.exchange.on_market(50, FundingRate(PERP_ID, 10_000, 10_000, 50))


def test_orders_that_reduce_need_no_margin() -> None:
    """All the money in one position: closing it with a resting order is still possible."""
    world = perpetual(leverage=1, usdt=100)
    trade_at(world, BUY, 1_000, 10_000)
    assert Reason.VENUE_BALANCE == world.order(BUY, 100, 9_000, instrument=PERP_ID)[0].reason
    assert ["VenueAccepted"] == names(world.order(SELL, 1_000, 11_000, instrument=PERP_ID))
    assert 0 == world.locked()


def test_a_cross_loss_is_not_free_money() -> None:
    """Equity, not the wallet, backs new orders: 100 - 30 loss - 10 margin leaves 60."""
    world = perpetual(mode=CROSS, usdt=100)
    trade_at(world, BUY, 1_000, 10_000)
    mark(world, 7_000)
    account = world.exchange.account(ME)
    assert 60 * USDT == account.free(account.balance("USDT"))
    mark(world, 13_000)
    assert 90 * USDT == account.free(account.balance("USDT"))


LIQUIDATION_PRICES = [
    # margin m of the notional, maintenance 1 %: long p = 100 (1 - m) / (1 - 0.01), rounded up.
    ("long 10x", BUY, 10, 9_091),  # 90 / 0.99 = 90.909..
    ("long 50x", BUY, 50, 9_899),  # 98 / 0.99 = 98.989..
    ("short 10x", SELL, 10, 10_891),  # 110 / 1.01 = 108.9108.. rounded down
    ("short 2x", SELL, 2, 14_851),  # 150 / 1.01 = 148.5148..
]


@pytest.mark.parametrize(
    ("side", "leverage", "price"),
    [row[1:] for row in LIQUIDATION_PRICES],
    ids=[row[0] for row in LIQUIDATION_PRICES],
)  # fmt: skip
def test_isolated_liquidation_happens_at_its_price(side: int, leverage: int, price: int) -> None:
    """Not one price unit before; there, or beyond, the position is gone."""
    world = perpetual(leverage)
    trade_at(world, side, 1_000, 10_000)
    away = side  # one unit towards safety
    assert [] == mark(world, price + away)
    # The formula rounds against us: at the rounded price the margin is just not exhausted yet.
    beyond = mark(world, price - away)
    assert ["Liquidated"] == names(beyond)
    assert (-side, price - away, 1_000, 0, 0) == (
        beyond[0].side, beyond[0].price, beyond[0].quantity, beyond[0].fee, beyond[0].insurance
    )  # fmt: skip
    assert world.exchange.problems() == []


def test_bybits_published_example() -> None:
    """Long 1 at 20,000 with 50x and 0.5 % on the entry value: 19,700.

    Maintenance at the entry notional is a deduction-free tier of rate 0 with 100 USDT less margin.
    """
    tier = MarginTier(notional_max=0, maintenance_rate=0, deduction=-100 * USDT, leverage_max=100)
    spec = replace(PERP_SPEC, price_max=0, taker_fee=0, margin_tiers=(tier,))
    world = World(perp=spec)
    world.fund(usdt=1_000)
    world.exchange.set_leverage(ME, PERP_ID, 50, ISOLATED)
    trade_at(world, BUY, 1_000, 2_000_000)
    assert [] == mark(world, 1_970_001)
    assert ["Liquidated"] == names(mark(world, 1_970_000))


def test_liquidation_takes_no_more_than_the_isolated_margin() -> None:
    """Marked far beyond bankruptcy: closed at the bankruptcy price, the fund bears the fee."""
    world = perpetual(leverage=10, fee=100_000)
    trade_at(world, BUY, 1_000, 10_000)
    before = world.total()
    (report,) = mark(world, 5_000)
    # Bankrupt at 90.00; 10 bps of 90 are 0.09, which the lost margin of 10 cannot pay.
    assert (SELL, 9_000, 9_000_000, 9_000_000) == (
        report.side, report.price, report.fee, report.insurance
    )  # fmt: skip
    assert before - 10 * USDT == world.total()
    assert 9_000_000 == world.exchange.assets["USDT"].insurance
    assert world.exchange.problems() == []


def test_a_short_is_bought_back_at_its_bankruptcy_price() -> None:
    """Short 1 at 100 with 10x is bankrupt at 110."""
    world = perpetual(leverage=10)
    trade_at(world, SELL, 1_000, 10_000)
    (report,) = mark(world, 20_000)
    assert (BUY, 11_000, 990 * USDT) == (report.side, report.price, world.total())


def test_the_positions_orders_are_cancelled_first() -> None:
    """Isolated: this instrument's, and no others."""
    world = perpetual(leverage=10)
    world.quote(10_000, 10_010)
    world.order(BUY, 1_000, 9_000)
    trade_at(world, BUY, 1_000, 10_000)
    world.order(SELL, 1_000, 12_000, instrument=PERP_ID)
    first, second = mark(world, 9_000)
    assert VenueCancelled("o3", Reason.LIQUIDATION, world.now, 0) == first
    assert ["Liquidated"] == names([second])
    assert ["o1"] == [order.id for order in world.exchange.open_orders()]


def cross_pair(usdt: int) -> World:
    """Two cross positions at 100.00: long 1 BTC, long 1 ETH, with 20x."""
    world = perpetual(leverage=20, mode=CROSS, usdt=usdt)
    spec = replace(PERP_SPEC, symbol="ETH/USDT:USDT", base="ETH", maker_fee=0, taker_fee=0)
    market = type(world.exchange.desk.listings[PERP_ID].market)
    world.exchange.list_instrument(spec, market())
    world.exchange.set_leverage(ME, OTHER_ID, 20, CROSS)
    trade_at(world, BUY, 1_000, 10_000)
    trade_at(world, BUY, 1_000, 10_000, OTHER_ID)
    mark(world, 10_000)
    mark(world, 10_000, OTHER_ID)
    return world


def test_cross_positions_share_the_wallet_and_the_worst_goes_first() -> None:
    """Wallet 20: BTC at 81.90 leaves equity 1.90 over 1.819 maintenance; at 81.80 BTC is closed.

    Equity 20 - 18.20 = 1.80 <= 0.818 + 1.00. The ETH position survives with 1.80 over 1.00.
    """
    world = cross_pair(20)
    world.quote(10_000, 10_010)
    world.order(BUY, 50, 10_000)
    world.exchange.credit("other", "USDT", 100 * USDT)
    world.order(BUY, 50, 10_000, account="other")
    assert [] == mark(world, 8_190)
    cancelled, liquidated = mark(world, 8_180)
    assert VenueCancelled("o3", Reason.LIQUIDATION, world.now, 0) == cancelled
    assert (PERP_ID, 8_180, 0) == (liquidated.instrument, liquidated.price, liquidated.insurance)
    assert 180_000_000 == world.total()
    other = world.exchange.seat(ME, OTHER_ID)
    assert 1_000 == other.quantity
    assert world.exchange.problems() == []


def test_when_all_is_lost_the_fund_covers_the_rest() -> None:
    """Both crash at once: the wallet ends at zero, never below."""
    world = cross_pair(20)
    seat = world.exchange.seat(ME, OTHER_ID)
    seat.instrument.mark = 5_000
    reports = mark(world, 6_000)
    assert [OTHER_ID, PERP_ID] == [report.instrument for report in reports]
    assert 0 == world.total()
    assert world.exchange.problems() == []


def test_a_wallet_larger_than_the_position_has_no_bankruptcy_price() -> None:
    """Wallet 150, two longs of 100 both at 25: the first closes at the mark, then none is left."""
    world = cross_pair(150)
    assert [] == mark(world, 2_500, OTHER_ID)
    first, second = mark(world, 2_500)
    assert [2_500, 2_500] == [first.price, second.price]
    assert 0 == world.total()


def test_an_isolated_margin_is_not_the_cross_positions_money() -> None:
    """Isolated BTC keeps its margin of 5 while cross ETH loses all the rest."""
    world = perpetual(leverage=20, mode=ISOLATED, usdt=20)
    spec = replace(PERP_SPEC, symbol="ETH/USDT:USDT", base="ETH", maker_fee=0, taker_fee=0)
    world.exchange.list_instrument(spec, type(world.exchange.desk.listings[PERP_ID].market)())
    world.exchange.set_leverage(ME, OTHER_ID, 20, CROSS)
    trade_at(world, BUY, 1_000, 10_000)
    trade_at(world, BUY, 1_000, 10_000, OTHER_ID)
    (report,) = mark(world, 5_000, OTHER_ID)
    assert 8_500 == report.price  # what the cross wallet of 15 can pay
    assert 5 * USDT == world.total()
    (report,) = mark(world, 5_000)
    assert 0 == world.total()


def test_reduce_only_orders_shrink_with_the_position() -> None:
    """One larger than the position that is left is cancelled; a fitting one works on."""
    world = perpetual()
    trade_at(world, BUY, 1_000, 10_000)
    world.order(SELL, 1_000, 11_000, instrument=PERP_ID, reduce_only=True)
    world.order(SELL, 500, 11_000, instrument=PERP_ID, reduce_only=True)
    reports = world.order(SELL, 500, instrument=PERP_ID)
    assert ["VenueAccepted", "Fill", "VenueCancelled"] == names(reports)
    assert VenueCancelled("o2", Reason.VENUE_REDUCE_ONLY, world.now, 0) == reports[2]
    assert ["o3"] == [order.id for order in world.exchange.open_orders()]
    (failed,) = world.exchange.amend(9, "o3", 0, 600)
    assert Reason.VENUE_REDUCE_ONLY == failed.reason


def test_reduce_only_means_nothing_on_spot() -> None:
    """Spot venues know no such flag."""
    world = perpetual()
    world.quote(10_000, 10_010)
    assert ["VenueAccepted", "Fill"] == names(world.order(BUY, 100, reduce_only=True))


@pytest.mark.parametrize(
    ("instrument", "leverage", "mode"),
    [
        ("binance:X", 5, CROSS),
        (SPOT_ID, 5, CROSS),
        (PERP_ID, 0, CROSS),
        (PERP_ID, 101, CROSS),
        (PERP_ID, 5, 7),
    ],
)
def test_leverage_that_does_not_exist(instrument: str, leverage: int, mode: int) -> None:
    """Only perpetuals, within 1..maximum, cross or isolated."""
    assert not perpetual().exchange.set_leverage(ME, instrument, leverage, mode)


def test_leverage_changes_only_while_flat_and_without_orders() -> None:
    """As on the real venues in their strictest mode."""
    world = perpetual()
    world.order(BUY, 100, 9_000, instrument=PERP_ID)
    assert not world.exchange.set_leverage(ME, PERP_ID, 5, CROSS)
    world.exchange.cancel_all(9, ME)
    trade_at(world, BUY, 1_000, 10_000)
    assert not world.exchange.set_leverage(ME, PERP_ID, 5, CROSS)


def test_markets_that_move_by_themselves_are_collected() -> None:
    """Without a mark feed the mark is the mid; `collect` finds what happened meanwhile."""
    world = perpetual()
    trade_at(world, BUY, 1_000, 10_000)
    market = world.exchange.desk.listings[PERP_ID].market
    assert [] == world.exchange.collect(world.now)
    world.exchange.desk.listings[PERP_ID].instrument.mark = 0
    assert [] == world.exchange.collect(world.now)
    assert (market.best_bid() + market.best_ask()) // 2 == (
        world.exchange.desk.listings[PERP_ID].instrument.mark
    )
