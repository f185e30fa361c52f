"""What counts as an answer of OKX, pages to their end, and sizes in contracts."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from ccxt.base.errors import BadResponse, ExchangeError

from emulator.okx.okx_dialect_world import SPOT, SWAP, caller
from zvt_trading.adapters.ccxt.dialect import Create, Wanted
from zvt_trading.adapters.ccxt.okx import DIALECT
from zvt_trading.adapters.ccxt.okx.asking import PAGE, data_of, done, pages
from zvt_trading.adapters.ccxt.okx.names import in_base, in_contracts
from zvt_trading.adapters.ccxt.okx.profile import PROFILE
from zvt_trading.adapters.ccxt.okx.rows import fill_view, order_view, position_view
from zvt_trading.adapters.ccxt.outcomes import error_code
from zvt_trading.adapters.ccxt.views import FILLED, OPEN, OrderView, PositionView
from zvt_trading.errors import CallerError, VenueError

NO_ANSWERS: list[Any] = [
    None, "", "<html>", [], {}, {"data": []}, {"code": "1", "data": []}, {"code": 0, "data": []},
    {"code": "0"}, {"code": "0", "data": None}, {"code": "0", "data": {}},
    {"code": "0", "data": ["x"]},
]  # fmt: skip


@pytest.mark.parametrize("answer", NO_ANSWERS)
def test_what_is_no_answer_is_not_an_empty_one(answer: Any) -> None:
    """Ccxt makes an empty list of most of these."""
    with pytest.raises(BadResponse):
        data_of(answer)


def test_an_acknowledgement_is_read_in_its_row() -> None:
    """A refusal keeps its code; none, two, or one without a code prove nothing."""
    assert {"sCode": "0", "ordId": "1"} == done(
        {"code": "0", "data": [{"sCode": "0", "ordId": "1"}]}
    )
    with pytest.raises(ExchangeError) as refused:
        done({"code": "0", "data": [{"sCode": "51400", "sMsg": "gone"}]})
    assert "51400" == error_code(refused.value).code
    for rows in ([], [{"ordId": "1"}], [{"sCode": "0"}, {"sCode": "0"}]):
        with pytest.raises(BadResponse):
            done({"code": "0", "data": rows})


class List:
    """A list of OKX's, newest first."""

    def __init__(self, count: int, *, is_stuck: bool = False, fails_at: int = -1) -> None:
        self.rows = [{"billId": str(number)} for number in range(count, 0, -1)]
        self.asked: list[dict[str, Any]] = []
        self.is_stuck, self.fails_at = is_stuck, fails_at

    async def __call__(self, query: dict[str, Any]) -> Any:
        self.asked.append(query)
        if len(self.asked) == self.fails_at:
            return "<html>"
        after = int(query.get("after", 10**9)) if not self.is_stuck else 10**9
        rows = [row for row in self.rows if int(row["billId"]) < after]
        return {"code": "0", "data": rows[: int(query["limit"])]}


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (99, 1), (100, 2), (250, 3)])
def test_a_list_is_read_to_its_last_page_and_given_oldest_first(count: int, requests: int) -> None:
    """A full page may not be the last one."""
    listed = List(count)
    found = asyncio.run(pages(listed, {"type": "1"}, "billId"))
    assert [str(number) for number in range(1, count + 1)] == [row["billId"] for row in found]
    assert requests == len(listed.asked)
    assert {"type": "1", "limit": str(PAGE)} == listed.asked[0]


@pytest.mark.parametrize("listed", [List(250, is_stuck=True), List(250, fails_at=2)])
def test_a_page_that_fails_or_repeats_fails_the_question(listed: List) -> None:
    """Half a list is no answer."""
    with pytest.raises(BadResponse):
        asyncio.run(pages(listed, {}, "billId"))


def test_contracts_and_base_are_exact_both_ways() -> None:
    """0.01 BTC a contract; spot sizes stay the texts they are."""
    okx = caller()
    spot, swap = okx.market(SPOT), okx.market(SWAP)
    for base, contracts in (("0.015", "1.5"), ("1", "100"), ("0.0001", "0.01")):
        assert (contracts, base) == (in_contracts(base, swap), in_base(contracts, swap))
    assert ("0.0150", "0.0150") == (in_contracts("0.0150", spot), in_base("0.0150", spot))
    with pytest.raises(VenueError, match="no exact number of contracts"):
        in_contracts("1", {**swap, "contractSize": "3"})


def wanted(**changed: Any) -> Wanted:
    fields = dict(order_id="abc1", symbol=SPOT, side="buy", price="50000", quantity="0.01",
                  tif="GTC", post_only=False, reduce_only=False, expire_ms=0)  # fmt: skip
    return Wanted(**{**fields, **changed})


CREATES: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({}, "0.01", {"tdMode": "cash"}),
    ({"post_only": True}, "0.01", {"tdMode": "cash", "postOnly": True}),
    ({"tif": "IOC"}, "0.01", {"tdMode": "cash", "timeInForce": "IOC"}),
    ({"tif": "FOK"}, "0.01", {"tdMode": "cash", "timeInForce": "FOK"}),
    ({"reduce_only": True}, "0.01", {"tdMode": "cash"}),
    ({"symbol": SWAP}, "1", {"tdMode": "cross"}),
    ({"symbol": SWAP, "reduce_only": True}, "1", {"tdMode": "cross", "reduceOnly": True}),
]


@pytest.mark.parametrize(("changed", "size", "params"), CREATES)
def test_an_order_goes_out_with_our_id_and_its_terms(
    changed: dict[str, Any], size: str, params: dict[str, Any]
) -> None:
    """A swap's amount in contracts."""
    order = wanted(**changed)
    expected = Create(order.symbol, "limit", "buy", size, "50000", {"clOrdId": "abc1", **params})
    assert expected == DIALECT.create(order, caller().market(order.symbol))


def test_good_till_date_is_not_offered() -> None:
    """Nothing is sent then."""
    with pytest.raises(CallerError, match="good-till-date"):
        DIALECT.create(wanted(tif="GTD"), caller().market(SPOT))


ACK = {"ordId": "68", "clOrdId": "abc1", "sCode": "0", "sMsg": "", "ts": "5"}


def test_an_acknowledgement_proves_that_the_order_was_taken() -> None:
    """And not how much of it is filled."""
    view = OrderView(
        order_id="abc1", venue_order_id="68", symbol=SPOT, status=OPEN, side="buy", ts=5
    )
    assert [view] == DIALECT.created({"id": "68", "info": ACK}, wanted())


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"info": None},
        {"info": "x"},
        {"info": {}},
        {"id": None, "info": {**ACK, "ordId": ""}},
        {"info": {**ACK, "sCode": "51008"}},
        {"info": {**ACK, "clOrdId": "another"}},
    ],
)
def test_anything_else_proves_nothing(answer: dict[str, Any]) -> None:
    """The outcome is unknown."""
    assert [] == DIALECT.created(answer, wanted())


@pytest.mark.parametrize(
    "code", ["1", "2", "50001", "50004", "50005", "50013", "50026", "51016", "51603", ""]
)
def test_codes_that_may_follow_acceptance_prove_no_refusal(code: str) -> None:
    """Timeouts, system errors, envelopes; and an id that exists already is an order that exists."""
    assert code not in PROFILE.refusals.codes


def test_recorded_rows_are_read(shared_data: Path) -> None:
    """An order, a fill whose fee is a rebate, a position."""
    folder = shared_data / "fixtures" / "okx"
    market = caller().market(SWAP)
    (row,) = json.loads((folder / "http_get_orders_history.json").read_text())["data"]
    view = order_view(row, market)
    assert (FILLED, "0.0003", "0.0003") == (view.status, view.quantity, view.filled)
    fill = fill_view(
        json.loads((folder / "http_transaction_detail.json").read_text()), caller().market(SPOT)
    )
    assert ("-0.042", "USDT", "client_123", False) == (
        fill.fee, fill.fee_asset, fill.order_id, fill.is_maker,
    )  # fmt: skip
    (row,) = json.loads((folder / "http_get_positions.json").read_text())["data"]
    assert PositionView(SWAP, "0.005", "10000") == position_view(row, market)
    assert "-0.005" == position_view({**row, "posSide": "short"}, market).quantity
