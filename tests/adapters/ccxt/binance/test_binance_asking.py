"""Lists are read to their end, whatever the exchange's pages and windows."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from zvt_trading.adapters.ccxt.binance.asking import (
    DAY_MS,
    PAGE,
    by_offset,
    trades_of,
    trades_since,
)
from zvt_trading.adapters.ccxt.fields import UnreadableError

NOW = 1_000 * DAY_MS


class Trades:
    """A list as myTrades gives it: by ids, or at most a day by times, oldest first."""

    def __init__(self, times: Sequence[int]) -> None:
        self.rows = [
            {"id": str(at), "time": time, "orderId": str(at % 2)} for at, time in enumerate(times)
        ]
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, params: dict[str, Any]) -> Any:
        self.asked.append(params)
        found = [row for row in self.rows if self._fits(row, params)]
        return found[: params["limit"]]

    def _fits(self, row: dict[str, Any], params: dict[str, Any]) -> bool:
        if "fromId" in params:
            return bool(int(row["id"]) >= params["fromId"])
        if "orderId" in params:
            return bool(row["orderId"] == params["orderId"])
        assert params["endTime"] - params["startTime"] <= DAY_MS
        return bool(params["startTime"] <= row["time"] <= params["endTime"])


@pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE])
def test_all_pages_are_read(count: int) -> None:
    """Trades of one moment fill any number of pages; none is lost between two, none is twice."""
    trades = Trades([NOW - 5] * count)
    got = asyncio.run(trades_since(trades, "BTCUSDT", NOW - 10, NOW, DAY_MS))
    assert trades.rows == got


def test_days_without_trades_are_passed_over() -> None:
    """The exchange shows one day at a time: an empty one is not the end."""
    trades = Trades([NOW - 20 * DAY_MS, NOW - 3 * DAY_MS, NOW - 1])
    got = asyncio.run(trades_since(trades, "BTCUSDT", NOW - 10 * DAY_MS, NOW, DAY_MS))
    assert trades.rows[1:] == got


def test_long_ago_the_ids_lead_from_the_first_trade() -> None:
    """Not one request for each day since the beginning."""
    trades = Trades([NOW - 500 * DAY_MS, NOW - 300 * DAY_MS, NOW - 1])
    got = asyncio.run(trades_since(trades, "BTCUSDT", NOW - 400 * DAY_MS, NOW, DAY_MS))
    assert trades.rows[1:] == got
    assert 1 == len(trades.asked)


def test_all_trades_of_an_order() -> None:
    """Beyond the first page by id, without those of other orders."""
    trades = Trades([NOW] * (2 * PAGE + 2))
    got = asyncio.run(trades_of(trades, "BTCUSDT", "1"))
    assert [row for row in trades.rows if row["orderId"] == "1"] == got


@pytest.mark.parametrize("name", ["offset", "page"])
def test_lists_by_offset_and_by_page(name: str) -> None:
    """Every window to its end, windows side by side without overlap."""
    rows = [{"time": NOW - 100 * DAY_MS + at} for at in range(2 * PAGE + 1)] + [{"time": NOW}]

    async def ask(params: dict[str, Any]) -> Any:
        start, end = params["startTime"], params["endTime"]
        found = [row for row in rows if start <= row["time"] <= end]
        at = params[name] if name == "offset" else (params[name] - 1) * PAGE
        return found[at : at + PAGE]

    got = asyncio.run(by_offset(ask, NOW - 100 * DAY_MS, NOW, 89 * DAY_MS, name))
    assert rows == got


@pytest.mark.parametrize("answer", [None, {}, "", [1], {"code": 0}])
def test_a_page_that_is_no_list_raises(answer: Any) -> None:
    """A failed query is not an empty answer."""

    async def ask(_params: dict[str, Any]) -> Any:
        return answer

    with pytest.raises(UnreadableError):
        asyncio.run(trades_since(ask, "BTCUSDT", NOW - 10, NOW, DAY_MS))
