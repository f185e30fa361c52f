"""Public market data of an emulated exchange: the book with its numbers, trades, last prices."""

from typing import Any

import pytest

from ccxt_world import SPEC
from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import MINUTE
from zvt_trading.emulator.feed import BookUpdate, Feed
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import (
    BookDelta,
    BookSnapshot,
    FundingRate,
    MarkPrice,
    QuoteTick,
    TradeTick,
)

SYMBOL = SPEC.symbol
ID = f"{SPEC.venue}:{SYMBOL}"


class Heard:
    """Takes down what it is told, by name."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def book_changed(self, update: BookUpdate) -> None:
        self.told.append(("book", update))

    def traded(self, symbol: str, trade: TradeTick) -> None:
        self.told.append(("trade", symbol, trade))

    def quoted(self, symbol: str, quote: QuoteTick) -> None:
        self.told.append(("quote", symbol, quote))

    def marked(self, symbol: str, mark: MarkPrice) -> None:
        self.told.append(("mark", symbol, mark))


def feed() -> tuple[Feed, Heard]:
    made, heard = Feed(), Heard()
    made.add(Instrument(SPEC))
    made.listeners.append(heard)
    return made, heard


def test_updates_follow_one_another() -> None:
    """A snapshot has the number of the book before the first one."""
    made, heard = feed()
    made.on_market(SYMBOL, BookSnapshot(ID, ((10_000, 5),), ((10_010, 6),), 1, 40))
    assert made.symbols[SYMBOL].last_id == 40
    for size in (7, 0):
        made.on_market(SYMBOL, BookDelta(ID, ((10_000, size),), ((10_020, 8),), 2))
    assert [(41, 41, 40), (42, 42, 41)] == [
        (update.first_id, update.last_id, update.previous_id) for _, update in heard.told
    ]
    book = made.symbols[SYMBOL]
    assert [] == book.levels(BUY, 5)
    assert [(10_010, 6), (10_020, 8)] == book.levels(SELL, 5)
    assert [(10_010, 6)] == book.levels(SELL, 1)


@pytest.mark.parametrize(("numbered", "expected"), [(0, 1), (7, 7)])
def test_the_first_number_is_never_zero(numbered: int, expected: int) -> None:
    """Which some exchanges mean something else by."""
    made, _ = feed()
    made.on_market(SYMBOL, BookSnapshot(ID, (), (), 1, numbered))
    assert expected == made.symbols[SYMBOL].last_id


def test_a_snapshot_never_takes_numbers_back() -> None:
    """Clients know the later ones."""
    made, _ = feed()
    for number in (9, 3):
        made.on_market(SYMBOL, BookSnapshot(ID, (), (), 1, number))
    assert made.symbols[SYMBOL].last_id == 9


def test_trades_quotes_and_marks_are_told() -> None:
    """And the last ones kept, for who asks."""
    made, heard = feed()
    trade = TradeTick(ID, 10_000, 5, BUY, 3, 1)
    quote = QuoteTick(ID, 10_000, 5, 10_010, 6, 3)
    mark = MarkPrice(ID, 10_005, 3, 10_004)
    for message in (trade, quote, mark, FundingRate(ID, 77, 10_005, 3)):
        made.on_market(SYMBOL, message)
    expected = [("trade", SYMBOL, trade), ("quote", SYMBOL, quote), ("mark", SYMBOL, mark)]
    assert expected == heard.told
    kept = made.symbols[SYMBOL]
    assert ([trade], 10_005, 10_004, 77) == (
        kept.trades,
        kept.mark,
        kept.index,
        kept.funding_rate,
    )


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ((0, 1, 2, 3, 4, 5, 6), [5, 6, 7]),
        ((0, 0, 0, 1, 1, 1, 1), [4, 5, 6, 7]),  # those of one minute stay together
        ((0, 0, 0, 0, 0, 0, 0), [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_the_trades_kept_are_bounded(minutes: tuple[int, ...], expected: list[int]) -> None:
    """The oldest go, in whole minutes: a candle never changes afterwards."""
    made = Feed(trades_kept=3)
    made.add(Instrument(SPEC))
    for number, minute in enumerate(minutes, 1):
        made.on_market(SYMBOL, TradeTick(ID, 10_000, 5, BUY, minute * MINUTE, number))
    assert expected == [trade.trade_id for trade in made.symbols[SYMBOL].trades]
