"""The generated market: the same seed the same world, and a world that could be real."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.order_book import APPLIED, OrderBook
from zvt_trading.core.rng import Rng
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codes import BUY, GTC, LINEAR, SELL
from zvt_trading.messages.market import (
    BookDelta,
    BookSnapshot,
    FundingRate,
    MarketData,
    MarkPrice,
    QuoteTick,
    TradeTick,
)
from zvt_trading.messages.reports import Fill, Report
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.flow import FlowSide
from zvt_trading.sim.fundamental import FINE, Fundamental, Stray, exponential, normal4
from zvt_trading.sim.generated import FUNDING_NS, START_NS, GeneratedMarket
from zvt_trading.sim.generated_venues import PRODUCTS, VENUES, listed, spec_of

BTC_BINANCE = "binance:BTC/USDT"


def messages(world: GeneratedMarket) -> Iterator[MarketData]:
    """All messages of a world."""
    while chunk := world.next_messages():
        yield from chunk


def digest(world: GeneratedMarket) -> str:
    """Of every message, in order."""
    found = sha256()
    for message in messages(world):
        found.update(msgspec.msgpack.encode(message))
    return found.hexdigest()


@pytest.fixture(scope="module")
def minute() -> list[MarketData]:
    """Twenty seconds that are three times as busy as usual."""
    return list(messages(GeneratedMarket(7, 20 * SECOND, interval_ns=13_000_000)))


def test_the_same_seed_gives_the_same_messages() -> None:
    """However they are fetched; and another seed gives others."""
    first = digest(GeneratedMarket(1, 5 * SECOND))
    assert first == digest(GeneratedMarket(1, 5 * SECOND))
    assert first != digest(GeneratedMarket(2, 5 * SECOND))
    stepped = GeneratedMarket(1, 5 * SECOND)
    found = sha256()
    for now in range(START_NS, START_NS + 6 * SECOND, SECOND // 7):
        for message in stepped.step(now):
            found.update(msgspec.msgpack.encode(message))
    assert first == found.hexdigest()


def test_messages_come_in_time_order_and_within_the_run(minute: list[MarketData]) -> None:
    """From the start to the end, never back."""
    times = [message.ts for message in minute]
    assert sorted(times) == times
    assert START_NS == times[0]
    assert START_NS + 19 * SECOND < times[-1] <= START_NS + 20 * SECOND


def test_books_never_cross_and_ids_never_gap(minute: list[MarketData]) -> None:
    """Rebuilt by the engine's own book: every delta follows, every quote is the rebuilt top."""
    books: dict[str, OrderBook] = {}
    for message in minute:
        if isinstance(message, BookSnapshot):
            books[message.instrument] = book = OrderBook(1)
            book.apply_snapshot(message.bids, message.asks, message.update_id)
        elif isinstance(message, BookDelta):
            book = books[message.instrument]
            assert book.update_id + 1 == message.first_id == message.last_id
            assert APPLIED == book.apply_delta(
                message.bids, message.asks, message.first_id, message.last_id, message.previous_id
            )
            assert 0 < book.best_bid() < book.best_ask()
        elif isinstance(message, QuoteTick):
            book = books[message.instrument]
            assert (message.bid, message.bid_size, message.ask, message.ask_size) == (
                book.best_bid(), book.best_bid_size(), book.best_ask(), book.best_ask_size()
            )  # fmt: skip
    assert 11 == len(books)


def test_quotes_are_sent_when_the_touch_changed(minute: list[MarketData]) -> None:
    """Never twice the same."""
    last: dict[str, tuple[int, ...]] = {}
    for message in minute:
        if isinstance(message, QuoteTick):
            touch = (message.bid, message.bid_size, message.ask, message.ask_size)
            assert touch != last.get(message.instrument)
            last[message.instrument] = touch


def test_trades_happen_at_displayed_prices(minute: list[MarketData]) -> None:
    """Each at a level of the book before it, for no more than was displayed; ids count up."""
    books: dict[str, OrderBook] = {}
    taken: dict[tuple[str, int], int] = {}
    ids: dict[str, int] = {}
    for message in minute:
        if isinstance(message, BookSnapshot):
            books[message.instrument] = OrderBook(1)
            books[message.instrument].apply_snapshot(message.bids, message.asks, message.update_id)
        elif isinstance(message, TradeTick):
            book = books[message.instrument]
            ids[message.instrument] = ids.get(message.instrument, 0) + 1
            assert ids[message.instrument] == message.trade_id
            key = (message.instrument, message.price)
            taken[key] = taken.get(key, 0) + message.size
            assert 0 < taken[key] <= book.size_at(-message.aggressor, message.price)
        elif isinstance(message, BookDelta):
            taken.clear()
            books[message.instrument].apply_delta(
                message.bids, message.asks, message.first_id, message.last_id, message.previous_id
            )
    assert len(ids) == 11


def test_prices_and_sizes_are_on_their_grids(minute: list[MarketData]) -> None:
    """Ticks and lots of the spec, for levels and trades."""
    specs = {f"{spec.venue}:{spec.symbol}": spec for spec in GeneratedMarket(1, 1).specs()}
    for message in minute:
        if isinstance(message, BookDelta | BookSnapshot):
            spec = specs[message.instrument]
            for price, size in message.bids + message.asks:
                assert (0, 0) == (price % spec.tick, size % spec.lot)


def test_spreads_and_depth_are_sane(minute: list[MarketData]) -> None:
    """Median spread 1 to 6 bps, in the order of the venues; 20 to 60 levels a side at the start."""
    spreads: dict[str, list[int]] = {}
    for message in minute:
        if isinstance(message, QuoteTick):
            spread = (message.ask - message.bid) * 100_000 // message.ask
            spreads.setdefault(message.instrument, []).append(spread)
        elif isinstance(message, BookSnapshot):
            assert 20 <= len(message.bids) <= 60
            assert 20 <= len(message.asks) <= 60
    median = {name: sorted(found)[len(found) // 2] for name, found in spreads.items()}
    assert all(10 <= spread <= 65 for spread in median.values())
    by_venue = [median[f"{style.name}:BTC/USDT"] for style in VENUES]
    assert sorted(by_venue) == by_venue


def test_the_venues_differ_but_agree_on_the_price() -> None:
    """Ticks, lots, fees, spreads differ; mids stay within a percent, and mostly within 10 bps."""
    specs = [spec_of(style, PRODUCTS[0]) for style in VENUES]
    assert 4 == len({(spec.tick, spec.lot, spec.maker_fee, spec.taker_fee) for spec in specs})
    mids: dict[str, int] = {}
    apart: list[int] = []
    for message in messages(GeneratedMarket(3, 30 * SECOND)):
        if isinstance(message, QuoteTick) and message.instrument.endswith(":BTC/USDT"):
            mids[message.instrument] = (message.bid + message.ask) // 2
            if len(mids) == 4:
                high = max(mids.values())
                apart.append((high - min(mids.values())) * 10_000 // high)
    assert max(apart) < 100
    assert sorted(apart)[len(apart) // 2] < 10
    assert max(apart) >= 3


def test_common_scales_and_who_lists_what() -> None:
    """Scales belong to the symbol; Coinbase has no perpetual."""
    specs = GeneratedMarket(1, 1).specs()
    assert 11 == len(specs)
    assert {(2, 6, 8, 8)} == {
        (spec.price_scale, spec.quantity_scale, spec.base_scale, spec.quote_scale) for spec in specs
    }
    assert {"binance", "okx", "bybit"} == {spec.venue for spec in specs if spec.kind == LINEAR}
    assert not listed(VENUES[3], PRODUCTS[2])


def test_perpetuals_have_marks_and_funding() -> None:
    """A mark at the start and each second, near the index; funding at its interval."""
    world = GeneratedMarket(5, 12 * SECOND, funding_ns=5 * SECOND)
    marks: dict[str, int] = {}
    funding: list[FundingRate] = []
    for message in messages(world):
        if isinstance(message, MarkPrice):
            marks[message.instrument] = marks.get(message.instrument, 0) + 1
            assert abs(message.price - message.index_price) * 1_000 < message.index_price
        elif isinstance(message, FundingRate):
            funding.append(message)
    assert {"binance": 13, "okx": 13, "bybit": 13} == {
        name.partition(":")[0]: count for name, count in marks.items()
    }
    assert 6 == len(funding)
    assert all(abs(message.rate) <= 200_000 and message.mark_price > 0 for message in funding)
    assert [START_NS + 5 * SECOND] * 3 == [message.ts for message in funding[:3]]
    assert FUNDING_NS > 0


def test_our_orders_meet_the_flow() -> None:
    """What we take and quote changes the public book; later flow fills us; the books balance."""
    world = GeneratedMarket(9, 60 * SECOND)
    exchange = SimExchange("binance")
    exchange.list_instrument(world.specs()[0], world.market(BTC_BINANCE))
    exchange.credit("me", "USDT", 10**14)
    now = START_NS + SECOND
    world.step(now)
    market = world.market(BTC_BINANCE)
    bid, ask = market.best_bid(), market.best_ask()
    size = market.matcher.size_at(SELL, ask)
    taken = exchange.submit(now, "take", "me", BTC_BINANCE, BUY, 0, 0, size)
    assert isinstance(taken[1], Fill)
    assert (ask, size, now) == (taken[1].price, taken[1].quantity, taken[1].ts)
    exchange.submit(now, "rest", "me", BTC_BINANCE, BUY, 1, bid + 1, 10_000_000, GTC)
    seen = world.step(now)
    assert isinstance(seen[0], TradeTick)
    assert isinstance(seen[1], BookDelta)
    assert ((ask, 0),) == seen[1].asks
    assert (bid + 1, 10_000_000) in seen[1].bids
    reports: list[Report] = []
    while world.next_time() and not reports:
        world.step(world.next_time())
        reports = exchange.collect(world.now)
    assert isinstance(reports[0], Fill)
    assert (bid + 1, 1) == (reports[0].price, reports[0].liquidity)
    assert [] == exchange.problems()


def test_emptying_a_book_does_not_end_the_world() -> None:
    """We take every ask: no quote while the side is empty, then the flow fills it again."""
    world = GeneratedMarket(4, 60 * SECOND)
    world.step(START_NS + SECOND)
    market = world.market(BTC_BINANCE)
    market.submit("some", BUY, 0, market.matcher.size_at(SELL, market.best_ask()) - 1, GTC, False)
    world.step(world.now)
    market.submit("all", BUY, 0, 10**12, GTC, False)
    assert 0 == market.best_ask()
    seen = world.step(world.now)
    assert not any(isinstance(message, QuoteTick) for message in seen)
    later = world.step(START_NS + 10 * SECOND)
    quotes = [m for m in later if isinstance(m, QuoteTick) and m.instrument == BTC_BINANCE]
    assert quotes[-1].ask > quotes[-1].bid > 0


def test_bad_arguments_and_unknown_markets() -> None:
    """Each is an error that names what is wrong."""
    for arguments in ({"duration_ns": 0}, {"interval_ns": 0}, {"funding_ns": -1}):
        with pytest.raises(ValueError, match="must be > 0 ns"):
            GeneratedMarket(1, **({"duration_ns": 5} | arguments))
    with pytest.raises(KeyError):
        GeneratedMarket(1, 5).market("binance:DOGE/USDT")


def test_a_fundamental_stays_positive_and_clusters() -> None:
    """Over 20,000 steps: positive, moving, and large moves follow large moves."""
    fundamental = Fundamental(300_000, Rng(1))
    shocks = Rng(2)
    values = []
    for _ in range(20_000):
        fundamental.step(normal4(shocks.next_u64()))
        values.append(fundamental.value)
    assert min(values) > 100_000 * FINE
    moves = [abs(after - before) for before, after in pairwise(values)]
    usual = sum(moves) // len(moves)
    after_large = [moves[at + 1] for at in range(len(moves) - 1) if moves[at] > 3 * usual]
    assert sum(after_large) * 100 // len(after_large) > 120 * usual


def test_dislocations_strike_and_revert() -> None:
    """Up to 15 bps either way, gone within seconds: small most of the time."""
    stray = Stray(has_premium=False, rng=Rng(3))
    seen = []
    for _ in range(10_000):
        stray.step()
        seen.append(stray.dislocation)
    assert max(seen) > 300
    assert min(seen) < -300
    assert sum(1 for value in seen if abs(value) < 100) > 8_000
    assert 0 == stray.premium
    assert 0 in seen


def test_premiums_wander_about_zero() -> None:
    """A perpetual's premium stays within 20 bps."""
    stray = Stray(has_premium=True, rng=Rng(3))
    premiums = []
    for _ in range(10_000):
        stray.step()
        premiums.append(stray.premium)
    assert max(premiums) < 2_000
    assert min(premiums) > -2_000
    assert len(set(premiums)) > 50


def test_exponential_draws_have_their_mean() -> None:
    """Within 6 %: the logarithm is linear between powers of two."""
    rng = Rng(1)
    drawn = [exponential(rng.next_u64(), 1_000_000) for _ in range(20_000)]
    assert 940_000 < sum(drawn) // len(drawn) < 1_060_000
    assert min(drawn) >= 0


def test_normal_draws_have_mean_zero_and_deviation_four() -> None:
    """The number of set bits of 64, centred."""
    rng = Rng(1)
    drawn = [normal4(rng.next_u64()) for _ in range(20_000)]
    assert abs(sum(drawn)) < 2_000
    assert 15 * 20_000 < sum(value * value for value in drawn) < 17 * 20_000


STEP = st.tuples(st.booleans(), st.integers(1, 30), st.integers(0, 2**32))


@given(steps=st.lists(STEP, max_size=80))
def test_picking_from_a_side_gives_orders_that_are_there(
    steps: list[tuple[bool, int, int]],
) -> None:
    """Whatever was added and removed."""
    side = FlowSide()
    there: dict[int, int] = {}
    for adds, order_id, word in steps:
        if adds and order_id not in there:
            there[order_id] = 100 + order_id
            side.add(order_id, 100 + order_id)
        else:
            there.pop(order_id, None)
            side.remove(order_id)
        assert sorted(there) == sorted(side.ids)
        if there:
            assert side.pick_far(100, word) in there
