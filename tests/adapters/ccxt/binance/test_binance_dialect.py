"""Binance's dialect through a real ccxt.pro exchange against the emulated Binance."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from ccxt.base.errors import BaseError, ExchangeError, PermissionDenied

from emulator.redirect import exchange, running
from zvt_trading.adapters.ccxt.binance import DIALECT
from zvt_trading.adapters.ccxt.binance.dialect import BinanceDialect
from zvt_trading.adapters.ccxt.budget import NotSentError
from zvt_trading.adapters.ccxt.dialect import Wanted
from zvt_trading.adapters.ccxt.fields import UnreadableError
from zvt_trading.adapters.ccxt.outcomes import error_code, refusal
from zvt_trading.adapters.ccxt.views import (
    AmendView,
    BalanceView,
    FillView,
    OrderView,
    PositionView,
    View,
)
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.faults import EMPTY, ERROR_AFTER, JUNK, TRUNCATE, Fault
from zvt_trading.emulator.house import House
from zvt_trading.messages.codes import BUY, ISOLATED, SELL
from zvt_trading.messages.market import FundingRate
from zvt_trading.messages.reasons import Reason

SPOT, PERP = "BTC/USDT", "BTC/USDT:USDT"
SYMBOLS = (SPOT, "ETH/USDT", PERP)
BOTH = pytest.mark.parametrize("symbol", [SPOT, PERP])


class Rig:
    """An emulator, ccxt, and the dialect between."""

    def __init__(self, emulator: Emulator, caller: Any) -> None:
        self.emulator = emulator
        self.house: House = emulator.houses["binance"]
        self.caller = caller

    async def place(self, order_id: str = "mine", **changes: Any) -> list[View]:
        """A buy at 50,000 that rests, or what is said instead."""
        terms = dict(
            order_id=order_id, symbol=SPOT, side="buy", price="50000", quantity="0.01", tif="GTC",
            post_only=False, reduce_only=False, expire_ms=0,
        )  # fmt: skip
        wanted = Wanted(**{**terms, **changes})
        ask = DIALECT.create(wanted, self.caller.market(wanted.symbol))
        answer = await self.caller.create_order(
            ask.symbol, ask.type, ask.side, ask.amount, ask.price, ask.params
        )
        return DIALECT.created(answer, wanted)

    async def refused(self, **changes: Any) -> Reason | None:
        """What the refusal of an order means."""
        with pytest.raises(BaseError) as caught:
            await self.place(**changes)
        return refusal(error_code(caught.value), DIALECT.profile.refusals)

    async def find(self, symbol: str, order_id: str = "mine", venue_id: str = "") -> Any:
        return await DIALECT.find(self.caller, symbol, order_id, venue_id)

    def fault(self, kind: str, endpoint: str) -> None:
        self.house.faults.add(Fault(kind, endpoint))


def run(story: Callable[[Rig], Awaitable[None]]) -> None:
    async def whole() -> None:
        emulator = Emulator(("binance",), is_quiet=True)
        settings = {**DIALECT.settings(), "enableRateLimit": False}
        async with running(emulator), exchange(emulator, "binance", settings) as caller:
            await caller.load_markets()
            await story(Rig(emulator, caller))

    asyncio.run(whole())


def test_only_what_is_needed_is_loaded() -> None:
    """No private call, no currencies, no margin pairs: a key that only trades is enough."""

    async def story(rig: Rig) -> None:
        assert set(SYMBOLS) == set(rig.caller.markets)
        # exchangeInfo twice, and the clock of the difference of times.
        assert rig.house.limits.requests <= 3

    run(story)


@BOTH
def test_a_resting_order_is_found_by_either_id_until_it_is_cancelled(symbol: str) -> None:
    """create, created, find, open_orders, cancel: the same order, exactly."""

    async def story(rig: Rig) -> None:
        [made] = await rig.place(symbol=symbol)
        assert isinstance(made, OrderView)
        assert ("mine", "open", symbol) == (made.order_id, made.status, made.symbol)
        found = await rig.find(symbol)
        assert found == await rig.find(symbol, "", made.venue_order_id)
        assert Decimal(50000) == Decimal(found.price)
        assert Decimal("0.01") == Decimal(found.quantity)
        assert [found] == await DIALECT.open_orders(rig.caller, SYMBOLS)
        await DIALECT.cancel(rig.caller, symbol, "mine", "")
        assert "cancelled" == (await rig.find(symbol)).status
        assert "mine" == (await rig.find(symbol)).order_id
        assert [] == await DIALECT.open_orders(rig.caller, SYMBOLS)

    run(story)


@BOTH
def test_a_cancel_by_the_exchanges_id(symbol: str) -> None:
    """Of orders that somebody else named."""

    async def story(rig: Rig) -> None:
        [made] = await rig.place(symbol=symbol)
        assert isinstance(made, OrderView)
        await DIALECT.cancel(rig.caller, symbol, "", made.venue_order_id)
        assert "cancelled" == (await rig.find(symbol)).status

    run(story)


@BOTH
def test_fills_are_exact_whichever_way_they_are_told(symbol: str) -> None:
    """By the answer (spot), by order and by time: price, quantity, fee, side, maker, ids."""

    async def story(rig: Rig) -> None:
        views = await rig.place(symbol=symbol, price="60500", quantity="0.05", tif="IOC")
        told = [view for view in views if isinstance(view, FillView)]
        order = await rig.find(symbol)
        found = await DIALECT.fills_of(rig.caller, order)
        assert found == await DIALECT.fills(rig.caller, SYMBOLS, 0)
        truth = {
            (
                fill.trade_id,
                Decimal(fill.price).scaleb(-2),
                Decimal(fill.quantity).scaleb(-6),
                fill.fee_asset,
                Decimal(fill.fee).scaleb(-8),
                fill.ts // 1_000_000,
            )
            for fill in rig.house.orders[order.venue_order_id].fills
        }
        assert truth == {numbers(fill) for fill in found}
        assert {("buy", False, symbol, order.venue_order_id)} == {
            (fill.side, fill.is_maker, fill.symbol, fill.venue_order_id) for fill in found
        }
        if symbol == SPOT:
            assert {numbers(fill)[:5] for fill in found} == {numbers(fill)[:5] for fill in told}
            assert {"mine"} == {fill.order_id for fill in told}

    run(story)


def numbers(fill: FillView) -> tuple[Any, ...]:
    price, quantity = Decimal(fill.price), Decimal(fill.quantity)
    return fill.trade_id, price, quantity, fill.fee_asset, Decimal(fill.fee), fill.ts


@BOTH
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"tif": "IOC"}, "expired"),
        ({"post_only": True}, "open"),
        ({"tif": "FOK", "price": "60500", "quantity": "0.01"}, "filled"),
        ({"tif": "GTC", "price": "60500", "quantity": "0.01"}, "filled"),
    ],
)
def test_each_time_in_force(symbol: str, changes: dict[str, Any], status: str) -> None:
    """What the answer says the exchange has as well."""

    async def story(rig: Rig) -> None:
        view = (await rig.place(symbol=symbol, **changes))[0]
        assert isinstance(view, OrderView)
        assert (status, status) == (view.status, (await rig.find(symbol)).status)

    run(story)


def test_good_till_a_date_is_for_perpetuals() -> None:
    """Sent with its date; on spot nothing is sent."""

    async def story(rig: Rig) -> None:
        until = rig.house.clock.now_ms() + 700_000
        await rig.place(symbol=PERP, tif="GTD", expire_ms=until)
        [order] = rig.house.open_orders("default")
        assert until // 1000 * 1000 == order.ask.expire_ts // 1_000_000
        requests = rig.house.limits.requests
        with pytest.raises(NotSentError):
            await rig.place(tif="GTD", expire_ms=until)
        assert requests == rig.house.limits.requests

    run(story)


REFUSALS: list[tuple[str, dict[str, Any], Reason | None]] = [
    (SPOT, {"quantity": "900"}, Reason.VENUE_BALANCE),
    (SPOT, {"price": "70000", "post_only": True}, Reason.VENUE_POST_ONLY),
    (SPOT, {"quantity": "0.00005"}, Reason.VENUE_FILTER),
    (SPOT, {"order_id": "not/allowed"}, Reason.VENUE_REJECTED),
    (PERP, {"quantity": "9000"}, Reason.VENUE_BALANCE),
    (PERP, {"price": "70000", "post_only": True}, Reason.VENUE_POST_ONLY),
    (PERP, {"tif": "FOK"}, Reason.VENUE_FILL_OR_KILL),
    (PERP, {"reduce_only": True}, Reason.VENUE_REDUCE_ONLY),
    (PERP, {"price": "1000", "quantity": "0.001"}, Reason.VENUE_FILTER),
]


def test_refusals_are_proven_through_ccxt() -> None:
    """Also where ccxt drops the exchange's code (an insufficient balance of spot)."""

    async def story(rig: Rig) -> None:
        got = [(s, c, await rig.refused(symbol=s, **c)) for s, c, _ in REFUSALS]
        assert REFUSALS == got
        assert {} == rig.house.orders

    run(story)


@BOTH
def test_a_duplicate_id_is_no_proven_refusal(symbol: str) -> None:
    """It proves that an order of this id is there."""

    async def story(rig: Rig) -> None:
        await rig.place(symbol=symbol)
        assert await rig.refused(symbol=symbol) is None

    run(story)


def test_limits_and_bans_are_refusals_an_unavailable_exchange_is_not() -> None:
    """-1003 and -1015 were turned away at the door; 503 may have gone through."""

    async def story(rig: Rig) -> None:
        rig.fault("rate_limit", "place")
        assert Reason.VENUE_RATE_LIMIT == await rig.refused()
        rig.fault(ERROR_AFTER, "place")
        assert await rig.refused() is None
        assert "open" == (await rig.find(SPOT)).status

    run(story)


def test_a_clock_that_differs_is_allowed_for_one_that_jumps_is_a_refusal() -> None:
    """Ccxt asks for the difference when it loads; later -1021 proves that nothing was taken."""

    async def story(rig: Rig) -> None:
        rig.house.clock.skew_ns = 30 * 10**9
        await rig.caller.load_time_difference()
        assert 1 == len(await rig.place())
        rig.house.clock.skew_ns = 0
        assert Reason.VENUE_REJECTED == await rig.refused(order_id="other")

    run(story)


@BOTH
def test_not_found_is_none_and_nothing_else_is(symbol: str) -> None:
    """None for -2013; empty, junk, cut and 5xx answers raise, of single orders and of lists."""

    async def story(rig: Rig) -> None:
        assert await rig.find(symbol, "never") is None
        await rig.place(symbol=symbol)
        for kind in (EMPTY, JUNK, TRUNCATE, ERROR_AFTER):
            for endpoint, question in (
                ("query", lambda: rig.find(symbol)),
                ("open_orders", lambda: DIALECT.open_orders(rig.caller, [symbol])),
                ("fills", lambda: DIALECT.fills(rig.caller, [symbol], 0)),
                ("balance", lambda: DIALECT.balances(rig.caller)),
                ("cancel", lambda: DIALECT.cancel(rig.caller, symbol, "mine", "")),
            ):
                rig.fault(kind, endpoint)
                with pytest.raises((BaseError, UnreadableError)) as caught:
                    await question()
                assert error_code(caught.value).code not in {"-2013", "-2011"} or kind != EMPTY

    run(story)


def test_an_order_that_is_not_shown_yet_is_not_there() -> None:
    """The exchange's queries lag: absence needs more than one answer, which is the core's."""

    async def story(rig: Rig) -> None:
        rig.house.hide_next_ns = 3_600 * 10**9
        await rig.place()
        assert await rig.find(SPOT) is None
        assert [] == await DIALECT.open_orders(rig.caller, SYMBOLS)

    run(story)


def test_an_answer_that_is_of_no_order_proves_nothing() -> None:
    """Ccxt makes an order without ids of an empty answer; also of somebody else's."""
    wanted = Wanted("mine", SPOT, "buy", "50000", "0.01", "GTC", False, False, 0)
    good = {
        "clientOrderId": "mine", "orderId": "7", "status": "NEW", "price": "50000", "side": "BUY",
        "origQty": "0.01", "executedQty": "0", "transactTime": "5",
    }  # fmt: skip
    assert [OrderView] == [type(view) for view in DIALECT.created({"info": good}, wanted)]
    for info in (
        None, {}, "x", {**good, "clientOrderId": "other"}, {**good, "orderId": None},
        {**good, "status": "SOMETHING"}, {**good, "executedQty": None},
    ):  # fmt: skip
        assert [] == DIALECT.created({"id": None, "info": info}, wanted)


def test_amends() -> None:
    """Perpetuals: price and quantity, the same ids; again the same: as it is."""

    async def story(rig: Rig) -> None:
        await rig.place(symbol=PERP)
        view = await rig.find(PERP)
        for _ in range(2):
            amended = (await DIALECT.amend(rig.caller, view, "51000", "0.02"))[0]
            assert isinstance(amended, AmendView)
            assert (Decimal(51000), Decimal("0.02")) == (
                Decimal(amended.price),
                Decimal(amended.quantity),
            )
        after = await rig.find(PERP)
        assert (view.venue_order_id, "mine") == (after.venue_order_id, after.order_id)
        assert Decimal(51000) == Decimal(after.price)

    run(story)


def test_spot_amends_to_a_smaller_quantity_only() -> None:
    """In place, with its own id; everything else is not sent."""

    async def story(rig: Rig) -> None:
        await rig.place()
        view = await rig.find(SPOT)
        for price, quantity in (("51000", "0.01"), ("50000", "0.02"), ("50000", "0.01")):
            with pytest.raises(NotSentError):
                await DIALECT.amend(rig.caller, view, price, quantity)
        [amended] = await DIALECT.amend(rig.caller, view, "50000", "0.004")
        assert isinstance(amended, AmendView)
        assert Decimal("0.004") == Decimal(amended.quantity)
        after = await rig.find(SPOT)
        assert ("mine", Decimal("0.004")) == (after.order_id, Decimal(after.quantity))

    run(story)


def test_balances_are_both_wallets() -> None:
    """With a position, resting orders and fees: exactly what the house has."""

    async def story(rig: Rig) -> None:
        for symbol in (SPOT, PERP):
            await rig.place(f"in{symbol[-1]}", symbol=symbol, price="60500", tif="IOC")
            await rig.place(f"at{symbol[-1]}", symbol=symbol)
        house = {v.asset: v.total for v in rig.house.balances("default")}
        got = await DIALECT.balances(rig.caller)
        assert house == {view.asset: int(Decimal(view.total).scaleb(8)) for view in got}
        rig.house.withdraw("default", "ETH", 100 * 10**8)
        assert "ETH" not in [view.asset for view in await DIALECT.balances(rig.caller)]
        assert all(isinstance(view, BalanceView) for view in got)

    run(story)


class Account:
    """As much of ccxt as balances need: spot has 1 USDT, futures say what the test wants."""

    def __init__(self, futures: Any) -> None:
        self.options: dict[str, Any] = {}
        self.futures = futures

    async def privateGetAccount(self, _params: Any) -> Any:  # noqa: N802 - ccxt's name
        return {"balances": [{"asset": "USDT", "free": "0.75", "locked": "0.25"}]}

    async def fapiPrivateV3GetAccount(self, _params: Any) -> Any:  # noqa: N802 - ccxt's name
        if isinstance(self.futures, Exception):
            raise self.futures
        return self.futures


def test_a_key_without_futures_has_the_spot_wallet_only() -> None:
    """-2015 from the beginning: none of ours. After an answer, or anything else: an error."""
    denied = PermissionDenied('binance {"code":-2015,"msg":"Invalid API-key"}')
    account: Any = Account(denied)
    [view] = asyncio.run(DIALECT.balances(account))
    assert BalanceView("USDT", "1.00") == view
    account.futures = {"assets": [{"asset": "USDT", "walletBalance": "2.5"}]}
    [view] = asyncio.run(DIALECT.balances(account))
    assert BalanceView("USDT", "3.50") == view
    for failure in (denied, ExchangeError('binance {"code":-1000,"msg":"x"}')):
        account.futures = failure
        with pytest.raises(ExchangeError):
            asyncio.run(DIALECT.balances(account))


def test_positions_leverage_and_funding() -> None:
    """Signed; nothing when flat; funding that was paid is above zero, received below."""

    async def story(rig: Rig) -> None:
        assert [] == await DIALECT.positions(rig.caller, SYMBOLS)
        await DIALECT.set_leverage(rig.caller, PERP, 5, ISOLATED)
        await DIALECT.set_leverage(rig.caller, PERP, 5, ISOLATED)
        [seat] = rig.house.seats("default")
        assert (5, ISOLATED) == (seat.leverage, seat.margin_mode)
        await rig.place(symbol=PERP, side="sell", price="59000", tif="IOC")
        [position] = await DIALECT.positions(rig.caller, SYMBOLS)
        assert isinstance(position, PositionView)
        assert (PERP, "-0.010") == (position.symbol, position.quantity)
        assert [] == await DIALECT.positions(rig.caller, [SPOT])
        instrument = rig.house.instruments[PERP]
        for rate in (10_000, -10_000):
            now = rig.house.clock.true_ns()
            rig.house.on_market(FundingRate(instrument.id, rate, instrument.mark, now))
        rows = await DIALECT.funding(rig.caller, SYMBOLS, 0)
        assert [paid.amount for paid in rig.house.funding] == [
            int(Decimal(row.amount).scaleb(8)) for row in rows
        ]
        assert rows[0].amount.startswith("-")  # a short receives a positive rate
        assert 2 == len({row.id for row in rows})

    run(story)


def test_transfers() -> None:
    """Deposits above zero, withdrawals below, by the time they were done."""

    async def story(rig: Rig) -> None:
        rig.house.deposit("default", "BTC", 150_000_000)
        rig.house.withdraw("default", "USDT", 2_500_000_000)
        before = rig.house.clock.now_ms() - 60_000
        got = await DIALECT.transfers(rig.caller, before)
        assert {("BTC", Decimal("1.5")), ("USDT", Decimal(-25))} == {
            (view.asset, Decimal(view.amount)) for view in got
        }
        assert [] == await DIALECT.transfers(rig.caller, before + 120_000)

    run(story)


@BOTH
def test_a_snapshot_of_a_book_has_the_feeds_number(symbol: str) -> None:
    """Levels as texts, best first."""

    async def story(rig: Rig) -> None:
        feed = rig.emulator.wires["binance"].feed.symbols[symbol]
        book = await DIALECT.book(rig.caller, symbol)
        assert book is not None
        assert (True, feed.last_id) == (book.is_snapshot, book.last_id)
        for side, got in ((BUY, book.bids), (SELL, book.asks)):
            levels = [(int(Decimal(p).scaleb(2)), int(Decimal(q).scaleb(6))) for p, q in got]
            assert feed.levels(side, 1_000) == levels

    run(story)


def test_a_listen_key_is_kept_alive_while_there_is_one() -> None:
    """Only where perpetuals are traded; an expired one is an error, as it must be made anew."""

    async def story(rig: Rig) -> None:
        dialect = BinanceDialect()
        await dialect.keep_alive(rig.caller, [SPOT])
        with pytest.raises(BaseError):
            await dialect.keep_alive(rig.caller, [PERP])
        await dialect.private(rig.caller, [PERP])
        await dialect.keep_alive(rig.caller, [PERP])

    run(story)
