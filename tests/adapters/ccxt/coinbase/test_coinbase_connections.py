"""Our dialect over real connections of ccxt to the emulated Coinbase's WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from emulator.coinbase.coinbase_caller import URL, USER_URL
from emulator.coinbase.coinbase_world import SYMBOL, V3, World, coinbase_world, limit
from emulator.redirect import DEADLINE_S, exchange
from zvt_trading.adapters.ccxt.coinbase import DIALECT
from zvt_trading.adapters.ccxt.dialect import Frame, Subscription
from zvt_trading.adapters.ccxt.views import BookView, GapView, OrderView, QuoteView, TradeView
from zvt_trading.core.units import parse_scaled
from zvt_trading.emulator import faults
from zvt_trading.emulator.faults import Fault
from zvt_trading.messages.codes import BUY, SELL

INSIDE = "60000.00"  # between the best bid and ask of the quiet market


class Ear:
    """Hears every raw frame of a ccxt exchange before ccxt, which sees control frames only."""

    def __init__(self, caller: Any) -> None:
        self.frames: list[Frame] = []
        self._caller = caller
        self._news = asyncio.Event()
        self._hear = caller.handle_message
        self._futures: list[Any] = []
        caller.handle_message = self._heard

    def subscribe(self, subscriptions: list[Subscription]) -> None:
        for one in subscriptions:
            self._futures.append(self._caller.watch(one.url, one.key, one.message, one.key))

    async def hang_up(self, url: str) -> None:
        """As the adapter does it when a frame was a problem."""
        await self._caller.clients.pop(url).close()

    async def until(self, is_it: Callable[[Frame], Any]) -> Frame:
        """The first frame that is it, from now or before."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for frame in self.frames:
                    if is_it(frame):
                        return frame
                self._news.clear()
                await self._news.wait()

    def close(self) -> None:
        """Nobody waits for these: they never end but with an error."""
        for future in self._futures:
            if future.done() and not future.cancelled():
                future.exception()
            future.cancel()

    def _heard(self, client: Any, message: Any) -> None:
        frame = DIALECT.frames(self._caller, client.url, message)
        self.frames.append(frame)
        self._news.set()
        if frame.is_control:
            self._hear(client, message)


@asynccontextmanager
async def ear_world() -> AsyncIterator[tuple[World, Any, Ear]]:
    settings = {"enableRateLimit": False, **DIALECT.settings()}
    async with (
        coinbase_world() as world,
        exchange(world.emulator, "coinbase", settings) as caller,
    ):
        await caller.load_markets()
        ear = Ear(caller)
        try:
            yield world, caller, ear
        finally:
            ear.close()


def has_order(status: str, filled: str) -> Callable[[Frame], bool]:
    return lambda frame: any(
        isinstance(view, OrderView) and (view.status, view.filled) == (status, filled)
        for view in frame.views
    )


def is_acknowledged(frame: Frame) -> bool:
    return frame.is_control


def sells(world: World, quantity: str) -> None:
    world.house.crowd(SYMBOL, SELL, 6_000_000, parse_scaled(quantity, 6))


async def cancel(world: World, order_id: str) -> None:
    await world.call("POST", f"{V3}/orders/batch_cancel", {"order_ids": [order_id]})


def test_every_change_of_an_order_is_heard_however_fast_they_come() -> None:
    """Open, partly filled, cancelled, back to back (PROTOCOLS 0, risk 1); fills are to be asked."""

    async def scenario() -> None:
        async with ear_world() as (world, caller, ear):
            ear.subscribe(await DIALECT.private(caller, [SYMBOL]))
            await ear.until(lambda frame: frame.is_private)  # the snapshot
            placed = await world.place("mine1", limit(INSIDE))
            sells(world, "0.004")
            await cancel(world, placed["order_id"])
            await ear.until(has_order("cancelled", "0.004"))
            said = [view for one in ear.frames for view in one.views]
            assert [("open", "0"), ("open", "0.004"), ("cancelled", "0.004")] == [
                (view.status, view.filled) for view in said if isinstance(view, OrderView)
            ]
            assert ["mine1", "mine1"] == [name for one in ear.frames for name in one.ask_order]
            assert [""] * len(ear.frames) == [one.problem for one in ear.frames]

    asyncio.run(scenario())


def test_a_lost_frame_is_noticed_by_the_next_heartbeat() -> None:
    """The fill's frame is dropped: without numbers nobody would ever know (risk 5)."""

    async def scenario() -> None:
        async with ear_world() as (world, caller, ear):
            ear.subscribe(await DIALECT.private(caller, [SYMBOL]))
            await world.place("mine1", limit(INSIDE))
            await ear.until(has_order("open", "0"))
            world.house.faults.add(Fault(faults.FRAME_DROP, faults.PRIVATE))
            sells(world, "0.01")
            frame = await ear.until(lambda one: one.problem)
            assert "sequence number" in frame.problem
            assert isinstance(frame.views[0], GapView)
            assert not any(has_order("filled", "0.01")(one) for one in ear.frames)

    asyncio.run(scenario())


def test_a_new_connection_counts_from_the_beginning_and_tells_what_is_open() -> None:
    """With a new token, and without a problem."""

    async def scenario() -> None:
        async with ear_world() as (world, caller, ear):
            ear.subscribe(await DIALECT.private(caller, [SYMBOL]))
            await world.place("mine1", limit())
            await ear.until(has_order("open", "0"))
            await ear.hang_up(USER_URL)
            ear.frames.clear()
            ear.subscribe(await DIALECT.private(caller, [SYMBOL]))
            await ear.until(has_order("open", "0"))
            assert [""] * len(ear.frames) == [one.problem for one in ear.frames]

    asyncio.run(scenario())


def test_a_book_of_raw_frames_is_the_exchanges_book() -> None:
    """A snapshot, then changes; trades beside it on the same connection."""

    async def scenario() -> None:
        async with ear_world() as (world, caller, ear):
            ear.subscribe(DIALECT.public(caller, [SYMBOL], ["book", "trades", "quotes", "marks"]))
            book: dict[tuple[int, int], int] = {}
            await ear.until(lambda one: any(isinstance(view, BookView) for view in one.views))
            await world.place("mine1", limit("60011.00", "0.001"))
            trade = await ear.until(_has_new_trade)
            await ear.until(_has_update)
            for view in (view for one in ear.frames for view in one.views):
                if isinstance(view, BookView):
                    _apply(book, view)
            feed = world.emulator.wires["coinbase"].feed.symbols[SYMBOL]
            assert {
                (side, price): size
                for side in (BUY, SELL)
                for price, size in feed.levels(side, 5_000)
            } == {key: size for key, size in book.items() if size}
            assert {SYMBOL} == {view.symbol for view in trade.views}  # type: ignore[union-attr]  # trades have one
            assert {URL} == set(caller.clients)

    asyncio.run(scenario())


def test_quotes_follow_the_book_and_are_confirmed_every_second() -> None:
    """A better bid makes a new one; with nothing changed, heartbeats say it again, later."""

    async def scenario() -> None:
        async with ear_world() as (world, caller, ear):
            ear.subscribe(DIALECT.public(caller, [SYMBOL], ["quotes"]))
            await ear.until(_has_bid("59989.44"))
            world.house.crowd(SYMBOL, BUY, 6_000_000, 1_000)
            first = await ear.until(_has_bid("60000"))
            ear.frames.clear()
            again = await ear.until(_has_bid("60000"))
            ((before,), (after,)) = (_quotes(first), _quotes(again))
            assert after.ts > before.ts
            assert ("60000", "0.001", "60010.57", "0.009771") == (
                after.bid,
                after.bid_size,
                after.ask,
                after.ask_size,
            )

    asyncio.run(scenario())


def _quotes(frame: Frame) -> list[QuoteView]:
    return [view for view in frame.views if isinstance(view, QuoteView)]


def _has_bid(price: str) -> Callable[[Frame], bool]:
    return lambda frame: [price] == [quote.bid for quote in _quotes(frame)]


def _has_new_trade(frame: Frame) -> bool:
    return any(isinstance(view, TradeView) and view.side == "buy" for view in frame.views)


def _has_update(frame: Frame) -> bool:
    return any(isinstance(view, BookView) and not view.is_snapshot for view in frame.views)


def _apply(book: dict[tuple[int, int], int], view: BookView) -> None:
    if view.is_snapshot:
        book.clear()
    for side, levels in ((BUY, view.bids), (SELL, view.asks)):
        for price, size in levels:
            book[side, parse_scaled(price, 2)] = parse_scaled(size, 6)


def test_a_login_that_fails_is_a_problem_and_freezes_nothing() -> None:
    """Ccxt would stop reading this socket (PROTOCOLS 0, risk 4): ours hears the next frame."""

    async def scenario() -> None:
        async with ear_world() as (_, caller, ear):
            beats, login = await DIALECT.private(caller, [SYMBOL])
            wrong = Subscription(login.url, login.key, {**login.message, "jwt": "wrong"})
            ear.subscribe([wrong])
            frame = await ear.until(lambda one: one.problem)
            assert "authentication failure" in frame.problem
            ear.subscribe([beats])
            await ear.until(is_acknowledged)

    asyncio.run(scenario())
