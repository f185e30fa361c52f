"""OKX's wire protocol over a house: which endpoint is answered by what, and who may ask it."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from zvt_trading.emulator import faults
from zvt_trading.emulator.feed import BookUpdate, Feed
from zvt_trading.emulator.house import House
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.emulator.limits import Budget
from zvt_trading.emulator.okx import errors, stream
from zvt_trading.emulator.okx.account import Account, Books
from zvt_trading.emulator.okx.auth import signed_by
from zvt_trading.emulator.okx.names import Fields, Listings
from zvt_trading.emulator.okx.orders import Desk, many, one
from zvt_trading.emulator.okx.public import Public
from zvt_trading.emulator.orders import AMENDED, Change
from zvt_trading.emulator.wire import Call, Handler, Json, Reply, Route, Session, Wire
from zvt_trading.messages.market import MarkPrice, QuoteTick, TradeTick
from zvt_trading.messages.reports import FundingPaid
from zvt_trading.sim.accounts import Seat

ROOT: Final = "/api/v5/"
BATCH_LIMIT: Final = 300
"""Orders in two seconds by one of the batch endpoints."""
SUB_ACCOUNT: Final = "sub-account"
SUB_ACCOUNT_LIMIT: Final = 1_000
"""Orders, new and amended, in two seconds: 50061 beyond."""
_Place = Callable[[str, list[Fields]], Fields]
_Ask = Callable[[ApiKey, Call], Fields]


def make_wire(house: House, feed: Feed) -> Wire:
    """OKX over a house and its market data."""
    return OkxWire(house, feed)


class OkxWire(Wire):
    """See the module."""

    hosts = ("www.okx.com", "ws.okx.com", "wspap.okx.com", "okx.com")

    def __init__(self, house: House, feed: Feed) -> None:
        super().__init__(house, feed)
        house.limits.budgets[SUB_ACCOUNT] = Budget(SUB_ACCOUNT_LIMIT, 2_000)
        listings = Listings(house.instruments)
        self._books: Final = Books()
        self._desk: Final = Desk(house, listings)
        self._public: Final = Public(house, feed, listings)
        self._account: Final = Account(house, listings, self._desk, self._books)
        self._stream: Final = stream.Stream(
            self.sessions, listings, self._desk, self._account, self._public
        )

    # REST.

    def routes(self) -> Sequence[Route]:
        """All endpoints, each with its own limit (PROTOCOLS of OKX: per endpoint and user)."""
        return [*self._public_routes(), *self._account_routes(), *self._trade_routes()]

    def _public_routes(self) -> list[Route]:
        ask = self._public
        return [
            self._get("public/time", ask.time, 10),
            self._get("public/instruments", ask.instruments, 20),
            self._get("public/mark-price", ask.mark_price, 10),
            self._get("public/funding-rate", ask.funding_rate, 10),
            self._get("public/funding-rate-history", ask.funding_rate_history, 10),
            self._get("market/ticker", ask.ticker, 20),
            self._get("market/tickers", ask.tickers, 20),
            self._get("market/books", ask.books, 40),
            self._get("market/candles", ask.candles, 40),
            self._get("market/history-candles", ask.candles, 20),
            self._get("market/trades", ask.trades, 100),
            self._get("market/history-trades", ask.history_trades, 20),
        ]

    def _account_routes(self) -> list[Route]:
        ask = self._account
        signed = self._signed
        return [
            self._get("account/balance", signed(ask.balance), 10, faults.BALANCE),
            self._get("account/positions", signed(ask.positions), 10, faults.POSITIONS),
            self._get("account/config", signed(ask.config), 5, faults.OTHER),
            self._get("account/trade-fee", signed(ask.trade_fee), 5, faults.OTHER),
            self._get("account/leverage-info", signed(ask.leverage), 20, faults.OTHER),
            self._get("account/bills", signed(ask.bills), 10, faults.OTHER),
            self._get("account/bills-archive", signed(ask.bills), 5, faults.OTHER),
            self._get("asset/currencies", signed(ask.currencies), 12, faults.OTHER),
            self._get("asset/deposit-history", signed(ask.deposits), 12, faults.OTHER),
            self._get("asset/withdrawal-history", signed(ask.withdrawals), 12, faults.OTHER),
            self._route(
                "POST", "account/set-leverage", self._trading(ask.set_leverage), faults.OTHER, 20
            ),
        ]

    def _trade_routes(self) -> list[Route]:
        ask, desk, signed = self._account, self._desk, self._signed
        open_orders = signed(ask.open_orders)
        old_orders = signed(ask.old_orders)
        return [
            self._get("trade/order", signed(ask.order), 60, faults.QUERY),
            self._get("trade/orders-pending", open_orders, 60, faults.OPEN_ORDERS),
            self._get("trade/orders-history", old_orders, 40, faults.QUERY),
            self._get("trade/orders-history-archive", old_orders, 20, faults.QUERY),
            self._get("trade/orders-algo-pending", signed(_nothing), 20, faults.OPEN_ORDERS),
            self._get("trade/fills", signed(ask.fills), 60, faults.FILLS),
            self._get("trade/fills-history", signed(ask.old_fills), 10, faults.FILLS),
            self._post("trade/order", desk.place, faults.PLACE, 60),
            self._batch("trade/batch-orders", desk.place, faults.PLACE),
            self._post("trade/cancel-order", desk.cancel, faults.CANCEL, 60),
            self._batch("trade/cancel-batch-orders", desk.cancel, faults.CANCEL),
            self._post("trade/amend-order", desk.amend, faults.AMEND, 60),
            self._batch("trade/amend-batch-orders", desk.amend, faults.AMEND),
        ]

    def limited(self, wait_ms: int, *, is_banned: bool) -> Reply:
        """OKX has no bans and says not how long to wait; its windows are two seconds."""
        del wait_ms, is_banned
        return errors.failure(errors.TOO_MANY, 429)

    def unavailable(self) -> Reply:
        """System busy: nothing is said about the order."""
        return errors.failure(errors.BUSY, 503)

    def _get(self, path: str, handler: Handler, limit: int, endpoint: str = faults.MARKET) -> Route:
        return self._route("GET", path, handler, endpoint, limit)

    def _post(self, path: str, act: _Place, endpoint: str, limit: int) -> Route:
        def handle(key: ApiKey, call: Call) -> Fields:
            orders = one(call.json())
            self._spend(endpoint, "", len(orders))
            return act(key.account, orders)

        return self._route("POST", path, self._trading(handle), endpoint, limit)

    def _batch(self, path: str, act: _Place, endpoint: str) -> Route:
        def handle(key: ApiKey, call: Call) -> Fields:
            orders = many(_decoded(call))
            self._spend(endpoint, f"POST {path}", len(orders))
            return act(key.account, orders)

        return self._route("POST", path, self._trading(handle), endpoint, BATCH_LIMIT)

    def _spend(self, endpoint: str, budget: str, orders: int) -> None:
        """A batch counts by its orders; new and amended ones of all endpoints count together."""
        budgets, now_ms = self.house.limits.budgets, self.house.clock.now_ms()
        if budget and not budgets[budget].take(orders - 1, now_ms):
            raise errors.failure(errors.TOO_MANY, 429)
        is_counted = endpoint in {faults.PLACE, faults.AMEND}
        if is_counted and not budgets[SUB_ACCOUNT].take(orders, now_ms):
            raise errors.failure(errors.TOO_MANY_ORDERS)

    def _route(self, method: str, path: str, handler: Handler, endpoint: str, limit: int) -> Route:
        """`limit` requests in two seconds."""
        budget = f"{method} {path}"
        self.house.limits.budgets.setdefault(budget, Budget(limit, 2_000))
        return Route(method, ROOT + path, handler, endpoint, {budget: 1})

    def _signed(self, ask: _Ask) -> Handler:
        def handle(call: Call) -> Json:
            return ask(signed_by(self.house, call), call)

        return handle

    def _trading(self, ask: _Ask) -> Handler:
        """Signed by a key that may trade."""

        def handle(call: Call) -> Json:
            key = signed_by(self.house, call)
            if not key.can_trade:
                raise errors.unauthorized(errors.NOT_ALLOWED)
            return ask(key, call)

        return handle

    # Streams.

    def sockets(self) -> Sequence[str]:
        """Where streams are."""
        return (stream.PUBLIC, stream.PRIVATE, stream.BUSINESS)

    async def received(self, session: Session, text: str) -> None:
        """A text frame came."""
        self._stream.received(session, text)

    def order_changed(self, change: Change) -> None:
        """An order of any account."""
        self._books.take(change)
        is_amend = change.kind == AMENDED
        self._stream.order_changed(change, self._desk.request_id if is_amend else None)

    def balances_changed(self, account: str, assets: tuple[str, ...], ts: int) -> None:
        """Money of an account."""
        del ts
        self._stream.balances_changed(account, assets)

    def position_changed(self, seat: Seat, ts: int) -> None:
        """A position of an account."""
        del ts
        self._stream.position_changed(seat.account.name, self._account.position_of(seat))

    def funding_paid(self, report: FundingPaid) -> None:
        """Funding of a position."""
        self._books.take_funding(report)

    def book_changed(self, update: BookUpdate) -> None:
        """Levels changed."""
        self._stream.book_changed(update)

    def traded(self, symbol: str, trade: TradeTick) -> None:
        """A public trade."""
        self._stream.traded(symbol, trade)

    def quoted(self, symbol: str, quote: QuoteTick) -> None:
        """The best prices changed."""
        self._stream.quoted(symbol, quote)

    def marked(self, symbol: str, mark: MarkPrice) -> None:
        """The mark price of a perpetual."""
        self._stream.marked(symbol, mark)


def _nothing(_key: ApiKey, _call: Call) -> Fields:
    """No algo orders are held here."""
    return errors.answer([])


def _decoded(call: Call) -> object:
    try:
        return msgspec.json.decode(call.body)
    except msgspec.DecodeError:
        return None
