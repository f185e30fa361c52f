"""Placing, changing and taking back orders: the same by REST and by the trade WebSocket."""

import re
from collections.abc import Callable
from typing import Any, Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.emulator.bybit.errors import (
    DUPLICATE,
    NOT_FOUND,
    BybitError,
    bad_request,
    filter_error,
    of_pair,
    refused,
)
from zvt_trading.emulator.bybit.symbols import (
    SPOT,
    Symbols,
    category_of,
    check_category,
    take_number,
)
from zvt_trading.emulator.house import MONEY_SCALE, House
from zvt_trading.emulator.orders import Ask, HouseOrder, Refusal
from zvt_trading.messages.codes import BUY, FOK, GTC, IOC, LIMIT, MARKET, SELL
from zvt_trading.messages.reasons import Reason

Args = dict[str, Any]
LINK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,36}")
BATCH_MAX: Final = {SPOT: 10}
_BATCH_MAX_LINEAR: Final = 20
_SIDES: Final = {"Buy": BUY, "Sell": SELL}
_TIFS: Final = {"": GTC, "GTC": GTC, "IOC": IOC, "FOK": FOK, "PostOnly": GTC}
_ENDS_AS_IT_COMES: Final = (int(Reason.VENUE_POST_ONLY), int(Reason.VENUE_FILL_OR_KILL))


class Trading:
    """Takes requests of an account; BybitError where Bybit refuses them.

    An answer only says that a request was taken. A fill-or-kill order that cannot be filled, and a
    post-only order of a derivative that would take, are taken and then cancelled, as there.
    """

    def __init__(self, house: House, symbols: Symbols) -> None:
        self._house: Final = house
        self._symbols: Final = symbols

    def create(self, account: str, args: Args) -> Args:
        """`/v5/order/create`."""
        instrument = self._instrument(args)
        link_id = args.get("orderLinkId") or ""
        if link_id and not (isinstance(link_id, str) and LINK_ID.fullmatch(link_id)):
            raise bad_request(f"orderLinkId {link_id!r} is not 1 to 36 of A-Z a-z 0-9 - _")
        if link_id and self._is_known(account, instrument, link_id):
            raise of_pair(DUPLICATE, is_spot=instrument.is_spot)
        ask = self._ask(instrument, args, link_id)
        try:
            order = self._house.place(account, ask)
        except Refusal as refusal:
            is_refused = instrument.is_spot and refusal.reason == Reason.VENUE_POST_ONLY
            if is_refused or refusal.reason not in _ENDS_AS_IT_COMES:
                raise refused(refusal, is_spot=instrument.is_spot) from refusal
            order = self._house.place_ended(account, ask, refusal.reason)
        return {"orderId": order.id, "orderLinkId": order.client_id}

    def amend(self, account: str, args: Args) -> Args:
        """`/v5/order/amend`."""
        instrument = self._instrument(args)
        order = self._open_order(account, instrument, args)
        price = self._price(instrument, args.get("price")) if args.get("price") else 0
        quantity = self._quantity(instrument, args.get("qty")) if args.get("qty") else 0
        is_same_price = price in {0, order.price}
        if is_same_price and quantity in {0, order.quantity}:
            raise BybitError(
                10001,
                "The order remains unchanged as the parameters entered match the existing ones.",
            )
        problem = filter_error(instrument, price or order.price, quantity or order.quantity)
        if problem is not None:
            raise problem
        if quantity and quantity <= order.filled:
            raise BybitError(
                170130 if instrument.is_spot else 110064,
                "the quantity is not above what was filled",
            )
        try:
            self._house.amend(order, price or order.price, quantity or order.quantity)
        except Refusal as refusal:
            raise refused(refusal, is_spot=instrument.is_spot) from refusal
        return {"orderId": order.id, "orderLinkId": order.client_id}

    def cancel(self, account: str, args: Args) -> Args:
        """`/v5/order/cancel`."""
        instrument = self._instrument(args)
        order = self._open_order(account, instrument, args)
        self._house.cancel(order)
        return {"orderId": order.id, "orderLinkId": order.client_id}

    def cancel_all(self, account: str, args: Args) -> Args:
        """`/v5/order/cancel-all`: of a symbol, or of a whole category."""
        category = check_category(_text(args, "category"))
        name = _text(args, "symbol")
        if category != SPOT and not (name or args.get("settleCoin") or args.get("baseCoin")):
            raise bad_request("symbol, baseCoin or settleCoin is required")
        wanted = self._symbols.find(category, name) if name else None
        gone = []
        for order in self._house.open_orders(account):
            if category_of(order.instrument) == category and wanted in {None, order.instrument}:
                self._house.cancel(order)
                gone.append({"orderId": order.id, "orderLinkId": order.client_id})
        return {"list": gone, "success": "1"}

    def batch(
        self, account: str, args: Args, one: Callable[[str, Args], Args]
    ) -> tuple[Args, Args]:
        """(result, retExtInfo) of `create`, `amend` or `cancel` for each of `request`."""
        category = check_category(_text(args, "category"))
        requests = args.get("request")
        most = BATCH_MAX.get(category, _BATCH_MAX_LINEAR)
        if not isinstance(requests, list) or not 1 <= len(requests) <= most:
            raise bad_request(f"request must be a list of 1 to {most}")
        results, outcomes = [], []
        for request in requests:
            outcome: Args = {"code": 0, "msg": "OK"}
            ids = {"orderId": "", "orderLinkId": request.get("orderLinkId", "")}
            try:
                ids = one(account, {**request, "category": category})
            except BybitError as error:
                outcome = {"code": error.code, "msg": error.text}
            results.append({"category": category, "symbol": request.get("symbol", ""), **ids})
            outcomes.append(outcome)
        return {"list": results}, {"list": outcomes}

    # Inside.

    def _instrument(self, args: Args) -> Instrument:
        return self._symbols.find(_text(args, "category"), _text(args, "symbol"))

    def _is_known(self, account: str, instrument: Instrument, link_id: str) -> bool:
        """Whether the id was ever used in this category: also of an order that queries hide."""
        known = self._house.by_client.get((account, link_id))
        return known is not None and known.instrument.is_spot == instrument.is_spot

    def _ask(self, instrument: Instrument, args: Args, link_id: str) -> Ask:
        side = _SIDES.get(_text(args, "side"))
        type_ = {"Limit": LIMIT, "Market": MARKET}.get(_text(args, "orderType"))
        tif = _TIFS.get(_text(args, "timeInForce"))
        if side is None or type_ is None or tif is None:
            raise bad_request("side, orderType or timeInForce is not one that is offered")
        if args.get("triggerPrice") or args.get("stopLoss") or args.get("takeProfit"):
            raise bad_request("conditional orders are not offered")
        price = self._price(instrument, args.get("price")) if type_ == LIMIT else 0
        is_by_quote = (
            instrument.is_spot
            and type_ == MARKET
            and args.get("marketUnit") != "baseCoin"
            and (side == BUY or args.get("marketUnit") == "quoteCoin")
        )
        money = 0
        quantity = 0
        if is_by_quote:
            money = take_number(args.get("qty"), MONEY_SCALE, _too_fine(170148))
            if money < instrument.notional_min:
                raise BybitError(170140, "Order value exceeded lower limit.")
        else:
            quantity = self._quantity(instrument, args.get("qty"))
            touch = self._house.exchange.desk.listings[instrument.id].touch(side)
            problem = filter_error(instrument, price, quantity, touch)
            if problem is not None:
                raise problem
        return Ask(
            instrument,
            side,
            type_,
            quantity,
            client_id=link_id,
            price=price,
            tif=tif,
            post_only=args.get("timeInForce") == "PostOnly",
            reduce_only=args.get("reduceOnly") is True,
            quote_quantity=money,
        )

    def _price(self, instrument: Instrument, text: object) -> int:
        too_fine = _too_fine(170134 if instrument.is_spot else 10001)
        return take_number(text, instrument.price_scale, too_fine)

    def _quantity(self, instrument: Instrument, text: object) -> int:
        too_fine = _too_fine(170137 if instrument.is_spot else 10001)
        return take_number(text, instrument.quantity_scale, too_fine)

    def _open_order(self, account: str, instrument: Instrument, args: Args) -> HouseOrder:
        order_id, link_id = _text(args, "orderId"), _text(args, "orderLinkId")
        if not order_id and not link_id:
            raise bad_request("orderId or orderLinkId is required")
        order = self._house.find(account, order_id, link_id)
        if order is None or not order.is_open or order.instrument is not instrument:
            raise of_pair(NOT_FOUND, is_spot=instrument.is_spot)
        return order


def _text(args: Args, name: str) -> str:
    value = args.get(name, "")
    return value if isinstance(value, str) else ""


def _too_fine(code: int) -> BybitError:
    names = {170134: "Order price", 170137: "Order quantity", 170148: "Market order amount"}
    return BybitError(code, f"{names.get(code, 'Price or qty')} has too many decimals.")
