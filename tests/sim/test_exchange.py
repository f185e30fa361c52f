"""The simulated venue: what it refuses, in which order it reports, what it books on spot."""

from typing import Any

import pytest
from msgspec.structs import replace
from venue_world import BTC, ME, PERP_ID, PERP_SPEC, SPOT_ID, SPOT_SPEC, USDT, World, names, ready

from zvt_trading.core.fees import RECEIVED, THIRD, FeeSchedule
from zvt_trading.messages.codes import (
    BUY,
    FOK,
    GTD,
    INVERSE,
    IOC,
    LIMIT,
    MARKET,
    SELL,
    STOP,
    TRAILING_STOP,
)
from zvt_trading.messages.market import Bar, BookDelta, BookSnapshot, VenueStatus
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    AmendFailed,
    CancelFailed,
    Fill,
    VenueAccepted,
    VenueAmended,
    VenueCancelled,
    VenueExpired,
    VenueRejected,
)
from zvt_trading.sim.exchange import DUPLICATE_OPEN, DUPLICATE_RETURNED, SimExchange
from zvt_trading.sim.record import ROW_REJECTED

REJECTS = [
    ("unknown account", {"account": "nobody"}, Reason.VENUE_REJECTED, "no account"),
    ("unknown instrument", {"instrument": "binance:X/Y"}, Reason.VENUE_REJECTED, "no instrument"),
    ("no side", {"side": 0}, Reason.VENUE_REJECTED, "side 0"),
    ("trailing stop", {"order_type": TRAILING_STOP}, Reason.VENUE_REJECTED, "order type 6"),
    ("stop on spot", {"order_type": STOP, "trigger_price": 10}, Reason.VENUE_REJECTED, "stop"),
    (
        "stop without trigger", {"order_type": STOP, "instrument": PERP_ID},
        Reason.VENUE_REJECTED, "trigger",
    ),
    ("expired already", {"tif": GTD, "expire_ts": 5}, Reason.VENUE_REJECTED, "expiry 5"),
    ("post-only market", {"price": 0, "post_only": True}, Reason.VENUE_REJECTED, "limit orders"),
    ("zero quantity", {"quantity": 0}, Reason.VENUE_FILTER, "lot 10"),
    ("off the lot", {"quantity": 105}, Reason.VENUE_FILTER, "lot 10"),
    ("too small", {"quantity": 10}, Reason.VENUE_FILTER, "minimum 20"),
    ("too large", {"quantity": 100_010}, Reason.VENUE_FILTER, "maximum 100000"),
    ("off the tick", {"price": 9_995}, Reason.VENUE_FILTER, "tick 10"),
    ("negative price", {"price": -10}, Reason.VENUE_FILTER, "tick 10"),
    ("price too low", {"price": 90}, Reason.VENUE_FILTER, "minimum 100"),
    ("price too high", {"price": 1_000_010}, Reason.VENUE_FILTER, "maximum 1000000"),
    ("notional", {"price": 1_000, "quantity": 490}, Reason.VENUE_FILTER, "notional 490000000"),
    ("market notional", {"price": 0, "quantity": 40}, Reason.VENUE_FILTER, "notional"),
    (
        "trigger off the tick",
        {"order_type": STOP, "instrument": PERP_ID, "trigger_price": 5, "price": 0},
        Reason.VENUE_FILTER, "tick 10",
    ),
    ("too dear", {"quantity": 11_000}, Reason.VENUE_BALANCE, "not enough USDT"),
    ("too dear at market", {"price": 0, "quantity": 10_000}, Reason.VENUE_BALANCE, "USDT"),
    ("not ours to sell", {"side": SELL, "quantity": 2_010}, Reason.VENUE_BALANCE, "not enough BTC"),
    (
        "margin", {"instrument": PERP_ID, "quantity": 20_000},
        Reason.VENUE_BALANCE, "not enough USDT",
    ),
    ("takes", {"price": 10_010, "post_only": True}, Reason.VENUE_POST_ONLY, "take liquidity"),
    (
        "fill or kill", {"price": 10_010, "quantity": 1_010, "tif": FOK},
        Reason.VENUE_FILL_OR_KILL, "at once",
    ),
    (
        "nothing to reduce", {"instrument": PERP_ID, "reduce_only": True},
        Reason.VENUE_REDUCE_ONLY, "open a position",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason", "text"), [row[1:] for row in REJECTS], ids=[row[0] for row in REJECTS]
)
def test_every_refusal(change: dict[str, Any], reason: Reason, text: str) -> None:
    """Each is one VenueRejected with its code; nothing is kept, locked or booked but the row."""
    world = ready()
    order: dict[str, Any] = {"side": BUY, "quantity": 100, "price": 9_900} | change
    if order.get("order_type") in (STOP, TRAILING_STOP):
        order["price"] = 0
    (report,) = world.order(**order)
    assert isinstance(report, VenueRejected)
    assert (reason, "o1") == (report.reason, report.order_id)
    assert text in report.text
    assert world.exchange.query("o1") is None
    assert world.exchange.open_orders() == []
    assert (ROW_REJECTED, reason) == (
        world.exchange.record.rows[-1].kind, world.exchange.record.rows[-1].reason
    )  # fmt: skip
    assert world.exchange.problems() == []
    assert (1_000 * USDT, 0) == (world.total(), world.locked())


def test_a_venue_without_post_only_refuses_it() -> None:
    """A capability of the instrument."""
    world = ready(spot=replace(SPOT_SPEC, post_only_supported=False))
    (report,) = world.order(BUY, 100, 9_900, post_only=True)
    assert "post-only is not offered" in report.text


def test_the_rate_limit_counts_orders_in_a_second() -> None:
    """The third order of a second is refused; the next second takes orders again."""
    world = ready(rate=2)
    reports = [world.order(BUY, 100, 9_900)[0] for _ in range(3)]
    assert ["VenueAccepted", "VenueAccepted", "VenueRejected"] == names(reports)
    assert Reason.VENUE_RATE_LIMIT == reports[2].reason
    world.now += 1_000_000_000
    assert ["VenueAccepted"] == names(world.order(BUY, 100, 9_900))


def test_duplicate_ids_by_policy() -> None:
    """Refused for ever; or while open; or answered with the order that is there."""
    for_ever, while_open = ready(), ready(policy=DUPLICATE_OPEN)
    returned = ready(policy=DUPLICATE_RETURNED)
    for world in (for_ever, while_open, returned):
        world.order(BUY, 100, 9_900, order_id="x")
    again = [world.order(BUY, 100, 9_900, order_id="x")[0] for world in (for_ever, while_open)]
    assert [Reason.VENUE_DUPLICATE_ID] * 2 == [report.reason for report in again]
    assert [returned.exchange.query("x")] == returned.order(BUY, 100, 9_900, order_id="x")
    for world in (for_ever, while_open, returned):
        world.exchange.cancel(world.now, "x")
    assert Reason.VENUE_DUPLICATE_ID == for_ever.order(BUY, 100, 9_900, order_id="x")[0].reason
    assert ["VenueAccepted"] == names(while_open.order(BUY, 100, 9_900, order_id="x"))
    assert ["VenueCancelled"] == names(returned.order(BUY, 100, 9_900, order_id="x"))


def test_a_market_buy_settles_with_the_taker_fee_in_quote() -> None:
    """0.5 BTC at 100.10 = 50.05 USDT and 20 bps of it."""
    world = ready()
    accepted, fill = world.order(BUY, 500)
    assert isinstance(accepted, VenueAccepted)
    assert fill == Fill("o1", "1", 10_010, 500, 2, "USDT", 10_010_000, fill.ts)
    assert 1_000 * USDT - 5_005_000_000 - 10_010_000 == world.total()
    assert 2 * BTC + BTC // 2 == world.total("BTC")
    assert world.exchange.problems() == []
    assert 10_010_000 == world.exchange.assets["USDT"].fees


def test_reports_come_in_the_venues_order() -> None:
    """Accepted, then the fill, then the end of the rest with the total filled."""
    world = ready()
    reports = world.order(BUY, 1_500)
    assert ["VenueAccepted", "Fill", "VenueCancelled"] == names(reports)
    assert VenueCancelled("o1", Reason.VENUE_NO_LIQUIDITY, world.now, 1_000) == reports[2]
    reports = world.order(SELL, 1_500, 10_000, tif=IOC)
    assert VenueCancelled("o2", Reason.IMMEDIATE_OR_CANCEL, world.now, 1_000) == reports[2]


def test_a_market_order_without_a_market_is_taken_and_cancelled() -> None:
    """Nobody on the other side is not a refusal."""
    world = World()
    world.fund(usdt=100)
    accepted, cancelled = world.order(BUY, 500)
    assert isinstance(accepted, VenueAccepted)
    assert VenueCancelled("o1", Reason.VENUE_NO_LIQUIDITY, world.now, 0) == cancelled


def test_a_worst_price_bounds_a_market_order() -> None:
    """An ask above it is not taken."""
    world = ready()
    assert ["VenueAccepted", "VenueCancelled"] == names(world.order(BUY, 500, worst_price=10_000))
    assert ["VenueAccepted", "Fill"] == names(world.order(BUY, 500, worst_price=10_020))


def test_a_market_buy_is_bounded_by_what_it_can_afford() -> None:
    """1,000 USDT cannot pay 1 BTC at 1,002: a worst price beyond the means does not matter."""
    world = ready()
    world.quote(10_000, 99_900)
    assert Reason.VENUE_BALANCE == world.order(BUY, 1_000)[0].reason
    world.quote(10_000, 99_800)
    assert ["VenueAccepted", "Fill"] == names(world.order(BUY, 1_000, worst_price=500_000))
    assert 0 <= world.total() < USDT


def test_a_resting_order_locks_and_fills_as_maker() -> None:
    """The lock is the notional and the taker fee at worst; what is left of it follows the rest."""
    world = ready()
    assert ["VenueAccepted"] == names(world.order(BUY, 1_000, 9_900))
    assert 9_900_000_000 + 19_800_000 == world.locked()
    (fill,) = world.trade(9_890, 400)
    assert (9_900, 400, 1, "USDT", 3_960_000) == (
        fill.price, fill.quantity, fill.liquidity, fill.fee_asset, fill.fee
    )  # fmt: skip
    assert 5_940_000_000 + 11_880_000 == world.locked()
    assert world.exchange.problems() == []
    (last,) = world.trade(9_890, 5_000)
    assert 600 == last.quantity
    assert 0 == world.locked()
    assert world.exchange.open_orders() == []


def test_a_resting_sell_locks_the_base_asset() -> None:
    """What is sold is what is locked."""
    world = ready()
    world.order(SELL, 2_000, 10_100)
    assert (0, 2 * BTC) == (world.locked(), world.locked("BTC"))
    assert Reason.VENUE_BALANCE == world.order(SELL, 50, 10_100)[0].reason
    assert not world.exchange.debit(ME, "BTC", 1)


def test_cancelling() -> None:
    """The order ends and its money is free; a second cancel, or an unknown id, fails."""
    world = ready()
    world.order(BUY, 1_000, 9_900)
    assert [VenueCancelled("o1", Reason.USER, 9, 0)] == world.exchange.cancel(9, "o1")
    assert 0 == world.locked()
    for order_id in ("o1", "never"):
        (failed,) = world.exchange.cancel(9, order_id)
        assert isinstance(failed, CancelFailed)
        assert Reason.VENUE_UNKNOWN_ORDER == failed.reason
    assert world.trade(9_000, 5_000) == []


def test_cancelling_all_of_an_account() -> None:
    """On one instrument or on all, oldest first; other accounts keep theirs."""
    world = ready()
    world.exchange.credit("other", "USDT", 100 * USDT)
    world.order(BUY, 100, 9_900, account="other")
    world.order(BUY, 100, 9_900)
    world.order(BUY, 100, 9_900, instrument=PERP_ID)
    world.order(SELL, 100, 10_100)
    assert ["o3"] == [r.order_id for r in world.exchange.cancel_all(9, ME, PERP_ID)]
    assert ["o2", "o4"] == [r.order_id for r in world.exchange.cancel_all(9, ME)]
    assert ["o1"] == [order.id for order in world.exchange.open_orders()]
    assert [] == world.exchange.open_orders(ME)


def test_amending() -> None:
    """Price and total quantity change together with the lock; a crossing price executes."""
    world = ready()
    world.order(BUY, 1_000, 9_900)
    assert [VenueAmended("o1", 9_800, 1_000, 9)] == world.exchange.amend(9, "o1", 9_800, 0)
    assert [VenueAmended("o1", 9_800, 500, 9)] == world.exchange.amend(9, "o1", 0, 500)
    assert 4_900_000_000 + 9_800_000 == world.locked()
    assert world.exchange.problems() == []


AMEND_FAILURES = [
    ("below filled", (0, 200), Reason.VENUE_REJECTED),
    ("off the tick", (9_905, 0), Reason.VENUE_FILTER),
    ("off the lot", (0, 505), Reason.VENUE_FILTER),
    ("too small", (100, 210), Reason.VENUE_FILTER),
    ("too dear", (0, 50_000), Reason.VENUE_BALANCE),
]


@pytest.mark.parametrize(
    ("change", "reason"),
    [row[1:] for row in AMEND_FAILURES],
    ids=[row[0] for row in AMEND_FAILURES],
)
def test_a_refused_amend_leaves_the_order_as_it_is(change: tuple[int, int], reason: Reason) -> None:
    """AmendFailed with the code; same price, quantity and lock."""
    world = ready()
    world.order(BUY, 1_000, 9_900)
    world.trade(9_890, 200)
    locked = world.locked()
    (failed,) = world.exchange.amend(9, "o1", *change)
    assert isinstance(failed, AmendFailed)
    assert reason == failed.reason
    order = world.exchange.order("o1")
    assert order is not None
    assert (9_900, 1_000, locked) == (order.price, order.quantity, world.locked())


def test_amends_that_no_order_or_venue_takes() -> None:
    """An unknown order, a venue without amends, a post-only order made to cross."""
    world = ready()
    assert Reason.VENUE_UNKNOWN_ORDER == world.exchange.amend(9, "never", 1, 1)[0].reason
    world.order(BUY, 1_000, 9_900, post_only=True)
    assert Reason.VENUE_POST_ONLY == world.exchange.amend(9, "o1", 10_010, 0)[0].reason
    rigid = ready(spot=replace(SPOT_SPEC, amend_supported=False))
    rigid.order(BUY, 1_000, 9_900)
    assert Reason.VENUE_REJECTED == rigid.exchange.amend(9, "o1", 9_800, 0)[0].reason


def test_good_till_date_expires() -> None:
    """At its time, by the clock or by the market; one that filled before does not."""
    world = ready()
    assert 0 == world.exchange.next_time()
    world.order(BUY, 1_000, 9_900, tif=GTD, expire_ts=5_000)
    world.order(SELL, 100, 10_050, tif=GTD, expire_ts=4_000)
    world.order(BUY, 1_000, 9_800, tif=GTD, expire_ts=9_000)
    world.trade(10_060, 100)
    assert 5_000 == world.exchange.next_time()
    assert [] == world.exchange.on_time(4_999)
    assert [VenueExpired("o1", 5_000, 0)] == world.exchange.on_time(5_000)
    world.now = 9_000
    assert ["VenueExpired"] == names(world.quote(10_000, 10_010))
    assert (0, 0) == (world.exchange.next_time(), world.locked())
    assert VenueExpired("o1", 5_000, 0) == world.exchange.query("o1")


def test_queries_answer_for_every_state() -> None:
    """Accepted also when filled (the fills are asked for); cancelled with what was filled."""
    world = ready()
    world.order(BUY, 1_500)
    world.order(SELL, 500)
    world.order(BUY, 500, 9_900)
    ended = VenueCancelled("o1", Reason.VENUE_NO_LIQUIDITY, 1_003, 1_000)
    assert ended == world.exchange.query("o1")
    assert VenueAccepted("o2", "2", 1_004) == world.exchange.query("o2")
    assert VenueAccepted("o3", "3", 1_005) == world.exchange.query("o3")
    assert world.exchange.query("never") is None
    assert world.exchange.order("never") is None


def test_fills_can_be_fetched_by_cursor_and_by_order() -> None:
    """What was reported can be had again, for one account, one order, or since a row."""
    world = ready()
    first = world.order(BUY, 500)[1]
    cursor = world.exchange.record.seq
    second = world.order(SELL, 500)[1]
    reports = world.exchange.history(0).reports
    fills = [report for report in reports if isinstance(report, Fill)]
    assert [first, second] == fills
    assert second in world.exchange.history(cursor).reports
    assert first not in world.exchange.history(cursor).reports
    assert world.exchange.record.seq == world.exchange.history(cursor).cursor
    assert [second] == world.exchange.fills_of("o2")
    assert [] == world.exchange.fills_of("never")
    assert ["1", "2"] == [fill.trade_id for fill in fills]


def test_a_bounded_history_forgets_closed_orders_only() -> None:
    """With history 2 at most four closed orders and rows are remembered; open ones always."""
    world = ready(history=2)
    world.order(BUY, 100, 9_900, order_id="open")
    for _ in range(10):
        world.order(BUY, 100)
    known = [number for number in range(12) if world.exchange.query(f"o{number}") is not None]
    assert 11 in known
    assert len(known) <= 4
    assert len(world.exchange.record.rows) <= 4
    assert world.exchange.query("open") is not None
    assert ["o11"] == [fill.order_id for fill in world.exchange.fills_of("o11")]


def test_received_fees_come_out_of_what_is_bought() -> None:
    """Binance's rule: a buy pays in base, a sell in quote; and a buy locks no fee."""
    world = ready(schedule=FeeSchedule(100_000, 200_000, RECEIVED))
    fill = world.order(BUY, 500)[1]
    assert ("BTC", 100_000) == (fill.fee_asset, fill.fee)
    assert 2 * BTC + BTC // 2 - 100_000 == world.total("BTC")
    world.order(BUY, 1_000, 9_900)
    assert 9_900_000_000 == world.locked()
    assert world.exchange.problems() == []


def test_a_third_asset_pays_the_fee_while_it_lasts() -> None:
    """25 % off in BNB at 500 USDT: 0.1001 USDT is 0.00015015 BNB; without BNB the quote pays."""
    world = ready(schedule=FeeSchedule(100_000, 200_000, THIRD, "BNB", 25_000_000))
    world.exchange.set_fee_price(SPOT_ID, 1, 500)
    world.exchange.credit(ME, "BNB", 20_000)
    assert [("BNB", 15_015), ("USDT", 10_010_000)] == [
        (fill.fee_asset, fill.fee) for fill in (world.order(BUY, 500)[1], world.order(BUY, 500)[1])
    ]
    unfunded = ready(schedule=FeeSchedule(100_000, 200_000, THIRD, "BNB", 25_000_000))
    unfunded.exchange.set_fee_price(SPOT_ID, 1, 500)
    assert "USDT" == unfunded.order(BUY, 500)[1].fee_asset
    assert world.exchange.problems() == []


def test_credits_and_debits() -> None:
    """Money comes and goes by name; more than is free does not go."""
    world = ready()
    assert world.exchange.debit(ME, "USDT", 400 * USDT)
    assert not world.exchange.debit(ME, "USDT", 601 * USDT)
    assert 600 * USDT == world.total()
    for move in (world.exchange.credit, world.exchange.debit):
        with pytest.raises(ValueError, match="must be > 0"):
            move(ME, "USDT", 0)


def test_an_instrument_is_listed_once_and_on_its_own_venue() -> None:
    """Anything else is a mistake of the caller."""
    world = World()
    with pytest.raises(ValueError, match="cannot be listed on okx"):
        SimExchange("okx").list_instrument(SPOT_SPEC, world.exchange.desk.listings[SPOT_ID].market)
    with pytest.raises(ValueError, match="is already"):
        world.exchange.list_instrument(SPOT_SPEC, world.exchange.desk.listings[SPOT_ID].market)


def test_foreign_market_data_is_ignored() -> None:
    """Other instruments and venue status change nothing."""
    world = ready()
    assert world.quote(1, 2, instrument="okx:BTC/USDT") == []
    assert world.market(VenueStatus("binance", healthy=False, ts=9)) == []
    assert world.trade(9_900, 10, instrument="okx:BTC/USDT") == []
    assert world.market(Bar(SPOT_ID, 1, 1, 1, 1, 1, 8, 9)) == []


def test_books_move_the_market_too() -> None:
    """A snapshot and a delta set what a market order meets."""
    world = World()
    world.fund(usdt=1_000)
    exchange = world.exchange
    exchange.on_market(1, BookSnapshot(SPOT_ID, ((9_990, 500),), ((10_000, 500),), 1, 1))
    assert 10_000 == world.order(BUY, 100)[1].price
    exchange.on_market(2, BookDelta(SPOT_ID, (), ((10_000, 0), (10_050, 500)), 2, 2, 2))
    assert 10_050 == world.order(BUY, 100)[1].price


def test_inverse_contracts_have_no_notional_filter() -> None:
    """Their quantity already is money of the quote asset."""
    spec = replace(
        PERP_SPEC, symbol="BTC/USDT:BTC", kind=INVERSE, settle="BTC", quantity_scale=0, lot=1,
        quantity_min=1, contract_size=10,
    )  # fmt: skip
    world = ready(perp=spec)
    world.quote(10_000, 10_010, instrument="binance:BTC/USDT:BTC")
    reports = world.order(BUY, 1, instrument="binance:BTC/USDT:BTC", order_type=MARKET)
    assert ["VenueAccepted", "Fill"] == names(reports)
    assert ["VenueAccepted"] == names(
        world.order(BUY, 1, 9_000, LIMIT, instrument="binance:BTC/USDT:BTC")
    )


def test_an_order_that_ended_before_its_date_does_not_expire() -> None:
    """The clock finds it gone; trades expire what is due before they fill it."""
    world = ready()
    world.order(SELL, 100, 10_050, tif=GTD, expire_ts=5_000)
    world.order(SELL, 100, 10_050, tif=GTD, expire_ts=6_000)
    world.exchange.cancel(9, "o1")
    assert [] == world.exchange.on_time(5_500)
    world.now = 6_000
    assert ["VenueExpired"] == names(world.trade(10_060, 1_000))


def test_a_reused_id_is_not_forgotten_with_its_predecessor() -> None:
    """The history drops the closed order, not the open one that has its id now."""
    world = ready(policy=DUPLICATE_OPEN, history=1)
    world.order(BUY, 100, order_id="x")
    world.order(BUY, 100, 9_900, order_id="x")
    for _ in range(4):
        world.order(BUY, 100)
    assert ["x"] == [order.id for order in world.exchange.open_orders()]
    assert world.exchange.query("x") is not None


def test_the_books_find_their_own_mistakes() -> None:
    """Money from nowhere, a lock without an order: each is named."""
    world = ready()
    world.exchange.account(ME).balance("USDT").total += 1
    world.exchange.account(ME).balance("BTC").locked += 1
    first, second = world.exchange.problems()
    assert first.startswith("binance USDT: 100000000001 held, 100000000000 booked")
    assert second == ("binance main BTC: locked 1, orders need 0; margin 0, positions need 0")
