"""Orders of OKX: requests read and checked, given to the house, acknowledged.

https://www.okx.com/docs-v5/en/#order-book-trading-trade
"""

import re
from collections.abc import Callable
from typing import Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.emulator.house import House
from zvt_trading.emulator.okx import errors
from zvt_trading.emulator.okx.errors import Refused, parameter
from zvt_trading.emulator.okx.names import Fields, Listing, Listings, long_id, own_id
from zvt_trading.emulator.orders import Ask, HouseOrder, Refusal
from zvt_trading.messages.codes import BUY, FOK, GTC, IOC, LIMIT, MARKET, SELL
from zvt_trading.messages.reasons import Reason
from zvt_trading.sim.venue_rules import price_problem, quantity_problem

CLIENT_ID: Final = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
BATCH_MAX: Final = 20
CANCELS_INSTEAD: Final = frozenset({int(Reason.VENUE_POST_ONLY), int(Reason.VENUE_FILL_OR_KILL)})
"""OKX takes a post-only order that would cross, and a fill-or-kill one that cannot be filled, and
cancels it at once: the answer is a success, the end comes as an order event."""
QUOTE: Final = "quote_ccy"
_SIDES: Final = {"buy": BUY, "sell": SELL}
_TYPES: Final = {
    "limit": (LIMIT, GTC),
    "post_only": (LIMIT, GTC),
    "ioc": (LIMIT, IOC),
    "fok": (LIMIT, FOK),
    "market": (MARKET, GTC),
    "optimal_limit_ioc": (MARKET, GTC),
}


Act = Callable[[Fields], HouseOrder]
"""What is done with each request of a batch; raises Refused."""


class OkxAsk(Ask):
    """An order's terms with what OKX shows of them again."""

    def __init__(
        self,
        instrument: Instrument,
        side: int,
        kind: tuple[int, int],
        size: int,
        unit: str,
        fields: Fields,
    ) -> None:
        text = {name: _text(fields, name) for name in ("ordType", "tdMode", "tag", "sz")}
        super().__init__(
            instrument,
            side,
            kind[0],
            0 if unit == QUOTE else size,
            client_id=_text(fields, "clOrdId"),
            tif=kind[1],
            post_only=text["ordType"] == "post_only",
            reduce_only=_is_true(fields.get("reduceOnly")),
            quote_quantity=size if unit == QUOTE else 0,
        )
        self.order_type: Final = text["ordType"]
        self.mode: Final = text["tdMode"]
        self.tag: Final = text["tag"]
        self.size_text: Final = text["sz"]
        self.size_unit: Final = unit  # tgtCcy


class Desk:
    """Takes order requests, by REST or by WebSocket; each answers with the acknowledgements."""

    def __init__(self, house: House, listings: Listings) -> None:
        self._house: Final = house
        self._listings: Final = listings
        self.request_id = ""  # of the amend that is being done

    def place(self, account: str, requests: list[Fields]) -> Fields:
        """New orders."""
        return self._each(requests, lambda fields: self._place(account, fields))

    def cancel(self, account: str, requests: list[Fields]) -> Fields:
        """Take orders back."""
        return self._each(requests, lambda fields: self._cancel(account, fields))

    def amend(self, account: str, requests: list[Fields]) -> Fields:
        """Other prices and total sizes."""
        answered = self._each(requests, lambda fields: self._amend(account, fields))
        for ack, fields in zip(answered["data"], requests, strict=True):
            ack["reqId"] = _text(fields, "reqId")
        return answered

    def find(self, account: str, fields: Fields) -> HouseOrder | None:
        """By `ordId`, or else by `clOrdId`."""
        order_id = _text(fields, "ordId")
        client_id = _text(fields, "clOrdId")
        if order_id:
            own = own_id(order_id)
            return self._house.find(account, order_id=own) if own else None
        return self._house.find(account, client_id=client_id) if client_id else None

    def _each(self, requests: list[Fields], act: Act) -> Fields:
        if len(requests) > BATCH_MAX:
            raise errors.failure(errors.TOO_MANY_IN_BATCH)
        acks = [self._ack(fields, act) for fields in requests]
        failed = sum(ack["sCode"] != errors.SUCCESS for ack in acks)
        code, text = errors.SUCCESS, ""
        if failed == len(acks):
            code, text = errors.ALL_FAILED, "All operations failed"
        elif failed:
            code, text = errors.PARTLY, "Bulk operation partially succeeded."
        now = str(self._house.clock.now_ms() * 1_000)
        return {"code": code, "data": acks, "inTime": now, "msg": text, "outTime": now}

    def _ack(self, fields: Fields, act: Act) -> Fields:
        ack: Fields = {
            "clOrdId": _text(fields, "clOrdId"),
            "ordId": _text(fields, "ordId"),
            "sCode": errors.SUCCESS,
            "sMsg": "",
            "tag": _text(fields, "tag"),
            "ts": str(self._house.clock.now_ms()),
        }
        try:
            order = act(fields)
        except Refused as refused:
            return {**ack, "sCode": refused.code, "sMsg": refused.text}
        return {**ack, "clOrdId": order.client_id, "ordId": long_id(order.id)}

    def _place(self, account: str, fields: Fields) -> HouseOrder:
        listing = self._listing(fields)
        ask = _read(listing, fields)
        if ask.client_id and (account, ask.client_id) in self._house.by_client:
            raise Refused(errors.DUPLICATE_ID)
        try:
            return self._house.place(account, ask)
        except Refusal as refusal:
            if refusal.reason in CANCELS_INSTEAD:
                return self._house.place_ended(account, ask, refusal.reason)
            instrument = listing.instrument
            pays_base = listing.is_spot and ask.side == SELL
            asset = instrument.base if pays_base else instrument.settle
            raise errors.refused(refusal, asset) from None

    def _cancel(self, account: str, fields: Fields) -> HouseOrder:
        order = self._known(account, fields, errors.NO_OPEN_ORDER)
        try:
            self._house.cancel(order)
        except Refusal:
            raise Refused(errors.NO_OPEN_ORDER) from None
        return order

    def _amend(self, account: str, fields: Fields) -> HouseOrder:
        order = self._known(account, fields, errors.NOTHING_TO_AMEND)
        listing = self._listing(fields)
        price, size = _text(fields, "newPx"), _text(fields, "newSz")
        if not price and not size:
            raise Refused(errors.AMEND_WHAT)
        new_price = listing.read_price(price) if price else 0
        new_size = listing.read_size(size) if size else 0
        if new_price < 0 or new_size < 0:
            raise Refused(parameter("newPx" if new_price < 0 else "newSz"))
        problem = quantity_problem(listing.instrument, new_size or order.quantity)
        problem = problem or price_problem(listing.instrument, new_price or order.price)
        if problem:
            raise errors.filtered(problem)
        self.request_id = _text(fields, "reqId")
        try:
            self._house.amend(order, new_price, new_size)
        except Refusal as refusal:
            raise _not_amended(refusal, listing) from None
        return order

    def _known(self, account: str, fields: Fields, otherwise: errors.Code) -> HouseOrder:
        listing = self._listing(fields)
        if not _text(fields, "ordId") and not _text(fields, "clOrdId"):
            raise Refused(errors.NO_IDS)
        order = self.find(account, fields)
        if order is None or not order.is_open or order.instrument is not listing.instrument:
            raise Refused(otherwise)
        return order

    def _listing(self, fields: Fields) -> Listing:
        if not _text(fields, "instId") and not _text(fields, "instIdCode"):
            raise errors.empty("instId")
        listing = self._listings.find(fields)
        if listing is None:
            raise Refused(errors.NO_INSTRUMENT)
        return listing


def one(fields: Fields) -> list[Fields]:
    """The body of a request about one order; needs an instrument."""
    if not fields:
        raise errors.failure(errors.NO_BODY, 400)
    return [fields]


def many(body: object) -> list[Fields]:
    """The body of a request about several orders."""
    if not isinstance(body, list) or not all(isinstance(entry, dict) for entry in body):
        raise errors.failure(errors.NOT_JSON, 400)
    if not body:
        raise errors.failure(errors.NO_BODY, 400)
    return body


def _read(listing: Listing, fields: Fields) -> OkxAsk:
    """The order that a request asks for; Refused when it makes no sense."""
    side = _SIDES.get(_text(fields, "side"))
    order_type = _text(fields, "ordType")
    kind = _TYPES.get(order_type)
    if side is None:
        raise Refused(parameter("side"))
    if kind is None or (listing.is_spot and order_type == "optimal_limit_ioc"):
        raise Refused(parameter("ordType"))
    if _text(fields, "tdMode") not in ({"cash"} if listing.is_spot else {"cross", "isolated"}):
        raise Refused(parameter("tdMode"))
    client_id = _text(fields, "clOrdId")
    if client_id and not CLIENT_ID.fullmatch(client_id):
        raise Refused(parameter("clOrdId"))
    unit = _unit(listing, side, kind[0], _text(fields, "tgtCcy"))
    size_text = _text(fields, "sz")
    size = listing.read_money(size_text) if unit == QUOTE else listing.read_size(size_text)
    if size <= 0:
        raise Refused(parameter("sz"))
    ask = OkxAsk(listing.instrument, side, kind, size, unit, fields)
    if kind[0] == LIMIT:
        ask.price = listing.read_price(_text(fields, "px"))
        if ask.price <= 0:
            raise Refused(parameter("px"))
    return ask


def _unit(listing: Listing, side: int, order_type: int, asked: str) -> str:
    """What `sz` counts: a spot market buy is for quote money unless `tgtCcy` says base_ccy."""
    if not listing.is_spot or order_type != MARKET:
        return ""
    return asked or (QUOTE if side == BUY else "base_ccy")


def _not_amended(refusal: Refusal, listing: Listing) -> Refused:
    if refusal.reason == Reason.VENUE_POST_ONLY:
        text = "Order modification failed because the order price doesn't meet the post only rule."
        return Refused(("51511", text))
    if refusal.reason == Reason.VENUE_BALANCE:
        return Refused(("51502", "Order failed to modify due to insufficient balance or margin."))
    if refusal.reason == Reason.VENUE_UNKNOWN_ORDER:
        return Refused(errors.NOTHING_TO_AMEND)
    return errors.refused(refusal, listing.instrument.settle)


def _text(fields: Fields, name: str) -> str:
    """A parameter as text; "" when it is not there."""
    value = fields.get(name)
    return "" if value is None else str(value)


def _is_true(value: object) -> bool:
    return value is True or value == "true"
