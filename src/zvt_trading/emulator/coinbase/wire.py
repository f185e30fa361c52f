"""The wire protocol of Coinbase Advanced Trade over a house: routes, limits, streams."""

from collections.abc import Callable, Sequence
from typing import Final

from zvt_trading.emulator import faults
from zvt_trading.emulator.coinbase.auth import Authority
from zvt_trading.emulator.coinbase.errors import problem
from zvt_trading.emulator.coinbase.market import Shape
from zvt_trading.emulator.coinbase.public import PublicRest
from zvt_trading.emulator.coinbase.stream import Streams
from zvt_trading.emulator.coinbase.trading import TradingRest
from zvt_trading.emulator.coinbase.wallets import WalletRest
from zvt_trading.emulator.feed import BookUpdate, Feed
from zvt_trading.emulator.house import House
from zvt_trading.emulator.limits import Budget
from zvt_trading.emulator.orders import Change
from zvt_trading.emulator.wire import Call, Handler, Headers, Reply, Route, Session, Wire
from zvt_trading.messages.market import TradeTick

V3: Final = "/api/v3/brokerage"
PRIVATE: Final = "private"
PUBLIC: Final = "public"
PRIVATE_PER_SECOND: Final = 30
PUBLIC_PER_SECOND: Final = 10
"""https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/rest-api#rate-limiting"""
_SECOND_MS: Final = 1_000

Private = Callable[[str, Call], Shape]


def make_wire(house: House, feed: Feed) -> Wire:
    """The wire of an emulated Coinbase."""
    return CoinbaseWire(house, feed)


class CoinbaseWire(Wire):
    """See the module."""

    hosts = (
        "api.coinbase.com",
        "advanced-trade-ws.coinbase.com",
        "advanced-trade-ws-user.coinbase.com",
    )

    def __init__(self, house: House, feed: Feed) -> None:
        super().__init__(house, feed)
        house.limits.budgets[PRIVATE] = Budget(PRIVATE_PER_SECOND, _SECOND_MS)
        house.limits.budgets[PUBLIC] = Budget(PUBLIC_PER_SECOND, _SECOND_MS)
        self._authority: Final = Authority(house)
        self._streams: Final = Streams(house, feed, self._authority, self.sessions)
        self._trading: Final = TradingRest(house, feed)
        self._wallets: Final = WalletRest(house)
        self._public: Final = PublicRest(house, feed)

    def routes(self) -> Sequence[Route]:
        """All REST endpoints; unknown ones are aiohttp's 404."""
        return (*self._trading_routes(), *self._wallet_routes(), *self._market_routes())

    def sockets(self) -> Sequence[str]:
        """One path; the host says nothing but what it is meant for."""
        return ("/",)

    async def received(self, session: Session, text: str) -> None:
        """See Wire."""
        self._streams.received(session, text)

    def limited(self, wait_ms: int, *, is_banned: bool) -> Reply:
        """429; Coinbase has no other word for a ban."""
        del is_banned
        reply = problem(429, "rate_limit_exceeded", "Too many requests")
        seconds = -(-wait_ms // _SECOND_MS)
        return Reply(reply.body, reply.status, {"Retry-After": str(seconds)})

    def unavailable(self) -> Reply:
        """A 500 with JSON, which ccxt takes for a refusal though the order may be there."""
        return problem(500, "INTERNAL", "Internal server error")

    def answer_headers(self) -> Headers:
        """How much of the budget for private requests is left."""
        budget = self.house.limits.budgets[PRIVATE]
        wait_ms = budget.wait_ms(self.house.clock.now_ms())
        return {
            "x-ratelimit-limit": str(budget.limit),
            "x-ratelimit-remaining": str(max(0, budget.limit - budget.used)),
            "x-ratelimit-reset": str(-(-wait_ms // _SECOND_MS)),
        }

    def order_changed(self, change: Change) -> None:
        """See house.Listener."""
        self._streams.order_changed(change)

    def book_changed(self, update: BookUpdate) -> None:
        """See feed.PublicListener."""
        self._streams.book_changed(update)

    def traded(self, symbol: str, trade: TradeTick) -> None:
        """See feed.PublicListener."""
        self._streams.traded(symbol, trade)

    # Routes.

    def _trading_routes(self) -> Sequence[Route]:
        trading = self._trading
        history = f"{V3}/orders/historical"
        return (
            self._private("POST", f"{V3}/orders", trading.create, faults.PLACE, trades=True),
            self._private(
                "POST", f"{V3}/orders/batch_cancel", trading.cancel, faults.CANCEL, trades=True
            ),
            self._private("POST", f"{V3}/orders/edit", trading.edit, faults.AMEND, trades=True),
            self._private("POST", f"{V3}/orders/preview", trading.preview, trades=True),
            self._private("GET", f"{history}/batch", trading.orders, faults.OPEN_ORDERS),
            self._private("GET", f"{history}/fills", trading.fills, faults.FILLS),
            self._private("GET", f"{history}/{{order_id}}", trading.order, faults.QUERY),
        )

    def _wallet_routes(self) -> Sequence[Route]:
        wallets = self._wallets
        old = "/v2/accounts"
        one = f"{old}/{{account_id}}"

        def permissions(call: Call) -> Shape:
            return wallets.permissions(self._authority.caller(call, trades=False), call)

        path = f"{V3}/key_permissions"
        return (
            self._private("GET", f"{V3}/accounts", wallets.accounts, faults.BALANCE),
            self._private("GET", f"{V3}/accounts/{{account_id}}", wallets.one, faults.BALANCE),
            self._private("GET", f"{V3}/transaction_summary", wallets.fees),
            self._private("GET", f"{V3}/portfolios", wallets.portfolios),
            Route("GET", path, permissions, costs={PRIVATE: 1}),
            self._private("GET", old, wallets.old_accounts, faults.BALANCE),
            self._private("GET", f"{one}/transactions", wallets.transactions),
            self._private("GET", f"{one}/deposits", wallets.no_transactions),
            self._private("GET", f"{one}/withdrawals", wallets.no_transactions),
        )

    def _market_routes(self) -> Sequence[Route]:
        """Public ones, and the same again for those who send a key."""
        public = self._public
        routes = [
            _open("/v2/time", public.old_time),
            _open("/v2/currencies", public.fiat),
            _open("/v2/currencies/crypto", public.crypto),
            _open("/v2/exchange-rates", public.rates),
            _open(f"{V3}/time", public.time),
            self._private("GET", f"{V3}/best_bid_ask", _keyed(public.best), faults.MARKET),
        ]
        product = "products/{product_id}"
        for path, handler in (
            ("products", public.products),
            (product, public.product),
            ("product_book", public.book),
            (f"{product}/ticker", public.trades),
            (f"{product}/candles", public.candles),
        ):
            routes.append(_open(f"{V3}/market/{path}", handler, faults.MARKET))
            routes.append(self._private("GET", f"{V3}/{path}", _keyed(handler), faults.MARKET))
        return routes

    def _private(
        self,
        method: str,
        path: str,
        handler: Private,
        endpoint: str = faults.OTHER,
        *,
        trades: bool = False,
    ) -> Route:
        def signed(call: Call) -> Shape:
            key = self._authority.caller(call, trades=trades)
            return handler(key.account, call)

        return Route(method, path, signed, endpoint, {PRIVATE: 1})


def _open(path: str, handler: Handler, endpoint: str = faults.OTHER) -> Route:
    return Route("GET", path, handler, endpoint, {PUBLIC: 1})


def _keyed(handler: Callable[[Call], Shape]) -> Private:
    def answer(_account: str, call: Call) -> Shape:
        return handler(call)

    return answer
