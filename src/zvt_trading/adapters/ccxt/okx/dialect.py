"""OKX as the adapter speaks it: adapters.ccxt.dialect.Dialect."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from weakref import WeakKeyDictionary

from ccxt.base.errors import BadResponse, OrderNotFound

from zvt_trading.adapters.ccxt.dialect import (
    Caller,
    Create,
    Frame,
    Profile,
    Raw,
    Subscription,
    Wanted,
)
from zvt_trading.adapters.ccxt.okx import frames, rows
from zvt_trading.adapters.ccxt.okx.asking import data_of, done, pages
from zvt_trading.adapters.ccxt.okx.books import Books
from zvt_trading.adapters.ccxt.okx.names import in_contracts, is_zero, market_of, plain, plus
from zvt_trading.adapters.ccxt.okx.profile import NO_SUCH_ORDER, PROFILE
from zvt_trading.adapters.ccxt.outcomes import error_code
from zvt_trading.adapters.ccxt.views import (
    OPEN,
    AmendView,
    BalanceView,
    FillView,
    FundingView,
    OrderView,
    PositionView,
    TransferView,
    View,
)
from zvt_trading.errors import CallerError, VenueError
from zvt_trading.messages.codes import CROSS

RECENT_MS: Final = 2 * 86_400_000
"""/trade/fills has three days and /account/bills seven; older ones are in slower lists."""
CHANNELS: Final = {
    "book": "books",
    "trades": "trades",
    "quotes": "bbo-tbt",
    "marks": "mark-price",
}
TRANSFER: Final = "1"
FUNDING: Final = "8"


class OkxDialect:
    """See the module. It holds the books of the connections, to check their sequence."""

    profile: Profile = PROFILE

    def __init__(self) -> None:
        self._books: WeakKeyDictionary[Caller, Books] = WeakKeyDictionary()

    def settings(self) -> dict[str, Raw]:
        """Spot and swaps only; no private call just to load the markets.

        Fees of OKX's first level (Lv1), https://www.okx.com/fees, as texts: ccxt's own table has
        floats, and spot fees above these.
        """
        return {
            "fees": {
                "spot": {"maker": "0.0008", "taker": "0.001"},
                "swap": {"maker": "0.0002", "taker": "0.0005"},
            },
            "has": {"fetchCurrencies": False},
            "options": {
                "adjustForTimeDifference": True,
                "defaultType": "spot",
                "fetchMarkets": {"types": ["spot", "swap"]},
            },
        }

    # Requests: by the batch endpoints, which have the larger limits, one order each.

    def create(self, wanted: Wanted, market: Mapping[str, Raw]) -> Create:
        """A limit order; CallerError for good-till-date, which OKX has not."""
        if wanted.tif == "GTD":
            raise CallerError("okx has no good-till-date orders: use GTC, IOC or FOK")
        params: dict[str, Raw] = {
            "clOrdId": wanted.order_id,
            "tdMode": "cash" if market["spot"] else "cross",
        }
        if wanted.post_only:
            params["postOnly"] = True
        elif wanted.tif != "GTC":
            params["timeInForce"] = wanted.tif
        if wanted.reduce_only and not market["spot"]:
            params["reduceOnly"] = True
        size = in_contracts(wanted.quantity, market)
        return Create(wanted.symbol, "limit", wanted.side, size, wanted.price, params)

    def created(self, answer: Mapping[str, Raw], wanted: Wanted) -> list[View]:
        """An acknowledgement proves that the order was taken, not what became of it."""
        ack = answer.get("info")
        if not isinstance(ack, dict) or ack.get("sCode") != "0" or not ack.get("ordId"):
            return []
        if ack.get("clOrdId") != wanted.order_id:
            return []
        view = OrderView(
            order_id=wanted.order_id,
            venue_order_id=str(ack["ordId"]),
            symbol=wanted.symbol,
            status=OPEN,
            side=wanted.side,
            ts=int(ack.get("ts") or 0),
        )
        return [view]

    async def cancel(self, caller: Caller, symbol: str, order_id: str, venue_id: str) -> None:
        """By the client id where there is one."""
        request = [_named(caller, symbol, order_id, venue_id)]
        done(await caller.privatePostTradeCancelBatchOrders(request))

    async def amend(self, caller: Caller, view: OrderView, price: str, quantity: str) -> list[View]:
        """OKX acknowledges the request only; the order itself proves that it was done."""
        market = caller.market(view.symbol)
        request = _named(caller, view.symbol, view.order_id, view.venue_order_id)
        request |= {"newPx": price, "newSz": in_contracts(quantity, market)}
        done(await caller.privatePostTradeAmendBatchOrders([request]))
        now = await self.find(caller, view.symbol, view.order_id, view.venue_order_id)
        if now is None or not _has_terms(now, price, quantity):
            return []
        order_id, venue_id = now.order_id, now.venue_order_id
        amended = AmendView(
            order_id=order_id,
            venue_order_id=venue_id,
            symbol=now.symbol,
            price=now.price,
            quantity=now.quantity,
            ts=now.ts,
        )
        return [amended]

    async def set_leverage(self, caller: Caller, symbol: str, leverage: int, mode: int) -> None:
        """Cross margin only: at OKX each order says its margin mode, and ours say cross."""
        if mode != CROSS:
            raise VenueError(
                f"okx: {symbol} cannot be set to isolated margin: orders of this adapter go out "
                "as cross; choose cross margin"
            )
        name = caller.market(symbol)["id"]
        request = {"instId": name, "lever": str(leverage), "mgnMode": "cross"}
        answered = data_of(await caller.privatePostAccountSetLeverage(request))
        if [str(leverage)] != [plain(Decimal(row["lever"])) for row in answered]:
            raise BadResponse(f"okx: the leverage of {name} is not known to be {leverage}")

    # Questions.

    async def find(
        self, caller: Caller, symbol: str, order_id: str, venue_id: str
    ) -> OrderView | None:
        """One order; None only for 51603.

        OKX forgets orders that were canceled without a fill after two hours.
        """
        query = _named(caller, symbol, order_id, venue_id)
        try:
            found = data_of(await caller.privateGetTradeOrder(query))
        except OrderNotFound as error:
            if error_code(error).code == NO_SUCH_ORDER:
                return None
            raise
        if len(found) != 1:
            raise BadResponse(f"okx: {len(found)} orders where one was asked for")
        view = rows.order_view(found[0], caller.market(symbol))
        if order_id not in {"", view.order_id}:
            raise BadResponse("okx: not the order that was asked for")
        return view

    async def fills_of(self, caller: Caller, view: OrderView) -> list[FillView]:
        """All fills of one order; BadResponse while OKX does not list all that it counts."""
        venue_id, filled = view.venue_order_id, view.filled
        if not venue_id or not filled:
            known = await self.find(caller, view.symbol, view.order_id, venue_id)
            if known is None:
                raise BadResponse("okx: no such order, so its fills cannot be asked for")
            venue_id, filled = known.venue_order_id, known.filled
        market = caller.market(view.symbol)
        query = {"instId": market["id"], "instType": _type(market), "ordId": venue_id}
        found: list[FillView] = []
        for endpoint in (caller.privateGetTradeFills, caller.privateGetTradeFillsHistory):
            listed = await pages(endpoint, query, "billId")
            found = [rows.fill_view(row, market) for row in listed]
            if sum(Decimal(fill.quantity) for fill in found) >= Decimal(filled):
                return found
        raise BadResponse(f"okx: fills of order {venue_id} are missing, {filled} is filled")

    async def fills(self, caller: Caller, symbols: Sequence[str], since_ms: int) -> list[FillView]:
        """All fills since then, oldest first."""
        endpoint = caller.privateGetTradeFills
        if since_ms < caller.milliseconds() - RECENT_MS:
            endpoint = caller.privateGetTradeFillsHistory
        found: list[FillView] = []
        for kind in _types(caller, symbols):
            query = {"instType": kind, "begin": str(since_ms)}
            for row in await pages(endpoint, query, "billId"):
                market = market_of(caller, row["instId"])
                if market is not None and market["symbol"] in symbols:
                    found.append(rows.fill_view(row, market))
        return sorted(found, key=lambda fill: fill.ts)

    async def open_orders(self, caller: Caller, symbols: Sequence[str]) -> list[OrderView]:
        """Everything that is open, of these symbols."""
        found = await pages(caller.privateGetTradeOrdersPending, {}, "ordId")
        return [
            rows.order_view(row, market)
            for row in found
            if (market := market_of(caller, row["instId"])) is not None
            and market["symbol"] in symbols
        ]

    async def balances(self, caller: Caller) -> list[BalanceView]:
        """Cash of the trading account, with the margin of isolated positions."""
        accounts = data_of(await caller.privateGetAccountBalance({}))
        if len(accounts) != 1:
            raise BadResponse(f"okx: {len(accounts)} accounts where there is one")
        views = [
            rows.balance_view(detail, caller.safe_currency_code(detail["ccy"]))
            for detail in accounts[0]["details"]
        ]
        return [view for view in views if not is_zero(view.total)]

    async def positions(self, caller: Caller, symbols: Sequence[str]) -> list[PositionView]:
        """Open swap positions."""
        if "SWAP" not in _types(caller, symbols):
            return []
        found = data_of(await caller.privateGetAccountPositions({"instType": "SWAP"}))
        views: dict[str, PositionView] = {}
        for row in found:
            market = market_of(caller, row["instId"])
            if market is not None and market["symbol"] in symbols and not is_zero(row["pos"]):
                view = rows.position_view(row, market)
                views[view.symbol] = _both(views.get(view.symbol), view)
        return list(views.values())

    async def transfers(self, caller: Caller, since_ms: int) -> list[TransferView]:
        """Money moved into or out of the trading account.

        A deposit from outside reaches the funding account first; only its transfer counts here.
        """
        bills = await self._bills(caller, TRANSFER, since_ms)
        return [rows.transfer_view(row, caller.safe_currency_code(row["ccy"])) for row in bills]

    async def funding(
        self, caller: Caller, symbols: Sequence[str], since_ms: int
    ) -> list[FundingView]:
        """Funding payments since then; a bill has no rate, so it is looked up."""
        found: list[FundingView] = []
        rates: dict[str, list[tuple[int, str]]] = {}
        for row in await self._bills(caller, FUNDING, since_ms):
            market = market_of(caller, row["instId"])
            if market is None or market["symbol"] not in symbols:
                continue
            name = market["id"]
            if name not in rates:
                rates[name] = await _settled(caller, name)
            rate = _rate_at(rates[name], int(row["ts"]))
            asset = caller.safe_currency_code(row["ccy"])
            found.append(rows.funding_view(row, market, asset, rate))
        return found

    async def _bills(self, caller: Caller, kind: str, since_ms: int) -> list[Mapping[str, Any]]:
        endpoint = caller.privateGetAccountBills
        if since_ms < caller.milliseconds() - RECENT_MS:
            endpoint = caller.privateGetAccountBillsArchive
        return await pages(endpoint, {"type": kind, "begin": str(since_ms)}, "billId")

    # Streams.

    async def private(self, caller: Caller, symbols: Sequence[str]) -> list[Subscription]:
        """Log in, then own orders with their fills, balances and positions in one message."""
        del symbols  # manual orders of other symbols are heard too
        await caller.authenticate()
        args = [
            {"channel": "orders", "instType": "ANY"},
            {"channel": "account"},
            {"channel": "positions", "instType": "ANY"},
        ]
        message = {"op": "subscribe", "args": args}
        return [Subscription(caller.get_url("orders", "private"), "okx private", message)]

    def public(
        self, caller: Caller, symbols: Sequence[str], channels: Sequence[str]
    ) -> list[Subscription]:
        """One message for each channel and symbol, so that each can be sent again by itself."""
        url = caller.get_url("books", "public")
        return [
            Subscription(url, f"okx {channel} {symbol}", _subscribe(CHANNELS[channel], market))
            for channel in channels
            for symbol in symbols
            if not (market := caller.market(symbol))["spot"] or channel != "marks"
        ]

    def frames(self, caller: Caller, url: str, frame: Mapping[str, Raw]) -> Frame:
        """What one frame says."""
        books = self._books.get(caller)
        if books is None:
            books = self._books[caller] = Books()
        return frames.translate(caller, books, url, frame)

    async def book(self, caller: Caller, symbol: str) -> None:
        """None: the stream begins with a snapshot."""
        del caller, symbol


def _named(caller: Caller, symbol: str, order_id: str, venue_id: str) -> dict[str, Any]:
    """How an order is named: by the client id, or by OKX's id when it is not one of ours."""
    name = {"clOrdId": order_id} if order_id else {"ordId": venue_id}
    return {"instId": caller.market(symbol)["id"], **name}


def _both(one: PositionView | None, other: PositionView) -> PositionView:
    """Two rows of a symbol (long and short, or cross and isolated) as one position."""
    if one is None:
        return other
    return PositionView(one.symbol, plus(one.quantity, other.quantity))


def _subscribe(channel: str, market: Mapping[str, Any]) -> Raw:
    return {"op": "subscribe", "args": [{"channel": channel, "instId": market["id"]}]}


def _has_terms(view: OrderView, price: str, quantity: str) -> bool:
    return Decimal(view.price) == Decimal(price) and Decimal(view.quantity) == Decimal(quantity)


def _type(market: Mapping[str, Any]) -> str:
    return "SPOT" if market["spot"] else "SWAP"


def _types(caller: Caller, symbols: Iterable[str]) -> list[str]:
    """The instrument types of these symbols, in a fixed order."""
    return sorted({_type(caller.market(symbol)) for symbol in symbols})


async def _settled(caller: Caller, name: str) -> list[tuple[int, str]]:
    """(time, rate) of the settlements of the newest page, newest first."""
    found = data_of(await caller.publicGetPublicFundingRateHistory({"instId": name}))
    return [(int(row["fundingTime"]), row["realizedRate"]) for row in found]


def _rate_at(settled: Sequence[tuple[int, str]], time: int) -> str:
    """The rate of the last settlement at or before a bill; "" when it is too long ago."""
    return next((rate for when, rate in settled if when <= time), "")
