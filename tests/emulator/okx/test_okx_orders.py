"""Orders at the emulated OKX: what is refused and how, and what becomes of those that are taken."""

from typing import Any

import pytest

from emulator.okx.okx_world import LIMIT, SWAP, Hand, run
from zvt_trading.emulator.faults import HIDE, PLACE, Fault
from zvt_trading.messages.codes import BUY, SELL

# What is changed of a good order, and the row's code.
REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (LIMIT, {"instId": "BTC-EUR"}, "51001"),
    (LIMIT, {"side": "hold"}, "51000"),
    (LIMIT, {"ordType": "stop"}, "51000"),
    (LIMIT, {"ordType": "optimal_limit_ioc"}, "51000"),
    (LIMIT, {"tdMode": "cross"}, "51000"),
    (LIMIT, {"px": ""}, "51000"),
    (LIMIT, {"px": "5e4"}, "51000"),
    (LIMIT, {"sz": "0"}, "51000"),
    (LIMIT, {"sz": "-1"}, "51000"),
    (LIMIT, {"px": "50000.01"}, "51006"),
    (LIMIT, {"sz": "0.010001"}, "51121"),
    (LIMIT, {"sz": "0.00001"}, "51020"),
    (LIMIT, {"sz": "20000"}, "51005"),
    (LIMIT, {"sz": "100"}, "51008"),
    (LIMIT, {"side": "sell", "px": "70000", "sz": "100"}, "51008"),
    (LIMIT, {"clOrdId": "with-dash"}, "51000"),
    (LIMIT, {"clOrdId": "a" * 33}, "51000"),
    (SWAP, {"tdMode": "cash"}, "51000"),
    (SWAP, {"sz": "0.05"}, "51121"),
    (SWAP, {"reduceOnly": True}, "51169"),
    (SWAP, {"sz": "9000"}, "51008"),
]


@pytest.mark.parametrize(("order", "changed", "code"), REFUSED)
def test_an_order_that_cannot_be_is_refused_by_its_code(
    order: dict[str, Any], changed: dict[str, Any], code: str
) -> None:
    """The envelope says 1, the row says why; nothing is left of the order."""

    async def story(hand: Hand) -> None:
        answer = await hand.post("trade/order", {**order, **changed})
        row = answer["data"][0]
        assert ("1", code, "") == (answer["code"], row["sCode"], row["ordId"])
        assert row["sMsg"]
        for kind in ("SPOT", "SWAP"):
            assert [] == (await hand.get("trade/orders-history", instType=kind))["data"]

    run(story)


def test_a_request_without_an_instrument_is_refused_as_a_whole() -> None:
    """HTTP 400."""

    async def story(hand: Hand) -> None:
        assert "50014" == (await hand.post("trade/order", {"side": "buy"}))["code"]
        assert 400 == hand.status

    run(story)


def test_a_client_id_is_used_once() -> None:
    """Also after the order is over, and while queries do not find it yet."""

    async def story(hand: Hand) -> None:
        hand.house.faults.add(Fault(HIDE, PLACE, ms=60_000))
        assert "0" == (await hand.place(**LIMIT, clOrdId="once"))["sCode"]
        question = {"instId": "BTC-USDT", "clOrdId": "once"}
        assert "51603" == (await hand.get("trade/order", **question))["code"]
        assert "51016" == (await hand.place(**LIMIT, clOrdId="once"))["sCode"]
        assert "0" == (await hand.place(**LIMIT, clOrdId="twice"))["sCode"]
        await hand.post("trade/cancel-order", {"instId": "BTC-USDT", "clOrdId": "twice"})
        assert "51016" == (await hand.place(**LIMIT, clOrdId="twice"))["sCode"]

    run(story)


# An order that cannot work as asked is taken, and canceled at once; who says so.
CANCELED_AT_ONCE = [
    ({"ordType": "post_only", "px": "70000"}, "31", "0"),
    ({"ordType": "fok", "px": "50000"}, "13", "0"),
    ({"ordType": "ioc", "px": "50000"}, "14", "0"),
]


@pytest.mark.parametrize(("changed", "source", "filled"), CANCELED_AT_ONCE)
def test_an_order_against_its_own_terms_is_taken_and_then_canceled(
    changed: dict[str, str], source: str, filled: str
) -> None:
    """The answer is a success: only the order's state tells."""

    async def story(hand: Hand) -> None:
        ack = await hand.place(**{**LIMIT, **changed}, clOrdId="brief")
        assert "0" == ack["sCode"]
        order = await hand.order(instId="BTC-USDT", clOrdId="brief")
        assert ack["ordId"] == order["ordId"]
        found = (order["state"], order["cancelSource"], order["accFillSz"])
        assert ("canceled", source, filled) == found

    run(story)


def test_a_partly_filled_ioc_order_is_canceled_with_what_it_filled() -> None:
    """CancelSource 14."""

    async def story(hand: Hand) -> None:
        hand.house.crowd("BTC/USDT", SELL, 59_999_00, 4_000)
        await hand.place(**{**LIMIT, "ordType": "ioc", "px": "59999"}, clOrdId="part")
        order = await hand.order(instId="BTC-USDT", clOrdId="part")
        found = tuple(order[name] for name in ("state", "cancelSource", "accFillSz", "avgPx"))
        assert ("canceled", "14", "0.004", "59999") == found
        assert ("-0.000004", "BTC") == (order["fee"], order["feeCcy"])

    run(story)


def test_a_spot_market_buy_is_for_quote_money_unless_told() -> None:
    """`tgtCcy` decides; a sell is for base."""

    async def story(hand: Hand) -> None:
        market = dict(instId="BTC-USDT", tdMode="cash", ordType="market")
        hand.house.crowd("BTC/USDT", SELL, 59_990_00, 10_000_000)
        hand.house.crowd("BTC/USDT", BUY, 59_980_00, 10_000_000)
        await hand.place(**market, side="buy", sz="599.9", clOrdId="quote")
        await hand.place(**market, side="buy", sz="0.02", tgtCcy="base_ccy", clOrdId="base")
        await hand.place(**market, side="sell", sz="0.03", clOrdId="sell")
        orders = (await hand.get("trade/orders-history", instType="SPOT"))["data"]
        found = {order["clOrdId"]: (order["accFillSz"], order["sz"]) for order in orders}
        assert {
            "quote": ("0.01", "599.9"),
            "base": ("0.02", "0.02"),
            "sell": ("0.03", "0.03"),
        } == found

    run(story)


def test_a_swap_counts_in_contracts() -> None:
    """One is 0.01 BTC."""

    async def story(hand: Hand) -> None:
        hand.house.crowd("BTC/USDT:USDT", SELL, 59_999_00, 15_000)
        await hand.place(**{**SWAP, "px": "59999", "sz": "1.5"}, clOrdId="swap")
        assert "1.5" == (await hand.order(instId="BTC-USDT-SWAP", clOrdId="swap"))["accFillSz"]
        position = (await hand.get("account/positions"))["data"][0]
        assert ("1.5", "net", "59999") == tuple(position[n] for n in ("pos", "posSide", "avgPx"))
        assert 15_000 == hand.house.seats("default")[0].quantity

    run(story)


def test_an_amend_changes_price_and_total_size_of_the_same_order() -> None:
    """And what cannot be amended is refused."""

    async def story(hand: Hand) -> None:
        ack = await hand.place(**LIMIT, clOrdId="amended")
        named = {"instId": "BTC-USDT", "clOrdId": "amended"}
        changed = {**named, "newPx": "51000", "newSz": "0.02", "reqId": "r1"}
        answer = (await hand.post("trade/amend-order", changed))["data"][0]
        assert (ack["ordId"], "r1", "0") == (answer["ordId"], answer["reqId"], answer["sCode"])
        order = await hand.order(**named)
        assert ("51000", "0.02", "live") == (order["px"], order["sz"], order["state"])
        for wrong, code in (
            ({}, "51500"),
            ({"newPx": "much"}, "51000"),
            ({"newSz": "100"}, "51502"),
            ({"newPx": "50000.01"}, "51006"),
        ):
            refused = (await hand.post("trade/amend-order", {**named, **wrong}))["data"][0]
            assert code == refused["sCode"]
        await hand.post("trade/cancel-order", named)
        gone = (await hand.post("trade/amend-order", changed))["data"][0]
        assert "51503" == gone["sCode"]

    run(story)


def test_a_cancel_of_what_is_not_open_says_so() -> None:
    """51400 for the second cancel, for a stranger's order, for nonsense; 51003 without an id."""

    async def story(hand: Hand) -> None:
        ack = await hand.place(**LIMIT)
        named = {"instId": "BTC-USDT", "ordId": ack["ordId"]}
        codes = []
        for request in (
            named,
            named,
            {"instId": "BTC-USDT", "ordId": "1"},
            {"instId": "BTC-USDT", "clOrdId": "none"},
            {"instId": "ETH-USDT", "ordId": ack["ordId"]},
            {"instId": "BTC-USDT"},
        ):
            answer = await hand.post("trade/cancel-order", request)
            codes.append(answer["data"][0]["sCode"])
        assert ["0", "51400", "51400", "51400", "51400", "51003"] == codes

    run(story)


def test_a_batch_says_of_each_order_what_became_of_it() -> None:
    """Envelope 0, 2 or 1: all, some or none succeeded; more than 20 are refused together."""

    async def story(hand: Hand) -> None:
        bad = {**LIMIT, "side": "hold"}
        for batch, code in (([LIMIT, LIMIT], "0"), ([LIMIT, bad], "2"), ([bad, bad], "1")):
            answer = await hand.post("trade/batch-orders", batch)
            assert (code, len(batch)) == (answer["code"], len(answer["data"]))
        assert "51111" == (await hand.post("trade/batch-orders", [LIMIT] * 21))["code"]
        assert "50002" == (await hand.post("trade/batch-orders", {"no": "list"}))["code"]
        assert 3 == len((await hand.get("trade/orders-pending"))["data"])

    run(story)


def test_lists_are_paged_newest_first() -> None:
    """`after` an id come the older ones, `before` it are the newer ones, 100 at most."""

    async def story(hand: Hand) -> None:
        for _ in range(6):
            await hand.post("trade/batch-orders", [LIMIT] * 20)
        first = (await hand.get("trade/orders-pending"))["data"]
        rest = (await hand.get("trade/orders-pending", after=first[-1]["ordId"]))["data"]
        newer = (await hand.get("trade/orders-pending", before=first[1]["ordId"]))["data"]
        assert (100, 20, [first[0]]) == (len(first), len(rest), newer)
        ids = [int(order["ordId"]) for order in first + rest]
        assert sorted(ids, reverse=True) == ids
        assert "51000" == (await hand.get("trade/orders-pending", after="x"))["code"]

    run(story)


def test_leverage_is_changed_while_flat_only() -> None:
    """As margin mode, which the position then shows."""

    async def story(hand: Hand) -> None:
        setting = {"instId": "BTC-USDT-SWAP", "lever": "5", "mgnMode": "cross"}
        assert "0" == (await hand.post("account/set-leverage", setting))["code"]
        query = {"instId": "BTC-USDT-SWAP", "mgnMode": "cross"}
        assert "5" == (await hand.get("account/leverage-info", **query))["data"][0]["lever"]
        await hand.place(**SWAP)
        assert "59000" == (await hand.post("account/set-leverage", setting))["code"]

    run(story)


def test_money_that_moves_is_in_the_lists() -> None:
    """Deposits, withdrawals, and the bills of both."""

    async def story(hand: Hand) -> None:
        hand.house.deposit("default", "USDT", 150_000_000)
        hand.house.withdraw("default", "BTC", 50_000_000)
        deposit = (await hand.get("asset/deposit-history"))["data"]
        withdrawal = (await hand.get("asset/withdrawal-history"))["data"]
        assert [("USDT", "1.5", "2")] == [(d["ccy"], d["amt"], d["state"]) for d in deposit]
        assert [("BTC", "0.5", "2")] == [(w["ccy"], w["amt"], w["state"]) for w in withdrawal]
        bills = (await hand.get("account/bills", type="1"))["data"]
        found = [(bill["ccy"], bill["balChg"], bill["subType"]) for bill in bills]
        assert [("BTC", "-0.5", "12"), ("USDT", "1.5", "11")] == found

    run(story)
