"""Streams that live and fail together: opened again whatever happens, and never twice at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from ccxt.base.errors import NetworkError

from ccxt_scripted import ScriptedDialect, ScriptedExchange
from manual_loop import in_manual_time, settle
from zvt_trading.adapters.ccxt.dialect import Subscription
from zvt_trading.adapters.ccxt.streams import BACKOFF_SECONDS, STABLE_SECONDS, StreamGroup

ONE = Subscription("wss://a", "orders", {})
SAME_SOCKET = Subscription("wss://a", "fills", {})
OTHER_SOCKET = Subscription("wss://b", "orders of b", {})
RESET = NetworkError("reset")


class Stage:
    """A group on a scripted exchange; when each life `begun`, and what `changes` were told."""

    def __init__(self, *subscriptions: Subscription) -> None:
        self.exchange = ScriptedExchange()
        self.subscriptions = subscriptions or (ONE,)
        self.error: Exception | None = None
        self.begun: list[float] = []
        self.changes: list[bool] = []
        self.group = StreamGroup(
            self.exchange, ScriptedDialect(), "private", self._subscribe, self.changes.append
        )

    async def _subscribe(self) -> Sequence[Subscription]:
        self.begun.append(asyncio.get_running_loop().time())
        if self.error is not None:
            raise self.error
        return self.subscriptions

    def waits(self) -> list[float]:
        """Seconds between two lives, to the millisecond."""
        return [
            round(after - before, 3)
            for before, after in zip(self.begun, self.begun[1:], strict=False)
        ]


def play(story: Callable[[Stage], Awaitable[Any]], *subscriptions: Subscription) -> Stage:
    async def whole() -> Stage:
        stage = Stage(*subscriptions)
        stage.group.start()
        await settle()
        try:
            await story(stage)
        finally:
            await stage.group.close()
            await settle()
        return stage

    return in_manual_time(whole())


class TestUp:
    def test_every_subscription_is_sent(self) -> None:
        """On as many sockets as there are URLs; then it is up."""

        async def story(stage: Stage) -> None:
            assert ["orders", "fills", "orders of b"] == stage.exchange.watched
            assert len(stage.exchange.opened) == 2
            assert ([True], True) == (stage.changes, stage.group.is_up)
            known = [stage.group.has(url) for url in ("wss://a", "wss://b", "wss://c")]
            assert [True, True, False] == known

        play(story, ONE, SAME_SOCKET, OTHER_SOCKET)

    def test_how_long(self) -> None:
        """0 when it is not up."""

        async def story(stage: Stage) -> None:
            await asyncio.sleep(7)
            assert round(stage.group.up_for()) == 7
            stage.exchange.clients["wss://a"].on_error(RESET)
            await settle()
            assert stage.group.up_for() == 0

        play(story)

    def test_nothing_to_subscribe_to_is_no_connection(self) -> None:
        """It is tried again, as after any end."""

        async def story(stage: Stage) -> None:
            stage.subscriptions = ()
            stage.exchange.clients["wss://a"].on_error(RESET)
            await asyncio.sleep(1)
            assert [] == list(stage.exchange.clients)
            assert len(stage.begun) > 2

        play(story)


class TestAgain:
    @pytest.mark.parametrize("failing", ["wss://a", "wss://b"])
    def test_when_one_socket_fails_all_are_made_anew(self, failing: str) -> None:
        """None of the old ones is left open."""

        async def story(stage: Stage) -> None:
            stage.exchange.clients[failing].on_error(RESET)
            await asyncio.sleep(1)
            assert [True, False, True] == stage.changes
            assert [True, True, False, False] == [one.closed() for one in stage.exchange.opened]
            assert stage.group.reconnects == 1

        play(story, ONE, OTHER_SOCKET)

    def test_a_subscription_that_ends_without_an_error_too(self) -> None:
        """Nobody sends on it any more."""

        async def story(stage: Stage) -> None:
            stage.exchange.clients["wss://a"].futures[0].set_result({})
            await asyncio.sleep(1)
            assert [True, False, True] == stage.changes

        play(story)

    def test_one_that_was_cancelled_too(self) -> None:
        """By ccxt, for whatever reason: it is no end of ours."""

        async def story(stage: Stage) -> None:
            stage.exchange.clients["wss://a"].on_error(ValueError("?"))
            await asyncio.sleep(1)
            assert [True, False, True] == stage.changes

        play(story)

    def test_it_is_waited_longer_each_time(self) -> None:
        """Up to the longest wait."""

        async def story(stage: Stage) -> None:
            stage.error = RESET
            stage.exchange.clients["wss://a"].on_error(RESET)
            await asyncio.sleep(120)

        stage = play(story)
        expected = [*BACKOFF_SECONDS, BACKOFF_SECONDS[-1], BACKOFF_SECONDS[-1]]
        assert expected[: len(stage.waits())] == stage.waits()[: len(expected)]
        assert len(stage.waits()) >= len(BACKOFF_SECONDS)
        assert stage.changes == [True, False]

    def test_one_that_was_stable_begins_with_the_shortest_wait(self) -> None:
        """Its failures before are forgotten."""

        async def story(stage: Stage) -> None:
            stage.error = RESET
            stage.exchange.clients["wss://a"].on_error(RESET)
            await asyncio.sleep(1)
            stage.error = None
            await asyncio.sleep(5)
            lives = len(stage.begun)
            await asyncio.sleep(STABLE_SECONDS)
            stage.exchange.clients["wss://a"].on_error(RESET)
            before = asyncio.get_running_loop().time()
            await asyncio.sleep(1)
            assert round(stage.begun[lives] - before, 3) == BACKOFF_SECONDS[0]

        play(story)

    def test_a_restart_says_why_to_all_its_sockets(self) -> None:
        """And is nothing to one that is not there."""

        async def story(stage: Stage) -> None:
            stage.exchange.clients.pop("wss://b")
            stage.group.restart("fills were not told")
            assert ["fills were not told"] == [
                str(error) for error in stage.exchange.opened[0].errors
            ]
            assert [] == stage.exchange.opened[1].errors
            await asyncio.sleep(1)
            assert stage.group.reconnects == 1

        play(story, ONE, OTHER_SOCKET)


class TestClose:
    def test_nothing_is_left(self) -> None:
        """No socket is open, no subscription waits."""
        stage = play(lambda _: settle(), ONE, OTHER_SOCKET)
        assert [True, True] == [one.closed() for one in stage.exchange.opened]
        assert all(one.done() for socket in stage.exchange.opened for one in socket.futures)

    def test_one_that_never_began(self) -> None:
        """Is nothing."""

        async def story() -> None:
            stage = Stage()
            await stage.group.close()
            assert [] == stage.begun

        in_manual_time(story())
