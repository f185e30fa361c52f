"""Texts of a venue to ints on our scales, and back; nothing is lost on the way."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccxt_world import (
    NS_A_MS,
    OURS,
    PERPETUAL,
    PERPETUAL_SPEC,
    SPEC,
    SYMBOL,
    TS_MS,
    VENUE,
    book_view,
    fill_view,
    order_view,
    translator,
)
from zvt_trading.adapters.ccxt.dialect import Wanted
from zvt_trading.adapters.ccxt.views import (
    CANCELLED,
    EXPIRED,
    FILLED,
    OPEN,
    REJECTED,
    AmendView,
    MarkView,
    QuoteView,
    TradeView,
)
from zvt_trading.core.units import UnitError, format_scaled
from zvt_trading.messages.codes import (
    BUY,
    FOK,
    GTC,
    GTD,
    IOC,
    LIMIT,
    MAKER,
    MARKET,
    SELL,
    TAKER,
)
from zvt_trading.messages.market import BookDelta, BookSnapshot, MarkPrice, QuoteTick, TradeTick
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    Fill,
    Report,
    VenueAccepted,
    VenueAmended,
    VenueCancelled,
    VenueExpired,
)
from zvt_trading.ports.venue import NewOrder

ID = f"{VENUE}:{SYMBOL}"
TS = TS_MS * NS_A_MS
ACCEPTED = VenueAccepted(OURS, "v1", TS)
INTS = st.integers(0, 10**30)


class TestExactness:
    @given(INTS)
    def test_a_number_comes_back_as_it_went(self, value: int) -> None:
        """Int to text to int, for prices and quantities of any size; and without a float's dust."""
        one = translator()
        assert value == one.price(SYMBOL, one.price_text(SYMBOL, value))
        assert value == one.quantity(SYMBOL, one.quantity_text(SYMBOL, value))

    @given(st.integers(0, 10**15), st.integers(0, 99), st.sampled_from(("", "0", "000000000")))
    def test_a_venues_text_is_that_number(self, whole: int, cents: int, zeros: str) -> None:
        """With as many needless zeros as it likes."""
        text = f"{whole}.{cents:02d}{zeros}"
        price = translator().price(SYMBOL, text)
        assert Decimal(text) == Decimal(format_scaled(price, SPEC.price_scale))
        assert Decimal(text) == Decimal(translator().price_text(SYMBOL, price))

    @pytest.mark.parametrize(
        ("value", "expected"),
        [(0, "0"), (1, "0.01"), (10, "0.1"), (100, "1"), (10_000, "100"), (10_010, "100.1")],
    )
    def test_no_needless_zeros_are_sent(self, value: int, expected: str) -> None:
        """Some exchanges count decimals."""
        assert expected == translator().price_text(SYMBOL, value)

    @pytest.mark.parametrize("text", ["100.001", "1e5", "nan", "", "1,000", "\u0661"])
    def test_what_is_not_on_our_scale_is_an_error(self, text: str) -> None:
        """It is never rounded: an order's or fill's numbers are money."""
        with pytest.raises(UnitError):
            translator().price(SYMBOL, text)

    @given(st.integers(-(10**24), 10**24))
    def test_money_is_cut_and_fees_are_rounded_against_us(self, fine: int) -> None:
        """Finer than the asset's scale: at most one unit off, and never in our favour."""
        text = format_scaled(fine, 18)
        one = translator()
        unit = 10**10
        assert 0 <= fine - one.money("USDT", text) * unit < unit
        assert 0 <= one.fee("USDT", text) * unit - fine < unit

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0.0001", 10_000),
            ("-0.0001", -10_000),
            ("0.000000005", 1),
            ("0.0000000049", 0),
            ("-0.000000005", 0),
        ],
    )
    def test_a_rate_is_rounded_half_up(self, text: str, expected: int) -> None:
        """In units of 1e-8; the amount is what is booked."""
        assert expected == translator().rate(text)

    def test_assets(self) -> None:
        """Ours are those of our instruments; any other has the usual scale."""
        one = translator()
        known = [one.knows_asset(asset) for asset in ("BTC", "USDT", "BNB")]
        assert [True, True, False] == known
        assert one.fee("BNB", "0.5") == 50_000_000


ORDER = dict(
    order_id=OURS, instrument=ID, side=BUY, type=LIMIT, price=10_010, quantity=500, tif=GTC
)
WANTED = dict(
    order_id=OURS, symbol=SYMBOL, side="buy", price="100.1", quantity="0.5", tif="GTC",
    post_only=False, reduce_only=False, expire_ms=0,
)  # fmt: skip


class TestOurs:
    @pytest.mark.parametrize(
        ("order", "expected"),
        [
            ({}, {}),
            ({"side": SELL}, {"side": "sell"}),
            ({"tif": IOC}, {"tif": "IOC"}),
            ({"tif": FOK}, {"tif": "FOK"}),
            ({"tif": GTD, "expire_ts": TS + 5}, {"tif": "GTD", "expire_ms": TS_MS}),
            ({"post_only": True}, {"post_only": True}),
            ({"reduce_only": True}, {"reduce_only": True}),
            # A market order is a limit order that does not rest, at its worst price.
            ({"type": MARKET, "price": 0, "worst_price": 11_000}, {"tif": "IOC", "price": "110"}),
            (
                {"type": MARKET, "price": 0, "worst_price": 11_000, "tif": FOK},
                {"tif": "FOK", "price": "110"},
            ),
        ],
    )
    def test_an_order_in_plain_terms(self, order: dict[str, Any], expected: dict[str, Any]) -> None:
        """Everything that a dialect needs, as texts."""
        new = NewOrder(**{**ORDER, **order})
        assert Wanted(**{**WANTED, **expected}) == translator().wanted(new)

    def test_a_symbol_may_have_colons_itself(self) -> None:
        """Only the venue's name before it goes."""
        assert translator().symbol(f"{VENUE}:{PERPETUAL}") == PERPETUAL


class TestOrders:
    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"status": OPEN}, []),
            ({"status": FILLED}, []),  # its fills say themselves
            (
                {"status": CANCELLED, "filled": "0.2"},
                [VenueCancelled(OURS, int(Reason.VENUE_CANCELLED), TS, 200)],
            ),
            (
                {"status": CANCELLED, "filled": ""},
                [VenueCancelled(OURS, int(Reason.VENUE_CANCELLED), TS, -1)],
            ),
            (
                {"status": CANCELLED, "filled": "0"},
                [VenueCancelled(OURS, int(Reason.VENUE_CANCELLED), TS, 0)],
            ),
            ({"status": EXPIRED, "filled": "0.1"}, [VenueExpired(OURS, TS, 100)]),
            (
                {"status": REJECTED, "reason": "-1013"},
                [VenueCancelled(OURS, int(Reason.VENUE_FILTER), TS, 0)],
            ),
            (
                {"status": REJECTED, "reason": "no reason of the table"},
                [VenueCancelled(OURS, int(Reason.VENUE_REJECTED), TS, 0)],
            ),
        ],
    )
    def test_a_state(self, fields: dict[str, Any], expected: list[Report]) -> None:
        """Every order that a venue shows was accepted, also one that it refused afterwards."""
        assert [ACCEPTED, *expected] == translator().order(order_view(**fields))

    @pytest.mark.parametrize(("is_maker", "expected"), [(True, MAKER), (False, TAKER)])
    def test_a_fill(self, is_maker: bool, expected: int) -> None:
        """With what it cost."""
        fill = Fill(OURS, "t1", 10_010, 200, expected, "BTC", 20_000, TS)
        assert fill == translator().fill(fill_view(is_maker=is_maker))

    def test_an_amend(self) -> None:
        """The new terms, whole."""
        view = AmendView(
            order_id=OURS, venue_order_id="v1", symbol=SYMBOL, price="99", quantity="1", ts=TS_MS
        )
        assert VenueAmended(OURS, 9_900, 1_000, TS) == translator().amended(view)


class TestMarket:
    def test_a_quote(self) -> None:
        """Sizes of others are cut to our scale."""
        view = QuoteView(SYMBOL, "100", "1.2345", "100.1", "2", TS_MS)
        assert QuoteTick(ID, 10_000, 1_234, 10_010, 2_000, 7) == translator().quote(view, 7)

    @pytest.mark.parametrize(
        ("trade_id", "side", "expected"),
        [("123", "buy", (BUY, 123)), ("a-b", "sell", (SELL, 0)), ("", "", (0, 0))],
    )
    def test_a_trade(self, trade_id: str, side: str, expected: tuple[int, int]) -> None:
        """An id that is no number, or a side that was not said, is left out."""
        view = TradeView(SYMBOL, "100", "1", side, trade_id, TS_MS)
        tick = TradeTick(ID, 10_000, 1_000, expected[0], 7, expected[1])
        assert tick == translator().trade(view, 7)

    @pytest.mark.parametrize(
        ("mark", "index", "expected"),
        [("100.005", "99.994", (10_001, 9_999)), ("100.0049", "", (10_000, 0))],
    )
    def test_a_mark(self, mark: str, index: str, expected: tuple[int, int]) -> None:
        """Rounded to the symbol's scale: nothing trades at it."""
        view = MarkView(PERPETUAL, mark, index, TS_MS)
        price = MarkPrice(f"{VENUE}:{PERPETUAL}", expected[0], 7, expected[1])
        assert price == translator().mark(view, 7)

    def test_a_book(self) -> None:
        """A snapshot has its number, an update those around it."""
        levels = ((10_000, 5),)
        snapshot = book_view(5, is_snapshot=True)
        assert BookSnapshot(ID, levels, (), 7, 5) == translator().book(snapshot, 7)
        update = book_view(5, asks=(("100.1", "0"),), first_id=4, previous_id=3)
        expected = BookDelta(ID, levels, ((10_010, 0),), 7, 4, 5, 3)
        assert expected == translator().book(update, 7)


def test_assets_may_have_finer_scales_than_usual() -> None:
    """The instrument's own count, not a constant."""
    spec = msgspec.structs.replace(PERPETUAL_SPEC, quote_scale=12)
    assert translator(spec).money("USDT", "0.000000000001") == 1
