"""How many requests leave: never more than allowed, none in a ban, and always room for cancels."""

import asyncio
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manual_loop import in_manual_time
from zvt_trading.adapters.ccxt.budget import (
    BAN_WAIT_SECONDS_MAX,
    CANCEL,
    ORDER,
    QUERY,
    WAIT_SECONDS_MAX,
    Bucket,
    Budget,
    NotSentError,
)
from zvt_trading.adapters.ccxt.dialect import Profile

VENUES = ("binance", "okx", "bybit", "coinbase")


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def budget(requests: int = 20, orders: int = 10, reserved: int = 3) -> Budget:
    return Budget(requests, orders, reserved, asyncio.get_running_loop().time)


async def is_let(one: Budget, kind: int) -> bool:
    """Whether a request leaves at once."""
    entering = asyncio.ensure_future(one.enter(kind))
    await asyncio.sleep(0)
    is_in = entering.done() and entering.exception() is None
    if not entering.done():
        entering.cancel()
    return is_in


async def let_at_once(one: Budget, kind: int) -> int:
    """How many leave now, one after another."""
    count = 0
    while await is_let(one, kind):
        count += 1
    return count


class Wish:
    """A request: after so many milliseconds, of a kind."""

    def __init__(self, after_ms: int, kind: int) -> None:
        self.after_ms = after_ms
        self.kind = kind


WISHES = st.lists(
    st.builds(Wish, st.integers(0, 4_000), st.sampled_from((ORDER, CANCEL, QUERY))), max_size=150
)


def let_in(
    wishes: list[Wish], requests: int, orders: int, ban_ms: tuple[int, int] = (0, 0)
) -> list[tuple[float, int]]:
    """When (seconds after the begin) requests of each kind were let through, in order."""
    let: list[tuple[float, int]] = []

    async def one(wish: Wish, held: Budget, began: float) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(wish.after_ms / 1000)
        try:
            await held.enter(wish.kind)
        except NotSentError:
            return
        let.append((loop.time() - began, wish.kind))

    async def story() -> None:
        began = asyncio.get_running_loop().time()
        held = budget(requests, orders)
        waiting = [asyncio.ensure_future(one(wish, held, began)) for wish in wishes]
        await asyncio.sleep(ban_ms[0] / 1000)
        if ban_ms[1]:
            held.pause(ban_ms[1] / 1000)
        await asyncio.gather(*waiting)

    in_manual_time(story())
    return sorted(let)


def most_in_a_second(times: list[float]) -> int:
    return max((sum(then <= time < then + 1 for time in times) for then in times), default=0)


class TestInvariants:
    @given(WISHES, st.integers(1, 30), st.integers(1, 30))
    def test_in_no_second_leave_more_than_are_allowed(
        self, wishes: list[Wish], requests: int, orders: int
    ) -> None:
        """All requests, and those that change orders; whatever is asked for, and when."""
        let = let_in(wishes, requests, orders)
        assert most_in_a_second([time for time, _ in let]) <= requests
        assert most_in_a_second([time for time, kind in let if kind != QUERY]) <= orders

    @given(WISHES, st.integers(0, 3_000), st.integers(1, 12_000))
    def test_none_leaves_in_a_ban(self, wishes: list[Wish], begin: int, length: int) -> None:
        """Nor does one that waited for its turn when the ban came."""
        let = let_in(wishes, 20, 10, (begin, length))
        # What leaves in the very moment of the ban, to the step of the clock, left before it.
        inside = [time for time, _ in let if begin / 1000 + 0.001 < time < (begin + length) / 1000]
        assert [] == inside

    @given(st.lists(st.sampled_from((ORDER, QUERY)), max_size=60), st.integers(0, 900))
    def test_a_cancel_always_has_room(self, others: list[int], after_ms: int) -> None:
        """However many orders and questions there were: it leaves at once."""

        async def story() -> bool:
            held = budget(requests=20, orders=10, reserved=3)
            for kind in others:
                await is_let(held, kind)
            await asyncio.sleep(after_ms / 1000)
            for kind in others:
                await is_let(held, kind)
            return await is_let(held, CANCEL)

        assert in_manual_time(story())


class TestReserve:
    def test_what_is_left_for_whom(self) -> None:
        """Of 20 saved: questions leave 5 to orders, orders 10 to cancels, cancels nothing."""

        async def story() -> list[int]:
            held = budget(requests=100, orders=100, reserved=50)
            return [await let_at_once(held, kind) for kind in (QUERY, ORDER, CANCEL)]

        assert [5, 5, 10] == in_manual_time(story())

    def test_a_small_reserve_leaves_the_rest_to_orders(self) -> None:
        """3 of 20 are kept."""

        async def story() -> list[int]:
            held = budget(requests=100, orders=100, reserved=3)
            return [await let_at_once(held, kind) for kind in (ORDER, CANCEL)]

        assert [17, 3] == in_manual_time(story())

    def test_questions_cost_no_order(self) -> None:
        """They are counted with the requests only."""

        async def story() -> int:
            held = budget(requests=1_000, orders=10, reserved=0)
            await let_at_once(held, QUERY)
            return await let_at_once(held, ORDER)

        assert in_manual_time(story()) == 2  # a fifth of ten

    @pytest.mark.parametrize("venue", VENUES)
    def test_every_exchange_has_room_for_cancels(self, venue: str) -> None:
        """With the numbers of its profile, when orders and questions have used all of theirs."""
        dialect = import_module(f"zvt_trading.adapters.ccxt.{venue}").DIALECT
        profile: Profile = dialect.profile

        async def story() -> int:
            held = budget(
                profile.requests_per_second,
                profile.orders_per_second,
                profile.cancels_reserved_per_second,
            )
            await let_at_once(held, QUERY)
            await let_at_once(held, ORDER)
            return await let_at_once(held, CANCEL)

        assert in_manual_time(story()) >= 1


class TestWaiting:
    def test_an_order_waits_a_moment(self) -> None:
        """The eleventh part of a second is near enough."""

        async def story() -> tuple[bool, float]:
            loop = asyncio.get_running_loop()
            held = budget(requests=20, orders=10, reserved=0)
            await let_at_once(held, ORDER)
            wait = held.headroom()
            began = loop.time()
            await held.enter(ORDER)
            return wait <= loop.time() - began < wait + 0.001, wait

        waited_as_said, wait = in_manual_time(story())
        assert waited_as_said
        assert 0 < wait <= WAIT_SECONDS_MAX

    def test_an_order_that_must_wait_longer_is_not_sent(self) -> None:
        """The error says how long it would have been."""

        async def story() -> None:
            held = budget(requests=1, orders=1, reserved=0)
            await held.enter(ORDER)
            with pytest.raises(NotSentError, match=r"budget is used up for 1\.0 s more"):
                await held.enter(ORDER)

        in_manual_time(story())

    @pytest.mark.parametrize("kind", [CANCEL, QUERY])
    @pytest.mark.parametrize(("seconds", "is_sent"), [(9.9, True), (10.1, False)])
    def test_cancels_and_questions_outlast_a_short_ban(
        self, kind: int, seconds: float, is_sent: bool
    ) -> None:
        """Up to BAN_WAIT_SECONDS_MAX; a longer one is an error at once."""

        async def story() -> float:
            loop = asyncio.get_running_loop()
            held = budget()
            held.pause(seconds)
            began = loop.time()
            if is_sent:
                await held.enter(kind)
            else:
                with pytest.raises(NotSentError, match=r"no requests are taken for 10\.1 s more"):
                    await held.enter(kind)
            return loop.time() - began

        assert seconds <= BAN_WAIT_SECONDS_MAX if is_sent else seconds > BAN_WAIT_SECONDS_MAX
        waited = in_manual_time(story())
        assert (seconds <= waited < seconds + 0.01) if is_sent else waited < 0.01

    def test_no_order_outlasts_a_ban(self) -> None:
        """Its price would be gone."""

        async def story() -> None:
            held = budget()
            held.pause(WAIT_SECONDS_MAX + 0.1)
            with pytest.raises(NotSentError, match=r"no requests are taken for 0\.6 s more"):
                await held.enter(ORDER)

        in_manual_time(story())


class TestBan:
    def test_the_longest_counts(self) -> None:
        """A later, shorter one does not end it earlier."""
        clock = Clock()
        held = Budget(20, 10, 3, clock)
        held.pause(60)
        held.pause(2)
        assert held.paused_until == clock.now + 60
        with pytest.raises(NotSentError, match=r"takes no requests for 60\.0 s more"):
            held.check()

    def test_it_ends(self) -> None:
        """To the moment."""
        clock = Clock()
        held = Budget(20, 10, 3, clock)
        held.pause(2)
        clock.now += 2
        held.check()
        assert held.headroom() == 0

    def test_headroom_is_what_an_order_would_wait(self) -> None:
        """The ban's end, when that is later than its turn."""
        clock = Clock()
        held = Budget(20, 10, 3, clock)
        assert held.headroom() == 0
        held.pause(7)
        assert held.headroom() == 7


def test_a_bucket_saves_no_more_than_a_fifth() -> None:
    """However long nothing was sent."""
    bucket = Bucket(100, 0.0)
    count = 0
    while bucket.wait(1_000_000.0, 0) == 0:
        bucket.take()
        count += 1
    assert count == 20
