"""Bybit's wire protocol over a house and a feed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from zvt_trading.emulator import faults
from zvt_trading.emulator.bybit.account import Account
from zvt_trading.emulator.bybit.auth import check_time, signer
from zvt_trading.emulator.bybit.errors import BybitError
from zvt_trading.emulator.bybit.history import History
from zvt_trading.emulator.bybit.market import Market
from zvt_trading.emulator.bybit.shapes import (
    Row,
    fill_frame_row,
    order_frame_row,
    position_frame_row,
)
from zvt_trading.emulator.bybit.stream import PATHS, TRADE, Streams
from zvt_trading.emulator.bybit.symbols import LINEAR, Symbols
from zvt_trading.emulator.bybit.trading import Trading
from zvt_trading.emulator.feed import BookUpdate, Feed
from zvt_trading.emulator.house import House
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.emulator.limits import Budget
from zvt_trading.emulator.orders import Change
from zvt_trading.emulator.wire import Call, Headers, Json, Reply, Route, Session, Wire
from zvt_trading.messages.market import MarkPrice, QuoteTick, TradeTick
from zvt_trading.messages.reports import FundingPaid
from zvt_trading.sim.accounts import Seat

IP: Final = "ip"
PLACES: Final = "place"
CHANGES: Final = "amend"
CANCELS: Final = "cancel"
QUESTIONS: Final = "query"
BUDGETS: Final = {
    IP: (600, 5_000),
    PLACES: (10, 1_000),
    CHANGES: (10, 1_000),
    CANCELS: (10, 1_000),
    QUESTIONS: (50, 1_000),
}
"""(units, window in ms), https://bybit-exchange.github.io/docs/v5/rate-limit: 600 requests in five
seconds from an address; a user's orders by the limits of derivatives (spot has the double)."""

Asked = Callable[[ApiKey, Mapping[str, str]], Row]
Done = Callable[[str, dict[str, Any]], Row]


def make_wire(house: House, feed: Feed) -> Wire:
    """Bybit."""
    return BybitWire(house, feed)


class BybitWire(Wire):
    """See the package. `streams.restart_books()` is a fault of books that others have not."""

    hosts = ("api.bybit.com", "stream.bybit.com")

    def __init__(self, house: House, feed: Feed) -> None:
        super().__init__(house, feed)
        symbols = Symbols(house.instruments)
        self.history: Final = History(house, feed)
        self.trading: Final = Trading(house, symbols)
        self.market: Final = Market(feed, symbols, house.clock)
        self.account: Final = Account(house, symbols, self.history)
        self.streams: Final = Streams(house, feed, symbols, self.market, self.sessions)
        for name, (limit, window_ms) in BUDGETS.items():
            house.limits.budgets[name] = Budget(limit, window_ms)
        self._failures = 0
        self._limit = IP  # the budget that the answer under way tells about

    # REST.

    def routes(self) -> Sequence[Route]:
        """All endpoints."""
        return [*self._public_routes(), *self._question_routes(), *self._order_routes()]

    def sockets(self) -> Sequence[str]:
        """Public by category, private, and order entry."""
        return PATHS

    def limited(self, wait_ms: int, *, is_banned: bool) -> Reply:
        """A user's limit is an answer like others; an address that goes on is shut out."""
        if is_banned:
            return Reply("403, access too frequent", 403)
        body = self._envelope({}, 10006, "Too many visits!")
        reset = str(self.house.clock.now_ms() + wait_ms)
        return Reply(body, headers=self._limit_headers(reset) | {"X-Bapi-Limit-Status": "0"})

    def unavailable(self) -> Reply:
        """In turn HTTP 503 and, by HTTP 200, codes that look like refusals and prove nothing."""
        self._failures += 1
        if self._failures % 3 == 1:
            return Reply("Service Unavailable", 503)
        code, text = (
            (10016, "Server error") if self._failures % 3 == 2 else (10000, "Server Timeout")
        )
        return Reply(self._envelope({}, code, text))

    def answer_headers(self) -> Headers:
        """How much of the user's limit for this endpoint is left."""
        return self._limit_headers(str(self.house.clock.now_ms()))

    def _limit_headers(self, reset: str) -> dict[str, str]:
        budget = self.house.limits.budgets[self._limit]
        return {
            "X-Bapi-Limit": str(budget.limit),
            "X-Bapi-Limit-Status": str(max(0, budget.limit - budget.used)),
            "X-Bapi-Limit-Reset-Timestamp": reset,
        }

    def _public_routes(self) -> list[Route]:
        market = self.market
        answers: dict[str, Callable[[Mapping[str, str]], Row]] = {
            "/v5/market/time": market.time,
            "/v5/market/instruments-info": market.instruments,
            "/v5/market/tickers": market.tickers,
            "/v5/market/orderbook": market.book,
            "/v5/market/recent-trade": market.trades,
            "/v5/market/kline": market.candles,
            "/v5/market/funding/history": market.funding_rates,
        }
        routes = []
        for path, answer in answers.items():

            def handle(call: Call, answer: Callable[[Mapping[str, str]], Row] = answer) -> Json:
                self._limit = IP
                return self._answered(lambda: (answer(call.query), {}))

            routes.append(Route("GET", path, handle, faults.MARKET, {IP: 1}))
        return routes

    def _question_routes(self) -> list[Route]:
        account = self.account
        answers: dict[str, tuple[Asked, str]] = {
            "/v5/order/realtime": (account.realtime, faults.OPEN_ORDERS),
            "/v5/order/history": (account.order_history, faults.QUERY),
            "/v5/execution/list": (account.executions, faults.FILLS),
            "/v5/account/wallet-balance": (account.wallet, faults.BALANCE),
            "/v5/account/fee-rate": (account.fee_rates, faults.OTHER),
            "/v5/account/info": (account.info, faults.OTHER),
            "/v5/account/transaction-log": (account.log, faults.OTHER),
            "/v5/position/list": (account.positions, faults.POSITIONS),
            "/v5/asset/coin/query-info": (account.coins, faults.OTHER),
            "/v5/asset/deposit/query-record": (account.deposits, faults.OTHER),
            "/v5/asset/withdraw/query-record": (account.withdrawals, faults.OTHER),
            "/v5/user/query-api": (account.key_info, faults.OTHER),
        }
        routes = []
        for path, (ask, endpoint) in answers.items():

            def handle(call: Call, ask: Asked = ask) -> Json:
                self._limit = QUESTIONS
                return self._answered(
                    lambda: (ask(signer(self.house, call, trades=False), call.query), {})
                )

            routes.append(Route("GET", path, handle, endpoint, {IP: 1, QUESTIONS: 1}))
        return routes

    def _order_routes(self) -> list[Route]:
        trading = self.trading
        single: tuple[tuple[str, Done, str, str], ...] = (
            ("create", trading.create, faults.PLACE, PLACES),
            ("amend", trading.amend, faults.AMEND, CHANGES),
            ("cancel", trading.cancel, faults.CANCEL, CANCELS),
        )
        routes = [
            self._post("/v5/order/cancel-all", trading.cancel_all, faults.CANCEL, CANCELS),
            Route(
                "POST",
                "/v5/position/set-leverage",
                lambda call: self._answered(
                    lambda: (
                        self.account.set_leverage(
                            signer(self.house, call, trades=True), call.json()
                        ),
                        {},
                    )
                ),
                faults.OTHER,
                {IP: 1, CHANGES: 1},
            ),
        ]
        for name, do, endpoint, budget in single:
            routes.append(self._post(f"/v5/order/{name}", do, endpoint, budget))
            routes.append(self._post_batch(f"/v5/order/{name}-batch", do, endpoint, budget))
        return routes

    def _post(self, path: str, do: Done, endpoint: str, budget: str) -> Route:
        def handle(call: Call) -> Json:
            self._limit = budget
            return self._answered(
                lambda: (do(signer(self.house, call, trades=True).account, call.json()), {})
            )

        return Route("POST", path, handle, endpoint, {IP: 1, budget: 1})

    def _post_batch(self, path: str, do: Done, endpoint: str, budget: str) -> Route:
        def handle(call: Call) -> Json:
            self._limit = budget
            return self._answered(
                lambda: self.trading.batch(
                    signer(self.house, call, trades=True).account, call.json(), do
                )
            )

        return Route("POST", path, handle, endpoint, {IP: 1, budget: 1})

    def _answered(self, answer: Callable[[], tuple[Row, Row]]) -> Json:
        try:
            result, extra = answer()
        except BybitError as error:
            return self._envelope({}, error.code, error.text)
        return self._envelope(result, 0, "OK", extra)

    def _envelope(self, result: Row, code: int, text: str, extra: Row | None = None) -> Row:
        return {
            "retCode": code,
            "retMsg": text,
            "result": result,
            "retExtInfo": extra or {},
            "time": self.house.clock.now_ms(),
        }

    # WebSockets.

    async def received(self, session: Session, text: str) -> None:
        """A message of a client."""
        try:
            message = msgspec.json.decode(text)
        except msgspec.DecodeError:
            message = None
        if not isinstance(message, dict):
            session.say({"success": False, "ret_msg": "error:invalid json", "op": ""})
        elif session.path == TRADE and str(message.get("op", "")).startswith("order."):
            session.say(self._entered(session, message))
        else:
            self.streams.received(session, message)

    def _entered(self, session: Session, message: Row) -> Row:
        """An order, change or cancel by WebSocket."""
        self._limit = {"order.create": PLACES, "order.amend": CHANGES}.get(message["op"], CANCELS)
        answer: Row = {"reqId": message.get("reqId", ""), "retCode": 0, "retMsg": "OK"}
        data: Row = {}
        try:
            data = self._enter(session, message)
        except BybitError as error:
            answer |= {"retCode": error.code, "retMsg": error.text}
        now = str(self.house.clock.now_ms())
        headers = {**self._limit_headers(now), "Traceid": "emulator", "Timenow": now}
        return {
            **answer,
            "op": message["op"],
            "data": data,
            "retExtInfo": {},
            "header": headers,
            "connId": "emulator",
        }

    def _enter(self, session: Session, message: Row) -> Row:
        key = session.topics.get("key")
        if not isinstance(key, ApiKey):
            raise BybitError(10003, "Request not authorized")
        if not key.can_trade:
            raise BybitError(10005, "Permission denied, please check your API key permissions.")
        if self.house.limits.take({self._limit: 1}):
            raise BybitError(10006, "Too many visits!")
        header = message.get("header")
        header = header if isinstance(header, dict) else {}
        window = str(header.get("X-BAPI-RECV-WINDOW", "5000"))
        check_time(self.house, str(header.get("X-BAPI-TIMESTAMP", "")), window)
        args = message.get("args")
        if not isinstance(args, list) or len(args) != 1 or not isinstance(args[0], dict):
            raise BybitError(10001, "args must be a list of one object")
        dones: dict[str, Done] = {
            "order.create": self.trading.create,
            "order.amend": self.trading.amend,
            "order.cancel": self.trading.cancel,
        }
        do = dones.get(message["op"])
        if do is None:
            raise BybitError(10404, "op type is not found")
        return do(key.account, args[0])

    # What happens.

    def order_changed(self, change: Change) -> None:
        """An execution first, then the order as it is after it."""
        order = change.order
        if change.fill is not None:
            execution = self.history.filled(change, change.fill)
            row = fill_frame_row(execution.row, execution.category)
            self.streams.private(order.account, "execution", [row])
        self.streams.private(order.account, "order", [order_frame_row(order)])

    def balances_changed(self, account: str, assets: tuple[str, ...], ts: int) -> None:
        """The wallet."""
        del ts
        self.history.balance_changed()
        self.streams.wallet(account, assets)

    def position_changed(self, seat: Seat, ts: int) -> None:
        """A position."""
        self.streams.private(seat.account.name, "position", [position_frame_row(seat, ts)])

    def funding_paid(self, report: FundingPaid) -> None:
        """Bybit tells it as an execution."""
        execution = self.history.funded(report)
        row = fill_frame_row(execution.row, LINEAR)
        self.streams.private(report.portfolio, "execution", [row])

    def book_changed(self, update: BookUpdate) -> None:
        """The books of its symbol."""
        self.streams.book(update)

    def traded(self, symbol: str, trade: TradeTick) -> None:
        """A public trade."""
        self.streams.trade(symbol, trade)

    def quoted(self, symbol: str, quote: QuoteTick) -> None:
        """Best prices are in the tickers of derivatives."""
        del quote
        if not self.feed.symbols[symbol].instrument.is_spot:
            self.streams.ticker(symbol)

    def marked(self, symbol: str, mark: MarkPrice) -> None:
        """As `quoted`."""
        del mark
        self.streams.ticker(symbol)
