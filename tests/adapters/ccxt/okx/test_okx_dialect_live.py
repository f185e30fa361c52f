"""The dialect over the emulated OKX, through a real ccxt.pro exchange with production addresses."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from ccxt.base.errors import (
    AuthenticationError,
    BadResponse,
    BaseError,
    ExchangeError,
    ExchangeNotAvailable,
    InvalidOrder,
    OrderNotFound,
)

from emulator.redirect import DEADLINE_S, exchange, running
from zvt_trading.adapters.ccxt.dialect import Frame, Wanted
from zvt_trading.adapters.ccxt.okx import OkxDialect
from zvt_trading.adapters.ccxt.okx.profile import PROFILE
from zvt_trading.adapters.ccxt.outcomes import error_code, refusal
from zvt_trading.adapters.ccxt.views import (
    CANCELLED,
    FILLED,
    OPEN,
    REJECTED,
    AmendView,
    BalanceView,
    BookView,
    FillView,
    GapView,
    OrderView,
    PositionView,
    QuoteView,
)
from zvt_trading.core.units import RATE_SCALE, parse_scaled
from zvt_trading.emulator import faults
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.faults import Fault
from zvt_trading.emulator.house import House
from zvt_trading.emulator.orders import Ask
from zvt_trading.messages.codes import BUY, CROSS, IOC, LIMIT, SELL
from zvt_trading.messages.market import FundingRate
from zvt_trading.messages.reasons import Reason

SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"
BOTH = (SPOT, SWAP)


class Rig:
    """A dialect with its ccxt object, the house it trades at, and the frames it heard."""

    def __init__(self, okx: Any, emulator: Emulator) -> None:
        self.okx, self.emulator = okx, emulator
        self.house: House = emulator.houses["okx"]
        self.dialect = OkxDialect()
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()
        self._hearing = okx.handle_message
        okx.handle_message = self._hear

    def _hear(self, client: Any, message: Any) -> None:
        found = self.dialect.frames(self.okx, client.url, message)
        if found.is_control:
            self._hearing(client, message)
        self.frames.put_nowait(found)

    async def place(self, order_id: str, **changed: Any) -> list[Any]:
        """What the answer proves."""
        fields = dict(order_id=order_id, symbol=SPOT, side="buy", price="50000", quantity="0.01",
                      tif="GTC", post_only=False, reduce_only=False, expire_ms=0)  # fmt: skip
        wanted = Wanted(**{**fields, **changed})
        create = self.dialect.create(wanted, self.okx.market(wanted.symbol))
        answer = await self.okx.create_order(
            create.symbol, create.type, create.side, create.amount, create.price, create.params
        )
        return self.dialect.created(answer, wanted)

    async def find(self, order_id: str, symbol: str = SPOT) -> OrderView | None:
        return await self.dialect.find(self.okx, symbol, order_id, "")

    async def subscribe(self, *subscriptions: Any) -> None:
        """Until all are acknowledged."""
        for one in subscriptions:
            self.okx.watch(one.url, one.key, one.message, one.key)
        awaited = sum(len(one.message["args"]) for one in subscriptions)
        while awaited:
            found = await asyncio.wait_for(self.frames.get(), DEADLINE_S)
            awaited -= found.is_control

    async def hear(self, kind: type[Any], count: int) -> list[Any]:
        """So many views of a kind."""
        views: list[Any] = []
        while len(views) < count:
            found = await asyncio.wait_for(self.frames.get(), DEADLINE_S)
            views += [view for view in found.views if isinstance(view, kind)]
        return views


def run(story: Callable[[Rig], Awaitable[None]], *, is_quiet: bool = True) -> None:
    async def whole() -> None:
        async with (
            running(Emulator(("okx",), is_quiet=is_quiet)) as emulator,
            exchange(emulator, "okx", OkxDialect().settings()) as okx,
        ):
            await okx.load_markets()
            await story(Rig(okx, emulator))

    asyncio.run(whole())


def test_the_markets_are_loaded_by_public_requests_only() -> None:
    """The time, spot and swaps: three requests; fees are those of OKX's first level."""

    async def story(rig: Rig) -> None:
        assert 3 == rig.house.limits.requests
        assert {SPOT, SWAP, "ETH/USDT"} == set(rig.okx.markets)
        for symbol in BOTH:
            market, truth = rig.okx.market(symbol), rig.house.instruments[symbol]
            rates = [parse_scaled(market[name], RATE_SCALE) for name in ("maker", "taker")]
            assert [truth.maker_fee, truth.taker_fee] == rates

    run(story)


def test_orders_of_every_kind_arrive_as_wanted() -> None:
    """The house has them on its own scales: base asset, not contracts."""

    async def story(rig: Rig) -> None:
        await rig.place("gtc")
        await rig.place("ioc", tif="IOC")
        await rig.place("fok", tif="FOK")
        await rig.place("maker", post_only=True)
        (view,) = await rig.place("swap", symbol=SWAP, quantity="0.015", price="49999.9")
        orders = {order.client_id: order for order in rig.house.orders_of("default")}
        assert ["gtc", "ioc", "fok", "maker", "swap"] == list(orders)
        assert orders["maker"].ask.post_only
        assert (15_000, 49_999_90) == (orders["swap"].quantity, orders["swap"].price)
        assert ("swap", OPEN, "") == (view.order_id, view.status, view.filled)
        found = [await rig.find(name) for name in ("gtc", "ioc", "fok", "maker")]
        assert [OPEN, CANCELLED, REJECTED, OPEN] == [view and view.status for view in found]

    run(story)


def test_an_order_is_found_by_either_id_and_is_absent_only_when_okx_says_so() -> None:
    """51603."""

    async def story(rig: Rig) -> None:
        (created,) = await rig.place("here")
        found = await rig.find("here")
        assert found == await rig.dialect.find(rig.okx, SPOT, "", created.venue_order_id)
        assert found is not None
        assert ("here", created.venue_order_id, "0.01", "50000") == (
            found.order_id, found.venue_order_id, found.quantity, found.price,
        )  # fmt: skip
        assert None is await rig.find("nowhere")

    run(story)


def test_an_order_may_be_absent_for_a_while_though_it_was_taken() -> None:
    """Why one negative answer proves no absence."""

    async def story(rig: Rig) -> None:
        rig.house.faults.add(Fault(faults.HIDE, faults.PLACE, ms=3_600_000))
        (created,) = await rig.place("late")
        assert None is await rig.find("late")
        assert [] == await rig.dialect.open_orders(rig.okx, BOTH)
        rig.house.by_client["default", "late"].hidden_until = 0
        found = await rig.find("late")
        assert found is not None
        assert created.venue_order_id == found.venue_order_id

    run(story)


def test_leverage_reaches_the_account() -> None:
    """Cross margin; refused while a position or an order is open."""

    async def story(rig: Rig) -> None:
        await rig.dialect.set_leverage(rig.okx, SWAP, 5, CROSS)
        await rig.place("swap", symbol=SWAP)
        assert 5 == rig.house.seats("default")[0].leverage
        with pytest.raises(ExchangeError) as refused:
            await rig.dialect.set_leverage(rig.okx, SWAP, 3, CROSS)
        assert "59000" == error_code(refused.value).code

    run(story)


SPOILT = [
    faults.ERROR_BEFORE,
    faults.RATE_LIMIT,
    faults.DROP_AFTER,
    faults.TRUNCATE,
    faults.JUNK,
    faults.EMPTY,
]


@pytest.mark.parametrize("kind", SPOILT)
def test_a_question_that_was_not_answered_raises(kind: str) -> None:
    """It is neither "no such order" nor an empty list."""

    async def story(rig: Rig) -> None:
        dialect, okx = rig.dialect, rig.okx
        (created,) = await rig.place("here")
        asks: list[Callable[[], Awaitable[Any]]] = [
            lambda: rig.find("here"),
            lambda: dialect.open_orders(okx, BOTH),
            lambda: dialect.fills(okx, BOTH, 0),
            lambda: dialect.fills_of(okx, created),
            lambda: dialect.balances(okx),
            lambda: dialect.positions(okx, BOTH),
            lambda: dialect.transfers(okx, 0),
            lambda: dialect.funding(okx, BOTH, 0),
            lambda: dialect.cancel(okx, SPOT, "here", ""),
        ]
        for ask in asks:
            rig.house.faults.add(Fault(kind, count=2))  # aiohttp itself asks again, once
            with pytest.raises(BaseError) as raised:
                await ask()
            rig.house.faults.clear()
            assert error_code(raised.value).code not in PROFILE.refusals.order_gone

    run(story)


def test_ccxt_alone_says_that_nothing_is_open_when_the_answer_is_junk() -> None:
    """Why every answer is checked."""

    async def story(rig: Rig) -> None:
        await rig.place("here")
        rig.house.faults.add(Fault(faults.JUNK, faults.OPEN_ORDERS))
        assert [] == await rig.okx.fetch_open_orders(SPOT)
        rig.house.faults.add(Fault(faults.JUNK, faults.OPEN_ORDERS))
        with pytest.raises(BadResponse):
            await rig.dialect.open_orders(rig.okx, BOTH)
        assert 1 == len(await rig.dialect.open_orders(rig.okx, BOTH))

    run(story)


@pytest.mark.parametrize("kind", [faults.JUNK, faults.EMPTY])
def test_an_order_whose_acknowledgement_is_no_answer_is_unknown(kind: str) -> None:
    """Ccxt raises nothing here; the order was taken all the same."""

    async def story(rig: Rig) -> None:
        rig.house.faults.add(Fault(kind, faults.PLACE))
        assert [] == await rig.place("unknown")
        assert None is not await rig.find("unknown")

    run(story)


REFUSED: list[tuple[dict[str, Any], Reason]] = [
    ({"quantity": "100"}, Reason.VENUE_BALANCE),
    ({"quantity": "0.00001"}, Reason.VENUE_FILTER),
    ({"quantity": "20000"}, Reason.VENUE_FILTER),
    ({"order_id": "not-allowed"}, Reason.VENUE_REJECTED),
    ({"symbol": SWAP, "reduce_only": True}, Reason.VENUE_REDUCE_ONLY),
]


@pytest.mark.parametrize(("changed", "reason"), REFUSED)
def test_a_refusal_is_proven_by_its_code(changed: dict[str, Any], reason: Reason) -> None:
    """The code is in the row, not in the envelope."""

    async def story(rig: Rig) -> None:
        with pytest.raises(ExchangeError) as raised:
            await rig.place(**{"order_id": "refused", **changed})
        assert reason == refusal(error_code(raised.value), PROFILE.refusals)

    run(story)


def test_a_duplicate_id_and_a_busy_exchange_prove_nothing() -> None:
    """The first order is there."""

    async def story(rig: Rig) -> None:
        await rig.place("twice")
        with pytest.raises(InvalidOrder) as duplicate:
            await rig.place("twice")
        rig.house.faults.add(Fault(faults.ERROR_AFTER, faults.PLACE))
        with pytest.raises(ExchangeNotAvailable) as busy:
            await rig.place("busy")
        for raised in (duplicate, busy):
            assert None is refusal(error_code(raised.value), PROFILE.refusals)
        assert None is not await rig.find("busy")

    run(story)


def test_a_cancel_may_be_repeated_and_an_amend_is_proven_by_the_order() -> None:
    """The second cancel says that the order is gone."""

    async def story(rig: Rig) -> None:
        await rig.place("swap", symbol=SWAP)
        view = await rig.find("swap", SWAP)
        assert view is not None
        (amended,) = await rig.dialect.amend(rig.okx, view, "51000", "0.02")
        assert isinstance(amended, AmendView)
        assert ("51000", "0.02") == (amended.price, amended.quantity)
        with pytest.raises(ExchangeError) as refused:
            await rig.dialect.amend(rig.okx, view, "51000", "9000")
        assert Reason.VENUE_BALANCE == refusal(error_code(refused.value), PROFILE.refusals)
        await rig.dialect.cancel(rig.okx, SWAP, "swap", "")
        for ask in (
            rig.dialect.cancel(rig.okx, SWAP, "swap", ""),
            rig.dialect.amend(rig.okx, view, "52000", "0.02"),
        ):
            with pytest.raises(OrderNotFound) as gone:
                await ask
            assert error_code(gone.value).code in PROFILE.refusals.order_gone
        done = await rig.find("swap", SWAP)
        assert done is not None
        assert (CANCELLED, "cancelSource 1") == (done.status, done.reason)

    run(story)


def buy(house: House, order_id: str, price: int, tif: int = IOC) -> None:
    """An order of ours that did not come by the adapter."""
    instrument = house.instruments[SPOT]
    house.place(
        "default", Ask(instrument, BUY, LIMIT, 200, client_id=order_id, price=price, tif=tif)
    )


def test_fills_and_open_orders_are_read_over_all_pages() -> None:
    """130 of each, oldest first, exactly as the house has them; and those of one order."""

    async def story(rig: Rig) -> None:
        house, dialect = rig.house, rig.dialect
        house.crowd(SPOT, SELL, 59_990_00, 10_000_000)
        for number in range(130):
            buy(house, f"fill{number}", 59_990_00)
            buy(house, f"open{number}", 50_000_00, 0)
        found = await dialect.fills(rig.okx, BOTH, rig.okx.milliseconds() - 60_000)
        assert [f"fill{number}" for number in range(130)] == [fill.order_id for fill in found]
        assert {("59990", "0.0002", "0.0000002", "BTC", False)} == {
            (fill.price, fill.quantity, fill.fee, fill.fee_asset, fill.is_maker) for fill in found
        }
        assert found == await dialect.fills(rig.okx, [SPOT], 0)
        assert [] == await dialect.fills(rig.okx, [SWAP], 0)
        opened = await dialect.open_orders(rig.okx, [SPOT])
        assert [f"open{number}" for number in range(130)] == [view.order_id for view in opened]
        view = await rig.find("fill7")
        assert view is not None
        assert (FILLED, [found[7]]) == (view.status, await dialect.fills_of(rig.okx, view))

    run(story)


def test_fills_that_are_not_listed_yet_are_not_none() -> None:
    """More is filled than the lists have: ask again."""

    async def story(rig: Rig) -> None:
        (created,) = await rig.place("rests")
        assert [] == await rig.dialect.fills_of(rig.okx, created)
        more = OrderView(
            order_id="rests", venue_order_id=created.venue_order_id, symbol=SPOT,
            status=OPEN, filled="0.001",
        )  # fmt: skip
        with pytest.raises(BadResponse, match="missing"):
            await rig.dialect.fills_of(rig.okx, more)

    run(story)


def test_money_positions_transfers_and_funding_are_exact() -> None:
    """Cash without what the position would bring; funding paid is above zero."""

    async def story(rig: Rig) -> None:
        house, dialect = rig.house, rig.dialect
        house.crowd(SWAP, BUY, 59_999_00, 20_000)
        await rig.place("short", symbol=SWAP, side="sell", price="59999", quantity="0.02")
        assert [PositionView(SWAP, "-0.02", "59999")] == await dialect.positions(rig.okx, BOTH)
        assert [] == await dialect.positions(rig.okx, [SPOT])
        rate = FundingRate("okx:BTC/USDT:USDT", -10_000, 60_000_00, house.clock.true_ns())
        house.on_market(rate)
        (funding,) = await dialect.funding(rig.okx, BOTH, 0)
        assert (SWAP, "USDT", "0.12", "-0.0001") == (
            funding.symbol, funding.asset, funding.amount, funding.rate,
        )  # fmt: skip
        house.deposit("default", "ETH", 150_000_000)
        house.withdraw("default", "BTC", 50_000_000)
        moved = await dialect.transfers(rig.okx, 0)
        assert [("ETH", "1.5"), ("BTC", "-0.5")] == [(view.asset, view.amount) for view in moved]
        assert {
            BalanceView("USDT", "999999.28001"),  # less the fee, 5 bp of 1199.98, and funding
            BalanceView("BTC", "9.5"),
            BalanceView("ETH", "101.5"),
        } == set(await dialect.balances(rig.okx))

    run(story)


def test_a_burst_of_own_order_news_is_heard_whole_and_in_order() -> None:
    """Ccxt's watch_orders shows the last of these only; frames lose none."""

    async def story(rig: Rig) -> None:
        await rig.subscribe(*await rig.dialect.private(rig.okx, BOTH))
        await rig.place("burst", price="59999")
        rig.house.crowd(SPOT, SELL, 59_999_00, 4_000)
        rig.house.cancel(rig.house.orders_of("default")[-1])
        told = await rig.hear(OrderView | FillView, 4)  # type: ignore[arg-type]  # isinstance takes a union
        assert [
            ("OrderView", OPEN, "0"),
            ("FillView", "0.004", "0.0000032"),
            ("OrderView", OPEN, "0.004"),
            ("OrderView", CANCELLED, "0.004"),
        ] == [_told(view) for view in told]
        await rig.place("maker", price="70000", post_only=True)
        assert [OPEN, REJECTED] == [view.status for view in await rig.hear(OrderView, 2)]
        rig.house.crowd(SWAP, SELL, 59_999_00, 10_000)
        await rig.place("long", symbol=SWAP, price="59999")
        assert [PositionView(SWAP, "0.01", "59999")] == await rig.hear(PositionView, 1)

    run(story)


def _told(view: OrderView | FillView) -> tuple[str, str, str]:
    if isinstance(view, FillView):
        return ("FillView", view.quantity, view.fee)
    return ("OrderView", view.status, view.filled)


def test_quotes_and_books_are_streamed() -> None:
    """The emulator's checksums are those of the book rebuilt here."""

    async def story(rig: Rig) -> None:
        channels = ["book", "quotes", "trades", "marks"]
        await rig.subscribe(*rig.dialect.public(rig.okx, BOTH, channels))
        rig.house.crowd(SPOT, SELL, 59_990_00, 10_000_000)
        while (quote := (await rig.hear(QuoteView, 1))[0]).ask != "59990":
            pass
        assert SPOT == quote.symbol
        rig.house.crowd(SPOT, SELL, 59_980_00, 10_000_000)
        while (view := (await rig.hear(BookView, 1))[0]).is_snapshot:
            pass
        assert ("59980", "59980") == (view.asks[0][0], (await rig.hear(QuoteView, 1))[0].ask)

    run(story)


def test_a_lost_frame_is_a_gap_of_its_book() -> None:
    """The next frame does not follow; nothing more is said until a snapshot."""

    async def story(rig: Rig) -> None:
        await rig.subscribe(*rig.dialect.public(rig.okx, [SPOT], ["book"]))
        rig.house.crowd(SPOT, SELL, 59_980_00, 10_000_000)
        await rig.hear(BookView, 1)
        rig.house.faults.add(Fault(faults.FRAME_DROP, faults.PUBLIC))
        rig.house.crowd(SPOT, SELL, 59_970_00, 10_000_000)
        while rig.house.faults.queue:
            await _a_step(rig)
        rig.house.crowd(SPOT, SELL, 59_960_00, 10_000_000)
        (gap,) = await rig.hear(GapView, 1)
        assert SPOT == gap.symbol

    run(story)


def test_the_books_of_a_moving_market_have_no_gap() -> None:
    """Every checksum of every message fits."""

    async def story(rig: Rig) -> None:
        await rig.subscribe(*rig.dialect.public(rig.okx, BOTH, ["book"]))
        views = await rig.hear(BookView | GapView, 60)  # type: ignore[arg-type]  # isinstance takes a union
        assert {BookView} == {type(view) for view in views}
        assert set(BOTH) == {view.symbol for view in views if not view.is_snapshot}

    run(story, is_quiet=False)


def test_a_login_that_is_refused_raises() -> None:
    """And the frame says that the socket is of no use."""

    async def story(rig: Rig) -> None:
        rig.okx.secret = rig.okx.apiKey
        with pytest.raises(AuthenticationError):
            await asyncio.wait_for(rig.dialect.private(rig.okx, BOTH), DEADLINE_S)
        found = await asyncio.wait_for(rig.frames.get(), DEADLINE_S)
        assert (True, True) == (found.is_private, "60007" in found.problem)

    run(story)


async def _a_step(rig: Rig) -> None:
    """A round trip: what was pushed before it has been sent."""
    await rig.okx.fetch_time()
