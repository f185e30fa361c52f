"""Questions to a venue: all of it is answered, or nothing is known."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from ccxt.base.errors import ExchangeError, NetworkError

from ccxt_scripted import ScriptedDialect
from ccxt_world import (
    ACCOUNT,
    FOREIGN,
    NS_A_MS,
    OURS,
    PERPETUAL,
    SPEC,
    SYMBOL,
    TS_MS,
    VENUE,
    fill_view,
    order_view,
    ownership,
    translator,
)
from manual_loop import in_manual_time
from zvt_trading.adapters.ccxt.budget import Budget
from zvt_trading.adapters.ccxt.ownership import Ownership
from zvt_trading.adapters.ccxt.reader import OPENING_TRIES, OVERLAP_MS, SETTLING_MS, Reader
from zvt_trading.adapters.ccxt.views import BalanceView, FundingView, PositionView, TransferView
from zvt_trading.errors import VenueError
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import CashMoved, Fill, FundingPaid, VenueAccepted
from zvt_trading.ports.venue import OrderRef, QueryFailedError

REF = OrderRef(OURS, "v1", f"{VENUE}:{SYMBOL}")
NOW_MS = TS_MS + 10_000_000
CURSOR_MS = TS_MS + 5_000_000
CURSOR = CURSOR_MS * NS_A_MS
LOST = NetworkError("lost")

T = TypeVar("T")


class Desk:
    """A reader of a scripted venue, at a time that stands still unless a test moves it."""

    def __init__(self, dialect: ScriptedDialect, *, spot_only: bool = False) -> None:
        self.dialect = dialect
        specs = (SPEC,) if spot_only else ()
        self.ownership: Ownership = ownership(*specs)
        self.now_ms = NOW_MS
        self.reader = Reader(
            object(), dialect, Budget(1_000, 1_000, 1, lambda: 0.0), translator(*specs),
            self.ownership, ACCOUNT, lambda: self.now_ms,
        )  # fmt: skip


def read(desk: Desk, question: Callable[[Reader], Awaitable[T]]) -> T:
    async def story() -> T:
        return await question(desk.reader)

    return in_manual_time(story())


class TestOneOrder:
    def test_its_state_fills_and_terms(self) -> None:
        """All as the engine counts."""
        view = order_view(filled="0.2")
        answer = read(
            Desk(ScriptedDialect(find=view, fills_of=[fill_view()])), lambda r: r.ask(REF)
        )
        assert [VenueAccepted, Fill] == [type(report) for report in answer.reports]
        assert (10_010, 500) == (answer.price, answer.quantity)

    def test_one_that_the_venue_has_not(self) -> None:
        """No reports: it said so."""
        answer = read(Desk(ScriptedDialect(find=None)), lambda reader: reader.ask(REF))
        assert [] == answer.reports

    @pytest.mark.parametrize(
        ("filled", "asked"), [("", 1), ("0", 0), ("0.000", 0), ("0.1", 1), ("10", 1)]
    )
    def test_fills_are_asked_for_where_there_may_be_some(self, filled: str, asked: int) -> None:
        """An order that filled nothing costs one request."""
        dialect = ScriptedDialect(find=order_view(filled=filled))
        read(Desk(dialect), lambda reader: reader.ask(REF))
        assert asked == dialect.count("fills_of")

    def test_terms_that_were_not_said(self) -> None:
        """Are 0."""
        desk = Desk(ScriptedDialect(find=order_view(price="", quantity="")))
        answer = read(desk, lambda reader: reader.ask(REF))
        assert (0, 0) == (answer.price, answer.quantity)

    def test_a_number_off_our_scale_is_no_answer(self) -> None:
        """It is not rounded, and names the order."""
        desk = Desk(ScriptedDialect(find=order_view(price="100.001")))
        with pytest.raises(QueryFailedError, match=r"ours: 100\.001 has more than 2 decimals"):
            read(desk, lambda reader: reader.ask(REF))


class TestAskedAgain:
    @pytest.mark.parametrize("lost", [1, 2])
    def test_a_lost_answer_is_asked_for_again(self, lost: int) -> None:
        """To ask changes nothing."""
        dialect = ScriptedDialect(find=order_view())
        dialect.after["find"] = [LOST] * lost
        answer = read(Desk(dialect), lambda reader: reader.ask(REF))
        assert answer.reports
        assert lost + 1 == dialect.count("find")

    def test_three_times_at_most(self) -> None:
        """Then the question failed, with the exchange's words and no URL's query."""
        error = ExchangeError("""GET https://x?signature=s {"code":-1003,"msg":"too many"}""")
        dialect = ScriptedDialect(find=error)
        with pytest.raises(QueryFailedError) as caught:
            read(Desk(dialect), lambda reader: reader.ask(REF))
        assert str(caught.value) == "binance: ExchangeError -1003 too many"
        assert dialect.count("find") == 3

    @pytest.mark.parametrize(
        "part",
        ["open_orders", "fills", "find", "transfers", "funding", "balances", "positions"],
    )
    def test_no_part_of_a_history_may_fail(self, part: str) -> None:
        """A failed query is not an empty answer."""
        dialect = ScriptedDialect(fills=[fill_view("", venue_order_id="v9")])
        dialect.answers[part] = LOST
        with pytest.raises(QueryFailedError):
            read(Desk(dialect), lambda reader: reader.history(CURSOR))


class TestHistory:
    def test_what_it_asks_for(self) -> None:
        """From before the cursor: venues list fills late and out of order."""
        dialect = ScriptedDialect()
        history, _ = read(Desk(dialect), lambda reader: reader.history(CURSOR))
        since = CURSOR_MS - OVERLAP_MS
        symbols = (SYMBOL, PERPETUAL)
        assert [
            ("open_orders", symbols),
            ("fills", symbols, since),
            ("transfers", since - SETTLING_MS),
            ("funding", (PERPETUAL,), since),
            ("balances",),
            ("positions", (PERPETUAL,)),
        ] == dialect.asked
        assert NOW_MS * NS_A_MS == history.cursor
        assert not history.statement.has_exact_costs

    def test_the_cursor_never_goes_back(self) -> None:
        """Also when the venue's clock does."""
        desk = Desk(ScriptedDialect())
        desk.now_ms = CURSOR_MS - 1
        history, _ = read(desk, lambda reader: reader.history(CURSOR))
        assert history.cursor == CURSOR

    def test_a_venue_without_perpetuals_is_not_asked_for_any(self) -> None:
        """Neither positions nor funding."""
        dialect = ScriptedDialect()
        read(Desk(dialect, spot_only=True), lambda reader: reader.history(CURSOR))
        assert (0, 0) == (dialect.count("funding"), dialect.count("positions"))

    def test_how_things_stand(self) -> None:
        """Our open orders, all balances and positions of what we trade; no other's."""
        dialect = ScriptedDialect(
            open_orders=[
                order_view(filled=""),
                order_view(FOREIGN, venue_order_id="v2"),
            ],
            balances=[BalanceView("BTC", "1.5"), BalanceView("DOGE", "7")],
            positions=[PositionView(PERPETUAL, "-0.2")],
        )
        history, _ = read(Desk(dialect), lambda reader: reader.history(CURSOR))
        statement = history.statement
        assert [(OURS, 10_010, 500, 0)] == [
            (row.order_id, row.price, row.quantity, row.filled) for row in statement.orders
        ]
        assert [("BTC", 150_000_000)] == [(row.asset, row.total) for row in statement.cash]
        assert [(f"{VENUE}:{PERPETUAL}", -200)] == [
            (row.instrument, row.quantity) for row in statement.positions
        ]

    def test_fills_from_before_the_overlap_are_left_out(self) -> None:
        """Some exchanges give more than was asked for; what is returned is all of it."""
        first_ms = CURSOR_MS - OVERLAP_MS
        fills = [fill_view(trade_id="old", ts=first_ms - 1), fill_view(trade_id="new", ts=first_ms)]
        history, found = read(Desk(ScriptedDialect(fills=fills)), lambda r: r.history(CURSOR))
        trades = [report.trade_id for report in history.reports if isinstance(report, Fill)]
        assert ["new"] == trades
        assert fills == found

    def test_names_that_were_not_told_are_asked_for_once_each(self) -> None:
        """By the venue's id; one that the venue does not find is nobody's of ours."""
        unnamed = [
            fill_view("", trade_id="t1", venue_order_id="v1", ts=CURSOR_MS),
            fill_view("", trade_id="t2", venue_order_id="v1", ts=CURSOR_MS),
            fill_view("", trade_id="t3", venue_order_id="v2", ts=CURSOR_MS),
        ]
        dialect = ScriptedDialect(fills=unnamed, find=None)
        dialect.after["find"] = [order_view(OURS, venue_order_id="v1")]
        history, _ = read(Desk(dialect), lambda reader: reader.history(CURSOR))
        assert [("find", SYMBOL, "", "v1"), ("find", SYMBOL, "", "v2")] == [
            asked for asked in dialect.asked if asked[0] == "find"
        ]
        fills = [report.trade_id for report in history.reports if isinstance(report, Fill)]
        assert ["t1", "t2"] == fills
        causes = {report.cause for report in history.reports if isinstance(report, CashMoved)}
        assert {int(Reason.MANUAL_TRADE)} == causes

    def test_a_number_off_our_scale_is_no_history(self) -> None:
        """Nothing of it is believed."""
        fills = [fill_view(price="100.001", ts=CURSOR_MS)]
        with pytest.raises(QueryFailedError, match="more than 2 decimals"):
            read(Desk(ScriptedDialect(fills=fills)), lambda reader: reader.history(CURSOR))

    @pytest.mark.parametrize(
        ("move", "expected"),
        [
            (("USDT", "5", 0), [(500_000_000, Reason.EXTERNAL_DEPOSIT)]),
            (("USDT", "-5", 0), [(-500_000_000, Reason.EXTERNAL_WITHDRAWAL)]),
            (("DOGE", "5", 0), []),  # nothing of ours is in it
            (("USDT", "5", -OVERLAP_MS - SETTLING_MS), [(500_000_000, Reason.EXTERNAL_DEPOSIT)]),
            (("USDT", "5", -OVERLAP_MS - SETTLING_MS - 1), []),  # before our time
        ],
    )
    def test_money_that_moved(
        self, move: tuple[str, str, int], expected: list[tuple[int, Reason]]
    ) -> None:
        """A second more than the overlap: some are dated by the whole second."""
        asset, amount, after_cursor = move
        row = TransferView("d1", asset, amount, CURSOR_MS + after_cursor)
        history, _ = read(
            Desk(ScriptedDialect(transfers=[row])), lambda reader: reader.history(CURSOR)
        )
        assert [
            CashMoved(
                ACCOUNT, VENUE, asset, units, int(cause), "d1", "moved at the venue",
                row.ts * NS_A_MS,
            )
            for units, cause in expected
        ] == history.reports  # fmt: skip

    def test_funding(self) -> None:
        """What was paid is rounded against us, its rate informs."""
        row = FundingView("f1", PERPETUAL, "USDT", "0.0000000011", "0.0001", TS_MS)
        history, _ = read(Desk(ScriptedDialect(funding=[row])), lambda r: r.history(CURSOR))
        paid = FundingPaid(ACCOUNT, f"{VENUE}:{PERPETUAL}", 10_000, 1, "f1", TS_MS * NS_A_MS)
        assert [paid] == history.reports


class TestOpening:
    def test_balances_as_they_are(self) -> None:
        """The cursor is such that the first reading begins where this one did."""
        dialect = ScriptedDialect(
            balances=[BalanceView("USDT", "100"), BalanceView("DOGE", "7")],
            positions=[PositionView(PERPETUAL, "0")],
        )
        opening = read(Desk(dialect), lambda reader: reader.opening())
        assert (("USDT", 10_000_000_000),) == opening.balances
        assert (NOW_MS + OVERLAP_MS) * NS_A_MS == opening.cursor

    @pytest.mark.parametrize(
        ("part", "row"),
        [
            ("fills", fill_view(ts=NOW_MS)),
            ("transfers", TransferView("d1", "USDT", "5", NOW_MS)),
        ],
    )
    def test_once_nothing_happens(self, part: str, row: Any) -> None:
        """It is read again as long as there was something within the last second."""
        dialect = ScriptedDialect(balances=[BalanceView("USDT", "100")])
        dialect.after[part] = [[row], [row]]
        read(Desk(dialect), lambda reader: reader.opening())
        assert dialect.count("balances") == 3

    def test_what_happened_before_is_no_matter(self) -> None:
        """It is in the balances."""
        dialect = ScriptedDialect(fills=[fill_view(ts=NOW_MS - SETTLING_MS - 1)])
        read(Desk(dialect), lambda reader: reader.opening())
        assert dialect.count("balances") == 1

    def test_not_an_account_that_is_traded_on(self) -> None:
        """After so many tries."""
        dialect = ScriptedDialect(fills=[fill_view(ts=NOW_MS)])
        with pytest.raises(VenueError, match="being traded on; stop that first"):
            read(Desk(dialect), lambda reader: reader.opening())
        assert OPENING_TRIES == dialect.count("balances")

    def test_not_one_with_positions(self) -> None:
        """Nobody knows what they cost."""
        dialect = ScriptedDialect(positions=[PositionView(PERPETUAL, "0.1")])
        with pytest.raises(VenueError, match="open positions that no store knows"):
            read(Desk(dialect), lambda reader: reader.opening())


def test_a_name_is_learnt() -> None:
    """Afterwards the venue's id is enough."""
    desk = Desk(ScriptedDialect(find=order_view(OURS, venue_order_id="v7")))
    read(desk, lambda reader: reader.learn_name(fill_view("", venue_order_id="v7")))
    assert desk.ownership.name_of("v7") == OURS
