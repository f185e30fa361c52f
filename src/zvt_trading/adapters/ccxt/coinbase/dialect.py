"""How to say and read things at Coinbase: requests through ccxt's endpoints, and streams."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from zvt_trading.adapters.ccxt.coinbase.answers import (
    bad_response,
    iso_of,
    number_of,
    order_view,
    rows_of,
    terms_of,
    text_of,
)
from zvt_trading.adapters.ccxt.coinbase.frames import (
    HEARTBEATS,
    LEVEL2,
    QUOTES,
    TRADES,
    USER,
    frame_of,
)
from zvt_trading.adapters.ccxt.coinbase.profile import NOT_FOUND, PROFILE
from zvt_trading.adapters.ccxt.coinbase.questions import Questions
from zvt_trading.adapters.ccxt.coinbase.quotes import Quotes
from zvt_trading.adapters.ccxt.dialect import (
    Caller,
    Create,
    Frame,
    Raw,
    Subscription,
    Wanted,
    acknowledged,
)
from zvt_trading.adapters.ccxt.views import (
    AmendView,
    BookView,
    OrderView,
    View,
)

CHANNELS: Final = {"book": LEVEL2, "quotes": LEVEL2, "trades": TRADES}
"""Spot has no mark prices. Quotes are out of the book, see `quotes`."""


class CoinbaseDialect(Questions):
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
        return [acknowledged(wanted, venue_id)]

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
        raw = await self.raw_order(caller, venue_id)
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
        names = dict.fromkeys(CHANNELS[channel] for channel in channels if channel in CHANNELS)
        caller.options.pop(QUOTES, None)
        if not names or not products:
            return []
        if "quotes" in channels:
            caller.options[QUOTES] = Quotes(url, symbols, has_books="book" in channels)
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
