"""Handlers of a stream: none delays another, what is lost is counted, books are made whole."""

import asyncio
from threading import Event, current_thread
from typing import Any

import pytest
from stream_world import DEADLINE_S, T0

from zvt_trading.data.stream_book import StreamBook
from zvt_trading.data.stream_handlers import Delivery, Outlet
from zvt_trading.data.stream_messages import StreamMessage
from zvt_trading.errors import CallerError
from zvt_trading.messages.codes import BUY
from zvt_trading.messages.market import BookDelta, BookInvalid, BookSnapshot, TradeTick

NAME = "okx:BTC/USDT"


def trade(number: int) -> TradeTick:
    return TradeTick(NAME, 100, 1, BUY, T0, number)


def delta(number: int) -> BookDelta:
    return BookDelta(NAME, ((100, number),), (), T0, number, number, number - 1)


class Gate:
    """A handler that stands still until it is opened."""

    def __init__(self) -> None:
        self.heard: list[StreamMessage] = []
        self.began = Event()
        self.open = Event()
        self.drained = Event()

    def __call__(self, message: StreamMessage, _received: int) -> None:
        self.began.set()
        assert self.open.wait(DEADLINE_S)
        self.heard.append(message)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_what_does_not_fit_is_dropped_and_counted(gate: Gate) -> None:
    """The oldest are delivered, in order."""
    outlet = Outlet("slow", gate, ("trades",), limit=3)
    outlet.offer(trade(0), T0, None)
    assert gate.began.wait(DEADLINE_S)  # it has the first one in hand
    assert [True] * 3 + [False] * 2 == [outlet.offer(trade(n), T0, None) for n in range(1, 6)]
    gate.open.set()
    outlet.close()
    assert [trade(n) for n in range(4)] == gate.heard
    assert (4, 2, 0, 0) == (
        outlet.delivered,
        outlet.dropped,
        outlet.errors,
        outlet.metrics().waiting,
    )


def test_a_book_that_lost_messages_is_taken_up_by_a_snapshot(gate: Gate) -> None:
    """Nothing of it is told in between; then it is as if nothing had been lost."""
    book = StreamBook(NAME)
    outlet = Outlet("slow", gate, ("book",), limit=4, idle=gate.drained.set)

    def tell(message: BookSnapshot | BookDelta) -> bool:
        book.apply(message)
        return outlet.offer(message, T0, book)

    tell(BookSnapshot(NAME, ((99, 5),), ((101, 5),), T0, 1))
    assert gate.began.wait(DEADLINE_S)
    assert [True] * 4 + [False] * 3 == [tell(delta(number)) for number in range(2, 9)]
    gate.open.set()
    assert gate.drained.wait(DEADLINE_S)
    assert not outlet.mend(T0, StreamBook("okx:ETH/USDT"))  # of another book nothing was lost
    assert outlet.mend(T0, book)
    assert not outlet.mend(T0, book)
    tell(delta(9))
    outlet.close()
    invalid, snapshot, last = gate.heard[-3:]
    assert isinstance(invalid, BookInvalid)
    assert "lost 3 messages" in invalid.reason
    assert BookSnapshot(NAME, ((100, 8), (99, 5)), ((101, 5),), T0, 8) == snapshot
    assert delta(9) == last
    assert 8 == len(gate.heard)


def test_an_invalid_book_is_taken_up_as_invalid(gate: Gate) -> None:
    """There is no snapshot to give."""
    outlet = Outlet("slow", gate, ("book",), limit=2, idle=gate.drained.set)
    book = StreamBook(NAME)
    outlet.offer(delta(1), T0, book)
    assert gate.began.wait(DEADLINE_S)
    assert [True, True, False] == [outlet.offer(delta(n), T0, book) for n in (2, 3, 4)]
    gate.open.set()
    assert gate.drained.wait(DEADLINE_S)
    assert outlet.mend(T0, book)
    outlet.close()
    assert [delta(1), delta(2), delta(3)] == gate.heard[:3]
    (invalid,) = gate.heard[3:]
    assert isinstance(invalid, BookInvalid)


def test_an_error_is_counted_and_the_next_message_is_delivered() -> None:
    """It is told again, and again."""
    heard: list[StreamMessage] = []

    def handler(message: Any, _received: int) -> None:
        heard.append(message)
        if message.trade_id % 2:
            raise ValueError("odd")

    outlet = Outlet("raising", handler, ("trades",))
    for number in range(4):
        outlet.offer(trade(number), T0, None)
    outlet.close()
    assert [trade(number) for number in range(4)] == heard
    assert (2, 2) == (outlet.delivered, outlet.errors)


def test_hooks_are_called_when_idle_and_at_the_end() -> None:
    """On the handler's thread; an error of theirs is counted."""
    called: list[str] = []
    idle = Event()

    def at_end() -> None:
        called.append(f"end {current_thread().name}")
        raise OSError("full")

    outlet = Outlet(
        "hooked", lambda *_: called.append("message"), ("trades",), idle=idle.set, at_end=at_end
    )
    outlet.offer(trade(0), T0, None)
    assert idle.wait(DEADLINE_S)
    outlet.close()
    assert ["message", "end zvt-trading-hooked"] == called
    assert 1 == outlet.errors


def test_a_coroutine_runs_on_the_loop_that_it_was_given_on() -> None:
    """One call after the other."""

    async def story() -> list[object]:
        seen: list[object] = []
        done = asyncio.Event()

        async def handler(message: Any) -> None:
            seen.append(asyncio.get_running_loop() is asyncio.get_event_loop())
            await asyncio.sleep(0)
            seen.append(message.trade_id)
            if message.trade_id == 1:
                done.set()

        delivery = Delivery(handler)
        outlet = Outlet("here", delivery, ("trades",), at_end=delivery.close)
        for number in range(2):
            outlet.offer(trade(number), T0, None)
        await asyncio.wait_for(done.wait(), DEADLINE_S)
        await asyncio.to_thread(outlet.close)
        return seen

    assert [True, 0, True, 1] == asyncio.run(story())


def test_a_coroutine_without_a_loop_has_one_of_its_own() -> None:
    """The same one for all of its calls."""
    loops: list[object] = []

    async def handler(_message: StreamMessage) -> None:
        loops.append(asyncio.get_running_loop())

    delivery = Delivery(handler)
    outlet = Outlet("alone", delivery, ("trades",), at_end=delivery.close)
    for number in range(2):
        outlet.offer(trade(number), T0, None)
    outlet.close()
    assert 2 == len(loops)
    assert loops[0] is loops[1]


def test_a_closed_loop_is_an_error_of_the_handler() -> None:
    """Not of the service."""

    async def handler(_message: StreamMessage) -> None: ...

    async def make() -> Delivery:
        return Delivery(handler)

    delivery = asyncio.run(make())
    with pytest.raises(CallerError, match="loop of this handler is closed"):
        delivery(trade(0), T0)
    delivery.close()


@pytest.mark.parametrize(
    ("channels", "limit", "text"),
    [(("tape",), 10, "tape"), ((), 10, "channels"), (("trades",), 1, "limit 1 must be >= 2")],
)
def test_what_cannot_be_meant_is_refused(channels: tuple[str, ...], limit: int, text: str) -> None:
    """With what is allowed."""
    with pytest.raises(CallerError, match=text):
        Outlet("wrong", lambda *_: None, channels, limit=limit)
