"""What the dialect makes of answers that no sound exchange gives, and of rarer sound ones."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from ccxt.base.errors import BadResponse

from emulator.okx.okx_dialect_world import ORDER, SPOT, SWAP, caller
from zvt_trading.adapters.ccxt.okx import DIALECT
from zvt_trading.adapters.ccxt.views import (
    OPEN,
    AmendView,
    BalanceView,
    FundingView,
    OrderView,
    PositionView,
)
from zvt_trading.errors import VenueError
from zvt_trading.messages.codes import CROSS, ISOLATED

DONE = {"sCode": "0", "ordId": ORDER["ordId"]}
VIEW = OrderView(order_id="abc1", venue_order_id=ORDER["ordId"], symbol=SPOT, status=OPEN)


class Canned:
    """Answers each endpoint with the rows given for it, and knows the markets."""

    def __init__(self, **answers: list[Any]) -> None:
        self._okx, self._answers = caller(), answers

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(("private", "public")):
            return getattr(self._okx, name)

        async def answer(_query: Any) -> Any:
            return {"code": "0", "data": self._answers[name]}

        return answer


def asked(question: Awaitable[Any]) -> Any:
    async def whole() -> Any:
        return await question

    return asyncio.run(whole())


@pytest.mark.parametrize("rows", [[], [ORDER, ORDER], [{**ORDER, "clOrdId": "another"}]])
def test_one_order_is_one_row_of_that_id(rows: list[Any]) -> None:
    """An empty list is not "no such order"."""
    with pytest.raises(BadResponse):
        asked(DIALECT.find(Canned(privateGetTradeOrder=rows), SPOT, "abc1", ""))


@pytest.mark.parametrize(
    ("row", "proof"),
    [
        ({**ORDER, "px": "51000", "sz": "0.02"}, [("51000", "0.02")]),
        ({**ORDER, "px": "51000.0", "sz": "0.020"}, [("51000.0", "0.020")]),
        (ORDER, []),
    ],
)
def test_an_amend_is_proven_by_the_terms_that_the_order_has(
    row: dict[str, Any], proof: list[tuple[str, str]]
) -> None:
    """An acknowledgement alone is none: OKX amends after it."""
    okx = Canned(privatePostTradeAmendBatchOrders=[DONE], privateGetTradeOrder=[row])
    found = asked(DIALECT.amend(okx, VIEW, "51000", "0.02"))
    assert proof == [(view.price, view.quantity) for view in found if isinstance(view, AmendView)]


def test_the_account_is_one_and_isolated_margin_is_part_of_the_money() -> None:
    """OKX takes it out of cashBal; what is zero is left out."""
    detail = {"ccy": "USDT", "cashBal": "94.5", "eq": "99.9", "isoEq": "5.4", "isoUpl": "-0.1"}
    nothing = {"ccy": "BTC", "cashBal": "0", "eq": "0", "isoEq": "", "isoUpl": ""}
    account = {"details": [detail, nothing]}
    found = asked(DIALECT.balances(Canned(privateGetAccountBalance=[account])))
    assert [BalanceView("USDT", "100")] == found
    with pytest.raises(BadResponse):
        asked(DIALECT.balances(Canned(privateGetAccountBalance=[])))


def test_two_rows_of_a_symbol_are_one_position() -> None:
    """Long and short, or cross and isolated; of two prices none is the entry's."""
    long = {"instId": "BTC-USDT-SWAP", "pos": "3", "posSide": "long", "avgPx": "50000"}
    short = {**long, "pos": "1", "posSide": "short"}
    foreign = {**long, "instId": "ETH-USD-SWAP"}
    okx = Canned(privateGetAccountPositions=[long, short, foreign])
    assert [PositionView(SWAP, "0.02", "")] == asked(DIALECT.positions(okx, [SPOT, SWAP]))


def test_funding_of_isolated_positions_changes_their_own_balance() -> None:
    """The rate is that of the settlement before the bill; "" when it is not listed any more."""
    bill = {"billId": "1", "instId": "BTC-USDT-SWAP", "ccy": "USDT", "balChg": "0",
            "posBalChg": "-0.12", "ts": "1001"}  # fmt: skip
    rates = [
        {"fundingTime": "2000", "realizedRate": "0.0002"},
        {"fundingTime": "1000", "realizedRate": "0.0001"},
    ]
    foreign = {**bill, "billId": "2", "instId": "ETH-USD-SWAP"}
    old = {**bill, "billId": "0", "balChg": "0.5", "ts": "999"}
    okx = Canned(
        privateGetAccountBillsArchive=[foreign, bill, old],
        publicGetPublicFundingRateHistory=rates,
    )
    found = asked(DIALECT.funding(okx, [SPOT, SWAP], 0))
    expected = [
        FundingView("0", SWAP, "USDT", "-0.5", "", 999),
        FundingView("1", SWAP, "USDT", "0.12", "0.0001", 1001),
    ]
    assert expected == found


def test_leverage_is_set_for_cross_margin_and_checked() -> None:
    """Orders say cross, so isolated margin is refused before anything is sent."""
    asked(
        DIALECT.set_leverage(
            Canned(privatePostAccountSetLeverage=[{"lever": "5.0"}]), SWAP, 5, CROSS
        )
    )
    for answer in ([], [{"lever": "3"}]):
        okx = Canned(privatePostAccountSetLeverage=answer)
        with pytest.raises(BadResponse):
            asked(DIALECT.set_leverage(okx, SWAP, 5, CROSS))
    with pytest.raises(VenueError, match="isolated"):
        asked(DIALECT.set_leverage(Canned(), SWAP, 5, ISOLATED))


def test_fills_of_an_order_that_is_not_there_cannot_be_asked_for() -> None:
    """An unknown order has no venue id to ask by."""
    unknown = OrderView(order_id="abc1", venue_order_id="", symbol=SPOT, status=OPEN)
    okx = Canned(privateGetTradeOrder=[{**ORDER, "accFillSz": "0"}], privateGetTradeFills=[])
    assert [] == asked(DIALECT.fills_of(okx, unknown))
