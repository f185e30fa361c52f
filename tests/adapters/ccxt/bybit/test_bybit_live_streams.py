"""Bybit's streams through the real ccxt's connections: nothing lost, gaps seen, refusals heard."""

from typing import Any

import pytest

from emulator.bybit.bybit_dialect_world import SYMBOLS, listening, place, run
from emulator.bybit.bybit_world import BUY_ABOVE, INSIDE, PERPETUAL, SPOT, Hand
from zvt_trading.adapters.ccxt.books import BookSequence
from zvt_trading.adapters.ccxt.bybit import DIALECT
from zvt_trading.adapters.ccxt.dialect import Subscription
from zvt_trading.adapters.ccxt.views import (
    BalanceView,
    BookView,
    FillView,
    MarkView,
    OrderView,
    PositionView,
    QuoteView,
    TradeView,
)
from zvt_trading.emulator import faults
from zvt_trading.emulator.faults import Fault
from zvt_trading.messages.market import MarkPrice

BOTH = pytest.mark.parametrize("symbol", SYMBOLS)


@BOTH
def test_every_state_of_an_order_is_heard(symbol: str) -> None:
    """Three changes at once, with nobody waiting: ccxt's watch_orders would tell the first."""

    async def story(caller: Any, hand: Hand) -> None:
        async with listening(caller) as ears:
            await ears.private()
            venue_id = await place(caller, symbol, price=INSIDE)
            hand.sells("0.001", INSIDE, symbol)
            hand.house.cancel(hand.house.orders[venue_id])
            await ears.until(lambda: len(ears.views(OrderView)) >= 3)
            states = [(view.status, view.filled) for view in ears.views(OrderView)]
            assert [("open", "0.000000"), ("open", "0.001000"), ("cancelled", "0.001000")] == states
            assert {("mine", venue_id, symbol)} == {
                (view.order_id, view.venue_order_id, view.symbol) for view in ears.views(OrderView)
            }
            # What the stream says of a fill is what the list says.
            asked = await DIALECT.fills(caller, SYMBOLS, int(caller.nonce()) - 60_000)
            assert asked == ears.views(FillView)

    run(story)


def test_money_is_heard() -> None:
    """The wallet with every fill, the position of a perpetual."""

    async def story(caller: Any, hand: Hand) -> None:
        async with listening(caller) as ears:
            await ears.private()
            await place(caller, PERPETUAL, side="sell", price="50000")
            await ears.until(lambda: bool(ears.views(PositionView)))
            await ears.until(lambda: ears.views(PositionView)[-1].quantity == "-0.002000")
            assert ears.views(BalanceView)[-1] in await DIALECT.balances(caller)
            assert not [frame.problem for frame in ears.frames if frame.problem]
            del hand

    run(story)


def test_public_data_is_heard() -> None:
    """Quotes, trades, marks, books of both categories on two sockets."""

    async def story(caller: Any, hand: Hand) -> None:
        async with listening(caller) as ears:
            channels = ("book", "quotes", "trades", "marks")

            async def subscriptions() -> list[Subscription]:
                return DIALECT.public(caller, SYMBOLS, channels)

            ears.start("public", subscriptions)
            await ears.until(lambda: len(ears.views(QuoteView)) + len(ears.views(BookView)) >= 4)
            for symbol in SYMBOLS:
                await place(caller, symbol, price=BUY_ABOVE, order_id=f"take{symbol[-1]}")
            name = hand.instrument(PERPETUAL).id
            hand.wire.feed.on_market(PERPETUAL, MarkPrice(name, 6_000_100, 1, 6_000_000))
            await ears.until(lambda: len(ears.views(TradeView)) >= 2)
            await ears.until(lambda: "60001.00" in {view.mark for view in ears.views(MarkView)})
            assert set(SYMBOLS) == {view.symbol for view in ears.views(TradeView)}
            assert {PERPETUAL} == {view.symbol for view in ears.views(MarkView)}
            assert {"buy"} == {view.side for view in ears.views(TradeView)}
            book = hand.wire.feed.symbols[SPOT].book
            quote = [view for view in ears.views(QuoteView) if view.symbol == SPOT][-1]
            assert (quote.bid, quote.ask) == (
                hand.house.orders[next(iter(hand.house.orders))].price_text(
                    book.levels(1, 1)[0][0]
                ),
                hand.house.orders[next(iter(hand.house.orders))].price_text(
                    book.levels(-1, 1)[0][0]
                ),
            )

    run(story)


def test_a_lost_message_of_a_book_is_seen() -> None:
    """Ccxt applies whatever comes; each message here says which one it follows."""

    async def story(caller: Any, hand: Hand) -> None:
        async with listening(caller) as ears:

            async def subscriptions() -> list[Subscription]:
                return DIALECT.public(caller, [SPOT], ["book"])

            ears.start("public", subscriptions)
            await ears.until(lambda: len(ears.views(BookView)) == 1)
            hand.house.faults.add(Fault(faults.FRAME_DROP, faults.PUBLIC))
            for price in ("59999", "59998", "59997"):
                await place(caller, SPOT, price=price, order_id=f"at{price}")
                hand.emulator._move()  # each order is a message of its own
            await ears.until(lambda: len(ears.views(BookView)) >= 3)
            book = BookSequence()
            states = []
            for view in ears.views(BookView):
                book.take(view)
                states.append(book.is_valid)
            assert [True, False] == states[:2]

    run(story)


def test_a_subscription_that_is_refused_is_a_problem() -> None:
    """And the streams begin anew."""

    async def story(caller: Any, _hand: Hand) -> None:
        async with listening(caller) as ears:

            async def subscriptions() -> list[Subscription]:
                (good,) = DIALECT.public(caller, [SPOT], ["trades"])
                message = {**good.message, "args": ["publicTrade.NOTHING"]}
                return [Subscription(good.url, good.key, message)]

            group = ears.start("public", subscriptions)
            await ears.until(lambda: any("not found" in frame.problem for frame in ears.frames))
            await ears.until(lambda: group.reconnects > 0)

    run(story)


def test_many_topics_are_asked_for_in_tens() -> None:
    """Spot takes ten topics in one message."""

    async def story(caller: Any, _hand: Hand) -> None:
        symbols = [SPOT, "ETH/USDT", PERPETUAL]
        subscriptions = DIALECT.public(caller, symbols * 4, ["book", "quotes"])
        assert all(len(one.message["args"]) <= 10 for one in subscriptions)
        assert 24 == sum(len(one.message["args"]) for one in subscriptions)
        ends = {one.url.rpartition("/")[2] for one in subscriptions}
        assert {"spot", "linear"} == ends

    run(story)


def test_a_connection_that_ends_begins_again() -> None:
    """It logs in and subscribes anew; what happens after that is heard."""

    async def story(caller: Any, hand: Hand) -> None:
        async with listening(caller) as ears:
            await ears.private()
            await hand.wire.disconnect_all()
            await ears.until(lambda: len(ears.controls()) >= 4)
            await place(caller)
            await ears.until(lambda: len(ears.views(OrderView)) == 1)

    run(story)


def test_snapshots_by_request_are_not_needed() -> None:
    """The stream begins with one."""

    async def story(caller: Any, _hand: Hand) -> None:
        assert await DIALECT.book(caller, SPOT) is None

    run(story)
