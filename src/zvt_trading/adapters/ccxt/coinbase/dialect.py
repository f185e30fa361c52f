"""How to say and read things at Coinbase: requests and questions through ccxt's raw endpoints."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from zvt_trading.adapters.ccxt.coinbase.answers import (
    bad_response,
    fill_view,
    iso_of,
    number_of,
    object_of,
    order_view,
    plain,
    rows_of,
    terms_of,
    text_of,
    time_of,
    transfer_view,
)
from zvt_trading.adapters.ccxt.coinbase.frames import (
    HEARTBEATS,
    LEVEL2,
    TICKER,
    TRADES,
    USER,
    frame_of,
)
from zvt_trading.adapters.ccxt.coinbase.paging import ACCOUNTS_PAGE, PAGE, all_rows, old_rows, pages
from zvt_trading.adapters.ccxt.coinbase.profile import NOT_FOUND, PROFILE
from zvt_trading.adapters.ccxt.dialect import Caller, Create, Frame, Raw, Subscription, Wanted
from zvt_trading.adapters.ccxt.views import (
    OPEN,
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

CHANNELS: Final = {"book": LEVEL2, "trades": TRADES, "quotes": TICKER}
"""Spot has no mark prices. `ticker` comes with trades only: between them the book knows more."""
NOT_YET_OPEN: Final = ("PENDING", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED")
"""Statuses that the filter OPEN leaves out, though such an order may still be filled."""
SETTLES_WITHIN_MS: Final = 14 * 86_400_000
"""A deposit or withdrawal that was begun so long ago is done, or will never be."""
_NO_ORDER: Final = "order with this orderID was not found"


class CoinbaseDialect:
    """See adapters.ccxt.dialect.Dialect."""

    profile = PROFILE

    def settings(self) -> dict[str, Raw]:
        """The endpoints of today instead of the old v2 ones; no currencies, which nobody needs."""
        return {
            "has": {"fetchCurrencies": False},
            "options": {
                "createMarketBuyOrderRequiresPrice": False,
                "fetchBalance": "v3PrivateGetBrokerageAccounts",
                "fetchTime": "v3PublicGetBrokerageTime",
            },
        }

    # Requests.

    def create(self, wanted: Wanted, market: Mapping[str, Raw]) -> Create:
        """A limit order. ccxt replaces what is under "clientOrderId" by an id of its own.

        Reduce-only means nothing on spot (ccxt would make a futures' close of it).
        """
        del market
        params: dict[str, Raw] = {"client_order_id": wanted.order_id}
        if wanted.tif in {"IOC", "FOK"}:
            params["timeInForce"] = wanted.tif
        elif wanted.tif == "GTD":
            params |= {"timeInForce": "GTD", "end_time": iso_of(wanted.expire_ms)}
        if wanted.post_only:
            params["postOnly"] = True
        return Create(wanted.symbol, "limit", wanted.side, wanted.quantity, wanted.price, params)

    def created(self, answer: Mapping[str, Raw], wanted: Wanted) -> list[View]:
        """That Coinbase has the order, if the answer has its id and ours; not how it stands.

        To an id sent before, the answer is the same and speaks of the old order.
        """
        raw = answer.get("info")
        if not isinstance(raw, Mapping):
            return []
        venue_id = raw.get("order_id")
        if not isinstance(venue_id, str) or not venue_id:
            return []
        if raw.get("client_order_id") != wanted.order_id:
            return []
        return [
            OrderView(
                order_id=wanted.order_id,
                venue_order_id=venue_id,
                symbol=wanted.symbol,
                status=OPEN,
                price=wanted.price,
                quantity=wanted.quantity,
                side=wanted.side,
            )
        ]

    async def cancel(self, caller: Caller, symbol: str, order_id: str, venue_id: str) -> None:
        """By Coinbase's id, which is looked for when it is not known.

        Not by ccxt's cancel_order: that does not say why a cancel failed.
        """
        venue_id = venue_id or await self._venue_id(caller, symbol, order_id)
        answer = await caller.v3PrivatePostBrokerageOrdersBatchCancel({"order_ids": [venue_id]})
        results = rows_of(answer, "results")
        if len(results) != 1 or results[0].get("order_id") != venue_id:
            raise bad_response("a cancel was not answered for its order")
        if results[0].get("success") is not True:
            raise _refused(text_of(results[0], "failure_reason"))

    async def amend(self, caller: Caller, view: OrderView, price: str, quantity: str) -> list[View]:
        """Price and total size. Not by ccxt's edit_order: that does not see a failure.

        The answer says that the edit was taken; that it is done, the order itself must say: []
        when it does not (yet).
        """
        venue_id = view.venue_order_id or await self._venue_id(caller, view.symbol, view.order_id)
        request = {"order_id": venue_id, "price": price, "size": quantity}
        answer = await caller.v3PrivatePostBrokerageOrdersEdit(request)
        if not isinstance(answer, Mapping) or not isinstance(answer.get("success"), bool):
            raise bad_response("an edit was not answered")
        if answer["success"] is not True:
            errors = rows_of(answer, "errors")
            raise _refused(text_of(errors[0], "edit_failure_reason") if errors else "")
        raw = await self._raw_order(caller, venue_id)
        if raw is None:
            raise bad_response("an order that was edited is not found")
        terms = terms_of(raw)
        if (number_of(terms, "limit_price"), number_of(terms, "base_size")) != (
            Decimal(price),
            Decimal(quantity),
        ):
            return []
        found = order_view(caller, raw)
        return [
            AmendView(
                order_id=found.order_id,
                venue_order_id=venue_id,
                symbol=found.symbol,
                price=price,
                quantity=quantity,
                ts=found.ts,
            )
        ]

    async def set_leverage(self, caller: Caller, symbol: str, leverage: int, mode: int) -> None:
        """NotSupported: spot has none."""
        from ccxt.base.errors import NotSupported

        del caller, leverage, mode
        raise NotSupported(f"coinbase: {symbol} is spot, it has no leverage")

    async def _venue_id(self, caller: Caller, symbol: str, order_id: str) -> str:
        found = await self.find(caller, symbol, order_id, "")
        if found is None:
            raise _refused(NOT_FOUND)
        return found.venue_order_id

    # Questions.

    async def find(
        self, caller: Caller, symbol: str, order_id: str, venue_id: str
    ) -> OrderView | None:
        """By Coinbase's id, or else in the list of all orders of the symbol, newest first.

        None: Coinbase said "not found", or the whole list does not have it.
        """
        if venue_id:
            raw = await self._raw_order(caller, venue_id)
            if raw is None:
                return None
            view = order_view(caller, raw)
            if view.venue_order_id != venue_id or (order_id and view.order_id != order_id):
                raise bad_response("another order than the one that was asked for")
            return view
        request = {"product_id": caller.market(symbol)["id"], "limit": PAGE}
        call = caller.v3PrivateGetBrokerageOrdersHistoricalBatch
        async for page in pages(call, request, "orders"):
            for raw in page:
                if raw.get("client_order_id") == order_id:
                    return order_view(caller, raw)
        return None

    async def _raw_order(self, caller: Caller, venue_id: str) -> dict[str, Any] | None:
        from ccxt.base.errors import ExchangeError

        try:
            answer = await caller.v3PrivateGetBrokerageOrdersHistoricalOrderId(
                {"order_id": venue_id}
            )
        except ExchangeError as error:
            if _says_no_order(str(error)):
                return None
            raise
        return object_of(answer, "order")

    async def fills_of(self, caller: Caller, view: OrderView) -> list[FillView]:
        """All fills of one order; fewer than it says to have been filled is no answer yet."""
        request = {"order_ids": [view.venue_order_id], "limit": PAGE}
        rows = await all_rows(caller.v3PrivateGetBrokerageOrdersHistoricalFills, request, "fills")
        fills = [fill_view(caller, raw, view.order_id) for raw in rows]
        if any(fill.venue_order_id != view.venue_order_id for fill in fills):
            raise bad_response("fills of another order than the one that was asked for")
        filled = sum((Decimal(fill.quantity) for fill in fills), Decimal())
        if view.filled and filled < Decimal(view.filled):
            raise bad_response(f"fills of {filled}, but {view.filled} was filled")
        return _oldest_first(fills)

    async def fills(self, caller: Caller, symbols: Sequence[str], since_ms: int) -> list[FillView]:
        """All fills of these symbols since then."""
        request = {
            "product_ids": [caller.market(symbol)["id"] for symbol in symbols],
            "start_sequence_timestamp": iso_of(since_ms),
            "limit": PAGE,
        }
        rows = await all_rows(caller.v3PrivateGetBrokerageOrdersHistoricalFills, request, "fills")
        return _oldest_first([fill_view(caller, raw) for raw in rows])

    async def open_orders(self, caller: Caller, symbols: Sequence[str]) -> list[OrderView]:
        """All that may still be filled, whatever the symbol.

        Those on their way first: one that becomes OPEN between the two questions is in the second.
        """
        del symbols
        call = caller.v3PrivateGetBrokerageOrdersHistoricalBatch
        views: dict[str, OrderView] = {}
        for statuses in (list(NOT_YET_OPEN), ["OPEN"]):
            request = {"order_status": statuses, "limit": PAGE}
            for raw in reversed(await all_rows(call, request, "orders")):
                view = order_view(caller, raw)
                views[view.venue_order_id] = view
        return list(views.values())

    async def balances(self, caller: Caller) -> list[BalanceView]:
        """What is available and what is held, of all wallets of an asset."""
        totals: dict[str, Decimal] = {}
        for raw in await self._wallets(caller):
            asset = text_of(raw, "currency")
            total = number_of(raw, "available_balance") + number_of(raw, "hold")
            totals[asset] = totals.get(asset, Decimal()) + total
        return [BalanceView(asset, plain(total)) for asset, total in totals.items() if total]

    async def positions(self, caller: Caller, symbols: Sequence[str]) -> list[PositionView]:
        """There are none on spot."""
        del caller, symbols
        return []

    async def transfers(self, caller: Caller, since_ms: int) -> list[TransferView]:
        """What moved money other than fills, of every wallet that has money or changed since."""
        views: list[TransferView] = []
        for wallet in await self._wallets(caller):
            held = number_of(wallet, "available_balance") + number_of(wallet, "hold")
            if not held and time_of(wallet, "updated_at") < since_ms:
                continue
            request = {"account_id": text_of(wallet, "uuid")}
            rows = await old_rows(
                caller.v2PrivateGetAccountsAccountIdTransactions,
                request,
                lambda raw: time_of(raw, "created_at") < since_ms - SETTLES_WITHIN_MS,
            )
            found = [transfer_view(raw) for raw in rows]
            views += [view for view in found if view is not None and view.ts >= since_ms]
        return sorted(views, key=lambda view: view.ts)

    async def funding(
        self, caller: Caller, symbols: Sequence[str], since_ms: int
    ) -> list[FundingView]:
        """There is none on spot."""
        del caller, symbols, since_ms
        return []

    async def _wallets(self, caller: Caller) -> list[dict[str, Any]]:
        """Wallets that orders can use: not vaults, and not those of futures."""
        rows = await all_rows(
            caller.v3PrivateGetBrokerageAccounts, {"limit": ACCOUNTS_PAGE}, "accounts"
        )
        others = {"ACCOUNT_TYPE_VAULT", "ACCOUNT_TYPE_PERP_FUTURES"}
        return [raw for raw in rows if raw.get("type") not in others]

    # Streams.

    async def private(self, caller: Caller, symbols: Sequence[str]) -> list[Subscription]:
        """Own orders of all products, and heartbeats.

        These keep the channel open, and as they are numbered with it, the loss of an order's frame
        is seen within a second.

        The token is new every time (ccxt keeps one until it is about to run out).
        """
        del symbols
        url = _private_url(caller)
        return [
            _subscription(url, HEARTBEATS, []),
            _subscription(url, USER, [], {"jwt": _token(caller)}),
        ]

    def public(
        self, caller: Caller, symbols: Sequence[str], channels: Sequence[str]
    ) -> list[Subscription]:
        """One message a channel; heartbeats show the loss of a book's last frame."""
        url = _public_url(caller)
        products = [str(caller.market(symbol)["id"]) for symbol in symbols]
        names = [CHANNELS[channel] for channel in channels if channel in CHANNELS]
        if not names or not products:
            return []
        wanted = [_subscription(url, name, products) for name in names]
        return [_subscription(url, HEARTBEATS, []), *wanted]

    def frames(self, caller: Caller, url: str, frame: Mapping[str, Raw]) -> Frame:
        """What one frame says."""
        return frame_of(caller, url, frame)

    async def book(self, caller: Caller, symbol: str) -> BookView | None:
        """The stream sends the snapshot."""
        del caller, symbol
        return None


def _refused(reason: str) -> Exception:
    """An error of ccxt's kind with Coinbase's reason in the form of its error answers."""
    from ccxt.base.errors import ExchangeError, OrderNotFound

    said = "coinbase " + json.dumps({"error": reason, "message": reason})
    is_gone = reason in PROFILE.refusals.order_gone
    error: Exception = OrderNotFound(said) if is_gone else ExchangeError(said)
    return error


def _says_no_order(said: str) -> bool:
    """Whether an error's text is Coinbase's answer that it has no such order."""
    start = said.find("{")
    if start < 0:
        return False
    try:
        body = json.loads(said[start:])
    except ValueError:
        return False
    return isinstance(body, dict) and _NO_ORDER in {body.get("error_details"), body.get("message")}


def _oldest_first(fills: list[FillView]) -> list[FillView]:
    """Of two at the same time the one that came later in the list: the newest come first."""
    fills.reverse()
    return sorted(fills, key=lambda fill: fill.ts)


def _public_url(caller: Caller) -> str:
    return str(caller.urls["api"]["ws"])


def _private_url(caller: Caller) -> str:
    """Own orders come from another host, so that a flood of books cannot hold them up."""
    return _public_url(caller).replace("advanced-trade-ws.", "advanced-trade-ws-user.")


def _token(caller: Caller) -> str:
    is_eddsa = not str(caller.secret).startswith("-----BEGIN")
    return str(caller.create_auth_token(caller.seconds(), None, None, is_eddsa))


def _subscription(
    url: str, channel: str, products: list[str], more: Mapping[str, Raw] | None = None
) -> Subscription:
    message = {"type": "subscribe", "product_ids": products, "channel": channel, **(more or {})}
    return Subscription(url, f"zvt {channel}", message)
