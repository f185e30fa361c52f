"""The emulator as a whole: what it refuses, what it leaves behind, what a new key has."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from emulator.redirect import running
from zvt_trading.emulator.emulator import EXCHANGES, FUNDS, Emulator
from zvt_trading.emulator.house import House
from zvt_trading.emulator.orders import Ask, Refusal
from zvt_trading.messages.codes import BUY, CANCELLED, LIMIT, MARKET, SELL
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import FundingPaid

SYMBOL = "BTC/USDT"


@contextmanager
def made(exchanges: tuple[str, ...]) -> Iterator[Emulator]:
    """A quiet one that nobody listens to; nothing of it is left."""
    one = Emulator(exchanges, is_quiet=True)
    try:
        yield one
    finally:
        asyncio.run(one.stop())


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """Not started: its houses and books are there all the same."""
    with made(("okx", "coinbase")) as one:
        yield one


@pytest.fixture
def house(emulator: Emulator) -> House:
    return emulator.houses["okx"]


class TestEmulator:
    def test_an_exchange_that_is_none(self) -> None:
        """With those that there are."""
        with pytest.raises(ValueError, match=f"no exchange 'nyse'; there are {EXCHANGES[0]}, "):
            Emulator(("nyse",))

    @pytest.mark.parametrize("minutes", [-1, 1_441])
    def test_a_history_that_is_too_long(self, minutes: int) -> None:
        """It would fill the memory."""
        with pytest.raises(ValueError, match=f"{minutes} must be from 0 to 1440"):
            Emulator(("okx",), history_minutes=minutes)

    def test_a_new_key_has_funds(self, emulator: Emulator) -> None:
        """Which were there before anybody looked: no deposit is seen. Or it has none."""
        house = emulator.houses["okx"]
        emulator.add_key("okx", "rich")
        emulator.add_key("okx", "poor", funds=False)
        assert dict(FUNDS) == {view.asset: view.total for view in house.balances("rich")}
        assert [] == house.balances("poor")
        assert [] == house.transfers

    @pytest.mark.parametrize("exchange", EXCHANGES)
    def test_limits_may_be_wider(self, exchange: str) -> None:
        """All of them, by a whole factor."""

        async def limits(factor: int) -> dict[str, int]:
            async with running(Emulator((exchange,), is_quiet=True, limit_factor=factor)) as one:
                budgets = one.houses[exchange].limits.budgets
                return {name: budget.limit for name, budget in budgets.items()}

        usual = asyncio.run(limits(1))
        assert usual
        assert {name: 3 * limit for name, limit in usual.items()} == asyncio.run(limits(3))

    def test_a_folder_keeps_the_record(self, tmp_path: Path) -> None:
        """Line for line what was kept in memory; certificates too."""

        async def story() -> list[Any]:
            async with running(Emulator(("okx",), is_quiet=True, folder=tmp_path)) as one:
                one.houses["okx"].deposit("default", "USDT", 5)
                return list(one.houses["okx"].record.lines)

        lines = asyncio.run(story())
        written = (tmp_path / "okx.jsonl").read_bytes().splitlines()
        assert lines == [msgspec.json.decode(line) for line in written]
        assert (tmp_path / "ca.pem").exists()

    def test_without_one_nothing_is_left(self) -> None:
        """Not a file."""

        async def story() -> Path:
            async with running(Emulator(("okx",), is_quiet=True)) as one:
                assert one.folder.exists()
                return one.folder

        assert not asyncio.run(story()).exists()

    def test_it_may_be_stopped_before_it_was_started(self) -> None:
        """Nothing listens."""
        with made(("okx",)) as one:
            assert one.folder.exists()
        assert not one.folder.exists()


class TestHouse:
    def test_a_market_buy_for_an_amount_of_money(self, house: House) -> None:
        """As much as that buys from the book, in whole lots, and no more."""
        instrument = house.instruments[SYMBOL]
        money = 1_000 * 10**instrument.settle_scale
        order = house.place("default", Ask(instrument, BUY, MARKET, 0, quote_quantity=money))
        assert order.quantity == order.filled
        assert order.quantity % instrument.lot == 0
        assert 0 <= money - order.value < order.value // order.quantity * 2 * instrument.lot

    def test_nobody_sells_for_an_amount_of_money(self, house: House) -> None:
        """No exchange has that."""
        ask = Ask(house.instruments[SYMBOL], SELL, MARKET, 0, quote_quantity=5)
        with pytest.raises(Refusal, match="only a market buy"):
            house.place("default", ask)

    def test_a_hidden_order_is_not_found_by_queries(self, house: House) -> None:
        """By either id, or in a list; only the next one is hidden."""
        instrument = house.instruments[SYMBOL]
        house.hide_next_ns = 3_600 * 10**9
        price = 1_000 * instrument.tick
        quantity = instrument.quantity_min * 10_000
        hidden, seen = (
            house.place(
                "default", Ask(instrument, BUY, LIMIT, quantity, client_id=name, price=price)
            )
            for name in ("hidden", "seen")
        )
        assert house.find("default", hidden.id) is None
        assert house.find("default", client_id="hidden") is None
        assert house.find("default", seen.id) is seen
        assert house.find("somebody else", seen.id) is None
        assert hidden not in house.open_orders("default")
        assert hidden not in house.orders_of("default", SYMBOL)
        assert seen in house.orders_of("default", SYMBOL)

    def test_an_order_that_ended_at_once(self, house: House) -> None:
        """Two changes, and no fill; with or without a client id."""
        instrument = house.instruments[SYMBOL]
        for name in ("", "fok"):
            before = house.changes
            ask = Ask(instrument, BUY, LIMIT, instrument.quantity_min, client_id=name, price=100)
            order = house.place_ended("default", ask, int(Reason.VENUE_FILL_OR_KILL))
            assert (CANCELLED, Reason.VENUE_FILL_OR_KILL) == (order.life, order.reason)
            assert house.changes == before + 2
        assert house.find("default", client_id="fok") is order

    def test_an_order_that_is_over_is_not_cancelled(self, house: House) -> None:
        """Nor amended; the refusal has a reason."""
        instrument = house.instruments[SYMBOL]
        ask = Ask(instrument, BUY, LIMIT, instrument.quantity_min, price=100)
        order = house.place_ended("default", ask, int(Reason.VENUE_FILL_OR_KILL))
        with pytest.raises(Refusal) as caught:
            house.cancel(order)
        assert Reason.VENUE_UNKNOWN_ORDER == caught.value.reason
        with pytest.raises(Refusal):
            house.amend(order, 200, 0)

    def test_more_than_is_free_is_not_withdrawn(self, house: House) -> None:
        """To the last unit."""
        (free,) = (view.free for view in house.balances("default") if view.asset == "ETH")
        with pytest.raises(Refusal, match="not so much ETH is free"):
            house.withdraw("default", "ETH", free + 1)
        assert house.withdraw("default", "ETH", free).amount == -free

    def test_funding_is_told(self, house: House) -> None:
        """And kept for who asks."""
        instrument = house.instruments["BTC/USDT:USDT"]
        paid = FundingPaid("default", instrument.id, 1, 5, "f1", 7)
        house._settle([paid])
        assert paid is house.funding[-1]
