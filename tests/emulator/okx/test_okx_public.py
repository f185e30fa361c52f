"""Public data of the emulated OKX, and the requests that name nothing."""

from typing import Any

import pytest

from emulator.okx.okx_world import LIMIT, Hand, run
from zvt_trading.emulator.faults import ERROR_BEFORE, Fault
from zvt_trading.emulator.limits import Budget
from zvt_trading.messages.codes import SELL

WRONG: list[tuple[str, dict[str, str], str]] = [
    ("public/instruments", {}, "50014"),
    ("market/ticker", {}, "50014"),
    ("market/ticker", {"instId": "BTC-EUR"}, "51001"),
    ("market/candles", {"instId": "BTC-USDT", "bar": "7m"}, "51000"),
    ("trade/order", {"ordId": "1"}, "50014"),
    ("trade/order", {"instId": "BTC-USDT"}, "51003"),
    ("trade/order", {"instId": "BTC-USDT", "ordId": "x"}, "51603"),
    ("trade/orders-history", {}, "50014"),
    ("trade/fills-history", {}, "50014"),
    ("account/trade-fee", {"instType": "OPTION"}, "51000"),
    ("account/leverage-info", {"instId": "BTC-USDT"}, "51001"),
]


@pytest.mark.parametrize(("path", "query", "code"), WRONG)
def test_a_question_that_names_nothing_is_refused_by_its_code(
    path: str, query: dict[str, str], code: str
) -> None:
    """With a code, never with an empty list."""

    async def story(hand: Hand) -> None:
        assert code == (await hand.get(path, **query))["code"]

    run(story)


def test_public_trades_make_pages_candles_and_tickers() -> None:
    """One sweep of the book: its trades, their candle, their day."""

    async def story(hand: Hand) -> None:
        async with hand.socket("public") as socket:
            await socket.subscribe(channel="trades", instId="BTC-USDT")
            hand.house.crowd("BTC/USDT", SELL, 59_980_00, 10_000_000)
            await socket.frame()
        trades = (await hand.get("market/trades", instId="BTC-USDT", limit="500"))["data"]
        assert ["sell"] * len(trades) == [trade["side"] for trade in trades]
        query = {"instId": "BTC-USDT", "limit": "2"}
        first = (await hand.get("market/history-trades", **query))["data"]
        rest = await hand.get("market/history-trades", **query, after=first[-1]["tradeId"])
        assert trades[:4] == [{**row} for row in first + rest["data"]]
        by_time = await hand.get("market/history-trades", instId="BTC-USDT", type="2")
        assert trades == by_time["data"]
        (candle,) = (await hand.get("market/candles", instId="BTC-USDT", bar="1Dutc"))["data"]
        assert [trades[-1]["px"], trades[0]["px"], "0"] == [candle[1], candle[4], candle[8]]
        tickers = (await hand.get("market/tickers", instType="SPOT"))["data"]
        found = {row["instId"]: (row["last"], row["open24h"]) for row in tickers}
        assert {"BTC-USDT": (trades[0]["px"], trades[-1]["px"]), "ETH-USDT": ("", "")} == found
        assert [] == (await hand.get("market/tickers", instType="OPTION"))["data"]
        assert [] == (await hand.get("trade/orders-algo-pending"))["data"]

    run(story)


def test_lists_keep_to_what_was_asked_for() -> None:
    """By instrument, state, time and asset."""

    async def story(hand: Hand) -> None:
        await hand.place(**LIMIT)
        await hand.place(**{**LIMIT, "ordType": "fok"})
        await hand.place(**{**LIMIT, "ordType": "ioc", "px": "70000"})

        async def count(path: str, **query: str) -> int:
            return len((await hand.get(path, **query))["data"])

        old = "trade/orders-history"
        assert 1 == await count(old, instType="SPOT", state="filled")
        assert 1 == await count(old, instType="ANY", state="canceled", instId="BTC-USDT")
        assert 0 == await count(old, instType="SWAP")
        now = str(hand.house.clock.now_ms() + 1)
        assert 0 == await count("trade/fills", begin=now)
        assert 1 == await count("trade/fills", end=now, instId="BTC-USDT")
        assert 0 == await count("trade/fills", ordId="1")
        balance = await hand.get("account/balance", ccy="BTC,ETH")
        assert ["BTC", "ETH"] == [row["ccy"] for row in balance["data"][0]["details"]]
        hand.house.deposit("default", "ETH", 1)
        assert [0, 1] == [await count("account/bills", type="1", ccy=c) for c in ("BTC", "ETH")]
        assert 1 == await count("account/bills")

    run(story)


def test_orders_have_limits_of_their_own() -> None:
    """A batch counts by its orders (50011); all orders of an account together (50061)."""

    async def story(hand: Hand) -> None:
        budgets: dict[str, Any] = hand.house.limits.budgets
        budgets["POST trade/batch-orders"] = Budget(3, 3_600_000)
        codes = [(await hand.post("trade/batch-orders", [LIMIT] * 2))["code"] for _ in range(2)]
        assert (["0", "50011"], 429) == (codes, hand.status)
        budgets["sub-account"] = Budget(1, 3_600_000)
        codes = [(await hand.post("trade/order", LIMIT))["code"] for _ in range(2)]
        assert (["0", "50061"], 200) == (codes, hand.status)

    run(story)


def test_a_busy_exchange_says_nothing_of_the_order() -> None:
    """503, 50013."""

    async def story(hand: Hand) -> None:
        hand.house.faults.add(Fault(ERROR_BEFORE))
        assert "50013" == (await hand.post("trade/order", LIMIT))["code"]
        assert 503 == hand.status

    run(story)


def test_an_amend_that_would_take_is_refused_for_a_post_only_order() -> None:
    """51511, and the order works on as it was."""

    async def story(hand: Hand) -> None:
        await hand.place(**{**LIMIT, "ordType": "post_only"}, clOrdId="maker")
        named = {"instId": "BTC-USDT", "clOrdId": "maker"}
        answer = await hand.post("trade/amend-batch-orders", [{**named, "newPx": "70000"}])
        assert ("1", "51511") == (answer["code"], answer["data"][0]["sCode"])
        assert "50000" == (await hand.order(**named))["px"]

    run(story)
