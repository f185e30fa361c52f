"""Questions to a venue: one order, or all that happened since a cursor and how it stands now.

QueryFailedError when any part was not answered: a failed query is not an empty answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from zvt_trading.adapters.ccxt.budget import QUERY, Budget
from zvt_trading.adapters.ccxt.dialect import Dialect
from zvt_trading.adapters.ccxt.outcomes import told
from zvt_trading.adapters.ccxt.ownership import Ownership
from zvt_trading.adapters.ccxt.translate import NS_A_MS, Translator
from zvt_trading.adapters.ccxt.views import FillView, OrderView
from zvt_trading.core.reconcile import CashRow, OpenRow, PositionRow, Statement
from zvt_trading.core.units import UnitError
from zvt_trading.errors import VenueError
from zvt_trading.messages.codes import SPOT
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import CashMoved, FundingPaid, Report
from zvt_trading.ports.venue import Opening, OrderRef, Owner, QueryFailedError
from zvt_trading.sim.venue_api import Answer, History

OVERLAP_MS: Final = 60_000
"""How far before the cursor is read again: venues list fills late and out of order."""

SETTLING_MS: Final = 1_000
"""A new engine takes over balances that nothing has changed for so long."""
OPENING_TRIES: Final = 10

RETRY_SECONDS: Final = (0.1, 0.4)
"""Pauses before a question is asked once more."""

_log = structlog.get_logger("zvt_trading.venue")

T = TypeVar("T")


class Reader:
    """For one account."""

    def __init__(
        self,
        exchange: Any,
        dialect: Dialect,
        budget: Budget,
        translator: Translator,
        ownership: Ownership,
        account: str,
        venue_ms: Callable[[], int],
    ) -> None:
        self._exchange: Final = exchange
        self._dialect: Final = dialect
        self._budget: Final = budget
        self._translator: Final = translator
        self._ownership: Final = ownership
        self._account: Final = account
        self._venue_ms: Final = venue_ms
        self._symbols: Final = tuple(translator.specs)
        self._perpetuals: Final = tuple(
            symbol for symbol, spec in translator.specs.items() if spec.kind != SPOT
        )

    async def ask(self, ref: OrderRef) -> Answer:
        """One order; an answer without reports when the venue says that it has it not."""
        answer = Answer()
        symbol = self._translator.symbol(ref.instrument)
        view = await self._query(
            lambda: self._dialect.find(self._exchange, symbol, ref.order_id, ref.venue_order_id)
        )
        if view is None:
            return answer
        fills: list[FillView] = []
        if view.filled.strip("0.") or not view.filled:
            fills = await self._query(lambda: self._dialect.fills_of(self._exchange, view))
        try:
            answer.reports.extend(self._ownership.of_order(view))
            for fill in fills:
                answer.reports.extend(self._ownership.of_fill(fill))
            if view.price:
                answer.price = self._translator.price(symbol, view.price)
            if view.quantity:
                answer.quantity = self._translator.quantity(symbol, view.quantity)
        except UnitError as error:
            raise QueryFailedError(f"{ref.order_id}: {error}") from error
        return answer

    async def history(self, cursor: int) -> tuple[History, list[FillView]]:
        """What happened since, and how all stands; and its fills of orders of ours."""
        began_ms = self._venue_ms()
        since_ms = max(SETTLING_MS, cursor // NS_A_MS - OVERLAP_MS)
        exchange, dialect = self._exchange, self._dialect
        orders = await self._query(lambda: dialect.open_orders(exchange, self._symbols))
        fills = await self._query(lambda: dialect.fills(exchange, self._symbols, since_ms))
        await self._name_all([*orders, *fills])
        history = History(max(cursor, began_ms * NS_A_MS), Statement(has_exact_costs=False))
        try:
            for fill in fills:
                if fill.ts * NS_A_MS >= self._first(cursor):
                    history.reports.extend(self._ownership.of_fill(fill, is_told=False))
            for order in orders:
                self._take_open(order, history)
            history.reports.extend(await self._account_rows(since_ms, cursor))
            await self._take_totals(history.statement)
        except UnitError as error:
            raise QueryFailedError(str(error)) from error
        return history, fills

    async def opening(self) -> Opening:
        """The balances as they are, with nothing happening meanwhile."""
        for _ in range(OPENING_TRIES):
            began_ms = self._venue_ms()
            statement = Statement(has_exact_costs=False)
            await self._take_totals(statement)
            if any(row.quantity for row in statement.positions):
                raise VenueError(
                    f"{self._translator.venue} has open positions that no store knows: begin with "
                    "the store that knows them, or close them"
                )
            if not await self._anything_since(began_ms - SETTLING_MS):
                # So that the first reading begins where this one did, and no earlier.
                cursor = (began_ms + OVERLAP_MS) * NS_A_MS
                balances = tuple((row.asset, row.total) for row in statement.cash)
                return Opening(balances, cursor)
            await asyncio.sleep(SETTLING_MS / 1000)
        raise VenueError(
            f"{self._translator.venue}: the account is being traded on; stop that first"
        )

    async def learn_name(self, view: OrderView | FillView) -> None:
        """Learn the client order id of something of which the venue told only its own."""
        await self._name_all([view])

    async def _anything_since(self, since_ms: int) -> bool:
        """Whether the account was traded on, or money came or went."""
        exchange, dialect = self._exchange, self._dialect
        fills = await self._query(lambda: dialect.fills(exchange, self._symbols, since_ms))
        moves = await self._query(lambda: dialect.transfers(exchange, since_ms))
        times = [fill.ts for fill in fills] + [move.ts for move in moves]
        return any(ts >= since_ms for ts in times)

    def _first(self, cursor: int) -> int:
        return cursor - OVERLAP_MS * NS_A_MS

    async def _name_all(self, views: Sequence[OrderView | FillView]) -> None:
        """Ask for the client ids that are not known."""
        asked: set[str] = set()
        for view in views:
            if self._ownership.client_id(view) or view.venue_order_id in asked:
                continue
            asked.add(view.venue_order_id)
            found = await self._query(
                partial(self._dialect.find, self._exchange, view.symbol, "", view.venue_order_id)
            )
            if found is not None:
                self._ownership.client_id(found)

    def _take_open(self, view: OrderView, history: History) -> None:
        history.reports.extend(self._ownership.of_order(view))
        client_id = self._ownership.client_id(view)
        if self._ownership.owner(client_id) is Owner.OURS:
            symbol = view.symbol
            history.statement.orders.append(
                OpenRow(
                    client_id,
                    self._translator.price(symbol, view.price),
                    self._translator.quantity(symbol, view.quantity),
                    self._translator.quantity(symbol, view.filled or "0"),
                )
            )

    async def _account_rows(self, since_ms: int, cursor: int) -> list[Report]:
        """Money that moved without an order.

        Some are dated by the whole second (withdrawals of Binance), so what is dated shortly before
        the cursor counts: a new engine begins after a second without any.
        """
        reports: list[Report] = []
        translator = self._translator
        dated_ms = self._first(cursor) // NS_A_MS - SETTLING_MS
        moves = await self._query(
            lambda: self._dialect.transfers(self._exchange, since_ms - SETTLING_MS)
        )
        for move in moves:
            if not translator.knows_asset(move.asset) or move.ts < dated_ms:
                continue
            amount = translator.money(move.asset, move.amount)
            cause = Reason.EXTERNAL_DEPOSIT if amount > 0 else Reason.EXTERNAL_WITHDRAWAL
            reports.append(
                CashMoved(
                    self._account, translator.venue, move.asset, amount, int(cause), move.id,
                    "moved at the venue", move.ts * NS_A_MS,
                )
            )  # fmt: skip
        if self._perpetuals:
            reports.extend(await self._funding(since_ms))
        return reports

    async def _funding(self, since_ms: int) -> list[Report]:
        rows = await self._query(
            lambda: self._dialect.funding(self._exchange, self._perpetuals, since_ms)
        )
        translator = self._translator
        return [
            FundingPaid(
                self._account,
                f"{translator.venue}:{row.symbol}",
                translator.rate(row.rate),
                translator.fee(row.asset, row.amount),
                row.id,
                row.ts * NS_A_MS,
            )
            for row in rows
        ]

    async def _take_totals(self, statement: Statement) -> None:
        translator = self._translator
        for balance in await self._query(lambda: self._dialect.balances(self._exchange)):
            if translator.knows_asset(balance.asset):
                total = translator.money(balance.asset, balance.total)
                statement.cash.append(CashRow(self._account, balance.asset, total))
        if not self._perpetuals:
            return
        for position in await self._query(
            lambda: self._dialect.positions(self._exchange, self._perpetuals)
        ):
            quantity = translator.quantity(position.symbol, position.quantity)
            instrument = f"{translator.venue}:{position.symbol}"
            statement.positions.append(PositionRow(self._account, instrument, quantity, 0))

    async def _query(self, question: Callable[[], Awaitable[T]]) -> T:
        """Ask within the budget, a few times; QueryFailedError for whatever goes wrong then.

        To ask changes nothing, and a reading of many questions must not fail for one lost answer.
        """
        for pause in RETRY_SECONDS:
            try:
                return await self._query_once(question)
            except QueryFailedError as error:
                _log.debug("asked again", why=str(error))
            await asyncio.sleep(pause)
        return await self._query_once(question)

    async def _query_once(self, question: Callable[[], Awaitable[T]]) -> T:
        try:
            await self._budget.enter(QUERY)
            return await question()
        except Exception as error:
            raise QueryFailedError(f"{self._translator.venue}: {told(error)}") from error
