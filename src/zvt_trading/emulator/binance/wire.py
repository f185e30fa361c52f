"""Binance's wire protocol over a house: REST, market streams, user data, ws-api."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from zvt_trading.emulator.binance.asked import SIGNED, Asked, Door, Endpoint
from zvt_trading.emulator.binance.desk import Desk
from zvt_trading.emulator.binance.errors import error
from zvt_trading.emulator.binance.futures import Futures
from zvt_trading.emulator.binance.listing import LINEAR_LIMITS, SPOT_LIMITS
from zvt_trading.emulator.binance.market import Market
from zvt_trading.emulator.binance.positions import Positions
from zvt_trading.emulator.binance.spot import Spot
from zvt_trading.emulator.binance.stream import TICKER, USER, Streams
from zvt_trading.emulator.feed import BookUpdate, Feed
from zvt_trading.emulator.house import House
from zvt_trading.emulator.limits import Budget
from zvt_trading.emulator.orders import Change
from zvt_trading.emulator.wire import Call, Headers, Json, Reply, Route, Session, Wire
from zvt_trading.messages.market import MarkPrice, QuoteTick, TradeTick
from zvt_trading.messages.reports import FundingPaid
from zvt_trading.sim.accounts import Seat

HOSTS: Final = (
    "api.binance.com",
    "api1.binance.com",
    "fapi.binance.com",
    "dapi.binance.com",
    "stream.binance.com",
    "fstream.binance.com",
    "ws-api.binance.com",
    "ws-fapi.binance.com",
)
_KINDS: Final = ("", "/public", "/market", "/private")  # which streams a futures socket carries
_SOCKETS: Final = (
    *(f"{kind}{end}" for kind in _KINDS for end in ("/ws", "/ws/{stream}", "/stream")),
    # The futures without a host name of their own, on the plain port.
    *(f"/fstream{kind}{end}" for kind in _KINDS for end in ("/ws", "/ws/{stream}", "/stream")),
    "/ws-api/v3",
    "/ws-fapi/v1",
)
_API_SPOT: Final = {
    "ping": "GET /api/v3/ping",
    "time": "GET /api/v3/time",
    "exchangeInfo": "GET /api/v3/exchangeInfo",
    "depth": "GET /api/v3/depth",
    "order.place": "POST /api/v3/order",
    "order.test": "POST /api/v3/order/test",
    "order.status": "GET /api/v3/order",
    "order.cancel": "DELETE /api/v3/order",
    "order.cancelReplace": "POST /api/v3/order/cancelReplace",
    "order.amend.keepPriority": "PUT /api/v3/order/amend/keepPriority",
    "openOrders.status": "GET /api/v3/openOrders",
    "openOrders.cancelAll": "DELETE /api/v3/openOrders",
    "allOrders": "GET /api/v3/allOrders",
    "myTrades": "GET /api/v3/myTrades",
    "account.status": "GET /api/v3/account",
}
_API_LINEAR: Final = {
    "ping": "GET /fapi/v1/ping",
    "time": "GET /fapi/v1/time",
    "depth": "GET /fapi/v1/depth",
    "order.place": "POST /fapi/v1/order",
    "order.status": "GET /fapi/v1/order",
    "order.modify": "PUT /fapi/v1/order",
    "order.cancel": "DELETE /fapi/v1/order",
    "account.status": "GET /fapi/v2/account",
    "v2/account.status": "GET /fapi/v3/account",
    "account.balance": "GET /fapi/v2/balance",
    "v2/account.balance": "GET /fapi/v3/balance",
    "account.position": "GET /fapi/v2/positionRisk",
    "v2/account.position": "GET /fapi/v3/positionRisk",
}
_DECODER: Final = msgspec.json.Decoder(float_hook=str)  # a number is signed as it was sent
_SUBSCRIBE_USER: Final = "userDataStream.subscribe.signature"


class BinanceWire(Wire):
    """See the module."""

    hosts = HOSTS

    def __init__(self, house: House, feed: Feed) -> None:
        super().__init__(house, feed)
        spot, linear = Desk(house, is_spot=True), Desk(house, is_spot=False)
        self.futures: Final = Futures(linear)
        self.streams: Final = Streams(spot, linear, self.sessions)
        self._door: Final = Door(house)
        self._markets: Final = (Market(spot, feed), Market(linear, feed))
        parts = (*self._markets, Spot(spot), self.futures, Positions(linear))
        self._endpoints: Final = [one for part in parts for one in part.endpoints()]
        self._endpoints.append(Endpoint("GET", "/dapi/v1/exchangeInfo", _no_inverse))
        self._by_name: Final = {f"{one.method} {one.path}": one for one in self._endpoints}
        self._answered_linear = False
        for name, limit, window_ms in (*SPOT_LIMITS, *LINEAR_LIMITS):
            house.limits.budgets[name] = Budget(limit, window_ms)

    # REST.

    def routes(self) -> Sequence[Route]:
        """See Wire."""
        return [
            Route(one.method, one.path, self._handler(one), one.kind, _costs(one))
            for one in self._endpoints
        ]

    def _handler(self, endpoint: Endpoint) -> Callable[[Call], Json]:
        def answer(call: Call) -> Json:
            self._answered_linear = not endpoint.is_spot
            return endpoint.handler(self._door.enter(endpoint, call))

        return answer

    def limited(self, wait_ms: int, *, is_banned: bool) -> Reply:
        """429, and 418 for who did not listen; Retry-After in seconds."""
        retry = {"Retry-After": str(math.ceil(wait_ms / 1000))}
        if is_banned:
            until = self.house.clock.now_ms() + wait_ms
            text = (
                f"Way too much request weight used; IP banned until {until}. "
                "Please use WebSocket Streams for live updates to avoid bans."
            )
            return Reply({"code": -1003, "msg": text}, 418, retry)
        budgets = self.house.limits.budgets
        for name in ("orders", "orders_linear"):
            orders = budgets[name]
            if orders.used > orders.limit:
                text = f"Too many new orders; current limit is {orders.limit} orders per 10 SECOND."
                return Reply({"code": -1015, "msg": text}, 429, retry)
        text = (
            f"Too much request weight used; current limit is {budgets['weight'].limit} request "
            "weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling "
            "the API."
        )
        return Reply({"code": -1003, "msg": text}, 429, retry)

    def unavailable(self) -> Reply:
        """503: whether it was executed is not known."""
        return error(
            -1000, "Unknown error, please check your request or try again later.", status=503
        )

    def answer_headers(self) -> Headers:
        """How much of the limits is used, of the market that was asked."""
        budgets = self.house.limits.budgets
        end = "_linear" if self._answered_linear else ""
        return {
            "X-MBX-USED-WEIGHT-1M": str(budgets[f"weight{end}"].used),
            "X-MBX-ORDER-COUNT-10S": str(budgets[f"orders{end}"].used),
        }

    # WebSockets.

    def sockets(self) -> Sequence[str]:
        """See Wire."""
        return _SOCKETS

    async def opened(self, session: Session) -> None:
        """Streams and listen keys in the address."""
        names = session.query.get("streams", "").split("/")
        if session.path.endswith("/stream"):
            session.topics["stream"] = True  # frames say which stream they are of
        last = session.path.rpartition("/")[2]
        if "@" in last:
            names.append(last)
        key = session.query.get("listenKey", last)
        account = self.futures.listen_keys.get(key)
        if account is not None:
            session.account = account
            session.topics[USER] = key
        self._subscribe(session, [name for name in names if name])

    async def received(self, session: Session, text: str) -> None:
        """A request: SUBSCRIBE and its like, or one of ws-api."""
        try:
            message = _DECODER.decode(text)
        except msgspec.DecodeError:
            message = None
        if not isinstance(message, dict):
            session.say({"error": {"code": 3, "msg": "Invalid JSON: expected value"}})
        elif session.path.startswith(("/ws-api", "/ws-fapi")):
            session.say(self._api(session, message))
        else:
            session.say(self._stream_request(session, message))

    def expire_listen_keys(self) -> None:
        """As after an hour without a keep-alive: told, then silent."""
        for key, account in tuple(self.futures.listen_keys.items()):
            self.streams.listen_key_expired(account, key)
            del self.futures.listen_keys[key]
            for session in self.sessions:
                if session.topics.get(USER) == key:
                    del session.topics[USER]

    def _stream_request(self, session: Session, message: Mapping[str, Any]) -> Json:
        names = message.get("params")
        method = message.get("method")
        answer_id = message.get("id")
        if method == "LIST_SUBSCRIPTIONS":
            return {"result": [name for name in session.topics if "@" in name], "id": answer_id}
        if method not in {"SUBSCRIBE", "UNSUBSCRIBE"} or not isinstance(names, list):
            text = "Invalid request: unknown variant or missing field"
            return {"error": {"code": 2, "msg": text}, "id": answer_id}
        if method == "SUBSCRIBE":
            self._subscribe(session, names)
        else:
            for name in names:
                session.topics.pop(name, None)
        return {"result": None, "id": answer_id}

    def _subscribe(self, session: Session, names: list[str]) -> None:
        for name in names:
            session.topics[name] = True

    def _api(self, session: Session, message: Mapping[str, Any]) -> Json:
        """A request of ws-api; its answer says the HTTP status."""
        answer_id, method = message.get("id"), str(message.get("method", ""))
        params = {name: _plain(value) for name, value in (message.get("params") or {}).items()}
        try:
            result = self._api_result(session, method, params)
        except Reply as reply:
            return {"id": answer_id, "status": reply.status, "error": reply.body, "rateLimits": []}
        return {"id": answer_id, "status": 200, "result": result, "rateLimits": []}

    def _api_result(self, session: Session, method: str, params: dict[str, str]) -> Json:
        linear = session.path.startswith("/ws-fapi")
        if method == _SUBSCRIBE_USER and not linear:
            asked = self._door.enter_socket(_USER_DATA, params)
            session.account = asked.account
            session.topics[USER] = session.topics.get(USER, -1) + 1
            return {"subscriptionId": session.topics[USER]}
        if method == "userDataStream.unsubscribe" and not linear:
            session.topics.pop(USER, None)
            return {}
        name = (_API_LINEAR if linear else _API_SPOT).get(method)
        if name is None:
            raise error(-1000, f"Unknown method {method}.")
        endpoint = self._by_name[name]
        return endpoint.handler(self._door.enter_socket(endpoint, params))

    # What is heard becomes frames.

    def order_changed(self, change: Change) -> None:
        """See Wire."""
        self.streams.order_changed(change)

    def balances_changed(self, account: str, assets: tuple[str, ...], ts: int) -> None:
        """See Wire."""
        self.streams.balances_changed(account, assets, ts)

    def position_changed(self, seat: Seat, ts: int) -> None:
        """See Wire."""
        self.streams.position_changed(seat, ts)

    def funding_paid(self, report: FundingPaid) -> None:
        """See Wire."""
        self.streams.funding_paid(report)

    def book_changed(self, update: BookUpdate) -> None:
        """See Wire."""
        if self.sessions:
            self.streams.book_changed(update)

    def traded(self, symbol: str, trade: TradeTick) -> None:
        """See Wire."""
        if not self.sessions:
            return
        self.streams.traded(symbol, trade)
        market = self._markets[0 if self.house.instruments[symbol].is_spot else 1]
        feed = self.feed.symbols[symbol]
        if self.streams.is_wanted(symbol, TICKER):
            self.streams.ticker(symbol, market.ticker_of(feed))
        for interval in self.streams.candle_intervals(symbol):
            if row := market.candle_of(feed, interval):
                self.streams.candle(symbol, interval, row, trade)

    def quoted(self, symbol: str, quote: QuoteTick) -> None:
        """See Wire."""
        if self.sessions:
            self.streams.quoted(symbol, quote)

    def marked(self, symbol: str, mark: MarkPrice) -> None:
        """See Wire."""
        self.streams.marked(symbol, mark)


def make_wire(house: House, feed: Feed) -> Wire:
    """Binance."""
    return BinanceWire(house, feed)


def _no_inverse(_asked: Asked) -> Json:
    """Coin-margined futures: nothing is listed."""
    return {
        "timezone": "UTC",
        "serverTime": 0,
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [],
    }


_USER_DATA: Final = Endpoint("GET", "/ws-api/v3", _no_inverse, SIGNED)


def _plain(value: object) -> str:
    """A JSON value as it stands in a signed text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _costs(endpoint: Endpoint) -> dict[str, int]:
    end = "" if endpoint.is_spot else "_linear"
    costs = {f"weight{end}": endpoint.weight}
    if endpoint.orders:
        costs[f"orders{end}"] = endpoint.orders
    return costs
