"""How to say and read things at Binance; see adapters/ccxt/dialect.py.

Questions go to ccxt's raw endpoints: it signs and reads errors, the answers are read here, exactly.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ccxt.base.errors import BaseError

from zvt_trading.adapters.ccxt.binance.asking import DAY_MS, Ask, by_offset, trades_of, trades_since
from zvt_trading.adapters.ccxt.binance.frames import read_frame
from zvt_trading.adapters.ccxt.binance.profile import PROFILE, RECV_WINDOW_MS
from zvt_trading.adapters.ccxt.binance.rows import (
    deposit_view,
    first_fills,
    funding_view,
    is_linear,
    levels,
    linear_totals,
    order_view,
    position_view,
    row_of,
    rows,
    spot_totals,
    symbol_of,
    trade_view,
    whole,
    withdrawal_view,
)
from zvt_trading.adapters.ccxt.budget import NotSentError
from zvt_trading.adapters.ccxt.dialect import (
    Caller,
    Create,
    Frame,
    Profile,
    Raw,
    Subscription,
    Wanted,
)
from zvt_trading.adapters.ccxt.fields import UnknownSymbolError, UnreadableError, text
from zvt_trading.adapters.ccxt.outcomes import error_code
from zvt_trading.adapters.ccxt.views import (
    AmendView,
    BalanceView,
    BookView,
    FillView,
    FundingView,
    OrderView,
    PositionView,
    TransferView,
    View,
)
from zvt_trading.messages.codes import CROSS

_NO_SUCH_ORDER: Final = "-2013"
_NO_CHANGE: Final = "-5027"  # the order has these terms already
_SAME_MODE: Final = "-4046"  # the margin mode is that already
_NO_PERMISSION: Final = "-2015"
_HAS_FUTURES: Final = "zvtHasFutures"  # among ccxt's options: this key saw the futures wallet
_SPOT_WINDOW_MS: Final = DAY_MS  # myTrades: at most 24 hours between startTime and endTime
_LINEAR_WINDOW_MS: Final = 7 * DAY_MS  # userTrades: at most 7 days
_MONEY_WINDOW_MS: Final = 89 * DAY_MS  # deposits and withdrawals: less than 90 days
_UNDER_WAY_MS: Final = 7 * DAY_MS
"""Transfers are listed by when they began, and count from when they are done."""
_BOOK_LEVELS: Final = 1_000
_KEEP_PRIORITY: Final = "order/amend/keepPriority"
_STREAMS_A_MESSAGE: Final = 200
_SPOT_STREAMS: Final = {"book": "depth@100ms", "trades": "trade", "quotes": "bookTicker"}
_LINEAR_STREAMS: Final = {
    "book": "depth@100ms",
    "trades": "aggTrade",
    "quotes": "bookTicker",
    "marks": "markPrice@1s",
}


class BinanceDialect:
    """Spot and USD-M perpetuals of one account, in one-way mode."""

    profile: Profile = PROFILE

    def settings(self) -> dict[str, Raw]:
        """Only what is traded is loaded, and nothing that needs more permissions than trading."""
        return {
            "options": {
                "adjustForTimeDifference": True,
                "recvWindow": RECV_WINDOW_MS,
                "fetchMargins": False,
                "fetchCurrencies": False,
                "fetchMarkets": {"types": ["spot", "linear"]},
                "fetchOpenOrders": {"warnWithoutSymbol": False},
                "warnOnFetchOpenOrdersWithoutSymbol": False,
            }
        }

    # Requests.

    def create(self, wanted: Wanted, market: Mapping[str, Raw]) -> Create:
        """A limit order; FULL of spot tells the fills, RESULT of futures how it stands."""
        linear = bool(market.get("linear"))
        params: dict[str, Raw] = {
            "newClientOrderId": wanted.order_id,
            "newOrderRespType": "RESULT" if linear else "FULL",
        }
        if wanted.post_only:
            params["postOnly"] = True  # ccxt: LIMIT_MAKER of spot, timeInForce GTX of futures
        else:
            params["timeInForce"] = wanted.tif
        if wanted.tif == "GTD":
            if not linear or wanted.post_only:
                raise NotSentError(f"{wanted.symbol}: Binance has no such order good till a date")
            params["goodTillDate"] = wanted.expire_ms
        if wanted.reduce_only and linear:
            params["reduceOnly"] = True
        return Create(wanted.symbol, "limit", wanted.side, wanted.quantity, wanted.price, params)

    def created(self, answer: Mapping[str, Raw], wanted: Wanted) -> list[View]:
        """The order and, on spot, its first fills: if the answer is of this very order."""
        row = answer.get("info")
        if not isinstance(row, Mapping) or row.get("clientOrderId") != wanted.order_id:
            return []
        try:
            view = order_view(row, wanted.symbol)
            return [view, *first_fills(row, view)]
        except UnreadableError:
            return []

    async def cancel(self, caller: Caller, symbol: str, order_id: str, venue_id: str) -> None:
        """By the client id where it is known."""
        params = _named(caller, symbol, order_id, venue_id)
        if is_linear(caller, symbol):
            row = row_of(await caller.fapiPrivateDeleteOrder(params))
        else:
            row = row_of(await caller.privateDeleteOrder(params))
        order_view(row, symbol)  # an answer that is none is an error

    async def amend(self, caller: Caller, view: OrderView, price: str, quantity: str) -> list[View]:
        """Perpetuals: both; spot: a smaller quantity, everything else would be a new order."""
        params = _named(caller, view.symbol, view.order_id, view.venue_order_id)
        if not is_linear(caller, view.symbol):
            return await self._reduce(caller, view, params, price, quantity)
        params |= {"side": view.side.upper(), "price": price, "quantity": quantity}
        try:
            row = row_of(await caller.fapiPrivatePutOrder(params))
        except BaseError as error:
            if error_code(error).code != _NO_CHANGE:
                raise
            return [_amended(view, price, quantity, view.ts)]
        found = order_view(row, view.symbol)
        return [_amended(view, found.price, found.quantity, found.ts), found]

    async def set_leverage(self, caller: Caller, symbol: str, leverage: int, mode: int) -> None:
        """The margin mode first: leverage is by symbol, whatever the mode."""
        native = caller.market(symbol)["id"]
        kind = "CROSSED" if mode == CROSS else "ISOLATED"
        try:
            await caller.fapiPrivatePostMarginType({"symbol": native, "marginType": kind})
        except BaseError as error:
            if error_code(error).code != _SAME_MODE:
                raise
        params = {"symbol": native, "leverage": leverage}
        answer = row_of(await caller.fapiPrivatePostLeverage(params))
        if whole(answer, "leverage") != leverage:
            raise UnreadableError(f"leverage is {answer['leverage']}, asked for {leverage}")

    # Questions.

    async def find(
        self, caller: Caller, symbol: str, order_id: str, venue_id: str
    ) -> OrderView | None:
        """None only for -2013: "Order does not exist."."""
        params = _named(caller, symbol, order_id, venue_id)
        linear = is_linear(caller, symbol)
        ask: Ask = caller.fapiPrivateGetOrder if linear else caller.privateGetOrder
        try:
            row = row_of(await ask(params))
        except BaseError as error:
            if error_code(error).code == _NO_SUCH_ORDER:
                return None
            raise
        view = order_view(row, symbol)
        if order_id and view.order_id != order_id:
            raise UnreadableError(f"asked for {order_id}, told of {view.order_id}")
        return view

    async def fills_of(self, caller: Caller, view: OrderView) -> list[FillView]:
        """By the exchange's order id."""
        linear = is_linear(caller, view.symbol)
        native = caller.market(view.symbol)["id"]
        found = await trades_of(_trades(caller, linear), native, view.venue_order_id)
        return [trade_view(row, view.symbol, linear=linear) for row in found]

    async def fills(self, caller: Caller, symbols: Sequence[str], since_ms: int) -> list[FillView]:
        """Symbol by symbol, as Binance lists them."""
        found: list[FillView] = []
        now_ms = int(caller.nonce())
        for symbol in symbols:
            linear = is_linear(caller, symbol)
            window_ms = _LINEAR_WINDOW_MS if linear else _SPOT_WINDOW_MS
            native = caller.market(symbol)["id"]
            listed = await trades_since(
                _trades(caller, linear), native, since_ms, now_ms, window_ms
            )
            found += [trade_view(row, symbol, linear=linear) for row in listed]
        return sorted(found, key=lambda fill: (fill.ts, int(fill.trade_id)))

    async def open_orders(self, caller: Caller, symbols: Sequence[str]) -> list[OrderView]:
        """One request for each market that we trade on: lists of symbols cannot fall apart."""
        found: list[OrderView] = []
        for linear in (False, True):
            if not any(is_linear(caller, symbol) == linear for symbol in symbols):
                continue
            ask: Ask = caller.fapiPrivateGetOpenOrders if linear else caller.privateGetOpenOrders
            for row in rows(await ask({})):
                try:
                    symbol = symbol_of(caller, text(row, "symbol"), linear=linear)
                except UnknownSymbolError:
                    continue
                if symbol in symbols:
                    found.append(order_view(row, symbol))
        return found

    async def balances(self, caller: Caller) -> list[BalanceView]:
        """Both wallets together."""
        totals = spot_totals(row_of(await caller.privateGetAccount({"omitZeroBalances": "true"})))
        for asset, amount in (await self._futures_totals(caller)).items():
            totals[asset] = totals.get(asset, Decimal(0)) + amount
        return [BalanceView(asset, f"{total:f}") for asset, total in totals.items() if total]

    async def positions(self, caller: Caller, symbols: Sequence[str]) -> list[PositionView]:
        """In one-way mode; UnreadableError in hedge mode."""
        if not any(is_linear(caller, symbol) for symbol in symbols):
            return []
        found: list[PositionView] = []
        for row in rows(await caller.fapiPrivateV3GetPositionRisk({})):
            try:
                symbol = symbol_of(caller, text(row, "symbol"), linear=True)
            except UnknownSymbolError:
                continue
            view = position_view(row, symbol)
            if symbol in symbols and Decimal(view.quantity):
                found.append(view)
        return found

    async def transfers(self, caller: Caller, since_ms: int) -> list[TransferView]:
        """Deposits and withdrawals; between our own two wallets nothing comes or goes."""
        now_ms = int(caller.nonce())
        found: list[TransferView] = []
        for ask, view_of in (
            (caller.sapiGetCapitalDepositHisrec, deposit_view),
            (caller.sapiGetCapitalWithdrawHistory, withdrawal_view),
        ):
            listed = await by_offset(
                ask, since_ms - _UNDER_WAY_MS, now_ms, _MONEY_WINDOW_MS, "offset"
            )
            found += [view for row in listed if (view := view_of(row)) is not None]
        done = [transfer for transfer in found if transfer.ts >= since_ms]
        return sorted(done, key=lambda transfer: transfer.ts)

    async def funding(
        self, caller: Caller, symbols: Sequence[str], since_ms: int
    ) -> list[FundingView]:
        """Of all perpetuals at once."""
        if not any(is_linear(caller, symbol) for symbol in symbols):
            return []
        now_ms = int(caller.nonce())

        async def ask(params: dict[str, Raw]) -> Raw:
            return await caller.fapiPrivateGetIncome({**params, "incomeType": "FUNDING_FEE"})

        found: list[FundingView] = []
        for row in await by_offset(ask, since_ms, now_ms, _MONEY_WINDOW_MS, "page"):
            try:
                symbol = symbol_of(caller, text(row, "symbol"), linear=True)
            except UnknownSymbolError:
                continue
            if symbol in symbols:
                found.append(funding_view(row, symbol))
        return found

    # Streams.

    async def private(self, caller: Caller, symbols: Sequence[str]) -> list[Subscription]:
        """Spot: a signed subscription of ws-api; futures: a listen key in the address.

        A listen key lives for an hour; when it has expired the stream says so and is made anew.
        """
        found: list[Subscription] = []
        if not all(is_linear(caller, symbol) for symbol in symbols):
            message = {
                "id": "user-data",
                "method": "userDataStream.subscribe.signature",
                "params": caller.sign_params({}),
            }
            url = caller.urls["api"]["ws"]["ws-api"]["spot"]
            found.append(Subscription(url, "user-data", message))
        if any(is_linear(caller, symbol) for symbol in symbols):
            answer = row_of(await caller.fapiPrivatePostListenKey({}))
            url = caller.get_private_ws_url("linear", text(answer, "listenKey"))
            found.append(Subscription(url, "user-data-linear", None))
        return found

    async def keep_alive(self, caller: Caller, symbols: Sequence[str]) -> None:
        """Another hour for the listen key of the futures; every half an hour is enough."""
        if any(is_linear(caller, symbol) for symbol in symbols):
            row_of(await caller.fapiPrivatePutListenKey({}))

    def public(
        self, caller: Caller, symbols: Sequence[str], channels: Sequence[str]
    ) -> list[Subscription]:
        """Futures have one address for books and quotes and another for the rest."""
        names: dict[str, list[str]] = {}
        for symbol in symbols:
            market = caller.market(symbol)
            linear = bool(market.get("linear"))
            streams = _LINEAR_STREAMS if linear else _SPOT_STREAMS
            for channel in channels:
                if channel in streams:
                    stream = streams[channel]
                    url = _url(caller, stream, linear=linear)
                    names.setdefault(url, []).append(f"{market['lowercaseId']}@{stream}")
        return [
            Subscription(
                url, f"{url}#{at}", _subscribe(at + 1, listed[at : at + _STREAMS_A_MESSAGE])
            )
            for url, listed in names.items()
            for at in range(0, len(listed), _STREAMS_A_MESSAGE)
        ]

    def frames(self, caller: Caller, url: str, frame: Mapping[str, Raw]) -> Frame:
        """See frames.read_frame."""
        return read_frame(caller, url, frame)

    async def book(self, caller: Caller, symbol: str) -> BookView | None:
        """What the updates of the stream continue."""
        linear = is_linear(caller, symbol)
        ask: Ask = caller.fapiPublicGetDepth if linear else caller.publicGetDepth
        params = {"symbol": caller.market(symbol)["id"], "limit": _BOOK_LEVELS}
        row = row_of(await ask(params))
        return BookView(
            symbol,
            is_snapshot=True,
            bids=levels(row.get("bids")),
            asks=levels(row.get("asks")),
            first_id=-1,
            last_id=whole(row, "lastUpdateId"),
            previous_id=-1,
            ts=whole(row, "T") if linear else 0,
        )

    async def _futures_totals(self, caller: Caller) -> dict[str, Decimal]:
        """{} for a key that may not see the futures wallet, and never could: it is none of ours."""
        try:
            totals = linear_totals(row_of(await caller.fapiPrivateV3GetAccount({})))
        except BaseError as error:
            if error_code(error).code != _NO_PERMISSION or caller.options.get(_HAS_FUTURES):
                raise
            return {}
        caller.options[_HAS_FUTURES] = True
        return totals

    async def _reduce(
        self, caller: Caller, view: OrderView, params: dict[str, Raw], price: str, quantity: str
    ) -> list[View]:
        """Spot's only amend; the client order id is sent, else the exchange makes a new one."""
        if Decimal(price) != Decimal(view.price) or Decimal(quantity) >= Decimal(view.quantity):
            raise NotSentError("Binance spot only amends to a smaller quantity at the same price")
        params |= {"newQty": quantity, "newClientOrderId": view.order_id}
        # ccxt has no name for this endpoint, but signs and sends what it is asked for.
        answer = row_of(await caller.request(_KEEP_PRIORITY, ["private"], "PUT", params))
        row = row_of(answer.get("amendedOrder"))
        return [_amended(view, text(row, "price"), text(row, "qty"), whole(answer, "transactTime"))]


def _named(caller: Caller, symbol: str, order_id: str, venue_id: str) -> dict[str, Any]:
    """The parameters that say which order is meant."""
    named: dict[str, Any] = {"symbol": caller.market(symbol)["id"]}
    if order_id:
        named["origClientOrderId"] = order_id
    elif venue_id:
        named["orderId"] = venue_id
    else:
        raise NotSentError(f"{symbol}: an order without any id")
    return named


def _amended(view: OrderView, price: str, quantity: str, ts: int) -> AmendView:
    return AmendView(
        order_id=view.order_id, venue_order_id=view.venue_order_id, symbol=view.symbol,
        price=price, quantity=quantity, ts=ts,
    )  # fmt: skip


def _trades(caller: Caller, linear: bool) -> Ask:
    ask: Ask = caller.fapiPrivateGetUserTrades if linear else caller.privateGetMyTrades
    return ask


def _url(caller: Caller, stream: str, *, linear: bool) -> str:
    if not linear:
        return str(caller.urls["api"]["ws"]["spot"])
    category = caller.get_future_ws_category(stream.partition("@")[0])
    return str(caller.get_ws_url("linear", category))


def _subscribe(answer_id: int, names: list[str]) -> dict[str, Raw]:
    return {"method": "SUBSCRIBE", "params": names, "id": answer_id}
