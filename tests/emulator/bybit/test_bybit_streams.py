"""What the emulated Bybit pushes, and how its lists are paged."""

from typing import Any

from emulator.bybit.bybit_world import BUY_ABOVE, INSIDE, PERPETUAL, SPOT, Hand, run, socket_of
from zvt_trading.core.units import SECOND
from zvt_trading.emulator.bybit.market import candle_rows
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import MarkPrice, TradeTick

Book = dict[str, dict[str, str]]


def applied(book: Book, data: dict[str, Any], *, is_snapshot: bool) -> None:
    """As a client keeps a book."""
    if is_snapshot:
        book.clear()
    for name in ("b", "a"):
        side = book.setdefault(name, {})
        for price, size in data[name]:
            if size == "0":
                side.pop(price, None)
            else:
                side[price] = size


def test_a_book_follows_its_snapshot_without_a_gap() -> None:
    """Every message has the next `u`; what a client keeps equals a new client's snapshot."""

    async def story(hand: Hand) -> None:
        topic = "orderbook.50.BTCUSDT"
        async with socket_of(hand, "/v5/public/spot") as socket:
            assert (await socket.subscribe(topic))["success"]
            first = await socket.next(topic)
            assert "snapshot" == first["type"]
            book: Book = {}
            applied(book, first["data"], is_snapshot=True)
            for at in range(3):
                await hand.placed(price=f"5999{9 - at}.00", qty="0.002")
                message = await socket.next(topic)
                assert "delta" == message["type"]
                assert first["data"]["u"] + at + 1 == message["data"]["u"]
                applied(book, message["data"], is_snapshot=False)
            async with socket_of(hand, "/v5/public/spot") as other:
                await other.subscribe(topic)
                fresh: Book = {}
                applied(fresh, (await other.next(topic))["data"], is_snapshot=True)
            assert fresh == book
            assert 50 >= len(book["b"])
            hand.wire.streams.restart_books()
            again = await socket.next(topic)
            assert ("snapshot", 1) == (again["type"], again["data"]["u"])

    run(story)


def test_best_prices_tell_what_changed() -> None:
    """`orderbook.1` has the side that moved only."""

    async def story(hand: Hand) -> None:
        topic = "orderbook.1.BTCUSDT"
        async with socket_of(hand, "/v5/public/spot") as socket:
            await socket.subscribe(topic)
            await socket.next(topic)
            await hand.placed(price=INSIDE, qty="0.002")
            data = (await socket.next(topic))["data"]
            assert [INSIDE, "0.002000"] == data["b"][0]
            assert [] == data["a"]

    run(story)


def test_topics_are_taken_all_or_none_and_once() -> None:
    """A wrong one, one too many, and one again."""

    async def story(hand: Hand) -> None:
        async with socket_of(hand, "/v5/public/spot") as socket:
            good = "publicTrade.BTCUSDT"
            answer = await socket.subscribe(good, "orderbook.7.BTCUSDT")
            assert (False, "1") == (answer["success"], answer["req_id"])
            assert not (await socket.subscribe(*[f"tickers.{i}" for i in range(11)]))["success"]
            assert (await socket.subscribe(good))["success"]
            assert not (await socket.subscribe(good))["success"]
            await socket.say(op="unsubscribe", args=[good])
            assert (await socket.next("unsubscribe"))["success"]
            assert (await socket.subscribe(good))["success"]

    run(story)


def test_pings_are_answered_in_each_socket_s_form() -> None:
    """Public: ret_msg; private: an operation."""

    async def story(hand: Hand) -> None:
        async with socket_of(hand, "/v5/public/linear") as socket:
            await socket.say(op="ping", req_id="5")
            answer = await socket.next("ping")
            assert ("pong", "5") == (answer["ret_msg"], answer["req_id"])
        async with socket_of(hand, "/v5/private") as socket:
            await socket.say(op="ping")
            assert 1 == len((await socket.next("pong"))["args"])

    run(story)


def test_an_order_that_takes_is_pushed_before_it_is_answered() -> None:
    """New, the execution, then the order as it is after it; wallet and position follow."""

    async def story(hand: Hand) -> None:
        async with socket_of(hand, "/v5/private") as socket:
            await socket.login(hand)
            await socket.subscribe("order", "execution", "wallet", "position")
            order_id = await hand.placed(
                "linear", price=BUY_ABOVE, timeInForce="IOC", orderLinkId="mine"
            )
            assert "New" == (await socket.next("order"))["data"][0]["orderStatus"]
            (execution,) = (await socket.next("execution"))["data"]
            assert ("mine", order_id) == (execution["orderLinkId"], execution["orderId"])
            assert ("Trade", "USDT") == (execution["execType"], execution["feeCoin"])
            (order,) = (await socket.next("order"))["data"]
            assert ("Filled", "0.001000") == (order["orderStatus"], order["cumExecQty"])
            assert "USDT" == (await socket.next("wallet"))["data"][0]["coin"][0]["coin"]
            (position,) = (await socket.next("position"))["data"]
            assert ("Buy", "0.001000") == (position["side"], position["size"])

    run(story)


def test_public_trades_and_tickers() -> None:
    """A trade has the side that took; derivatives' tickers tell what is new."""

    async def story(hand: Hand) -> None:
        async with socket_of(hand, "/v5/public/linear") as socket:
            await socket.subscribe("publicTrade.BTCUSDT", "tickers.BTCUSDT")
            first = await socket.next("tickers.BTCUSDT")
            assert ("snapshot", "60000.00") == (first["type"], first["data"]["markPrice"])
            await hand.placed("linear", price=BUY_ABOVE)
            (trade,) = (await socket.next("publicTrade.BTCUSDT"))["data"]
            assert ("Buy", "0.001000") == (trade["S"], trade["v"])
            name = hand.instrument(PERPETUAL).id
            hand.wire.feed.on_market(PERPETUAL, MarkPrice(name, 6_000_100, 1, 6_000_000))
            while True:
                message = await socket.next("tickers.BTCUSDT")
                if "markPrice" in message["data"]:
                    break
            assert ("delta", "60001.00") == (message["type"], message["data"]["markPrice"])

    run(story)


def test_lists_are_paged_newest_first_to_their_end() -> None:
    """What happens between two pages neither repeats nor hides a row."""

    async def story(hand: Hand) -> None:
        hand.generous()
        ids = [await hand.placed(price=BUY_ABOVE, timeInForce="IOC") for _ in range(5)]
        params = dict(category="spot", limit=2)
        seen: list[str] = []
        cursor = ""
        while True:
            path = "/v5/execution/list"
            result = (await hand.get(path, **params, **({"cursor": cursor} if cursor else {})))[
                "result"
            ]
            seen += [row["orderId"] for row in result["list"]]
            cursor = result["nextPageCursor"]
            if not cursor:
                break
            await hand.placed(price=BUY_ABOVE, timeInForce="IOC")
        assert ids[::-1] == seen
        wide = dict(startTime=0, endTime=8 * 86_400_000)
        answer = await hand.get("/v5/execution/list", category="spot", **wide)
        assert 10001 == answer["retCode"]

    run(story)


def test_the_transaction_log_adds_up_to_the_wallet() -> None:
    """What fills and transfers moved is what the balance moved."""

    async def story(hand: Hand) -> None:
        before = {view.asset: view.total for view in hand.house.balances("default")}
        await hand.placed(price=BUY_ABOVE, timeInForce="IOC")
        await hand.placed("linear", price=BUY_ABOVE, timeInForce="IOC")
        hand.house.deposit("default", "USDT", 5 * 10**8)
        hand.house.withdraw("default", "BTC", 10**6)
        rows = (await hand.get("/v5/account/transaction-log", limit=50))["result"]["list"]
        assert ["TRANSFER_OUT", "TRANSFER_IN", "TRADE"] == [row["type"] for row in rows[:3]]
        for view in hand.house.balances("default"):
            moved = sum(
                int(row["change"].replace(".", "")) for row in rows if row["currency"] == view.asset
            )
            assert view.total - before[view.asset] == moved

    run(story)


def test_deposits_and_withdrawals_are_listed_apart() -> None:
    """Each by its own endpoint and with its own keys."""

    async def story(hand: Hand) -> None:
        deposit = hand.house.deposit("default", "USDT", 5 * 10**8)
        withdrawal = hand.house.withdraw("default", "BTC", 10**6)
        (row,) = (await hand.get("/v5/asset/deposit/query-record"))["result"]["rows"]
        assert (deposit.id, "5.00000000", 3) == (row["id"], row["amount"], row["status"])
        (row,) = (await hand.get("/v5/asset/withdraw/query-record"))["result"]["rows"]
        assert (withdrawal.id, "0.01000000") == (row["withdrawId"], row["amount"])

    run(story)


def test_candles_leave_no_minute_out() -> None:
    """Without a trade a minute stands still at the last close."""

    async def story(hand: Hand) -> None:
        instrument = hand.instrument()
        trades = [
            TradeTick(instrument.id, price, 1_000, side, second * SECOND)
            for price, side, second in (
                (100, BUY, 0),
                (300, SELL, 30),
                (200, BUY, 59),
                (150, BUY, 180),
            )
        ]
        rows = candle_rows(instrument, trades, 60_000, 200_000)
        assert [
            ["0", "1.00", "3.00", "1.00", "2.00", "0.003000", "0.00600000"],
            ["60000", "2.00", "2.00", "2.00", "2.00", "0.000000", "0.00000000"],
            ["120000", "2.00", "2.00", "2.00", "2.00", "0.000000", "0.00000000"],
            ["180000", "1.50", "1.50", "1.50", "1.50", "0.001000", "0.00150000"],
        ] == rows
        feed = hand.wire.feed.symbols[SPOT]
        now_ms = hand.house.clock.now_ms()
        feed.trades = [TradeTick(instrument.id, 100, 1_000, BUY, (now_ms - 600_000) * 1_000_000)]
        ask = dict(category="spot", symbol="BTCUSDT", interval="1", limit=2)
        begin = (now_ms - 600_000) // 60_000 * 60_000
        for params, starts in (
            ({"start": begin}, [begin + 60_000, begin]),
            ({"start": begin, "end": begin + 180_000}, [begin + 180_000, begin + 120_000]),
        ):
            answer = await hand.get("/v5/market/kline", **ask, **params)
            assert starts == [int(row[0]) for row in answer["result"]["list"]]

    run(story)
