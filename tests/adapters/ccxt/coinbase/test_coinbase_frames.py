"""Raw frames of Coinbase as views: exact texts, every loss noticed, no exception ever."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.coinbase.coinbase_caller import (
    TIME_MS,
    URL,
    USER_URL,
    frame,
    offline,
    own_order,
)
from zvt_trading.adapters.ccxt.coinbase import DIALECT
from zvt_trading.adapters.ccxt.dialect import Frame
from zvt_trading.adapters.ccxt.views import (
    CANCELLED,
    EXPIRED,
    FILLED,
    OPEN,
    REJECTED,
    BookView,
    GapView,
    OrderView,
    QuoteView,
    TradeView,
)


def read(raw: Any, url: str = URL) -> Frame:
    """The first frame of a connection."""
    return DIALECT.frames(offline(), url, raw)


def user(order: dict[str, Any]) -> Frame:
    return read(frame("user", 0, {"type": "update", "orders": [order]}), USER_URL)


ORDERS: tuple[tuple[dict[str, Any], dict[str, Any], list[str]], ...] = (
    # A change of the frame, of the view that it makes, and who must be asked for.
    ({}, {}, []),
    ({"status": "PENDING"}, {}, []),
    ({"status": "CANCEL_QUEUED"}, {}, []),
    (
        {"cumulative_quantity": "0.004", "leaves_quantity": "0.006"},
        {"filled": "0.004", "quantity": "0.010"},
        ["mine1"],
    ),
    (
        {"status": "FILLED", "cumulative_quantity": "0.01", "leaves_quantity": "0"},
        {"status": FILLED, "filled": "0.01", "quantity": ""},
        ["mine1"],
    ),
    (
        # What is left is 0 now: the size is not told any more.
        {
            "status": "CANCELLED",
            "cumulative_quantity": "0.004",
            "leaves_quantity": "0",
            "cancel_reason": "User requested cancel",
        },
        {
            "status": CANCELLED,
            "filled": "0.004",
            "quantity": "",
            "reason": "User requested cancel",
        },
        ["mine1"],
    ),
    ({"status": "EXPIRED", "leaves_quantity": "0"}, {"status": EXPIRED, "quantity": ""}, []),
    (
        {"status": "FAILED", "leaves_quantity": "0", "reject_reason": "HOLD_FAILURE"},
        {"status": REJECTED, "quantity": "", "reason": "HOLD_FAILURE"},
        [],
    ),
    (
        # It was taken and even filled: no refusal.
        {"status": "FAILED", "cumulative_quantity": "0.004", "leaves_quantity": "0"},
        {"status": CANCELLED, "filled": "0.004", "quantity": ""},
        ["mine1"],
    ),
    (
        {"client_order_id": "", "cumulative_quantity": "0.004", "leaves_quantity": "0.006"},
        {"order_id": "", "filled": "0.004", "quantity": "0.010"},
        ["#venue-1"],
    ),
    ({"order_side": "SELL"}, {"side": "sell"}, []),
)


@pytest.mark.parametrize(("change", "expected", "asked"), ORDERS)
def test_an_own_order_is_told_as_far_as_it_is_known(
    change: dict[str, Any], expected: dict[str, Any], asked: list[str]
) -> None:
    """Fills are not in the frame: whoever has some is asked for (PROTOCOLS 0, risk 7)."""
    view = OrderView(
        order_id="mine1",
        venue_order_id="venue-1",
        symbol="BTC/USDT",
        status=OPEN,
        price="50000.00",
        quantity="0.01",
        filled="0",
        side="buy",
        ts=TIME_MS,
    )
    said = user(own_order(**change))
    assert [msgspec.structs.replace(view, **expected)] == said.views
    assert (asked, "", True, False) == (
        said.ask_order,
        said.problem,
        said.is_private,
        said.is_control,
    )


def test_a_status_of_no_known_name_is_no_view_but_a_question() -> None:
    """Neither open nor over: ask."""
    said = user(own_order(status="UNKNOWN_ORDER_STATUS"))
    assert ([], ["mine1"], "") == (said.views, said.ask_order, said.problem)


def test_every_order_of_every_event_of_a_frame_is_told() -> None:
    """None is lost for coming together with others (PROTOCOLS 0, risk 1)."""
    orders = [own_order(client_order_id=f"mine{number}") for number in range(4)]
    events = [{"type": "snapshot", "orders": orders[:3]}, {"type": "update", "orders": orders[3:]}]
    said = read(frame("user", 0, *events), USER_URL)
    assert ["mine0", "mine1", "mine2", "mine3"] == [
        view.order_id for view in said.views if isinstance(view, OrderView)
    ]


# The market.


def level(side: str, price: str, size: str) -> dict[str, str]:
    return {"side": side, "event_time": "", "price_level": price, "new_quantity": size}


def test_a_book_is_the_texts_that_came_best_first() -> None:
    """No number is touched (PROTOCOLS 0, risk 9: ccxt's are floats, and crash in str mode)."""
    updates = [
        level("bid", "9.10", "1.50000000"),
        level("offer", "100.20", "0.1"),
        level("bid", "10.00", "2"),
        level("offer", "99.9000", "3.00"),
    ]
    event = {"type": "snapshot", "product_id": "BTC-USDT", "updates": updates}
    assert [
        BookView(
            symbol="BTC/USDT",
            is_snapshot=True,
            bids=(("10.00", "2"), ("9.10", "1.50000000")),
            asks=(("99.9000", "3.00"), ("100.20", "0.1")),
            first_id=-1,
            last_id=-1,
            previous_id=-1,
            ts=TIME_MS,
        )
    ] == read(frame("l2_data", 0, event)).views


def test_an_update_of_a_book_keeps_its_order_and_its_zeros() -> None:
    """Size 0: the level is gone."""
    event = {
        "type": "update",
        "product_id": "BTC-USDT",
        "updates": [level("bid", "9", "0.00000000"), level("bid", "10", "1")],
    }
    (view,) = read(frame("l2_data", 0, event)).views
    assert isinstance(view, BookView)
    assert (False, (("9", "0.00000000"), ("10", "1")), ()) == (
        view.is_snapshot,
        view.bids,
        view.asks,
    )


def test_what_is_one_book_is_told_for_every_symbol_of_it() -> None:
    """USDC products are delivered as USD."""
    event = {"type": "update", "product_id": "BTC-USD", "updates": [level("bid", "9", "1")]}
    said = read(frame("l2_data", 0, event))
    assert ["BTC/USD", "BTC/USDC"] == [view.symbol for view in said.views]  # type: ignore[union-attr]  # books have one


def test_trades_come_oldest_first_with_the_side_of_who_started_them() -> None:
    """Coinbase tells the maker's side, and the newest first."""
    trades = [
        {
            "trade_id": str(number),
            "product_id": "BTC-USDT",
            "price": "50000.10",
            "size": "0.0015",
            "side": side,
            "time": "2026-04-07T14:30:00Z",
        }
        for number, side in ((2, "BUY"), (1, "SELL"))
    ]
    said = read(frame("market_trades", 0, {"type": "update", "trades": trades}))
    at = TIME_MS - 123
    assert [
        TradeView("BTC/USDT", "50000.10", "0.0015", "buy", "1", at),
        TradeView("BTC/USDT", "50000.10", "0.0015", "sell", "2", at),
    ] == said.views


def quoting(*channels: str) -> Any:
    """A caller whose public streams were asked for these channels of one symbol."""
    caller = offline()
    DIALECT.public(caller, ["BTC/USDT"], channels)
    return caller


def book_frame(number: int, kind: str, *updates: dict[str, str]) -> Any:
    event = {"type": kind, "product_id": "BTC-USDT", "updates": list(updates)}
    return frame("l2_data", number, event)


BEAT = {"heartbeat_counter": 1}
SNAPSHOT = book_frame(
    0,
    "snapshot",
    level("bid", "9.50", "1.50"),
    level("bid", "9.40", "4"),
    level("offer", "9.60", "2.0"),
)
QUOTE = QuoteView("BTC/USDT", "9.5", "1.5", "9.6", "2", TIME_MS)


def test_quotes_are_the_best_levels_of_the_book() -> None:
    """A deeper change makes no quote, the end of the best level makes the next one the best."""
    caller = quoting("quotes")
    frames = (
        SNAPSHOT,
        book_frame(1, "update", level("bid", "9.40", "5")),
        book_frame(2, "update", level("bid", "9.50", "0.00")),
        book_frame(3, "update", level("offer", "9.55", "0.1"), level("bid", "9.51", "7")),
    )
    assert [
        [QUOTE],
        [],
        [QuoteView("BTC/USDT", "9.4", "5", "9.6", "2", TIME_MS)],
        [QuoteView("BTC/USDT", "9.51", "7", "9.55", "0.1", TIME_MS)],
    ] == [DIALECT.frames(caller, URL, raw).views for raw in frames]


def test_a_heartbeat_confirms_the_quotes() -> None:
    """It follows without a gap, so there was no change: between trades `ticker` would be silent."""
    caller = quoting("quotes")
    later = {**frame("heartbeats", 1, BEAT), "timestamp": "2026-04-07T14:30:05Z"}
    DIALECT.frames(caller, URL, SNAPSHOT)
    confirmed = msgspec.structs.replace(QUOTE, ts=TIME_MS - 123 + 5_000)
    assert [confirmed] == DIALECT.frames(caller, URL, later).views
    assert [] == DIALECT.frames(caller, USER_URL, frame("heartbeats", 0, BEAT)).views


def test_after_a_gap_there_are_no_quotes_until_the_next_snapshot() -> None:
    """They would be those of a book that is not the exchange's."""
    caller = quoting("quotes")
    DIALECT.frames(caller, URL, SNAPSHOT)
    frames = (
        frame("heartbeats", 3, BEAT),
        frame("heartbeats", 4, BEAT),
        book_frame(5, "update", level("bid", "9.51", "7")),
        SNAPSHOT,
    )
    said = [DIALECT.frames(caller, URL, raw).views for raw in frames]
    assert [[GapView], [], [], [QuoteView]] == [[type(view) for view in one] for one in said]


def test_an_unreadable_frame_ends_the_quotes_too() -> None:
    """What it said is not known."""
    caller = quoting("quotes")
    DIALECT.frames(caller, URL, SNAPSHOT)
    assert DIALECT.frames(caller, URL, book_frame(1, "update", {})).problem
    assert [] == DIALECT.frames(caller, URL, frame("heartbeats", 2, BEAT)).views


def test_a_book_with_one_side_has_no_quote() -> None:
    """And what was said before is not confirmed any more."""
    caller = quoting("quotes")
    DIALECT.frames(caller, URL, SNAPSHOT)
    one_side = book_frame(1, "update", level("offer", "9.60", "0"))
    assert [] == DIALECT.frames(caller, URL, one_side).views
    assert [] == DIALECT.frames(caller, URL, frame("heartbeats", 2, BEAT)).views


def test_books_and_quotes_come_when_they_were_asked_for() -> None:
    """One channel of Coinbase's tells both; a symbol that was not asked for has no quote."""
    for channels, kinds in (
        (("book",), [BookView]),
        (("quotes",), [QuoteView]),
        (("book", "quotes"), [BookView, QuoteView]),
    ):
        said = DIALECT.frames(quoting(*channels), URL, SNAPSHOT)
        assert kinds == [type(view) for view in said.views]
    other = {"type": "snapshot", "product_id": "BTC-USD", "updates": [level("bid", "9", "1")]}
    assert [] == DIALECT.frames(quoting("quotes"), URL, frame("l2_data", 0, other)).views


def test_the_streams_of_a_channel_are_opened_once() -> None:
    """Books and quotes are one; there are no marks; heartbeats are always there."""
    for channels, names in (
        (("book", "quotes", "trades", "marks"), ["heartbeats", "level2", "market_trades"]),
        (("marks",), []),
        ((), []),
    ):
        opened = DIALECT.public(offline(), ["BTC/USDT"], channels)
        assert names == [one.message["channel"] for one in opened]
        assert {URL} >= {one.url for one in opened}


# What was lost.

SEQUENCES: tuple[tuple[list[int], list[bool]], ...] = (
    # The numbers of frames, and whether each is a problem.
    ([0, 1, 2, 3], [False, False, False, False]),
    ([0, 1, 3], [False, False, True]),
    ([0, 1, 1, 2], [False, False, False, False]),  # a frame twice changes nothing
    ([0, 2, 1], [False, True, True]),  # in another order: the first is a gap already
    ([1], [True]),  # the first frame is lost
    ([0, 1, 2, 0, 1], [False, False, False, False, False]),  # another connection
    ([0, 1, 4, 0, 1], [False, False, True, False, False]),
)


@pytest.mark.parametrize(("numbers", "problems"), SEQUENCES)
def test_a_hole_in_the_sequence_numbers_is_a_problem(
    numbers: list[int], problems: list[bool]
) -> None:
    """Ccxt does not look at them (PROTOCOLS 0, risk 5); all books need a snapshot then."""
    caller = offline()
    said = [
        DIALECT.frames(caller, URL, frame("heartbeats", number, {"heartbeat_counter": 1}))
        for number in numbers
    ]
    assert problems == [one.problem != "" for one in said]
    assert problems == [any(isinstance(view, GapView) for view in one.views) for one in said]


def test_each_connection_has_numbers_of_its_own() -> None:
    """And so has each account."""
    caller = offline()
    beats = [frame("heartbeats", number, {"heartbeat_counter": 1}) for number in (0, 1)]
    assert "" == DIALECT.frames(caller, URL, beats[0]).problem
    assert "" == DIALECT.frames(caller, USER_URL, beats[0]).problem
    assert "" == DIALECT.frames(caller, URL, beats[1]).problem
    assert "" != DIALECT.frames(offline(), URL, beats[1]).problem


def test_what_a_frame_behind_a_gap_says_is_told_all_the_same() -> None:
    """An own order is as it is; the gap comes first."""
    raw = frame("user", 5, {"type": "update", "orders": [own_order()]})
    assert [GapView, OrderView] == [type(view) for view in read(raw, USER_URL).views]


def test_an_error_frame_is_a_problem_and_not_for_ccxt() -> None:
    """Ccxt would stop reading the socket without a word (PROTOCOLS 0, risk 4)."""
    said = read({"type": "error", "message": "authentication failure"})
    assert "authentication failure" in said.problem
    assert not said.is_control


def test_ccxt_sees_acknowledgements_only() -> None:
    """And not the one of an empty subscription, over which it stumbles."""
    acknowledged = frame("subscriptions", 0, {"subscriptions": {"level2": ["BTC-USDT"]}})
    assert read(acknowledged).is_control
    assert not read(frame("subscriptions", 0, {"subscriptions": {}})).is_control
    assert not read(frame("heartbeats", 0, {"heartbeat_counter": 1})).is_control


BROKEN: tuple[Any, ...] = (
    None,
    [],
    "text",
    7,
    {},
    {"channel": "user"},
    frame("user", 0, timestamp="yesterday"),
    frame("user", 0, None),
    frame("user", 0, {"type": "update"}),
    frame("user", 0, {"orders": [own_order(cumulative_quantity=None)]}),
    frame("user", 0, {"orders": [own_order(cumulative_quantity="much")]}),
    frame("user", 0, {"orders": [own_order(order_side="UP")]}),
    frame("l2_data", 0, {"type": "update", "product_id": "BTC-USDT", "updates": [{}]}),
    frame(
        "l2_data",
        0,
        {"type": "update", "product_id": "BTC-USDT", "updates": [level("left", "1", "1")]},
    ),
    frame(
        "l2_data",
        0,
        {
            "type": "update",
            "product_id": "BTC-USDT",
            "updates": [{"side": "bid", "price_level": 1, "new_quantity": "1"}],
        },
    ),
    frame("subscriptions", 0),
    {**frame("heartbeats", 0), "sequence_num": "0"},
    {**frame("heartbeats", 0), "sequence_num": True},
)


@pytest.mark.parametrize("raw", BROKEN)
def test_a_frame_that_cannot_be_read_is_a_problem(raw: Any) -> None:
    """Something was lost, so the books too are not to be trusted."""
    said = read(raw)
    assert said.problem
    assert isinstance(said.views[0], GapView)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    channel=st.sampled_from(
        ["user", "l2_data", "market_trades", "heartbeats", "subscriptions", "x"]
    ),
    events=st.lists(
        json_values
        | st.fixed_dictionaries(
            {
                "type": json_values,
                "product_id": json_values,
                "orders": json_values,
                "updates": json_values,
                "trades": json_values,
                "subscriptions": json_values,
            }
        ),
        max_size=3,
    ),
)
def test_no_frame_raises(channel: str, events: list[Any]) -> None:
    """Whatever is in it."""
    assert isinstance(DIALECT.frames(CALLER, URL, frame(channel, 0, *events)), Frame)


CALLER = quoting("book", "quotes")

BOTH = ["BTC/USD", "BTC/USDC"]
RECORDED: tuple[tuple[str, type | None, list[str]], ...] = (
    # What the views of a recorded frame are, and of which symbols.
    ("ws_l2_data_snapshot", BookView, BOTH),
    ("ws_l2_data_update", BookView, BOTH),
    ("ws_market_trades", TradeView, BOTH * 2),
    ("ws_ticker", None, []),
    ("ws_user", OrderView, ["BTC/USD"]),
    ("ws_heartbeats", None, []),
    ("ws_subscriptions", None, []),
)


@pytest.mark.parametrize(("name", "kind", "symbols"), RECORDED)
def test_recorded_frames_are_read(
    name: str, kind: type | None, symbols: list[str], shared_data: Path
) -> None:
    """Each was recorded alone, so it is read as the first of a connection."""
    raw = json.loads((shared_data / "fixtures" / "coinbase" / f"{name}.json").read_text())
    said = read({**raw, "sequence_num": 0})
    assert "" == said.problem
    assert [(kind, symbol) for symbol in symbols] == [
        (type(view), getattr(view, "symbol", "")) for view in said.views
    ]
