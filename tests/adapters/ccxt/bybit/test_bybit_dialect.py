"""Bybit's dialect through the real ccxt, over the emulated Bybit: every method, both categories."""

from typing import Any

import pytest
from ccxt.base.errors import BadResponse, BaseError

from emulator.bybit.bybit_dialect_world import SYMBOLS, place, run
from emulator.bybit.bybit_world import BUY_ABOVE, CATEGORIES, INSIDE, PERPETUAL, SPOT, Hand
from zvt_trading.adapters.ccxt.bybit import DIALECT
from zvt_trading.adapters.ccxt.outcomes import error_code, is_not_sent, refusal
from zvt_trading.adapters.ccxt.views import (
    AmendView,
    BalanceView,
    FillView,
    OrderView,
    PositionView,
    TransferView,
)
from zvt_trading.core.units import format_scaled, parse_scaled
from zvt_trading.emulator import faults
from zvt_trading.emulator.faults import Fault
from zvt_trading.errors import VenueError
from zvt_trading.messages.codes import CROSS, ISOLATED
from zvt_trading.messages.market import FundingRate
from zvt_trading.messages.reasons import Reason
from zvt_trading.ports.venue import QueryFailedError

BOTH = pytest.mark.parametrize("symbol", SYMBOLS)


def test_few_requests_begin() -> None:
    """The time, spot, derivatives twice (also those before their launch); an order is one."""

    async def story(caller: Any, hand: Hand) -> None:
        assert 4 == hand.house.limits.requests
        await place(caller)
        assert 5 == hand.house.limits.requests

    run(story)


@BOTH
def test_an_order_from_begin_to_end(symbol: str) -> None:
    """Placed exactly as wanted, found by either id, changed, taken back."""

    async def story(caller: Any, hand: Hand) -> None:
        venue_id = await place(caller, symbol, price="50000.1")
        house = hand.house.orders[venue_id]
        assert ("50000.10", "0.002000", "mine") == (
            house.price_text(),
            house.quantity_text(house.quantity),
            house.client_id,
        )
        found = await DIALECT.find(caller, symbol, "mine", "")
        expected = OrderView(
            order_id="mine", venue_order_id=venue_id, symbol=symbol, status="open",
            price="50000.10", quantity="0.002000", filled="0.000000", side="buy",
            ts=house.updated_ts // 1_000_000,
        )  # fmt: skip
        assert expected == found
        assert expected == await DIALECT.find(caller, symbol, "", venue_id)
        assert [expected] == await DIALECT.open_orders(caller, SYMBOLS)
        (amended,) = await DIALECT.amend(caller, expected, "50001", "0.003")
        assert amended == AmendView(
            order_id="mine", venue_order_id=venue_id, symbol=symbol, price="50001.00",
            quantity="0.003000", ts=house.updated_ts // 1_000_000,
        )  # fmt: skip
        await DIALECT.cancel(caller, symbol, "mine", "")
        found = await DIALECT.find(caller, symbol, "mine", "")
        assert found is not None
        assert ("cancelled", "EC_PerCancelRequest") == (found.status, found.reason)
        assert [] == await DIALECT.open_orders(caller, SYMBOLS)

    run(story)


@BOTH
def test_what_is_not_there(symbol: str) -> None:
    """None for an order that never was; a cancel of it says that it is gone."""

    async def story(caller: Any, _hand: Hand) -> None:
        assert await DIALECT.find(caller, symbol, "never", "") is None
        with pytest.raises(Exception, match="retCode") as caught:
            await DIALECT.cancel(caller, symbol, "never", "")
        assert error_code(caught.value).code in DIALECT.profile.refusals.order_gone

    run(story)


@BOTH
def test_fills_exactly(symbol: str) -> None:
    """Price, quantity, fee and its asset, maker or taker; oldest first."""

    async def story(caller: Any, hand: Hand) -> None:
        maker = await place(caller, symbol, price=INSIDE)
        hand.sells("0.001", INSIDE, symbol)
        taker = await place(caller, symbol, price=BUY_ABOVE, quantity="0.001", order_id="other")
        expected = []
        for venue_id, name in ((maker, "mine"), (taker, "other")):
            order = hand.house.orders[venue_id]
            (fill,) = order.fills
            expected.append(
                FillView(
                    order_id=name, venue_order_id=venue_id, symbol=symbol, trade_id=fill.trade_id,
                    side="buy", price=order.price_text(fill.price), quantity="0.001000",
                    is_maker=name == "mine", fee_asset=fill.fee_asset,
                    fee=format_scaled(fill.fee, 8), ts=fill.ts // 1_000_000,
                )
            )  # fmt: skip
        assert expected == await DIALECT.fills(caller, SYMBOLS, int(caller.nonce()) - 60_000)
        found = await DIALECT.find(caller, symbol, "mine", "")
        assert found is not None
        assert expected[:1] == await DIALECT.fills_of(caller, found)
        later = expected[-1].ts + 1
        assert [] == await DIALECT.fills(caller, SYMBOLS, later)

    run(story)


@pytest.mark.parametrize(
    ("reason", "symbol", "changes"),
    [
        (Reason.VENUE_FILTER, SPOT, dict(quantity="0.00001")),
        (Reason.VENUE_FILTER, SPOT, dict(quantity="0.000001")),
        (Reason.VENUE_FILTER, SPOT, dict(quantity="10000.1")),
        (Reason.VENUE_BALANCE, SPOT, dict(quantity="100")),
        (Reason.VENUE_BALANCE, PERPETUAL, dict(quantity="100")),
        (Reason.VENUE_POST_ONLY, SPOT, dict(price=BUY_ABOVE, post_only=True)),
        (Reason.VENUE_REDUCE_ONLY, PERPETUAL, dict(reduce_only=True)),
        (Reason.VENUE_REJECTED, SPOT, dict(order_id="not allowed")),
        (Reason.VENUE_RATE_LIMIT, SPOT, {}),
    ],
)
def test_proven_refusals(reason: Reason, symbol: str, changes: dict[str, Any]) -> None:
    """The codes of the table, out of ccxt's exceptions; nothing was taken."""

    async def story(caller: Any, hand: Hand) -> None:
        if reason == Reason.VENUE_RATE_LIMIT:
            hand.mean("place")
        with pytest.raises(Exception, match="retCode") as caught:
            await place(caller, symbol, **changes)
        assert reason == refusal(error_code(caught.value), DIALECT.profile.refusals)
        assert not hand.house.orders

    run(story)


@pytest.mark.parametrize(
    ("reason", "symbol", "changes"),
    [
        (Reason.VENUE_POST_ONLY, PERPETUAL, dict(price=BUY_ABOVE, post_only=True)),
        (Reason.VENUE_FILL_OR_KILL, PERPETUAL, dict(tif="FOK")),
        (Reason.VENUE_FILL_OR_KILL, SPOT, dict(tif="FOK")),
    ],
)
def test_refusals_after_the_answer(reason: Reason, symbol: str, changes: dict[str, Any]) -> None:
    """Taken, then ended without a fill: refused, with a reason of the table."""

    async def story(caller: Any, _hand: Hand) -> None:
        await place(caller, symbol, **changes)
        found = await DIALECT.find(caller, symbol, "mine", "")
        assert found is not None
        assert "rejected" == found.status
        assert reason == DIALECT.profile.refusals.codes[found.reason]

    run(story)


def test_an_id_in_use_proves_nothing() -> None:
    """An order of that id is there: the outcome is for a question to find."""

    async def story(caller: Any, _hand: Hand) -> None:
        for symbol in SYMBOLS:
            await place(caller, symbol)
            with pytest.raises(Exception, match="retCode") as caught:
                await place(caller, symbol)
            assert refusal(error_code(caught.value), DIALECT.profile.refusals) is None
            assert await DIALECT.find(caller, symbol, "mine", "") is not None

    run(story)


def test_lists_longer_than_a_page() -> None:
    """Open orders by 50, fills by 100: none is left out or told twice."""

    async def story(caller: Any, hand: Hand) -> None:
        for name in range(51):
            await hand.placed(orderLinkId=f"open-{name}")
        views = await DIALECT.open_orders(caller, SYMBOLS)
        assert {f"open-{name}" for name in range(51)} == {view.order_id for view in views}
        assert 51 == len(views)
        for _ in range(101):
            await hand.placed(price=BUY_ABOVE, qty="0.0001")
        fills = await DIALECT.fills(caller, SYMBOLS, int(caller.nonce()) - 60_000)
        assert 101 == len({fill.trade_id for fill in fills}) == len(fills)
        assert sorted(fills, key=lambda fill: int(fill.trade_id)) == fills

    run(story)


def test_money() -> None:
    """Balances, positions, what was moved in and out; nothing that is zero."""

    async def story(caller: Any, hand: Hand) -> None:
        await place(caller, PERPETUAL, side="sell", price="50000", order_id="short")
        since = int(caller.nonce()) - 60_000
        hand.house.deposit("default", "USDT", parse_scaled("5.5", 8))
        hand.house.withdraw("default", "BTC", parse_scaled("0.01", 8))
        hand.house.withdraw("default", "ETH", parse_scaled("100", 8))
        held = {view.asset: format_scaled(view.total, 8) for view in hand.house.balances("default")}
        assert "0.00000000" == held.pop("ETH")
        expected = [BalanceView(asset, total) for asset, total in held.items()]
        assert expected == await DIALECT.balances(caller)
        entry = hand.house.orders[next(iter(hand.house.orders))].average_price(4)
        assert [PositionView(PERPETUAL, "-0.002000", entry)] == await DIALECT.positions(
            caller, SYMBOLS
        )
        moves = await DIALECT.transfers(caller, since)
        assert [("USDT", "5.50000000"), ("BTC", "-0.01000000"), ("ETH", "-100.00000000")] == [
            (move.asset, move.amount) for move in moves
        ]
        assert 3 == len({move.id for move in moves})
        assert all(isinstance(move, TransferView) and move.ts > since for move in moves)

    run(story)


@pytest.mark.parametrize(("side", "sign"), [("buy", ""), ("sell", "-")])
def test_funding(side: str, sign: str) -> None:
    """A positive rate is paid by longs and received by shorts; the rate is the market's."""

    async def story(caller: Any, hand: Hand) -> None:
        price = BUY_ABOVE if side == "buy" else "50000"
        await place(caller, PERPETUAL, side=side, price=price)
        instrument = hand.instrument(PERPETUAL)
        now = hand.house.clock.true_ns()
        hand.house.on_market(FundingRate(instrument.id, 10_000, 6_000_000, now))
        (paid,) = await DIALECT.funding(caller, SYMBOLS, int(caller.nonce()) - 60_000)
        assert (PERPETUAL, "USDT", f"{sign}0.01200000", "0.00010000") == (
            paid.symbol,
            paid.asset,
            paid.amount,
            paid.rate,
        )
        assert [] == await DIALECT.transfers(caller, 0)

    run(story)


def test_leverage() -> None:
    """Set, set again as it is, and not at all when the account's margin mode is another."""

    async def story(caller: Any, hand: Hand) -> None:
        for _ in range(2):
            await DIALECT.set_leverage(caller, PERPETUAL, 7, CROSS)
        assert [7] == [seat.leverage for seat in hand.house.seats("default")]
        with pytest.raises(VenueError, match="REGULAR_MARGIN"):
            await DIALECT.set_leverage(caller, PERPETUAL, 7, ISOLATED)
        with pytest.raises(Exception, match="110013"):
            await DIALECT.set_leverage(caller, PERPETUAL, 101, CROSS)

    run(story)


@pytest.mark.parametrize("kind", [faults.EMPTY, faults.JUNK])
def test_a_question_without_an_answer_raises(kind: str) -> None:
    """Ccxt alone would say that nothing is open."""

    async def story(caller: Any, hand: Hand) -> None:
        await place(caller)
        for question in (
            lambda: DIALECT.open_orders(caller, SYMBOLS),
            lambda: DIALECT.find(caller, SPOT, "mine", ""),
            lambda: DIALECT.balances(caller),
            lambda: DIALECT.fills(caller, SYMBOLS, 0),
            lambda: DIALECT.positions(caller, SYMBOLS),
        ):
            hand.house.faults.add(Fault(kind, count=3))  # it is asked three times
            with pytest.raises((BadResponse, QueryFailedError)):
                await question()

    run(story)


@pytest.mark.parametrize(
    ("kind", "turn"),
    [
        (faults.EMPTY, 0),
        (faults.JUNK, 0),
        (faults.TRUNCATE, 0),
        (faults.DROP_AFTER, 0),
        (faults.ERROR_AFTER, 0),  # 503
        (faults.ERROR_AFTER, 1),  # 10016 by HTTP 200
        (faults.ERROR_AFTER, 2),  # 10000
    ],
)
def test_an_order_without_an_answer_is_neither_taken_nor_refused(kind: str, turn: int) -> None:
    """It is there all the same."""

    async def story(caller: Any, hand: Hand) -> None:
        for _ in range(turn):
            hand.wire.unavailable()
        hand.house.faults.add(Fault(kind, faults.PLACE))
        with pytest.raises(BaseError) as caught:
            await place(caller)
        assert refusal(error_code(caught.value), DIALECT.profile.refusals) is None
        assert not is_not_sent(caught.value)
        found = await DIALECT.find(caller, SPOT, "mine", "")
        assert found is not None
        assert "open" == found.status

    run(story)


def test_a_hidden_order_is_asked_for_again_later() -> None:
    """It was taken; that a query finds it not yet is only the exchange's lag."""

    async def story(caller: Any, hand: Hand) -> None:
        hand.house.faults.add(Fault(faults.HIDE, faults.PLACE, ms=60_000))
        venue_id = await place(caller)
        assert await DIALECT.find(caller, SPOT, "mine", "") is None
        hand.house.orders[venue_id].hidden_until = 0
        assert await DIALECT.find(caller, SPOT, "mine", "") is not None

    run(story)


def test_categories_are_told_apart() -> None:
    """BTCUSDT is a pair and a perpetual; ccxt's own list of open orders leaves one out."""

    async def story(caller: Any, _hand: Hand) -> None:
        for symbol in CATEGORIES:
            await place(caller, symbol)
        assert list(SYMBOLS) == [view.symbol for view in await DIALECT.open_orders(caller, SYMBOLS)]
        assert [PERPETUAL] == [v.symbol for v in await DIALECT.open_orders(caller, [PERPETUAL])]
        alone = await caller.fetch_open_orders(params={"type": "spot"})
        assert [SPOT] == [order["symbol"] for order in alone]

    run(story)
